// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's file, ELF or flat: what is accepted lies in the file and in the
 * guest's memory.
 */
// sources: userspace/run/image.c userspace/run/elf_image.c
// sources: userspace/run/layout.c userspace/run/file.c
// libs: -lelf
#include "input.h"
#include "userspace/run/image.h"

static void check(const struct image *image, const struct options *options)
{
	const unsigned char *bytes = image->bytes;
	struct layout layout;
	struct failure failure;
	unsigned int i, sum = 0;
	__u64 j;

	must(image->count && image->count <= IMAGE_SEGMENTS_MAX);
	layout_init(&layout, options->memory, image->mode);
	if (image_fits(image, &layout, &failure))
		return;
	for (i = 0; i < image->count; i++) {
		const struct segment *s = &image->segments[i];
		const unsigned char *data = s->data;

		must(s->filled <= s->size);
		must(data >= bytes && data + s->filled <= bytes + image->size);
		must(!i || s->address >= s[-1].address + s[-1].size);
		must(s->address + s->size <= layout_top(&layout));
		for (j = 0; j < s->filled; j++)
			sum += data[j];
	}
	/* The compiler must not think that nobody reads. */
	asm volatile("" : : "r"(sum));
}

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
		check(&image, &options);
	else
		must(failure.text[0]);
	image_free(&image);
	return 0;
}
