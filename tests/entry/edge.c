// SPDX-License-Identifier: GPL-2.0
/* Values at the edges of the rules. */
#include <linux/kernel.h>

#include "mutate.h"

u64 entry_some_bits(struct entry_random *r, u64 value, unsigned int width)
{
	do {
		value ^= BIT_ULL(entry_below(r, width));
	} while (one_in(r, 4));
	return value;
}

u64 entry_canonical_edge(struct entry_random *r)
{
	const u8 n = entry_cpu.linear_bits;
	const u64 edges[] = {
		0, 1, BIT_ULL(n - 1) - 1, BIT_ULL(n - 1), BIT_ULL(n - 1) + 1, BIT_ULL(n),
		~0ULL, GENMASK_ULL(63, n - 1), GENMASK_ULL(63, n), GENMASK_ULL(63, n - 1) - 1,
		BIT_ULL(63), BIT_ULL(32), BIT_ULL(31), 0xffffffff,
		entry_random(r), entry_random(r) >> (64 - n),
	};

	return PICK(r, edges);
}

/* In its page, there but not aligned, or higher than the CPU can address */
u64 entry_address_edge(struct entry_random *r, enum entry_page page)
{
	u64 address = entry_page(page);
	u8 top = entry_cpu.phys_bits;

	switch (entry_below(r, 6)) {
	case 0:
		return address;
	case 1:
	case 2:
		return address | BIT_ULL(entry_below(r, 12));
	case 3:
		return address | BIT_ULL(top + entry_below(r, 64 - top));
	case 4:
		return address | BIT_ULL(top);
	default:
		return one_in(r, 2) ? ~0ULL : BIT_ULL(top) - 1;
	}
}

u64 entry_number_edge(struct entry_random *r)
{
	static const u64 edges[] = {
		0, 1, 2, 3, 4, 5, 15, 16, 17, 255, 256, 512, 0xffff, 0x10000, 0x7fffffff,
		0x80000000, 0xffffffff,
	};

	return one_in(r, 4) ? entry_random(r) : PICK(r, edges);
}

u64 entry_pat_edge(struct entry_random *r)
{
	u64 value = 0x0007040600070406;
	unsigned int shift = 8 * entry_below(r, 8);

	value &= ~(0xffULL << shift);
	return value | (u64)entry_below(r, one_in(r, 2) ? 9 : 256) << shift;
}

u64 entry_efer_edge(struct entry_random *r, u64 value)
{
	switch (entry_below(r, 3)) {
	case 0:
		return value ^ (u64)entry_below(r, 4) << (one_in(r, 2) ? 8 : 10);
	case 1:
		value &= ~0x500ULL;
		return value | entry_below(r, 2) << 8 | entry_below(r, 2) << 10;
	default:
		return entry_some_bits(r, value, one_in(r, 2) ? 16 : 64);
	}
}
