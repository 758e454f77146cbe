/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pair of 8259A interrupt controllers as a PC has it, the second on line 2 of
 * the first, and the ELCR that makes lines level-triggered: plain C over a plain
 * struct. Intel, "8259A Programmable Interrupt Controller" (231468-003); for the
 * ELCR, "82371AB PCI-to-ISA / IDE Xcelerator", "ELCR1—Edge/Level Control
 * Register".
 *
 * The caller has a lock.
 */
#ifndef MVM_PIC_H
#define MVM_PIC_H

#include <linux/kvm.h>
#include <linux/types.h>

#define MVM_PIC_MASTER		0x20
#define MVM_PIC_SLAVE		0xa0
#define MVM_PIC_ELCR		0x4d0	/* the slave's is the next */
#define MVM_PIC_NR_LINES	16

/**
 * struct mvm_pic - the pair
 * @chip: master and slave; anything in there is harmless
 * @output: the master's INTR
 * @raised: it has gone up; the caller's to clear
 * @acked: lines whose interrupt has ended; the caller's to clear
 * @unmasked: lines that were masked before; the caller's to clear
 */
struct mvm_pic {
	struct kvm_pic_state chip[2];
	bool output;
	bool raised;
	u16 acked;
	u16 unmasked;
};

void mvm_pic_init(struct mvm_pic *pic);
int mvm_pic_set_line(struct mvm_pic *pic, unsigned int line, bool up);
u8 mvm_pic_acknowledge(struct mvm_pic *pic);
u8 mvm_pic_read(struct mvm_pic *pic, u16 port);
void mvm_pic_write(struct mvm_pic *pic, u16 port, u8 value);
void mvm_pic_set_state(struct mvm_pic *pic, int chip, const struct kvm_pic_state *state);

#endif
