// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQFD: an eventfd raises an interrupt; and KVM_CAP_SPLIT_IRQCHIP, where user
 * space keeps PIC and I/O APIC.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include "apic.h"
#include "tap.h"

#define OUT		KVM_IRQFD_FLAG_DEASSIGN
#define RESAMPLE	KVM_IRQFD_FLAG_RESAMPLE
#define HALTED		"EINTR INTR"
#define INTERRUPTED	"OUT port=25 size=1 count=1 data=51"

static const char *device;

/* What the guest does next; HALTED if that is nothing */
static const char *soon(void)
{
	return run_for(&cpu, 150);
}

static int event(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		bail("eventfd: %s", errno_name(errno));
	return fd;
}

static void signal_event(int fd)
{
	u64 one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		bail("write to an eventfd: %s", errno_name(errno));
}

static u64 count(int fd)
{
	u64 n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static int irqfd_of(struct vm *v, int fd, u32 gsi, u32 flags, int resample)
{
	struct kvm_irqfd args = {
		.fd = fd, .gsi = gsi, .flags = flags, .resamplefd = resample,
	};

	return ioctl(v->fd, KVM_IRQFD, &args);
}

static const char *irqfd(int fd, u32 gsi, u32 flags, int resample)
{
	return errno_text(irqfd_of(&vm, fd, gsi, flags, resample));
}

static void set_entry(int pin, u64 value)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	if (ioctl(vm.fd, KVM_GET_IRQCHIP, &chip))
		bail("KVM_GET_IRQCHIP: %s", errno_name(errno));
	chip.chip.ioapic.redirtbl[pin].bits = value;
	if (ioctl(vm.fd, KVM_SET_IRQCHIP, &chip))
		bail("KVM_SET_IRQCHIP: %s", errno_name(errno));
}

static void set_msi(u32 gsi, u32 data)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e;
	} table = {
		.head.nr = 1,
		.e = { .gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		       .u.msi = { .address_lo = 0xfee00000, .data = data } },
	};

	if (ioctl(vm.fd, KVM_SET_GSI_ROUTING, &table))
		bail("KVM_SET_GSI_ROUTING: %s", errno_name(errno));
}

static void refused(void)
{
	int a = event(), b = event(), null = open("/dev/null", O_RDWR);
	struct vm other;

	vm_open(&other, device, 2 << 20);
	is(errno_text(irqfd_of(&other, a, 4, 0, 0)), "EINVAL", "without controllers");
	is(errno_text(irqfd_of(&other, a, 4, OUT, 0)), "0", "  out");
	is(errno_text(irqfd_of(&other, -1, 4, OUT, 0)), "EBADF", "  out: no descriptor");
	vm_close(&other);

	vm_open(&vm, device, 2 << 20);
	is(on_vm(KVM_CREATE_IRQCHIP, 0), "0", "KVM_CREATE_IRQCHIP");
	apic_vcpus();
	is(on_vm(KVM_IRQFD, 0), "EFAULT", "KVM_IRQFD of NULL");
	is(irqfd(a, 4, 4, 0), "EINVAL", "an unknown flag");
	is(irqfd(a, 4, 4 | OUT, 0), "EINVAL", "  out");
	is(irqfd(-1, 4, 0, 0), "EBADF", "no descriptor");
	is(irqfd(null, 4, 0, 0), "EINVAL", "no eventfd");
	is(irqfd(null, 4, OUT, 0), "EINVAL", "  out");
	is(irqfd(a, 4, RESAMPLE, -1), "EBADF", "no descriptor to resample");
	is(irqfd(a, 4, RESAMPLE, null), "EINVAL", "no eventfd to resample");
	is(irqfd(a, 4, 0, -1), "0", "assigned; the other descriptor means nothing");
	is(irqfd(a, 4, 0, 0), "EBUSY", "  again");
	is(irqfd(a, 5, 0, 0), "EBUSY", "  to another line");
	is(irqfd(b, 4, 0, 0), "0", "  another eventfd to the same line");
	is(irqfd(a, 5, OUT, 0), "0", "out: another line");
	is(irqfd(a, 4, 0, 0), "EBUSY", "  the one is still there");
	is(irqfd(a, 4, OUT | RESAMPLE, -1), "0", "out");
	is(irqfd(a, 4, OUT, 0), "0", "  again");
	is(irqfd(a, 5, 0, 0), "0", "to another line");
	is(irqfd(a, 5, OUT, 0), "0", "  out");
	is(irqfd(a, ~0u, 0, 0), "0", "a line that cannot be");
	signal_event(a);
	is_hex(count(a), 0, "  its signal leads nowhere");
	is(irqfd(a, ~0u, OUT, 0), "0", "  out");
	is(irqfd(b, 4, OUT, 0), "0", "out: the other");
	close(a);
	close(b);
	close(null);
}

GUEST32(wait, APIC "sti; 1: hlt; jmp 1b");

static void start(void)
{
	guest_apic(&cpu, wait);
	/* The PIC's is another matter. */
	set_lapic(&cpu, 0x350, 0x10700);
	is(run_for(&cpu, 30), HALTED, "a guest waits");
}

static void edges(void)
{
	struct pollfd p = { .events = POLLIN };
	int a = event(), b;

	start();
	set_entry(4, 0x51);
	irqfd(a, 4, 0, 0);
	signal_event(a);
	is(soon(), INTERRUPTED, "a signal interrupts");
	is_hex(count(a), 0, "  and is taken");
	p.fd = a;
	is_hex(poll(&p, 1, 0), 0, "  nobody else sees it");
	is(run_for(&cpu, 30), HALTED, "  once");
	signal_event(a);
	signal_event(a);
	is(soon(), INTERRUPTED, "two signals before it ran");
	is(run_for(&cpu, 30), HALTED, "  are one interrupt");
	irqfd(a, 4, OUT, 0);
	signal_event(a);
	is_hex(count(a), 1, "out: the signal stays");
	is(run_for(&cpu, 30), HALTED, "  and does not interrupt");
	signal_event(a);
	irqfd(a, 4, 0, 0);
	is(soon(), INTERRUPTED, "a signal from before counts");
	count(a);
	run_for(&cpu, 30);

	b = dup(a);
	close(a);
	signal_event(b);
	is(soon(), INTERRUPTED, "a duplicate of the descriptor does, too");
	run_for(&cpu, 30);
	close(b);
	is(run_for(&cpu, 30), HALTED, "closed: nothing more");
	a = event();
	is(irqfd(a, 4, 0, 0), "0", "  and the next one can be assigned");

	set_msi(30, 0x51);
	b = event();
	irqfd(b, 30, 0, 0);
	signal_event(b);
	is(soon(), INTERRUPTED, "a message");
	set_msi(31, 0x51);
	signal_event(b);
	is(run_for(&cpu, 30), HALTED, "  its route is gone");
	set_msi(30, 0x51);
	signal_event(b);
	is(soon(), INTERRUPTED, "  and there again");
	run_for(&cpu, 30);
	irqfd(b, 30, OUT, 0);
	irqfd(a, 4, OUT, 0);
	close(a);
	close(b);
}

static void default_routes(void)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e[24];
	} table = { .head.nr = 24 };
	int i;

	for (i = 0; i < 24; i++)
		table.e[i] = (struct kvm_irq_routing_entry) {
			.gsi = i, .type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = i },
		};
	if (ioctl(vm.fd, KVM_SET_GSI_ROUTING, &table))
		bail("KVM_SET_GSI_ROUTING: %s", errno_name(errno));
}

static void levels(void)
{
	int a = event(), b = event(), done = event(), done2 = event();

	default_routes();
	start();
	set_entry(9, 0x8051);
	is(irqfd(a, 9, RESAMPLE, done), "0", "resampling");
	signal_event(a);
	is(soon(), INTERRUPTED, "  a signal interrupts");
	is_hex(count(done), 0, "  before the EOI nobody is told");
	is(run_for(&cpu, 30), HALTED, "  once, for the EOI takes the line down");
	is_hex(count(done), 1, "  and is told");
	signal_event(a);
	is(soon(), INTERRUPTED, "again");
	signal_event(a);
	is(run_for(&cpu, 30), HALTED, "  a signal before the EOI ends with it");
	is_hex(count(done), 1, "  whose device is told, and may signal again");
	is(irqfd(b, 9, RESAMPLE, done2), "0", "two share the line");
	signal_event(b);
	is(soon(), INTERRUPTED, "  the second signals");
	is(run_for(&cpu, 30), HALTED, "  once");
	is_hex(count(done), 1, "  both are told");
	is_hex(count(done2), 1, "  the second, too");

	/* Taken out while the line is up */
	set_entry(9, 0x18051);
	signal_event(a);
	signal_event(b);
	is(irqfd(a, 9, OUT, 0), "0", "masked, both up, one out");
	is(irqfd(b, 9, OUT, 0), "0", "  the other out");
	set_entry(9, 0x8051);
	is(run_for(&cpu, 30), HALTED, "  the line is down");
	close(a);
	close(b);
	close(done);
	close(done2);
}

/* Signals from a thread while another assigns and deassigns, and closes. */
static bool stop;
static int shared;

static void *signaller(void *arg)
{
	u64 one = 1;

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		int fd = __atomic_load_n(&shared, __ATOMIC_RELAXED);

		/* It may be closed by now. */
		if (write(fd, &one, sizeof(one)) < 0 && errno == EAGAIN)
			count(fd);
	}
	return NULL;
}

static void races(void)
{
	int done = event(), i, bad = 0;
	pthread_t thread;

	set_entry(9, 0x8051);
	shared = event();
	if (pthread_create(&thread, NULL, signaller, NULL))
		bail("no thread");
	for (i = 0; i < 100; i++) {
		int fd = shared;

		bad += irqfd_of(&vm, fd, i % 24, i & 1 ? RESAMPLE : 0, done) != 0;
		if (i % 3) {
			bad += irqfd_of(&vm, fd, i % 24, OUT, 0) != 0;
			continue;
		}
		__atomic_store_n(&shared, event(), __ATOMIC_RELAXED);
		close(fd);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ok(!bad, "assigned, deassigned and closed while another signals");
	close(done);
}

static const char *split(struct vm *v, u64 pins)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { pins } };

	return errno_text(ioctl(v->fd, KVM_ENABLE_CAP, &cap));
}

GUEST32(split_wait, APIC "sti; 1: hlt; out %al, $0x11; jmp 1b; busy: sti; 2: nop; jmp 2b\n"
	"handler: out %al, $0x26; iret\n");
LABEL(handler);
LABEL(busy);

static void split_chips(void)
{
	struct kvm_interrupt irq = { .irq = 0x61 };
	struct kvm_irqchip chip = { };
	struct kvm_irq_level l = { .irq = 4, .level = 1 };
	struct kvm_regs r;
	int a = event();

	vm_close(&vm);
	vm_open(&vm, device, 2 << 20);
	is(split(&vm, 4097), "EINVAL", "split, 4097 pins");
	is(split(&vm, 24), "0", "split, 24 pins");
	is(split(&vm, 24), "EEXIST", "  again");
	is(on_vm(KVM_CREATE_IRQCHIP, 0), "EEXIST", "  KVM_CREATE_IRQCHIP");
	is(on_vm(KVM_GET_IRQCHIP, (long)&chip), "ENXIO", "  KVM_GET_IRQCHIP");
	is(on_vm(KVM_SET_IRQCHIP, (long)&chip), "ENXIO", "  KVM_SET_IRQCHIP");
	is(on_vm(KVM_IRQ_LINE, (long)&l), "0", "  KVM_IRQ_LINE: there are no routes");
	is(irqfd(a, 4, RESAMPLE, a), "EINVAL", "  resampling");
	is(irqfd(a, 4, 0, 0), "0", "  KVM_IRQFD");
	apic_vcpus();
	is(split(&vm, 24), "EEXIST", "  with vCPUs");

	guest_apic(&cpu, split_wait);
	guest_gate(&cpu, 0x61, GUEST_CODE + (handler - split_wait), 0);
	is(run_for(&cpu, 30), HALTED, "a guest waits");
	is_hex(cpu.run->ready_for_interrupt_injection, 1, "  ready for interrupts");
	set_msi(4, 0x8051);
	signal_event(a);
	is(soon(), INTERRUPTED, "a level-triggered message of a pin");
	is(soon(), "exit reason 26", "  its EOI is told");
	is_hex(cpu.run->eoi.vector, 0x51, "  with the vector");
	is(soon(), "OUT port=11 size=1 count=1 data=51", "  then it goes on");
	is(run_for(&cpu, 30), HALTED, "  and waits");
	set_msi(4, 0x51);
	signal_event(a);
	is(soon(), INTERRUPTED, "an edge");
	is(soon(), "OUT port=11 size=1 count=1 data=51", "  no EOI");
	run_for(&cpu, 30);
	set_msi(24, 0x8051);
	irqfd(a, 4, OUT, 0);
	irqfd(a, 24, 0, 0);
	signal_event(a);
	is(soon(), INTERRUPTED, "a level, but of no pin");
	is(soon(), "OUT port=11 size=1 count=1 data=51", "  no EOI");
	is(run_for(&cpu, 30), HALTED, "it waits again");

	/* User space's PIC */
	is(on_cpu(&cpu, KVM_INTERRUPT, &irq), "0", "KVM_INTERRUPT");
	is(on_cpu(&cpu, KVM_INTERRUPT, &irq), "EEXIST", "  one at a time");
	is_hex(cpu.run->ready_for_interrupt_injection, 1, "  nothing was told yet");
	is(soon(), "OUT port=26 size=1 count=1 data=51", "  interrupts");
	is_hex(cpu.run->ready_for_interrupt_injection, 0, "  in the handler IF is 0");
	is(soon(), "OUT port=11 size=1 count=1 data=51", "  then it goes on");
	run_for(&cpu, 30);
	set_lapic(&cpu, 0x350, 0x10700);
	is(on_cpu(&cpu, KVM_INTERRUPT, &irq), "0", "KVM_INTERRUPT with LINT0 masked");
	is(run_for(&cpu, 30), HALTED, "  waits");
	is_hex(cpu.run->ready_for_interrupt_injection, 0, "  not ready for more");
	set_lapic(&cpu, 0x350, 0x700);
	is(soon(), "OUT port=26 size=1 count=1 data=51", "  until it is open");
	soon();
	run_for(&cpu, 30);

	r = get_regs(&cpu);
	r.rip = GUEST_CODE + (busy - split_wait);
	set_regs(&cpu, &r);
	set_mp_state(&cpu, KVM_MP_STATE_RUNNABLE);
	cpu.run->request_interrupt_window = 1;
	is(soon(), "IRQ_WINDOW_OPEN", "request_interrupt_window");
	is_hex(cpu.run->ready_for_interrupt_injection, 1, "  ready");
	set_lapic(&cpu, 0x350, 0x10700);
	is(run_for(&cpu, 30), HALTED, "  not with LINT0 masked");
	r = get_regs(&cpu);
	ok(r.rip != GUEST_CODE + (u64)(busy - split_wait), "  and the guest goes on");
	cpu.run->request_interrupt_window = 0;
	close(a);
}

int main(int argc, char **argv)
{
	device = argc > 1 ? argv[1] : "/dev/kvm";
	apic_init();
	refused();
	edges();
	levels();
	races();
	split_chips();
	return done_testing();
}
