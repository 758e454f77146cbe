// SPDX-License-Identifier: GPL-2.0
/*
 * Events on their way into the guest.
 *
 * At most one event goes in at a VM entry: SDM Vol. 3, "Event Injection"
 * (2024: 27.6). Two can wait for it: an exception that a handler raised, and
 * an event whose delivery a VM exit cut short (the IDT-vectoring information:
 * the guest's IDT or stack was not mapped by EPT yet, say). The second is
 * delivered again, since the guest has not seen it.
 */
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "../mvm.h"
#include "guest.h"
#include "operation.h"
#include "vmcs.h"
#include "vmx.h"

enum exception_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

/* SDM Vol. 3, "Interrupt 8—Double Fault Exception (#DF)" (2024: 6.15) */
static enum exception_class class_of(u8 vector)
{
	switch (vector) {
	case VMX_VECTOR_DE:
	case VMX_VECTOR_TS:
	case VMX_VECTOR_NP:
	case VMX_VECTOR_SS:
	case VMX_VECTOR_GP:
		return CONTRIBUTORY;
	case VMX_VECTOR_PF:
		return PAGE_FAULT;
	case VMX_VECTOR_DF:
		return DOUBLE_FAULT;
	default:
		return BENIGN;
	}
}

static bool is_exception(u32 event)
{
	u32 type = event & VMX_EVENT_TYPE;

	return type == VMX_EVENT_HARD_EXCEPTION ||
	       type == VMX_EVENT_SOFT_EXCEPTION ||
	       type == VMX_EVENT_PRIV_EXCEPTION;
}

/**
 * mvm_vmx_drop_instruction_event() - forget an event that an instruction caused
 * @vcpu: the vCPU
 *
 * To be called when RIP moves away from that instruction, or something else
 * happens to it. External interrupts and NMIs are nobody's: they stay.
 */
void mvm_vmx_drop_instruction_event(struct mvm_vcpu *vcpu)
{
	if (is_exception(vcpu->reinject) ||
	    (vcpu->reinject & VMX_EVENT_TYPE) == VMX_EVENT_SOFT_INTERRUPT)
		vcpu->pending &= ~MVM_PENDING_REINJECT;
	vcpu->pending &= ~MVM_PENDING_EXCEPTION;
}

/**
 * mvm_vmx_queue() - raise an exception at the next VM entry
 * @vcpu: the vCPU
 * @e: the exception
 *
 * If it comes while another is being delivered the two become one, as on a
 * processor: the second alone, a double fault, or a shutdown. A software
 * interrupt happens again when the handler returns to it. An external
 * interrupt or NMI stays, for the next VM entry that can take it.
 */
void mvm_vmx_queue(struct mvm_vcpu *vcpu, const struct mvm_exception *e)
{
	enum exception_class first = BENIGN, second = class_of(e->vector);

	if (vcpu->pending & MVM_PENDING_EXCEPTION)
		first = class_of(vcpu->exception.vector);
	else if (vcpu->pending & MVM_PENDING_REINJECT && is_exception(vcpu->reinject))
		first = class_of(vcpu->reinject & VMX_EVENT_VECTOR);

	mvm_vmx_drop_instruction_event(vcpu);
	vcpu->pending |= MVM_PENDING_EXCEPTION;
	if (first == DOUBLE_FAULT && second != BENIGN)
		vcpu->pending |= MVM_PENDING_SHUTDOWN;
	else if ((first == CONTRIBUTORY && second == CONTRIBUTORY) ||
		 (first == PAGE_FAULT && (second == CONTRIBUTORY || second == PAGE_FAULT)))
		vcpu->exception = (struct mvm_exception) {
			.vector = VMX_VECTOR_DF, .has_error = true,
		};
	else
		vcpu->exception = *e;
}

/**
 * mvm_vmx_queue_vector() - raise an exception without error code
 * @vcpu: the vCPU
 * @vector: its vector
 */
void mvm_vmx_queue_vector(struct mvm_vcpu *vcpu, u8 vector)
{
	mvm_vmx_queue(vcpu, &(struct mvm_exception){ .vector = vector });
}

/**
 * mvm_vmx_queue_error() - raise an exception with error code
 * @vcpu: the vCPU
 * @vector: its vector
 * @error: the error code
 */
void mvm_vmx_queue_error(struct mvm_vcpu *vcpu, u8 vector, u32 error)
{
	mvm_vmx_queue(vcpu, &(struct mvm_exception){
		.vector = vector, .has_error = true, .error = error,
	});
}

/**
 * mvm_vmx_inject_ud() - what a handler returns for an instruction that is not there
 * @vcpu: the vCPU
 *
 * Return: MVM_RESUME.
 */
int mvm_vmx_inject_ud(struct mvm_vcpu *vcpu)
{
	mvm_vmx_queue_vector(vcpu, VMX_VECTOR_UD);
	return MVM_RESUME;
}

/**
 * mvm_vmx_inject_gp() - what a handler returns for an operand that is not allowed
 * @vcpu: the vCPU
 *
 * Return: MVM_RESUME.
 */
int mvm_vmx_inject_gp(struct mvm_vcpu *vcpu)
{
	mvm_vmx_queue_error(vcpu, VMX_VECTOR_GP, 0);
	return MVM_RESUME;
}

static void inject_exception(struct mvm_vcpu *vcpu)
{
	const struct mvm_exception *e = &vcpu->exception;
	u32 event = e->vector | VMX_EVENT_HARD_EXCEPTION | VMX_EVENT_VALID;

	if (e->vector == VMX_VECTOR_PF)
		vcpu->cr2 = e->cr2;
	if (e->vector == VMX_VECTOR_DB) {
		unsigned long dr7 = vmcs_readl(VMCS_GUEST_DR7);

		/*
		 * The CPU changes neither DR6 nor DR7 when it injects.
		 * SDM Vol. 3, "Debug Status Register (DR6)": B0 to B3 are set
		 * anew, the others stay; bit 16 (RTM) is active low.
		 */
		vcpu->dr6 &= ~0xfUL;
		vcpu->dr6 |= DR6_RESERVED | e->dr6;
		vmcs_writel(VMCS_GUEST_DR7, dr7 & ~MVM_DR7_GD);
	}
	if (e->has_error && vmcs_readl(VMCS_GUEST_CR0) & X86_CR0_PE) {
		/* Real mode has none; a VM entry with one would fail. */
		event |= VMX_EVENT_ERROR_CODE;
		vmcs_write32(VMCS_ENTRY_ERROR_CODE, e->error);
	}
	/* SDM Vol. 3: faults are delivered with RF set in the pushed RFLAGS. */
	if (e->vector != VMX_VECTOR_DB && e->vector != VMX_VECTOR_BP &&
	    e->vector != VMX_VECTOR_OF)
		vmcs_writel(VMCS_GUEST_RFLAGS,
			    vmcs_readl(VMCS_GUEST_RFLAGS) | X86_EFLAGS_RF);
	vmcs_write32(VMCS_ENTRY_EVENT, event);
}

static void inject_again(struct mvm_vcpu *vcpu)
{
	u32 type = vcpu->reinject & VMX_EVENT_TYPE;

	if (vcpu->reinject & VMX_EVENT_ERROR_CODE)
		vmcs_write32(VMCS_ENTRY_ERROR_CODE, vcpu->reinject_error);
	/* The CPU needs to know where the return address is. */
	if (type == VMX_EVENT_SOFT_INTERRUPT || type == VMX_EVENT_SOFT_EXCEPTION ||
	    type == VMX_EVENT_PRIV_EXCEPTION)
		vmcs_write32(VMCS_ENTRY_INSTRUCTION_LENGTH, vcpu->reinject_length);
	vmcs_write32(VMCS_ENTRY_EVENT, vcpu->reinject);
}

/*
 * Interrupts and NMIs can be blocked. Then a VM exit is asked for as soon as
 * they are not: SDM Vol. 3, "Interrupt-Window Exiting and Virtual-Interrupt
 * Delivery" and "NMI-Window Exiting".
 */
static bool must_wait(struct mvm_vcpu *vcpu)
{
	u32 type = vcpu->reinject & VMX_EVENT_TYPE, blocking, window;
	bool blocked;

	if (type != VMX_EVENT_EXTERNAL && type != VMX_EVENT_NMI)
		return false;
	blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);
	blocked = blocking & (VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS);
	if (type == VMX_EVENT_EXTERNAL) {
		window = VMX_CPU_INTERRUPT_WINDOW;
		blocked |= !(vmcs_readl(VMCS_GUEST_RFLAGS) & X86_EFLAGS_IF);
	} else {
		window = VMX_CPU_NMI_WINDOW;
		blocked |= !!(blocking & VMX_BLOCKING_NMI);
	}
	if (blocked)
		vmcs_set32(VMCS_CPU_CONTROLS, window);
	return blocked;
}

/**
 * mvm_vmx_deliver() - do what waits for the VM entry
 * @vcpu: loaded, with something in mvm_vcpu::pending; the VM entry follows
 *
 * Interrupts are off.
 *
 * Return: the bits of mvm_vcpu::pending that are done if the VM entry succeeds.
 */
u32 mvm_vmx_deliver(struct mvm_vcpu *vcpu)
{
	if (vcpu->pending & MVM_PENDING_FLUSH)
		mvm_vmx_invvpid(vcpu->vmx.vpid);
	if (vcpu->pending & MVM_PENDING_DEBUG_REGS) {
		/* Until the VM entry the host's breakpoints must not mean these. */
		set_debugreg(0, 7);
		set_debugreg(vcpu->dr[0], 0);
		set_debugreg(vcpu->dr[1], 1);
		set_debugreg(vcpu->dr[2], 2);
		set_debugreg(vcpu->dr[3], 3);
	}
	/* With both the second is an interrupt, and it can wait. */
	if (vcpu->pending & MVM_PENDING_EXCEPTION) {
		inject_exception(vcpu);
		return MVM_PENDING_EXCEPTION | MVM_PENDING_FLUSH;
	}
	if (vcpu->pending & MVM_PENDING_REINJECT && !must_wait(vcpu)) {
		inject_again(vcpu);
		return MVM_PENDING_REINJECT | MVM_PENDING_FLUSH;
	}
	return MVM_PENDING_FLUSH;
}

/**
 * mvm_vmx_recover_event() - keep an event whose delivery this VM exit cut short
 * @vcpu: loaded, just after the VM exit
 *
 * SDM Vol. 3, "Information for VM Exits That Occur During Event Delivery"
 * (2024: 28.2.4).
 */
void mvm_vmx_recover_event(struct mvm_vcpu *vcpu)
{
	u32 info = vmcs_read32(VMCS_VECTORING_EVENT);

	if (!(info & VMX_EVENT_VALID))
		return;
	/* Bit 12 is undefined in this field and reserved in the other. */
	vcpu->reinject = info & (VMX_EVENT_VECTOR | VMX_EVENT_TYPE |
				 VMX_EVENT_ERROR_CODE | VMX_EVENT_VALID);
	if (info & VMX_EVENT_ERROR_CODE)
		vcpu->reinject_error = vmcs_read32(VMCS_VECTORING_ERROR_CODE);
	vcpu->reinject_length = vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH);
	/* An NMI that is delivered again must not find itself blocked. */
	if ((info & VMX_EVENT_TYPE) == VMX_EVENT_NMI)
		vmcs_clear32(VMCS_GUEST_INTERRUPTIBILITY, VMX_BLOCKING_NMI);
	vcpu->pending |= MVM_PENDING_REINJECT;
}

/**
 * mvm_vmx_skip() - the instruction that exited is done
 * @vcpu: attached or loaded
 * @length: its length in bytes
 */
void mvm_vmx_skip(struct mvm_vcpu *vcpu, u32 length)
{
	unsigned long rip = vmcs_readl(VMCS_GUEST_RIP);
	unsigned long next = rip + length;
	u32 blocking;

	/* Outside 64-bit mode the upper half does not exist. */
	if (unlikely((rip ^ next) & BIT_ULL(32)) && !mvm_vmx_64bit_code())
		next = (u32)next;
	vmcs_writel(VMCS_GUEST_RIP, next);

	/* STI and MOV SS block for one instruction, and this was it. */
	blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);
	if (unlikely(blocking & (VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS)))
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY,
			     blocking & ~(VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS));
	/* The single-step trap that the instruction would have ended with */
	if (unlikely(vmcs_readl(VMCS_GUEST_RFLAGS) & X86_EFLAGS_TF))
		mvm_vmx_queue(vcpu, &(struct mvm_exception){
			.vector = VMX_VECTOR_DB, .dr6 = DR_STEP,
		});
}

/**
 * mvm_vmx_skip_and_resume() - how most handlers end
 * @vcpu: loaded
 *
 * Return: MVM_RESUME.
 */
int mvm_vmx_skip_and_resume(struct mvm_vcpu *vcpu)
{
	mvm_vmx_skip(vcpu, vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH));
	return MVM_RESUME;
}
