// SPDX-License-Identifier: GPL-2.0
/*
 * ELF kernels by PVH: a note names a 32-bit entry point, where EBX leads to
 * struct hvm_start_info. Xen's docs/misc/pvh.pandoc and
 * xen/include/public/arch-x86/hvm/start_info.h.
 */
#include <gelf.h>
#include <string.h>
#include "boot.h"

#define NOTE_NAME	"Xen"
#define NOTE_ENTRY	18		/* XEN_ELFNOTE_PHYS32_ENTRY */
#define START_MAGIC	0x336ec578

struct start_info {
	__u32 magic;
	__u32 version;
	__u32 flags;
	__u32 module_count;
	__u64 modules;
	__u64 cmdline;
	__u64 rsdp;
	__u64 map;
	__u32 map_count;
	__u32 reserved;
};

struct start_module {
	__u64 address;
	__u64 size;
	__u64 cmdline;
	__u64 reserved;
};

struct start_range {
	__u64 address;
	__u64 size;
	__u32 type;
	__u32 reserved;
};

/* All of it, as it lies at BOOT_INFO. */
struct start_all {
	struct start_info info;
	struct start_module module;
	struct start_range map[MAP_MAX];
};

/* The entry point, if this note is the one; gelf_getnote() saw that it is all there. */
static bool read_note(const char *bytes, const GElf_Nhdr *note, size_t name,
		      size_t desc, __u64 *entry)
{
	__u32 address;

	if (note->n_type != NOTE_ENTRY || note->n_namesz != sizeof(NOTE_NAME) ||
	    note->n_descsz < sizeof(address) ||
	    memcmp(bytes + name, NOTE_NAME, sizeof(NOTE_NAME)))
		return false;
	/* Of a 64-bit file it has 8 bytes, of which the upper are 0. */
	memcpy(&address, bytes + desc, sizeof(address));
	*entry = address;
	return true;
}

static bool in_notes(Elf_Data *data, __u64 *entry)
{
	size_t offset = 0, name, desc;
	GElf_Nhdr note;

	while ((offset = gelf_getnote(data, offset, &note, &name, &desc))) {
		if (read_note(data->d_buf, &note, name, desc, entry))
			return true;
	}
	return false;
}

static bool find_entry(const struct image *image, __u64 *entry)
{
	bool found = false;
	GElf_Phdr header;
	size_t count, i;
	Elf *elf;

	if (image->size < sizeof(Elf32_Ehdr) || memcmp(image->bytes, ELFMAG, SELFMAG) ||
	    elf_version(EV_CURRENT) == EV_NONE)
		return false;
	elf = elf_memory(image->bytes, image->size);
	if (!elf || elf_getphdrnum(elf, &count))
		count = 0;
	for (i = 0; i < count && !found; i++) {
		Elf_Data *data;

		if (!gelf_getphdr(elf, i, &header) || header.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(elf, header.p_offset, header.p_filesz,
					    header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		found = data && in_notes(data, entry);
	}
	elf_end(elf);
	return found;
}

static bool pvh_is(const struct image *image)
{
	__u64 entry;

	return find_entry(image, &entry);
}

static int pvh_parse(struct boot *boot, struct failure *failure)
{
	struct image *image = boot->image;
	unsigned int i;
	__u64 entry;
	int status;

	find_entry(image, &entry);
	status = elf_parse(image, &entry, failure);
	if (status)
		return status;
	image->mode = MODE_PROTECTED;
	for (i = 0; i < image->count; i++) {
		const struct segment *segment = &image->segments[i];

		if (entry >= segment->address && entry - segment->address < segment->filled)
			return STATUS_OK;
	}
	return failed(failure, STATUS_IMAGE,
		      "the PVH note's entry point %#llx is in no segment", entry);
}

static int pvh_finish(struct boot *boot, struct failure *failure)
{
	struct start_all *all = boot_info(boot, sizeof(*all), failure);
	unsigned int i;

	if (!all)
		return STATUS_SYSTEM;
	all->info = (struct start_info){
		.magic = START_MAGIC,
		.version = 1,		/* the first one with a map of memory */
		.cmdline = BOOT_CMDLINE,
		.rsdp = boot->rsdp,
		.map = BOOT_INFO + offsetof(struct start_all, map),
		.map_count = boot->map.count,
	};
	if (boot->options->initrd_count) {
		all->info.module_count = 1;
		all->info.modules = BOOT_INFO + offsetof(struct start_all, module);
		all->module.address = boot->modules[0].address;
		all->module.size = boot->initrd_size;
	}
	for (i = 0; i < boot->map.count; i++)
		all->map[i] = (struct start_range){
			.address = boot->map.ranges[i].address,
			.size = boot->map.ranges[i].size,
			.type = boot->map.ranges[i].type,
		};
	boot->image->start.rbx = BOOT_INFO;
	return STATUS_OK;
}

const struct protocol pvh_protocol = {
	.is = pvh_is,
	.parse = pvh_parse,
	.finish = pvh_finish,
};
