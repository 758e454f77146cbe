// SPDX-License-Identifier: GPL-2.0
/*
 * ELF guests, read with libelf.
 *
 * A 32-bit file starts in protected mode, a 64-bit file in long mode. Segments
 * go to their *physical* addresses (p_paddr); the entry point is a virtual
 * address and is translated by the segment that holds it, because what the
 * launcher maps is mapped one to one.
 *
 * libelf keeps out of broken headers; that sizes and addresses make sense is
 * for us to check.
 */
#include <gelf.h>
#include <string.h>
#include "image.h"

/* What must be so before any other field means what it says. */
static int check_identity(const struct image *image, struct failure *failure)
{
	const unsigned char *ident = image->bytes;

	if (image->size < EI_NIDENT)
		return failed(failure, STATUS_IMAGE, "the ELF header is cut off");
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return failed(failure, STATUS_IMAGE,
			      "ELF class %u is neither 32-bit nor 64-bit", ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB)
		return failed(failure, STATUS_IMAGE,
			      "this ELF file is not little-endian, so not for x86");
	if (image->size < (ident[EI_CLASS] == ELFCLASS64 ?
			   sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return failed(failure, STATUS_IMAGE, "the ELF header is cut off");
	return STATUS_OK;
}

static int check_header(const GElf_Ehdr *header, struct failure *failure)
{
	bool wide = header->e_ident[EI_CLASS] == ELFCLASS64;

	if (header->e_machine != (wide ? EM_X86_64 : EM_386))
		return failed(failure, STATUS_IMAGE,
			      "a %s-bit ELF file for machine %u; expected %s",
			      wide ? "64" : "32", header->e_machine,
			      wide ? "x86-64 (62)" : "i386 (3)");
	if (header->e_type == ET_REL)
		return failed(failure, STATUS_IMAGE,
			      "an object file; link it first (ld -static)");
	if (header->e_type == ET_DYN)
		return failed(failure, STATUS_IMAGE,
			      "a shared object or PIE needs a dynamic linker; link with -static -no-pie");
	if (header->e_type != ET_EXEC)
		return failed(failure, STATUS_IMAGE,
			      "ELF type %u is not an executable", header->e_type);
	if (header->e_phnum &&
	    header->e_phentsize != (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return failed(failure, STATUS_IMAGE,
			      "broken program headers: %u bytes each", header->e_phentsize);
	return STATUS_OK;
}

static int add_segment(struct image *image, const GElf_Phdr *header,
		       struct failure *failure)
{
	if (header->p_filesz > header->p_memsz)
		return failed(failure, STATUS_IMAGE,
			      "the segment at %#llx has more bytes in the file than in memory",
			      (__u64)header->p_paddr);
	if (header->p_offset > image->size ||
	    header->p_filesz > image->size - header->p_offset)
		return failed(failure, STATUS_IMAGE,
			      "the file is cut off: the segment at %#llx is not all in it",
			      (__u64)header->p_paddr);
	if (header->p_paddr + header->p_memsz < header->p_paddr)
		return failed(failure, STATUS_IMAGE,
			      "the segment at %#llx wraps around the end of the address space",
			      (__u64)header->p_paddr);
	return image_add(image, (struct segment){
		.address = header->p_paddr,
		.data = (const char *)image->bytes + header->p_offset,
		.filled = header->p_filesz,
		.size = header->p_memsz,
	}, failure);
}

static int parse_segments(struct image *image, Elf *elf, const GElf_Addr *entry,
			  struct failure *failure)
{
	bool entry_found = !entry;
	GElf_Phdr header;
	size_t count, i;
	int status;

	if (elf_getphdrnum(elf, &count))
		return failed(failure, STATUS_IMAGE, "broken program headers: %s",
			      elf_errmsg(-1));

	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, i, &header))
			return failed(failure, STATUS_IMAGE,
				      "broken program headers: %s", elf_errmsg(-1));
		if (header.p_type == PT_INTERP)
			return failed(failure, STATUS_IMAGE,
				      "it needs a dynamic linker; link with -static -no-pie");
		if (header.p_type != PT_LOAD || !header.p_memsz)
			continue;
		status = add_segment(image, &header, failure);
		if (status)
			return status;
		/* Where nothing was loaded there is nothing to execute. */
		if (entry && *entry >= header.p_vaddr &&
		    *entry - header.p_vaddr < header.p_filesz) {
			image->entry = header.p_paddr + (*entry - header.p_vaddr);
			entry_found = true;
		}
	}
	if (!image->count)
		return failed(failure, STATUS_IMAGE, "it has no segment to load");
	if (!entry_found)
		return failed(failure, STATUS_IMAGE,
			      "the entry point %#llx is in no segment (ld -e names it; readelf -lh shows it)",
			      (__u64)*entry);
	return STATUS_OK;
}

static int parse(struct image *image, Elf *elf, const __u64 *entry,
		 struct failure *failure)
{
	GElf_Ehdr header;
	int status;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return failed(failure, STATUS_IMAGE, "a broken ELF file: %s",
			      elf_errmsg(-1));
	status = check_header(&header, failure);
	if (status)
		return status;

	image->mode = header.e_ident[EI_CLASS] == ELFCLASS64 ? MODE_LONG : MODE_PROTECTED;
	if (entry)
		image->entry = *entry;
	return parse_segments(image, elf, entry ? NULL : &header.e_entry, failure);
}

/**
 * elf_parse() - find out what goes where in an ELF file
 * @image: @bytes and @size are set and begin with ELF's magic; the rest is to
 *	be filled, the segments in the order of the file
 * @entry: where to begin, a physical address; NULL for the header's entry point
 * @failure: what is wrong with it
 *
 * Return: STATUS_OK or STATUS_IMAGE.
 */
int elf_parse(struct image *image, const __u64 *entry, struct failure *failure)
{
	int status = check_identity(image, failure);
	Elf *elf;

	if (status)
		return status;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return failed(failure, STATUS_SYSTEM, "libelf: %s", elf_errmsg(-1));

	elf = elf_memory(image->bytes, image->size);
	status = parse(image, elf, entry, failure);
	elf_end(elf);
	return status;
}
