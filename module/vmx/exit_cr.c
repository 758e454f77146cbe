// SPDX-License-Identifier: GPL-2.0
/*
 * Control registers, debug registers and XCR0.
 *
 * Most writes to CR0 and CR4 do not come here: the guest owns the bits that
 * mean the same to it as to the CPU, mode switches among them. What exits is
 * an attempt to change one of the host's bits (see state.c), and since the
 * same instruction can change others too, all rules are checked.
 */
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "../mvm.h"
#include "../trace.h"
#include "guest.h"
#include "vmcs.h"
#include "vmx.h"

/* SDM Vol. 3, "Exit Qualification for Control-Register Accesses" */
#define CR_NUMBER(q)		((q) & 0xf)
#define CR_TYPE(q)		(((q) >> 4) & 3)
#define CR_REGISTER(q)		(((q) >> 8) & 0xf)
#define CR_TYPE_MOV_TO		0
#define CR_TYPE_MOV_FROM	1

/* SDM Vol. 3, "Exit Qualification for MOV DR" */
#define DR_NUMBER(q)		((q) & 7)
#define DR_MOV_FROM		BIT(4)

/* Bits outside of these ignore what is written: SDM Vol. 3, "Control Registers" */
#define CR0_DEFINED							\
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
	 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
	 X86_CR0_PG)

/* With these a change of CR0 or CR4 loads the PDPTEs: "PDPTE Registers" */
#define CR0_LOADS_PDPTES	(X86_CR0_CD | X86_CR0_NW | X86_CR0_PG)
#define CR4_LOADS_PDPTES	(X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)

/* With these translations in the TLB may be wrong afterwards. */
#define CR0_FLUSHES		(X86_CR0_PG | X86_CR0_WP)
#define CR4_FLUSHES		(CR4_LOADS_PDPTES | X86_CR4_PCIDE | X86_CR4_SMAP)

/* Reading the PDPTEs can sleep: the vCPU is put and loaded again for it. */
static bool load_pdptes(struct mvm_vcpu *vcpu)
{
	unsigned long cr3 = vmcs_readl(VMCS_GUEST_CR3);
	u64 pdpte[4];
	bool valid;

	mvm_vmx_put(vcpu);
	valid = !mvm_read_pdptes(vcpu, cr3, pdpte);
	mvm_vmx_load(vcpu);
	if (valid)
		mvm_vmx_write_pdptes(pdpte);
	return valid;
}

/* May a segment register hold this TSS in IA-32e mode? Only a 32-bit one. */
static bool tss_is_16bit(void)
{
	u32 type = vmcs_read32(VMCS_GUEST_TR_ACCESS_RIGHTS) & VMX_AR_TYPE;

	return type == 1 || type == 3;
}

static int change_cr0(struct mvm_vcpu *vcpu, unsigned long cr0, u32 length)
{
	unsigned long old = mvm_vmx_read_cr0(vcpu);
	unsigned long cr4 = mvm_vmx_read_cr4(vcpu);
	u64 efer = mvm_vmx_read_efer(vcpu);
	unsigned long changed;

	/* SDM Vol. 2, "MOV—Move to/from Control Registers": what raises #GP(0) */
	if (cr0 >> 32)
		return mvm_vmx_inject_gp(vcpu);
	cr0 &= CR0_DEFINED;
	if ((cr0 & (X86_CR0_PG | X86_CR0_PE)) == X86_CR0_PG ||
	    (cr0 & (X86_CR0_NW | X86_CR0_CD)) == X86_CR0_NW)
		return mvm_vmx_inject_gp(vcpu);
	changed = old ^ cr0;
	if (changed & cr0 & X86_CR0_PG && efer & EFER_LME) {
		bool code_64bit = vmcs_read32(VMCS_GUEST_CS_ACCESS_RIGHTS) & VMX_AR_L;

		if (!(cr4 & X86_CR4_PAE) || code_64bit || tss_is_16bit())
			return mvm_vmx_inject_gp(vcpu);
	}
	if (changed & old & X86_CR0_PG &&
	    (cr4 & X86_CR4_PCIDE || mvm_vmx_64bit_code()))
		return mvm_vmx_inject_gp(vcpu);
	if (cr0 & X86_CR0_PG && cr4 & X86_CR4_PAE && !(efer & EFER_LME) &&
	    changed & CR0_LOADS_PDPTES && !load_pdptes(vcpu))
		return mvm_vmx_inject_gp(vcpu);

	if (efer & EFER_LME && changed & X86_CR0_PG)
		mvm_vmx_write_efer(vcpu, cr0 & X86_CR0_PG ? efer | EFER_LMA :
				   efer & ~EFER_LMA);
	mvm_vmx_write_cr0(vcpu, cr0);
	if (changed & CR0_FLUSHES)
		vcpu->pending |= MVM_PENDING_FLUSH;
	mvm_vmx_skip(vcpu, length);
	return MVM_RESUME;
}

static int change_cr4(struct mvm_vcpu *vcpu, unsigned long cr4, u32 length)
{
	unsigned long old = mvm_vmx_read_cr4(vcpu);
	unsigned long changed = old ^ cr4;
	u64 efer = mvm_vmx_read_efer(vcpu);

	if (cr4 & vcpu->cr4_reserved)
		return mvm_vmx_inject_gp(vcpu);
	if (efer & EFER_LMA && !(cr4 & X86_CR4_PAE))
		return mvm_vmx_inject_gp(vcpu);
	if (changed & cr4 & X86_CR4_PCIDE &&
	    (!(efer & EFER_LMA) || vmcs_readl(VMCS_GUEST_CR3) & 0xfff))
		return mvm_vmx_inject_gp(vcpu);
	if (mvm_vmx_read_cr0(vcpu) & X86_CR0_PG && cr4 & X86_CR4_PAE &&
	    !(efer & EFER_LMA) && changed & CR4_LOADS_PDPTES &&
	    !load_pdptes(vcpu))
		return mvm_vmx_inject_gp(vcpu);

	mvm_vmx_write_cr4(vcpu, cr4);
	if (changed & CR4_FLUSHES)
		vcpu->pending |= MVM_PENDING_FLUSH;
	if (changed & X86_CR4_OSXSAVE)
		mvm_vcpu_update_cpuid(vcpu, cr4);
	mvm_vmx_skip(vcpu, length);
	return MVM_RESUME;
}

/* The task priority. If user space keeps the APIC, it hears of a lower one. */
static int change_cr8(struct mvm_vcpu *vcpu, unsigned long cr8, u32 length)
{
	u64 old = mvm_apic_get_cr8(vcpu);

	if (cr8 & ~0xfUL)
		return mvm_vmx_inject_gp(vcpu);
	mvm_apic_set_cr8(vcpu, cr8);
	mvm_vmx_skip(vcpu, length);
	if (old <= cr8 || vcpu->apic)
		return MVM_RESUME;
	/* The end of a single step is not told any more then, as in KVM. */
	vcpu->pending &= ~MVM_PENDING_STEPPED;
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	return MVM_TO_USER;
}

int mvm_handle_cr_access(struct mvm_vcpu *vcpu)
{
	unsigned long q = vmcs_readl(VMCS_EXIT_QUALIFICATION);
	u32 length = vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH);
	unsigned long value;

	if (CR_TYPE(q) == CR_TYPE_MOV_FROM && CR_NUMBER(q) == 8) {
		value = mvm_apic_get_cr8(vcpu);
		trace_minivmm_cr(0, 8, value);
		mvm_vmx_set_gpr(vcpu, CR_REGISTER(q), value);
		mvm_vmx_skip(vcpu, length);
		return MVM_RESUME;
	}
	if (CR_TYPE(q) == CR_TYPE_MOV_TO) {
		value = mvm_vmx_get_gpr(vcpu, CR_REGISTER(q));
		/* Outside 64-bit mode the operand has 32 bits. */
		if (!mvm_vmx_64bit_code())
			value = (u32)value;
		trace_minivmm_cr(1, CR_NUMBER(q), value);
		switch (CR_NUMBER(q)) {
		case 0:
			return change_cr0(vcpu, value, length);
		case 4:
			return change_cr4(vcpu, value, length);
		case 8:
			return change_cr8(vcpu, value, length);
		}
	}
	/* CLTS, LMSW and CR3 never exit: their bits are the guest's. */
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	vcpu->run->hw.hardware_exit_reason = VMX_REASON_CR_ACCESS;
	return MVM_TO_USER;
}

/*
 * MOV to and from debug registers. DR0 to DR3 are in the CPU only while the
 * guest runs with one of them enabled; DR6 never is.
 */
int mvm_handle_dr_access(struct mvm_vcpu *vcpu)
{
	unsigned long q = vmcs_readl(VMCS_EXIT_QUALIFICATION);
	unsigned long dr7 = vmcs_readl(VMCS_GUEST_DR7);
	int n = DR_NUMBER(q), reg = CR_REGISTER(q);
	unsigned long value;

	if (n == 4 || n == 5) {
		if (mvm_vmx_read_cr4(vcpu) & X86_CR4_DE)
			return mvm_vmx_inject_ud(vcpu);
		n += 2;
	}
	if (mvm_vmx_cpl() > 0)
		return mvm_vmx_inject_gp(vcpu);
	/* The VM exit comes before the #DB of general detection. */
	if (dr7 & MVM_DR7_GD) {
		if (vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP)
			return mvm_vmx_debug_exit(vcpu, VMX_VECTOR_DB, MVM_DR6_BD);
		mvm_vmx_queue(vcpu, &(struct mvm_exception){
			.vector = VMX_VECTOR_DB, .dr6 = MVM_DR6_BD,
		});
		return MVM_RESUME;
	}

	if (q & DR_MOV_FROM) {
		value = n == 7 ? vcpu->dr7 : n == 6 ? vcpu->dr6 : vcpu->dr[n];
		mvm_vmx_set_gpr(vcpu, reg, value);
		return mvm_vmx_skip_and_resume(vcpu);
	}
	value = mvm_vmx_get_gpr(vcpu, reg);
	if (!mvm_vmx_64bit_code())
		value = (u32)value;
	if (n >= 6 && value >> 32)
		return mvm_vmx_inject_gp(vcpu);
	/* SDM Vol. 3, "Debug Registers": the bits that can be written */
	if (n == 7)
		mvm_vmx_write_dr7(vcpu, (value & 0xffff2bff) | 0x400);
	else if (n == 6)
		vcpu->dr6 = (value & 0xe00f) | DR6_RESERVED;
	else
		vcpu->dr[n] = value;
	return mvm_vmx_skip_and_resume(vcpu);
}

/* SDM Vol. 2, "XSETBV—Set Extended Control Register" */
int mvm_handle_xsetbv(struct mvm_vcpu *vcpu)
{
	u64 value = (u32)vcpu->enter.regs[MVM_RAX] |
		    (u64)(u32)vcpu->enter.regs[MVM_RDX] << 32;

	if ((u32)vcpu->enter.regs[MVM_RCX] || mvm_vmx_cpl() > 0 ||
	    !mvm_fpu_xcr0_valid(value, vcpu->xcr0_allowed))
		return mvm_vmx_inject_gp(vcpu);
	mvm_fpu_set_xcr0(&vcpu->fpu, value);
	mvm_vcpu_update_cpuid(vcpu, mvm_vmx_read_cr4(vcpu));
	return mvm_vmx_skip_and_resume(vcpu);
}
