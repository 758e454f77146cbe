// SPDX-License-Identifier: GPL-2.0
/*
 * The table of VMCS fields against the rules that encodings follow (SDM Vol. 3,
 * "VMREAD, VMWRITE, and Encodings of VMCS Fields"), and the list of exit reasons.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/bits.h>
#include <linux/kernel.h>

#include "vmx/arch.h"
#include "vmx/field.h"

enum section {
	EXECUTION, EXIT_CONTROL, ENTRY_CONTROL, EXIT_INFORMATION, GUEST_REGISTER,
	GUEST_OTHER, HOST,
};

static const struct {
	const char *name;
	u32 encoding;
	int width;
	enum section section;
	const char *words;
} fields[] = {
#define ROW(name, encoding, width, section, words)	\
	{ #name, encoding, VMCS_WIDTH_##width, section, words },
	VMCS_FIELDS(ROW)
};

/* Bits 11:10 of an encoding */
static int type_of_section(enum section section)
{
	switch (section) {
	case EXIT_INFORMATION:
		return 1;
	case GUEST_REGISTER:
	case GUEST_OTHER:
		return 2;
	case HOST:
		return 3;
	default:
		return 0;
	}
}

static void encodings(void **state)
{
	unsigned int i, k;

	assert_true(ARRAY_SIZE(fields) > 150);
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		u32 e = fields[i].encoding;

		if (i)
			assert_true(e > fields[i - 1].encoding);
		assert_int_equal((e >> 13) & 3, fields[i].width);
		assert_int_equal((e >> 10) & 3, type_of_section(fields[i].section));
		/* Bit 0 is the upper half of a 64-bit field, bit 12 and above 14 are 0. */
		assert_int_equal(e & (BIT(0) | BIT(12) | ~GENMASK(14, 0)), 0);
		assert_true(strlen(fields[i].words) > 2);
		/* Whoever reads a dump must know which one it is. */
		for (k = 0; k < i; k++)
			assert_string_not_equal(fields[i].words, fields[k].words);
	}
}

/* Some of each group, from the tables of SDM Vol. 3, appendix "Field Encoding in VMCS" */
static void known_encodings(void **state)
{
	assert_int_equal(VMCS_VPID, 0x0000);
	assert_int_equal(VMCS_GUEST_CS_SELECTOR, 0x0802);
	assert_int_equal(VMCS_GUEST_TR_SELECTOR, 0x080e);
	assert_int_equal(VMCS_HOST_TR_SELECTOR, 0x0c0c);
	assert_int_equal(VMCS_MSR_BITMAP, 0x2004);
	assert_int_equal(VMCS_TSC_OFFSET, 0x2010);
	assert_int_equal(VMCS_EPTP, 0x201a);
	assert_int_equal(VMCS_GUEST_PHYSICAL_ADDRESS, 0x2400);
	assert_int_equal(VMCS_VMCS_LINK_POINTER, 0x2800);
	assert_int_equal(VMCS_GUEST_EFER, 0x2806);
	assert_int_equal(VMCS_GUEST_PDPTE3, 0x2810);
	assert_int_equal(VMCS_HOST_EFER, 0x2c02);
	assert_int_equal(VMCS_EXCEPTION_BITMAP, 0x4004);
	assert_int_equal(VMCS_EXIT_CONTROLS, 0x400c);
	assert_int_equal(VMCS_ENTRY_CONTROLS, 0x4012);
	assert_int_equal(VMCS_ENTRY_EVENT, 0x4016);
	assert_int_equal(VMCS_CPU2_CONTROLS, 0x401e);
	assert_int_equal(VMCS_INSTRUCTION_ERROR, 0x4400);
	assert_int_equal(VMCS_EXIT_REASON, 0x4402);
	assert_int_equal(VMCS_VECTORING_EVENT, 0x4408);
	assert_int_equal(VMCS_EXIT_INSTRUCTION_LENGTH, 0x440c);
	assert_int_equal(VMCS_GUEST_ES_LIMIT, 0x4800);
	assert_int_equal(VMCS_GUEST_TR_ACCESS_RIGHTS, 0x4822);
	assert_int_equal(VMCS_GUEST_ACTIVITY, 0x4826);
	assert_int_equal(VMCS_GUEST_SYSENTER_CS, 0x482a);
	assert_int_equal(VMCS_HOST_SYSENTER_CS, 0x4c00);
	assert_int_equal(VMCS_CR0_MASK, 0x6000);
	assert_int_equal(VMCS_CR4_SHADOW, 0x6006);
	assert_int_equal(VMCS_EXIT_QUALIFICATION, 0x6400);
	assert_int_equal(VMCS_GUEST_LINEAR_ADDRESS, 0x640a);
	assert_int_equal(VMCS_GUEST_CR0, 0x6800);
	assert_int_equal(VMCS_GUEST_RSP, 0x681c);
	assert_int_equal(VMCS_GUEST_RIP, 0x681e);
	assert_int_equal(VMCS_GUEST_RFLAGS, 0x6820);
	assert_int_equal(VMCS_GUEST_SYSENTER_EIP, 0x6826);
	assert_int_equal(VMCS_HOST_CR3, 0x6c02);
	assert_int_equal(VMCS_HOST_GS_BASE, 0x6c08);
	assert_int_equal(VMCS_HOST_RSP, 0x6c14);
	assert_int_equal(VMCS_HOST_RIP, 0x6c16);
}

/* Segments are reached by index from ES, in the order of the encodings. */
static void segments_follow_each_other(void **state)
{
	static const u32 of_es[] = {
		VMCS_GUEST_ES_SELECTOR, VMCS_GUEST_ES_BASE, VMCS_GUEST_ES_LIMIT,
		VMCS_GUEST_ES_ACCESS_RIGHTS,
	};
	static const u32 of_tr[] = {
		VMCS_GUEST_TR_SELECTOR, VMCS_GUEST_TR_BASE, VMCS_GUEST_TR_LIMIT,
		VMCS_GUEST_TR_ACCESS_RIGHTS,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(of_es); i++)
		assert_int_equal(of_tr[i] - of_es[i], 2 * 7);
}

static void exit_reasons(void **state)
{
	static const struct {
		int number;
		const char *words;
	} reasons[] = {
#define REASON(name, number, words)	{ number, words },
		VMX_REASONS(REASON)
	};
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (i)
			assert_true(reasons[i].number > reasons[i - 1].number);
		assert_true(strlen(reasons[i].words) > 1);
		for (k = 0; k < i; k++)
			assert_string_not_equal(reasons[i].words, reasons[k].words);
		/* They become names of counters. */
		for (k = 0; reasons[i].words[k]; k++)
			assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz_", reasons[i].words[k]));
	}
	assert_int_equal(VMX_REASON_CPUID, 10);
	assert_int_equal(VMX_REASON_IO_INSTRUCTION, 30);
	assert_int_equal(VMX_REASON_INVALID_GUEST_STATE, 33);
	assert_int_equal(VMX_REASON_EPT_VIOLATION, 48);
	assert_int_equal(VMX_REASON_XSETBV, 55);
	assert_int_equal(VMX_NR_REASONS, reasons[ARRAY_SIZE(reasons) - 1].number + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings),
		cmocka_unit_test(known_encodings),
		cmocka_unit_test(segments_follow_each_other),
		cmocka_unit_test(exit_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
