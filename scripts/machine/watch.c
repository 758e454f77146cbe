// SPDX-License-Identifier: GPL-2.0
/*
 * watch: runs Bochs for scripts/lab and judges what happens.
 *
 *	watch [options] -- BOCHS ARGUMENTS...
 *
 * Bochs's standard output carries the agent's packets (protocol.h). COMMAND's
 * output goes to ours, the kernel's log to a file; the exit status is COMMAND's
 * or one of those below. Bochs cannot outlive this program: it is killed when
 * we end, however we end.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

/* Exit statuses of our own; Documentation/lab.rst lists them. */
enum {
	STATUS_NO_BOOT = 121,
	STATUS_NO_MODULE = 122,
	STATUS_KERNEL = 123,
	STATUS_TIMEOUT = 124,
	STATUS_DIED = 125,
};

static struct {
	const char *console;	/* what the machine's serial console wrote */
	const char *bochs_log;
	const char *log;	/* all of it, for whoever looks for the cause */
	const char *terminal;	/* our end of the serial line in a --shell */
	double boot_timeout, timeout;
	bool progress;
} opt = {
	.boot_timeout = 300,
};

static FILE *log_file;
static pid_t bochs;
static volatile sig_atomic_t got_signal;
static double t_start, t_mark;

static struct {
	bool booted, ready, started, exited, ended;
	int status;
	enum lab_failure failure;
	char failure_text[512];
	char complaint[256];	/* the kernel's first words of trouble */
	bool dead;		/* the kernel panicked: nothing more will come */
} seen;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("lab: ", log_file);
	vfprintf(log_file, format, ap);
	fputc('\n', log_file);
	va_end(ap);
}

/* A line of progress: what was just done and how long it took. */
static void progress(const char *what)
{
	double t = now();

	if (opt.progress)
		fprintf(stderr, "lab: %6.1f s  %s (%.1f s)\n", t - t_start, what, t - t_mark);
	t_mark = t;
}

static void put(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (n < 0)
			return;		/* nobody reads: SIGPIPE told us already */
		data += n;
		size -= n;
	}
}

/*
 * Words with which the kernel reports that something is wrong with it. "Call
 * Trace:" is the net under all of them; a backtrace that was asked for with
 * SysRq (NMI backtrace, task list) is no complaint.
 */
static const char *const complaints[] = {
	"BUG: ", "kernel BUG at", "WARNING: CPU:", "WARNING: possible", "WARNING: suspicious",
	"WARNING: inconsistent", "WARNING: bad unlock", "WARNING: held lock",
	"WARNING: lock held", "WARNING: Nested lock", "WARNING: stack", "Oops: ",
	"general protection fault", "unable to handle", "divide error:",
	"invalid opcode: 0000", "double fault", "stack segment: ", "segment not present:",
	"possible circular locking", "possible recursive locking", "suspicious RCU usage",
	"detected stall", "detected expedited stall", "self-detected stall", "rcu: INFO:",
	"soft lockup", "hard LOCKUP", "blocked for more than", "hogged CPU", "refcount_t: ",
	"list_add corruption", "list_del corruption", "slab-out-of-bounds", "use-after-free",
	"UBSAN: ", "KASAN: ", "unchecked MSR access error", "bad page state", "Bad page map",
	"scheduling while atomic", "sleeping function called", "DEBUG_LOCKS_WARN_ON",
	"Kernel panic", "Machine check", "[Hardware Error]", "traps: PANIC", "irq event stamp",
	"nobody cared", "INFO: NMI handler", "Call Trace:",
};

static void judge_line(const char *line)
{
	static bool asked_for;

	if (strstr(line, "Kernel panic"))
		seen.dead = true;
	if (strstr(line, "sysrq: "))
		asked_for = true;
	/* What the kernel says of the emulated machine at boot is no failure. */
	if (seen.complaint[0] || (!seen.ready && !seen.dead))
		return;
	for (size_t i = 0; i < sizeof(complaints) / sizeof(*complaints); i++) {
		if (!strstr(line, complaints[i]))
			continue;
		if (asked_for && !strcmp(complaints[i], "Call Trace:"))
			continue;
		snprintf(seen.complaint, sizeof(seen.complaint), "%s", line);
		return;
	}
}

/* One record of /dev/kmsg: "priority,sequence,microseconds,flags;text". */
static void kernel_record(char *record)
{
	char *text = strchr(record, ';'), *end;
	unsigned long long usec = 0;

	if (!text)
		return;
	*text++ = 0;
	end = strchr(text, '\n');
	if (end)
		*end = 0;	/* what follows are keys of the device model */
	sscanf(record, "%*u,%*u,%llu", &usec);
	fprintf(log_file, "[%5llu.%06llu] %s\n", usec / 1000000, usec % 1000000, text);
	judge_line(text);
}

/*
 * The console repeats what /dev/kmsg says, and says what the agent cannot say
 * any more after a panic. Complete lines only.
 */
static void read_console(void)
{
	static int fd = -1;
	static char line[1024];
	static size_t fill;
	char data[4096];
	ssize_t n;

	if (!opt.console)
		return;
	if (fd < 0)
		fd = open(opt.console, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((n = read(fd, data, sizeof(data))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (data[i] != '\n' && fill < sizeof(line) - 1) {
				line[fill++] = data[i];
				continue;
			}
			line[fill] = 0;
			fill = 0;
			judge_line(line);
		}
	}
}

static void handle(enum lab_packet type, uint8_t *data, size_t size)
{
	char text[LAB_DATA_MAX + 64];

	data[size] = 0;
	switch (type) {
	case LAB_STDOUT:
		put(STDOUT_FILENO, data, size);
		break;
	case LAB_STDERR:
		put(STDERR_FILENO, data, size);
		break;
	case LAB_KMSG:
		kernel_record((char *)data);
		break;
	case LAB_BOOTED:
		seen.booted = true;
		snprintf(text, sizeof(text), "Linux %s is up", (char *)data);
		progress(text);
		break;
	case LAB_READY:
		read_console();
		seen.ready = true;
		break;
	case LAB_LOADED:
		snprintf(text, sizeof(text), "module %s is loaded", (char *)data);
		progress(text);
		break;
	case LAB_STARTED:
		seen.started = true;
		progress("COMMAND starts");
		break;
	case LAB_EXITED:
		seen.exited = true;
		seen.status = data[0];
		snprintf(text, sizeof(text), "COMMAND ended with status %d", seen.status);
		progress(text);
		break;
	case LAB_FAILED:
		seen.failure = data[0];
		snprintf(seen.failure_text, sizeof(seen.failure_text), "%.500s", (char *)data + 1);
		break;
	case LAB_NOTE:
		note("%s", (char *)data);
		break;
	case LAB_END:
		seen.ended = true;
		break;
	default:
		note("packet of unknown type %d", type);
	}
}

/* Takes Bochs's output apart; what is in no packet are Bochs's own words. */
static void parse(const uint8_t *in, size_t size)
{
	static uint8_t packet[LAB_HEADER + LAB_DATA_MAX + 1];
	static size_t fill;

	for (size_t i = 0; i < size && !seen.ended; i++) {
		size_t length;

		packet[fill++] = in[i];
		if (packet[0] != LAB_MAGIC0 || (fill > 1 && packet[1] != LAB_MAGIC1)) {
			fwrite(packet, 1, fill, log_file);
			fill = 0;
			continue;
		}
		if (fill < LAB_HEADER)
			continue;
		length = packet[3] | packet[4] << 8;
		if (length > LAB_DATA_MAX) {
			note("a damaged packet from the machine");
			fill = 0;
			continue;
		}
		if (fill < LAB_HEADER + length)
			continue;
		handle(packet[2], packet + LAB_HEADER, length);
		fill = 0;
	}
}

static void on_signal(int signal)
{
	got_signal = signal;
}

static int start_bochs(char **argv)
{
	int fds[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t parent = getpid();

	if (pipe2(fds, O_CLOEXEC) < 0 || null < 0)
		err(STATUS_DIED, "pipe");
	bochs = fork();
	if (bochs < 0)
		err(STATUS_DIED, "fork");
	if (!bochs) {
		/* Ctrl-C is for us; and never leave an orphan that burns a CPU. */
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(STATUS_DIED);
		dup2(null, STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execvp(argv[0], argv);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(fds[1]);
	close(null);
	return fds[0];
}

static void append_file(const char *title, const char *name)
{
	FILE *f = name ? fopen(name, "r") : NULL;
	char buffer[4096];
	size_t n;

	if (!f)
		return;
	fprintf(log_file, "\n==== %s ====\n", title);
	while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
		fwrite(buffer, 1, n, log_file);
	fclose(f);
}

static int fail(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fprintf(stderr, "lab: FAILED: ");
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nlab: the log is in %s\n", opt.log);
	return status;
}

static int verdict(bool timed_out)
{
	if (seen.complaint[0] && seen.ready)
		return fail(STATUS_KERNEL, "the kernel complained: %s%s", seen.complaint,
			    !seen.exited ? "" : seen.status ?
			    " (COMMAND failed, too)" : " (COMMAND ended with status 0)");
	if (seen.ended && seen.failure) {
		switch (seen.failure) {
		case LAB_NO_BOOT:
			return fail(STATUS_NO_BOOT, "the machine did not boot: %s",
				    seen.failure_text);
		case LAB_NO_MODULE:
			return fail(STATUS_NO_MODULE, "the module did not load: %s",
				    seen.failure_text);
		default:
			return fail(STATUS_KERNEL, "%s", seen.failure_text);
		}
	}
	if (seen.ended && seen.exited) {
		if (seen.status >= 120 && seen.status <= 125)
			fprintf(stderr, "lab: status %d is COMMAND's own\n", seen.status);
		return seen.status;
	}
	if (seen.dead)
		return fail(STATUS_NO_BOOT, "the machine did not boot: %s", seen.complaint);
	if (timed_out && seen.started)
		return fail(STATUS_TIMEOUT, "COMMAND ran past its %.0f s", opt.timeout);
	if (timed_out)
		return fail(STATUS_NO_BOOT, "the machine did not boot within %.0f s",
			    opt.boot_timeout);
	return fail(STATUS_DIED, "Bochs died%s", seen.booted ? "" : " before Linux was up");
}

static int watch(char **argv)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = on_signal };
	bool timed_out = false;
	double deadline, dead_since = 0;
	int status, out;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	out = start_bochs(argv);
	progress("Bochs is started");
	deadline = t_start + opt.boot_timeout;
	while (!seen.ended && !got_signal) {
		static uint8_t data[65536];
		struct pollfd p = { .fd = out, .events = POLLIN };
		bool was_started = seen.started;
		ssize_t n = 0;

		if (poll(&p, 1, 100) > 0) {
			n = read(out, data, sizeof(data));
			if (n <= 0 && errno != EINTR)
				break;
			if (n > 0)
				parse(data, n);
		}
		if (!was_started && seen.started)
			deadline = opt.timeout > 0 ? now() + opt.timeout : 0;
		read_console();
		/* After a panic: time for the rest of its words, then the end. */
		if (seen.dead && !dead_since)
			dead_since = now();
		if (dead_since && now() > dead_since + 2)
			break;
		if (deadline && now() > deadline) {
			timed_out = true;
			break;
		}
	}
	kill(bochs, SIGKILL);
	while (waitpid(bochs, NULL, 0) < 0 && errno == EINTR)
		;
	read_console();
	append_file("serial console", opt.console);
	append_file("Bochs", opt.bochs_log);
	fflush(log_file);
	if (got_signal) {
		signal(got_signal, SIG_DFL);
		return 128 + got_signal;
	}
	status = verdict(timed_out);
	progress("machine is off");
	return status;
}

int main(int argc, char **argv)
{
	enum { CONSOLE = 1, BOCHS_LOG, LOG, BOOT_TIMEOUT, TIMEOUT, PROGRESS };
	static const struct option options[] = {
		{ "console", required_argument, NULL, CONSOLE },
		{ "bochs-log", required_argument, NULL, BOCHS_LOG },
		{ "log", required_argument, NULL, LOG },
		{ "boot-timeout", required_argument, NULL, BOOT_TIMEOUT },
		{ "timeout", required_argument, NULL, TIMEOUT },
		{ "progress", no_argument, NULL, PROGRESS },
		{ }
	};
	int c;

	t_start = t_mark = now();
	while ((c = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		switch (c) {
		case CONSOLE:
			opt.console = optarg;
			break;
		case BOCHS_LOG:
			opt.bochs_log = optarg;
			break;
		case LOG:
			opt.log = optarg;
			break;
		case BOOT_TIMEOUT:
			opt.boot_timeout = atof(optarg);
			break;
		case TIMEOUT:
			opt.timeout = atof(optarg);
			break;
		case PROGRESS:
			opt.progress = true;
			break;
		default:
			return 120;
		}
	}
	if (optind == argc || !opt.log)
		errx(120, "usage: see the head of watch.c");
	log_file = fopen(opt.log, "we");
	if (!log_file)
		err(120, "%s", opt.log);
	return watch(argv + optind);
}
