/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PARSERS_WALK_RUN_H
#define PARSERS_WALK_RUN_H

#include <linux/types.h>

/* The launcher's walk; its header and the module's do not go together. */
int walk_run(const void *cr0_cr3_cr4_efer, const void *ram, unsigned long size,
	     unsigned long long linear, __u64 *physical);

#endif
