// SPDX-License-Identifier: GPL-2.0
/*
 * What gdb asks for: gdb's manual, "Packets", "General Query Packets" and "vCont
 * packet". An empty answer says that we do not know a packet, gdb does without then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "gdb_commands.h"

static void reply(struct gdb *gdb, const char *words)
{
	struct gdb_text text = { 0 };

	gdb_put(&text, "%s", words);
	gdb->send(gdb->context, &text);
}

static void reply_result(struct gdb *gdb, int err)
{
	struct gdb_text text = { 0 };

	if (err)
		gdb_put(&text, "E%02x", -err & 0xff);
	else
		gdb_put(&text, "OK");
	gdb->send(gdb->context, &text);
}

static bool skip(const char **from, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*from, word, length))
		return false;
	*from += length;
	return true;
}

/* Two numbers with a comma between. */
static bool take_pair(const char **from, __u64 *first, __u64 *second)
{
	return gdb_take_number(from, first) && skip(from, ",") &&
	       gdb_take_number(from, second);
}

/* A thread's number; -1 and 0 are all of them and any. */
static bool take_thread(struct gdb *gdb, const char **from, int *vcpu)
{
	__u64 number;

	*vcpu = -1;
	if (skip(from, "-1"))
		return true;
	if (!gdb_take_number(from, &number) || number > gdb->cpus)
		return false;
	*vcpu = (int)number - 1;
	return true;
}

static int load(struct gdb *gdb)
{
	int err = 0;

	if (!gdb->loaded)
		err = gdb->target->load(gdb->context, gdb->current, &gdb->cpu);
	gdb->loaded = !err;
	return err;
}

static int store(struct gdb *gdb)
{
	int err = gdb->target->store(gdb->context, gdb->current, &gdb->cpu);

	/* What it did not take is not what it has. */
	gdb->loaded = !err;
	return err;
}

static void read_registers(struct gdb *gdb)
{
	struct gdb_text text = { 0 };
	__u8 value[GDB_REGISTER_MAX];
	unsigned int i, size;
	int err = load(gdb);

	if (err) {
		reply_result(gdb, err);
		return;
	}
	for (i = 0; (size = gdb_register_read(gdb->arch, &gdb->cpu, i, value)); i++)
		gdb_put_hex(&text, value, size);
	gdb->send(gdb->context, &text);
}

static void write_registers(struct gdb *gdb, const char *from)
{
	__u8 value[GDB_REGISTER_MAX], old[GDB_REGISTER_MAX];
	char digits[2 * GDB_REGISTER_MAX + 1];
	unsigned int i, size;
	int err = load(gdb);

	for (i = 0; !err && (size = gdb_register_read(gdb->arch, &gdb->cpu, i, old)); i++) {
		snprintf(digits, sizeof(digits), "%.*s", (int)size * 2, from);
		from += strlen(digits);
		if (!gdb_take_hex(digits, value, size) ||
		    !gdb_register_write(gdb->arch, &gdb->cpu, i, value))
			err = -EINVAL;
	}
	if (!err && *from)
		err = -EINVAL;
	gdb->loaded = !err;
	reply_result(gdb, err ? err : store(gdb));
}

static void read_register(struct gdb *gdb, const char *from)
{
	struct gdb_text text = { 0 };
	__u8 value[GDB_REGISTER_MAX];
	unsigned int size = 0;
	__u64 number;
	int err = load(gdb);

	if (!err && gdb_take_number(&from, &number) && number < gdb_register_count(gdb->arch))
		size = gdb_register_read(gdb->arch, &gdb->cpu, number, value);
	if (!size) {
		reply_result(gdb, err ? err : -EINVAL);
		return;
	}
	gdb_put_hex(&text, value, size);
	gdb->send(gdb->context, &text);
}

static int write_register(struct gdb *gdb, const char *from)
{
	__u8 value[GDB_REGISTER_MAX];
	unsigned int size;
	__u64 number;
	int err = load(gdb);

	if (err)
		return err;
	if (!gdb_take_number(&from, &number) || !skip(&from, "=") ||
	    number >= gdb_register_count(gdb->arch))
		return -EINVAL;
	size = gdb_register_read(gdb->arch, &gdb->cpu, number, value);
	if (!gdb_take_hex(from, value, size) ||
	    !gdb_register_write(gdb->arch, &gdb->cpu, number, value))
		return -EINVAL;
	return store(gdb);
}

static void read_memory(struct gdb *gdb, const char *from)
{
	__u8 bytes[GDB_PACKET_MAX / 2 - 1];
	struct gdb_text text = { 0 };
	__u64 address, size;
	int got = -EINVAL;

	if (take_pair(&from, &address, &size) && !*from) {
		if (size > sizeof(bytes))
			size = sizeof(bytes);
		got = gdb->target->read(gdb->context, gdb->current, address, bytes, size);
	}
	if (got < 0) {
		reply_result(gdb, got);
		return;
	}
	gdb_put_hex(&text, bytes, got);
	gdb->send(gdb->context, &text);
}

/* In digits, or as they are. */
static int write_memory(struct gdb *gdb, const char *from, const char *end, bool binary)
{
	__u8 bytes[GDB_PACKET_MAX];
	__u64 address, size;
	int done;

	if (!take_pair(&from, &address, &size) || !skip(&from, ":") || size > sizeof(bytes))
		return -EINVAL;
	if (!binary && !gdb_take_hex(from, bytes, size))
		return -EINVAL;
	if (binary && (size_t)(end - from) != size)
		return -EINVAL;
	if (binary)
		memcpy(bytes, from, size);
	if (!size)
		return 0;
	done = gdb->target->write(gdb->context, gdb->current, address, bytes, size);
	if (done < 0)
		return done;
	return (__u64)done == size ? 0 : -EFAULT;
}

/* Z and z: kind, address, size. */
static void change_point(struct gdb *gdb, bool insert, const char *from)
{
	__u64 kind, address, size;

	if (!gdb_take_number(&from, &kind) || !skip(&from, ",") ||
	    !take_pair(&from, &address, &size)) {
		reply_result(gdb, -EINVAL);
		return;
	}
	/* The processor has no watchpoint that only reads hit. */
	if (kind > GDB_ACCESS || kind == GDB_READ) {
		reply(gdb, "");
		return;
	}
	reply_result(gdb, insert ?
		     gdb->target->insert(gdb->context, gdb->current, kind, address, size) :
		     gdb->target->remove(gdb->context, kind, address, size));
}

/* ";c:1;s": the first that names a vCPU, or all, is what it does. */
static bool take_actions(struct gdb *gdb, const char *from)
{
	bool given[CPUS_MAX] = { false };
	enum gdb_action action;
	unsigned int i;
	__u64 signal;
	int vcpu;

	memset(gdb->actions, 0, sizeof(gdb->actions));
	while (skip(&from, ";")) {
		/* There are no signals here: "with signal N" is the same. */
		if (*from != 'c' && *from != 's' && *from != 'C' && *from != 'S')
			return false;
		action = *from == 'c' || *from == 'C' ? GDB_CONTINUE : GDB_STEP;
		if (*from == 'C' || *from == 'S') {
			from++;
			if (!gdb_take_number(&from, &signal))
				return false;
		} else {
			from++;
		}
		vcpu = -1;
		if (skip(&from, ":") && !take_thread(gdb, &from, &vcpu))
			return false;
		for (i = 0; i < gdb->cpus; i++) {
			if (given[i] || (vcpu >= 0 && i != (unsigned int)vcpu))
				continue;
			given[i] = true;
			gdb->actions[i] = action;
		}
	}
	for (i = 0; i < gdb->cpus; i++)
		if (given[i])
			return !*from;
	return false;
}

static enum gdb_wish go(struct gdb *gdb)
{
	gdb->loaded = false;
	return GDB_GO;
}

/* The packets of before vCont: the vCPU that is meant steps, or all go on. */
static enum gdb_wish go_simply(struct gdb *gdb, enum gdb_action action)
{
	unsigned int i;

	for (i = 0; i < gdb->cpus; i++)
		gdb->actions[i] = GDB_CONTINUE;
	gdb->actions[gdb->current] = action;
	return go(gdb);
}

static enum gdb_wish v_packet(struct gdb *gdb, const char *from)
{
	enum gdb_wish wish = GDB_MORE;

	if (skip(&from, "Cont?")) {
		reply(gdb, "vCont;c;C;s;S");
	} else if (skip(&from, "Cont")) {
		if (take_actions(gdb, from))
			wish = go(gdb);
		else
			reply_result(gdb, -EINVAL);
	} else if (skip(&from, "Kill")) {
		reply(gdb, "OK");
		wish = GDB_KILL;
	} else {
		reply(gdb, "");
	}
	return wish;
}

/* A part of a document: "m" and "l" say whether it is the last. */
static void read_description(struct gdb *gdb, const char *from)
{
	struct gdb_text text = { 0 };
	char *document = NULL;
	__u64 offset, size;
	size_t length, sent;
	FILE *out;

	if (!take_pair(&from, &offset, &size)) {
		reply_result(gdb, -EINVAL);
		return;
	}
	/* From here to the end of the connection it is this. */
	if (!offset && !load(gdb))
		gdb->arch = gdb_arch_of(&gdb->cpu);
	out = open_memstream(&document, &length);
	if (!out) {
		reply_result(gdb, -ENOMEM);
		return;
	}
	gdb_print_description(out, gdb->arch);
	fclose(out);
	if (offset > length)
		offset = length;
	if (size > length - offset)
		size = length - offset;
	gdb_put(&text, "m");
	sent = gdb_put_binary(&text, document + offset, size);
	if (offset + sent == length)
		text.data[0] = 'l';
	gdb->send(gdb->context, &text);
	free(document);
}

static void list_threads(struct gdb *gdb)
{
	struct gdb_text text = { 0 };
	unsigned int i;

	for (i = 1; i <= gdb->cpus; i++)
		gdb_put(&text, "%c%x", i == 1 ? 'm' : ',', i);
	gdb->send(gdb->context, &text);
}

static void describe_thread(struct gdb *gdb, const char *from)
{
	struct gdb_text text = { 0 };
	char *words = NULL;
	size_t length;
	FILE *out;
	int vcpu;

	out = open_memstream(&words, &length);
	if (!out || !take_thread(gdb, &from, &vcpu) || vcpu < 0) {
		reply_result(gdb, -EINVAL);
	} else {
		gdb->target->describe(gdb->context, vcpu, out);
		fflush(out);
		gdb_put_hex(&text, words, length);
		gdb->send(gdb->context, &text);
	}
	if (out)
		fclose(out);
	free(words);
}

/* The user's "monitor": what is printed goes in packets of "O" and digits. */
static void monitor(struct gdb *gdb, const char *from)
{
	char command[128] = "", *words = NULL;
	size_t length = strlen(from) / 2, done, part;
	struct gdb_text text;
	FILE *out;

	if (length >= sizeof(command) || !gdb_take_hex(from, command, length)) {
		reply_result(gdb, -EINVAL);
		return;
	}
	out = open_memstream(&words, &length);
	if (!out) {
		reply_result(gdb, -ENOMEM);
		return;
	}
	gdb->target->monitor(gdb->context, gdb->current, command, out);
	fclose(out);
	for (done = 0; done < length; done += part) {
		part = length - done < 1024 ? length - done : 1024;
		text.length = 0;
		gdb_put(&text, "O");
		gdb_put_hex(&text, words + done, part);
		gdb->send(gdb->context, &text);
	}
	free(words);
	reply(gdb, "OK");
}

static void query(struct gdb *gdb, const char *from)
{
	struct gdb_text text = { 0 };

	if (skip(&from, "Supported")) {
		gdb_put(&text, "PacketSize=%x;qXfer:features:read+;", GDB_PACKET_MAX);
		gdb_put(&text, "vContSupported+;swbreak+;hwbreak+;QStartNoAckMode+");
		gdb->send(gdb->context, &text);
	} else if (skip(&from, "Xfer:features:read:target.xml:")) {
		read_description(gdb, from);
	} else if (skip(&from, "Rcmd,")) {
		monitor(gdb, from);
	} else if (skip(&from, "ThreadExtraInfo,")) {
		describe_thread(gdb, from);
	} else if (!strcmp(from, "fThreadInfo")) {
		list_threads(gdb);
	} else if (!strcmp(from, "sThreadInfo")) {
		reply(gdb, "l");
	} else if (!strcmp(from, "C")) {
		gdb_put(&text, "QC%x", gdb->current + 1);
		gdb->send(gdb->context, &text);
	} else if (!strcmp(from, "Attached")) {
		/* So quitting gdb detaches, and does not kill. */
		reply(gdb, "1");
	} else {
		reply(gdb, "");
	}
}

/* Hg and Hc: which thread is meant. */
static void select_thread(struct gdb *gdb, const char *from)
{
	bool registers = *from == 'g';
	int vcpu;

	if (!*from++ || !take_thread(gdb, &from, &vcpu)) {
		reply_result(gdb, -EINVAL);
		return;
	}
	if (registers && vcpu >= 0 && gdb->current != (unsigned int)vcpu) {
		gdb->current = vcpu;
		gdb->loaded = false;
	}
	reply(gdb, "OK");
}

/**
 * gdb_tell_stop() - the vCPUs stand still; gdb waits for this
 * @gdb: the connection; @stopped and @stop say why
 */
void gdb_tell_stop(struct gdb *gdb)
{
	static const char * const reasons[] = {
		[GDB_SOFTWARE] = "swbreak", [GDB_HARDWARE] = "hwbreak", [GDB_WRITE] = "watch",
		[GDB_READ] = "rwatch", [GDB_ACCESS] = "awatch",
	};
	const struct gdb_stop *stop = &gdb->stop;
	struct gdb_text text = { 0 };

	gdb_put(&text, "T%02xthread:%x;", stop->signal, gdb->stopped + 1);
	if (stop->by_point && stop->point <= GDB_HARDWARE)
		gdb_put(&text, "%s:;", reasons[stop->point]);
	else if (stop->by_point)
		gdb_put(&text, "%s:%llx;", reasons[stop->point], stop->address);
	gdb->current = gdb->stopped;
	gdb->loaded = false;
	gdb->send(gdb->context, &text);
}

/**
 * gdb_command() - a packet came from gdb, and the vCPUs stand still
 * @gdb: the connection
 * @data: of the packet, with a 0 behind it
 * @length: of @data
 *
 * Return: what else is to be done, other than the answer that was sent.
 */
enum gdb_wish gdb_command(struct gdb *gdb, const char *data, size_t length)
{
	const char *from = data + 1, *end = data + length;
	int vcpu;

	switch (data[0]) {
	case '?':
		gdb_tell_stop(gdb);
		break;
	case 'g':
		read_registers(gdb);
		break;
	case 'G':
		write_registers(gdb, from);
		break;
	case 'p':
		read_register(gdb, from);
		break;
	case 'P':
		reply_result(gdb, write_register(gdb, from));
		break;
	case 'm':
		read_memory(gdb, from);
		break;
	case 'M':
	case 'X':
		reply_result(gdb, write_memory(gdb, from, end, data[0] == 'X'));
		break;
	case 'Z':
	case 'z':
		change_point(gdb, data[0] == 'Z', from);
		break;
	case 'H':
		select_thread(gdb, from);
		break;
	case 'T':
		reply_result(gdb, take_thread(gdb, &from, &vcpu) && vcpu >= 0 ? 0 : -ESRCH);
		break;
	case 'c':
		return go_simply(gdb, GDB_CONTINUE);
	case 's':
		return go_simply(gdb, GDB_STEP);
	case 'v':
		return v_packet(gdb, from);
	case 'q':
		query(gdb, from);
		break;
	case 'Q':
		/* This answer is the last that is acknowledged. */
		reply(gdb, strcmp(from, "StartNoAckMode") ? "" : "OK");
		gdb->no_acks |= !strcmp(from, "StartNoAckMode");
		break;
	case 'D':
		reply(gdb, "OK");
		return GDB_DETACH;
	case 'k':
		return GDB_KILL;
	default:
		reply(gdb, "");
	}
	return GDB_MORE;
}
