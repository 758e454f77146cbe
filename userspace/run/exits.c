// SPDX-License-Identifier: GPL-2.0
/*
 * The run loop, and what each reason to leave it means.
 *
 * A handler returns GO_ON, or the status that minivmm-run exits with; if the
 * guest did not ask for the end, the handler has said why on standard error.
 */
#include <asm/vmx.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "console.h"
#include "exits.h"
#include "report.h"
#include "serial.h"
#include "stop.h"

#define GO_ON		(-1)

#define EXIT_PORT	0xf4
#define HLT_OPCODE	0xf4

#define RFLAGS_IF	BIT(9)

/**
 * struct guest - what the handlers work with
 * @machine: the machine
 * @serial: its serial port
 * @verbose: tell of accesses to ports where nothing is
 */
struct guest {
	struct machine *machine;
	struct serial serial;
	bool verbose;
};

/* Like the bus: a wide access is several of a byte, to adjacent ports. */
static void serial_access(struct serial *serial, bool out, unsigned int port,
			  __u8 *data, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < size; i++) {
		unsigned int offset = port - SERIAL_PORT + i;

		if (offset >= SERIAL_PORTS) {
			if (!out)
				data[i] = 0xff;
		} else if (out) {
			serial_write(serial, offset, data[i]);
		} else {
			data[i] = serial_read(serial, offset);
		}
	}
}

static int guest_exit(const __u8 *data, unsigned int size)
{
	__u32 value = 0;

	memcpy(&value, data, size);
	if (value <= STATUS_GUEST_MAX)
		return value;
	console_flush();
	report_note("the guest ends with %u; as a status, that is %u (0 to %u are free for it)",
		    value, STATUS_GUEST_MAX, STATUS_GUEST_MAX);
	return STATUS_GUEST_MAX;
}

static int exit_io(struct guest *guest)
{
	struct kvm_run *run = guest->machine->run;
	__u8 *data = (__u8 *)run + run->io.data_offset;
	bool out = run->io.direction == KVM_EXIT_IO_OUT;
	unsigned int port = run->io.port;
	unsigned int size = run->io.size;
	unsigned int i;

	if (port == EXIT_PORT && out)
		return guest_exit(data, size);

	for (i = 0; i < run->io.count; i++, data += size) {
		if (port >= SERIAL_PORT && port < SERIAL_PORT + SERIAL_PORTS) {
			serial_access(&guest->serial, out, port, data, size);
			continue;
		}
		if (!out)
			memset(data, 0xff, size);
		if (guest->verbose && out)
			report_note("port %#x: %u byte(s) written, nobody there", port, size);
		else if (guest->verbose)
			report_note("port %#x: %u byte(s) read, nobody there", port, size);
	}
	return GO_ON;
}

/*
 * Did this HLT belong to an interrupt vector that the guest never set up? Then
 * put the registers back to where the vector was used.
 */
static bool is_vector_stub(struct guest *guest, struct kvm_regs *regs,
			   struct kvm_sregs *sregs, unsigned int *vector)
{
	__u16 frame[3];
	__u8 opcode;

	if (sregs->cr0 & 1 || sregs->cs.base != VECTOR_STUBS ||
	    !regs->rip || regs->rip > VECTORS)
		return false;
	*vector = regs->rip - 1;
	/* IP, CS and FLAGS, unless the guest came here with a jump. */
	if (!machine_read(guest->machine, VECTOR_STUBS + *vector, &opcode, 1) ||
	    opcode != HLT_OPCODE ||
	    !machine_read(guest->machine, sregs->ss.base + (regs->rsp & 0xffff),
			  frame, sizeof(frame)))
		return false;
	regs->rip = frame[0];
	regs->rflags = frame[2];
	regs->rsp = (regs->rsp & ~0xffffULL) | ((regs->rsp + sizeof(frame)) & 0xffff);
	sregs->cs.selector = frame[1];
	sregs->cs.base = frame[1] << 4;
	return true;
}

static int exit_hlt(struct guest *guest)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	unsigned int vector;

	if (!report_read(guest->machine, &regs, &sregs))
		return STATUS_SYSTEM;

	if (is_vector_stub(guest, &regs, &sregs, &vector)) {
		report_vector(guest->machine, &regs, &sregs, vector);
		return STATUS_NO_VECTOR;
	}
	if (!(regs.rflags & RFLAGS_IF))
		return STATUS_OK;

	report_note("the guest halted with interrupts on, but this machine has no device that\n"
		    "interrupts: it would halt for ever. CLI before HLT ends a guest, and so does\n"
		    "a write to port %#x.", EXIT_PORT);
	return STATUS_WAITS;
}

static int exit_shutdown(struct guest *guest)
{
	report_triple_fault(guest->machine);
	return STATUS_TRIPLE_FAULT;
}

static int exit_fail_entry(struct guest *guest)
{
	struct kvm_run *run = guest->machine->run;

	report_entry_failure(guest->machine,
			     run->fail_entry.hardware_entry_failure_reason);
	return STATUS_ENTRY_FAILURE;
}

static int exit_mmio(struct guest *guest)
{
	struct kvm_run *run = guest->machine->run;

	report_no_memory(guest->machine, run->mmio.is_write ? "wrote" : "read",
			 run->mmio.phys_addr);
	return STATUS_NO_MEMORY;
}

static int exit_internal_error(struct guest *guest)
{
	struct kvm_run *run = guest->machine->run;
	__u64 address;

	/* What cannot be fetched cannot be emulated, and no more is said. */
	if (report_rip_outside(guest->machine, &address)) {
		report_no_memory(guest->machine, "jumped to", address);
		return STATUS_NO_MEMORY;
	}
	report_internal_error(guest->machine, run->internal.suberror,
			      run->internal.data, run->internal.ndata);
	return STATUS_UNHANDLED;
}

static int exit_unknown(struct guest *guest)
{
	report_unhandled(guest->machine, "no handler for this reason of a VM exit",
			 guest->machine->run->hw.hardware_exit_reason);
	return STATUS_UNHANDLED;
}

static int exit_nothing(struct guest *guest)
{
	(void)guest;
	return GO_ON;
}

static int (*const handlers[])(struct guest *guest) = {
	[KVM_EXIT_UNKNOWN]		= exit_unknown,
	[KVM_EXIT_IO]			= exit_io,
	[KVM_EXIT_HLT]			= exit_hlt,
	[KVM_EXIT_MMIO]			= exit_mmio,
	[KVM_EXIT_IRQ_WINDOW_OPEN]	= exit_nothing,
	[KVM_EXIT_SHUTDOWN]		= exit_shutdown,
	[KVM_EXIT_FAIL_ENTRY]		= exit_fail_entry,
	[KVM_EXIT_INTR]			= exit_nothing,
	[KVM_EXIT_INTERNAL_ERROR]	= exit_internal_error,
};

static int handle_exit(struct guest *guest)
{
	__u32 reason = guest->machine->run->exit_reason;

	if (reason < ARRAY_SIZE(handlers) && handlers[reason])
		return handlers[reason](guest);

	report_unhandled(guest->machine, "KVM_RUN returned for a reason that was not asked for",
			 reason);
	return STATUS_UNHANDLED;
}

static int asked_to_end(struct guest *guest, const struct options *options, int reason)
{
	if (reason != STOP_TIMEOUT)
		return STATUS_SIGNAL + reason;
	report_timeout(guest->machine, options->timeout);
	return STATUS_TIMEOUT;
}

static int run_failed(struct guest *guest)
{
	int err = errno;

	report_run_error(guest->machine, err);
	return err == EFAULT ? STATUS_NO_MEMORY : STATUS_SYSTEM;
}

static int run_loop(struct guest *guest, const struct options *options)
{
	int status, reason;

	for (;;) {
		reason = stop_asked();
		if (reason)
			return asked_to_end(guest, options, reason);

		if (ioctl(guest->machine->vcpu, KVM_RUN, 0)) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return run_failed(guest);
		}
		status = handle_exit(guest);
		console_flush();
		if (status != GO_ON)
			return status;
		if (console_error() && !stop_asked()) {
			report_note("standard output: %s", strerror(console_error()));
			return STATUS_OUTPUT;
		}
	}
}

/**
 * guest_run() - run the guest until it ends, or is ended
 * @machine: ready for its first KVM_RUN; stop_arm() has been called
 * @options: time limit and verbosity
 *
 * Return: the status to exit with; STATUS_SIGNAL plus its number if a signal
 * ended the run.
 */
int guest_run(struct machine *machine, const struct options *options)
{
	static const struct serial_line console = {
		.send = console_send,
		.receive = console_receive,
	};
	struct guest guest = { .machine = machine, .verbose = options->verbose };
	int status;

	serial_init(&guest.serial, &console);
	status = run_loop(&guest, options);
	if (status == STATUS_OK && console_error()) {
		report_note("standard output: %s", strerror(console_error()));
		status = STATUS_OUTPUT;
	}
	return status;
}
