// SPDX-License-Identifier: GPL-2.0
/*
 * What each reason to leave KVM_RUN means.
 *
 * A handler returns GO_ON, or the status that minivmm-run exits with; if the
 * guest did not ask for the end, the handler has said why on standard error.
 */
#include <asm/vmx.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include "console.h"
#include "guest.h"
#include "report.h"

#define EXIT_PORT	0xf4
#define HLT_OPCODE	0xf4

#define RFLAGS_IF	BIT(9)

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

static int end_by_port(const __u8 *data, unsigned int size)
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

static int ended(int status, const char *why)
{
	console_flush();
	report_note("%s", why);
	return status;
}

/* The other ports: those of a PC, where it is one, and nobody. */
static int pc_access(struct guest *guest, bool out, unsigned int port,
		     __u8 *data, unsigned int size)
{
	enum platform_result result = PLATFORM_NOBODY;

	if (guest->machine->is_pc && out)
		result = platform_write(&guest->platform, port, data, size);
	else if (guest->machine->is_pc)
		result = platform_read(&guest->platform, port, data, size);

	switch (result) {
	case PLATFORM_DONE:
		return GO_ON;
	case PLATFORM_POWER_OFF:
		return STATUS_OK;
	case PLATFORM_RESET:
		return ended(STATUS_RESET, "the guest reset the machine");
	case PLATFORM_PANIC:
		return ended(STATUS_PANIC, "the guest's kernel panicked");
	case PLATFORM_NOBODY:
		break;
	}
	if (!out)
		memset(data, 0xff, size);
	if (guest->verbose && out)
		report_note("port %#x: %u byte(s) written, nobody there", port, size);
	else if (guest->verbose)
		report_note("port %#x: %u byte(s) read, nobody there", port, size);
	return GO_ON;
}

/* The thread that reads input waits for room. */
static void wake_input(struct guest *guest, unsigned int room_before)
{
	if (guest->machine->is_pc && !room_before && serial_room(&guest->serial))
		eventfd_write(guest->wake, 1);
}

static int exit_io(struct vcpu *vcpu, struct guest *guest)
{
	struct kvm_run *run = vcpu->run;
	__u8 *data = (__u8 *)run + run->io.data_offset;
	bool out = run->io.direction == KVM_EXIT_IO_OUT;
	unsigned int port = run->io.port;
	unsigned int size = run->io.size;
	unsigned int room = serial_room(&guest->serial);
	unsigned int i;
	int status;

	if (port == EXIT_PORT && out)
		return end_by_port(data, size);

	for (i = 0; i < run->io.count; i++, data += size) {
		if (port >= SERIAL_PORT && port < SERIAL_PORT + SERIAL_PORTS) {
			serial_access(&guest->serial, out, port, data, size);
			continue;
		}
		status = pc_access(guest, out, port, data, size);
		if (status != GO_ON)
			return status;
	}
	wake_input(guest, room);
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

static int exit_hlt(struct vcpu *vcpu, struct guest *guest)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	unsigned int vector;

	if (!report_read(vcpu, &regs, &sregs))
		return STATUS_SYSTEM;

	if (is_vector_stub(guest, &regs, &sregs, &vector)) {
		report_vector(vcpu, &regs, &sregs, vector);
		return STATUS_NO_VECTOR;
	}
	if (!(regs.rflags & RFLAGS_IF))
		return STATUS_OK;

	report_note("the guest halted with interrupts on, but this machine has no device that\n"
		    "interrupts: it would halt for ever. CLI before HLT ends a guest, and so does\n"
		    "a write to port %#x.", EXIT_PORT);
	return STATUS_WAITS;
}

static int exit_shutdown(struct vcpu *vcpu, struct guest *guest)
{
	(void)guest;
	report_triple_fault(vcpu);
	return STATUS_TRIPLE_FAULT;
}

static int exit_fail_entry(struct vcpu *vcpu, struct guest *guest)
{
	(void)guest;
	struct kvm_run *run = vcpu->run;

	report_entry_failure(vcpu,
			     run->fail_entry.hardware_entry_failure_reason);
	return STATUS_ENTRY_FAILURE;
}

static int exit_mmio(struct vcpu *vcpu, struct guest *guest)
{
	struct kvm_run *run = vcpu->run;

	/* A PC's bus answers with ones, for kernels that look what is there. */
	if (guest->machine->is_pc) {
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		if (guest->verbose)
			report_note("address %#llx: %u byte(s) %s, nobody there",
				    run->mmio.phys_addr, run->mmio.len,
				    run->mmio.is_write ? "written" : "read");
		return GO_ON;
	}
	report_no_memory(vcpu, run->mmio.is_write ? "wrote" : "read",
			 run->mmio.phys_addr);
	return STATUS_NO_MEMORY;
}

static int exit_internal_error(struct vcpu *vcpu, struct guest *guest)
{
	(void)guest;
	struct kvm_run *run = vcpu->run;
	__u64 address;

	/* What cannot be fetched cannot be emulated, and no more is said. */
	if (report_rip_outside(vcpu, &address)) {
		report_no_memory(vcpu, "jumped to", address);
		return STATUS_NO_MEMORY;
	}
	report_internal_error(vcpu, run->internal.suberror,
			      run->internal.data, run->internal.ndata);
	return STATUS_UNHANDLED;
}

static int exit_unknown(struct vcpu *vcpu, struct guest *guest)
{
	(void)guest;
	report_unhandled(vcpu, "no handler for this reason of a VM exit",
			 vcpu->run->hw.hardware_exit_reason);
	return STATUS_UNHANDLED;
}

static int exit_nothing(struct vcpu *vcpu, struct guest *guest)
{
	(void)vcpu;
	(void)guest;
	return GO_ON;
}

static int (*const handlers[])(struct vcpu *vcpu, struct guest *guest) = {
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

/**
 * guest_exit() - a vCPU has left KVM_RUN
 * @vcpu: it
 * @guest: the guest, whose lock the caller holds
 *
 * Return: GO_ON or the status that the guest ends with.
 */
int guest_exit(struct vcpu *vcpu, struct guest *guest)
{
	__u32 reason = vcpu->run->exit_reason;

	if (reason < ARRAY_SIZE(handlers) && handlers[reason])
		return handlers[reason](vcpu, guest);

	report_unhandled(vcpu, "KVM_RUN returned for a reason that was not asked for",
			 reason);
	return STATUS_UNHANDLED;
}
