/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hltif: halts with interrupts on. Nothing interrupts this machine, so that
 * would last for ever: the launcher says so and ends with its own status.
 *
 * Shows: that HLT leaves the guest also in the shadow of STI.
 */
	.code16
	.globl	start
start:
	sti
	hlt
	mov	$1, %al			/* nobody could have woken us */
	out	%al, $0xf4

	.section .note.GNU-stack, "", @progbits
