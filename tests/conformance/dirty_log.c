// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log: whoever writes to a page of a slot that logs, the guest or the
 * kernel for it, the page is in the log, and no other.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "tap.h"
#include "worker.h"

#define SLOT	1
#define PAGES	130		/* the bitmap's third word is not full */
#define SIZE	(PAGES * PAGE_SIZE)
#define LOG	KVM_MEM_LOG_DIRTY_PAGES
#define MIB	0x100000ull
#define DEVICE	(64 * MIB)	/* no slot is there */

static struct vm vm;
static struct vcpu cpu, *c = &cpu;
static u8 *mem;
static u64 bits[8];

static int get_log(u32 slot, void *to)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = to };

	return ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log);
}

static int clear_log(u32 slot, u64 first, u32 pages, void *from)
{
	struct kvm_clear_dirty_log log = {
		.slot = slot, .first_page = first, .num_pages = pages,
		.dirty_bitmap = from,
	};

	return ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, &log);
}

static int protect2(u64 options)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { options },
	};

	return ioctl(vm.fd, KVM_ENABLE_CAP, &cap);
}

static void must(int ret, const char *what)
{
	if (ret < 0)
		bail("%s: %s", what, strerror(errno));
}

static void slot(u32 flags, u64 gpa, u64 size)
{
	must(vm_slot(&vm, SLOT, flags, gpa, size, size ? mem : NULL), "slot");
}

static u64 gpa_of(int page)
{
	return WORK_GPA + (u64)page * PAGE_SIZE;
}

/* The log as text: its pages' numbers. */
static const char *dirty(u32 n)
{
	static char text[1000];
	size_t at = 0;
	int i;

	memset(bits, 0xa5, sizeof(bits));
	if (get_log(n, bits))
		return errno_name(errno);
	text[0] = 0;
	for (i = 0; i < 192 && at < sizeof(text) - 8; i++)
		if (bits[i / 64] & (1ull << (i % 64)))
			at += sprintf(text + at, "%s%d", at ? " " : "", i);
	return at ? text : "none";
}

static void wants(const char *want, const char *name)
{
	is(dirty(SLOT), want, "%s", name);
}

static void write_pages(const int *page, int n)
{
	for (; n; n--, page++)
		if (strcmp(poke(c, gpa_of(*page), *page + 1), "HLT"))
			bail("the guest cannot write page %d", *page);
}

#define WRITE(...) write_pages((const int[]){ __VA_ARGS__ }, \
			       ARRAY_SIZE(((const int[]){ __VA_ARGS__ })))

static void test_arguments(void)
{
	int nr = ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	void *bad = (void *)0xffff888000000000;

	is_hex(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2), 3,
	       "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2");
	is(errno_text(ioctl(vm.fd, KVM_GET_DIRTY_LOG, bad)), "EFAULT", "GET, no structure");
	is(errno_text(ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, bad)), "EFAULT", "CLEAR, no structure");
	is(errno_text(get_log(SLOT, bits)), "ENOENT", "GET, no slot");
	slot(0, WORK_GPA, SIZE);
	is(errno_text(get_log(SLOT, bits)), "ENOENT", "GET, it does not log");
	is(errno_text(clear_log(SLOT, 0, PAGES, bits)), "ENOENT", "CLEAR, it does not log");
	slot(LOG, WORK_GPA, SIZE);
	is(errno_text(get_log(nr, bits)), "EINVAL", "GET, the slot behind the last");
	is(errno_text(get_log(nr - 1, bits)), "ENOENT", "GET, the last slot");
	is(errno_text(get_log(SLOT | 1 << 16, bits)), "ENOENT", "GET, in SMM's address space");
	is(errno_text(get_log(SLOT | 2 << 16, bits)), "EINVAL", "GET, in a third one");
	is(errno_text(get_log(SLOT, bad)), "EFAULT", "GET, no bitmap");
	is(errno_text(get_log(SLOT, short_pointer(23))), "EFAULT", "GET, too short a bitmap");
	is(errno_text(get_log(SLOT, short_pointer(24))), "0", "GET, three words");
	is(errno_text(clear_log(nr, 0, PAGES, bits)), "EINVAL", "CLEAR, the slot behind the last");
	is(errno_text(clear_log(SLOT, 1, 64, bits)), "EINVAL", "CLEAR from page 1");
	is(errno_text(clear_log(SLOT, 0, 63, bits)), "EINVAL", "CLEAR 63 pages");
	is(errno_text(clear_log(SLOT, 0, PAGES + 1, bits)), "EINVAL", "CLEAR a page too many");
	is(errno_text(clear_log(SLOT, 64, PAGES - 63, bits)), "EINVAL",
	   "CLEAR one too many, from 64");
	is(errno_text(clear_log(SLOT, 192, 0, bits)), "EINVAL", "CLEAR from behind the end");
	is(errno_text(clear_log(SLOT, 1ull << 63, 64, bits)), "EINVAL", "CLEAR from far behind it");
	is(errno_text(clear_log(SLOT, 128, 1, bits)), "EINVAL", "CLEAR half of the last word");
	is(errno_text(clear_log(SLOT, 128, 2, bits)), "0", "CLEAR the last word");
	is(errno_text(clear_log(SLOT, 64, 64, bits)), "0", "CLEAR the second word");
	is(errno_text(clear_log(SLOT, 0, 0, bad)), "0", "CLEAR nothing");
	is(errno_text(clear_log(SLOT, 0, PAGES, bad)), "EFAULT", "CLEAR, no bitmap");
	is(errno_text(clear_log(SLOT, 0, PAGES, short_pointer(23))), "EFAULT",
	   "CLEAR, too short a bitmap");
	is(errno_text(protect2(2)), "EINVAL", "INITIALLY_SET alone");
	is(errno_text(protect2(4)), "EINVAL", "an unknown option");
	is(errno_text(protect2(7)), "EINVAL", "an unknown option and all others");
	is(errno_text(protect2(0)), "0", "no option");
	slot(0, 0, 0);
}

static void test_guest(void)
{
	u64 value;

	slot(LOG, WORK_GPA, SIZE);
	wants("none", "a new slot");
	WRITE(0, 5, 63, 64, 129);
	wants("0 5 63 64 129", "the guest wrote");
	wants("none", "asked again");
	WRITE(5);
	wants("5", "it wrote again");
	WRITE(6, 6, 6);
	WRITE(7);
	wants("6 7", "more often");
	peek(c, gpa_of(20), &value);
	peek(c, gpa_of(5), &value);
	wants("none", "it read");
	mem[21 * PAGE_SIZE] = 1;
	wants("none", "the program wrote");
	WRITE(30);
	is(errno_text(get_log(SLOT, short_pointer(23))), "EFAULT", "too short a bitmap");
	WRITE(31);
	wants("31", "  what it should have taken is lost");
	must(madvise(mem, SIZE, MADV_DONTNEED), "madvise");
	peek(c, gpa_of(40), &value);
	WRITE(41);
	wants("41", "after MADV_DONTNEED");
	peek(c, gpa_of(41), &value);
	WRITE(40);
	wants("40", "  written after it was read");
	slot(0, 0, 0);
}

static void test_flags(void)
{
	slot(0, WORK_GPA, SIZE);
	WRITE(1, 2, 3);
	slot(LOG, WORK_GPA, SIZE);
	wants("none", "logging begins on a slot that is there");
	WRITE(2);
	wants("2", "a page that was writable before");
	WRITE(3);
	slot(LOG, WORK_GPA, SIZE);
	wants("3", "the same flags again change nothing");
	WRITE(4);
	slot(LOG, WORK_GPA + MIB, SIZE);
	wants("4", "the log moves with the slot");
	is(poke(c, gpa_of(256 + 9), 1), "HLT", "a write there");
	wants("9", "  is logged");
	slot(0, WORK_GPA, SIZE);
	is(errno_text(get_log(SLOT, bits)), "ENOENT", "moved, and logging ends");
	WRITE(5);
	slot(LOG, WORK_GPA + MIB, SIZE);
	is(poke(c, gpa_of(256 + 8), 1), "HLT", "moved, and logging begins: a write");
	wants("8", "  is logged, what was before is not");
	slot(0, WORK_GPA + MIB, SIZE);
	slot(LOG, WORK_GPA + MIB, SIZE);
	wants("none", "ends and begins: an empty log");
	slot(0, 0, 0);
	slot(LOG | KVM_MEM_READONLY, WORK_GPA, SIZE);
	is(poke(c, gpa_of(1), 1), "MMIO write 0x1001000 size=8", "read-only: a write");
	wants("none", "  is not logged");
	is(errno_text(vm_slot(&vm, SLOT, LOG, WORK_GPA, SIZE, mem)), "EINVAL",
	   "  it cannot become writable");
	slot(KVM_MEM_READONLY, WORK_GPA, SIZE);
	is(errno_text(get_log(SLOT, bits)), "ENOENT", "  logging ends");
	slot(0, 0, 0);
	vcpu_run(c);
}

/* A large page has to make room for small ones. */
static void test_large(void)
{
	const u64 size = 4 * MIB;
	u8 *old = mem, *all = map_pages(NULL, size + 2 * MIB);
	static u64 log[16];
	int i, n = 0;

	mem = (u8 *)(((unsigned long)all + 2 * MIB - 1) & -(2 * MIB));
	if (madvise(mem, size, MADV_HUGEPAGE))
		diag("no huge pages: %s", strerror(errno));
	slot(0, WORK_GPA, size);
	WRITE(0, 600);
	slot(LOG, WORK_GPA, size);
	WRITE(3, 700);
	must(get_log(SLOT, log), "KVM_GET_DIRTY_LOG");
	for (i = 0; i < 1024; i++)
		n += log[i / 64] >> (i % 64) & 1;
	ok(n == 2 && log[0] == 8 && log[700 / 64] == 1ull << (700 % 64),
	   "in large pages, two written: %d in the log", n);
	WRITE(4);
	must(get_log(SLOT, log), "KVM_GET_DIRTY_LOG");
	ok(log[0] == 16 && !log[700 / 64], "  another one");
	slot(0, WORK_GPA, size);
	WRITE(3, 700);
	slot(LOG, WORK_GPA, size);
	WRITE(701);
	must(get_log(SLOT, log), "KVM_GET_DIRTY_LOG");
	ok(!log[0] && log[700 / 64] == 1ull << (701 % 64), "  logging ended and began");
	slot(0, 0, 0);
	munmap(all, size + 2 * MIB);
	mem = old;
}

GUEST64(ins_two, "mov $0x10, %dx; in %dx, %al; insb; insl; insl; hlt");
GUEST64(from_device, "movb (%rdi), %al; mov %rdi, %rsi; mov %rbx, %rdi; movsb; movsq; hlt");

/* End the instruction that user space has done its part of, and no more. */
static void complete(void)
{
	c->run->immediate_exit = 1;
	is(vcpu_run(c), "EINTR", "  it ends");
	c->run->immediate_exit = 0;
}

/* An instruction whose data user space brings, and the kernel stores at @gpa. */
static void stores(u64 gpa, const char *exit, const char *name, const char *pages)
{
	struct kvm_regs r = get_regs(c);

	r.rdi = gpa;
	set_regs(c, &r);
	is(vcpu_run(c), exit, "%s", name);
	dirty(SLOT);
	complete();
	wants(pages, "  what it wrote to is in the log");
}

/* The kernel writes for the guest. */
static void test_kernel(void)
{
	struct kvm_regs r;

	slot(LOG, WORK_GPA, SIZE);
	guest64(c, ins_two);
	is(vcpu_run(c), "IN port=10 size=1 count=1", "IN");
	wants("none", "  writes no memory");
	stores(gpa_of(10), "IN port=10 size=1 count=1", "INS of a byte", "10");
	stores(gpa_of(12) - 2, "IN port=10 size=4 count=1", "INS of four bytes, across pages",
	       "11 12");
	must(madvise(mem, SIZE, MADV_DONTNEED), "madvise");
	stores(gpa_of(13), "IN port=10 size=4 count=1", "INS into a page that is not there", "13");

	guest64(c, from_device);
	r = get_regs(c);
	r.rdi = DEVICE;
	r.rbx = gpa_of(20);
	set_regs(c, &r);
	is(vcpu_run(c), "MMIO read 0x4000000 size=1", "a load from a device");
	is(vcpu_run(c), "MMIO read 0x4000000 size=1", "MOVS from a device");
	dirty(SLOT);
	complete();
	wants("20", "  what it wrote to is in the log");
	stores(gpa_of(22) - 4, "MMIO read 0x4000001 size=8", "MOVS of eight bytes, across pages",
	       "21 22");
	slot(0, 0, 0);
}

GUEST64(touch, "nop; mov $0x10, %dx; in %dx, %al; insb; mov %al, 0x1000(%rdi); hlt");

/* The device's module was told not to use the EPT's accessed and dirty flags. */
static bool without_ad(void)
{
	const char *path = strcmp(vm.device, "/dev/kvm") ?
		"/sys/module/minivmm/parameters/eptad" :
		"/sys/module/kvm_intel/parameters/eptad";
	FILE *f = fopen(path, "r");
	int c = f ? getc(f) : 'Y';

	if (f)
		fclose(f);
	return c == 'N';
}

/*
 * The guest's page tables: the CPU or the kernel sets flags in them. What else
 * is in the log depends on the CPU's accessed and dirty bits for EPT.
 */
static void test_tables(void)
{
	struct kvm_regs r;
	u64 *pd, log[4] = { 0 }, all;

	slot(0, WORK_GPA, SIZE);
	guest64(c, touch);
	r = get_regs(c);
	r.rdi = WORK_GPA;
	set_regs(c, &r);
	must(vm_slot(&vm, 0, LOG, 0, vm.size, vm.mem), "slot 0");
	is(vcpu_run(c), "IN port=10 size=1 count=1", "page tables in a slot that logs");
	must(get_log(0, log), "KVM_GET_DIRTY_LOG");
	if (without_ad())
		skip("Bochs sets them past the EPT's permissions",
		     "  accessed flags in all three are in the log");
	else
		is_hex(log[0] >> 4 & 7, 7, "  accessed flags in all three are in the log");
	pd = (u64 *)(vm.mem + GUEST_PD);
	is_hex(pd[8] & 0x60, 0, "  the entry for the test's memory was not used yet");
	is(vcpu_run(c), "IN port=10 size=1 count=1", "INS there");
	must(get_log(0, log), "KVM_GET_DIRTY_LOG");
	all = log[0];
	complete();
	must(get_log(0, log), "KVM_GET_DIRTY_LOG");
	all |= log[0];
	is_hex(pd[8] & 0x60, 0x60, "  the kernel set both flags");
	is_hex(all >> 6 & 1, 1, "  the table is in the log");
	must(vm_slot(&vm, 0, 0, 0, vm.size, vm.mem), "slot 0");
	is(vcpu_run(c), "HLT", "  and on, without a log");
	slot(0, 0, 0);
}

static void test_manual(void)
{
	u64 some[3] = { 1ull << 3, 0, 2 };

	is(errno_text(protect2(1)), "0", "KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE");
	slot(LOG, WORK_GPA, SIZE);
	WRITE(3, 4, 64, 129);
	wants("3 4 64 129", "manual: the guest wrote");
	wants("3 4 64 129", "  GET does not clear");
	is(errno_text(clear_log(SLOT, 0, PAGES, some)), "0", "  CLEAR 3 and 129");
	wants("4 64", "  leaves the others");
	WRITE(3, 5);
	wants("3 4 5 64", "  3 is written again");
	some[0] = ~0ull;
	is(errno_text(clear_log(SLOT, 64, 64, some)), "0", "  CLEAR the second word");
	wants("3 4 5", "  of 64 pages");
	memset(some, 0xff, sizeof(some));
	is(errno_text(clear_log(SLOT, 0, PAGES, some)), "0", "  CLEAR with bits behind the end");
	wants("none", "  all");
	WRITE(129);
	is(errno_text(clear_log(SLOT, 128, 2, some)), "0", "  CLEAR the last word");
	wants("none", "  all");
	slot(0, 0, 0);

	is(errno_text(protect2(3)), "0", "KVM_DIRTY_LOG_INITIALLY_SET");
	slot(0, WORK_GPA, SIZE);
	WRITE(1, 2);
	slot(LOG, WORK_GPA, SIZE);
	must(get_log(SLOT, bits), "KVM_GET_DIRTY_LOG");
	ok(bits[0] == ~0ull && bits[1] == ~0ull && bits[2] == 3, "  all bits are set");
	WRITE(1, 100);
	is(errno_text(clear_log(SLOT, 0, PAGES, some)), "0", "  CLEAR all");
	wants("none", "  all are clear");
	WRITE(1, 2, 100);
	wants("1 2 100", "  writes after it");
	slot(0, 0, 0);
	is(errno_text(protect2(0)), "0", "manual no more");
}

/*
 * The race: a guest writes to pages at random, the program asks for the log and
 * copies what is in it. When the guest stops, one more look at the log must
 * make the copy complete.
 */
#define RACE_PAGES	64
#define WRITES		3000
#define BURSTS		5

GUEST64(scribble,
	"sti\n0: mov %esi, %ecx\n"
	"1: imul $1103515245, %ebx, %ebx; add $12345, %ebx; mov %ebx, %eax\n"
	"shr $16, %eax; and $63, %eax; shl $12, %eax\n"
	"inc %rdx; mov %rdx, (%rdi,%rax); dec %ecx; jnz 1b\n"
	"hlt; jmp 0b");

static bool stopped;

static void *burst(void *unused)
{
	int ret = vcpu_run_raw(c);

	(void)unused;
	if (ret || c->run->exit_reason != KVM_EXIT_HLT)
		diag("KVM_RUN: %d, exit reason %u", ret, c->run->exit_reason);
	__atomic_store_n(&stopped, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/*
 * A guest that writes to one page without end, on a CPU that has the page's
 * translation: what it writes after one look at the log is in the next. No VM
 * exit but the one that the look itself must cause helps here, which needs two
 * CPUs.
 */
#define LOOKS	100

GUEST64(count, "sti; 1: incq (%rdi); cmpb $0, (%rsi); je 1b; hlt");

static void test_translation(void)
{
	volatile u64 *counter = (u64 *)mem;
	int i, missing = 0;
	struct kvm_regs r;
	pthread_t thread;
	u64 seen;

	memset(mem, 0, SIZE);
	slot(LOG, WORK_GPA, SIZE);
	guest64(c, count);
	r = get_regs(c);
	r.rdi = WORK_GPA;
	r.rsi = gpa_of(1);
	set_regs(c, &r);
	if (pthread_create(&thread, NULL, burst, NULL))
		bail("no thread");
	for (i = 0; i < LOOKS; i++) {
		must(get_log(SLOT, bits), "KVM_GET_DIRTY_LOG");
		for (seen = *counter; *counter == seen;)
			;
		must(get_log(SLOT, bits), "KVM_GET_DIRTY_LOG");
		/* KVM does not wait until a vCPU has handed over its PML buffer. */
		if (!strcmp(vm.device, "/dev/kvm") && !(bits[0] & 1))
			must(get_log(SLOT, bits), "KVM_GET_DIRTY_LOG");
		missing += !(bits[0] & 1);
	}
	mem[PAGE_SIZE] = 1;
	pthread_join(thread, NULL);
	is_hex(missing, 0, "writes by a guest that runs, not in the log");
	slot(0, 0, 0);
}

/* Return: how many pages were copied. */
static int copy_dirty(u64 *copy, bool manual)
{
	u64 log = 0;
	int i, n = 0;

	must(get_log(SLOT, &log), "KVM_GET_DIRTY_LOG");
	if (manual && log)
		must(clear_log(SLOT, 0, RACE_PAGES, &log), "KVM_CLEAR_DIRTY_LOG");
	for (i = 0; i < RACE_PAGES; i++) {
		if (!(log & (1ull << i)))
			continue;
		copy[i] = *(volatile u64 *)(mem + i * PAGE_SIZE);
		n++;
	}
	return n;
}

static void test_race(bool manual)
{
	int i, n, lost = 0, asked = 0, copied = 0;
	u64 copy[RACE_PAGES] = { 0 };
	struct kvm_regs r;
	pthread_t thread;

	protect2(manual);
	memset(mem, 0, SIZE);
	slot(LOG, WORK_GPA, RACE_PAGES * PAGE_SIZE);
	guest64(c, scribble);
	r = get_regs(c);
	r.rdi = WORK_GPA;
	r.rsi = WRITES;
	r.rdx = 0;
	r.rbx = 1;
	set_regs(c, &r);
	for (n = 0; n < BURSTS; n++) {
		stopped = false;
		if (pthread_create(&thread, NULL, burst, NULL))
			bail("no thread");
		while (!__atomic_load_n(&stopped, __ATOMIC_SEQ_CST)) {
			copied += copy_dirty(copy, manual);
			asked++;
		}
		pthread_join(thread, NULL);
		copy_dirty(copy, manual);
		for (i = 0; i < RACE_PAGES; i++) {
			lost += copy[i] != *(u64 *)(mem + i * PAGE_SIZE);
			copy[i] = *(u64 *)(mem + i * PAGE_SIZE);
		}
	}
	ok(!lost, "race%s: %d writes are not in the log", manual ? ", manual" : "", lost);
	ok(asked > BURSTS && copied > BURSTS, "  the log was asked while the guest ran");
	diag("asked %d times, %d pages", asked, copied);
	slot(0, 0, 0);
	protect2(0);
}

int main(int argc, char **argv)
{
	worker_open(&vm, c, argc > 1 ? argv[1] : "/dev/kvm");
	mem = map_pages(NULL, SIZE);
	test_arguments();
	test_guest();
	test_flags();
	test_large();
	test_manual();
	/* These bring guests of their own. */
	test_kernel();
	test_tables();
	test_translation();
	test_race(false);
	test_race(true);
	return done_testing();
}
