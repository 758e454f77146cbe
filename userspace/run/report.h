/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include <linux/kvm.h>
#include <stdio.h>
#include "machine.h"

__printf(1, 2)
void report_note(const char *fmt, ...);

bool report_read(struct machine *machine, struct kvm_regs *regs,
		 struct kvm_sregs *sregs);
bool report_rip_outside(struct machine *machine, __u64 *address);

void report_triple_fault(struct machine *machine);
void report_entry_failure(struct machine *machine, __u64 reason);
void report_no_memory(struct machine *machine, const char *did, __u64 address);
void report_internal_error(struct machine *machine, __u32 suberror,
			   const __u64 *data, unsigned int count);
void report_unhandled(struct machine *machine, const char *what, __u64 reason);
void report_run_error(struct machine *machine, int err);
void report_timeout(struct machine *machine, __u64 milliseconds);
void report_vector(struct machine *machine, const struct kvm_regs *regs,
		   const struct kvm_sregs *sregs, unsigned int vector);

void state_print(FILE *out, struct machine *machine, const struct kvm_regs *regs,
		 const struct kvm_sregs *sregs);

int stats_print(int vcpu, FILE *out);

#endif /* RUN_REPORT_H */
