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

static const struct mvm_vmx_options all_on = {
	.vpid = true, .eptad = true, .pml = true, .flexpriority = true,
	.apicv = true, .ple_gap = 128, .ple_window = 4096,
};

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
		assert_int_equal(cap.cr0_fixed1, 0xffffffff);
		assert_int_equal(cap.cr4_fixed0, 0x2000);
		assert_int_equal(cap.cr4_fixed1, m->cr4_fixed1);
		assert_int_equal(cap.revision, 0x2b);
		assert_int_equal(cap.vmcs_size, 4096);
		assert_true(cap.invept_single && cap.invvpid_single);
		assert_int_equal(cap.ept_ad, i >= 2);
		assert_int_equal(cap.ept_1g, i >= 2);
		assert_true(cap.ept_2m);
	}
}

/* Controls that the module uses where the CPU has them */
static void wanted_where_it_is(void **state)
{
	static const u32 wanted[] = {
		VMX_CPU2_VPID, VMX_CPU2_RDTSCP, VMX_CPU2_INVPCID, VMX_CPU2_WBINVD, VMX_CPU2_ENCLS,
		VMX_CPU2_PAUSE_LOOP, VMX_CPU2_PML, VMX_CPU2_X2APIC, VMX_CPU2_APIC_REGISTERS,
		VMX_CPU2_INTERRUPT_DELIVERY,
	};
	struct mvm_vmx_capability cap;
	struct mvm_vmx_msrs m;
	const char *missing;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		m = *SKYLAKE;
		m.cpu2 |= (u64)wanted[i] << 32;
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
		assert_true(cap.cpu2 & wanted[i]);
		m.cpu2 &= ~((u64)wanted[i] << 32);
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
		assert_false(cap.cpu2 & wanted[i]);
	}
	/* And nothing that nobody asked for, on a CPU that allows everything. */
	m = *SKYLAKE;
	m.cpu2 = 0xffffffffULL << 32;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_int_equal(cap.cpu2, VMX_CPU2_EPT | VMX_CPU2_UNRESTRICTED_GUEST | VMX_CPU2_VPID |
				   VMX_CPU2_RDTSCP | VMX_CPU2_INVPCID | VMX_CPU2_WBINVD |
				   VMX_CPU2_ENCLS | VMX_CPU2_PAUSE_LOOP | VMX_CPU2_PML |
				   VMX_CPU2_X2APIC | VMX_CPU2_APIC_REGISTERS |
				   VMX_CPU2_INTERRUPT_DELIVERY);
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
		{ WORD(exit), VMX_EXIT_SAVE_DEBUG, "save debug controls" },
		{ WORD(exit), VMX_EXIT_SAVE_PAT, "save IA32_PAT" },
		{ WORD(exit), VMX_EXIT_LOAD_PAT, "load IA32_PAT" },
		{ WORD(exit), VMX_EXIT_SAVE_EFER, "save IA32_EFER" },
		{ WORD(exit), VMX_EXIT_LOAD_EFER, "load IA32_EFER" },
		{ WORD(entry), VMX_ENTRY_LOAD_DEBUG, "load debug controls" },
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
	static const struct {
		u32 bit;
		const char *name;
	} avoided[] = {
		{ VMX_CPU_CR3_LOAD, "CR3-load exiting" },
		{ VMX_CPU_CR3_STORE, "CR3-store exiting" },
		{ VMX_CPU_INVLPG, "INVLPG exiting" },
		{ VMX_CPU_RDTSC, "RDTSC exiting" },
	};
	struct mvm_vmx_capability cap;
	const char *missing;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(avoided); i++) {
		struct mvm_vmx_msrs m = *SKYLAKE;

		m.cpu |= avoided[i].bit;
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), -ENODEV);
		assert_string_equal(missing, avoided[i].name);
		/* Where it may be 1 but need not, it is 0. */
		m = *SKYLAKE;
		m.cpu |= (u64)avoided[i].bit << 32;
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
		assert_false(cap.cpu & avoided[i].bit);
	}
}

/* corei7_skylake_x, every MSR as it is there */
static const struct {
	u32 index;
	u64 value;
} skylake[] = {
	{ 0x480, 0x00d810000000002b },
	{ 0x481, 0x000000ff00000016 }, { 0x48d, 0x000000ff00000016 },
	{ 0x482, 0xfff9fffe0401e172 }, { 0x48e, 0xfff9fffe04006172 },
	{ 0x483, 0x407fffff00036dff }, { 0x48f, 0x407fffff00036dfb },
	{ 0x484, 0x0000ffff000011ff }, { 0x490, 0x0000ffff000011fb },
	{ 0x485, 0x600401e0 },
	{ 0x486, 0x80000021 }, { 0x487, 0xffffffff },
	{ 0x488, 0x2000 }, { 0x489, 0x3727ff },
	{ 0x48b, 0x02577fff00000000 }, { 0x48c, 0x00000f0106734141 },
};

/* A control of a CPU that offers less, or an MSR that is read in its place */
static u32 changed_index;
static u64 changed_value;
static u32 reads;	/* bit i: MSR 0x480 + i was read */

static u64 read_msr(u32 index)
{
	unsigned int i;

	reads |= BIT(index - 0x480);
	if (index == changed_index)
		return changed_value;
	for (i = 0; i < ARRAY_SIZE(skylake); i++)
		if (skylake[i].index == index)
			return skylake[i].value;
	fail_msg("MSR 0x%x is read, which does not exist", index);
	return 0;
}

static void read_with(struct mvm_vmx_msrs *m, u32 index, u64 value)
{
	changed_index = index;
	changed_value = value;
	reads = 0;
	memset(m, 0xff, sizeof(*m));
	mvm_vmx_read_msrs(m, read_msr);
}

/* The MSRs named "TRUE" are read where they exist, and only there. */
static void true_msrs(void **state)
{
	const u32 old = BIT(1) | BIT(2) | BIT(3) | BIT(4);
	const u32 true_ones = BIT(13) | BIT(14) | BIT(15) | BIT(16);
	struct mvm_vmx_capability cap;
	struct mvm_vmx_msrs m;
	const char *missing;

	read_with(&m, 0, 0);
	assert_memory_equal(&m, SKYLAKE, sizeof(m));
	assert_int_equal(reads & old, 0);
	assert_int_equal(reads & true_ones, true_ones);

	read_with(&m, 0x480, skylake[0].value & ~BIT_ULL(55));
	assert_int_equal(reads & true_ones, 0);
	assert_int_equal(reads & old, old);
	assert_int_equal(m.pin, 0x000000ff00000016);
	assert_int_equal(m.cpu, 0xfff9fffe0401e172);
	assert_int_equal(m.exit, 0x407fffff00036dff);
	assert_int_equal(m.entry, 0x0000ffff000011ff);
	/* They force what must be 0: EPT came after the TRUE MSRs. */
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), -ENODEV);
	assert_string_equal(missing, "CR3-load exiting");
}

/* On a CPU without the feature the MSR that describes it does not exist. */
static void msrs_that_others_announce(void **state)
{
	const u32 cpu2 = BIT(11), ept_vpid = BIT(12);
	struct mvm_vmx_msrs m;

	read_with(&m, 0x48e, 0x7ff9fffe04006172);
	assert_int_equal(reads & (cpu2 | ept_vpid), 0);
	assert_int_equal(m.cpu2, 0);
	assert_int_equal(m.ept_vpid, 0);

	/* Either EPT or VPID is enough for IA32_VMX_EPT_VPID_CAP. */
	read_with(&m, 0x48b, 0x02577fddULL << 32);
	assert_int_equal(reads & (cpu2 | ept_vpid), cpu2);
	assert_int_equal(m.ept_vpid, 0);
	read_with(&m, 0x48b, (u64)VMX_CPU2_EPT << 32);
	assert_int_equal(m.ept_vpid, 0x00000f0106734141);
	read_with(&m, 0x48b, (u64)VMX_CPU2_VPID << 32);
	assert_int_equal(m.ept_vpid, 0x00000f0106734141);
}

static void ept_capabilities(void **state)
{
	static const struct {
		u64 bit;
		const char *name;
	} needs[] = {
		{ VMX_EPT_CAP_4_LEVEL, "EPT page-walk length 4" },
		{ VMX_EPT_CAP_WB, "EPT memory type write-back" },
		{ VMX_EPT_CAP_INVEPT, "INVEPT" },
		{ VMX_EPT_CAP_INVEPT_ALL, "all-context INVEPT" },
	};
	struct mvm_vmx_capability cap;
	const char *missing;
	struct mvm_vmx_msrs m;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		m = *SKYLAKE;
		m.ept_vpid &= ~needs[i].bit;
		assert_int_equal(negotiate(&m, &all_on, &cap, &missing), -ENODEV);
		assert_string_equal(missing, needs[i].name);
	}
	m = *SKYLAKE;
	m.ept_vpid &= ~VMX_EPT_CAP_INVEPT_SINGLE;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.invept_single);
	assert_true(cap.invvpid_single);
	m = *SKYLAKE;
	m.ept_vpid &= ~VMX_VPID_CAP_SINGLE;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.invvpid_single);
	assert_true(cap.cpu2 & VMX_CPU2_VPID);
	m = *SKYLAKE;
	m.ept_vpid &= ~VMX_EPT_CAP_AD;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.ept_ad || cap.cpu2 & VMX_CPU2_PML);
	m = *SKYLAKE;
	m.ept_vpid &= ~VMX_EPT_CAP_2M;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.ept_2m);
	m = *SKYLAKE;
	m.basic &= ~VMX_BASIC_INS_OUTS;
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), -ENODEV);
	assert_string_equal(missing, "VM-exit instruction information for INS and OUTS");
}

static void options_switch_off(void **state)
{
	struct mvm_vmx_options options = { .vpid = false, .eptad = true };
	struct mvm_vmx_capability cap;
	const char *missing;

	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_false(cap.cpu2 & VMX_CPU2_VPID);
	assert_true(cap.ept_ad);
	options = (struct mvm_vmx_options) { .vpid = true, .flexpriority = true };
	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_true(cap.cpu2 & VMX_CPU2_VPID);
	assert_false(cap.ept_ad);
	assert_false(cap.cpu2 & VMX_CPU2_PAUSE_LOOP);
	assert_true(cap.cpu & VMX_CPU_TPR_SHADOW);
	assert_true(cap.cpu2 & VMX_CPU2_X2APIC);
	assert_true(cap.cpu2 & VMX_CPU2_APIC_REGISTERS);
	assert_false(cap.cpu2 & VMX_CPU2_INTERRUPT_DELIVERY);
	options = all_on;
	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_true(cap.cpu2 & VMX_CPU2_INTERRUPT_DELIVERY);
	/* SDM Vol. 3, "VM-Execution Control Fields": all three need the TPR shadow. */
	options.flexpriority = false;
	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_false(cap.cpu & VMX_CPU_TPR_SHADOW);
	assert_false(cap.cpu2 & (VMX_CPU2_X2APIC | VMX_CPU2_APIC_REGISTERS |
				 VMX_CPU2_INTERRUPT_DELIVERY));
	assert_true(cap.cpu2 & VMX_CPU2_PML);
	options.pml = false;
	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_false(cap.cpu2 & VMX_CPU2_PML);
	/* Without dirty bits there is nothing to log, whoever switched them off. */
	options = all_on;
	options.eptad = false;
	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_false(cap.cpu2 & VMX_CPU2_PML);
	options = (struct mvm_vmx_options) { .ple_gap = 1, .ple_window = 2 };
	assert_int_equal(negotiate(SKYLAKE, &options, &cap, &missing), 0);
	assert_true(cap.cpu2 & VMX_CPU2_PAUSE_LOOP);
	assert_int_equal(cap.ple_gap, 1);
	assert_int_equal(cap.ple_window, 2);
}

static void optional_controls(void **state)
{
	struct mvm_vmx_capability cap;
	struct mvm_vmx_msrs m = *SKYLAKE;
	const char *missing;

	/* Bit 31 of IA32_VMX_BASIC is not of the revision identifier. */
	m.basic |= BIT_ULL(31);
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_int_equal(cap.revision, 0x2b);

	/* A VPID that cannot be flushed is not used. */
	m = *SKYLAKE;
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
	m = *SKYLAKE;
	m.entry &= ~((u64)VMX_ENTRY_LOAD_PERF << 32);
	assert_int_equal(negotiate(&m, &all_on, &cap, &missing), 0);
	assert_false(cap.exit & VMX_EXIT_LOAD_PERF || cap.entry & VMX_ENTRY_LOAD_PERF);
}

/* What the firmware, the kernel and other hypervisors can do to VT-x */
static void platforms(void **state)
{
	const struct mvm_vmx_platform good = {
		.intel = true, .vmx = true, .kernel_has_kvm_intel = true,
		.kernel_lends_vtx = true,
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
	assert_non_null(strstr(why, "make lab"));
	p = good;
	p.vmx = false;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "no VT-x"));
	assert_non_null(strstr(why, "make lab"));
	/* What the kernel, FRED or the lock says does not matter then. */
	p.kernel_lends_vtx = false;
	p.fred = true;
	p.feat_ctl = VMX_FEAT_CTL_LOCKED;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EOPNOTSUPP);
	p.hypervisor = true;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "nested virtualisation"));

	/* A virtual machine with VT-x is as good as any. */
	p = good;
	p.hypervisor = true;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), 0);

	p = good;
	p.feat_ctl = VMX_FEAT_CTL_LOCKED;
	p.vmx_cleared = true;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EACCES);
	assert_non_null(strstr(why, "firmware setup"));
	/* VMX inside SMX (bit 1) is nothing that Linux can use. */
	p.feat_ctl = VMX_FEAT_CTL_LOCKED | BIT_ULL(1);
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EACCES);
	/* Nor does a kernel without KVM lock what it leaves in its own list. */
	p.kernel_has_kvm_intel = false;
	p.vmx_cleared = false;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EACCES);
	assert_null(strstr(why, "CONFIG_KVM_INTEL"));
	p.vmx_cleared = true;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -EPERM);
	assert_non_null(strstr(why, "CONFIG_KVM_INTEL"));

	p = good;
	p.kernel_lends_vtx = false;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -ENOENT);
	assert_non_null(strstr(why, "cr4_update_irqsoff"));
	/* Another boot option or firmware setting would not help. */
	p.fred = true;
	p.feat_ctl = VMX_FEAT_CTL_LOCKED;
	assert_int_equal(mvm_vmx_check_platform(&p, &why), -ENOENT);

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
		cmocka_unit_test(wanted_where_it_is),
		cmocka_unit_test(models_that_lack_something),
		cmocka_unit_test(each_need),
		cmocka_unit_test(each_that_must_be_clear),
		cmocka_unit_test(true_msrs),
		cmocka_unit_test(msrs_that_others_announce),
		cmocka_unit_test(ept_capabilities),
		cmocka_unit_test(options_switch_off),
		cmocka_unit_test(optional_controls),
		cmocka_unit_test(platforms),
		cmocka_unit_test(exceptions_that_always_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
