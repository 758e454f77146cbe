/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_WALK_H
#define RUN_WALK_H

#include "base.h"

/* Control register and EFER bits, and what they are called (SDM Vol. 3, 2.5). */
#define CR0_PE		BIT(0)
#define CR0_ET		BIT(4)
#define CR0_PG		BIT(31)
#define CR4_PSE		BIT(4)
#define CR4_PAE		BIT(5)
#define CR4_LA57	BIT(12)
#define EFER_LME	BIT(8)
#define EFER_LMA	BIT(10)

/* Bits of page-table entries. */
#define PTE_PRESENT	BIT(0)
#define PTE_WRITE	BIT(1)
#define PTE_LARGE	BIT(7)

/**
 * struct walk - page tables and how to read them
 * @cr0: control registers of the vCPU
 * @cr3: the same
 * @cr4: the same
 * @efer: the same
 * @read: fetch @size bytes of guest-physical memory, false if there is none
 * @context: for @read
 */
struct walk {
	__u64 cr0, cr3, cr4, efer;
	bool (*read)(void *context, __u64 address, void *to, unsigned int size);
	void *context;
};

/**
 * struct walk_result - where a linear address leads
 * @physical: guest-physical address, if it is mapped
 * @why: NULL if it is mapped, or what is missing
 * @level: of the entry that @why is about: 1 is the last table
 * @entry: guest-physical address of that entry
 */
struct walk_result {
	__u64 physical;
	const char *why;
	unsigned int level;
	__u64 entry;
};

struct walk_result walk_address(const struct walk *walk, __u64 linear);

#endif /* RUN_WALK_H */
