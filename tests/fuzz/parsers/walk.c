// SPDX-License-Identifier: GPL-2.0
/*
 * The module's walk of the guest's page tables, and the launcher's: where the
 * first finds a translation, the second finds the same.
 */
// sources: module/x86/walk.c tests/fuzz/parsers/walk_run.c userspace/run/walk.c
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "input.h"
#include "walk_run.h"
#include "x86/walk.h"

#define RAM_SIZE	0x8000
#define READS_MAX	64	/* eight tries of at most five levels */

static u8 ram[RAM_SIZE];
static unsigned int reads;

static int ram_read(void *ctx, u64 gpa, void *buf, size_t len)
{
	must(len == 4 || len == 8);
	must(gpa % len == 0);
	must(++reads <= READS_MAX);
	if (gpa > RAM_SIZE - len)
		return -EFAULT;
	memcpy(buf, ram + gpa, len);
	return 0;
}

static int ram_cmpxchg(void *ctx, u64 gpa, u64 old, u64 new, size_t len)
{
	u64 now = 0;

	must(gpa <= RAM_SIZE - len);
	must((old & ~(1ull << 5 | 1ull << 6)) == (new & ~(1ull << 5 | 1ull << 6)));
	memcpy(&now, ram + gpa, len);
	if (now != old)
		return 1;
	memcpy(ram + gpa, &new, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mvm_walk_memory memory = { ram_read, ram_cmpxchg, NULL };
	struct input in = { data, size };
	struct mvm_walk_mmu mmu = {
		.cr0 = TAKE(&in, u32), .cr3 = TAKE(&in, u64), .cr4 = TAKE(&in, u32),
		.efer = TAKE(&in, u32), .cpl = TAKE(&in, u8) & 3, .ac = TAKE(&in, u8) & 1,
		/* CPUID has eight bits for it; fewer than 32 no processor has. */
		.maxphyaddr = TAKE(&in, u8), .page_1g = TAKE(&in, u8) & 1,
	};
	struct mvm_walk_fault fault = { };
	u64 gva = TAKE(&in, u64), gpa = 0, other;
	unsigned int access = TAKE(&in, u8) & 15;
	int ret, ret_run;

	if (mmu.maxphyaddr < 32)
		mmu.maxphyaddr = 32;
	mmu.cr4 &= ~(u64)X86_CR4_LA57;
	/* Long mode is active with PAE paging alone. */
	if (mmu.efer & EFER_LMA) {
		mmu.cr0 |= X86_CR0_PG;
		mmu.cr4 |= X86_CR4_PAE;
	}
	memset(ram, 0, sizeof(ram));
	while (in.size) {
		u16 at = TAKE(&in, u16) % (RAM_SIZE / 8);
		u64 entry = TAKE(&in, u64);

		memcpy(ram + at * 8, &entry, 8);
	}
	reads = 0;
	ret = mvm_walk(&mmu, &memory, gva, access, &gpa, &fault);
	/* Nobody else changes the tables, so they hold still. */
	must(ret == 0 || ret == MVM_WALK_FAULT || ret == -EFAULT);
	if (ret == MVM_WALK_FAULT)
		must(!(fault.error & ~0x1f));
	ret_run = walk_run(&mmu.cr0, ram, RAM_SIZE, gva, &other);
	if (!ret && mmu.page_1g) {
		must(!ret_run);
		must(gpa == other);
	}
	return 0;
}
