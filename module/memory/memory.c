// SPDX-License-Identifier: GPL-2.0
/* Guest-physical memory: its life, its slots, and access from the module. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "memory.h"

/**
 * mvm_memory_new_table() - a zeroed page for an EPT table
 *
 * Charged to the owner's memory cgroup. May sleep.
 *
 * Return: the table, or NULL.
 */
u64 *mvm_memory_new_table(void)
{
	return (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
}

/*
 * The list of retired tables is kept beside them: until the flush a CPU may
 * still read them, as entries.
 */
static void retire_table(struct mvm_ept *ept, u64 *table)
{
	struct mvm_memory *mem = container_of(ept, struct mvm_memory, ept);
	struct page *page = virt_to_page(table);

	set_page_private(page, (unsigned long)mem->retired);
	mem->retired = page;
}

/**
 * mvm_memory_unmap() - take a range away from the guest
 * @mem: the memory
 * @start: first guest-physical address
 * @end: the first one behind the range
 *
 * When it returns no CPU uses what was mapped there. Call with @mem->lock
 * held, drop it with mvm_memory_unlock().
 */
void mvm_memory_unmap(struct mvm_memory *mem, u64 start, u64 end)
{
	lockdep_assert_held(&mem->lock);

	if (mvm_ept_unmap(&mem->ept, start, end))
		mem->flush(mem);
}

/**
 * mvm_memory_unlock() - drop @mem->lock and free what was retired under it
 * @mem: the memory; each mvm_ept_unmap() that said so was followed by a flush
 */
void mvm_memory_unlock(struct mvm_memory *mem)
	__releases(&mem->lock)
{
	struct page *page = mem->retired, *next;

	mem->retired = NULL;
	spin_unlock(&mem->lock);

	for (; page; page = next) {
		next = (struct page *)page_private(page);
		set_page_private(page, 0);
		__free_page(page);
	}
}

/**
 * mvm_memory_init() - prepare a VM's memory: no slots, nothing mapped
 * @mem: zeroed
 * @f: what the CPU's EPT can do
 * @flush: does an INVEPT (single-context) for @mem->eptp on every CPU that may
 *	hold translations of it, and waits for them. Called with a spinlock
 *	held and interrupts enabled.
 * @collect: calls mvm_memory_logged() for all that CPUs have logged, in whatever
 *	guest they are, and empties their logs. Called in the same way.
 *
 * The memory is bound to the address space of the caller, and may from then on
 * be called back by the host. May sleep; takes mmap_lock.
 *
 * Return: 0, -ENOMEM, or -EINTR.
 */
int mvm_memory_init(struct mvm_memory *mem, const struct mvm_ept_features *f,
		    void (*flush)(struct mvm_memory *mem),
		    void (*collect)(struct mvm_memory *mem))
{
	int ret = -ENOMEM;

	mem->mm = current->mm;
	mem->features = *f;
	mem->flush = flush;
	mem->collect = collect;
	mem->gpa_limit = 1ULL << min_t(int, boot_cpu_data.x86_phys_bits,
				       MVM_EPT_GPA_BITS);
	init_rwsem(&mem->slots_sem);
	spin_lock_init(&mem->lock);

	mem->slots = kvzalloc(sizeof(*mem->slots), GFP_KERNEL_ACCOUNT);
	mem->ept.root = mvm_memory_new_table();
	if (!mem->slots || !mem->ept.root)
		goto free;
	mem->ept.retire = retire_table;
	mem->eptp = mvm_ept_pointer(&mem->ept, f->ad);

	mem->notifier.ops = &mvm_memory_notifier_ops;
	ret = mmu_notifier_register(&mem->notifier, mem->mm);
	if (ret)
		goto free;
	return 0;

free:
	free_page((unsigned long)mem->ept.root);
	kvfree(mem->slots);
	return ret;
}

/**
 * mvm_memory_destroy() - free a VM's memory
 * @mem: initialised; no vCPU runs, and none will
 *
 * Unmaps and flushes what the guest has: call it while @mem->flush still
 * works, before VMX operation ends. May be called from any process, also
 * after the owner's end. May sleep.
 */
void mvm_memory_destroy(struct mvm_memory *mem)
{
	unsigned int i;

	/* Calls ->release(), if exit of the owner has not done it already. */
	mmu_notifier_unregister(&mem->notifier, mem->mm);

	free_page((unsigned long)mem->ept.root);
	for (i = 0; i < mem->slots->nr; i++)
		kvfree(mem->slots->slot[i].dirty);
	kvfree(mem->slots);
}

/* Makes one change that mvm_slot_plan() allowed. Returns 0 or -ENOMEM. */
static int change_slot(struct mvm_memory *mem, enum mvm_slot_change change,
		       struct mvm_slot *new)
{
	const struct mvm_slot *old = mvm_slot_by_id(mem->slots, new->id);
	unsigned long *unused = old ? old->dirty : NULL;
	bool logged = unused;
	int ret;

	if (change != MVM_SLOT_DELETE && new->flags & KVM_MEM_LOG_DIRTY_PAGES) {
		new->dirty = unused;
		unused = NULL;
		ret = new->dirty ? 0 : mvm_dirty_init(mem, new);
		if (ret)
			return ret;
	}

	spin_lock(&mem->lock);
	if (new->dirty && mem->features.pml)
		WRITE_ONCE(mem->logged, mem->logged + 1);
	if (change == MVM_SLOT_FLAGS && new->dirty)
		mvm_dirty_begin(mem, new);
	else if (old)
		/* Where logging has ended, large pages may come back. */
		mvm_memory_unmap(mem, old->gpa, old->gpa + old->size);
	if (logged && mem->features.pml) {
		/* Nothing more is logged for the slot, what was is still for @old. */
		mvm_dirty_collect(mem);
		WRITE_ONCE(mem->logged, mem->logged - 1);
	}
	if (old)
		mvm_slot_remove(mem->slots, new->id);
	if (change != MVM_SLOT_DELETE)
		mvm_slot_insert(mem->slots, new);
	/* Faults under way looked the address up in the old table. */
	mem->changes++;
	mvm_memory_unlock(mem);
	kvfree(unused);
	return 0;
}

/**
 * mvm_memory_set_region() - KVM_SET_USER_MEMORY_REGION
 * @mem: the memory
 * @region: the argument, unchecked
 *
 * When a slot was moved or deleted, neither the guest nor the module for the
 * guest accesses its memory there any more. May sleep; call it without
 * mmap_lock.
 *
 * Return: 0, -EINVAL, -EEXIST (overlap), -ENOMEM (no room for a dirty log), or
 * -EINTR (killed while waiting).
 */
int mvm_memory_set_region(struct mvm_memory *mem,
			  const struct kvm_userspace_memory_region *region)
{
	struct mvm_slot new = {
		.gpa = region->guest_phys_addr,
		.size = region->memory_size,
		.hva = region->userspace_addr,
		.flags = region->flags,
		.id = region->slot,
	};
	enum mvm_slot_change change;
	int ret;

	ret = down_write_killable(&mem->slots_sem);
	if (ret)
		return ret;
	ret = mvm_slot_plan(mem->slots, region, mem->gpa_limit, TASK_SIZE_MAX,
			    &change);
	if (!ret && change != MVM_SLOT_SAME)
		ret = change_slot(mem, change, &new);
	up_write(&mem->slots_sem);
	return ret;
}

/*
 * Plain copies through the owner's own mapping: they fault pages in, break
 * COW and obey mprotect() as any access of the owner does.
 */
static int copy_guest(struct mvm_memory *mem, u64 gpa, void *buf, size_t len,
		      bool write)
{
	const struct mvm_slot *slot;
	void __user *hva;
	unsigned long left;
	size_t n;
	int ret = 0;

	down_read(&mem->slots_sem);
	while (len) {
		slot = mvm_slot_find(mem->slots, gpa);
		if (!slot || (write && mvm_slot_is_readonly(slot))) {
			ret = -EFAULT;
			break;
		}
		n = min_t(u64, len, slot->gpa + slot->size - gpa);
		hva = (void __user *)mvm_slot_hva(slot, gpa);
		left = write ? copy_to_user(hva, buf, n) :
			       copy_from_user(buf, hva, n);
		/* After the write, whole or not: see dirty.c. */
		if (write)
			mvm_dirty_mark(slot, gpa, n);
		if (left) {
			ret = -EFAULT;
			break;
		}
		gpa += n;
		buf += n;
		len -= n;
	}
	up_read(&mem->slots_sem);
	return ret;
}

/**
 * mvm_memory_read() - read guest-physical memory
 * @mem: the memory
 * @gpa: guest-physical address, any value
 * @buf: where to put what was read
 * @len: bytes; the range may cross pages and slots
 *
 * Call it in the owner's address space. May sleep.
 *
 * Return: 0, or -EFAULT where there is no slot or the owner has no memory;
 * @buf is then undefined.
 */
int mvm_memory_read(struct mvm_memory *mem, u64 gpa, void *buf, size_t len)
{
	return copy_guest(mem, gpa, buf, len, false);
}

/**
 * mvm_memory_write() - write guest-physical memory
 * @mem: the memory
 * @gpa: guest-physical address, any value
 * @buf: what to write
 * @len: bytes; the range may cross pages and slots
 *
 * Call it in the owner's address space. May sleep.
 *
 * Return: 0, or -EFAULT where there is no slot, a read-only one, or memory
 * that the owner may not write; what comes before that place is written.
 */
int mvm_memory_write(struct mvm_memory *mem, u64 gpa, const void *buf,
		     size_t len)
{
	return copy_guest(mem, gpa, (void *)buf, len, true);
}

/**
 * mvm_memory_fetch() - read bytes of an instruction
 * @mem: the memory, its slots_sem held for reading
 * @near: a slot that was found since slots_sem is held, or NULL
 * @gpa: guest-physical address
 * @buf: where to put them
 * @len: bytes, up to 16, in one page
 *
 * Call it in the owner's address space. May sleep, unless page faults are
 * disabled.
 *
 * Return: 0; -ENXIO where there is no slot; -EFAULT where the owner has no
 * memory, or none at hand.
 */
int mvm_memory_fetch(struct mvm_memory *mem, const struct mvm_slot *near, u64 gpa,
		     void *buf, size_t len)
{
	const struct mvm_slot *slot = mvm_slot_find_near(mem->slots, gpa, near);
	u64 *words = buf;
	u64 __user *hva;

	if (!slot)
		return -ENXIO;
	hva = (u64 __user *)mvm_slot_hva(slot, gpa);
	/* Mostly the page has that many. */
	if (len == 2 * sizeof(*words))
		return get_user(words[0], hva) ?: get_user(words[1], hva + 1);
	return copy_from_user(buf, hva, len) ? -EFAULT : 0;
}

/**
 * mvm_memory_read_entry() - read an entry of the guest's page tables
 * @mem: the memory, its slots_sem held for reading
 * @near: the slot of the last entry that was read since slots_sem is held, or
 *	NULL; changed to that of this one
 * @gpa: guest-physical address, a multiple of @len
 * @buf: where to put it
 * @len: 4 or 8 bytes
 *
 * Call it in the owner's address space. May sleep, unless page faults are
 * disabled.
 *
 * Return: 0, or -EFAULT where the owner has no memory. Where there is no slot
 * @buf is zeroed: tables there map nothing, and so it is in KVM.
 */
int mvm_memory_read_entry(struct mvm_memory *mem, const struct mvm_slot **near, u64 gpa,
			  void *buf, size_t len)
{
	const struct mvm_slot *slot = mvm_slot_find_near(mem->slots, gpa, *near);
	void __user *hva;

	*near = slot;
	if (!slot) {
		memset(buf, 0, len);
		return 0;
	}
	hva = (void __user *)mvm_slot_hva(slot, gpa);
	if (len == sizeof(u64))
		return get_user(*(u64 *)buf, (u64 __user *)hva);
	return get_user(*(u32 *)buf, (u32 __user *)hva);
}

static int cmpxchg_user(void __user *hva, u64 old, u64 new, size_t len)
{
	u32 old32 = old;
	bool same;

	if (!user_access_begin(hva, len))
		return -EFAULT;
	if (len == sizeof(u64))
		same = unsafe_try_cmpxchg_user((u64 __user *)hva, &old, new, fault);
	else
		same = unsafe_try_cmpxchg_user((u32 __user *)hva, &old32, (u32)new, fault);
	user_access_end();
	return same ? 0 : 1;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * mvm_memory_cmpxchg_entry() - set flags in an entry if nobody else changed it
 * @mem: the memory, its slots_sem held for reading
 * @gpa: guest-physical address, a multiple of @len
 * @old: what it is thought to hold
 * @new: what it is to hold
 * @len: 4 or 8 bytes
 *
 * Call it in the owner's address space. May sleep, unless page faults are
 * disabled.
 *
 * Return: 0 if it was changed, or is in no slot or a read-only one: tables
 * there work, but for the accessed and dirty flags. 1 if it holds something
 * else. -EFAULT where the owner may not write.
 */
int mvm_memory_cmpxchg_entry(struct mvm_memory *mem, u64 gpa, u64 old, u64 new,
			     size_t len)
{
	const struct mvm_slot *slot = mvm_slot_find(mem->slots, gpa);
	int ret;

	if (!slot || mvm_slot_is_readonly(slot))
		return 0;
	ret = cmpxchg_user((void __user *)mvm_slot_hva(slot, gpa), old, new, len);
	if (!ret)
		mvm_dirty_mark(slot, gpa, len);
	return ret;
}

/**
 * mvm_memory_is_device() - does an access belong to user space?
 * @mem: the memory
 * @gpa: guest-physical address, any value
 * @write: it is a write
 *
 * Any context but interrupts.
 *
 * Return: there is no slot, or a read-only one and it is a write.
 */
bool mvm_memory_is_device(struct mvm_memory *mem, u64 gpa, bool write)
{
	const struct mvm_slot *slot;
	bool device;

	spin_lock(&mem->lock);
	slot = mvm_slot_find(mem->slots, gpa);
	device = !slot || (write && mvm_slot_is_readonly(slot));
	spin_unlock(&mem->lock);
	return device;
}
