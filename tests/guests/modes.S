/* SPDX-License-Identifier: GPL-2.0 */
/*
 * modes: from real mode through all the others and back.
 *
 *	real -> protected 16-bit -> protected 32-bit -> (paging, PAE, LME)
 *	compatibility -> 64-bit -> compatibility -> protected 32-bit
 *	-> protected 16-bit -> real
 *
 * Shows: CR0.PE and CR0.PG, EFER.LME and LMA, CS.D and CS.L, each as the
 * processor changes them. Every stop checks what the control registers say.
 */
#include "printer.inc"

	.set	SEL_CODE16, 0x08
	.set	SEL_DATA16, 0x10
	.set	SEL_CODE32, 0x18
	.set	SEL_DATA32, 0x20
	.set	SEL_CODE64, 0x28

	.set	CR0_PE, 0x1
	.set	CR0_PG, 0x80000000
	.set	CR4_PAE, 0x20
	.set	MSR_EFER, 0xc0000080
	.set	EFER_LME, 0x100
	.set	EFER_LMA, 0x400

	/* Page tables, in memory that is zero at the start. */
	.set	PML4, 0x10000
	.set	PDPT, 0x11000
	.set	PD, 0x12000

	/* Print "ok" or "not ok" by the flag Z, then number and words. */
	.macro	CHECK mode, words
	mov	$good, %si
	jz	1f
	mov	$bad, %si
	movb	$1, failed
1:	call	print_\mode
	mov	$\words, %si
	call	print_\mode
	.endm

	/* Z is set if these bits of CR0 are as expected. */
	.macro	CR0_IS bits
	mov	%cr0, %eax
	and	$(CR0_PE | CR0_PG), %eax
	cmp	$\bits, %eax
	.endm

	.macro	EFER_IS bits
	mov	$MSR_EFER, %ecx
	rdmsr
	and	$(EFER_LME | EFER_LMA), %eax
	cmp	$\bits, %eax
	.endm

	.code16
	.globl	start
start:
	CR0_IS	0
	CHECK	16, in_real

	lgdtl	gdtr
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	/* Still the real-mode CS, and the code in it is 16-bit. */
	CR0_IS	CR0_PE
	CHECK	16, in_between
	ljmp	$SEL_CODE16, $protected16

protected16:
	mov	$SEL_DATA16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	%cs, %ax
	cmp	$SEL_CODE16, %ax
	CHECK	16, in_protected16
	ljmp	$SEL_CODE32, $protected32

	.code32
protected32:
	mov	$SEL_DATA32, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	/* Only a 32-bit segment of 4 GiB reaches this. */
	movl	$0x12345678, 0x200000
	cmpl	$0x12345678, 0x200000
	CHECK	32, in_protected32

	/* One PML4 entry, one PDPT entry, one page of 2 MiB: all we need. */
	movl	$(PDPT + 0x3), PML4
	movl	$(PD + 0x3), PDPT
	movl	$0x83, PD
	mov	$PML4, %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	EFER_IS	EFER_LME
	CHECK	32, lme_only

	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	EFER_IS	(EFER_LME | EFER_LMA)
	CHECK	32, in_compatibility
	ljmp	$SEL_CODE64, $long64

	.code64
long64:
	/* Only 64-bit code has REX prefixes: elsewhere this is DEC EAX, ... */
	mov	$0x123456789abcdef0, %rax
	mov	%rax, %r15
	shr	$32, %rax
	cmp	$0x12345678, %eax
	CHECK	64, in_long
	mov	%cr0, %rax
	and	$(CR0_PE | CR0_PG), %eax
	cmp	$(CR0_PE | CR0_PG), %eax
	CHECK	64, long_cr0
	/* Back to compatibility mode; R15 has no name there, but is kept. */
	pushq	$SEL_CODE32
	pushq	$compatibility
	lretq

	.code32
compatibility:
	mov	%cs, %eax
	cmp	$SEL_CODE32, %eax
	CHECK	32, back_in_compatibility

	ljmp	$SEL_CODE64, $again64
	.code64
again64:
	mov	$0x123456789abcdef0, %rax
	cmp	%rax, %r15
	CHECK	64, r15_kept
	pushq	$SEL_CODE32
	pushq	$leave_long
	lretq

	.code32
leave_long:
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	EFER_IS	EFER_LME
	CHECK	32, lma_gone
	mov	$MSR_EFER, %ecx
	rdmsr
	and	$~EFER_LME, %eax
	wrmsr
	EFER_IS	0
	CHECK	32, back_in_protected32
	ljmp	$SEL_CODE16, $back16

	.code16
back16:
	/* Limits of 64 KiB, before real mode keeps whatever is there. */
	mov	$SEL_DATA16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	%cr0, %eax
	and	$~CR0_PE, %eax
	mov	%eax, %cr0
	ljmp	$0, $real_again

real_again:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	CR0_IS	0
	CHECK	16, back_in_real
	/* In real mode a segment begins at its selector times 16. */
	mov	$0x7c0, %ax
	mov	%ax, %es
	mov	%es:(good - start), %al
	cmp	good, %al
	CHECK	16, segments

	mov	$plan, %si
	call	print_16
	mov	failed, %al
	out	%al, $0xf4

	.code16
	PRINTER	16
	.code32
	PRINTER	32
	.code64
	PRINTER	64

failed:	.byte	0
good:	.asciz	"ok "
bad:	.asciz	"not ok "
plan:	.asciz	"1..14\n"

in_real:		.asciz	"1 - real mode\n"
in_between:		.asciz	"2 - CR0.PE set, CS still real mode's\n"
in_protected16:		.asciz	"3 - protected mode, 16-bit segment\n"
in_protected32:		.asciz	"4 - protected mode, 32-bit segment\n"
lme_only:		.asciz	"5 - EFER.LME without paging leaves LMA clear\n"
in_compatibility:	.asciz	"6 - paging sets LMA: compatibility mode\n"
in_long:		.asciz	"7 - 64-bit mode\n"
long_cr0:		.asciz	"8 - CR0 in 64-bit mode\n"
back_in_compatibility:	.asciz	"9 - back in compatibility mode\n"
r15_kept:		.asciz	"10 - R15 survived compatibility mode\n"
lma_gone:		.asciz	"11 - paging off clears LMA\n"
back_in_protected32:	.asciz	"12 - back in protected mode\n"
back_in_real:		.asciz	"13 - back in real mode\n"
segments:		.asciz	"14 - real-mode segments\n"

	.balign	8
gdt:
	.quad	0
	.quad	0x00009b000000ffff	/* 16-bit code, 64 KiB */
	.quad	0x000093000000ffff	/* 16-bit data, 64 KiB */
	.quad	0x00cf9b000000ffff	/* 32-bit code, 4 GiB */
	.quad	0x00cf93000000ffff	/* 32-bit data, 4 GiB */
	.quad	0x00af9b000000ffff	/* 64-bit code */
gdtr:
	.word	. - gdt - 1
	.long	gdt

	.section .note.GNU-stack, "", @progbits
