/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one table of VMCS fields. SDM Vol. 3, "Field Encoding in VMCS" (2024:
 * Appendix B); each row: name, encoding, width in bits (NATURAL: the width of
 * the processor, 64 here), the section that defines it, the SDM's words for
 * it. Sorted by encoding. The enum, the width check of the accessors in
 * vmcs.h and every listing of fields come out of this table.
 *
 * The section column, by the titles of SDM Vol. 3, chapter "Virtual Machine
 * Control Structures" (2024: chapter 25):
 *   EXECUTION		"VM-Execution Control Fields"
 *   EXIT_CONTROL	"VM-Exit Control Fields"
 *   ENTRY_CONTROL	"VM-Entry Control Fields"
 *   EXIT_INFORMATION	"VM-Exit Information Fields"
 *   GUEST_REGISTER	"Guest Register State"
 *   GUEST_OTHER	"Guest Non-Register State"
 *   HOST		"Host-State Area"
 */
#ifndef MVM_VMX_FIELD_H
#define MVM_VMX_FIELD_H

#define VMCS_FIELDS(X)	\
	X(VPID, 0x0000, 16, EXECUTION, "virtual-processor identifier")	\
	X(POSTED_INTERRUPT_VECTOR, 0x0002, 16, EXECUTION,	\
	  "posted-interrupt notification vector")	\
	X(EPTP_INDEX, 0x0004, 16, EXECUTION, "EPTP index")	\
	X(LAST_PID_POINTER, 0x0008, 16, EXECUTION, "last PID-pointer index")	\
	X(GUEST_ES_SELECTOR, 0x0800, 16, GUEST_REGISTER, "guest ES selector")	\
	X(GUEST_CS_SELECTOR, 0x0802, 16, GUEST_REGISTER, "guest CS selector")	\
	X(GUEST_SS_SELECTOR, 0x0804, 16, GUEST_REGISTER, "guest SS selector")	\
	X(GUEST_DS_SELECTOR, 0x0806, 16, GUEST_REGISTER, "guest DS selector")	\
	X(GUEST_FS_SELECTOR, 0x0808, 16, GUEST_REGISTER, "guest FS selector")	\
	X(GUEST_GS_SELECTOR, 0x080a, 16, GUEST_REGISTER, "guest GS selector")	\
	X(GUEST_LDTR_SELECTOR, 0x080c, 16, GUEST_REGISTER, "guest LDTR selector")	\
	X(GUEST_TR_SELECTOR, 0x080e, 16, GUEST_REGISTER, "guest TR selector")	\
	X(GUEST_INTERRUPT_STATUS, 0x0810, 16, GUEST_OTHER, "guest interrupt status")	\
	X(GUEST_PML_INDEX, 0x0812, 16, GUEST_OTHER, "PML index")	\
	X(GUEST_UINV, 0x0814, 16, GUEST_OTHER, "guest UINV")	\
	X(HOST_ES_SELECTOR, 0x0c00, 16, HOST, "host ES selector")	\
	X(HOST_CS_SELECTOR, 0x0c02, 16, HOST, "host CS selector")	\
	X(HOST_SS_SELECTOR, 0x0c04, 16, HOST, "host SS selector")	\
	X(HOST_DS_SELECTOR, 0x0c06, 16, HOST, "host DS selector")	\
	X(HOST_FS_SELECTOR, 0x0c08, 16, HOST, "host FS selector")	\
	X(HOST_GS_SELECTOR, 0x0c0a, 16, HOST, "host GS selector")	\
	X(HOST_TR_SELECTOR, 0x0c0c, 16, HOST, "host TR selector")	\
	\
	X(IO_BITMAP_A, 0x2000, 64, EXECUTION, "address of I/O bitmap A")	\
	X(IO_BITMAP_B, 0x2002, 64, EXECUTION, "address of I/O bitmap B")	\
	X(MSR_BITMAP, 0x2004, 64, EXECUTION, "address of MSR bitmaps")	\
	X(EXIT_MSR_STORE_ADDRESS, 0x2006, 64, EXIT_CONTROL, "VM-exit MSR-store address")	\
	X(EXIT_MSR_LOAD_ADDRESS, 0x2008, 64, EXIT_CONTROL, "VM-exit MSR-load address")	\
	X(ENTRY_MSR_LOAD_ADDRESS, 0x200a, 64, ENTRY_CONTROL, "VM-entry MSR-load address")	\
	X(EXECUTIVE_VMCS, 0x200c, 64, EXECUTION, "executive-VMCS pointer")	\
	X(PML_ADDRESS, 0x200e, 64, EXECUTION, "PML address")	\
	X(TSC_OFFSET, 0x2010, 64, EXECUTION, "TSC offset")	\
	X(VIRTUAL_APIC_ADDRESS, 0x2012, 64, EXECUTION, "virtual-APIC address")	\
	X(APIC_ACCESS_ADDRESS, 0x2014, 64, EXECUTION, "APIC-access address")	\
	X(POSTED_INTERRUPT_DESCRIPTOR, 0x2016, 64, EXECUTION,	\
	  "posted-interrupt descriptor address")	\
	X(VM_FUNCTION_CONTROLS, 0x2018, 64, EXECUTION, "VM-function controls")	\
	X(EPTP, 0x201a, 64, EXECUTION, "EPT pointer")	\
	X(EOI_EXIT_BITMAP_0, 0x201c, 64, EXECUTION, "EOI-exit bitmap 0")	\
	X(EOI_EXIT_BITMAP_1, 0x201e, 64, EXECUTION, "EOI-exit bitmap 1")	\
	X(EOI_EXIT_BITMAP_2, 0x2020, 64, EXECUTION, "EOI-exit bitmap 2")	\
	X(EOI_EXIT_BITMAP_3, 0x2022, 64, EXECUTION, "EOI-exit bitmap 3")	\
	X(EPTP_LIST_ADDRESS, 0x2024, 64, EXECUTION, "EPTP-list address")	\
	X(VMREAD_BITMAP, 0x2026, 64, EXECUTION, "VMREAD-bitmap address")	\
	X(VMWRITE_BITMAP, 0x2028, 64, EXECUTION, "VMWRITE-bitmap address")	\
	X(VIRTUALIZATION_EXCEPTION_ADDRESS, 0x202a, 64, EXECUTION,	\
	  "virtualization-exception information address")	\
	X(XSS_EXITING_BITMAP, 0x202c, 64, EXECUTION, "XSS-exiting bitmap")	\
	X(ENCLS_EXITING_BITMAP, 0x202e, 64, EXECUTION, "ENCLS-exiting bitmap")	\
	X(SUB_PAGE_PERMISSION_TABLE, 0x2030, 64, EXECUTION,	\
	  "sub-page-permission-table pointer")	\
	X(TSC_MULTIPLIER, 0x2032, 64, EXECUTION, "TSC multiplier")	\
	X(TERTIARY_CONTROLS, 0x2034, 64, EXECUTION,	\
	  "tertiary processor-based VM-execution controls")	\
	X(ENCLV_EXITING_BITMAP, 0x2036, 64, EXECUTION, "ENCLV-exiting bitmap")	\
	X(HLAT_POINTER, 0x2040, 64, EXECUTION, "HLAT pointer")	\
	X(PID_POINTER_TABLE, 0x2042, 64, EXECUTION, "PID-pointer table address")	\
	X(EXIT2_CONTROLS, 0x2044, 64, EXIT_CONTROL, "secondary VM-exit controls")	\
	X(GUEST_PHYSICAL_ADDRESS, 0x2400, 64, EXIT_INFORMATION, "guest-physical address")	\
	X(VMCS_LINK_POINTER, 0x2800, 64, GUEST_OTHER, "VMCS link pointer")	\
	X(GUEST_DEBUGCTL, 0x2802, 64, GUEST_REGISTER, "guest IA32_DEBUGCTL")	\
	X(GUEST_PAT, 0x2804, 64, GUEST_REGISTER, "guest IA32_PAT")	\
	X(GUEST_EFER, 0x2806, 64, GUEST_REGISTER, "guest IA32_EFER")	\
	X(GUEST_PERF_GLOBAL_CTRL, 0x2808, 64, GUEST_REGISTER, "guest IA32_PERF_GLOBAL_CTRL")	\
	X(GUEST_PDPTE0, 0x280a, 64, GUEST_OTHER, "guest PDPTE0")	\
	X(GUEST_PDPTE1, 0x280c, 64, GUEST_OTHER, "guest PDPTE1")	\
	X(GUEST_PDPTE2, 0x280e, 64, GUEST_OTHER, "guest PDPTE2")	\
	X(GUEST_PDPTE3, 0x2810, 64, GUEST_OTHER, "guest PDPTE3")	\
	X(GUEST_BNDCFGS, 0x2812, 64, GUEST_REGISTER, "guest IA32_BNDCFGS")	\
	X(GUEST_RTIT_CTL, 0x2814, 64, GUEST_REGISTER, "guest IA32_RTIT_CTL")	\
	X(GUEST_LBR_CTL, 0x2816, 64, GUEST_REGISTER, "guest IA32_LBR_CTL")	\
	X(GUEST_PKRS, 0x2818, 64, GUEST_REGISTER, "guest IA32_PKRS")	\
	X(HOST_PAT, 0x2c00, 64, HOST, "host IA32_PAT")	\
	X(HOST_EFER, 0x2c02, 64, HOST, "host IA32_EFER")	\
	X(HOST_PERF_GLOBAL_CTRL, 0x2c04, 64, HOST, "host IA32_PERF_GLOBAL_CTRL")	\
	X(HOST_PKRS, 0x2c06, 64, HOST, "host IA32_PKRS")	\
	\
	X(PIN_CONTROLS, 0x4000, 32, EXECUTION, "pin-based VM-execution controls")	\
	X(CPU_CONTROLS, 0x4002, 32, EXECUTION, "primary processor-based VM-execution controls")	\
	X(EXCEPTION_BITMAP, 0x4004, 32, EXECUTION, "exception bitmap")	\
	X(PAGE_FAULT_MASK, 0x4006, 32, EXECUTION, "page-fault error-code mask")	\
	X(PAGE_FAULT_MATCH, 0x4008, 32, EXECUTION, "page-fault error-code match")	\
	X(CR3_TARGET_COUNT, 0x400a, 32, EXECUTION, "CR3-target count")	\
	X(EXIT_CONTROLS, 0x400c, 32, EXIT_CONTROL, "primary VM-exit controls")	\
	X(EXIT_MSR_STORE_COUNT, 0x400e, 32, EXIT_CONTROL, "VM-exit MSR-store count")	\
	X(EXIT_MSR_LOAD_COUNT, 0x4010, 32, EXIT_CONTROL, "VM-exit MSR-load count")	\
	X(ENTRY_CONTROLS, 0x4012, 32, ENTRY_CONTROL, "VM-entry controls")	\
	X(ENTRY_MSR_LOAD_COUNT, 0x4014, 32, ENTRY_CONTROL, "VM-entry MSR-load count")	\
	X(ENTRY_EVENT, 0x4016, 32, ENTRY_CONTROL, "VM-entry interruption-information field")	\
	X(ENTRY_ERROR_CODE, 0x4018, 32, ENTRY_CONTROL, "VM-entry exception error code")	\
	X(ENTRY_INSTRUCTION_LENGTH, 0x401a, 32, ENTRY_CONTROL, "VM-entry instruction length")	\
	X(TPR_THRESHOLD, 0x401c, 32, EXECUTION, "TPR threshold")	\
	X(CPU2_CONTROLS, 0x401e, 32, EXECUTION,	\
	  "secondary processor-based VM-execution controls")	\
	X(PLE_GAP, 0x4020, 32, EXECUTION, "PLE_Gap")	\
	X(PLE_WINDOW, 0x4022, 32, EXECUTION, "PLE_Window")	\
	X(INSTRUCTION_ERROR, 0x4400, 32, EXIT_INFORMATION, "VM-instruction error")	\
	X(EXIT_REASON, 0x4402, 32, EXIT_INFORMATION, "exit reason")	\
	X(EXIT_EVENT, 0x4404, 32, EXIT_INFORMATION, "VM-exit interruption information")	\
	X(EXIT_ERROR_CODE, 0x4406, 32, EXIT_INFORMATION, "VM-exit interruption error code")	\
	X(VECTORING_EVENT, 0x4408, 32, EXIT_INFORMATION, "IDT-vectoring information field")	\
	X(VECTORING_ERROR_CODE, 0x440a, 32, EXIT_INFORMATION, "IDT-vectoring error code")	\
	X(EXIT_INSTRUCTION_LENGTH, 0x440c, 32, EXIT_INFORMATION, "VM-exit instruction length")	\
	X(EXIT_INSTRUCTION_INFO, 0x440e, 32, EXIT_INFORMATION,	\
	  "VM-exit instruction information")	\
	X(GUEST_ES_LIMIT, 0x4800, 32, GUEST_REGISTER, "guest ES limit")	\
	X(GUEST_CS_LIMIT, 0x4802, 32, GUEST_REGISTER, "guest CS limit")	\
	X(GUEST_SS_LIMIT, 0x4804, 32, GUEST_REGISTER, "guest SS limit")	\
	X(GUEST_DS_LIMIT, 0x4806, 32, GUEST_REGISTER, "guest DS limit")	\
	X(GUEST_FS_LIMIT, 0x4808, 32, GUEST_REGISTER, "guest FS limit")	\
	X(GUEST_GS_LIMIT, 0x480a, 32, GUEST_REGISTER, "guest GS limit")	\
	X(GUEST_LDTR_LIMIT, 0x480c, 32, GUEST_REGISTER, "guest LDTR limit")	\
	X(GUEST_TR_LIMIT, 0x480e, 32, GUEST_REGISTER, "guest TR limit")	\
	X(GUEST_GDTR_LIMIT, 0x4810, 32, GUEST_REGISTER, "guest GDTR limit")	\
	X(GUEST_IDTR_LIMIT, 0x4812, 32, GUEST_REGISTER, "guest IDTR limit")	\
	X(GUEST_ES_ACCESS_RIGHTS, 0x4814, 32, GUEST_REGISTER, "guest ES access rights")	\
	X(GUEST_CS_ACCESS_RIGHTS, 0x4816, 32, GUEST_REGISTER, "guest CS access rights")	\
	X(GUEST_SS_ACCESS_RIGHTS, 0x4818, 32, GUEST_REGISTER, "guest SS access rights")	\
	X(GUEST_DS_ACCESS_RIGHTS, 0x481a, 32, GUEST_REGISTER, "guest DS access rights")	\
	X(GUEST_FS_ACCESS_RIGHTS, 0x481c, 32, GUEST_REGISTER, "guest FS access rights")	\
	X(GUEST_GS_ACCESS_RIGHTS, 0x481e, 32, GUEST_REGISTER, "guest GS access rights")	\
	X(GUEST_LDTR_ACCESS_RIGHTS, 0x4820, 32, GUEST_REGISTER, "guest LDTR access rights")	\
	X(GUEST_TR_ACCESS_RIGHTS, 0x4822, 32, GUEST_REGISTER, "guest TR access rights")	\
	X(GUEST_INTERRUPTIBILITY, 0x4824, 32, GUEST_OTHER, "guest interruptibility state")	\
	X(GUEST_ACTIVITY, 0x4826, 32, GUEST_OTHER, "guest activity state")	\
	X(GUEST_SMBASE, 0x4828, 32, GUEST_REGISTER, "guest SMBASE")	\
	X(GUEST_SYSENTER_CS, 0x482a, 32, GUEST_REGISTER, "guest IA32_SYSENTER_CS")	\
	X(PREEMPTION_TIMER, 0x482e, 32, GUEST_OTHER, "VMX-preemption timer value")	\
	X(HOST_SYSENTER_CS, 0x4c00, 32, HOST, "host IA32_SYSENTER_CS")	\
	\
	X(CR0_MASK, 0x6000, NATURAL, EXECUTION, "CR0 guest/host mask")	\
	X(CR4_MASK, 0x6002, NATURAL, EXECUTION, "CR4 guest/host mask")	\
	X(CR0_SHADOW, 0x6004, NATURAL, EXECUTION, "CR0 read shadow")	\
	X(CR4_SHADOW, 0x6006, NATURAL, EXECUTION, "CR4 read shadow")	\
	X(CR3_TARGET0, 0x6008, NATURAL, EXECUTION, "CR3-target value 0")	\
	X(CR3_TARGET1, 0x600a, NATURAL, EXECUTION, "CR3-target value 1")	\
	X(CR3_TARGET2, 0x600c, NATURAL, EXECUTION, "CR3-target value 2")	\
	X(CR3_TARGET3, 0x600e, NATURAL, EXECUTION, "CR3-target value 3")	\
	X(EXIT_QUALIFICATION, 0x6400, NATURAL, EXIT_INFORMATION, "exit qualification")	\
	X(IO_RCX, 0x6402, NATURAL, EXIT_INFORMATION, "I/O RCX")	\
	X(IO_RSI, 0x6404, NATURAL, EXIT_INFORMATION, "I/O RSI")	\
	X(IO_RDI, 0x6406, NATURAL, EXIT_INFORMATION, "I/O RDI")	\
	X(IO_RIP, 0x6408, NATURAL, EXIT_INFORMATION, "I/O RIP")	\
	X(GUEST_LINEAR_ADDRESS, 0x640a, NATURAL, EXIT_INFORMATION, "guest-linear address")	\
	X(GUEST_CR0, 0x6800, NATURAL, GUEST_REGISTER, "guest CR0")	\
	X(GUEST_CR3, 0x6802, NATURAL, GUEST_REGISTER, "guest CR3")	\
	X(GUEST_CR4, 0x6804, NATURAL, GUEST_REGISTER, "guest CR4")	\
	X(GUEST_ES_BASE, 0x6806, NATURAL, GUEST_REGISTER, "guest ES base")	\
	X(GUEST_CS_BASE, 0x6808, NATURAL, GUEST_REGISTER, "guest CS base")	\
	X(GUEST_SS_BASE, 0x680a, NATURAL, GUEST_REGISTER, "guest SS base")	\
	X(GUEST_DS_BASE, 0x680c, NATURAL, GUEST_REGISTER, "guest DS base")	\
	X(GUEST_FS_BASE, 0x680e, NATURAL, GUEST_REGISTER, "guest FS base")	\
	X(GUEST_GS_BASE, 0x6810, NATURAL, GUEST_REGISTER, "guest GS base")	\
	X(GUEST_LDTR_BASE, 0x6812, NATURAL, GUEST_REGISTER, "guest LDTR base")	\
	X(GUEST_TR_BASE, 0x6814, NATURAL, GUEST_REGISTER, "guest TR base")	\
	X(GUEST_GDTR_BASE, 0x6816, NATURAL, GUEST_REGISTER, "guest GDTR base")	\
	X(GUEST_IDTR_BASE, 0x6818, NATURAL, GUEST_REGISTER, "guest IDTR base")	\
	X(GUEST_DR7, 0x681a, NATURAL, GUEST_REGISTER, "guest DR7")	\
	X(GUEST_RSP, 0x681c, NATURAL, GUEST_REGISTER, "guest RSP")	\
	X(GUEST_RIP, 0x681e, NATURAL, GUEST_REGISTER, "guest RIP")	\
	X(GUEST_RFLAGS, 0x6820, NATURAL, GUEST_REGISTER, "guest RFLAGS")	\
	X(GUEST_PENDING_DEBUG, 0x6822, NATURAL, GUEST_OTHER, "guest pending debug exceptions")	\
	X(GUEST_SYSENTER_ESP, 0x6824, NATURAL, GUEST_REGISTER, "guest IA32_SYSENTER_ESP")	\
	X(GUEST_SYSENTER_EIP, 0x6826, NATURAL, GUEST_REGISTER, "guest IA32_SYSENTER_EIP")	\
	X(GUEST_S_CET, 0x6828, NATURAL, GUEST_REGISTER, "guest IA32_S_CET")	\
	X(GUEST_SSP, 0x682a, NATURAL, GUEST_REGISTER, "guest SSP")	\
	X(GUEST_SSP_TABLE, 0x682c, NATURAL, GUEST_REGISTER,	\
	  "guest IA32_INTERRUPT_SSP_TABLE_ADDR")	\
	X(HOST_CR0, 0x6c00, NATURAL, HOST, "host CR0")	\
	X(HOST_CR3, 0x6c02, NATURAL, HOST, "host CR3")	\
	X(HOST_CR4, 0x6c04, NATURAL, HOST, "host CR4")	\
	X(HOST_FS_BASE, 0x6c06, NATURAL, HOST, "host FS base")	\
	X(HOST_GS_BASE, 0x6c08, NATURAL, HOST, "host GS base")	\
	X(HOST_TR_BASE, 0x6c0a, NATURAL, HOST, "host TR base")	\
	X(HOST_GDTR_BASE, 0x6c0c, NATURAL, HOST, "host GDTR base")	\
	X(HOST_IDTR_BASE, 0x6c0e, NATURAL, HOST, "host IDTR base")	\
	X(HOST_SYSENTER_ESP, 0x6c10, NATURAL, HOST, "host IA32_SYSENTER_ESP")	\
	X(HOST_SYSENTER_EIP, 0x6c12, NATURAL, HOST, "host IA32_SYSENTER_EIP")	\
	X(HOST_RSP, 0x6c14, NATURAL, HOST, "host RSP")	\
	X(HOST_RIP, 0x6c16, NATURAL, HOST, "host RIP")	\
	X(HOST_S_CET, 0x6c18, NATURAL, HOST, "host IA32_S_CET")	\
	X(HOST_SSP, 0x6c1a, NATURAL, HOST, "host SSP")	\
	X(HOST_SSP_TABLE, 0x6c1c, NATURAL, HOST, "host IA32_INTERRUPT_SSP_TABLE_ADDR")

#define VMCS_FIELD_ENUM(name, encoding, width, section, words)	\
	VMCS_##name = encoding,
enum vmcs_field {
	VMCS_FIELDS(VMCS_FIELD_ENUM)
};

/* Width, as bits 14:13 of an encoding give it */
#define VMCS_WIDTH_16		0
#define VMCS_WIDTH_64		1
#define VMCS_WIDTH_32		2
#define VMCS_WIDTH_NATURAL	3
#define VMCS_WIDTH(encoding)	(((encoding) >> 13) & 3)

#endif
