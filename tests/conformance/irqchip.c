// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_CREATE_IRQCHIP and the local APIC: when it can be called, what HLT and
 * KVM_RUN do then, how a vCPU is started, and what the APIC's registers do.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include "tap.h"
#include "vm.h"

static const char *device;
static struct vm vm;
static struct vcpu cpu, second;
static timer_t timer;

static const char *on_vm(unsigned long cmd, unsigned long arg)
{
	return errno_text(ioctl(vm.fd, cmd, arg));
}

static const char *on_cpu(struct vcpu *c, unsigned long cmd, const void *arg)
{
	return errno_text(ioctl(c->fd, cmd, arg));
}

static u32 mp_state(struct vcpu *c)
{
	struct kvm_mp_state mp = { };

	if (ioctl(c->fd, KVM_GET_MP_STATE, &mp))
		bail("KVM_GET_MP_STATE: %s", errno_name(errno));
	return mp.mp_state;
}

static const char *set_mp_state(struct vcpu *c, u32 state)
{
	struct kvm_mp_state mp = { .mp_state = state };

	return on_cpu(c, KVM_SET_MP_STATE, &mp);
}

static void nothing(int sig)
{
	(void)sig;
}

/* KVM_RUN, with signals from @ms on */
/* By how much this machine is slower than the lab usually is */
static int patience = 1;

static const char *run_for(struct vcpu *c, int ms)
{
	const long ns = ms * 1000000l * patience;
	const struct itimerspec off = { }, on = {
		.it_value.tv_nsec = ns, .it_interval.tv_nsec = ns,
	};
	const char *result;

	timer_settime(timer, 0, &on, NULL);
	result = vcpu_run(c);
	timer_settime(timer, 0, &off, NULL);
	return result;
}

/* The local APIC's registers, as KVM_GET_LAPIC has them */
static u32 fresh[0x400 / 4];

static u32 lapic(struct vcpu *c, u32 reg)
{
	u32 state[0x400 / 4];

	if (ioctl(c->fd, KVM_GET_LAPIC, state))
		bail("KVM_GET_LAPIC: %s", errno_name(errno));
	return state[reg / 4];
}

static void set_lapic(struct vcpu *c, u32 reg, u32 value)
{
	u32 state[0x400 / 4];

	if (ioctl(c->fd, KVM_GET_LAPIC, state))
		bail("KVM_GET_LAPIC: %s", errno_name(errno));
	state[reg / 4] = value;
	if (ioctl(c->fd, KVM_SET_LAPIC, state))
		bail("KVM_SET_LAPIC: %s", errno_name(errno));
}

/* A place in a guest that the program names */
#define LABEL(name)	extern const char name[]

#define HANDLERS	0xf000
#define APIC		"mov $0xfee00000, %esi\n"

/*
 * Handlers of 31h, 51h and 52h, 8 bytes each: tell user space on port 25h (20h is
 * the PIC's), and end the interrupt.
 */
GUEST32(handlers,
	"mov $0x31, %al; jmp 1f; nop; nop; nop; nop\n"
	"mov $0x51, %al; jmp 1f; nop; nop; nop; nop\n"
	"mov $0x52, %al\n"
	"1: out %al, $0x25\n"
	"movl $0, 0xb0(%esi)\n"
	"iret\n");

/* Put a 32-bit guest into the vCPU: its APIC switched on, nothing pending */
static void apic_guest(struct vcpu *c, const char *code, const char *end)
{
	u32 state[0x400 / 4];
	struct kvm_sregs s;

	guest_protected(c, code, end);
	s = get_sregs(c);
	s.idt.limit = 256 * 8 - 1;
	set_sregs(c, &s);
	memcpy(vm.mem + HANDLERS, handlers, handlers_end - handlers);
	guest_gate(c, 0x31, HANDLERS, 0);
	guest_gate(c, 0x51, HANDLERS + 8, 0);
	guest_gate(c, 0x52, HANDLERS + 16, 0);
	memcpy(state, fresh, sizeof(state));
	state[0xf0 / 4] = 0x1ff;
	state[0x20 / 4] = c == &cpu ? 0 : 1 << 24;
	if (ioctl(c->fd, KVM_SET_LAPIC, state))
		bail("KVM_SET_LAPIC: %s", errno_name(errno));
	set_mp_state(c, KVM_MP_STATE_RUNNABLE);
}

#define guest_apic(c, name)	apic_guest(c, name, name##_end)
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
	vcpu_open(&cpu, &vm, 0);
	vcpu_open(&second, &vm, 1);
	is(on_vm(KVM_CREATE_IRQCHIP, 0), "EEXIST", "  once more, with vCPUs");
	is_hex(cpu.sregs0.apic_base, 0xfee00900, "vCPU 0's IA32_APIC_BASE");
	is_hex(second.sregs0.apic_base, 0xfee00800, "vCPU 1's");
}

static void refused(void)
{
	struct kvm_interrupt irq = { .irq = 32 };

	is(on_cpu(&cpu, KVM_INTERRUPT, &irq), "ENXIO", "KVM_INTERRUPT");
	irq.irq = 256;
	is(on_cpu(&cpu, KVM_INTERRUPT, &irq), "EINVAL", "  of a vector that cannot be");
	is(on_cpu(&cpu, KVM_INTERRUPT, NULL), "EFAULT", "  of NULL");
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

GUEST16(started, "out %al, $0x11; mov %edx, %eax; out %al, $0x12; hlt");

static void starting(void)
{
	struct kvm_sregs s;

	is_hex(mp_state(&second), KVM_MP_STATE_UNINITIALIZED, "vCPU 1 is UNINITIALIZED");
	is(run_for(&second, 30), "EINTR INTR", "  KVM_RUN waits");
	second.run->immediate_exit = 1;
	is_hex(-vcpu_run_raw(&second), EINTR, "  immediate_exit");
	second.run->immediate_exit = 0;
	is(set_mp_state(&second, KVM_MP_STATE_INIT_RECEIVED), "0", "INIT_RECEIVED");
	is(run_for(&second, 30), "EINTR INTR", "  KVM_RUN waits");
	is(set_mp_state(&second, KVM_MP_STATE_SIPI_RECEIVED), "0", "SIPI_RECEIVED");
	is_hex(mp_state(&second), KVM_MP_STATE_RUNNABLE, "  which is at once runnable");
	s = get_sregs(&second);
	is_hex(s.cs.selector, 0, "  CS is the vector's");
	is_hex(s.cs.base, 0, "  so is its base");
	is_hex(get_regs(&second).rip, 0, "  RIP is 0");
	guest16(&second, started);
	is(vcpu_run(&second), "OUT port=11 size=1 count=1 data=00", "  it runs");
	is(set_mp_state(&second, KVM_MP_STATE_UNINITIALIZED), "0", "UNINITIALIZED again");
	is(run_for(&second, 30), "EINTR INTR", "  KVM_RUN waits");
	is(set_mp_state(&second, KVM_MP_STATE_RUNNABLE), "0", "RUNNABLE again");
	is(vcpu_run(&second), "OUT port=12 size=1 count=1 data=00", "  it goes on");
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
	if (ioctl(cpu.fd, KVM_GET_LAPIC, fresh))
		bail("KVM_GET_LAPIC: %s", errno_name(errno));
	is_hex(fresh[0x20 / 4], 0, "vCPU 0's ID");
	is_hex(fresh[0x350 / 4], 0x700, "vCPU 0's LINT0 takes the PIC's interrupts");
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

static void msrs(void)
{
	const u64 off = 0xfee00100, x = 0xfee00900, x2 = 0xfee00d00;
	const char *gp = "trap 13 error=0 at +0";
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
	for (i = 0x800; i <= 0x840; i++)
		ok(true, "RDMSR %x: %s", i, msr_in(x2, i));
	for (i = 0x800; i <= 0x840; i++)
		if (i != 0x830 && i != 0x83f)
			ok(true, "WRMSR %x of 0: %s", i, msr_out(x2, i, 0));
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
}

/* A vCPU in a thread, until it does OUT to port 7Fh */
struct runner {
	struct vcpu *c;
	pthread_t thread;
	int again;		/* EAGAIN */
	int exits;
	int error;
	u8 ports[16];
	u8 data[16];
};

static void *runs(void *arg)
{
	struct runner *r = arg;

	for (;;) {
		struct kvm_run *run = r->c->run;

		if (ioctl(r->c->fd, KVM_RUN, 0)) {
			if (errno != EAGAIN) {
				r->error = errno;
				return NULL;
			}
			r->again++;
			continue;
		}
		if (run->exit_reason != KVM_EXIT_IO) {
			r->error = 1000 + run->exit_reason;
			return NULL;
		}
		if (r->exits < 16) {
			r->ports[r->exits] = run->io.port;
			r->data[r->exits++] = ((u8 *)run)[run->io.data_offset];
		}
		if (run->io.port == 0x7f)
			return NULL;
	}
}

static void run_start(struct runner *r, struct vcpu *c)
{
	memset(r, 0, sizeof(*r));
	r->c = c;
	if (pthread_create(&r->thread, NULL, runs, r))
		bail("pthread_create");
}

static void run_end(struct runner *r, const char *name)
{
	pthread_join(r->thread, NULL);
	is_hex(r->error, 0, "%s ends", name);
}

/* Ping-pong: each sends an IPI to the other and sleeps, EBX times. */
#define PING(dest)							\
	APIC "mov $500, %ebx\n"					\
	"1: inc %edi\n"							\
	"movl $" dest ", 0x310(%esi); movl $0x31, 0x300(%esi)\n"		\
	"2: sti; hlt; cli\n"						\
	"cmp %edi, %ebp; jne 2b\n"					\
	"cmp %ebx, %edi; jne 1b\n"
GUEST32(ping, PING("0x01000000")
	"out %al, $0x7f\n"
	"ping_31: inc %ebp; movl $0, 0xb0(%esi); iret\n");
LABEL(ping_31);
GUEST32(pong, APIC
	"1: sti; hlt; cli; jmp 1b\n"
	"pong_31: movl $0, 0xb0(%esi)\n"
	"movl $0, 0x310(%esi); movl $0x31, 0x300(%esi)\n"
	"inc %edi; cmp $500, %edi; jne 2f; out %al, $0x7f\n"
	"2: iret\n");
LABEL(pong_31);

/* The second spins with interrupts on and no VM exit of its own. */
GUEST32(spin, APIC
	"sti\n"
	"1: pause; jmp 1b\n"
	"spin_31: movl $0, 0xb0(%esi)\n"
	"movl $0, 0x310(%esi); movl $0x31, 0x300(%esi)\n"
	"inc %edi; cmp $500, %edi; jne 2f; out %al, $0x7f\n"
	"2: iret\n");
LABEL(spin_31);

/* Both lie in the same memory: the second's code and tables at other places. */
static void place(struct vcpu *c, const char *code, const char *end, u32 at, u32 idt,
		  u32 handler)
{
	struct kvm_sregs s = get_sregs(c);
	struct kvm_regs r = get_regs(c);
	u64 gate = ((at + handler) & 0xffff) | (u64)SEL_CODE32 << 16 | 0x8eull << 40;

	memcpy(vm.mem + at, code, end - code);
	memcpy(vm.mem + idt + 0x31 * 8, &gate, 8);
	s.idt.base = idt;
	s.idt.limit = 0x7ff;
	set_sregs(c, &s);
	r.rip = at;
	r.rsp = at + 0x800;
	set_regs(c, &r);
}

#define PLACE(c, name, label, at, idt) \
	place(c, name, name##_end, at, idt, (label) - (name))

static void both(const char *name, const char *other, const char *other_end,
		 const char *other_label)
{
	struct runner a, b;
	u64 ms;

	guest_apic(&second, ping);
	guest_apic(&cpu, ping);
	PLACE(&cpu, ping, ping_31, 0xb000, 0xc000);
	place(&second, other, other_end, 0xd000, 0xe000, other_label - other);
	ms = now_ms();
	run_start(&b, &second);
	run_start(&a, &cpu);
	run_end(&a, name);
	run_end(&b, "  the other");
	ms = now_ms() - ms;
	diag("%llu ms", (unsigned long long)ms);
	ok(ms < 1000u * patience, "  not one at each tick of the scheduler");
	is_hex(get_regs(&cpu).rbp, 500, "  none was lost");
	is_hex(get_regs(&second).rdi, 500, "  nor there");
}

static u32 signature(void)
{
	struct kvm_cpuid2 *table = supported_cpuid(&vm);
	u32 i, eax = 0;

	for (i = 0; i < table->nent; i++)
		if (table->entries[i].function == 1)
			eax = table->entries[i].eax;
	free(table);
	return eax;
}

/* INIT, SIPI, SIPI; then an NMI to whoever sleeps with interrupts off */
GUEST32(boot, APIC "sti\n"
	"movl $0x01000000, 0x310(%esi)\n"
	"movl $0x4500, 0x300(%esi)\n"
	"movl $0x460b, 0x300(%esi)\n"
	"1: pause; cmpl $0x1234, 0xbf00; jne 1b\n"
	"movl $0x460c, 0x300(%esi)\n"
	"movl $0x4400, 0x300(%esi)\n"
	"2: pause; cmpl $0x5678, 0xbf00; jne 2b\n"
	"out %al, $0x7f\n");
GUEST16(booted,
	"mov %cs, %ax; mov %ax, %ds; mov %ax, %ss; mov $0xe00, %sp\n"
	"xor %ax, %ax; mov %ax, %es\n"
	"mov %dl, %al; out %al, $0x30\n"
	"movw $0xb080, %es:8; movw $0, %es:10\n"	/* vector 2: 0000:b080 */
	"movl $0x1234, 0xf00\n"
	"cli; hlt\n"
	"hlt\n"
	".fill 0x80 - (. - booted), 1, 0x90\n"
	"movl $0x5678, %cs:0xbf00\n"
	"mov $0x77, %al; out %al, $0x7f\n");

static void startup(void)
{
	struct runner a, b;

	guest_apic(&second, boot);
	guest_apic(&cpu, boot);
	memcpy(vm.mem + 0xb000, booted, booted_end - booted);
	set_mp_state(&second, KVM_MP_STATE_UNINITIALIZED);
	run_start(&b, &second);
	run_start(&a, &cpu);
	run_end(&a, "INIT and SIPI by IPI: the sender");
	run_end(&b, "  the one started");
	ok(b.again > 0, "  KVM_RUN of an UNINITIALIZED vCPU ends with EAGAIN");
	is_hex(b.exits, 2, "  two exits");
	is_hex(b.ports[0], 0x30, "  the first");
	ok(b.data[0] == (u8)signature(), "  with the signature in EDX");
	is_hex(b.data[1], 0x77, "  the second is the NMI's");
	is_hex(get_sregs(&second).cs.base, 0, "  whose handler is at 0000:b080");
	is_hex(mp_state(&second), KVM_MP_STATE_RUNNABLE, "  it is runnable");
}

/* The state after INIT is that after reset, but for what INIT leaves. */
static void init_state(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest_apic(&second, boot);
	s = get_sregs(&second);
	s.cr2 = 0x1234;
	s.cr0 |= CR0_CD;
	set_sregs(&second, &s);
	set_msr(&second, 0x174, 8);
	set_msr(&second, 0x277, 0x0606060606060606);
	guest_apic(&cpu, boot);
	/* The first INIT goes out; the sender then waits for what does not come. */
	run_for(&cpu, 30);
	is_hex(mp_state(&second), KVM_MP_STATE_RUNNABLE, "INIT and SIPI to one that does not run");
	s = get_sregs(&second);
	r = get_regs(&second);
	is_hex(r.rip, 0, "  RIP");
	is_hex(r.rflags, 2, "  RFLAGS");
	ok(r.rdx == signature(), "  RDX has the processor's signature");
	is_hex(r.rax | r.rsi | r.rsp, 0, "  others");
	is_hex(s.cs.selector, 0xb00, "  CS");
	is_hex(s.cs.base, 0xb000, "  its base");
	is_hex(s.cr0, 0x40000010, "  CR0 keeps CD");
	is_hex(s.cr2, 0, "  CR2");
	is_hex(s.efer, 0, "  EFER");
	is_hex(s.apic_base, 0xfee00800, "  IA32_APIC_BASE");
	is_hex(lapic(&second, 0xf0), 0xff, "  the APIC is reset");
	is_hex(lapic(&second, 0x20), 1 << 24, "  but for its ID");
	is_hex(get_msr(&second, 0x174), 8, "  SYSENTER_CS stays");
	is_hex(get_msr(&second, 0x277), 0x0606060606060606, "  PAT stays");
}

GUEST32(logical, APIC
	"movl $0x02000000, 0x310(%esi); movl $0x831, 0x300(%esi)\n"	/* flat */
	"movl $0x04000000, 0x310(%esi); movl $0x832, 0x300(%esi)\n"	/* nobody */
	"movl $0xff000000, 0x310(%esi); movl $0x33, 0x300(%esi)\n"	/* all */
	"movl $0xc0034, 0x300(%esi)\n"					/* others */
	"movl $0x80035, 0x300(%esi)\n"					/* all */
	"movl $0x01000000, 0x310(%esi); movl $0x136, 0x300(%esi)\n"	/* lowest */
	"out %al, $0x10\n");

static void destinations(void)
{
	guest_apic(&second, logical);
	guest_apic(&cpu, logical);
	set_lapic(&cpu, 0xd0, 0x01000000);
	set_lapic(&second, 0xd0, 0x02000000);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00", "IPIs to several");
	is_hex(lapic(&cpu, 0x210), 0x280000, "  the sender has 33, 35");
	is_hex(lapic(&second, 0x210), 0x7a0000, "  the other 31, 33, 34, 35, 36");
	/* An APIC that software has switched off takes none. */
	guest_apic(&second, logical);
	set_lapic(&second, 0xf0, 0xff);
	guest_apic(&cpu, logical);
	vcpu_run(&cpu);
	is_hex(lapic(&second, 0x210), 0, "  none if it is switched off");
}

GUEST32(wait_msi, "sti; hlt; out %al, $0x7e; hlt; wait_31: out %al, $0x7f");
LABEL(wait_31);

static void msi(void)
{
	struct kvm_msi m = { .address_lo = 0xfee00000, .data = 0x31 };
	struct runner r;
	int ret;

	guest_apic(&second, pong);
	guest_apic(&cpu, pong);
	is(on_vm(KVM_SIGNAL_MSI, 0), "EFAULT", "KVM_SIGNAL_MSI of NULL");
	m.flags = 2;
	is(on_vm(KVM_SIGNAL_MSI, (long)&m), "EINVAL", "  unknown flag");
	m.flags = 0;
	ret = ioctl(vm.fd, KVM_SIGNAL_MSI, &m);
	is_hex(ret, 1, "  to vCPU 0");
	is_hex(lapic(&cpu, 0x210), 0x20000, "  which has it");
	m.address_lo = 0xfeeff000;
	ret = ioctl(vm.fd, KVM_SIGNAL_MSI, &m);
	is_hex(ret, 2, "  to all");
	m.address_lo = 0xfee77000;
	is(on_vm(KVM_SIGNAL_MSI, (long)&m), "0", "  to none");
	m.address_lo = 0xfee00000;
	set_lapic(&cpu, 0xf0, 0xff);
	ret = ioctl(vm.fd, KVM_SIGNAL_MSI, &m);
	is_hex(ret, 0, "  to one that is switched off");

	/* It wakes one that sleeps. */
	guest_apic(&cpu, wait_msi);
	PLACE(&cpu, wait_msi, wait_31, 0xb000, 0xc000);
	run_start(&r, &cpu);
	usleep(20000);
	ioctl(vm.fd, KVM_SIGNAL_MSI, &m);
	run_end(&r, "KVM_SIGNAL_MSI wakes HLT: it");
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct sigevent event = { .sigev_signo = SIGUSR1 };

	device = argc > 1 ? argv[1] : "/dev/kvm";
	if (getenv("LAB_PATIENCE"))
		patience = atoi(getenv("LAB_PATIENCE"));
	watchdog(40 * patience);
	sigaction(SIGUSR1, &sa, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		bail("timer_create: %s", errno_name(errno));
	creating();
	refused();
	reset_values();
	halting();
	starting();
	interrupts();
	priorities();
	timers();
	accesses();
	destinations();
	msi();
	init_state();
	startup();
	both("ping-pong, both sleep: one", pong, pong_end, pong_31);
	both("ping-pong, one spins: the other", spin, spin_end, spin_31);
	msrs();
	return done_testing();
}
