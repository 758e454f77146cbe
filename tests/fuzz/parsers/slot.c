// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_SET_USER_MEMORY_REGION in any order: the table stays sorted and without
 * overlap, and finds what a search through all of it finds.
 */
// sources: module/memory/slot.c
#include <linux/bits.h>
#include <linux/kernel.h>
#include "input.h"
#include "memory/ept.h"
#include "memory/slot.h"

#define GPA_LIMIT	BIT_ULL(40)
#define HVA_LIMIT	(BIT_ULL(47) - 4096)

static struct mvm_slots slots;

static void check(u64 gpa)
{
	const struct mvm_slot *found = mvm_slot_find(&slots, gpa), *one = NULL;
	unsigned int i;
	u64 start, end;
	int level;

	for (i = 0; i < slots.nr; i++) {
		const struct mvm_slot *s = &slots.slot[i];

		must(s->size && s->id < MVM_NR_SLOTS);
		must(s->gpa + s->size <= GPA_LIMIT && s->hva + s->size <= HVA_LIMIT);
		must(!i || s->gpa >= s[-1].gpa + s[-1].size);
		must(mvm_slot_by_id(&slots, s->id) == s);
		if (gpa >= s->gpa && gpa - s->gpa < s->size)
			one = s;
	}
	must(found == one);
	if (!one)
		return;
	level = mvm_slot_level(one, gpa, MVM_EPT_1G);
	must(level >= MVM_EPT_4K && level <= MVM_EPT_1G);
	must(mvm_slot_clip(one, one->hva, one->hva + 1, &start, &end));
	must(start == one->gpa && end == start + 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	memset(&slots, 0, sizeof(slots));
	while (in.size) {
		struct kvm_userspace_memory_region r = { .slot = TAKE(&in, u16) % 520 };
		u8 shift = TAKE(&in, u8) % 40, odd = TAKE(&in, u8);
		enum mvm_slot_change change;
		struct mvm_slot new;

		r.guest_phys_addr = (u64)TAKE(&in, u16) << shift;
		r.memory_size = (u64)TAKE(&in, u16) << (odd >> 4 & 1 ? shift : 12);
		r.userspace_addr = (u64)TAKE(&in, u16) << (odd >> 5 & 1 ? 30 : 12);
		r.flags = odd & 1 ? odd >> 1 & 7 : 0;
		if (odd & 0x40)
			r.guest_phys_addr = -r.guest_phys_addr;
		if (odd & 0x80)
			r.userspace_addr = -r.userspace_addr;
		if (!mvm_slot_plan(&slots, &r, GPA_LIMIT, HVA_LIMIT, &change)) {
			new = (struct mvm_slot){
				.gpa = r.guest_phys_addr, .size = r.memory_size,
				.hva = r.userspace_addr, .flags = r.flags, .id = r.slot,
			};
			if (change == MVM_SLOT_MOVE || change == MVM_SLOT_DELETE)
				mvm_slot_remove(&slots, r.slot);
			if (change == MVM_SLOT_MOVE || change == MVM_SLOT_CREATE)
				mvm_slot_insert(&slots, &new);
		}
		check(r.guest_phys_addr);
		check(r.guest_phys_addr + r.memory_size);
	}
	return 0;
}
