// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM exit, a call and a VM's life cost, host to host: time stamps, which
 * in the lab count emulated instructions, are the same on every run there.
 *
 * Each line has a name, the kind of work, and the cost of one. bench.sh puts
 * two devices side by side. The least of several rounds counts: the others had
 * a timer interrupt of the host in them. What is the same for one turn and for
 * many, as the way into KVM_RUN of a loop in the guest, is not counted.
 *
 * With "trace" nothing is timed: an instruction that means nothing to the
 * processor marks where the emulator's trace of all instructions begins and ends.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>
#include "tap.h"
#include "vm.h"

#define ROUNDS		5
#define HUGE		(2UL << 20)
#define FAR		HUGE		/* of the pages to fault in */
#define HUGE_PAGES	8
#define FAR_SIZE	(HUGE_PAGES * HUGE)
#define DEVICE		(FAR + FAR_SIZE)	/* where the guest has no memory */
#define EVENT_PORT	0x20
#define VECTOR		0x20

struct work {
	const char *name;
	const char *kind;
	/* Do it @times times between begin() and end(). false: not to be had. */
	bool (*run)(const struct work *w, u32 times);
	u32 times;
	const char *code, *end;
	unsigned long arg;
};

static bool tracing;
static struct vm vm;
static struct vcpu cpu;
static u8 *far;		/* what the guest has at FAR */
static u64 started, cost;

/* "xchg %bx, %bx": scripts/lab --trace */
static void mark(void)
{
	asm volatile("xchg %%bx, %%bx" : : : "memory");
}

static void begin(void)
{
	if (tracing)
		mark();
	started = __rdtsc();
}

static void end(void)
{
	cost = __rdtsc() - started;
	if (tracing)
		mark();
}

static void must_be(unsigned int reason)
{
	if (cpu.run->exit_reason != reason)
		bail("exit reason %u instead of %u", cpu.run->exit_reason,
		     reason);
}

/* RSI: how often; RDI: where. */
GUEST64(cpuid64, "1: mov $1, %eax; cpuid; dec %esi; jnz 1b; hlt");
GUEST64(rdmsr64, "mov $0x1b, %ecx; 1: rdmsr; dec %esi; jnz 1b; hlt");
GUEST64(wrmsr64, "mov $0x1a0, %ecx; rdmsr; 1: wrmsr; dec %esi; jnz 1b; hlt");
GUEST64(event64, "1: out %al, $0x20; dec %esi; jnz 1b; hlt");
GUEST64(doorbell64, "1: mov %eax, (%rdi); dec %esi; jnz 1b; hlt");
GUEST64(touch64,
	"1: movb $1, (%rdi); add %rbx, %rdi; dec %esi; jnz 1b; hlt");
GUEST64(out64, "1: out %al, $0x10; jmp 1b");
GUEST64(in64, "1: in $0x10, %al; jmp 1b");
GUEST64(store64, "1: mov %eax, (%rdi); jmp 1b");
GUEST64(fetch64, "1: mov (%rdi), %eax; jmp 1b");
GUEST64(hlt64, "1: hlt; jmp 1b");
GUEST64(handler64, "jmp 1f; iretq; 1: sti; hlt; jmp 1b");
GUEST64(stamp64,
	"1: rdtsc; mov %eax, (%rdi); mov %edx, 4(%rdi); hlt; jmp 1b");

static void prepare(const struct work *w, u32 times, u64 at, u64 step)
{
	struct kvm_regs regs;

	guest_long(&cpu, w->code, w->end);
	regs = get_regs(&cpu);
	regs.rsi = times;
	regs.rdi = at;
	regs.rbx = step;
	set_regs(&cpu, &regs);
}

/* One KVM_RUN of a guest that counts by itself */
static bool guest_loop(void)
{
	int ret;

	begin();
	ret = ioctl(cpu.fd, KVM_RUN, 0);
	end();
	if (ret)
		bail("KVM_RUN: %s", strerror(errno));
	must_be(KVM_EXIT_HLT);
	return true;
}

static bool in_kernel(const struct work *w, u32 times)
{
	prepare(w, times, DEVICE, 0);
	return guest_loop();
}

/* Somebody else is told, and the guest goes on: no return to user space. */
static bool to_eventfd(const struct work *w, u32 times)
{
	struct kvm_ioeventfd event = {
		.addr = w->arg ? DEVICE : EVENT_PORT,
		.len = w->arg ? 4 : 1,
		.flags = w->arg ? 0 : KVM_IOEVENTFD_FLAG_PIO,
		.fd = eventfd(0, 0),
	};
	bool had = !ioctl(vm.fd, KVM_IOEVENTFD, &event);

	if (had) {
		prepare(w, times, DEVICE, 0);
		guest_loop();
		event.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
		if (ioctl(vm.fd, KVM_IOEVENTFD, &event))
			bail("KVM_IOEVENTFD: %s", strerror(errno));
	}
	close(event.fd);
	return had;
}

enum { FRESH, PRESENT, LARGE };

static bool faults(const struct work *w, u32 times)
{
	u64 step = w->arg == LARGE ? HUGE : PAGE_SIZE;

	/* Takes the pages from the guest, too. */
	if (madvise(far, FAR_SIZE, MADV_DONTNEED) ||
	    madvise(far, FAR_SIZE,
		    w->arg == LARGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		bail("madvise: %s", strerror(errno));
	if (w->arg != FRESH)
		memset(far, 1, times * step);
	prepare(w, times, FAR, step);
	return guest_loop();
}

static bool to_user(const struct work *w, u32 times)
{
	unsigned int i;

	prepare(w, 0, DEVICE, 0);
	vcpu_run_raw(&cpu);
	must_be(w->arg);
	begin();
	for (i = 0; i < times; i++)
		ioctl(cpu.fd, KVM_RUN, 0);
	end();
	must_be(w->arg);
	return true;
}

static bool interrupt(const struct work *w, u32 times)
{
	struct kvm_interrupt irq = { .irq = VECTOR };
	struct kvm_sregs sregs;
	unsigned int i;

	prepare(w, 0, 0, 0);
	sregs = get_sregs(&cpu);
	sregs.idt.limit = PAGE_SIZE - 1;
	set_sregs(&cpu, &sregs);
	/* Behind the jump at the start */
	guest_gate(&cpu, VECTOR, GUEST_CODE + 2, 0);
	vcpu_run_raw(&cpu);
	must_be(KVM_EXIT_HLT);
	begin();
	for (i = 0; i < times; i++) {
		if (ioctl(cpu.fd, KVM_INTERRUPT, &irq))
			bail("KVM_INTERRUPT: %s", strerror(errno));
		ioctl(cpu.fd, KVM_RUN, 0);
	}
	end();
	must_be(KVM_EXIT_HLT);
	return true;
}

/* The guest's own time stamp says when it was there. */
static bool way_in(const struct work *w, u32 times)
{
	u64 offset, sum = 0, before;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (unsigned long)&offset,
	};
	unsigned int i;

	prepare(w, 0, GUEST_DATA, 0);
	if (tracing || ioctl(cpu.fd, KVM_GET_DEVICE_ATTR, &attr))
		return false;
	for (i = 0; i < times; i++) {
		before = __rdtsc();
		ioctl(cpu.fd, KVM_RUN, 0);
		sum += *(u64 *)(vm.mem + GUEST_DATA) - offset - before;
	}
	must_be(KVM_EXIT_HLT);
	cost = sum;
	return true;
}

static union {
	char space[4096];
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[8];
	} msrs;
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[100];
	} cpuid;
} buffer;

/* KVM_SET_x gets what KVM_GET_x has just given: @arg. */
static void call(unsigned long cmd)
{
	static const u32 indices[] = {
		0x10, 0x174, 0x175, 0x176, 0x277, 0xc0000081, 0xc0000082, 0xc0000102
	};
	unsigned int i;
	int ret;

	if (cmd == KVM_GET_MSRS) {
		buffer.msrs.head.nmsrs = ARRAY_SIZE(indices);
		for (i = 0; i < ARRAY_SIZE(indices); i++)
			buffer.msrs.entries[i].index = indices[i];
	}
	if (cmd == KVM_GET_CPUID2)
		buffer.cpuid.head.nent = ARRAY_SIZE(buffer.cpuid.entries);
	ret = ioctl(cpu.fd, cmd, &buffer);
	if (ret < 0)
		bail("ioctl 0x%lx: %s", cmd, strerror(errno));
}

static bool get(const struct work *w, u32 times)
{
	begin();
	while (times--)
		call(w->arg);
	end();
	return true;
}

static bool set(const struct work *w, u32 times)
{
	unsigned long from = 0;

	switch (w->arg) {
#define FROM(x)	case KVM_SET_##x: from = KVM_GET_##x; break
	FROM(REGS);
	FROM(SREGS);
	FROM(FPU);
	FROM(XSAVE);
	FROM(XCRS);
	FROM(MSRS);
	FROM(DEBUGREGS);
	FROM(VCPU_EVENTS);
	FROM(MP_STATE);
#undef FROM
	}
	call(from);
	begin();
	while (times--)
		call(w->arg);
	end();
	return true;
}

/* No more calls than it needs: HLT where a reset vCPU begins. */
static bool life(const struct work *w, u32 times)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = 0xfffff000,
		.memory_size = PAGE_SIZE,
		.userspace_addr = (unsigned long)far,
	};
	size_t size = ioctl(vm.sys, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_run *run;
	int new, fd;

	memset(far, w->code[0], PAGE_SIZE);
	begin();
	while (times--) {
		new = ioctl(vm.sys, KVM_CREATE_VM, 0);
		ioctl(new, KVM_SET_USER_MEMORY_REGION, &region);
		fd = ioctl(new, KVM_CREATE_VCPU, 0);
		run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (run == MAP_FAILED || ioctl(fd, KVM_RUN, 0) ||
		    run->exit_reason != KVM_EXIT_HLT)
			bail("a new VM does not run: %s", strerror(errno));
		munmap(run, size);
		close(fd);
		close(new);
	}
	end();
	return true;
}

#define CODE(name)	.code = name, .end = name##_end
#define GET(x)		{ "KVM_GET_" #x, "state", get, 200, .arg = KVM_GET_##x }
#define SET(x)		{ "KVM_SET_" #x, "state", set, 200, .arg = KVM_SET_##x }

static const struct work all[] = {
	{ "CPUID", "cpuid", in_kernel, 200, CODE(cpuid64) },
	{ "RDMSR (IA32_APIC_BASE)", "kernel", in_kernel, 200, CODE(rdmsr64) },
	{ "WRMSR (IA32_MISC_ENABLE)", "kernel", in_kernel, 200, CODE(wrmsr64) },
	{ "OUT to an ioeventfd", "kernel", to_eventfd, 200, CODE(event64) },
	{ "store to an ioeventfd", "kernel", to_eventfd, 200, CODE(doorbell64),
	  .arg = 1 },
	{ "OUT to user space", "user", to_user, 200, CODE(out64),
	  .arg = KVM_EXIT_IO },
	{ "IN from user space", "user", to_user, 200, CODE(in64),
	  .arg = KVM_EXIT_IO },
	{ "HLT to user space", "user", to_user, 200, CODE(hlt64),
	  .arg = KVM_EXIT_HLT },
	{ "store to MMIO", "mmio", to_user, 200, CODE(store64),
	  .arg = KVM_EXIT_MMIO },
	{ "load from MMIO", "mmio", to_user, 200, CODE(fetch64),
	  .arg = KVM_EXIT_MMIO },
	{ "KVM_INTERRUPT, handler, HLT", "user", interrupt, 200, CODE(handler64) },
	{ "KVM_RUN to the first instruction", "user", way_in, 200, CODE(stamp64) },
	{ "EPT fault, the host has the page", "fault", faults, 200, CODE(touch64),
	  .arg = PRESENT },
	{ "EPT fault, 2 MiB page of the host", "fault", faults, HUGE_PAGES - 1,
	  CODE(touch64), .arg = LARGE },
	{ "EPT fault, the host has it not", "new", faults, 200, CODE(touch64),
	  .arg = FRESH },
	GET(REGS),
	SET(REGS),
	GET(SREGS),
	SET(SREGS),
	GET(FPU),
	SET(FPU),
	GET(XSAVE),
	SET(XSAVE),
	GET(XCRS),
	SET(XCRS),
	GET(MSRS),
	SET(MSRS),
	GET(DEBUGREGS),
	SET(DEBUGREGS),
	GET(VCPU_EVENTS),
	SET(VCPU_EVENTS),
	GET(MP_STATE),
	SET(MP_STATE),
	GET(CPUID2),
	{ "VM made, run once, destroyed", "life", life, 2, CODE(hlt64) },
};

/* Aligned, so that the host's large pages can be the guest's. */
static void open_far(void)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1,
		.guest_phys_addr = FAR,
		.memory_size = FAR_SIZE,
	};
	u8 *space = mmap(NULL, FAR_SIZE + HUGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (space == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	far = (u8 *)(((unsigned long)space + HUGE - 1) & -HUGE);
	region.userspace_addr = (unsigned long)far;
	if (ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region))
		bail("KVM_SET_USER_MEMORY_REGION: %s", strerror(errno));
}

/* What one more costs than one. */
static void time_it(const struct work *w)
{
	u64 once = -1, many = -1;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (!w->run(w, 1)) {
			printf("%s\t%s\t-\n", w->name, w->kind);
			return;
		}
		once = cost < once ? cost : once;
		w->run(w, w->times + 1);
		many = cost < many ? cost : many;
	}
	printf("%s\t%s\t%llu\n", w->name, w->kind,
	       (unsigned long long)(many - once) / w->times);
}

/* bench.sh counts the traced parts: two for each line. */
static void trace_it(const struct work *w)
{
	unsigned int times = w->times < 10 ? w->times : 10;

	tracing = false;
	w->run(w, times + 1);
	tracing = true;
	if (!w->run(w, 1))
		return;
	w->run(w, times + 1);
	printf("%s\t%s\t%u\n", w->name, w->kind, times);
}

int main(int argc, char **argv)
{
	bool trace = argc == 3 && !strcmp(argv[2], "trace");
	unsigned int i;

	if (argc != 2 && !trace)
		bail("usage: %s DEVICE [trace]", argv[0]);
	watchdog(600);
	vm_open(&vm, argv[1], 1 << 20);
	open_far();
	vcpu_open(&cpu, &vm, 0);

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (trace)
			trace_it(&all[i]);
		else
			time_it(&all[i]);
		fflush(stdout);
	}
	vcpu_close(&cpu);
	vm_close(&vm);
	return 0;
}
