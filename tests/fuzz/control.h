/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_CONTROL_H
#define FUZZ_CONTROL_H

#include "vm.h"

/* A VM that nobody disturbs: whatever else happens, its guest runs right. */
extern struct vm control_vm;

void control_open(const char *device);

/** control_run() - run it; NULL, or what was wrong. */
const char *control_run(void);

#endif
