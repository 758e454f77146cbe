// SPDX-License-Identifier: GPL-2.0
/*
 * A record of each VM exit, in a ring that user space reads: MINIVMM_TRACE.
 *
 * A record is begun at the VM exit and goes into the ring at the next VM entry,
 * when what the handler changed is known. The ring is shared, so it is only
 * written: what is read of user space's part is the tail, and a tail that cannot
 * be makes the ring look full.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "../../uapi/linux/minivmm.h"
#include "../mvm.h"
#include "../x86/walk.h"
#include "guest.h"
#include "record.h"
#include "vmcs.h"
#include "vmx.h"

/**
 * struct mvm_vmx_record - a vCPU's ring, and the record that is not in it yet
 * @shared: the ring
 * @nr: records in it
 * @head: how many were written
 * @dropped: how many found it full
 * @started: there was a VM entry since the ring is there
 * @open: there was a VM exit since the last VM entry
 * @exit: its record
 * @regs: the general-purpose registers then
 */
struct mvm_vmx_record {
	struct minivmm_trace *shared;
	u32 nr;
	u64 head;
	u64 dropped;
	bool started;
	bool open;
	struct minivmm_exit exit;
	unsigned long regs[MVM_NR_REGS];
};

static_assert(sizeof(struct minivmm_exit) * MINIVMM_TRACE_MIN % PAGE_SIZE == 0);

static size_t ring_size(u32 nr)
{
	return PAGE_SIZE + nr * sizeof(struct minivmm_exit);
}

static void publish(struct mvm_vmx_record *r)
{
	struct minivmm_exit *records = (void *)r->shared + PAGE_SIZE;
	/* Pairs with user space's release: it has read what is overwritten. */
	u64 tail = smp_load_acquire(&r->shared->tail);

	r->open = false;
	if (r->head - tail >= r->nr) {
		WRITE_ONCE(r->shared->dropped, ++r->dropped);
		return;
	}
	records[r->head & (r->nr - 1)] = r->exit;
	/* Pairs with user space's acquire. */
	smp_store_release(&r->shared->head, ++r->head);
}

static int read_entry(void *ctx, u64 gpa, void *buf, size_t len)
{
	const struct mvm_slot *slot = NULL;

	return mvm_memory_read_entry(ctx, &slot, gpa, buf, len);
}

/* Return: how many bytes at @gva are at hand. Nothing is changed for it. */
static size_t fetch(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu, unsigned long gva,
		    u8 *buf, size_t len)
{
	const struct mvm_walk_memory memory = {
		.read = read_entry, .ctx = &vcpu->vm->memory,
	};
	struct mvm_walk_fault fault;
	size_t done, part;
	u64 gpa;

	for (done = 0; done < len; done += part) {
		part = min_t(size_t, len - done, PAGE_SIZE - offset_in_page(gva + done));
		if (mvm_walk(mmu, &memory, gva + done, MVM_ACCESS_READ, &gpa, &fault) ||
		    mvm_memory_fetch(&vcpu->vm->memory, NULL, gpa, buf + done, part))
			break;
	}
	return done;
}

static void record_instruction(struct mvm_vcpu *vcpu, struct minivmm_exit *e)
{
	struct rw_semaphore *slots_sem = &vcpu->vm->memory.slots_sem;
	unsigned long gva = e->rip;
	struct mvm_walk_mmu mmu;
	u64 pdpte[4];

	if (!down_read_trylock(slots_sem))
		return;
	mvm_vmx_get_mmu(vcpu, &mmu, pdpte);
	/* It was executed: who may do so is not asked. */
	mmu.cpl = 0;
	mmu.cr4 &= ~X86_CR4_SMAP;
	if (!(e->flags & MINIVMM_EXIT_CODE64))
		gva = (u32)(gva + vmcs_readl(VMCS_GUEST_CS_BASE));
	pagefault_disable();
	e->insn_bytes = fetch(vcpu, &mmu, gva, e->insn, sizeof(e->insn));
	pagefault_enable();
	up_read(slots_sem);
}

/**
 * mvm_vmx_record_exit() - begin a record
 * @vcpu: loaded, right after a VM exit, interrupts off; MVM_OBSERVE_TRACE is set
 */
void mvm_vmx_record_exit(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_record *r = vcpu->vmx.record;
	struct minivmm_exit *e = &r->exit;
	u64 now = rdtsc_ordered();

	*e = (struct minivmm_exit) {
		.exit_tsc = now,
		.number = vcpu->nr_exits,
		.qualification = vmcs_readl(VMCS_EXIT_QUALIFICATION),
		.rip = vmcs_readl(VMCS_GUEST_RIP),
		.linear = vmcs_readl(VMCS_GUEST_LINEAR_ADDRESS),
		.physical = vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS),
		.cr3 = vmcs_readl(VMCS_GUEST_CR3),
		.cr4 = mvm_vmx_read_cr4(vcpu),
		.reason = vcpu->vmx.reason,
		.event = vmcs_read32(VMCS_EXIT_EVENT),
		.event_error = vmcs_read32(VMCS_EXIT_ERROR_CODE),
		.vectoring = vmcs_read32(VMCS_VECTORING_EVENT),
		.vectoring_error = vmcs_read32(VMCS_VECTORING_ERROR_CODE),
		.length = vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH),
		.info = vmcs_read32(VMCS_EXIT_INSTRUCTION_INFO),
		.rflags = vmcs_readl(VMCS_GUEST_RFLAGS),
		.cr0 = mvm_vmx_read_cr0(vcpu),
		.efer = mvm_vmx_read_efer(vcpu),
		.regs = {
			vcpu->enter.regs[MVM_RAX], vcpu->enter.regs[MVM_RCX],
			vcpu->enter.regs[MVM_RDX], vcpu->enter.regs[MVM_RBX],
		},
		.cpl = mvm_vmx_cpl(),
	};
	if (mvm_vmx_64bit_code())
		e->flags |= MINIVMM_EXIT_CODE64;
	else if (vmcs_read32(VMCS_GUEST_CS_ACCESS_RIGHTS) & VMX_AR_DB)
		e->flags |= MINIVMM_EXIT_CODE32;
	memcpy(r->regs, vcpu->enter.regs, sizeof(r->regs));
	r->regs[MVM_RSP] = vmcs_readl(VMCS_GUEST_RSP);
	r->open = true;
	record_instruction(vcpu, e);
}

/**
 * mvm_vmx_record_user() - the exit goes to user space
 * @vcpu: the vCPU, in KVM_RUN; MVM_OBSERVE_TRACE is set
 * @ret: what KVM_RUN returns
 */
void mvm_vmx_record_user(struct mvm_vcpu *vcpu, int ret)
{
	struct mvm_vmx_record *r = vcpu->vmx.record;
	struct minivmm_exit *e = &r->exit;

	/* A second time is the same exit's, which user space had not finished with. */
	if (!r->open || e->flags & MINIVMM_EXIT_TO_USER)
		return;
	e->flags |= MINIVMM_EXIT_TO_USER;
	e->user_tsc = rdtsc_ordered();
	if (!ret)
		e->user = vcpu->run->exit_reason;
	else
		/* The kernel's own errnos stand for a signal. */
		e->user = ret <= -ERESTARTSYS ? -EINTR : ret;
}

/* What changed since mvm_vmx_record_exit()? */
static void record_changes(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_record *r = vcpu->vmx.record;
	struct minivmm_exit *e = &r->exit;
	unsigned int i, n = 0;

	for (i = 0; i < MVM_NR_REGS; i++) {
		unsigned long value = i == MVM_RSP ? vmcs_readl(VMCS_GUEST_RSP) :
						     vcpu->enter.regs[i];

		if (value == r->regs[i])
			continue;
		e->changed |= BIT(i);
		if (n < ARRAY_SIZE(e->value))
			e->value[n++] = value;
	}
	e->next_rip = vmcs_readl(VMCS_GUEST_RIP);
	e->next_rflags = vmcs_readl(VMCS_GUEST_RFLAGS);
	e->next_cr0 = mvm_vmx_read_cr0(vcpu);
	e->next_cr3 = vmcs_readl(VMCS_GUEST_CR3);
	e->next_cr4 = mvm_vmx_read_cr4(vcpu);
	e->next_efer = mvm_vmx_read_efer(vcpu);
}

/**
 * mvm_vmx_record_entry() - end a record
 * @vcpu: loaded, interrupts off, right before a VM entry; MVM_OBSERVE_TRACE is set
 */
void mvm_vmx_record_entry(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_record *r = vcpu->vmx.record;

	if (r->open) {
		record_changes(vcpu);
		r->exit.inject = vmcs_read32(VMCS_ENTRY_EVENT);
		r->exit.inject_error = vmcs_read32(VMCS_ENTRY_ERROR_CODE);
		r->exit.entry_tsc = rdtsc_ordered();
		publish(r);
	} else if (!r->started) {
		r->started = true;
		WRITE_ONCE(r->shared->start, rdtsc_ordered());
	}
}

static int create(struct mvm_vcpu *vcpu, u32 nr)
{
	struct mvm_vmx_record *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return -ENOMEM;
	r->nr = nr;
	r->shared = __vmalloc(ring_size(nr), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!r->shared) {
		kfree(r);
		return -ENOMEM;
	}
	r->shared->nr = nr;
	r->shared->size = sizeof(struct minivmm_exit);
	r->shared->tsc_khz = tsc_khz;
	/* Whoever maps it does not hold the mutex. */
	smp_store_release(&vcpu->vmx.record, r);
	return 0;
}

/**
 * mvm_vmx_record() - MINIVMM_TRACE
 * @vcpu: the vCPU, its mutex held
 * @nr: records in the ring; 0: record no more
 *
 * Return: 0; -EINVAL for a size that cannot be, -EBUSY for another than the ring has
 * already, -ENOMEM.
 */
int mvm_vmx_record(struct mvm_vcpu *vcpu, unsigned long nr)
{
	struct mvm_vmx_record *r = vcpu->vmx.record;
	int ret;

	if (!nr) {
		vcpu->observe &= ~MVM_OBSERVE_TRACE;
		if (r && r->open) {
			mvm_vmx_attach(vcpu);
			record_changes(vcpu);
			mvm_vmx_detach(vcpu);
			publish(r);
		}
		return 0;
	}
	if (nr < MINIVMM_TRACE_MIN || nr > MINIVMM_TRACE_MAX || !is_power_of_2(nr))
		return -EINVAL;
	if (r && r->nr != nr)
		return -EBUSY;
	if (!r) {
		ret = create(vcpu, nr);
		if (ret)
			return ret;
	}
	vcpu->observe |= MVM_OBSERVE_TRACE;
	return 0;
}

/**
 * mvm_vmx_record_page() - a page of the ring, for a mapping
 * @vcpu: the vCPU; its mutex need not be held
 * @page: its number
 *
 * Return: the page, without a reference; NULL if there is none.
 */
struct page *mvm_vmx_record_page(struct mvm_vcpu *vcpu, unsigned long page)
{
	/* Pairs with the release in create(). */
	struct mvm_vmx_record *r = smp_load_acquire(&vcpu->vmx.record);

	if (!r || page >= ring_size(r->nr) >> PAGE_SHIFT)
		return NULL;
	return vmalloc_to_page((void *)r->shared + (page << PAGE_SHIFT));
}

/**
 * mvm_vmx_record_free() - the end of the ring
 * @vcpu: used by nobody any more
 *
 * Pages that a program still has mapped stay until it unmaps them.
 */
void mvm_vmx_record_free(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_record *r = vcpu->vmx.record;

	if (!r)
		return;
	vfree(r->shared);
	kfree(r);
}
