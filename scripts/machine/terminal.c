// SPDX-License-Identifier: GPL-2.0
/* The person's terminal, and a pseudo-terminal for Bochs. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

static struct termios saved;
static bool is_raw;

bool terminal_is_tty(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

int terminal_pair(char *slave, size_t size)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), other;
	struct termios mode;

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, slave, size))
		err(125, "no pseudo-terminal");
	/* Held open for good: the settings live as long as an open slave does. */
	other = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (other < 0 || tcgetattr(other, &mode) < 0)
		err(125, "%s", slave);
	mode.c_oflag &= ~OPOST;
	if (tcsetattr(other, TCSANOW, &mode) < 0)
		err(125, "%s", slave);
	return fd;
}

void terminal_raw(void)
{
	struct termios mode;

	if (is_raw || !terminal_is_tty() || tcgetattr(STDIN_FILENO, &saved) < 0)
		return;
	mode = saved;
	cfmakeraw(&mode);
	is_raw = !tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode);
	if (is_raw)
		atexit(terminal_restore);
}

void terminal_restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
	is_raw = false;
}
