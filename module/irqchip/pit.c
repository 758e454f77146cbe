// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of the i8254. As in KVM a counter counts from when its count is
 * written, whatever its gate, which only starts counter 2 anew in the modes that
 * say so; counts are binary; and a status has no "null count". The outputs are the
 * data sheet's: KVM has those of modes 1, 2, 4 and 5 the other way round.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "pit.h"

#define NS_PER_SEC		1000000000ULL

#define NR_COUNTERS		3

/* The port behind the counters' */
#define CONTROL			3

/* A control word, and the read-back command, which is one for counter 3 */
#define CONTROL_ACCESS		4	/* shift */
#define READ_BACK		3
#define READ_BACK_NO_COUNT	BIT(5)
#define READ_BACK_NO_STATUS	BIT(4)

/* Which byte is next: kvm_pit_channel_state::read_state and write_state */
enum { LATCH, LOW, HIGH, WORD_LOW, WORD_HIGH };

/* The speaker's port */
#define SPEAKER_GATE		BIT(0)
#define SPEAKER_DATA		BIT(1)
#define SPEAKER_REFRESH		BIT(4)
#define SPEAKER_OUTPUT		BIT(5)

static u64 ns_to_clocks(u64 ns)
{
	return ns / NS_PER_SEC * MVM_PIT_FREQUENCY +
	       ns % NS_PER_SEC * MVM_PIT_FREQUENCY / NS_PER_SEC;
}

/* Clocks since the counter was loaded; counter 0's timer says where it is. */
static u64 elapsed(const struct mvm_pit *pit, int i, u64 now)
{
	u64 ns;

	if (i)
		return ns_to_clocks(now - pit->channel[i].count_load_time);
	if (!pit->period)
		return 0;
	ns = now - pit->start;
	return ns_to_clocks(pit->periodic ? ns % pit->period : ns);
}

static u16 count_of(const struct mvm_pit *pit, int i, u64 now)
{
	const struct kvm_pit_channel_state *c = &pit->channel[i];
	u64 clocks = elapsed(pit, i, now);

	switch (c->mode) {
	case 0:
	case 1:
	case 4:
	case 5:
		return c->count - clocks;
	case 3:
		return c->count - 2 * clocks % c->count;
	}
	return c->count - clocks % c->count;
}

static bool output_of(const struct mvm_pit *pit, int i, u64 now)
{
	const struct kvm_pit_channel_state *c = &pit->channel[i];
	u64 clocks = elapsed(pit, i, now);

	switch (c->mode) {
	case 2:
		return clocks % c->count != c->count - 1;
	case 3:
		return clocks % c->count < (c->count + 1) / 2;
	case 4:
	case 5:
		return clocks != c->count;
	}
	return clocks >= c->count;
}

static void latch_count(struct mvm_pit *pit, int i, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->channel[i];

	if (c->count_latched)
		return;
	c->latched_count = count_of(pit, i, now);
	c->count_latched = c->rw_mode;
}

static void latch_status(struct mvm_pit *pit, int i, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->channel[i];

	if (c->status_latched)
		return;
	c->status = output_of(pit, i, now) << 7 | c->rw_mode << 4 | c->mode << 1 | c->bcd;
	c->status_latched = 1;
}

/* A count has been written; 0 is the largest. */
static void load(struct mvm_pit *pit, int i, u32 count, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->channel[i];

	c->count = count ?: 0x10000;
	if (i) {
		c->count_load_time = now;
		return;
	}
	pit->start = now;
	pit->period = 0;
	pit->periodic = c->mode == 2 || c->mode == 3;
	/* Mode 5 waits for an edge of the gate, which is up. Mode 1 does, too; not in KVM. */
	if (!pit->periodic && c->mode != 0 && c->mode != 1 && c->mode != 4)
		return;
	/* The HPET interrupts instead. */
	if (pit->flags & KVM_PIT_FLAGS_HPET_LEGACY)
		return;
	pit->period = c->count * NS_PER_SEC / MVM_PIT_FREQUENCY;
	/* A guest shall not keep the host busy with its interrupts. */
	if (pit->periodic)
		pit->period = max_t(u64, pit->period, MVM_PIT_MIN_PERIOD);
}

/**
 * mvm_pit_init() - power-on
 * @pit: whatever it is
 * @now: in ns
 */
void mvm_pit_init(struct mvm_pit *pit, u64 now)
{
	int i;

	memset(pit, 0, sizeof(*pit));
	for (i = 0; i < NR_COUNTERS; i++) {
		/* None that there is: it does not run. */
		pit->channel[i].mode = 0xff;
		pit->channel[i].gate = i != 2;
		load(pit, i, 0, now);
	}
}

static u8 read_latched(struct kvm_pit_channel_state *c)
{
	u8 state = c->count_latched;

	c->count_latched = state == WORD_LOW ? HIGH : LATCH;
	return state == HIGH ? c->latched_count >> 8 : c->latched_count;
}

/**
 * mvm_pit_read() - IN
 * @pit: the timer
 * @port: one of its four
 * @now: in ns
 *
 * Return: the byte; all ones for the control word, which cannot be read.
 */
u8 mvm_pit_read(struct mvm_pit *pit, u16 port, u64 now)
{
	int i = (port - MVM_PIT_PORT) % MVM_PIT_NR_PORTS;
	struct kvm_pit_channel_state *c = &pit->channel[i];
	u16 count;

	if (i == CONTROL)
		return 0xff;
	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->count_latched)
		return read_latched(c);
	count = count_of(pit, i, now);
	switch (c->read_state) {
	case HIGH:
		return count >> 8;
	case WORD_LOW:
		c->read_state = WORD_HIGH;
		return count;
	case WORD_HIGH:
		c->read_state = WORD_LOW;
		return count >> 8;
	}
	return count;
}

static void read_back(struct mvm_pit *pit, u8 value, u64 now)
{
	int i;

	for (i = 0; i < NR_COUNTERS; i++) {
		if (!(value & 2 << i))
			continue;
		if (!(value & READ_BACK_NO_COUNT))
			latch_count(pit, i, now);
		if (!(value & READ_BACK_NO_STATUS))
			latch_status(pit, i, now);
	}
}

static void write_control(struct mvm_pit *pit, u8 value, u64 now)
{
	int i = value >> 6;
	struct kvm_pit_channel_state *c = &pit->channel[i];
	u8 access = value >> CONTROL_ACCESS & 3;

	if (i == READ_BACK) {
		read_back(pit, value, now);
	} else if (access == LATCH) {
		latch_count(pit, i, now);
	} else {
		c->rw_mode = access;
		c->read_state = access;
		c->write_state = access;
		c->mode = value >> 1 & 7;
		/* Modes 2 and 3 have a bit that is not looked at. */
		if (c->mode > 5)
			c->mode -= 4;
		c->bcd = value & 1;
	}
}

/**
 * mvm_pit_write() - OUT
 * @pit: the timer
 * @port: one of its four
 * @value: the byte
 * @now: in ns
 *
 * Return: counter 0 has been loaded: @pit's period and start are new.
 */
bool mvm_pit_write(struct mvm_pit *pit, u16 port, u8 value, u64 now)
{
	int i = (port - MVM_PIT_PORT) % MVM_PIT_NR_PORTS;
	struct kvm_pit_channel_state *c = &pit->channel[i];

	if (i == CONTROL) {
		write_control(pit, value, now);
		return false;
	}
	switch (c->write_state) {
	case HIGH:
		load(pit, i, value << 8, now);
		break;
	case WORD_LOW:
		c->write_latch = value;
		c->write_state = WORD_HIGH;
		return false;
	case WORD_HIGH:
		load(pit, i, c->write_latch | value << 8, now);
		c->write_state = WORD_LOW;
		break;
	default:
		load(pit, i, value, now);
	}
	return !i;
}

/**
 * mvm_pit_speaker_read() - IN from the speaker's port
 * @pit: the timer
 * @now: in ns
 *
 * Return: the byte; the bit that shows memory refresh changes every 2^14 ns.
 */
u8 mvm_pit_speaker_read(const struct mvm_pit *pit, u64 now)
{
	u8 value = 0;

	if (pit->channel[2].gate)
		value |= SPEAKER_GATE;
	if (pit->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON)
		value |= SPEAKER_DATA;
	if (now & BIT(14))
		value |= SPEAKER_REFRESH;
	if (output_of(pit, 2, now))
		value |= SPEAKER_OUTPUT;
	return value;
}

/**
 * mvm_pit_speaker_write() - OUT to the speaker's port: gate of counter 2
 * @pit: the timer
 * @value: the byte
 * @now: in ns
 */
void mvm_pit_speaker_write(struct mvm_pit *pit, u8 value, u64 now)
{
	struct kvm_pit_channel_state *c = &pit->channel[2];
	bool gate = value & SPEAKER_GATE;

	pit->flags &= ~KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	if (value & SPEAKER_DATA)
		pit->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	/* A rising edge starts these anew. */
	if (gate && !c->gate && (c->mode == 1 || c->mode == 2 || c->mode == 3 || c->mode == 5))
		c->count_load_time = now;
	c->gate = gate;
}

/**
 * mvm_pit_get_state() - KVM_GET_PIT2
 * @pit: the timer
 * @state: all of it is filled in
 */
void mvm_pit_get_state(const struct mvm_pit *pit, struct kvm_pit_state2 *state)
{
	memset(state, 0, sizeof(*state));
	memcpy(state->channels, pit->channel, sizeof(state->channels));
	state->flags = pit->flags;
}

/**
 * mvm_pit_set_state() - KVM_SET_PIT2: the counters begin anew
 * @pit: the timer
 * @state: unchecked: whatever a register holds does no harm
 * @now: in ns
 */
void mvm_pit_set_state(struct mvm_pit *pit, const struct kvm_pit_state2 *state, u64 now)
{
	int i;

	memcpy(pit->channel, state->channels, sizeof(pit->channel));
	pit->flags = state->flags;
	for (i = 0; i < NR_COUNTERS; i++)
		load(pit, i, pit->channel[i].count, now);
}
