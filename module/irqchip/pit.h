/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An i8254 interval timer as a PC has it, and the port of its speaker: plain C
 * over a plain struct. Intel, "82C54 CHMOS Programmable Interval Timer"
 * (231244-006).
 *
 * The caller has a lock, a clock in ns, and a timer for counter 0.
 */
#ifndef MVM_PIT_H
#define MVM_PIT_H

#include <linux/kvm.h>
#include <linux/types.h>

#define MVM_PIT_PORT		0x40
#define MVM_PIT_NR_PORTS	4
#define MVM_PIT_SPEAKER		0x61
#define MVM_PIT_FREQUENCY	1193182	/* Hz */

/* The fastest that counter 0 interrupts, in ns: KVM's min_timer_period_us */
#define MVM_PIT_MIN_PERIOD	200000

/**
 * struct mvm_pit - the timer
 * @channel: its counters; anything in there but a @count of 0 is harmless
 * @flags: KVM_PIT_FLAGS_*
 * @start: when counter 0 was loaded, in ns
 * @period: what counter 0 takes to come to 0, in ns; 0: it does not count
 * @periodic: it then begins anew
 */
struct mvm_pit {
	struct kvm_pit_channel_state channel[3];
	u32 flags;
	u64 start;
	u64 period;
	bool periodic;
};

void mvm_pit_init(struct mvm_pit *pit, u64 now);
u8 mvm_pit_read(struct mvm_pit *pit, u16 port, u64 now);
bool mvm_pit_write(struct mvm_pit *pit, u16 port, u8 value, u64 now);
u8 mvm_pit_speaker_read(const struct mvm_pit *pit, u64 now);
void mvm_pit_speaker_write(struct mvm_pit *pit, u8 value, u64 now);
void mvm_pit_get_state(const struct mvm_pit *pit, struct kvm_pit_state2 *state);
void mvm_pit_set_state(struct mvm_pit *pit, const struct kvm_pit_state2 *state, u64 now);

#endif
