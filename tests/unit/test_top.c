// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm-top: reading counters, and what became of them in between.
 */
// sources: userspace/top/sample.c userspace/top/print.c userspace/common/process.c
// libs: -ljansson
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "userspace/top/print.h"
#include "userspace/top/sample.h"

static void parse(const char *text, struct counters *counters)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(file);
	counters_parse(file, counters);
	fclose(file);
}

static const struct reason *find(const struct counters *counters, const char *name)
{
	unsigned int i;

	for (i = 0; i < counters->nr; i++) {
		if (!strcmp(counters->reasons[i].name, name))
			return &counters->reasons[i];
	}
	return NULL;
}

static void test_parse(void **state)
{
	struct counters c;

	parse("exits 12\nio_exits 5\nhalt_wait_ns 77\nguest_ns 18446744073709551615\n"
	      "exit_cpuid 7\nroot_cpuid_ns 70\nroot_hlt_ns 3\nroot_ns 9\nuser_ns 8\n", &c);
	assert_int_equal(c.exits, 12);
	assert_int_equal(c.ns[GUEST], UINT64_MAX);
	assert_int_equal(c.ns[ROOT], 9);
	assert_int_equal(c.ns[USER], 8);
	assert_int_equal(c.ns[HALTED], 77);
	assert_int_equal(c.nr, 2);
	assert_int_equal(find(&c, "cpuid")->count, 7);
	assert_int_equal(find(&c, "cpuid")->ns, 70);
	/* The exit came before somebody began to count. */
	assert_int_equal(find(&c, "hlt")->count, 0);
	assert_int_equal(find(&c, "hlt")->ns, 3);
}

static void test_parse_nonsense(void **state)
{
	char many[REASONS_MAX * 40], *at = many;
	struct counters c;
	unsigned int i;

	parse("\nexits\nexits x\n5\nexit_ 5\nroot__ns 5\nexit_01234567890123456789012345678901 5\n"
	      "exit_ok 5 behind\nexits 3", &c);
	assert_int_equal(c.exits, 3);
	assert_int_equal(c.nr, 1);
	assert_int_equal(find(&c, "ok")->count, 5);

	for (i = 0; i < REASONS_MAX + 10; i++)
		at += sprintf(at, "exit_reason%u 1\n", i);
	parse(many, &c);
	assert_int_equal(c.nr, REASONS_MAX);
}

static void test_subtract(void **state)
{
	struct counters before, now, delta;

	parse("exits 10\nguest_ns 100\nexit_hlt 10\nroot_hlt_ns 50\n", &before);
	parse("exits 25\nguest_ns 300\nexit_cpuid 4\nexit_hlt 21\nroot_hlt_ns 90\n"
	      "root_cpuid_ns 8\n", &now);
	counters_subtract(&now, &before, &delta);
	assert_int_equal(delta.exits, 15);
	assert_int_equal(delta.ns[GUEST], 200);
	assert_int_equal(find(&delta, "hlt")->count, 11);
	assert_int_equal(find(&delta, "hlt")->ns, 40);
	assert_int_equal(find(&delta, "cpuid")->count, 4);
	assert_int_equal(find(&delta, "cpuid")->ns, 8);
	counters_sort(&delta);
	assert_string_equal(delta.reasons[0].name, "hlt");

	/* Another vCPU in its place: what it has is new. */
	counters_subtract(&before, &now, &delta);
	assert_int_equal(delta.exits, 10);
	assert_int_equal(find(&delta, "hlt")->count, 10);
	counters_subtract(&now, NULL, &delta);
	assert_int_equal(delta.exits, 25);
}

static void test_sum(void **state)
{
	struct line lines[2] = { 0 };
	struct sample sample = { .count = 2, .lines = lines };
	struct counters total, delta;

	parse("exits 3\nexit_hlt 1\nexit_cpuid 2\nuser_ns 5\n", &lines[0].total);
	parse("exits 9\nexit_hlt 9\nuser_ns 6\n", &lines[1].total);
	sample_sum(&sample, &total, &delta);
	assert_int_equal(total.exits, 12);
	assert_int_equal(counters_time(&total), 11);
	assert_int_equal(total.nr, 2);
	assert_string_equal(total.reasons[0].name, "hlt");
	assert_int_equal(total.reasons[0].count, 10);
	assert_int_equal(delta.exits, 0);
}

static void put(const char *folder, const char *path, const char *text)
{
	char whole[256], *slash;
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", folder, path);
	for (slash = whole + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(whole, 0700);
		*slash = '/';
	}
	file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static char *text_of(const struct sample *sample, void (*print)(const struct sample *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print(sample, out);
	fclose(out);
	return text;
}

static void test_folders(void **state)
{
	char folder[] = "/tmp/test_top.XXXXXX", command[64];
	struct sample before, now;
	char *text, *at;

	assert_non_null(mkdtemp(folder));
	put(folder, "timing", "");
	put(folder, "20-4/vcpu10/stats", "exits 1\n");
	put(folder, "20-4/vcpu9/stats", "exits 2\n");
	put(folder, "20-4/stats", "exits 3\n");
	put(folder, "3-4/vcpu0/stats", "exits 1000\nguest_ns 0\nexit_hlt 1000\n");
	put(folder, "3-4/vcpu1x/stats", "exits 4\n");
	put(folder, "3-5/stats", "exits 0\n");
	put(folder, "no-vm/vcpu0/stats", "exits 4\n");
	assert_int_equal(sample_read(folder, &before), 0);
	assert_int_equal(before.count, 3);
	assert_int_equal(before.vms, 3);
	assert_int_equal(before.lines[0].pid, 3);
	assert_int_equal(before.lines[1].vcpu, 9);
	assert_int_equal(before.lines[2].vcpu, 10);

	put(folder, "3-4/vcpu0/stats", "exits 1500\nguest_ns 750\nroot_ns 250\nexit_hlt 1500\n"
	    "root_hlt_ns 250\n");
	assert_int_equal(sample_read(folder, &now), 0);
	now.ns = before.ns + 2000000000;
	sample_compare(&now, &before);
	sample_sort(&now, BY_EXITS);
	assert_int_equal(now.lines[0].delta.exits, 500);
	text = text_of(&now, print_json);
	/* To be read here, with the other quotation marks */
	for (at = text; (at = strchr(at, '"')); at++)
		*at = '\'';
	/* 500 in two seconds */
	assert_non_null(strstr(text, "{'hlt':{'exits':1500,'exits_per_second':250.0,"));
	assert_non_null(strstr(text, "'root_ns':250}}"));
	assert_non_null(strstr(text, "'share':{'guest':0.75,'root':0.25,'user':0.0"));
	assert_non_null(strstr(text, "'share':{'guest':null"));
	free(text);
	text = text_of(&now, print_csv);
	assert_non_null(strstr(text, ",3,4,0,all,500,250.0,250,75.0,25.0,0.0,0.0,0.0\n"));
	assert_non_null(strstr(text, ",3,4,0,hlt,500,250.0,250,,,,,\n"));
	assert_non_null(strstr(text, ",20,4,9,all,0,0.0,0,,,,,\n"));
	free(text);
	sample_free(&now);
	sample_free(&before);

	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(sample_read(folder, &now), -ENOENT);
	sample_free(&now);
}

static void test_duration(void **state)
{
	static const struct {
		double ns;
		const char *text;
	} all[] = {
		{ 0, "0 ns" }, { 999, "999 ns" }, { 1000, "1.000 us" }, { 52640, "52.64 us" },
		{ 123456789, "123.5 ms" }, { 2e9, "2.000 s" }, { 4e12, "4000 s" },
	};
	char text[16];
	unsigned int i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_string_equal(duration_text(all[i].ns, text), all[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_nonsense),
		cmocka_unit_test(test_subtract),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
