// SPDX-License-Identifier: GPL-2.0
/*
 * The launcher's images: ELF files, good and broken, and flat binaries.
 */
// sources: userspace/run/image.c userspace/run/elf_image.c
// sources: userspace/run/layout.c userspace/run/file.c
// libs: -lelf
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "userspace/run/image.h"

/* Where the parts of the files that we make are. */
#define PHDRS_AT	64
#define CODE_AT		0x200
#define CODE_SIZE	0x40
#define FILE_SIZE	(CODE_AT + CODE_SIZE)

#define ADDRESS		0x100000ULL

/*
 * One allocation of exactly the file's size each time, so that ASan sees the
 * first byte that is read behind it.
 */
struct file {
	struct image image;
	struct options options;
	struct failure failure;
};

static void file_init(struct file *file, const void *bytes, size_t size)
{
	*file = (struct file){ .options = { .mode = MODE_REAL } };
	file->image.bytes = malloc(size ? size : 1);
	assert_non_null(file->image.bytes);
	memcpy(file->image.bytes, bytes, size);
	file->image.size = size;
}

static int parse(struct file *file)
{
	return image_parse(&file->image, &file->options, &file->failure);
}

/* Parses and expects a refusal whose words contain @words. */
static void refused(const void *bytes, size_t size, const char *words)
{
	struct file file;

	file_init(&file, bytes, size);
	assert_int_equal(parse(&file), STATUS_IMAGE);
	if (!strstr(file.failure.text, words))
		fail_msg("said \"%s\", expected \"%s\"", file.failure.text, words);
	image_free(&file.image);
}

/* A 64-bit file with one segment, in which the entry point is. */
struct elf64 {
	Elf64_Ehdr header;
	Elf64_Phdr phdrs[4];
	char gap[CODE_AT - sizeof(Elf64_Ehdr) - 4 * sizeof(Elf64_Phdr)];
	char code[CODE_SIZE];
};

static struct elf64 good64(void)
{
	struct elf64 file = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = ADDRESS + 4,
			.e_phoff = PHDRS_AT,
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
		},
		.phdrs[0] = {
			.p_type = PT_LOAD,
			.p_offset = CODE_AT,
			.p_vaddr = ADDRESS,
			.p_paddr = ADDRESS,
			.p_filesz = CODE_SIZE,
			.p_memsz = 2 * CODE_SIZE,
		},
		.code = "code",
	};

	_Static_assert(sizeof(file) == FILE_SIZE, "the layout of the file");
	return file;
}

struct elf32 {
	Elf32_Ehdr header;
	Elf32_Phdr phdrs[2];
	char code[CODE_SIZE];
};

static struct elf32 good32(void)
{
	return (struct elf32){
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_386,
			.e_version = EV_CURRENT,
			.e_entry = ADDRESS,
			.e_phoff = offsetof(struct elf32, phdrs),
			.e_ehsize = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 1,
		},
		.phdrs[0] = {
			.p_type = PT_LOAD,
			.p_offset = offsetof(struct elf32, code),
			.p_vaddr = ADDRESS,
			.p_paddr = ADDRESS,
			.p_filesz = CODE_SIZE,
			.p_memsz = CODE_SIZE,
		},
	};
}

static void test_good64(void **state)
{
	struct elf64 elf = good64();
	struct file file;

	file_init(&file, &elf, sizeof(elf));
	assert_int_equal(parse(&file), STATUS_OK);
	assert_int_equal(file.image.mode, MODE_LONG);
	assert_int_equal(file.image.entry, ADDRESS + 4);
	assert_int_equal(file.image.count, 1);
	assert_int_equal(file.image.segments[0].address, ADDRESS);
	assert_int_equal(file.image.segments[0].filled, CODE_SIZE);
	assert_int_equal(file.image.segments[0].size, 2 * CODE_SIZE);
	assert_memory_equal(file.image.segments[0].data, "code", 4);
	image_free(&file.image);
}

static void test_good32(void **state)
{
	struct elf32 elf = good32();
	struct file file;

	file_init(&file, &elf, sizeof(elf));
	assert_int_equal(parse(&file), STATUS_OK);
	assert_int_equal(file.image.mode, MODE_PROTECTED);
	assert_int_equal(file.image.entry, ADDRESS);
	image_free(&file.image);
}

/* A kernel: linked high, loaded low. */
static void test_virtual_entry(void **state)
{
	struct elf64 elf = good64();
	struct file file;

	elf.phdrs[0].p_vaddr = 0xffffffff81000000;
	elf.header.e_entry = 0xffffffff81000010;
	file_init(&file, &elf, sizeof(elf));
	assert_int_equal(parse(&file), STATUS_OK);
	assert_int_equal(file.image.entry, ADDRESS + 0x10);
	image_free(&file.image);
}

/* In whatever order the file has them. */
static void test_segments_sorted(void **state)
{
	struct elf64 elf = good64();
	struct file file;

	elf.header.e_phnum = 3;
	elf.phdrs[1] = elf.phdrs[0];
	elf.phdrs[1].p_paddr = 0x1000;
	elf.phdrs[1].p_vaddr = 0x1000;
	elf.phdrs[2].p_type = PT_NOTE;
	file_init(&file, &elf, sizeof(elf));
	assert_int_equal(parse(&file), STATUS_OK);
	assert_int_equal(file.image.count, 2);
	assert_int_equal(file.image.segments[0].address, 0x1000);
	assert_int_equal(file.image.segments[1].address, ADDRESS);
	image_free(&file.image);
}

/* Cut off at every length: never accepted, never read past the end. */
static void test_truncated(void **state)
{
	struct elf64 elf64 = good64();
	struct elf32 elf32 = good32();
	size_t size;

	for (size = 4; size < sizeof(elf64); size++)
		refused(&elf64, size, "");
	for (size = 4; size < sizeof(elf32); size++)
		refused(&elf32, size, "");
	refused(&elf64, 5, "header is cut off");
	refused(&elf64, EI_NIDENT, "header is cut off");
	refused(&elf64, sizeof(Elf64_Ehdr) - 1, "header is cut off");
	refused(&elf64, sizeof(Elf64_Ehdr), "broken program headers");
	refused(&elf64, FILE_SIZE - 1, "file is cut off");
}

/* No byte of the headers may lead astray, whatever its value. */
static void test_any_header_byte(void **state)
{
	struct layout layout;
	size_t i;
	int value;

	layout_init(&layout, DEFAULT_MEMORY, MODE_LONG);
	for (i = 0; i < sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr); i++) {
		for (value = 0; value < 256; value++) {
			struct elf64 elf = good64();
			struct file file;

			((unsigned char *)&elf)[i] = value;
			file_init(&file, &elf, sizeof(elf));
			if (!parse(&file) &&
			    !image_fits(&file.image, &layout, &file.failure)) {
				const struct segment *segment = &file.image.segments[0];

				assert_true(file.image.entry < layout.low);
				assert_true(segment->filled <= segment->size);
				assert_true(segment->address + segment->size <= layout.low);
			}
			image_free(&file.image);
		}
	}
}

static void test_identity(void **state)
{
	struct elf64 elf = good64();

	elf.header.e_ident[EI_CLASS] = ELFCLASSNONE;
	refused(&elf, sizeof(elf), "ELF class 0");
	elf.header.e_ident[EI_CLASS] = 3;
	refused(&elf, sizeof(elf), "ELF class 3");

	elf = good64();
	elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
	refused(&elf, sizeof(elf), "little-endian");
}

static void test_machine(void **state)
{
	struct elf64 elf64 = good64();
	struct elf32 elf32 = good32();

	elf64.header.e_machine = EM_AARCH64;
	refused(&elf64, sizeof(elf64), "machine 183");
	/* The machine of the one in the class of the other. */
	elf64.header.e_machine = EM_386;
	refused(&elf64, sizeof(elf64), "64-bit ELF file for machine 3");
	elf32.header.e_machine = EM_X86_64;	/* x32 */
	refused(&elf32, sizeof(elf32), "32-bit ELF file for machine 62");
}

static void test_type(void **state)
{
	struct elf64 elf = good64();

	elf.header.e_type = ET_REL;
	refused(&elf, sizeof(elf), "link it");
	elf.header.e_type = ET_DYN;
	refused(&elf, sizeof(elf), "-no-pie");
	elf.header.e_type = ET_CORE;
	refused(&elf, sizeof(elf), "type 4");

	elf = good64();
	elf.header.e_phnum = 2;
	elf.phdrs[1].p_type = PT_INTERP;
	refused(&elf, sizeof(elf), "dynamic linker");
}

static void test_entry(void **state)
{
	struct elf64 elf = good64();

	elf.header.e_entry = 0;
	refused(&elf, sizeof(elf), "entry point 0 ");
	elf.header.e_entry = ADDRESS - 1;
	refused(&elf, sizeof(elf), "entry point");
	/* In the segment, but where the file has no bytes: zeros are no code. */
	elf.header.e_entry = ADDRESS + CODE_SIZE;
	refused(&elf, sizeof(elf), "entry point 0x100040");
}

static void test_segments(void **state)
{
	struct elf64 elf = good64();

	elf.header.e_phnum = 0;
	refused(&elf, sizeof(elf), "no segment");

	elf = good64();
	elf.phdrs[0].p_memsz = 0;
	elf.phdrs[0].p_filesz = 0;
	refused(&elf, sizeof(elf), "no segment");

	elf = good64();
	elf.phdrs[0].p_memsz = CODE_SIZE - 1;
	refused(&elf, sizeof(elf), "more bytes in the file");

	elf = good64();
	elf.phdrs[0].p_offset = FILE_SIZE + 1;
	refused(&elf, sizeof(elf), "cut off");
	/* offset + size wraps around to something small. */
	elf.phdrs[0].p_offset = UINT64_MAX - 1;
	refused(&elf, sizeof(elf), "cut off");

	elf = good64();
	elf.phdrs[0].p_memsz = UINT64_MAX;
	refused(&elf, sizeof(elf), "wraps around");

	elf = good64();
	elf.header.e_phoff = UINT64_MAX - 8;
	refused(&elf, sizeof(elf), "");
	elf.header.e_phoff = FILE_SIZE - 8;
	refused(&elf, sizeof(elf), "");
	elf = good64();
	elf.header.e_phentsize = 1;
	refused(&elf, sizeof(elf), "");
	elf = good64();
	elf.header.e_phnum = 0xfffe;
	refused(&elf, sizeof(elf), "");
}

static void test_too_many_segments(void **state)
{
	const unsigned int count = IMAGE_SEGMENTS_MAX + 1;
	size_t size = PHDRS_AT + count * sizeof(Elf64_Phdr);
	struct elf64 elf = good64();
	unsigned char *bytes;
	unsigned int i;

	bytes = calloc(1, size);
	assert_non_null(bytes);
	elf.header.e_phnum = count;
	elf.phdrs[0].p_offset = 0;
	memcpy(bytes, &elf.header, sizeof(elf.header));
	for (i = 0; i < count; i++) {
		elf.phdrs[0].p_paddr = ADDRESS + i * 0x1000;
		memcpy(bytes + PHDRS_AT + i * sizeof(Elf64_Phdr), &elf.phdrs[0],
		       sizeof(Elf64_Phdr));
	}
	refused(bytes, size, "more than 64 segments");
	free(bytes);
}

static void test_overlap(void **state)
{
	struct elf64 elf = good64();
	struct file file;

	elf.header.e_phnum = 2;
	elf.phdrs[1] = elf.phdrs[0];
	refused(&elf, sizeof(elf), "overlap at 0x100000");
	/* The last byte of the one, which is not in the file, in the other. */
	elf.phdrs[1].p_paddr = ADDRESS + 2 * CODE_SIZE - 1;
	refused(&elf, sizeof(elf), "overlap at 0x10007f");
	elf.phdrs[1].p_paddr = ADDRESS - 2 * CODE_SIZE + 1;
	refused(&elf, sizeof(elf), "overlap at 0x100000");

	elf.phdrs[1].p_paddr = ADDRESS + 2 * CODE_SIZE;
	file_init(&file, &elf, sizeof(elf));
	assert_int_equal(parse(&file), STATUS_OK);
	image_free(&file.image);
}

static void test_options_do_not_fit(void **state)
{
	struct elf64 elf = good64();
	struct file file;

	file_init(&file, &elf, sizeof(elf));
	file.options.load_given = true;
	assert_int_equal(parse(&file), STATUS_USAGE);
	file.options.load_given = false;
	file.options.mode_given = true;
	assert_int_equal(parse(&file), STATUS_USAGE);
	image_free(&file.image);
}

/* --- Does it fit? ----------------------------------------------------------------- */

static int fits(__u64 address, __u64 size, __u64 memory, enum mode mode)
{
	struct image image = { .mode = mode, .count = 1 };
	struct failure failure;
	struct layout layout;

	image.segments[0] = (struct segment){ .address = address, .size = size };
	layout_init(&layout, memory, mode);
	return image_fits(&image, &layout, &failure);
}

static void test_fits(void **state)
{
	/* Real mode needs no tables: all of memory is the image's. */
	assert_int_equal(fits(0, MIB, MIB, MODE_REAL), STATUS_OK);
	assert_int_equal(fits(0, MIB + 1, MIB, MODE_REAL), STATUS_IMAGE);
	assert_int_equal(fits(MIB, 1, MIB, MODE_REAL), STATUS_IMAGE);
	assert_int_equal(fits(MIB - 1, 1, MIB, MODE_REAL), STATUS_OK);
	assert_int_equal(fits(UINT64_MAX, 1, MIB, MODE_REAL), STATUS_IMAGE);
	assert_int_equal(fits(1, UINT64_MAX, MIB, MODE_REAL), STATUS_IMAGE);

	/* One page of tables, seven pages of tables. */
	assert_int_equal(fits(0, MIB - PAGE_SIZE, MIB, MODE_PROTECTED), STATUS_OK);
	assert_int_equal(fits(0, MIB - PAGE_SIZE + 1, MIB, MODE_PROTECTED), STATUS_IMAGE);
	assert_int_equal(fits(0, MIB - 7 * PAGE_SIZE, MIB, MODE_LONG), STATUS_OK);
	assert_int_equal(fits(0, MIB - 7 * PAGE_SIZE + 1, MIB, MODE_LONG), STATUS_IMAGE);

	/* The hole, and what is above it. */
	assert_int_equal(fits(LAYOUT_HOLE, 1, 4 * GIB, MODE_LONG), STATUS_IMAGE);
	assert_int_equal(fits(LAYOUT_HIGH - 1, 2, 4 * GIB, MODE_LONG), STATUS_IMAGE);
	assert_int_equal(fits(LAYOUT_HIGH, GIB, 4 * GIB, MODE_LONG), STATUS_OK);
	assert_int_equal(fits(LAYOUT_HIGH, GIB + 1, 4 * GIB, MODE_LONG), STATUS_IMAGE);
	assert_int_equal(fits(LAYOUT_HIGH, 1, 3 * GIB, MODE_LONG), STATUS_IMAGE);
}

static void test_layout(void **state)
{
	struct layout layout;

	layout_init(&layout, 3 * GIB, MODE_LONG);
	assert_int_equal(layout.low, 3 * GIB);
	assert_int_equal(layout.high, 0);
	assert_int_equal(layout_top(&layout), 3 * GIB);
	assert_int_equal(layout_gigabytes(&layout), 4);

	layout_init(&layout, 3 * GIB + PAGE_SIZE, MODE_LONG);
	assert_int_equal(layout.high, PAGE_SIZE);
	assert_int_equal(layout_top(&layout), 4 * GIB + PAGE_SIZE);
	assert_int_equal(layout_gigabytes(&layout), 5);
	assert_int_equal(layout.tables, 3 * GIB - 8 * PAGE_SIZE);

	/* The largest machine still has one page-directory-pointer table. */
	layout_init(&layout, MEMORY_MAX, MODE_LONG);
	assert_true(layout_gigabytes(&layout) <= 512);
}

/* --- Flat binaries ----------------------------------------------------------------- */

static int flat(struct file *file, enum mode mode, bool load_given, __u64 load)
{
	int status;

	file_init(file, "\xf4", 1);
	file->options.mode = mode;
	file->options.load_given = load_given;
	file->options.load = load;
	status = parse(file);
	image_free(&file->image);
	return status;
}

static void test_flat(void **state)
{
	struct file file;

	assert_int_equal(flat(&file, MODE_REAL, false, 0), STATUS_OK);
	assert_int_equal(file.image.entry, 0x7c00);
	assert_int_equal(file.image.segments[0].size, 1);
	assert_int_equal(flat(&file, MODE_PROTECTED, false, 0), STATUS_OK);
	assert_int_equal(file.image.entry, 0x100000);
	assert_int_equal(flat(&file, MODE_LONG, false, 0), STATUS_OK);
	assert_int_equal(file.image.entry, 0x100000);
	assert_int_equal(file.image.mode, MODE_LONG);

	assert_int_equal(flat(&file, MODE_REAL, true, 0), STATUS_OK);
	assert_int_equal(file.image.entry, 0);
	assert_int_equal(flat(&file, MODE_REAL, true, 0xffff), STATUS_OK);
	assert_int_equal(flat(&file, MODE_REAL, true, 0x10000), STATUS_OK);
	assert_int_equal(flat(&file, MODE_REAL, true, 0x10001), STATUS_USAGE);
	assert_int_equal(flat(&file, MODE_REAL, true, 0xffff0), STATUS_OK);
	assert_int_equal(flat(&file, MODE_REAL, true, 0x100000), STATUS_USAGE);
	assert_int_equal(flat(&file, MODE_PROTECTED, true, 0xffffffff), STATUS_OK);
	assert_int_equal(flat(&file, MODE_PROTECTED, true, 0x100000000), STATUS_USAGE);
	assert_int_equal(flat(&file, MODE_LONG, true, 0x100000000), STATUS_OK);
}

/* Too short for the magic, or nearly it: flat. Nothing at all: refused. */
static void test_told_apart(void **state)
{
	struct file file;

	refused("", 0, "empty");
	file_init(&file, "\177EL", 3);
	assert_int_equal(parse(&file), STATUS_OK);
	assert_int_equal(file.image.mode, MODE_REAL);
	image_free(&file.image);
	file_init(&file, "\177ELG", 4);
	assert_int_equal(parse(&file), STATUS_OK);
	image_free(&file.image);
	refused("\177ELF", 4, "cut off");
}

static void test_read(void **state)
{
	struct options options = { .image = "/nonexistent/image" };
	struct failure failure;
	struct image image;

	assert_int_equal(image_read(&image, &options, &failure), STATUS_NO_IMAGE);
	image_free(&image);
	options.image = "/";
	assert_int_equal(image_read(&image, &options, &failure), STATUS_NO_IMAGE);
	assert_string_equal(failure.text, "is a directory");
	image_free(&image);
	options.image = "/dev/null";
	assert_int_equal(image_read(&image, &options, &failure), STATUS_IMAGE);
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good64),
		cmocka_unit_test(test_good32),
		cmocka_unit_test(test_virtual_entry),
		cmocka_unit_test(test_segments_sorted),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_any_header_byte),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_too_many_segments),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_options_do_not_fit),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_told_apart),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
