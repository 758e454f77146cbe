// SPDX-License-Identifier: GPL-2.0
/*
 * Boots another kernel out of this one, and is that kernel's init.
 *
 * kexec KERNEL INITRD: a guest runs on each CPU, then the kernel is started.
 * As init, it says how many CPUs there are, loads the module and runs a guest.
 * A CPU left in VMX operation ignores INIT: the new kernel would not get it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "tap.h"

static void run_one(const char *name)
{
	int status;

	if (!fork()) {
		execl("/one", "one", "/dev/minivmm", NULL);
		execlp("one", "one", "/dev/minivmm", "forever", NULL);
		_exit(127);
	}
	if (!name)
		return;
	wait(&status);
	printf("%s: status %#x\n", name, status);
}

static int init(void)
{
	int fd, ret;

	mkdir("/proc", 0755);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	printf("after kexec: %ld CPUs\n", sysconf(_SC_NPROCESSORS_ONLN));
	fd = open("/minivmm.ko", O_RDONLY);
	ret = syscall(SYS_finit_module, fd, "", 0);
	printf("after kexec: the module: %s\n", strerror(ret ? errno : 0));
	run_one("after kexec: a guest");
	sync();
	sleep(1);
	return reboot(LINUX_REBOOT_CMD_POWER_OFF);
}

int main(int argc, char **argv)
{
	char cmdline[4096];
	int kernel, initrd, fd;
	ssize_t n;

	if (getpid() == 1)
		return init();
	if (argc != 3)
		bail("usage: %s KERNEL INITRD", argv[0]);
	kernel = open(argv[1], O_RDONLY);
	initrd = open(argv[2], O_RDONLY);
	fd = open("/proc/cmdline", O_RDONLY);
	n = read(fd, cmdline, sizeof(cmdline) - 1);
	if (kernel < 0 || initrd < 0 || n < 1)
		bail("cannot open what to boot");
	cmdline[n - 1] = 0;
	if (syscall(SYS_kexec_file_load, kernel, initrd, n, cmdline, 0))
		bail("kexec_file_load: %s", strerror(errno));
	run_one(NULL);
	run_one(NULL);
	sleep(1);
	printf("kexec\n");
	fflush(stdout);
	return reboot(LINUX_REBOOT_CMD_KEXEC);
}
