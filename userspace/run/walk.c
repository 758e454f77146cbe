// SPDX-License-Identifier: GPL-2.0
/*
 * From a linear to a guest-physical address, through the guest's page tables.
 *
 * For reports only: whether an access would be *permitted* is not asked.
 * SDM Vol. 3, "Paging" (2024: chapter 5).
 */
#include <string.h>
#include "walk.h"

#define ADDRESS_BITS	0x000ffffffffff000ULL
#define PAGE_BITS	12

/**
 * struct shape - of the tables, by paging mode
 * @levels: how many tables, one after the other
 * @index_bits: of a linear address that select an entry
 * @entry_size: bytes
 */
struct shape {
	unsigned int levels;
	unsigned int index_bits;
	unsigned int entry_size;
};

static struct shape shape_of(const struct walk *walk)
{
	if (!(walk->cr4 & CR4_PAE))
		return (struct shape){ 2, 10, 4 };
	if (!(walk->efer & EFER_LMA))
		return (struct shape){ 3, 9, 8 };
	return (struct shape){ walk->cr4 & CR4_LA57 ? 5 : 4, 9, 8 };
}

static bool is_large(const struct walk *walk, const struct shape *shape,
		     unsigned int level, __u64 entry)
{
	if (!(entry & PTE_LARGE))
		return false;
	if (shape->entry_size == 4)
		return level == 2 && (walk->cr4 & CR4_PSE);
	return level == 2 || (level == 3 && shape->levels > 3);
}

static __u64 large_frame(const struct shape *shape, __u64 entry)
{
	/* 4 MiB pages have bits 39:32 of the address in bits 20:13. */
	if (shape->entry_size == 4)
		return (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
	return entry & ADDRESS_BITS;
}

/**
 * walk_address() - translate
 * @walk: the page tables
 * @linear: the address
 *
 * Return: where it leads, or why it leads nowhere.
 */
struct walk_result walk_address(const struct walk *walk, __u64 linear)
{
	struct walk_result result = { 0 };
	struct shape shape = shape_of(walk);
	unsigned int shift = 0;
	__u64 table, entry;

	if (!(walk->cr0 & CR0_PG)) {
		result.physical = linear & 0xffffffff;
		return result;
	}
	if (shape.levels < 4)
		linear &= 0xffffffff;

	table = walk->cr3 & ADDRESS_BITS;
	if (shape.levels == 3)		/* the four PDPTEs need no whole page */
		table = walk->cr3 & 0xffffffe0;
	else if (shape.levels == 2)
		table &= 0xffffffff;

	for (result.level = shape.levels; result.level; result.level--) {
		__u64 index;

		shift = PAGE_BITS + (result.level - 1) * shape.index_bits;
		index = linear >> shift & ((1ULL << shape.index_bits) - 1);
		result.entry = table + index * shape.entry_size;

		entry = 0;
		if (!walk->read(walk->context, result.entry, &entry, shape.entry_size)) {
			result.why = "outside the guest's memory";
			return result;
		}
		if (!(entry & PTE_PRESENT)) {
			result.why = "not present";
			return result;
		}
		table = entry & ADDRESS_BITS;
		if (is_large(walk, &shape, result.level, entry)) {
			table = large_frame(&shape, entry);
			break;
		}
	}
	result.physical = (table >> shift << shift) | (linear & ((1ULL << shift) - 1));
	return result;
}
