// SPDX-License-Identifier: GPL-2.0
/*
 * One VM: its calls and its life.
 *
 * A VM lives as long as any descriptor of it or of its vCPUs, and each of
 * those holds a reference to the module. Its vCPUs live as long as the VM,
 * also those whose descriptor is closed: their numbers stay taken, as in KVM.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "compat.h"
#include "mvm.h"
#include "vmx/vmx.h"

static void vm_destroy(struct kref *refs)
{
	struct mvm_vm *vm = container_of(refs, struct mvm_vm, refs);
	struct mvm_vcpu *vcpu;
	unsigned long id;

	mvm_debugfs_remove_vm(vm);
	/* Its ticks go to vCPUs. */
	mvm_pit_destroy(vm);
	xa_for_each(&vm->vcpus, id, vcpu)
		mvm_vcpu_destroy(vcpu);
	xa_destroy(&vm->vcpus);
	/* The next VM may get the same EPT root: no CPU may remember this one. */
	mvm_vmx_flush_ept(&vm->memory);
	mvm_memory_destroy(&vm->memory);
	mvm_vmx_disable();
	free_cpumask_var(vm->ept_cpus);
	mvm_vm_free_msr_filter(vm);
	mvm_bus_destroy(vm);
	mvm_irqchip_destroy(vm);
	kfree(vm);
}

/**
 * mvm_vm_get() - one more user of a VM
 * @vm: the VM
 */
void mvm_vm_get(struct mvm_vm *vm)
{
	kref_get(&vm->refs);
}

/**
 * mvm_vm_put() - one user less; the last one ends it
 * @vm: the VM
 *
 * May sleep.
 */
void mvm_vm_put(struct mvm_vm *vm)
{
	kref_put(&vm->refs, vm_destroy);
}

static int set_user_memory_region(struct mvm_vm *vm, void __user *user)
{
	struct kvm_userspace_memory_region region;

	if (copy_from_user(&region, user, sizeof(region)))
		return -EFAULT;
	return mvm_memory_set_region(&vm->memory, &region);
}

/* A pointer in a structure; a 32-bit program's has four bytes of nothing behind. */
static void __user *pointer(void __user *p)
{
	return in_compat_syscall() ? compat_ptr((compat_uptr_t)(unsigned long)p) : p;
}

static int get_dirty_log(struct mvm_vm *vm, void __user *user)
{
	struct kvm_dirty_log log;

	if (copy_from_user(&log, user, sizeof(log)))
		return -EFAULT;
	return mvm_memory_get_dirty_log(&vm->memory, log.slot, pointer(log.dirty_bitmap));
}

static int clear_dirty_log(struct mvm_vm *vm, void __user *user)
{
	struct kvm_clear_dirty_log log;

	if (copy_from_user(&log, user, sizeof(log)))
		return -EFAULT;
	return mvm_memory_clear_dirty_log(&vm->memory, log.slot, log.first_page,
					  log.num_pages, pointer(log.dirty_bitmap));
}

static int ioeventfd(struct mvm_vm *vm, void __user *user)
{
	struct kvm_ioeventfd args;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	return mvm_vm_ioeventfd(vm, &args);
}

static int coalesced_zone(struct mvm_vm *vm, void __user *user, bool add)
{
	struct kvm_coalesced_mmio_zone zone;

	if (copy_from_user(&zone, user, sizeof(zone)))
		return -EFAULT;
	return mvm_vm_coalesced_zone(vm, &zone, add);
}

/* A limit for shadow page tables, of which there are none. KVM's least is 64. */
static int set_nr_mmu_pages(struct mvm_vm *vm, unsigned long pages)
{
	if (pages < 64)
		return -EINVAL;
	WRITE_ONCE(vm->mmu_pages, pages);
	return 0;
}

/* Where KVM may put three pages of its own; we need none, and check the same. */
static int set_tss_address(struct mvm_vm *vm, unsigned long address)
{
	if (address > (u32)(-3 * PAGE_SIZE))
		return -EINVAL;
	return 0;
}

static int set_identity_map_address(struct mvm_vm *vm, u64 __user *user)
{
	u64 address;
	int ret = -EINVAL;

	mutex_lock(&vm->lock);
	if (!vm->nr_vcpus)
		ret = copy_from_user(&address, user, sizeof(address)) ? -EFAULT : 0;
	mutex_unlock(&vm->lock);
	return ret;
}

/* Once, and before the first vCPU. */
static int set_max_vcpu_id(struct mvm_vm *vm, u64 max)
{
	int ret = 0;

	if (max > MVM_MAX_VCPU_ID)
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (!vm->max_vcpu_id && !vm->nr_vcpus)
		vm->max_vcpu_id = max;
	else if (max != (vm->max_vcpu_id ?: MVM_MAX_VCPU_ID))
		ret = -EINVAL;
	mutex_unlock(&vm->lock);
	return ret;
}

static int enable_cap(struct mvm_vm *vm, void __user *user)
{
	const u64 reasons = KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN |
			    KVM_MSR_EXIT_REASON_FILTER;
	struct kvm_enable_cap cap;

	if (copy_from_user(&cap, user, sizeof(cap)))
		return -EFAULT;
	if (cap.flags)
		return -EINVAL;
	switch (cap.cap) {
	case KVM_CAP_X86_USER_SPACE_MSR:
		if (cap.args[0] & ~reasons)
			return -EINVAL;
		WRITE_ONCE(vm->msr_exits, cap.args[0]);
		return 0;
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return mvm_memory_set_manual_log(&vm->memory, cap.args[0]);
	case KVM_CAP_SPLIT_IRQCHIP:
		return mvm_irqchip_split(vm, cap.args[0]);
	case KVM_CAP_MAX_VCPU_ID:
		return set_max_vcpu_id(vm, cap.args[0]);
	}
	return -EINVAL;
}

static int irqfd(struct mvm_vm *vm, void __user *user)
{
	struct kvm_irqfd args;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	return mvm_irqfd(vm, &args);
}

/* Any number: it need not become a vCPU. */
static int set_boot_cpu_id(struct mvm_vm *vm, unsigned long id)
{
	int ret = -EBUSY;

	mutex_lock(&vm->lock);
	if (!vm->nr_vcpus) {
		vm->bsp_id = id;
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static int create_pit(struct mvm_vm *vm, void __user *user)
{
	struct kvm_pit_config config;

	if (copy_from_user(&config, user, sizeof(config)))
		return -EFAULT;
	return mvm_pit_create(vm, config.flags);
}

/* Asks for the argument first, which KVM_GET_PIT2 does not: as in KVM. */
static int get_pit(struct mvm_vm *vm, void __user *user)
{
	struct kvm_pit_state state;

	if (copy_from_user(&state, user, sizeof(state)))
		return -EFAULT;
	return mvm_pit_get(vm, user, sizeof(state));
}

static int set_msr_filter(struct mvm_vm *vm, void __user *user)
{
	struct kvm_msr_filter filter;

	if (copy_from_user(&filter, user, sizeof(filter)))
		return -EFAULT;
	return mvm_vm_set_msr_filter(vm, &filter);
}

static int set_tsc_khz(struct mvm_vm *vm, unsigned long arg)
{
	u32 khz;
	int ret = mvm_check_tsc_khz(arg, &khz);

	if (!ret)
		WRITE_ONCE(vm->tsc_khz, khz);
	return ret;
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mvm_vm *vm = file->private_data;

	if (vm->memory.mm != current->mm)
		return -EIO;
	switch (cmd) {
	case KVM_CREATE_VCPU:
		return mvm_vcpu_create(vm, arg);
	case KVM_CREATE_IRQCHIP:
		return mvm_irqchip_create(vm);
	case KVM_GET_IRQCHIP:
		return mvm_irqchip_get_state(vm, (void __user *)arg);
	case KVM_SET_IRQCHIP:
		return mvm_irqchip_set_state(vm, (void __user *)arg);
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		return mvm_irqchip_line(vm, (void __user *)arg, cmd == KVM_IRQ_LINE_STATUS);
	case KVM_SET_GSI_ROUTING:
		return mvm_irqchip_set_routes(vm, (void __user *)arg);
	case KVM_IRQFD:
		return irqfd(vm, (void __user *)arg);
	case KVM_CREATE_PIT:
		return mvm_pit_create(vm, KVM_PIT_SPEAKER_DUMMY);
	case KVM_CREATE_PIT2:
		return create_pit(vm, (void __user *)arg);
	case KVM_GET_PIT:
		return get_pit(vm, (void __user *)arg);
	case KVM_SET_PIT:
		return mvm_pit_set(vm, (void __user *)arg, sizeof(struct kvm_pit_state));
	case KVM_GET_PIT2:
		return mvm_pit_get(vm, (void __user *)arg, sizeof(struct kvm_pit_state2));
	case KVM_SET_PIT2:
		return mvm_pit_set(vm, (void __user *)arg, sizeof(struct kvm_pit_state2));
	case KVM_REINJECT_CONTROL:
		return mvm_pit_set_reinject(vm, (void __user *)arg);
	case KVM_SET_BOOT_CPU_ID:
		return set_boot_cpu_id(vm, arg);
	case KVM_SET_USER_MEMORY_REGION:
		return set_user_memory_region(vm, (void __user *)arg);
	case KVM_GET_DIRTY_LOG:
		return get_dirty_log(vm, (void __user *)arg);
	case KVM_CLEAR_DIRTY_LOG:
		return clear_dirty_log(vm, (void __user *)arg);
	case KVM_IOEVENTFD:
		return ioeventfd(vm, (void __user *)arg);
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO:
		return coalesced_zone(vm, (void __user *)arg,
				      cmd == KVM_REGISTER_COALESCED_MMIO);
	case KVM_SET_NR_MMU_PAGES:
		return set_nr_mmu_pages(vm, arg);
	case KVM_GET_NR_MMU_PAGES:
		return READ_ONCE(vm->mmu_pages);
	case KVM_SET_TSS_ADDR:
		return set_tss_address(vm, arg);
	case KVM_SET_IDENTITY_MAP_ADDR:
		return set_identity_map_address(vm, (void __user *)arg);
	case KVM_GET_STATS_FD:
		return mvm_vm_stats_fd(vm);
	case KVM_CHECK_EXTENSION:
		return mvm_check_extension(arg);
	case KVM_ENABLE_CAP:
		return enable_cap(vm, (void __user *)arg);
	case KVM_X86_SET_MSR_FILTER:
		return set_msr_filter(vm, (void __user *)arg);
	case KVM_SIGNAL_MSI:
		return mvm_irqchip_msi(vm, (void __user *)arg);
	case KVM_GET_CLOCK:
		return mvm_clock_get(vm, (void __user *)arg);
	case KVM_SET_CLOCK:
		return mvm_clock_set(vm, (void __user *)arg);
	case KVM_GET_TSC_KHZ:
		return READ_ONCE(vm->tsc_khz);
	case KVM_SET_TSC_KHZ:
		return set_tsc_khz(vm, arg);
	}
	return -ENOTTY;
}

static int vm_release(struct inode *inode, struct file *file)
{
	/* Nobody can deassign one any more. */
	mvm_irqfd_release(file->private_data);
	mvm_vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = vm_ioctl,
	.llseek = noop_llseek,
};

/**
 * mvm_vm_create() - KVM_CREATE_VM
 * @type: must be 0
 *
 * Return: a descriptor, or an errno: that of mvm_vmx_enable() if VT-x cannot
 * be had.
 */
int mvm_vm_create(unsigned long type)
{
	struct mvm_ept_features features;
	struct file *file;
	struct mvm_vm *vm;
	int fd, ret;

	if (type)
		return -EINVAL;
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return -ENOMEM;
	kref_init(&vm->refs);
	mutex_init(&vm->lock);
	xa_init(&vm->vcpus);
	mvm_irqfd_init_vm(vm);
	/* Guests start with a TSC of zero, all vCPUs with the same. */
	vm->tsc_offset = -rdtsc();
	vm->tsc_khz = tsc_khz;
	mvm_clock_init(vm);
	ret = mvm_bus_init(vm);
	if (ret)
		goto free_vm;
	ret = -ENOMEM;
	if (!zalloc_cpumask_var(&vm->ept_cpus, GFP_KERNEL_ACCOUNT))
		goto free_bus;
	ret = mvm_vmx_enable();
	if (ret)
		goto free_mask;
	mvm_vmx_ept_features(&features);
	ret = mvm_memory_init(&vm->memory, &features, mvm_vmx_flush_ept,
			      mvm_vmx_collect_logs);
	if (ret)
		goto disable;

	/* From fd_install() on a thread that guesses the descriptor can close it. */
	fd = get_unused_fd_flags(O_CLOEXEC);
	ret = fd;
	if (fd < 0)
		goto put;
	file = anon_inode_getfile("minivmm-vm", &vm_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		put_unused_fd(fd);
		goto put;
	}
	mvm_debugfs_add_vm(vm, fd);
	fd_install(fd, file);
	return fd;

put:
	mvm_vm_put(vm);
	return ret;

disable:
	mvm_vmx_disable();
free_mask:
	free_cpumask_var(vm->ept_cpus);
free_bus:
	mvm_bus_destroy(vm);
free_vm:
	kfree(vm);
	return ret;
}
