// SPDX-License-Identifier: GPL-2.0
/*
 * --trace FILE.html: a page that shows the run, and needs nothing beside itself.
 *
 * Its text, style and program are the files in timeline/. The exits go into it as
 * they are, a row each, packed with zlib and written in base64; what the numbers
 * say is timeline/decode.js's to tell, for the one exit that the reader looks at.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "../common/vmcs.h"
#include "timeline.h"
#include "trace.h"

#define PAGE_FILE(name, path)						\
	asm(".pushsection .rodata\n"					\
	    "timeline_" #name ": .incbin \"" TIMELINE path "\"\n"	\
	    "timeline_" #name "_end: .byte 0\n.popsection\n")
PAGE_FILE(index, "index.html");
PAGE_FILE(style, "style.css");
PAGE_FILE(decode, "decode.js");
PAGE_FILE(view, "view.js");
PAGE_FILE(main, "main.js");

/* Numbers that may have a name, as exit reasons and as KVM_EXIT_* */
#define REASONS		128
#define USER_REASONS	64

/* What is packed begins with so much room, and doubles it. */
#define ROOM_FIRST	(64 * KIB)

/**
 * struct row - an exit, as the page gets it
 * @exit: the record
 * @insn: number of its instruction, 0 for none
 * @size: bytes of it
 */
struct row {
	struct minivmm_exit exit;
	__u32 insn;
	__u32 size;
};

/* Where the page finds what, in a row: offset, bytes of a value, how many values */
#define SIZE_OF(member)	sizeof(((struct row *)0)->member)
#define FIELD(name)	{ #name, offsetof(struct row, exit.name), SIZE_OF(exit.name), 1 }
#define ARRAY_FIELD(as, name)						\
	{ as, offsetof(struct row, exit.name), SIZE_OF(exit.name[0]),	\
	  SIZE_OF(exit.name) / SIZE_OF(exit.name[0]) }

static const struct {
	const char *name;
	unsigned int offset, size, count;
} fields[] = {
	FIELD(exit_tsc), FIELD(entry_tsc), FIELD(user_tsc), FIELD(number), FIELD(qualification),
	FIELD(rip), FIELD(linear), FIELD(physical), FIELD(cr3), FIELD(cr4), FIELD(reason),
	FIELD(flags), FIELD(event), FIELD(event_error), FIELD(vectoring), FIELD(vectoring_error),
	FIELD(length), FIELD(info), FIELD(rflags), FIELD(cr0), FIELD(efer), FIELD(user),
	ARRAY_FIELD("regs", regs), ARRAY_FIELD("code", insn), FIELD(insn_bytes), FIELD(cpl),
	FIELD(changed), FIELD(inject), FIELD(inject_error), ARRAY_FIELD("value", value),
	FIELD(next_rip), FIELD(next_cr3), FIELD(next_cr4), FIELD(next_rflags), FIELD(next_cr0),
	FIELD(next_efer),
	{ "insn", offsetof(struct row, insn), SIZE_OF(insn), 1 },
	{ "size", offsetof(struct row, size), SIZE_OF(size), 1 },
};

/**
 * struct trace_packed - the rows of a vCPU
 * @stream: of zlib
 * @bytes: what came out of it
 * @room: in @bytes
 * @rows: how many
 * @failed: there was no memory for more
 */
struct trace_packed {
	z_stream stream;
	__u8 *bytes;
	size_t room;
	__u64 rows;
	bool failed;
};

static int begin(struct trace_file *file)
{
	struct trace_packed *packed;
	unsigned int i;

	for (i = 0; i < file->cpus; i++) {
		packed = calloc(1, sizeof(*packed));
		/* 16 more than the largest window: with gzip's header */
		if (!packed || deflateInit2(&packed->stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8,
					    Z_DEFAULT_STRATEGY) != Z_OK) {
			free(packed);
			return -ENOMEM;
		}
		file->lines[i].packed = packed;
	}
	return 0;
}

static void pack(struct trace_packed *packed, const void *from, size_t size, int flush)
{
	z_stream *z = &packed->stream;
	int result = Z_OK;
	__u8 *more;

	z->next_in = (__u8 *)from;
	z->avail_in = size;
	while (!packed->failed && (z->avail_in || (flush == Z_FINISH && result != Z_STREAM_END))) {
		if (!z->avail_out) {
			z->avail_out = packed->room ?: ROOM_FIRST;
			more = realloc(packed->bytes, packed->room + z->avail_out);
			packed->failed = !more;
			if (!more)
				return;
			packed->bytes = more;
			z->next_out = more + packed->room;
			packed->room += z->avail_out;
		}
		result = deflate(z, flush);
	}
}

static void put_exit(struct trace_file *file, unsigned int vcpu, const struct minivmm_exit *e)
{
	struct trace_packed *packed = file->lines[vcpu].packed;
	struct row row = { .exit = *e };

	if (packed->failed || packed->rows == TRACE_PAGE_EXITS / file->cpus)
		return;
	row.insn = trace_code_number(file->code, e, &row.size);
	pack(packed, &row, sizeof(row), Z_NO_FLUSH);
	packed->rows++;
}

static void put_base64(FILE *out, const __u8 *bytes, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	for (i = 0; i < size; i += 3) {
		unsigned int left = size - i;
		__u32 word = bytes[i] << 16;

		if (left > 1)
			word |= bytes[i + 1] << 8;
		if (left > 2)
			word |= bytes[i + 2];
		putc(digits[word >> 18], out);
		putc(digits[word >> 12 & 63], out);
		putc(left > 1 ? digits[word >> 6 & 63] : '=', out);
		putc(left > 2 ? digits[word & 63] : '=', out);
	}
}

/* Nothing in it may look like the end of the script that it is in. */
static int put_text(const char *buffer, size_t size, void *out)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (buffer[i] == '<')
			fputs("\\u003c", out);
		else
			putc(buffer[i], out);
	}
	return 0;
}

static json_t *names(const char *(*name)(unsigned int number), unsigned int count)
{
	json_t *object = json_object();
	unsigned int i;
	char number[16];

	for (i = 0; i < count; i++) {
		if (!name(i))
			continue;
		snprintf(number, sizeof(number), "%u", i);
		json_object_set_new(object, number, json_string(name(i)));
	}
	return object;
}

static const char *reason_name(unsigned int number)
{
	return vmcs_reason_name(number);
}

static const char *user_name(unsigned int number)
{
	return trace_user_name(number);
}

static json_t *layout(void)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		json_object_set_new(object, fields[i].name,
				    json_pack("[i,i,i]", fields[i].offset, fields[i].size,
					      fields[i].count));
	return object;
}

static void put_head(struct trace_file *file)
{
	json_t *head = json_object(), *lines = json_array(), *code = json_array(), *image;
	unsigned int i;
	char start[24];

	for (i = 0; i < file->cpus; i++) {
		const struct trace_line *line = &file->lines[i];

		/* JavaScript's numbers have 53 bits. */
		snprintf(start, sizeof(start), "%llu", line->start);
		json_array_append_new(lines, json_pack("{s:s,s:I,s:I,s:I}", "start", start,
						       "rows", (json_int_t)line->packed->rows,
						       "exits", (json_int_t)line->exits,
						       "dropped", (json_int_t)line->dropped));
	}
	for (i = 1; i <= trace_code_count(file->code); i++)
		json_array_append_new(code, json_string(trace_code_text(file->code, i)));

	/* A file's name need not be UTF-8. */
	image = json_string(file->image);
	json_object_set_new(head, "image", image ?: json_string("?"));
	json_object_set_new(head, "tsc_khz", json_integer(file->tsc_khz));
	json_object_set_new(head, "row", json_integer(sizeof(struct row)));
	json_object_set_new(head, "fields", layout());
	json_object_set_new(head, "vcpus", lines);
	json_object_set_new(head, "reasons", names(reason_name, REASONS));
	json_object_set_new(head, "user", names(user_name, USER_REASONS));
	json_object_set_new(head, "code", code);
	fputs("<script id=\"head\" type=\"application/json\">", file->out);
	json_dump_callback(head, put_text, file->out, JSON_COMPACT);
	fputs("</script>\n", file->out);
	json_decref(head);
}

static void put_data(struct trace_file *file)
{
	struct trace_packed *packed;
	unsigned int i;

	for (i = 0; i < file->cpus; i++) {
		packed = file->lines[i].packed;
		pack(packed, NULL, 0, Z_FINISH);
		if (packed->failed)
			packed->rows = 0;
	}
	put_head(file);
	for (i = 0; i < file->cpus; i++) {
		packed = file->lines[i].packed;
		fprintf(file->out, "<script id=\"vcpu%u\" type=\"text/plain\">", i);
		if (!packed->failed)
			put_base64(file->out, packed->bytes, packed->stream.total_out);
		fputs("</script>\n", file->out);
	}
}

static void put_script(FILE *out, const char *from, const char *to)
{
	fputs("<script>\n", out);
	fwrite(from, 1, to - from, out);
	fputs("</script>\n", out);
}

/* The page with what belongs at its marks */
static void end(struct trace_file *file)
{
	static const char style[] = "<!-- style -->\n", data[] = "<!-- data -->\n";
	const char *style_at = strstr(timeline_index, style);
	const char *data_at = strstr(timeline_index, data);
	struct trace_packed *packed;
	FILE *out = file->out;
	unsigned int i;

	fwrite(timeline_index, 1, style_at - timeline_index, out);
	fputs("<style>\n", out);
	fwrite(timeline_style, 1, timeline_style_end - timeline_style, out);
	fputs("</style>\n", out);
	style_at += strlen(style);
	fwrite(style_at, 1, data_at - style_at, out);
	put_data(file);
	put_script(out, timeline_decode, timeline_decode_end);
	put_script(out, timeline_view, timeline_view_end);
	put_script(out, timeline_main, timeline_main_end);
	fputs(data_at + strlen(data), out);

	for (i = 0; i < file->cpus; i++) {
		packed = file->lines[i].packed;
		if (packed)
			deflateEnd(&packed->stream);
		free(packed ? packed->bytes : NULL);
		free(packed);
	}
}

const struct trace_format trace_html = {
	.begin = begin, .exit = put_exit, .end = end,
};
