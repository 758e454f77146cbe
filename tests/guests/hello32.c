// SPDX-License-Identifier: GPL-2.0
/*
 * hello32: 32-bit protected mode.
 *
 * Shows: flat segments as the launcher sets them up, C without a library, and
 * main()'s value as the exit status. Built twice: as an ELF program, and as a
 * flat binary for --mode protected.
 */
#include "guest.h"

int main(void)
{
	u32 cr0;

	asm("mov %%cr0, %0" : "=r"(cr0));
	print("Hello from 32-bit protected mode, paging ");
	print(cr0 >> 31 ? "on" : "off");
	print(".\n");
	return 0;
}
