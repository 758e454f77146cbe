// SPDX-License-Identifier: GPL-2.0
/*
 * What Bochs is known to do otherwise than the SDM says. Each row is a line of
 * the table in Documentation/entry-checks.rst. A row that no mutation met is
 * reported, so that none outlives its bug.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "entry.h"

#define PIN_POSTED_INTERRUPTS	BIT(7)
#define CPU_TPR_SHADOW		BIT(21)
#define ENTRY_DUAL_MONITOR	BIT(11)
#define RFLAGS_VM		BIT_ULL(17)

/*
 * A rule that Bochs does not have, or has only when @when says so: the finding
 * about @field (0: any) of which the words begin with @rule. With @otherwise Bochs
 * fails the entry for it, but as if it were of @kind, with no qualification.
 * With @extra there is no such rule: Bochs has one of its own, which @when says
 * to be broken. @since and @until: the
 * first and the last version with the bug, 27 for 2.7.
 */
struct quirk {
	const char *words;
	u32 field;
	const char *rule;
	bool (*when)(const struct entry_case *e, const struct mvm_check_finding *f);
	bool otherwise;
	enum mvm_check_kind kind;
	bool extra;
	int since, until;
};

static bool pending_high(const struct entry_case *e, const struct mvm_check_finding *f)
{
	return !((u32)FIELD(e, GUEST_PENDING_DEBUG) & 0xffffaff0);
}

static bool not_dual_monitor(const struct entry_case *e,
			     const struct mvm_check_finding *f)
{
	return !(FIELD(e, ENTRY_CONTROLS) & ENTRY_DUAL_MONITOR);
}

static bool vector_of_mc(const struct entry_case *e, const struct mvm_check_finding *f)
{
	return (FIELD(e, ENTRY_EVENT) & VMX_EVENT_VECTOR) == VMX_VECTOR_MC;
}

static bool null_in_64_bit(const struct entry_case *e,
			   const struct mvm_check_finding *f)
{
	return FIELD(e, ENTRY_CONTROLS) & VMX_ENTRY_IA32E_MODE &&
	       FIELD(e, GUEST_CS_ACCESS_RIGHTS) & VMX_AR_L &&
	       !(FIELD(e, GUEST_SS_SELECTOR) & 0xfffc);
}

static unsigned int type_of(u64 rights)
{
	return rights & VMX_AR_TYPE;
}

static u64 dpl_of(u64 rights)
{
	return (rights & VMX_AR_DPL_MASK) >> 5;
}

static bool cs_not_its_rpl(const struct entry_case *e,
			   const struct mvm_check_finding *f)
{
	u64 cs = FIELD(e, GUEST_CS_ACCESS_RIGHTS), rpl = FIELD(e, GUEST_CS_SELECTOR) & 3;

	if (FIELD(e, GUEST_RFLAGS) & RFLAGS_VM)
		return false;
	switch (type_of(cs)) {
	case 9:
	case 11:
		return dpl_of(cs) != rpl;
	case 13:
	case 15:
		return dpl_of(cs) > rpl;
	}
	return false;
}

static bool no_tpr_shadow(const struct entry_case *e, const struct mvm_check_finding *f)
{
	return !(FIELD(e, CPU_CONTROLS) & CPU_TPR_SHADOW);
}

static bool descriptor_in_page(const struct entry_case *e,
			       const struct mvm_check_finding *f)
{
	return FIELD(e, PIN_CONTROLS) & PIN_POSTED_INTERRUPTS &&
	       FIELD(e, CPU_CONTROLS) & CPU_TPR_SHADOW &&
	       FIELD(e, POSTED_INTERRUPT_DESCRIPTOR) & 0xfc0;
}

static bool readable_code(const struct entry_case *e, const struct mvm_check_finding *f)
{
	return type_of(f->value) == 11;
}

static const struct quirk quirks[] = {
	{ .words = "IA32_DEBUGCTL: reserved bits are not checked",
	  .field = VMCS_GUEST_DEBUGCTL, .rule = "a reserved bit" },
	{ .words = "RIP in 64-bit code: bits 63:48 are not checked",
	  .field = VMCS_GUEST_RIP, .rule = "in 64-bit code" },
	{ .words = "CR0.PG in IA-32e mode is not checked",
	  .field = VMCS_GUEST_CR0, .rule = "IA-32e mode needs PG" },
	{ .words = "pending debug exceptions: bits 63:32 are not looked at",
	  .field = VMCS_GUEST_PENDING_DEBUG, .rule = "a reserved bit", .when = pending_high },
	{ .words = "pending debug exceptions: BS is not held against TF, BTF and blocking",
	  .field = VMCS_GUEST_PENDING_DEBUG, .rule = "BS (bit 14)" },
	{ .words = "entry to SMM outside SMM fails with reason 33, not error 7",
	  .field = VMCS_ENTRY_CONTROLS, .rule = "entry to SMM", .when = not_dual_monitor,
	  .otherwise = true, .kind = MVM_CHECK_GUEST },
	{ .words = "NMI while STI blocks: fails with qualification 0, not 3",
	  .field = VMCS_GUEST_INTERRUPTIBILITY, .rule = "some CPUs inject no NMI",
	  .otherwise = true, .kind = MVM_CHECK_GUEST },
	{ .words = "virtual NMIs: an NMI is injected while NMIs are blocked",
	  .field = VMCS_GUEST_INTERRUPTIBILITY, .rule = "with virtual NMIs" },
	{ .words = "HLT: any event is injected",
	  .field = VMCS_GUEST_ACTIVITY, .rule = "this event cannot be injected in HLT" },
	{ .words = "shutdown: any event with the vector of #MC is injected",
	  .field = VMCS_GUEST_ACTIVITY, .rule = "only NMI and #MC", .when = vector_of_mc },
	{ .words = "SS with a null selector in 64-bit code: type is not checked",
	  .field = VMCS_GUEST_SS_ACCESS_RIGHTS, .rule = "the type must be",
	  .when = null_in_64_bit },
	{ .words = "SS with a null selector in 64-bit code: S is not checked",
	  .field = VMCS_GUEST_SS_ACCESS_RIGHTS, .rule = "S (bit 4)", .when = null_in_64_bit },
	{ .words = "SS with a null selector in 64-bit code: P is not checked",
	  .field = VMCS_GUEST_SS_ACCESS_RIGHTS, .rule = "P (bit 7)", .when = null_in_64_bit },
	{ .words = "SS with a null selector in 64-bit code: reserved bits are not checked",
	  .field = VMCS_GUEST_SS_ACCESS_RIGHTS, .rule = "bits 11:8", .when = null_in_64_bit },
	{ .words = "SS with a null selector in 64-bit code: G and limit are not checked",
	  .field = VMCS_GUEST_SS_ACCESS_RIGHTS, .rule = "G (bit 15)", .when = null_in_64_bit },
	{ .words = "SS with a null selector in 64-bit code: base is not checked",
	  .field = VMCS_GUEST_SS_BASE, .rule = "bits 63:32", .when = null_in_64_bit },
	{ .words = "MSR lists: IA32_SMM_MONITOR_CTL is ignored",
	  .field = VMCS_ENTRY_MSR_LOAD_ADDRESS, .rule = "IA32_SMM_MONITOR_CTL" },
	{ .words = "3.0: posted interrupts without TPR shadow: delivery is not checked",
	  .rule = "process posted interrupts needs virtual", .when = no_tpr_shadow, .since = 28 },
	{ .words = "3.0: posted interrupts without TPR shadow: the vector is not checked",
	  .field = VMCS_POSTED_INTERRUPT_VECTOR, .rule = "", .when = no_tpr_shadow, .since = 28 },
	{ .words = "3.0: posted interrupts without TPR shadow: the descriptor is not checked",
	  .field = VMCS_POSTED_INTERRUPT_DESCRIPTOR, .rule = "", .when = no_tpr_shadow,
	  .since = 28 },
	{ .words = "3.0: the posted-interrupt descriptor must be a multiple of 4096, not 64",
	  .extra = true, .kind = MVM_CHECK_CONTROL, .when = descriptor_in_page, .since = 28 },
	{ .words = "2.7: the DPL of non-conforming CS is not held against that of SS",
	  .field = VMCS_GUEST_CS_ACCESS_RIGHTS, .rule = "non-conforming code", .until = 27 },
	{ .words = "2.7: the DPL of conforming CS is not held against that of SS",
	  .field = VMCS_GUEST_CS_ACCESS_RIGHTS, .rule = "conforming code", .until = 27 },
	{ .words = "2.7: DS, ES, FS, GS with code of type 11: DPL is not held against RPL",
	  .rule = "the DPL must not be below", .when = readable_code, .until = 27 },
	{ .words = "2.7: the DPL of CS is held against the RPL of its selector",
	  .extra = true, .kind = MVM_CHECK_GUEST, .when = cs_not_its_rpl, .until = 27 },
};

u64 entry_quirk_hits[64];

unsigned int entry_nr_quirks(void)
{
	return ARRAY_SIZE(quirks);
}

bool entry_quirk_in(unsigned int n, int version)
{
	return version >= quirks[n].since &&
	       (!quirks[n].until || version <= quirks[n].until);
}

const char *entry_quirk_words(unsigned int n)
{
	return quirks[n].words;
}

static bool matches(const struct quirk *q, const struct entry_case *e,
		    const struct mvm_check_finding *f, int version)
{
	return !q->extra && entry_quirk_in(q - quirks, version) &&
	       (!q->field || q->field == f->field) &&
	       !strncmp(f->rule, q->rule, strlen(q->rule)) && (!q->when || q->when(e, f));
}

/**
 * entry_as_bochs() - make Bochs's findings out of the SDM's
 * @e: the case
 * @version: of Bochs, 27 for 2.7
 * @f: what check.c found; left: what Bochs would find
 * @used: set to which rows mattered, a bit each
 */
void entry_as_bochs(const struct entry_case *e, int version, struct entry_findings *f,
		    u64 *used)
{
	struct mvm_check_finding finding;
	unsigned int i, q, left = 0;

	*used = 0;
	for (i = 0; i < f->n; i++) {
		finding = f->list[i];
		for (q = 0; q < ARRAY_SIZE(quirks); q++)
			if (matches(&quirks[q], e, &finding, version))
				break;
		if (q < ARRAY_SIZE(quirks)) {
			*used |= BIT_ULL(q);
			if (!quirks[q].otherwise)
				continue;
			finding.kind = quirks[q].kind;
			finding.may = false;
			finding.qualification = MVM_CHECK_QUAL_NONE;
		}
		f->list[left++] = finding;
	}
	for (q = 0; q < ARRAY_SIZE(quirks) && left < MAX_FINDINGS; q++) {
		if (!quirks[q].extra || !entry_quirk_in(q, version) || !quirks[q].when(e, NULL))
			continue;
		*used |= BIT_ULL(q);
		f->list[left++] = (struct mvm_check_finding) {
			.kind = quirks[q].kind, .rule = quirks[q].words,
		};
	}
	f->n = left;
}
