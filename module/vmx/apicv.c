// SPDX-License-Identifier: GPL-2.0
/*
 * What the processor does of a local APIC: SDM Vol. 3, "APIC Virtualization and
 * Virtual Interrupts" (2024: chapter 30). The registers' page (mvm_lapic::regs) is
 * its virtual-APIC page.
 *
 * With a TPR shadow the task priority is the guest's own: CR8, and in x2APIC mode its
 * MSR. In that mode it also reads most registers without VM exit. The page of xAPIC
 * mode exits for each access: Linux uses it only where it has no x2APIC mode.
 *
 * With virtual-interrupt delivery the processor takes interrupts from IRR to ISR, and
 * ends them there, in either mode; in x2APIC mode EOI and IPIs to the guest itself do
 * not exit. So IRR and ISR change while the guest runs. The vCPU's own work at them
 * sets MVM_PENDING_APIC, and what the processor keeps of them is written anew before
 * the next VM entry.
 */
#include "../mvm.h"
#include "guest.h"
#include "operation.h"
#include "vmcs.h"
#include "vmx.h"

/*
 * Registers that are read from the page: those that have their value there; not the
 * timer's current count, which the time has, and not ICR, of which the upper half is
 * elsewhere; PPR only where the processor writes it. SDM Vol. 3, "Virtualizing
 * MSR-Based APIC Accesses".
 */
static const struct {
	u16 first, last;
} readable[] = {
	{ 0x802, 0x803 },	/* ID, version */
	{ 0x80d, 0x80d },	/* LDR */
	{ 0x80f, 0x828 },	/* SVR, ISR, TMR, IRR, ESR */
	{ 0x832, 0x838 },	/* LVT, initial count */
	{ 0x83e, 0x83e },	/* divider */
};

#define X2APIC_TPR		0x808
#define X2APIC_PPR		0x80a
#define X2APIC_EOI		0x80b
#define X2APIC_SELF_IPI		0x83f

/**
 * mvm_vmx_pass_x2apic() - the MSRs of x2APIC mode that need no VM exit
 * @vcpu: its MSR bitmap has none of them yet
 *
 * Filters do not see them, as in KVM.
 */
void mvm_vmx_pass_x2apic(struct mvm_vcpu *vcpu)
{
	unsigned long *bitmap = vcpu->vmx.msr_bitmap;
	unsigned int i;
	u32 index;

	if (!(mvm_vmx.cpu2 & VMX_CPU2_X2APIC) || !vcpu->apic ||
	    !mvm_lapic_x2apic(&vcpu->apic->lapic))
		return;
	mvm_vmx_pass_msr(bitmap, X2APIC_TPR, true, true);
	if (mvm_vmx.cpu2 & VMX_CPU2_INTERRUPT_DELIVERY) {
		mvm_vmx_pass_msr(bitmap, X2APIC_EOI, false, true);
		mvm_vmx_pass_msr(bitmap, X2APIC_SELF_IPI, false, true);
	}
	if (!(mvm_vmx.cpu2 & VMX_CPU2_APIC_REGISTERS))
		return;
	if (mvm_vmx.cpu2 & VMX_CPU2_INTERRUPT_DELIVERY)
		mvm_vmx_pass_msr(bitmap, X2APIC_PPR, true, false);
	for (i = 0; i < ARRAY_SIZE(readable); i++)
		for (index = readable[i].first; index <= readable[i].last; index++)
			mvm_vmx_pass_msr(bitmap, index, true, false);
}

/**
 * mvm_vmx_set_x2apic() - the local APIC's mode may have changed
 * @vcpu: one with a local APIC, attached or loaded
 */
void mvm_vmx_set_x2apic(struct mvm_vcpu *vcpu)
{
	if (!(mvm_vmx.cpu2 & VMX_CPU2_X2APIC))
		return;
	/* Outside of that mode there are no such MSRs. */
	if (mvm_lapic_x2apic(&vcpu->apic->lapic))
		vmcs_set32(VMCS_CPU2_CONTROLS, VMX_CPU2_X2APIC);
	else
		vmcs_clear32(VMCS_CPU2_CONTROLS, VMX_CPU2_X2APIC);
	mvm_vmx_set_msr_bitmap(vcpu);
}

/**
 * mvm_vmx_write_eoi_exits() - write what is known of the EOIs that exit
 * @vcpu: attached or loaded, with virtual-interrupt delivery
 */
void mvm_vmx_write_eoi_exits(struct mvm_vcpu *vcpu)
{
	vmcs_write64(VMCS_EOI_EXIT_BITMAP_0, vcpu->vmx.eoi_exits[0]);
	vmcs_write64(VMCS_EOI_EXIT_BITMAP_1, vcpu->vmx.eoi_exits[1]);
	vmcs_write64(VMCS_EOI_EXIT_BITMAP_2, vcpu->vmx.eoi_exits[2]);
	vmcs_write64(VMCS_EOI_EXIT_BITMAP_3, vcpu->vmx.eoi_exits[3]);
}

/*
 * Whoever programs an I/O APIC, or routes, need not tell all vCPUs: a vector reaches
 * IRR by way of MVM_PENDING_APIC, and so its bit is here before the processor sees it.
 */
static void update_eoi_exits(struct mvm_vcpu *vcpu)
{
	u64 vectors[ARRAY_SIZE(vcpu->vmx.eoi_exits)];

	mvm_irq_eoi_vectors(vcpu->vm, vectors);
	if (likely(!memcmp(vectors, vcpu->vmx.eoi_exits, sizeof(vectors))))
		return;
	memcpy(vcpu->vmx.eoi_exits, vectors, sizeof(vectors));
	mvm_vmx_write_eoi_exits(vcpu);
}

/* A guest that lowers its task priority below this exits. */
static void update_tpr_threshold(struct mvm_vcpu *vcpu)
{
	u32 threshold = mvm_lapic_tpr_threshold(&vcpu->apic->lapic);

	if (threshold == vcpu->vmx.tpr_threshold)
		return;
	vcpu->vmx.tpr_threshold = threshold;
	vmcs_write32(VMCS_TPR_THRESHOLD, threshold);
}

/**
 * mvm_vmx_show_apic() - tell the processor what the local APIC has for it
 * @vcpu: loaded, with MVM_PENDING_APIC; a VM entry follows
 * @may_interrupt: its interrupts may go in
 */
void mvm_vmx_show_apic(struct mvm_vcpu *vcpu, bool may_interrupt)
{
	u16 status;

	if (!(mvm_vmx.cpu2 & VMX_CPU2_INTERRUPT_DELIVERY)) {
		if (mvm_vmx.cpu & VMX_CPU_TPR_SHADOW)
			update_tpr_threshold(vcpu);
		return;
	}
	update_eoi_exits(vcpu);
	status = mvm_lapic_interrupt_status(&vcpu->apic->lapic);
	if (unlikely(!may_interrupt))
		status &= ~VMX_INTERRUPT_STATUS_RVI;
	if (status != vmcs_read16(VMCS_GUEST_INTERRUPT_STATUS))
		vmcs_write16(VMCS_GUEST_INTERRUPT_STATUS, status);
}

/* SDM Vol. 3, "TPR Virtualization": an interrupt in IRR need not wait any more. */
int mvm_handle_tpr_below_threshold(struct mvm_vcpu *vcpu)
{
	vcpu->pending |= MVM_PENDING_APIC;
	return MVM_RESUME;
}

/* SDM Vol. 3, "EOI Virtualization": ISR is without it already. */
int mvm_handle_virtualized_eoi(struct mvm_vcpu *vcpu)
{
	mvm_apic_eoi_done(vcpu, vmcs_readl(VMCS_EXIT_QUALIFICATION));
	return MVM_RESUME;
}

/*
 * SDM Vol. 3, "APIC-Write VM Exits": after the write. It is a self-IPI that the
 * processor does not send, since its vector is below 16.
 */
int mvm_handle_apic_write(struct mvm_vcpu *vcpu)
{
	mvm_apic_write_done(vcpu, vmcs_readl(VMCS_EXIT_QUALIFICATION) & 0xff0);
	return MVM_RESUME;
}
