// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel's file, by any boot protocol: what is accepted lies in the file and in
 * the guest's memory, and nothing lies on anything else.
 */
// sources: userspace/run/boot.c userspace/run/bzimage.c userspace/run/pvh.c
// sources: userspace/run/multiboot.c userspace/run/image.c userspace/run/elf_image.c
// sources: userspace/run/layout.c userspace/run/map.c userspace/run/acpi.c
// sources: userspace/run/file.c
// libs: -lelf
#include "segments.h"
#include "userspace/run/boot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct options options = {
		.kernel = "kernel", .append = "quiet", .cpus = 2,
		.memory = ((TAKE(&in, uint8_t) & 0xff) + 1) * 20 * MIB,
	};
	struct failure failure = { 0 };
	struct image image = { 0 };

	/* A block of its own, so that every byte too much is noticed. */
	image.size = in.size;
	image.bytes = malloc(in.size ? in.size : 1);
	memcpy(image.bytes, in.data, in.size);
	if (!boot_parse(&image, &options, &failure))
		check_segments(&image, &options, BOOT_KERNEL_MIN);
	else
		must(failure.text[0]);
	image_free(&image);
	return 0;
}
