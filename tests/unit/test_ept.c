// SPDX-License-Identifier: GPL-2.0
/*
 * EPT tables: what is mapped is translated, by the SDM's rules and not by the
 * code under test; nothing else is; and no table is lost or freed too early.
 */
// sources: module/memory/ept.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "memory/ept.h"

#define KIB	1024ULL
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)
#define TIB	(1024 * GIB)
#define TOP	(256 * TIB)	/* the end of what 48 bits can say */

#define R	MVM_EPT_READ
#define RW	(MVM_EPT_READ | MVM_EPT_WRITE)
#define RX	(MVM_EPT_READ | MVM_EPT_EXEC)
#define RWX	MVM_EPT_RWX

/* Tables that unmap retired and that wait for the flush. */
static u64 *retired[4096];
static int nr_retired;
static int nr_tables;

static u64 *new_table(void)
{
	u64 *table = aligned_alloc(4096, 4096);

	assert_non_null(table);
	memset(table, 0, 4096);
	nr_tables++;
	return table;
}

static void free_table(u64 *table)
{
	free(table);
	nr_tables--;
}

static void retire(struct mvm_ept *ept, u64 *table)
{
	assert_true(nr_retired < (int)ARRAY_SIZE(retired));
	assert_ptr_not_equal(table, ept->root);
	retired[nr_retired++] = table;
}

static void flush(void)
{
	while (nr_retired)
		free_table(retired[--nr_retired]);
}

static int setup(void **state)
{
	static struct mvm_ept ept;

	nr_retired = 0;
	nr_tables = 0;
	ept.root = new_table();
	ept.retire = retire;
	*state = &ept;
	return 0;
}

/* Whatever a test did: unmapping everything leaves the root alone. */
static int teardown(void **state)
{
	struct mvm_ept *ept = *state;

	mvm_ept_unmap(ept, 0, TOP);
	flush();
	if (nr_tables != 1) {
		print_error("%d tables are left beside the root\n",
			    nr_tables - 1);
		return -1;
	}
	free_table(ept->root);
	return 0;
}

/* Maps as fault.c does: one more table each time one is missing. */
static int map(struct mvm_ept *ept, u64 gpa, u64 hpa, int level, u64 prot)
{
	u64 *spare = NULL;
	int ret;

	while ((ret = mvm_ept_map(ept, gpa, hpa, level, prot, &spare)) ==
	       -ENOMEM) {
		assert_null(spare);
		spare = new_table();
	}
	if (spare)
		free_table(spare);
	return ret;
}

struct translation {
	u64 hpa;
	u64 prot;
	int shift;
};

/*
 * A walk as the SDM describes it ("EPT Translation Mechanism", tables "Format
 * of an EPT ... Entry"), written from there. Fails the test on anything that
 * would be an EPT misconfiguration.
 */
static bool translate(struct mvm_ept *ept, u64 gpa, struct translation *t)
{
	u64 *table = ept->root;
	u64 prot = 7;
	int shift;

	for (shift = 39; ; shift -= 9) {
		u64 entry = table[gpa >> shift & 0x1ff];
		bool leaf = shift == 12 || (shift <= 30 && (entry & 0x80));

		prot &= entry;
		if (!(entry & 7)) {
			/* L1TF: what is not present names no address. */
			assert_int_equal(entry, 0);
			return false;
		}
		/* Writable and not readable. */
		assert_int_not_equal(entry & 3, 2);
		/* Software leaves them 0: ignored, or #VE, or for later CPUs. */
		assert_int_equal(entry >> 52, 0);

		if (!leaf) {
			/* Bits 7:3 of a table's entry are reserved. */
			assert_int_equal(entry & 0xf8, 0);
			table = phys_to_virt(entry & 0x000ffffffffff000);
			continue;
		}
		/* Memory type WB (6), ignore PAT. */
		assert_int_equal(entry >> 3 & 7, 6);
		assert_true(entry & 0x40);
		/* Address bits below the page's size are reserved. */
		assert_int_equal(entry & 0x000ffffffffff000 &
				 ((1ULL << shift) - 1), 0);
		t->shift = shift;
		t->prot = prot;
		t->hpa = (entry & 0x000ffffffffff000) +
			 (gpa & ((1ULL << shift) - 1));
		return true;
	}
}

static void check(struct mvm_ept *ept, u64 gpa, u64 hpa, int shift, u64 prot)
{
	struct translation t;

	if (!translate(ept, gpa, &t))
		fail_msg("%#llx is not mapped", (unsigned long long)gpa);
	assert_int_equal(t.hpa, hpa);
	assert_int_equal(t.shift, shift);
	assert_int_equal(t.prot, prot);
}

static void check_none(struct mvm_ept *ept, u64 gpa)
{
	struct translation t;

	if (translate(ept, gpa, &t))
		fail_msg("%#llx is mapped", (unsigned long long)gpa);
}

static void test_sizes(void **state)
{
	assert_int_equal(mvm_ept_size(MVM_EPT_4K), 4 * KIB);
	assert_int_equal(mvm_ept_size(MVM_EPT_2M), 2 * MIB);
	assert_int_equal(mvm_ept_size(MVM_EPT_1G), 1 * GIB);
	assert_int_equal(mvm_ept_size(MVM_EPT_ROOT), 512 * GIB);
}

static void test_index(void **state)
{
	/* 1, 2, 3, 4 in the four fields of nine bits. */
	u64 gpa = 1ULL << 39 | 2ULL << 30 | 3ULL << 21 | 4ULL << 12 | 0xabc;

	assert_int_equal(mvm_ept_index(gpa, MVM_EPT_ROOT), 1);
	assert_int_equal(mvm_ept_index(gpa, MVM_EPT_1G), 2);
	assert_int_equal(mvm_ept_index(gpa, MVM_EPT_2M), 3);
	assert_int_equal(mvm_ept_index(gpa, MVM_EPT_4K), 4);
	assert_int_equal(mvm_ept_index(TOP - 1, MVM_EPT_ROOT), 511);
	assert_int_equal(mvm_ept_index(TOP - 1, MVM_EPT_4K), 511);
}

/* SDM, table "Format of Extended-Page-Table Pointer". */
static void test_pointer(void **state)
{
	struct mvm_ept *ept = *state;
	u64 root = virt_to_phys(ept->root);

	assert_int_equal(mvm_ept_pointer(ept, false), root | 0x1e);
	assert_int_equal(mvm_ept_pointer(ept, true), root | 0x5e);
}

static void test_nothing_mapped(void **state)
{
	struct mvm_ept *ept = *state;

	check_none(ept, 0);
	check_none(ept, TOP - 1);
	assert_false(mvm_ept_unmap(ept, 0, TOP));
	assert_false(mvm_ept_mapped(ept, 0, TOP));
	assert_int_equal(mvm_ept_lowest_table(ept, 0), MVM_EPT_ROOT);
}

static void test_map_4k(void **state)
{
	struct mvm_ept *ept = *state;

	assert_int_equal(map(ept, 0x5000, 0x123000, MVM_EPT_4K, RWX), 0);
	check(ept, 0x5000, 0x123000, 12, RWX);
	check(ept, 0x5fff, 0x123fff, 12, RWX);
	check_none(ept, 0x4fff);
	check_none(ept, 0x6000);
	assert_int_equal(nr_tables, 4);
	assert_int_equal(mvm_ept_lowest_table(ept, 0x5000), MVM_EPT_4K);
	assert_int_equal(mvm_ept_lowest_table(ept, 2 * MIB), MVM_EPT_2M);
	assert_int_equal(mvm_ept_lowest_table(ept, GIB), MVM_EPT_1G);
}

static void test_map_2m(void **state)
{
	struct mvm_ept *ept = *state;

	assert_int_equal(map(ept, 6 * MIB, 40 * MIB, MVM_EPT_2M, RX), 0);
	check(ept, 6 * MIB, 40 * MIB, 21, RX);
	check(ept, 8 * MIB - 1, 42 * MIB - 1, 21, RX);
	check_none(ept, 6 * MIB - 1);
	check_none(ept, 8 * MIB);
	assert_int_equal(nr_tables, 3);
	assert_int_equal(mvm_ept_lowest_table(ept, 6 * MIB), MVM_EPT_2M);
}

static void test_map_1g(void **state)
{
	struct mvm_ept *ept = *state;

	assert_int_equal(map(ept, 5 * GIB, 7 * GIB, MVM_EPT_1G, RW), 0);
	check(ept, 5 * GIB, 7 * GIB, 30, RW);
	check(ept, 6 * GIB - 1, 8 * GIB - 1, 30, RW);
	check_none(ept, 5 * GIB - 1);
	check_none(ept, 6 * GIB);
	assert_int_equal(nr_tables, 2);
}

static void test_ends_of_the_address_space(void **state)
{
	struct mvm_ept *ept = *state;
	u64 high = (1ULL << 52) - 4096;	/* the highest page there can be */

	assert_int_equal(map(ept, TOP - 4096, high, MVM_EPT_4K, R), 0);
	assert_int_equal(map(ept, 0, 0, MVM_EPT_4K, R), 0);
	check(ept, TOP - 1, (1ULL << 52) - 1, 12, R);
	check(ept, 0, 0, 12, R);
	assert_true(mvm_ept_unmap(ept, 4096, TOP));
	flush();
	check(ept, 0, 0, 12, R);
	check_none(ept, TOP - 1);
}

/* A spare page is asked for only when it is used, and never lost. */
static void test_spare(void **state)
{
	struct mvm_ept *ept = *state;
	u64 *spare = NULL, *page;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(mvm_ept_map(ept, 0, 0, MVM_EPT_4K, R, &spare),
				 -ENOMEM);
		check_none(ept, 0);
		spare = new_table();
	}
	assert_int_equal(mvm_ept_map(ept, 0, 0, MVM_EPT_4K, R, &spare), 0);
	assert_null(spare);

	page = new_table();
	spare = page;
	assert_int_equal(mvm_ept_map(ept, 4096, 0, MVM_EPT_4K, R, &spare), 0);
	assert_ptr_equal(spare, page);
	free_table(page);
}

static void test_permissions_are_only_added(void **state)
{
	struct mvm_ept *ept = *state;

	assert_int_equal(map(ept, 0, 4096, MVM_EPT_4K, R), 0);
	check(ept, 0, 4096, 12, R);
	assert_int_equal(map(ept, 0, 4096, MVM_EPT_4K, RW), 0);
	check(ept, 0, 4096, 12, RW);
	assert_int_equal(map(ept, 0, 4096, MVM_EPT_4K, RX), 0);
	check(ept, 0, 4096, 12, RWX);
	assert_int_equal(map(ept, 0, 4096, MVM_EPT_4K, R), 0);
	check(ept, 0, 4096, 12, RWX);
}

static void test_other_page_is_refused(void **state)
{
	struct mvm_ept *ept = *state;

	assert_int_equal(map(ept, 0, 4096, MVM_EPT_4K, R), 0);
	assert_int_equal(map(ept, 0, 8192, MVM_EPT_4K, RWX), -EEXIST);
	check(ept, 0, 4096, 12, R);

	assert_true(mvm_ept_unmap(ept, 0, 4096));
	assert_int_equal(map(ept, 0, 8192, MVM_EPT_4K, RWX), 0);
	check(ept, 0, 8192, 12, RWX);
}

static void test_large_over_tables_is_refused(void **state)
{
	struct mvm_ept *ept = *state;

	assert_int_equal(map(ept, 2 * MIB, 4 * MIB, MVM_EPT_4K, RWX), 0);
	assert_int_equal(map(ept, 2 * MIB, 4 * MIB, MVM_EPT_2M, RWX), -EEXIST);
	check(ept, 2 * MIB, 4 * MIB, 12, RWX);

	/* Empty tables count as well: a CPU may have the pointer cached. */
	assert_true(mvm_ept_unmap(ept, 2 * MIB, 2 * MIB + 4096));
	assert_int_equal(nr_retired, 0);
	assert_int_equal(map(ept, 2 * MIB, 4 * MIB, MVM_EPT_2M, RWX), -EEXIST);

	assert_true(mvm_ept_unmap(ept, 2 * MIB, 4 * MIB));
	assert_int_equal(nr_retired, 1);
	flush();
	assert_int_equal(map(ept, 2 * MIB, 4 * MIB, MVM_EPT_2M, RWX), 0);
	check(ept, 2 * MIB + 5, 4 * MIB + 5, 21, RWX);
}

static void test_small_in_large(void **state)
{
	struct mvm_ept *ept = *state;
	u64 page = 2 * MIB + 8 * KIB;

	assert_int_equal(map(ept, 2 * MIB, 4 * MIB, MVM_EPT_2M, RW), 0);
	/* There already, with all that is asked for. */
	assert_int_equal(map(ept, page, page + 2 * MIB, MVM_EPT_4K, R), 0);
	check(ept, page, page + 2 * MIB, 21, RW);
	/* Another permission, or another page. */
	assert_int_equal(map(ept, page, page + 2 * MIB, MVM_EPT_4K, RX),
			 -EEXIST);
	assert_int_equal(map(ept, page, page, MVM_EPT_4K, R), -EEXIST);

	/* Unmapping the small page takes all of the large one. */
	assert_true(mvm_ept_unmap(ept, page, page + 4096));
	check_none(ept, 2 * MIB);
	check_none(ept, 4 * MIB - 1);
	assert_int_equal(map(ept, page, page + 2 * MIB, MVM_EPT_4K, RX), 0);
	check(ept, page, page + 2 * MIB, 12, RX);
	check_none(ept, 2 * MIB);
}

static void test_unmap_is_exact(void **state)
{
	struct mvm_ept *ept = *state;
	int i;

	for (i = 0; i < 8; i++)
		map(ept, i * 4096, i * 4096, MVM_EPT_4K, R);
	assert_true(mvm_ept_unmap(ept, 3 * 4096, 5 * 4096));
	for (i = 0; i < 8; i++) {
		if (i == 3 || i == 4)
			check_none(ept, i * 4096);
		else
			check(ept, i * 4096, i * 4096, 12, R);
	}
	/* Nothing was there: no flush. */
	assert_false(mvm_ept_unmap(ept, 3 * 4096, 5 * 4096));
	assert_false(mvm_ept_unmap(ept, 100 * 4096, 2 * MIB));
}

/* Tables go with the last address that they are for, and all at once. */
static void test_unmap_retires(void **state)
{
	struct mvm_ept *ept = *state;

	map(ept, 0, 0, MVM_EPT_4K, R);
	map(ept, 2 * MIB, 0, MVM_EPT_4K, R);
	map(ept, GIB, 0, MVM_EPT_2M, R);
	assert_int_equal(nr_tables, 6);

	/* 2 MiB of the second 4K table: only that one goes. */
	assert_true(mvm_ept_unmap(ept, 2 * MIB, 4 * MIB));
	assert_int_equal(nr_retired, 1);
	flush();
	check(ept, 0, 0, 12, R);

	/* The first GiB: its 2M table and the 4K table below. */
	assert_true(mvm_ept_unmap(ept, 0, GIB));
	assert_int_equal(nr_retired, 2);
	flush();
	check(ept, GIB, 0, 21, R);

	/* All of it but one page: tables stay, the large page goes. */
	assert_true(mvm_ept_unmap(ept, GIB, 512 * GIB - 4096));
	assert_int_equal(nr_retired, 1);
	flush();
	assert_int_equal(nr_tables, 2);
	/* An empty table is a reason to flush as well. */
	assert_true(mvm_ept_unmap(ept, 0, 512 * GIB));
	assert_int_equal(nr_retired, 1);
	flush();
}

/*
 * Until the flush the CPU may still walk a retired table: what it finds there
 * is what was there, or nothing.
 */
static void test_retired_is_not_written(void **state)
{
	struct mvm_ept *ept = *state;
	u64 *table, before[512];

	map(ept, 0, 0x1000, MVM_EPT_4K, RWX);
	map(ept, 4096, 0x2000, MVM_EPT_4K, RWX);
	table = phys_to_virt(ept->root[0] & MVM_EPT_ADDRESS);
	table = phys_to_virt(table[0] & MVM_EPT_ADDRESS);
	table = phys_to_virt(table[0] & MVM_EPT_ADDRESS);
	memcpy(before, table, sizeof(before));

	assert_true(mvm_ept_unmap(ept, 0, 2 * MIB));
	assert_int_equal(nr_retired, 1);
	assert_ptr_equal(retired[0], table);
	assert_memory_equal(before, table, sizeof(before));
	flush();
}

static void test_mapped(void **state)
{
	struct mvm_ept *ept = *state;

	map(ept, 0x7000, 0, MVM_EPT_4K, R);
	map(ept, 4 * MIB, 0, MVM_EPT_2M, R);
	assert_true(mvm_ept_mapped(ept, 0, TOP));
	assert_true(mvm_ept_mapped(ept, 0x7000, 0x8000));
	assert_false(mvm_ept_mapped(ept, 0, 0x7000));
	assert_false(mvm_ept_mapped(ept, 0x8000, 4 * MIB));
	assert_true(mvm_ept_mapped(ept, 5 * MIB, 5 * MIB + 4096));
	assert_false(mvm_ept_mapped(ept, 6 * MIB, TOP));
}

static void test_young(void **state)
{
	struct mvm_ept *ept = *state;

	map(ept, 0x1000, 0x1000, MVM_EPT_4K, RW);
	map(ept, 0x2000, 0x2000, MVM_EPT_4K, RW);
	map(ept, 2 * MIB, 2 * MIB, MVM_EPT_2M, RW);

	/* A fault is an access. */
	assert_true(mvm_ept_test_young(ept, 0x1000, 0x2000));
	assert_true(mvm_ept_clear_young(ept, 0x1000, 0x2000));
	assert_false(mvm_ept_test_young(ept, 0x1000, 0x2000));
	assert_false(mvm_ept_clear_young(ept, 0x1000, 0x2000));
	assert_true(mvm_ept_test_young(ept, 0x2000, 0x3000));
	check(ept, 0x1000, 0x1000, 12, RW);

	/* Any 4K of a large page asks about all of it. */
	assert_true(mvm_ept_clear_young(ept, 3 * MIB, 3 * MIB + 4096));
	assert_false(mvm_ept_test_young(ept, 2 * MIB, 4 * MIB));

	/* One "yes" does not end the clearing. */
	map(ept, 0x1000, 0x1000, MVM_EPT_4K, RW);
	assert_true(mvm_ept_clear_young(ept, 0, TOP));
	assert_false(mvm_ept_test_young(ept, 0, TOP));
}

/* The CPU is told to log the next write, and what it holds does not get lost. */
static void test_clean(void **state)
{
	struct mvm_ept *ept = *state;
	u64 *entry, *table;
	int level;

	map(ept, 0x1000, 0x1000, MVM_EPT_4K, RW);
	map(ept, 0x2000, 0x2000, MVM_EPT_4K, RW | MVM_EPT_CLEAN);
	map(ept, 0x3000, 0x3000, MVM_EPT_4K, MVM_EPT_READ);
	map(ept, 2 * MIB, 2 * MIB, MVM_EPT_2M, RW);
	for (table = ept->root, level = MVM_EPT_ROOT; level > MVM_EPT_4K; level--)
		table = phys_to_virt(table[0] & MVM_EPT_ADDRESS);
	entry = &table[1];

	/* A software bit goes into no entry. */
	assert_int_equal((entry[0] | entry[1] | entry[2]) & MVM_EPT_CLEAN, 0);
	assert_true(entry[0] & MVM_EPT_DIRTY);
	assert_int_equal(entry[1] & (MVM_EPT_DIRTY | RW), RW);

	/* Mapped once more: what is dirty stays so, what is clean may get dirty. */
	assert_int_equal(map(ept, 0x1000, 0x1000, MVM_EPT_4K, RW | MVM_EPT_CLEAN), 0);
	assert_true(entry[0] & MVM_EPT_DIRTY);
	assert_int_equal(map(ept, 0x2000, 0x2000, MVM_EPT_4K, RW), 0);
	assert_true(entry[1] & MVM_EPT_DIRTY);
	assert_int_equal(map(ept, 0x3000, 0x3000, MVM_EPT_4K, RW | MVM_EPT_CLEAN), 0);
	assert_int_equal(entry[2] & (MVM_EPT_DIRTY | RW), RW);
	map(ept, 0x4000, 0x4000, MVM_EPT_4K, MVM_EPT_READ);

	/* Of 4 KiB, what is writable needs the flush, clean or not. */
	assert_true(mvm_ept_clean(ept, 0x1000, 0x2000));
	assert_int_equal(entry[0] & (MVM_EPT_DIRTY | RW), RW);
	assert_true(entry[1] & MVM_EPT_DIRTY);
	assert_true(mvm_ept_clean(ept, 0x3000, 0x4000));
	assert_false(mvm_ept_clean(ept, 0x4000, 0x5000));
	assert_false(mvm_ept_clean(ept, 0x5000, 2 * MIB));

	/* A large page loses the permission, as a whole, and once. */
	check(ept, 2 * MIB, 2 * MIB, 21, RW);
	assert_true(mvm_ept_clean(ept, 3 * MIB, 3 * MIB + 4096));
	check(ept, 2 * MIB, 2 * MIB, 21, MVM_EPT_READ);
	assert_false(mvm_ept_clean(ept, 2 * MIB, 4 * MIB));
}

/*
 * Thousands of random steps against a model that is an array: 2048 pages below and above
 * a GiB boundary, in the two smaller sizes.
 */
#define FIRST	(GIB - 4 * MIB)
#define PAGES	2048		/* 8 MiB, four large pages */

static void test_random(void **state)
{
	struct mvm_ept *ept = *state;
	static struct { u64 hpa; int shift; } model[PAGES];
	unsigned int seed = 1;
	int step, i, n, start, end;
	struct translation t;
	bool flush_needed, was_mapped;
	u64 hpa;
	int ret;

	memset(model, 0, sizeof(model));
	for (step = 0; step < 4000; step++) {
		start = rand_r(&seed) % PAGES;
		switch (rand_r(&seed) % 3) {
		case 0:		/* a small page, one of four */
			hpa = (1 + rand_r(&seed) % 4) * GIB + start * 4096;
			ret = map(ept, FIRST + start * 4096, hpa, MVM_EPT_4K, R);
			if (!model[start].hpa) {
				assert_int_equal(ret, 0);
				model[start].hpa = hpa;
				model[start].shift = 12;
			} else {
				assert_int_equal(ret, model[start].hpa == hpa ?
						      0 : -EEXIST);
			}
			break;
		case 1:		/* a large page; it may be refused */
			start &= ~511;
			hpa = (1 + rand_r(&seed) % 4) * GIB + start * 4096;
			n = 0;
			for (i = start; i < start + 512; i++)
				n += model[i].hpa && !(model[i].shift == 21 &&
						       model[i].hpa ==
						       hpa + (i - start) * 4096);
			ret = map(ept, FIRST + start * 4096, hpa, MVM_EPT_2M, R);
			if (n)
				assert_int_equal(ret, -EEXIST);
			if (ret)
				break;
			for (i = start; i < start + 512; i++) {
				model[i].hpa = hpa + (i - start) * 4096;
				model[i].shift = 21;
			}
			break;
		case 2:
			end = start + 1 + rand_r(&seed) % 1024;
			if (end > PAGES)
				end = PAGES;
			flush_needed = mvm_ept_unmap(ept, FIRST + start * 4096,
						     FIRST + end * 4096);
			was_mapped = false;
			for (i = start; i < end; i++)
				was_mapped |= model[i].hpa;
			if (was_mapped || nr_retired)
				assert_true(flush_needed);
			else
				assert_false(flush_needed);
			flush();
			if (model[start].shift == 21)
				start &= ~511;
			if (model[end - 1].shift == 21)
				end = (end + 511) & ~511;
			memset(&model[start], 0,
			       (end - start) * sizeof(model[0]));
			break;
		}
		if (step % 16)
			continue;
		for (i = 0; i < PAGES; i++) {
			bool there = translate(ept, FIRST + i * 4096, &t);

			assert_int_equal(there, !!model[i].hpa);
			if (!there)
				continue;
			assert_int_equal(t.hpa, model[i].hpa);
			assert_int_equal(t.shift, model[i].shift);
		}
	}
}

int main(void)
{
#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_index),
		TREE_TEST(test_pointer),
		TREE_TEST(test_nothing_mapped),
		TREE_TEST(test_map_4k),
		TREE_TEST(test_map_2m),
		TREE_TEST(test_map_1g),
		TREE_TEST(test_ends_of_the_address_space),
		TREE_TEST(test_spare),
		TREE_TEST(test_permissions_are_only_added),
		TREE_TEST(test_other_page_is_refused),
		TREE_TEST(test_large_over_tables_is_refused),
		TREE_TEST(test_small_in_large),
		TREE_TEST(test_unmap_is_exact),
		TREE_TEST(test_unmap_retires),
		TREE_TEST(test_retired_is_not_written),
		TREE_TEST(test_mapped),
		TREE_TEST(test_young),
		TREE_TEST(test_clean),
		TREE_TEST(test_random),
	};

	return cmocka_run_group_tests_name("ept", tests, NULL, NULL);
}
