// SPDX-License-Identifier: GPL-2.0
/* KVM_IOEVENTFD: a write to a device signals an eventfd, and does not exit. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

#define PIO	KVM_IOEVENTFD_FLAG_PIO
#define MATCH	KVM_IOEVENTFD_FLAG_DATAMATCH
#define OUT	KVM_IOEVENTFD_FLAG_DEASSIGN
#define CCW	KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY
#define DEVICE	0x8000000ull

static struct vm vm;
static struct vcpu cpu, *c = &cpu;

static int io(int fd, u64 addr, u32 len, u32 flags, u64 data)
{
	struct kvm_ioeventfd args = {
		.fd = fd, .addr = addr, .len = len, .flags = flags, .datamatch = data,
	};

	return ioctl(vm.fd, KVM_IOEVENTFD, &args);
}

static int event(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		bail("eventfd: %s", strerror(errno));
	return fd;
}

/* How often was it signalled since the last look? */
static u64 count(int fd)
{
	u64 n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void want(int ret, const char *errno_wanted, const char *name)
{
	is(errno_text(ret), errno_wanted, "%s", name);
}

static void test_arguments(void)
{
	int a = event(), b = event(), null = open("/dev/null", O_RDWR);

	is_hex(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD), 1, "KVM_CAP_IOEVENTFD");
	is_hex(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD_NO_LENGTH), 1, "NO_LENGTH");
	is_hex(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD_ANY_LENGTH), 1, "ANY_LENGTH");
	want(ioctl(vm.fd, KVM_IOEVENTFD, 0xffff888000000000), "EFAULT", "no structure");
	want(io(a, 0x10, 3, PIO, 0), "EINVAL", "length 3");
	want(io(a, 0x10, 16, PIO, 0), "EINVAL", "length 16");
	want(io(a, -4ull, 8, 0, 0), "EINVAL", "an address that wraps");
	want(io(a, 0x10, 1, 32, 0), "EINVAL", "an unknown flag");
	want(io(a, 0x10, 0, PIO | MATCH, 0), "EINVAL", "length 0 with data");
	want(io(-1, 0x10, 1, PIO, 0), "EBADF", "no descriptor");
	want(io(null, 0x10, 1, PIO, 0), "EINVAL", "a descriptor that is no eventfd");
	want(io(-1, 0x10, 3, PIO, 0), "EINVAL", "no descriptor, and length 3");
	want(io(-1, 0x10, 3, PIO | OUT, 0), "EBADF", "out: no descriptor, and length 3");
	want(io(null, 0x10, 1, PIO | OUT, 0), "EINVAL", "out: no eventfd");
	want(io(a, 0x10, 1, PIO | OUT, 0), "ENOENT", "out: nothing is there");

	want(io(a, 0x10, 1, PIO, 0), "0", "a port");
	want(io(a, 0x10, 1, PIO, 0), "EEXIST", "again");
	want(io(b, 0x10, 1, PIO, 0), "EEXIST", "another eventfd");
	want(io(b, 0x10, 1, PIO | MATCH, 5), "EEXIST", "with data, where one has none");
	want(io(b, 0x10, 0, PIO, 0), "EEXIST", "length 0, where one has a length");
	want(io(b, 0x10, 2, PIO, 0), "0", "another length");
	want(io(b, 0x10, 1, 0, 0), "0", "the same address, MMIO");
	want(io(b, 0x11, 1, PIO | MATCH, 5), "0", "the next port, with data");
	want(io(b, 0x11, 1, PIO | MATCH, 5), "EEXIST", "the same data");
	want(io(b, 0x11, 1, PIO, 0), "EEXIST", "any data");
	want(io(a, 0x11, 1, PIO | MATCH, 6), "0", "other data");
	want(io(a, 0x12, 0, PIO, 0), "0", "length 0");
	want(io(a, 0x12, 4, PIO, 0), "EEXIST", "length 4 where one has 0");
	want(io(a, 0x20, 1, CCW, 0), "0", "s390's bus");
	want(io(a, 0x20, 1, CCW, 0), "EEXIST", "  again");

	want(io(b, 0x10, 1, PIO | OUT, 0), "ENOENT", "out: another eventfd");
	want(io(a, 0x10, 2, PIO | OUT, 0), "ENOENT", "out: another length");
	want(io(a, 0x10, 1, PIO | OUT | MATCH, 0), "ENOENT", "out: with data");
	want(io(a, 0x10, 1, OUT, 0), "ENOENT", "out: MMIO");
	want(io(a, 0x11, 1, PIO | OUT | MATCH, 5), "ENOENT", "out: other data");
	want(io(a, 0x10, 1, PIO | OUT, 7), "0", "out: data that nobody asked for");
	want(io(a, 0x10, 1, PIO | OUT, 0), "ENOENT", "out: again");
	want(io(b, 0x10, 2, PIO | OUT, 0), "0", "out: the one of length 2");
	want(io(b, 0x10, 1, OUT | 32, 0), "0", "out: MMIO, with an unknown flag");
	want(io(b, 0x11, 1, PIO | OUT | MATCH, 5), "0", "out: data 5");
	want(io(a, 0x11, 1, PIO | OUT | MATCH, 6), "0", "out: data 6");
	want(io(a, 0x12, 0, PIO | OUT, 0), "0", "out: length 0");
	want(io(a, 0x20, 1, CCW | OUT, 0), "0", "out: s390's");
	close(a);
	close(b);
	close(null);
}

GUEST64(outs, "mov $0x10, %dx; mov $0x12345678, %eax\n"
	"out %al, %dx; out %ax, %dx; out %eax, %dx; in %dx, %al; hlt");
GUEST64(out_strings, "mov $0x10, %dx; mov $0xb000, %esi; mov $3, %ecx; rep outsb; outsl; hlt");

static void test_ports(void)
{
	int a = event(), b = event();

	io(a, 0x10, 1, PIO, 0);
	guest64(c, outs);
	is(vcpu_run(c), "OUT port=10 size=2 count=1 data=7856", "one byte listens: two exit");
	is_hex(count(a), 1, "  signalled");
	io(b, 0x10, 4, PIO | MATCH, 0x12345678);
	is(vcpu_run(c), "IN port=10 size=1 count=1", "  four bytes, the right data; IN exits");
	is_hex(count(b), 1, "  signalled");
	is_hex(count(a), 0, "  that one alone");
	is(vcpu_run(c), "HLT", "  and on");
	io(b, 0x10, 4, PIO | MATCH | OUT, 0x12345678);
	io(b, 0x10, 4, PIO | MATCH, 0x12345679);
	io(b, 0x10, 4, PIO | MATCH, 0x112345678);
	io(a, 0x10, 2, PIO | MATCH, 0x5678);
	guest64(c, outs);
	is(vcpu_run(c), "OUT port=10 size=4 count=1 data=78563412", "the wrong data exits");
	is_hex(count(a), 2, "  the one and two bytes are signalled");
	is_hex(count(b), 0, "  the four are not");
	io(a, 0x10, 1, PIO | OUT, 0);
	io(a, 0x10, 2, PIO | MATCH | OUT, 0x5678);
	io(b, 0x10, 4, PIO | MATCH | OUT, 0x12345679);
	io(b, 0x10, 4, PIO | MATCH | OUT, 0x112345678);
	guest64(c, outs);
	is(vcpu_run(c), "OUT port=10 size=1 count=1 data=78", "nobody listens any more");
	io(a, 0x10, 0, PIO, 0);
	guest64(c, outs);
	is(vcpu_run(c), "IN port=10 size=1 count=1", "any length");
	is_hex(count(a), 3, "  three times");
	guest64(c, out_strings);
	is(vcpu_run(c), "HLT", "OUTS");
	is_hex(count(a), 4, "  each element");
	is_hex(get_regs(c).rsi, 0xb007, "  RSI");
	is_hex(get_regs(c).rcx, 0, "  RCX");
	close(a);
	guest64(c, outs);
	is(vcpu_run(c), "IN port=10 size=1 count=1", "the eventfd is closed: nothing changes");
	a = event();
	is(errno_text(io(a, 0x10, 0, PIO | OUT, 0)), "ENOENT", "  and it cannot be taken out");
	close(a);
	close(b);
}

GUEST64(stores, "mov $0x8000000, %edi; movabs $0x1122334455667788, %rax\n"
	"mov %al, (%rdi); mov %ax, (%rdi); mov %eax, (%rdi); mov %rax, (%rdi)\n"
	"mov $3, %ecx; rep stosb; hlt");
GUEST64(lengths, "mov $0x8000000, %edi\n"
	"mov %al, (%rdi); mov %ax, (%rdi); mov %eax, (%rdi); mov %rax, (%rdi); hlt");
GUEST64(wide, "mov $0x8000000, %edi; movups (%rsp), %xmm0; movups %xmm0, (%rdi)\n"
	"movq $-1, 0xffc(%rdi); addl $1, 0x100(%rdi); hlt");

static void test_memory(void)
{
	int a = event(), b = event();

	io(a, DEVICE, 1, 0, 0);
	io(b, DEVICE, 8, MATCH, 0x1122334455667788);
	guest64(c, stores);
	is(vcpu_run(c), "MMIO write 0x8000000 size=2", "MMIO, one byte listens: two exit");
	is(vcpu_run(c), "MMIO write 0x8000000 size=4", "  so do four");
	is_hex(count(a), 1, "  signalled");
	is(vcpu_run(c), "MMIO write 0x8000001 size=1",
	   "  eight and STOS signal; the next address exits");
	is_hex(count(b), 1, "  the eight");
	is_hex(count(a), 1, "  the first element");
	io(a, DEVICE, 1, OUT, 0);
	io(b, DEVICE, 8, MATCH | OUT, 0x1122334455667788);

	io(a, DEVICE + 8, 8, 0, 0);
	io(b, DEVICE + 0x1000, 4, 0, 0);
	guest64(c, wide);
	is(vcpu_run(c), "MMIO write 0x8000000 size=8",
	   "16 bytes, the upper half listens: KVM sees the lower first");
	is(vcpu_run(c), "MMIO write 0x8000008 size=8", "  and then all the rest exits");
	is_hex(count(a), 0, "  without a signal");
	is(vcpu_run(c), "MMIO write 0x8000ffc size=4", "across pages, the second part listens");
	is_hex(count(b), 1, "  signalled");
	is(vcpu_run(c), "MMIO read 0x8000100 size=4", "  and on");
	io(a, DEVICE, 8, 0, 0);
	guest64(c, wide);
	is(vcpu_run(c), "MMIO write 0x8000ffc size=4", "16 bytes, both halves listen");
	is_hex(count(a), 2, "  two signals");
	io(a, DEVICE + 8, 8, OUT, 0);
	count(b);
	guest64(c, wide);
	is(vcpu_run(c), "MMIO write 0x8000008 size=8", "16 bytes, the lower half listens");
	is_hex(count(a), 1, "  one signal");
	io(a, DEVICE, 8, OUT, 0);
	io(b, DEVICE + 0x1000, 4, OUT, 0);

	io(a, DEVICE + 0x100, 4, MATCH, 1);
	guest64(c, wide);
	vcpu_run(c);
	vcpu_run(c);
	vcpu_run(c);
	vcpu_run(c);
	is(vcpu_run(c), "MMIO read 0x8000100 size=4", "read and written: the read exits");
	memset(c->run->mmio.data, 0, 8);
	is(vcpu_run(c), "HLT", "  the write does not");
	is_hex(count(a), 1, "  signalled");
	io(a, DEVICE + 0x100, 4, MATCH | OUT, 1);

	/* KVM may skip a whole REP STOS there, and reads. */
	io(a, DEVICE, 0, 0, 0);
	guest64(c, lengths);
	is(vcpu_run(c), "HLT", "MMIO, any length");
	is_hex(count(a), 4, "  four times");
	io(a, DEVICE, 0, OUT, 0);
	guest64(c, lengths);
	is(vcpu_run(c), "MMIO write 0x8000000 size=1", "  out: it exits");
	close(a);
	close(b);
}

/* Many: they are found among others, whatever the order. */
static void test_many(void)
{
	int fd[64], i, n, bad = 0;

	for (i = 0; i < 64; i++) {
		n = i * 37 % 64;
		fd[n] = event();
		bad += io(fd[n], 0x10, 1, PIO | MATCH, 0x40 + n) != 0;
		bad += io(fd[n], 0x1000 + n, 1, PIO, 0) != 0;
	}
	ok(!bad, "128 at once");
	guest64(c, outs);
	is(vcpu_run(c), "OUT port=10 size=2 count=1 data=7856", "one of 64 values");
	for (i = 0; i < 64; i++)
		bad += count(fd[i]) != (0x40 + i == 0x78);
	ok(!bad, "  signals its own");
	for (i = 0; i < 64; i++) {
		n = i * 23 % 64;
		bad += io(fd[n], 0x10, 1, PIO | MATCH | OUT, 0x40 + n) != 0;
	}
	ok(!bad, "half of them out");
	/* The others end with the VM. */
}

GUEST64(endless, "sti; mov $0x10, %dx; 1: inc %rbx; out %al, %dx; jmp 1b");

static bool stop;

static void *come_and_go(void *arg)
{
	int fd = *(int *)arg, i;

	for (i = 0; i < 20; i++)
		if (io(fd, 0x10, 1, PIO, 0) || io(fd, 0x10, 1, PIO | OUT, 0))
			diag("%s", strerror(errno));
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Each OUT either exits or signals. */
static void test_race(void)
{
	int a = event();
	pthread_t thread;
	u64 exits = 0;

	guest64(c, endless);
	if (pthread_create(&thread, NULL, come_and_go, &a))
		bail("no thread");
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST) && exits < 10000000) {
		if (vcpu_run_raw(c) || c->run->exit_reason != KVM_EXIT_IO)
			bail("exit reason %u", c->run->exit_reason);
		exits++;
	}
	pthread_join(thread, NULL);
	exits += count(a);
	ok(exits == get_regs(c).rbx, "while it comes and goes, each OUT exits or signals");
	diag("%llu OUTs", (unsigned long long)exits);
}

int main(int argc, char **argv)
{
	const char *device = argc > 1 ? argv[1] : "/dev/kvm";

	vm_open(&vm, device, 2 << 20);
	vcpu_open(c, &vm, 0);
	test_arguments();
	test_ports();
	vcpu_close(c);
	vm_close(&vm);
	vm_open(&vm, device, 2 << 20);
	vcpu_open(c, &vm, 0);
	test_memory();
	test_race();
	test_many();
	return done_testing();
}
