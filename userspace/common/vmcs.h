/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fields of a VMCS, as MINIVMM_GET_VMCS gives them, for people and programs.
 */
#ifndef COMMON_VMCS_H
#define COMMON_VMCS_H

#include <jansson.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include "../../module/vmx/field.h"

/* A dense number for each field, in the order of the table */
#define VMCS_FIELD_INDEX(name, encoding, width, section, words)	\
	VMCS_INDEX_##name,
enum vmcs_index {
	VMCS_FIELDS(VMCS_FIELD_INDEX)
	VMCS_NR_FIELDS
};

/**
 * struct vmcs - the contents of a VMCS
 * @exits: how many VM exits the vCPU had when it was read
 * @flags: MINIVMM_FIELD_* by enum vmcs_index
 * @value: the values; 0 for what does not exist or is hidden
 */
struct vmcs {
	__u64 exits;
	__u32 flags[VMCS_NR_FIELDS];
	__u64 value[VMCS_NR_FIELDS];
};

int vmcs_read(int vcpu, __u32 flags, struct vmcs *vmcs);
void vmcs_print(FILE *out, const struct vmcs *vmcs, const struct vmcs *before);
void vmcs_print_words(FILE *out, __u32 encoding, __u64 value);
json_t *vmcs_json(const struct vmcs *vmcs, const struct vmcs *before);

/* vmcs_words.c */
void vmcs_words(FILE *out, const struct vmcs *vmcs, enum vmcs_index index);
const char *vmcs_reason_name(__u32 reason);
int vmcs_reason_number(const char *name);

#endif /* COMMON_VMCS_H */
