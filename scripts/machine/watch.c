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
#include <dirent.h>
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
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "judge.h"
#include "protocol.h"
#include "terminal.h"

/* Exit statuses of our own; Documentation/lab.rst lists them. */
enum {
	STATUS_NO_BOOT = 121,
	STATUS_NO_MODULE = 122,
	STATUS_KERNEL = 123,
	STATUS_TIMEOUT = 124,
	STATUS_DIED = 125,
};

static struct {
	const char *dir;	/* this run's folder; it goes when we go */
	char *console;		/* what the machine's serial console wrote */
	char *bochs_log;
	const char *log;	/* all of it, for whoever looks for the cause */
	const char *keep;	/* where the log goes if something fails */
	double boot_timeout, timeout;
	bool progress;
	bool shell;		/* a person (or a pipe) at the serial console */
	bool debug;		/* a person at Bochs's debugger */
} opt = {
	.boot_timeout = 300,
};

static FILE *log_file;
static pid_t bochs;
static volatile sig_atomic_t got_signal;
static double t_start, t_mark;
static bool stdin_open = true;
static int person = -1;	/* our end of the pseudo-terminal of a --shell or --debug */

static struct {
	bool booted, started, exited, ended;
	int status;
	enum lab_failure failure;
	char failure_text[512];
	bool left;		/* the person turned the machine off */
	char panic[256];	/* Bochs's last words */
	bool unheard;		/* nobody reads our output any more */
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
		fprintf(stderr, "%slab: %6.1f s  %s (%.1f s)\n",
			isatty(STDERR_FILENO) ? "\r\033[K" : "", t - t_start, what, t - t_mark);
	t_mark = t;
}

/* While the machine boots, a person sees the seconds go by. */
static void tick(void)
{
	static double last;

	if (!opt.progress || seen.started || !isatty(STDERR_FILENO) || now() < last + 0.2)
		return;
	last = now();
	fprintf(stderr, "\r\033[Klab: %6.1f s  %s ...", last - t_start,
		seen.booted ? "the module is loaded" : "Linux boots");
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
		if (n < 0) {
			seen.unheard = true;
			return;
		}
		data += n;
		size -= n;
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
	if (sscanf(record, "%*u,%*u,%llu", &usec) != 1)
		usec = 0;
	fprintf(log_file, "[%5llu.%06llu] %s\n", usec / 1000000, usec % 1000000, text);
	judge_line(text);
}

static void read_console(void)
{
	static int fd = -1;
	char data[4096];
	ssize_t n;

	if (fd < 0)
		fd = open(opt.console, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((n = read(fd, data, sizeof(data))) > 0)
		judge_console(data, n);
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
		judged.counting = true;
		break;
	case LAB_LOADED:
		snprintf(text, sizeof(text), "module %s is loaded", (char *)data);
		progress(text);
		break;
	case LAB_STARTED:
		seen.started = true;
		progress(opt.shell ? "the shell starts" : "COMMAND starts");
		if (opt.shell && terminal_is_tty())
			fprintf(stderr, "lab: 'exit' or Ctrl-D ends the shell and the machine; "
				ESCAPE_NAME " turns it off at once.\n");
		if (opt.shell)
			terminal_raw();
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

/* Bochs's own words: for the log, or for the person at its debugger. */
static void own_words(const uint8_t *data, size_t size)
{
	fwrite(data, 1, size, log_file);
	if (!opt.debug)
		return;
	for (size_t i = 0; i < size; i++) {
		/* The terminal is raw. */
		if (data[i] == '\n' && terminal_is_tty())
			put(STDOUT_FILENO, (const uint8_t *)"\r", 1);
		put(STDOUT_FILENO, data + i, 1);
	}
}

/* Takes Bochs's output apart; what is in no packet are its own words. */
static void parse(const uint8_t *in, size_t size)
{
	static uint8_t packet[LAB_HEADER + LAB_DATA_MAX + 1];
	static size_t fill;

	for (size_t i = 0; i < size && !seen.ended; i++) {
		size_t length;

		packet[fill++] = in[i];
		if (packet[0] != LAB_MAGIC0 || (fill > 1 && packet[1] != LAB_MAGIC1)) {
			own_words(packet, fill);
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

/* Returns where Bochs's output comes from. */
static int start_bochs(char **argv)
{
	char slave[64] = "", link[4096];
	int fds[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t parent = getpid();

	if (pipe2(fds, O_CLOEXEC) < 0 || null < 0)
		err(STATUS_DIED, "pipe");
	if (opt.shell || opt.debug)
		person = terminal_pair(slave, sizeof(slave));
	if (opt.shell) {
		/* The name that the serial port's settings have. */
		snprintf(link, sizeof(link), "%s/tty", opt.dir);
		if (symlink(slave, link) < 0)
			err(STATUS_DIED, "%s", link);
	}
	bochs = fork();
	if (bochs < 0)
		err(STATUS_DIED, "fork");
	if (!bochs) {
		/* Ctrl-C is for us; and never leave an orphan that burns a CPU. */
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(STATUS_DIED);
		if (opt.debug) {
			/* A terminal of its own: Ctrl-C there stops the machine. */
			fds[1] = open(slave, O_RDWR);
			ioctl(fds[1], TIOCSCTTY, 0);
			null = fds[1];
		}
		dup2(null, STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execvp(argv[0], argv);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(fds[1]);
	close(null);
	if (opt.debug) {
		close(fds[0]);
		return person;
	}
	return fds[0];
}

/* Keys to the machine or to the debugger. */
static void from_person(void)
{
	static const char end_of_file = 4;
	uint8_t data[256];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n < 0)
		return;
	if (n == 0) {
		put(person, (const uint8_t *)&end_of_file, 1);
		stdin_open = false;
		return;
	}
	if (terminal_is_tty() && memchr(data, ESCAPE, n)) {
		seen.left = true;
		return;
	}
	put(person, data, n);
}

/* What the serial console of a --shell says; false when there is nothing. */
static bool from_console(void)
{
	struct pollfd p = { .fd = person, .events = POLLIN };
	char data[4096];
	ssize_t n;

	if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
		return false;
	n = read(person, data, sizeof(data));
	if (n <= 0)
		return false;
	if (seen.started)
		put(STDOUT_FILENO, (const uint8_t *)data, n);
	fwrite(data, 1, n, log_file);
	judge_console(data, n);
	return true;
}

/* Lines of Bochs that come at every tick of Linux and mean nothing. */
static bool is_noise(const char *line)
{
	return strstr(line, "RDMSR: Unknown register 0xe7") ||
	       strstr(line, "RDMSR: Unknown register 0xe8");
}

/* Bochs's last words, if it has said why it ends. */
static void find_panic(const char *name)
{
	static const char mark[] = ">>PANIC<< ";
	FILE *f = fopen(name, "r");
	char line[4096], *panic;

	while (f && fgets(line, sizeof(line), f)) {
		panic = strstr(line, mark);
		if (!panic)
			continue;
		panic += strlen(mark);
		panic[strcspn(panic, "\n")] = 0;
		snprintf(seen.panic, sizeof(seen.panic), "%.250s", panic);
	}
	if (f)
		fclose(f);
}

static void append_file(const char *title, const char *name)
{
	FILE *f = fopen(name, "r");
	char line[4096];

	if (!f)
		return;
	fprintf(log_file, "\n==== %s ====\n", title);
	while (fgets(line, sizeof(line), f))
		if (!is_noise(line))
			fputs(line, log_file);
	fclose(f);
}

static int fail(int status, const char *format, ...)
{
	const char *log = opt.log;
	va_list ap;

	if (opt.keep && !rename(opt.log, opt.keep))
		log = opt.keep;
	fprintf(stderr, "lab: FAILED: ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nlab: the log is in %s\n", log);
	return status;
}

static int verdict(bool timed_out)
{
	const char *also = !seen.exited ? "" : seen.status ? " (and COMMAND failed)" :
		" (although COMMAND ended with status 0)";

	if (judged.complaint[0] && judged.counting)
		return fail(STATUS_KERNEL, "the kernel complained: %s%s", judged.complaint, also);
	if (seen.ended && seen.failure) {
		switch (seen.failure) {
		case LAB_NO_BOOT:
			return fail(STATUS_NO_BOOT, "the machine did not boot: %s",
				    seen.failure_text);
		case LAB_NO_MODULE:
			return fail(STATUS_NO_MODULE, "the module did not load: %s",
				    seen.failure_text);
		default:
			return fail(STATUS_KERNEL, "%s%s", seen.failure_text, also);
		}
	}
	if (seen.ended && seen.exited) {
		if (seen.status >= 120 && seen.status <= 125)
			fprintf(stderr, "lab: status %d is COMMAND's own\n", seen.status);
		return seen.status;
	}
	if (seen.left)
		return 0;
	if (judged.dead)
		return fail(STATUS_NO_BOOT, "the machine did not boot: %s", judged.complaint);
	if (timed_out && seen.started)
		return fail(STATUS_TIMEOUT, "COMMAND ran past its %.0f s", opt.timeout);
	if (timed_out)
		return fail(STATUS_NO_BOOT, "the machine did not boot within %.0f s",
			    opt.boot_timeout);
	if (!seen.booted)
		return fail(STATUS_NO_BOOT, "the machine did not boot: Bochs ended%s%s",
			    seen.panic[0] ? ": " : "", seen.panic);
	if (strstr(seen.panic, "soft power off"))
		return fail(STATUS_DIED, "the machine was turned off before COMMAND ended");
	return fail(STATUS_DIED, "Bochs died%s%s", seen.panic[0] ? ": " : "", seen.panic);
}

/* The folder of this run is flat. */
static void remove_dir(void)
{
	DIR *dir = opt.dir ? opendir(opt.dir) : NULL;
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(opt.dir);
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
	signal(SIGPIPE, SIG_IGN);
	out = start_bochs(argv);
	progress("Bochs is started");
	if (opt.debug)
		terminal_raw();
	deadline = opt.boot_timeout > 0 ? t_start + opt.boot_timeout : 0;
	while (!seen.ended && !seen.left && !seen.unheard && !got_signal) {
		static uint8_t data[65536];
		struct pollfd p[] = {
			{ .fd = out, .events = POLLIN },
			/* What is typed before there is a shell waits. */
			{ .fd = person >= 0 && stdin_open && (opt.debug || seen.started) ?
				STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = opt.shell ? person : -1, .events = POLLIN },
		};
		bool was_started = seen.started;
		ssize_t n = 0;

		if (poll(p, 3, 100) > 0) {
			if (p[1].revents)
				from_person();
			if (p[2].revents & POLLIN)
				from_console();
			if (p[0].revents) {
				n = read(out, data, sizeof(data));
				if (n <= 0 && errno != EINTR)
					break;
			}
			if (n > 0)
				parse(data, n);
		}
		if (!was_started && seen.started)
			deadline = opt.timeout > 0 ? now() + opt.timeout : 0;
		tick();
		if (!opt.shell)
			read_console();
		/* After a panic: time for the rest of its words, then the end. */
		if (judged.dead && !dead_since)
			dead_since = now();
		if (dead_since && now() > dead_since + 2)
			break;
		if (deadline && now() > deadline) {
			timed_out = true;
			break;
		}
		/* The debugger's "q" ends Bochs while we hold its terminal open. */
		if (opt.debug && waitpid(bochs, NULL, WNOHANG) == bochs) {
			bochs = 0;
			seen.left = true;
		}
	}
	if (bochs) {
		int how = 0;

		/* If it has ended by itself this does not change how. */
		kill(bochs, SIGKILL);
		while (waitpid(bochs, &how, 0) < 0 && errno == EINTR)
			;
		if (WIFSIGNALED(how) && WTERMSIG(how) != SIGKILL)
			note("Bochs was killed by signal %d", WTERMSIG(how));
		else if (WIFEXITED(how))
			note("Bochs ended with status %d", WEXITSTATUS(how));
	}
	/* What is on its way: the agent drained the line before it ended. */
	while (opt.shell && from_console())
		;
	terminal_restore();
	if (opt.progress && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (!opt.shell)
		read_console();
	append_file("serial console", opt.console);
	append_file("Bochs", opt.bochs_log);
	fflush(log_file);
	find_panic(opt.log);
	if (got_signal || seen.unheard) {
		remove_dir();
		signal(got_signal ? got_signal : SIGPIPE, SIG_DFL);
		raise(got_signal ? got_signal : SIGPIPE);
	}
	status = verdict(timed_out);
	progress("the machine is off");
	remove_dir();
	return status;
}

int main(int argc, char **argv)
{
	enum { DIR_ = 1, LOG, KEEP, BOOT_TIMEOUT, TIMEOUT, PROGRESS, SHELL, DEBUG };
	static const struct option options[] = {
		{ "dir", required_argument, NULL, DIR_ },
		{ "log", required_argument, NULL, LOG },
		{ "keep", required_argument, NULL, KEEP },
		{ "shell", no_argument, NULL, SHELL },
		{ "debug", no_argument, NULL, DEBUG },
		{ "boot-timeout", required_argument, NULL, BOOT_TIMEOUT },
		{ "timeout", required_argument, NULL, TIMEOUT },
		{ "progress", no_argument, NULL, PROGRESS },
		{ }
	};
	int c;

	t_start = now();
	t_mark = t_start;
	while ((c = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		switch (c) {
		case DIR_:
			opt.dir = optarg;
			break;
		case KEEP:
			opt.keep = optarg;
			break;
		case SHELL:
			opt.shell = true;
			break;
		case DEBUG:
			opt.debug = true;
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
	if (optind == argc || !opt.log || !opt.dir)
		errx(120, "usage: see the head of watch.c");
	if (asprintf(&opt.console, "%s/console", opt.dir) < 0 ||
	    asprintf(&opt.bochs_log, "%s/bochs.log", opt.dir) < 0)
		err(120, "memory");
	log_file = fopen(opt.log, "we");
	if (!log_file)
		err(120, "%s", opt.log);
	return watch(argv + optind);
}
