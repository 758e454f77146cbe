// SPDX-License-Identifier: GPL-2.0
/*
 * highmem: memory above 4 GiB. To be run with --memory 4G: RAM is then 0 to
 * 3 GiB and 4 GiB to 5 GiB, with nothing in between.
 *
 * Shows: guest-physical addresses of more than 32 bits for data, stack, code,
 * page tables and port I/O from memory.
 */
#include "trap.h"

#define GIB		BIT(30)
#define HIGH		(4 * GIB)
#define HIGH_END	(5 * GIB)
#define LOW_END		(3 * GIB)
#define PAGE		4096ULL

#define PORT_SCR	(PORT_SERIAL + 7)

#define PTE_PRESENT	0x1ULL
#define PTE_WRITE	0x2ULL

/* In assembly: the compiler would not read back what it has just written. */
static u64 peek(u64 address)
{
	u64 value;

	asm volatile("mov (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static void poke(u64 address, u64 value)
{
	asm volatile("mov %1, (%0)" : : "r"(address), "r"(value) : "memory");
}

static void check_data(void)
{
	/* An address that lost its upper bits would meet one of the others. */
	static const u64 places[] = {
		0x300000, 1 * GIB, 2 * GIB + 0x300000, HIGH, HIGH + 0x300000,
		HIGH + 512 * PAGE - 8, HIGH_END - PAGE, HIGH_END - 8,
	};
	const unsigned int count = ARRAY_SIZE(places);
	bool zero = true, kept = true;
	unsigned int i;

	for (i = 0; i < count; i++)
		zero = zero && peek(places[i]) == 0;
	ok(zero, "memory is zero at first");
	for (i = 0; i < count; i++)
		poke(places[i], ~places[i]);
	for (i = 0; i < count; i++)
		kept = kept && peek(places[i]) == ~places[i];
	ok(kept, "each place keeps its own value");

	poke(HIGH + 3 * PAGE - 4, 0x1122334455667788);
	same(peek(HIGH + 3 * PAGE - 4), 0x1122334455667788, "across a page boundary");
}

static void check_stack(void)
{
	u64 top = HIGH + 16 * PAGE, used;

	asm volatile("mov %%rsp, %%rbx\n\t"
		     "mov %1, %%rsp\n\t"
		     "push $0x123\n\t"
		     "mov (%%rsp), %0\n\t"
		     "mov %%rbx, %%rsp"
		     : "=&r"(used) : "r"(top) : "rbx", "memory");
	ok(used == 0x123 && peek(top - 8) == 0x123, "the stack");
}

static void check_code(void)
{
	/* push %rbx; mov $0, %eax; cpuid; pop %rbx; mov $42, %eax; ret */
	static const u8 code[] = {
		0x53, 0xb8, 0, 0, 0, 0, 0x0f, 0xa2, 0x5b, 0xb8, 42, 0, 0, 0, 0xc3,
	};
	u8 *to = (u8 *)(HIGH + 32 * PAGE);
	unsigned int i;
	u32 value;

	for (i = 0; i < sizeof(code); i++)
		to[i] = code[i];
	asm volatile("call *%1" : "=a"(value) : "r"(to) : "rcx", "rdx", "memory", "cc");
	same(value, 42, "code, with a VM exit");
}

static void check_tables(void)
{
	u64 pml4 = read_cr3() & ~0xfffULL;
	u64 pdpt = HIGH + 48 * PAGE, pd = pdpt + PAGE, pt = pd + PAGE;
	u64 window = BIT(39);

	poke(pt, (HIGH + 64 * PAGE) | PTE_PRESENT | PTE_WRITE);
	poke(pd, pt | PTE_PRESENT | PTE_WRITE);
	poke(pdpt, pd | PTE_PRESENT | PTE_WRITE);
	poke(pml4 + 8, pdpt | PTE_PRESENT | PTE_WRITE);
	poke(window, 0xabcdef);
	same(peek(HIGH + 64 * PAGE), 0xabcdef, "page tables");
}

static void check_ports(void)
{
	u64 from = HIGH + 80 * PAGE + 3, to = HIGH + 81 * PAGE - 2;
	u64 rsi = from, rdi = to, rcx = 4;
	u16 port = PORT_SCR;

	poke(from, 0x5c);
	asm volatile("outsb" : "+S"(rsi) : "d"(port) : "memory");
	asm volatile("rep insb" : "+D"(rdi), "+c"(rcx) : "d"(port) : "memory");
	ok((u32)peek(to) == 0x5c5c5c5c && rdi == to + 4, "OUTS and INS");
}

int main(void)
{
	trap_init();
	check_data();
	check_stack();
	check_code();
	check_tables();
	check_ports();
	return done();
}
