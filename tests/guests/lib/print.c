// SPDX-License-Identifier: GPL-2.0
/*
 * Printing to the serial port, as a polled driver does: wait until the
 * transmitter is empty, then fill its FIFO of 16 bytes.
 */
#include "guest.h"

#define FIFO_SIZE	16
#define PORT_FCR	(PORT_SERIAL + 2)
#define PORT_LSR	(PORT_SERIAL + 5)
#define FCR_ENABLE	0x01
#define LSR_THRE	0x20

static unsigned int checks;
static unsigned int failures;
static bool fifo_enabled;

static void send(const char *bytes, unsigned long count)
{
	u16 port = PORT_SERIAL;

	if (!fifo_enabled)
		outb(PORT_FCR, FCR_ENABLE);
	fifo_enabled = true;

	while (count) {
		unsigned long part = count < FIFO_SIZE ? count : FIFO_SIZE;

		while (!(inb(PORT_LSR) & LSR_THRE))
			;
		count -= part;
		asm volatile("rep outsb" : "+S"(bytes), "+c"(part) : "d"(port) : "memory");
	}
}

void print(const char *text)
{
	unsigned long length = 0;

	while (text[length])
		length++;
	send(text, length);
}

void print_hex(u64 value)
{
	char text[19] = "0x";
	unsigned int at = 2;
	int shift = 60;

	while (shift && !(value >> shift & 0xf))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		text[at++] = "0123456789abcdef"[value >> shift & 0xf];
	text[at] = 0;
	print(text);
}

void print_number(u64 value)
{
	u32 rest = value;	/* 32 bits: no division helper on i386 */
	char text[11];
	unsigned int at = sizeof(text) - 1;

	text[at] = 0;
	do {
		text[--at] = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	print(text + at);
}

bool ok(bool pass, const char *what)
{
	checks++;
	if (!pass)
		failures++;
	print(pass ? "ok " : "not ok ");
	print_number(checks);
	print(" - ");
	print(what);
	print("\n");
	return pass;
}

bool same(u64 got, u64 expected, const char *what)
{
	if (ok(got == expected, what))
		return true;
	print("#   got ");
	print_hex(got);
	print(", expected ");
	print_hex(expected);
	print("\n");
	return false;
}

int done(void)
{
	print("1..");
	print_number(checks);
	print("\n");
	return failures ? 1 : 0;
}
