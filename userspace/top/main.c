// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm-top: where the time of virtual machines goes.
 *
 *	sample.c	reads the counters, and compares with the time before
 *	print.c		--once, --json, --csv
 *	screen.c	the live screen
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include "print.h"
#include "screen.h"

#define DEBUGFS		"/sys/kernel/debug"
#define MODULE		"/sys/module/minivmm"

static const char help[] =
"Usage: minivmm-top [OPTION]...\n"
"Show what the virtual machines of minivmm do: VM exits a second by reason, and\n"
"the time in the guest, in the host's kernel, in user space, and halted.\n"
"\n"
"      --once             print one interval and end; so it is without a terminal\n"
"      --json             print JSON, one object for each interval\n"
"      --csv              print lines with commas, the names of the columns first\n"
"  -i, --interval=TIME    seconds from one look to the next, 0.1 to 3600 (1)\n"
"      --debugfs=FOLDER   where debugfs is (" DEBUGFS ")\n"
"  -h, --help             print this and end\n"
"      --version          print the version and end\n"
"\n"
"Keys: q ends, up and down select a vCPU, s sorts, h tells more.\n"
"\n"
"Status: 0 done, 64 usage, 66 no VM runs (--once), 69 no module or no debugfs,\n"
"71 system error, 74 output error, 77 no permission.\n";

struct options {
	bool once;
	bool json;
	bool csv;
	double interval;
	const char *debugfs;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = signal;
}

__attribute__((format(printf, 1, 2)))
static void say(const char *fmt, ...)
{
	va_list args;

	fputs("minivmm-top: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Why can @folder not be used, and what helps? */
static int complain(const char *folder, int err)
{
	if (err == -EACCES || err == -EPERM) {
		say("%s: %s\nThe counters are in debugfs, which is root's: sudo minivmm-top",
		    folder, strerror(-err));
		return EX_NOPERM;
	}
	if (err != -ENOENT) {
		say("%s: %s", folder, strerror(-err));
		return EX_OSERR;
	}
	if (access(MODULE, F_OK))
		say("the module is not loaded: sudo modprobe minivmm");
	else
		say("%s is not there. Is debugfs mounted? sudo mount -t debugfs none " DEBUGFS
		    "\n(A kernel that was booted with debugfs=off has none.)", folder);
	return EX_UNAVAILABLE;
}

static void print_sample(const struct options *options, const struct sample *sample)
{
	if (options->json)
		print_json(sample, stdout);
	else if (options->csv)
		print_csv(sample, stdout);
	else if (sample->count)
		print_text(sample, stdout);
}

static int print_samples(const struct options *options, const char *folder)
{
	struct timespec pause = {
		.tv_sec = options->interval,
		.tv_nsec = (options->interval - (long)options->interval) * 1e9,
	};
	bool once = options->once || (!options->json && !options->csv);
	struct sample now, before;
	int err = sample_read(folder, &before), status = EX_OK;

	if (options->csv)
		print_csv_head(stdout);
	while (!err && !stopped) {
		nanosleep(&pause, NULL);
		if (stopped)
			break;
		err = sample_read(folder, &now);
		sample_compare(&now, &before);
		sample_free(&before);
		before = now;
		if (err)
			break;
		print_sample(options, &now);
		if (fflush(stdout) || ferror(stdout)) {
			say("standard output: %s", strerror(errno));
			status = EX_IOERR;
			break;
		}
		if (!once)
			continue;
		if (!now.count) {
			say("no VM of minivmm runs: start one, minivmm-run FILE");
			status = EX_NOINPUT;
		}
		break;
	}
	sample_free(&before);
	return err ? complain(folder, err) : status;
}

static int run(const struct options *options)
{
	bool live = !options->once && !options->json && !options->csv &&
		    isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct sigaction action = { .sa_handler = stop };
	char folder[4000], timing[4096];
	int fd, ret;

	if (snprintf(folder, sizeof(folder), "%s/minivmm", options->debugfs) >=
	    (int)sizeof(folder)) {
		say("--debugfs: %s", strerror(ENAMETOOLONG));
		return EX_USAGE;
	}
	/* The module takes times while this is open. */
	snprintf(timing, sizeof(timing), "%s/timing", folder);
	fd = open(timing, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return complain(folder, -errno);
	if (live) {
		ret = screen_run(folder, options->interval);
		if (ret == -ENOTTY) {
			say("TERM=%s: no such terminal is known; --once needs none",
			    getenv("TERM") ?: "");
			ret = EX_UNAVAILABLE;
		} else if (ret < 0) {
			ret = complain(folder, ret);
		} else if (ret) {
			stopped = ret;
			ret = EX_OK;
		}
	} else {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		ret = print_samples(options, folder);
	}
	close(fd);
	return ret;
}

static int end(int status)
{
	/* As anybody else who gets one. */
	if (!status && stopped) {
		signal(stopped, SIG_DFL);
		raise(stopped);
	}
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	say("standard output: %s", strerror(errno));
	return EX_IOERR;
}

static bool parse_interval(const char *text, double *interval)
{
	char *rest;

	*interval = strtod(text, &rest);
	return rest != text && !*rest && *interval >= 0.1 && *interval <= 3600;
}

int main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "once",	no_argument,		NULL,	'o' },
		{ "json",	no_argument,		NULL,	'j' },
		{ "csv",	no_argument,		NULL,	'c' },
		{ "interval",	required_argument,	NULL,	'i' },
		{ "debugfs",	required_argument,	NULL,	'd' },
		{ "help",	no_argument,		NULL,	'h' },
		{ "version",	no_argument,		NULL,	'v' },
		{ NULL,		0,			NULL,	0 },
	};
	struct options options = { .interval = 1, .debugfs = DEBUGFS };
	int option;

	while ((option = getopt_long(argc, argv, "hi:", longs, NULL)) != -1) {
		switch (option) {
		case 'o':
			options.once = true;
			break;
		case 'j':
			options.json = true;
			break;
		case 'c':
			options.csv = true;
			break;
		case 'i':
			if (parse_interval(optarg, &options.interval))
				break;
			say("--interval %s: not a number of seconds from 0.1 to 3600", optarg);
			return EX_USAGE;
		case 'd':
			options.debugfs = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return end(EX_OK);
		case 'v':
			puts("minivmm-top " PROGRAM_VERSION);
			return end(EX_OK);
		default:
			fputs("Try: minivmm-top --help\n", stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc || (options.json && options.csv)) {
		say("%s\nTry: minivmm-top --help", optind < argc ? "it takes only options" :
		    "--json or --csv, not both");
		return EX_USAGE;
	}
	return end(run(&options));
}
