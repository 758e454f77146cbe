// SPDX-License-Identifier: GPL-2.0
/*
 * Memory slots: the rules of KVM_SET_USER_MEMORY_REGION, and the table. That
 * the rules are KVM's, tests/lab/memory.t shows on /dev/kvm itself.
 */
// sources: module/memory/slot.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/string.h>

#include "memory/ept.h"
#include "memory/slot.h"

#define MIB		BIT_ULL(20)
#define GIB		BIT_ULL(30)
#define GPA_LIMIT	BIT_ULL(40)
#define HVA_LIMIT	((1ULL << 47) - 4096)
#define HVA		0x7f0000000000ULL

static struct mvm_slots *new_slots(void)
{
	struct mvm_slots *slots = calloc(1, sizeof(*slots));

	assert_non_null(slots);
	return slots;
}

static int plan(const struct mvm_slots *slots, u32 id, u32 flags, u64 gpa,
		u64 size, u64 hva, enum mvm_slot_change *change)
{
	const struct kvm_userspace_memory_region region = {
		.slot = id, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size, .userspace_addr = hva,
	};

	return mvm_slot_plan(slots, &region, GPA_LIMIT, HVA_LIMIT, change);
}

static void insert(struct mvm_slots *slots, u32 id, u64 gpa, u64 size,
		   u64 hva)
{
	const struct mvm_slot new = {
		.gpa = gpa, .size = size, .hva = hva, .id = id,
	};

	mvm_slot_insert(slots, &new);
}

/* Three slots, put in out of order: 0 at 1M, 1 at 4M, 2 at 0; 1M each. */
static int setup(void **state)
{
	struct mvm_slots *slots = new_slots();

	insert(slots, 0, 1 * MIB, MIB, HVA + 16 * MIB);
	insert(slots, 1, 4 * MIB, MIB, HVA + 32 * MIB);
	insert(slots, 2, 0, MIB, HVA);
	*state = slots;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static int id_at(const struct mvm_slots *slots, u64 gpa)
{
	const struct mvm_slot *slot = mvm_slot_find(slots, gpa);

	return slot ? (int)slot->id : -1;
}

static void test_find(void **state)
{
	struct mvm_slots *slots = *state, *none = new_slots();

	assert_int_equal(id_at(slots, 0), 2);
	assert_int_equal(id_at(slots, MIB - 1), 2);
	assert_int_equal(id_at(slots, MIB), 0);
	assert_int_equal(id_at(slots, 2 * MIB - 1), 0);
	assert_int_equal(id_at(slots, 2 * MIB), -1);
	assert_int_equal(id_at(slots, 4 * MIB - 1), -1);
	assert_int_equal(id_at(slots, 4 * MIB), 1);
	assert_int_equal(id_at(slots, 5 * MIB - 1), 1);
	assert_int_equal(id_at(slots, 5 * MIB), -1);
	assert_int_equal(id_at(slots, ~0ULL), -1);
	assert_int_equal(id_at(none, 0), -1);
	free(none);
}

static void test_remove(void **state)
{
	struct mvm_slots *slots = *state;

	mvm_slot_remove(slots, 0);
	assert_int_equal(slots->nr, 2);
	assert_null(mvm_slot_by_id(slots, 0));
	assert_int_equal(id_at(slots, MIB), -1);
	assert_int_equal(id_at(slots, 0), 2);
	assert_int_equal(id_at(slots, 4 * MIB), 1);
	mvm_slot_remove(slots, 1);
	mvm_slot_remove(slots, 2);
	assert_int_equal(slots->nr, 0);
	assert_int_equal(id_at(slots, 0), -1);
}

/* All slots that there can be, inserted backwards; the next one is refused. */
static void test_full(void **state)
{
	struct mvm_slots *slots = new_slots();
	enum mvm_slot_change change;
	int i;

	for (i = MVM_NR_SLOTS - 1; i >= 0; i--) {
		assert_int_equal(plan(slots, i, 0, i * MIB, MIB, HVA, &change),
				 0);
		assert_int_equal(change, MVM_SLOT_CREATE);
		insert(slots, i, i * MIB, MIB, HVA);
	}
	for (i = 0; i < MVM_NR_SLOTS; i++)
		assert_int_equal(id_at(slots, i * MIB + 5), i);
	assert_int_equal(plan(slots, MVM_NR_SLOTS, 0, GIB, MIB, HVA, &change),
			 -EINVAL);
	free(slots);
}

static void test_plan_changes(void **state)
{
	static const struct {
		u32 id, flags;
		u64 gpa, size, hva;
		int ret;
		enum mvm_slot_change change;
	} cases[] = {
		{ 3, 0, 2 * MIB, MIB, HVA, 0, MVM_SLOT_CREATE },
		{ 3, KVM_MEM_READONLY, 2 * MIB, MIB, HVA, 0, MVM_SLOT_CREATE },
		/* Two slots may share memory. */
		{ 3, 0, 3 * MIB, MIB, HVA + 16 * MIB, 0, MVM_SLOT_CREATE },
		{ 0, 0, MIB, MIB, HVA + 16 * MIB, 0, MVM_SLOT_SAME },
		{ 0, 0, 2 * MIB, MIB, HVA + 16 * MIB, 0, MVM_SLOT_MOVE },
		/* Onto a part of where it is now. */
		{ 0, 0, MIB + 4096, MIB, HVA + 16 * MIB, 0, MVM_SLOT_MOVE },
		{ 0, 0, MIB, 0, 0, 0, MVM_SLOT_DELETE },
		{ 0, 0, 0, 0, HVA, 0, MVM_SLOT_DELETE },
		/* Nothing there to delete. */
		{ 3, 0, 0, 0, 0, -EINVAL, 0 },
		/* What cannot be changed. */
		{ 0, KVM_MEM_READONLY, MIB, MIB, HVA + 16 * MIB, -EINVAL, 0 },
		{ 0, 0, MIB, MIB, HVA, -EINVAL, 0 },
		{ 0, 0, MIB, MIB / 2, HVA + 16 * MIB, -EINVAL, 0 },
	};
	struct mvm_slots *slots = *state;
	enum mvm_slot_change change;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ret = plan(slots, cases[i].id, cases[i].flags, cases[i].gpa,
			   cases[i].size, cases[i].hva, &change);
		if (ret != cases[i].ret ||
		    (!ret && change != cases[i].change))
			fail_msg("case %u: %d, change %d", i, ret, change);
	}
}

static void test_plan_overlap(void **state)
{
	static const struct {
		u64 gpa, size;
		int ret;
	} cases[] = {
		{ 2 * MIB, 2 * MIB, 0 },		/* fills the gap */
		{ 2 * MIB - 4096, 4096, -EEXIST },	/* last page of one */
		{ 2 * MIB - 4096, 8192, -EEXIST },
		{ 4 * MIB - 4096, 8192, -EEXIST },	/* first page of one */
		{ 4 * MIB - 4096, 4096, 0 },
		{ 4 * MIB + 4096, 4096, -EEXIST },	/* inside */
		{ 2 * MIB, 8 * MIB, -EEXIST },		/* around */
		{ 5 * MIB, MIB, 0 },
		{ 0, MIB, -EEXIST },			/* the same */
	};
	struct mvm_slots *slots = *state;
	enum mvm_slot_change change;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ret = plan(slots, 3, 0, cases[i].gpa, cases[i].size, HVA,
			   &change);
		if (ret != cases[i].ret)
			fail_msg("case %u: %d", i, ret);
	}
	/* Moving onto another one. */
	assert_int_equal(plan(slots, 0, 0, 4 * MIB, MIB, HVA + 16 * MIB,
			      &change), -EEXIST);
}

static void test_plan_flags(void **state)
{
	const u32 log = KVM_MEM_LOG_DIRTY_PAGES, ro = KVM_MEM_READONLY;
	struct mvm_slots *slots = *state;
	enum mvm_slot_change change;

	assert_int_equal(plan(slots, 0, log, MIB, MIB, HVA + MIB, &change), -EINVAL);
	assert_int_equal(plan(slots, 3, log | ro, GIB, MIB, HVA, &change), 0);
	assert_int_equal(change, MVM_SLOT_CREATE);
	insert(slots, 3, GIB, MIB, HVA);
	assert_int_equal(plan(slots, 3, log, GIB, MIB, HVA, &change), 0);
	assert_int_equal(change, MVM_SLOT_FLAGS);
	assert_int_equal(plan(slots, 3, log, 2 * GIB, MIB, HVA, &change), 0);
	assert_int_equal(change, MVM_SLOT_MOVE);
	assert_int_equal(plan(slots, 3, log | ro, GIB, MIB, HVA, &change), -EINVAL);
	assert_int_equal(plan(slots, 3, 0, GIB, MIB, HVA, &change), 0);
	assert_int_equal(change, MVM_SLOT_SAME);
}

static void test_plan_bad_values(void **state)
{
	static const struct {
		u32 id, flags;
		u64 gpa, size, hva;
	} cases[] = {
		{ 3, 4, GIB, MIB, HVA },
		{ 3, 1u << 31, GIB, MIB, HVA },
		{ 3, 0, GIB + 1, MIB, HVA },
		{ 3, 0, GIB, MIB + 512, HVA },
		{ 3, 0, GIB, MIB, HVA + 8 },
		{ 3, 0, GIB, MIB, HVA_LIMIT },
		{ 3, 0, GIB, 2 * MIB, HVA_LIMIT - MIB },
		{ 3, 0, GIB, MIB, ~0ULL << 12 },
		{ 3, 0, GIB, ~0ULL << 12, 4096 },
		{ MVM_NR_SLOTS, 0, GIB, MIB, HVA },
		{ 1u << 16, 0, GIB, MIB, HVA },
		{ ~0u, 0, GIB, MIB, HVA },
		{ 3, 0, ~0ULL << 12, MIB, HVA },
		{ 3, 0, GIB, 1ULL << 43, 0 },
		{ 3, 0, GPA_LIMIT, MIB, HVA },
		{ 3, 0, GPA_LIMIT - MIB, 2 * MIB, HVA },
		/* Checked although only a slot's number matters. */
		{ 0, 4, 0, 0, 0 },
		{ 0, 0, 1, 0, 0 },
		{ 0, 0, 0, 0, 1 },
		{ 0, 0, 0, 0, ~0ULL << 12 },
	};
	struct mvm_slots *slots = *state;
	enum mvm_slot_change change;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ret = plan(slots, cases[i].id, cases[i].flags, cases[i].gpa,
			   cases[i].size, cases[i].hva, &change);
		if (ret != -EINVAL)
			fail_msg("case %u: %d", i, ret);
	}
	/* The limits themselves. */
	assert_int_equal(plan(slots, 3, 0, GPA_LIMIT - MIB, MIB, HVA, &change),
			 0);
	assert_int_equal(plan(slots, 3, 0, GIB, MIB, HVA_LIMIT - MIB, &change),
			 0);
	/* An overlap is noticed before the end of the address space is. */
	insert(slots, 4, GPA_LIMIT - MIB, MIB, HVA);
	assert_int_equal(plan(slots, 3, 0, GPA_LIMIT - MIB, 2 * MIB, HVA,
			      &change), -EEXIST);
}

static void test_clip(void **state)
{
	const struct mvm_slot slot = {
		.gpa = 4 * GIB, .size = MIB, .hva = HVA,
	};
	u64 gpa, end;

	assert_false(mvm_slot_clip(&slot, 0, HVA, &gpa, &end));
	assert_false(mvm_slot_clip(&slot, HVA + MIB, ~0UL, &gpa, &end));

	assert_true(mvm_slot_clip(&slot, 0, ~0UL, &gpa, &end));
	assert_int_equal(gpa, 4 * GIB);
	assert_int_equal(end, 4 * GIB + MIB);

	assert_true(mvm_slot_clip(&slot, HVA - 4096, HVA + 4096, &gpa, &end));
	assert_int_equal(gpa, 4 * GIB);
	assert_int_equal(end, 4 * GIB + 4096);

	assert_true(mvm_slot_clip(&slot, HVA + MIB - 4096, HVA + GIB, &gpa,
				  &end));
	assert_int_equal(gpa, 4 * GIB + MIB - 4096);
	assert_int_equal(end, 4 * GIB + MIB);

	/* test_young asks about one byte: its page. */
	assert_true(mvm_slot_clip(&slot, HVA + 5000, HVA + 5001, &gpa, &end));
	assert_int_equal(gpa, 4 * GIB + 4096);
	assert_int_equal(end, 4 * GIB + 8192);
}

static void test_level(void **state)
{
	struct mvm_slot slot = { .gpa = 0, .size = 4 * GIB, .hva = HVA };
	const struct mvm_slot *s = &slot;

	/* HVA is a multiple of 1 GiB. */
	assert_int_equal(mvm_slot_level(s, 5000, MVM_EPT_1G), MVM_EPT_1G);
	assert_int_equal(mvm_slot_level(s, 5000, MVM_EPT_2M), MVM_EPT_2M);
	assert_int_equal(mvm_slot_level(s, 5000, MVM_EPT_4K), MVM_EPT_4K);

	/* The slot's ends. */
	slot.gpa = 2 * MIB;
	slot.hva = HVA + 2 * MIB;
	slot.size = GIB;
	assert_int_equal(mvm_slot_level(s, 2 * MIB, MVM_EPT_1G), MVM_EPT_2M);
	assert_int_equal(mvm_slot_level(s, GIB, MVM_EPT_1G), MVM_EPT_2M);
	slot.size = 3 * MIB;
	assert_int_equal(mvm_slot_level(s, 4 * MIB - 1, MVM_EPT_1G),
			 MVM_EPT_2M);
	assert_int_equal(mvm_slot_level(s, 4 * MIB, MVM_EPT_1G), MVM_EPT_4K);
	slot.gpa = 2 * MIB + 4096;
	slot.hva = HVA + 2 * MIB + 4096;
	assert_int_equal(mvm_slot_level(s, 3 * MIB, MVM_EPT_1G), MVM_EPT_4K);

	/* Guest and owner disagree on where a large page begins. */
	slot.gpa = 0;
	slot.size = 4 * GIB;
	slot.hva = HVA + 2 * MIB;
	assert_int_equal(mvm_slot_level(s, GIB, MVM_EPT_1G), MVM_EPT_2M);
	slot.hva = HVA + 4096;
	assert_int_equal(mvm_slot_level(s, GIB, MVM_EPT_1G), MVM_EPT_4K);
}

int main(void)
{
#define SLOTS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		SLOTS_TEST(test_find),
		SLOTS_TEST(test_remove),
		cmocka_unit_test(test_full),
		SLOTS_TEST(test_plan_changes),
		SLOTS_TEST(test_plan_overlap),
		SLOTS_TEST(test_plan_flags),
		SLOTS_TEST(test_plan_bad_values),
		cmocka_unit_test(test_clip),
		cmocka_unit_test(test_level),
	};

	return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
