// SPDX-License-Identifier: GPL-2.0
/*
 * What the CPU offers, and what we need and want of it.
 *
 * SDM Vol. 3, "VMX Capability Reporting Facility" (2024: Appendix A): for each
 * word of controls an MSR says which bits must be 1 ("allowed 0-settings") and
 * which may be 1 ("allowed 1-settings"). The table below is the one list of
 * what we ask for.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "capability.h"

#define PIN	MVM_CONTROL_PIN
#define CPU	MVM_CONTROL_CPU
#define CPU2	MVM_CONTROL_CPU2
#define EXIT	MVM_CONTROL_EXIT
#define ENTRY	MVM_CONTROL_ENTRY

#define NEED	MVM_WISH_NEED
#define WANT	MVM_WISH_WANT
#define AVOID	MVM_WISH_AVOID

/* Tertiary controls and secondary VM-exit controls are not used. */
static const enum mvm_control_word used_words[] = { PIN, CPU, CPU2, EXIT, ENTRY };

struct requirement {
	enum mvm_control_word word;
	u32 bit;
	enum mvm_wish wish;
	const char *reason;
};

static const struct requirement requirements[] = {
	{ PIN, VMX_PIN_EXTERNAL_INTERRUPT, NEED, "interrupts belong to the host" },
	{ PIN, VMX_PIN_NMI, NEED, "NMIs belong to the host" },
	{ PIN, VMX_PIN_VIRTUAL_NMIS, NEED,
	  "the CPU tracks the guest's own blocking of NMIs" },

	{ CPU, VMX_CPU_SECONDARY, NEED, "EPT and unrestricted guest are there" },
	{ CPU2, VMX_CPU2_EPT, NEED, "guest-physical memory is translated by EPT" },
	{ CPU2, VMX_CPU2_UNRESTRICTED_GUEST, NEED,
	  "real mode and unpaged protected mode run as they are" },
	{ CPU, VMX_CPU_HLT, NEED, "an idle guest gives the CPU back" },
	{ CPU, VMX_CPU_MWAIT, NEED, "as for HLT" },
	{ CPU, VMX_CPU_MONITOR, NEED, "MWAIT is not virtualised" },
	{ CPU, VMX_CPU_RDPMC, NEED, "the counters are the host's" },
	{ CPU, VMX_CPU_TSC_OFFSETTING, NEED,
	  "the guest's TSC starts at zero without a VM exit for each RDTSC" },
	{ CPU, VMX_CPU_CR8_LOAD, NEED, "the task priority is user space's" },
	{ CPU, VMX_CPU_CR8_STORE, NEED, "as for loads" },
	{ CPU, VMX_CPU_TPR_SHADOW, WANT,
	  "the task priority of a local APIC in the kernel changes without VM exit" },
	{ CPU, VMX_CPU_MOV_DR, NEED,
	  "the debug registers hold the host's values until the guest uses its own" },
	{ CPU, VMX_CPU_IO, NEED, "every port is user space's" },
	{ CPU, VMX_CPU_MSR_BITMAPS, NEED,
	  "the few MSRs that the CPU switches for us need no VM exit" },
	{ CPU, VMX_CPU_CR3_LOAD, AVOID, "with EPT the guest's CR3 is its own" },
	{ CPU, VMX_CPU_CR3_STORE, AVOID, "as for loads" },
	{ CPU, VMX_CPU_INVLPG, AVOID, "with EPT the guest's page tables are its own" },
	{ CPU, VMX_CPU_RDTSC, AVOID, "TSC offsetting does it" },

	{ CPU2, VMX_CPU2_VPID, WANT, "TLB entries outlive VM entries and exits" },
	{ CPU2, VMX_CPU2_RDTSCP, WANT, "shown to guests where it exists" },
	{ CPU2, VMX_CPU2_INVPCID, WANT, "shown to guests where it exists" },
	{ CPU2, VMX_CPU2_WBINVD, WANT,
	  "a guest cannot stall the CPU by writing back all caches" },
	{ CPU2, VMX_CPU2_PAUSE_LOOP, WANT,
	  "a vCPU that waits for another gives it the CPU" },
	{ CPU2, VMX_CPU2_X2APIC, WANT,
	  "the task priority's MSR is used without VM exit" },
	{ CPU2, VMX_CPU2_APIC_REGISTERS, WANT,
	  "a local APIC's MSRs are read without VM exit" },
	{ CPU2, VMX_CPU2_INTERRUPT_DELIVERY, WANT,
	  "interrupts go in, and end, without VM exit" },
	{ CPU2, VMX_CPU2_PML, WANT,
	  "the first write to a page is logged without VM exit" },
	{ CPU2, VMX_CPU2_ENCLS, WANT, "SGX is not virtualised" },

	{ EXIT, VMX_EXIT_HOST_64BIT, NEED, "the host is 64-bit" },
	{ EXIT, VMX_EXIT_SAVE_DEBUG, NEED, "DR7 and IA32_DEBUGCTL are the guest's own" },
	{ EXIT, VMX_EXIT_SAVE_PAT, NEED, "the guest writes its PAT freely" },
	{ EXIT, VMX_EXIT_LOAD_PAT, NEED, "the host gets its PAT back" },
	{ EXIT, VMX_EXIT_SAVE_EFER, NEED,
	  "LMA changes without a VM exit when the guest switches paging on" },
	{ EXIT, VMX_EXIT_LOAD_EFER, NEED, "the host gets its EFER back" },
	{ EXIT, VMX_EXIT_LOAD_PERF, WANT, "the host's counters go on after the VM exit" },

	{ ENTRY, VMX_ENTRY_LOAD_DEBUG, NEED,
	  "DR7 and IA32_DEBUGCTL are the guest's own" },
	{ ENTRY, VMX_ENTRY_LOAD_PAT, NEED, "the guest has its own PAT" },
	{ ENTRY, VMX_ENTRY_LOAD_EFER, NEED, "the guest has its own EFER" },
	{ ENTRY, VMX_ENTRY_LOAD_PERF, WANT,
	  "the host's counters (and PEBS records) stop in the guest" },
};

static const struct {
	u64 bit;
	const char *name;
	const char *reason;
} ept_requirements[] = {
	{ VMX_EPT_CAP_4_LEVEL, "EPT page-walk length 4", "the only one used" },
	{ VMX_EPT_CAP_WB, "EPT memory type write-back", "guest memory is the host's RAM" },
	{ VMX_EPT_CAP_INVEPT, "INVEPT", "memory is taken back from a running guest" },
	{ VMX_EPT_CAP_INVEPT_ALL, "all-context INVEPT",
	  "a CPU may hold translations of whoever had VT-x before" },
};

/*
 * CR0 bits that unrestricted guest frees: SDM Vol. 3, "VMX-Fixed Bits in CR0"
 * (A.7) with "Checks on Guest Control Registers, Debug Registers, and MSRs".
 */
#define CR0_PE_PG	(BIT_ULL(0) | BIT_ULL(31))

static int refuse(const char **why, int error, const char *words)
{
	*why = words;
	return error;
}

/**
 * mvm_vmx_check_platform() - may VT-x be used here at all?
 * @p: what is known of the machine
 * @why: set to what is wrong and what to do, when the answer is no
 *
 * Return: 0; -EOPNOTSUPP for a CPU without VT-x, -EACCES if the firmware locked
 * it, -EPERM if Linux did, -ENOENT if Linux keeps VT-x for KVM (insmod then
 * speaks of an unknown symbol, which is the cause), -EPROTONOSUPPORT for FRED.
 */
int mvm_vmx_check_platform(const struct mvm_vmx_platform *p, const char **why)
{
	bool enabled = p->feat_ctl & VMX_FEAT_CTL_OUTSIDE_SMX;

	*why = NULL;
	if (!p->intel || !p->vmx) {
		if (p->hypervisor)
			return refuse(why, -EOPNOTSUPP,
				"this is a virtual machine without VT-x: switch on nested virtualisation in its host, or use the lab (make lab)");
		if (p->intel)
			return refuse(why, -EOPNOTSUPP,
				"this CPU has no VT-x: use another machine, or the lab (make lab)");
		return refuse(why, -EOPNOTSUPP,
			"this is not an Intel CPU: use another machine, or the lab (make lab)");
	}
	if (!p->kernel_lends_vtx)
		return refuse(why, -ENOENT,
			"this kernel lets only KVM's modules use VT-x (cr4_update_irqsoff and others are exported to them alone): boot Linux 6.1 or 6.12, or use KVM");
	/*
	 * NMIs that arrive in the guest are handed on with INT 2, which the
	 * FRED entry code of Linux treats as fatal.
	 */
	if (p->fred)
		return refuse(why, -EPROTONOSUPPORT,
			"the kernel runs with FRED, which minivmm does not support yet: boot with fred=off");
	if (!(p->feat_ctl & VMX_FEAT_CTL_LOCKED) || enabled)
		return 0;
	/* Linux locks VMX off when it has no KVM of its own to use it. */
	if (!p->kernel_has_kvm_intel && p->vmx_cleared)
		return refuse(why, -EPERM,
			"VT-x is locked off (IA32_FEAT_CTL): a kernel without CONFIG_KVM_INTEL does that by itself if the firmware left it open; boot one with CONFIG_KVM_INTEL, and if that does not help, enable VT-x in the firmware setup");
	return refuse(why, -EACCES,
		"VT-x is disabled by the firmware (IA32_FEAT_CTL is locked): enable it in the firmware setup and power-cycle");
}

/**
 * mvm_vmx_read_msrs() - the capability MSRs of this CPU
 * @m: filled
 * @read: reads one MSR; 0 for one that does not exist: it offers nothing
 *
 * SDM Vol. 3, "Reserved Controls and Default Settings" (2024: A.2): where the
 * TRUE MSRs exist, they say which controls of the class "default1" may be 0;
 * the older ones claim that none may. Each MSR is read only where another one
 * says that it exists.
 */
void mvm_vmx_read_msrs(struct mvm_vmx_msrs *m, u64 (*read)(u32 msr))
{
	bool true_controls;

	memset(m, 0, sizeof(*m));
	m->basic = read(VMX_MSR_BASIC);
	true_controls = m->basic & VMX_BASIC_TRUE_CONTROLS;
	m->pin = read(true_controls ? VMX_MSR_TRUE_PINBASED : VMX_MSR_PINBASED);
	m->cpu = read(true_controls ? VMX_MSR_TRUE_PROCBASED : VMX_MSR_PROCBASED);
	m->exit = read(true_controls ? VMX_MSR_TRUE_EXIT : VMX_MSR_EXIT);
	m->entry = read(true_controls ? VMX_MSR_TRUE_ENTRY : VMX_MSR_ENTRY);
	m->misc = read(VMX_MSR_MISC);
	m->cr0_fixed0 = read(VMX_MSR_CR0_FIXED0);
	m->cr0_fixed1 = read(VMX_MSR_CR0_FIXED1);
	m->cr4_fixed0 = read(VMX_MSR_CR4_FIXED0);
	m->cr4_fixed1 = read(VMX_MSR_CR4_FIXED1);
	if ((m->cpu >> 32) & VMX_CPU_SECONDARY)
		m->cpu2 = read(VMX_MSR_PROCBASED2);
	if ((m->cpu2 >> 32) & (VMX_CPU2_EPT | VMX_CPU2_VPID))
		m->ept_vpid = read(VMX_MSR_EPT_VPID);
}

/**
 * mvm_vmx_wish() - what do we ask of a control?
 * @word: the field that it is in
 * @bit: its number there
 * @reason: set to why, unless nothing is asked
 *
 * What mvm_vmx_negotiate() makes of it depends on the CPU and on options.
 *
 * Return: what is asked.
 */
enum mvm_wish mvm_vmx_wish(enum mvm_control_word word, unsigned int bit,
			   const char **reason)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requirements); i++) {
		if (requirements[i].word != word || requirements[i].bit != BIT(bit))
			continue;
		*reason = requirements[i].reason;
		return requirements[i].wish;
	}
	return MVM_WISH_NONE;
}

static u32 *word_of(struct mvm_vmx_capability *cap, enum mvm_control_word word)
{
	switch (word) {
	case PIN:
		return &cap->pin;
	case CPU:
		return &cap->cpu;
	case CPU2:
		return &cap->cpu2;
	case EXIT:
		return &cap->exit;
	default:
		return &cap->entry;
	}
}

/**
 * mvm_vmx_used() - a word of controls, as a new vCPU has it
 * @cap: the outcome of the negotiation
 * @word: which one
 *
 * Return: the controls; 0 for a word that we do not use.
 */
u32 mvm_vmx_used(const struct mvm_vmx_capability *cap, enum mvm_control_word word)
{
	switch (word) {
	case PIN:
		return cap->pin;
	case CPU:
		return cap->cpu;
	case CPU2:
		return cap->cpu2;
	case EXIT:
		return cap->exit;
	case ENTRY:
		return cap->entry;
	default:
		return 0;
	}
}

/**
 * mvm_vmx_negotiate() - hold our wishes against what the CPU allows
 * @msrs: the capability MSRs
 * @options: features that the administrator switched off
 * @cap: the outcome; undefined on error
 * @missing: on error, the SDM's name of what is missing
 * @reason: on error, what it is needed for
 *
 * Return: 0; -ENXIO without EPT, -ENODEV if anything else is missing.
 */
int mvm_vmx_negotiate(const struct mvm_vmx_msrs *msrs,
		      const struct mvm_vmx_options *options,
		      struct mvm_vmx_capability *cap, const char **missing,
		      const char **reason)
{
	const u64 allowed[MVM_NR_CONTROL_WORDS] = {
		[PIN] = msrs->pin, [CPU] = msrs->cpu, [CPU2] = msrs->cpu2,
		[EXIT] = msrs->exit, [ENTRY] = msrs->entry,
	};
	const u64 vpid_needs = VMX_VPID_CAP_INVVPID | VMX_VPID_CAP_ALL;
	unsigned int i;

	memset(cap, 0, sizeof(*cap));
	for (i = 0; i < ARRAY_SIZE(used_words); i++)
		*word_of(cap, used_words[i]) = (u32)allowed[used_words[i]];

	for (i = 0; i < ARRAY_SIZE(requirements); i++) {
		const struct requirement *r = &requirements[i];
		bool must = allowed[r->word] & r->bit;
		bool may = (allowed[r->word] >> 32) & r->bit;

		if ((r->wish == NEED && !may) || (r->wish == AVOID && must)) {
			*missing = mvm_control_name(r->word, __ffs(r->bit));
			*reason = r->reason;
			return r->word == CPU2 && r->bit == VMX_CPU2_EPT ? -ENXIO : -ENODEV;
		}
		if (r->wish != AVOID && may)
			*word_of(cap, r->word) |= r->bit;
	}
	/* Set for a 64-bit guest only, see mvm_vmx_set_efer(). */
	if (!((msrs->entry >> 32) & VMX_ENTRY_IA32E_MODE)) {
		*missing = "IA-32e mode guest";
		*reason = "64-bit guests";
		return -ENODEV;
	}
	if (!(msrs->basic & VMX_BASIC_INS_OUTS)) {
		*missing = "VM-exit instruction information for INS and OUTS";
		*reason = "the operand is found without decoding the instruction";
		return -ENODEV;
	}
	for (i = 0; i < ARRAY_SIZE(ept_requirements); i++) {
		if (msrs->ept_vpid & ept_requirements[i].bit)
			continue;
		*missing = ept_requirements[i].name;
		*reason = ept_requirements[i].reason;
		return -ENODEV;
	}

	/* A VPID that cannot be flushed is worse than none. */
	if (!options->vpid || (msrs->ept_vpid & vpid_needs) != vpid_needs)
		cap->cpu2 &= ~VMX_CPU2_VPID;
	if (!options->flexpriority)
		cap->cpu &= ~VMX_CPU_TPR_SHADOW;
	if (!(cap->cpu & VMX_CPU_TPR_SHADOW))
		cap->cpu2 &= ~(VMX_CPU2_X2APIC | VMX_CPU2_APIC_REGISTERS |
			       VMX_CPU2_INTERRUPT_DELIVERY);
	if (!options->apicv)
		cap->cpu2 &= ~VMX_CPU2_INTERRUPT_DELIVERY;
	if (!options->ple_gap)
		cap->cpu2 &= ~VMX_CPU2_PAUSE_LOOP;
	/* Stopping the counters without starting them again would lose them. */
	if (!(cap->exit & VMX_EXIT_LOAD_PERF) || !(cap->entry & VMX_ENTRY_LOAD_PERF)) {
		cap->exit &= ~VMX_EXIT_LOAD_PERF;
		cap->entry &= ~VMX_ENTRY_LOAD_PERF;
	}

	cap->revision = msrs->basic & VMX_BASIC_REVISION;
	cap->vmcs_size = (msrs->basic & VMX_BASIC_SIZE) >> 32;
	cap->cr0_fixed0 = msrs->cr0_fixed0 & ~CR0_PE_PG;
	cap->cr0_fixed1 = msrs->cr0_fixed1;
	cap->cr4_fixed0 = msrs->cr4_fixed0;
	cap->cr4_fixed1 = msrs->cr4_fixed1;
	cap->ept_2m = msrs->ept_vpid & VMX_EPT_CAP_2M;
	cap->ept_1g = msrs->ept_vpid & VMX_EPT_CAP_1G;
	cap->ept_ad = options->eptad && (msrs->ept_vpid & VMX_EPT_CAP_AD);
	/* It logs the pages whose dirty bit it sets. */
	if (!options->pml || !cap->ept_ad)
		cap->cpu2 &= ~VMX_CPU2_PML;
	cap->invept_single = msrs->ept_vpid & VMX_EPT_CAP_INVEPT_SINGLE;
	cap->invvpid_single = msrs->ept_vpid & VMX_VPID_CAP_SINGLE;
	cap->ple_gap = options->ple_gap;
	cap->ple_window = options->ple_window;
	return 0;
}
