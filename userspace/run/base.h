/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernel code has at hand everywhere.
 */
#ifndef RUN_BASE_H
#define RUN_BASE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1ULL << (n))

#ifndef __noreturn
#define __noreturn		__attribute__((noreturn))
#endif
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))

#endif /* RUN_BASE_H */
