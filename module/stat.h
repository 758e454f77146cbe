/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a vCPU counts, and where its time goes.
 */
#ifndef MVM_STAT_H
#define MVM_STAT_H

#include <linux/jump_label_ratelimit.h>
#include <linux/seqlock.h>
#include <linux/types.h>

#include "vmx/arch.h"

struct dentry;
struct mvm_vcpu;
struct mvm_vm;

/**
 * enum mvm_mode - what a vCPU does; a moment belongs to one of them
 * @MVM_MODE_USER: KVM_RUN has returned, or was never called: user space's turn
 * @MVM_MODE_ROOT: in KVM_RUN, but not in the guest. What else the CPU does
 *	then is in it: interrupts that ended the guest's turn, other tasks
 * @MVM_MODE_GUEST: non-root mode, from VM entry to VM exit
 * @MVM_MODE_HALT: asleep in HLT, with a local APIC in the kernel. Without one
 *	HLT returns to user space, and it is that which waits
 * @MVM_MODE_WAIT: asleep until another vCPU starts it
 * @MVM_NR_MODES: how many there are
 */
enum mvm_mode {
	MVM_MODE_USER,
	MVM_MODE_ROOT,
	MVM_MODE_GUEST,
	MVM_MODE_HALT,
	MVM_MODE_WAIT,
	MVM_NR_MODES
};

/**
 * struct mvm_stat - events of a vCPU, beside its VM exits
 * @pf_fixed: EPT violations that mapped a page
 * @pf_emulate: EPT violations of an instruction that was emulated
 * @mmio_exits: KVM_EXIT_MMIO
 * @io_user_exits: KVM_EXIT_IO
 * @signal_exits: KVM_RUN ended by a signal
 * @request_irq_exits: KVM_EXIT_IRQ_WINDOW_OPEN
 * @irq_injections: external interrupts that a VM entry was to deliver
 * @nmi_injections: NMIs, likewise
 * @exception_injections: exceptions and software interrupts, likewise
 * @halt_wakeup: sleeps in HLT that something other than a signal ended
 * @tlb_flush: flushes of its linear translations
 * @l1d_flush: flushes of the L1D cache
 */
struct mvm_stat {
	u64 pf_fixed;
	u64 pf_emulate;
	u64 mmio_exits;
	u64 io_user_exits;
	u64 signal_exits;
	u64 request_irq_exits;
	u64 irq_injections;
	u64 nmi_injections;
	u64 exception_injections;
	u64 halt_wakeup;
	u64 tlb_flush;
	u64 l1d_flush;
};

/**
 * struct mvm_times - where a vCPU's time went, in ticks of the host's TSC
 * @seq: odd while it changes
 * @generation: of the timing that @since is from
 * @mode: what it does since @since
 * @since: time stamp
 * @ticks: by mode
 * @root: the part of MVM_MODE_ROOT between a VM exit and the next VM entry, by the
 *	basic reason of the VM exit. If user space had to do something in between,
 *	that is the way to it and the way back
 */
struct mvm_times {
	seqcount_t seq;
	u32 generation;
	enum mvm_mode mode;
	u64 since;
	u64 ticks[MVM_NR_MODES];
	u64 root[VMX_NR_REASONS];
};

extern struct static_key_false_deferred mvm_timing;

void mvm_times_init(struct mvm_times *times);
void mvm_times_change(struct mvm_vcpu *vcpu, enum mvm_mode from, enum mvm_mode to);
void mvm_times_read(const struct mvm_vcpu *vcpu, struct mvm_times *times);
void mvm_timing_get(void);
void mvm_timing_put(void);
void mvm_timing_exit(void);

/*
 * The vCPU changes from one mode to another. Two time stamps in each VM exit are a
 * tenth of its path: they are taken while somebody wants to know, and else there
 * is an instruction here that does nothing.
 */
static __always_inline
void mvm_times_enter(struct mvm_vcpu *vcpu, enum mvm_mode from, enum mvm_mode to)
{
	if (static_branch_unlikely(&mvm_timing.key))
		mvm_times_change(vcpu, from, to);
}

/**
 * struct mvm_counter - one that is shown
 * @name: KVM's where KVM counts the same
 * @offset: of the u64 in struct mvm_vcpu; of a time in struct mvm_times
 * @time: it is a time
 * @by_reason: there is one for each VM exit reason
 * @of_vm: there is one for the VM, and none for each vCPU
 */
struct mvm_counter {
	char name[32];
	u16 offset;
	bool time;
	bool by_reason;
	bool of_vm;
};

/* stat.c */
void mvm_stat_init(void);
const struct mvm_counter *mvm_counters(unsigned int *nr);
void mvm_vcpu_read_counters(struct mvm_vcpu *vcpu, u64 *values);
void mvm_vm_read_counters(struct mvm_vm *vm, u64 *values);
int mvm_vcpu_stats_fd(struct mvm_vcpu *vcpu);
int mvm_vm_stats_fd(struct mvm_vm *vm);

/* debugfs.c */
void mvm_debugfs_init(void);
void mvm_debugfs_exit(void);
void mvm_debugfs_add_vm(struct mvm_vm *vm, int fd);
void mvm_debugfs_remove_vm(struct mvm_vm *vm);
void mvm_debugfs_add_vcpu(struct mvm_vcpu *vcpu);

#endif
