// SPDX-License-Identifier: GPL-2.0
/* What a decoded instruction does to registers, flags and memory. */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "decode.h"

#define REG_RAX	0
#define REG_RCX	1
#define REG_RSI	6
#define REG_RDI	7

#define ARITHMETIC_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
				 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

/* The low @size bytes */
static u64 mask_of(int size)
{
	return size >= 8 ? ~0ULL : (1ULL << 8 * size) - 1;
}

static u64 sign_extend(u64 value, int size)
{
	int unused = 64 - 8 * size;

	return (s64)(value << unused) >> unused;
}

/* SDM Vol. 1, "General-Purpose Registers in 64-Bit Mode": how parts are written */
static void set_part(unsigned long *reg, u64 value, int size)
{
	if (size == 4)
		*reg = (u32)value;
	else
		*reg = (*reg & ~mask_of(size)) | (value & mask_of(size));
}

static u64 get_reg(const struct mvm_insn *insn, const struct mvm_regs *regs)
{
	return regs->gpr[insn->reg] >> (insn->high_byte ? 8 : 0) & mask_of(insn->reg_size);
}

static void set_reg(const struct mvm_insn *insn, struct mvm_regs *regs, u64 value)
{
	unsigned long *reg = &regs->gpr[insn->reg];

	if (insn->high_byte)
		*reg = (*reg & ~0xff00ULL) | (value & 0xff) << 8;
	else
		set_part(reg, value, insn->reg_size);
}

static u64 other_operand(const struct mvm_insn *insn, const struct mvm_regs *regs)
{
	switch (insn->other) {
	case MVM_OTHER_REG:
		return get_reg(insn, regs);
	case MVM_OTHER_IMM:
		return insn->imm & mask_of(insn->size);
	case MVM_OTHER_SEGMENT:
		return regs->selector[insn->reg];
	}
	return 0;
}

/* The bit string of BT and its kin begins at the operand and has no end. */
static u64 bit_string_offset(const struct mvm_insn *insn, const struct mvm_regs *regs)
{
	s64 bit;

	if (insn->op < MVM_OP_BT || insn->op > MVM_OP_BTC || insn->other != MVM_OTHER_REG)
		return 0;
	bit = sign_extend(get_reg(insn, regs), insn->size);
	return (bit & ~(8LL * insn->size - 1)) >> 3;
}

/* Offset of the memory operand in its segment */
static u64 offset_of(const struct mvm_insn *insn, const struct mvm_regs *regs)
{
	u64 offset = insn->disp;

	if (insn->rip_relative)
		offset += regs->rip + insn->length;
	if (insn->base != MVM_NO_REG)
		offset += regs->gpr[insn->base];
	if (insn->index != MVM_NO_REG)
		offset += regs->gpr[insn->index] << insn->shift;
	offset += bit_string_offset(insn, regs);
	return offset & mask_of(insn->address_size);
}

/* ZF, SF and PF say the same of every result. */
static u64 flags_of(u64 result, int size)
{
	u64 flags = 0;
	u8 low = result;

	if (!(result & mask_of(size)))
		flags |= X86_EFLAGS_ZF;
	if (result >> (8 * size - 1) & 1)
		flags |= X86_EFLAGS_SF;
	low ^= low >> 4;
	low ^= low >> 2;
	low ^= low >> 1;
	if (!(low & 1))
		flags |= X86_EFLAGS_PF;
	return flags;
}

static void set_flags(struct mvm_regs *regs, u64 flags, u64 which)
{
	regs->rflags = (regs->rflags & ~which) | (flags & which);
}

/* The carry into each bit, and in the last place out of the highest one */
static u64 add_flags(u64 a, u64 b, u64 result, int size)
{
	u64 carries = (a & b) | ((a | b) & ~result);
	u64 sign = 8 * size - 1, flags = flags_of(result, size);

	if (carries >> sign & 1)
		flags |= X86_EFLAGS_CF;
	if (carries >> 3 & 1)
		flags |= X86_EFLAGS_AF;
	if (((a ^ result) & (b ^ result)) >> sign & 1)
		flags |= X86_EFLAGS_OF;
	return flags;
}

static u64 add(struct mvm_regs *regs, u64 a, u64 b, bool carry, int size, u64 which)
{
	u64 result = a + b + carry;

	set_flags(regs, add_flags(a, b, result, size), which);
	return result;
}

/* a - b is a + ~b + 1, with carry and half carry the other way round. */
static u64 sub(struct mvm_regs *regs, u64 a, u64 b, bool borrow, int size, u64 which)
{
	u64 result = a - b - borrow;

	set_flags(regs, add_flags(a, ~b, result, size) ^
			(X86_EFLAGS_CF | X86_EFLAGS_AF), which);
	return result;
}

/* AF is undefined: the processors clear it. */
static u64 logic(struct mvm_regs *regs, u64 result, int size)
{
	set_flags(regs, flags_of(result, size), ARITHMETIC_FLAGS);
	return result;
}

/* CF is the bit as it was. All other flags stay (all but ZF are undefined). */
static u64 bit_op(const struct mvm_insn *insn, struct mvm_regs *regs, u64 mem, u64 other)
{
	u64 bit = 1ULL << (other & (8 * insn->size - 1));

	set_flags(regs, mem & bit ? X86_EFLAGS_CF : 0, X86_EFLAGS_CF);
	switch (insn->op) {
	case MVM_OP_BTS:
		return mem | bit;
	case MVM_OP_BTR:
		return mem & ~bit;
	case MVM_OP_BTC:
		return mem ^ bit;
	}
	return mem;
}

/*
 * Everything with one or two operands whose result goes to the first. Those
 * that have another destination as well write it here.
 */
static u64 compute(const struct mvm_insn *insn, struct mvm_regs *regs, u64 first, u64 second)
{
	bool carry = regs->rflags & X86_EFLAGS_CF;
	int size = insn->size;
	u64 sum, rax;

	switch (insn->op) {
	case MVM_OP_ADD:
		return add(regs, first, second, false, size, ARITHMETIC_FLAGS);
	case MVM_OP_ADC:
		return add(regs, first, second, carry, size, ARITHMETIC_FLAGS);
	case MVM_OP_SUB:
	case MVM_OP_CMP:
		return sub(regs, first, second, false, size, ARITHMETIC_FLAGS);
	case MVM_OP_SBB:
		return sub(regs, first, second, carry, size, ARITHMETIC_FLAGS);
	case MVM_OP_OR:
		return logic(regs, first | second, size);
	case MVM_OP_AND:
	case MVM_OP_TEST:
		return logic(regs, first & second, size);
	case MVM_OP_XOR:
		return logic(regs, first ^ second, size);
	case MVM_OP_NOT:
		return ~first;
	case MVM_OP_NEG:
		return sub(regs, 0, first, false, size, ARITHMETIC_FLAGS);
	case MVM_OP_INC:
		return add(regs, first, 1, false, size, ARITHMETIC_FLAGS & ~X86_EFLAGS_CF);
	case MVM_OP_DEC:
		return sub(regs, first, 1, false, size, ARITHMETIC_FLAGS & ~X86_EFLAGS_CF);
	case MVM_OP_XCHG:
		set_reg(insn, regs, first);
		return second;
	case MVM_OP_XADD:
		sum = add(regs, first, second, false, size, ARITHMETIC_FLAGS);
		set_reg(insn, regs, first);
		return sum;
	case MVM_OP_CMPXCHG:
		rax = regs->gpr[REG_RAX] & mask_of(size);
		sub(regs, rax, first, false, size, ARITHMETIC_FLAGS);
		if (rax == first)
			return second;
		/* Memory is written in any case, here with what it had. */
		set_part(&regs->gpr[REG_RAX], first, size);
		return first;
	case MVM_OP_BT:
	case MVM_OP_BTS:
	case MVM_OP_BTR:
	case MVM_OP_BTC:
		return bit_op(insn, regs, first, second);
	case MVM_OP_MOVSX:
		return sign_extend(second, size);
	}
	/* MOV and MOVZX */
	return second;
}

static int execute_xmm(const struct mvm_insn *insn, struct mvm_regs *regs,
		       const struct mvm_bus *bus, u64 offset)
{
	u8 data[16];
	int ret;

	if (insn->access & MVM_ACCESS_WRITE)
		return bus->write(bus->ctx, insn->segment, offset, regs->xmm[insn->reg], 16);
	ret = bus->read(bus->ctx, insn->segment, offset, data, 16, insn->access);
	if (!ret)
		memcpy(regs->xmm[insn->reg], data, 16);
	return ret;
}

static int execute_plain(const struct mvm_insn *insn, struct mvm_regs *regs,
			 const struct mvm_bus *bus, u64 offset)
{
	/* The one register that may change, before it is known that all goes well */
	unsigned long *reg = &regs->gpr[insn->op == MVM_OP_CMPXCHG ? REG_RAX : insn->reg];
	unsigned long old_reg = *reg;
	u64 old_rflags = regs->rflags;
	u64 mem = 0, other = other_operand(insn, regs), result;
	int ret;

	if (insn->access & MVM_ACCESS_READ) {
		ret = bus->read(bus->ctx, insn->segment, offset, &mem, insn->size, insn->access);
		if (ret)
			return ret;
	}
	if (insn->to_reg)
		result = compute(insn, regs, other, mem);
	else
		result = compute(insn, regs, mem, other);
	if (insn->to_reg && insn->op != MVM_OP_CMP)
		set_reg(insn, regs, result);
	if (insn->access & MVM_ACCESS_WRITE) {
		ret = bus->write(bus->ctx, insn->segment, offset, &result, insn->size);
		if (ret) {
			*reg = old_reg;
			regs->rflags = old_rflags;
			return ret;
		}
	}
	return 0;
}

static void add_part(unsigned long *reg, u64 change, int size)
{
	set_part(reg, *reg + change, size);
}

/* One element; a VM exit, and an interrupt, may come between two of them. */
static int execute_string(const struct mvm_insn *insn, struct mvm_regs *regs,
			  const struct mvm_bus *bus)
{
	u64 mask = mask_of(insn->address_size), data = 0;
	u64 step = regs->rflags & X86_EFLAGS_DF ? -(u64)insn->size : insn->size;
	int ret;

	if (insn->rep && !(regs->gpr[REG_RCX] & mask))
		return MVM_EXECUTE_DONE;
	if (insn->op == MVM_OP_STOS) {
		data = regs->gpr[REG_RAX];
	} else {
		ret = bus->read(bus->ctx, insn->segment, regs->gpr[REG_RSI] & mask, &data,
				insn->size, MVM_ACCESS_READ);
		if (ret)
			return ret;
	}
	if (insn->op != MVM_OP_LODS) {
		ret = bus->write(bus->ctx, MVM_INSN_ES, regs->gpr[REG_RDI] & mask, &data,
				 insn->size);
		if (ret)
			return ret;
		add_part(&regs->gpr[REG_RDI], step, insn->address_size);
	} else {
		set_part(&regs->gpr[REG_RAX], data, insn->size);
	}
	if (insn->op != MVM_OP_STOS)
		add_part(&regs->gpr[REG_RSI], step, insn->address_size);
	if (!insn->rep)
		return MVM_EXECUTE_DONE;
	add_part(&regs->gpr[REG_RCX], -1, insn->address_size);
	return regs->gpr[REG_RCX] & mask ? MVM_EXECUTE_REPEAT : MVM_EXECUTE_DONE;
}

/**
 * mvm_execute() - do what a decoded instruction says
 * @insn: the instruction
 * @regs: the registers, changed but for RIP
 * @bus: memory
 *
 * Return: MVM_EXECUTE_DONE; MVM_EXECUTE_REPEAT after one element of several of
 * a string instruction; or, with @regs unchanged, what @bus returned.
 */
int mvm_execute(const struct mvm_insn *insn, struct mvm_regs *regs,
		const struct mvm_bus *bus)
{
	u64 offset;

	if (insn->op >= MVM_OP_MOVS)
		return execute_string(insn, regs, bus);
	offset = offset_of(insn, regs);
	if (insn->other == MVM_OTHER_XMM)
		return execute_xmm(insn, regs, bus, offset);
	return execute_plain(insn, regs, bus, offset);
}
