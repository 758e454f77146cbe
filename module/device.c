// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/minivmm and its system calls: KVM's system descriptor.
 */
#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../uapi/linux/minivmm.h"
#include "memory/slot.h"
#include "mvm.h"
#include "vmx/vmx.h"

/**
 * mvm_check_extension() - KVM_CHECK_EXTENSION
 * @extension: KVM_CAP_*
 *
 * Return: 0 for what is not there, and for what nobody knows.
 */
int mvm_check_extension(long extension)
{
	switch (extension) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_SYNC_MMU:
	case KVM_CAP_SET_TSS_ADDR:
	case KVM_CAP_SET_IDENTITY_MAP_ADDR:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_USER_NMI:
	case KVM_CAP_VCPU_EVENTS:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_BINARY_STATS_FD:
	case KVM_CAP_CHECK_EXTENSION_VM:
		return 1;
	case KVM_CAP_SET_GUEST_DEBUG2:
		return KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |
		       KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP |
		       KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP |
		       KVM_GUESTDBG_BLOCKIRQ;
	case KVM_CAP_INTR_SHADOW:
		return KVM_X86_SHADOW_INT_MOV_SS | KVM_X86_SHADOW_INT_STI;
	case KVM_CAP_NR_MEMSLOTS:
		return MVM_NR_SLOTS;
	case KVM_CAP_NR_VCPUS:
		return min_t(unsigned int, num_online_cpus(), MVM_MAX_VCPUS);
	case KVM_CAP_MAX_VCPUS:
		return MVM_MAX_VCPUS;
	case KVM_CAP_MAX_VCPU_ID:
		return MVM_MAX_VCPU_ID;
	}
	return 0;
}

/* KVM_GET_MSR_INDEX_LIST: the count is told even if the list does not fit. */
static int get_msr_index_list(struct kvm_msr_list __user *user)
{
	u32 room;

	if (get_user(room, &user->nmsrs) || put_user(mvm_nr_msrs, &user->nmsrs))
		return -EFAULT;
	if (room < mvm_nr_msrs)
		return -E2BIG;
	if (copy_to_user(user->indices, mvm_msr_list,
			 mvm_nr_msrs * sizeof(*mvm_msr_list)))
		return -EFAULT;
	return 0;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return mvm_vm_create(arg);
	case KVM_CHECK_EXTENSION:
		return mvm_check_extension(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : MVM_VCPU_PAGES * PAGE_SIZE;
	case KVM_GET_SUPPORTED_CPUID:
		return mvm_get_supported_cpuid((void __user *)arg);
	case MINIVMM_GET_VERSION:
		return arg ? -EINVAL : MINIVMM_VERSION;
	case KVM_GET_MSR_INDEX_LIST:
		return get_msr_index_list((void __user *)arg);
	}
	return -EINVAL;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	/* The structures are the same for 32-bit programs. */
	.compat_ioctl = device_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "minivmm",
	.fops = &device_fops,
	/* The udev rule gives it to group kvm. */
	.mode = 0660,
};

/**
 * mvm_device_register() - make /dev/minivmm appear
 *
 * Return: 0 or an errno.
 */
int mvm_device_register(void)
{
	return misc_register(&device);
}

/**
 * mvm_device_unregister() - undo mvm_device_register()
 */
void mvm_device_unregister(void)
{
	misc_deregister(&device);
}
