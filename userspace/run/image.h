/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_IMAGE_H
#define RUN_IMAGE_H

#include "layout.h"
#include "options.h"
#include "status.h"

/* Linkers make a handful; a file with more is broken or not a guest. */
#define IMAGE_SEGMENTS_MAX	64

/**
 * struct segment - what goes where
 * @address: guest-physical
 * @data: the bytes, in the file's buffer
 * @filled: how many of them
 * @size: bytes in memory; what is past @filled is zero
 */
struct segment {
	__u64 address;
	const void *data;
	__u64 filled;
	__u64 size;
};

/**
 * struct image - a guest, as its file describes it
 * @bytes: the file's content; the segments point into it
 * @size: of the file
 * @mode: the processor mode it starts in
 * @entry: guest-physical address of the first instruction
 * @count: of segments
 * @segments: in ascending order of address, not overlapping
 */
struct image {
	void *bytes;
	size_t size;
	enum mode mode;
	__u64 entry;
	unsigned int count;
	struct segment segments[IMAGE_SEGMENTS_MAX];
};

int image_read(struct image *image, const struct options *options,
	       struct failure *failure);
void image_free(struct image *image);

int image_parse(struct image *image, const struct options *options,
		struct failure *failure);
int image_fits(const struct image *image, const struct layout *layout,
	       struct failure *failure);

int elf_parse(struct image *image, struct failure *failure);

#endif /* RUN_IMAGE_H */
