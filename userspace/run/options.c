// SPDX-License-Identifier: GPL-2.0
/*
 * The command line.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include "../common/vmcs.h"
#include "options.h"

#define SOCKET_PATH_MAX	sizeof(((struct sockaddr_un *)0)->sun_path)

const char options_help[] =
"Usage: minivmm-run [OPTION]... IMAGE\n"
"  or:  minivmm-run [OPTION]... --kernel FILE\n"
"Run IMAGE, an ELF program or a flat binary, or boot the kernel FILE, as the\n"
"guest of a virtual machine.\n"
"\n"
"      --kernel FILE    boot a bzImage, or an ELF kernel by PVH or multiboot\n"
"      --initrd FILE    its initial RAM disk, or a multiboot module; repeatable\n"
"      --append WORDS   its command line\n"
"      --cpus N         how many processors it has, 1 to 16 (1)\n"
"  -m, --memory SIZE    RAM of the guest, 1M to 256G (64M; 256M for a kernel)\n"
"      --mode MODE      a flat binary starts in real, protected or long mode (real)\n"
"      --load ADDR      where a flat binary goes (0x7c00 in real mode, else 0x100000)\n"
"      --device PATH    whom to ask for the machine (" DEFAULT_DEVICE ");\n"
"                       /dev/kvm works too\n"
"      --timeout TIME   end the guest after 5, 5s, 500ms or 2m\n"
"      --set REG=VALUE  a register of the first processor: rip=0x1000, cs.type=3; repeatable\n"
"      --dump-vmcs[=WHEN,...]  print the fields of the VMCS: start, end (the default),\n"
"                       failure, the number of a VM exit, the name of its reason\n"
"      --diff           after the first, print only what changed\n"
"      --json           print VMCSs as JSON, one object a line\n"
"      --trace FILE     record every VM exit: FILE.html is a page to look at, FILE.json\n"
"                       is for Perfetto and chrome://tracing\n"
"      --gdb [ADDR:]PORT|PATH  wait for gdb's \"target remote\" there, before the first\n"
"                       instruction; ADDR is 127.0.0.1, PATH a socket's\n"
"      --stats          at the end, print what the vCPU counted: VM exits by reason\n"
"  -v, --verbose        tell of accesses to ports where nothing is\n"
"  -h, --help           print this and end\n"
"      --version        print the version and end\n"
"\n"
"Port 0x3f8 is a serial port on standard input and output. Writing N to port\n"
"0xf4 ends the guest with status N, 0 to 63; HLT with interrupts off, with 0.\n"
"On a terminal, a kernel gets every key but Ctrl-A: Ctrl-A x ends it, Ctrl-A h\n"
"says more.\n"
"\n"
"Status: 0-63 guest, 64 usage, 65 bad image, 66 no image, 69 no device,\n"
"71 system error, 74 output failed, 75 VT-x busy, 77 no permission,\n"
"80 triple fault, 81 VM entry failed, 82 no memory there, 83 unhandled exit,\n"
"84 halted for ever, 85 vector without a handler, 86 reset, 87 panic,\n"
"88 ended by Ctrl-A x or gdb, 124 timeout, 128+N signal N. See minivmm-run(1).\n";

/* A number, all digits: strtoull() would take signs and spaces too. */
static const char *parse_number(const char *text, int base, __u64 *value,
				char **end)
{
	const char *digits = base == 16 ? text + 2 : text;

	if (base == 16 ? !isxdigit((unsigned char)*digits) :
			 !isdigit((unsigned char)*digits))
		return "not a number";

	errno = 0;
	*value = strtoull(text, end, base);
	return errno == ERANGE ? "too large" : NULL;
}

/**
 * parse_size() - an amount of memory: digits, then nothing, K, M or G
 * @text: what the user wrote
 * @bytes: the answer
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_size(const char *text, __u64 *bytes)
{
	static const char units[] = "KMG";
	const char *wrong, *unit;
	unsigned int shift = 0;
	char *end;
	__u64 value;

	wrong = parse_number(text, 10, &value, &end);
	if (wrong)
		return wrong;

	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit || end[1])
			return "unknown unit (K, M and G are known)";
		shift = 10 * (unit - units + 1);
	}
	if (value << shift >> shift != value)
		return "too large";
	*bytes = value << shift;
	return NULL;
}

/**
 * parse_address() - a guest-physical address: hexadecimal after 0x, else decimal
 * @text: what the user wrote
 * @address: the answer
 *
 * A leading 0 alone does not mean octal: nobody means it with addresses.
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_address(const char *text, __u64 *address)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *wrong;
	char *end;

	wrong = parse_number(text, hex ? 16 : 10, address, &end);
	if (!wrong && *end)
		wrong = "not an address (write 0x7c00 or 31744)";
	return wrong;
}

/**
 * parse_duration() - a time: digits, then nothing or s, ms, m
 * @text: what the user wrote
 * @milliseconds: the answer
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_duration(const char *text, __u64 *milliseconds)
{
	const __u64 most = 1000ULL * 60 * 60 * 24 * 365;
	const char *wrong;
	__u64 value, unit;
	char *end;

	wrong = parse_number(text, 10, &value, &end);
	if (wrong)
		return wrong;

	if (!*end || !strcmp(end, "s"))
		unit = 1000;
	else if (!strcmp(end, "ms"))
		unit = 1;
	else if (!strcmp(end, "m"))
		unit = 60 * 1000;
	else
		return "unknown unit (s, ms and m are known)";

	if (!value)
		return "no time at all (leave the option out for no limit)";
	if (value > most / unit)
		return "more than a year (leave the option out for no limit)";
	*milliseconds = value * unit;
	return NULL;
}

/**
 * parse_cpus() - a number of processors
 * @text: what the user wrote
 * @cpus: the answer
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_cpus(const char *text, unsigned int *cpus)
{
	const char *wrong;
	__u64 value;
	char *end;

	wrong = parse_number(text, 10, &value, &end);
	if (wrong)
		return wrong;
	if (*end)
		return "not a number";
	if (!value || value > CPUS_MAX)
		return "1 to 16 are possible";
	*cpus = value;
	return NULL;
}

/**
 * parse_mode() - the name of a processor mode
 * @text: what the user wrote
 * @mode: the answer
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_mode(const char *text, enum mode *mode)
{
	if (!strcmp(text, "real"))
		*mode = MODE_REAL;
	else if (!strcmp(text, "protected"))
		*mode = MODE_PROTECTED;
	else if (!strcmp(text, "long"))
		*mode = MODE_LONG;
	else
		return "unknown mode (real, protected and long are known)";
	return NULL;
}

static const char *parse_point(const char *word, struct dump_point *point)
{
	int reason;

	point->number = 0;
	if (!strcmp(word, "start")) {
		point->when = DUMP_START;
	} else if (!strcmp(word, "end")) {
		point->when = DUMP_END;
	} else if (!strcmp(word, "failure")) {
		point->when = DUMP_FAILURE;
	} else if (*word >= '0' && *word <= '9') {
		point->when = DUMP_EXIT;
		if (parse_address(word, &point->number) || !point->number)
			return "VM exits are numbered from 1 on";
	} else {
		reason = vmcs_reason_number(word);
		if (reason < 0)
			return "start, end, failure, a VM exit's number, or the name of its reason";
		point->when = DUMP_REASON;
		point->number = reason;
	}
	return NULL;
}

/**
 * parse_dumps() - a list of occasions, with commas
 * @text: what the user wrote
 * @dumps: the occasions are added
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_dumps(const char *text, struct dumps *dumps)
{
	char word[32];
	size_t length;
	const char *wrong;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		if (dumps->count == DUMPS_MAX)
			return "sixteen are the most";
		if (length >= sizeof(word))
			return "no exit reason is that long";
		memcpy(word, text, length);
		word[length] = '\0';
		wrong = parse_point(word, &dumps->points[dumps->count]);
		if (wrong)
			return wrong;
		dumps->count++;
		if (!text[length])
			return NULL;
	}
}

/**
 * parse_trace() - the name of a file that tells what is to be in it
 * @text: what the user wrote
 * @kind: the answer
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_trace(const char *text, enum trace_kind *kind)
{
	const char *name = strrchr(text, '/'), *ending;

	name = name ? name + 1 : text;
	ending = strrchr(name, '.');
	if (ending && ending != name && !strcmp(ending, ".html"))
		*kind = TRACE_HTML;
	else if (ending && ending != name && !strcmp(ending, ".json"))
		*kind = TRACE_JSON;
	else
		return "the name has to end in .html (a page to look at) or .json (for Perfetto)";
	return NULL;
}

/**
 * parse_gdb() - [ADDR:]PORT, or the path of a socket, which has a "/"
 * @text: what the user wrote
 * @place: the answer; its path is in @text
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_gdb(const char *text, struct gdb_place *place)
{
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	const char *host = colon ? text : "127.0.0.1";
	size_t length = colon ? (size_t)(colon - text) : strlen(host);
	char *end;
	__u64 number;

	*place = (struct gdb_place) { 0 };
	if (strchr(text, '/')) {
		place->path = text;
		return strlen(text) < SOCKET_PATH_MAX ? NULL : "too long for a socket's path";
	}
	if (parse_number(port, 10, &number, &end) || *end || number > 0xffff)
		return "neither 1234, nor 127.0.0.1:1234, nor the path of a socket, with a /";
	if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	}
	if (!length || length >= sizeof(place->host))
		return "no address before the port";
	memcpy(place->host, host, length);
	snprintf(place->port, sizeof(place->port), "%llu", number);
	return NULL;
}

static const char *parse_memory(const char *text, __u64 *bytes)
{
	const char *wrong = parse_size(text, bytes);

	if (wrong)
		return wrong;
	if (*bytes < MEMORY_MIN)
		return "too little, 1M is the least (a number alone is bytes)";
	if (*bytes > MEMORY_MAX)
		return "too much, 256G is the most";
	if (*bytes % PAGE_SIZE)
		return "not a multiple of the page size, 4K";
	return NULL;
}

enum {
	OPT_MODE = 0x100, OPT_LOAD, OPT_DEVICE, OPT_TIMEOUT, OPT_STATS, OPT_VERSION,
	OPT_KERNEL, OPT_INITRD, OPT_APPEND, OPT_CPUS,
	OPT_SET, OPT_DUMP_VMCS, OPT_DIFF, OPT_JSON,
	OPT_TRACE, OPT_GDB,
};

static const struct option long_options[] = {
	{ "memory",	required_argument,	NULL,	'm' },
	{ "kernel",	required_argument,	NULL,	OPT_KERNEL },
	{ "initrd",	required_argument,	NULL,	OPT_INITRD },
	{ "append",	required_argument,	NULL,	OPT_APPEND },
	{ "cpus",	required_argument,	NULL,	OPT_CPUS },
	{ "mode",	required_argument,	NULL,	OPT_MODE },
	{ "load",	required_argument,	NULL,	OPT_LOAD },
	{ "device",	required_argument,	NULL,	OPT_DEVICE },
	{ "timeout",	required_argument,	NULL,	OPT_TIMEOUT },
	{ "set",	required_argument,	NULL,	OPT_SET },
	{ "dump-vmcs",	optional_argument,	NULL,	OPT_DUMP_VMCS },
	{ "diff",	no_argument,		NULL,	OPT_DIFF },
	{ "json",	no_argument,		NULL,	OPT_JSON },
	{ "trace",	required_argument,	NULL,	OPT_TRACE },
	{ "gdb",	required_argument,	NULL,	OPT_GDB },
	{ "stats",	no_argument,		NULL,	OPT_STATS },
	{ "verbose",	no_argument,		NULL,	'v' },
	{ "help",	no_argument,		NULL,	'h' },
	{ "version",	no_argument,		NULL,	OPT_VERSION },
	{ NULL,		0,			NULL,	0 },
};

/* getopt_long() knows what it did not like only through these variables. */
static int bad_option(int how, char *argv[], struct failure *failure)
{
	const char *word = argv[optind - 1];

	if (how == ':')
		return failed(failure, STATUS_USAGE, "%s needs a value", word);
	if (optopt > 0 && optopt < 0x100 && !(optopt == 'm' || optopt == 'v' || optopt == 'h'))
		return failed(failure, STATUS_USAGE, "-%c: no such option", optopt);
	if (optopt)
		return failed(failure, STATUS_USAGE, "%s: this option takes no value", word);
	return failed(failure, STATUS_USAGE, "%s: no such option, or not only one", word);
}

/* What goes together, and what was left out. */
static int complete(struct options *options, struct failure *failure)
{
	if (!options->kernel && !options->image)
		return failed(failure, STATUS_USAGE, "no IMAGE given, and no --kernel");
	if (options->kernel && options->image)
		return failed(failure, STATUS_USAGE,
			      "%s: with --kernel there is no IMAGE (--initrd FILE, --append WORDS)",
			      options->image);
	if (options->kernel && (options->mode_given || options->load_given))
		return failed(failure, STATUS_USAGE,
			      "--mode and --load are for flat binaries; a kernel says itself where it goes");
	if (!options->kernel && (options->initrd_count || options->append || options->cpus))
		return failed(failure, STATUS_USAGE,
			      "--initrd, --append and --cpus are for a kernel: --kernel FILE");
	if ((options->dumps.diff || options->dumps.json) && !options->dumps.count)
		return failed(failure, STATUS_USAGE, "--diff and --json are for --dump-vmcs");
	if (!options->memory)
		options->memory = options->kernel ? DEFAULT_MEMORY_KERNEL : DEFAULT_MEMORY;
	if (!options->append)
		options->append = "";
	if (!options->cpus)
		options->cpus = 1;
	return STATUS_OK;
}

/**
 * options_parse() - read the command line
 * @options: to be filled
 * @argc: as main() got it
 * @argv: as main() got it; getopt_long() may reorder it
 * @failure: what is wrong with it
 *
 * Return: STATUS_OK or STATUS_USAGE.
 */
int options_parse(struct options *options, int argc, char *argv[],
		  struct failure *failure)
{
	const char *wrong = NULL, *name = NULL;
	int option, index;

	*options = (struct options){
		.device = DEFAULT_DEVICE,
		.mode = MODE_REAL,
	};

	optind = 0;	/* GNU: start anew; a test parses more than once */
	opterr = 0;
	while (!wrong) {
		index = -1;
		option = getopt_long(argc, argv, ":m:vh", long_options, &index);
		if (option == -1)
			break;
		name = index >= 0 ? long_options[index].name : "memory";
		switch (option) {
		case 'm':
			wrong = parse_memory(optarg, &options->memory);
			break;
		case OPT_KERNEL:
			options->kernel = optarg;
			break;
		case OPT_INITRD:
			if (options->initrd_count == INITRDS_MAX)
				wrong = "eight are the most";
			else
				options->initrds[options->initrd_count++] = optarg;
			break;
		case OPT_APPEND:
			options->append = optarg;
			break;
		case OPT_CPUS:
			wrong = parse_cpus(optarg, &options->cpus);
			break;
		case OPT_MODE:
			wrong = parse_mode(optarg, &options->mode);
			options->mode_given = true;
			break;
		case OPT_LOAD:
			wrong = parse_address(optarg, &options->load);
			options->load_given = true;
			break;
		case OPT_DEVICE:
			options->device = optarg;
			wrong = *optarg ? NULL : "no path";
			break;
		case OPT_TIMEOUT:
			wrong = parse_duration(optarg, &options->timeout);
			break;
		case OPT_SET:
			if (options->setting_count == SETTINGS_MAX)
				wrong = "sixteen are the most";
			else
				wrong = parse_setting(optarg,
						      &options->settings[options->setting_count++]);
			break;
		case OPT_DUMP_VMCS:
			wrong = parse_dumps(optarg ? optarg : "end", &options->dumps);
			break;
		case OPT_DIFF:
			options->dumps.diff = true;
			break;
		case OPT_JSON:
			options->dumps.json = true;
			break;
		case OPT_TRACE:
			options->trace = optarg;
			wrong = parse_trace(optarg, &options->trace_kind);
			break;
		case OPT_GDB:
			options->gdb = optarg;
			wrong = parse_gdb(optarg, &options->gdb_place);
			break;
		case OPT_STATS:
			options->stats = true;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			options->help = true;
			return STATUS_OK;
		case OPT_VERSION:
			options->version = true;
			return STATUS_OK;
		default:
			return bad_option(option, argv, failure);
		}
	}
	if (wrong)
		return failed(failure, STATUS_USAGE, "--%s %s: %s", name, optarg, wrong);

	if (optind < argc)
		options->image = argv[optind];
	if (optind + 1 < argc)
		return failed(failure, STATUS_USAGE, "%s: one IMAGE is enough",
			      argv[optind + 1]);
	return complete(options, failure);
}
