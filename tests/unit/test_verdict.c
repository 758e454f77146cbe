// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm-check: what the facts of a machine mean.
 */
// sources: userspace/check/verdict.c userspace/check/tables.c module/vmx/capability.c
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "userspace/check/check.h"

static struct facts facts;

/* A machine on which all is well, and minivmm is not loaded */
static int setup(void **state)
{
	unsigned int i;

	facts = (struct facts) {
		.brand = "A processor", .intel = true, .vmx = true, .vmx_flag = true,
		.release = "6.1.0", .has_kvm_intel = YES, .lends_vtx = YES, .headers = true,
		.secure_boot = NO, .feat_ctl_known = true, .feat_ctl = 5,
		.capability.exists = 0xfffff,
	};
	/* All that is defined can be 1, nothing must be. */
	for (i = 0; i < MINIVMM_NR_VMX_MSRS; i++)
		facts.capability.msr[i] = 0xffffffff00000000;
	/* TRUE MSRs, information on INS and OUTS */
	facts.capability.msr[0] = 3ULL << 54;
	/* 4 levels, write-back, INVEPT of all kinds */
	facts.capability.msr[12] = 1ULL << 6 | 1ULL << 14 | 1ULL << 20 | 1ULL << 26;
	return 0;
}

static const struct verdict *verdict_on(const char *id)
{
	static struct verdict list[VERDICTS_MAX];
	size_t i, count = verdicts(&facts, list);

	assert_true(count <= VERDICTS_MAX);
	for (i = 0; i < count; i++)
		if (!strcmp(list[i].id, id))
			return &list[i];
	return NULL;
}

static void is(const char *id, enum state state, const char *words)
{
	const struct verdict *verdict = verdict_on(id);

	assert_non_null(verdict);
	assert_int_equal(verdict->state, state);
	assert_non_null(strstr(verdict->text, words));
}

static bool runs(void)
{
	struct verdict list[VERDICTS_MAX];

	return can_run(list, verdicts(&facts, list));
}

static void test_all_well(void **state)
{
	is("vtx", STATE_OK, "VT-x is there");
	is("controls", STATE_OK, "all else that is needed");
	is("owner", STATE_OK, "no other hypervisor");
	is("module", STATE_OK, "make HOST=1");
	assert_null(verdict_on("device"));
	assert_null(verdict_on("hypervisor"));
	assert_true(runs());
}

static void test_processor(void **state)
{
	facts.vmx = false;
	facts.vmx_flag = false;
	is("vtx", STATE_FAIL, "this CPU has no VT-x");
	assert_null(verdict_on("module"));
	assert_false(runs());
	strcpy(facts.hypervisor, "KVMKVMKVM");
	is("vtx", STATE_FAIL, "nested virtualisation");
	facts.intel = false;
	facts.hypervisor[0] = '\0';
	is("vtx", STATE_FAIL, "not an Intel CPU");
}

static void test_locked(void **state)
{
	facts.feat_ctl = 1;
	is("vtx", STATE_FAIL, "disabled by the firmware");
	facts.vmx_flag = false;
	facts.has_kvm_intel = NO;
	is("vtx", STATE_FAIL, "without CONFIG_KVM_INTEL");
	facts.feat_ctl_known = false;
	is("vtx", STATE_UNKNOWN, "as root");
	assert_true(runs());
}

static void test_controls(void **state)
{
	/* IA32_VMX_PROCBASED_CTLS2: no unrestricted guest */
	facts.capability.msr[11] &= ~(1ULL << 39);
	is("controls", STATE_FAIL, "unrestricted guest");
	assert_false(runs());
	facts.capability.msr[11] = 0;
	is("controls", STATE_FAIL, "enable EPT");
	facts.msrs_error = EACCES;
	is("controls", STATE_UNKNOWN, "sudo modprobe msr");
	facts.root = true;
	is("controls", STATE_UNKNOWN, ": modprobe msr");
}

static void test_owner(void **state)
{
	facts.kvm_loaded = true;
	is("owner", STATE_OK, "take turns");
	facts.kvm_users = 1;
	is("owner", STATE_FAIL, "kvm_intel is in use");
	facts.kvm_keeps = true;
	is("owner", STATE_FAIL, "modprobe -r kvm_intel");
	facts.kvm_loaded = false;
	is("owner", STATE_OK, "no other hypervisor");
	strcpy(facts.other, "vboxdrv");
	is("owner", STATE_WARN, "vboxdrv");
	assert_true(runs());
}

static void test_kernel(void **state)
{
	facts.lends_vtx = NO;
	is("vtx", STATE_FAIL, "only KVM's modules");
	facts.lends_vtx = UNKNOWN;
	is("kernel", STATE_UNKNOWN, "6.12");
	facts.lends_vtx = YES;
	facts.fred = true;
	is("vtx", STATE_FAIL, "fred=off");
	facts.fred = false;
	facts.headers = false;
	is("module", STATE_FAIL, "linux-headers-6.1.0");
	facts.installed = true;
	is("module", STATE_OK, "sudo modprobe minivmm");
	facts.secure_boot = YES;
	is("signature", STATE_WARN, "Secure Boot");
	facts.signed_only = true;
	is("signature", STATE_FAIL, "(Secure Boot)");
	facts.secure_boot = NO;
	is("signature", STATE_FAIL, "a signature it trusts:");
	assert_false(runs());
}

static void test_device(void **state)
{
	facts.loaded = true;
	facts.signed_only = true;
	is("module", STATE_OK, "is loaded");
	assert_null(verdict_on("signature"));
	is("device", STATE_FAIL, "udev");
	facts.device = true;
	facts.device_mode = 0660;
	strcpy(facts.device_group, "kvm");
	is("device", STATE_FAIL, "usermod -aG kvm");
	facts.device_mode = 0600;
	is("device", STATE_FAIL, "mode 0600");
	facts.device_ours = true;
	is("device", STATE_OK, "group kvm, mode 0600");
	assert_true(runs());
}

static void test_tables(void **state)
{
	__u64 used[MVM_NR_CONTROL_WORDS];
	const char *reason;

	assert_int_equal(allowed_settings(&facts, MVM_CONTROL_PIN), 0xffffffff00000000);
	assert_true(used_controls(&facts, used));
	assert_true(used[MVM_CONTROL_CPU] & 1 << 7);		/* HLT exiting */
	assert_false(used[MVM_CONTROL_CPU] & 1 << 12);		/* RDTSC exiting */
	assert_int_equal(used[MVM_CONTROL_CPU3], 0);
	assert_int_equal(mvm_vmx_wish(MVM_CONTROL_CPU, 7, &reason), MVM_WISH_NEED);
	assert_int_equal(mvm_vmx_wish(MVM_CONTROL_CPU, 12, &reason), MVM_WISH_AVOID);
	assert_int_equal(mvm_vmx_wish(MVM_CONTROL_CPU2, 5, &reason), MVM_WISH_WANT);
	assert_int_equal(mvm_vmx_wish(MVM_CONTROL_CPU2, 0, &reason), MVM_WISH_NONE);
	facts.capability.msr[11] = 0;
	assert_false(used_controls(&facts, used));
	facts.loaded = true;
	facts.capability.used[MVM_CONTROL_PIN] = 0x16;
	assert_true(used_controls(&facts, used));
	assert_int_equal(used[MVM_CONTROL_PIN], 0x16);
	assert_string_equal(msr_name(0), "IA32_VMX_BASIC");
	assert_string_equal(msr_name(12), "IA32_VMX_EPT_VPID_CAP");
	assert_string_equal(msr_name(19), "IA32_VMX_EXIT_CTLS2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_well, setup),
		cmocka_unit_test_setup(test_processor, setup),
		cmocka_unit_test_setup(test_locked, setup),
		cmocka_unit_test_setup(test_controls, setup),
		cmocka_unit_test_setup(test_owner, setup),
		cmocka_unit_test_setup(test_kernel, setup),
		cmocka_unit_test_setup(test_device, setup),
		cmocka_unit_test_setup(test_tables, setup),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
