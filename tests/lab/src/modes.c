// SPDX-License-Identifier: GPL-2.0
/*
 * Mode switches by the guest itself, and paging of every kind: 32-bit, PAE
 * (whose four top entries the processor keeps, and a hypervisor must load)
 * and long mode.
 */
#include "tap.h"
#include "vm.h"

static struct vm vm;
static struct vcpu cpu;

/* Each stage says OUT with its number. */
GUEST16(journey,
	"	mov $1, %al; out %al, $0x10\n"
	"	lgdtl gdtr - journey + 0x1000\n"
	"	mov %cr0, %eax; or $1, %al; mov %eax, %cr0\n"
	"	ljmpl $8, $protected - journey + 0x1000\n"
	".code32\n"
	"protected:\n"
	"	mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n"
	"	mov $2, %al; out %al, $0x10\n"
	"	movl $0x6007, 0x5000; movl $0xc007, 0x6000; movl $0x87, 0xc000\n"
	"	mov $0x20, %eax; mov %eax, %cr4; mov $0x5000, %eax\n"
	"	mov %eax, %cr3\n"
	"	mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr\n"
	"	mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0\n"
	"	mov $3, %al; out %al, $0x10\n"
	"	rdmsr; and $0x500, %eax; out %ax, $0x11\n"
	"	ljmp $0x18, $longmode - journey + 0x1000\n"
	".code64\n"
	"longmode:\n"
	"	mov $0x1234567890abcdef, %rbx; mov $4, %al; out %al, $0x10\n"
	"	shr $32, %rbx; mov %ebx, %eax; out %eax, $0x11\n"
	"	ljmp *far32 - journey + 0x1000\n"
	".code32\n"
	"compat:\n"
	"	mov $5, %al; out %al, $0x10\n"
	"	mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0\n"
	"	rdmsr; and $0x500, %eax; out %ax, $0x11\n"
	"	and $~0x100, %eax; wrmsr\n"
	"	xor %eax, %eax; mov %eax, %cr4\n"
	"	mov $6, %al; out %al, $0x10\n"
	"	ljmp $0x20, $small - journey + 0x1000\n"
	".code16\n"
	"small:\n"
	"	mov $0x28, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss\n"
	"	mov %cr0, %eax; and $~1, %al; mov %eax, %cr0\n"
	"	ljmp $0, $real - journey + 0x1000\n"
	"real:\n"
	"	xor %ax, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss\n"
	"	mov $7, %al; out %al, $0x10\n"
	"	hlt; int $30; hlt\n"
	".balign 8\n"
	"far32:	.long compat - journey + 0x1000; .word 8\n"
	".balign 8\n"
	"gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"	.quad 0x00af9b000000ffff, 0x00009b000000ffff\n"
	"	.quad 0x000093000000ffff\n"
	"gdtr:	.word 47; .long gdt - journey + 0x1000\n");

static void journey_test(void)
{
	static const char *const stages[] = {
		"OUT port=10 size=1 count=1 data=01",
		"OUT port=10 size=1 count=1 data=02",
		"OUT port=10 size=1 count=1 data=03",
		"OUT port=11 size=2 count=1 data=0005",	/* LMA and LME */
		"OUT port=10 size=1 count=1 data=04",
		"OUT port=11 size=4 count=1 data=78563412",
		"OUT port=10 size=1 count=1 data=05",
		"OUT port=11 size=2 count=1 data=0001",	/* LME alone */
		"OUT port=10 size=1 count=1 data=06",
		"OUT port=10 size=1 count=1 data=07",
	};
	static const char *const names[] = {
		"real mode", "protected mode", "compatibility mode",
		"  EFER", "long mode", "  the upper half of RBX",
		"back in compatibility mode", "  EFER without paging",
		"protected mode", "real mode again",
	};
	struct kvm_sregs s;
	char trap[32];
	size_t i;

	guest16(&cpu, journey);
	for (i = 0; i < ARRAY_SIZE(stages); i++)
		is(vcpu_run(&cpu), stages[i], "journey: %s", names[i]);
	is(vcpu_run(&cpu), "HLT", "journey: HLT");
	snprintf(trap, sizeof(trap), "trap 30 at +%lld",
		 get_regs(&cpu).rip - GUEST_CODE + 2);
	is(vcpu_run(&cpu), trap, "journey: an interrupt through the IVT");
	is(vcpu_run(&cpu), "HLT", "journey: the end");
	s = get_sregs(&cpu);
	is_hex(s.cr0 & (CR0_PG | CR0_PE), 0, "  CR0");
	is_hex(s.efer, 0, "  EFER");
	is_hex(s.cr4, 0, "  CR4");
}

static void put64(u32 gpa, u64 value)
{
	memcpy(vm.mem + gpa, &value, 8);
}

static void put32(u32 gpa, u32 value)
{
	memcpy(vm.mem + gpa, &value, 4);
}

#define PDPT_A	0x5000
#define PDPT_B	0x5020
#define PD_LOW	0x6000	/* 0 to 1 GiB: identity */
#define PD_A	0xc000	/* 1 GiB: 0 */
#define PD_B	0xd000	/* 1 GiB: 2 MiB */

static void pae_tables(void)
{
	memset(vm.mem + 0x5000, 0, 0x2000);
	put64(PDPT_A, PD_LOW | 1);
	put64(PDPT_A + 8, PD_A | 1);
	put64(PDPT_B, PD_LOW | 1);
	put64(PDPT_B + 8, PD_B | 1);
	put64(PD_LOW, 0x83);
	put64(PD_A, 0x83);
	put64(PD_B, 0x200083);
	put32(0xb000, 0xaaaa);
	put32(0x20b000, 0xbbbb);
}

GUEST32(pae_by_guest,
	"mov $0x20, %eax; mov %eax, %cr4; mov $0x5000, %eax; mov %eax, %cr3\n"
	"mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0\n"
	"mov 0x4000b000, %eax; out %ax, $0x10\n"
	/* Another table, by MOV to CR3. */
	"mov $0x5020, %eax; mov %eax, %cr3\n"
	"mov 0x4000b000, %eax; out %ax, $0x10\n"
	/* The entry in memory changes: nothing until it is loaded again. */
	"movl $0xc001, 0x5028; invlpg 0x4000b000\n"
	"mov %cr4, %eax; xor $0x80, %eax; mov %eax, %cr4\n"
	"mov 0x4000b000, %eax; out %ax, $0x10\n"
	/* Paging off and on, with the entry changed in between. */
	"mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0\n"
	"movl $0xd001, 0x5028\n"
	"or $0x80000000, %eax; mov %eax, %cr0\n"
	"mov 0x4000b000, %eax; out %ax, $0x10\n"
	"hlt");
GUEST32(read_high, "mov 0x4000b000, %eax; out %ax, $0x10; hlt");
GUEST32(pae_reserved,
	"mov $0x20, %eax; mov %eax, %cr4; mov $0x5000, %eax; mov %eax, %cr3\n"
	"mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0; hlt");
GUEST32(pae_reserved_cr3, "mov $0x5020, %eax; mov %eax, %cr3; hlt");

static void pae(void)
{
	struct kvm_sregs s;

	guest32(&cpu, pae_by_guest);
	pae_tables();
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=aaaa",
	   "PAE: paging switched on by the guest");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=bbbb",
	   "PAE: another CR3");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=aaaa",
	   "PAE: MOV to CR4 loads the entries again");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=bbbb",
	   "PAE: so does MOV to CR0");
	is(vcpu_run(&cpu), "HLT", "PAE: the end");

	guest32(&cpu, read_high);
	pae_tables();
	s = get_sregs(&cpu);
	s.cr3 = PDPT_B;
	s.cr4 = CR4_PAE;
	s.cr0 |= CR0_PG;
	set_sregs(&cpu, &s);
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=bbbb",
	   "PAE: paging switched on by KVM_SET_SREGS");

	guest32(&cpu, pae_reserved);
	pae_tables();
	put64(PDPT_A + 8, PD_A | 0x7);
	is(vcpu_run(&cpu), "trap 13 error=0 at +24",
	   "PAE: an entry with reserved bits, MOV to CR0");
	guest32(&cpu, pae_reserved_cr3);
	pae_tables();
	put64(PDPT_B + 8, PD_B | 0x7);
	s = get_sregs(&cpu);
	s.cr3 = PDPT_A;
	s.cr4 = CR4_PAE;
	s.cr0 |= CR0_PG;
	set_sregs(&cpu, &s);
	is(vcpu_run(&cpu), "trap 13 error=0 at +5",
	   "PAE: an entry with reserved bits, MOV to CR3");
}

GUEST32(legacy_by_guest,
	"mov $0x10, %eax; mov %eax, %cr4; mov $0x5000, %eax; mov %eax, %cr3\n"
	"mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0\n"
	"mov 0x4000b000, %eax; out %ax, $0x10\n"
	"mov $0x6000, %eax; mov %eax, %cr3\n"
	"mov 0x4000b000, %eax; out %ax, $0x10\n"
	"hlt");

static void legacy(void)
{
	struct kvm_sregs s;
	u32 i;

	guest32(&cpu, legacy_by_guest);
	memset(vm.mem + 0x5000, 0, 0x2000);
	put32(0x5000, 0x83);		/* 4 MiB page at 0 */
	put32(0x5000 + 0x400, 0x83);	/* 1 GiB: the same */
	put32(0x6000, 0x83);
	put32(0x6000 + 0x400, 0xc003);	/* 1 GiB: 4 KiB pages */
	for (i = 0; i < 1024; i++)
		put32(0xc000 + 4 * i, (0x200000 + (i << 12)) | 3);
	put32(0xb000, 0xaaaa);
	put32(0x20b000, 0xbbbb);
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=aaaa",
	   "32-bit paging with a 4 MiB page");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=bbbb",
	   "32-bit paging with 4 KiB pages");
	is(vcpu_run(&cpu), "HLT", "32-bit paging: the end");

	guest32(&cpu, read_high);
	memset(vm.mem + 0x5000, 0, 0x2000);
	put32(0x5000, 0x83);
	put32(0x5000 + 0x400, 0x83);
	put32(0xb000, 0xcccc);
	s = get_sregs(&cpu);
	s.cr3 = 0x5000;
	s.cr4 = 0x10;
	s.cr0 |= CR0_PG;
	set_sregs(&cpu, &s);
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=cccc",
	   "32-bit paging switched on by KVM_SET_SREGS");
}

/*
 * Paging is left and entered again with other tables: what the processor
 * cached for the old ones must not be used.
 */
GUEST64(stale,
	"mov 0x4000b000, %eax; out %ax, $0x10\n"
	"movl $0xd003, 0x5008\n"
	"mov %cr3, %rax; mov %rax, %cr3\n"
	"mov 0x4000b000, %eax; out %ax, $0x10\n"
	"movl $0xc003, 0x5008\n"
	"invlpg 0x4000b000\n"
	"mov 0x4000b000, %eax; out %ax, $0x10; hlt");

static void cached_translations(void)
{
	guest64(&cpu, stale);
	put64(GUEST_PDPT + 8, PD_A | 3);
	put64(PD_A, 0x83);
	put64(PD_B, 0x200083);
	put32(0xb000, 0xaaaa);
	put32(0x20b000, 0xbbbb);
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=aaaa",
	   "long mode: a translation");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=bbbb",
	   "long mode: MOV to CR3 forgets it");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=aaaa",
	   "long mode: INVLPG forgets the next");
	/* The host changes tables behind the guest's back, and SREGS too. */
	guest64(&cpu, stale);
	put64(GUEST_PDPT + 8, PD_B | 3);
	put64(PD_A, 0x83);
	put64(PD_B, 0x200083);
	put32(0xb000, 0xaaaa);
	put32(0x20b000, 0xbbbb);
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=bbbb",
	   "long mode: KVM_SET_SREGS starts anew");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(60);
	vm_open(&vm, argv[1], 4 << 20);
	vcpu_open(&cpu, &vm, 0);
	/* Long mode, NX and big pages are in CPUID. */

	journey_test();
	pae();
	legacy();
	cached_translations();
	return done_testing();
}
