/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch.
 *
 * VMLAUNCH and VMRESUME load RIP, RSP, RFLAGS, segments and control registers
 * from the guest-state area of the VMCS, and a VM exit loads the host's from
 * its host-state area. All other registers are ours to exchange: the general
 * ones here, the FPU's and some MSRs in switch.c.
 *
 * SDM Vol. 3, "Loading Guest State" (2024: 27.3.2) and "Loading Host State"
 * (2024: 28.5).
 */
#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

#include "../compat.h"
#include "enter.h"

	.text

/* bool mvm_vmx_enter(struct mvm_enter *enter, bool launched) */
SYM_FUNC_START(mvm_vmx_enter)
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi			/* enter: on top of the stack at VM exit */

	/* The stack is as deep at nearly every entry, and VMWRITE is slow. */
	cmp	%rsp, MVM_ENTER_HOST_RSP(%rdi)
	je	.Lhost_rsp_known
	mov	%rsp, MVM_ENTER_HOST_RSP(%rdi)
	mov	$MVM_FIELD_HOST_RSP, %eax
	vmwrite	%rsp, %rax
.Lhost_rsp_known:

	/* No instruction from here to the entry changes ZF but the VERW. */
	mov	%esi, %ebx
	mov	%rdi, %rax
	mov	8*MVM_RCX(%rax), %rcx
	mov	8*MVM_RDX(%rax), %rdx
	mov	8*MVM_RBP(%rax), %rbp
	mov	8*MVM_RSI(%rax), %rsi
	mov	8*MVM_RDI(%rax), %rdi
	mov	8*MVM_R8(%rax), %r8
	mov	8*MVM_R9(%rax), %r9
	mov	8*MVM_R10(%rax), %r10
	mov	8*MVM_R11(%rax), %r11
	mov	8*MVM_R12(%rax), %r12
	mov	8*MVM_R13(%rax), %r13
	mov	8*MVM_R14(%rax), %r14
	mov	8*MVM_R15(%rax), %r15

	/* CF survives the VERW of the buffer clearing, which changes ZF only. */
	bt	$0, %ebx
	mov	8*MVM_RBX(%rax), %rbx
	mov	8*MVM_RAX(%rax), %rax

	/*
	 * Last, so that nothing of the host gets into the buffers again; VERW
	 * takes its operand from memory and needs no register.
	 */
	MVM_CLEAR_CPU_BUFFERS

	jnc	.Llaunch

	/*
	 * The VM exit comes back at mvm_vmx_exit_label with the stack of this
	 * place, which objtool cannot see by itself.
	 */
	UNWIND_HINT_SAVE
	vmresume
	jmp	.Lfailed
.Llaunch:
	vmlaunch
	jmp	.Lfailed

SYM_INNER_LABEL(mvm_vmx_exit_label, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR

	push	%rax
	mov	8(%rsp), %rax		/* enter */
	mov	%rcx, 8*MVM_RCX(%rax)
	pop	8*MVM_RAX(%rax)
	mov	%rdx, 8*MVM_RDX(%rax)
	mov	%rbx, 8*MVM_RBX(%rax)
	mov	%rbp, 8*MVM_RBP(%rax)
	mov	%rsi, 8*MVM_RSI(%rax)
	mov	%rdi, 8*MVM_RDI(%rax)
	mov	%r8, 8*MVM_R8(%rax)
	mov	%r9, 8*MVM_R9(%rax)
	mov	%r10, 8*MVM_R10(%rax)
	mov	%r11, 8*MVM_R11(%rax)
	mov	%r12, 8*MVM_R12(%rax)
	mov	%r13, 8*MVM_R13(%rax)
	mov	%r14, 8*MVM_R14(%rax)
	mov	%r15, 8*MVM_R15(%rax)
	xor	%eax, %eax		/* a VM exit: return false */

.Lleave:
	/*
	 * The guest chose what was in these; nothing that runs ahead of the
	 * reloads below may use them as addresses (Spectre v1). RBX, RBP and
	 * R12 to R15 too: their reloads are loads that can run ahead.
	 */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	mov	%eax, %ebx

	/* Before the first RET: the return stack buffer is the guest's. */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	/*
	 * The guest cannot write IA32_SPEC_CTRL, so the host's value is still
	 * there; but a CPU with legacy IBRS needs the write itself after the
	 * VM exit, or predictions of the guest stay in use.
	 */
	ALTERNATIVE "jmp .Lspec_ctrl_done", "", X86_FEATURE_KERNEL_IBRS
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	mov	PER_CPU_VAR(x86_spec_ctrl_current), %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	wrmsr
	lfence
.Lspec_ctrl_done:

	MVM_CLEAR_BRANCH_HISTORY

	mov	%ebx, %eax
	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET

.Lfailed:
	mov	$1, %eax
	jmp	.Lleave
SYM_FUNC_END(mvm_vmx_enter)
