/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Extended page tables: the entries and the tree.
 *
 * Plain C over plain memory: nothing here locks, allocates or invalidates a
 * TLB. The caller serialises, hands in zeroed pages for new tables, and does
 * an INVEPT when it is told that one is needed. ept.c compiles natively for
 * its unit tests.
 *
 * SDM Vol. 3, "The Extended Page Table Mechanism (EPT)" (2024: 29.3).
 */
#ifndef MVM_MEMORY_EPT_H
#define MVM_MEMORY_EPT_H

#include <linux/bits.h>
#include <linux/types.h>

/* Levels are counted from the leaf of a 4 KiB page up to the root. */
#define MVM_EPT_4K		1
#define MVM_EPT_2M		2
#define MVM_EPT_1G		3
#define MVM_EPT_ROOT		4

/* A 4-level walk translates 48 bits of guest-physical address. */
#define MVM_EPT_GPA_BITS	48

/* SDM Vol. 3, "EPT Translation Mechanism": formats of the entries. */
#define MVM_EPT_READ		BIT_ULL(0)
#define MVM_EPT_WRITE_BIT	1
#define MVM_EPT_WRITE		BIT_ULL(MVM_EPT_WRITE_BIT)
#define MVM_EPT_EXEC		BIT_ULL(2)
#define MVM_EPT_RWX		(MVM_EPT_READ | MVM_EPT_WRITE | MVM_EPT_EXEC)
#define MVM_EPT_WB		(6ULL << 3)
#define MVM_EPT_IGNORE_PAT	BIT_ULL(6)
#define MVM_EPT_LARGE		BIT_ULL(7)
#define MVM_EPT_ACCESSED_BIT	8
#define MVM_EPT_ACCESSED	BIT_ULL(MVM_EPT_ACCESSED_BIT)
#define MVM_EPT_DIRTY_BIT	9
#define MVM_EPT_DIRTY		BIT_ULL(MVM_EPT_DIRTY_BIT)
#define MVM_EPT_ADDRESS		GENMASK_ULL(51, 12)

/* For mvm_ept_map() alone: the CPU is to notice, and log, the first write. */
#define MVM_EPT_CLEAN		BIT_ULL(52)

/* SDM Vol. 3, "Extended-Page-Table Pointer (EPTP)" (2024: 25.6.11). */
#define MVM_EPTP_WB		6ULL
#define MVM_EPTP_4_LEVELS	((MVM_EPT_ROOT - 1) << 3)
#define MVM_EPTP_AD		BIT_ULL(6)

/**
 * struct mvm_ept - one tree of EPT tables
 * @root: its first table, 512 entries
 * @retire: called by mvm_ept_unmap() for each table that it takes out of the
 *	tree. CPUs may still walk the table, and set accessed bits in it, until
 *	the next INVEPT: only then may it be freed or written to.
 */
struct mvm_ept {
	u64 *root;
	void (*retire)(struct mvm_ept *ept, u64 *table);
};

/** mvm_ept_size() - bytes that one entry of a table at @level translates */
static inline u64 mvm_ept_size(int level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

/** mvm_ept_index() - the entry for @gpa in a table at @level */
static inline unsigned int mvm_ept_index(u64 gpa, int level)
{
	return (gpa >> (12 + 9 * (level - 1))) & 511;
}

u64 mvm_ept_pointer(const struct mvm_ept *ept, bool ad);
int mvm_ept_map(struct mvm_ept *ept, u64 gpa, u64 hpa, int level, u64 prot,
		u64 **spare);
bool mvm_ept_unmap(struct mvm_ept *ept, u64 start, u64 end);
int mvm_ept_lowest_table(const struct mvm_ept *ept, u64 gpa);
bool mvm_ept_test_young(struct mvm_ept *ept, u64 start, u64 end);
bool mvm_ept_clear_young(struct mvm_ept *ept, u64 start, u64 end);
bool mvm_ept_mapped(struct mvm_ept *ept, u64 start, u64 end);
bool mvm_ept_protect(struct mvm_ept *ept, u64 start, u64 end);
bool mvm_ept_clean(struct mvm_ept *ept, u64 start, u64 end);

#endif /* MVM_MEMORY_EPT_H */
