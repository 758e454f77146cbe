// SPDX-License-Identifier: GPL-2.0
/*
 * kvmclock's arithmetic.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "pvclock.h"

#define LONGEST		BIT_ULL(62)

/**
 * mvm_clock_rate() - the rate of a TSC
 * @khz: its frequency, not 0
 *
 * Return: the rate, right to 32 bits.
 */
struct mvm_clock_rate mvm_clock_rate(u32 khz)
{
	u64 ns = 1000000, ticks = khz;
	struct mvm_clock_rate rate = { };

	/* Until 1/2 <= ns / ticks < 1 */
	while (ticks > 2 * ns) {
		ns *= 2;
		rate.shift--;
	}
	while (ticks <= ns) {
		ticks *= 2;
		rate.shift++;
	}
	rate.multiplier = (ns << 32) / ticks;
	return rate;
}

/**
 * mvm_clock_ns() - how long so many ticks take
 * @rate: of the TSC
 * @ticks: any number
 *
 * Return: ns, rounded down; 146 years for all that are longer.
 */
u64 mvm_clock_ns(struct mvm_clock_rate rate, u64 ticks)
{
	u64 ns;

	if (rate.shift > 0 && ticks >> (63 - rate.shift))
		return LONGEST;
	if (rate.shift < 0)
		ticks >>= -rate.shift;
	else
		ticks <<= rate.shift;
	ns = (ticks >> 32) * rate.multiplier + ((u32)ticks * (u64)rate.multiplier >> 32);
	return min(ns, LONGEST);
}
