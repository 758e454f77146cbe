// SPDX-License-Identifier: GPL-2.0
/*
 * All fields of a vCPU's VMCS: as they are now, whatever the vCPU is doing, or
 * as a VM exit left them.
 */
#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "../mvm.h"
#include "dump.h"
#include "operation.h"
#include "record.h"
#include "vmcs.h"
#include "vmx.h"

#define FIELD_ENCODING(name, encoding, width, section, words)	encoding,
static const u16 encodings[VMCS_NR_FIELDS] = {
	VMCS_FIELDS(FIELD_ENCODING)
};

static bool exists[VMCS_NR_FIELDS];
static bool probed;

/**
 * mvm_vmx_probe_fields() - which fields do the CPUs have?
 * @scratch: a VMCS that is nobody's, used only for this
 * @current_vmcs: the one to be current afterwards
 *
 * A VMREAD of a field that does not exist leaves its error number in the VMCS
 * (SDM Vol. 3, "VM Instruction Error Numbers"), so whoever reads all fields of
 * one in use has to know before.
 *
 * Context: a vCPU is attached.
 */
void mvm_vmx_probe_fields(struct mvm_vmcs *scratch, struct mvm_vmcs *current_vmcs)
{
	unsigned int i;

	if (mvm_vmcs_clear(scratch) || mvm_vmcs_make_current(scratch))
		return;
	for (i = 0; i < VMCS_NR_FIELDS; i++) {
		unsigned long value;
		bool failed;

		asm volatile("vmread %[field], %[value]"
			     : [value] "=r" (value), "=@ccbe" (failed)
			     : [field] "r" ((unsigned long)encodings[i]));
		exists[i] = !failed;
	}
	WRITE_ONCE(probed, true);
	mvm_vmcs_clear(scratch);
	mvm_vmcs_make_current(current_vmcs);
}

/**
 * mvm_vmx_fields_probed() - is mvm_vmx_probe_fields() done?
 *
 * Return: true if so.
 */
bool mvm_vmx_fields_probed(void)
{
	return READ_ONCE(probed);
}

/**
 * mvm_vmx_read_image() - all fields of the current VMCS
 * @image: filled
 */
void mvm_vmx_read_image(struct mvm_vmcs_image *image)
{
	unsigned int i;

	for (i = 0; i < VMCS_NR_FIELDS; i++)
		image->value[i] = exists[i] ? mvm_vmread(encodings[i]) : 0;
}

/**
 * mvm_vmx_field_secret() - does a field tell where the host keeps its things?
 * @encoding: the field
 *
 * The user of a VM is not trusted with the host's addresses, which KASLR hides.
 *
 * Return: true if it does.
 */
bool mvm_vmx_field_secret(u32 encoding)
{
	switch (encoding) {
	case VMCS_IO_BITMAP_A ... VMCS_PML_ADDRESS:
	case VMCS_VIRTUAL_APIC_ADDRESS ... VMCS_POSTED_INTERRUPT_DESCRIPTOR:
	case VMCS_EPTP:
	case VMCS_EPTP_LIST_ADDRESS ... VMCS_VIRTUALIZATION_EXCEPTION_ADDRESS:
	case VMCS_SUB_PAGE_PERMISSION_TABLE:
	case VMCS_HLAT_POINTER:
	case VMCS_PID_POINTER_TABLE:
	case VMCS_HOST_CR3:
	case VMCS_HOST_FS_BASE ... VMCS_HOST_RIP:
	case VMCS_HOST_SSP:
	case VMCS_HOST_SSP_TABLE:
		return true;
	}
	return false;
}

/**
 * mvm_vmx_show_image() - an image, as user space gets it
 * @image: the image
 * @field: filled, VMCS_NR_FIELDS of them
 */
void mvm_vmx_show_image(const struct mvm_vmcs_image *image, struct minivmm_vmcs_field *field)
{
	bool trusted = capable(CAP_SYS_ADMIN);
	unsigned int i;

	for (i = 0; i < VMCS_NR_FIELDS; i++) {
		field[i] = (struct minivmm_vmcs_field) { .encoding = encodings[i] };
		if (!exists[i])
			continue;
		field[i].flags = MINIVMM_FIELD_EXISTS;
		if (!trusted && mvm_vmx_field_secret(encodings[i]))
			field[i].flags |= MINIVMM_FIELD_HIDDEN;
		else
			field[i].value = image->value[i];
	}
}

struct look {
	struct mvm_vcpu *vcpu;
	struct mvm_vmcs_image *image;
	bool done;
};

/*
 * In an interrupt, which may have come between any two instructions of whoever
 * has another VMCS current, or this one: the processor alone knows which.
 */
static void look_here(void *arg)
{
	struct look *look = arg;
	u64 before;

	if (look->vcpu->vmx.cpu != smp_processor_id() || !this_cpu_read(mvm_cpu.on))
		return;
	asm volatile("vmptrst %[before]" : [before] "=m" (before) : : "cc");
	if (mvm_vmcs_make_current(look->vcpu->vmx.vmcs))
		return;
	mvm_vmx_read_image(look->image);
	look->done = true;
	if (before != VMCS_NONE)
		mvm_vmcs_make_current_at(before);
}

/**
 * mvm_vmx_look() - all fields of a vCPU's VMCS, as they are now
 * @vcpu: the vCPU; it may run
 * @image: filled
 *
 * The VMCS is read on the CPU where it is active, in an interrupt: a guest that
 * runs there exits for it. If it is active nowhere, it is made active here.
 * May sleep.
 *
 * Return: 0; -EINTR if a signal came first.
 */
int mvm_vmx_look(struct mvm_vcpu *vcpu, struct mvm_vmcs_image *image)
{
	struct look look = { .vcpu = vcpu, .image = image };
	int cpu;

	for (;;) {
		cpu = READ_ONCE(vcpu->vmx.cpu);
		if (cpu >= 0)
			smp_call_function_single(cpu, look_here, &look, 1);
		if (look.done)
			return 0;
		if (cpu < 0 && mutex_trylock(&vcpu->mutex)) {
			mvm_vmx_attach(vcpu);
			mvm_vmx_read_image(image);
			mvm_vmx_detach(vcpu);
			mutex_unlock(&vcpu->mutex);
			return 0;
		}
		/* It is on its way to another CPU. */
		if (msleep_interruptible(1))
			return -EINTR;
	}
}

/**
 * mvm_vmx_stop_at() - MINIVMM_STOP_AT
 * @vcpu: the vCPU, its mutex held
 * @stop: where, checked; @stop->exit is 0 for nowhere
 *
 * Return: 0 or -ENOMEM.
 */
int mvm_vmx_stop_at(struct mvm_vcpu *vcpu, const struct minivmm_stop *stop)
{
	struct mvm_vmx_stop *s = vcpu->vmx.stop;

	if (!s) {
		s = kvzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
		if (!s)
			return -ENOMEM;
		vcpu->vmx.stop = s;
	}
	vcpu->pending &= ~MVM_PENDING_STOP;
	vcpu->observe &= ~MVM_OBSERVE_STOP;
	s->exits = 0;
	s->at = *stop;
	if (stop->exit)
		vcpu->observe |= MVM_OBSERVE_STOP;
	return 0;
}

/**
 * mvm_vmx_observe_exit() - somebody wants to know of VM exits
 * @vcpu: loaded, right after a VM exit, interrupts off; &mvm_vcpu.observe is not 0
 */
void mvm_vmx_observe_exit(struct mvm_vcpu *vcpu)
{
	struct mvm_vmx_stop *s = vcpu->vmx.stop;
	u32 reason = vcpu->vmx.reason & VMX_REASON_BASIC;

	if (vcpu->observe & MVM_OBSERVE_TRACE)
		mvm_vmx_record_exit(vcpu);
	if (!(vcpu->observe & MVM_OBSERVE_STOP) || vcpu->nr_exits < s->at.exit ||
	    (s->at.reason != MINIVMM_ANY_REASON && s->at.reason != reason))
		return;
	mvm_vmx_read_image(&s->image);
	s->exits = vcpu->nr_exits;
	vcpu->observe &= ~MVM_OBSERVE_STOP;
	vcpu->pending |= MVM_PENDING_STOP;
}
