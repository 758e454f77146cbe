// SPDX-License-Identifier: GPL-2.0
/* Memory slots: a small sorted table, and the rules for changing it. */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "ept.h"
#include "slot.h"

#define SLOT_ALIGN	4096ULL
/* As in KVM: numbers of pages in a slot fit in an int. */
#define SLOT_MAX_PAGES	((1ULL << 31) - 1)

/* Where is the first slot that ends above @gpa? */
static unsigned int position(const struct mvm_slots *slots, u64 gpa)
{
	unsigned int low = 0, high = slots->nr;

	while (low < high) {
		unsigned int middle = (low + high) / 2;
		const struct mvm_slot *slot = &slots->slot[middle];

		if (slot->gpa + slot->size > gpa)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/**
 * mvm_slot_find() - the slot that has a guest-physical address
 * @slots: the table
 * @gpa: the address, any value
 *
 * Return: the slot, or NULL: nothing is there.
 */
const struct mvm_slot *mvm_slot_find(const struct mvm_slots *slots, u64 gpa)
{
	unsigned int i = position(slots, gpa);

	if (i == slots->nr || slots->slot[i].gpa > gpa)
		return NULL;
	return &slots->slot[i];
}

/** mvm_slot_by_id() - the slot with the number @id, or NULL */
const struct mvm_slot *mvm_slot_by_id(const struct mvm_slots *slots, u32 id)
{
	unsigned int i;

	for (i = 0; i < slots->nr; i++) {
		if (slots->slot[i].id == id)
			return &slots->slot[i];
	}
	return NULL;
}

/* Does any slot but @id have an address in [@gpa, @gpa + @size)? */
static bool overlaps(const struct mvm_slots *slots, u32 id, u64 gpa, u64 size)
{
	unsigned int i;

	for (i = position(slots, gpa);
	     i < slots->nr && slots->slot[i].gpa < gpa + size; i++) {
		if (slots->slot[i].id != id)
			return true;
	}
	return false;
}

/**
 * mvm_slot_plan() - what does KVM_SET_USER_MEMORY_REGION ask for?
 * @slots: the table as it is
 * @region: the argument, unchecked
 * @gpa_limit: guest-physical addresses are below it
 * @hva_limit: addresses of user space are below it
 * @change: what is to be done
 *
 * The rules, and where more than one is broken the order, are KVM's, so that
 * user space sees the same errno. One differs, because what it allows is not
 * there: there is one address space (no SMM).
 *
 * Return: 0, -EINVAL, or -EEXIST for an overlap with another slot.
 */
int mvm_slot_plan(const struct mvm_slots *slots,
		  const struct kvm_userspace_memory_region *region,
		  u64 gpa_limit, u64 hva_limit, enum mvm_slot_change *change)
{
	u64 gpa = region->guest_phys_addr, size = region->memory_size;
	const struct mvm_slot *old;

	if (region->flags & ~(u32)(KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES))
		return -EINVAL;
	if (!IS_ALIGNED(size, SLOT_ALIGN) || !IS_ALIGNED(gpa, SLOT_ALIGN) ||
	    !IS_ALIGNED(region->userspace_addr, SLOT_ALIGN))
		return -EINVAL;
	if (size > hva_limit || region->userspace_addr > hva_limit - size)
		return -EINVAL;
	/* The upper half names the address space: 0 is the only one. */
	if (region->slot >= MVM_NR_SLOTS)
		return -EINVAL;
	if (gpa + size < gpa || size / SLOT_ALIGN > SLOT_MAX_PAGES)
		return -EINVAL;

	old = mvm_slot_by_id(slots, region->slot);
	if (!size) {
		*change = MVM_SLOT_DELETE;
		return old ? 0 : -EINVAL;
	}

	if (!old) {
		*change = MVM_SLOT_CREATE;
	} else if (region->userspace_addr != old->hva || size != old->size ||
		   (region->flags ^ old->flags) & KVM_MEM_READONLY) {
		return -EINVAL;
	} else if (gpa != old->gpa) {
		*change = MVM_SLOT_MOVE;
	} else {
		*change = region->flags == old->flags ? MVM_SLOT_SAME : MVM_SLOT_FLAGS;
		return 0;
	}

	if (overlaps(slots, region->slot, gpa, size))
		return -EEXIST;
	if (size > gpa_limit || gpa > gpa_limit - size)
		return -EINVAL;
	return 0;
}

/**
 * mvm_slot_insert() - add a slot
 * @slots: the table; it has no slot with that number
 * @new: checked by mvm_slot_plan(), so there is room for it
 */
void mvm_slot_insert(struct mvm_slots *slots, const struct mvm_slot *new)
{
	unsigned int i = position(slots, new->gpa);

	memmove(&slots->slot[i + 1], &slots->slot[i],
		(slots->nr - i) * sizeof(*new));
	slots->slot[i] = *new;
	slots->nr++;
}

/** mvm_slot_remove() - take the slot with the number @id out; it is there */
void mvm_slot_remove(struct mvm_slots *slots, u32 id)
{
	unsigned int i = mvm_slot_by_id(slots, id) - slots->slot;

	slots->nr--;
	memmove(&slots->slot[i], &slots->slot[i + 1],
		(slots->nr - i) * sizeof(slots->slot[0]));
}

/**
 * mvm_slot_clip() - which guest-physical addresses have their memory in a
 * range of the owner's addresses?
 * @slot: the slot to look at
 * @start: first address of the range
 * @end: the first one behind it
 * @gpa: the first guest-physical address, rounded down to a page
 * @gpa_end: the first one behind, rounded up to a page
 *
 * Return: whether there are any.
 */
bool mvm_slot_clip(const struct mvm_slot *slot, unsigned long start,
		   unsigned long end, u64 *gpa, u64 *gpa_end)
{
	unsigned long hva_end = slot->hva + slot->size;

	if (start >= hva_end || end <= slot->hva)
		return false;

	start = max(start, slot->hva);
	end = min(end, hva_end);
	*gpa = slot->gpa + ALIGN_DOWN(start - slot->hva, SLOT_ALIGN);
	*gpa_end = slot->gpa + ALIGN(end - slot->hva, SLOT_ALIGN);
	return true;
}

/**
 * mvm_slot_level() - how large a page does the slot allow at an address?
 * @slot: the slot
 * @gpa: an address in it
 * @max: the largest level to consider, MVM_EPT_4K or above
 *
 * A large page must lie in the slot as a whole, and the slot's memory must be
 * aligned in the owner's address space as it is in the guest's: otherwise the
 * two large pages do not coincide.
 */
int mvm_slot_level(const struct mvm_slot *slot, u64 gpa, int max)
{
	int level;
	u64 size, start;

	for (level = max; level > MVM_EPT_4K; level--) {
		size = mvm_ept_size(level);
		start = ALIGN_DOWN(gpa, size);
		if (IS_ALIGNED(slot->gpa ^ slot->hva, size) &&
		    start >= slot->gpa &&
		    start + size <= slot->gpa + slot->size)
			break;
	}
	return level;
}
