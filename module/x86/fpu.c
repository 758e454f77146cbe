// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's x87, SSE and AVX registers, and XCR0; fpu.h says how and why.
 *
 * XSAVE and XRSTOR are SDM Vol. 1, "Managing State Using the XSAVE Feature
 * Set" (2024: chapter 13).
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/asm.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "../compat.h"
#include "cpuid.h"
#include "fpu.h"

#define XCR0			0

/* The values after INIT: every exception masked. */
#define FCW_INIT		0x37f
#define MXCSR_INIT		0x1f80

#define BYTES_OF_FXSAVE		512

/* 0 when the kernel does not use XSAVE. */
static u64 read_host_xcr0(void)
{
	/* Without it XGETBV is undefined. */
	if (!(native_read_cr4() & X86_CR4_OSXSAVE))
		return 0;
	return xgetbv(XCR0);
}

static void cpuid_of_host(u32 function, u32 index, u32 out[4])
{
	cpuid_count(function, index, &out[MVM_EAX], &out[MVM_EBX],
		    &out[MVM_ECX], &out[MVM_EDX]);
}

/**
 * mvm_fpu_supported_xcr0 - the bits of XCR0 that guests may set on this host
 *
 * Return: 0 when the kernel does not use XSAVE.
 */
u64 mvm_fpu_supported_xcr0(void)
{
	struct mvm_cpuid_limits lim;

	mvm_cpuid_limits_init(&lim, cpuid_of_host, read_host_xcr0());
	return lim.xcr0_mask;
}

/* 0, or -EFAULT when the area has something in it that must not be. */
static int xrstor(const struct xregs_state *area, u64 mask)
{
	int err = -EFAULT;

	asm volatile("1:	xrstor64 %[area]\n"
		     "	xor %[err], %[err]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [err] "+r" (err)
		     : [area] "m" (*area), "a" ((u32)mask),
		       "d" ((u32)(mask >> 32))
		     : "memory");
	return err;
}

static void xsave(struct xregs_state *area, u64 mask)
{
	asm volatile("xsave64 %[area]"
		     : [area] "+m" (*area)
		     : "a" ((u32)mask), "d" ((u32)(mask >> 32))
		     : "memory");
}

static int fxrstor(const struct fxregs_state *image)
{
	int err = -EFAULT;

	asm volatile("1:	fxrstor64 %[image]\n"
		     "	xor %[err], %[err]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [err] "+r" (err)
		     : [image] "m" (*image));
	return err;
}

static void fxsave(struct fxregs_state *image)
{
	asm volatile("fxsave64 %[image]" : [image] "=m" (*image));
}

static int restore(const struct mvm_fpu *fpu)
{
	if (fpu->mask)
		return xrstor(fpu->area, fpu->mask);
	return fxrstor(&fpu->area->i387);
}

/* All components in their initial configuration. */
static void reset_area(struct mvm_fpu *fpu)
{
	struct fxregs_state *fx = &fpu->area->i387;

	/*
	 * XSTATE_BV = 0 lets XRSTOR initialise everything but MXCSR, which it
	 * always takes from memory; FXRSTOR takes FCW from there too.
	 */
	memset(fx, 0, sizeof(*fx));
	fx->cwd = FCW_INIT;
	fx->mxcsr = MXCSR_INIT;
	if (fpu->mask)
		memset(&fpu->area->header, 0, sizeof(fpu->area->header));
}

/**
 * mvm_fpu_init - give a vCPU its registers, as they are after a reset
 * @fpu: filled; to be undone by mvm_fpu_destroy()
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int mvm_fpu_init(struct mvm_fpu *fpu)
{
	struct mvm_cpuid_limits lim;
	u32 size = BYTES_OF_FXSAVE;

	memset(fpu, 0, sizeof(*fpu));
	fpu->host_xcr0 = read_host_xcr0();
	mvm_cpuid_limits_init(&lim, cpuid_of_host, fpu->host_xcr0);
	fpu->mask = lim.xcr0_mask;
	if (fpu->mask)
		size = mvm_cpuid_xsave_size(&lim, fpu->mask, false);

	/* Powers of two are aligned to their size; XSAVE wants 64 bytes. */
	fpu->area = kzalloc(roundup_pow_of_two(size), GFP_KERNEL_ACCOUNT);
	if (!fpu->area)
		return -ENOMEM;

	reset_area(fpu);
	/* SDM Vol. 3, "Processor State After Reset": also without XSAVE */
	fpu->xcr0 = MVM_XCR0_X87;
	return 0;
}

/**
 * mvm_fpu_destroy - undo mvm_fpu_init()
 * @fpu: not loaded; may be all zeros
 */
void mvm_fpu_destroy(struct mvm_fpu *fpu)
{
	/* What the guest had in its registers may be a key. */
	kfree_sensitive(fpu->area);
	fpu->area = NULL;
}

/**
 * mvm_fpu_load - put a vCPU's registers and XCR0 into the CPU
 * @fpu: whose
 *
 * Context: between kernel_fpu_begin() and kernel_fpu_end(). The guest's XCR0
 * stays in force until mvm_fpu_store(), also in interrupts: none of them may
 * use the FPU while the kernel holds it to be in use.
 */
void mvm_fpu_load(struct mvm_fpu *fpu)
{
	if (unlikely(restore(fpu))) {
		WARN_ONCE(1, "minivmm: a guest's FPU state is not valid; it was reset\n");
		reset_area(fpu);
		restore(fpu);
	}
	/* After XRSTOR, which may load no more than XCR0 has. */
	if (fpu->mask && fpu->xcr0 != fpu->host_xcr0)
		xsetbv(XCR0, fpu->xcr0);
	fpu->loaded = true;
}

/**
 * mvm_fpu_store - take a vCPU's registers out of the CPU
 * @fpu: loaded by mvm_fpu_load()
 *
 * Context: between kernel_fpu_begin() and kernel_fpu_end().
 */
void mvm_fpu_store(struct mvm_fpu *fpu)
{
	fpu->loaded = false;
	if (!fpu->mask) {
		fxsave(&fpu->area->i387);
		return;
	}
	if (fpu->xcr0 != fpu->host_xcr0)
		xsetbv(XCR0, fpu->host_xcr0);
	xsave(fpu->area, fpu->mask);
}

/**
 * mvm_fpu_set_xcr0 - change a guest's XCR0
 * @fpu: whose; loaded or not
 * @xcr0: the new value, for which mvm_fpu_xcr0_valid() holds
 *
 * Context: if loaded, as mvm_fpu_load().
 */
void mvm_fpu_set_xcr0(struct mvm_fpu *fpu, u64 xcr0)
{
	fpu->xcr0 = xcr0;
	if (fpu->loaded && fpu->mask)
		xsetbv(XCR0, xcr0);
}

/**
 * mvm_fpu_get - the registers in the layout of KVM_GET_FPU
 * @fpu: not loaded
 * @out: filled
 *
 * MXCSR is filled in too, which KVM leaves at 0.
 */
void mvm_fpu_get(const struct mvm_fpu *fpu, struct kvm_fpu *out)
{
	const struct fxregs_state *fx = &fpu->area->i387;

	BUILD_BUG_ON(sizeof(out->fpr) != sizeof(fx->st_space));
	BUILD_BUG_ON(sizeof(out->xmm) != sizeof(fx->xmm_space));

	memcpy(out->fpr, fx->st_space, sizeof(out->fpr));
	out->fcw = fx->cwd;
	out->fsw = fx->swd;
	out->ftwx = fx->twd;
	out->pad1 = 0;
	out->last_opcode = fx->fop;
	out->last_ip = fx->rip;
	out->last_dp = fx->rdp;
	memcpy(out->xmm, fx->xmm_space, sizeof(out->xmm));
	out->mxcsr = fx->mxcsr;
	out->pad2 = 0;
}

/**
 * mvm_fpu_set - the registers from the layout of KVM_SET_FPU
 * @fpu: not loaded
 * @in: the registers
 *
 * MXCSR is not taken, as KVM does not take it: programs leave it at 0, which
 * would unmask every SSE exception. Nothing else in the layout can make XRSTOR
 * fault. The upper halves of the AVX registers stay as they are.
 */
void mvm_fpu_set(struct mvm_fpu *fpu, const struct kvm_fpu *in)
{
	struct fxregs_state *fx = &fpu->area->i387;

	memcpy(fx->st_space, in->fpr, sizeof(in->fpr));
	fx->cwd = in->fcw;
	fx->swd = in->fsw;
	fx->twd = in->ftwx;
	fx->fop = in->last_opcode;
	fx->rip = in->last_ip;
	fx->rdp = in->last_dp;
	memcpy(fx->xmm_space, in->xmm, sizeof(in->xmm));
	/* Or XRSTOR would initialise what the guest had not used before. */
	if (fpu->mask)
		fpu->area->header.xfeatures |= MVM_XCR0_X87 | MVM_XCR0_SSE;
}
