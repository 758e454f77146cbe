// SPDX-License-Identifier: GPL-2.0
/*
 * The machine sleeps (suspend to RAM) with a guest running and a vCPU idle;
 * both go on when it wakes up, and so does what is made afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

GUEST32(count, "sti; 1: incl 0xb000; jmp 1b");
GUEST32(once, "out %al, $0x10; out %al, $0x11; hlt");

static bool stopping;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail("%s: %s", path, strerror(errno));
	close(fd);
}

/* A freezing process sees EINTR: programs call KVM_RUN again. */
static void *run(void *arg)
{
	long ret;

	do {
		ret = vcpu_run_raw(arg);
	} while (ret == -EINTR &&
		 !__atomic_load_n(&stopping, __ATOMIC_SEQ_CST));
	return (void *)ret;
}

static bool goes_on(struct vm *vm)
{
	u32 *counter = (u32 *)(vm->mem + 0xb000);
	u32 before = __atomic_load_n(counter, __ATOMIC_SEQ_CST);
	int i;

	for (i = 0; i < 2000; i++) {
		if (__atomic_load_n(counter, __ATOMIC_SEQ_CST) != before)
			return true;
		usleep(1000);
	}
	return false;
}

static int sleeps(void)
{
	int fd = open("/sys/power/suspend_stats/success", O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		bail("suspend_stats: %s", strerror(errno));
	close(fd);
	return atoi(text);
}

static void nothing(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = nothing };
	struct vcpu running, idle, new;
	struct vm vm, second, third;
	int before = sleeps();
	pthread_t thread;
	void *ret;

	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(120);
	sigaction(SIGUSR1, &act, NULL);
	vm_open(&vm, argv[1], 1 << 20);
	vcpu_open(&running, &vm, 0);
	vm_open(&second, argv[1], 1 << 20);
	vcpu_open(&idle, &second, 0);
	guest32(&idle, once);
	is(vcpu_run(&idle), "OUT port=10 size=1 count=1 data=00",
	   "a vCPU before sleep");
	guest32(&running, count);
	if (pthread_create(&thread, NULL, run, &running))
		bail("no thread");
	is_hex(goes_on(&vm), 1, "a guest runs");

	/* The emulated machine wakes up at once. */
	write_file("/sys/power/state", "mem");

	is_hex(sleeps() - before, 1, "the machine slept");
	is_hex(goes_on(&vm), 1, "the guest goes on");
	is(vcpu_run(&idle), "OUT port=11 size=1 count=1 data=00",
	   "the idle vCPU goes on");
	vm_open(&third, argv[1], 1 << 20);
	vcpu_open(&new, &third, 0);
	guest32(&new, once);
	is(vcpu_run(&new), "OUT port=10 size=1 count=1 data=00",
	   "a new VM's vCPU");
	stopping = true;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, &ret);
	is_hex(-(long)ret, EINTR, "the guest's end");
	return done_testing();
}
