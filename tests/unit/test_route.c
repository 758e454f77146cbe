// SPDX-License-Identifier: GPL-2.0
/* The table of routes: which are taken, and where each GSI leads to. */
// sources: module/irqchip/route.c module/irqchip/lapic_message.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/bits.h>
#include <linux/kernel.h>

#include "irqchip/route.h"

static struct kvm_irq_routing_entry e[MVM_MAX_IRQ_ROUTES + 1];
static struct mvm_routes *r;

static int teardown(void **state)
{
	free(r);
	r = NULL;
	memset(e, 0, sizeof(e));
	return 0;
}

static struct kvm_irq_routing_entry pin(u32 gsi, u32 chip, u32 number)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = number },
	};
}

static struct kvm_irq_routing_entry msi(u32 gsi, u32 address, u32 data)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = address, .address_hi = 7, .data = data },
	};
}

static int fill(u32 nr, bool controllers, u32 split)
{
	size_t size = mvm_routes_size(e, nr);

	if (!size)
		return -EINVAL;
	free(r);
	r = malloc(size);
	assert_non_null(r);
	memset(r, 0xa5, size);
	return mvm_routes_fill(r, e, nr, controllers, split);
}

static void found(void **state)
{
	e[0] = pin(5, KVM_IRQCHIP_IOAPIC, 23);
	e[1] = msi(9, 0xfee01000, 0x8044);
	e[2] = pin(0, KVM_IRQCHIP_PIC_MASTER, 7);
	e[3] = pin(5, KVM_IRQCHIP_PIC_SLAVE, 2);
	e[4] = msi(7, 0xfee02000, 0x45);
	assert_int_equal(fill(5, true, 0), 0);
	assert_int_equal(r->nr_gsis, 10);
	assert_int_equal(r->first[0], 0);
	assert_int_equal(r->first[1], 1);
	assert_int_equal(r->first[5], 1);
	assert_int_equal(r->first[6], 3);
	assert_int_equal(r->first[7], 3);
	assert_int_equal(r->first[8], 4);
	assert_int_equal(r->first[9], 4);
	assert_int_equal(r->first[10], 5);
	assert_int_equal(r->route[1].chip, KVM_IRQCHIP_IOAPIC);
	assert_int_equal(r->route[1].pin, 23);
	assert_int_equal(r->route[2].chip, KVM_IRQCHIP_PIC_SLAVE);
	assert_true(r->route[3].msi);
	assert_int_equal(r->route[3].data, 0x45);
	assert_int_equal(r->route[4].address, 0x7fee01000);
	assert_int_equal(r->gsi_of[KVM_IRQCHIP_IOAPIC][23], 5);
	assert_int_equal(r->gsi_of[KVM_IRQCHIP_PIC_SLAVE][2], 5);
	assert_int_equal(r->gsi_of[KVM_IRQCHIP_PIC_MASTER][7], 0);
	assert_int_equal(r->gsi_of[KVM_IRQCHIP_PIC_MASTER][0], -1);
	/* None of them is a pin of user space's. */
	assert_int_equal(r->level[1], 0);
	assert_int_equal(fill(0, true, 0), 0);
	assert_int_equal(r->nr_gsis, 0);
}

static void split(void **state)
{
	e[0] = msi(23, 0xfee00000, 0x8044);
	e[1] = msi(24, 0xfee00000, 0x8045);
	e[2] = msi(1, 0xfee00000, 0x46);
	assert_int_equal(fill(3, false, 24), 0);
	assert_int_equal(r->level[1], 1ul << 4);
	assert_int_equal(r->level[0] | r->level[2] | r->level[3], 0);
}

static void refused(void **state)
{
	static const struct { u32 chip, pin; int ret; } pins[] = {
		{ KVM_IRQCHIP_PIC_MASTER, 7, 0 }, { KVM_IRQCHIP_PIC_MASTER, 8, -EINVAL },
		{ KVM_IRQCHIP_PIC_SLAVE, 7, 0 }, { KVM_IRQCHIP_PIC_SLAVE, 8, -EINVAL },
		{ KVM_IRQCHIP_IOAPIC, 23, 0 }, { KVM_IRQCHIP_IOAPIC, 24, -EINVAL },
		{ 3, 0, -EINVAL }, { ~0u, 0, -EINVAL }, { 0, ~0u, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pins); i++) {
		e[0] = pin(0, pins[i].chip, pins[i].pin);
		assert_int_equal(fill(1, true, 0), pins[i].ret);
		assert_int_equal(fill(1, false, 24), -EINVAL);
	}
	e[0] = pin(4095, 0, 0);
	assert_int_equal(fill(1, true, 0), 0);
	e[0].flags = KVM_MSI_VALID_DEVID;
	assert_int_equal(fill(1, true, 0), -EINVAL);
	e[0] = pin(4096, 0, 0);
	assert_int_equal(fill(1, true, 0), -EINVAL);
	e[0] = pin(~0u, 0, 0);
	assert_int_equal(fill(1, true, 0), -EINVAL);
	e[0] = msi(0, 0xfee00000, 0);
	e[0].flags = KVM_MSI_VALID_DEVID;
	assert_int_equal(fill(1, true, 0), 0);
	e[0].flags = 2;
	assert_int_equal(fill(1, true, 0), -EINVAL);
	e[0] = (struct kvm_irq_routing_entry) { .type = KVM_IRQ_ROUTING_HV_SINT };
	assert_int_equal(fill(1, true, 0), -EINVAL);
	e[0].type = 0;
	assert_int_equal(fill(1, true, 0), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(e); i++)
		e[i] = msi(i % MVM_MAX_IRQ_ROUTES, 0xfee00000, i);
	assert_int_equal(fill(MVM_MAX_IRQ_ROUTES, true, 0), 0);
	assert_int_equal(r->first[MVM_MAX_IRQ_ROUTES], MVM_MAX_IRQ_ROUTES);
	assert_int_equal(mvm_routes_size(e, MVM_MAX_IRQ_ROUTES + 1), 0);
}

static void clashes(void **state)
{
	unsigned int i;

	e[0] = pin(1, KVM_IRQCHIP_IOAPIC, 1);
	e[1] = pin(1, KVM_IRQCHIP_IOAPIC, 2);
	assert_int_equal(fill(2, true, 0), -EINVAL);
	e[1] = msi(1, 0xfee00000, 1);
	assert_int_equal(fill(2, true, 0), -EINVAL);
	e[0] = e[1];
	assert_int_equal(fill(2, true, 0), -EINVAL);
	/* Two GSIs may have the same pin. */
	e[0] = pin(1, KVM_IRQCHIP_IOAPIC, 1);
	e[1] = pin(2, KVM_IRQCHIP_IOAPIC, 1);
	assert_int_equal(fill(2, true, 0), 0);
	e[0] = pin(1, KVM_IRQCHIP_PIC_MASTER, 1);
	e[1] = pin(1, KVM_IRQCHIP_PIC_SLAVE, 1);
	e[2] = pin(1, KVM_IRQCHIP_IOAPIC, 1);
	assert_int_equal(fill(3, true, 0), 0);
	e[3] = e[0];
	assert_int_equal(fill(4, true, 0), -EINVAL);
	/* It does not take long to see. */
	for (i = 0; i < MVM_MAX_IRQ_ROUTES; i++)
		e[i] = msi(1, 0xfee00000, 1);
	assert_int_equal(fill(MVM_MAX_IRQ_ROUTES, true, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(found, teardown),
		cmocka_unit_test_teardown(split, teardown),
		cmocka_unit_test_teardown(refused, teardown),
		cmocka_unit_test_teardown(clashes, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
