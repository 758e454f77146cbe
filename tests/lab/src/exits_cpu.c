// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that leave the guest and are answered in the kernel: CPUID,
 * MSRs, control and debug registers, XSETBV, time, VMX instructions.
 */
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

#define CPUID_1_ECX_XSAVE	0x4000000
#define CPUID_1_ECX_OSXSAVE	0x8000000

static struct vm vm;
static struct vcpu cpu;		/* with as little in its CPUID as can be */
static struct vcpu full;	/* with all that the device supports */

GUEST16(cpuid16, "cpuid; hlt");
GUEST64(cpuid64, "cpuid; hlt");

static void run_cpuid(struct vcpu *c, u32 leaf, u32 index, const char *want,
		      const char *name)
{
	struct kvm_regs r;
	char got[160];

	guest64(c, cpuid64);
	r = get_regs(c);
	r.rax = 0xaaaaaaaa00000000 | leaf;
	r.rcx = 0xcccccccc00000000 | index;
	r.rbx = 0xbbbbbbbbbbbbbbbb;
	r.rdx = 0xdddddddddddddddd;
	set_regs(c, &r);
	is(vcpu_run(c), "HLT", "%s", name);
	r = get_regs(c);
	snprintf(got, sizeof(got), "%llx %llx %llx %llx", r.rax, r.rbx, r.rcx,
		 r.rdx);
	is(got, want, "  registers");
}

static void no_cpuid_table(void)
{
	struct kvm_regs r;
	struct vcpu c;

	vcpu_open_bare(&c, &vm, 3);
	guest16(&c, cpuid16);
	is(vcpu_run(&c), "HLT", "CPUID without a table");
	r = get_regs(&c);
	is_hex(r.rax | r.rbx | r.rcx | r.rdx, 0, "  registers");
	vcpu_close(&c);
}

static void cpuid_table(void)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[6];
	} table = { .head.nent = 6, .entries = {
		{ .function = 0, .eax = 4, .ebx = 0x756e6547,
		  .edx = 0x49656e69, .ecx = 0x6c65746e },
		{ .function = 1, .eax = 0x600, .ecx = 0x80000000,
		  .edx = 0x7000279 },
		{ .function = 4, .index = 0, .eax = 0x40, .ebx = 0x41,
		  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
		{ .function = 4, .index = 1, .eax = 0x50, .edx = 0x53,
		  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
		{ .function = 0x80000000, .eax = 0x80000001 },
		{ .function = 0x80000001, .ebx = 0x81, .edx = 0x20000000 },
	} };
	struct vcpu c;

	vcpu_open_bare(&c, &vm, 2);
	if (ioctl(c.fd, KVM_SET_CPUID2, &table))
		bail("KVM_SET_CPUID2: %s", errno_text(-1));
	run_cpuid(&c, 0, 7, "4 756e6547 6c65746e 49656e69",
		  "CPUID 0, ECX does not matter");
	run_cpuid(&c, 1, 0, "600 0 80000000 7000279", "CPUID 1");
	run_cpuid(&c, 4, 0, "40 41 0 0", "CPUID 4.0");
	run_cpuid(&c, 4, 1, "50 0 0 53", "CPUID 4.1");
	run_cpuid(&c, 4, 2, "0 0 0 0", "CPUID 4.2, which is not there");
	run_cpuid(&c, 2, 0, "0 0 0 0", "CPUID 2, which is not there");
	run_cpuid(&c, 0x80000001, 0, "0 81 0 20000000", "CPUID 0x80000001");
	/* SDM Vol. 2, "CPUID": above the maximum, the highest basic leaf. */
	run_cpuid(&c, 0x10, 1, "50 0 0 53", "CPUID 0x10, above the maximum");
	run_cpuid(&c, 0x80000005, 0, "40 41 0 0",
		  "CPUID 0x80000005, above the maximum");

	is(errno_text(ioctl(c.fd, KVM_SET_CPUID2, &table)), "0",
	   "after KVM_RUN the same table is taken");
	table.entries[1].eax = 0x601;
	is(errno_text(ioctl(c.fd, KVM_SET_CPUID2, &table)), "EINVAL",
	   "after KVM_RUN another table is refused");
	vcpu_close(&c);
}

GUEST64(rdmsr64, "rdmsr; hlt");
GUEST64(wrmsr64, "wrmsr; hlt");
GUEST64(apic_switch,
	"mov $0x1b, %ecx; xor %edx, %edx; mov $0xfee00000, %eax; wrmsr\n"
	"mov $1, %eax; cpuid; mov %edx, %esi\n"
	"mov $0x1b, %ecx; xor %edx, %edx; mov $0xfee00800, %eax; wrmsr\n"
	"mov $1, %eax; cpuid; mov %edx, %edi; hlt");
GUEST64(revision,
	"mov $0x8b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr\n"
	"mov $1, %eax; cpuid; mov $0x8b, %ecx; rdmsr; hlt");

/* The guest writes @value, or reads what KVM_SET_MSRS set to @value. */
static const char *msr_op(bool write, u32 index, u64 value)
{
	struct kvm_regs r;

	if (write)
		guest64(&full, wrmsr64);
	else
		guest64(&full, rdmsr64);
	r = get_regs(&full);
	r.rcx = 0xcccccccc00000000 | index;
	r.rax = 0xaaaaaaaa00000000 | (u32)value;
	r.rdx = 0xdddddddd00000000 | value >> 32;
	set_regs(&full, &r);
	if (!write)
		try_msr(&full, index, value);
	return vcpu_run(&full);
}

static void msr_access(void)
{
	static const struct {
		const char *name;
		u32 index;
		u64 value;
	} msrs[] = {
		{ "SYSENTER_CS", 0x174, 0x1234 },
		{ "SYSENTER_ESP", 0x175, 0x7fff12345678 },
		{ "SYSENTER_EIP", 0x176, 0xffff800012345678 },
		{ "PAT", 0x277, 0x0007040600070401 },
		{ "STAR", 0xc0000081, 0x0023001012345678 },
		{ "LSTAR", 0xc0000082, 0xffffffff81000000 },
		{ "CSTAR", 0xc0000083, 0xffffffff82000000 },
		{ "FMASK", 0xc0000084, 0x47700 },
		{ "FS_BASE", 0xc0000100, 0x7f0012345000 },
		{ "GS_BASE", 0xc0000101, 0xffff888012345000 },
		{ "KERNEL_GS_BASE", 0xc0000102, 0x7f0012346000 },
	};
	static const struct {
		const char *name;
		u32 index;
		u64 value;
	} bad[] = {
		{ "PAT with type 2", 0x277, 0x0007040600070402 },
		{ "EFER with bit 63", 0xc0000080, 1ull << 63 | 0x500 },
		{ "EFER without LME under paging", 0xc0000080, 0 },
		{ "LSTAR not canonical", 0xc0000082, 1ull << 47 },
		{ "CSTAR not canonical", 0xc0000083, 1ull << 47 },
		{ "FS_BASE not canonical", 0xc0000100, 1ull << 47 },
		{ "GS_BASE not canonical", 0xc0000101, 1ull << 63 },
		{ "KERNEL_GS_BASE not canonical", 0xc0000102, 1ull << 48 },
		{ "an MSR that is not there", 0x12345678, 0 },
		{ "APIC base with reserved bits", 0x1b, 0xfee00901 },
	};
	struct kvm_regs r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		is(msr_op(false, msrs[i].index, msrs[i].value), "HLT", "RDMSR %s",
		   msrs[i].name);
		r = get_regs(&full);
		is_hex(r.rax, (u32)msrs[i].value, "  RAX");
		is_hex(r.rdx, msrs[i].value >> 32, "  RDX");
		set_msr(&full, msrs[i].index, 0);
		is(msr_op(true, msrs[i].index, msrs[i].value), "HLT",
		   "WRMSR %s", msrs[i].name);
		is_hex(get_msr(&full, msrs[i].index), msrs[i].value,
		       "  what it wrote");
		set_msr(&full, msrs[i].index, 0);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		is(msr_op(true, bad[i].index, bad[i].value),
		   "trap 13 error=0 at +0", "WRMSR %s", bad[i].name);
	is(msr_op(false, 0x12345678, 0), "trap 13 error=0 at +0",
	   "RDMSR of an MSR that is not there");
	set_msr(&full, 0x277, 0x0007040600070406);
	is(msr_op(false, 0x1b, 0xfee00800), "HLT", "RDMSR APIC base");
	is_hex(get_regs(&full).rax, 0xfee00800, "  RAX");

	/* CPUID.1:EDX.APIC follows the enable bit. */
	guest64(&full, apic_switch);
	is(vcpu_run(&full), "HLT", "WRMSR APIC base: off, and on");
	is_hex(get_regs(&full).rsi >> 9 & 1, 0, "  the APIC is gone");
	is_hex(get_regs(&full).rdi >> 9 & 1, 1, "  and it is back");

	/* How software reads the microcode's revision */
	set_msr(&full, 0x8b, 0x123400000000);
	guest64(&full, revision);
	is(vcpu_run(&full), "HLT", "WRMSR of the microcode's revision, CPUID");
	is_hex(get_regs(&full).rdx, 0x1234, "  RDMSR reads the revision");

	/* SCE and NX come and go; LMA is the processor's. */
	is(msr_op(true, 0xc0000080, 0xd01), "HLT", "WRMSR EFER: SCE, NX");
	is_hex(get_sregs(&full).efer, 0xd01, "  EFER");
	is(msr_op(true, 0xc0000080, 0x100), "HLT", "WRMSR EFER without LMA");
	is_hex(get_sregs(&full).efer, 0x500, "  EFER keeps LMA");

	guest64(&full, rdmsr64);
	guest_user(&full);
	is(vcpu_run(&full), "trap 13 error=0 at +0", "ring 3: RDMSR");
	guest64(&full, cpuid64);
	guest_user(&full);
	is(vcpu_run(&full), "trap 13 error=0 at +2",
	   "ring 3: CPUID works, HLT does not");
}

GUEST64(tsc64,
	"rdtsc; mov %eax, %esi; mov %edx, %edi\n"
	"rdtsc; shl $32, %rdx; or %rdx, %rax; shl $32, %rdi; or %rdi, %rsi\n"
	"sub %rsi, %rax; hlt");
GUEST64(rdtscp64, "rdtscp; hlt");
GUEST64(rdpmc64, "xor %ecx, %ecx; rdpmc; hlt");

static void time_stamps(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;
	u64 first;

	set_msr(&full, 0x10, 1ull << 40);
	guest64(&full, tsc64);
	is(vcpu_run(&full), "HLT", "RDTSC twice");
	r = get_regs(&full);
	ok(r.rax > 0 && r.rax < 1000000, "  the second is a little later");
	ok(r.rsi - (1ull << 40) < 1ull << 34,
	   "  the first is a little after what KVM_SET_MSRS set");
	first = r.rsi;
	guest64(&full, tsc64);
	vcpu_run(&full);
	ok(get_regs(&full).rsi > first, "  time goes on over KVM_RUN");

	guest64(&full, tsc64);
	guest_user(&full);
	s = get_sregs(&full);
	s.cr4 |= CR4_TSD;
	set_sregs(&full, &s);
	is(vcpu_run(&full), "trap 13 error=0 at +0",
	   "ring 3: RDTSC with CR4.TSD");

	guest64(&cpu, rdtscp64);
	is(vcpu_run(&cpu), "trap 6 at +0", "RDTSCP that CPUID does not show");
	set_msr(&full, 0xc0000103, 0x1234);
	guest64(&full, rdtscp64);
	is(vcpu_run(&full), "HLT", "RDTSCP");
	is_hex(get_regs(&full).rcx, 0x1234, "  TSC_AUX");
	guest64(&full, rdpmc64);
	is(vcpu_run(&full), "trap 13 error=0 at +2",
	   "RDPMC without performance counters");
}

GUEST64(xsetbv64, "xsetbv; mov $0, %ecx; xgetbv; hlt");

static bool shows(u32 fn, int reg, u32 bits)
{
	struct kvm_cpuid2 *list = supported_cpuid(&vm);
	bool found = false;
	u32 i;

	for (i = 0; i < list->nent; i++) {
		struct kvm_cpuid_entry2 *e = &list->entries[i];
		u32 regs[] = { e->eax, e->ebx, e->ecx, e->edx };

		if (e->function == fn && e->index == 0)
			found = (regs[reg] & bits) == bits;
	}
	free(list);
	return found;
}

static const char *xsetbv(u32 index, u64 value, bool enabled)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest64(&full, xsetbv64);
	s = get_sregs(&full);
	if (enabled)
		s.cr4 |= CR4_OSXSAVE;
	set_sregs(&full, &s);
	r = get_regs(&full);
	r.rcx = index;
	r.rax = (u32)value;
	r.rdx = value >> 32;
	set_regs(&full, &r);
	return vcpu_run(&full);
}

static void extended_control(void)
{
	is(xsetbv(0, 1, false), "trap 6 at +0", "XSETBV without CR4.OSXSAVE");
	if (!shows(1, 2, CPUID_1_ECX_XSAVE)) {
		skip("this machine has no XSAVE", "XSETBV");
		return;
	}
	is(xsetbv(0, 3, true), "HLT", "XSETBV x87 and SSE");
	is_hex(get_regs(&full).rax, 3, "  XGETBV");
	is(xsetbv(0, 1, true), "HLT", "XSETBV x87");
	is_hex(get_regs(&full).rax, 1, "  XGETBV");
	if (shows(0xd, 0, 7)) {
		is(xsetbv(0, 7, true), "HLT", "XSETBV x87, SSE and AVX");
		is_hex(get_regs(&full).rax, 7, "  XGETBV");
	} else {
		skip("this machine has no AVX", "XSETBV of AVX");
	}
	is(xsetbv(0, 0, true), "trap 13 error=0 at +0", "XSETBV nothing");
	is(xsetbv(0, 2, true), "trap 13 error=0 at +0", "XSETBV without x87");
	is(xsetbv(0, 5, true), "trap 13 error=0 at +0",
	   "XSETBV AVX without SSE");
	is(xsetbv(0, 1ull << 62 | 3, true), "trap 13 error=0 at +0",
	   "XSETBV bit 62");
	is(xsetbv(1, 3, true), "trap 13 error=0 at +0", "XSETBV of XCR1");
	run_cpuid(&full, 0x80000000, 0, "80000008 0 0 0", "CPUID 0x80000000");
}

GUEST64(read_controls,
	"mov %cr0, %rax; mov %cr3, %rbx; mov %cr4, %rcx; mov %cr8, %rdx\n"
	"smsw %rsi; hlt");
GUEST64(write_cr0, "mov %rax, %cr0; mov %cr0, %rbx; hlt");
GUEST64(write_cr3, "mov %rax, %cr3; mov %cr3, %rbx; hlt");
GUEST64(write_cr4, "mov %rax, %cr4; mov %cr4, %rbx; hlt");
GUEST64(write_cr8, "mov %rax, %cr8; mov %cr8, %rbx; hlt");
GUEST32(write_cr0_32, "mov %eax, %cr0; mov %cr0, %ebx; hlt");
GUEST32(lmsw32, "lmsw %ax; mov %cr0, %ebx; hlt");
GUEST64(clts64, "clts; mov %cr0, %rbx; hlt");

#define LONG_CR0	(CR0_PG | CR0_NE | CR0_ET | CR0_PE)
#define LONG_CR4	(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT)

static void written(u64 value, const char *name)
{
	is(vcpu_run(&full), "HLT", "%s", name);
	is_hex(get_regs(&full).rbx, value, "  read back");
}

static void control_registers(void)
{
	static const struct {
		const char *name, *code, *end;
		u64 value, back;	/* back 0: #GP */
	} writes[] = {
		{ "CR0: WP and AM", write_cr0, write_cr0_end,
		  LONG_CR0 | CR0_WP | CR0_AM, LONG_CR0 | CR0_WP | CR0_AM },
		{ "CR0 without NE, which is kept hidden", write_cr0,
		  write_cr0_end, LONG_CR0 & ~CR0_NE, LONG_CR0 & ~CR0_NE },
		{ "CR0 without ET, which stays", write_cr0, write_cr0_end,
		  LONG_CR0 & ~CR0_ET, LONG_CR0 },
		{ "CR0: CD and NW", write_cr0, write_cr0_end,
		  LONG_CR0 | CR0_CD | CR0_NW, LONG_CR0 | CR0_CD | CR0_NW },
		{ "CR0: NW without CD", write_cr0, write_cr0_end,
		  LONG_CR0 | CR0_NW, 0 },
		{ "CR0: PG without PE", write_cr0, write_cr0_end,
		  LONG_CR0 & ~CR0_PE, 0 },
		{ "CR0 bit 32", write_cr0, write_cr0_end,
		  LONG_CR0 | 1ull << 32, 0 },
		{ "CR3: the same", write_cr3, write_cr3_end, GUEST_PML4,
		  GUEST_PML4 },
		{ "CR3: PCD and PWT", write_cr3, write_cr3_end,
		  GUEST_PML4 | 0x18, GUEST_PML4 | 0x18 },
		{ "CR3 bit 63 without PCID", write_cr3, write_cr3_end,
		  GUEST_PML4 | 1ull << 63, 0 },
		{ "CR3 bit 62", write_cr3, write_cr3_end,
		  GUEST_PML4 | 1ull << 62, 0 },
		{ "CR4: PGE and DE", write_cr4, write_cr4_end,
		  LONG_CR4 | 0x88, LONG_CR4 | 0x88 },
		{ "CR4 without PAE in long mode", write_cr4, write_cr4_end,
		  LONG_CR4 & ~CR4_PAE, 0 },
		{ "CR4 bit 15", write_cr4, write_cr4_end, LONG_CR4 | 0x8000,
		  0 },
		{ "CR4 bit 63", write_cr4, write_cr4_end,
		  LONG_CR4 | 1ull << 63, 0 },
		{ "CR8: 5", write_cr8, write_cr8_end, 5, 5 },
		{ "CR8: 16", write_cr8, write_cr8_end, 16, 0 },
	};
	struct kvm_sregs s;
	struct kvm_regs r;
	size_t i;

	guest64(&full, read_controls);
	is(vcpu_run(&full), "HLT", "MOV from control registers");
	r = get_regs(&full);
	is_hex(r.rax, LONG_CR0, "  CR0");
	is_hex(r.rbx, GUEST_PML4, "  CR3");
	is_hex(r.rcx, LONG_CR4, "  CR4");
	is_hex(r.rdx, 0, "  CR8");
	is_hex(r.rsi, LONG_CR0, "  SMSW");

	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		guest_long(&full, writes[i].code, writes[i].end);
		full.run->cr8 = 0;
		r = get_regs(&full);
		r.rax = writes[i].value;
		set_regs(&full, &r);
		if (writes[i].back)
			written(writes[i].back, writes[i].name);
		else
			is(vcpu_run(&full), "trap 13 error=0 at +0", "%s",
			   writes[i].name);
	}
	guest64(&full, write_cr8);
	r = get_regs(&full);
	r.rax = 7;
	set_regs(&full, &r);
	written(7, "CR8: 7");
	is_hex(full.run->cr8, 7, "  the run page's cr8");
	is_hex(get_sregs(&full).cr8, 7, "  KVM_GET_SREGS");
	full.run->cr8 = 3;
	guest64(&full, read_controls);
	full.run->cr8 = 3;
	is(vcpu_run(&full), "HLT", "MOV from CR8");
	is_hex(get_regs(&full).rdx, 3, "  is what the run page said");
	full.run->cr8 = 0;

	/* TS, EM and MP go without an exit or with one: it must not show. */
	guest64(&full, clts64);
	s = get_sregs(&full);
	s.cr0 |= CR0_TS;
	set_sregs(&full, &s);
	written(LONG_CR0, "CLTS");
	is_hex(get_sregs(&full).cr0, LONG_CR0, "  KVM_GET_SREGS");
	guest32(&full, lmsw32);
	r = get_regs(&full);
	r.rax = CR0_TS | CR0_EM | CR0_MP;
	set_regs(&full, &r);
	written(CR0_NE | CR0_ET | CR0_TS | CR0_EM | CR0_MP | CR0_PE,
		"LMSW sets TS, EM and MP and does not clear PE");
	guest32(&full, write_cr0_32);
	r = get_regs(&full);
	r.rax = CR0_PE | CR0_ET | 0x40;
	set_regs(&full, &r);
	written(CR0_PE | CR0_ET, "a reserved bit of CR0 is not kept");
}

GUEST64(debug64,
	"mov %rax, %dr0; mov %rbx, %dr1; mov %rcx, %dr2; mov %rsi, %dr3\n"
	"mov %rdi, %dr6; mov %rdx, %dr7\n"
	"cpuid; out %al, $0x10\n"
	"mov %dr0, %rax; mov %dr1, %rbx; mov %dr2, %rcx; mov %dr3, %rsi\n"
	"mov %dr6, %rdi; mov %dr7, %rdx; hlt");
GUEST64(breakpoint64,
	"mov %rax, %dr0; mov %rdx, %dr7; cpuid; nop; nop; hlt");
GUEST64(watchpoint64,
	"mov %rax, %dr0; mov %rdx, %dr7; movb $1, 0xb000; nop; hlt");
GUEST64(dr7_64, "mov %rax, %dr7; hlt");
GUEST64(dr4_64, "mov %dr4, %rax; hlt");
GUEST64(general_detect64,
	"mov %rdx, %dr7; nop; mov %dr0, %rax; hlt");

static void debug_registers(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest64(&full, debug64);
	r = get_regs(&full);
	r.rax = 0x1111111111;
	r.rbx = 0x2222222222;
	r.rcx = 0x3333333333;
	r.rsi = 0x4444444444;
	r.rdi = 0xffff0ff0;
	r.rdx = 0x400;
	set_regs(&full, &r);
	vcpu_run(&full);
	is(vcpu_run(&full), "HLT", "MOV to and from debug registers");
	r = get_regs(&full);
	is_hex(r.rax, 0x1111111111, "  DR0");
	is_hex(r.rbx, 0x2222222222, "  DR1");
	is_hex(r.rcx, 0x3333333333, "  DR2");
	is_hex(r.rsi, 0x4444444444, "  DR3");
	is_hex(r.rdi, 0xffff0ff0, "  DR6");
	is_hex(r.rdx, 0x400, "  DR7");

	guest64(&full, breakpoint64);
	r = get_regs(&full);
	r.rax = GUEST_CODE + 9;
	r.rdx = 0x402;
	set_regs(&full, &r);
	is(vcpu_run(&full), "trap 1 at +9",
	   "a breakpoint on the instruction after an exit");

	guest64(&full, watchpoint64);
	r = get_regs(&full);
	r.rax = 0xb000;
	r.rdx = 0x10402;
	set_regs(&full, &r);
	is(vcpu_run(&full), "trap 1 at +14", "a watchpoint on a write");
	guest64(&full, general_detect64);
	r = get_regs(&full);
	r.rdx = 0x2400;
	set_regs(&full, &r);
	is(vcpu_run(&full), "trap 1 at +4", "DR7.GD stops MOV from DR0");
	guest64(&full, dr7_64);
	r = get_regs(&full);
	r.rax = 1ull << 32;
	set_regs(&full, &r);
	is(vcpu_run(&full), "trap 13 error=0 at +0", "DR7 bit 32");
	guest64(&full, dr4_64);
	is(vcpu_run(&full), "HLT", "DR4 without CR4.DE");
	guest64(&full, dr4_64);
	s = get_sregs(&full);
	s.cr4 |= CR4_DE;
	set_sregs(&full, &s);
	is(vcpu_run(&full), "trap 6 at +0", "DR4 with CR4.DE");
}

GUEST64(invd64, "invd; wbinvd; hlt");
GUEST64(vmxon64, "vmxon 0xb000; hlt");
GUEST64(vmxoff64, "vmxoff; hlt");
GUEST64(vmclear64, "vmclear 0xb000; hlt");
GUEST64(vmptrld64, "vmptrld 0xb000; hlt");
GUEST64(vmptrst64, "vmptrst 0xb000; hlt");
GUEST64(vmread64, "vmread %rax, %rbx; hlt");
GUEST64(vmwrite64, "vmwrite %rbx, %rax; hlt");
GUEST64(vmlaunch64, "vmlaunch; hlt");
GUEST64(vmresume64, "vmresume; hlt");
GUEST64(invept64, "invept 0xb000, %rax; hlt");
GUEST64(invvpid64, "invvpid 0xb000, %rax; hlt");
GUEST64(vmfunc64, "vmfunc; hlt");
GUEST32(vmxon32, "vmxon 0xb000; hlt");
GUEST32(vmread32, "vmread %eax, %ebx; hlt");
GUEST32(vmlaunch32, "vmlaunch; hlt");
GUEST64(invpcid64, "invpcid 0xb000, %rax; hlt");
GUEST64(monitor64, "xor %ecx, %ecx; monitor; mwait; hlt");

static void other_instructions(void)
{
	/* None of these is in the CPUID that the guest was given. */
	static const struct {
		const char *name, *code, *end;
	} undefined[] = {
		{ "VMXON", vmxon64, vmxon64_end },
		{ "VMXOFF", vmxoff64, vmxoff64_end },
		{ "VMCLEAR", vmclear64, vmclear64_end },
		{ "VMPTRLD", vmptrld64, vmptrld64_end },
		{ "VMPTRST", vmptrst64, vmptrst64_end },
		{ "VMREAD", vmread64, vmread64_end },
		{ "VMWRITE", vmwrite64, vmwrite64_end },
		{ "VMLAUNCH", vmlaunch64, vmlaunch64_end },
		{ "VMRESUME", vmresume64, vmresume64_end },
		{ "INVEPT", invept64, invept64_end },
		{ "INVVPID", invvpid64, invvpid64_end },
		{ "VMFUNC", vmfunc64, vmfunc64_end },
		{ "INVPCID", invpcid64, invpcid64_end },
	};
	const char *got;
	size_t i;

	guest64(&full, invd64);
	is(vcpu_run(&full), "HLT", "INVD and WBINVD");
	guest64(&full, invd64);
	guest_user(&full);
	is(vcpu_run(&full), "trap 13 error=0 at +0", "ring 3: INVD");
	for (i = 0; i < ARRAY_SIZE(undefined); i++) {
		guest_long(&cpu, undefined[i].code, undefined[i].end);
		is(vcpu_run(&cpu), "trap 6 at +0", "%s", undefined[i].name);
	}
	guest32(&cpu, vmxon32);
	is(vcpu_run(&cpu), "trap 6 at +0", "VMXON in 32-bit mode");
	guest32(&cpu, vmread32);
	is(vcpu_run(&cpu), "trap 6 at +0", "VMREAD in 32-bit mode");
	guest32(&cpu, vmlaunch32);
	is(vcpu_run(&cpu), "trap 6 at +0", "VMLAUNCH in 32-bit mode");

	/* Not in CPUID, so #UD; KVM lets them pass, for old guests. */
	guest64(&cpu, monitor64);
	got = vcpu_run(&cpu);
	ok(!strcmp(got, "HLT") || !strcmp(got, "trap 6 at +2"),
	   "MONITOR and MWAIT: %s", got);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(60);
	vm_open(&vm, argv[1], 1 << 20);
	vcpu_open_bare(&cpu, &vm, 0);
	cpuid_least(&cpu);
	vcpu_open(&full, &vm, 1);

	no_cpuid_table();
	cpuid_table();
	msr_access();
	time_stamps();
	extended_control();
	control_registers();
	debug_registers();
	other_instructions();
	return done_testing();
}
