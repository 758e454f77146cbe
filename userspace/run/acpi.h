/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_ACPI_H
#define RUN_ACPI_H

#include "base.h"

/* Room for all tables: with 16 CPUs they take less than half of it. */
#define ACPI_SIZE		4096

/* Ports that the tables name and platform.c answers. */
#define ACPI_PM1_EVENT		0x600
#define ACPI_PM1_CONTROL	0x604
#define ACPI_PM_TIMER		0x608
#define ACPI_RESET		0xcf9
#define ACPI_RESET_VALUE	0x06
#define ACPI_PANIC		0x505

/* PM1 control: ACPI is on; the sleep type; go to sleep. */
#define ACPI_SCI_EN		BIT(0)
#define ACPI_SLEEP_TYPE(value)	((value) >> 10 & 7)
#define ACPI_SLEEP_ENABLE	BIT(13)
#define ACPI_S5			5	/* the type that \_S5 names: power off */

void acpi_build(__u8 *tables, __u64 address, unsigned int cpus);

#endif /* RUN_ACPI_H */
