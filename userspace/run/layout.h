/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the guest's memory is, in guest-physical addresses.
 *
 *	0               RAM, up to 3 GiB of it
 *	LAYOUT_HOLE     nothing: where a PC has its devices
 *	4 GiB           the rest of the RAM, when there is more than 3 GiB
 *
 * The topmost pages of the RAM below the hole are the launcher's: the tables
 * that a guest starts with (cpu.c). The stack begins right under them.
 */
#ifndef RUN_LAYOUT_H
#define RUN_LAYOUT_H

#include "base.h"

#define PAGE_SIZE	4096ULL
#define KIB		1024ULL
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)

#define LAYOUT_HOLE	(3 * GIB)
#define LAYOUT_HIGH	(4 * GIB)

/* 1 MiB, so that real mode sees all of its address space as RAM. */
#define MEMORY_MIN	(1 * MIB)
/* What one page-directory-pointer table maps, less the hole, rounded down. */
#define MEMORY_MAX	(256 * GIB)

/**
 * enum mode - the processor mode a guest starts in
 * @MODE_REAL: real mode
 * @MODE_PROTECTED: 32-bit protected mode without paging, flat segments
 * @MODE_LONG: 64-bit mode, all of the guest's memory mapped one to one
 * @MODE_LINUX: the same, with the selectors of Linux's boot protocol
 */
enum mode {
	MODE_REAL,
	MODE_PROTECTED,
	MODE_LONG,
	MODE_LINUX,
};

/**
 * struct layout - the guest's memory
 * @low: bytes of RAM from address 0 on
 * @high: bytes of RAM from 4 GiB on
 * @tables: where the launcher's own pages begin; @low when it has none
 */
struct layout {
	__u64 low;
	__u64 high;
	__u64 tables;
};

void layout_init(struct layout *layout, __u64 memory, enum mode mode);
bool layout_is_ram(const struct layout *layout, __u64 address, __u64 size);
__u64 layout_top(const struct layout *layout);
unsigned int layout_gigabytes(const struct layout *layout);

#endif /* RUN_LAYOUT_H */
