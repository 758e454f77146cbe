// SPDX-License-Identifier: GPL-2.0
/*
 * What a vCPU does with an in-kernel local APIC beside running: sleeping in
 * HLT, waiting to be started, and hearing of what others have for it.
 *
 * Others (the IPIs of another vCPU, a timer, KVM_SIGNAL_MSI) do not touch the
 * vCPU. They leave their message, set bits in mvm_vcpu::events, and see to it
 * that the vCPU looks there:
 *
 *	sender				vCPU
 *	message (vector, SIPI vector)	asleep:	on the wait queue
 *	events |= bits			running: loaded = true
 *	full barrier			full barrier
 *	asleep? wake it			events? take them, then the messages
 *	loaded? interrupt its CPU	sleep, or enter the guest
 *
 * Each side writes its own word before it reads the other's, with a full
 * barrier in between: so either the sender sees that the vCPU sleeps or is
 * loaded, or the vCPU sees the events. The vCPU's last look is behind
 * local_irq_disable(), in mvm_vmx_run_once(): an interrupt sent after it stays
 * pending until the VM entry, and makes the guest exit at once.
 *
 * The sender's barrier is the locked instruction that sets the bits. Those of
 * the vCPU are in mvm_vmx_load() and in set_current_state() of wait_event. A
 * sender that reads an old mvm_vmx_vcpu::cpu interrupts the wrong CPU; then the
 * vCPU has written the new one after that, and its barrier and its look are yet
 * to come.
 *
 * A vCPU that is in a handler, not in the guest, is interrupted for nothing.
 * That is the price of a VM entry that writes no word for this.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "../compat.h"
#include "../mvm.h"
#include "../trace.h"
#include "../vmx/vmx.h"
#include "irqchip.h"

static void set_state(struct mvm_vcpu *vcpu, u32 state)
{
	vcpu->mp_state = state;
	if (state == KVM_MP_STATE_RUNNABLE)
		vcpu->pending &= ~MVM_PENDING_WAIT;
	else
		vcpu->pending |= MVM_PENDING_WAIT;
}

/**
 * mvm_apic_create() - give a new vCPU its local APIC
 * @vcpu: known to nobody yet; nothing happens if its VM has no irqchip
 *
 * Return: 0 or -ENOMEM.
 */
int mvm_apic_create(struct mvm_vcpu *vcpu)
{
	struct mvm_apic *apic;

	if (!vcpu->vm->irqchip)
		return 0;
	apic = kzalloc(sizeof(*apic), GFP_KERNEL_ACCOUNT);
	if (!apic)
		return -ENOMEM;
	apic->lapic.regs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!apic->lapic.regs) {
		kfree(apic);
		return -ENOMEM;
	}
	apic->vcpu = vcpu;
	apic->extint = -1;
	init_waitqueue_head(&apic->wait);
	vcpu->apic = apic;
	mvm_apic_init(apic);
	/* All but the boot processor wait until somebody starts them. */
	set_state(vcpu, vcpu->id == vcpu->vm->bsp_id ? KVM_MP_STATE_RUNNABLE :
							KVM_MP_STATE_UNINITIALIZED);
	return 0;
}

/**
 * mvm_apic_destroy() - undo mvm_apic_create()
 * @vcpu: used by nobody any more
 *
 * May sleep.
 */
void mvm_apic_destroy(struct mvm_vcpu *vcpu)
{
	if (!vcpu->apic)
		return;
	hrtimer_cancel(&vcpu->apic->timer);
	free_page((unsigned long)vcpu->apic->lapic.regs);
	kfree(vcpu->apic);
}

static void kick(struct mvm_vcpu *vcpu)
{
	int cpu;

	if (vcpu->apic && wq_has_sleeper(&vcpu->apic->wait))
		wake_up(&vcpu->apic->wait);
	if (!READ_ONCE(vcpu->vmx.loaded))
		return;
	/* Without preemption no CPU goes offline. */
	preempt_disable();
	cpu = READ_ONCE(vcpu->vmx.cpu);
	/* On this CPU it is not in the guest, and it looks before it is. */
	if (cpu >= 0 && cpu != smp_processor_id() && cpu_online(cpu))
		smp_send_reschedule(cpu);
	preempt_enable();
}

/**
 * mvm_apic_post() - tell a vCPU of something
 * @vcpu: one with a local APIC; MVM_EVENT_CLOCK is for all
 * @events: MVM_EVENT_*; what belongs to them is in its place already
 *
 * Context: any, hard interrupts too.
 */
void mvm_apic_post(struct mvm_vcpu *vcpu, u32 events)
{
	atomic_or(events, &vcpu->events);
	/* Before the look at whether it sleeps or is loaded: see the top of this file. */
	smp_mb__after_atomic();
	kick(vcpu);
}

/* Take the events of @mask. The vCPU is attached or loaded. Return: which there were. */
static u32 take_events(struct mvm_vcpu *vcpu, u32 mask)
{
	/* A full barrier: what belongs to them is read after this. */
	u32 events = atomic_fetch_andnot(mask, &vcpu->events) & mask;

	if (events & MVM_EVENT_TIMER)
		mvm_apic_timer_expired(vcpu);
	if (events & MVM_EVENT_INTERRUPT) {
		mvm_lapic_collect(&vcpu->apic->lapic);
		vcpu->pending |= MVM_PENDING_APIC;
	}
	if (events & MVM_EVENT_NMI)
		mvm_vmx_nmi(vcpu);
	if (events & MVM_EVENT_CLOCK)
		vcpu->pending |= MVM_PENDING_CLOCK;
	/* SDM Vol. 3, "MP Initialization Protocol Algorithm" */
	if (events & MVM_EVENT_INIT) {
		mvm_apic_reset(vcpu);
		mvm_vmx_init_vcpu(vcpu);
		set_state(vcpu, vcpu->msrs.apic_base & MVM_APIC_BASE_BSP ?
			  KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_INIT_RECEIVED);
		/* LINT0 may let the PIC's interrupts pass now. */
		vcpu->pending |= MVM_PENDING_APIC;
	}
	if (events & MVM_EVENT_SIPI && vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED) {
		mvm_vmx_startup(vcpu, READ_ONCE(vcpu->apic->sipi_vector));
		set_state(vcpu, KVM_MP_STATE_RUNNABLE);
	}
	return events;
}

/**
 * mvm_apic_take() - what others sent takes effect
 * @vcpu: attached
 * @events: MVM_EVENT_* that matter to the caller
 */
void mvm_apic_take(struct mvm_vcpu *vcpu, u32 events)
{
	take_events(vcpu, events);
}

/* Is there anything that ends HLT? The vCPU is loaded. */
static bool leaves_halt(struct mvm_vcpu *vcpu)
{
	if (mvm_vmx_event_waits(vcpu))
		return true;
	return (mvm_irq_extint_waits(vcpu) || mvm_lapic_pending(&vcpu->apic->lapic) >= 0) &&
	       mvm_vmx_ready_for_interrupt(vcpu);
}

/**
 * mvm_apic_work() - do what the VM entry has to wait for
 * @vcpu: loaded; put, if it had to sleep
 *
 * Takes the events, and sleeps until the vCPU has something to run for, or its
 * thread gets a signal.
 *
 * Return: MVM_RESUME, and what is next is looked at anew; MVM_TO_USER if user space
 * has the I/O APIC and is to see an EOI; -EAGAIN when a vCPU
 * that was UNINITIALIZED has been sent an INIT or SIPI: as in KVM, KVM_RUN is to
 * be called again.
 */
int mvm_apic_work(struct mvm_vcpu *vcpu)
{
	bool uninitialized = vcpu->mp_state == KVM_MP_STATE_UNINITIALIZED;
	u32 events = take_events(vcpu, ~0U);
	enum mvm_mode mode;
	u64 start = 0;

	if (uninitialized && events & (MVM_EVENT_INIT | MVM_EVENT_SIPI))
		return -EAGAIN;
	if (vcpu->pending & MVM_PENDING_EOI) {
		vcpu->pending &= ~MVM_PENDING_EOI;
		vcpu->run->exit_reason = KVM_EXIT_IOAPIC_EOI;
		vcpu->run->eoi.vector = vcpu->apic->eoi_vector;
		return MVM_TO_USER;
	}
	if (!(vcpu->pending & MVM_PENDING_WAIT))
		return MVM_RESUME;
	if (vcpu->mp_state == KVM_MP_STATE_HALTED && leaves_halt(vcpu)) {
		set_state(vcpu, KVM_MP_STATE_RUNNABLE);
		return MVM_RESUME;
	}
	mvm_vmx_put(vcpu);
	if (trace_minivmm_vcpu_wakeup_enabled())
		start = ktime_get_ns();
	/*
	 * Interrupted or not: the run loop looks at signals before all else, and
	 * then comes here again. It may be to sleep on: an event need not matter.
	 */
	mode = vcpu->mp_state == KVM_MP_STATE_HALTED ? MVM_MODE_HALT : MVM_MODE_WAIT;
	mvm_times_enter(vcpu, MVM_MODE_ROOT, mode);
	if (!wait_event_interruptible(vcpu->apic->wait, atomic_read(&vcpu->events)) &&
	    mode == MVM_MODE_HALT)
		vcpu->stat.halt_wakeup++;
	mvm_times_enter(vcpu, mode, MVM_MODE_ROOT);
	if (start)
		trace_minivmm_vcpu_wakeup(ktime_get_ns() - start);
	return MVM_RESUME;
}

/**
 * mvm_apic_halt() - HLT
 * @vcpu: one with a local APIC; it sleeps before the next VM entry
 */
void mvm_apic_halt(struct mvm_vcpu *vcpu)
{
	set_state(vcpu, KVM_MP_STATE_HALTED);
}

/**
 * mvm_get_mp_state() - KVM_GET_MP_STATE
 * @vcpu: the vCPU, its mutex held, not loaded
 *
 * An INIT or SIPI that was sent takes effect first, as in KVM.
 *
 * Return: KVM_MP_STATE_*.
 */
u32 mvm_get_mp_state(struct mvm_vcpu *vcpu)
{
	if (vcpu->apic) {
		mvm_vmx_attach(vcpu);
		take_events(vcpu, MVM_EVENT_INIT | MVM_EVENT_SIPI);
		mvm_vmx_detach(vcpu);
	}
	return vcpu->mp_state;
}

/**
 * mvm_set_mp_state() - KVM_SET_MP_STATE
 * @vcpu: the vCPU, its mutex held, not loaded
 * @state: KVM_MP_STATE_*
 *
 * Return: 0; -EINVAL for a state that is not there: without interrupt
 * controllers in the kernel a vCPU is always RUNNABLE, since user space says
 * when it runs.
 */
int mvm_set_mp_state(struct mvm_vcpu *vcpu, u32 state)
{
	switch (state) {
	case KVM_MP_STATE_RUNNABLE:
		break;
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_HALTED:
	case KVM_MP_STATE_SIPI_RECEIVED:
		if (!vcpu->apic)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (state == KVM_MP_STATE_SIPI_RECEIVED) {
		/* The vector is the one that was sent last, or user space's. */
		set_state(vcpu, KVM_MP_STATE_INIT_RECEIVED);
		atomic_or(MVM_EVENT_SIPI, &vcpu->events);
		return 0;
	}
	set_state(vcpu, state);
	return 0;
}
