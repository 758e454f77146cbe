/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kvmclock: the time that a guest reads without VM exit, out of its TSC and a page
 * that the module fills in. See clock.c.
 */
#ifndef MVM_CLOCK_H
#define MVM_CLOCK_H

#include <linux/kvm.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "x86/pvclock.h"

struct mvm_vcpu;
struct mvm_vm;

/* Of struct kvm_clock_data; KVM_CAP_ADJUST_CLOCK tells them. */
#define MVM_CLOCK_FLAGS	(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

/**
 * struct mvm_clock - a VM's clock
 * @lock: for all others but @rate
 * @rate: of the TSC; constant, needs no lock
 * @offset: what it is ahead of the host's
 * @tsc: a value of the host's TSC
 * @ns: the host's time then
 * @resumes: mvm_clock_resumes then
 * @old_msr: the boot processor uses the older of the MSRs
 * @wall_clock: MSR_KVM_WALL_CLOCK
 */
struct mvm_clock {
	spinlock_t lock;	/* see above */
	struct mvm_clock_rate rate;
	u64 offset;
	u64 tsc;
	u64 ns;
	int resumes;
	bool old_msr;
	u64 wall_clock;
};

/**
 * struct mvm_vcpu_clock - a vCPU's part; its own, under its mutex
 * @system_time: MSR_KVM_SYSTEM_TIME: where its page is, and bit 0: it is used
 * @tsc_offset: what its TSC is ahead of the host's
 * @wall_clock: where it wants the time of day once, or 0
 * @stopped: user space says that it was not running for a while
 * @resumes: mvm_clock_resumes as of the last load
 */
struct mvm_vcpu_clock {
	u64 system_time;
	u64 tsc_offset;
	u64 wall_clock;
	bool stopped;
	int resumes;
};

/* How often the machine woke up: its TSC may have begun anew. */
extern atomic_t mvm_clock_resumes;

void mvm_clock_init(struct mvm_vm *vm);
void mvm_clock_changed(struct mvm_vm *vm);
int mvm_clock_update(struct mvm_vcpu *vcpu);
void mvm_clock_loaded(struct mvm_vcpu *vcpu, bool moved);
int mvm_clock_get(struct mvm_vm *vm, struct kvm_clock_data __user *user);
int mvm_clock_set(struct mvm_vm *vm, const struct kvm_clock_data __user *user);
int mvm_clock_stopped(struct mvm_vcpu *vcpu);
void mvm_clock_set_system_time(struct mvm_vcpu *vcpu, u64 value, bool old_msr, bool host);
void mvm_clock_set_wall_clock(struct mvm_vcpu *vcpu, u64 value);

#endif
