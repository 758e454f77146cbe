// SPDX-License-Identifier: GPL-2.0
/*
 * The walk of the guest's page tables, over tables built by hand.
 */
// sources: module/x86/walk.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "x86/walk.h"

/* Bits of an entry, as the SDM numbers them. */
#define P	0x1ULL
#define RW	0x2ULL
#define US	0x4ULL
#define A	0x20ULL
#define D	0x40ULL
#define PS	0x80ULL
#define XD	0x8000000000000000ULL

#define ALL	(P | RW | US)

/* Guest memory: 16 pages from 0. Reads and writes outside fail. */
static struct {
	u8 byte[0x10000];
	int writes;
	/* the write of this number finds something else; 0 is none */
	int disturb;
	u64 disturb_with;
} ram;

static int ram_read(void *ctx, u64 gpa, void *buf, size_t len)
{
	assert_ptr_equal(ctx, &ram);
	assert_true(len == 4 || len == 8);
	assert_int_equal(gpa % len, 0);
	memset(buf, 0, len);
	if (gpa >= sizeof(ram.byte))
		return -EFAULT;
	memcpy(buf, ram.byte + gpa, len);
	return 0;
}

static int ram_cmpxchg(void *ctx, u64 gpa, u64 old, u64 new, size_t len)
{
	u64 now = 0;

	assert_ptr_equal(ctx, &ram);
	assert_true(len == 4 || len == 8);
	assert_int_equal(gpa % len, 0);
	if (gpa >= sizeof(ram.byte))
		return -EFAULT;
	if (++ram.writes == ram.disturb)
		memcpy(ram.byte + gpa, &ram.disturb_with, len);
	memcpy(&now, ram.byte + gpa, len);
	if (now != old)
		return 1;
	memcpy(ram.byte + gpa, &new, len);
	return 0;
}

static const struct mvm_walk_memory memory = { ram_read, ram_cmpxchg, &ram };
static const struct mvm_walk_memory read_only = { ram_read, NULL, &ram };

static void put64(u64 gpa, u64 entry)
{
	memcpy(ram.byte + gpa, &entry, 8);
}

static u64 get64(u64 gpa)
{
	u64 entry;

	memcpy(&entry, ram.byte + gpa, 8);
	return entry;
}

static void put32(u64 gpa, u32 entry)
{
	memcpy(ram.byte + gpa, &entry, 4);
}

static u32 get32(u64 gpa)
{
	u32 entry;

	memcpy(&entry, ram.byte + gpa, 4);
	return entry;
}

static int clear(void **state)
{
	memset(&ram, 0, sizeof(ram));
	return 0;
}

static const struct mvm_walk_mmu long_mode = {
	.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
	.cr3 = 0x1000,
	.cr4 = X86_CR4_PAE,
	.efer = EFER_LME | EFER_LMA | EFER_NX,
	.maxphyaddr = 40,
	.page_1g = true,
};

static const struct mvm_walk_mmu pae = {
	.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
	.cr3 = 0x1020,
	.cr4 = X86_CR4_PAE,
	.efer = EFER_NX,
	.maxphyaddr = 36,
};

static const struct mvm_walk_mmu legacy = {
	.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
	.cr3 = 0x1000,
	.cr4 = X86_CR4_PSE,
	.maxphyaddr = 36,
};

#define READ	MVM_ACCESS_READ
#define WRITE	MVM_ACCESS_WRITE
#define EXEC	MVM_ACCESS_EXEC

static void maps(const struct mvm_walk_mmu *mmu, u64 gva, unsigned int access,
		 u64 want)
{
	struct mvm_walk_fault fault = { ~0ULL, ~0U };
	u64 gpa = ~0ULL;
	int r;

	r = mvm_walk(mmu, &read_only, gva, access, &gpa, &fault);
	if (r == MVM_WALK_FAULT)
		fail_msg("%llx: #PF %x", gva, fault.error);
	assert_int_equal(r, 0);
	assert_int_equal(gpa, want);
	assert_int_equal(fault.error, ~0U);
}

static void faults(const struct mvm_walk_mmu *mmu, u64 gva,
		   unsigned int access, u32 want)
{
	struct mvm_walk_fault fault = { ~0ULL, ~0U };
	u64 gpa;
	int r;

	r = mvm_walk(mmu, &memory, gva, access, &gpa, &fault);
	assert_int_equal(r, MVM_WALK_FAULT);
	assert_int_equal(fault.error, want);
	assert_int_equal(fault.address, gva);
	/* an access that is not made leaves no trace */
	assert_int_equal(ram.writes, 0);
}

/* ---------------------------------------------------------------- no paging */

static void test_paging_off(void **state)
{
	struct mvm_walk_mmu mmu = { .cr0 = X86_CR0_PE, .cpl = 3 };

	maps(&mmu, 0x12345678, WRITE, 0x12345678);
	maps(&mmu, 0xffffffff12345678ULL, EXEC, 0x12345678);
}

/* --------------------------------------------------------------- translation */

/*
 * 0x0000_7f12_3456_7abc: PML4 index 0xfe, PDPT 0x48, PD 0x1a2, PT 0x167
 */
#define GVA_LONG	0x00007f1234567abcULL

static void build_long(u64 pml4e, u64 pdpte, u64 pde, u64 pte)
{
	put64(0x1000 + 0xfe * 8, pml4e);
	put64(0x2000 + 0x48 * 8, pdpte);
	put64(0x3000 + 0x1a2 * 8, pde);
	put64(0x4000 + 0x167 * 8, pte);
}

static void test_long_4k(void **state)
{
	build_long(0x2000 | ALL, 0x3000 | ALL, 0x4000 | ALL,
		   0x89abcde000 | ALL);
	maps(&long_mode, GVA_LONG, READ, 0x89abcdeabcULL);
	/* one to either side is not mapped */
	faults(&long_mode, GVA_LONG + 0x1000, READ, 0);
	faults(&long_mode, GVA_LONG - 0x1000, READ, 0);
	faults(&long_mode, GVA_LONG + 0x200000, READ, 0);
	faults(&long_mode, GVA_LONG + 0x40000000, READ, 0);
	faults(&long_mode, GVA_LONG - 0x8000000000ULL, READ, 0);
}

static void test_long_high_half(void **state)
{
	put64(0x1000 + 0x1ff * 8, 0x2000 | ALL);
	put64(0x2000 + 0x1fe * 8, 0x3000 | ALL);
	put64(0x3000 + 0 * 8, 0x4000 | ALL);
	put64(0x4000 + 0x1ff * 8, 0x7000 | ALL);
	maps(&long_mode, 0xffffffff801ff123ULL, READ, 0x7123);
}

static void test_long_2m(void **state)
{
	build_long(0x2000 | ALL, 0x3000 | ALL, 0x8912200000ULL | PS | ALL, 0);
	maps(&long_mode, GVA_LONG, READ, 0x8912367abcULL);
	/* bit 12 is PAT and no part of the address */
	build_long(0x2000 | ALL, 0x3000 | ALL, 0x8912201000ULL | PS | ALL, 0);
	maps(&long_mode, GVA_LONG, READ, 0x8912367abcULL);
}

static void test_long_1g(void **state)
{
	struct mvm_walk_mmu mmu = long_mode;

	build_long(0x2000 | ALL, 0x8940001000ULL | PS | ALL, 0, 0);
	maps(&mmu, GVA_LONG, READ, 0x8940000000ULL | (GVA_LONG & 0x3fffffff));
	/* without 1 GiB pages, the bit is reserved */
	mmu.page_1g = false;
	faults(&mmu, GVA_LONG, READ, 9);
}

/* 0xc7654321: PDPT 3, PD 0x3b, PT 0x54 in PAE; PD 0x31d, PT 0x254 in 32-bit */
#define GVA32	0xc7654321U

static void build_pae(u64 pdpte, u64 pde, u64 pte)
{
	put64(0x1020 + 3 * 8, pdpte);
	put64(0x2000 + 0x3b * 8, pde);
	put64(0x3000 + 0x54 * 8, pte);
}

/* CR3 has a PCID, or PCD and PWT, below the address. */
static void test_cr3_low_bits(void **state)
{
	struct mvm_walk_mmu mmu = long_mode;

	build_long(0x2000 | ALL, 0x3000 | ALL, 0x4000 | ALL, 0x7000 | ALL);
	mmu.cr3 |= 0xfff;
	maps(&mmu, GVA_LONG, READ, 0x7abc);

	mmu = legacy;
	mmu.cr3 |= 0x18;
	put32(0x1000, PS | ALL);
	maps(&mmu, 0x123456, READ, 0x123456);
	/* what was left there in 64-bit mode */
	mmu.cr3 |= 1ULL << 32;
	maps(&mmu, 0x123456, READ, 0x123456);

	mmu = pae;
	mmu.cr3 |= 1ULL << 32 | 0x1f;
	build_pae(0x2000 | P, 0x3000 | ALL, 0x7000 | ALL);
	maps(&mmu, GVA32, READ, 0x7321);
}

static void test_pae(void **state)
{
	struct mvm_walk_mmu mmu = pae;

	build_pae(0x2000 | P, 0x3000 | ALL, 0xabcdef000ULL | ALL);
	maps(&mmu, GVA32, READ, 0xabcdef321ULL);
	/* linear addresses have 32 bits */
	maps(&mmu, 0xffffffff00000000ULL | GVA32, READ, 0xabcdef321ULL);

	build_pae(0x2000 | P, 0xabcc00000ULL | PS | ALL, 0);
	maps(&mmu, GVA32, READ, 0xabcc54321ULL);

	/* 1 GiB pages are not there, PS is no special bit of a PDPTE */
	mmu.page_1g = true;
	build_pae(0x2000 | P, 0x3000 | ALL, 0x7000 | ALL);
	maps(&mmu, GVA32, READ, 0x7321);
	build_pae(0x2000, 0x3000 | ALL, 0x7000 | ALL);
	faults(&mmu, GVA32, READ, 0);
}

/* The registers, not what is in memory by now. */
static void test_pae_pdpte_registers(void **state)
{
	const u64 pdpte[4] = { 0, 0, 0x5000 | P, 0x2000 | P };
	struct mvm_walk_mmu mmu = pae;

	mmu.pdpte = pdpte;
	build_pae(0, 0x3000 | ALL, 0x7000 | ALL);
	maps(&mmu, GVA32, READ, 0x7321);
	faults(&mmu, GVA32 - 0x40000000, READ, 0);
	put64(0x5000 + 0x3b * 8, 0x3000 | ALL);
	maps(&mmu, GVA32 - 0x40000000, READ, 0x7321);
	faults(&mmu, 0, READ, 0);
	mmu.pdpte = NULL;
	faults(&mmu, GVA32, READ, 0);
}

static void build_legacy(u32 pde, u32 pte)
{
	put32(0x1000 + 0x31d * 4, pde);
	put32(0x2000 + 0x254 * 4, pte);
}

static void test_legacy(void **state)
{
	struct mvm_walk_mmu mmu = legacy;

	build_legacy(0x2000 | ALL, 0xfedcb000 | ALL);
	maps(&mmu, GVA32, READ, 0xfedcb321);
	maps(&mmu, 0xffffffff00000000ULL | GVA32, READ, 0xfedcb321);
	/* bit 7 of a PTE is PAT */
	build_legacy(0x2000 | ALL, 0xfedcb000 | PS | ALL);
	maps(&mmu, GVA32, READ, 0xfedcb321);
	faults(&mmu, GVA32 + 0x1000, READ, 0);
	faults(&mmu, GVA32 + 0x400000, READ, 0);

	/* a 4 MiB page; without CR4.PSE the bit means nothing */
	build_legacy(0xfec00000 | PS | ALL, 0);
	maps(&mmu, GVA32, READ, 0xfee54321);
	build_legacy(0x2000 | PS | ALL, 0x7000 | ALL);
	mmu.cr4 = 0;
	maps(&mmu, GVA32, READ, 0x7321);

	/* EFER.NXE has no say */
	mmu.efer = EFER_NX;
	maps(&mmu, GVA32, EXEC, 0x7321);
}

static void test_pse36(void **state)
{
	struct mvm_walk_mmu mmu = legacy;

	/* bits 20:13 of the entry are bits 39:32 of the address */
	mmu.maxphyaddr = 40;
	build_legacy(0xfec00000 | 0xa5 << 13 | PS | ALL, 0);
	maps(&mmu, GVA32, READ, 0xa5fee54321ULL);
	build_legacy(0xfec00000 | 1 << 12 | PS | ALL, 0);	/* PAT */
	maps(&mmu, GVA32, READ, 0xfee54321ULL);
	build_legacy(0xfec00000 | 1 << 21 | PS | ALL, 0);
	faults(&mmu, GVA32, READ, 9);

	/* no more than 40 bits, however wide the processor is */
	mmu.maxphyaddr = 46;
	build_legacy(0xfec00000 | 0xff << 13 | PS | ALL, 0);
	maps(&mmu, GVA32, READ, 0xfffee54321ULL);
	build_legacy(0xfec00000 | 1 << 21 | PS | ALL, 0);
	faults(&mmu, GVA32, READ, 9);

	mmu.maxphyaddr = 36;
	build_legacy(0xfec00000 | 0xf << 13 | PS | ALL, 0);
	maps(&mmu, GVA32, READ, 0xffee54321ULL);
	build_legacy(0xfec00000 | 1 << 17 | PS | ALL, 0);
	faults(&mmu, GVA32, READ, 9);

	mmu.maxphyaddr = 33;
	build_legacy(0xfec00000 | 1 << 13 | PS | ALL, 0);
	maps(&mmu, GVA32, READ, 0x1fee54321ULL);
	build_legacy(0xfec00000 | 1 << 14 | PS | ALL, 0);
	faults(&mmu, GVA32, READ, 9);

	mmu.maxphyaddr = 32;
	build_legacy(0xfec00000 | 1 << 13 | PS | ALL, 0);
	faults(&mmu, GVA32, READ, 9);
	build_legacy(0xfec00000 | PS | ALL, 0);
	maps(&mmu, GVA32, READ, 0xfee54321ULL);
}

/* ------------------------------------------------------------- reserved bits */

/*
 * Sets each bit of the entry at @gpa in turn; exactly those in @reserved must
 * raise #PF with RSVD. Bits that mean something are left out.
 */
static void each_bit(const struct mvm_walk_mmu *mmu, u64 gva, u64 gpa,
		     u64 meaningful, u64 reserved)
{
	u64 entry = get64(gpa), x, before;
	struct mvm_walk_fault none;
	int bit, r;

	r = mvm_walk(mmu, &read_only, gva, WRITE, &before, &none);
	assert_int_equal(r, 0);
	for (bit = 0; bit < 64; bit++) {
		struct mvm_walk_fault fault = { 0 };

		if (meaningful & BIT_ULL(bit))
			continue;
		put64(gpa, entry | BIT_ULL(bit));
		r = mvm_walk(mmu, &read_only, gva, WRITE, &x, &fault);
		if ((r == MVM_WALK_FAULT && fault.error == 0xb) !=
		    !!(reserved & BIT_ULL(bit)))
			fail_msg("bit %d of %llx: %d, error %x", bit, entry, r,
				 fault.error);
		/* what is no address must not get into one */
		if (!r && (bit < 12 || bit >= mmu->maxphyaddr))
			assert_int_equal(x, before);
	}
	put64(gpa, entry);
}

static void test_reserved_long(void **state)
{
	const u64 address = GENMASK_ULL(39, 12);
	const u64 high = GENMASK_ULL(51, 40);
	struct mvm_walk_mmu mmu = long_mode;

	build_long(0x2000 | ALL, 0x3000 | ALL, 0x4000 | ALL, 0x7000 | ALL);
	each_bit(&mmu, GVA_LONG, 0x1000 + 0xfe * 8, address, high | PS);
	each_bit(&mmu, GVA_LONG, 0x2000 + 0x48 * 8, address | PS, high);
	each_bit(&mmu, GVA_LONG, 0x3000 + 0x1a2 * 8, address | PS, high);
	each_bit(&mmu, GVA_LONG, 0x4000 + 0x167 * 8, 0, high);

	/* also when it leads to where a table might be */
	put64(0x1000 + 0xfe * 8, PS | ALL);
	faults(&mmu, GVA_LONG, READ, 9);
	put64(0x1000 + 0xfe * 8, 0x2000 | ALL);

	mmu.efer &= ~EFER_NX;
	each_bit(&mmu, GVA_LONG, 0x1000 + 0xfe * 8, address, high | PS | XD);
	each_bit(&mmu, GVA_LONG, 0x4000 + 0x167 * 8, 0, high | XD);
	mmu.efer |= EFER_NX;

	mmu.maxphyaddr = 52;
	each_bit(&mmu, GVA_LONG, 0x4000 + 0x167 * 8, 0, 0);
	mmu.maxphyaddr = 51;
	each_bit(&mmu, GVA_LONG, 0x4000 + 0x167 * 8, 0, BIT_ULL(51));
	mmu.maxphyaddr = 40;

	build_long(0x2000 | ALL, 0x3000 | ALL, PS | ALL, 0);
	each_bit(&mmu, GVA_LONG, 0x3000 + 0x1a2 * 8, 0,
		 high | GENMASK_ULL(20, 13));
	build_long(0x2000 | ALL, PS | ALL, 0, 0);
	each_bit(&mmu, GVA_LONG, 0x2000 + 0x48 * 8, 0,
		 high | GENMASK_ULL(29, 13));
}

static void test_reserved_pae(void **state)
{
	const u64 address = GENMASK_ULL(35, 12);
	const u64 high = GENMASK_ULL(62, 36);
	struct mvm_walk_mmu mmu = pae;

	build_pae(0x2000 | P, 0x3000 | ALL, 0x7000 | ALL);
	each_bit(&mmu, GVA32, 0x2000 + 0x3b * 8, address | PS, high);
	each_bit(&mmu, GVA32, 0x3000 + 0x54 * 8, 0, high);
	mmu.efer = 0;
	each_bit(&mmu, GVA32, 0x3000 + 0x54 * 8, 0, high | XD);
	build_pae(0x2000 | P, PS | ALL, 0);
	each_bit(&mmu, GVA32, 0x2000 + 0x3b * 8, 0,
		 high | XD | GENMASK_ULL(20, 13));
}

/* The first thing that is wrong on the way down counts. */
static void test_order_of_faults(void **state)
{
	struct mvm_walk_mmu mmu = long_mode;

	mmu.cpl = 3;
	/* read-only, then not present: not a protection violation */
	build_long(0x2000 | P, 0x3000 | P, 0x4000 | P, 0);
	faults(&mmu, GVA_LONG, WRITE, 6);
	/* protected and reserved: reserved */
	build_long(0x2000 | P, 0x3000 | P, 0x4000 | P, BIT_ULL(45) | P);
	faults(&mmu, GVA_LONG, WRITE, 0xf);
	/* not present: the other bits mean nothing */
	build_long(0x2000 | P, 0x3000 | P, 0x4000 | P, BIT_ULL(45));
	faults(&mmu, GVA_LONG, READ, 4);
	/* reserved above, not present below */
	build_long(BIT_ULL(45) | 0x2000 | P, 0, 0, 0);
	faults(&mmu, GVA_LONG, READ, 0xd);
}

/* -------------------------------------------------------------------- rights */

/*
 * "Access Rights" in the words of the SDM, for one page and one access. It
 * says of each kind of access when it is allowed.
 */
struct rights {
	bool user_address, writable, xd;	/* of the translation */
	bool wp, smep, smap, nxe, ac, user_mode, implicit;
};

static bool sdm_allows(const struct rights *x, unsigned int access)
{
	bool instruction_ok = !x->nxe || !x->xd;

	if (!x->user_mode) {
		bool smap_ok = !x->smap || (x->ac && !x->implicit);

		switch (access) {
		case READ:
			if (!x->user_address)
				return true;
			return smap_ok;
		case WRITE:
			if (!x->wp)
				return x->user_address ? smap_ok : true;
			if (!x->user_address)
				return x->writable;
			return x->writable && smap_ok;
		case EXEC:
			if (!x->user_address)
				return instruction_ok;
			return !x->smep && instruction_ok;
		}
	}
	switch (access) {
	case READ:
		return x->user_address;
	case WRITE:
		return x->user_address && x->writable;
	default:
		return x->user_address && instruction_ok;
	}
}

/* Every combination, with the flag missing at each level in turn. */
static void rights_in(const struct mvm_walk_mmu *base, u64 gva, int levels,
		      void (*build)(const u64 *flags))
{
	static const unsigned int accesses[] = { READ, WRITE, EXEC };
	bool has_xd = base != &legacy;
	u64 flags[4];
	int c, a, cpl, level, i, r;

	for (c = 0; c < 1 << 10; c++) {
		struct rights x = {
			.user_address = c & 1,
			.writable = c & 2,
			.xd = c & 4,
			.wp = c & 8,
			.smep = c & 16,
			.smap = c & 32,
			.nxe = c & 64,
			.ac = c & 128,
			.implicit = c & 256,
			.user_mode = c & 512,
		};

		/* XD is a right only where it is a bit, and enabled */
		if (x.xd && (!x.nxe || !has_xd))
			continue;
		for (i = 0; i < 3 * levels * 3; i++) {
			struct mvm_walk_fault fault = { 0 };
			struct mvm_walk_mmu mmu = *base;
			bool user;
			u64 gpa;
			u32 want;

			a = accesses[i % 3];
			level = i / 3 % levels;
			/* supervisor mode is any CPL below 3 */
			cpl = x.user_mode ? 3 : i / 3 / levels;
			if (x.implicit && a == EXEC)
				continue;

			for (r = 0; r < levels; r++) {
				flags[r] = ALL;
				if (r == level) {
					flags[r] &= x.user_address ? ~0ULL : ~US;
					flags[r] &= x.writable ? ~0ULL : ~RW;
					flags[r] |= x.xd ? XD : 0;
				}
			}
			build(flags);
			mmu.cr0 = X86_CR0_PE | X86_CR0_PG;
			mmu.cr0 |= x.wp ? X86_CR0_WP : 0;
			mmu.cr4 |= x.smep ? X86_CR4_SMEP : 0;
			mmu.cr4 |= x.smap ? X86_CR4_SMAP : 0;
			mmu.efer &= ~EFER_NX;
			mmu.efer |= x.nxe ? EFER_NX : 0;
			mmu.ac = x.ac;
			mmu.cpl = cpl;

			user = x.user_mode && !x.implicit;
			x.user_mode = user;
			want = P | (a == WRITE ? 2 : 0) | (user ? 4 : 0);
			if (a == EXEC && (x.smep || (has_xd && x.nxe)))
				want |= 16;

			r = mvm_walk(&mmu, &read_only, gva,
				     a | (x.implicit ? MVM_ACCESS_IMPLICIT : 0),
				     &gpa, &fault);
			if (r != !sdm_allows(&x, a) ||
			    (r && fault.error != want))
				fail_msg("case %x, level %d, access %x: got %d, #PF %x, want %x",
					 c, level, a, r, fault.error, want);
			x.user_mode = c & 512;
		}
	}
}

static void flags_long(const u64 *f)
{
	build_long(0x2000 | f[0], 0x3000 | f[1], 0x4000 | f[2], 0x7000 | f[3]);
}

static void flags_pae(const u64 *f)
{
	build_pae(0x2000 | P, 0x3000 | f[0], 0x7000 | f[1]);
}

static void flags_legacy(const u64 *f)
{
	build_legacy(0x2000 | f[0], 0x7000 | f[1]);
}

static void test_rights_long(void **state)
{
	rights_in(&long_mode, GVA_LONG, 4, flags_long);
}

static void test_rights_pae(void **state)
{
	rights_in(&pae, GVA32, 2, flags_pae);
}

static void test_rights_legacy(void **state)
{
	rights_in(&legacy, GVA32, 2, flags_legacy);
}

/* A fetch is told from a read by SMEP, or by PAE and NXE together. */
static void test_fetch_bit(void **state)
{
	struct mvm_walk_mmu mmu = legacy;

	faults(&mmu, GVA32, EXEC, 0);
	mmu.efer = EFER_NX;
	faults(&mmu, GVA32, EXEC, 0);
	mmu.cr4 |= X86_CR4_SMEP;
	faults(&mmu, GVA32, EXEC, 0x10);

	mmu = pae;
	faults(&mmu, GVA32, EXEC, 0x10);
	mmu.efer = 0;
	faults(&mmu, GVA32, EXEC, 0);
	mmu.cr4 |= X86_CR4_SMEP;
	faults(&mmu, GVA32, EXEC, 0x10);
	faults(&mmu, GVA32, READ, 0);
}

/* ---------------------------------------------------- accessed and dirty flags */

static void walk_ok(const struct mvm_walk_mmu *mmu,
		    const struct mvm_walk_memory *mem, u64 gva,
		    unsigned int access)
{
	struct mvm_walk_fault fault;
	u64 gpa;

	assert_int_equal(mvm_walk(mmu, mem, gva, access, &gpa, &fault), 0);
}

static void expect_long(u64 pml4e, u64 pdpte, u64 pde, u64 pte)
{
	assert_int_equal(get64(0x1000 + 0xfe * 8), pml4e);
	assert_int_equal(get64(0x2000 + 0x48 * 8), pdpte);
	assert_int_equal(get64(0x3000 + 0x1a2 * 8), pde);
	assert_int_equal(get64(0x4000 + 0x167 * 8), pte);
}

static void test_flags_long(void **state)
{
	build_long(0x2000 | ALL, 0x3000 | ALL, 0x4000 | ALL, 0x7000 | ALL);

	walk_ok(&long_mode, &read_only, GVA_LONG, WRITE);
	expect_long(0x2000 | ALL, 0x3000 | ALL, 0x4000 | ALL, 0x7000 | ALL);

	walk_ok(&long_mode, &memory, GVA_LONG, READ);
	expect_long(0x2000 | ALL | A, 0x3000 | ALL | A, 0x4000 | ALL | A,
		    0x7000 | ALL | A);
	assert_int_equal(ram.writes, 4);

	walk_ok(&long_mode, &memory, GVA_LONG, WRITE);
	expect_long(0x2000 | ALL | A, 0x3000 | ALL | A, 0x4000 | ALL | A,
		    0x7000 | ALL | A | D);
	assert_int_equal(ram.writes, 5);

	/* nothing left to do */
	walk_ok(&long_mode, &memory, GVA_LONG, WRITE);
	walk_ok(&long_mode, &memory, GVA_LONG, EXEC);
	assert_int_equal(ram.writes, 5);

	/* the page's entry is the one that gets D */
	build_long(0x2000 | ALL, 0x3000 | ALL, PS | ALL, 0);
	walk_ok(&long_mode, &memory, GVA_LONG, WRITE);
	expect_long(0x2000 | ALL | A, 0x3000 | ALL | A, PS | ALL | A | D, 0);
}

static void test_flags_32bit(void **state)
{
	build_pae(0x2000 | P, 0x3000 | ALL, 0x7000 | ALL);
	walk_ok(&pae, &memory, GVA32, WRITE);
	/* a PDPTE has none */
	assert_int_equal(get64(0x1020 + 3 * 8), 0x2000 | P);
	assert_int_equal(get64(0x2000 + 0x3b * 8), 0x3000 | ALL | A);
	assert_int_equal(get64(0x3000 + 0x54 * 8), 0x7000 | ALL | A | D);

	clear(NULL);
	build_legacy(0x2000 | ALL, 0x7000 | ALL);
	put32(0x1000 + 0x31e * 4, 0xffffffff);
	put32(0x2000 + 0x255 * 4, 0xffffffff);
	walk_ok(&legacy, &memory, GVA32, WRITE);
	assert_int_equal(get32(0x1000 + 0x31d * 4), 0x2000 | ALL | A);
	assert_int_equal(get32(0x2000 + 0x254 * 4), 0x7000 | ALL | A | D);
	/* the neighbours are as they were */
	assert_int_equal(get32(0x1000 + 0x31e * 4), 0xffffffff);
	assert_int_equal(get32(0x2000 + 0x255 * 4), 0xffffffff);
}

/* Another CPU changes the page table between our read and our write. */
static void test_disturbed(void **state)
{
	struct mvm_walk_fault fault = { 0 };
	u64 gpa = 0;

	/* the page moves: the new place counts, with all its flags */
	build_long(0x2000 | ALL, 0x3000 | ALL, 0x4000 | ALL, 0x7000 | ALL);
	ram.disturb = 4;
	ram.disturb_with = 0x8000 | ALL;
	assert_int_equal(mvm_walk(&long_mode, &memory, GVA_LONG, WRITE, &gpa,
				  &fault), 0);
	assert_int_equal(gpa, 0x8abc);
	assert_int_equal(get64(0x4000 + 0x167 * 8), 0x8000 | ALL | A | D);

	/* the page goes away */
	clear(NULL);
	build_long(0x2000 | ALL, 0x3000 | ALL, 0x4000 | ALL, 0x7000 | ALL);
	ram.disturb = 2;
	assert_int_equal(mvm_walk(&long_mode, &memory, GVA_LONG, WRITE, &gpa,
				  &fault), MVM_WALK_FAULT);
	assert_int_equal(fault.error, 2);
}

static int never_still(void *ctx, u64 gpa, u64 old, u64 new, size_t len)
{
	ram.writes++;
	return 1;
}

static int broken(void *ctx, u64 gpa, u64 old, u64 new, size_t len)
{
	return -EROFS;
}

static void test_errors(void **state)
{
	struct mvm_walk_memory mem = memory;
	struct mvm_walk_mmu mmu = long_mode;
	struct mvm_walk_fault fault;
	u64 gpa;

	build_long(0x2000 | ALL, 0x3000 | ALL, 0x4000 | ALL, 0x7000 | ALL);
	mem.cmpxchg = never_still;
	assert_int_equal(mvm_walk(&mmu, &mem, GVA_LONG, READ, &gpa, &fault),
			 -EAGAIN);
	assert_true(ram.writes > 1 && ram.writes < 100);
	ram.writes = 0;
	mem.cmpxchg = broken;
	assert_int_equal(mvm_walk(&mmu, &mem, GVA_LONG, READ, &gpa, &fault),
			 -EROFS);

	/* tables where no memory is, on each level */
	build_long(0x2000 | ALL, 0x3000 | ALL, 0x100000 | ALL, 0);
	assert_int_equal(mvm_walk(&mmu, &memory, GVA_LONG, READ, &gpa, &fault),
			 -EFAULT);
	build_long(0x100000 | ALL, 0, 0, 0);
	assert_int_equal(mvm_walk(&mmu, &memory, GVA_LONG, READ, &gpa, &fault),
			 -EFAULT);
	mmu.cr3 = 0x100000;
	assert_int_equal(mvm_walk(&mmu, &memory, GVA_LONG, READ, &gpa, &fault),
			 -EFAULT);
	mmu = pae;
	mmu.cr3 = 0x100000;
	assert_int_equal(mvm_walk(&mmu, &memory, GVA32, READ, &gpa, &fault),
			 -EFAULT);
	mmu = legacy;
	mmu.cr3 = 0x100000;
	assert_int_equal(mvm_walk(&mmu, &memory, GVA32, READ, &gpa, &fault),
			 -EFAULT);
	assert_int_equal(ram.writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_paging_off, clear),
		cmocka_unit_test_setup(test_long_4k, clear),
		cmocka_unit_test_setup(test_long_high_half, clear),
		cmocka_unit_test_setup(test_long_2m, clear),
		cmocka_unit_test_setup(test_long_1g, clear),
		cmocka_unit_test_setup(test_cr3_low_bits, clear),
		cmocka_unit_test_setup(test_pae, clear),
		cmocka_unit_test_setup(test_pae_pdpte_registers, clear),
		cmocka_unit_test_setup(test_legacy, clear),
		cmocka_unit_test_setup(test_pse36, clear),
		cmocka_unit_test_setup(test_reserved_long, clear),
		cmocka_unit_test_setup(test_reserved_pae, clear),
		cmocka_unit_test_setup(test_order_of_faults, clear),
		cmocka_unit_test_setup(test_rights_long, clear),
		cmocka_unit_test_setup(test_rights_pae, clear),
		cmocka_unit_test_setup(test_rights_legacy, clear),
		cmocka_unit_test_setup(test_fetch_bit, clear),
		cmocka_unit_test_setup(test_flags_long, clear),
		cmocka_unit_test_setup(test_flags_32bit, clear),
		cmocka_unit_test_setup(test_disturbed, clear),
		cmocka_unit_test_setup(test_errors, clear),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
