// SPDX-License-Identifier: GPL-2.0
/*
 * What the values of VMCS fields say. What is expected here was read off the SDM's
 * tables by hand.
 */
// sources: userspace/common/vmcs_words.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "userspace/run/base.h"
#include "userspace/common/vmcs.h"

static struct vmcs vmcs;

static void says(const char *expected, enum vmcs_index index, __u64 value)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	vmcs.value[index] = value;
	vmcs_words(out, &vmcs, index);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

/* SDM Vol. 3, "Format of Access Rights", with the types of chapter 3 */
static void test_access_rights(void **state)
{
	says("code, accessed; DPL 0, 64-bit, limit in pages\n",
	     VMCS_INDEX_GUEST_CS_ACCESS_RIGHTS, 0xa09b);
	says("data, accessed; DPL 3, 32-bit, limit in pages\n",
	     VMCS_INDEX_GUEST_SS_ACCESS_RIGHTS, 0xc0f3);
	says("code, execute-only, conforming; DPL 0, not present, 16-bit, AVL\n",
	     VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS, 0x101c);
	says("data, read-only, expands down; DPL 0, 16-bit\n",
	     VMCS_INDEX_GUEST_GS_ACCESS_RIGHTS, 0x94);
	says("TSS, busy; DPL 0\n", VMCS_INDEX_GUEST_TR_ACCESS_RIGHTS, 0x8b);
	says("unusable\n", VMCS_INDEX_GUEST_LDTR_ACCESS_RIGHTS, 0x10082);
}

static void test_flags(void **state)
{
	says("PE, ET, PG\n", VMCS_INDEX_GUEST_CR0, 0x80000011);
	says("", VMCS_INDEX_GUEST_CR0, 0);
	says("bits 15:6, bit 17, bits 63:32\n", VMCS_INDEX_CR0_MASK, 0xffffffff0002ffc0);
	says("PAE, VMXE\n", VMCS_INDEX_GUEST_CR4, 0x2020);
	says("SCE, LME, LMA, NXE\n", VMCS_INDEX_HOST_EFER, 0xd01);
	says("1, IF, RF\n", VMCS_INDEX_GUEST_RFLAGS, 0x10202);
	says("L0, LE, GE, 1, GD\n", VMCS_INDEX_GUEST_DR7, 0x2701);
	says("blocking by STI, blocking by NMI\n", VMCS_INDEX_GUEST_INTERRUPTIBILITY, 9);
	says("#DB, #AC, #MC exit\n", VMCS_INDEX_EXCEPTION_BITMAP, 0x60002);
	says("PA0 WB, PA1 WT, PA2 UC-, PA3 UC, PA4 WB, PA5 WP, PA6 UC-, PA7 WC\n",
	     VMCS_INDEX_GUEST_PAT, 0x0107050600070406);
}

static void test_controls(void **state)
{
	says("1  bit 0  external-interrupt exiting\n"
	     "1  bit 1  (reserved)\n"
	     "0  bit 3  NMI exiting\n"
	     "1  bit 5  virtual NMIs\n"
	     "0  bit 6  activate VMX-preemption timer\n"
	     "0  bit 7  process posted interrupts\n", VMCS_INDEX_PIN_CONTROLS, 0x23);
}

/* "VM-Entry Controls for Event Injection", "IDT-Vectoring Information" */
static void test_events(void **state)
{
	says("not valid\n", VMCS_INDEX_ENTRY_EVENT, 0x30e);
	says("hardware exception, vector 14 #PF, with error code\n",
	     VMCS_INDEX_VECTORING_EVENT, 0x80000b0e);
	says("external interrupt, vector 14\n", VMCS_INDEX_ENTRY_EVENT, 0x8000000e);
	says("NMI, vector 2, NMIs were unblocked by IRET\n", VMCS_INDEX_EXIT_EVENT, 0x80001202);
	says("software exception, vector 3 #BP\n", VMCS_INDEX_EXIT_EVENT, 0x80000603);
}

static void qualification(const char *expected, unsigned int reason, __u64 value)
{
	vmcs.value[VMCS_INDEX_EXIT_REASON] = reason;
	says(expected, VMCS_INDEX_EXIT_QUALIFICATION, value);
}

/* The tables of "Basic VM-Exit Information" */
static void test_qualifications(void **state)
{
	qualification("MOV to CR3 from RBX\n", 28, 0x303);
	qualification("MOV from CR8 to R15\n", 28, 0xf18);
	qualification("CLTS\n", 28, 0x20);
	qualification("LMSW of 0x1234 from memory\n", 28, 0x12340070);
	qualification("MOV to DR7, RAX\n", 29, 7);
	qualification("MOV from DR6, RCX\n", 29, 0x116);
	qualification("OUT of 1 byte, port 0x3f8\n", 30, 0x3f80000);
	qualification("REP INS of 2 bytes, port 0x1f0\n", 30, 0x1f00039);
	qualification("IN of 4 bytes, port 0x10, immediate\n", 30, 0x10004b);
	qualification("access: write; the page is not present\n"
		      "the access itself, to what the guest-linear address leads to\n", 48, 0x182);
	qualification("access: read fetch; the page is rw\n"
		      "the guest's page walk, or its accessed and dirty flags\n", 48, 0x9d);
	qualification("data write at offset 0xb0\n", 44, 0x10b0);
	qualification("vector 0xec\n", 45, 0xec);
	qualification("the PDPTEs are not valid\n", 0x80000021, 2);
	qualification("", 10, 0);
}

static void test_others(void **state)
{
	says("cpuid\n", VMCS_INDEX_EXIT_REASON, 10);
	says("invalid_guest_state, VM entry failed\n", VMCS_INDEX_EXIT_REASON, 0x80000021);
	says("no reason of that number is known\n", VMCS_INDEX_EXIT_REASON, 35);
	says("no reason of that number is known\n", VMCS_INDEX_EXIT_REASON, 0xffff);
	says("WB, page walk of 4 levels, accessed and dirty flags on\n",
	     VMCS_INDEX_EPTP, 0x526c05e);
	says("-456534534 ticks\n", VMCS_INDEX_TSC_OFFSET, 0xffffffffe4c9d5fa);
	says("GDT entry 2, RPL 0\n", VMCS_INDEX_HOST_CS_SELECTOR, 0x10);
	says("LDT entry 1, RPL 3\n", VMCS_INDEX_GUEST_DS_SELECTOR, 0xf);
	says("", VMCS_INDEX_GUEST_DS_SELECTOR, 0);
	says("none\n", VMCS_INDEX_VMCS_LINK_POINTER, ~0ULL);
	says("", VMCS_INDEX_VMCS_LINK_POINTER, 0x1000);
	says("HLT\n", VMCS_INDEX_GUEST_ACTIVITY, 1);
	says("no such state\n", VMCS_INDEX_GUEST_ACTIVITY, 4);
	says("VMRESUME with non-launched VMCS\n", VMCS_INDEX_INSTRUCTION_ERROR, 5);
	says("", VMCS_INDEX_INSTRUCTION_ERROR, 14);
	says("", VMCS_INDEX_INSTRUCTION_ERROR, 0xffffffff);
	assert_int_equal(vmcs_reason_number("ept_violation"), 48);
	assert_int_equal(vmcs_reason_number("often"), -1);
}

/* Whatever is in a field, the decoder comes back. */
static void test_any_value(void **state)
{
	static const __u64 values[] = { 0, 1, 0x80000000, 0xffffffff, 1ULL << 63, ~0ULL };
	FILE *out = fopen("/dev/null", "w");
	unsigned int i, reason;
	int index;

	for (reason = 0; reason < 80; reason++) {
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			for (index = 0; index < VMCS_NR_FIELDS; index++)
				vmcs.value[index] = values[i];
			vmcs.value[VMCS_INDEX_EXIT_REASON] = reason;
			for (index = 0; index < VMCS_NR_FIELDS; index++)
				vmcs_words(out, &vmcs, index);
		}
	}
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_access_rights),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_qualifications),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_any_value),
	};

	return cmocka_run_group_tests_name("vmcs_words", tests, NULL, NULL);
}
