// SPDX-License-Identifier: GPL-2.0
/*
 * An EPT violation: find the page that the owner has there, and map it.
 *
 * The race
 * --------
 * Between asking the host for a page and putting it into the EPT, the host may
 * take the page away. No reference to it is kept, so an entry made from what
 * is no longer true would let the guest into somebody else's memory. Hence:
 *
 *	fault				invalidation (notifier.c)
 *	F1 lock, look up the slot,	I1 lock, invalidations++, unmap the
 *	   remember "changes",		   range, flush, unlock
 *	   unlock			I2 the host changes its page tables
 *	F2 get the page (may sleep)	I3 lock, changes++, invalidations--,
 *	F3 lock, give up if "changes"	   unlock
 *	   has moved or the range is
 *	   being invalidated; else map
 *	   the page; unlock
 *
 * F2 may see the page tables as they were before I2. If so, F3 comes before
 * I1, which then takes back what F3 mapped; or between I1 and I3, and sees the
 * invalidation; or after I3, and sees that "changes" is not what F1 remembered,
 * since F1 came before F2. A slot that changes counts in "changes" as well, so
 * that what F1 copied is still the slot in F3.
 *
 * While the check in F3 holds and the lock is held, the host's page tables
 * cannot change for that range, since each change has to pass I1 first. On
 * this rest three things that F3 does: it marks the page dirty, as the host
 * does under its page-table lock; it looks up how large a page the host has
 * mapped; and it trusts that a page that was found writable still is.
 *
 * Giving up means going back to the guest, which faults again: there, signals
 * and rescheduling are taken care of.
 *
 * The order of locks
 * ------------------
 *	slots_sem			(set_region; reads and writes of ours)
 *	  mmap_lock			(faults of the owner, get_user_pages)
 *	    rmap locks, page-table locks
 *	      mem->lock			(all of F1, F3, I1, I3)
 *		i_pages and what else folio_mark_dirty() takes
 *
 * A fault holds nothing while it sleeps in F2, so it cannot deadlock with an
 * invalidation, which comes with mmap_lock or rmap locks held. mem->lock is
 * never waited for with interrupts off: its holder may be waiting, in the
 * flush, for this very CPU to answer an interrupt.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "../compat.h"
#include "memory.h"

/**
 * struct fault - what is known of one EPT violation
 * @gpa: the guest-physical address, rounded down to a page
 * @hva: where the owner has that page
 * @access: what the guest did, MVM_ACCESS_*
 * @slot: a copy of the slot
 * @changes: value of mem->changes when the slot was looked up
 * @page: the host's page, with a reference
 * @writable: the host lets the owner write to @page as it is
 * @vcpu: for @may_sleep
 * @may_sleep: is called before anything that may sleep
 */
struct fault {
	u64 gpa;
	unsigned long hva;
	unsigned int access;
	struct mvm_vcpu *vcpu;
	void (*may_sleep)(struct mvm_vcpu *vcpu);
	struct mvm_slot slot;
	unsigned long changes;
	struct page *page;
	bool writable;
};

/* F1. Returns 0, MVM_FAULT_MMIO or an errno. */
static int find_slot(struct mvm_memory *mem, struct fault *fault)
{
	const struct mvm_slot *slot;
	int ret = 0;

	spin_lock(&mem->lock);
	slot = mvm_slot_find(mem->slots, fault->gpa);
	if (mem->released) {
		ret = -EFAULT;
	} else if (!slot || ((fault->access & MVM_ACCESS_WRITE) &&
			     mvm_slot_is_readonly(slot))) {
		ret = MVM_FAULT_MMIO;
	} else {
		fault->slot = *slot;
		fault->hva = mvm_slot_hva(slot, fault->gpa);
		fault->changes = mem->changes;
	}
	spin_unlock(&mem->lock);
	return ret;
}

/*
 * The page as the host's page tables have it at this moment. Asked to write,
 * this succeeds only where the owner could write without a fault: it breaks no
 * COW, and a page shared by KSM or with a child stays shared.
 */
static bool find_page_fast(struct fault *fault, bool write)
{
	if (get_user_pages_fast_only(fault->hva, 1, write ? FOLL_WRITE : 0,
				     &fault->page) != 1)
		return false;
	fault->writable = write;
	return true;
}

/*
 * F2. Gets the page, and a writable one even for a read if the host has it so
 * already: it saves the fault of the first write. In a read-only slot nothing
 * is writable, whatever the host's mapping says.
 *
 * Mappings of device memory (VM_IO, VM_PFNMAP) have no struct page to take a
 * reference of and may not be write-back: they are not RAM, get_user_pages
 * refuses them, and so do we.
 */
static int find_page(struct fault *fault)
{
	bool write = fault->access & MVM_ACCESS_WRITE;
	bool may_write = !mvm_slot_is_readonly(&fault->slot);
	unsigned int flags = FOLL_HWPOISON | MVM_FOLL_NUMA;
	struct page *page;
	long n;

	if (may_write && find_page_fast(fault, true))
		return 0;
	if (!write && find_page_fast(fault, false))
		return 0;

	if (write)
		flags |= FOLL_WRITE;
	fault->may_sleep(fault->vcpu);
	n = get_user_pages_unlocked(fault->hva, 1, &fault->page, flags);
	if (n != 1)
		return n ? n : -EFAULT;
	fault->writable = write;

	/* What was just faulted in for a read may be writable all the same. */
	if (!write && may_write) {
		page = fault->page;
		if (find_page_fast(fault, true))
			put_page(page);
	}
	return 0;
}

/*
 * How large a page does the host map at @hva? Interrupts are off during the
 * walk so that no table that it is in can be freed; each entry is read once,
 * since it may turn from a table into a page.
 */
static int host_level(struct mm_struct *mm, unsigned long hva)
{
	int level = MVM_EPT_4K;
	unsigned long flags;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(flags);
	pgd = READ_ONCE(*pgd_offset(mm, hva));
	if (!pgd_present(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (!p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (!pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		level = MVM_EPT_1G;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_present(pmd) && pmd_leaf(pmd))
		level = MVM_EPT_2M;
out:
	local_irq_restore(flags);
	return level;
}

/* How large a page may be mapped for this fault? */
static int page_level(struct mvm_memory *mem, const struct fault *fault)
{
	int level = MVM_EPT_4K;
	unsigned long start;
	u64 size;

	if (unlikely(fault->slot.dirty))
		return MVM_EPT_4K;
	if (mem->features.page_1g)
		level = MVM_EPT_1G;
	else if (mem->features.page_2m)
		level = MVM_EPT_2M;

	level = mvm_slot_level(&fault->slot, fault->gpa, level);
	if (level > MVM_EPT_4K)
		level = min(level, host_level(mem->mm, fault->hva));

	/* An invalidation of any part is one of the whole. */
	for (; level > MVM_EPT_4K; level--) {
		size = mvm_ept_size(level);
		start = ALIGN_DOWN(fault->hva, size);
		if (!mvm_memory_invalid(mem, start, start + size))
			break;
	}

	if (level > MVM_EPT_4K && !mem->features.exec_huge) {
		/*
		 * Where code ran there are tables, and the large page that
		 * they replaced must not come back while they are in use.
		 */
		if (fault->access & MVM_ACCESS_EXEC)
			level = MVM_EPT_4K;
		else
			level = min(level, mvm_ept_lowest_table(&mem->ept,
								fault->gpa));
	}
	return level;
}

/* Second half of F3: what was found is true, and stays so under the lock. */
static int map_locked(struct mvm_memory *mem, const struct fault *fault,
		      u64 **spare)
{
	struct folio *folio = page_folio(fault->page);
	int level = page_level(mem, fault);
	u64 mask = mvm_ept_size(level) - 1;
	u64 hpa = page_to_phys(fault->page);
	u64 prot = MVM_EPT_READ;
	int ret;

	/* The host's large page is aligned: this would be a bug of ours. */
	if (WARN_ON_ONCE((hpa & mask) != (fault->gpa & mask)))
		return -EFAULT;

	if (level == MVM_EPT_4K || mem->features.exec_huge)
		prot |= MVM_EPT_EXEC;
	if (fault->writable) {
		prot |= likely(!fault->slot.dirty) ? MVM_EPT_WRITE :
			mvm_dirty_fault(mem, &fault->slot, fault->gpa,
					fault->access & MVM_ACCESS_WRITE);
		if (prot & MVM_EPT_WRITE && !folio_test_dirty(folio))
			folio_mark_dirty(folio);
	}

	ret = mvm_ept_map(&mem->ept, fault->gpa & ~mask, hpa & ~mask, level,
			  prot, spare);
	if (ret != -EEXIST)
		return ret;

	/*
	 * A large page and tables change places. They must not both be in
	 * TLBs: first nothing is mapped there, everywhere, then the new.
	 */
	mvm_memory_unmap(mem, fault->gpa & ~mask, (fault->gpa & ~mask) + mask + 1);
	return mvm_ept_map(&mem->ept, fault->gpa & ~mask, hpa & ~mask, level,
			   prot, spare);
}

/* F3. */
static int map_page(struct mvm_memory *mem, const struct fault *fault)
{
	u64 *spare = NULL;
	int ret;

	for (;;) {
		spin_lock(&mem->lock);
		if (fault->changes != mem->changes ||
		    mvm_memory_invalid(mem, fault->hva, fault->hva + PAGE_SIZE))
			ret = 0;
		else
			ret = map_locked(mem, fault, &spare);
		mvm_memory_unlock(mem);

		if (ret != -ENOMEM)
			break;
		/* A table is missing; there are at most three to add. */
		fault->may_sleep(fault->vcpu);
		spare = mvm_memory_new_table();
		if (!spare)
			break;
	}
	free_page((unsigned long)spare);
	return ret;
}

/**
 * mvm_memory_fault() - handle an EPT violation
 * @mem: the memory
 * @gpa: the guest-physical address, any value
 * @access: what the guest did there, MVM_ACCESS_* or-ed
 * @vcpu: handed to @may_sleep
 * @may_sleep: called, perhaps twice, before the fault does what may sleep: then
 *	the page, or memory for a table, has to come from somewhere
 *
 * Call it in the owner's address space, with interrupts enabled. Preemption may
 * be disabled until @may_sleep enables it: a fault on a page that the host has
 * at hand is over without.
 *
 * Return:
 * * 0: let the guest try again. Mostly the page is mapped now; it need not be,
 *   when the host was changing that range or the page has failed (the thread
 *   then has a SIGBUS pending): look for signals before entering the guest.
 * * MVM_FAULT_MMIO: there is no slot, or a read-only one and a write;
 *   @may_sleep was not called.
 * * -EFAULT: the owner has no such memory, or may not access it in that way, or
 *   is gone. KVM_RUN fails with it, and may be called again.
 * * -ENOMEM; -EINTR: the thread is being killed.
 */
int mvm_memory_fault(struct mvm_memory *mem, u64 gpa, unsigned int access,
		     struct mvm_vcpu *vcpu, void (*may_sleep)(struct mvm_vcpu *vcpu))
{
	struct fault fault = {
		.gpa = gpa & PAGE_MASK,
		.access = access,
		.vcpu = vcpu,
		.may_sleep = may_sleep,
	};
	int ret;

	ret = find_slot(mem, &fault);
	if (ret)
		return ret;

	ret = find_page(&fault);
	if (ret == -EHWPOISON) {
		/* As for an access by the owner: it may be able to repair. */
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)fault.hva,
				PAGE_SHIFT, current);
		return 0;
	}
	if (ret)
		return ret;

	ret = map_page(mem, &fault);
	put_page(fault.page);
	return ret;
}
