// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts and NMIs from user space, without an interrupt controller in the
 * kernel: KVM_INTERRUPT, the interrupt window, KVM_NMI, KVM_GET_VCPU_EVENTS
 * and KVM_SET_VCPU_EVENTS.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "tap.h"
#include "vm.h"
#include "worker.h"

#define MEMORY	(4 << 20)
#define FAR	0x200000	/* a page that no test touches by chance */

static struct vm vm;
static struct vcpu cpu;
static bool is_kvm;

GUEST16(nops16, "nop; nop; hlt");
GUEST32(nops32, "nop; nop; hlt");
GUEST64(nops64, "nop; nop; hlt");
GUEST32(window, "out %al, $0x10; cpuid; sti; nop; nop; cli; hlt");
GUEST32(shadow_sti, "sti; nop; nop; hlt");
GUEST32(shadow_ss, "mov %edx, %ss; nop; nop; hlt");
GUEST32(hlt_again, "sti; hlt; nop; hlt");
GUEST32(divide, "xor %ecx, %ecx; div %ecx; hlt");
GUEST32(int3_sti, "int3; sti; nop; nop; hlt");
GUEST32(in_out, "in $0x11, %al; out %al, $0x10; hlt");

static int interrupt(unsigned int vector)
{
	return ioctl(cpu.fd, KVM_INTERRUPT, &(struct kvm_interrupt){ vector });
}

static void nmi(void)
{
	if (ioctl(cpu.fd, KVM_NMI))
		bail("KVM_NMI: %s", strerror(errno));
}

static void flags(u64 set)
{
	struct kvm_regs r = get_regs(&cpu);

	r.rflags |= set;
	set_regs(&cpu, &r);
}

static void set_rdx(u64 value)
{
	struct kvm_regs r = get_regs(&cpu);

	r.rdx = value;
	set_regs(&cpu, &r);
}

static void move_rip(int by)
{
	struct kvm_regs r = get_regs(&cpu);

	r.rip += by;
	set_regs(&cpu, &r);
}

/* What kvm_run tells about interrupts after each KVM_RUN. */
static void told(int if_flag, int ready, const char *when)
{
	is_hex(cpu.run->if_flag, if_flag, "  if_flag %s", when);
	is_hex(cpu.run->ready_for_interrupt_injection, ready, "  ready %s", when);
}

static void arguments(void)
{
	guest32(&cpu, nops32);
	is(errno_text(ioctl(cpu.fd, KVM_INTERRUPT, NULL)), "EFAULT",
	   "KVM_INTERRUPT without a structure");
	is(errno_text(interrupt(256)), "EINVAL", "KVM_INTERRUPT 256");
	is(errno_text(interrupt(~0u)), "EINVAL", "KVM_INTERRUPT -1");
	is(errno_text(ioctl(cpu.fd, KVM_GET_VCPU_EVENTS, NULL)), "EFAULT",
	   "KVM_GET_VCPU_EVENTS without a structure");
	is(errno_text(ioctl(cpu.fd, KVM_SET_VCPU_EVENTS, NULL)), "EFAULT",
	   "KVM_SET_VCPU_EVENTS without a structure");
	is(vcpu_run(&cpu), "HLT", "nothing of this reached the guest");
}

static void interrupts(void)
{
	guest16(&cpu, nops16);
	flags(FLAG_IF);
	interrupt(30);
	is(vcpu_run(&cpu), "trap 30 at +0", "KVM_INTERRUPT in real mode");
	told(0, 0, "in the handler");
	is(vcpu_run(&cpu), "HLT", "  then");
	told(1, 1, "at HLT");

	guest32(&cpu, nops32);
	flags(FLAG_IF);
	interrupt(29);
	interrupt(30);
	is_hex(get_sregs(&cpu).interrupt_bitmap[0], 1u << 30,
	       "of two interrupts the second waits");
	is(vcpu_run(&cpu), "trap 30 at +0", "KVM_INTERRUPT in protected mode");
	is_hex(get_sregs(&cpu).interrupt_bitmap[0], 0, "  waits no more");
	is(vcpu_run(&cpu), "HLT", "  then");

	guest64(&cpu, nops64);
	flags(FLAG_IF);
	interrupt(30);
	is(vcpu_run(&cpu), "trap 30 at +0", "KVM_INTERRUPT in long mode");
	is(vcpu_run(&cpu), "HLT", "  then");

	guest32(&cpu, hlt_again);
	is(vcpu_run(&cpu), "HLT", "HLT with interrupts on");
	told(1, 1, "at HLT");
	interrupt(30);
	is(vcpu_run(&cpu), "trap 30 at +2", "an interrupt ends it");
	is(vcpu_run(&cpu), "HLT", "  and the guest goes on");

	/* An exception that waits goes first. */
	guest32(&cpu, in_out);
	is(vcpu_run(&cpu), "IN port=11 size=1 count=1", "IN");
	told(0, 0, "with IF clear");
	flags(FLAG_IF);
	cpu.run->immediate_exit = 1;
	is(vcpu_run(&cpu), "EINTR", "immediate_exit completes it");
	told(1, 1, "with IF set");
	interrupt(30);
	is(vcpu_run(&cpu), "EINTR", "with an interrupt that waits");
	told(1, 0, "with an interrupt that waits");
	cpu.run->immediate_exit = 0;
	is(vcpu_run(&cpu), "trap 30 at +2", "  it is delivered");
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00", "  then");
}

/* In STI's shadow, at the guest's first instruction */
static void in_shadow(void)
{
	guest32(&cpu, shadow_sti);
	flags(FLAG_IF);
	ioctl(cpu.fd, KVM_SET_VCPU_EVENTS, &(struct kvm_vcpu_events){
		.flags = KVM_VCPUEVENT_VALID_SHADOW,
		.interrupt.shadow = KVM_X86_SHADOW_INT_STI });
}

static void windows(void)
{
	guest32(&cpu, window);
	cpu.run->request_interrupt_window = 1;
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00",
	   "a window asked for while IF is clear");
	told(0, 0, "before STI");
	is(vcpu_run(&cpu), "IRQ_WINDOW_OPEN", "it opens");
	told(1, 1, "in the window");
	/* CPUID's VM exit opens none; STI holds interrupts back for one instruction. */
	is_hex(get_regs(&cpu).rip - GUEST_CODE, 6, "  behind STI's shadow");
	interrupt(30);
	is(vcpu_run(&cpu), "trap 30 at +6", "the interrupt goes in there");
	told(0, 0, "in the handler");
	is(vcpu_run(&cpu), "IRQ_WINDOW_OPEN", "IRET opens the next");
	is_hex(get_regs(&cpu).rip - GUEST_CODE, 6, "  at the same place");
	cpu.run->request_interrupt_window = 0;
	is(vcpu_run(&cpu), "HLT", "without the request there is none");
	told(0, 0, "behind CLI");

	guest32(&cpu, nops32);
	flags(FLAG_IF);
	cpu.run->request_interrupt_window = 1;
	is(vcpu_run(&cpu), "IRQ_WINDOW_OPEN", "a window that is open");
	is_hex(get_regs(&cpu).rip, GUEST_CODE, "  no instruction ran");
	is(vcpu_run(&cpu), "IRQ_WINDOW_OPEN", "  again");
	interrupt(30);
	is(vcpu_run(&cpu), "trap 30 at +0", "  an interrupt for it");
	cpu.run->request_interrupt_window = 0;
	is(vcpu_run(&cpu), "HLT", "  then");

	guest32(&cpu, shadow_ss);
	flags(FLAG_IF);
	set_rdx(SEL_DATA);
	move_rip(2);
	cpu.run->request_interrupt_window = 1;
	ioctl(cpu.fd, KVM_SET_VCPU_EVENTS, &(struct kvm_vcpu_events){
		.flags = KVM_VCPUEVENT_VALID_SHADOW,
		.interrupt.shadow = KVM_X86_SHADOW_INT_MOV_SS });
	is(vcpu_run(&cpu), "IRQ_WINDOW_OPEN", "a window in MOV SS's shadow");
	is_hex(get_regs(&cpu).rip - GUEST_CODE, 3, "  opens behind it");
	cpu.run->request_interrupt_window = 0;

	in_shadow();
	cpu.run->immediate_exit = 1;
	is(vcpu_run(&cpu), "EINTR", "in STI's shadow");
	told(1, 0, "in the shadow");
	cpu.run->immediate_exit = 0;
	cpu.run->request_interrupt_window = 1;
	is(vcpu_run(&cpu), "IRQ_WINDOW_OPEN", "  a window");
	told(1, 1, "behind it");
	is_hex(get_regs(&cpu).rip - GUEST_CODE, 1, "  opens behind it");
	cpu.run->request_interrupt_window = 0;
}

/* VM exits for a window: the counter's name is not the same in KVM. */
static long long window_exits(const char *name, const char *in_kvm)
{
	return vcpu_stat(&cpu, is_kvm ? in_kvm : name);
}

#define INTERRUPT_WINDOWS window_exits("exit_interrupt_window", "irq_window_exits")
#define NMI_WINDOWS window_exits("exit_nmi_window", "nmi_window_exits")

/*
 * A processor may open the NMI window in STI's shadow, and refuse an NMI there:
 * SDM Vol. 3, "NMI-Window Exiting" and "Checks on Guest Non-Register State". None
 * of the lab's does, so that only the counters show which window was waited for.
 */
static void nmi_in_shadow(void)
{
	long long irq, nmis;

	in_shadow();
	nmi();
	irq = INTERRUPT_WINDOWS;
	nmis = NMI_WINDOWS;
	is(vcpu_run(&cpu), "trap 2 at +1", "an NMI behind STI's shadow");
	is_hex(INTERRUPT_WINDOWS - irq, 1, "  by the interrupt window");
	is_hex(NMI_WINDOWS - nmis, 0, "  not by the NMI window");
	is(vcpu_run(&cpu), "HLT", "  then");

	/* The other shadow, and that of an NMI: there it is the NMI window. */
	guest32(&cpu, shadow_ss);
	set_rdx(SEL_DATA);
	ioctl(cpu.fd, KVM_SET_VCPU_EVENTS, &(struct kvm_vcpu_events){
		.flags = KVM_VCPUEVENT_VALID_SHADOW,
		.interrupt.shadow = KVM_X86_SHADOW_INT_MOV_SS });
	move_rip(2);
	nmi();
	nmis = NMI_WINDOWS;
	is(vcpu_run(&cpu), "trap 2 at +3", "an NMI behind MOV SS's shadow, with IF clear");
	is_hex(NMI_WINDOWS - nmis, 1, "  by the NMI window");
	is(vcpu_run(&cpu), "HLT", "  then");
}

static void nmis(void)
{
	guest16(&cpu, nops16);
	nmi();
	is(vcpu_run(&cpu), "trap 2 at +0", "NMI in real mode");
	is(vcpu_run(&cpu), "HLT", "  then");
	guest64(&cpu, nops64);
	nmi();
	is(vcpu_run(&cpu), "trap 2 at +0", "NMI in long mode");
	is(vcpu_run(&cpu), "HLT", "  then");

	guest32(&cpu, nops32);
	nmi();
	nmi();
	nmi();
	is(vcpu_run(&cpu), "trap 2 at +0", "the first of three NMIs");
	is(vcpu_run(&cpu), "trap 2 at +0", "  the second after its IRET");
	is(vcpu_run(&cpu), "HLT", "  the third is lost");

	guest32(&cpu, nops32);
	nmi();
	is(vcpu_run(&cpu), "trap 2 at +0", "an NMI");
	nmi();
	nmi();
	is(vcpu_run(&cpu), "trap 2 at +0", "  one of two in its handler");
	is(vcpu_run(&cpu), "HLT", "  the other is lost");

	guest32(&cpu, nops32);
	flags(FLAG_IF);
	nmi();
	interrupt(30);
	/* The interrupt goes in, and the NMI before its handler's first byte. */
	is(vcpu_run(&cpu), "trap 2 at 0x71e0", "NMI and interrupt: the NMI's handler");
	is(vcpu_run(&cpu), "trap 30 at +0", "  the interrupt's");
	is(vcpu_run(&cpu), "HLT", "  then");

	nmi_in_shadow();

	/* A fault in the delivery: the stack's page comes from the host first. */
	guest32(&cpu, nops32);
	{
		struct kvm_regs r = get_regs(&cpu);

		r.rsp = FAR + 0x800;
		set_regs(&cpu, &r);
	}
	if (madvise(vm.mem + FAR, PAGE_SIZE, MADV_DONTNEED))
		bail("madvise: %s", strerror(errno));
	nmi();
	is(vcpu_run(&cpu), "trap 2 at +0", "an NMI with an EPT violation in its delivery");
	is(vcpu_run(&cpu), "HLT", "  then");
}

static struct kvm_vcpu_events get_events(void)
{
	struct kvm_vcpu_events e;

	memset(&e, 0xff, sizeof(e));
	if (ioctl(cpu.fd, KVM_GET_VCPU_EVENTS, &e))
		bail("KVM_GET_VCPU_EVENTS: %s", strerror(errno));
	return e;
}

static const char *set_events(const struct kvm_vcpu_events *e)
{
	return errno_text(ioctl(cpu.fd, KVM_SET_VCPU_EVENTS, e));
}

/* What KVM_GET_VCPU_EVENTS tells, but for what is 0; "none" if all is */
static void told_events(const char *want, const char *when)
{
	const u32 flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
			  KVM_VCPUEVENT_VALID_SMM;
	struct kvm_vcpu_events e = get_events();
	char text[160] = "";
	int n = 0;

#define SAY(...) (n += snprintf(text + n, sizeof(text) - n, __VA_ARGS__))
	if (e.exception.pending)
		SAY(" exception pending");
	if (e.exception.injected)
		SAY(" exception %d", e.exception.nr);
	if (e.exception.injected && e.exception.has_error_code)
		SAY(" error %#x", e.exception.error_code);
	if (e.interrupt.injected)
		SAY(" interrupt %d", e.interrupt.nr);
	if (e.interrupt.soft)
		SAY(" by software");
	if (e.interrupt.shadow)
		SAY(" shadow %d", e.interrupt.shadow);
	if (e.nmi.injected)
		SAY(" nmi injected");
	if (e.nmi.pending)
		SAY(" nmi pending");
	if (e.nmi.masked)
		SAY(" nmi masked");
	if (e.smi.smm || e.smi.pending || e.smi.latched_init)
		SAY(" smm");
	if (e.flags != flags)
		SAY(" flags %#x", e.flags);
#undef SAY
	is(n ? text + 1 : "none", want, "events %s", when);
}

static void events(void)
{
	static const struct {
		const char *name;
		struct kvm_vcpu_events e;
		const char *want;
	} refused[] = {
		{ "an unknown flag", { .flags = 0x80 }, "EINVAL" },
		{ "a payload nobody enabled", { .flags = KVM_VCPUEVENT_VALID_PAYLOAD },
		  "EINVAL" },
		{ "a triple fault nobody enabled",
		  { .flags = KVM_VCPUEVENT_VALID_TRIPLE_FAULT }, "EINVAL" },
		{ "exception 32", { .exception = { .injected = 1, .nr = 32 } },
		  "EINVAL" },
		{ "exception 2", { .exception = { .injected = 1, .nr = 2 } },
		  "EINVAL" },
		{ "exception 32 that is not injected",
		  { .exception = { .nr = 32 } }, "0" },
	};
	struct kvm_vcpu_events e;
	struct kvm_regs r;
	size_t i;

	guest32(&cpu, nops32);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		is(set_events(&refused[i].e), refused[i].want,
		   "KVM_SET_VCPU_EVENTS: %s", refused[i].name);
	told_events("none", "of a guest with none");

	flags(FLAG_IF);
	interrupt(30);
	told_events("interrupt 30", "with an interrupt");
	e = get_events();
	memset(&e.interrupt, 0, sizeof(e.interrupt));
	set_events(&e);
	is(vcpu_run(&cpu), "HLT", "taken back, it does not come");

	guest32(&cpu, nops32);
	flags(FLAG_IF);
	e = get_events();
	e.interrupt.injected = 1;
	e.interrupt.nr = 30;
	set_events(&e);
	is(vcpu_run(&cpu), "trap 30 at +0", "set, it comes");

	guest32(&cpu, nops32);
	nmi();
	told_events("nmi pending", "with an NMI");
	is(vcpu_run(&cpu), "trap 2 at +0", "  the NMI");
	told_events("nmi masked", "in its handler");
	nmi();
	told_events("nmi pending nmi masked", "in its handler, with another");
	e = get_events();
	e.nmi.masked = 0;
	set_events(&e);
	/* The handler's OUT has two bytes. */
	is(vcpu_run(&cpu), "trap 2 at 0x7022",
	   "unmasked by user space, the other comes at once");

	guest32(&cpu, nops32);
	set_events(&(struct kvm_vcpu_events){
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING,
		.nmi = { .pending = 1, .masked = 1 } });
	is(vcpu_run(&cpu), "HLT", "an NMI that is masked");
	told_events("nmi pending nmi masked", "with a masked NMI");
	set_events(&(struct kvm_vcpu_events){ });
	is(vcpu_run(&cpu), "trap 2 at +3", "  and unmasked");

	/* As if an exception's delivery had begun: no flag of it changes. */
	guest32(&cpu, nops32);
	set_events(&(struct kvm_vcpu_events){
		.exception = { .injected = 1, .nr = 13, .has_error_code = 1,
			       .error_code = 0x18 } });
	told_events("exception 13 error 0x18", "with a #GP");
	r = get_regs(&cpu);
	set_regs(&cpu, &r);
	told_events("exception 13 error 0x18", "with a #GP and set registers");
	is(vcpu_run(&cpu), "trap 13 error=0x18 at +0", "  is delivered");
	guest32(&cpu, nops32);
	set_events(&(struct kvm_vcpu_events){
		.exception = { .injected = 1, .nr = 6 } });
	is(vcpu_run(&cpu), "trap 6 at +0", "a #UD set by user space");
	guest16(&cpu, nops16);
	set_events(&(struct kvm_vcpu_events){
		.exception = { .injected = 1, .nr = 13, .has_error_code = 1,
			       .error_code = 0x18 } });
	is(vcpu_run(&cpu), "trap 13 at +0", "a #GP with error code in real mode");
	guest64(&cpu, nops64);
	set_events(&(struct kvm_vcpu_events){
		.exception = { .injected = 1, .nr = 14, .has_error_code = 1,
			       .error_code = 6 } });
	is(vcpu_run(&cpu), "trap 14 error=0x6 at +0", "a #PF set by user space");

	guest32(&cpu, shadow_sti);
	set_events(&(struct kvm_vcpu_events){
		.flags = KVM_VCPUEVENT_VALID_SHADOW, .interrupt.shadow = 3 });
	/* A processor never has both: MOV SS's, which holds back more */
	told_events("shadow 1", "with both shadows set");
	flags(FLAG_IF);
	set_events(&(struct kvm_vcpu_events){
		.flags = KVM_VCPUEVENT_VALID_SHADOW,
		.interrupt.shadow = KVM_X86_SHADOW_INT_STI });
	told_events("shadow 2", "with STI's shadow");
	set_events(&(struct kvm_vcpu_events){
		.flags = KVM_VCPUEVENT_VALID_SHADOW });
	told_events("none", "with the shadow gone");
}

/*
 * An interrupt that user space did not ask a window for. KVM injects it
 * whatever RFLAGS.IF is, and the VM entry fails; minivmm lets it wait, and no
 * exception on the way takes its place.
 */
static void no_window(void)
{
	const char *want = is_kvm ? "FAIL_ENTRY 0x80000021" : "trap 3 at +1";

	guest32(&cpu, int3_sti);
	{
		struct kvm_regs r = get_regs(&cpu);

		r.rsp = FAR + 0x800;
		set_regs(&cpu, &r);
	}
	if (madvise(vm.mem + FAR, PAGE_SIZE, MADV_DONTNEED))
		bail("madvise: %s", strerror(errno));
	interrupt(30);
	is(vcpu_run(&cpu), want, "an interrupt while IF is clear");
	if (is_kvm) {
		set_events(&(struct kvm_vcpu_events){ });
		return;
	}
	is(vcpu_run(&cpu), "trap 30 at +3", "  waits for STI");
	is(vcpu_run(&cpu), "HLT", "  then");
}

/* SDM Vol. 3, "Checks on Guest Non-Register State": nor in a shadow */
static void no_window_in_shadow(void)
{
	in_shadow();
	interrupt(30);
	is(vcpu_run(&cpu), is_kvm ? "FAIL_ENTRY 0x80000021" : "trap 30 at +1",
	   "an interrupt in STI's shadow");
	set_events(&(struct kvm_vcpu_events){ .flags = KVM_VCPUEVENT_VALID_SHADOW });
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(60);
	is_kvm = !strcmp(argv[1], "/dev/kvm");
	vm_open(&vm, argv[1], MEMORY);
	vcpu_open(&cpu, &vm, 0);
	arguments();
	interrupts();
	windows();
	nmis();
	events();
	no_window();
	no_window_in_shadow();
	return done_testing();
}
