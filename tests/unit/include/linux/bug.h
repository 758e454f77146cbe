/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_BUG_H
#define MVM_SHIM_BUG_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <stdio.h>
#include <stdlib.h>

/* What the kernel warns of must not happen at all in a unit test. */
#define WARN(cond, ...) ({						\
	int cond_ = !!(cond);						\
	if (cond_) {							\
		fprintf(stderr, "%s:%d: WARN: %s\n", __FILE__, __LINE__, #cond); \
		abort();						\
	}								\
	cond_; })
#define WARN_ON(cond)			WARN(cond, "")
#define WARN_ON_ONCE(cond)		WARN(cond, "")
#define WARN_ONCE(cond, ...)		WARN(cond, __VA_ARGS__)

#endif
