// SPDX-License-Identifier: GPL-2.0
/*
 * Large pages: the guest gets them where the host has them, and whatever the
 * host does to a part of one, the guest sees there and nowhere else.
 *
 *	huge DEVICE
 *
 * That a page is large is seen by the number of EPT violations that it takes
 * to go over all of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tap.h"
#include "worker.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define KIB		1024ull
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define PAGES		512
#define SIZE		(2 * MIB)

/* A read and a write each, for one large page; and for 512 small ones. */
#define FEW		8
#define MANY		PAGES

static struct vm vm;
static struct vcpu vcpu, *c = &vcpu;
static struct worker worker, *w = &worker;

static u64 *word(void *base, int page)
{
	return (u64 *)((char *)base + page * PAGE_SIZE);
}

static u64 gpa_of(int page)
{
	return WORK_GPA + page * PAGE_SIZE;
}

static void need(bool done, const char *what)
{
	if (!done)
		bail("%s: %s", what, strerror(errno));
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

static long long value_of(const char *path)
{
	long long value = -1;
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) > 0)
		value = atoll(text);
	close(fd);
	return value;
}

/* "key N kB" about the mapping that has @at. */
static long long mapping(const void *at, const char *key)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	long long value = -1;
	bool here = false;
	char line[256];

	need(f, "/proc/self/smaps");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (unsigned long)at >= start &&
			       (unsigned long)at < end;
		else if (here && !strncmp(line, key, strlen(key)))
			value = atoll(line + strlen(key));
	}
	fclose(f);
	return value;
}

/* Fresh memory that begins @offset behind a multiple of 2 MiB. */
static char *aligned(size_t size, size_t offset, int advice)
{
	uintptr_t at = (uintptr_t)map_pages(NULL, size + 2 * SIZE);

	at = ((at + SIZE - 1) & -SIZE) + offset;
	if (madvise((void *)(at & -SIZE), size + SIZE, advice))
		bail("madvise: %s", strerror(errno));
	return (char *)at;
}

static void give(void *mem, size_t size)
{
	need(!vm_slot(&vm, 1, 0, WORK_GPA, size, mem), "slot");
}

static void take(void)
{
	need(!vm_slot(&vm, 1, 0, 0, 0, NULL), "no slot");
}

static void is_huge(const void *mem, long long kb)
{
	long long seen = mapping(mem, "AnonHugePages:");

	ok(seen == kb, "the host has large pages: %lld kB", seen);
}

/* The guest counts in all pages without an error. Returns its EPT violations. */
static long long works(const char *name)
{
	long long before = faults(c);

	work_start(w, c, WORK_GPA, PAGES);
	work_wait(w);
	is(work_stop(w), "HLT", "%s: the guest goes over all pages", name);
	is(work_errors(w), "no errors", "%s: it says", name);
	return faults(c) - before;
}

static void goes_large(const char *name)
{
	long long n = works(name);

	if (!ok(n <= FEW, "%s: by large pages", name))
		diag("  %lld EPT violations", n);
}

static void goes_small(const char *name)
{
	long long n = works(name);

	if (!ok(n >= MANY, "%s: by small pages", name))
		diag("  %lld EPT violations", n);
}

/*
 * KVM keeps the tables of the small pages, and where large ones must not be
 * executable it puts none in their place.
 */
static bool keeps_small(void)
{
	return !strcmp(vm.device, "/dev/kvm") &&
	       !system("grep -q Y /sys/module/kvm/parameters/nx_huge_pages");
}

static void differing(void *mem, int from, int to, u64 tag, const char *name)
{
	int i, n = 0;
	u64 value;

	for (i = from; i < to; i += 37) {
		peek(c, gpa_of(i), &value);
		n += value != tag + i || *word(mem, i) != tag + i;
	}
	ok(!n, "%s: %d words differ", name, n);
}

static void fill(void *mem, u64 tag)
{
	int i;

	for (i = 0; i < PAGES; i++)
		*word(mem, i) = tag + i;
}

static void test_whole(void)
{
	char *mem = aligned(2 * SIZE, 0, MADV_HUGEPAGE);
	u64 value;

	memset(mem, 0, 2 * SIZE);
	is_huge(mem, 4096);
	give(mem, 2 * SIZE);
	goes_large("large page");
	ok(*word(mem, 77) > 0, "the program sees the guest count");
	is(poke(c, WORK_GPA + SIZE + 5 * PAGE_SIZE, 0x11), "HLT",
	   "writing into the second one");
	is_hex(*word(mem + SIZE, 5), 0x11, "the program reads");

	/* Code: where large pages must not be executable, it is split. */
	memcpy(mem + 3 * PAGE_SIZE, "\xb8\x2a\x00\x00\x00\xc3", 6);
	memcpy(mem + 4 * PAGE_SIZE, "\xb8\x2b\x00\x00\x00\xc3", 6);
	is(call(c, gpa_of(3), &value), "HLT", "code in a large page");
	is_hex(value, 42, "its result");
	is(call(c, gpa_of(4), &value), "HLT", "code in another part of it");
	is_hex(value, 43, "its result");
	is(poke(c, gpa_of(3) + 8, 1), "HLT", "writing beside the code");
	is(poke(c, gpa_of(200), 0x12), "HLT", "writing elsewhere in it");
	is_hex(*word(mem, 200), 0x12, "the program reads");
	is(call(c, gpa_of(3), &value), "HLT", "code again");
	is(poke(c, WORK_GPA + SIZE, 0x13), "HLT", "writing into the other");
	is(reads(c, gpa_of(200)), "0x12", "and back");
	is_huge(mem, 4096);

	take();
	munmap(mem, 2 * SIZE);
}

static void test_unaligned(void)
{
	char *mem = aligned(SIZE, PAGE_SIZE, MADV_HUGEPAGE);
	u64 gpa;
	int how;

	/* Most of a large page and the first of the next. */
	memset(mem, 0, SIZE);
	give(mem, SIZE);
	goes_small("not aligned as the guest's");
	fill(mem, 0x1000);
	differing(mem, 0, PAGES, 0x1000, "each page is the right one");
	take();

	/* A slot that ends in the middle of a large page. */
	mem = aligned(SIZE, 0, MADV_HUGEPAGE);
	fill(mem, 0x2000);
	is_huge(mem, 2048);
	give(mem, SIZE / 2);
	is(poke(c, gpa_of(1), 0x21), "HLT", "half a large page, writing");
	is(reads(c, gpa_of(PAGES / 2 - 1)), "0x20ff", "its last page");
	poke(c, gpa_of(PAGES / 2), 0x22);
	ok(outside(c, &gpa, &how) && gpa == gpa_of(PAGES / 2),
	   "the first page behind: no memory");
	poke(c, gpa_of(PAGES - 1), 0x22);
	ok(outside(c, &gpa, &how) && gpa == gpa_of(PAGES - 1),
	   "the last page behind: no memory");
	is_hex(*word(mem, PAGES / 2), 0x2100, "the program's own half");
	take();

	/* One that begins there. */
	need(!vm_slot(&vm, 1, 0, gpa_of(PAGES / 2), SIZE / 2, mem + SIZE / 2),
	     "slot");
	is(reads(c, gpa_of(PAGES / 2)), "0x2100", "the other half, reading");
	poke(c, gpa_of(PAGES / 2 - 1), 0x22);
	ok(outside(c, &gpa, &how) && gpa == gpa_of(PAGES / 2 - 1),
	   "the page before: no memory");
	take();
}

static void test_parts(void)
{
	char *mem = aligned(SIZE, 0, MADV_HUGEPAGE);
	int status;
	pid_t pid;

	fill(mem, 0x3000);
	is_huge(mem, 2048);
	give(mem, SIZE);
	is(poke(c, gpa_of(100), 0x3064), "HLT", "writing");
	need(!madvise(mem + 50 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED),
	     "MADV_DONTNEED");
	is(reads(c, gpa_of(50)), "0", "MADV_DONTNEED of one page, reading it");
	differing(mem, 51, PAGES, 0x3000, "pages above it");
	differing(mem, 0, 50, 0x3000, "pages below it");
	take();

	mem = aligned(SIZE, 0, MADV_HUGEPAGE);
	fill(mem, 0x4000);
	give(mem, SIZE);
	is(poke(c, gpa_of(60), 0x403c), "HLT", "writing");
	mprotect(mem + 60 * PAGE_SIZE, PAGE_SIZE, PROT_READ);
	is(poke(c, gpa_of(60), 1), "EFAULT", "PROT_READ for one page, writing it");
	is(poke(c, gpa_of(61), 0x403d), "HLT", "writing the next");
	is(reads(c, gpa_of(60)), "0x403c", "reading it");
	munmap(mem + 60 * PAGE_SIZE, PAGE_SIZE);
	is(reads(c, gpa_of(60)), "EFAULT", "munmap of one page, reading it");
	is(reads(c, gpa_of(59)), "0x403b", "reading the one before");
	take();

	mem = aligned(SIZE, 0, MADV_HUGEPAGE);
	fill(mem, 0x5000);
	give(mem, SIZE);
	is(poke(c, gpa_of(7), 0x5007), "HLT", "writing");
	pid = fork();
	if (!pid) {
		usleep(100000);
		_exit(*word(mem, 7) == 0x5007 && *word(mem, 8) == 0x5008 ?
		      0 : 1);
	}
	is(reads(c, gpa_of(8)), "0x5008", "after fork, reading");
	is(poke(c, gpa_of(7), 0x57), "HLT", "writing");
	is(poke(c, gpa_of(8), 0x58), "HLT", "writing the next");
	is_hex(*word(mem, 7), 0x57, "the program reads");
	waitpid(pid, &status, 0);
	is_hex(status, 0, "the child sees what was there at the fork, status");
	take();
	munmap(mem, SIZE);
}

/* Small pages become a large one, and the other way round, as the guest runs. */
static void test_changes(void)
{
	char *mem = aligned(SIZE, 0, MADV_NOHUGEPAGE);
	int i, stuck = 0, collapsed = 0;
	long long n;

	memset(mem, 0, SIZE);
	give(mem, SIZE);
	goes_small("small pages");
	is_huge(mem, 0);
	need(!madvise(mem, SIZE, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	need(!madvise(mem, SIZE, MADV_COLLAPSE), "MADV_COLLAPSE");
	is_huge(mem, 2048);
	/* The worker expects its own numbers or 0. */
	for (i = 0; i < PAGES; i++)
		*word(mem, i) = 0;
	n = works("collapsed");
	if (!ok(n <= FEW || keeps_small(),
		"collapsed: by large pages, where the device does that"))
		diag("  %lld EPT violations", n);

	for (i = 0; i < PAGES; i++)
		*word(mem, i) = 0;
	work_start(w, c, WORK_GPA, PAGES);
	for (i = 0; i < 5; i++) {
		work_wait(w);
		/* Splits it. */
		need(!madvise(mem + i * 8 * PAGE_SIZE, 8 * PAGE_SIZE,
			      MADV_DONTNEED), "MADV_DONTNEED");
		work_wait(w);
		collapsed += !madvise(mem, SIZE, MADV_COLLAPSE);
		work_wait(w);
	}
	is(work_stop(w), "HLT", "splits and collapses under a running guest");
	is(work_errors(w), "no errors", "it says");
	for (i = 0; i < PAGES; i++)
		stuck += !*word(mem, i);
	ok(!stuck, "the program sees the guest count: %d words stand still",
	   stuck);
	ok(collapsed > 0, "at least one collapse succeeded");
	take();
	munmap(mem, SIZE);
}

static void test_hugetlb(void)
{
	char *mem;

	put("/proc/sys/vm/nr_hugepages", "2");
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (mem == MAP_FAILED) {
		skip("no 2 MiB pages in hugetlbfs", "hugetlbfs");
		return;
	}
	give(mem, SIZE);
	is(reads(c, gpa_of(3)), "0", "hugetlbfs, untouched memory");
	goes_large("hugetlbfs");
	ok(*word(mem, 77) > 0, "the program sees the guest count");
	mprotect(mem, SIZE, PROT_READ);
	is(poke(c, gpa_of(1), 1), "EFAULT", "PROT_READ, writing");
	munmap(mem, SIZE);
	is(reads(c, gpa_of(1)), "EFAULT", "munmap, reading");
	take();
	put("/proc/sys/vm/nr_hugepages", "0");
}

/* Needs hugepagesz=1G hugepages=1 on the kernel's command line. */
static void test_gigantic(void)
{
	static const char path[] =
		"/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages";
	u64 *pdpt = (void *)(vm.mem + GUEST_PDPT);
	u64 *pd = (void *)(vm.mem + GUEST_DATA);
	struct kvm_sregs sregs;
	long long before, n;
	int i, bad = 0;
	char *mem;

	if (value_of(path) < 1) {
		skip("no 1 GiB page: the kernel's command line gives none",
		     "1 GiB pages");
		return;
	}
	mem = mmap(NULL, GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_HUGETLB | 30 << MAP_HUGE_SHIFT, -1, 0);
	need(mem != MAP_FAILED, "mmap of 1 GiB in hugetlbfs");

	pdpt[1] = GUEST_DATA | 7;
	for (i = 0; i < 512; i++)
		pd[i] = (GIB + i * SIZE) | 0x87;
	sregs = get_sregs(c);
	set_sregs(c, &sregs);

	need(!vm_slot(&vm, 1, 0, GIB, GIB, mem), "slot");
	before = faults(c);
	for (i = 0; i < 512; i += 5)
		bad += !!strcmp(poke(c, GIB + i * SIZE + i * 8, 0x6000 + i),
				"HLT");
	n = faults(c) - before;
	for (i = 0; i < 512; i += 5)
		bad += *(u64 *)(mem + i * SIZE + i * 8) != 0x6000u + i;
	ok(!bad, "1 GiB page: %d words differ", bad);
	if (!ok(n <= FEW, "1 GiB page: mapped as such"))
		diag("  %lld EPT violations", n);

	/* Code in it. */
	memcpy(mem + 300 * SIZE, "\xb8\x2a\x00\x00\x00\xc3", 6);
	{
		u64 value;

		is(call(c, GIB + 300 * SIZE, &value), "HLT", "code in it");
		is_hex(value, 42, "its result");
	}
	for (i = 0; i < 512; i += 5) {
		u64 value;

		peek(c, GIB + i * SIZE + i * 8, &value);
		bad += value != 0x6000u + i;
	}
	ok(!bad, "after that: %d words differ", bad);
	take();
	munmap(mem, GIB);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DEVICE\n", argv[0]);
		return 2;
	}
	watchdog(300);
	worker_open(&vm, c, argv[1]);
	if (faults(c) < 0)
		bail("%s does not count its EPT violations", argv[1]);

	if (put("/sys/kernel/mm/transparent_hugepage/enabled", "madvise") &&
	    put("/sys/kernel/mm/transparent_hugepage/defrag", "madvise")) {
		test_whole();
		test_unaligned();
		test_parts();
		test_changes();
	} else {
		skip("not in this kernel", "transparent huge pages");
	}
	test_hugetlb();
	test_gigantic();

	return done_testing();
}
