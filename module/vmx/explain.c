// SPDX-License-Identifier: GPL-2.0
/*
 * Why did this VM entry fail? The processor says no more than that it did; here
 * the VMCS is held against the rules (check.c). What it breaks is kept for user
 * space, and goes to the log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/page.h>

#include "../mvm.h"
#include "check.h"
#include "dump.h"
#include "guest.h"
#include "operation.h"
#include "vmcs.h"

/* Of a path only what is below the folder of the sources */
static const char *file_name(const char *path)
{
	const char *name = strstr(path, "module/");

	return name ? name : path;
}

struct explaining {
	struct mvm_vmx_explanation *explanation;
	const struct mvm_writer *writers;
};

static void keep(void *ctx, const struct mvm_check_finding *f)
{
	struct explaining *e = ctx;
	struct mvm_vmx_explanation *x = e->explanation;
	int index = mvm_vmcs_field_index(f->field);

	if (x->nr == MVM_MAX_FINDINGS)
		return;
	x->finding[x->nr] = *f;
	if (e->writers && index >= 0)
		x->writer[x->nr] = e->writers[index];
	x->nr++;
}

static void log_explanation(const struct mvm_vmx_explanation *x, int id, const char *error)
{
	u32 i;

	pr_info("VM entry of vCPU %d failed: %s\n", id, error);
	for (i = 0; i < x->nr; i++) {
		const struct mvm_check_finding *f = &x->finding[i];
		const struct mvm_writer *w = &x->writer[i];

		pr_info("  %s is 0x%llx: %s (SDM Vol. 3, \"%s\")\n",
			mvm_vmcs_field_name(f->field), f->value, f->rule, f->section);
		if (w->file)
			pr_info("    last written by %s:%d\n", file_name(w->file), w->line);
	}
	if (!x->nr)
		pr_info("  no rule that minivmm knows is broken\n");
}

/**
 * mvm_vmx_explain() - find out which rules a failed VM entry broke
 * @vcpu: loaded, after the failure
 * @reason: what user space is told
 * @error: what happened, in words
 *
 * User space can make entries fail as often as it likes: not all are logged.
 */
void mvm_vmx_explain(struct mvm_vcpu *vcpu, u64 reason, const char *error)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 10);
	struct mvm_vmx_explanation *x = vcpu->vmx.explanation;
	struct explaining e = { .writers = vcpu->vmx.writers };
	struct mvm_vmcs_image *image;
	struct mvm_check_cpu cpu;

	/* Better none than that of another failure. */
	vcpu->vmx.explanation = NULL;
	image = kmalloc(sizeof(*image), GFP_ATOMIC);
	if (!x)
		x = kmalloc(sizeof(*x), GFP_ATOMIC);
	if (!image || !x) {
		kfree(x);
		kfree(image);
		return;
	}
	memset(x, 0, sizeof(*x));
	x->reason = reason;
	e.explanation = x;
	mvm_vmx_read_image(image);
	mvm_check_this_cpu(&cpu, &mvm_vmx_msrs);
	cpu.current_vmcs = __pa(vcpu->vmx.vmcs);
	mvm_check_vmcs(image, &cpu, keep, &e);
	kfree(image);
	vcpu->vmx.explanation = x;
	if (__ratelimit(&limit))
		log_explanation(x, vcpu->id, error);
}

/**
 * mvm_vmx_show_finding() - a broken rule, as user space gets it
 * @x: the explanation
 * @i: which of its findings
 * @trusted: the reader may know the host's addresses
 * @user: filled
 */
void mvm_vmx_show_finding(const struct mvm_vmx_explanation *x, u32 i, bool trusted,
			  struct minivmm_finding *user)
{
	const struct mvm_check_finding *f = &x->finding[i];
	const struct mvm_writer *w = &x->writer[i];

	memset(user, 0, sizeof(*user));
	user->field = f->field;
	if (f->may)
		user->flags |= MINIVMM_FINDING_MAY;
	if (!trusted && mvm_vmx_field_secret(f->field))
		user->flags |= MINIVMM_FINDING_HIDDEN;
	else
		user->value = f->value;
	strscpy(user->name, mvm_vmcs_field_name(f->field), sizeof(user->name));
	strscpy(user->rule, f->rule, sizeof(user->rule));
	strscpy(user->section, f->section, sizeof(user->section));
	if (w->file)
		snprintf(user->writer, sizeof(user->writer), "%s:%d", file_name(w->file),
			 w->line);
}
