// SPDX-License-Identifier: GPL-2.0
/*
 * VMCS regions, and what is said when an instruction on one fails.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <asm/page.h>

#include "operation.h"
#include "vmcs.h"

/**
 * mvm_vmcs_field_name() - the SDM's words for a field
 * @field: encoding
 *
 * Return: a string, never NULL.
 */
const char *mvm_vmcs_field_name(u32 field)
{
#define FIELD_NAME(name, encoding, width, section, words)	\
	case encoding:						\
		return words;
	switch (field) {
	VMCS_FIELDS(FIELD_NAME)
	}
	return "unknown field";
}

/**
 * mvm_vmx_instruction_error() - a VM-instruction error in words
 * @number: the VM-instruction error field
 *
 * SDM Vol. 3, "VM Instruction Error Numbers" (2024: 31.4).
 *
 * Return: a string, never NULL.
 */
const char *mvm_vmx_instruction_error(u32 number)
{
	static const char * const words[] = {
		[0] = "no current VMCS",
		[1] = "VMCALL executed in VMX root operation",
		[2] = "VMCLEAR with invalid physical address",
		[3] = "VMCLEAR with VMXON pointer",
		[4] = "VMLAUNCH with non-clear VMCS",
		[5] = "VMRESUME with non-launched VMCS",
		[6] = "VMRESUME after VMXOFF",
		[7] = "VM entry with invalid control field(s)",
		[8] = "VM entry with invalid host-state field(s)",
		[9] = "VMPTRLD with invalid physical address",
		[10] = "VMPTRLD with VMXON pointer",
		[11] = "VMPTRLD with incorrect VMCS revision identifier",
		[12] = "VMREAD/VMWRITE from/to unsupported VMCS component",
		[13] = "VMWRITE to read-only VMCS component",
		[15] = "VMXON executed in VMX root operation",
		[16] = "VM entry with invalid executive-VMCS pointer",
		[17] = "VM entry with non-launched executive VMCS",
		[18] = "VM entry with executive-VMCS pointer not VMXON pointer",
		[19] = "VMCALL with non-clear VMCS",
		[20] = "VMCALL with invalid VM-exit control fields",
		[22] = "VMCALL with incorrect MSEG revision identifier",
		[23] = "VMXOFF under dual-monitor treatment of SMIs and SMM",
		[24] = "VMCALL with invalid SMM-monitor features",
		[25] = "VM entry with invalid VM-execution control fields in executive VMCS",
		[26] = "VM entry with events blocked by MOV SS",
		[28] = "invalid operand to INVEPT/INVVPID",
	};

	if (number < ARRAY_SIZE(words) && words[number])
		return words[number];
	return "unknown error";
}

/*
 * The error number of the failed access itself, read without the accessor,
 * which would come back here.
 */
static u32 instruction_error(void)
{
	unsigned long number;
	bool failed;

	asm volatile("vmread %[field], %[number]"
		     : [number] "=r" (number), "=@ccbe" (failed)
		     : [field] "r" ((unsigned long)VMCS_INSTRUCTION_ERROR));
	return failed ? 0 : number;
}

void mvm_vmcs_read_failed(u32 field)
{
	u32 error = instruction_error();

	pr_err_ratelimited("VMREAD of %s (0x%04x) failed: %s (%u)\n",
			   mvm_vmcs_field_name(field), field,
			   mvm_vmx_instruction_error(error), error);
}

void mvm_vmcs_write_failed(u32 field, u64 value)
{
	u32 error = instruction_error();

	pr_err_ratelimited("VMWRITE of 0x%llx to %s (0x%04x) failed: %s (%u)\n",
			   value, mvm_vmcs_field_name(field), field,
			   mvm_vmx_instruction_error(error), error);
}

/* SDM Vol. 3, "VMCS Data" (25.2): the first word is the revision identifier. */
struct mvm_vmcs {
	u32 revision;
	u32 abort;
	u8 data[];
};

/**
 * mvm_vmcs_alloc() - a region for a VMCS or for VMXON
 *
 * SDM Vol. 3, "Format of the VMCS Region" (25.2): at most 4096 bytes, aligned
 * to 4096, in memory that is write-back cached, as all RAM of Linux is. May
 * sleep.
 *
 * Return: the region with its revision identifier set, or NULL.
 */
struct mvm_vmcs *mvm_vmcs_alloc(void)
{
	struct mvm_vmcs *vmcs;

	vmcs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (vmcs)
		vmcs->revision = mvm_vmx.revision;
	return vmcs;
}

/**
 * mvm_vmcs_free() - the end of a region
 * @vmcs: the region, active on no CPU; or NULL
 */
void mvm_vmcs_free(struct mvm_vmcs *vmcs)
{
	free_page((unsigned long)vmcs);
}

/**
 * mvm_vmcs_clear() - write a VMCS back to memory and make it inactive here
 * @vmcs: the VMCS
 *
 * SDM Vol. 3, "VMCLEAR". On the CPU where the VMCS is active, not preemptible.
 *
 * Return: 0 or -EIO.
 */
int mvm_vmcs_clear(struct mvm_vmcs *vmcs)
{
	u64 address = __pa(vmcs);
	bool failed;

	asm volatile("vmclear %[address]"
		     : "=@ccbe" (failed) : [address] "m" (address) : "memory");
	if (!failed)
		return 0;
	pr_err_ratelimited("VMCLEAR of 0x%llx failed\n", address);
	return -EIO;
}

/**
 * mvm_vmcs_make_current() - the VMCS that VMREAD, VMWRITE and VM entry use
 * @vmcs: the VMCS, active on no other CPU
 *
 * SDM Vol. 3, "VMPTRLD". Not preemptible.
 *
 * Return: 0 or -EIO.
 */
int mvm_vmcs_make_current(struct mvm_vmcs *vmcs)
{
	u64 address = __pa(vmcs);
	bool failed;

	asm volatile("vmptrld %[address]"
		     : "=@ccbe" (failed) : [address] "m" (address) : "memory");
	if (!failed)
		return 0;
	pr_err_ratelimited("VMPTRLD of 0x%llx failed\n", address);
	return -EIO;
}
