// SPDX-License-Identifier: GPL-2.0
/*
 * bzImage by the 64-bit entry of Linux's boot protocol: the kernel's
 * Documentation/x86/boot.rst, "64-bit Boot Protocol". What an older loader would
 * do in real mode, the kernel's setup code, is left out.
 */
#include <asm/bootparam.h>
#include <string.h>
#include "boot.h"

#define SECTOR		512
#define PARAGRAPH	16ULL		/* of which syssize counts */
#define HEADER_AT	0x1f1
#define BOOT_FLAG	0xaa55
#define HEADER_MAGIC	0x53726448	/* "HdrS" */
#define LOADER_OTHER	0xff

/* The first version with xloadflags: Linux 3.8. */
#define VERSION_MIN	0x020c

/* The setup code is this long if the header says 0. */
#define SETUP_SECTS_OLD	4

#define ENTRY64		0x200

static struct setup_header header_of(const struct image *image)
{
	struct setup_header header;

	memcpy(&header, (char *)image->bytes + HEADER_AT, sizeof(header));
	return header;
}

static bool bzimage_is(const struct image *image)
{
	__u32 magic;

	if (image->size < HEADER_AT + offsetof(struct setup_header, version))
		return false;
	memcpy(&magic, (char *)image->bytes + HEADER_AT +
	       offsetof(struct setup_header, header), sizeof(magic));
	return magic == HEADER_MAGIC;
}

/* boot.rst: "payload_offset". */
static bool is_payload(const __u8 *bytes)
{
	static const __u8 magics[][2] = {
		{ 0x1f, 0x8b }, { 0x1f, 0x9e }, { 0x42, 0x5a }, { 0x5d, 0x00 },
		{ 0xfd, 0x37 }, { 0x02, 0x21 }, { 0x28, 0xb5 }, { 0x7f, 0x45 },
		{ 0x89, 0x4c },	/* LZO, which boot.rst forgets */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(magics); i++) {
		if (!memcmp(bytes, magics[i], sizeof(magics[i])))
			return true;
	}
	return false;
}

static int check_header(const struct setup_header *header, struct failure *failure)
{
	if (header->boot_flag != BOOT_FLAG)
		return failed(failure, STATUS_IMAGE,
			      "a bzImage without its boot flag (%#x at 0x1fe): the file is broken",
			      header->boot_flag);
	if (header->version < VERSION_MIN)
		return failed(failure, STATUS_IMAGE,
			      "boot protocol %u.%02u; 2.12 (Linux 3.8) is the oldest that says whether a kernel is 64-bit",
			      header->version >> 8, header->version & 0xff);
	if (!(header->loadflags & LOADED_HIGH))
		return failed(failure, STATUS_IMAGE,
			      "a zImage; make bzImage builds what starts here");
	if (!(header->xloadflags & XLF_KERNEL_64))
		return failed(failure, STATUS_IMAGE,
			      "a 32-bit kernel; this needs one with a 64-bit entry");
	if (header->pref_address < BOOT_KERNEL_MIN || header->pref_address >= LAYOUT_HOLE)
		return failed(failure, STATUS_IMAGE,
			      "this kernel wants to be at %#llx: the file is broken",
			      (__u64)header->pref_address);
	return STATUS_OK;
}

static int bzimage_parse(struct boot *boot, struct failure *failure)
{
	struct image *image = boot->image;
	struct setup_header header;
	__u64 setup, kernel;
	int status;

	if (image->size < HEADER_AT + sizeof(header))
		return failed(failure, STATUS_IMAGE, "the bzImage's header is cut off");
	header = header_of(image);
	status = check_header(&header, failure);
	if (status)
		return status;

	setup = ((header.setup_sects ?: SETUP_SECTS_OLD) + 1) * SECTOR;
	kernel = header.syssize * PARAGRAPH;
	if (setup > image->size || kernel >= image->size - setup + PARAGRAPH)
		return failed(failure, STATUS_IMAGE,
			      "the bzImage is cut off: %zu bytes, and its header speaks of %llu",
			      image->size, setup + kernel);
	/* Not everybody fills the last paragraph: memtest86+ does not. */
	if (kernel > image->size - setup)
		kernel = image->size - setup;
	if (kernel <= ENTRY64 || header.payload_offset > kernel - 2 ||
	    header.payload_length > kernel - header.payload_offset)
		return failed(failure, STATUS_IMAGE,
			      "the compressed kernel is not inside the bzImage: the file is broken");
	/* No offset: nothing is compressed, as in memtest86+. */
	if (header.payload_offset &&
	    !is_payload((__u8 *)image->bytes + setup + header.payload_offset))
		return failed(failure, STATUS_IMAGE,
			      "no compressed kernel is where the header has it: setup_sects (%u) or payload_offset (%#x) is wrong",
			      header.setup_sects, header.payload_offset);

	image->mode = MODE_LINUX;
	image->entry = header.pref_address + ENTRY64;
	boot->kernel_end = header.pref_address +
			   (header.init_size > kernel ? header.init_size : kernel);
	boot->initrd_max = header.initrd_addr_max;
	boot->cmdline_max = header.cmdline_size;
	return image_add(image, (struct segment){
		header.pref_address, (char *)image->bytes + setup, kernel, kernel,
	}, failure);
}

static int bzimage_finish(struct boot *boot, struct failure *failure)
{
	struct boot_params *params = boot_info(boot, sizeof(*params), failure);
	unsigned int i;
	size_t size;

	if (!params)
		return STATUS_SYSTEM;
	/* The byte after the jump's opcode: how far it is to the header's end. */
	size = 0x202 - HEADER_AT + ((__u8 *)boot->image->bytes)[0x201];
	if (size > sizeof(params->hdr))
		size = sizeof(params->hdr);
	memcpy(&params->hdr, (char *)boot->image->bytes + HEADER_AT, size);

	params->hdr.type_of_loader = LOADER_OTHER;
	params->hdr.cmd_line_ptr = BOOT_CMDLINE;
	params->hdr.ramdisk_image = boot->modules[0].address;
	params->hdr.ramdisk_size = boot->initrd_size;
	params->acpi_rsdp_addr = boot->rsdp;
	params->e820_entries = boot->map.count;
	for (i = 0; i < boot->map.count; i++)
		params->e820_table[i] = (struct boot_e820_entry){
			boot->map.ranges[i].address,
			boot->map.ranges[i].size,
			boot->map.ranges[i].type,
		};
	boot->image->start.rsi = BOOT_INFO;
	return STATUS_OK;
}

const struct protocol bzimage_protocol = {
	.is = bzimage_is,
	.parse = bzimage_parse,
	.finish = bzimage_finish,
};
