// SPDX-License-Identifier: GPL-2.0
/*
 * Decoding, held against Zydis for enumerated and random encodings; and
 * execution, held against the processor that runs this test.
 *
 * MVM_DECODE_ROUNDS multiplies the work, MVM_DECODE_SEED changes the numbers.
 */
// sources: module/x86/decode.c module/x86/execute.c
// libs: -lZydis
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <Zydis/Zydis.h>
#include <sys/mman.h>

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "x86/decode.h"

#define CF	0x1
#define PF	0x4
#define AF	0x10
#define ZF	0x40
#define SF	0x80
#define DF	0x400
#define OF	0x800
#define ARITHMETIC	(CF | PF | AF | ZF | SF | OF)

static u64 seed = 1;
static unsigned int rounds = 1;

/* xorshift64*: the same numbers everywhere */
static u64 number(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dULL;
}

static const char *hex(const u8 *bytes, size_t n)
{
	static char text[3 * MVM_INSN_MAX + 1];
	size_t i;

	text[0] = 0;
	for (i = 0; i < n; i++)
		sprintf(text + 3 * i, "%02x ", bytes[i]);
	return text;
}

/* ---- Zydis ---- */

static ZydisDecoder zydis[9];

/* What is to be known, and by which operation of ours */
static const struct {
	ZydisMnemonic mnemonic;
	u8 op;
} known[] = {
	{ ZYDIS_MNEMONIC_ADD, MVM_OP_ADD }, { ZYDIS_MNEMONIC_OR, MVM_OP_OR },
	{ ZYDIS_MNEMONIC_ADC, MVM_OP_ADC }, { ZYDIS_MNEMONIC_SBB, MVM_OP_SBB },
	{ ZYDIS_MNEMONIC_AND, MVM_OP_AND }, { ZYDIS_MNEMONIC_SUB, MVM_OP_SUB },
	{ ZYDIS_MNEMONIC_XOR, MVM_OP_XOR }, { ZYDIS_MNEMONIC_CMP, MVM_OP_CMP },
	{ ZYDIS_MNEMONIC_TEST, MVM_OP_TEST }, { ZYDIS_MNEMONIC_NOT, MVM_OP_NOT },
	{ ZYDIS_MNEMONIC_NEG, MVM_OP_NEG }, { ZYDIS_MNEMONIC_INC, MVM_OP_INC },
	{ ZYDIS_MNEMONIC_DEC, MVM_OP_DEC }, { ZYDIS_MNEMONIC_XCHG, MVM_OP_XCHG },
	{ ZYDIS_MNEMONIC_XADD, MVM_OP_XADD }, { ZYDIS_MNEMONIC_CMPXCHG, MVM_OP_CMPXCHG },
	{ ZYDIS_MNEMONIC_BT, MVM_OP_BT }, { ZYDIS_MNEMONIC_BTS, MVM_OP_BTS },
	{ ZYDIS_MNEMONIC_BTR, MVM_OP_BTR }, { ZYDIS_MNEMONIC_BTC, MVM_OP_BTC },
	{ ZYDIS_MNEMONIC_MOV, MVM_OP_MOV }, { ZYDIS_MNEMONIC_MOVNTI, MVM_OP_MOV },
	{ ZYDIS_MNEMONIC_MOVZX, MVM_OP_MOVZX }, { ZYDIS_MNEMONIC_MOVSX, MVM_OP_MOVSX },
	{ ZYDIS_MNEMONIC_MOVSXD, MVM_OP_MOVSX },
	{ ZYDIS_MNEMONIC_MOVSB, MVM_OP_MOVS }, { ZYDIS_MNEMONIC_MOVSW, MVM_OP_MOVS },
	{ ZYDIS_MNEMONIC_MOVSD, MVM_OP_MOVS }, { ZYDIS_MNEMONIC_MOVSQ, MVM_OP_MOVS },
	{ ZYDIS_MNEMONIC_STOSB, MVM_OP_STOS }, { ZYDIS_MNEMONIC_STOSW, MVM_OP_STOS },
	{ ZYDIS_MNEMONIC_STOSD, MVM_OP_STOS }, { ZYDIS_MNEMONIC_STOSQ, MVM_OP_STOS },
	{ ZYDIS_MNEMONIC_LODSB, MVM_OP_LODS }, { ZYDIS_MNEMONIC_LODSW, MVM_OP_LODS },
	{ ZYDIS_MNEMONIC_LODSD, MVM_OP_LODS }, { ZYDIS_MNEMONIC_LODSQ, MVM_OP_LODS },
	{ ZYDIS_MNEMONIC_MOVUPS, MVM_OP_MOV }, { ZYDIS_MNEMONIC_MOVUPD, MVM_OP_MOV },
	{ ZYDIS_MNEMONIC_MOVAPS, MVM_OP_MOV }, { ZYDIS_MNEMONIC_MOVAPD, MVM_OP_MOV },
	{ ZYDIS_MNEMONIC_MOVDQA, MVM_OP_MOV }, { ZYDIS_MNEMONIC_MOVDQU, MVM_OP_MOV },
	{ ZYDIS_MNEMONIC_MOVNTPS, MVM_OP_MOV }, { ZYDIS_MNEMONIC_MOVNTPD, MVM_OP_MOV },
	{ ZYDIS_MNEMONIC_MOVNTDQ, MVM_OP_MOV },
};

/* What Zydis says of an instruction */
struct theirs {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	const ZydisDecodedOperand *memory;	/* of MOVS, the source */
	const ZydisDecodedOperand *imm;
	u8 access;
	int op;
};

static bool ask_zydis(struct theirs *t, const u8 *bytes, size_t len, int mode)
{
	size_t i;

	memset(t, 0, sizeof(*t));
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&zydis[mode], bytes, len, &t->insn,
						 t->operands)))
		return false;
	for (i = 0; i < t->insn.operand_count; i++) {
		const ZydisDecodedOperand *o = &t->operands[i];

		if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			t->imm = o;
		if (o->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		if (!t->memory || o->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
			t->memory = o;
		if (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
			t->access |= MVM_ACCESS_READ;
		if (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			t->access |= MVM_ACCESS_WRITE;
	}
	t->op = -1;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].mnemonic == t->insn.mnemonic)
			t->op = known[i].op;
	return true;
}

/* Is it one of those that must be known here? */
static bool is_wanted(const struct theirs *t)
{
	const ZydisDecodedInstruction *insn = &t->insn;

	if (t->op < 0 || !t->memory || insn->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return false;
	/* A segment register loads a descriptor: that is not for here. */
	if (insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn->opcode == 0x8e)
		return false;
	/* The scalar move has the name of a string instruction. */
	return insn->mnemonic != ZYDIS_MNEMONIC_MOVSD ||
	       insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
}

static u64 mask_of(int size)
{
	return size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;
}

static int reg_number(ZydisRegister reg)
{
	if (reg == ZYDIS_REGISTER_NONE || reg == ZYDIS_REGISTER_RIP ||
	    reg == ZYDIS_REGISTER_EIP)
		return MVM_NO_REG;
	return ZydisRegisterGetId(reg);
}

static bool must_be_aligned(ZydisMnemonic mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_MOVAPS:
	case ZYDIS_MNEMONIC_MOVAPD:
	case ZYDIS_MNEMONIC_MOVDQA:
	case ZYDIS_MNEMONIC_MOVNTPS:
	case ZYDIS_MNEMONIC_MOVNTPD:
	case ZYDIS_MNEMONIC_MOVNTDQ:
		return true;
	default:
		return false;
	}
}

static const char *first_difference(const struct mvm_insn *insn, const struct theirs *t)
{
	const ZydisDecodedOperandMem *m = &t->memory->mem;
	bool rip = m->base == ZYDIS_REGISTER_RIP || m->base == ZYDIS_REGISTER_EIP;
	int segment = ZydisRegisterGetId(m->segment);
	bool no_base;

	if (insn->length != t->insn.length)
		return "length";
	if (insn->op != t->op)
		return "operation";
	if (insn->size * 8 != t->memory->size)
		return "size";
	if (insn->access != t->access)
		return "access";
	if (insn->aligned != must_be_aligned(t->insn.mnemonic))
		return "alignment";
	if (insn->address_size * 8 != t->insn.address_width)
		return "address size";
	/* In 64-bit mode only two of them mean anything. */
	if (insn->op != MVM_OP_STOS && segment != insn->segment &&
	    (insn->mode < 8 || segment >= MVM_INSN_FS || insn->segment >= MVM_INSN_FS))
		return "segment";
	if (insn->op >= MVM_OP_MOVS)
		return insn->rep == !!(t->insn.attributes & (ZYDIS_ATTRIB_HAS_REP |
		       ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) ? NULL : "REP";
	/*
	 * Zydis 4.0.0 takes REX.B for part of a base field that means "none".
	 * SDM Vol. 2, "Special Cases of REX Encodings"; the processor agrees,
	 * see executed().
	 */
	no_base = insn->base == MVM_NO_REG && reg_number(m->base) == 13;
	if (reg_number(m->base) != insn->base && !no_base)
		return "base";
	if (insn->rip_relative != rip)
		return "RIP-relative";
	if (reg_number(m->index) != insn->index)
		return "index";
	if (insn->index != MVM_NO_REG && 1 << insn->shift != m->scale)
		return "scale";
	if (!no_base && (insn->disp ^ m->disp.value) & mask_of(insn->address_size))
		return "displacement";
	if (insn->other == MVM_OTHER_IMM &&
	    (!t->imm || (t->imm->imm.value.u ^ insn->imm) & mask_of(t->imm->size / 8)))
		return "immediate";
	if (insn->other == MVM_OTHER_REG) {
		const ZydisDecodedOperand *r = &t->operands[insn->to_reg ? 0 : 1];
		int id;

		/* XCHG is the same both ways. */
		if (r->type != ZYDIS_OPERAND_TYPE_REGISTER)
			r = &t->operands[0];
		id = ZydisRegisterGetId(r->reg.value);
		/* Byte registers are AL to BL, AH to BH, SPL to DIL, R8B ... */
		if (r->size == 8 && id >= 4)
			id -= 4;
		if (id != insn->reg ||
		    insn->high_byte != (r->reg.value >= ZYDIS_REGISTER_AH &&
					r->reg.value <= ZYDIS_REGISTER_BH) ||
		    r->size != insn->reg_size * 8)
			return "register";
	}
	return NULL;
}

static unsigned long compared, agreed;

static void compare(const u8 *bytes, size_t len, int mode)
{
	struct mvm_insn insn;
	struct theirs t;
	const char *what;
	bool theirs;
	int ret;

	ret = mvm_decode(&insn, bytes, len, mode);
	theirs = ask_zydis(&t, bytes, len, mode);
	compared++;
	assert_int_not_equal(ret, MVM_DECODE_MORE);
	if (ret == MVM_DECODE_UNKNOWN) {
		if (theirs && is_wanted(&t))
			fail_msg("mode %d: %s: not decoded; Zydis: %s", mode,
				 hex(bytes, t.insn.length),
				 ZydisMnemonicGetString(t.insn.mnemonic));
		return;
	}
	if (!theirs || !t.memory)
		fail_msg("mode %d: %s: Zydis knows no such instruction", mode,
			 hex(bytes, insn.length));
	what = first_difference(&insn, &t);
	if (what)
		fail_msg("mode %d: %s: %s; Zydis: %s, %d bytes", mode,
			 hex(bytes, insn.length), what,
			 ZydisMnemonicGetString(t.insn.mnemonic), t.insn.length);
	agreed++;
}

static const u8 modes[] = { 2, 4, 8 };

/* All opcodes of both maps and all ModRM bytes, after some prefixes */
static void enumerated(void **state)
{
	static const u8 prefixes[][2] = {
		{ 0 }, { 0x66 }, { 0x67 }, { 0xf3 }, { 0x66, 0x67 }, { 0x64 },
		{ 0xf2 }, { 0xf0 }, { 0x26 }, { 0x48 }, { 0x4f }, { 0x66, 0x44 }, { 0x67, 0x43 },
	};
	u8 bytes[MVM_INSN_MAX];
	size_t i, m;
	int opcode, modrm, n, j;

	for (m = 0; m < ARRAY_SIZE(modes); m++)
		for (i = 0; i < ARRAY_SIZE(prefixes); i++)
			for (opcode = 0; opcode < 512; opcode++)
				for (modrm = 0; modrm < 256; modrm++) {
					/* One in eight, another one each time */
					if (rounds == 1 && number() % 8)
						continue;
					for (n = 0; n < 2 && prefixes[i][n]; n++)
						bytes[n] = prefixes[i][n];
					if (opcode >= 256)
						bytes[n++] = 0x0f;
					bytes[n++] = opcode;
					bytes[n++] = modrm;
					for (j = n; j < MVM_INSN_MAX; j++)
						bytes[j] = number() >> 56;
					compare(bytes, sizeof(bytes), modes[m]);
				}
	print_message("# %lu encodings compared, %lu of them decoded\n", compared, agreed);
	assert_true(agreed > compared / 12);
}

/* Opcodes with a good chance */
static const u8 opcodes1[] = {
	0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13,
	0x18, 0x19, 0x1a, 0x1b, 0x20, 0x21, 0x22, 0x23, 0x28, 0x29, 0x2a, 0x2b,
	0x30, 0x31, 0x32, 0x33, 0x38, 0x39, 0x3a, 0x3b, 0x63, 0x80, 0x81, 0x83,
	0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0xa0, 0xa1, 0xa2, 0xa3,
	0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff,
};

static const u8 opcodes2[] = {
	0x10, 0x11, 0x28, 0x29, 0x2b, 0x6f, 0x7f, 0xe7, 0xa3, 0xab, 0xb0, 0xb1,
	0xb3, 0xb6, 0xb7, 0xba, 0xbb, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3,
};

/* Up to @max prefixes in random order, REX last, an opcode, and noise */
static void make_up(u8 *bytes, int mode, int max)
{
	static const u8 prefixes[] = {
		0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0,
	};
	int n = 0, i, many = number() % (max + 1);

	for (i = 0; i < many; i++)
		bytes[n++] = prefixes[number() % ARRAY_SIZE(prefixes)];
	if (mode == 8 && number() % 2)
		bytes[n++] = 0x40 | (number() & 0xf);
	if (number() % 3) {
		bytes[n++] = opcodes1[number() % ARRAY_SIZE(opcodes1)];
	} else {
		bytes[n++] = 0x0f;
		bytes[n++] = opcodes2[number() % ARRAY_SIZE(opcodes2)];
	}
	for (; n < MVM_INSN_MAX; n++)
		bytes[n] = number() >> 56;
}

static void random_encodings(void **state)
{
	unsigned long i;
	u8 bytes[MVM_INSN_MAX];
	int mode;

	compared = 0;
	agreed = 0;
	for (i = 0; i < 300000UL * rounds; i++) {
		mode = modes[number() % 3];
		make_up(bytes, mode, 3);
		compare(bytes, sizeof(bytes), mode);
	}
	print_message("# %lu encodings compared, %lu of them decoded\n", compared, agreed);
	assert_true(agreed > compared / 3);
}

/* Fewer bytes than the instruction has: more are asked for, and none read. */
static void cut_short(void **state)
{
	u8 bytes[MVM_INSN_MAX], *exact;
	struct mvm_insn insn, again;
	unsigned long i;
	size_t len;
	int mode;

	for (i = 0; i < 20000UL * rounds; i++) {
		mode = modes[number() % 3];
		make_up(bytes, mode, 4);
		if (mvm_decode(&insn, bytes, sizeof(bytes), mode))
			continue;
		for (len = 0; len <= insn.length; len++) {
			/* On the heap ASan sees each byte too many. */
			exact = malloc(len ?: 1);
			memcpy(exact, bytes, len);
			assert_int_equal(mvm_decode(&again, exact, len, mode),
					 len < insn.length ? MVM_DECODE_MORE :
					 MVM_DECODE_DONE);
			free(exact);
		}
		assert_memory_equal(&insn, &again, sizeof(insn));
	}
}

static void limits(void **state)
{
	/* 15 bytes is the longest, 16 raise #GP whatever they are. */
	static const u8 longest[] = {
		0x66, 0x66, 0x66, 0x66, 0x66, 0x67, 0x81, 0x84, 0x24, 1, 2, 3, 4, 5, 6,
	};
	static const u8 too_long[] = {
		0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x67, 0x81, 0x84, 0x24, 1, 2, 3, 4, 5, 6,
	};
	static const struct {
		const char *name;
		u8 bytes[6];
	} bad[] = {
		{ "LOCK MOV", { 0xf0, 0x89, 0x00 } },
		{ "LOCK CMP", { 0xf0, 0x39, 0x00 } },
		{ "LOCK TEST", { 0xf0, 0x85, 0x00 } },
		{ "LOCK BT", { 0xf0, 0x0f, 0xa3, 0x00 } },
		{ "LOCK ADD to a register", { 0xf0, 0x03, 0x00 } },
		{ "LOCK STOS", { 0xf0, 0xab } },
		{ "ADD of registers", { 0x01, 0xc0 } },
		{ "MOV from segment 6", { 0x8c, 0x30 } },
		{ "82 in 64-bit mode", { 0x82, 0x00, 0x00 } },
		{ "F2 MOVUPS", { 0xf2, 0x0f, 0x10, 0x00 } },
		{ "MOVQ to MMX", { 0x0f, 0x6f, 0x00 } },
		{ "C7 /7", { 0xc7, 0x38 } },
		{ "FF /2", { 0xff, 0x10 } },
	};
	struct mvm_insn insn;
	size_t i;

	assert_int_equal(mvm_decode(&insn, longest, 15, 8), MVM_DECODE_DONE);
	assert_int_equal(insn.length, 15);
	assert_int_equal(insn.imm, 0x605);
	assert_int_equal(mvm_decode(&insn, too_long, 16, 8), MVM_DECODE_UNKNOWN);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (mvm_decode(&insn, bad[i].bytes, 6, 8) != MVM_DECODE_UNKNOWN)
			fail_msg("%s is decoded", bad[i].name);
	static const u8 lock_add[] = { 0xf0, 0x01, 0x00 };

	assert_int_equal(mvm_decode(&insn, lock_add, 3, 8), MVM_DECODE_DONE);
}

static void accesses(void **state)
{
	static const struct {
		u8 bytes[4];
		u8 access;
	} table[] = {
		{ { 0x89, 0x00 }, MVM_ACCESS_WRITE },
		{ { 0x8b, 0x00 }, MVM_ACCESS_READ },
		{ { 0x39, 0x00 }, MVM_ACCESS_READ },
		{ { 0x3b, 0x00 }, MVM_ACCESS_READ },
		{ { 0x03, 0x00 }, MVM_ACCESS_READ },
		{ { 0x01, 0x00 }, MVM_ACCESS_READ | MVM_ACCESS_WRITE },
		{ { 0x85, 0x00 }, MVM_ACCESS_READ },
		{ { 0x87, 0x00 }, MVM_ACCESS_READ | MVM_ACCESS_WRITE },
		{ { 0x0f, 0xb1, 0x00 }, MVM_ACCESS_READ | MVM_ACCESS_WRITE },
		{ { 0x0f, 0xa3, 0x00 }, MVM_ACCESS_READ },
		{ { 0x0f, 0xab, 0x00 }, MVM_ACCESS_READ | MVM_ACCESS_WRITE },
		{ { 0x0f, 0xb6, 0x00 }, MVM_ACCESS_READ },
		{ { 0xa4 }, MVM_ACCESS_READ | MVM_ACCESS_WRITE },
		{ { 0xaa }, MVM_ACCESS_WRITE },
		{ { 0xac }, MVM_ACCESS_READ },
		{ { 0x8c, 0x00 }, MVM_ACCESS_WRITE },
		{ { 0x0f, 0x11, 0x00 }, MVM_ACCESS_WRITE },
		{ { 0x0f, 0x28, 0x00 }, MVM_ACCESS_READ },
	};
	struct mvm_insn insn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(mvm_decode(&insn, table[i].bytes, 4, 8), MVM_DECODE_DONE);
		assert_int_equal(insn.access, table[i].access);
	}
}

/* ---- the processor ---- */

/* In the order in which native() uses them */
struct native {
	u64 gpr[16];
	u64 rflags;
	u8 xmm[16][16];
	u64 code;
	u64 host_rsp;
};

/* Used in assembly by its name */
struct native native_state;

/*
 * Load the registers, jump to the code, and store the registers when it comes
 * back to native_return. RSP stays the host's, so no instruction may use it.
 */
static __attribute__((naked)) void native(void)
{
	asm("push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"lea native_state(%rip), %rax\n"
	"mov %rsp, 400(%rax)\n"
	"movups 136(%rax), %xmm0; movups 152(%rax), %xmm1\n"
	"movups 168(%rax), %xmm2; movups 184(%rax), %xmm3\n"
	"movups 200(%rax), %xmm4; movups 216(%rax), %xmm5\n"
	"movups 232(%rax), %xmm6; movups 248(%rax), %xmm7\n"
	"movups 264(%rax), %xmm8; movups 280(%rax), %xmm9\n"
	"movups 296(%rax), %xmm10; movups 312(%rax), %xmm11\n"
	"movups 328(%rax), %xmm12; movups 344(%rax), %xmm13\n"
	"movups 360(%rax), %xmm14; movups 376(%rax), %xmm15\n"
	"push 128(%rax); popf\n"
	"mov 8(%rax), %rcx; mov 16(%rax), %rdx; mov 24(%rax), %rbx\n"
	"mov 40(%rax), %rbp; mov 48(%rax), %rsi; mov 56(%rax), %rdi\n"
	"mov 64(%rax), %r8; mov 72(%rax), %r9; mov 80(%rax), %r10\n"
	"mov 88(%rax), %r11; mov 96(%rax), %r12; mov 104(%rax), %r13\n"
	"mov 112(%rax), %r14; mov 120(%rax), %r15; mov (%rax), %rax\n"
	"jmp *native_state+392(%rip)");
}

static __attribute__((naked)) void native_return(void)
{
	asm("mov %rax, native_state(%rip)\n"
	"lea native_state(%rip), %rax\n"
	"mov 400(%rax), %rsp\n"
	"mov %rcx, 8(%rax); mov %rdx, 16(%rax); mov %rbx, 24(%rax)\n"
	"mov %rbp, 40(%rax); mov %rsi, 48(%rax); mov %rdi, 56(%rax)\n"
	"mov %r8, 64(%rax); mov %r9, 72(%rax); mov %r10, 80(%rax)\n"
	"mov %r11, 88(%rax); mov %r12, 96(%rax); mov %r13, 104(%rax)\n"
	"mov %r14, 112(%rax); mov %r15, 120(%rax)\n"
	"pushf; pop 128(%rax); cld\n"
	"movups %xmm0, 136(%rax); movups %xmm1, 152(%rax)\n"
	"movups %xmm2, 168(%rax); movups %xmm3, 184(%rax)\n"
	"movups %xmm4, 200(%rax); movups %xmm5, 216(%rax)\n"
	"movups %xmm6, 232(%rax); movups %xmm7, 248(%rax)\n"
	"movups %xmm8, 264(%rax); movups %xmm9, 280(%rax)\n"
	"movups %xmm10, 296(%rax); movups %xmm11, 312(%rax)\n"
	"movups %xmm12, 328(%rax); movups %xmm13, 344(%rax)\n"
	"movups %xmm14, 360(%rax); movups %xmm15, 376(%rax)\n"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"ret");
}

static_assert(offsetof(struct native, rflags) == 128, "see native()");
static_assert(offsetof(struct native, xmm) == 136, "see native()");
static_assert(offsetof(struct native, code) == 392, "see native()");
static_assert(offsetof(struct native, host_rsp) == 400, "see native()");

/* Below 4 GiB, so that all address sizes reach it */
#define AREA	4096
static u8 *code_page, *area;
static u8 model[AREA];

/* The bus: memory as the model has it. */
static u64 model_at(int segment, u64 offset, size_t len)
{
	u64 at = offset - (unsigned long)area;

	if (at > AREA || len > AREA - at)
		fail_msg("access to offset %#llx, %zu bytes", (unsigned long long)offset, len);
	return at;
}

static int bus_read(void *ctx, int segment, u64 offset, void *buf, size_t len,
		    unsigned int access)
{
	memcpy(buf, model + model_at(segment, offset, len), len);
	return 0;
}

static int bus_write(void *ctx, int segment, u64 offset, const void *buf, size_t len)
{
	memcpy(model + model_at(segment, offset, len), buf, len);
	return 0;
}

static const struct mvm_bus bus = { bus_read, bus_write, NULL };

/* Numbers at which flags change are more frequent than by chance. */
static u64 value(void)
{
	static const u64 edges[] = {
		0, 1, ~0ULL, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0x10, 0xf,
	};

	return number() % 2 ? number() : edges[number() % ARRAY_SIZE(edges)];
}

static u64 with_noise(u64 address, int size)
{
	return size == 4 ? address | number() << 32 : address;
}

/*
 * Give the registers values with which the operand lies in the area, or change
 * the displacement (which ends at @bytes + @disp_end). False if neither works.
 */
static bool aim(const struct mvm_insn *insn, struct mvm_regs *r, u8 *bytes)
{
	u64 target = (unsigned long)area + AREA / 2 + (number() & 0xff), sum;
	bool bits = insn->op >= MVM_OP_BT && insn->op <= MVM_OP_BTC &&
		    insn->other == MVM_OTHER_REG;
	int i;

	if (insn->segment == MVM_INSN_FS || insn->segment == MVM_INSN_GS)
		return false;
	if (insn->reg == 4 && insn->other == MVM_OTHER_REG && insn->op < MVM_OP_MOVS)
		return false;
	if (insn->aligned)
		target &= ~15ULL;
	if (insn->op >= MVM_OP_MOVS) {
		r->gpr[6] = with_noise(target, insn->address_size);
		r->gpr[7] = with_noise((unsigned long)area + AREA / 2 + (number() & 0xff),
				       insn->address_size);
		if (insn->rep)
			r->gpr[1] = with_noise(number() % 20, insn->address_size);
		return true;
	}
	if (bits)
		r->gpr[insn->reg] = with_noise(number() % 8192 - 4096, 8);
	if (insn->base == 4 || insn->index == 4)
		return false;
	if (insn->rip_relative) {
		u32 disp = insn->disp, new = target - (unsigned long)code_page - insn->length;

		if (bits)
			return false;
		for (i = 1; i + 4 <= insn->length; i++) {
			if (memcmp(bytes + i, &disp, 4))
				continue;
			memcpy(bytes + i, &new, 4);
			return true;
		}
		return false;
	}
	if (insn->base == MVM_NO_REG && insn->index == MVM_NO_REG) {
		/* MOV with a 64-bit address is the only one that can be made. */
		i = insn->length - insn->address_size - 1;
		if (i < 0 || (bytes[i] & 0xfc) != 0xa0 || insn->op != MVM_OP_MOV ||
		    insn->other != MVM_OTHER_REG || insn->reg)
			return false;
		for (i = 0; i < insn->address_size; i++)
			bytes[insn->length - insn->address_size + i] = target >> 8 * i;
		return true;
	}
	if (insn->base == MVM_NO_REG) {
		if (bits || insn->aligned)
			return false;
		r->gpr[insn->index] = with_noise(((target - insn->disp) &
			mask_of(insn->address_size)) >> insn->shift, insn->address_size);
		return true;
	}
	if (insn->base == insn->index)
		return false;
	if (bits && (insn->base == insn->reg || insn->index == insn->reg))
		return false;
	sum = insn->disp;
	if (insn->index != MVM_NO_REG)
		sum += r->gpr[insn->index] << insn->shift;
	r->gpr[insn->base] = with_noise((target - sum) & mask_of(insn->address_size),
					insn->address_size);
	return true;
}

/* Undefined after logic; what BT leaves undefined the processor keeps. */
static u64 compared_flags(const struct mvm_insn *insn)
{
	switch (insn->op) {
	case MVM_OP_AND:
	case MVM_OP_OR:
	case MVM_OP_XOR:
	case MVM_OP_TEST:
		return (ARITHMETIC & ~AF) | DF;
	case MVM_OP_BT:
	case MVM_OP_BTS:
	case MVM_OP_BTR:
	case MVM_OP_BTC:
		return CF | ZF | DF;
	}
	return ARITHMETIC | DF;
}

static void run_native(const u8 *bytes, size_t len)
{
	static const u8 jump[] = { 0xff, 0x25, 0, 0, 0, 0 };
	u64 back = (unsigned long)native_return;

	memcpy(code_page, bytes, len);
	memcpy(code_page + len, jump, sizeof(jump));
	memcpy(code_page + len + sizeof(jump), &back, sizeof(back));
	native_state.code = (unsigned long)code_page;
	native();
}

static void execute_one(struct mvm_insn *insn, u8 *bytes)
{
	unsigned long gpr[16];
	struct mvm_regs r = { .gpr = gpr };
	u8 xmm[16][16];
	int i, ret;

	for (i = 0; i < 16; i++)
		r.gpr[i] = value();
	r.rip = (unsigned long)code_page;
	r.rflags = 0x202 | (number() & ARITHMETIC) | (number() & DF);
	r.xmm = xmm;
	for (i = 0; i < 256; i++)
		xmm[i / 16][i % 16] = number();
	for (i = 0; i < AREA; i += 8) {
		u64 v = value();

		memcpy(model + i, &v, 8);
	}
	if (!aim(insn, &r, bytes))
		return;
	if (mvm_decode(insn, bytes, MVM_INSN_MAX, 8))
		fail_msg("%s: not decoded any more", hex(bytes, 15));
	/* CMPXCHG hardly ever finds what it looks for. */
	if (insn->op == MVM_OP_CMPXCHG && insn->base && insn->index && number() % 2)
		memset(model, r.gpr[0] = 0x7f, AREA), r.gpr[0] *= 0x0101010101010101;
	memcpy(area, model, AREA);
	memcpy(native_state.gpr, gpr, sizeof(gpr));
	memcpy(native_state.xmm, xmm, sizeof(xmm));
	native_state.rflags = r.rflags;
	run_native(bytes, insn->length);

	do {
		ret = mvm_execute(insn, &r, &bus);
	} while (ret == MVM_EXECUTE_REPEAT);
	assert_int_equal(ret, MVM_EXECUTE_DONE);
	agreed++;
	for (i = 0; i < 16; i++)
		if (i != 4 && r.gpr[i] != native_state.gpr[i])
			fail_msg("%s: register %d is %#llx, the processor says %#llx",
				 hex(bytes, insn->length), i, (unsigned long long)r.gpr[i],
				 (unsigned long long)native_state.gpr[i]);
	if ((r.rflags ^ native_state.rflags) & compared_flags(insn))
		fail_msg("%s: flags are %#llx, the processor says %#llx",
			 hex(bytes, insn->length), (unsigned long long)r.rflags,
			 (unsigned long long)native_state.rflags);
	if (memcmp(model, area, AREA))
		fail_msg("%s: memory differs", hex(bytes, insn->length));
	if (memcmp(xmm, native_state.xmm, sizeof(xmm)))
		fail_msg("%s: XMM registers differ", hex(bytes, insn->length));
}

static void executed(void **state)
{
	unsigned long i, per_op[MVM_OP_LODS + 1] = { }, before;
	u8 bytes[MVM_INSN_MAX];
	struct mvm_insn insn;
	int op;

	agreed = 0;
	for (i = 0; i < 100000UL * rounds; i++) {
		make_up(bytes, 8, 2);
		/* Now and then with LOCK, where that is allowed. */
		if (!(number() % 8)) {
			memmove(bytes + 1, bytes, sizeof(bytes) - 1);
			bytes[0] = 0xf0;
		}
		if (mvm_decode(&insn, bytes, sizeof(bytes), 8) ||
		    insn.other == MVM_OTHER_SEGMENT)
			continue;
		op = insn.op;
		before = agreed;
		execute_one(&insn, bytes);
		per_op[op] += agreed - before;
	}
	print_message("# %lu instructions compared\n", agreed);
	for (op = 0; op <= MVM_OP_LODS; op++)
		if (per_op[op] < 50)
			fail_msg("only %lu of operation %d", per_op[op], op);
}

/* A bus that stops leaves the registers alone. */
static int bus_stop(void *ctx, int segment, u64 offset, void *buf, size_t len,
		    unsigned int access)
{
	return -7;
}

static int bus_stop_write(void *ctx, int segment, u64 offset, const void *buf, size_t len)
{
	return -8;
}

static int bus_zero(void *ctx, int segment, u64 offset, void *buf, size_t len,
		    unsigned int access)
{
	memset(buf, 0, len);
	return 0;
}

static void stopped(void **state)
{
	static const struct mvm_bus no_read = { bus_stop, bus_stop_write, NULL };
	static const struct mvm_bus no_write = { bus_zero, bus_stop_write, NULL };
	unsigned long gpr[16], gpr_before[16];
	struct mvm_regs r, before;
	u8 bytes[MVM_INSN_MAX], xmm[16][16], xmm_before[16][16];
	struct mvm_insn insn;
	unsigned long i;
	int ret;

	memset(&r, 0x5a, sizeof(r));
	memset(gpr, 0x5b, sizeof(gpr));
	r.gpr = gpr;
	memset(xmm, 0xa5, sizeof(xmm));
	r.xmm = xmm;
	for (i = 0; i < 20000; i++) {
		make_up(bytes, 8, 2);
		if (mvm_decode(&insn, bytes, sizeof(bytes), 8))
			continue;
		before = r;
		memcpy(gpr_before, gpr, sizeof(gpr));
		memcpy(xmm_before, xmm, sizeof(xmm));
		ret = mvm_execute(&insn, &r, &no_read);
		assert_int_equal(ret, insn.access & MVM_ACCESS_READ ? -7 : -8);
		if (insn.access & MVM_ACCESS_WRITE)
			assert_int_equal(mvm_execute(&insn, &r, &no_write), -8);
		assert_memory_equal(&r, &before, sizeof(r));
		assert_memory_equal(gpr, gpr_before, sizeof(gpr));
		assert_memory_equal(xmm, xmm_before, sizeof(xmm));
	}
}

static int set_up(void **state)
{
	const char *text = getenv("MVM_DECODE_ROUNDS");

	if (text)
		rounds = strtoul(text, NULL, 0);
	text = getenv("MVM_DECODE_SEED");
	if (text)
		seed = strtoull(text, NULL, 0) | 1;
	ZydisDecoderInit(&zydis[2], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	ZydisDecoderInit(&zydis[4], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&zydis[8], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	return code_page == MAP_FAILED || area == MAP_FAILED ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enumerated),
		cmocka_unit_test(random_encodings),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(limits),
		cmocka_unit_test(accesses),
		cmocka_unit_test(executed),
		cmocka_unit_test(stopped),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
