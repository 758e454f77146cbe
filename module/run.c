// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_RUN: the way of one VM exit, as far as it is not VT-x.
 */
#include <linux/kvm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/task_work.h>

#include "compat.h"
#include "mvm.h"
#include "trace.h"
#include "vmx/record.h"
#include "vmx/vmx.h"

/*
 * Does work wait for this thread's return to user space that cannot wait until
 * the guest has something to say? The SIGBUS of a machine check is such work,
 * NUMA balancing, and the throttling of whoever is above memory.high. (Not so
 * restartable sequences, the other user of TIF_NOTIFY_RESUME: each context
 * switch asks for that, and it means nothing in a system call.)
 */
static bool user_work_pending(void)
{
	if (task_work_pending(current))
		return true;
#ifdef CONFIG_MEMCG
	if (current->memcg_nr_pages_over_high)
		return true;
#endif
	return false;
}

/*
 * Have such work done on the way to user space, without the program noticing:
 * with TIF_NOTIFY_SIGNAL the kernel looks for signals after this system call,
 * and if it finds none that has a handler, it makes the call once more.
 *
 * With KVM_SET_SIGNAL_MASK a handler that runs is one whose signal must not end
 * KVM_RUN, for only the owner's mask let it in: the call is made again anyway.
 */
static int do_user_work(struct mvm_vcpu *vcpu)
{
	set_thread_flag(TIF_NOTIFY_SIGNAL);
	vcpu->run->exit_reason = KVM_EXIT_INTR;
	return vcpu->sigset_active ? -ERESTARTNOINTR : -ERESTARTNOHAND;
}

/*
 * Would an interrupt that user space injects now go in? With a local APIC here it
 * comes from user space's PIC.
 */
static bool may_inject(struct mvm_vcpu *vcpu)
{
	return (likely(!vcpu->apic) || mvm_irq_takes_extint(vcpu)) &&
	       mvm_vmx_ready_for_interrupt(vcpu);
}

/*
 * Into the guest until something is user space's to do. A handler that has to
 * sleep leaves the vCPU put; here it is loaded again.
 */
static int run_loop(struct mvm_vcpu *vcpu)
{
	int ret;

	for (;;) {
		if (unlikely(task_sigpending(current))) {
			vcpu->stat.signal_exits++;
			vcpu->run->exit_reason = KVM_EXIT_INTR;
			return -EINTR;
		}
		if (unlikely(signal_pending(current) || user_work_pending()))
			return do_user_work(vcpu);
		if (unlikely(need_resched())) {
			mvm_vmx_put(vcpu);
			cond_resched();
		}
		if (!vcpu->vmx.loaded)
			mvm_vmx_load(vcpu);
		ret = mvm_vmx_run_once(vcpu);
		if (ret != MVM_RESUME)
			return ret;
		/* The interrupt window was asked for: a VM exit opens it. */
		if (unlikely(vcpu->pending & MVM_PENDING_WINDOW) &&
		    vcpu->vmx.loaded && may_inject(vcpu)) {
			vcpu->stat.request_irq_exits++;
			vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
			return 0;
		}
	}
}

/* Return: true if the thread that runs @vcpu has got this one's CPU. */
static bool yield_to_runner(struct mvm_vcpu *vcpu)
{
	struct task_struct *task;
	bool yielded;

	/* One that is loaded has a CPU. */
	if (READ_ONCE(vcpu->vmx.loaded))
		return false;
	/* A thread that has ended meanwhile is freed after a grace period. */
	rcu_read_lock();
	task = READ_ONCE(vcpu->runner);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	if (!task)
		return false;
	/* It knows whether the thread wants to run at all. */
	yielded = yield_to(task, true) > 0;
	put_task_struct(task);
	return yielded;
}

/**
 * mvm_vcpu_yield() - give the CPU to another vCPU of the VM that has none
 * @vcpu: put
 *
 * The guest waits for another vCPU, and nobody knows which. Each begins with the
 * next after its own, so that those who wait together try different ones.
 *
 * Context: process context, in KVM_RUN.
 */
void mvm_vcpu_yield(struct mvm_vcpu *vcpu)
{
	struct mvm_vcpu *other;
	unsigned long id;

	xa_for_each_start(&vcpu->vm->vcpus, id, other, vcpu->id + 1)
		if (yield_to_runner(other))
			return;
	xa_for_each(&vcpu->vm->vcpus, id, other)
		if (other == vcpu || yield_to_runner(other))
			return;
}

/* Put the vCPU, and tell in kvm_run what every return tells. */
static void tell_user(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	bool loaded = vcpu->vmx.loaded;

	if (!loaded)
		mvm_vmx_attach(vcpu);
	run->if_flag = mvm_vmx_interrupt_flag(vcpu);
	/* With a PIC here there is nothing for user space to inject. */
	run->ready_for_interrupt_injection = (vcpu->apic && vcpu->vm->chips) ||
					     may_inject(vcpu);
	if (loaded)
		mvm_vmx_put(vcpu);
	else
		mvm_vmx_detach(vcpu);
	run->cr8 = mvm_apic_get_cr8(vcpu);
	run->apic_base = vcpu->msrs.apic_base;
	run->flags = 0;
}

/* What user space says of interrupts when it keeps the PIC; CR8 is the local APIC's */
static int take_interrupt_wishes(struct mvm_vcpu *vcpu)
{
	u64 cr8 = READ_ONCE(vcpu->run->cr8);

	if (likely(!vcpu->apic)) {
		if (cr8 & ~0xfULL)
			return -EINVAL;
		vcpu->cr8 = cr8;
	}
	if (READ_ONCE(vcpu->run->request_interrupt_window))
		vcpu->pending |= MVM_PENDING_WINDOW;
	else
		vcpu->pending &= ~MVM_PENDING_WINDOW;
	return 0;
}

/* Apart, as trace_entry() in vmx/exit.c */
static noinline void trace_end(const struct mvm_vcpu *vcpu, int ret)
{
	trace_minivmm_userspace_exit(READ_ONCE(vcpu->run->exit_reason), ret);
}

/**
 * mvm_vcpu_run() - KVM_RUN
 * @vcpu: the vCPU, its mutex held, by a thread of the owner
 *
 * Return: 0 with kvm_run filled in; -EINTR for a signal or immediate_exit;
 * -EINVAL for a kvm_run that asks for what is not there; -EAGAIN if a vCPU that
 * was UNINITIALIZED no longer is; other errnos of guest memory that cannot be
 * had. The errnos of do_user_work() are for the kernel: user space never sees
 * them.
 */
int mvm_vcpu_run(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int (*complete)(struct mvm_vcpu *vcpu) = vcpu->complete;
	int ret;

	ret = mvm_vcpu_take_regs(vcpu);
	if (ret)
		return ret;
	if (likely(!vcpu->apic) || !vcpu->vm->chips) {
		ret = take_interrupt_wishes(vcpu);
		if (ret)
			return ret;
	}
	/*
	 * In real_blocked the owner's mask keeps a signal that is let in only
	 * here from killing the owner before it could look at it.
	 */
	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);

	mvm_times_enter(vcpu, MVM_MODE_USER, MVM_MODE_ROOT);
	ret = MVM_RESUME;
	WRITE_ONCE(vcpu->runner, current);
	mvm_vmx_load(vcpu);
	if (complete) {
		vcpu->complete = NULL;
		ret = complete(vcpu);
	}
	if (ret == MVM_RESUME)
		ret = mvm_compat_immediate_exit(run) ? -EINTR : run_loop(vcpu);
	WRITE_ONCE(vcpu->runner, NULL);
	if (unlikely(vcpu->observe & MVM_OBSERVE_TRACE))
		mvm_vmx_record_user(vcpu, ret);
	tell_user(vcpu);
	mvm_vcpu_show_regs(vcpu);
	if (vcpu->sigset_active) {
		sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
		sigemptyset(&current->real_blocked);
	}
	mvm_times_enter(vcpu, MVM_MODE_ROOT, MVM_MODE_USER);
	if (trace_minivmm_userspace_exit_enabled())
		trace_end(vcpu, ret);
	return ret;
}
