// SPDX-License-Identifier: GPL-2.0
/*
 * All fields of a VMCS: read from the module, printed by group, or as JSON.
 */
#include <errno.h>
#include <linux/minivmm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "vmcs.h"

/* The groups, in the order of the SDM; titles as in field.h */
#define GROUPS(X)	\
	X(GUEST_REGISTER, "Guest Register State")	\
	X(GUEST_OTHER, "Guest Non-Register State")	\
	X(HOST, "Host-State Area")	\
	X(EXECUTION, "VM-Execution Control Fields")	\
	X(EXIT_CONTROL, "VM-Exit Control Fields")	\
	X(ENTRY_CONTROL, "VM-Entry Control Fields")	\
	X(EXIT_INFORMATION, "VM-Exit Information Fields")

#define GROUP_ENUM(name, title)	GROUP_##name,
#define GROUP_TITLE(name, title)	title,
enum group { GROUPS(GROUP_ENUM) NR_GROUPS };
static const char *const titles[] = { GROUPS(GROUP_TITLE) };

#define NATURAL	64
#define FIELD_ROW(field, number, bits, section, text)	\
	{ #field, text, number, bits, GROUP_##section },
static const struct {
	const char *name;
	const char *words;
	__u16 encoding;
	__u8 width;
	enum group group;
} fields[] = {
	VMCS_FIELDS(FIELD_ROW)
};

/* The table is sorted by encoding. */
static int index_of(__u32 encoding)
{
	int low = 0, high = VMCS_NR_FIELDS - 1;

	while (low < high) {
		int middle = (low + high) / 2;

		if (fields[middle].encoding < encoding)
			low = middle + 1;
		else
			high = middle;
	}
	return fields[low].encoding == encoding ? low : -1;
}

/**
 * vmcs_read() - get the fields of a vCPU's VMCS
 * @vcpu: its descriptor
 * @flags: MINIVMM_VMCS_AT_STOP, or 0 for the fields as they are now
 * @vmcs: to be filled; fields that we do not know are left out
 *
 * Return: 0, or a negative errno of MINIVMM_GET_VMCS.
 */
int vmcs_read(int vcpu, __u32 flags, struct vmcs *vmcs)
{
	struct minivmm_vmcs *got;
	/* A newer module may know more than we do. */
	__u32 room = 2 * VMCS_NR_FIELDS, i;
	int at, ret = 0;

	got = calloc(1, sizeof(*got) + room * sizeof(got->fields[0]));
	if (!got)
		return -ENOMEM;
	got->nr = room;
	got->flags = flags;
	memset(vmcs, 0, sizeof(*vmcs));
	if (ioctl(vcpu, MINIVMM_GET_VMCS, got))
		ret = -errno;
	for (i = 0; !ret && i < got->nr; i++) {
		at = index_of(got->fields[i].encoding);
		if (at < 0)
			continue;
		vmcs->flags[at] = got->fields[i].flags;
		vmcs->value[at] = got->fields[i].value;
	}
	vmcs->exits = got->exits;
	free(got);
	return ret;
}

static bool changed(const struct vmcs *vmcs, const struct vmcs *before, int i)
{
	return !before || vmcs->value[i] != before->value[i] ||
	       vmcs->flags[i] != before->flags[i];
}

static void print_value(FILE *out, const struct vmcs *vmcs, int i)
{
	if (!(vmcs->flags[i] & MINIVMM_FIELD_EXISTS))
		fputs("not there", out);
	else if (vmcs->flags[i] & MINIVMM_FIELD_HIDDEN)
		fputs("hidden", out);
	else
		fprintf(out, "0x%0*llx", fields[i].width / 4, vmcs->value[i]);
}

/* What the value says, each line below the field's own */
static void print_words(FILE *out, const struct vmcs *vmcs, int i)
{
	char *text = NULL, *line, *rest;
	size_t size;
	FILE *words = open_memstream(&text, &size);

	if (!words)
		return;
	vmcs_words(words, vmcs, i);
	fclose(words);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		fprintf(out, "        %s\n", line);
	free(text);
}

/**
 * vmcs_print_words() - what a field's value says, if it alone says it
 * @out: where to
 * @encoding: the field
 * @value: its value
 */
void vmcs_print_words(FILE *out, __u32 encoding, __u64 value)
{
	struct vmcs vmcs = { .exits = 0 };
	int i = index_of(encoding);

	if (i < 0)
		return;
	vmcs.value[i] = value;
	print_words(out, &vmcs, i);
}

static void print_field(FILE *out, const struct vmcs *vmcs, const struct vmcs *before, int i)
{
	fprintf(out, "  %04x %-44s ", fields[i].encoding, fields[i].words);
	if (before) {
		print_value(out, before, i);
		fputs(" -> ", out);
	}
	print_value(out, vmcs, i);
	fputc('\n', out);
	if (vmcs->flags[i] == MINIVMM_FIELD_EXISTS)
		print_words(out, vmcs, i);
}

/**
 * vmcs_print() - a VMCS, group by group, with what the values mean
 * @out: where to
 * @vmcs: the VMCS
 * @before: print only what differs from this one; NULL for all
 *
 * Fields that the processor does not have are named in one line for each group.
 */
void vmcs_print(FILE *out, const struct vmcs *vmcs, const struct vmcs *before)
{
	int group, i;

	for (group = 0; group < NR_GROUPS; group++) {
		const char *sep = "  not on this processor: ";
		bool titled = false, missing = false;

		for (i = 0; i < VMCS_NR_FIELDS; i++) {
			if (fields[i].group != (enum group)group ||
			    !changed(vmcs, before, i))
				continue;
			if (!titled)
				fprintf(out, "%s\n", titles[group]);
			titled = true;
			if (vmcs->flags[i] & MINIVMM_FIELD_EXISTS)
				print_field(out, vmcs, before, i);
			else
				missing = true;
		}
		for (i = 0; missing && i < VMCS_NR_FIELDS; i++) {
			if (fields[i].group != (enum group)group ||
			    vmcs->flags[i] & MINIVMM_FIELD_EXISTS)
				continue;
			fprintf(out, "%s%s", sep, fields[i].words);
			sep = ", ";
		}
		if (missing)
			fputc('\n', out);
	}
}

static json_t *words_json(const struct vmcs *vmcs, int i)
{
	char *text = NULL, *line, *rest;
	json_t *array = json_array();
	size_t size;
	FILE *words = open_memstream(&text, &size);

	if (!words)
		return array;
	vmcs_words(words, vmcs, i);
	fclose(words);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(array, json_string(line));
	free(text);
	return array;
}

static json_t *value_json(__u64 value)
{
	char text[24];

	/* JSON's numbers are doubles for most readers. */
	snprintf(text, sizeof(text), "0x%llx", value);
	return json_string(text);
}

static json_t *field_json(const struct vmcs *vmcs, const struct vmcs *before, int i)
{
	bool exists = vmcs->flags[i] & MINIVMM_FIELD_EXISTS;
	bool hidden = vmcs->flags[i] & MINIVMM_FIELD_HIDDEN;
	json_t *field;

	field = json_pack("{s:s, s:s, s:s, s:i, s:i, s:b}", "name", fields[i].name,
			  "words", fields[i].words, "group", titles[fields[i].group],
			  "encoding", fields[i].encoding, "width", fields[i].width,
			  "exists", exists);
	if (exists && hidden)
		json_object_set_new(field, "hidden", json_true());
	if (!exists || hidden)
		return field;
	json_object_set_new(field, "value", value_json(vmcs->value[i]));
	if (before)
		json_object_set_new(field, "before", value_json(before->value[i]));
	json_object_set_new(field, "meaning", words_json(vmcs, i));
	return field;
}

/**
 * vmcs_json() - a VMCS as a JSON object
 * @vmcs: the VMCS
 * @before: only what differs from this one; NULL for all
 *
 * Return: {"exits", "fields": [{"name", "encoding", "value", "meaning", ...}]}.
 */
json_t *vmcs_json(const struct vmcs *vmcs, const struct vmcs *before)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < VMCS_NR_FIELDS; i++)
		if (changed(vmcs, before, i))
			json_array_append_new(list, field_json(vmcs, before, i));
	return json_pack("{s:I, s:o}", "exits", (json_int_t)vmcs->exits, "fields", list);
}
