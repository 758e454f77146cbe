// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_SET_GUEST_DEBUG: single steps, software and hardware breakpoints,
 * injected #DB and #BP; and that the guest's own debugging, and the host's,
 * are not disturbed.
 */
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/syscall.h>
#include "tap.h"
#include "vm.h"

/* syslog(2) names them, no header does. */
#define SYSLOG_ACTION_CONSOLE_OFF	6
#define SYSLOG_ACTION_CONSOLE_ON	7

static struct vm vm;
static struct vcpu cpu;

GUEST32(breakpoint, "nop; int3; nop; hlt");
GUEST64(breakpoint64, "nop; int3; nop; hlt");
GUEST32(steps,
	"nop; out %al, $0x10; in $0x11, %al; cpuid; nop\n"
	"sti; nop; cli; mov %esi, %ss; nop; nop; pushf; pop %eax\n"
	"int $30; hlt; nop; hlt");
GUEST64(steps64, "nop; mov $0x1b, %ecx; rdmsr; wrmsr; mov %cr8, %rax; hlt");
GUEST16(steps16, "nop; cpuid; int $30; nop; hlt");
GUEST16(based, "nop; int3; hlt");
GUEST32(stores, "nop; mov %eax, 0xb000; nop; mov 0xb008, %ecx; nop; hlt");
GUEST32(own,
	"mov $0xb000, %eax; mov %eax, %dr0; mov $0x10401, %eax\n"
	"mov %eax, %dr7; mov %dr0, %ebx; mov %dr7, %ecx; nop\n"
	"mov %eax, 0xb000; nop; hlt");
GUEST32(nops, "nop; nop; nop; hlt");
GUEST32(bytes, "mov %al, 0xb003; nop; mov %al, 0xb004; nop; hlt");

static int debug(u32 control, const u64 dr[4], u64 dr7)
{
	struct kvm_guest_debug d = { .control = control };

	if (dr)
		memcpy(d.arch.debugreg, dr, 32);
	d.arch.debugreg[7] = dr7;
	return ioctl(cpu.fd, KVM_SET_GUEST_DEBUG, &d);
}

static void off(void)
{
	if (debug(0, NULL, 0))
		bail("KVM_SET_GUEST_DEBUG: %s", strerror(errno));
}

static void arguments(void)
{
	static const struct {
		const char *name;
		int cap;
	} caps[] = {
		{ "SET_GUEST_DEBUG", KVM_CAP_SET_GUEST_DEBUG },
		{ "SET_GUEST_DEBUG2", KVM_CAP_SET_GUEST_DEBUG2 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caps); i++)
		ok(ioctl(vm.sys, KVM_CHECK_EXTENSION, caps[i].cap) > 0,
		   "KVM_CAP_%s: %#x", caps[i].name,
		   ioctl(vm.sys, KVM_CHECK_EXTENSION, caps[i].cap));
	is(errno_text(ioctl(cpu.fd, KVM_SET_GUEST_DEBUG, NULL)), "EFAULT",
	   "KVM_SET_GUEST_DEBUG without a structure");
}

static void software(void)
{
	struct kvm_regs r;

	guest32(&cpu, breakpoint);
	is(vcpu_run(&cpu), "trap 3 at +2", "INT3 without a debugger");
	is(vcpu_run(&cpu), "HLT", "  then");

	guest32(&cpu, breakpoint);
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, NULL, 0);
	is(vcpu_run(&cpu), "DEBUG 3 at +1", "INT3 with one");
	is_hex(get_regs(&cpu).rip - GUEST_CODE, 1, "  RIP is at it");
	is(vcpu_run(&cpu), "DEBUG 3 at +1", "  as long as it is there");
	vm.mem[GUEST_CODE + 1] = 0x90;
	is(vcpu_run(&cpu), "HLT", "  and no longer");

	guest64(&cpu, breakpoint64);
	is(vcpu_run(&cpu), "DEBUG 3 at +1", "INT3 in long mode");
	is(errno_text(debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP |
			    KVM_GUESTDBG_INJECT_BP, NULL, 0)), "0",
	   "it was the guest's own: inject it");
	is(vcpu_run(&cpu), "trap 3 at +2", "  it arrives");
	is(vcpu_run(&cpu), "HLT", "  then");

	guest32(&cpu, breakpoint);
	debug(KVM_GUESTDBG_USE_SW_BP, NULL, 0);
	is(vcpu_run(&cpu), "trap 3 at +2", "without ENABLE nothing is on");

	guest32(&cpu, nops);
	r = get_regs(&cpu);
	r.rip += 1;
	set_regs(&cpu, &r);
	is(errno_text(debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_DB, NULL, 0)),
	   "0", "a #DB to inject");
	is(vcpu_run(&cpu), "trap 1 at +1", "  it arrives");
	off();
	is(vcpu_run(&cpu), "HLT", "  then");
}

/*
 * Run to the HLT, and begin again. In Bochs 2.7 the trap of an instruction that was
 * executed with TF and exited comes after the next VM entry, although the
 * instruction was not finished: it goes to this run. KVM has new tables, and so a
 * violation for each page, after every change of mode.
 */
static void touch_pages(void)
{
	struct kvm_regs regs = get_regs(&cpu);
	int i;

	for (i = 0; i < 8 && strcmp(vcpu_run(&cpu), "HLT"); i++)
		;
	set_regs(&cpu, &regs);
}

#define STEP(at) "DEBUG 1 at +" #at " dr6=0xffff4ff0"

/*
 * What single steps end with. A trap comes behind each instruction, with DR6.BS, but
 * SDM Vol. 3, "Single-Step Exception Condition" and "Masking Exceptions and
 * Interrupts When Switching Stacks":
 *
 * - MOV SS holds it back until the next instruction is done; STI does not;
 * - INT clears TF, so that its handler runs at full speed, and IRET sets TF for
 *   the instruction behind it.
 *
 * An instruction that user space completes has its step on the next KVM_RUN; HLT's
 * exit is a step of its own.
 */
struct step {
	const char *name, *want;
	bool anew;	/* the instruction before it exited: touch_pages() */
};

static const struct step protected_steps[] = {
	{ "NOP", STEP(1), false },
	{ "OUT", "OUT port=10 size=1 count=1 data=00", false },
	{ "  done", STEP(3), false },
	{ "IN", "IN port=11 size=1 count=1", true },
	{ "  done", STEP(5), false },
	{ "CPUID", STEP(7), true },
	{ "NOP", STEP(8), true },
	{ "STI", STEP(9), false },
	{ "NOP", STEP(10), false },
	{ "CLI", STEP(11), false },
	{ "MOV SS and NOP", STEP(14), false },
	{ "NOP", STEP(15), false },
	{ "PUSHF", STEP(16), false },
	{ "POP", STEP(17), false },
	{ "INT", "trap 30 at +19", false },
	{ "IRET and HLT", "HLT", false },
	{ "NOP", STEP(21), true },
	{ "HLT", "HLT", false },
};

static const struct step long_steps[] = {
	{ "NOP", STEP(1), false },
	{ "MOV", STEP(6), false },
	{ "RDMSR", STEP(8), false },
	{ "WRMSR", STEP(10), true },
	{ "MOV from CR8", STEP(14), true },
	{ "HLT", "HLT", true },
};

static const struct step real_steps[] = {
	{ "NOP", STEP(1), false },
	{ "CPUID", STEP(3), false },
	{ "INT", "trap 30 at +5", true },
	{ "IRET and NOP", STEP(6), false },
	{ "HLT", "HLT", false },
};

static void walk(const char *mode, const struct step *s, size_t n)
{
	struct kvm_debug_exit_arch *d = &cpu.run->debug.arch;
	struct kvm_regs r;

	touch_pages();
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, NULL, 0);
	for (; n; n--, s++) {
		if (s->anew) {
			off();
			touch_pages();
			debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, NULL, 0);
		}
		is(vcpu_run(&cpu), s->want, "%s: %s", mode, s->name);
		r = get_regs(&cpu);
		is_hex(r.rflags & FLAG_TF, 0, "  TF is not seen");
		if (cpu.run->exit_reason == KVM_EXIT_DEBUG)
			is_hex(r.rip, d->pc, "  RIP is where the debugger is told");
	}
	off();
}

static void single_steps(void)
{
	const u8 shadows[] = { KVM_X86_SHADOW_INT_MOV_SS, KVM_X86_SHADOW_INT_STI };
	struct kvm_sregs s;
	struct kvm_regs r;
	size_t i;

	guest32(&cpu, steps);
	r = get_regs(&cpu);
	r.rsi = SEL_DATA;
	set_regs(&cpu, &r);
	walk("protected mode", protected_steps, ARRAY_SIZE(protected_steps));
	guest64(&cpu, steps64);
	walk("long mode", long_steps, ARRAY_SIZE(long_steps));
	guest16(&cpu, steps16);
	walk("real mode", real_steps, ARRAY_SIZE(real_steps));

	/*
	 * SDM Vol. 3, "Checks on Guest Non-Register State": with TF and a shadow a
	 * single-step trap would have to be pending, which is not there.
	 */
	for (i = 0; i < ARRAY_SIZE(shadows); i++) {
		guest32(&cpu, nops);
		r = get_regs(&cpu);
		r.rflags |= FLAG_IF;
		set_regs(&cpu, &r);
		touch_pages();
		debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, NULL, 0);
		ioctl(cpu.fd, KVM_SET_VCPU_EVENTS, &(struct kvm_vcpu_events){
			.flags = KVM_VCPUEVENT_VALID_SHADOW,
			.interrupt.shadow = shadows[i] });
		is(vcpu_run(&cpu), STEP(1), "a step in shadow %d", shadows[i]);
		is(vcpu_run(&cpu), STEP(2), "  and behind it");
		off();
	}

	/* The debugger is told a linear address. */
	guest16(&cpu, based);
	s = get_sregs(&cpu);
	s.cs.selector = GUEST_CODE >> 4;
	s.cs.base = GUEST_CODE;
	set_sregs(&cpu, &s);
	r = get_regs(&cpu);
	r.rip = 0;
	set_regs(&cpu, &r);
	touch_pages();
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP, NULL, 0);
	is(vcpu_run(&cpu), STEP(1), "a code segment with a base");
	is_hex(get_regs(&cpu).rip, 1, "  RIP");
	is(vcpu_run(&cpu), "DEBUG 3 at +1", "  INT3");
	off();

	guest32(&cpu, nops);
	touch_pages();
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, NULL, 0);
	is(vcpu_run(&cpu), "DEBUG 1 at +1 dr6=0xffff4ff0", "a step over NOP");
	off();
	is(vcpu_run(&cpu), "HLT", "switched off, the guest runs on");
	is_hex(get_regs(&cpu).rflags & FLAG_TF, 0, "  without TF");
}

/*
 * SDM Vol. 3, "Debug Control Register (DR7)" (LEN0: 0, 1, 3, 2 are 1, 2, 4, 8 bytes)
 * and "Breakpoint Field Recognition"
 */
static const struct {
	const char *name;
	u64 dr7;
	const char *first, *then;
} lengths[] = {
	{ "1 byte", 0x10401, "HLT", NULL },
	{ "2 bytes", 0x50401, "HLT", NULL },
	{ "4 bytes", 0xd0401, "DEBUG 1 at +5 dr6=0xffff0ff1 dr7=0xd0401", "HLT" },
	{ "8 bytes", 0x90401, "DEBUG 1 at +5 dr6=0xffff0ff1 dr7=0x90401",
	  "DEBUG 1 at +11 dr6=0xffff0ff1 dr7=0x90401" },
};

static void hardware(void)
{
	const u64 dr[4] = { 0xb000, 0xb008 };
	const u64 code[4] = { 0, 0, GUEST_CODE + 6, 0 };
	struct kvm_regs r;
	size_t i;

	/*
	 * DR0: writes of 4 bytes; DR1: accesses of 4 bytes. A breakpoint of
	 * code at the next instruction would show in DR6, enabled or not.
	 */
	guest32(&cpu, stores);
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, dr, 0xfd0405);
	is(vcpu_run(&cpu), "DEBUG 1 at +6 dr6=0xffff0ff1 dr7=0xfd0405",
	   "a store to a watched address");
	is(vcpu_run(&cpu), "DEBUG 1 at +13 dr6=0xffff0ff2 dr7=0xfd0405",
	   "a load from another");
	is(vcpu_run(&cpu), "HLT", "  then");
	guest32(&cpu, stores);
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, code, 0x410);
	is(vcpu_run(&cpu), "DEBUG 1 at +6 dr6=0xffff0ff4 dr7=0x410",
	   "an instruction that is watched");
	is(vcpu_run(&cpu), "DEBUG 1 at +6 dr6=0xffff0ff4 dr7=0x410", "  again");
	off();
	is(vcpu_run(&cpu), "HLT", "  switched off");

	/* A store to the last of 4 bytes, and one behind: of 1, 2, 4 and 8 bytes */
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		guest32(&cpu, bytes);
		debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, dr, lengths[i].dr7);
		is(vcpu_run(&cpu), lengths[i].first, "%s are watched", lengths[i].name);
		if (lengths[i].then)
			is(vcpu_run(&cpu), lengths[i].then, "  then");
	}

	/* The guest has breakpoints of its own. */
	guest32(&cpu, own);
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, dr, 0x400);
	is(vcpu_run(&cpu), "HLT", "the guest's own do nothing meanwhile");
	r = get_regs(&cpu);
	is_hex(r.rbx, 0xb000, "  it reads its own DR0");
	is_hex(r.rcx, 0x10401, "  and its own DR7");
	off();
	guest32(&cpu, stores);
	is(vcpu_run(&cpu), "trap 1 at +6", "  and they are back afterwards");

	guest32(&cpu, own);
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, dr, 0x2400);
	is(vcpu_run(&cpu), "DEBUG 1 at +5 dr6=0xffff2ff0 dr7=0x2400",
	   "DR7.GD: an access to a debug register");
	off();
	/* Leave none behind. */
	guest32(&cpu, own);
	*(u32 *)(vm.mem + GUEST_CODE + 9) = 0x400;
	is(vcpu_run(&cpu), "HLT", "the guest switches its own off");
}

static void blocked_nmis(void)
{
	guest32(&cpu, nops);
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_BLOCKIRQ, NULL, 0);
	if (ioctl(cpu.fd, KVM_NMI))
		bail("KVM_NMI: %s", strerror(errno));
	is(vcpu_run(&cpu), "HLT", "KVM_GUESTDBG_BLOCKIRQ holds an NMI back");
	off();
	is(vcpu_run(&cpu), "trap 2 at +4", "  until it is off");
}

static unsigned long watched;

static u64 count(int fd)
{
	u64 n;

	return read(fd, &n, 8) == 8 ? n : ~0ull;
}

static void touch(void)
{
	*(volatile unsigned long *)&watched += 1;
}

/*
 * The host's breakpoints survive a guest that has some, whether it is entered
 * or not: an exception that cannot have an error code makes the VM entry fail.
 */
static void the_hosts_own(void)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(a),
		.bp_type = HW_BREAKPOINT_W, .bp_addr = (uintptr_t)&watched,
		.bp_len = HW_BREAKPOINT_LEN_8, .exclude_kernel = 1,
	};
	const u64 dr[4] = { 0xb000 };
	int fd = syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
	const char *got;

	if (fd < 0)
		bail("perf_event_open: %s", strerror(errno));
	touch();
	is_hex(count(fd), 1, "a breakpoint of the host");
	guest32(&cpu, stores);
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, dr, 0xd0401);
	is(vcpu_run(&cpu), "DEBUG 1 at +6 dr6=0xffff0ff1 dr7=0xd0401",
	   "  a breakpoint of the guest");
	touch();
	is_hex(count(fd), 2, "  the host's works after it");
	/*
	 * What the module says of it goes to a slow console, and a thread that
	 * is scheduled meanwhile gets its breakpoints anew.
	 */
	klogctl(SYSLOG_ACTION_CONSOLE_OFF, NULL, 0);
	ioctl(cpu.fd, KVM_SET_VCPU_EVENTS, &(struct kvm_vcpu_events){
		.exception = { .injected = 1, .nr = 6, .has_error_code = 1 } });
	got = vcpu_run(&cpu);
	touch();
	is(got, "FAIL_ENTRY 0x7", "  #UD with an error code");
	is_hex(count(fd), 3, "  the host's works after that, too");
	klogctl(SYSLOG_ACTION_CONSOLE_ON, NULL, 0);
	ioctl(cpu.fd, KVM_SET_VCPU_EVENTS, &(struct kvm_vcpu_events){ });
	off();
	/* KVM leaves it in the VMCS, and the next VM entry fails as well. */
	got = vcpu_run(&cpu);
	ok(!strcmp(got, "HLT") || !strcmp(got, "FAIL_ENTRY 0x7"),
	   "  with the exception taken back: %s", got);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(60);
	vm_open(&vm, argv[1], 1 << 20);
	vcpu_open(&cpu, &vm, 0);
	arguments();
	software();
	single_steps();
	hardware();
	blocked_nmis();
	the_hosts_own();
	return done_testing();
}
