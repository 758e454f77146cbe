// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_REGISTER_COALESCED_MMIO: writes to a zone wait in a ring until user space
 * comes by.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "tap.h"
#include "vm.h"

#define DEVICE	0x8000000ull
#define MAX	((PAGE_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) / \
		 sizeof(struct kvm_coalesced_mmio))

static struct vm vm;
static struct vcpu cpu, *c = &cpu;
static struct kvm_coalesced_mmio_ring *ring;

static int zone(bool add, u64 addr, u32 size, u32 pio)
{
	struct kvm_coalesced_mmio_zone z = { .addr = addr, .size = size, .pio = pio };

	return ioctl(vm.fd, add ? KVM_REGISTER_COALESCED_MMIO :
		     KVM_UNREGISTER_COALESCED_MMIO, &z);
}

/* The next entry of the ring as text. */
static const char *next(struct kvm_coalesced_mmio_ring *r)
{
	static char text[80];
	struct kvm_coalesced_mmio *e = &r->coalesced_mmio[r->first];
	u64 data = 0;

	if (r->first == r->last)
		return "none";
	memcpy(&data, e->data, e->len <= 8 ? e->len : 8);
	snprintf(text, sizeof(text), "%s %#llx size=%u data=%#llx", e->pio ? "port" : "memory",
		 (unsigned long long)e->phys_addr, e->len, (unsigned long long)data);
	r->first = (r->first + 1) % MAX;
	return text;
}

GUEST64(stores, "mov $0x8000000, %edi; movabs $0x1122334455667788, %rax\n"
	"mov %al, (%rdi); mov %ax, 16(%rdi); mov %eax, 32(%rdi); mov %rax, 0xff8(%rdi)\n"
	"mov (%rdi), %eax; mov %eax, 0xffe(%rdi); mov %eax, -2(%rdi); hlt");
GUEST64(wide, "mov $0x8000000, %edi; movaps (%rsi), %xmm0; movaps %xmm0, (%rdi); hlt");
GUEST64(ports, "mov $0x10, %dx; mov $0x12345678, %eax; out %al, %dx; out %eax, %dx\n"
	"mov $0xb000, %esi; mov $2, %ecx; rep outsw; in %dx, %al; hlt");
GUEST64(fill, "mov $0x8000000, %edi; 1: inc %eax; mov %eax, (%rdi); jmp 1b");

static void test_arguments(void)
{
	int i;

	is_hex(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO), 2,
	       "KVM_CAP_COALESCED_MMIO");
	is_hex(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_PIO), 1,
	       "KVM_CAP_COALESCED_PIO");
	is(errno_text(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, 0xffff888000000000)), "EFAULT",
	   "no structure");
	is(errno_text(zone(true, DEVICE, 4096, 2)), "EINVAL", "register, neither memory nor ports");
	is(errno_text(zone(false, DEVICE, 4096, 2)), "EINVAL", "unregister, the same");
	is(errno_text(zone(false, DEVICE, 4096, 0)), "0", "unregister what is not there");
	is(errno_text(zone(true, DEVICE, 0, 0)), "0", "a zone of no bytes");
	is(errno_text(zone(true, -8ull, 16, 0)), "0", "a zone that wraps");
	is(errno_text(zone(false, DEVICE, 0, 0)), "0", "unregister the first");
	for (i = 0; i < 2000 && !zone(true, 0x1000 + i, 1, 1); i++)
		;
	is_hex(i, 1000, "zones of ports");
	is(errno_text(zone(true, 0, 1, 1)), "ENOSPC", "  and one more");
	for (i = 0; i < 1000; i++)
		zone(false, 0x1000 + i, 1, 1);
	is(errno_text(zone(true, 0, 1, 1)), "0", "  without them");
	zone(false, 0, 1, 1);
}

static void test_memory(void)
{
	struct vcpu other;

	zone(true, DEVICE, 4096, 0);
	guest64(c, stores);
	is(vcpu_run(c), "MMIO read 0x8000000 size=4",
	   "stores to the zone do not exit, a load does");
	is(next(ring), "memory 0x8000000 size=1 data=0x88", "  one byte");
	is(next(ring), "memory 0x8000010 size=2 data=0x7788", "  two");
	is(next(ring), "memory 0x8000020 size=4 data=0x55667788", "  four");
	is(next(ring), "memory 0x8000ff8 size=8 data=0x1122334455667788", "  eight, at its end");
	is(next(ring), "none", "  that is all");
	c->run->mmio.data[0] = 1;
	memset(c->run->mmio.data, 0, 8);
	is(vcpu_run(c), "MMIO write 0x8001000 size=2", "half inside: the other half exits");
	is(next(ring), "memory 0x8000ffe size=2 data=0", "  the half is there");
	is(vcpu_run(c), "MMIO write 0x7fffffe size=2", "the other way round");
	is(vcpu_run(c), "HLT", "  the second half is coalesced");
	is(next(ring), "memory 0x8000000 size=2 data=0", "  and there");

	guest64(c, wide);
	is(vcpu_run(c), "HLT", "16 bytes");
	is(next(ring), "memory 0x8000000 size=8 data=0", "  in two entries");
	is(next(ring), "memory 0x8000008 size=8 data=0", "  of eight bytes");

	vcpu_open(&other, &vm, 1);
	guest64(&other, stores);
	vcpu_run(&other);
	ok(!memcmp((u8 *)other.run + 2 * PAGE_SIZE, ring, PAGE_SIZE),
	   "a second vCPU has the same ring");
	is(next(ring), "memory 0x8000000 size=1 data=0x88", "  where the first finds its writes");
	vcpu_close(&other);
	ring->first = ring->last;

	is(errno_text(zone(false, DEVICE - 4, 4096, 0)), "0", "unregister not all inside");
	guest64(c, wide);
	is(vcpu_run(c), "HLT", "  leaves it");
	ring->first = ring->last;
	is(errno_text(zone(false, DEVICE + 4, 4, 0)), "0", "unregister a part inside");
	guest64(c, wide);
	is(vcpu_run(c), "MMIO write 0x8000000 size=8", "  ends it");
}

static void test_ports(void)
{
	zone(true, 0x10, 4, 1);
	guest64(c, ports);
	is(vcpu_run(c), "IN port=10 size=1 count=1", "OUT does not exit, IN does");
	is(next(ring), "port 0x10 size=1 data=0x78", "  one byte");
	is(next(ring), "port 0x10 size=4 data=0x12345678", "  four");
	is(next(ring), "port 0x10 size=2 data=0", "  OUTS");
	is(next(ring), "port 0x10 size=2 data=0", "  OUTS");
	is(next(ring), "none", "  that is all");
	is_hex(get_regs(c).rcx, 0, "  RCX");
	zone(false, 0x10, 4, 0);
	guest64(c, ports);
	is(vcpu_run(c), "IN port=10 size=1 count=1", "unregister memory there: it stays");
	ring->first = ring->last;
	zone(false, 0x10, 4, 1);
	zone(true, 0x10, 3, 1);
	guest64(c, ports);
	is(vcpu_run(c), "OUT port=10 size=4 count=1 data=78563412",
	   "one port less: four bytes exit");
	ring->first = ring->last;
	zone(false, 0x10, 1, 1);
}

/* KVM of Linux 6.1 calls the ring full earlier than it is. */
static void test_full(void)
{
	u64 expected = 1;
	int n = 0, round, bad = 0;
	u64 data;

	zone(true, DEVICE, 4096, 0);
	guest64(c, fill);
	for (round = 0; round < 5; round++) {
		if (strcmp(vcpu_run(c), "MMIO write 0x8000000 size=4"))
			bad++;
		for (; ring->first != ring->last; n++, expected++) {
			data = 0;
			memcpy(&data, ring->coalesced_mmio[ring->first].data, 4);
			bad += data != expected;
			ring->first = (ring->first + 1) % MAX;
		}
		data = 0;
		memcpy(&data, c->run->mmio.data, 4);
		bad += data != expected++;
	}
	ok(!bad, "full, five times: in order, and nothing is lost");
	ok(n >= 5 * 85 - 5 && n <= 5 * (int)(MAX - 1), "  about as many as there is room for");
	diag("%d of %d", n, 5 * (int)(MAX - 1));

	ring->last = MAX;
	is(vcpu_run(c), "MMIO write 0x8000000 size=4", "an end behind the ring");
	ring->last = -1;
	is(vcpu_run(c), "MMIO write 0x8000000 size=4", "an end far behind it");
	is_hex(ring->last, -1u, "  is left alone");
	ring->last = 0;
	ring->first = 1;
	is(vcpu_run(c), "MMIO write 0x8000000 size=4", "full at the wrap");
	is_hex(ring->last, 0, "  nothing is added");
	ring->first = 0;
	zone(false, DEVICE, 4, 0);
}

static void test_both(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	struct kvm_ioeventfd args = { .fd = fd, .addr = DEVICE, .len = 1 };
	u64 n = 0;

	zone(true, DEVICE, 4096, 0);
	is(errno_text(ioctl(vm.fd, KVM_IOEVENTFD, &args)), "0", "an eventfd in a zone");
	guest64(c, stores);
	is(vcpu_run(c), "MMIO read 0x8000000 size=4", "stores");
	ok(read(fd, &n, 8) == 8 && n == 1, "  the eventfd comes first");
	is(next(ring), "memory 0x8000010 size=2 data=0x7788",
	   "  and what it does not hear is in the ring");
}

static void test_mmu_pages(void)
{
	is_hex(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_MMU_SHADOW_CACHE_CONTROL), 1,
	       "KVM_CAP_MMU_SHADOW_CACHE_CONTROL");
	is(errno_text(ioctl(vm.fd, KVM_SET_NR_MMU_PAGES, 63)), "EINVAL", "SET 63 pages");
	is(errno_text(ioctl(vm.fd, KVM_SET_NR_MMU_PAGES, 64)), "0", "SET 64 pages");
	is_hex(ioctl(vm.fd, KVM_GET_NR_MMU_PAGES, 0), 64, "GET");
	is(errno_text(ioctl(vm.fd, KVM_SET_NR_MMU_PAGES, 1000)), "0", "SET 1000 pages");
	is_hex(ioctl(vm.fd, KVM_GET_NR_MMU_PAGES, 0), 1000, "GET");
}

int main(int argc, char **argv)
{
	vm_open(&vm, argc > 1 ? argv[1] : "/dev/kvm", 2 << 20);
	vcpu_open(c, &vm, 0);
	ring = (void *)((u8 *)c->run + 2 * PAGE_SIZE);
	test_arguments();
	test_memory();
	test_ports();
	test_full();
	test_both();
	test_mmu_pages();
	return done_testing();
}
