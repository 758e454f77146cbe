/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of VM exits that user space reads: MINIVMM_TRACE.
 */
#ifndef MVM_VMX_RECORD_H
#define MVM_VMX_RECORD_H

#include <linux/types.h>

struct mvm_vcpu;
struct page;

int mvm_vmx_record(struct mvm_vcpu *vcpu, unsigned long nr);
void mvm_vmx_record_exit(struct mvm_vcpu *vcpu);
void mvm_vmx_record_user(struct mvm_vcpu *vcpu, int ret);
void mvm_vmx_record_entry(struct mvm_vcpu *vcpu);
struct page *mvm_vmx_record_page(struct mvm_vcpu *vcpu, unsigned long page);
void mvm_vmx_record_free(struct mvm_vcpu *vcpu);

#endif
