/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory slots: which range of guest-physical addresses is which range of the
 * owner's own addresses. Plain C over plain structs; the caller locks.
 */
#ifndef MVM_MEMORY_SLOT_H
#define MVM_MEMORY_SLOT_H

#include <linux/kvm.h>
#include <linux/types.h>

/* What KVM_CAP_NR_MEMSLOTS reports. QEMU gets by with 30. */
#define MVM_NR_SLOTS	512

/**
 * struct mvm_slot - one memory slot
 * @gpa: its first guest-physical address
 * @size: bytes
 * @hva: address of its first byte in the owner's address space
 * @flags: KVM_MEM_READONLY and KVM_MEM_LOG_DIRTY_PAGES, or 0
 * @id: the number that user space gave it, below MVM_NR_SLOTS
 * @dirty: with KVM_MEM_LOG_DIRTY_PAGES: a bit for each page, see dirty.c
 *
 * @gpa, @size and @hva are multiples of 4096, and @size is not 0.
 */
struct mvm_slot {
	u64 gpa;
	u64 size;
	unsigned long hva;
	u32 flags;
	u32 id;
	unsigned long *dirty;
};

/**
 * struct mvm_slots - all slots of a VM
 * @nr: how many there are
 * @slot: sorted by @gpa; none overlaps another
 */
struct mvm_slots {
	unsigned int nr;
	struct mvm_slot slot[MVM_NR_SLOTS];
};

/* What a KVM_SET_USER_MEMORY_REGION comes down to. */
enum mvm_slot_change {
	MVM_SLOT_SAME,
	MVM_SLOT_CREATE,
	MVM_SLOT_MOVE,
	MVM_SLOT_FLAGS,
	MVM_SLOT_DELETE,
};

int mvm_slot_plan(const struct mvm_slots *slots,
		  const struct kvm_userspace_memory_region *region,
		  u64 gpa_limit, u64 hva_limit, enum mvm_slot_change *change);
void mvm_slot_insert(struct mvm_slots *slots, const struct mvm_slot *new);
void mvm_slot_remove(struct mvm_slots *slots, u32 id);
const struct mvm_slot *mvm_slot_by_id(const struct mvm_slots *slots, u32 id);
const struct mvm_slot *mvm_slot_find(const struct mvm_slots *slots, u64 gpa);
bool mvm_slot_clip(const struct mvm_slot *slot, unsigned long start,
		   unsigned long end, u64 *gpa, u64 *gpa_end);
int mvm_slot_level(const struct mvm_slot *slot, u64 gpa, int max);

/* As mvm_slot_find(), where it is likely that it is @near, or NULL for no idea. */
static inline const struct mvm_slot *mvm_slot_find_near(const struct mvm_slots *slots, u64 gpa,
							const struct mvm_slot *near)
{
	return near && gpa - near->gpa < near->size ? near : mvm_slot_find(slots, gpa);
}

static inline bool mvm_slot_is_readonly(const struct mvm_slot *slot)
{
	return slot->flags & KVM_MEM_READONLY;
}

static inline unsigned long mvm_slot_hva(const struct mvm_slot *slot, u64 gpa)
{
	return slot->hva + (gpa - slot->gpa);
}

#endif /* MVM_MEMORY_SLOT_H */
