// SPDX-License-Identifier: GPL-2.0
/*
 * --kernel: finds out what the file is, and puts it, its initial RAM disks, its
 * command line, the ACPI tables and what its boot protocol asks for into memory:
 *
 *	0x10000		what the boot protocol tells
 *	0x20000		the command line
 *	0xe0000		ACPI tables
 *	1 MiB or more	the kernel, where it wants to be
 *	at the top	the initial RAM disks, below the launcher's own tables
 */
#include <stdlib.h>
#include <string.h>
#include "acpi.h"
#include "boot.h"
#include "file.h"

static const struct protocol *const protocols[] = {
	&bzimage_protocol,
	&pvh_protocol,
	&multiboot_protocol,
};

static int own(struct image *image, void *buffer, struct failure *failure)
{
	if (!buffer)
		return failed(failure, STATUS_SYSTEM, "no memory left");
	image->owned[image->owned_count++] = buffer;
	return STATUS_OK;
}

/**
 * boot_info() - room for what a boot protocol tells, at BOOT_INFO
 * @boot: the kernel
 * @size: bytes, at most what is free before BOOT_CMDLINE
 * @failure: no memory
 *
 * Return: zeros, which become a part of the image; NULL after a failure.
 */
void *boot_info(struct boot *boot, size_t size, struct failure *failure)
{
	void *info = calloc(1, size);

	if (own(boot->image, info, failure))
		return NULL;
	if (image_add(boot->image, (struct segment){ BOOT_INFO, info, size, size }, failure))
		return NULL;
	return info;
}

/* Linux takes several as one, if each begins on a multiple of 4. */
static int add_modules(struct boot *boot, struct failure *failure)
{
	const struct options *options = boot->options;
	__u64 top = boot->layout.tables, at;
	struct file files[INITRDS_MAX];
	unsigned int i;
	int status;

	for (i = 0; i < options->initrd_count; i++) {
		status = file_read(&files[i], options->initrds[i], failure);
		if (!files[i].bytes)
			files[i].bytes = calloc(1, 1);
		status = own(boot->image, files[i].bytes, failure) ?: status;
		if (status)
			return status;
		boot->initrd_size += -boot->initrd_size % boot->alignment;
		boot->modules[i] = (struct module){
			.path = options->initrds[i],
			.address = boot->initrd_size,
			.size = files[i].size,
		};
		boot->initrd_size += files[i].size;
	}
	if (!i)
		return STATUS_OK;

	failure->about = options->initrds[i - 1];
	if (top > boot->initrd_max)
		top = boot->initrd_max + 1;
	if (boot->kernel_end > top || boot->initrd_size > top - boot->kernel_end ||
	    boot->kernel_end > (top - boot->initrd_size) / PAGE_SIZE * PAGE_SIZE)
		return failed(failure, STATUS_IMAGE,
			      "%llu KiB of initial RAM disk do not fit between the kernel's end at %#llx and %#llx%s",
			      (boot->initrd_size + KIB - 1) / KIB, boot->kernel_end, top,
			      top < boot->layout.tables ?
			      " (this kernel takes none above that)" :
			      " (--memory gives more)");

	at = (top - boot->initrd_size) / PAGE_SIZE * PAGE_SIZE;
	for (i = 0; i < options->initrd_count; i++) {
		struct module *module = &boot->modules[i];

		module->address += at;
		status = image_add(boot->image, (struct segment){
			module->address, files[i].bytes, module->size, module->size,
		}, failure);
		if (status)
			return status;
	}
	return STATUS_OK;
}

static int add_cmdline(struct boot *boot, struct failure *failure)
{
	size_t length = strlen(boot->options->append);

	if (boot->cmdline_max > BOOT_CMDLINE_MAX - 1)
		boot->cmdline_max = BOOT_CMDLINE_MAX - 1;
	if (length > boot->cmdline_max)
		return failed(failure, STATUS_USAGE,
			      "--append: %zu bytes; this kernel takes %zu at most",
			      length, boot->cmdline_max);
	return image_add(boot->image, (struct segment){
		BOOT_CMDLINE, boot->options->append, length + 1, length + 1,
	}, failure);
}

static int add_acpi(struct boot *boot, struct failure *failure)
{
	void *tables = malloc(ACPI_SIZE);
	int status = own(boot->image, tables, failure);

	if (status)
		return status;
	acpi_build(tables, BOOT_ACPI, boot->options->cpus);
	boot->rsdp = BOOT_ACPI;
	return image_add(boot->image, (struct segment){
		BOOT_ACPI, tables, ACPI_SIZE, ACPI_SIZE,
	}, failure);
}

static int check_kernel(struct boot *boot, struct failure *failure)
{
	const struct image *image = boot->image;
	unsigned int i;

	for (i = 0; i < image->count; i++) {
		const struct segment *segment = &image->segments[i];

		if (segment->address < BOOT_KERNEL_MIN)
			return failed(failure, STATUS_IMAGE,
				      "a segment at %#llx; below 1 MiB is what the kernel is told",
				      segment->address);
		if (segment->address + segment->size > boot->kernel_end)
			boot->kernel_end = segment->address + segment->size;
	}
	if (boot->kernel_end > boot->layout.tables &&
	    image->segments[0].address < LAYOUT_HIGH)
		return failed(failure, STATUS_IMAGE,
			      "this kernel needs memory up to %#llx to start, and --memory ends at %#llx: --memory %lluM is the least",
			      boot->kernel_end, boot->layout.low,
			      boot->kernel_end / MIB + 2);
	return STATUS_OK;
}

static const struct protocol *find_protocol(const struct image *image)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (protocols[i]->is(image))
			return protocols[i];
	}
	return NULL;
}

/**
 * boot_parse() - find out what goes where
 * @image: @bytes and @size are set, the rest is to be filled
 * @options: command line, files, memory
 * @failure: what is wrong
 *
 * Return: STATUS_OK, or the status that says what is wrong.
 */
int boot_parse(struct image *image, const struct options *options,
	       struct failure *failure)
{
	const struct protocol *protocol;
	struct boot boot = {
		.image = image,
		.options = options,
		.initrd_max = LAYOUT_HIGH - 1,
		.cmdline_max = BOOT_CMDLINE_MAX,
		.alignment = 4,
	};
	int status;

	protocol = find_protocol(image);
	if (!protocol && image->size >= 4 && !memcmp(image->bytes, "\177ELF", 4))
		return failed(failure, STATUS_IMAGE,
			      "an ELF file with neither a PVH note nor a multiboot header; what needs no boot protocol runs without --kernel");
	if (!protocol)
		return failed(failure, STATUS_IMAGE,
			      "neither a bzImage, nor an ELF kernel with a PVH note, nor one with a multiboot header (a vmlinuz from /boot is a bzImage)");

	status = protocol->parse(&boot, failure);
	if (status)
		return status;
	layout_init(&boot.layout, options->memory, image->mode);
	map_init(&boot.map, &boot.layout);
	status = check_kernel(&boot, failure);
	if (!status)
		status = add_modules(&boot, failure);
	if (!status)
		status = add_cmdline(&boot, failure);
	if (!status)
		status = add_acpi(&boot, failure);
	if (!status)
		status = protocol->finish(&boot, failure);
	return status ? status : image_sort(image, failure);
}

/**
 * boot_read() - read a kernel and its initial RAM disks
 * @image: to be filled; image_free() it, also after a failure
 * @options: which
 * @failure: what is wrong
 *
 * Return: STATUS_OK, STATUS_NO_IMAGE if one cannot be read, or what
 * boot_parse() returned.
 */
int boot_read(struct image *image, const struct options *options,
	      struct failure *failure)
{
	int status = image_load(image, options->kernel, failure);

	return status ? status : boot_parse(image, options, failure);
}
