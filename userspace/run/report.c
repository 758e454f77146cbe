// SPDX-License-Identifier: GPL-2.0
/*
 * What the launcher says when a guest ends in a way that it did not ask for:
 * what happened, where, the registers, and what to look at first.
 *
 * All of it goes to standard error; standard output is the guest's.
 */
#include <asm/vmx.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include "console.h"
#include "report.h"
#include "walk.h"

#define PREFIX		"minivmm-run: "

struct name {
	__u64 number;
	const char *text;
};

static const char *name_of(const struct name *names, __u64 number)
{
	for (; names->text; names++) {
		if (names->number == number)
			return names->text;
	}
	return NULL;
}

/**
 * report_note() - one sentence on standard error
 * @fmt: the words, without newline at the end
 */
void report_note(const char *fmt, ...)
{
	va_list args;

	console_end_line();
	fputs(PREFIX, stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

__printf(1, 2)
static void advise(const char *fmt, ...)
{
	va_list args;

	fputs("  - ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

/**
 * report_read() - get the vCPU's registers, or say that they cannot be had
 * @vcpu: the vCPU
 * @regs: to be filled
 * @sregs: to be filled
 *
 * Return: true if both were read.
 */
bool report_read(struct vcpu *vcpu, struct kvm_regs *regs,
		 struct kvm_sregs *sregs)
{
	if (!ioctl(vcpu->fd, KVM_GET_REGS, regs) &&
	    !ioctl(vcpu->fd, KVM_GET_SREGS, sregs))
		return true;
	report_note("the vCPU's registers cannot be read: %s", strerror(errno));
	return false;
}

static struct walk_result translate(struct vcpu *vcpu,
				    const struct kvm_sregs *sregs, __u64 linear)
{
	struct walk walk = {
		.cr0 = sregs->cr0, .cr3 = sregs->cr3, .cr4 = sregs->cr4,
		.efer = sregs->efer, .read = machine_read, .context = vcpu->machine,
	};

	return walk_address(&walk, linear);
}

/* Real mode's and protected mode's linear addresses are 32 bits wide. */
static __u64 linear(const struct kvm_sregs *sregs, const struct kvm_segment *segment,
		    __u64 offset)
{
	if (sregs->efer & EFER_LMA && sregs->cs.l)
		return offset;
	return (segment->base + offset) & 0xffffffff;
}

/* A sentence if a linear address leads nowhere; NULL if there is RAM. */
static const char *why_nowhere(struct vcpu *vcpu, const struct kvm_sregs *sregs,
			       __u64 address)
{
	struct walk_result at = translate(vcpu, sregs, address);
	static char text[160];
	__u8 byte;

	if (at.why)
		snprintf(text, sizeof(text),
			 "is not mapped: level %u of the page tables, entry at %#llx: %s",
			 at.level, at.entry, at.why);
	else if (!machine_read(vcpu->machine, at.physical, &byte, 1))
		snprintf(text, sizeof(text),
			 "is mapped to physical %#llx, where the guest has no memory",
			 at.physical);
	else
		return NULL;
	return text;
}

/**
 * report_rip_outside() - is RIP where the guest has no memory?
 * @vcpu: the vCPU
 * @address: the guest-physical address, if so
 *
 * Return: true if RIP is mapped, but to no RAM.
 */
bool report_rip_outside(struct vcpu *vcpu, __u64 *address)
{
	struct walk_result at;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	__u8 byte;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return false;
	at = translate(vcpu, &sregs, linear(&sregs, &sregs.cs, regs.rip));
	*address = at.physical;
	return !at.why && !machine_read(vcpu->machine, at.physical, &byte, 1);
}

static void advise_on_idt(const struct kvm_sregs *sregs)
{
	unsigned int gate = sregs->efer & EFER_LMA ? 16 : sregs->cr0 & CR0_PE ? 8 : 4;

	if (!sregs->idt.limit)
		advise("There is no IDT (limit 0), so any exception ends like this.");
	else if (sregs->idt.limit + 1U < 32 * gate)
		advise("The IDT ends after %u gates of %u bytes; exceptions need up to 32.",
		       (sregs->idt.limit + 1U) / gate, gate);
}

static void advise_on_addresses(struct vcpu *vcpu, const struct kvm_regs *regs,
				const struct kvm_sregs *sregs)
{
	const char *why;

	why = why_nowhere(vcpu, sregs, linear(sregs, &sregs->cs, regs->rip));
	if (why)
		advise("RIP %#llx %s.", regs->rip, why);
	why = why_nowhere(vcpu, sregs, linear(sregs, &sregs->ss, regs->rsp - 8));
	if (why)
		advise("The stack below RSP %#llx %s; nothing can be pushed.",
		       regs->rsp, why);
	if (sregs->idt.limit) {
		why = why_nowhere(vcpu, sregs, sregs->idt.base);
		if (why)
			advise("The IDT at %#llx %s.", sregs->idt.base, why);
	}
	if (sregs->cr0 & CR0_PE) {
		why = why_nowhere(vcpu, sregs, sregs->gdt.base);
		if (why)
			advise("The GDT at %#llx %s.", sregs->gdt.base, why);
	}
}

/* CR2 keeps the address of the last page fault, be it this one or an older one. */
static void advise_on_page_fault(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	const char *why;

	if (!(sregs->cr0 & CR0_PG) || !sregs->cr2)
		return;
	why = why_nowhere(vcpu, sregs, sregs->cr2);
	if (why)
		advise("The last page fault was at CR2 %#llx, which %s.", sregs->cr2, why);
	else
		advise("The last page fault was at CR2 %#llx, which is mapped: look at its rights.",
		       sregs->cr2);
}

/**
 * report_triple_fault() - an exception while a double fault was delivered
 * @vcpu: the vCPU
 */
void report_triple_fault(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	report_note("triple fault: the guest took an exception, and there was no way to tell it");
	if (!report_read(vcpu, &regs, &sregs))
		return;
	state_print(stderr, vcpu, &regs, &sregs);
	fputs("Look at:\n", stderr);
	advise("The instruction at RIP is, as a rule, the one that faulted first.");
	advise_on_idt(&sregs);
	advise_on_addresses(vcpu, &regs, &sregs);
	advise_on_page_fault(vcpu, &sregs);
}

/* SDM Vol. 3, "VM-Entry Failures During or After Loading Guest State". */
static const struct name entry_failures[] = {
	{ VMX_EXIT_REASONS_FAILED_VMENTRY | EXIT_REASON_INVALID_STATE,
	  "the guest's state is not one that a processor can be in" },
	{ VMX_EXIT_REASONS_FAILED_VMENTRY | EXIT_REASON_MSR_LOAD_FAIL,
	  "an MSR could not be loaded" },
	{ VMX_EXIT_REASONS_FAILED_VMENTRY | EXIT_REASON_MCE_DURING_VMENTRY,
	  "a machine check came in between" },
	/* VM-instruction errors: SDM Vol. 3, "VM-Instruction Error Numbers". */
	{ 4, "VMLAUNCH with a VMCS that is not clear" },
	{ 5, "VMRESUME with a VMCS that was not launched" },
	{ 7, "the control fields are invalid" },
	{ 8, "the host-state fields are invalid" },
	{ 26, "events are blocked by MOV SS" },
	{ 0, NULL },
};

/**
 * report_entry_failure() - the processor refused to enter the guest
 * @vcpu: the vCPU
 * @reason: exit reason with bit 31 set, or VM-instruction error
 */
void report_entry_failure(struct vcpu *vcpu, __u64 reason)
{
	const char *name = name_of(entry_failures, reason);
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	report_note("VM entry failed: %s (%s %#llx)", name ? name : "no name known",
		    reason & VMX_EXIT_REASONS_FAILED_VMENTRY ? "exit reason" :
		    "VM-instruction error", reason);
	if (!report_read(vcpu, &regs, &sregs))
		return;
	state_print(stderr, vcpu, &regs, &sregs);
	if (explain_entry_failure(vcpu))
		return;
	fputs("Look at:\n", stderr);
	advise("On /dev/minivmm this says which rules are broken.");
	advise("The kernel's log may have more: sudo dmesg");
}

/**
 * report_no_memory() - the guest used an address where it has no memory
 * @vcpu: the vCPU
 * @did: what it did: "read", "wrote", "jumped to"
 * @address: guest-physical
 */
void report_no_memory(struct vcpu *vcpu, const char *did, __u64 address)
{
	const struct layout *layout = &vcpu->machine->layout;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	report_note("the guest %s physical address %#llx, where it has no memory", did, address);
	if (!report_read(vcpu, &regs, &sregs))
		return;
	state_print(stderr, vcpu, &regs, &sregs);
	fputs("Look at:\n", stderr);
	if (layout->high)
		advise("RAM is 0 to %#llx and %#llx to %#llx.", layout->low - 1,
		       LAYOUT_HIGH, layout_top(layout) - 1);
	else
		advise("RAM is 0 to %#llx; --memory gives more.", layout->low - 1);
	advise("There are no devices in memory: no screen at 0xb8000 to see, no APIC.");
}

static const struct name internal_errors[] = {
	{ KVM_INTERNAL_ERROR_EMULATION, "an instruction could not be emulated" },
	{ KVM_INTERNAL_ERROR_SIMUL_EX, "two exceptions at once" },
	{ KVM_INTERNAL_ERROR_DELIVERY_EV, "an exit while an event was delivered" },
	{ KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, "an exit reason that it does not know" },
	{ 0, NULL },
};

/**
 * report_internal_error() - the device gave up on the guest
 * @vcpu: the vCPU
 * @suberror: KVM_INTERNAL_ERROR_*
 * @data: more numbers
 * @count: of them
 */
void report_internal_error(struct vcpu *vcpu, __u32 suberror,
			   const __u64 *data, unsigned int count)
{
	const char *name = name_of(internal_errors, suberror);
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	unsigned int i;

	report_note("the device gave up: %s (internal error %u)",
		    name ? name : "no name known", suberror);
	for (i = 0; i < count && i < 16; i++)
		fprintf(stderr, "  data[%u] %#llx\n", i, data[i]);
	if (report_read(vcpu, &regs, &sregs))
		state_print(stderr, vcpu, &regs, &sregs);
}

/**
 * report_unhandled() - an exit that the launcher does not know
 * @vcpu: the vCPU
 * @what: kind of number
 * @reason: the number
 */
void report_unhandled(struct vcpu *vcpu, const char *what, __u64 reason)
{
	static const struct name names[] = { VMX_EXIT_REASONS, { 0, NULL } };
	bool basic = vcpu->run->exit_reason == KVM_EXIT_UNKNOWN;
	const char *name = basic ? name_of(names, reason & 0xffff) : NULL;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	report_note("%s: %#llx%s%s", what, reason, name ? " " : "", name ? name : "");
	if (report_read(vcpu, &regs, &sregs))
		state_print(stderr, vcpu, &regs, &sregs);
}

/**
 * report_run_error() - KVM_RUN itself failed
 * @vcpu: the vCPU
 * @err: its errno
 */
void report_run_error(struct vcpu *vcpu, int err)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (err == EFAULT)
		report_note("the guest used memory that this process no longer has (KVM_RUN: %s)",
			    strerror(err));
	else
		report_note("KVM_RUN: %s", strerror(err));
	if (report_read(vcpu, &regs, &sregs))
		state_print(stderr, vcpu, &regs, &sregs);
}

/**
 * report_timeout() - the time was over before the guest ended
 * @vcpu: the vCPU
 * @milliseconds: how much it had
 */
void report_timeout(struct vcpu *vcpu, __u64 milliseconds)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	report_note("timeout: after %llu.%03llu s the guest still ran here:",
		    milliseconds / 1000, milliseconds % 1000);
	if (report_read(vcpu, &regs, &sregs))
		state_print(stderr, vcpu, &regs, &sregs);
}

/* SDM Vol. 3, "Exceptions and Interrupts" (2024: table 6-1). */
static const char *const exceptions[] = {
	"#DE divide error", "#DB debug", "NMI", "#BP breakpoint", "#OF overflow",
	"#BR bound range", "#UD invalid opcode", "#NM no FPU", "#DF double fault",
	"FPU segment overrun", "#TS invalid TSS", "#NP segment not present",
	"#SS stack fault", "#GP general protection", "#PF page fault", NULL,
	"#MF FPU error", "#AC alignment check", "#MC machine check", "#XM SIMD error",
};

/**
 * report_vector() - in real mode, an interrupt vector without a handler was used
 * @vcpu: the vCPU
 * @regs: as they were when the vector was used
 * @sregs: the same
 * @vector: its number
 */
void report_vector(struct vcpu *vcpu, const struct kvm_regs *regs,
		   const struct kvm_sregs *sregs, unsigned int vector)
{
	__u64 at = sregs->cs.base + (regs->rip & 0xffff);
	__u8 code[2] = { 0 };
	bool by_int;

	/* After INT, the address saved is behind it; after a fault, it is at it. */
	by_int = at >= 2 && machine_read(vcpu->machine, at - 2, code, 2) &&
		 code[0] == 0xcd && code[1] == vector;
	if (by_int)
		report_note("INT %#x at %04x:%04llx has no handler, and there is no BIOS",
			    vector, sregs->cs.selector, (regs->rip - 2) & 0xffff);
	else if (vector < ARRAY_SIZE(exceptions) && exceptions[vector])
		report_note("exception %u, %s, at %04x:%04llx has no handler",
			    vector, exceptions[vector], sregs->cs.selector,
			    regs->rip & 0xffff);
	else
		report_note("vector %#x, used before %04x:%04llx, has no handler",
			    vector, sregs->cs.selector, regs->rip & 0xffff);
	state_print(stderr, vcpu, regs, sregs);
	fputs("Look at:\n", stderr);
	advise("The vector table is at 0, four bytes each, offset and segment: %#x is at %#x.",
	       vector, 4 * vector);
	if (by_int)
		advise("Port 0x3f8, a serial port, is the way to print.");
}
