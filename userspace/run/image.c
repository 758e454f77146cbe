// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's file: a flat binary or an ELF, told apart by content.
 */
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "image.h"

/* The BIOS's boot address in real mode; above real mode's reach otherwise. */
#define LOAD_REAL	0x7c00
#define LOAD_OTHER	0x100000

/* One segment of 64 KiB can be reached from wherever real mode starts. */
#define REAL_SEGMENT	0x10000
#define REAL_TOP	0x100000

static int flat_parse(struct image *image, const struct options *options,
		      struct failure *failure)
{
	__u64 load = LOAD_OTHER;

	if (options->load_given)
		load = options->load;
	else if (options->mode == MODE_REAL)
		load = LOAD_REAL;

	if (options->mode == MODE_REAL && load >= REAL_TOP)
		return failed(failure, STATUS_USAGE,
			      "--load %#llx: real mode reaches 1 MiB only", load);
	if (options->mode == MODE_REAL && load >= REAL_SEGMENT && load % 16)
		return failed(failure, STATUS_USAGE,
			      "--load %#llx: from 0x10000 on, real mode needs a multiple of 16",
			      load);
	if (options->mode == MODE_PROTECTED && load >= LAYOUT_HIGH)
		return failed(failure, STATUS_USAGE,
			      "--load %#llx: protected mode reaches 4 GiB only", load);

	image->mode = options->mode;
	image->entry = load;
	image->count = 1;
	image->segments[0] = (struct segment){
		.address = load,
		.data = image->bytes,
		.filled = image->size,
		.size = image->size,
	};
	return STATUS_OK;
}

static int by_address(const void *a, const void *b)
{
	const struct segment *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

/**
 * image_sort() - put the segments in order, and see that none overlaps another
 * @image: the image
 * @failure: which do
 *
 * Return: STATUS_OK or STATUS_IMAGE.
 */
int image_sort(struct image *image, struct failure *failure)
{
	unsigned int i;

	qsort(image->segments, image->count, sizeof(image->segments[0]), by_address);
	for (i = 1; i < image->count; i++) {
		const struct segment *left = &image->segments[i - 1];
		const struct segment *right = &image->segments[i];

		if (right->address - left->address < left->size)
			return failed(failure, STATUS_IMAGE,
				      "two segments overlap at %#llx (link it anew: readelf -l shows them)",
				      right->address);
	}
	return STATUS_OK;
}

/**
 * image_parse() - find out what goes where
 * @image: @bytes and @size are set, the rest is to be filled
 * @options: mode and address of a flat image
 * @failure: what is wrong with it
 *
 * Return: STATUS_OK, STATUS_IMAGE, or STATUS_USAGE if the options do not fit.
 */
int image_parse(struct image *image, const struct options *options,
		struct failure *failure)
{
	static const char magic[] = "\177ELF";
	int status;

	if (!image->size)
		return failed(failure, STATUS_IMAGE, "the file is empty");

	if (image->size < 4 || memcmp(image->bytes, magic, 4))
		return flat_parse(image, options, failure);

	if (options->mode_given || options->load_given)
		return failed(failure, STATUS_USAGE,
			      "this is an ELF file, it says itself where it goes and how it starts: --mode and --load are for flat binaries");
	status = elf_parse(image, NULL, failure);
	return status ? status : image_sort(image, failure);
}

/**
 * image_fits() - does the guest's memory take this image?
 * @image: what image_parse() found
 * @layout: the guest's memory
 * @failure: what does not fit
 *
 * Return: STATUS_OK or STATUS_IMAGE.
 */
int image_fits(const struct image *image, const struct layout *layout,
	       struct failure *failure)
{
	unsigned int i;

	for (i = 0; i < image->count; i++) {
		const struct segment *segment = &image->segments[i];
		__u64 start = segment->address;

		if (!layout_is_ram(layout, start, segment->size))
			return failed(failure, STATUS_IMAGE,
				      "%#llx bytes at %#llx are outside the guest's memory (RAM is 0 to %#llx%s; --memory gives more)",
				      segment->size, start, layout->low,
				      layout->high ? " and from 4 GiB on" : "");
		if (start < layout->low && start + segment->size > layout->tables)
			return failed(failure, STATUS_IMAGE,
				      "%#llx bytes at %#llx reach into the launcher's own tables at %#llx (--memory moves them up)",
				      segment->size, start, layout->tables);
	}
	return STATUS_OK;
}

/**
 * image_load() - read a guest's file
 * @image: to be filled; image_free() it, also after a failure
 * @path: where it is
 * @failure: what is wrong
 *
 * Return: STATUS_OK, or STATUS_NO_IMAGE if it cannot be read.
 */
int image_load(struct image *image, const char *path, struct failure *failure)
{
	struct file file;
	int status;

	*image = (struct image){ 0 };
	status = file_read(&file, path, failure);
	image->bytes = file.bytes;
	image->size = file.size;
	return status;
}

/**
 * image_read() - read and understand the guest's file
 * @image: to be filled; image_free() it, also after a failure
 * @options: path, mode and address
 * @failure: what is wrong
 *
 * Return: STATUS_OK, STATUS_NO_IMAGE if it cannot be read, or what
 * image_parse() returned.
 */
int image_read(struct image *image, const struct options *options,
	       struct failure *failure)
{
	int status = image_load(image, options->image, failure);

	return status ? status : image_parse(image, options, failure);
}

/**
 * image_add() - one segment more
 * @image: the image
 * @segment: the segment
 * @failure: there are too many
 *
 * Return: STATUS_OK or STATUS_IMAGE.
 */
int image_add(struct image *image, struct segment segment, struct failure *failure)
{
	if (image->count == IMAGE_SEGMENTS_MAX)
		return failed(failure, STATUS_IMAGE,
			      "more than %u segments to load", IMAGE_SEGMENTS_MAX);
	image->segments[image->count++] = segment;
	return STATUS_OK;
}

/**
 * image_free() - give back what image_read() or boot_read() took
 * @image: the image
 */
void image_free(struct image *image)
{
	unsigned int i;

	for (i = 0; i < image->owned_count; i++)
		free(image->owned[i]);
	image->owned_count = 0;
	free(image->bytes);
	image->bytes = NULL;
}
