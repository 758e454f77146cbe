// SPDX-License-Identifier: GPL-2.0
/*
 * msr: model-specific registers that a guest may use, and those that it may
 * not: #GP.
 *
 * Shows: RDMSR and WRMSR, MSRs that the processor switches by itself, MSRs that
 * the hypervisor keeps, and that what was written is what the processor uses.
 */
#include "trap.h"

#define MSR_TSC			0x10
#define MSR_APIC_BASE		0x1b
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_PAT			0x277
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_FMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102

/* Nothing has these numbers. */
#define MSR_NONE		0x12345678
#define MSR_NONE_LOW		0x1fff

#define EFER_SCE		BIT(0)
#define EFER_LME		BIT(8)
#define EFER_LMA		BIT(10)
#define EFER_RESERVED		BIT(20)

#define PAT_RESET		0x0007040600070406ULL
#define NON_CANONICAL		0x8000000000000000ULL
#define FLAG_DF			BIT(10)

static void check_kept(u32 msr, u64 value, const char *name)
{
	u64 got, old;

	if (rdmsr_trap(msr, &old) != TRAP_NONE ||
	    wrmsr_trap(msr, value) != TRAP_NONE ||
	    rdmsr_trap(msr, &got) != TRAP_NONE) {
		ok(false, name);
		return;
	}
	same(got, value, name);
	wrmsr_trap(msr, old);
}

static void check_refused(u32 msr, u64 value, const char *name)
{
	u64 vector = wrmsr_trap(msr, value);

	same(vector, VECTOR_GP, name);
}

static void check_unknown(void)
{
	u64 value;

	same(rdmsr_trap(MSR_NONE, &value), VECTOR_GP, "RDMSR of an unknown MSR is #GP");
	ok(trap.error == 0 && trap.rip == trap_start,
	   "with error code 0, at the instruction");
	same(wrmsr_trap(MSR_NONE, 0), VECTOR_GP, "so is WRMSR");
	same(rdmsr_trap(MSR_NONE_LOW, &value), VECTOR_GP, "also in the low range");
	same(wrmsr_trap(MSR_NONE_LOW, 0), VECTOR_GP, "and WRMSR there");
}

static void check_tsc(void)
{
	u64 first = read_msr(MSR_TSC), second;
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	second = low | (u64)high << 32;
	ok(second > first, "RDTSC and the TSC's MSR are one counter");

	write_msr(MSR_TSC, 1ULL << 40);
	first = read_msr(MSR_TSC);
	ok(first >> 40 == 1 && first - BIT(40) < 1ULL << 32,
	   "writing the TSC sets it");
}

static void check_efer(void)
{
	u64 efer = read_msr(MSR_EFER);

	ok((efer & EFER_LME) && (efer & EFER_LMA), "EFER says long mode");
	check_kept(MSR_EFER, efer ^ EFER_SCE, "EFER.SCE can be changed");
	check_refused(MSR_EFER, efer | EFER_RESERVED, "a reserved bit of EFER is #GP");
	check_refused(MSR_EFER, efer & ~EFER_LME, "clearing LME with paging on is #GP");
	same(read_msr(MSR_EFER), efer, "and EFER is as it was");
}

static void check_syscall(void)
{
	u64 efer = read_msr(MSR_EFER);
	u64 rcx, flags, next, cs;

	write_msr(MSR_STAR, (u64)SEL_CODE << 32);
	write_msr(MSR_FMASK, FLAG_DF);
	write_msr(MSR_EFER, efer | EFER_SCE);
	asm volatile("mov $0xc0000082, %%ecx\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "mov %%rax, %%rdx\n\t"
		     "shr $32, %%rdx\n\t"
		     "wrmsr\n\t"			/* LSTAR = 1f */
		     "std\n\t"
		     "syscall\n"
		     "2:\tcld\n\t"			/* not reached */
		     "jmp 3f\n"
		     "1:\tpushfq\n\t"
		     "pop %1\n\t"
		     "mov %%cs, %2\n\t"
		     "lea 2b(%%rip), %3\n"
		     "3:\tcld"
		     : "=&c"(rcx), "=&r"(flags), "=&r"(cs), "=&r"(next)
		     : : "rax", "rdx", "r11", "memory", "cc");
	same(rcx, next, "SYSCALL goes to LSTAR, RCX is where it came from");
	ok(!(flags & FLAG_DF), "FMASK has cleared DF");
	same(cs, SEL_CODE, "STAR has set CS");
	write_msr(MSR_EFER, efer);

	same(trap_of("syscall", OUT(), "i"(0)), VECTOR_UD,
	     "without EFER.SCE, SYSCALL is #UD");
}

static void check_swapgs(void)
{
	static u64 here = 1, there = 2;
	u64 value;

	write_msr(MSR_GS_BASE, (u64)&here);
	write_msr(MSR_KERNEL_GS_BASE, (u64)&there);
	asm volatile("mov %%gs:0, %0" : "=r"(value));
	same(value, 1, "GS.base is used");
	asm volatile("swapgs\n\tmov %%gs:0, %0" : "=r"(value));
	same(value, 2, "SWAPGS brings KERNEL_GS_BASE");
	same(read_msr(MSR_KERNEL_GS_BASE), (u64)&here, "and puts GS.base there");
	get_cpuid(0, 0);
	same(read_msr(MSR_KERNEL_GS_BASE), (u64)&here, "a VM exit leaves it there");

	write_msr(MSR_FS_BASE, (u64)&there);
	get_cpuid(0, 0);
	asm volatile("mov %%fs:0, %0" : "=r"(value));
	same(value, 2, "FS.base is used, and kept over a VM exit");
}

int main(void)
{
	trap_init();
	check_unknown();
	check_tsc();
	ok(read_msr(MSR_APIC_BASE) & 1 << 8, "APIC_BASE says: the boot processor");

	check_kept(MSR_SYSENTER_CS, 0x1234, "SYSENTER_CS");
	check_kept(MSR_SYSENTER_ESP, 0xffff800012345678, "SYSENTER_ESP");
	check_kept(MSR_SYSENTER_EIP, 0xffff800087654321, "SYSENTER_EIP");

	same(read_msr(MSR_PAT), PAT_RESET, "PAT after reset");
	check_kept(MSR_PAT, 0x0001040600070406, "PAT");
	check_refused(MSR_PAT, 0x0203040600070406, "PAT with a reserved type is #GP");

	check_efer();
	check_kept(MSR_STAR, 0x0023001000000000, "STAR");
	check_kept(MSR_LSTAR, 0xffffffff81000000, "LSTAR");
	check_kept(MSR_CSTAR, 0xffffffff81000040, "CSTAR");
	check_kept(MSR_FMASK, 0x47700, "FMASK");
	check_refused(MSR_LSTAR, NON_CANONICAL, "LSTAR that is not canonical is #GP");
	check_refused(MSR_KERNEL_GS_BASE, NON_CANONICAL, "KERNEL_GS_BASE likewise");
	check_refused(MSR_FS_BASE, NON_CANONICAL, "FS_BASE likewise");
	check_syscall();
	check_swapgs();
	return done();
}
