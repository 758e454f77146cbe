// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM exit costs, host to host: time stamps, which in the lab count
 * emulated instructions, are the same on every run there.
 *
 * Each line says what was measured and the cost of one, to be compared with
 * another device's by bench.sh. The least of several rounds counts: the
 * others had a timer interrupt of the host in them.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <x86intrin.h>
#include "tap.h"
#include "vm.h"

#define ROUNDS	5
#define TIMES	200
#define PAGES	(ROUNDS * TIMES)
#define FAR	0x200000

static struct vm vm;
static struct vcpu cpu;

/* RSI: how often; RDI: where. */
GUEST64(cpuid64, "1: cpuid; dec %esi; jnz 1b; hlt");
GUEST64(rdmsr64, "mov $0x1b, %ecx; 1: rdmsr; dec %esi; jnz 1b; hlt");
GUEST64(touch64,
	"1: movb $1, (%rdi); add $4096, %rdi; dec %esi; jnz 1b; hlt");
GUEST64(out64, "1: out %al, $0x10; jmp 1b");
GUEST64(in64, "1: in $0x10, %al; jmp 1b");
GUEST64(hlt64, "1: hlt; jmp 1b");

static void result(const char *name, u64 cost)
{
	printf("%s\t%llu\n", name, (unsigned long long)cost);
	fflush(stdout);
}

static void must_be(unsigned int reason)
{
	if (cpu.run->exit_reason != reason)
		bail("exit reason %u instead of %u", cpu.run->exit_reason,
		     reason);
}

/* One KVM_RUN of a guest that does it @times times. */
static u64 guest_loop(const char *code, const char *end, u32 times, u64 at)
{
	struct kvm_regs regs;
	u64 start;
	int ret;

	guest_long(&cpu, code, end);
	regs = get_regs(&cpu);
	regs.rsi = times;
	regs.rdi = at;
	set_regs(&cpu, &regs);
	start = __rdtsc();
	ret = vcpu_run_raw(&cpu);
	start = __rdtsc() - start;
	if (ret)
		bail("KVM_RUN: %s", errno_name(-ret));
	must_be(KVM_EXIT_HLT);
	return start;
}

static void in_kernel(const char *name, const char *code, const char *end)
{
	u64 least = -1, once = -1, cost;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		cost = guest_loop(code, end, 1, 0);
		once = cost < once ? cost : once;
		cost = guest_loop(code, end, TIMES + 1, 0);
		least = cost < least ? cost : least;
	}
	result(name, (least - once) / TIMES);
}

static void faults(const char *name, bool there)
{
	u64 least = -1, once = -1, cost;
	int i;

	/* New pages each round; what has gone stays gone. */
	if (madvise(vm.mem + FAR, (PAGES + ROUNDS) * PAGE_SIZE, MADV_DONTNEED))
		bail("madvise: %s", strerror(errno));
	if (there)
		memset(vm.mem + FAR, 1, (PAGES + ROUNDS) * PAGE_SIZE);
	for (i = 0; i < ROUNDS; i++) {
		cost = guest_loop(touch64, touch64_end, 1,
				  FAR + (PAGES + i) * PAGE_SIZE);
		once = cost < once ? cost : once;
		cost = guest_loop(touch64, touch64_end, TIMES,
				  FAR + i * TIMES * PAGE_SIZE);
		least = cost < least ? cost : least;
	}
	result(name, (least - once) / (TIMES - 1));
}

static void to_user(const char *name, const char *code, const char *end,
		    unsigned int reason)
{
	u64 least = -1, start;
	int i, k;

	guest_long(&cpu, code, end);
	vcpu_run_raw(&cpu);
	must_be(reason);
	for (i = 0; i < ROUNDS; i++) {
		start = __rdtsc();
		for (k = 0; k < TIMES; k++)
			ioctl(cpu.fd, KVM_RUN, 0);
		start = __rdtsc() - start;
		must_be(reason);
		least = start < least ? start : least;
	}
	result(name, least / TIMES);
}

static void call(const char *name, unsigned long cmd)
{
	char buffer[1024];
	u64 least = -1, start;
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		start = __rdtsc();
		for (k = 0; k < TIMES; k++)
			ioctl(cpu.fd, cmd, buffer);
		start = __rdtsc() - start;
		least = start < least ? start : least;
	}
	result(name, least / TIMES);
}

static void life(const char *device)
{
	u64 least = -1, start;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		start = __rdtsc();
		vm_open(&vm, device, 1 << 20);
		vcpu_open(&cpu, &vm, 0);
		guest64(&cpu, hlt64);
		vcpu_run_raw(&cpu);
		must_be(KVM_EXIT_HLT);
		vcpu_close(&cpu);
		vm_close(&vm);
		start = __rdtsc() - start;
		least = start < least ? start : least;
	}
	result("VM made, run once, destroyed", least);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(120);
	vm_open(&vm, argv[1], FAR + (PAGES + ROUNDS) * PAGE_SIZE);
	madvise(vm.mem, vm.size, MADV_NOHUGEPAGE);
	vcpu_open(&cpu, &vm, 0);

	in_kernel("CPUID, handled in the kernel", cpuid64, cpuid64_end);
	in_kernel("RDMSR, handled in the kernel", rdmsr64, rdmsr64_end);
	to_user("OUT to user space and back in", out64, out64_end,
		KVM_EXIT_IO);
	to_user("IN", in64, in64_end, KVM_EXIT_IO);
	to_user("HLT to user space", hlt64, hlt64_end, KVM_EXIT_HLT);
	faults("EPT fault, the host has the page", true);
	faults("EPT fault, the host has it not", false);
	call("KVM_GET_REGS", KVM_GET_REGS);
	call("KVM_GET_SREGS", KVM_GET_SREGS);
	vcpu_close(&cpu);
	vm_close(&vm);
	life(argv[1]);
	return 0;
}
