/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A 16550 serial port.
 */
#ifndef RUN_SERIAL_H
#define RUN_SERIAL_H

#include "base.h"

#define SERIAL_PORT	0x3f8
#define SERIAL_PORTS	8
#define SERIAL_FIFO	16

/* What a line gives when it gives no byte. */
enum { SERIAL_NOTHING = -1, SERIAL_HANGUP = -2 };

/**
 * struct serial_line - what is at the other end
 * @send: take a byte
 * @receive: give a byte, SERIAL_NOTHING or SERIAL_HANGUP; @idle says how many
 *	times in a row the guest asked in vain, so that the line may take its time;
 *	NULL if serial_push() brings the bytes
 * @interrupt: the interrupt line has a new level; NULL if there is none
 * @context: for all of them
 */
struct serial_line {
	void (*send)(void *context, __u8 byte);
	int (*receive)(void *context, unsigned int idle);
	void (*interrupt)(void *context, bool level);
	void *context;
};

/**
 * struct serial - the registers
 * @line: the other end
 * @fifo: received bytes; one place of it when the FIFOs are off
 * @head: the oldest byte in @fifo
 * @used: how many there are
 * @ier: interrupt enable
 * @fcr: FIFO control, the bits that stay
 * @lcr: line control
 * @mcr: modem control
 * @scr: scratch
 * @dll: divisor latch, low
 * @dlm: divisor latch, high
 * @msr: modem status, as the guest read it last
 * @delta: bits 0 to 3 of the modem status: what has changed since then
 * @overrun: a byte was lost, only possible in loop-back
 * @level: of the interrupt line
 * @thr_empty: the interrupt "transmitter empty" waits to be read from IIR
 * @hung_up: the line gives no more bytes
 * @wants_input: the guest looks for input
 * @asked: reads of LSR since the guest last sent something
 * @idle: how many times in a row the guest found no input
 */
struct serial {
	struct serial_line line;
	__u8 fifo[SERIAL_FIFO];
	unsigned int head;
	unsigned int used;
	__u8 ier, fcr, lcr, mcr, scr, dll, dlm, msr, delta;
	bool overrun;
	bool level;
	bool thr_empty;
	bool hung_up;
	bool wants_input;
	unsigned int asked;
	unsigned int idle;
};

void serial_init(struct serial *serial, const struct serial_line *line);
void serial_write(struct serial *serial, unsigned int offset, __u8 value);
__u8 serial_read(struct serial *serial, unsigned int offset);
unsigned int serial_room(const struct serial *serial);
void serial_push(struct serial *serial, __u8 byte);

#endif /* RUN_SERIAL_H */
