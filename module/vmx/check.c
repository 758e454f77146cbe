// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of VM entry for controls and host state. SDM Vol. 3, "Checks on VMX
 * Controls and Host-State Area" (2024: 27.2); those for the guest's state are
 * in check_guest.c.
 *
 * Each rule is one line: the field it is about, what must hold, and the words
 * for whoever broke it.
 */
#include <linux/kernel.h>

#include "check.h"

/* Controls that only the rules know; arch.h has those that we use. */
#define PIN_PREEMPTION_TIMER	BIT(6)
#define PIN_POSTED_INTERRUPTS	BIT(7)
#define CPU_TPR_SHADOW		BIT(21)
#define CPU2_APIC_ACCESSES	BIT(0)
#define CPU2_X2APIC		BIT(4)
#define CPU2_APIC_REGISTERS	BIT(8)
#define CPU2_INTERRUPT_DELIVERY	BIT(9)
#define CPU2_VM_FUNCTIONS	BIT(13)
#define CPU2_SHADOWING		BIT(14)
#define CPU2_PML		BIT(17)
#define CPU2_VE			BIT(18)
#define CPU2_MODE_BASED_EXECUTE	BIT(22)
#define CPU2_SUB_PAGE_WRITE	BIT(23)
#define CPU2_PT_GUEST_PHYSICAL	BIT(24)
#define CPU2_TSC_SCALING	BIT(25)
#define EXIT_ACKNOWLEDGE	BIT(15)
#define EXIT_SAVE_TIMER		BIT(22)
#define ENTRY_SMM		BIT(10)
#define ENTRY_DUAL_MONITOR	BIT(11)

#define MISC_CR3_TARGETS	GENMASK_ULL(24, 16)
#define MISC_ZERO_LENGTH	BIT_ULL(30)
#define BASIC_ANY_ERROR_CODE	BIT_ULL(56)
#define EPT_CAP_UC		BIT_ULL(8)

#define EFER_VALID		(BIT_ULL(0) | BIT_ULL(8) | BIT_ULL(10) | BIT_ULL(11))
#define EFER_LME_LMA		(BIT_ULL(8) | BIT_ULL(10))
#define CR4_PAE			BIT_ULL(5)
#define CR0_PE			BIT_ULL(0)

void mvm_check_rule(struct mvm_check *c, bool holds, u32 field, u64 value,
		    const char *words)
{
	const struct mvm_check_finding finding = {
		.kind = c->kind, .field = field, .value = value,
		.rule = words, .section = c->section,
	};

	if (holds)
		return;
	c->findings++;
	c->report(c->ctx, &finding);
}

bool mvm_check_canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

/* SDM Vol. 3, "IA32_PAT MSR": the types 2 and 3 and all above 7 are reserved. */
bool mvm_check_pat(u64 value)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || (value & 0xfe) == 2)
			return false;
	return true;
}

bool mvm_check_physical(const struct mvm_check *c, u64 address)
{
	return !(address >> c->cpu->phys_bits);
}

/* The address of a structure that is @size bytes long, and aligned to it */
static bool physical_aligned(const struct mvm_check *c, u64 address, u64 size)
{
	return !(address & (size - 1)) && mvm_check_physical(c, address);
}

#define PAGE_RULE(name)							\
	MVM_RULE(name, physical_aligned(c, MVM_FIELD(name), 4096),	\
		 "it must be a multiple of 4096 within the physical-address width")

/* Bits that must be 1 are, and no bit is that must be 0. */
static bool allowed(u64 value, u64 msr)
{
	return (value & (u32)msr) == (u32)msr && !(value & ~(msr >> 32));
}

static u64 secondary(const struct mvm_check *c)
{
	return MVM_FIELD(CPU_CONTROLS) & VMX_CPU_SECONDARY ?
		MVM_FIELD(CPU2_CONTROLS) : 0;
}

static void check_ept(struct mvm_check *c)
{
	u64 cap = c->cpu->msrs->ept_vpid, eptp = MVM_FIELD(EPTP);
	u64 cpu2 = secondary(c);

	if (!(cpu2 & VMX_CPU2_EPT)) {
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & VMX_CPU2_UNRESTRICTED_GUEST),
			 "unrestricted guest needs EPT");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_PML), "page-modification logging needs EPT");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_MODE_BASED_EXECUTE),
			 "mode-based execute control needs EPT");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_SUB_PAGE_WRITE),
			 "sub-page write permissions need EPT");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_PT_GUEST_PHYSICAL),
			 "guest-physical addresses for Intel PT need EPT");
		return;
	}
	MVM_RULE(EPTP, ((eptp & 7) == 6 && cap & VMX_EPT_CAP_WB) ||
		 ((eptp & 7) == 0 && cap & EPT_CAP_UC),
		 "the memory type (bits 2:0) must be one that IA32_VMX_EPT_VPID_CAP has");
	MVM_RULE(EPTP, (eptp & GENMASK_ULL(5, 3)) == 3 << 3,
		 "bits 5:3 must be 3, for a page walk of 4 levels");
	MVM_RULE(EPTP, !(eptp & BIT_ULL(6)) || cap & VMX_EPT_CAP_AD,
		 "accessed and dirty flags (bit 6) are not there");
	MVM_RULE(EPTP, !(eptp & GENMASK_ULL(11, 7)), "bits 11:7 are reserved");
	MVM_RULE(EPTP, mvm_check_physical(c, eptp),
		 "it must not exceed the physical-address width");
	if (cpu2 & CPU2_PML)
		PAGE_RULE(PML_ADDRESS);
}

static void check_apic(struct mvm_check *c)
{
	u64 pin = MVM_FIELD(PIN_CONTROLS), cpu = MVM_FIELD(CPU_CONTROLS);
	u64 cpu2 = secondary(c);

	if (cpu & CPU_TPR_SHADOW) {
		PAGE_RULE(VIRTUAL_APIC_ADDRESS);
		MVM_RULE(TPR_THRESHOLD, cpu2 & CPU2_INTERRUPT_DELIVERY ||
			 !(MVM_FIELD(TPR_THRESHOLD) & ~0xfULL), "bits 31:4 must be 0");
	} else {
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_X2APIC),
			 "virtualize x2APIC mode needs use TPR shadow");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_APIC_REGISTERS),
			 "APIC-register virtualization needs use TPR shadow");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_INTERRUPT_DELIVERY),
			 "virtual-interrupt delivery needs use TPR shadow");
	}
	if (cpu2 & CPU2_APIC_ACCESSES) {
		PAGE_RULE(APIC_ACCESS_ADDRESS);
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_X2APIC),
			 "virtualize APIC accesses excludes virtualize x2APIC mode");
	}
	if (cpu2 & CPU2_INTERRUPT_DELIVERY)
		MVM_RULE(PIN_CONTROLS, pin & VMX_PIN_EXTERNAL_INTERRUPT,
			 "virtual-interrupt delivery needs external-interrupt exiting");
	if (pin & PIN_POSTED_INTERRUPTS) {
		MVM_RULE(CPU2_CONTROLS, cpu2 & CPU2_INTERRUPT_DELIVERY,
			 "process posted interrupts needs virtual-interrupt delivery");
		MVM_RULE(EXIT_CONTROLS, MVM_FIELD(EXIT_CONTROLS) & EXIT_ACKNOWLEDGE,
			 "process posted interrupts needs acknowledge interrupt on exit");
		MVM_RULE(POSTED_INTERRUPT_VECTOR, MVM_FIELD(POSTED_INTERRUPT_VECTOR) < 256,
			 "bits 15:8 must be 0");
		MVM_RULE(POSTED_INTERRUPT_DESCRIPTOR,
			 physical_aligned(c, MVM_FIELD(POSTED_INTERRUPT_DESCRIPTOR), 64),
			 "it must be a multiple of 64 within the physical-address width");
	}
}

static void check_execution_controls(struct mvm_check *c)
{
	const struct mvm_vmx_msrs *msrs = c->cpu->msrs;
	u64 pin = MVM_FIELD(PIN_CONTROLS), cpu = MVM_FIELD(CPU_CONTROLS);
	u64 cpu2 = secondary(c);

	c->section = "VM-Execution Control Fields";
	MVM_RULE(PIN_CONTROLS, allowed(pin, msrs->pin),
		 "a bit is not as IA32_VMX_PINBASED_CTLS allows");
	MVM_RULE(CPU_CONTROLS, allowed(cpu, msrs->cpu),
		 "a bit is not as IA32_VMX_PROCBASED_CTLS allows");
	if (cpu & VMX_CPU_SECONDARY)
		MVM_RULE(CPU2_CONTROLS, allowed(cpu2, msrs->cpu2),
			 "a bit is not as IA32_VMX_PROCBASED_CTLS2 allows");
	MVM_RULE(CR3_TARGET_COUNT,
		 MVM_FIELD(CR3_TARGET_COUNT) <= (msrs->misc & MISC_CR3_TARGETS) >> 16,
		 "there are not so many CR3-target values");
	if (cpu & VMX_CPU_IO_BITMAPS) {
		PAGE_RULE(IO_BITMAP_A);
		PAGE_RULE(IO_BITMAP_B);
	}
	if (cpu & VMX_CPU_MSR_BITMAPS)
		PAGE_RULE(MSR_BITMAP);
	MVM_RULE(PIN_CONTROLS, !(pin & VMX_PIN_VIRTUAL_NMIS) || pin & VMX_PIN_NMI,
		 "virtual NMIs need NMI exiting");
	MVM_RULE(CPU_CONTROLS, !(cpu & VMX_CPU_NMI_WINDOW) || pin & VMX_PIN_VIRTUAL_NMIS,
		 "NMI-window exiting needs virtual NMIs");
	check_apic(c);
	if (cpu2 & VMX_CPU2_VPID)
		MVM_RULE(VPID, MVM_FIELD(VPID), "with enable VPID it must not be 0");
	check_ept(c);
	if (cpu2 & CPU2_SHADOWING) {
		PAGE_RULE(VMREAD_BITMAP);
		PAGE_RULE(VMWRITE_BITMAP);
	}
	if (cpu2 & CPU2_VE)
		PAGE_RULE(VIRTUALIZATION_EXCEPTION_ADDRESS);
	if (cpu2 & CPU2_TSC_SCALING)
		MVM_RULE(TSC_MULTIPLIER, MVM_FIELD(TSC_MULTIPLIER), "it must not be 0");
}

/* The address of a list of 16-byte entries */
static bool msr_list(const struct mvm_check *c, u64 address, u64 count)
{
	return !(address & 15) && mvm_check_physical(c, address) &&
	       mvm_check_physical(c, address + count * 16 - 1);
}

#define LIST_RULE(name)							\
	MVM_RULE(name##_ADDRESS, !MVM_FIELD(name##_COUNT) ||		\
		 msr_list(c, MVM_FIELD(name##_ADDRESS), MVM_FIELD(name##_COUNT)), \
		 "it must be a multiple of 16, and the list end within the physical-address width")

static void check_exit_controls(struct mvm_check *c)
{
	u64 exit = MVM_FIELD(EXIT_CONTROLS);

	c->section = "VM-Exit Control Fields";
	MVM_RULE(EXIT_CONTROLS, allowed(exit, c->cpu->msrs->exit),
		 "a bit is not as IA32_VMX_EXIT_CTLS allows");
	MVM_RULE(EXIT_CONTROLS, !(exit & EXIT_SAVE_TIMER) ||
		 MVM_FIELD(PIN_CONTROLS) & PIN_PREEMPTION_TIMER,
		 "save VMX-preemption timer value needs activate VMX-preemption timer");
	LIST_RULE(EXIT_MSR_STORE);
	LIST_RULE(EXIT_MSR_LOAD);
}

/* Exceptions that push an error code */
static bool has_error_code(u8 vector)
{
	return BIT(vector & 31) & (BIT(VMX_VECTOR_DF) | BIT(VMX_VECTOR_TS) |
		BIT(VMX_VECTOR_NP) | BIT(VMX_VECTOR_SS) | BIT(VMX_VECTOR_GP) |
		BIT(VMX_VECTOR_PF) | BIT(VMX_VECTOR_AC));
}

static void check_injection(struct mvm_check *c)
{
	const struct mvm_vmx_msrs *msrs = c->cpu->msrs;
	u64 event = MVM_FIELD(ENTRY_EVENT);
	u64 length = MVM_FIELD(ENTRY_INSTRUCTION_LENGTH);
	u8 vector = event & VMX_EVENT_VECTOR;
	u32 type = event & VMX_EVENT_TYPE;
	bool exception = type == VMX_EVENT_HARD_EXCEPTION;
	bool real_mode = secondary(c) & VMX_CPU2_UNRESTRICTED_GUEST &&
			 !(MVM_FIELD(GUEST_CR0) & CR0_PE);
	bool error = event & VMX_EVENT_ERROR_CODE;

	if (!(event & VMX_EVENT_VALID))
		return;
	MVM_RULE(ENTRY_EVENT, type != 1 << 8, "type 1 (bits 10:8) is reserved");
	MVM_RULE(ENTRY_EVENT, type != VMX_EVENT_NMI || vector == VMX_VECTOR_NMI,
		 "an NMI has vector 2");
	MVM_RULE(ENTRY_EVENT, !exception || vector <= 31,
		 "a hardware exception has a vector up to 31");
	MVM_RULE(ENTRY_EVENT, type != 7 << 8 || !vector, "an other event has vector 0");
	MVM_RULE(ENTRY_EVENT, !(event & GENMASK(30, 12)), "bits 30:12 are reserved");
	MVM_RULE(ENTRY_EVENT, !error || (exception && !real_mode),
		 "only hardware exceptions have an error code (bit 11), and in real mode none has");
	if (exception && !real_mode && !(msrs->basic & BASIC_ANY_ERROR_CODE))
		MVM_RULE(ENTRY_EVENT, error == has_error_code(vector),
			 "the error code (bit 11) is there just when this exception has one");
	if (error)
		MVM_RULE(ENTRY_ERROR_CODE, !(MVM_FIELD(ENTRY_ERROR_CODE) & GENMASK(31, 16)),
			 "bits 31:16 are reserved");
	if (type == VMX_EVENT_SOFT_INTERRUPT || type == VMX_EVENT_PRIV_EXCEPTION ||
	    type == VMX_EVENT_SOFT_EXCEPTION)
		MVM_RULE(ENTRY_INSTRUCTION_LENGTH, length <= 15 &&
			 (length || msrs->misc & MISC_ZERO_LENGTH),
			 "an instruction has 1 to 15 bytes");
}

static void check_entry_controls(struct mvm_check *c)
{
	u64 entry = MVM_FIELD(ENTRY_CONTROLS);

	c->section = "VM-Entry Control Fields";
	MVM_RULE(ENTRY_CONTROLS, allowed(entry, c->cpu->msrs->entry),
		 "a bit is not as IA32_VMX_ENTRY_CTLS allows");
	MVM_RULE(ENTRY_CONTROLS, !(entry & (ENTRY_SMM | ENTRY_DUAL_MONITOR)),
		 "entry to SMM and deactivate dual-monitor treatment are for SMM only");
	LIST_RULE(ENTRY_MSR_LOAD);
	check_injection(c);
}

static void check_host_registers(struct mvm_check *c)
{
	const struct mvm_vmx_msrs *msrs = c->cpu->msrs;
	u64 cr0 = MVM_FIELD(HOST_CR0), cr4 = MVM_FIELD(HOST_CR4);
	u64 efer = MVM_FIELD(HOST_EFER), exit = MVM_FIELD(EXIT_CONTROLS);
	u64 lme_lma = exit & VMX_EXIT_HOST_64BIT ? EFER_LME_LMA : 0;

	c->section = "Checks on Host Control Registers, MSRs, and SSP";
	MVM_RULE(HOST_CR0, (cr0 & msrs->cr0_fixed0) == msrs->cr0_fixed0 &&
		 !(cr0 & ~msrs->cr0_fixed1), "a bit is not as IA32_VMX_CR0_FIXED allows");
	MVM_RULE(HOST_CR4, (cr4 & msrs->cr4_fixed0) == msrs->cr4_fixed0 &&
		 !(cr4 & ~msrs->cr4_fixed1), "a bit is not as IA32_VMX_CR4_FIXED allows");
	MVM_RULE(HOST_CR3, mvm_check_physical(c, MVM_FIELD(HOST_CR3)),
		 "it must not exceed the physical-address width");
	MVM_RULE(HOST_SYSENTER_ESP, mvm_check_canonical(MVM_FIELD(HOST_SYSENTER_ESP)),
		 "it must be canonical");
	MVM_RULE(HOST_SYSENTER_EIP, mvm_check_canonical(MVM_FIELD(HOST_SYSENTER_EIP)),
		 "it must be canonical");
	if (exit & VMX_EXIT_LOAD_PAT)
		MVM_RULE(HOST_PAT, mvm_check_pat(MVM_FIELD(HOST_PAT)),
			 "each byte must be 0, 1, 4, 5, 6 or 7");
	if (exit & VMX_EXIT_LOAD_EFER) {
		MVM_RULE(HOST_EFER, !(efer & ~EFER_VALID), "a reserved bit is set");
		MVM_RULE(HOST_EFER, (efer & EFER_LME_LMA) == lme_lma,
			 "LME and LMA must be as host address-space size");
	}
}

static void check_host_segments(struct mvm_check *c)
{
	c->section = "Checks on Host Segment and Descriptor-Table Registers";
#define HOST_SELECTOR(name)						\
	MVM_RULE(HOST_##name##_SELECTOR, !(MVM_FIELD(HOST_##name##_SELECTOR) & 7), \
		 "RPL (bits 1:0) and TI (bit 2) must be 0")
	HOST_SELECTOR(CS);
	HOST_SELECTOR(SS);
	HOST_SELECTOR(DS);
	HOST_SELECTOR(ES);
	HOST_SELECTOR(FS);
	HOST_SELECTOR(GS);
	HOST_SELECTOR(TR);
	MVM_RULE(HOST_CS_SELECTOR, MVM_FIELD(HOST_CS_SELECTOR), "it must not be null");
	MVM_RULE(HOST_TR_SELECTOR, MVM_FIELD(HOST_TR_SELECTOR), "it must not be null");
	MVM_RULE(HOST_SS_SELECTOR, MVM_FIELD(HOST_SS_SELECTOR) ||
		 MVM_FIELD(EXIT_CONTROLS) & VMX_EXIT_HOST_64BIT,
		 "it must not be null for a host that is not 64-bit");
#define HOST_BASE(name)							\
	MVM_RULE(HOST_##name##_BASE, mvm_check_canonical(MVM_FIELD(HOST_##name##_BASE)), \
		 "it must be canonical")
	HOST_BASE(FS);
	HOST_BASE(GS);
	HOST_BASE(TR);
	HOST_BASE(GDTR);
	HOST_BASE(IDTR);
}

/* We are in IA-32e mode when we enter a guest, which narrows these rules. */
static void check_address_space(struct mvm_check *c)
{
	c->section = "Checks Related to Address-Space Size";
	MVM_RULE(EXIT_CONTROLS, MVM_FIELD(EXIT_CONTROLS) & VMX_EXIT_HOST_64BIT,
		 "host address-space size must be 1 when the entry is from IA-32e mode");
	if (!(MVM_FIELD(EXIT_CONTROLS) & VMX_EXIT_HOST_64BIT))
		return;
	MVM_RULE(HOST_CR4, MVM_FIELD(HOST_CR4) & CR4_PAE, "PAE must be 1 for a 64-bit host");
	MVM_RULE(HOST_RIP, mvm_check_canonical(MVM_FIELD(HOST_RIP)), "it must be canonical");
}

/**
 * mvm_check_vmcs() - find every rule of VM entry that a VMCS breaks
 * @vmcs: its contents
 * @cpu: what the rules depend on besides
 * @report: called for each finding
 * @ctx: handed to @report
 *
 * The processor stops at the first rule of a group, and in an order of its
 * own; here all of them are looked at. What is not checked: the contents of
 * memory that addresses point to, reserved bits that depend on the CPU's model
 * (IA32_DEBUGCTL, IA32_PERF_GLOBAL_CTRL, IA32_BNDCFGS, IA32_RTIT_CTL), VM
 * functions, and CET.
 *
 * Return: how many findings there were.
 */
unsigned int mvm_check_vmcs(const struct mvm_vmcs_image *vmcs,
			    const struct mvm_check_cpu *cpu,
			    mvm_check_report_fn report, void *ctx)
{
	struct mvm_check check = {
		.vmcs = vmcs, .cpu = cpu, .report = report, .ctx = ctx,
	};

	check.kind = MVM_CHECK_CONTROL;
	check_execution_controls(&check);
	check_exit_controls(&check);
	check_entry_controls(&check);
	check.kind = MVM_CHECK_HOST;
	check_host_registers(&check);
	check_host_segments(&check);
	check_address_space(&check);
	check.kind = MVM_CHECK_GUEST;
	mvm_check_guest(&check);
	return check.findings;
}
