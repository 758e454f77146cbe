/* SPDX-License-Identifier: GPL-2.0 */
/* What must hold of the segments of an image that was accepted. */
#ifndef PARSERS_SEGMENTS_H
#define PARSERS_SEGMENTS_H

#include "input.h"
#include "userspace/run/image.h"

/* From the address @from_file on all data is the file's. */
static inline void check_segments(const struct image *image, const struct options *options,
				  __u64 from_file)
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
		must(!i || s->address >= s[-1].address + s[-1].size);
		must(s->address + s->size <= layout_top(&layout));
		if (s->address >= from_file)
			must(data >= bytes && data + s->filled <= bytes + image->size);
		for (j = 0; j < s->filled; j++)
			sum += data[j];
	}
	/* The compiler must not think that nobody reads. */
	asm volatile("" : : "r"(sum));
}

#endif /* PARSERS_SEGMENTS_H */
