/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where cpus.c starts: the first CPU by multiboot, the others by a startup IPI,
 * in real mode at CPUS_STARTUP, to which the guest copies ap_begin to ap_end.
 */
#include "cpus.h"

	.text
	.balign	4
	/* Magic number, flags (memory map wanted), checksum. */
	.long	0x1badb002, 2, -(0x1badb002 + 2)

	.globl	cpus_start
cpus_start:
	mov	%ebx, boot_info
	lgdt	gdtr
	mov	$stack_top, %esp
	ljmp	$CPUS_CODE, $1f
1:	call	load_segments
	call	main
	/* Its value is the exit status. */
	out	%al, $0xf4
2:	cli
	hlt
	jmp	2b

load_segments:
	mov	$CPUS_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	ret

	.code16
	.globl	ap_begin, ap_end
ap_begin:
	cli
	lgdtl	%cs:gdtr_copy - ap_begin
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$CPUS_CODE, $ap_protected
	.balign	4
gdtr_copy:
	.word	gdt_end - gdt - 1
	.long	gdt
ap_end:

	.code32
ap_protected:
	mov	$CPUS_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	/* Nobody has a stack yet: the order of arrival says which is whose. */
	mov	$1, %eax
	lock xadd %eax, arrived
	inc	%eax
	imul	$CPUS_STACK, %eax
	lea	ap_stacks(%eax), %esp
	call	ap_main

	.data
	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_end:
gdtr:
	.word	gdt_end - gdt - 1
	.long	gdt

	.bss
	.balign	16
	.skip	8192
stack_top:
