// SPDX-License-Identifier: GPL-2.0
/*
 * What the value of a VMCS field says, in words. Each line that is written
 * stands for itself. Sections of the SDM, Vol. 3, are named where a format is
 * defined.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include "../../module/vmx/arch.h"
#include "../../module/vmx/control.h"
#include "vmcs.h"

static __u64 bits(__u64 value, unsigned int high, unsigned int low)
{
	return value >> low & GENMASK_ULL(high - low, 0);
}

struct flag {
	__u8 bit;
	const char *name;
};

static const char *flag_name(unsigned int bit, const struct flag *flags, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (flags[i].bit == bit)
			return flags[i].name;
	return NULL;
}

/* The names of the bits that are 1, in one line; numbers for those without */
static void put_flags(FILE *out, __u64 value, const struct flag *flags, unsigned int count)
{
	const char *separator = "", *name;
	unsigned int bit, last;

	if (!value)
		return;
	for (bit = 0; bit < 64; bit = last + 1) {
		last = bit;
		if (!(value >> bit & 1))
			continue;
		name = flag_name(bit, flags, count);
		while (!name && last < 63 && value >> (last + 1) & 1 &&
		       !flag_name(last + 1, flags, count))
			last++;
		if (name)
			fprintf(out, "%s%s", separator, name);
		else if (last == bit)
			fprintf(out, "%sbit %u", separator, bit);
		else
			fprintf(out, "%sbits %u:%u", separator, last, bit);
		separator = ", ";
	}
	fputc('\n', out);
}

/* Vol. 3, "Control Registers" */
static const struct flag cr0_flags[] = {
	{ 0, "PE" }, { 1, "MP" }, { 2, "EM" }, { 3, "TS" }, { 4, "ET" }, { 5, "NE" },
	{ 16, "WP" }, { 18, "AM" }, { 29, "NW" }, { 30, "CD" }, { 31, "PG" },
};

static const struct flag cr4_flags[] = {
	{ 0, "VME" }, { 1, "PVI" }, { 2, "TSD" }, { 3, "DE" }, { 4, "PSE" },
	{ 5, "PAE" }, { 6, "MCE" }, { 7, "PGE" }, { 8, "PCE" }, { 9, "OSFXSR" },
	{ 10, "OSXMMEXCPT" }, { 11, "UMIP" }, { 12, "LA57" }, { 13, "VMXE" },
	{ 14, "SMXE" }, { 16, "FSGSBASE" }, { 17, "PCIDE" }, { 18, "OSXSAVE" },
	{ 19, "KL" }, { 20, "SMEP" }, { 21, "SMAP" }, { 22, "PKE" }, { 23, "CET" },
	{ 24, "PKS" }, { 25, "UINTR" },
};

static const struct flag efer_flags[] = {
	{ 0, "SCE" }, { 8, "LME" }, { 10, "LMA" }, { 11, "NXE" },
};

/* Vol. 1, "EFLAGS Register"; bit 1 is always 1. */
static const struct flag rflags_flags[] = {
	{ 0, "CF" }, { 1, "1" }, { 2, "PF" }, { 4, "AF" }, { 6, "ZF" }, { 7, "SF" }, { 8, "TF" },
	{ 9, "IF" }, { 10, "DF" }, { 14, "NT" }, { 16, "RF" }, { 17, "VM" }, { 18, "AC" },
	{ 19, "VIF" }, { 20, "VIP" }, { 21, "ID" },
};

/* Vol. 3, "Debug Control Register (DR7)"; bit 10 is always 1. */
static const struct flag dr7_flags[] = {
	{ 0, "L0" }, { 1, "G0" }, { 2, "L1" }, { 3, "G1" }, { 4, "L2" }, { 5, "G2" },
	{ 6, "L3" }, { 7, "G3" }, { 8, "LE" }, { 9, "GE" }, { 10, "1" }, { 11, "RTM" },
	{ 13, "GD" },
};

static const struct flag debugctl_flags[] = {
	{ 0, "LBR" }, { 1, "BTF" }, { 2, "BLD" }, { 6, "TR" }, { 7, "BTS" }, { 8, "BTINT" },
	{ 11, "freeze LBRs on PMI" }, { 12, "freeze counters on PMI" }, { 15, "RTM" },
};

/* Vol. 3, "Guest Non-Register State" (2024: 25.4.2) */
static const struct flag interruptibility_flags[] = {
	{ 0, "blocking by STI" }, { 1, "blocking by MOV SS" }, { 2, "blocking by SMI" },
	{ 3, "blocking by NMI" }, { 4, "enclave interruption" },
};

static const struct flag pending_debug_flags[] = {
	{ 0, "B0" }, { 1, "B1" }, { 2, "B2" }, { 3, "B3" }, { 11, "bus lock" },
	{ 12, "enabled breakpoint" }, { 14, "BS" }, { 16, "RTM" },
};

/* Vol. 3, "Exceptions and Interrupts" (2024: table 6-1) */
static const char *const vectors[32] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL, "#TS", "#NP",
	"#SS", "#GP", "#PF", NULL, "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
};

static void put_exceptions(FILE *out, __u64 value)
{
	const char *separator = "";
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		if (!(value >> bit & 1))
			continue;
		if (vectors[bit])
			fprintf(out, "%s%s", separator, vectors[bit]);
		else
			fprintf(out, "%svector %u", separator, bit);
		separator = ", ";
	}
	if (value)
		fputs(" exit\n", out);
}

static void put_controls(FILE *out, enum mvm_control_word word, __u64 value)
{
	unsigned int bit;
	const char *name;

	for (bit = 0; bit < 64; bit++) {
		name = mvm_control_name(word, bit);
		if (name)
			fprintf(out, "%u  bit %-2u %s\n", (unsigned int)(value >> bit & 1),
				bit, name);
		else if (value >> bit & 1)
			fprintf(out, "1  bit %-2u (reserved)\n", bit);
	}
}

/* Vol. 3, "Segment Selectors" */
static void put_selector(FILE *out, __u64 value)
{
	if (value & ~3ULL)
		fprintf(out, "%s entry %llu, RPL %llu\n", value & 4 ? "LDT" : "GDT",
			bits(value, 15, 3), bits(value, 1, 0));
}

/* Vol. 3, "Code- and Data-Segment Types" and "System Descriptor Types" */
static const char *segment_type(__u64 rights)
{
	static const char *const code_or_data[16] = {
		"data, read-only", "data, read-only, accessed",
		"data", "data, accessed",
		"data, read-only, expands down", "data, read-only, expands down, accessed",
		"data, expands down", "data, expands down, accessed",
		"code, execute-only", "code, execute-only, accessed",
		"code", "code, accessed",
		"code, execute-only, conforming", "code, execute-only, conforming, accessed",
		"code, conforming", "code, conforming, accessed",
	};
	static const char *const system[16] = {
		[1] = "16-bit TSS, available", [2] = "LDT", [3] = "16-bit TSS, busy",
		[9] = "TSS, available", [11] = "TSS, busy",
	};
	unsigned int type = rights & VMX_AR_TYPE;

	if (rights & VMX_AR_S)
		return code_or_data[type];
	return system[type] ? system[type] : "no such system segment";
}

static void put_access_rights(FILE *out, __u64 value)
{
	const char *size = "";

	if (value & VMX_AR_UNUSABLE) {
		fputs("unusable\n", out);
		return;
	}
	if (value & VMX_AR_S)
		size = value & VMX_AR_L ? ", 64-bit" : value & VMX_AR_DB ? ", 32-bit" : ", 16-bit";
	fprintf(out, "%s; DPL %llu%s%s%s%s\n", segment_type(value), bits(value, 6, 5),
		value & VMX_AR_P ? "" : ", not present", size,
		value & VMX_AR_G ? ", limit in pages" : "",
		value & VMX_AR_AVL ? ", AVL" : "");
}

static const char *memory_type(unsigned int type)
{
	static const char *const types[8] = {
		"UC", "WC", "type 2", "type 3", "WT", "WP", "WB", "UC-",
	};

	return types[type & 7];
}

static void put_pat(FILE *out, __u64 value)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		fprintf(out, "%sPA%u %s", i ? ", " : "", i, memory_type(value >> 8 * i));
	fputc('\n', out);
}

/* Vol. 3, "Extended-Page-Table Pointer (EPTP)" (2024: 25.6.11) */
static void put_eptp(FILE *out, __u64 value)
{
	fprintf(out, "%s, page walk of %llu levels, accessed and dirty flags %s\n",
		memory_type(value & 7), bits(value, 5, 3) + 1, value & BIT_ULL(6) ? "on" : "off");
}

/*
 * Vol. 3, "VM-Entry Controls for Event Injection" (2024: 25.8.3), "Information
 * for VM Exits Due to Vectored Events" (25.9.2)
 */
static void put_event(FILE *out, __u64 value)
{
	static const char *const types[8] = {
		"external interrupt", "type 1", "NMI", "hardware exception", "software interrupt",
		"privileged software exception", "software exception", "other event",
	};
	unsigned int vector = value & VMX_EVENT_VECTOR, type = (value & VMX_EVENT_TYPE) >> 8;

	if (!(value & VMX_EVENT_VALID)) {
		fputs("not valid\n", out);
		return;
	}
	fprintf(out, "%s, vector %u", types[type], vector);
	if ((type == 3 || type == 5 || type == 6) && vector < 32 && vectors[vector])
		fprintf(out, " %s", vectors[vector]);
	if (value & VMX_EVENT_ERROR_CODE)
		fputs(", with error code", out);
	if (value & VMX_EVENT_NMI_UNBLOCKING)
		fputs(", NMIs were unblocked by IRET", out);
	fputc('\n', out);
}

#define REASON_NAME(name, number, words)	\
	[number] = words,
static const char *const reasons[VMX_NR_REASONS] = {
	VMX_REASONS(REASON_NAME)
};

/**
 * vmcs_reason_name() - a basic exit reason
 * @reason: its number
 *
 * Return: its name as in the module's counters, NULL if it has none.
 */
const char *vmcs_reason_name(__u32 reason)
{
	return reason < VMX_NR_REASONS ? reasons[reason] : NULL;
}

/**
 * vmcs_reason_number() - the opposite
 * @name: the name
 *
 * Return: the number, -1 if no reason has that name.
 */
int vmcs_reason_number(const char *name)
{
	int i;

	for (i = 0; i < VMX_NR_REASONS; i++)
		if (reasons[i] && !strcmp(reasons[i], name))
			return i;
	return -1;
}

/* Vol. 3, "Basic VM-Exit Information" (2024: 25.9.1) */
static void put_reason(FILE *out, __u64 value)
{
	const char *name = vmcs_reason_name(value & VMX_REASON_BASIC);

	fprintf(out, "%s%s\n", name ? name : "no reason of that number is known",
		value & VMX_REASON_ENTRY_FAILURE ? ", VM entry failed" : "");
}

static const char *const gprs[16] = {
	"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
	"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
};

/* Vol. 3, "Exit Qualification for Control-Register Accesses" (2024: table 28-3) */
static void put_cr_access(FILE *out, __u64 q)
{
	unsigned int cr = q & 15;
	const char *gpr = gprs[bits(q, 11, 8)];

	switch (bits(q, 5, 4)) {
	case 0:
		fprintf(out, "MOV to CR%u from %s\n", cr, gpr);
		break;
	case 1:
		fprintf(out, "MOV from CR%u to %s\n", cr, gpr);
		break;
	case 2:
		fputs("CLTS\n", out);
		break;
	default:
		fprintf(out, "LMSW of 0x%llx from %s\n", bits(q, 31, 16),
			q & BIT(6) ? "memory" : "a register");
	}
}

/* Vol. 3, "Exit Qualification for MOV DR" (2024: table 28-4) */
static void put_dr_access(FILE *out, __u64 q)
{
	fprintf(out, "MOV %s DR%llu, %s\n", q & BIT(4) ? "from" : "to", bits(q, 2, 0),
		gprs[bits(q, 11, 8)]);
}

/* Vol. 3, "Exit Qualification for I/O Instructions" (2024: table 28-5) */
static void put_io(FILE *out, __u64 q)
{
	bool in = q & BIT(3), string = q & BIT(4);

	fprintf(out, "%s%s%s of %llu byte%s, port 0x%llx%s\n", q & BIT(5) ? "REP " : "",
		in ? "IN" : "OUT", string ? "S" : "", bits(q, 2, 0) + 1,
		bits(q, 2, 0) ? "s" : "", bits(q, 31, 16), q & BIT(6) ? ", immediate" : "");
}

/* Vol. 3, "Exit Qualification for EPT Violations" (2024: table 28-7) */
static void put_ept_violation(FILE *out, __u64 q)
{
	fprintf(out, "access:%s%s%s; the page is %s%s%s%s\n", q & VMX_EPT_QUAL_READ ? " read" : "",
		q & VMX_EPT_QUAL_WRITE ? " write" : "", q & VMX_EPT_QUAL_FETCH ? " fetch" : "",
		bits(q, 5, 3) ? "" : "not present", q & BIT(3) ? "r" : "",
		q & BIT(4) ? "w" : "", q & BIT(5) ? "x" : "");
	if (q & VMX_EPT_QUAL_LINEAR)
		fprintf(out, "%s\n", q & VMX_EPT_QUAL_TRANSLATED ?
			"the access itself, to what the guest-linear address leads to" :
			"the guest's page walk, or its accessed and dirty flags");
	if (q & VMX_EPT_QUAL_NMI_UNBLOCKING)
		fputs("NMIs were unblocked by IRET\n", out);
}

/* Vol. 3, "Exit Qualification for APIC-Access VM Exits" (2024: table 28-6) */
static void put_apic_access(FILE *out, __u64 q)
{
	static const char *const types[16] = {
		"data read", "data write", "instruction fetch", "during event delivery",
		"monitored", [10] = "guest-physical, during event delivery",
		[15] = "guest-physical access",
	};
	const char *type = types[bits(q, 15, 12)];

	fprintf(out, "%s at offset 0x%llx\n", type ? type : "access", bits(q, 11, 0));
}

/* Vol. 3, "VM-Entry Failures During or After Loading Guest State" (2024: 27.8) */
static void put_entry_failure(FILE *out, __u64 q)
{
	static const char *const what[] = {
		NULL, NULL, "the PDPTEs are not valid", "NMI with blocking by STI",
		"the VMCS link pointer",
	};

	if (q < ARRAY_SIZE(what) && what[q])
		fprintf(out, "%s\n", what[q]);
}

static void put_qualification(FILE *out, const struct vmcs *vmcs, __u64 q)
{
	static const struct flag debug_flags[] = {
		{ 0, "B0" }, { 1, "B1" }, { 2, "B2" }, { 3, "B3" }, { 11, "BLD" }, { 13, "BD" },
		{ 14, "BS" }, { 16, "RTM" },
	};
	__u32 event = vmcs->value[VMCS_INDEX_EXIT_EVENT];

	switch (vmcs->value[VMCS_INDEX_EXIT_REASON] & VMX_REASON_BASIC) {
	case VMX_REASON_EXCEPTION_NMI:
		if ((event & VMX_EVENT_VECTOR) == VMX_VECTOR_PF)
			fputs("the address of the page fault\n", out);
		else if ((event & VMX_EVENT_VECTOR) == VMX_VECTOR_DB)
			put_flags(out, q, debug_flags, ARRAY_SIZE(debug_flags));
		break;
	case VMX_REASON_CR_ACCESS:
		put_cr_access(out, q);
		break;
	case VMX_REASON_DR_ACCESS:
		put_dr_access(out, q);
		break;
	case VMX_REASON_IO_INSTRUCTION:
		put_io(out, q);
		break;
	case VMX_REASON_EPT_VIOLATION:
		put_ept_violation(out, q);
		break;
	case VMX_REASON_APIC_ACCESS:
		put_apic_access(out, q);
		break;
	case VMX_REASON_SIPI:
	case VMX_REASON_VIRTUALIZED_EOI:
		fprintf(out, "vector 0x%llx\n", q & 0xff);
		break;
	case VMX_REASON_APIC_WRITE:
		fprintf(out, "register at offset 0x%llx\n", q & 0xfff);
		break;
	case VMX_REASON_INVLPG:
		fputs("the linear address\n", out);
		break;
	case VMX_REASON_INVALID_GUEST_STATE:
		put_entry_failure(out, q);
		break;
	case VMX_REASON_MSR_LOADING:
		fprintf(out, "entry %llu of the VM-entry MSR-load area\n", q);
		break;
	}
}

static void put_activity(FILE *out, __u64 value)
{
	static const char *const states[] = { "active", "HLT", "shutdown", "wait-for-SIPI" };

	fprintf(out, "%s\n", value < ARRAY_SIZE(states) ? states[value] : "no such state");
}

static void put_instruction_error(FILE *out, __u64 value)
{
#define INSTRUCTION_ERROR(error, text)	\
	[error] = text,
	static const char *const words[] = { VMX_INSTRUCTION_ERRORS(INSTRUCTION_ERROR) };

	if (value && value < ARRAY_SIZE(words) && words[value])
		fprintf(out, "%s\n", words[value]);
}

static void put_link_pointer(FILE *out, __u64 value)
{
	if (value == ~0ULL)
		fputs("none\n", out);
}

static void put_tsc_offset(FILE *out, __u64 value)
{
	fprintf(out, "%lld ticks\n", (long long)value);
}

static void put_interrupt_status(FILE *out, __u64 value)
{
	fprintf(out, "requesting vector 0x%llx, servicing 0x%llx\n", value & 0xff, value >> 8);
}

/* Fields of controls, by enum mvm_control_word */
static const enum vmcs_index control_fields[MVM_NR_CONTROL_WORDS] = {
	[MVM_CONTROL_PIN] = VMCS_INDEX_PIN_CONTROLS,
	[MVM_CONTROL_CPU] = VMCS_INDEX_CPU_CONTROLS,
	[MVM_CONTROL_CPU2] = VMCS_INDEX_CPU2_CONTROLS,
	[MVM_CONTROL_CPU3] = VMCS_INDEX_TERTIARY_CONTROLS,
	[MVM_CONTROL_EXIT] = VMCS_INDEX_EXIT_CONTROLS,
	[MVM_CONTROL_EXIT2] = VMCS_INDEX_EXIT2_CONTROLS,
	[MVM_CONTROL_ENTRY] = VMCS_INDEX_ENTRY_CONTROLS,
};

/* Fields of flags that have a name each */
#define FLAG_FIELD(name, flags)	\
	{ VMCS_INDEX_##name, flags, ARRAY_SIZE(flags) }
static const struct {
	enum vmcs_index index;
	const struct flag *flags;
	unsigned int count;
} flag_fields[] = {
	FLAG_FIELD(CR0_MASK, cr0_flags), FLAG_FIELD(CR0_SHADOW, cr0_flags),
	FLAG_FIELD(GUEST_CR0, cr0_flags), FLAG_FIELD(HOST_CR0, cr0_flags),
	FLAG_FIELD(CR4_MASK, cr4_flags), FLAG_FIELD(CR4_SHADOW, cr4_flags),
	FLAG_FIELD(GUEST_CR4, cr4_flags), FLAG_FIELD(HOST_CR4, cr4_flags),
	FLAG_FIELD(GUEST_EFER, efer_flags), FLAG_FIELD(HOST_EFER, efer_flags),
	FLAG_FIELD(GUEST_RFLAGS, rflags_flags),
	FLAG_FIELD(GUEST_DR7, dr7_flags),
	FLAG_FIELD(GUEST_DEBUGCTL, debugctl_flags),
	FLAG_FIELD(GUEST_INTERRUPTIBILITY, interruptibility_flags),
	FLAG_FIELD(GUEST_PENDING_DEBUG, pending_debug_flags),
};

/* Fields that have a format of their own, from the first to the last */
static const struct {
	enum vmcs_index first, last;
	void (*put)(FILE *out, __u64 value);
} other_fields[] = {
	{ VMCS_INDEX_GUEST_ES_SELECTOR, VMCS_INDEX_GUEST_TR_SELECTOR, put_selector },
	{ VMCS_INDEX_HOST_ES_SELECTOR, VMCS_INDEX_HOST_TR_SELECTOR, put_selector },
	{ VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS, VMCS_INDEX_GUEST_TR_ACCESS_RIGHTS,
	  put_access_rights },
	{ VMCS_INDEX_GUEST_PAT, VMCS_INDEX_GUEST_PAT, put_pat },
	{ VMCS_INDEX_HOST_PAT, VMCS_INDEX_HOST_PAT, put_pat },
	{ VMCS_INDEX_EXCEPTION_BITMAP, VMCS_INDEX_EXCEPTION_BITMAP, put_exceptions },
	{ VMCS_INDEX_EPTP, VMCS_INDEX_EPTP, put_eptp },
	{ VMCS_INDEX_TSC_OFFSET, VMCS_INDEX_TSC_OFFSET, put_tsc_offset },
	{ VMCS_INDEX_GUEST_ACTIVITY, VMCS_INDEX_GUEST_ACTIVITY, put_activity },
	{ VMCS_INDEX_VMCS_LINK_POINTER, VMCS_INDEX_VMCS_LINK_POINTER, put_link_pointer },
	{ VMCS_INDEX_GUEST_INTERRUPT_STATUS, VMCS_INDEX_GUEST_INTERRUPT_STATUS,
	  put_interrupt_status },
	{ VMCS_INDEX_ENTRY_EVENT, VMCS_INDEX_ENTRY_EVENT, put_event },
	{ VMCS_INDEX_EXIT_EVENT, VMCS_INDEX_EXIT_EVENT, put_event },
	{ VMCS_INDEX_VECTORING_EVENT, VMCS_INDEX_VECTORING_EVENT, put_event },
	{ VMCS_INDEX_EXIT_REASON, VMCS_INDEX_EXIT_REASON, put_reason },
	{ VMCS_INDEX_INSTRUCTION_ERROR, VMCS_INDEX_INSTRUCTION_ERROR, put_instruction_error },
};

/**
 * vmcs_words() - what the value of a field says
 * @out: where to; nothing is written for a plain number
 * @vmcs: the VMCS: the exit qualification can be read only with the reason
 * @index: the field, which exists
 */
void vmcs_words(FILE *out, const struct vmcs *vmcs, enum vmcs_index index)
{
	__u64 value = vmcs->value[index];
	unsigned int i;

	if (index == VMCS_INDEX_EXIT_QUALIFICATION)
		put_qualification(out, vmcs, value);
	for (i = 0; i < ARRAY_SIZE(control_fields); i++)
		if (control_fields[i] == index)
			put_controls(out, i, value);
	for (i = 0; i < ARRAY_SIZE(flag_fields); i++)
		if (flag_fields[i].index == index)
			put_flags(out, value, flag_fields[i].flags, flag_fields[i].count);
	for (i = 0; i < ARRAY_SIZE(other_fields); i++)
		if (other_fields[i].first <= index && index <= other_fields[i].last)
			other_fields[i].put(out, value);
}
