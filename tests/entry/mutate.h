/* SPDX-License-Identifier: GPL-2.0 */
/* Good VMCSs and what is done to them: what these files share. */
#ifndef ENTRY_MUTATE_H
#define ENTRY_MUTATE_H

#include <linux/kernel.h>

#include "entry.h"

#define PIN_TIMER		BIT(6)
#define CPU2_SHADOWING		BIT(14)

/* The bits of some controls that may be 1 */
#define MAY(controls)	(entry_msrs.controls >> 32)

static inline bool one_in(struct entry_random *r, u32 n)
{
	return !entry_below(r, n);
}

#define PICK(r, table)	((table)[entry_below(r, ARRAY_SIZE(table))])

/* Numbers of segments: the order of their fields */
enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

/**
 * struct entry_group - fields that belong together
 * @name: of the group
 * @mutate: gives them values at the edges of their rules, or any
 */
struct entry_group {
	const char *name;
	void (*mutate)(struct entry_case *e, struct entry_random *r);
};

/* good.c */
const char *entry_make_good(struct entry_case *e, struct entry_random *r);

/* edge.c */
u64 entry_some_bits(struct entry_random *r, u64 value, unsigned int width);
u64 entry_canonical_edge(struct entry_random *r);
u64 entry_address_edge(struct entry_random *r, enum entry_page page);
u64 entry_number_edge(struct entry_random *r);
u64 entry_pat_edge(struct entry_random *r);
u64 entry_efer_edge(struct entry_random *r, u64 value);

/* mutate.c */
void entry_event(struct entry_case *e, struct entry_random *r);
void entry_good_event(struct entry_case *e, struct entry_random *r);

/* mutate_guest.c */
extern const struct entry_group entry_guest_groups[];
extern const unsigned int entry_nr_guest_groups;

#endif
