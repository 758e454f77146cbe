/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_IMAGE_H
#define RUN_IMAGE_H

#include "layout.h"
#include "options.h"
#include "status.h"

/* Linkers make a handful; a file with more is broken or not a guest. */
#define IMAGE_SEGMENTS_MAX	64

/* Initial RAM disks, and what a kernel is told by its boot protocol. */
#define IMAGE_OWNED_MAX		(INITRDS_MAX + 4)

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
 * struct start - what a kernel is to find in registers, by its boot protocol
 * @rax: what is in RAX
 * @rbx: in RBX
 * @rsi: in RSI
 */
struct start {
	__u64 rax, rbx, rsi;
};

/**
 * struct image - a guest, as its file describes it
 * @bytes: the file's content; the segments point into it
 * @size: of the file
 * @mode: the processor mode it starts in
 * @entry: guest-physical address of the first instruction
 * @start: registers
 * @owned_count: of @owned
 * @owned: more buffers that segments point into
 * @count: of segments
 * @segments: in ascending order of address, not overlapping
 */
struct image {
	void *bytes;
	size_t size;
	enum mode mode;
	__u64 entry;
	struct start start;
	unsigned int owned_count;
	void *owned[IMAGE_OWNED_MAX];
	unsigned int count;
	struct segment segments[IMAGE_SEGMENTS_MAX];
};

int image_load(struct image *image, const char *path, struct failure *failure);
int image_read(struct image *image, const struct options *options,
	       struct failure *failure);
void image_free(struct image *image);

int image_parse(struct image *image, const struct options *options,
		struct failure *failure);
int image_fits(const struct image *image, const struct layout *layout,
	       struct failure *failure);

int image_sort(struct image *image, struct failure *failure);
int image_add(struct image *image, struct segment segment, struct failure *failure);

int elf_parse(struct image *image, const __u64 *entry, struct failure *failure);

#endif /* RUN_IMAGE_H */
