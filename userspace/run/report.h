/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include <linux/kvm.h>
#include <stdio.h>
#include "machine.h"

__printf(1, 2)
void report_note(const char *fmt, ...);

bool explain_entry_failure(struct vcpu *vcpu);
bool report_read(struct vcpu *vcpu, struct kvm_regs *regs,
		 struct kvm_sregs *sregs);
bool report_rip_outside(struct vcpu *vcpu, __u64 *address);

void report_triple_fault(struct vcpu *vcpu);
void report_entry_failure(struct vcpu *vcpu, __u64 reason);
void report_no_memory(struct vcpu *vcpu, const char *did, __u64 address);
void report_internal_error(struct vcpu *vcpu, __u32 suberror,
			   const __u64 *data, unsigned int count);
void report_unhandled(struct vcpu *vcpu, const char *what, __u64 reason);
void report_run_error(struct vcpu *vcpu, int err);
void report_timeout(struct vcpu *vcpu, __u64 milliseconds);
void report_vector(struct vcpu *vcpu, const struct kvm_regs *regs,
		   const struct kvm_sregs *sregs, unsigned int vector);

void state_print(FILE *out, struct vcpu *vcpu, const struct kvm_regs *regs,
		 const struct kvm_sregs *sregs);

int stats_print(int vcpu, FILE *out);

#endif /* RUN_REPORT_H */
