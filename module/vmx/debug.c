// SPDX-License-Identifier: GPL-2.0
/*
 * User space debugs the guest: KVM_SET_GUEST_DEBUG.
 *
 * A single step is RFLAGS.TF, which user space does not see in the registers.
 * Breakpoints of user space take the place of the guest's own in the CPU; the
 * guest goes on reading and writing its own, without effect. #DB exits in any
 * case, and #BP while user space wants it (mvm_exception_bitmap()).
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "../mvm.h"
#include "guest.h"
#include "vmcs.h"
#include "vmx.h"

/* The debugger's breakpoints, or the guest's own */
static void update_dr7(struct mvm_vcpu *vcpu)
{
	unsigned long dr7 = vcpu->dr7;

	if (vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP)
		dr7 = vcpu->debug.dr7;
	vmcs_writel(VMCS_GUEST_DR7, dr7);
	if (dr7 & 0xff)
		vcpu->pending |= MVM_PENDING_DEBUG_REGS;
	else
		vcpu->pending &= ~MVM_PENDING_DEBUG_REGS;
}

/**
 * mvm_vmx_write_dr7() - set the guest's own DR7
 * @vcpu: attached or loaded
 * @dr7: the value
 */
void mvm_vmx_write_dr7(struct mvm_vcpu *vcpu, unsigned long dr7)
{
	vcpu->dr7 = dr7;
	update_dr7(vcpu);
}

/**
 * mvm_vmx_load_breakpoints() - put the addresses in force into DR0 to DR3
 * @vcpu: loaded; the VM entry follows, with interrupts off
 */
void mvm_vmx_load_breakpoints(struct mvm_vcpu *vcpu)
{
	const unsigned long *dr = vcpu->dr;

	if (vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP)
		dr = vcpu->debug.dr;
	/* Until the VM entry the host's breakpoints must not mean these. */
	set_debugreg(0, 7);
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

/**
 * mvm_vmx_get_rflags() - RFLAGS without what the debugger has put there
 * @vcpu: attached or loaded
 *
 * Return: the value. A guest's own TF is not seen either during single steps,
 * as in KVM.
 */
unsigned long mvm_vmx_get_rflags(struct mvm_vcpu *vcpu)
{
	unsigned long rflags = vmcs_readl(VMCS_GUEST_RFLAGS);

	if (vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP)
		rflags &= ~X86_EFLAGS_TF;
	return rflags;
}

/**
 * mvm_vmx_set_rflags() - set RFLAGS; single steps go on
 * @vcpu: attached or loaded
 * @rflags: the value
 *
 * SDM Vol. 3, "Checks on Guest Non-Register State" (2024: 27.3.1.5): blocking by
 * STI needs RFLAGS.IF, and with blocking by STI or MOV SS a single-step trap is
 * pending just if TF is set. A program that changes these flags need not know of
 * the blocking: the instruction that it was for is over.
 */
void mvm_vmx_set_rflags(struct mvm_vcpu *vcpu, unsigned long rflags)
{
	u32 blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY), ends = 0;
	unsigned long old = vmcs_readl(VMCS_GUEST_RFLAGS);

	rflags |= X86_EFLAGS_FIXED;
	if (vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP)
		rflags |= X86_EFLAGS_TF;
	vmcs_writel(VMCS_GUEST_RFLAGS, rflags);
	if (!(rflags & X86_EFLAGS_IF))
		ends = VMX_BLOCKING_STI;
	if ((old ^ rflags) & X86_EFLAGS_TF)
		ends = VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS;
	if (blocking & ends)
		vmcs_clear32(VMCS_GUEST_INTERRUPTIBILITY, ends);
	if (old & ~rflags & X86_EFLAGS_TF)
		vmcs_writel(VMCS_GUEST_PENDING_DEBUG,
			    vmcs_readl(VMCS_GUEST_PENDING_DEBUG) & ~DR_STEP);
}

static unsigned long linear_rip(void)
{
	unsigned long rip = vmcs_readl(VMCS_GUEST_RIP);

	return mvm_vmx_64bit_code() ? rip : (u32)(vmcs_readl(VMCS_GUEST_CS_BASE) + rip);
}

/**
 * mvm_vmx_debug_exit() - KVM_EXIT_DEBUG
 * @vcpu: loaded
 * @vector: #DB or #BP
 * @dr6: #DB: what happened, in the bits of DR6
 *
 * Return: MVM_TO_USER.
 */
int mvm_vmx_debug_exit(struct mvm_vcpu *vcpu, u8 vector, unsigned long dr6)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_DEBUG;
	run->debug.arch.exception = vector;
	run->debug.arch.pc = linear_rip();
	if (vector == VMX_VECTOR_DB) {
		run->debug.arch.dr6 = dr6 | DR6_RESERVED;
		run->debug.arch.dr7 = vmcs_readl(VMCS_GUEST_DR7);
	}
	return MVM_TO_USER;
}

/**
 * mvm_vmx_end_step() - an instruction was completed outside of the guest
 * @vcpu: attached or loaded
 *
 * Whoever single-steps, the guest itself or its debugger, hears of it before
 * the next instruction.
 */
void mvm_vmx_end_step(struct mvm_vcpu *vcpu)
{
	if (vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP)
		vcpu->pending |= MVM_PENDING_STEPPED;
	else
		mvm_vmx_queue(vcpu, &(struct mvm_exception){
			.vector = VMX_VECTOR_DB, .dr6 = DR_STEP,
		});
}

/**
 * mvm_vmx_set_guest_debug() - KVM_SET_GUEST_DEBUG
 * @vcpu: attached
 * @dbg: what user space wants
 *
 * Return: 0; -EBUSY if an exception is to be injected while another waits.
 */
int mvm_vmx_set_guest_debug(struct mvm_vcpu *vcpu, const struct kvm_guest_debug *dbg)
{
	unsigned long rflags = mvm_vmx_get_rflags(vcpu);
	struct mvm_guest_debug *d = &vcpu->debug;
	int i;

	if (dbg->control & (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)) {
		if (vcpu->pending & MVM_PENDING_EXCEPTION)
			return -EBUSY;
		/* DR6 is user space's to set; INT3 has one byte. */
		vcpu->reinject = dbg->control & KVM_GUESTDBG_INJECT_DB ?
				 VMX_VECTOR_DB | VMX_EVENT_HARD_EXCEPTION :
				 VMX_VECTOR_BP | VMX_EVENT_SOFT_EXCEPTION;
		vcpu->reinject_length = 1;
		vcpu->pending |= MVM_PENDING_REINJECT;
	}
	d->control = dbg->control & KVM_GUESTDBG_ENABLE ? dbg->control : 0;
	if (d->control & KVM_GUESTDBG_USE_HW_BP) {
		for (i = 0; i < 4; i++)
			d->dr[i] = dbg->arch.debugreg[i];
		d->dr7 = dbg->arch.debugreg[7];
	}
	update_dr7(vcpu);
	vcpu->pending &= ~(MVM_PENDING_STEP | MVM_PENDING_STEPPED);
	if (d->control & KVM_GUESTDBG_SINGLESTEP)
		vcpu->pending |= MVM_PENDING_STEP;
	mvm_vmx_set_rflags(vcpu, rflags);
	vmcs_write32(VMCS_EXCEPTION_BITMAP,
		     mvm_exception_bitmap(d->control & KVM_GUESTDBG_USE_SW_BP));
	return 0;
}
