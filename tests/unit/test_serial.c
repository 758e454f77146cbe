// SPDX-License-Identifier: GPL-2.0
/*
 * The launcher's serial port: a 16550 as the data sheet has it, and when it
 * touches the other end.
 */
// sources: userspace/run/serial.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/serial_reg.h>
#include <cmocka.h>
#include "userspace/run/serial.h"

/* The other end. */
static char sent[64];
static size_t sent_count;
static const char *input;
static bool input_ends;
static unsigned int asked;
static unsigned int last_idle;

static struct serial serial;

static void send(void *context, __u8 byte)
{
	assert_ptr_equal(context, &serial);
	assert_true(sent_count < sizeof(sent));
	sent[sent_count++] = byte;
}

static int receive(void *context, unsigned int idle)
{
	assert_ptr_equal(context, &serial);
	asked++;
	last_idle = idle;
	if (*input)
		return (unsigned char)*input++;
	return input_ends ? SERIAL_HANGUP : SERIAL_NOTHING;
}

static int setup(void **state)
{
	const struct serial_line line = {
		.send = send, .receive = receive, .context = &serial,
	};

	sent_count = 0;
	input = "";
	input_ends = false;
	asked = 0;
	serial_init(&serial, &line);
	return 0;
}

static void out(unsigned int offset, __u8 value)
{
	serial_write(&serial, offset, value);
}

static __u8 in(unsigned int offset)
{
	return serial_read(&serial, offset);
}

static void test_reset(void **state)
{
	assert_int_equal(in(UART_IER), 0);
	assert_int_equal(in(UART_IIR), UART_IIR_NO_INT);
	assert_int_equal(in(UART_MCR), 0);
	assert_int_equal(in(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
	assert_int_equal(in(UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void test_send(void **state)
{
	out(UART_TX, 'H');
	out(UART_TX, 'i');
	assert_int_equal(sent_count, 2);
	assert_memory_equal(sent, "Hi", 2);
	assert_int_equal(in(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
}

/* With DLAB, the first two registers are the divisor. */
static void test_divisor(void **state)
{
	out(UART_IER, UART_IER_RDI);
	out(UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	out(UART_DLL, 0x34);
	out(UART_DLM, 0x12);
	assert_int_equal(in(UART_DLL), 0x34);
	assert_int_equal(in(UART_DLM), 0x12);
	out(UART_LCR, UART_LCR_WLEN8);
	assert_int_equal(sent_count, 0);
	assert_int_equal(in(UART_IER), UART_IER_RDI);
	assert_int_equal(in(UART_LCR), UART_LCR_WLEN8);
	out(UART_LCR, UART_LCR_DLAB);
	assert_int_equal(in(UART_DLL), 0x34);
}

static void test_plain_registers(void **state)
{
	out(UART_SCR, 0xa5);
	assert_int_equal(in(UART_SCR), 0xa5);
	/* Bits that are not there read 0. */
	out(UART_IER, 0xff);
	assert_int_equal(in(UART_IER), 0x0f);
	out(UART_MCR, 0xef);
	assert_int_equal(in(UART_MCR), 0x0f);
	/* Status registers are for reading. */
	out(UART_LSR, 0);
	assert_int_equal(in(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
	out(UART_MSR, 0);
	assert_int_equal(in(UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

/* What drivers do to find a FIFO. */
static void test_fifo_is_seen(void **state)
{
	assert_int_equal(in(UART_IIR) & 0xc0, 0);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(in(UART_IIR) & 0xc0, 0xc0);
	out(UART_FCR, 0);
	assert_int_equal(in(UART_IIR) & 0xc0, 0);
}

/* --- Input ------------------------------------------------------------------------- */

/* Reads LSR before each byte, and nothing else: must not touch the input. */
static void test_printing_leaves_input(void **state)
{
	int i;

	input = "for somebody else";
	for (i = 0; i < 20; i++) {
		assert_int_equal(in(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
		out(UART_TX, 'x');
	}
	in(UART_LSR);
	assert_int_equal(asked, 0);
}

static void test_polling_reads(void **state)
{
	input = "ab";
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, 0);
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, UART_LSR_DR);
	/* One byte is taken, not more than the guest can see. */
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, UART_LSR_DR);
	assert_string_equal(input, "b");
	assert_int_equal(in(UART_RX), 'a');
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, UART_LSR_DR);
	assert_int_equal(in(UART_RX), 'b');
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, 0);
}

static void test_reading_reads(void **state)
{
	input = "a";
	assert_int_equal(in(UART_RX), 'a');
	/* Nothing new: the old byte, as on the chip. */
	assert_int_equal(in(UART_RX), 'a');
}

static void test_interrupt_enable_reads(void **state)
{
	input = "a";
	out(UART_IER, UART_IER_RDI);
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, UART_LSR_DR);
}

static void test_idle_counts(void **state)
{
	int i;

	for (i = 0; i < 10; i++)
		in(UART_LSR);
	assert_int_equal(last_idle, 8);	/* the first read did not ask, the second was 0 */
	input = "a";
	in(UART_LSR);
	in(UART_RX);
	in(UART_LSR);
	assert_int_equal(last_idle, 0);
}

static void test_hangup(void **state)
{
	input = "a";
	input_ends = true;
	assert_int_equal(in(UART_RX), 'a');
	assert_int_equal(in(UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
	in(UART_LSR);
	in(UART_LSR);
	/* The carrier is gone; that it changed is told once. */
	assert_int_equal(in(UART_MSR), UART_MSR_DDCD | UART_MSR_DSR | UART_MSR_CTS);
	assert_int_equal(in(UART_MSR), UART_MSR_DSR | UART_MSR_CTS);
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, 0);

	/* Nobody is asked again. */
	asked = 0;
	in(UART_LSR);
	in(UART_RX);
	assert_int_equal(asked, 0);
}

/* --- Loop-back ------------------------------------------------------------------------ */

static void test_loop(void **state)
{
	input = "outside";
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_TX, 0x5a);
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, UART_LSR_DR);
	assert_int_equal(in(UART_RX), 0x5a);
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, 0);
	assert_int_equal(sent_count, 0);
	assert_int_equal(asked, 0);
	out(UART_MCR, 0);
	assert_int_equal(in(UART_RX), 'o');
}

static void test_loop_modem_lines(void **state)
{
	out(UART_MCR, UART_MCR_LOOP);
	assert_int_equal(in(UART_MSR) & 0xf0, 0);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_DTR);
	assert_int_equal(in(UART_MSR), UART_MSR_DSR | UART_MSR_DDSR);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	assert_int_equal(in(UART_MSR), UART_MSR_CTS | UART_MSR_DCTS | UART_MSR_DDSR);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	/* RI: only its end is told. */
	assert_int_equal(in(UART_MSR), UART_MSR_RI | UART_MSR_DCTS);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
	assert_int_equal(in(UART_MSR), UART_MSR_DCD | UART_MSR_DDCD | UART_MSR_TERI);
	out(UART_MCR, 0);
	assert_int_equal(in(UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void test_overrun_without_fifo(void **state)
{
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_TX, 1);
	out(UART_TX, 2);
	assert_int_equal(in(UART_LSR) & (UART_LSR_OE | UART_LSR_DR), UART_LSR_OE | UART_LSR_DR);
	assert_int_equal(in(UART_LSR) & UART_LSR_OE, 0);
	assert_int_equal(in(UART_RX), 2);
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, 0);
}

static void test_fifo(void **state)
{
	int round, i;

	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	out(UART_MCR, UART_MCR_LOOP);
	/* Several times around the ring. */
	for (round = 0; round < 5; round++) {
		for (i = 0; i < SERIAL_FIFO; i++)
			out(UART_TX, round + i);
		assert_int_equal(in(UART_LSR) & UART_LSR_OE, 0);
		for (i = 0; i < SERIAL_FIFO; i++)
			assert_int_equal(in(UART_RX), round + i);
		assert_int_equal(in(UART_LSR) & UART_LSR_DR, 0);
		out(UART_TX, 0xee);
		assert_int_equal(in(UART_RX), 0xee);
	}

	for (i = 0; i <= SERIAL_FIFO; i++)
		out(UART_TX, i);
	assert_int_equal(in(UART_LSR) & UART_LSR_OE, UART_LSR_OE);
	for (i = 0; i < SERIAL_FIFO; i++)
		assert_int_equal(in(UART_RX), i);
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, 0);

	out(UART_TX, 7);
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_int_equal(in(UART_LSR) & UART_LSR_DR, 0);
}

/* --- What would interrupt ----------------------------------------------------------------- */

static void test_interrupt_identification(void **state)
{
	/* Nothing is enabled, nothing is pending. */
	out(UART_TX, 'x');
	assert_int_equal(in(UART_IIR), UART_IIR_NO_INT);

	out(UART_IER, UART_IER_THRI);
	assert_int_equal(in(UART_IIR), UART_IIR_THRI);
	/* Reading it is the acknowledgment; the next byte brings it again. */
	assert_int_equal(in(UART_IIR), UART_IIR_NO_INT);
	out(UART_TX, 'y');
	assert_int_equal(in(UART_IIR), UART_IIR_THRI);

	/* Line status before data before transmitter before modem status. */
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_IER, UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI);
	out(UART_TX, 1);
	out(UART_TX, 2);
	assert_int_equal(in(UART_IIR), UART_IIR_RLSI);
	in(UART_LSR);
	assert_int_equal(in(UART_IIR), UART_IIR_RDI);
	in(UART_RX);
	assert_int_equal(in(UART_IIR), UART_IIR_THRI);
	assert_int_equal(in(UART_IIR), UART_IIR_MSI);
	in(UART_MSR);
	assert_int_equal(in(UART_IIR), UART_IIR_NO_INT);
}

/* --- With an interrupt line -------------------------------------------------------- */

static bool line_level;
static unsigned int line_changes;

static void interrupt(void *context, bool level)
{
	assert_ptr_equal(context, &serial);
	assert_true(level != line_level);
	line_level = level;
	line_changes++;
}

static int setup_line(void **state)
{
	const struct serial_line line = {
		.send = send, .interrupt = interrupt, .context = &serial,
	};

	sent_count = 0;
	line_level = false;
	line_changes = 0;
	serial_init(&serial, &line);
	return 0;
}

static void test_line_needs_out2(void **state)
{
	out(UART_IER, UART_IER_THRI);
	assert_false(line_level);
	out(UART_MCR, UART_MCR_OUT2);
	assert_true(line_level);
	out(UART_MCR, UART_MCR_OUT2 | UART_MCR_LOOP);
	assert_false(line_level);
	out(UART_MCR, UART_MCR_OUT2);
	assert_true(line_level);
	out(UART_IER, 0);
	assert_false(line_level);
}

/* An edge for each byte or burst: an edge-triggered controller must see all. */
static void test_line_transmit(void **state)
{
	out(UART_MCR, UART_MCR_OUT2);
	out(UART_IER, UART_IER_THRI);
	assert_true(line_level);
	assert_int_equal(in(UART_IIR), UART_IIR_THRI);
	assert_false(line_level);
	assert_int_equal(in(UART_IIR), UART_IIR_NO_INT);
	out(UART_TX, 'a');
	assert_true(line_level);
	assert_int_equal(line_changes, 3);
	/* Sent without a look at IIR: down and up again. */
	out(UART_TX, 'b');
	assert_true(line_level);
	assert_int_equal(line_changes, 5);
	assert_int_equal(in(UART_IIR), UART_IIR_THRI);
	assert_false(line_level);
	/* Disabling and enabling makes it pending: how drivers test the chip. */
	out(UART_IER, 0);
	out(UART_IER, UART_IER_THRI);
	assert_true(line_level);
	assert_int_equal(in(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
	assert_true(line_level);
}

static void test_line_receive(void **state)
{
	unsigned int i;

	assert_int_equal(serial_room(&serial), 0);
	out(UART_IER, UART_IER_RDI);
	assert_int_equal(serial_room(&serial), 0);
	out(UART_MCR, UART_MCR_OUT2);
	assert_int_equal(serial_room(&serial), 1);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(serial_room(&serial), 16);
	for (i = 0; i < 16; i++)
		serial_push(&serial, 'a' + i);
	assert_int_equal(serial_room(&serial), 0);
	assert_true(line_level);
	assert_int_equal(line_changes, 1);
	for (i = 0; i < 16; i++) {
		assert_true(line_level);
		assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_RDI);
		assert_int_equal(in(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE | UART_LSR_DR);
		assert_int_equal(in(UART_RX), 'a' + i);
	}
	assert_false(line_level);
	assert_int_equal(in(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE);
	assert_int_equal(serial_room(&serial), 16);
	/* Reception comes before transmission. */
	out(UART_IER, UART_IER_RDI | UART_IER_THRI);
	serial_push(&serial, 'z');
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_RDI);
	in(UART_RX);
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_THRI);
	out(UART_MCR, UART_MCR_OUT2 | UART_MCR_LOOP);
	assert_int_equal(serial_room(&serial), 0);
}

/* Linux: interrupt first, FIFOs then. What came in between is not lost. */
static void test_line_fifo_later(void **state)
{
	out(UART_MCR, UART_MCR_OUT2);
	out(UART_IER, UART_IER_RDI);
	serial_push(&serial, 'h');
	assert_int_equal(serial_room(&serial), 0);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(serial_room(&serial), 15);
	serial_push(&serial, 'i');
	assert_int_equal(in(UART_RX), 'h');
	assert_int_equal(in(UART_RX), 'i');
	/* Emptied when asked to, and when the bytes have no place any more. */
	serial_push(&serial, 'x');
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_false(line_level);
	serial_push(&serial, 'x');
	serial_push(&serial, 'y');
	out(UART_FCR, 0);
	assert_int_equal(serial_room(&serial), 1);
}

/* Who does not use the interrupt reads LSR for ever; a driver's few looks do not. */
static void test_line_polled(void **state)
{
	unsigned int i;

	for (i = 0; i < 63; i++)
		in(UART_LSR);
	assert_int_equal(serial_room(&serial), 0);
	in(UART_RX);
	out(UART_TX, 'x');
	in(UART_LSR);
	assert_int_equal(serial_room(&serial), 0);
	for (i = 0; i < 63; i++)
		in(UART_LSR);
	assert_int_equal(serial_room(&serial), 1);
	serial_push(&serial, 'p');
	assert_int_equal(line_changes, 0);
	assert_int_equal(in(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE | UART_LSR_DR);
	assert_int_equal(in(UART_RX), 'p');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_send, setup),
		cmocka_unit_test_setup(test_divisor, setup),
		cmocka_unit_test_setup(test_plain_registers, setup),
		cmocka_unit_test_setup(test_fifo_is_seen, setup),
		cmocka_unit_test_setup(test_printing_leaves_input, setup),
		cmocka_unit_test_setup(test_polling_reads, setup),
		cmocka_unit_test_setup(test_reading_reads, setup),
		cmocka_unit_test_setup(test_interrupt_enable_reads, setup),
		cmocka_unit_test_setup(test_idle_counts, setup),
		cmocka_unit_test_setup(test_hangup, setup),
		cmocka_unit_test_setup(test_loop, setup),
		cmocka_unit_test_setup(test_loop_modem_lines, setup),
		cmocka_unit_test_setup(test_overrun_without_fifo, setup),
		cmocka_unit_test_setup(test_fifo, setup),
		cmocka_unit_test_setup(test_interrupt_identification, setup),
		cmocka_unit_test_setup(test_line_needs_out2, setup_line),
		cmocka_unit_test_setup(test_line_transmit, setup_line),
		cmocka_unit_test_setup(test_line_receive, setup_line),
		cmocka_unit_test_setup(test_line_fifo_later, setup_line),
		cmocka_unit_test_setup(test_line_polled, setup_line),
	};

	return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
