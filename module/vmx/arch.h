/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VT-x architecture's numbers, under the names that the SDM gives them.
 *
 * Section titles are those of the Intel SDM, Vol. 3 and Vol. 4, edition of
 * 2024; numbers in parentheses move between editions.
 */
#ifndef MVM_VMX_ARCH_H
#define MVM_VMX_ARCH_H

#include <linux/bits.h>
#include <linux/types.h>

/* Vol. 4, "Architectural MSRs" (2.1) */
#define VMX_MSR_FEAT_CTL		0x03a
#define VMX_MSR_BASIC			0x480
#define VMX_MSR_PINBASED		0x481
#define VMX_MSR_PROCBASED		0x482
#define VMX_MSR_EXIT			0x483
#define VMX_MSR_ENTRY			0x484
#define VMX_MSR_MISC			0x485
#define VMX_MSR_CR0_FIXED0		0x486
#define VMX_MSR_CR0_FIXED1		0x487
#define VMX_MSR_CR4_FIXED0		0x488
#define VMX_MSR_CR4_FIXED1		0x489
#define VMX_MSR_PROCBASED2		0x48b
#define VMX_MSR_EPT_VPID		0x48c
#define VMX_MSR_TRUE_PINBASED		0x48d
#define VMX_MSR_TRUE_PROCBASED		0x48e
#define VMX_MSR_TRUE_EXIT		0x48f
#define VMX_MSR_TRUE_ENTRY		0x490

#define VMX_FEAT_CTL_LOCKED		BIT_ULL(0)
#define VMX_FEAT_CTL_OUTSIDE_SMX	BIT_ULL(2)

/* Vol. 3, "Basic VMX Information" (A.1) */
#define VMX_BASIC_REVISION		GENMASK_ULL(30, 0)
#define VMX_BASIC_SIZE			GENMASK_ULL(44, 32)
#define VMX_BASIC_MEMORY_TYPE		GENMASK_ULL(53, 50)
#define VMX_BASIC_INS_OUTS		BIT_ULL(54)
#define VMX_BASIC_TRUE_CONTROLS		BIT_ULL(55)

/* Vol. 3, "Pin-Based VM-Execution Controls" (25.6.1) */
#define VMX_PIN_EXTERNAL_INTERRUPT	BIT(0)
#define VMX_PIN_NMI			BIT(3)
#define VMX_PIN_VIRTUAL_NMIS		BIT(5)

/* Vol. 3, "Processor-Based VM-Execution Controls" (25.6.2) */
#define VMX_CPU_INTERRUPT_WINDOW	BIT(2)
#define VMX_CPU_TSC_OFFSETTING		BIT(3)
#define VMX_CPU_HLT			BIT(7)
#define VMX_CPU_INVLPG			BIT(9)
#define VMX_CPU_MWAIT			BIT(10)
#define VMX_CPU_RDPMC			BIT(11)
#define VMX_CPU_RDTSC			BIT(12)
#define VMX_CPU_CR3_LOAD		BIT(15)
#define VMX_CPU_CR3_STORE		BIT(16)
#define VMX_CPU_CR8_LOAD		BIT(19)
#define VMX_CPU_CR8_STORE		BIT(20)
#define VMX_CPU_TPR_SHADOW		BIT(21)
#define VMX_CPU_NMI_WINDOW		BIT(22)
#define VMX_CPU_MOV_DR			BIT(23)
#define VMX_CPU_IO			BIT(24)
#define VMX_CPU_IO_BITMAPS		BIT(25)
#define VMX_CPU_MSR_BITMAPS		BIT(28)
#define VMX_CPU_MONITOR			BIT(29)
#define VMX_CPU_SECONDARY		BIT(31)

#define VMX_CPU2_EPT			BIT(1)
#define VMX_CPU2_RDTSCP			BIT(3)
#define VMX_CPU2_X2APIC			BIT(4)
#define VMX_CPU2_VPID			BIT(5)
#define VMX_CPU2_WBINVD			BIT(6)
#define VMX_CPU2_UNRESTRICTED_GUEST	BIT(7)
#define VMX_CPU2_APIC_REGISTERS		BIT(8)
#define VMX_CPU2_INTERRUPT_DELIVERY	BIT(9)
#define VMX_CPU2_PAUSE_LOOP		BIT(10)
#define VMX_CPU2_INVPCID		BIT(12)
#define VMX_CPU2_ENCLS			BIT(15)
#define VMX_CPU2_PML			BIT(17)
#define VMX_CPU2_XSAVES			BIT(20)

/* Vol. 3, "VM-Exit Controls" (25.7.1) */
#define VMX_EXIT_SAVE_DEBUG		BIT(2)
#define VMX_EXIT_HOST_64BIT		BIT(9)
#define VMX_EXIT_LOAD_PERF		BIT(12)
#define VMX_EXIT_SAVE_PAT		BIT(18)
#define VMX_EXIT_LOAD_PAT		BIT(19)
#define VMX_EXIT_SAVE_EFER		BIT(20)
#define VMX_EXIT_LOAD_EFER		BIT(21)

/* Vol. 3, "VM-Entry Controls" (25.8.1) */
#define VMX_ENTRY_LOAD_DEBUG		BIT(2)
#define VMX_ENTRY_IA32E_MODE		BIT(9)
#define VMX_ENTRY_LOAD_PERF		BIT(13)
#define VMX_ENTRY_LOAD_PAT		BIT(14)
#define VMX_ENTRY_LOAD_EFER		BIT(15)

/* Vol. 3, "VPID and EPT Capabilities" (A.10) */
#define VMX_EPT_CAP_4_LEVEL		BIT_ULL(6)
#define VMX_EPT_CAP_WB			BIT_ULL(14)
#define VMX_EPT_CAP_2M			BIT_ULL(16)
#define VMX_EPT_CAP_1G			BIT_ULL(17)
#define VMX_EPT_CAP_INVEPT		BIT_ULL(20)
#define VMX_EPT_CAP_AD			BIT_ULL(21)
#define VMX_EPT_CAP_INVEPT_SINGLE	BIT_ULL(25)
#define VMX_EPT_CAP_INVEPT_ALL		BIT_ULL(26)
#define VMX_VPID_CAP_INVVPID		BIT_ULL(32)
#define VMX_VPID_CAP_SINGLE		BIT_ULL(41)
#define VMX_VPID_CAP_ALL		BIT_ULL(42)

/* Types of INVEPT and INVVPID: Vol. 3, "VMX Instructions" (31.3) */
#define VMX_INVEPT_SINGLE		1
#define VMX_INVEPT_ALL			2
#define VMX_INVVPID_SINGLE		1
#define VMX_INVVPID_ALL			2

/* Vol. 3, "VM-Entry Controls for Event Injection" (25.8.3) */
#define VMX_EVENT_VECTOR		GENMASK(7, 0)
#define VMX_EVENT_TYPE			GENMASK(10, 8)
#define VMX_EVENT_ERROR_CODE		BIT(11)
#define VMX_EVENT_NMI_UNBLOCKING	BIT(12)
#define VMX_EVENT_VALID			BIT(31)

#define VMX_EVENT_EXTERNAL		(0 << 8)
#define VMX_EVENT_NMI			(2 << 8)
#define VMX_EVENT_HARD_EXCEPTION	(3 << 8)
#define VMX_EVENT_SOFT_INTERRUPT	(4 << 8)
#define VMX_EVENT_PRIV_EXCEPTION	(5 << 8)
#define VMX_EVENT_SOFT_EXCEPTION	(6 << 8)

/* Vol. 3, "Guest Non-Register State" (25.4.2) */
#define VMX_INTERRUPT_STATUS_RVI	GENMASK(7, 0)

#define VMX_BLOCKING_STI		BIT(0)
#define VMX_BLOCKING_MOV_SS		BIT(1)
#define VMX_BLOCKING_NMI		BIT(3)

#define VMX_ACTIVITY_ACTIVE		0
#define VMX_ACTIVITY_HLT		1

/* Vol. 3, "Format of Access Rights": bits 15:0 of a descriptor's type word */
#define VMX_AR_TYPE			GENMASK(3, 0)
#define VMX_AR_S			BIT(4)
#define VMX_AR_DPL_MASK			GENMASK(6, 5)
#define VMX_AR_P			BIT(7)
#define VMX_AR_AVL			BIT(12)
#define VMX_AR_L			BIT(13)
#define VMX_AR_DB			BIT(14)
#define VMX_AR_G			BIT(15)
#define VMX_AR_UNUSABLE			BIT(16)

/* Vol. 3, "Exit Qualification for EPT Violations" (28.2.1) */
#define VMX_EPT_QUAL_READ		BIT(0)
#define VMX_EPT_QUAL_WRITE		BIT(1)
#define VMX_EPT_QUAL_FETCH		BIT(2)
#define VMX_EPT_QUAL_LINEAR		BIT(7)	/* there is a linear address */
#define VMX_EPT_QUAL_TRANSLATED		BIT(8)	/* and this is what it leads to */
#define VMX_EPT_QUAL_NMI_UNBLOCKING	BIT(12)

#define VMX_REASON_BASIC		GENMASK(15, 0)
#define VMX_REASON_ENTRY_FAILURE	BIT(31)

/*
 * Vol. 3, "VMX Basic Exit Reasons" (C). Two lists come out of this one: the
 * enum, and the names under which exits are counted.
 */
#define VMX_REASONS(X)			\
	X(EXCEPTION_NMI,	0, "exception_nmi")	\
	X(EXTERNAL_INTERRUPT,	1, "external_interrupt")	\
	X(TRIPLE_FAULT,		2, "triple_fault")	\
	X(INIT,			3, "init")	\
	X(SIPI,			4, "sipi")	\
	X(IO_SMI,		5, "io_smi")	\
	X(OTHER_SMI,		6, "other_smi")	\
	X(INTERRUPT_WINDOW,	7, "interrupt_window")	\
	X(NMI_WINDOW,		8, "nmi_window")	\
	X(TASK_SWITCH,		9, "task_switch")	\
	X(CPUID,		10, "cpuid")	\
	X(GETSEC,		11, "getsec")	\
	X(HLT,			12, "hlt")	\
	X(INVD,			13, "invd")	\
	X(INVLPG,		14, "invlpg")	\
	X(RDPMC,		15, "rdpmc")	\
	X(RDTSC,		16, "rdtsc")	\
	X(RSM,			17, "rsm")	\
	X(VMCALL,		18, "vmcall")	\
	X(VMCLEAR,		19, "vmclear")	\
	X(VMLAUNCH,		20, "vmlaunch")	\
	X(VMPTRLD,		21, "vmptrld")	\
	X(VMPTRST,		22, "vmptrst")	\
	X(VMREAD,		23, "vmread")	\
	X(VMRESUME,		24, "vmresume")	\
	X(VMWRITE,		25, "vmwrite")	\
	X(VMXOFF,		26, "vmxoff")	\
	X(VMXON,		27, "vmxon")	\
	X(CR_ACCESS,		28, "cr_access")	\
	X(DR_ACCESS,		29, "dr_access")	\
	X(IO_INSTRUCTION,	30, "io_instruction")	\
	X(RDMSR,		31, "rdmsr")	\
	X(WRMSR,		32, "wrmsr")	\
	X(INVALID_GUEST_STATE,	33, "invalid_guest_state")	\
	X(MSR_LOADING,		34, "msr_loading")	\
	X(MWAIT,		36, "mwait")	\
	X(MONITOR_TRAP,		37, "monitor_trap")	\
	X(MONITOR,		39, "monitor")	\
	X(PAUSE,		40, "pause")	\
	X(MACHINE_CHECK,	41, "machine_check")	\
	X(TPR_BELOW_THRESHOLD,	43, "tpr_below_threshold")	\
	X(APIC_ACCESS,		44, "apic_access")	\
	X(VIRTUALIZED_EOI,	45, "virtualized_eoi")	\
	X(GDTR_IDTR,		46, "gdtr_idtr")	\
	X(LDTR_TR,		47, "ldtr_tr")	\
	X(EPT_VIOLATION,	48, "ept_violation")	\
	X(EPT_MISCONFIGURATION,	49, "ept_misconfiguration")	\
	X(INVEPT,		50, "invept")	\
	X(RDTSCP,		51, "rdtscp")	\
	X(PREEMPTION_TIMER,	52, "preemption_timer")	\
	X(INVVPID,		53, "invvpid")	\
	X(WBINVD,		54, "wbinvd")	\
	X(XSETBV,		55, "xsetbv")	\
	X(APIC_WRITE,		56, "apic_write")	\
	X(RDRAND,		57, "rdrand")	\
	X(INVPCID,		58, "invpcid")	\
	X(VMFUNC,		59, "vmfunc")	\
	X(ENCLS,		60, "encls")	\
	X(RDSEED,		61, "rdseed")	\
	X(PML_FULL,		62, "pml_full")	\
	X(XSAVES,		63, "xsaves")	\
	X(XRSTORS,		64, "xrstors")	\
	X(UMWAIT,		67, "umwait")	\
	X(TPAUSE,		68, "tpause")	\
	X(ENCLV,		70, "enclv")	\
	X(BUS_LOCK,		74, "bus_lock")	\
	X(NOTIFY,		75, "notify")

#define VMX_REASON_ENUM(name, number, words)	VMX_REASON_##name = number,
enum vmx_reason {
	VMX_REASONS(VMX_REASON_ENUM)
	VMX_NR_REASONS
};

/* Vol. 3, "VM Instruction Error Numbers" (31.4) */
#define VMX_INSTRUCTION_ERRORS(X)	\
	X(0, "no current VMCS")	\
	X(1, "VMCALL executed in VMX root operation")	\
	X(2, "VMCLEAR with invalid physical address")	\
	X(3, "VMCLEAR with VMXON pointer")	\
	X(4, "VMLAUNCH with non-clear VMCS")	\
	X(5, "VMRESUME with non-launched VMCS")	\
	X(6, "VMRESUME after VMXOFF")	\
	X(7, "VM entry with invalid control field(s)")	\
	X(8, "VM entry with invalid host-state field(s)")	\
	X(9, "VMPTRLD with invalid physical address")	\
	X(10, "VMPTRLD with VMXON pointer")	\
	X(11, "VMPTRLD with incorrect VMCS revision identifier")	\
	X(12, "VMREAD/VMWRITE from/to unsupported VMCS component")	\
	X(13, "VMWRITE to read-only VMCS component")	\
	X(15, "VMXON executed in VMX root operation")	\
	X(16, "VM entry with invalid executive-VMCS pointer")	\
	X(17, "VM entry with non-launched executive VMCS")	\
	X(18, "VM entry with executive-VMCS pointer not VMXON pointer")	\
	X(19, "VMCALL with non-clear VMCS")	\
	X(20, "VMCALL with invalid VM-exit control fields")	\
	X(22, "VMCALL with incorrect MSEG revision identifier")	\
	X(23, "VMXOFF under dual-monitor treatment of SMIs and SMM")	\
	X(24, "VMCALL with invalid SMM-monitor features")	\
	X(25, "VM entry with invalid VM-execution control fields in executive VMCS")	\
	X(26, "VM entry with events blocked by MOV SS")	\
	X(28, "invalid operand to INVEPT/INVVPID")

/* Vectors: Vol. 3, "Exception and Interrupt Vectors" (6.2) */
#define VMX_VECTOR_DE	0
#define VMX_VECTOR_DB	1
#define VMX_VECTOR_NMI	2
#define VMX_VECTOR_BP	3
#define VMX_VECTOR_OF	4
#define VMX_VECTOR_BR	5
#define VMX_VECTOR_UD	6
#define VMX_VECTOR_NM	7
#define VMX_VECTOR_DF	8
#define VMX_VECTOR_TS	10
#define VMX_VECTOR_NP	11
#define VMX_VECTOR_SS	12
#define VMX_VECTOR_GP	13
#define VMX_VECTOR_PF	14
#define VMX_VECTOR_MF	16
#define VMX_VECTOR_AC	17
#define VMX_VECTOR_MC	18

#endif
