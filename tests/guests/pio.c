// SPDX-License-Identifier: GPL-2.0
/*
 * pio: port I/O in all its forms.
 *
 * Shows: IN and OUT of 8, 16 and 32 bits, immediate and in DX; INS and OUTS
 * with and without REP, forward and backward, across a page boundary, with
 * 32-bit addresses, and with a page fault in the middle.
 *
 * The port is the serial port in loop-back: a FIFO of 16 bytes gives back what
 * was put into it. A wide access is one of a byte to each of adjacent ports, so
 * its first byte is the FIFO's, and the second is the register IER.
 */
#include "trap.h"

#define RBR		PORT_SERIAL		/* receive, transmit */
#define IER		(PORT_SERIAL + 1)
#define FCR		(PORT_SERIAL + 2)
#define LCR		(PORT_SERIAL + 3)
#define MCR		(PORT_SERIAL + 4)
#define LSR		(PORT_SERIAL + 5)
#define SCR		(PORT_SERIAL + 7)

#define FCR_ON		0x01
#define FCR_CLEAR	0x02
#define MCR_LOOP	0x10
#define LSR_DR		0x01
#define LCR_8BITS	0x03

#define FIFO		16
#define PAGE		4096
#define PTE_PRESENT	0x1ULL
#define PTE_WRITE	0x2ULL

/* A port where nothing is. */
#define NOBODY		0x510

static u8 buffer[2 * PAGE] __aligned(PAGE);
static u8 source[2 * PAGE] __aligned(PAGE);

/* Nothing may be printed in loop-back: results wait until it is over. */
static void loop_on(void)
{
	outb(FCR, FCR_ON | FCR_CLEAR);
	outb(LCR, LCR_8BITS);
	outb(IER, 0);
	outb(MCR, MCR_LOOP);
}

static void loop_off(void)
{
	outb(MCR, 0);
	outb(FCR, FCR_ON | FCR_CLEAR);
}

static void clear(u8 *bytes, unsigned int count)
{
	while (count--)
		*bytes++ = 0;
}

static bool equal(const u8 *a, const u8 *b, unsigned int count)
{
	while (count--) {
		if (*a++ != *b++)
			return false;
	}
	return true;
}

static void fill(u8 *bytes, unsigned int count, u8 first)
{
	while (count--)
		*bytes++ = first++;
}

static void check_widths(void)
{
	u16 word;
	u32 quad;
	u64 rax;
	u8 byte;

	outb(SCR, 0x5a);
	same(inb(SCR), 0x5a, "8 bits");
	outw(SCR - 1, 0xa500);		/* MSR cannot be written, SCR can */
	same(inb(SCR), 0xa5, "OUT, 16 bits");
	same(inw(SCR - 1) >> 8, 0xa5, "IN, 16 bits");
	outl(SCR - 3, 0x3c000000 | 0);
	same(inb(SCR), 0x3c, "OUT, 32 bits");
	same(inl(SCR - 3) >> 24, 0x3c, "IN, 32 bits");

	asm volatile("inb $0x80, %0" : "=a"(byte));
	same(byte, 0xff, "nobody there: all ones, 8 bits");
	asm volatile("inw $0x80, %0" : "=a"(word));
	same(word, 0xffff, "16 bits");
	asm volatile("inl $0x80, %0" : "=a"(quad));
	same(quad, 0xffffffff, "32 bits");
	same(inl(NOBODY), 0xffffffff, "32 bits, port in DX");

	rax = 0x1122334455667788;
	asm volatile("inb $0x80, %%al" : "+a"(rax));
	same(rax, 0x11223344556677ff, "IN of 8 bits keeps the rest of RAX");
	rax = 0x1122334455667788;
	asm volatile("inw $0x80, %%ax" : "+a"(rax));
	same(rax, 0x112233445566ffff, "IN of 16 bits too");
	rax = 0x1122334455667788;
	asm volatile("inl $0x80, %%eax" : "+a"(rax));
	same(rax, 0xffffffff, "IN of 32 bits clears the upper half");
}

static void check_single(void)
{
	void *from = source, *to = buffer;
	u16 port = RBR;

	source[0] = 'x';
	buffer[0] = 0;
	loop_on();
	asm volatile("outsb" : "+S"(from) : "d"(port) : "memory");
	asm volatile("insb" : "+D"(to) : "d"(port) : "memory");
	loop_off();
	same(buffer[0], 'x', "OUTSB and INSB");
	ok(from == source + 1 && to == buffer + 1, "RSI and RDI have moved by 1");
}

/* Sends FIFO bytes from FROM, receives them to TO; the registers must have moved. */
static bool rep_bytes(u8 *from, u8 *to)
{
	u64 rcx_out = FIFO, rcx_in = FIFO;
	u8 *rsi = from, *rdi = to;
	u16 port = RBR;
	bool more;

	loop_on();
	asm volatile("rep outsb" : "+S"(rsi), "+c"(rcx_out) : "d"(port) : "memory");
	asm volatile("rep insb" : "+D"(rdi), "+c"(rcx_in) : "d"(port) : "memory");
	more = inb(LSR) & LSR_DR;
	loop_off();
	return !rcx_out && !rcx_in && rsi == from + FIFO && rdi == to + FIFO && !more;
}

static void check_rep(void)
{
	bool moved;

	fill(source, FIFO, 'a');
	clear(buffer, FIFO);
	moved = rep_bytes(source, buffer);
	ok(equal(source, buffer, FIFO), "REP OUTSB and REP INSB");
	ok(moved, "RCX, RSI and RDI are as they should be");

	fill(source + PAGE - 5, FIFO, 'k');
	clear(buffer + PAGE - 7, FIFO);
	moved = rep_bytes(source + PAGE - 5, buffer + PAGE - 7);
	ok(equal(source + PAGE - 5, buffer + PAGE - 7, FIFO), "across a page boundary");
	ok(moved, "RCX, RSI and RDI are as they should be");
}

static void check_backward(void)
{
	u64 rcx_out = FIFO, rcx_in = FIFO;
	u8 *rsi = source + PAGE + 5;	/* down into the page before */
	u8 *rdi = buffer + PAGE + 3;
	u16 port = RBR;

	fill(source + PAGE + 5 - FIFO + 1, FIFO, '0');
	clear(buffer + PAGE + 3 - FIFO + 1, FIFO);
	loop_on();
	asm volatile("std\n\t"
		     "rep outsb\n\t"
		     "mov %4, %2\n\t"
		     "xchg %1, %3\n\t"
		     "rep insb\n\t"
		     "cld"
		     : "+S"(rsi), "+c"(rcx_out), "+D"(rdi), "+r"(rcx_in)
		     : "r"(rdi), "d"(port) : "memory", "cc");
	loop_off();
	ok(equal(source + PAGE + 5 - FIFO + 1, buffer + PAGE + 3 - FIFO + 1, FIFO),
	   "backward, across a page boundary");
	ok(!rcx_out && !rcx_in && rsi == source + PAGE + 5 - FIFO &&
	   rdi == buffer + PAGE + 3 - FIFO, "RCX, RSI and RDI are as they should be");
}

static void check_wide(void)
{
	u8 *rsi = source, *rdi = buffer + PAGE - 6;
	bool good = true;
	unsigned int i;
	u16 port = RBR;
	u64 rcx;

	/* Words: THR and IER. IER has four bits. */
	for (i = 0; i < FIFO; i++) {
		source[2 * i] = 'A' + i;
		source[2 * i + 1] = i & 0xf;
	}
	loop_on();
	rcx = FIFO;
	asm volatile("rep outsw" : "+S"(rsi), "+c"(rcx) : "d"(port) : "memory");
	rcx = FIFO;
	asm volatile("rep insw" : "+D"(rdi), "+c"(rcx) : "d"(port) : "memory");
	loop_off();
	for (i = 0; i < FIFO; i++)
		good = good && buffer[PAGE - 6 + 2 * i] == 'A' + i &&
		       buffer[PAGE - 6 + 2 * i + 1] == (FIFO - 1);
	ok(good, "REP OUTSW and REP INSW");
	ok(!rcx && rsi == source + 2 * FIFO && rdi == buffer + PAGE - 6 + 2 * FIFO,
	   "RCX, RSI and RDI are as they should be");

	/* Doublewords: THR, IER, FCR, LCR. */
	rsi = source;
	rdi = buffer + PAGE - 7;	/* one lies in both pages */
	for (i = 0; i < FIFO; i++) {
		source[4 * i] = 'a' + i;
		source[4 * i + 1] = 0;
		source[4 * i + 2] = FCR_ON;
		source[4 * i + 3] = LCR_8BITS;
	}
	loop_on();
	rcx = FIFO;
	asm volatile("rep outsl" : "+S"(rsi), "+c"(rcx) : "d"(port) : "memory");
	rcx = FIFO;
	asm volatile("rep insl" : "+D"(rdi), "+c"(rcx) : "d"(port) : "memory");
	loop_off();
	good = true;
	for (i = 0; i < FIFO; i++) {
		const u8 *quad = buffer + PAGE - 7 + 4 * i;

		good = good && quad[0] == 'a' + i && quad[1] == 0 &&
		       quad[3] == LCR_8BITS;
	}
	ok(good, "REP OUTSD and REP INSD");
	ok(!rcx && rsi == source + 4 * FIFO && rdi == buffer + PAGE - 7 + 4 * FIFO,
	   "RCX, RSI and RDI are as they should be");
}

/* More than any buffer between guest and user space holds at once. */
static void check_long(void)
{
	u64 rcx = 2 * PAGE - 1;
	u8 *rdi = buffer, *rsi = source;
	bool good = true;
	unsigned int i;
	u16 port = SCR;

	clear(buffer, sizeof(buffer));
	outb(SCR, 0xc3);
	asm volatile("rep insb" : "+D"(rdi), "+c"(rcx) : "d"(port) : "memory");
	for (i = 0; i < 2 * PAGE - 1; i++)
		good = good && buffer[i] == 0xc3;
	ok(good && !buffer[2 * PAGE - 1], "REP INSB of nearly 8 KiB");
	ok(!rcx && rdi == buffer + 2 * PAGE - 1, "RCX and RDI are as they should be");

	rcx = 2 * PAGE - 1;
	source[2 * PAGE - 2] = 0x99;
	asm volatile("rep outsb" : "+S"(rsi), "+c"(rcx) : "d"(port) : "memory");
	same(inb(SCR), 0x99, "REP OUTSB of nearly 8 KiB ends with the last byte");
	ok(!rcx && rsi == source + 2 * PAGE - 1, "RCX and RSI are as they should be");
}

static void check_odd_forms(void)
{
	u64 rcx = 0, rdi = (u64)buffer, rsi = (u64)source;
	u16 port = SCR;

	buffer[0] = 1;
	asm volatile("rep insb" : "+D"(rdi), "+c"(rcx) : "d"(port) : "memory");
	ok(buffer[0] == 1 && rdi == (u64)buffer && !rcx, "REP with RCX = 0 does nothing");

	/* With an address-size prefix, ECX, ESI and EDI count; the rest is cleared. */
	rcx = 0xffffffff00000001;
	rsi |= 0xffffffff00000000;
	source[0] = 0x77;
	asm volatile("addr32 rep outsb" : "+S"(rsi), "+c"(rcx) : "d"(port) : "memory");
	same(inb(SCR), 0x77, "OUTSB with a 32-bit address");
	rdi |= 0xffffffff00000000;
	rcx = 0xffffffff00000001;
	asm volatile("addr32 rep insb" : "+D"(rdi), "+c"(rcx) : "d"(port) : "memory");
	same(buffer[0], 0x77, "INSB with a 32-bit address");
	ok(!(u32)rcx && (u32)rdi == (u32)(u64)buffer + 1 && (u32)rsi == (u32)(u64)source + 1,
	   "ECX, ESI and EDI are as they should be");

	/* OUTS takes another segment than DS. */
	write_msr(0xc0000100, (u64)source);	/* FS.base */
	source[32] = 0x66;
	rsi = 32;
	asm volatile("fs outsb" : "+S"(rsi) : "d"(port) : "memory");
	same(inb(SCR), 0x66, "OUTSB from another segment");
}

/* A page of its own, and the next one is not there. */
#define WINDOW		0x8000000000ULL

static u64 window_pdpt[512] __aligned(PAGE);
static u64 window_pd[512] __aligned(PAGE);
static u64 window_pt[512] __aligned(PAGE);

static void check_faults(void)
{
	u64 *pml4 = (u64 *)(read_cr3() & ~0xfffULL);
	u64 rcx = FIFO, rdi = WINDOW + PAGE - 4, rsi = rdi;
	u64 vector;
	u16 port = SCR;

	window_pt[0] = (u64)buffer | PTE_PRESENT | PTE_WRITE;
	window_pd[0] = (u64)window_pt | PTE_PRESENT | PTE_WRITE;
	window_pdpt[0] = (u64)window_pd | PTE_PRESENT | PTE_WRITE;
	pml4[1] = (u64)window_pdpt | PTE_PRESENT | PTE_WRITE;

	clear(buffer, PAGE);
	outb(SCR, 0x42);
	vector = trap_of("rep insb", OUT("+D"(rdi), "+c"(rcx)), "d"(port));
	same(vector, VECTOR_PF, "REP INSB into a page that is not there: #PF");
	same(trap.error, 2, "error code: a write");
	same(trap.cr2, WINDOW + PAGE, "CR2 is the first address of that page");
	ok(rcx == FIFO - 4 && rdi == WINDOW + PAGE, "RCX and RDI: 4 bytes were read");
	ok(buffer[PAGE - 5] == 0 && buffer[PAGE - 4] == 0x42 && buffer[PAGE - 1] == 0x42,
	   "and are in memory");
	same(trap.rip, trap_start, "the instruction can be started again");

	rcx = FIFO;
	buffer[PAGE - 1] = 0x24;
	vector = trap_of("rep outsb", OUT("+S"(rsi), "+c"(rcx)), "d"(port));
	same(vector, VECTOR_PF, "REP OUTSB from such a page: #PF");
	same(trap.error, 0, "error code: a read");
	ok(rcx == FIFO - 4 && rsi == WINDOW + PAGE, "RCX and RSI: 4 bytes were written");
	same(inb(SCR), 0x24, "the last of them is in the port");

	window_pt[0] = (u64)buffer | PTE_PRESENT;
	write_cr3(read_cr3());
	write_cr0(read_cr0() | 1 << 16);	/* WP */
	rdi = WINDOW;
	same(trap_of("insb", OUT("+D"(rdi)), "d"(port)), VECTOR_PF,
	     "INSB into a page for reading: #PF");
	same(trap.error, 3, "error code: a write, present");
	same(trap_of("outsb", OUT(), "S"(0x8000000000000000), "d"(port)), VECTOR_GP,
	     "OUTSB from an address that is not canonical: #GP");
}

int main(void)
{
	trap_init();
	check_widths();
	check_single();
	check_rep();
	check_backward();
	check_wide();
	check_long();
	check_odd_forms();
	check_faults();
	return done();
}
