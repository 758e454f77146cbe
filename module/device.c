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
#include <asm/msr.h>

#include "../uapi/linux/minivmm.h"
#include "memory/slot.h"
#include "compat.h"
#include "mvm.h"
#include "vmx/vmx.h"

/**
 * mvm_check_extension() - KVM_CHECK_EXTENSION
 * @extension: KVM_CAP_*
 *
 * tests/conformance/capability.c has a row for each, with the test that uses it.
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
	case KVM_CAP_DEBUGREGS:
	case KVM_CAP_XSAVE:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_SREGS2:
	case KVM_CAP_GET_TSC_KHZ:
	case KVM_CAP_CLOCKSOURCE:
	case KVM_CAP_NOP_IO_DELAY:
	case KVM_CAP_KVMCLOCK_CTRL:
	case KVM_CAP_TSC_DEADLINE_TIMER:
	case KVM_CAP_GET_MSR_FEATURES:
	case KVM_CAP_EXT_EMUL_CPUID:
	case KVM_CAP_SYS_ATTRIBUTES:
	case KVM_CAP_VCPU_ATTRIBUTES:
	case KVM_CAP_ENABLE_CAP:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_X86_USER_SPACE_MSR:
	case KVM_CAP_X86_MSR_FILTER:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_IRQ_INJECT_STATUS:
	case KVM_CAP_IRQFD:
	case KVM_CAP_IRQFD_RESAMPLE:
	case KVM_CAP_SPLIT_IRQCHIP:
	case KVM_CAP_SET_BOOT_CPU_ID:
	case KVM_CAP_IOAPIC_POLARITY_IGNORED:
	case KVM_CAP_HLT:
	case KVM_CAP_PIT:
	case KVM_CAP_PIT2:
	case KVM_CAP_PIT_STATE2:
	case KVM_CAP_REINJECT_CONTROL:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IOEVENTFD_NO_LENGTH:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_COALESCED_PIO:
	case KVM_CAP_MMU_SHADOW_CACHE_CONTROL:
		return 1;
	case KVM_CAP_COALESCED_MMIO:
		return KVM_COALESCED_MMIO_PAGE_OFFSET;
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET;
	case KVM_CAP_SET_GUEST_DEBUG2:
		return KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |
		       KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP |
		       KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP |
		       KVM_GUESTDBG_BLOCKIRQ;
	case KVM_CAP_INTR_SHADOW:
		return KVM_X86_SHADOW_INT_MOV_SS | KVM_X86_SHADOW_INT_STI;
	case KVM_CAP_XSAVE2:
		return sizeof(struct kvm_xsave);
	case KVM_CAP_XCRS:
		return mvm_cpuid_limits.xcr0_mask != 0;
	case KVM_CAP_ADJUST_CLOCK:
		return MVM_CLOCK_FLAGS;
	case KVM_CAP_SYNC_REGS:
		return KVM_SYNC_X86_VALID_FIELDS;
	case KVM_CAP_MCE:
		return MVM_MCE_BANKS;
	case KVM_CAP_IRQ_ROUTING:
		return MVM_MAX_IRQ_ROUTES;
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

/*
 * MSRs whose value is the host's to tell, whatever a VM does: the calls for
 * them are on the system descriptor. VMX is not shown to guests, and there are
 * no performance counters.
 */
static const u32 feature_msrs[] = { MSR_IA32_UCODE_REV, MSR_IA32_PERF_CAPABILITIES };

/* KVM_GET_MSR_FEATURE_INDEX_LIST: as KVM_GET_MSR_INDEX_LIST */
static int get_msr_feature_index_list(struct kvm_msr_list __user *user)
{
	const u32 n = ARRAY_SIZE(feature_msrs);
	u32 room;

	if (get_user(room, &user->nmsrs) || put_user(n, &user->nmsrs))
		return -EFAULT;
	if (room < n)
		return -E2BIG;
	return copy_to_user(user->indices, feature_msrs, sizeof(feature_msrs)) ?
	       -EFAULT : 0;
}

/* KVM_GET_MSRS. Return: how many there were before the first that is unknown. */
static int get_feature_msrs(struct kvm_msrs __user *user)
{
	struct kvm_msr_entry *entries;
	struct kvm_msrs head;
	size_t size;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs >= MVM_MAX_IO_MSRS)
		return -E2BIG;
	size = head.nmsrs * sizeof(*entries);
	entries = memdup_user(user->entries, size);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	for (i = 0; i < head.nmsrs; i++) {
		if (entries[i].index == MSR_IA32_PERF_CAPABILITIES)
			entries[i].data = 0;
		else if (entries[i].index == MSR_IA32_UCODE_REV)
			rdmsrl_safe(MSR_IA32_UCODE_REV, &entries[i].data);
		else
			break;
	}
	if (copy_to_user(user->entries, entries, size))
		i = -EFAULT;
	kfree(entries);
	return i;
}

static int device_attr(unsigned int cmd, void __user *user)
{
	struct kvm_device_attr attr;

	if (copy_from_user(&attr, user, sizeof(attr)))
		return -EFAULT;
	if (attr.group || attr.attr != KVM_X86_XCOMP_GUEST_SUPP)
		return -ENXIO;
	if (cmd == KVM_HAS_DEVICE_ATTR)
		return 0;
	return put_user(mvm_cpuid_limits.xcr0_mask,
			(u64 __user *)u64_to_user_ptr(attr.addr));
}

static int get_mce_cap(u64 __user *user)
{
	return put_user(MVM_MCE_CAP_SUPPORTED, user);
}

static int get_capability(void __user *user)
{
	struct minivmm_capability capability;

	mvm_vmx_show_capability(&capability);
	return copy_to_user(user, &capability, sizeof(capability)) ? -EFAULT : 0;
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
	case MINIVMM_GET_CAPABILITY:
		return get_capability((void __user *)arg);
	case KVM_GET_MSR_INDEX_LIST:
		return get_msr_index_list((void __user *)arg);
	case KVM_GET_EMULATED_CPUID:
		return mvm_get_emulated_cpuid((void __user *)arg);
	case KVM_GET_MSR_FEATURE_INDEX_LIST:
		return get_msr_feature_index_list((void __user *)arg);
	case KVM_GET_MSRS:
		return get_feature_msrs((void __user *)arg);
	case KVM_GET_DEVICE_ATTR:
	case KVM_HAS_DEVICE_ATTR:
		return device_attr(cmd, (void __user *)arg);
	case KVM_X86_GET_MCE_CAP_SUPPORTED:
		return get_mce_cap((void __user *)arg);
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
