// SPDX-License-Identifier: GPL-2.0
/*
 * The counters as text, below /sys/kernel/debug/minivmm:
 *
 *	timing			while this is open the time of all vCPUs is taken
 *	PID-FD/			a VM: who made it, and its descriptor there
 *	  stats			its counters, one a line
 *	  vcpuN/stats		those of one vCPU
 *
 * KVM has a file for each counter. They would be more than half of the path of a
 * VM's life.
 *
 * Where there is no debugfs, or no room for a file, the rest does not care: what
 * the calls return is handed on as a parent, and removed, as if it were a folder.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "mvm.h"

static struct dentry *top;

static u64 *new_values(void)
{
	unsigned int nr;

	mvm_counters(&nr);
	return kvcalloc(nr, sizeof(u64), GFP_KERNEL);
}

/* Reasons that never came are left out: a reader takes what is not there for 0. */
static void show_all(struct seq_file *seq, const u64 *values, bool vm)
{
	unsigned int i, nr;
	const struct mvm_counter *c = mvm_counters(&nr);

	for (i = 0; i < nr; i++)
		if ((vm || !c[i].of_vm) && (values[i] || !c[i].by_reason))
			seq_printf(seq, "%s %llu\n", c[i].name, values[i]);
}

static int vm_stats_show(struct seq_file *seq, void *unused)
{
	u64 *values = new_values();

	if (!values)
		return -ENOMEM;
	mvm_vm_read_counters(seq->private, values);
	show_all(seq, values, true);
	kvfree(values);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vm_stats);

static int vcpu_stats_show(struct seq_file *seq, void *unused)
{
	u64 *values = new_values();

	if (!values)
		return -ENOMEM;
	mvm_vcpu_read_counters(seq->private, values);
	show_all(seq, values, false);
	kvfree(values);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpu_stats);

static int timing_open(struct inode *inode, struct file *file)
{
	mvm_timing_get();
	return 0;
}

static int timing_release(struct inode *inode, struct file *file)
{
	mvm_timing_put();
	return 0;
}

static const struct file_operations timing_fops = {
	.owner = THIS_MODULE,
	.open = timing_open,
	.release = timing_release,
	.llseek = noop_llseek,
};

/**
 * mvm_debugfs_add_vm() - a new VM's folder
 * @vm: the VM, known to nobody yet
 * @fd: the descriptor that it will have
 */
void mvm_debugfs_add_vm(struct mvm_vm *vm, int fd)
{
	struct dentry *old;
	char name[32];

	snprintf(name, sizeof(name), "%d-%d", task_pid_nr(current), fd);
	/* One whose vCPUs outlive its descriptor keeps the name; so it does with KVM. */
	old = debugfs_lookup(name, top);
	if (old) {
		dput(old);
		return;
	}
	vm->debugfs = debugfs_create_dir(name, top);
	debugfs_create_file("stats", 0444, vm->debugfs, vm, &vm_stats_fops);
}

/**
 * mvm_debugfs_add_vcpu() - a new vCPU's folder
 * @vcpu: the vCPU
 */
void mvm_debugfs_add_vcpu(struct mvm_vcpu *vcpu)
{
	struct dentry *dir;
	char name[16];

	/* Without a parent it would be at the top. */
	if (IS_ERR_OR_NULL(vcpu->vm->debugfs))
		return;
	snprintf(name, sizeof(name), "vcpu%d", vcpu->id);
	dir = debugfs_create_dir(name, vcpu->vm->debugfs);
	debugfs_create_file("stats", 0444, dir, vcpu, &vcpu_stats_fops);
}

/**
 * mvm_debugfs_remove_vm() - a VM's folder goes, with those of its vCPUs
 * @vm: the VM; its vCPUs are still there, for somebody may be reading
 *
 * May sleep.
 */
void mvm_debugfs_remove_vm(struct mvm_vm *vm)
{
	debugfs_remove(vm->debugfs);
}

/**
 * mvm_debugfs_init() - the folder for all
 */
void mvm_debugfs_init(void)
{
	top = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("timing", 0444, top, NULL, &timing_fops);
}

/**
 * mvm_debugfs_exit() - undo mvm_debugfs_init()
 */
void mvm_debugfs_exit(void)
{
	debugfs_remove(top);
}
