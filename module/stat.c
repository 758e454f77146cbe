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
#include <linux/init.h>
#include <linux/kvm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
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
static_assert(sizeof_field(struct mvm_counter, name) <= NAME_SIZE);

#define COUNT(what, member)	{ .name = what, .offset = offsetof(struct mvm_vcpu, member) }
#define EVENT(what)		COUNT(#what, stat.what)
#define EXITS(what, reason)	COUNT(what, exits[VMX_REASON_##reason])
#define TIME(what, mode)	{ .name = what, .time = true,		\
				  .offset = offsetof(struct mvm_times, ticks[mode]) }

/* Those of the reasons follow, and the one that is the VM's alone: mvm_stat_init() */
#define NR_PLAIN	24
static struct mvm_counter counters[NR_PLAIN + 2 * VMX_NR_REASONS + 1] __ro_after_init = {
	COUNT("exits", nr_exits),
	EXITS("io_exits", IO_INSTRUCTION),
	EVENT(io_user_exits),
	EVENT(mmio_exits),
	EVENT(signal_exits),
	EXITS("halt_exits", HLT),
	EVENT(halt_wakeup),
	EXITS("irq_exits", EXTERNAL_INTERRUPT),
	EXITS("irq_window_exits", INTERRUPT_WINDOW),
	EXITS("nmi_window_exits", NMI_WINDOW),
	EVENT(request_irq_exits),
	EVENT(irq_injections),
	EVENT(nmi_injections),
	EVENT(exception_injections),
	EXITS("pf_taken", EPT_VIOLATION),
	EVENT(pf_fixed),
	EVENT(pf_emulate),
	EVENT(tlb_flush),
	EVENT(l1d_flush),
	TIME("guest_ns", MVM_MODE_GUEST),
	TIME("root_ns", MVM_MODE_ROOT),
	TIME("user_ns", MVM_MODE_USER),
	TIME("halt_wait_ns", MVM_MODE_HALT),
	TIME("start_wait_ns", MVM_MODE_WAIT),
};

static unsigned int nr_counters __ro_after_init = NR_PLAIN;

static_assert(sizeof(struct mvm_vcpu) <= U16_MAX);

/**
 * mvm_stat_init() - complete the table of counters
 */
void __init mvm_stat_init(void)
{
	unsigned int i;

	for (i = 0; i < 2 * VMX_NR_REASONS; i++) {
		unsigned int reason = i % VMX_NR_REASONS;
		bool time = i >= VMX_NR_REASONS;
		struct mvm_counter *c = &counters[nr_counters];

		if (!mvm_vmx_reason_names[reason])
			continue;
		nr_counters++;
		c->time = time;
		c->by_reason = true;
		c->offset = time ? offsetof(struct mvm_times, root) + reason * sizeof(u64) :
			    offsetof(struct mvm_vcpu, exits) + reason * sizeof(u64);
		snprintf(c->name, sizeof(c->name), time ? "root_%s_ns" : "exit_%s",
			 mvm_vmx_reason_names[reason]);
	}
	counters[nr_counters++] = (struct mvm_counter){ .name = "vcpus", .of_vm = true };
}

/**
 * mvm_counters() - the table of counters
 * @nr: gets how many there are
 *
 * Return: the first.
 */
const struct mvm_counter *mvm_counters(unsigned int *nr)
{
	*nr = nr_counters;
	return counters;
}

/**
 * mvm_vcpu_read_counters() - add a vCPU's counters, as they are now
 * @vcpu: the vCPU
 * @values: as many as mvm_counters() says
 */
void mvm_vcpu_read_counters(struct mvm_vcpu *vcpu, u64 *values)
{
	struct mvm_times times;
	unsigned int i;

	mvm_times_read(vcpu, &times);
	for (i = 0; i < nr_counters; i++) {
		const struct mvm_counter *c = &counters[i];

		if (c->time)
			values[i] += *(u64 *)((void *)&times + c->offset);
		else if (!c->of_vm)
			values[i] += READ_ONCE(*(u64 *)((void *)vcpu + c->offset));
	}
}

/**
 * mvm_vm_read_counters() - add the counters of all vCPUs of a VM
 * @vm: the VM
 * @values: as many as mvm_counters() says
 *
 * Without its lock: a vCPU that is found there stays.
 */
void mvm_vm_read_counters(struct mvm_vm *vm, u64 *values)
{
	struct mvm_vcpu *vcpu;
	unsigned long id;

	xa_for_each(&vm->vcpus, id, vcpu) {
		values[nr_counters - 1]++;
		mvm_vcpu_read_counters(vcpu, values);
	}
}

static void describe(struct descriptor *d, unsigned int n, const struct mvm_counter *c)
{
	d->flags = KVM_STATS_BASE_POW10 |
		   (c->of_vm ? KVM_STATS_TYPE_INSTANT : KVM_STATS_TYPE_CUMULATIVE) |
		   (c->time ? KVM_STATS_UNIT_SECONDS : KVM_STATS_UNIT_NONE);
	d->exponent = c->time ? -9 : 0;
	d->size = 1;
	d->offset = n * sizeof(u64);
	strscpy(d->name, c->name, NAME_SIZE);
}

/*
 * The whole file, in one buffer: it is small, and read seldom. @vcpu is NULL for
 * the VM's; a vCPU's lacks the last counter.
 */
static void *new_image(struct mvm_vm *vm, struct mvm_vcpu *vcpu, size_t *size)
{
	const unsigned int n = nr_counters - !!vcpu;
	const size_t descriptors = sizeof(struct kvm_stats_header) + NAME_SIZE;
	const size_t data = descriptors + n * sizeof(struct descriptor);
	struct kvm_stats_header *header;
	struct descriptor *d;
	unsigned int i;
	char *id;

	*size = data + n * sizeof(u64);
	header = kvzalloc(*size, GFP_KERNEL_ACCOUNT);
	if (!header)
		return NULL;
	header->name_size = NAME_SIZE;
	header->num_desc = n;
	header->id_offset = sizeof(*header);
	header->desc_offset = descriptors;
	header->data_offset = data;
	id = (void *)header + header->id_offset;
	d = (void *)header + descriptors;

	for (i = 0; i < n; i++)
		describe(&d[i], i, &counters[i]);
	if (vcpu) {
		snprintf(id, NAME_SIZE, "kvm-%d/vcpu-%d", task_pid_nr(current), vcpu->id);
		mvm_vcpu_read_counters(vcpu, (void *)header + data);
	} else {
		snprintf(id, NAME_SIZE, "kvm-%d", task_pid_nr(current));
		mvm_vm_read_counters(vm, (void *)header + data);
	}
	return header;
}

/* What a descriptor of statistics is of: @vcpu is NULL for all of the VM */
struct source {
	struct mvm_vm *vm;
	struct mvm_vcpu *vcpu;
};

static ssize_t stats_read(struct file *file, char __user *user, size_t count,
			  loff_t *pos)
{
	const struct source *source = file->private_data;
	ssize_t ret;
	size_t size;
	void *buf;

	buf = new_image(source->vm, source->vcpu, &size);
	if (!buf)
		return -ENOMEM;
	ret = simple_read_from_buffer(user, count, pos, buf, size);
	kvfree(buf);
	return ret;
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct source *source = file->private_data;

	mvm_timing_put();
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
	mvm_timing_get();
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
 * While the descriptor is open the time of all vCPUs is taken.
 *
 * Return: a descriptor to read from, or an errno.
 */
int mvm_vcpu_stats_fd(struct mvm_vcpu *vcpu)
{
	return stats_fd("minivmm-vcpu-stats", &(struct source) {
		.vm = vcpu->vm, .vcpu = vcpu });
}

/**
 * mvm_vm_stats_fd() - KVM_GET_STATS_FD of a VM
 * @vm: the VM
 *
 * While the descriptor is open the time of all vCPUs is taken.
 *
 * Return: a descriptor to read from, or an errno.
 */
int mvm_vm_stats_fd(struct mvm_vm *vm)
{
	return stats_fd("minivmm-vm-stats", &(struct source) { .vm = vm });
}
