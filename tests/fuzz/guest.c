// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes from inside: random streams of instructions in every processor mode.
 *
 *	fuzz_guest DEVICE [seed=N] [streams=N] [interrupts=1] [log=1]
 *
 * Stream n of seed s is stream 0 of seed s + n, so that what fails can be run
 * alone. Each has a VM of its own. User space completes what exits, goes on
 * after it, or sends the guest somewhere else in its code.
 *
 * What must hold: the kernel has no complaint (the lab says), the vCPU comes
 * back when a signal comes, every exit is one that a guest can cause, the
 * host's registers and another VM are as before.
 *
 * It needs two CPUs. On Bochs, no interrupt ends a guest that was entered with
 * RFLAGS.IF = 0 (Documentation/fuzzing.rst): where such a guest loops, an NMI
 * from the other CPU makes it exit. An NMI for a guest that had IF = 1 is a
 * failure.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include "control.h"
#include "stream.h"
#include "tap.h"

#define MEMORY		0x100000
#define READ_ONLY	0x200000	/* a slot of its own */
#define CODE_SIZE	0x1000
#define FLAG_VM		0x20000
#define FLAG_IOPL	0x3000

#define CONTROL_EVERY	32
#define EXITS_MAX	150
#define KICKS_MAX	3

/*
 * The watchdog's times, in microseconds of the runner's CPU time: from KVM_RUN
 * to the signal, and from there on
 */
#define KICK_AFTER	3000
#define NUDGE_AFTER	7000
#define LOST_AFTER	500000

enum mode { REAL, PROTECTED, PAGED, PAE, LONG, COMPATIBLE, V8086, MODES };
static const char *const mode_names[] = {
	"real", "protected", "32-bit paging", "PAE", "long", "compatibility", "virtual-8086",
};

/* One stream */
struct guest {
	struct vcpu c;
	enum mode mode;
	struct kvm_sregs sregs;	/* as it began */
	struct kvm_regs regs;
	unsigned int exits, kicks;
	u64 since;	/* when KVM_RUN began */
};

static u64 seed, stream;
static bool logging, interrupting, is_minivmm;
static unsigned int failures, kicks, nudges;
static u64 exits[64], modes[MODES];

__printf(1, 2) static void fail(const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (++failures <= 20)
		diag("seed=%llu streams=1: %s", seed + stream, text);
}

/* --- The watchdog ---------------------------------------------------------------------- */

static pthread_t runner;
/* When the runner went into KVM_RUN, in microseconds; 0: it is not there. */
static u64 running_since;
/* The running_since of the KVM_RUN that was last sent an NMI */
static u64 nudged;
/* The watchdog gave up: whoever comes back from the guest stays out of it. */
static bool lost;
static clockid_t runner_clock;

/* Not the time of day: the runner may have to wait for its CPU. */
static u64 now_us(void)
{
	struct timespec now;

	clock_gettime(runner_clock, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static void on_cpu(int n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(n, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bail("no CPU %d: fuzz_guest needs two", n);
}

/* Every other CPU gets an NMI, and says in the kernel's log where it was. */
static void nudge(int sysrq, u64 since)
{
	__atomic_store_n(&nudged, since, __ATOMIC_SEQ_CST);
	nudges++;
	if (write(sysrq, "l", 1) != 1)
		bail("/proc/sysrq-trigger: %s", strerror(errno));
}

/* The kernel finds it long what it writes to its log with an NMI being handled. */
static void allow_long_nmis(void)
{
	int fd;

	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	fd = open("/sys/kernel/debug/x86/nmi_longest_ns", O_WRONLY);
	if (fd < 0 || write(fd, "1000000000", 10) != 10)
		bail("nmi_longest_ns in debugfs: %s", strerror(errno));
	close(fd);
}

/*
 * A process whose thread is in such a guest cannot die either: without NMIs
 * the machine would hang.
 */
static noreturn void give_up(int sysrq, u64 since)
{
	printf("Bail out! seed=%llu streams=1: the vCPU does not come back\n", seed + stream);
	fflush(stdout);
	__atomic_store_n(&lost, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&running_since, __ATOMIC_SEQ_CST)) {
		pthread_kill(runner, SIGUSR1);
		nudge(sysrq, since);
		usleep(NUDGE_AFTER);
	}
	_exit(99);
}

/*
 * How late a signal is counts from when it was sent: the watchdog itself can be
 * late, for the kernel's words about an NMI take their time on the console.
 */
static void *watch(void *unused)
{
	int sysrq = open("/proc/sysrq-trigger", O_WRONLY);
	u64 since, now, kicked = 0, kicked_at = 0;

	on_cpu(1);
	for (;;) {
		usleep(KICK_AFTER / 3);
		since = __atomic_load_n(&running_since, __ATOMIC_SEQ_CST);
		now = now_us();
		if (!since || now - since <= KICK_AFTER)
			continue;
		if (since != kicked) {
			kicked = since;
			kicked_at = now;
		}
		pthread_kill(runner, SIGUSR1);
		if (now - kicked_at > NUDGE_AFTER)
			nudge(sysrq, since);
		if (now - kicked_at > LOST_AFTER)
			give_up(sysrq, since);
	}
	return unused;
}

static void on_signal(int signal)
{
	(void)signal;
}

static void start_watchdog(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	allow_long_nmis();
	runner = pthread_self();
	if (pthread_getcpuclockid(runner, &runner_clock))
		bail("no clock of the runner");
	on_cpu(0);
	pthread_create(&thread, NULL, watch, NULL);
}

static int run(struct guest *g)
{
	int ret;

	g->c.run->exit_reason = 0xdead;
	g->since = now_us();
	__atomic_store_n(&running_since, g->since, __ATOMIC_SEQ_CST);
	ret = vcpu_run_raw(&g->c);
	__atomic_store_n(&running_since, 0, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&lost, __ATOMIC_SEQ_CST))
		pause();
	if (ret == -EINTR) {
		g->kicks++;
		kicks++;
	}
	return ret;
}

/* --- How a guest begins ------------------------------------------------------------------ */

static int bits_of(enum mode mode)
{
	return mode == REAL || mode == V8086 ? 16 : mode == LONG ? 64 : 32;
}

static void put64(struct vm *vm, u32 gpa, u64 value)
{
	memcpy(vm->mem + gpa, &value, 8);
}

/* The tables of guest_long(), in other forms */
static void paging(struct guest *g)
{
	struct vm *vm = g->c.vm;
	int i;

	for (i = 0; i < 512; i++) {
		if (g->mode == PAE)
			put64(vm, GUEST_PD + 8 * i, (u64)i << 21 | 0x87);
		else
			put64(vm, GUEST_PD + 8 * i, (i * 2 + 1ull) << 54 | 0x87ull << 32 |
			      (u64)i << 23 | 0x87);
	}
	for (i = 0; i < 4; i++)
		put64(vm, GUEST_PDPT + 8 * i, GUEST_PD | 1);
	g->sregs.cr3 = g->mode == PAE ? GUEST_PDPT : GUEST_PD;
	g->sregs.cr4 |= g->mode == PAE ? CR4_PAE : 0x10;
	g->sregs.cr0 |= CR0_PG;
}

static void virtual_8086(struct guest *g)
{
	struct kvm_segment seg = {
		.limit = 0xffff, .type = 3, .present = 1, .s = 1, .dpl = 3,
	};

	g->sregs.cs = seg;
	g->sregs.ds = seg;
	g->sregs.es = seg;
	g->sregs.fs = seg;
	g->sregs.gs = seg;
	g->sregs.ss = seg;
	g->regs.rflags |= FLAG_VM;
}

static void begin(struct guest *g)
{
	static u8 code[CODE_SIZE];

	g->mode = below(MODES);
	modes[g->mode]++;
	if (one_in(4))
		cpuid_least(&g->c);
	else
		cpuid_host(&g->c);
	stream_fill(code, sizeof(code), bits_of(g->mode));
	if (g->mode == REAL)
		guest_real(&g->c, code, code + sizeof(code));
	else if (g->mode == LONG || g->mode == COMPATIBLE)
		guest_long(&g->c, code, code + sizeof(code));
	else
		guest_protected(&g->c, code, code + sizeof(code));
	if (g->mode != REAL && g->mode != V8086 && one_in(4))
		guest_user(&g->c);

	g->sregs = get_sregs(&g->c);
	g->regs = get_regs(&g->c);
	if (g->mode == PAGED || g->mode == PAE)
		paging(g);
	if (g->mode == COMPATIBLE) {
		g->sregs.cs.l = 0;
		g->sregs.cs.db = 1;
		g->sregs.cs.selector = g->sregs.cs.dpl ? SEL_USER_CODE32 : SEL_CODE32;
	}
	if (g->mode == V8086)
		virtual_8086(g);
	g->sregs.cr0 |= (rnd() & (CR0_WP | CR0_MP | CR0_NE)) |
			(one_in(8) ? rnd() & (CR0_EM | CR0_TS | CR0_AM) : 0);
	g->sregs.cr4 |= (rnd() & (CR4_OSFXSR | CR4_OSXMMEXCPT)) |
			(one_in(8) ? rnd() & (CR4_TSD | CR4_DE) : 0);
	if (!one_in(4))
		g->regs.rflags |= FLAG_IF;
	if (one_in(16))
		g->regs.rflags |= FLAG_TF;
	if (one_in(4))
		g->regs.rflags |= rnd() & (FLAG_IOPL | FLAG_AC | FLAG_DF);
	g->regs.rax = edge();
	g->regs.rcx = below(64);
	g->regs.rdx = below(0x10000);
	g->regs.rsi = below(MEMORY);
	g->regs.rdi = below(MEMORY);
	set_sregs(&g->c, &g->sregs);
	set_regs(&g->c, &g->regs);
}

/* --- What user space does with an exit --------------------------------------------------- */

/* All that it began with, but for what registers do not hold. */
static void restart(struct guest *g)
{
	struct kvm_regs regs = g->regs;

	regs.rip = GUEST_CODE + below(CODE_SIZE);
	set_sregs(&g->c, &g->sregs);
	set_regs(&g->c, &regs);
}

/* Somewhere else in the code, in the mode it has come to */
static void elsewhere(struct guest *g)
{
	struct kvm_regs regs = get_regs(&g->c);

	if (one_in(3)) {
		restart(g);
		return;
	}
	regs.rip = GUEST_CODE + below(CODE_SIZE);
	if (one_in(2))
		regs.rsp = g->regs.rsp;
	set_regs(&g->c, &regs);
}

static void complete_io(struct guest *g)
{
	struct kvm_run *run = g->c.run;
	unsigned int i, bytes = run->io.size * run->io.count;
	u8 *data = io_data(&g->c);

	if (!bytes || bytes > PAGE_SIZE || run->io.data_offset != PAGE_SIZE) {
		fail("an I/O exit of %u times %u bytes at offset %llu", run->io.count,
		     run->io.size, run->io.data_offset);
		return;
	}
	if (run->io.direction == KVM_EXIT_IO_IN) {
		for (i = 0; i < bytes; i++)
			data[i] = rnd();
	} else if (run->io.port >= TRAP_PORT(0) && run->io.port < TRAP_PORT(TRAPS) &&
		   !one_in(8)) {
		/* A handler of a trap: the same instruction would trap again. */
		elsewhere(g);
	}
}

static void show(struct guest *g)
{
	struct kvm_sregs s = get_sregs(&g->c);
	struct kvm_regs r = get_regs(&g->c);
	u64 at = s.cs.base + r.rip;
	const u8 *code = g->c.vm->mem + (at < MEMORY - 8 ? at : 0);

	diag("%s, exit %u, reason %u: cs %#x base %#llx rip %#llx code %02x %02x %02x %02x",
	     mode_names[g->mode], g->exits, g->c.run->exit_reason, s.cs.selector, s.cs.base,
	     r.rip, code[0], code[1], code[2], code[3]);
	diag("  rflags %#llx cr0 %#llx cr3 %#llx cr4 %#llx efer %#llx", r.rflags, s.cr0,
	     s.cr3, s.cr4, s.efer);
}

/* Return: the stream goes on. */
static bool go_on(struct guest *g)
{
	struct kvm_run *run = g->c.run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		complete_io(g);
		if (one_in(16))
			elsewhere(g);
		return true;
	case KVM_EXIT_HLT:
	case KVM_EXIT_SET_TPR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_MMIO:
		if (one_in(2))
			elsewhere(g);
		return true;
	case KVM_EXIT_SHUTDOWN:
		restart(g);
		return !one_in(4);
	case KVM_EXIT_INTERNAL_ERROR:
		if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION &&
		    run->internal.suberror != KVM_INTERNAL_ERROR_DELIVERY_EV)
			fail("internal error %u", run->internal.suberror);
		elsewhere(g);
		return true;
	case KVM_EXIT_UNKNOWN:
		/* A task switch has no handler. */
		if (run->hw.hardware_exit_reason != 9)
			fail("unknown exit %llu", run->hw.hardware_exit_reason);
		elsewhere(g);
		return true;
	case KVM_EXIT_FAIL_ENTRY:
		fail("failed VM entry %#llx (%s, exit %u)",
		     run->fail_entry.hardware_entry_failure_reason, mode_names[g->mode],
		     g->exits);
		show(g);
		return false;
	default:
		/* KVM has more of them. */
		if (is_minivmm)
			fail("exit reason %u", run->exit_reason);
		elsewhere(g);
		return true;
	}
}

/* interrupts=1: interrupts and NMIs come whenever they like. */
static void interrupt(struct guest *g)
{
	struct kvm_interrupt irq = { .irq = below(256) };

	g->c.run->request_interrupt_window = one_in(8);
	if (one_in(16))
		ioctl(g->c.fd, KVM_NMI);
	else if (one_in(8) && g->c.run->ready_for_interrupt_injection)
		ioctl(g->c.fd, KVM_INTERRUPT, &irq);
}

static void fuzz(struct vm *vm)
{
	struct guest g = { 0 };
	int ret;

	random_state = (seed + stream) * 0x2545f4914f6cdd1d;
	vcpu_open_bare(&g.c, vm, 0);
	begin(&g);
	while (g.exits++ < EXITS_MAX && g.kicks < KICKS_MAX) {
		if (interrupting)
			interrupt(&g);
		ret = run(&g);
		if (__atomic_load_n(&nudged, __ATOMIC_SEQ_CST) == g.since &&
		    get_regs(&g.c).rflags & FLAG_IF) {
			fail("it ran past a signal, with IF = 1");
			show(&g);
		}
		if (!ret) {
			if (g.c.run->exit_reason < ARRAY_SIZE(exits))
				exits[g.c.run->exit_reason]++;
			if (logging)
				show(&g);
			if (!go_on(&g))
				break;
		} else if (ret == -EINTR) {
			if (one_in(2))
				elsewhere(&g);
		} else {
			fail("KVM_RUN: %s", errno_name(-ret));
			break;
		}
	}
	vcpu_close(&g.c);
}

/* --- The host's own state ------------------------------------------------------------------ */

struct table {
	u16 limit;
	u64 base;
} __packed;

static const u32 host_msrs[] = {
	0x174, 0x175, 0x176, 0x1d9, 0x277, 0xc0000080, 0xc0000081, 0xc0000082,
	0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103,
};

struct host {
	u64 msr[ARRAY_SIZE(host_msrs)];
	u64 xcr0;
	struct table gdt, idt;
	u32 mxcsr;
	u16 fcw, ds, es, fs, gs, ss;
};

static void get_host(struct host *h)
{
	static int fd = -1;
	u32 a, b, c, d;
	size_t i;

	memset(h, 0, sizeof(*h));
	if (fd < 0)
		fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	for (i = 0; i < ARRAY_SIZE(host_msrs); i++) {
		if (pread(fd, &h->msr[i], 8, host_msrs[i]) != 8)
			bail("/dev/cpu/0/msr: %s (modprobe msr)", strerror(errno));
	}
	/* What the kernel has there is of this very moment. */
	h->msr[10] = 0;
	h->msr[11] = 0;
	__cpuid(1, a, b, c, d);
	if (c & bit_OSXSAVE) {
		asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
		h->xcr0 = a | (u64)d << 32;
	}
	asm volatile("sgdt %0" : "=m"(h->gdt));
	asm volatile("sidt %0" : "=m"(h->idt));
	asm volatile("stmxcsr %0" : "=m"(h->mxcsr));
	asm volatile("fnstcw %0" : "=m"(h->fcw));
	asm volatile("mov %%ds, %0" : "=r"(h->ds));
	asm volatile("mov %%es, %0" : "=r"(h->es));
	asm volatile("mov %%fs, %0" : "=r"(h->fs));
	asm volatile("mov %%gs, %0" : "=r"(h->gs));
	asm volatile("mov %%ss, %0" : "=r"(h->ss));
}

static void check_host(const struct host *before)
{
	const char *complaint = control_run();
	struct host now;
	size_t i;

	if (complaint)
		fail("before this one %s", complaint);
	get_host(&now);
	if (!is_minivmm || !memcmp(before, &now, sizeof(now)))
		return;
	fail("the host's registers changed in the %d streams before this one", CONTROL_EVERY);
	for (i = 0; i < ARRAY_SIZE(host_msrs); i++) {
		if (now.msr[i] != before->msr[i])
			diag("  MSR %#x: %#llx, was %#llx", host_msrs[i], now.msr[i],
			     before->msr[i]);
	}
	diag("  GDT limit %#x, was %#x; IDT %#x, %#x; MXCSR %#x, %#x", now.gdt.limit,
	     before->gdt.limit, now.idt.limit, before->idt.limit, now.mxcsr, before->mxcsr);
}

static u64 option(char **argv, const char *name, u64 value)
{
	size_t n = strlen(name);

	for (; *argv; argv++) {
		if (!strncmp(*argv, name, n) && (*argv)[n] == '=')
			value = strtoull(*argv + n + 1, NULL, 0);
	}
	return value;
}

static void open_vm(struct vm *vm, const char *device)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1, .flags = KVM_MEM_READONLY,
		.guest_phys_addr = READ_ONLY, .memory_size = 0x10000,
	};

	vm_open(vm, device, MEMORY);
	region.userspace_addr = (uintptr_t)vm->mem;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		bail("the read-only slot: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	struct host before;
	struct vm vm;
	u64 streams;
	size_t i;

	if (argc < 2)
		bail("usage: fuzz_guest DEVICE [seed=N] [streams=N] [interrupts=1] [log=1]");
	is_minivmm = strstr(argv[1], "minivmm");
	seed = option(argv, "seed", 1);
	streams = option(argv, "streams", 200);
	logging = option(argv, "log", 0);
	interrupting = option(argv, "interrupts", 0);
	diag("fuzz_guest %s seed=%llu streams=%llu", argv[1], seed, streams);
	start_watchdog();
	control_open(argv[1]);
	control_run();
	get_host(&before);

	for (stream = 0; stream < streams; stream++) {
		if (stream % CONTROL_EVERY == 0)
			check_host(&before);
		open_vm(&vm, argv[1]);
		fuzz(&vm);
		vm_close(&vm);
	}
	check_host(&before);
	ok(!failures, "seed %llu, %llu streams: exits, signals and the host are right",
	   seed, streams);
	for (i = 0; i < MODES; i++)
		diag("%8llu in %s mode", modes[i], mode_names[i]);
	for (i = 0; i < ARRAY_SIZE(exits); i++) {
		if (exits[i])
			diag("%8llu exits with reason %zu", exits[i], i);
	}
	diag("%8u signals, %u NMIs", kicks, nudges);
	return done_testing();
}
