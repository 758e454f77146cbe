// SPDX-License-Identifier: GPL-2.0
/*
 * Memory runs out while the module is loaded, and when a CPU enters VMX
 * operation. Needs minivmm not to be loaded; inject.h
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "tap.h"
#include "vm.h"
#include "inject.h"

#define MODULE		"minivmm"

static const char *device;
static int module_file = -1;

static long get_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n;

	if (!f || fscanf(f, "%ld", &n) != 1)
		bail("%s: %s", path, strerror(errno));
	fclose(f);
	return n;
}

static long load(void)
{
	return syscall(SYS_finit_module, module_file, "", 0);
}

/*
 * What the kernel allocates for a module before it calls that: it warns when
 * that fails, which is not our business. It reads the parameters last.
 */
static int allocations_before_init(void)
{
	const int many = 100000;
	int i, most = 0, n;

	for (i = 0; i < 3; i++) {
		inject_arm(many);
		if (!syscall(SYS_finit_module, module_file, "vpid=2", 0) ||
		    errno != EINVAL)
			bail("a wrong parameter: %s", strerror(errno));
		n = many - inject_disarm();
		most = n > most ? n : most;
	}
	diag("allocations before the module's own: %d", most);
	return most;
}

static void unload(long ret)
{
	(void)ret;
	if (syscall(SYS_delete_module, MODULE, O_NONBLOCK))
		bail("unloading: %s", strerror(errno));
}

/* The thread that does a CPU's part when it is brought online, or asked to */
static int hotplug_thread(int cpu)
{
	char want[32], path[64], name[32];
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	FILE *f;

	snprintf(want, sizeof(want), "cpuhp/%d", cpu);
	while (dir && (entry = readdir(dir))) {
		if (!atoi(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/comm", atoi(entry->d_name));
		f = fopen(path, "r");
		if (f && fscanf(f, "%31s", name) == 1 && !strcmp(name, want)) {
			fclose(f);
			closedir(dir);
			return atoi(entry->d_name);
		}
		if (f)
			fclose(f);
	}
	bail("no thread %s", want);
}

/*
 * The page for VMXON is allocated by that thread, once after the module was
 * loaded. Let the first page that it wants be refused, then the second …
 */
static void try_vmxon(int cpu)
{
	int skip_pages, failed = 0, wrong = 0;
	char path[64], text[16];
	bool injected;
	int fd, sys, err;

	snprintf(path, sizeof(path), "/proc/%d/make-it-fail", hotplug_thread(cpu));
	put_file(path, "1");
	put_file(DEBUGFS "fail_page_alloc/task-filter", "Y");
	put_file(DEBUGFS "fail_page_alloc/interval", "1");
	for (skip_pages = 0; skip_pages < 100; skip_pages++) {
		if (load())
			bail("loading: %s", strerror(errno));
		sys = open(device, O_RDWR | O_CLOEXEC);
		/* "space" is used up while it is more than what is wanted. */
		snprintf(text, sizeof(text), "%d", skip_pages ? skip_pages + 1 : 0);
		put_file(DEBUGFS "fail_page_alloc/space", text);
		put_file(DEBUGFS "fail_page_alloc/times", "1");
		put_file(DEBUGFS "fail_page_alloc/probability", "100");
		fd = ioctl(sys, KVM_CREATE_VM, 0);
		err = errno;
		put_file(DEBUGFS "fail_page_alloc/probability", "0");
		injected = get_number(DEBUGFS "fail_page_alloc/times") == 0;
		if (fd < 0) {
			failed++;
			if (!injected || err != ENOMEM) {
				diag("page %d: %s", skip_pages + 1, errno_name(err));
				wrong++;
			}
			fd = ioctl(sys, KVM_CREATE_VM, 0);
			if (fd < 0) {
				diag("after page %d: %s", skip_pages + 1,
				     errno_name(errno));
				wrong++;
			}
		}
		close(fd);
		close(sys);
		unload(0);
		if (!injected)
			break;
	}
	put_file(path, "0");
	ok(failed && !wrong && !injected, "KVM_CREATE_VM without memory on CPU %d", cpu);
}

int main(int argc, char **argv)
{
	struct utsname name;
	char path[256];
	int cpu;

	device = argc > 1 ? argv[1] : "/dev/" MODULE;
	if (!inject_init())
		return done_testing();
	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/" MODULE ".ko", name.release);
	module_file = open(path, O_RDONLY | O_CLOEXEC);
	if (module_file < 0)
		bail("%s: %s", path, strerror(errno));
	inject_from(&(struct call){ "loading the module", .call = load, .undo = unload },
		    allocations_before_init() + 1);
	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		try_vmxon(cpu);
	return done_testing();
}
