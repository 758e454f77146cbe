/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface fuzzer's calls: what each is given, and what it may answer.
 */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

#include "random.h"

#define VMS		3
#define VCPUS		3
#define MEMORY		(2u << 20)

/* Sets of errnos; all of these are below 64. */
#define E(name)		(1ull << (E##name))
/* What a thread sees when another has just closed the descriptor or reused it */
#define E_RACE		(E(BADF) | E(NOTTY) | E(INVAL) | E(IO))

struct vcpu_slot {
	int fd;
	u8 *run;
	size_t run_size;
	bool odd;	/* what is mapped is not kvm_run */
};

struct vm_slot {
	int fd;
	u8 *mem;
	struct vcpu_slot vcpu[VCPUS];
};

/**
 * struct fuzz - what all threads share
 * @device: its path
 * @logging: one line for each call
 * @common: only what KVM and minivmm are to answer in the same way
 * @is_minivmm: @device is minivmm's
 * @sys: the system descriptor
 * @bytes: a file of 256 bytes, each its own offset
 * @vms: what there is at the moment; descriptors are -1 where there is none
 * @supported: what KVM_GET_SUPPORTED_CPUID said
 * @calls: number of the main thread's call
 * @all_calls: of all threads
 * @failures: calls that answered what they must not
 * @seen: how often each errno came
 * @exits: how often each exit reason came to the main thread
 */
struct fuzz {
	const char *device;
	bool logging, common, is_minivmm;
	int sys, bytes;
	struct vm_slot vms[VMS];
	struct kvm_cpuid2 *supported;
	unsigned long calls, all_calls;
	unsigned int failures;
	unsigned long seen[64], exits[64];
};

extern struct fuzz fuzz;
extern __thread bool noise;	/* not the main thread */

/** calls_init() - before the first call of each thread. */
void calls_init(void);

/**
 * judge() - was that an answer that the call has?
 *
 * @what returned @ret, with errno set. What it may fail with is in @allowed; if
 * it succeeds, @ret must be @least or more.
 */
void judge(const char *what, long ret, long least, u64 allowed);

/** poke(), peek() - write and read a byte that may not be there. */
void poke(void *address, u8 value);
void peek(void *address);

/* A random call on a descriptor */
void do_sys(void);
void do_vm(struct vm_slot *vm);
void do_vcpu(struct vcpu_slot *vcpu);

#endif
