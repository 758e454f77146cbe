// SPDX-License-Identifier: GPL-2.0
/*
 * The real-time clock of a PC, an MC146818 (Motorola's data sheet): it shows the
 * time, in UTC, BCD and 24 hours. Nobody can set it, and it has no interrupts.
 */
#include "cmos.h"

enum {
	SECONDS = 0, MINUTES = 2, HOURS = 4, WEEKDAY = 6, DAY = 7, MONTH = 8,
	YEAR = 9, A = 10, B = 11, C = 12, D = 13, CENTURY = 0x32,
};

#define A_32768HZ	0x26	/* divider and rate that a PC's firmware sets */
#define B_24_HOURS	0x02
#define D_VALID		0x80	/* the battery is good */

static __u8 bcd(unsigned int value)
{
	return value / 10 % 10 << 4 | value % 10;
}

/**
 * cmos_read() - the guest reads the data port
 * @cmos: the clock
 * @now: what time it is
 *
 * Return: the byte.
 */
__u8 cmos_read(const struct cmos *cmos, const struct tm *now)
{
	switch (cmos->index) {
	case SECONDS:
		return bcd(now->tm_sec);
	case MINUTES:
		return bcd(now->tm_min);
	case HOURS:
		return bcd(now->tm_hour);
	case WEEKDAY:
		return now->tm_wday + 1;
	case DAY:
		return bcd(now->tm_mday);
	case MONTH:
		return bcd(now->tm_mon + 1);
	case YEAR:
		return bcd(now->tm_year);
	case CENTURY:
		return bcd(now->tm_year / 100 + 19);
	case A:
		return A_32768HZ;
	case B:
		return B_24_HOURS;
	case C:
		return 0;
	case D:
		return D_VALID;
	default:
		return cmos->memory[cmos->index];
	}
}

/**
 * cmos_write() - the guest writes the data port
 * @cmos: the clock
 * @value: the byte; those for registers of the clock change nothing
 */
void cmos_write(struct cmos *cmos, __u8 value)
{
	cmos->memory[cmos->index] = value;
}
