// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's own page tables, walked in software.
 *
 * Sections are those of the SDM, Vol. 3, chapter "Paging" (2024: chapter 5):
 * "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging" for the
 * formats, "Access Rights" for what may be done with a translation,
 * "Page-Fault Exceptions" for the error code, "Accessed and Dirty Flags".
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "walk.h"

/* Bits of an entry, the same in all modes. */
#define ENTRY_P		BIT_ULL(0)
#define ENTRY_RW	BIT_ULL(1)
#define ENTRY_US	BIT_ULL(2)
#define ENTRY_A		BIT_ULL(5)
#define ENTRY_D		BIT_ULL(6)
#define ENTRY_PS	BIT_ULL(7)
#define ENTRY_XD	BIT_ULL(63)

#define SHIFT_4K	12
#define SHIFT_2M	21
#define SHIFT_4M	22
#define SHIFT_1G	30
#define SHIFT_512G	39

/* Levels of the deepest mode. */
#define MAX_DEPTH	4

/*
 * Another CPU of the guest may change an entry between our reading it and our
 * setting its flags. So many times is no accident any more.
 */
#define MAX_TRIES	8

enum mode { MODE_32BIT, MODE_PAE, MODE_LONG };

/* An entry that the walk went through, to set its flags in the end. */
struct step {
	u64 gpa;
	u64 entry;
};

struct walk {
	const struct mvm_walk_mmu *mmu;
	const struct mvm_walk_memory *mem;
	enum mode mode;
	size_t entry_size;
	struct step steps[MAX_DEPTH];
	int depth;
	u64 reserved;	/* 0 in all present entries */
	u64 all;	/* bits that are set in every entry: rights, ENTRY_A */
	u64 xd;		/* ENTRY_XD: set in any entry */
};

static bool nxe(const struct walk *w)
{
	return w->mode != MODE_32BIT && w->mmu->efer & EFER_NX;
}

/* Does this entry, at the level of this shift, map a page? */
static bool maps_page(const struct walk *w, u64 entry, int shift)
{
	if (shift == SHIFT_4K)
		return true;
	if (!(entry & ENTRY_PS))
		return false;
	switch (shift) {
	case SHIFT_4M:
		return w->mmu->cr4 & X86_CR4_PSE;
	case SHIFT_2M:
		return true;
	case SHIFT_1G:
		return w->mode == MODE_LONG && w->mmu->page_1g;
	default:
		return false;
	}
}

/* The bits that must be 0 in the present entries of all levels */
static u64 always_reserved(const struct walk *w)
{
	int m = w->mmu->maxphyaddr;
	u64 reserved = 0;

	if (w->mode == MODE_32BIT)
		return 0;
	if (m < 52)
		reserved |= GENMASK_ULL(51, m);
	if (w->mode == MODE_PAE)
		reserved |= GENMASK_ULL(62, 52);
	if (!nxe(w))
		reserved |= ENTRY_XD;
	return reserved;
}

/* The bits of a present entry that must be 0. */
static u64 reserved_bits(const struct walk *w, int shift, bool page)
{
	int m = w->mmu->maxphyaddr;
	u64 reserved = w->reserved;

	if (w->mode == MODE_32BIT) {
		/* PSE-36: bits 20:13 are bits 39:32 of the address. */
		if (!page || shift == SHIFT_4K)
			return 0;
		return GENMASK_ULL(21, 13) &
		       ~(m <= 32 ? 0 : GENMASK_ULL(min(m, 40) - 20, 13));
	}

	/* Of a page's address, the bits below its size; bit 12 is PAT. */
	if (page && shift > SHIFT_4K)
		reserved |= GENMASK_ULL(shift - 1, 13);
	/* What maps no page must not say that it does. */
	if (!page && shift > SHIFT_2M)
		reserved |= ENTRY_PS;
	return reserved;
}

/* Where the page begins that this entry maps. */
static u64 page_address(const struct walk *w, u64 entry, int shift)
{
	if (w->mode == MODE_32BIT && shift == SHIFT_4M)
		return (entry & GENMASK_ULL(31, 22)) |
		       (entry >> 13 & 0xff) << 32;
	return entry & GENMASK_ULL(51, shift);
}

static bool user_mode(const struct walk *w, unsigned int access)
{
	return w->mmu->cpl == 3 && !(access & MVM_ACCESS_IMPLICIT);
}

static u32 error_code(const struct walk *w, unsigned int access, u32 error)
{
	if (access & MVM_ACCESS_WRITE)
		error |= MVM_PF_WRITE;
	if (user_mode(w, access))
		error |= MVM_PF_USER;
	/* Without SMEP and NXE a fetch is reported as a read. */
	if (access & MVM_ACCESS_EXEC &&
	    (w->mmu->cr4 & X86_CR4_SMEP || nxe(w)))
		error |= MVM_PF_FETCH;
	return error;
}

/* "Access Rights": may it be done, now that the translation is known? */
static bool permitted(const struct walk *w, unsigned int access)
{
	bool user_page = w->all & ENTRY_US;

	if (access & MVM_ACCESS_EXEC && w->xd)
		return false;

	if (user_mode(w, access)) {
		if (!user_page)
			return false;
		return !(access & MVM_ACCESS_WRITE) || w->all & ENTRY_RW;
	}

	if (user_page && access & MVM_ACCESS_EXEC &&
	    w->mmu->cr4 & X86_CR4_SMEP)
		return false;
	/* RFLAGS.AC lifts SMAP for what the program does explicitly. */
	if (user_page && access & (MVM_ACCESS_READ | MVM_ACCESS_WRITE) &&
	    w->mmu->cr4 & X86_CR4_SMAP &&
	    (!w->mmu->ac || access & MVM_ACCESS_IMPLICIT))
		return false;
	if (access & MVM_ACCESS_WRITE && w->mmu->cr0 & X86_CR0_WP)
		return w->all & ENTRY_RW;
	return true;
}

/* Sets the flags of all entries that were used; 1 when one has changed. */
static int set_flags(const struct walk *w, bool write)
{
	int i, r;

	/* Mostly they are set. */
	if (w->all & ENTRY_A && (!write || w->steps[w->depth - 1].entry & ENTRY_D))
		return 0;
	if (!w->mem->cmpxchg)
		return 0;
	for (i = 0; i < w->depth; i++) {
		const struct step *s = &w->steps[i];
		u64 want = s->entry | ENTRY_A;

		/* The last entry is the one that maps the page. */
		if (write && i == w->depth - 1)
			want |= ENTRY_D;
		if (want == s->entry)
			continue;
		r = w->mem->cmpxchg(w->mem->ctx, s->gpa, s->entry, want,
				    w->entry_size);
		if (r)
			return r;
	}
	return 0;
}

static int read_entry(const struct walk *w, u64 gpa, u64 *entry)
{
	/* Of 4 bytes the upper half stays 0. */
	*entry = 0;
	return w->mem->read(w->mem->ctx, gpa, entry, w->entry_size);
}

/* PAE: the entry that CR3 and the two highest bits of the address lead to. */
static int read_pdpte(const struct walk *w, u64 gva, u64 *pdpte)
{
	unsigned int i = gva >> SHIFT_1G & 3;

	if (w->mmu->pdpte) {
		*pdpte = w->mmu->pdpte[i];
		return 0;
	}
	return read_entry(w, (w->mmu->cr3 & GENMASK_ULL(31, 5)) + i * 8, pdpte);
}

/*
 * Goes down the tree once. Return: 0 and @gpa; MVM_WALK_FAULT and @error, the
 * bits that tell why; or what a read failed with.
 */
static int descend(struct walk *w, u64 gva, u64 *gpa, u32 *error)
{
	int index_bits = w->mode == MODE_32BIT ? 10 : 9;
	u64 table, entry;
	int shift, r;
	bool page;

	w->depth = 0;
	w->all = ENTRY_RW | ENTRY_US | ENTRY_A;
	w->xd = 0;
	*error = 0;

	switch (w->mode) {
	case MODE_32BIT:
		shift = SHIFT_4M;
		table = w->mmu->cr3 & GENMASK_ULL(31, 12);
		break;
	case MODE_PAE:
		/* It has no rights and no flags; loading CR3 has checked it. */
		r = read_pdpte(w, gva, &entry);
		if (r)
			return r;
		if (!(entry & ENTRY_P))
			return MVM_WALK_FAULT;
		shift = SHIFT_2M;
		table = entry & GENMASK_ULL(51, 12);
		break;
	default:
		shift = SHIFT_512G;
		table = w->mmu->cr3 & GENMASK_ULL(51, 12);
		break;
	}

	for (;; shift -= index_bits) {
		struct step *s = &w->steps[w->depth++];

		s->gpa = table + (gva >> shift & (BIT(index_bits) - 1)) *
				 w->entry_size;
		r = read_entry(w, s->gpa, &entry);
		if (r)
			return r;
		s->entry = entry;

		if (!(entry & ENTRY_P))
			return MVM_WALK_FAULT;
		page = maps_page(w, entry, shift);
		if (entry & reserved_bits(w, shift, page)) {
			*error = MVM_PF_PRESENT | MVM_PF_RESERVED;
			return MVM_WALK_FAULT;
		}
		w->all &= entry;
		w->xd |= entry & ENTRY_XD;
		if (page)
			break;
		table = entry & GENMASK_ULL(51, 12);
	}

	*gpa = page_address(w, entry, shift) | (gva & (BIT_ULL(shift) - 1));
	return 0;
}

/**
 * mvm_walk - translate a guest's linear address as the processor would
 * @mmu: the registers that paging depends on
 * @mem: how to read, and if wanted to write, the guest's page tables
 * @gva: the linear address; in 64-bit mode the caller has checked that it is
 *	canonical, outside of IA-32e mode its upper half is ignored
 * @access: MVM_ACCESS_*
 * @gpa: the guest-physical address, when the access is allowed
 * @fault: the exception, when it is not
 *
 * An access that crosses a page needs two of these. As on a processor, the
 * accessed flags of all entries used, and the dirty flag of the last one for a
 * write, are set when the access is allowed.
 *
 * Context: that of the functions in @mem.
 * Return: 0; MVM_WALK_FAULT when the access causes #PF; -EAGAIN when the tables
 * would not hold still, and the instruction had better be started again; or
 * what a function in @mem failed with.
 */
int mvm_walk(const struct mvm_walk_mmu *mmu, const struct mvm_walk_memory *mem,
	     u64 gva, unsigned int access, u64 *gpa,
	     struct mvm_walk_fault *fault)
{
	struct walk w = { .mmu = mmu, .mem = mem, .entry_size = sizeof(u64) };
	int tries, r;
	u32 error;

	if (mmu->efer & EFER_LMA)
		w.mode = MODE_LONG;
	else
		gva = (u32)gva;

	if (!(mmu->cr0 & X86_CR0_PG)) {
		*gpa = gva;
		return 0;
	}

	if (w.mode != MODE_LONG) {
		if (mmu->cr4 & X86_CR4_PAE) {
			w.mode = MODE_PAE;
		} else {
			w.mode = MODE_32BIT;
			w.entry_size = sizeof(u32);
		}
	}

	w.reserved = always_reserved(&w);
	for (tries = 0; tries < MAX_TRIES; tries++) {
		r = descend(&w, gva, gpa, &error);
		if (!r && !permitted(&w, access)) {
			error = MVM_PF_PRESENT;
			r = MVM_WALK_FAULT;
		}
		if (r == MVM_WALK_FAULT) {
			fault->address = gva;
			fault->error = error_code(&w, access, error);
		}
		if (r)
			return r;

		r = set_flags(&w, access & MVM_ACCESS_WRITE);
		if (r <= 0)
			return r;
	}
	return -EAGAIN;
}
