// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of VM entry: what all of them share, those for the host's state
 * (SDM Vol. 3, "Checks on VMX Controls and Host-State Area", 2024: 27.2.2 to
 * 27.2.4), and those for the MSRs that are loaded last. The rules for controls
 * are in check_control.c, those for the guest's state in check_guest.c.
 *
 * Each rule is one line: the field it is about, what must hold, and the words
 * for whoever broke it.
 */
#include <linux/kernel.h>

#include "check.h"

#define EXIT_LOAD_CET		BIT(28)
#define EXIT_LOAD_PKRS		BIT(29)

#define EFER_VALID		(BIT_ULL(0) | BIT_ULL(8) | BIT_ULL(10) | BIT_ULL(11))
#define EFER_LME_LMA		(BIT_ULL(8) | BIT_ULL(10))
#define CR4_PAE			BIT_ULL(5)
#define CR4_PCIDE		BIT_ULL(17)
#define CR4_CET			BIT_ULL(23)
#define CR0_WP			BIT_ULL(16)

/* The MSRs that the lists of VM entry may not have, or that have a form */
#define MSR_SMM_MONITOR_CTL	0x9b
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_PAT			0x277
#define MSR_LONG_STAR		0xc0000082
#define MSR_COMPAT_STAR		0xc0000083
#define MSR_FS			0xc0000100
#define MSR_GS			0xc0000101
#define MSR_KERNEL_GS		0xc0000102

void mvm_check_rule(struct mvm_check *c, bool holds, u32 field, u64 value,
		    const char *words)
{
	const struct mvm_check_finding finding = {
		.kind = c->kind, .field = field, .value = value,
		.rule = words, .section = c->section,
		.may = c->may, .qualification = c->qualification,
	};

	if (holds)
		return;
	c->findings++;
	c->report(c->ctx, &finding);
}

bool mvm_check_canonical(const struct mvm_check *c, u64 address)
{
	u8 above = 64 - c->cpu->linear_bits;

	return (u64)((s64)(address << above) >> above) == address;
}

/* SDM Vol. 3, "IA32_PAT MSR": the types 2 and 3 and all above 7 are reserved. */
bool mvm_check_pat(u64 value)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || (value & 0xfe) == 2)
			return false;
	return true;
}

/* SDM Vol. 3, "IA32_EFER": SCE, LME, LMA and NXE; the others are reserved. */
bool mvm_check_efer(u64 value)
{
	return !(value & ~EFER_VALID);
}

/* SDM Vol. 1, "CET MSRs": IA32_S_CET; SUPPRESS and TRACKER exclude each other. */
bool mvm_check_cet(u64 value)
{
	return !(value & GENMASK_ULL(9, 6)) && (value & GENMASK_ULL(11, 10)) != GENMASK_ULL(11, 10);
}

bool mvm_check_physical(const struct mvm_check *c, u64 address)
{
	return !(address >> c->cpu->phys_bits);
}

bool mvm_check_peek(const struct mvm_check *c, u64 address, u64 *value)
{
	return !(address & 7) && c->cpu->peek && c->cpu->peek(address, value);
}

static void check_host_registers(struct mvm_check *c)
{
	const struct mvm_vmx_msrs *msrs = c->cpu->msrs;
	u64 cr0 = MVM_FIELD(HOST_CR0), cr4 = MVM_FIELD(HOST_CR4);
	u64 efer = MVM_FIELD(HOST_EFER), exit = MVM_FIELD(EXIT_CONTROLS);
	u64 lme_lma = exit & VMX_EXIT_HOST_64BIT ? EFER_LME_LMA : 0;

	c->section = "Checks on Host Control Registers, MSRs, and SSP";
	MVM_RULE(HOST_CR0, (cr0 & msrs->cr0_fixed0) == msrs->cr0_fixed0 &&
		 !(cr0 & ~msrs->cr0_fixed1), "a bit is not as IA32_VMX_CR0_FIXED allows");
	MVM_RULE(HOST_CR4, (cr4 & msrs->cr4_fixed0) == msrs->cr4_fixed0 &&
		 !(cr4 & ~msrs->cr4_fixed1), "a bit is not as IA32_VMX_CR4_FIXED allows");
	MVM_RULE(HOST_CR4, !(cr4 & CR4_CET) || cr0 & CR0_WP, "CET needs CR0.WP");
	MVM_RULE(HOST_CR3, mvm_check_physical(c, MVM_FIELD(HOST_CR3)),
		 "it must not exceed the physical-address width");
	MVM_RULE(HOST_SYSENTER_ESP, mvm_check_canonical(c, MVM_FIELD(HOST_SYSENTER_ESP)),
		 "it must be canonical");
	MVM_RULE(HOST_SYSENTER_EIP, mvm_check_canonical(c, MVM_FIELD(HOST_SYSENTER_EIP)),
		 "it must be canonical");
	if (exit & VMX_EXIT_LOAD_PERF)
		MVM_RULE(HOST_PERF_GLOBAL_CTRL,
			 !(MVM_FIELD(HOST_PERF_GLOBAL_CTRL) & ~c->cpu->perf_global),
			 "a bit is set for a counter that the CPU does not have");
	if (exit & VMX_EXIT_LOAD_PAT)
		MVM_RULE(HOST_PAT, mvm_check_pat(MVM_FIELD(HOST_PAT)),
			 "each byte must be 0, 1, 4, 5, 6 or 7");
	if (exit & VMX_EXIT_LOAD_EFER) {
		MVM_RULE(HOST_EFER, mvm_check_efer(efer), "a reserved bit is set");
		MVM_RULE(HOST_EFER, (efer & EFER_LME_LMA) == lme_lma,
			 "LME and LMA must be as host address-space size");
	}
	if (exit & EXIT_LOAD_CET) {
		MVM_RULE(HOST_S_CET, mvm_check_canonical(c, MVM_FIELD(HOST_S_CET)) &&
			 mvm_check_cet(MVM_FIELD(HOST_S_CET)),
			 "it must be canonical, with no reserved bit set and not both bits 11:10");
		MVM_RULE(HOST_SSP, mvm_check_canonical(c, MVM_FIELD(HOST_SSP)) &&
			 !(MVM_FIELD(HOST_SSP) & 3), "it must be canonical and a multiple of 4");
		MVM_RULE(HOST_SSP_TABLE, mvm_check_canonical(c, MVM_FIELD(HOST_SSP_TABLE)),
			 "it must be canonical");
	}
	if (exit & EXIT_LOAD_PKRS)
		MVM_RULE(HOST_PKRS, !(MVM_FIELD(HOST_PKRS) >> 32), "bits 63:32 must be 0");
}

static void check_host_segments(struct mvm_check *c)
{
	c->section = "Checks on Host Segment and Descriptor-Table Registers";
#define HOST_SELECTOR(name)						\
	MVM_RULE(HOST_##name##_SELECTOR, !(MVM_FIELD(HOST_##name##_SELECTOR) & 7), \
		 "RPL (bits 1:0) and TI (bit 2) must be 0")
	HOST_SELECTOR(CS);
	HOST_SELECTOR(SS);
	HOST_SELECTOR(DS);
	HOST_SELECTOR(ES);
	HOST_SELECTOR(FS);
	HOST_SELECTOR(GS);
	HOST_SELECTOR(TR);
	MVM_RULE(HOST_CS_SELECTOR, MVM_FIELD(HOST_CS_SELECTOR), "it must not be null");
	MVM_RULE(HOST_TR_SELECTOR, MVM_FIELD(HOST_TR_SELECTOR), "it must not be null");
	MVM_RULE(HOST_SS_SELECTOR, MVM_FIELD(HOST_SS_SELECTOR) ||
		 MVM_FIELD(EXIT_CONTROLS) & VMX_EXIT_HOST_64BIT,
		 "it must not be null for a host that is not 64-bit");
#define HOST_BASE(name)							\
	MVM_RULE(HOST_##name##_BASE, mvm_check_canonical(c, MVM_FIELD(HOST_##name##_BASE)), \
		 "it must be canonical")
	HOST_BASE(FS);
	HOST_BASE(GS);
	HOST_BASE(TR);
	HOST_BASE(GDTR);
	HOST_BASE(IDTR);
}

/* We are in IA-32e mode when we enter a guest, which makes the first rule. */
static void check_address_space(struct mvm_check *c)
{
	u64 cr4 = MVM_FIELD(HOST_CR4), rip = MVM_FIELD(HOST_RIP);

	c->section = "Checks Related to Address-Space Size";
	MVM_RULE(EXIT_CONTROLS, MVM_FIELD(EXIT_CONTROLS) & VMX_EXIT_HOST_64BIT,
		 "host address-space size must be 1 when the entry is from IA-32e mode");
	if (MVM_FIELD(EXIT_CONTROLS) & VMX_EXIT_HOST_64BIT) {
		MVM_RULE(HOST_CR4, cr4 & CR4_PAE, "PAE must be 1 for a 64-bit host");
		MVM_RULE(HOST_RIP, mvm_check_canonical(c, rip), "it must be canonical");
	} else {
		MVM_RULE(ENTRY_CONTROLS, !(MVM_FIELD(ENTRY_CONTROLS) & VMX_ENTRY_IA32E_MODE),
			 "IA-32e mode guest needs host address-space size");
		MVM_RULE(HOST_CR4, !(cr4 & CR4_PCIDE), "PCIDE needs a 64-bit host");
		MVM_RULE(HOST_RIP, !(rip >> 32), "outside a 64-bit host, bits 63:32 must be 0");
	}
}

/*
 * Whether WRMSR would take the value, as far as the architecture says it. SDM
 * Vol. 2, "WRMSR", and Vol. 4.
 */
static bool loadable(const struct mvm_check *c, u32 msr, u64 value)
{
	switch (msr) {
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
	case MSR_LONG_STAR:
	case MSR_COMPAT_STAR:
	case MSR_KERNEL_GS:
		return mvm_check_canonical(c, value);
	case MSR_PAT:
		return mvm_check_pat(value);
	}
	return true;
}

/*
 * SDM Vol. 3, "Loading MSRs" (2024: 27.4). The processor takes one after the
 * other and stops at the first that it cannot load; so do we.
 */
static void check_msr_load(struct mvm_check *c)
{
	u64 address = MVM_FIELD(ENTRY_MSR_LOAD_ADDRESS), index, value;
	unsigned int findings = c->findings;
	u32 msr;

	c->section = "Loading MSRs";
	for (c->qualification = 1; c->qualification <= MVM_FIELD(ENTRY_MSR_LOAD_COUNT);
	     c->qualification++, address += 16) {
		if (!mvm_check_peek(c, address, &index) ||
		    !mvm_check_peek(c, address + 8, &value))
			return;
		msr = index;
		MVM_RULE(ENTRY_MSR_LOAD_ADDRESS, !(index >> 32),
			 "bits 63:32 of an entry are reserved");
		MVM_RULE(ENTRY_MSR_LOAD_ADDRESS, msr != MSR_FS && msr != MSR_GS,
			 "the bases of FS and GS are no MSRs for the list");
		MVM_RULE(ENTRY_MSR_LOAD_ADDRESS, msr >> 8 != 8,
			 "the x2APIC's MSRs are none for the list");
		MVM_RULE(ENTRY_MSR_LOAD_ADDRESS, msr != MSR_SMM_MONITOR_CTL,
			 "IA32_SMM_MONITOR_CTL can be written in SMM only");
		MVM_RULE(ENTRY_MSR_LOAD_ADDRESS, index >> 32 || loadable(c, msr, value),
			 "an MSR does not take its value");
		if (c->findings != findings)
			return;
	}
}

/**
 * mvm_check_vmcs() - find every rule of VM entry that a VMCS breaks
 * @vmcs: its contents
 * @cpu: what the rules depend on besides
 * @report: called for each finding
 * @ctx: handed to @report
 *
 * The processor stops at the first rule that is broken, in an order of its own;
 * it looks at the guest's state only when controls and host state are good, and
 * loads MSRs only when the guest's state is. Here all rules are looked at.
 *
 * Not checked, because we know too little: the bits of IA32_DEBUGCTL,
 * IA32_RTIT_CTL and IA32_LBR_CTL that only some CPUs have; the prefix size of
 * HLAT; FRED's fields; and whether WRMSR takes a value for an MSR that is not in
 * loadable().
 *
 * Return: how many findings there were.
 */
unsigned int mvm_check_vmcs(const struct mvm_vmcs_image *vmcs,
			    const struct mvm_check_cpu *cpu,
			    mvm_check_report_fn report, void *ctx)
{
	struct mvm_check check = {
		.vmcs = vmcs, .cpu = cpu, .report = report, .ctx = ctx,
	};

	check.kind = MVM_CHECK_CONTROL;
	mvm_check_controls(&check);
	check.kind = MVM_CHECK_HOST;
	check_host_registers(&check);
	check_host_segments(&check);
	check_address_space(&check);
	check.kind = MVM_CHECK_GUEST;
	mvm_check_guest(&check);
	check.kind = MVM_CHECK_MSR;
	check_msr_load(&check);
	return check.findings;
}
