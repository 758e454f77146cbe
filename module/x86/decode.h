/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One instruction that accesses memory: what its bytes say, and what it does.
 *
 * The processor executes nearly everything that a guest does. What is left is
 * the access that leads to no memory: the module has to find out what was to
 * be read or written, and to finish the instruction with what user space says.
 * So only instructions with a memory operand are known here.
 *
 * decode.c reads the bytes, execute.c does the work on a set of registers and
 * a bus. Neither knows of VT-x or of the kernel.
 */
#ifndef MVM_X86_DECODE_H
#define MVM_X86_DECODE_H

#include <linux/types.h>

#include "../access.h"

/* SDM Vol. 2, "Instruction Prefixes": the processor takes no more bytes. */
#define MVM_INSN_MAX	15

/* No base register, or no index */
#define MVM_NO_REG	0xff

/* The first eight have the order in which opcodes count them. */
enum mvm_op {
	MVM_OP_ADD, MVM_OP_OR, MVM_OP_ADC, MVM_OP_SBB,
	MVM_OP_AND, MVM_OP_SUB, MVM_OP_XOR, MVM_OP_CMP,
	MVM_OP_TEST, MVM_OP_NOT, MVM_OP_NEG, MVM_OP_INC, MVM_OP_DEC,
	MVM_OP_XCHG, MVM_OP_XADD, MVM_OP_CMPXCHG,
	MVM_OP_BT, MVM_OP_BTS, MVM_OP_BTR, MVM_OP_BTC,
	MVM_OP_MOV, MVM_OP_MOVZX, MVM_OP_MOVSX,
	MVM_OP_MOVS, MVM_OP_STOS, MVM_OP_LODS,
};

/* Segments in the order of their encoding, which is also the VMCS's */
enum mvm_insn_segment {
	MVM_INSN_ES, MVM_INSN_CS, MVM_INSN_SS, MVM_INSN_DS, MVM_INSN_FS, MVM_INSN_GS,
};

/* What the operand is that is not in memory */
enum mvm_other {
	MVM_OTHER_NONE, MVM_OTHER_REG, MVM_OTHER_IMM, MVM_OTHER_XMM, MVM_OTHER_SEGMENT,
};

/**
 * struct mvm_insn - a decoded instruction
 * @op: what it does
 * @other: its operand that is not in memory
 * @access: what it does to memory, MVM_ACCESS_*. MOVS reads one place and
 *	writes another.
 * @length: its bytes
 * @mode: of the code: 2, 4 or 8 for 16-, 32- and 64-bit
 * @size: bytes of the memory operand
 * @reg_size: bytes of the register operand
 * @address_size: 2, 4 or 8
 * @segment: of the memory operand; of MOVS, of its source
 * @rep: a string instruction with REP
 * @to_reg: the operand that is not in memory is the destination
 * @aligned: the address must be a multiple of @size, or there is #GP
 * @high_byte: the register is AH, CH, DH or BH
 * @rip_relative: the address counts from the end of the instruction
 * @reg: number of the register (of the segment, of the XMM register)
 * @base: number of the base register, or MVM_NO_REG
 * @index: number of the index register, or MVM_NO_REG
 * @shift: the index counts in units of 1 << @shift
 * @disp: displacement
 * @imm: the immediate operand, sign-extended
 */
struct mvm_insn {
	u8 op;
	u8 other;
	u8 access;
	u8 length;
	u8 mode;
	u8 size;
	u8 reg_size;
	u8 address_size;
	u8 segment;
	bool rep;
	bool to_reg;
	bool aligned;
	bool high_byte;
	bool rip_relative;
	u8 reg;
	u8 base;
	u8 index;
	u8 shift;
	u64 disp;
	u64 imm;
};

/* What mvm_decode() returns */
#define MVM_DECODE_DONE		0
#define MVM_DECODE_MORE		1	/* it goes on behind the bytes given */
#define MVM_DECODE_UNKNOWN	2	/* nothing that is known here */

int mvm_decode(struct mvm_insn *insn, const u8 *bytes, size_t len, int mode);

/**
 * struct mvm_regs - what an instruction changes but for memory
 * @gpr: 16, by number; RSP is among them
 * @rip: of the instruction
 * @rflags: the flags
 * @selector: the segment registers; needed for MVM_OTHER_SEGMENT only
 * @xmm: 16 registers of 16 bytes; needed for MVM_OTHER_XMM only
 */
struct mvm_regs {
	unsigned long *gpr;
	u64 rip;
	u64 rflags;
	u16 selector[6];
	u8 (*xmm)[16];
};

/**
 * struct mvm_bus - how an instruction gets at memory
 * @read: read @len bytes (up to 16) at @offset of a segment. @access has
 *	MVM_ACCESS_WRITE if the same place will be written: a fault must come now.
 * @write: write them
 * @ctx: handed to both
 *
 * Both return 0; another value stops the instruction with nothing changed.
 */
struct mvm_bus {
	int (*read)(void *ctx, int segment, u64 offset, void *buf, size_t len,
		    unsigned int access);
	int (*write)(void *ctx, int segment, u64 offset, const void *buf, size_t len);
	void *ctx;
};

/* What mvm_execute() returns when the bus did not stop it */
#define MVM_EXECUTE_DONE	0
#define MVM_EXECUTE_REPEAT	1	/* REP: the same instruction comes next */

int mvm_execute(const struct mvm_insn *insn, struct mvm_regs *regs,
		const struct mvm_bus *bus);

#endif
