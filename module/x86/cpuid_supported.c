// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID: what a guest may be shown, made of what the host has and of what the
 * module virtualises. The policy is in cpuid.h, the list in cpuid_feature.h.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/kvm_para.h>

#include "cpuid.h"

/* The highest leaves that a guest is shown. */
#define MAX_BASIC		0xdU
#define MAX_EXTENDED		0x80000008U

/* A guest-physical address has no more bits under 4-level EPT. */
#define MAX_PHYS_BITS		48U

#define LEAFD_1_EAX_XSAVEC	BIT(1)

#define INDEXED	KVM_CPUID_FLAG_SIGNIFCANT_INDEX

static bool satisfied(const struct mvm_cpuid_limits *lim, u8 needs)
{
	switch (needs) {
	case MVM_NEEDS_NOTHING:
		return true;
	case MVM_NEEDS_XSAVE:
		return lim->xcr0_mask;
	case MVM_NEEDS_AVX:
		return lim->xcr0_mask & MVM_XCR0_AVX;
	case MVM_NEEDS_AVX512:
		return lim->xcr0_mask & MVM_XCR0_AVX512;
	case MVM_NEEDS_RDTSCP:
		return lim->rdtscp;
	case MVM_NEEDS_INVPCID:
		return lim->invpcid;
	case MVM_NEEDS_PCID:
		return lim->pcid;
	}
	return false;
}

/* The bits of one register that may be shown, whatever the CPU has. */
static u32 allowed(const struct mvm_cpuid_limits *lim, u32 function, u32 index,
		   enum mvm_cpuid_reg reg)
{
	u32 mask = 0;
	int i;

	for (i = 0; i < MVM_FEATURE_COUNT; i++) {
		const struct mvm_cpuid_feature *f = &mvm_cpuid_features[i];

		if (f->function == function && f->index == index &&
		    f->reg == reg && satisfied(lim, f->needs))
			mask |= BIT(f->bit);
	}
	return mask;
}

/**
 * mvm_cpuid_limits_init - read what the filter needs to know of this host
 * @lim: filled; its flags are false, the caller sets those that it backs
 * @host: executes CPUID
 * @host_xcr0: XCR0 of the host, or 0 when the kernel does not use XSAVE
 *
 * A component that the host's kernel has not enabled is not offered: nobody
 * would save it on the host's side.
 */
void mvm_cpuid_limits_init(struct mvm_cpuid_limits *lim, mvm_cpuid_host_fn host,
			   u64 host_xcr0)
{
	u64 mask = host_xcr0 & MVM_XCR0_KNOWN;
	u32 r[4];
	int i;

	memset(lim, 0, sizeof(*lim));

	host(0xd, 0, r);
	mask &= r[MVM_EAX];
	/* A set that XSETBV would refuse has no use: take away what is lame. */
	if (!(mask & MVM_XCR0_AVX) ||
	    (mask & MVM_XCR0_AVX512) != MVM_XCR0_AVX512)
		mask &= ~MVM_XCR0_AVX512;
	if (!mvm_fpu_xcr0_valid(mask, mask))
		mask = 0;
	lim->xcr0_mask = mask;

	for (i = 2; i < MVM_XSTATE_COUNT; i++) {
		if (!(mask & BIT_ULL(i)))
			continue;
		host(0xd, i, r);
		lim->xstate[i].size = r[MVM_EAX];
		lim->xstate[i].offset = r[MVM_EBX];
		lim->xstate[i].align64 = r[MVM_ECX] & BIT(1);
	}

	host(0x80000008, 0, r);
	lim->phys_bits = min(r[MVM_EAX] & 0xff, MAX_PHYS_BITS);
}

/* The list that mvm_cpuid_supported() builds. */
struct list {
	mvm_cpuid_host_fn host;
	const struct mvm_cpuid_limits *lim;
	struct kvm_cpuid_entry2 *entries;
	struct kvm_cpuid_entry2 spill;	/* takes what does not fit */
	u32 max;
	u32 nent;
};

/*
 * Appends an empty entry. Past the end of the list everything goes to one
 * place that nobody reads, so that only the last line needs to look.
 */
static struct kvm_cpuid_entry2 *add_empty(struct list *l, u32 function,
					  u32 index, u32 flags)
{
	struct kvm_cpuid_entry2 *e = &l->spill;

	if (l->nent < l->max)
		e = &l->entries[l->nent];
	l->nent++;

	memset(e, 0, sizeof(*e));
	e->function = function;
	e->index = index;
	e->flags = flags;
	return e;
}

/* Appends the host's own answer: for the caller to mask. */
static struct kvm_cpuid_entry2 *add_host(struct list *l, u32 function,
					 u32 index, u32 flags)
{
	struct kvm_cpuid_entry2 *e = add_empty(l, function, index, flags);
	u32 r[4];

	l->host(function, index, r);
	e->eax = r[MVM_EAX];
	e->ebx = r[MVM_EBX];
	e->ecx = r[MVM_ECX];
	e->edx = r[MVM_EDX];
	return e;
}

/* Appends a leaf that is nothing but feature bits. */
static struct kvm_cpuid_entry2 *add_features(struct list *l, u32 function,
					     u32 index, u32 flags)
{
	struct kvm_cpuid_entry2 *e = add_host(l, function, index, flags);

	e->eax &= allowed(l->lim, function, index, MVM_EAX);
	e->ebx &= allowed(l->lim, function, index, MVM_EBX);
	e->ecx &= allowed(l->lim, function, index, MVM_ECX);
	e->edx &= allowed(l->lim, function, index, MVM_EDX);
	return e;
}

/* Leaf 1: version, CLFLUSH size and features. */
static void add_version(struct list *l)
{
	struct kvm_cpuid_entry2 *e = add_features(l, 1, 0, 0);
	u32 r[4];

	l->host(1, 0, r);
	e->eax = r[MVM_EAX];
	/*
	 * The rest of EBX is the brand index, which no CPU with VT-x has, the
	 * number of logical processors, which means nothing without HTT, and
	 * the APIC ID of the processor that this code happens to run on.
	 */
	e->ebx = r[MVM_EBX] & GENMASK(15, 8);
	/* The local APIC is no part of the CPU: irqchip/ has this mode. */
	e->ecx |= BIT(mvm_cpuid_features[MVM_FEATURE_X2APIC].bit);
}

/* Leaf 4: the host's caches, each belonging to one processor. */
static void add_caches(struct list *l)
{
	struct kvm_cpuid_entry2 *e;
	u32 type;
	u32 i;

	/* Ends with a cache of type 0. No CPU has 32; do not run away on one. */
	for (i = 0; i < 32; i++) {
		e = add_host(l, 4, i, INDEXED);
		type = e->eax & GENMASK(4, 0);
		/* EAX[31:14]: processors and cores that share it, less one. */
		e->eax &= GENMASK(13, 0);
		if (!type)
			break;
	}
}

/* Leaf 7: the structured extended features. */
static void add_extended_features(struct list *l)
{
	struct kvm_cpuid_entry2 *e = add_features(l, 7, 0, INDEXED);
	u32 r[4];

	l->host(7, 0, r);
	if (r[MVM_EAX] < 1)
		return;
	e->eax = 1;	/* the highest sub-leaf */
	add_features(l, 7, 1, INDEXED);
}

/* Leaf 0DH: the extended state, by what XCR0 may hold. */
static void add_xstate(struct list *l)
{
	struct kvm_cpuid_entry2 *e = add_empty(l, 0xd, 0, INDEXED);
	u64 mask = l->lim->xcr0_mask;
	int i;

	if (!mask)
		return;
	e->eax = mask;	/* there is nothing in the upper half */
	e->ebx = mvm_cpuid_xsave_size(l->lim, mask, false);
	e->ecx = e->ebx;

	e = add_features(l, 0xd, 1, INDEXED);
	if (e->eax & LEAFD_1_EAX_XSAVEC)
		e->ebx = mvm_cpuid_xsave_size(l->lim, mask, true);

	for (i = 2; i < MVM_XSTATE_COUNT; i++) {
		if (!(mask & BIT_ULL(i)))
			continue;
		e = add_empty(l, 0xd, i, INDEXED);
		e->eax = l->lim->xstate[i].size;
		e->ebx = l->lim->xstate[i].offset;
		/* ECX[0] would be supervisor state, ECX[2] IA32_XFD. */
		e->ecx = l->lim->xstate[i].align64 ? BIT(1) : 0;
	}
}

static void add_basic(struct list *l)
{
	struct kvm_cpuid_entry2 *e = add_host(l, 0, 0, 0);
	u32 max, function;

	/*
	 * A leaf past the maximum reads like the maximum one, so that one must
	 * be a leaf of which nobody is misled: 0DH on all but the oldest CPUs.
	 */
	max = min(e->eax, MAX_BASIC);
	e->eax = max;

	for (function = 1; function <= max; function++) {
		switch (function) {
		case 1:
			add_version(l);
			break;
		case 2:	/* TLBs and caches, as descriptors */
			add_host(l, 2, 0, 0);
			break;
		case 4:
			add_caches(l);
			break;
		case 6:
			add_features(l, 6, 0, 0);
			break;
		case 7:
			add_extended_features(l);
			break;
		case 0xb:	/* no sub-leaf 1: there is no topology */
			add_empty(l, 0xb, 0, INDEXED);
			break;
		case 0xd:
			add_xstate(l);
			break;
		default:
			add_empty(l, function, 0, 0);
			break;
		}
	}
}

static void add_extended(struct list *l)
{
	struct kvm_cpuid_entry2 *e = add_host(l, 0x80000000, 0, 0);
	u32 max, function;

	max = min(e->eax, MAX_EXTENDED);
	e->eax = max;
	e->ebx = 0;
	e->ecx = 0;
	e->edx = 0;

	for (function = 0x80000001; function <= max; function++) {
		switch (function) {
		case 0x80000001:
		case 0x80000007:
			add_features(l, function, 0, 0);
			break;
		case 0x80000002:	/* the brand string */
		case 0x80000003:
		case 0x80000004:
			add_host(l, function, 0, 0);
			break;
		case 0x80000006:	/* the L2 cache, in ECX on Intel */
			e = add_host(l, function, 0, 0);
			e->eax = 0;
			e->ebx = 0;
			e->edx = 0;
			break;
		case 0x80000008:
			e = add_features(l, function, 0, 0);
			/* 48 linear-address bits: there is no LA57. */
			e->eax = 48 << 8 | l->lim->phys_bits;
			break;
		default:
			add_empty(l, function, 0, 0);
			break;
		}
	}
}

/* What guests may know of their hypervisor: that it has KVM's clock. */
static void add_kvm(struct list *l)
{
	struct kvm_cpuid_entry2 *e = add_empty(l, 0x40000000, 0, 0);

	e->eax = 0x40000001;
	/* "KVMKVMKVM" */
	e->ebx = 0x4b4d564b;
	e->ecx = 0x564b4d56;
	e->edx = 0x0000004d;
	e = add_empty(l, 0x40000001, 0, 0);
	e->eax = BIT(KVM_FEATURE_CLOCKSOURCE) | BIT(KVM_FEATURE_NOP_IO_DELAY) |
		 BIT(KVM_FEATURE_CLOCKSOURCE2) | BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT);
}

/**
 * mvm_cpuid_supported - the CPUID entries that a guest may be given
 * @host: executes CPUID
 * @lim: what the module virtualises here
 * @entries: filled
 * @max: how many fit
 *
 * The answer to KVM_GET_SUPPORTED_CPUID. The hypervisor bit and OSXSAVE are not
 * set: the first is for user space to decide, the second follows CR4.
 *
 * Context: any; all calls of @host should be made on one CPU.
 * Return: the number of entries, or -E2BIG when @max is too small.
 */
int mvm_cpuid_supported(mvm_cpuid_host_fn host,
			const struct mvm_cpuid_limits *lim,
			struct kvm_cpuid_entry2 *entries, u32 max)
{
	struct list l = {
		.host = host,
		.lim = lim,
		.entries = entries,
		.max = max,
	};

	add_basic(&l);
	add_extended(&l);
	add_kvm(&l);
	return l.nent <= max ? (int)l.nent : -E2BIG;
}
