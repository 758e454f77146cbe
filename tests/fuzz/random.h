/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzers' random numbers: the same seed gives the same numbers on every
 * machine. Each thread has its own sequence.
 */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include "vm.h"

extern __thread u64 random_state;	/* in control.c */

/* splitmix64: every seed is a good one */
static inline u64 rnd(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline u64 below(u64 n)
{
	return rnd() % n;
}

static inline bool one_in(unsigned int n)
{
	return !below(n);
}

#define pick(array)	((array)[below(ARRAY_SIZE(array))])

/* Values at which something begins or ends */
static inline u64 edge(void)
{
	static const u64 edges[] = {
		0, 1, 2, 7, 8, 0xf, 0x10, 0xff, 0x100, 0xfff, 0x1000, 0x1001,
		0x7fff, 0x8000, 0xffff, 0x10000, 0x100000, 0x7fffffff,
		0x80000000, 0xfffff000, 0xffffffff, 0x100000000,
		1ull << 39, (1ull << 40) - 1, 1ull << 45, 1ull << 46, 1ull << 47,
		(1ull << 47) - 0x1000, (1ull << 52) - 0x1000, 1ull << 52,
		0xffff800000000000, 0xffff888000000000, 1ull << 62, 1ull << 63,
		-0x1000ull, -2ull, -1ull,
	};

	if (one_in(4))
		return 1ull << below(64);
	if (one_in(4))
		return rnd();
	return pick(edges);
}

#endif
