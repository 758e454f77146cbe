/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel expects of a PC beside memory, CPUs, interrupt controllers and
 * serial port: a handful of ports.
 */
#ifndef RUN_PLATFORM_H
#define RUN_PLATFORM_H

#include "cmos.h"

/**
 * enum platform_result - what came of an access
 * @PLATFORM_NOBODY: there is no such port
 * @PLATFORM_DONE: done
 * @PLATFORM_POWER_OFF: the guest switches the machine off
 * @PLATFORM_RESET: the guest resets the machine
 * @PLATFORM_PANIC: the guest's kernel tells that it has panicked
 */
enum platform_result {
	PLATFORM_NOBODY,
	PLATFORM_DONE,
	PLATFORM_POWER_OFF,
	PLATFORM_RESET,
	PLATFORM_PANIC,
};

/**
 * struct platform - the state of these ports
 * @cmos: the clock
 * @pci_address: which register of which PCI device is asked for
 * @pm1_enable: ACPI: events that would interrupt
 * @pm1_control: ACPI: the sleep type
 * @debug: takes what is written to port 0xe9
 */
struct platform {
	struct cmos cmos;
	__u32 pci_address;
	__u16 pm1_enable;
	__u16 pm1_control;
	void (*debug)(__u8 byte);
};

enum platform_result platform_read(struct platform *platform, unsigned int port,
				   __u8 *data, unsigned int size);
enum platform_result platform_write(struct platform *platform, unsigned int port,
				    const __u8 *data, unsigned int size);

#endif /* RUN_PLATFORM_H */
