// SPDX-License-Identifier: GPL-2.0
/* Good VMCSs of several kinds. */
#include <linux/kernel.h>
#include <linux/string.h>

#include "mutate.h"

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
const char *entry_make_good(struct entry_case *e, struct entry_random *r)
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
