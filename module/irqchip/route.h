/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where GSIs lead to: the table of KVM_SET_GSI_ROUTING. Plain C.
 */
#ifndef MVM_ROUTE_H
#define MVM_ROUTE_H

#include <linux/bits.h>
#include <linux/kvm.h>
#include <linux/types.h>

/* What KVM_CAP_IRQ_ROUTING reports, as KVM: the number of GSIs, and of routes */
#define MVM_MAX_IRQ_ROUTES	4096

/* Pins of the widest of the KVM_NR_IRQCHIPS controllers */
#define MVM_ROUTE_PINS		24

/**
 * struct mvm_route - where one GSI leads to
 * @msi: it is a message; a pin of a controller otherwise
 * @chip: KVM_IRQCHIP_*
 * @pin: of that controller
 * @data: the message's
 * @address: the same
 */
struct mvm_route {
	bool msi;
	u8 chip;
	u8 pin;
	u32 data;
	u64 address;
};

/**
 * struct mvm_routes - all routes; never changes
 * @nr_gsis: GSIs from here on have none
 * @nr: how many routes
 * @gsi_of: of a controller's pin, or -1
 * @level: vectors of the messages that are level-triggered and whose GSI is a pin
 *	of user space's I/O APIC
 * @first: the first route of each GSI, and one more at the end
 * @route: by GSI, behind @first
 */
struct mvm_routes {
	u32 nr_gsis;
	u32 nr;
	s16 gsi_of[KVM_NR_IRQCHIPS][MVM_ROUTE_PINS];
	unsigned long level[256 / BITS_PER_LONG];
	const struct mvm_route *route;
	u16 first[];
};

size_t mvm_routes_size(const struct kvm_irq_routing_entry *entries, u32 nr);
int mvm_routes_fill(struct mvm_routes *routes, const struct kvm_irq_routing_entry *entries,
		    u32 nr, bool controllers, u32 split_pins);

#endif
