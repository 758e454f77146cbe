/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernel code has at hand everywhere.
 */
#ifndef RUN_BASE_H
#define RUN_BASE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif
#ifndef BIT
#define BIT(n)			(1ULL << (n))
#endif
#ifndef __noreturn
#define __noreturn		_Noreturn
#endif
#ifndef __printf
#define __printf(fmt, args)	__attribute__((__format__(__printf__, fmt, args)))
#endif

#endif /* RUN_BASE_H */
