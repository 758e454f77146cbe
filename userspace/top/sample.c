// SPDX-License-Identifier: GPL-2.0
/*
 * A VM is a folder PID-FD of debugfs, a vCPU a folder vcpuN in it, and its
 * counters are lines "NAME VALUE" of the file "stats" there. VMs come and go
 * meanwhile: what has gone is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../common/process.h"
#include "sample.h"

const char *const mode_names[NR_MODES] = { "guest", "root", "user", "halted", "waiting" };
const char *const order_names[NR_ORDERS] = { "process", "VM exits", "time in root mode" };

static const char *const mode_counters[NR_MODES] = {
	"guest_ns", "root_ns", "user_ns", "halt_wait_ns", "start_wait_ns",
};

/* That reason's place; NULL when there is no room, or the name cannot be one. */
static struct reason *find_reason(struct counters *counters, const char *name, size_t length)
{
	struct reason *reason = counters->reasons;
	unsigned int i;

	if (!length || length >= sizeof(reason->name))
		return NULL;
	for (i = 0; i < counters->nr; i++, reason++) {
		if (strlen(reason->name) == length && !strncmp(reason->name, name, length))
			return reason;
	}
	if (counters->nr == REASONS_MAX)
		return NULL;
	counters->nr++;
	memset(reason, 0, sizeof(*reason));
	memcpy(reason->name, name, length);
	return reason;
}

static void take(struct counters *counters, const char *name, __u64 value)
{
	size_t length = strlen(name);
	struct reason *reason;
	unsigned int i;

	if (!strcmp(name, "exits")) {
		counters->exits = value;
		return;
	}
	for (i = 0; i < NR_MODES; i++) {
		if (!strcmp(name, mode_counters[i])) {
			counters->ns[i] = value;
			return;
		}
	}
	if (!strncmp(name, "exit_", 5)) {
		reason = find_reason(counters, name + 5, length - 5);
		if (reason)
			reason->count = value;
	} else if (length > 8 && !strncmp(name, "root_", 5) && !strcmp(name + length - 3, "_ns")) {
		reason = find_reason(counters, name + 5, length - 8);
		if (reason)
			reason->ns = value;
	}
}

/**
 * counters_parse() - read the counters of a vCPU
 * @file: its file; lines that mean nothing to us are left out
 * @counters: get them
 */
void counters_parse(FILE *file, struct counters *counters)
{
	unsigned long long value;
	char line[128], name[64];

	memset(counters, 0, sizeof(*counters));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %llu", name, &value) == 2)
			take(counters, name, value);
	}
}

/**
 * counters_add() - add the counters of one vCPU to those of others
 * @sum: the others'
 * @more: the one's
 */
void counters_add(struct counters *sum, const struct counters *more)
{
	struct reason *reason;
	unsigned int i;

	sum->exits += more->exits;
	for (i = 0; i < NR_MODES; i++)
		sum->ns[i] += more->ns[i];
	for (i = 0; i < more->nr; i++) {
		reason = find_reason(sum, more->reasons[i].name, strlen(more->reasons[i].name));
		if (!reason)
			continue;
		reason->count += more->reasons[i].count;
		reason->ns += more->reasons[i].ns;
	}
}

/* Counters do not go back: then it is another vCPU in the same place. */
static __u64 more(__u64 now, __u64 before)
{
	return now >= before ? now - before : now;
}

/**
 * counters_subtract() - what is new
 * @now: the counters
 * @before: what they were, or NULL for all zero
 * @delta: gets the difference
 */
void counters_subtract(const struct counters *now, const struct counters *before,
		       struct counters *delta)
{
	unsigned int i, k;

	*delta = *now;
	if (!before)
		return;
	delta->exits = more(now->exits, before->exits);
	for (i = 0; i < NR_MODES; i++)
		delta->ns[i] = more(now->ns[i], before->ns[i]);
	for (i = 0; i < now->nr; i++) {
		struct reason *reason = &delta->reasons[i];

		for (k = 0; k < before->nr; k++) {
			if (strcmp(before->reasons[k].name, reason->name))
				continue;
			reason->count = more(reason->count, before->reasons[k].count);
			reason->ns = more(reason->ns, before->reasons[k].ns);
		}
	}
}

static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->name, y->name);
}

/**
 * counters_sort() - the most frequent reason first
 * @counters: whose
 */
void counters_sort(struct counters *counters)
{
	qsort(counters->reasons, counters->nr, sizeof(*counters->reasons), by_count);
}

/**
 * counters_time() - all of the time that was taken
 * @counters: whose
 *
 * Return: nanoseconds.
 */
__u64 counters_time(const struct counters *counters)
{
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < NR_MODES; i++)
		sum += counters->ns[i];
	return sum;
}

static int add_vcpu(struct sample *sample, int vm, const struct line *line)
{
	struct line *more_lines;
	char path[64];
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "vcpu%ld/stats", line->vcpu);
	fd = openat(vm, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	file = fdopen(fd, "r");
	more_lines = file ? reallocarray(sample->lines, sample->count + 1, sizeof(*line)) : NULL;
	if (!more_lines) {
		if (file)
			fclose(file);
		else
			close(fd);
		return -ENOMEM;
	}
	sample->lines = more_lines;
	more_lines += sample->count;
	*more_lines = *line;
	counters_parse(file, &more_lines->total);
	/* It went while it was read. */
	if (!ferror(file))
		sample->count++;
	fclose(file);
	return 0;
}

/* Call @found for each entry of the folder @path below @at. */
static int each_entry(int at, const char *path, void *arg,
		      int (*found)(void *arg, int folder, const char *name))
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!err && (entry = readdir(dir)))
		err = found(arg, fd, entry->d_name);
	closedir(dir);
	return err;
}

struct walk {
	struct sample *sample;
	struct line line;
};

static int found_in_vm(void *arg, int folder, const char *name)
{
	struct walk *walk = arg;
	char end;

	if (sscanf(name, "vcpu%ld%c", &walk->line.vcpu, &end) != 1)
		return 0;
	return add_vcpu(walk->sample, folder, &walk->line);
}

static int found(void *arg, int folder, const char *name)
{
	struct walk *walk = arg;
	char end;
	int err;

	if (sscanf(name, "%ld-%ld%c", &walk->line.pid, &walk->line.vm, &end) != 2)
		return 0;
	process_command(walk->line.pid, walk->line.command, sizeof(walk->line.command));
	err = each_entry(folder, name, walk, found_in_vm);
	if (!err)
		walk->sample->vms++;
	return err == -ENOENT ? 0 : err;
}

static int by_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	long difference = x->pid - y->pid;

	difference = difference ? difference : x->vm - y->vm;
	difference = difference ? difference : x->vcpu - y->vcpu;
	return (difference > 0) - (difference < 0);
}

static int by_exits(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->delta.exits != y->delta.exits)
		return x->delta.exits > y->delta.exits ? -1 : 1;
	return by_place(a, b);
}

static int by_root(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->delta.ns[ROOT] != y->delta.ns[ROOT])
		return x->delta.ns[ROOT] > y->delta.ns[ROOT] ? -1 : 1;
	return by_place(a, b);
}

/**
 * sample_sort() - put the vCPUs in order
 * @sample: of them
 * @order: which
 */
void sample_sort(struct sample *sample, enum order order)
{
	static int (*const compare[NR_ORDERS])(const void *a, const void *b) = {
		by_place, by_exits, by_root,
	};

	if (sample->count)
		qsort(sample->lines, sample->count, sizeof(*sample->lines), compare[order]);
}

/**
 * sample_read() - look at all VMs
 * @folder: minivmm's in debugfs
 * @sample: to be freed, also after an error
 *
 * Return: 0 or a negative errno; -ENOENT if the folder is not there.
 */
int sample_read(const char *folder, struct sample *sample)
{
	struct walk walk = { .sample = sample };
	struct timespec now;
	int err;

	memset(sample, 0, sizeof(*sample));
	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	err = each_entry(AT_FDCWD, folder, &walk, found);
	sample_sort(sample, BY_PLACE);
	return err;
}

/**
 * sample_compare() - what is new since the sample before
 * @sample: a sample
 * @before: the one before, in any order
 */
void sample_compare(struct sample *sample, const struct sample *before)
{
	size_t i, k;

	sample->seconds = (sample->ns - before->ns) / 1e9;
	for (i = 0; i < sample->count; i++) {
		struct line *line = &sample->lines[i];
		const struct counters *old = NULL;

		for (k = 0; k < before->count && !old; k++) {
			if (!by_place(line, &before->lines[k]))
				old = &before->lines[k].total;
		}
		counters_subtract(&line->total, old, &line->delta);
		counters_sort(&line->total);
		counters_sort(&line->delta);
	}
}

/**
 * sample_sum() - all vCPUs together
 * @sample: of them
 * @total: gets the sums of their counters
 * @delta: and of what is new
 */
void sample_sum(const struct sample *sample, struct counters *total, struct counters *delta)
{
	size_t i;

	memset(total, 0, sizeof(*total));
	memset(delta, 0, sizeof(*delta));
	for (i = 0; i < sample->count; i++) {
		counters_add(total, &sample->lines[i].total);
		counters_add(delta, &sample->lines[i].delta);
	}
	counters_sort(total);
	counters_sort(delta);
}

/**
 * sample_free() - free what sample_read() got
 * @sample: which
 */
void sample_free(struct sample *sample)
{
	free(sample->lines);
	memset(sample, 0, sizeof(*sample));
}
