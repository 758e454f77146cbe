/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From ticks of a TSC to ns, as kvmclock's guests compute it: Linux's
 * Documentation/virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW.
 */
#ifndef MVM_X86_PVCLOCK_H
#define MVM_X86_PVCLOCK_H

#include <linux/types.h>

/**
 * struct mvm_clock_rate - ns = (ticks << @shift) * @multiplier >> 32
 * @multiplier: at least 2^31
 * @shift: a negative one is to the right
 */
struct mvm_clock_rate {
	u32 multiplier;
	s8 shift;
};

struct mvm_clock_rate mvm_clock_rate(u32 khz);
u64 mvm_clock_ns(struct mvm_clock_rate rate, u64 ticks);

#endif
