// SPDX-License-Identifier: GPL-2.0
/*
 * One sample, for people and for programs.
 */
#include <jansson.h>
#include <string.h>
#include "print.h"

/**
 * per_second() - a rate
 * @count: how many there were since the sample before
 * @sample: the sample
 *
 * Return: how many that is in a second.
 */
double per_second(__u64 count, const struct sample *sample)
{
	return sample->seconds > 0 ? count / sample->seconds : 0;
}

/**
 * share_text() - the share of time in a mode
 * @delta: what is new in the counters
 * @mode: the mode
 * @text: gets a percentage, "-" where no time was taken
 *
 * Return: @text.
 */
const char *share_text(const struct counters *delta, enum mode mode, char text[8])
{
	__u64 all = counters_time(delta);

	if (all)
		snprintf(text, 8, "%.1f", 100.0 * delta->ns[mode] / all);
	else
		snprintf(text, 8, "-");
	return text;
}

/**
 * duration_text() - a time in four digits
 * @ns: nanoseconds
 * @text: gets it, with a unit
 *
 * Return: @text.
 */
const char *duration_text(double ns, char text[16])
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	unsigned int i;

	for (i = 0; ns >= 1000 && i < 3; i++)
		ns /= 1000;
	snprintf(text, 16, "%.*f %s", !i || ns >= 1000 ? 0 : ns >= 100 ? 1 : ns >= 10 ? 2 : 3,
		 ns, units[i]);
	return text;
}

static void print_line(const struct sample *sample, const struct line *line, FILE *out)
{
	char share[NR_MODES][8], time[16], each[16];
	const struct counters *delta = &line->delta;
	unsigned int i;

	for (i = 0; i < NR_MODES; i++)
		share_text(delta, i, share[i]);
	fprintf(out, "%7ld %4ld %4ld  %-16.16s %10.0f %6s %6s %6s %6s\n", line->pid, line->vm,
		line->vcpu, line->command, per_second(delta->exits, sample), share[GUEST],
		share[ROOT], share[USER], share[HALTED]);
	for (i = 0; i < delta->nr && delta->reasons[i].count; i++) {
		const struct reason *reason = &delta->reasons[i];

		fprintf(out, "                       %-22s %4.0f %11s %11s each\n", reason->name,
			per_second(reason->count, sample), duration_text(reason->ns, time),
			duration_text((double)reason->ns / reason->count, each));
	}
}

/**
 * print_text() - a sample for people
 * @sample: the sample
 * @out: where to
 */
void print_text(const struct sample *sample, FILE *out)
{
	size_t i;

	fprintf(out, "%7s %4s %4s  %-16s %10s %6s %6s %6s %6s\n", "PID", "VM", "VCPU",
		"COMMAND", "exits/s", "guest", "root", "user", "halted");
	for (i = 0; i < sample->count; i++)
		print_line(sample, &sample->lines[i], out);
}

static json_t *reasons_json(const struct sample *sample, const struct line *line)
{
	json_t *reasons = json_object(), *reason;
	unsigned int i, k;

	for (i = 0; i < line->total.nr; i++) {
		const struct reason *total = &line->total.reasons[i];
		double rate = 0;

		for (k = 0; k < line->delta.nr; k++) {
			if (!strcmp(line->delta.reasons[k].name, total->name))
				rate = per_second(line->delta.reasons[k].count, sample);
		}
		reason = json_object();
		json_object_set_new(reason, "exits", json_integer(total->count));
		json_object_set_new(reason, "exits_per_second", json_real(rate));
		json_object_set_new(reason, "root_ns", json_integer(total->ns));
		json_object_set_new(reasons, total->name, reason);
	}
	return reasons;
}

static json_t *line_json(const struct sample *sample, const struct line *line)
{
	json_t *object = json_object(), *times = json_object(), *shares = json_object();
	__u64 all = counters_time(&line->delta);
	unsigned int i;

	for (i = 0; i < NR_MODES; i++) {
		json_object_set_new(times, mode_names[i], json_integer(line->total.ns[i]));
		json_object_set_new(shares, mode_names[i],
				    all ? json_real((double)line->delta.ns[i] / all) : json_null());
	}
	json_object_set_new(object, "pid", json_integer(line->pid));
	json_object_set_new(object, "vm", json_integer(line->vm));
	json_object_set_new(object, "vcpu", json_integer(line->vcpu));
	/* A process may call itself what is no text. */
	json_object_set_new(object, "command", json_string(line->command) ?: json_string("?"));
	json_object_set_new(object, "exits", json_integer(line->total.exits));
	json_object_set_new(object, "exits_per_second",
			    json_real(per_second(line->delta.exits, sample)));
	json_object_set_new(object, "ns", times);
	json_object_set_new(object, "share", shares);
	json_object_set_new(object, "reasons", reasons_json(sample, line));
	return object;
}

/**
 * print_json() - a sample as one line of JSON
 * @sample: the sample
 * @out: where to
 */
void print_json(const struct sample *sample, FILE *out)
{
	json_t *object = json_object(), *vcpus = json_array();
	size_t i;

	for (i = 0; i < sample->count; i++)
		json_array_append_new(vcpus, line_json(sample, &sample->lines[i]));
	json_object_set_new(object, "seconds", json_real(sample->ns / 1e9));
	json_object_set_new(object, "interval", json_real(sample->seconds));
	json_object_set_new(object, "vms", json_integer(sample->vms));
	json_object_set_new(object, "vcpus", vcpus);
	json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(10));
	fputc('\n', out);
	json_decref(object);
}

/**
 * print_csv_head() - the names of the columns
 * @out: where to
 */
void print_csv_head(FILE *out)
{
	unsigned int i;

	fputs("seconds,pid,vm,vcpu,reason,exits,exits_per_second,root_ns", out);
	for (i = 0; i < NR_MODES; i++)
		fprintf(out, ",%s_percent", mode_names[i]);
	fputc('\n', out);
}

/**
 * print_csv() - a sample as lines with commas
 * @sample: the sample
 * @out: where to
 *
 * Of each vCPU a line for all VM exits, with the shares of time, and one for each
 * reason that there was since the sample before.
 */
void print_csv(const struct sample *sample, FILE *out)
{
	char text[8];
	unsigned int k;
	size_t i;

	for (i = 0; i < sample->count; i++) {
		const struct line *line = &sample->lines[i];
		const struct counters *delta = &line->delta;

		fprintf(out, "%.3f,%ld,%ld,%ld,all,%llu,%.1f,%llu", sample->ns / 1e9, line->pid,
			line->vm, line->vcpu, delta->exits, per_second(delta->exits, sample),
			delta->ns[ROOT]);
		for (k = 0; k < NR_MODES; k++)
			fprintf(out, ",%s", counters_time(delta) ?
				share_text(delta, k, text) : "");
		fputc('\n', out);
		for (k = 0; k < delta->nr && delta->reasons[k].count; k++)
			fprintf(out, "%.3f,%ld,%ld,%ld,%s,%llu,%.1f,%llu,,,,,\n",
				sample->ns / 1e9, line->pid, line->vm, line->vcpu,
				delta->reasons[k].name, delta->reasons[k].count,
				per_second(delta->reasons[k].count, sample),
				delta->reasons[k].ns);
	}
}
