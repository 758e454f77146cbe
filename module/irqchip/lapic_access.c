// SPDX-License-Identifier: GPL-2.0
/*
 * The two ways to a local APIC's registers: a page of memory, and MSRs. SDM Vol. 3,
 * "The Local APIC Block Diagram" and "x2APIC Register Address Space" (2024: 11.4.1
 * and 11.12.1.2).
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "lapic.h"

/* SDM Vol. 3, "Interrupt Command Register (ICR) in x2APIC Mode" */
#define ICR_RESERVED		(GENMASK_ULL(31, 20) | GENMASK_ULL(17, 16) | BIT_ULL(13))

/* The page is not the registers': the APIC is off, or they are MSRs. */
static bool no_page(const struct mvm_lapic *l)
{
	return !mvm_lapic_enabled(l) || mvm_lapic_x2apic(l);
}

/**
 * mvm_lapic_mmio_read() - a load from the APIC's page
 * @l: the APIC
 * @offset: in the page
 * @now: the time
 * @data: what is read
 * @len: how many bytes
 *
 * 1, 2 or 4 bytes in a register's first four. Others read as 0, and all ones
 * where there are no registers.
 */
void mvm_lapic_mmio_read(const struct mvm_lapic *l, u32 offset, u64 now,
			 void *data, u32 len)
{
	u32 in_register = offset & 0xf, value;

	memset(data, no_page(l) ? 0xff : 0, len);
	if (no_page(l) || in_register + len > 4 ||
	    mvm_lapic_read(l, offset & ~0xfU, now, &value))
		return;
	memcpy(data, (u8 *)&value + in_register, len);
}

/**
 * mvm_lapic_mmio_write() - a store to the APIC's page
 * @l: the APIC
 * @offset: in the page
 * @now: the time
 * @data: what is written
 * @len: how many bytes
 * @irq: the message, with MVM_LAPIC_SEND; what has ended, with MVM_LAPIC_EOI
 *
 * Aligned words of 4 bytes; all else is ignored.
 *
 * Return: MVM_LAPIC_* that the caller has to do.
 */
int mvm_lapic_mmio_write(struct mvm_lapic *l, u32 offset, u64 now,
			 const void *data, u32 len, struct mvm_lapic_irq *irq)
{
	u32 value;
	int ret;

	/* Self-IPI is there in x2APIC mode alone. */
	if (no_page(l) || len != 4 || offset & 0xf)
		return 0;
	memcpy(&value, data, 4);
	ret = mvm_lapic_write(l, offset, value, now, irq);
	return ret < 0 ? 0 : ret;
}

/**
 * mvm_lapic_msr_read() - RDMSR in x2APIC mode
 * @l: the APIC
 * @index: the MSR less 800H
 * @now: the time
 * @value: what it holds
 *
 * Return: 0, or -EINVAL if RDMSR raises #GP.
 */
int mvm_lapic_msr_read(const struct mvm_lapic *l, u32 index, u64 now, u64 *value)
{
	u32 low;

	if (!mvm_lapic_x2apic(l) || mvm_lapic_read(l, index << 4, now, &low))
		return -EINVAL;
	*value = low;
	if (index << 4 == MVM_APIC_ICR)
		*value |= (u64)mvm_lapic_reg(l, MVM_APIC_ICR2) << 32;
	return 0;
}

/**
 * mvm_lapic_msr_write() - WRMSR in x2APIC mode
 * @l: the APIC
 * @index: the MSR less 800H
 * @value: what to write
 * @now: the time
 * @irq: the message, with MVM_LAPIC_SEND; what has ended, with MVM_LAPIC_EOI
 *
 * Return: MVM_LAPIC_* that the caller has to do, or -EINVAL if WRMSR raises #GP.
 */
int mvm_lapic_msr_write(struct mvm_lapic *l, u32 index, u64 value, u64 now,
			struct mvm_lapic_irq *irq)
{
	if (!mvm_lapic_x2apic(l))
		return -EINVAL;
	if (index << 4 != MVM_APIC_ICR)
		return value >> 32 ? -EINVAL : mvm_lapic_write(l, index << 4, value, now, irq);
	if (value & ICR_RESERVED)
		return -EINVAL;
	mvm_lapic_set_reg(l, MVM_APIC_ICR2, value >> 32);
	return mvm_lapic_write(l, MVM_APIC_ICR, value, now, irq);
}
