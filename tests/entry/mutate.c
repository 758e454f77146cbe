// SPDX-License-Identifier: GPL-2.0
/*
 * What is done to a good VMCS: a group of fields that belong together gets values
 * at the edges of its rules, or any. Here are the controls and the host's state.
 */
#include <linux/kernel.h>

#include "mutate.h"

#define PIN_POSTED_INTERRUPTS	BIT(7)
#define EXIT_ACKNOWLEDGE	BIT(15)
#define CPU_TPR_SHADOW		BIT(21)
#define CPU2_VM_FUNCTIONS	BIT(13)
#define CPU2_INTERRUPT_DELIVERY	BIT(9)
#define CPU2_PML		BIT(17)
#define CPU2_VE			BIT(18)

struct entry_case entry_good;

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
		return entry_some_bits(r, value, 32);
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
			FIELD(e, IO_BITMAP_A) = entry_address_edge(r, PAGE_IO_A);
		else
			FIELD(e, IO_BITMAP_B) = entry_address_edge(r, PAGE_IO_B);
	} else {
		FIELD(e, MSR_BITMAP) = entry_address_edge(r, PAGE_MSR_BITMAP);
	}
}

static void ept(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, EPTP) = (FIELD(e, EPTP) & ~0xfffULL) | entry_below(r, 0x1000);
		break;
	case 1:
		FIELD(e, EPTP) = entry_some_bits(r, FIELD(e, EPTP), 64);
		break;
	case 2:
		FIELD(e, CPU2_CONTROLS) |= CPU2_PML & MAY(cpu2);
		FIELD(e, PML_ADDRESS) = entry_address_edge(r, PAGE_PML);
		break;
	default:
		FIELD(e, EPTP) = entry_some_bits(r, FIELD(e, EPTP), 12);
	}
	if (one_in(r, 8))
		FIELD(e, CPU2_CONTROLS) ^= VMX_CPU2_EPT;
}

static void apic(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, CPU_CONTROLS) |= CPU_TPR_SHADOW;
	FIELD(e, TPR_THRESHOLD) = one_in(r, 2) ? entry_below(r, 16) : entry_number_edge(r);
	e->virtual_tpr = entry_below(r, 256);
	if (one_in(r, 3))
		FIELD(e, VIRTUAL_APIC_ADDRESS) = entry_address_edge(r, PAGE_VIRTUAL_APIC);
	if (one_in(r, 2))
		FIELD(e, CPU2_CONTROLS) |= (u32)entry_random(r) & 0x311 & MAY(cpu2);
	if (one_in(r, 3))
		FIELD(e, APIC_ACCESS_ADDRESS) = entry_address_edge(r, PAGE_APIC_ACCESS);
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
		FIELD(e, POSTED_INTERRUPT_VECTOR) = one_in(r, 4) ? 0x100 : entry_number_edge(r);
	else
		FIELD(e, POSTED_INTERRUPT_DESCRIPTOR) = entry_address_edge(r, PAGE_POSTED);
}

static void numbers(struct entry_case *e, struct entry_random *r)
{
	switch (entry_below(r, 4)) {
	case 0:
		FIELD(e, CR3_TARGET_COUNT) = entry_number_edge(r);
		break;
	case 1:
		FIELD(e, VPID) = one_in(r, 2) ? 0 : entry_number_edge(r);
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
		FIELD(e, EPTP_LIST_ADDRESS) = entry_address_edge(r, PAGE_EPTP_LIST);
		break;
	case 1:
		FIELD(e, VMREAD_BITMAP) = entry_address_edge(r, PAGE_VMREAD);
		break;
	case 2:
		FIELD(e, VMWRITE_BITMAP) = entry_address_edge(r, PAGE_VMWRITE);
		break;
	default:
		FIELD(e, VIRTUALIZATION_EXCEPTION_ADDRESS) = entry_address_edge(r, PAGE_VE);
	}
}

static void exit_lists(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2)) {
		FIELD(e, EXIT_MSR_STORE_COUNT) = entry_number_edge(r);
		FIELD(e, EXIT_MSR_STORE_ADDRESS) = entry_address_edge(r, PAGE_EXIT_STORE);
	} else {
		FIELD(e, EXIT_MSR_LOAD_COUNT) = entry_number_edge(r);
		FIELD(e, EXIT_MSR_LOAD_ADDRESS) = entry_address_edge(r, PAGE_EXIT_LOAD);
	}
}

static void entry_list(struct entry_case *e, struct entry_random *r)
{
	FIELD(e, ENTRY_MSR_LOAD_COUNT) = entry_number_edge(r);
	FIELD(e, ENTRY_MSR_LOAD_ADDRESS) = entry_address_edge(r, PAGE_ENTRY_LOAD);
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
		e->msr[i].value = msr == 0x277 ? entry_pat_edge(r) : msr == 0x174 ? 0x10 :
				  entry_canonical_edge(r);
		if (one_in(r, 12))
			e->msr[i].index |= BIT_ULL(32 + entry_below(r, 32));
		/* Bochs ignores this one, and goes on behind it: it is the last. */
		if (msr == 0x9b) {
			FIELD(e, ENTRY_MSR_LOAD_COUNT) = i + 1;
			break;
		}
	}
}

void entry_event(struct entry_case *e, struct entry_random *r)
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
						     entry_number_edge(r);
	if (one_in(r, 2))
		FIELD(e, GUEST_RFLAGS) ^= 0x200;
}

/* An event that the controls allow */
void entry_good_event(struct entry_case *e, struct entry_random *r)
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
		FIELD(e, HOST_CR0) = entry_some_bits(r, FIELD(e, HOST_CR0), one_in(r, 4) ? 64 : 32);
		break;
	case 1:
		FIELD(e, HOST_CR4) = entry_some_bits(r, FIELD(e, HOST_CR4), one_in(r, 4) ? 64 : 24);
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

	e->vmcs.value[PICK(r, fields)] = entry_canonical_edge(r);
}

static void host_msrs(struct entry_case *e, struct entry_random *r)
{
	if (one_in(r, 2))
		FIELD(e, HOST_PAT) = entry_pat_edge(r);
	else
		FIELD(e, HOST_EFER) = entry_efer_edge(r, FIELD(e, HOST_EFER));
}

static const struct entry_group groups[] = {
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
	{ "event injection", entry_event },
	{ "host CR0, CR3, CR4", host_registers },
	{ "host selectors", host_selectors },
	{ "host addresses", host_addresses },
	{ "host PAT and EFER", host_msrs },
};

/* These, then those of the guest's state, then several of them at once */
#define SEVERAL	(ARRAY_SIZE(groups) + entry_nr_guest_groups)

static const struct entry_group *group_of(unsigned int n)
{
	return n < ARRAY_SIZE(groups) ? &groups[n] : &entry_guest_groups[n - ARRAY_SIZE(groups)];
}

unsigned int entry_nr_groups(void)
{
	return SEVERAL + 1;
}

const char *entry_group_name(unsigned int n)
{
	return n == SEVERAL ? "several" : group_of(n)->name;
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
	*base = entry_make_good(e, &r);
	entry_good = *e;
	/* Every fourth is of the last group, the others take turns. */
	n = SEVERAL;
	group = number % 4 == 3 ? n : (number - number / 4) % n;
	if (group != n) {
		group_of(group)->mutate(e, &r);
		return group;
	}
	for (times = 2 + entry_below(&r, 3); times; times--)
		group_of(entry_below(&r, n))->mutate(e, &r);
	return group;
}
