/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernels that are started by a boot protocol: bzImage by Linux's, ELF files by
 * PVH or multiboot 1.
 */
#ifndef RUN_BOOT_H
#define RUN_BOOT_H

#include "image.h"
#include "map.h"

/*
 * What a kernel is told lies below 640 KiB, where it has nothing of its own yet;
 * the ACPI tables are where the search for them begins.
 */
#define BOOT_INFO	0x10000		/* zero page, start info, multiboot info */
#define BOOT_CMDLINE	0x20000
#define BOOT_CMDLINE_MAX 0x10000
#define BOOT_ACPI	0xe0000
#define BOOT_KERNEL_MIN	0x100000

/**
 * struct module - a file that the kernel gets besides itself
 * @path: its name
 * @address: guest-physical
 * @size: bytes
 */
struct module {
	const char *path;
	__u64 address;
	__u64 size;
};

/**
 * struct boot - a kernel on its way into memory
 * @image: what goes where
 * @options: command line, files, memory
 * @layout: of the guest's memory
 * @map: the same, as the kernel is told
 * @rsdp: guest-physical address of ACPI's root pointer
 * @kernel_end: the first address that the kernel leaves free as it starts
 * @initrd_max: the last address that a module may have
 * @cmdline_max: bytes that the command line may have, without its end
 * @alignment: of each module
 * @modules: where they went
 * @initrd_size: from the first module to the end of the last
 */
struct boot {
	struct image *image;
	const struct options *options;
	struct layout layout;
	struct map map;
	__u64 rsdp;
	__u64 kernel_end;
	__u64 initrd_max;
	size_t cmdline_max;
	__u64 alignment;
	struct module modules[INITRDS_MAX];
	__u64 initrd_size;
};

/**
 * struct protocol - how a kind of kernel is booted
 * @is: does this file look like one?
 * @parse: segments, entry, and what @struct boot says of the kernel
 * @finish: tell the kernel about memory, modules and command line
 */
struct protocol {
	bool (*is)(const struct image *image);
	int (*parse)(struct boot *boot, struct failure *failure);
	int (*finish)(struct boot *boot, struct failure *failure);
};

extern const struct protocol bzimage_protocol;
extern const struct protocol pvh_protocol;
extern const struct protocol multiboot_protocol;

int boot_read(struct image *image, const struct options *options,
	      struct failure *failure);
int boot_parse(struct image *image, const struct options *options,
	       struct failure *failure);
void *boot_info(struct boot *boot, size_t size, struct failure *failure);

#endif /* RUN_BOOT_H */
