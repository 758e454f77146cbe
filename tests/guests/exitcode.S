/* SPDX-License-Identifier: GPL-2.0 */
/*
 * exitcode: ends with the status that standard input's first byte says.
 *
 * Shows: reading the serial port, and port 0xf4.
 *
 *	printf '\005' | minivmm-run exitcode.bin; echo $?
 */
	.code16
	.globl	start
start:
	mov	$0x3f8 + 5, %dx
1:	in	%dx, %al		/* LSR */
	test	$0x01, %al		/* DR: is there a byte? */
	jz	1b
	mov	$0x3f8, %dx
	in	%dx, %al
	out	%al, $0xf4

	.section .note.GNU-stack, "", @progbits
