// SPDX-License-Identifier: GPL-2.0
/*
 * The calls around CPUID. What is in the tables is x86/cpuid.c's.
 */
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "compat.h"
#include "mvm.h"
#include "vmx/vmx.h"

/* CR4 bits that no guest has on this host, whatever its table says */
static u64 cr4_reserved_here;

/* The words of feature flags of which Linux keeps a copy, less what it switched off */
static const struct {
	u32 function, index;
	enum mvm_cpuid_reg reg;
	enum cpuid_leafs word;
} kernel_words[] = {
	{ 1, 0, MVM_EDX, CPUID_1_EDX },
	{ 1, 0, MVM_ECX, CPUID_1_ECX },
	{ 7, 0, MVM_EBX, CPUID_7_0_EBX },
	{ 7, 0, MVM_ECX, CPUID_7_ECX },
	{ 7, 0, MVM_EDX, CPUID_7_EDX },
	{ 7, 1, MVM_EAX, CPUID_7_1_EAX },
	{ 0xd, 1, MVM_EAX, CPUID_D_1_EAX },
	{ 0x80000001, 0, MVM_EDX, CPUID_8000_0001_EDX },
	{ 0x80000001, 0, MVM_ECX, CPUID_8000_0001_ECX },
};

/**
 * mvm_host_cpuid() - execute CPUID, without the features that Linux took away
 * @function: EAX
 * @index: ECX
 * @out: EAX, EBX, ECX and EDX afterwards
 *
 * Linux switches a feature off because of an erratum, the firmware's settings
 * or its command line: a guest had better not use it either.
 */
void mvm_host_cpuid(u32 function, u32 index, u32 out[4])
{
	unsigned int i;

	cpuid_count(function, index, &out[0], &out[1], &out[2], &out[3]);
	for (i = 0; i < ARRAY_SIZE(kernel_words); i++)
		if (kernel_words[i].function == function &&
		    kernel_words[i].index == index)
			out[kernel_words[i].reg] &=
				boot_cpu_data.x86_capability[kernel_words[i].word];
}

/**
 * mvm_cpuid_init() - derive from CPUID what guests can have here
 *
 * Context: module load, after mvm_vmx_init().
 *
 * Return: 0 or an errno.
 */
int mvm_cpuid_init(void)
{
	struct kvm_cpuid_entry2 *entries;
	int n;

	entries = kvcalloc(MVM_MAX_CPUID_ENTRIES, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	n = mvm_cpuid_supported(mvm_host_cpuid, &mvm_cpuid_limits, entries,
				MVM_MAX_CPUID_ENTRIES);
	if (n >= 0)
		cr4_reserved_here = mvm_cpuid_cr4_reserved(entries, n);
	kvfree(entries);
	return n < 0 ? n : 0;
}

/**
 * mvm_get_supported_cpuid() - KVM_GET_SUPPORTED_CPUID
 * @user: the program's structure
 *
 * Return: 0; -E2BIG if the table does not fit, and then nothing is written.
 */
int mvm_get_supported_cpuid(struct kvm_cpuid2 __user *user)
{
	struct kvm_cpuid_entry2 *entries;
	struct kvm_cpuid2 head;
	u32 room;
	int n;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (!head.nent)
		return -E2BIG;
	room = min_t(u32, head.nent, MVM_MAX_CPUID_ENTRIES);
	entries = kvcalloc(room, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	n = mvm_cpuid_supported(mvm_host_cpuid, &mvm_cpuid_limits, entries, room);
	if (n >= 0 && (copy_to_user(user->entries, entries, n * sizeof(*entries)) ||
		       put_user(n, &user->nent)))
		n = -EFAULT;
	kvfree(entries);
	return n < 0 ? n : 0;
}

/**
 * mvm_get_emulated_cpuid() - KVM_GET_EMULATED_CPUID
 * @user: the program's structure
 *
 * Instructions that the CPU lacks are not emulated: the leaves in which KVM
 * shows some are empty.
 *
 * Return: 0; -E2BIG if the table does not fit, -EINVAL if the entries cannot
 * be read or their padding is not 0.
 */
int mvm_get_emulated_cpuid(struct kvm_cpuid2 __user *user)
{
	static const struct kvm_cpuid_entry2 none[] = {
		{ .function = 0, .eax = 7 },
		{ .function = 1 },
		{ .function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
	};
	struct kvm_cpuid_entry2 entry;
	struct kvm_cpuid2 head;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (!head.nent)
		return -E2BIG;
	for (i = 0; i < min_t(u32, head.nent, MVM_MAX_CPUID_ENTRIES); i++)
		if (copy_from_user(&entry, &user->entries[i], sizeof(entry)) ||
		    memchr_inv(entry.padding, 0, sizeof(entry.padding)))
			return -EINVAL;
	if (head.nent < ARRAY_SIZE(none))
		return -E2BIG;
	if (copy_to_user(user->entries, none, sizeof(none)) ||
	    put_user((u32)ARRAY_SIZE(none), &user->nent))
		return -EFAULT;
	return 0;
}

/**
 * mvm_vcpu_reset_cpuid() - the state before KVM_SET_CPUID2: all leaves are 0
 * @vcpu: new
 *
 * Programs may use what the host has without showing it to the guest.
 */
void mvm_vcpu_reset_cpuid(struct mvm_vcpu *vcpu)
{
	mvm_cpuid_install(&vcpu->cpuid, NULL, 0);
	vcpu->cr4_reserved = cr4_reserved_here;
	vcpu->xcr0_allowed = 0;
	vcpu->maxphyaddr = mvm_cpuid_maxphyaddr(NULL, 0);
	vcpu->page_1g = false;
}

static struct mvm_cpuid_state state_of(const struct mvm_vcpu *vcpu, unsigned long cr4)
{
	return (struct mvm_cpuid_state) {
		.cr4 = cr4,
		.xcr0 = vcpu->fpu.xcr0,
		.apic_base = vcpu->msrs.apic_base,
	};
}

/* The table or the state that it tells of is another one. */
static void tell_state(struct mvm_vcpu *vcpu, const struct mvm_cpuid_state *state)
{
	vcpu->cpuid_state = *state;
	mvm_cpuid_update(vcpu->cpuid.entries, vcpu->cpuid.nent, &mvm_cpuid_limits, state);
}

/**
 * mvm_vcpu_update_cpuid() - bring the entries that mirror other state up to date
 * @vcpu: the vCPU
 * @cr4: as the guest reads it
 */
void mvm_vcpu_update_cpuid(struct mvm_vcpu *vcpu, unsigned long cr4)
{
	struct mvm_cpuid_state state = state_of(vcpu, cr4);

	if (memcmp(&state, &vcpu->cpuid_state, sizeof(state)))
		tell_state(vcpu, &state);
}

static int install(struct mvm_vcpu *vcpu, struct kvm_cpuid_entry2 *entries, u32 n)
{
	struct kvm_cpuid_entry2 *old = vcpu->cpuid.entries;
	struct mvm_cpuid_state state;
	unsigned long cr4;
	int ret;

	ret = mvm_cpuid_check(entries, n);
	if (ret)
		return ret;
	mvm_vmx_attach(vcpu);
	cr4 = mvm_vmx_read_cr4(vcpu);
	mvm_cpuid_install(&vcpu->cpuid, entries, n);
	vcpu->cr4_reserved = cr4_reserved_here | mvm_cpuid_cr4_reserved(entries, n);
	vcpu->xcr0_allowed = mvm_cpuid_xcr0(entries, n, &mvm_cpuid_limits);
	vcpu->maxphyaddr = mvm_cpuid_maxphyaddr(entries, n);
	vcpu->page_1g = mvm_cpuid_has(entries, n, MVM_FEATURE_PAGE1GB);
	state = state_of(vcpu, cr4);
	tell_state(vcpu, &state);
	if (vcpu->apic)
		vcpu->apic->lapic.has_deadline = mvm_cpuid_tsc_deadline(&vcpu->cpuid);
	mvm_vmx_cpuid_changed(vcpu, cr4);
	mvm_vmx_detach(vcpu);
	kvfree(old);
	return 0;
}

/**
 * mvm_vcpu_set_cpuid2() - KVM_SET_CPUID2
 * @vcpu: the vCPU, its mutex held
 * @user: the program's structure
 *
 * Return: 0; -EINVAL for a table that cannot be, or, after the first KVM_RUN,
 * for one that is not the same; -E2BIG, -EFAULT, -ENOMEM.
 */
int mvm_vcpu_set_cpuid2(struct mvm_vcpu *vcpu, struct kvm_cpuid2 __user *user)
{
	struct kvm_cpuid_entry2 *entries = NULL;
	struct kvm_cpuid2 head;
	u32 n;
	int ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	n = head.nent;
	if (n > MVM_MAX_CPUID_ENTRIES)
		return -E2BIG;
	if (n) {
		entries = vmemdup_user(user->entries, array_size(sizeof(*entries), n));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	/* A guest that has run may have seen the table: it is final. */
	if (vcpu->nr_exits) {
		struct mvm_cpuid_state state;

		mvm_vmx_attach(vcpu);
		state = state_of(vcpu, mvm_vmx_read_cr4(vcpu));
		mvm_vmx_detach(vcpu);
		mvm_cpuid_update(entries, n, &mvm_cpuid_limits, &state);
		ret = mvm_cpuid_equal(entries, n, vcpu->cpuid.entries,
				      vcpu->cpuid.nent) ? 0 : -EINVAL;
		kvfree(entries);
		return ret;
	}
	ret = install(vcpu, entries, n);
	if (ret)
		kvfree(entries);
	return ret;
}

/**
 * mvm_vcpu_get_cpuid2() - KVM_GET_CPUID2
 * @vcpu: the vCPU, its mutex held
 * @user: the program's structure
 *
 * Return: 0; -E2BIG if the table does not fit; -EFAULT.
 */
int mvm_vcpu_get_cpuid2(struct mvm_vcpu *vcpu, struct kvm_cpuid2 __user *user)
{
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent < vcpu->cpuid.nent)
		return -E2BIG;
	if (copy_to_user(user->entries, vcpu->cpuid.entries,
			 vcpu->cpuid.nent * sizeof(*user->entries)) ||
	    put_user(vcpu->cpuid.nent, &user->nent))
		return -EFAULT;
	return 0;
}
