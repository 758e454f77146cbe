// SPDX-License-Identifier: GPL-2.0
/*
 * The memory map that a kernel is told.
 */
#include "map.h"

static void add(struct map *map, __u64 address, __u64 end, __u32 type)
{
	if (end > address)
		map->ranges[map->count++] = (struct range){ address, end - address, type };
}

/**
 * map_init() - describe the guest's memory as a PC's firmware does
 * @map: to be filled
 * @layout: at least 1 MiB
 */
void map_init(struct map *map, const struct layout *layout)
{
	map->count = 0;
	add(map, 0, MAP_BASE_END, MAP_RAM);
	add(map, MAP_BASE_END, MIB, MAP_RESERVED);
	add(map, MIB, layout->low, MAP_RAM);
	add(map, LAYOUT_HIGH, LAYOUT_HIGH + layout->high, MAP_RAM);
}
