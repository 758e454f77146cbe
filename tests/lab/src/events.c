// SPDX-License-Identifier: GPL-2.0
/*
 * A guest whose VM exits are known, one of each kind, for trace-events.t to look at
 * while they are traced. What came of each KVM_RUN is printed: it is the same
 * whether somebody looks or not, and on both devices.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

#define MEMORY	(4 << 20)
#define DEVICE	0x800000	/* the guest has no memory there */
#define VECTOR	30		/* its handler ends in OUT to TRAP_PORT(VECTOR) */

GUEST64(guest,
	/* A leaf that is there, and one that is not: the last basic leaf answers */
	"xor %eax, %eax; xor %ecx, %ecx; cpuid\n"
	"mov $0x12345, %eax; mov $3, %ecx; cpuid\n"
	/* MSRs: two reads, a write, and both of one that does not exist */
	"mov $0x1a0, %ecx; rdmsr; wrmsr; mov $0x1b, %ecx; rdmsr\n"
	"mov $0x12345678, %ecx; rdmsr; mov $7, %eax; xor %edx, %edx; wrmsr\n"
	/* CR0.CD is the host's; CR8 is */
	"mov %cr0, %rax; or $0x40000000, %eax; mov %rax, %cr0\n"
	"mov $5, %eax; mov %rax, %cr8; mov %cr8, %rax\n"
	"mov $0x41424344, %eax; out %al, $0x10; out %eax, $0x12\n"
	"mov $0x1234, %edx; in (%dx), %ax\n"
	"mov $0x800000, %ebx; movl $0x11223344, (%rbx); mov 4(%rbx), %cx\n"
	"mov 0x3ff000, %eax\n"
	/* Here the interrupt comes, then the NMI. */
	"sti; hlt; hlt; cli; hlt");

/* What the guest reads from its devices */
static void answer(struct vcpu *c)
{
	struct kvm_run *run = c->run;

	if (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN)
		memcpy(io_data(c), "\xcd\xab", 2);
	if (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write)
		memcpy(run->mmio.data, "\x78\x56", 2);
}

/* Past the handler of an exception, to behind the instruction that raised it */
static void skip_instruction(struct vcpu *c)
{
	u64 *frame = trap_frame(c);

	frame[0] += 2;
}

int main(int argc, char **argv)
{
	struct kvm_interrupt irq = { .irq = VECTOR };
	int halts = 0, ret = 0;
	struct vcpu cpu;
	struct vm vm;

	watchdog(60);
	vm_open(&vm, argc > 1 ? argv[1] : "/dev/minivmm", MEMORY);
	vcpu_open_bare(&cpu, &vm, 0);
	cpuid_least(&cpu);
	guest64(&cpu, guest);
	while (halts < 3) {
		const char *what = vcpu_run(&cpu);

		puts(what);
		if (!strncmp(what, "trap 13", 7))
			skip_instruction(&cpu);
		else if (!strcmp(what, "HLT") && ++halts == 1)
			ret = ioctl(cpu.fd, KVM_INTERRUPT, &irq);
		else if (!strcmp(what, "HLT") && halts == 2)
			ret = ioctl(cpu.fd, KVM_NMI);
		else if (cpu.run->exit_reason != KVM_EXIT_IO &&
			 cpu.run->exit_reason != KVM_EXIT_MMIO && strcmp(what, "HLT"))
			bail("%s", what);
		if (ret)
			bail("an event for the guest: %s", errno_text(ret));
		answer(&cpu);
	}
	vcpu_close(&cpu);
	vm_close(&vm);
	return 0;
}
