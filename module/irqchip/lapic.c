// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a local APIC. Times are in ns of any clock, and the timer
 * counts one for each, before its divisor: KVM's bus of 1 GHz.
 *
 * Where the SDM leaves a choice, or KVM is more lenient than it, this does as
 * KVM does: there are no errors in ESR, no bus arbitration, and a message is
 * delivered before the write to ICR is over.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "lapic.h"

/* Six LVT entries; the version that KVM's has */
#define VERSION			0x50014

#define SVR_WRITABLE		0x3ff
#define LDR_WRITABLE		0xff000000
#define DFR_FIXED		0x0fffffff
#define DIVIDE_WRITABLE		0xb
#define ICR_BUSY		BIT(12)
#define ICR_ASSERT		BIT(14)
#define ICR_LEVEL		BIT(15)
#define ICR_LOGICAL		BIT(11)

/* SDM Vol. 3, "Local Vector Table": vector, delivery status, mask */
#define LVT_BITS		(0xff | BIT(12) | MVM_APIC_LVT_MASKED)
#define LVT_MODE		0x700
#define TIMER_MODE		(MVM_APIC_LVT_PERIODIC | MVM_APIC_LVT_DEADLINE)
/* Polarity, remote IRR, trigger mode */
#define LVT_LINT		(BIT(13) | BIT(14) | BIT(15))

/* A guest's periodic timer costs the host an interrupt each: KVM's limit, in ns */
#define MIN_PERIOD		200000

/* Where IRR, ISR or TMR have the bit vector % 32 of a vector */
static unsigned long *word_of(struct mvm_lapic *l, u32 reg, u8 vector)
{
	return (unsigned long *)&l->regs[(reg + vector / 32 * 16) >> 2];
}

/* The highest vector whose bit is set, or -1 */
static int highest(const struct mvm_lapic *l, u32 reg)
{
	int i;

	for (i = 7; i >= 0; i--) {
		u32 word = mvm_lapic_reg(l, reg + i * 16);

		if (word)
			return 32 * i + fls(word) - 1;
	}
	return -1;
}

/* What arrives just now comes a moment before or after. */
static void forget_requests(struct mvm_lapic *l)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(l->requested); i++)
		WRITE_ONCE(l->requested[i], 0);
}

/* SDM Vol. 3, "Logical x2APIC ID": cluster in the upper half */
static u32 x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | BIT(id & 0xf);
}

static bool software_enabled(const struct mvm_lapic *l)
{
	return mvm_lapic_reg(l, MVM_APIC_SVR) & MVM_APIC_SVR_ENABLED;
}

/* Bits 18:17 of the timer's LVT entry; both of them mean nothing. */
static u32 timer_mode(const struct mvm_lapic *l)
{
	return mvm_lapic_reg(l, MVM_APIC_LVT_TIMER) & TIMER_MODE;
}

static bool periodic(const struct mvm_lapic *l)
{
	return timer_mode(l) == MVM_APIC_LVT_PERIODIC;
}

/* SDM Vol. 3, "Task and Processor Priorities" */
static u32 ppr(const struct mvm_lapic *l)
{
	int isr = highest(l, MVM_APIC_ISR);
	u32 tpr = mvm_lapic_reg(l, MVM_APIC_TPR) & 0xff;
	u32 in_service = isr < 0 ? 0 : isr & 0xf0;

	return (tpr & 0xf0) >= in_service ? tpr : in_service;
}

/* SDM Vol. 3, "Divide Configuration Register" */
static u32 divisor(const struct mvm_lapic *l)
{
	u32 value = mvm_lapic_reg(l, MVM_APIC_TIMER_DIVIDE);
	u32 shift = (value & 3) | (value & 8) >> 1;

	return 1 << ((shift + 1) & 7);
}

static u64 period(const struct mvm_lapic *l)
{
	u64 ns = (u64)mvm_lapic_reg(l, MVM_APIC_TIMER_INITIAL) * divisor(l);

	if (timer_mode(l) & MVM_APIC_LVT_DEADLINE)
		return 0;
	if (ns && periodic(l))
		ns = max_t(u64, ns, MIN_PERIOD);
	return ns;
}

static void start_timer(struct mvm_lapic *l, u64 now, u64 remaining)
{
	l->timer_period = period(l);
	l->timer_target = l->timer_period ? now + remaining : 0;
}

/* A change to TSC-deadline mode, or from it, stops the timer. */
static void stop_timer(struct mvm_lapic *l)
{
	mvm_lapic_set_reg(l, MVM_APIC_TIMER_INITIAL, 0);
	l->deadline = 0;
	l->timer_period = 0;
	l->timer_target = 0;
}

static u64 timer_remaining(const struct mvm_lapic *l, u64 now)
{
	return l->timer_target > now ? l->timer_target - now : 0;
}

static u32 timer_current(const struct mvm_lapic *l, u64 now)
{
	if (!l->timer_period)
		return 0;
	return timer_remaining(l, now) % l->timer_period / divisor(l);
}

/**
 * mvm_lapic_reset() - the registers after INIT
 * @l: its @base and @id are valid and stay
 *
 * SDM Vol. 3, "Local APIC State After It Receives an INIT-Deassert IPI" and
 * the sections before it. A power-on reset is this with all registers 0 before,
 * and mvm_lapic_set_base().
 */
void mvm_lapic_reset(struct mvm_lapic *l)
{
	u32 id = mvm_lapic_reg(l, MVM_APIC_ID), ldr = mvm_lapic_reg(l, MVM_APIC_LDR), reg;

	memset(l->regs, 0, MVM_LAPIC_STATE_SIZE);
	forget_requests(l);
	mvm_lapic_set_reg(l, MVM_APIC_ID, id);
	mvm_lapic_set_reg(l, MVM_APIC_VERSION, VERSION);
	for (reg = MVM_APIC_LVT_TIMER; reg <= MVM_APIC_LVT_ERROR; reg += 16)
		mvm_lapic_set_reg(l, reg, MVM_APIC_LVT_MASKED);
	/* KVM's, for firmware that expects the PIC's interrupts to pass. */
	if (l->base & MVM_APIC_BASE_BSP)
		mvm_lapic_set_reg(l, MVM_APIC_LVT_LINT0, MVM_APIC_EXTINT);
	mvm_lapic_set_reg(l, MVM_APIC_DFR, 0xffffffff);
	mvm_lapic_set_reg(l, MVM_APIC_SVR, 0xff);
	if (mvm_lapic_x2apic(l))
		mvm_lapic_set_reg(l, MVM_APIC_LDR, ldr);
	l->deadline = 0;
	l->timer_period = 0;
	l->timer_target = 0;
}

/**
 * mvm_lapic_base_change_valid() - may a guest change IA32_APIC_BASE like this?
 * @old: its value
 * @base: the new one, valid by itself
 *
 * SDM Vol. 3, "x2APIC State Transitions": x2APIC mode is entered from xAPIC mode
 * and left by switching the APIC off.
 *
 * Return: false if WRMSR raises #GP.
 */
bool mvm_lapic_base_change_valid(u64 old, u64 base)
{
	if (old & MVM_APIC_BASE_X2APIC)
		return base & MVM_APIC_BASE_X2APIC || !(base & MVM_APIC_BASE_ENABLED);
	if (!(old & MVM_APIC_BASE_ENABLED))
		return !(base & MVM_APIC_BASE_X2APIC);
	return true;
}

/**
 * mvm_lapic_set_base() - change IA32_APIC_BASE
 * @l: the APIC
 * @base: the new value, valid
 */
void mvm_lapic_set_base(struct mvm_lapic *l, u64 base)
{
	u64 on = base & ~l->base;

	WRITE_ONCE(l->base, base);
	if (on & MVM_APIC_BASE_ENABLED)
		mvm_lapic_set_reg(l, MVM_APIC_ID, l->id << 24);
	if (on & MVM_APIC_BASE_X2APIC) {
		mvm_lapic_set_reg(l, MVM_APIC_ID, l->id);
		mvm_lapic_set_reg(l, MVM_APIC_LDR, x2apic_ldr(l->id));
	}
}

static bool readable(const struct mvm_lapic *l, u32 reg)
{
	switch (reg) {
	case MVM_APIC_ID:
	case MVM_APIC_VERSION:
	case MVM_APIC_TPR:
	case MVM_APIC_PPR:
	case MVM_APIC_LDR:
	case MVM_APIC_SVR:
	case MVM_APIC_ISR ... MVM_APIC_ESR:
	case MVM_APIC_ICR:
	case MVM_APIC_LVT_TIMER ... MVM_APIC_TIMER_CURRENT:
	case MVM_APIC_TIMER_DIVIDE:
		return true;
	case MVM_APIC_APR:
	case MVM_APIC_DFR:
	case MVM_APIC_ICR2:
		return !mvm_lapic_x2apic(l);
	}
	return false;
}

/**
 * mvm_lapic_read() - read a register
 * @l: the APIC
 * @reg: its offset, a multiple of 16
 * @now: the time
 * @value: what it holds
 *
 * Return: 0, or -EINVAL if there is none that can be read.
 */
int mvm_lapic_read(const struct mvm_lapic *l, u32 reg, u64 now, u32 *value)
{
	if (!readable(l, reg))
		return -EINVAL;
	if (reg == MVM_APIC_TIMER_CURRENT)
		*value = timer_current(l, now);
	else if (reg == MVM_APIC_PPR)
		*value = ppr(l);
	else if (reg == MVM_APIC_APR)
		*value = 0;
	else
		*value = mvm_lapic_reg(l, reg);
	return 0;
}

static int end_of_interrupt(struct mvm_lapic *l, struct mvm_lapic_irq *irq)
{
	int vector = highest(l, MVM_APIC_ISR);

	if (vector < 0)
		return MVM_LAPIC_LOOK;
	__clear_bit(vector % 32, word_of(l, MVM_APIC_ISR, vector));
	*irq = (struct mvm_lapic_irq) {
		.vector = vector,
		.level = mvm_lapic_level(l, vector),
	};
	return MVM_LAPIC_LOOK | MVM_LAPIC_EOI;
}

static int write_svr(struct mvm_lapic *l, u32 value)
{
	u32 reg;

	mvm_lapic_set_reg(l, MVM_APIC_SVR, value & SVR_WRITABLE);
	if (value & MVM_APIC_SVR_ENABLED)
		return MVM_LAPIC_LOOK;
	/* SDM Vol. 3, "Local APIC State After It Has Been Software Disabled" */
	for (reg = MVM_APIC_LVT_TIMER; reg <= MVM_APIC_LVT_ERROR; reg += 16)
		mvm_lapic_set_reg(l, reg, mvm_lapic_reg(l, reg) | MVM_APIC_LVT_MASKED);
	return 0;
}

static int write_lvt(struct mvm_lapic *l, u32 reg, u32 value)
{
	bool deadline = mvm_lapic_deadline_mode(l);
	u32 writable = LVT_BITS;

	if (reg == MVM_APIC_LVT_LINT0 || reg == MVM_APIC_LVT_LINT1)
		writable |= LVT_MODE | LVT_LINT;
	else if (reg == MVM_APIC_LVT_THERMAL || reg == MVM_APIC_LVT_PERF)
		writable |= LVT_MODE;
	else if (reg == MVM_APIC_LVT_TIMER)
		writable |= l->has_deadline ? TIMER_MODE : MVM_APIC_LVT_PERIODIC;
	value &= writable;
	if (!software_enabled(l))
		value |= MVM_APIC_LVT_MASKED;
	mvm_lapic_set_reg(l, reg, value);
	/* It may let the PIC's interrupts pass. */
	if (reg == MVM_APIC_LVT_LINT0)
		return MVM_LAPIC_LOOK;
	if (reg != MVM_APIC_LVT_TIMER)
		return 0;
	/* It goes on counting: what is to happen at 0 may be another. */
	if (mvm_lapic_deadline_mode(l) == deadline)
		l->timer_period = period(l);
	else
		stop_timer(l);
	return MVM_LAPIC_TIMER;
}

static int write_divide(struct mvm_lapic *l, u32 value, u64 now)
{
	u32 old = divisor(l);
	u64 remaining = timer_remaining(l, now);

	mvm_lapic_set_reg(l, MVM_APIC_TIMER_DIVIDE, value & DIVIDE_WRITABLE);
	if (divisor(l) == old || timer_mode(l) & MVM_APIC_LVT_DEADLINE)
		return 0;
	/* The same count takes another time from here on. At most 2^39 ns * 2^7 */
	if (l->timer_target)
		start_timer(l, now, remaining * divisor(l) / old);
	else
		l->timer_period = period(l);
	return MVM_LAPIC_TIMER;
}

static void decode_icr(const struct mvm_lapic *l, u32 low, u32 high,
		       struct mvm_lapic_irq *irq)
{
	*irq = (struct mvm_lapic_irq) {
		.dest = mvm_lapic_x2apic(l) ? high : high >> 24,
		.vector = low & 0xff,
		.mode = low & 0x700,
		.logical = low & ICR_LOGICAL,
		.level = low & ICR_LEVEL,
		.assert = low & ICR_ASSERT,
		.lowest = (low & 0x700) == MVM_APIC_LOWEST,
		.shorthand = low >> 18 & 3,
	};
}

/**
 * mvm_lapic_write() - write a register
 * @l: the APIC
 * @reg: its offset, a multiple of 16
 * @value: what to write; in x2APIC mode ICR is written by mvm_lapic_msr_write()
 * @now: the time
 * @irq: the message, with MVM_LAPIC_SEND; what has ended, with MVM_LAPIC_EOI
 *
 * Return: MVM_LAPIC_* that the caller has to do, or -EINVAL if there is no such
 * register or it cannot hold the value.
 */
int mvm_lapic_write(struct mvm_lapic *l, u32 reg, u32 value, u64 now,
		    struct mvm_lapic_irq *irq)
{
	const bool x2apic = mvm_lapic_x2apic(l);

	switch (reg) {
	case MVM_APIC_ID:
		if (x2apic)
			return -EINVAL;
		mvm_lapic_set_reg(l, reg, value & 0xff000000);
		return 0;
	case MVM_APIC_TPR:
		mvm_lapic_set_reg(l, reg, value & 0xff);
		return MVM_LAPIC_LOOK;
	case MVM_APIC_EOI:
		return end_of_interrupt(l, irq);
	case MVM_APIC_LDR:
		if (x2apic)
			return -EINVAL;
		mvm_lapic_set_reg(l, reg, value & LDR_WRITABLE);
		return 0;
	case MVM_APIC_DFR:
		if (x2apic)
			return -EINVAL;
		mvm_lapic_set_reg(l, reg, value | DFR_FIXED);
		return 0;
	case MVM_APIC_SVR:
		return write_svr(l, value);
	case MVM_APIC_ESR:
		return x2apic && value ? -EINVAL : 0;
	case MVM_APIC_ICR:
		value &= ~ICR_BUSY;
		mvm_lapic_set_reg(l, reg, value);
		decode_icr(l, value, mvm_lapic_reg(l, MVM_APIC_ICR2), irq);
		return MVM_LAPIC_SEND;
	case MVM_APIC_ICR2:
		if (x2apic)
			return -EINVAL;
		mvm_lapic_set_reg(l, reg, value & 0xff000000);
		return 0;
	case MVM_APIC_LVT_TIMER ... MVM_APIC_LVT_ERROR:
		return write_lvt(l, reg, value);
	case MVM_APIC_TIMER_INITIAL:
		if (mvm_lapic_deadline_mode(l))
			return 0;
		mvm_lapic_set_reg(l, reg, value);
		start_timer(l, now, period(l));
		return MVM_LAPIC_TIMER;
	case MVM_APIC_TIMER_DIVIDE:
		return write_divide(l, value, now);
	case MVM_APIC_SELF_IPI:
		if (!x2apic || value & ~0xff)
			return -EINVAL;
		*irq = (struct mvm_lapic_irq) {
			.vector = value, .assert = true, .shorthand = MVM_APIC_SELF,
		};
		return MVM_LAPIC_SEND;
	}
	return -EINVAL;
}

/**
 * mvm_lapic_get_state() - KVM_GET_LAPIC
 * @l: the APIC
 * @now: the time
 * @state: MVM_LAPIC_STATE_SIZE bytes, all written
 *
 * In x2APIC mode the ID is where xAPIC mode has it, and the upper half of ICR
 * also where ICR2 is, as in KVM.
 */
void mvm_lapic_get_state(const struct mvm_lapic *l, u64 now, void *state)
{
	u32 *words = state;

	memcpy(state, l->regs, MVM_LAPIC_STATE_SIZE);
	words[MVM_APIC_PPR / 4] = ppr(l);
	words[MVM_APIC_TIMER_CURRENT / 4] = timer_current(l, now);
	if (mvm_lapic_x2apic(l)) {
		words[MVM_APIC_ID / 4] <<= 24;
		words[MVM_APIC_ICR / 4 + 1] = words[MVM_APIC_ICR2 / 4];
	}
}

/**
 * mvm_lapic_set_state() - KVM_SET_LAPIC
 * @l: the APIC; afterwards its timer is to be set, and its IRR looked at
 * @now: the time
 * @state: MVM_LAPIC_STATE_SIZE bytes, unchecked: whatever a register holds does
 *	no harm
 */
void mvm_lapic_set_state(struct mvm_lapic *l, u64 now, const void *state)
{
	bool deadline = mvm_lapic_deadline_mode(l);
	const u32 *words = state;
	u64 remaining;
	u32 reg;

	forget_requests(l);
	for (reg = 0; reg < MVM_LAPIC_STATE_SIZE; reg += 16)
		mvm_lapic_set_reg(l, reg, words[reg / 4]);
	if (mvm_lapic_x2apic(l)) {
		mvm_lapic_set_reg(l, MVM_APIC_ID, mvm_lapic_reg(l, MVM_APIC_ID) >> 24);
		mvm_lapic_set_reg(l, MVM_APIC_LDR, x2apic_ldr(mvm_lapic_reg(l, MVM_APIC_ID)));
	}
	mvm_lapic_set_reg(l, MVM_APIC_VERSION, VERSION);
	mvm_lapic_set_reg(l, MVM_APIC_TIMER_CURRENT, 0);

	if (mvm_lapic_deadline_mode(l) != deadline)
		l->deadline = 0;
	/* Its deadline stays: user space sets it by the MSR. */
	if (mvm_lapic_deadline_mode(l) && deadline)
		return;
	/*
	 * A timer that was at 0 begins anew if it is periodic. If not, it expires
	 * now, as in KVM: nobody knows whether its interrupt was seen.
	 */
	remaining = (u64)words[MVM_APIC_TIMER_CURRENT / 4] * divisor(l);
	if (!remaining && periodic(l))
		remaining = period(l);
	start_timer(l, now, min(remaining, period(l)));
}

/**
 * mvm_lapic_accepts() - does it take fixed interrupts?
 * @l: the APIC
 *
 * Any vCPU may ask.
 *
 * Return: true if it is switched on.
 */
bool mvm_lapic_accepts(const struct mvm_lapic *l)
{
	return mvm_lapic_enabled(l) && software_enabled(l);
}

/**
 * mvm_lapic_request() - a fixed interrupt arrives
 * @l: the APIC
 * @vector: its vector
 * @level: level-triggered
 *
 * Any vCPU may call it; then the APIC's must call mvm_lapic_collect().
 */
void mvm_lapic_request(struct mvm_lapic *l, u8 vector, bool level)
{
	unsigned long *tmr = word_of(l, MVM_APIC_TMR, vector);

	if (test_bit(vector % 32, tmr) != level) {
		if (level)
			set_bit(vector % 32, tmr);
		else
			clear_bit(vector % 32, tmr);
	}
	set_bit(vector, l->requested);
}

/**
 * mvm_lapic_collect() - what was requested goes to IRR
 * @l: the APIC, of a vCPU that is not in the guest
 */
void mvm_lapic_collect(struct mvm_lapic *l)
{
	unsigned int i;
	u64 requested;
	u32 reg;

	for (i = 0; i < ARRAY_SIZE(l->requested); i++) {
		if (!READ_ONCE(l->requested[i]))
			continue;
		requested = xchg(&l->requested[i], 0);
		reg = MVM_APIC_IRR + 32 * i;
		mvm_lapic_set_reg(l, reg, mvm_lapic_reg(l, reg) | (u32)requested);
		mvm_lapic_set_reg(l, reg + 16, mvm_lapic_reg(l, reg + 16) | requested >> 32);
	}
}

/**
 * mvm_lapic_accepts_extint() - do the PIC's interrupts pass?
 * @l: the APIC
 *
 * SDM Vol. 3, "Local Vector Table"; with the APIC switched off LINT0 is the
 * processor's INTR pin ("Enabling or Disabling the Local APIC"). Any vCPU may ask.
 *
 * Return: true if so.
 */
bool mvm_lapic_accepts_extint(const struct mvm_lapic *l)
{
	u32 lvt = mvm_lapic_reg(l, MVM_APIC_LVT_LINT0);

	return !mvm_lapic_enabled(l) ||
	       (lvt & (LVT_MODE | MVM_APIC_LVT_MASKED)) == MVM_APIC_EXTINT;
}

/**
 * mvm_lapic_pending() - the interrupt that the processor should get now
 * @l: the APIC
 *
 * SDM Vol. 3, "Interrupt, Task, and Processor Priority": its class is above the
 * processor's.
 *
 * Return: its vector, or -1.
 */
int mvm_lapic_pending(const struct mvm_lapic *l)
{
	int vector;

	if (!mvm_lapic_enabled(l))
		return -1;
	vector = highest(l, MVM_APIC_IRR);
	if (vector < 0)
		return -1;
	return (vector & 0xf0) > (ppr(l) & 0xf0) ? vector : -1;
}

/**
 * mvm_lapic_tpr_threshold() - below which task priority is there something to do?
 * @l: the APIC
 *
 * SDM Vol. 3, "TPR Virtualization": of a guest that changes TPR by itself.
 *
 * Return: the class of the highest interrupt in IRR, if TPR keeps it from the
 * processor; else 0.
 */
u32 mvm_lapic_tpr_threshold(const struct mvm_lapic *l)
{
	int vector = highest(l, MVM_APIC_IRR);
	int class = mvm_lapic_reg(l, MVM_APIC_TPR) >> 4 & 0xf;

	return vector >= 0 && vector >> 4 <= class ? vector >> 4 : 0;
}

/**
 * mvm_lapic_interrupt_status() - what virtual-interrupt delivery is to know
 * @l: the APIC
 *
 * SDM Vol. 3, "Guest Non-Register State": the guest interrupt status. The
 * processor compares priorities by itself.
 *
 * Return: the highest vectors in IRR (bits 7:0) and in ISR (15:8), 0 for none.
 */
u16 mvm_lapic_interrupt_status(const struct mvm_lapic *l)
{
	int requested = highest(l, MVM_APIC_IRR), in_service = highest(l, MVM_APIC_ISR);

	if (requested < 0 || !mvm_lapic_enabled(l))
		requested = 0;
	return max(in_service, 0) << 8 | requested;
}

/**
 * mvm_lapic_acknowledge() - the processor takes an interrupt: ISR
 * @l: the APIC
 * @vector: what mvm_lapic_pending() said
 */
void mvm_lapic_acknowledge(struct mvm_lapic *l, u8 vector)
{
	__clear_bit(vector % 32, word_of(l, MVM_APIC_IRR, vector));
	__set_bit(vector % 32, word_of(l, MVM_APIC_ISR, vector));
}

/**
 * mvm_lapic_set_deadline() - WRMSR of IA32_TSC_DEADLINE
 * @l: the APIC
 * @deadline: the TSC when the timer is to expire, or 0
 * @target: when that is, in ns
 *
 * Return: MVM_LAPIC_TIMER, or 0 if the timer is in another mode: then nothing has
 * happened.
 */
int mvm_lapic_set_deadline(struct mvm_lapic *l, u64 deadline, u64 target)
{
	if (!mvm_lapic_enabled(l) || !mvm_lapic_deadline_mode(l))
		return 0;
	l->deadline = deadline;
	l->timer_target = deadline ? target : 0;
	return MVM_LAPIC_TIMER;
}

/**
 * mvm_lapic_timer_expired() - the timer has come to 0, or its deadline is reached
 * @l: the APIC
 * @now: the time
 *
 * Return: true if there is an interrupt of it in IRR.
 */
bool mvm_lapic_timer_expired(struct mvm_lapic *l, u64 now)
{
	u32 lvt = mvm_lapic_reg(l, MVM_APIC_LVT_TIMER);

	l->deadline = 0;
	if (!periodic(l) || !l->timer_period)
		l->timer_target = 0;
	else if (l->timer_target <= now)
		l->timer_target += ((now - l->timer_target) / l->timer_period + 1) *
				   l->timer_period;
	if (lvt & MVM_APIC_LVT_MASKED || !mvm_lapic_accepts(l))
		return false;
	mvm_lapic_request(l, lvt, false);
	mvm_lapic_collect(l);
	return true;
}
