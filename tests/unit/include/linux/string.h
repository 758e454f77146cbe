/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_STRING_H
#define MVM_SHIM_STRING_H

#include <linux/types.h>
#include <string.h>

#define memzero_explicit	explicit_bzero
#define memset_after(obj, v, member) \
	memset((u8 *)(obj) + offsetof(typeof(*(obj)), member) + \
	       sizeof((obj)->member), v, sizeof(*(obj)) - \
	       offsetof(typeof(*(obj)), member) - sizeof((obj)->member))

#endif
