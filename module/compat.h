/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows kernel versions: everything that differs between
 * Linux 6.1 and later, under one name each. Tested by feature where that can
 * be done.
 */
#ifndef MVM_COMPAT_H
#define MVM_COMPAT_H

#include <linux/version.h>
#include <asm/cpufeatures.h>

#ifndef __ASSEMBLY__

#include <linux/hardirq.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <asm/cpuid/api.h>
#endif
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/ptrace.h>
#include <asm/reboot.h>
#include <asm/tlbflush.h>

/* Does the kernel deliver events through FRED? */
static inline bool mvm_compat_fred(void)
{
#ifdef X86_FEATURE_FRED
	return cpu_feature_enabled(X86_FEATURE_FRED);
#else
	return false;
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
 * From 6.18 on some functions are exported to KVM's own modules alone.
 * Without them minivmm does the second best, which each says.
 */
#define MVM_KVM_ONLY	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0))

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
#if MVM_KVM_ONLY
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
#if MVM_KVM_ONLY
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
#if IS_ENABLED(CONFIG_KVM_INTEL) && !MVM_KVM_ONLY
	if (!kvm_get_cpu_l1tf_flush_l1d())
		return false;
	kvm_clear_cpu_l1tf_flush_l1d();
#endif
	return true;
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
#if defined(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT) || defined(X86_FEATURE_CLEAR_BHB_VMEXIT)
	CLEAR_BRANCH_HISTORY_VMEXIT
#elif defined(X86_FEATURE_CLEAR_BHB_LOOP)
	CLEAR_BRANCH_HISTORY
#endif
.endm

/* MDS and its kin: overwrite the buffers that the host left its data in. */
.macro MVM_CLEAR_CPU_BUFFERS
#if defined(X86_FEATURE_CLEAR_CPU_BUF_VM)
	VM_CLEAR_CPU_BUFFERS
#elif defined(X86_FEATURE_CLEAR_CPU_BUF)
	CLEAR_CPU_BUFFERS
#endif
.endm

#endif /* __ASSEMBLY__ */

#endif
