// SPDX-License-Identifier: GPL-2.0
/*
 * echo: sends back in capitals what it reads, until the line hangs up (end of
 * file) or somebody types Ctrl-D.
 *
 * Shows: serial input by polling, and how a 16550 tells that nobody is at the
 * other end any more: the carrier (MSR.DCD) goes away.
 */
#include "guest.h"

#define PORT_LSR	(PORT_SERIAL + 5)
#define PORT_MSR	(PORT_SERIAL + 6)
#define LSR_DR		0x01
#define LSR_THRE	0x20
#define MSR_DCD		0x80
#define CTRL_D		0x04

static void send(u8 byte)
{
	while (!(inb(PORT_LSR) & LSR_THRE))
		;
	outb(PORT_SERIAL, byte);
}

int main(void)
{
	u8 byte;

	for (;;) {
		while (!(inb(PORT_LSR) & LSR_DR)) {
			if (!(inb(PORT_MSR) & MSR_DCD))
				return 0;
		}
		byte = inb(PORT_SERIAL);
		if (byte == CTRL_D)
			return 0;
		if (byte >= 'a' && byte <= 'z')
			byte -= 'a' - 'A';
		if (byte == '\r')
			byte = '\n';
		send(byte);
	}
}
