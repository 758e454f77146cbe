/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's x87, SSE and AVX registers, and XCR0.
 *
 * They are the one part of a guest that VT-x does not switch. The kernel has a
 * way to do it for KVM, which later kernels export to nobody else; so the
 * module does what any user of the FPU in the kernel may do: between
 * kernel_fpu_begin() and kernel_fpu_end() the registers belong to the caller.
 * The first has saved what the owner's program had in them, the kernel loads
 * that again on the way to user space.
 *
 *	kernel_fpu_begin();
 *	mvm_fpu_load(&vcpu->fpu);
 *	...			enter the guest, handle its exits
 *	mvm_fpu_store(&vcpu->fpu);
 *	kernel_fpu_end();
 *
 * Preemption is off in between, so whatever sleeps comes after the end.
 *
 * Not virtualised, and why it does no harm:
 * - PKRU (XCR0[9]) keeps the host's value in the guest. It takes effect only
 *   under CR4.PKE, which is reserved in every guest.
 * - IA32_XSS keeps the host's value. Only XSAVES and XRSTORS look at it, and
 *   they cause #UD in a guest whose VMCS does not enable them.
 * - Tile data (AMX) and IA32_XFD: their bits are never in a guest's XCR0, so
 *   the guest can neither see nor change what is in the tiles.
 */
#ifndef MVM_X86_FPU_H
#define MVM_X86_FPU_H

#include <linux/kvm.h>
#include <linux/types.h>

struct fxregs_state;
struct xregs_state;

/**
 * struct mvm_fpu - the FPU, SSE and AVX state of one vCPU
 * @area: the registers while they are not loaded: an XSAVE area in standard
 *	format, or an FXSAVE image where the host has no XSAVE
 * @mask: the components in @area; 0 where the host has no XSAVE
 * @host_xcr0: the host's XCR0
 * @xcr0: the guest's XCR0; mvm_fpu_xcr0_valid() must hold for it. To be
 *	changed while the state is not loaded, or by mvm_fpu_set_xcr0().
 * @loaded: the registers and XCR0 are in the CPU
 */
struct mvm_fpu {
	struct xregs_state *area;
	u64 mask;
	u64 host_xcr0;
	u64 xcr0;
	bool loaded;
};

u64 mvm_fpu_supported_xcr0(void);

int mvm_fpu_init(struct mvm_fpu *fpu);
void mvm_fpu_destroy(struct mvm_fpu *fpu);
void mvm_fpu_load(struct mvm_fpu *fpu);
void mvm_fpu_store(struct mvm_fpu *fpu);
void mvm_fpu_set_xcr0(struct mvm_fpu *fpu, u64 xcr0);

void mvm_fpu_get(const struct mvm_fpu *fpu, struct kvm_fpu *out);
void mvm_fpu_set(struct mvm_fpu *fpu, const struct kvm_fpu *in);
void mvm_fpu_get_xsave(const struct mvm_fpu *fpu, struct kvm_xsave *out, u64 visible);
int mvm_fpu_set_xsave(struct mvm_fpu *fpu, const struct kvm_xsave *in);

#endif
