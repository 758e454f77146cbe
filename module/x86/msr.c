// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs that are nothing but a place to keep a value, and the rules for values.
 * SDM Vol. 4, "Architectural MSRs".
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "msr.h"

#define APIC_BASE		0x01b
#define TSC_ADJUST		0x03b
#define BIOS_SIGN_ID		0x08b
#define MTRR_CAP		0x0fe
#define MCG_CAP			0x179
#define MCG_STATUS		0x17a
#define MCG_CTL			0x17b
#define MISC_ENABLE		0x1a0
#define POWER_CTL		0x1fc
#define DEBUGCTL		0x1d9
#define MTRR_PHYSBASE0		0x200
#define MTRR_PHYSMASK7		0x20f
#define MTRR_FIX64K		0x250
#define MTRR_FIX16K_0		0x258
#define MTRR_FIX16K_1		0x259
#define MTRR_FIX4K_0		0x268
#define MTRR_FIX4K_7		0x26f
#define PAT			0x277
#define TSC_DEADLINE		0x6e0
#define MC0_CTL			0x400
#define MC31_MISC		0x47f
#define MTRR_DEF_TYPE		0x2ff
#define SYSENTER_CS		0x174
#define SYSENTER_ESP		0x175
#define SYSENTER_EIP		0x176
#define TSC			0x010
#define KVM_WALL_CLOCK		0x011
#define KVM_SYSTEM_TIME		0x012
#define KVM_WALL_CLOCK_NEW	0x4b564d00
#define KVM_SYSTEM_TIME_NEW	0x4b564d01
#define EFER			0xc0000080
#define STAR			0xc0000081
#define LSTAR			0xc0000082
#define CSTAR			0xc0000083
#define FMASK			0xc0000084
#define FS_BASE			0xc0000100
#define GS_BASE			0xc0000101
#define KERNEL_GS_BASE		0xc0000102
#define TSC_AUX			0xc0000103

#define EFER_SCE_BIT		BIT_ULL(0)
#define EFER_LME_BIT		BIT_ULL(8)
#define EFER_LMA_BIT		BIT_ULL(10)
#define EFER_NX_BIT		BIT_ULL(11)

/* Eight variable ranges, fixed ranges, write-combining: "MTRR Feature Identification" */
#define MTRR_CAP_VALUE		0x508

#define APIC_BASE_DEFAULT	0xfee00000
#define APIC_BASE_BSP		BIT_ULL(8)
#define APIC_BASE_EXTD		BIT_ULL(10)
#define APIC_BASE_EN		BIT_ULL(11)

/* DEBUGCTL.LBR and .BTF: accepted and without effect */
#define DEBUGCTL_IGNORED	GENMASK_ULL(1, 0)

/* SDM Vol. 4: "BTS Unavailable" and "PEBS Unavailable", as KVM has them after reset */
#define MISC_ENABLE_DEFAULT	(BIT_ULL(11) | BIT_ULL(12))

const u32 mvm_msr_list[] = {
	TSC, SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP, STAR, LSTAR, CSTAR, FMASK,
	KERNEL_GS_BASE, PAT, MISC_ENABLE, MCG_STATUS, BIOS_SIGN_ID, TSC_AUX,
	TSC_ADJUST, POWER_CTL, KVM_SYSTEM_TIME, KVM_WALL_CLOCK, KVM_SYSTEM_TIME_NEW,
	KVM_WALL_CLOCK_NEW, TSC_DEADLINE,
};

const unsigned int mvm_nr_msrs = ARRAY_SIZE(mvm_msr_list);

/**
 * mvm_msrs_reset() - the values after power-on
 * @msrs: set
 * @bsp: this is the processor that boots
 */
void mvm_msrs_reset(struct mvm_msrs *msrs, bool bsp)
{
	memset(msrs, 0, sizeof(*msrs));
	msrs->apic_base = APIC_BASE_DEFAULT | APIC_BASE_EN | (bsp ? APIC_BASE_BSP : 0);
	msrs->misc_enable = MISC_ENABLE_DEFAULT;
	/* What KVM reports: microcode revision 1 in the upper half */
	msrs->ucode_rev = 0x100000000ULL;
	msrs->mcg_cap = MVM_MCE_BANKS;
}

/* IA32_MCG_CTL is there: SDM Vol. 3, "IA32_MCG_CAP MSR" */
#define MCG_CTL_P	BIT_ULL(8)

/**
 * mvm_msrs_setup_mce() - KVM_X86_SETUP_MCE
 * @msrs: of the vCPU
 * @cap: what IA32_MCG_CAP is to say; bits 23:16 are for whoever wants them
 *
 * Return: 0, or -EINVAL for a number of banks or a feature that is not there.
 */
int mvm_msrs_setup_mce(struct mvm_msrs *msrs, u64 cap)
{
	u32 banks = cap & 0xff, i;

	if (!banks || banks > MVM_MCE_BANKS ||
	    cap & ~(MVM_MCE_CAP_SUPPORTED | 0xff00ffULL))
		return -EINVAL;
	msrs->mcg_cap = cap;
	if (cap & MCG_CTL_P)
		msrs->mcg_ctl = ~0ULL;
	for (i = 0; i < banks; i++)
		msrs->mce_banks[4 * i] = ~0ULL;
	return 0;
}

/**
 * mvm_mce_access_valid() - may a machine-check MSR be accessed like this?
 * @msrs: of the vCPU
 * @index: which; true for MSRs that have nothing to do with machine checks
 * @value: what it is to hold, or NULL for reading
 * @host: user space asks: it may set a status that the guest finds
 *
 * SDM Vol. 3, "Machine-Check MSRs".
 *
 * Return: false if RDMSR or WRMSR raises #GP.
 */
bool mvm_mce_access_valid(const struct mvm_msrs *msrs, u32 index, const u64 *value, bool host)
{
	if (index == MCG_CTL) {
		if (!(msrs->mcg_cap & MCG_CTL_P) && (!host || (value && *value)))
			return false;
		return !value || !*value || *value == ~0ULL;
	}
	if (index < MC0_CTL || index > MC31_MISC || !value)
		return true;
	switch (index % 4) {
	case 0:
		/* Guests clear bit 10 or bit 0 because of errata: KVM lets them. */
		return !*value || (*value | BIT_ULL(10) | 1) == ~0ULL;
	case 1:
		return host || !*value;
	}
	return true;
}

/**
 * mvm_msr_stored() - where an MSR is kept
 * @msrs: of the vCPU
 * @index: which
 *
 * Return: a pointer into @msrs, or NULL if it is not kept there.
 */
u64 *mvm_msr_stored(struct mvm_msrs *msrs, u32 index)
{
	switch (index) {
	case STAR:
		return &msrs->star;
	case LSTAR:
		return &msrs->lstar;
	case FMASK:
		return &msrs->fmask;
	case CSTAR:
		return &msrs->cstar;
	case TSC_AUX:
		return &msrs->tsc_aux;
	case APIC_BASE:
		return &msrs->apic_base;
	case TSC_ADJUST:
		return &msrs->tsc_adjust;
	case POWER_CTL:
		return &msrs->power_ctl;
	case MISC_ENABLE:
		return &msrs->misc_enable;
	case BIOS_SIGN_ID:
		return &msrs->ucode_rev;
	case MCG_STATUS:
		return &msrs->mcg_status;
	case MCG_CAP:
		return &msrs->mcg_cap;
	case MCG_CTL:
		return &msrs->mcg_ctl;
	case MC0_CTL ... MC31_MISC:
		if (index - MC0_CTL >= 4 * (msrs->mcg_cap & 0xff))
			return NULL;
		return &msrs->mce_banks[index - MC0_CTL];
	case MTRR_DEF_TYPE:
		return &msrs->mtrr_def_type;
	case MTRR_FIX64K:
		return &msrs->mtrr_fixed[0];
	case MTRR_FIX16K_0 ... MTRR_FIX16K_1:
		return &msrs->mtrr_fixed[1 + index - MTRR_FIX16K_0];
	case MTRR_FIX4K_0 ... MTRR_FIX4K_7:
		return &msrs->mtrr_fixed[3 + index - MTRR_FIX4K_0];
	case MTRR_PHYSBASE0 ... MTRR_PHYSMASK7:
		return &msrs->mtrr_variable[index - MTRR_PHYSBASE0];
	}
	return NULL;
}

/**
 * mvm_msr_constant() - MSRs that can only be read
 * @index: which
 * @value: what they hold
 *
 * Return: true if it is one.
 */
bool mvm_msr_constant(u32 index, u64 *value)
{
	switch (index) {
	case MTRR_CAP:
		*value = MTRR_CAP_VALUE;
		return true;
	}
	return false;
}

/**
 * mvm_msr_visible() - does CPUID promise this MSR to the guest?
 * @index: which, one that is stored
 * @cpuid: the guest's table
 *
 * Return: false if RDMSR and WRMSR in the guest raise #GP.
 */
bool mvm_msr_visible(u32 index, const struct mvm_cpuid *cpuid)
{
	if (index == TSC_AUX)
		return mvm_cpuid_has(cpuid->entries, cpuid->nent, MVM_FEATURE_RDTSCP) ||
		       mvm_cpuid_has(cpuid->entries, cpuid->nent, MVM_FEATURE_RDPID);
	return true;
}

static bool canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

/* SDM Vol. 3, "Page Attribute Table": types 2 and 3 and bits 7:3 are reserved. */
static bool pat_type_valid(u8 type)
{
	return type <= 7 && type != 2 && type != 3;
}

static bool pat_valid(u64 value)
{
	int i;

	for (i = 0; i < 8; i++)
		if (!pat_type_valid(value >> 8 * i))
			return false;
	return true;
}

static bool mtrr_type_valid(u8 type)
{
	return type <= 6 && type != 2 && type != 3;
}

/* SDM Vol. 3, "Memory Type Range Registers" */
static bool mtrr_valid(u32 index, u64 value, u8 maxphyaddr)
{
	u64 reserved = maxphyaddr < 64 ? GENMASK_ULL(63, maxphyaddr) : 0;
	int i;

	if (index == MTRR_DEF_TYPE)
		return !(value & ~0xcffULL) && mtrr_type_valid(value & 0xff);
	if (index >= MTRR_FIX64K) {
		for (i = 0; i < 8; i++)
			if (!mtrr_type_valid(value >> 8 * i))
				return false;
		return true;
	}
	/* Odd: a mask, with its valid bit; even: a base, with its type */
	if (index & 1)
		return !(value & (reserved | GENMASK_ULL(10, 0)));
	return !(value & (reserved | GENMASK_ULL(11, 8))) && mtrr_type_valid(value & 0xff);
}

/**
 * mvm_apic_base_valid() - may IA32_APIC_BASE hold this?
 * @value: the value
 * @maxphyaddr: the guest's physical-address width
 * @x2apic: its CPUID shows x2APIC mode
 *
 * Return: true if it may.
 */
bool mvm_apic_base_valid(u64 value, u8 maxphyaddr, bool x2apic)
{
	u64 reserved = (maxphyaddr < 64 ? GENMASK_ULL(63, maxphyaddr) : 0) |
		       GENMASK_ULL(7, 0) | BIT_ULL(9) | (x2apic ? 0 : APIC_BASE_EXTD);

	/* SDM Vol. 3, "Detecting and Enabling x2APIC Mode": not while disabled */
	return !(value & reserved) &&
	       (value & (APIC_BASE_EXTD | APIC_BASE_EN)) != APIC_BASE_EXTD;
}

/**
 * mvm_msr_value_valid() - may this MSR hold this value?
 * @index: which
 * @value: the value
 * @maxphyaddr: the guest's physical-address width
 *
 * A VM entry with a non-canonical base fails, so user space must not get one
 * in either.
 *
 * Return: false if WRMSR raises #GP; true for MSRs that are not known.
 */
bool mvm_msr_value_valid(u32 index, u64 value, u8 maxphyaddr)
{
	switch (index) {
	case SYSENTER_ESP:
	case SYSENTER_EIP:
	case FS_BASE:
	case GS_BASE:
	case KERNEL_GS_BASE:
	case LSTAR:
	case CSTAR:
		return canonical(value);
	case FMASK:
	case TSC_AUX:
		return !(value >> 32);
	case PAT:
		return pat_valid(value);
	case DEBUGCTL:
		return !(value & ~DEBUGCTL_IGNORED);
	case MTRR_CAP:
	case MCG_CAP:
		return false;
	case APIC_BASE:
		return mvm_apic_base_valid(value, maxphyaddr, true);
	case MTRR_PHYSBASE0 ... MTRR_PHYSMASK7:
	case MTRR_FIX64K:
	case MTRR_FIX16K_0 ... MTRR_FIX16K_1:
	case MTRR_FIX4K_0 ... MTRR_FIX4K_7:
	case MTRR_DEF_TYPE:
		return mtrr_valid(index, value, maxphyaddr);
	}
	return true;
}

/**
 * mvm_efer_valid() - may EFER hold this?
 * @efer: the value
 * @cpuid: the guest's table
 * @host: user space asks: the table does not matter to it
 *
 * Return: false for reserved bits.
 */
bool mvm_efer_valid(u64 efer, const struct mvm_cpuid *cpuid, bool host)
{
	u64 valid = EFER_SCE_BIT | EFER_LME_BIT | EFER_LMA_BIT | EFER_NX_BIT;

	if (!host) {
		if (!mvm_cpuid_has(cpuid->entries, cpuid->nent, MVM_FEATURE_SYSCALL))
			valid &= ~EFER_SCE_BIT;
		if (!mvm_cpuid_has(cpuid->entries, cpuid->nent, MVM_FEATURE_LM))
			valid &= ~(EFER_LME_BIT | EFER_LMA_BIT);
		if (!mvm_cpuid_has(cpuid->entries, cpuid->nent, MVM_FEATURE_NX))
			valid &= ~EFER_NX_BIT;
	}
	return !(efer & ~valid);
}
