// SPDX-License-Identifier: GPL-2.0
/*
 * Events on their way into the guest.
 *
 * At most one event goes in at a VM entry: SDM Vol. 3, "Event Injection"
 * (2024: 27.6). Several can wait for it, each in a place of its own: an
 * exception that a handler raised; an exception or software interrupt whose
 * delivery a VM exit cut short (the IDT-vectoring information: the guest's IDT
 * or stack was not mapped by EPT yet, say), which is delivered again, since the
 * guest has not seen it; NMIs; and an external interrupt. It makes no
 * difference whether NMI or interrupt come from user space or from a delivery
 * that was cut short, except that the latter is not blocked.
 */
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "../mvm.h"
#include "../trace.h"
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
 * To be called when something else happens to that instruction. External
 * interrupts and NMIs are nobody's: they stay.
 */
void mvm_vmx_drop_instruction_event(struct mvm_vcpu *vcpu)
{
	vcpu->pending &= ~(MVM_PENDING_EXCEPTION | MVM_PENDING_REINJECT);
}

/**
 * mvm_vmx_queue() - raise an exception at the next VM entry
 * @vcpu: the vCPU
 * @e: the exception
 *
 * If it comes while another is being delivered the two become one, as on a
 * processor: the second alone, a double fault, or a shutdown. A software
 * interrupt happens again when the handler returns to it.
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

/**
 * mvm_vmx_settle_exception() - bring CR2 or DR6 to what a queued exception sets them to
 * @vcpu: the vCPU
 *
 * The exception stays queued. Whoever reads these registers before it is
 * delivered, and gives them to another vCPU, would lose them otherwise.
 */
void mvm_vmx_settle_exception(struct mvm_vcpu *vcpu)
{
	struct mvm_exception *e = &vcpu->exception;

	if (!(vcpu->pending & MVM_PENDING_EXCEPTION) || e->settled)
		return;
	e->settled = true;
	if (e->vector == VMX_VECTOR_PF)
		vcpu->cr2 = e->cr2;
	if (e->vector == VMX_VECTOR_DB) {
		/*
		 * SDM Vol. 3, "Debug Status Register (DR6)": B0 to B3 are set
		 * anew, the others stay; bit 16 (RTM) is active low.
		 */
		vcpu->dr6 &= ~0xfUL;
		vcpu->dr6 |= DR6_RESERVED | e->dr6;
	}
}

/*
 * What goes with an exception beside its frame. The CPU changes neither CR2 nor
 * DR6 nor DR7 nor RF when it injects.
 */
static void apply_payload(struct mvm_vcpu *vcpu)
{
	const struct mvm_exception *e = &vcpu->exception;

	mvm_vmx_settle_exception(vcpu);
	if (e->vector == VMX_VECTOR_DB)
		mvm_vmx_write_dr7(vcpu, vcpu->dr7 & ~MVM_DR7_GD);
	/* SDM Vol. 3: faults are delivered with RF set in the pushed RFLAGS. */
	if (e->vector != VMX_VECTOR_DB && e->vector != VMX_VECTOR_BP &&
	    e->vector != VMX_VECTOR_OF)
		vmcs_writel(VMCS_GUEST_RFLAGS,
			    vmcs_readl(VMCS_GUEST_RFLAGS) | X86_EFLAGS_RF);
}

/* An error code is pushed in protected mode alone; a VM entry with one fails in real mode. */
static void inject(u32 event, u32 error)
{
	if (!(vmcs_readl(VMCS_GUEST_CR0) & X86_CR0_PE))
		event &= ~VMX_EVENT_ERROR_CODE;
	if (event & VMX_EVENT_ERROR_CODE)
		vmcs_write32(VMCS_ENTRY_ERROR_CODE, error);
	vmcs_write32(VMCS_ENTRY_EVENT, event | VMX_EVENT_VALID);
}

static void inject_exception(struct mvm_vcpu *vcpu)
{
	const struct mvm_exception *e = &vcpu->exception;

	apply_payload(vcpu);
	trace_minivmm_inj_exception(e->vector, e->has_error, e->error, false);
	inject(e->vector | VMX_EVENT_HARD_EXCEPTION |
	       (e->has_error ? VMX_EVENT_ERROR_CODE : 0), e->error);
}

static void inject_nmi(struct mvm_vcpu *vcpu)
{
	vcpu->stat.nmi_injections++;
	trace_minivmm_inj_nmi(vcpu);
	inject(VMX_VECTOR_NMI | VMX_EVENT_NMI, 0);
}

static void inject_again(struct mvm_vcpu *vcpu)
{
	if (is_exception(vcpu->reinject))
		trace_minivmm_inj_exception(vcpu->reinject & VMX_EVENT_VECTOR,
					    vcpu->reinject & VMX_EVENT_ERROR_CODE,
					    vcpu->reinject_error, true);
	else
		trace_minivmm_inj_virq(vcpu->reinject & VMX_EVENT_VECTOR, true);
	/* The CPU needs to know where the return address is. */
	if ((vcpu->reinject & VMX_EVENT_TYPE) != VMX_EVENT_HARD_EXCEPTION)
		vmcs_write32(VMCS_ENTRY_INSTRUCTION_LENGTH, vcpu->reinject_length);
	inject(vcpu->reinject, vcpu->reinject_error);
}

/*
 * Interrupts and NMIs can be blocked. SDM Vol. 3, "Interrupt-Window Exiting and
 * Virtual-Interrupt Delivery" and "NMI-Window Exiting": a VM exit comes as soon
 * as they are not.
 */
static bool interrupts_blocked(void)
{
	return !(vmcs_readl(VMCS_GUEST_RFLAGS) & X86_EFLAGS_IF) ||
	       vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) &
	       (VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS);
}

static bool nmis_blocked(void)
{
	return vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) &
	       (VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS | VMX_BLOCKING_NMI);
}

/*
 * A CPU may open the NMI window in STI's shadow and yet refuse an NMI there
 * (SDM Vol. 3, "Checks on Guest Non-Register State"): that would go round for
 * ever. The interrupt window opens behind the shadow, where IF is 1.
 */
static void open_nmi_window(void)
{
	if (vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) & VMX_BLOCKING_STI)
		vmcs_set32(VMCS_CPU_CONTROLS, VMX_CPU_INTERRUPT_WINDOW);
	else
		vmcs_set32(VMCS_CPU_CONTROLS, VMX_CPU_NMI_WINDOW);
}

#define NMIS	(MVM_PENDING_NMI_AGAIN | MVM_PENDING_NMI | MVM_PENDING_NMI_2)

/*
 * A debugger can hold new NMIs back, and the local APIC's interrupts:
 * KVM_GUESTDBG_BLOCKIRQ.
 */
static u32 may_go_in(const struct mvm_vcpu *vcpu)
{
	if (unlikely(vcpu->debug.control & KVM_GUESTDBG_BLOCKIRQ))
		return vcpu->pending & ~(MVM_PENDING_NMI | MVM_PENDING_NMI_2 |
					 MVM_PENDING_APIC);
	return vcpu->pending;
}

/* The one event that goes in now. Return: its bit, or 0. */
static u32 inject_one(struct mvm_vcpu *vcpu)
{
	u32 pending = may_go_in(vcpu);

	if (pending & MVM_PENDING_EXCEPTION) {
		vcpu->stat.exception_injections++;
		inject_exception(vcpu);
		return MVM_PENDING_EXCEPTION;
	}
	if (pending & MVM_PENDING_REINJECT) {
		vcpu->stat.exception_injections++;
		inject_again(vcpu);
		return MVM_PENDING_REINJECT;
	}
	/* KVM's order: a new NMI comes after an interrupt. */
	if (pending & MVM_PENDING_NMI_AGAIN && !nmis_blocked()) {
		inject_nmi(vcpu);
		return MVM_PENDING_NMI_AGAIN;
	}
	if (pending & MVM_PENDING_INTERRUPT && !interrupts_blocked()) {
		vcpu->stat.irq_injections++;
		trace_minivmm_inj_virq(vcpu->interrupt, false);
		inject(vcpu->interrupt | VMX_EVENT_EXTERNAL, 0);
		return MVM_PENDING_INTERRUPT;
	}
	if (pending & NMIS && !nmis_blocked()) {
		inject_nmi(vcpu);
		return pending & MVM_PENDING_NMI_2 ? MVM_PENDING_NMI_2 : MVM_PENDING_NMI;
	}
	return 0;
}

/* The vector that the local APIC wants injected, or -1 */
static int vector_to_inject(const struct mvm_vcpu *vcpu)
{
	/* The processor takes them from IRR by itself. */
	if (mvm_vmx.cpu2 & VMX_CPU2_INTERRUPT_DELIVERY)
		return -1;
	return mvm_lapic_pending(&vcpu->apic->lapic);
}

/*
 * The PIC or the local APIC may have an interrupt. It is taken from there only
 * when it goes in now: until then one of a higher priority can overtake it. KVM's
 * order: the PIC's is first, and the task priority means nothing to it.
 */
static void take_from_apic(struct mvm_vcpu *vcpu)
{
	int vector;

	if (unlikely(mvm_irq_extint_waits(vcpu))) {
		if (!mvm_vmx_ready_for_interrupt(vcpu))
			return;
		mvm_vmx_interrupt(vcpu, mvm_irq_take_extint(vcpu));
		/* There may be another behind it. */
		if (!mvm_irq_extint_waits(vcpu) && vector_to_inject(vcpu) < 0)
			vcpu->pending &= ~MVM_PENDING_APIC;
		return;
	}
	vector = vector_to_inject(vcpu);
	if (vector < 0) {
		vcpu->pending &= ~MVM_PENDING_APIC;
	} else if (mvm_vmx_ready_for_interrupt(vcpu)) {
		vcpu->pending &= ~MVM_PENDING_APIC;
		mvm_lapic_acknowledge(&vcpu->apic->lapic, vector);
		mvm_vmx_interrupt(vcpu, vector);
	}
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
	u32 done, left;

	if (vcpu->pending & MVM_PENDING_FLUSH) {
		vcpu->stat.tlb_flush++;
		mvm_vmx_invvpid(vcpu->vmx.vpid);
	}
	if (vcpu->pending & MVM_PENDING_DEBUG_REGS)
		mvm_vmx_load_breakpoints(vcpu);
	/*
	 * With TF and a shadow the VM entry wants a single-step trap to be
	 * pending (as in handle_db()); but it is the debugger's, not the guest's.
	 */
	if (vcpu->pending & MVM_PENDING_STEP)
		vmcs_clear32(VMCS_GUEST_INTERRUPTIBILITY,
			     VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS);
	if (vcpu->pending & MVM_PENDING_APIC) {
		bool may_interrupt = may_go_in(vcpu) & MVM_PENDING_APIC;

		if (may_interrupt)
			take_from_apic(vcpu);
		mvm_vmx_show_apic(vcpu, may_interrupt);
	}
	done = inject_one(vcpu);
	/* The guest exits when the next of those that wait can go in. */
	left = may_go_in(vcpu) & ~done;
	if (left & NMIS)
		open_nmi_window();
	if (left & (MVM_PENDING_INTERRUPT | MVM_PENDING_APIC) ||
	    (left & MVM_PENDING_WINDOW && !(done & MVM_PENDING_INTERRUPT) &&
	     (!vcpu->apic || mvm_irq_takes_extint(vcpu))))
		vmcs_set32(VMCS_CPU_CONTROLS, VMX_CPU_INTERRUPT_WINDOW);
	return done | MVM_PENDING_FLUSH;
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

	vcpu->vmx.delivering = info & VMX_EVENT_VALID;
	if (!(info & VMX_EVENT_VALID))
		return;
	switch (info & VMX_EVENT_TYPE) {
	case VMX_EVENT_EXTERNAL:
		vcpu->interrupt = info & VMX_EVENT_VECTOR;
		vcpu->pending |= MVM_PENDING_INTERRUPT;
		return;
	case VMX_EVENT_NMI:
		/* When it is delivered again it must not find itself blocked. */
		vmcs_clear32(VMCS_GUEST_INTERRUPTIBILITY, VMX_BLOCKING_NMI);
		vcpu->pending |= MVM_PENDING_NMI_AGAIN;
		return;
	}
	/* Bit 12 is undefined in this field and reserved in the other. */
	vcpu->reinject = info & (VMX_EVENT_VECTOR | VMX_EVENT_TYPE |
				 VMX_EVENT_ERROR_CODE);
	if (info & VMX_EVENT_ERROR_CODE)
		vcpu->reinject_error = vmcs_read32(VMCS_VECTORING_ERROR_CODE);
	vcpu->reinject_length = vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH);
	vcpu->pending |= MVM_PENDING_REINJECT;
}

/**
 * mvm_vmx_interrupt() - KVM_INTERRUPT: an external interrupt
 * @vcpu: the vCPU
 * @vector: its vector; one that waits already is replaced, as in KVM
 */
void mvm_vmx_interrupt(struct mvm_vcpu *vcpu, u8 vector)
{
	vcpu->interrupt = vector;
	vcpu->pending |= MVM_PENDING_INTERRUPT;
}

/**
 * mvm_vmx_nmi() - KVM_NMI: a non-maskable interrupt
 * @vcpu: attached
 *
 * One can be in service or about to be, and one more can wait: SDM Vol. 3,
 * "Handling Multiple NMIs". Further ones are lost.
 */
void mvm_vmx_nmi(struct mvm_vcpu *vcpu)
{
	if (!(vcpu->pending & MVM_PENDING_NMI))
		vcpu->pending |= MVM_PENDING_NMI;
	else if (!(vcpu->pending & MVM_PENDING_NMI_AGAIN) &&
		 !(vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) & VMX_BLOCKING_NMI))
		vcpu->pending |= MVM_PENDING_NMI_2;
}

/**
 * mvm_vmx_ready_for_interrupt() - would an interrupt go in at the next VM entry?
 * @vcpu: attached or loaded
 *
 * Return: true if nothing blocks it and nothing waits before it.
 */
bool mvm_vmx_ready_for_interrupt(struct mvm_vcpu *vcpu)
{
	return !(vcpu->pending & (MVM_PENDING_EXCEPTION | MVM_PENDING_REINJECT |
				  MVM_PENDING_SHUTDOWN | MVM_PENDING_NMI_AGAIN |
				  MVM_PENDING_INTERRUPT)) && !interrupts_blocked();
}

/**
 * mvm_vmx_event_waits() - is there anything that ends HLT?
 * @vcpu: attached or loaded
 *
 * Return: true if an event waits that the next VM entry would deliver.
 */
bool mvm_vmx_event_waits(struct mvm_vcpu *vcpu)
{
	u32 pending = vcpu->pending;

	return pending & (MVM_PENDING_EXCEPTION | MVM_PENDING_REINJECT |
			  MVM_PENDING_NMI_AGAIN | MVM_PENDING_INTERRUPT) ||
	       (pending & NMIS && !nmis_blocked());
}

/**
 * mvm_vmx_get_events() - KVM_GET_VCPU_EVENTS
 * @vcpu: attached
 * @events: filled in
 *
 * An exception that waits counts as injected: CR2, DR6 and RF are as its
 * handler will find them from here on, so that it can be set again as it is
 * told. Software interrupts and exceptions are not told, as in KVM: the
 * instruction is executed again.
 */
void mvm_vmx_get_events(struct mvm_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	u32 blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);

	memset(events, 0, sizeof(*events));
	if (vcpu->apic)
		mvm_apic_take(vcpu, MVM_EVENT_NMI);
	if (vcpu->pending & MVM_PENDING_EXCEPTION) {
		const struct mvm_exception *e = &vcpu->exception;

		apply_payload(vcpu);
		vcpu->reinject = e->vector | VMX_EVENT_HARD_EXCEPTION |
				 (e->has_error ? VMX_EVENT_ERROR_CODE : 0);
		vcpu->reinject_error = e->error;
		vcpu->pending &= ~MVM_PENDING_EXCEPTION;
		vcpu->pending |= MVM_PENDING_REINJECT;
	}
	if (vcpu->pending & MVM_PENDING_REINJECT &&
	    (vcpu->reinject & VMX_EVENT_TYPE) == VMX_EVENT_HARD_EXCEPTION) {
		events->exception.injected = 1;
		events->exception.nr = vcpu->reinject & VMX_EVENT_VECTOR;
		events->exception.has_error_code = !!(vcpu->reinject & VMX_EVENT_ERROR_CODE);
		events->exception.error_code = events->exception.has_error_code ?
					       vcpu->reinject_error : 0;
	}
	events->interrupt.injected = !!(vcpu->pending & MVM_PENDING_INTERRUPT);
	events->interrupt.nr = vcpu->interrupt;
	if (blocking & VMX_BLOCKING_STI)
		events->interrupt.shadow |= KVM_X86_SHADOW_INT_STI;
	if (blocking & VMX_BLOCKING_MOV_SS)
		events->interrupt.shadow |= KVM_X86_SHADOW_INT_MOV_SS;
	events->nmi.injected = !!(vcpu->pending & MVM_PENDING_NMI_AGAIN);
	events->nmi.pending = !!(vcpu->pending & MVM_PENDING_NMI);
	events->nmi.masked = !!(blocking & VMX_BLOCKING_NMI);
	/* There is no SMM, so the vCPU is not in it. */
	events->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
			KVM_VCPUEVENT_VALID_SMM;
}

/**
 * mvm_vmx_set_events() - KVM_SET_VCPU_EVENTS
 * @vcpu: attached
 * @events: the new ones
 *
 * Return: 0, or -EINVAL for what cannot be.
 */
int mvm_vmx_set_events(struct mvm_vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	const u32 known = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
			  KVM_VCPUEVENT_VALID_SIPI_VECTOR | KVM_VCPUEVENT_VALID_SMM;
	u32 blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);
	u8 vector = events->exception.nr;

	if (events->flags & ~known)
		return -EINVAL;
	if (events->exception.injected && (vector > 31 || vector == VMX_VECTOR_NMI))
		return -EINVAL;
	if (events->flags & KVM_VCPUEVENT_VALID_SMM &&
	    (events->smi.smm || events->smi.pending || events->smi.latched_init))
		return -EINVAL;

	vcpu->pending &= ~(MVM_PENDING_EXCEPTION | MVM_PENDING_REINJECT |
			   MVM_PENDING_SHUTDOWN | MVM_PENDING_INTERRUPT |
			   MVM_PENDING_NMI_AGAIN);
	if (events->exception.injected) {
		bool soft = vector == VMX_VECTOR_BP || vector == VMX_VECTOR_OF;

		vcpu->reinject = vector | (soft ? VMX_EVENT_SOFT_EXCEPTION :
						  VMX_EVENT_HARD_EXCEPTION);
		if (events->exception.has_error_code)
			vcpu->reinject |= VMX_EVENT_ERROR_CODE;
		/* SDM Vol. 3, "VM-Entry Controls for Event Injection": 16 bits */
		vcpu->reinject_error = (u16)events->exception.error_code;
		/* INT3 and INTO have one byte. */
		vcpu->reinject_length = 1;
		vcpu->pending |= MVM_PENDING_REINJECT;
	}
	if (events->interrupt.injected)
		mvm_vmx_interrupt(vcpu, events->interrupt.nr);
	if (vcpu->apic && events->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR)
		WRITE_ONCE(vcpu->apic->sipi_vector, events->sipi_vector);
	if (events->nmi.injected)
		vcpu->pending |= MVM_PENDING_NMI_AGAIN;
	if (events->flags & KVM_VCPUEVENT_VALID_NMI_PENDING) {
		vcpu->pending &= ~(MVM_PENDING_NMI | MVM_PENDING_NMI_2);
		if (events->nmi.pending)
			vcpu->pending |= MVM_PENDING_NMI;
	}
	if (events->flags & KVM_VCPUEVENT_VALID_SHADOW) {
		blocking &= ~(VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS);
		/* With both the VM entry would fail. */
		if (events->interrupt.shadow & KVM_X86_SHADOW_INT_MOV_SS)
			blocking |= VMX_BLOCKING_MOV_SS;
		else if (events->interrupt.shadow & KVM_X86_SHADOW_INT_STI)
			blocking |= VMX_BLOCKING_STI;
	}
	blocking &= ~VMX_BLOCKING_NMI;
	if (events->nmi.masked)
		blocking |= VMX_BLOCKING_NMI;
	vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, blocking);
	return 0;
}
