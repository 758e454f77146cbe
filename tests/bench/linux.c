// SPDX-License-Identifier: GPL-2.0
/*
 * What it takes to boot Linux as a guest: to the guest's init, and until it is off.
 *
 *	bench_linux /dev/kvm		prints two lines, fields separated by tabs
 *	bench_linux			as process 1: the guest's init
 *
 * The guest's TSC begins at 0 when its vCPU is made, so what init reads is the way
 * from there, with kernel and initrd brought to memory. Whoever waits lets time pass,
 * too, so the launcher's processor time is told beside it: the scheduler of the host
 * takes it from the same TSC.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define APPEND \
	"console=ttyS0 quiet nokaslr panic=-1 mitigations=off lsm= audit=0 cryptomgr.notests"
/* Instructions, in the lab */
#define PER_MICROSECOND 100ULL

static int init(void)
{
	printf("init: %llu\n", __rdtsc());
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}

int main(int argc, char *argv[])
{
	unsigned long long stamp = 0;
	char command[1000], line[1000];
	struct rusage usage;
	FILE *guest;
	int status;

	if (getpid() == 1)
		return init();
	if (argc != 2) {
		fprintf(stderr, "usage: bench_linux DEVICE\n");
		return 120;
	}
	snprintf(command, sizeof(command),
		 "exec minivmm-run --device %s --kernel vmlinuz --initrd initrd --append '"
		 APPEND "' --memory 256M --stats --timeout 200 </dev/null 2>&1", argv[1]);
	guest = popen(command, "r");
	if (!guest) {
		printf("Bail out! %s\n", strerror(errno));
		return 1;
	}
	while (fgets(line, sizeof(line), guest)) {
		const char *at = strstr(line, "init: ");

		if (at)
			stamp = strtoull(at + 6, NULL, 10);
		fputs(line, stderr);
	}
	status = pclose(guest);
	if (status || !stamp || getrusage(RUSAGE_CHILDREN, &usage)) {
		printf("Bail out! the guest ended with status %#x\n", status);
		return 1;
	}
	printf("to init, waiting included\t%llu\n", stamp);
	printf("to the end, without waiting\t%llu\n", PER_MICROSECOND *
	       ((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ULL +
		usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
	return 0;
}
