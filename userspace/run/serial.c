// SPDX-License-Identifier: GPL-2.0
/*
 * A 16550 serial port: all eight registers, the FIFOs, loop-back, the modem lines
 * and, where somebody listens, the interrupt line. Sending takes no time.
 *
 * When the other end has no more to say (end of file on standard input), the
 * carrier goes away: MSR.DCD drops. That is how a guest sees the end.
 *
 * Input is not touched until the guest looks for it: a guest that only prints
 * must not eat what the shell's next command wants to read, nor change the
 * terminal. LSR tells both "you may send" and "there is input", so one read of
 * it before each byte sent means nothing; a second one in a row, or a read of
 * RBR, means that the guest waits for input.
 *
 * With an interrupt line it is otherwise. Drivers read LSR and RBR a few times in
 * a row as they start, try which bits of IER are there, and empty the FIFO after
 * that: what it held would be lost. There, who waits for input has its interrupt
 * enabled, in the chip and by OUT2, or reads LSR for ever.
 *
 * Registers: National Semiconductor's PC16550D data sheet, section 8.
 */
#include <linux/serial_reg.h>
#include <string.h>
#include "serial.h"

/* On a line with somebody at its end: clear to send, data set ready, carrier. */
#define MSR_CONNECTED	(UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS)
#define MSR_HUNG_UP	(UART_MSR_DSR | UART_MSR_CTS)

#define MCR_BITS	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | \
			 UART_MCR_OUT2 | UART_MCR_LOOP)
#define IER_BITS	(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define FCR_STAYS	(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK)
#define IIR_FIFOS	0xc0

/* Who reads LSR that often and does nothing else waits for input. */
#define POLLS		64

/**
 * serial_init() - the state after reset
 * @serial: the serial port
 * @line: what is at the other end; copied
 */
void serial_init(struct serial *serial, const struct serial_line *line)
{
	*serial = (struct serial){
		.line = *line,
		.dll = 12,	/* 9600 baud, as a PC's firmware leaves it */
		.lcr = UART_LCR_WLEN8,
		.msr = MSR_CONNECTED,
	};
}

static bool is_loop(const struct serial *serial)
{
	return serial->mcr & UART_MCR_LOOP;
}

static unsigned int places(const struct serial *serial)
{
	return serial->fcr & UART_FCR_ENABLE_FIFO ? SERIAL_FIFO : 1;
}

static void push(struct serial *serial, __u8 byte)
{
	unsigned int room = places(serial);

	if (serial->used < room) {
		serial->fifo[(serial->head + serial->used++) % SERIAL_FIFO] = byte;
		return;
	}
	serial->overrun = true;
	/* The holding register takes the new byte, the FIFO keeps the old ones. */
	if (room == 1)
		serial->fifo[serial->head] = byte;
}

/* The byte stays readable, as on the chip, when there is no newer one. */
static __u8 pop(struct serial *serial)
{
	__u8 byte = serial->fifo[serial->head];

	if (serial->used) {
		serial->used--;
		if (serial->used)
			serial->head = (serial->head + 1) % SERIAL_FIFO;
	}
	return byte;
}

/* What the modem lines are; the change bits are kept in serial->delta. */
static void update_msr(struct serial *serial)
{
	__u8 now = serial->hung_up ? MSR_HUNG_UP : MSR_CONNECTED;
	__u8 changed;

	if (is_loop(serial)) {
		now = 0;
		if (serial->mcr & UART_MCR_DTR)
			now |= UART_MSR_DSR;
		if (serial->mcr & UART_MCR_RTS)
			now |= UART_MSR_CTS;
		if (serial->mcr & UART_MCR_OUT1)
			now |= UART_MSR_RI;
		if (serial->mcr & UART_MCR_OUT2)
			now |= UART_MSR_DCD;
	}

	changed = now ^ serial->msr;
	/* RI tells only its falling edge. */
	if (now & UART_MSR_RI)
		changed &= ~UART_MSR_RI;
	serial->delta |= changed >> 4;
	serial->msr = now;
}

static void receive(struct serial *serial)
{
	int byte;

	if (!serial->line.receive || serial->used || serial->hung_up ||
	    !serial->wants_input || is_loop(serial))
		return;

	byte = serial->line.receive(serial->line.context, serial->idle);
	if (byte >= 0) {
		push(serial, byte);
		serial->idle = 0;
	} else if (byte == SERIAL_HANGUP) {
		serial->hung_up = true;
		update_msr(serial);
	} else {
		serial->idle++;
	}
}

static __u8 read_rbr(struct serial *serial)
{
	__u8 byte;

	serial->wants_input = true;
	receive(serial);
	byte = pop(serial);
	serial->asked = 0;
	return byte;
}

static __u8 read_lsr(struct serial *serial)
{
	__u8 lsr = UART_LSR_TEMT | UART_LSR_THRE;

	if (serial->asked++)
		serial->wants_input = true;
	receive(serial);

	if (serial->used)
		lsr |= UART_LSR_DR;
	if (serial->overrun)
		lsr |= UART_LSR_OE;
	serial->overrun = false;
	return lsr;
}

/* In the chip's order of priority. */
static __u8 pending(const struct serial *serial)
{
	if ((serial->ier & UART_IER_RLSI) && serial->overrun)
		return UART_IIR_RLSI;
	if ((serial->ier & UART_IER_RDI) && serial->used)
		return UART_IIR_RDI;
	if ((serial->ier & UART_IER_THRI) && serial->thr_empty)
		return UART_IIR_THRI;
	if ((serial->ier & UART_IER_MSI) && serial->delta)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

/* On a PC, OUT2 connects the chip with the interrupt line; not in loop-back. */
static void update_line(struct serial *serial)
{
	bool level = (serial->mcr & UART_MCR_OUT2) && !is_loop(serial) &&
		     pending(serial) != UART_IIR_NO_INT;

	if (level == serial->level)
		return;
	serial->level = level;
	if (serial->line.interrupt)
		serial->line.interrupt(serial->line.context, level);
}

static __u8 read_iir(struct serial *serial)
{
	__u8 iir = pending(serial);

	if (iir == UART_IIR_THRI)
		serial->thr_empty = false;
	return serial->fcr & UART_FCR_ENABLE_FIFO ? iir | IIR_FIFOS : iir;
}

static __u8 read_msr(struct serial *serial)
{
	__u8 msr = serial->msr | serial->delta;

	serial->delta = 0;
	return msr;
}

static void write_thr(struct serial *serial, __u8 value)
{
	serial->asked = 0;
	serial->thr_empty = true;
	if (is_loop(serial))
		push(serial, value);
	else
		serial->line.send(serial->line.context, value);
}

static void write_ier(struct serial *serial, __u8 value)
{
	/* Enabling it when there is nothing to send makes it pending. */
	if ((value & UART_IER_THRI) && !(serial->ier & UART_IER_THRI))
		serial->thr_empty = true;
	serial->ier = value & IER_BITS;
	if (value & UART_IER_RDI)
		serial->wants_input = true;
}

static void write_fcr(struct serial *serial, __u8 value)
{
	bool changed = (value ^ serial->fcr) & UART_FCR_ENABLE_FIFO;

	/*
	 * Linux enables the interrupt first and the FIFOs then. On a chip, nothing
	 * comes in between, for a line takes its time; here it may, and must stay.
	 */
	if (changed && serial->used <= 1 && !serial->line.receive)
		changed = false;
	if (changed || (value & UART_FCR_CLEAR_RCVR)) {
		serial->head = 0;
		serial->used = 0;
	}
	serial->fcr = value & UART_FCR_ENABLE_FIFO ? value & FCR_STAYS : 0;
}

static void write_register(struct serial *serial, unsigned int offset, __u8 value)
{
	bool divisor = serial->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_TX:
		if (divisor)
			serial->dll = value;
		else
			write_thr(serial, value);
		break;
	case UART_IER:
		if (divisor)
			serial->dlm = value;
		else
			write_ier(serial, value);
		break;
	case UART_FCR:
		write_fcr(serial, value);
		break;
	case UART_LCR:
		serial->lcr = value;
		break;
	case UART_MCR:
		serial->mcr = value & MCR_BITS;
		update_msr(serial);
		break;
	case UART_SCR:
		serial->scr = value;
		break;
	default:	/* LSR and MSR are for reading */
		break;
	}
}

static __u8 read_register(struct serial *serial, unsigned int offset)
{
	bool divisor = serial->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_RX:
		return divisor ? serial->dll : read_rbr(serial);
	case UART_IER:
		return divisor ? serial->dlm : serial->ier;
	case UART_IIR:
		return read_iir(serial);
	case UART_LCR:
		return serial->lcr;
	case UART_MCR:
		return serial->mcr;
	case UART_LSR:
		return read_lsr(serial);
	case UART_MSR:
		return read_msr(serial);
	default:
		return serial->scr;
	}
}

/**
 * serial_write() - the guest writes a register
 * @serial: the serial port
 * @offset: of the port, 0 to 7
 * @value: the byte
 */
void serial_write(struct serial *serial, unsigned int offset, __u8 value)
{
	write_register(serial, offset, value);
	/* A chip takes its time to send: the line goes down and up again. */
	if (serial->level && offset == UART_TX && pending(serial) == UART_IIR_THRI) {
		serial->level = false;
		if (serial->line.interrupt)
			serial->line.interrupt(serial->line.context, false);
	}
	update_line(serial);
}

/**
 * serial_read() - the guest reads a register
 * @serial: the serial port
 * @offset: of the port, 0 to 7
 *
 * Return: the byte.
 */
__u8 serial_read(struct serial *serial, unsigned int offset)
{
	__u8 value = read_register(serial, offset);

	update_line(serial);
	return value;
}

/**
 * serial_room() - how much input may come from the line
 * @serial: the serial port
 *
 * Return: bytes; 0 as well if the guest does not look for input.
 */
unsigned int serial_room(const struct serial *serial)
{
	bool by_interrupt = (serial->ier & UART_IER_RDI) && (serial->mcr & UART_MCR_OUT2);

	if (is_loop(serial) || !(by_interrupt || serial->asked >= POLLS))
		return 0;
	return places(serial) - serial->used;	/* never less than 0: see write_fcr() */
}

/**
 * serial_push() - a byte comes from the line
 * @serial: the serial port; serial_room() has said that it has room
 * @byte: the byte
 */
void serial_push(struct serial *serial, __u8 byte)
{
	push(serial, byte);
	update_line(serial);
}
