// SPDX-License-Identifier: GPL-2.0
/*
 * The I/O APIC: against what its data sheet says, and where that leaves a choice,
 * KVM.
 */
// sources: module/irqchip/ioapic.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/bits.h>
#include <linux/kernel.h>

#include "irqchip/ioapic.h"

static struct mvm_ioapic io;
static struct mvm_lapic_irq last;
static int sent, takers;

static int send(struct mvm_ioapic *ioapic, struct mvm_lapic_irq *irq)
{
	assert_ptr_equal(ioapic, &io);
	last = *irq;
	sent++;
	return takers;
}

static int setup(void **state)
{
	memset(&io, 0xff, sizeof(io));
	io.send = send;
	mvm_ioapic_init(&io);
	sent = 0;
	takers = 1;
	return 0;
}

static u32 reg(u32 index)
{
	mvm_ioapic_write(&io, 0, index);
	return mvm_ioapic_read(&io, 0x10);
}

static void set_reg(u32 index, u32 value)
{
	mvm_ioapic_write(&io, 0, index);
	mvm_ioapic_write(&io, 0x10, value);
}

static void registers(void **state)
{
	u32 i;

	assert_int_equal(io.vectors[0], 1);
	assert_int_equal(io.vectors[3], 0);
	assert_int_equal(reg(1), 0x170011);
	set_reg(1, 0);
	assert_int_equal(reg(1), 0x170011);
	assert_int_equal(reg(0), 0);
	set_reg(0, 0xffffffff);
	assert_int_equal(reg(0), 0x0f000000);
	assert_int_equal(reg(2), 0x0f000000);
	set_reg(2, 0);
	assert_int_equal(reg(0), 0x0f000000);
	for (i = 0; i < 24; i++) {
		assert_int_equal(reg(0x10 + 2 * i), 0x10000);
		assert_int_equal(reg(0x11 + 2 * i), 0);
	}
	/* What is not there */
	assert_int_equal(reg(3), 0xffffffff);
	assert_int_equal(reg(0xf), 0xffffffff);
	assert_int_equal(reg(0x40), 0xffffffff);
	assert_int_equal(reg(0xff), 0xffffffff);
	set_reg(0xff, 0);
	set_reg(0x40, 0);
	set_reg(3, 0);
	mvm_ioapic_write(&io, 0, 0x1234);
	assert_int_equal(mvm_ioapic_read(&io, 0), 0x34);
	assert_int_equal(mvm_ioapic_read(&io, 0x20), 0);
	assert_int_equal(mvm_ioapic_read(&io, 0x40), 0);
	mvm_ioapic_write(&io, 0x40, 0x31);
	assert_int_equal(sent, 0);
}

static void entries(void **state)
{
	set_reg(0x10 + 2 * 23, 0xffffffff);
	set_reg(0x11 + 2 * 23, 0x12345678);
	/* Delivery status and remote IRR are read-only. */
	assert_int_equal(reg(0x10 + 2 * 23), 0xffffafff);
	assert_int_equal(reg(0x11 + 2 * 23), 0x12345678);
	assert_int_equal(mvm_ioapic_pins(&io, 0xff), 1 << 23);
	assert_int_equal(mvm_ioapic_pins(&io, 0), 0x7fffff);
	assert_int_equal(io.vectors[3] >> 63, 1);
}

static void edge(void **state)
{
	set_reg(0x11 + 2 * 4, 0x03000000);
	set_reg(0x10 + 2 * 4, 0x831);
	assert_int_equal(mvm_ioapic_set_line(&io, 4, true), 1);
	assert_int_equal(sent, 1);
	assert_int_equal(last.vector, 0x31);
	assert_int_equal(last.dest, 3);
	assert_int_equal(last.mode, 0);
	assert_true(last.logical && last.assert);
	assert_false(last.level || last.lowest);
	assert_int_equal(last.shorthand, MVM_APIC_NO_SHORTHAND);
	/* It is up already. */
	assert_int_equal(mvm_ioapic_set_line(&io, 4, true), 0);
	assert_int_equal(sent, 1);
	assert_int_equal(mvm_ioapic_set_line(&io, 4, false), 1);
	assert_int_equal(mvm_ioapic_set_line(&io, 4, true), 1);
	assert_int_equal(sent, 2);
	/* No EOI is needed, and none does anything. */
	mvm_ioapic_eoi(&io, 0x31);
	assert_int_equal(sent, 2);
	/* Nobody is there. */
	takers = 0;
	mvm_ioapic_set_line(&io, 4, false);
	assert_int_equal(mvm_ioapic_set_line(&io, 4, true), 0);
	/* An edge on a masked pin is lost. */
	takers = 1;
	set_reg(0x10 + 2 * 4, 0x10831);
	mvm_ioapic_set_line(&io, 4, false);
	sent = 0;
	assert_int_equal(mvm_ioapic_set_line(&io, 4, true), -1);
	set_reg(0x10 + 2 * 4, 0x831);
	assert_int_equal(sent, 0);
}

static void level(void **state)
{
	set_reg(0x10 + 2 * 9, 0x8142);
	assert_int_equal(mvm_ioapic_set_line(&io, 9, true), 1);
	assert_true(last.level && last.lowest);
	assert_int_equal(last.mode, MVM_APIC_LOWEST);
	assert_int_equal(reg(0x10 + 2 * 9), 0xc142);
	/* Until the EOI there is no other. */
	assert_int_equal(mvm_ioapic_set_line(&io, 9, true), -1);
	mvm_ioapic_set_line(&io, 9, false);
	assert_int_equal(mvm_ioapic_set_line(&io, 9, true), -1);
	assert_int_equal(sent, 1);
	mvm_ioapic_eoi(&io, 0x41);
	assert_int_equal(sent, 1);
	/* Then there is if the line is up. */
	mvm_ioapic_eoi(&io, 0x42);
	assert_int_equal(sent, 2);
	assert_int_equal(reg(0x10 + 2 * 9), 0xc142);
	mvm_ioapic_set_line(&io, 9, false);
	mvm_ioapic_eoi(&io, 0x42);
	assert_int_equal(sent, 2);
	assert_int_equal(reg(0x10 + 2 * 9), 0x8142);

	/* Masked: the line waits, and unmasking sends it. */
	set_reg(0x10 + 2 * 9, 0x18142);
	assert_int_equal(mvm_ioapic_set_line(&io, 9, true), -1);
	set_reg(0x10 + 2 * 9, 0x8142);
	assert_int_equal(sent, 3);
	/* Switching to edges and back ends it, for there is no EOI register. */
	set_reg(0x10 + 2 * 9, 0x10142);
	assert_int_equal(reg(0x10 + 2 * 9), 0x10142);
	set_reg(0x10 + 2 * 9, 0x8142);
	assert_int_equal(sent, 4);
	/* Masked meanwhile: the EOI ends it, and sends nothing. */
	set_reg(0x10 + 2 * 9, 0x18142);
	mvm_ioapic_eoi(&io, 0x42);
	assert_int_equal(sent, 4);
	assert_int_equal(reg(0x10 + 2 * 9), 0x18142);

	/* Whom nobody takes waits for no EOI. */
	setup(NULL);
	takers = 0;
	set_reg(0x10 + 2 * 9, 0x8042);
	assert_int_equal(mvm_ioapic_set_line(&io, 9, true), 0);
	assert_int_equal(reg(0x10 + 2 * 9), 0x8042);
}

static void shared_vector(void **state)
{
	set_reg(0x10 + 2 * 9, 0x8050);
	set_reg(0x10 + 2 * 10, 0x8050);
	set_reg(0x10 + 2 * 11, 0x50);
	mvm_ioapic_set_line(&io, 9, true);
	mvm_ioapic_set_line(&io, 10, true);
	mvm_ioapic_set_line(&io, 11, true);
	assert_int_equal(mvm_ioapic_pins(&io, 0x50), 7 << 9);
	sent = 0;
	mvm_ioapic_set_line(&io, 9, false);
	mvm_ioapic_eoi(&io, 0x50);
	assert_int_equal(sent, 1);
	assert_int_equal(reg(0x10 + 2 * 9), 0x8050);
	assert_int_equal(reg(0x10 + 2 * 10), 0xc050);
}

static void modes(void **state)
{
	static const u16 modes[] = {
		MVM_APIC_FIXED, MVM_APIC_LOWEST, MVM_APIC_SMI, MVM_APIC_NMI,
		MVM_APIC_INIT, MVM_APIC_EXTINT,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		set_reg(0x10, modes[i]);
		mvm_ioapic_set_line(&io, 0, true);
		assert_int_equal(last.mode, modes[i]);
		assert_int_equal(last.lowest, modes[i] == MVM_APIC_LOWEST);
		mvm_ioapic_set_line(&io, 0, false);
	}
	assert_int_equal(sent, ARRAY_SIZE(modes));
}

static void state_kept(void **unused)
{
	struct kvm_ioapic_state s;

	set_reg(0x10 + 2 * 5, 0x8055);
	set_reg(0x10 + 2 * 6, 0x56);
	set_reg(0x10 + 2 * 7, 0x10057);
	mvm_ioapic_set_line(&io, 5, true);
	mvm_ioapic_set_line(&io, 6, true);
	mvm_ioapic_set_line(&io, 7, true);
	mvm_ioapic_get_state(&io, &s);
	assert_int_equal(s.base_address, 0xfec00000);
	/* The edge that was sent is not told. */
	assert_int_equal(s.irr, 0xa0);
	assert_int_equal(s.redirtbl[5].bits, 0xc055);
	setup(NULL);
	mvm_ioapic_set_state(&io, &s);
	/* It is with its local APIC: what awaits its EOI is not sent again. */
	assert_int_equal(sent, 0);
	mvm_ioapic_eoi(&io, 0x55);
	assert_int_equal(sent, 1);
	/* A level that was not sent is, and an edge. */
	s.redirtbl[7].bits = 0x57;
	setup(NULL);
	io.delivered = 0xffffff;
	mvm_ioapic_set_state(&io, &s);
	assert_int_equal(sent, 1);
	assert_int_equal(last.vector, 0x57);
	assert_int_equal(io.vectors[1] >> 0x17 & 1, 1);
	mvm_ioapic_get_state(&io, &s);
	assert_int_equal(s.irr, 0x20);
	/* An edge after that one which is not sent */
	mvm_ioapic_set_line(&io, 7, false);
	set_reg(0x10 + 2 * 7, 0x10057);
	mvm_ioapic_set_line(&io, 7, true);
	mvm_ioapic_get_state(&io, &s);
	assert_int_equal(s.irr, 0xa0);
	s.redirtbl[5].bits = 0x8055;
	setup(NULL);
	mvm_ioapic_set_state(&io, &s);
	assert_int_equal(sent, 1);
	assert_int_equal(last.vector, 0x55);
	/* Whatever is set does no harm. */
	memset(&s, 0xff, sizeof(s));
	mvm_ioapic_set_state(&io, &s);
	assert_int_equal(reg(0x3f), 0xffffffff);
	mvm_ioapic_eoi(&io, 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers, setup),
		cmocka_unit_test_setup(entries, setup),
		cmocka_unit_test_setup(edge, setup),
		cmocka_unit_test_setup(level, setup),
		cmocka_unit_test_setup(shared_vector, setup),
		cmocka_unit_test_setup(modes, setup),
		cmocka_unit_test_setup(state_kept, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
