// SPDX-License-Identifier: GPL-2.0
/*
 * What the vCPU begins with. In short (minivmm-run(1) has all of it):
 *
 *	real		segments 0, IP = load address, SP = load address; every
 *			interrupt vector leads to a stub that we recognise
 *	protected	flat segments from a GDT, no IDT, no paging
 *	long		the same with a 64-bit CS, and all memory mapped one to
 *			one by 2 MiB pages
 *
 * RFLAGS is 2 (interrupts off), the other registers are 0. What is not set here
 * is as it is after reset.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "machine.h"
#include "walk.h"

/* Selectors of the GDT that protected and long mode start with. */
enum { SELECTOR_CODE32 = 0x08, SELECTOR_DATA = 0x10, SELECTOR_CODE64 = 0x18 };

/* Those that Linux's 64-bit boot protocol asks for. */
enum { LINUX_CODE64 = 0x10, LINUX_DATA = 0x18 };

/* Flat: base 0, limit 4 GiB, ring 0, accessed. */
#define FLAT_CODE32	0x00cf9b000000ffff
#define FLAT_CODE64	0x00af9b000000ffff
#define FLAT_DATA	0x00cf93000000ffff

static const __u64 gdt[] = {
	[SELECTOR_CODE32 / 8]	= FLAT_CODE32,
	[SELECTOR_DATA / 8]	= FLAT_DATA,
	[SELECTOR_CODE64 / 8]	= FLAT_CODE64,
};

static const __u64 linux_gdt[] = {
	[LINUX_CODE64 / 8]	= FLAT_CODE64,
	[LINUX_DATA / 8]	= FLAT_DATA,
};

_Static_assert(sizeof(linux_gdt) == sizeof(gdt), "one limit for both");

/* With less than this below it, a stack is better at the segment's top. */
#define REAL_STACK_MIN	0x1000

static void setup_vectors(struct machine *machine)
{
	__u8 *stubs = machine_memory(machine, VECTOR_STUBS, VECTORS);
	__u16 *table = (__u16 *)machine->memory;
	unsigned int i;

	memset(stubs, 0xf4 /* HLT */, VECTORS);
	for (i = 0; i < VECTORS; i++) {
		table[2 * i] = i;
		table[2 * i + 1] = VECTOR_STUBS >> 4;
	}
}

static void setup_real(struct machine *machine, const struct image *image,
		       struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	struct kvm_segment *segments[] = {
		&sregs->cs, &sregs->ds, &sregs->es, &sregs->fs, &sregs->gs, &sregs->ss,
	};
	__u16 selector = 0;
	unsigned int i;

	/* From 64 KiB on, the segments begin where the image does. */
	if (image->entry >> 16)
		selector = image->entry >> 4;
	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		segments[i]->selector = selector;
		segments[i]->base = selector << 4;
	}

	regs->rip = image->entry - (selector << 4);
	/* 0: the first push wraps around to the top of the segment. */
	regs->rsp = regs->rip < REAL_STACK_MIN ? 0 : regs->rip & ~1ULL;
	setup_vectors(machine);
}

static void setup_protected(struct machine *machine, const struct image *image,
			    struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	struct kvm_segment code = {
		.selector = SELECTOR_CODE32, .limit = 0xffffffff,
		.type = 0xb, .s = 1, .present = 1, .db = 1, .g = 1,
	};
	struct kvm_segment data = code;
	__u64 base = machine->layout.tables;

	data.selector = image->mode == MODE_LINUX ? LINUX_DATA : SELECTOR_DATA;
	data.type = 0x3;

	memcpy(machine_memory(machine, base, sizeof(gdt)),
	       image->mode == MODE_LINUX ? linux_gdt : gdt, sizeof(gdt));
	sregs->gdt.base = base;
	sregs->gdt.limit = sizeof(gdt) - 1;
	/* No IDT: an exception is a triple fault, and that is reported. */
	sregs->idt.base = 0;
	sregs->idt.limit = 0;

	sregs->cs = code;
	sregs->ds = data;
	sregs->es = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
	/* Caches on: CD and NW would be reset's. */
	sregs->cr0 = CR0_PE | CR0_ET;

	regs->rip = image->entry;
	regs->rsp = base;
}

static void setup_long(struct machine *machine, const struct image *image,
		       struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	unsigned int gigabytes = layout_gigabytes(&machine->layout);
	__u64 pml4 = machine->layout.tables + PAGE_SIZE;
	__u64 pdpt = pml4 + PAGE_SIZE;
	__u64 pd = pdpt + PAGE_SIZE;
	__u64 *table;
	__u64 i;

	setup_protected(machine, image, regs, sregs);

	table = (__u64 *)machine_memory(machine, pml4, PAGE_SIZE);
	table[0] = pdpt | PTE_PRESENT | PTE_WRITE;

	table = (__u64 *)machine_memory(machine, pdpt, PAGE_SIZE);
	for (i = 0; i < gigabytes; i++)
		table[i] = (pd + i * PAGE_SIZE) | PTE_PRESENT | PTE_WRITE;

	/* 512 entries each; 1 GiB pages would be fewer, but not every CPU has them. */
	table = (__u64 *)machine_memory(machine, pd, gigabytes * PAGE_SIZE);
	for (i = 0; i < gigabytes * 512; i++)
		table[i] = i * 2 * MIB | PTE_PRESENT | PTE_WRITE | PTE_LARGE;

	sregs->cs.selector = image->mode == MODE_LINUX ? LINUX_CODE64 : SELECTOR_CODE64;
	sregs->cs.db = 0;
	sregs->cs.l = 1;
	sregs->cr3 = pml4;
	sregs->cr4 |= CR4_PAE;
	sregs->cr0 |= CR0_PG;
	sregs->efer |= EFER_LME | EFER_LMA;
}

/**
 * cpu_setup() - the first vCPU's registers, and the tables in memory that they point to
 * @machine: the machine; its memory is still empty
 * @options: registers that the user sets
 * @image: says in which mode, and where
 * @failure: what went wrong
 *
 * Return: STATUS_OK, STATUS_USAGE or STATUS_SYSTEM.
 */
int cpu_setup(struct machine *machine, const struct options *options,
	      const struct image *image, struct failure *failure)
{
	struct kvm_regs regs = {
		.rflags = 2,
		.rax = image->start.rax,
		.rbx = image->start.rbx,
		.rsi = image->start.rsi,
	};
	int vcpu = machine->vcpus[0].fd;
	struct kvm_sregs sregs;
	unsigned int i;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return failed(failure, STATUS_SYSTEM, "reading the vCPU's registers: %s",
			      strerror(errno));

	switch (image->mode) {
	case MODE_REAL:
		setup_real(machine, image, &regs, &sregs);
		break;
	case MODE_PROTECTED:
		setup_protected(machine, image, &regs, &sregs);
		break;
	case MODE_LONG:
	case MODE_LINUX:
		setup_long(machine, image, &regs, &sregs);
		break;
	}

	for (i = 0; i < options->setting_count; i++)
		setting_apply(&options->settings[i], &regs, &sregs);

	if (options->setting_count && ioctl(vcpu, KVM_SET_SREGS, &sregs))
		return failed(failure, STATUS_USAGE,
			      "--set: the device refuses that state before any VM entry (KVM_SET_SREGS: %s)",
			      strerror(errno));
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(vcpu, KVM_SET_REGS, &regs))
		return failed(failure, STATUS_SYSTEM, "setting the vCPU's registers: %s",
			      strerror(errno));
	return STATUS_OK;
}
