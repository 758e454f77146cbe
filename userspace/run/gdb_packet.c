// SPDX-License-Identifier: GPL-2.0
/*
 * The packets of gdb's remote protocol, taken apart and put together.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "gdb_packet.h"

#define CTRL_C		0x03
#define ESCAPE		'}'
#define ESCAPED		0x20	/* what an escaped byte is XORed with */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static enum gdb_got outside(struct gdb_parser *parser, __u8 byte)
{
	switch (byte) {
	case '$':
		*parser = (struct gdb_parser) { .state = GDB_INSIDE };
		return GDB_NOTHING;
	case CTRL_C:
		return GDB_INTERRUPT;
	case '-':
		return GDB_AGAIN;
	default:
		return GDB_NOTHING;
	}
}

static void inside(struct gdb_parser *parser, __u8 byte)
{
	if (byte == '#') {
		parser->state = GDB_SUM_HIGH;
		return;
	}
	parser->sum += byte;
	if (byte == ESCAPE && !parser->escaped) {
		parser->escaped = true;
		return;
	}
	/* What is too long is counted no further than that it is. */
	if (parser->length < GDB_PACKET_MAX)
		parser->data[parser->length] = parser->escaped ? byte ^ ESCAPED : byte;
	if (parser->length <= GDB_PACKET_MAX)
		parser->length++;
	parser->escaped = false;
}

static enum gdb_got at_end(struct gdb_parser *parser, __u8 byte)
{
	int low = digit(byte);

	parser->state = GDB_OUTSIDE;
	if (parser->told < 0 || low < 0 || (parser->told << 4 | low) != parser->sum ||
	    parser->length > GDB_PACKET_MAX)
		return GDB_BROKEN;
	parser->data[parser->length] = '\0';
	return GDB_PACKET;
}

/**
 * gdb_parse() - one byte more from gdb
 * @parser: what was there before
 * @byte: the byte
 *
 * Return: what is whole with it.
 */
enum gdb_got gdb_parse(struct gdb_parser *parser, __u8 byte)
{
	switch (parser->state) {
	case GDB_INSIDE:
		/* The packet before had no end. */
		if (byte == '$')
			return outside(parser, byte);
		inside(parser, byte);
		return GDB_NOTHING;
	case GDB_SUM_HIGH:
		parser->told = digit(byte);
		parser->state = GDB_SUM_LOW;
		return GDB_NOTHING;
	case GDB_SUM_LOW:
		return at_end(parser, byte);
	default:
		return outside(parser, byte);
	}
}

/**
 * gdb_put() - more text in a packet
 * @text: the packet
 * @fmt: text without "#", "$", "}" and "*"; what has no room is left out
 */
void gdb_put(struct gdb_text *text, const char *fmt, ...)
{
	size_t room = sizeof(text->data) - text->length;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(text->data + text->length, room, fmt, args);
	va_end(args);
	/* One byte less than there is: the 0 at the end is not sent. */
	if (length > 0)
		text->length += (size_t)length < room ? (size_t)length : room - 1;
}

/**
 * gdb_put_hex() - bytes as pairs of digits
 * @text: the packet
 * @bytes: they
 * @count: how many; two digits of each have to have room
 */
void gdb_put_hex(struct gdb_text *text, const void *bytes, size_t count)
{
	const __u8 *byte = bytes;

	while (count--)
		gdb_put(text, "%02x", *byte++);
}

/**
 * gdb_put_binary() - bytes as they are, but for those that mean something
 * @text: the packet
 * @bytes: they
 * @count: how many
 *
 * Return: how many had room.
 */
size_t gdb_put_binary(struct gdb_text *text, const void *bytes, size_t count)
{
	const __u8 *byte = bytes;
	size_t i;

	for (i = 0; i < count && text->length + 2 <= sizeof(text->data); i++) {
		bool special = byte[i] == ESCAPE || byte[i] == '#' || byte[i] == '$' ||
			       byte[i] == '*';

		if (special)
			text->data[text->length++] = ESCAPE;
		text->data[text->length++] = special ? byte[i] ^ ESCAPED : byte[i];
	}
	return i;
}

/**
 * gdb_frame() - the packet as it is sent
 * @text: its data
 * @to: where it goes
 *
 * Return: its size.
 */
size_t gdb_frame(const struct gdb_text *text, char to[static GDB_PACKET_MAX + GDB_FRAME])
{
	static const char digits[] = "0123456789abcdef";
	__u8 sum = 0;
	size_t i;

	to[0] = '$';
	for (i = 0; i < text->length; i++) {
		to[1 + i] = text->data[i];
		sum += text->data[i];
	}
	to[1 + i] = '#';
	to[2 + i] = digits[sum >> 4];
	to[3 + i] = digits[sum & 0xf];
	return i + GDB_FRAME;
}

/**
 * gdb_take_number() - a hexadecimal number
 * @from: the text; behind the number afterwards
 * @number: it
 *
 * Return: false if there is none, or if it has more than 64 bits.
 */
bool gdb_take_number(const char **from, __u64 *number)
{
	const char *start = *from;

	for (*number = 0; digit(**from) >= 0; ++*from) {
		if (*number >> 60)
			return false;
		*number = *number << 4 | digit(**from);
	}
	return *from != start;
}

/**
 * gdb_take_hex() - bytes out of pairs of digits
 * @from: the text, to its end
 * @bytes: where they go
 * @count: how many there have to be
 *
 * Return: false if there are more or fewer, or other characters.
 */
bool gdb_take_hex(const char *from, void *bytes, size_t count)
{
	__u8 *byte = bytes;
	size_t i;

	if (strlen(from) != 2 * count)
		return false;
	for (i = 0; i < count; i++, from += 2) {
		if (digit(from[0]) < 0 || digit(from[1]) < 0)
			return false;
		byte[i] = digit(from[0]) << 4 | digit(from[1]);
	}
	return true;
}
