/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the agent inside the lab machine (agent.c, its /init) tells the host
 * (watch.c): packets of bytes written to port 0xe9, which Bochs passes to its
 * standard output. One OUT a byte, no baud rate, nothing to drain.
 *
 *	'\x1e' 'L'  type  length (2 bytes, little-endian)  data
 *
 * Bytes between packets are Bochs's own words.
 */
#ifndef LAB_PROTOCOL_H
#define LAB_PROTOCOL_H

#define LAB_PORT	0xe9
#define LAB_MAGIC0	0x1e
#define LAB_MAGIC1	'L'
#define LAB_HEADER	5
#define LAB_DATA_MAX	4096

enum lab_packet {
	LAB_STDOUT = 'o',	/* bytes COMMAND wrote to its standard output */
	LAB_STDERR = 'e',	/* bytes COMMAND wrote to its standard error */
	LAB_KMSG = 'k',		/* one record of /dev/kmsg */
	LAB_BOOTED = 'b',	/* the agent runs; data: kernel release */
	LAB_READY = 'r',	/* the boot is over; a complaint of the kernel counts */
	LAB_LOADED = 'l',	/* the module is loaded */
	LAB_STARTED = 's',	/* COMMAND was started */
	LAB_EXITED = 'x',	/* COMMAND ended; data: its status, one byte */
	LAB_FAILED = 'f',	/* data: enum lab_failure (1 byte), words */
	LAB_NOTE = 'n',		/* words for the log */
	LAB_END = 'E',		/* everything was sent; the machine may be turned off */
};

enum lab_failure {
	LAB_NO_BOOT = 'b',	/* the machine is not fit to run COMMAND */
	LAB_NO_MODULE = 'm',	/* the module did not load */
	LAB_NO_UNLOAD = 'u',	/* the module cannot be unloaded after COMMAND */
	LAB_KERNEL = 'k',	/* the kernel's state is damaged */
};

#endif
