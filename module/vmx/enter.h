/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the assembly of the world switch shares with C.
 */
#ifndef MVM_VMX_ENTER_H
#define MVM_VMX_ENTER_H

/*
 * Register numbers as instructions encode them: SDM Vol. 3, "Exit
 * Qualification for Control-Register Accesses", uses the same.
 */
#define MVM_RAX		0
#define MVM_RCX		1
#define MVM_RDX		2
#define MVM_RBX		3
#define MVM_RSP		4
#define MVM_RBP		5
#define MVM_RSI		6
#define MVM_RDI		7
#define MVM_R8		8
#define MVM_R9		9
#define MVM_R10		10
#define MVM_R11		11
#define MVM_R12		12
#define MVM_R13		13
#define MVM_R14		14
#define MVM_R15		15
#define MVM_NR_REGS	16

#define MVM_ENTER_HOST_RSP	(8 * MVM_NR_REGS)

/* VMCS field HOST_RSP, which the assembly writes */
#define MVM_FIELD_HOST_RSP	0x6c14

#ifndef __ASSEMBLY__

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * struct mvm_enter - the registers that the world switch handles
 * @regs: the guest's general-purpose registers by number; the slot of RSP is
 *	not used, that register is in the VMCS
 * @host_rsp: what the VMCS field HOST_RSP holds
 */
struct mvm_enter {
	unsigned long regs[MVM_NR_REGS];
	unsigned long host_rsp;
};

static_assert(offsetof(struct mvm_enter, host_rsp) == MVM_ENTER_HOST_RSP);

/**
 * mvm_vmx_enter() - enter the guest; return at the next VM exit
 * @enter: the guest's registers, loaded and stored
 * @launched: VMRESUME instead of VMLAUNCH
 *
 * SDM Vol. 3, "VMLAUNCH/VMRESUME". Interrupts are off and the VMCS is current.
 *
 * Return: false after a VM exit (which a failed check of guest state is, too);
 * true if the instruction failed and the guest was never entered: the reason
 * is in the VM-instruction error field.
 */
bool mvm_vmx_enter(struct mvm_enter *enter, bool launched);

/* Where a VM exit arrives; not a function. */
extern char mvm_vmx_exit_label[];

#endif
#endif
