/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's state, for the files in vmx/. Everything here needs the vCPU
 * attached unless it says otherwise.
 */
#ifndef MVM_VMX_GUEST_H
#define MVM_VMX_GUEST_H

#include <linux/kvm.h>
#include <linux/types.h>

struct mvm_vcpu;
struct mvm_walk_mmu;

/* CR0: bits in which the guest's value and the CPU's may differ */
#define MVM_CR0_GUEST_OWNED						\
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS |		\
	 X86_CR0_WP | X86_CR0_AM | X86_CR0_PG)

/* SDM Vol. 3, "Debug Registers": access to a debug register detected, and detect it */
#define MVM_DR6_BD	BIT(13)
#define MVM_DR7_GD	BIT(13)

/* Segments in the order of the VMCS: SDM Vol. 3, appendix "Field Encoding" */
enum mvm_segment {
	MVM_ES, MVM_CS, MVM_SS, MVM_DS, MVM_FS, MVM_GS, MVM_LDTR, MVM_TR,
};

/* state.c */
void mvm_vmx_write_cr4(struct mvm_vcpu *vcpu, unsigned long cr4);
void mvm_vmx_write_cr0(struct mvm_vcpu *vcpu, unsigned long cr0);
u64 mvm_vmx_read_efer(struct mvm_vcpu *vcpu);
void mvm_vmx_write_efer(struct mvm_vcpu *vcpu, u64 efer);
void mvm_vmx_get_segment(enum mvm_segment n, struct kvm_segment *s);
void mvm_vmx_set_segment(enum mvm_segment n, const struct kvm_segment *s);
int mvm_vmx_cpl(void);
bool mvm_vmx_64bit_code(void);
unsigned long mvm_vmx_get_gpr(struct mvm_vcpu *vcpu, int n);
void mvm_vmx_set_gpr(struct mvm_vcpu *vcpu, int n, unsigned long value);
void mvm_vmx_skip(struct mvm_vcpu *vcpu, u32 length);
int mvm_vmx_skip_and_resume(struct mvm_vcpu *vcpu);

/* event.c */
void mvm_vmx_queue(struct mvm_vcpu *vcpu, const struct mvm_exception *e);
void mvm_vmx_settle_exception(struct mvm_vcpu *vcpu);
void mvm_vmx_queue_vector(struct mvm_vcpu *vcpu, u8 vector);
void mvm_vmx_queue_error(struct mvm_vcpu *vcpu, u8 vector, u32 error);
void mvm_vmx_drop_instruction_event(struct mvm_vcpu *vcpu);
u32 mvm_vmx_deliver(struct mvm_vcpu *vcpu);
void mvm_vmx_recover_event(struct mvm_vcpu *vcpu);
int mvm_vmx_inject_ud(struct mvm_vcpu *vcpu);
int mvm_vmx_inject_gp(struct mvm_vcpu *vcpu);

/* debug.c */
void mvm_vmx_load_breakpoints(struct mvm_vcpu *vcpu);
unsigned long mvm_vmx_get_rflags(struct mvm_vcpu *vcpu);
void mvm_vmx_set_rflags(struct mvm_vcpu *vcpu, unsigned long rflags);
int mvm_vmx_debug_exit(struct mvm_vcpu *vcpu, u8 vector, unsigned long dr6);
void mvm_vmx_end_step(struct mvm_vcpu *vcpu);

/* linear.c */
int mvm_vmx_translate(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu,
		      unsigned long gva, unsigned int access, u64 *gpa);
int mvm_vmx_fetch(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu, unsigned long gva,
		  void *buf, size_t len);
bool mvm_segment_allows(const struct kvm_segment *s, bool code64, unsigned long offset,
			unsigned long gva, u32 size, bool write);

/* explain.c */
void mvm_vmx_explain(struct mvm_vcpu *vcpu, u64 reason, const char *error);

/* exit handlers, one for each reason */
int mvm_handle_exception_nmi(struct mvm_vcpu *vcpu);
int mvm_handle_cpuid(struct mvm_vcpu *vcpu);
int mvm_handle_cr_access(struct mvm_vcpu *vcpu);
int mvm_handle_dr_access(struct mvm_vcpu *vcpu);
int mvm_handle_io(struct mvm_vcpu *vcpu);
int mvm_handle_rdmsr(struct mvm_vcpu *vcpu);
int mvm_handle_wrmsr(struct mvm_vcpu *vcpu);
int mvm_handle_xsetbv(struct mvm_vcpu *vcpu);
int mvm_handle_ept_violation(struct mvm_vcpu *vcpu);
int mvm_handle_pml_full(struct mvm_vcpu *vcpu);
int mvm_handle_mmio(struct mvm_vcpu *vcpu, unsigned long qualification);
int mvm_handle_tpr_below_threshold(struct mvm_vcpu *vcpu);
int mvm_handle_virtualized_eoi(struct mvm_vcpu *vcpu);
int mvm_handle_apic_write(struct mvm_vcpu *vcpu);

#endif
