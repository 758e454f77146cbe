// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_GET_STATS_FD: what has a name that KVM has counts what KVM counts.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tap.h"
#include "vm.h"

#define MEMORY	0x100000

static struct vm vm;
static struct vcpu cpu;

GUEST32(counted,
	"mov $1000, %esi; 1: cpuid; dec %esi; jnz 1b\n"
	"mov $1000, %esi; 1: out %al, $0x10; dec %esi; jnz 1b\n"
	"mov $10, %esi; 1: hlt; dec %esi; jnz 1b; out %al, $0x11\n");
GUEST32(touch, "mov %eax, 0x20000; mov %eax, 0x21000; mov %eax, 0x22000; hlt\n");
GUEST32(store, "mov %eax, 0x200000; hlt\n");
GUEST32(nops, "nop; nop; hlt\n");
GUEST32(later, "out %al, $0x10; sti; nop; nop; hlt\n");

/* The counter @name of what @fd is of; its descriptor in @desc */
static u64 counter(int fd, const char *name, struct kvm_stats_desc *desc)
{
	struct kvm_stats_header header;
	char buffer[sizeof(*desc) + 256];
	struct kvm_stats_desc *d = (void *)buffer;
	size_t size;
	u64 value;
	u32 i;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		bail("no header: %s", strerror(errno));
	size = sizeof(*d) + header.name_size;
	for (i = 0; i < header.num_desc && size <= sizeof(buffer); i++) {
		if (pread(fd, d, size, header.desc_offset + i * size) != (ssize_t)size)
			bail("no descriptor %u: %s", i, strerror(errno));
		if (strcmp(d->name, name))
			continue;
		if (pread(fd, &value, sizeof(value), header.data_offset + d->offset) !=
		    sizeof(value))
			bail("no value of %s: %s", name, strerror(errno));
		*desc = *d;
		return value;
	}
	bail("there is no counter %s", name);
}

static const char *const names[] = {
	"io_exits", "mmio_exits", "signal_exits", "halt_exits", "irq_window_exits",
	"request_irq_exits", "irq_injections", "nmi_injections", "pf_taken", "pf_fixed",
	"pf_emulate",
};

static int stats;
static u64 before[ARRAY_SIZE(names)];

static void begin(void)
{
	struct kvm_stats_desc desc;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		before[i] = counter(stats, names[i], &desc);
}

/* Since begin() @name became @by more. */
static void grew(const char *name, u64 by)
{
	struct kvm_stats_desc desc;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names) && strcmp(names[i], name); i++)
		;
	is_hex(counter(stats, name, &desc) - before[i], by, "  %s", name);
}

static void flags(u64 set)
{
	struct kvm_regs r = get_regs(&cpu);

	r.rflags |= set;
	set_regs(&cpu, &r);
}

static void exits(void)
{
	unsigned int outs = 0, halts = 0;
	struct kvm_stats_desc desc;
	u64 all;

	guest32(&cpu, counted);
	begin();
	all = counter(stats, "exits", &desc);
	for (;;) {
		if (vcpu_run_raw(&cpu))
			bail("KVM_RUN: %s", strerror(errno));
		if (cpu.run->exit_reason == KVM_EXIT_HLT)
			halts++;
		else if (cpu.run->exit_reason == KVM_EXIT_IO && cpu.run->io.port == 0x10)
			outs++;
		else
			break;
	}
	is_hex(cpu.run->io.port, 0x11, "a guest of 1000 CPUID, 1001 OUT and 10 HLT");
	is_hex(outs, 1000, "  so many OUT");
	is_hex(halts, 10, "  so many HLT");
	grew("io_exits", 1001);
	grew("halt_exits", 10);
	grew("mmio_exits", 0);
	grew("signal_exits", 0);
	all = counter(stats, "exits", &desc) - all;
	/* Interrupts of the host and EPT violations come along. */
	ok(all > 2011 && all < 20000, "  exits: these and not many others");
}

static void memory(void)
{
	guest32(&cpu, touch);
	begin();
	is(vcpu_run(&cpu), "HLT", "a guest that touches three pages");
	grew("pf_fixed", 3);
	grew("pf_taken", 3);
	grew("pf_emulate", 0);

	guest32(&cpu, store);
	begin();
	vcpu_run_raw(&cpu);
	is_hex(cpu.run->exit_reason, KVM_EXIT_MMIO, "a store to a device");
	grew("mmio_exits", 1);
	grew("pf_emulate", 1);
	grew("pf_fixed", 0);
	is(vcpu_run(&cpu), "HLT", "  then");
}

static void events(void)
{
	struct kvm_interrupt irq = { 30 };
	unsigned int i;

	/* The first time EPT violations cut the delivery short, and it begins again. */
	for (i = 0; i < 2; i++) {
		guest32(&cpu, nops);
		flags(FLAG_IF);
		begin();
		if (ioctl(cpu.fd, KVM_INTERRUPT, &irq))
			bail("KVM_INTERRUPT: %s", strerror(errno));
		is(vcpu_run(&cpu), "trap 30 at +0", "KVM_INTERRUPT");
	}
	grew("irq_injections", 1);
	grew("nmi_injections", 0);
	is(vcpu_run(&cpu), "HLT", "  then");

	guest32(&cpu, nops);
	begin();
	if (ioctl(cpu.fd, KVM_NMI))
		bail("KVM_NMI: %s", strerror(errno));
	is(vcpu_run(&cpu), "trap 2 at +0", "KVM_NMI");
	grew("nmi_injections", 1);
	grew("irq_injections", 0);

	guest32(&cpu, later);
	vcpu_run_raw(&cpu);
	begin();
	cpu.run->request_interrupt_window = 1;
	vcpu_run_raw(&cpu);
	cpu.run->request_interrupt_window = 0;
	is_hex(cpu.run->exit_reason, KVM_EXIT_IRQ_WINDOW_OPEN, "an interrupt window");
	grew("request_irq_exits", 1);
	grew("irq_window_exits", 1);
	is(vcpu_run(&cpu), "HLT", "  then");
}

static void nothing(int signal)
{
	(void)signal;
}

static void signals(void)
{
	struct {
		struct kvm_signal_mask head;
		u64 set;
	} mask = { { .len = 8 }, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signal(SIGUSR1, nothing);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	guest32(&cpu, nops);
	begin();
	if (ioctl(cpu.fd, KVM_SET_SIGNAL_MASK, &mask))
		bail("KVM_SET_SIGNAL_MASK: %s", strerror(errno));
	is(vcpu_run(&cpu), "EINTR INTR", "a signal");
	grew("signal_exits", 1);
	ioctl(cpu.fd, KVM_SET_SIGNAL_MASK, NULL);
	is(vcpu_run(&cpu), "HLT", "  then");
}

static void units(void)
{
	struct kvm_stats_desc desc;
	int of_vm = ioctl(vm.fd, KVM_GET_STATS_FD, 0);

	counter(stats, "exits", &desc);
	is_hex(desc.flags, KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10,
	       "exits is a sum, without unit");
	is_hex(desc.exponent, 0, "  as it is");
	counter(stats, "halt_wait_ns", &desc);
	is_hex(desc.flags,
	       KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_SECONDS | KVM_STATS_BASE_POW10,
	       "halt_wait_ns is a sum of seconds");
	is_hex(desc.exponent & 0xffff, -9 & 0xffff, "  billionth of them");
	is_hex(desc.size, 1, "  one value");
	ok(of_vm >= 0, "the VM has counters, too");
	close(of_vm);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(60);
	vm_open(&vm, argv[1], MEMORY);
	vcpu_open(&cpu, &vm, 0);
	stats = ioctl(cpu.fd, KVM_GET_STATS_FD, 0);
	if (stats < 0)
		bail("KVM_GET_STATS_FD: %s", strerror(errno));
	exits();
	memory();
	events();
	signals();
	units();
	close(stats);
	vcpu_close(&cpu);
	vm_close(&vm);
	return done_testing();
}
