/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMLAUNCH and the way back. The guest never executes an instruction, so the
 * general registers are as they were; what host fields may have spoilt is
 * mended here as far as C needs it.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#define FIELD_HOST_RSP	0x6c14

	.text

/* int entry_launch(void): 0 VM exit, 1 VMfailInvalid, 2 VMfailValid */
SYM_FUNC_START(entry_launch)
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	$FIELD_HOST_RSP, %eax
	vmwrite	%rsp, %rax
	UNWIND_HINT_SAVE
	vmlaunch
	mov	$1, %eax
	jc	.Lleave
	mov	$2, %eax
	jmp	.Lleave

SYM_INNER_LABEL(entry_exit_label, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	/* The bases of GS, where per-CPU data is, and of FS */
	mov	entry_gs_base(%rip), %eax
	mov	4+entry_gs_base(%rip), %edx
	mov	$MSR_GS_BASE, %ecx
	wrmsr
	mov	entry_fs_base(%rip), %eax
	mov	4+entry_fs_base(%rip), %edx
	mov	$MSR_FS_BASE, %ecx
	wrmsr
	xor	%eax, %eax
.Lleave:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(entry_launch)
