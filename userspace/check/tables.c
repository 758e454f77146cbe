// SPDX-License-Identifier: GPL-2.0
/*
 * The MSRs of VMX and the controls that they speak of. What is needed of them is
 * asked of the module's own source, module/vmx/capability.c, which is linked in.
 */
#include <linux/kernel.h>
#include "check.h"

#define MSR(n)	((n) - MINIVMM_MSR_VMX_BASIC)
#define MSR_PROCBASED3	0x492
#define MSR_EXIT2	0x493

/**
 * msr_name() - the SDM's name of an MSR
 * @index: counted from IA32_VMX_BASIC
 *
 * Return: the name. SDM Vol. 4, "Architectural MSRs" (2024: 2.1).
 */
const char *msr_name(unsigned int index)
{
	static const char *const names[MINIVMM_NR_VMX_MSRS] = {
		"IA32_VMX_BASIC", "IA32_VMX_PINBASED_CTLS", "IA32_VMX_PROCBASED_CTLS",
		"IA32_VMX_EXIT_CTLS", "IA32_VMX_ENTRY_CTLS", "IA32_VMX_MISC",
		"IA32_VMX_CR0_FIXED0", "IA32_VMX_CR0_FIXED1", "IA32_VMX_CR4_FIXED0",
		"IA32_VMX_CR4_FIXED1", "IA32_VMX_VMCS_ENUM", "IA32_VMX_PROCBASED_CTLS2",
		"IA32_VMX_EPT_VPID_CAP", "IA32_VMX_TRUE_PINBASED_CTLS",
		"IA32_VMX_TRUE_PROCBASED_CTLS", "IA32_VMX_TRUE_EXIT_CTLS",
		"IA32_VMX_TRUE_ENTRY_CTLS", "IA32_VMX_VMFUNC", "IA32_VMX_PROCBASED_CTLS3",
		"IA32_VMX_EXIT_CTLS2",
	};

	return names[index];
}

/**
 * word_name() - the SDM's name of a field of controls
 * @word: the field
 *
 * Return: the name.
 */
const char *word_name(enum mvm_control_word word)
{
	static const char *const names[MVM_NR_CONTROL_WORDS] = {
		[MVM_CONTROL_PIN] = "pin-based VM-execution controls",
		[MVM_CONTROL_CPU] = "primary processor-based VM-execution controls",
		[MVM_CONTROL_CPU2] = "secondary processor-based VM-execution controls",
		[MVM_CONTROL_CPU3] = "tertiary processor-based VM-execution controls",
		[MVM_CONTROL_EXIT] = "primary VM-exit controls",
		[MVM_CONTROL_EXIT2] = "secondary VM-exit controls",
		[MVM_CONTROL_ENTRY] = "VM-entry controls",
	};

	return names[word];
}

/* mvm_vmx_read_msrs() reads through a function without context. */
static const struct facts *source;

static u64 read_msr(u32 msr)
{
	return source->capability.msr[MSR(msr)];
}

static void read_msrs(const struct facts *facts, struct mvm_vmx_msrs *msrs)
{
	source = facts;
	mvm_vmx_read_msrs(msrs, read_msr);
}

/**
 * allowed_settings() - which controls may be 0, and which 1?
 * @facts: with the MSRs
 * @word: field of controls
 *
 * SDM Vol. 3, "VMX Capability Reporting Facility" (2024: appendix A). The tertiary
 * controls and the secondary VM-exit controls have 64 bits, and all may be 0.
 *
 * Return: low half: the bits that must be 1; high half: those that may be 1.
 */
__u64 allowed_settings(const struct facts *facts, enum mvm_control_word word)
{
	struct mvm_vmx_msrs msrs;

	read_msrs(facts, &msrs);
	switch (word) {
	case MVM_CONTROL_PIN:
		return msrs.pin;
	case MVM_CONTROL_CPU:
		return msrs.cpu;
	case MVM_CONTROL_CPU2:
		return msrs.cpu2;
	case MVM_CONTROL_CPU3:
		return read_msr(MSR_PROCBASED3) << 32;
	case MVM_CONTROL_EXIT:
		return msrs.exit;
	case MVM_CONTROL_EXIT2:
		return read_msr(MSR_EXIT2) << 32;
	default:
		return msrs.entry;
	}
}

/**
 * negotiate() - what the module would make of this machine
 * @facts: with the MSRs
 * @cap: the outcome, with the module's default options
 * @error: 0, or its errno
 * @missing: what is missing then
 * @reason: what it is needed for
 */
void negotiate(const struct facts *facts, struct mvm_vmx_capability *cap, int *error,
	       const char **missing, const char **reason)
{
	/* As module/main.c has them. */
	static const struct mvm_vmx_options options = {
		.vpid = true, .eptad = true, .pml = true, .flexpriority = true, .ple_gap = 128,
	};
	struct mvm_vmx_msrs msrs;

	read_msrs(facts, &msrs);
	*error = mvm_vmx_negotiate(&msrs, &options, cap, missing, reason);
}

/**
 * used_controls() - the controls that a new vCPU has, or would have
 * @facts: with the MSRs
 * @used: by word
 *
 * Return: false if there would be no vCPU.
 */
bool used_controls(const struct facts *facts, __u64 used[MVM_NR_CONTROL_WORDS])
{
	const char *missing, *reason;
	struct mvm_vmx_capability cap;
	unsigned int i;
	int error = 0;

	if (!facts->loaded)
		negotiate(facts, &cap, &error, &missing, &reason);
	for (i = 0; i < MVM_NR_CONTROL_WORDS && !error; i++)
		used[i] = facts->loaded ? facts->capability.used[i] : mvm_vmx_used(&cap, i);
	return !error;
}
