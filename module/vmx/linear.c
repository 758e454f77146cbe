// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's linear addresses, for the instructions that are finished here:
 * what the processor would check of segments and pages.
 */
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "../mvm.h"
#include "../x86/walk.h"
#include "guest.h"
#include "vmcs.h"
#include "vmx.h"

/**
 * mvm_vmx_get_mmu() - everything that a walk of the guest's tables depends on
 * @vcpu: attached or loaded
 * @mmu: filled in; it points to @pdpte
 * @pdpte: filled in where they are used
 */
void mvm_vmx_get_mmu(struct mvm_vcpu *vcpu, struct mvm_walk_mmu *mmu, u64 pdpte[4])
{
	*mmu = (struct mvm_walk_mmu) {
		.cr0 = mvm_vmx_read_cr0(vcpu),
		.cr3 = vmcs_readl(VMCS_GUEST_CR3),
		.cr4 = mvm_vmx_read_cr4(vcpu),
		.efer = mvm_vmx_read_efer(vcpu),
		.pdpte = pdpte,
		.cpl = mvm_vmx_cpl(),
		.ac = vmcs_readl(VMCS_GUEST_RFLAGS) & X86_EFLAGS_AC,
		.maxphyaddr = vcpu->maxphyaddr,
		.page_1g = vcpu->page_1g,
	};
	if (!(mmu->cr4 & X86_CR4_PAE) || mmu->efer & EFER_LMA)
		return;
	mvm_vmx_read_pdptes(pdpte);
}

/* What a walk reads: entries in memory, of which most are in one slot. */
struct tables {
	struct mvm_memory *mem;
	const struct mvm_slot *slot;
};

static int read_entry(void *ctx, u64 gpa, void *buf, size_t len)
{
	struct tables *t = ctx;

	return mvm_memory_read_entry(t->mem, &t->slot, gpa, buf, len);
}

static int cmpxchg_entry(void *ctx, u64 gpa, u64 old, u64 new, size_t len)
{
	struct tables *t = ctx;

	return mvm_memory_cmpxchg_entry(t->mem, gpa, old, new, len);
}

/* Translate, and read @len bytes there. slots_sem is held for reading. */
static int look(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu, unsigned long gva,
		unsigned int access, u64 *gpa, void *buf, size_t len)
{
	struct tables tables = { .mem = &vcpu->vm->memory };
	const struct mvm_walk_memory memory = {
		.read = read_entry, .cmpxchg = cmpxchg_entry, .ctx = &tables,
	};
	struct mvm_walk_fault fault;
	int ret;

	ret = mvm_walk(mmu, &memory, gva, access, gpa, &fault);
	if (ret == MVM_WALK_FAULT) {
		mvm_vmx_queue(vcpu, &(struct mvm_exception){
			.vector = VMX_VECTOR_PF, .has_error = true,
			.error = fault.error, .cr2 = fault.address,
		});
		return 1;
	}
	if (ret || !len)
		return ret;
	return mvm_memory_fetch(tables.mem, tables.slot, *gpa, buf, len);
}

/*
 * A vCPU that is loaded stays so if all that has to be read is at hand. If not,
 * the host has to find it, and that sleeps.
 */
static int look_or_sleep(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu,
			 unsigned long gva, unsigned int access, u64 *gpa,
			 void *buf, size_t len)
{
	struct rw_semaphore *slots_sem = &vcpu->vm->memory.slots_sem;
	int ret;

	if (vcpu->vmx.loaded && down_read_trylock(slots_sem)) {
		pagefault_disable();
		ret = look(vcpu, mmu, gva, access, gpa, buf, len);
		pagefault_enable();
		up_read(slots_sem);
		if (ret >= 0)
			return ret;
	}
	mvm_vmx_put(vcpu);
	down_read(slots_sem);
	/* Another vCPU changes the tables right now: look again. */
	do {
		ret = look(vcpu, mmu, gva, access, gpa, buf, len);
	} while (ret == -EAGAIN && !fatal_signal_pending(current));
	up_read(slots_sem);
	return ret;
}

/**
 * mvm_vmx_translate() - find the guest-physical address of a linear one
 * @vcpu: the vCPU, not attached; if it is loaded it is put where this sleeps
 * @mmu: from mvm_vmx_get_mmu()
 * @gva: the linear address
 * @access: MVM_ACCESS_*
 * @gpa: the guest-physical address
 *
 * Return: 0; 1 if a #PF was queued; or an errno.
 */
int mvm_vmx_translate(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu,
		      unsigned long gva, unsigned int access, u64 *gpa)
{
	return look_or_sleep(vcpu, mmu, gva, access, gpa, NULL, 0);
}

/**
 * mvm_vmx_fetch() - read bytes of an instruction
 * @vcpu: the vCPU, not attached; if it is loaded it is put where this sleeps
 * @mmu: from mvm_vmx_get_mmu()
 * @gva: the linear address
 * @buf: where to put them
 * @len: up to 16, in one page
 *
 * Return: 0; 1 if a #PF was queued; -ENXIO if there is no memory; or another
 * errno.
 */
int mvm_vmx_fetch(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu, unsigned long gva,
		  void *buf, size_t len)
{
	u64 gpa;

	return look_or_sleep(vcpu, mmu, gva, MVM_ACCESS_EXEC, &gpa, buf, len);
}

static bool canonical(unsigned long gva)
{
	return ((long)(gva << 16) >> 16) == (long)gva;
}

/**
 * mvm_segment_allows() - may a segment be used for an access?
 * @s: the segment
 * @code64: in 64-bit mode, where there is only the form of the address
 * @offset: of the access in the segment
 * @gva: its linear address
 * @size: its bytes
 * @write: it is a write
 *
 * SDM Vol. 3, "Limit Checking" and "Type Checking".
 *
 * Return: if not, there is #GP, or #SS for the stack segment.
 */
bool mvm_segment_allows(const struct kvm_segment *s, bool code64, unsigned long offset,
			unsigned long gva, u32 size, bool write)
{
	u32 first = offset, last = first + size - 1;

	if (code64)
		return canonical(gva) && canonical(gva + size - 1);
	if (s->unusable || last < first)
		return false;
	if (s->type & 8) {
		/* Code: never writable, readable with bit 1 */
		if (write || !(s->type & 2))
			return false;
	} else if (write && !(s->type & 2)) {
		return false;
	}
	/* Expand-down data: what is above the limit is inside */
	if ((s->type & 0xc) == 4)
		return first > s->limit && last <= (s->db ? U32_MAX : 0xffff);
	return last <= s->limit;
}
