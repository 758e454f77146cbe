/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_THREADS_H
#define RUN_THREADS_H

#include "machine.h"

void threads_init(struct machine *machine);
int threads_start(void *(*run)(void *argument), void *argument);
void threads_kick(void);
void threads_join(void);

#endif /* RUN_THREADS_H */
