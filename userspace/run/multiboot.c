// SPDX-License-Identifier: GPL-2.0
/*
 * Kernels by the Multiboot Specification, version 0.6.96 (multiboot 1): a header
 * in the first 8 KiB, a 32-bit entry point, EBX leads to the boot information.
 */
#include <string.h>
#include "boot.h"

#define HEADER_MAGIC	0x1badb002
#define START_MAGIC	0x2badb002	/* in EAX */
#define SEARCH		8192

/* What a header asks for. */
#define WANTS_ALIGNED	BIT(0)		/* modules on page boundaries: always */
#define WANTS_MEMORY	BIT(1)		/* the memory map: always */
#define WANTS_MODE	BIT(2)		/* of a screen, which is not there */
#define HAS_ADDRESSES	BIT(16)		/* where to load, other than ELF says */
#define MUST_KNOW	0xffffULL

/* What is there of the boot information. */
#define INFO_MEMORY	BIT(0)
#define INFO_CMDLINE	BIT(2)
#define INFO_MODULES	BIT(3)
#define INFO_MAP	BIT(6)
#define INFO_LOADER	BIT(9)

struct header {
	__u32 magic, flags, checksum;
	__u32 header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

struct info {
	__u32 flags;
	__u32 mem_lower, mem_upper;	/* KiB from 0, and from 1 MiB on */
	__u32 boot_device;
	__u32 cmdline;
	__u32 module_count, modules;
	__u32 symbols[4];
	__u32 map_length, map;
	__u32 drives_length, drives;
	__u32 config_table;
	__u32 loader;
};

struct info_module {
	__u32 start, end, cmdline, reserved;
};

struct info_range {
	__u32 size;			/* of what follows */
	__u64 address, length;
	__u32 type;
} __attribute__((__packed__));

#define LOADER		"minivmm-run"
#define PATH_ROOM	256

struct info_all {
	struct info info;
	struct info_module modules[INITRDS_MAX];
	struct info_range map[MAP_MAX];
	char loader[sizeof(LOADER)];
	char paths[INITRDS_MAX][PATH_ROOM];
};

_Static_assert(BOOT_INFO + sizeof(struct info_all) <= BOOT_CMDLINE, "they overlap");

static bool find_header(const struct image *image, struct header *header, size_t *offset)
{
	size_t at, size = image->size < SEARCH ? image->size : SEARCH;

	for (at = 0; at + 12 <= size; at += 4) {
		*header = (struct header){ 0 };
		memcpy(header, (char *)image->bytes + at,
		       image->size - at < sizeof(*header) ? image->size - at : sizeof(*header));
		if (header->magic == HEADER_MAGIC &&
		    !(header->magic + header->flags + header->checksum)) {
			*offset = at;
			return true;
		}
	}
	return false;
}

static bool multiboot_is(const struct image *image)
{
	struct header header;
	size_t offset;

	return find_header(image, &header, &offset);
}

/* The header's own addresses: then the file need not be ELF. */
static int load_by_header(struct image *image, const struct header *header,
			  size_t offset, struct failure *failure)
{
	__u64 filled, size, before = header->header_addr - (__u64)header->load_addr;

	if (header->load_addr > header->header_addr || before > offset)
		return failed(failure, STATUS_IMAGE,
			      "the multiboot header's load address %#x is not in the file",
			      header->load_addr);
	offset -= before;
	filled = image->size - offset;
	if (header->load_end_addr) {
		if (header->load_end_addr < header->load_addr ||
		    header->load_end_addr - header->load_addr > filled)
			return failed(failure, STATUS_IMAGE,
				      "the file is cut off: the multiboot header has its end at %#x",
				      header->load_end_addr);
		filled = header->load_end_addr - header->load_addr;
	}
	size = filled;
	if (header->bss_end_addr > header->load_addr + filled)
		size = header->bss_end_addr - header->load_addr;
	if (header->entry_addr < header->load_addr ||
	    header->entry_addr - header->load_addr >= filled)
		return failed(failure, STATUS_IMAGE,
			      "the multiboot header's entry point %#x is not in what is loaded",
			      header->entry_addr);
	image->entry = header->entry_addr;
	return image_add(image, (struct segment){
		header->load_addr, (char *)image->bytes + offset, filled, size,
	}, failure);
}

static int multiboot_parse(struct boot *boot, struct failure *failure)
{
	struct image *image = boot->image;
	struct header header;
	size_t offset;
	int status;

	find_header(image, &header, &offset);
	if (header.flags & WANTS_MODE)
		return failed(failure, STATUS_IMAGE,
			      "this multiboot kernel asks for a screen, and this machine has a serial port only");
	if (header.flags & MUST_KNOW & ~(WANTS_ALIGNED | WANTS_MEMORY))
		return failed(failure, STATUS_IMAGE,
			      "this multiboot kernel asks for what multiboot 1 does not have (flags %#x)",
			      header.flags);
	if (header.flags & HAS_ADDRESSES) {
		status = load_by_header(image, &header, offset, failure);
	} else if (image->size >= 4 && !memcmp(image->bytes, "\177ELF", 4)) {
		status = elf_parse(image, NULL, failure);
	} else {
		return failed(failure, STATUS_IMAGE,
			      "this multiboot kernel is no ELF file, and its header has no addresses");
	}
	image->mode = MODE_PROTECTED;
	boot->alignment = PAGE_SIZE;
	return status;
}

static int multiboot_finish(struct boot *boot, struct failure *failure)
{
	struct info_all *all = boot_info(boot, sizeof(*all), failure);
	unsigned int i;

	if (!all)
		return STATUS_SYSTEM;
	all->info = (struct info){
		.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MAP | INFO_LOADER,
		.mem_lower = MAP_BASE_END / KIB,
		.mem_upper = (boot->layout.low - MIB) / KIB,
		.cmdline = BOOT_CMDLINE,
		.module_count = boot->options->initrd_count,
		.modules = BOOT_INFO + offsetof(struct info_all, modules),
		.map_length = boot->map.count * sizeof(all->map[0]),
		.map = BOOT_INFO + offsetof(struct info_all, map),
		.loader = BOOT_INFO + offsetof(struct info_all, loader),
	};
	strcpy(all->loader, LOADER);
	for (i = 0; i < boot->options->initrd_count; i++) {
		const struct module *module = &boot->modules[i];

		snprintf(all->paths[i], PATH_ROOM, "%s", module->path);
		all->modules[i] = (struct info_module){
			.start = module->address,
			.end = module->address + module->size,
			.cmdline = BOOT_INFO + offsetof(struct info_all, paths[i]),
		};
	}
	for (i = 0; i < boot->map.count; i++)
		all->map[i] = (struct info_range){
			.size = sizeof(all->map[0]) - sizeof(all->map[0].size),
			.address = boot->map.ranges[i].address,
			.length = boot->map.ranges[i].size,
			.type = boot->map.ranges[i].type,
		};
	boot->image->start.rax = START_MAGIC;
	boot->image->start.rbx = BOOT_INFO;
	return STATUS_OK;
}

const struct protocol multiboot_protocol = {
	.is = multiboot_is,
	.parse = multiboot_parse,
	.finish = multiboot_finish,
};
