// SPDX-License-Identifier: GPL-2.0
/*
 * Page-modification logging: before a guest's first write to a page that is clean
 * in the EPT the CPU writes the page's address into a log of the vCPU, from its
 * last entry on downwards. SDM Vol. 3, "Page-Modification Logging" (2024: 29.3.6).
 *
 * Every vCPU has a log, since it costs nothing while no entry of the EPT is clean,
 * which is so while no slot has a dirty log. memory/dirty.c has the protocol. Here
 * is what makes it work across CPUs:
 *
 * A log is emptied on the CPU where the vCPU is loaded, for its index is in the
 * VMCS; and with the memory's lock held, by that CPU or by the one that waits for
 * it to answer an interrupt. So no two do it at once, the interrupt does not come
 * in the middle of it, and slots stay as they are.
 */
#include <linux/cpumask.h>
#include <linux/smp.h>
#include <linux/xarray.h>

#include "../mvm.h"
#include "../trace.h"
#include "guest.h"
#include "operation.h"
#include "vmcs.h"
#include "vmx.h"

static void empty(struct mvm_vcpu *vcpu)
{
	/* The entry that is next; below 0, which is 0xffff, when all are full */
	u16 index = vmcs_read16(VMCS_GUEST_PML_INDEX);
	unsigned int i;

	if (index == MVM_LOG_ENTRIES - 1)
		return;
	/* Bochs 2.7 logs addresses in pages, where the SDM says that of the page. */
	for (i = (u16)(index + 1); i < MVM_LOG_ENTRIES; i++)
		mvm_memory_logged(&vcpu->vm->memory, vcpu->vmx.log[i]);
	vmcs_write16(VMCS_GUEST_PML_INDEX, MVM_LOG_ENTRIES - 1);
}

/**
 * mvm_vmx_empty_log() - what a vCPU has dirtied gets into the slots' dirty logs
 * @vcpu: loaded; the CPU logs
 *
 * Takes the memory's lock. Interrupts are on.
 */
void mvm_vmx_empty_log(struct mvm_vcpu *vcpu)
{
	struct mvm_memory *memory = &vcpu->vm->memory;

	if (vmcs_read16(VMCS_GUEST_PML_INDEX) == MVM_LOG_ENTRIES - 1)
		return;
	spin_lock(&memory->lock);
	empty(vcpu);
	spin_unlock(&memory->lock);
}

/* A guest that ran here has exited for this interrupt, and its log is in memory. */
static void empty_here(void *arg)
{
	int cpu = smp_processor_id();
	struct mvm_vm *vm = arg;
	struct mvm_vcpu *vcpu;
	unsigned long id;

	xa_for_each(&vm->vcpus, id, vcpu)
		if (READ_ONCE(vcpu->vmx.loaded) && READ_ONCE(vcpu->vmx.cpu) == cpu)
			empty(vcpu);
}

/**
 * mvm_vmx_collect_logs() - empty the logs of all of a VM's vCPUs
 * @memory: the VM's memory, its lock held; the CPU logs
 *
 * vCPUs that are not loaded have emptied theirs. One that is loaded while this
 * runs writes at the same time, which the caller need not know of. Interrupts
 * are on.
 */
void mvm_vmx_collect_logs(struct mvm_memory *memory)
{
	struct mvm_vm *vm = container_of(memory, struct mvm_vm, memory);
	struct mvm_vcpu *vcpu;
	unsigned long id;

	xa_for_each(&vm->vcpus, id, vcpu) {
		if (!READ_ONCE(vcpu->vmx.loaded))
			continue;
		on_each_cpu_mask(vm->ept_cpus, empty_here, vm, 1);
		return;
	}
}

/* SDM Vol. 3, "Page-Modification Log-Full Event": the access was not made. */
int mvm_handle_pml_full(struct mvm_vcpu *vcpu)
{
	trace_minivmm_pml_full(vcpu);
	/* As in mvm_handle_ept_violation() */
	if (vmcs_readl(VMCS_EXIT_QUALIFICATION) & VMX_EPT_QUAL_NMI_UNBLOCKING &&
	    !vcpu->vmx.delivering)
		vmcs_set32(VMCS_GUEST_INTERRUPTIBILITY, VMX_BLOCKING_NMI);
	mvm_vmx_empty_log(vcpu);
	return MVM_RESUME;
}
