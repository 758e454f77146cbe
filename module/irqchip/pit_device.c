// SPDX-License-Identifier: GPL-2.0
/*
 * A VM's interval timer at work: its ports, its calls, and the timer that sends
 * counter 0's ticks to GSI 0.
 *
 * As in KVM ticks are injected again (unless KVM_REINJECT_CONTROL says otherwise):
 * one that comes before the guest has ended the interrupt of the one before waits,
 * so that a guest that counts ticks has all of them. When the guest unmasks the
 * line none wait: what went to a masked line is never ended.
 *
 * The lock comes before those that irq.c names, and mvm_irq_set() is called
 * without it. The timer's callback takes it, too. So the timer is never waited for
 * with the lock held; instead the callback looks at whether it has been set anew,
 * or stopped, while it waited for the lock.
 */
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "../compat.h"
#include "../mvm.h"
#include "irqchip.h"
#include "pit.h"

/**
 * struct mvm_pit_device - the timer of a VM
 * @vm: the VM
 * @lock: for all that follows but the devices
 * @pit: the registers
 * @timer: fires when counter 0 comes to 0
 * @reinject: ticks wait for their turn
 * @ended: with @reinject: the guest has ended the last tick
 * @waiting: with @reinject: how many ticks it has not ended
 * @ack: tells of GSI 0
 * @ports: those of @pit
 * @speaker: that of the speaker
 */
struct mvm_pit_device {
	struct mvm_vm *vm;
	spinlock_t lock;	/* see above */
	struct mvm_pit pit;
	struct hrtimer timer;
	bool reinject;
	bool ended;
	u64 waiting;
	struct mvm_irq_ack ack;
	struct mvm_bus_device ports;
	struct mvm_bus_device speaker;
};

/* --- Ticks --------------------------------------------------------------------- */

static void tick(struct mvm_pit_device *p)
{
	mvm_irq_set(p->vm, MVM_IRQ_PIT, 0, true);
	mvm_irq_set(p->vm, MVM_IRQ_PIT, 0, false);
}

static void forget_ticks(struct mvm_pit_device *p)
{
	p->waiting = 0;
	p->ended = true;
}

/* May a tick go in now? The lock is held. */
static bool has_turn(struct mvm_pit_device *p)
{
	bool ended = p->ended;

	if (!p->reinject)
		return true;
	p->ended = false;
	return ended;
}

static enum hrtimer_restart timer_fires(struct hrtimer *timer)
{
	struct mvm_pit_device *p = container_of(timer, struct mvm_pit_device, timer);
	bool periodic = false, turn = false;
	unsigned long flags;
	u64 ticks = 1;

	spin_lock_irqsave(&p->lock, flags);
	/* Else it was stopped, or set anew: this tick is none any more. */
	if (p->pit.period && !hrtimer_is_queued(timer)) {
		periodic = p->pit.periodic;
		if (periodic)
			ticks = hrtimer_forward_now(timer, ns_to_ktime(p->pit.period));
		if (p->reinject)
			p->waiting += ticks;
		turn = has_turn(p);
	}
	spin_unlock_irqrestore(&p->lock, flags);
	if (turn)
		tick(p);
	return periodic ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

/* Counter 0 has been loaded. The lock is held. */
static void set_timer(struct mvm_pit_device *p)
{
	forget_ticks(p);
	if (p->pit.period)
		hrtimer_start(&p->timer, ns_to_ktime(p->pit.start + p->pit.period),
			      HRTIMER_MODE_ABS_HARD);
	else
		hrtimer_try_to_cancel(&p->timer);
}

static void acked(struct mvm_irq_ack *ack)
{
	struct mvm_pit_device *p = container_of(ack, struct mvm_pit_device, ack);
	unsigned long flags;
	bool turn = false;

	spin_lock_irqsave(&p->lock, flags);
	if (p->reinject) {
		p->ended = true;
		if (p->waiting && --p->waiting)
			turn = has_turn(p);
	}
	spin_unlock_irqrestore(&p->lock, flags);
	if (turn)
		tick(p);
}

static void unmasked(struct mvm_irq_ack *ack)
{
	struct mvm_pit_device *p = container_of(ack, struct mvm_pit_device, ack);
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	forget_ticks(p);
	spin_unlock_irqrestore(&p->lock, flags);
}

/* --- Ports: as in KVM the first byte of an access is all that matters ------------- */

static bool read_ports(struct mvm_bus_device *device, u64 port, u32 len, void *data)
{
	struct mvm_pit_device *p = device->owner;
	unsigned long flags;

	memset(data, 0, len);
	spin_lock_irqsave(&p->lock, flags);
	*(u8 *)data = mvm_pit_read(&p->pit, port, ktime_get_ns());
	spin_unlock_irqrestore(&p->lock, flags);
	return true;
}

static bool write_ports(struct mvm_bus_device *device, u64 port, u32 len, const void *data)
{
	struct mvm_pit_device *p = device->owner;
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	if (mvm_pit_write(&p->pit, port, *(const u8 *)data, ktime_get_ns()))
		set_timer(p);
	spin_unlock_irqrestore(&p->lock, flags);
	return true;
}

static bool read_speaker(struct mvm_bus_device *device, u64 port, u32 len, void *data)
{
	struct mvm_pit_device *p = device->owner;
	unsigned long flags;

	if (port != MVM_PIT_SPEAKER)
		return false;
	memset(data, 0, len);
	spin_lock_irqsave(&p->lock, flags);
	*(u8 *)data = mvm_pit_speaker_read(&p->pit, ktime_get_ns());
	spin_unlock_irqrestore(&p->lock, flags);
	return true;
}

static bool write_speaker(struct mvm_bus_device *device, u64 port, u32 len, const void *data)
{
	struct mvm_pit_device *p = device->owner;
	unsigned long flags;

	if (port != MVM_PIT_SPEAKER)
		return false;
	spin_lock_irqsave(&p->lock, flags);
	mvm_pit_speaker_write(&p->pit, *(const u8 *)data, ktime_get_ns());
	spin_unlock_irqrestore(&p->lock, flags);
	return true;
}

/* --- Life ---------------------------------------------------------------------- */

static int create(struct mvm_vm *vm, u32 flags)
{
	struct mvm_pit_device *p;

	if (vm->pit)
		return -EEXIST;
	if (!vm->chips)
		return -ENOENT;
	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	p->vm = vm;
	spin_lock_init(&p->lock);
	mvm_compat_hrtimer_setup(&p->timer, timer_fires);
	mvm_pit_init(&p->pit, ktime_get_ns());
	p->reinject = true;
	forget_ticks(p);
	p->ack = (struct mvm_irq_ack) { .gsi = 0, .acked = acked, .unmasked = unmasked };
	/* As KVM's speaker: four ports, of which it takes one. */
	p->ports = (struct mvm_bus_device) {
		.addr = MVM_PIT_PORT, .len = MVM_PIT_NR_PORTS, .owner = p,
		.read = read_ports, .write = write_ports,
	};
	p->speaker = (struct mvm_bus_device) {
		.addr = MVM_PIT_SPEAKER, .len = 4, .owner = p,
		.read = read_speaker, .write = write_speaker,
	};
	mvm_irq_add_ack(vm, &p->ack);
	mvm_bus_add_device(vm, MVM_BUS_PIO, &p->ports);
	if (flags & KVM_PIT_SPEAKER_DUMMY)
		mvm_bus_add_device(vm, MVM_BUS_PIO, &p->speaker);
	/* Who sees it sees it filled in. */
	smp_store_release(&vm->pit, p);
	return 0;
}

/**
 * mvm_pit_create() - KVM_CREATE_PIT2
 * @vm: the VM
 * @flags: KVM_PIT_SPEAKER_DUMMY: with the speaker's port; others are ignored
 *
 * Return: 0; -EEXIST if there is one; -ENOENT without PIC and I/O APIC in the
 * kernel; -ENOMEM.
 */
int mvm_pit_create(struct mvm_vm *vm, u32 flags)
{
	int ret;

	mutex_lock(&vm->lock);
	ret = create(vm, flags);
	mutex_unlock(&vm->lock);
	return ret;
}

/**
 * mvm_pit_destroy() - the end of a VM
 * @vm: used by nobody any more, its vCPUs and controllers still there
 */
void mvm_pit_destroy(struct mvm_vm *vm)
{
	if (!vm->pit)
		return;
	hrtimer_cancel(&vm->pit->timer);
	kfree(vm->pit);
}

/* --- State --------------------------------------------------------------------- */

static struct mvm_pit_device *pit_of(struct mvm_vm *vm)
{
	/* Pairs with the release where it is set. */
	return smp_load_acquire(&vm->pit);
}

/**
 * mvm_pit_get() - KVM_GET_PIT2 and KVM_GET_PIT
 * @vm: the VM
 * @user: the argument
 * @size: of that: KVM_GET_PIT has only the counters
 *
 * Return: 0, -ENXIO without timer, -EFAULT.
 */
int mvm_pit_get(struct mvm_vm *vm, void __user *user, size_t size)
{
	struct mvm_pit_device *p = pit_of(vm);
	struct kvm_pit_state2 state;
	unsigned long flags;

	if (!p)
		return -ENXIO;
	spin_lock_irqsave(&p->lock, flags);
	mvm_pit_get_state(&p->pit, &state);
	spin_unlock_irqrestore(&p->lock, flags);
	return copy_to_user(user, &state, size) ? -EFAULT : 0;
}

/**
 * mvm_pit_set() - KVM_SET_PIT2 and KVM_SET_PIT
 * @vm: the VM
 * @user: the argument
 * @size: of that: KVM_SET_PIT has only the counters
 *
 * Return: 0, -ENXIO without timer, -EFAULT.
 */
int mvm_pit_set(struct mvm_vm *vm, const void __user *user, size_t size)
{
	struct mvm_pit_device *p = pit_of(vm);
	struct kvm_pit_state2 state;
	unsigned long flags;

	if (copy_from_user(&state, user, size))
		return -EFAULT;
	if (!p)
		return -ENXIO;
	spin_lock_irqsave(&p->lock, flags);
	if (size < sizeof(state))
		state.flags = p->pit.flags;
	mvm_pit_set_state(&p->pit, &state, ktime_get_ns());
	set_timer(p);
	spin_unlock_irqrestore(&p->lock, flags);
	return 0;
}

/**
 * mvm_pit_set_reinject() - KVM_REINJECT_CONTROL
 * @vm: the VM
 * @user: the argument
 *
 * Return: 0, -ENXIO without timer, -EFAULT.
 */
int mvm_pit_set_reinject(struct mvm_vm *vm, const struct kvm_reinject_control __user *user)
{
	struct mvm_pit_device *p = pit_of(vm);
	struct kvm_reinject_control control;
	unsigned long flags;

	if (copy_from_user(&control, user, sizeof(control)))
		return -EFAULT;
	if (!p)
		return -ENXIO;
	spin_lock_irqsave(&p->lock, flags);
	if (p->reinject != !!control.pit_reinject)
		forget_ticks(p);
	p->reinject = control.pit_reinject;
	spin_unlock_irqrestore(&p->lock, flags);
	return 0;
}
