/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The questions that the rest of the module asks of vmx/. Nothing outside of
 * this folder executes a VMX instruction.
 */
#ifndef MVM_VMX_H
#define MVM_VMX_H

#include <linux/kvm.h>
#include <linux/types.h>

#include "capability.h"
#include "../memory/memory.h"
#include "../x86/cpuid.h"

struct minivmm_capability;
struct mvm_vcpu;
struct mvm_vm;
struct mvm_walk_mmu;

/* operation.c: the machine */
int mvm_vmx_init(struct mvm_vmx_options *options);
void mvm_vmx_exit(void);
void mvm_vmx_show_capability(struct minivmm_capability *capability);
int mvm_vmx_enable(void);
void mvm_vmx_disable(void);
void mvm_vmx_flush_ept(struct mvm_memory *memory);
void mvm_vmx_collect_logs(struct mvm_memory *memory);
extern struct mvm_cpuid_limits mvm_cpuid_limits;
void mvm_vmx_ept_features(struct mvm_ept_features *features);

/* vmcs.c */
void mvm_vmx_note_writers(void);

/* setup.c: the life of a vCPU */
int mvm_vmx_vcpu_create(struct mvm_vcpu *vcpu);
void mvm_vmx_vcpu_destroy(struct mvm_vcpu *vcpu);
void mvm_vmx_init_vcpu(struct mvm_vcpu *vcpu);
void mvm_vmx_startup(struct mvm_vcpu *vcpu, u8 vector);

/* switch.c: on the CPU, off the CPU */
void mvm_vmx_attach(struct mvm_vcpu *vcpu);
void mvm_vmx_detach(struct mvm_vcpu *vcpu);
void mvm_vmx_load(struct mvm_vcpu *vcpu);
void mvm_vmx_put(struct mvm_vcpu *vcpu);

/* exit.c */
int mvm_vmx_run_once(struct mvm_vcpu *vcpu);
extern const char * const mvm_vmx_reason_names[VMX_NR_REASONS];

/* state.c: registers, for a vCPU that is attached or loaded */
void mvm_vmx_get_regs(struct mvm_vcpu *vcpu, struct kvm_regs *regs);
void mvm_vmx_set_regs(struct mvm_vcpu *vcpu, const struct kvm_regs *regs);
void mvm_vmx_get_sregs(struct mvm_vcpu *vcpu, struct kvm_sregs *sregs);
void mvm_vmx_set_sregs(struct mvm_vcpu *vcpu, const struct kvm_sregs *sregs);
unsigned long mvm_vmx_read_cr0(struct mvm_vcpu *vcpu);
unsigned long mvm_vmx_read_cr4(struct mvm_vcpu *vcpu);
void mvm_vmx_cpuid_changed(struct mvm_vcpu *vcpu, unsigned long cr4);
void mvm_vmx_read_pdptes(u64 pdpte[4]);
void mvm_vmx_write_pdptes(const u64 pdpte[4]);
void mvm_vmx_get_debugregs(struct mvm_vcpu *vcpu, struct kvm_debugregs *regs);
void mvm_vmx_set_debugregs(struct mvm_vcpu *vcpu, const struct kvm_debugregs *regs);
void mvm_vmx_set_tsc_offset(struct mvm_vcpu *vcpu, u64 offset);
void mvm_vmx_get_mmu(struct mvm_vcpu *vcpu, struct mvm_walk_mmu *mmu, u64 pdpte[4]);
int mvm_read_pdptes(struct mvm_vcpu *vcpu, unsigned long cr3, u64 pdpte[4]);
bool mvm_vmx_interrupt_flag(struct mvm_vcpu *vcpu);

/* event.c: the same */
void mvm_vmx_interrupt(struct mvm_vcpu *vcpu, u8 vector);
void mvm_vmx_nmi(struct mvm_vcpu *vcpu);
bool mvm_vmx_ready_for_interrupt(struct mvm_vcpu *vcpu);
bool mvm_vmx_event_waits(struct mvm_vcpu *vcpu);
void mvm_vmx_get_events(struct mvm_vcpu *vcpu, struct kvm_vcpu_events *events);
int mvm_vmx_set_events(struct mvm_vcpu *vcpu, const struct kvm_vcpu_events *events);

/* apicv.c */
void mvm_vmx_set_x2apic(struct mvm_vcpu *vcpu);

/* debug.c: the same */
void mvm_vmx_write_dr7(struct mvm_vcpu *vcpu, unsigned long dr7);
int mvm_vmx_set_guest_debug(struct mvm_vcpu *vcpu, const struct kvm_guest_debug *dbg);

/* msr.c: the same; may be called by user space (@host) or for the guest */
int mvm_vmx_get_msr(struct mvm_vcpu *vcpu, u32 index, u64 *value, bool host);
int mvm_vmx_set_msr(struct mvm_vcpu *vcpu, u32 index, u64 value, bool host);

#endif
