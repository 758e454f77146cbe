// SPDX-License-Identifier: GPL-2.0
/*
 * What the facts mean for who wants to run minivmm, and what to do about it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "check.h"

struct answer {
	struct verdict *list;
	size_t count;
};

__attribute__((format(printf, 4, 5)))
static void say(struct answer *answer, const char *id, enum state state, const char *fmt, ...)
{
	struct verdict *verdict = &answer->list[answer->count++];
	va_list args;

	verdict->id = id;
	verdict->state = state;
	va_start(args, fmt);
	vsnprintf(verdict->text, sizeof(verdict->text), fmt, args);
	va_end(args);
}

/* The module's own question, as far as we know what it will see. */
static void judge_platform(struct answer *answer, const struct facts *f)
{
	struct mvm_vmx_platform p = {
		.intel = f->intel, .vmx = f->vmx, .vmx_cleared = f->vmx && !f->vmx_flag,
		.kernel_has_kvm_intel = f->has_kvm_intel != NO,
		.kernel_lends_vtx = f->lends_vtx != NO,
		.fred = f->fred, .hypervisor = f->hypervisor[0],
		.feat_ctl = f->feat_ctl_known ? f->feat_ctl : 0,
	};
	const char *why;

	if (mvm_vmx_check_platform(&p, &why))
		say(answer, "vtx", STATE_FAIL, "%s: %s", f->brand, why);
	else if (f->feat_ctl_known)
		say(answer, "vtx", STATE_OK, "%s: VT-x is there, and not locked off", f->brand);
	else if (!f->vmx_flag)
		say(answer, "vtx", STATE_UNKNOWN,
		    "%s has VT-x, but Linux does not show it: locked off, or no CONFIG_KVM_INTEL; as root this program says which",
		    f->brand);
	else
		say(answer, "vtx", STATE_OK, "%s: VT-x is there, and Linux shows it", f->brand);
}

static void judge_msrs(struct answer *answer, const struct facts *f)
{
	const char *missing, *reason;
	struct mvm_vmx_capability cap;
	int error;

	if (f->msrs_error) {
		say(answer, "controls", STATE_UNKNOWN,
		    "what VT-x can do here is in MSRs that cannot be read (%s): %s",
		    strerror(f->msrs_error), f->root ? "modprobe msr, or load minivmm" :
		    "as root, with the module msr (sudo modprobe msr), or when minivmm is loaded");
		return;
	}
	negotiate(f, &cap, &error, &missing, &reason);
	if (error)
		say(answer, "controls", STATE_FAIL,
		    "the CPU lacks \"%s\", needed for this: %s. Use a newer CPU, or the lab (make lab)",
		    missing, reason);
	else
		say(answer, "controls", STATE_OK,
		    "EPT, unrestricted guest and all else that is needed are there%s",
		    cap.cpu2 & VMX_CPU2_VPID ? "; VPID, too" : "; VPID is not, which costs speed");
}

static void judge_hypervisor(struct answer *answer, const struct facts *f)
{
	if (f->hypervisor[0])
		say(answer, "hypervisor", STATE_WARN,
		    "this is a virtual machine itself (%s): VM exits are slow here, and MSRs may be missing",
		    f->hypervisor);
}

static void judge_owner(struct answer *answer, const struct facts *f)
{
	if (f->other[0])
		say(answer, "owner", STATE_WARN,
		    "module %s is loaded: while its machines run, VT-x is theirs", f->other);
	if (f->kvm_loaded && f->kvm_keeps)
		say(answer, "owner", STATE_FAIL,
		    "kvm_intel is loaded and keeps VT-x: sudo modprobe -r kvm_intel (or load kvm with enable_virt_at_load=0)");
	else if (f->kvm_loaded && f->kvm_users > 0)
		say(answer, "owner", STATE_FAIL,
		    "KVM's virtual machines have VT-x (kvm_intel is in use): end them, then minivmm can have it");
	else if (f->kvm_loaded)
		say(answer, "owner", STATE_OK,
		    "kvm_intel is loaded, and runs nothing: VT-x is free; the two take turns");
	else if (!f->other[0])
		say(answer, "owner", STATE_OK, "no other hypervisor is loaded");
}

static void judge_loading(struct answer *answer, const struct facts *f)
{
	if (f->loaded) {
		say(answer, "module", STATE_OK, "minivmm is loaded, on Linux %s", f->release);
		return;
	}
	if (f->signed_only)
		say(answer, "signature", STATE_FAIL,
		    "this kernel loads only modules with a signature it trusts%s: sign minivmm.ko with a key of yours (mokutil, kmodsign), or switch that off in the firmware",
		    f->secure_boot == YES ? " (Secure Boot)" : "");
	else if (f->secure_boot == YES)
		say(answer, "signature", STATE_WARN,
		    "Secure Boot is on, but this kernel loads modules without signature");
	if (f->installed)
		say(answer, "module", STATE_OK,
		    "minivmm is installed for Linux %s: sudo modprobe minivmm", f->release);
	else if (f->headers)
		say(answer, "module", STATE_OK,
		    "minivmm is not installed yet; it can be built for Linux %s: make HOST=1, sudo make install",
		    f->release);
	else
		say(answer, "module", STATE_FAIL,
		    "there is nothing to build a module against for Linux %s: sudo apt install linux-headers-%s",
		    f->release, f->release);
}

static void judge_device(struct answer *answer, const struct facts *f)
{
	if (!f->loaded)
		return;
	if (!f->device)
		say(answer, "device", STATE_FAIL, "/dev/minivmm is not there: is udev running?");
	else if (f->device_ours)
		say(answer, "device", STATE_OK, "/dev/minivmm can be opened (group %s, mode %04o)",
		    f->device_group, f->device_mode);
	else if (f->device_mode & 060 && strcmp(f->device_group, "root"))
		say(answer, "device", STATE_FAIL,
		    "/dev/minivmm is for group %s: sudo usermod -aG %s $USER, then log in again",
		    f->device_group, f->device_group);
	else
		say(answer, "device", STATE_FAIL,
		    "/dev/minivmm is root's alone (mode %04o): be root, or install the udev rule (sudo make install)",
		    f->device_mode);
}

/**
 * verdicts() - the answer, line by line
 * @facts: what is known
 * @list: filled
 *
 * Return: how many lines.
 */
size_t verdicts(const struct facts *facts, struct verdict list[VERDICTS_MAX])
{
	struct answer answer = { .list = list };

	judge_platform(&answer, facts);
	/* Nothing else is worth a word then. */
	if (!facts->intel || !facts->vmx)
		return answer.count;
	judge_msrs(&answer, facts);
	judge_hypervisor(&answer, facts);
	if (facts->lends_vtx == UNKNOWN && !facts->loaded)
		say(&answer, "kernel", STATE_UNKNOWN,
		    "whether Linux %s lends VT-x to others than KVM is in its headers, which are not there; 6.1 and 6.12 do",
		    facts->release);
	judge_owner(&answer, facts);
	judge_loading(&answer, facts);
	judge_device(&answer, facts);
	return answer.count;
}

/**
 * can_run() - does anything stand in the way?
 * @list: the answer
 * @count: its lines
 *
 * Return: true if nothing that is known does.
 */
bool can_run(const struct verdict *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i].state == STATE_FAIL)
			return false;
	return true;
}
