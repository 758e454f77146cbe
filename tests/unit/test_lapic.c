// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of the local APIC: against what the SDM says of each, and where
 * it leaves a choice, KVM.
 */
// sources: module/irqchip/lapic.c module/irqchip/lapic_access.c
// sources: module/irqchip/lapic_message.c
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

#include "irqchip/lapic.h"

#define XAPIC	0xfee00800
#define X2APIC	0xfee00c00
#define ENABLED	0x1ff	/* SVR: on, spurious vector ff */

static struct mvm_lapic l;
static u32 words[1024] __aligned(4096);
static struct mvm_lapic_irq irq;

static void new_lapic(void)
{
	memset(words, 0, sizeof(words));
	l = (struct mvm_lapic) { .regs = words };
}

/* After reset, switched on by software */
static void fresh(u32 id, u64 base)
{
	new_lapic();
	l.id = id;
	mvm_lapic_set_base(&l, XAPIC);
	mvm_lapic_set_base(&l, base);
	mvm_lapic_reset(&l);
	assert_int_equal(mvm_lapic_write(&l, MVM_APIC_SVR, ENABLED, 0, &irq),
			 MVM_LAPIC_LOOK);
}

static void request(u8 vector, bool level)
{
	mvm_lapic_request(&l, vector, level);
	mvm_lapic_collect(&l);
}

static u32 reg_at(u32 reg, u64 now)
{
	u32 value;

	assert_int_equal(mvm_lapic_read(&l, reg, now, &value), 0);
	return value;
}

static u32 reg(u32 reg)
{
	return reg_at(reg, 0);
}

static int write_at(u32 reg, u32 value, u64 now)
{
	return mvm_lapic_write(&l, reg, value, now, &irq);
}

static int write(u32 reg, u32 value)
{
	return write_at(reg, value, 0);
}

static bool in(u32 reg, int vector)
{
	return mvm_lapic_reg(&l, reg + vector / 32 * 16) >> vector % 32 & 1;
}

static void reset_values(void **state)
{
	u32 r;

	new_lapic();
	l.id = 5;
	mvm_lapic_set_base(&l, XAPIC | MVM_APIC_BASE_BSP);
	mvm_lapic_reset(&l);
	assert_int_equal(reg(MVM_APIC_ID), 5u << 24);
	assert_int_equal(reg(MVM_APIC_VERSION), 0x50014);
	assert_int_equal(reg(MVM_APIC_TPR), 0);
	assert_int_equal(reg(MVM_APIC_LDR), 0);
	assert_int_equal(reg(MVM_APIC_DFR), 0xffffffff);
	assert_int_equal(reg(MVM_APIC_SVR), 0xff);
	for (r = MVM_APIC_LVT_TIMER; r <= MVM_APIC_LVT_ERROR; r += 16)
		assert_int_equal(reg(r), r == MVM_APIC_LVT_LINT0 ? 0x700 : 0x10000);
	for (r = MVM_APIC_ISR; r < MVM_APIC_ESR; r += 16)
		assert_int_equal(reg(r), 0);
	assert_int_equal(reg(MVM_APIC_TIMER_INITIAL), 0);
	assert_int_equal(reg(MVM_APIC_TIMER_DIVIDE), 0);
	assert_false(mvm_lapic_accepts(&l));

	/* INIT: what was set is gone, the ID stays. */
	fresh(3, XAPIC);
	write(MVM_APIC_ID, 0x77000000);
	write(MVM_APIC_LDR, 0x12000000);
	write(MVM_APIC_TPR, 0x20);
	write(MVM_APIC_TIMER_INITIAL, 1000);
	request(0x44, true);
	mvm_lapic_reset(&l);
	assert_int_equal(reg(MVM_APIC_ID), 0x77000000);
	assert_int_equal(reg(MVM_APIC_LDR), 0);
	assert_int_equal(reg(MVM_APIC_TPR), 0);
	assert_int_equal(l.timer_target, 0);
	assert_false(in(MVM_APIC_IRR, 0x44) || in(MVM_APIC_TMR, 0x44));
	assert_int_equal(reg(MVM_APIC_LVT_LINT0), 0x10000);

	fresh(0x123, X2APIC);
	mvm_lapic_reset(&l);
	assert_int_equal(reg(MVM_APIC_ID), 0x123);
	assert_int_equal(reg(MVM_APIC_LDR), 0x12 << 16 | 1 << 3);
}

/* Which bits of each register can be written: SDM Vol. 3, its figures */
static void writable_bits(void **state)
{
	static const struct {
		u32 reg, mask, always;
	} table[] = {
		{ MVM_APIC_ID, 0xff000000, 0 },
		{ MVM_APIC_TPR, 0xff, 0 },
		{ MVM_APIC_LDR, 0xff000000, 0 },
		{ MVM_APIC_DFR, 0xf0000000, 0x0fffffff },
		{ MVM_APIC_SVR, 0x3ff, 0 },
		{ MVM_APIC_ICR, 0xffffefff, 0 },
		{ MVM_APIC_ICR2, 0xff000000, 0 },
		{ MVM_APIC_LVT_TIMER, 0x310ff, 0 },
		{ MVM_APIC_LVT_THERMAL, 0x117ff, 0 },
		{ MVM_APIC_LVT_PERF, 0x117ff, 0 },
		{ MVM_APIC_LVT_LINT0, 0x1f7ff, 0 },
		{ MVM_APIC_LVT_LINT1, 0x1f7ff, 0 },
		{ MVM_APIC_LVT_ERROR, 0x110ff, 0 },
		{ MVM_APIC_TIMER_INITIAL, 0xffffffff, 0 },
		{ MVM_APIC_TIMER_DIVIDE, 0xb, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		fresh(0, XAPIC);
		assert_true(write(table[i].reg, 0xffffffff) >= 0);
		assert_int_equal(reg(table[i].reg), table[i].mask | table[i].always);
		/* SVR's bit 8 is set or the LVT is masked */
		assert_true(write(table[i].reg, 0) >= 0);
		assert_int_equal(reg(table[i].reg), table[i].always);
	}
	/* Read-only, and not there at all */
	fresh(0, XAPIC);
	assert_int_equal(write(MVM_APIC_VERSION, 1), -EINVAL);
	assert_int_equal(write(MVM_APIC_PPR, 1), -EINVAL);
	assert_int_equal(write(MVM_APIC_IRR, 1), -EINVAL);
	assert_int_equal(write(MVM_APIC_TIMER_CURRENT, 1), -EINVAL);
	assert_int_equal(write(MVM_APIC_SELF_IPI, 0x40), -EINVAL);
	assert_int_equal(write(0x2f0, 0), -EINVAL);
	assert_int_equal(mvm_lapic_read(&l, 0, 0, &(u32){ 0 }), -EINVAL);
	assert_int_equal(mvm_lapic_read(&l, MVM_APIC_EOI, 0, &(u32){ 0 }), -EINVAL);
	assert_int_equal(mvm_lapic_read(&l, 0x290, 0, &(u32){ 0 }), -EINVAL);
	assert_int_equal(mvm_lapic_read(&l, MVM_APIC_SELF_IPI, 0, &(u32){ 0 }), -EINVAL);
}

static void software_disabled(void **state)
{
	fresh(0, XAPIC);
	write(MVM_APIC_LVT_TIMER, 0x40);
	write(MVM_APIC_LVT_LINT1, 0x400);
	assert_int_equal(write(MVM_APIC_SVR, 0xff), 0);
	assert_int_equal(reg(MVM_APIC_LVT_TIMER), 0x10040);
	assert_int_equal(reg(MVM_APIC_LVT_LINT1), 0x10400);
	write(MVM_APIC_LVT_TIMER, 0x41);
	assert_int_equal(reg(MVM_APIC_LVT_TIMER), 0x10041);
	assert_false(mvm_lapic_accepts(&l));
	write(MVM_APIC_SVR, ENABLED);
	assert_true(mvm_lapic_accepts(&l));
	assert_int_equal(reg(MVM_APIC_LVT_TIMER), 0x10041);
	write(MVM_APIC_LVT_TIMER, 0x41);
	assert_int_equal(reg(MVM_APIC_LVT_TIMER), 0x41);
}

static void priorities(void **state)
{
	fresh(0, XAPIC);
	assert_int_equal(mvm_lapic_pending(&l), -1);
	request(0x31, false);
	request(0x3f, true);
	request(0xf1, false);
	assert_true(in(MVM_APIC_TMR, 0x3f));
	assert_false(in(MVM_APIC_TMR, 0x31));
	assert_int_equal(mvm_lapic_pending(&l), 0xf1);
	mvm_lapic_acknowledge(&l, 0xf1);
	assert_true(in(MVM_APIC_ISR, 0xf1));
	assert_false(in(MVM_APIC_IRR, 0xf1));
	assert_int_equal(reg(MVM_APIC_PPR), 0xf0);
	/* The same class waits, also with a higher vector. */
	request(0xff, false);
	assert_int_equal(mvm_lapic_pending(&l), -1);
	assert_int_equal(write(MVM_APIC_EOI, 0), MVM_LAPIC_LOOK | MVM_LAPIC_EOI);
	assert_int_equal(irq.vector, 0xf1);
	assert_false(irq.level);
	assert_false(in(MVM_APIC_ISR, 0xf1));
	assert_int_equal(reg(MVM_APIC_PPR), 0);
	assert_int_equal(mvm_lapic_pending(&l), 0xff);
	mvm_lapic_acknowledge(&l, 0xff);
	write(MVM_APIC_EOI, 0);

	/* TPR: classes at or below it wait; PPR has all its bits. */
	assert_int_equal(write(MVM_APIC_TPR, 0x35), MVM_LAPIC_LOOK);
	assert_int_equal(reg(MVM_APIC_PPR), 0x35);
	assert_int_equal(mvm_lapic_pending(&l), -1);
	write(MVM_APIC_TPR, 0x2f);
	assert_int_equal(mvm_lapic_pending(&l), 0x3f);
	mvm_lapic_acknowledge(&l, 0x3f);
	assert_int_equal(reg(MVM_APIC_PPR), 0x30);
	/* One within another: EOI ends the higher one. */
	request(0x80, false);
	assert_int_equal(mvm_lapic_pending(&l), 0x80);
	mvm_lapic_acknowledge(&l, 0x80);
	write(MVM_APIC_EOI, 0);
	assert_true(in(MVM_APIC_ISR, 0x3f));
	assert_int_equal(reg(MVM_APIC_PPR), 0x30);
	write(MVM_APIC_EOI, 0);
	assert_int_equal(mvm_lapic_pending(&l), 0x31);
	write(MVM_APIC_EOI, 0);
	/* Both of the same class: PPR is TPR, its lower bits too. */
	request(0x41, false);
	write(MVM_APIC_TPR, 0x35);
	mvm_lapic_acknowledge(&l, mvm_lapic_pending(&l));
	write(MVM_APIC_TPR, 0x46);
	assert_int_equal(reg(MVM_APIC_PPR), 0x46);
	write(MVM_APIC_TPR, 0x3f);
	assert_int_equal(reg(MVM_APIC_PPR), 0x40);
	write(MVM_APIC_EOI, 0);
	/* Off by IA32_APIC_BASE */
	mvm_lapic_set_base(&l, 0xfee00000);
	assert_int_equal(mvm_lapic_pending(&l), -1);
	/* An edge takes the mark of a level away. */
	request(0x3f, false);
	assert_false(in(MVM_APIC_TMR, 0x3f));
}

/* The page: SDM Vol. 3, "Local APIC Register Address Map" */
static void page(void **state)
{
	u8 data[16];
	u32 value = 0x1ff;

	fresh(9, XAPIC);
	write(MVM_APIC_TPR, 0x5a);
	mvm_lapic_mmio_read(&l, 0x80, 0, data, 1);
	assert_int_equal(data[0], 0x5a);
	mvm_lapic_mmio_read(&l, 0x23, 0, data, 1);
	assert_int_equal(data[0], 9);
	mvm_lapic_mmio_read(&l, 0x22, 0, data, 2);
	assert_memory_equal(data, "\0\x09", 2);
	/* Across a register's end, 8 bytes, and where there is none: 0 */
	memset(data, 0x55, sizeof(data));
	mvm_lapic_mmio_read(&l, 0x22, 0, data, 4);
	mvm_lapic_mmio_read(&l, 0x80, 0, data + 4, 8);
	mvm_lapic_mmio_read(&l, 0xff0, 0, data + 12, 4);
	assert_memory_equal(data, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	/* Only aligned words are written. */
	assert_int_equal(mvm_lapic_mmio_write(&l, 0x80, 0, &value, 1, &irq), 0);
	assert_int_equal(mvm_lapic_mmio_write(&l, 0x81, 0, &value, 4, &irq), 0);
	assert_int_equal(mvm_lapic_mmio_write(&l, 0x80, 0, &value, 8, &irq), 0);
	assert_int_equal(reg(MVM_APIC_TPR), 0x5a);
	assert_int_equal(mvm_lapic_mmio_write(&l, 0x80, 0, &value, 4, &irq), MVM_LAPIC_LOOK);
	assert_int_equal(reg(MVM_APIC_TPR), 0xff);
	assert_int_equal(mvm_lapic_mmio_write(&l, 0xff0, 0, &value, 4, &irq), 0);
	assert_int_equal(mvm_lapic_mmio_write(&l, 0x3f0, 0, &value, 4, &irq), 0);
	/* Disabled, and in x2APIC mode */
	mvm_lapic_set_base(&l, 0xfee00000);
	mvm_lapic_mmio_read(&l, 0x80, 0, data, 4);
	assert_memory_equal(data, "\xff\xff\xff\xff", 4);
	value = 0;
	mvm_lapic_mmio_write(&l, 0x80, 0, &value, 4, &irq);
	assert_int_equal(l.regs[0x20], 0xff);
	fresh(9, X2APIC);
	mvm_lapic_mmio_read(&l, 0x80, 0, data, 4);
	assert_memory_equal(data, "\xff\xff\xff\xff", 4);
}

/* What others request is theirs until the owner collects it. */
static void requests(void **state)
{
	static u32 saved[MVM_LAPIC_STATE_SIZE / 4];
	unsigned int vector;

	fresh(0, XAPIC);
	for (vector = 16; vector < 256; vector += 5)
		mvm_lapic_request(&l, vector, vector & 1);
	assert_int_equal(mvm_lapic_pending(&l), -1);
	mvm_lapic_collect(&l);
	for (vector = 0; vector < 256; vector++)
		assert_int_equal(in(MVM_APIC_IRR, vector), vector >= 16 && vector % 5 == 1);
	assert_int_equal(mvm_lapic_pending(&l), 251);
	mvm_lapic_acknowledge(&l, 251);
	mvm_lapic_collect(&l);
	assert_false(in(MVM_APIC_IRR, 251));
	/* INIT and KVM_SET_LAPIC take what is on its way, too. */
	mvm_lapic_request(&l, 0x44, false);
	mvm_lapic_reset(&l);
	mvm_lapic_collect(&l);
	assert_false(in(MVM_APIC_IRR, 0x44));
	mvm_lapic_get_state(&l, 0, saved);
	mvm_lapic_request(&l, 0x44, false);
	mvm_lapic_set_state(&l, 0, saved);
	mvm_lapic_collect(&l);
	assert_false(in(MVM_APIC_IRR, 0x44));
}

/* SDM Vol. 3, "Guest Non-Register State": guest interrupt status */
static void interrupt_status(void **state)
{
	fresh(0, XAPIC);
	assert_int_equal(mvm_lapic_interrupt_status(&l), 0);
	request(0x31, false);
	request(0x80, false);
	assert_int_equal(mvm_lapic_interrupt_status(&l), 0x0080);
	mvm_lapic_acknowledge(&l, 0x80);
	assert_int_equal(mvm_lapic_interrupt_status(&l), 0x8031);
	/* The processor looks at TPR itself. */
	write(MVM_APIC_TPR, 0xff);
	assert_int_equal(mvm_lapic_interrupt_status(&l), 0x8031);
	/* Off by IA32_APIC_BASE: nothing comes. */
	mvm_lapic_set_base(&l, 0xfee00000);
	assert_int_equal(mvm_lapic_interrupt_status(&l), 0x8000);
}

/* The processor exits when TPR's class falls below the threshold. */
static void tpr_threshold(void **state)
{
	fresh(0, XAPIC);
	assert_int_equal(mvm_lapic_tpr_threshold(&l), 0);
	request(0x51, false);
	assert_int_equal(mvm_lapic_tpr_threshold(&l), 0);
	write(MVM_APIC_TPR, 0x4f);
	assert_int_equal(mvm_lapic_tpr_threshold(&l), 0);
	write(MVM_APIC_TPR, 0x50);
	assert_int_equal(mvm_lapic_tpr_threshold(&l), 5);
	write(MVM_APIC_TPR, 0xff);
	assert_int_equal(mvm_lapic_tpr_threshold(&l), 5);
	request(0xe0, false);
	assert_int_equal(mvm_lapic_tpr_threshold(&l), 0xe);
	/* In service, the same class waits for EOI, not for TPR. */
	write(MVM_APIC_TPR, 0);
	mvm_lapic_acknowledge(&l, 0xe0);
	assert_int_equal(mvm_lapic_tpr_threshold(&l), 0);
	assert_int_equal(reg(MVM_APIC_PPR), 0xe0);
	/* What the processor changes in the page counts. */
	words[MVM_APIC_TPR / 4] = 0xf0;
	assert_int_equal(reg(MVM_APIC_PPR), 0xf0);
	assert_int_equal(mvm_lapic_tpr_threshold(&l), 5);
}

static void msrs(void **state)
{
	u64 value;
	u32 i;

	fresh(0x21, XAPIC);
	assert_int_equal(mvm_lapic_msr_read(&l, 2, 0, &value), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 8, 0, 0, &irq), -EINVAL);
	fresh(0x21, X2APIC);
	assert_int_equal(mvm_lapic_msr_read(&l, 2, 0, &value), 0);
	assert_int_equal(value, 0x21);
	assert_int_equal(mvm_lapic_msr_read(&l, 0xd, 0, &value), 0);
	assert_int_equal(value, 0x20002);
	/* SDM Vol. 3, table "Local APIC Register Address Map Supported by x2APIC" */
	assert_int_equal(mvm_lapic_msr_read(&l, 0xe, 0, &value), -EINVAL);
	assert_int_equal(mvm_lapic_msr_read(&l, 0x31, 0, &value), -EINVAL);
	assert_int_equal(mvm_lapic_msr_read(&l, 0xb, 0, &value), -EINVAL);
	assert_int_equal(mvm_lapic_msr_read(&l, 0x3f, 0, &value), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 2, 0x21, 0, &irq), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 0xd, 0x20002, 0, &irq), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 0x28, 1, 0, &irq), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 0x28, 0, 0, &irq), 0);
	assert_int_equal(mvm_lapic_msr_write(&l, 8, 1ull << 32, 0, &irq), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 0x30, 1 << 13, 0, &irq), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 0x30, 1 << 16, 0, &irq), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 0x30, 1 << 20, 0, &irq), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 0x30, 0x12345678000c40f0ull, 0, &irq),
			 MVM_LAPIC_SEND);
	assert_int_equal(irq.dest, 0x12345678);
	assert_int_equal(irq.shorthand, MVM_APIC_OTHERS);
	assert_int_equal(mvm_lapic_msr_read(&l, 0x30, 0, &value), 0);
	assert_true(value == 0x12345678000c40f0ull);
	assert_int_equal(mvm_lapic_msr_write(&l, 0x3f, 0x100, 0, &irq), -EINVAL);
	assert_int_equal(mvm_lapic_msr_write(&l, 0x3f, 0x99, 0, &irq), MVM_LAPIC_SEND);
	assert_int_equal(irq.shorthand, MVM_APIC_SELF);
	assert_int_equal(irq.vector, 0x99);
	/* Whatever the index, nothing is touched that is not a register. */
	for (i = 0x40; i <= 0xff; i++) {
		assert_int_equal(mvm_lapic_msr_read(&l, i, 0, &value), -EINVAL);
		assert_int_equal(mvm_lapic_msr_write(&l, i, 0, 0, &irq), -EINVAL);
	}
}

static void modes(void **state)
{
	static const u64 off = 0xfee00000, x = XAPIC, x2 = X2APIC;

	assert_true(mvm_lapic_base_change_valid(off, x));
	assert_false(mvm_lapic_base_change_valid(off, x2));
	assert_true(mvm_lapic_base_change_valid(off, off));
	assert_true(mvm_lapic_base_change_valid(x, off));
	assert_true(mvm_lapic_base_change_valid(x, x2));
	assert_true(mvm_lapic_base_change_valid(x2, x2));
	assert_true(mvm_lapic_base_change_valid(x2, off));
	assert_false(mvm_lapic_base_change_valid(x2, x));

	fresh(0x105, XAPIC);
	assert_int_equal(reg(MVM_APIC_ID), 0x05000000);
	write(MVM_APIC_ID, 0x33000000);
	mvm_lapic_set_base(&l, x);
	assert_int_equal(reg(MVM_APIC_ID), 0x33000000);
	mvm_lapic_set_base(&l, x2);
	assert_int_equal(reg(MVM_APIC_ID), 0x105);
	mvm_lapic_set_base(&l, off);
	mvm_lapic_set_base(&l, x);
	assert_int_equal(reg(MVM_APIC_ID), 0x05000000);
}

static void icr(void **state)
{
	fresh(0, XAPIC);
	write(MVM_APIC_ICR2, 0x42ffffff);
	assert_int_equal(write(MVM_APIC_ICR, 0x1000 | 0xc931), MVM_LAPIC_SEND);
	assert_int_equal(irq.dest, 0x42);
	assert_int_equal(irq.vector, 0x31);
	assert_int_equal(irq.mode, MVM_APIC_LOWEST);
	assert_true(irq.lowest && irq.logical && irq.level && irq.assert);
	assert_int_equal(irq.shorthand, MVM_APIC_NO_SHORTHAND);
	/* Sent at once: never busy */
	assert_int_equal(reg(MVM_APIC_ICR), 0xc931);
	write(MVM_APIC_ICR, 0x80500);
	assert_int_equal(irq.mode, MVM_APIC_INIT);
	assert_int_equal(irq.shorthand, MVM_APIC_ALL);
	assert_false(irq.lowest || irq.logical || irq.level || irq.assert);

	mvm_lapic_msi(&irq, 0xfee5a00c, 0x4123);
	assert_int_equal(irq.dest, 0x5a);
	assert_int_equal(irq.vector, 0x23);
	assert_int_equal(irq.mode, MVM_APIC_LOWEST);
	assert_true(irq.lowest && irq.logical && irq.assert && !irq.level);
	mvm_lapic_msi(&irq, 0xfee00008, 0x8030);
	assert_int_equal(irq.mode, MVM_APIC_FIXED);
	assert_true(irq.lowest && !irq.logical && irq.level);
}

static bool matches(u32 dest, bool logical, const struct mvm_lapic *source)
{
	const struct mvm_lapic_irq m = { .dest = dest, .logical = logical };

	return mvm_lapic_matches(&l, &m, source);
}

static void destinations(void **state)
{
	struct mvm_lapic other = { .base = XAPIC };
	struct mvm_lapic_irq m = { };

	fresh(3, XAPIC);
	assert_true(matches(3, false, &other));
	assert_false(matches(2, false, &other));
	assert_true(matches(0xff, false, &other));
	assert_true(matches(0xff, true, &other));
	/* Flat: one bit for each; nobody listens yet. */
	assert_false(matches(8, true, &other));
	write(MVM_APIC_LDR, 0x28000000);
	assert_true(matches(8, true, &other));
	assert_true(matches(0x60, true, &other));
	assert_false(matches(0x47, true, &other));
	/* Cluster 2, members 3 */
	write(MVM_APIC_DFR, 0);
	assert_true(matches(0x2f, true, &other));
	assert_true(matches(0x28, true, &other));
	assert_false(matches(0x27, true, &other));
	assert_false(matches(0x18, true, &other));
	/* Neither model */
	write(MVM_APIC_DFR, 0x70000000);
	assert_false(matches(0x28, true, &other));
	/* An ID that was written; KVM's way to those above 255 */
	write(MVM_APIC_ID, 0x50000000);
	assert_true(matches(0x50, false, &other));
	assert_false(matches(3, false, &other));
	fresh(0x103, XAPIC);
	assert_true(matches(3, false, &other));
	assert_true(matches(0x103, false, &other));
	assert_false(matches(0x203, false, &other));

	fresh(0x25, X2APIC);
	assert_true(matches(0x25, false, &other));
	assert_false(matches(0x1025, false, &other));
	assert_false(matches(0xff, false, &other));
	assert_true(matches(0xff, false, NULL));
	assert_true(matches(0xffffffff, false, &other));
	assert_true(matches(0xffffffff, true, &other));
	assert_true(matches(0x20020, true, &other));
	assert_true(matches(0x2ffff, true, &other));
	assert_false(matches(0x20010, true, &other));
	assert_false(matches(0x30020, true, &other));

	m.shorthand = MVM_APIC_SELF;
	assert_true(mvm_lapic_matches(&l, &m, &l));
	assert_false(mvm_lapic_matches(&l, &m, &other));
	m.shorthand = MVM_APIC_OTHERS;
	assert_false(mvm_lapic_matches(&l, &m, &l));
	assert_true(mvm_lapic_matches(&l, &m, &other));
	m.shorthand = MVM_APIC_ALL;
	assert_true(mvm_lapic_matches(&l, &m, &l));
	assert_true(mvm_lapic_matches(&l, &m, &other));
	mvm_lapic_set_base(&l, 0xfee00000);
	assert_false(mvm_lapic_matches(&l, &m, &other));
}

static void timer_counts(void **state)
{
	/* SDM Vol. 3, "Divide Configuration Register": divide by */
	static const u32 divide[16] = {
		[0] = 2, [1] = 4, [2] = 8, [3] = 16, [8] = 32, [9] = 64, [10] = 128, [11] = 1,
	};
	u32 i;

	for (i = 0; i < 12; i++) {
		if (!divide[i])
			continue;
		fresh(0, XAPIC);
		write(MVM_APIC_TIMER_DIVIDE, i);
		assert_int_equal(write_at(MVM_APIC_TIMER_INITIAL, 1000, 5000),
				 MVM_LAPIC_TIMER);
		assert_int_equal(l.timer_target, 5000 + 1000 * divide[i]);
		assert_int_equal(reg_at(MVM_APIC_TIMER_CURRENT, 5000 + 400 * divide[i]), 600);
	}
	/* The largest count there is */
	fresh(0, XAPIC);
	write(MVM_APIC_TIMER_DIVIDE, 10);
	write_at(MVM_APIC_TIMER_INITIAL, 0xffffffff, 1);
	assert_true(l.timer_target == 1 + 0xffffffffull * 128);
	assert_int_equal(reg_at(MVM_APIC_TIMER_CURRENT, 1 + 128), 0xfffffffe);
	/* Another divisor: the same count, at another rate */
	write_at(MVM_APIC_TIMER_DIVIDE, 11, 1 + 128 * 0xffull);
	assert_int_equal(reg_at(MVM_APIC_TIMER_CURRENT, 1 + 128 * 0xffull), 0xffffff00);
	/* 0 stops it. */
	assert_int_equal(write_at(MVM_APIC_TIMER_INITIAL, 0, 10), MVM_LAPIC_TIMER);
	assert_int_equal(l.timer_target, 0);
	assert_int_equal(reg_at(MVM_APIC_TIMER_CURRENT, 10), 0);
}

/* SDM Vol. 3, "TSC-Deadline Mode" */
static void deadlines(void **state)
{
	fresh(0, XAPIC);
	/* Without it the mode's bit cannot be set. */
	write(MVM_APIC_LVT_TIMER, 0x40031);
	assert_int_equal(reg(MVM_APIC_LVT_TIMER), 0x31);
	assert_int_equal(mvm_lapic_set_deadline(&l, 5000, 50), 0);
	assert_int_equal(l.deadline, 0);
	l.has_deadline = true;
	/* A change to the mode stops what counts. */
	write(MVM_APIC_TIMER_DIVIDE, 0xb);
	write(MVM_APIC_TIMER_INITIAL, 1000);
	assert_int_equal(l.timer_target, 1000);
	assert_int_equal(write(MVM_APIC_LVT_TIMER, 0x40031), MVM_LAPIC_TIMER);
	assert_int_equal(l.timer_target, 0);
	assert_int_equal(reg(MVM_APIC_TIMER_INITIAL), 0);
	/* The counts mean nothing there. */
	assert_int_equal(write(MVM_APIC_TIMER_INITIAL, 77), 0);
	assert_int_equal(reg(MVM_APIC_TIMER_INITIAL), 0);
	assert_int_equal(reg(MVM_APIC_TIMER_CURRENT), 0);
	assert_int_equal(mvm_lapic_set_deadline(&l, 5000, 50), MVM_LAPIC_TIMER);
	assert_int_equal(l.timer_target, 50);
	write(MVM_APIC_TIMER_DIVIDE, 0);
	assert_int_equal(l.timer_target, 50);
	/* A mask leaves the deadline alone, and keeps the interrupt away. */
	write(MVM_APIC_LVT_TIMER, 0x50031);
	assert_int_equal(l.deadline, 5000);
	assert_false(mvm_lapic_timer_expired(&l, 60));
	assert_int_equal(l.deadline, 0);
	assert_int_equal(l.timer_target, 0);
	write(MVM_APIC_LVT_TIMER, 0x40031);
	mvm_lapic_set_deadline(&l, 5000, 50);
	assert_true(mvm_lapic_timer_expired(&l, 60));
	assert_true(in(MVM_APIC_IRR, 0x31));
	assert_int_equal(l.deadline, 0);
	assert_int_equal(l.timer_target, 0);
	/* 0 disarms it, and so does another mode. */
	mvm_lapic_set_deadline(&l, 5000, 50);
	mvm_lapic_set_deadline(&l, 0, 70);
	assert_int_equal(l.timer_target, 0);
	mvm_lapic_set_deadline(&l, 5000, 50);
	write(MVM_APIC_LVT_TIMER, 0x20031);
	assert_int_equal(l.deadline, 0);
	assert_int_equal(l.timer_target, 0);
	/* Both bits: no mode at all */
	write(MVM_APIC_LVT_TIMER, 0x60031);
	assert_int_equal(reg(MVM_APIC_LVT_TIMER), 0x60031);
	write(MVM_APIC_TIMER_INITIAL, 1000);
	assert_int_equal(l.timer_target, 0);
	assert_int_equal(mvm_lapic_set_deadline(&l, 5000, 50), 0);
	/* With the APIC switched off it is ignored. */
	write(MVM_APIC_LVT_TIMER, 0x40031);
	mvm_lapic_set_base(&l, 0xfee00000);
	assert_int_equal(mvm_lapic_set_deadline(&l, 5000, 50), 0);
}

/* KVM_SET_LAPIC: the deadline is not in it. */
static void deadline_and_state(void **state)
{
	static u32 armed[MVM_LAPIC_STATE_SIZE / 4];

	fresh(0, XAPIC);
	l.has_deadline = true;
	write(MVM_APIC_TIMER_DIVIDE, 0xb);
	write(MVM_APIC_LVT_TIMER, 0x40031);
	mvm_lapic_set_deadline(&l, 5000, 50);
	mvm_lapic_get_state(&l, 10, armed);
	/* In the mode it was in already it stays, also with counts that would mean something. */
	armed[MVM_APIC_TIMER_INITIAL / 4] = 1000;
	armed[MVM_APIC_TIMER_CURRENT / 4] = 500;
	mvm_lapic_set_state(&l, 20, armed);
	assert_int_equal(l.deadline, 5000);
	assert_int_equal(l.timer_target, 50);
	/* Another mode has none. */
	armed[MVM_APIC_LVT_TIMER / 4] = 0x31;
	mvm_lapic_set_state(&l, 20, armed);
	assert_int_equal(l.deadline, 0);
	assert_int_equal(l.timer_target, 520);
	/* And back: what counts stops. */
	armed[MVM_APIC_LVT_TIMER / 4] = 0x40031;
	mvm_lapic_set_state(&l, 20, armed);
	assert_int_equal(l.deadline, 0);
	assert_int_equal(l.timer_target, 0);
}

static void timer_expires(void **state)
{
	fresh(0, XAPIC);
	write(MVM_APIC_LVT_TIMER, 0x45);
	write(MVM_APIC_TIMER_DIVIDE, 11);
	write_at(MVM_APIC_TIMER_INITIAL, 1000000, 1000);
	assert_true(mvm_lapic_timer_expired(&l, 1001000));
	assert_int_equal(mvm_lapic_pending(&l), 0x45);
	assert_int_equal(l.timer_target, 0);
	assert_int_equal(reg_at(MVM_APIC_TIMER_CURRENT, 1001000), 0);
	/* Once it is at 0, a mode or divisor does not start it. */
	write_at(MVM_APIC_LVT_TIMER, 0x20045, 2000000);
	write_at(MVM_APIC_TIMER_DIVIDE, 0, 2000000);
	assert_int_equal(l.timer_target, 0);

	/* Periodic: late ones are left out. */
	write(MVM_APIC_TIMER_DIVIDE, 11);
	write_at(MVM_APIC_TIMER_INITIAL, 1000000, 0);
	assert_true(mvm_lapic_timer_expired(&l, 1000000));
	assert_int_equal(l.timer_target, 2000000);
	assert_true(mvm_lapic_timer_expired(&l, 7300000));
	assert_int_equal(l.timer_target, 8000000);
	assert_int_equal(reg_at(MVM_APIC_TIMER_CURRENT, 7400000), 600000);
	/* Not more often than the host can bear */
	write_at(MVM_APIC_TIMER_INITIAL, 10, 0);
	assert_int_equal(l.timer_period, 200000);

	/* Masked, switched off: no interrupt, but it counts. */
	fresh(0, XAPIC);
	write(MVM_APIC_LVT_TIMER, 0x10045);
	write_at(MVM_APIC_TIMER_INITIAL, 1000, 0);
	assert_false(mvm_lapic_timer_expired(&l, 2000));
	assert_int_equal(mvm_lapic_pending(&l), -1);
	write(MVM_APIC_LVT_TIMER, 0x45);
	write_at(MVM_APIC_TIMER_INITIAL, 1000, 0);
	write(MVM_APIC_SVR, 0xff);
	assert_false(mvm_lapic_timer_expired(&l, 2000));
}

static void state_round_trip(void **state)
{
	static u8 a[MVM_LAPIC_STATE_SIZE], b[MVM_LAPIC_STATE_SIZE];
	u32 *words = (u32 *)a;

	fresh(7, XAPIC);
	write(MVM_APIC_TPR, 0x20);
	write(MVM_APIC_LVT_TIMER, 0x20066);
	write(MVM_APIC_ICR2, 0x11000000);
	write(MVM_APIC_TIMER_DIVIDE, 11);
	write_at(MVM_APIC_TIMER_INITIAL, 4000000, 1000);
	request(0x99, true);
	mvm_lapic_acknowledge(&l, 0x99);
	request(0x9a, false);
	mvm_lapic_get_state(&l, 1001000, a);
	assert_int_equal(words[0x20 / 4], 7 << 24);
	assert_int_equal(words[0x140 / 4], 1 << 25);
	assert_int_equal(words[0x1c0 / 4], 1 << 25);
	assert_int_equal(words[0x240 / 4], 1 << 26);
	assert_int_equal(words[0x390 / 4], 3000000);
	assert_int_equal(words[0x21], 0);

	fresh(7, XAPIC);
	mvm_lapic_set_state(&l, 50000000, a);
	assert_int_equal(l.timer_target, 53000000);
	mvm_lapic_get_state(&l, 50000000, b);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(reg(MVM_APIC_PPR), 0x90);

	/* x2APIC: the ID and the halves of ICR are where xAPIC mode has them. */
	fresh(0x42, X2APIC);
	mvm_lapic_msr_write(&l, 0x30, 0x11223344000000f1ull, 0, &irq);
	mvm_lapic_get_state(&l, 0, a);
	assert_int_equal(words[0x20 / 4], 0x42000000);
	assert_int_equal(words[0x300 / 4], 0xf1);
	assert_int_equal(words[0x310 / 4], 0x11223344);
	words[0xd0 / 4] = 0x55;
	words[0x30 / 4] = 0x55;
	fresh(0x42, X2APIC);
	mvm_lapic_set_state(&l, 0, a);
	assert_int_equal(reg(MVM_APIC_ID), 0x42);
	assert_int_equal(reg(MVM_APIC_LDR), 0x40004);
	assert_int_equal(reg(MVM_APIC_VERSION), 0x50014);

	/* A count that cannot be, and one that has come to 0 */
	fresh(0, XAPIC);
	mvm_lapic_get_state(&l, 0, a);
	words[0x380 / 4] = 100;
	words[0x390 / 4] = 0xffffffff;
	mvm_lapic_set_state(&l, 1000, a);
	assert_int_equal(l.timer_target, 1200);
	words[0x390 / 4] = 0;
	mvm_lapic_set_state(&l, 1000, a);
	assert_int_equal(l.timer_target, 1000);
	words[0x320 / 4] = 0x20030;
	mvm_lapic_set_state(&l, 1000, a);
	assert_int_equal(l.timer_target, 201000);
}

/* Whatever state user space sets and whatever is written: nothing overflows. */
static void anything_goes(void **state)
{
	static u32 words[MVM_LAPIC_STATE_SIZE / 4];
	u64 now = 1, value;
	size_t i;
	int round;

	srand(1);
	for (round = 0; round < 20000; round++) {
		u64 r = (u64)rand() << 33 ^ (u64)rand() << 16 ^ rand();

		fresh(r % 300, r & 1 ? XAPIC : X2APIC);
		for (i = 0; i < ARRAY_SIZE(words); i++)
			words[i] = rand() ^ (u32)rand() << 16;
		mvm_lapic_set_state(&l, now, words);
		for (i = 0; i < 20; i++) {
			u32 reg = rand() & 0x3f0, v = rand() ^ (u32)rand() << 16;

			now += rand();
			mvm_lapic_write(&l, reg, v, now, &irq);
			mvm_lapic_mmio_write(&l, rand() & 0xfff, now, &r, 1 + rand() % 8, &irq);
			mvm_lapic_msr_write(&l, rand() & 0xff, r, now, &irq);
			mvm_lapic_msr_read(&l, rand() & 0xff, now, &value);
			mvm_lapic_mmio_read(&l, rand() & 0xfff, now, &value, 1 + rand() % 8);
			mvm_lapic_timer_expired(&l, now);
			mvm_lapic_matches(&l, &irq, NULL);
			if (mvm_lapic_pending(&l) >= 0)
				mvm_lapic_acknowledge(&l, mvm_lapic_pending(&l));
			assert_true(!l.timer_target || l.timer_period);
			assert_true(l.timer_target <= now + (1ull << 40));
		}
		mvm_lapic_get_state(&l, now, words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_values),
		cmocka_unit_test(writable_bits),
		cmocka_unit_test(software_disabled),
		cmocka_unit_test(priorities),
		cmocka_unit_test(page),
		cmocka_unit_test(tpr_threshold),
		cmocka_unit_test(requests),
		cmocka_unit_test(interrupt_status),
		cmocka_unit_test(msrs),
		cmocka_unit_test(modes),
		cmocka_unit_test(icr),
		cmocka_unit_test(destinations),
		cmocka_unit_test(timer_counts),
		cmocka_unit_test(timer_expires),
		cmocka_unit_test(deadlines), cmocka_unit_test(deadline_and_state),
		cmocka_unit_test(state_round_trip),
		cmocka_unit_test(anything_goes),
	};

	return cmocka_run_group_tests_name("local APIC", tests, NULL, NULL);
}
