// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU on a CPU, in two steps.
 *
 * Attached: its VMCS is current here, VMREAD and VMWRITE work. Loaded: also
 * what the VM entry does not exchange is the guest's: FPU, MSRs of SYSCALL,
 * IA32_KERNEL_GS_BASE, IA32_TSC_AUX. Both keep preemption off, so there is no
 * state in between that a context switch would have to know; whoever has to
 * sleep puts the vCPU first, and the run loop loads it again.
 *
 * A VMCS is active on one CPU at a time (SDM Vol. 3, "Software Use of
 * Virtual-Machine Control Structures", 25.1): before another CPU may use it,
 * an interrupt makes the old one VMCLEAR it.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/fsgsbase.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>

#include "../compat.h"
#include "../mvm.h"
#include "operation.h"
#include "vmcs.h"
#include "vmx.h"

/**
 * mvm_vmx_forget() - make a vCPU's VMCS inactive
 * @vcpu: its VMCS is active on this CPU
 *
 * Interrupts are off.
 */
void mvm_vmx_forget(struct mvm_vcpu *vcpu)
{
	struct mvm_cpu *c = this_cpu_ptr(&mvm_cpu);

	mvm_vmcs_clear(vcpu->vmx.vmcs);
	if (c->current_vmcs == vcpu->vmx.vmcs)
		c->current_vmcs = NULL;
	list_del(&vcpu->vmx.link);
	vcpu->vmx.launched = false;
	WRITE_ONCE(vcpu->vmx.cpu, -1);
}

static void forget_here(void *arg)
{
	struct mvm_vcpu *vcpu = arg;

	/* This CPU may have gone offline and come back meanwhile. */
	if (vcpu->vmx.cpu == smp_processor_id())
		mvm_vmx_forget(vcpu);
}

/**
 * mvm_vmx_forget_anywhere() - make a vCPU's VMCS inactive, wherever it is
 * @vcpu: the vCPU, not loaded
 *
 * If that CPU goes offline in between, its leave_on() does it: the call is
 * then refused, and there is nothing left to do. Interrupts are on.
 */
void mvm_vmx_forget_anywhere(struct mvm_vcpu *vcpu)
{
	int cpu = READ_ONCE(vcpu->vmx.cpu);

	if (cpu >= 0)
		smp_call_function_single(cpu, forget_here, vcpu, 1);
}

/* The host's state that differs from CPU to CPU */
static void write_host_cpu(const struct mvm_cpu *c)
{
	vmcs_writel(VMCS_HOST_TR_BASE, c->tr_base);
	vmcs_writel(VMCS_HOST_GDTR_BASE, c->gdt.address);
	vmcs_writel(VMCS_HOST_IDTR_BASE, c->idt.address);
	vmcs_writel(VMCS_HOST_GS_BASE, c->gs_base);
	vmcs_writel(VMCS_HOST_SYSENTER_ESP, c->sysenter_esp);
}

/* The CPU may leave VMX operation from here on. */
static void detached(struct mvm_cpu *c)
{
	/* Pairs with smp_load_acquire() in reboot(). */
	smp_store_release(&c->attached, false);
	preempt_enable();
}

/* The machine goes down: never return. */
static void wait_for_the_end(struct mvm_cpu *c)
{
	detached(c);
	for (;;)
		ssleep(3600);
}

/**
 * mvm_vmx_attach() - make a vCPU's VMCS current on this CPU
 * @vcpu: the vCPU, not attached
 *
 * Context: process context with vcpu->mutex held (or before anybody else knows
 * the vCPU). Disables preemption until mvm_vmx_detach().
 */
void mvm_vmx_attach(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_vcpu *v = &vcpu->vmx;
	struct mvm_cpu *c;
	bool moved;
	int cpu;

	cpu = get_cpu();
	c = this_cpu_ptr(&mvm_cpu);
	/* Before the look at the flag, see the top of operation.c. */
	WRITE_ONCE(c->attached, true);
	barrier();
	if (unlikely(READ_ONCE(mvm_vmx_going_down)))
		wait_for_the_end(c);

	moved = v->cpu != cpu;
	if (unlikely(moved)) {
		mvm_vmx_forget_anywhere(vcpu);
		local_irq_disable();
		list_add(&v->link, &c->active);
		WRITE_ONCE(v->cpu, cpu);
		local_irq_enable();
		cpumask_set_cpu(cpu, vcpu->vm->ept_cpus);
		/* Pairs with the barrier in mvm_vmx_flush_ept(). */
		smp_mb__after_atomic();
	}
	if (c->current_vmcs != v->vmcs) {
		mvm_vmcs_make_current(v->vmcs);
		c->current_vmcs = v->vmcs;
		c->writers = v->writers;
		/* One guest must not train the branch predictors for another. */
		mvm_compat_ibpb();
	}
	if (unlikely(moved)) {
		write_host_cpu(c);
		/* What the vCPU invalidated elsewhere may be cached here. */
		vcpu->pending |= MVM_PENDING_FLUSH;
	}
}

/**
 * mvm_vmx_detach() - undo mvm_vmx_attach()
 * @vcpu: the vCPU
 *
 * The VMCS stays active here until another CPU or another reason wants it.
 */
void mvm_vmx_detach(struct mvm_vcpu *vcpu)
{
	detached(this_cpu_ptr(&mvm_cpu));
}

/*
 * The guest's MSRs of SYSCALL matter only when it can execute SYSCALL, and
 * SWAPGS only when it has long mode: other guests do not pay for the switch.
 * Both bits of EFER change with a VM exit, see mvm_vmx_set_efer().
 */
static void load_msrs(struct mvm_vcpu *vcpu)
{
	u64 efer = vcpu->vmx.efer;

	if (efer & EFER_SCE) {
		wrmsrl(MSR_STAR, vcpu->msrs.star);
		wrmsrl(MSR_LSTAR, vcpu->msrs.lstar);
		wrmsrl(MSR_SYSCALL_MASK, vcpu->msrs.fmask);
	}
	if (efer & EFER_LME) {
		vcpu->vmx.host_kernel_gs = mvm_rdmsr(MSR_KERNEL_GS_BASE);
		wrmsrl(MSR_KERNEL_GS_BASE, vcpu->msrs.kernel_gs_base);
	}
	if (mvm_vmx.cpu2 & VMX_CPU2_RDTSCP &&
	    vcpu->msrs.tsc_aux != this_cpu_read(mvm_cpu.tsc_aux))
		wrmsrl(MSR_TSC_AUX, vcpu->msrs.tsc_aux);
}

static void put_msrs(struct mvm_vcpu *vcpu)
{
	struct mvm_cpu *c = this_cpu_ptr(&mvm_cpu);
	u64 efer = vcpu->vmx.efer;

	if (efer & EFER_SCE) {
		wrmsrl(MSR_STAR, c->star);
		wrmsrl(MSR_LSTAR, c->lstar);
		wrmsrl(MSR_SYSCALL_MASK, c->fmask);
	}
	if (efer & EFER_LME) {
		vcpu->msrs.kernel_gs_base = mvm_rdmsr(MSR_KERNEL_GS_BASE);
		wrmsrl(MSR_KERNEL_GS_BASE, vcpu->vmx.host_kernel_gs);
	}
	if (mvm_vmx.cpu2 & VMX_CPU2_RDTSCP && vcpu->msrs.tsc_aux != c->tsc_aux)
		wrmsrl(MSR_TSC_AUX, c->tsc_aux);
}

/**
 * mvm_vmx_switch_msrs() - change guest MSRs that may be in the CPU
 * @vcpu: attached or loaded
 * @change: does it, on the copies in @vcpu
 * @arg: handed to @change
 */
void mvm_vmx_switch_msrs(struct mvm_vcpu *vcpu,
			 void (*change)(struct mvm_vcpu *vcpu, void *arg), void *arg)
{
	if (vcpu->vmx.loaded)
		put_msrs(vcpu);
	change(vcpu, arg);
	if (vcpu->vmx.loaded)
		load_msrs(vcpu);
}

/**
 * mvm_vmx_load() - attach a vCPU and give it the CPU's other state
 * @vcpu: the vCPU, not attached
 *
 * Context: process context of the VM's owner, vcpu->mutex held. Preemption is
 * off, and the kernel's use of the FPU is not possible, until mvm_vmx_put().
 */
void mvm_vmx_load(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_vcpu *v = &vcpu->vmx;
	/* Then user space wants to see accesses that the CPU would do alone. */
	bool all_exit = rcu_access_pointer(vcpu->vm->msr_filter) ||
			READ_ONCE(vcpu->vm->msr_exits);
	unsigned long fs_base;
	int cpu = v->cpu;

	mvm_vmx_attach(vcpu);
	if (vcpu->clock.system_time)
		mvm_clock_loaded(vcpu, cpu != v->cpu);
	if (unlikely(all_exit != v->all_msrs_exit))
		mvm_vmx_all_msrs_exit(vcpu, all_exit);

	/*
	 * The selectors in the host-state area must have RPL 0 and TI 0 (SDM
	 * Vol. 3, "Checks on Host Segment and Descriptor-Table Registers"), so
	 * null is what is there, and the owner's are loaded in mvm_vmx_put().
	 * Only 32-bit owners have other than null selectors.
	 */
	savesegment(ds, v->host_ds);
	savesegment(es, v->host_es);
	savesegment(fs, v->host_fs);
	savesegment(gs, v->host_gs);
	store_ldt(v->host_ldt);
	fs_base = x86_fsbase_read_cpu();
	if (fs_base != v->host_fs_base) {
		v->host_fs_base = fs_base;
		vmcs_writel(VMCS_HOST_FS_BASE, fs_base);
	}

	load_msrs(vcpu);
	kernel_fpu_begin_mask(0);
	mvm_fpu_load(&vcpu->fpu);
	v->flush_l1d = mvm_vmx_l1d_on_load;
	WRITE_ONCE(v->loaded, true);
	/* Before the look at mvm_vcpu::events, see irqchip/mp.c. */
	smp_mb();
}

/**
 * mvm_vmx_put() - undo mvm_vmx_load(): the CPU is the owner's again
 * @vcpu: the vCPU; nothing happens if it is not loaded
 *
 * Afterwards the caller may sleep.
 */
void mvm_vmx_put(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_vcpu *v = &vcpu->vmx;
	struct mvm_cpu *c;

	if (!v->loaded)
		return;
	/* While no slot logs nothing gets into the vCPU's log, nor is there any. */
	if (unlikely(READ_ONCE(vcpu->vm->memory.logged)))
		mvm_vmx_empty_log(vcpu);
	WRITE_ONCE(v->loaded, false);
	mvm_fpu_store(&vcpu->fpu);
	kernel_fpu_end();
	c = this_cpu_ptr(&mvm_cpu);

	/* First the LDT: the selectors below may be in it. */
	if (unlikely(v->host_ldt))
		asm volatile("lldt %0" : : "r" (v->host_ldt));

	/*
	 * FS: a selector brings the base of its descriptor, and the owner may
	 * have set another one; so the base comes after the selector. GS: the
	 * same, and the base of the owner's GS is in IA32_KERNEL_GS_BASE while
	 * the kernel runs, which load_gs_index() changes.
	 */
	if (unlikely(v->host_fs)) {
		loadsegment(fs, v->host_fs);
		x86_fsbase_write_cpu(v->host_fs_base);
	}
	put_msrs(vcpu);
	if (unlikely(v->host_gs)) {
		u64 base;

		rdmsrl(MSR_KERNEL_GS_BASE, base);
		load_gs_index(v->host_gs);
		wrmsrl(MSR_KERNEL_GS_BASE, base);
	}
	if (unlikely(v->host_ds))
		loadsegment(ds, v->host_ds);
	if (unlikely(v->host_es))
		loadsegment(es, v->host_es);

	/* VM exits leave limits of 0x67 for the TSS, 0xffff for GDT and IDT. */
	invalidate_tss_limit();
	native_load_gdt(&c->gdt);
	load_idt(&c->idt);

	mvm_compat_guest_ran();
	mvm_vmx_detach(vcpu);
}
