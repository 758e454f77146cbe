/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets of gdb's remote protocol: "$data#checksum", see gdb's manual,
 * "Remote Protocol", "Overview".
 */
#ifndef RUN_GDB_PACKET_H
#define RUN_GDB_PACKET_H

#include "base.h"

/* Of the data in a packet, in both directions; gdb is told. */
#define GDB_PACKET_MAX	4096

/* What a packet has around its data */
#define GDB_FRAME	4

enum gdb_got {
	GDB_NOTHING,	/* nothing whole yet */
	GDB_PACKET,	/* a packet: its data is in the parser */
	GDB_BROKEN,	/* a packet whose checksum is wrong, or that is too long */
	GDB_INTERRUPT,	/* Ctrl-C */
	GDB_AGAIN,	/* what was sent last did not arrive */
};

/**
 * struct gdb_parser - what came from gdb, not yet a whole packet; all 0 at first
 * @state: which part of a packet is next
 * @escaped: the next byte is not what it seems
 * @sum: of the bytes so far
 * @told: the sum that the packet has at its end
 * @length: of @data
 * @data: of the packet, with a 0 behind it
 */
struct gdb_parser {
	enum { GDB_OUTSIDE, GDB_INSIDE, GDB_SUM_HIGH, GDB_SUM_LOW } state;
	bool escaped;
	__u8 sum;
	int told;
	size_t length;
	char data[GDB_PACKET_MAX + 1];
};

/**
 * struct gdb_text - the data of a packet for gdb
 * @length: of @data
 * @data: escaped where it has to be
 */
struct gdb_text {
	size_t length;
	char data[GDB_PACKET_MAX];
};

enum gdb_got gdb_parse(struct gdb_parser *parser, __u8 byte);

__printf(2, 3)
void gdb_put(struct gdb_text *text, const char *fmt, ...);
void gdb_put_hex(struct gdb_text *text, const void *bytes, size_t count);
size_t gdb_put_binary(struct gdb_text *text, const void *bytes, size_t count);
size_t gdb_frame(const struct gdb_text *text, char to[static GDB_PACKET_MAX + GDB_FRAME]);

bool gdb_take_number(const char **from, __u64 *number);
bool gdb_take_hex(const char *from, void *bytes, size_t count);

#endif /* RUN_GDB_PACKET_H */
