// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID always exits: SDM Vol. 3, "Instructions That Cause VM Exits
 * Unconditionally".
 */
#include "../mvm.h"
#include "../trace.h"
#include "../x86/cpuid.h"
#include "guest.h"

/* The answer is looked up once more, so that nothing is kept for a trace that is off. */
static noinline void trace_cpuid(const struct mvm_vcpu *vcpu)
{
	u32 function = vcpu->enter.regs[MVM_RAX], index = vcpu->enter.regs[MVM_RCX];
	enum mvm_cpuid_source source = mvm_cpuid_source(&vcpu->cpuid, function, index);
	u32 eax = function, ebx, ecx = index, edx;

	mvm_cpuid_emulate(&vcpu->cpuid, &eax, &ebx, &ecx, &edx);
	trace_minivmm_cpuid(function, index, eax, ebx, ecx, edx,
			    source == MVM_CPUID_FOUND, source == MVM_CPUID_MAX_BASIC);
}

int mvm_handle_cpuid(struct mvm_vcpu *vcpu)
{
	unsigned long *regs = vcpu->enter.regs;
	u32 eax = regs[MVM_RAX], ebx, ecx = regs[MVM_RCX], edx;

	if (trace_minivmm_cpuid_enabled())
		trace_cpuid(vcpu);
	mvm_cpuid_emulate(&vcpu->cpuid, &eax, &ebx, &ecx, &edx);
	/* In 64-bit mode the upper halves are cleared. */
	regs[MVM_RAX] = eax;
	regs[MVM_RBX] = ebx;
	regs[MVM_RCX] = ecx;
	regs[MVM_RDX] = edx;
	return mvm_vmx_skip_and_resume(vcpu);
}
