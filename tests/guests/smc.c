// SPDX-License-Identifier: GPL-2.0
/*
 * smc: code that changes code.
 *
 * Shows: that what was written is what runs: behind the write, under another
 * address of the same page, across a page boundary, and when it is not the
 * guest that writes but the hypervisor on its behalf (INS).
 */
#include "trap.h"

#define PAGE		4096
#define PORT_SCR	(PORT_SERIAL + 7)
#define WINDOW		0x8000000000ULL
#define PTE_PRESENT	0x1ULL
#define PTE_WRITE	0x2ULL

/* mov $IMM32, %eax; ret */
#define MOV_EAX		0xb8
#define RET		0xc3

/* In .bss, which the launcher maps like everything: executable too. */
static u8 code[2 * PAGE] __aligned(PAGE);

static u64 window_pdpt[512] __aligned(PAGE);
static u64 window_pd[512] __aligned(PAGE);
static u64 window_pt[512] __aligned(PAGE);

static void write_function(u8 *at, u32 value)
{
	unsigned int i;

	at[0] = MOV_EAX;
	for (i = 0; i < 4; i++)
		at[1 + i] = value >> 8 * i;
	at[5] = RET;
	asm volatile("" : : : "memory");
}

static u32 call_code(const u8 *at)
{
	u32 value;

	asm volatile("call *%1" : "=a"(value) : "r"(at) : "memory", "cc");
	return value;
}

static void check_calls(void)
{
	bool good = true;
	u32 i;

	for (i = 0; i < 200; i++) {
		write_function(code, i);
		good = good && call_code(code) == i;
	}
	ok(good, "a function written 200 times");

	good = true;
	for (i = 0; i < 50; i++) {
		write_function(code + PAGE - 3, i);
		good = good && call_code(code + PAGE - 3) == i;
	}
	ok(good, "a function that lies in two pages");
}

static void check_ahead(void)
{
	u32 value;

	/*
	 * The instruction right behind the write is the one that is changed; the
	 * code itself is for reading in the ELF, but not in the page tables.
	 */
	asm volatile("movb $2, 1f+1(%%rip)\n"
		     "1:\tmov $1, %%eax\n\t"
		     "movb $1, 1b+1(%%rip)"
		     : "=a"(value) : : "memory");
	same(value, 2, "the next instruction");

	asm volatile("lea 1f(%%rip), %%rdi\n\t"
		     "mov $0x90, %%al\n\t"
		     "mov $2, %%ecx\n\t"
		     "rep stosb\n"
		     "1:\tjmp 2f\n\t"		/* two bytes: becomes two NOPs */
		     "mov $3, %%eax\n\t"
		     "jmp 3f\n"
		     "2:\tmov $4, %%eax\n"
		     "3:"
		     : "=a"(value) : : "rdi", "rcx", "memory", "cc");
	same(value, 3, "a jump that REP STOSB has overwritten");
}

static void check_alias(void)
{
	u64 *pml4 = (u64 *)(read_cr3() & ~0xfffULL);
	u8 *alias = (u8 *)WINDOW;
	bool good = true;
	u32 i;

	window_pt[0] = (u64)code | PTE_PRESENT | PTE_WRITE;
	window_pd[0] = (u64)window_pt | PTE_PRESENT | PTE_WRITE;
	window_pdpt[0] = (u64)window_pd | PTE_PRESENT | PTE_WRITE;
	pml4[1] = (u64)window_pdpt | PTE_PRESENT | PTE_WRITE;

	for (i = 0; i < 50; i++) {
		write_function(alias, 1000 + i);
		good = good && call_code(code) == 1000 + i;
		write_function(code, 2000 + i);
		good = good && call_code(alias) == 2000 + i;
	}
	ok(good, "written at one address, called at another");

	/* The same address, another page behind it. */
	good = true;
	write_function(code, 1);
	write_function(code + PAGE, 2);
	for (i = 0; i < 50; i++) {
		window_pt[0] = (u64)(code + (i % 2) * PAGE) | PTE_PRESENT | PTE_WRITE;
		asm volatile("invlpg (%0)" : : "r"(alias) : "memory");
		good = good && call_code(alias) == 1 + i % 2;
	}
	ok(good, "two functions at one address in turn");
}

static void check_ins(void)
{
	u8 *to = code + 1;
	u16 port = PORT_SCR;

	write_function(code, 0);
	call_code(code);
	outb(PORT_SCR, 0x77);
	asm volatile("insb" : "+D"(to) : "d"(port) : "memory");
	same(call_code(code), 0x77, "INSB writes into a function");
}

int main(void)
{
	trap_init();
	check_calls();
	check_ahead();
	check_alias();
	check_ins();
	return done();
}
