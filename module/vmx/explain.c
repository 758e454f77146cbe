// SPDX-License-Identifier: GPL-2.0
/*
 * Why did this VM entry fail? The processor says no more than that it did; here
 * the VMCS is held against the rules (check.c), and the log names those that it
 * breaks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <asm/page.h>

#include "../mvm.h"
#include "check.h"
#include "guest.h"
#include "operation.h"
#include "vmcs.h"

/* A VMREAD that may fail: not every CPU has every field. */
static u64 read_field(u32 field)
{
	unsigned long value;
	bool failed;

	asm volatile("vmread %[field], %[value]"
		     : [value] "=r" (value), "=@ccbe" (failed)
		     : [field] "r" ((unsigned long)field));
	return failed ? 0 : value;
}

static void read_image(struct mvm_vmcs_image *image)
{
#define READ_FIELD(name, encoding, width, section, words)	\
	image->value[VMCS_INDEX_##name] = read_field(encoding);
	VMCS_FIELDS(READ_FIELD)
}

static void say(void *ctx, const struct mvm_check_finding *f)
{
	pr_info("  %s is 0x%llx: %s (SDM Vol. 3, \"%s\")\n",
		mvm_vmcs_field_name(f->field), f->value, f->rule, f->section);
}

/**
 * mvm_vmx_explain() - log which rules a failed VM entry broke
 * @vcpu: loaded, after the failure
 * @error: what happened, in words
 *
 * User space can make entries fail as often as it likes: not all are told.
 */
void mvm_vmx_explain(struct mvm_vcpu *vcpu, const char *error)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 10);
	struct mvm_vmcs_image *image;
	struct mvm_check_cpu cpu;

	if (!__ratelimit(&limit))
		return;
	image = kmalloc(sizeof(*image), GFP_ATOMIC);
	if (!image)
		return;
	read_image(image);
	mvm_check_this_cpu(&cpu, &mvm_vmx_msrs);
	cpu.current_vmcs = __pa(vcpu->vmx.vmcs);
	pr_info("VM entry of vCPU %d failed: %s\n", vcpu->id, error);
	if (!mvm_check_vmcs(image, &cpu, say, NULL))
		pr_info("  no rule that minivmm knows is broken\n");
	kfree(image);
}
