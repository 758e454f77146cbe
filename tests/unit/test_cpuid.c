// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest may be shown of CPUID, and what it gets when it asks.
 */
// sources: module/x86/cpuid.c module/x86/cpuid_supported.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <asm/processor-flags.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/string.h>

#include "x86/cpuid.h"

#define MAX_ENTRIES	256
#define INDEXED		KVM_CPUID_FLAG_SIGNIFCANT_INDEX

struct leaf {
	u32 function, index;
	u32 eax, ebx, ecx, edx;
};

static void answer(const struct leaf *leaf, u32 out[4])
{
	out[MVM_EAX] = leaf->eax;
	out[MVM_EBX] = leaf->ebx;
	out[MVM_ECX] = leaf->ecx;
	out[MVM_EDX] = leaf->edx;
}

/*
 * A server processor: every feature bit is set, those that nobody has defined
 * yet too, so that what comes through is what the filter lets through.
 */
static const struct leaf full[] = {
	/* GenuineIntel, highest leaf 20H */
	{ 0x0, 0, 0x20, 0x756e6547, 0x6c65746e, 0x49656e69 },
	/* EBX: APIC ID, logical processors, CLFLUSH size, brand */
	{ 0x1, 0, 0x00050654, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0x2, 0, 0x76036301, 0x00f0b5ff, 0, 0x00c30000 },
	{ 0x3, 0, 0x11111111, 0x22222222, 0x33333333, 0x44444444 },
	/* L1D and L2: 32 cores a package, two threads share */
	{ 0x4, 0, 0x7c004121, 0x01c0003f, 0x3f, 0 },
	{ 0x4, 1, 0x7c004143, 0x03c0003f, 0x3ff, 0 },
	{ 0x4, 2, 0x20, 0, 0, 0 },
	{ 0x5, 0, 0x40, 0x40, 3, 0x2020 },
	{ 0x6, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0x7, 0, 2, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0x7, 1, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0x7, 2, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0x9, 0, 1, 1, 1, 1 },
	{ 0xa, 0, 0x07300404, 0, 0, 0x603 },
	{ 0xb, 0, 1, 2, 0x100, 0x5a },
	{ 0xb, 1, 6, 64, 0x201, 0x5a },
	/* all user components up to tile data, as Intel lays them out */
	{ 0xd, 0, 0x000602ff, 11008, 11008, 0 },
	{ 0xd, 1, 0xffffffff, 0x988, 0x00000100, 0xffffffff },
	{ 0xd, 2, 256, 576, 0, 0 },
	{ 0xd, 3, 64, 960, 0, 0 },
	{ 0xd, 4, 64, 1024, 0, 0 },
	{ 0xd, 5, 64, 1088, 0, 0 },
	{ 0xd, 6, 512, 1152, 0, 0 },
	{ 0xd, 7, 1024, 1664, 0, 0 },
	{ 0xd, 8, 128, 0, 1, 0 },
	{ 0xd, 9, 8, 2688, 0, 0 },
	{ 0xd, 17, 64, 2752, 2, 0 },
	{ 0xd, 18, 8192, 2816, 6, 0 },
	{ 0x14, 0, 1, 0xf, 7, 0 },
	{ 0x15, 0, 2, 0xa8, 25000000, 0 },
	{ 0x16, 0, 2100, 3700, 100, 0 },
	{ 0x1f, 0, 1, 2, 0x100, 0x5a },
	{ 0x80000000, 0, 0x80000021, 9, 9, 9 },
	{ 0x80000001, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0x80000002, 0, 0x65746e49, 0x2952286c, 0x6f655820, 0x2952286e },
	{ 0x80000003, 0, 0x6c6f4720, 0x31362064, 0x43203033, 0x40205550 },
	{ 0x80000004, 0, 0x312e3220, 0x7a484730, 0, 0 },
	{ 0x80000005, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0x80000006, 0, 0xffffffff, 0xffffffff, 0x01006040, 0xffffffff },
	{ 0x80000007, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
	/* 52 physical and 57 linear bits */
	{ 0x80000008, 0, 0xffff3934, 0xffffffff, 0xffffffff, 0xffffffff },
};

static void full_host(u32 function, u32 index, u32 out[4])
{
	size_t i;

	memset(out, 0, 4 * sizeof(u32));
	for (i = 0; i < ARRAY_SIZE(full); i++)
		if (full[i].function == function && full[i].index == index)
			answer(&full[i], out);
}

/* The first processors with VT-x that we accept: no XSAVE, no leaf 0DH. */
static void old_host(u32 function, u32 index, u32 out[4])
{
	static const struct leaf leaf0 = {
		0, 0, 0xb, 0x756e6547, 0x6c65746e, 0x49656e69
	};
	static const struct leaf leaf80000008 = { 0, 0, 0x3024, 0, 0, 0 };

	full_host(function, index, out);
	if (function == 0)
		answer(&leaf0, out);
	if (function == 0xd)
		memset(out, 0, 4 * sizeof(u32));
	if (function == 0x80000008)
		answer(&leaf80000008, out);
}

struct table {
	struct kvm_cpuid_entry2 e[MAX_ENTRIES];
	u32 n;
	struct mvm_cpuid_limits lim;
};

/* XCR0 of a host that has everything, MPX, PKRU and AMX too. */
#define XCR0_ALL	0x602ffULL

static void supported(struct table *t, mvm_cpuid_host_fn host, u64 xcr0,
		      bool flags)
{
	int n;

	memset(t, 0xff, sizeof(*t));
	mvm_cpuid_limits_init(&t->lim, host, xcr0);
	t->lim.rdtscp = flags;
	t->lim.invpcid = flags;
	t->lim.pcid = flags;
	n = mvm_cpuid_supported(host, &t->lim, t->e, MAX_ENTRIES);
	assert_true(n > 0);
	t->n = n;
}

static struct kvm_cpuid_entry2 *entry(struct table *t, u32 function, u32 index)
{
	struct kvm_cpuid_entry2 *e = mvm_cpuid_find(t->e, t->n, function, index);

	if (!e)
		fail_msg("%x.%x is not there", function, index);
	return e;
}

static void compare(u32 function, u32 index, const u32 got[4],
		    const u32 want[4])
{
	if (memcmp(got, want, 4 * sizeof(u32)))
		fail_msg("%x.%x: got %x %x %x %x, want %x %x %x %x", function,
			 index, got[0], got[1], got[2], got[3], want[0],
			 want[1], want[2], want[3]);
}

static void check(struct table *t, u32 function, u32 index, u32 eax, u32 ebx,
		  u32 ecx, u32 edx)
{
	const struct kvm_cpuid_entry2 *e = entry(t, function, index);
	const u32 got[4] = { e->eax, e->ebx, e->ecx, e->edx };
	const u32 want[4] = { eax, ebx, ecx, edx };

	compare(function, index, got, want);
}

/* ------------------------------------------------------- what is supported */

/*
 * The allow list once more, by bit number from the SDM's tables: whoever adds a
 * feature writes it down twice.
 */
static void test_full_host(void **state)
{
	const u32 l1_ecx = BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) |
			   BIT(17) | BIT(19) | BIT(20) | BIT(21) | BIT(22) | BIT(23) |
			   BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30);
	const u32 l1_edx = GENMASK(9, 0) | GENMASK(17, 11) | BIT(19) |
			   GENMASK(27, 23);
	const u32 l7_ebx = BIT(0) | BIT(1) | GENMASK(11, 3) | BIT(13) | GENMASK(21, 16) |
			   BIT(23) | BIT(24) | GENMASK(31, 26);
	const u32 l7_ecx = BIT(1) | BIT(2) | BIT(6) | GENMASK(12, 8) | BIT(14) |
			   BIT(22) | BIT(25) | BIT(27) | BIT(28);
	const u32 l7_edx = GENMASK(4, 2) | BIT(8) | BIT(10) | BIT(14) |
			   BIT(16) | BIT(23);
	struct table t;

	supported(&t, full_host, XCR0_ALL, true);

	check(&t, 0x0, 0, 0xd, 0x756e6547, 0x6c65746e, 0x49656e69);
	check(&t, 0x1, 0, 0x00050654, 0xff00, l1_ecx, l1_edx);
	check(&t, 0x2, 0, 0x76036301, 0x00f0b5ff, 0, 0x00c30000);
	check(&t, 0x3, 0, 0, 0, 0, 0);
	check(&t, 0x5, 0, 0, 0, 0, 0);
	check(&t, 0x6, 0, BIT(2), 0, 0, 0);
	check(&t, 0x7, 0, 1, l7_ebx, l7_ecx, l7_edx);
	check(&t, 0x7, 1, BIT(4) | BIT(5), 0, 0, 0);
	check(&t, 0x8, 0, 0, 0, 0, 0);
	check(&t, 0x9, 0, 0, 0, 0, 0);
	check(&t, 0xa, 0, 0, 0, 0, 0);
	check(&t, 0xb, 0, 0, 0, 0, 0);
	check(&t, 0xc, 0, 0, 0, 0, 0);
	check(&t, 0x80000000, 0, 0x80000008, 0, 0, 0);
	check(&t, 0x80000001, 0, 0, 0, BIT(0) | BIT(5) | BIT(8),
	      BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29));
	check(&t, 0x80000002, 0, 0x65746e49, 0x2952286c, 0x6f655820, 0x2952286e);
	check(&t, 0x80000003, 0, 0x6c6f4720, 0x31362064, 0x43203033, 0x40205550);
	check(&t, 0x80000004, 0, 0x312e3220, 0x7a484730, 0, 0);
	check(&t, 0x80000005, 0, 0, 0, 0, 0);
	check(&t, 0x80000006, 0, 0, 0, 0x01006040, 0);
	check(&t, 0x80000007, 0, 0, 0, 0, BIT(8));
	/* 4-level EPT takes 48 bits, LA57 is not offered */
	check(&t, 0x80000008, 0, 48 << 8 | 48, BIT(9), 0, 0);
}

static void test_each_leaf_once(void **state)
{
	struct table t;
	u32 i, j;

	supported(&t, full_host, XCR0_ALL, true);
	for (i = 0; i < t.n; i++) {
		u32 f = t.e[i].function;
		bool indexed = f == 4 || f == 7 || f == 0xb || f == 0xd;

		assert_int_equal(t.e[i].flags, indexed ? INDEXED : 0);
		assert_int_equal(t.e[i].padding[0], 0);
		if (!indexed)
			assert_int_equal(t.e[i].index, 0);
		for (j = 0; j < i; j++)
			assert_false(t.e[j].function == f &&
				     t.e[j].index == t.e[i].index);
	}
}

/* The ones that would break something when they came through. */
static void test_never_shown(void **state)
{
	static const struct {
		const char *name;
		u32 function, index;
		enum mvm_cpuid_reg reg;
		int bit;
	} never[] = {
		{ "DTES64",		1, 0, MVM_ECX, 2 },
		{ "MONITOR",		1, 0, MVM_ECX, 3 },
		{ "DS-CPL",		1, 0, MVM_ECX, 4 },
		{ "VMX",		1, 0, MVM_ECX, 5 },
		{ "SMX",		1, 0, MVM_ECX, 6 },
		{ "EIST",		1, 0, MVM_ECX, 7 },
		{ "TM2",		1, 0, MVM_ECX, 8 },
		{ "SDBG",		1, 0, MVM_ECX, 11 },
		{ "PDCM",		1, 0, MVM_ECX, 15 },
		{ "TSC-Deadline",	1, 0, MVM_ECX, 24 },
		{ "OSXSAVE",		1, 0, MVM_ECX, 27 },
		{ "hypervisor",		1, 0, MVM_ECX, 31 },
		{ "DS",			1, 0, MVM_EDX, 21 },
		{ "HTT",		1, 0, MVM_EDX, 28 },
		{ "SGX",		7, 0, MVM_EBX, 2 },
		{ "RDT-M",		7, 0, MVM_EBX, 12 },
		{ "MPX",		7, 0, MVM_EBX, 14 },
		{ "RDT-A",		7, 0, MVM_EBX, 15 },
		{ "Intel PT",		7, 0, MVM_EBX, 25 },
		{ "PKU",		7, 0, MVM_ECX, 3 },
		{ "OSPKE",		7, 0, MVM_ECX, 4 },
		{ "WAITPKG",		7, 0, MVM_ECX, 5 },
		{ "CET_SS",		7, 0, MVM_ECX, 7 },
		{ "LA57",		7, 0, MVM_ECX, 16 },
		{ "KL",			7, 0, MVM_ECX, 23 },
		{ "ENQCMD",		7, 0, MVM_ECX, 29 },
		{ "SGX_LC",		7, 0, MVM_ECX, 30 },
		{ "PKS",		7, 0, MVM_ECX, 31 },
		{ "UINTR",		7, 0, MVM_EDX, 5 },
		{ "PCONFIG",		7, 0, MVM_EDX, 18 },
		{ "arch LBRs",		7, 0, MVM_EDX, 19 },
		{ "CET_IBT",		7, 0, MVM_EDX, 20 },
		{ "AMX-TILE",		7, 0, MVM_EDX, 24 },
		{ "IBRS, IBPB",		7, 0, MVM_EDX, 26 },
		{ "STIBP",		7, 0, MVM_EDX, 27 },
		{ "L1D_FLUSH",		7, 0, MVM_EDX, 28 },
		{ "ARCH_CAPABILITIES",	7, 0, MVM_EDX, 29 },
		{ "CORE_CAPABILITIES",	7, 0, MVM_EDX, 30 },
		{ "SSBD",		7, 0, MVM_EDX, 31 },
		{ "FRED",		7, 1, MVM_EAX, 17 },
		{ "LAM",		7, 1, MVM_EAX, 26 },
		{ "XSAVES",		0xd, 1, MVM_EAX, 3 },
		{ "XFD",		0xd, 1, MVM_EAX, 4 },
	};
	struct table t;
	size_t i;

	supported(&t, full_host, XCR0_ALL, true);
	for (i = 0; i < ARRAY_SIZE(never); i++) {
		const struct kvm_cpuid_entry2 *e;
		u32 regs[4];

		e = entry(&t, never[i].function, never[i].index);
		regs[MVM_EAX] = e->eax;
		regs[MVM_EBX] = e->ebx;
		regs[MVM_ECX] = e->ecx;
		regs[MVM_EDX] = e->edx;
		if (regs[never[i].reg] & BIT(never[i].bit))
			fail_msg("%s is shown", never[i].name);
	}
	/* nothing past the maxima, of hypervisor leaves those of kvmclock */
	for (i = 0; i < t.n; i++)
		assert_true(t.e[i].function <= 0xd ||
			    t.e[i].function == 0x40000000 || t.e[i].function == 0x40000001 ||
			    (t.e[i].function >= 0x80000000 &&
			     t.e[i].function <= 0x80000008));
	assert_memory_equal(&entry(&t, 0x40000000, 0)->ebx, "KVMKVMKVM\0\0", 12);
	/* Documentation/virt/kvm/x86/cpuid.rst: clocksource, nop_io_delay, clocksource2 */
	check(&t, 0x40000001, 0, 0x0100000b, 0, 0, 0);
}

static void test_caches_belong_to_one_processor(void **state)
{
	struct table t;

	supported(&t, full_host, XCR0_ALL, true);
	check(&t, 4, 0, 0x0121, 0x01c0003f, 0x3f, 0);
	check(&t, 4, 1, 0x0143, 0x03c0003f, 0x3ff, 0);
	check(&t, 4, 2, 0x20, 0, 0, 0);
	assert_null(mvm_cpuid_find(t.e, t.n, 4, 3));
}

/* Each register of a feature's entry is looked at, and no other. */
static void test_has(void **state)
{
	struct kvm_cpuid_entry2 e[] = {
		{ .function = 1, .ecx = BIT(26) },
		{ .function = 6, .eax = BIT(2) },
		{ .function = 7, .flags = INDEXED, .index = 1, .ebx = ~0 },
		{ .function = 7, .flags = INDEXED, .ebx = BIT(7) },
		{ .function = 0x80000001, .edx = BIT(20), .ecx = ~0x20 },
	};
	const u32 n = ARRAY_SIZE(e);

	assert_true(mvm_cpuid_has(e, n, MVM_FEATURE_XSAVE));
	assert_true(mvm_cpuid_has(e, n, MVM_FEATURE_ARAT));
	assert_true(mvm_cpuid_has(e, n, MVM_FEATURE_SMEP));
	assert_true(mvm_cpuid_has(e, n, MVM_FEATURE_NX));
	assert_false(mvm_cpuid_has(e, n, MVM_FEATURE_SSE2));
	assert_false(mvm_cpuid_has(e, n, MVM_FEATURE_SMAP));
	assert_false(mvm_cpuid_has(e, n, MVM_FEATURE_LZCNT));
	assert_false(mvm_cpuid_has(e, n, MVM_FEATURE_LM));
	assert_false(mvm_cpuid_has(e, 3, MVM_FEATURE_SMEP));
	assert_false(mvm_cpuid_has(NULL, 0, MVM_FEATURE_FPU));
	e[1].eax = ~0x4;
	assert_false(mvm_cpuid_has(e, n, MVM_FEATURE_ARAT));
}

static void test_flags_take_features_away(void **state)
{
	struct table t;

	supported(&t, full_host, XCR0_ALL, false);
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_RDTSCP));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_RDPID));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_INVPCID));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_PCID));
	assert_true(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_SMEP));
	assert_int_equal(entry(&t, 0x80000001, 0)->edx,
			 BIT(11) | BIT(20) | BIT(26) | BIT(29));

	supported(&t, full_host, XCR0_ALL, true);
	assert_true(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_RDTSCP));
	assert_true(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_RDPID));
	assert_true(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_INVPCID));
	assert_true(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_PCID));
}

/* A feature that the host lacks is not invented. */
static void bare_host(u32 function, u32 index, u32 out[4])
{
	static const u32 max[] = { 0xd, 0x80000008 };

	memset(out, 0, 4 * sizeof(u32));
	if (!(function & 0x7fffffff))
		out[MVM_EAX] = max[function >> 31];
}

static void test_nothing_invented(void **state)
{
	struct table t;
	int f;

	supported(&t, bare_host, XCR0_ALL, true);
	/* But for x2APIC mode, which needs nothing of the CPU */
	for (f = 0; f < MVM_FEATURE_COUNT; f++)
		assert_int_equal(mvm_cpuid_has(t.e, t.n, f), f == MVM_FEATURE_X2APIC);
	assert_int_equal(t.lim.xcr0_mask, 0);
}

static void test_xstate(void **state)
{
	struct table t;

	/* MPX, PKRU and AMX go, the rest keeps its place */
	supported(&t, full_host, XCR0_ALL, true);
	assert_int_equal(t.lim.xcr0_mask, 0xe7);
	check(&t, 0xd, 0, 0xe7, 2688, 2688, 0);
	/* XSAVEOPT, XSAVEC, XGETBV1; 576 + 256 + 64 + 512 + 1024 compacted */
	check(&t, 0xd, 1, 7, 2432, 0, 0);
	check(&t, 0xd, 2, 256, 576, 0, 0);
	check(&t, 0xd, 5, 64, 1088, 0, 0);
	check(&t, 0xd, 6, 512, 1152, 0, 0);
	check(&t, 0xd, 7, 1024, 1664, 0, 0);
	assert_null(mvm_cpuid_find(t.e, t.n, 0xd, 3));
	assert_null(mvm_cpuid_find(t.e, t.n, 0xd, 9));
	assert_null(mvm_cpuid_find(t.e, t.n, 0xd, 18));

	/* a kernel without AVX-512 */
	supported(&t, full_host, 7, true);
	check(&t, 0xd, 0, 7, 832, 832, 0);
	assert_true(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_AVX2));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_AVX512F));
	assert_int_equal(entry(&t, 7, 0)->edx & (BIT(2) | BIT(3) | BIT(23)), 0);

	/* one without AVX, and one that has only a part of AVX-512 */
	supported(&t, full_host, 3, true);
	check(&t, 0xd, 0, 3, 576, 576, 0);
	assert_true(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_XSAVE));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_AVX));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_FMA));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_VAES));
	supported(&t, full_host, 0x67, true);
	assert_int_equal(t.lim.xcr0_mask, 7);
	supported(&t, full_host, 0xe3, true);
	assert_int_equal(t.lim.xcr0_mask, 3);
	supported(&t, full_host, 5, true);
	assert_int_equal(t.lim.xcr0_mask, 0);
}

/* Older and odder processors: some leaves say less. */
static u32 odd_leaf7_max, odd_leafd1_eax;

static void odd_host(u32 function, u32 index, u32 out[4])
{
	full_host(function, index, out);
	if (function == 7 && !index)
		out[MVM_EAX] = odd_leaf7_max;
	if (function == 0xd && !index)
		out[MVM_EAX] &= ~0xe0;
	if (function == 0xd && index == 1)
		out[MVM_EAX] = odd_leafd1_eax;
	if (function == 0xd && index == 2)
		out[MVM_ECX] = 2;
	/* where sub-leaf 1 does not exist, CPUID returns garbage */
	if (function == 7 && index > odd_leaf7_max)
		memset(out, 0xff, 4 * sizeof(u32));
}

static void test_odd_host(void **state)
{
	struct table t;

	odd_leaf7_max = 0;
	odd_leafd1_eax = 1;
	supported(&t, odd_host, XCR0_ALL, true);
	assert_int_equal(entry(&t, 7, 0)->eax, 0);
	assert_null(mvm_cpuid_find(t.e, t.n, 7, 1));
	/* the processor lacks what XCR0 was said to have */
	assert_int_equal(t.lim.xcr0_mask, 7);
	/* no XSAVEC: no size of its format */
	check(&t, 0xd, 1, 1, 0, 0, 0);
	check(&t, 0xd, 2, 256, 576, 2, 0);
	assert_null(mvm_cpuid_find(t.e, t.n, 0xd, 5));

	odd_leaf7_max = 1;
	odd_leafd1_eax = 2;
	supported(&t, odd_host, XCR0_ALL, true);
	assert_int_equal(entry(&t, 7, 0)->eax, 1);
	/* without AVX-512, without its BF16 */
	check(&t, 7, 1, BIT(4), 0, 0, 0);
	check(&t, 0xd, 1, 2, 832, 0, 0);
}

/* Nothing is promised that the caller has not switched on. */
static void test_limits_init(void **state)
{
	struct mvm_cpuid_limits lim;

	memset(&lim, 0xff, sizeof(lim));
	mvm_cpuid_limits_init(&lim, full_host, 7);
	assert_false(lim.rdtscp);
	assert_false(lim.invpcid);
	assert_false(lim.pcid);
	assert_int_equal(lim.xstate[2].size, 256);
	assert_int_equal(lim.xstate[2].offset, 576);
	assert_int_equal(lim.xstate[3].size, 0);
	assert_int_equal(lim.xstate[5].size, 0);
}

static void test_no_xsave(void **state)
{
	struct table t;

	/* the processor has it, the kernel was told not to use it */
	supported(&t, full_host, 0, true);
	assert_int_equal(t.lim.xcr0_mask, 0);
	check(&t, 0xd, 0, 0, 0, 0, 0);
	assert_null(mvm_cpuid_find(t.e, t.n, 0xd, 1));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_XSAVE));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_AVX));
	assert_false(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_AVX512F));
	assert_true(mvm_cpuid_has(t.e, t.n, MVM_FEATURE_SSE4_2));

	supported(&t, old_host, 0, true);
	assert_int_equal(entry(&t, 0, 0)->eax, 0xb);
	assert_null(mvm_cpuid_find(t.e, t.n, 0xd, 0));
	assert_int_equal(t.lim.phys_bits, 36);
	assert_int_equal(entry(&t, 0x80000008, 0)->eax, 48 << 8 | 36);
}

static void test_list_too_small(void **state)
{
	struct kvm_cpuid_entry2 *e;
	struct table t;
	u32 max;

	supported(&t, full_host, XCR0_ALL, true);
	for (max = 0; max < t.n; max++) {
		/* of the exact size, for ASan to watch */
		e = test_malloc(max * sizeof(*e) + 1);
		assert_int_equal(mvm_cpuid_supported(full_host, &t.lim, e, max),
				 -E2BIG);
		test_free(e);
	}
	e = test_malloc(max * sizeof(*e));
	assert_int_equal(mvm_cpuid_supported(full_host, &t.lim, e, max), t.n);
	assert_memory_equal(e, t.e, t.n * sizeof(*e));
	test_free(e);
}

/* A cache leaf that never ends must not become a list that never ends. */
static void endless_host(u32 function, u32 index, u32 out[4])
{
	full_host(function, index, out);
	if (function == 4)
		out[MVM_EAX] = 0x21;
}

static void test_endless_caches(void **state)
{
	struct table t;

	supported(&t, endless_host, XCR0_ALL, true);
	assert_non_null(mvm_cpuid_find(t.e, t.n, 4, 31));
	assert_null(mvm_cpuid_find(t.e, t.n, 4, 32));
}

/* ------------------------------------------------------------ a guest's table */

static void test_find(void **state)
{
	struct kvm_cpuid_entry2 e[] = {
		{ .function = 1, .index = 5, .eax = 10 },
		{ .function = 4, .index = 0, .flags = INDEXED, .eax = 20 },
		{ .function = 4, .index = 1, .flags = INDEXED, .eax = 21 },
		{ .function = 1, .eax = 11 },
	};

	assert_ptr_equal(mvm_cpuid_find(e, 4, 1, 0), &e[0]);
	assert_ptr_equal(mvm_cpuid_find(e, 4, 1, 7), &e[0]);
	assert_ptr_equal(mvm_cpuid_find(e, 4, 4, 1), &e[2]);
	assert_null(mvm_cpuid_find(e, 4, 4, 2));
	assert_null(mvm_cpuid_find(e, 4, 2, 0));
	assert_null(mvm_cpuid_find(e, 2, 4, 1));
	assert_null(mvm_cpuid_find(NULL, 0, 0, 0));
}

static void test_check(void **state)
{
	struct kvm_cpuid_entry2 e = { .function = 0x80000008 };
	u32 bits;

	for (bits = 0; bits < 256; bits++) {
		e.eax = bits << 8 | 40;
		assert_int_equal(mvm_cpuid_check(&e, 1),
				 bits == 0 || bits == 48 || bits == 57 ?
				 0 : -EINVAL);
	}
	assert_int_equal(mvm_cpuid_check(NULL, 0), 0);

	e = (struct kvm_cpuid_entry2){ .function = 0xd, .eax = 0x2e7 };
	assert_int_equal(mvm_cpuid_check(&e, 1), 0);
	e.eax |= BIT(17) | BIT(18);
	assert_int_equal(mvm_cpuid_check(&e, 1), -EPERM);
}

static void test_equal(void **state)
{
	struct kvm_cpuid_entry2 a[2] = { { .function = 1 }, { .function = 2 } };
	struct kvm_cpuid_entry2 b[2];
	size_t i;

	memcpy(b, a, sizeof(b));
	b[1].padding[0] = 1;
	assert_true(mvm_cpuid_equal(a, 2, b, 2));
	assert_false(mvm_cpuid_equal(a, 2, b, 1));
	for (i = 0; i < offsetof(typeof(*b), padding) / 4; i++) {
		((u32 *)&b[0])[i] ^= 1;
		assert_false(mvm_cpuid_equal(a, 2, b, 2));
		((u32 *)&b[0])[i] ^= 1;
		((u32 *)&b[1])[i] ^= 1;
		assert_false(mvm_cpuid_equal(a, 2, b, 2));
		((u32 *)&b[1])[i] ^= 1;
	}
}

static void test_cr4_reserved(void **state)
{
	const u64 base = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE |
			 X86_CR4_PSE | X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE |
			 X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	static const struct {
		struct kvm_cpuid_entry2 e;
		u64 bit;
	} optional[] = {
		{ { .function = 1, .ecx = BIT(17) }, X86_CR4_PCIDE },
		{ { .function = 1, .ecx = BIT(26) }, X86_CR4_OSXSAVE },
		{ { .function = 7, .ebx = BIT(0) }, X86_CR4_FSGSBASE },
		{ { .function = 7, .ebx = BIT(7) }, X86_CR4_SMEP },
		{ { .function = 7, .ebx = BIT(20) }, X86_CR4_SMAP },
		{ { .function = 7, .ecx = BIT(2) }, X86_CR4_UMIP },
		/* not virtualised, whatever the table says */
		{ { .function = 7, .ecx = BIT(3) }, 0 /* PKE */ },
		{ { .function = 7, .ecx = BIT(16) }, 0 /* LA57 */ },
		{ { .function = 1, .ecx = BIT(5) }, 0 /* VMXE */ },
		{ { .function = 1, .ecx = BIT(6) }, 0 /* SMXE */ },
	};
	struct table t;
	size_t i;

	assert_int_equal(mvm_cpuid_cr4_reserved(NULL, 0), ~base);
	for (i = 0; i < ARRAY_SIZE(optional); i++)
		assert_int_equal(mvm_cpuid_cr4_reserved(&optional[i].e, 1),
				 ~(base | optional[i].bit));

	supported(&t, full_host, XCR0_ALL, true);
	assert_int_equal(mvm_cpuid_cr4_reserved(t.e, t.n),
			 ~(base | X86_CR4_PCIDE | X86_CR4_OSXSAVE |
			   X86_CR4_FSGSBASE | X86_CR4_SMEP | X86_CR4_SMAP |
			   X86_CR4_UMIP));
}

static void test_xcr0(void **state)
{
	struct kvm_cpuid_entry2 e = { .function = 0xd, .eax = 0x2ff, .edx = 1 };
	struct table t;

	supported(&t, full_host, XCR0_ALL, true);
	assert_int_equal(mvm_cpuid_xcr0(t.e, t.n, &t.lim), 0xe7);
	assert_int_equal(mvm_cpuid_xcr0(&e, 1, &t.lim), 0xe7);
	e.eax = 3;
	assert_int_equal(mvm_cpuid_xcr0(&e, 1, &t.lim), 3);
	assert_int_equal(mvm_cpuid_xcr0(NULL, 0, &t.lim), 0);
	/* EDX is the upper half, of which nothing is supported */
	e.eax = 0;
	e.edx = 0xff;
	assert_int_equal(mvm_cpuid_xcr0(&e, 1, &t.lim), 0);
}

static void test_maxphyaddr(void **state)
{
	struct kvm_cpuid_entry2 e[2] = {
		{ .function = 0x80000000, .eax = 0x80000008 },
		{ .function = 0x80000008, .eax = 0x3027 },
	};

	assert_int_equal(mvm_cpuid_maxphyaddr(e, 2), 39);
	assert_int_equal(mvm_cpuid_maxphyaddr(e, 1), 36);
	assert_int_equal(mvm_cpuid_maxphyaddr(NULL, 0), 36);
	e[0].eax = 0x80000007;
	assert_int_equal(mvm_cpuid_maxphyaddr(e, 2), 36);
	/* A program may write any byte, and u64 values are shifted by it. */
	e[0].eax = 0x80000008;
	e[1].eax = 0x40;
	assert_int_equal(mvm_cpuid_maxphyaddr(e, 2), 63);
	e[1].eax = 0xff;
	assert_int_equal(mvm_cpuid_maxphyaddr(e, 2), 63);
}

static void test_update(void **state)
{
	struct mvm_cpuid_state s = { 0 };
	struct table t;
	u32 leaf7_ecx;

	supported(&t, full_host, XCR0_ALL, true);
	leaf7_ecx = entry(&t, 7, 0)->ecx;
	entry(&t, 7, 0)->ecx |= BIT(4);	/* OSPKE, from user space */

	s.xcr0 = 1;
	mvm_cpuid_update(t.e, t.n, &t.lim, &s);
	assert_false(entry(&t, 1, 0)->ecx & BIT(27));
	assert_false(entry(&t, 1, 0)->edx & BIT(9));
	assert_int_equal(entry(&t, 7, 0)->ecx, leaf7_ecx);
	check(&t, 0xd, 0, 0xe7, 576, 2688, 0);
	assert_int_equal(entry(&t, 0xd, 1)->ebx, 576);

	s.cr4 = X86_CR4_OSXSAVE | X86_CR4_PKE;
	s.xcr0 = 0xe7;
	s.apic_base = 0xfee00900;
	mvm_cpuid_update(t.e, t.n, &t.lim, &s);
	assert_true(entry(&t, 1, 0)->ecx & BIT(27));
	assert_true(entry(&t, 1, 0)->edx & BIT(9));
	assert_false(entry(&t, 7, 0)->ecx & BIT(4));
	check(&t, 0xd, 0, 0xe7, 2688, 2688, 0);
	assert_int_equal(entry(&t, 0xd, 1)->ebx, 2432);

	/* and back; everything else stays as user space set it */
	s = (struct mvm_cpuid_state){ .cr4 = X86_CR4_PAE, .xcr0 = 7,
				      .apic_base = 0xfee00100 };
	mvm_cpuid_update(t.e, t.n, &t.lim, &s);
	assert_false(entry(&t, 1, 0)->ecx & BIT(27));
	assert_false(entry(&t, 1, 0)->edx & BIT(9));
	assert_int_equal(entry(&t, 0xd, 0)->ebx, 832);
	assert_int_equal(entry(&t, 0xd, 1)->ebx, 832);

	/* no XSAVEC: the compacted size means nothing */
	entry(&t, 0xd, 1)->eax = 1;
	entry(&t, 0xd, 1)->ebx = 0x1234;
	mvm_cpuid_update(t.e, t.n, &t.lim, &s);
	assert_int_equal(entry(&t, 0xd, 1)->ebx, 0x1234);

	mvm_cpuid_update(NULL, 0, &t.lim, &s);
}

/* The alignment of CPUID.(EAX=0DH,ECX=i):ECX[1] counts in one format only. */
static void test_xsave_size(void **state)
{
	struct mvm_cpuid_limits lim = { 0 };

	lim.xstate[2].size = 256;
	lim.xstate[2].offset = 576;
	lim.xstate[5].size = 8;
	lim.xstate[5].offset = 1088;
	lim.xstate[6].size = 512;
	lim.xstate[6].offset = 1152;
	assert_int_equal(mvm_cpuid_xsave_size(&lim, 3, false), 576);
	assert_int_equal(mvm_cpuid_xsave_size(&lim, 0x27, false), 1096);
	assert_int_equal(mvm_cpuid_xsave_size(&lim, 0x27, true), 840);
	assert_int_equal(mvm_cpuid_xsave_size(&lim, 0x67, true), 1352);
	lim.xstate[6].align64 = true;
	assert_int_equal(mvm_cpuid_xsave_size(&lim, 0x67, true), 896 + 512);
	assert_int_equal(mvm_cpuid_xsave_size(&lim, 0x67, false), 1664);
}

/* ------------------------------------------------------------ the instruction */

static void ask(const struct mvm_cpuid *c, u32 function, u32 index, u32 eax,
		u32 ebx, u32 ecx, u32 edx)
{
	u32 got[4] = { function, 0xdead, index, 0xdead };
	const u32 want[4] = { eax, ebx, ecx, edx };

	mvm_cpuid_emulate(c, &got[0], &got[1], &got[2], &got[3]);
	compare(function, index, got, want);
}

static struct kvm_cpuid_entry2 guest[] = {
	{ 0x0, 0, 0, 0xb, 0x756e6547, 0x6c65746e, 0x49656e69 },
	{ 0x1, 9, 0, 1, 2, 3, 4 },
	{ 0x4, 1, INDEXED, 41, 42, 43, 44 },
	{ 0x80000000, 0, 0, 0x80000008, 1, 2, 3 },
	{ 0x4, 0, INDEXED, 45, 46, 47, 48 },
	{ 0x80000008, 0, 0, 0x3027, 5, 6, 7 },
	{ 0x8, 0, 0, 81, 82, 83, 84 },
	{ 0xb, 0, INDEXED, 1, 2, 0x100, 0x77 },
	{ 0xb, 1, INDEXED, 4, 8, 0x201, 0x77 },
	{ 0x1, 0, 0, 91, 92, 93, 94 },	/* a second one is never seen */
	{ 0x40000000, 0, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d },
	{ 0x40000001, 0, 0, 11, 12, 13, 14 },
};

static void test_emulate(void **state)
{
	struct mvm_cpuid c;

	mvm_cpuid_install(&c, guest, ARRAY_SIZE(guest));
	assert_ptr_equal(c.first[0], &guest[0]);
	assert_ptr_equal(c.first[1], &guest[1]);
	assert_ptr_equal(c.first[4], &guest[2]);
	assert_ptr_equal(c.first[32], &guest[3]);
	assert_ptr_equal(c.first[40], &guest[5]);
	assert_null(c.first[2]);

	ask(&c, 0, 0, 0xb, 0x756e6547, 0x6c65746e, 0x49656e69);
	ask(&c, 0, 99, 0xb, 0x756e6547, 0x6c65746e, 0x49656e69);
	ask(&c, 1, 0, 1, 2, 3, 4);
	ask(&c, 4, 0, 45, 46, 47, 48);
	ask(&c, 4, 1, 41, 42, 43, 44);
	ask(&c, 0x80000000, 0, 0x80000008, 1, 2, 3);
	ask(&c, 0x80000008, 3, 0x3027, 5, 6, 7);
	ask(&c, 0x40000000, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d);
	ask(&c, 0x40000001, 0, 11, 12, 13, 14);

	/* in range, but not in the table: zeros */
	ask(&c, 2, 0, 0, 0, 0, 0);
	ask(&c, 4, 2, 0, 0, 0, 0);
	ask(&c, 0x80000001, 0, 0, 0, 0, 0);

	/* the topology leaf passes CL and the ID on */
	ask(&c, 0xb, 0, 1, 2, 0x100, 0x77);
	ask(&c, 0xb, 1, 4, 8, 0x201, 0x77);
	ask(&c, 0xb, 0x1234, 0, 0, 0x34, 0x77);
}

static void test_emulate_out_of_range(void **state)
{
	static const u32 past[] = {
		0xc, 0x1f, 0x20, 0x100, 0x3fffffff, 0x40000002, 0x400000ff,
		0x40000100, 0x4fffffff, 0x50000000, 0x7fffffff, 0x80000009,
		0x8000001f, 0x80000020, 0xbfffffff, 0xc0000000, 0xffffffff,
	};
	struct kvm_cpuid_entry2 amd[ARRAY_SIZE(guest)];
	struct mvm_cpuid c;
	size_t i;

	/* reads like leaf 0BH, the sub-leaf is the one asked for */
	mvm_cpuid_install(&c, guest, ARRAY_SIZE(guest));
	for (i = 0; i < ARRAY_SIZE(past); i++) {
		ask(&c, past[i], 0, 1, 2, 0x100, 0x77);
		ask(&c, past[i], 1, 4, 8, 0x201, 0x77);
		ask(&c, past[i], 2, 0, 0, 2, 0x77);
	}

	/* an AMD processor answers with zeros */
	memcpy(amd, guest, sizeof(amd));
	amd[0].ebx = 0x68747541;
	amd[0].edx = 0x69746e65;
	amd[0].ecx = 0x444d4163;
	mvm_cpuid_install(&c, amd, ARRAY_SIZE(amd));
	for (i = 0; i < ARRAY_SIZE(past); i++)
		ask(&c, past[i], 0, 0, 0, 0, 0);
	ask(&c, 0xb, 2, 0, 0, 2, 0x77);
	amd[0].ebx = 0x6f677948;
	amd[0].edx = 0x6e65476e;
	amd[0].ecx = 0x656e6975;
	ask(&c, 0x20, 0, 0, 0, 0, 0);
}

/* Where a range ends is what its first leaf says. */
static void test_emulate_ranges(void **state)
{
	struct kvm_cpuid_entry2 e[] = {
		{ 0x0, 0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69 },
		{ 0x1f, 0, INDEXED, 1, 2, 3, 4 },
		{ 0x1f, 1, INDEXED, 5, 6, 7, 8 },
		{ 0x40000000, 0, 0, 0x40000010, 1, 2, 3 },
		{ 0x40000100, 0, 0, 0x40000101, 1, 2, 3 },
		{ 0x80000000, 0, 0, 0x80000130, 1, 2, 3 },
		{ 0xc0000000, 0, 0, 0xc0000004, 1, 2, 3 },
	};
	static const struct {
		u32 in, past;
	} edge[] = {
		{ 0x1e, 0x20 },
		{ 0x40000010, 0x40000011 },
		{ 0x40000101, 0x40000102 },
		{ 0x80000130, 0x80000131 },
		{ 0xc0000004, 0xc0000005 },
	};
	struct mvm_cpuid c;
	size_t i;

	mvm_cpuid_install(&c, e, ARRAY_SIZE(e));
	for (i = 0; i < ARRAY_SIZE(edge); i++) {
		ask(&c, edge[i].in, 0, 0, 0, 0, 0);
		ask(&c, edge[i].past, 0, 1, 2, 3, 4);
		ask(&c, edge[i].past, 3, 0, 0, 3, 8);
	}
	ask(&c, 0x50000000, 0, 1, 2, 3, 4);
	ask(&c, 0x40000200, 0, 1, 2, 3, 4);
	ask(&c, 0xffffffff, 0, 1, 2, 3, 4);

	/* the lowest leaf of a range may be missing, as with no Centaur */
	e[6].function = 0xc0000001;
	ask(&c, 0xc0000000, 0, 1, 2, 3, 4);
	ask(&c, 0xc0000002, 0, 1, 2, 3, 4);

	/* a name that is AMD's in part is not AMD's */
	e[0].ebx = 0x68747541;
	ask(&c, 0x20, 0, 1, 2, 3, 4);
	e[0].edx = 0x69746e65;
	ask(&c, 0x20, 0, 1, 2, 3, 4);
	e[0].ecx = 0x444d4163;
	ask(&c, 0x20, 0, 0, 0, 0, 0);
	e[0].ebx = 0x756e6547;
	ask(&c, 0x20, 0, 1, 2, 3, 4);
	e[0].edx = 0x49656e69;
	ask(&c, 0x20, 0, 1, 2, 3, 4);
}

static void test_emulate_empty(void **state)
{
	struct mvm_cpuid c;

	mvm_cpuid_install(&c, NULL, 0);
	ask(&c, 0, 0, 0, 0, 0, 0);
	ask(&c, 1, 1, 0, 0, 0, 0);
	ask(&c, 0xb, 1, 0, 0, 0, 0);
	ask(&c, 0x80000000, 0, 0, 0, 0, 0);
	ask(&c, 0x40000000, 0, 0, 0, 0, 0);
	ask(&c, 0xffffffff, 0xffffffff, 0, 0, 0, 0);
}

/* Who traces CPUID is told where the answer came from, as test_emulate() has it. */
static void test_source(void **state)
{
	struct mvm_cpuid c;

	mvm_cpuid_install(&c, guest, ARRAY_SIZE(guest));
	assert_int_equal(mvm_cpuid_source(&c, 1, 0), MVM_CPUID_FOUND);
	assert_int_equal(mvm_cpuid_source(&c, 1, 7), MVM_CPUID_FOUND);
	assert_int_equal(mvm_cpuid_source(&c, 4, 1), MVM_CPUID_FOUND);
	assert_int_equal(mvm_cpuid_source(&c, 4, 2), MVM_CPUID_NONE);
	assert_int_equal(mvm_cpuid_source(&c, 2, 0), MVM_CPUID_NONE);
	assert_int_equal(mvm_cpuid_source(&c, 0x20, 1), MVM_CPUID_MAX_BASIC);
	/* The last basic leaf has no such sub-leaf. */
	assert_int_equal(mvm_cpuid_source(&c, 0x20, 2), MVM_CPUID_NONE);
	mvm_cpuid_install(&c, NULL, 0);
	assert_int_equal(mvm_cpuid_source(&c, 0, 0), MVM_CPUID_NONE);
}

/*
 * The look-up without a search must say what a search says: ask for every leaf
 * near the edges of its ranges.
 */
static void test_emulate_agrees_with_find(void **state)
{
	struct mvm_cpuid c;
	struct table t;
	u32 base, f, i;

	supported(&t, full_host, XCR0_ALL, true);
	mvm_cpuid_install(&c, t.e, t.n);
	for (base = 0; base < 0xf0000000; base += 0x10000000) {
		for (f = base; f < base + 0x50; f++) {
			for (i = 0; i < 10; i++) {
				struct kvm_cpuid_entry2 *e;

				e = mvm_cpuid_find(t.e, t.n, f, i);
				if (e)
					ask(&c, f, i, e->eax, e->ebx, e->ecx,
					    e->edx);
			}
		}
	}
}

/* ------------------------------------------------------------------- XSETBV */

static void test_xcr0_valid(void **state)
{
	const u64 all = MVM_XCR0_KNOWN;
	u64 x;

	/* every combination of the eight bits, by the SDM's list of #GP */
	for (x = 0; x < 256; x++) {
		bool mpx = x & 0x18;
		bool avx512 = x & 0xe0;
		bool ok = x & 1 && !mpx && (!(x & 4) || x & 2) &&
			  (!avx512 || ((x & 0xe0) == 0xe0 && x & 4));

		assert_int_equal(mvm_fpu_xcr0_valid(x, all), ok);
	}
	assert_false(mvm_fpu_xcr0_valid(0x207, all));
	assert_false(mvm_fpu_xcr0_valid(0x60007, all));
	assert_false(mvm_fpu_xcr0_valid(7 | BIT_ULL(63), all));
	assert_false(mvm_fpu_xcr0_valid(0xe7, 7));
	assert_false(mvm_fpu_xcr0_valid(3, 0));
	assert_true(mvm_fpu_xcr0_valid(1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_host),
		cmocka_unit_test(test_each_leaf_once),
		cmocka_unit_test(test_never_shown),
		cmocka_unit_test(test_caches_belong_to_one_processor),
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_flags_take_features_away),
		cmocka_unit_test(test_nothing_invented),
		cmocka_unit_test(test_xstate),
		cmocka_unit_test(test_odd_host),
		cmocka_unit_test(test_limits_init),
		cmocka_unit_test(test_no_xsave),
		cmocka_unit_test(test_list_too_small),
		cmocka_unit_test(test_endless_caches),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_cr4_reserved),
		cmocka_unit_test(test_xcr0),
		cmocka_unit_test(test_maxphyaddr),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_xsave_size),
		cmocka_unit_test(test_emulate),
		cmocka_unit_test(test_emulate_out_of_range),
		cmocka_unit_test(test_emulate_ranges),
		cmocka_unit_test(test_emulate_empty),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_emulate_agrees_with_find),
		cmocka_unit_test(test_xcr0_valid),
	};

	return cmocka_run_group_tests_name("cpuid", tests, NULL, NULL);
}
