// SPDX-License-Identifier: GPL-2.0
/*
 * Why did this VM entry fail? minivmm knows: MINIVMM_EXPLAIN.
 */
#include <errno.h>
#include <linux/minivmm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "../common/vmcs.h"
#include "report.h"

#define FINDINGS_MAX	64

static void print_finding(const struct minivmm_finding *f)
{
	fprintf(stderr, "  - %s is ", f->name);
	if (f->flags & MINIVMM_FINDING_HIDDEN)
		fputs("an address of the host", stderr);
	else
		fprintf(stderr, "%#llx", f->value);
	fprintf(stderr, "%s: %s.\n", f->flags & MINIVMM_FINDING_MAY ?
		" (which only some processors check)" : "", f->rule);
	if (!(f->flags & MINIVMM_FINDING_HIDDEN))
		vmcs_print_words(stderr, f->field, f->value);
	fprintf(stderr, "        SDM Vol. 3, \"%s\"\n", f->section);
	if (f->writer[0])
		fprintf(stderr, "        last written by %s\n", f->writer);
}

/**
 * explain_entry_failure() - the rules of VM entry that the vCPU's state breaks
 * @vcpu: the vCPU, of which a VM entry failed
 *
 * Return: false if the device does not tell.
 */
bool explain_entry_failure(struct vcpu *vcpu)
{
	struct minivmm_explanation *why;
	__u32 i;

	why = calloc(1, sizeof(*why) + FINDINGS_MAX * sizeof(why->findings[0]));
	if (!why)
		return false;
	why->nr = FINDINGS_MAX;
	if (ioctl(vcpu->fd, MINIVMM_EXPLAIN, why)) {
		free(why);
		return false;
	}
	fputs(why->nr ? "Broken rules:\n" : "No rule that minivmm knows is broken.\n", stderr);
	for (i = 0; i < why->nr; i++)
		print_finding(&why->findings[i]);
	if (why->nr && !why->findings[0].writer[0])
		fputs("With writers=1 the module also says which of its lines wrote a field.\n",
		      stderr);
	free(why);
	return true;
}
