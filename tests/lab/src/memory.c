// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory belongs to the process: whatever the process does to it, the
 * guest sees at once, also while it runs. Nothing of it stays behind.
 *
 *	memory DEVICE
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tap.h"
#include "worker.h"

#define PAGES	64
#define SIZE	(PAGES * PAGE_SIZE)
#define SLOT	1
#define SOAK	256		/* pages that take up what was given back */
#define SOAK_VALUE 0xa5a5a5a5a5a5a5a5

static struct vm vm;
static struct vcpu vcpu, *c = &vcpu;
static struct worker worker, *w = &worker;

/* The test's memory, and where the guest has it. */
static char *mem;

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

/* @at is now what the guest has at WORK_GPA. */
static void give(void *at, size_t size)
{
	mem = at;
	need(!vm_slot(&vm, SLOT, 0, WORK_GPA, size, mem), "slot");
}

static void take(void)
{
	need(!vm_slot(&vm, SLOT, 0, 0, 0, NULL), "no slot");
}

static void discard(int page, int pages)
{
	need(!madvise(mem + page * PAGE_SIZE, pages * PAGE_SIZE,
		      MADV_DONTNEED), "MADV_DONTNEED");
}

/* The guest counts from 0 in all pages. */
static void start(void)
{
	discard(0, PAGES);
	work_start(w, c, WORK_GPA, PAGES);
}

/* Values that tell the page, so that one page for another is seen. */
static void fill(u64 tag)
{
	int i;

	for (i = 0; i < PAGES; i++)
		*word(mem, i) = tag + i;
}

static int differing(u64 tag)
{
	int i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += *word(mem, i) != tag + i;
	return n;
}

static void test_both_see_it(void)
{
	int i, bad = 0;
	u64 value;

	give(map_pages(NULL, SIZE), SIZE);
	is(reads(c, gpa_of(3)), "0", "untouched memory");
	fill(0x1000);
	for (i = 0; i < PAGES; i++) {
		peek(c, gpa_of(i), &value);
		bad += value != 0x1000u + i;
	}
	ok(!bad, "the guest sees what the program wrote: %d words differ", bad);
	for (i = 0; i < PAGES; i++)
		poke(c, gpa_of(i), 0x2000 + i);
	bad = differing(0x2000);
	ok(!bad, "the program sees what the guest wrote: %d words differ", bad);

	/* Read first: the zero page, and then a page of its own. */
	discard(5, 1);
	is(reads(c, gpa_of(5)), "0", "a page not there yet");
	is(poke(c, gpa_of(5), 7), "HLT", "writing it");
	is(reads(c, gpa_of(5)), "0x7", "reading it again");
	is_hex(*word(mem, 5), 7, "the program reads");
	discard(6, 1);
	is(reads(c, gpa_of(6)), "0", "another page not there yet");
	*word(mem, 6) = 8;
	is(reads(c, gpa_of(6)), "0x8", "after the program wrote it");
}

/*
 * Pages go and come under a running guest. Where a translation outlived its
 * page, the guest counts in memory that is no longer this program's: then
 * nothing moves here, and something moves in what got the page next.
 */
static void test_discard(void)
{
	const size_t soak_size = SOAK * PAGE_SIZE;
	int round, i, stuck = 0, spoilt = 0;
	char *soak;

	start();
	for (round = 0; round < 20; round++) {
		work_wait(w);
		discard(round, PAGES / 2);
		/* This very memory may be what was just given back. */
		soak = map_pages(NULL, soak_size);
		for (i = 0; i < SOAK; i++)
			*word(soak, i) = SOAK_VALUE;
		work_wait(w);
		for (i = 0; i < PAGES; i++)
			stuck += !*word(mem, i);
		for (i = 0; i < SOAK; i++)
			spoilt += *word(soak, i) != SOAK_VALUE;
		munmap(soak, soak_size);
	}
	is(work_stop(w), "HLT", "MADV_DONTNEED under a running guest");
	is(work_errors(w), "no errors", "the guest");
	ok(!stuck, "the program sees the guest count: %d words stand still",
	   stuck);
	ok(!spoilt, "memory of others: %d words changed", spoilt);

	discard(0, PAGES);
	is(reads(c, gpa_of(0)), "0", "after MADV_DONTNEED, the first page");
	is(reads(c, gpa_of(PAGES - 1)), "0", "the last");
}

static void test_unmap(void)
{
	start();
	work_wait(w);
	munmap(mem + 10 * PAGE_SIZE, PAGE_SIZE);
	is(work_end(w), "EFAULT", "munmap under a running guest");
	is(reads(c, gpa_of(10)), "EFAULT", "reading it");
	is(poke(c, gpa_of(10), 1), "EFAULT", "writing it");
	ok(*word(mem, 11), "the next page is still there");
	map_pages(mem + 10 * PAGE_SIZE, PAGE_SIZE);
	is(reads(c, gpa_of(10)), "0", "mapped again");

	start();
	work_wait(w);
	munmap(mem + 10 * PAGE_SIZE, PAGE_SIZE);
	work_end(w);
	map_pages(mem + 10 * PAGE_SIZE, PAGE_SIZE);
	work_again(w);
	work_wait(w);
	is(work_stop(w), "HLT", "mapped again, and the guest goes on");
	is(work_errors(w), "no errors", "the guest");
}

static void test_move(void)
{
	char *away = map_pages(NULL, SIZE);

	fill(0x3000);
	is(reads(c, gpa_of(1)), "0x3001", "before mremap");
	need(mremap(mem, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, away) ==
	     away, "mremap");
	is(reads(c, gpa_of(1)), "EFAULT", "memory moved away");
	is(poke(c, gpa_of(2), 1), "EFAULT", "writing there");
	is_hex(*word(away, 2), 0x3002, "where it went");
	need(mremap(away, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, mem) ==
	     mem, "mremap");
	is(reads(c, gpa_of(1)), "0x3001", "memory moved back");

	/* The other direction: other pages come under the slot. */
	away = map_pages(NULL, PAGE_SIZE);
	*word(away, 0) = 0x99;
	need(mremap(away, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		    mem + PAGE_SIZE) == mem + PAGE_SIZE, "mremap");
	is(reads(c, gpa_of(1)), "0x99", "another page moved in");
	map_pages(mem, SIZE);

	start();
	work_wait(w);
	away = mremap(mem, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      map_pages(NULL, SIZE));
	need(away != MAP_FAILED, "mremap");
	is(work_end(w), "EFAULT", "mremap under a running guest");
	need(mremap(away, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, mem) ==
	     mem, "mremap");
	work_again(w);
	work_wait(w);
	is(work_stop(w), "HLT", "moved back, and the guest goes on");
	is(work_errors(w), "no errors", "the guest");
}

static void test_protect(void)
{
	fill(0x4000);
	poke(c, gpa_of(4), 0x44);	/* mapped writable by now */
	mprotect(mem, SIZE, PROT_READ);
	is(reads(c, gpa_of(4)), "0x44", "PROT_READ, reading");
	is(poke(c, gpa_of(4), 0x45), "EFAULT", "PROT_READ, writing");
	is(poke(c, gpa_of(7), 0x45), "EFAULT", "PROT_READ, writing elsewhere");
	is_hex(*word(mem, 4), 0x44, "what was there");
	mprotect(mem, SIZE, PROT_NONE);
	is(reads(c, gpa_of(4)), "EFAULT", "PROT_NONE, reading");
	is(poke(c, gpa_of(4), 0x45), "EFAULT", "PROT_NONE, writing");
	mprotect(mem, SIZE, PROT_READ | PROT_WRITE);
	is(reads(c, gpa_of(4)), "0x44", "both allowed again, reading");
	is(poke(c, gpa_of(4), 0x45), "HLT", "writing");
	is_hex(*word(mem, 4), 0x45, "the program reads");

	/* The host's PROT_EXEC is the program's own affair. */
	memcpy(mem, "\xb8\x2a\x00\x00\x00\xc3", 6); /* mov $42, %eax; ret */
	{
		u64 value;

		is(call(c, gpa_of(0), &value), "HLT",
		   "code in memory without PROT_EXEC");
		is_hex(value, 42, "its result");
	}

	start();
	work_wait(w);
	mprotect(mem, SIZE, PROT_READ);
	is(work_end(w), "EFAULT", "PROT_READ under a running guest");
	mprotect(mem, SIZE, PROT_READ | PROT_WRITE);
	work_again(w);
	work_wait(w);
	is(work_stop(w), "HLT", "writable again, and the guest goes on");
	is(work_errors(w), "no errors", "the guest");
}

/*
 * A child of the program: what it has of the guest's memory must be as it was
 * at the fork, whatever the guest writes. It says so by its exit status.
 */
static int still_life(void)
{
	u64 seen[PAGES];
	int i, round;

	for (i = 0; i < PAGES; i++)
		seen[i] = *word(mem, i);
	for (round = 0; round < 10; round++) {
		usleep(1000);
		for (i = 0; i < PAGES; i++) {
			if (seen[i] != *word(mem, i))
				return 1;
		}
	}
	return 0;
}

static void test_fork(void)
{
	int status, i, moved = 0, stuck = 0;
	int ready[2], go[2];
	u64 before[PAGES];
	pid_t pid;
	char byte;

	fill(0x5000);
	poke(c, gpa_of(0), 0x50);
	need(!pipe(ready) && !pipe(go), "pipe");
	pid = fork();
	if (!pid) {
		need(read(go[0], &byte, 1) == 1, "read");
		_exit(*word(mem, 0) == 0x50 && *word(mem, 1) == 0x5001 ? 0 : 1);
	}
	is(reads(c, gpa_of(0)), "0x50", "after fork, reading");
	is(poke(c, gpa_of(0), 0x51), "HLT", "writing");
	is(poke(c, gpa_of(1), 0x52), "HLT", "writing what it only read before");
	is(reads(c, gpa_of(0)), "0x51", "reading again");
	is_hex(*word(mem, 0), 0x51, "the program reads");
	need(write(go[1], "", 1) == 1, "write");
	waitpid(pid, &status, 0);
	is_hex(status, 0, "the child sees what was there at the fork, status");

	start();
	for (i = 0; i < 5; i++) {
		work_wait(w);
		pid = fork();
		if (!pid)
			_exit(still_life());
		waitpid(pid, &status, 0);
		moved += !!status;
	}
	/* With the children gone the pages are the program's alone again. */
	for (i = 0; i < PAGES; i++)
		before[i] = *word(mem, i);
	work_wait(w);
	for (i = 0; i < PAGES; i++)
		stuck += before[i] == *word(mem, i);
	is(work_stop(w), "HLT", "forks under a running guest");
	is(work_errors(w), "no errors", "the guest");
	ok(!moved, "%d of 5 children saw their copy change", moved);
	ok(!stuck, "the program sees the guest count: %d words stand still",
	   stuck);
}

static void test_file(void)
{
	int fd = memfd_create("memory", 0), i, bad = 0;
	u64 value;

	need(fd >= 0 && !ftruncate(fd, SIZE), "memfd_create");

	take();
	munmap(mem, SIZE);
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(mem != MAP_FAILED, "mmap");
	give(mem, SIZE);
	is(poke(c, gpa_of(2), 0x62), "HLT", "shared file, writing");
	need(pread(fd, &value, 8, 2 * PAGE_SIZE) == 8, "pread");
	is_hex(value, 0x62, "the file");
	value = 0x63;
	need(pwrite(fd, &value, 8, 2 * PAGE_SIZE) == 8, "pwrite");
	is(reads(c, gpa_of(2)), "0x63", "the file was written, reading");

	need(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			2 * PAGE_SIZE, PAGE_SIZE), "fallocate");
	is(reads(c, gpa_of(2)), "0", "a hole was punched, reading");

	/* To memory of a file MADV_DONTNEED does nothing: punch it all out. */
	need(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			SIZE), "fallocate");
	work_start(w, c, WORK_GPA, PAGES);
	work_wait(w);
	need(!ftruncate(fd, SIZE / 2), "ftruncate");
	is(work_end(w), "EFAULT", "file truncated under a running guest");
	is(reads(c, gpa_of(PAGES - 1)), "EFAULT", "reading behind its end");
	need(!ftruncate(fd, SIZE), "ftruncate");
	is(reads(c, gpa_of(PAGES - 1)), "0", "file extended again");

	/* A private mapping: the guest writes to a copy of its own. */
	take();
	munmap(mem, SIZE);
	value = 0x64;
	need(pwrite(fd, &value, 8, 0) == 8, "pwrite");
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	need(mem != MAP_FAILED, "mmap");
	give(mem, SIZE);
	is(reads(c, gpa_of(0)), "0x64", "private file, reading");
	is(poke(c, gpa_of(0), 0x65), "HLT", "writing");
	is(reads(c, gpa_of(0)), "0x65", "reading again");
	need(pread(fd, &value, 8, 0) == 8, "pread");
	is_hex(value, 0x64, "the file");
	is_hex(*word(mem, 0), 0x65, "the program reads");

	take();
	munmap(mem, SIZE);
	mem = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	need(mem != MAP_FAILED, "mmap");
	give(mem, SIZE);
	is(reads(c, gpa_of(0)), "0x64", "private read-only file, reading");
	is(poke(c, gpa_of(0), 1), "EFAULT", "writing");
	need(pread(fd, &value, 8, 0) == 8, "pread");
	is_hex(value, 0x64, "the file");

	/* A shared one that may only be read. */
	take();
	munmap(mem, SIZE);
	mem = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	need(mem != MAP_FAILED, "mmap");
	give(mem, SIZE);
	is(reads(c, gpa_of(0)), "0x64", "shared read-only file, reading");
	is(poke(c, gpa_of(0), 1), "EFAULT", "writing");
	for (i = 0; i < PAGES; i++) {
		need(pread(fd, &value, 8, i * PAGE_SIZE) == 8, "pread");
		bad += i && value > 1000000;
	}
	ok(!bad, "the file: %d words differ", bad);
	close(fd);

	take();
	munmap(mem, SIZE);
	give(map_pages(NULL, SIZE), SIZE);
}

/* A number from one line of a file, or -1. */
static long long number(const char *path, const char *key)
{
	long long value = -1;
	char line[256];
	FILE *f = fopen(path, "r");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key))) {
			value = atoll(line + strlen(key));
			break;
		}
	}
	fclose(f);
	return value;
}

/* A line "key N kB" about the mapping that has @at. */
static long long mapping(const void *at, const char *key)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	long long value = -1;
	bool here = false;
	char line[256];
	unsigned long start, end;

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

/* Swap in compressed memory, and a control group that can be told to shrink. */
static bool prepare_reclaim(void)
{
	static const char *const steps[] = {
		"modprobe lzo-rle && modprobe zram",
		"echo 64M >/sys/block/zram0/disksize",
		"mkswap /dev/zram0 >/dev/null && swapon /dev/zram0",
		"mount -t cgroup2 none /sys/fs/cgroup",
		"echo +memory >/sys/fs/cgroup/cgroup.subtree_control",
		"mkdir /sys/fs/cgroup/lab",
	};
	unsigned int i;
	FILE *f;

	/* Another run of this program may have done it in this boot. */
	if (access("/sys/fs/cgroup/lab", F_OK)) {
		for (i = 0; i < ARRAY_SIZE(steps); i++) {
			if (system(steps[i]))
				return false;
		}
	}
	f = fopen("/sys/fs/cgroup/lab/cgroup.procs", "w");
	return f && fprintf(f, "%d\n", getpid()) > 0 && !fclose(f);
}

static bool linux_since(int major, int minor)
{
	struct utsname name;
	int m, n;

	need(!uname(&name) && sscanf(name.release, "%d.%d", &m, &n) == 2, "uname");
	return m > major || (m == major && n >= minor);
}

/*
 * The host takes pages because it wants them: to swap, with the aging of
 * pages before. What the guest gets back is what it had.
 */
static void test_reclaim(void)
{
	long long rss, swapped;
	int i, bad = 0;
	u64 value;

	for (i = 0; i < PAGES; i++)
		poke(c, gpa_of(i), 0x7000 + i);
	rss = mapping(mem, "Rss:");
	ok(rss == SIZE / 1024, "resident after the guest wrote: %lld kB", rss);
	discard(0, PAGES);
	rss = mapping(mem, "Rss:");
	ok(!rss, "resident after MADV_DONTNEED: %lld kB", rss);

	if (!prepare_reclaim()) {
		skip("no zram or no cgroup2 here", "pages go to swap");
		return;
	}
	for (i = 0; i < PAGES; i++)
		poke(c, gpa_of(i), 0x7000 + i);
	/*
	 * Only the guest used these pages, and that counts: once. Linux 6.9
	 * and later do not ask who used what MADV_PAGEOUT names.
	 */
	need(!madvise(mem, SIZE, MADV_PAGEOUT), "MADV_PAGEOUT");
	rss = mapping(mem, "Rss:");
	ok(rss == (linux_since(6, 9) ? 0 : SIZE / 1024),
	   "resident after MADV_PAGEOUT of what the guest just used: %lld kB",
	   rss);
	need(!madvise(mem, SIZE, MADV_PAGEOUT), "MADV_PAGEOUT");
	rss = mapping(mem, "Rss:");
	swapped = mapping(mem, "Swap:");
	ok(!rss, "resident after another: %lld kB", rss);
	ok(swapped == SIZE / 1024, "in swap: %lld kB", swapped);
	for (i = 0; i < PAGES; i++) {
		peek(c, gpa_of(i), &value);
		bad += value != 0x7000u + i;
	}
	ok(!bad, "read back by the guest: %d words differ", bad);

	/* Given up by the program, but then the guest writes to it. */
	fill(0x7100);
	need(!madvise(mem, SIZE, MADV_FREE), "MADV_FREE");
	for (i = 0; i < PAGES; i++)
		poke(c, gpa_of(i), 0x7200 + i);
	for (i = 0; i < 3; i++)
		need(!madvise(mem, SIZE, MADV_PAGEOUT), "MADV_PAGEOUT");
	rss = mapping(mem, "Rss:");
	ok(!rss, "resident after MADV_FREE and MADV_PAGEOUT: %lld kB", rss);
	bad = differing(0x7200);
	ok(!bad, "what the guest wrote in between: %d words differ", bad);

	start();
	for (i = 0; i < 20; i++) {
		work_wait(w);
		need(!madvise(mem, SIZE, MADV_PAGEOUT), "MADV_PAGEOUT");
	}
	is(work_stop(w), "HLT", "MADV_PAGEOUT under a running guest");
	is(work_errors(w), "no errors", "the guest");

	/* The control group's reclaim looks for pages that nobody uses. */
	start();
	swapped = number("/proc/vmstat", "pswpout ");
	for (i = 0; i < 20; i++) {
		char *cold = map_pages(NULL, 16 * SIZE);
		int fd = open("/sys/fs/cgroup/lab/memory.reclaim", O_WRONLY);

		need(fd >= 0, "memory.reclaim");
		memset(cold, i, 16 * SIZE);
		work_wait(w);
		/* -EAGAIN: less than that was found. */
		if (write(fd, "4M", 2) != 2 && errno != EAGAIN)
			bail("memory.reclaim: %s", strerror(errno));
		close(fd);
		munmap(cold, 16 * SIZE);
	}
	is(work_stop(w), "HLT", "reclaim under a running guest");
	is(work_errors(w), "no errors", "the guest");
	swapped = number("/proc/vmstat", "pswpout ") - swapped;
	ok(swapped > 0, "something was swapped out");
}

/* Killed in mid-guest, alone or with the VM's descriptors held by another. */
static void test_kill(const char *device)
{
	int i, status, killed = 0, fds[2], held = 0;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		need(!pipe(fds), "pipe");
		pid = fork();
		if (!pid) {
			char *inner = map_pages(NULL, SIZE);

			/* In another address space all of it is another VM. */
			worker_open(&vm, c, device);
			need(!vm_slot(&vm, SLOT, 0, WORK_GPA, SIZE, inner),
			     "slot");
			if (i % 2 && !fork()) {
				/* Keeps the descriptors for a while. */
				close(fds[0]);
				close(fds[1]);
				usleep(300000);
				_exit(0);
			}
			work_start(w, c, WORK_GPA, PAGES);
			work_wait(w);
			need(write(fds[1], "", 1) == 1, "write");
			pause();
		}
		close(fds[1]);
		held += read(fds[0], &status, 1) == 1;
		close(fds[0]);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	ok(held == 5, "%d of 5 guests ran", held);
	ok(killed == 5, "%d of 5 were killed", killed);
	usleep(400000);

	fill(0x8000);
	is(reads(c, gpa_of(1)), "0x8001", "this guest");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DEVICE\n", argv[0]);
		return 2;
	}
	watchdog(300);
	worker_open(&vm, c, argv[1]);

	test_both_see_it();
	test_discard();
	test_unmap();
	test_move();
	test_protect();
	test_fork();
	test_file();
	test_reclaim();
	test_kill(argv[1]);

	return done_testing();
}
