// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of a vCPU for the state that KVM_GET_REGS, SREGS, FPU and MSRS
 * leave out. All are called with the vCPU's mutex held and the vCPU not loaded.
 */
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "mvm.h"
#include "vmx/vmx.h"
#include "x86/walk.h"

static int get_debugregs(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_debugregs regs;

	mvm_vmx_get_debugregs(vcpu, &regs);
	return copy_to_user(user, &regs, sizeof(regs)) ? -EFAULT : 0;
}

static int set_debugregs(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_debugregs regs;

	if (copy_from_user(&regs, user, sizeof(regs)))
		return -EFAULT;
	if (regs.flags || regs.dr6 >> 32 || regs.dr7 >> 32)
		return -EINVAL;
	mvm_vmx_attach(vcpu);
	mvm_vmx_set_debugregs(vcpu, &regs);
	mvm_vmx_detach(vcpu);
	return 0;
}

/* KVM_GET_XSAVE, and KVM_GET_XSAVE2: there is no more than 4096 bytes hold. */
static int get_xsave(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_xsave *xsave = kmalloc(sizeof(*xsave), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!xsave)
		return -ENOMEM;
	mvm_fpu_get_xsave(&vcpu->fpu, xsave, vcpu->xcr0_allowed);
	ret = copy_to_user(user, xsave, sizeof(*xsave)) ? -EFAULT : 0;
	kfree(xsave);
	return ret;
}

static int set_xsave(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_xsave *xsave = memdup_user(user, sizeof(*xsave));
	int ret;

	if (IS_ERR(xsave))
		return PTR_ERR(xsave);
	ret = mvm_fpu_set_xsave(&vcpu->fpu, xsave);
	kfree(xsave);
	return ret;
}

static int get_xcrs(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_xcrs xcrs = { };

	if (vcpu->fpu.mask) {
		xcrs.nr_xcrs = 1;
		xcrs.xcrs[0].value = vcpu->fpu.xcr0;
	}
	return copy_to_user(user, &xcrs, sizeof(xcrs)) ? -EFAULT : 0;
}

static int set_xcr0(struct mvm_vcpu *vcpu, u64 xcr0)
{
	if (!mvm_fpu_xcr0_valid(xcr0, vcpu->xcr0_allowed))
		return -EINVAL;
	mvm_vmx_attach(vcpu);
	mvm_fpu_set_xcr0(&vcpu->fpu, xcr0);
	/* CPUID shows the size of the area that it makes. */
	mvm_vcpu_update_cpuid(vcpu, mvm_vmx_read_cr4(vcpu));
	mvm_vmx_detach(vcpu);
	return 0;
}

static int set_xcrs(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_xcrs xcrs;
	u32 i;

	if (copy_from_user(&xcrs, user, sizeof(xcrs)))
		return -EFAULT;
	if (!vcpu->fpu.mask || xcrs.nr_xcrs > KVM_MAX_XCRS || xcrs.flags)
		return -EINVAL;
	/* There is but one. Others are ignored, as in KVM. */
	for (i = 0; i < xcrs.nr_xcrs; i++)
		if (xcrs.xcrs[i].xcr == 0)
			return set_xcr0(vcpu, xcrs.xcrs[i].value);
	return 0;
}

static int get_mp_state(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_mp_state state = { .mp_state = mvm_get_mp_state(vcpu) };

	return copy_to_user(user, &state, sizeof(state)) ? -EFAULT : 0;
}

static int set_mp_state(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_mp_state state;

	if (copy_from_user(&state, user, sizeof(state)))
		return -EFAULT;
	return mvm_set_mp_state(vcpu, state.mp_state);
}

/* struct kvm_sregs2 has flags and PDPTEs where the other has the bitmap. */
#define SREGS_COMMON	offsetof(struct kvm_sregs, interrupt_bitmap)

static int get_sregs2(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_sregs2 sregs2 = { };
	struct kvm_sregs sregs = { };

	BUILD_BUG_ON(SREGS_COMMON != offsetof(struct kvm_sregs2, flags));

	mvm_vmx_attach(vcpu);
	mvm_vmx_get_sregs(vcpu, &sregs);
	if (mvm_pae_paging(sregs.cr0, sregs.cr4, sregs.efer)) {
		mvm_vmx_read_pdptes(sregs2.pdptrs);
		sregs2.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	}
	mvm_vmx_detach(vcpu);
	memcpy(&sregs2, &sregs, SREGS_COMMON);
	return copy_to_user(user, &sregs2, sizeof(sregs2)) ? -EFAULT : 0;
}

static int set_sregs2(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_sregs2 sregs2;
	struct kvm_sregs sregs = { };
	bool pdptes;

	if (copy_from_user(&sregs2, user, sizeof(sregs2)))
		return -EFAULT;
	pdptes = sregs2.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID;
	if (sregs2.flags & ~KVM_SREGS2_FLAGS_PDPTRS_VALID ||
	    (pdptes && !mvm_pae_paging(sregs2.cr0, sregs2.cr4, sregs2.efer)))
		return -EINVAL;
	memcpy(&sregs, &sregs2, SREGS_COMMON);
	return mvm_vcpu_set_sregs(vcpu, &sregs, pdptes ? sregs2.pdptrs : NULL);
}

/* KVM's tolerance: a rate this close to the host's needs no scaling. */
#define TSC_TOLERANCE_PPM	250

/**
 * mvm_check_tsc_khz() - the argument of KVM_SET_TSC_KHZ
 * @arg: in kHz; 0 is the host's
 * @khz: what KVM_GET_TSC_KHZ answers from now on
 *
 * The TSC is not scaled: a guest's runs as fast as the host's.
 *
 * Return: 0, or -EINVAL for another rate.
 */
int mvm_check_tsc_khz(unsigned long arg, u32 *khz)
{
	u64 wanted = (u32)arg ?: tsc_khz;

	if (wanted * 1000000 < (u64)tsc_khz * (1000000 - TSC_TOLERANCE_PPM) ||
	    wanted * 1000000 > (u64)tsc_khz * (1000000 + TSC_TOLERANCE_PPM))
		return -EINVAL;
	*khz = wanted;
	return 0;
}

static int read_guest(void *ctx, u64 gpa, void *buf, size_t len)
{
	return mvm_memory_read(ctx, gpa, buf, len);
}

static int translate(struct mvm_vcpu *vcpu, void __user *user)
{
	const struct mvm_walk_memory memory = {
		.read = read_guest, .ctx = &vcpu->vm->memory,
	};
	struct kvm_translation tr;
	struct mvm_walk_fault fault;
	struct mvm_walk_mmu mmu;
	u64 pdpte[4], gpa;

	if (copy_from_user(&tr, user, sizeof(tr)))
		return -EFAULT;
	mvm_vmx_attach(vcpu);
	mvm_vmx_get_mmu(vcpu, &mmu, pdpte);
	mvm_vmx_detach(vcpu);
	/* Where it leads, not who may go there */
	mmu.cpl = 0;
	mmu.cr4 &= ~X86_CR4_SMAP;
	tr.valid = !mvm_walk(&mmu, &memory, tr.linear_address, MVM_ACCESS_READ,
			     &gpa, &fault);
	tr.physical_address = tr.valid ? gpa : ~0ULL;
	/* KVM answers these two in every case. */
	tr.writeable = 1;
	tr.usermode = 0;
	return copy_to_user(user, &tr, sizeof(tr)) ? -EFAULT : 0;
}

static int device_attr(struct mvm_vcpu *vcpu, unsigned int cmd, void __user *user)
{
	struct kvm_device_attr attr;
	u64 __user *where;
	u64 offset;

	if (copy_from_user(&attr, user, sizeof(attr)))
		return -EFAULT;
	if (attr.group != KVM_VCPU_TSC_CTRL || attr.attr != KVM_VCPU_TSC_OFFSET)
		return -ENXIO;
	if (cmd == KVM_HAS_DEVICE_ATTR)
		return 0;
	where = u64_to_user_ptr(attr.addr);
	if (cmd == KVM_SET_DEVICE_ATTR && get_user(offset, where))
		return -EFAULT;
	mvm_vmx_attach(vcpu);
	if (cmd == KVM_SET_DEVICE_ATTR)
		mvm_vmx_set_tsc_offset(vcpu, offset);
	else
		offset = vcpu->clock.tsc_offset;
	mvm_vmx_detach(vcpu);
	if (cmd == KVM_GET_DEVICE_ATTR && put_user(offset, where))
		return -EFAULT;
	return 0;
}

/* No capability of KVM's that is switched on by vCPU is here. */
static int enable_cap(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_enable_cap cap;

	return copy_from_user(&cap, user, sizeof(cap)) ? -EFAULT : -EINVAL;
}

static int setup_mce(struct mvm_vcpu *vcpu, void __user *user)
{
	u64 cap;

	if (copy_from_user(&cap, user, sizeof(cap)))
		return -EFAULT;
	return mvm_msrs_setup_mce(&vcpu->msrs, cap);
}

/*
 * The registers in kvm_run. User space can write there at any time: what is
 * checked and what is used must be one copy. Behind the barrier the compiler
 * cannot read the shared page again in place of the copy.
 */
static void copy_from_run(void *to, const void *shared, size_t size)
{
	memcpy(to, shared, size);
	barrier();
}

static int take_changed_regs(struct mvm_vcpu *vcpu, u64 dirty)
{
	struct kvm_run *run = vcpu->run;

	if (dirty & KVM_SYNC_X86_REGS) {
		struct kvm_regs regs;

		copy_from_run(&regs, &run->s.regs.regs, sizeof(regs));
		mvm_vmx_attach(vcpu);
		mvm_vmx_set_regs(vcpu, &regs);
		mvm_vmx_detach(vcpu);
		run->kvm_dirty_regs &= ~KVM_SYNC_X86_REGS;
	}
	if (dirty & KVM_SYNC_X86_SREGS) {
		struct kvm_sregs sregs;

		copy_from_run(&sregs, &run->s.regs.sregs, sizeof(sregs));
		if (mvm_vcpu_set_sregs(vcpu, &sregs, NULL))
			return -EINVAL;
		run->kvm_dirty_regs &= ~KVM_SYNC_X86_SREGS;
	}
	if (dirty & KVM_SYNC_X86_EVENTS) {
		struct kvm_vcpu_events events;
		int ret;

		copy_from_run(&events, &run->s.regs.events, sizeof(events));
		mvm_vmx_attach(vcpu);
		ret = mvm_vmx_set_events(vcpu, &events);
		mvm_vmx_detach(vcpu);
		if (ret)
			return -EINVAL;
		run->kvm_dirty_regs &= ~KVM_SYNC_X86_EVENTS;
	}
	return 0;
}

/**
 * mvm_vcpu_take_regs() - KVM_RUN begins: kvm_dirty_regs
 * @vcpu: the vCPU, its mutex held, not loaded
 *
 * The bit of each set of registers that was taken is cleared.
 *
 * Return: 0; -EINVAL for sets that are not there, or values that are refused.
 */
int mvm_vcpu_take_regs(struct mvm_vcpu *vcpu)
{
	u64 dirty = READ_ONCE(vcpu->run->kvm_dirty_regs);

	if ((dirty | READ_ONCE(vcpu->run->kvm_valid_regs)) & ~KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	return likely(!dirty) ? 0 : take_changed_regs(vcpu, dirty);
}

/**
 * mvm_vcpu_show_regs() - KVM_RUN ends: kvm_valid_regs
 * @vcpu: the vCPU, its mutex held, not loaded
 */
void mvm_vcpu_show_regs(struct mvm_vcpu *vcpu)
{
	u64 wanted = READ_ONCE(vcpu->run->kvm_valid_regs);
	struct kvm_sync_regs *regs = &vcpu->run->s.regs;

	if (likely(!wanted))
		return;
	mvm_vmx_attach(vcpu);
	if (wanted & KVM_SYNC_X86_REGS)
		mvm_vmx_get_regs(vcpu, &regs->regs);
	if (wanted & KVM_SYNC_X86_SREGS) {
		memset(&regs->sregs, 0, sizeof(regs->sregs));
		mvm_vmx_get_sregs(vcpu, &regs->sregs);
	}
	if (wanted & KVM_SYNC_X86_EVENTS)
		mvm_vmx_get_events(vcpu, &regs->events);
	mvm_vmx_detach(vcpu);
}

/*
 * KVM_SET_VAPIC_ADDR: where a guest shares its task priority with KVM. Nobody
 * shares it here; QEMU says so for each vCPU, and wants to be heard.
 */
static int set_vapic_addr(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_vapic_addr va;

	if (!vcpu->apic)
		return -EINVAL;
	if (copy_from_user(&va, user, sizeof(va)))
		return -EFAULT;
	return va.vapic_addr ? -EINVAL : 0;
}

/**
 * mvm_vcpu_state_call() - a call on a vCPU descriptor
 * @vcpu: the vCPU, its mutex held
 * @cmd: which
 * @user: its argument
 *
 * Return: what it answers; -EINVAL if there is no such call.
 */
long mvm_vcpu_state_call(struct mvm_vcpu *vcpu, unsigned int cmd, void __user *user)
{
	switch (cmd) {
	case KVM_GET_DEBUGREGS:
		return get_debugregs(vcpu, user);
	case KVM_SET_DEBUGREGS:
		return set_debugregs(vcpu, user);
	case KVM_GET_XSAVE:
	case KVM_GET_XSAVE2:
		return get_xsave(vcpu, user);
	case KVM_SET_XSAVE:
		return set_xsave(vcpu, user);
	case KVM_GET_XCRS:
		return get_xcrs(vcpu, user);
	case KVM_SET_XCRS:
		return set_xcrs(vcpu, user);
	case KVM_GET_MP_STATE:
		return get_mp_state(vcpu, user);
	case KVM_SET_MP_STATE:
		return set_mp_state(vcpu, user);
	case KVM_GET_SREGS2:
		return get_sregs2(vcpu, user);
	case KVM_SET_SREGS2:
		return set_sregs2(vcpu, user);
	case KVM_GET_LAPIC:
		return mvm_apic_get_state(vcpu, user);
	case KVM_SET_VAPIC_ADDR:
		return set_vapic_addr(vcpu, user);
	case KVM_SET_LAPIC:
		return mvm_apic_set_state(vcpu, user);
	case KVM_GET_TSC_KHZ:
		return vcpu->tsc_khz;
	case KVM_SET_TSC_KHZ:
		return mvm_check_tsc_khz((unsigned long)user, &vcpu->tsc_khz);
	case KVM_KVMCLOCK_CTRL:
		return mvm_clock_stopped(vcpu);
	case KVM_TRANSLATE:
		return translate(vcpu, user);
	case KVM_HAS_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_SET_DEVICE_ATTR:
		return device_attr(vcpu, cmd, user);
	case KVM_ENABLE_CAP:
		return enable_cap(vcpu, user);
	case KVM_X86_SETUP_MCE:
		return setup_mce(vcpu, user);
	}
	return -EINVAL;
}
