// SPDX-License-Identifier: GPL-2.0
/*
 * Extended page tables: walk, map, unmap, age. ept.h says what is left to the
 * caller.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/minmax.h>

#include "ept.h"

/*
 * An entry with none of its three permission bits translates nothing, and
 * nothing of it is cached by the CPU (SDM Vol. 3, "Information That May Be
 * Cached"): that is why making one present never needs an INVEPT.
 */
static bool is_present(u64 entry)
{
	return entry & MVM_EPT_RWX;
}

static bool is_leaf(u64 entry, int level)
{
	return level == MVM_EPT_4K || (entry & MVM_EPT_LARGE);
}

static u64 *table_of(u64 entry)
{
	return phys_to_virt(entry & MVM_EPT_ADDRESS);
}

/* Permissions are limited by the leaf alone: a table allows everything. */
static u64 table_entry(u64 *table)
{
	return virt_to_phys(table) | MVM_EPT_RWX | MVM_EPT_ACCESSED;
}

/*
 * Accessed and dirty are set from the start, since a fault is an access: it
 * saves the CPU a locked update, and mvm_ept_map() may then rewrite an entry
 * without losing a bit that the CPU sets at the same moment. Without A/D
 * bits in use the CPU ignores both. Where it logs what gets dirty, it can only
 * log what was clean.
 */
static u64 leaf_entry(u64 hpa, int level, u64 prot)
{
	u64 entry = hpa | (prot & ~MVM_EPT_CLEAN) | MVM_EPT_WB | MVM_EPT_IGNORE_PAT |
		    MVM_EPT_ACCESSED;

	if (prot & MVM_EPT_WRITE && !(prot & MVM_EPT_CLEAN))
		entry |= MVM_EPT_DIRTY;
	if (level > MVM_EPT_4K)
		entry |= MVM_EPT_LARGE;
	return entry;
}

/**
 * mvm_ept_pointer() - the EPTP for the VMCS
 * @ept: the tree
 * @ad: let the CPU keep accessed and dirty bits; needs that capability
 */
u64 mvm_ept_pointer(const struct mvm_ept *ept, bool ad)
{
	return virt_to_phys(ept->root) | MVM_EPTP_WB | MVM_EPTP_4_LEVELS |
	       (ad ? MVM_EPTP_AD : 0);
}

/* Does the present leaf at @level already translate @gpa to @hpa like this? */
static bool translates(u64 entry, int level, u64 gpa, u64 hpa)
{
	u64 offset = gpa & (mvm_ept_size(level) - 1);

	return is_leaf(entry, level) && (entry & MVM_EPT_ADDRESS) + offset == hpa;
}

/**
 * mvm_ept_map() - translate one page
 * @ept: the tree
 * @gpa: guest-physical address, a multiple of the page's size
 * @hpa: host-physical address, likewise
 * @level: size of the page, MVM_EPT_4K to MVM_EPT_1G
 * @prot: MVM_EPT_READ, and MVM_EPT_WRITE and MVM_EPT_EXEC as wanted; with
 *	MVM_EPT_CLEAN a page of 4 KiB that was not dirty before is not yet
 * @spare: a zeroed page for a table that is missing, or NULL; set to NULL when
 *	it went into the tree
 *
 * Permissions are only ever added to a translation that is there already: the
 * page that it names is still the right one, or it would have been unmapped.
 * So whatever this function does, no TLB needs invalidating: what a CPU holds
 * is right, or causes an EPT violation, which drops it (SDM Vol. 3,
 * "Operations that Invalidate Cached Mappings").
 *
 * Return: 0; -ENOMEM when a table is missing and there is no spare page: call
 * again with one; -EEXIST when something else is mapped there (another page,
 * a table in place of a large page, a large page in place of a table): unmap
 * it, do an INVEPT, call again.
 */
int mvm_ept_map(struct mvm_ept *ept, u64 gpa, u64 hpa, int level, u64 prot,
		u64 **spare)
{
	u64 *table = ept->root;
	u64 *entry, old;
	int at;

	for (at = MVM_EPT_ROOT; ; at--) {
		entry = &table[mvm_ept_index(gpa, at)];
		old = READ_ONCE(*entry);
		if (at == level)
			break;
		if (!is_present(old)) {
			if (!*spare)
				return -ENOMEM;
			old = table_entry(*spare);
			*spare = NULL;
			WRITE_ONCE(*entry, old);
		} else if (is_leaf(old, at)) {
			if (translates(old, at, gpa, hpa) && !(prot & ~old))
				return 0;
			return -EEXIST;
		}
		table = table_of(old);
	}

	if (is_present(old)) {
		if (!translates(old, level, gpa, hpa))
			return -EEXIST;
		/*
		 * A dirty bit that the CPU sets right now may get lost: the
		 * page is then logged once more.
		 */
		prot |= old & (MVM_EPT_RWX | MVM_EPT_DIRTY);
	}
	WRITE_ONCE(*entry, leaf_entry(hpa, level, prot));
	return 0;
}

/* Retires @table, which is at @level and out of the tree, and all below it. */
static void retire(struct mvm_ept *ept, u64 *table, int level)
{
	u64 entry;
	int i;

	if (level > MVM_EPT_4K) {
		for (i = 0; i < 512; i++) {
			entry = READ_ONCE(table[i]);
			if (is_present(entry) && !is_leaf(entry, level))
				retire(ept, table_of(entry), level - 1);
		}
	}
	ept->retire(ept, table);
}

static bool unmap(struct mvm_ept *ept, u64 *table, int level, u64 start,
		  u64 end)
{
	u64 size = mvm_ept_size(level);
	bool flush = false;
	u64 gpa, next, old;
	u64 *entry;

	for (gpa = start; gpa < end; gpa = next) {
		next = min(end, ALIGN_DOWN(gpa, size) + size);
		entry = &table[mvm_ept_index(gpa, level)];
		old = READ_ONCE(*entry);
		if (!is_present(old))
			continue;

		if (is_leaf(old, level)) {
			WRITE_ONCE(*entry, 0);
			flush = true;
		} else if (next - gpa == size) {
			/*
			 * Even an empty table may be cached, as a pointer in
			 * a paging-structure cache.
			 */
			WRITE_ONCE(*entry, 0);
			retire(ept, table_of(old), level - 1);
			flush = true;
		} else if (unmap(ept, table_of(old), level - 1, gpa, next)) {
			flush = true;
		}
	}
	return flush;
}

/**
 * mvm_ept_unmap() - translate nothing in a range
 * @ept: the tree
 * @start: first guest-physical address
 * @end: the first one behind the range, at most 1 << MVM_EPT_GPA_BITS
 *
 * A large page that is partly in the range goes as a whole: its next use
 * brings back what is left of it. Tables that translate nothing outside the
 * range are retired.
 *
 * Return: whether an INVEPT is needed before the pages, or the retired
 * tables, may have another use.
 */
bool mvm_ept_unmap(struct mvm_ept *ept, u64 start, u64 end)
{
	return unmap(ept, ept->root, MVM_EPT_ROOT, start, end);
}

/**
 * mvm_ept_lowest_table() - how far down do the tables reach at an address?
 * @ept: the tree
 * @gpa: the address
 *
 * Return: the level of the lowest table, which is the size of the largest page
 * that can be mapped at @gpa without replacing a table.
 */
int mvm_ept_lowest_table(const struct mvm_ept *ept, u64 gpa)
{
	u64 *table = ept->root;
	int level;
	u64 entry;

	for (level = MVM_EPT_ROOT; level > MVM_EPT_4K; level--) {
		entry = READ_ONCE(table[mvm_ept_index(gpa, level)]);
		if (!is_present(entry) || is_leaf(entry, level))
			break;
		table = table_of(entry);
	}
	return level;
}

/* What to ask of each leaf in a range; one "yes" answers for the range. */
typedef bool (*leaf_fn)(u64 *entry);

static bool any_leaf(u64 *table, int level, u64 start, u64 end, leaf_fn fn)
{
	u64 size = mvm_ept_size(level);
	bool yes = false;
	u64 gpa, next, old;
	u64 *entry;

	for (gpa = start; gpa < end; gpa = next) {
		next = min(end, ALIGN_DOWN(gpa, size) + size);
		entry = &table[mvm_ept_index(gpa, level)];
		old = READ_ONCE(*entry);
		if (!is_present(old))
			continue;
		if (is_leaf(old, level))
			yes |= fn(entry);
		else
			yes |= any_leaf(table_of(old), level - 1, gpa, next, fn);
	}
	return yes;
}

static bool leaf_is_young(u64 *entry)
{
	return READ_ONCE(*entry) & MVM_EPT_ACCESSED;
}

static bool leaf_clear_young(u64 *entry)
{
	/* Atomically: the CPU may be setting the dirty bit. */
	return test_and_clear_bit(MVM_EPT_ACCESSED_BIT, (unsigned long *)entry);
}

static bool leaf_is_mapped(u64 *entry)
{
	return true;
}

static bool leaf_protect(u64 *entry)
{
	/* Atomically: the CPU may be setting the accessed or dirty bit. */
	return test_and_clear_bit(MVM_EPT_WRITE_BIT, (unsigned long *)entry);
}

/**
 * mvm_ept_protect() - make all that is mapped in a range read-only
 * @ept: the tree
 * @start: first guest-physical address
 * @end: the first one behind the range
 *
 * A large page that is partly in the range loses the permission as a whole.
 *
 * Return: whether an INVEPT is needed before nobody writes there any more.
 */
bool mvm_ept_protect(struct mvm_ept *ept, u64 start, u64 end)
{
	return any_leaf(ept->root, MVM_EPT_ROOT, start, end, leaf_protect);
}

static bool leaf_clean(u64 *entry)
{
	if (READ_ONCE(*entry) & MVM_EPT_LARGE)
		return leaf_protect(entry);
	clear_bit(MVM_EPT_DIRTY_BIT, (unsigned long *)entry);
	return READ_ONCE(*entry) & MVM_EPT_WRITE;
}

/**
 * mvm_ept_clean() - have the next write to each page in a range noticed
 * @ept: the tree, with A/D bits and page-modification logging in use
 * @start: first guest-physical address
 * @end: the first one behind the range
 *
 * Pages of 4 KiB stay writable and get clean: the CPU logs the write. A large
 * page, of which the log would not say which part it was, becomes read-only.
 *
 * Return: whether an INVEPT is needed before that is so. It is for every page
 * that is writable: a CPU may hold one as dirty that the entry says is clean,
 * see mvm_ept_map().
 */
bool mvm_ept_clean(struct mvm_ept *ept, u64 start, u64 end)
{
	return any_leaf(ept->root, MVM_EPT_ROOT, start, end, leaf_clean);
}

/**
 * mvm_ept_test_young() - was any page in a range accessed since it was mapped
 * or last aged?
 * @ept: the tree, with A/D bits in use
 * @start: first guest-physical address
 * @end: the first one behind the range
 */
bool mvm_ept_test_young(struct mvm_ept *ept, u64 start, u64 end)
{
	return any_leaf(ept->root, MVM_EPT_ROOT, start, end, leaf_is_young);
}

/**
 * mvm_ept_clear_young() - the same question, and forget the answer
 * @ept: the tree, with A/D bits in use
 * @start: first guest-physical address
 * @end: the first one behind the range
 *
 * No INVEPT follows: a CPU that holds the translation does not set the bit
 * again until it loads it anew, and a page that looks older than it is costs
 * less than an interrupt to every CPU. The host does the same for its own.
 */
bool mvm_ept_clear_young(struct mvm_ept *ept, u64 start, u64 end)
{
	return any_leaf(ept->root, MVM_EPT_ROOT, start, end, leaf_clear_young);
}

/**
 * mvm_ept_mapped() - is any page in a range mapped?
 * @ept: the tree
 * @start: first guest-physical address
 * @end: the first one behind the range
 */
bool mvm_ept_mapped(struct mvm_ept *ept, u64 start, u64 end)
{
	return any_leaf(ept->root, MVM_EPT_ROOT, start, end, leaf_is_mapped);
}
