/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_CMOS_H
#define RUN_CMOS_H

#include <time.h>
#include "base.h"

#define CMOS_SIZE	128

/**
 * struct cmos - the clock of a PC and the memory beside it
 * @index: what the data port is about
 * @memory: what is not a register of the clock
 */
struct cmos {
	__u8 index;
	__u8 memory[CMOS_SIZE];
};

__u8 cmos_read(const struct cmos *cmos, const struct tm *now);
void cmos_write(struct cmos *cmos, __u8 value);

#endif /* RUN_CMOS_H */
