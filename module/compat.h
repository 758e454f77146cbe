/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows kernel versions: everything that differs between
 * Linux 6.1 and later, under one name each. Tested by feature where that can
 * be done, for stable kernels take interfaces back from later ones: Debian's
 * 6.12.117 has the syscore_ops of 6.18. What the preprocessor cannot see, Kbuild
 * looks up in the kernel's headers:
 *
 *   MVM_HAVE_SYSCORE   there is struct syscore
 *   MVM_KVM_ONLY       what a hypervisor needs of the kernel is exported to
 *                      KVM's modules alone, found by cr4_update_irqsoff()
 */
#ifndef MVM_COMPAT_H
#define MVM_COMPAT_H

#include <linux/version.h>
#include <asm/cpufeatures.h>

#ifndef __ASSEMBLY__

#include <linux/eventfd.h>
#include <linux/hardirq.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/syscore_ops.h>
/* smp_send_reschedule() is a macro with a trace point there. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <trace/events/ipi.h>
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <asm/cpuid/api.h>
#endif
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/ptrace.h>
#include <asm/reboot.h>
#include <asm/tlbflush.h>

/* Linux 6.16 renamed them: q for 64 bits. */
#ifndef rdmsrl
#define rdmsrl		rdmsrq
#define wrmsrl		wrmsrq
#define rdmsrl_safe	rdmsrq_safe
#define wrmsrl_safe	wrmsrq_safe
#endif

/* Linux 6.8 counts by one only. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define mvm_compat_eventfd_signal(ctx)	eventfd_signal(ctx)
#else
#define mvm_compat_eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#endif

/* Programs still call it, where the header has forgotten it. */
#ifndef KVM_GET_NR_MMU_PAGES
#define KVM_GET_NR_MMU_PAGES		_IO(KVMIO, 0x45)
#endif

/*
 * CR4.VMXE. The kernel writes CR4 from a copy of its own: a bit that it does
 * not know of is cleared by the next write of any other bit, which is a #GP in
 * VMX operation. So it has to be told, and later kernels (7.2 for certain) let
 * nobody but KVM do that, nor take part in their counting of who uses VT-x
 * (x86_virt_get_ref(), from 7.1 on), nor use what else is below. The module
 * builds there, to keep up, but does not load: what stands in for the kernel's
 * functions, here and further down as "second best", never runs.
 */
#ifdef MVM_KVM_ONLY
#define MVM_KERNEL_LENDS_VTX				false
#define mvm_compat_set_vmxe()				do { } while (0)
#define mvm_compat_clear_vmxe()				do { } while (0)
#define mvm_compat_intel_pt(on)				do { } while (0)
#define mvm_compat_register_emergency(callback)		((void)(callback))
#define mvm_compat_unregister_emergency(callback)	((void)(callback))
#define mvm_compat_restore_breakpoints()		do { } while (0)
#define mvm_compat_ibpb()				do { } while (0)
#define mvm_compat_l1tf()				L1TF_MITIGATION_FULL_FORCE
#else
#define MVM_KERNEL_LENDS_VTX				true
#define mvm_compat_set_vmxe()				cr4_set_bits(X86_CR4_VMXE)
#define mvm_compat_clear_vmxe()				cr4_clear_bits(X86_CR4_VMXE)
#define mvm_compat_intel_pt(on)				intel_pt_handle_vmx(on)
#define mvm_compat_register_emergency(callback)		\
	cpu_emergency_register_virt_callback(callback)
#define mvm_compat_unregister_emergency(callback)	\
	cpu_emergency_unregister_virt_callback(callback)
#define mvm_compat_restore_breakpoints()		hw_breakpoint_restore()
#define mvm_compat_ibpb()				indirect_branch_prediction_barrier()
#define mvm_compat_l1tf()				l1tf_mitigation
#endif

/*
 * Suspend and resume of the last CPU: MVM_SYSCORE() defines what
 * mvm_compat_register_syscore() takes; both functions have MVM_SYSCORE_ARG as
 * their only parameter.
 */
#ifdef MVM_HAVE_SYSCORE
#define MVM_SYSCORE_ARG	void *unused
#define MVM_SYSCORE(name, suspend_, resume_)		\
	static const struct syscore_ops name##_ops = {	\
		.suspend = suspend_,			\
		.resume = resume_,			\
	};						\
	static struct syscore name = {			\
		.ops = &name##_ops,			\
	}
#define mvm_compat_register_syscore	register_syscore
#define mvm_compat_unregister_syscore	unregister_syscore
#else
#define MVM_SYSCORE_ARG	void
#define MVM_SYSCORE(name, suspend_, resume_)		\
	static struct syscore_ops name = {		\
		.suspend = suspend_,			\
		.resume = resume_,			\
	}
#define mvm_compat_register_syscore	register_syscore_ops
#define mvm_compat_unregister_syscore	unregister_syscore_ops
#endif

/* Does the kernel deliver events through FRED? */
static inline bool mvm_compat_fred(void)
{
#ifdef X86_FEATURE_FRED
	return cpu_feature_enabled(X86_FEATURE_FRED);
#else
	return false;
#endif
}

/* Later kernels keep KVM from reading it otherwise than as below. */
static inline bool mvm_compat_immediate_exit(const struct kvm_run *run)
{
#ifdef HINT_UNSAFE_IN_KVM
	return READ_ONCE(run->HINT_UNSAFE_IN_KVM(immediate_exit));
#else
	return READ_ONCE(run->immediate_exit);
#endif
}

/*
 * Kernels with the mitigation for VMSCAPE flush the branch predictors on the
 * way to user space when a guest ran on this CPU before.
 */
static inline void mvm_compat_guest_ran(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/*
 * A machine check that the guest ran into belongs to the host, and is to be
 * handled as if the guest were a process: then a poisoned page costs that
 * process its life and not the host. The kernel sees what ran in the CS of the
 * registers: 3 is a user's. Second best: the exception itself, which the kernel
 * takes as its own, and panics where it cannot go on.
 */
static inline void mvm_compat_machine_check(void)
{
#ifdef CONFIG_X86_MCE
#ifdef MVM_KVM_ONLY
	asm volatile("int $18");
#else
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
#endif
#endif
}

/*
 * #AC of a split lock in a guest that did not ask for #AC: the kernel warns or
 * kills as its split_lock_detect= says. May sleep. Second best: nobody can
 * handle it.
 *
 * Return: true if the guest can go on.
 */
static inline bool mvm_compat_split_lock(unsigned long rip)
{
#ifdef MVM_KVM_ONLY
	return false;
#else
	return handle_guest_split_lock(rip);
#endif
}

/*
 * Did an interrupt handler run on this CPU since the last time? Each says so
 * where the kernel was built with KVM for Intel, for its L1TF mitigation.
 * Second best: yes.
 */
static inline bool mvm_compat_interrupt_ran(void)
{
#if IS_ENABLED(CONFIG_KVM_INTEL) && !defined(MVM_KVM_ONLY)
	if (!kvm_get_cpu_l1tf_flush_l1d())
		return false;
	kvm_clear_cpu_l1tf_flush_l1d();
#endif
	return true;
}

/* Linux 6.13 gave it a function that also sets the callback, 6.15 took the old one. */
static inline void mvm_compat_hrtimer_setup(struct hrtimer *timer,
					    enum hrtimer_restart (*function)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	timer->function = function;
#endif
}

/* What an MMU notifier's aging callbacks return: int, in later kernels bool. */
#define mvm_young_t \
	typeof(((struct mmu_notifier_ops *)NULL)->clear_young(NULL, NULL, 0, 0))

/*
 * Take NUMA hinting faults instead of looking through them, or a page that
 * only a guest uses never migrates. Before 6.6 get_user_pages always did; the
 * flag is an enumerator, so the version has to tell.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define MVM_FOLL_NUMA	FOLL_HONOR_NUMA_FAULT
#else
#define MVM_FOLL_NUMA	0
#endif

#else /* __ASSEMBLY__ */

/* Branch history injection: clear the history that the guest left behind. */
.macro MVM_CLEAR_BRANCH_HISTORY
#if defined(MVM_KVM_ONLY)
	/* clear_bhb_loop() is not for us. */
#elif defined(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT) || defined(X86_FEATURE_CLEAR_BHB_VMEXIT)
	CLEAR_BRANCH_HISTORY_VMEXIT
#elif defined(X86_FEATURE_CLEAR_BHB_LOOP)
	CLEAR_BRANCH_HISTORY
#endif
.endm

/* MDS and its kin: overwrite the buffers that the host left its data in. */
.macro MVM_CLEAR_CPU_BUFFERS
#if defined(MVM_KVM_ONLY)
	/* x86_verw_sel is not for us. */
#elif defined(VM_CLEAR_CPU_BUFFERS)
	VM_CLEAR_CPU_BUFFERS
#elif defined(X86_FEATURE_CLEAR_CPU_BUF)
	CLEAR_CPU_BUFFERS
#endif
.endm

#endif /* __ASSEMBLY__ */

#endif
