/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stddef.h>

void process_command(long pid, char *name, size_t size);

#endif /* COMMON_PROCESS_H */
