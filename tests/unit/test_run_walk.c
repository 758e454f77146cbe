// SPDX-License-Identifier: GPL-2.0
/*
 * The launcher's way through the guest's page tables, for its reports.
 */
// sources: userspace/run/walk.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "userspace/run/walk.h"

#define MEMORY	0x10000

static unsigned char memory[MEMORY];

static bool read_memory(void *context, __u64 address, void *to, unsigned int size)
{
	if (address > MEMORY || size > MEMORY - address)
		return false;
	memcpy(to, memory + address, size);
	return true;
}

static int setup(void **state)
{
	memset(memory, 0, sizeof(memory));
	return 0;
}

static void put64(__u64 table, unsigned int index, __u64 entry)
{
	memcpy(memory + table + 8 * index, &entry, 8);
}

static void put32(__u64 table, unsigned int index, __u32 entry)
{
	memcpy(memory + table + 4 * index, &entry, 4);
}

static struct walk walk_with(__u64 cr4, __u64 efer)
{
	return (struct walk){
		.cr0 = CR0_PE | CR0_PG, .cr3 = 0x1000, .cr4 = cr4, .efer = efer,
		.read = read_memory,
	};
}

static void mapped(const struct walk *walk, __u64 linear, __u64 physical)
{
	struct walk_result result = walk_address(walk, linear);

	assert_null(result.why);
	assert_int_equal(result.physical, physical);
}

static void unmapped(const struct walk *walk, __u64 linear, unsigned int level, __u64 entry)
{
	struct walk_result result = walk_address(walk, linear);

	assert_non_null(result.why);
	assert_int_equal(result.level, level);
	assert_int_equal(result.entry, entry);
}

static void test_no_paging(void **state)
{
	struct walk walk = { .read = read_memory };

	mapped(&walk, 0x12345, 0x12345);
	mapped(&walk, 0x100000010, 0x10);
}

static void test_4_levels(void **state)
{
	struct walk walk = walk_with(CR4_PAE, EFER_LMA);

	/* 0xffff808080403000: indices 257, 2, 2, 3 */
	put64(0x1000, 257, 0x2001);
	put64(0x2000, 2, 0x3001);
	put64(0x3000, 2, 0x4001);
	put64(0x4000, 3, 0x8000000123456001);	/* with NX */
	mapped(&walk, 0xffff808080403abc, 0x123456abc);
	unmapped(&walk, 0xffff808080404000, 1, 0x4020);
	unmapped(&walk, 0xffff808080600000, 2, 0x3018);
	unmapped(&walk, 0xffff8080c0000000, 3, 0x2018);
	unmapped(&walk, 0, 4, 0x1000);

	/* Bits 11:0 of CR3 and of entries are not part of the address. */
	walk.cr3 = 0x1fff;
	mapped(&walk, 0xffff808080403abc, 0x123456abc);
}

static void test_large_pages(void **state)
{
	struct walk walk = walk_with(CR4_PAE, EFER_LMA);

	put64(0x1000, 0, 0x2001);
	put64(0x2000, 1, 0x180000000 | PTE_LARGE | PTE_PRESENT);
	mapped(&walk, 0x7fffffff, 0x1bfffffff);
	put64(0x2000, 0, 0x3001);
	put64(0x3000, 1, 0xe00000 | PTE_LARGE | PTE_PRESENT);
	mapped(&walk, 0x3fffff, 0xffffff);
	/* PAT is bit 12 of a large page's entry, and no part of its address. */
	put64(0x3000, 1, 0xe01000 | PTE_LARGE | PTE_PRESENT);
	mapped(&walk, 0x200000, 0xe00000);
}

static void test_5_levels(void **state)
{
	struct walk walk = walk_with(CR4_PAE | CR4_LA57, EFER_LMA);

	put64(0x1000, 1, 0x2001);
	put64(0x2000, 0, 0x3001);
	put64(0x3000, 0, 0x0 | PTE_LARGE | PTE_PRESENT);
	mapped(&walk, 0x1000000000123, 0x123);
	unmapped(&walk, 0, 5, 0x1000);
}

static void test_pae(void **state)
{
	struct walk walk = walk_with(CR4_PAE, 0);

	walk.cr3 = 0x1020;	/* aligned to 32 bytes, not to a page */
	put64(0x1020, 3, 0x2001);
	put64(0x2000, 511, 0x3001);
	put64(0x3000, 511, 0xabcdef001);
	mapped(&walk, 0xfffff123, 0xabcdef123);
	put64(0x2000, 0, 0x400000 | PTE_LARGE | PTE_PRESENT);
	mapped(&walk, 0xc01fffff, 0x5fffff);
	unmapped(&walk, 0, 3, 0x1020);
}

static void test_32_bit(void **state)
{
	struct walk walk = walk_with(CR4_PSE, 0);

	put32(0x1000, 1023, 0x2001);
	put32(0x2000, 1023, 0x89abc001);
	mapped(&walk, 0xfffffdef, 0x89abcdef);
	/* 4 MiB, and bits 39:32 of the address in bits 20:13. */
	put32(0x1000, 1, 0x00c00000 | 0x12 << 13 | PTE_LARGE | PTE_PRESENT);
	mapped(&walk, 0x7fffff, 0x1200ffffff);
	/* Without PSE, the same entry is a table. */
	walk.cr4 = 0;
	unmapped(&walk, 0x400000, 1, 0xc24000);
}

static void test_table_outside(void **state)
{
	struct walk walk = walk_with(CR4_PAE, EFER_LMA);

	put64(0x1000, 0, MEMORY | PTE_PRESENT);
	unmapped(&walk, 0, 3, MEMORY);
	walk.cr3 = 0x000ffffffffff000;
	unmapped(&walk, 0, 4, 0x000ffffffffff000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_paging, setup),
		cmocka_unit_test_setup(test_4_levels, setup),
		cmocka_unit_test_setup(test_large_pages, setup),
		cmocka_unit_test_setup(test_5_levels, setup),
		cmocka_unit_test_setup(test_pae, setup),
		cmocka_unit_test_setup(test_32_bit, setup),
		cmocka_unit_test_setup(test_table_outside, setup),
	};

	return cmocka_run_group_tests_name("run_walk", tests, NULL, NULL);
}
