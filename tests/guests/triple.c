// SPDX-License-Identifier: GPL-2.0
/*
 * triple: a triple fault on purpose.
 *
 * Shows: what the launcher says about it. There is no IDT, so the page fault
 * cannot be delivered, and neither can the double fault that follows.
 */
#include "guest.h"

int main(void)
{
	print("I read an address that is not mapped, without an IDT.\n");
	asm volatile("mov (%0), %%al" : : "r"(0x123456789000ULL) : "rax", "memory");
	return 0;
}
