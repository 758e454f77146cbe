/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What minivmm has beyond <linux/kvm.h>.
 *
 * /dev/minivmm answers KVM's calls. The calls here are those that KVM has none
 * for; their type is not KVM's, so the two never meet.
 */
#ifndef _UAPI_LINUX_MINIVMM_H
#define _UAPI_LINUX_MINIVMM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MINIVMM_DEVICE	"/dev/minivmm"
#define MINIVMMIO	0xBB

/*
 * On the system descriptor, without argument: the version of this header that
 * the module implements. KVM answers EINVAL, so a program that was given a
 * path can find out who is behind it.
 */
#define MINIVMM_GET_VERSION	_IO(MINIVMMIO, 0x00)
#define MINIVMM_VERSION		3

/* The MSRs IA32_VMX_*: so many from IA32_VMX_BASIC on */
#define MINIVMM_MSR_VMX_BASIC	0x480
#define MINIVMM_NR_VMX_MSRS	20

/**
 * struct minivmm_capability - what the processors offer, and what is used of it
 * @used: the controls of a new vCPU: pin-based, primary, secondary and tertiary
 *	processor-based, primary and secondary VM-exit, VM-entry; and one more, 0
 * @exists: bit n: the MSR IA32_VMX_BASIC + n exists
 * @pad: 0
 * @msr: the MSRs, 0 for those that do not exist
 */
struct minivmm_capability {
	__u64 used[8];
	__u32 exists;
	__u32 pad;
	__u64 msr[MINIVMM_NR_VMX_MSRS];
};

/* On the system descriptor */
#define MINIVMM_GET_CAPABILITY	_IOR(MINIVMMIO, 0x01, struct minivmm_capability)

/* The processor has the field. */
#define MINIVMM_FIELD_EXISTS	0x1
/* An address of the host: only CAP_SYS_ADMIN gets the value. */
#define MINIVMM_FIELD_HIDDEN	0x2

/**
 * struct minivmm_vmcs_field - one field of a VMCS
 * @encoding: its encoding, as VMREAD takes it
 * @flags: MINIVMM_FIELD_*
 * @value: its value; 0 if it does not exist or is hidden
 */
struct minivmm_vmcs_field {
	__u32 encoding;
	__u32 flags;
	__u64 value;
};

/* What MINIVMM_STOP_AT stopped at; without it, the VMCS as it is now. */
#define MINIVMM_VMCS_AT_STOP	0x1

/**
 * struct minivmm_vmcs - all fields of a vCPU's VMCS
 * @nr: in: room in @fields; out: how many fields there are
 * @flags: in: MINIVMM_VMCS_AT_STOP or 0
 * @exits: out: how many VM exits the vCPU had
 * @fields: out
 */
struct minivmm_vmcs {
	__u32 nr;
	__u32 flags;
	__u64 exits;
	struct minivmm_vmcs_field fields[];
};

/*
 * On a vCPU's descriptor, in any process and any thread, also while the vCPU
 * runs: an interrupt makes it exit for the look, which goes on afterwards. E2BIG
 * with @nr set if there is not enough room; ENODATA with MINIVMM_VMCS_AT_STOP
 * if nothing stopped the vCPU yet.
 */
#define MINIVMM_GET_VMCS	_IOWR(MINIVMMIO, 0x10, struct minivmm_vmcs)

#define MINIVMM_ANY_REASON	0xffff

/**
 * struct minivmm_stop - where a vCPU is to stop
 * @exit: the first VM exit of the vCPU that counts, from 1 on; 0: do not stop
 * @reason: the basic exit reason that counts, or MINIVMM_ANY_REASON
 * @flags: 0
 */
struct minivmm_stop {
	__u64 exit;
	__u32 reason;
	__u32 flags;
};

/*
 * On a vCPU's descriptor: at that VM exit the fields are kept as the processor
 * left them, for MINIVMM_GET_VMCS; the exit is handled, and instead of the next VM
 * entry KVM_RUN fails with EINTR. It stops once.
 */
#define MINIVMM_STOP_AT		_IOW(MINIVMMIO, 0x11, struct minivmm_stop)

#define MINIVMM_WORDS		192

/* Only some processors check this. */
#define MINIVMM_FINDING_MAY	0x1
/* An address of the host: only CAP_SYS_ADMIN gets the value. */
#define MINIVMM_FINDING_HIDDEN	0x2

/**
 * struct minivmm_finding - a rule of VM entry that is broken
 * @field: encoding of the field
 * @flags: MINIVMM_FINDING_*
 * @value: what the field held
 * @name: the SDM's words for the field
 * @rule: the rule
 * @section: title of the section of SDM Vol. 3 that has it
 * @writer: the line of the module's source that wrote the field last; empty if
 *	that is not known (module parameter "writers")
 */
struct minivmm_finding {
	__u32 field;
	__u32 flags;
	__u64 value;
	char name[MINIVMM_WORDS];
	char rule[MINIVMM_WORDS];
	char section[MINIVMM_WORDS];
	char writer[MINIVMM_WORDS];
};

/**
 * struct minivmm_explanation - why the last VM entry failed
 * @nr: in: room in @findings; out: how many rules are broken
 * @flags: in: 0
 * @reason: out: as kvm_run.fail_entry has it
 * @findings: out
 */
struct minivmm_explanation {
	__u32 nr;
	__u32 flags;
	__u64 reason;
	struct minivmm_finding findings[];
};

/*
 * On a vCPU's descriptor: which rules did the VMCS break at the last VM entry that
 * failed? E2BIG with @nr set if there is not enough room; ENODATA if none failed.
 */
#define MINIVMM_EXPLAIN		_IOWR(MINIVMMIO, 0x12, struct minivmm_explanation)

#define MINIVMM_TRACE_PAGE	0x1000
#define MINIVMM_TRACE_MIN	16
#define MINIVMM_TRACE_MAX	65536

/**
 * struct minivmm_trace - first page of a vCPU's ring of VM exits
 * @head: how many records were written; by the module
 * @tail: how many of them were read; by user space
 * @dropped: how many found the ring full and are lost; by the module
 * @start: TSC at the first VM entry since the ring is there; 0 before that
 * @nr: records in the ring; number N is at N modulo @nr
 * @size: of a record
 * @tsc_khz: ticks of the TSC in a millisecond
 */
struct minivmm_trace {
	__u64 head;
	__u64 tail;
	__u64 dropped;
	__u64 start;
	__u32 nr;
	__u32 size;
	__u32 tsc_khz;
};

/* The exit went to user space: @user_tsc and @user say when and why. */
#define MINIVMM_EXIT_TO_USER	0x1
/* The code at RIP: 64-bit, 32-bit, or if neither 16-bit */
#define MINIVMM_EXIT_CODE64	0x2
#define MINIVMM_EXIT_CODE32	0x4

/**
 * struct minivmm_exit - a VM exit, and what became of it
 * @exit_tsc: when it was
 * @entry_tsc: when the next VM entry was; 0: none followed
 * @user_tsc: when KVM_RUN returned for it
 * @number: the vCPU's VM exits up to here, with this one
 * @qualification: exit qualification
 * @rip: guest RIP
 * @linear: guest-linear address; not all exit reasons change it
 * @physical: guest-physical address; the same
 * @cr3: guest CR3
 * @cr4: guest CR4, as the guest reads it
 * @reason: exit reason
 * @flags: MINIVMM_EXIT_*
 * @event: VM-exit interruption information
 * @event_error: VM-exit interruption error code
 * @vectoring: IDT-vectoring information
 * @vectoring_error: IDT-vectoring error code
 * @length: VM-exit instruction length
 * @info: VM-exit instruction information
 * @rflags: guest RFLAGS
 * @cr0: guest CR0, as the guest reads it
 * @efer: guest IA32_EFER
 * @user: KVM_EXIT_* of kvm_run, or a negative errno of KVM_RUN
 * @regs: RAX, RCX, RDX, RBX
 * @insn: bytes at RIP, as many as @insn_bytes
 * @insn_bytes: up to 15; fewer, or none, where memory was not at hand
 * @cpl: current privilege level
 * @changed: general-purpose registers that the way to the VM entry changed, a bit
 *	each by the number that instructions have for them
 * @value: the new values of the first of these
 * @next_rip: guest RIP at the VM entry, and so on
 * @next_cr3: the same
 * @next_cr4: the same
 * @next_rflags: the same
 * @next_cr0: the same
 * @next_efer: the same
 * @inject: VM-entry interruption information
 * @inject_error: VM-entry exception error code
 */
struct minivmm_exit {
	__u64 exit_tsc;
	__u64 entry_tsc;
	__u64 user_tsc;
	__u64 number;
	__u64 qualification;
	__u64 rip;
	__u64 linear;
	__u64 physical;
	__u64 cr3;
	__u64 cr4;
	__u32 reason;
	__u32 flags;
	__u32 event;
	__u32 event_error;
	__u32 vectoring;
	__u32 vectoring_error;
	__u32 length;
	__u32 info;
	__u32 rflags;
	__u32 cr0;
	__u32 efer;
	__s32 user;
	__u64 regs[4];
	__u8 insn[15];
	__u8 insn_bytes;
	__u16 cpl;
	__u16 changed;
	__u32 inject;
	__u32 inject_error;
	__u32 next_rflags;
	__u64 value[4];
	__u64 next_rip;
	__u64 next_cr3;
	__u64 next_cr4;
	__u32 next_cr0;
	__u32 next_efer;
};

/*
 * On a vCPU's descriptor: record VM exits in a ring of so many records, a power of
 * two from MINIVMM_TRACE_MIN to MINIVMM_TRACE_MAX; or no more, with 0, which also
 * ends the record of the last exit. EBUSY for another size than the ring has. The
 * ring is mapped from the descriptor at page MINIVMM_TRACE_PAGE: struct
 * minivmm_trace, and from the next page on the records, struct minivmm_exit.
 */
#define MINIVMM_TRACE		_IO(MINIVMMIO, 0x13)

#endif /* _UAPI_LINUX_MINIVMM_H */
