/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_TERMINAL_H
#define LAB_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#define ESCAPE		0x1d
#define ESCAPE_NAME	"Ctrl-]"

/* Whether a person is there. */
bool terminal_is_tty(void);

/*
 * A pseudo-terminal that hands every byte through as it is. Returns our end;
 * *slave names the other one. Errors end the program.
 */
int terminal_pair(char *slave, size_t size);

/* Our own terminal passes every key on; undone by terminal_restore or exit. */
void terminal_raw(void);
void terminal_restore(void);

#endif
