// SPDX-License-Identifier: GPL-2.0
/*
 * The table of routes.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "lapic.h"
#include "route.h"

static u32 nr_gsis(const struct kvm_irq_routing_entry *entries, u32 nr)
{
	u32 i, last = 0;

	for (i = 0; i < nr; i++)
		last = max(last, entries[i].gsi);
	return nr ? last + 1 : 0;
}

static size_t head_size(u32 gsis)
{
	return ALIGN(offsetof(struct mvm_routes, first) + (gsis + 1) * sizeof(u16),
		     sizeof(u64));
}

/**
 * mvm_routes_size() - what mvm_routes_fill() needs
 * @entries: the table of KVM_SET_GSI_ROUTING
 * @nr: its entries
 *
 * Return: bytes; 0 if a GSI or the number of entries is too large.
 */
size_t mvm_routes_size(const struct kvm_irq_routing_entry *entries, u32 nr)
{
	u32 i;

	if (nr > MVM_MAX_IRQ_ROUTES)
		return 0;
	for (i = 0; i < nr; i++)
		if (entries[i].gsi >= MVM_MAX_IRQ_ROUTES)
			return 0;
	return head_size(nr_gsis(entries, nr)) + nr * sizeof(struct mvm_route);
}

static int fill_pin(struct mvm_routes *routes, const struct kvm_irq_routing_entry *e,
		    struct mvm_route *route)
{
	u32 pins = e->u.irqchip.irqchip == KVM_IRQCHIP_IOAPIC ? KVM_IOAPIC_NUM_PINS : 8;

	if (e->flags || e->u.irqchip.irqchip >= KVM_NR_IRQCHIPS || e->u.irqchip.pin >= pins)
		return -EINVAL;
	route->chip = e->u.irqchip.irqchip;
	route->pin = e->u.irqchip.pin;
	routes->gsi_of[route->chip][route->pin] = e->gsi;
	return 0;
}

static int fill_msi(struct mvm_routes *routes, const struct kvm_irq_routing_entry *e,
		    struct mvm_route *route, u32 split_pins)
{
	struct mvm_lapic_irq irq;

	if (e->flags & ~KVM_MSI_VALID_DEVID)
		return -EINVAL;
	route->msi = true;
	route->address = e->u.msi.address_lo | (u64)e->u.msi.address_hi << 32;
	route->data = e->u.msi.data;
	mvm_lapic_msi(&irq, route->address, route->data);
	if (irq.level && e->gsi < split_pins)
		__set_bit(irq.vector, routes->level);
	return 0;
}

/* A GSI leads to one message, or to one pin of each controller. */
static bool clash(const struct mvm_route *a, const struct mvm_route *b)
{
	return a->msi || b->msi || a->chip == b->chip;
}

static int check_gsi(const struct mvm_routes *routes, u32 gsi)
{
	u32 begin = routes->first[gsi], end = routes->first[gsi + 1], i, j;

	if (end - begin > KVM_NR_IRQCHIPS)
		return -EINVAL;
	for (i = begin; i < end; i++)
		for (j = begin; j < i; j++)
			if (clash(&routes->route[i], &routes->route[j]))
				return -EINVAL;
	return 0;
}

/**
 * mvm_routes_fill() - make the table
 * @routes: mvm_routes_size() bytes
 * @entries: the table of KVM_SET_GSI_ROUTING
 * @nr: its entries
 * @controllers: there are PIC and I/O APIC
 * @split_pins: GSIs below it are the pins of user space's I/O APIC
 *
 * Return: 0, or -EINVAL for an entry that cannot be.
 */
int mvm_routes_fill(struct mvm_routes *routes, const struct kvm_irq_routing_entry *entries,
		    u32 nr, bool controllers, u32 split_pins)
{
	u32 gsis = nr_gsis(entries, nr), i;
	struct mvm_route *route = (void *)routes + head_size(gsis);
	int ret = 0;

	memset(routes, 0, mvm_routes_size(entries, nr));
	memset(routes->gsi_of, -1, sizeof(routes->gsi_of));
	routes->nr_gsis = gsis;
	routes->nr = nr;
	routes->route = route;
	/* How many each has; where they end; and, filled from there, where they begin. */
	for (i = 0; i < nr; i++)
		routes->first[entries[i].gsi]++;
	for (i = 1; i < gsis; i++)
		routes->first[i] += routes->first[i - 1];
	routes->first[gsis] = nr;
	for (i = nr; i-- > 0 && !ret;) {
		const struct kvm_irq_routing_entry *e = &entries[i];
		u32 at = --routes->first[e->gsi];

		if (e->type == KVM_IRQ_ROUTING_IRQCHIP && controllers)
			ret = fill_pin(routes, e, &route[at]);
		else if (e->type == KVM_IRQ_ROUTING_MSI)
			ret = fill_msi(routes, e, &route[at], split_pins);
		else
			ret = -EINVAL;
	}
	for (i = 0; i < gsis && !ret; i++)
		ret = check_gsi(routes, i);
	return ret;
}
