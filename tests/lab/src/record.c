// SPDX-License-Identifier: GPL-2.0
/*
 * MINIVMM_TRACE: the ring of VM exits of a vCPU. KVM has none, and says so.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../../uapi/linux/minivmm.h"
#include "tap.h"
#include "vm.h"

#define REASON_EXTERNAL	1
#define REASON_CPUID	10
#define REASON_HLT	12
#define REASON_CR	28
#define REASON_IO	30
#define REASON_MSR_READ	31
#define REASON_EPT	48

#define NR		16
#define EVENT_GP	0x80000b0d	/* valid, error code, hardware exception 13 */

static struct vm vm;
static struct vcpu c;
static struct minivmm_trace *ring;

GUEST16(three, "mov $0x40000000, %eax; cpuid; mov $0x41, %al; out %al, $0x10; hlt; hlt");
GUEST16(control, "mov %cr0, %eax; and $0x9fffffff, %eax; mov %eax, %cr0; hlt");
GUEST64(bits64, "mov $0x12345, %ecx; rdmsr; nop; cpuid; hlt");
GUEST16(many, "mov $40, %esi; 1: xor %eax, %eax; cpuid; dec %esi; jnz 1b; hlt; hlt");

static const char *trace(unsigned long nr)
{
	return errno_text(ioctl(c.fd, MINIVMM_TRACE, nr));
}

static void *map(unsigned long page, size_t pages)
{
	void *at = mmap(NULL, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, c.fd,
			(off_t)(MINIVMM_TRACE_PAGE + page) * PAGE_SIZE);

	if (at == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return at;
}

/* The next record of this reason; what an interrupt of the host made is passed over. */
static struct minivmm_exit *next(u32 reason)
{
	static struct minivmm_exit copy;
	struct minivmm_exit *records = (void *)ring + PAGE_SIZE;

	while (ring->tail != atomic_load((_Atomic __u64 *)&ring->head)) {
		copy = records[ring->tail % ring->nr];
		atomic_store((_Atomic __u64 *)&ring->tail, ring->tail + 1);
		if (copy.reason == reason)
			return &copy;
		if (copy.reason != REASON_EXTERNAL && copy.reason != REASON_EPT)
			break;
	}
	memset(&copy, 0, sizeof(copy));
	return &copy;
}

/* Forget all records, also the one that no VM entry has ended yet. */
static void drain(void)
{
	trace(0);
	ring->tail = ring->head;
	trace(NR);
}

/* Would the program get SIGBUS there? A system call tells without one. */
static bool is_there(void *page)
{
	int pipes[2], ret;

	if (pipe(pipes))
		bail("pipe: %s", strerror(errno));
	ret = write(pipes[1], page, 1);
	close(pipes[0]);
	close(pipes[1]);
	return ret == 1;
}

static void test_refusals(void)
{
	is(trace(1), "EINVAL", "one record");
	is(trace(8), "EINVAL", "too few");
	is(trace(131072), "EINVAL", "too many");
	is(trace(48), "EINVAL", "not a power of two");
	is(trace(1UL << 40), "EINVAL", "nonsense");
	is(trace(0), "0", "stop what did not begin");
	ok(!is_there(map(0, 1)), "no ring, no page");
	is(trace(NR), "0", "a ring");
	is(trace(NR), "0", "again");
	is(trace(2 * NR), "EBUSY", "of another size");
	ring = map(0, 2);
	ok(is_there(ring) && is_there((void *)ring + PAGE_SIZE), "head and records");
	ok(!is_there(map(2, 1)), "and nothing behind");
	is_hex(ring->nr, NR, "how many records");
	is_hex(ring->size, sizeof(struct minivmm_exit), "how large");
	ok(ring->tsc_khz, "the rate of the TSC");
	ok(!ring->head && !ring->start && !ring->dropped, "nothing yet");
}

static void test_fields(void)
{
	struct minivmm_exit *e;
	u64 last;

	guest16(&c, three);
	is(vcpu_run(&c), "OUT port=10 size=1 count=1 data=41", "a guest runs");
	is(vcpu_run(&c), "HLT", "to its end");
	e = next(REASON_CPUID);
	ok(ring->start && ring->start < e->exit_tsc, "the first VM entry was before the exit");
	is_hex(e->rip, GUEST_CODE + 6, "CPUID: RIP");
	is_hex(e->next_rip, GUEST_CODE + 8, "CPUID: RIP after");
	is_hex(e->length, 2, "CPUID: length");
	ok(e->insn_bytes == 15 && !memcmp(e->insn, "\x0f\xa2\xb0\x41\xe6\x10\xf4", 7),
	   "CPUID: the code there");
	is_hex(e->regs[0], 0x40000000, "CPUID: RAX");
	ok(e->changed & 1 && e->changed & 8 && !(e->changed & 0xffd0), "CPUID: registers changed");
	ok(e->exit_tsc < e->entry_tsc && e->number, "CPUID: the VM entry came after the VM exit");
	is_hex(e->flags, 0, "CPUID: 16-bit code, handled in the kernel");
	is_hex(e->inject, 0, "CPUID: nothing injected");
	is_hex(e->cr0 & 1, 0, "CPUID: real mode");
	last = e->entry_tsc;

	e = next(REASON_IO);
	is_hex(e->qualification, 0x10 << 16 | 1 << 6, "OUT: qualification");
	is_hex(e->flags, MINIVMM_EXIT_TO_USER, "OUT: to user space");
	is_hex(e->user, KVM_EXIT_IO, "OUT: as this");
	ok(last < e->exit_tsc && e->exit_tsc < e->user_tsc && e->user_tsc < e->entry_tsc,
	   "OUT: exit, user space, entry");
	is_hex(e->changed, 0, "OUT: no register changed");

	is_hex(next(REASON_HLT)->rip, 0, "HLT: no VM entry followed");
	is(trace(0), "0", "no more");
	e = next(REASON_HLT);
	is_hex(e->insn[0], 0xf4, "HLT: now");
	is_hex(e->entry_tsc, 0, "HLT: no VM entry");
	is_hex(e->user, KVM_EXIT_HLT, "HLT: for user space");
	is(vcpu_run(&c), "HLT", "it goes on behind");
	is_hex(next(REASON_IO)->rip, 0, "nothing is recorded now");
	is(trace(NR), "0", "on again");
}

static void test_changes(void)
{
	struct minivmm_exit *e;

	guest16(&c, control);
	is(vcpu_run(&c), "HLT", "a guest changes CR0");
	e = next(REASON_CR);
	is_hex(e->next_cr0 ^ e->cr0, CR0_CD | CR0_NW, "CR0 before and after");
	drain();

	guest64(&c, bits64);
	is(vcpu_run(&c), "trap 13 error=0 at +5", "a guest reads an MSR that is none");
	e = next(REASON_MSR_READ);
	is_hex(e->flags, MINIVMM_EXIT_CODE64, "64-bit code");
	is_hex(e->regs[1], 0x12345, "RCX");
	is_hex(e->inject, EVENT_GP, "#GP is injected");
	is_hex(e->inject_error, 0, "its error code");
	is_hex(e->next_rip, e->rip, "at the instruction");
	ok(e->insn_bytes == 15 && !memcmp(e->insn, "\x0f\x32\x90\x0f\xa2", 5), "the code there");
	ok(e->efer & EFER_LMA && e->cr0 & CR0_PG && e->cr3 == GUEST_PML4, "its mode");
	drain();
}

static void test_full(void)
{
	u64 before = ring->head;

	guest16(&c, many);
	is(vcpu_run(&c), "HLT", "more VM exits than the ring holds");
	trace(0);
	is_hex(ring->head - before, NR, "it is full");
	ok(ring->dropped >= 41 - NR, "the others are counted");
	trace(NR);

	/* Tails that cannot be: the module looks at its own head. */
	before = ring->dropped;
	ring->tail = ring->head + 1000000;
	guest16(&c, many);
	is(vcpu_run(&c), "HLT", "with a tail before the head");
	ok(ring->dropped >= before + 40, "nothing is recorded");
	ring->tail = 0;
	ring->head = ~0ULL;
	ring->nr = ~0U;
	is(vcpu_run(&c), "HLT", "with a head and a size that are lies");
	guest16(&c, many);
	is(vcpu_run(&c), "HLT", "and again");
	ring->nr = NR;
	munmap(ring, 2 * PAGE_SIZE);
	ring = map(0, 2);
}

int main(int argc, char *argv[])
{
	const char *device = argc > 1 ? argv[1] : "/dev/minivmm";

	vm_open(&vm, device, 2 << 20);
	vcpu_open(&c, &vm, 0);
	if (!strcmp(device, "/dev/kvm")) {
		is(trace(NR), "EINVAL", "KVM has no such call");
	} else {
		test_refusals();
		test_fields();
		test_changes();
		test_full();
	}
	vcpu_close(&c);
	vm_close(&vm);
	return done_testing();
}
