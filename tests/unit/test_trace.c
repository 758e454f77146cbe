// SPDX-License-Identifier: GPL-2.0
/*
 * What --trace writes. How the page looks is for tests/timeline/drive.pl.
 */
// sources: userspace/run/trace_file.c userspace/run/trace_json.c userspace/run/trace_html.c
// sources: userspace/run/trace_words.c userspace/common/vmcs_words.c
// libs: -ljansson -lz -lcapstone
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include <zlib.h>
#include "userspace/run/trace.h"

/* A TSC with more bits than JavaScript's numbers have */
#define START		((1ULL << 55) + 12345)
#define TSC_KHZ		1000000	/* a tick is a nanosecond */

/* From one exit to the next: of these in the guest, and then in the module */
#define EXIT_TICKS	1000
#define GUEST_TICKS	300
#define MODULE_TICKS	200

enum { CPUID, OUT, HLT, EPT, KINDS };

static const struct {
	__u32 reason;
	__u8 bytes[2];
	__u8 count;
	__u64 qualification;
	__s32 user;
} kinds[KINDS] = {
	[CPUID] = { 10, { 0x0f, 0xa2 }, 2, 0, -1 },
	[OUT] = { 30, { 0xee, 0x90 }, 2, 0x3f8 << 16, KVM_EXIT_IO },
	[HLT] = { 12, { 0xf4, 0x90 }, 2, 0, KVM_EXIT_HLT },
	[EPT] = { 48, { 0x8b, 0x00 }, 2, 0x181, -1 },
};

/* The exit of this number, from 1 on */
static struct minivmm_exit exit_of(__u64 number)
{
	unsigned int kind = (number - 1) % KINDS;
	struct minivmm_exit e = {
		.number = number,
		.reason = kinds[kind].reason,
		.qualification = kinds[kind].qualification,
		.flags = MINIVMM_EXIT_CODE64,
		.rip = 0xffffffff81000000 + 16 * number,
		.insn_bytes = kinds[kind].count,
		.exit_tsc = START + (number - 1) * EXIT_TICKS + GUEST_TICKS,
		.entry_tsc = START + number * EXIT_TICKS,
		.regs = { 0x41, 1, 0x3f8, 0 },
		.physical = 0xfee00000,
		.linear = 0x7000,
		.rflags = 0x202, .next_rflags = 0x202,
		.cr0 = 0x80000011, .next_cr0 = 0x80000011,
	};

	memcpy(e.insn, kinds[kind].bytes, sizeof(kinds[kind].bytes));
	e.next_rip = e.rip + e.insn_bytes;
	if (kinds[kind].user >= 0) {
		e.flags |= MINIVMM_EXIT_TO_USER;
		e.user = kinds[kind].user;
		e.user_tsc = e.exit_tsc + MODULE_TICKS;
	}
	if (kind == CPUID) {
		e.changed = 1 << 0 | 1 << 3;
		e.value[0] = 0x806ea;
		e.value[1] = 0x1234;
	}
	return e;
}

static char *text;
static size_t size;

static void begin(struct trace_file *file, const struct trace_format *format, const char *image,
		  unsigned int cpus)
{
	*file = (struct trace_file) {
		.format = format, .image = image, .cpus = cpus, .tsc_khz = TSC_KHZ,
		.out = open_memstream(&text, &size),
	};
	file->lines[0].start = START;
	assert_int_equal(trace_file_begin(file), 0);
}

static void put(struct trace_file *file, unsigned int vcpu, __u64 number)
{
	struct minivmm_exit e = exit_of(number);

	trace_file_exit(file, vcpu, &e);
}

/* The nth event of a category, or of a phase */
static json_t *event(json_t *root, const char *key, const char *value, int n)
{
	json_t *events = json_object_get(root, "traceEvents"), *e;
	size_t i;

	json_array_foreach(events, i, e) {
		const char *is = json_string_value(json_object_get(e, key));

		if (is && !strcmp(is, value) && !n--)
			return e;
	}
	return NULL;
}

static double number_of(json_t *e, const char *key)
{
	return json_number_value(json_object_get(e, key));
}

static const char *text_of(json_t *e, const char *key)
{
	return json_string_value(json_object_get(e, key));
}

static void test_json(void **state)
{
	struct minivmm_exit e = exit_of(7);
	struct trace_file file;
	json_t *root, *args;

	begin(&file, &trace_json, "a \"guest\"", 2);
	put(&file, 0, 1);
	put(&file, 0, 2);
	/* Three are lost. */
	put(&file, 0, 6);
	file.lines[0].dropped = 3;
	file.lines[1].start = START + 5000;
	/* The last of all: no VM entry follows. */
	e.entry_tsc = 0;
	e.inject = 0x80000306;
	trace_file_exit(&file, 1, &e);
	assert_int_equal(trace_file_end(&file), 0);

	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_string_equal(text_of(json_object_get(event(root, "name", "process_name", 0), "args"),
				    "name"), "a \"guest\"");
	assert_non_null(event(root, "name", "thread_name", 1));
	assert_null(event(root, "name", "thread_name", 2));
	assert_int_equal(number_of(event(root, "cat", "non-root", 0), "ts") * 1000, 0);
	assert_int_equal(number_of(event(root, "cat", "non-root", 0), "dur") * 1000, GUEST_TICKS);

	assert_string_equal(text_of(event(root, "cat", "root", 0), "name"), "cpuid");
	assert_int_equal(number_of(event(root, "cat", "root", 0), "dur") * 1000,
			 EXIT_TICKS - GUEST_TICKS);
	args = json_object_get(event(root, "cat", "root", 0), "args");
	assert_string_equal(text_of(args, "insn"), "cpuid");
	assert_string_equal(text_of(args, "rip"), "0xffffffff81000010");
	assert_string_equal(text_of(args, "rip after"), "0xffffffff81000012");
	assert_string_equal(text_of(args, "rax after"), "0x806ea");
	assert_string_equal(text_of(args, "rbx after"), "0x1234");
	assert_null(text_of(args, "rcx after"));
	assert_null(text_of(args, "cr0 after"));

	assert_string_equal(text_of(event(root, "cat", "user", 0), "name"),
			    "user space: KVM_EXIT_IO");
	assert_int_equal(number_of(event(root, "cat", "user", 0), "ts") * 1000,
			 EXIT_TICKS + GUEST_TICKS + MODULE_TICKS);
	assert_string_equal(text_of(event(root, "ph", "i", 0), "name"), "3 VM exits dropped");
	/* What the guest did before an exit whose VM entry is lost is not known. */
	assert_int_equal(number_of(event(root, "cat", "non-root", 2), "tid"), 1);
	assert_null(event(root, "cat", "non-root", 3));
	assert_int_equal(number_of(event(root, "cat", "root", 3), "tid"), 1);
	assert_int_equal(number_of(event(root, "cat", "root", 3), "dur") * 1000, MODULE_TICKS);
	args = json_object_get(event(root, "cat", "root", 3), "args");
	assert_string_equal(text_of(args, "inject"), "0x80000306");
	assert_int_equal(number_of(json_object_get(json_object_get(root, "otherData"), "vCPU 0"),
				   "dropped"), 3);
	json_decref(root);
	free(text);
}

/* Without an exit; and with a name that is no text */
static void test_empty(void **state)
{
	struct trace_file file;
	json_t *root;

	begin(&file, &trace_json, "\xff", 1);
	assert_int_equal(trace_file_end(&file), 0);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_null(event(root, "cat", "root", 0));
	json_decref(root);
	free(text);

	begin(&file, &trace_html, "\xff", 1);
	assert_int_equal(trace_file_end(&file), 0);
	assert_non_null(strstr(text, "\"rows\":0"));
	free(text);
}

/* What is between two marks of the page, @from moved behind it */
static char *between(const char **from, const char *begins, const char *ends)
{
	const char *first = strstr(*from, begins), *last;

	assert_non_null(first);
	first += strlen(begins);
	last = strstr(first, ends);
	assert_non_null(last);
	*from = last;
	return strndup(first, last - first);
}

static size_t from_base64(const char *from, __u8 *to)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned int word = 0, bits = 0;
	size_t count = 0;

	for (; *from && *from != '='; from++) {
		assert_non_null(strchr(digits, *from));
		word = word << 6 | (strchr(digits, *from) - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[count++] = word >> bits;
		}
	}
	return count;
}

#define EXITS	1000

static void test_html(void **state)
{
	static const char image[] = "</script><script src=x>";
	static __u8 packed[1 << 20], rows[1 << 20];
	z_stream z = { .next_in = packed, .next_out = rows, .avail_out = sizeof(rows) };
	struct trace_file file;
	struct minivmm_exit e;
	const char *at, *code;
	json_t *head, *field;
	char *part;
	size_t row;
	__u64 i;
	__u32 insn;

	begin(&file, &trace_html, image, 1);
	for (i = 1; i <= EXITS; i++)
		put(&file, 0, i);
	file.lines[0].dropped = 5;
	assert_int_equal(trace_file_end(&file), 0);

	assert_memory_equal(text, "<!DOCTYPE html>", 15);
	assert_null(strstr(text, "<script src"));
	assert_null(strstr(text, "http:"));
	assert_null(strstr(text, "https:"));
	assert_null(strstr(text, "<!-- data"));
	assert_null(strstr(text, "<!-- style"));
	at = text;
	part = between(&at, "<script id=\"head\" type=\"application/json\">", "</script>");
	head = json_loads(part, 0, NULL);
	free(part);
	assert_non_null(head);
	assert_string_equal(text_of(head, "image"), image);
	field = json_array_get(json_object_get(head, "vcpus"), 0);
	assert_int_equal(number_of(field, "rows"), EXITS);
	assert_int_equal(number_of(field, "dropped"), 5);
	assert_string_equal(text_of(field, "start"), "36028797018976313");
	assert_string_equal(text_of(json_object_get(head, "reasons"), "48"), "ept_violation");
	assert_string_equal(text_of(json_object_get(head, "user"), "5"), "HLT");
	/* One of each, however often they come */
	assert_int_equal(json_array_size(json_object_get(head, "code")), KINDS);

	part = between(&at, "<script id=\"vcpu0\" type=\"text/plain\">", "</script>");
	z.avail_in = from_base64(part, packed);
	free(part);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	row = number_of(head, "row");
	assert_int_equal(z.total_out, EXITS * row);

	field = json_object_get(json_object_get(head, "fields"), "insn");
	for (i = 0; i < EXITS; i++) {
		static const char *const names[KINDS] = {
			"cpuid", "out dx, al", "hlt", "mov eax, dword ptr [rax]",
		};

		e = exit_of(i + 1);
		assert_memory_equal(rows + i * row, &e, sizeof(e));
		memcpy(&insn, rows + i * row + json_integer_value(json_array_get(field, 0)), 4);
		code = json_string_value(json_array_get(json_object_get(head, "code"), insn - 1));
		assert_string_equal(code, names[i % KINDS]);
	}
	json_decref(head);
	free(text);
}

/* 16, 32 and 64 bits; and what is none, or not all of one */
static void test_code(void **state)
{
	struct trace_code *code = trace_code_new();
	struct minivmm_exit e = {
		.rip = 0x1000, .insn = { 0xb8, 1, 2, 3, 4 }, .insn_bytes = 5,
	};
	__u32 length;

	assert_string_equal(trace_code_text(code, trace_code_number(code, &e, &length)),
			    "mov ax, 0x201");
	assert_int_equal(length, 3);
	e.flags = MINIVMM_EXIT_CODE32;
	assert_string_equal(trace_code_text(code, trace_code_number(code, &e, &length)),
			    "mov eax, 0x4030201");
	assert_int_equal(length, 5);
	e.insn_bytes = 4;
	e.insn[4] = 0;
	assert_int_equal(trace_code_number(code, &e, &length), 0);
	assert_int_equal(length, 0);
	/* The same bytes at another place */
	e = (struct minivmm_exit) { .rip = 0x1000, .insn = { 0xeb, 0xfe }, .insn_bytes = 2 };
	assert_string_equal(trace_code_text(code, trace_code_number(code, &e, NULL)), "jmp 0x1000");
	e.rip = 0x2000;
	assert_string_equal(trace_code_text(code, trace_code_number(code, &e, NULL)), "jmp 0x2000");
	/* Zeros are an instruction, nothing is none. */
	e = (struct minivmm_exit) { 0 };
	assert_int_equal(trace_code_number(code, &e, NULL), 0);
	e.insn_bytes = 15;
	assert_string_equal(trace_code_text(code, trace_code_number(code, &e, NULL)),
			    "add byte ptr [bx + si], al");
	trace_code_free(code);
}

static void test_full(void **state)
{
	struct trace_file file = {
		.format = &trace_json, .image = "guest", .cpus = 1, .tsc_khz = 1,
		.out = fopen("/dev/full", "w"),
	};

	assert_non_null(file.out);
	assert_int_equal(trace_file_begin(&file), 0);
	put(&file, 0, 1);
	assert_int_equal(trace_file_end(&file), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
