// SPDX-License-Identifier: GPL-2.0
/*
 * hello64: 64-bit mode with page tables of its own.
 *
 * Shows: four levels of paging, built by the guest. The page with the text is
 * mapped a second time, at the top of the address space where kernels live; the
 * text is printed from there. Then the guest changes one page-table entry, and
 * the same address shows another text.
 */
#include "guest.h"

#define PRESENT		0x1ULL
#define WRITE		0x2ULL
#define LARGE		0x80ULL

#define PAGE		4096
#define ENTRIES		512
#define MIB2		BIT(21)
#define GIB4		4

/* The last 4 KiB of the address space: the last entry at each level. */
#define WINDOW		0xfffffffffffff000ULL
#define LAST		(ENTRIES - 1)

typedef u64 table[ENTRIES] __aligned(PAGE);

static table pml4, low_pdpt, low_pd[GIB4], high_pdpt, high_pd, high_pt;

static const char first[] __aligned(PAGE) =
	"Hello from 64-bit long mode, through page tables of my own.\n";
static const char second[] __aligned(PAGE) =
	"The same address shows another page now.\n";

static u64 address(const void *pointer)
{
	return (u64)pointer;	/* one to one: virtual is physical */
}

static void build_tables(void)
{
	unsigned int i;

	/* The first 4 GiB one to one, in pages of 2 MiB: code, data and stack. */
	pml4[0] = address(low_pdpt) | PRESENT | WRITE;
	for (i = 0; i < GIB4; i++)
		low_pdpt[i] = address(low_pd[i]) | PRESENT | WRITE;
	for (i = 0; i < GIB4 * ENTRIES; i++)
		low_pd[i / ENTRIES][i % ENTRIES] = i * MIB2 | PRESENT | WRITE | LARGE;

	/* And one page of 4 KiB at the top. */
	pml4[LAST] = address(high_pdpt) | PRESENT | WRITE;
	high_pdpt[LAST] = address(high_pd) | PRESENT | WRITE;
	high_pd[LAST] = address(high_pt) | PRESENT | WRITE;
	high_pt[LAST] = address(first) | PRESENT;
}

int main(void)
{
	const char *window = (const char *)WINDOW;

	build_tables();
	asm volatile("mov %0, %%cr3" : : "r"(address(pml4)) : "memory");
	print(window);

	high_pt[LAST] = address(second) | PRESENT;
	asm volatile("invlpg (%0)" : : "r"(window) : "memory");
	print(window);
	return 0;
}
