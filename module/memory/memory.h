/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest-physical memory of one VM.
 *
 * The memory belongs to the process that made the VM: slots say which of its
 * addresses are which guest-physical ones, EPT entries are filled on demand
 * from its page tables, and an MMU notifier takes them back when the host
 * wants the pages for something else. No page stays pinned.
 *
 *	memory.c	the life of it, slots changing, reads and writes of ours
 *	fault.c		an EPT violation: from the guest-physical address to a page
 *	dirty.c		the dirty log: which pages were written to
 *	notifier.c	the host takes pages back, and asks which are in use
 *	slot.c		the table of slots
 *	ept.c		the tree of EPT tables
 */
#ifndef MVM_MEMORY_MEMORY_H
#define MVM_MEMORY_MEMORY_H

#include <linux/bits.h>
#include <linux/kvm.h>
#include <linux/mmu_notifier.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "../access.h"
#include "ept.h"
#include "slot.h"

struct mvm_vcpu;

/* mvm_memory_fault(): no memory there, the access is for a device. */
#define MVM_FAULT_MMIO		1

/**
 * struct mvm_ept_features - what the CPU's EPT can do, and what it must not
 * @ad: accessed and dirty bits are there and to be used
 * @pml: the CPU logs the pages that get dirty, in a log of each vCPU
 * @page_2m: 2 MiB pages
 * @page_1g: 1 GiB pages
 * @exec_huge: large pages may be executable. False where a guest could hang
 *	the machine with one (iTLB multihit, CVE-2018-12207): large pages are
 *	then mapped without execute permission, and split when code in one runs.
 */
struct mvm_ept_features {
	bool ad;
	bool pml;
	bool page_2m;
	bool page_1g;
	bool exec_huge;
};

/**
 * struct mvm_memory - guest-physical memory of one VM
 * @mm: the owner's; a reference to the struct is held by the notifier
 * @eptp: for the VMCS; constant
 * @gpa_limit: guest-physical addresses are below it; constant
 * @features: constant
 * @flush: see mvm_memory_init()
 * @collect: see mvm_memory_init()
 * @logged: how many slots the CPUs log for, 0 without @features.pml; changed
 *	with @lock held
 * @notifier: tells what the host does with the owner's memory
 * @manual_log: KVM_DIRTY_LOG_* that KVM_ENABLE_CAP has switched on
 * @slots_sem: held for writing by whoever changes @slots, for reading while
 *	the owner's memory is accessed through a slot. Outside mmap_lock.
 * @lock: protects all that follows. Inside mmap_lock, the rmap locks and the
 *	page-table locks. It is held across @flush, so it must never be waited
 *	for with interrupts off.
 * @slots: the memory slots; changed with @slots_sem held as well
 * @ept: the tables
 * @retired: tables taken out of @ept since @lock was taken, through
 *	page_private(); mvm_memory_unlock() frees them
 * @changes: how many invalidations and slot changes there were; what fault.c
 *	compares to see whether what it knows is still true
 * @invalidations: how many are between their start and their end
 * @invalid_start: first address of the owner's that any of these is about
 * @invalid_end: the first one behind them
 * @released: the owner's address space is gone
 */
struct mvm_memory {
	struct mm_struct *mm;
	u64 eptp;
	u64 gpa_limit;
	struct mvm_ept_features features;
	void (*flush)(struct mvm_memory *mem);
	void (*collect)(struct mvm_memory *mem);
	unsigned int logged;
	struct mmu_notifier notifier;
	u64 manual_log;

	struct rw_semaphore slots_sem;
	spinlock_t lock; /* protects what follows */
	struct mvm_slots *slots;
	struct mvm_ept ept;
	struct page *retired;
	unsigned long changes;
	unsigned long invalidations;
	unsigned long invalid_start;
	unsigned long invalid_end;
	bool released;
};

int mvm_memory_init(struct mvm_memory *mem, const struct mvm_ept_features *f,
		    void (*flush)(struct mvm_memory *mem),
		    void (*collect)(struct mvm_memory *mem));
void mvm_memory_destroy(struct mvm_memory *mem);
int mvm_memory_set_region(struct mvm_memory *mem,
			  const struct kvm_userspace_memory_region *region);
int mvm_memory_fault(struct mvm_memory *mem, u64 gpa, unsigned int access,
		     struct mvm_vcpu *vcpu, void (*may_sleep)(struct mvm_vcpu *vcpu));
int mvm_memory_read(struct mvm_memory *mem, u64 gpa, void *buf, size_t len);
int mvm_memory_write(struct mvm_memory *mem, u64 gpa, const void *buf,
		     size_t len);
int mvm_memory_fetch(struct mvm_memory *mem, const struct mvm_slot *near, u64 gpa,
		     void *buf, size_t len);
int mvm_memory_read_entry(struct mvm_memory *mem, const struct mvm_slot **near, u64 gpa,
			  void *buf, size_t len);
int mvm_memory_cmpxchg_entry(struct mvm_memory *mem, u64 gpa, u64 old, u64 new,
			     size_t len);
void mvm_memory_logged(struct mvm_memory *mem, u64 gpa);
bool mvm_memory_is_device(struct mvm_memory *mem, u64 gpa, bool write);

int mvm_memory_set_manual_log(struct mvm_memory *mem, u64 options);
int mvm_memory_get_dirty_log(struct mvm_memory *mem, u32 id, void __user *bitmap);
int mvm_memory_clear_dirty_log(struct mvm_memory *mem, u32 id, u64 first, u32 pages,
			       const void __user *bitmap);

/* For the files of memory/ alone. */
extern const struct mmu_notifier_ops mvm_memory_notifier_ops;
u64 *mvm_memory_new_table(void);
void mvm_memory_unmap(struct mvm_memory *mem, u64 start, u64 end);
void mvm_memory_unlock(struct mvm_memory *mem) __releases(&mem->lock);
int mvm_dirty_init(struct mvm_memory *mem, struct mvm_slot *slot);
void mvm_dirty_begin(struct mvm_memory *mem, const struct mvm_slot *slot);
void mvm_dirty_mark(const struct mvm_slot *slot, u64 gpa, u64 len);
u64 mvm_dirty_fault(struct mvm_memory *mem, const struct mvm_slot *slot, u64 gpa,
		    bool write);
void mvm_dirty_collect(struct mvm_memory *mem);
bool mvm_memory_invalid(const struct mvm_memory *mem, unsigned long start,
			unsigned long end);

#endif /* MVM_MEMORY_MEMORY_H */
