/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_STOP_H
#define RUN_STOP_H

#include <signal.h>
#include "base.h"

/* stop_asked(): the time limit, and no signal from anybody. */
#define STOP_TIMEOUT	(-1)
/* The guest has come to its end on one of its CPUs, and the others must be told. */
#define STOP_GUEST	(-2)

/* The signal that threads_kick() sends. */
#define STOP_KICK	SIGRTMIN

int stop_arm(__u64 timeout);
void stop_mask(sigset_t *blocked);
void stop_by_guest(void);
void stop_disarm(void);
int stop_asked(void);
void stop_by_pipe(void);
__noreturn void stop_die(int signal);

#endif /* RUN_STOP_H */
