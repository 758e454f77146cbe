// SPDX-License-Identifier: GPL-2.0
/*
 * Counters, in the form of KVM's binary statistics: a header, an identifier,
 * one descriptor for each counter with its name, and the values. The file
 * describes itself, so a program that reads KVM's reads ours.
 * Documentation/virt/kvm/api.rst, "KVM_GET_STATS_FD".
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mvm.h"
#include "vmx/vmx.h"

#define NAME_SIZE	48

struct descriptor {
	struct kvm_stats_desc desc;
	char name[NAME_SIZE];
};

static unsigned int nr_counters(void)
{
	unsigned int i, n = 1;

	for (i = 0; i < VMX_NR_REASONS; i++)
		n += !!mvm_vmx_reason_names[i];
	return n;
}

static void describe(struct descriptor *d, unsigned int n, const char *prefix,
		     const char *name)
{
	d->desc.flags = KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE |
			KVM_STATS_BASE_POW10;
	d->desc.size = 1;
	d->desc.offset = n * sizeof(u64);
	snprintf(d->name, NAME_SIZE, "%s%s", prefix, name);
}

/* The whole file, in one buffer: it is small, and read seldom. */
static void *image(struct mvm_vcpu *vcpu, size_t *size)
{
	unsigned int n = nr_counters(), i, k = 1;
	size_t descriptors = sizeof(struct kvm_stats_header) + NAME_SIZE;
	size_t data = descriptors + n * sizeof(struct descriptor);
	struct kvm_stats_header *header;
	struct descriptor *d;
	u64 *value;

	*size = data + n * sizeof(u64);
	header = kvzalloc(*size, GFP_KERNEL_ACCOUNT);
	if (!header)
		return NULL;
	header->name_size = NAME_SIZE;
	header->num_desc = n;
	header->id_offset = sizeof(*header);
	header->desc_offset = descriptors;
	header->data_offset = data;
	snprintf((char *)(header + 1), NAME_SIZE, "minivmm-%d/vcpu-%d",
		 task_pid_nr(current), vcpu->id);

	d = (void *)header + descriptors;
	value = (void *)header + data;
	describe(&d[0], 0, "", "exits");
	value[0] = READ_ONCE(vcpu->nr_exits);
	for (i = 0; i < VMX_NR_REASONS; i++) {
		if (!mvm_vmx_reason_names[i])
			continue;
		describe(&d[k], k, "exit_", mvm_vmx_reason_names[i]);
		value[k++] = READ_ONCE(vcpu->exits[i]);
	}
	return header;
}

static ssize_t stats_read(struct file *file, char __user *user, size_t count,
			  loff_t *pos)
{
	struct mvm_vcpu *vcpu = file->private_data;
	ssize_t ret;
	size_t size;
	void *buf;

	buf = image(vcpu, &size);
	if (!buf)
		return -ENOMEM;
	ret = simple_read_from_buffer(user, count, pos, buf, size);
	kvfree(buf);
	return ret;
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct mvm_vcpu *vcpu = file->private_data;

	mvm_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.read = stats_read,
	.release = stats_release,
	.llseek = noop_llseek,
};

/**
 * mvm_vcpu_stats_fd() - KVM_GET_STATS_FD of a vCPU
 * @vcpu: the vCPU
 *
 * Return: a descriptor to read from, or an errno.
 */
int mvm_vcpu_stats_fd(struct mvm_vcpu *vcpu)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile("minivmm-vcpu-stats", &stats_fops, vcpu, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	/* KVM's users read with pread(). */
	file->f_mode |= FMODE_PREAD;
	mvm_vm_get(vcpu->vm);
	fd_install(fd, file);
	return fd;
}
