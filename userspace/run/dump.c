// SPDX-License-Identifier: GPL-2.0
/*
 * --dump-vmcs: the fields of a VMCS, at VM exits that the user chose.
 *
 * Most VM exits never come to user space. The module keeps the fields of the one
 * it was told of, and ends KVM_RUN after it; then the next one is asked for.
 */
#include <errno.h>
#include <linux/minivmm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "../common/vmcs.h"
#include "console.h"
#include "dump.h"
#include "machine.h"
#include "options.h"
#include "report.h"

static bool asked(const struct dumper *dumper, enum dump_when when)
{
	unsigned int i;

	for (i = 0; i < dumper->dumps->count; i++)
		if (dumper->dumps->points[i].when == when)
			return true;
	return false;
}

static void print_text(const struct dumper *dumper, const struct vmcs *vmcs, const char *when)
{
	bool changes = dumper->dumps->diff && dumper->last;

	report_note("VMCS of vCPU %u, %s (%llu VM exits)%s", dumper->vcpu->index, when,
		    vmcs->exits, changes ? ": what changed" : "");
	vmcs_print(stderr, vmcs, changes ? dumper->last : NULL);
}

static void print_json(const struct dumper *dumper, const struct vmcs *vmcs, const char *when)
{
	json_t *object = vmcs_json(vmcs, dumper->dumps->diff ? dumper->last : NULL);
	char *text;

	json_object_set_new(object, "vcpu", json_integer(dumper->vcpu->index));
	json_object_set_new(object, "when", json_string(when));
	text = json_dumps(object, JSON_COMPACT);
	console_end_line();
	fprintf(stderr, "%s\n", text);
	free(text);
	json_decref(object);
}

/* Print the VMCS as it is now, or where the vCPU stopped. */
static int print_vmcs(struct dumper *dumper, __u32 flags, const char *when)
{
	struct vmcs *vmcs = malloc(sizeof(*vmcs));
	int err = vmcs ? vmcs_read(dumper->vcpu->fd, flags, vmcs) : -ENOMEM;

	if (err) {
		if (err != -ENODATA)
			report_note("--dump-vmcs: %s", strerror(-err));
		free(vmcs);
		return err;
	}
	if (dumper->dumps->json)
		print_json(dumper, vmcs, when);
	else
		print_text(dumper, vmcs, when);
	free(dumper->last);
	dumper->last = vmcs;
	return 0;
}

/* Have the vCPU stop at the next point that is a VM exit. */
static void arm(struct dumper *dumper, __u64 from)
{
	const struct dumps *dumps = dumper->dumps;
	struct minivmm_stop stop = { .exit = from, .reason = MINIVMM_ANY_REASON };

	while (dumper->next < dumps->count && dumps->points[dumper->next].when < DUMP_EXIT)
		dumper->next++;
	if (dumper->next == dumps->count)
		return;
	if (dumps->points[dumper->next].when == DUMP_REASON)
		stop.reason = dumps->points[dumper->next].number;
	else
		stop.exit = dumps->points[dumper->next].number;
	if (ioctl(dumper->vcpu->fd, MINIVMM_STOP_AT, &stop))
		report_note("--dump-vmcs: %s", strerror(errno));
}

/**
 * dump_begin() - before the vCPU's first KVM_RUN
 * @dumper: to be filled
 * @vcpu: the vCPU
 * @dumps: what is asked for
 */
void dump_begin(struct dumper *dumper, struct vcpu *vcpu, const struct dumps *dumps)
{
	*dumper = (struct dumper) { .vcpu = vcpu, .dumps = dumps };
	if (!dumps->count)
		return;
	if (asked(dumper, DUMP_START))
		print_vmcs(dumper, 0, "start");
	arm(dumper, 1);
}

/**
 * dump_after_run() - KVM_RUN has returned, for whatever reason
 * @dumper: as dump_begin() left it
 */
void dump_after_run(struct dumper *dumper)
{
	const struct dumps *dumps = dumper->dumps;
	const struct dump_point *point;
	char when[48];

	if (dumper->next < dumps->count) {
		point = &dumps->points[dumper->next];
		if (point->when == DUMP_EXIT)
			snprintf(when, sizeof(when), "VM exit %llu", point->number);
		else
			snprintf(when, sizeof(when), "%s", vmcs_reason_name(point->number));
		if (!print_vmcs(dumper, MINIVMM_VMCS_AT_STOP, when)) {
			dumper->next++;
			arm(dumper, dumper->last->exits + 1);
		}
	}
	if (dumper->vcpu->run->exit_reason == KVM_EXIT_FAIL_ENTRY && asked(dumper, DUMP_FAILURE))
		print_vmcs(dumper, 0, "failure");
}

/**
 * dump_end() - after the vCPU's last KVM_RUN
 * @dumper: as dump_begin() left it
 *
 * Points that never came are named, for otherwise nothing would tell of them.
 */
void dump_end(struct dumper *dumper)
{
	const struct dumps *dumps = dumper->dumps;
	unsigned int i;

	if (dumps->count && asked(dumper, DUMP_END))
		print_vmcs(dumper, 0, "end");
	for (i = dumper->next; i < dumps->count; i++) {
		if (dumps->points[i].when == DUMP_EXIT)
			report_note("--dump-vmcs: vCPU %u had no VM exit %llu after that",
				    dumper->vcpu->index, dumps->points[i].number);
		else if (dumps->points[i].when == DUMP_REASON)
			report_note("--dump-vmcs: vCPU %u had no %s after that",
				    dumper->vcpu->index,
				    vmcs_reason_name(dumps->points[i].number));
	}
	free(dumper->last);
	dumper->last = NULL;
}
