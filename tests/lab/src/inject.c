// SPDX-License-Identifier: GPL-2.0
/* Allocations that fail; inject.h says how. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "vm.h"
#include "inject.h"

static int fail_nth = -1;

void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		bail("%s: %s", path, strerror(errno));
	close(fd);
}

/* All allocations of the marked task may fail, and without many words. */
bool inject_init(void)
{
	if (access("/proc/self/fail-nth", F_OK)) {
		skip("this kernel has no fault injection", "calls without memory");
		return false;
	}
	put_file(DEBUGFS "failslab/ignore-gfp-wait", "N");
	put_file(DEBUGFS "failslab/verbose", "0");
	put_file(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N");
	put_file(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N");
	put_file(DEBUGFS "fail_page_alloc/min-order", "0");
	put_file(DEBUGFS "fail_page_alloc/verbose", "0");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		bail("/proc/thread-self/fail-nth: %s", strerror(errno));
	/* The program's own pages are there: a fault of ours tells nothing. */
	mlockall(MCL_CURRENT);
	return true;
}

void inject_arm(int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fail_nth, text, length, 0) != length)
		bail("fail-nth: %s", strerror(errno));
}

int inject_disarm(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		bail("fail-nth: %s", strerror(errno));
	inject_arm(0);
	return atoi(text);
}

void inject_from(const struct call *call, int first)
{
	int n, failed = 0, without = 0, wrong = 0;
	bool injected;
	long ret;
	int err;

	for (n = first; n < first + 5000; n++) {
		if (call->prepare)
			call->prepare();
		inject_arm(n);
		ret = call->call();
		err = errno;
		injected = !inject_disarm();
		if (ret >= 0) {
			without += injected;
		} else {
			failed++;
			if (!injected || (err != ENOMEM && err != call->also)) {
				diag("allocation %d: %s", n, errno_name(err));
				wrong++;
			}
			ret = call->call();
			if (ret < 0) {
				diag("after allocation %d: %s", n, errno_name(errno));
				wrong++;
			}
		}
		if (ret >= 0 && call->undo)
			call->undo(ret);
		if (!injected)
			break;
	}
	diag("%s: of %d allocations that failed, %d made it fail, %d did not",
	     call->name, failed + without, failed, without);
	ok(!wrong && !injected, "%s without memory", call->name);
}

void inject(const struct call *call)
{
	inject_from(call, 1);
}
