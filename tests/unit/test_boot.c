// SPDX-License-Identifier: GPL-2.0
/*
 * Kernels by their boot protocols: what the launcher puts where, and what it
 * refuses. The kernels are made here, byte by byte.
 */
// sources: userspace/run/boot.c userspace/run/bzimage.c userspace/run/pvh.c
// sources: userspace/run/multiboot.c userspace/run/image.c userspace/run/elf_image.c
// sources: userspace/run/layout.c userspace/run/map.c userspace/run/acpi.c
// sources: userspace/run/file.c
// libs: -lelf
#include <asm/bootparam.h>
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "userspace/run/boot.h"

static struct image image;
static struct options options;
static struct failure failure;

/* Initial RAM disks are files; they are gone after the test. */
static char paths[3][32];

static int setup(void **state)
{
	image = (struct image){ 0 };
	failure = (struct failure){ 0 };
	options = (struct options){
		.kernel = "kernel", .append = "", .memory = 256 * MIB, .cpus = 1,
	};
	return 0;
}

static int teardown(void **state)
{
	unsigned int i;

	image_free(&image);
	for (i = 0; i < options.initrd_count; i++)
		unlink(paths[i]);
	return 0;
}

static void add_initrd(size_t size)
{
	char *path = paths[options.initrd_count];
	int fd;

	strcpy(path, "/tmp/test_boot.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	options.initrds[options.initrd_count++] = path;
}

static int parse(const void *bytes, size_t size)
{
	/* Exactly as large as the file: ASan sees the first byte behind it. */
	image.bytes = malloc(size);
	assert_non_null(image.bytes);
	memcpy(image.bytes, bytes, size);
	image.size = size;
	return boot_parse(&image, &options, &failure);
}

static void refused(const void *bytes, size_t size, int status, const char *words)
{
	int got = parse(bytes, size);

	if (got != status || !strstr(failure.text, words))
		fail_msg("status %d, \"%s\"; expected %d, \"%s\"", got, failure.text,
			 status, words);
	image_free(&image);
	memset(&image, 0, sizeof(image));
}

static const void *at(__u64 address, __u64 size)
{
	unsigned int i;

	for (i = 0; i < image.count; i++) {
		const struct segment *segment = &image.segments[i];

		if (address >= segment->address &&
		    address - segment->address + size <= segment->filled)
			return (const char *)segment->data + (address - segment->address);
	}
	fail_msg("nothing was put at %#llx", address);
	return NULL;
}

/* --- bzImage --- */

#define SETUP_SECTS	3
#define KERNEL_AT	((SETUP_SECTS + 1) * 512)
#define KERNEL_SIZE	0x1000
#define PAYLOAD_AT	0x400

struct bzimage {
	__u8 before[0x1f1];
	struct setup_header header;
	__u8 between[KERNEL_AT - 0x1f1 - sizeof(struct setup_header)];
	__u8 kernel[KERNEL_SIZE];
} __attribute__((__packed__));

static struct bzimage good_bzimage(void)
{
	struct bzimage file = {
		.header = {
			.setup_sects = SETUP_SECTS,
			.boot_flag = 0xaa55,
			.syssize = KERNEL_SIZE / 16,
			.jump = 0x6aeb,		/* to 0x202 + 0x6a */
			.header = 0x53726448,
			.version = 0x020f,
			.loadflags = LOADED_HIGH,
			.xloadflags = XLF_KERNEL_64,
			.initrd_addr_max = 0x7fffffff,
			.kernel_alignment = 0x200000,
			.cmdline_size = 0x7ff,
			.payload_offset = PAYLOAD_AT,
			.payload_length = 0x100,
			.pref_address = 16 * MIB,
			.init_size = 32 * MIB,
		},
	};

	file.kernel[PAYLOAD_AT] = 0x1f;
	file.kernel[PAYLOAD_AT + 1] = 0x8b;
	return file;
}

static void test_bzimage(void **state)
{
	struct bzimage file = good_bzimage();
	const struct boot_params *params;
	__u64 initrd_at;

	options.append = "console=ttyS0";
	add_initrd(100001);
	assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	assert_int_equal(image.mode, MODE_LINUX);
	assert_int_equal(image.entry, 16 * MIB + 0x200);
	assert_int_equal(image.start.rsi, BOOT_INFO);
	assert_memory_equal(at(16 * MIB, KERNEL_SIZE), file.kernel, KERNEL_SIZE);

	params = at(BOOT_INFO, 4096);
	assert_int_equal(sizeof(*params), 4096);
	assert_int_equal(params->hdr.boot_flag, 0xaa55);
	assert_int_equal(params->hdr.init_size, 32 * MIB);
	assert_int_equal(params->hdr.type_of_loader, 0xff);
	assert_int_equal(params->hdr.cmd_line_ptr, BOOT_CMDLINE);
	assert_string_equal(at(BOOT_CMDLINE, 14), "console=ttyS0");
	assert_int_equal(params->acpi_rsdp_addr, BOOT_ACPI);
	assert_memory_equal(at(BOOT_ACPI, 8), "RSD PTR ", 8);

	/* As high as can be: page tables and GDT of long mode take 7 pages. */
	initrd_at = (256 * MIB - 7 * 4096 - 100001) & ~4095ULL;
	assert_int_equal(params->hdr.ramdisk_image, initrd_at);
	assert_int_equal(params->hdr.ramdisk_size, 100001);
	at(initrd_at, 100001);

	assert_int_equal(params->e820_entries, 3);
	assert_int_equal(params->e820_table[0].addr, 0);
	assert_int_equal(params->e820_table[0].size, 0x9fc00);
	assert_int_equal(params->e820_table[0].type, 1);
	assert_int_equal(params->e820_table[1].addr, 0x9fc00);
	assert_int_equal(params->e820_table[1].size, 0x60400);
	assert_int_equal(params->e820_table[1].type, 2);
	assert_int_equal(params->e820_table[2].addr, 0x100000);
	assert_int_equal(params->e820_table[2].size, 255 * MIB);
	assert_int_equal(params->e820_table[2].type, 1);
}

static void test_bzimage_more_memory(void **state)
{
	struct bzimage file = good_bzimage();
	const struct boot_params *params;

	options.memory = 5 * GIB;
	add_initrd(4096);
	assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	params = at(BOOT_INFO, 4096);
	/* Not above initrd_addr_max, though there is memory. */
	assert_int_equal(params->hdr.ramdisk_image, 0x7ffff000);
	assert_int_equal(params->e820_entries, 4);
	assert_int_equal(params->e820_table[2].size, 3 * GIB - MIB);
	assert_int_equal(params->e820_table[3].addr, 4 * GIB);
	assert_int_equal(params->e820_table[3].size, 2 * GIB);
}

static void test_several_initrds(void **state)
{
	struct bzimage file = good_bzimage();
	const struct boot_params *params;

	add_initrd(5);
	add_initrd(7);
	add_initrd(0);
	assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	params = at(BOOT_INFO, 4096);
	/* Each begins on a multiple of 4: 0 to 4, 8 to 14, 16. */
	assert_int_equal(params->hdr.ramdisk_size, 16);
	at(params->hdr.ramdisk_image, 5);
	at(params->hdr.ramdisk_image + 8, 7);
}

static void test_header_length(void **state)
{
	struct bzimage file = good_bzimage();
	const struct boot_params *params;

	/* Longer than any header is: the rest of the zero page stays zero. */
	file.header.jump = 0xffeb;
	memset(file.between, 0xee, sizeof(file.between));
	assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	params = at(BOOT_INFO, 4096);
	assert_int_equal(params->_pad7[0], 0);
	assert_int_equal(params->hdr.init_size, 32 * MIB);
}

#define bad_bzimage(status, words, ...)					\
do {									\
	struct bzimage file = good_bzimage();				\
									\
	__VA_ARGS__;							\
	refused(&file, sizeof(file), status, words);			\
} while (0)

static void test_bad_bzimage(void **state)
{
	struct bzimage good = good_bzimage();

	bad_bzimage(STATUS_IMAGE, "boot flag", file.header.boot_flag = 0);
	bad_bzimage(STATUS_IMAGE, "boot protocol 2.11", file.header.version = 0x020b);
	bad_bzimage(STATUS_IMAGE, "a zImage", file.header.loadflags = 0);
	bad_bzimage(STATUS_IMAGE, "a 32-bit kernel", file.header.xloadflags = XLF_EFI_HANDOVER_32);
	bad_bzimage(STATUS_IMAGE, "wants to be at 0x1000", file.header.pref_address = 0x1000);
	bad_bzimage(STATUS_IMAGE, "wants to be at 0xffff000000000000",
		    file.header.pref_address = 0xffff000000000000);
	bad_bzimage(STATUS_IMAGE, "cut off", file.header.syssize++);
	bad_bzimage(STATUS_IMAGE, "cut off", file.header.syssize = 0xffffffff);
	bad_bzimage(STATUS_IMAGE, "not inside", file.header.syssize = 0);
	bad_bzimage(STATUS_IMAGE, "not inside", file.header.payload_offset = KERNEL_SIZE - 1);
	bad_bzimage(STATUS_IMAGE, "not inside", file.header.payload_length = KERNEL_SIZE);
	/* One sector too few: all is there, but nothing where it should be. */
	bad_bzimage(STATUS_IMAGE, "setup_sects (2)", file.header.setup_sects = 2);
	bad_bzimage(STATUS_IMAGE, "cut off", file.header.setup_sects = 4);
	bad_bzimage(STATUS_IMAGE, "cut off", file.header.setup_sects = 255);
	/* 0 means 4. */
	bad_bzimage(STATUS_IMAGE, "cut off", file.header.setup_sects = 0);

	/* The last paragraph of 16 bytes may be short, but must be there. */
	refused(&good, sizeof(good) - 16, STATUS_IMAGE, "cut off");
	refused(&good, sizeof(good) - 17, STATUS_IMAGE, "cut off");
	assert_int_equal(parse(&good, sizeof(good) - 15), 0);
	image_free(&image);
	memset(&image, 0, sizeof(image));
	refused(&good, KERNEL_AT, STATUS_IMAGE, "cut off");
	refused(&good, 0x220, STATUS_IMAGE, "header is cut off");
}

static void test_memory_too_small(void **state)
{
	/* 16 MiB to 48 MiB, and the launcher's 7 pages above. */
	options.memory = 48 * MIB;
	bad_bzimage(STATUS_IMAGE, "needs memory up to 0x3000000", (void)0);
	options.memory = 1 * MIB;
	bad_bzimage(STATUS_IMAGE, "--memory 50M is the least", (void)0);
	options.memory = 50 * MIB;
	{
		struct bzimage file = good_bzimage();

		assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	}
}

static void test_initrd_too_big(void **state)
{
	/* Between 48 MiB and 63 MiB + 1012 KiB, less 7 pages: 15 MiB + 996 KiB. */
	options.memory = 64 * MIB;
	add_initrd(16 * MIB - 7 * 4096 + 1);
	bad_bzimage(STATUS_IMAGE, "(--memory gives more)", (void)0);
	assert_string_equal(failure.about, paths[0]);
	unlink(paths[0]);
	options.initrd_count = 0;

	add_initrd(16 * MIB - 7 * 4096);
	{
		struct bzimage file = good_bzimage();

		assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	}
}

static void test_initrd_max(void **state)
{
	add_initrd(MIB);
	bad_bzimage(STATUS_IMAGE, "takes none above that", file.header.initrd_addr_max = 40 * MIB);
	bad_bzimage(STATUS_IMAGE, "takes none above that", file.header.initrd_addr_max = 0);
}

static void test_no_initrd(void **state)
{
	struct bzimage file = good_bzimage();

	options.initrds[0] = "/nonexistent/initrd";
	options.initrd_count = 1;
	assert_int_equal(parse(&file, sizeof(file)), STATUS_NO_IMAGE);
	assert_string_equal(failure.about, "/nonexistent/initrd");
	options.initrd_count = 0;
}

static void test_cmdline(void **state)
{
	static char words[70000];

	memset(words, 'w', 0x800);
	options.append = words;
	bad_bzimage(STATUS_USAGE, "takes 2047 at most", (void)0);
	/* However much the kernel would take, we have room for 64 KiB. */
	memset(words, 'w', 69999);
	bad_bzimage(STATUS_USAGE, "takes 65535 at most", file.header.cmdline_size = 100000);
	words[0x7ff] = 0;
	{
		struct bzimage file = good_bzimage();

		assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	}
}

static void test_neither(void **state)
{
	static const char script[] = "#!/bin/sh\necho hello\n";
	static const char mz[600] = "MZ";

	refused(script, sizeof(script), STATUS_IMAGE, "neither a bzImage");
	refused(mz, sizeof(mz), STATUS_IMAGE, "a vmlinuz from /boot is a bzImage");
	refused("", 1, STATUS_IMAGE, "neither a bzImage");
}

/* --- PVH --- */

#define CODE_AT		0x200
#define CODE_SIZE	0x40
#define NOTE_AT		(64 + 2 * sizeof(Elf64_Phdr))

struct elf {
	Elf64_Ehdr header;
	Elf64_Phdr phdrs[2];
	Elf64_Nhdr note;
	char name[4];
	__u64 entry;
	char gap[CODE_AT - 64 - 2 * sizeof(Elf64_Phdr) - sizeof(Elf64_Nhdr) - 12];
	__u32 code[CODE_SIZE / 4];
};

static struct elf good_pvh(void)
{
	struct elf file = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			/* Linux's own is physical, and in no segment. */
			.e_entry = 0x1000000,
			.e_phoff = 64,
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.phdrs = {
			{
				.p_type = PT_LOAD,
				.p_offset = CODE_AT,
				.p_vaddr = 0xffffffff81000000,
				.p_paddr = 0x1000000,
				.p_filesz = CODE_SIZE,
				.p_memsz = 2 * MIB,
			}, {
				.p_type = PT_NOTE,
				.p_offset = NOTE_AT,
				.p_filesz = sizeof(Elf64_Nhdr) + 12,
				.p_align = 4,
			},
		},
		.note = { .n_namesz = 4, .n_descsz = 8, .n_type = 18 },
		.name = "Xen",
		.entry = 0x1000010,
	};

	assert_int_equal(offsetof(struct elf, note), NOTE_AT);
	assert_int_equal(offsetof(struct elf, code), CODE_AT);
	return file;
}

static __u32 u32_at(__u64 address)
{
	__u32 value;

	memcpy(&value, at(address, 4), 4);
	return value;
}

static __u64 u64_at(__u64 address)
{
	__u64 value;

	memcpy(&value, at(address, 8), 8);
	return value;
}

/* The offsets are those of Xen's start_info.h. */
static void test_pvh(void **state)
{
	struct elf file = good_pvh();
	__u64 map, module;

	options.append = "quiet";
	add_initrd(5000);
	assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	assert_int_equal(image.mode, MODE_PROTECTED);
	assert_int_equal(image.entry, 0x1000010);
	assert_int_equal(image.start.rbx, BOOT_INFO);

	assert_int_equal(u32_at(BOOT_INFO), 0x336ec578);
	assert_int_equal(u32_at(BOOT_INFO + 4), 1);
	assert_int_equal(u32_at(BOOT_INFO + 12), 1);
	module = u64_at(BOOT_INFO + 16);
	/* The GDT's page is at the top. */
	assert_int_equal(u64_at(module), (256 * MIB - 4096 - 5000) & ~4095ULL);
	assert_int_equal(u64_at(module + 8), 5000);
	assert_string_equal(at(u64_at(BOOT_INFO + 24), 6), "quiet");
	assert_int_equal(u64_at(BOOT_INFO + 32), BOOT_ACPI);
	map = u64_at(BOOT_INFO + 40);
	assert_int_equal(u32_at(BOOT_INFO + 48), 3);
	assert_int_equal(u64_at(map + 24), 0x9fc00);
	assert_int_equal(u64_at(map + 32), 0x60400);
	assert_int_equal(u32_at(map + 40), 2);
	assert_int_equal(u64_at(map + 48), 0x100000);
	assert_int_equal(u64_at(map + 56), 255 * MIB);
	assert_int_equal(u32_at(map + 64), 1);
}

#define bad_pvh(words, ...)						\
do {									\
	struct elf file = good_pvh();					\
									\
	__VA_ARGS__;							\
	refused(&file, sizeof(file), STATUS_IMAGE, words);		\
} while (0)

static void test_bad_pvh(void **state)
{
	bad_pvh("neither a PVH note nor", file.note.n_type = 17);
	bad_pvh("neither a PVH note nor", file.name[0] = 'Y');
	bad_pvh("neither a PVH note nor", file.note.n_namesz = 3);
	bad_pvh("neither a PVH note nor", file.note.n_descsz = 2);
	bad_pvh("neither a PVH note nor", file.note.n_descsz = 0xfffffff0);
	bad_pvh("neither a PVH note nor", file.phdrs[1].p_offset = 1 << 20);
	bad_pvh("neither a PVH note nor", file.phdrs[1].p_filesz = 8);
	bad_pvh("is in no segment", file.entry = 0x1000000 + CODE_SIZE);
	bad_pvh("below 1 MiB", file.phdrs[0].p_paddr = 0x1000, file.entry = 0x1000);
	bad_pvh("the file is cut off", file.phdrs[0].p_offset = 0x1000);
	bad_pvh("needs memory up to", file.phdrs[0].p_memsz = 512 * MIB);
}

/* --- Multiboot --- */

#define MB_MAGIC	0x1badb002

static struct elf good_multiboot(void)
{
	struct elf file = good_pvh();

	file.note.n_type = 0;
	file.header.e_entry = 0xffffffff81000010;
	file.code[0] = MB_MAGIC;
	file.code[1] = 3;
	file.code[2] = -(MB_MAGIC + 3);
	return file;
}

/* The offsets are those of the specification. */
static void test_multiboot(void **state)
{
	struct elf file = good_multiboot();
	__u64 modules, map;

	options.append = "one two";
	options.memory = 4 * GIB;
	add_initrd(5000);
	add_initrd(1);
	assert_int_equal(parse(&file, sizeof(file)), STATUS_OK);
	assert_int_equal(image.mode, MODE_PROTECTED);
	assert_int_equal(image.entry, 0x1000010);
	assert_int_equal(image.start.rax, 0x2badb002);
	assert_int_equal(image.start.rbx, BOOT_INFO);

	assert_int_equal(u32_at(BOOT_INFO), 0x24d);
	assert_int_equal(u32_at(BOOT_INFO + 4), 639);
	assert_int_equal(u32_at(BOOT_INFO + 8), 3 * 1024 * 1024 - 1024);
	assert_string_equal(at(u32_at(BOOT_INFO + 16), 8), "one two");
	assert_int_equal(u32_at(BOOT_INFO + 20), 2);
	modules = u32_at(BOOT_INFO + 24);
	assert_int_equal(u32_at(modules) % 4096, 0);
	assert_int_equal(u32_at(modules + 4), u32_at(modules) + 5000);
	assert_string_equal(at(u32_at(modules + 8), 22), paths[0]);
	assert_int_equal(u32_at(modules + 16), u32_at(modules) + 8192);
	assert_int_equal(u32_at(modules + 20), u32_at(modules) + 8193);
	assert_string_equal(at(u32_at(modules + 24), 22), paths[1]);

	assert_int_equal(u32_at(BOOT_INFO + 44), 4 * 24);
	map = u32_at(BOOT_INFO + 48);
	assert_int_equal(u32_at(map), 20);
	assert_int_equal(u64_at(map + 4), 0);
	assert_int_equal(u64_at(map + 12), 0x9fc00);
	assert_int_equal(u32_at(map + 20), 1);
	assert_int_equal(u64_at(map + 3 * 24 + 4), 4 * GIB);
	assert_int_equal(u64_at(map + 3 * 24 + 12), GIB);
	assert_string_equal(at(u32_at(BOOT_INFO + 64), 12), "minivmm-run");
}

/* No ELF: the header has the addresses. */
static const __u32 flat[16] = {
	0, MB_MAGIC, 0x10000, -(MB_MAGIC + 0x10000),
	/* where the header, the first and the last byte, and zeros end; entry */
	0x200004, 0x200000, 0x200040, 0x200100, 0x200020,
};

static void test_multiboot_flat(void **state)
{
	assert_int_equal(parse(flat, sizeof(flat)), STATUS_OK);
	assert_int_equal(image.entry, 0x200020);
	assert_memory_equal(at(0x200000, 64), flat, 64);
}

#define bad_flat(words, ...)						\
do {									\
	__u32 file[16];							\
									\
	memcpy(file, flat, sizeof(file));				\
	__VA_ARGS__;							\
	file[3] = -(file[1] + file[2]);					\
	refused(file, sizeof(file), STATUS_IMAGE, words);		\
} while (0)

static void test_bad_multiboot(void **state)
{
	struct elf elf = good_multiboot();

	bad_flat("asks for a screen", file[2] |= 4);
	bad_flat("does not have (flags 0x10010)", file[2] |= 0x10);
	bad_flat("its header has no addresses", file[2] = 0);
	bad_flat("load address 0x300000", file[5] = 0x300000);
	bad_flat("load address 0x1ff000", file[5] = 0x1ff000);
	bad_flat("cut off", file[6] = 0x200041);
	bad_flat("cut off", file[6] = 0x1fffff);
	bad_flat("entry point 0x200040", file[8] = 0x200040);
	bad_flat("entry point 0x1fffff", file[8] = 0x1fffff);
	bad_flat("needs memory up to", file[7] = 0xf0000000);
	bad_flat("below 1 MiB", file[4] = 0x8004, file[5] = 0x8000, file[6] = 0,
		 file[7] = 0, file[8] = 0x8000);
	/* A wrong sum is no header. */
	elf.code[2]++;
	refused(&elf, sizeof(elf), STATUS_IMAGE, "neither a PVH note nor");
	/* Nor is one behind the first 8 KiB. */
	{
		static char far[8192 + 64];

		memcpy(far + 8192, flat, 64);
		refused(far, sizeof(far), STATUS_IMAGE, "neither a bzImage");
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bzimage), TEST(test_bzimage_more_memory), TEST(test_several_initrds),
		TEST(test_header_length), TEST(test_bad_bzimage), TEST(test_memory_too_small),
		TEST(test_initrd_too_big), TEST(test_initrd_max), TEST(test_no_initrd),
		TEST(test_cmdline), TEST(test_neither), TEST(test_pvh), TEST(test_bad_pvh),
		TEST(test_multiboot), TEST(test_multiboot_flat), TEST(test_bad_multiboot),
	};

	return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
