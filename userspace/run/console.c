// SPDX-License-Identifier: GPL-2.0
/*
 * Standard input and output: the other end of the guest's serial line.
 *
 * The terminal becomes raw when the guest first looks for input, and not
 * before. Raw means: every key at once, unchanged, not echoed. Ctrl-C, Ctrl-\
 * and Ctrl-Z keep their meaning, since that is how a person gets out; and
 * output is still processed, so that a guest's "\n" begins a new line. For a
 * kernel it is raw from the start and with those keys, since there is Ctrl-A x.
 *
 * console_restore() and console_continue() run in signal handlers: they use
 * nothing but what POSIX allows there.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <termios.h>
#include <unistd.h>
#include "console.h"
#include "serial.h"
#include "stop.h"

/* After this many vain looks for input, a look takes up to NAP_MS. */
#define IDLE_LOOKS	256
#define NAP_MS		10

static __u8 output[4096];
static size_t output_used;
static int output_error;
static bool line_open;

static struct termios terminal_found;
static struct termios terminal_raw;
static bool terminal_known;	/* the two above are set */
static bool terminal_wanted;	/* the guest reads */
static bool keys_are_guests;	/* Ctrl-C and the like, too */
static bool terminal_is_raw;

static void set_terminal(const struct termios *mode)
{
	sigset_t ttou, old;

	/* From the background, tcsetattr() would stop us. */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &old);
	/* Not TCSADRAIN: it would wait for a terminal that Ctrl-S has stopped. */
	tcsetattr(STDIN_FILENO, TCSANOW, mode);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static bool in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/**
 * console_restore() - give the terminal back as we found it
 *
 * Context: also from signal handlers.
 */
void console_restore(void)
{
	if (!terminal_is_raw)
		return;
	terminal_is_raw = false;
	/* In the background it is somebody else's now. */
	if (in_foreground())
		set_terminal(&terminal_found);
}

static void make_raw(void)
{
	if (!terminal_known || terminal_is_raw || !in_foreground())
		return;
	terminal_is_raw = true;
	set_terminal(&terminal_raw);
}

/**
 * console_continue() - the process was stopped and goes on
 *
 * The shell has set the terminal as it likes it, whether we were told that we
 * would be stopped (SIGTSTP) or not (SIGSTOP).
 *
 * Context: a signal handler.
 */
void console_continue(void)
{
	terminal_is_raw = false;
	if (terminal_wanted)
		make_raw();
}

static void want_terminal(void)
{
	sigset_t all, old;

	if (!terminal_wanted) {
		terminal_wanted = true;
		if (!tcgetattr(STDIN_FILENO, &terminal_found)) {
			terminal_raw = terminal_found;
			terminal_raw.c_iflag &= ~(BRKINT | ICRNL | IGNCR | INLCR |
						  INPCK | ISTRIP | IXON);
			terminal_raw.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
			if (keys_are_guests)
				terminal_raw.c_lflag &= ~ISIG;
			terminal_raw.c_cc[VMIN] = 1;
			terminal_raw.c_cc[VTIME] = 0;
			terminal_known = true;
		}
	}
	if (!terminal_known || terminal_is_raw)
		return;
	/* Not between two halves of a handler's own change. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	make_raw();
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/**
 * console_attach() - the terminal is the guest's from now on, with all keys
 *
 * Context: our own thread.
 */
void console_attach(void)
{
	keys_are_guests = true;
	want_terminal();
}

/**
 * console_is_terminal() - is somebody typing?
 *
 * Return: true if console_attach() found a terminal.
 */
bool console_is_terminal(void)
{
	return terminal_known;
}

/**
 * console_in_foreground() - may the terminal be read?
 *
 * Return: true if it may, or if standard input is none.
 */
bool console_in_foreground(void)
{
	return !terminal_known || in_foreground();
}

/**
 * console_receive() - the next byte of standard input
 * @unused: for struct serial_line
 * @idle: how many times in a row there was none
 *
 * Return: the byte, SERIAL_NOTHING or SERIAL_HANGUP.
 */
int console_receive(void *unused, unsigned int idle)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t got;
	__u8 byte;

	(void)unused;
	want_terminal();
	/* A guest that waits for a key need not take a whole CPU to do so. */
	if (poll(&input, 1, idle < IDLE_LOOKS ? 0 : NAP_MS) <= 0)
		return SERIAL_NOTHING;
	got = read(STDIN_FILENO, &byte, 1);
	if (got == 1)
		return byte;
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return SERIAL_NOTHING;
	/* End of file, or an error: nothing will come any more. */
	return SERIAL_HANGUP;
}

/**
 * console_send() - a byte for standard output
 * @unused: for struct serial_line
 * @byte: the byte
 *
 * Collects what one VM exit brings; console_flush() writes it.
 */
void console_send(void *unused, __u8 byte)
{
	(void)unused;
	if (output_used == sizeof(output))
		console_flush();
	output[output_used++] = byte;
}

static void wait_until_writable(void)
{
	struct pollfd poller = { .fd = STDOUT_FILENO, .events = POLLOUT };

	poll(&poller, 1, -1);
}

/**
 * console_flush() - write what console_send() collected
 *
 * Returns when all is written, or cannot be (console_error() then tells), or
 * when we are asked to end.
 */
void console_flush(void)
{
	size_t done = 0;
	ssize_t written;

	while (done < output_used && !output_error) {
		written = write(STDOUT_FILENO, output + done, output_used - done);
		if (written >= 0) {
			done += written;
			continue;
		}
		if (errno == EAGAIN)
			wait_until_writable();
		else if (errno != EINTR)
			output_error = errno;
		if (stop_asked())
			break;
	}
	if (output_error == EPIPE)
		stop_by_pipe();
	if (output_used)
		line_open = output[output_used - 1] != '\n';
	output_used = 0;
}

/**
 * console_error() - did writing fail?
 *
 * Return: 0 or the errno.
 */
int console_error(void)
{
	return output_error;
}

/**
 * console_end_line() - what we say ourselves begins on a line of its own
 */
void console_end_line(void)
{
	if (line_open && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
		(void)!write(STDERR_FILENO, "\n", 1);
	line_open = false;
}
