// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_CREATE_IRQCHIP and the local APIC: when it can be called, what HLT and
 * KVM_RUN do then, and what the APIC's registers do. What vCPUs do to each other:
 * ipi.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include "apic.h"
#include "tap.h"
#include "worker.h"

static const char *device;

#define gate(c, v, name, label)	guest_gate(c, v, GUEST_CODE + ((label) - (name)), 0)

static void creating(void)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x40 };
	struct kvm_irq_routing none = {};
	u32 state[0x400 / 4];
	struct vm other;
	struct vcpu c;

	vm_open(&other, device, 2 << 20);
	vcpu_open(&c, &other, 0);
	is(errno_text(ioctl(other.fd, KVM_CREATE_IRQCHIP, 0)), "EINVAL",
	   "KVM_CREATE_IRQCHIP with a vCPU");
	is_hex(mp_state(&c), KVM_MP_STATE_RUNNABLE, "  a vCPU without it is runnable");
	is(set_mp_state(&c, KVM_MP_STATE_HALTED), "EINVAL", "  and never HALTED");
	is(set_mp_state(&c, KVM_MP_STATE_INIT_RECEIVED), "EINVAL", "  nor INIT_RECEIVED");
	is(set_mp_state(&c, KVM_MP_STATE_SIPI_RECEIVED), "EINVAL", "  nor SIPI_RECEIVED");
	is(set_mp_state(&c, KVM_MP_STATE_UNINITIALIZED), "EINVAL", "  nor UNINITIALIZED");
	is(on_cpu(&c, KVM_GET_LAPIC, state), "EINVAL", "  KVM_GET_LAPIC");
	is(on_cpu(&c, KVM_SET_LAPIC, state), "EINVAL", "  KVM_SET_LAPIC");
	is(on_cpu(&c, KVM_SET_VAPIC_ADDR, &none), "EINVAL", "  KVM_SET_VAPIC_ADDR");
	is(errno_text(ioctl(other.fd, KVM_SIGNAL_MSI, &msi)), "EINVAL", "  KVM_SIGNAL_MSI");
	is(errno_text(ioctl(other.fd, KVM_SET_GSI_ROUTING, &none)), "EINVAL",
	   "  KVM_SET_GSI_ROUTING");
	vcpu_close(&c);
	is(errno_text(ioctl(other.fd, KVM_CREATE_IRQCHIP, 0)), "EINVAL",
	   "  also when it is closed");
	vm_close(&other);

	vm_open(&vm, device, 2 << 20);
	is(on_vm(KVM_CREATE_IRQCHIP, 0), "0", "KVM_CREATE_IRQCHIP");
	is(on_vm(KVM_CREATE_IRQCHIP, 0), "EEXIST", "  once more");
	apic_vcpus();
	is(on_vm(KVM_CREATE_IRQCHIP, 0), "EEXIST", "  once more, with vCPUs");
	is_hex(cpu.sregs0.apic_base, 0xfee00900, "vCPU 0's IA32_APIC_BASE");
	is_hex(second.sregs0.apic_base, 0xfee00800, "vCPU 1's");
}

static void refused(void)
{
	struct kvm_interrupt irq = { .irq = 32 };
	struct kvm_vapic_addr vapic = { };

	is(on_cpu(&cpu, KVM_INTERRUPT, &irq), "ENXIO", "KVM_INTERRUPT");
	irq.irq = 256;
	is(on_cpu(&cpu, KVM_INTERRUPT, &irq), "EINVAL", "  of a vector that cannot be");
	is(on_cpu(&cpu, KVM_INTERRUPT, NULL), "EFAULT", "  of NULL");
	is(on_cpu(&cpu, KVM_SET_VAPIC_ADDR, &vapic), "0", "KVM_SET_VAPIC_ADDR of 0");
	vapic.vapic_addr = 1ull << 40;
	is(on_cpu(&cpu, KVM_SET_VAPIC_ADDR, &vapic), "EINVAL", "  of no memory");
	is(on_cpu(&cpu, KVM_SET_VAPIC_ADDR, NULL), "EFAULT", "  of NULL");
	is(on_cpu(&cpu, KVM_SET_MP_STATE, NULL), "EFAULT", "KVM_SET_MP_STATE of NULL");
	is(on_cpu(&cpu, KVM_GET_MP_STATE, NULL), "EFAULT", "KVM_GET_MP_STATE of NULL");
	is(set_mp_state(&cpu, 5), "EINVAL", "KVM_SET_MP_STATE of 5");
	is(set_mp_state(&cpu, ~0u), "EINVAL", "  of -1");
	is_hex(mp_state(&cpu), KVM_MP_STATE_RUNNABLE, "vCPU 0 is still runnable");
}

GUEST64(halt, "hlt; out %al, $0x10; hlt; hlt");

static void halting(void)
{
	struct kvm_regs regs;
	u64 ip;

	guest64(&cpu, halt);
	cpu.run->cr8 = 77;
	cpu.run->request_interrupt_window = 1;
	is(run_for(&cpu, 30), "EINTR INTR", "HLT sleeps until there is a signal");
	cpu.run->request_interrupt_window = 0;
	is_hex(cpu.run->cr8, 0, "  kvm_run's cr8 is written, not read");
	is_hex(cpu.run->ready_for_interrupt_injection, 1, "  ready for interrupts");
	is_hex(cpu.run->if_flag, 0, "  IF is 0");
	is_hex(mp_state(&cpu), KVM_MP_STATE_HALTED, "  the vCPU is HALTED");
	ip = get_regs(&cpu).rip;
	is_hex(ip, GUEST_CODE + 1, "  behind the instruction");
	is(run_for(&cpu, 30), "EINTR INTR", "  it goes on sleeping");
	cpu.run->immediate_exit = 1;
	is_hex(-vcpu_run_raw(&cpu), EINTR, "  immediate_exit");
	cpu.run->immediate_exit = 0;
	is_hex(get_regs(&cpu).rip, GUEST_CODE + 1, "  at the same place");
	regs = get_regs(&cpu);
	set_regs(&cpu, &regs);
	is_hex(mp_state(&cpu), KVM_MP_STATE_HALTED, "  KVM_SET_REGS does not wake it");
	is(set_mp_state(&cpu, KVM_MP_STATE_RUNNABLE), "0", "  KVM_SET_MP_STATE does");
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00", "  it goes on");
	is(set_mp_state(&cpu, KVM_MP_STATE_HALTED), "0", "HALTED before an instruction");
	is(run_for(&cpu, 30), "EINTR INTR", "  which is not executed");
	is(on_cpu(&cpu, KVM_NMI, NULL), "0", "KVM_NMI");
	is(vcpu_run(&cpu), "trap 2 at +3", "  wakes it");
	is(run_for(&cpu, 30), "EINTR INTR", "  its handler returns to HLT");
	is_hex(get_regs(&cpu).rip, GUEST_CODE + 4, "  the first of the two");
}

static void reset_values(void)
{
	u32 state[0x400 / 4];
	u32 reg, i;

	is(on_cpu(&cpu, KVM_GET_LAPIC, NULL), "EFAULT", "KVM_GET_LAPIC of NULL");
	is(on_cpu(&cpu, KVM_SET_LAPIC, NULL), "EFAULT", "KVM_SET_LAPIC of NULL");
	is(on_cpu(&second, KVM_GET_LAPIC, state), "0", "KVM_GET_LAPIC");
	for (reg = 0; reg < 0x400; reg += 16) {
		u32 want = 0;

		if (reg == 0x20)
			want = 1 << 24;
		else if (reg == 0x30)
			want = 0x50014;
		else if (reg == 0xe0)
			want = 0xffffffff;
		else if (reg == 0xf0)
			want = 0xff;
		else if (reg >= 0x320 && reg <= 0x370)
			want = 0x10000;
		is_hex(state[reg / 4], want, "fresh register %03x", reg);
		for (i = 1; i < 4; i++)
			if (state[reg / 4 + i])
				ok(false, "  which is all of its 16 bytes");
	}
	is_hex(lapic(&cpu, 0x20), 0, "vCPU 0's ID");
	is_hex(lapic(&cpu, 0x350), 0x700, "vCPU 0's LINT0 takes the PIC's interrupts");
}

GUEST32(in_order, APIC
	"movl $0x40031, 0x300(%esi)\n"
	"movl $0x40051, 0x300(%esi)\n"
	"movl $0x40052, 0x300(%esi)\n"
	"mov 0x210(%esi), %eax; out %eax, $0x10\n"
	"mov 0x220(%esi), %eax; out %eax, $0x11\n"
	"sti; nop\n"
	"out %al, $0x12\n"
	"cli; hlt");

static void interrupts(void)
{
	guest_apic(&cpu, in_order);
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=00000200", "IPIs to itself: IRR");
	is(vcpu_run(&cpu), "OUT port=11 size=4 count=1 data=00000600", "  the next 32");
	is_hex(lapic(&cpu, 0x210), 0x20000, "  as KVM_GET_LAPIC has it");
	is_hex(lapic(&cpu, 0x220), 0x60000, "  the next 32");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=52", "  after STI the highest");
	is_hex(lapic(&cpu, 0x120), 0x40000, "  is in service");
	is_hex(lapic(&cpu, 0x220), 0x20000, "  and waits no more");
	is_hex(lapic(&cpu, 0xa0), 0x50, "  the processor's priority is its class");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=51", "  then the next");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=31", "  then the last");
	is(vcpu_run(&cpu), "OUT port=12 size=1 count=1 data=31", "  then the program");
	is_hex(lapic(&cpu, 0x110) | lapic(&cpu, 0x120), 0, "  nothing is in service");
	is(run_for(&cpu, 30), "EINTR INTR", "  CLI, HLT");

	/* What is set is delivered. */
	guest_apic(&cpu, in_order);
	set_lapic(&cpu, 0x220, 0x40000);
	vcpu_run(&cpu);
	vcpu_run(&cpu);
	set_lapic(&cpu, 0x210, 0);
	set_lapic(&cpu, 0x220, 0x20000);
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=51", "KVM_SET_LAPIC: only 51 waits");
	is(vcpu_run(&cpu), "OUT port=12 size=1 count=1 data=51", "  then the program");
}

GUEST32(priority, APIC
	"movl $0x50, 0x80(%esi)\n"
	"movl $0x40051, 0x300(%esi)\n"
	"sti; nop\n"
	"mov 0xa0(%esi), %eax; out %al, $0x10\n"
	"movl $0x4f, 0x80(%esi)\n"
	"out %al, $0x11\n"
	"cli; hlt");

GUEST64(task_priority,
	"mov $6, %eax; mov %rax, %cr8\n"
	"mov %cr8, %rbx; mov %ebx, %eax; out %al, $0x10\n"
	"xor %eax, %eax; mov %rax, %cr8\n"
	"mov %cr8, %rbx; mov %ebx, %eax; out %al, $0x11\n"
	"mov $0x10, %eax; mov %rax, %cr8\n");

GUEST64(lowers,
	"sti; mov $6, %eax; mov %rax, %cr8; out %al, $0x10\n"
	"mov $1000, %ecx\n"
	"1: mov %rax, %cr8; mov %cr8, %rbx; dec %ecx; jnz 1b\n"
	"out %al, $0x11\n"
	"mov $5, %eax; mov %rax, %cr8; out %al, $0x12\n"
	"mov $4, %eax; mov %rax, %cr8; out %al, $0x13\n"
	"lowers_51: out %al, $0x25; iretq");
LABEL(lowers_51);

/* CR8 changes without VM exit, and yet an interrupt comes when it may. */
static void shadow(void)
{
	struct kvm_sregs s;
	long long exits;

	guest64(&cpu, lowers);
	s = get_sregs(&cpu);
	s.idt.limit = 0xfff;
	set_sregs(&cpu, &s);
	guest_gate(&cpu, 0x51, GUEST_CODE + lowers_51 - lowers, 0);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=06", "CR8 is 6");
	set_lapic(&cpu, 0xf0, 0x1ff);
	set_lapic(&cpu, 0x220, 0x20000);
	exits = vcpu_stat(&cpu, "exits");
	is(vcpu_run(&cpu), "OUT port=11 size=1 count=1 data=06", "  51 waits");
	exits = vcpu_stat(&cpu, "exits") - exits;
	diag("%lld VM exits", exits);
	ok(vm_parameter("flexpriority") == 'N' ? exits >= 2000 : exits < 200,
	   "  of 2000 accesses to CR8 none exits, unless minivmm was told so");
	is(vcpu_run(&cpu), "OUT port=12 size=1 count=1 data=05", "  with CR8 of 5, too");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=04", "  it comes with CR8 of 4");
	is_hex(lapic(&cpu, 0xa0), 0x50, "  PPR is its class");
	set_lapic(&cpu, 0x120, 0);
	is(vcpu_run(&cpu), "OUT port=13 size=1 count=1 data=04", "  then the program");
}

static void priorities(void)
{
	struct kvm_sregs s;

	guest_apic(&cpu, priority);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=50", "TPR keeps 51 from coming");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=51", "  until it is lower");
	is(vcpu_run(&cpu), "OUT port=11 size=1 count=1 data=51", "  then the program");

	guest64(&cpu, task_priority);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=06", "CR8");
	is_hex(lapic(&cpu, 0x80), 0x60, "  is TPR's");
	is_hex(cpu.run->cr8, 6, "  kvm_run's cr8");
	s = get_sregs(&cpu);
	is_hex(s.cr8, 6, "  KVM_GET_SREGS");
	set_lapic(&cpu, 0x80, 0x9f);
	s = get_sregs(&cpu);
	is_hex(s.cr8, 9, "  KVM_SET_LAPIC changes it");
	s.cr8 = 7;
	set_sregs(&cpu, &s);
	is_hex(lapic(&cpu, 0x80), 0x70, "  KVM_SET_SREGS too");
	s.cr8 = 16;
	set_sregs(&cpu, &s);
	is_hex(lapic(&cpu, 0x80), 0x70, "  but not to 16");
	is(vcpu_run(&cpu), "OUT port=11 size=1 count=1 data=00",
	   "a lower CR8 is nothing for user space");
	is(vcpu_run(&cpu), "trap 13 error=0 at +36", "  CR8 of 16");
}

GUEST32(one_shot, APIC
	"movl $0xb, 0x3e0(%esi)\n"
	"movl $0x31, 0x320(%esi)\n"
	"movl $3000000, 0x380(%esi)\n"
	"sti; hlt\n"
	"mov 0x390(%esi), %eax; out %eax, $0x10\n"
	"movl $0x20051, 0x320(%esi)\n"
	"movl $1000000, 0x380(%esi)\n"
	"1: hlt; jmp 1b\n");
GUEST32(masked, APIC
	"movl $0xb, 0x3e0(%esi)\n"
	"movl $0x10031, 0x320(%esi)\n"
	"movl $100000, 0x380(%esi)\n"
	"sti; hlt; out %al, $0x10\n");

/* On a slow machine a tick can be pending already when the timer stops. */
static const char *run_quiet(struct vcpu *c)
{
	const char *result = run_for(c, 30);

	return strncmp(result, "OUT", 3) ? result : run_for(c, 30);
}

static void timers(void)
{
	struct timespec t0, t1;
	u64 us;

	guest_apic(&cpu, one_shot);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=31", "the timer wakes HLT");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	us = (t1.tv_sec - t0.tv_sec) * 1000000 + (t1.tv_nsec - t0.tv_nsec) / 1000;
	diag("after %llu us", (unsigned long long)us);
	ok(us >= 3000, "  not before its time");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=00000000", "  it is at 0");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=51", "periodic: the first");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=51", "  the second");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=51", "  the third");
	ok(lapic(&cpu, 0x390) <= 1000000, "  KVM_GET_LAPIC: it counts down");
	is_hex(lapic(&cpu, 0x380), 1000000, "  from the initial count");
	set_lapic(&cpu, 0x320, 0x30051);
	is(run_quiet(&cpu), "EINTR INTR", "  masked: no more");
	set_lapic(&cpu, 0x320, 0x20051);
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=51", "  KVM_SET_LAPIC starts it");
	set_lapic(&cpu, 0x380, 0);
	is(run_quiet(&cpu), "EINTR INTR", "  KVM_SET_LAPIC stops it");

	guest_apic(&cpu, masked);
	is(run_for(&cpu, 30), "EINTR INTR", "a masked timer does not wake HLT");
	is_hex(mp_state(&cpu), KVM_MP_STATE_HALTED, "  which goes on");
}

GUEST32(odd_accesses, APIC
	"movb $0x77, 0x80(%esi)\n"
	"mov 0x80(%esi), %eax; out %eax, $0x10\n"
	"movl $0x12345678, 0x81(%esi)\n"
	"mov 0x80(%esi), %eax; out %eax, $0x10\n"
	"movl $0x42, 0x80(%esi)\n"
	"movb 0x80(%esi), %al; out %al, $0x10\n"
	"orl $0x10, 0x80(%esi)\n"
	"movzwl 0x80(%esi), %eax; out %eax, $0x10\n"
	"mov 0x30(%esi), %eax; out %eax, $0x10\n"
	"movl $0x55, 0x30(%esi)\n"
	"mov 0x30(%esi), %eax; out %eax, $0x10\n"
	"mov 0x1000(%esi), %eax\n"
	"hlt");

static void accesses(void)
{
	struct kvm_sregs s;

	guest_apic(&cpu, odd_accesses);
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=00000000", "a byte is not written");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=00000000", "nor what is not aligned");
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=42", "a byte is read");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=52000000", "OR to memory");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=14000500", "the version");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=14000500", "  is read-only");
	vcpu_run(&cpu);
	is_hex(cpu.run->exit_reason, KVM_EXIT_MMIO, "the next page is user space's");
	is_hex(cpu.run->mmio.phys_addr, 0xfee01000, "  its address");

	guest_apic(&cpu, odd_accesses);
	s = get_sregs(&cpu);
	s.apic_base = 0xfee00100;
	set_sregs(&cpu, &s);
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=ffffffff", "APIC off: all ones");
	s = get_sregs(&cpu);
	s.apic_base = 0xfed00900;
	set_sregs(&cpu, &s);
	vcpu_run(&cpu);
	is_hex(cpu.run->exit_reason, KVM_EXIT_MMIO, "moved: the old page is user space's");
	is_hex(cpu.run->mmio.phys_addr, 0xfee00081, "  its address");
}

/* ECX: an MSR below 900h: EAX, or a fault */
GUEST32(read_msr, "rdmsr; out %eax, $0x10; mov %edx, %eax; out %eax, $0x11; hlt");
GUEST32(write_msr, "wrmsr; out %al, $0x10; hlt");
GUEST32(x2apic,
	"mov $0x1b, %ecx; mov $0xfee00d00, %eax; xor %edx, %edx; wrmsr\n"
	"mov $0x80f, %ecx; mov $0x1ff, %eax; wrmsr\n"
	"mov $0x83f, %ecx; mov $0x31, %eax; wrmsr\n"
	"mov $0x830, %ecx; mov $0x51, %eax; wrmsr\n"
	"sti; nop\n"
	"out %al, $0x10\n"
	"cli; hlt\n"
	"x2_31: mov $0x31, %al; jmp 1f\n"
	"x2_51: mov $0x51, %al\n"
	"1: out %al, $0x25\n"
	"mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; iret\n");
LABEL(x2_31);
LABEL(x2_51);

/* A thousand times each: reads of the ID; task priority; IPIs to itself, and their EOIs */
GUEST32(x2apic_loops,
	"mov $0x1b, %ecx; mov $0xfee00d00, %eax; xor %edx, %edx; wrmsr\n"
	"mov $0x80f, %ecx; mov $0x1ff, %eax; wrmsr; out %al, $0x10\n"
	"mov $1000, %esi; mov $0x802, %ecx\n"
	"1: rdmsr; dec %esi; jnz 1b; out %al, $0x11\n"
	"mov $1000, %esi; mov $0x808, %ecx; mov $0x10, %eax\n"
	"1: wrmsr; dec %esi; jnz 1b; out %al, $0x12\n"
	"sti; mov $1000, %esi; xor %edi, %edi\n"
	"1: mov $0x83f, %ecx; mov $0x31, %eax; wrmsr; dec %esi; jnz 1b\n"
	"mov %edi, %eax; out %eax, $0x13; hlt\n"
	"loop_31: mov $0x80b, %ecx; xor %eax, %eax; wrmsr; inc %edi; iret\n");
LABEL(loop_31);

/* KVM_RUN to the next access to a port. Return: how many VM exits there were. */
static long long exits_until(const char *out)
{
	long long exits = vcpu_stat(&cpu, "exits");

	is(vcpu_run(&cpu), out, "  it runs");
	exits = vcpu_stat(&cpu, "exits") - exits;
	diag("%lld VM exits", exits);
	return exits;
}

/* What minivmm lets the processor do: none of the thousand exits. */
static bool as_told(long long exits, const char *name)
{
	char on = vm_parameter(name);

	return !on || (on == 'Y' ? exits < 200 : exits >= 1000);
}

static void x2apic_exits(void)
{
	guest_apic(&cpu, x2apic_loops);
	gate(&cpu, 0x31, x2apic_loops, loop_31);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=ff", "x2APIC mode");
	ok(as_told(exits_until("OUT port=11 size=1 count=1 data=00"), "flexpriority"),
	   "  reading the ID exits only if minivmm was told so");
	ok(as_told(exits_until("OUT port=12 size=1 count=1 data=10"), "flexpriority"),
	   "  so does writing TPR");
	ok(as_told(exits_until("OUT port=13 size=4 count=1 data=e8030000"), "enable_apicv"),
	   "  and a self-IPI and its EOI, and all arrive");
}

/* A self-IPI that cannot be delivered; then interrupts of a line, ended by the MSR */
GUEST32(x2apic_line,
	"mov $0x1b, %ecx; mov $0xfee00d00, %eax; xor %edx, %edx; wrmsr\n"
	"mov $0x80f, %ecx; mov $0x1ff, %eax; wrmsr\n"
	"mov $0x83f, %ecx; mov $5, %eax; wrmsr\n"
	"out %al, $0x10; sti; 1: hlt; jmp 1b\n"
	"line_31: out %al, $0x25; mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx\n"
	"wrmsr; iret\n");
LABEL(line_31);

static void x2apic_levels(void)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct kvm_irq_level line = { .irq = 9, .level = 1 };

	guest_apic(&cpu, x2apic_line);
	gate(&cpu, 0x31, x2apic_line, line_31);
	/* The PIC has that line, too. */
	set_lapic(&cpu, 0x350, 0x10700);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=05", "x2APIC mode, vector 5");
	is_hex(lapic(&cpu, 0x200), 0x20, "  waits in IRR");
	if (ioctl(vm.fd, KVM_GET_IRQCHIP, &chip))
		bail("KVM_GET_IRQCHIP: %s", errno_name(errno));
	chip.chip.ioapic.redirtbl[9].bits = 0x8031;
	is(on_vm(KVM_SET_IRQCHIP, (long)&chip), "0", "a level-triggered pin");
	is(on_vm(KVM_IRQ_LINE, (long)&line), "0", "  goes up");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=05", "  it interrupts");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=00", "  after its EOI again");
	line.level = 0;
	is(on_vm(KVM_IRQ_LINE, (long)&line), "0", "  goes down");
	is(run_quiet(&cpu), "EINTR INTR", "  no more");
	chip.chip.ioapic.redirtbl[9].bits = 0x10000;
	is(on_vm(KVM_SET_IRQCHIP, (long)&chip), "0", "  masked");
}

/* With IF = 0 for so long that the host's timer ticks meanwhile */
GUEST32(closed,
	"mov $0x1b, %ecx; mov $0xfee00d00, %eax; xor %edx, %edx; wrmsr\n"
	"mov $0x80f, %ecx; mov $0x1ff, %eax; wrmsr\n"
	"sti; nop; cli\n"
	"mov $0x83f, %ecx; mov $0x31, %eax; wrmsr\n"
	"mov $3000000, %ecx; 1: dec %ecx; jnz 1b\n"
	"out %al, $0x10; sti; nop; out %al, $0x11; hlt\n"
	"cl_31: mov $0x32, %al; out %al, $0x25\n"
	"mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; iret\n");
LABEL(cl_31);

static const char *msr_in(u64 base, u32 index)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest_apic(&cpu, read_msr);
	s = get_sregs(&cpu);
	s.apic_base = base;
	set_sregs(&cpu, &s);
	r = get_regs(&cpu);
	r.rcx = index;
	set_regs(&cpu, &r);
	return vcpu_run(&cpu);
}

static const char *msr_out(u64 base, u32 index, u64 value)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest_apic(&cpu, write_msr);
	s = get_sregs(&cpu);
	s.apic_base = base;
	set_sregs(&cpu, &s);
	r = get_regs(&cpu);
	r.rcx = index;
	r.rax = (u32)value;
	r.rdx = value >> 32;
	set_regs(&cpu, &r);
	return vcpu_run(&cpu);
}

/*
 * SDM Vol. 3, "x2APIC Register Address Space". There is no CMCI's entry (82fh): the
 * version counts six.
 */
static bool is_writable(u32 msr)
{
	return msr == 0x808 || msr == 0x80b || msr == 0x80f || msr == 0x828 || msr == 0x830 ||
	       (msr >= 0x832 && msr <= 0x838) || msr == 0x83e || msr == 0x83f;
}

static bool is_readable(u32 msr)
{
	if (msr == 0x80b || msr == 0x83f)
		return false;
	return is_writable(msr) || msr == 0x802 || msr == 0x803 || msr == 0x80a ||
	       msr == 0x80d || (msr >= 0x810 && msr <= 0x827) || msr == 0x839;
}

static void msrs(void)
{
	const u64 off = 0xfee00100, x = 0xfee00900, x2 = 0xfee00d00;
	const char *done = "OUT port=10 size=1 count=1 data=00";
	const char *gp = "trap 13 error=0 at +0";
	const char *text;
	struct kvm_sregs s;
	struct vcpu plain;
	u32 i;

	vcpu_open_bare(&plain, &vm, 2);
	cpuid_least(&plain);
	is_hex(try_msr(&plain, 0x1b, 0xfee00c00), 0, "x2APIC mode without its CPUID bit");
	is_hex(try_msr(&plain, 0x1b, 0xfee00800), 1, "  xAPIC mode");
	s = get_sregs(&plain);
	s.apic_base = 0xfee00c00;
	is(on_cpu(&plain, KVM_SET_SREGS, &s), "EINVAL", "  KVM_SET_SREGS");
	vcpu_close(&plain);
	is(msr_out(x, 0x1b, x2), "OUT port=10 size=1 count=1 data=00", "  with it");
	is(msr_out(off, 0x1b, x2), gp, "  not from off");
	is(msr_out(x2, 0x1b, x), gp, "  not back to xAPIC mode");
	is(msr_out(x2, 0x1b, off), "OUT port=10 size=1 count=1 data=00", "  off");
	is(msr_out(x, 0x1b, 0xfee00500), gp, "  x2APIC and off");
	for (i = 0x800; i <= 0x840; i++) {
		text = msr_in(x2, i);
		ok(!strcmp(text, gp) == !is_readable(i), "RDMSR %x: %s", i, text);
	}
	for (i = 0x800; i <= 0x840; i++) {
		if (i == 0x830 || i == 0x83f)
			continue;
		is(msr_out(x2, i, 0), is_writable(i) ? done : gp, "WRMSR %x of 0", i);
	}
	is(msr_in(x, 0x802), gp, "no such MSRs in xAPIC mode");
	is(msr_out(x2, 0x808, 1ull << 32), gp, "the upper half is reserved");
	is(msr_out(x2, 0x828, 1), gp, "ESR takes only 0");
	is(msr_out(x2, 0x830, 1 << 13), gp, "ICR: a reserved bit");
	is(msr_out(x2, 0x83f, 0x100), gp, "self-IPI: a reserved bit");

	guest_apic(&cpu, x2apic);
	gate(&cpu, 0x31, x2apic, x2_31);
	gate(&cpu, 0x51, x2apic, x2_51);
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=51", "x2APIC: ICR");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=31", "  self-IPI");
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00", "  then the program");
	is_hex(lapic(&cpu, 0x20), 0, "  the ID in KVM_GET_LAPIC");
	is_hex(lapic(&cpu, 0xd0), 1, "  the logical ID");

	guest_apic(&cpu, closed);
	gate(&cpu, 0x31, closed, cl_31);
	/* Both devices say the same. */
	if (module_parameter("enable_apicv") == 'Y') {
		skip("Bochs 2.7 and 3.0 do not care for IF with virtual-interrupt delivery",
		     "IF is 0: it waits");
		return;
	}
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=31", "IF is 0: it waits");
	is(vcpu_run(&cpu), "OUT port=25 size=1 count=1 data=32", "  then it goes in");
	is(vcpu_run(&cpu), "OUT port=11 size=1 count=1 data=00", "  then the program");
}

int main(int argc, char **argv)
{
	device = argc > 1 ? argv[1] : "/dev/kvm";
	apic_init();
	creating();
	refused();
	reset_values();
	halting();
	interrupts();
	priorities();
	shadow();
	timers();
	accesses();
	msrs();
	x2apic_exits();
	x2apic_levels();
	return done_testing();
}
