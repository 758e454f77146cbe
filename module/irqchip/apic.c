// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's local APIC at work: its page, its MSRs, its timer, and what it sends
 * to others. What the registers mean is in lapic.c; how a vCPU hears of
 * something in mp.c.
 *
 * The registers belong to the vCPU: they are read and written under its mutex.
 * Senders leave their vectors in mvm_lapic::requested, and the timer's callback
 * only says that it ran. It may do so on any CPU, so the timer does not follow a
 * vCPU that moves: the next write of a deadline or a count starts it where the vCPU is.
 */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../compat.h"
#include "../mvm.h"
#include "../trace.h"
#include "../vmx/vmx.h"
#include "irqchip.h"

static u64 now(void)
{
	return ktime_get_ns();
}

static enum hrtimer_restart timer_fires(struct hrtimer *timer)
{
	struct mvm_apic *apic = container_of(timer, struct mvm_apic, timer);

	mvm_apic_post(apic->vcpu, MVM_EVENT_TIMER);
	if (!apic->period)
		return HRTIMER_NORESTART;
	/* Periods that nobody could serve are left out. */
	hrtimer_forward_now(timer, ns_to_ktime(apic->period));
	return HRTIMER_RESTART;
}

/**
 * mvm_apic_timer_expired() - the timer has come to 0: MVM_EVENT_TIMER
 * @vcpu: one with a local APIC, its mutex held
 */
void mvm_apic_timer_expired(struct mvm_vcpu *vcpu)
{
	if (mvm_lapic_timer_expired(&vcpu->apic->lapic, now()))
		vcpu->pending |= MVM_PENDING_APIC;
}

/* The registers say something else about the timer now. */
static void set_timer(struct mvm_vcpu *vcpu)
{
	struct mvm_apic *apic = vcpu->apic;
	const struct mvm_lapic *l = &apic->lapic;

	hrtimer_cancel(&apic->timer);
	/* What it was to say is not true any more. */
	atomic_andnot(MVM_EVENT_TIMER, &vcpu->events);
	if (l->timer_target && l->timer_target <= now())
		mvm_apic_timer_expired(vcpu);
	if (!l->timer_target)
		return;
	apic->period = mvm_lapic_reg(l, MVM_APIC_LVT_TIMER) & MVM_APIC_LVT_PERIODIC ?
		       l->timer_period : 0;
	hrtimer_start(&apic->timer, ns_to_ktime(l->timer_target), HRTIMER_MODE_ABS_HARD);
}

/**
 * mvm_apic_init() - power-on reset
 * @apic: zero but for @vcpu
 */
void mvm_apic_init(struct mvm_apic *apic)
{
	apic->lapic.id = apic->vcpu->id;
	mvm_lapic_set_base(&apic->lapic, apic->vcpu->msrs.apic_base);
	mvm_lapic_reset(&apic->lapic);
	mvm_compat_hrtimer_setup(&apic->timer, timer_fires);
}

/**
 * mvm_apic_reset() - INIT
 * @vcpu: one with a local APIC, its mutex held
 */
void mvm_apic_reset(struct mvm_vcpu *vcpu)
{
	mvm_lapic_reset(&vcpu->apic->lapic);
	set_timer(vcpu);
	vcpu->pending |= MVM_PENDING_APIC;
}

/**
 * mvm_apic_set_base() - change IA32_APIC_BASE
 * @vcpu: the vCPU, attached or loaded
 * @base: the new value, valid
 */
void mvm_apic_set_base(struct mvm_vcpu *vcpu, u64 base)
{
	vcpu->msrs.apic_base = base;
	if (!vcpu->apic)
		return;
	mvm_lapic_set_base(&vcpu->apic->lapic, base);
	mvm_vmx_set_x2apic(vcpu);
	/* One that is switched on may have something in IRR. */
	vcpu->pending |= MVM_PENDING_APIC;
}

/* When the guest's TSC will be at its deadline, in ns; the past if it has been */
static u64 target_of(const struct mvm_vcpu *vcpu, u64 deadline)
{
	unsigned long flags;
	u64 tsc, ns;

	/* What comes between the two would make it late. */
	local_irq_save(flags);
	tsc = rdtsc() + vcpu->clock.tsc_offset;
	ns = now();
	local_irq_restore(flags);
	return ns + (deadline > tsc ? mvm_clock_ns(vcpu->vm->clock.rate, deadline - tsc) : 0);
}

static void set_deadline(struct mvm_vcpu *vcpu, u64 deadline)
{
	struct mvm_lapic *l = &vcpu->apic->lapic;
	u64 target = deadline ? target_of(vcpu, deadline) : 0;

	if (mvm_lapic_set_deadline(l, deadline, target))
		set_timer(vcpu);
}

/**
 * mvm_apic_set_deadline() - WRMSR of IA32_TSC_DEADLINE
 * @vcpu: the vCPU, its mutex held
 * @deadline: the TSC when its timer is to expire, or 0
 */
void mvm_apic_set_deadline(struct mvm_vcpu *vcpu, u64 deadline)
{
	if (vcpu->apic)
		set_deadline(vcpu, deadline);
}

/**
 * mvm_apic_get_deadline() - RDMSR of IA32_TSC_DEADLINE
 * @vcpu: the vCPU, its mutex held
 *
 * Return: the TSC when its timer is to expire, or 0; also 0 while the APIC is off.
 */
u64 mvm_apic_get_deadline(const struct mvm_vcpu *vcpu)
{
	if (!vcpu->apic || !mvm_lapic_enabled(&vcpu->apic->lapic))
		return 0;
	return vcpu->apic->lapic.deadline;
}

/**
 * mvm_apic_tsc_changed() - the guest's TSC has another value now
 * @vcpu: the vCPU, its mutex held
 */
void mvm_apic_tsc_changed(struct mvm_vcpu *vcpu)
{
	if (vcpu->apic && vcpu->apic->lapic.deadline)
		set_deadline(vcpu, vcpu->apic->lapic.deadline);
}

/**
 * mvm_apic_get_cr8() - the task priority as CR8 has it
 * @vcpu: the vCPU, its mutex held
 *
 * Return: 0 to 15; without a local APIC what user space set.
 */
u64 mvm_apic_get_cr8(struct mvm_vcpu *vcpu)
{
	if (!vcpu->apic)
		return vcpu->cr8;
	return mvm_lapic_reg(&vcpu->apic->lapic, MVM_APIC_TPR) >> 4 & 0xf;
}

/* Do what a write to a register wants done. */
static void follow(struct mvm_vcpu *vcpu, int actions, struct mvm_lapic_irq *irq)
{
	if (actions & MVM_LAPIC_LOOK)
		vcpu->pending |= MVM_PENDING_APIC;
	if (actions & MVM_LAPIC_TIMER)
		set_timer(vcpu);
	if (actions & MVM_LAPIC_SEND)
		mvm_irqchip_send(vcpu->vm, vcpu, irq);
	if (actions & MVM_LAPIC_EOI)
		mvm_irq_eoi(vcpu, irq->vector, irq->level);
}

/**
 * mvm_apic_set_cr8() - change the task priority through CR8
 * @vcpu: the vCPU, its mutex held
 * @cr8: 0 to 15; with a local APIC other values are ignored, as in KVM
 */
void mvm_apic_set_cr8(struct mvm_vcpu *vcpu, u64 cr8)
{
	if (!vcpu->apic) {
		vcpu->cr8 = cr8;
		return;
	}
	if (cr8 > 0xf)
		return;
	follow(vcpu, mvm_lapic_write(&vcpu->apic->lapic, MVM_APIC_TPR, cr8 << 4, now(), NULL),
	       NULL);
}

/* Others than aligned words are no registers. */
static noinline void trace_page(bool write, u64 gpa, const void *data, u32 len)
{
	if (len == 4 && !(gpa & 0xf))
		trace_minivmm_apic(write, offset_in_page(gpa), *(const u32 *)data);
}

/**
 * mvm_apic_mmio() - an access to memory that is not there
 * @vcpu: the vCPU, its mutex held
 * @gpa: where
 * @data: what is written, or where to put what is read
 * @len: how many bytes, all in one page
 * @write: a write
 *
 * Return: true if the local APIC has answered.
 */
bool mvm_apic_mmio(struct mvm_vcpu *vcpu, u64 gpa, void *data, u32 len, bool write)
{
	struct mvm_lapic_irq irq;
	struct mvm_lapic *l;

	if (likely(!vcpu->apic))
		return false;
	l = &vcpu->apic->lapic;
	if ((gpa ^ l->base) & PAGE_MASK)
		return false;
	if (write) {
		if (trace_minivmm_apic_enabled())
			trace_page(true, gpa, data, len);
		follow(vcpu, mvm_lapic_mmio_write(l, offset_in_page(gpa), now(), data, len,
						  &irq), &irq);
	} else {
		mvm_lapic_mmio_read(l, offset_in_page(gpa), now(), data, len);
		if (trace_minivmm_apic_enabled())
			trace_page(false, gpa, data, len);
	}
	return true;
}

/**
 * mvm_apic_get_msr() - RDMSR of 800H to 8FFH
 * @vcpu: the vCPU, its mutex held
 * @index: the MSR less 800H
 * @value: what it holds
 *
 * Return: 0, or -EINVAL if it is not there.
 */
int mvm_apic_get_msr(struct mvm_vcpu *vcpu, u32 index, u64 *value)
{
	int ret;

	if (!vcpu->apic)
		return -EINVAL;
	ret = mvm_lapic_msr_read(&vcpu->apic->lapic, index, now(), value);
	if (!ret)
		trace_minivmm_apic(0, index << 4, *value);
	return ret;
}

/**
 * mvm_apic_set_msr() - WRMSR of 800H to 8FFH
 * @vcpu: the vCPU, its mutex held
 * @index: the MSR less 800H
 * @value: what it is to hold
 *
 * Return: 0, or -EINVAL if it is not there or cannot hold it.
 */
int mvm_apic_set_msr(struct mvm_vcpu *vcpu, u32 index, u64 value)
{
	struct mvm_lapic_irq irq;
	int actions;

	if (!vcpu->apic)
		return -EINVAL;
	actions = mvm_lapic_msr_write(&vcpu->apic->lapic, index, value, now(), &irq);
	if (actions < 0)
		return actions;
	trace_minivmm_apic(1, index << 4, value);
	follow(vcpu, actions, &irq);
	return 0;
}

/**
 * mvm_apic_eoi_done() - the processor has ended an interrupt
 * @vcpu: one with a local APIC, its mutex held
 * @vector: its vector
 */
void mvm_apic_eoi_done(struct mvm_vcpu *vcpu, u8 vector)
{
	mvm_irq_eoi(vcpu, vector, mvm_lapic_level(&vcpu->apic->lapic, vector));
}

/**
 * mvm_apic_write_done() - the processor has written a register: what else is to be done?
 * @vcpu: one with a local APIC, its mutex held
 * @reg: the register
 */
void mvm_apic_write_done(struct mvm_vcpu *vcpu, u32 reg)
{
	struct mvm_lapic *l = &vcpu->apic->lapic;
	struct mvm_lapic_irq irq;
	int actions = mvm_lapic_write(l, reg, mvm_lapic_reg(l, reg), now(), &irq);

	if (actions > 0)
		follow(vcpu, actions, &irq);
}

/**
 * mvm_apic_get_state() - KVM_GET_LAPIC
 * @vcpu: the vCPU, its mutex held, not loaded
 * @user: struct kvm_lapic_state
 *
 * Return: 0; -EINVAL without a local APIC in the kernel, -ENOMEM, -EFAULT.
 */
int mvm_apic_get_state(struct mvm_vcpu *vcpu, void __user *user)
{
	void *state;
	int ret;

	BUILD_BUG_ON(sizeof(struct kvm_lapic_state) != MVM_LAPIC_STATE_SIZE);

	if (!vcpu->apic)
		return -EINVAL;
	state = kmalloc(MVM_LAPIC_STATE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!state)
		return -ENOMEM;
	mvm_vmx_attach(vcpu);
	mvm_apic_take(vcpu, MVM_EVENT_TIMER | MVM_EVENT_INTERRUPT);
	mvm_vmx_detach(vcpu);
	mvm_lapic_get_state(&vcpu->apic->lapic, now(), state);
	ret = copy_to_user(user, state, MVM_LAPIC_STATE_SIZE) ? -EFAULT : 0;
	kfree(state);
	return ret;
}

/**
 * mvm_apic_set_state() - KVM_SET_LAPIC
 * @vcpu: the vCPU, its mutex held, not loaded
 * @user: struct kvm_lapic_state
 *
 * Return: 0; -EINVAL without a local APIC in the kernel, -ENOMEM, -EFAULT.
 */
int mvm_apic_set_state(struct mvm_vcpu *vcpu, const void __user *user)
{
	void *state;

	if (!vcpu->apic)
		return -EINVAL;
	state = memdup_user(user, MVM_LAPIC_STATE_SIZE);
	if (IS_ERR(state))
		return PTR_ERR(state);
	mvm_lapic_set_state(&vcpu->apic->lapic, now(), state);
	set_timer(vcpu);
	vcpu->pending |= MVM_PENDING_APIC;
	kfree(state);
	return 0;
}

/* Return: 1 if the vCPU takes it, 0 if it is lost there. */
static int deliver(struct mvm_vcpu *vcpu, const struct mvm_lapic_irq *irq)
{
	struct mvm_lapic *l = &vcpu->apic->lapic;

	switch (irq->mode) {
	case MVM_APIC_FIXED:
	case MVM_APIC_LOWEST:
		if ((irq->level && !irq->assert) || !mvm_lapic_accepts(l))
			return 0;
		mvm_lapic_request(l, irq->vector, irq->level);
		mvm_apic_post(vcpu, MVM_EVENT_INTERRUPT);
		return 1;
	case MVM_APIC_NMI:
		mvm_apic_post(vcpu, MVM_EVENT_NMI);
		return 1;
	case MVM_APIC_INIT:
		if (irq->level && !irq->assert)
			return 0;
		/* A SIPI that waits was for the time before. */
		atomic_andnot(MVM_EVENT_SIPI, &vcpu->events);
		mvm_apic_post(vcpu, MVM_EVENT_INIT);
		return 1;
	case MVM_APIC_SIPI:
		WRITE_ONCE(vcpu->apic->sipi_vector, irq->vector);
		mvm_apic_post(vcpu, MVM_EVENT_SIPI);
		return 1;
	}
	/*
	 * SMI has nobody here who serves it. ExtINT: as in KVM, the PIC's reach the
	 * processor through LINT0 alone.
	 */
	return 0;
}

/* Of those that match, the one that a vector belongs to: KVM's choice */
static struct mvm_vcpu *choose(struct mvm_vm *vm, struct mvm_lapic *source,
			       const struct mvm_lapic_irq *irq)
{
	struct mvm_vcpu *vcpu;
	unsigned long id;
	u32 n = 0, skip;

	xa_for_each(&vm->vcpus, id, vcpu)
		n += mvm_lapic_matches(&vcpu->apic->lapic, irq, source) &&
		     mvm_lapic_accepts(&vcpu->apic->lapic);
	if (!n)
		return NULL;
	skip = irq->vector % n;
	/* Meanwhile there may be fewer: then it is lost, as one of them would. */
	xa_for_each(&vm->vcpus, id, vcpu)
		if (mvm_lapic_matches(&vcpu->apic->lapic, irq, source) &&
		    mvm_lapic_accepts(&vcpu->apic->lapic) && !skip--)
			return vcpu;
	return NULL;
}

/**
 * mvm_irqchip_send() - send an interrupt message
 * @vm: a VM whose vCPUs have local APICs
 * @source: the vCPU that sends it, or NULL for a device
 * @irq: the message
 *
 * vCPUs are there for good once they are in the VM's table, so no lock is
 * needed.
 *
 * Context: any, hard interrupts too.
 *
 * Return: how many vCPUs took it.
 */
int mvm_irqchip_send(struct mvm_vm *vm, struct mvm_vcpu *source, struct mvm_lapic_irq *irq)
{
	struct mvm_lapic *from = source ? &source->apic->lapic : NULL;
	struct mvm_vcpu *vcpu;
	unsigned long id;
	int ret = 0;

	if (irq->lowest) {
		vcpu = choose(vm, from, irq);
		return vcpu ? deliver(vcpu, irq) : 0;
	}
	xa_for_each(&vm->vcpus, id, vcpu)
		if (mvm_lapic_matches(&vcpu->apic->lapic, irq, from))
			ret += deliver(vcpu, irq);
	return ret;
}

/**
 * mvm_irqchip_msi() - KVM_SIGNAL_MSI
 * @vm: the VM
 * @user: struct kvm_msi
 *
 * Return: how many vCPUs took it; -EINVAL without an irqchip or for an unknown
 * flag, -EFAULT.
 */
int mvm_irqchip_msi(struct mvm_vm *vm, const void __user *user)
{
	struct mvm_lapic_irq irq;
	struct kvm_msi msi;

	if (copy_from_user(&msi, user, sizeof(msi)))
		return -EFAULT;
	if (!READ_ONCE(vm->irqchip) || msi.flags & ~KVM_MSI_VALID_DEVID)
		return -EINVAL;
	mvm_lapic_msi(&irq, msi.address_lo, msi.data);
	return mvm_irqchip_send(vm, NULL, &irq);
}
