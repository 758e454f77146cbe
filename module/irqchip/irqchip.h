/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt controllers in the kernel (KVM_CREATE_IRQCHIP), for the rest of the
 * module. A VM without them has none of this: mvm_vcpu::apic is NULL.
 */
#ifndef MVM_IRQCHIP_H
#define MVM_IRQCHIP_H

#include <linux/kvm.h>
#include <linux/types.h>
#include <linux/wait.h>

struct mvm_vcpu;
struct mvm_vm;

/*
 * Bits of mvm_vcpu::events: what others have for a vCPU. Only mvm_apic_post()
 * sets them; only the vCPU, under its mutex, clears them.
 */
#define MVM_EVENT_INTERRUPT	BIT(0)	/* look at the local APIC's IRR */
#define MVM_EVENT_NMI		BIT(1)
#define MVM_EVENT_INIT		BIT(2)
#define MVM_EVENT_SIPI		BIT(3)

/**
 * struct mvm_apic - what a vCPU has with interrupt controllers in the kernel
 * @vcpu: the vCPU
 * @wait: where the vCPU sleeps in HLT, or until it is started
 * @sipi_vector: of the SIPI that was sent last
 */
struct mvm_apic {
	struct mvm_vcpu *vcpu;
	wait_queue_head_t wait;
	u8 sipi_vector;
};

/* mp.c */
int mvm_irqchip_create(struct mvm_vm *vm);
int mvm_apic_create(struct mvm_vcpu *vcpu);
void mvm_apic_destroy(struct mvm_vcpu *vcpu);
void mvm_apic_post(struct mvm_vcpu *vcpu, u32 events);
int mvm_apic_work(struct mvm_vcpu *vcpu);
void mvm_apic_take_nmi(struct mvm_vcpu *vcpu);
void mvm_apic_halt(struct mvm_vcpu *vcpu);
u32 mvm_get_mp_state(struct mvm_vcpu *vcpu);
int mvm_set_mp_state(struct mvm_vcpu *vcpu, u32 state);

#endif
