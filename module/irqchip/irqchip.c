// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that make the interrupt controllers of a VM, say where its lines lead
 * to, and read and write the controllers' registers. What they do: irq.c.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "../mvm.h"
#include "irqchip.h"

/* --- Routes -------------------------------------------------------------------- */

/* Take another table. @vm's lock is held. Return: 0, -EINVAL or -ENOMEM. */
static int set_routes(struct mvm_vm *vm, const struct kvm_irq_routing_entry *entries, u32 nr)
{
	struct mvm_routes *old, *routes;
	size_t size = mvm_routes_size(entries, nr);
	int ret;

	if (!size)
		return -EINVAL;
	routes = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!routes)
		return -ENOMEM;
	ret = mvm_routes_fill(routes, entries, nr, vm->chips, vm->irqchip_pins);
	if (ret) {
		kvfree(routes);
		return ret;
	}
	old = rcu_replace_pointer(vm->routes, routes, lockdep_is_held(&vm->lock));
	if (old) {
		synchronize_rcu_expedited();
		kvfree(old);
	}
	return 0;
}

/**
 * mvm_irqchip_set_routes() - KVM_SET_GSI_ROUTING
 * @vm: the VM
 * @user: the argument
 *
 * May sleep. Afterwards nobody uses the routes before.
 *
 * Return: 0; -EINVAL without interrupt controllers in the kernel, or for what
 * cannot be; -EFAULT, -ENOMEM.
 */
int mvm_irqchip_set_routes(struct mvm_vm *vm, const struct kvm_irq_routing __user *user)
{
	struct kvm_irq_routing_entry *entries = NULL;
	struct kvm_irq_routing head;
	int ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (!READ_ONCE(vm->irqchip) || head.nr > MVM_MAX_IRQ_ROUTES || head.flags)
		return -EINVAL;
	if (head.nr) {
		entries = vmemdup_user(user->entries, head.nr * sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	mutex_lock(&vm->lock);
	ret = set_routes(vm, entries, head.nr);
	mutex_unlock(&vm->lock);
	kvfree(entries);
	return ret;
}

/* GSIs 0 to 15 are the lines of a PC, on PIC and I/O APIC; 16 to 23 the latter's. */
static int set_default_routes(struct mvm_vm *vm)
{
	struct kvm_irq_routing_entry *entries, *e;
	int ret;
	u32 i;

	entries = kcalloc(MVM_PIC_NR_LINES + MVM_IOAPIC_NR_PINS, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	e = entries;
	for (i = 0; i < MVM_IOAPIC_NR_PINS; i++) {
		*e++ = (struct kvm_irq_routing_entry) {
			.gsi = i, .type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = i },
		};
		if (i >= MVM_PIC_NR_LINES)
			continue;
		*e++ = (struct kvm_irq_routing_entry) {
			.gsi = i, .type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = {
				.irqchip = i < 8 ? KVM_IRQCHIP_PIC_MASTER :
						   KVM_IRQCHIP_PIC_SLAVE,
				.pin = i & 7,
			},
		};
	}
	ret = set_routes(vm, entries, e - entries);
	kfree(entries);
	return ret;
}

/* --- Life ---------------------------------------------------------------------- */

static int create(struct mvm_vm *vm)
{
	int i, ret;

	if (vm->irqchip)
		return -EEXIST;
	if (vm->nr_vcpus)
		return -EINVAL;
	vm->chips = mvm_irq_create_chips(vm);
	if (!vm->chips)
		return -ENOMEM;
	ret = set_default_routes(vm);
	if (ret) {
		kfree(vm->chips);
		vm->chips = NULL;
		return ret;
	}
	for (i = 0; i < ARRAY_SIZE(vm->chips->pic_ports); i++)
		mvm_bus_add_device(vm, MVM_BUS_PIO, &vm->chips->pic_ports[i]);
	mvm_bus_add_device(vm, MVM_BUS_MMIO, &vm->chips->ioapic_page);
	/* Who sees it sees the others. */
	smp_store_release(&vm->irqchip, true);
	return 0;
}

/**
 * mvm_irqchip_create() - KVM_CREATE_IRQCHIP
 * @vm: the VM
 *
 * Return: 0; -EEXIST if there is one, -EINVAL if there is a vCPU; -ENOMEM.
 */
int mvm_irqchip_create(struct mvm_vm *vm)
{
	int ret;

	mutex_lock(&vm->lock);
	ret = create(vm);
	mutex_unlock(&vm->lock);
	return ret;
}

/**
 * mvm_irqchip_split() - KVM_CAP_SPLIT_IRQCHIP: only local APICs in the kernel
 * @vm: the VM
 * @pins: GSIs below it are those of user space's I/O APIC
 *
 * Return: 0; -EINVAL for too many pins; -EEXIST if there is an irqchip or, as in
 * KVM, a vCPU; -ENOMEM.
 */
int mvm_irqchip_split(struct mvm_vm *vm, u64 pins)
{
	int ret;

	if (pins > MVM_MAX_IRQ_ROUTES)
		return -EINVAL;
	mutex_lock(&vm->lock);
	ret = vm->irqchip || vm->nr_vcpus ? -EEXIST : set_routes(vm, NULL, 0);
	if (!ret) {
		vm->irqchip_pins = pins;
		/* Who sees it sees the other. */
		smp_store_release(&vm->irqchip, true);
	}
	mutex_unlock(&vm->lock);
	return ret;
}

/**
 * mvm_irqchip_destroy() - the end of a VM
 * @vm: used by nobody any more
 */
void mvm_irqchip_destroy(struct mvm_vm *vm)
{
	kvfree(rcu_dereference_protected(vm->routes, true));
	kfree(vm->chips);
}

/* --- State --------------------------------------------------------------------- */

static int get_state(struct mvm_irqchip *chips, struct kvm_irqchip *chip)
{
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&chips->lock, flags);
	if (chip->chip_id == KVM_IRQCHIP_PIC_MASTER || chip->chip_id == KVM_IRQCHIP_PIC_SLAVE)
		chip->chip.pic = chips->pic.chip[chip->chip_id];
	else if (chip->chip_id == KVM_IRQCHIP_IOAPIC)
		mvm_ioapic_get_state(&chips->ioapic, &chip->chip.ioapic);
	else
		ret = -EINVAL;
	spin_unlock_irqrestore(&chips->lock, flags);
	return ret;
}

static int set_state(struct mvm_irqchip *chips, const struct kvm_irqchip *chip)
{
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&chips->lock, flags);
	if (chip->chip_id == KVM_IRQCHIP_PIC_MASTER || chip->chip_id == KVM_IRQCHIP_PIC_SLAVE)
		mvm_pic_set_state(&chips->pic, chip->chip_id, &chip->chip.pic);
	else if (chip->chip_id == KVM_IRQCHIP_IOAPIC)
		mvm_ioapic_set_state(&chips->ioapic, &chip->chip.ioapic);
	else
		ret = -EINVAL;
	mvm_irq_unlock(chips, flags);
	return ret;
}

/* The argument of both calls. Return: with its chip, or an error pointer. */
static struct kvm_irqchip *copy_state(struct mvm_vm *vm, const struct kvm_irqchip __user *user)
{
	struct kvm_irqchip *chip = memdup_user(user, sizeof(*chip));

	/* Pairs with the release where it is set. */
	if (IS_ERR(chip) || (smp_load_acquire(&vm->irqchip) && vm->chips))
		return chip;
	kfree(chip);
	return ERR_PTR(-ENXIO);
}

/**
 * mvm_irqchip_get_state() - KVM_GET_IRQCHIP
 * @vm: the VM
 * @user: the argument
 *
 * Return: 0; -ENXIO without PIC and I/O APIC in the kernel, -EINVAL for an unknown
 * chip, -EFAULT, -ENOMEM.
 */
int mvm_irqchip_get_state(struct mvm_vm *vm, struct kvm_irqchip __user *user)
{
	struct kvm_irqchip *chip = copy_state(vm, user);
	int ret;

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	ret = get_state(vm->chips, chip);
	if (!ret && copy_to_user(user, chip, sizeof(*chip)))
		ret = -EFAULT;
	kfree(chip);
	return ret;
}

/**
 * mvm_irqchip_set_state() - KVM_SET_IRQCHIP
 * @vm: the VM
 * @user: the argument
 *
 * Return: as mvm_irqchip_get_state().
 */
int mvm_irqchip_set_state(struct mvm_vm *vm, const struct kvm_irqchip __user *user)
{
	struct kvm_irqchip *chip = copy_state(vm, user);
	int ret;

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	ret = set_state(vm->chips, chip);
	kfree(chip);
	return ret;
}
