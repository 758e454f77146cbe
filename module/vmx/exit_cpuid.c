// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID always exits: SDM Vol. 3, "Instructions That Cause VM Exits
 * Unconditionally".
 */
#include "../mvm.h"
#include "../x86/cpuid.h"
#include "guest.h"

int mvm_handle_cpuid(struct mvm_vcpu *vcpu)
{
	unsigned long *regs = vcpu->enter.regs;
	u32 eax = regs[MVM_RAX], ebx, ecx = regs[MVM_RCX], edx;

	mvm_cpuid_emulate(&vcpu->cpuid, &eax, &ebx, &ecx, &edx);
	/* In 64-bit mode the upper halves are cleared. */
	regs[MVM_RAX] = eax;
	regs[MVM_RBX] = ebx;
	regs[MVM_RCX] = ecx;
	regs[MVM_RDX] = edx;
	return mvm_vmx_skip_and_resume(vcpu);
}
