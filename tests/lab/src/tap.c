// SPDX-License-Identifier: GPL-2.0
/* TAP for the programs that run inside the lab; tap.h says how. */
#include <stdarg.h>
#include "tap.h"

static int count;
static int failures;

void diag(const char *fmt, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

bool ok(bool pass, const char *fmt, ...)
{
	va_list args;

	count++;
	if (!pass)
		failures++;
	printf("%sok %d - ", pass ? "" : "not ", count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return pass;
}

void skip(const char *reason, const char *fmt, ...)
{
	va_list args;

	count++;
	printf("ok %d - ", count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(" # SKIP %s\n", reason);
	fflush(stdout);
}

bool is(const char *got, const char *want, const char *fmt, ...)
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

bool is_hex(unsigned long long got, unsigned long long want,
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

void bail(const char *fmt, ...)
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

int done_testing(void)
{
	printf("1..%d\n", count);
	fflush(stdout);
	return failures ? 1 : 0;
}
