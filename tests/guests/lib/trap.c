// SPDX-License-Identifier: GPL-2.0
#include "trap.h"

#define VECTORS		256
#define STUB_SIZE	16
#define GATE_INTERRUPT	0x8e	/* present, DPL 0, 64-bit interrupt gate */
#define GATE_PRESENT	0x80
#define IST_DF		1

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, zero;
};

struct table_register {
	u16 limit;
	u64 base;
} __packed;

struct tss {
	u32 zero;
	u64 rsp[3], zero2, ist[7], zero3;
	u16 zero4, io_map;
} __packed;

struct trap trap = { .vector = TRAP_NONE };
u64 trap_resume;
u64 trap_start;
void (*trap_hook)(struct trap_frame *frame);

static struct gate idt[VECTORS] __aligned(16);
static u8 stack_df[4096] __aligned(16);
static u8 stack_ring0[4096] __aligned(16);
static struct tss tss;

static u64 gdt[] = {
	[SEL_CODE / 8]		= 0x00af9b000000ffff,
	[SEL_DATA / 8]		= 0x00cf93000000ffff,
	[SEL_ABSENT / 8]	= 0x00cf13000000ffff,
	[SEL_USER_DATA / 8]	= 0x00cff3000000ffff,
	[SEL_USER_CODE / 8]	= 0x00affb000000ffff,
	[SEL_TSS / 8]		= 0,	/* and one more: 16 bytes */
	[SEL_TSS / 8 + 1]	= 0,
};

void trap_handler(struct trap_frame *frame)
{
	trap.vector = frame->vector;
	trap.error = frame->error;
	trap.rip = frame->rip;
	trap.cs = frame->cs;
	trap.rflags = frame->rflags;
	trap.rsp = frame->rsp;
	trap.ss = frame->ss;
	trap.count++;
	asm volatile("mov %%cr2, %0" : "=r"(trap.cr2));
	asm volatile("mov %%dr6, %0" : "=r"(trap.dr6));

	if (trap_hook) {
		trap_hook(frame);
	} else if (trap_resume) {
		frame->rip = trap_resume;
		trap_resume = 0;
	} else {
		print("Unexpected exception ");
		print_number(frame->vector);
		print(" at ");
		print_hex(frame->rip);
		print("\n");
		outb(PORT_EXIT, 2);
	}
}

void trap_gate_present(unsigned int vector, bool present)
{
	if (present)
		idt[vector].type |= GATE_PRESENT;
	else
		idt[vector].type &= ~GATE_PRESENT;
}

void trap_gate_dpl(unsigned int vector, unsigned int dpl)
{
	idt[vector].type = (idt[vector].type & ~0x60) | dpl << 5;
}

static void load_tables(void)
{
	struct table_register gdtr = { sizeof(gdt) - 1, (u64)gdt };
	struct table_register idtr = { sizeof(idt) - 1, (u64)idt };
	u64 base = (u64)&tss;

	tss.rsp[0] = (u64)(stack_ring0 + sizeof(stack_ring0));
	tss.ist[IST_DF - 1] = (u64)(stack_df + sizeof(stack_df));
	tss.io_map = sizeof(tss);

	/* A 64-bit TSS, present and not busy: 0x89 */
	gdt[SEL_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 |
			   0x89ULL << 40 | (base >> 24 & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;

	asm volatile("lgdt %0\n\t"
		     "lidt %1\n\t"
		     "pushq %2\n\t"
		     "pushq $1f\n\t"
		     "lretq\n"
		     "1:\tmov %w3, %%ds\n\t"
		     "mov %w3, %%es\n\t"
		     "mov %w3, %%ss\n\t"
		     "ltr %w4"
		     : : "m"(gdtr), "m"(idtr), "i"(SEL_CODE), "r"(SEL_DATA), "r"(SEL_TSS)
		     : "memory");
}

void trap_init(void)
{
	unsigned int i;

	for (i = 0; i < VECTORS; i++) {
		u64 stub = (u64)trap_stubs + i * STUB_SIZE;

		idt[i] = (struct gate){
			.offset_low = stub,
			.selector = SEL_CODE,
			.ist = i == VECTOR_DF ? IST_DF : 0,
			.type = GATE_INTERRUPT,
			.offset_middle = stub >> 16,
			.offset_high = stub >> 32,
		};
	}
	load_tables();
}

u64 rdmsr_trap(u32 msr, u64 *value)
{
	u32 low = 0, high = 0;
	u64 vector;

	vector = trap_of("rdmsr", OUT("+a"(low), "+d"(high)), "c"(msr));
	*value = low | (u64)high << 32;
	return vector;
}

u64 wrmsr_trap(u32 msr, u64 value)
{
	return trap_of("wrmsr", OUT(), "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}
