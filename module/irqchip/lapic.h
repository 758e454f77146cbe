/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registers of a local APIC, and what reading and writing them does: plain
 * C over a plain struct. SDM Vol. 3, "Advanced Programmable Interrupt Controller
 * (APIC)" (2024: chapter 11).
 *
 * One vCPU owns the struct, and calls most of this. Others, which send it
 * interrupts, only call mvm_lapic_matches(), mvm_lapic_accepts() and
 * mvm_lapic_request(): these read single words, and set bits of TMR and
 * mvm_lapic::requested by atomic instructions. IRR and ISR are the processor's
 * while the guest runs (SDM Vol. 3, "Software Access to Related Structures"); so
 * the owner moves what was requested there.
 */
#ifndef MVM_LAPIC_H
#define MVM_LAPIC_H

#include <linux/bits.h>
#include <linux/types.h>

/* Registers by their offset in the page; in x2APIC mode MSR 800H + offset / 16 */
#define MVM_APIC_ID		0x020
#define MVM_APIC_VERSION	0x030
#define MVM_APIC_TPR		0x080
#define MVM_APIC_APR		0x090
#define MVM_APIC_PPR		0x0a0
#define MVM_APIC_EOI		0x0b0
#define MVM_APIC_LDR		0x0d0
#define MVM_APIC_DFR		0x0e0
#define MVM_APIC_SVR		0x0f0
#define MVM_APIC_ISR		0x100
#define MVM_APIC_TMR		0x180
#define MVM_APIC_IRR		0x200
#define MVM_APIC_ESR		0x280
#define MVM_APIC_ICR		0x300
#define MVM_APIC_ICR2		0x310
#define MVM_APIC_LVT_TIMER	0x320
#define MVM_APIC_LVT_THERMAL	0x330
#define MVM_APIC_LVT_PERF	0x340
#define MVM_APIC_LVT_LINT0	0x350
#define MVM_APIC_LVT_LINT1	0x360
#define MVM_APIC_LVT_ERROR	0x370
#define MVM_APIC_TIMER_INITIAL	0x380
#define MVM_APIC_TIMER_CURRENT	0x390
#define MVM_APIC_TIMER_DIVIDE	0x3e0
#define MVM_APIC_SELF_IPI	0x3f0

#define MVM_APIC_SVR_ENABLED	BIT(8)
#define MVM_APIC_LVT_MASKED	BIT(16)
#define MVM_APIC_LVT_PERIODIC	BIT(17)
#define MVM_APIC_LVT_DEADLINE	BIT(18)

/* IA32_APIC_BASE */
#define MVM_APIC_BASE_BSP	BIT_ULL(8)
#define MVM_APIC_BASE_X2APIC	BIT_ULL(10)
#define MVM_APIC_BASE_ENABLED	BIT_ULL(11)

/* SDM Vol. 3, "Interrupt Command Register (ICR)": delivery modes, as in ICR */
#define MVM_APIC_FIXED		0x000
#define MVM_APIC_LOWEST		0x100
#define MVM_APIC_SMI		0x200
#define MVM_APIC_NMI		0x400
#define MVM_APIC_INIT		0x500
#define MVM_APIC_SIPI		0x600
#define MVM_APIC_EXTINT		0x700

/* What the registers take of their page; KVM_GET_LAPIC and KVM_SET_LAPIC have it so, too. */
#define MVM_LAPIC_STATE_SIZE	1024

/* What mvm_lapic_write() wants done */
#define MVM_LAPIC_LOOK		BIT(0)	/* another interrupt may go in now */
#define MVM_LAPIC_TIMER		BIT(1)	/* mvm_lapic::timer_target has changed */
#define MVM_LAPIC_SEND		BIT(2)	/* @irq is to be sent */
#define MVM_LAPIC_EOI		BIT(3)	/* @irq's vector has ended; its level is TMR's */

/**
 * struct mvm_lapic_irq - an interrupt message
 * @dest: where to, as the mode of the sender has it
 * @vector: its vector
 * @mode: MVM_APIC_FIXED and so on
 * @logical: @dest is logical
 * @level: level-triggered
 * @assert: not the deassertion of a level
 * @lowest: one of those that match takes it
 * @shorthand: see enum mvm_lapic_shorthand
 */
struct mvm_lapic_irq {
	u32 dest;
	u8 vector;
	u16 mode;
	bool logical;
	bool level;
	bool assert;
	bool lowest;
	u8 shorthand;
};

/* As in ICR */
enum mvm_lapic_shorthand {
	MVM_APIC_NO_SHORTHAND, MVM_APIC_SELF, MVM_APIC_ALL, MVM_APIC_OTHERS,
};

/**
 * struct mvm_lapic - a local APIC
 * @regs: a page, laid out as a guest sees it: each register has 16 bytes, of
 *	which it uses four. IRR, ISR and TMR are eight registers each. It can be the
 *	processor's virtual-APIC page: then the guest changes TPR by itself
 * @base: IA32_APIC_BASE
 * @id: of the vCPU: the x2APIC ID
 * @requested: vectors on their way to IRR
 * @has_deadline: the timer has TSC-deadline mode
 * @deadline: IA32_TSC_DEADLINE: the TSC when the timer is to expire; 0 if never
 * @timer_period: ns from the initial count to 0; 0 if the timer does not count
 * @timer_target: when it is 0, or its deadline reached, next, in ns; 0 if never
 */
struct mvm_lapic {
	u32 *regs;
	u64 base;
	u32 id;
	unsigned long requested[256 / BITS_PER_LONG];
	bool has_deadline;
	u64 deadline;
	u64 timer_period;
	u64 timer_target;
};

void mvm_lapic_reset(struct mvm_lapic *l);
void mvm_lapic_set_base(struct mvm_lapic *l, u64 base);
bool mvm_lapic_base_change_valid(u64 old, u64 base);

int mvm_lapic_read(const struct mvm_lapic *l, u32 reg, u64 now, u32 *value);
int mvm_lapic_write(struct mvm_lapic *l, u32 reg, u32 value, u64 now,
		    struct mvm_lapic_irq *irq);
void mvm_lapic_mmio_read(const struct mvm_lapic *l, u32 offset, u64 now,
			 void *data, u32 len);
int mvm_lapic_mmio_write(struct mvm_lapic *l, u32 offset, u64 now,
			 const void *data, u32 len, struct mvm_lapic_irq *irq);
int mvm_lapic_msr_read(const struct mvm_lapic *l, u32 index, u64 now, u64 *value);
int mvm_lapic_msr_write(struct mvm_lapic *l, u32 index, u64 value, u64 now,
			struct mvm_lapic_irq *irq);
void mvm_lapic_get_state(const struct mvm_lapic *l, u64 now, void *state);
void mvm_lapic_set_state(struct mvm_lapic *l, u64 now, const void *state);

bool mvm_lapic_matches(const struct mvm_lapic *l, const struct mvm_lapic_irq *irq,
		       const struct mvm_lapic *source);
bool mvm_lapic_accepts(const struct mvm_lapic *l);
void mvm_lapic_request(struct mvm_lapic *l, u8 vector, bool level);
void mvm_lapic_collect(struct mvm_lapic *l);
bool mvm_lapic_accepts_extint(const struct mvm_lapic *l);
int mvm_lapic_pending(const struct mvm_lapic *l);
u32 mvm_lapic_tpr_threshold(const struct mvm_lapic *l);
u16 mvm_lapic_interrupt_status(const struct mvm_lapic *l);
void mvm_lapic_acknowledge(struct mvm_lapic *l, u8 vector);
int mvm_lapic_set_deadline(struct mvm_lapic *l, u64 deadline, u64 target);
bool mvm_lapic_timer_expired(struct mvm_lapic *l, u64 now);
void mvm_lapic_msi(struct mvm_lapic_irq *irq, u64 address, u32 data);

static inline u32 mvm_lapic_reg(const struct mvm_lapic *l, u32 reg)
{
	return READ_ONCE(l->regs[reg >> 2]);
}

static inline void mvm_lapic_set_reg(struct mvm_lapic *l, u32 reg, u32 value)
{
	WRITE_ONCE(l->regs[reg >> 2], value);
}

/* Was it level-triggered when it was requested last? */
static inline bool mvm_lapic_level(const struct mvm_lapic *l, u8 vector)
{
	return mvm_lapic_reg(l, MVM_APIC_TMR + vector / 32 * 16) >> vector % 32 & 1;
}

/* SDM Vol. 3, "TSC-Deadline Mode": bits 18:17 are 2. */
static inline bool mvm_lapic_deadline_mode(const struct mvm_lapic *l)
{
	return (mvm_lapic_reg(l, MVM_APIC_LVT_TIMER) &
		(MVM_APIC_LVT_DEADLINE | MVM_APIC_LVT_PERIODIC)) == MVM_APIC_LVT_DEADLINE;
}

static inline bool mvm_lapic_enabled(const struct mvm_lapic *l)
{
	return l->base & MVM_APIC_BASE_ENABLED;
}

static inline bool mvm_lapic_x2apic(const struct mvm_lapic *l)
{
	return l->base & MVM_APIC_BASE_X2APIC;
}

#endif
