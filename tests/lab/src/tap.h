/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TAP for the programs that run inside the lab.
 *
 * What a check saw is part of its name, so that the output for /dev/kvm and
 * the output for /dev/minivmm can be compared line by line. Nothing that
 * differs from run to run (addresses, times) belongs into a name: diag() is
 * for that.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define __printf(fmt, args)	__attribute__((__format__(printf, fmt, args)))
#define __maybe_unused		__attribute__((__unused__))
#define __noreturn		__attribute__((__noreturn__))

static int tap_count;
static int tap_failures;

__printf(1, 2) __maybe_unused
static void diag(const char *fmt, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

__printf(2, 3) __maybe_unused
static bool ok(bool pass, const char *fmt, ...)
{
	va_list args;

	tap_count++;
	if (!pass)
		tap_failures++;
	printf("%sok %d - ", pass ? "" : "not ", tap_count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return pass;
}

__printf(2, 3) __maybe_unused
static void skip(const char *reason, const char *fmt, ...)
{
	va_list args;

	tap_count++;
	printf("ok %d - ", tap_count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(" # SKIP %s\n", reason);
	fflush(stdout);
}

/* Compares what was seen with what should be seen, as text. */
__printf(3, 4) __maybe_unused
static bool is(const char *got, const char *want, const char *fmt, ...)
{
	bool pass = !strcmp(got, want);
	char name[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	ok(pass, "%s: %s", name, got);
	if (!pass)
		diag("  expected: %s", want);
	return pass;
}

__printf(3, 4) __maybe_unused
static bool is_hex(unsigned long long got, unsigned long long want,
		   const char *fmt, ...)
{
	char name[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	ok(got == want, "%s: %#llx", name, got);
	if (got != want)
		diag("  expected: %#llx", want);
	return got == want;
}

/* Nothing that follows could mean anything. */
__printf(1, 2) __noreturn __maybe_unused
static void bail(const char *fmt, ...)
{
	va_list args;

	fputs("Bail out! ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(99);
}

/* The plan comes last, so that a program that died half-way has none. */
__maybe_unused
static int done_testing(void)
{
	printf("1..%d\n", tap_count);
	fflush(stdout);
	return tap_failures ? 1 : 0;
}

#endif /* TAP_H */
