// SPDX-License-Identifier: GPL-2.0
/*
 * VMCS regions, and what is said when an instruction on one fails.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <asm/page.h>

#include "arch.h"
#include "check.h"
#include "operation.h"
#include "vmcs.h"
#include "vmx.h"

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
 * mvm_vmcs_field_index() - a field's place in the table
 * @field: encoding
 *
 * Return: its enum vmcs_index, -1 for what is no field.
 */
int mvm_vmcs_field_index(u32 field)
{
#define FIELD_PLACE(name, encoding, width, section, words)	\
	case encoding:						\
		return VMCS_INDEX_##name;
	switch (field) {
	VMCS_FIELDS(FIELD_PLACE)
	}
	return -1;
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
#define INSTRUCTION_ERROR(error, text)	\
	[error] = text,
	static const char * const words[] = {
		VMX_INSTRUCTION_ERRORS(INSTRUCTION_ERROR)
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

DEFINE_STATIC_KEY_FALSE(mvm_vmcs_writers);

/**
 * mvm_vmx_note_writers() - note from now on who writes which field
 *
 * Before the first vCPU. May sleep.
 */
void mvm_vmx_note_writers(void)
{
	static_branch_enable(&mvm_vmcs_writers);
}

/**
 * mvm_vmcs_note_writer() - a field of the current VMCS is about to be written
 * @field: encoding
 * @file: where from
 * @line: the same
 *
 * Context: a vCPU is attached.
 */
void mvm_vmcs_note_writer(u32 field, const char *file, int line)
{
	struct mvm_writer *writers = this_cpu_read(mvm_cpu.writers);
	int index = mvm_vmcs_field_index(field);

	if (writers && index >= 0)
		writers[index] = (struct mvm_writer) { file, line };
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
	return mvm_vmcs_make_current_at(__pa(vmcs));
}

/**
 * mvm_vmcs_make_current_at() - the same, of a VMCS that only the CPU knew
 * @address: its physical address, as VMPTRST stored it
 *
 * Return: 0 or -EIO.
 */
int mvm_vmcs_make_current_at(u64 address)
{
	bool failed;

	asm volatile("vmptrld %[address]"
		     : "=@ccbe" (failed) : [address] "m" (address) : "memory");
	if (!failed)
		return 0;
	pr_err_ratelimited("VMPTRLD of 0x%llx failed\n", address);
	return -EIO;
}
