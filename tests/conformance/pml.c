// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log where it is more than the CPU can keep by itself: the buffer of
 * page-modification logging has 512 entries, and each vCPU has its own. What is
 * asked here holds without it, too.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "worker.h"

#define SLOT	1
#define BUFFER	512
#define PAGES	1100		/* two buffers, and some */
#define WORDS	((PAGES + 63) / 64)
#define LOG	KVM_MEM_LOG_DIRTY_PAGES
#define AWAY	(WORK_GPA + (64ull << 20))
#define LINE	(PAGE_SIZE / sizeof(u64))

static struct vm vm;
static struct vcpu cpus[2], *c = &cpus[0];
static volatile u64 *mem;	/* vCPU n counts in word n of each page */

static void slot(u32 flags, u64 gpa, u64 size)
{
	if (vm_slot(&vm, SLOT, flags, gpa, size, size ? (void *)mem : NULL))
		bail("memory: %s", errno_name(errno));
}

static void get_log(u32 n, u64 *to)
{
	struct kvm_dirty_log log = { .slot = n, .dirty_bitmap = to };

	if (ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log))
		bail("KVM_GET_DIRTY_LOG: %s", errno_name(errno));
}

static int dirty_pages(u32 n)
{
	static u64 log[WORK_GPA / PAGE_SIZE / 64];
	int i, pages = 0;

	memset(log, 0, sizeof(log));
	get_log(n, log);
	for (i = 0; i < (int)ARRAY_SIZE(log); i++)
		pages += __builtin_popcountll(log[i]);
	return pages;
}

/* Is the parameter on, which both modules have? */
static bool parameter(const char *name)
{
	char path[80];
	FILE *f;
	int value;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s",
		 strstr(vm.device, "minivmm") ? "minivmm" : "kvm_intel", name);
	f = fopen(path, "r");
	value = f ? getc(f) : 0;
	if (f)
		fclose(f);
	if (value != 'Y' && value != 'N')
		bail("%s cannot be read", path);
	return value == 'Y';
}

/*
 * RDX times over RSI pages from RDI on. STI, for Bochs lets no interrupt of the host
 * end a guest that has IF = 0.
 */
GUEST64(sweep,
	"sti\n"
	"0: mov %rsi, %rcx; mov %rdi, %rbx\n"
	"1: addq $1, (%rbx); add $4096, %rbx; dec %rcx; jnz 1b\n"
	"dec %rdx; jnz 0b; hlt");

static void prepare(struct vcpu *v, u64 sweeps)
{
	struct kvm_regs r = get_regs(v);

	r.rip = GUEST_CODE;
	r.rdi = WORK_GPA + 8 * (v - cpus);
	r.rsi = PAGES;
	r.rdx = sweeps;
	set_regs(v, &r);
}

static void *runs(void *arg)
{
	struct vcpu *v = arg;
	int ret;

	do
		ret = vcpu_run_raw(v);
	while (ret == -EINTR);
	if (ret)
		diag("KVM_RUN: %s", errno_name(-ret));
	return NULL;
}

static pthread_t start(struct vcpu *v)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, runs, v))
		bail("no thread");
	return thread;
}

/* More pages than the buffer has, without a look at the log in between */
static void test_many(bool logs)
{
	long long before, full;

	slot(LOG, WORK_GPA, PAGES * PAGE_SIZE);
	prepare(c, 1);
	is(vcpu_run(c), "HLT", "the guest writes to %d pages", PAGES);
	is_hex(dirty_pages(SLOT), PAGES, "  all are in the log");
	is_hex(dirty_pages(SLOT), 0, "  once");
	prepare(c, 3);
	before = faults(c);
	full = vcpu_stat(c, "exit_pml_full");
	is(vcpu_run(c), "HLT", "again");
	before = faults(c) - before;
	is_hex(dirty_pages(SLOT), PAGES, "  all are in the log");
	ok(logs ? before < 8 : before >= PAGES,
	   "  the CPU logged each first write, or without that it faulted");
	if (full >= 0)
		full = vcpu_stat(c, "exit_pml_full") - full;
	diag("%lld EPT violations, the buffer was full %lld times", before, full);
	/* KVM does not count these. A thread that has to give its CPU away empties it. */
	ok(full < 0 || (full <= PAGES / BUFFER && !full == !logs), "  in full buffers");
	slot(0, 0, 0);
}

static u64 copy[PAGES * 2];

/* Return: how many pages the log had. */
static int copy_dirty(void)
{
	u64 log[WORDS] = { 0 };
	int i, n = 0;

	get_log(SLOT, log);
	for (i = 0; i < PAGES; i++) {
		if (!(log[i / 64] >> (i % 64) & 1))
			continue;
		copy[2 * i] = mem[i * LINE];
		copy[2 * i + 1] = mem[i * LINE + 1];
		n++;
	}
	return n;
}

/* Return: pages that are not as they were copied. */
static int stale(void)
{
	int i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += copy[2 * i] != mem[i * LINE] || copy[2 * i + 1] != mem[i * LINE + 1];
	return n;
}

/* Two vCPUs write to the same pages while the program copies what the log has. */
#define SWEEPS	60

static void test_two(void)
{
	int i, looks = 0, copied = 0, early = 0;
	pthread_t thread[2];
	u64 sum[2] = { 0 };

	slot(LOG, WORK_GPA, PAGES * PAGE_SIZE);
	for (i = 0; i < 2; i++) {
		prepare(&cpus[i], SWEEPS);
		thread[i] = start(&cpus[i]);
	}
	do {
		copied += copy_dirty();
		looks++;
		for (i = 0; i < 2; i++)
			sum[i] = mem[(PAGES - 1) * LINE + i];
	} while (looks < 10000 && sum[0] + sum[1] < 2 * SWEEPS);
	early = looks;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	copy_dirty();
	is_hex(stale(), 0, "two vCPUs: what was written is in the log");
	ok(early > 2 && copied > PAGES, "  it was asked while they ran");
	diag("asked %d times, %d pages", looks, copied);
	for (i = 0; i < PAGES; i++)
		if (mem[i * LINE] != SWEEPS || mem[i * LINE + 1] != SWEEPS)
			break;
	is_hex(i, PAGES, "  each page was written to by both");
	for (i = 0; i < 2 * PAGES; i++)
		mem[i / 2 * LINE + i % 2] = 0;
	slot(0, 0, 0);
}

/*
 * A slot that logs goes away under a guest that writes to it without end. Its log
 * moves with it, and has what was written until then. A slot that comes to the
 * place of one that was deleted has nothing of its log.
 */
static void test_changes(void)
{
	const struct kvm_regs elsewhere = {
		.rip = GUEST_CODE, .rflags = 2, .rdi = GUEST_DATA, .rsi = 1, .rdx = 1,
	};
	int i, lost = 0, left = 0, wrong = 0;
	pthread_t thread;
	u64 seen;

	for (i = 0; i < 20; i++) {
		slot(LOG, WORK_GPA, PAGES * PAGE_SIZE);
		prepare(c, ~0ull);
		thread = start(c);
		while (mem[(PAGES - 1) * LINE] < 2)
			;
		copy_dirty();
		for (seen = mem[0]; mem[0] == seen;)
			;
		slot(i % 2 ? 0 : LOG, i % 2 ? 0 : AWAY, i % 2 ? 0 : PAGES * PAGE_SIZE);
		if (!(i % 2)) {
			copy_dirty();
			lost += stale();
		}
		pthread_join(thread, NULL);
		wrong += c->run->exit_reason != KVM_EXIT_MMIO;
		/* The instruction read there, and would write. */
		c->run->immediate_exit = 1;
		vcpu_run_raw(c);
		vcpu_run_raw(c);
		c->run->immediate_exit = 0;
		if (i % 2) {
			slot(LOG, WORK_GPA, PAGES * PAGE_SIZE);
			/* Into the guest and back, on another page */
			set_regs(c, &elsewhere);
			wrong += strcmp(vcpu_run(c), "HLT") != 0;
			left += dirty_pages(SLOT);
		}
		slot(0, 0, 0);
		for (seen = 0; seen < PAGES; seen++)
			mem[seen * LINE] = 0;
	}
	is_hex(wrong, 0, "a slot goes while the guest writes: it exits");
	is_hex(lost, 0, "  moved: what was written is in the log");
	is_hex(left, 0, "  deleted: another slot there has an empty log");
}

/*
 * Of two NMIs the IRET of the first one's handler needs the 513th entry. It has
 * ended the blocking of NMIs when the CPU finds the buffer full, and is executed
 * again: the second NMI, which waits, must wait on. The delivery of the second may
 * be what needs that entry, which in Bochs has not been seen: it must not get lost.
 *
 * The IRET writes no page but the page table of its stack: the stack is used by
 * another address than before, which has a table of its own. The delivery writes
 * to the stack that the IRET loads, on a page of its own. How many entries the rest
 * takes is tried out first.
 */
#define SPARE_PD	(GUEST_DATA + PAGE_SIZE)
#define FRAMES		GUEST_DATA
#define ALIAS		0x40000000ull
#define LABEL(name)	extern const char name[]
#define STACK		(WORK_GPA + PAGES * PAGE_SIZE)

GUEST64(nmis,
	"hlt\n"
	"nmis_handler: mov (%rsp), %rax; mov %rax, (%r12); add $8, %r12\n"
	/* IRET reads the GDT, and Bochs exits for any walk of the EPT. */
	"mov 0x3000, %eax\n"
	"mov %rsi, %rcx; mov %rdi, %rbx\n"
	"2: jrcxz 3f; incq (%rbx); add $4096, %rbx; dec %rcx; jmp 2b\n"
	"3: xor %esi, %esi; mov %r14, 24(%rsp); add %r13, %rsp; nmis_iret: iretq");
LABEL(nmis_handler);
LABEL(nmis_iret);

static void two_nmis(int pages)
{
	struct kvm_regs r;
	int i;

	guest64(c, nmis);
	guest_gate(c, 2, GUEST_CODE + nmis_handler - nmis, 0);
	*(u64 *)(vm.mem + GUEST_PDPT + 8) = SPARE_PD | 7;
	for (i = 0; i < 16; i++)
		*(u64 *)(vm.mem + SPARE_PD + 8 * i) = (u64)i << 21 | 0xe7;
	r = get_regs(c);
	r.rdi = WORK_GPA;
	r.rsi = pages;
	r.r12 = FRAMES;
	r.r13 = ALIAS;
	r.r14 = STACK;
	set_regs(c, &r);
	/* All pages are there and clean. */
	for (i = 0; i < PAGES; i++)
		mem[i * LINE + 1] = 0;
	dirty_pages(0);
	dirty_pages(SLOT);
	for (i = 0; i < 2; i++)
		if (ioctl(c->fd, KVM_NMI))
			bail("KVM_NMI: %s", errno_name(errno));
}

static void test_nmi(bool logs)
{
	const u64 iret = GUEST_CODE + nmis_iret - nmis;
	int i, others, tried = 0, wrong = 0, early = 0, lost = 0;
	long long full = -1;
	u64 *frame = (u64 *)(vm.mem + FRAMES);

	slot(LOG, WORK_GPA, PAGES * PAGE_SIZE);
	guest64(c, sweep);
	prepare(c, 1);
	is(vcpu_run(c), "HLT", "all pages are there");
	if (vm_slot(&vm, 0, LOG, 0, vm.size, vm.mem))
		bail("slot 0: %s", errno_name(errno));
	two_nmis(0);
	is(vcpu_run(c), "HLT", "two NMIs");
	two_nmis(0);
	is(vcpu_run(c), "HLT", "  again");
	others = dirty_pages(0);
	diag("%d pages beside", others);
	/* Around what was found: the exit can be for another entry of these. */
	for (i = BUFFER - others - 4; i <= BUFFER; i++) {
		two_nmis(i);
		full = vcpu_stat(c, "exit_pml_full");
		if (strcmp(vcpu_run(c), "HLT"))
			wrong++;
		if (full >= 0 && vcpu_stat(c, "exit_pml_full") != full)
			tried++;
		early += frame[1] == iret;
		lost += !frame[1];
	}
	is_hex(wrong, 0, "  with a full buffer");
	is_hex(early, 0, "  the second comes behind the IRET of the first");
	is_hex(lost, 0, "  none is lost");
	/* KVM does not count these exits. */
	ok(full < 0 || !tried == !logs, "  the buffer was full");
	diag("in %d of %d", tried, others + 5);
	if (vm_slot(&vm, 0, 0, 0, vm.size, vm.mem))
		bail("slot 0: %s", errno_name(errno));
	slot(0, 0, 0);
}

int main(int argc, char **argv)
{
	bool logs;

	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	worker_open(&vm, c, argv[1]);
	watchdog(120);
	logs = parameter("pml");
	mem = map_pages(NULL, PAGES * PAGE_SIZE);
	vcpu_open(&cpus[1], &vm, 1);
	guest64(&cpus[1], sweep);
	guest64(c, sweep);
	test_many(logs);
	memset((void *)mem, 0, PAGES * PAGE_SIZE);
	test_two();
	test_changes();
	test_nmi(logs);
	return done_testing();
}
