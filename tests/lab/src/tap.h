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

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

__printf(1, 2) void diag(const char *fmt, ...);
__printf(2, 3) bool ok(bool pass, const char *fmt, ...);
__printf(2, 3) void skip(const char *reason, const char *fmt, ...);

/** is() - compare what was seen with what should be seen, as text. */
__printf(3, 4)
bool is(const char *got, const char *want, const char *fmt, ...);
__printf(3, 4)
bool is_hex(unsigned long long got, unsigned long long want,
	    const char *fmt, ...);

/** bail() - nothing that follows could mean anything: end the program. */
__printf(1, 2) noreturn void bail(const char *fmt, ...);

/**
 * done_testing() - print the plan.
 *
 * The plan comes last, so that a program that died half-way has none.
 * Return: the program's exit status.
 */
int done_testing(void);

#endif /* TAP_H */
