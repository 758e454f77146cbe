// SPDX-License-Identifier: GPL-2.0
/*
 * Where the time of vCPUs goes: a clock that somebody has to start.
 */
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "mvm.h"
#include "vmx/vmx.h"

/* On, and a second later still: whoever comes and goes does not patch all the time. */
DEFINE_STATIC_KEY_DEFERRED_FALSE(mvm_timing, HZ);

static DEFINE_MUTEX(timing_lock);
static unsigned int timers;	/* who wants it; with timing_lock held */
static u32 generation;		/* how often it was started */

/**
 * mvm_timing_get() - somebody wants to know where the time goes
 *
 * May sleep.
 */
void mvm_timing_get(void)
{
	mutex_lock(&timing_lock);
	/* What vCPUs did meanwhile nobody knows: they begin anew. */
	if (!timers++)
		WRITE_ONCE(generation, generation + 1);
	mutex_unlock(&timing_lock);
	static_branch_deferred_inc(&mvm_timing);
}

/**
 * mvm_timing_put() - undo mvm_timing_get()
 *
 * May sleep.
 */
void mvm_timing_put(void)
{
	mutex_lock(&timing_lock);
	timers--;
	mutex_unlock(&timing_lock);
	static_branch_slow_dec_deferred(&mvm_timing);
}

/**
 * mvm_timing_exit() - the module is about to be unloaded
 */
void mvm_timing_exit(void)
{
	static_key_deferred_flush(&mvm_timing);
}

/**
 * mvm_times_init() - of a new vCPU
 * @times: all zero
 */
void mvm_times_init(struct mvm_times *times)
{
	seqcount_init(&times->seq);
}

/*
 * Ticks since the last change, or 0 if it was not seen, or the TSC was set
 * back since then: the machine slept.
 */
static u64 elapsed(const struct mvm_times *t, u64 now)
{
	return t->generation == READ_ONCE(generation) && now > t->since ? now - t->since : 0;
}

/**
 * mvm_times_change() - the vCPU leaves one mode for another
 * @vcpu: the vCPU, its mutex held
 * @mode: the new one
 *
 * Context: any but interrupts.
 */
void mvm_times_change(struct mvm_vcpu *vcpu, enum mvm_mode mode)
{
	u32 reason = vcpu->vmx.reason & VMX_REASON_BASIC;
	struct mvm_times *t = &vcpu->times;
	u64 now, ticks;

	preempt_disable();
	raw_write_seqcount_begin(&t->seq);
	now = rdtsc();
	ticks = elapsed(t, now);
	t->ticks[t->mode] += ticks;
	/* On the way to the first VM entry there is no reason yet. */
	if (t->mode == MVM_MODE_ROOT && vcpu->nr_exits && reason < VMX_NR_REASONS)
		t->root[reason] += ticks;
	t->mode = mode;
	t->since = now;
	t->generation = READ_ONCE(generation);
	raw_write_seqcount_end(&t->seq);
	preempt_enable();
}

static u64 to_ns(u64 ticks)
{
	return mul_u64_u32_div(ticks, USEC_PER_SEC, tsc_khz);
}

/**
 * mvm_times_read() - where a vCPU's time went until now
 * @vcpu: the vCPU
 * @times: @times->ticks and @times->root get nanoseconds
 *
 * What it does right now counts for its mode, but for no reason yet.
 *
 * Context: any process, without locks.
 */
void mvm_times_read(const struct mvm_vcpu *vcpu, struct mvm_times *times)
{
	unsigned int seq, i;

	do {
		seq = read_seqcount_begin(&vcpu->times.seq);
		*times = vcpu->times;
	} while (read_seqcount_retry(&vcpu->times.seq, seq));

	if (static_branch_unlikely(&mvm_timing.key))
		times->ticks[times->mode] += elapsed(times, rdtsc());
	for (i = 0; i < MVM_NR_MODES; i++)
		times->ticks[i] = to_ns(times->ticks[i]);
	for (i = 0; i < VMX_NR_REASONS; i++)
		times->root[i] = to_ns(times->root[i]);
}
