/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_CONSOLE_H
#define RUN_CONSOLE_H

#include "base.h"

void console_send(void *unused, __u8 byte);
int console_receive(void *unused, unsigned int idle);
void console_flush(void);
int console_error(void);
void console_end_line(void);

void console_attach(void);
bool console_is_terminal(void);
bool console_in_foreground(void);
void console_restore(void);
void console_continue(void);

#endif /* RUN_CONSOLE_H */
