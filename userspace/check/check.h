/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Can this machine run minivmm? Facts are gathered in facts.c; what they mean is
 * decided in verdict.c, which touches nothing but them.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <linux/minivmm.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../module/vmx/capability.h"
#include "../../module/vmx/control.h"

/* What could not be found out is neither. */
enum known { NO, YES, UNKNOWN };

/**
 * struct facts - what is known of the machine
 * @brand: the processor's name
 * @intel: its vendor is Intel, or a maker of the same VT-x
 * @vmx: CPUID has VMX
 * @vmx_flag: Linux shows the flag vmx, too
 * @hypervisor: whose virtual machine this is, "" for none
 * @fred: the kernel runs with FRED
 * @release: of the kernel
 * @has_kvm_intel: the kernel was built with KVM for Intel
 * @lends_vtx: it exports to others than KVM what a hypervisor needs
 * @headers: what modules are built against is there
 * @installed: minivmm.ko is where modprobe finds it
 * @loaded: minivmm is loaded
 * @kvm_loaded: kvm_intel is loaded
 * @kvm_users: who uses it
 * @kvm_keeps: KVM holds VT-x as long as kvm_intel is loaded
 * @other: another hypervisor's module that is loaded, "" for none
 * @secure_boot: the firmware checks signatures
 * @signed_only: the kernel loads only signed modules
 * @root: we run as root
 * @msrs_error: errno of reading the MSRs, 0 if they are known
 * @feat_ctl_known: @feat_ctl is known
 * @feat_ctl: IA32_FEAT_CTL
 * @capability: the MSRs; @capability.used if @loaded
 * @device: the device is there
 * @device_ours: we may open it
 * @device_group: its group
 * @device_mode: its permissions
 */
struct facts {
	char brand[64];
	bool intel;
	bool vmx;
	bool vmx_flag;
	char hypervisor[16];
	bool fred;
	char release[65];
	enum known has_kvm_intel;
	enum known lends_vtx;
	bool headers;
	bool installed;
	bool loaded;
	bool kvm_loaded;
	int kvm_users;
	bool kvm_keeps;
	char other[32];
	enum known secure_boot;
	bool signed_only;
	bool root;
	int msrs_error;
	bool feat_ctl_known;
	__u64 feat_ctl;
	struct minivmm_capability capability;
	bool device;
	bool device_ours;
	char device_group[32];
	unsigned int device_mode;
};

enum state { STATE_OK, STATE_WARN, STATE_UNKNOWN, STATE_FAIL };

#define VERDICTS_MAX	16

/**
 * struct verdict - one line of the answer
 * @id: for programs
 * @state: how it is
 * @text: what was found, and what to do about it
 */
struct verdict {
	const char *id;
	enum state state;
	char text[640];
};

void facts_gather(struct facts *facts);

size_t verdicts(const struct facts *facts, struct verdict list[VERDICTS_MAX]);
bool can_run(const struct verdict *list, size_t count);

/* tables.c */
const char *msr_name(unsigned int index);
const char *word_name(enum mvm_control_word word);
__u64 allowed_settings(const struct facts *facts, enum mvm_control_word word);
bool used_controls(const struct facts *facts, __u64 used[MVM_NR_CONTROL_WORDS]);
void negotiate(const struct facts *facts, struct mvm_vmx_capability *cap, int *error,
	       const char **missing, const char **reason);

#endif /* CHECK_CHECK_H */
