// SPDX-License-Identifier: GPL-2.0
/*
 * The host's memory management speaks: pages of the owner are about to go,
 * to change, or may have been used.
 *
 * Every callback comes with locks of the host held (mmap_lock, rmap locks, for
 * the ones about aging a page-table lock) and some must not sleep: none here
 * sleeps. fault.c has the lock order and the race that this is one half of.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

#include "../compat.h"
#include "memory.h"

/* Asks or does something for one range; one "yes" answers for all. */
typedef bool (*range_fn)(struct mvm_ept *ept, u64 gpa, u64 end);

/*
 * Calls @fn for the guest-physical addresses whose memory is in a range of the
 * owner's. There can be several ranges: slots may share memory.
 */
static bool any_range(struct mvm_memory *mem, unsigned long start,
		      unsigned long end, range_fn fn)
{
	bool yes = false;
	unsigned int i;
	u64 gpa, last;

	lockdep_assert_held(&mem->lock);

	for (i = 0; i < mem->slots->nr; i++) {
		if (mvm_slot_clip(&mem->slots->slot[i], start, end, &gpa, &last))
			yes |= fn(&mem->ept, gpa, last);
	}
	return yes;
}

static struct mvm_memory *memory_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct mvm_memory, notifier);
}

/**
 * mvm_memory_invalid() - is a range of the owner's memory being invalidated?
 * @mem: the memory, with @mem->lock held
 * @start: first address of the owner's
 * @end: the first one behind the range
 */
bool mvm_memory_invalid(const struct mvm_memory *mem, unsigned long start,
			unsigned long end)
{
	return mem->invalidations && start < mem->invalid_end &&
	       end > mem->invalid_start;
}

/*
 * From here to the matching end, nothing in the range may be mapped. Of
 * several at once only the hull is kept, until the last one ends: a page
 * between two of them has to wait, which is rare and harmless.
 */
static int invalidate_range_start(struct mmu_notifier *notifier,
				  const struct mmu_notifier_range *range)
{
	struct mvm_memory *mem = memory_of(notifier);

	spin_lock(&mem->lock);
	if (!mem->invalidations++) {
		mem->invalid_start = range->start;
		mem->invalid_end = range->end;
	} else {
		mem->invalid_start = min(mem->invalid_start, range->start);
		mem->invalid_end = max(mem->invalid_end, range->end);
	}
	if (any_range(mem, range->start, range->end, mvm_ept_unmap))
		mem->flush(mem);
	mvm_memory_unlock(mem);
	return 0;
}

static bool range_exists(struct mvm_ept *ept, u64 gpa, u64 end)
{
	return true;
}

static void invalidate_range_end(struct mmu_notifier *notifier,
				 const struct mmu_notifier_range *range)
{
	struct mvm_memory *mem = memory_of(notifier);

	spin_lock(&mem->lock);
	/*
	 * Only faults on slots in the range hold pages that are gone. A slot
	 * that appeared or went since the start has counted by itself.
	 */
	if (any_range(mem, range->start, range->end, range_exists))
		mem->changes++;
	mem->invalidations--;
	spin_unlock(&mem->lock);
}

/*
 * Without accessed bits the only way to learn of the next access is to have it
 * fault. The flush is not optional there: to the next invalidation the page
 * will look unmapped, so that one would not flush it.
 */
static bool age(struct mmu_notifier *notifier, unsigned long start,
		unsigned long end)
{
	struct mvm_memory *mem = memory_of(notifier);
	bool young;

	spin_lock(&mem->lock);
	if (mem->features.ad) {
		young = any_range(mem, start, end, mvm_ept_clear_young);
	} else {
		young = any_range(mem, start, end, mvm_ept_unmap);
		if (young)
			mem->flush(mem);
	}
	mvm_memory_unlock(mem);
	return young;
}

static mvm_young_t clear_flush_young(struct mmu_notifier *notifier,
				     struct mm_struct *mm, unsigned long start,
				     unsigned long end)
{
	return age(notifier, start, end);
}

static mvm_young_t clear_young(struct mmu_notifier *notifier,
			       struct mm_struct *mm, unsigned long start,
			       unsigned long end)
{
	return age(notifier, start, end);
}

static mvm_young_t test_young(struct mmu_notifier *notifier,
			      struct mm_struct *mm, unsigned long address)
{
	struct mvm_memory *mem = memory_of(notifier);
	bool young;

	spin_lock(&mem->lock);
	young = any_range(mem, address, address + 1,
			  mem->features.ad ? mvm_ept_test_young :
					     mvm_ept_mapped);
	spin_unlock(&mem->lock);
	return young;
}

/*
 * The owner's address space goes: its last thread has exited, or
 * mvm_memory_destroy() was called. Descriptors of the VM may live on in
 * another process, but nobody can run the guest.
 */
static void release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct mvm_memory *mem = memory_of(notifier);

	spin_lock(&mem->lock);
	mem->released = true;
	mvm_memory_unmap(mem, 0, 1ULL << MVM_EPT_GPA_BITS);
	mvm_memory_unlock(mem);
}

const struct mmu_notifier_ops mvm_memory_notifier_ops = {
	.invalidate_range_start	= invalidate_range_start,
	.invalidate_range_end	= invalidate_range_end,
	.clear_flush_young	= clear_flush_young,
	.clear_young		= clear_young,
	.test_young		= test_young,
	.release		= release,
};
