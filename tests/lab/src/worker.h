/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that works on its memory: it reads or writes one word and halts, or
 * counts in many pages without end while the program does things to them.
 */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>
#include "vm.h"

/* Guest-physical addresses from here on are free for a test's slots. */
#define WORK_GPA	(16ull << 20)
#define WORK_MAX_PAGES	512

/* In the VM's memory, written by the running guest. */
struct control {
	u64 rounds;	/* how often it went over all pages */
	u64 stop;	/* written by the program: halt after this round */
	u64 errors;	/* words that were neither what it wrote nor 0 */
	u64 error_gpa;	/* the last of them */
	u64 error_value;
	u64 error_expected;
};

struct worker {
	struct vcpu *c;
	pthread_t thread;
	struct control *control;
	int done;
	char result[80];	/* what KVM_RUN gave in the end */
};

/** worker_open() - a VM with one vCPU in long mode, and nothing at WORK_GPA. */
void worker_open(struct vm *vm, struct vcpu *c, const char *device);

/*
 * The guest reads, writes, or calls one word: text of vcpu_run(), "HLT" when
 * it did. What fails may be tried again.
 */
const char *peek(struct vcpu *c, u64 gpa, u64 *value);
const char *poke(struct vcpu *c, u64 gpa, u64 value);
const char *call(struct vcpu *c, u64 gpa, u64 *value);

/** reads() - peek() as text: the value in hexadecimal, or what came of it. */
const char *reads(struct vcpu *c, u64 gpa);

/*
 * In a thread, count in the first word of each of @pages pages from @gpa on:
 * each must hold what was written to it last, or 0. With two CPUs the guest has
 * the second one for itself, and the program stays on the first.
 */
void work_start(struct worker *w, struct vcpu *c, u64 gpa, int pages);
/** work_wait() - until it went over all pages at least once more. */
void work_wait(struct worker *w);
/** work_end() - until KVM_RUN returns by itself. */
const char *work_end(struct worker *w);
/** work_stop() - let it halt. Return: work_end(). */
const char *work_stop(struct worker *w);
/** work_again() - KVM_RUN in a thread, from where the guest is. */
void work_again(struct worker *w);
/** work_last() - what the guest wrote last to its page number @page. */
u64 work_last(struct worker *w, int page);
/** work_echo() - what the guest read last in that page's second word. */
u64 work_echo(struct worker *w, int page);
/** work_errors() - what the guest complains of, as text: "no errors". */
const char *work_errors(struct worker *w);

/**
 * vm_slot() - KVM_SET_USER_MEMORY_REGION.
 *
 * Return: 0, or -1 and errno.
 */
int vm_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size,
	    const void *mem);

/** map_pages() - fresh anonymous memory, at @where if that is not NULL. */
void *map_pages(void *where, size_t size);

/**
 * vcpu_stat() - one of the vCPU's counters.
 *
 * Return: its value, or -1: no such counter.
 */
long long vcpu_stat(struct vcpu *c, const char *name);

/** faults() - how many EPT violations there were, -1 if nobody knows. */
long long faults(struct vcpu *c);

/**
 * outside() - did the last KVM_RUN end at an address where no slot is?
 * @gpa: the address
 * @write: whether it was to be written
 *
 * Completes the access, so that the vCPU is prepared for another one.
 */
bool outside(struct vcpu *c, u64 *gpa, int *write);

/** no_memory() - outside(), at that address and for that? */
bool no_memory(struct vcpu *c, u64 gpa, bool write);

#endif /* WORKER_H */
