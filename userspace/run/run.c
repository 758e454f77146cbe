// SPDX-License-Identifier: GPL-2.0
/*
 * Running the guest: one thread for each vCPU, the first of them our own, and
 * for a kernel another one that reads standard input.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "console.h"
#include "dump.h"
#include "gdb.h"
#include "guest.h"
#include "report.h"
#include "run.h"
#include "stop.h"
#include "threads.h"
#include "trace.h"

#define SERIAL_IRQ	4

/**
 * guest_end() - the guest has come to its end
 * @guest: the guest
 * @status: how
 *
 * Context: any thread, not a signal handler.
 */
void guest_end(struct guest *guest, int status)
{
	int going_on = GO_ON;

	__atomic_compare_exchange_n(&guest->status, &going_on, status, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	stop_by_guest();
}

/* Only our own thread is told of signals; it speaks for all. */
static int asked_to_end(struct vcpu *vcpu, const struct options *options, int reason)
{
	if (vcpu->index || reason == STOP_GUEST)
		return GO_ON;
	if (reason != STOP_TIMEOUT)
		return STATUS_SIGNAL + reason;
	report_timeout(vcpu, options->timeout);
	return STATUS_TIMEOUT;
}

static int run_failed(struct vcpu *vcpu, int err)
{
	report_run_error(vcpu, err);
	return err == EFAULT ? STATUS_NO_MEMORY : STATUS_SYSTEM;
}

/* Everything that is not KVM_RUN. */
static int leave(struct vcpu *vcpu, struct guest *guest)
{
	int status;

	pthread_mutex_lock(&guest->lock);
	status = guest_exit(vcpu, guest);
	console_flush();
	if (status == GO_ON && console_error() && !stop_asked()) {
		report_note("standard output: %s", strerror(console_error()));
		status = STATUS_OUTPUT;
	}
	pthread_mutex_unlock(&guest->lock);
	return status;
}

static int run_until_end(struct vcpu *vcpu, struct guest *guest,
			 const struct options *options, struct dumper *dumper)
{
	int status, reason, err;

	for (;;) {
		reason = stop_asked();
		if (reason)
			return asked_to_end(vcpu, options, reason);

		trace_wait(vcpu);
		err = ioctl(vcpu->fd, KVM_RUN, 0) ? errno : 0;
		if (options->dumps.count) {
			pthread_mutex_lock(&guest->lock);
			dump_after_run(dumper);
			pthread_mutex_unlock(&guest->lock);
		}
		if (err == EINTR || err == EAGAIN) {
			gdb_interrupted(guest->debugger, vcpu);
			continue;
		}
		if (err)
			return run_failed(vcpu, err);
		if (guest->debugger && vcpu->run->exit_reason == KVM_EXIT_DEBUG) {
			gdb_debug_exit(guest->debugger, vcpu);
			continue;
		}
		status = leave(vcpu, guest);
		if (status != GO_ON) {
			gdb_failed(guest->debugger, vcpu, status);
			return status;
		}
	}
}

static int run_loop(struct vcpu *vcpu, struct guest *guest, const struct options *options)
{
	struct dumper dumper;
	int status;

	pthread_mutex_lock(&guest->lock);
	dump_begin(&dumper, vcpu, &options->dumps);
	pthread_mutex_unlock(&guest->lock);
	gdb_before_first(guest->debugger, vcpu);
	status = run_until_end(vcpu, guest, options, &dumper);
	pthread_mutex_lock(&guest->lock);
	dump_end(&dumper);
	pthread_mutex_unlock(&guest->lock);
	return status;
}

/**
 * struct vcpu_thread - what a thread begins with
 * @vcpu: the vCPU that it runs
 * @guest: the guest
 * @options: time limit
 */
struct vcpu_thread {
	struct vcpu *vcpu;
	struct guest *guest;
	const struct options *options;
};

static void *vcpu_run(void *argument)
{
	struct vcpu_thread *thread = argument;
	int status = run_loop(thread->vcpu, thread->guest, thread->options);

	if (status != GO_ON)
		guest_end(thread->guest, status);
	return NULL;
}

static void set_serial_irq(void *context, bool level)
{
	struct guest *guest = context;
	struct kvm_irq_level irq = { .irq = SERIAL_IRQ, .level = level };

	if (ioctl(guest->machine->vm, KVM_IRQ_LINE, &irq))
		report_note("interrupt of the serial port: %s", strerror(errno));
}

static void debug_byte(__u8 byte)
{
	(void)!write(STDERR_FILENO, &byte, 1);
}

static int start_threads(struct guest *guest, struct vcpu_thread *threads)
{
	unsigned int i;
	int err;

	guest->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (guest->wake < 0)
		return -errno;
	console_attach();
	err = threads_start(input_run, guest);
	for (i = 1; i < guest->machine->cpus && !err; i++)
		err = threads_start(vcpu_run, &threads[i]);
	return err;
}

static int run_pc(struct guest *guest, const struct options *options)
{
	struct vcpu_thread threads[CPUS_MAX];
	unsigned int i;
	int err;

	for (i = 0; i < guest->machine->cpus; i++)
		threads[i] = (struct vcpu_thread){ &guest->machine->vcpus[i], guest, options };

	err = start_threads(guest, threads);
	if (err) {
		report_note("a thread for each vCPU: %s", strerror(-err));
		guest_end(guest, STATUS_SYSTEM);
	} else {
		vcpu_run(&threads[0]);
		/* Asked by others than the guest, and there was nothing to add. */
		stop_by_guest();
	}
	gdb_end(guest->debugger, guest->status);
	threads_join();
	if (guest->wake >= 0)
		close(guest->wake);
	return guest->status;
}

static int run_alone(struct guest *guest, const struct options *options)
{
	int status = run_loop(&guest->machine->vcpus[0], guest, options);

	/* gdb ended it. */
	if (status == GO_ON)
		status = guest->status;
	gdb_end(guest->debugger, status);
	return status;
}

/**
 * guest_run() - run the guest until it ends, or is ended
 * @machine: ready for its first KVM_RUN; stop_arm() has been called
 * @options: time limit and verbosity
 * @debugger: of gdb_open(), or NULL
 *
 * Return: the status to exit with; STATUS_SIGNAL plus its number if a signal
 * ended the run.
 */
int guest_run(struct machine *machine, const struct options *options,
	      struct debugger *debugger)
{
	struct guest guest = {
		.machine = machine,
		.verbose = options->verbose,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.platform.debug = debug_byte,
		.debugger = debugger,
		.wake = -1,
		.status = GO_ON,
	};
	struct serial_line console = { .send = console_send, .context = &guest };
	int status, err;

	if (machine->is_pc)
		console.interrupt = set_serial_irq;
	else
		console.receive = console_receive;
	serial_init(&guest.serial, &console);

	if (debugger) {
		err = gdb_start(debugger, &guest);
		if (err) {
			report_note("--gdb: a thread for it: %s", strerror(-err));
			return STATUS_SYSTEM;
		}
	}
	if (machine->is_pc)
		status = run_pc(&guest, options);
	else
		status = run_alone(&guest, options);
	if (status == STATUS_OK && console_error()) {
		report_note("standard output: %s", strerror(console_error()));
		status = STATUS_OUTPUT;
	}
	return status;
}
