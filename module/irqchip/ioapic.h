/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An I/O APIC of 24 pins: plain C over a plain struct. Intel, "82093AA I/O Advanced
 * Programmable Interrupt Controller (IOAPIC)" (290566-001).
 *
 * The caller has a lock.
 */
#ifndef MVM_IOAPIC_H
#define MVM_IOAPIC_H

#include <linux/kvm.h>
#include <linux/types.h>

#include "lapic.h"

#define MVM_IOAPIC_BASE		0xfec00000
#define MVM_IOAPIC_LEN		0x100
#define MVM_IOAPIC_NR_PINS	KVM_IOAPIC_NUM_PINS

/* The two registers that are in memory, and what the first selects */
#define MVM_IOAPIC_SELECT	0x00
#define MVM_IOAPIC_WINDOW	0x10
#define MVM_IOAPIC_ID		0x00
#define MVM_IOAPIC_VERSION	0x01
#define MVM_IOAPIC_ARBITRATION	0x02
#define MVM_IOAPIC_TABLE	0x10

/* A redirection entry */
#define MVM_IOAPIC_VECTOR	0xff
#define MVM_IOAPIC_MODE		0x700
#define MVM_IOAPIC_LOGICAL	BIT_ULL(11)
#define MVM_IOAPIC_STATUS	BIT_ULL(12)
#define MVM_IOAPIC_REMOTE_IRR	BIT_ULL(14)
#define MVM_IOAPIC_LEVEL	BIT_ULL(15)
#define MVM_IOAPIC_MASKED	BIT_ULL(16)

/**
 * struct mvm_ioapic - an I/O APIC
 * @state: the registers; anything in there is harmless. @state.irr has the lines
 *	that are up
 * @delivered: edges of @state.irr that were sent
 * @vectors: those in the redirection table: their EOI may matter
 * @unmasked: pins that were masked before; the caller's to clear
 * @send: sends a message to the local APICs; how many took it
 */
struct mvm_ioapic {
	struct kvm_ioapic_state state;
	u32 delivered;
	u32 unmasked;
	unsigned long vectors[256 / BITS_PER_LONG];
	int (*send)(struct mvm_ioapic *ioapic, struct mvm_lapic_irq *irq);
};

void mvm_ioapic_init(struct mvm_ioapic *ioapic);
int mvm_ioapic_set_line(struct mvm_ioapic *ioapic, unsigned int pin, bool up);
u32 mvm_ioapic_pins(const struct mvm_ioapic *ioapic, u8 vector);
void mvm_ioapic_eoi(struct mvm_ioapic *ioapic, u8 vector);
u32 mvm_ioapic_read(const struct mvm_ioapic *ioapic, u32 offset);
void mvm_ioapic_write(struct mvm_ioapic *ioapic, u32 offset, u32 value);
void mvm_ioapic_get_state(const struct mvm_ioapic *ioapic, struct kvm_ioapic_state *state);
void mvm_ioapic_set_state(struct mvm_ioapic *ioapic, const struct kvm_ioapic_state *state);

#endif
