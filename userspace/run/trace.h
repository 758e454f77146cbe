/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_TRACE_H
#define RUN_TRACE_H

#include <linux/minivmm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include "machine.h"

/* The page shows no more exits: browsers do not get on with larger ones. */
#define TRACE_PAGE_EXITS	BIT(20)

struct trace_file;
struct trace_code;

/**
 * struct trace_format - a kind of file
 * @begin: before the first exit; 0 or a negative errno
 * @exit: one exit; those of a vCPU come in their order
 * @end: after the last; frees what @begin made
 */
struct trace_format {
	int (*begin)(struct trace_file *file);
	void (*exit)(struct trace_file *file, unsigned int vcpu, const struct minivmm_exit *e);
	void (*end)(struct trace_file *file);
};

extern const struct trace_format trace_json;
extern const struct trace_format trace_html;

/**
 * struct trace_line - one vCPU
 * @start: TSC at its first VM entry; 0 if there was none
 * @exits: how many were written
 * @dropped: how many the ring had no room for
 * @last: the exit before, for its number and times
 * @packed: the format's own
 */
struct trace_line {
	__u64 start;
	__u64 exits;
	__u64 dropped;
	struct minivmm_exit last;
	struct trace_packed *packed;
};

/**
 * struct trace_file - what is written
 * @out: where to
 * @format: how
 * @image: what the guest is
 * @cpus: how many vCPUs
 * @tsc_khz: ticks in a millisecond
 * @base: the TSC that is time 0; of the first VM entry
 * @code: instructions in words
 * @lines: the vCPUs
 */
struct trace_file {
	FILE *out;
	const struct trace_format *format;
	const char *image;
	unsigned int cpus;
	__u32 tsc_khz;
	__u64 base;
	struct trace_code *code;
	struct trace_line lines[CPUS_MAX];
};

int trace_file_begin(struct trace_file *file);
void trace_file_exit(struct trace_file *file, unsigned int vcpu, const struct minivmm_exit *e);
int trace_file_end(struct trace_file *file);

/* trace_words.c */
struct trace_code *trace_code_new(void);
void trace_code_free(struct trace_code *code);
unsigned int trace_code_number(struct trace_code *code, const struct minivmm_exit *e,
			       __u32 *size);
const char *trace_code_text(const struct trace_code *code, unsigned int number);
unsigned int trace_code_count(const struct trace_code *code);
const char *trace_user_name(__s32 user);

/**
 * struct trace - a run that is recorded
 * @machine: the machine
 * @path: of the file
 * @file: the file
 * @thread: reads the rings of the vCPUs
 * @running: @thread is to go on
 */
struct trace {
	struct machine *machine;
	const char *path;
	struct trace_file file;
	pthread_t thread;
	bool running;
};

int trace_begin(struct trace *trace, struct machine *machine, const struct options *options,
		struct failure *failure);
void trace_wait(struct vcpu *vcpu);
int trace_end(struct trace *trace);

#endif /* RUN_TRACE_H */
