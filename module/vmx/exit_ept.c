// SPDX-License-Identifier: GPL-2.0
/*
 * EPT violations: guest-physical memory that is not mapped yet, or is gone.
 */
#include "../mvm.h"
#include "../trace.h"
#include "guest.h"
#include "vmcs.h"
#include "vmx.h"

/* SDM Vol. 3, "Exit Qualification for EPT Violations" */
int mvm_handle_ept_violation(struct mvm_vcpu *vcpu)
{
	unsigned long qualification = vmcs_readl(VMCS_EXIT_QUALIFICATION);
	u64 gpa = vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS);
	struct mvm_memory *memory = &vcpu->vm->memory;
	struct kvm_run *run = vcpu->run;
	unsigned int access = 0;
	int ret;

	trace_minivmm_page_fault(vcpu, gpa, qualification);
	if (qualification & VMX_EPT_QUAL_READ)
		access |= MVM_ACCESS_READ;
	if (qualification & VMX_EPT_QUAL_WRITE)
		access |= MVM_ACCESS_WRITE;
	if (qualification & VMX_EPT_QUAL_FETCH)
		access |= MVM_ACCESS_EXEC;
	/* As in mvm_handle_exception_nmi(): IRET will be executed again. */
	if (qualification & VMX_EPT_QUAL_NMI_UNBLOCKING &&
	    !vcpu->vmx.delivering)
		vmcs_set32(VMCS_GUEST_INTERRUPTIBILITY, VMX_BLOCKING_NMI);

	/* The host may have to read the page from a disk: then it is put. */
	ret = mvm_memory_fault(memory, gpa, access, vcpu, mvm_vmx_put);
	if (!ret) {
		vcpu->stat.pf_fixed++;
		return MVM_RESUME;
	}
	if (ret != MVM_FAULT_MMIO)
		return ret;
	if (!vcpu->vmx.delivering) {
		vcpu->stat.pf_emulate++;
		return mvm_handle_mmio(vcpu, qualification);
	}

	/* It was not the instruction at RIP that wanted this. */
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	run->internal.ndata = 3;
	run->internal.data[0] = VMX_REASON_EPT_VIOLATION;
	run->internal.data[1] = qualification;
	run->internal.data[2] = gpa;
	/* It would only come to this again. Nor does KVM keep it. */
	mvm_vmx_drop_instruction_event(vcpu);
	return MVM_TO_USER;
}
