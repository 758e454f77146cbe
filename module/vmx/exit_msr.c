// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs: the table of those that exist for a guest. For all others RDMSR and
 * WRMSR raise #GP.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <asm/kvm_para.h>
#include <asm/msr.h>

#include "../compat.h"
#include "../mvm.h"
#include "../trace.h"
#include "../x86/msr.h"
#include "guest.h"
#include "operation.h"
#include "vmcs.h"
#include "vmx.h"

struct change {
	u64 *where;
	u64 value;
};

static void change_msr(struct mvm_vcpu *vcpu, void *arg)
{
	const struct change *c = arg;

	*c->where = c->value;
}

/* Those that mvm_vmx_load() puts into the CPU. */
static void set_stored(struct mvm_vcpu *vcpu, u32 index, u64 *where, u64 value)
{
	struct change change = { .where = where, .value = value };

	switch (index) {
	case MSR_STAR:
	case MSR_LSTAR:
	case MSR_SYSCALL_MASK:
	case MSR_KERNEL_GS_BASE:
	case MSR_TSC_AUX:
		mvm_vmx_switch_msrs(vcpu, change_msr, &change);
		return;
	}
	*where = value;
}

/* SDM Vol. 3, "x2APIC Register Address Space" */
#define X2APIC_FIRST	0x800
#define X2APIC_MSRS	X2APIC_FIRST ... 0x8ff

static u64 guest_tsc(const struct mvm_vcpu *vcpu)
{
	return rdtsc() + vcpu->clock.tsc_offset;
}

/*
 * SDM Vol. 3, "IA32_TSC_ADJUST Register": what is added to the one is added to
 * the other. User space sets both as it saved them, each for itself.
 */
static void set_tsc(struct mvm_vcpu *vcpu, u64 value, bool host)
{
	u64 offset = value - rdtsc();

	if (!host)
		vcpu->msrs.tsc_adjust += offset - vcpu->clock.tsc_offset;
	mvm_vmx_set_tsc_offset(vcpu, offset);
}

static void set_tsc_adjust(struct mvm_vcpu *vcpu, u64 value, bool host)
{
	u64 change = value - vcpu->msrs.tsc_adjust;

	if (!host)
		mvm_vmx_set_tsc_offset(vcpu, vcpu->clock.tsc_offset + change);
	vcpu->msrs.tsc_adjust = value;
}

static int set_efer(struct mvm_vcpu *vcpu, u64 value, bool host)
{
	u64 old = mvm_vmx_read_efer(vcpu);
	bool paging = mvm_vmx_read_cr0(vcpu) & X86_CR0_PG;

	if (!mvm_efer_valid(value, &vcpu->cpuid, host))
		return -EINVAL;
	/* SDM Vol. 3, "Initializing IA-32e Mode": only with paging off */
	if (!host && paging && (old ^ value) & EFER_LME)
		return -EINVAL;
	/* LMA is the CPU's. */
	mvm_vmx_write_efer(vcpu, (value & ~EFER_LMA) | (old & EFER_LMA));
	return 0;
}

/* IA32_KERNEL_GS_BASE is in the CPU while a guest with long mode is loaded. */
static u64 get_kernel_gs(struct mvm_vcpu *vcpu)
{
	u64 value = vcpu->msrs.kernel_gs_base;

	if (vcpu->vmx.loaded && vcpu->vmx.efer & EFER_LME)
		rdmsrl(MSR_KERNEL_GS_BASE, value);
	return value;
}

/**
 * mvm_vmx_get_msr() - RDMSR, and KVM_GET_MSRS
 * @vcpu: attached or loaded
 * @index: which
 * @value: what it holds
 * @host: user space asks, not the guest
 *
 * Return: 0, -ENOENT if there is no such MSR, or -EINVAL if CPUID does not
 * show it to the guest.
 */
int mvm_vmx_get_msr(struct mvm_vcpu *vcpu, u32 index, u64 *value, bool host)
{
	u64 *stored;

	switch (index) {
	case MSR_IA32_TSC:
		*value = guest_tsc(vcpu);
		return 0;
	case MSR_IA32_SYSENTER_CS:
		*value = vmcs_read32(VMCS_GUEST_SYSENTER_CS);
		return 0;
	case MSR_IA32_SYSENTER_ESP:
		*value = vmcs_readl(VMCS_GUEST_SYSENTER_ESP);
		return 0;
	case MSR_IA32_SYSENTER_EIP:
		*value = vmcs_readl(VMCS_GUEST_SYSENTER_EIP);
		return 0;
	case MSR_IA32_CR_PAT:
		*value = vmcs_read64(VMCS_GUEST_PAT);
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
		*value = vmcs_read64(VMCS_GUEST_DEBUGCTL);
		return 0;
	case MSR_FS_BASE:
		*value = vmcs_readl(VMCS_GUEST_FS_BASE);
		return 0;
	case MSR_GS_BASE:
		*value = vmcs_readl(VMCS_GUEST_GS_BASE);
		return 0;
	case MSR_EFER:
		*value = mvm_vmx_read_efer(vcpu);
		return 0;
	case MSR_KERNEL_GS_BASE:
		*value = get_kernel_gs(vcpu);
		return 0;
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*value = READ_ONCE(vcpu->vm->clock.wall_clock);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*value = vcpu->clock.system_time;
		return 0;
	case MSR_IA32_APICBASE:
		*value = vcpu->msrs.apic_base;
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		*value = mvm_apic_get_deadline(vcpu);
		return 0;
	case X2APIC_MSRS:
		return mvm_apic_get_msr(vcpu, index - X2APIC_FIRST, value);
	}
	if (mvm_msr_constant(index, value))
		return 0;
	stored = mvm_msr_stored(&vcpu->msrs, index);
	if (!stored)
		return -ENOENT;
	if ((!host && !mvm_msr_visible(index, &vcpu->cpuid)) ||
	    !mvm_mce_access_valid(&vcpu->msrs, index, NULL, host))
		return -EINVAL;
	*value = *stored;
	return 0;
}

/**
 * mvm_vmx_set_msr() - WRMSR, and KVM_SET_MSRS
 * @vcpu: attached or loaded
 * @index: which
 * @value: what it gets
 * @host: user space asks, not the guest
 *
 * Return: 0, -ENOENT if there is no such MSR, or -EINVAL if CPUID does not
 * show it to the guest or it cannot hold this value.
 */
int mvm_vmx_set_msr(struct mvm_vcpu *vcpu, u32 index, u64 value, bool host)
{
	u64 *where;

	if (!mvm_msr_value_valid(index, value, vcpu->maxphyaddr))
		return -EINVAL;
	switch (index) {
	case MSR_IA32_TSC:
		set_tsc(vcpu, value, host);
		return 0;
	case MSR_IA32_SYSENTER_CS:
		vmcs_write32(VMCS_GUEST_SYSENTER_CS, value);
		return 0;
	case MSR_IA32_SYSENTER_ESP:
		vmcs_writel(VMCS_GUEST_SYSENTER_ESP, value);
		return 0;
	case MSR_IA32_SYSENTER_EIP:
		vmcs_writel(VMCS_GUEST_SYSENTER_EIP, value);
		return 0;
	case MSR_IA32_CR_PAT:
		vmcs_write64(VMCS_GUEST_PAT, value);
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
		/* Branch recording and stepping are not there: as KVM, no error. */
		return 0;
	case MSR_FS_BASE:
		vmcs_writel(VMCS_GUEST_FS_BASE, value);
		return 0;
	case MSR_GS_BASE:
		vmcs_writel(VMCS_GUEST_GS_BASE, value);
		return 0;
	case MSR_EFER:
		return set_efer(vcpu, value, host);
	case MSR_KERNEL_GS_BASE:
		where = &vcpu->msrs.kernel_gs_base;
		break;
	case MSR_IA32_APICBASE:
		if (!mvm_vcpu_apic_base_valid(vcpu, value, host))
			return -EINVAL;
		mvm_apic_set_base(vcpu, value);
		/* CPUID shows whether the APIC is on. */
		mvm_vcpu_update_cpuid(vcpu, mvm_vmx_read_cr4(vcpu));
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		mvm_apic_set_deadline(vcpu, value);
		return 0;
	case X2APIC_MSRS:
		return mvm_apic_set_msr(vcpu, index - X2APIC_FIRST, value);
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		mvm_clock_set_wall_clock(vcpu, value);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		mvm_clock_set_system_time(vcpu, value, index == MSR_KVM_SYSTEM_TIME, host);
		return 0;
	case MSR_IA32_TSC_ADJUST:
		/* As KVM: where CPUID does not show it, it is there and stays 0. */
		if (mvm_cpuid_has(vcpu->cpuid.entries, vcpu->cpuid.nent,
				  MVM_FEATURE_TSC_ADJUST))
			set_tsc_adjust(vcpu, value, host);
		return 0;
	case MSR_IA32_UCODE_REV:
		/*
		 * SDM Vol. 3, "Determining the Signature": software writes 0,
		 * executes CPUID and reads the revision. The guest must find it.
		 */
		if (host)
			vcpu->msrs.ucode_rev = value;
		return 0;
	default:
		where = mvm_msr_stored(&vcpu->msrs, index);
		if (!where)
			return -ENOENT;
		if ((!host && !mvm_msr_visible(index, &vcpu->cpuid)) ||
		    !mvm_mce_access_valid(&vcpu->msrs, index, &value, host))
			return -EINVAL;
	}
	set_stored(vcpu, index, where, value);
	return 0;
}

static u64 reason_of(int err)
{
	switch (err) {
	case -ENOENT:
		return KVM_MSR_EXIT_REASON_UNKNOWN;
	case -EPERM:
		return KVM_MSR_EXIT_REASON_FILTER;
	default:
		return KVM_MSR_EXIT_REASON_INVAL;
	}
}

static u64 wrmsr_value(const unsigned long *regs)
{
	return (u32)regs[MVM_RAX] | (u64)(u32)regs[MVM_RDX] << 32;
}

static void read_done(struct mvm_vcpu *vcpu, u64 value)
{
	vcpu->enter.regs[MVM_RAX] = (u32)value;
	vcpu->enter.regs[MVM_RDX] = value >> 32;
}

/* Other threads can write to kvm_run meanwhile: each word is read once. */
static int complete_wrmsr(struct mvm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->run->msr.error))
		return mvm_vmx_inject_gp(vcpu);
	mvm_vmx_skip(vcpu, vcpu->io.length);
	return MVM_RESUME;
}

static int complete_rdmsr(struct mvm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->run->msr.error))
		return mvm_vmx_inject_gp(vcpu);
	read_done(vcpu, READ_ONCE(vcpu->run->msr.data));
	mvm_vmx_skip(vcpu, vcpu->io.length);
	return MVM_RESUME;
}

/* The access failed: user space's, if it wants these, or a #GP. */
static int ask_user(struct mvm_vcpu *vcpu, int err, u32 exit_reason, u64 value)
{
	struct kvm_run *run = vcpu->run;
	u64 reason = reason_of(err);

	if (!(READ_ONCE(vcpu->vm->msr_exits) & reason)) {
		trace_minivmm_msr(exit_reason == KVM_EXIT_X86_WRMSR,
				  vcpu->enter.regs[MVM_RCX], value, true);
		return mvm_vmx_inject_gp(vcpu);
	}
	run->exit_reason = exit_reason;
	run->msr.error = 0;
	memset(run->msr.pad, 0, sizeof(run->msr.pad));
	run->msr.reason = reason;
	run->msr.index = vcpu->enter.regs[MVM_RCX];
	run->msr.data = value;
	vcpu->io.length = vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH);
	vcpu->complete = exit_reason == KVM_EXIT_X86_RDMSR ? complete_rdmsr :
							     complete_wrmsr;
	return MVM_TO_USER;
}

int mvm_handle_rdmsr(struct mvm_vcpu *vcpu)
{
	u32 index = vcpu->enter.regs[MVM_RCX];
	int ret = -EPERM;
	u64 value;

	if (mvm_msr_allowed(vcpu->vm, index, KVM_MSR_FILTER_READ))
		ret = mvm_vmx_get_msr(vcpu, index, &value, false);
	if (ret)
		return ask_user(vcpu, ret, KVM_EXIT_X86_RDMSR, 0);
	trace_minivmm_msr(false, vcpu->enter.regs[MVM_RCX], value, false);
	read_done(vcpu, value);
	return mvm_vmx_skip_and_resume(vcpu);
}

/* Nothing has changed the registers. */
static noinline void trace_write(const unsigned long *regs)
{
	trace_minivmm_msr(true, regs[MVM_RCX], wrmsr_value(regs), false);
}

int mvm_handle_wrmsr(struct mvm_vcpu *vcpu)
{
	unsigned long *regs = vcpu->enter.regs;
	u64 value = wrmsr_value(regs);
	u32 index = regs[MVM_RCX];
	int ret = -EPERM;

	if (mvm_msr_allowed(vcpu->vm, index, KVM_MSR_FILTER_WRITE))
		ret = mvm_vmx_set_msr(vcpu, index, value, false);
	if (ret)
		return ask_user(vcpu, ret, KVM_EXIT_X86_WRMSR, value);
	if (trace_minivmm_msr_enabled())
		trace_write(regs);
	return mvm_vmx_skip_and_resume(vcpu);
}
