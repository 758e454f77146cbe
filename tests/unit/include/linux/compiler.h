/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_COMPILER_H
#define MVM_SHIM_COMPILER_H

#include <stddef.h>	/* before glibc's own __always_inline is replaced */

#undef __always_inline
#define __always_inline		inline __attribute__((__always_inline__))
#define __maybe_unused		__attribute__((__unused__))
#define __must_check		__attribute__((__warn_unused_result__))
#define __packed		__attribute__((__packed__))
#define __aligned(x)		__attribute__((__aligned__(x)))
#define __printf(a, b)		__attribute__((__format__(__printf__, a, b)))
#define __pure			__attribute__((__pure__))
#define noinline		__attribute__((__noinline__))
#define fallthrough		__attribute__((__fallthrough__))

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ __volatile__("" : : : "memory")

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))

/* For sparse only. */
#define __user
#define __iomem
#define __force

/* Sections of the kernel image. */
#define __init
#define __exit
#define __ro_after_init
#define __read_mostly

#endif
