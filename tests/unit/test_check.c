// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of VM entry: VMCSs that break none, and then each rule in both
 * directions: a value that breaks it and, beside it, one that does not. What a
 * rule says is the SDM's; each row names the field that the finding must be
 * about.
 */
// sources: module/vmx/check.c module/vmx/check_control.c module/vmx/check_guest.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/bits.h>
#include <linux/kernel.h>

#include "vmx/check.h"

#define FIELD(image, name)	((image)->value[VMCS_INDEX_##name])

/* A CPU that allows every setting and forces none but these */
static const struct mvm_vmx_msrs msrs = {
	.basic = 0x12345,
	.pin = 0xffffffff00000016, .cpu = 0xffffffff04006172,
	.cpu2 = 0xffffffff00000000, .exit = 0xffffffff00036dff,
	.entry = 0xffffffff000011ff,
	.misc = 4 << 16 | BIT_ULL(6) | BIT_ULL(7),
	.ept_vpid = VMX_EPT_CAP_4_LEVEL | VMX_EPT_CAP_WB | VMX_EPT_CAP_AD,
	.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000, .cr4_fixed1 = 0xb727ff,
};

/* Memory that addresses point to */
#define MEMORY	0x100000
static u64 memory[1024];

static bool peek(u64 address, u64 *value)
{
	assert_int_equal(address & 7, 0);
	if (address < MEMORY || address >= MEMORY + sizeof(memory))
		return false;
	*value = memory[(address - MEMORY) / 8];
	return true;
}

#define VMCS_AT	0x8000

static const struct mvm_check_cpu cpu = {
	.msrs = &msrs, .vmfunc = 1, .perf_global = 0x70000000f, .phys_bits = 40,
	.linear_bits = 48, .sgx = true, .rtm = true, .current_vmcs = VMCS_AT,
	.cpu3 = 0x1e, .exit2 = 1,
};

/* A 64-bit guest in a 64-bit host, with EPT and unrestricted guest */
static struct mvm_vmcs_image good(void)
{
	struct mvm_vmcs_image image = { };

	FIELD(&image, PIN_CONTROLS) = (u32)msrs.pin | VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS |
				      VMX_PIN_EXTERNAL_INTERRUPT;
	FIELD(&image, CPU_CONTROLS) = (u32)msrs.cpu | VMX_CPU_SECONDARY | VMX_CPU_MSR_BITMAPS;
	FIELD(&image, CPU2_CONTROLS) = VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED_GUEST | VMX_CPU2_VPID;
	FIELD(&image, EXIT_CONTROLS) = (u32)msrs.exit | VMX_EXIT_HOST_64BIT | VMX_EXIT_LOAD_PAT |
				       VMX_EXIT_LOAD_EFER;
	FIELD(&image, ENTRY_CONTROLS) = (u32)msrs.entry | VMX_ENTRY_IA32E_MODE |
					VMX_ENTRY_LOAD_PAT | VMX_ENTRY_LOAD_EFER |
					VMX_ENTRY_LOAD_DEBUG;
	FIELD(&image, MSR_BITMAP) = 0x1000;
	FIELD(&image, EPTP) = 0x201e;
	FIELD(&image, VPID) = 1;
	FIELD(&image, VMCS_LINK_POINTER) = ~0ULL;

	FIELD(&image, HOST_CR0) = 0x80050033;
	FIELD(&image, HOST_CR4) = 0x3720f0 & 0x3727ff;
	FIELD(&image, HOST_CR3) = 0x3000;
	FIELD(&image, HOST_PAT) = 0x0407050600070106;
	FIELD(&image, HOST_EFER) = 0xd01;
	FIELD(&image, HOST_CS_SELECTOR) = 0x10;
	FIELD(&image, HOST_SS_SELECTOR) = 0x18;
	FIELD(&image, HOST_TR_SELECTOR) = 0x40;
	FIELD(&image, HOST_GS_BASE) = 0xffff888000000000;
	FIELD(&image, HOST_RIP) = 0xffffffffc0000000;

	FIELD(&image, GUEST_CR0) = 0x80000031;
	FIELD(&image, GUEST_CR3) = 0x4000;
	FIELD(&image, GUEST_CR4) = 0x2020;
	FIELD(&image, GUEST_EFER) = 0x500;
	FIELD(&image, GUEST_PAT) = 0x0007040600070406;
	FIELD(&image, GUEST_DR7) = 0x400;
	FIELD(&image, GUEST_RFLAGS) = 2;
	FIELD(&image, GUEST_RIP) = 0x100000;
	FIELD(&image, GUEST_CS_SELECTOR) = 8;
	FIELD(&image, GUEST_CS_LIMIT) = 0xffffffff;
	FIELD(&image, GUEST_CS_ACCESS_RIGHTS) = 0xa09b;
	FIELD(&image, GUEST_SS_LIMIT) = 0xffffffff;
	FIELD(&image, GUEST_SS_ACCESS_RIGHTS) = 0xc093;
	FIELD(&image, GUEST_DS_LIMIT) = 0xffffffff;
	FIELD(&image, GUEST_DS_ACCESS_RIGHTS) = 0xc093;
	FIELD(&image, GUEST_ES_ACCESS_RIGHTS) = VMX_AR_UNUSABLE;
	FIELD(&image, GUEST_FS_ACCESS_RIGHTS) = VMX_AR_UNUSABLE;
	FIELD(&image, GUEST_GS_ACCESS_RIGHTS) = VMX_AR_UNUSABLE;
	FIELD(&image, GUEST_LDTR_ACCESS_RIGHTS) = VMX_AR_UNUSABLE;
	FIELD(&image, GUEST_TR_LIMIT) = 0x67;
	FIELD(&image, GUEST_TR_ACCESS_RIGHTS) = 0x8b;
	return image;
}

static const u32 encodings[] = {
#define ENCODING(name, encoding, width, section, words)	encoding,
	VMCS_FIELDS(ENCODING)
};

struct findings {
	unsigned int n;
	struct mvm_check_finding first;
	bool about[0x8000];
};

static void collect(void *ctx, const struct mvm_check_finding *f)
{
	struct findings *all = ctx;

	if (!all->n++)
		all->first = *f;
	all->about[f->field] = true;
	assert_true(strlen(f->rule) > 0);
	assert_true(strlen(f->section) > 0);
}

static struct findings check_on(const struct mvm_vmcs_image *image,
				const struct mvm_check_cpu *which)
{
	struct findings all = { };
	unsigned int n = mvm_check_vmcs(image, which, collect, &all);

	assert_int_equal(n, all.n);
	return all;
}

static struct findings check(const struct mvm_vmcs_image *image)
{
	return check_on(image, &cpu);
}

static void a_good_vmcs_breaks_no_rule(void **state)
{
	struct mvm_vmcs_image image = good();
	struct findings all = check(&image);

	if (all.n)
		print_message("field 0x%x: %s\n", all.first.field, all.first.rule);
	assert_int_equal(all.n, 0);
}

/* Who the guest is, before anything is changed */
enum guest { LONG, PAE, REAL, VM86, RESTRICTED, NO_EPT };

static struct mvm_vmcs_image guest(enum guest kind)
{
	struct mvm_vmcs_image image = good();
	unsigned int i;

	if (kind == RESTRICTED || kind == NO_EPT)
		FIELD(&image, CPU2_CONTROLS) &= ~(u64)VMX_CPU2_UNRESTRICTED_GUEST;
	if (kind == NO_EPT)
		FIELD(&image, CPU2_CONTROLS) &= ~(u64)VMX_CPU2_EPT;
	if (kind == LONG || kind == RESTRICTED)
		return image;
	FIELD(&image, ENTRY_CONTROLS) &= ~(u64)VMX_ENTRY_IA32E_MODE;
	FIELD(&image, GUEST_EFER) = 0;
	FIELD(&image, GUEST_CS_ACCESS_RIGHTS) = 0xc09b;
	FIELD(&image, GUEST_RIP) = 0x1000;
	if (kind == PAE || kind == NO_EPT)
		return image;
	FIELD(&image, GUEST_CR4) = 0x2000;
	if (kind == REAL)
		FIELD(&image, GUEST_CR0) = 0x30;
	if (kind == VM86)
		FIELD(&image, GUEST_RFLAGS) = BIT_ULL(17) | 2;
	for (i = 0; i < 6; i++) {
		image.value[VMCS_INDEX_GUEST_ES_SELECTOR + i] = 0x1000;
		image.value[VMCS_INDEX_GUEST_ES_BASE + i] = 0x10000;
		image.value[VMCS_INDEX_GUEST_ES_LIMIT + i] = 0xffff;
		image.value[VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS + i] = kind == VM86 ? 0xf3 : 0x93;
	}
	return image;
}

struct setting {
	enum vmcs_index index;
	u64 value;
};

/**
 * struct pair - a rule in both directions
 * @what: it says
 * @guest: to begin with
 * @kind: what the processor does about it
 * @with: other fields that it needs; index 0 is VPID, never needed
 * @index: the field that is changed
 * @bad: its value that breaks the rule
 * @good: its value that does not; the VMCS then breaks no rule at all
 * @about: index of the field that the finding is about
 */
struct pair {
	const char *what;
	enum guest guest;
	enum mvm_check_kind kind;
	struct setting with[4];
	enum vmcs_index index;
	u64 bad, good;
	enum vmcs_index about;
};

#define AT(name)	VMCS_INDEX_##name
#define W(name, v)	{ AT(name), v }
#define ROW(kind, guest, what, name, bad, good, about, ...)			\
	{ what, guest, MVM_CHECK_##kind, { __VA_ARGS__ }, AT(name), bad, good, AT(about) }
#define CONTROL(what, name, bad, good, ...)	\
	ROW(CONTROL, LONG, what, name, bad, good, name, __VA_ARGS__)
#define HOST(what, name, bad, good, ...)	\
	ROW(HOST, LONG, what, name, bad, good, name, __VA_ARGS__)
#define GUEST(what, name, bad, good, ...)	\
	ROW(GUEST, LONG, what, name, bad, good, name, __VA_ARGS__)

#define PIN(bits)	(0x16 | BIT(0) | BIT(3) | BIT(5) | (bits))
#define CPU(bits)	(0x04006172 | BIT(28) | BIT(31) | (bits))
#define CPU2(bits)	(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED_GUEST | VMX_CPU2_VPID | (bits))
#define EXIT(bits)	(0x36dff | BIT(9) | BIT(19) | BIT(21) | (bits))
#define ENTRY(bits)	(0x11ff | BIT(2) | BIT(9) | BIT(14) | BIT(15) | (bits))
#define EVENT(type, vector, bits)	(VMX_EVENT_VALID | (type) | (vector) | (bits))
#define SHADOW		W(CPU_CONTROLS, CPU(BIT(21)))
#define IPIS		W(CPU_CONTROLS, CPU(BIT(17) | BIT(21))), W(TERTIARY_CONTROLS, BIT(4))
#define HLAT		W(CPU_CONTROLS, CPU(BIT(17))), W(TERTIARY_CONTROLS, BIT(1))
#define PAGE		"a page: aligned, within the physical addresses"
#define HIGH		BIT_ULL(40)
#define GAP		BIT_ULL(47)
#define LAST		0x7fffffffffffULL

static const struct pair pairs[] = {
	/* "VM-Execution Control Fields" */
	CONTROL("a bit that must be 1", PIN_CONTROLS, PIN(0) & ~2, PIN(0)),
	CONTROL("a bit that must be 1", CPU_CONTROLS, CPU(0) & ~2, CPU(0)),
	CONTROL("CR3 targets", CR3_TARGET_COUNT, 5, 4),
	CONTROL(PAGE, IO_BITMAP_A, 0x1800, 0x1000, W(CPU_CONTROLS, CPU(BIT(25)))),
	CONTROL(PAGE, IO_BITMAP_B, HIGH, HIGH - 0x1000, W(CPU_CONTROLS, CPU(BIT(25)))),
	CONTROL(PAGE, MSR_BITMAP, HIGH, HIGH - 0x1000),
	CONTROL("virtual NMIs need NMI exiting", PIN_CONTROLS, PIN(0) & ~BIT(3), PIN(0)),
	ROW(CONTROL, LONG, "NMI window needs virtual NMIs", PIN_CONTROLS, PIN(0) & ~BIT(5),
	    PIN(0), CPU_CONTROLS, W(CPU_CONTROLS, CPU(BIT(22)))),
	CONTROL(PAGE, VIRTUAL_APIC_ADDRESS, 8, 0x1000, SHADOW),
	CONTROL("TPR threshold, 4 bits", TPR_THRESHOLD, 16, 15, SHADOW),
	ROW(CONTROL, LONG, "with interrupt delivery it is not looked at", CPU2_CONTROLS, CPU2(0),
	    CPU2(BIT(9)), TPR_THRESHOLD, SHADOW, W(TPR_THRESHOLD, 16)),
	ROW(CONTROL, LONG, "x2APIC needs TPR shadow", CPU_CONTROLS, CPU(0), CPU(BIT(21)),
	    CPU2_CONTROLS, W(CPU2_CONTROLS, CPU2(BIT(4)))),
	ROW(CONTROL, LONG, "APIC registers need TPR shadow", CPU_CONTROLS, CPU(0), CPU(BIT(21)),
	    CPU2_CONTROLS, W(CPU2_CONTROLS, CPU2(BIT(8)))),
	ROW(CONTROL, LONG, "interrupt delivery needs TPR shadow", CPU_CONTROLS, CPU(0),
	    CPU(BIT(21)), CPU2_CONTROLS, W(CPU2_CONTROLS, CPU2(BIT(9)))),
	CONTROL(PAGE, APIC_ACCESS_ADDRESS, 8, 0x1000, W(CPU2_CONTROLS, CPU2(BIT(0)))),
	CONTROL("APIC accesses exclude x2APIC", CPU2_CONTROLS, CPU2(BIT(0) | BIT(4)),
		CPU2(BIT(4)), SHADOW),
	CONTROL("interrupt delivery needs interrupt exiting", PIN_CONTROLS, PIN(0) & ~BIT(0),
		PIN(0), SHADOW, W(CPU2_CONTROLS, CPU2(BIT(9)))),
	ROW(CONTROL, LONG, "posted interrupts need delivery", CPU2_CONTROLS, CPU2(0),
	    CPU2(BIT(9)), CPU2_CONTROLS, SHADOW, W(PIN_CONTROLS, PIN(BIT(7))),
	    W(EXIT_CONTROLS, EXIT(BIT(15)))),
	CONTROL("posted interrupts need acknowledge", EXIT_CONTROLS, EXIT(0), EXIT(BIT(15)),
		SHADOW, W(PIN_CONTROLS, PIN(BIT(7))), W(CPU2_CONTROLS, CPU2(BIT(9)))),
	CONTROL("their vector", POSTED_INTERRUPT_VECTOR, 256, 255, SHADOW,
		W(PIN_CONTROLS, PIN(BIT(7))), W(CPU2_CONTROLS, CPU2(BIT(9))),
		W(EXIT_CONTROLS, EXIT(BIT(15)))),
	CONTROL("their descriptor", POSTED_INTERRUPT_DESCRIPTOR, 0x1020, 0x1040, SHADOW,
		W(PIN_CONTROLS, PIN(BIT(7))), W(CPU2_CONTROLS, CPU2(BIT(9))),
		W(EXIT_CONTROLS, EXIT(BIT(15)))),
	CONTROL("VPID", VPID, 0, 0xffff),
	CONTROL("EPT memory type", EPTP, 0x2019, 0x201e),
	CONTROL("EPT memory type UC, not there", EPTP, 0x2018, 0x201e),
	CONTROL("EPT of 3 levels", EPTP, 0x2016, 0x201e),
	CONTROL("EPT of 5 levels, not there", EPTP, 0x2026, 0x201e),
	CONTROL("shadow-stack control, not there", EPTP, 0x209e, 0x205e),
	CONTROL("EPTP bit 8", EPTP, 0x211e, 0x201e),
	CONTROL("EPTP too high", EPTP, HIGH | 0x1e, (HIGH - 0x1000) | 0x1e),
	CONTROL("unrestricted guest needs EPT", CPU2_CONTROLS, VMX_CPU2_UNRESTRICTED_GUEST, 0),
	CONTROL("PML needs EPT", CPU2_CONTROLS, BIT(17), 0),
	CONTROL("mode-based execution needs EPT", CPU2_CONTROLS, BIT(22), CPU2(BIT(22))),
	CONTROL("sub-page writes need EPT", CPU2_CONTROLS, BIT(23), CPU2(BIT(23))),
	CONTROL("PT's guest-physical addresses need EPT", CPU2_CONTROLS, BIT(24), CPU2(BIT(24)),
		W(ENTRY_CONTROLS, ENTRY(BIT(18))), W(EXIT_CONTROLS, EXIT(BIT(25)))),
	CONTROL(PAGE, PML_ADDRESS, 1, 0x1000, W(CPU2_CONTROLS, CPU2(BIT(17)))),
	CONTROL(PAGE, SUB_PAGE_PERMISSION_TABLE, 1, 0x1000, W(CPU2_CONTROLS, CPU2(BIT(23)))),
	CONTROL(PAGE, VMREAD_BITMAP, 1, 0x1000, W(CPU2_CONTROLS, CPU2(BIT(14)))),
	CONTROL(PAGE, VMWRITE_BITMAP, HIGH, 0x1000, W(CPU2_CONTROLS, CPU2(BIT(14)))),
	CONTROL(PAGE, VIRTUALIZATION_EXCEPTION_ADDRESS, 1, 0x1000,
		W(CPU2_CONTROLS, CPU2(BIT(18)))),
	CONTROL("VM functions", VM_FUNCTION_CONTROLS, 2, 1, W(CPU2_CONTROLS, CPU2(BIT(13)))),
	ROW(CONTROL, LONG, "EPTP switching needs EPT", CPU2_CONTROLS, BIT(13), CPU2(BIT(13)),
	    VM_FUNCTION_CONTROLS, W(VM_FUNCTION_CONTROLS, 1)),
	CONTROL(PAGE, EPTP_LIST_ADDRESS, 8, 0x1000, W(CPU2_CONTROLS, CPU2(BIT(13))),
		W(VM_FUNCTION_CONTROLS, 1)),
	ROW(CONTROL, LONG, "IPIs need TPR shadow", CPU_CONTROLS, CPU(BIT(17)),
	    CPU(BIT(17) | BIT(21)), TERTIARY_CONTROLS, W(TERTIARY_CONTROLS, BIT(4))),
	CONTROL("PID pointers aligned", PID_POINTER_TABLE, 4, 8, IPIS),
	CONTROL("end of PID pointers", PID_POINTER_TABLE, HIGH - 8, HIGH - 16, IPIS,
		W(LAST_PID_POINTER, 1)),
	CONTROL("a tertiary control that is not there", TERTIARY_CONTROLS, BIT(5), BIT(2),
		W(CPU_CONTROLS, CPU(BIT(17)))),
	ROW(CONTROL, LONG, "tertiary controls, not active", CPU_CONTROLS, CPU(BIT(17)), CPU(0),
	    TERTIARY_CONTROLS, W(TERTIARY_CONTROLS, BIT(5))),
	ROW(CONTROL, LONG, "HLAT needs EPT", CPU2_CONTROLS, 0, CPU2(0), TERTIARY_CONTROLS, HLAT),
	ROW(CONTROL, LONG, "paging-write needs EPT", CPU2_CONTROLS, 0, CPU2(0), TERTIARY_CONTROLS,
	    W(CPU_CONTROLS, CPU(BIT(17))), W(TERTIARY_CONTROLS, BIT(2))),
	ROW(CONTROL, LONG, "paging verification needs EPT", CPU2_CONTROLS, 0, CPU2(0),
	    TERTIARY_CONTROLS, W(CPU_CONTROLS, CPU(BIT(17))), W(TERTIARY_CONTROLS, BIT(3))),
	CONTROL("HLAT pointer, low bits", HLAT_POINTER, 4, 0x18, HLAT),
	CONTROL("HLAT pointer, bit 5", HLAT_POINTER, 0x1020, 0x1000, HLAT),
	CONTROL("HLAT pointer too high", HLAT_POINTER, HIGH, HIGH - 0x1000, HLAT),
	CONTROL("PT's guest-physical addresses need its MSR loaded", ENTRY_CONTROLS, ENTRY(0),
		ENTRY(BIT(18)), W(CPU2_CONTROLS, CPU2(BIT(24))), W(EXIT_CONTROLS, EXIT(BIT(25)))),
	CONTROL("and cleared", EXIT_CONTROLS, EXIT(0), EXIT(BIT(25)),
		W(CPU2_CONTROLS, CPU2(BIT(24))), W(ENTRY_CONTROLS, ENTRY(BIT(18)))),
	CONTROL("TSC multiplier", TSC_MULTIPLIER, 0, 1, W(CPU2_CONTROLS, CPU2(BIT(25)))),

	/* "VM-Exit Control Fields" */
	CONTROL("a bit that must be 1", EXIT_CONTROLS, EXIT(0) & ~1, EXIT(0)),
	CONTROL("save timer needs timer", EXIT_CONTROLS, EXIT(BIT(22)), EXIT(0)),
	ROW(CONTROL, LONG, "save timer with timer", PIN_CONTROLS, PIN(0), PIN(BIT(6)),
	    EXIT_CONTROLS, W(EXIT_CONTROLS, EXIT(BIT(22)))),
	CONTROL("a secondary control that is not there", EXIT2_CONTROLS, 2, 1,
		W(EXIT_CONTROLS, EXIT(BIT(31)))),
	ROW(CONTROL, LONG, "secondary controls, not active", EXIT_CONTROLS, EXIT(BIT(31)), EXIT(0),
	    EXIT2_CONTROLS, W(EXIT2_CONTROLS, 2)),
	CONTROL("store list aligned", EXIT_MSR_STORE_ADDRESS, 8, 16, W(EXIT_MSR_STORE_COUNT, 1)),
	CONTROL("load list aligned", EXIT_MSR_LOAD_ADDRESS, 8, 16, W(EXIT_MSR_LOAD_COUNT, 1)),
	CONTROL("end of load list", EXIT_MSR_LOAD_ADDRESS, HIGH - 16, HIGH - 32,
		W(EXIT_MSR_LOAD_COUNT, 2)),
	ROW(CONTROL, LONG, "an empty list has no address", EXIT_MSR_STORE_COUNT, 1, 0,
	    EXIT_MSR_STORE_ADDRESS, W(EXIT_MSR_STORE_ADDRESS, 8)),
	ROW(CONTROL, LONG, "a list of 2^32 bytes", EXIT_MSR_STORE_COUNT, BIT(28), 1,
	    EXIT_MSR_STORE_ADDRESS, W(EXIT_MSR_STORE_ADDRESS, HIGH - 16)),

	/* "VM-Entry Control Fields" */
	CONTROL("a bit that must be 1", ENTRY_CONTROLS, ENTRY(0) & ~1, ENTRY(0)),
	CONTROL("entry to SMM", ENTRY_CONTROLS, ENTRY(BIT(10)), ENTRY(0)),
	CONTROL("dual monitor", ENTRY_CONTROLS, ENTRY(BIT(11)), ENTRY(0)),
	CONTROL("end of the list", ENTRY_MSR_LOAD_ADDRESS, HIGH - 16, HIGH - 32,
		W(ENTRY_MSR_LOAD_COUNT, 2)),
	CONTROL("event of type 1", ENTRY_EVENT, EVENT(1 << 8, 0, 0), 1 << 8),
	CONTROL("vector of an NMI", ENTRY_EVENT, EVENT(VMX_EVENT_NMI, 3, 0),
		EVENT(VMX_EVENT_NMI, 2, 0)),
	CONTROL("vector of an exception", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 32, 0),
		EVENT(VMX_EVENT_HARD_EXCEPTION, 31, 0)),
	CONTROL("vector of an other event", ENTRY_EVENT, EVENT(7 << 8, 1, 0), EVENT(7 << 8, 0, 0)),
	CONTROL("event's bit 12", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 6, BIT(12)),
		EVENT(VMX_EVENT_HARD_EXCEPTION, 6, 0)),
	CONTROL("event's bit 30", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 6, BIT(30)),
		EVENT(VMX_EVENT_HARD_EXCEPTION, 6, 0)),
	CONTROL("error code of an interrupt", ENTRY_EVENT,
		EVENT(VMX_EVENT_SOFT_INTERRUPT, 13, BIT(11)),
		EVENT(VMX_EVENT_SOFT_INTERRUPT, 13, 0), W(ENTRY_INSTRUCTION_LENGTH, 2)),
	CONTROL("error code of #UD", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 6, BIT(11)),
		EVENT(VMX_EVENT_HARD_EXCEPTION, 6, 0)),
	CONTROL("error code of #GP", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 13, 0),
		EVENT(VMX_EVENT_HARD_EXCEPTION, 13, BIT(11))),
	ROW(CONTROL, REAL, "no error code in real mode", ENTRY_EVENT,
	    EVENT(VMX_EVENT_HARD_EXCEPTION, 13, BIT(11)),
	    EVENT(VMX_EVENT_HARD_EXCEPTION, 13, 0), ENTRY_EVENT),
	CONTROL("error code of 17 bits", ENTRY_ERROR_CODE, 0x10000, 0xffff,
		W(ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 13, BIT(11)))),
	CONTROL("INT n of 0 bytes", ENTRY_INSTRUCTION_LENGTH, 0, 1,
		W(ENTRY_EVENT, EVENT(VMX_EVENT_SOFT_INTERRUPT, 0x80, 0))),
	CONTROL("INT1 of 16 bytes", ENTRY_INSTRUCTION_LENGTH, 16, 15,
		W(ENTRY_EVENT, EVENT(VMX_EVENT_PRIV_EXCEPTION, 1, 0))),
	CONTROL("INT3 of 16 bytes", ENTRY_INSTRUCTION_LENGTH, 16, 15,
		W(ENTRY_EVENT, EVENT(VMX_EVENT_SOFT_EXCEPTION, 3, 0))),

	/* "Checks on Host Control Registers, MSRs, and SSP" */
	HOST("CR0 without PG", HOST_CR0, 0x50033, 0x80050033),
	HOST("CR0 bit 32", HOST_CR0, 0x180050033, 0x80050033),
	HOST("CR4 without VMXE", HOST_CR4, 0xf0, 0x20f0),
	HOST("CR4 bit 11", HOST_CR4, 0x28f0, 0x20f0),
	HOST("CET needs WP", HOST_CR4, 0x8020f0, 0x20f0, W(HOST_CR0, 0x80040033)),
	HOST("CR3 too high", HOST_CR3, HIGH, HIGH - 1),
	HOST("SYSENTER ESP", HOST_SYSENTER_ESP, GAP, LAST),
	HOST("SYSENTER EIP", HOST_SYSENTER_EIP, GAP, LAST),
	HOST("counters", HOST_PERF_GLOBAL_CTRL, 0x10, 0x70000000f, W(EXIT_CONTROLS, EXIT(BIT(12)))),
	HOST("PAT of type 2", HOST_PAT, 2, 1),
	HOST("PAT of type 3", HOST_PAT, 0x300, 0x400),
	HOST("PAT of type 8", HOST_PAT, 0x80000, 0x70000),
	HOST("EFER bit 1", HOST_EFER, 0xd02, 0xd01),
	HOST("EFER without LMA", HOST_EFER, 0x901, 0xd01),
	HOST("EFER without LME", HOST_EFER, 0xc01, 0xd01),
	HOST("S_CET canonical", HOST_S_CET, GAP, 0, W(EXIT_CONTROLS, EXIT(BIT(28)))),
	HOST("S_CET reserved", HOST_S_CET, BIT(6), BIT(5), W(EXIT_CONTROLS, EXIT(BIT(28)))),
	HOST("S_CET suppress and tracker", HOST_S_CET, 3 << 10, 1 << 10,
	     W(EXIT_CONTROLS, EXIT(BIT(28)))),
	HOST("SSP aligned", HOST_SSP, 6, 4, W(EXIT_CONTROLS, EXIT(BIT(28)))),
	HOST("SSP table", HOST_SSP_TABLE, GAP, LAST, W(EXIT_CONTROLS, EXIT(BIT(28)))),
	HOST("PKRS", HOST_PKRS, BIT_ULL(32), 0xffffffff, W(EXIT_CONTROLS, EXIT(BIT(29)))),

	/* "Checks on Host Segment and Descriptor-Table Registers" */
	HOST("CS with RPL", HOST_CS_SELECTOR, 0x11, 0x10),
	HOST("SS with TI", HOST_SS_SELECTOR, 0x1c, 0x18),
	HOST("DS with RPL", HOST_DS_SELECTOR, 0x2b, 0x28),
	HOST("ES with RPL", HOST_ES_SELECTOR, 1, 0),
	HOST("FS with TI", HOST_FS_SELECTOR, 4, 0),
	HOST("GS with RPL", HOST_GS_SELECTOR, 2, 0),
	HOST("TR with TI", HOST_TR_SELECTOR, 0x44, 0x40),
	HOST("CS null", HOST_CS_SELECTOR, 0, 8),
	HOST("TR null", HOST_TR_SELECTOR, 0, 8),
	HOST("FS base", HOST_FS_BASE, GAP, LAST),
	HOST("GS base", HOST_GS_BASE, GAP, LAST),
	HOST("TR base", HOST_TR_BASE, GAP, LAST),
	HOST("GDTR base", HOST_GDTR_BASE, GAP, LAST),
	HOST("IDTR base", HOST_IDTR_BASE, BIT_ULL(63), LAST),

	/* "Checks Related to Address-Space Size" */
	ROW(HOST, LONG, "64-bit host", EXIT_CONTROLS, EXIT(0) & ~BIT(9), EXIT(0), EXIT_CONTROLS),
	ROW(HOST, LONG, "64-bit guest needs 64-bit host", EXIT_CONTROLS, EXIT(0) & ~BIT(9),
	    EXIT(0), ENTRY_CONTROLS),
	ROW(HOST, PAE, "PCIDE needs 64-bit host", EXIT_CONTROLS, EXIT(0) & ~BIT(9), EXIT(0),
	    HOST_CR4, W(HOST_CR4, 0x220f0)),
	ROW(HOST, PAE, "RIP of a 32-bit host", EXIT_CONTROLS, EXIT(0) & ~BIT(9), EXIT(0),
	    HOST_RIP),
	ROW(HOST, PAE, "SS of a 32-bit host", EXIT_CONTROLS, EXIT(0) & ~BIT(9), EXIT(0),
	    HOST_SS_SELECTOR, W(HOST_SS_SELECTOR, 0)),
	HOST("PAE", HOST_CR4, 0x20d0, 0x20f0),
	HOST("RIP", HOST_RIP, GAP, LAST),

	/* "Checks on Guest Control Registers, Debug Registers, and MSRs" */
	GUEST("CR0 without NE", GUEST_CR0, 0x80000011, 0x80000031),
	GUEST("CR0 bit 32", GUEST_CR0, 0x180000031, 0xe0000031),
	ROW(GUEST, RESTRICTED, "restricted without PG", GUEST_CR0, 0x31, 0x80000031, GUEST_CR0),
	ROW(GUEST, VM86, "PG needs PE", GUEST_CR0, 0x80000030, 0x80000031, GUEST_CR0),
	GUEST("CR4 without VMXE", GUEST_CR4, 0x20, 0x2020),
	GUEST("CR4 bit 11", GUEST_CR4, 0x2820, 0x2420),
	GUEST("CET needs WP", GUEST_CR4, 0x802020, 0x2020),
	ROW(GUEST, LONG, "CET with WP", GUEST_CR0, 0x80000031, 0x80010031, GUEST_CR4,
	    W(GUEST_CR4, 0x802020)),
	GUEST("long mode without PG", GUEST_CR0, 0x31, 0x80000031),
	GUEST("long mode without PAE", GUEST_CR4, 0x2000, 0x2020),
	ROW(GUEST, PAE, "PCIDE needs long mode", GUEST_CR4, 0x22020, 0x2020, GUEST_CR4),
	GUEST("CR3 too high", GUEST_CR3, HIGH, HIGH - 1),
	GUEST("DR7 bit 32", GUEST_DR7, BIT_ULL(32), 0xffffffff),
	GUEST("DEBUGCTL bit 16", GUEST_DEBUGCTL, BIT_ULL(16), 0xffc7),
	GUEST("DEBUGCTL bit 3", GUEST_DEBUGCTL, BIT_ULL(3), 0),
	GUEST("SYSENTER ESP", GUEST_SYSENTER_ESP, GAP, LAST),
	GUEST("SYSENTER EIP", GUEST_SYSENTER_EIP, GAP, LAST),
	GUEST("counters", GUEST_PERF_GLOBAL_CTRL, 0x10, 0xf, W(ENTRY_CONTROLS, ENTRY(BIT(13)))),
	GUEST("PAT of type 3", GUEST_PAT, 0x300, 0x700),
	GUEST("EFER bit 1", GUEST_EFER, 0x502, 0xd01),
	GUEST("EFER without LMA", GUEST_EFER, 0x100, 0x500),
	ROW(GUEST, PAE, "EFER with LMA", GUEST_EFER, 0x400, 0, GUEST_EFER),
	GUEST("EFER without LME", GUEST_EFER, 0x400, 0x500),
	ROW(GUEST, PAE, "LME alone, with paging", GUEST_EFER, 0x100, 0, GUEST_EFER),
	ROW(GUEST, REAL, "LME alone, without", GUEST_EFER, 0x400, 0x100, GUEST_EFER),
	GUEST("BNDCFGS", GUEST_BNDCFGS, 4, 3, W(ENTRY_CONTROLS, ENTRY(BIT(16)))),
	GUEST("BNDCFGS canonical", GUEST_BNDCFGS, GAP, 0x7ffffffff000,
	      W(ENTRY_CONTROLS, ENTRY(BIT(16)))),
	GUEST("RTIT_CTL", GUEST_RTIT_CTL, BIT(18), BIT(13), W(ENTRY_CONTROLS, ENTRY(BIT(18)))),
	GUEST("LBR_CTL", GUEST_LBR_CTL, BIT(4), BIT(22) | BIT(3),
	      W(ENTRY_CONTROLS, ENTRY(BIT(21)))),
	GUEST("UINV", GUEST_UINV, 256, 255, W(ENTRY_CONTROLS, ENTRY(BIT(19)))),
	GUEST("S_CET", GUEST_S_CET, BIT(9), BIT(5), W(ENTRY_CONTROLS, ENTRY(BIT(20)))),
	GUEST("SSP table", GUEST_SSP_TABLE, GAP, LAST, W(ENTRY_CONTROLS, ENTRY(BIT(20)))),
	GUEST("PKRS", GUEST_PKRS, BIT_ULL(32), 0xffffffff, W(ENTRY_CONTROLS, ENTRY(BIT(22)))),

	/* "Checks on Guest Segment Registers" */
	ROW(GUEST, LONG, "TR with TI", GUEST_TR_SELECTOR, 4, 8, GUEST_TR_SELECTOR),
	GUEST("LDTR with TI", GUEST_LDTR_SELECTOR, 4, 8, W(GUEST_LDTR_ACCESS_RIGHTS, 0x82)),
	GUEST("LDTR unusable", GUEST_LDTR_ACCESS_RIGHTS, 0x83, VMX_AR_UNUSABLE,
	      W(GUEST_LDTR_SELECTOR, 4), W(GUEST_LDTR_BASE, GAP)),
	ROW(GUEST, RESTRICTED, "RPL of SS and CS", GUEST_SS_SELECTOR, 1, 0x10,
	    GUEST_SS_SELECTOR),
	ROW(GUEST, VM86, "base in vm86", GUEST_FS_BASE, 0x10010, 0x10000, GUEST_FS_BASE),
	ROW(GUEST, VM86, "limit in vm86", GUEST_GS_LIMIT, 0xfffff, 0xffff, GUEST_GS_LIMIT),
	ROW(GUEST, VM86, "rights in vm86", GUEST_CS_ACCESS_RIGHTS, 0x9b, 0xf3,
	    GUEST_CS_ACCESS_RIGHTS),
	GUEST("CS base", GUEST_CS_BASE, BIT_ULL(32), 0xffffffff),
	GUEST("SS base", GUEST_SS_BASE, BIT_ULL(32), 0xffffffff),
	GUEST("DS base", GUEST_DS_BASE, BIT_ULL(32), 0xffffffff),
	ROW(GUEST, LONG, "ES base, when usable", GUEST_ES_ACCESS_RIGHTS, 0x93, VMX_AR_UNUSABLE,
	    GUEST_ES_BASE, W(GUEST_ES_BASE, BIT_ULL(32))),
	GUEST("FS base, also unusable", GUEST_FS_BASE, GAP, LAST),
	GUEST("GS base", GUEST_GS_BASE, GAP, LAST),
	GUEST("TR base", GUEST_TR_BASE, GAP, LAST),
	GUEST("LDTR base", GUEST_LDTR_BASE, GAP, LAST, W(GUEST_LDTR_ACCESS_RIGHTS, 0x82)),
	GUEST("CS not accessed", GUEST_CS_ACCESS_RIGHTS, 0xa09a, 0xa099),
	GUEST("CS unusable and nothing else", GUEST_CS_ACCESS_RIGHTS, VMX_AR_UNUSABLE,
	      VMX_AR_UNUSABLE | 0xa09b),
	ROW(GUEST, RESTRICTED, "CS of type 3", GUEST_CS_ACCESS_RIGHTS, 0xc093, 0xa09b,
	    GUEST_CS_ACCESS_RIGHTS),
	GUEST("CS of type 3 and DPL", GUEST_CS_ACCESS_RIGHTS, 0xc0b3, 0xc093),
	GUEST("CS not a segment", GUEST_CS_ACCESS_RIGHTS, 0xa08b, 0xa09b),
	GUEST("CS not present", GUEST_CS_ACCESS_RIGHTS, 0xa01b, 0xa09b),
	GUEST("CS of DPL 3, SS of 0", GUEST_CS_ACCESS_RIGHTS, 0xa0fb, 0xa09b),
	GUEST("conforming CS above SS", GUEST_CS_ACCESS_RIGHTS, 0xa0bf, 0xa09f),
	GUEST("conforming CS below SS", GUEST_CS_ACCESS_RIGHTS, 0xa0ff, 0xa0bf,
	      W(GUEST_SS_ACCESS_RIGHTS, 0xc0d3)),
	GUEST("CS with bit 8", GUEST_CS_ACCESS_RIGHTS, 0xa19b, 0xb09b),
	GUEST("CS with bit 17", GUEST_CS_ACCESS_RIGHTS, 0x2a09b, 0x1a09b),
	GUEST("CS with L and D", GUEST_CS_ACCESS_RIGHTS, 0xe09b, 0xc09b),
	ROW(GUEST, LONG, "G, limit 0", GUEST_CS_ACCESS_RIGHTS, 0xa09b, 0x209b,
	    GUEST_CS_ACCESS_RIGHTS, W(GUEST_CS_LIMIT, 0)),
	ROW(GUEST, LONG, "no G, limit of 1 MiB", GUEST_CS_ACCESS_RIGHTS, 0x209b, 0xa09b,
	    GUEST_CS_ACCESS_RIGHTS, W(GUEST_CS_LIMIT, 0x100fff)),
	GUEST("SS read-only", GUEST_SS_ACCESS_RIGHTS, 0xc091, 0xc097),
	GUEST("SS code", GUEST_SS_ACCESS_RIGHTS, 0xc09b, 0xc093),
	GUEST("SS not a segment", GUEST_SS_ACCESS_RIGHTS, 0xc083, 0x10083),
	GUEST("SS not present", GUEST_SS_ACCESS_RIGHTS, 0xc013, 0x10000),
	GUEST("SS with bit 11", GUEST_SS_ACCESS_RIGHTS, 0xc893, 0x1c893),
	GUEST("SS of DPL 1 with CS of type 3", GUEST_SS_ACCESS_RIGHTS, 0xc0b3, 0xc093,
	      W(GUEST_CS_ACCESS_RIGHTS, 0xc093)),
	ROW(GUEST, REAL, "SS of DPL 1 in real mode", GUEST_SS_ACCESS_RIGHTS, 0xb3, 0x93,
	    GUEST_SS_ACCESS_RIGHTS),
	ROW(GUEST, RESTRICTED, "DPL of SS is its RPL", GUEST_SS_ACCESS_RIGHTS, 0xc0d3, 0xc0b3,
	    GUEST_SS_ACCESS_RIGHTS, W(GUEST_SS_SELECTOR, 0x11), W(GUEST_CS_SELECTOR, 9),
	    W(GUEST_CS_ACCESS_RIGHTS, 0xa0bb)),
	GUEST("DS not accessed", GUEST_DS_ACCESS_RIGHTS, 0xc092, 0xc091),
	GUEST("DS execute-only", GUEST_DS_ACCESS_RIGHTS, 0xc099, 0xc09b),
	GUEST("DS not present", GUEST_DS_ACCESS_RIGHTS, 0xc013, 0x1c013),
	GUEST("DS not a segment", GUEST_DS_ACCESS_RIGHTS, 0xc083, 0x1c083),
	ROW(GUEST, RESTRICTED, "DPL of DS below its RPL", GUEST_DS_ACCESS_RIGHTS, 0xc0d3,
	    0xc0f3, GUEST_DS_ACCESS_RIGHTS, W(GUEST_DS_SELECTOR, 3)),
	ROW(GUEST, RESTRICTED, "as code, too", GUEST_DS_ACCESS_RIGHTS, 0xc09b, 0xc09f,
	    GUEST_DS_ACCESS_RIGHTS, W(GUEST_DS_SELECTOR, 3)),
	GUEST("TR unusable", GUEST_TR_ACCESS_RIGHTS, 0x1008b, 0x8b),
	GUEST("TR not busy", GUEST_TR_ACCESS_RIGHTS, 0x89, 0x8b),
	ROW(GUEST, PAE, "TR of 16 bits", GUEST_TR_ACCESS_RIGHTS, 0x81, 0x83,
	    GUEST_TR_ACCESS_RIGHTS),
	GUEST("TR of 16 bits in long mode", GUEST_TR_ACCESS_RIGHTS, 0x83, 0x8b),
	GUEST("TR a segment", GUEST_TR_ACCESS_RIGHTS, 0x9b, 0x8b),
	GUEST("TR not present", GUEST_TR_ACCESS_RIGHTS, 0xb, 0x8b),
	GUEST("TR with bit 10", GUEST_TR_ACCESS_RIGHTS, 0x48b, 0x108b),
	ROW(GUEST, LONG, "TR limit", GUEST_TR_LIMIT, 0x100000, 0xfffff, GUEST_TR_ACCESS_RIGHTS),
	GUEST("LDTR of type 3", GUEST_LDTR_ACCESS_RIGHTS, 0x83, 0x82),
	GUEST("LDTR not present", GUEST_LDTR_ACCESS_RIGHTS, 2, 0x82),

	/* "Checks on Guest Descriptor-Table Registers" */
	GUEST("GDTR base", GUEST_GDTR_BASE, GAP, LAST),
	GUEST("IDTR base", GUEST_IDTR_BASE, GAP, LAST),
	GUEST("GDTR limit", GUEST_GDTR_LIMIT, 0x10000, 0xffff),
	GUEST("IDTR limit", GUEST_IDTR_LIMIT, 0x10000, 0xffff),

	/* "Checks on Guest RIP, RFLAGS, and SSP" */
	GUEST("RIP in 64-bit code", GUEST_RIP, BIT_ULL(48), GAP),
	GUEST("RIP in 64-bit code, top", GUEST_RIP, BIT_ULL(63), 0xffff000000000000),
	GUEST("RIP in compatibility mode", GUEST_RIP, BIT_ULL(32), 0xffffffff,
	      W(GUEST_CS_ACCESS_RIGHTS, 0xc09b)),
	ROW(GUEST, PAE, "RIP outside long mode", GUEST_RIP, BIT_ULL(32), 0xffffffff, GUEST_RIP),
	GUEST("RFLAGS bit 1", GUEST_RFLAGS, 0, 2),
	GUEST("RFLAGS bit 3", GUEST_RFLAGS, 0xa, 6),
	GUEST("RFLAGS bit 22", GUEST_RFLAGS, 0x400002, 0x200002),
	GUEST("VM in long mode", GUEST_RFLAGS, 0x20002, 2),
	ROW(GUEST, REAL, "VM in real mode", GUEST_RFLAGS, 0x20002, 2, GUEST_RFLAGS),
	GUEST("IF and interrupts", GUEST_RFLAGS, 2, 0x202,
	      W(ENTRY_EVENT, EVENT(VMX_EVENT_EXTERNAL, 32, 0))),
	GUEST("SSP aligned", GUEST_SSP, 2, 4, W(ENTRY_CONTROLS, ENTRY(BIT(20)))),
	GUEST("SSP canonical", GUEST_SSP, GAP, LAST & ~3ULL, W(ENTRY_CONTROLS, ENTRY(BIT(20)))),
	ROW(GUEST, PAE, "SSP outside long mode", GUEST_SSP, BIT_ULL(32), 0xfffffffc, GUEST_SSP,
	    W(ENTRY_CONTROLS, ENTRY(BIT(20)) & ~BIT(9))),

	/* "Checks on Guest Non-Register State" */
	GUEST("activity 4", GUEST_ACTIVITY, 4, 2),
	GUEST("wait-for-SIPI, not there", GUEST_ACTIVITY, 3, 1),
	ROW(GUEST, LONG, "HLT needs DPL 0", GUEST_ACTIVITY, 1, 0, GUEST_ACTIVITY,
	    W(GUEST_SS_ACCESS_RIGHTS, 0xc0b3), W(GUEST_CS_ACCESS_RIGHTS, 0xa0bb)),
	GUEST("HLT and blocking by MOV SS", GUEST_ACTIVITY, 1, 0, W(GUEST_INTERRUPTIBILITY, 2)),
	GUEST("#GP in HLT", GUEST_ACTIVITY, 1, 0,
	      W(ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 13, BIT(11)))),
	ROW(GUEST, LONG, "events in HLT", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 6, 0),
	    EVENT(VMX_EVENT_HARD_EXCEPTION, 1, 0), GUEST_ACTIVITY, W(GUEST_ACTIVITY, 1)),
	ROW(GUEST, LONG, "events in HLT", ENTRY_EVENT, EVENT(VMX_EVENT_SOFT_EXCEPTION, 3, 0),
	    EVENT(7 << 8, 0, 0), GUEST_ACTIVITY, W(GUEST_ACTIVITY, 1),
	    W(ENTRY_INSTRUCTION_LENGTH, 1)),
	ROW(GUEST, LONG, "events in shutdown", ENTRY_EVENT,
	    EVENT(VMX_EVENT_HARD_EXCEPTION, 1, 0), EVENT(VMX_EVENT_HARD_EXCEPTION, 18, 0),
	    GUEST_ACTIVITY, W(GUEST_ACTIVITY, 2)),
	ROW(GUEST, LONG, "INT 18 in shutdown", ENTRY_EVENT,
	    EVENT(VMX_EVENT_SOFT_INTERRUPT, 18, 0), EVENT(VMX_EVENT_NMI, 2, 0),
	    GUEST_ACTIVITY, W(GUEST_ACTIVITY, 2), W(ENTRY_INSTRUCTION_LENGTH, 2)),
	GUEST("interruptibility bit 5", GUEST_INTERRUPTIBILITY, 0x20, 0x10),
	GUEST("blocking by both", GUEST_INTERRUPTIBILITY, 3, 1, W(GUEST_RFLAGS, 0x202)),
	GUEST("blocking by STI with IF clear", GUEST_INTERRUPTIBILITY, 1, 2),
	GUEST("interrupt behind MOV SS", GUEST_INTERRUPTIBILITY, 2, 8, W(GUEST_RFLAGS, 0x202),
	      W(ENTRY_EVENT, EVENT(VMX_EVENT_EXTERNAL, 32, 0))),
	GUEST("NMI behind MOV SS", GUEST_INTERRUPTIBILITY, 2, 0,
	      W(ENTRY_EVENT, EVENT(VMX_EVENT_NMI, 2, 0))),
	GUEST("NMI behind STI", GUEST_INTERRUPTIBILITY, 1, 0, W(GUEST_RFLAGS, 0x202),
	      W(ENTRY_EVENT, EVENT(VMX_EVENT_NMI, 2, 0))),
	GUEST("blocking by SMI", GUEST_INTERRUPTIBILITY, 4, 8),
	GUEST("NMI while NMIs are blocked", GUEST_INTERRUPTIBILITY, 8, 0,
	      W(ENTRY_EVENT, EVENT(VMX_EVENT_NMI, 2, 0))),
	ROW(GUEST, LONG, "the same without virtual NMIs", PIN_CONTROLS, PIN(0),
	    PIN(0) & ~BIT(5), GUEST_INTERRUPTIBILITY, W(GUEST_INTERRUPTIBILITY, 8),
	    W(ENTRY_EVENT, EVENT(VMX_EVENT_NMI, 2, 0))),
	GUEST("enclave and MOV SS", GUEST_INTERRUPTIBILITY, 0x12, 0x10),
	GUEST("pending debug bit 4", GUEST_PENDING_DEBUG, 0x10, 0xf),
	GUEST("pending debug bit 17", GUEST_PENDING_DEBUG, BIT_ULL(17), 0x1000),
	GUEST("BS behind MOV SS, no TF", GUEST_PENDING_DEBUG, 0x4000, 0,
	      W(GUEST_INTERRUPTIBILITY, 2)),
	GUEST("BS behind MOV SS, TF", GUEST_PENDING_DEBUG, 0, 0x4000, W(GUEST_RFLAGS, 0x102),
	      W(GUEST_INTERRUPTIBILITY, 2)),
	GUEST("BS behind STI, TF and BTF", GUEST_PENDING_DEBUG, 0x4000, 0, W(GUEST_RFLAGS, 0x302),
	      W(GUEST_DEBUGCTL, 2), W(GUEST_INTERRUPTIBILITY, 1)),
	GUEST("BS in HLT", GUEST_PENDING_DEBUG, 0x4000, 0, W(GUEST_ACTIVITY, 1)),
	GUEST("RTM alone", GUEST_PENDING_DEBUG, BIT(16), BIT(16) | BIT(12)),
	GUEST("RTM with B0", GUEST_PENDING_DEBUG, BIT(16) | BIT(12) | 1, BIT(16) | BIT(12)),
	GUEST("RTM behind MOV SS", GUEST_INTERRUPTIBILITY, 2, 0,
	      W(GUEST_PENDING_DEBUG, BIT(16) | BIT(12))),
	GUEST("link pointer aligned", VMCS_LINK_POINTER, 0x1001, 0x1000),
	GUEST("link pointer too high", VMCS_LINK_POINTER, HIGH, HIGH - 0x1000),
	GUEST("link pointer to itself", VMCS_LINK_POINTER, VMCS_AT, ~0ULL),

	/* "Checks on Guest Page-Directory-Pointer-Table Entries" */
	ROW(GUEST, PAE, "PDPTE0", GUEST_PDPTE0, 3, 1, GUEST_PDPTE0),
	ROW(GUEST, PAE, "PDPTE1", GUEST_PDPTE1, 0x21, 0x19, GUEST_PDPTE1),
	ROW(GUEST, PAE, "PDPTE2", GUEST_PDPTE2, HIGH | 1, HIGH, GUEST_PDPTE2),
	ROW(GUEST, PAE, "PDPTE3, not present", GUEST_PDPTE3, 0x1e7, 0x1e6, GUEST_PDPTE3),
};

static void each_rule_in_both_directions(void **state)
{
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		const struct pair *p = &pairs[i];
		struct mvm_vmcs_image image = guest(p->guest);
		struct findings all;

		for (n = 0; n < ARRAY_SIZE(p->with) && p->with[n].index; n++)
			image.value[p->with[n].index] = p->with[n].value;
		image.value[p->index] = p->good;
		all = check(&image);
		if (all.n)
			fail_msg("row %u, %s: good, but: %s", i, p->what, all.first.rule);
		image.value[p->index] = p->bad;
		all = check(&image);
		if (!all.about[encodings[p->about]] || all.first.kind != p->kind)
			fail_msg("row %u, %s: %u findings, the first about 0x%x: %s", i, p->what,
				 all.n, all.first.field, all.n ? all.first.rule : "");
	}
}

/* Rules that ask what the CPU has */
static void another_cpu(void **state)
{
	struct mvm_vmx_msrs m = msrs;
	struct mvm_check_cpu other = cpu;
	struct mvm_vmcs_image image = good();

	other.msrs = &m;
	/* A bit that must be 0 */
	m.pin &= ~BIT_ULL(32 + 6);
	FIELD(&image, PIN_CONTROLS) |= BIT(6);
	assert_true(check_on(&image, &other).about[VMCS_PIN_CONTROLS]);
	m.cpu2 &= ~BIT_ULL(32 + 25);
	image = good();
	FIELD(&image, CPU2_CONTROLS) |= BIT(25);
	FIELD(&image, TSC_MULTIPLIER) = 1;
	assert_true(check_on(&image, &other).about[VMCS_CPU2_CONTROLS]);
	/* ... but not where they are not active */
	FIELD(&image, CPU_CONTROLS) &= ~(u64)VMX_CPU_SECONDARY;
	assert_int_equal(check_on(&image, &other).n, 0);

	/* EPT: UC, 5 levels, shadow stacks, no accessed flags */
	image = good();
	m.ept_vpid = BIT_ULL(7) | BIT_ULL(8) | BIT_ULL(23);
	assert_true(check_on(&image, &other).about[VMCS_EPTP]);
	FIELD(&image, EPTP) = 0x20a0;
	assert_int_equal(check_on(&image, &other).n, 0);
	FIELD(&image, EPTP) = 0x20e0;
	assert_true(check_on(&image, &other).about[VMCS_EPTP]);

	/* No monitor trap flag, no event of type 7 */
	m = msrs;
	m.cpu &= ~BIT_ULL(32 + 27);
	image = good();
	FIELD(&image, ENTRY_EVENT) = EVENT(7 << 8, 0, 0);
	assert_int_equal(check(&image).n, 0);
	assert_true(check_on(&image, &other).about[VMCS_ENTRY_EVENT]);
	/* Instructions of no bytes */
	m.misc |= BIT_ULL(30);
	FIELD(&image, ENTRY_EVENT) = EVENT(VMX_EVENT_SOFT_INTERRUPT, 0x80, 0);
	assert_int_equal(check_on(&image, &other).n, 0);
	/* Any exception with or without error code */
	m.basic |= BIT_ULL(56);
	FIELD(&image, ENTRY_EVENT) = EVENT(VMX_EVENT_HARD_EXCEPTION, 6, BIT(11));
	assert_int_equal(check_on(&image, &other).n, 0);
	FIELD(&image, ENTRY_EVENT) = EVENT(VMX_EVENT_EXTERNAL, 32, BIT(11));
	FIELD(&image, GUEST_RFLAGS) = 0x202;
	assert_true(check_on(&image, &other).about[VMCS_ENTRY_EVENT]);

	/* Wait-for-SIPI, where there is one: nothing can be injected */
	image = good();
	m.misc |= BIT_ULL(8);
	FIELD(&image, GUEST_ACTIVITY) = 3;
	assert_int_equal(check_on(&image, &other).n, 0);
	FIELD(&image, ENTRY_EVENT) = EVENT(VMX_EVENT_NMI, 2, 0);
	assert_true(check_on(&image, &other).about[VMCS_GUEST_ACTIVITY]);

	/* No SGX, no RTM */
	other.sgx = false;
	other.rtm = false;
	image = good();
	FIELD(&image, GUEST_INTERRUPTIBILITY) = 0x10;
	assert_true(check_on(&image, &other).about[VMCS_GUEST_INTERRUPTIBILITY]);
	FIELD(&image, GUEST_INTERRUPTIBILITY) = 0;
	FIELD(&image, GUEST_PENDING_DEBUG) = BIT(16) | BIT(12);
	assert_true(check_on(&image, &other).about[VMCS_GUEST_PENDING_DEBUG]);

	/* Intel PT traces the host */
	image = good();
	FIELD(&image, ENTRY_CONTROLS) = ENTRY(BIT(18));
	assert_int_equal(check_on(&image, &other).n, 0);
	other.tracing = true;
	assert_true(check_on(&image, &other).about[VMCS_ENTRY_CONTROLS]);
	other.tracing = false;

	/* Linear addresses of 57 bits */
	other.linear_bits = 57;
	image = good();
	FIELD(&image, GUEST_TR_BASE) = BIT_ULL(47);
	FIELD(&image, GUEST_RIP) = BIT_ULL(56);
	assert_int_equal(check_on(&image, &other).n, 0);
	FIELD(&image, GUEST_TR_BASE) = BIT_ULL(56);
	assert_true(check_on(&image, &other).about[VMCS_GUEST_TR_BASE]);
}

/* What the processor says when a rule about the guest's state is broken */
static void qualifications(void **state)
{
	struct mvm_vmcs_image image = guest(PAE);

	FIELD(&image, GUEST_PDPTE1) = 3;
	assert_int_equal(check(&image).first.qualification, 2);
	image = good();
	FIELD(&image, GUEST_INTERRUPTIBILITY) = 1;
	FIELD(&image, GUEST_RFLAGS) = 0x202;
	FIELD(&image, ENTRY_EVENT) = EVENT(VMX_EVENT_NMI, 2, 0);
	assert_int_equal(check(&image).first.qualification, 3);
	assert_true(check(&image).first.may);
	image = good();
	FIELD(&image, VMCS_LINK_POINTER) = 8;
	assert_int_equal(check(&image).first.qualification, 4);
	assert_false(check(&image).first.may);
	image = good();
	FIELD(&image, GUEST_RFLAGS) = 0;
	assert_int_equal(check(&image).first.qualification, 0);
}

/* Rules about what addresses point to */
static void in_memory(void **state)
{
	struct mvm_check_cpu other = cpu;
	struct mvm_vmcs_image image = good();
	struct findings all;
	unsigned int i;

	other.peek = peek;
	memset(memory, 0, sizeof(memory));

	/* The TPR threshold against the virtual TPR, at 0x80 */
	FIELD(&image, CPU_CONTROLS) |= BIT(21);
	FIELD(&image, VIRTUAL_APIC_ADDRESS) = MEMORY;
	FIELD(&image, TPR_THRESHOLD) = 5;
	memory[16] = 0x50;
	assert_int_equal(check_on(&image, &other).n, 0);
	memory[16] = 0x4f;
	all = check_on(&image, &other);
	assert_true(all.about[VMCS_TPR_THRESHOLD] && all.first.kind == MVM_CHECK_CONTROL);
	FIELD(&image, CPU2_CONTROLS) |= BIT(0);
	assert_int_equal(check_on(&image, &other).n, 0);

	/* The VMCS behind the link pointer */
	image = good();
	FIELD(&image, VMCS_LINK_POINTER) = MEMORY;
	memory[0] = 0x12345;
	assert_int_equal(check_on(&image, &other).n, 0);
	memory[0] = 0x12344;
	assert_true(check_on(&image, &other).about[VMCS_VMCS_LINK_POINTER]);
	memory[0] = 0x80012345;
	all = check_on(&image, &other);
	assert_true(all.about[VMCS_VMCS_LINK_POINTER] && all.first.qualification == 4);
	FIELD(&image, CPU2_CONTROLS) |= BIT(14);
	assert_int_equal(check_on(&image, &other).n, 0);
	memory[0] = 0x12345;
	assert_true(check_on(&image, &other).about[VMCS_VMCS_LINK_POINTER]);

	/* Without EPT, PDPTEs are where CR3 says; CR3's low bits are no address. */
	image = guest(NO_EPT);
	FIELD(&image, GUEST_CR3) = MEMORY + 0x1f;
	memory[0] = 0;
	FIELD(&image, GUEST_PDPTE0) = 3;
	assert_int_equal(check_on(&image, &other).n, 0);
	memory[3] = 3;
	all = check_on(&image, &other);
	assert_true(all.about[VMCS_GUEST_CR3] && all.first.qualification == 2);

	/* MSRs to load: the number of the first that cannot be */
	image = good();
	FIELD(&image, ENTRY_MSR_LOAD_ADDRESS) = MEMORY + 0x1000;
	FIELD(&image, ENTRY_MSR_LOAD_COUNT) = 3;
	for (i = 0; i < 3; i++)
		memory[512 + 2 * i] = 0x174;
	assert_int_equal(check_on(&image, &other).n, 0);
	memory[516] = 0xc0000100;
	all = check_on(&image, &other);
	assert_int_equal(all.n, 1);
	assert_int_equal(all.first.kind, MVM_CHECK_MSR);
	assert_int_equal(all.first.qualification, 3);
	memory[514] = 0xc0000101;
	assert_int_equal(check_on(&image, &other).first.qualification, 2);
	FIELD(&image, ENTRY_MSR_LOAD_COUNT) = 1;
	for (i = 0; i < 6; i++) {
		static const struct {
			u64 index, bad, good;
		} lists[] = {
			{ 0x80000000174, 0, 0 }, { 0x8ff, 0, 0 }, { 0x9b, 0, 0 },
			{ 0x176, BIT_ULL(47), LAST }, { 0x277, 2, 6 },
			{ 0xc0000102, BIT_ULL(63), ~0ULL },
		};

		memory[512] = lists[i].index;
		memory[513] = lists[i].bad;
		assert_int_equal(check_on(&image, &other).first.qualification, 1);
		if (lists[i].bad == lists[i].good)
			continue;
		memory[513] = lists[i].good;
		assert_int_equal(check_on(&image, &other).n, 0);
	}
}

/* The other half: what is allowed must not be found. */
static void what_is_allowed(void **state)
{
	struct mvm_vmcs_image image = good();

	/* Real mode, as after reset */
	FIELD(&image, ENTRY_CONTROLS) &= ~(u64)VMX_ENTRY_IA32E_MODE;
	FIELD(&image, GUEST_EFER) = 0;
	FIELD(&image, GUEST_CR0) = 0x20;
	FIELD(&image, GUEST_CR4) = 0x2000;
	FIELD(&image, GUEST_CS_SELECTOR) = 0xf000;
	FIELD(&image, GUEST_CS_BASE) = 0xffff0000;
	FIELD(&image, GUEST_CS_LIMIT) = 0xffff;
	FIELD(&image, GUEST_CS_ACCESS_RIGHTS) = 0x9b;
	FIELD(&image, GUEST_SS_LIMIT) = 0xffff;
	FIELD(&image, GUEST_SS_ACCESS_RIGHTS) = 0x93;
	FIELD(&image, GUEST_RIP) = 0xfff0;
	assert_int_equal(check(&image).n, 0);
	/* Type 3 in CS is for unrestricted guests. */
	FIELD(&image, GUEST_CS_ACCESS_RIGHTS) = 0x93;
	assert_int_equal(check(&image).n, 0);
	/* #GP has no error code in real mode. */
	FIELD(&image, ENTRY_EVENT) = EVENT(VMX_EVENT_HARD_EXCEPTION, 13, 0);
	assert_int_equal(check(&image).n, 0);
	FIELD(&image, ENTRY_EVENT) = EVENT(VMX_EVENT_HARD_EXCEPTION, 13, BIT(11));
	assert_int_equal(check(&image).n, 1);

	/* Single step behind MOV SS: BS is due. */
	image = good();
	FIELD(&image, GUEST_RFLAGS) = 0x102;
	FIELD(&image, GUEST_INTERRUPTIBILITY) = VMX_BLOCKING_MOV_SS;
	FIELD(&image, GUEST_PENDING_DEBUG) = BIT(14);
	assert_int_equal(check(&image).n, 0);

	/* An interrupt in HLT */
	image = good();
	FIELD(&image, GUEST_RFLAGS) = 0x202;
	FIELD(&image, GUEST_ACTIVITY) = VMX_ACTIVITY_HLT;
	FIELD(&image, ENTRY_EVENT) = EVENT(VMX_EVENT_EXTERNAL, 32, 0);
	assert_int_equal(check(&image).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_vmcs_breaks_no_rule),
		cmocka_unit_test(each_rule_in_both_directions),
		cmocka_unit_test(another_cpu),
		cmocka_unit_test(qualifications),
		cmocka_unit_test(in_memory),
		cmocka_unit_test(what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
