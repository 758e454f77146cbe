// SPDX-License-Identifier: GPL-2.0
/*
 * --stats: the counters that a vCPU gives through KVM_GET_STATS_FD.
 *
 * The file describes itself (Documentation/virt/kvm/api.rst in the kernel's
 * source), so the same code prints what minivmm counts and what KVM counts.
 * minivmm has counters for each exit reason, "exit_<reason>" and the time in
 * root mode, "root_<reason>_ns"; those become the table "VM exits by reason".
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "report.h"

#define BY_REASON	"exit_"
#define TOTAL		"exits"
#define ROOT		"root_"

/* Where time goes, and what that is called */
static const struct {
	const char *name, *words;
} modes[] = {
	{ "guest_ns", "in the guest" },
	{ "root_ns", "in root mode" },
	{ "user_ns", "in user space" },
	{ "halt_wait_ns", "halted" },
	{ "start_wait_ns", "not started" },
};

/* These repeat what the table says. */
static const char *const repeated[] = {
	TOTAL, "io_exits", "halt_exits", "irq_exits", "irq_window_exits", "nmi_window_exits",
	"pf_taken",
};

#define DESCRIPTOR_ALIGNMENT	_Alignof(struct kvm_stats_desc)

/* Nobody has that many; a header that says so is not one. */
#define COUNTERS_MAX	4096
#define NAME_MAX_BYTES	512

struct counter {
	const char *name;
	const struct kvm_stats_desc *desc;
	__u64 value;
};

/**
 * struct stats - what the file said
 * @header: its header
 * @descs: the block of descriptors
 * @counters: those that are not zero
 * @count: of @counters
 */
struct stats {
	struct kvm_stats_header header;
	char *descs;
	struct counter *counters;
	unsigned int count;
};

static int read_at(int fd, void *to, size_t size, off_t offset)
{
	ssize_t got = pread(fd, to, size, offset);

	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EIO;
}

/* A histogram's value is the number of samples in all of its buckets. */
static int read_value(int fd, const struct stats *stats,
		      const struct kvm_stats_desc *desc, __u64 *value)
{
	off_t offset = (off_t)stats->header.data_offset + desc->offset;
	unsigned int i;
	__u64 part;
	int err;

	*value = 0;
	for (i = 0; i < desc->size; i++) {
		err = read_at(fd, &part, sizeof(part), offset + i * sizeof(part));
		if (err)
			return err;
		*value += part;
	}
	return 0;
}

static int read_stats(int fd, struct stats *stats)
{
	struct kvm_stats_header *header = &stats->header;
	size_t step;
	__u32 i;
	int err;

	err = read_at(fd, header, sizeof(*header), 0);
	if (err)
		return err;
	/* One descriptor follows the other: each must be aligned as the first. */
	if (!header->name_size || header->name_size > NAME_MAX_BYTES ||
	    header->name_size % DESCRIPTOR_ALIGNMENT ||
	    header->num_desc > COUNTERS_MAX)
		return -EPROTO;

	step = sizeof(struct kvm_stats_desc) + header->name_size;
	stats->descs = malloc(step * header->num_desc + 1);
	stats->counters = calloc(header->num_desc + 1, sizeof(*stats->counters));
	if (!stats->descs || !stats->counters)
		return -ENOMEM;
	err = read_at(fd, stats->descs, step * header->num_desc, header->desc_offset);
	if (err)
		return err;

	for (i = 0; i < header->num_desc; i++) {
		struct kvm_stats_desc *desc = (void *)(stats->descs + i * step);
		struct counter *counter = &stats->counters[stats->count];

		desc->name[header->name_size - 1] = 0;
		counter->name = desc->name;
		counter->desc = desc;
		err = read_value(fd, stats, desc, &counter->value);
		if (err)
			return err;
		if (counter->value)
			stats->count++;
	}
	return 0;
}

static bool is_reason(const struct counter *counter)
{
	return !strncmp(counter->name, BY_REASON, strlen(BY_REASON));
}

/* Most frequent first; the alphabet decides between equals. */
static int by_value(const void *a, const void *b)
{
	const struct counter *left = a, *right = b;

	if (left->value != right->value)
		return left->value > right->value ? -1 : 1;
	return strcmp(left->name, right->name);
}

static const char *unit_of(const struct kvm_stats_desc *desc, char *text, size_t size)
{
	static const char *const units[] = { "", "bytes", "s", "cycles", "(yes or no)" };
	unsigned int unit = (desc->flags & KVM_STATS_UNIT_MASK) >> KVM_STATS_UNIT_SHIFT;
	unsigned int type = desc->flags & KVM_STATS_TYPE_MASK;
	bool binary = (desc->flags & KVM_STATS_BASE_MASK) == KVM_STATS_BASE_POW2;
	const char *name = unit < ARRAY_SIZE(units) ? units[unit] : "?";

	if (type == KVM_STATS_TYPE_LINEAR_HIST || type == KVM_STATS_TYPE_LOG_HIST)
		return "samples";
	if (!desc->exponent)
		return name;
	if (!strcmp(name, "s") && !binary && desc->exponent == -9)
		return "ns";
	snprintf(text, size, "x %u^%d %s", binary ? 2 : 10, desc->exponent, name);
	return text;
}

static __u64 value_of(const struct stats *stats, const char *name)
{
	unsigned int i;

	for (i = 0; i < stats->count; i++) {
		if (!strcmp(stats->counters[i].name, name))
			return stats->counters[i].value;
	}
	return 0;
}

static double percent(__u64 part, __u64 whole)
{
	return whole ? 100.0 * part / whole : 0;
}

/* Four digits of a time in nanoseconds, with a unit */
static const char *duration(double ns, char *text, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	unsigned int i;

	for (i = 0; ns >= 1000 && i < ARRAY_SIZE(units) - 1; i++)
		ns /= 1000;
	snprintf(text, size, "%.*f %s", !i || ns >= 1000 ? 0 : ns >= 100 ? 1 : ns >= 10 ? 2 : 3,
		 ns, units[i]);
	return text;
}

/* One line of the table; @root is the time of all reasons, 0 if nobody took any. */
static void print_reason(const char *name, __u64 count, __u64 ns, __u64 root, FILE *out)
{
	char sum[32], each[32];

	if (!root) {
		fprintf(out, "  %12llu  %s\n", count, name);
		return;
	}
	fprintf(out, "  %12llu  %-22s %11s %6.1f %% %11s\n", count, name,
		duration(ns, sum, sizeof(sum)), percent(ns, root),
		duration(count ? (double)ns / count : 0, each, sizeof(each)));
}

static void print_reasons(const struct stats *stats, FILE *out)
{
	__u64 root = value_of(stats, "root_ns");
	char time[sizeof(ROOT) + NAME_MAX_BYTES + sizeof("_ns")];
	unsigned int i;

	fprintf(out, "VM exits by reason:%s\n",
		root ? "                    in root mode    share        each" : "");
	for (i = 0; i < stats->count; i++) {
		const struct counter *counter = &stats->counters[i];
		const char *reason = counter->name + strlen(BY_REASON);

		if (!is_reason(counter))
			continue;
		snprintf(time, sizeof(time), ROOT "%s_ns", reason);
		print_reason(reason, counter->value, value_of(stats, time), root, out);
	}
	print_reason("in all", value_of(stats, TOTAL), root, root, out);
}

static void print_modes(const struct stats *stats, FILE *out)
{
	unsigned int i;
	__u64 all = 0;
	char text[32];

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		all += value_of(stats, modes[i].name);
	if (!all)
		return;
	fprintf(out, "Time, %s:\n", duration(all, text, sizeof(text)));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		__u64 ns = value_of(stats, modes[i].name);

		if (ns)
			fprintf(out, "  %10.1f %%  %s\n", percent(ns, all), modes[i].words);
	}
}

/* Is it in the tables? */
static bool was_printed(const struct counter *counter)
{
	size_t length = strlen(counter->name);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(repeated); i++) {
		if (!strcmp(counter->name, repeated[i]))
			return true;
	}
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(counter->name, modes[i].name))
			return true;
	}
	return is_reason(counter) || (!strncmp(counter->name, ROOT, strlen(ROOT)) &&
				      length > 3 && !strcmp(counter->name + length - 3, "_ns"));
}

static void print_others(const struct stats *stats, bool reasons, FILE *out)
{
	const char *unit;
	bool headed = false;
	unsigned int i;
	char text[48];

	for (i = 0; i < stats->count; i++) {
		const struct counter *counter = &stats->counters[i];

		if (reasons && was_printed(counter))
			continue;
		if (!headed)
			fprintf(out, "%s\n", reasons ? "Other counters:" : "Counters of the vCPU:");
		headed = true;
		unit = unit_of(counter->desc, text, sizeof(text));
		fprintf(out, "  %12llu  %s%s%s\n", counter->value, counter->name,
			*unit ? ", " : "", unit);
	}
}

/**
 * stats_print() - print the counters of a vCPU that are not zero
 * @vcpu: its descriptor
 * @out: where to
 *
 * Return: 0 or a negative errno.
 */
int stats_print(int vcpu, FILE *out)
{
	struct stats stats = { 0 };
	bool reasons = false;
	unsigned int i;
	int fd, err;

	fd = ioctl(vcpu, KVM_GET_STATS_FD, NULL);
	if (fd < 0)
		return -errno;
	err = read_stats(fd, &stats);
	close(fd);

	if (!err) {
		qsort(stats.counters, stats.count, sizeof(*stats.counters), by_value);
		for (i = 0; i < stats.count; i++)
			reasons = reasons || is_reason(&stats.counters[i]);
		if (reasons) {
			print_reasons(&stats, out);
			print_modes(&stats, out);
		}
		print_others(&stats, reasons, out);
	}
	free(stats.descs);
	free(stats.counters);
	return err;
}
