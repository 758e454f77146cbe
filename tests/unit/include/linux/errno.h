/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_ERRNO_H
#define MVM_SHIM_ERRNO_H

#include_next <linux/errno.h>

/* The kernel's own, which never reach user space. */
#define ENOTSUPP	524

#endif
