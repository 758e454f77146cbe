// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm-run on a terminal: when it is made raw, and that it is given back.
 *
 *	pty [--kernel] DEVICE
 *
 * With --kernel, the guest is one that is booted, which gets all keys.
 *
 * There are three processes, as under a shell: this one holds the terminal's
 * other end (a person's hands and eyes), a session leader that starts jobs, and
 * minivmm-run in a process group of its own in the foreground.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include "tap.h"

#define ECHO_GUEST	"/root/guests/echo.elf"
#define LOOP_GUEST	"/root/guests/loop.bin"
#define KERNEL		"/root/guests/kernel.elf"
#define CTRL_A		"\001"
#define CTRL_C		"\003"
#define CTRL_D		"\004"
#define CTRL_Z		"\032"

/* Long enough for a guest in the lab; a test that passes does not wait for it. */
#define PATIENCE_S	30

static const char *device;
static int terminal;		/* the master side */
static int from_leader;		/* a status of waitpid() after the other */
static int to_leader;		/* a byte: "fg" */
static pid_t leader, job;
static struct termios before;
static char screen[4096];
static size_t screen_used;

/* What a shell does when a job has stopped, and then for "fg". */
static void wait_for_fg(int orders)
{
	char order;

	tcsetpgrp(STDIN_FILENO, getpid());
	if (read(orders, &order, 1) != 1)
		_exit(1);
	tcsetpgrp(STDIN_FILENO, job);
	kill(-job, SIGCONT);
}

/* The session leader: one job, and every change of its state is told. */
static void lead(int report, int orders, char *const argv[])
{
	int status;

	signal(SIGTTOU, SIG_IGN);
	job = fork();
	if (!job) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid());
		signal(SIGTTOU, SIG_DFL);
		execvp(argv[0], argv);
		_exit(127);
	}
	setpgid(job, job);
	tcsetpgrp(STDIN_FILENO, job);
	if (write(report, &job, sizeof(job)) != sizeof(job))
		_exit(1);
	while (waitpid(job, &status, WUNTRACED) == job) {
		if (write(report, &status, sizeof(status)) != sizeof(status))
			_exit(1);
		if (!WIFSTOPPED(status))
			_exit(0);
		wait_for_fg(orders);
	}
	_exit(1);
}

static void start(char *const argv[])
{
	int report[2], orders[2];

	if (pipe2(report, O_CLOEXEC) || pipe2(orders, O_CLOEXEC))
		bail("pipe: %s", strerror(errno));
	screen_used = 0;
	leader = forkpty(&terminal, NULL, NULL, NULL);
	if (leader < 0)
		bail("forkpty: %s", strerror(errno));
	if (!leader) {
		close(report[0]);
		close(orders[1]);
		lead(report[1], orders[0], argv);
	}
	close(report[1]);
	close(orders[0]);
	from_leader = report[0];
	to_leader = orders[1];
	/* Before the job can have changed anything: it is slower than that. */
	tcgetattr(terminal, &before);
	if (read(from_leader, &job, sizeof(job)) != sizeof(job))
		bail("no job");
}

static void start_guest(const char *guest, const char *timeout)
{
	char *argv[] = {
		"minivmm-run", "--device", (char *)device, (char *)guest,
		timeout ? "--timeout" : NULL, (char *)timeout, NULL,
	};

	start(argv);
}

static void finish(void)
{
	close(terminal);
	close(from_leader);
	close(to_leader);
	waitpid(leader, NULL, 0);
}

/* Takes in what the terminal shows, for a little while. */
static void look(void)
{
	struct pollfd poller = { .fd = terminal, .events = POLLIN };
	ssize_t got;

	if (poll(&poller, 1, 20) <= 0)
		return;
	got = read(terminal, screen + screen_used, sizeof(screen) - 1 - screen_used);
	if (got > 0)
		screen_used += got;
	screen[screen_used] = 0;
}

static bool is_raw(void)
{
	struct termios now;

	tcgetattr(terminal, &now);
	return !(now.c_lflag & (ICANON | ECHO));
}

static bool is_restored(void)
{
	struct termios now;

	tcgetattr(terminal, &now);
	return now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag &&
	       now.c_cflag == before.c_cflag && now.c_lflag == before.c_lflag &&
	       !memcmp(now.c_cc, before.c_cc, sizeof(now.c_cc));
}

#define wait_for(condition)						\
({									\
	time_t end = time(NULL) + PATIENCE_S;				\
	bool met;							\
	while (!(met = (condition)) && time(NULL) < end)		\
		look();							\
	met;								\
})

static bool shows(const char *text)
{
	screen[screen_used] = 0;
	return strstr(screen, text);
}

static void type(const char *keys)
{
	if (write(terminal, keys, strlen(keys)) != (ssize_t)strlen(keys))
		bail("typing: %s", strerror(errno));
}

/* The next change of the job's state, while the terminal is being read. */
static int next_status(void)
{
	struct pollfd poller = { .fd = from_leader, .events = POLLIN };
	int status;

	if (!wait_for(poll(&poller, 1, 0) > 0)) {
		kill(job, SIGKILL);
		return -1;
	}
	if (read(from_leader, &status, sizeof(status)) != sizeof(status))
		return -1;
	return status;
}

static void check_exit(int expected, const char *what)
{
	int status = next_status();

	ok(WIFEXITED(status) && WEXITSTATUS(status) == expected,
	   "%s: status %d", what, expected);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
		diag("waitpid() said %#x", status);
	ok(is_restored(), "%s: the terminal is as it was", what);
	finish();
}

static void check_signal(int expected, const char *what)
{
	int status = next_status();

	ok(WIFSIGNALED(status) && WTERMSIG(status) == expected,
	   "%s: ended by signal %d", what, expected);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != expected)
		diag("waitpid() said %#x", status);
	ok(is_restored(), "%s: the terminal is as it was", what);
	finish();
}

static void printing_guest(void)
{
	start_guest(LOOP_GUEST, NULL);
	ok(wait_for(shows("looping")), "a guest that only prints: it runs");
	ok(is_restored(), "a guest that only prints: the terminal was not touched");
	type(CTRL_C);
	check_signal(SIGINT, "a guest that only prints, Ctrl-C");
}

static void reading_guest(void)
{
	struct termios now;

	start_guest(ECHO_GUEST, NULL);
	ok(wait_for(is_raw()), "a guest that reads: the terminal is raw");
	tcgetattr(terminal, &now);
	ok(now.c_lflag & ISIG, "a guest that reads: Ctrl-C and Ctrl-Z work");
	type("a");
	ok(wait_for(shows("A")), "a guest that reads: a key without Enter arrives");
	ok(!shows("a"), "a guest that reads: no echo but the guest's");
	type("b\r");
	ok(wait_for(shows("AB\r\n")), "a guest that reads: Enter arrives");
	type(CTRL_D);
	check_exit(0, "Ctrl-D for the guest");
}

static void ends_by_signal(int sig, const char *what)
{
	start_guest(ECHO_GUEST, NULL);
	if (!wait_for(is_raw()))
		diag("%s: the terminal did not become raw", what);
	kill(job, sig);
	check_signal(sig, what);
}

static void ends_by_timeout(void)
{
	start_guest(ECHO_GUEST, "2s");
	ok(wait_for(is_raw()), "timeout: the terminal is raw");
	check_exit(124, "timeout");
}

static void stops(int sig, const char *what)
{
	int status;

	start_guest(ECHO_GUEST, NULL);
	if (!wait_for(is_raw()))
		diag("%s: the terminal did not become raw", what);
	if (sig == SIGTSTP)
		type(CTRL_Z);
	else
		kill(job, sig);
	status = next_status();
	ok(WIFSTOPPED(status) && WSTOPSIG(status) == sig, "%s: stopped", what);
	/* SIGSTOP cannot be caught: then it is the shell that restores. */
	if (sig == SIGTSTP)
		ok(is_restored(), "%s: the terminal is as it was", what);
	else
		tcsetattr(terminal, TCSANOW, &before);

	if (write(to_leader, "", 1) != 1)
		diag("the session leader is gone");
	ok(wait_for(is_raw()), "%s: raw again when it goes on", what);
	type("x");
	ok(wait_for(shows("X")), "%s: and reads on", what);
	type(CTRL_D);
	check_exit(0, what);
}

static void start_kernel(const char *timeout)
{
	char *argv[] = {
		"minivmm-run", "--device", (char *)device, "--kernel", KERNEL,
		"--append", "on a terminal", timeout ? "--timeout" : NULL,
		(char *)timeout, NULL,
	};

	start(argv);
	ok(wait_for(is_raw()), "a kernel: the terminal is raw");
	ok(wait_for(shows("multiboot: on a terminal")), "a kernel: it runs");
}

static void kernel_gets_keys(void)
{
	start_kernel(NULL);
	type("a" CTRL_C CTRL_Z CTRL_D "\r");
	ok(wait_for(shows("key 97\r\nkey 3\r\nkey 26\r\nkey 4\r\nkey 13\r\n")),
	   "a kernel: gets every key, Ctrl-C too");
	type(CTRL_A "h");
	ok(wait_for(shows("Ctrl-A x       ends the guest")), "a kernel: Ctrl-A h helps");
	type(CTRL_A CTRL_A "x");
	ok(wait_for(shows("key 1\r\nkey 120\r\n")), "a kernel: Ctrl-A Ctrl-A sends it");
	ok(!shows("key 104"), "a kernel: what is ours is not the guest's");
	type("q");
	check_exit(7, "the kernel's own end");
}

static void kernel_is_left(void)
{
	start_kernel(NULL);
	type(CTRL_A "x");
	ok(wait_for(shows("ended by Ctrl-A x")), "Ctrl-A x: is told");
	check_exit(88, "Ctrl-A x");
}

static void kernel_ends_by_signal(int sig, const char *what)
{
	start_kernel(NULL);
	kill(job, sig);
	check_signal(sig, what);
}

static void kernel_stops(void)
{
	int status;

	start_kernel(NULL);
	kill(job, SIGTSTP);
	status = next_status();
	ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP, "a kernel, SIGTSTP: stopped");
	ok(is_restored(), "a kernel, SIGTSTP: the terminal is as it was");
	if (write(to_leader, "", 1) != 1)
		diag("the session leader is gone");
	ok(wait_for(is_raw()), "a kernel, SIGTSTP: raw again when it goes on");
	type("b");
	ok(wait_for(shows("key 98")), "a kernel, SIGTSTP: and reads on");
	type(CTRL_A "x");
	check_exit(88, "a kernel, SIGTSTP");
}

static void kernels(void)
{
	kernel_gets_keys();
	kernel_is_left();
	kernel_ends_by_signal(SIGTERM, "a kernel, SIGTERM");
	kernel_ends_by_signal(SIGHUP, "a kernel, SIGHUP");
	kernel_ends_by_signal(SIGSEGV, "a kernel, a crash");
	start_kernel("2s");
	check_exit(124, "a kernel, timeout");
	kernel_stops();
}

int main(int argc, char *argv[])
{
	bool kernel = argc == 3 && !strcmp(argv[1], "--kernel");

	if (argc != 2 + kernel)
		bail("usage: pty [--kernel] DEVICE");
	device = argv[1 + kernel];
	if (kernel) {
		kernels();
		return done_testing();
	}

	printing_guest();
	reading_guest();
	ends_by_signal(SIGTERM, "SIGTERM");
	ends_by_signal(SIGHUP, "SIGHUP");
	ends_by_signal(SIGSEGV, "a crash");
	ends_by_timeout();
	stops(SIGTSTP, "Ctrl-Z");
	stops(SIGSTOP, "SIGSTOP");
	return done_testing();
}
