/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the CPU offers and what of it we use. Pure decisions over given MSR
 * values; operation.c reads the MSRs.
 */
#ifndef MVM_VMX_CAPABILITY_H
#define MVM_VMX_CAPABILITY_H

#include <linux/types.h>

#include "arch.h"
#include "control.h"

/**
 * struct mvm_vmx_msrs - the capability MSRs of one CPU, as read
 * @basic: IA32_VMX_BASIC
 * @pin: allowed settings of the pin-based controls; low half: bits that must
 *	be 1, high half: bits that may be 1 (of the TRUE MSR where it exists, as
 *	for @cpu, @exit and @entry)
 * @cpu: the same for the primary processor-based controls
 * @cpu2: the same for the secondary ones; 0 if there are none
 * @exit: the same for the VM-exit controls
 * @entry: the same for the VM-entry controls
 * @misc: IA32_VMX_MISC
 * @ept_vpid: IA32_VMX_EPT_VPID_CAP; 0 without EPT and VPID
 * @cr0_fixed0: bits of CR0 that are 1 in VMX operation
 * @cr0_fixed1: bits of CR0 that may be 1 there
 * @cr4_fixed0: the same for CR4
 * @cr4_fixed1: the same for CR4
 *
 * All members are u64, so that two of these compare with memcmp().
 */
struct mvm_vmx_msrs {
	u64 basic;
	u64 pin;
	u64 cpu;
	u64 cpu2;
	u64 exit;
	u64 entry;
	u64 misc;
	u64 ept_vpid;
	u64 cr0_fixed0;
	u64 cr0_fixed1;
	u64 cr4_fixed0;
	u64 cr4_fixed1;
};

/**
 * struct mvm_vmx_options - the module parameters that switch features off
 * @vpid: tag TLB entries by vCPU
 * @eptad: EPT accessed and dirty bits
 * @pml: the CPU logs which pages get dirty; needs @eptad
 * @flexpriority: the guest changes its task priority by itself
 * @apicv: the CPU takes interrupts from a local APIC and ends them there; needs
 *	@flexpriority
 * @ple_gap: PLE_Gap, see struct mvm_vmx_capability; 0 for no PAUSE-loop exiting
 * @ple_window: PLE_Window
 */
struct mvm_vmx_options {
	bool vpid;
	bool eptad;
	bool pml;
	bool flexpriority;
	bool apicv;
	unsigned int ple_gap;
	unsigned int ple_window;
};

/**
 * struct mvm_vmx_capability - the outcome of the negotiation
 * @revision: VMCS revision identifier
 * @vmcs_size: bytes of a VMCS or VMXON region, at most 4096
 * @pin: pin-based controls of a new vCPU
 * @cpu: primary processor-based controls
 * @cpu2: secondary processor-based controls
 * @exit: VM-exit controls
 * @entry: VM-entry controls
 * @cr0_fixed0: CR0 bits that must be 1 (PE and PG only outside unrestricted
 *	guest)
 * @cr0_fixed1: CR0 bits that may be 1
 * @cr4_fixed0: CR4 bits that must be 1
 * @cr4_fixed1: CR4 bits that may be 1
 * @ept_2m: EPT maps 2 MiB pages
 * @ept_1g: EPT maps 1 GiB pages
 * @ept_ad: EPT has accessed and dirty bits, and they are wanted
 * @invept_single: INVEPT can be limited to one EPTP
 * @invvpid_single: INVVPID can be limited to one VPID
 * @ple_gap: PAUSEs of a loop are at most so many TSC ticks apart
 * @ple_window: a loop that takes more TSC ticks than this exits
 */
struct mvm_vmx_capability {
	u32 revision;
	u32 vmcs_size;
	u32 pin;
	u32 cpu;
	u32 cpu2;
	u32 exit;
	u32 entry;
	u64 cr0_fixed0;
	u64 cr0_fixed1;
	u64 cr4_fixed0;
	u64 cr4_fixed1;
	bool ept_2m;
	bool ept_1g;
	bool ept_ad;
	bool invept_single;
	bool invvpid_single;
	u32 ple_gap;
	u32 ple_window;
};

/**
 * struct mvm_vmx_platform - what decides whether VT-x is ours to use
 * @intel: the vendor is Intel (or a maker of the same VT-x)
 * @vmx: CPUID.1:ECX.VMX, as the hardware shows it
 * @vmx_cleared: Linux took the VMX feature flag away although CPUID has it
 * @kernel_has_kvm_intel: the kernel was built with CONFIG_KVM_INTEL
 * @kernel_lends_vtx: it exports to us, too, what only KVM may use otherwise
 * @fred: the kernel runs with FRED event delivery
 * @hypervisor: CPUID.1:ECX bit 31, we are a guest ourselves
 * @feat_ctl: IA32_FEAT_CTL; only looked at when @vmx is set
 */
struct mvm_vmx_platform {
	bool intel;
	bool vmx;
	bool vmx_cleared;
	bool kernel_has_kvm_intel;
	bool kernel_lends_vtx;
	bool fred;
	bool hypervisor;
	u64 feat_ctl;
};

/**
 * enum mvm_wish - what the module asks of a control
 * @MVM_WISH_NONE: nothing
 * @MVM_WISH_NEED: it must be 1
 * @MVM_WISH_WANT: 1 where it can be
 * @MVM_WISH_AVOID: it must be 0
 */
enum mvm_wish {
	MVM_WISH_NONE,
	MVM_WISH_NEED,
	MVM_WISH_WANT,
	MVM_WISH_AVOID,
};

enum mvm_wish mvm_vmx_wish(enum mvm_control_word word, unsigned int bit,
			   const char **reason);
u32 mvm_vmx_used(const struct mvm_vmx_capability *cap, enum mvm_control_word word);
int mvm_vmx_check_platform(const struct mvm_vmx_platform *p, const char **why);
void mvm_vmx_read_msrs(struct mvm_vmx_msrs *m, u64 (*read)(u32 msr));
int mvm_vmx_negotiate(const struct mvm_vmx_msrs *msrs,
		      const struct mvm_vmx_options *options,
		      struct mvm_vmx_capability *cap, const char **missing,
		      const char **reason);

/**
 * mvm_exception_bitmap() - the exceptions of a guest that exit to us
 * @guest_debug_bp: user space wants the guest's #BP
 *
 * #DB and #AC: delivery of either can raise the same exception again without
 * end, and no interrupt gets in between, so that the guest would own the CPU
 * (CVE-2015-5307, CVE-2015-8104). #MC belongs to the host. These three are in
 * the bitmap in every mode of the guest.
 *
 * Return: the value of the exception bitmap.
 */
static inline u32 mvm_exception_bitmap(bool guest_debug_bp)
{
	u32 bitmap = BIT(VMX_VECTOR_DB) | BIT(VMX_VECTOR_AC) |
		     BIT(VMX_VECTOR_MC);

	if (guest_debug_bp)
		bitmap |= BIT(VMX_VECTOR_BP);
	return bitmap;
}

#endif
