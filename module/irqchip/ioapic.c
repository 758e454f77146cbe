// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of the I/O APIC. As KVM's it has version 11H, which has no EOI
 * register: level-triggered interrupts end with the EOI that local APICs
 * broadcast. An edge on a masked pin is lost, as on the chip.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "ioapic.h"

#define VERSION		(0x11 | (MVM_IOAPIC_NR_PINS - 1) << 16)

/* What writing does not change */
#define READ_ONLY	(MVM_IOAPIC_STATUS | MVM_IOAPIC_REMOTE_IRR)

static u64 entry(const struct mvm_ioapic *ioapic, unsigned int pin)
{
	return ioapic->state.redirtbl[pin].bits;
}

static void find_vectors(struct mvm_ioapic *ioapic)
{
	unsigned long vectors[ARRAY_SIZE(ioapic->vectors)] = { };
	unsigned int i;

	for (i = 0; i < MVM_IOAPIC_NR_PINS; i++)
		__set_bit(entry(ioapic, i) & MVM_IOAPIC_VECTOR, vectors);
	/* Others look there without the lock. */
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		WRITE_ONCE(ioapic->vectors[i], vectors[i]);
}

/**
 * mvm_ioapic_init() - power-on
 * @ioapic: all but @send is set
 */
void mvm_ioapic_init(struct mvm_ioapic *ioapic)
{
	unsigned int i;

	memset(&ioapic->state, 0, sizeof(ioapic->state));
	ioapic->state.base_address = MVM_IOAPIC_BASE;
	ioapic->delivered = 0;
	ioapic->unmasked = 0;
	for (i = 0; i < MVM_IOAPIC_NR_PINS; i++)
		ioapic->state.redirtbl[i].bits = MVM_IOAPIC_MASKED;
	find_vectors(ioapic);
}

/* The pin's line is up. Return: as mvm_ioapic_set_line(). */
static int service(struct mvm_ioapic *ioapic, unsigned int pin)
{
	u64 e = entry(ioapic, pin);
	struct mvm_lapic_irq irq = {
		.dest = e >> 56,
		.vector = e & MVM_IOAPIC_VECTOR,
		.mode = e & MVM_IOAPIC_MODE,
		.logical = e & MVM_IOAPIC_LOGICAL,
		.level = e & MVM_IOAPIC_LEVEL,
		.assert = true,
		.lowest = (e & MVM_IOAPIC_MODE) == MVM_APIC_LOWEST,
	};
	int ret;

	if (e & MVM_IOAPIC_MASKED || (irq.level && e & MVM_IOAPIC_REMOTE_IRR))
		return -1;
	if (!irq.level)
		ioapic->delivered |= BIT(pin);
	ret = ioapic->send(ioapic, &irq);
	if (ret > 0 && irq.level)
		ioapic->state.redirtbl[pin].bits |= MVM_IOAPIC_REMOTE_IRR;
	return ret;
}

/**
 * mvm_ioapic_set_line() - a line goes up or down, or stays as it is
 * @ioapic: the I/O APIC
 * @pin: 0 to 23
 * @up: up
 *
 * Return: how many local APICs took it, 0 for an edge that was not one, -1 if the
 * pin is masked or awaits its EOI; 1 if it went down.
 */
int mvm_ioapic_set_line(struct mvm_ioapic *ioapic, unsigned int pin, bool up)
{
	const u32 bit = BIT(pin), before = ioapic->state.irr;

	if (!up) {
		ioapic->state.irr &= ~bit;
		return 1;
	}
	ioapic->state.irr |= bit;
	if (!(entry(ioapic, pin) & MVM_IOAPIC_LEVEL)) {
		ioapic->delivered &= ~bit;
		if (before & bit)
			return 0;
	}
	return service(ioapic, pin);
}

/**
 * mvm_ioapic_pins() - which pins have this vector?
 * @ioapic: the I/O APIC
 * @vector: the vector
 *
 * Return: a bit for each.
 */
u32 mvm_ioapic_pins(const struct mvm_ioapic *ioapic, u8 vector)
{
	unsigned int i;
	u32 pins = 0;

	for (i = 0; i < MVM_IOAPIC_NR_PINS; i++)
		if ((entry(ioapic, i) & MVM_IOAPIC_VECTOR) == vector)
			pins |= BIT(i);
	return pins;
}

/**
 * mvm_ioapic_eoi() - a local APIC broadcasts the end of a level-triggered interrupt
 * @ioapic: the I/O APIC
 * @vector: its vector
 *
 * Where the line is still up, that is the next interrupt. Each costs the guest an
 * acknowledgment and an EOI, so that a line nobody takes down keeps the guest
 * busy, and not the host.
 */
void mvm_ioapic_eoi(struct mvm_ioapic *ioapic, u8 vector)
{
	u32 pins = mvm_ioapic_pins(ioapic, vector);
	unsigned int i;

	for (i = 0; i < MVM_IOAPIC_NR_PINS; i++) {
		if (!(pins & BIT(i)) || !(entry(ioapic, i) & MVM_IOAPIC_LEVEL))
			continue;
		ioapic->state.redirtbl[i].bits &= ~MVM_IOAPIC_REMOTE_IRR;
		if (ioapic->state.irr & BIT(i))
			service(ioapic, i);
	}
}

/**
 * mvm_ioapic_read() - a load from the I/O APIC's page
 * @ioapic: the I/O APIC
 * @offset: 0 to ff
 *
 * Return: what is read.
 */
u32 mvm_ioapic_read(const struct mvm_ioapic *ioapic, u32 offset)
{
	u32 reg = ioapic->state.ioregsel, pin;
	u64 e;

	if (offset == MVM_IOAPIC_SELECT)
		return reg;
	if (offset != MVM_IOAPIC_WINDOW)
		return 0;
	switch (reg) {
	case MVM_IOAPIC_VERSION:
		return VERSION;
	case MVM_IOAPIC_ID:
	case MVM_IOAPIC_ARBITRATION:
		return (ioapic->state.id & 0xf) << 24;
	}
	/* As KVM: what is not there has all bits set. */
	pin = (reg - MVM_IOAPIC_TABLE) / 2;
	e = reg >= MVM_IOAPIC_TABLE && pin < MVM_IOAPIC_NR_PINS ? entry(ioapic, pin) : ~0ULL;
	return reg & 1 ? e >> 32 : e;
}

static void write_entry(struct mvm_ioapic *ioapic, unsigned int pin, bool upper, u32 value)
{
	u64 old = entry(ioapic, pin), new;

	if (upper)
		new = (u32)old | (u64)value << 32;
	else
		new = (old & ~(u64)U32_MAX) | value;
	new = (new & ~READ_ONLY) | (old & READ_ONLY);
	/* Guests end an interrupt so where there is no EOI register. */
	if (!(new & MVM_IOAPIC_LEVEL))
		new &= ~MVM_IOAPIC_REMOTE_IRR;
	if (old & ~new & MVM_IOAPIC_MASKED)
		ioapic->unmasked |= BIT(pin);
	ioapic->state.redirtbl[pin].bits = new;
	find_vectors(ioapic);
	if (new & MVM_IOAPIC_LEVEL && ioapic->state.irr & BIT(pin))
		service(ioapic, pin);
}

/**
 * mvm_ioapic_write() - a store to the I/O APIC's page
 * @ioapic: the I/O APIC
 * @offset: 0 to ff
 * @value: what is written
 */
void mvm_ioapic_write(struct mvm_ioapic *ioapic, u32 offset, u32 value)
{
	u32 reg = ioapic->state.ioregsel, pin;

	if (offset == MVM_IOAPIC_SELECT)
		ioapic->state.ioregsel = value & 0xff;
	if (offset != MVM_IOAPIC_WINDOW)
		return;
	if (reg == MVM_IOAPIC_ID)
		ioapic->state.id = value >> 24 & 0xf;
	if (reg < MVM_IOAPIC_TABLE)
		return;
	pin = (reg - MVM_IOAPIC_TABLE) / 2;
	if (pin < MVM_IOAPIC_NR_PINS)
		write_entry(ioapic, pin, reg & 1, value);
}

/**
 * mvm_ioapic_get_state() - KVM_GET_IRQCHIP
 * @ioapic: the I/O APIC
 * @state: all but edges that were sent: setting it sends what is in there
 */
void mvm_ioapic_get_state(const struct mvm_ioapic *ioapic, struct kvm_ioapic_state *state)
{
	*state = ioapic->state;
	state->irr &= ~ioapic->delivered;
}

/**
 * mvm_ioapic_set_state() - KVM_SET_IRQCHIP
 * @ioapic: the I/O APIC
 * @state: unchecked: whatever a register holds does no harm
 */
void mvm_ioapic_set_state(struct mvm_ioapic *ioapic, const struct kvm_ioapic_state *state)
{
	unsigned int i;

	ioapic->state = *state;
	ioapic->state.irr = 0;
	ioapic->delivered = 0;
	find_vectors(ioapic);
	for (i = 0; i < MVM_IOAPIC_NR_PINS; i++)
		if (state->irr & BIT(i))
			mvm_ioapic_set_line(ioapic, i, true);
}
