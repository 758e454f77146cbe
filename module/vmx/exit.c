// SPDX-License-Identifier: GPL-2.0
/*
 * One VM entry, the VM exit that ends it, and the table of handlers.
 */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/perf_event.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "../compat.h"
#include "../mvm.h"
#include "../trace.h"
#include "dump.h"
#include "guest.h"
#include "operation.h"
#include "record.h"
#include "vmcs.h"
#include "vmx.h"

#define REASON_NAME(name, number, words)	\
	[number] = words,
const char * const mvm_vmx_reason_names[VMX_NR_REASONS] = {
	VMX_REASONS(REASON_NAME)
};

/*
 * VM exits that can happen while an event is delivered: SDM Vol. 3,
 * "Information for VM Exits That Occur During Event Delivery". Only these are
 * worth the VMREAD that looks.
 */
#define REASONS_OF_DELIVERY						\
	(BIT_ULL(VMX_REASON_EXCEPTION_NMI) |				\
	 BIT_ULL(VMX_REASON_TRIPLE_FAULT) |				\
	 BIT_ULL(VMX_REASON_TASK_SWITCH) |				\
	 BIT_ULL(VMX_REASON_EPT_VIOLATION) |				\
	 BIT_ULL(VMX_REASON_EPT_MISCONFIGURATION) |			\
	 BIT_ULL(VMX_REASON_PML_FULL))

/*
 * Interrupts came and were served as soon as they were on again. A guest that
 * never exits but for them must not hold up RCU's grace periods; here nobody
 * is in a reader's section.
 */
static int handle_external_interrupt(struct mvm_vcpu *vcpu)
{
	local_irq_disable();
	rcu_note_context_switch(false);
	local_irq_enable();
	return MVM_RESUME;
}

/* What waited in mvm_vmx_deliver() can go in now. */
static int handle_interrupt_window(struct mvm_vcpu *vcpu)
{
	vmcs_clear32(VMCS_CPU_CONTROLS, VMX_CPU_INTERRUPT_WINDOW);
	return MVM_RESUME;
}

static int handle_nmi_window(struct mvm_vcpu *vcpu)
{
	vmcs_clear32(VMCS_CPU_CONTROLS, VMX_CPU_NMI_WINDOW);
	return MVM_RESUME;
}

static int shutdown(struct mvm_vcpu *vcpu)
{
	vcpu->pending &= ~(MVM_PENDING_EXCEPTION | MVM_PENDING_REINJECT |
			   MVM_PENDING_SHUTDOWN);
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return MVM_TO_USER;
}

static int handle_hlt(struct mvm_vcpu *vcpu)
{
	mvm_vmx_skip(vcpu, vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH));
	if (vcpu->apic) {
		mvm_apic_halt(vcpu);
		return MVM_RESUME;
	}
	/*
	 * The interrupt controllers are user space's: it knows when to go on. The
	 * end of a single step is not told any more then, as in KVM.
	 */
	vcpu->pending &= ~MVM_PENDING_STEPPED;
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return MVM_TO_USER;
}

/*
 * A loop of PAUSEs: it waits for what another vCPU has to do. The VM exit comes
 * before the PAUSE, which would only exit again.
 */
static int handle_pause(struct mvm_vcpu *vcpu)
{
	mvm_vmx_skip(vcpu, vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH));
	mvm_vmx_put(vcpu);
	mvm_vcpu_yield(vcpu);
	return MVM_RESUME;
}

static int handle_rdpmc(struct mvm_vcpu *vcpu)
{
	/* There are no counters, so any number in ECX is out of range. */
	return mvm_vmx_inject_gp(vcpu);
}

/* What the host could not map is not a guest's memory, and no device either. */
static int handle_ept_misconfiguration(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	WARN_ONCE(1, "EPT misconfiguration at 0x%llx\n",
		  vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS));
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 2;
	run->internal.data[0] = VMX_REASON_EPT_MISCONFIGURATION;
	run->internal.data[1] = vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS);
	return MVM_TO_USER;
}

/*
 * One handler for each reason. Each is called with the vCPU loaded, preemption
 * off and interrupts on; it may call mvm_vmx_put() and then sleep, but not
 * VMREAD any more. Answers: MVM_RESUME, MVM_TO_USER (with vcpu->run filled
 * in), or a negative errno. What is not in the table goes to user space as
 * KVM_EXIT_UNKNOWN.
 */
static int (* const handlers[VMX_NR_REASONS])(struct mvm_vcpu *vcpu) = {
	[VMX_REASON_EXCEPTION_NMI]	= mvm_handle_exception_nmi,
	[VMX_REASON_EXTERNAL_INTERRUPT]	= handle_external_interrupt,
	[VMX_REASON_TRIPLE_FAULT]	= shutdown,
	[VMX_REASON_INTERRUPT_WINDOW]	= handle_interrupt_window,
	[VMX_REASON_NMI_WINDOW]		= handle_nmi_window,
	[VMX_REASON_CPUID]		= mvm_handle_cpuid,
	[VMX_REASON_HLT]		= handle_hlt,
	/* No device of a guest sees memory behind the caches. */
	[VMX_REASON_INVD]		= mvm_vmx_skip_and_resume,
	[VMX_REASON_WBINVD]		= mvm_vmx_skip_and_resume,
	[VMX_REASON_RDPMC]		= handle_rdpmc,
	[VMX_REASON_CR_ACCESS]		= mvm_handle_cr_access,
	[VMX_REASON_DR_ACCESS]		= mvm_handle_dr_access,
	[VMX_REASON_IO_INSTRUCTION]	= mvm_handle_io,
	[VMX_REASON_RDMSR]		= mvm_handle_rdmsr,
	[VMX_REASON_WRMSR]		= mvm_handle_wrmsr,
	[VMX_REASON_XSETBV]		= mvm_handle_xsetbv,
	[VMX_REASON_PAUSE]		= handle_pause,
	[VMX_REASON_TPR_BELOW_THRESHOLD] = mvm_handle_tpr_below_threshold,
	[VMX_REASON_VIRTUALIZED_EOI]	= mvm_handle_virtualized_eoi,
	[VMX_REASON_APIC_WRITE]		= mvm_handle_apic_write,
	[VMX_REASON_EPT_VIOLATION]	= mvm_handle_ept_violation,
	[VMX_REASON_PML_FULL]		= mvm_handle_pml_full,
	[VMX_REASON_EPT_MISCONFIGURATION] = handle_ept_misconfiguration,
	/* CPUID shows none of these: they are invalid opcodes. */
	[VMX_REASON_GETSEC]		= mvm_vmx_inject_ud,
	[VMX_REASON_MWAIT]		= mvm_vmx_inject_ud,
	[VMX_REASON_MONITOR]		= mvm_vmx_inject_ud,
	[VMX_REASON_ENCLS]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMCALL]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMCLEAR]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMLAUNCH]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMPTRLD]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMPTRST]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMREAD]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMRESUME]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMWRITE]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMXOFF]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMXON]		= mvm_vmx_inject_ud,
	[VMX_REASON_INVEPT]		= mvm_vmx_inject_ud,
	[VMX_REASON_INVVPID]		= mvm_vmx_inject_ud,
	[VMX_REASON_VMFUNC]		= mvm_vmx_inject_ud,
};

/*
 * perf's counters stop in the guest: VM entry and exit switch
 * IA32_PERF_GLOBAL_CTRL. perf schedules them in interrupts, too.
 *
 * A PEBS record goes to a linear address of the host, and the CPU may write it
 * late: after the VM entry, into the guest's memory at that address. Not all
 * CPUs guard against it, so no record is armed when the guest is entered. (An
 * NMI right here can arm them again; what is left is the time to VMLAUNCH.)
 */
static void stop_counters(struct mvm_vcpu *vcpu)
{
	u64 global_ctrl = mvm_rdmsr(MSR_CORE_PERF_GLOBAL_CTRL);

	if (unlikely(global_ctrl != vcpu->vmx.host_global_ctrl)) {
		vcpu->vmx.host_global_ctrl = global_ctrl;
		vmcs_write64(VMCS_HOST_PERF_GLOBAL_CTRL, global_ctrl);
	}
	if (global_ctrl && static_cpu_has(X86_FEATURE_PEBS)) {
		rdmsrl(MSR_IA32_PEBS_ENABLE, vcpu->vmx.host_pebs);
		if (vcpu->vmx.host_pebs)
			wrmsrl(MSR_IA32_PEBS_ENABLE, 0);
	}
}

/*
 * The host's CR3 and CR4 can change whenever interrupts are on, and so can
 * IA32_DEBUGCTL: perf starts and stops branch recording by an interrupt. Its
 * CR0 never does.
 */
static void refresh_host_state(struct mvm_vcpu *vcpu)
{
	unsigned long cr3 = __read_cr3(), cr4 = __read_cr4();

	if (unlikely(cr3 != vcpu->vmx.host_cr3)) {
		vcpu->vmx.host_cr3 = cr3;
		vmcs_writel(VMCS_HOST_CR3, cr3);
	}
	if (unlikely(cr4 != vcpu->vmx.host_cr4)) {
		vcpu->vmx.host_cr4 = cr4;
		vmcs_writel(VMCS_HOST_CR4, cr4);
	}
	/* A VM exit clears it: SDM Vol. 3, "Loading Host State". */
	vcpu->vmx.host_debugctl = mvm_rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (mvm_vmx.entry & VMX_ENTRY_LOAD_PERF &&
	    static_cpu_has(X86_FEATURE_ARCH_PERFMON))
		stop_counters(vcpu);
}

/*
 * Give the kernel back what it needs in its next interrupt handler, and what
 * the VM exit or the way to the VM entry changed. No VMREAD: this is also the
 * way back from an entry that failed.
 */
static void restore_host_debug(struct mvm_vcpu *vcpu)
{
	if (unlikely(vcpu->vmx.host_debugctl))
		update_debugctlmsr(vcpu->vmx.host_debugctl);
	if (unlikely(vcpu->vmx.host_pebs)) {
		wrmsrl(MSR_IA32_PEBS_ENABLE, vcpu->vmx.host_pebs);
		vcpu->vmx.host_pebs = 0;
	}
	/* The VM exit, or mvm_vmx_deliver(), left DR7 with nothing enabled. */
	if (unlikely(hw_breakpoint_active()))
		mvm_compat_restore_breakpoints();
}

/*
 * NMIs and machine checks that exited belong to the host. NMIs are blocked
 * since the VM exit, until the IRET of the handler: the host sees this one as
 * if it had come by itself. Interrupts are still off.
 */
static void hand_to_host(struct mvm_vcpu *vcpu)
{
	u32 event = vmcs_read32(VMCS_EXIT_EVENT);

	if ((event & VMX_EVENT_TYPE) == VMX_EVENT_NMI)
		asm volatile("int $2");
	else if ((event & VMX_EVENT_VECTOR) == VMX_VECTOR_MC)
		mvm_compat_machine_check();
}

/* A rule about the guest's state, or about what VM entry loads, is broken. */
static const char *failed_exit(u32 reason)
{
	switch (reason & VMX_REASON_BASIC) {
	case VMX_REASON_INVALID_GUEST_STATE:
		return "invalid guest state";
	case VMX_REASON_MSR_LOADING:
		return "MSR loading";
	case VMX_REASON_MACHINE_CHECK:
		return "machine check";
	}
	return "unknown reason";
}

static int entry_failed(struct mvm_vcpu *vcpu, u64 reason, const char *why)
{
	struct kvm_run *run = vcpu->run;

	mvm_vmx_explain(vcpu, reason, why);
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = reason;
	run->fail_entry.cpu = vcpu->vmx.cpu;
	/* What was to be injected waits for a VM entry that succeeds. */
	vmcs_write32(VMCS_ENTRY_EVENT, 0);
	return MVM_TO_USER;
}

/* Apart: they would take registers from mvm_vmx_run_once() also when nobody traces. */
static noinline void trace_entry(const struct mvm_vcpu *vcpu)
{
	trace_minivmm_entry(vcpu);
}

static noinline void trace_exit(const struct mvm_vcpu *vcpu, u32 reason)
{
	trace_minivmm_exit(vcpu, reason);
}

/* What work_before_entry() answers beside what an exit handler does */
#define ENTER_GUEST	2

#define WORK_BEFORE_ENTRY						\
	(MVM_PENDING_SHUTDOWN | MVM_PENDING_STOP | MVM_PENDING_STEPPED |	\
	 MVM_PENDING_CLOCK | MVM_PENDING_WAIT | MVM_PENDING_EOI)

/*
 * Work for which the VM entry has to wait; what is to be injected goes with it.
 * Interrupts are off, and on again if there is such work.
 */
static int work_before_entry(struct mvm_vcpu *vcpu)
{
	if (!(vcpu->pending & WORK_BEFORE_ENTRY) && !atomic_read(&vcpu->events))
		return ENTER_GUEST;
	local_irq_enable();
	if (vcpu->pending & MVM_PENDING_SHUTDOWN)
		return shutdown(vcpu);
	if (vcpu->pending & MVM_PENDING_STOP) {
		vcpu->pending &= ~MVM_PENDING_STOP;
		vcpu->run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	if (vcpu->pending & MVM_PENDING_STEPPED) {
		vcpu->pending &= ~MVM_PENDING_STEPPED;
		return mvm_vmx_debug_exit(vcpu, VMX_VECTOR_DB, DR_STEP);
	}
	if (vcpu->pending & MVM_PENDING_CLOCK)
		return mvm_clock_update(vcpu);
	return mvm_apic_work(vcpu);
}

/* Secrets of the host may be in the L1D cache (CVE-2018-3646). */
static void flush_l1d(struct mvm_vcpu *vcpu)
{
	if (mvm_vmx_l1d_on_load && mvm_compat_interrupt_ran())
		vcpu->vmx.flush_l1d = true;
	if (likely(!vcpu->vmx.flush_l1d))
		return;
	vcpu->vmx.flush_l1d = mvm_vmx_l1d_always;
	vcpu->stat.l1d_flush++;
	mvm_vmx_flush_l1d();
}

/**
 * mvm_vmx_run_once() - enter the guest and handle the VM exit
 * @vcpu: loaded; on return it may have been put
 *
 * Return: as an exit handler. MVM_RESUME without a VM entry if a signal or
 * another task wants the CPU.
 */
int mvm_vmx_run_once(struct mvm_vcpu *vcpu)
{
	u32 reason, done = 0;
	bool failed;
	int ret;

	local_irq_disable();
	/*
	 * After this look whoever wants us sends an interrupt, and that makes
	 * the guest exit at once.
	 */
	if (unlikely(need_resched() || signal_pending(current))) {
		local_irq_enable();
		return MVM_RESUME;
	}
	if (unlikely(READ_ONCE(mvm_vmx_going_down))) {
		local_irq_enable();
		/* Loading it again never returns. */
		mvm_vmx_put(vcpu);
		return MVM_RESUME;
	}
	if (unlikely(READ_ONCE(vcpu->work))) {
		ret = work_before_entry(vcpu);
		if (ret != ENTER_GUEST)
			return ret;
		done = mvm_vmx_deliver(vcpu);
	}
	if (trace_minivmm_entry_enabled())
		trace_entry(vcpu);
	if (unlikely(vcpu->observe & MVM_OBSERVE_TRACE))
		mvm_vmx_record_entry(vcpu);
	refresh_host_state(vcpu);
	/* Late: what is touched after it stays in the cache. */
	flush_l1d(vcpu);
	if (vcpu->cr2 != native_read_cr2())
		native_write_cr2(vcpu->cr2);

	mvm_times_enter(vcpu, MVM_MODE_ROOT, MVM_MODE_GUEST);
	failed = mvm_vmx_enter(&vcpu->enter, vcpu->vmx.launched);
	mvm_times_enter(vcpu, MVM_MODE_GUEST, MVM_MODE_ROOT);
	if (unlikely(failed)) {
		restore_host_debug(vcpu);
		local_irq_enable();
		reason = vmcs_read32(VMCS_INSTRUCTION_ERROR);
		return entry_failed(vcpu, reason, mvm_vmx_instruction_error(reason));
	}

	vcpu->cr2 = native_read_cr2();
	restore_host_debug(vcpu);
	reason = vmcs_read32(VMCS_EXIT_REASON);
	/*
	 * A machine check in the VM entry: no field of the VMCS says more (SDM
	 * Vol. 3, "VM-Entry Failures During or After Loading Guest State").
	 */
	if (unlikely((u16)reason == VMX_REASON_MACHINE_CHECK))
		mvm_compat_machine_check();
	else if (unlikely(reason == VMX_REASON_EXCEPTION_NMI))
		hand_to_host(vcpu);
	if (trace_minivmm_exit_enabled())
		trace_exit(vcpu, reason);
	vcpu->vmx.reason = reason;
	vcpu->nr_exits++;
	/* The time stamp is the VM exit's, not that of an interrupt served first. */
	if (unlikely(vcpu->observe))
		mvm_vmx_observe_exit(vcpu);
	/* An interrupt that made the guest exit is served here. */
	local_irq_enable();

	if (unlikely(reason & VMX_REASON_ENTRY_FAILURE))
		return entry_failed(vcpu, reason, failed_exit(reason));
	vcpu->vmx.launched = true;
	/* The VM entry was complete, and what was injected with it. */
	vcpu->pending &= ~done;

	if (unlikely(reason >= VMX_NR_REASONS || !handlers[reason]))
		goto unknown;
	vcpu->exits[reason]++;
	if (unlikely(reason < 64 && BIT_ULL(reason) & REASONS_OF_DELIVERY))
		mvm_vmx_recover_event(vcpu);
	return handlers[reason](vcpu);

unknown:
	if (reason < VMX_NR_REASONS)
		vcpu->exits[reason]++;
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	vcpu->run->hw.hardware_exit_reason = reason;
	return MVM_TO_USER;
}
