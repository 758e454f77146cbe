// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of VM entry for the guest's state. SDM Vol. 3, "Checks on the
 * Guest State Area" (2024: 27.3.1).
 */
#include <linux/kernel.h>

#include "check.h"

#define ENTRY_LOAD_BNDCFGS	BIT(16)
#define ENTRY_LOAD_UINV		BIT(19)
#define ENTRY_LOAD_CET		BIT(20)
#define ENTRY_LOAD_LBR		BIT(21)
#define ENTRY_LOAD_PKRS		BIT(22)

#define CR0_PE		BIT_ULL(0)
#define CR0_WP		BIT_ULL(16)
#define CR0_NW		BIT_ULL(29)
#define CR0_CD		BIT_ULL(30)
#define CR0_PG		BIT_ULL(31)
#define CR4_PAE		BIT_ULL(5)
#define CR4_PCIDE	BIT_ULL(17)
#define CR4_CET		BIT_ULL(23)
#define EFER_LME	BIT_ULL(8)
#define EFER_LMA	BIT_ULL(10)
#define RFLAGS_TF	BIT_ULL(8)
#define RFLAGS_IF	BIT_ULL(9)
#define RFLAGS_VM	BIT_ULL(17)
#define DEBUGCTL_BTF	BIT_ULL(1)
/* Reserved on every CPU; which of the others exist depends on its model */
#define DEBUGCTL_RESERVED	(GENMASK_ULL(5, 3) | GENMASK_ULL(63, 16))
#define RTIT_RESERVED							\
	(BIT_ULL(18) | BIT_ULL(23) | GENMASK_ULL(30, 28) | GENMASK_ULL(54, 48) | \
	 GENMASK_ULL(63, 57))
#define LBR_RESERVED	(GENMASK_ULL(15, 4) | GENMASK_ULL(63, 23))
#define BLOCKING_SMI	BIT(2)
#define BLOCKING_ENCLAVE	BIT(4)
#define PENDING_ENABLED	BIT_ULL(12)
#define PENDING_BS	BIT_ULL(14)
#define PENDING_RTM	BIT_ULL(16)
#define PENDING_RESERVED						\
	(GENMASK_ULL(11, 4) | BIT_ULL(13) | BIT_ULL(15) | GENMASK_ULL(63, 17))

#define AR_RESERVED	(GENMASK_ULL(11, 8) | GENMASK_ULL(31, 17))
#define AR_VM86		0xf3

/* What most of the rules depend on */
struct state {
	bool ia32e;
	bool unrestricted;
	bool vm86;
};

static struct state state_of(const struct mvm_check *c)
{
	return (struct state) {
		.ia32e = MVM_FIELD(ENTRY_CONTROLS) & VMX_ENTRY_IA32E_MODE,
		.unrestricted = mvm_check_secondary(c) & VMX_CPU2_UNRESTRICTED_GUEST,
		.vm86 = MVM_FIELD(GUEST_RFLAGS) & RFLAGS_VM,
	};
}

static void check_control_registers(struct mvm_check *c, const struct state *s)
{
	const struct mvm_vmx_msrs *msrs = c->cpu->msrs;
	u64 cr0 = MVM_FIELD(GUEST_CR0), cr4 = MVM_FIELD(GUEST_CR4);
	/* CD and NW are not loaded by VM entry, and not looked at. */
	u64 must = msrs->cr0_fixed0 & ~(CR0_NW | CR0_CD);
	u64 may = msrs->cr0_fixed1 | CR0_NW | CR0_CD;

	if (s->unrestricted)
		must &= ~(CR0_PE | CR0_PG);
	MVM_RULE(GUEST_CR0, (cr0 & must) == must && !(cr0 & ~may),
		 "a bit is not as IA32_VMX_CR0_FIXED allows");
	MVM_RULE(GUEST_CR0, !(cr0 & CR0_PG) || cr0 & CR0_PE, "PG needs PE");
	MVM_RULE(GUEST_CR4, (cr4 & msrs->cr4_fixed0) == msrs->cr4_fixed0 &&
		 !(cr4 & ~msrs->cr4_fixed1), "a bit is not as IA32_VMX_CR4_FIXED allows");
	MVM_RULE(GUEST_CR4, !(cr4 & CR4_CET) || cr0 & CR0_WP, "CET needs CR0.WP");
	if (s->ia32e) {
		MVM_RULE(GUEST_CR0, cr0 & CR0_PG, "IA-32e mode needs PG");
		MVM_RULE(GUEST_CR4, cr4 & CR4_PAE, "IA-32e mode needs PAE");
	} else {
		MVM_RULE(GUEST_CR4, !(cr4 & CR4_PCIDE), "PCIDE needs IA-32e mode");
	}
	MVM_RULE(GUEST_CR3, mvm_check_physical(c, MVM_FIELD(GUEST_CR3)),
		 "it must not exceed the physical-address width");
}

static void check_msrs(struct mvm_check *c, const struct state *s)
{
	u64 entry = MVM_FIELD(ENTRY_CONTROLS), efer = MVM_FIELD(GUEST_EFER);

	if (entry & VMX_ENTRY_LOAD_DEBUG) {
		MVM_RULE(GUEST_DR7, !(MVM_FIELD(GUEST_DR7) >> 32), "bits 63:32 must be 0");
		MVM_RULE(GUEST_DEBUGCTL, !(MVM_FIELD(GUEST_DEBUGCTL) & DEBUGCTL_RESERVED),
			 "a reserved bit is set");
	}
	if (entry & VMX_ENTRY_LOAD_PERF)
		MVM_RULE(GUEST_PERF_GLOBAL_CTRL,
			 !(MVM_FIELD(GUEST_PERF_GLOBAL_CTRL) & ~c->cpu->perf_global),
			 "a bit is set for a counter that the CPU does not have");
	MVM_RULE(GUEST_SYSENTER_ESP, mvm_check_canonical(c, MVM_FIELD(GUEST_SYSENTER_ESP)),
		 "it must be canonical");
	MVM_RULE(GUEST_SYSENTER_EIP, mvm_check_canonical(c, MVM_FIELD(GUEST_SYSENTER_EIP)),
		 "it must be canonical");
	if (entry & VMX_ENTRY_LOAD_PAT)
		MVM_RULE(GUEST_PAT, mvm_check_pat(MVM_FIELD(GUEST_PAT)),
			 "each byte must be 0, 1, 4, 5, 6 or 7");
	if (entry & VMX_ENTRY_LOAD_EFER) {
		MVM_RULE(GUEST_EFER, mvm_check_efer(efer), "a reserved bit is set");
		MVM_RULE(GUEST_EFER, !!(efer & EFER_LMA) == s->ia32e,
			 "LMA must be as the control IA-32e mode guest");
		MVM_RULE(GUEST_EFER, !(MVM_FIELD(GUEST_CR0) & CR0_PG) ||
			 !!(efer & EFER_LMA) == !!(efer & EFER_LME),
			 "with paging on, LMA and LME must be equal");
	}
	if (entry & ENTRY_LOAD_BNDCFGS)
		MVM_RULE(GUEST_BNDCFGS, !(MVM_FIELD(GUEST_BNDCFGS) & GENMASK_ULL(11, 2)) &&
			 mvm_check_canonical(c, MVM_FIELD(GUEST_BNDCFGS)),
			 "bits 11:2 are reserved, and the address must be canonical");
	if (entry & ENTRY_LOAD_RTIT)
		MVM_RULE(GUEST_RTIT_CTL, !(MVM_FIELD(GUEST_RTIT_CTL) & RTIT_RESERVED),
			 "a reserved bit is set");
	if (entry & ENTRY_LOAD_LBR)
		MVM_RULE(GUEST_LBR_CTL, !(MVM_FIELD(GUEST_LBR_CTL) & LBR_RESERVED),
			 "a reserved bit is set");
	if (entry & ENTRY_LOAD_UINV)
		MVM_RULE(GUEST_UINV, MVM_FIELD(GUEST_UINV) < 256, "bits 15:8 must be 0");
	if (entry & ENTRY_LOAD_CET) {
		MVM_RULE(GUEST_S_CET, mvm_check_canonical(c, MVM_FIELD(GUEST_S_CET)) &&
			 mvm_check_cet(MVM_FIELD(GUEST_S_CET)),
			 "it must be canonical, with no reserved bit set and not both bits 11:10");
		MVM_RULE(GUEST_SSP_TABLE, mvm_check_canonical(c, MVM_FIELD(GUEST_SSP_TABLE)),
			 "it must be canonical");
	}
	if (entry & ENTRY_LOAD_PKRS)
		MVM_RULE(GUEST_PKRS, !(MVM_FIELD(GUEST_PKRS) >> 32), "bits 63:32 must be 0");
}

/* One segment's fields together, with their encodings for the report */
struct segment {
	u32 selector_field, base_field, limit_field, ar_field;
	u64 selector, base, limit, ar;
};

#define SEGMENT(name)							\
	((struct segment) {						\
		VMCS_GUEST_##name##_SELECTOR, VMCS_GUEST_##name##_BASE,	\
		VMCS_GUEST_##name##_LIMIT, VMCS_GUEST_##name##_ACCESS_RIGHTS, \
		MVM_FIELD(GUEST_##name##_SELECTOR), MVM_FIELD(GUEST_##name##_BASE), \
		MVM_FIELD(GUEST_##name##_LIMIT), MVM_FIELD(GUEST_##name##_ACCESS_RIGHTS), \
	})

#define SELECTOR_RULE(s, holds, words)	\
	mvm_check_rule(c, holds, (s)->selector_field, (s)->selector, words)
#define BASE_RULE(s, holds, words)	\
	mvm_check_rule(c, holds, (s)->base_field, (s)->base, words)
#define LIMIT_RULE(s, holds, words)	\
	mvm_check_rule(c, holds, (s)->limit_field, (s)->limit, words)
#define AR_RULE(s, holds, words)	\
	mvm_check_rule(c, holds, (s)->ar_field, (s)->ar, words)

static bool usable(const struct segment *s)
{
	return !(s->ar & VMX_AR_UNUSABLE);
}

static u64 type_of(const struct segment *s)
{
	return s->ar & VMX_AR_TYPE;
}

static u64 dpl_of(const struct segment *s)
{
	return (s->ar & VMX_AR_DPL_MASK) >> 5;
}

static u64 rpl_of(const struct segment *s)
{
	return s->selector & 3;
}

/* The rules that all usable segments share, system ones too */
static void check_descriptor(struct mvm_check *c, const struct segment *s, bool system)
{
	AR_RULE(s, !!(s->ar & VMX_AR_S) != system,
		system ? "S (bit 4) must be 0" : "S (bit 4) must be 1");
	AR_RULE(s, s->ar & VMX_AR_P, "P (bit 7) must be 1");
	AR_RULE(s, !(s->ar & AR_RESERVED), "bits 11:8 and 31:17 are reserved");
	AR_RULE(s, (s->limit & 0xfff) == 0xfff || !(s->ar & VMX_AR_G),
		"G (bit 15) must be 0 for a limit whose low 12 bits are not all 1");
	AR_RULE(s, !(s->limit & 0xfff00000) || s->ar & VMX_AR_G,
		"G (bit 15) must be 1 for a limit of 1 MiB or more");
}

static void check_vm86_segment(struct mvm_check *c, const struct segment *s)
{
	BASE_RULE(s, s->base == s->selector << 4,
		  "in virtual-8086 mode it must be the selector times 16");
	LIMIT_RULE(s, s->limit == 0xffff, "in virtual-8086 mode it must be 0xffff");
	AR_RULE(s, s->ar == AR_VM86, "in virtual-8086 mode they must be 0xf3");
}

/* No rule is about bit 16: CS is checked as if it were usable, whatever that says. */
static void check_cs(struct mvm_check *c, const struct state *s,
		     const struct segment *cs, const struct segment *ss)
{
	u64 type = type_of(cs);

	BASE_RULE(cs, !(cs->base >> 32), "bits 63:32 must be 0");
	AR_RULE(cs, (type & 9) == 9 || (s->unrestricted && type == 3),
		"the type must be accessed code (or 3 for an unrestricted guest)");
	if (type == 3)
		AR_RULE(cs, dpl_of(cs) == 0, "with type 3 the DPL must be 0");
	else if (type == 9 || type == 11)
		AR_RULE(cs, dpl_of(cs) == dpl_of(ss),
			"non-conforming code must have the DPL of SS");
	else if (type == 13 || type == 15)
		AR_RULE(cs, dpl_of(cs) <= dpl_of(ss),
			"conforming code must not have a DPL above that of SS");
	AR_RULE(cs, !s->ia32e || !(cs->ar & VMX_AR_L) || !(cs->ar & VMX_AR_DB),
		"D/B (bit 14) must be 0 in 64-bit code");
	check_descriptor(c, cs, false);
}

static void check_ss(struct mvm_check *c, const struct state *s,
		     const struct segment *ss, const struct segment *cs)
{
	if (!s->unrestricted) {
		SELECTOR_RULE(ss, rpl_of(ss) == rpl_of(cs), "the RPL must be that of CS");
		AR_RULE(ss, dpl_of(ss) == rpl_of(ss), "the DPL must be the RPL of the selector");
	}
	AR_RULE(ss, dpl_of(ss) == 0 ||
		(type_of(cs) != 3 && MVM_FIELD(GUEST_CR0) & CR0_PE),
		"the DPL must be 0 in real mode and when CS has type 3");
	if (!usable(ss))
		return;
	BASE_RULE(ss, !(ss->base >> 32), "bits 63:32 must be 0");
	AR_RULE(ss, type_of(ss) == 3 || type_of(ss) == 7,
		"the type must be accessed, writable data");
	check_descriptor(c, ss, false);
}

static void check_data(struct mvm_check *c, const struct state *s,
		       const struct segment *d, bool long_base)
{
	u64 type = type_of(d);

	if (long_base)
		BASE_RULE(d, mvm_check_canonical(c, d->base), "it must be canonical");
	if (!usable(d))
		return;
	if (!long_base)
		BASE_RULE(d, !(d->base >> 32), "bits 63:32 must be 0");
	AR_RULE(d, type & 1, "the type must be accessed (bit 0)");
	AR_RULE(d, !(type & 8) || type & 2, "code must be readable (bit 1)");
	AR_RULE(d, s->unrestricted || type > 11 || dpl_of(d) >= rpl_of(d),
		"the DPL must not be below the RPL");
	check_descriptor(c, d, false);
}

static void check_system(struct mvm_check *c, const struct state *s)
{
	const struct segment tr = SEGMENT(TR), ldtr = SEGMENT(LDTR);

	AR_RULE(&tr, usable(&tr), "TR must be usable");
	SELECTOR_RULE(&tr, !(tr.selector & 4), "TI (bit 2) must be 0");
	BASE_RULE(&tr, mvm_check_canonical(c, tr.base), "it must be canonical");
	if (usable(&tr)) {
		AR_RULE(&tr, type_of(&tr) == 11 || (type_of(&tr) == 3 && !s->ia32e),
			"the type must be busy TSS, in IA-32e mode that of 64 bits");
		check_descriptor(c, &tr, true);
	}

	if (!usable(&ldtr))
		return;
	SELECTOR_RULE(&ldtr, !(ldtr.selector & 4), "TI (bit 2) must be 0");
	BASE_RULE(&ldtr, mvm_check_canonical(c, ldtr.base), "it must be canonical");
	AR_RULE(&ldtr, type_of(&ldtr) == 2, "the type must be LDT");
	check_descriptor(c, &ldtr, true);
}

static void check_segments(struct mvm_check *c, const struct state *s)
{
	const struct segment cs = SEGMENT(CS), ss = SEGMENT(SS);
	const struct segment data[] = {
		SEGMENT(DS), SEGMENT(ES), SEGMENT(FS), SEGMENT(GS),
	};
	unsigned int i;

	if (s->vm86) {
		check_vm86_segment(c, &cs);
		check_vm86_segment(c, &ss);
		for (i = 0; i < ARRAY_SIZE(data); i++)
			check_vm86_segment(c, &data[i]);
	} else {
		check_cs(c, s, &cs, &ss);
		check_ss(c, s, &ss, &cs);
		for (i = 0; i < ARRAY_SIZE(data); i++)
			check_data(c, s, &data[i], i >= 2);
	}
	check_system(c, s);
}

static void check_tables(struct mvm_check *c)
{
	MVM_RULE(GUEST_GDTR_BASE, mvm_check_canonical(c, MVM_FIELD(GUEST_GDTR_BASE)),
		 "it must be canonical");
	MVM_RULE(GUEST_IDTR_BASE, mvm_check_canonical(c, MVM_FIELD(GUEST_IDTR_BASE)),
		 "it must be canonical");
	MVM_RULE(GUEST_GDTR_LIMIT, MVM_FIELD(GUEST_GDTR_LIMIT) <= 0xffff, "bits 31:16 must be 0");
	MVM_RULE(GUEST_IDTR_LIMIT, MVM_FIELD(GUEST_IDTR_LIMIT) <= 0xffff, "bits 31:16 must be 0");
}

static bool injects(const struct mvm_check *c, u32 type)
{
	return MVM_FIELD(ENTRY_EVENT) & VMX_EVENT_VALID &&
	       (MVM_FIELD(ENTRY_EVENT) & VMX_EVENT_TYPE) == type;
}

static void check_rip_rflags(struct mvm_check *c, const struct state *s)
{
	u64 rip = MVM_FIELD(GUEST_RIP), rflags = MVM_FIELD(GUEST_RFLAGS);
	u64 above = rip >> c->cpu->linear_bits, ssp = MVM_FIELD(GUEST_SSP);

	/* One more than the greatest canonical address below the gap is allowed. */
	if (s->ia32e && MVM_FIELD(GUEST_CS_ACCESS_RIGHTS) & VMX_AR_L)
		MVM_RULE(GUEST_RIP, !above || above == GENMASK_ULL(63 - c->cpu->linear_bits, 0),
			 "in 64-bit code, the bits above the linear-address width must be equal");
	else
		MVM_RULE(GUEST_RIP, !(rip >> 32), "outside 64-bit code, bits 63:32 must be 0");
	MVM_RULE(GUEST_RFLAGS, !(rflags & (GENMASK_ULL(63, 22) | BIT_ULL(15) | BIT_ULL(5) |
					   BIT_ULL(3))), "a reserved bit is set");
	MVM_RULE(GUEST_RFLAGS, rflags & BIT_ULL(1), "bit 1 must be 1");
	MVM_RULE(GUEST_RFLAGS, !s->vm86 || (!s->ia32e && MVM_FIELD(GUEST_CR0) & CR0_PE),
		 "VM (bit 17) must be 0 in IA-32e mode and in real mode");
	MVM_RULE(GUEST_RFLAGS, rflags & RFLAGS_IF || !injects(c, VMX_EVENT_EXTERNAL),
		 "IF (bit 9) must be 1 to inject an external interrupt");
	if (!(MVM_FIELD(ENTRY_CONTROLS) & ENTRY_LOAD_CET))
		return;
	MVM_RULE(GUEST_SSP, !(ssp & 3), "it must be a multiple of 4");
	MVM_RULE(GUEST_SSP, s->ia32e ? mvm_check_canonical(c, ssp) : !(ssp >> 32),
		 "it must be canonical, and outside IA-32e mode below 4 GiB");
}

static void check_activity(struct mvm_check *c)
{
	u64 activity = MVM_FIELD(GUEST_ACTIVITY), event = MVM_FIELD(ENTRY_EVENT);
	u64 blocking = MVM_FIELD(GUEST_INTERRUPTIBILITY);
	u8 vector = event & VMX_EVENT_VECTOR;
	bool mc_or_db = injects(c, VMX_EVENT_HARD_EXCEPTION) &&
			(vector == VMX_VECTOR_MC ||
			 (vector == VMX_VECTOR_DB && activity == VMX_ACTIVITY_HLT));

	MVM_RULE(GUEST_ACTIVITY, activity == VMX_ACTIVITY_ACTIVE ||
		 (activity <= 3 && c->cpu->msrs->misc >> (5 + activity) & 1),
		 "the CPU does not have this activity state");
	MVM_RULE(GUEST_ACTIVITY, activity != VMX_ACTIVITY_HLT ||
		 !(MVM_FIELD(GUEST_SS_ACCESS_RIGHTS) & VMX_AR_DPL_MASK),
		 "HLT needs a DPL of SS of 0");
	MVM_RULE(GUEST_ACTIVITY, activity == VMX_ACTIVITY_ACTIVE ||
		 !(blocking & (VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS)),
		 "with blocking by STI or MOV SS it must be active");
	if (!(event & VMX_EVENT_VALID) || activity == VMX_ACTIVITY_ACTIVE)
		return;
	MVM_RULE(GUEST_ACTIVITY, activity != VMX_ACTIVITY_HLT || mc_or_db ||
		 injects(c, VMX_EVENT_EXTERNAL) || injects(c, VMX_EVENT_NMI) ||
		 injects(c, 7 << 8), "this event cannot be injected in HLT");
	MVM_RULE(GUEST_ACTIVITY, activity != 2 || mc_or_db || injects(c, VMX_EVENT_NMI),
		 "only NMI and #MC can be injected in shutdown");
	MVM_RULE(GUEST_ACTIVITY, activity != 3, "nothing can be injected in wait-for-SIPI");
}

static void check_interruptibility(struct mvm_check *c)
{
	u64 blocking = MVM_FIELD(GUEST_INTERRUPTIBILITY);
	bool sti = blocking & VMX_BLOCKING_STI, mov_ss = blocking & VMX_BLOCKING_MOV_SS;
	u64 pending = MVM_FIELD(GUEST_PENDING_DEBUG);
	bool step = MVM_FIELD(GUEST_RFLAGS) & RFLAGS_TF &&
		    !(MVM_FIELD(GUEST_DEBUGCTL) & DEBUGCTL_BTF);

	MVM_RULE(GUEST_INTERRUPTIBILITY, !(blocking & GENMASK_ULL(31, 5)),
		 "bits 31:5 are reserved");
	MVM_RULE(GUEST_INTERRUPTIBILITY, !sti || !mov_ss,
		 "blocking by STI and by MOV SS exclude each other");
	MVM_RULE(GUEST_INTERRUPTIBILITY, !sti || MVM_FIELD(GUEST_RFLAGS) & RFLAGS_IF,
		 "blocking by STI needs RFLAGS.IF");
	MVM_RULE(GUEST_INTERRUPTIBILITY, !injects(c, VMX_EVENT_EXTERNAL) || (!sti && !mov_ss),
		 "an external interrupt cannot be injected while STI or MOV SS block it");
	MVM_RULE(GUEST_INTERRUPTIBILITY, !injects(c, VMX_EVENT_NMI) || !mov_ss,
		 "an NMI cannot be injected while MOV SS blocks it");
	c->may = true;
	c->qualification = MVM_CHECK_QUAL_NMI;
	MVM_RULE(GUEST_INTERRUPTIBILITY, !injects(c, VMX_EVENT_NMI) || !sti,
		 "some CPUs inject no NMI while STI blocks interrupts");
	c->may = false;
	c->qualification = MVM_CHECK_QUAL_NONE;
	MVM_RULE(GUEST_INTERRUPTIBILITY, !(blocking & BLOCKING_SMI),
		 "blocking by SMI is for SMM only");
	MVM_RULE(GUEST_INTERRUPTIBILITY, !injects(c, VMX_EVENT_NMI) ||
		 !(blocking & VMX_BLOCKING_NMI) ||
		 !(MVM_FIELD(PIN_CONTROLS) & VMX_PIN_VIRTUAL_NMIS),
		 "with virtual NMIs, an NMI cannot be injected while NMIs are blocked");
	MVM_RULE(GUEST_INTERRUPTIBILITY, !(blocking & BLOCKING_ENCLAVE) ||
		 (c->cpu->sgx && !mov_ss),
		 "enclave interruption (bit 4) needs SGX and excludes blocking by MOV SS");

	MVM_RULE(GUEST_PENDING_DEBUG, !(pending & PENDING_RESERVED), "a reserved bit is set");
	if (sti || mov_ss || MVM_FIELD(GUEST_ACTIVITY) == VMX_ACTIVITY_HLT)
		MVM_RULE(GUEST_PENDING_DEBUG, !!(pending & PENDING_BS) == step,
			 "BS (bit 14) must be 1 just when a single-step trap is due");
	if (pending & PENDING_RTM) {
		MVM_RULE(GUEST_PENDING_DEBUG,
			 (pending & ~PENDING_RTM) == PENDING_ENABLED && c->cpu->rtm,
			 "RTM (bit 16) is for CPUs with RTM, and goes with bit 12 alone");
		MVM_RULE(GUEST_INTERRUPTIBILITY, !mov_ss,
			 "blocking by MOV SS excludes a pending RTM debug exception");
	}
}

static void check_link_pointer(struct mvm_check *c)
{
	u64 link = MVM_FIELD(VMCS_LINK_POINTER), shadow, word;

	if (link == ~0ULL)
		return;
	c->qualification = MVM_CHECK_QUAL_LINK;
	MVM_RULE(VMCS_LINK_POINTER, !(link & 0xfff) && mvm_check_physical(c, link),
		 "it must be all ones, or a multiple of 4096 within the physical-address width");
	MVM_RULE(VMCS_LINK_POINTER, link != c->cpu->current_vmcs,
		 "it must not point to the current VMCS");
	if (!(link & 0xfff) && mvm_check_peek(c, link, &word)) {
		shadow = mvm_check_secondary(c) & CPU2_SHADOWING ? BIT_ULL(31) : 0;
		MVM_RULE(VMCS_LINK_POINTER,
			 !((word ^ c->cpu->msrs->basic) & VMX_BASIC_REVISION),
			 "there must be the VMCS revision identifier");
		MVM_RULE(VMCS_LINK_POINTER, (word & BIT_ULL(31)) == shadow,
			 "bit 31 there must be as the control VMCS shadowing");
	}
	c->qualification = MVM_CHECK_QUAL_NONE;
}

/*
 * With EPT the entries are in the VMCS, without it in memory, where CR3 says.
 */
static void check_pdptes(struct mvm_check *c, const struct state *s)
{
	u64 reserved = GENMASK_ULL(2, 1) | GENMASK_ULL(8, 5) |
		       GENMASK_ULL(63, c->cpu->phys_bits);
	u64 table = MVM_FIELD(GUEST_CR3) & GENMASK_ULL(31, 5), entry;
	unsigned int i;

	if (s->ia32e || !(MVM_FIELD(GUEST_CR0) & CR0_PG) ||
	    !(MVM_FIELD(GUEST_CR4) & CR4_PAE))
		return;
	c->qualification = MVM_CHECK_QUAL_PDPTE;
#define PDPTE(n)							\
	MVM_RULE(GUEST_PDPTE##n, !(MVM_FIELD(GUEST_PDPTE##n) & 1) ||	\
		 !(MVM_FIELD(GUEST_PDPTE##n) & reserved),		\
		 "a reserved bit is set in a present entry")
	if (mvm_check_secondary(c) & VMX_CPU2_EPT) {
		PDPTE(0);
		PDPTE(1);
		PDPTE(2);
		PDPTE(3);
	} else {
		for (i = 0; i < 4 && mvm_check_peek(c, table + 8 * i, &entry); i++)
			MVM_RULE(GUEST_CR3, !(entry & 1) || !(entry & reserved),
				 "a reserved bit is set in a present PDPTE that it points to");
	}
	c->qualification = MVM_CHECK_QUAL_NONE;
}

/**
 * mvm_check_guest() - the rules for the guest-state area
 * @c: the run
 */
void mvm_check_guest(struct mvm_check *c)
{
	const struct state s = state_of(c);

	c->section = "Checks on Guest Control Registers, Debug Registers, and MSRs";
	check_control_registers(c, &s);
	check_msrs(c, &s);
	c->section = "Checks on Guest Segment Registers";
	check_segments(c, &s);
	c->section = "Checks on Guest Descriptor-Table Registers";
	check_tables(c);
	c->section = "Checks on Guest RIP, RFLAGS, and SSP";
	check_rip_rflags(c, &s);
	c->section = "Checks on Guest Non-Register State";
	check_activity(c);
	check_interruptibility(c);
	check_link_pointer(c);
	c->section = "Checks on Guest Page-Directory-Pointer-Table Entries";
	check_pdptes(c, &s);
}
