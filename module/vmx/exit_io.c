// SPDX-License-Identifier: GPL-2.0
/*
 * IN, OUT, INS and OUTS. A port is user space's, and the access becomes a
 * KVM_EXIT_IO, and the next KVM_RUN ends the instruction; unless a device in the
 * kernel has it, or what is written a listener (bus.c).
 *
 * For the string forms the memory operand is ours to access. SDM Vol. 3,
 * "Exit Qualification for I/O Instructions": the VM exit comes before any
 * fault of that operand, so the rules of segments and pages are checked here.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/sched/signal.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "../mvm.h"
#include "../trace.h"
#include "../x86/walk.h"
#include "guest.h"
#include "vmcs.h"
#include "vmx.h"

#define IO_SIZE(q)	(((q) & 7) + 1)
#define IO_IN		BIT(3)
#define IO_STRING	BIT(4)
#define IO_REP		BIT(5)
#define IO_PORT(q)	(((q) >> 16) & 0xffff)

/* SDM Vol. 3, "Format of the VM-Exit Instruction-Information Field as Used for INS and OUTS" */
#define INFO_ADDRESS_SIZE(i)	(((i) >> 7) & 7)
#define INFO_SEGMENT(i)		(((i) >> 15) & 7)

static void *io_data(struct mvm_vcpu *vcpu)
{
	return mvm_vcpu_page(vcpu, MVM_PIO_PAGE);
}

static void fill_run(struct mvm_vcpu *vcpu, unsigned long q, u32 count)
{
	struct kvm_run *run = vcpu->run;

	vcpu->stat.io_user_exits++;
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = q & IO_IN ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = IO_SIZE(q);
	run->io.port = IO_PORT(q);
	run->io.count = count;
	run->io.data_offset = MVM_PIO_PAGE * PAGE_SIZE;
	vcpu->io.size = IO_SIZE(q);
	vcpu->io.count = count;
}

/* If user space moved RIP meanwhile, it dealt with the instruction itself. */
static bool still_there(struct mvm_vcpu *vcpu)
{
	return vmcs_readl(VMCS_GUEST_RIP) == vcpu->io.rip;
}

static int complete_out(struct mvm_vcpu *vcpu)
{
	if (still_there(vcpu))
		mvm_vmx_skip(vcpu, vcpu->io.length);
	return MVM_RESUME;
}

/* The port is where the VM exit left it: kvm_run, which has it, too, is user space's. */
static noinline void trace_in(const void *data, u32 size, u32 count)
{
	trace_minivmm_pio(0, IO_PORT(vmcs_readl(VMCS_EXIT_QUALIFICATION)), size, count, data);
}

/* IN is done. */
static void take_in(struct mvm_vcpu *vcpu, const void *data, u32 size)
{
	if (trace_minivmm_pio_enabled())
		trace_in(data, size, 1);
	/* A 32-bit result clears the upper half of RAX, a shorter one does not. */
	if (size == 4)
		vcpu->enter.regs[MVM_RAX] = 0;
	memcpy(&vcpu->enter.regs[MVM_RAX], data, size);
	mvm_vmx_skip(vcpu, vcpu->io.length);
}

static int complete_in(struct mvm_vcpu *vcpu)
{
	if (still_there(vcpu))
		take_in(vcpu, io_data(vcpu), vcpu->io.size);
	return MVM_RESUME;
}

/*
 * Access linear addresses; with @probe only see whether that is possible.
 * Sleeps.
 * Return: 0; 1 if an exception was queued; -EFAULT if no memory is there.
 */
static int access_linear(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu,
			 unsigned long gva, void *buf, size_t len,
			 unsigned int access, bool probe)
{
	struct mvm_memory *memory = &vcpu->vm->memory;
	size_t part;
	u64 gpa;
	int ret;

	for (; len; len -= part, gva += part, buf += part) {
		if (!(mmu->efer & EFER_LMA))
			gva = (u32)gva;
		part = min_t(size_t, len, PAGE_SIZE - offset_in_page(gva));
		ret = mvm_vmx_translate(vcpu, mmu, gva, access, &gpa);
		if (ret)
			return ret;
		if (probe)
			ret = mvm_memory_is_device(memory, gpa, access & MVM_ACCESS_WRITE) ?
				-EFAULT : 0;
		else if (access & MVM_ACCESS_WRITE)
			ret = mvm_memory_write(memory, gpa, buf, part);
		else
			ret = mvm_memory_read(memory, gpa, buf, part);
		if (ret)
			return ret;
	}
	return 0;
}

static bool segment_allows(enum mvm_segment n, unsigned long offset,
			   unsigned long gva, u32 size, bool write)
{
	struct kvm_segment s;

	mvm_vmx_get_segment(n, &s);
	return mvm_segment_allows(&s, mvm_vmx_64bit_code(), offset, gva, size, write);
}

static void add_to(struct mvm_vcpu *vcpu, int reg, long change)
{
	unsigned long mask = vcpu->io.address_mask;
	unsigned long *r = &vcpu->enter.regs[reg];

	/* A 32-bit register's upper half is cleared, a 16-bit one's is kept. */
	if (mask == U32_MAX)
		*r = (u32)(*r + change);
	else
		*r = (*r & ~mask) | ((*r + change) & mask);
}

/* Count n elements as done; end the instruction if they were the last. */
static void advance(struct mvm_vcpu *vcpu, int reg, u32 n)
{
	long step = (long)n * vcpu->io.size;

	add_to(vcpu, reg, vcpu->io.down ? -step : step);
	if (vcpu->io.rep) {
		add_to(vcpu, MVM_RCX, -(long)n);
		if (vcpu->enter.regs[MVM_RCX] & vcpu->io.address_mask)
			return;
	}
	mvm_vmx_skip(vcpu, vcpu->io.length);
}

/* With the direction flag set, the first element has the highest address. */
static void reverse(u8 *data, u32 size, u32 count)
{
	u8 *last = data + (count - 1) * size;
	u32 i;

	for (; data < last; data += size, last -= size)
		for (i = 0; i < size; i++)
			swap(data[i], last[i]);
}

/* Between KVM_EXIT_IO and here the registers may have changed: look anew. */
static int complete_ins(struct mvm_vcpu *vcpu)
{
	struct mvm_io *io = &vcpu->io;
	struct mvm_walk_mmu mmu;
	u64 pdpte[4];
	unsigned long gva = io->gva;
	u32 count = io->count;
	int ret = 0;

	if (!still_there(vcpu))
		return MVM_RESUME;
	/* RCX must not go below 0: that would be all of the address space. */
	if (io->rep)
		count = min_t(u64, count, vcpu->enter.regs[MVM_RCX] & io->address_mask);
	if (!count)
		return MVM_RESUME;
	if (trace_minivmm_pio_enabled())
		trace_in(io_data(vcpu), io->size, count);
	if (io->down) {
		reverse(io_data(vcpu), io->size, count);
		gva -= (count - 1) * io->size;
	}
	mvm_vmx_get_mmu(vcpu, &mmu, pdpte);
	mvm_vmx_put(vcpu);
	ret = access_linear(vcpu, &mmu, gva, io_data(vcpu), count * io->size,
			    MVM_ACCESS_WRITE, false);
	mvm_vmx_load(vcpu);
	/* batch() has kept them in one page: all fault, or none does. */
	if (!ret)
		advance(vcpu, MVM_RDI, count);
	return ret < 0 ? ret : MVM_RESUME;
}

/* No memory behind the operand: a device's, which user space cannot have yet. */
static int cannot_emulate(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->internal.ndata = 2;
	run->internal.data[0] = VMX_REASON_IO_INSTRUCTION;
	run->internal.data[1] = vcpu->io.gva;
	return MVM_TO_USER;
}

/*
 * How many elements of INS, the first of which is at @offset of ES, go into the
 * PIO page and stay in one page of memory and in the segment?
 */
static u32 batch(struct mvm_vcpu *vcpu, unsigned long offset, unsigned long count)
{
	const struct mvm_io *io = &vcpu->io;
	u32 above = PAGE_SIZE - offset_in_page(io->gva);
	u32 room = io->down ? offset_in_page(io->gva) + io->size : above;
	long last;
	u32 n;

	if (above < io->size)
		return 1;
	n = clamp_t(unsigned long, room / io->size, 1, count);
	last = (long)(n - 1) * io->size;
	if (io->down)
		last = -last;
	/* Where the addresses wrap or the segment ends, it is one by one. */
	if ((offset + last) & ~io->address_mask ||
	    !segment_allows(MVM_ES, offset + last, io->gva + last, io->size, true))
		return 1;
	return n;
}

/*
 * One element of INS or OUTS, whose operand has been checked or read, and a
 * device in the kernel or a listener. The vCPU is put.
 * Return: 1 if that was it; 0 if the port is user space's; or an errno.
 */
static int string_here(struct mvm_vcpu *vcpu, const struct mvm_walk_mmu *mmu, unsigned long q)
{
	struct mvm_io *io = &vcpu->io;
	bool in = q & IO_IN;
	u32 data;
	int ret;

	if (in) {
		if (!mvm_bus_read(vcpu->vm, MVM_BUS_PIO, IO_PORT(q), io->size, &data))
			return 0;
		trace_minivmm_pio(0, IO_PORT(q), io->size, 1, &data);
		ret = access_linear(vcpu, mmu, io->gva, &data, io->size,
				    MVM_ACCESS_WRITE, false);
		/* Another vCPU may have changed the page tables meanwhile. */
		if (ret)
			return ret;
	} else if (!mvm_bus_write(vcpu->vm, MVM_BUS_PIO, IO_PORT(q), io->size,
				  io_data(vcpu))) {
		return 0;
	}
	mvm_vmx_attach(vcpu);
	advance(vcpu, in ? MVM_RDI : MVM_RSI, 1);
	mvm_vmx_detach(vcpu);
	return 1;
}

static int handle_string(struct mvm_vcpu *vcpu, unsigned long q)
{
	static const unsigned long masks[8] = { U16_MAX, U32_MAX, ULONG_MAX };
	u32 info = vmcs_read32(VMCS_EXIT_INSTRUCTION_INFO);
	unsigned long *regs = vcpu->enter.regs;
	struct mvm_io *io = &vcpu->io;
	bool in = q & IO_IN;
	enum mvm_segment segment = in ? MVM_ES : INFO_SEGMENT(info);
	struct mvm_walk_mmu mmu;
	unsigned long count = 1, offset;
	u64 pdpte[4];
	u32 n = 1;
	int ret;

	io->size = IO_SIZE(q);
	io->rep = q & IO_REP;
	io->down = vmcs_readl(VMCS_GUEST_RFLAGS) & X86_EFLAGS_DF;
	io->address_mask = masks[INFO_ADDRESS_SIZE(info)];
	io->gva = vmcs_readl(VMCS_GUEST_LINEAR_ADDRESS);
	if (io->rep) {
		count = regs[MVM_RCX] & io->address_mask;
		if (!count) {
			mvm_vmx_skip(vcpu, io->length);
			return MVM_RESUME;
		}
	}
	offset = regs[in ? MVM_RDI : MVM_RSI] & io->address_mask;
	if (!segment_allows(segment, offset, io->gva, io->size, in)) {
		mvm_vmx_queue_error(vcpu, segment == MVM_SS ? VMX_VECTOR_SS :
				    VMX_VECTOR_GP, 0);
		return MVM_RESUME;
	}
	if (in)
		n = batch(vcpu, offset, count);

	mvm_vmx_get_mmu(vcpu, &mmu, pdpte);
	mvm_vmx_put(vcpu);
	/*
	 * A fault of the operand of INS must come before the device gives its
	 * data away; the write itself follows in complete_ins().
	 */
	ret = access_linear(vcpu, &mmu, io->gva, io_data(vcpu), io->size,
			    in ? MVM_ACCESS_WRITE : MVM_ACCESS_READ, in);
	if (ret > 0)
		return MVM_RESUME;
	if (ret < 0)
		return ret == -EFAULT ? cannot_emulate(vcpu) : ret;
	if (!in)
		trace_minivmm_pio(1, IO_PORT(q), io->size, 1, io_data(vcpu));
	if (unlikely(mvm_vm_listens(vcpu->vm, MVM_BUS_PIO))) {
		ret = string_here(vcpu, &mmu, q);
		if (ret)
			return ret > 0 ? MVM_RESUME : ret;
	}
	fill_run(vcpu, q, n);
	if (in) {
		vcpu->complete = complete_ins;
		return MVM_TO_USER;
	}
	mvm_vmx_attach(vcpu);
	advance(vcpu, MVM_RSI, 1);
	mvm_vmx_detach(vcpu);
	return MVM_TO_USER;
}

/* IN or OUT of a port that a device in the kernel has, or OUT with a listener */
static bool done_here(struct mvm_vcpu *vcpu, unsigned long q)
{
	u32 data;

	if (q & IO_IN) {
		if (!mvm_bus_read(vcpu->vm, MVM_BUS_PIO, IO_PORT(q), IO_SIZE(q), &data))
			return false;
		take_in(vcpu, &data, IO_SIZE(q));
		return true;
	}
	if (!mvm_bus_write(vcpu->vm, MVM_BUS_PIO, IO_PORT(q), IO_SIZE(q),
			   &vcpu->enter.regs[MVM_RAX]))
		return false;
	mvm_vmx_skip(vcpu, vcpu->io.length);
	return true;
}

int mvm_handle_io(struct mvm_vcpu *vcpu)
{
	unsigned long q = vmcs_readl(VMCS_EXIT_QUALIFICATION);

	vcpu->io.rip = vmcs_readl(VMCS_GUEST_RIP);
	vcpu->io.length = vmcs_read32(VMCS_EXIT_INSTRUCTION_LENGTH);
	if (unlikely(q & IO_STRING))
		return handle_string(vcpu, q);
	if (!(q & IO_IN))
		trace_minivmm_pio(1, IO_PORT(q), IO_SIZE(q), 1, &vcpu->enter.regs[MVM_RAX]);
	if (unlikely(mvm_vm_listens(vcpu->vm, MVM_BUS_PIO)) && done_here(vcpu, q))
		return MVM_RESUME;

	fill_run(vcpu, q, 1);
	if (q & IO_IN) {
		vcpu->complete = complete_in;
	} else {
		memcpy(io_data(vcpu), &vcpu->enter.regs[MVM_RAX], IO_SIZE(q));
		vcpu->complete = complete_out;
	}
	return MVM_TO_USER;
}
