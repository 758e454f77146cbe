// SPDX-License-Identifier: GPL-2.0
/*
 * A new vCPU's VMCS: the host's state, the controls, and the guest's state
 * after reset.
 */
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/slab.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "../compat.h"
#include "../mvm.h"
#include "dump.h"
#include "guest.h"
#include "operation.h"
#include "record.h"
#include "vmcs.h"
#include "vmx.h"

/* VPID 0 is the host's: SDM Vol. 3, "Virtual Processor Identifiers (VPIDs)" */
#define VPID_MIN	1
#define VPID_MAX	0xffff
static DEFINE_IDA(vpids);

/*
 * MSRs that a guest uses without VM exit, since the VM entry and exit, or
 * mvm_vmx_load() and mvm_vmx_put(), exchange them. SDM Vol. 3, "MSR-Bitmap
 * Address": four bitmaps of 1 KiB, in this order: read low, read high, write
 * low, write high; low is 0 to 0x1fff, high 0xc0000000 to 0xc0001fff.
 */
static const struct {
	u32 msr;
	bool read, write;
} passed_msrs[] = {
	{ MSR_IA32_TSC,			true, false },	/* offset applied by the CPU */
	{ MSR_IA32_SYSENTER_CS,		true, true },
	{ MSR_IA32_SYSENTER_ESP,	true, true },
	{ MSR_IA32_SYSENTER_EIP,	true, true },
	{ MSR_IA32_CR_PAT,		true, true },
	{ MSR_EFER,			true, false },
	{ MSR_FS_BASE,			true, true },
	{ MSR_GS_BASE,			true, true },
};

/**
 * mvm_vmx_pass_msr() - let the guest use an MSR without VM exit
 * @bitmap: the vCPU's MSR bitmap
 * @msr: 0 to 1FFFH, or C0000000H to C0001FFFH
 * @read: RDMSR
 * @write: WRMSR
 */
void mvm_vmx_pass_msr(unsigned long *bitmap, u32 msr, bool read, bool write)
{
	unsigned int bit = msr & 0x1fff;

	if (msr >= 0xc0000000)
		bit += 8 * 1024;
	if (read)
		__clear_bit(bit, bitmap);
	if (write)
		__clear_bit(bit + 8 * 2048, bitmap);
}

/**
 * mvm_vmx_pass_kernel_gs() - may the guest use IA32_KERNEL_GS_BASE directly?
 * @vcpu: the vCPU
 * @pass: yes: the guest has long mode, and its value is in the CPU
 */
void mvm_vmx_pass_kernel_gs(struct mvm_vcpu *vcpu, bool pass)
{
	unsigned int bit = (MSR_KERNEL_GS_BASE & 0x1fff) + 8 * 1024;

	pass &= !vcpu->vmx.all_msrs_exit;
	__assign_bit(bit, vcpu->vmx.msr_bitmap, !pass);
	__assign_bit(bit + 8 * 2048, vcpu->vmx.msr_bitmap, !pass);
}

static void pass_msrs(unsigned long *bitmap)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(passed_msrs); i++)
		mvm_vmx_pass_msr(bitmap, passed_msrs[i].msr, passed_msrs[i].read,
				 passed_msrs[i].write);
}

/**
 * mvm_vmx_set_msr_bitmap() - write it anew
 * @vcpu: attached or loaded
 */
void mvm_vmx_set_msr_bitmap(struct mvm_vcpu *vcpu)
{
	memset(vcpu->vmx.msr_bitmap, 0xff, PAGE_SIZE);
	if (!vcpu->vmx.all_msrs_exit)
		pass_msrs(vcpu->vmx.msr_bitmap);
	mvm_vmx_pass_x2apic(vcpu);
	mvm_vmx_pass_kernel_gs(vcpu, vcpu->vmx.efer & EFER_LME);
}

/**
 * mvm_vmx_all_msrs_exit() - should each RDMSR and WRMSR cause a VM exit?
 * @vcpu: attached
 * @all: yes: a filter must be asked, or user space handles those that fail
 */
void mvm_vmx_all_msrs_exit(struct mvm_vcpu *vcpu, bool all)
{
	vcpu->vmx.all_msrs_exit = all;
	mvm_vmx_set_msr_bitmap(vcpu);
}

static unsigned long *new_msr_bitmap(void)
{
	unsigned long *bitmap = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);

	if (!bitmap)
		return NULL;
	memset(bitmap, 0xff, PAGE_SIZE);
	pass_msrs(bitmap);
	return bitmap;
}

/*
 * SDM Vol. 3, "Host-State Area". What differs between CPUs is written when
 * the vCPU comes to one (switch.c), CR3 and CR4 before each entry (exit.c).
 */
static void setup_host(struct mvm_vmx_vcpu *v)
{
	unsigned long value;
	u64 msr;

	/*
	 * Values that cannot be: a new VMCS may hold anything, so the first
	 * comparison with these must fail and write the field.
	 */
	v->host_cr3 = ~0UL;
	v->host_cr4 = ~0UL;
	v->host_fs_base = BIT_ULL(63);

	vmcs_write16(VMCS_HOST_CS_SELECTOR, __KERNEL_CS);
	vmcs_write16(VMCS_HOST_SS_SELECTOR, __KERNEL_DS);
	vmcs_write16(VMCS_HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	/* Null: the owner's, if they are others, are loaded by mvm_vmx_put(). */
	vmcs_write16(VMCS_HOST_DS_SELECTOR, 0);
	vmcs_write16(VMCS_HOST_ES_SELECTOR, 0);
	vmcs_write16(VMCS_HOST_FS_SELECTOR, 0);
	vmcs_write16(VMCS_HOST_GS_SELECTOR, 0);

	vmcs_writel(VMCS_HOST_CR0, read_cr0());
	rdmsrl(MSR_IA32_CR_PAT, msr);
	vmcs_write64(VMCS_HOST_PAT, msr);
	rdmsrl(MSR_EFER, msr);
	vmcs_write64(VMCS_HOST_EFER, msr);
	rdmsrl(MSR_IA32_SYSENTER_CS, value);
	vmcs_write32(VMCS_HOST_SYSENTER_CS, value);
	rdmsrl(MSR_IA32_SYSENTER_EIP, value);
	vmcs_writel(VMCS_HOST_SYSENTER_EIP, value);
	vmcs_writel(VMCS_HOST_RIP, (unsigned long)mvm_vmx_exit_label);
}

/* SDM Vol. 3, "VM-Execution Control Fields" and the two sections after it */
static void setup_controls(struct mvm_vcpu *vcpu)
{
	/* These two follow the CPUID table, which is still empty. */
	u32 cpu2 = mvm_vmx.cpu2 & ~(VMX_CPU2_RDTSCP | VMX_CPU2_INVPCID |
				    VMX_CPU2_X2APIC);
	u32 cpu = mvm_vmx.cpu;

	if (!vcpu->vmx.vpid)
		cpu2 &= ~VMX_CPU2_VPID;

	vmcs_write32(VMCS_PIN_CONTROLS, mvm_vmx.pin);
	/* SDM Vol. 3, "Virtualizing CR8-Based TPR Accesses" */
	if (!vcpu->apic) {
		cpu &= ~VMX_CPU_TPR_SHADOW;
		cpu2 &= ~(VMX_CPU2_APIC_REGISTERS | VMX_CPU2_INTERRUPT_DELIVERY);
	} else if (cpu & VMX_CPU_TPR_SHADOW) {
		cpu &= ~(VMX_CPU_CR8_LOAD | VMX_CPU_CR8_STORE);
		vmcs_write64(VMCS_VIRTUAL_APIC_ADDRESS, __pa(vcpu->apic->lapic.regs));
		vmcs_write32(VMCS_TPR_THRESHOLD, 0);
	}
	if (cpu2 & VMX_CPU2_INTERRUPT_DELIVERY) {
		vmcs_write16(VMCS_GUEST_INTERRUPT_STATUS, 0);
		mvm_vmx_write_eoi_exits(vcpu);
	}
	vmcs_write32(VMCS_CPU_CONTROLS, cpu);
	vmcs_write32(VMCS_CPU2_CONTROLS, cpu2);
	vmcs_write32(VMCS_EXIT_CONTROLS, mvm_vmx.exit);
	vmcs_write32(VMCS_ENTRY_CONTROLS, mvm_vmx.entry);

	vmcs_write32(VMCS_EXCEPTION_BITMAP, mvm_exception_bitmap(false));
	/* With #PF out of the bitmap, equal mask and match mean: no exit. */
	vmcs_write32(VMCS_PAGE_FAULT_MASK, 0);
	vmcs_write32(VMCS_PAGE_FAULT_MATCH, 0);
	vmcs_write32(VMCS_CR3_TARGET_COUNT, 0);
	/* The MSRs that we exchange ourselves need no lists. */
	vmcs_write32(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write32(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write32(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write32(VMCS_ENTRY_EVENT, 0);

	vmcs_write64(VMCS_MSR_BITMAP, __pa(vcpu->vmx.msr_bitmap));
	vmcs_write64(VMCS_EPTP, vcpu->vm->memory.eptp);
	if (cpu2 & VMX_CPU2_PML) {
		vmcs_write64(VMCS_PML_ADDRESS, __pa(vcpu->vmx.log));
		vmcs_write16(VMCS_GUEST_PML_INDEX, MVM_LOG_ENTRIES - 1);
	}
	vcpu->clock.tsc_offset = vcpu->vm->tsc_offset;
	vmcs_write64(VMCS_TSC_OFFSET, vcpu->clock.tsc_offset);
	if (cpu2 & VMX_CPU2_VPID)
		vmcs_write16(VMCS_VPID, vcpu->vmx.vpid);
	/* SDM Vol. 3, "Controls for PAUSE-Loop Exiting" */
	if (cpu2 & VMX_CPU2_PAUSE_LOOP) {
		vmcs_write32(VMCS_PLE_GAP, mvm_vmx.ple_gap);
		vmcs_write32(VMCS_PLE_WINDOW, mvm_vmx.ple_window);
	}
	if (cpu2 & VMX_CPU2_ENCLS)
		vmcs_write64(VMCS_ENCLS_EXITING_BITMAP, ~0ULL);
	/* A VMCS that is no shadow: SDM Vol. 3, "Guest Non-Register State" */
	vmcs_write64(VMCS_VMCS_LINK_POINTER, ~0ULL);
	if (mvm_vmx.entry & VMX_ENTRY_LOAD_PERF) {
		vmcs_write64(VMCS_GUEST_PERF_GLOBAL_CTRL, 0);
		vmcs_write64(VMCS_HOST_PERF_GLOBAL_CTRL, vcpu->vmx.host_global_ctrl);
	}
}

/*
 * SDM Vol. 3, "Processor State After Reset" (2024: table 10-1), as KVM has it:
 * CS points at the last 64 KiB below 4 GiB. INIT leaves some things alone that
 * power-on sets, the bits of CR0 for the caches among them.
 */
static void setup_guest(struct mvm_vcpu *vcpu, unsigned long cr0_caches)
{
	static const struct kvm_segment code = {
		.base = 0xffff0000, .limit = 0xffff, .selector = 0xf000,
		.type = 11, .present = 1, .s = 1,
	}, data = {
		.limit = 0xffff, .type = 3, .present = 1, .s = 1,
	}, ldtr = {
		.limit = 0xffff, .type = 2, .present = 1,
	}, tr = {
		.limit = 0xffff, .type = 11, .present = 1,
	};
	int n;

	for (n = MVM_ES; n <= MVM_GS; n++)
		mvm_vmx_set_segment(n, n == MVM_CS ? &code : &data);
	mvm_vmx_set_segment(MVM_LDTR, &ldtr);
	mvm_vmx_set_segment(MVM_TR, &tr);
	vmcs_writel(VMCS_GUEST_GDTR_BASE, 0);
	vmcs_write32(VMCS_GUEST_GDTR_LIMIT, 0xffff);
	vmcs_writel(VMCS_GUEST_IDTR_BASE, 0);
	vmcs_write32(VMCS_GUEST_IDTR_LIMIT, 0xffff);

	mvm_vmx_write_efer(vcpu, 0);
	mvm_vmx_write_cr0(vcpu, cr0_caches | X86_CR0_ET);
	mvm_vmx_write_cr4(vcpu, 0);
	vmcs_writel(VMCS_GUEST_CR3, 0);
	vcpu->dr6 = 0xffff0ff0;
	mvm_vmx_write_dr7(vcpu, 0x400);
	vmcs_write64(VMCS_GUEST_DEBUGCTL, 0);

	vmcs_writel(VMCS_GUEST_RSP, 0);
	vmcs_writel(VMCS_GUEST_RIP, 0xfff0);
	vmcs_writel(VMCS_GUEST_RFLAGS, X86_EFLAGS_FIXED);
	vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write32(VMCS_GUEST_ACTIVITY, VMX_ACTIVITY_ACTIVE);
	vmcs_writel(VMCS_GUEST_PENDING_DEBUG, 0);
	/* Family and model: what KVM has as long as no CPUID table is set */
	vcpu->enter.regs[MVM_RDX] = 0x600;
}

/**
 * mvm_vmx_vcpu_create() - give a new vCPU its VMCS, in the state after reset
 * @vcpu: the vCPU; its VM is in VMX operation (mvm_vmx_enable())
 *
 * May sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int mvm_vmx_vcpu_create(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_vcpu *v = &vcpu->vmx;
	struct mvm_vmcs *scratch = NULL;
	int id;

	v->cpu = -1;
	v->vmcs = mvm_vmcs_alloc();
	v->msr_bitmap = new_msr_bitmap();
	/* The CPU writes each of its entries before anybody reads it. */
	if (mvm_vmx.cpu2 & VMX_CPU2_PML)
		v->log = (u64 *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (static_branch_unlikely(&mvm_vmcs_writers))
		v->writers = kcalloc(VMCS_NR_FIELDS, sizeof(*v->writers), GFP_KERNEL_ACCOUNT);
	if (!mvm_vmx_fields_probed())
		scratch = mvm_vmcs_alloc();
	if (!v->vmcs || !v->msr_bitmap || (!v->log && mvm_vmx.cpu2 & VMX_CPU2_PML) ||
	    (!scratch && !mvm_vmx_fields_probed())) {
		mvm_vmcs_free(scratch);
		mvm_vmx_vcpu_destroy(vcpu);
		return -ENOMEM;
	}
	if (mvm_vmx.cpu2 & VMX_CPU2_VPID) {
		/* With none left a vCPU only runs slower. */
		id = ida_alloc_range(&vpids, VPID_MIN, VPID_MAX, GFP_KERNEL);
		v->vpid = id > 0 ? id : 0;
	}

	/* SDM Vol. 3, "Initialization": VMCLEAR before the first VMPTRLD */
	preempt_disable();
	if (!READ_ONCE(mvm_vmx_going_down))
		mvm_vmcs_clear(v->vmcs);
	preempt_enable();

	mvm_vmx_attach(vcpu);
	if (scratch)
		mvm_vmx_probe_fields(scratch, v->vmcs);
	setup_host(v);
	setup_controls(vcpu);
	setup_guest(vcpu, X86_CR0_CD | X86_CR0_NW);
	/* What INIT leaves alone; PAT: SDM Vol. 3, "IA32_PAT MSR" */
	vmcs_write64(VMCS_GUEST_PAT, 0x0007040600070406);
	vmcs_write32(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_writel(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_writel(VMCS_GUEST_SYSENTER_EIP, 0);
	mvm_vmx_detach(vcpu);
	mvm_vmcs_free(scratch);
	return 0;
}

/**
 * mvm_vmx_init_vcpu() - the state after INIT
 * @vcpu: attached or loaded
 *
 * SDM Vol. 3, "Processor State After Reset" (2024: table 10-1), as KVM has it:
 * FPU, PAT, MTRRs, the MSRs of SYSENTER and SYSCALL and the caches' bits in CR0
 * stay.
 */
void mvm_vmx_init_vcpu(struct mvm_vcpu *vcpu)
{
	unsigned long caches = mvm_vmx_read_cr0(vcpu) & (X86_CR0_CD | X86_CR0_NW);
	const struct kvm_cpuid_entry2 *leaf1 = vcpu->cpuid.first[1];

	memset(vcpu->enter.regs, 0, sizeof(vcpu->enter.regs));
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->cr2 = 0;
	WRITE_ONCE(vcpu->clock.system_time, 0);
	vcpu->pending &= ~(MVM_PENDING_EXCEPTION | MVM_PENDING_REINJECT |
			   MVM_PENDING_SHUTDOWN | MVM_PENDING_INTERRUPT |
			   MVM_PENDING_NMI_AGAIN | MVM_PENDING_NMI |
			   MVM_PENDING_NMI_2 | MVM_PENDING_STEPPED);
	vcpu->pending |= MVM_PENDING_FLUSH;
	setup_guest(vcpu, caches);
	mvm_vmx_set_rflags(vcpu, X86_EFLAGS_FIXED);
	if (leaf1)
		vcpu->enter.regs[MVM_RDX] = leaf1->eax;
}

/**
 * mvm_vmx_startup() - the state after a SIPI
 * @vcpu: attached or loaded, in the state after INIT
 * @vector: page of the first instruction
 */
void mvm_vmx_startup(struct mvm_vcpu *vcpu, u8 vector)
{
	vmcs_write16(VMCS_GUEST_CS_SELECTOR, vector << 8);
	vmcs_writel(VMCS_GUEST_CS_BASE, vector << 12);
	vmcs_writel(VMCS_GUEST_RIP, 0);
}

/**
 * mvm_vmx_vcpu_destroy() - undo mvm_vmx_vcpu_create()
 * @vcpu: the vCPU, used by nobody any more
 *
 * May sleep.
 */
void mvm_vmx_vcpu_destroy(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_vcpu *v = &vcpu->vmx;

	mvm_vmx_forget_anywhere(vcpu);
	/* Its TLB entries go when the next owner of the VPID comes to a CPU. */
	if (v->vpid)
		ida_free(&vpids, v->vpid);
	mvm_vmx_record_free(vcpu);
	kvfree(v->stop);
	kfree(v->explanation);
	kfree(v->writers);
	free_page((unsigned long)v->log);
	free_page((unsigned long)v->msr_bitmap);
	mvm_vmcs_free(v->vmcs);
}
