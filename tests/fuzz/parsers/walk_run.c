// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "userspace/run/walk.h"
#include "walk_run.h"

struct ram {
	const char *bytes;
	unsigned long size;
};

static bool ram_read(void *context, __u64 address, void *to, unsigned int size)
{
	const struct ram *ram = context;

	if (address > ram->size - size)
		return false;
	memcpy(to, ram->bytes + address, size);
	return true;
}

int walk_run(const void *registers, const void *bytes, unsigned long size,
	     unsigned long long linear, __u64 *physical)
{
	struct ram ram = { bytes, size };
	struct walk walk = { .read = ram_read, .context = &ram };
	struct walk_result result;

	memcpy(&walk.cr0, registers, 4 * sizeof(__u64));
	result = walk_address(&walk, linear);
	*physical = result.physical;
	return result.why ? -1 : 0;
}
