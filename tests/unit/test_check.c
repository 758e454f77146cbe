// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of VM entry: a VMCS that breaks none, and then each rule broken by
 * itself. What a rule says is the SDM's; each row names the field that the
 * finding must be about.
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
	.pin = 0xffffffff00000016, .cpu = 0xffffffff04006172,
	.cpu2 = 0xffffffff00000000, .exit = 0xffffffff00036dff,
	.entry = 0xffffffff000011ff,
	.misc = 4 << 16 | BIT_ULL(6) | BIT_ULL(7),
	.ept_vpid = VMX_EPT_CAP_4_LEVEL | VMX_EPT_CAP_WB | VMX_EPT_CAP_AD,
	.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x3727ff,
};

static const struct mvm_check_cpu cpu = { .msrs = &msrs, .phys_bits = 40, .linear_bits = 48 };

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

static struct findings check(const struct mvm_vmcs_image *image)
{
	struct findings all = { };
	unsigned int n = mvm_check_vmcs(image, &cpu, collect, &all);

	assert_int_equal(n, all.n);
	return all;
}

static void a_good_vmcs_breaks_no_rule(void **state)
{
	struct mvm_vmcs_image image = good();
	struct findings all = check(&image);

	if (all.n)
		print_message("field 0x%x: %s\n", all.first.field, all.first.rule);
	assert_int_equal(all.n, 0);
}

struct mutation {
	const char *what;
	enum vmcs_index index[2];
	u64 value[2];
	u32 field;		/* the one that the finding is about */
	enum mvm_check_kind kind;
};

#define ONE(words, name, v, kind_)	\
	{ words, { VMCS_INDEX_##name, VMCS_INDEX_##name }, { v, v }, VMCS_##name, kind_ }
#define TWO(words, name, v, other, w, kind_)	\
	{ words, { VMCS_INDEX_##name, VMCS_INDEX_##other }, { v, w }, VMCS_##name, kind_ }
#define CONTROL	MVM_CHECK_CONTROL
#define HOST	MVM_CHECK_HOST
#define GUEST	MVM_CHECK_GUEST

#define CPU2(bits)	(VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED_GUEST | VMX_CPU2_VPID | (bits))
#define EVENT(type, vector, bits)	(VMX_EVENT_VALID | (type) | (vector) | (bits))

static const struct mutation mutations[] = {
	ONE("a bit that must be 1", PIN_CONTROLS, 0x28, CONTROL),
	ONE("virtual NMIs without NMI exiting", PIN_CONTROLS, 0x16 | 0x20 | 1, CONTROL),
	ONE("EPTP of memory type 1", EPTP, 0x2019, CONTROL),
	ONE("EPTP of type UC, not there", EPTP, 0x2018, CONTROL),
	ONE("EPTP of 3 levels", EPTP, 0x2016, CONTROL),
	ONE("EPTP with bit 7", EPTP, 0x209e, CONTROL),
	ONE("EPTP above the physical addresses", EPTP, 0x1000000201e, CONTROL),
	ONE("VPID 0", VPID, 0, CONTROL),
	ONE("MSR bitmap not aligned", MSR_BITMAP, 0x1800, CONTROL),
	ONE("MSR bitmap too high", MSR_BITMAP, BIT_ULL(40), CONTROL),
	ONE("5 CR3 targets", CR3_TARGET_COUNT, 5, CONTROL),
	ONE("unrestricted guest without EPT", CPU2_CONTROLS, VMX_CPU2_UNRESTRICTED_GUEST, CONTROL),
	ONE("x2APIC without TPR shadow", CPU2_CONTROLS, CPU2(BIT(4)), CONTROL),
	TWO("APIC accesses, not aligned", APIC_ACCESS_ADDRESS, 8, CPU2_CONTROLS, CPU2(BIT(0)),
	    CONTROL),
	TWO("TPR threshold", TPR_THRESHOLD, 16, CPU_CONTROLS,
	    0x04006172 | BIT(31) | BIT(28) | BIT(21), CONTROL),
	TWO("exit MSR list not aligned", EXIT_MSR_LOAD_ADDRESS, 8, EXIT_MSR_LOAD_COUNT, 1, CONTROL),
	TWO("entry MSR list ends too high", ENTRY_MSR_LOAD_ADDRESS, BIT_ULL(40) - 16,
	    ENTRY_MSR_LOAD_COUNT, 2, CONTROL),
	ONE("save timer without timer", EXIT_CONTROLS,
	    0x36dff | BIT(9) | BIT(19) | BIT(21) | BIT(22), CONTROL),
	ONE("entry to SMM", ENTRY_CONTROLS,
	    0x11ff | BIT(9) | BIT(10) | BIT(14) | BIT(15) | BIT(2), CONTROL),
	ONE("event of type 1", ENTRY_EVENT, EVENT(1 << 8, 0, 0), CONTROL),
	ONE("NMI with vector 3", ENTRY_EVENT, EVENT(VMX_EVENT_NMI, 3, 0), CONTROL),
	ONE("exception 32", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 32, 0), CONTROL),
	ONE("#UD with error code", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 6, BIT(11)),
	    CONTROL),
	ONE("#GP without error code", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 13, 0), CONTROL),
	ONE("event with bit 12", ENTRY_EVENT, EVENT(VMX_EVENT_HARD_EXCEPTION, 6, BIT(12)), CONTROL),
	TWO("error code of 17 bits", ENTRY_ERROR_CODE, 0x10000, ENTRY_EVENT,
	    EVENT(VMX_EVENT_HARD_EXCEPTION, 13, BIT(11)), CONTROL),
	TWO("INT n of 0 bytes", ENTRY_INSTRUCTION_LENGTH, 0, ENTRY_EVENT,
	    EVENT(VMX_EVENT_SOFT_INTERRUPT, 0x80, 0), CONTROL),
	TWO("INT n of 16 bytes", ENTRY_INSTRUCTION_LENGTH, 16, ENTRY_EVENT,
	    EVENT(VMX_EVENT_SOFT_INTERRUPT, 0x80, 0), CONTROL),

	ONE("host CR0 without PG", HOST_CR0, 0x50033, HOST),
	ONE("host CR4 without VMXE", HOST_CR4, 0xf0, HOST),
	ONE("host CR3 too high", HOST_CR3, BIT_ULL(40), HOST),
	ONE("host PAT of type 2", HOST_PAT, 2, HOST),
	ONE("host EFER without LMA", HOST_EFER, 0x901, HOST),
	ONE("host EFER, reserved bit", HOST_EFER, 0x2d01, HOST),
	ONE("host CS null", HOST_CS_SELECTOR, 0, HOST),
	ONE("host TR null", HOST_TR_SELECTOR, 0, HOST),
	ONE("host DS with RPL 3", HOST_DS_SELECTOR, 0x2b, HOST),
	ONE("host FS with TI", HOST_FS_SELECTOR, 4, HOST),
	ONE("host GS base", HOST_GS_BASE, BIT_ULL(47), HOST),
	ONE("host IDTR base", HOST_IDTR_BASE, BIT_ULL(63), HOST),
	ONE("host SYSENTER ESP", HOST_SYSENTER_ESP, BIT_ULL(48), HOST),
	ONE("host RIP", HOST_RIP, BIT_ULL(47), HOST),

	ONE("PG without PE", GUEST_CR0, 0x80000030, GUEST),
	ONE("CR0 bit 32", GUEST_CR0, 0x180000031, GUEST),
	ONE("long mode without PG", GUEST_CR0, 0x31, GUEST),
	ONE("long mode without PAE", GUEST_CR4, 0x2000, GUEST),
	ONE("CR4 without VMXE", GUEST_CR4, 0x20, GUEST),
	ONE("CR4 bit 11", GUEST_CR4, 0x2820, GUEST),
	ONE("CR3 too high", GUEST_CR3, BIT_ULL(40), GUEST),
	ONE("DR7 bit 32", GUEST_DR7, BIT_ULL(32), GUEST),
	ONE("PAT of type 3", GUEST_PAT, 0x300, GUEST),
	ONE("EFER without LMA", GUEST_EFER, 0x100, GUEST),
	ONE("EFER without LME", GUEST_EFER, 0x400, GUEST),
	ONE("EFER bit 1", GUEST_EFER, 0x502, GUEST),
	ONE("SYSENTER EIP", GUEST_SYSENTER_EIP, BIT_ULL(47), GUEST),
	ONE("CS unusable, and nothing else", GUEST_CS_ACCESS_RIGHTS, VMX_AR_UNUSABLE, GUEST),
	ONE("CS not accessed", GUEST_CS_ACCESS_RIGHTS, 0xa09a, GUEST),
	ONE("CS not present", GUEST_CS_ACCESS_RIGHTS, 0xa01b, GUEST),
	ONE("CS a system segment", GUEST_CS_ACCESS_RIGHTS, 0xa08b, GUEST),
	ONE("CS with L and D", GUEST_CS_ACCESS_RIGHTS, 0xe09b, GUEST),
	ONE("CS of DPL 3, SS of 0", GUEST_CS_ACCESS_RIGHTS, 0xa0fb, GUEST),
	ONE("conforming CS above SS", GUEST_CS_ACCESS_RIGHTS, 0xa0ff, GUEST),
	ONE("CS with bit 8", GUEST_CS_ACCESS_RIGHTS, 0xa19b, GUEST),
	TWO("CS with G, limit 0", GUEST_CS_ACCESS_RIGHTS, 0xa09b, GUEST_CS_LIMIT, 0, GUEST),
	ONE("CS without G, limit 4 GiB", GUEST_CS_ACCESS_RIGHTS, 0x209b, GUEST),
	ONE("CS base of 33 bits", GUEST_CS_BASE, BIT_ULL(32), GUEST),
	ONE("SS read-only", GUEST_SS_ACCESS_RIGHTS, 0xc091, GUEST),
	ONE("SS of DPL 1 under CS of DPL 0", GUEST_CS_ACCESS_RIGHTS, 0xa0bb, GUEST),
	TWO("SS of DPL 1 with CS of type 3", GUEST_SS_ACCESS_RIGHTS, 0xc0b3,
	    GUEST_CS_ACCESS_RIGHTS, 0xc093, GUEST),
	ONE("DS execute-only", GUEST_DS_ACCESS_RIGHTS, 0xc099, GUEST),
	ONE("DS base of 33 bits", GUEST_DS_BASE, BIT_ULL(32), GUEST),
	ONE("FS base not canonical", GUEST_FS_BASE, BIT_ULL(47), GUEST),
	ONE("TR unusable", GUEST_TR_ACCESS_RIGHTS, VMX_AR_UNUSABLE, GUEST),
	ONE("TR not busy", GUEST_TR_ACCESS_RIGHTS, 0x89, GUEST),
	ONE("TR of 16 bits in long mode", GUEST_TR_ACCESS_RIGHTS, 0x83, GUEST),
	ONE("TR with TI", GUEST_TR_SELECTOR, 4, GUEST),
	ONE("LDTR of type 3", GUEST_LDTR_ACCESS_RIGHTS, 0x83, GUEST),
	TWO("LDTR with TI", GUEST_LDTR_SELECTOR, 4, GUEST_LDTR_ACCESS_RIGHTS, 0x82, GUEST),
	ONE("GDTR limit of 17 bits", GUEST_GDTR_LIMIT, 0x10000, GUEST),
	ONE("IDTR base", GUEST_IDTR_BASE, BIT_ULL(47), GUEST),
	ONE("RIP not canonical", GUEST_RIP, BIT_ULL(48), GUEST),
	ONE("RFLAGS bit 1 clear", GUEST_RFLAGS, 0, GUEST),
	ONE("RFLAGS bit 3", GUEST_RFLAGS, 0xa, GUEST),
	ONE("RFLAGS bit 22", GUEST_RFLAGS, 0x400002, GUEST),
	TWO("interrupt with IF clear", GUEST_RFLAGS, 2, ENTRY_EVENT,
	    EVENT(VMX_EVENT_EXTERNAL, 32, 0), GUEST),
	ONE("activity 4", GUEST_ACTIVITY, 4, GUEST),
	ONE("wait-for-SIPI, not there", GUEST_ACTIVITY, 3, GUEST),
	TWO("#GP in HLT", GUEST_ACTIVITY, 1, ENTRY_EVENT,
	    EVENT(VMX_EVENT_HARD_EXCEPTION, 13, BIT(11)), GUEST),
	ONE("blocking by STI with IF clear", GUEST_INTERRUPTIBILITY, 1, GUEST),
	TWO("blocking by both", GUEST_INTERRUPTIBILITY, 3, GUEST_RFLAGS, 0x202, GUEST),
	ONE("blocking by SMI", GUEST_INTERRUPTIBILITY, 4, GUEST),
	ONE("interruptibility bit 5", GUEST_INTERRUPTIBILITY, 0x20, GUEST),
	TWO("NMI while NMIs are blocked", GUEST_INTERRUPTIBILITY, 8, ENTRY_EVENT,
	    EVENT(VMX_EVENT_NMI, 2, 0), GUEST),
	TWO("NMI behind MOV SS", GUEST_INTERRUPTIBILITY, 2, ENTRY_EVENT,
	    EVENT(VMX_EVENT_NMI, 2, 0), GUEST),
	ONE("pending debug bit 4", GUEST_PENDING_DEBUG, 0x10, GUEST),
	TWO("BS without TF behind MOV SS", GUEST_PENDING_DEBUG, 0x4000,
	    GUEST_INTERRUPTIBILITY, 2, GUEST),
	ONE("link pointer", VMCS_LINK_POINTER, 0x1001, GUEST),
};

static void each_rule_by_itself(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mutations); i++) {
		const struct mutation *m = &mutations[i];
		struct mvm_vmcs_image image = good();
		struct findings all;

		image.value[m->index[1]] = m->value[1];
		image.value[m->index[0]] = m->value[0];
		all = check(&image);
		if (!all.about[m->field] || all.first.kind != m->kind)
			fail_msg("%s: %u findings, the first about 0x%x: %s", m->what,
				 all.n, all.first.field, all.n ? all.first.rule : "");
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

static void pae_entries(void **state)
{
	struct mvm_vmcs_image image = good();

	FIELD(&image, ENTRY_CONTROLS) &= ~(u64)VMX_ENTRY_IA32E_MODE;
	FIELD(&image, GUEST_EFER) = 0;
	FIELD(&image, GUEST_CS_ACCESS_RIGHTS) = 0xc09b;
	FIELD(&image, GUEST_PDPTE0) = 0x5001;
	FIELD(&image, GUEST_PDPTE3) = 0x1e6;	/* not present: anything goes */
	assert_int_equal(check(&image).n, 0);
	FIELD(&image, GUEST_PDPTE2) = 0x5003;
	assert_true(check(&image).about[VMCS_GUEST_PDPTE2]);
}

static void virtual_8086(void **state)
{
	static const enum vmcs_index selector[] = {
		VMCS_INDEX_GUEST_CS_SELECTOR, VMCS_INDEX_GUEST_SS_SELECTOR,
		VMCS_INDEX_GUEST_DS_SELECTOR, VMCS_INDEX_GUEST_ES_SELECTOR,
		VMCS_INDEX_GUEST_FS_SELECTOR, VMCS_INDEX_GUEST_GS_SELECTOR,
	};
	static const enum vmcs_index base[] = {
		VMCS_INDEX_GUEST_CS_BASE, VMCS_INDEX_GUEST_SS_BASE,
		VMCS_INDEX_GUEST_DS_BASE, VMCS_INDEX_GUEST_ES_BASE,
		VMCS_INDEX_GUEST_FS_BASE, VMCS_INDEX_GUEST_GS_BASE,
	};
	static const enum vmcs_index limit[] = {
		VMCS_INDEX_GUEST_CS_LIMIT, VMCS_INDEX_GUEST_SS_LIMIT,
		VMCS_INDEX_GUEST_DS_LIMIT, VMCS_INDEX_GUEST_ES_LIMIT,
		VMCS_INDEX_GUEST_FS_LIMIT, VMCS_INDEX_GUEST_GS_LIMIT,
	};
	static const enum vmcs_index ar[] = {
		VMCS_INDEX_GUEST_CS_ACCESS_RIGHTS, VMCS_INDEX_GUEST_SS_ACCESS_RIGHTS,
		VMCS_INDEX_GUEST_DS_ACCESS_RIGHTS, VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS,
		VMCS_INDEX_GUEST_FS_ACCESS_RIGHTS, VMCS_INDEX_GUEST_GS_ACCESS_RIGHTS,
	};
	struct mvm_vmcs_image image = good();
	unsigned int i;

	FIELD(&image, ENTRY_CONTROLS) &= ~(u64)VMX_ENTRY_IA32E_MODE;
	FIELD(&image, GUEST_EFER) = 0;
	FIELD(&image, GUEST_CR4) = 0x2000;
	FIELD(&image, GUEST_RFLAGS) = BIT_ULL(17) | 2;
	FIELD(&image, GUEST_RIP) = 0;
	for (i = 0; i < ARRAY_SIZE(selector); i++) {
		image.value[selector[i]] = 0x1000;
		image.value[base[i]] = 0x10000;
		image.value[limit[i]] = 0xffff;
		image.value[ar[i]] = 0xf3;
	}
	assert_int_equal(check(&image).n, 0);
	FIELD(&image, GUEST_FS_BASE) = 0x10010;
	FIELD(&image, GUEST_GS_LIMIT) = 0xfffff;
	FIELD(&image, GUEST_ES_ACCESS_RIGHTS) = 0x93;
	assert_int_equal(check(&image).n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_vmcs_breaks_no_rule),
		cmocka_unit_test(each_rule_by_itself),
		cmocka_unit_test(what_is_allowed),
		cmocka_unit_test(pae_entries),
		cmocka_unit_test(virtual_8086),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
