// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID: the table of one guest, and what the guest gets when it asks.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/processor-flags.h>

#include "cpuid.h"

#define INDEXED	KVM_CPUID_FLAG_SIGNIFCANT_INDEX

/* The bits that follow the vCPU's state. */
#define LEAF1_ECX_OSXSAVE	BIT(27)
#define LEAF1_EDX_APIC		BIT(9)
#define LEAF7_ECX_OSPKE		BIT(4)
#define LEAFD_1_EAX_XSAVEC	BIT(1)
#define LEAFD_1_EAX_XSAVES	BIT(3)

/* Tile data, the one component that Linux enables on request only. */
#define XCR0_TILE_DATA		BIT_ULL(18)

#define APIC_BASE_ENABLE	BIT_ULL(11)

const struct mvm_cpuid_feature mvm_cpuid_features[MVM_FEATURE_COUNT] = {
#define MVM_FEATURE(name, leaf, index, reg, bit, needs) \
	[MVM_FEATURE_##name] = { leaf, index, MVM_##reg, bit, MVM_NEEDS_##needs },
#include "cpuid_feature.h"
#undef MVM_FEATURE
};

/**
 * mvm_cpuid_xsave_size - bytes of an XSAVE area
 * @lim: where the components are
 * @xcr0: the components that it has, a subset of MVM_XCR0_KNOWN
 * @compacted: in the format of XSAVEC
 *
 * See SDM Vol. 1, "XSAVE Area".
 *
 * Return: the size in bytes, header and legacy region included.
 */
u32 mvm_cpuid_xsave_size(const struct mvm_cpuid_limits *lim, u64 xcr0,
			 bool compacted)
{
	u32 size = MVM_XSAVE_MIN_SIZE;
	int i;

	for (i = 2; i < MVM_XSTATE_COUNT; i++) {
		u32 offset = lim->xstate[i].offset;

		if (!(xcr0 & BIT_ULL(i)))
			continue;
		if (compacted)
			offset = lim->xstate[i].align64 ? ALIGN(size, 64) : size;
		size = max(size, offset + lim->xstate[i].size);
	}
	return size;
}

/* An entry without the flag answers for every sub-leaf. */
static bool entry_matches(const struct kvm_cpuid_entry2 *e, u32 function,
			  u32 index)
{
	return e->function == function &&
	       (!(e->flags & INDEXED) || e->index == index);
}

static const struct kvm_cpuid_entry2 *
find(const struct kvm_cpuid_entry2 *entries, u32 nent, u32 function, u32 index)
{
	u32 i;

	for (i = 0; i < nent; i++)
		if (entry_matches(&entries[i], function, index))
			return &entries[i];
	return NULL;
}

/* For leaves that have no sub-leaves, whatever user space put into the flag. */
static const struct kvm_cpuid_entry2 *
find_any(const struct kvm_cpuid_entry2 *entries, u32 nent, u32 function)
{
	u32 i;

	for (i = 0; i < nent; i++)
		if (entries[i].function == function)
			return &entries[i];
	return NULL;
}

/**
 * mvm_cpuid_find - the entry for a leaf and sub-leaf
 * @entries: a CPUID table
 * @nent: entries in it
 * @function: the leaf
 * @index: the sub-leaf; of no matter for entries whose flags do not have
 *	KVM_CPUID_FLAG_SIGNIFCANT_INDEX
 *
 * Return: the first one that matches, or NULL.
 */
struct kvm_cpuid_entry2 *mvm_cpuid_find(struct kvm_cpuid_entry2 *entries,
					u32 nent, u32 function, u32 index)
{
	return (struct kvm_cpuid_entry2 *)find(entries, nent, function, index);
}

static u32 entry_reg(const struct kvm_cpuid_entry2 *e, u8 reg)
{
	switch (reg) {
	case MVM_EAX:
		return e->eax;
	case MVM_EBX:
		return e->ebx;
	case MVM_ECX:
		return e->ecx;
	default:
		return e->edx;
	}
}

/**
 * mvm_cpuid_has - does this table show a feature?
 * @entries: a CPUID table: a guest's, or what is supported
 * @nent: entries in it
 * @feature: which one
 *
 * A guest's table is what user space made of it: it may claim what the host
 * does not have. Ask both where that would matter.
 *
 * Return: true if the feature's bit is set in it.
 */
bool mvm_cpuid_has(const struct kvm_cpuid_entry2 *entries, u32 nent,
		   enum mvm_feature feature)
{
	const struct mvm_cpuid_feature *f = &mvm_cpuid_features[feature];
	const struct kvm_cpuid_entry2 *e;

	e = find(entries, nent, f->function, f->index);
	return e && entry_reg(e, f->reg) & BIT(f->bit);
}

static u64 entry_xcr0(const struct kvm_cpuid_entry2 *entries, u32 nent)
{
	const struct kvm_cpuid_entry2 *e = find(entries, nent, 0xd, 0);

	return e ? (u64)e->edx << 32 | e->eax : 0;
}

/**
 * mvm_cpuid_check - may user space give a vCPU this table?
 * @entries: the table
 * @nent: entries in it
 *
 * Refuses what KVM_SET_CPUID2 refuses, which is little: a table that claims
 * what is not there is the guest's problem alone.
 *
 * Return: 0; -EINVAL when the linear-address width is neither 48 nor 57 nor
 * unset; -EPERM when AMX tile data is offered, as KVM says to a process without
 * the permission for it.
 */
int mvm_cpuid_check(const struct kvm_cpuid_entry2 *entries, u32 nent)
{
	const struct kvm_cpuid_entry2 *e;

	e = find_any(entries, nent, 0x80000008);
	if (e) {
		u32 virt_bits = e->eax >> 8 & 0xff;

		if (virt_bits && virt_bits != 48 && virt_bits != 57)
			return -EINVAL;
	}
	if (entry_xcr0(entries, nent) & XCR0_TILE_DATA)
		return -EPERM;
	return 0;
}

/**
 * mvm_cpuid_equal - are two tables the same?
 * @a: one table
 * @na: entries in it
 * @b: the other
 * @nb: entries in it
 *
 * Once a vCPU has run, its table may be set again but not changed. Call
 * mvm_cpuid_update() on the new table first: the old one has been through it.
 *
 * Return: true if they have the same entries in the same order.
 */
bool mvm_cpuid_equal(const struct kvm_cpuid_entry2 *a, u32 na,
		     const struct kvm_cpuid_entry2 *b, u32 nb)
{
	u32 i;

	if (na != nb)
		return false;
	/* Not the padding, which nobody is obliged to clear. */
	for (i = 0; i < na; i++)
		if (memcmp(&a[i], &b[i], offsetof(typeof(*a), padding)))
			return false;
	return true;
}

/**
 * mvm_cpuid_cr4_reserved - the bits of CR4 that this table leaves reserved
 * @entries: a CPUID table
 * @nent: entries in it
 *
 * Call it for the guest's table and for the supported one, and OR the two: a
 * guest's table may show what is not supported. With an empty table the bits
 * are those of a processor without any optional feature.
 *
 * See SDM Vol. 3, "Control Registers" (2024: 2.5).
 *
 * Return: the bits of CR4 that must be 0.
 */
u64 mvm_cpuid_cr4_reserved(const struct kvm_cpuid_entry2 *entries, u32 nent)
{
	static const struct {
		enum mvm_feature feature;
		u64 bit;
	} optional[] = {
		{ MVM_FEATURE_UMIP, X86_CR4_UMIP },
		{ MVM_FEATURE_FSGSBASE, X86_CR4_FSGSBASE },
		{ MVM_FEATURE_PCID, X86_CR4_PCIDE },
		{ MVM_FEATURE_XSAVE, X86_CR4_OSXSAVE },
		{ MVM_FEATURE_SMEP, X86_CR4_SMEP },
		{ MVM_FEATURE_SMAP, X86_CR4_SMAP },
	};
	u64 valid = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE |
		    X86_CR4_PSE | X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE |
		    X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(optional); i++)
		if (mvm_cpuid_has(entries, nent, optional[i].feature))
			valid |= optional[i].bit;
	return ~valid;
}

/**
 * mvm_cpuid_xcr0 - the bits of XCR0 that a guest with this table may set
 * @entries: the guest's CPUID table
 * @nent: entries in it
 * @lim: what the module virtualises here
 *
 * Return: 0 when the table has no leaf 0DH.
 */
u64 mvm_cpuid_xcr0(const struct kvm_cpuid_entry2 *entries, u32 nent,
		   const struct mvm_cpuid_limits *lim)
{
	return entry_xcr0(entries, nent) & lim->xcr0_mask;
}

/**
 * mvm_cpuid_maxphyaddr - physical-address bits of a guest with this table
 * @entries: the guest's CPUID table
 * @nent: entries in it
 *
 * Return: what the table says, but at most 63: it is a number of bits to shift
 * a u64 by, and the table is whatever a program wrote. 36 when there is no leaf
 * 80000008H (SDM Vol. 3, "Enumeration of Paging Features by CPUID").
 */
u8 mvm_cpuid_maxphyaddr(const struct kvm_cpuid_entry2 *entries, u32 nent)
{
	const struct kvm_cpuid_entry2 *e;

	e = find_any(entries, nent, 0x80000000);
	if (e && e->eax >= 0x80000008) {
		e = find_any(entries, nent, 0x80000008);
		if (e)
			return min(e->eax & 0xff, 63U);
	}
	return 36;
}

/*
 * Where a leaf is in mvm_cpuid.first, or -1: bit 31 of the leaf's number
 * becomes bit 5 of the slot's.
 */
static __always_inline int slot_of(u32 function)
{
	if (function & ~(BIT(31) | GENMASK(4, 0)))
		return -1;
	return (function | function >> 26) & (MVM_CPUID_DIRECT - 1);
}

/**
 * mvm_cpuid_install - prepare a table for mvm_cpuid_emulate()
 * @cpuid: filled
 * @entries: the table, which must stay where it is as long as @cpuid is used
 * @nent: entries in it
 */
void mvm_cpuid_install(struct mvm_cpuid *cpuid,
		       struct kvm_cpuid_entry2 *entries, u32 nent)
{
	u32 i;

	memset(cpuid, 0, sizeof(*cpuid));
	cpuid->entries = entries;
	cpuid->nent = nent;
	for (i = 0; i < nent; i++) {
		int slot = slot_of(entries[i].function);

		if (slot >= 0 && !cpuid->first[slot])
			cpuid->first[slot] = &entries[i];
	}
}

static u32 with_bits(u32 reg, u32 bits, bool set)
{
	return set ? reg | bits : reg & ~bits;
}

/**
 * mvm_cpuid_update - bring the bits that follow the vCPU's state up to date
 * @entries: the guest's CPUID table
 * @nent: entries in it
 * @lim: what the module virtualises here
 * @state: the vCPU's registers
 *
 * To be called when a table is set, and when CR4.OSXSAVE, XCR0 or
 * IA32_APIC_BASE.EN changes. These change once or twice in the life of a
 * guest, CPUID is executed often: so the answers are prepared here.
 */
void mvm_cpuid_update(struct kvm_cpuid_entry2 *entries, u32 nent,
		      const struct mvm_cpuid_limits *lim,
		      const struct mvm_cpuid_state *state)
{
	struct kvm_cpuid_entry2 *e;

	e = (struct kvm_cpuid_entry2 *)find_any(entries, nent, 1);
	if (e) {
		e->ecx = with_bits(e->ecx, LEAF1_ECX_OSXSAVE,
				   state->cr4 & X86_CR4_OSXSAVE);
		e->edx = with_bits(e->edx, LEAF1_EDX_APIC,
				   state->apic_base & APIC_BASE_ENABLE);
	}

	/* CR4.PKE is reserved in every guest. */
	e = mvm_cpuid_find(entries, nent, 7, 0);
	if (e)
		e->ecx &= ~LEAF7_ECX_OSPKE;

	e = mvm_cpuid_find(entries, nent, 0xd, 0);
	if (e)
		e->ebx = mvm_cpuid_xsave_size(lim, state->xcr0, false);

	e = mvm_cpuid_find(entries, nent, 0xd, 1);
	if (e && e->eax & (LEAFD_1_EAX_XSAVEC | LEAFD_1_EAX_XSAVES))
		e->ebx = mvm_cpuid_xsave_size(lim, state->xcr0, true);
}

static bool vendor_is(const struct kvm_cpuid_entry2 *leaf0, const char *name)
{
	return !memcmp(&leaf0->ebx, name, 4) &&
	       !memcmp(&leaf0->edx, name + 4, 4) &&
	       !memcmp(&leaf0->ecx, name + 8, 4);
}

/*
 * A leaf past the end of its range reads like the highest basic leaf (SDM
 * Vol. 2, "CPUID-CPU Identification": "If a value entered for CPUID.EAX is
 * higher than the maximum input value ..."), with the sub-leaf asked for. AMD
 * processors return 0, and so must a guest that was told it has one.
 *
 * Return: the leaf to read instead of @function; @function itself when it is
 * in range.
 */
static u32 redirect(const struct mvm_cpuid *c, u32 function)
{
	const struct kvm_cpuid_entry2 *basic, *range;

	basic = find_any(c->entries, c->nent, 0);
	if (!basic || vendor_is(basic, "AuthenticAMD") ||
	    vendor_is(basic, "HygonGenuine"))
		return function;

	/* Each hypervisor interface has 100H leaves of its own. */
	if (function >> 28 == 4)
		range = find_any(c->entries, c->nent, function & ~0xffu);
	else if (function >= 0xc0000000)
		range = find_any(c->entries, c->nent, 0xc0000000);
	else
		range = find_any(c->entries, c->nent, function & BIT(31));

	if (range && function <= range->eax)
		return function;
	return basic->eax;
}

/**
 * mvm_cpuid_source - whose answer does mvm_cpuid_emulate() give?
 * @cpuid: the vCPU's table
 * @function: the leaf
 * @index: the sub-leaf
 *
 * Return: where it comes from.
 */
enum mvm_cpuid_source mvm_cpuid_source(const struct mvm_cpuid *cpuid, u32 function,
				       u32 index)
{
	u32 instead;

	if (find(cpuid->entries, cpuid->nent, function, index))
		return MVM_CPUID_FOUND;
	instead = redirect(cpuid, function);
	if (instead != function && find(cpuid->entries, cpuid->nent, instead, index))
		return MVM_CPUID_MAX_BASIC;
	return MVM_CPUID_NONE;
}

/* A sub-leaf past the first, an odd leaf, or one past the end. */
static noinline void emulate_by_search(const struct mvm_cpuid *c, u32 *eax,
				       u32 *ebx, u32 *ecx, u32 *edx)
{
	const struct kvm_cpuid_entry2 *e;
	u32 function = *eax;
	u32 index = *ecx;

	e = find(c->entries, c->nent, function, index);
	if (!e) {
		u32 instead = redirect(c, function);

		if (instead != function)
			e = find(c->entries, c->nent, instead, index);
		function = instead;
	}
	*eax = e ? e->eax : 0;
	*ebx = e ? e->ebx : 0;
	*ecx = e ? e->ecx : 0;
	*edx = e ? e->edx : 0;

	/*
	 * The topology leaves tell the sub-leaf and the x2APIC ID even in
	 * sub-leaves that they do not have, if they are there at all, which
	 * shows in sub-leaf 1.
	 */
	if (!e && (function == 0xb || function == 0x1f)) {
		e = find(c->entries, c->nent, function, 1);
		if (e) {
			*ecx = index & 0xff;
			*edx = e->edx;
		}
	}
}

/**
 * mvm_cpuid_emulate - what CPUID returns to a guest
 * @cpuid: the vCPU's table
 * @eax: the leaf; afterwards EAX
 * @ebx: afterwards EBX
 * @ecx: the sub-leaf; afterwards ECX
 * @edx: afterwards EDX
 *
 * A vCPU that was never given a table reads zeros everywhere.
 */
void mvm_cpuid_emulate(const struct mvm_cpuid *cpuid, u32 *eax, u32 *ebx,
		       u32 *ecx, u32 *edx)
{
	const struct kvm_cpuid_entry2 *e;
	int slot = slot_of(*eax);

	/* Not one instruction more than this: it is the hottest of handlers. */
	if (likely(slot >= 0)) {
		e = cpuid->first[slot];
		if (likely(e && (!(e->flags & INDEXED) || e->index == *ecx))) {
			*eax = e->eax;
			*ebx = e->ebx;
			*ecx = e->ecx;
			*edx = e->edx;
			return;
		}
	}
	emulate_by_search(cpuid, eax, ebx, ecx, edx);
}

/**
 * mvm_fpu_xcr0_valid - would XSETBV accept this value?
 * @xcr0: the value
 * @supported: bits of XCR0 that exist, a subset of MVM_XCR0_KNOWN; x87 is
 *	taken to be there always, since XCR0 is 1 even on a CPU without XSAVE
 *
 * See SDM Vol. 1, "Enabling the XSAVE Feature Set and XSAVE-Enabled Features",
 * and the exceptions of XSETBV in Vol. 2.
 *
 * Return: true if it would.
 */
bool mvm_fpu_xcr0_valid(u64 xcr0, u64 supported)
{
	if (xcr0 & ~(supported | MVM_XCR0_X87))
		return false;
	if (!(xcr0 & MVM_XCR0_X87))
		return false;
	if (xcr0 & MVM_XCR0_AVX && !(xcr0 & MVM_XCR0_SSE))
		return false;
	if (xcr0 & MVM_XCR0_AVX512)
		return xcr0 & MVM_XCR0_AVX &&
		       (xcr0 & MVM_XCR0_AVX512) == MVM_XCR0_AVX512;
	return true;
}
