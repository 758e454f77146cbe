// SPDX-License-Identifier: GPL-2.0
/*
 * The bytes of an instruction.
 *
 * A table for each opcode map says what an opcode does and where its operands
 * are: SDM Vol. 2, appendix "Opcode Map". Forms that touch no memory are left
 * out: they never need to be emulated.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "decode.h"

/* Where the operands are. In the SDM's letters E is ModRM's memory, G its register. */
enum operands {
	NOTHING,	/* not a known opcode */
	E_ALONE,
	E_G,		/* the first is the destination */
	G_E,
	G_X,		/* as G_E, but memory is shorter: its size is in the table */
	E_IMM,
	E_IMM8,		/* sign-extended */
	E_SEGMENT,
	E_XMM,
	XMM_E,
	E_XCHG,		/* E_G, and both are destinations */
	MOFFS_A,	/* the address is in the instruction, the other is RAX */
	A_MOFFS,
	STRING,
	GROUP,		/* ModRM's reg field says more */
};

/* Flags of an entry */
#define BYTE	BIT(0)	/* byte operands; with G_X byte memory */
#define WORD	BIT(1)	/* with G_X: word memory; with neither, doubleword */
#define LOCK	BIT(2)	/* may have a LOCK prefix */
#define ONLY64	BIT(3)	/* in 64-bit mode alone */
#define NOT64	BIT(4)	/* not in 64-bit mode */
#define ALIGNED	BIT(5)	/* but for F3 */
#define MIN32	BIT(6)	/* no 16-bit form */

/* The prefix that is part of the opcode; with none of these any will do */
#define P_NONE	BIT(0)
#define P_66	BIT(1)
#define P_F3	BIT(2)
#define P_F2	BIT(3)

struct entry {
	u8 operands;
	u8 op;
	u8 flags;
	u8 prefix;	/* with GROUP: which */
};

#define ALU(o, lock)							\
	[8 * (o)]	= { E_G, o, BYTE | (lock) },			\
	[8 * (o) + 1]	= { E_G, o, lock },				\
	[8 * (o) + 2]	= { G_E, o, BYTE },				\
	[8 * (o) + 3]	= { G_E, o }

enum { GROUP_1, GROUP_3, GROUP_4_5, GROUP_8, GROUP_11 };

static const struct entry one_byte[256] = {
	ALU(MVM_OP_ADD, LOCK), ALU(MVM_OP_OR, LOCK),
	ALU(MVM_OP_ADC, LOCK), ALU(MVM_OP_SBB, LOCK),
	ALU(MVM_OP_AND, LOCK), ALU(MVM_OP_SUB, LOCK),
	ALU(MVM_OP_XOR, LOCK), ALU(MVM_OP_CMP, 0),
	[0x63] = { G_X,		MVM_OP_MOVSX,	ONLY64 },
	[0x80] = { GROUP,	E_IMM8,		BYTE,		GROUP_1 },
	[0x81] = { GROUP,	E_IMM,		0,		GROUP_1 },
	[0x82] = { GROUP,	E_IMM8,		BYTE | NOT64,	GROUP_1 },
	[0x83] = { GROUP,	E_IMM8,		0,		GROUP_1 },
	[0x84] = { E_G,		MVM_OP_TEST,	BYTE },
	[0x85] = { E_G,		MVM_OP_TEST },
	[0x86] = { E_XCHG,	MVM_OP_XCHG,	BYTE | LOCK },
	[0x87] = { E_XCHG,	MVM_OP_XCHG,	LOCK },
	[0x88] = { E_G,		MVM_OP_MOV,	BYTE },
	[0x89] = { E_G,		MVM_OP_MOV },
	[0x8a] = { G_E,		MVM_OP_MOV,	BYTE },
	[0x8b] = { G_E,		MVM_OP_MOV },
	[0x8c] = { E_SEGMENT,	MVM_OP_MOV },
	[0xa0] = { A_MOFFS,	MVM_OP_MOV,	BYTE },
	[0xa1] = { A_MOFFS,	MVM_OP_MOV },
	[0xa2] = { MOFFS_A,	MVM_OP_MOV,	BYTE },
	[0xa3] = { MOFFS_A,	MVM_OP_MOV },
	[0xa4] = { STRING,	MVM_OP_MOVS,	BYTE },
	[0xa5] = { STRING,	MVM_OP_MOVS },
	[0xaa] = { STRING,	MVM_OP_STOS,	BYTE },
	[0xab] = { STRING,	MVM_OP_STOS },
	[0xac] = { STRING,	MVM_OP_LODS,	BYTE },
	[0xad] = { STRING,	MVM_OP_LODS },
	[0xc6] = { GROUP,	E_IMM8,		BYTE,		GROUP_11 },
	[0xc7] = { GROUP,	E_IMM,		0,		GROUP_11 },
	[0xf6] = { GROUP,	E_IMM8,		BYTE,		GROUP_3 },
	[0xf7] = { GROUP,	E_IMM,		0,		GROUP_3 },
	[0xfe] = { GROUP,	E_ALONE,	BYTE,		GROUP_4_5 },
	[0xff] = { GROUP,	E_ALONE,	0,		GROUP_4_5 },
};

/* After 0F */
static const struct entry two_byte[256] = {
	[0x10] = { XMM_E,	MVM_OP_MOV,	0,		P_NONE | P_66 },
	[0x11] = { E_XMM,	MVM_OP_MOV,	0,		P_NONE | P_66 },
	[0x28] = { XMM_E,	MVM_OP_MOV,	ALIGNED,	P_NONE | P_66 },
	[0x29] = { E_XMM,	MVM_OP_MOV,	ALIGNED,	P_NONE | P_66 },
	[0x2b] = { E_XMM,	MVM_OP_MOV,	ALIGNED,	P_NONE | P_66 },
	[0x6f] = { XMM_E,	MVM_OP_MOV,	ALIGNED,	P_66 | P_F3 },
	[0x7f] = { E_XMM,	MVM_OP_MOV,	ALIGNED,	P_66 | P_F3 },
	[0xe7] = { E_XMM,	MVM_OP_MOV,	ALIGNED,	P_66 },
	[0xa3] = { E_G,		MVM_OP_BT },
	[0xab] = { E_G,		MVM_OP_BTS,	LOCK },
	[0xb0] = { E_XCHG,	MVM_OP_CMPXCHG,	BYTE | LOCK },
	[0xb1] = { E_XCHG,	MVM_OP_CMPXCHG,	LOCK },
	[0xb3] = { E_G,		MVM_OP_BTR,	LOCK },
	[0xb6] = { G_X,		MVM_OP_MOVZX,	BYTE },
	[0xb7] = { G_X,		MVM_OP_MOVZX,	WORD },
	[0xba] = { GROUP,	E_IMM8,		0,		GROUP_8 },
	[0xbb] = { E_G,		MVM_OP_BTC,	LOCK },
	[0xbe] = { G_X,		MVM_OP_MOVSX,	BYTE },
	[0xbf] = { G_X,		MVM_OP_MOVSX,	WORD },
	[0xc0] = { E_XCHG,	MVM_OP_XADD,	BYTE | LOCK },
	[0xc1] = { E_XCHG,	MVM_OP_XADD,	LOCK },
	[0xc3] = { E_G,		MVM_OP_MOV,	MIN32,		P_NONE },
};

/*
 * Groups. Operands and size are those of the opcode, where an entry here does
 * not say E_ALONE.
 */
static const struct entry groups[][8] = {
	[GROUP_1] = {
		{ GROUP, MVM_OP_ADD, LOCK }, { GROUP, MVM_OP_OR, LOCK },
		{ GROUP, MVM_OP_ADC, LOCK }, { GROUP, MVM_OP_SBB, LOCK },
		{ GROUP, MVM_OP_AND, LOCK }, { GROUP, MVM_OP_SUB, LOCK },
		{ GROUP, MVM_OP_XOR, LOCK }, { GROUP, MVM_OP_CMP },
	},
	[GROUP_3] = {
		{ GROUP, MVM_OP_TEST }, { GROUP, MVM_OP_TEST },
		{ E_ALONE, MVM_OP_NOT, LOCK }, { E_ALONE, MVM_OP_NEG, LOCK },
	},
	[GROUP_4_5] = {
		{ GROUP, MVM_OP_INC, LOCK }, { GROUP, MVM_OP_DEC, LOCK },
	},
	[GROUP_8] = {
		[4] = { GROUP, MVM_OP_BT },
		[5] = { GROUP, MVM_OP_BTS, LOCK },
		[6] = { GROUP, MVM_OP_BTR, LOCK },
		[7] = { GROUP, MVM_OP_BTC, LOCK },
	},
	[GROUP_11] = {
		{ GROUP, MVM_OP_MOV },
	},
};

/* REX, as in its byte */
#define REX_B	BIT(0)
#define REX_X	BIT(1)
#define REX_R	BIT(2)
#define REX_W	BIT(3)

/* No segment prefix */
#define DEFAULT_SEGMENT	0xff

/**
 * struct decoder - the state of decoding
 * @insn: what comes out
 * @bytes: the bytes
 * @len: how many there are
 * @pos: how many are used; more than @len when they are not enough
 * @rex: the REX prefix, 0 without
 * @segment: of a prefix
 * @repeat: 0xf2 or 0xf3, the last of these prefixes
 * @size66: operand-size prefix
 * @size67: address-size prefix
 * @lock: LOCK prefix
 */
struct decoder {
	struct mvm_insn *insn;
	const u8 *bytes;
	size_t len;
	size_t pos;
	u8 rex;
	u8 segment;
	u8 repeat;
	bool size66;
	bool size67;
	bool lock;
};

/* Bytes that are not there read as 0, and the end is noticed in the end. */
static u64 take(struct decoder *d, size_t n)
{
	u64 value = 0;
	size_t i;

	for (i = 0; i < n; i++, d->pos++)
		if (d->pos < d->len)
			value |= (u64)d->bytes[d->pos] << 8 * i;
	return value;
}

static u64 take_signed(struct decoder *d, size_t n)
{
	int unused = 64 - 8 * n;

	return (s64)(take(d, n) << unused) >> unused;
}

/* Prefixes in any order, REX directly before the opcode. Return: the opcode. */
static u8 take_prefixes(struct decoder *d)
{
	bool long_mode = d->insn->mode == 8;

	while (d->pos < d->len) {
		u8 byte = take(d, 1);

		switch (byte) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			/* In 64-bit mode these change nothing. */
			if (!long_mode)
				d->segment = byte >> 3 & 3;
			break;
		case 0x64:
		case 0x65:
			d->segment = byte & 7;
			break;
		case 0x66:
			d->size66 = true;
			break;
		case 0x67:
			d->size67 = true;
			break;
		case 0xf0:
			d->lock = true;
			break;
		case 0xf2:
		case 0xf3:
			d->repeat = byte;
			break;
		default:
			if (long_mode && (byte & 0xf0) == 0x40) {
				d->rex = byte;
				continue;
			}
			return byte;
		}
		/* A REX prefix before another prefix is ignored. */
		d->rex = 0;
	}
	d->pos++;
	return 0;
}

/* SDM Vol. 2, "16-Bit Addressing Forms with the ModR/M Byte" */
static void memory16(struct decoder *d, u8 mod, u8 rm)
{
	static const u8 base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 };
	static const u8 index[8] = { 6, 7, 6, 7, MVM_NO_REG, MVM_NO_REG,
				     MVM_NO_REG, MVM_NO_REG };
	struct mvm_insn *insn = d->insn;

	if (mod == 0 && rm == 6) {
		insn->disp = take(d, 2);
		return;
	}
	insn->base = base[rm];
	insn->index = index[rm];
	if (mod)
		insn->disp = take_signed(d, mod);
	if (insn->base == 5)
		insn->segment = MVM_INSN_SS;
}

/* The same for 32 bits, and in 64-bit mode for 64 */
static void memory32(struct decoder *d, u8 mod, u8 rm)
{
	struct mvm_insn *insn = d->insn;
	bool no_base = mod == 0 && rm == 5;
	u8 base = rm, index, sib;

	if (rm == 4) {
		sib = take(d, 1);
		base = sib & 7;
		no_base = mod == 0 && base == 5;
		index = (sib >> 3 & 7) | (d->rex & REX_X ? 8 : 0);
		/* RSP is no index, R12 is one. */
		if (index != 4) {
			insn->index = index;
			insn->shift = sib >> 6;
		}
	}
	if (no_base) {
		insn->disp = take_signed(d, 4);
		insn->rip_relative = insn->mode == 8 && rm == 5;
		return;
	}
	insn->base = base | (d->rex & REX_B ? 8 : 0);
	if (mod)
		insn->disp = take_signed(d, mod == 1 ? 1 : 4);
	if (insn->base == 4 || insn->base == 5)
		insn->segment = MVM_INSN_SS;
}

/* ModRM and what belongs to it. Return: its reg field, or -1 without memory. */
static int take_modrm(struct decoder *d)
{
	u8 modrm = take(d, 1), mod = modrm >> 6, rm = modrm & 7;

	if (mod == 3)
		return -1;
	if (d->insn->address_size == 2)
		memory16(d, mod, rm);
	else
		memory32(d, mod, rm);
	return modrm >> 3 & 7;
}

/* The register of ModRM's reg field, or RAX for the short forms */
static void set_register(struct decoder *d, u8 reg, u8 size)
{
	struct mvm_insn *insn = d->insn;

	insn->other = MVM_OTHER_REG;
	insn->reg_size = size;
	/* Without any REX prefix, byte registers 4 to 7 are AH to BH. */
	if (size == 1 && !d->rex && reg >= 4) {
		insn->high_byte = true;
		insn->reg = reg - 4;
		return;
	}
	insn->reg = reg | (d->rex & REX_R ? 8 : 0);
}

/* Is the operand that is not in memory the destination? */
static bool loads(u8 operands)
{
	return operands == G_E || operands == G_X || operands == XMM_E ||
	       operands == A_MOFFS;
}

static u8 access_of(const struct entry *e)
{
	if (loads(e->operands))
		return MVM_ACCESS_READ;
	switch (e->op) {
	case MVM_OP_CMP:
	case MVM_OP_TEST:
	case MVM_OP_BT:
	case MVM_OP_LODS:
		return MVM_ACCESS_READ;
	case MVM_OP_MOV:
	case MVM_OP_STOS:
		return MVM_ACCESS_WRITE;
	default:
		return MVM_ACCESS_READ | MVM_ACCESS_WRITE;
	}
}

/* Does the opcode exist with these prefixes? */
static bool prefixes_fit(const struct decoder *d, const struct entry *e)
{
	u8 prefix;

	if (d->lock && !(e->flags & LOCK))
		return false;
	if (e->flags & (d->insn->mode == 8 ? NOT64 : ONLY64))
		return false;
	if (!e->prefix)
		return true;
	if (d->repeat)
		prefix = d->repeat == 0xf3 ? P_F3 : P_F2;
	else
		prefix = d->size66 ? P_66 : P_NONE;
	return e->prefix & prefix;
}

/* A group's opcode and its entry make one. */
static struct entry in_group(const struct entry *opcode, u8 reg)
{
	const struct entry *member = &groups[opcode->prefix][reg];

	return (struct entry) {
		.operands = member->operands == GROUP ? opcode->op : member->operands,
		.op = member->op,
		.flags = opcode->flags | member->flags,
	};
}

/* What follows ModRM, and what both operands are */
static void take_operands(struct decoder *d, const struct entry *e, u8 reg)
{
	struct mvm_insn *insn = d->insn;

	switch (e->operands) {
	case E_IMM8:
		insn->other = MVM_OTHER_IMM;
		insn->imm = take_signed(d, 1);
		break;
	case E_IMM:
		insn->other = MVM_OTHER_IMM;
		insn->imm = take_signed(d, insn->size == 8 ? 4 : insn->size);
		break;
	case E_SEGMENT:
		insn->other = MVM_OTHER_SEGMENT;
		insn->reg = reg;
		insn->size = 2;
		break;
	case E_XMM:
	case XMM_E:
		insn->other = MVM_OTHER_XMM;
		insn->reg = reg | (d->rex & REX_R ? 8 : 0);
		insn->size = 16;
		insn->aligned = e->flags & ALIGNED && d->repeat != 0xf3;
		break;
	case G_X:
		set_register(d, reg, insn->size);
		if (e->flags & BYTE)
			insn->size = 1;
		else if (e->flags & WORD)
			insn->size = 2;
		else
			insn->size = 4;
		break;
	case E_G:
	case G_E:
	case E_XCHG:
		set_register(d, reg, insn->size);
		break;
	case A_MOFFS:
	case MOFFS_A:
		insn->disp = take(d, insn->address_size);
		insn->other = MVM_OTHER_REG;
		insn->reg_size = insn->size;
		break;
	case STRING:
		insn->other = MVM_OTHER_REG;
		insn->reg_size = insn->size;
		insn->rep = d->repeat;
		break;
	}
}

static int operand_size(const struct decoder *d, const struct entry *e)
{
	int size;

	if (e->flags & BYTE && e->operands != G_X)
		return 1;
	if (d->rex & REX_W)
		return 8;
	size = d->size66 == (d->insn->mode == 2) ? 4 : 2;
	return e->flags & MIN32 ? 4 : size;
}

static int address_size(const struct decoder *d)
{
	switch (d->insn->mode) {
	case 2:
		return d->size67 ? 4 : 2;
	case 4:
		return d->size67 ? 2 : 4;
	default:
		return d->size67 ? 4 : 8;
	}
}

/**
 * mvm_decode() - what do these bytes say?
 * @insn: filled in
 * @bytes: the instruction, and perhaps what follows it
 * @len: how many bytes are there, MVM_INSN_MAX at most are used
 * @mode: of the code: 2, 4 or 8 for 16-, 32- and 64-bit
 *
 * Return: MVM_DECODE_DONE; MVM_DECODE_MORE if @len bytes are not enough to
 * tell; MVM_DECODE_UNKNOWN for all instructions that access no memory, that
 * cause #UD, and that nobody has written down here.
 */
int mvm_decode(struct mvm_insn *insn, const u8 *bytes, size_t len, int mode)
{
	struct decoder d = {
		.insn = insn, .bytes = bytes, .segment = DEFAULT_SEGMENT,
		.len = min_t(size_t, len, MVM_INSN_MAX),
	};
	struct entry e;
	int reg = 0;
	u8 opcode;

	*insn = (struct mvm_insn) {
		.mode = mode, .segment = MVM_INSN_DS,
		.base = MVM_NO_REG, .index = MVM_NO_REG,
	};
	opcode = take_prefixes(&d);
	e = one_byte[opcode];
	if (opcode == 0x0f)
		e = two_byte[take(&d, 1)];
	if (d.pos > d.len)
		goto more;
	if (e.operands == NOTHING)
		return MVM_DECODE_UNKNOWN;

	insn->address_size = address_size(&d);
	if (e.operands < MOFFS_A || e.operands == GROUP) {
		reg = take_modrm(&d);
		if (d.pos > d.len)
			goto more;
		if (reg < 0)
			return MVM_DECODE_UNKNOWN;
	}
	if (e.operands == GROUP) {
		e = in_group(&e, reg);
		if (e.operands == NOTHING)
			return MVM_DECODE_UNKNOWN;
	}
	/* There are six segment registers. */
	if (!prefixes_fit(&d, &e) || (e.operands == E_SEGMENT && reg > 5))
		return MVM_DECODE_UNKNOWN;

	insn->op = e.op;
	insn->access = access_of(&e);
	insn->to_reg = loads(e.operands);
	insn->size = operand_size(&d, &e);
	if (d.lock && !(insn->access & MVM_ACCESS_WRITE))
		return MVM_DECODE_UNKNOWN;
	take_operands(&d, &e, reg);
	if (d.segment != DEFAULT_SEGMENT)
		insn->segment = d.segment;
	insn->length = d.pos;
	if (d.pos <= d.len)
		return MVM_DECODE_DONE;
more:
	return d.len < MVM_INSN_MAX ? MVM_DECODE_MORE : MVM_DECODE_UNKNOWN;
}
