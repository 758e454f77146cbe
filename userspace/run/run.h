/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "machine.h"
#include "options.h"

struct debugger;

int guest_run(struct machine *machine, const struct options *options,
	      struct debugger *debugger);

#endif /* RUN_RUN_H */
