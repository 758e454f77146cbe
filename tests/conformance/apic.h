/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What irqchip.c and ipi.c share: one VM after KVM_CREATE_IRQCHIP with two vCPUs,
 * and 32-bit guests that use the local APIC.
 */
#ifndef APIC_H
#define APIC_H

#include "vm.h"

extern struct vm vm;
extern struct vcpu cpu, second;
/* By how much this machine is slower than the lab usually is */
extern int patience;

/** apic_init() - the watchdog and the timer; to be called first. */
void apic_init(void);

/** apic_vcpus() - make the vCPUs, in a VM with KVM_CREATE_IRQCHIP. */
void apic_vcpus(void);

/* A call, and errno_text() of what came of it */
const char *on_vm(unsigned long cmd, unsigned long arg);
const char *on_cpu(struct vcpu *c, unsigned long cmd, const void *arg);

u32 mp_state(struct vcpu *c);
const char *set_mp_state(struct vcpu *c, u32 state);

/** run_for() - KVM_RUN, with signals from @ms on. */
const char *run_for(struct vcpu *c, int ms);

/* The local APIC's registers, as KVM_GET_LAPIC has them */
u32 lapic(struct vcpu *c, u32 reg);
void set_lapic(struct vcpu *c, u32 reg, u32 value);

/** module_parameter() - of minivmm, its first character; 0 if it is not loaded. */
char module_parameter(const char *name);
/** vm_parameter() - the same if the device is minivmm's; 0 for KVM's. */
char vm_parameter(const char *name);

/* How a guest begins: ESI is where its APIC is. */
#define APIC		"mov $0xfee00000, %esi\n"

/**
 * apic_guest() - put a 32-bit guest into the vCPU: its APIC switched on, nothing
 * pending, and handlers of 31h, 51h and 52h that tell their vectors on port 25h.
 */
void apic_guest(struct vcpu *c, const char *code, const char *end);
#define guest_apic(c, name)	apic_guest(c, name, name##_end)

#endif /* APIC_H */
