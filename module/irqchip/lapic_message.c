// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt messages: whom they are for. SDM Vol. 3, "Determining IPI
 * Destination" (2024: 11.6.2).
 */
#include <linux/bitops.h>
#include <linux/kernel.h>

#include "lapic.h"

/* Bits 31:28 of DFR */
#define DFR_FLAT		0xf
#define DFR_CLUSTER		0x0

static bool matches_logical(const struct mvm_lapic *l, u32 dest)
{
	u32 ldr = mvm_lapic_reg(l, MVM_APIC_LDR);

	if (mvm_lapic_x2apic(l))
		return ldr >> 16 == dest >> 16 && ldr & dest & 0xffff;
	/* SDM Vol. 3, "Logical Destination Mode in xAPIC Mode" */
	ldr >>= 24;
	switch (mvm_lapic_reg(l, MVM_APIC_DFR) >> 28) {
	case DFR_FLAT:
		return ldr & dest;
	case DFR_CLUSTER:
		return ldr >> 4 == dest >> 4 && ldr & dest & 0xf;
	}
	return false;
}

static bool matches_physical(const struct mvm_lapic *l, u32 dest)
{
	/* As KVM: an ID that xAPIC mode cannot express names the vCPU. */
	if (mvm_lapic_x2apic(l) || dest > 0xff)
		return dest == l->id;
	return dest == mvm_lapic_reg(l, MVM_APIC_ID) >> 24;
}

/**
 * mvm_lapic_matches() - is a message for this APIC?
 * @l: the APIC
 * @irq: the message
 * @source: the APIC that sends it, or NULL for a device
 *
 * Any vCPU may ask.
 *
 * Return: true if it is one of those that it is for.
 */
bool mvm_lapic_matches(const struct mvm_lapic *l, const struct mvm_lapic_irq *irq,
		       const struct mvm_lapic *source)
{
	u32 everybody = mvm_lapic_x2apic(l) ? 0xffffffff : 0xff;

	if (!mvm_lapic_enabled(l))
		return false;
	switch (irq->shorthand) {
	case MVM_APIC_SELF:
		return l == source;
	case MVM_APIC_ALL:
		return true;
	case MVM_APIC_OTHERS:
		return l != source;
	}
	/* A device's message has 8 bits for the destination, in either mode. */
	if (irq->dest == everybody || (!source && irq->dest == 0xff))
		return true;
	return irq->logical ? matches_logical(l, irq->dest) :
			      matches_physical(l, irq->dest);
}

/**
 * mvm_lapic_msi() - what a message-signalled interrupt says
 * @irq: filled in
 * @address: where the device writes
 * @data: what
 *
 * SDM Vol. 3, "Message Signalled Interrupts".
 */
void mvm_lapic_msi(struct mvm_lapic_irq *irq, u64 address, u32 data)
{
	*irq = (struct mvm_lapic_irq) {
		.dest = address >> 12 & 0xff,
		.vector = data,
		.mode = data & 0x700,
		.logical = address & BIT(2),
		.level = data & BIT(15),
		.assert = true,
		.lowest = (data & 0x700) == MVM_APIC_LOWEST || address & BIT(3),
	};
}
