// SPDX-License-Identifier: GPL-2.0
/*
 * /init of the lab machine.
 *
 * Mounts what a system has mounted, checks the clock, loads the module, runs
 * COMMAND in /root and tells the host everything through port 0xe9
 * (protocol.h). It is told what to do by files in /lab:
 *
 *	argv	COMMAND and its arguments, each ended by a NUL
 *	module	load this module first (absent: load none)
 *	stdin	COMMAND's standard input (absent: /dev/null)
 *	shell	a person sits at the serial console: run COMMAND on it; the rows
 *		and columns of the terminal there, if known
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

#define DEAD_IO "lab: the agent lost its I/O permission bitmap (TSS limit or base damaged)\n"

/*
 * Whoever leaves the TSS with a wrong limit (a VM exit sets 0x67, without room
 * for the I/O bitmap) makes the next OUT here fault. Say so on the console;
 * the kernel panics when PID 1 ends, and the host reads both there.
 */
static void io_lost(int signal)
{
	int fd = open("/dev/console", O_WRONLY);

	(void)signal;
	if (write(fd, DEAD_IO, sizeof(DEAD_IO) - 1) < 0)
		_exit(2);
	_exit(1);
}

static void out(const void *data, size_t size)
{
	asm volatile("rep outsb" : "+S"(data), "+c"(size) : "d"(LAB_PORT) : "memory");
}

static void packet(enum lab_packet type, const void *data, size_t size)
{
	do {
		size_t part = size < LAB_DATA_MAX ? size : LAB_DATA_MAX;
		uint8_t head[LAB_HEADER] = { LAB_MAGIC0, LAB_MAGIC1, type, part, part >> 8 };

		out(head, sizeof(head));
		out(data, part);
		data = (const char *)data + part;
		size -= part;
	} while (size);
}

static void say(enum lab_packet type, const char *format, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	packet(type, text, n < (int)sizeof(text) ? n : (int)sizeof(text) - 1);
}

static int kmsg = -1;

/* Passes on what the kernel's log holds and we have not seen yet. */
static void drain_kmsg(void)
{
	char record[8192];
	ssize_t n;

	for (;;) {
		n = read(kmsg, record, sizeof(record));
		if (n > 0)
			packet(LAB_KMSG, record, n);
		else if (n < 0 && errno == EPIPE)
			say(LAB_NOTE, "the kernel's log overflowed: records are missing here");
		else if (n < 0 && errno == EINTR)
			continue;
		else
			return;
	}
}

static void __attribute__((__noreturn__)) end(void)
{
	drain_kmsg();
	packet(LAB_END, NULL, 0);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void make_mount(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL) < 0 && errno != EBUSY)
		say(LAB_NOTE, "mounting %s: %s", where, strerror(errno));
}

/*
 * The kernel was told its TSC rate on the command line. If that is wrong its
 * time runs apart from the machine's (35 times, without the option), and every
 * timeout in it. Let the RTC interrupt at 256 Hz during one sleep and count.
 */
#define RTC_RATE	0x08	/* 32768 Hz >> (8 - 1) = 256 Hz */
#define SLEEP_MS	40
#define EXPECTED	(256 * SLEEP_MS / 1000)

static uint8_t rtc_read(uint8_t reg)
{
	outb(reg, 0x70);
	return inb(0x71);
}

static void rtc_write(uint8_t reg, uint8_t value)
{
	outb(reg, 0x70);
	outb(value, 0x71);
}

static long rtc_interrupts(void)
{
	char text[512], *p = text;
	long sum = 0;
	int fd = open("/sys/kernel/irq/8/per_cpu_count", O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = 0;
	for (; *p && *p != '\n'; p += *p == ',')
		sum += strtol(p, &p, 10);
	return sum;
}

static const char *check_clock(void)
{
	static char why[160];
	const struct timespec ts = { .tv_nsec = SLEEP_MS * 1000000L };
	long before, after;
	uint8_t a, b;

	before = rtc_interrupts();
	if (before < 0)
		return "no RTC interrupt to check the clock against";
	a = rtc_read(0x0a);
	b = rtc_read(0x0b);
	rtc_write(0x0a, (a & 0xf0) | RTC_RATE);
	rtc_write(0x0b, b | 0x40);
	nanosleep(&ts, NULL);
	rtc_write(0x0b, b);
	rtc_write(0x0a, a);
	after = rtc_interrupts();
	if (after - before < EXPECTED / 2 || after - before > EXPECTED * 2) {
		snprintf(why, sizeof(why),
			 "a sleep of %d ms took %ld ms by the RTC: tsc_early_khz does not fit",
			 SLEEP_MS, (after - before) * 1000 / 256);
		return why;
	}
	return NULL;
}

static char *slurp(const char *name, size_t *size)
{
	struct stat st;
	int fd = open(name, O_RDONLY);
	char *data;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		goto fail;
	data = calloc(1, st.st_size + 1);
	if (!data || read(fd, data, st.st_size) != st.st_size)
		goto fail;
	close(fd);
	if (size)
		*size = st.st_size;
	return data;
fail:
	close(fd);
	return NULL;
}

struct stream {
	enum lab_packet type;
	int fd;
};

/* Passes on what is there now; false at end of file. */
static bool pump(struct stream *s)
{
	char data[LAB_DATA_MAX];
	ssize_t n;

	for (;;) {
		n = read(s->fd, data, sizeof(data));
		if (n > 0)
			packet(s->type, data, n);
		else if (n < 0 && errno == EINTR)
			continue;
		else
			return n < 0 && errno == EAGAIN;
	}
}

static int child_event[2];

static void child_ended(int signal)
{
	int saved = errno;

	(void)signal;
	/* If the pipe is full the loop wakes up anyway. */
	if (write(child_event[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

static void child_setup(int in, int out_fd, int err_fd)
{
	signal(SIGCHLD, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	setsid();
	dup2(in, 0);
	dup2(out_fd, 1);
	dup2(err_fd, 2);
	ioperm(LAB_PORT, 1, 0);
	ioperm(0x70, 2, 0);
	ioperm(0x80, 1, 0);
}

static int status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/*
 * When the leader of a session ends the kernel hangs up its terminal and drops
 * what was not sent yet, and a serial port takes its time. So the shell is not
 * the leader: this process is, and it waits for the last byte. Returns in the
 * process that becomes the shell.
 */
static void lead_session(void)
{
	pid_t child = fork();
	int status = 0;

	if (child <= 0)
		return;
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	tcdrain(STDOUT_FILENO);
	_exit(status_of(status));
}

static void set_size(int tty)
{
	char *text = slurp("/lab/shell", NULL);
	struct winsize ws = { };

	if (text && sscanf(text, "%hu %hu", &ws.ws_row, &ws.ws_col) == 2)
		ioctl(tty, TIOCSWINSZ, &ws);
	free(text);
}

/*
 * Runs argv to its end and passes on its output and the kernel's log as they
 * come. Returns its status as a shell has it: 128 + n for signal n.
 */
static int run(char **argv, const char *input, bool shell)
{
	struct stream streams[2] = { { LAB_STDOUT, -1 }, { LAB_STDERR, -1 } };
	int pipes[2][2] = { { -1, -1 }, { -1, -1 } }, in, status = 0;
	pid_t child;

	if (shell) {
		in = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
		set_size(in);
	} else {
		in = open(input, O_RDONLY | O_CLOEXEC);
		for (int i = 0; i < 2; i++) {
			if (pipe2(pipes[i], O_CLOEXEC) < 0)
				return 127;
			streams[i].fd = pipes[i][0];
			fcntl(streams[i].fd, F_SETFL, O_NONBLOCK);
		}
	}
	child = fork();
	if (child == 0) {
		if (shell) {
			child_setup(in, in, in);
			ioctl(0, TIOCSCTTY, 1);
			lead_session();
		} else {
			child_setup(in, pipes[0][1], pipes[1][1]);
		}
		if (chdir("/root") < 0)
			_exit(127);
		execvp(argv[0], argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(in);
	for (int i = 0; i < 2 && !shell; i++)
		close(pipes[i][1]);

	for (bool running = child > 0; running;) {
		struct pollfd fds[] = {
			{ .fd = child_event[0], .events = POLLIN },
			{ .fd = kmsg, .events = POLLIN },
			{ .fd = streams[0].fd, .events = POLLIN },
			{ .fd = streams[1].fd, .events = POLLIN },
		};
		char drop[64];

		if (poll(fds, 4, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents & POLLIN && read(child_event[0], drop, sizeof(drop)) < 0)
			break;
		for (;;) {
			int s;
			pid_t pid = waitpid(-1, &s, WNOHANG);

			if (pid <= 0)
				break;
			if (pid == child) {
				status = status_of(s);
				running = false;
			}
		}
		for (int i = 0; i < 2; i++) {
			if (streams[i].fd >= 0 && !pump(&streams[i])) {
				close(streams[i].fd);
				streams[i].fd = -1;
			}
		}
		drain_kmsg();
	}
	for (int i = 0; i < 2; i++)
		if (streams[i].fd >= 0)
			close(streams[i].fd);
	return status;
}

/* The kernel's log again after whatever COMMAND left behind is gone. */
static const char *unload(const char *module)
{
	char *argv[] = { "modprobe", "-r", (char *)module, NULL };
	char path[128];

	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (access(path, F_OK) < 0)
		return NULL;
	if (run(argv, "/dev/null", false))
		return "the module cannot be unloaded with no process left: a reference leaked";
	return NULL;
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say(LAB_NOTE, "%s: %s", path, strerror(errno));
	close(fd);
}

/*
 * A debug kernel knows what was allocated and is pointed to from nowhere. It
 * calls that a leak when it is older than 5 s and did not change between two
 * scans; with "verbose" it says what in its log, where the host reads it. The
 * module is unloaded by now, so its own pointers hide nothing.
 */
static void find_leaks(void)
{
	static const char control[] = "/sys/kernel/debug/kmemleak";

	if (access(control, F_OK) < 0)
		return;
	sleep(6);
	/* Checking its own locks would be most of the time that it takes. */
	put_file("/sys/module/lockdep/parameters/prove_locking", "0");
	put_file("/sys/module/kmemleak/parameters/verbose", "1");
	put_file(control, "scan");
	put_file(control, "scan");
}

int main(void)
{
	struct utsname uts;
	char *data, *module, *argv[256], *load[3] = { "modprobe", NULL, NULL };
	const char *why;
	size_t size;
	int n = 0, status;
	uint8_t byte;
	bool shell;

	if (ioperm(LAB_PORT, 1, 1) < 0 || ioperm(0x70, 2, 1) < 0 || ioperm(0x80, 1, 1) < 0)
		return 1;
	signal(SIGSEGV, io_lost);
	uname(&uts);
	say(LAB_BOOTED, "%s", uts.release);
	make_mount("proc", "/proc");
	make_mount("sysfs", "/sys");
	make_mount("devtmpfs", "/dev");
	make_mount("devpts", "/dev/pts");
	make_mount("tmpfs", "/dev/shm");
	make_mount("tmpfs", "/run");
	make_mount("debugfs", "/sys/kernel/debug");
	make_mount("tracefs", "/sys/kernel/tracing");
	if (symlink("/proc/self/fd", "/dev/fd") < 0 && errno != EEXIST)
		say(LAB_NOTE, "/dev/fd: %s", strerror(errno));
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0 || pipe2(child_event, O_CLOEXEC | O_NONBLOCK) < 0) {
		say(LAB_FAILED, "%cno /dev/kmsg", LAB_NO_BOOT);
		end();
	}
	drain_kmsg();
	packet(LAB_READY, NULL, 0);
	signal(SIGCHLD, child_ended);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("TERM", "linux", 0);

	why = check_clock();
	if (why) {
		say(LAB_FAILED, "%c%s", LAB_NO_BOOT, why);
		end();
	}

	shell = access("/lab/shell", F_OK) == 0;
	module = slurp("/lab/module", NULL);
	if (module && *module) {
		load[1] = module;
		status = run(load, "/dev/null", false);
		if (status) {
			drain_kmsg();
			say(LAB_FAILED, "%cmodprobe %s ended with status %d", LAB_NO_MODULE,
			    module, status);
			end();
		}
		say(LAB_LOADED, "%s", module);
	}

	data = slurp("/lab/argv", &size);
	for (char *p = data; data && p < data + size && n < 255; p += strlen(p) + 1)
		argv[n++] = p;
	argv[n] = NULL;
	if (!n) {
		say(LAB_FAILED, "%cno command in /lab/argv", LAB_NO_BOOT);
		end();
	}
	packet(LAB_STARTED, NULL, 0);
	byte = run(argv, access("/lab/stdin", F_OK) ? "/dev/null" : "/lab/stdin", shell);
	packet(LAB_EXITED, &byte, 1);
	if (module && *module) {
		why = unload(module);
		if (why)
			say(LAB_FAILED, "%c%s", LAB_NO_UNLOAD, why);
	}
	find_leaks();
	end();
}
