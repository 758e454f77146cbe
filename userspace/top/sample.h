/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters of all VMs at one moment, and what they became since the one before.
 */
#ifndef TOP_SAMPLE_H
#define TOP_SAMPLE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

/* Basic exit reasons are below it. */
#define REASONS_MAX	128

/* Where a vCPU's time goes */
enum mode { GUEST, ROOT, USER, HALTED, WAITING, NR_MODES };
extern const char *const mode_names[NR_MODES];

/**
 * struct reason - VM exits for one reason
 * @name: the reason
 * @count: how many
 * @ns: time in root mode that followed
 */
struct reason {
	char name[32];
	__u64 count;
	__u64 ns;
};

/**
 * struct counters - what a vCPU or several counted
 * @exits: VM exits
 * @ns: time by mode
 * @nr: of @reasons
 * @reasons: most frequent first after counters_sort()
 */
struct counters {
	__u64 exits;
	__u64 ns[NR_MODES];
	unsigned int nr;
	struct reason reasons[REASONS_MAX];
};

/**
 * struct line - a vCPU
 * @pid: the process that made the VM
 * @vm: the VM's descriptor there
 * @vcpu: its number
 * @command: the name of the process
 * @total: its counters
 * @delta: what is new in them
 */
struct line {
	long pid;
	long vm;
	long vcpu;
	char command[32];
	struct counters total;
	struct counters delta;
};

/**
 * struct sample - all of them
 * @ns: when
 * @seconds: since the sample before
 * @vms: how many VMs there are
 * @count: of @lines
 * @lines: by process, VM and vCPU
 */
struct sample {
	__u64 ns;
	double seconds;
	unsigned int vms;
	size_t count;
	struct line *lines;
};

enum order { BY_PLACE, BY_EXITS, BY_ROOT, NR_ORDERS };
extern const char *const order_names[NR_ORDERS];

void counters_parse(FILE *file, struct counters *counters);
void counters_add(struct counters *sum, const struct counters *more);
void counters_subtract(const struct counters *now, const struct counters *before,
		       struct counters *delta);
void counters_sort(struct counters *counters);
__u64 counters_time(const struct counters *counters);

int sample_read(const char *folder, struct sample *sample);
void sample_compare(struct sample *sample, const struct sample *before);
void sample_sort(struct sample *sample, enum order order);
void sample_sum(const struct sample *sample, struct counters *total, struct counters *delta);
void sample_free(struct sample *sample);

#endif /* TOP_SAMPLE_H */
