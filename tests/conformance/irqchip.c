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
static const char *run_for(struct vcpu *c, int ms)
{
	const struct itimerspec off = { }, on = {
		.it_value.tv_nsec = ms * 1000000, .it_interval.tv_nsec = ms * 1000000,
	};
	const char *result;

	timer_settime(timer, 0, &on, NULL);
	result = vcpu_run(c);
	timer_settime(timer, 0, &off, NULL);
	return result;
}

static void creating(void)
{
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

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct sigevent event = { .sigev_signo = SIGUSR1 };

	device = argc > 1 ? argv[1] : "/dev/kvm";
	watchdog(120);
	sigaction(SIGUSR1, &sa, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		bail("timer_create: %s", errno_name(errno));
	creating();
	refused();
	halting();
	starting();
	return done_testing();
}
