/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_JUDGE_H
#define LAB_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

extern struct judged {
	bool counting;		/* the boot is over: a complaint is a failure */
	char complaint[256];	/* the kernel's first words of trouble */
	bool dead;		/* the kernel panicked: nothing more will come */
} judged;

/* One line of the kernel's log. */
void judge_line(const char *line);

/* Bytes of the serial console, as they come. */
void judge_console(const char *data, size_t size);

#endif
