// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_X86_SET_MSR_FILTER: which MSRs the guests of a VM may access. What is
 * denied raises #GP, or is user space's to emulate (KVM_CAP_X86_USER_SPACE_MSR).
 */
#include <linux/bitops.h>
#include <linux/kvm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/kvm.h>

#include "mvm.h"

/**
 * struct mvm_msr_filter - what KVM_X86_SET_MSR_FILTER told
 * @allow: what is in no range is allowed
 * @nr: how many ranges there are
 * @ranges: as told, but that @bitmap is in the kernel
 */
struct mvm_msr_filter {
	bool allow;
	u32 nr;
	struct {
		u32 flags, base, nmsrs;
		unsigned long *bitmap;
	} ranges[KVM_MSR_FILTER_MAX_RANGES];
};

static void free_filter(struct mvm_msr_filter *f)
{
	u32 i;

	if (!f)
		return;
	for (i = 0; i < f->nr; i++)
		kfree(f->ranges[i].bitmap);
	kfree(f);
}

static int add_msr_range(struct mvm_msr_filter *f, const struct kvm_msr_filter_range *r)
{
	size_t size = BITS_TO_LONGS((u64)r->nmsrs) * sizeof(long);
	unsigned long *bitmap;

	if (!r->nmsrs)
		return 0;
	if (!r->flags || r->flags & ~(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE) ||
	    size > KVM_MSR_FILTER_MAX_BITMAP_SIZE)
		return -EINVAL;
	bitmap = memdup_user((void __user *)r->bitmap, size);
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	f->ranges[f->nr].flags = r->flags;
	f->ranges[f->nr].base = r->base;
	f->ranges[f->nr].nmsrs = r->nmsrs;
	f->ranges[f->nr++].bitmap = bitmap;
	return 0;
}

/**
 * mvm_vm_set_msr_filter() - KVM_X86_SET_MSR_FILTER
 * @vm: the VM
 * @filter: the new one; its bitmaps are in user space
 *
 * It holds from each vCPU's next KVM_RUN on, at the latest. May sleep.
 *
 * Return: 0; -EINVAL, -EFAULT, -ENOMEM.
 */
int mvm_vm_set_msr_filter(struct mvm_vm *vm, const struct kvm_msr_filter *filter)
{
	struct mvm_msr_filter *new, *old;
	int i, ret = 0;

	if (filter->flags & ~KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->allow = !(filter->flags & KVM_MSR_FILTER_DEFAULT_DENY);
	for (i = 0; i < KVM_MSR_FILTER_MAX_RANGES && !ret; i++)
		ret = add_msr_range(new, &filter->ranges[i]);
	/* To deny all of them, there must be a range. */
	if (!ret && !new->nr && !new->allow)
		ret = -EINVAL;
	if (ret) {
		free_filter(new);
		return ret;
	}
	if (!new->nr) {
		free_filter(new);
		new = NULL;
	}
	mutex_lock(&vm->lock);
	old = rcu_replace_pointer(vm->msr_filter, new, lockdep_is_held(&vm->lock));
	mutex_unlock(&vm->lock);
	synchronize_rcu();
	free_filter(old);
	return 0;
}

/**
 * mvm_vm_free_msr_filter() - the end of a VM's filter
 * @vm: used by nobody any more
 */
void mvm_vm_free_msr_filter(struct mvm_vm *vm)
{
	free_filter(rcu_dereference_protected(vm->msr_filter, true));
}

/**
 * mvm_msr_allowed() - may a guest access this MSR?
 * @vm: its VM
 * @index: which
 * @access: KVM_MSR_FILTER_READ or KVM_MSR_FILTER_WRITE
 *
 * The first range decides that has the MSR. x2APIC's MSRs are never filtered.
 *
 * Return: true if it may.
 */
bool mvm_msr_allowed(struct mvm_vm *vm, u32 index, u32 access)
{
	struct mvm_msr_filter *f;
	bool allowed = true;
	u32 i, n;

	if (!rcu_access_pointer(vm->msr_filter) || (index >= 0x800 && index <= 0x8ff))
		return true;
	rcu_read_lock();
	f = rcu_dereference(vm->msr_filter);
	if (f) {
		allowed = f->allow;
		for (i = 0; i < f->nr; i++) {
			n = index - f->ranges[i].base;
			if (n < f->ranges[i].nmsrs && f->ranges[i].flags & access) {
				allowed = test_bit(n, f->ranges[i].bitmap);
				break;
			}
		}
	}
	rcu_read_unlock();
	return allowed;
}
