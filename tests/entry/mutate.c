// SPDX-License-Identifier: GPL-2.0
/*
 * Good VMCSs of several kinds, and what is done to them: a group of fields that
 * belong together gets values at the edges of its rules, or any.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "entry.h"

#define PIN_TIMER		BIT(6)
#define PIN_POSTED_INTERRUPTS	BIT(7)
#define EXIT_ACKNOWLEDGE	BIT(15)
#define CPU_TPR_SHADOW		BIT(21)
#define CPU2_APIC_ACCESSES	BIT(0)
#define CPU2_VM_FUNCTIONS	BIT(13)
#define CPU2_SHADOWING		BIT(14)
#define CPU2_INTERRUPT_DELIVERY	BIT(9)
#define CPU2_PML		BIT(17)
#define CPU2_VE			BIT(18)

/* The bits of some controls that may be 1 */
#define MAY(controls)	(entry_msrs.controls >> 32)

static bool one_in(struct entry_random *r, u32 n)
{
	return !entry_below(r, n);
}

#define PICK(r, table)	((table)[entry_below(r, ARRAY_SIZE(table))])

struct entry_case entry_good;

/* --- Good ones --------------------------------------------------------------- */

enum kind { LONG, COMPATIBLE, PAE, PAGED, UNPAGED, REAL, VIRTUAL_8086 };

static const struct base {
	const char *name;
	enum kind kind;
	bool unrestricted;
	bool ept;
} bases[] = {
	{ "64-bit", LONG, true, true },
	{ "64-bit, restricted", LONG, false, true },
	{ "64-bit, no EPT", LONG, false, false },
	{ "compatibility", COMPATIBLE, true, true },
	{ "PAE", PAE, true, true },
	{ "PAE, restricted", PAE, false, true },
	{ "PAE, no EPT", PAE, false, false },
	{ "32-bit paging", PAGED, false, true },
	{ "unpaged", UNPAGED, true, true },
	{ "real mode", REAL, true, true },
	{ "virtual-8086", VIRTUAL_8086, true, true },
};

/* The bits that must be 1, and those of @wanted that may be */
static u32 controls(u64 msr, u32 wanted)
{
	return (u32)msr | (wanted & (msr >> 32));
}

static void set_segment(struct entry_case *e, unsigned int n, u16 selector, u64 base,
			u32 limit, u32 rights)
{
	e->vmcs.value[VMCS_INDEX_GUEST_ES_SELECTOR + n] = selector;
	e->vmcs.value[VMCS_INDEX_GUEST_ES_BASE + n] = base;
	e->vmcs.value[VMCS_INDEX_GUEST_ES_LIMIT + n] = limit;
	e->vmcs.value[VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS + n] = rights;
}

/* Numbers of segments: the order of their fields */
enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

static void set_segments(struct entry_case *e, enum kind kind)
{
	static const u32 code[] = {
		[LONG] = 0xa09b, [COMPATIBLE] = 0xc09b, [PAE] = 0xc09b, [PAGED] = 0xc09b,
		[UNPAGED] = 0xc09b, [REAL] = 0x9b, [VIRTUAL_8086] = 0xf3,
	};
	bool small = kind == REAL || kind == VIRTUAL_8086;
	u32 data = kind == VIRTUAL_8086 ? 0xf3 : kind == REAL ? 0x93 : 0xc093;
	unsigned int n;

	for (n = ES; n <= GS; n++)
		set_segment(e, n, small ? 0x100 : n == CS ? 8 : 0x10, small ? 0x1000 : 0,
			    small ? 0xffff : ~0U, n == CS ? code[kind] : data);
	set_segment(e, LDTR, 0x20, 0, 0xffff, 0x82);
	set_segment(e, TR, 0x18, 0, 0x67, 0x8b);
}

/* A VMCS that breaks no rule, as far as this CPU has what it takes */
static const char *good(struct entry_case *e, struct entry_random *r)
{
	const struct base *b;
	bool paged, pae, ia32e;
	u32 cpu2;

	do {
		b = &PICK(r, bases);
		cpu2 = VMX_CPU2_VPID | (b->ept ? VMX_CPU2_EPT : 0) |
		       (b->unrestricted ? VMX_CPU2_UNRESTRICTED_GUEST : 0);
	} while ((controls(entry_msrs.cpu2, cpu2) & cpu2) != cpu2);
	ia32e = b->kind <= COMPATIBLE;
	paged = b->kind <= PAGED;
	pae = b->kind <= PAE;

	memset(e, 0, sizeof(*e));
	e->vmcs = entry_host;
	e->link_word = entry_msrs.basic & VMX_BASIC_REVISION;
	FIELD(e, PIN_CONTROLS) = controls(entry_msrs.pin, VMX_PIN_EXTERNAL_INTERRUPT |
		VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS | PIN_TIMER);
	FIELD(e, CPU_CONTROLS) = controls(entry_msrs.cpu, VMX_CPU_HLT | VMX_CPU_SECONDARY |
					  VMX_CPU_MSR_BITMAPS);
	FIELD(e, CPU2_CONTROLS) = controls(entry_msrs.cpu2, cpu2);
	FIELD(e, EXIT_CONTROLS) = controls(entry_msrs.exit, VMX_EXIT_HOST_64BIT |
		VMX_EXIT_SAVE_DEBUG | VMX_EXIT_SAVE_EFER | VMX_EXIT_LOAD_EFER |
		VMX_EXIT_SAVE_PAT | VMX_EXIT_LOAD_PAT);
	FIELD(e, ENTRY_CONTROLS) = controls(entry_msrs.entry, VMX_ENTRY_LOAD_DEBUG |
		VMX_ENTRY_LOAD_EFER | VMX_ENTRY_LOAD_PAT | (ia32e ? VMX_ENTRY_IA32E_MODE : 0));
	FIELD(e, EXCEPTION_BITMAP) = ~0U;
	FIELD(e, VPID) = 1;
	FIELD(e, TSC_MULTIPLIER) = BIT_ULL(48);
	FIELD(e, ENTRY_INSTRUCTION_LENGTH) = 1;

	FIELD(e, IO_BITMAP_A) = entry_page(PAGE_IO_A);
	FIELD(e, IO_BITMAP_B) = entry_page(PAGE_IO_B);
	FIELD(e, MSR_BITMAP) = entry_page(PAGE_MSR_BITMAP);
	FIELD(e, EXIT_MSR_STORE_ADDRESS) = entry_page(PAGE_EXIT_STORE);
	FIELD(e, EXIT_MSR_LOAD_ADDRESS) = entry_page(PAGE_EXIT_LOAD);
	FIELD(e, ENTRY_MSR_LOAD_ADDRESS) = entry_page(PAGE_ENTRY_LOAD);
	FIELD(e, PML_ADDRESS) = entry_page(PAGE_PML);
	FIELD(e, VIRTUAL_APIC_ADDRESS) = entry_page(PAGE_VIRTUAL_APIC);
	FIELD(e, APIC_ACCESS_ADDRESS) = entry_page(PAGE_APIC_ACCESS);
	FIELD(e, POSTED_INTERRUPT_DESCRIPTOR) = entry_page(PAGE_POSTED);
	FIELD(e, EPTP) = entry_page(PAGE_EPT) | 3 << 3 | 6;
	FIELD(e, EPTP_LIST_ADDRESS) = entry_page(PAGE_EPTP_LIST);
	FIELD(e, VMREAD_BITMAP) = entry_page(PAGE_VMREAD);
	FIELD(e, VMWRITE_BITMAP) = entry_page(PAGE_VMWRITE);
	FIELD(e, VIRTUALIZATION_EXCEPTION_ADDRESS) = entry_page(PAGE_VE);
	FIELD(e, SUB_PAGE_PERMISSION_TABLE) = entry_page(PAGE_SUB_PAGE);
	FIELD(e, VMCS_LINK_POINTER) = ~0ULL;

	FIELD(e, GUEST_CR0) = 0x30 | (b->kind == REAL ? 0 : 1) | (paged ? BIT_ULL(31) : 0);
	if (b->kind == VIRTUAL_8086)
		FIELD(e, GUEST_CR0) |= BIT_ULL(31);
	FIELD(e, GUEST_CR3) = entry_page(PAGE_CR3);
	FIELD(e, GUEST_CR4) = entry_msrs.cr4_fixed0 | (pae ? 0x20 : 0);
	FIELD(e, GUEST_EFER) = (FIELD(e, HOST_EFER) & ~0x500ULL) | (ia32e ? 0x500 : 0);
	FIELD(e, GUEST_PAT) = 0x0007040600070406;
	FIELD(e, GUEST_DR7) = 0x400;
	FIELD(e, GUEST_RFLAGS) = b->kind == VIRTUAL_8086 ? 0x20002 : 2;
	FIELD(e, GUEST_RIP) = 0x1000;
	FIELD(e, GUEST_RSP) = 0x2000;
	FIELD(e, GUEST_GDTR_LIMIT) = 0xffff;
	FIELD(e, GUEST_IDTR_LIMIT) = 0xffff;
	set_segments(e, b->kind);
	return b->name;
}

/* --- Values ------------------------------------------------------------------ */

static u64 some_bits(struct entry_random *r, u64 value, unsigned int width)
{
	do {
		value ^= BIT_ULL(entry_below(r, width));
	} while (one_in(r, 4));
	return value;
}

static u64 canonical_edge(struct entry_random *r)
{
	const u8 n = entry_cpu.linear_bits;
	const u64 edges[] = {
		0, 1, BIT_ULL(n - 1) - 1, BIT_ULL(n - 1), BIT_ULL(n - 1) + 1, BIT_ULL(n),
		~0ULL, GENMASK_ULL(63, n - 1), GENMASK_ULL(63, n), GENMASK_ULL(63, n - 1) - 1,
		BIT_ULL(63), BIT_ULL(32), BIT_ULL(31), 0xffffffff,
		entry_random(r), entry_random(r) >> (64 - n),
	};

	return PICK(r, edges);
}

/* In its page, there but not aligned, or higher than the CPU can address */
static u64 address_edge(struct entry_random *r, enum entry_page page)
{
	u64 address = entry_page(page);
	u8 top = entry_cpu.phys_bits;

	switch (entry_below(r, 6)) {
	case 0:
		return address;
	case 1:
	case 2:
		return address | BIT_ULL(entry_below(r, 12));
	case 3:
		return address | BIT_ULL(top + entry_below(r, 64 - top));
	case 4:
		return address | BIT_ULL(top);
	default:
		return one_in(r, 2) ? ~0ULL : BIT_ULL(top) - 1;
	}
}

static u64 number_edge(struct entry_random *r)
{
	static const u64 edges[] = {
		0, 1, 2, 3, 4, 5, 15, 16, 17, 255, 256, 512, 0xffff, 0x10000, 0x7fffffff,
		0x80000000, 0xffffffff,
	};

	return one_in(r, 4) ? entry_random(r) : PICK(r, edges);
}

static u64 pat_edge(struct entry_random *r)
{
	u64 value = 0x0007040600070406;
	unsigned int shift = 8 * entry_below(r, 8);

	value &= ~(0xffULL << shift);
	return value | (u64)entry_below(r, one_in(r, 2) ? 9 : 256) << shift;
}

static u64 efer_edge(struct entry_random *r, u64 value)
{
	switch (entry_below(r, 3)) {
	case 0:
		return value ^ (u64)entry_below(r, 4) << (one_in(r, 2) ? 8 : 10);
	case 1:
		value &= ~0x500ULL;
		return value | entry_below(r, 2) << 8 | entry_below(r, 2) << 10;
	default:
		return some_bits(r, value, one_in(r, 2) ? 16 : 64);
	}
}

/* --- Groups ------------------------------------------------------------------ */

static u64 control_edge(struct entry_random *r, u64 value, u64 msr)
{
	switch (entry_below(r, 8)) {
	case 0:
		return (u32)msr;
	case 1:
		return msr >> 32;
	case 2:		/* any that is allowed */
		return (entry_random(r) & (msr >> 32)) | (u32)msr;
	case 3:
		return (u32)entry_random(r);
	default:
		return some_bits(r, value, 32);
	}
}

static void pin(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, PIN_CONTROLS) = control_edge(r, FIELD(e, PIN_CONTROLS), entry_msrs.pin);
	if (one_in(r, 2))
		FIELD(e, CPU_CONTROLS) |= VMX_CPU_NMI_WINDOW;
}

static void cpu(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, CPU_CONTROLS) = control_edge(r, FIELD(e, CPU_CONTROLS), entry_msrs.cpu);
}

static void cpu2(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, CPU2_CONTROLS) = control_edge(r, FIELD(e, CPU2_CONTROLS), entry_msrs.cpu2);
	if (one_in(r, 2))
		FIELD(e, CPU_CONTROLS) ^= CPU_TPR_SHADOW;
	if (one_in(r, 16))
		FIELD(e, CPU_CONTROLS) &= ~(u64)VMX_CPU_SECONDARY;
}

static void exit_controls(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, EXIT_CONTROLS) = control_edge(r, FIELD(e, EXIT_CONTROLS), entry_msrs.exit);
	if (one_in(r, 4))
		FIELD(e, PIN_CONTROLS) ^= PIN_TIMER;
}

static void entry_controls(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, ENTRY_CONTROLS) = control_edge(r, FIELD(e, ENTRY_CONTROLS), entry_msrs.entry);
}

static void bitmaps(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2)) {
		FIELD(e, CPU_CONTROLS) |= VMX_CPU_IO_BITMAPS & MAY(cpu);
		if (one_in(r, 2))
			FIELD(e, IO_BITMAP_A) = address_edge(r, PAGE_IO_A);
		else
			FIELD(e, IO_BITMAP_B) = address_edge(r, PAGE_IO_B);
	} else {
		FIELD(e, MSR_BITMAP) = address_edge(r, PAGE_MSR_BITMAP);
	}
}

static void ept(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, EPTP) = (FIELD(e, EPTP) & ~0xfffULL) | entry_below(r, 0x1000);
		break;
	case 1:
		FIELD(e, EPTP) = some_bits(r, FIELD(e, EPTP), 64);
		break;
	case 2:
		FIELD(e, CPU2_CONTROLS) |= CPU2_PML & MAY(cpu2);
		FIELD(e, PML_ADDRESS) = address_edge(r, PAGE_PML);
		break;
	default:
		FIELD(e, EPTP) = some_bits(r, FIELD(e, EPTP), 12);
	}
	if (one_in(r, 8))
		FIELD(e, CPU2_CONTROLS) ^= VMX_CPU2_EPT;
}

static void apic(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, CPU_CONTROLS) |= CPU_TPR_SHADOW;
	FIELD(e, TPR_THRESHOLD) = one_in(r, 2) ? entry_below(r, 16) : number_edge(r);
	e->virtual_tpr = entry_below(r, 256);
	if (one_in(r, 3))
		FIELD(e, VIRTUAL_APIC_ADDRESS) = address_edge(r, PAGE_VIRTUAL_APIC);
	if (one_in(r, 2))
		FIELD(e, CPU2_CONTROLS) |= (u32)entry_random(r) & 0x311 & MAY(cpu2);
	if (one_in(r, 3))
		FIELD(e, APIC_ACCESS_ADDRESS) = address_edge(r, PAGE_APIC_ACCESS);
}

/* All that they need, and each of it sometimes not */
static void posted_interrupts(struct entry_case *e, struct entry_random *r)
{
	if (!one_in(r, 8))
		FIELD(e, PIN_CONTROLS) |= PIN_POSTED_INTERRUPTS & MAY(pin);
	if (!one_in(r, 8))
		FIELD(e, EXIT_CONTROLS) |= EXIT_ACKNOWLEDGE;
	if (!one_in(r, 4))
		FIELD(e, CPU_CONTROLS) |= CPU_TPR_SHADOW;
	if (!one_in(r, 4))
		FIELD(e, CPU2_CONTROLS) |= CPU2_INTERRUPT_DELIVERY & MAY(cpu2);
	if (one_in(r, 2))
		FIELD(e, POSTED_INTERRUPT_VECTOR) = one_in(r, 4) ? 0x100 : number_edge(r);
	else
		FIELD(e, POSTED_INTERRUPT_DESCRIPTOR) = address_edge(r, PAGE_POSTED);
}

static void numbers(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, CR3_TARGET_COUNT) = number_edge(r);
		break;
	case 1:
		FIELD(e, VPID) = one_in(r, 2) ? 0 : number_edge(r);
		break;
	case 2:
		FIELD(e, CPU2_CONTROLS) |= BIT(25) & MAY(cpu2);
		FIELD(e, TSC_MULTIPLIER) = one_in(r, 2) ? 0 : entry_random(r);
		break;
	default:
		FIELD(e, TSC_OFFSET) = entry_random(r);
		FIELD(e, CR0_MASK) = entry_random(r);
		FIELD(e, CR4_MASK) = entry_random(r);
		FIELD(e, CR0_SHADOW) = entry_random(r);
		FIELD(e, PAGE_FAULT_MASK) = entry_random(r);
		FIELD(e, PAGE_FAULT_MATCH) = entry_random(r);
	}
}

static void functions(struct entry_case *e, struct entry_random *r)
{
	u32 bits = CPU2_VM_FUNCTIONS | CPU2_SHADOWING | CPU2_VE;

	FIELD(e, CPU2_CONTROLS) |= (u32)entry_random(r) & bits & MAY(cpu2);
	FIELD(e, VM_FUNCTION_CONTROLS) = one_in(r, 2) ? entry_below(r, 2) :
					 BIT_ULL(entry_below(r, 64));
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, EPTP_LIST_ADDRESS) = address_edge(r, PAGE_EPTP_LIST);
		break;
	case 1:
		FIELD(e, VMREAD_BITMAP) = address_edge(r, PAGE_VMREAD);
		break;
	case 2:
		FIELD(e, VMWRITE_BITMAP) = address_edge(r, PAGE_VMWRITE);
		break;
	default:
		FIELD(e, VIRTUALIZATION_EXCEPTION_ADDRESS) = address_edge(r, PAGE_VE);
	}
}

static void exit_lists(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2)) {
		FIELD(e, EXIT_MSR_STORE_COUNT) = number_edge(r);
		FIELD(e, EXIT_MSR_STORE_ADDRESS) = address_edge(r, PAGE_EXIT_STORE);
	} else {
		FIELD(e, EXIT_MSR_LOAD_COUNT) = number_edge(r);
		FIELD(e, EXIT_MSR_LOAD_ADDRESS) = address_edge(r, PAGE_EXIT_LOAD);
	}
}

static void entry_list(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, ENTRY_MSR_LOAD_COUNT) = number_edge(r);
	FIELD(e, ENTRY_MSR_LOAD_ADDRESS) = address_edge(r, PAGE_ENTRY_LOAD);
}

static void msr_contents(struct entry_case *e, struct entry_random *r)
{
	static const u32 msrs[] = {
		0x174, 0x175, 0x176, 0x277, 0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101,
		0xc0000102, 0x800, 0x808, 0x8ff, 0x9b,
	};
	unsigned int i;

	FIELD(e, ENTRY_MSR_LOAD_COUNT) = 1 + entry_below(r, ENTRY_MSRS);
	for (i = 0; i < ENTRY_MSRS; i++) {
		u32 msr = one_in(r, 2) ? 0x174 : PICK(r, msrs);

		e->msr[i].index = msr;
		e->msr[i].value = msr == 0x277 ? pat_edge(r) : msr == 0x174 ? 0x10 :
				  canonical_edge(r);
		if (one_in(r, 12))
			e->msr[i].index |= BIT_ULL(32 + entry_below(r, 32));
		/* Bochs ignores this one, and goes on behind it: it is the last. */
		if (msr == 0x9b) {
			FIELD(e, ENTRY_MSR_LOAD_COUNT) = i + 1;
			break;
		}
	}
}

static void event(struct entry_case *e, struct entry_random *r)
{
	static const u8 vectors[] = {
		0, 1, 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 16, 17, 18, 20, 21, 30, 31, 32, 128, 255,
	};
	u64 v = PICK(r, vectors) | entry_below(r, 8) << 8;

	if (one_in(r, 4))
		v = 2 | VMX_EVENT_NMI;
	if (one_in(r, 2))
		v |= VMX_EVENT_ERROR_CODE;
	if (one_in(r, 8))
		v |= BIT(12 + entry_below(r, 19));
	if (!one_in(r, 8))
		v |= VMX_EVENT_VALID;
	FIELD(e, ENTRY_EVENT) = v;
	FIELD(e, ENTRY_ERROR_CODE) = one_in(r, 4) ? BIT(entry_below(r, 32)) : 0;
	if (one_in(r, 2))
		FIELD(e, ENTRY_INSTRUCTION_LENGTH) = one_in(r, 2) ? entry_below(r, 18) :
						     number_edge(r);
	if (one_in(r, 2))
		FIELD(e, GUEST_RFLAGS) ^= 0x200;
}

/* An event that the controls allow */
static void good_event(struct entry_case *e, struct entry_random *r)
{
	static const u32 events[] = {
		VMX_EVENT_EXTERNAL | 32, VMX_EVENT_NMI | VMX_VECTOR_NMI,
		VMX_EVENT_HARD_EXCEPTION | VMX_VECTOR_DB, VMX_EVENT_HARD_EXCEPTION | VMX_VECTOR_UD,
		VMX_EVENT_HARD_EXCEPTION | VMX_VECTOR_MC, VMX_EVENT_SOFT_INTERRUPT | VMX_VECTOR_MC,
		VMX_EVENT_SOFT_INTERRUPT | 128, VMX_EVENT_PRIV_EXCEPTION | VMX_VECTOR_DB,
		VMX_EVENT_SOFT_EXCEPTION | VMX_VECTOR_BP, VMX_EVENT_EXTERNAL | VMX_VECTOR_MC,
		7 << 8,
	};

	FIELD(e, ENTRY_EVENT) = VMX_EVENT_VALID | PICK(r, events);
	FIELD(e, ENTRY_INSTRUCTION_LENGTH) = 2;
	if (one_in(r, 2))
		FIELD(e, GUEST_RFLAGS) |= 0x200;
}

static void host_registers(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 3)) {
	case 0:
		FIELD(e, HOST_CR0) = some_bits(r, FIELD(e, HOST_CR0), one_in(r, 4) ? 64 : 32);
		break;
	case 1:
		FIELD(e, HOST_CR4) = some_bits(r, FIELD(e, HOST_CR4), one_in(r, 4) ? 64 : 24);
		break;
	default:
		FIELD(e, HOST_CR3) |= BIT_ULL(40 + entry_below(r, 24));
	}
}

static void host_selectors(struct entry_case *e, struct entry_random *r)
{
	u64 *field = &e->vmcs.value[VMCS_INDEX_HOST_ES_SELECTOR + entry_below(r, 7)];

	*field = one_in(r, 4) ? 0 : one_in(r, 2) ? *field ^ (1 + entry_below(r, 7)) :
		 (u16)entry_random(r);
}

static void host_addresses(struct entry_case *e, struct entry_random *r)
{
	static const enum vmcs_index fields[] = {
		VMCS_INDEX_HOST_FS_BASE, VMCS_INDEX_HOST_GS_BASE, VMCS_INDEX_HOST_TR_BASE,
		VMCS_INDEX_HOST_GDTR_BASE, VMCS_INDEX_HOST_IDTR_BASE, VMCS_INDEX_HOST_SYSENTER_ESP,
		VMCS_INDEX_HOST_SYSENTER_EIP, VMCS_INDEX_HOST_RIP,
	};

	e->vmcs.value[PICK(r, fields)] = canonical_edge(r);
}

static void host_msrs(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2))
		FIELD(e, HOST_PAT) = pat_edge(r);
	else
		FIELD(e, HOST_EFER) = efer_edge(r, FIELD(e, HOST_EFER));
}

static void guest_cr(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, GUEST_CR0) = some_bits(r, FIELD(e, GUEST_CR0), one_in(r, 4) ? 64 : 32);
		break;
	case 1:
		FIELD(e, GUEST_CR0) ^= one_in(r, 2) ? 1 : BIT_ULL(31);
		break;
	case 2:
		FIELD(e, GUEST_CR4) = some_bits(r, FIELD(e, GUEST_CR4), one_in(r, 4) ? 64 : 24);
		break;
	default:
		FIELD(e, GUEST_CR3) |= BIT_ULL(entry_below(r, 64));
	}
	if (one_in(r, 8))
		FIELD(e, ENTRY_CONTROLS) ^= VMX_ENTRY_IA32E_MODE;
}

static void guest_msrs(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 6)) {
	case 0:
		FIELD(e, GUEST_DR7) = some_bits(r, FIELD(e, GUEST_DR7), 64);
		break;
	case 1:
		FIELD(e, GUEST_DEBUGCTL) = some_bits(r, 0, one_in(r, 2) ? 16 : 64);
		break;
	case 2:
		FIELD(e, GUEST_SYSENTER_ESP) = canonical_edge(r);
		FIELD(e, GUEST_SYSENTER_EIP) = one_in(r, 2) ? 0 : canonical_edge(r);
		break;
	case 3:
		FIELD(e, GUEST_PAT) = pat_edge(r);
		break;
	default:
		FIELD(e, GUEST_EFER) = efer_edge(r, FIELD(e, GUEST_EFER));
		if (one_in(r, 4))
			FIELD(e, GUEST_CR0) ^= BIT_ULL(31);
		if (one_in(r, 8))
			FIELD(e, ENTRY_CONTROLS) ^= VMX_ENTRY_LOAD_EFER;
	}
	if (one_in(r, 8))
		FIELD(e, ENTRY_CONTROLS) ^= one_in(r, 2) ? VMX_ENTRY_LOAD_DEBUG :
					    VMX_ENTRY_LOAD_PAT;
}

static u64 rights_edge(struct entry_random *r, u64 rights, bool system)
{
	static const u32 data[] = { 0x91, 0x93, 0x95, 0x97, 0x99, 0x9b, 0x9d, 0x9f, 0xf3, 0xc093,
				    0xc097, 0xa09b, 0xc0f3, 0xa0fb, 0x10000, 0xc09f };
	static const u32 sys[] = { 0x82, 0x83, 0x89, 0x8b, 0x81, 0x808b, 0x10000, 0x1008b };

	switch (entry_below(r, 8)) {
	case 0:
		return (u32)entry_random(r);
	case 1:
		return (u32)entry_random(r) & 0x1f0ff;
	case 2:
		return (rights & ~0xfULL) | entry_below(r, 16);
	case 3:
		return (rights & ~0x60ULL) | entry_below(r, 4) << 5;
	case 4:
		return system ? PICK(r, sys) : PICK(r, data);
	case 5:
		return rights ^ VMX_AR_UNUSABLE;
	default:
		return some_bits(r, rights, one_in(r, 2) ? 17 : 32);
	}
}

static void segment(struct entry_case *e, struct entry_random *r, unsigned int n)
{
	static const u64 limits[] = {
		0, 0xfff, 0xffff, 0xffffe, 0xfffff, 0x100000, 0x100fff, 0xfffff000, 0xffffffff,
	};
	u64 *selector = &e->vmcs.value[VMCS_INDEX_GUEST_ES_SELECTOR + n];
	u64 *base = &e->vmcs.value[VMCS_INDEX_GUEST_ES_BASE + n];
	u64 *limit = &e->vmcs.value[VMCS_INDEX_GUEST_ES_LIMIT + n];
	u64 *rights = &e->vmcs.value[VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS + n];

	do {
		switch (entry_below(r, 8)) {
		case 0:
			*selector = one_in(r, 3) ? entry_below(r, 8) : one_in(r, 2) ?
				    *selector ^ (1 + entry_below(r, 7)) : (u16)entry_random(r);
			break;
		case 1:
			*base = canonical_edge(r);
			break;
		case 2:
			*limit = one_in(r, 4) ? (u32)entry_random(r) : PICK(r, limits);
			break;
		case 3:
			/* As virtual-8086 mode wants it, or nearly */
			*base = *selector << 4;
			break;
		default:
			*rights = rights_edge(r, *rights, n >= LDTR);
		}
	} while (one_in(r, 3));
}

static u32 dpl_of(u64 rights)
{
	return (rights & VMX_AR_DPL_MASK) >> 5;
}

static void seg_cs(struct entry_case *e, struct entry_random *r)
{
	u64 *cs = &FIELD(e, GUEST_CS_ACCESS_RIGHTS), *ss = &FIELD(e, GUEST_SS_ACCESS_RIGHTS);

	if (!one_in(r, 4)) {
		segment(e, r, CS);
		return;
	}
	/* Code of any kind, and the privilege levels of the two */
	*cs = (*cs & ~0x6fULL) | 9 | (u64)entry_below(r, 4) << 1 | (u64)entry_below(r, 4) << 5;
	*ss = (*ss & ~0x60ULL) | (u64)entry_below(r, 4) << 5;
	FIELD(e, GUEST_CS_SELECTOR) = (FIELD(e, GUEST_CS_SELECTOR) & ~3ULL) | entry_below(r, 4);
	FIELD(e, GUEST_SS_SELECTOR) = (FIELD(e, GUEST_SS_SELECTOR) & ~3ULL) | dpl_of(*ss);
	if (!one_in(r, 4))
		return;
	/* The levels agree, and the selectors do, but not with these */
	*cs = (*cs & ~0x60ULL) | (*ss & 0x60);
	FIELD(e, GUEST_SS_SELECTOR) = (FIELD(e, GUEST_SS_SELECTOR) & ~3ULL) |
				      (FIELD(e, GUEST_CS_SELECTOR) & 3);
}

static void seg_ss(struct entry_case *e, struct entry_random *r)
{
	segment(e, r, SS);
	/* 64-bit code has a special case for the null selector. */
	if (one_in(r, 4))
		FIELD(e, GUEST_SS_SELECTOR) = 0;
}

static void seg_data(struct entry_case *e, struct entry_random *r)
{
	static const u8 data[] = { ES, DS };

	segment(e, r, PICK(r, data));
}

static void seg_fs_gs(struct entry_case *e, struct entry_random *r)
{
	segment(e, r, one_in(r, 2) ? FS : GS);
}

static void seg_system(struct entry_case *e, struct entry_random *r)
{
	segment(e, r, one_in(r, 2) ? LDTR : TR);
}

static void tables(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, GUEST_GDTR_BASE) = canonical_edge(r);
		break;
	case 1:
		FIELD(e, GUEST_IDTR_BASE) = canonical_edge(r);
		break;
	case 2:
		FIELD(e, GUEST_GDTR_LIMIT) = number_edge(r);
		break;
	default:
		FIELD(e, GUEST_IDTR_LIMIT) = number_edge(r);
	}
}

static void rip(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2))
		FIELD(e, GUEST_RIP) = canonical_edge(r);
	else
		FIELD(e, GUEST_RFLAGS) = some_bits(r, FIELD(e, GUEST_RFLAGS),
						   one_in(r, 4) ? 64 : 23);
}

static void activity(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2))
		FIELD(e, GUEST_ACTIVITY) = one_in(r, 8) ? number_edge(r) : entry_below(r, 4);
	if (one_in(r, 2))
		FIELD(e, GUEST_INTERRUPTIBILITY) = one_in(r, 4) ? BIT(entry_below(r, 32)) :
						   BIT(entry_below(r, 5));
	if (one_in(r, 8))
		FIELD(e, GUEST_INTERRUPTIBILITY) |= entry_below(r, 32);
	if (one_in(r, 2))
		good_event(e, r);
	else if (one_in(r, 8))
		event(e, r);
	if (one_in(r, 8)) {
		FIELD(e, ENTRY_EVENT) = VMX_EVENT_VALID | VMX_EVENT_NMI | VMX_VECTOR_NMI;
		FIELD(e, GUEST_INTERRUPTIBILITY) = BIT(entry_below(r, 4));
		FIELD(e, GUEST_RFLAGS) |= 0x200;
	}
	if (one_in(r, 4))
		FIELD(e, GUEST_RFLAGS) ^= one_in(r, 2) ? 0x200 : 0x100;
	if (one_in(r, 8))
		FIELD(e, GUEST_SS_ACCESS_RIGHTS) ^= 0x20;
	if (one_in(r, 8))
		FIELD(e, PIN_CONTROLS) &= ~(u64)VMX_PIN_VIRTUAL_NMIS;
}

static void pending(struct entry_case *e, struct entry_random *r)
{
	static const u64 values[] = { 0, BIT_ULL(14), BIT_ULL(12), BIT_ULL(16),
				      BIT_ULL(16) | BIT_ULL(12), 0xf, 0x500f };

	FIELD(e, GUEST_PENDING_DEBUG) = one_in(r, 4) ? some_bits(r, 0, 64) : PICK(r, values);
	FIELD(e, GUEST_INTERRUPTIBILITY) = entry_below(r, 3);
	FIELD(e, GUEST_RFLAGS) ^= (u64)entry_below(r, 4) << 8;
	if (one_in(r, 2))
		FIELD(e, GUEST_DEBUGCTL) = 2;
	if (one_in(r, 4))
		FIELD(e, GUEST_ACTIVITY) = 1;
}

static void link_pointer(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, VMCS_LINK_POINTER) = one_in(r, 8) ? entry_cpu.current_vmcs :
				      address_edge(r, PAGE_LINK);
	if (one_in(r, 2))
		e->link_word = some_bits(r, e->link_word, 32);
	if (one_in(r, 2))
		e->link_word ^= BIT(31);
	if (one_in(r, 2))
		FIELD(e, CPU2_CONTROLS) |= CPU2_SHADOWING & MAY(cpu2);
}

static void pdptes(struct entry_case *e, struct entry_random *r)
{
	unsigned int n = entry_below(r, 4);

	e->vmcs.value[VMCS_INDEX_GUEST_PDPTE0 + n] = some_bits(r, one_in(r, 4) ? 0 : 1, 64);
	e->pdpte[n] = some_bits(r, one_in(r, 4) ? 0 : 1, 64);
	FIELD(e, GUEST_CR4) |= 0x20;
}

static const struct group {
	const char *name;
	void (*mutate)(struct entry_case *e, struct entry_random *r);
} groups[] = {
	{ "pin-based controls", pin },
	{ "primary controls", cpu },
	{ "secondary controls", cpu2 },
	{ "exit controls", exit_controls },
	{ "entry controls", entry_controls },
	{ "bitmaps", bitmaps },
	{ "EPTP and PML", ept },
	{ "virtual APIC", apic },
	{ "posted interrupts", posted_interrupts },
	{ "VPID, counts, masks", numbers },
	{ "VM functions, shadowing", functions },
	{ "exit MSR lists", exit_lists },
	{ "entry MSR list", entry_list },
	{ "MSRs in the list", msr_contents },
	{ "event injection", event },
	{ "host CR0, CR3, CR4", host_registers },
	{ "host selectors", host_selectors },
	{ "host addresses", host_addresses },
	{ "host PAT and EFER", host_msrs },
	{ "guest CR0, CR3, CR4", guest_cr },
	{ "guest MSRs and DR7", guest_msrs },
	{ "CS", seg_cs },
	{ "SS", seg_ss },
	{ "DS and ES", seg_data },
	{ "FS and GS", seg_fs_gs },
	{ "LDTR and TR", seg_system },
	{ "GDTR and IDTR", tables },
	{ "RIP and RFLAGS", rip },
	{ "activity, blocking", activity },
	{ "pending debug exceptions", pending },
	{ "link pointer", link_pointer },
	{ "PDPTEs", pdptes },
	{ "several", NULL },
};

unsigned int entry_nr_groups(void)
{
	return ARRAY_SIZE(groups);
}

const char *entry_group_name(unsigned int n)
{
	return groups[n].name;
}

/**
 * entry_mutate() - make a case
 * @e: filled
 * @seed: of the run
 * @number: of the mutation; both together say all
 * @base: set to what kind of guest it is
 *
 * Return: the number of its group.
 */
unsigned int entry_mutate(struct entry_case *e, u64 seed, u64 number, const char **base)
{
	/* Twice, so that neighbours have nothing in common */
	struct entry_random r = { .state = seed };
	unsigned int group, n, times;

	r.state = entry_random(&r) ^ number;
	r.state = entry_random(&r);
	*base = good(e, &r);
	entry_good = *e;
	/* Every fourth is of the last group, the others take turns. */
	n = ARRAY_SIZE(groups) - 1;
	group = number % 4 == 3 ? n : (number - number / 4) % n;
	if (groups[group].mutate) {
		groups[group].mutate(e, &r);
		return group;
	}
	for (times = 2 + entry_below(&r, 3); times; times--)
		groups[entry_below(&r, n)].mutate(e, &r);
	return group;
}
