/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loop: says that it runs, then runs for ever without a VM exit of its own.
 *
 * Shows: that signals and --timeout reach a guest that never leaves.
 */
#include "printer.inc"

	.code16
	.globl	start
start:
	mov	$hello, %si
	call	print_16
	/*
	 * A processor leaves the guest for the host's interrupts whatever the
	 * guest's IF. Bochs 2.7 and 3.0 do not if the guest was entered with IF
	 * clear: they decide which interrupts are masked before they are in the
	 * guest. This guest is to work in the lab too.
	 */
	sti
1:	jmp	1b

	PRINTER	16

hello:	.asciz	"looping\n"

	.section .note.GNU-stack, "", @progbits
