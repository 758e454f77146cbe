// SPDX-License-Identifier: GPL-2.0
/*
 * One vCPU: its calls and its life.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "../uapi/linux/minivmm.h"
#include "mvm.h"
#include "vmx/record.h"
#include "vmx/vmx.h"

static int get_regs(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_regs regs;

	mvm_vmx_attach(vcpu);
	mvm_vmx_get_regs(vcpu, &regs);
	mvm_vmx_detach(vcpu);
	return copy_to_user(user, &regs, sizeof(regs)) ? -EFAULT : 0;
}

static int set_regs(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_regs regs;

	if (copy_from_user(&regs, user, sizeof(regs)))
		return -EFAULT;
	mvm_vmx_attach(vcpu);
	mvm_vmx_set_regs(vcpu, &regs);
	mvm_vmx_detach(vcpu);
	return 0;
}

static int get_sregs(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_sregs sregs = { };

	mvm_vmx_attach(vcpu);
	mvm_vmx_get_sregs(vcpu, &sregs);
	mvm_vmx_detach(vcpu);
	return copy_to_user(user, &sregs, sizeof(sregs)) ? -EFAULT : 0;
}

/**
 * mvm_vcpu_apic_base_valid() - may IA32_APIC_BASE be set to this?
 * @vcpu: the vCPU
 * @value: the new value
 * @host: user space does it: it need not go through the modes one by one
 *
 * Return: true if it may.
 */
bool mvm_vcpu_apic_base_valid(struct mvm_vcpu *vcpu, u64 value, bool host)
{
	const struct mvm_cpuid *c = &vcpu->cpuid;

	if (!mvm_apic_base_valid(value, vcpu->maxphyaddr,
				 mvm_cpuid_has(c->entries, c->nent, MVM_FEATURE_X2APIC)))
		return false;
	return host || mvm_lapic_base_change_valid(vcpu->msrs.apic_base, value);
}

/*
 * What KVM refuses, and no more: programs set the registers in halves. Other
 * rules wait for the VM entry.
 */
static bool sregs_valid(struct mvm_vcpu *vcpu, const struct kvm_sregs *s)
{
	if (s->efer & EFER_LME && s->cr0 & X86_CR0_PG) {
		if (!(s->cr4 & X86_CR4_PAE) || !(s->efer & EFER_LMA) ||
		    s->cr3 >> vcpu->maxphyaddr)
			return false;
	} else if (s->efer & EFER_LMA || s->cs.l) {
		return false;
	}
	if (s->cr4 & vcpu->cr4_reserved)
		return false;
	if (s->cr0 >> 32 ||
	    (s->cr0 & (X86_CR0_PG | X86_CR0_PE)) == X86_CR0_PG ||
	    (s->cr0 & (X86_CR0_NW | X86_CR0_CD)) == X86_CR0_NW)
		return false;
	return mvm_vcpu_apic_base_valid(vcpu, s->apic_base, true);
}

/**
 * mvm_vcpu_set_sregs() - KVM_SET_SREGS, and the same part of KVM_SET_SREGS2
 * @vcpu: the vCPU, its mutex held, not loaded
 * @sregs: the new values, unchecked
 * @pdpte: the PDPTE registers, or NULL to read them where CR3 points
 *
 * Return: 0, or -EINVAL for what KVM refuses.
 */
int mvm_vcpu_set_sregs(struct mvm_vcpu *vcpu, const struct kvm_sregs *sregs,
		       const u64 pdpte[4])
{
	u64 from_memory[4];

	if (!sregs_valid(vcpu, sregs))
		return -EINVAL;
	/* If they cannot be read they are not present: the guest will tell. */
	if (!pdpte && mvm_pae_paging(sregs->cr0, sregs->cr4, sregs->efer)) {
		mvm_read_pdptes(vcpu, sregs->cr3, from_memory);
		pdpte = from_memory;
	}

	mvm_vmx_attach(vcpu);
	mvm_vmx_set_sregs(vcpu, sregs);
	if (pdpte)
		mvm_vmx_write_pdptes(pdpte);
	mvm_vcpu_update_cpuid(vcpu, sregs->cr4);
	mvm_vmx_detach(vcpu);
	return 0;
}

static int set_sregs(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_sregs sregs;

	if (copy_from_user(&sregs, user, sizeof(sregs)))
		return -EFAULT;
	return mvm_vcpu_set_sregs(vcpu, &sregs, NULL);
}

static int get_fpu(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_fpu fpu;

	mvm_fpu_get(&vcpu->fpu, &fpu);
	return copy_to_user(user, &fpu, sizeof(fpu)) ? -EFAULT : 0;
}

static int set_fpu(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_fpu fpu;

	if (copy_from_user(&fpu, user, sizeof(fpu)))
		return -EFAULT;
	mvm_fpu_set(&vcpu->fpu, &fpu);
	return 0;
}

/*
 * Return: how many were done before the first that a guest does not have, or
 * an errno.
 */
static int do_msrs(struct mvm_vcpu *vcpu, struct kvm_msrs __user *user, bool set)
{
	struct kvm_msr_entry few[8], *entries = few;
	struct kvm_msrs head;
	size_t size;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs >= MVM_MAX_IO_MSRS)
		return -E2BIG;
	size = head.nmsrs * sizeof(*entries);
	if (size > sizeof(few)) {
		entries = memdup_user(user->entries, size);
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	} else if (copy_from_user(few, user->entries, size)) {
		return -EFAULT;
	}

	mvm_vmx_attach(vcpu);
	for (i = 0; i < head.nmsrs; i++) {
		struct kvm_msr_entry *e = &entries[i];

		if (set ? mvm_vmx_set_msr(vcpu, e->index, e->data, true) :
			  mvm_vmx_get_msr(vcpu, e->index, &e->data, true))
			break;
	}
	mvm_vmx_detach(vcpu);
	if (!set && copy_to_user(user->entries, entries, size))
		i = -EFAULT;
	if (entries != few)
		kfree(entries);
	return i;
}

static int interrupt(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_interrupt irq;

	if (copy_from_user(&irq, user, sizeof(irq)))
		return -EFAULT;
	if (irq.irq >= KVM_NR_INTERRUPTS)
		return -EINVAL;
	if (!vcpu->apic) {
		mvm_vmx_interrupt(vcpu, irq.irq);
		return 0;
	}
	/* With a local APIC it is the interrupt of user space's PIC. */
	if (vcpu->vm->chips)
		return -ENXIO;
	if (vcpu->apic->extint >= 0)
		return -EEXIST;
	vcpu->apic->extint = irq.irq;
	vcpu->pending |= MVM_PENDING_APIC;
	return 0;
}

static int nmi(struct mvm_vcpu *vcpu)
{
	mvm_vmx_attach(vcpu);
	mvm_vmx_nmi(vcpu);
	mvm_vmx_detach(vcpu);
	return 0;
}

static int get_events(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_vcpu_events events;

	mvm_vmx_attach(vcpu);
	mvm_vmx_get_events(vcpu, &events);
	mvm_vmx_detach(vcpu);
	return copy_to_user(user, &events, sizeof(events)) ? -EFAULT : 0;
}

static int set_events(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_vcpu_events events;
	int ret;

	if (copy_from_user(&events, user, sizeof(events)))
		return -EFAULT;
	mvm_vmx_attach(vcpu);
	ret = mvm_vmx_set_events(vcpu, &events);
	mvm_vmx_detach(vcpu);
	return ret;
}

static int set_guest_debug(struct mvm_vcpu *vcpu, void __user *user)
{
	struct kvm_guest_debug dbg;
	int ret;

	if (copy_from_user(&dbg, user, sizeof(dbg)))
		return -EFAULT;
	mvm_vmx_attach(vcpu);
	ret = mvm_vmx_set_guest_debug(vcpu, &dbg);
	mvm_vmx_detach(vcpu);
	return ret;
}

static int set_signal_mask(struct mvm_vcpu *vcpu, struct kvm_signal_mask __user *user)
{
	struct kvm_signal_mask mask;

	if (!user) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (copy_from_user(&mask, user, sizeof(mask)))
		return -EFAULT;
	/* A 32-bit program's set is the same eight bytes on x86. */
	if (mask.len != sizeof(vcpu->sigset))
		return -EINVAL;
	if (copy_from_user(&vcpu->sigset, user->sigset, sizeof(vcpu->sigset)))
		return -EFAULT;
	sigdelsetmask(&vcpu->sigset, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset_active = true;
	return 0;
}

static long vcpu_call(struct mvm_vcpu *vcpu, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case KVM_RUN:
		return arg ? -EINVAL : mvm_vcpu_run(vcpu);
	case KVM_GET_REGS:
		return get_regs(vcpu, user);
	case KVM_SET_REGS:
		return set_regs(vcpu, user);
	case KVM_GET_SREGS:
		return get_sregs(vcpu, user);
	case KVM_SET_SREGS:
		return set_sregs(vcpu, user);
	case KVM_GET_FPU:
		return get_fpu(vcpu, user);
	case KVM_SET_FPU:
		return set_fpu(vcpu, user);
	case KVM_GET_MSRS:
		return do_msrs(vcpu, user, false);
	case KVM_SET_MSRS:
		return do_msrs(vcpu, user, true);
	case KVM_SET_CPUID2:
		return mvm_vcpu_set_cpuid2(vcpu, user);
	case KVM_GET_CPUID2:
		return mvm_vcpu_get_cpuid2(vcpu, user);
	case KVM_INTERRUPT:
		return interrupt(vcpu, user);
	case KVM_NMI:
		return nmi(vcpu);
	case KVM_GET_VCPU_EVENTS:
		return get_events(vcpu, user);
	case KVM_SET_VCPU_EVENTS:
		return set_events(vcpu, user);
	case KVM_SET_GUEST_DEBUG:
		return set_guest_debug(vcpu, user);
	case KVM_SET_SIGNAL_MASK:
		return set_signal_mask(vcpu, user);
	case KVM_GET_STATS_FD:
		return mvm_vcpu_stats_fd(vcpu);
	case MINIVMM_STOP_AT:
		return mvm_vcpu_stop_at(vcpu, user);
	case MINIVMM_EXPLAIN:
		return mvm_vcpu_explain(vcpu, user);
	case MINIVMM_TRACE:
		return mvm_vmx_record(vcpu, arg);
	}
	return mvm_vcpu_state_call(vcpu, cmd, user);
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mvm_vcpu *vcpu = file->private_data;
	long ret;

	/* Open to those who look at others' VMs. */
	if (cmd == MINIVMM_GET_VMCS)
		return mvm_vcpu_get_vmcs(vcpu, (void __user *)arg);
	if (vcpu->vm->memory.mm != current->mm)
		return -EIO;
	/* Neither KVM's nor ours: no reason to wait for the vCPU. */
	if (_IOC_TYPE(cmd) != KVMIO && _IOC_TYPE(cmd) != MINIVMMIO)
		return -EINVAL;
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	ret = vcpu_call(vcpu, cmd, arg);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

static vm_fault_t vcpu_fault(struct vm_fault *vmf)
{
	struct mvm_vcpu *vcpu = vmf->vma->vm_file->private_data;
	struct page *page = NULL;

	if (vmf->pgoff < MVM_VCPU_PAGES)
		page = vcpu->pages[vmf->pgoff];
	else if (vmf->pgoff >= MINIVMM_TRACE_PAGE)
		page = mvm_vmx_record_page(vcpu, vmf->pgoff - MINIVMM_TRACE_PAGE);
	if (!page)
		return VM_FAULT_SIGBUS;
	vmf->page = page;
	get_page(page);
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct mvm_vcpu *vcpu = file->private_data;

	mvm_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

static void free_pages_of(struct mvm_vcpu *vcpu)
{
	int i;

	for (i = 0; i < MVM_VCPU_PAGES; i++)
		if (vcpu->pages[i])
			put_page(vcpu->pages[i]);
}

/* Everything but its number in the VM */
static struct mvm_vcpu *vcpu_alloc(struct mvm_vm *vm, unsigned long id)
{
	struct mvm_vcpu *vcpu;
	int ret = -ENOMEM;
	int i;

	vcpu = kvzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->tsc_khz = READ_ONCE(vm->tsc_khz);
	mutex_init(&vcpu->mutex);
	mvm_times_init(&vcpu->times);
	get_page(vm->ring);
	vcpu->pages[MVM_RING_PAGE] = vm->ring;
	for (i = 0; i < MVM_RING_PAGE; i++) {
		vcpu->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!vcpu->pages[i])
			goto free;
	}
	vcpu->run = mvm_vcpu_page(vcpu, MVM_RUN_PAGE);
	mvm_msrs_reset(&vcpu->msrs, id == vm->bsp_id);
	ret = mvm_fpu_init(&vcpu->fpu);
	if (ret)
		goto free;
	mvm_vcpu_reset_cpuid(vcpu);
	ret = mvm_apic_create(vcpu);
	if (ret)
		goto free_fpu;
	ret = mvm_vmx_vcpu_create(vcpu);
	if (ret)
		goto free_apic;
	return vcpu;

free_apic:
	mvm_apic_destroy(vcpu);
free_fpu:
	mvm_fpu_destroy(&vcpu->fpu);
free:
	free_pages_of(vcpu);
	kvfree(vcpu);
	return ERR_PTR(ret);
}

/**
 * mvm_vcpu_destroy() - the end of a vCPU
 * @vcpu: used by nobody any more
 *
 * Pages that a program still has mapped stay until it unmaps them. May sleep.
 */
void mvm_vcpu_destroy(struct mvm_vcpu *vcpu)
{
	mvm_vmx_vcpu_destroy(vcpu);
	mvm_apic_destroy(vcpu);
	mvm_fpu_destroy(&vcpu->fpu);
	kvfree(vcpu->cpuid.entries);
	free_pages_of(vcpu);
	kvfree(vcpu);
}

/**
 * mvm_vcpu_create() - KVM_CREATE_VCPU
 * @vm: the VM
 * @id: its number
 *
 * Return: a descriptor; -EINVAL for a number that cannot be or when there are
 * too many, -EEXIST for one that is taken, -ENOMEM and others.
 */
int mvm_vcpu_create(struct mvm_vm *vm, unsigned long id)
{
	struct mvm_vcpu *vcpu;
	char name[32];
	int ret;

	if (id >= MVM_MAX_VCPU_ID)
		return -EINVAL;
	/* Counted first: from here on the VM's irqchip does not change. */
	mutex_lock(&vm->lock);
	ret = vm->nr_vcpus == MVM_MAX_VCPUS ||
	      (vm->max_vcpu_id && id >= vm->max_vcpu_id) ? -EINVAL : 0;
	if (!ret)
		vm->nr_vcpus++;
	mutex_unlock(&vm->lock);
	if (ret)
		return ret;

	vcpu = vcpu_alloc(vm, id);
	mutex_lock(&vm->lock);
	ret = PTR_ERR(vcpu);
	if (IS_ERR(vcpu))
		goto uncount;
	ret = -EEXIST;
	if (xa_load(&vm->vcpus, id))
		goto destroy;
	ret = xa_reserve(&vm->vcpus, id, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto destroy;

	mvm_vm_get(vm);
	snprintf(name, sizeof(name), "minivmm-vcpu:%lu", id);
	ret = anon_inode_getfd(name, &vcpu_fops, vcpu, O_RDWR | O_CLOEXEC);
	if (ret < 0) {
		/* The caller's descriptor holds the VM: this is not the last. */
		mvm_vm_put(vm);
		xa_release(&vm->vcpus, id);
		goto destroy;
	}
	/* Last: whoever finds it there, without a lock, finds it for good. */
	xa_store(&vm->vcpus, id, vcpu, GFP_KERNEL_ACCOUNT);
	mvm_debugfs_add_vcpu(vcpu);
	mutex_unlock(&vm->lock);
	return ret;

destroy:
	mvm_vcpu_destroy(vcpu);
uncount:
	vm->nr_vcpus--;
	mutex_unlock(&vm->lock);
	return ret;
}
