// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm-ctl: looks into virtual machines that run.
 *
 * A VM has no name but the descriptors that its process has of it. They are
 * found in /proc, and borrowed by pidfd_getfd(), which needs the right to debug
 * that process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include "../common/process.h"
#include "../common/vmcs.h"

#define VCPU_LINK	"anon_inode:minivmm-vcpu:"

static const char help[] =
"Usage: minivmm-ctl list\n"
"  or:  minivmm-ctl vmcs [OPTION]... [PID[:VCPU]]\n"
"Look into virtual machines of minivmm that run.\n"
"\n"
"  list               the vCPUs there are, and whose they are\n"
"  vmcs               all fields of the VMCS of each vCPU of the process PID, or of\n"
"                     one of them; PID may be left out if only one process has any\n"
"\n"
"      --diff[=TIME]  look twice, TIME seconds apart (1), and print what changed\n"
"      --json         print JSON, one object a line\n"
"  -h, --help         print this and end\n"
"      --version      print the version and end\n"
"\n"
"A vCPU goes on running. Those of other users need root; the host's addresses are\n"
"hidden from all others.\n"
"\n"
"Status: 0 done, 64 usage, 66 no such vCPU, 71 system error, 77 no permission.\n";

/**
 * struct target - a vCPU of some process
 * @pid: the process
 * @fd: its descriptor there
 * @id: the vCPU's number
 */
struct target {
	pid_t pid;
	int fd;
	long id;
};

static struct target *targets;
static size_t count;

__attribute__((format(printf, 1, 2)))
static void say(const char *fmt, ...)
{
	va_list args;

	fputs("minivmm-ctl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

/* A decimal number and nothing behind it; -1 for anything else */
static long number(const char *text)
{
	char *end;
	long value;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	return *end || errno ? -1 : value;
}

static int add(pid_t pid, int fd, long id)
{
	struct target *more = realloc(targets, (count + 1) * sizeof(*targets));

	if (!more)
		return -ENOMEM;
	targets = more;
	targets[count++] = (struct target) { pid, fd, id };
	return 0;
}

/* The vCPUs of one process; one whose descriptors we may not see has none. */
static int find_in(pid_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (length < 0)
			continue;
		link[length] = '\0';
		if (!strncmp(link, VCPU_LINK, strlen(VCPU_LINK)))
			ret = add(pid, number(entry->d_name), number(link + strlen(VCPU_LINK)));
	}
	closedir(dir);
	return ret;
}

static int by_place(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	return x->pid != y->pid ? x->pid - y->pid : x->fd - y->fd;
}

static int find_all(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int ret = 0;
	long pid;

	if (!dir) {
		say("/proc: %s", strerror(errno));
		return EX_OSERR;
	}
	while (!ret && (entry = readdir(dir))) {
		pid = number(entry->d_name);
		if (pid > 0)
			ret = find_in(pid);
	}
	closedir(dir);
	if (ret) {
		say("%s", strerror(-ret));
		return EX_OSERR;
	}
	if (count)
		qsort(targets, count, sizeof(*targets), by_place);
	return EX_OK;
}

/* A descriptor of the same vCPU, ours; a status if there is none */
static int borrow(const struct target *target, int *fd)
{
	int process = syscall(SYS_pidfd_open, target->pid, 0), err;

	*fd = process < 0 ? -1 : syscall(SYS_pidfd_getfd, process, target->fd, 0);
	err = errno;
	if (process >= 0)
		close(process);
	if (*fd >= 0)
		return EX_OK;
	say("vCPU %ld of process %d: %s%s", target->id, target->pid, strerror(err),
	    err == EPERM ? " (that is what debuggers may do: be root)" : "");
	return err == EPERM ? EX_NOPERM : EX_NOINPUT;
}

static int look(const struct target *target, int fd, struct vmcs *vmcs)
{
	int err = vmcs_read(fd, 0, vmcs);

	if (!err)
		return EX_OK;
	say("vCPU %ld of process %d: %s%s", target->id, target->pid, strerror(-err),
	    err == -EINVAL ? " (is the module older than this program?)" : "");
	return EX_OSERR;
}

static void print_json(const struct target *target, const struct vmcs *vmcs,
		       const struct vmcs *before)
{
	json_t *object = vmcs_json(vmcs, before);

	json_object_set_new(object, "pid", json_integer(target->pid));
	json_object_set_new(object, "vcpu", json_integer(target->id));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

static int print_vmcs(const struct target *target, double interval, bool json)
{
	struct timespec pause = {
		.tv_sec = interval, .tv_nsec = (interval - (long)interval) * 1e9,
	};
	struct vmcs vmcs, before;
	int fd, status;

	status = borrow(target, &fd);
	if (status)
		return status;
	status = look(target, fd, &vmcs);
	if (!status && interval > 0) {
		before = vmcs;
		nanosleep(&pause, NULL);
		status = look(target, fd, &vmcs);
	}
	close(fd);
	if (status)
		return status;
	if (json) {
		print_json(target, &vmcs, interval > 0 ? &before : NULL);
	} else if (interval > 0) {
		printf("vCPU %ld of process %d, from VM exit %llu to %llu\n", target->id,
		       target->pid, before.exits, vmcs.exits);
		vmcs_print(stdout, &vmcs, &before);
	} else {
		printf("vCPU %ld of process %d, after %llu VM exits\n", target->id,
		       target->pid, vmcs.exits);
		vmcs_print(stdout, &vmcs, NULL);
	}
	return EX_OK;
}

static int list(void)
{
	char name[64];
	size_t i;

	if (!count) {
		say("no vCPUs of minivmm%s", geteuid() ? " (root sees those of others)" : "");
		return EX_NOINPUT;
	}
	puts("    PID  VCPU    FD  COMMAND");
	for (i = 0; i < count; i++) {
		process_command(targets[i].pid, name, sizeof(name));
		printf("%7d %5ld %5d  %s\n", targets[i].pid, targets[i].id, targets[i].fd, name);
	}
	return EX_OK;
}

/* PID or PID:VCPU */
static int parse_target(char *text, long *pid, long *id)
{
	char *colon = strchr(text, ':');

	if (colon)
		*colon = '\0';
	*pid = number(text);
	*id = colon ? number(colon + 1) : -1;
	if (*pid > 0 && (!colon || *id >= 0))
		return EX_OK;
	say("%s%s%s: not PID or PID:VCPU (minivmm-ctl list)", text, colon ? ":" : "",
	    colon ? colon + 1 : "");
	return EX_USAGE;
}

static int vmcs(char *which, double interval, bool json)
{
	long pid = -1, id = -1;
	bool found = false;
	int status = EX_OK;
	size_t i;

	if (which) {
		status = parse_target(which, &pid, &id);
		if (status)
			return status;
	} else if (count) {
		pid = targets[0].pid;
		if (targets[count - 1].pid != pid) {
			say("more than one process has VMs: say which (minivmm-ctl list)");
			return EX_USAGE;
		}
	}
	for (i = 0; i < count && !status; i++) {
		if (targets[i].pid != pid || (id >= 0 && targets[i].id != id))
			continue;
		found = true;
		status = print_vmcs(&targets[i], interval, json);
	}
	if (found)
		return status;
	say("no such vCPU of minivmm%s", geteuid() ? " (root sees those of others)" : "");
	return EX_NOINPUT;
}

static double parse_interval(const char *text)
{
	char *end;
	double value;

	if (!text)
		return 1;
	value = strtod(text, &end);
	return end == text || *end || !(value > 0) || value > 86400 ? -1 : value;
}

static int finish(int status)
{
	free(targets);
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	say("standard output: %s", strerror(errno));
	return EX_IOERR;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "diff",	optional_argument,	NULL,	'd' },
		{ "json",	no_argument,		NULL,	'j' },
		{ "help",	no_argument,		NULL,	'h' },
		{ "version",	no_argument,		NULL,	'v' },
		{ NULL,		0,			NULL,	0 },
	};
	bool is_vmcs, json = false;
	double interval = 0;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			interval = parse_interval(optarg);
			if (interval > 0)
				break;
			say("--diff=%s: not a number of seconds", optarg);
			return EX_USAGE;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return finish(EX_OK);
		case 'v':
			puts("minivmm-ctl " PROGRAM_VERSION);
			return finish(EX_OK);
		default:
			fputs("Try: minivmm-ctl --help\n", stderr);
			return EX_USAGE;
		}
	}
	is_vmcs = optind < argc && !strcmp(argv[optind], "vmcs");
	if (optind == argc || (!is_vmcs && strcmp(argv[optind], "list")) ||
	    argc - optind > 1 + is_vmcs || (!is_vmcs && (json || interval > 0))) {
		say("%s\nTry: minivmm-ctl --help", optind == argc ? "list or vmcs?" :
		    "only \"list\", and \"vmcs\" with its options, are known");
		return EX_USAGE;
	}
	status = find_all();
	if (!status)
		status = is_vmcs ? vmcs(argv[optind + 1], interval, json) : list();
	return finish(status);
}
