// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions of the guest that exit, and NMIs. Which ones and why:
 * mvm_exception_bitmap().
 */
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "../compat.h"
#include "../mvm.h"
#include "guest.h"
#include "vmcs.h"
#include "vmx.h"

/*
 * The guest's #DB goes back to it, if nobody debugs it. SDM Vol. 3, "Exit Qualification for Debug
 * Exceptions": what the CPU would have put into DR6, in the same bits.
 */
static int handle_db(struct mvm_vcpu *vcpu, u32 event)
{
	u32 blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);

	if (vcpu->debug.control & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP))
		return mvm_vmx_debug_exit(vcpu, VMX_VECTOR_DB,
					  vmcs_readl(VMCS_EXIT_QUALIFICATION));
	/* INT1 is a trap that exits as a fault. */
	if ((event & VMX_EVENT_TYPE) == VMX_EVENT_PRIV_EXCEPTION)
		mvm_vmx_skip(vcpu, vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH));
	mvm_vmx_queue(vcpu, &(struct mvm_exception){
		.vector = VMX_VECTOR_DB,
		.dr6 = vmcs_readl(VMCS_EXIT_QUALIFICATION),
	});
	/*
	 * SDM Vol. 3, "Checks on Guest Non-Register State": with TF and
	 * blocking by STI or MOV SS a single-step trap must be pending.
	 */
	if (vmcs_readl(VMCS_GUEST_RFLAGS) & X86_EFLAGS_TF &&
	    blocking & (VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS))
		vmcs_writel(VMCS_GUEST_PENDING_DEBUG,
			    vmcs_readl(VMCS_GUEST_PENDING_DEBUG) | DR_STEP);
	return MVM_RESUME;
}

/*
 * #AC has two causes. An unaligned access raises it in ring 3 of a guest that
 * set CR0.AM and RFLAGS.AC; a split lock raises it in any guest while the host
 * detects those (SDM Vol. 3, "Features to Disable Bus Locks"), and a guest that
 * cannot expect it would die of it.
 */
static int handle_ac(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u32 error = vmcs_read32(VMCS_EXIT_ERROR_CODE);
	unsigned long rip = vmcs_readl(VMCS_GUEST_RIP);

	if (!boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT) ||
	    (mvm_vmx_cpl() == 3 && mvm_vmx_read_cr0(vcpu) & X86_CR0_AM &&
	     vmcs_readl(VMCS_GUEST_RFLAGS) & X86_EFLAGS_AC)) {
		mvm_vmx_queue_error(vcpu, VMX_VECTOR_AC, error);
		return MVM_RESUME;
	}
	/* The kernel may make this thread wait. */
	mvm_vmx_put(vcpu);
	if (mvm_compat_split_lock(rip))
		return MVM_RESUME;
	run->exit_reason = KVM_EXIT_EXCEPTION;
	run->ex.exception = VMX_VECTOR_AC;
	run->ex.error_code = error;
	return MVM_TO_USER;
}

int mvm_handle_exception_nmi(struct mvm_vcpu *vcpu)
{
	u32 event = vmcs_read32(VMCS_EXIT_EVENT);
	u8 vector = event & VMX_EVENT_VECTOR;

	/*
	 * An IRET that faulted had already ended the blocking of NMIs; the
	 * guest executes it again. SDM Vol. 3, "Information for VM Exits Due
	 * to Vectored Events".
	 */
	if (event & VMX_EVENT_NMI_UNBLOCKING && vector != VMX_VECTOR_DF &&
	    !vcpu->vmx.delivering)
		vmcs_set32(VMCS_GUEST_INTERRUPTIBILITY, VMX_BLOCKING_NMI);

	/* The host's handlers ran before interrupts were on again. */
	if ((event & VMX_EVENT_TYPE) == VMX_EVENT_NMI || vector == VMX_VECTOR_MC)
		return MVM_RESUME;
	if (vector == VMX_VECTOR_DB)
		return handle_db(vcpu, event);
	/* Only a debugger wants these. */
	if (vector == VMX_VECTOR_BP)
		return mvm_vmx_debug_exit(vcpu, VMX_VECTOR_BP, 0);
	if (vector == VMX_VECTOR_AC)
		return handle_ac(vcpu);
	if (event & VMX_EVENT_ERROR_CODE)
		mvm_vmx_queue_error(vcpu, vector, vmcs_read32(VMCS_EXIT_ERROR_CODE));
	else
		mvm_vmx_queue_vector(vcpu, vector);
	return MVM_RESUME;
}
