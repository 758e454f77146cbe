// SPDX-License-Identifier: GPL-2.0
/*
 * mkboot: what a boot loader would leave in memory, made on the host.
 *
 *	mkboot flatten VMLINUX OUT
 *		copies the loadable segments of an ELF kernel to where they belong
 *		in a flat image; prints its load address, its size in memory and
 *		its entry point.
 *	mkboot block BZIMAGE OUT ENTRY INITRD-ADDRESS INITRD-SIZE RESERVED-ADDRESS
 *		RESERVED-SIZE COMMAND-LINE
 *		writes the block at LAB_BLOCK: boot_params with the setup header of
 *		BZIMAGE, the command line, page tables and a GDT (see layout.h).
 *	mkboot pack OUT
 *		concatenates the files named on standard input, one a line; prints
 *		the name, offset and size of each.
 *	mkboot rom LOADER OUT
 *		pads LOADER to LAB_ROM_SIZE and makes its bytes sum up to zero.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout.h"

struct file {
	const char *name;
	uint8_t *data;
	size_t size;
};

static struct file map(const char *name)
{
	struct file f = { .name = name };
	struct stat st;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", name);
	f.size = st.st_size;
	f.data = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (f.data == MAP_FAILED)
		err(1, "%s", name);
	close(fd);
	return f;
}

static int create(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static void put(int fd, const char *name, const void *data, size_t size, off_t where)
{
	const uint8_t *p = data;

	while (size) {
		ssize_t n = pwrite(fd, p, size, where);

		if (n <= 0)
			err(1, "%s", name);
		p += n;
		where += n;
		size -= n;
	}
}

static int flatten(const char *in, const char *out)
{
	struct file f = map(in);
	const Elf64_Ehdr *eh = (const void *)f.data;
	const Elf64_Phdr *ph;
	uint64_t low = UINT64_MAX, high = 0;
	int fd;

	if (f.size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
		errx(1, "%s: not a 64-bit x86 ELF file", in);
	if (eh->e_phoff > f.size || eh->e_phnum > (f.size - eh->e_phoff) / sizeof(*ph))
		errx(1, "%s: damaged program headers", in);
	ph = (const void *)(f.data + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_offset > f.size || ph[i].p_filesz > f.size - ph[i].p_offset)
			errx(1, "%s: segment %d is outside the file", in, i);
		if (ph[i].p_paddr < low)
			low = ph[i].p_paddr;
		if (ph[i].p_paddr + ph[i].p_memsz > high)
			high = ph[i].p_paddr + ph[i].p_memsz;
	}
	if (low < LAB_BLOCK + LAB_BLOCK_SIZE || high <= low || high > UINT32_MAX)
		errx(1, "%s: cannot be loaded at %#lx", in, (unsigned long)low);
	fd = create(out);
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			put(fd, out, f.data + ph[i].p_offset, ph[i].p_filesz, ph[i].p_paddr - low);
	if (close(fd) < 0)
		err(1, "%s", out);
	printf("%#lx %#lx %#lx\n", (unsigned long)low, (unsigned long)(high - low),
	       (unsigned long)eh->e_entry);
	return 0;
}

static uint8_t block[LAB_BLOCK_SIZE];

static void put64(uint64_t where, uint64_t value)
{
	memcpy(block + where - LAB_BLOCK, &value, sizeof(value));
}

static uint32_t number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (*end || end == text || n > UINT32_MAX)
		errx(1, "'%s' is not a 32-bit number", text);
	return n;
}

static int make_block(char **argv)
{
	const char *cmdline = argv[7];
	struct file f = map(argv[0]);
	struct boot_params *bp = (void *)block;
	struct boot_e820_entry *reserved = (void *)(block + LAB_RESERVED - LAB_BLOCK);
	size_t end;
	int fd;

	if (f.size < 0x400 || memcmp(f.data + 0x202, "HdrS", 4))
		errx(1, "%s: not a Linux bzImage", f.name);
	if (strlen(cmdline) >= LAB_CMDLINE_MAX)
		errx(1, "the kernel's command line has %zu bytes, more than the %d it takes",
		     strlen(cmdline), LAB_CMDLINE_MAX - 1);

	/* boot.rst: the header ends where the byte after the jump at 0x200 says. */
	end = 0x202 + f.data[0x201];
	if (end > sizeof(*bp))
		end = sizeof(*bp);
	memcpy(block + 0x1f1, f.data + 0x1f1, end - 0x1f1);
	bp->hdr.type_of_loader = 0xff;
	bp->hdr.cmd_line_ptr = LAB_CMDLINE;
	bp->hdr.ramdisk_image = number(argv[3]);
	bp->hdr.ramdisk_size = number(argv[4]);
	/* 80x25 colour text: what the VGA BIOS left. */
	bp->screen_info.orig_video_mode = 3;
	bp->screen_info.orig_video_cols = 80;
	bp->screen_info.orig_video_lines = 25;
	bp->screen_info.orig_video_isVGA = 1;
	bp->screen_info.orig_video_points = 16;

	memcpy(block + LAB_CMDLINE - LAB_BLOCK, cmdline, strlen(cmdline));
	put64(LAB_GDT + LAB_CS64, 0x00af9b000000ffff);
	put64(LAB_GDT + LAB_DS, 0x00cf93000000ffff);
	put64(LAB_GDT + LAB_CS32, 0x00cf9b000000ffff);
	put64(LAB_ENTRY, number(argv[2]));
	reserved->addr = number(argv[5]);
	reserved->size = number(argv[6]);
	reserved->type = 2;
	put64(LAB_PML4, LAB_PDPT | 3);
	for (uint64_t i = 0; i < 4; i++)
		put64(LAB_PDPT + i * 8, (LAB_PD + i * 0x1000) | 3);
	for (uint64_t i = 0; i < 4 * 512; i++)
		put64(LAB_PD + i * 8, (i << 21) | 0x83);

	fd = create(argv[1]);
	put(fd, argv[1], block, sizeof(block), 0);
	if (close(fd) < 0)
		err(1, "%s", argv[1]);
	return 0;
}

static int make_rom(const char *in, const char *out)
{
	struct file f = map(in);
	uint8_t rom[LAB_ROM_SIZE] = { 0 }, sum = 0;
	int fd;

	if (f.size >= sizeof(rom))
		errx(1, "%s: larger than the %zu bytes of the option ROM", in, sizeof(rom) - 1);
	memcpy(rom, f.data, f.size);
	for (size_t i = 0; i < sizeof(rom); i++)
		sum += rom[i];
	rom[sizeof(rom) - 1] = -sum;
	fd = create(out);
	put(fd, out, rom, sizeof(rom), 0);
	if (close(fd) < 0)
		err(1, "%s", out);
	return 0;
}

static int pack(const char *out)
{
	int fd = create(out);
	size_t offset = 0;
	char name[4096];

	while (fgets(name, sizeof(name), stdin)) {
		struct file f;

		name[strcspn(name, "\n")] = 0;
		f = map(name);
		put(fd, out, f.data, f.size, offset);
		printf("%s %zu %zu\n", name, offset, f.size);
		offset += f.size;
		munmap(f.data, f.size);
	}
	if (close(fd) < 0)
		err(1, "%s", out);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "flatten"))
		return flatten(argv[2], argv[3]);
	if (argc == 10 && !strcmp(argv[1], "block"))
		return make_block(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "pack"))
		return pack(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "rom"))
		return make_rom(argv[2], argv[3]);
	errx(1, "usage: see the head of mkboot.c");
}
