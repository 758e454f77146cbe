// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's linear addresses, for the instructions that are finished here:
 * what the processor would check of segments and pages.
 */
#include <linux/kernel.h>
#include <linux/sched/signal.h>
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

static int read_entry(void *ctx, u64 gpa, void *buf, size_t len)
{
	return mvm_memory_read_entry(ctx, gpa, buf, len);
}

static int cmpxchg_entry(void *ctx, u64 gpa, u64 old, u64 new, size_t len)
{
	return mvm_memory_cmpxchg_entry(ctx, gpa, old, new, len);
}

/**
 * mvm_vmx_translate() - find the guest-physical address of a linear one
 * @vcpu: the vCPU, not loaded: this may sleep
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
	struct mvm_memory *mem = &vcpu->vm->memory;
	const struct mvm_walk_memory memory = {
		.read = read_entry, .cmpxchg = cmpxchg_entry, .ctx = mem,
	};
	struct mvm_walk_fault fault;
	int ret;

	down_read(&mem->slots_sem);
	/* Another vCPU changes the tables right now: look again. */
	do {
		ret = mvm_walk(mmu, &memory, gva, access, gpa, &fault);
	} while (ret == -EAGAIN && !fatal_signal_pending(current));
	up_read(&mem->slots_sem);
	if (ret != MVM_WALK_FAULT)
		return ret;
	mvm_vmx_queue(vcpu, &(struct mvm_exception){
		.vector = VMX_VECTOR_PF, .has_error = true,
		.error = fault.error, .cr2 = fault.address,
	});
	return 1;
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
