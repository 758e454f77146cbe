// SPDX-License-Identifier: GPL-2.0
/* --stats: the input is the file that KVM_GET_STATS_FD gives. */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "input.h"

static int stats_file(void)
{
	return dup(0x100);
}

#define ioctl(...)	stats_file()
#include "userspace/run/stats.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	int fd = memfd_create("stats", 0);

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	must(dup2(fd, 0x100) == 0x100);
	close(fd);
	stats_print(-1, nowhere);
	close(0x100);
	return 0;
}
