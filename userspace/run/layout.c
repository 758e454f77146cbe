// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's memory map: arithmetic only (layout.h has the picture).
 */
#include "layout.h"

/**
 * layout_top() - the end of the guest's memory
 * @layout: the layout
 *
 * Return: the first address after the last byte of RAM.
 */
__u64 layout_top(const struct layout *layout)
{
	return layout->high ? LAYOUT_HIGH + layout->high : layout->low;
}

/**
 * layout_gigabytes() - how much the page tables of long mode map
 * @layout: the layout
 *
 * Never less than 4: the hole is mapped too, so that an access to it shows as
 * what it is, an access to memory that is not there, and not as a page fault.
 *
 * Return: the number of page directories, each of which maps 1 GiB.
 */
unsigned int layout_gigabytes(const struct layout *layout)
{
	__u64 top = layout_top(layout);

	return top <= LAYOUT_HIGH ? 4 : (top + GIB - 1) / GIB;
}

/**
 * layout_init() - divide memory up
 * @layout: to be filled
 * @memory: bytes of RAM, a multiple of the page size
 * @mode: decides what the launcher needs for itself
 */
void layout_init(struct layout *layout, __u64 memory, enum mode mode)
{
	unsigned int pages = 0;

	layout->low = memory > LAYOUT_HOLE ? LAYOUT_HOLE : memory;
	layout->high = memory - layout->low;

	if (mode == MODE_PROTECTED)
		pages = 1;				/* GDT */
	else if (mode == MODE_LONG || mode == MODE_LINUX)
		pages = 3 + layout_gigabytes(layout);	/* and PML4, PDPT, PDs */
	layout->tables = layout->low - pages * PAGE_SIZE;
}

/**
 * layout_is_ram() - is there RAM at all of these addresses?
 * @layout: the layout
 * @address: the first one
 * @size: how many; 0 asks about nothing, which is there if @address is or ends RAM
 *
 * Return: true if it is.
 */
bool layout_is_ram(const struct layout *layout, __u64 address, __u64 size)
{
	if (address <= layout->low)
		return size <= layout->low - address;
	if (address < LAYOUT_HIGH || address - LAYOUT_HIGH > layout->high)
		return false;
	return size <= layout->high - (address - LAYOUT_HIGH);
}
