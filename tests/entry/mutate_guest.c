// SPDX-License-Identifier: GPL-2.0
/* What is done to the guest's state of a good VMCS. */
#include <linux/kernel.h>

#include "mutate.h"

static void guest_cr(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, GUEST_CR0) = entry_some_bits(r, FIELD(e, GUEST_CR0),
						      one_in(r, 4) ? 64 : 32);
		break;
	case 1:
		FIELD(e, GUEST_CR0) ^= one_in(r, 2) ? 1 : BIT_ULL(31);
		break;
	case 2:
		FIELD(e, GUEST_CR4) = entry_some_bits(r, FIELD(e, GUEST_CR4),
						      one_in(r, 4) ? 64 : 24);
		break;
	default:
		FIELD(e, GUEST_CR3) |= BIT_ULL(entry_below(r, 64));
	}
	if (one_in(r, 8))
		FIELD(e, ENTRY_CONTROLS) ^= VMX_ENTRY_IA32E_MODE;
}

static void guest_msrs(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 6)) {
	case 0:
		FIELD(e, GUEST_DR7) = entry_some_bits(r, FIELD(e, GUEST_DR7), 64);
		break;
	case 1:
		FIELD(e, GUEST_DEBUGCTL) = entry_some_bits(r, 0, one_in(r, 2) ? 16 : 64);
		break;
	case 2:
		FIELD(e, GUEST_SYSENTER_ESP) = entry_canonical_edge(r);
		FIELD(e, GUEST_SYSENTER_EIP) = one_in(r, 2) ? 0 : entry_canonical_edge(r);
		break;
	case 3:
		FIELD(e, GUEST_PAT) = entry_pat_edge(r);
		break;
	default:
		FIELD(e, GUEST_EFER) = entry_efer_edge(r, FIELD(e, GUEST_EFER));
		if (one_in(r, 4))
			FIELD(e, GUEST_CR0) ^= BIT_ULL(31);
		if (one_in(r, 8))
			FIELD(e, ENTRY_CONTROLS) ^= VMX_ENTRY_LOAD_EFER;
	}
	if (one_in(r, 8))
		FIELD(e, ENTRY_CONTROLS) ^= one_in(r, 2) ? VMX_ENTRY_LOAD_DEBUG :
					    VMX_ENTRY_LOAD_PAT;
}

static u64 rights_edge(struct entry_random *r, u64 rights, bool system)
{
	static const u32 data[] = { 0x91, 0x93, 0x95, 0x97, 0x99, 0x9b, 0x9d, 0x9f, 0xf3, 0xc093,
				    0xc097, 0xa09b, 0xc0f3, 0xa0fb, 0x10000, 0xc09f };
	static const u32 sys[] = { 0x82, 0x83, 0x89, 0x8b, 0x81, 0x808b, 0x10000, 0x1008b };

	switch (entry_below(r, 8)) {
	case 0:
		return (u32)entry_random(r);
	case 1:
		return (u32)entry_random(r) & 0x1f0ff;
	case 2:
		return (rights & ~0xfULL) | entry_below(r, 16);
	case 3:
		return (rights & ~0x60ULL) | entry_below(r, 4) << 5;
	case 4:
		return system ? PICK(r, sys) : PICK(r, data);
	case 5:
		return rights ^ VMX_AR_UNUSABLE;
	default:
		return entry_some_bits(r, rights, one_in(r, 2) ? 17 : 32);
	}
}

static void segment(struct entry_case *e, struct entry_random *r, unsigned int n)
{
	static const u64 limits[] = {
		0, 0xfff, 0xffff, 0xffffe, 0xfffff, 0x100000, 0x100fff, 0xfffff000, 0xffffffff,
	};
	u64 *selector = &e->vmcs.value[VMCS_INDEX_GUEST_ES_SELECTOR + n];
	u64 *base = &e->vmcs.value[VMCS_INDEX_GUEST_ES_BASE + n];
	u64 *limit = &e->vmcs.value[VMCS_INDEX_GUEST_ES_LIMIT + n];
	u64 *rights = &e->vmcs.value[VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS + n];

	do {
		switch (entry_below(r, 8)) {
		case 0:
			*selector = one_in(r, 3) ? entry_below(r, 8) : one_in(r, 2) ?
				    *selector ^ (1 + entry_below(r, 7)) : (u16)entry_random(r);
			break;
		case 1:
			*base = entry_canonical_edge(r);
			break;
		case 2:
			*limit = one_in(r, 4) ? (u32)entry_random(r) : PICK(r, limits);
			break;
		case 3:
			/* As virtual-8086 mode wants it, or nearly */
			*base = *selector << 4;
			break;
		default:
			*rights = rights_edge(r, *rights, n >= LDTR);
		}
	} while (one_in(r, 3));
}

static u32 dpl_of(u64 rights)
{
	return (rights & VMX_AR_DPL_MASK) >> 5;
}

static void seg_cs(struct entry_case *e, struct entry_random *r)
{
	u64 *cs = &FIELD(e, GUEST_CS_ACCESS_RIGHTS), *ss = &FIELD(e, GUEST_SS_ACCESS_RIGHTS);

	if (!one_in(r, 4)) {
		segment(e, r, CS);
		return;
	}
	/* Code of any kind, and the privilege levels of the two */
	*cs = (*cs & ~0x6fULL) | 9 | (u64)entry_below(r, 4) << 1 | (u64)entry_below(r, 4) << 5;
	*ss = (*ss & ~0x60ULL) | (u64)entry_below(r, 4) << 5;
	FIELD(e, GUEST_CS_SELECTOR) = (FIELD(e, GUEST_CS_SELECTOR) & ~3ULL) | entry_below(r, 4);
	FIELD(e, GUEST_SS_SELECTOR) = (FIELD(e, GUEST_SS_SELECTOR) & ~3ULL) | dpl_of(*ss);
	if (!one_in(r, 4))
		return;
	/* The levels agree, and the selectors do, but not with these */
	*cs = (*cs & ~0x60ULL) | (*ss & 0x60);
	FIELD(e, GUEST_SS_SELECTOR) = (FIELD(e, GUEST_SS_SELECTOR) & ~3ULL) |
				      (FIELD(e, GUEST_CS_SELECTOR) & 3);
}

static void seg_ss(struct entry_case *e, struct entry_random *r)
{
	segment(e, r, SS);
	/* 64-bit code has a special case for the null selector. */
	if (one_in(r, 4))
		FIELD(e, GUEST_SS_SELECTOR) = 0;
}

static void seg_data(struct entry_case *e, struct entry_random *r)
{
	static const u8 data[] = { ES, DS };

	segment(e, r, PICK(r, data));
}

static void seg_fs_gs(struct entry_case *e, struct entry_random *r)
{
	segment(e, r, one_in(r, 2) ? FS : GS);
}

static void seg_system(struct entry_case *e, struct entry_random *r)
{
	segment(e, r, one_in(r, 2) ? LDTR : TR);
}

static void tables(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, GUEST_GDTR_BASE) = entry_canonical_edge(r);
		break;
	case 1:
		FIELD(e, GUEST_IDTR_BASE) = entry_canonical_edge(r);
		break;
	case 2:
		FIELD(e, GUEST_GDTR_LIMIT) = entry_number_edge(r);
		break;
	default:
		FIELD(e, GUEST_IDTR_LIMIT) = entry_number_edge(r);
	}
}

static void rip(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2))
		FIELD(e, GUEST_RIP) = entry_canonical_edge(r);
	else
		FIELD(e, GUEST_RFLAGS) = entry_some_bits(r, FIELD(e, GUEST_RFLAGS),
							 one_in(r, 4) ? 64 : 23);
}

static void activity(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2))
		FIELD(e, GUEST_ACTIVITY) = one_in(r, 8) ? entry_number_edge(r) : entry_below(r, 4);
	if (one_in(r, 2))
		FIELD(e, GUEST_INTERRUPTIBILITY) = one_in(r, 4) ? BIT(entry_below(r, 32)) :
						   BIT(entry_below(r, 5));
	if (one_in(r, 8))
		FIELD(e, GUEST_INTERRUPTIBILITY) |= entry_below(r, 32);
	if (one_in(r, 2))
		entry_good_event(e, r);
	else if (one_in(r, 8))
		entry_event(e, r);
	if (one_in(r, 8)) {
		FIELD(e, ENTRY_EVENT) = VMX_EVENT_VALID | VMX_EVENT_NMI | VMX_VECTOR_NMI;
		FIELD(e, GUEST_INTERRUPTIBILITY) = BIT(entry_below(r, 4));
		FIELD(e, GUEST_RFLAGS) |= 0x200;
	}
	if (one_in(r, 4))
		FIELD(e, GUEST_RFLAGS) ^= one_in(r, 2) ? 0x200 : 0x100;
	if (one_in(r, 8))
		FIELD(e, GUEST_SS_ACCESS_RIGHTS) ^= 0x20;
	if (one_in(r, 8))
		FIELD(e, PIN_CONTROLS) &= ~(u64)VMX_PIN_VIRTUAL_NMIS;
}

static void pending(struct entry_case *e, struct entry_random *r)
{
	static const u64 values[] = { 0, BIT_ULL(14), BIT_ULL(12), BIT_ULL(16),
				      BIT_ULL(16) | BIT_ULL(12), 0xf, 0x500f };

	FIELD(e, GUEST_PENDING_DEBUG) = one_in(r, 4) ? entry_some_bits(r, 0, 64) : PICK(r, values);
	FIELD(e, GUEST_INTERRUPTIBILITY) = entry_below(r, 3);
	FIELD(e, GUEST_RFLAGS) ^= (u64)entry_below(r, 4) << 8;
	if (one_in(r, 2))
		FIELD(e, GUEST_DEBUGCTL) = 2;
	if (one_in(r, 4))
		FIELD(e, GUEST_ACTIVITY) = 1;
}

static void link_pointer(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, VMCS_LINK_POINTER) = one_in(r, 8) ? entry_cpu.current_vmcs :
				      entry_address_edge(r, PAGE_LINK);
	if (one_in(r, 2))
		e->link_word = entry_some_bits(r, e->link_word, 32);
	if (one_in(r, 2))
		e->link_word ^= BIT(31);
	if (one_in(r, 2))
		FIELD(e, CPU2_CONTROLS) |= CPU2_SHADOWING & MAY(cpu2);
}

static void pdptes(struct entry_case *e, struct entry_random *r)
{
	unsigned int n = entry_below(r, 4);

	e->vmcs.value[VMCS_INDEX_GUEST_PDPTE0 + n] = entry_some_bits(r, one_in(r, 4) ? 0 : 1, 64);
	e->pdpte[n] = entry_some_bits(r, one_in(r, 4) ? 0 : 1, 64);
	FIELD(e, GUEST_CR4) |= 0x20;
}

const struct entry_group entry_guest_groups[] = {
	{ "guest CR0, CR3, CR4", guest_cr },
	{ "guest MSRs and DR7", guest_msrs },
	{ "CS", seg_cs },
	{ "SS", seg_ss },
	{ "DS and ES", seg_data },
	{ "FS and GS", seg_fs_gs },
	{ "LDTR and TR", seg_system },
	{ "GDTR and IDTR", tables },
	{ "RIP and RFLAGS", rip },
	{ "activity, blocking", activity },
	{ "pending debug exceptions", pending },
	{ "link pointer", link_pointer },
	{ "PDPTEs", pdptes },
};

const unsigned int entry_nr_guest_groups = ARRAY_SIZE(entry_guest_groups);
