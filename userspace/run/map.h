/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_MAP_H
#define RUN_MAP_H

#include "layout.h"

/* Types of memory as BIOS call E820H numbers them; multiboot and PVH do too. */
enum { MAP_RAM = 1, MAP_RESERVED = 2 };

#define MAP_MAX		4

/* On a PC, what is from here to 1 MiB is the firmware's. */
#define MAP_BASE_END	0x9fc00

/**
 * struct range - a part of the guest's memory
 * @address: where it begins
 * @size: bytes
 * @type: MAP_RAM or MAP_RESERVED
 */
struct range {
	__u64 address;
	__u64 size;
	__u32 type;
};

/**
 * struct map - the guest's memory, as a kernel is told
 * @count: of @ranges
 * @ranges: in ascending order, not overlapping
 */
struct map {
	unsigned int count;
	struct range ranges[MAP_MAX];
};

void map_init(struct map *map, const struct layout *layout);

#endif /* RUN_MAP_H */
