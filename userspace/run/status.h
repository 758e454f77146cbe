/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exit statuses of minivmm-run, and the words that go with a failure.
 *
 * A guest has 0 to 63 for itself. What the launcher says with its own statuses
 * never looks like a guest's: 64 to 78 are those of <sysexits.h>, 80 to 88 tell
 * how a guest came to an end that it did not ask for, 124 is timeout(1)'s, and
 * a signal is 128 plus its number, as shells show it.
 */
#ifndef RUN_STATUS_H
#define RUN_STATUS_H

#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>
#include "base.h"

enum status {
	STATUS_OK		= 0,
	STATUS_GUEST_MAX	= 63,

	STATUS_USAGE		= EX_USAGE,		/* 64 */
	STATUS_IMAGE		= EX_DATAERR,		/* 65 */
	STATUS_NO_IMAGE		= EX_NOINPUT,		/* 66 */
	STATUS_NO_DEVICE	= EX_UNAVAILABLE,	/* 69 */
	STATUS_SYSTEM		= EX_OSERR,		/* 71 */
	STATUS_OUTPUT		= EX_IOERR,		/* 74 */
	STATUS_BUSY		= EX_TEMPFAIL,		/* 75 */
	STATUS_PERMISSION	= EX_NOPERM,		/* 77 */

	STATUS_TRIPLE_FAULT	= 80,
	STATUS_ENTRY_FAILURE	= 81,
	STATUS_NO_MEMORY	= 82,
	STATUS_UNHANDLED	= 83,
	STATUS_WAITS		= 84,
	STATUS_NO_VECTOR	= 85,
	STATUS_RESET		= 86,
	STATUS_PANIC		= 87,
	STATUS_LEFT		= 88,

	STATUS_TIMEOUT		= 124,
	STATUS_SIGNAL		= 128,
};

/**
 * struct failure - why something did not work, for the user to read
 * @about: the file that it is about, NULL for none
 * @text: one sentence, and where it helps a second one that says what to do
 */
struct failure {
	const char *about;
	char text[512];
};

/**
 * failed() - say why, and with which status
 * @failure: where the words go
 * @status: what minivmm-run is to exit with
 * @fmt: the words
 *
 * Return: @status, so that a function can end with "return failed(...)".
 */
__printf(3, 4)
static inline int failed(struct failure *failure, enum status status,
			 const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(failure->text, sizeof(failure->text), fmt, args);
	va_end(args);
	return status;
}

#endif /* RUN_STATUS_H */
