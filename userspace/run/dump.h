/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_DUMP_H
#define RUN_DUMP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

#define DUMPS_MAX	16

enum dump_when { DUMP_START, DUMP_END, DUMP_FAILURE, DUMP_EXIT, DUMP_REASON };

/**
 * struct dump_point - when a VMCS is to be printed
 * @when: kind of occasion
 * @number: DUMP_EXIT: of the VM exit, from 1 on; DUMP_REASON: basic exit reason
 */
struct dump_point {
	enum dump_when when;
	__u64 number;
};

/**
 * struct dumps - what --dump-vmcs, --diff and --json ask for
 * @count: of @points; 0: nothing
 * @points: in the order of the command line
 * @diff: after the first, only what changed
 * @json: one JSON object a line
 */
struct dumps {
	unsigned int count;
	struct dump_point points[DUMPS_MAX];
	bool diff;
	bool json;
};

struct vcpu;
struct vmcs;

/**
 * struct dumper - one vCPU's way through the points
 * @vcpu: the vCPU
 * @dumps: what is asked for
 * @next: index of the point that it is to stop at; @dumps->count for none
 * @last: the VMCS that was printed last, or NULL
 */
struct dumper {
	struct vcpu *vcpu;
	const struct dumps *dumps;
	unsigned int next;
	struct vmcs *last;
};

void dump_begin(struct dumper *dumper, struct vcpu *vcpu, const struct dumps *dumps);
void dump_after_run(struct dumper *dumper);
void dump_end(struct dumper *dumper);

#endif /* RUN_DUMP_H */
