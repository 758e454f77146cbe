// SPDX-License-Identifier: GPL-2.0
/*
 * /sbin/modprobe of the lab machine.
 *
 * The kernel's modules lie in memory that Linux does not use; unpacking all of
 * them at every boot would cost more than the rest of the boot. This program
 * asks busybox's modprobe which files it is going to load, copies those that
 * are not there yet to their place, and then lets it load them.
 *
 *	/lab/modules.at		physical address of the packed modules
 *	/lab/modules.index	one line a module: path offset size
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUSYBOX "/bin/busybox"
#define APPLET "modprobd"	/* busybox's modprobe; scripts/lab renamed it */

static void make_folders(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			err(1, "%s", path);
		*p = '/';
	}
}

static void unpack(char *path, unsigned long address, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE), skip = address % page, done = 0;
	int mem = open("/dev/mem", O_RDONLY | O_CLOEXEC), out;
	char temporary[4096];
	char *data;

	if (mem < 0)
		err(1, "/dev/mem");
	data = mmap(NULL, size + skip, PROT_READ, MAP_SHARED, mem, address - skip);
	if (data == MAP_FAILED)
		err(1, "mapping the packed modules at %#lx", address);
	make_folders(path);
	/* Two at once are possible: the kernel calls us, too. */
	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0)
		err(1, "%s", temporary);
	while (done < size) {
		ssize_t n = write(out, data + skip + done, size - done);

		if (n <= 0)
			err(1, "%s", temporary);
		done += n;
	}
	if (close(out) < 0 || rename(temporary, path) < 0)
		err(1, "%s", path);
	munmap(data, size + skip);
	close(mem);
}

static void fetch(char *path)
{
	unsigned long base, offset, size;
	FILE *f = fopen("/lab/modules.at", "re");
	char line[4096];
	size_t length = strlen(path);

	if (!access(path, F_OK))
		return;
	if (!f || fscanf(f, "%lx", &base) != 1)
		errx(1, "/lab/modules.at: no address in it");
	fclose(f);
	f = fopen("/lab/modules.index", "re");
	if (!f)
		err(1, "/lab/modules.index");
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, path, length) || line[length] != ' ')
			continue;
		if (sscanf(line + length, "%lu %lu", &offset, &size) == 2)
			unpack(path, base + offset, size);
		break;
	}
	fclose(f);
}

static void fetch_all(char **argv, int argc)
{
	char *ask[argc + 3], line[4096];
	int fds[2];
	FILE *f;

	ask[0] = APPLET;
	ask[1] = "-D";
	memcpy(ask + 2, argv + 1, argc * sizeof(*argv));
	if (pipe(fds) < 0)
		err(1, "pipe");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		fds[0] = open("/dev/null", O_WRONLY);
		dup2(fds[0], STDERR_FILENO);
		execv(BUSYBOX, ask);
		_exit(127);
	}
	close(fds[1]);
	f = fdopen(fds[0], "r");
	while (f && fgets(line, sizeof(line), f)) {
		char *path = line + strlen("insmod ");

		if (strncmp(line, "insmod ", strlen("insmod ")))
			continue;
		path[strcspn(path, "\n ")] = 0;
		fetch(path);
	}
	if (f)
		fclose(f);
	wait(NULL);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc && argv[i][0] == '-'; i++)
		if (strpbrk(argv[i], "rDl"))
			goto run;
	fetch_all(argv, argc);
run:
	argv[0] = APPLET;
	execv(BUSYBOX, argv);
	err(127, BUSYBOX);
}
