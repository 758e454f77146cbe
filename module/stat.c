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

/* struct kvm_stats_desc as programs see it: kernels differ in where it ends. */
struct descriptor {
	u32 flags;
	s16 exponent;
	u16 size;
	u32 offset;
	u32 bucket_size;
	char name[NAME_SIZE];
};

static_assert(offsetof(struct descriptor, name) == offsetof(struct kvm_stats_desc, name));
static_assert(offsetof(struct descriptor, offset) == offsetof(struct kvm_stats_desc, offset));

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
	d->flags = KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE |
			KVM_STATS_BASE_POW10;
	d->size = 1;
	d->offset = n * sizeof(u64);
	snprintf(d->name, NAME_SIZE, "%s%s", prefix, name);
}

/*
 * The whole file, in one buffer: it is small, and read seldom. The names and
 * the values are the caller's to fill in.
 */
static struct kvm_stats_header *new_image(unsigned int n, size_t *size)
{
	size_t descriptors = sizeof(struct kvm_stats_header) + NAME_SIZE;
	size_t data = descriptors + n * sizeof(struct descriptor);
	struct kvm_stats_header *header;

	*size = data + n * sizeof(u64);
	header = kvzalloc(*size, GFP_KERNEL_ACCOUNT);
	if (!header)
		return NULL;
	header->name_size = NAME_SIZE;
	header->num_desc = n;
	header->id_offset = sizeof(*header);
	header->desc_offset = descriptors;
	header->data_offset = data;
	return header;
}

/* Of a vCPU: all exits, and the exits of each reason */
static void *vcpu_image(void *owner, size_t *size)
{
	struct mvm_vcpu *vcpu = owner;
	struct kvm_stats_header *header = new_image(nr_counters(), size);
	struct descriptor *d;
	unsigned int i, k = 1;
	u64 *value;

	if (!header)
		return NULL;
	snprintf((char *)(header + 1), NAME_SIZE, "kvm-%d/vcpu-%d",
		 task_pid_nr(current), vcpu->id);

	d = (void *)header + header->desc_offset;
	value = (void *)header + header->data_offset;
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

/* Of a VM: its vCPUs, and the exits of all of them */
static void *vm_image(void *owner, size_t *size)
{
	struct mvm_vm *vm = owner;
	struct kvm_stats_header *header = new_image(2, size);
	struct mvm_vcpu *vcpu;
	struct descriptor *d;
	unsigned long id;
	u64 *value;

	if (!header)
		return NULL;
	snprintf((char *)(header + 1), NAME_SIZE, "kvm-%d", task_pid_nr(current));
	d = (void *)header + header->desc_offset;
	value = (void *)header + header->data_offset;
	describe(&d[0], 0, "", "vcpus");
	d[0].flags = KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_NONE |
			  KVM_STATS_BASE_POW10;
	describe(&d[1], 1, "", "exits");
	mutex_lock(&vm->lock);
	value[0] = vm->nr_vcpus;
	xa_for_each(&vm->vcpus, id, vcpu)
		value[1] += READ_ONCE(vcpu->nr_exits);
	mutex_unlock(&vm->lock);
	return header;
}

/* What a descriptor of statistics is of */
struct source {
	void *owner;
	struct mvm_vm *vm;
	void *(*image)(void *owner, size_t *size);
};

static ssize_t stats_read(struct file *file, char __user *user, size_t count,
			  loff_t *pos)
{
	const struct source *source = file->private_data;
	ssize_t ret;
	size_t size;
	void *buf;

	buf = source->image(source->owner, &size);
	if (!buf)
		return -ENOMEM;
	ret = simple_read_from_buffer(user, count, pos, buf, size);
	kvfree(buf);
	return ret;
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct source *source = file->private_data;

	mvm_vm_put(source->vm);
	kfree(source);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.read = stats_read,
	.release = stats_release,
	.llseek = noop_llseek,
};

static int stats_fd(const char *name, const struct source *from)
{
	struct source *source;
	struct file *file;
	int fd;

	source = kmemdup(from, sizeof(*from), GFP_KERNEL_ACCOUNT);
	if (!source)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto free;
	file = anon_inode_getfile(name, &stats_fops, source, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto free;
	}
	/* KVM's users read with pread(). */
	file->f_mode |= FMODE_PREAD;
	mvm_vm_get(source->vm);
	fd_install(fd, file);
	return fd;
free:
	kfree(source);
	return fd;
}

/**
 * mvm_vcpu_stats_fd() - KVM_GET_STATS_FD of a vCPU
 * @vcpu: the vCPU
 *
 * Return: a descriptor to read from, or an errno.
 */
int mvm_vcpu_stats_fd(struct mvm_vcpu *vcpu)
{
	return stats_fd("minivmm-vcpu-stats", &(struct source) {
		.owner = vcpu, .vm = vcpu->vm, .image = vcpu_image });
}

/**
 * mvm_vm_stats_fd() - KVM_GET_STATS_FD of a VM
 * @vm: the VM
 *
 * Return: a descriptor to read from, or an errno.
 */
int mvm_vm_stats_fd(struct mvm_vm *vm)
{
	return stats_fd("minivmm-vm-stats", &(struct source) {
		.owner = vm, .vm = vm, .image = vm_image });
}
