// SPDX-License-Identifier: GPL-2.0
/*
 * The ports of a PC that a kernel touches on its way up and down.
 *
 *	0x60, 0x64	the keyboard controller: only its reset line is there
 *	0x70, 0x71	the clock
 *	0x80		where a delay is made by writing
 *	0x92		system control: address line 20 is on, and another reset
 *	0xe9		debug port: what is written goes to standard error
 *	0x505		panics are told here (what QEMU calls pvpanic)
 *	0x600 to 0x60b	ACPI: events, control, timer
 *	0xcf8 to 0xcff	PCI's configuration: no device is there; 0xcf9 resets
 */
#include <string.h>
#include "acpi.h"
#include "platform.h"

#define KBD_DATA	0x60
#define KBD_COMMAND	0x64
#define KBD_RESET	0xfe
#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define DELAY		0x80
#define SYSTEM_CONTROL	0x92
#define DEBUG_PORT	0xe9
#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define PCI_ENABLE	0x80000000

#define CONTROL_RESET	BIT(0)
#define CONTROL_A20	BIT(1)

/* 0xcf9: the edge of this bit resets the CPU. */
#define RESET_CPU	BIT(2)

#define PANICKED	BIT(0)

#define PM_TIMER_HZ	3579545ULL

static __u32 pm_timer(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * PM_TIMER_HZ + now.tv_nsec * PM_TIMER_HZ / 1000000000;
}

static __u8 clock_byte(const struct cmos *cmos)
{
	time_t now = time(NULL);
	struct tm tm;

	return cmos_read(cmos, gmtime_r(&now, &tm));
}

/* Little-endian, what is past @width is ones: nobody drives these lines. */
static enum platform_result answer(__u8 *data, unsigned int size, __u32 value,
				   unsigned int width)
{
	memset(data, 0xff, size);
	memcpy(data, &value, size < width ? size : width);
	return PLATFORM_DONE;
}

/**
 * platform_read() - the guest reads a port
 * @platform: the state
 * @port: the port
 * @data: the answer goes here
 * @size: 1, 2 or 4 bytes
 *
 * Return: PLATFORM_DONE, or PLATFORM_NOBODY with @data untouched.
 */
enum platform_result platform_read(struct platform *platform, unsigned int port,
				   __u8 *data, unsigned int size)
{
	switch (port) {
	case KBD_DATA:
	case KBD_COMMAND:
		return answer(data, size, 0, 1);
	case CMOS_INDEX:
		return answer(data, size, 0xff, 1);
	case CMOS_DATA:
		return answer(data, size, clock_byte(&platform->cmos), 1);
	case DELAY:
		return answer(data, size, 0xff, 1);
	case SYSTEM_CONTROL:
		return answer(data, size, CONTROL_A20, 1);
	case DEBUG_PORT:
		return answer(data, size, DEBUG_PORT, 1);
	case ACPI_PANIC:
		return answer(data, size, PANICKED, 1);
	case ACPI_PM1_EVENT:
		return answer(data, size, platform->pm1_enable << 16, 4);
	case ACPI_PM1_EVENT + 2:
		return answer(data, size, platform->pm1_enable, 2);
	case ACPI_PM1_CONTROL:
		return answer(data, size, platform->pm1_control | ACPI_SCI_EN, 2);
	case ACPI_PM_TIMER:
		return answer(data, size, pm_timer(), 4);
	case PCI_ADDRESS:
		return answer(data, size, platform->pci_address, 4);
	case PCI_ADDRESS + 1 ... PCI_ADDRESS + 3:
		return answer(data, size, platform->pci_address >> (port - PCI_ADDRESS) * 8,
			      PCI_DATA - port);
	case PCI_DATA ... PCI_DATA + 3:
		return answer(data, size, 0xffffffff, 4);
	default:
		return PLATFORM_NOBODY;
	}
}

static enum platform_result write_control(struct platform *platform, __u32 value)
{
	platform->pm1_control = value & ~ACPI_SLEEP_ENABLE;
	if ((value & ACPI_SLEEP_ENABLE) && ACPI_SLEEP_TYPE(value) == ACPI_S5)
		return PLATFORM_POWER_OFF;
	return PLATFORM_DONE;
}

/**
 * platform_write() - the guest writes a port
 * @platform: the state
 * @port: the port
 * @data: what it writes
 * @size: 1, 2 or 4 bytes
 *
 * Return: what came of it.
 */
enum platform_result platform_write(struct platform *platform, unsigned int port,
				    const __u8 *data, unsigned int size)
{
	__u32 value = 0;

	memcpy(&value, data, size);
	switch (port) {
	case KBD_COMMAND:
		return data[0] == KBD_RESET ? PLATFORM_RESET : PLATFORM_DONE;
	case CMOS_INDEX:
		/* The uppermost bit keeps NMIs away, of which there are none. */
		platform->cmos.index = data[0] % CMOS_SIZE;
		if (size > 1)
			cmos_write(&platform->cmos, data[1]);
		return PLATFORM_DONE;
	case CMOS_DATA:
		cmos_write(&platform->cmos, data[0]);
		return PLATFORM_DONE;
	case SYSTEM_CONTROL:
		return value & CONTROL_RESET ? PLATFORM_RESET : PLATFORM_DONE;
	case DEBUG_PORT:
		platform->debug(data[0]);
		return PLATFORM_DONE;
	case ACPI_PANIC:
		return value & PANICKED ? PLATFORM_PANIC : PLATFORM_DONE;
	case ACPI_PM1_EVENT:
		if (size == 4)
			platform->pm1_enable = value >> 16;
		return PLATFORM_DONE;
	case ACPI_PM1_EVENT + 2:
		platform->pm1_enable = value;
		return PLATFORM_DONE;
	case ACPI_PM1_CONTROL:
		return write_control(platform, value);
	case PCI_ADDRESS:
		if (size == 4)
			platform->pci_address = value & (PCI_ENABLE | 0xfffffc);
		return PLATFORM_DONE;
	case ACPI_RESET:
		if (size == 1 && value & RESET_CPU)
			return PLATFORM_RESET;
		return PLATFORM_DONE;
	case KBD_DATA:
	case DELAY:
	case ACPI_PM_TIMER:
	case PCI_ADDRESS + 2 ... PCI_DATA + 3:
		return PLATFORM_DONE;
	default:
		return PLATFORM_NOBODY;
	}
}
