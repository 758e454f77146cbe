/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_STOP_H
#define RUN_STOP_H

#include "base.h"

/* stop_asked(): the time limit, and no signal from anybody. */
#define STOP_TIMEOUT	(-1)

int stop_arm(__u8 *immediate_exit, __u64 timeout);
void stop_disarm(void);
int stop_asked(void);
void stop_by_pipe(void);
__noreturn void stop_die(int signal);

#endif /* RUN_STOP_H */
