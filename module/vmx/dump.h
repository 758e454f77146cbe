/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looking into a VMCS: all its fields, and why it failed.
 */
#ifndef MVM_VMX_DUMP_H
#define MVM_VMX_DUMP_H

#include <linux/types.h>

#include "../../uapi/linux/minivmm.h"
#include "check.h"
#include "vmcs.h"

struct mvm_vcpu;

/**
 * struct mvm_vmx_stop - where a vCPU stops, and what was found there
 * @at: where
 * @exits: at which VM exit it stopped; 0: not yet
 * @image: the fields then
 */
struct mvm_vmx_stop {
	struct minivmm_stop at;
	u64 exits;
	struct mvm_vmcs_image image;
};

/* Broken rules that are kept; one mistake seldom breaks more. */
#define MVM_MAX_FINDINGS	24

/**
 * struct mvm_vmx_explanation - why the last VM entry that failed did so
 * @reason: as user space was told it
 * @nr: of @finding
 * @finding: the rules that are broken
 * @writer: who wrote the fields
 */
struct mvm_vmx_explanation {
	u64 reason;
	u32 nr;
	struct mvm_check_finding finding[MVM_MAX_FINDINGS];
	struct mvm_writer writer[MVM_MAX_FINDINGS];
};

void mvm_vmx_probe_fields(struct mvm_vmcs *scratch, struct mvm_vmcs *current_vmcs);
bool mvm_vmx_fields_probed(void);
void mvm_vmx_read_image(struct mvm_vmcs_image *image);
bool mvm_vmx_field_secret(u32 encoding);
void mvm_vmx_show_image(const struct mvm_vmcs_image *image, struct minivmm_vmcs_field *field);
int mvm_vmx_look(struct mvm_vcpu *vcpu, struct mvm_vmcs_image *image);
int mvm_vmx_stop_at(struct mvm_vcpu *vcpu, const struct minivmm_stop *stop);
void mvm_vmx_observe_exit(struct mvm_vcpu *vcpu);

/* explain.c */
void mvm_vmx_show_finding(const struct mvm_vmx_explanation *x, u32 i, bool trusted,
			  struct minivmm_finding *user);

#endif
