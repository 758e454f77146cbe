// SPDX-License-Identifier: GPL-2.0
/*
 * --trace: every VM exit of a run, in a file.
 *
 * The module puts a record of each exit into a ring that we share with it. A
 * thread of its own reads the rings while the guest runs: a vCPU that stays in
 * the kernel fills its ring, too. What finds no room there is lost and counted.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "report.h"
#include "trace.h"

/* 4 MiB for each vCPU: a hundredth of a second of nothing but CPUIDs */
#define RING_EXITS	16384
#define RING_SIZE	(PAGE_SIZE + RING_EXITS * sizeof(struct minivmm_exit))

#define NAP_US		1000

/* The module that knows MINIVMM_TRACE */
#define VERSION_LEAST	3

/* Return: how many records there were. */
static unsigned int drain(struct trace *trace, unsigned int vcpu)
{
	struct minivmm_trace *ring = trace->machine->vcpus[vcpu].ring;
	const struct minivmm_exit *records = (void *)ring + PAGE_SIZE;
	__u64 head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE), tail = ring->tail;
	unsigned int count = head - tail;

	trace->file.lines[vcpu].start = ring->start;
	for (; tail != head; tail++) {
		trace_file_exit(&trace->file, vcpu, &records[tail % RING_EXITS]);
		__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	}
	trace->file.lines[vcpu].dropped = ring->dropped;
	return count;
}

static void *read_rings(void *argument)
{
	struct trace *trace = argument;
	unsigned int i, count;

	while (__atomic_load_n(&trace->running, __ATOMIC_RELAXED)) {
		count = 0;
		for (i = 0; i < trace->machine->cpus; i++)
			count += drain(trace, i);
		if (count < RING_EXITS / 4)
			usleep(NAP_US);
	}
	return NULL;
}

/**
 * trace_wait() - do not enter the guest before there is room in the ring
 * @vcpu: not in KVM_RUN
 *
 * Exits that come to user space are not lost this way, however fast they come.
 */
void trace_wait(struct vcpu *vcpu)
{
	struct minivmm_trace *ring = vcpu->ring;

	while (ring && ring->head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) > RING_EXITS / 2)
		usleep(NAP_US);
}

static int map_ring(struct vcpu *vcpu)
{
	void *ring;

	if (ioctl(vcpu->fd, MINIVMM_TRACE, RING_EXITS))
		return -errno;
	ring = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd,
		    (off_t)MINIVMM_TRACE_PAGE * PAGE_SIZE);
	if (ring == MAP_FAILED)
		return -errno;
	vcpu->ring = ring;
	return 0;
}

static void unmap_rings(struct trace *trace)
{
	struct vcpu *vcpus = trace->machine->vcpus;
	unsigned int i;

	for (i = 0; i < trace->machine->cpus; i++) {
		if (vcpus[i].ring)
			munmap(vcpus[i].ring, RING_SIZE);
		vcpus[i].ring = NULL;
	}
}

static int start(struct trace *trace)
{
	sigset_t all, old;
	unsigned int i;
	int err;

	for (i = 0; i < trace->machine->cpus; i++) {
		err = map_ring(&trace->machine->vcpus[i]);
		if (err)
			return err;
	}
	trace->file.tsc_khz = trace->machine->vcpus[0].ring->tsc_khz;
	err = trace_file_begin(&trace->file);
	if (err)
		return err;

	/* No signal is for this thread: neither the user's nor a kick. */
	trace->running = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&trace->thread, NULL, read_rings, trace);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	trace->running = !err;
	return -err;
}

/**
 * trace_begin() - record from now on
 * @trace: to be filled; trace_end() it if this succeeds
 * @machine: the machine, before its first KVM_RUN
 * @options: the file
 * @failure: what went wrong
 *
 * Return: STATUS_OK or why not. Without --trace nothing is done.
 */
int trace_begin(struct trace *trace, struct machine *machine, const struct options *options,
		struct failure *failure)
{
	int err;

	*trace = (struct trace) {
		.machine = machine,
		.path = options->trace,
		.file = { .cpus = machine->cpus, .image = options->kernel ?: options->image },
	};
	if (!options->trace)
		return STATUS_OK;
	if (ioctl(machine->device, MINIVMM_GET_VERSION, 0) < VERSION_LEAST)
		return failed(failure, STATUS_USAGE,
			      "--trace: %s does not tell of its VM exits; /dev/minivmm does",
			      options->device);
	trace->file.format = options->trace_kind == TRACE_HTML ? &trace_html : &trace_json;
	trace->file.out = fopen(options->trace, "we");
	if (!trace->file.out)
		return failed(failure, STATUS_OUTPUT, "--trace %s: %s", options->trace,
			      strerror(errno));
	err = start(trace);
	if (!err)
		return STATUS_OK;
	unmap_rings(trace);
	fclose(trace->file.out);
	return failed(failure, STATUS_SYSTEM, "--trace: %s", strerror(-err));
}

/* What was lost on the way is told where the user looks. */
static void say_dropped(const struct trace *trace)
{
	__u64 dropped = 0, exits = 0;
	unsigned int i;

	for (i = 0; i < trace->machine->cpus; i++) {
		dropped += trace->file.lines[i].dropped;
		exits += trace->file.lines[i].exits;
	}
	if (dropped)
		report_note("--trace: %llu of %llu VM exits are not in %s: they came too fast",
			    dropped, exits + dropped, trace->path);
	if (trace->file.format == &trace_html && exits > TRACE_PAGE_EXITS)
		report_note("--trace: %s shows the first %llu VM exits of %llu", trace->path,
			    TRACE_PAGE_EXITS, exits);
}

/**
 * trace_end() - the run is over: finish the file
 * @trace: as trace_begin() left it
 *
 * Return: STATUS_OK or STATUS_OUTPUT, and says why.
 */
int trace_end(struct trace *trace)
{
	unsigned int i;
	int err;

	if (!trace->running)
		return STATUS_OK;
	__atomic_store_n(&trace->running, false, __ATOMIC_RELAXED);
	pthread_join(trace->thread, NULL);
	for (i = 0; i < trace->machine->cpus; i++) {
		/* Also the last exit, which no VM entry followed. */
		ioctl(trace->machine->vcpus[i].fd, MINIVMM_TRACE, 0);
		drain(trace, i);
	}
	unmap_rings(trace);
	err = trace_file_end(&trace->file);
	say_dropped(trace);
	if (!err)
		return STATUS_OK;
	report_note("--trace %s: %s", trace->path, strerror(-err));
	return STATUS_OUTPUT;
}
