// SPDX-License-Identifier: GPL-2.0
/*
 * Which MSRs a guest has, and what they may hold.
 */
// sources: module/x86/msr.c module/x86/cpuid.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/bits.h>
#include <linux/kernel.h>

#include "x86/msr.h"

#define PHYS_BITS	40

static bool valid(u32 index, u64 value)
{
	return mvm_msr_value_valid(index, value, PHYS_BITS);
}

static void addresses_are_canonical(void **state)
{
	static const u32 msrs[] = {
		0x175, 0x176, 0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101, 0xc0000102,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		assert_true(valid(msrs[i], 0x00007fffffffffff));
		assert_true(valid(msrs[i], 0xffff800000000000));
		assert_false(valid(msrs[i], 0x0000800000000000));
		assert_false(valid(msrs[i], 0xffff7fffffffffff));
	}
	/* STAR is no address. */
	assert_true(valid(0xc0000081, 0x0000800000000000));
}

static void halves(void **state)
{
	assert_true(valid(0xc0000084, 0xffffffff));
	assert_false(valid(0xc0000084, BIT_ULL(32)));
	assert_true(valid(0xc0000103, 0xffffffff));
	assert_false(valid(0xc0000103, BIT_ULL(32)));
}

static void pat(void **state)
{
	unsigned int type, byte;

	for (byte = 0; byte < 8; byte++)
		for (type = 0; type < 256; type++)
			assert_int_equal(valid(0x277, (u64)type << 8 * byte),
					 type < 8 && type != 2 && type != 3);
}

static void mtrrs(void **state)
{
	unsigned int type;

	/* Types 0, 1, 4, 5 and 6 exist, in every place that has one. */
	for (type = 0; type < 256; type++) {
		bool exists = type < 7 && type != 2 && type != 3;

		assert_int_equal(valid(0x2ff, type), exists);
		assert_int_equal(valid(0x200, type), exists);
		assert_int_equal(valid(0x20e, type), exists);
		assert_int_equal(valid(0x250, (u64)type << 56), exists);
		assert_int_equal(valid(0x258, type), exists);
		assert_int_equal(valid(0x259, (u64)type << 8), exists);
		assert_int_equal(valid(0x268, type), exists);
		assert_int_equal(valid(0x26f, (u64)type << 56), exists);
	}
	/* IA32_MTRR_DEF_TYPE: type, FE (10) and E (11) */
	assert_true(valid(0x2ff, 0xc06));
	assert_false(valid(0x2ff, 0x1006));
	assert_false(valid(0x2ff, 0xc02));
	/* A base has a type, a mask a valid bit; neither exceeds the address width. */
	assert_true(valid(0x200, 0x8000000006));
	assert_false(valid(0x200, 0x8000000003));
	assert_false(valid(0x200, 0x106));
	assert_false(valid(0x200, BIT_ULL(PHYS_BITS)));
	assert_true(valid(0x201, 0xff80000800));
	assert_false(valid(0x201, 0x400));
	assert_false(valid(0x20f, BIT_ULL(PHYS_BITS)));
	assert_true(valid(0x250, 0x0606060606060606));
	assert_false(valid(0x26f, 0x0200000000000000));
	/* The capability registers, also of machine checks, cannot be written. */
	assert_false(valid(0xfe, 0x508));
	assert_false(valid(0x179, 0));
}

static void apic_base(void **state)
{
	assert_true(mvm_apic_base_valid(0xfee00900, PHYS_BITS, false));
	assert_true(mvm_apic_base_valid(0xfee00000, PHYS_BITS, false));
	assert_false(mvm_apic_base_valid(0xfee00901, PHYS_BITS, true));
	assert_false(mvm_apic_base_valid(0xfee00b00, PHYS_BITS, true));
	/* x2APIC mode: where CPUID shows it, and the APIC is enabled */
	assert_false(mvm_apic_base_valid(0xfee00d00, PHYS_BITS, false));
	assert_true(mvm_apic_base_valid(0xfee00d00, PHYS_BITS, true));
	assert_false(mvm_apic_base_valid(0xfee00500, PHYS_BITS, true));
	assert_false(mvm_apic_base_valid(0xfee00900 | BIT_ULL(PHYS_BITS), PHYS_BITS, true));
}

static void debugctl(void **state)
{
	assert_true(valid(0x1d9, 3));
	assert_false(valid(0x1d9, 4));
}

static struct mvm_cpuid table(struct kvm_cpuid_entry2 *entries, u32 n)
{
	return (struct mvm_cpuid) { .entries = entries, .nent = n };
}

/* Each bit of EFER needs its own feature, and no other gives it. */
static void efer_follows_cpuid(void **state)
{
	static const struct {
		u64 efer;
		u32 feature;	/* in EDX of leaf 80000001H */
	} bits[] = {
		{ 0x001, BIT(11) }, { 0x100, BIT(29) }, { 0x400, BIT(29) }, { 0x800, BIT(20) },
	};
	unsigned int i;
	struct kvm_cpuid_entry2 entry = { .function = 0x80000001 };
	struct mvm_cpuid cpuid = table(&entry, 1);

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		entry.edx = ~bits[i].feature;
		assert_false(mvm_efer_valid(bits[i].efer, &cpuid, false));
		entry.edx = bits[i].feature;
		assert_true(mvm_efer_valid(bits[i].efer, &cpuid, false));
	}
	entry.edx = 0;
	assert_true(mvm_efer_valid(0, &cpuid, false));
	/* User space may set what the host has. */
	assert_true(mvm_efer_valid(0xd01, &cpuid, true));
	entry.edx = BIT(11) | BIT(20) | BIT(29);
	assert_true(mvm_efer_valid(0xd01, &cpuid, false));
	assert_false(mvm_efer_valid(0x1d01, &cpuid, true));
	assert_false(mvm_efer_valid(BIT_ULL(63), &cpuid, true));
}

static void tsc_aux_follows_cpuid(void **state)
{
	struct kvm_cpuid_entry2 entries[] = {
		{ .function = 0x80000001 }, { .function = 7 },
	};
	struct mvm_cpuid cpuid = table(entries, 2);

	assert_false(mvm_msr_visible(0xc0000103, &cpuid));
	entries[0].edx = BIT(27);
	assert_true(mvm_msr_visible(0xc0000103, &cpuid));
	entries[0].edx = 0;
	entries[1].ecx = BIT(22);
	assert_true(mvm_msr_visible(0xc0000103, &cpuid));
	assert_true(mvm_msr_visible(0xc0000081, &cpuid));
}

static void each_stored_msr_has_its_place(void **state)
{
	struct mvm_msrs msrs;
	u64 *seen[0x400];
	unsigned int n = 0, k;
	u32 index;

	for (index = 0; index < 0x2000; index++) {
		u64 *low = mvm_msr_stored(&msrs, index);
		u64 *high = mvm_msr_stored(&msrs, 0xc0000000 + index);

		if (low)
			seen[n++] = low;
		if (high)
			seen[n++] = high;
	}
	/* The MTRRs alone are 28. */
	assert_true(n > 30);
	for (index = 0; index < n; index++) {
		assert_true((void *)seen[index] >= (void *)&msrs);
		assert_true((void *)(seen[index] + 1) <= (void *)(&msrs + 1));
		for (k = 0; k < index; k++)
			assert_ptr_not_equal(seen[index], seen[k]);
	}
}

static void the_list(void **state)
{
	/* Those that the VMCS or the CPU keeps: vmx/exit_msr.c reads them there. */
	static const u32 elsewhere[] = { 0x10, 0x174, 0x175, 0x176, 0x277, 0xc0000102,
					 0x11, 0x12, 0x4b564d00, 0x4b564d01, 0x6e0 };
	struct mvm_msrs msrs;
	unsigned int i, k;
	u64 value;

	mvm_msrs_reset(&msrs, true);
	assert_true(mvm_nr_msrs > 10);
	for (i = 0; i < mvm_nr_msrs; i++) {
		u64 *stored = mvm_msr_stored(&msrs, mvm_msr_list[i]);
		bool readable = stored;

		for (k = 0; k < i; k++)
			assert_int_not_equal(mvm_msr_list[i], mvm_msr_list[k]);
		/* What is saved must be there to be read, and go back in as it was. */
		for (k = 0; k < ARRAY_SIZE(elsewhere); k++)
			readable |= mvm_msr_list[i] == elsewhere[k];
		assert_true(readable);
		assert_true(valid(mvm_msr_list[i], stored ? *stored : 0));
	}
	assert_true(mvm_msr_constant(0xfe, &value));
	assert_int_equal(value, 0x508);
	assert_false(mvm_msr_constant(0x10, &value));
}

static void after_reset(void **state)
{
	struct mvm_msrs expected = {
		.apic_base = 0xfee00900,
		/* No BTS, no PEBS; microcode revision 1, which is in the upper half */
		.misc_enable = BIT_ULL(11) | BIT_ULL(12),
		.ucode_rev = BIT_ULL(32),
		.mcg_cap = MVM_MCE_BANKS,
	};
	struct mvm_msrs msrs;

	memset(&msrs, 0xff, sizeof(msrs));
	mvm_msrs_reset(&msrs, true);
	assert_memory_equal(&msrs, &expected, sizeof(msrs));
	mvm_msrs_reset(&msrs, false);
	expected.apic_base = 0xfee00800;
	assert_memory_equal(&msrs, &expected, sizeof(msrs));
}

/* What KVM_X86_SETUP_MCE takes, and the registers that it makes */
static void machine_checks(void **state)
{
	const u64 ones = ~0ULL, zero = 0, five = 5, erratum = ~BIT_ULL(10);
	struct mvm_msrs msrs;

	mvm_msrs_reset(&msrs, true);
	assert_int_equal(mvm_msrs_setup_mce(&msrs, 0), -EINVAL);
	assert_int_equal(mvm_msrs_setup_mce(&msrs, 33), -EINVAL);
	assert_int_equal(mvm_msrs_setup_mce(&msrs, 10 | BIT_ULL(9)), -EINVAL);
	assert_false(mvm_mce_access_valid(&msrs, 0x17b, NULL, false));
	assert_true(mvm_mce_access_valid(&msrs, 0x17b, NULL, true));
	assert_false(mvm_mce_access_valid(&msrs, 0x17b, &ones, true));

	assert_int_equal(mvm_msrs_setup_mce(&msrs, 10 | BIT_ULL(8) | BIT_ULL(24)), 0);
	assert_true(*mvm_msr_stored(&msrs, 0x17b) == ones);
	assert_true(*mvm_msr_stored(&msrs, 0x400) == ones);
	assert_true(*mvm_msr_stored(&msrs, 0x401) == 0);
	assert_true(*mvm_msr_stored(&msrs, 0x424) == ones);
	assert_non_null(mvm_msr_stored(&msrs, 0x427));
	assert_null(mvm_msr_stored(&msrs, 0x428));
	assert_true(mvm_mce_access_valid(&msrs, 0x17b, &zero, false));
	assert_true(mvm_mce_access_valid(&msrs, 0x17b, &ones, false));
	assert_false(mvm_mce_access_valid(&msrs, 0x17b, &five, true));
	assert_true(mvm_mce_access_valid(&msrs, 0x410, &erratum, false));
	assert_false(mvm_mce_access_valid(&msrs, 0x410, &five, true));
	assert_false(mvm_mce_access_valid(&msrs, 0x411, &five, false));
	assert_true(mvm_mce_access_valid(&msrs, 0x411, &five, true));
	assert_true(mvm_mce_access_valid(&msrs, 0x412, &five, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_canonical),
		cmocka_unit_test(halves),
		cmocka_unit_test(pat),
		cmocka_unit_test(mtrrs),
		cmocka_unit_test(apic_base),
		cmocka_unit_test(debugctl),
		cmocka_unit_test(efer_follows_cpuid),
		cmocka_unit_test(tsc_aux_follows_cpuid),
		cmocka_unit_test(each_stored_msr_has_its_place),
		cmocka_unit_test(the_list),
		cmocka_unit_test(after_reset),
		cmocka_unit_test(machine_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
