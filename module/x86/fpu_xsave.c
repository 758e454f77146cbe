// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's registers in the layout of KVM_GET_XSAVE: an XSAVE area in
 * standard format, SDM Vol. 1, "Managing State Using the XSAVE Feature Set"
 * (2024: chapter 13).
 *
 * The components that the module knows fit into the 4096 bytes of struct
 * kvm_xsave (with AVX-512 they end at 2696), so that KVM_GET_XSAVE2 has
 * nothing to add.
 */
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/string.h>
#include <asm/page.h>
#include <asm/fpu/types.h>
#include <asm/processor.h>

#include "../compat.h"
#include "cpuid.h"
#include "fpu.h"

#define FCW_INIT		0x37f
/* SDM Vol. 1, "MXCSR Control and Status Register": bits 31:16 are reserved. */
#define MXCSR_VALID		0xffff

#define LEGACY_BITS		(MVM_XCR0_X87 | MVM_XCR0_SSE)
#define MXCSR_BITS		(MVM_XCR0_X87 | MVM_XCR0_SSE | MVM_XCR0_AVX)

/* Where a component above SSE lies: CPUID leaf 0DH. False if it does not fit. */
static bool component(int i, u32 *offset, u32 *size)
{
	u32 ecx, edx;

	cpuid_count(0xd, i, size, offset, &ecx, &edx);
	return *size && *offset >= MVM_XSAVE_MIN_SIZE &&
	       *offset + *size <= sizeof(struct kvm_xsave);
}

static void copy_components(void *to, const void *from, u64 which)
{
	u32 offset, size;
	int i;

	for (i = 2; i < MVM_XSTATE_COUNT; i++)
		if (which & BIT_ULL(i) && component(i, &offset, &size))
			memcpy(to + offset, from + offset, size);
}

static void copy_x87(struct fxregs_state *to, const struct fxregs_state *from)
{
	memcpy(to, from, offsetof(struct fxregs_state, mxcsr));
	memcpy(to->st_space, from->st_space, sizeof(to->st_space));
}

/**
 * mvm_fpu_get_xsave - the registers in the layout of KVM_GET_XSAVE
 * @fpu: not loaded
 * @out: filled; a component in its initial configuration is all zeros, but for
 *	FCW and MXCSR, and has no bit in XSTATE_BV
 * @visible: the components of XCR0 that the guest's CPUID has
 *
 * x87 and SSE are always told, also where the guest has no XSAVE.
 */
void mvm_fpu_get_xsave(const struct mvm_fpu *fpu, struct kvm_xsave *out, u64 visible)
{
	const struct xregs_state *area = fpu->area;
	struct xregs_state *x = (void *)out->region;
	u64 bv;

	BUILD_BUG_ON(sizeof(*out) != 4096);

	memset(out, 0, sizeof(*out));
	if (!fpu->mask) {
		x->i387 = area->i387;
		x->header.xfeatures = LEGACY_BITS;
		return;
	}
	bv = area->header.xfeatures & (visible | LEGACY_BITS);
	x->header.xfeatures = bv;
	x->i387.cwd = FCW_INIT;
	if (bv & MVM_XCR0_X87)
		copy_x87(&x->i387, &area->i387);
	/* XSAVE and XRSTOR handle it whatever XSTATE_BV says. */
	x->i387.mxcsr = area->i387.mxcsr;
	/* The area has it only after the first XSAVE. */
	x->i387.mxcsr_mask = MXCSR_VALID;
	if (bv & MVM_XCR0_SSE)
		memcpy(x->i387.xmm_space, area->i387.xmm_space,
		       sizeof(x->i387.xmm_space));
	copy_components(x, area, bv);
}

/**
 * mvm_fpu_set_xsave - the registers from the layout of KVM_SET_XSAVE
 * @fpu: not loaded
 * @in: the registers; what has no bit in XSTATE_BV is initialised
 *
 * As KVM does, MXCSR stays as it is when no component that uses it comes with
 * it, and components are accepted that the guest's CPUID does not have.
 *
 * Return: 0; -EINVAL if XRSTOR would fault.
 */
int mvm_fpu_set_xsave(struct mvm_fpu *fpu, const struct kvm_xsave *in)
{
	const struct xregs_state *x = (const void *)in->region;
	u64 bv = x->header.xfeatures;
	struct xregs_state *area = fpu->area;

	if (!fpu->mask) {
		if (bv & ~LEGACY_BITS || x->i387.mxcsr & ~MXCSR_VALID)
			return -EINVAL;
		area->i387 = x->i387;
		return 0;
	}
	if (bv & ~fpu->mask || x->header.xcomp_bv ||
	    memchr_inv(x->header.reserved, 0, sizeof(x->header.reserved)))
		return -EINVAL;
	if (bv & MXCSR_BITS) {
		if (x->i387.mxcsr & ~MXCSR_VALID)
			return -EINVAL;
		area->i387.mxcsr = x->i387.mxcsr;
	}
	if (bv & MVM_XCR0_X87)
		copy_x87(&area->i387, &x->i387);
	if (bv & MVM_XCR0_SSE)
		memcpy(area->i387.xmm_space, x->i387.xmm_space,
		       sizeof(area->i387.xmm_space));
	copy_components(area, x, bv);
	area->header.xfeatures = bv;
	return 0;
}
