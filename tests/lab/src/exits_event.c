// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions and interrupts: through the guest's own tables, injected,
 * injected again after an exit in mid-delivery, single steps over
 * instructions that exit, and deliveries that never end.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include "tap.h"
#include "vm.h"

#define MEMORY	(4 << 20)
#define FAR	0x200000	/* pages that no test touches by chance */

static struct vm vm;
static struct vcpu cpu;

GUEST32(divide, "xor %ecx, %ecx; div %ecx; hlt");
GUEST32(icebp, ".byte 0xf1; hlt");
GUEST32(int3, "int3; hlt");
GUEST32(overflow, "mov $0x7fffffff, %eax; add $1, %eax; into; hlt");
GUEST32(ud2, "ud2; hlt");
GUEST32(device, "mov %cr0, %eax; or $8, %eax; mov %eax, %cr0; fld1; hlt");
GUEST32(int30, "int $30; hlt");
GUEST32(bad_selector, "mov $0x1000, %eax; mov %eax, %ds; hlt");
GUEST32(bad_stack, "mov $0x1000, %eax; mov %eax, %ss; hlt");
GUEST32(bad_msr, "mov $0x12345678, %ecx; rdmsr; hlt");
GUEST32(fpu_error,
	"fninit; push $0x300; fldcw (%esp); fld1; fldz; fdivrp; fwait; hlt");
GUEST64(page_read, "mov 0x40000000, %eax; hlt");
GUEST64(page_write, "mov %eax, 0x40000000; hlt");
GUEST64(canonical, "movabs 0x8000000000000000, %al; hlt");
GUEST64(simd_error,
	"pushq $0; ldmxcsr (%rsp); pxor %xmm0, %xmm0; pcmpeqd %xmm1, %xmm1\n"
	"psrld $25, %xmm1; pslld $23, %xmm1; divss %xmm0, %xmm1; hlt");
GUEST64(int30_64, "int $30; hlt");
GUEST64(ud2_64, "ud2; hlt");
GUEST64(bad_msr64, "mov $0x12345678, %ecx; rdmsr; hlt");
GUEST16(int30_16, "int $30; hlt");
GUEST16(ud2_16, "ud2; hlt");
GUEST16(bad_msr16, "mov $0x12345678, %ecx; rdmsr; hlt");
/* The second byte is behind the limit of DS. */
GUEST16(limit16, "mov %ax, 0xffff; hlt");

struct code {
	const char *start, *end;
};

#define CODE(name) { name, name##_end }

struct event {
	const char *name;
	struct code code;
	int bits;
	const char *want;
};

static const struct event events[] = {
	{ "#DE", CODE(divide), 32, "trap 0 at +2" },
	{ "INT1", CODE(icebp), 32, "trap 1 at +1" },
	{ "INT3", CODE(int3), 32, "trap 3 at +1" },
	{ "INTO", CODE(overflow), 32, "trap 4 at +9" },
	{ "#UD", CODE(ud2), 32, "trap 6 at +0" },
	{ "#NM", CODE(device), 32, "trap 7 at +9" },
	{ "INT 30", CODE(int30), 32, "trap 30 at +2" },
	{ "#GP of a selector", CODE(bad_selector), 32,
	  "trap 13 error=0x1000 at +5" },
	{ "#GP of a stack selector", CODE(bad_stack), 32,
	  "trap 13 error=0x1000 at +5" },
	{ "#GP of an MSR", CODE(bad_msr), 32, "trap 13 error=0 at +5" },
	{ "#MF", CODE(fpu_error), 32, "trap 16 at +16" },
	{ "#PF of a read", CODE(page_read), 64, "trap 14 error=0 at +0" },
	{ "#PF of a write", CODE(page_write), 64, "trap 14 error=0x2 at +0" },
	{ "#GP of an address", CODE(canonical), 64, "trap 13 error=0 at +0" },
	{ "#XM", CODE(simd_error), 64, "trap 19 at +24" },
	{ "INT 30 in long mode", CODE(int30_64), 64, "trap 30 at +2" },
	{ "#UD in long mode", CODE(ud2_64), 64, "trap 6 at +0" },
	{ "#GP of an MSR in long mode", CODE(bad_msr64), 64,
	  "trap 13 error=0 at +5" },
	{ "INT 30 in real mode", CODE(int30_16), 16, "trap 30 at +2" },
	{ "#UD in real mode", CODE(ud2_16), 16, "trap 6 at +0" },
	{ "#GP of an MSR in real mode", CODE(bad_msr16), 16,
	  "trap 13 at +6" },
	{ "#GP of a limit in real mode", CODE(limit16), 16, "trap 13 at +0" },
};

static void load_guest(struct code code, int bits)
{
	if (bits == 16)
		guest_real(&cpu, code.start, code.end);
	else if (bits == 32)
		guest_protected(&cpu, code.start, code.end);
	else
		guest_long(&cpu, code.start, code.end);
}

/* Gives the page back to the host: the next access is an EPT violation. */
static void forget(u32 gpa)
{
	u8 content[PAGE_SIZE];

	memcpy(content, vm.mem + gpa, PAGE_SIZE);
	if (madvise(vm.mem + gpa, PAGE_SIZE, MADV_DONTNEED))
		bail("madvise: %s", strerror(errno));
	memcpy(vm.mem + gpa, content, PAGE_SIZE);
}

/* Stack, IDT and GDT (the IVT and the stack in real mode) out of reach. */
static void out_of_reach(int bits)
{
	struct kvm_sregs s = get_sregs(&cpu);
	struct kvm_regs r = get_regs(&cpu);

	if (bits == 16) {
		r.rsp = 0xf000;
		set_regs(&cpu, &r);
		forget(0);
		forget(0xe000);
		return;
	}
	memcpy(vm.mem + FAR, vm.mem + GUEST_IDT, PAGE_SIZE);
	memcpy(vm.mem + FAR + 0x10000, vm.mem + GUEST_GDT, PAGE_SIZE);
	s.idt.base = FAR;
	s.gdt.base = FAR + 0x10000;
	set_sregs(&cpu, &s);
	r.rsp = FAR + 0x31000;
	set_regs(&cpu, &r);
	forget(FAR);
	forget(FAR + 0x10000);
	forget(FAR + 0x30000);
}

static void exceptions(void)
{
	struct kvm_sregs s;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		load_guest(events[i].code, events[i].bits);
		is(vcpu_run(&cpu), events[i].want, "%s", events[i].name);
		s = get_sregs(&cpu);
		if (strstr(events[i].want, "trap 14"))
			is_hex(s.cr2, 0x40000000, "  CR2");
	}
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		load_guest(events[i].code, events[i].bits);
		out_of_reach(events[i].bits);
		is(vcpu_run(&cpu), events[i].want,
		   "%s, with EPT violations in its delivery", events[i].name);
	}
}

GUEST32(user_ud2, "ud2; hlt");
GUEST32(user_align, "mov 0xb001, %eax; hlt");

static void from_ring_3(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest32(&cpu, user_ud2);
	guest_user(&cpu);
	forget(GUEST_TSS);
	out_of_reach(32);
	/* The stack comes from the TSS. */
	is(vcpu_run(&cpu), "trap 6 at +0", "#UD in ring 3, TSS out of reach");
	r = get_regs(&cpu);
	is_hex(r.rsp, GUEST_STACK - 20, "  its stack is that of ring 0");

	guest32(&cpu, user_align);
	guest_user(&cpu);
	s = get_sregs(&cpu);
	s.cr0 |= CR0_AM;
	set_sregs(&cpu, &s);
	r = get_regs(&cpu);
	r.rflags |= FLAG_AC;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), "trap 17 error=0 at +0", "#AC in ring 3");
}

GUEST32(nops, "nop; nop; hlt");
GUEST64(nops64, "nop; nop; hlt");
GUEST16(nops16, "nop; nop; hlt");

/* KVM_SET_SREGS's interrupt_bitmap holds an interrupt to be injected. */
static void interrupts(void)
{
	static const struct {
		const char *name;
		struct code code;
		int bits;
	} modes[] = {
		{ "real mode", CODE(nops16), 16 },
		{ "protected mode", CODE(nops), 32 },
		{ "long mode", CODE(nops64), 64 },
	};
	struct kvm_sregs s;
	struct kvm_regs r;
	size_t i;
	int far;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		for (far = 0; far < 2; far++) {
			load_guest(modes[i].code, modes[i].bits);
			if (far)
				out_of_reach(modes[i].bits);
			r = get_regs(&cpu);
			r.rflags |= FLAG_IF;
			set_regs(&cpu, &r);
			s = get_sregs(&cpu);
			s.interrupt_bitmap[0] = 1u << 30;
			set_sregs(&cpu, &s);
			s = get_sregs(&cpu);
			is_hex(s.interrupt_bitmap[0], 1u << 30,
			       "an interrupt in the bitmap is read back");
			is(vcpu_run(&cpu), "trap 30 at +0",
			   "an interrupt in %s%s", modes[i].name, far ?
			   ", with EPT violations in its delivery" : "");
			s = get_sregs(&cpu);
			is_hex(s.interrupt_bitmap[0], 0,
			       "  is gone from the bitmap");
			is_hex(get_regs(&cpu).rflags & FLAG_IF, 0,
			       "  and IF is off in its handler");
			is(vcpu_run(&cpu), "HLT", "  then");
		}
	}
}

/* A fault that meets a fault. */
static void double_faults(void)
{
	static const struct {
		const char *name;
		struct code code;
		int bits;
	} guests[] = {
		{ "real mode", CODE(ud2_16), 16 },
		{ "protected mode", CODE(ud2), 32 },
		{ "long mode", CODE(ud2_64), 64 },
		{ "long mode, from an injected #GP", CODE(bad_msr64), 64 },
	};
	struct kvm_sregs s;
	const char *got;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(guests); i++) {
		load_guest(guests[i].code, guests[i].bits);
		s = get_sregs(&cpu);
		s.idt.limit = 0;
		set_sregs(&cpu, &s);
		is(vcpu_run(&cpu), "SHUTDOWN", "triple fault in %s",
		   guests[i].name);
	}
	guest32(&cpu, nops);
	is(vcpu_run(&cpu), "HLT", "with a new state the vCPU runs again");

	guest32(&cpu, bad_msr);
	memset(vm.mem + GUEST_IDT + 13 * 8, 0, 8);
	is(vcpu_run(&cpu), "trap 8 error=0 at +5",
	   "an injected #GP without a gate: #DF");

	guest32(&cpu, int3);
	set_regs(&cpu, &(struct kvm_regs){
		.rip = GUEST_CODE, .rsp = 0x80000000, .rflags = 2 });
	got = vcpu_run(&cpu);
	ok(!strncmp(got, "INTERNAL_ERROR", 14),
	   "INT3 on a stack where no memory is: an internal error");
	diag("  %s", got);
}

GUEST32(step_cpuid, "nop; cpuid; nop; hlt");
GUEST32(step_out, "out %al, $0x10; nop; nop; hlt");
GUEST32(step_in, "in $0x11, %al; nop; nop; hlt");
GUEST32(step_ss, "mov %edx, %ss; nop; nop; hlt");
GUEST32(step_ss_cpuid, "mov %edx, %ss; cpuid; nop; hlt");
GUEST32(step_ss_page, "mov %edx, %ss; mov 0x200000, %eax; nop; hlt");
GUEST32(step_sti, "sti; cpuid; nop; hlt");
GUEST32(step_wrmsr, "mov $0x174, %ecx; wrmsr; nop; hlt");
GUEST32(step_cr0, "mov %ebx, %cr0; nop; hlt");

static void step(struct code code)
{
	struct kvm_regs r;

	guest_protected(&cpu, code.start, code.end);
	forget(FAR);
	r = get_regs(&cpu);
	r.rflags |= FLAG_TF;
	r.rdx = SEL_DATA;
	r.rbx = CR0_PE | CR0_ET | CR0_NE | CR0_WP;
	set_regs(&cpu, &r);
}

/*
 * With TF set, #DB follows each instruction, emulated or not. No guest here
 * gets as far as its HLT, and no access is left half done: that would leave a
 * #DB behind for the next guest.
 */
static void single_steps(void)
{
	static const struct {
		const char *name;
		struct code code;
		const char *want[4];
	} steps[] = {
		{ "CPUID", CODE(step_cpuid),
		  { "trap 1 at +1", "trap 1 at +3", "trap 1 at +4" } },
		{ "OUT", CODE(step_out),
		  { "OUT port=10 size=1 count=1 data=00", "trap 1 at +2",
		    "trap 1 at +3" } },
		{ "IN", CODE(step_in),
		  { "IN port=11 size=1 count=1", "trap 1 at +2",
		    "trap 1 at +3" } },
		{ "WRMSR", CODE(step_wrmsr),
		  { "trap 1 at +5", "trap 1 at +7", "trap 1 at +8" } },
		{ "MOV to CR0", CODE(step_cr0),
		  { "trap 1 at +3", "trap 1 at +4" } },
		{ "STI and CPUID", CODE(step_sti),
		  { "trap 1 at +1", "trap 1 at +3", "trap 1 at +4" } },
		/* MOV to SS holds the trap back for one instruction. */
		{ "MOV to SS", CODE(step_ss),
		  { "trap 1 at +3", "trap 1 at +4" } },
		{ "MOV to SS and CPUID", CODE(step_ss_cpuid),
		  { "trap 1 at +4", "trap 1 at +5" } },
		{ "MOV to SS and an EPT violation", CODE(step_ss_page),
		  { "trap 1 at +7", "trap 1 at +8" } },
	};
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		step(steps[i].code);
		for (k = 0; k < 4 && steps[i].want[k]; k++)
			is(vcpu_run(&cpu), steps[i].want[k],
			   "single step over %s", steps[i].name);
	}
}

GUEST32(ss_fault, "mov $0x12345678, %ecx; mov %edx, %ss; rdmsr; hlt");
GUEST32(sti_fault, "mov $0x12345678, %ecx; sti; rdmsr; hlt");
GUEST32(sti_page, "sti; mov 0x200000, %eax; hlt");
GUEST32(sti_io, "sti; mov 0x200000, %eax; nop; hlt");
GUEST32(sti_hlt, "sti; hlt; out %al, $0x10; hlt");

/* Blocking by MOV SS and STI must not outlive the next instruction. */
static void shadows(void)
{
	step((struct code)CODE(ss_fault));
	set_regs(&cpu, &(struct kvm_regs){ .rip = GUEST_CODE, .rflags = 2,
		 .rsp = GUEST_STACK, .rdx = SEL_DATA });
	is(vcpu_run(&cpu), "trap 13 error=0 at +7", "#GP in MOV SS's shadow");
	guest32(&cpu, sti_fault);
	is(vcpu_run(&cpu), "trap 13 error=0 at +6", "#GP in STI's shadow");
	guest32(&cpu, sti_page);
	forget(FAR);
	is(vcpu_run(&cpu), "HLT", "EPT violation in STI's shadow");
	guest32(&cpu, sti_hlt);
	is(vcpu_run(&cpu), "HLT", "HLT in STI's shadow");
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00",
	   "  the instruction behind it");
}

/*
 * The program ends an instruction in STI's shadow: with RFLAGS that do not go
 * with the shadow, no VM entry would succeed. With IF clear KVM leaves it at that.
 */
static void shadow_left(int id, u64 flag, const char *want, const char *name)
{
	struct vcpu c;
	struct kvm_regs r;

	vcpu_open(&c, &vm, id);
	guest32(&c, sti_io);
	forget(FAR);
	if (mprotect(vm.mem + FAR, PAGE_SIZE, PROT_NONE))
		bail("mprotect: %s", strerror(errno));
	is(vcpu_run(&c), "EFAULT", "no memory in STI's shadow");
	if (mprotect(vm.mem + FAR, PAGE_SIZE, PROT_READ | PROT_WRITE))
		bail("mprotect: %s", strerror(errno));
	r = get_regs(&c);
	r.rip = GUEST_CODE + 6;
	r.rflags ^= flag;
	set_regs(&c, &r);
	if (flag == FLAG_IF && !strcmp(vm.device, "/dev/kvm"))
		want = "FAIL_ENTRY 0x80000021";
	is(vcpu_run(&c), want, "then with %s", name);
	vcpu_close(&c);
}

static void handler(int sig)
{
	(void)sig;
}

static const char *run_for(struct vcpu *c, int ms)
{
	struct itimerval when = { .it_value.tv_usec = ms * 1000 };
	struct sigaction act = { .sa_handler = handler };

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &when, NULL);
	return vcpu_run(c);
}

GUEST32(ac_storm, "mov (%esp), %eax; hlt");
GUEST64(db_storm,
	"mov $0x9ff8, %rax; mov %rax, %dr0; mov $0x90402, %rax\n"
	"mov %rax, %dr7; .byte 0xf1; hlt");

/*
 * CVE-2015-5307 and CVE-2015-8104: an exception whose delivery raises the
 * same exception, for ever. Without an exit no interrupt gets through, and
 * the host's CPU is gone. It must come back, with a signal or an error.
 */
static void ac_storm_test(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;
	struct vcpu c;
	const char *got;
	u64 gate;

	/* #AC's handler is in ring 3 too, so it has the unaligned stack. */
	vcpu_open(&c, &vm, 1);
	guest32(&c, ac_storm);
	guest_user(&c);
	gate = 0x0000ee0000000000 | (u64)SEL_USER_CODE32 << 16 | GUEST_TRAPS;
	memcpy(vm.mem + GUEST_IDT + 17 * 8, &gate, 8);
	s = get_sregs(&c);
	s.cr0 |= CR0_AM;
	set_sregs(&c, &s);
	r = get_regs(&c);
	r.rflags |= FLAG_AC | FLAG_IF;
	r.rsp += 1;
	set_regs(&c, &r);
	got = run_for(&c, 20);
	ok(!strcmp(got, "EINTR INTR") || !strcmp(got, "INTERNAL_ERROR 2"),
	   "endless #AC comes back");
	diag("  %s", got);
	is_hex(get_regs(&c).rip, GUEST_CODE, "  at the same instruction");
	vcpu_close(&c);
}

static void db_storm_test(void)
{
	struct kvm_regs r;
	struct vcpu c;
	u64 sp = GUEST_STACK;

	/*
	 * #DB's stack is always the same (IST 1), and its top is watched for
	 * writes: the frame's first word raises the next #DB.
	 */
	vcpu_open(&c, &vm, 2);
	guest64(&c, db_storm);
	vm.mem[GUEST_IDT + 16 + 4] = 1;
	memcpy(vm.mem + GUEST_TSS + 0x24, &sp, 8);
	/* Were its handler ever to run, it would say so. */
	r = get_regs(&c);
	r.rsp -= 0x1000;
	r.rflags |= FLAG_IF;
	set_regs(&c, &r);
	is(run_for(&c, 20), "EINTR INTR", "endless #DB");
	vcpu_close(&c);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(60);
	vm_open(&vm, argv[1], MEMORY);
	vcpu_open(&cpu, &vm, 0);

	exceptions();
	from_ring_3();
	interrupts();
	double_faults();
	single_steps();
	shadows();
	shadow_left(8, FLAG_IF, "HLT", "IF clear");
	shadow_left(9, FLAG_TF, "trap 1 at +7", "TF set");
	/* From here on SIGALRM is the tests' own. */
	alarm(0);
	ac_storm_test();
	db_storm_test();
	return done_testing();
}
