// SPDX-License-Identifier: GPL-2.0
/*
 * kernel: started by a boot protocol. kernel.elf is by multiboot 1, kernel-pvh.elf
 * by PVH. It says what it was told, and then which keys it gets: q ends it, r
 * resets the machine, p switches it off, t is a triple fault.
 *
 * Shows: how a kernel finds its command line, its module and its memory.
 */
#include "guest.h"

#define MULTIBOOT_MAGIC	0x2badb002
#define START_MAGIC	0x336ec578

#define PORT_LSR	(PORT_SERIAL + 5)
#define LSR_DR		0x01
#define PORT_DEBUG	0xe9
#define PORT_PM1	0x604
#define PORT_RESET	0xcf9

/* kernel_start.S puts them here; not among what it finds to be zero. */
u32 boot_eax = 1;
const u32 *boot_ebx = &boot_eax;

static void print_memory(const char *start, u32 size)
{
	char text[2] = "";

	for (; size; size--) {
		text[0] = *start++;
		print(text);
	}
}

static void tell(const char *protocol, u32 cmdline, u32 module, u32 end, u32 map, u32 map_size)
{
	print(protocol);
	print(": ");
	print((const char *)cmdline);
	print("\nmodule: ");
	print_memory((const char *)module, end - module);
	print("\nmap: ");
	print_number(map_size);
	print(" bytes at ");
	print_hex(map);
	print("\n");
}

static void triple_fault(void)
{
	static const struct { u16 limit; u32 base; } __packed none;

	asm volatile("lidt %0\n\tint3" : : "m"(none));
}

static u8 key(void)
{
	while (!(inb(PORT_LSR) & LSR_DR))
		;
	return inb(PORT_SERIAL);
}

int main(void)
{
	const u32 *info = boot_ebx, *module;
	u8 byte;

	if (boot_eax == MULTIBOOT_MAGIC) {
		module = (const u32 *)info[6];
		tell("multiboot", info[4], info[5] ? module[0] : 0, info[5] ? module[1] : 0,
		     info[12], info[11]);
	} else if (info[0] == START_MAGIC) {
		module = (const u32 *)info[4];
		tell("PVH", info[6], info[3] ? module[0] : 0,
		     info[3] ? module[0] + module[2] : 0, info[10], info[12] * 24);
	} else {
		print("no boot protocol that I know\n");
		return 1;
	}
	outb(PORT_DEBUG, 'D');
	outb(PORT_DEBUG, '\n');

	for (;;) {
		byte = key();
		print("key ");
		print_number(byte);
		print("\n");
		switch (byte) {
		case 'q':
			return 7;
		case 'r':
			outb(PORT_RESET, 0x06);
			break;
		case 'p':
			outw(PORT_PM1, 1 << 13 | 5 << 10);
			break;
		case 't':
			triple_fault();
			break;
		}
	}
}
