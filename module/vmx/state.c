// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's registers as user space and the handlers see them.
 *
 * CR0 and CR4 have two values: the one in force in the CPU, and the one that
 * the guest reads. SDM Vol. 3, "Guest/Host Masks and Read Shadows for CR0 and
 * CR4" (2024: 25.6.6): bits that are set in the mask are the host's, the guest
 * reads them from the shadow, and an attempt to change one exits to us.
 */
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>

#include "../mvm.h"
#include "guest.h"
#include "operation.h"
#include "vmcs.h"
#include "vmx.h"

/*
 * CR0.CD and CR0.NW: the guest reads what it wrote, but its memory stays
 * cached; the memory types belong to the host. CR0.NE is fixed to 1.
 */
#define CR0_HIDDEN	(X86_CR0_CD | X86_CR0_NW)

/*
 * CR4 bits that the guest may own where its CPUID table has them: the CPU
 * alone gives them their meaning. CR4.MCE is the host's, so that a machine
 * check never finds it clear; OSXSAVE changes what CPUID says.
 */
#define CR4_GUEST_OWNED							\
	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE |		\
	 X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCE |	\
	 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_UMIP |		\
	 X86_CR4_FSGSBASE | X86_CR4_PCIDE | X86_CR4_SMEP | X86_CR4_SMAP)

unsigned long mvm_vmx_read_cr0(struct mvm_vcpu *vcpu)
{
	return (vmcs_readl(VMCS_GUEST_CR0) & MVM_CR0_GUEST_OWNED) |
	       (vmcs_readl(VMCS_CR0_SHADOW) & ~MVM_CR0_GUEST_OWNED);
}

void mvm_vmx_write_cr0(struct mvm_vcpu *vcpu, unsigned long cr0)
{
	unsigned long real = (cr0 & ~CR0_HIDDEN) | X86_CR0_ET;

	vmcs_writel(VMCS_GUEST_CR0, (real | mvm_vmx.cr0_fixed0) & mvm_vmx.cr0_fixed1);
	vmcs_writel(VMCS_CR0_SHADOW, cr0 | X86_CR0_ET);
	vmcs_writel(VMCS_CR0_MASK, ~MVM_CR0_GUEST_OWNED);
}

static unsigned long cr4_guest_owned(struct mvm_vcpu *vcpu)
{
	return CR4_GUEST_OWNED & ~vcpu->cr4_reserved;
}

unsigned long mvm_vmx_read_cr4(struct mvm_vcpu *vcpu)
{
	unsigned long owned = cr4_guest_owned(vcpu);

	return (vmcs_readl(VMCS_GUEST_CR4) & owned) |
	       (vmcs_readl(VMCS_CR4_SHADOW) & ~owned);
}

void mvm_vmx_write_cr4(struct mvm_vcpu *vcpu, unsigned long cr4)
{
	unsigned long real = (cr4 & ~X86_CR4_MCE) |
			     (__read_cr4() & X86_CR4_MCE) | mvm_vmx.cr4_fixed0;

	vmcs_writel(VMCS_GUEST_CR4, real);
	vmcs_writel(VMCS_CR4_SHADOW, cr4);
	vmcs_writel(VMCS_CR4_MASK, ~cr4_guest_owned(vcpu));
}

u64 mvm_vmx_read_efer(struct mvm_vcpu *vcpu)
{
	return vmcs_read64(VMCS_GUEST_EFER);
}

static void change_efer(struct mvm_vcpu *vcpu, void *efer)
{
	vcpu->vmx.efer = *(u64 *)efer & ~EFER_LMA;
}

/*
 * EFER.LMA and the control "IA-32e mode guest" are one: SDM Vol. 3, "Checks on
 * Guest Control Registers, Debug Registers, and MSRs". When the guest switches
 * paging on or off in long mode, the CPU changes both by itself, and the VM
 * exit saves both (SDM Vol. 3, "Saving Control Registers, Debug Registers, and
 * MSRs" for EFER; "VM-Entry Controls" with unrestricted guest for the control).
 */
void mvm_vmx_write_efer(struct mvm_vcpu *vcpu, u64 efer)
{
	u32 entry = vmcs_read32(VMCS_ENTRY_CONTROLS) & ~VMX_ENTRY_IA32E_MODE;

	if (efer & EFER_LMA)
		entry |= VMX_ENTRY_IA32E_MODE;
	vmcs_write32(VMCS_ENTRY_CONTROLS, entry);
	vmcs_write64(VMCS_GUEST_EFER, efer);
	mvm_vmx_switch_msrs(vcpu, change_efer, &efer);
	mvm_vmx_pass_kernel_gs(vcpu, efer & EFER_LME);
}

/* SDM Vol. 3, "Format of Access Rights" in "Guest Register State" */
void mvm_vmx_get_segment(enum mvm_segment n, struct kvm_segment *s)
{
	u32 ar = vmcs_read32(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * n);

	*s = (struct kvm_segment) {
		.base = vmcs_readl(VMCS_GUEST_ES_BASE + 2 * n),
		.limit = vmcs_read32(VMCS_GUEST_ES_LIMIT + 2 * n),
		.selector = vmcs_read16(VMCS_GUEST_ES_SELECTOR + 2 * n),
		.type = ar & VMX_AR_TYPE,
		.s = !!(ar & VMX_AR_S),
		.dpl = (ar & VMX_AR_DPL_MASK) >> 5,
		/* KVM's: what cannot be used counts as not present */
		.present = !(ar & VMX_AR_UNUSABLE),
		.avl = !!(ar & VMX_AR_AVL),
		.l = !!(ar & VMX_AR_L),
		.db = !!(ar & VMX_AR_DB),
		.g = !!(ar & VMX_AR_G),
		.unusable = !!(ar & VMX_AR_UNUSABLE),
	};
}

void mvm_vmx_set_segment(enum mvm_segment n, const struct kvm_segment *s)
{
	u8 type = s->type;
	u32 ar;

	/*
	 * A VM entry needs the accessed bit in every usable segment, and many
	 * programs leave it out; KVM sets it for them.
	 */
	if (n != MVM_LDTR)
		type |= 1;
	ar = (type & VMX_AR_TYPE) | (s->s & 1) << 4 | (s->dpl & 3) << 5 |
	     (s->present & 1) << 7 | (s->avl & 1) << 12 | (s->l & 1) << 13 |
	     (s->db & 1) << 14 | (s->g & 1) << 15;
	/* The rest stays: the DPL of SS is the CPL, also with a null selector. */
	if (s->unusable || !s->present)
		ar |= VMX_AR_UNUSABLE;
	vmcs_writel(VMCS_GUEST_ES_BASE + 2 * n, s->base);
	vmcs_write32(VMCS_GUEST_ES_LIMIT + 2 * n, s->limit);
	vmcs_write16(VMCS_GUEST_ES_SELECTOR + 2 * n, s->selector);
	vmcs_write32(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * n, ar);
}

/* SDM Vol. 3: the DPL of SS is the CPL, "Guest Register State" */
int mvm_vmx_cpl(void)
{
	return (vmcs_read32(VMCS_GUEST_SS_ACCESS_RIGHTS) & VMX_AR_DPL_MASK) >> 5;
}

bool mvm_vmx_64bit_code(void)
{
	return (vmcs_read64(VMCS_GUEST_EFER) & EFER_LMA) &&
	       (vmcs_read32(VMCS_GUEST_CS_ACCESS_RIGHTS) & VMX_AR_L);
}

bool mvm_vmx_interrupt_flag(struct mvm_vcpu *vcpu)
{
	return vmcs_readl(VMCS_GUEST_RFLAGS) & X86_EFLAGS_IF;
}

unsigned long mvm_vmx_get_gpr(struct mvm_vcpu *vcpu, int n)
{
	return n == MVM_RSP ? vmcs_readl(VMCS_GUEST_RSP) : vcpu->enter.regs[n];
}

void mvm_vmx_set_gpr(struct mvm_vcpu *vcpu, int n, unsigned long value)
{
	if (n == MVM_RSP)
		vmcs_writel(VMCS_GUEST_RSP, value);
	else
		vcpu->enter.regs[n] = value;
}

/**
 * mvm_vmx_cpuid_changed() - let the controls follow the guest's CPUID table
 * @vcpu: attached; mvm_vcpu::cpuid and what derives from it are the new ones
 * @cr4: as the guest read it until now: which bits it owns may be others now
 *
 * An instruction that CPUID does not show is an invalid opcode.
 */
void mvm_vmx_cpuid_changed(struct mvm_vcpu *vcpu, unsigned long cr4)
{
	const struct mvm_cpuid *c = &vcpu->cpuid;
	u32 cpu2 = vmcs_read32(VMCS_CPU2_CONTROLS);

	cpu2 &= ~(VMX_CPU2_RDTSCP | VMX_CPU2_INVPCID);
	if (mvm_cpuid_has(c->entries, c->nent, MVM_FEATURE_RDTSCP) ||
	    mvm_cpuid_has(c->entries, c->nent, MVM_FEATURE_RDPID))
		cpu2 |= mvm_vmx.cpu2 & VMX_CPU2_RDTSCP;
	if (mvm_cpuid_has(c->entries, c->nent, MVM_FEATURE_INVPCID))
		cpu2 |= mvm_vmx.cpu2 & VMX_CPU2_INVPCID;
	vmcs_write32(VMCS_CPU2_CONTROLS, cpu2);
	mvm_vmx_write_cr4(vcpu, cr4);
}

/* Pairs of the members of struct kvm_regs and our numbers, but for RSP */
#define GPRS(X)								\
	X(rax, RAX) X(rbx, RBX) X(rcx, RCX) X(rdx, RDX) X(rsi, RSI)	\
	X(rdi, RDI) X(rbp, RBP) X(r8, R8) X(r9, R9) X(r10, R10)		\
	X(r11, R11) X(r12, R12) X(r13, R13) X(r14, R14) X(r15, R15)

/**
 * mvm_vmx_get_regs() - KVM_GET_REGS
 * @vcpu: attached
 * @regs: filled in
 */
void mvm_vmx_get_regs(struct mvm_vcpu *vcpu, struct kvm_regs *regs)
{
#define GET(member, number)	regs->member = vcpu->enter.regs[MVM_##number];
	GPRS(GET)
	regs->rsp = vmcs_readl(VMCS_GUEST_RSP);
	regs->rip = vmcs_readl(VMCS_GUEST_RIP);
	regs->rflags = mvm_vmx_get_rflags(vcpu);
}

/**
 * mvm_vmx_set_regs() - KVM_SET_REGS
 * @vcpu: attached
 * @regs: the new values
 */
void mvm_vmx_set_regs(struct mvm_vcpu *vcpu, const struct kvm_regs *regs)
{
#define SET(member, number)	vcpu->enter.regs[MVM_##number] = regs->member;
	GPRS(SET)
	vmcs_writel(VMCS_GUEST_RSP, regs->rsp);
	vmcs_writel(VMCS_GUEST_RIP, regs->rip);
	mvm_vmx_set_rflags(vcpu, regs->rflags);
	/* As KVM: one whose delivery has begun already stays. */
	vcpu->pending &= ~MVM_PENDING_EXCEPTION;
}

/* struct kvm_sregs has the segments in another order than the VMCS. */
#define SEGMENTS(X)							\
	X(cs, CS) X(ds, DS) X(es, ES) X(fs, FS) X(gs, GS) X(ss, SS)	\
	X(tr, TR) X(ldt, LDTR)

/**
 * mvm_vmx_get_sregs() - the part of KVM_GET_SREGS that is in the VMCS
 * @vcpu: attached
 * @sregs: filled in
 */
void mvm_vmx_get_sregs(struct mvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
#define GET_SEGMENT(member, number)	\
	mvm_vmx_get_segment(MVM_##number, &sregs->member);
	SEGMENTS(GET_SEGMENT)
	sregs->gdt.base = vmcs_readl(VMCS_GUEST_GDTR_BASE);
	sregs->gdt.limit = vmcs_read32(VMCS_GUEST_GDTR_LIMIT);
	sregs->idt.base = vmcs_readl(VMCS_GUEST_IDTR_BASE);
	sregs->idt.limit = vmcs_read32(VMCS_GUEST_IDTR_LIMIT);
	sregs->cr0 = mvm_vmx_read_cr0(vcpu);
	mvm_vmx_settle_exception(vcpu);
	sregs->cr2 = vcpu->cr2;
	sregs->cr3 = vmcs_readl(VMCS_GUEST_CR3);
	sregs->cr4 = mvm_vmx_read_cr4(vcpu);
	sregs->cr8 = mvm_apic_get_cr8(vcpu);
	sregs->efer = mvm_vmx_read_efer(vcpu);
	sregs->apic_base = vcpu->msrs.apic_base;
	/* The external interrupt that waits to be delivered, if any */
	if (vcpu->pending & MVM_PENDING_INTERRUPT)
		__set_bit(vcpu->interrupt, (unsigned long *)sregs->interrupt_bitmap);
}

/**
 * mvm_vmx_set_sregs() - the part of KVM_SET_SREGS that is in the VMCS
 * @vcpu: attached
 * @sregs: the new values, found valid by the caller
 */
void mvm_vmx_set_sregs(struct mvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
#define SET_SEGMENT(member, number)	\
	mvm_vmx_set_segment(MVM_##number, &sregs->member);
	unsigned long vector;

	vmcs_writel(VMCS_GUEST_GDTR_BASE, sregs->gdt.base);
	vmcs_write32(VMCS_GUEST_GDTR_LIMIT, sregs->gdt.limit);
	vmcs_writel(VMCS_GUEST_IDTR_BASE, sregs->idt.base);
	vmcs_write32(VMCS_GUEST_IDTR_LIMIT, sregs->idt.limit);
	vcpu->cr2 = sregs->cr2;
	mvm_apic_set_base(vcpu, sregs->apic_base);
	/* As in KVM, one that cannot be is ignored. */
	if (!(sregs->cr8 & ~0xfULL))
		mvm_apic_set_cr8(vcpu, sregs->cr8);
	vmcs_writel(VMCS_GUEST_CR3, sregs->cr3);
	mvm_vmx_write_efer(vcpu, sregs->efer);
	mvm_vmx_write_cr0(vcpu, sregs->cr0);
	mvm_vmx_write_cr4(vcpu, sregs->cr4);
	SEGMENTS(SET_SEGMENT)
	vector = find_first_bit((unsigned long *)sregs->interrupt_bitmap,
				KVM_NR_INTERRUPTS);
	if (vector < KVM_NR_INTERRUPTS)
		mvm_vmx_interrupt(vcpu, vector);
	/* Linear addresses mean something else now. */
	vcpu->pending |= MVM_PENDING_FLUSH;
}

/**
 * mvm_vmx_get_debugregs() - KVM_GET_DEBUGREGS
 * @vcpu: the vCPU: none of them is in the VMCS alone
 * @regs: filled in
 */
void mvm_vmx_get_debugregs(struct mvm_vcpu *vcpu, struct kvm_debugregs *regs)
{
	int i;

	memset(regs, 0, sizeof(*regs));
	for (i = 0; i < 4; i++)
		regs->db[i] = vcpu->dr[i];
	mvm_vmx_settle_exception(vcpu);
	regs->dr6 = vcpu->dr6;
	regs->dr7 = vcpu->dr7;
}

/**
 * mvm_vmx_set_debugregs() - KVM_SET_DEBUGREGS
 * @vcpu: attached
 * @regs: the new values; the upper halves of DR6 and DR7 are 0, or the VM
 *	entry would fail
 */
void mvm_vmx_set_debugregs(struct mvm_vcpu *vcpu, const struct kvm_debugregs *regs)
{
	int i;

	for (i = 0; i < 4; i++)
		vcpu->dr[i] = regs->db[i];
	vcpu->dr6 = regs->dr6;
	mvm_vmx_write_dr7(vcpu, regs->dr7);
}

/**
 * mvm_vmx_set_tsc_offset() - what is the guest's TSC ahead of the host's?
 * @vcpu: attached or loaded
 * @offset: ticks
 */
void mvm_vmx_set_tsc_offset(struct mvm_vcpu *vcpu, u64 offset)
{
	vmcs_write64(VMCS_TSC_OFFSET, offset);
	if (offset == vcpu->clock.tsc_offset)
		return;
	WRITE_ONCE(vcpu->clock.tsc_offset, offset);
	mvm_clock_changed(vcpu->vm);
	mvm_apic_tsc_changed(vcpu);
}

void mvm_vmx_read_pdptes(u64 pdpte[4])
{
	pdpte[0] = vmcs_read64(VMCS_GUEST_PDPTE0);
	pdpte[1] = vmcs_read64(VMCS_GUEST_PDPTE1);
	pdpte[2] = vmcs_read64(VMCS_GUEST_PDPTE2);
	pdpte[3] = vmcs_read64(VMCS_GUEST_PDPTE3);
}

/* SDM Vol. 3, "Page-Directory-Pointer-Table Entries" in the guest-state area */
void mvm_vmx_write_pdptes(const u64 pdpte[4])
{
	vmcs_write64(VMCS_GUEST_PDPTE0, pdpte[0]);
	vmcs_write64(VMCS_GUEST_PDPTE1, pdpte[1]);
	vmcs_write64(VMCS_GUEST_PDPTE2, pdpte[2]);
	vmcs_write64(VMCS_GUEST_PDPTE3, pdpte[3]);
}

/**
 * mvm_read_pdptes() - read the four entries that PAE paging keeps in the CPU
 * @vcpu: not attached: reading guest memory can sleep
 * @cr3: the guest's
 * @pdpte: the entries; all zero on error
 *
 * SDM Vol. 3, "PDPTE Registers" (2024: 4.4.1).
 *
 * Return: 0, or -EINVAL if MOV to CR would raise #GP.
 */
int mvm_read_pdptes(struct mvm_vcpu *vcpu, unsigned long cr3, u64 pdpte[4])
{
	u64 reserved = GENMASK_ULL(63, vcpu->maxphyaddr) | GENMASK_ULL(8, 5) |
		       GENMASK_ULL(2, 1);
	int i;

	if (mvm_memory_read(&vcpu->vm->memory, cr3 & GENMASK_ULL(31, 5), pdpte,
			    4 * sizeof(*pdpte)))
		goto invalid;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && (pdpte[i] & reserved))
			goto invalid;
	return 0;
invalid:
	memset(pdpte, 0, 4 * sizeof(*pdpte));
	return -EINVAL;
}

/**
 * mvm_vmx_skip() - the instruction that exited is done
 * @vcpu: attached or loaded
 * @length: its length in bytes
 */
void mvm_vmx_skip(struct mvm_vcpu *vcpu, u32 length)
{
	unsigned long rip = vmcs_readl(VMCS_GUEST_RIP);
	unsigned long next = rip + length, rflags;
	u32 blocking;

	/* Outside 64-bit mode the upper half does not exist. */
	if (unlikely((rip ^ next) & BIT_ULL(32)) && !mvm_vmx_64bit_code())
		next = (u32)next;
	vmcs_writel(VMCS_GUEST_RIP, next);

	/* STI and MOV SS block for one instruction, and this was it. */
	blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);
	if (unlikely(blocking & (VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS)))
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY,
			     blocking & ~(VMX_BLOCKING_STI | VMX_BLOCKING_MOV_SS));
	rflags = vmcs_readl(VMCS_GUEST_RFLAGS);
	if (likely(!(rflags & (X86_EFLAGS_TF | X86_EFLAGS_RF))))
		return;
	/* RF is for one instruction; a string instruction that goes on keeps it. */
	if (rflags & X86_EFLAGS_RF && length)
		vmcs_writel(VMCS_GUEST_RFLAGS, rflags & ~X86_EFLAGS_RF);
	/* The single-step trap that the instruction would have ended with */
	if (rflags & X86_EFLAGS_TF)
		mvm_vmx_end_step(vcpu);
}

/**
 * mvm_vmx_skip_and_resume() - how most handlers end
 * @vcpu: loaded
 *
 * Return: MVM_RESUME.
 */
int mvm_vmx_skip_and_resume(struct mvm_vcpu *vcpu)
{
	mvm_vmx_skip(vcpu, vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH));
	return MVM_RESUME;
}
