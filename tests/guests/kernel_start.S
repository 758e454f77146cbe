/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernel.c starts: what the boot protocol has left in registers is kept.
 * With PVH defined there is a note that says so, else a multiboot header.
 */
	.text
	.balign	4
#ifndef PVH
	/* Magic number, flags (memory map wanted), checksum. */
	.long	0x1badb002, 2, -(0x1badb002 + 2)
#endif
	.globl	kernel_start
kernel_start:
	mov	%eax, boot_eax
	mov	%ebx, boot_ebx
	mov	$stack_top, %esp
	call	main
	/* Its value is the exit status. */
	out	%al, $0xf4
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	4096
stack_top:

#ifdef PVH
	.section .note, "a", @note
	.long	4, 4, 18	/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	kernel_start
#endif
