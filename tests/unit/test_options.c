// SPDX-License-Identifier: GPL-2.0
/*
 * The launcher's command line.
 */
// sources: userspace/run/options.c userspace/run/set.c userspace/common/vmcs_words.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "userspace/run/options.h"

static struct options options;
static struct failure failure;

/* The words of a command line, up to NULL; argv is the callee's to reorder. */
static int parse_words(char *first, ...)
{
	char *argv[16] = { "minivmm-run", first };
	int argc = first ? 2 : 1;
	va_list args;

	va_start(args, first);
	while (first && (argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	memset(&failure, 0, sizeof(failure));
	return options_parse(&options, argc, argv, &failure);
}

#define parse(...)	parse_words(__VA_ARGS__, NULL)

#define refused(words, ...)						\
do {									\
	assert_int_equal(parse_words(__VA_ARGS__, NULL), STATUS_USAGE);	\
	if (!strstr(failure.text, words))				\
		fail_msg("said \"%s\", expected \"%s\"", failure.text, words); \
} while (0)

static void test_defaults(void **state)
{
	assert_int_equal(parse("guest"), STATUS_OK);
	assert_string_equal(options.image, "guest");
	assert_string_equal(options.device, "/dev/minivmm");
	assert_int_equal(options.memory, 64 << 20);
	assert_null(options.kernel);
	assert_int_equal(options.cpus, 1);
	assert_int_equal(options.timeout, 0);
	assert_int_equal(options.mode, MODE_REAL);
	assert_false(options.mode_given || options.load_given);
	assert_false(options.stats || options.verbose || options.help || options.version);
}

static void test_all(void **state)
{
	assert_int_equal(parse("--memory", "1G", "--mode=long", "--load", "0x200000",
			       "--device", "/dev/kvm", "--stats", "--timeout=5s", "-v",
			       "guest"), STATUS_OK);
	assert_int_equal(options.memory, 1 << 30);
	assert_int_equal(options.mode, MODE_LONG);
	assert_true(options.mode_given);
	assert_int_equal(options.load, 0x200000);
	assert_true(options.load_given);
	assert_string_equal(options.device, "/dev/kvm");
	assert_true(options.stats);
	assert_true(options.verbose);
	assert_int_equal(options.timeout, 5000);
}

static void test_order(void **state)
{
	/* Options behind the image, the last of two, abbreviations. */
	assert_int_equal(parse("guest", "-m2M"), STATUS_OK);
	assert_int_equal(options.memory, 2 << 20);
	assert_int_equal(parse("-m", "2M", "--memory=3M", "guest"), STATUS_OK);
	assert_int_equal(options.memory, 3 << 20);
	assert_int_equal(parse("--mem", "4M", "guest"), STATUS_OK);
	assert_int_equal(options.memory, 4 << 20);
	/* Behind "--" everything is a name. */
	assert_int_equal(parse("--", "-m"), STATUS_OK);
	assert_string_equal(options.image, "-m");
}

static void test_help(void **state)
{
	assert_int_equal(parse("--help"), STATUS_OK);
	assert_true(options.help);
	assert_int_equal(parse("-h", "--nonsense"), STATUS_OK);
	assert_true(options.help);
	assert_int_equal(parse("--version"), STATUS_OK);
	assert_true(options.version);
}

static void test_wrong_use(void **state)
{
	assert_int_equal(parse_words(NULL), STATUS_USAGE);
	assert_string_equal(failure.text, "no IMAGE given, and no --kernel");
	refused("no IMAGE", "--stats");
	refused("second: one IMAGE", "first", "second");
	refused("--smp: no such option", "--smp", "2", "guest");
	refused("are for a kernel", "--cpus", "2", "guest");
	refused("are for a kernel", "--initrd", "i", "guest");
	refused("are for a kernel", "--append", "quiet", "guest");
	refused("with --kernel there is no IMAGE", "--kernel", "k", "guest");
	refused("1 to 16 are possible", "--kernel", "k", "--cpus", "0");
	refused("1 to 16 are possible", "--kernel", "k", "--cpus", "17");
	refused("--kernel needs a value", "--kernel");
	refused("-x: no such option", "-x", "guest");
	refused("-x: no such option", "-vx", "guest");
	refused("--m: no such option, or not only one", "--m", "guest");
	refused("--memory needs a value", "guest", "--memory");
	refused("-m needs a value", "guest", "-m");
	refused("--stats=yes: this option takes no value", "--stats=yes", "guest");
	refused("--help=x: this option takes no value", "--help=x", "guest");
	refused("--device : no path", "--device", "", "guest");
}

static void test_memory(void **state)
{
	assert_int_equal(parse("-m", "1M", "guest"), STATUS_OK);
	assert_int_equal(parse("-m", "256g", "guest"), STATUS_OK);
	assert_int_equal(options.memory, 256ULL << 30);
	assert_int_equal(parse("-m", "1052672", "guest"), STATUS_OK);
	assert_int_equal(options.memory, 1052672);
	refused("--memory 64: too little", "-m", "64", "guest");
	refused("too little", "-m", "0", "guest");
	refused("too little", "-m", "1023K", "guest");
	refused("too much", "-m", "257G", "guest");
	refused("too large", "-m", "99999999999999999999", "guest");
	refused("too large", "-m", "18014398509481984K", "guest");
	refused("too large", "-m", "17179869184G", "guest");
	refused("page size", "-m", "1048577", "guest");
	refused("unknown unit", "-m", "64MB", "guest");
	refused("unknown unit", "-m", "64T", "guest");
	refused("unknown unit", "-m", "0x100000", "guest");
	refused("not a number", "-m", "-64M", "guest");
	refused("not a number", "-m", "+64M", "guest");
	refused("not a number", "-m", " 64M", "guest");
	refused("not a number", "-m", "M", "guest");
	refused("not a number", "-m", "", "guest");
}

static void test_load(void **state)
{
	assert_int_equal(parse("--load", "31744", "guest"), STATUS_OK);
	assert_int_equal(options.load, 0x7c00);
	assert_int_equal(parse("--load", "0X7C00", "guest"), STATUS_OK);
	assert_int_equal(options.load, 0x7c00);
	/* Not octal. */
	assert_int_equal(parse("--load", "010", "guest"), STATUS_OK);
	assert_int_equal(options.load, 10);
	assert_int_equal(parse("--load", "0xffffffffffffffff", "guest"), STATUS_OK);
	assert_int_equal(options.load, UINT64_MAX);
	refused("too large", "--load", "0x10000000000000000", "guest");
	refused("not a number", "--load", "0x", "guest");
	refused("not a number", "--load", "0x-1", "guest");
	refused("not a number", "--load", "0x 1", "guest");
	refused("not an address", "--load", "7c00h", "guest");
	refused("not an address", "--load", "1M", "guest");
}

static void test_timeout(void **state)
{
	assert_int_equal(parse("--timeout", "5", "guest"), STATUS_OK);
	assert_int_equal(options.timeout, 5000);
	assert_int_equal(parse("--timeout", "500ms", "guest"), STATUS_OK);
	assert_int_equal(options.timeout, 500);
	assert_int_equal(parse("--timeout", "2m", "guest"), STATUS_OK);
	assert_int_equal(options.timeout, 120000);
	assert_int_equal(parse("--timeout", "31536000", "guest"), STATUS_OK);
	refused("no time at all", "--timeout", "0", "guest");
	refused("no time at all", "--timeout", "0ms", "guest");
	refused("more than a year", "--timeout", "31536001", "guest");
	refused("more than a year", "--timeout", "18446744073709551615", "guest");
	/* Times 1000, this is 384 more than 64 bits hold. */
	refused("more than a year", "--timeout", "18446744073709552", "guest");
	refused("too large", "--timeout", "18446744073709551616", "guest");
	refused("unknown unit", "--timeout", "5h", "guest");
	refused("unknown unit", "--timeout", "5 s", "guest");
	refused("unknown unit", "--timeout", "0.5", "guest");
	refused("not a number", "--timeout", "s", "guest");
	refused("not a number", "--timeout", "-1", "guest");
}

static void test_mode(void **state)
{
	assert_int_equal(parse("--mode", "real", "guest"), STATUS_OK);
	assert_int_equal(options.mode, MODE_REAL);
	assert_true(options.mode_given);
	assert_int_equal(parse("--mode", "protected", "guest"), STATUS_OK);
	assert_int_equal(options.mode, MODE_PROTECTED);
	refused("--mode Long: unknown mode", "--mode", "Long", "guest");
	refused("unknown mode", "--mode", "", "guest");
}

static void test_set(void **state)
{
	struct kvm_regs regs = { 0 };
	struct kvm_sregs sregs = { 0 };
	unsigned int i;

	assert_int_equal(parse("--set", "rip=0x1234567890", "--set", "cs.type=3", "--set",
			       "gdt.limit=65535", "guest"), STATUS_OK);
	assert_int_equal(options.setting_count, 3);
	for (i = 0; i < options.setting_count; i++)
		setting_apply(&options.settings[i], &regs, &sregs);
	assert_int_equal(regs.rip, 0x1234567890);
	assert_int_equal(sregs.cs.type, 3);
	assert_int_equal(sregs.cs.present, 0);
	assert_int_equal(sregs.gdt.limit, 65535);
	assert_int_equal(sregs.gdt.base, 0);
	refused("not NAME=VALUE", "--set", "rip", "guest");
	refused("no such register", "--set", "=1", "guest");
	refused("no such register", "--set", "ripp=1", "guest");
	refused("no such register", "--set", "ri=1", "guest");
	refused("no such register", "--set", "RIP=1", "guest");
	refused("not a number", "--set", "rip=", "guest");
	refused("not an address", "--set", "rip=12h", "guest");
	refused("too large for that register", "--set", "cs.type=256", "guest");
	refused("too large for that register", "--set", "gdt.limit=0x10000", "guest");
	refused("too large", "--set", "rip=0x10000000000000000", "guest");
}

static void test_dump_vmcs(void **state)
{
	assert_int_equal(parse("--dump-vmcs", "guest"), STATUS_OK);
	assert_int_equal(options.dumps.count, 1);
	assert_int_equal(options.dumps.points[0].when, DUMP_END);
	assert_string_equal(options.image, "guest");
	assert_int_equal(parse("--dump-vmcs=start,3,cpuid,failure", "--diff", "--json", "guest"),
			 STATUS_OK);
	assert_int_equal(options.dumps.count, 4);
	assert_int_equal(options.dumps.points[0].when, DUMP_START);
	assert_int_equal(options.dumps.points[1].when, DUMP_EXIT);
	assert_int_equal(options.dumps.points[1].number, 3);
	assert_int_equal(options.dumps.points[2].when, DUMP_REASON);
	assert_int_equal(options.dumps.points[2].number, 10);
	assert_int_equal(options.dumps.points[3].when, DUMP_FAILURE);
	assert_true(options.dumps.diff);
	assert_true(options.dumps.json);
	refused("numbered from 1", "--dump-vmcs=0", "guest");
	refused("numbered from 1", "--dump-vmcs=1x", "guest");
	refused("the name of its reason", "--dump-vmcs=often", "guest");
	refused("the name of its reason", "--dump-vmcs=", "guest");
	refused("the name of its reason", "--dump-vmcs=1,", "guest");
	refused("no exit reason is that long", "--dump-vmcs=cpuidcpuidcpuidcpuidcpuidcpuidcpuid",
		"guest");
	refused("sixteen are the most", "--dump-vmcs=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
		"guest");
	refused("are for --dump-vmcs", "--diff", "guest");
	refused("are for --dump-vmcs", "--json", "guest");
}

static void test_trace(void **state)
{
	assert_int_equal(parse("guest"), STATUS_OK);
	assert_null(options.trace);
	assert_int_equal(parse("--trace", "a.html", "guest"), STATUS_OK);
	assert_string_equal(options.trace, "a.html");
	assert_int_equal(options.trace_kind, TRACE_HTML);
	assert_int_equal(parse("--trace=b.html/a.b.json", "guest"), STATUS_OK);
	assert_int_equal(options.trace_kind, TRACE_JSON);
	refused("has to end in .html", "--trace", "a.txt", "guest");
	refused("has to end in .html", "--trace", "a", "guest");
	refused("has to end in .html", "--trace", "a.html/b", "guest");
	refused("has to end in .html", "--trace", "a.html.gz", "guest");
	refused("has to end in .html", "--trace", ".html", "guest");
	refused("has to end in .html", "--trace", "html", "guest");
	refused("has to end in .html", "--trace=", "guest");
	refused("--trace needs a value", "guest", "--trace");
}

static void test_gdb(void **state)
{
	char path[sizeof("--gdb=") + 108];

	assert_int_equal(parse("guest"), STATUS_OK);
	assert_null(options.gdb);
	assert_int_equal(parse("--gdb", "1234", "guest"), STATUS_OK);
	assert_string_equal(options.gdb, "1234");
	assert_null(options.gdb_place.path);
	assert_string_equal(options.gdb_place.host, "127.0.0.1");
	assert_string_equal(options.gdb_place.port, "1234");
	assert_int_equal(parse("--gdb=host:0", "guest"), STATUS_OK);
	assert_string_equal(options.gdb_place.host, "host");
	assert_string_equal(options.gdb_place.port, "0");
	assert_int_equal(parse("--gdb=[::1]:65535", "guest"), STATUS_OK);
	assert_string_equal(options.gdb_place.host, "::1");
	assert_string_equal(options.gdb_place.port, "65535");
	assert_int_equal(parse("--gdb=./a:1", "guest"), STATUS_OK);
	assert_string_equal(options.gdb_place.path, "./a:1");
	/* A socket's path has 107 characters at most. */
	memset(path, '/', sizeof(path));
	memcpy(path, "--gdb=", strlen("--gdb="));
	path[strlen("--gdb=") + 107] = '\0';
	assert_int_equal(parse(path, "guest"), STATUS_OK);
	path[strlen("--gdb=") + 107] = '/';
	path[strlen("--gdb=") + 108] = '\0';
	refused("too long for a socket's path", path, "guest");
	refused("neither 1234", "--gdb=65536", "guest");
	refused("neither 1234", "--gdb=", "guest");
	refused("neither 1234", "--gdb=a", "guest");
	refused("neither 1234", "--gdb=a:", "guest");
	refused("neither 1234", "--gdb=a:-1", "guest");
	refused("neither 1234", "--gdb=1x", "guest");
	refused("no address before", "--gdb=:1234", "guest");
	refused("--gdb needs a value", "guest", "--gdb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_wrong_use),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_dump_vmcs),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_gdb),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
