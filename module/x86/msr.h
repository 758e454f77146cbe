/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MSRs that are nothing but a place to keep a value, and the rules for values.
 */
#ifndef MVM_X86_MSR_H
#define MVM_X86_MSR_H

#include <linux/types.h>

#include "cpuid.h"

/* Banks of machine-check registers, as KVM has them */
#define MVM_MCE_BANKS		32

/* Bits of IA32_MCG_CAP that KVM_X86_SETUP_MCE may set: MCG_CTL_P, MCG_SER_P */
#define MVM_MCE_CAP_SUPPORTED	(BIT_ULL(8) | BIT_ULL(24))

/**
 * struct mvm_msrs - MSRs of a vCPU that the VMCS has no place for
 * @star: IA32_STAR; this one and the next three are in the CPU only while a
 *	guest that can use them is loaded
 * @lstar: IA32_LSTAR
 * @fmask: IA32_FMASK
 * @kernel_gs_base: IA32_KERNEL_GS_BASE
 * @cstar: IA32_CSTAR, which no Intel CPU uses
 * @tsc_aux: IA32_TSC_AUX
 * @apic_base: IA32_APIC_BASE
 * @tsc_adjust: IA32_TSC_ADJUST
 * @power_ctl: MSR_POWER_CTL: kept, without effect
 * @misc_enable: IA32_MISC_ENABLE
 * @ucode_rev: IA32_BIOS_SIGN_ID
 * @mcg_status: IA32_MCG_STATUS
 * @mcg_cap: IA32_MCG_CAP
 * @mcg_ctl: IA32_MCG_CTL
 * @mce_banks: IA32_MCi_CTL, STATUS, ADDR and MISC of each bank
 * @mtrr_def_type: IA32_MTRR_DEF_TYPE
 * @mtrr_fixed: the eleven fixed-range MTRRs
 * @mtrr_variable: base and mask of the eight variable ones
 */
struct mvm_msrs {
	u64 star;
	u64 lstar;
	u64 fmask;
	u64 kernel_gs_base;
	u64 cstar;
	u64 tsc_aux;
	u64 apic_base;
	u64 tsc_adjust;
	u64 power_ctl;
	u64 misc_enable;
	u64 ucode_rev;
	u64 mcg_status;
	u64 mcg_cap;
	u64 mcg_ctl;
	u64 mce_banks[4 * MVM_MCE_BANKS];
	u64 mtrr_def_type;
	u64 mtrr_fixed[11];
	u64 mtrr_variable[16];
};

/* What KVM_GET_MSR_INDEX_LIST answers */
extern const u32 mvm_msr_list[];
extern const unsigned int mvm_nr_msrs;

void mvm_msrs_reset(struct mvm_msrs *msrs, bool bsp);
int mvm_msrs_setup_mce(struct mvm_msrs *msrs, u64 cap);
bool mvm_mce_access_valid(const struct mvm_msrs *msrs, u32 index, const u64 *value, bool host);
u64 *mvm_msr_stored(struct mvm_msrs *msrs, u32 index);
bool mvm_msr_constant(u32 index, u64 *value);
bool mvm_msr_visible(u32 index, const struct mvm_cpuid *cpuid);
bool mvm_msr_value_valid(u32 index, u64 value, u8 maxphyaddr);
bool mvm_efer_valid(u64 efer, const struct mvm_cpuid *cpuid, bool host);
bool mvm_apic_base_valid(u64 value, u8 maxphyaddr, bool x2apic);

#endif
