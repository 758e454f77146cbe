/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's own page tables, walked in software.
 *
 * The processor does this by itself for everything that a guest executes. The
 * module must do it where it accesses guest memory on behalf of an instruction
 * that it emulates: INS and OUTS, and the bytes of an instruction.
 *
 * See SDM Vol. 3, chapter "Paging".
 */
#ifndef MVM_X86_WALK_H
#define MVM_X86_WALK_H

#include <linux/types.h>

#include "../access.h"

/*
 * With MVM_ACCESS_READ or MVM_ACCESS_WRITE: the access is to a descriptor
 * table or a TSS, a supervisor-mode access at any CPL which SMAP never allows
 * to touch user pages.
 */
#define MVM_ACCESS_IMPLICIT	BIT(3)

/* The error code of #PF (SDM Vol. 3, "Page-Fault Exceptions"). */
#define MVM_PF_PRESENT		BIT(0)	/* no: nothing is mapped there */
#define MVM_PF_WRITE		BIT(1)
#define MVM_PF_USER		BIT(2)
#define MVM_PF_RESERVED		BIT(3)	/* a reserved bit is set in an entry */
#define MVM_PF_FETCH		BIT(4)

/* mvm_walk(): the access causes #PF. */
#define MVM_WALK_FAULT		1

/**
 * struct mvm_walk_mmu - the registers that paging depends on
 * @cr0: as the guest reads it
 * @cr3: as the guest reads it
 * @cr4: as the guest reads it; LA57 and PKE are taken to be 0
 * @efer: IA32_EFER
 * @pdpte: the four PDPTE registers, which the processor uses in PAE paging
 *	until the next load of CR3; NULL reads them from memory
 * @cpl: current privilege level
 * @ac: RFLAGS.AC
 * @maxphyaddr: physical-address bits; entries with more are reserved
 * @page_1g: the processor has 1 GiB pages
 */
struct mvm_walk_mmu {
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	const u64 *pdpte;
	u8 cpl;
	bool ac;
	u8 maxphyaddr;
	bool page_1g;
};

/**
 * struct mvm_walk_memory - how to get at guest-physical memory
 * @read: read @len bytes (4, or 8) at @gpa, which is a multiple of @len, in
 *	one access; 0, or a negative errno when no memory is there
 * @cmpxchg: write @new to @gpa if @old is still there, in one access; 0, 1 if
 *	something else is there, or a negative errno. NULL leaves the accessed
 *	and dirty flags alone.
 * @ctx: handed to both
 */
struct mvm_walk_memory {
	int (*read)(void *ctx, u64 gpa, void *buf, size_t len);
	int (*cmpxchg)(void *ctx, u64 gpa, u64 old, u64 new, size_t len);
	void *ctx;
};

/**
 * struct mvm_walk_fault - the #PF that an access causes
 * @address: the linear address, for CR2
 * @error: the error code, MVM_PF_*
 */
struct mvm_walk_fault {
	u64 address;
	u32 error;
};

int mvm_walk(const struct mvm_walk_mmu *mmu, const struct mvm_walk_memory *mem,
	     u64 gva, unsigned int access, u64 *gpa,
	     struct mvm_walk_fault *fault);

#endif
