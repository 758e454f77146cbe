/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_BUILD_BUG_H
#define MVM_SHIM_BUILD_BUG_H

#include <assert.h>	/* its static_assert() is without the optional message */

#define BUILD_BUG_ON_MSG(cond, msg)	_Static_assert(!(cond), msg)
#define BUILD_BUG_ON(cond)		BUILD_BUG_ON_MSG(cond, #cond)

#undef static_assert
#define static_assert(expr, ...)	_Static_assert(expr, #expr)

#endif
