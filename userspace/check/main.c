// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm-check: can this machine run minivmm, and if not, what to do?
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include "check.h"

static const char help[] =
"Usage: minivmm-check [OPTION]...\n"
"Say whether this machine can run minivmm, and what to do if not.\n"
"\n"
"  -v, --verbose   also the MSRs of VMX, and each control: can it be 0, can it be 1,\n"
"                  is it used, and what for\n"
"      --json      all of it as one JSON object\n"
"  -h, --help      print this and end\n"
"      --version   print the version and end\n"
"\n"
"What cannot be found out, in most cases for want of root's rights, is marked \"?\".\n"
"\n"
"Status: 0 nothing stands in the way, 1 something does, 64 usage.\n";

static const char *const states[] = { "ok", "warn", "unknown", "fail" };

static const char *wish_name(enum mvm_wish wish)
{
	static const char *const names[] = { "none", "need", "want", "avoid" };

	return names[wish];
}

static void print_controls(const struct facts *facts, enum mvm_control_word word,
			   const __u64 *used)
{
	__u64 allowed = allowed_settings(facts, word);
	const char *name, *reason;
	enum mvm_wish wish;
	unsigned int bit;

	printf("\n%s\n  bit  0  1  used\n", word_name(word));
	for (bit = 0; bit < 32; bit++) {
		name = mvm_control_name(word, bit);
		if (!name)
			continue;
		wish = mvm_vmx_wish(word, bit, &reason);
		printf("   %2u  %c  %c  %-4s  %s", bit, allowed >> bit & 1 ? '-' : '0',
		       allowed >> (bit + 32) & 1 ? '1' : '-',
		       used ? used[word] >> bit & 1 ? "yes" : "no" : "?", name);
		if (wish)
			printf(" (%s: %s)", wish_name(wish), reason);
		putchar('\n');
	}
}

static void print_tables(const struct facts *facts)
{
	__u64 used[MVM_NR_CONTROL_WORDS];
	bool usable = used_controls(facts, used);
	unsigned int i;

	putchar('\n');
	for (i = 0; i < MINIVMM_NR_VMX_MSRS; i++) {
		printf("0x%x  %-30s", MINIVMM_MSR_VMX_BASIC + i, msr_name(i));
		if (facts->capability.exists >> i & 1)
			printf("0x%016llx\n", facts->capability.msr[i]);
		else
			puts("not there");
	}
	puts("\nEach control: can it be 0, can it be 1, and does a vCPU of minivmm have it?");
	for (i = 0; i < MVM_NR_CONTROL_WORDS; i++)
		print_controls(facts, i, usable ? used : NULL);
}

static json_t *msrs_json(const struct facts *facts)
{
	json_t *list = json_array();
	char value[24];
	unsigned int i;

	for (i = 0; i < MINIVMM_NR_VMX_MSRS; i++) {
		if (!(facts->capability.exists >> i & 1))
			continue;
		snprintf(value, sizeof(value), "0x%llx", facts->capability.msr[i]);
		json_array_append_new(list, json_pack("{s:s, s:i, s:s}", "name", msr_name(i),
						      "index", MINIVMM_MSR_VMX_BASIC + i,
						      "value", value));
	}
	return list;
}

static json_t *controls_json(const struct facts *facts)
{
	__u64 used[MVM_NR_CONTROL_WORDS], allowed;
	bool usable = used_controls(facts, used);
	json_t *list = json_array(), *control;
	const char *name, *reason;
	unsigned int word, bit;
	enum mvm_wish wish;

	for (word = 0; word < MVM_NR_CONTROL_WORDS; word++) {
		allowed = allowed_settings(facts, word);
		for (bit = 0; bit < 32; bit++) {
			name = mvm_control_name(word, bit);
			if (!name)
				continue;
			wish = mvm_vmx_wish(word, bit, &reason);
			control = json_pack("{s:s, s:i, s:s, s:b, s:b, s:s}", "field",
					    word_name(word), "bit", bit, "name", name,
					    "can_be_0", !(allowed >> bit & 1),
					    "can_be_1", (int)(allowed >> (bit + 32) & 1),
					    "wish", wish_name(wish));
			if (wish)
				json_object_set_new(control, "reason", json_string(reason));
			if (usable)
				json_object_set_new(control, "used",
						    json_boolean(used[word] >> bit & 1));
			json_array_append_new(list, control);
		}
	}
	return list;
}

static void print_json(const struct facts *facts, const struct verdict *list, size_t count)
{
	json_t *checks = json_array(), *object;
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(checks, json_pack("{s:s, s:s, s:s}", "id", list[i].id,
							"state", states[list[i].state],
							"text", list[i].text));
	object = json_pack("{s:b, s:o, s:s, s:s, s:b}", "can_run", can_run(list, count),
			   "checks", checks, "processor", facts->brand, "kernel",
			   facts->release, "loaded", facts->loaded);
	if (facts->vmx && !facts->msrs_error) {
		json_object_set_new(object, "msrs", msrs_json(facts));
		json_object_set_new(object, "controls", controls_json(facts));
	}
	json_dumpf(object, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(object);
}

static void print_text(const struct facts *facts, const struct verdict *list, size_t count,
		       bool verbose)
{
	static const char *const marks[] = { "ok  ", "warn", "?   ", "FAIL" };
	size_t i;

	for (i = 0; i < count; i++)
		printf("%s  %s\n", marks[list[i].state], list[i].text);
	puts(can_run(list, count) ? "\nNothing that is known stands in the way." :
	     "\nminivmm cannot run here as it is.");
	if (verbose && facts->vmx && !facts->msrs_error)
		print_tables(facts);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "verbose",	no_argument,	NULL,	'v' },
		{ "json",	no_argument,	NULL,	'j' },
		{ "help",	no_argument,	NULL,	'h' },
		{ "version",	no_argument,	NULL,	'V' },
		{ NULL,		0,		NULL,	0 },
	};
	bool verbose = false, json = false;
	struct verdict list[VERDICTS_MAX];
	struct facts facts;
	int option, status = EX_OK;
	size_t count;

	while ((option = getopt_long(argc, argv, "vh", options, NULL)) != -1) {
		switch (option) {
		case 'v':
			verbose = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(help, stdout);
			goto out;
		case 'V':
			puts("minivmm-check " PROGRAM_VERSION);
			goto out;
		default:
			fputs("Try: minivmm-check --help\n", stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "minivmm-check: %s: no arguments, only options\n", argv[optind]);
		fputs("Try: minivmm-check --help\n", stderr);
		return EX_USAGE;
	}
	facts_gather(&facts);
	count = verdicts(&facts, list);
	if (json)
		print_json(&facts, list, count);
	else
		print_text(&facts, list, count, verbose);
	status = can_run(list, count) ? 0 : 1;
out:
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "minivmm-check: standard output: %s\n", strerror(errno));
	return EX_IOERR;
}
