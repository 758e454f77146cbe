// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of VM entry for the controls. SDM Vol. 3, "Checks on VMX Controls"
 * (2024: 27.2.1).
 */
#include <linux/kernel.h>

#include "check.h"

/* Controls that only the rules know; arch.h has those that we use. */
#define PIN_PREEMPTION_TIMER	BIT(6)
#define PIN_POSTED_INTERRUPTS	BIT(7)
#define CPU_MONITOR_TRAP	BIT(27)
#define CPU2_APIC_ACCESSES	BIT(0)
#define CPU2_VE			BIT(18)
#define CPU2_MODE_BASED_EXECUTE	BIT(22)
#define CPU2_SUB_PAGE_WRITE	BIT(23)
#define CPU2_PT_GUEST_PHYSICAL	BIT(24)
#define CPU2_TSC_SCALING	BIT(25)
#define CPU3_HLAT		BIT_ULL(1)
#define CPU3_PAGING_WRITE	BIT_ULL(2)
#define CPU3_VERIFY_PAGING	BIT_ULL(3)
#define CPU3_IPI		BIT_ULL(4)
#define EXIT_ACKNOWLEDGE	BIT(15)
#define EXIT_SAVE_TIMER		BIT(22)
#define EXIT_CLEAR_RTIT		BIT(25)
#define ENTRY_SMM		BIT(10)
#define ENTRY_DUAL_MONITOR	BIT(11)

#define MISC_CR3_TARGETS	GENMASK_ULL(24, 16)
#define MISC_ZERO_LENGTH	BIT_ULL(30)
#define BASIC_ANY_ERROR_CODE	BIT_ULL(56)
#define EPT_CAP_UC		BIT_ULL(8)
#define EPT_CAP_5_LEVEL		BIT_ULL(7)
#define EPT_CAP_SHADOW_STACK	BIT_ULL(23)
#define VMFUNC_EPTP_SWITCHING	BIT_ULL(0)
#define CR0_PE			BIT_ULL(0)

#define HLAT_RESERVED		(GENMASK_ULL(2, 0) | GENMASK_ULL(11, 5))

#define VIRTUAL_TPR		0x80

/* The address of a structure that is @size bytes long, and aligned to it */
static bool physical_aligned(const struct mvm_check *c, u64 address, u64 size)
{
	return !(address & (size - 1)) && mvm_check_physical(c, address);
}

#define PAGE_RULE(name)							\
	MVM_RULE(name, physical_aligned(c, MVM_FIELD(name), 4096),	\
		 "it must be a multiple of 4096 within the physical-address width")

/* The tertiary controls, all 0 when they are not active */
static u64 tertiary(const struct mvm_check *c)
{
	return MVM_FIELD(CPU_CONTROLS) & CPU_TERTIARY ? MVM_FIELD(TERTIARY_CONTROLS) : 0;
}

/* Bits that must be 1 are, and no bit is that must be 0. */
static bool allowed(u64 value, u64 msr)
{
	return (value & (u32)msr) == (u32)msr && !(value & ~(msr >> 32));
}

static void check_ept(struct mvm_check *c)
{
	u64 cap = c->cpu->msrs->ept_vpid, eptp = MVM_FIELD(EPTP);
	u64 cpu2 = mvm_check_secondary(c), walk = eptp >> 3 & 7;

	if (!(cpu2 & VMX_CPU2_EPT)) {
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & VMX_CPU2_UNRESTRICTED_GUEST),
			 "unrestricted guest needs EPT");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & VMX_CPU2_PML),
			 "page-modification logging needs EPT");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_MODE_BASED_EXECUTE),
			 "mode-based execute control needs EPT");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_SUB_PAGE_WRITE),
			 "sub-page write permissions need EPT");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & CPU2_PT_GUEST_PHYSICAL),
			 "guest-physical addresses for Intel PT need EPT");
		MVM_RULE(TERTIARY_CONTROLS, !(tertiary(c) & (CPU3_HLAT | CPU3_PAGING_WRITE |
							     CPU3_VERIFY_PAGING)),
			 "HLAT, paging-write control and guest-paging verification need EPT");
		return;
	}
	MVM_RULE(EPTP, ((eptp & 7) == 6 && cap & VMX_EPT_CAP_WB) ||
		 ((eptp & 7) == 0 && cap & EPT_CAP_UC),
		 "the memory type (bits 2:0) must be one that IA32_VMX_EPT_VPID_CAP has");
	MVM_RULE(EPTP, (walk == 3 && cap & VMX_EPT_CAP_4_LEVEL) ||
		 (walk == 4 && cap & EPT_CAP_5_LEVEL),
		 "bits 5:3 must be 3, for a page walk of 4 levels, or 4 where the CPU has 5");
	MVM_RULE(EPTP, !(eptp & BIT_ULL(6)) || cap & VMX_EPT_CAP_AD,
		 "accessed and dirty flags (bit 6) are not there");
	MVM_RULE(EPTP, !(eptp & BIT_ULL(7)) || cap & EPT_CAP_SHADOW_STACK,
		 "supervisor shadow-stack control (bit 7) is not there");
	MVM_RULE(EPTP, !(eptp & GENMASK_ULL(11, 8)), "bits 11:8 are reserved");
	MVM_RULE(EPTP, mvm_check_physical(c, eptp),
		 "it must not exceed the physical-address width");
	if (cpu2 & VMX_CPU2_PML)
		PAGE_RULE(PML_ADDRESS);
	if (cpu2 & CPU2_SUB_PAGE_WRITE)
		PAGE_RULE(SUB_PAGE_PERMISSION_TABLE);
	if (tertiary(c) & CPU3_HLAT)
		MVM_RULE(HLAT_POINTER, !(MVM_FIELD(HLAT_POINTER) & HLAT_RESERVED) &&
			 mvm_check_physical(c, MVM_FIELD(HLAT_POINTER)),
			 "bits 2:0 and 11:5 are reserved, and those beyond the physical-address width");
}

static void check_apic(struct mvm_check *c)
{
	u64 pin = MVM_FIELD(PIN_CONTROLS), cpu = MVM_FIELD(CPU_CONTROLS);
	u64 cpu2 = mvm_check_secondary(c), ipi = tertiary(c) & CPU3_IPI, tpr;

	if (cpu & VMX_CPU_TPR_SHADOW) {
		PAGE_RULE(VIRTUAL_APIC_ADDRESS);
		MVM_RULE(TPR_THRESHOLD, cpu2 & VMX_CPU2_INTERRUPT_DELIVERY ||
			 !(MVM_FIELD(TPR_THRESHOLD) & ~0xfULL), "bits 31:4 must be 0");
		if (!(cpu2 & (CPU2_APIC_ACCESSES | VMX_CPU2_INTERRUPT_DELIVERY)) &&
		    mvm_check_peek(c, MVM_FIELD(VIRTUAL_APIC_ADDRESS) + VIRTUAL_TPR, &tpr))
			MVM_RULE(TPR_THRESHOLD,
				 (MVM_FIELD(TPR_THRESHOLD) & 0xf) <= (tpr >> 4 & 0xf),
				 "bits 3:0 must not be above bits 7:4 of the virtual TPR");
	} else {
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & VMX_CPU2_X2APIC),
			 "virtualize x2APIC mode needs use TPR shadow");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & VMX_CPU2_APIC_REGISTERS),
			 "APIC-register virtualization needs use TPR shadow");
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & VMX_CPU2_INTERRUPT_DELIVERY),
			 "virtual-interrupt delivery needs use TPR shadow");
		MVM_RULE(TERTIARY_CONTROLS, !ipi, "IPI virtualization needs use TPR shadow");
	}
	if (ipi)
		MVM_RULE(PID_POINTER_TABLE,
			 physical_aligned(c, MVM_FIELD(PID_POINTER_TABLE), 8) &&
			 mvm_check_physical(c, MVM_FIELD(PID_POINTER_TABLE) +
					    MVM_FIELD(LAST_PID_POINTER) * 8 + 7),
			 "it must be a multiple of 8, and the table end within the physical-address width");
	if (cpu2 & CPU2_APIC_ACCESSES) {
		PAGE_RULE(APIC_ACCESS_ADDRESS);
		MVM_RULE(CPU2_CONTROLS, !(cpu2 & VMX_CPU2_X2APIC),
			 "virtualize APIC accesses excludes virtualize x2APIC mode");
	}
	if (cpu2 & VMX_CPU2_INTERRUPT_DELIVERY)
		MVM_RULE(PIN_CONTROLS, pin & VMX_PIN_EXTERNAL_INTERRUPT,
			 "virtual-interrupt delivery needs external-interrupt exiting");
	if (pin & PIN_POSTED_INTERRUPTS) {
		MVM_RULE(CPU2_CONTROLS, cpu2 & VMX_CPU2_INTERRUPT_DELIVERY,
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

/* What some secondary controls bring fields for, or want of other controls */
static void check_features(struct mvm_check *c)
{
	u64 cpu2 = mvm_check_secondary(c), functions = MVM_FIELD(VM_FUNCTION_CONTROLS);

	if (cpu2 & CPU2_SHADOWING) {
		PAGE_RULE(VMREAD_BITMAP);
		PAGE_RULE(VMWRITE_BITMAP);
	}
	if (cpu2 & CPU2_VE)
		PAGE_RULE(VIRTUALIZATION_EXCEPTION_ADDRESS);
	if (cpu2 & CPU2_VM_FUNCTIONS) {
		MVM_RULE(VM_FUNCTION_CONTROLS, !(functions & ~c->cpu->vmfunc),
			 "a bit is not as IA32_VMX_VMFUNC allows");
		if (functions & VMFUNC_EPTP_SWITCHING) {
			MVM_RULE(VM_FUNCTION_CONTROLS, cpu2 & VMX_CPU2_EPT,
				 "EPTP switching needs EPT");
			PAGE_RULE(EPTP_LIST_ADDRESS);
		}
	}
	if (cpu2 & CPU2_PT_GUEST_PHYSICAL) {
		MVM_RULE(ENTRY_CONTROLS, MVM_FIELD(ENTRY_CONTROLS) & ENTRY_LOAD_RTIT,
			 "guest-physical addresses for Intel PT need load IA32_RTIT_CTL");
		MVM_RULE(EXIT_CONTROLS, MVM_FIELD(EXIT_CONTROLS) & EXIT_CLEAR_RTIT,
			 "guest-physical addresses for Intel PT need clear IA32_RTIT_CTL");
	}
}

static void check_execution_controls(struct mvm_check *c)
{
	const struct mvm_vmx_msrs *msrs = c->cpu->msrs;
	u64 pin = MVM_FIELD(PIN_CONTROLS), cpu = MVM_FIELD(CPU_CONTROLS);
	u64 cpu2 = mvm_check_secondary(c);

	c->section = "VM-Execution Control Fields";
	MVM_RULE(PIN_CONTROLS, allowed(pin, msrs->pin),
		 "a bit is not as IA32_VMX_PINBASED_CTLS allows");
	MVM_RULE(CPU_CONTROLS, allowed(cpu, msrs->cpu),
		 "a bit is not as IA32_VMX_PROCBASED_CTLS allows");
	if (cpu & VMX_CPU_SECONDARY)
		MVM_RULE(CPU2_CONTROLS, allowed(cpu2, msrs->cpu2),
			 "a bit is not as IA32_VMX_PROCBASED_CTLS2 allows");
	MVM_RULE(TERTIARY_CONTROLS, !(tertiary(c) & ~c->cpu->cpu3),
		 "a bit is not as IA32_VMX_PROCBASED_CTLS3 allows");
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
	check_features(c);
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
	if (exit & EXIT_SECONDARY)
		MVM_RULE(EXIT2_CONTROLS, !(MVM_FIELD(EXIT2_CONTROLS) & ~c->cpu->exit2),
			 "a bit is not as IA32_VMX_EXIT_CTLS2 allows");
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
	bool real_mode = mvm_check_secondary(c) & VMX_CPU2_UNRESTRICTED_GUEST &&
			 !(MVM_FIELD(GUEST_CR0) & CR0_PE);
	bool error = event & VMX_EVENT_ERROR_CODE;

	if (!(event & VMX_EVENT_VALID))
		return;
	MVM_RULE(ENTRY_EVENT, type != 1 << 8, "type 1 (bits 10:8) is reserved");
	MVM_RULE(ENTRY_EVENT, type != VMX_EVENT_NMI || vector == VMX_VECTOR_NMI,
		 "an NMI has vector 2");
	MVM_RULE(ENTRY_EVENT, !exception || vector <= 31,
		 "a hardware exception has a vector up to 31");
	MVM_RULE(ENTRY_EVENT, type != 7 << 8 || (msrs->cpu >> 32) & CPU_MONITOR_TRAP,
		 "type 7 (bits 10:8) is reserved on a CPU without monitor trap flag");
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
	MVM_RULE(ENTRY_CONTROLS, !(entry & ENTRY_LOAD_RTIT) || !c->cpu->tracing,
		 "load IA32_RTIT_CTL must be 0 while Intel PT traces the host");
	LIST_RULE(ENTRY_MSR_LOAD);
	check_injection(c);
}

/**
 * mvm_check_controls() - the rules for VM-execution, VM-exit and VM-entry controls
 * @c: the run
 */
void mvm_check_controls(struct mvm_check *c)
{
	check_execution_controls(c);
	check_exit_controls(c);
	check_entry_controls(c);
}
