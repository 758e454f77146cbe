/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one table of VMX controls: each bit that the SDM defines, whether we use
 * it or not, under the SDM's name. SDM Vol. 3, chapter "Virtual Machine Control
 * Structures": "VM-Execution Control Fields", "VM-Exit Control Fields", "VM-Entry
 * Control Fields" (2024: 25.6 to 25.8). What the module needs, what a machine
 * offers and what a VMCS holds are all told in these names.
 */
#ifndef MVM_VMX_CONTROL_H
#define MVM_VMX_CONTROL_H

#include <linux/types.h>

/**
 * enum mvm_control_word - a field of the VMCS that consists of controls
 * @MVM_CONTROL_PIN: pin-based VM-execution controls
 * @MVM_CONTROL_CPU: primary processor-based VM-execution controls
 * @MVM_CONTROL_CPU2: secondary processor-based VM-execution controls
 * @MVM_CONTROL_CPU3: tertiary processor-based VM-execution controls
 * @MVM_CONTROL_EXIT: primary VM-exit controls
 * @MVM_CONTROL_EXIT2: secondary VM-exit controls
 * @MVM_CONTROL_ENTRY: VM-entry controls
 * @MVM_NR_CONTROL_WORDS: how many there are
 */
enum mvm_control_word {
	MVM_CONTROL_PIN,
	MVM_CONTROL_CPU,
	MVM_CONTROL_CPU2,
	MVM_CONTROL_CPU3,
	MVM_CONTROL_EXIT,
	MVM_CONTROL_EXIT2,
	MVM_CONTROL_ENTRY,
	MVM_NR_CONTROL_WORDS
};

/* X(word, bit, name) */
#define VMX_CONTROLS(X)	\
	X(PIN, 0, "external-interrupt exiting")	\
	X(PIN, 3, "NMI exiting")	\
	X(PIN, 5, "virtual NMIs")	\
	X(PIN, 6, "activate VMX-preemption timer")	\
	X(PIN, 7, "process posted interrupts")	\
	\
	X(CPU, 2, "interrupt-window exiting")	\
	X(CPU, 3, "use TSC offsetting")	\
	X(CPU, 7, "HLT exiting")	\
	X(CPU, 9, "INVLPG exiting")	\
	X(CPU, 10, "MWAIT exiting")	\
	X(CPU, 11, "RDPMC exiting")	\
	X(CPU, 12, "RDTSC exiting")	\
	X(CPU, 15, "CR3-load exiting")	\
	X(CPU, 16, "CR3-store exiting")	\
	X(CPU, 17, "activate tertiary controls")	\
	X(CPU, 19, "CR8-load exiting")	\
	X(CPU, 20, "CR8-store exiting")	\
	X(CPU, 21, "use TPR shadow")	\
	X(CPU, 22, "NMI-window exiting")	\
	X(CPU, 23, "MOV-DR exiting")	\
	X(CPU, 24, "unconditional I/O exiting")	\
	X(CPU, 25, "use I/O bitmaps")	\
	X(CPU, 27, "monitor trap flag")	\
	X(CPU, 28, "use MSR bitmaps")	\
	X(CPU, 29, "MONITOR exiting")	\
	X(CPU, 30, "PAUSE exiting")	\
	X(CPU, 31, "activate secondary controls")	\
	\
	X(CPU2, 0, "virtualize APIC accesses")	\
	X(CPU2, 1, "enable EPT")	\
	X(CPU2, 2, "descriptor-table exiting")	\
	X(CPU2, 3, "enable RDTSCP")	\
	X(CPU2, 4, "virtualize x2APIC mode")	\
	X(CPU2, 5, "enable VPID")	\
	X(CPU2, 6, "WBINVD exiting")	\
	X(CPU2, 7, "unrestricted guest")	\
	X(CPU2, 8, "APIC-register virtualization")	\
	X(CPU2, 9, "virtual-interrupt delivery")	\
	X(CPU2, 10, "PAUSE-loop exiting")	\
	X(CPU2, 11, "RDRAND exiting")	\
	X(CPU2, 12, "enable INVPCID")	\
	X(CPU2, 13, "enable VM functions")	\
	X(CPU2, 14, "VMCS shadowing")	\
	X(CPU2, 15, "enable ENCLS exiting")	\
	X(CPU2, 16, "RDSEED exiting")	\
	X(CPU2, 17, "enable PML")	\
	X(CPU2, 18, "EPT-violation #VE")	\
	X(CPU2, 19, "conceal VMX from PT")	\
	X(CPU2, 20, "enable XSAVES/XRSTORS")	\
	X(CPU2, 21, "PASID translation")	\
	X(CPU2, 22, "mode-based execute control for EPT")	\
	X(CPU2, 23, "sub-page write permissions for EPT")	\
	X(CPU2, 24, "Intel PT uses guest physical addresses")	\
	X(CPU2, 25, "use TSC scaling")	\
	X(CPU2, 26, "enable user wait and pause")	\
	X(CPU2, 27, "enable PCONFIG")	\
	X(CPU2, 28, "enable ENCLV exiting")	\
	X(CPU2, 30, "VMM bus-lock detection")	\
	X(CPU2, 31, "instruction timeout")	\
	\
	X(CPU3, 0, "LOADIWKEY exiting")	\
	X(CPU3, 1, "enable HLAT")	\
	X(CPU3, 2, "EPT paging-write control")	\
	X(CPU3, 3, "guest-paging verification")	\
	X(CPU3, 4, "IPI virtualization")	\
	X(CPU3, 7, "virtualize IA32_SPEC_CTRL")	\
	\
	X(EXIT, 2, "save debug controls")	\
	X(EXIT, 9, "host address-space size")	\
	X(EXIT, 12, "load IA32_PERF_GLOBAL_CTRL")	\
	X(EXIT, 15, "acknowledge interrupt on exit")	\
	X(EXIT, 18, "save IA32_PAT")	\
	X(EXIT, 19, "load IA32_PAT")	\
	X(EXIT, 20, "save IA32_EFER")	\
	X(EXIT, 21, "load IA32_EFER")	\
	X(EXIT, 22, "save VMX-preemption timer value")	\
	X(EXIT, 23, "clear IA32_BNDCFGS")	\
	X(EXIT, 24, "conceal VMX from PT")	\
	X(EXIT, 25, "clear IA32_RTIT_CTL")	\
	X(EXIT, 26, "clear IA32_LBR_CTL")	\
	X(EXIT, 27, "clear UINV")	\
	X(EXIT, 28, "load CET state")	\
	X(EXIT, 29, "load PKRS")	\
	X(EXIT, 30, "save IA32_PERF_GLOBAL_CTRL")	\
	X(EXIT, 31, "activate secondary controls")	\
	\
	X(EXIT2, 3, "prematurely busy shadow stack")	\
	\
	X(ENTRY, 2, "load debug controls")	\
	X(ENTRY, 9, "IA-32e mode guest")	\
	X(ENTRY, 10, "entry to SMM")	\
	X(ENTRY, 11, "deactivate dual-monitor treatment")	\
	X(ENTRY, 13, "load IA32_PERF_GLOBAL_CTRL")	\
	X(ENTRY, 14, "load IA32_PAT")	\
	X(ENTRY, 15, "load IA32_EFER")	\
	X(ENTRY, 16, "load IA32_BNDCFGS")	\
	X(ENTRY, 17, "conceal VMX from PT")	\
	X(ENTRY, 18, "load IA32_RTIT_CTL")	\
	X(ENTRY, 19, "load UINV")	\
	X(ENTRY, 20, "load CET state")	\
	X(ENTRY, 21, "load guest IA32_LBR_CTL")	\
	X(ENTRY, 22, "load PKRS")

/**
 * mvm_control_name() - a control's name
 * @word: the field that it is in
 * @bit: its number there
 *
 * Return: the SDM's name, or NULL for a bit that the SDM does not define.
 */
static inline const char *mvm_control_name(enum mvm_control_word word, unsigned int bit)
{
#define VMX_CONTROL_NAME(control_word, number, name)	\
	case MVM_CONTROL_##control_word * 64 + (number):	\
		return name;
	switch (word * 64 + bit) {
	VMX_CONTROLS(VMX_CONTROL_NAME)
	}
	return NULL;
#undef VMX_CONTROL_NAME
}

#endif
