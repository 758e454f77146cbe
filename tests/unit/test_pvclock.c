// SPDX-License-Identifier: GPL-2.0
/*
 * kvmclock's arithmetic, against exact fractions.
 */
// sources: module/x86/pvclock.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <linux/kernel.h>
#include <linux/types.h>

#include "x86/pvclock.h"

static const u32 frequencies[] = {
	1, 2, 3, 999, 1000, 32768, 65536, 499999, 500000, 500001, 999999, 1000000, 1000001,
	1999999, 2000000, 2000001, 2100000, 3499837, 4294967, 10000000, 0x7fffffff,
	0x80000000, 0xffffffff,
};

static void rates(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(frequencies); i++) {
		struct mvm_clock_rate r = mvm_clock_rate(frequencies[i]);

		assert_true(r.multiplier >= 0x80000000);
		/* A shift of 64 is none. */
		assert_true(r.shift > -32 && r.shift < 32);
	}
	/* A tick of 1 ns: one half, twice */
	assert_int_equal(mvm_clock_rate(1000000).multiplier, 0x80000000);
	assert_int_equal(mvm_clock_rate(1000000).shift, 1);
	/* 2 GHz: one half */
	assert_int_equal(mvm_clock_rate(2000000).multiplier, 0x80000000);
	assert_int_equal(mvm_clock_rate(2000000).shift, 0);
}

/* Right to 2^-31, and a ns for each of two roundings: 0.2 s in ten years */
static void times(void **state)
{
	static const u64 seconds[] = { 0, 1, 60, 86400, 10ull * 365 * 86400 };
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(frequencies); i++)
		for (k = 0; k < ARRAY_SIZE(seconds); k++) {
			u64 want = seconds[k] * 1000000000, ticks, got;

			/* 4 THz for ten years */
			if (__builtin_mul_overflow(seconds[k], frequencies[i] * 1000ull, &ticks))
				continue;
			got = mvm_clock_ns(mvm_clock_rate(frequencies[i]), ticks);
			assert_true(got <= want);
			assert_true(want - got <= (want >> 31) + 2);
		}
	/* What is longer than anybody's life is as long as that. */
	for (i = 0; i < ARRAY_SIZE(frequencies); i++) {
		u64 got = mvm_clock_ns(mvm_clock_rate(frequencies[i]), ~0ull);

		assert_true(got <= 1ull << 62);
		assert_true(got >= 86400ull * 1000000000);
	}
	assert_true(mvm_clock_ns(mvm_clock_rate(1000000), ~0ull) == 1ull << 62);
	assert_int_equal(mvm_clock_ns(mvm_clock_rate(2000000), 3), 1);
	assert_int_equal(mvm_clock_ns(mvm_clock_rate(1000000), 3), 3);
	assert_int_equal(mvm_clock_ns(mvm_clock_rate(1), 1), 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
