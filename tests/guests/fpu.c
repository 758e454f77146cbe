// SPDX-License-Identifier: GPL-2.0
/*
 * fpu: x87, SSE and AVX registers belong to the guest.
 *
 * Shows: that they keep their values over VM exits to the kernel and to user
 * space, where both use the same registers; XCR0 and XSETBV; and the exceptions
 * of the two units. fpu1 and fpu2 are the same program with other values, made
 * to take turns on one processor: each sends a byte and waits for the other's.
 *
 * Without XSAVE (the lab's default model has it, but not so that Linux would use
 * it) there are x87 and SSE only, saved by FXSAVE.
 */
#include "trap.h"

#ifndef PAIR
#define PAIR 0
#endif

#define CR0_MP		BIT(1)
#define CR0_EM		BIT(2)
#define CR0_TS		BIT(3)
#define CR0_NE		BIT(5)
#define CR4_OSFXSR	BIT(9)
#define CR4_OSXMMEXCPT	BIT(10)
#define CR4_OSXSAVE	BIT(18)

#define LEAF1_ECX_XSAVE	BIT(26)

/* x87, SSE, AVX, and the three parts of AVX-512. */
#define XCR0_X87	0x01
#define XCR0_SSE	0x02
#define XCR0_AVX	0x04
#define XCR0_WANTED	0xe7

#define VECTOR_MF	16
#define VECTOR_XM	19

#define PORT_LSR	(PORT_SERIAL + 5)
#define PORT_MSR	(PORT_SERIAL + 6)
#define LSR_DR		0x01
#define MSR_DCD		0x80

#define AREA		4096
#define HEADER		512	/* of an XSAVE area: which components are in it */
#define HEADER_END	576
#define FXSAVE_USED	416	/* behind it is what software may use */

static u8 pattern[AREA] __aligned(64);
static u8 seen[AREA] __aligned(64);

static bool has_xsave;
static u64 components;
static u32 area_size;

static void write_xcr0(u64 value)
{
	asm volatile("xsetbv" : : "c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
}

static u64 read_xcr0(void)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (u64)high << 32;
}

static void save(u8 *area)
{
	if (!has_xsave) {
		asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
		return;
	}
	asm volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}

static void restore(const u8 *area)
{
	if (!has_xsave) {
		asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
		return;
	}
	asm volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}

static void enable(void)
{
	has_xsave = get_cpuid(1, 0).ecx & LEAF1_ECX_XSAVE;
	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	if (!has_xsave) {
		components = XCR0_X87 | XCR0_SSE;
		area_size = HEADER;
		return;
	}
	write_cr4(read_cr4() | CR4_OSXSAVE);
	components = get_cpuid(0xd, 0).eax & XCR0_WANTED;
	write_xcr0(components);
	area_size = get_cpuid(0xd, 0).ebx;	/* of what XCR0 has now */
}

/*
 * An XSAVE area full of values that differ from byte to byte and from guest to
 * guest. Whatever is no register, or not free to have any value, is as a real
 * XSAVE wrote it.
 */
static void make_pattern(u8 seed)
{
	u32 i;

	asm volatile("fninit");
	save(pattern);
	*(u64 *)(pattern + HEADER) = components;
	/* ST0 to ST7: ten bytes of each sixteen. All in use: tags. */
	pattern[4] = 0xff;
	for (i = 32; i < 160; i++) {
		if (i % 16 < 10)
			pattern[i] = i * 7 + seed;
	}
	for (i = 160; i < FXSAVE_USED; i++)
		pattern[i] = i * 11 + seed;
	for (i = HEADER_END; i < area_size; i++)
		pattern[i] = i * 13 + seed;
	/* MXCSR: another rounding mode; the exceptions stay masked. */
	pattern[25] = (pattern[25] & ~0x60) | 0x20;
	/* The x87 control word: another precision. */
	pattern[1] = (pattern[1] & ~0x3) | 0x2;

	/* What the processor makes of it, not what we made up, is the pattern. */
	restore(pattern);
	save(pattern);
}

static bool equal(u32 from, u32 size)
{
	u32 i;

	for (i = from; i < from + size; i++) {
		if (seen[i] != pattern[i])
			return false;
	}
	return true;
}

/* Only what is a register: between the components there may be gaps. */
static bool is_kept(void)
{
	unsigned int i;

	save(seen);
	if (!equal(0, FXSAVE_USED))
		return false;
	if (has_xsave && !equal(HEADER, 8))
		return false;
	for (i = 2; i < 32; i++) {
		struct cpuid leaf;

		if (!(components >> i & 1))
			continue;
		leaf = get_cpuid(0xd, i);
		if (!equal(leaf.ebx, leaf.eax))
			return false;
	}
	return true;
}

static bool pattern_is_there(void)
{
	/* ST0, XMM0 and, if there is one, the first byte behind the header. */
	return pattern[32] && pattern[160] && pattern[161] &&
	       (!(components & XCR0_AVX) || pattern[HEADER_END] || pattern[HEADER_END + 1]);
}

static void check_kept(void)
{
	bool good = true;
	unsigned int i;

	make_pattern(1);
	ok(pattern_is_there(), "all registers have a value");
	ok(is_kept(), "and keep it");

	for (i = 0; i < 200; i++)
		get_cpuid(0, 0);
	ok(is_kept(), "over 200 exits to the kernel");

	for (i = 0; i < 100; i++) {
		outb(0x80, i);
		good = good && inb(0x80) == 0xff;
	}
	ok(good && is_kept(), "over 200 exits to user space");

	/* User space prints this with registers of its own. */
	make_pattern(2);
	print("# printed with other values in the registers\n");
	ok(is_kept(), "over printing");
}

static void check_xcr0(void)
{
	if (!has_xsave) {
		same(trap_of("xsetbv", OUT(), "c"(0), "a"(XCR0_X87), "d"(0)), VECTOR_UD,
		     "XSETBV without XSAVE is #UD");
		return;
	}
	same(read_xcr0(), components, "XCR0 is what XSETBV has set");
	same(trap_of("xsetbv", OUT(), "c"(0), "a"(XCR0_SSE | XCR0_AVX), "d"(0)), VECTOR_GP,
	     "XCR0 without x87 is #GP");
	same(trap_of("xsetbv", OUT(), "c"(0), "a"(XCR0_X87 | XCR0_AVX), "d"(0)), VECTOR_GP,
	     "AVX without SSE is #GP");
	same(trap_of("xsetbv", OUT(), "c"(0), "a"(XCR0_X87), "d"((u32)BIT(30))), VECTOR_GP,
	     "an unknown component is #GP");
	same(trap_of("xsetbv", OUT(), "c"(1), "a"(XCR0_X87), "d"(0)), VECTOR_GP,
	     "XCR1 is #GP");
	same(read_xcr0(), components, "and XCR0 is as it was");

	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	same(trap_of("xsetbv", OUT(), "c"(0), "a"(XCR0_X87), "d"(0)), VECTOR_UD,
	     "XSETBV without CR4.OSXSAVE is #UD");
	write_cr4(read_cr4() | CR4_OSXSAVE);
}

static void check_exceptions(void)
{
	u64 cr0 = read_cr0();
	u16 control = 0x037b;	/* divide by zero is not masked */
	u32 mxcsr = 0x1d80, old = 0x1f80;
	u64 vector;

	write_cr0(cr0 | CR0_TS);
	same(trap_of("movaps %%xmm0, %%xmm0", OUT(), "i"(0)), VECTOR_NM, "SSE with CR0.TS is #NM");
	write_cr0(cr0);

	vector = trap_of("fninit\n\t"
			 "fldcw %0\n\t"
			 "fld1\n\t"
			 "fldz\n\t"
			 "fdivrp\n\t"
			 "fwait", OUT(), "m"(control));
	same(vector, VECTOR_MF, "x87 divides by zero: #MF");
	asm volatile("fnclex\n\tfninit");

	vector = trap_of("ldmxcsr %0\n\t"
			 "xorps %%xmm1, %%xmm1\n\t"
			 "mov $1, %%eax\n\t"
			 "cvtsi2ss %%eax, %%xmm0\n\t"
			 "divss %%xmm1, %%xmm0", OUT("+m"(mxcsr)), "a"(0));
	same(vector, VECTOR_XM, "SSE divides by zero: #XM");
	asm volatile("ldmxcsr %0" : : "m"(old));
}

/* One byte there, one back. False if nobody is at the other end. */
static bool take_turn(void)
{
	outb(PORT_SERIAL, '0' + PAIR);
	while (!(inb(PORT_LSR) & LSR_DR)) {
		if (!(inb(PORT_MSR) & MSR_DCD))
			return false;
	}
	inb(PORT_SERIAL);
	return true;
}

/* Says nothing: its output is the other one's input. */
static int take_turns(void)
{
	unsigned int i;

	make_pattern(PAIR * 0x55);
	for (i = 0; i < 100; i++) {
		if (!take_turn())
			return 2;
		if (!is_kept() || (has_xsave && read_xcr0() != components))
			return 1;
	}
	return 0;
}

int main(void)
{
	trap_init();
	enable();
	if (PAIR)
		return take_turns();

	check_kept();
	check_xcr0();
	check_exceptions();
	return done();
}
