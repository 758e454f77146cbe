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
#define MINIVMM_VERSION		2

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

#endif /* _UAPI_LINUX_MINIVMM_H */
