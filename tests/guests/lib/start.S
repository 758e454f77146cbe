/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where an ELF guest starts, in 32-bit and in 64-bit mode: the launcher has
 * made segments and a stack. What main() returns becomes the exit status.
 */
	.section .start, "ax"
	.globl	start
start:
	call	main
	out	%al, $0xf4
1:	cli
	hlt
	jmp	1b

	.section .note.GNU-stack, "", @progbits
