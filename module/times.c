// SPDX-License-Identifier: GPL-2.0
/*
 * Where the time of vCPUs goes: a clock that somebody has to start.
 */
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/wait.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "irqchip/irqchip.h"
#include "mvm.h"
#include "vmx/vmx.h"

/* On, and a second later still: whoever comes and goes does not patch all the time. */
DEFINE_STATIC_KEY_DEFERRED_FALSE(mvm_timing, HZ);

static DEFINE_MUTEX(timing_lock);
static unsigned int timers;	/* who wants it; with timing_lock held */
static u32 generation;		/* how often it was started */
static u64 started;		/* when, or 0 until it runs */

/**
 * mvm_timing_get() - somebody wants to know where the time goes
 *
 * May sleep.
 */
void mvm_timing_get(void)
{
	mutex_lock(&timing_lock);
	if (timers++) {
		static_branch_deferred_inc(&mvm_timing);
	} else {
		/* What was noted before is of no use: vCPUs went on unseen. */
		WRITE_ONCE(started, 0);
		/* Whoever sees the new one must not see the old time: is_fresh(). */
		smp_store_release(&generation, generation + 1);
		static_branch_deferred_inc(&mvm_timing);
		/* A vCPU that has noted nothing yet has not changed since now. */
		WRITE_ONCE(started, rdtsc());
	}
	mutex_unlock(&timing_lock);
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
	times->mode = MVM_MODE_USER;
	times->since = rdtsc();
	times->generation = READ_ONCE(generation);
}

/* Has the vCPU noted anything since the clock was started? */
static bool is_fresh(const struct mvm_times *t)
{
	/* Before the look at the time: mvm_timing_get(). */
	return t->generation == smp_load_acquire(&generation);
}

/*
 * Ticks since the last change, as far as the clock ran. The TSC may have been set
 * back since then: the machine slept.
 */
static u64 elapsed(const struct mvm_times *t, u64 now)
{
	u64 since = is_fresh(t) ? t->since : READ_ONCE(started);

	return since && now > since ? now - since : 0;
}

/**
 * mvm_times_change() - the vCPU leaves one mode for another
 * @vcpu: the vCPU, its mutex held
 * @from: the one that it was in
 * @to: the new one
 *
 * Context: any but interrupts.
 */
void mvm_times_change(struct mvm_vcpu *vcpu, enum mvm_mode from, enum mvm_mode to)
{
	u32 reason = vcpu->vmx.reason & VMX_REASON_BASIC;
	struct mvm_times *t = &vcpu->times;
	u64 now, ticks;

	preempt_disable();
	raw_write_seqcount_begin(&t->seq);
	now = rdtsc();
	ticks = elapsed(t, now);
	t->ticks[from] += ticks;
	/* On the way to the first VM entry there is no reason yet. */
	if (from == MVM_MODE_ROOT && vcpu->nr_exits && reason < VMX_NR_REASONS)
		t->root[reason] += ticks;
	t->mode = to;
	t->since = now;
	t->generation = READ_ONCE(generation);
	raw_write_seqcount_end(&t->seq);
	preempt_enable();
}

/* What the vCPU does that has noted nothing; MVM_NR_MODES if that cannot be seen. */
static enum mvm_mode mode_now(const struct mvm_vcpu *vcpu)
{
	if (!READ_ONCE(vcpu->runner))
		return MVM_MODE_USER;
	/* A guess will do: it is right as soon as the vCPU notes something. */
	if (!vcpu->apic || !waitqueue_active(&vcpu->apic->wait))
		return MVM_NR_MODES;
	return READ_ONCE(vcpu->mp_state) == KVM_MP_STATE_HALTED ? MVM_MODE_HALT : MVM_MODE_WAIT;
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
	enum mvm_mode mode;
	unsigned int seq, i;

	do {
		seq = read_seqcount_begin(&vcpu->times.seq);
		*times = vcpu->times;
	} while (read_seqcount_retry(&vcpu->times.seq, seq));

	mode = is_fresh(times) ? times->mode : mode_now(vcpu);
	if (static_branch_unlikely(&mvm_timing.key) && mode < MVM_NR_MODES)
		times->ticks[mode] += elapsed(times, rdtsc());
	for (i = 0; i < MVM_NR_MODES; i++)
		times->ticks[i] = to_ns(times->ticks[i]);
	for (i = 0; i < VMX_NR_REASONS; i++)
		times->root[i] = to_ns(times->root[i]);
}
