// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt controllers that a VM has one of, and its interrupt lines: from a
 * GSI by the table of routes to the pins of PIC and I/O APIC, and to local APICs.
 *
 * Devices set lines from anywhere: a timer's callback, an eventfd's (which holds
 * that eventfd's lock), a vCPU, a call. So nothing here sleeps. Lock order:
 *
 *	mvm_vm::lock, mvm_vcpu::mutex
 *	  an eventfd's lock
 *	    mvm_irqfds::lock
 *	    mvm_irqchip::lock, with interrupts off
 *	      the locks of a vCPU's wait queue, and the scheduler's
 *
 * Routes are read under RCU. mvm_irqchip::lock is not held when an EOI is told:
 * who hears of it signals an eventfd, and sets lines.
 *
 * What the guest can make the host do with one access is bounded: 24 pins, each
 * one message to all vCPUs. A line that stays up interrupts again after each EOI;
 * that keeps its vCPU busy, which a signal ends.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../mvm.h"
#include "../trace.h"
#include "irqchip.h"

/* --- Ends of interrupts -------------------------------------------------------- */

static void tell_gsi(struct mvm_vm *vm, u32 gsi)
{
	struct mvm_irq_ack *ack;

	mvm_irqfd_acked(vm, gsi);
	hlist_for_each_entry_rcu(ack, &vm->irq_acks, link)
		if (ack->gsi == gsi)
			ack->acked(ack);
}

/* An interrupt of these pins has ended. */
static void tell_acked(struct mvm_vm *vm, u32 chip, u32 pins)
{
	const struct mvm_routes *routes;
	unsigned int pin;
	int gsi;

	rcu_read_lock();
	routes = rcu_dereference(vm->routes);
	for (; routes && pins; pins &= pins - 1) {
		pin = __ffs(pins);
		gsi = routes->gsi_of[chip][pin];
		if (gsi >= 0)
			tell_gsi(vm, gsi);
	}
	rcu_read_unlock();
}

/* These pins have been unmasked. */
static void tell_unmasked(struct mvm_vm *vm, u32 chip, u32 pins)
{
	const struct mvm_routes *routes;
	struct mvm_irq_ack *ack;
	unsigned int pin;

	rcu_read_lock();
	routes = rcu_dereference(vm->routes);
	for (; routes && pins; pins &= pins - 1) {
		pin = __ffs(pins);
		hlist_for_each_entry_rcu(ack, &vm->irq_acks, link)
			if (ack->gsi == routes->gsi_of[chip][pin])
				ack->unmasked(ack);
	}
	rcu_read_unlock();
}

/* --- The PIC ------------------------------------------------------------------- */

/* The PIC has an interrupt: for the first that listens, as in KVM. */
static void wake_for_pic(struct mvm_vm *vm)
{
	struct mvm_vcpu *vcpu;
	unsigned long id;

	xa_for_each(&vm->vcpus, id, vcpu) {
		if (mvm_lapic_accepts_extint(&vcpu->apic->lapic)) {
			mvm_apic_post(vcpu, MVM_EVENT_INTERRUPT);
			return;
		}
	}
}

/**
 * mvm_irq_unlock() - unlock, then say what has happened to the PIC
 * @chips: the controllers, their lock held
 * @flags: of the interrupts
 */
void mvm_irq_unlock(struct mvm_irqchip *chips, unsigned long flags)
__releases(&chips->lock)
{
	bool raised = chips->pic.raised;
	u16 acked = chips->pic.acked, unmasked = chips->pic.unmasked;

	chips->pic.raised = false;
	chips->pic.acked = 0;
	chips->pic.unmasked = 0;
	spin_unlock_irqrestore(&chips->lock, flags);
	if (raised)
		wake_for_pic(chips->vm);
	if (unlikely(acked & 0xff))
		tell_acked(chips->vm, KVM_IRQCHIP_PIC_MASTER, acked & 0xff);
	if (unlikely(acked >> 8))
		tell_acked(chips->vm, KVM_IRQCHIP_PIC_SLAVE, acked >> 8);
	if (unlikely(unmasked & 0xff))
		tell_unmasked(chips->vm, KVM_IRQCHIP_PIC_MASTER, unmasked & 0xff);
	if (unlikely(unmasked >> 8))
		tell_unmasked(chips->vm, KVM_IRQCHIP_PIC_SLAVE, unmasked >> 8);
}

static int set_pic_line(struct mvm_irqchip *chips, u32 source, unsigned int line, bool level)
{
	u8 *sources = &chips->pic_sources[line];
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&chips->lock, flags);
	*sources = level ? *sources | BIT(source) : *sources & ~BIT(source);
	ret = mvm_pic_set_line(&chips->pic, line, *sources);
	mvm_irq_unlock(chips, flags);
	return ret;
}

/* As KVM: the ports are bytes; more than one at once is nothing. */
static bool read_pic(struct mvm_bus_device *device, u64 port, u32 len, void *data)
{
	struct mvm_irqchip *chips = device->owner;
	unsigned long flags;

	memset(data, 0, len);
	if (len != 1)
		return true;
	spin_lock_irqsave(&chips->lock, flags);
	*(u8 *)data = mvm_pic_read(&chips->pic, port);
	mvm_irq_unlock(chips, flags);
	return true;
}

static bool write_pic(struct mvm_bus_device *device, u64 port, u32 len, const void *data)
{
	struct mvm_irqchip *chips = device->owner;
	unsigned long flags;

	if (len != 1)
		return true;
	spin_lock_irqsave(&chips->lock, flags);
	mvm_pic_write(&chips->pic, port, *(const u8 *)data);
	mvm_irq_unlock(chips, flags);
	return true;
}

/**
 * mvm_irq_takes_extint() - is there room for an interrupt of user space's PIC?
 * @vcpu: one with a local APIC, its mutex held
 *
 * Return: false also if the PIC is in the kernel.
 */
bool mvm_irq_takes_extint(struct mvm_vcpu *vcpu)
{
	return !vcpu->vm->chips && vcpu->apic->extint < 0 &&
	       mvm_lapic_accepts_extint(&vcpu->apic->lapic);
}

/**
 * mvm_irq_extint_waits() - does a PIC have an interrupt for this vCPU?
 * @vcpu: one with a local APIC, its mutex held
 *
 * Return: true if it is to go in as soon as the guest can take it.
 */
bool mvm_irq_extint_waits(struct mvm_vcpu *vcpu)
{
	const struct mvm_irqchip *chips = vcpu->vm->chips;

	if (likely(chips ? !READ_ONCE(chips->pic.output) : vcpu->apic->extint < 0))
		return false;
	return mvm_lapic_accepts_extint(&vcpu->apic->lapic);
}

/**
 * mvm_irq_take_extint() - it goes in now
 * @vcpu: one that mvm_irq_extint_waits() is true for
 *
 * Return: its vector; a spurious one if another vCPU was faster.
 */
u8 mvm_irq_take_extint(struct mvm_vcpu *vcpu)
{
	struct mvm_irqchip *chips = vcpu->vm->chips;
	unsigned long flags;
	u8 vector;

	if (!chips) {
		vector = vcpu->apic->extint;
		vcpu->apic->extint = -1;
		return vector;
	}
	spin_lock_irqsave(&chips->lock, flags);
	vector = mvm_pic_acknowledge(&chips->pic);
	mvm_irq_unlock(chips, flags);
	return vector;
}

/* --- The I/O APIC -------------------------------------------------------------- */

static int send(struct mvm_ioapic *ioapic, struct mvm_lapic_irq *irq)
{
	struct mvm_irqchip *chips = container_of(ioapic, struct mvm_irqchip, ioapic);

	return mvm_irqchip_send(chips->vm, NULL, irq);
}

static int set_ioapic_line(struct mvm_irqchip *chips, u32 source, unsigned int pin, bool level)
{
	u8 *sources = &chips->ioapic_sources[pin];
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&chips->lock, flags);
	*sources = level ? *sources | BIT(source) : *sources & ~BIT(source);
	ret = mvm_ioapic_set_line(&chips->ioapic, pin, *sources);
	spin_unlock_irqrestore(&chips->lock, flags);
	return ret;
}

static bool read_ioapic(struct mvm_bus_device *device, u64 addr, u32 len, void *data)
{
	struct mvm_irqchip *chips = device->owner;
	unsigned long flags;
	u64 value;

	spin_lock_irqsave(&chips->lock, flags);
	value = mvm_ioapic_read(&chips->ioapic, addr - MVM_IOAPIC_BASE);
	spin_unlock_irqrestore(&chips->lock, flags);
	memcpy(data, &value, len);
	return true;
}

static bool write_ioapic(struct mvm_bus_device *device, u64 addr, u32 len, const void *data)
{
	struct mvm_irqchip *chips = device->owner;
	unsigned long flags;
	u32 value = 0, unmasked;

	/* As KVM, which ignores the upper half, and other lengths. */
	if (!is_power_of_2(len))
		return true;
	memcpy(&value, data, min_t(u32, len, sizeof(value)));
	spin_lock_irqsave(&chips->lock, flags);
	mvm_ioapic_write(&chips->ioapic, addr - MVM_IOAPIC_BASE, value);
	unmasked = chips->ioapic.unmasked;
	chips->ioapic.unmasked = 0;
	spin_unlock_irqrestore(&chips->lock, flags);
	if (unmasked)
		tell_unmasked(chips->vm, KVM_IRQCHIP_IOAPIC, unmasked);
	return true;
}

static void eoi_for_user(struct mvm_vcpu *vcpu, u8 vector)
{
	const struct mvm_routes *routes;

	rcu_read_lock();
	routes = rcu_dereference(vcpu->vm->routes);
	if (routes && test_bit(vector, routes->level)) {
		vcpu->apic->eoi_vector = vector;
		vcpu->pending |= MVM_PENDING_EOI;
	}
	rcu_read_unlock();
}

/**
 * mvm_irq_eoi() - a vCPU has ended an interrupt of its local APIC
 * @vcpu: the vCPU, its mutex held
 * @vector: the vector
 * @level: it was level-triggered
 *
 * The I/O APIC gets to know of it, be it here or in user space. Who listens to a
 * line's EOI does so first: what it does with the line decides whether that
 * interrupts again.
 */
void mvm_irq_eoi(struct mvm_vcpu *vcpu, u8 vector, bool level)
{
	struct mvm_irqchip *chips = vcpu->vm->chips;
	unsigned long flags;
	u32 pins;

	trace_minivmm_eoi(vcpu, vector);
	if (!chips) {
		if (level)
			eoi_for_user(vcpu, vector);
		return;
	}
	if (!test_bit(vector, chips->ioapic.vectors))
		return;
	spin_lock_irqsave(&chips->lock, flags);
	pins = mvm_ioapic_pins(&chips->ioapic, vector);
	spin_unlock_irqrestore(&chips->lock, flags);
	tell_acked(vcpu->vm, KVM_IRQCHIP_IOAPIC, pins);
	if (!level)
		return;
	spin_lock_irqsave(&chips->lock, flags);
	mvm_ioapic_eoi(&chips->ioapic, vector);
	spin_unlock_irqrestore(&chips->lock, flags);
}

/**
 * mvm_irq_eoi_vectors() - which EOIs does mvm_irq_eoi() have to be told of?
 * @vm: a VM with local APICs
 * @vectors: a bit for each; it may be told of others, too
 *
 * Context: any.
 */
void mvm_irq_eoi_vectors(struct mvm_vm *vm, u64 vectors[4])
{
	const struct mvm_routes *routes;
	int i;

	if (vm->chips) {
		for (i = 0; i < 4; i++)
			vectors[i] = READ_ONCE(vm->chips->ioapic.vectors[i]);
		return;
	}
	rcu_read_lock();
	routes = rcu_dereference(vm->routes);
	for (i = 0; i < 4; i++)
		vectors[i] = routes ? routes->level[i] : 0;
	rcu_read_unlock();
}

/* --- Lines --------------------------------------------------------------------- */

static int set_route(struct mvm_vm *vm, const struct mvm_route *route, u32 source, bool level)
{
	struct mvm_lapic_irq irq;

	if (route->msi) {
		if (!level)
			return -1;
		mvm_lapic_msi(&irq, route->address, route->data);
		return mvm_irqchip_send(vm, NULL, &irq);
	}
	/* The table has such a route only where they are. */
	if (route->chip == KVM_IRQCHIP_IOAPIC)
		return set_ioapic_line(vm->chips, source, route->pin, level);
	return set_pic_line(vm->chips, source,
			    route->pin + (route->chip == KVM_IRQCHIP_PIC_SLAVE ? 8 : 0), level);
}

/**
 * mvm_irq_set() - a device sets its interrupt line
 * @vm: a VM with interrupt controllers in the kernel
 * @source: MVM_IRQ_*
 * @gsi: the line; one that has no route, or does not exist, leads nowhere
 * @level: up
 *
 * Context: any, hard interrupts too.
 *
 * Return: how many took it, 0 if it became one with an interrupt that waits
 * already, -1 if it is masked or leads nowhere: KVM_IRQ_LINE_STATUS's answer.
 */
int mvm_irq_set(struct mvm_vm *vm, u32 source, u32 gsi, bool level)
{
	const struct mvm_routes *routes;
	int ret = -1, one;
	u32 i;

	rcu_read_lock();
	routes = rcu_dereference(vm->routes);
	if (routes && gsi < routes->nr_gsis) {
		gsi = array_index_nospec(gsi, routes->nr_gsis);
		for (i = routes->first[gsi]; i < routes->first[gsi + 1]; i++) {
			one = set_route(vm, &routes->route[i], source, level);
			if (one >= 0)
				ret = max(ret, 0) + one;
		}
	}
	rcu_read_unlock();
	return ret;
}

/**
 * mvm_irq_add_ack() - want to know of a GSI's EOI
 * @vm: the VM, its lock held
 * @ack: filled in; stays until nobody uses the VM any more
 */
void mvm_irq_add_ack(struct mvm_vm *vm, struct mvm_irq_ack *ack)
{
	lockdep_assert_held(&vm->lock);
	hlist_add_head_rcu(&ack->link, &vm->irq_acks);
}

/**
 * mvm_irqchip_line() - KVM_IRQ_LINE and KVM_IRQ_LINE_STATUS
 * @vm: the VM
 * @user: the argument
 * @status: say what became of it
 *
 * Return: 0; -ENXIO without interrupt controllers in the kernel, -EFAULT.
 */
int mvm_irqchip_line(struct mvm_vm *vm, struct kvm_irq_level __user *user, bool status)
{
	struct kvm_irq_level line;

	if (copy_from_user(&line, user, sizeof(line)))
		return -EFAULT;
	/* Pairs with the release where it is set. */
	if (!smp_load_acquire(&vm->irqchip))
		return -ENXIO;
	line.status = mvm_irq_set(vm, MVM_IRQ_USER, line.irq, line.level);
	if (status && copy_to_user(user, &line, sizeof(line)))
		return -EFAULT;
	return 0;
}

/* --- Life ---------------------------------------------------------------------- */

/**
 * mvm_irq_create_chips() - make PIC and I/O APIC
 * @vm: the VM; guests do not see them yet
 *
 * Return: to be freed by kfree(), or NULL.
 */
struct mvm_irqchip *mvm_irq_create_chips(struct mvm_vm *vm)
{
	static const u16 ports[] = { MVM_PIC_MASTER, MVM_PIC_SLAVE, MVM_PIC_ELCR };
	struct mvm_irqchip *chips = kzalloc(sizeof(*chips), GFP_KERNEL_ACCOUNT);
	int i;

	if (!chips)
		return NULL;
	chips->vm = vm;
	spin_lock_init(&chips->lock);
	mvm_pic_init(&chips->pic);
	chips->ioapic.send = send;
	mvm_ioapic_init(&chips->ioapic);
	for (i = 0; i < ARRAY_SIZE(ports); i++)
		chips->pic_ports[i] = (struct mvm_bus_device) {
			.addr = ports[i], .len = 2, .owner = chips,
			.read = read_pic, .write = write_pic,
		};
	chips->ioapic_page = (struct mvm_bus_device) {
		.addr = MVM_IOAPIC_BASE, .len = MVM_IOAPIC_LEN, .owner = chips,
		.read = read_ioapic, .write = write_ioapic,
	};
	return chips;
}
