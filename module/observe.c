// SPDX-License-Identifier: GPL-2.0
/*
 * Our own calls of a vCPU, to look into it: <linux/minivmm.h>.
 */
#include <linux/capability.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../uapi/linux/minivmm.h"
#include "mvm.h"
#include "vmx/dump.h"

static int read_fields(struct mvm_vcpu *vcpu, struct minivmm_vmcs *head,
		       struct mvm_vmcs_image *image)
{
	const struct mvm_vmx_stop *stop;
	int ret;

	if (!(head->flags & MINIVMM_VMCS_AT_STOP)) {
		head->exits = READ_ONCE(vcpu->nr_exits);
		return mvm_vmx_look(vcpu, image);
	}
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	stop = vcpu->vmx.stop;
	ret = stop && stop->exits ? 0 : -ENODATA;
	if (!ret) {
		head->exits = stop->exits;
		*image = stop->image;
	}
	mutex_unlock(&vcpu->mutex);
	return ret;
}

/**
 * mvm_vcpu_get_vmcs() - MINIVMM_GET_VMCS
 * @vcpu: the vCPU
 * @user: struct minivmm_vmcs
 *
 * Context: any process that has the descriptor, without locks. May sleep.
 *
 * Return: 0; -E2BIG with the number of fields if there is not room for them,
 * -EINVAL for flags that are not there, -ENODATA if no VM exit stopped the vCPU,
 * -EINTR, -EFAULT, -ENOMEM.
 */
int mvm_vcpu_get_vmcs(struct mvm_vcpu *vcpu, struct minivmm_vmcs __user *user)
{
	struct minivmm_vmcs_field *fields;
	struct mvm_vmcs_image *image;
	struct minivmm_vmcs head;
	u32 room;
	int ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.flags & ~MINIVMM_VMCS_AT_STOP)
		return -EINVAL;
	room = head.nr;
	head.nr = VMCS_NR_FIELDS;
	if (room < VMCS_NR_FIELDS)
		return put_user(head.nr, &user->nr) ? -EFAULT : -E2BIG;

	image = kmalloc(sizeof(*image), GFP_KERNEL_ACCOUNT);
	fields = kmalloc_array(VMCS_NR_FIELDS, sizeof(*fields), GFP_KERNEL_ACCOUNT);
	ret = image && fields ? read_fields(vcpu, &head, image) : -ENOMEM;
	if (!ret) {
		mvm_vmx_show_image(image, fields);
		if (copy_to_user(user, &head, sizeof(head)) ||
		    copy_to_user(user->fields, fields, VMCS_NR_FIELDS * sizeof(*fields)))
			ret = -EFAULT;
	}
	kfree(fields);
	kfree(image);
	return ret;
}

/**
 * mvm_vcpu_stop_at() - MINIVMM_STOP_AT
 * @vcpu: the vCPU, its mutex held
 * @user: struct minivmm_stop
 *
 * Return: 0; -EINVAL for flags or a reason that cannot be, -EFAULT, -ENOMEM.
 */
int mvm_vcpu_stop_at(struct mvm_vcpu *vcpu, const struct minivmm_stop __user *user)
{
	struct minivmm_stop stop;

	if (copy_from_user(&stop, user, sizeof(stop)))
		return -EFAULT;
	if (stop.flags || (stop.reason >= VMX_NR_REASONS && stop.reason != MINIVMM_ANY_REASON))
		return -EINVAL;
	return mvm_vmx_stop_at(vcpu, &stop);
}

/**
 * mvm_vcpu_explain() - MINIVMM_EXPLAIN
 * @vcpu: the vCPU, its mutex held
 * @user: struct minivmm_explanation
 *
 * Return: 0; -E2BIG with the number of findings if there is not room for them,
 * -EINVAL for flags, -ENODATA if no VM entry failed, -EFAULT.
 */
int mvm_vcpu_explain(struct mvm_vcpu *vcpu, struct minivmm_explanation __user *user)
{
	const struct mvm_vmx_explanation *x = vcpu->vmx.explanation;
	bool trusted = capable(CAP_SYS_ADMIN);
	struct minivmm_explanation head;
	struct minivmm_finding finding;
	u32 room, i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.flags)
		return -EINVAL;
	if (!x)
		return -ENODATA;
	room = head.nr;
	head.nr = x->nr;
	head.reason = x->reason;
	if (copy_to_user(user, &head, sizeof(head)))
		return -EFAULT;
	if (room < x->nr)
		return -E2BIG;
	for (i = 0; i < x->nr; i++) {
		mvm_vmx_show_finding(x, i, trusted, &finding);
		if (copy_to_user(&user->findings[i], &finding, sizeof(finding)))
			return -EFAULT;
	}
	return 0;
}
