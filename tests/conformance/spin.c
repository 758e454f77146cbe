// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs that wait for each other in loops of PAUSE, all on one CPU: PAUSE-loop
 * exiting gives the CPU to the one that the others wait for. Without it each of
 * them would use up its slice of the scheduler's time.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

#define VCPUS	4
#define ROUNDS	25

/* Without a slice of time in between a turn takes 0.1 to 0.4 ms, with one 10 ms. */
#define LIMIT_MS	(2 * VCPUS * ROUNDS)

/*
 * A turn passes from one to the next: EDI is this one's number, ESI the next one's.
 * STI, since Bochs lets no interrupt of the host end a guest that has IF = 0.
 */
GUEST32(turns,
	"sti\n"
	"1: pause; cmp %edi, 0xb000; jne 1b\n"
	"mov %esi, 0xb000\n"
	"incl 0xb004\n"
	"dec %ecx; jnz 1b\n"
	"out %al, $0x7f\n");

static struct vm vm;
static struct vcpu cpus[VCPUS];

static void *runs(void *arg)
{
	struct vcpu *c = arg;

	while (vcpu_run_raw(c) == -EINTR)
		;
	return NULL;
}

/* Is the parameter, which both modules have, 0? */
static bool switched_off(const char *device)
{
	char path[80], value[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/ple_gap",
		 strstr(device, "minivmm") ? "minivmm" : "kvm_intel");
	f = fopen(path, "r");
	if (!f || !fgets(value, sizeof(value), f))
		bail("%s: %s", path, errno_name(errno));
	fclose(f);
	return !strcmp(value, "0\n");
}

int main(int argc, char **argv)
{
	const char *slow = getenv("LAB_PATIENCE");
	const int patience = slow ? atoi(slow) : 1;
	pthread_t threads[VCPUS];
	struct kvm_regs r;
	cpu_set_t one;
	u64 ms;
	int i;

	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(60 * patience);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		bail("sched_setaffinity: %s", errno_name(errno));
	vm_open(&vm, argv[1], 0x20000);
	for (i = 0; i < VCPUS; i++)
		vcpu_open(&cpus[i], &vm, i);
	for (i = 0; i < VCPUS; i++) {
		guest32(&cpus[i], turns);
		r = get_regs(&cpus[i]);
		r.rdi = i;
		r.rsi = (i + 1) % VCPUS;
		r.rcx = ROUNDS;
		set_regs(&cpus[i], &r);
	}

	ms = now_ms();
	for (i = 0; i < VCPUS; i++)
		if (pthread_create(&threads[i], NULL, runs, &cpus[i]))
			bail("pthread_create");
	for (i = 0; i < VCPUS; i++)
		pthread_join(threads[i], NULL);
	ms = now_ms() - ms;
	diag("%d turns: %llu ms", VCPUS * ROUNDS, (unsigned long long)ms);

	for (i = 0; i < VCPUS; i++)
		ok(cpus[i].run->exit_reason == KVM_EXIT_IO && cpus[i].run->io.port == 0x7f,
		   "vCPU %d has had its turns", i);
	is_hex(*(u32 *)(vm.mem + 0xb004), VCPUS * ROUNDS, "there were as many as there should be");
	if (switched_off(argv[1]))
		ok(ms > LIMIT_MS, "without PAUSE-loop exiting each takes a slice");
	else
		ok(ms < (u64)LIMIT_MS * patience, "none waited for the end of another's slice");
	for (i = 0; i < VCPUS; i++)
		vcpu_close(&cpus[i]);
	vm_close(&vm);
	return done_testing();
}
