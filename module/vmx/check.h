/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which rules of VM entry does this VMCS break? Pure C over an image of the
 * fields; the processor is not asked.
 */
#ifndef MVM_VMX_CHECK_H
#define MVM_VMX_CHECK_H

#include <linux/types.h>

#include "capability.h"
#include "field.h"

/* Controls that more than one file of the rules knows */
#define CPU_TERTIARY		BIT(17)
#define CPU2_VM_FUNCTIONS	BIT(13)
#define CPU2_SHADOWING		BIT(14)
#define EXIT_SECONDARY		BIT(31)
#define ENTRY_LOAD_RTIT		BIT(18)

/* A dense number for each field, in the order of the table */
#define VMCS_FIELD_INDEX(name, encoding, width, section, words)	\
	VMCS_INDEX_##name,
enum vmcs_index {
	VMCS_FIELDS(VMCS_FIELD_INDEX)
	VMCS_NR_FIELDS
};

/**
 * struct mvm_vmcs_image - the contents of a VMCS
 * @value: by enum vmcs_index; 0 for a field that the CPU does not have
 */
struct mvm_vmcs_image {
	u64 value[VMCS_NR_FIELDS];
};

/**
 * struct mvm_check_cpu - what the rules depend on besides the VMCS
 * @msrs: the capability MSRs
 * @vmfunc: IA32_VMX_VMFUNC; 0 without VM functions
 * @cpu3: IA32_VMX_PROCBASED_CTLS3; 0 without tertiary controls
 * @exit2: IA32_VMX_EXIT_CTLS2; 0 without secondary VM-exit controls
 * @perf_global: the bits of IA32_PERF_GLOBAL_CTRL that exist
 * @phys_bits: MAXPHYADDR
 * @linear_bits: width of linear addresses, 48 or 57
 * @sgx: the CPU has SGX
 * @rtm: the CPU has RTM
 * @tracing: Intel PT traces the host now
 * @current_vmcs: physical address of the VMCS
 * @peek: reads 8 bytes of physical memory, at a multiple of 8; returns false
 *	for memory that it does not know. NULL: the rules about the contents of
 *	memory are not checked
 */
struct mvm_check_cpu {
	const struct mvm_vmx_msrs *msrs;
	u64 vmfunc;
	u64 cpu3;
	u64 exit2;
	u64 perf_global;
	u8 phys_bits;
	u8 linear_bits;
	bool sgx;
	bool rtm;
	bool tracing;
	u64 current_vmcs;
	bool (*peek)(u64 address, u64 *value);
};

/* What happens at a VM entry that breaks a rule */
enum mvm_check_kind {
	MVM_CHECK_CONTROL,	/* VMfail, error 7 */
	MVM_CHECK_HOST,		/* VMfail, error 8 */
	MVM_CHECK_GUEST,	/* exit reason 33 */
	MVM_CHECK_MSR,		/* exit reason 34 */
};

/* Exit qualifications of reason 33, see mvm_check_finding */
enum {
	MVM_CHECK_QUAL_NONE	= 0,
	MVM_CHECK_QUAL_PDPTE	= 2,
	MVM_CHECK_QUAL_NMI	= 3,
	MVM_CHECK_QUAL_LINK	= 4,
};

/**
 * struct mvm_check_finding - one rule that is broken
 * @kind: what the processor does about it
 * @field: encoding of the field that the rule is about
 * @value: what it holds
 * @rule: the rule, in words
 * @section: the section of SDM Vol. 3 that has it, by title
 * @may: only some processors have the rule; the SDM allows both
 * @qualification: the exit qualification that says so, for reason 33 (SDM Vol.
 *	3, "VM-Entry Failures During or After Loading Guest State", 2024: 27.8)
 *	and for reason 34, where it is the number of the MSR in its list
 */
struct mvm_check_finding {
	enum mvm_check_kind kind;
	bool may;
	u32 qualification;
	u32 field;
	u64 value;
	const char *rule;
	const char *section;
};

/* Called for each finding */
typedef void (*mvm_check_report_fn)(void *ctx, const struct mvm_check_finding *f);

/**
 * struct mvm_check - one run over a VMCS
 * @vmcs: what is checked
 * @cpu: and against which CPU
 * @report: who wants to know
 * @ctx: handed to @report
 * @kind: of the rules that are being checked now
 * @may: whether they are rules of some processors only
 * @qualification: what the processor says when one is broken
 * @section: where they are from
 * @findings: how many so far
 */
struct mvm_check {
	const struct mvm_vmcs_image *vmcs;
	const struct mvm_check_cpu *cpu;
	mvm_check_report_fn report;
	void *ctx;
	enum mvm_check_kind kind;
	bool may;
	u32 qualification;
	const char *section;
	unsigned int findings;
};

/* The value of a field, and one rule about it. */
#define MVM_FIELD(name)		(c->vmcs->value[VMCS_INDEX_##name])
#define MVM_RULE(name, holds, words)					\
	mvm_check_rule(c, holds, VMCS_##name, MVM_FIELD(name), words)

/* The secondary controls, all 0 when they are not active */
static inline u64 mvm_check_secondary(const struct mvm_check *c)
{
	return MVM_FIELD(CPU_CONTROLS) & VMX_CPU_SECONDARY ?
		MVM_FIELD(CPU2_CONTROLS) : 0;
}

void mvm_check_rule(struct mvm_check *c, bool holds, u32 field, u64 value,
		    const char *words);
bool mvm_check_canonical(const struct mvm_check *c, u64 address);
bool mvm_check_pat(u64 value);
bool mvm_check_efer(u64 value);
bool mvm_check_cet(u64 value);
bool mvm_check_physical(const struct mvm_check *c, u64 address);
bool mvm_check_peek(const struct mvm_check *c, u64 address, u64 *value);
void mvm_check_controls(struct mvm_check *c);
void mvm_check_guest(struct mvm_check *c);
unsigned int mvm_check_vmcs(const struct mvm_vmcs_image *vmcs,
			    const struct mvm_check_cpu *cpu,
			    mvm_check_report_fn report, void *ctx);

/* check_cpu.c */
void mvm_check_this_cpu(struct mvm_check_cpu *cpu, const struct mvm_vmx_msrs *msrs);

#endif
