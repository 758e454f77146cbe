// SPDX-License-Identifier: GPL-2.0
/*
 * Memory slots: KVM_SET_USER_MEMORY_REGION's good and bad arguments, and slots
 * that come, go, move and may not be written, with and without a guest that
 * runs.
 *
 *	slots DEVICE
 */
#include <cpuid.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "tap.h"
#include "worker.h"

#define MIB		(1024 * 1024ull)
#define GIB		(1024 * MIB)
#define PAGES		64
#define SIZE		(PAGES * PAGE_SIZE)

static struct vm vm;
static struct vcpu vcpu, *c = &vcpu;
static struct worker worker, *w = &worker;

static u64 *word(void *base, int page)
{
	return (u64 *)((char *)base + page * PAGE_SIZE);
}

/* The last guest-physical address and one: what the CPU's addresses have. */
static u64 gpa_limit(void)
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(0x80000008, &eax, &ebx, &ecx, &edx))
		return 1ull << 36;
	return 1ull << (eax & 0xff);
}

/* One call, and what it answers. */
struct step {
	const char *name;
	u32 slot, flags;
	u64 gpa, size, hva;
	const char *want;
};

static void steps(int fd, const struct step *step, int n)
{
	for (; n; n--, step++) {
		struct kvm_userspace_memory_region region = {
			.slot = step->slot, .flags = step->flags,
			.guest_phys_addr = step->gpa,
			.memory_size = step->size,
			.userspace_addr = step->hva,
		};
		int ret = ioctl(fd, KVM_SET_USER_MEMORY_REGION, &region);

		is(errno_text(ret), step->want, "%s", step->name);
	}
}

/*
 * The calls build on each other: slot 0 is [1M, 2M), slot 1 [4M, 5M). Nothing
 * is mapped at those addresses; KVM does not ask.
 */
static void test_arguments(const char *device)
{
	const u64 hva = 0x100000000, limit = gpa_limit();
	const u32 ro = KVM_MEM_READONLY;
	const struct step list[] = {
		{ "create", 0, 0, MIB, MIB, hva, "0" },
		{ "again the same", 0, 0, MIB, MIB, hva, "0" },
		{ "another", 1, 0, 4 * MIB, MIB, hva + 4 * MIB, "0" },
		{ "delete one that is not there", 2, 0, 0, 0, 0, "EINVAL" },

		{ "unknown flag", 2, 4, 8 * MIB, MIB, hva, "EINVAL" },
		{ "highest flag", 2, 1u << 31, 8 * MIB, MIB, hva, "EINVAL" },
		{ "size of a half page", 2, 0, 8 * MIB, 2048, hva, "EINVAL" },
		{ "size of 1.5 pages", 2, 0, 8 * MIB, 6144, hva, "EINVAL" },
		{ "guest address unaligned", 2, 0, 8 * MIB + 1, MIB, hva,
			"EINVAL" },
		{ "user address unaligned", 2, 0, 8 * MIB, MIB, hva + 8,
			"EINVAL" },
		{ "user address of the kernel", 2, 0, 8 * MIB, MIB,
			0xffff888000000000, "EINVAL" },
		{ "user address not canonical", 2, 0, 8 * MIB, MIB,
			0x800000000000, "EINVAL" },
		{ "user range into the hole", 2, 0, 8 * MIB, MIB,
			0x7fffffff0000, "EINVAL" },
		{ "user range that wraps", 2, 0, 8 * MIB, 0xfffffffffffff000,
			hva, "EINVAL" },
		{ "guest range that wraps", 2, 0, 0xfffffffffffff000, 8192, hva,
			"EINVAL" },
		{ "too many pages", 2, 0, 8 * MIB, 1ull << 43, 0, "EINVAL" },
		{ "the highest guest page", 2, 0, limit - PAGE_SIZE, PAGE_SIZE,
			hva, "0" },
		{ "delete it", 2, 0, 0, 0, 0, "0" },
		{ "behind the highest guest page", 2, 0, limit, PAGE_SIZE, hva,
			"EINVAL" },
		{ "across the highest guest page", 2, 0, limit - PAGE_SIZE,
			8192, hva, "EINVAL" },
		{ "far behind it", 2, 0, 1ull << 52, PAGE_SIZE, hva, "EINVAL" },

		{ "overlap at the start", 2, 0, 4 * MIB - PAGE_SIZE, 8192, hva,
			"EEXIST" },
		{ "overlap at the end", 2, 0, 5 * MIB - PAGE_SIZE, 8192, hva,
			"EEXIST" },
		{ "overlap inside", 2, 0, 4 * MIB + PAGE_SIZE, PAGE_SIZE, hva,
			"EEXIST" },
		{ "overlap all around", 2, 0, 0, 16 * MIB, hva, "EEXIST" },
		{ "overlap and across the end", 2, 0, MIB, limit, hva,
			"EEXIST" },
		{ "in the gap", 2, 0, 2 * MIB, 2 * MIB, hva, "0" },
		{ "delete it", 2, 0, 0, 0, 0, "0" },
		{ "memory shared with another slot", 2, 0, 8 * MIB, MIB,
			hva + MIB / 2, "0" },
		{ "delete it with address and flags", 2, ro, 8 * MIB, 0, hva,
			"0" },

		{ "move", 0, 0, 2 * MIB, MIB, hva, "0" },
		{ "move by a page", 0, 0, 2 * MIB + PAGE_SIZE, MIB, hva, "0" },
		{ "move onto another", 0, 0, 4 * MIB + PAGE_SIZE, MIB, hva,
			"EEXIST" },
		{ "move behind the end", 0, 0, limit, MIB, hva, "EINVAL" },
		{ "move back", 0, 0, MIB, MIB, hva, "0" },
		{ "other size", 0, 0, MIB, MIB / 2, hva, "EINVAL" },
		{ "other user address", 0, 0, MIB, MIB, hva + MIB, "EINVAL" },
		{ "now read-only", 0, ro, MIB, MIB, hva, "EINVAL" },

		{ "create read-only", 2, ro, 8 * MIB, MIB, hva, "0" },
		{ "move read-only", 2, ro, 9 * MIB, MIB, hva, "0" },
		{ "now writable", 2, 0, 9 * MIB, MIB, hva, "EINVAL" },

		{ "delete, flag unknown", 1, 4, 0, 0, 0, "EINVAL" },
		{ "delete, guest address unaligned", 1, 0, 1, 0, 0, "EINVAL" },
		{ "delete, user address unaligned", 1, 0, 0, 0, 1, "EINVAL" },
		{ "delete", 1, 0, 0, 0, 0, "0" },
		{ "delete again", 1, 0, 0, 0, 0, "EINVAL" },
		{ "create where it was", 3, 0, 4 * MIB, MIB, hva, "0" },
	};
	struct step edge[] = {
		{ "the highest slot", 0, 0, 16 * MIB, MIB, hva, "0" },
		{ "the slot behind it", 0, 0, 32 * MIB, MIB, hva, "EINVAL" },
		{ "an address space that is not there", 0, 0, 32 * MIB, MIB,
			hva, "EINVAL" },
		{ "the slot of all ones", ~0u, 0, 32 * MIB, MIB, hva,
			"EINVAL" },
		{ "dirty logging", 5, KVM_MEM_LOG_DIRTY_PAGES, 32 * MIB, MIB,
			hva, "0" },
		{ "and no more", 5, 0, 32 * MIB, MIB, hva, "0" },
	};
	struct kvm_userspace_memory_region region = { .memory_size = MIB };
	int slots, spaces, i, ret, failed = 0;
	struct vm other;

	vm_open(&other, device, PAGE_SIZE);
	region.memory_size = 0;
	ioctl(other.fd, KVM_SET_USER_MEMORY_REGION, &region);
	steps(other.fd, list, ARRAY_SIZE(list));

	slots = ioctl(other.fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	spaces = ioctl(other.fd, KVM_CHECK_EXTENSION,
		       KVM_CAP_MULTI_ADDRESS_SPACE);
	ok(slots >= 32, "KVM_CAP_NR_MEMSLOTS is enough for QEMU");
	edge[0].slot = slots - 1;
	edge[1].slot = slots;
	edge[2].slot = (spaces > 1 ? spaces : 1) << 16;
	steps(other.fd, edge, ARRAY_SIZE(edge));

	is(errno_text(ioctl(other.fd, KVM_SET_USER_MEMORY_REGION, NULL)),
	   "EFAULT", "no argument");
	is(errno_text(ioctl(other.fd, KVM_SET_USER_MEMORY_REGION,
			    short_pointer(sizeof(region) - 1))), "EFAULT",
	   "an argument cut off");
	is(errno_text(ioctl(other.sys, KVM_SET_USER_MEMORY_REGION, &region)),
	   "EINVAL", "on the device's descriptor");
	vm_close(&other);

	/* Many at once, backwards, then every second one gone. */
	vm_open(&other, device, PAGE_SIZE);
	for (i = 300; i; i--)
		failed += !!vm_slot(&other, i, 0, i * MIB, MIB, (void *)hva);
	for (i = 1; i <= 300; i += 2)
		failed += !!vm_slot(&other, i, 0, 0, 0, NULL);
	ok(!failed, "300 slots, then 150: %d calls failed", failed);
	for (i = 1; i <= 300; i++) {
		ret = vm_slot(&other, 301, 0, i * MIB, PAGE_SIZE, (void *)hva);
		failed += i % 2 ? !!ret : !ret || errno != EEXIST;
		if (!ret)
			vm_slot(&other, 301, 0, 0, 0, NULL);
	}
	ok(!failed, "what is free and what is not: %d are wrong", failed);
	vm_close(&other);
}

/* What the guest meets where there is no slot. */
static void read_outside(u64 gpa, const char *name)
{
	u64 value;

	peek(c, gpa, &value);
	ok(no_memory(c, gpa, false), "%s, reading: no memory", name);
}

static void write_outside(u64 gpa, const char *name)
{
	poke(c, gpa, 1);
	ok(no_memory(c, gpa, true), "%s, writing: no memory", name);
}

static void slot(u32 id, u32 flags, u64 gpa, u64 size, void *mem,
		 const char *name)
{
	is(errno_text(vm_slot(&vm, id, flags, gpa, size, mem)), "0", "%s", name);
}

static void test_life(void)
{
	char *mem = map_pages(NULL, SIZE);
	u64 there = WORK_GPA, elsewhere = 2 * WORK_GPA;
	int i;

	for (i = 0; i < PAGES; i++)
		*word(mem, i) = 0x1000 + i;

	read_outside(there, "no slot yet");
	write_outside(there, "no slot yet");
	slot(1, 0, there, SIZE, mem, "create");
	is(reads(c, there + PAGE_SIZE), "0x1001", "the second page");
	is(poke(c, there, 0x11), "HLT", "writing the first");
	read_outside(there - 8, "just below");
	read_outside(there + SIZE, "just above");

	slot(1, 0, elsewhere, SIZE, mem, "move");
	read_outside(there, "where it was");
	write_outside(there + PAGE_SIZE, "where it was");
	is(reads(c, elsewhere), "0x11", "where it is, the first page");
	is(reads(c, elsewhere + PAGE_SIZE), "0x1001", "the second");
	slot(1, 0, elsewhere + PAGE_SIZE, SIZE, mem, "move by a page");
	read_outside(elsewhere, "where it was");
	is(reads(c, elsewhere + PAGE_SIZE), "0x11", "where it is");

	slot(1, 0, 0, 0, NULL, "delete");
	read_outside(elsewhere + PAGE_SIZE, "deleted");
	is_hex(*word(mem, 0), 0x11, "the program's memory");

	/* Two views of the same memory; what goes, goes in both. */
	slot(1, 0, there, SIZE, mem, "create");
	slot(2, 0, elsewhere, SIZE, mem, "create with the same memory");
	is(poke(c, there, 0x22), "HLT", "writing through the one");
	is(reads(c, elsewhere), "0x22", "reading through the other");
	is(poke(c, elsewhere, 0x23), "HLT", "writing through the other");
	madvise(mem, PAGE_SIZE, MADV_DONTNEED);
	is(reads(c, there), "0", "after MADV_DONTNEED, through the one");
	is(reads(c, elsewhere), "0", "through the other");
	slot(2, 0, 0, 0, NULL, "delete the other");
	is(reads(c, there + PAGE_SIZE), "0x1001", "the one is still there");

	/* Other memory in the same place. */
	slot(1, 0, 0, 0, NULL, "delete");
	slot(1, 0, there, SIZE, map_pages(NULL, SIZE), "create with other memory");
	is(reads(c, there + PAGE_SIZE), "0", "what is there now");
	slot(1, 0, 0, 0, NULL, "delete");
}

static void test_readonly(void)
{
	char *mem = map_pages(NULL, SIZE);

	*word(mem, 0) = 0x31;
	*word(mem, 1) = 0x32;
	slot(1, KVM_MEM_READONLY, WORK_GPA, SIZE, mem, "create read-only");
	is(reads(c, WORK_GPA), "0x31", "reading");
	write_outside(WORK_GPA, "what was read");
	write_outside(WORK_GPA + PAGE_SIZE, "what was not");
	is_hex(*word(mem, 0), 0x31, "the program reads");
	*word(mem, 0) = 0x33;
	is(reads(c, WORK_GPA), "0x33", "after the program wrote");
	write_outside(WORK_GPA, "what the program wrote");

	/* The same memory, writable elsewhere. */
	slot(2, 0, 2 * WORK_GPA, SIZE, mem, "create writable as well");
	is(poke(c, 2 * WORK_GPA, 0x34), "HLT", "writing there");
	is(reads(c, WORK_GPA), "0x34", "reading here");
	write_outside(WORK_GPA, "still");
	slot(1, 0, 0, 0, NULL, "delete");
	slot(2, 0, 0, 0, NULL, "delete");

	/* Read-only for the program as well: nothing to write to. */
	slot(1, 0, WORK_GPA, SIZE, mem, "create writable");
	is(poke(c, WORK_GPA, 0x35), "HLT", "writing");
	slot(1, 0, 0, 0, NULL, "delete");
	slot(1, KVM_MEM_READONLY, WORK_GPA, SIZE, mem, "create read-only");
	write_outside(WORK_GPA, "what was writable");
	mprotect(mem, SIZE, PROT_READ);
	is(reads(c, WORK_GPA), "0x35", "PROT_READ, reading");
	slot(1, 0, 0, 0, NULL, "delete");
}

/* The slot at WORK_GPA went away under the working guest. */
static void lost(const char *name)
{
	u64 gpa = 0;
	int write;

	ok(outside(c, &gpa, &write) && gpa >= WORK_GPA &&
	   gpa < WORK_GPA + SIZE, "%s, in the slot: no memory", name);
}

/*
 * Under a running guest: other slots come and go and it does not notice; its
 * own goes, and it does.
 */
static void test_running(void)
{
	char *mem = map_pages(NULL, SIZE), *other = map_pages(NULL, SIZE);
	int i, ret, failed = 0;

	slot(1, 0, WORK_GPA, SIZE, mem, "create");
	work_start(w, c, WORK_GPA, PAGES);
	for (i = 0; i < 50; i++) {
		failed += !!vm_slot(&vm, 2, 0, WORK_GPA + SIZE, SIZE, other);
		failed += !!vm_slot(&vm, 2, 0, WORK_GPA + 2 * SIZE, SIZE, other);
		failed += !vm_slot(&vm, 2, 0, WORK_GPA + SIZE / 2, SIZE, other);
		failed += !!vm_slot(&vm, 2, 0, 0, 0, NULL);
		if (i % 10 == 0)
			work_wait(w);
	}
	ok(!failed, "create, move, overlap, delete: %d answers are wrong",
	   failed);
	is(work_stop(w), "HLT", "the guest in another slot");
	is(work_errors(w), "no errors", "it says");

	madvise(mem, SIZE, MADV_DONTNEED);
	work_start(w, c, WORK_GPA, PAGES);
	work_wait(w);
	/*
	 * When the call returns the memory is the program's alone. (Bochs does
	 * not show a missing INVEPT here: it was tried. A processor does.)
	 */
	ret = vm_slot(&vm, 1, 0, 0, 0, NULL);
	memset(mem, 0, SIZE);
	work_end(w);
	is(errno_text(ret), "0", "delete under the running guest");
	lost("the guest");
	for (i = 0; i < PAGES; i++)
		failed += !!*word(mem, i);
	ok(!failed, "it wrote to %d pages after that", failed);

	slot(1, 0, WORK_GPA, SIZE, mem, "create again");
	work_start(w, c, WORK_GPA, PAGES);
	work_wait(w);
	ret = vm_slot(&vm, 1, 0, 2 * WORK_GPA, SIZE, mem);
	memset(mem, 0, SIZE);
	work_end(w);
	is(errno_text(ret), "0", "move under the running guest");
	lost("the guest");
	for (i = 0; i < PAGES; i++)
		failed += !!*word(mem, i);
	ok(!failed, "it wrote to %d pages after that", failed);
	is(poke(c, 2 * WORK_GPA, 0x41), "HLT", "writing where it is now");
	is_hex(*word(mem, 0), 0x41, "the program reads");
	slot(1, 0, 0, 0, NULL, "delete");
}

/* The guest's own page tables for addresses above the first GiB. */
static void map_high(u64 virtual, u64 gpa)
{
	u64 *pdpt = (void *)(vm.mem + GUEST_PDPT);
	u64 *pd = (void *)(vm.mem + GUEST_DATA);
	struct kvm_sregs sregs;

	pdpt[virtual >> 30] = GUEST_DATA | 7;
	pd[virtual >> 21 & 511] = (gpa & -(2 * MIB)) | 0x87;
	/* Loading CR3 drops what the vCPU has cached of them. */
	sregs = get_sregs(c);
	set_sregs(c, &sregs);
}

static void test_high(void)
{
	const u64 virtual = 5 * GIB, limit = gpa_limit();
	char *mem = map_pages(NULL, SIZE), *top = map_pages(NULL, SIZE);
	u64 gpa = 4 * GIB - SIZE / 2;

	/* Across 4 GiB. */
	slot(1, 0, gpa, SIZE, mem, "create across 4 GiB");
	map_high(virtual, 4 * GIB - 2 * MIB);
	map_high(virtual + 2 * MIB, 4 * GIB);
	is(poke(c, virtual + 2 * MIB - 8, 0x51), "HLT", "writing just below");
	is(poke(c, virtual + 2 * MIB, 0x52), "HLT", "writing just above");
	is_hex(*(u64 *)(mem + SIZE / 2 - 8), 0x51, "the program reads below");
	is_hex(*(u64 *)(mem + SIZE / 2), 0x52, "the program reads above");

	/* Something at 0 must not be taken for it. */
	is(reads(c, 0), "0", "nothing of it is at 0");

	slot(2, 0, limit - SIZE, SIZE, top, "create at the highest address");
	map_high(virtual + 4 * MIB, limit - 2 * MIB);
	is(poke(c, virtual + 6 * MIB - 8, 0x53), "HLT", "writing the last word");
	is_hex(*(u64 *)(top + SIZE - 8), 0x53, "the program reads");
	slot(2, 0, 0, 0, NULL, "delete");
	peek(c, virtual + 6 * MIB - 8, &gpa);
	ok(no_memory(c, limit - 8, false), "deleted: no memory");
	slot(1, 0, 0, 0, NULL, "delete");
}

/* Far more than the machine has, as those do who map with MAP_NORESERVE. */
static void test_sparse(void)
{
	u64 size = 32 * GIB;
	char *mem = map_pages(NULL, size);

	slot(1, 0, GIB, size, mem, "create 32 GiB");
	map_high(5 * GIB, GIB + size - 2 * MIB);
	is(poke(c, 5 * GIB, 0x61), "HLT", "writing near its end");
	is_hex(*(u64 *)(mem + size - 2 * MIB), 0x61, "the program reads");
	madvise(mem, size, MADV_DONTNEED);
	is(reads(c, 5 * GIB), "0", "after MADV_DONTNEED of all of it");
	slot(1, 0, 0, 0, NULL, "delete");
	munmap(mem, size);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DEVICE\n", argv[0]);
		return 2;
	}
	watchdog(300);
	test_arguments(argv[1]);

	worker_open(&vm, c, argv[1]);
	test_life();
	test_readonly();
	test_running();
	test_high();
	test_sparse();

	return done_testing();
}
