// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm-run: runs one guest.
 *
 * The order to read it in:
 *
 *	main.c		from the command line to the exit status
 *	options.c	the command line
 *	image.c, elf_image.c	what goes where in the guest's memory
 *	boot.c		the same for a kernel, with bzimage.c, pvh.c, multiboot.c
 *	map.c, acpi.c	what a kernel is told of its machine
 *	layout.c	where the guest has memory
 *	machine.c	the virtual machine, by the calls of <linux/kvm.h>
 *	cpuid.c		what its vCPUs tell of themselves
 *	cpu.c		what the first of them begins with
 *	run.c, threads.c	the run loop, a thread for each vCPU
 *	exits.c		why it is left
 *	serial.c, console.c	port 0x3f8, and what is at its other end
 *	input.c, escape.c	what is typed, for a kernel
 *	platform.c, cmos.c	other ports of a PC
 *	file.c		reading files
 *	stop.c		signals and the time limit
 *	device.c	opening the device, and what may be in the way
 *	report.c, state.c, walk.c	what we say when a guest fails
 *	explain.c	why a VM entry failed
 *	stats.c		--stats
 *	set.c, dump.c	--set, --dump-vmcs
 *	gdb.c		--gdb, with gdb_*.c
 *	trace.c		--trace, with trace_*.c and timeline/
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "boot.h"
#include "console.h"
#include "gdb.h"
#include "image.h"
#include "machine.h"
#include "options.h"
#include "report.h"
#include "run.h"
#include "stop.h"
#include "threads.h"
#include "trace.h"

#ifndef PROGRAM_VERSION
#error "the Makefile defines PROGRAM_VERSION"
#endif

/*
 * If we were started with standard input or output closed, the device would
 * get their numbers, and the guest would print into it.
 */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static int print_and_end(const char *text)
{
	fputs(text, stdout);
	if (!fflush(stdout))
		return STATUS_OK;
	fprintf(stderr, "minivmm-run: standard output: %s\n", strerror(errno));
	return STATUS_OUTPUT;
}

static void print_stats(const struct machine *machine)
{
	unsigned int i;
	int err;

	for (i = 0; i < machine->cpus; i++) {
		if (machine->cpus > 1)
			fprintf(stderr, "vCPU %u\n", i);
		err = stats_print(machine->vcpus[i].fd, stderr);
		if (err)
			report_note("--stats: the device gives no counters: %s",
				    strerror(-err));
	}
}

static int run(const struct options *options, struct image *image,
	       struct failure *failure)
{
	struct machine machine;
	struct debugger *debugger = NULL;
	struct trace trace;
	int status, err, timing = -1, traced;

	status = machine_create(&machine, options, image, failure);
	if (!status)
		status = gdb_open(options, &debugger, failure);
	if (!status)
		status = trace_begin(&trace, &machine, options, failure);
	if (status)
		goto out;

	/* It is in the guest's memory now, and it may be large. */
	image_free(image);

	threads_init(&machine);
	err = stop_arm(options->timeout);
	if (err) {
		status = failed(failure, STATUS_SYSTEM, "timer: %s", strerror(-err));
		goto out;
	}
	/* minivmm takes times while a descriptor of counters is open. */
	if (options->stats)
		timing = ioctl(machine.vm, KVM_GET_STATS_FD, NULL);
	status = guest_run(&machine, options, debugger);
	console_restore();
	stop_disarm();
	traced = trace_end(&trace);
	if (status == STATUS_OK)
		status = traced;

	if (options->stats) {
		console_end_line();
		print_stats(&machine);
	}
	if (timing >= 0)
		close(timing);
out:
	gdb_close(debugger);
	machine_destroy(&machine);
	return status;
}

int main(int argc, char *argv[])
{
	struct failure failure = { 0 };
	struct options options;
	const char *about = NULL;
	struct image image;
	int status;

	open_standard_files();

	status = options_parse(&options, argc, argv, &failure);
	if (status) {
		fprintf(stderr, "minivmm-run: %s\nTry: minivmm-run --help\n", failure.text);
		return status;
	}
	if (options.help)
		return print_and_end(options_help);
	if (options.version)
		return print_and_end("minivmm-run " PROGRAM_VERSION "\n");

	if (options.kernel)
		status = boot_read(&image, &options, &failure);
	else
		status = image_read(&image, &options, &failure);
	if (!status)
		status = run(&options, &image, &failure);
	/* Of the image, or of what else has a name in the message already. */
	if (status == STATUS_IMAGE || status == STATUS_NO_IMAGE)
		about = failure.about;
	if (failure.text[0])
		fprintf(stderr, "minivmm-run: %s%s%s\n", about ?: "", about ? ": " : "",
			failure.text);
	image_free(&image);

	if (status > STATUS_SIGNAL)
		stop_die(status - STATUS_SIGNAL);
	return status;
}
