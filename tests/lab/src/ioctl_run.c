// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_RUN: when it comes back without the guest having asked for it, and
 * which states the processor refuses to enter.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/keyctl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "tap.h"
#include "vm.h"

static struct vm vm;
static struct vcpu cpu;
static int handled;

GUEST32(out_hlt, "mov $0x5a, %al; out %al, $0x10; hlt");
/*
 * These run with interrupts on: Bochs 2.7 holds external interrupts back from
 * a guest that was entered with IF clear, a processor does not.
 */
GUEST32(counter, "sti; 1: incl 0xb000; jmp 1b");
/* Long enough that a timer of 20 ms fires in it. */
GUEST32(long_loop, "sti; mov $4000000, %ecx; 1: loop 1b; hlt");

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static void timer(int ms)
{
	struct itimerval when = { .it_value.tv_usec = ms * 1000 };

	handled = 0;
	if (setitimer(ITIMER_REAL, &when, NULL))
		bail("setitimer: %s", strerror(errno));
}

static u32 data32(u32 gpa)
{
	u32 value;

	memcpy(&value, vm.mem + gpa, 4);
	return value;
}

static void immediate_exit(void)
{
	guest32(&cpu, out_hlt);
	cpu.run->immediate_exit = 1;
	is(vcpu_run(&cpu), "EINTR", "immediate_exit");
	is_hex(get_regs(&cpu).rip, GUEST_CODE, "  no instruction ran");
	is(vcpu_run(&cpu), "EINTR", "immediate_exit again");
	cpu.run->immediate_exit = 0;
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=5a",
	   "KVM_RUN once it is taken back");
	is(vcpu_run(&cpu), "HLT", "  and to the end");
	is_hex(get_regs(&cpu).rip, GUEST_CODE + out_hlt_end - out_hlt,
	       "RIP after HLT");
}

static void signals(void)
{
	struct sigaction act = { .sa_handler = handler };
	u32 before;

	sigaction(SIGALRM, &act, NULL);

	guest32(&cpu, counter);
	timer(20);
	is(vcpu_run(&cpu), "EINTR INTR", "a signal ends KVM_RUN");
	is_hex(handled, 1, "  its handler ran");
	before = data32(0xb000);
	ok(before > 1000, "  the guest had run");
	timer(20);
	is(vcpu_run(&cpu), "EINTR INTR", "a second time");
	ok(data32(0xb000) > before, "  the guest went on");

	act.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &act, NULL);
	timer(20);
	is(vcpu_run(&cpu), "EINTR INTR",
	   "a signal whose handler restarts calls");
}

static void signal_mask(void)
{
	struct {
		struct kvm_signal_mask head;
		u64 set;
	} __packed mask = { .head.len = 8 };
	sigset_t block, pending, old;

	/* Blocked outside, let in by the vCPU's mask. */
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &old);
	signal(SIGUSR1, handler);
	handled = 0;
	raise(SIGUSR1);
	guest32(&cpu, out_hlt);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=5a",
	   "a blocked signal does not end KVM_RUN");
	mask.set = 0;
	if (ioctl(cpu.fd, KVM_SET_SIGNAL_MASK, &mask))
		bail("KVM_SET_SIGNAL_MASK: %s", strerror(errno));
	guest32(&cpu, out_hlt);
	is(vcpu_run(&cpu), "EINTR INTR",
	   "a blocked signal that the vCPU's mask lets in");
	is_hex(get_regs(&cpu).rip, GUEST_CODE, "  no instruction ran");
	is_hex(handled, 0, "  its handler did not run");
	sigpending(&pending);
	is_hex(sigismember(&pending, SIGUSR1), 1, "  it is still pending");
	sigprocmask(SIG_SETMASK, NULL, &pending);
	is_hex(sigismember(&pending, SIGUSR1), 1, "  and still blocked");
	sigprocmask(SIG_SETMASK, &old, NULL);
	is_hex(handled, 1, "unblocked, its handler runs");

	/* Open outside, blocked by the vCPU's mask. */
	mask.set = 1ull << (SIGALRM - 1);
	if (ioctl(cpu.fd, KVM_SET_SIGNAL_MASK, &mask))
		bail("KVM_SET_SIGNAL_MASK: %s", strerror(errno));
	guest32(&cpu, long_loop);
	timer(20);
	is(vcpu_run(&cpu), "HLT", "a signal that the vCPU's mask blocks");
	is_hex(handled, 1, "  its handler ran after KVM_RUN");

	if (ioctl(cpu.fd, KVM_SET_SIGNAL_MASK, NULL))
		bail("KVM_SET_SIGNAL_MASK: %s", strerror(errno));
	guest32(&cpu, counter);
	timer(20);
	is(vcpu_run(&cpu), "EINTR INTR", "a signal after the mask is gone");

	/* SIGKILL and SIGSTOP cannot be blocked: see life for SIGKILL. */
}

static void in_a_child(void)
{
	int status;

	guest32(&cpu, out_hlt);
	if (!fork())
		_exit(vcpu_run_raw(&cpu) == -EIO ? 0 : 1);
	wait(&status);
	is_hex(status, 0, "child: KVM_RUN on the parent's vCPU is EIO");
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=5a",
	   "the parent's KVM_RUN afterwards");
}

/*
 * States that VM entry refuses: SDM Vol. 3, "Checks on the Guest State
 * Area". KVM_SET_SREGS takes them all; the processor's answer is entry
 * failure 33, "invalid guest state", with bit 31 of the exit reason set.
 */
enum mode { REAL, PROTECTED, LONG };

static void cs_not_present(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->cs.present = 0;
}

static void cs_limit(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->cs.limit = 0xfffff000;
}

static void cs_system(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->cs.s = 0;
}

static void cs_l_and_d(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->cs.db = 1;
}

static void ss_code(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->ss.type = 11;
}

static void ds_high_base(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->ds.base = 1ull << 32;
}

static void fs_base(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->fs.base = 1ull << 47;
}

static void tr_unusable(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->tr.unusable = 1;
}

static void tr_not_tss(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->tr.type = 14;
}

static void tr_local(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->tr.selector |= 4;
}

static void ldt_not_ldt(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->ldt.present = 1;
	s->ldt.unusable = 0;
	s->ldt.type = 9;
}

static void gdt_base(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->gdt.base = 1ull << 48;
}

static void idt_base(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->idt.base = 1ull << 63;
}

static void rip_high(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)s;
	r->rip |= 1ull << 32;
}

static void flag_reserved(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)s;
	r->rflags |= 1u << 15;
}

static void flag_vm(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)s;
	r->rflags |= 1u << 17;
}

static void cr3_high(struct kvm_sregs *s, struct kvm_regs *r)
{
	(void)r;
	s->cr3 = 1ull << 60;
}

static void refused_states(void)
{
	static const struct {
		const char *name;
		enum mode mode;
		void (*change)(struct kvm_sregs *s, struct kvm_regs *r);
	} states[] = {
		{ "CS not present", PROTECTED, cs_not_present },
		{ "CS limit with the granularity's low bits clear", PROTECTED,
		  cs_limit },
		{ "CS is a system segment", PROTECTED, cs_system },
		{ "SS is a code segment", PROTECTED, ss_code },
		{ "DS base above 4 GiB", PROTECTED, ds_high_base },
		{ "TR unusable", PROTECTED, tr_unusable },
		{ "TR is no TSS", PROTECTED, tr_not_tss },
		{ "TR selector in the LDT", PROTECTED, tr_local },
		{ "LDTR is no LDT", PROTECTED, ldt_not_ldt },
		{ "RIP above 4 GiB", PROTECTED, rip_high },
		{ "RFLAGS bit 15", PROTECTED, flag_reserved },
		{ "CR3 above the physical addresses", PROTECTED, cr3_high },
		{ "RFLAGS.VM in real mode", REAL, flag_vm },
		{ "CS.L with CS.D", LONG, cs_l_and_d },
		{ "FS base not canonical", LONG, fs_base },
		{ "GDT base not canonical", LONG, gdt_base },
		{ "IDT base not canonical", LONG, idt_base },
		{ "RFLAGS.VM in long mode", LONG, flag_vm },
	};
	struct kvm_sregs s;
	struct kvm_regs r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		switch (states[i].mode) {
		case REAL:
			guest16(&cpu, out_hlt);
			break;
		case PROTECTED:
			guest32(&cpu, out_hlt);
			break;
		case LONG:
			guest64(&cpu, out_hlt);
			break;
		}
		s = get_sregs(&cpu);
		r = get_regs(&cpu);
		states[i].change(&s, &r);
		set_sregs(&cpu, &s);
		set_regs(&cpu, &r);
		is(vcpu_run(&cpu), "FAIL_ENTRY 0x80000021", "%s",
		   states[i].name);
	}
	guest32(&cpu, out_hlt);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=5a",
	   "with a good state, the guest runs again");
}

static sigjmp_buf back;

static void fault(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

/* Whether the first byte at @p can be read. */
static bool readable(const char *p)
{
	bool there = false;

	signal(SIGBUS, fault);
	if (!sigsetjmp(back, 1)) {
		asm volatile("" : : "r"(*p));
		there = true;
	}
	signal(SIGBUS, SIG_DFL);
	return there;
}

/* What lies behind the mapping must not be given out. */
static void past_the_mapping(void)
{
	size_t size = cpu.run_size + PAGE_SIZE;
	char *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu.fd, 0);
	ok(p == MAP_FAILED || !readable(p + cpu.run_size),
	   "mmap: nothing behind the last page");
	if (p != MAP_FAILED)
		munmap(p, size);

	p = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, cpu.fd, 1ul << 40);
	ok(p == MAP_FAILED || !readable(p),
	   "mmap: nothing at an offset of 1 TiB");
	if (p != MAP_FAILED)
		munmap(p, PAGE_SIZE);
	is_hex(readable((char *)cpu.run), 1, "mmap: the run page is there");
}

static void bad_pages(void)
{
	struct kvm_regs r;

	/* The program may write anything into the run page at any time. */
	guest32(&cpu, out_hlt);
	memset(cpu.run, 0xff, sizeof(*cpu.run));
	cpu.run->immediate_exit = 0;
	is(vcpu_run(&cpu), "EINVAL", "KVM_RUN with a run page full of ones");
	memset(cpu.run, 0, sizeof(*cpu.run));
	cpu.run->kvm_valid_regs = 1ull << 31;
	is(vcpu_run(&cpu), "EINVAL", "KVM_RUN with unknown valid_regs");
	cpu.run->kvm_valid_regs = 0;
	cpu.run->kvm_dirty_regs = 1ull << 31;
	is(vcpu_run(&cpu), "EINVAL", "KVM_RUN with unknown dirty_regs");
	cpu.run->kvm_dirty_regs = 0;
	cpu.run->cr8 = 16;
	is(vcpu_run(&cpu), "EINVAL", "KVM_RUN with CR8 of 16");
	cpu.run->cr8 = 0;
	r = get_regs(&cpu);
	is_hex(r.rip, GUEST_CODE, "  none of which ran the guest");
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=5a",
	   "KVM_RUN with a clean run page");

	/* Last, for who does not look at these bits runs the guest. */
	guest32(&cpu, out_hlt);
	cpu.run->kvm_valid_regs = 1ull << 63;
	is(vcpu_run(&cpu), "EINVAL", "KVM_RUN with bit 63 of valid_regs");
	cpu.run->kvm_valid_regs = 0;
	guest32(&cpu, out_hlt);
	cpu.run->kvm_dirty_regs = 1ull << 63;
	is(vcpu_run(&cpu), "EINVAL", "KVM_RUN with bit 63 of dirty_regs");
	cpu.run->kvm_dirty_regs = 0;
}

static long keyctl(int op, long arg)
{
	return syscall(SYS_keyctl, op, arg, 0, 0, 0);
}

static int threads(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	if (!dir)
		bail("/proc/self/task: %s", strerror(errno));
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/*
 * Work that waits for a thread's return to user space is done although the
 * guest never comes back: a child gives its parent another session keyring
 * (keyctl(2), KEYCTL_SESSION_TO_PARENT), which the parent's thread itself has
 * to take. Then the old one has no user left, and is gone.
 */
static void work_for_the_parent(void)
{
	struct sigaction act = { .sa_handler = handler };
	int old, status, i, pid;

	if (threads() > 1) {
		skip("a newer KVM has a thread in this process: no keyring for the parent then",
		     "task work during KVM_RUN");
		return;
	}
	old = keyctl(KEYCTL_JOIN_SESSION_KEYRING, (long)"minivmm-old");
	if (old < 0)
		bail("keyctl: %s", strerror(errno));
	sigaction(SIGUSR1, &act, NULL);
	guest32(&cpu, counter);
	pid = fork();
	if (!pid) {
		/* Not before the parent is in its guest, which it shares not. */
		usleep(50000);
		if (keyctl(KEYCTL_JOIN_SESSION_KEYRING, (long)"minivmm-new") < 0 ||
		    keyctl(KEYCTL_SESSION_TO_PARENT, 0) < 0) {
			/* Without it the parent's guest would never end. */
			kill(getppid(), SIGUSR1);
			_exit(2);
		}
		for (i = 0; i < 200 && keyctl(KEYCTL_DESCRIBE, old) >= 0; i++)
			usleep(5000);
		kill(getppid(), SIGUSR1);
		_exit(i == 200);
	}
	is(vcpu_run(&cpu), "EINTR INTR",
	   "task work does not end KVM_RUN, a signal does");
	waitpid(pid, &status, 0);
	is_hex(status, 0, "  and the task work was done before");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	vm_open(&vm, argv[1], 1 << 20);
	vcpu_open(&cpu, &vm, 0);

	watchdog(60);
	immediate_exit();
	refused_states();
	past_the_mapping();
	bad_pages();
	in_a_child();
	/* From here on SIGALRM is the tests' own. */
	alarm(0);
	signals();
	signal_mask();
	work_for_the_parent();
	return done_testing();
}
