// SPDX-License-Identifier: GPL-2.0
/*
 * What would not come back, or would write where it must not, is left out: the
 * case is changed as little as it takes. Documentation/entry-checks.rst has the
 * list, with the same words.
 */
#include <linux/kernel.h>

#include "entry.h"

#define PIN_TIMER		BIT(6)
#define CPU_MONITOR_TRAP	BIT(27)
#define EXIT_ACKNOWLEDGE	BIT(15)
#define SHORT_LIST		7
#define CR0_PE			BIT_ULL(0)
#define CR0_PG			BIT_ULL(31)
#define RFLAGS_VM		BIT_ULL(17)

enum left_out {
	OUT_ADDRESS, OUT_HOST_ADDRESS, OUT_HOST_SELECTOR, OUT_HOST_CR, OUT_HOST_EFER,
	OUT_CONTROLS, OUT_LIST, OUT_SIPI, OUT_LONG_REAL, OUT_VM86_REAL, OUT_TYPE_7,
	NR_LEFT_OUT
};

const char * const entry_left_out_words[] = {
	[OUT_ADDRESS] = "a good address that is not in its page of the pool",
	[OUT_HOST_ADDRESS] = "a good host RIP, CR3, or base of TR, GDTR, IDTR, but another",
	[OUT_HOST_SELECTOR] = "a good host CS, SS, GS or TR selector, but another",
	[OUT_HOST_CR] = "a good host CR0 or CR4 that differs in what is not restored",
	[OUT_HOST_EFER] = "a good host EFER, but another",
	[OUT_CONTROLS] = "good controls that do not lead back",
	[OUT_LIST] = "a good list of MSRs that is long, or leaves its page",
	[OUT_SIPI] = "wait-for-SIPI with nothing to inject",
	[OUT_TYPE_7] = "Bochs: event of type 7 without monitor trap flag",
	[OUT_LONG_REAL] = "Bochs: IA-32e mode guest with CR0.PE 0",
	[OUT_VM86_REAL] = "Bochs: RFLAGS.VM with CR0.PE 0",
};

u64 entry_left_out[NR_LEFT_OUT];

unsigned int entry_nr_left_out(void)
{
	return NR_LEFT_OUT;
}

static bool physical(u64 address)
{
	return !(address >> entry_cpu.phys_bits);
}

static bool canonical(u64 address)
{
	u8 above = 64 - entry_cpu.linear_bits;

	return (u64)((s64)(address << above) >> above) == address;
}

/* Whether a rule about controls or the host's state is broken for certain */
static bool fails_early(const struct entry_case *e)
{
	static struct entry_findings f;
	unsigned int i;

	entry_check(e, &f);
	for (i = 0; i < f.n; i++)
		if (f.list[i].kind <= MVM_CHECK_HOST && !f.list[i].may)
			return true;
	return false;
}

static void set(u64 *field, u64 value, enum left_out why)
{
	if (*field == value)
		return;
	*field = value;
	entry_left_out[why]++;
}

static void tame_addresses(struct entry_case *e)
{
	static const struct {
		enum vmcs_index index;
		enum entry_page page;
	} addresses[] = {
		{ VMCS_INDEX_IO_BITMAP_A, PAGE_IO_A },
		{ VMCS_INDEX_IO_BITMAP_B, PAGE_IO_B },
		{ VMCS_INDEX_MSR_BITMAP, PAGE_MSR_BITMAP },
		{ VMCS_INDEX_EXIT_MSR_STORE_ADDRESS, PAGE_EXIT_STORE },
		{ VMCS_INDEX_EXIT_MSR_LOAD_ADDRESS, PAGE_EXIT_LOAD },
		{ VMCS_INDEX_ENTRY_MSR_LOAD_ADDRESS, PAGE_ENTRY_LOAD },
		{ VMCS_INDEX_PML_ADDRESS, PAGE_PML },
		{ VMCS_INDEX_VIRTUAL_APIC_ADDRESS, PAGE_VIRTUAL_APIC },
		{ VMCS_INDEX_APIC_ACCESS_ADDRESS, PAGE_APIC_ACCESS },
		{ VMCS_INDEX_POSTED_INTERRUPT_DESCRIPTOR, PAGE_POSTED },
		{ VMCS_INDEX_EPTP, PAGE_EPT },
		{ VMCS_INDEX_EPTP_LIST_ADDRESS, PAGE_EPTP_LIST },
		{ VMCS_INDEX_VMREAD_BITMAP, PAGE_VMREAD },
		{ VMCS_INDEX_VMWRITE_BITMAP, PAGE_VMWRITE },
		{ VMCS_INDEX_VIRTUALIZATION_EXCEPTION_ADDRESS, PAGE_VE },
		{ VMCS_INDEX_SUB_PAGE_PERMISSION_TABLE, PAGE_SUB_PAGE },
		{ VMCS_INDEX_VMCS_LINK_POINTER, PAGE_LINK },
		{ VMCS_INDEX_GUEST_CR3, PAGE_CR3 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		u64 *field = &e->vmcs.value[addresses[i].index];

		if (!physical(*field) || entry_in_page(addresses[i].page, *field) ||
		    (addresses[i].page == PAGE_LINK && *field == entry_cpu.current_vmcs))
			continue;
		set(field, entry_page(addresses[i].page) | (*field & 0xfff), OUT_ADDRESS);
	}
}

#define SAME(e, name, why)	set(&FIELD(e, name), entry_host.value[VMCS_INDEX_##name], why)

static void tame_host(struct entry_case *e)
{
	/* MP, EM, TS, WP, AM; PVI, TSD, DE, PCE, UMIP */
	const u64 free0 = 0x5000e, free4 = 0x90e;
	u64 cr0 = FIELD(e, HOST_CR0), cr4 = FIELD(e, HOST_CR4);

	if (physical(FIELD(e, HOST_CR3)))
		SAME(e, HOST_CR3, OUT_HOST_ADDRESS);
	if (canonical(FIELD(e, HOST_TR_BASE)))
		SAME(e, HOST_TR_BASE, OUT_HOST_ADDRESS);
	if (canonical(FIELD(e, HOST_GDTR_BASE)))
		SAME(e, HOST_GDTR_BASE, OUT_HOST_ADDRESS);
	if (canonical(FIELD(e, HOST_IDTR_BASE)))
		SAME(e, HOST_IDTR_BASE, OUT_HOST_ADDRESS);
	if (canonical(FIELD(e, HOST_RIP)))
		SAME(e, HOST_RIP, OUT_HOST_ADDRESS);

	if (!(FIELD(e, HOST_CS_SELECTOR) & 7) && FIELD(e, HOST_CS_SELECTOR))
		SAME(e, HOST_CS_SELECTOR, OUT_HOST_SELECTOR);
	if (!(FIELD(e, HOST_SS_SELECTOR) & 7))
		SAME(e, HOST_SS_SELECTOR, OUT_HOST_SELECTOR);
	if (!(FIELD(e, HOST_GS_SELECTOR) & 7))
		SAME(e, HOST_GS_SELECTOR, OUT_HOST_SELECTOR);
	if (!(FIELD(e, HOST_TR_SELECTOR) & 7) && FIELD(e, HOST_TR_SELECTOR))
		SAME(e, HOST_TR_SELECTOR, OUT_HOST_SELECTOR);

	if ((cr0 & entry_msrs.cr0_fixed0) == entry_msrs.cr0_fixed0 &&
	    !(cr0 & ~entry_msrs.cr0_fixed1))
		set(&FIELD(e, HOST_CR0), (entry_host.value[VMCS_INDEX_HOST_CR0] & ~free0) |
		    (cr0 & free0), OUT_HOST_CR);
	if ((cr4 & entry_msrs.cr4_fixed0) == entry_msrs.cr4_fixed0 &&
	    !(cr4 & ~entry_msrs.cr4_fixed1) && cr4 & BIT_ULL(5))
		set(&FIELD(e, HOST_CR4), (entry_host.value[VMCS_INDEX_HOST_CR4] & ~free4) |
		    (cr4 & free4 & entry_msrs.cr4_fixed1), OUT_HOST_CR);
	if (FIELD(e, EXIT_CONTROLS) & VMX_EXIT_HOST_64BIT &&
	    (FIELD(e, HOST_EFER) & 0x500) == 0x500 && mvm_check_efer(FIELD(e, HOST_EFER)))
		SAME(e, HOST_EFER, OUT_HOST_EFER);
}

static void tame_list(u64 *address, u64 *count)
{
	if (*address & 15 || !physical(*address))
		return;
	if (*count > SHORT_LIST)
		set(count, *count & SHORT_LIST, OUT_LIST);
	if ((*address & 0xfff) > 0xf00)
		set(address, *address & ~0xffULL, OUT_LIST);
}

/* Such as can enter must come out again at once, and leave the host as it was. */
static void tame_controls(struct entry_case *e)
{
	set(&FIELD(e, PIN_CONTROLS), FIELD(e, PIN_CONTROLS) | VMX_PIN_EXTERNAL_INTERRUPT |
	    VMX_PIN_NMI | PIN_TIMER, OUT_CONTROLS);
	set(&FIELD(e, EXIT_CONTROLS), (FIELD(e, EXIT_CONTROLS) & ~(u64)EXIT_ACKNOWLEDGE) |
	    VMX_EXIT_LOAD_EFER, OUT_CONTROLS);
}

/**
 * entry_tame() - leave out what must not be
 * @e: the case
 * @bochs: also what Bochs does not survive
 */
void entry_tame(struct entry_case *e, bool bochs)
{
	u64 *cr0 = &FIELD(e, GUEST_CR0);
	unsigned int i;

#define TRUNCATE(name, encoding, width, section, words)		\
	if (VMCS_WIDTH(encoding) == VMCS_WIDTH_16)		\
		e->vmcs.value[VMCS_INDEX_##name] &= 0xffff;	\
	else if (VMCS_WIDTH(encoding) == VMCS_WIDTH_32)		\
		e->vmcs.value[VMCS_INDEX_##name] &= 0xffffffff;
	VMCS_FIELDS(TRUNCATE)

	FIELD(e, PREEMPTION_TIMER) = 0;
	tame_addresses(e);
	tame_host(e);
	tame_list(&FIELD(e, EXIT_MSR_STORE_ADDRESS), &FIELD(e, EXIT_MSR_STORE_COUNT));
	tame_list(&FIELD(e, EXIT_MSR_LOAD_ADDRESS), &FIELD(e, EXIT_MSR_LOAD_COUNT));
	/* As many as there are; the rest of the page is empty, and MSR 0 no MSR. */
	tame_list(&FIELD(e, ENTRY_MSR_LOAD_ADDRESS), &FIELD(e, ENTRY_MSR_LOAD_COUNT));
	if (FIELD(e, ENTRY_MSR_LOAD_COUNT) <= SHORT_LIST) {
		if (FIELD(e, ENTRY_MSR_LOAD_COUNT) > ENTRY_MSRS)
			set(&FIELD(e, ENTRY_MSR_LOAD_COUNT), ENTRY_MSRS, OUT_LIST);
		if (!(FIELD(e, ENTRY_MSR_LOAD_ADDRESS) & 15) &&
		    physical(FIELD(e, ENTRY_MSR_LOAD_ADDRESS)))
			set(&FIELD(e, ENTRY_MSR_LOAD_ADDRESS), entry_page(PAGE_ENTRY_LOAD),
			    OUT_LIST);
	}
	for (i = 0; i < ENTRY_MSRS; i++)
		if (!e->msr[i].index)
			e->msr[i].index = 0x174;

	if (FIELD(e, GUEST_ACTIVITY) == 3 && !(FIELD(e, ENTRY_EVENT) & VMX_EVENT_VALID)) {
		entry_left_out[OUT_SIPI]++;
		FIELD(e, ENTRY_EVENT) = VMX_EVENT_VALID | VMX_EVENT_HARD_EXCEPTION |
					VMX_VECTOR_UD;
	}
	if (bochs && !(*cr0 & CR0_PE)) {
		if (FIELD(e, ENTRY_CONTROLS) & VMX_ENTRY_IA32E_MODE)
			set(cr0, *cr0 | CR0_PE, OUT_LONG_REAL);
		else if (FIELD(e, GUEST_RFLAGS) & RFLAGS_VM)
			set(cr0, *cr0 | CR0_PE, OUT_VM86_REAL);
	}
	if (bochs && (FIELD(e, ENTRY_EVENT) & (VMX_EVENT_VALID | VMX_EVENT_TYPE)) ==
	    (VMX_EVENT_VALID | 7 << 8) && !((entry_msrs.cpu >> 32) & CPU_MONITOR_TRAP))
		set(&FIELD(e, ENTRY_EVENT), VMX_EVENT_VALID | 1 << 8, OUT_TYPE_7);
	if (!fails_early(e))
		tame_controls(e);
}
