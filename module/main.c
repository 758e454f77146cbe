// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm: load, unload, parameters.
 *
 * Reading order: vcpu.c and run.c (what KVM_RUN does), vmx/exit.c (one VM
 * entry and the exit after it), vmx/enter.S (the world switch), vmx/setup.c
 * (what is in a VMCS), vmx/operation.c (how a CPU gets there), memory/fault.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/moduleparam.h>

#include "mvm.h"
#include "vmx/vmx.h"

/* The values for PAUSE loops are KVM's. */
static struct mvm_vmx_options options = {
	.vpid = true, .eptad = true, .pml = true, .flexpriority = true,
	.ple_gap = 128, .ple_window = 4096,
};
module_param_named(vpid, options.vpid, bool, 0444);
MODULE_PARM_DESC(vpid, "tag TLB entries by vCPU, where the CPU can (default on)");
module_param_named(eptad, options.eptad, bool, 0444);
MODULE_PARM_DESC(eptad, "EPT accessed and dirty bits, where the CPU has them (default on)");
module_param_named(pml, options.pml, bool, 0444);
MODULE_PARM_DESC(pml, "page-modification logging for dirty logs, where the CPU has it (default on)");
module_param_named(flexpriority, options.flexpriority, bool, 0444);
MODULE_PARM_DESC(flexpriority, "TPR shadow for local APICs in the kernel, where the CPU has it (default on)");
module_param_named(enable_apicv, options.apicv, bool, 0444);
MODULE_PARM_DESC(enable_apicv, "virtual-interrupt delivery for local APICs in the kernel, where the CPU has it (default off)");
module_param_named(ple_gap, options.ple_gap, uint, 0444);
MODULE_PARM_DESC(ple_gap, "most TSC ticks between two PAUSEs of a loop, 0 for no PAUSE-loop exiting (default 128)");
module_param_named(ple_window, options.ple_window, uint, 0444);
MODULE_PARM_DESC(ple_window, "TSC ticks after which a loop of PAUSEs exits (default 4096)");

static bool writers;
module_param(writers, bool, 0444);
MODULE_PARM_DESC(writers, "note which line of the source writes each VMCS field, to explain VM entries that fail (default off)");

/* Without these the module does not load: for scripts that ask. */
static bool ept = true;
module_param(ept, bool, 0444);
MODULE_PARM_DESC(ept, "always on: minivmm needs EPT");
static bool unrestricted_guest = true;
module_param(unrestricted_guest, bool, 0444);
MODULE_PARM_DESC(unrestricted_guest, "always on: minivmm needs unrestricted guest");

static int __init minivmm_init(void)
{
	int ret;

	if (!ept || !unrestricted_guest) {
		pr_err("ept and unrestricted_guest cannot be switched off: minivmm is built on both\n");
		return -EINVAL;
	}
	mvm_stat_init();
	if (writers)
		mvm_vmx_note_writers();
	ret = mvm_vmx_init(&options);
	if (ret)
		return ret;
	ret = mvm_cpuid_init();
	if (ret)
		goto exit_vmx;
	ret = mvm_irqfd_init();
	if (ret)
		goto exit_vmx;
	mvm_debugfs_init();
	ret = mvm_device_register();
	if (ret)
		goto exit_debugfs;
	return 0;

exit_debugfs:
	mvm_debugfs_exit();
	mvm_irqfd_exit();
exit_vmx:
	mvm_vmx_exit();
	return ret;
}
module_init(minivmm_init);

static void __exit minivmm_exit(void)
{
	mvm_device_unregister();
	mvm_debugfs_exit();
	mvm_timing_exit();
	mvm_irqfd_exit();
	mvm_vmx_exit();
}
module_exit(minivmm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A small hypervisor for Intel VT-x with the interface of KVM");
MODULE_AUTHOR("The minivmm authors");
