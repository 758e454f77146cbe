/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Typed access to the current VMCS.
 *
 * An accessor's number is the width of the field: with a constant field of
 * another width the module does not compile, because a VMREAD into a variable
 * that is too small loses bits silently. Segments are reached by index from
 * the field of ES, of which the encodings of the others follow in steps of 2.
 *
 * All of these need the VMCS to be current on this CPU, which holds between
 * mvm_vmx_load() and mvm_vmx_put(). None of them can fault: VMX operation ends
 * on a CPU only when no vCPU is loaded there (see operation.c).
 */
#ifndef MVM_VMX_VMCS_H
#define MVM_VMX_VMCS_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/jump_label.h>
#include <linux/types.h>

#include "field.h"

struct mvm_vmcs;

/* What VMPTRST stores when no VMCS is current */
#define VMCS_NONE	(~0ULL)

/**
 * struct mvm_writer - a line of the source that wrote a field
 * @file: its file, NULL if nobody wrote the field
 * @line: its number
 */
struct mvm_writer {
	const char *file;
	int line;
};

/* Module parameter "writers": who writes a field is noted. */
DECLARE_STATIC_KEY_FALSE(mvm_vmcs_writers);
void mvm_vmcs_note_writer(u32 field, const char *file, int line);

const char *mvm_vmcs_field_name(u32 field);
int mvm_vmcs_field_index(u32 field);
const char *mvm_vmx_instruction_error(u32 number);
void mvm_vmcs_read_failed(u32 field);
void mvm_vmcs_write_failed(u32 field, u64 value);

struct mvm_vmcs *mvm_vmcs_alloc(void);
void mvm_vmcs_free(struct mvm_vmcs *vmcs);
int mvm_vmcs_clear(struct mvm_vmcs *vmcs);
int mvm_vmcs_make_current(struct mvm_vmcs *vmcs);
int mvm_vmcs_make_current_at(u64 address);

/* SDM Vol. 3, "Conventions": CF or ZF says that a VMX instruction failed. */
static __always_inline unsigned long mvm_vmread(u32 field)
{
	unsigned long value;
	bool failed;

	asm volatile("vmread %[field], %[value]"
		     : [value] "=r" (value), "=@ccbe" (failed)
		     : [field] "r" ((unsigned long)field));
	if (unlikely(failed)) {
		mvm_vmcs_read_failed(field);
		return 0;
	}
	return value;
}

static __always_inline void mvm_vmwrite(u32 field, unsigned long value)
{
	bool failed;

	asm volatile("vmwrite %[value], %[field]"
		     : "=@ccbe" (failed)
		     : [value] "rm" (value), [field] "r" ((unsigned long)field));
	if (unlikely(failed))
		mvm_vmcs_write_failed(field, value);
}

#define VMCS_ACCESSORS(suffix, type, width)				\
static __always_inline type vmcs_read##suffix(u32 field)		\
{									\
	BUILD_BUG_ON(__builtin_constant_p(field) &&			\
		     VMCS_WIDTH(field) != VMCS_WIDTH_##width);		\
	return mvm_vmread(field);					\
}									\
									\
static __always_inline void mvm_vmcs_write##suffix(u32 field, type value) \
{									\
	BUILD_BUG_ON(__builtin_constant_p(field) &&			\
		     VMCS_WIDTH(field) != VMCS_WIDTH_##width);		\
	mvm_vmwrite(field, value);					\
}

VMCS_ACCESSORS(16, u16, 16)
VMCS_ACCESSORS(32, u32, 32)
VMCS_ACCESSORS(64, u64, 64)
VMCS_ACCESSORS(l, unsigned long, NATURAL)

/* Macros, for the line that is noted is the caller's. */
#define VMCS_WRITE(suffix, field, value) do {				\
	if (static_branch_unlikely(&mvm_vmcs_writers))			\
		mvm_vmcs_note_writer(field, __FILE__, __LINE__);	\
	mvm_vmcs_write##suffix(field, value);				\
} while (0)

#define vmcs_write16(field, value)	VMCS_WRITE(16, field, value)
#define vmcs_write32(field, value)	VMCS_WRITE(32, field, value)
#define vmcs_write64(field, value)	VMCS_WRITE(64, field, value)
#define vmcs_writel(field, value)	VMCS_WRITE(l, field, value)

#define vmcs_set32(field, bits)		\
	vmcs_write32(field, vmcs_read32(field) | (bits))
#define vmcs_clear32(field, bits)	\
	vmcs_write32(field, vmcs_read32(field) & ~(bits))

#endif
