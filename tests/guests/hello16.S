/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hello16: the smallest guest that says something.
 *
 * Shows: real mode as the launcher starts it, at 0000:7c00 with all segments 0;
 * a polled serial port; and HLT with interrupts off as the way to end.
 */
#include "printer.inc"

	.code16
	.globl	start
start:
	mov	$hello, %si
	call	print_16
	cli
	hlt

	PRINTER	16

hello:	.asciz	"Hello from 16-bit real mode.\n"

	.section .note.GNU-stack, "", @progbits
