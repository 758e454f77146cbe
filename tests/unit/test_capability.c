// SPDX-License-Identifier: GPL-2.0
/*
 * Whether VT-x can be used, and which controls. The MSR values are those of the
 * lab's CPU models, read there with the msr module; what no model can show is
 * made from them.
 */
// sources: module/vmx/capability.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "vmx/capability.h"

#define COMMON								\
	.basic = 0x00d810000000002b, .cpu = 0xfff9fffe04006172,		\
	.exit = 0x407fffff00036dfb, .entry = 0x0000ffff000011fb,	\
	.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff, .cr4_fixed0 = 0x2000

static const struct mvm_vmx_msrs penryn = {
	.basic = 0x00d810000000002b, .pin = 0x0000003f00000016,
	.cpu = 0xf7f9fffe04006172, .cpu2 = 0x0000004100000000,
	.exit = 0x4003ffff00036dfb, .entry = 0x00003fff000011fb,
	.misc = 0x401e0, .cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x427ff,
};

static const struct mvm_vmx_msrs lynnfield = {
	COMMON, .pin = 0x0000007f00000016, .cpu2 = 0x0000007f00000000,
	.misc = 0x401e0, .ept_vpid = 0x00000f0106114141, .cr4_fixed1 = 0x67ff,
};

static const struct mvm_vmx_msrs working[] = {
	{	/* corei5_arrandale_m520 */
		COMMON, .pin = 0x0000007f00000016, .cpu2 = 0x000000ff00000000,
		.misc = 0x401e0, .ept_vpid = 0x00000f0106114141, .cr4_fixed1 = 0x67ff,
	}, {	/* corei7_sandy_bridge_2600k */
		COMMON, .pin = 0x0000007f00000016, .cpu2 = 0x000000ef00000000,
		.misc = 0x401e0, .ept_vpid = 0x00000f0106114141, .cr4_fixed1 = 0x627ff,
	}, {	/* corei7_haswell_4770 */
		COMMON, .pin = 0x0000007f00000016, .cpu2 = 0x00047fff00000000,
		.misc = 0x200401e0, .ept_vpid = 0x00000f0106334141, .cr4_fixed1 = 0x1727ff,
	}, {	/* corei7_skylake_x */
		COMMON, .pin = 0x000000ff00000016, .cpu2 = 0x02577fff00000000,
		.misc = 0x600401e0, .ept_vpid = 0x00000f0106734141, .cr4_fixed1 = 0x3727ff,
	},
};

#define SKYLAKE		(&working[3])

static const struct mvm_vmx_options all_on = { .vpid = true, .eptad = true };

static int negotiate(const struct mvm_vmx_msrs *msrs, const struct mvm_vmx_options *options,
		     struct mvm_vmx_capability *cap, const char **missing)
{
	const char *reason = NULL;
	int ret;

	*missing = NULL;
	ret = mvm_vmx_negotiate(msrs, options, cap, missing, &reason);
	/* Whoever is refused learns what is missing, and what it is for. */
	if (ret)
		assert_true(*missing && *reason);
	return ret;
}

static void assert_allowed(u32 controls, u64 msr)
{
	assert_int_equal(controls & (u32)msr, (u32)msr);
	assert_int_equal(controls & ~(u32)(msr >> 32), 0);
}

static void working_models(void **state)
{
	struct mvm_vmx_capability cap;
	const char *missing;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(working); i++) {
		const struct mvm_vmx_msrs *m = &working[i];

		assert_int_equal(negotiate(m, &all_on, &cap, &missing), 0);
		assert_allowed(cap.pin, m->pin);
		assert_allowed(cap.cpu, m->cpu);
		assert_allowed(cap.cpu2, m->cpu2);
		assert_allowed(cap.exit, m->exit);
		assert_allowed(cap.entry, m->entry);
		assert_true(cap.cpu2 & VMX_CPU2_EPT);
		assert_true(cap.cpu2 & VMX_CPU2_UNRESTRICTED_GUEST);
		assert_true(cap.cpu2 & VMX_CPU2_VPID);
		/* The guest is in real mode first. */
		assert_false(cap.entry & VMX_ENTRY_IA32E_MODE);
		/* Unrestricted guests choose PE and PG; NE stays fixed. */
		assert_int_equal(cap.cr0_fixed0, 0x20);
		assert_int_equal(cap.cr4_fixed0, 0x2000);
		assert_int_equal(cap.revision, 0x2b);
		assert_int_equal(cap.vmcs_size, 4096);
		assert_true(cap.invept_single && cap.invvpid_single);
		assert_int_equal(cap.ept_ad, i >= 2);
		assert_int_equal(cap.ept_1g, i >= 2);
		assert_true(cap.ept_2m);
	}
}

static void models_that_lack_something(void **state)
{
	struct mvm_vmx_capability cap;
	const char *missing;

	assert_int_equal(negotiate(&penryn, &all_on, &cap, &missing), -ENXIO);
	assert_string_equal(missing, "enable EPT");
	assert_int_equal(negotiate(&lynnfield, &all_on, &cap, &missing), -ENODEV);
	assert_string_equal(missing, "unrestricted guest");
}

/* Each control that the module cannot do without, taken away by itself */
static void each_need(void **state)
{
	static const struct {
		size_t word;
		u32 bit;
		const char *name;
	} needs[] = {
#define WORD(w)	offsetof(struct mvm_vmx_msrs, w)
		{ WORD(pin), VMX_PIN_EXTERNAL_INTERRUPT, "external-interrupt exiting" },
		{ WORD(pin), VMX_PIN_NMI, "NMI exiting" },
		{ WORD(pin), VMX_PIN_VIRTUAL_NMIS, "virtual NMIs" },
		{ WORD(cpu), VMX_CPU_SECONDARY, "activate secondary controls" },
		{ WORD(cpu2), VMX_CPU2_EPT, "enable EPT" },
		{ WORD(cpu2), VMX_CPU2_UNRESTRICTED_GUEST, "unrestricted guest" },
		{ WORD(cpu), VMX_CPU_HLT, "HLT exiting" },
		{ WORD(cpu), VMX_CPU_MWAIT, "MWAIT exiting" },
		{ WORD(cpu), VMX_CPU_MONITOR, "MONITOR exiting" },
		{ WORD(cpu), VMX_CPU_RDPMC, "RDPMC exiting" },
		{ WORD(cpu), VMX_CPU_TSC_OFFSETTING, "use TSC offsetting" },
		{ WORD(cpu), VMX_CPU_CR8_LOAD, "CR8-load exiting" },
		{ WORD(cpu), VMX_CPU_CR8_STORE, "CR8-store exiting" },
		{ WORD(cpu), VMX_CPU_MOV_DR, "MOV-DR exiting" },
		{ WORD(cpu), VMX_CPU_IO, "unconditional I/O exiting" },
		{ WORD(cpu), VMX_CPU_MSR_BITMAPS, "use MSR bitmaps" },
		{ WORD(exit), VMX_EXIT_HOST_64BIT, "host address-space size" },
		{ WORD(exit), VMX_EXIT_SAVE_PAT, "save IA32_PAT" },
		{ WORD(exit), VMX_EXIT_LOAD_PAT, "load IA32_PAT" },
		{ WORD(exit), VMX_EXIT_SAVE_EFER, "save IA32_EFER" },
		{ WORD(exit), VMX_EXIT_LOAD_EFER, "load IA32_EFER" },
		{ WORD(entry), VMX_ENTRY_LOAD_PAT, "load IA32_PAT" },
		{ WORD(entry), VMX_ENTRY_LOAD_EFER, "load IA32_EFER" },
		{ WORD(entry), VMX_ENTRY_IA32E_MODE, "IA-32e mode guest" },
	};
	struct mvm_vmx_capability cap;
	const char *missing;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		struct mvm_vmx_msrs m = *SKYLAKE;
		u64 *word = (void *)&m + needs[i].word;
		bool ept = needs[i].word == WORD(cpu2) && needs[i].bit == VMX_CPU2_EPT;

		*word &= ~((u64)needs[i].bit << 32);
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), ept ? -ENXIO : -ENODEV);
		assert_string_equal(missing, needs[i].name);
	}
}

/* Controls that must be 0 for us, on a CPU that forces them */
static void each_that_must_be_clear(void **state)
{
	static const u32 bits[] = {
		VMX_CPU_CR3_LOAD, VMX_CPU_CR3_STORE, VMX_CPU_INVLPG, VMX_CPU_RDTSC,
	};
	struct mvm_vmx_capability cap;
	const char *missing;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		struct mvm_vmx_msrs m = *SKYLAKE;

		m.cpu |= bits[i];
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), -ENODEV);
	}
	/* The old MSRs of the very CPU that works force two of them. */
	{
		struct mvm_vmx_msrs m = *SKYLAKE;

		m.cpu = 0xfff9fffe0401e172;
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), -ENODEV);
		assert_string_equal(missing, "CR3-load exiting");
	}
}

static void ept_capabilities(void **state)
{
	static const u64 bits[] = {
		VMX_EPT_CAP_4_LEVEL, VMX_EPT_CAP_WB, VMX_EPT_CAP_INVEPT, VMX_EPT_CAP_INVEPT_ALL,
	};
	struct mvm_vmx_capability cap;
	const char *missing;
	struct mvm_vmx_msrs m;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		m = *SKYLAKE;
		m.ept_vpid &= ~bits[i];
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), -ENODEV);
	}
	m = *SKYLAKE;
	m.ept_vpid &= ~VMX_EPT_CAP_INVEPT_SINGLE;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.invept_single);
	m = *SKYLAKE;
	m.basic &= ~VMX_BASIC_INS_OUTS;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), -ENODEV);
}

static void options_switch_off(void **state)
{
	struct mvm_vmx_options options = { .vpid = false, .eptad = true };
	struct mvm_vmx_capability cap;
	const char *missing;

	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_false(cap.cpu2 & VMX_CPU2_VPID);
	assert_true(cap.ept_ad);
	options = (struct mvm_vmx_options) { .vpid = true, .eptad = false };
	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_true(cap.cpu2 & VMX_CPU2_VPID);
	assert_false(cap.ept_ad);
}

static void optional_controls(void **state)
{
	struct mvm_vmx_capability cap;
	struct mvm_vmx_msrs m = *SKYLAKE;
	const char *missing;

	/* A VPID that cannot be flushed is not used. */
	m.ept_vpid &= ~VMX_VPID_CAP_INVVPID;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.cpu2 & VMX_CPU2_VPID);
	m = *SKYLAKE;
	m.ept_vpid &= ~VMX_VPID_CAP_ALL;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.cpu2 & VMX_CPU2_VPID);

	/* The counters are stopped only if they are started again. */
	m = *SKYLAKE;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_true(cap.exit & VMX_EXIT_LOAD_PERF && cap.entry & VMX_ENTRY_LOAD_PERF);
	m.exit &= ~((u64)VMX_EXIT_LOAD_PERF << 32);
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.exit & VMX_EXIT_LOAD_PERF || cap.entry & VMX_ENTRY_LOAD_PERF);
}

/* What the firmware, the kernel and other hypervisors can do to VT-x */
static void platforms(void **state)
{
	const struct mvm_vmx_platform good = {
		.intel = true, .vmx = true, .kernel_has_kvm_intel = true,
		.feat_ctl = VMX_FEAT_CTL_LOCKED | VMX_FEAT_CTL_OUTSIDE_SMX,
	};
	struct mvm_vmx_platform p = good;
	const char *why = "x";

	assert_int_equal(mvm_vmx_check_platform(&p, &why), 0);
	assert_null(why);
	/* Not locked: we lock it ourselves, with VMX on. */
	p.feat_ctl = 0;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), 0);

	p = good;
	p.intel = false;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "not an Intel CPU"));
	p = good;
	p.vmx = false;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "make lab"));
	p.hypervisor = true;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "nested virtualisation"));

	p = good;
	p.feat_ctl = VMX_FEAT_CTL_LOCKED;
	p.vmx_cleared = true;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EACCES);
	assert_non_null(strstr(why, "firmware setup"));
	p.kernel_has_kvm_intel = false;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EPERM);
	assert_non_null(strstr(why, "CONFIG_KVM_INTEL"));

	p = good;
	p.fred = true;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EPROTONOSUPPORT);
	assert_non_null(strstr(why, "fred=off"));
}

/* #DB, #AC and #MC exit in every mode, also when user space debugs the guest. */
static void exceptions_that_always_exit(void **state)
{
	const u32 always = BIT(1) | BIT(17) | BIT(18);

	assert_int_equal(mvm_exception_bitmap(false), always);
	assert_int_equal(mvm_exception_bitmap(true), always | BIT(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(working_models),
		cmocka_unit_test(models_that_lack_something),
		cmocka_unit_test(each_need),
		cmocka_unit_test(each_that_must_be_clear),
		cmocka_unit_test(ept_capabilities),
		cmocka_unit_test(options_switch_off),
		cmocka_unit_test(optional_controls),
		cmocka_unit_test(platforms),
		cmocka_unit_test(exceptions_that_always_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
