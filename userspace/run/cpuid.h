/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_CPUID_H
#define RUN_CPUID_H

#include <linux/kvm.h>
#include "base.h"

/* Leaves that cpuid_build() may add. */
#define CPUID_ADDED	8

/**
 * struct cpuid_machine - what CPUID is to tell of the machine
 * @cpus: how many processors
 * @apic: each has a local APIC
 * @tsc_deadline: and that has a deadline timer
 * @tsc_khz: of the time-stamp counter, 0 if it is not known
 */
struct cpuid_machine {
	unsigned int cpus;
	bool apic;
	bool tsc_deadline;
	__u32 tsc_khz;
};

struct kvm_cpuid2 *cpuid_supported(int device);
struct kvm_cpuid2 *cpuid_build(const struct kvm_cpuid2 *supported,
			       const struct cpuid_machine *machine, unsigned int cpu);
unsigned int cpuid_address_bits(const struct kvm_cpuid2 *cpuid);
void cpuid_tsc_ratio(__u32 khz, __u32 *denominator, __u32 *numerator);

#endif /* RUN_CPUID_H */
