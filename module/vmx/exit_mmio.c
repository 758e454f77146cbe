// SPDX-License-Identifier: GPL-2.0
/*
 * Memory-mapped I/O: an access outside of every slot, or a write to a
 * read-only one, becomes KVM_EXIT_MMIO.
 *
 * VT-x says where the access went, but not what was to be written or where the
 * value read belongs. So the instruction is fetched, decoded and executed here
 * (x86/decode.c, x86/execute.c), with a bus that knows memory from devices:
 *
 *	write	mvm_execute() ends, registers and RIP are those after the
 *		instruction, and the data goes to user space
 *	read	mvm_execute() is stopped with nothing changed; user space brings
 *		the data, and mvm_execute() runs again, with it
 *
 * An access may be of two parts, one in each page, and each part a device's or
 * not; a device's part goes to user space in pieces of up to 8 bytes. The bytes
 * are in mvm_mmio::data meanwhile.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/string.h>
#include <asm/msr-index.h>

#include "../mvm.h"
#include "../trace.h"
#include "../x86/walk.h"
#include "guest.h"
#include "vmcs.h"
#include "vmx.h"

/* What kvm_run::mmio has room for */
#define PIECE	8

/* Bytes to fetch: no instruction has more than 15, but two words are quicker. */
#define FETCH	16

/**
 * struct emulation - one instruction on its way
 * @vcpu: the vCPU
 * @mmu: what its page tables depend on
 * @pdpte: belongs to @mmu
 * @code64: in 64-bit mode
 * @cs: the code segment
 * @source: the segment of the memory operand
 * @es: the segment of the destination of a string instruction
 * @regs: the registers, which are the vCPU's own but for RSP, RIP and RFLAGS
 * @rsp: what RSP was
 * @known_gva: a page whose translation the processor has just made
 * @known_gpa: and what it is
 * @known_access: the accesses for which that holds, MVM_ACCESS_*; or 0
 * @known_device: the accesses for which @known_gpa is a device's; or 0
 * @answer: what the handler returns when the bus stopped the instruction
 */
struct emulation {
	struct mvm_vcpu *vcpu;
	struct mvm_walk_mmu mmu;
	u64 pdpte[4];
	bool code64;
	struct kvm_segment cs;
	struct kvm_segment source;
	struct kvm_segment es;
	struct mvm_regs regs;
	unsigned long rsp;
	unsigned long known_gva;
	u64 known_gpa;
	unsigned int known_access;
	unsigned int known_device;
	int answer;
};

/* The next piece goes to user space. */
static int show(struct mvm_vcpu *vcpu, int (*complete)(struct mvm_vcpu *vcpu))
{
	struct mvm_mmio *mmio = &vcpu->mmio;
	struct kvm_run *run = vcpu->run;
	struct mvm_mmio_part *part = &mmio->device[mmio->current_device];
	u8 len = min_t(u8, part->len, PIECE);

	vcpu->stat.mmio_exits++;
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = part->gpa;
	run->mmio.len = len;
	run->mmio.is_write = mmio->write;
	if (mmio->write)
		memcpy(run->mmio.data, mmio->data + part->offset, len);
	vcpu->complete = complete;
	return MVM_TO_USER;
}

/* Has user space seen all of it? */
static bool was_last(struct mvm_vcpu *vcpu)
{
	struct mvm_mmio *mmio = &vcpu->mmio;
	struct mvm_mmio_part *part = &mmio->device[mmio->current_device];
	u8 done = min_t(u8, part->len, PIECE);

	if (!mmio->write)
		memcpy(mmio->data + part->offset, vcpu->run->mmio.data, done);
	part->gpa += done;
	part->offset += done;
	part->len -= done;
	if (!part->len)
		mmio->current_device++;
	return mmio->current_device == mmio->nr_device;
}

static int complete_write(struct mvm_vcpu *vcpu)
{
	return was_last(vcpu) ? MVM_RESUME : show(vcpu, complete_write);
}

/* An exception is queued: the guest goes on with that. */
static int fault(struct emulation *e, u8 vector)
{
	mvm_vmx_queue_error(e->vcpu, vector, 0);
	e->answer = MVM_RESUME;
	return -ECANCELED;
}

/* The processor says where the access went: mostly there is nothing to walk. */
static int translate(struct emulation *e, unsigned long gva, unsigned int access, u64 *gpa)
{
	if (access & ~e->known_access || (gva & PAGE_MASK) != e->known_gva)
		return mvm_vmx_translate(e->vcpu, &e->mmu, gva, access, gpa);
	*gpa = e->known_gpa | offset_in_page(gva);
	return 0;
}

/*
 * SDM Vol. 3, "Exit Qualification for EPT Violations". The page may well be one
 * that a walk here would refuse: the processor's physical addresses can be
 * wider than the guest's CPUID says.
 */
static void read_translation(struct emulation *e, unsigned long qualification)
{
	const unsigned long both = VMX_EPT_QUAL_LINEAR | VMX_EPT_QUAL_TRANSLATED;

	if ((qualification & both) != both)
		return;
	e->known_gva = vmcs_readl(VMCS_GUEST_LINEAR_ADDRESS) & PAGE_MASK;
	e->known_gpa = vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS) & PAGE_MASK;
	/*
	 * Where writing is allowed, so is reading. What may not be written to can
	 * be read-only memory; where reading leads nowhere there is nothing.
	 */
	if (qualification & VMX_EPT_QUAL_WRITE) {
		e->known_access = MVM_ACCESS_READ | MVM_ACCESS_WRITE;
		e->known_device = MVM_ACCESS_WRITE;
	} else if (qualification & VMX_EPT_QUAL_READ) {
		e->known_access = MVM_ACCESS_READ;
		e->known_device = MVM_ACCESS_READ | MVM_ACCESS_WRITE;
	}
}

/* mvm_memory_fault() has already found that the one page is a device's. */
static bool is_device(struct emulation *e, u64 gpa, bool write)
{
	unsigned int access = write ? MVM_ACCESS_WRITE : MVM_ACCESS_READ;

	if (access & e->known_device && (gpa & PAGE_MASK) == e->known_gpa)
		return true;
	return mvm_memory_is_device(&e->vcpu->vm->memory, gpa, write);
}

/* Which guest-physical memory is this? In two parts if it crosses a page. */
static int find_parts(struct emulation *e, int segment, u64 offset, size_t len,
		      unsigned int access, const struct kvm_segment *s)
{
	struct mvm_mmio *mmio = &e->vcpu->mmio;
	bool has_base = !e->code64 || segment >= MVM_FS;
	unsigned long gva = offset + (has_base ? s->base : 0);
	struct mvm_mmio_part *part;
	size_t done;
	int ret;

	if (!e->code64)
		gva = (u32)gva;
	if (!mvm_segment_allows(s, e->code64, offset, gva, len, access & MVM_ACCESS_WRITE))
		return fault(e, segment == MVM_SS ? VMX_VECTOR_SS : VMX_VECTOR_GP);
	if (mmio->insn.aligned && !IS_ALIGNED(gva, len))
		return fault(e, VMX_VECTOR_GP);

	mmio->nr_parts = 0;
	for (done = 0; done < len; done += part->len) {
		part = &mmio->part[mmio->nr_parts++];
		part->offset = done;
		part->len = min_t(size_t, len - done, PAGE_SIZE - offset_in_page(gva + done));
		ret = translate(e, gva + done, access, &part->gpa);
		if (ret) {
			e->answer = ret > 0 ? MVM_RESUME : ret;
			return -ECANCELED;
		}
	}
	return 0;
}

/*
 * What devices in the kernel and listeners (bus.c) take, from the start of the
 * part, is not for user space.
 */
static void try_bus(struct mvm_vcpu *vcpu, struct mvm_mmio_part *part, bool write)
{
	struct mvm_vm *vm = vcpu->vm;
	u8 len, *data;

	if (likely(!mvm_vm_listens(vcpu->vm, MVM_BUS_MMIO)))
		return;
	for (; part->len; part->gpa += len, part->offset += len, part->len -= len) {
		len = min_t(u8, part->len, PIECE);
		data = vcpu->mmio.data + part->offset;
		if (!(write ? mvm_bus_write(vm, MVM_BUS_MMIO, part->gpa, len, data) :
			      mvm_bus_read(vm, MVM_BUS_MMIO, part->gpa, len, data)))
			return;
		if (!write)
			trace_minivmm_mmio(MVM_TRACE_MMIO_READ, len, part->gpa, data);
	}
}

/* Access the parts that are memory, and list those that are a device's. */
static int access_parts(struct emulation *e, bool write)
{
	struct mvm_memory *memory = &e->vcpu->vm->memory;
	struct mvm_mmio *mmio = &e->vcpu->mmio;
	int i, ret;

	mmio->write = write;
	mmio->nr_device = 0;
	mmio->current_device = 0;
	for (i = 0; i < mmio->nr_parts; i++) {
		struct mvm_mmio_part *part = &mmio->part[i];

		if (is_device(e, part->gpa, write)) {
			struct mvm_mmio_part *device = &mmio->device[mmio->nr_device];

			if (write)
				trace_minivmm_mmio(MVM_TRACE_MMIO_WRITE, part->len, part->gpa,
						   mmio->data + part->offset);
			if (mvm_apic_mmio(e->vcpu, part->gpa, mmio->data + part->offset,
					  part->len, write)) {
				if (!write)
					trace_minivmm_mmio(MVM_TRACE_MMIO_READ, part->len,
							   part->gpa, mmio->data + part->offset);
				continue;
			}
			*device = *part;
			try_bus(e->vcpu, device, write);
			if (device->len)
				mmio->nr_device++;
			continue;
		}
		mvm_vmx_put(e->vcpu);
		if (write)
			ret = mvm_memory_write(memory, part->gpa,
					       mmio->data + part->offset, part->len);
		else
			ret = mvm_memory_read(memory, part->gpa,
					      mmio->data + part->offset, part->len);
		if (ret) {
			e->answer = ret;
			return -ECANCELED;
		}
	}
	return 0;
}

static int complete_read(struct mvm_vcpu *vcpu);

static int bus_read(void *ctx, int segment, u64 offset, void *buf, size_t len,
		    unsigned int access)
{
	struct emulation *e = ctx;
	struct mvm_mmio *mmio = &e->vcpu->mmio;
	int ret;

	if (!mmio->read_done) {
		ret = find_parts(e, segment, offset, len, access, &e->source);
		if (!ret)
			ret = access_parts(e, false);
		if (ret)
			return ret;
		if (mmio->nr_device) {
			trace_minivmm_mmio(MVM_TRACE_MMIO_WAITS, mmio->device[0].len,
					   mmio->device[0].gpa, NULL);
			e->answer = show(e->vcpu, complete_read);
			return -ECANCELED;
		}
	} else {
		trace_minivmm_mmio(MVM_TRACE_MMIO_READ, len, mmio->part[0].gpa, mmio->data);
	}
	memcpy(buf, mmio->data, len);
	return 0;
}

static int bus_write(void *ctx, int segment, u64 offset, const void *buf, size_t len)
{
	struct emulation *e = ctx;
	struct mvm_mmio *mmio = &e->vcpu->mmio;
	bool string = mmio->insn.op >= MVM_OP_MOVS;
	int ret;

	/* What was read is written again: the place was found, and allowed. */
	if (string || !(mmio->insn.access & MVM_ACCESS_READ)) {
		ret = find_parts(e, segment, offset, len, MVM_ACCESS_WRITE,
				 string ? &e->es : &e->source);
		if (ret)
			return ret;
	}
	memcpy(mmio->data, buf, len);
	return access_parts(e, true);
}

/* The vCPU is attached or loaded. */
static void read_regs(struct emulation *e, struct mvm_vcpu *vcpu)
{
	e->vcpu = vcpu;
	e->answer = MVM_RESUME;
	e->known_access = 0;
	e->known_device = 0;
	e->rsp = vmcs_readl(VMCS_GUEST_RSP);
	e->regs.gpr = vcpu->enter.regs;
	e->regs.gpr[MVM_RSP] = e->rsp;
	e->regs.rflags = vmcs_readl(VMCS_GUEST_RFLAGS);
}

/* What finding memory depends on. The vCPU is attached or loaded. */
static void read_mode(struct emulation *e)
{
	mvm_vmx_get_mmu(e->vcpu, &e->mmu, e->pdpte);
	e->code64 = mvm_vmx_64bit_code();
	/* In 64-bit mode CS has nothing more to say. */
	if (!e->code64)
		mvm_vmx_get_segment(MVM_CS, &e->cs);
}

/* In 64-bit mode most instructions need no segment, nor its value. */
static bool needs_segment(const struct emulation *e)
{
	const struct mvm_insn *insn = &e->vcpu->mmio.insn;

	return !e->code64 || insn->segment >= MVM_FS || insn->other == MVM_OTHER_SEGMENT;
}

/* The vCPU is attached or loaded. */
static void read_segments(struct emulation *e)
{
	const struct mvm_insn *insn = &e->vcpu->mmio.insn;
	struct kvm_segment s;

	mvm_vmx_get_segment(insn->segment, &e->source);
	if (!e->code64 && insn->op >= MVM_OP_MOVS)
		mvm_vmx_get_segment(MVM_ES, &e->es);
	if (insn->other == MVM_OTHER_SEGMENT) {
		mvm_vmx_get_segment(insn->reg, &s);
		e->regs.selector[insn->reg] = s.selector;
	}
}

/* The vCPU is attached or loaded. */
static void write_state(struct emulation *e, int result)
{
	struct mvm_vcpu *vcpu = e->vcpu;
	struct mvm_mmio *mmio = &vcpu->mmio;

	if (e->regs.gpr[MVM_RSP] != e->rsp)
		vmcs_writel(VMCS_GUEST_RSP, e->regs.gpr[MVM_RSP]);
	/* The EPT violation has set RF: mvm_vmx_skip() would write RFLAGS once more. */
	if (result == MVM_EXECUTE_DONE)
		e->regs.rflags &= ~X86_EFLAGS_RF;
	vmcs_writel(VMCS_GUEST_RFLAGS, e->regs.rflags);
	/* As in KVM, also if user space set another one while data was awaited. */
	vmcs_writel(VMCS_GUEST_RIP, mmio->rip);
	mvm_vmx_skip(vcpu, result == MVM_EXECUTE_DONE ? mmio->insn.length : 0);
}

static int execute_with_xmm(struct emulation *e, const struct mvm_bus *bus)
{
	struct mvm_vcpu *vcpu = e->vcpu;
	struct kvm_fpu fpu;
	int ret;

	mvm_vmx_put(vcpu);
	mvm_fpu_get(&vcpu->fpu, &fpu);
	e->regs.xmm = fpu.xmm;
	ret = mvm_execute(&vcpu->mmio.insn, &e->regs, bus);
	if (ret >= 0 && vcpu->mmio.insn.to_reg)
		mvm_fpu_set(&vcpu->fpu, &fpu);
	return ret;
}

/* Execute what was decoded. The vCPU is loaded, or not attached. */
static int execute(struct emulation *e)
{
	const struct mvm_bus bus = { .read = bus_read, .write = bus_write, .ctx = e };
	struct mvm_vcpu *vcpu = e->vcpu;
	struct mvm_mmio *mmio = &vcpu->mmio;
	bool loaded;
	int ret;

	mmio->nr_device = 0;
	e->regs.rip = mmio->rip;
	if (mmio->insn.other == MVM_OTHER_XMM)
		ret = execute_with_xmm(e, &bus);
	else
		ret = mvm_execute(&mmio->insn, &e->regs, &bus);
	mmio->read_done = false;
	if (ret < 0)
		return e->answer;
	loaded = vcpu->vmx.loaded;
	if (!loaded)
		mvm_vmx_attach(vcpu);
	write_state(e, ret);
	if (!loaded)
		mvm_vmx_detach(vcpu);
	return mmio->nr_device ? show(vcpu, complete_write) : MVM_RESUME;
}

static int complete_read(struct mvm_vcpu *vcpu)
{
	const struct mvm_insn *insn = &vcpu->mmio.insn;
	struct emulation e;

	if (!was_last(vcpu))
		return show(vcpu, complete_read);
	vcpu->mmio.read_done = true;
	read_regs(&e, vcpu);
	/* Others go on with what mvm_mmio has. */
	if (insn->op >= MVM_OP_MOVS) {
		read_mode(&e);
		if (needs_segment(&e))
			read_segments(&e);
	}
	return execute(&e);
}

/*
 * An instruction that is not known, or cannot be fetched. As KVM: the guest
 * gets #UD, and whoever runs the guest is told if it is the guest's kernel.
 */
static int cannot_emulate(struct emulation *e, const u8 *bytes, size_t len,
			  unsigned long qualification)
{
	struct kvm_run *run = e->vcpu->run;
	u64 *info = &run->internal.data[1];

	mvm_vmx_queue_vector(e->vcpu, VMX_VECTOR_UD);
	if (e->mmu.cpl)
		return MVM_RESUME;
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.flags = 0;
	if (len) {
		run->emulation_failure.flags =
			KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		run->emulation_failure.insn_size = len;
		memset(run->emulation_failure.insn_bytes, 0x90, MVM_INSN_MAX);
		memcpy(run->emulation_failure.insn_bytes, bytes, len);
		info += 2;
	}
	/* Reason and qualification of the VM exit; it delivered no event. */
	memset(info, 0, 5 * sizeof(*info));
	info[0] = VMX_REASON_EPT_VIOLATION;
	info[1] = qualification;
	run->emulation_failure.ndata = info + 5 - run->internal.data;
	return MVM_TO_USER;
}

/*
 * Fetch the bytes up to the end of the page, or of the segment, behind those
 * that are there. Return: 0, or -ECANCELED with the answer of the handler.
 */
static int fetch(struct emulation *e, unsigned long rip, u8 bytes[FETCH], size_t *len)
{
	unsigned long offset = rip + *len;
	unsigned long gva = e->code64 ? offset : (u32)(e->cs.base + offset);
	size_t part = min_t(size_t, FETCH - *len, PAGE_SIZE - offset_in_page(gva));
	int ret;

	if (!e->code64) {
		if ((u32)offset > e->cs.limit)
			return fault(e, VMX_VECTOR_GP);
		part = min_t(u64, part, (u64)e->cs.limit + 1 - (u32)offset);
	}
	ret = mvm_vmx_fetch(e->vcpu, &e->mmu, gva, bytes + *len, part);
	if (!ret)
		*len += part;
	if (!ret || ret == -ENXIO)
		return 0;
	e->answer = ret > 0 ? MVM_RESUME : ret;
	return -ECANCELED;
}

/**
 * mvm_handle_mmio() - emulate the instruction at RIP
 * @vcpu: loaded, after an EPT violation that leads to no memory
 * @qualification: of the VM exit
 *
 * Return: as an exit handler.
 */
int mvm_handle_mmio(struct mvm_vcpu *vcpu, unsigned long qualification)
{
	struct mvm_mmio *mmio = &vcpu->mmio;
	u8 bytes[FETCH] __aligned(8);
	struct emulation e;
	size_t len = 0, before;
	int mode, ret;
	bool loaded;

	mmio->rip = vmcs_readl(VMCS_GUEST_RIP);
	mmio->read_done = false;
	read_regs(&e, vcpu);
	read_mode(&e);
	read_translation(&e, qualification);
	mode = e.code64 ? 8 : e.cs.db ? 4 : 2;

	do {
		before = len;
		if (fetch(&e, mmio->rip, bytes, &len))
			return e.answer;
		ret = mvm_decode(&mmio->insn, bytes, len, mode);
	} while (ret == MVM_DECODE_MORE && len > before);
	if (ret != MVM_DECODE_DONE)
		return cannot_emulate(&e, bytes, min_t(size_t, len, MVM_INSN_MAX),
				      qualification);

	if (needs_segment(&e)) {
		loaded = vcpu->vmx.loaded;
		if (!loaded)
			mvm_vmx_attach(vcpu);
		read_segments(&e);
		if (!loaded)
			mvm_vmx_detach(vcpu);
	}
	return execute(&e);
}
