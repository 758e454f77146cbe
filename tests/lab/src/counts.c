// SPDX-License-Identifier: GPL-2.0
/*
 * A VM that counts to known numbers, prints what its descriptors of counters
 * say, and stays for others to look at it: until the end of standard input, or
 * with "halt" asleep in HLT, until somebody kills it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"
#include "vm.h"

#define HALTS	10

static struct vm vm;
static struct vcpu cpu;
static unsigned int woken;

GUEST32(busy,
	"mov $1000, %esi; 1: cpuid; dec %esi; jnz 1b\n"
	"mov $1000, %esi; 1: out %al, $0x10; dec %esi; jnz 1b\n"
	"mov $10, %esi; 1: hlt; dec %esi; jnz 1b; out %al, $0x11\n");
GUEST32(halts, "mov $10, %esi; 1: hlt; dec %esi; jnz 1b; out %al, $0x11; hlt\n");

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Print all that is not zero, and return the sum of the times by mode. */
static u64 show(int fd, const char *whose)
{
	static const char *const modes[] = { "guest_ns", "root_ns", "user_ns", "halt_wait_ns" };
	struct kvm_stats_header header;
	static char file[65536];
	ssize_t size = pread(fd, file, sizeof(file), 0);
	u64 value, sum = 0;
	unsigned int i, k;

	if (size < (ssize_t)sizeof(header))
		bail("the counters cannot be read: %s", strerror(errno));
	memcpy(&header, file, sizeof(header));
	for (i = 0; i < header.num_desc; i++) {
		const struct kvm_stats_desc *d = (void *)(file + header.desc_offset +
			i * (sizeof(*d) + header.name_size));

		memcpy(&value, file + header.data_offset + d->offset, sizeof(value));
		if (value)
			printf("%s %s %llu\n", whose, d->name, value);
		for (k = 0; k < ARRAY_SIZE(modes); k++)
			sum += strcmp(d->name, modes[k]) ? 0 : value;
	}
	return sum;
}

/* An NMI ends each HLT, 50 ms after the one before. */
static void *wake(void *unused)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x400 };
	unsigned int sent;

	(void)unused;
	for (sent = 0; sent < HALTS; sent++) {
		while (__atomic_load_n(&woken, __ATOMIC_SEQ_CST) < sent)
			usleep(1000);
		usleep(50000);
		if (ioctl(vm.fd, KVM_SIGNAL_MSI, &msi) < 0)
			bail("KVM_SIGNAL_MSI: %s", strerror(errno));
	}
	return NULL;
}

static void run(void)
{
	for (;;) {
		if (vcpu_run_raw(&cpu))
			bail("KVM_RUN: %s", strerror(errno));
		if (cpu.run->exit_reason == KVM_EXIT_HLT)
			continue;
		if (cpu.run->exit_reason != KVM_EXIT_IO)
			bail("exit reason %u", cpu.run->exit_reason);
		if (cpu.run->io.port == 0x11)
			return;
		if (cpu.run->io.port == TRAP_PORT(2))
			__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	}
}

int main(int argc, char **argv)
{
	bool halt = argc == 3 && !strcmp(argv[2], "halt");
	int of_vcpu, of_vm;
	u64 open, start, taken, end;
	pthread_t waker;
	char c;

	if (argc != 2 && !halt)
		bail("usage: %s DEVICE [halt]", argv[0]);
	watchdog(120);
	/* Another's descriptor may have started the clock: then a vCPU begins with it. */
	open = now_ns();
	vm_open(&vm, argv[1], 0x100000);
	if (halt && ioctl(vm.fd, KVM_CREATE_IRQCHIP, 0))
		bail("KVM_CREATE_IRQCHIP: %s", strerror(errno));
	vcpu_open(&cpu, &vm, 0);
	if (halt)
		guest32(&cpu, halts);
	else
		guest32(&cpu, busy);

	of_vcpu = ioctl(cpu.fd, KVM_GET_STATS_FD, 0);
	of_vm = ioctl(vm.fd, KVM_GET_STATS_FD, 0);
	if (of_vcpu < 0 || of_vm < 0)
		bail("KVM_GET_STATS_FD: %s", strerror(errno));
	if (halt && pthread_create(&waker, NULL, wake, NULL))
		bail("no thread");
	start = now_ns();
	run();
	end = now_ns();
	taken = show(of_vcpu, "vcpu");
	show(of_vm, "vm");
	printf("wall %llu\n", end - start);
	/* All of the run, and no more than there was. */
	printf("times %s\n", taken > (end - start) / 100 * 95 && taken <= now_ns() - open ?
	       "add up" : "do not add up");
	/* Others keep the clock going. */
	close(of_vcpu);
	close(of_vm);
	printf("ready\n");
	fflush(stdout);
	if (halt)
		vcpu_run_raw(&cpu);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
