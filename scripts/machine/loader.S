/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lab's boot loader: an option ROM that the BIOS calls last.
 *
 * Bochs loads the unpacked kernel, the initramfs and the block that mkboot
 * writes (boot_params, command line, page tables, GDT) straight into RAM, so
 * nothing is read from a disk and nothing is decompressed by emulated
 * instructions. What is left to do here is what only the running machine
 * knows: the BIOS's memory map. Then the 64-bit entry of the Linux/x86 boot
 * protocol (Documentation/x86/boot.rst, "64-bit Boot Protocol").
 *
 * The addresses are shared with mkboot.c through layout.h.
 */
#include "layout.h"

#define E820_ENTRY_SIZE	20
#define E820_MAX	32
#define SMAP		0x534d4150

	.code16
	.text
	.globl	_start
_start:
	.byte	0x55, 0xaa
	.byte	LAB_ROM_SIZE / 512
	jmp	1f
1:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %es
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$LAB_STACK, %sp

	/* The memory map, while there is still a BIOS to ask. */
	movw	$LAB_E820, %di
	xorl	%ebx, %ebx
	xorw	%bp, %bp
2:	movl	$0xe820, %eax
	movl	$E820_ENTRY_SIZE, %ecx
	movl	$SMAP, %edx
	int	$0x15
	jc	3f
	cmpl	$SMAP, %eax
	jne	3f
	addw	$E820_ENTRY_SIZE, %di
	incw	%bp
	cmpw	$E820_MAX, %bp
	je	3f
	testl	%ebx, %ebx
	jnz	2b
3:
	cli
	/* A20 on (fast gate), and no interrupt from the PICs until Linux asks. */
	inb	$0x92, %al
	orb	$2, %al
	outb	%al, $0x92
	movb	$0xff, %al
	outb	%al, $0x21
	outb	%al, $0xa1

	lgdtl	%cs:(gdt_pointer - _start)
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$LAB_CS32, $(LAB_ROM + protected - _start)

gdt_pointer:
	.word	LAB_GDT_SIZE - 1
	.long	LAB_GDT

	.code32
protected:
	movw	$LAB_DS, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss

	movzwl	%bp, %eax
	imull	$E820_ENTRY_SIZE, %eax, %ecx
	movl	$LAB_E820, %esi
	movl	$(LAB_BOOT_PARAMS + 0x2d0), %edi	/* boot_params.e820_table */
	rep movsb
	/* One more: memory with the packed modules. Linux resolves the overlap. */
	movl	$LAB_RESERVED, %esi
	movl	$E820_ENTRY_SIZE, %ecx
	rep movsb
	incl	%eax
	movb	%al, LAB_BOOT_PARAMS + 0x1e8	/* boot_params.e820_entries */

	movl	%cr4, %eax
	orl	$(1 << 5), %eax			/* PAE */
	movl	%eax, %cr4
	movl	$LAB_PML4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* IA32_EFER */
	rdmsr
	orl	$(1 << 8), %eax			/* LME */
	wrmsr
	movl	%cr0, %eax
	orl	$(1 << 31), %eax		/* PG */
	movl	%eax, %cr0
	ljmpl	$LAB_CS64, $(LAB_ROM + long_mode - _start)

	.code64
long_mode:
	movl	$LAB_BOOT_PARAMS, %esi
	movl	LAB_ENTRY, %eax
	jmp	*%rax
