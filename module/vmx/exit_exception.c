// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions of the guest that exit, and NMIs. Which ones and why:
 * mvm_exception_bitmap().
 */
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "../mvm.h"
#include "guest.h"
#include "vmcs.h"

/*
 * The guest's #DB goes back to it. SDM Vol. 3, "Exit Qualification for Debug
 * Exceptions": what the CPU would have put into DR6, in the same bits.
 */
static int handle_db(struct mvm_vcpu *vcpu, u32 event)
{
	u32 blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);

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
	    !(vcpu->pending & MVM_PENDING_REINJECT))
		vmcs_set32(VMCS_GUEST_INTERRUPTIBILITY, VMX_BLOCKING_NMI);

	/* The host's handlers ran before interrupts were on again. */
	if ((event & VMX_EVENT_TYPE) == VMX_EVENT_NMI || vector == VMX_VECTOR_MC)
		return MVM_RESUME;
	if (vector == VMX_VECTOR_DB)
		return handle_db(vcpu, event);
	if (event & VMX_EVENT_ERROR_CODE)
		mvm_vmx_queue_error(vcpu, vector, vmcs_read32(VMCS_EXIT_ERROR_CODE));
	else
		mvm_vmx_queue_vector(vcpu, vector);
	return MVM_RESUME;
}
