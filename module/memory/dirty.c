// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log: which pages of a slot were written to since user space last
 * asked. KVM_MEM_LOG_DIRTY_PAGES, KVM_GET_DIRTY_LOG, KVM_CLEAR_DIRTY_LOG.
 *
 * The protocol
 * ------------
 * A slot that logs has a bit for each of its pages. What must hold: a write
 * that the copy user space makes of a page, after the call that cleared the
 * page's bit, does not have, sets the bit again.
 *
 *	write by the guest		asking for the log
 *	W1 lock, set the bit, map the	G1 lock, take the bit and clear it
 *	   page writable, unlock	G2 write-protect the page, flush TLBs,
 *	W2 the guest writes, as often	   unlock
 *	   as it likes			G3 user space copies the page
 *
 * "lock" is mem->lock: W1 and G1 with G2 exclude each other. A page that is
 * writable for a guest thus has its bit set. After G2 no CPU writes to the page
 * without another W1, which sets the bit again; what was written before is in
 * the copy of G3. This is why the flush comes before the lock is dropped: a
 * second caller that finds the bit clear may rely on it. With
 * KVM_DIRTY_LOG_INITIALLY_SET the first G2 comes later, but the bits are set
 * until then.
 *
 * A read must not make a page writable, hence, unless its bit is set already.
 * Neither must a large page be mapped, which has many bits; one that is there
 * when logging begins is write-protected as a whole, and the first write makes
 * room for small ones. That does not depend on EPT's accessed and dirty bits:
 * with them the CPU's walk of the guest's tables counts as a write, without them
 * it is one where it sets a flag.
 *
 * Page-modification logging
 * -------------------------
 * Where the CPU can (SDM Vol. 3, "Page-Modification Logging"), pages of 4 KiB
 * stay writable, and are clean: before the first write to one the CPU sets the
 * entry's dirty bit and logs the address in the vCPU's buffer. It exits when the
 * buffer is full, and not for each page. W1 is replaced, and one step added:
 *
 *	write by the guest		asking for the log
 *	P1 the CPU sets the dirty bit,	G0 lock, set the bits of all that is in
 *	   and logs the page		   the buffers, empty them
 *	P2 the guest writes, as often	G1 take the bits and clear them
 *	   as it likes			G2 clear the dirty bits, flush TLBs,
 *	P3 the CPU's log is emptied:	   unlock
 *	   lock, set the bit, unlock
 *
 * A page that is dirty for a CPU, in its TLB or in the entry, thus has its bit
 * set or is in a buffer. G2 takes a CPU's licence to write without log from pages
 * only whose bit it has taken, and from those between them, which stay in their
 * buffer. A buffer is emptied when the vCPU leaves its CPU (mvm_vmx_put()), when
 * it is full, and in G0, by an interrupt to the CPUs whose guests run: so vCPUs
 * that do not run have nothing in theirs, and what is written before the call
 * begins is in its answer. A VM exit costs nothing more for all that.
 *
 * KVM_CLEAR_DIRTY_LOG does without G0. What it finds in no bit it does not take,
 * and the page stays in its buffer.
 *
 * Clean entries are in slots that log, and nowhere else. When a slot changes it
 * is unmapped before the buffers are emptied, and only then forgotten.
 *
 * Writes by the module
 * --------------------
 *	write by the module		asking for the log
 *	M1 write			G1 take the bit and clear it
 *	M2 set the bit			G3 user space copies the page
 *
 * The module writes through the owner's page tables, which G2 does not protect.
 * If M1 comes after the copy, so does M2 after G1, and the bit is seen the next
 * time. The other order would lose the write between G1 and G3.
 *
 * Writes of the owner itself are its own business, as in KVM.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "memory.h"

/* Words of the bitmap that are handled in one go, with the lock held */
#define CHUNK	(PAGE_SIZE / sizeof(long))

static u64 nr_pages(const struct mvm_slot *slot)
{
	return slot->size >> PAGE_SHIFT;
}

/**
 * mvm_dirty_init() - allocate a slot's log
 * @mem: the memory, its slots_sem held for writing
 * @slot: the slot, not yet in the table
 *
 * Return: 0 or -ENOMEM. May sleep.
 */
int mvm_dirty_init(struct mvm_memory *mem, struct mvm_slot *slot)
{
	u64 pages = nr_pages(slot);

	/* Up to 256 MiB: rather none than that others are killed for it. */
	slot->dirty = kvcalloc(BITS_TO_LONGS(pages), sizeof(long),
			       GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (!slot->dirty)
		return -ENOMEM;
	if (mem->manual_log & KVM_DIRTY_LOG_INITIALLY_SET)
		bitmap_set(slot->dirty, 0, pages);
	return 0;
}

/* No CPU writes to a range any more without telling. Return: after a flush. */
static bool watch(struct mvm_memory *mem, u64 start, u64 end)
{
	if (mem->features.pml)
		return mvm_ept_clean(&mem->ept, start, end);
	return mvm_ept_protect(&mem->ept, start, end);
}

/**
 * mvm_dirty_begin() - a slot that is there begins to log
 * @mem: the memory, its lock and slots_sem (for writing) held
 * @slot: what the slot will be
 */
void mvm_dirty_begin(struct mvm_memory *mem, const struct mvm_slot *slot)
{
	lockdep_assert_held(&mem->lock);

	/* Where all bits are set, what is writable may stay so. */
	if (!(mem->manual_log & KVM_DIRTY_LOG_INITIALLY_SET) &&
	    watch(mem, slot->gpa, slot->gpa + slot->size))
		mem->flush(mem);
}

/**
 * mvm_dirty_mark() - the module has written to guest memory
 * @slot: the slot, looked up under slots_sem, which is still held
 * @gpa: the first address, in @slot
 * @len: bytes, not 0, all in @slot
 */
void mvm_dirty_mark(const struct mvm_slot *slot, u64 gpa, u64 len)
{
	u64 page = (gpa - slot->gpa) >> PAGE_SHIFT;
	u64 last = (gpa + len - 1 - slot->gpa) >> PAGE_SHIFT;

	if (likely(!slot->dirty))
		return;
	/* The bit comes behind the write, for whoever reads it. */
	smp_mb__before_atomic();
	for (; page <= last; page++)
		set_bit(page, slot->dirty);
}

/**
 * mvm_dirty_fault() - how may a page of a slot that logs be mapped?
 * @mem: the memory, its lock held
 * @slot: the slot
 * @gpa: an address in the page
 * @write: the guest is about to write, and the page is to be logged for it
 *
 * Return: MVM_EPT_WRITE, with MVM_EPT_CLEAN if the CPU is to log the first write,
 * or 0 if that has to fault.
 */
u64 mvm_dirty_fault(struct mvm_memory *mem, const struct mvm_slot *slot, u64 gpa,
		    bool write)
{
	u64 page = (gpa - slot->gpa) >> PAGE_SHIFT;

	if (write)
		set_bit(page, slot->dirty);
	if (test_bit(page, slot->dirty))
		return MVM_EPT_WRITE;
	return mem->features.pml ? MVM_EPT_WRITE | MVM_EPT_CLEAN : 0;
}

/**
 * mvm_memory_logged() - a CPU has logged that a page got dirty
 * @mem: the memory; its lock is held, by the caller or by who waits for it
 * @gpa: an address in the page, any value: the slot may be gone, or not log
 *
 * Context: any.
 */
void mvm_memory_logged(struct mvm_memory *mem, u64 gpa)
{
	const struct mvm_slot *slot = mvm_slot_find(mem->slots, gpa);

	if (slot && slot->dirty)
		set_bit((gpa - slot->gpa) >> PAGE_SHIFT, slot->dirty);
}

/**
 * mvm_dirty_collect() - what CPUs have logged gets into the slots' logs
 * @mem: the memory, its lock held
 */
void mvm_dirty_collect(struct mvm_memory *mem)
{
	lockdep_assert_held(&mem->lock);

	if (mem->logged)
		mem->collect(mem);
}

/* The slot that a call names. Return: 0, -EINVAL, or -ENOENT: it does not log. */
static int find(struct mvm_memory *mem, u32 id, const struct mvm_slot **slot)
{
	/* KVM has a second address space, for SMM, and mostly nothing in it. */
	if (id >> 16 > 1 || (u16)id >= MVM_NR_SLOTS)
		return -EINVAL;
	*slot = id >> 16 ? NULL : mvm_slot_by_id(mem->slots, id);
	return *slot && (*slot)->dirty ? 0 : -ENOENT;
}

/*
 * G1 and G2 for @n words of the log from word @first on: clear the bits that
 * are set in @mask, and put into @mask which of them were set.
 */
static void take(struct mvm_memory *mem, const struct mvm_slot *slot,
		 unsigned long first, unsigned long n, unsigned long *mask)
{
	atomic_long_t *log = (atomic_long_t *)slot->dirty + first;
	bool flush = false;
	unsigned long i;
	u64 gpa;

	spin_lock(&mem->lock);
	for (i = 0; i < n; i++) {
		if (!mask[i])
			continue;
		if (!atomic_long_read(&log[i])) {
			mask[i] = 0;
			continue;
		}
		mask[i] &= atomic_long_fetch_andnot(mask[i], &log[i]);
		if (!mask[i])
			continue;
		/* What is between them is watched, or loses no more than a fault. */
		gpa = slot->gpa + (first + i) * BITS_PER_LONG * PAGE_SIZE;
		flush |= watch(mem, gpa + __ffs(mask[i]) * PAGE_SIZE,
			       gpa + (__fls(mask[i]) + 1) * PAGE_SIZE);
	}
	if (flush)
		mem->flush(mem);
	spin_unlock(&mem->lock);
}

/* Tell user space what is dirty, and forget it. */
static int get_and_clear(struct mvm_memory *mem, const struct mvm_slot *slot,
			 void __user *bitmap)
{
	unsigned long words = BITS_TO_LONGS(nr_pages(slot));
	unsigned long first, n;
	unsigned long *mask;
	int ret = 0;

	mask = (unsigned long *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!mask)
		return -ENOMEM;
	for (first = 0; first < words && !ret; first += n) {
		n = min_t(unsigned long, words - first, CHUNK);
		memset(mask, 0xff, n * sizeof(long));
		take(mem, slot, first, n, mask);
		if (copy_to_user(bitmap + first * sizeof(long), mask, n * sizeof(long)))
			ret = -EFAULT;
	}
	free_page((unsigned long)mask);
	return ret;
}

/**
 * mvm_memory_get_dirty_log() - KVM_GET_DIRTY_LOG
 * @mem: the memory
 * @id: number of the slot, unchecked
 * @bitmap: where the log goes, in words of 64 pages
 *
 * Clears the log, unless KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 leaves that to
 * KVM_CLEAR_DIRTY_LOG. May sleep.
 *
 * Return: 0; -EINVAL for a number that no slot can have; -ENOENT for a slot
 * that does not log or is not there; -ENOMEM; -EFAULT, and part of the log is
 * lost, as in KVM; -EINTR (killed while waiting).
 */
int mvm_memory_get_dirty_log(struct mvm_memory *mem, u32 id, void __user *bitmap)
{
	const struct mvm_slot *slot;
	int ret;

	ret = down_read_killable(&mem->slots_sem);
	if (ret)
		return ret;
	ret = find(mem, id, &slot);
	if (!ret) {
		spin_lock(&mem->lock);
		mvm_dirty_collect(mem);
		spin_unlock(&mem->lock);
	}
	if (!ret && mem->manual_log)
		ret = copy_to_user(bitmap, slot->dirty,
				   BITS_TO_LONGS(nr_pages(slot)) * sizeof(long)) ?
		      -EFAULT : 0;
	else if (!ret)
		ret = get_and_clear(mem, slot, bitmap);
	up_read(&mem->slots_sem);
	return ret;
}

/**
 * mvm_memory_clear_dirty_log() - KVM_CLEAR_DIRTY_LOG
 * @mem: the memory
 * @id: number of the slot, unchecked
 * @first: the first page, unchecked
 * @pages: how many, unchecked
 * @bitmap: those whose bit is set are to be clear in the log
 *
 * May sleep.
 *
 * Return: as mvm_memory_get_dirty_log(); -EINVAL also where @first is no
 * multiple of 64, @pages is neither that nor up to the slot's end, or the
 * range is not in the slot; with -EFAULT a part of it may be done.
 */
int mvm_memory_clear_dirty_log(struct mvm_memory *mem, u32 id, u64 first, u32 pages,
			       const void __user *bitmap)
{
	unsigned long words = BITS_TO_LONGS((unsigned long)pages);
	unsigned long at, n, *mask;
	const struct mvm_slot *slot;
	int ret;

	mask = (unsigned long *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!mask)
		return -ENOMEM;
	ret = down_read_killable(&mem->slots_sem);
	if (ret)
		goto free;
	ret = first % BITS_PER_LONG ? -EINVAL : find(mem, id, &slot);
	if (ret)
		goto unlock;
	ret = -EINVAL;
	if (first > nr_pages(slot) || pages > nr_pages(slot) - first ||
	    (pages < nr_pages(slot) - first && pages % BITS_PER_LONG))
		goto unlock;

	ret = 0;
	for (at = 0; at < words; at += n) {
		n = min_t(unsigned long, words - at, CHUNK);
		ret = -EFAULT;
		if (copy_from_user(mask, bitmap + at * sizeof(long), n * sizeof(long)))
			break;
		take(mem, slot, first / BITS_PER_LONG + at, n, mask);
		ret = 0;
	}
unlock:
	up_read(&mem->slots_sem);
free:
	free_page((unsigned long)mask);
	return ret;
}

/**
 * mvm_memory_set_manual_log() - KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2
 * @mem: the memory
 * @options: KVM_DIRTY_LOG_*, unchecked; 0 switches it off
 *
 * Return: 0, -EINVAL, or -EINTR (killed while waiting).
 */
int mvm_memory_set_manual_log(struct mvm_memory *mem, u64 options)
{
	const u64 all = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET;
	int ret;

	/* The second makes no sense without the first. */
	if (options & ~all || options == KVM_DIRTY_LOG_INITIALLY_SET)
		return -EINVAL;
	ret = down_write_killable(&mem->slots_sem);
	if (ret)
		return ret;
	mem->manual_log = options;
	up_write(&mem->slots_sem);
	return 0;
}
