// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC's timer in TSC-deadline mode: KVM_CAP_TSC_DEADLINE_TIMER.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "apic.h"
#include "tap.h"

#define DEADLINE	0x6e0
#define TSC		0x10
#define BASE		0x1b
#define LVT		0x320
#define MODE		0x40051
#define INTERRUPTED	"OUT port=25 size=1 count=1 data=51"

static u64 khz;
static struct vcpu third;

/* CPUID with the mode, or without */
static void show(struct vcpu *c, bool mode)
{
	struct kvm_cpuid2 *table = supported_cpuid(&vm);
	u32 i;

	for (i = 0; i < table->nent; i++)
		if (table->entries[i].function == 1)
			table->entries[i].ecx = (table->entries[i].ecx & ~(1u << 24)) |
						(u32)mode << 24;
	if (ioctl(c->fd, KVM_SET_CPUID2, table))
		bail("KVM_SET_CPUID2: %s", errno_name(errno));
}

static bool supports_it(void)
{
	struct kvm_cpuid2 *table = supported_cpuid(&vm);
	u32 i;

	for (i = 0; i < table->nent; i++)
		if (table->entries[i].function == 1)
			return table->entries[i].ecx & 1u << 24;
	return false;
}

/* EBX ticks from now on, EDI in the mode's LVT entry; then sleeps. */
GUEST32(in_a_while, APIC
	"mov $0x40051, %eax; mov %eax, 0x320(%esi)\n"
	"rdtsc; add %ebx, %eax; adc $0, %edx; mov $0x6e0, %ecx; wrmsr; mov %eax, %edi\n"
	"rdmsr; cmp %eax, %edi; setne %al; out %al, $0x10\n"
	"sti; 1: hlt; jmp 1b\n");
GUEST32(wait, APIC "sti; 1: hlt; jmp 1b\n");
GUEST32(past, APIC
	"mov $0x40051, %eax; mov %eax, 0x320(%esi)\n"
	"mov $0x6e0, %ecx; mov $1, %eax; xor %edx, %edx; wrmsr\n"
	"sti; 1: hlt; jmp 1b\n");

static void one(u64 ticks)
{
	u64 begin, end, deadline;
	struct kvm_regs r;

	guest_apic(&cpu, in_a_while);
	set_lapic(&cpu, 0x350, 0x10700);
	r = get_regs(&cpu);
	r.rbx = ticks;
	set_regs(&cpu, &r);
	begin = get_msr(&cpu, TSC);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00", "in %llu ticks: RDMSR has it",
	   (unsigned long long)ticks);
	deadline = get_msr(&cpu, DEADLINE);
	ok(deadline >= begin + ticks, "  KVM_GET_MSRS too");
	is(vcpu_run(&cpu), INTERRUPTED, "  then it interrupts");
	end = get_msr(&cpu, TSC);
	ok(end >= deadline, "  not before");
	diag("%llu us late", (unsigned long long)(end - deadline) * 1000 / khz);
	ok(end - deadline < khz * 100 * patience, "  nor a tenth of a second after");
	is_hex(get_msr(&cpu, DEADLINE), 0, "  it is not armed any more");
	is(run_for(&cpu, 30), "EINTR INTR", "  no other comes");
}

static void modes(void)
{
	u64 tsc, base;

	guest_apic(&cpu, wait);
	set_lapic(&cpu, 0x350, 0x10700);
	set_lapic(&cpu, LVT, 0x20051);
	set_msr(&cpu, DEADLINE, 77);
	is_hex(get_msr(&cpu, DEADLINE), 0, "in another mode the MSR is ignored");
	set_lapic(&cpu, LVT, MODE);
	is_hex(lapic(&cpu, LVT), MODE, "KVM_SET_LAPIC sets the mode");
	is_hex(get_msr(&cpu, DEADLINE), 0, "  nothing is armed");
	is(run_for(&cpu, 30), "EINTR INTR", "  nothing comes");
	tsc = get_msr(&cpu, TSC);
	set_msr(&cpu, DEADLINE, tsc + khz * 20);
	ok(get_msr(&cpu, DEADLINE) == tsc + khz * 20, "KVM_SET_MSRS arms it");
	is(vcpu_run(&cpu), INTERRUPTED, "  it interrupts");
	ok(get_msr(&cpu, TSC) >= tsc + khz * 20, "  not before");
	base = get_msr(&cpu, BASE);
	set_msr(&cpu, DEADLINE, ~0ull);
	set_msr(&cpu, BASE, base & ~0x800ull);
	is_hex(get_msr(&cpu, DEADLINE), 0, "with the APIC off it reads 0");
	set_msr(&cpu, BASE, base);
	ok(get_msr(&cpu, DEADLINE) == ~0ull, "  and is there when it is on again");
	set_msr(&cpu, DEADLINE, get_msr(&cpu, TSC) + khz * 20);
	set_msr(&cpu, DEADLINE, 0);
	is(run_for(&cpu, 60), "EINTR INTR", "0 disarms it");
	set_msr(&cpu, DEADLINE, ~0ull);
	is(run_for(&cpu, 30), "EINTR INTR", "the end of time does not come");
	tsc = get_msr(&cpu, TSC) + khz * 20;
	set_msr(&cpu, DEADLINE, tsc);
	set_lapic(&cpu, LVT, MODE);
	ok(get_msr(&cpu, DEADLINE) == tsc, "KVM_SET_LAPIC in the same mode keeps it");
	is(vcpu_run(&cpu), INTERRUPTED, "  it interrupts");
	tsc = get_msr(&cpu, TSC) + khz * 60000;
	set_msr(&cpu, DEADLINE, tsc);
	set_msr(&cpu, TSC, tsc - khz * 20);
	/* KVM sets its timer when the MSR is written, by the TSC that there is then. */
	ok(!strcmp(run_for(&cpu, 1000), INTERRUPTED) == !!vm_parameter("ple_gap"),
	   "the TSC goes a minute on: minivmm's timer follows, KVM's does not");
	set_msr(&cpu, DEADLINE, get_msr(&cpu, TSC) + khz * 20);
	set_lapic(&cpu, LVT, 0x51);
	is_hex(get_msr(&cpu, DEADLINE), 0, "another mode disarms it");
	is(run_for(&cpu, 60), "EINTR INTR", "  nothing comes");
	set_lapic(&cpu, LVT, 0x10000 | MODE);
	set_msr(&cpu, DEADLINE, get_msr(&cpu, TSC) + khz * 10);
	is(run_for(&cpu, 60), "EINTR INTR", "masked: nothing comes");

	guest_apic(&cpu, past);
	set_lapic(&cpu, 0x350, 0x10700);
	is(vcpu_run(&cpu), INTERRUPTED, "one in the past comes at once");
	is(run_for(&cpu, 30), "EINTR INTR", "  once");
}

/* The guest's own write is held against its CPUID. */
GUEST32(lvt, APIC
	"mov $0x40051, %eax; mov %eax, 0x320(%esi); mov 0x320(%esi), %eax; out %eax, $0x10\n"
	"mov $0x6e0, %ecx; xor %edx, %edx; mov $5, %eax; wrmsr; rdmsr; out %eax, $0x11\n"
	"mov $0x60051, %eax; mov %eax, 0x320(%esi); mov 0x320(%esi), %eax; out %eax, $0x12\n"
	"movl $1000000000, 0x380(%esi); out %al, $0x13; hlt");

static void shown(struct vcpu *c, bool mode)
{
	show(c, mode);
	guest_apic(c, lvt);
	is(vcpu_run(c), mode ? "OUT port=10 size=4 count=1 data=51000400" :
	   "OUT port=10 size=4 count=1 data=51000000", "CPUID %s it: the LVT entry",
	   mode ? "shows" : "does not show");
	is(vcpu_run(c), "OUT port=11 size=4 count=1 data=00000000",
	   "  5 ticks are over, or ignored");
	is(vcpu_run(c), mode ? "OUT port=12 size=4 count=1 data=51000600" :
	   "OUT port=12 size=4 count=1 data=51000200", "  both bits");
	is(vcpu_run(c), "OUT port=13 size=1 count=1 data=51", "  an initial count");
	is_hex(lapic(c, 0x390) != 0, !mode, "  counts only in periodic mode");
}

int main(int argc, char **argv)
{
	apic_init();
	vm_open(&vm, argc > 1 ? argv[1] : "/dev/kvm", 2 << 20);
	if (ioctl(vm.fd, KVM_CREATE_IRQCHIP, 0))
		bail("KVM_CREATE_IRQCHIP: %s", errno_name(errno));
	apic_vcpus();
	khz = ioctl(cpu.fd, KVM_GET_TSC_KHZ);
	is_hex(ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER), 1,
	       "KVM_CAP_TSC_DEADLINE_TIMER");
	ok(!supports_it(), "  CPUID is user space's to set");
	show(&cpu, true);
	one(khz * 5);
	one(khz * 50);
	modes();
	/* Once it has run, CPUID stays. */
	vcpu_open(&third, &vm, 2);
	shown(&second, false);
	shown(&third, true);
	return done_testing();
}
