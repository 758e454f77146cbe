/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>

int screen_run(const char *folder, double interval);

#endif /* TOP_SCREEN_H */
