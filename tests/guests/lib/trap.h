/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exceptions in 64-bit guests: a GDT, a TSS and an IDT, and a way to say "this
 * instruction should fault".
 */
#ifndef TRAP_H
#define TRAP_H

#include "guest.h"

#define TRAP_NONE	(~0ULL)

/* Selectors of trap_init()'s GDT. */
#define SEL_CODE	0x08
#define SEL_DATA	0x10
#define SEL_ABSENT	0x18	/* a data segment that is not present */
#define SEL_USER_DATA	0x20
#define SEL_USER_CODE	0x28
#define SEL_TSS		0x30

/* The registers as the stub in trap_entry.S pushes them. */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* The last exception; vector is TRAP_NONE if there was none. */
struct trap {
	u64 vector, error, rip, cs, rflags, rsp, ss, cr2, dr6;
	unsigned int count;
};

extern struct trap trap;

/* Where the handler goes on; 0: where it came from. Used once. */
extern u64 trap_resume;

/* Called by the handler after it has filled in trap, if set. */
extern void (*trap_hook)(struct trap_frame *frame);

/* trap_entry.S and trap.c, of each other. */
extern const char trap_stubs[];
void trap_handler(struct trap_frame *frame);

/* All 256 gates lead to the handler; #DF has a stack of its own (IST 1). */
void trap_init(void);

/* Make a gate absent or present, or usable by INT from ring 3. */
void trap_gate_present(unsigned int vector, bool present);
void trap_gate_dpl(unsigned int vector, unsigned int dpl);

static inline void trap_expect(void)
{
	trap.vector = TRAP_NONE;
	trap.error = 0;
	trap.count = 0;
}

/*
 * Runs CODE, whose first instruction has the label 7; if anything faults, goes
 * on behind it. The value is the vector, or TRAP_NONE. The operands are those
 * of asm: outputs in OUT, inputs after it.
 */
#define OUT(...)	__VA_ARGS__
#define trap_of(code, out, ...)						\
({									\
	trap_expect();							\
	asm volatile("movq $9f, trap_resume\n\t"			\
		     "movq $7f, trap_start\n"				\
		     "7:\t" code "\n"					\
		     "9:\tmovq $0, trap_resume"				\
		     : out : __VA_ARGS__ : "memory", "cc");		\
	trap.vector;							\
})

/* The address of the label 7 in the last trap_of(). */
extern u64 trap_start;

#define VECTOR_DE	0
#define VECTOR_DB	1
#define VECTOR_BP	3
#define VECTOR_UD	6
#define VECTOR_NM	7
#define VECTOR_DF	8
#define VECTOR_NP	11
#define VECTOR_SS	12
#define VECTOR_GP	13
#define VECTOR_PF	14
#define VECTOR_AC	17

static inline u64 read_msr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (u64)high << 32;
}

static inline void write_msr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32))
		     : "memory");
}

/* The vector that RDMSR or WRMSR ends with, or TRAP_NONE. */
u64 rdmsr_trap(u32 msr, u64 *value);
u64 wrmsr_trap(u32 msr, u64 value);

static inline u64 read_cr0(void)
{
	u64 value;

	asm volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline void write_cr0(u64 value)
{
	asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline u64 read_cr3(void)
{
	u64 value;

	asm volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(u64 value)
{
	asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline u64 read_cr4(void)
{
	u64 value;

	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(u64 value)
{
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

#endif /* TRAP_H */
