// SPDX-License-Identifier: GPL-2.0
/*
 * exceptions: each kind that a guest can raise, with the right error code,
 * address and return address.
 *
 * Shows: events that the processor delivers by itself, events that the
 * hypervisor injects (#GP for an unknown MSR, #DB and #AC, which it intercepts
 * in order to protect the host), nesting and double fault, single steps over
 * instructions that leave the guest, and the shadows of STI and MOV SS.
 */
#include "trap.h"

#define CR0_TS		BIT(3)
#define CR0_WP		BIT(16)
#define CR0_AM		BIT(18)
#define MSR_EFER	0xc0000080
#define MSR_NONE	0x12345678
#define EFER_NXE	BIT(11)

#define FLAG_TF		BIT(8)
#define FLAG_IF		BIT(9)
#define FLAG_AC		BIT(18)

#define DR6_B0		BIT(0)
#define DR6_B1		BIT(1)
#define DR6_BS		BIT(14)
#define DR7_L0		BIT(0)
#define DR7_L1		BIT(2)
#define DR7_WRITE1	BIT(20)
#define DR7_LEN4_1	(3ULL << 22)

/* Error code of #PF. */
#define PF_PRESENT	0x1
#define PF_WRITE	0x2
#define PF_USER		0x4
#define PF_RESERVED	0x8
#define PF_FETCH	0x10

#define PTE_PRESENT	0x1ULL
#define PTE_WRITE	0x2ULL
#define PTE_USER	0x4ULL
#define PTE_RESERVED	BIT(51)
#define PTE_NX		BIT(63)

/* Bit 63 unlike bit 47. */
#define NON_CANONICAL	0x8000000000000000ULL

/* Our own pages: the second entry of the launcher's PML4. */
#define WINDOW		0x8000000000ULL
#define ABSENT		(WINDOW + 0x0000)
#define READ_ONLY	(WINDOW + 0x1000)
#define NO_EXECUTE	(WINDOW + 0x2000)
#define RESERVED	(WINDOW + 0x3000)
/* The launcher's mapping of the second 2 MiB: not for ring 3. */
#define SUPERVISOR	0x200000ULL

typedef u64 table[512] __aligned(4096);

static table window_pdpt, window_pd, window_pt;
static u8 page[4096] __aligned(4096);

static void map_window(void)
{
	u64 *pml4 = (u64 *)(read_cr3() & ~0xfffULL);
	u64 frame = (u64)page;

	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
	write_cr0(read_cr0() | CR0_WP | CR0_AM);

	window_pt[1] = frame | PTE_PRESENT;
	window_pt[2] = frame | PTE_PRESENT | PTE_WRITE | PTE_NX;
	window_pt[3] = frame | PTE_PRESENT | PTE_RESERVED;
	window_pd[0] = (u64)window_pt | PTE_PRESENT | PTE_WRITE;
	window_pdpt[0] = (u64)window_pd | PTE_PRESENT | PTE_WRITE;
	pml4[1] = (u64)window_pdpt | PTE_PRESENT | PTE_WRITE;
}

static void check_plain(void)
{
	u64 cr0 = read_cr0();
	u32 high = 0, low = 1;

	same(trap_of("div %2", OUT("+a"(low), "+d"(high)), "r"(0)), VECTOR_DE, "#DE");
	same(trap.rip, trap_start, "  at the instruction");
	same(trap_of("int3", OUT(), "i"(0)), VECTOR_BP, "#BP");
	same(trap.rip, trap_start + 1, "  behind the instruction");
	same(trap_of("int $0x80", OUT(), "i"(0)), 0x80, "INT 0x80");
	same(trap.rip, trap_start + 2, "  behind the instruction");
	same(trap_of("ud2", OUT(), "i"(0)), VECTOR_UD, "#UD");
	same(trap.rip, trap_start, "  at the instruction");

	write_cr0(cr0 | CR0_TS);
	same(trap_of("fnop", OUT(), "i"(0)), VECTOR_NM, "#NM with CR0.TS");
	write_cr0(cr0);
}

static void check_error_codes(void)
{
	same(trap_of("mov (%0), %%al", OUT(), "r"(NON_CANONICAL)), VECTOR_GP,
	     "#GP: address not canonical");
	same(trap.error, 0, "  error code 0");
	same(trap_of("mov %w0, %%ds", OUT(), "r"(0x1238)), VECTOR_GP,
	     "#GP: selector beyond the GDT");
	same(trap.error, 0x1238, "  error code is the selector");
	same(trap_of("mov %w0, %%ds", OUT(), "r"(SEL_ABSENT)), VECTOR_NP,
	     "#NP: segment not present");
	same(trap.error, SEL_ABSENT, "  error code is the selector");
	same(trap_of("mov %w0, %%ss", OUT(), "r"(SEL_ABSENT)), VECTOR_SS,
	     "#SS: stack segment not present");
	same(trap.error, SEL_ABSENT, "  error code is the selector");
	same(trap_of("mov (%%rsp,%0), %%al", OUT(), "r"(NON_CANONICAL)), VECTOR_SS,
	     "#SS: stack address not canonical");
	same(trap.error, 0, "  error code 0");
	same(trap_of("rdmsr", OUT(), "c"(MSR_NONE)), VECTOR_GP,
	     "#GP that the hypervisor injects");
	same(trap.error, 0, "  error code 0");
}

static void check_page_fault(u64 vector, u64 address, u64 error, const char *what)
{
	same(vector, VECTOR_PF, what);
	same(trap.error, error, "  error code");
	same(trap.cr2, address, "  CR2");
}

static void check_page_faults(void)
{
	u8 byte = 0;

	check_page_fault(trap_of("mov (%1), %0", OUT("+r"(byte)), "r"(ABSENT + 5)),
			 ABSENT + 5, 0, "#PF: read, not present");
	check_page_fault(trap_of("mov %1, (%0)", OUT(), "r"(ABSENT + 6), "r"(byte)),
			 ABSENT + 6, PF_WRITE, "#PF: write, not present");
	check_page_fault(trap_of("mov %1, (%0)", OUT(), "r"(READ_ONLY + 7), "r"(byte)),
			 READ_ONLY + 7, PF_PRESENT | PF_WRITE, "#PF: write, read-only");
	check_page_fault(trap_of("jmp *%0", OUT(), "r"(NO_EXECUTE)), NO_EXECUTE,
			 PF_PRESENT | PF_FETCH, "#PF: execute, no-execute");
	same(trap.rip, NO_EXECUTE, "  RIP is where it went");
	check_page_fault(trap_of("mov (%1), %0", OUT("+r"(byte)), "r"(RESERVED)),
			 RESERVED, PF_PRESENT | PF_RESERVED, "#PF: reserved bit");
	/* The upper page of the two is absent. */
	check_page_fault(trap_of("mov (%0), %%rax", OUT(), "r"(RESERVED + 0xffc)),
			 RESERVED + 0xffc, PF_PRESENT | PF_RESERVED,
			 "#PF: across two pages, the first");
	check_page_fault(trap_of("mov (%0), %%rax", OUT(), "r"(NO_EXECUTE + 0xffc)),
			 RESERVED, PF_PRESENT | PF_RESERVED,
			 "#PF: across two pages, the second");
}

/* --- Single steps and breakpoints ---------------------------------------------- */

static u64 step_rip, step_dr6, step_count;

/* The first step is enough. */
static void step_hook(struct trap_frame *frame)
{
	if (!step_count++) {
		step_rip = frame->rip;
		step_dr6 = trap.dr6;
	}
	frame->rflags &= ~FLAG_TF;
}

static void write_dr6(u64 value)
{
	asm volatile("mov %0, %%dr6" : : "r"(value));
}

static void expect_step(void)
{
	trap_expect();
	step_count = 0;
	write_dr6(0);
	trap_hook = step_hook;
}

static void check_step(u64 end, const char *what)
{
	trap_hook = 0;
	ok(step_count == 1 && trap.vector == VECTOR_DB, what);
	same(step_rip, end, "  return address");
	ok(step_dr6 & DR6_BS, "  DR6.BS");
}

/* POPF sets TF; the trap comes after the instruction behind it. */
#define step_over(code, ...)						\
({									\
	u64 end;							\
	expect_step();							\
	asm volatile("mov %%rcx, %%r8\n\t"				\
		     "pushfq\n\t"					\
		     "orq $0x100, (%%rsp)\n\t"				\
		     "lea 8f(%%rip), %0\n\t"				\
		     "popfq\n\t"					\
		     code "\n"						\
		     "8:\tnop\n\t"					\
		     "mov %%r8, %%rcx"					\
		     : "=&r"(end) : __VA_ARGS__				\
		     : "rax", "rbx", "rdx", "r8", "memory", "cc");	\
	end;								\
})

static void check_steps(void)
{
	u16 ss = SEL_DATA;

	check_step(step_over("nop", "i"(0)), "single step over NOP");
	check_step(step_over("cpuid", "c"(0)), "single step over CPUID");
	check_step(step_over("rdmsr", "c"(MSR_EFER)), "single step over RDMSR");
	check_step(step_over("outb %%al, $0x80", "i"(0)), "single step over OUT");
	check_step(step_over("inb $0x80, %%al", "i"(0)), "single step over IN");
	/* MOV SS holds the trap back for one more instruction. */
	check_step(step_over("mov %w1, %%ss\n\tnop", "r"(ss)),
		   "single step over MOV SS and NOP");
	check_step(step_over("mov %w1, %%ss\n\tcpuid", "r"(ss), "c"(0)),
		   "single step over MOV SS and CPUID");
}

static void write_dr7(u64 value)
{
	asm volatile("mov %0, %%dr7" : : "r"(value));
}

static void breakpoint_hook(struct trap_frame *frame)
{
	step_hook(frame);
	write_dr7(0x400);
}

static void check_breakpoints(void)
{
	static u32 watched;
	u64 at, after;

	expect_step();
	trap_hook = breakpoint_hook;
	asm volatile("lea 8f(%%rip), %0\n\t"
		     "mov %0, %%dr0\n\t"
		     "mov %1, %%dr7\n\t"
		     "nop\n"
		     "8:\tnop" : "=&r"(at) : "r"(0x400 | DR7_L0) : "memory");
	trap_hook = 0;
	ok(step_count == 1 && trap.vector == VECTOR_DB, "breakpoint on an instruction");
	same(step_rip, at, "  at it");
	same(step_dr6 & 0xf, DR6_B0, "  DR6.B0");

	expect_step();
	trap_hook = breakpoint_hook;
	asm volatile("mov %1, %%dr1\n\t"
		     "mov %2, %%dr7\n\t"
		     "lea 8f(%%rip), %0\n\t"
		     "movl $1, (%1)\n"
		     "8:\tnop"
		     : "=&r"(after)
		     : "r"(&watched), "r"(0x400 | DR7_L1 | DR7_WRITE1 | DR7_LEN4_1)
		     : "memory");
	trap_hook = 0;
	ok(step_count == 1 && trap.vector == VECTOR_DB, "breakpoint on a write");
	same(step_rip, after, "  behind it");
	same(step_dr6 & 0xf, DR6_B1, "  DR6.B1");

	expect_step();
	trap_hook = 0;
	same(trap_of(".byte 0xf1", OUT(), "i"(0)), VECTOR_DB, "INT1");
	same(trap.rip, trap_start + 1, "  behind it");
}

/* --- Nesting --------------------------------------------------------------------- */

static u64 saved_rsp;
static struct trap outer;

static void nested_hook(struct trap_frame *frame)
{
	u64 resume = trap_resume;

	outer = trap;
	trap_hook = 0;
	trap_of("ud2", OUT(), "i"(0));
	frame->rip = resume;
	trap_resume = 0;
}

/* The stack that the fault came from is no stack. */
static void new_stack_hook(struct trap_frame *frame)
{
	frame->rsp = saved_rsp;
	frame->rip = trap_resume;
	trap_resume = 0;
}

static void check_nesting(void)
{
	u8 byte = 0;

	trap_hook = nested_hook;
	trap_of("mov (%1), %0", OUT("+r"(byte)), "r"(ABSENT));
	ok(outer.vector == VECTOR_PF && trap.vector == VECTOR_UD,
	   "#UD in the handler of #PF");

	trap_gate_present(VECTOR_PF, false);
	same(trap_of("mov (%1), %0", OUT("+r"(byte)), "r"(ABSENT)), VECTOR_DF,
	     "#PF without its gate is #DF");
	same(trap.error, 0, "  error code 0");
	same(trap.cr2, ABSENT, "  CR2 is the page fault's");
	trap_gate_present(VECTOR_PF, true);

	trap_gate_present(VECTOR_UD, false);
	same(trap_of("ud2", OUT(), "i"(0)), VECTOR_NP, "#UD without its gate is #NP");
	same(trap.error, VECTOR_UD * 8 + 2 + 1, "  error code: that gate, external");
	trap_gate_present(VECTOR_UD, true);

	trap_gate_present(VECTOR_GP, false);
	same(trap_of("rdmsr", OUT(), "c"(MSR_NONE)), VECTOR_DF,
	     "an injected #GP without its gate is #DF");
	trap_gate_present(VECTOR_GP, true);

	asm volatile("mov %%rsp, %0" : "=m"(saved_rsp));
	trap_hook = new_stack_hook;
	same(trap_of("mov %0, %%rsp\n\tpush %0", OUT(), "r"(ABSENT + 0x800)), VECTOR_DF,
	     "a push where no stack is: #DF");
	trap_hook = 0;
}

/* --- Shadows ----------------------------------------------------------------------- */

static void check_shadows(void)
{
	u16 ss = SEL_DATA;
	u64 flags;

	asm volatile("xor %%eax, %%eax\n\tsti\n\tcpuid\n\tpushfq\n\tcli\n\tpop %0"
		     : "=&r"(flags) : : "rax", "rbx", "rcx", "rdx", "memory", "cc");
	ok(flags & FLAG_IF, "an exit in the shadow of STI");
	asm volatile("sti\n\toutb %%al, $0x80\n\tpushfq\n\tcli\n\tpop %0"
		     : "=&r"(flags) : : "memory", "cc");
	ok(flags & FLAG_IF, "an exit to user space in the shadow of STI");
	asm volatile("xor %%eax, %%eax\n\tmov %w0, %%ss\n\tcpuid"
		     : : "r"(ss) : "rax", "rbx", "rcx", "rdx", "memory", "cc");
	ok(true, "an exit in the shadow of MOV SS");

	same(trap_of("sti\n\trdmsr", OUT(), "c"(MSR_NONE)), VECTOR_GP,
	     "an injected #GP in the shadow of STI");
	same(trap.rip, trap_start + 1, "  at the instruction");
	asm volatile("cli");
	same(trap_of("mov %w0, %%ss\n\trdmsr", OUT(), "a"(ss), "c"(MSR_NONE)), VECTOR_GP,
	     "an injected #GP in the shadow of MOV SS");
	same(trap.rip, trap_start + 2, "  at the instruction");
}

/* --- Ring 3 -------------------------------------------------------------------------- */

static u8 user_stack[1024] __aligned(16);

/* The guest's own 2 MiB become ring 3's. */
static void allow_user(void)
{
	u64 *table = (u64 *)(read_cr3() & ~0xfffULL);
	unsigned int level;

	for (level = 0; level < 3; level++) {
		table[0] |= PTE_USER;
		table = (u64 *)(table[0] & ~0xfffULL);
	}
	write_cr3(read_cr3());
}

static void from_user_hook(struct trap_frame *frame)
{
	frame->cs = SEL_CODE;
	frame->ss = SEL_DATA;
	frame->rflags = 2;
	frame->rsp = saved_rsp;
	frame->rip = trap_resume;
	trap_resume = 0;
}

/* Runs CODE in ring 3 until it faults, which it has to. */
#define user_trap(code, ...)						\
({									\
	trap_expect();							\
	trap_hook = from_user_hook;					\
	asm volatile("movq $9f, trap_resume\n\t"			\
		     "movq $7f, trap_start\n\t"				\
		     "mov %%rsp, saved_rsp\n\t"				\
		     "pushq %[ss]\n\t"					\
		     "pushq %[rsp]\n\t"					\
		     "pushq $2\n\t"					\
		     "pushq %[cs]\n\t"					\
		     "pushq $7f\n\t"					\
		     "iretq\n"						\
		     "7:\t" code "\n\t"					\
		     "ud2\n"						\
		     "9:"						\
		     : : [ss] "i"(SEL_USER_DATA + 3), [cs] "i"(SEL_USER_CODE + 3), \
		     [rsp] "r"(user_stack + sizeof(user_stack)), __VA_ARGS__ \
		     : "rax", "rbx", "rcx", "rdx", "memory", "cc");	\
	trap_hook = 0;							\
	trap.vector;							\
})

static void check_user(void)
{
	allow_user();
	trap_gate_dpl(0x80, 3);

	same(user_trap("int $0x80", "i"(0)), 0x80, "INT 0x80 from ring 3");
	same(trap.cs, SEL_USER_CODE + 3, "  CS");
	same(trap.ss, SEL_USER_DATA + 3, "  SS");
	same(trap.rip, trap_start + 2, "  behind the instruction");
	same(user_trap("hlt", "i"(0)), VECTOR_GP, "HLT in ring 3 is #GP");
	same(user_trap("int $0x81", "i"(0)), VECTOR_GP, "INT 0x81, not allowed: #GP");
	same(trap.error, 0x81 * 8 + 2, "  error code: that gate");
	same(user_trap("mov (%[at]), %%al", [at] "r"(SUPERVISOR)), VECTOR_PF,
	     "ring 3 reads ring 0's page");
	same(trap.error, PF_PRESENT | PF_USER, "  error code");

	same(user_trap("pushfq\n\t"
		       "orq $0x40000, (%%rsp)\n\t"	/* AC */
		       "popfq\n\t"
		       "mov 1(%%rsp), %%eax", "i"(0)), VECTOR_AC, "#AC in ring 3");
	same(trap.error, 0, "  error code 0");
	ok(trap.rflags & FLAG_AC, "  RFLAGS.AC");

	same(user_trap("mov %%cr0, %%rax", "i"(0)), VECTOR_GP, "MOV from CR0 in ring 3 is #GP");
	same(user_trap("xor %%eax, %%eax\n\tcpuid\n\tint $0x80", "i"(0)), 0x80,
	     "CPUID in ring 3 works");
}

int main(void)
{
	trap_init();
	map_window();
	check_plain();
	check_error_codes();
	check_page_faults();
	check_steps();
	check_breakpoints();
	check_nesting();
	check_shadows();
	check_user();
	return done();
}
