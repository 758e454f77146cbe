/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt controllers in the kernel (KVM_CREATE_IRQCHIP), for the rest of the
 * module. A VM without them has none of this: mvm_vcpu::apic is NULL.
 */
#ifndef MVM_IRQCHIP_H
#define MVM_IRQCHIP_H

#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "../bus.h"
#include "ioapic.h"
#include "lapic.h"
#include "pic.h"
#include "route.h"

struct mvm_vcpu;
struct mvm_vm;

/*
 * Bits of mvm_vcpu::events: what others have for a vCPU. Only mvm_apic_post()
 * sets them; only the vCPU, under its mutex, clears them.
 */
#define MVM_EVENT_INTERRUPT	BIT(0)	/* for the local APIC's IRR, or of the PIC */
#define MVM_EVENT_NMI		BIT(1)
#define MVM_EVENT_INIT		BIT(2)
#define MVM_EVENT_SIPI		BIT(3)
#define MVM_EVENT_TIMER		BIT(4)	/* the local APIC's timer has come to 0 */
#define MVM_EVENT_CLOCK		BIT(5)	/* kvmclock has changed; also without a local APIC */

/**
 * struct mvm_apic - what a vCPU has with interrupt controllers in the kernel
 * @vcpu: the vCPU
 * @wait: where the vCPU sleeps in HLT, or until it is started
 * @sipi_vector: of the SIPI that was sent last
 * @lapic: the registers; the vCPU's, see there
 * @timer: runs until the timer of @lapic comes to 0
 * @extint: vector of the interrupt of user space's PIC, or -1
 * @eoi_vector: what user space's I/O APIC is to see; valid with MVM_PENDING_EOI
 * @period: of @timer in ns, or 0 if it runs once; constant while it runs
 */
struct mvm_apic {
	struct mvm_vcpu *vcpu;
	wait_queue_head_t wait;
	u8 sipi_vector;
	u8 eoi_vector;
	s16 extint;
	struct mvm_lapic lapic;
	struct hrtimer timer;
	u64 period;
};

/**
 * struct mvm_irqchip - the controllers that a VM has one of
 * @vm: the VM
 * @lock: for all that follows but the devices; see the top of irq.c
 * @pic: the 8259As
 * @ioapic: the I/O APIC
 * @pic_sources: who holds each line of @pic up: a bit for each enum mvm_irq_source
 * @ioapic_sources: the same for @ioapic
 * @pic_ports: master, slave and ELCR
 * @ioapic_page: where guests see @ioapic
 */
struct mvm_irqchip {
	struct mvm_vm *vm;
	spinlock_t lock;	/* see above */
	struct mvm_pic pic;
	struct mvm_ioapic ioapic;
	u8 pic_sources[MVM_PIC_NR_LINES];
	u8 ioapic_sources[MVM_IOAPIC_NR_PINS];
	struct mvm_bus_device pic_ports[3];
	struct mvm_bus_device ioapic_page;
};

/**
 * struct mvm_irqfds - the eventfds that raise interrupts
 * @lock: for the lists, taken with an eventfd's own lock held
 * @all: those of KVM_IRQFD
 * @resample: of these, those that want to know of EOIs; read under RCU
 */
struct mvm_irqfds {
	spinlock_t lock;	/* see above */
	struct list_head all;
	struct list_head resample;
};

/*
 * Who holds an interrupt line: as KVM's source IDs. A line is up while any source
 * holds it up.
 */
enum mvm_irq_source {
	MVM_IRQ_USER,		/* KVM_IRQ_LINE, KVM_IRQFD */
	MVM_IRQ_RESAMPLE,	/* KVM_IRQFD that is told of the guest's EOI */
	MVM_IRQ_PIT,
};

/**
 * struct mvm_irq_ack - somebody who wants to know of a GSI's EOI
 * @link: in the VM's list
 * @gsi: the GSI
 * @acked: the guest has ended an interrupt of it: by EOI at the PIC, or at a local
 *	APIC if the I/O APIC had sent it. No lock of the controllers is held;
 *	must not sleep
 * @unmasked: the guest has unmasked a pin of it; as @acked
 */
struct mvm_irq_ack {
	struct hlist_node link;
	u32 gsi;
	void (*acked)(struct mvm_irq_ack *ack);
	void (*unmasked)(struct mvm_irq_ack *ack);
};

/* irq.c */
int mvm_irqchip_line(struct mvm_vm *vm, struct kvm_irq_level __user *user, bool status);
struct mvm_irqchip *mvm_irq_create_chips(struct mvm_vm *vm);
void mvm_irq_unlock(struct mvm_irqchip *chips, unsigned long flags)
__releases(&chips->lock);
void mvm_irq_eoi(struct mvm_vcpu *vcpu, u8 vector, bool level);
void mvm_irq_eoi_vectors(struct mvm_vm *vm, u64 vectors[4]);
bool mvm_irq_takes_extint(struct mvm_vcpu *vcpu);
bool mvm_irq_extint_waits(struct mvm_vcpu *vcpu);
u8 mvm_irq_take_extint(struct mvm_vcpu *vcpu);
int mvm_irq_set(struct mvm_vm *vm, u32 source, u32 gsi, bool level);
void mvm_irq_add_ack(struct mvm_vm *vm, struct mvm_irq_ack *ack);

/* apic.c */
void mvm_apic_init(struct mvm_apic *apic);
void mvm_apic_reset(struct mvm_vcpu *vcpu);
void mvm_apic_set_base(struct mvm_vcpu *vcpu, u64 base);
void mvm_apic_set_deadline(struct mvm_vcpu *vcpu, u64 deadline);
u64 mvm_apic_get_deadline(const struct mvm_vcpu *vcpu);
void mvm_apic_tsc_changed(struct mvm_vcpu *vcpu);
void mvm_apic_timer_expired(struct mvm_vcpu *vcpu);
u64 mvm_apic_get_cr8(struct mvm_vcpu *vcpu);
void mvm_apic_set_cr8(struct mvm_vcpu *vcpu, u64 cr8);
bool mvm_apic_mmio(struct mvm_vcpu *vcpu, u64 gpa, void *data, u32 len, bool write);
int mvm_apic_get_msr(struct mvm_vcpu *vcpu, u32 index, u64 *value);
int mvm_apic_set_msr(struct mvm_vcpu *vcpu, u32 index, u64 value);
void mvm_apic_eoi_done(struct mvm_vcpu *vcpu, u8 vector);
void mvm_apic_write_done(struct mvm_vcpu *vcpu, u32 reg);
int mvm_apic_get_state(struct mvm_vcpu *vcpu, void __user *user);
int mvm_apic_set_state(struct mvm_vcpu *vcpu, const void __user *user);
int mvm_irqchip_send(struct mvm_vm *vm, struct mvm_vcpu *source, struct mvm_lapic_irq *irq);
int mvm_irqchip_msi(struct mvm_vm *vm, const void __user *user);

/* irqchip.c */
int mvm_irqchip_create(struct mvm_vm *vm);
int mvm_irqchip_split(struct mvm_vm *vm, u64 pins);
void mvm_irqchip_destroy(struct mvm_vm *vm);
int mvm_irqchip_get_state(struct mvm_vm *vm, struct kvm_irqchip __user *user);
int mvm_irqchip_set_state(struct mvm_vm *vm, const struct kvm_irqchip __user *user);
int mvm_irqchip_set_routes(struct mvm_vm *vm, const struct kvm_irq_routing __user *user);

/* irqfd.c */
int mvm_irqfd_init(void);
void mvm_irqfd_exit(void);
void mvm_irqfd_init_vm(struct mvm_vm *vm);
void mvm_irqfd_release(struct mvm_vm *vm);
int mvm_irqfd(struct mvm_vm *vm, const struct kvm_irqfd *args);
void mvm_irqfd_acked(struct mvm_vm *vm, u32 gsi);

/* pit_device.c */
int mvm_pit_create(struct mvm_vm *vm, u32 flags);
void mvm_pit_destroy(struct mvm_vm *vm);
int mvm_pit_get(struct mvm_vm *vm, void __user *user, size_t size);
int mvm_pit_set(struct mvm_vm *vm, const void __user *user, size_t size);
int mvm_pit_set_reinject(struct mvm_vm *vm, const struct kvm_reinject_control __user *user);

/* mp.c */
int mvm_apic_create(struct mvm_vcpu *vcpu);
void mvm_apic_destroy(struct mvm_vcpu *vcpu);
void mvm_apic_post(struct mvm_vcpu *vcpu, u32 events);
int mvm_apic_work(struct mvm_vcpu *vcpu);
void mvm_apic_take(struct mvm_vcpu *vcpu, u32 events);
void mvm_apic_halt(struct mvm_vcpu *vcpu);
u32 mvm_get_mp_state(struct mvm_vcpu *vcpu);
int mvm_set_mp_state(struct mvm_vcpu *vcpu, u32 state);

#endif
