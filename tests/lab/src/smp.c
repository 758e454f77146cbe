// SPDX-License-Identifier: GPL-2.0
/*
 * Two CPUs: vCPUs that move between them, a CPU that goes off and on under a
 * guest, NMIs that arrive in one, vCPUs of one VM that share memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include "tap.h"
#include "vm.h"

/* With interrupts on: see ioctl_run.c. R15 is where its counter is. */
GUEST64(count, "sti; 1: incq (%r15); jmp 1b");
GUEST64(count_out, "sti; 1: incq (%r15); out %al, $0x10; jmp 1b");
GUEST64(add, "sti; mov $200000, %ecx; 1: lock incq (%r15); loop 1b; hlt");

#define CPU1	"/sys/devices/system/cpu/cpu1/online"
#define COUNTER(n)	(0xb000 + 64 * (n))

static struct vm vm;
static struct vcpu cpus[2];

static u64 counter(int n)
{
	return __atomic_load_n((u64 *)(vm.mem + COUNTER(n)), __ATOMIC_SEQ_CST);
}

static bool goes_on(int n)
{
	u64 before = counter(n);
	int i;

	for (i = 0; i < 2000; i++) {
		if (counter(n) != before)
			return true;
		usleep(1000);
	}
	return false;
}

static void pin(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu >= 0)
		CPU_SET(cpu, &set);
	else
		memset(&set, 0xff, sizeof(set));
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

static void *run(void *arg)
{
	return (void *)(long)vcpu_run_raw(arg);
}

static pthread_t start(struct vcpu *c, int cpu)
{
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t set;

	pthread_attr_init(&attr);
	CPU_ZERO(&set);
	CPU_SET(cpu >= 0 ? cpu : 0, &set);
	if (cpu < 0)
		CPU_SET(1, &set);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (pthread_create(&thread, &attr, run, c))
		bail("no thread");
	return thread;
}

static long stop(pthread_t thread)
{
	void *ret;

	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, &ret);
	return -(long)ret;
}

/* Both vCPUs get the tables; each its own stack and counter. */
static void load(const char *code, const char *end)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int i;

	guest_long(&cpus[0], code, end);
	sregs = get_sregs(&cpus[0]);
	regs = get_regs(&cpus[0]);
	set_sregs(&cpus[1], &sregs);
	for (i = 0; i < 2; i++) {
		regs.r15 = COUNTER(i);
		regs.rsp = GUEST_STACK - 0x400 * i;
		set_regs(&cpus[i], &regs);
	}
}

static void online(int on)
{
	const char *path = CPU1;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
		bail("%s: %s", path, strerror(errno));
	close(fd);
}

static void moves(void)
{
	pthread_t thread;
	int i, stuck = 0;

	load(count, count_end);
	thread = start(&cpus[0], 0);
	for (i = 0; i < 40; i++) {
		pin(thread, i & 1);
		stuck += !goes_on(0);
	}
	is_hex(stuck, 0, "moved forty times in its guest, times stuck");
	is_hex(stop(thread), EINTR, "  a signal ends it");

	/* The same vCPU from both CPUs in turns. */
	load(count_out, count_out_end);
	for (i = 0; i < 40; i++) {
		void *ret;

		pthread_join(start(&cpus[0], i & 1), &ret);
		stuck += !!ret;
	}
	is_hex(stuck, 0, "run on both CPUs in turns, failures");
	is_hex(counter(0), 40, "  the guest's count");
}

static void shared(void)
{
	pthread_t threads[2];
	struct kvm_regs regs;
	void *ret[2];
	int i;

	load(add, add_end);
	for (i = 0; i < 2; i++) {
		regs = get_regs(&cpus[i]);
		regs.r15 = COUNTER(0);
		set_regs(&cpus[i], &regs);
		threads[i] = start(&cpus[i], i);
	}
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], &ret[i]);
	is_hex(!ret[0] && !ret[1] && cpus[0].run->exit_reason == KVM_EXIT_HLT &&
	       cpus[1].run->exit_reason == KVM_EXIT_HLT, 1,
	       "two vCPUs of one VM on two CPUs");
	is_hex(counter(0), 400000, "  what both added to");
}

static void *hammer(void *arg)
{
	struct vcpu *c = arg;
	long bad = 0;
	int i;

	for (i = 0; i < 200; i++)
		bad += vcpu_run_raw(c) || c->run->exit_reason != KVM_EXIT_IO;
	return (void *)bad;
}

/* One vCPU, wanted on both CPUs at the same time. */
static void contended(void)
{
	pthread_t threads[2];
	long bad = 0;
	void *ret;
	int i;

	load(count_out, count_out_end);
	for (i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, hammer, &cpus[0]))
			bail("no thread");
		pin(threads[i], i);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], &ret);
		bad += (long)ret;
	}
	is_hex(bad, 0, "KVM_RUN from both CPUs at once, failures");
	is_hex(counter(0), 400, "  the guest's count");
}

static void hotplug(void)
{
	struct vcpu second;
	struct vm other;
	pthread_t pinned, free_one;
	int i, stuck = 0;

	load(count, count_end);
	pinned = start(&cpus[0], 1);
	free_one = start(&cpus[1], -1);
	is_hex(goes_on(0) && goes_on(1), 1, "two guests run");
	for (i = 0; i < 3; i++) {
		online(0);
		stuck += !goes_on(0) + !goes_on(1);
		online(1);
		pin(pinned, 1);
		stuck += !goes_on(0) + !goes_on(1);
	}
	is_hex(stuck, 0, "CPU 1 off and on three times, times stuck");
	is_hex(stop(pinned), EINTR, "  the pinned guest's end");
	is_hex(stop(free_one), EINTR, "  the other's end");

	/* Last on CPU 1, and idle while that one goes. */
	load(count_out, count_out_end);
	pthread_join(start(&cpus[0], 1), NULL);
	online(0);
	pthread_join(start(&cpus[0], 0), NULL);
	is_hex(counter(0), 2, "a vCPU whose last CPU is gone");
	/* Made while CPU 1 is away, run there when it is back. */
	vm_open(&other, vm.device, 1 << 20);
	vcpu_open(&second, &other, 0);
	online(1);
	guest_long(&second, count_out, count_out_end);
	for (i = 0; i < 4; i++) {
		struct kvm_regs regs = get_regs(&second);

		regs.r15 = COUNTER(0);
		set_regs(&second, &regs);
		pthread_join(start(&second, i & 1), NULL);
	}
	is_hex(other.mem[COUNTER(0)], 4,
	       "a VM made while CPU 1 was off, runs on both");
	vcpu_close(&second);
	vm_close(&other);
}

static bool in_log(const char *text)
{
	static char log[1 << 18];
	int n = klogctl(3, log, sizeof(log) - 1);

	log[n > 0 ? n : 0] = 0;
	return strstr(log, text);
}

static void nmi(void)
{
	pthread_t thread;
	int fd, i;

	load(count, count_end);
	thread = start(&cpus[0], 1);
	is_hex(goes_on(0), 1, "a guest runs on CPU 1");
	fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		bail("/proc/sysrq-trigger: %s", strerror(errno));
	for (i = 0; i < 3; i++) {
		if (write(fd, "l", 1) != 1)
			bail("SysRq: %s", strerror(errno));
		usleep(20000);
	}
	close(fd);
	is_hex(in_log("NMI backtrace for cpu 1"), 1,
	       "the host's NMI handler ran on CPU 1");
	is_hex(goes_on(0), 1, "  the guest goes on");
	is_hex(stop(thread), EINTR, "  its end");
}

static void nothing(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = nothing };

	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		bail("this machine has one CPU");
	watchdog(120);
	sigaction(SIGUSR1, &act, NULL);
	pin(pthread_self(), 0);
	vm_open(&vm, argv[1], 1 << 20);
	vcpu_open(&cpus[0], &vm, 0);
	vcpu_open(&cpus[1], &vm, 1);

	moves();
	shared();
	contended();
	hotplug();
	nmi();
	return done_testing();
}
