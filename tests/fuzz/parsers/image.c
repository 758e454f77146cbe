// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's file, ELF or flat: what is accepted lies in the file and in the
 * guest's memory.
 */
// sources: userspace/run/image.c userspace/run/elf_image.c
// sources: userspace/run/layout.c userspace/run/file.c
// libs: -lelf
#include "segments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t flags = TAKE(&in, uint8_t);
	struct options options = {
		.mode = flags % 3,
		.mode_given = flags & 4,
		.load_given = flags & 8,
		.memory = ((flags >> 4) + 1) * MIB << (flags & 8),
	};
	struct failure failure;
	struct image image = { 0 };

	if (options.load_given)
		options.load = TAKE(&in, __u64);
	/* A block of its own, so that every byte too much is noticed. */
	image.size = in.size;
	image.bytes = malloc(in.size ? in.size : 1);
	memcpy(image.bytes, in.data, in.size);
	failure.text[0] = 0;
	if (!image_parse(&image, &options, &failure))
		check_segments(&image, &options, 0);
	else
		must(failure.text[0]);
	image_free(&image);
	return 0;
}
