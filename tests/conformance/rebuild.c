// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM_GET_* saves, KVM_SET_* restores: at a moment at which one piece of a
 * vCPU's state matters, the VM is taken apart and rebuilt (lab/rebuild/rebuild.c), and
 * the guest goes on. Each piece has a guest here that would notice its loss, for at a
 * random moment few guests would.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include "rebuild.h"
#include "tap.h"
#include "vm.h"

static struct vm vm;
static struct vcpu cpu;

static void call(unsigned long request, void *arg)
{
	if (ioctl(cpu.fd, request, arg) < 0)
		bail("ioctl 0x%lx: %s", request, errno_name(errno));
}

/* What an exit left to be done is done first: api.rst, KVM_RUN, immediate_exit. */
static void complete_and_rebuild(void)
{
	cpu.run->immediate_exit = 1;
	ok(vcpu_run_raw(&cpu) == -EINTR, "  the access is completed");
	cpu.run->immediate_exit = 0;
	rebuild_vm();
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
	is_hex(*(u32 *)(vm.mem + 0xb008), 0x1f00, "  MXCSR");
	is_hex(*(u64 *)(vm.mem + 0xb010), 0x300000001, "  ST(0) and ST(1)");

	table = supported_cpuid(&vm);
	for (i = 0; i < table->nent; i++)
		if (table->entries[i].function == 1)
			avx = table->entries[i].ecx >> 28 & 1;
	call(KVM_GET_XCRS, &xcrs);
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
	call(KVM_GET_VCPU_EVENTS, &ev);
	ev.exception.injected = 1;
	ev.exception.nr = 13;
	ev.exception.has_error_code = 1;
	ev.exception.error_code = 0x18;
	call(KVM_SET_VCPU_EVENTS, &ev);
	rebuild_vm();
	is(vcpu_run(&cpu), "trap 13 error=0x18 at +0", "an exception that waits");

	guest64(&cpu, nops);
	allow_interrupts();
	call(KVM_INTERRUPT, &irq);
	rebuild_vm();
	is(vcpu_run(&cpu), "trap 30 at +0", "an interrupt that waits");

	guest64(&cpu, nops);
	call(KVM_NMI, NULL);
	rebuild_vm();
	is(vcpu_run(&cpu), "trap 2 at +0", "an NMI that waits");
	complete_and_rebuild();
	call(KVM_NMI, NULL);
	is(vcpu_run(&cpu), "trap 2 at +0", "  the next waits for the handler's end");
	is(vcpu_run(&cpu), "HLT", "  and is the last");
}

static void sti_shadow(void)
{
	struct kvm_vcpu_events ev = { };

	guest64(&cpu, nops);
	allow_interrupts();
	call(KVM_GET_VCPU_EVENTS, &ev);
	ev.flags = KVM_VCPUEVENT_VALID_SHADOW;
	ev.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	call(KVM_SET_VCPU_EVENTS, &ev);
	rebuild_vm();
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
	ok(!memcmp(vm.mem + 0xb000, "hello", 5), "  with what the device gave");
}

int main(int argc, char **argv)
{
	watchdog(60);
	vm_open(&vm, argc > 1 ? argv[1] : "/dev/kvm", 2 << 20);
	vcpu_open(&cpu, &vm, 0);
	msrs();
	debug_registers();
	control_registers();
	fpu();
	events();
	sti_shadow();
	string();
	return done_testing();
}
