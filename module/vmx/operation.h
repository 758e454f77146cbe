/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMX operation on this machine's CPUs, for the files in vmx/.
 */
#ifndef MVM_VMX_OPERATION_H
#define MVM_VMX_OPERATION_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/desc_defs.h>
#include <asm/msr.h>

#include "capability.h"

struct mvm_vmcs;
struct mvm_vcpu;
struct mvm_writer;

/**
 * struct mvm_cpu - one CPU of the host
 * @vmxon: its VMXON region, kept from the first use until the module unloads
 * @on: it is in VMX operation, by us
 * @attached: a vCPU is attached or loaded there
 * @current_vmcs: the VMCS that is current there
 * @writers: who wrote its fields, by enum vmcs_index; NULL if nobody asks
 * @active: the vCPUs of which the VMCS is active there
 * @gdt: the host's GDTR, since a VM exit leaves a limit of 64 KiB
 * @idt: the host's IDTR, the same
 * @tr_base: of the host's TSS
 * @gs_base: the host's, in the kernel
 * @sysenter_esp: host value of IA32_SYSENTER_ESP
 * @star: host value of IA32_STAR; constant, as those below
 * @lstar: of IA32_LSTAR
 * @fmask: of IA32_FMASK
 * @tsc_aux: of IA32_TSC_AUX
 */
struct mvm_cpu {
	struct mvm_vmcs *vmxon;
	bool on;
	bool attached;
	struct mvm_vmcs *current_vmcs;
	struct mvm_writer *writers;
	struct list_head active;
	struct desc_ptr gdt;
	struct desc_ptr idt;
	unsigned long tr_base;
	unsigned long gs_base;
	unsigned long sysenter_esp;
	u64 star;
	u64 lstar;
	u64 fmask;
	u64 tsc_aux;
};

DECLARE_PER_CPU(struct mvm_cpu, mvm_cpu);

/* Of a vCPU's log: SDM Vol. 3, "Page-Modification Logging" */
#define MVM_LOG_ENTRIES		512

/* What the CPUs offer, as read when the module was loaded; constant since. */
extern struct mvm_vmx_msrs mvm_vmx_msrs;

/* What was negotiated when the module was loaded; constant since. */
extern struct mvm_vmx_capability mvm_vmx;

/* Set once the machine goes down: VMX operation ends on all CPUs. */
extern bool mvm_vmx_going_down;

/* switch.c */
void mvm_vmx_forget(struct mvm_vcpu *vcpu);
void mvm_vmx_forget_anywhere(struct mvm_vcpu *vcpu);
void mvm_vmx_switch_msrs(struct mvm_vcpu *vcpu,
			 void (*change)(struct mvm_vcpu *vcpu, void *arg), void *arg);

/* pml.c */
void mvm_vmx_empty_log(struct mvm_vcpu *vcpu);

/* setup.c */
void mvm_vmx_pass_kernel_gs(struct mvm_vcpu *vcpu, bool pass);
void mvm_vmx_all_msrs_exit(struct mvm_vcpu *vcpu, bool all);
void mvm_vmx_pass_msr(unsigned long *bitmap, u32 msr, bool read, bool write);
void mvm_vmx_set_msr_bitmap(struct mvm_vcpu *vcpu);

/* apicv.c */
void mvm_vmx_pass_x2apic(struct mvm_vcpu *vcpu);
void mvm_vmx_write_eoi_exits(struct mvm_vcpu *vcpu);
void mvm_vmx_show_apic(struct mvm_vcpu *vcpu, bool may_interrupt);

/* mitigation.c */
int mvm_vmx_mitigation_init(void);
void mvm_vmx_mitigation_exit(void);
void mvm_vmx_flush_l1d(void);
extern bool mvm_vmx_l1d_on_load;
extern bool mvm_vmx_l1d_always;
bool mvm_vmx_itlb_multihit(void);

/* RDMSR and no more: rdmsrl() calls a function, in which it can be traced. */
static __always_inline u64 mvm_rdmsr(u32 msr)
{
	u32 low, high;

	native_rdmsr(msr, low, high);
	return (u64)high << 32 | low;
}

void mvm_vmx_invept(u64 eptp);
void mvm_vmx_invvpid(u16 vpid);

#endif
