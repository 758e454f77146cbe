// SPDX-License-Identifier: GPL-2.0
/*
 * cpuid: what CPUID says must fit together, and fit what the guest does.
 *
 * Shows: the instruction that always leaves the guest, in the kernel's hands.
 * What differs from host to host is checked, not printed.
 */
#include "trap.h"

#define CR4_OSXSAVE		BIT(18)

#define LEAF1_ECX_XSAVE		BIT(26)
#define LEAF1_ECX_OSXSAVE	BIT(27)
#define LEAF1_ECX_HYPERVISOR	BIT(31)
#define LEAF1_EDX_FPU		BIT(0)
#define LEAF1_EDX_MSR		BIT(5)
#define LEAF1_EDX_PAE		BIT(6)
#define LEAF1_EDX_SSE2		BIT(26)
#define EXT1_EDX_SYSCALL	BIT(11)
#define EXT1_EDX_LM		BIT(29)

static bool is_printable(u32 word)
{
	unsigned int i;

	for (i = 0; i < 4; i++, word >>= 8) {
		u8 letter = word;

		if (letter && (letter < ' ' || letter > '~'))
			return false;
	}
	return true;
}

static void check_vendor(void)
{
	struct cpuid leaf = get_cpuid(0, 0);

	ok(leaf.eax >= 0xd, "there are leaves up to 0xd");
	ok(leaf.ebx == 0x756e6547 && leaf.edx == 0x49656e69 && leaf.ecx == 0x6c65746e,
	   "vendor is GenuineIntel");
}

static void check_features(void)
{
	u32 edx = LEAF1_EDX_FPU | LEAF1_EDX_MSR | LEAF1_EDX_PAE | LEAF1_EDX_SSE2;
	struct cpuid leaf = get_cpuid(1, 0);

	ok((leaf.edx & edx) == edx, "FPU, MSRs, PAE and SSE2");
	ok(leaf.ecx & LEAF1_ECX_HYPERVISOR, "a hypervisor is there");
	ok(leaf.ebx >> 24 == 0, "the APIC ID is 0");

	leaf = get_cpuid(0x80000001, 0);
	ok(leaf.edx & EXT1_EDX_LM, "long mode, in which this runs");
	ok(leaf.edx & EXT1_EDX_SYSCALL, "SYSCALL");
}

/* A bit of CPUID that is not a constant. */
static void check_osxsave(void)
{
	bool has_xsave = get_cpuid(1, 0).ecx & LEAF1_ECX_XSAVE;
	u64 cr4 = read_cr4();

	ok(!(get_cpuid(1, 0).ecx & LEAF1_ECX_OSXSAVE), "OSXSAVE is clear at first");
	if (has_xsave)
		write_cr4(cr4 | CR4_OSXSAVE);
	ok(!(get_cpuid(1, 0).ecx & LEAF1_ECX_OSXSAVE) == !has_xsave, "and follows CR4");
	write_cr4(cr4);
	ok(!(get_cpuid(1, 0).ecx & LEAF1_ECX_OSXSAVE), "and follows it back");
}

static void check_text(void)
{
	bool printable = true;
	struct cpuid leaf;
	u32 i;

	ok(get_cpuid(0x80000000, 0).eax >= 0x80000008, "there are leaves up to 0x80000008");
	for (i = 0x80000002; i <= 0x80000004; i++) {
		leaf = get_cpuid(i, 0);
		printable = printable && is_printable(leaf.eax) && is_printable(leaf.ebx) &&
			    is_printable(leaf.ecx) && is_printable(leaf.edx);
	}
	ok(printable, "the processor's name, if it has one, is text");

	leaf = get_cpuid(0x80000008, 0);
	ok((leaf.eax & 0xff) >= 36 && (leaf.eax & 0xff) <= 52, "physical addresses: 36 to 52 bits");
	ok((leaf.eax >> 8 & 0xff) >= 48, "linear addresses: 48 bits or more");
}

static void check_registers(void)
{
	u64 rax = 0xffffffff00000000, rbx = ~0ULL, rcx = 0xffffffff00000000, rdx = ~0ULL;

	asm volatile("cpuid" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx));
	ok(!(rax >> 32) && !(rbx >> 32) && !(rcx >> 32) && !(rdx >> 32),
	   "the upper halves of the registers are cleared");
}

static void check_subleaves(void)
{
	struct cpuid data = get_cpuid(4, 0), none = get_cpuid(4, 31);

	ok(data.eax & 0x1f, "leaf 4 describes a cache");
	ok(!(none.eax & 0x1f), "and has an end");
}

int main(void)
{
	trap_init();
	check_vendor();
	check_features();
	check_osxsave();
	check_text();
	check_registers();
	check_subleaves();
	return done();
}
