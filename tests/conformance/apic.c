// SPDX-License-Identifier: GPL-2.0
/* A VM with local APICs in the kernel; apic.h says what each call does. */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include "apic.h"
#include "tap.h"

struct vm vm;
struct vcpu cpu, second;
int patience = 1;
static timer_t timer;
/* The registers of a new vCPU 0 */
static u32 fresh[0x400 / 4];

const char *on_vm(unsigned long cmd, unsigned long arg)
{
	return errno_text(ioctl(vm.fd, cmd, arg));
}

const char *on_cpu(struct vcpu *c, unsigned long cmd, const void *arg)
{
	return errno_text(ioctl(c->fd, cmd, arg));
}

u32 mp_state(struct vcpu *c)
{
	struct kvm_mp_state mp = { };

	if (ioctl(c->fd, KVM_GET_MP_STATE, &mp))
		bail("KVM_GET_MP_STATE: %s", errno_name(errno));
	return mp.mp_state;
}

const char *set_mp_state(struct vcpu *c, u32 state)
{
	struct kvm_mp_state mp = { .mp_state = state };

	return on_cpu(c, KVM_SET_MP_STATE, &mp);
}

static void nothing(int sig)
{
	(void)sig;
}

const char *run_for(struct vcpu *c, int ms)
{
	const struct timespec period = {
		.tv_sec = ms * patience / 1000, .tv_nsec = ms * patience % 1000 * 1000000l,
	};
	const struct itimerspec off = { }, on = { .it_value = period, .it_interval = period };
	const char *result;

	timer_settime(timer, 0, &on, NULL);
	result = vcpu_run(c);
	timer_settime(timer, 0, &off, NULL);
	return result;
}

u32 lapic(struct vcpu *c, u32 reg)
{
	u32 state[0x400 / 4];

	if (ioctl(c->fd, KVM_GET_LAPIC, state))
		bail("KVM_GET_LAPIC: %s", errno_name(errno));
	return state[reg / 4];
}

void set_lapic(struct vcpu *c, u32 reg, u32 value)
{
	u32 state[0x400 / 4];

	if (ioctl(c->fd, KVM_GET_LAPIC, state))
		bail("KVM_GET_LAPIC: %s", errno_name(errno));
	state[reg / 4] = value;
	if (ioctl(c->fd, KVM_SET_LAPIC, state))
		bail("KVM_SET_LAPIC: %s", errno_name(errno));
}

#define HANDLERS	0xf000

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

void apic_guest(struct vcpu *c, const char *code, const char *end)
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

void apic_init(void)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct sigevent event = { .sigev_signo = SIGUSR1 };

	if (getenv("LAB_PATIENCE"))
		patience = atoi(getenv("LAB_PATIENCE"));
	watchdog(40 * patience);
	sigaction(SIGUSR1, &sa, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		bail("timer_create: %s", errno_name(errno));
}

char module_parameter(const char *name)
{
	char path[80], value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/minivmm/parameters/%s", name);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fread(&value, 1, 1, f) != 1)
		bail("%s cannot be read", path);
	fclose(f);
	return value;
}

char vm_parameter(const char *name)
{
	char value;

	if (!strstr(vm.device, "minivmm"))
		return 0;
	value = module_parameter(name);
	if (!value)
		bail("minivmm has no parameter %s", name);
	return value;
}

/* Each page is written to: the guest has all of its memory then. */
GUEST32(touch_all,
	"xor %esi, %esi; 1: lock orb $0, (%esi); add $0x1000, %esi\n"
	"cmp $0x200000, %esi; jb 1b; out %al, $0x10\n");

void apic_vcpus(void)
{
	vcpu_open(&cpu, &vm, 0);
	vcpu_open(&second, &vm, 1);
	if (ioctl(cpu.fd, KVM_GET_LAPIC, fresh))
		bail("KVM_GET_LAPIC: %s", errno_name(errno));
	/*
	 * Bochs 2.7 and 3.0 do not say which virtual interrupt it was whose delivery
	 * an EPT violation cut short.
	 */
	if (vm_parameter("enable_apicv") == 'Y') {
		guest_apic(&cpu, touch_all);
		if (strcmp(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00"))
			bail("the guest cannot have its memory");
	}
}
