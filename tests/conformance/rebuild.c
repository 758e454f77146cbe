// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM_GET_* saves, KVM_SET_* restores: at a moment at which one piece of a
 * vCPU's state matters, the VM is taken apart and rebuilt from what the calls say of
 * it, and the guest goes on. Each piece has a guest here that would notice its loss,
 * for at a random moment few guests would.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

#define MSRS_MAX	256
#define SIZE		0x200000

/* KVM_GET_MSR_INDEX_LIST leaves the MTRRs out; QEMU saves them all the same. */
static const u32 mtrrs[] = { 0x200, 0x201, 0x250, 0x2ff };

static const char *device;
static struct vm vms[2];
static struct vcpu cpu;

static struct {
	struct kvm_regs regs;
	struct kvm_sregs2 sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	struct { struct kvm_msr_list head; u32 indices[MSRS_MAX]; } list;
	struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 entries[256]; } cpuid;
	u64 msrs[MSRS_MAX];
	bool has[MSRS_MAX];
	long tsc_khz;
} saved;

static long call(int fd, unsigned long request, void *arg, const char *what)
{
	long ret = ioctl(fd, request, arg);

	if (ret < 0)
		bail("%s: %s", what, errno_name(errno));
	return ret;
}

#define CALL(fd, request, arg)	call(fd, request, (void *)(uintptr_t)(arg), #request)

static void save(void)
{
	u32 i;

	CALL(cpu.fd, KVM_GET_MP_STATE, &saved.mp_state);
	CALL(cpu.fd, KVM_GET_REGS, &saved.regs);
	CALL(cpu.fd, KVM_GET_XSAVE, &saved.xsave);
	CALL(cpu.fd, KVM_GET_XCRS, &saved.xcrs);
	CALL(cpu.fd, KVM_GET_SREGS2, &saved.sregs);
	CALL(cpu.fd, KVM_GET_VCPU_EVENTS, &saved.events);
	CALL(cpu.fd, KVM_GET_DEBUGREGS, &saved.debugregs);
	saved.tsc_khz = CALL(cpu.fd, KVM_GET_TSC_KHZ, 0);
	saved.cpuid.head.nent = ARRAY_SIZE(saved.cpuid.entries);
	CALL(cpu.fd, KVM_GET_CPUID2, &saved.cpuid);
	saved.list.head.nmsrs = MSRS_MAX - ARRAY_SIZE(mtrrs);
	CALL(cpu.vm->sys, KVM_GET_MSR_INDEX_LIST, &saved.list);
	memcpy(saved.list.indices + saved.list.head.nmsrs, mtrrs, sizeof(mtrrs));
	saved.list.head.nmsrs += ARRAY_SIZE(mtrrs);
	for (i = 0; i < saved.list.head.nmsrs; i++) {
		struct { struct kvm_msrs head; struct kvm_msr_entry entry; } one = {
			.head.nmsrs = 1, .entry.index = saved.list.indices[i],
		};

		/* The list is of the system: this vCPU may lack the feature. */
		saved.has[i] = ioctl(cpu.fd, KVM_GET_MSRS, &one) == 1;
		saved.msrs[i] = one.entry.data;
	}
}

/* In QEMU's order */
static void restore(void)
{
	u32 i;

	CALL(cpu.fd, KVM_SET_CPUID2, &saved.cpuid);
	CALL(cpu.fd, KVM_SET_TSC_KHZ, saved.tsc_khz);
	CALL(cpu.fd, KVM_SET_SREGS2, &saved.sregs);
	CALL(cpu.fd, KVM_SET_REGS, &saved.regs);
	CALL(cpu.fd, KVM_SET_XSAVE, &saved.xsave);
	if (saved.xcrs.nr_xcrs)
		CALL(cpu.fd, KVM_SET_XCRS, &saved.xcrs);
	for (i = 0; i < saved.list.head.nmsrs; i++)
		/* KVM's own are not taken back without a controller. */
		if (saved.has[i] && try_msr(&cpu, saved.list.indices[i], saved.msrs[i]) != 1 &&
		    saved.msrs[i])
			bail("MSR 0x%x does not take back 0x%llx", saved.list.indices[i],
			     saved.msrs[i]);
	CALL(cpu.fd, KVM_SET_VCPU_EVENTS, &saved.events);
	CALL(cpu.fd, KVM_SET_MP_STATE, &saved.mp_state);
	CALL(cpu.fd, KVM_SET_DEBUGREGS, &saved.debugregs);
}

static void rebuild(void)
{
	struct vm *old = cpu.vm, *new = old == vms ? vms + 1 : vms;
	u64 cr8 = cpu.run->cr8;

	save();
	vm_open(new, device, SIZE);
	memcpy(new->mem, old->mem, SIZE);
	vcpu_close(&cpu);
	vm_close(old);
	vcpu_open(&cpu, new, 0);
	cpu.run->cr8 = cr8;
	restore();
}

/* What an exit left to be done is done first: api.rst, KVM_RUN, immediate_exit. */
static void complete_and_rebuild(void)
{
	cpu.run->immediate_exit = 1;
	ok(vcpu_run_raw(&cpu) == -EINTR, "  the access is completed");
	cpu.run->immediate_exit = 0;
	rebuild();
}

static void at_out(const char *name)
{
	const char *result = vcpu_run(&cpu);

	ok(!strncmp(result, "OUT port=10", 11), "%s: the guest wrote its registers", name);
	complete_and_rebuild();
}

GUEST64(msr_guest, "wrmsr; out %al, $0x10; rdmsr; hlt");

static void msrs(void)
{
	static const struct { u32 index; u64 value; } list[] = {
		{ 0x174, 0x1008 }, { 0x175, 0xffff800000001234 }, { 0x176, 0x12345678 },
		{ 0x277, 0x0007040600070401 },
		{ 0x200, 0x80000006 }, { 0x201, 0x80000800 }, { 0x250, 0x0606060606060606 },
		{ 0x2ff, 0xc06 },
		{ 0xc0000080, EFER_LME | EFER_LMA | EFER_SCE | EFER_NX },
		{ 0xc0000081, 0x0023001000000000 }, { 0xc0000082, 0xffff800012345678 },
		{ 0xc0000083, 0x87654321 }, { 0xc0000084, 0x47700 },
		{ 0xc0000100, 0x123456789a }, { 0xc0000101, 0x23456789ab },
		{ 0xc0000102, 0xffffa00000001000 },
	};
	struct kvm_regs regs;
	char name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		u64 value = list[i].value;

		guest64(&cpu, msr_guest);
		regs = get_regs(&cpu);
		regs.rcx = list[i].index;
		regs.rax = (u32)value;
		regs.rdx = value >> 32;
		set_regs(&cpu, &regs);
		snprintf(name, sizeof(name), "MSR 0x%x", list[i].index);
		at_out(name);
		is(vcpu_run(&cpu), "HLT", "  it reads it");
		regs = get_regs(&cpu);
		is_hex(regs.rdx << 32 | regs.rax, value, "  the same");
	}
}

GUEST64(debug_guest,
	"mov %rax, %dr0; mov %rbx, %dr1; mov %rcx, %dr2; mov %rdx, %dr3\n"
	"mov %rsi, %dr6; mov %rdi, %dr7; out %al, $0x10\n"
	"mov %dr0, %r8; mov %dr1, %r9; mov %dr2, %r10; mov %dr3, %r11\n"
	"mov %dr6, %r12; mov %dr7, %r13; hlt");

static void debug_registers(void)
{
	struct kvm_regs regs;

	guest64(&cpu, debug_guest);
	regs = get_regs(&cpu);
	regs.rax = 0x1111;
	regs.rbx = 0x2222;
	regs.rcx = 0x3333;
	regs.rdx = 0x4444;
	regs.rsi = 0xffff4ff5;
	regs.rdi = 0xffff0400;
	set_regs(&cpu, &regs);
	at_out("debug registers");
	is(vcpu_run(&cpu), "HLT", "  it reads them");
	regs = get_regs(&cpu);
	is_hex(regs.r8, 0x1111, "  DR0");
	is_hex(regs.r9, 0x2222, "  DR1");
	is_hex(regs.r10, 0x3333, "  DR2");
	is_hex(regs.r11, 0x4444, "  DR3");
	is_hex(regs.r12, 0xffff4ff5, "  DR6");
	is_hex(regs.r13, 0xffff0400, "  DR7");
}

GUEST64(cr_guest,
	"mov %rax, %cr8; mov %rbx, %cr2; out %al, $0x10\n"
	"mov %cr8, %r8; mov %cr2, %r9; hlt");

static void control_registers(void)
{
	struct kvm_regs regs;

	guest64(&cpu, cr_guest);
	regs = get_regs(&cpu);
	regs.rax = 9;
	regs.rbx = 0x123456789;
	set_regs(&cpu, &regs);
	at_out("control registers");
	is(vcpu_run(&cpu), "HLT", "  it reads them");
	regs = get_regs(&cpu);
	is_hex(regs.r8, 9, "  CR8");
	is_hex(regs.r9, 0x123456789, "  CR2");
}

GUEST64(fpu_guest,
	"fninit; fldpi; fld1; movq %rax, %xmm0; movq %rbx, %xmm15\n"
	"movl $0x1f00, 0xb000; ldmxcsr 0xb000; out %al, $0x10\n"
	"movq %xmm0, %r8; movq %xmm15, %r9; stmxcsr 0xb008\n"
	"fistpl 0xb010; fistpl 0xb014; hlt");
GUEST64(avx_guest,
	"mov $7, %eax; xor %ecx, %ecx; xor %edx, %edx; xsetbv\n"
	"movq %rbx, %xmm0; vinsertf128 $1, %xmm0, %ymm1, %ymm1; out %al, $0x10\n"
	"xor %ecx, %ecx; xgetbv; vextractf128 $1, %ymm1, %xmm2; movq %xmm2, %r8; hlt");

static void fpu(void)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_xcrs xcrs = { };
	struct kvm_cpuid2 *table;
	bool avx = false;
	u32 i;

	guest64(&cpu, fpu_guest);
	sregs = get_sregs(&cpu);
	sregs.cr0 = (sregs.cr0 | CR0_MP) & ~(u64)(CR0_EM | CR0_TS);
	sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	set_sregs(&cpu, &sregs);
	regs = get_regs(&cpu);
	regs.rax = 0x1122334455667788;
	regs.rbx = 0x99aabbccddeeff00;
	set_regs(&cpu, &regs);
	at_out("x87 and SSE");
	is(vcpu_run(&cpu), "HLT", "  it reads them");
	regs = get_regs(&cpu);
	is_hex(regs.r8, 0x1122334455667788, "  XMM0");
	is_hex(regs.r9, 0x99aabbccddeeff00, "  XMM15");
	is_hex(*(u32 *)(cpu.vm->mem + 0xb008), 0x1f00, "  MXCSR");
	is_hex(*(u64 *)(cpu.vm->mem + 0xb010), 0x300000001, "  ST(0) and ST(1)");

	table = supported_cpuid(cpu.vm);
	for (i = 0; i < table->nent; i++)
		if (table->entries[i].function == 1)
			avx = table->entries[i].ecx >> 28 & 1;
	CALL(cpu.fd, KVM_GET_XCRS, &xcrs);
	if (!avx || !xcrs.nr_xcrs) {
		skip("this machine's Linux uses no AVX", "AVX and XCR0");
		return;
	}
	guest64(&cpu, avx_guest);
	sregs.cr4 |= CR4_OSXSAVE;
	set_sregs(&cpu, &sregs);
	regs = get_regs(&cpu);
	regs.rbx = 0x99aabbccddeeff00;
	set_regs(&cpu, &regs);
	at_out("AVX and XCR0");
	is(vcpu_run(&cpu), "HLT", "  it reads them");
	regs = get_regs(&cpu);
	is_hex(regs.rax, 7, "  XCR0");
	is_hex(regs.r8, 0x99aabbccddeeff00, "  the upper half of YMM1");
}

GUEST64(nops, "nop; nop; nop; hlt");

static void allow_interrupts(void)
{
	struct kvm_regs regs = get_regs(&cpu);

	regs.rflags |= FLAG_IF;
	set_regs(&cpu, &regs);
}

static void events(void)
{
	struct kvm_interrupt irq = { .irq = 30 };
	struct kvm_vcpu_events ev = { };

	guest64(&cpu, nops);
	CALL(cpu.fd, KVM_GET_VCPU_EVENTS, &ev);
	ev.exception.injected = 1;
	ev.exception.nr = 13;
	ev.exception.has_error_code = 1;
	ev.exception.error_code = 0x18;
	CALL(cpu.fd, KVM_SET_VCPU_EVENTS, &ev);
	rebuild();
	is(vcpu_run(&cpu), "trap 13 error=0x18 at +0", "an exception that waits");

	guest64(&cpu, nops);
	allow_interrupts();
	CALL(cpu.fd, KVM_INTERRUPT, &irq);
	rebuild();
	is(vcpu_run(&cpu), "trap 30 at +0", "an interrupt that waits");

	guest64(&cpu, nops);
	CALL(cpu.fd, KVM_NMI, 0);
	rebuild();
	is(vcpu_run(&cpu), "trap 2 at +0", "an NMI that waits");
	complete_and_rebuild();
	CALL(cpu.fd, KVM_NMI, 0);
	is(vcpu_run(&cpu), "trap 2 at +0", "  the next waits for the handler's end");
	is(vcpu_run(&cpu), "HLT", "  and is the last");
}

static void sti_shadow(void)
{
	struct kvm_vcpu_events ev = { };

	guest64(&cpu, nops);
	allow_interrupts();
	CALL(cpu.fd, KVM_GET_VCPU_EVENTS, &ev);
	ev.flags = KVM_VCPUEVENT_VALID_SHADOW;
	ev.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	CALL(cpu.fd, KVM_SET_VCPU_EVENTS, &ev);
	rebuild();
	cpu.run->request_interrupt_window = 1;
	vcpu_run_raw(&cpu);
	cpu.run->request_interrupt_window = 0;
	is_hex(cpu.run->exit_reason, KVM_EXIT_IRQ_WINDOW_OPEN,
	       "in STI's shadow: the window opens");
	is_hex(get_regs(&cpu).rip, GUEST_CODE + 1, "  one instruction later");
}

GUEST64(ins_guest, "cld; mov $0xb000, %edi; mov $5, %ecx; mov $0x20, %dx; rep insb; hlt");

static void string(void)
{
	guest64(&cpu, ins_guest);
	is(vcpu_run(&cpu), "IN port=20 size=1 count=5", "REP INSB");
	memcpy(io_data(&cpu), "hello", 5);
	complete_and_rebuild();
	is(vcpu_run(&cpu), "HLT", "  it goes on");
	ok(!memcmp(cpu.vm->mem + 0xb000, "hello", 5), "  with what the device gave");
}

int main(int argc, char **argv)
{
	device = argc > 1 ? argv[1] : "/dev/kvm";
	watchdog(60);
	vm_open(vms, device, SIZE);
	vcpu_open(&cpu, vms, 0);
	msrs();
	debug_registers();
	control_registers();
	fpu();
	events();
	sti_shadow();
	string();
	return done_testing();
}
