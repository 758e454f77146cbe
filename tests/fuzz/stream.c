// SPDX-License-Identifier: GPL-2.0
/*
 * Random instructions, more of those that exit, fault, or change the processor's
 * mode than a program has. Opcodes: SDM Vol. 2, "Opcode Map".
 */
#include <string.h>
#include "stream.h"

/* What follows the opcode */
enum operand { NONE, MODRM, IMM8, IMM16, IMM32, FAR };

/**
 * struct opcode - one line of the table
 * @bytes: mandatory prefix and opcode
 * @weight: how often, relative to the others
 * @operand: what follows
 */
struct opcode {
	const char *bytes;
	u8 weight;
	u8 operand;
};

static const struct opcode opcodes[] = {
	/* ports: IN, OUT, INS, OUTS */
	{ "\xe4", 3, IMM8 }, { "\xe5", 3, IMM8 }, { "\xe6", 3, IMM8 }, { "\xe7", 3, IMM8 },
	{ "\xec", 3 }, { "\xed", 3 }, { "\xee", 3 }, { "\xef", 3 },
	{ "\x6c", 3 }, { "\x6d", 3 }, { "\x6e", 3 }, { "\x6f", 3 },
	/* CPUID, RDMSR, WRMSR, RDTSC, RDPMC, RDTSCP, RDRAND, RDSEED, RDPID */
	{ "\x0f\xa2", 4 }, { "\x0f\x32", 8 }, { "\x0f\x30", 8 }, { "\x0f\x31", 2 },
	{ "\x0f\x33", 1 }, { "\x0f\x01\xf9", 2 }, { "\x0f\xc7", 4, MODRM },
	{ "\xf3\x0f\xc7", 1, MODRM },
	/* MOV from and to CR and DR, CLTS, SMSW and LMSW among group 7 */
	{ "\x0f\x20", 5, MODRM }, { "\x0f\x22", 8, MODRM }, { "\x0f\x21", 3, MODRM },
	{ "\x0f\x23", 5, MODRM }, { "\x0f\x06", 2 },
	/* groups 6 and 7: SLDT STR LLDT LTR VERR VERW, SGDT SIDT LGDT LIDT INVLPG */
	{ "\x0f\x00", 4, MODRM }, { "\x0f\x01", 8, MODRM },
	/* INVD, WBINVD, HLT, PAUSE, MONITOR, MWAIT, GETSEC, ENCLS, ENCLU, RSM */
	{ "\x0f\x08", 1 }, { "\x0f\x09", 1 }, { "\xf4", 2 }, { "\xf3\x90", 2 },
	{ "\x0f\x01\xc8", 1 }, { "\x0f\x01\xc9", 1 }, { "\x0f\x37", 1 },
	{ "\x0f\x01\xcf", 1 }, { "\x0f\x01\xd7", 1 }, { "\x0f\xaa", 1 },
	/* VMX: VMCALL VMLAUNCH VMRESUME VMXOFF VMFUNC VMREAD VMWRITE VMCLEAR VMXON */
	{ "\x0f\x01\xc1", 1 }, { "\x0f\x01\xc2", 1 }, { "\x0f\x01\xc3", 1 },
	{ "\x0f\x01\xc4", 1 }, { "\x0f\x01\xd4", 1 }, { "\x0f\x78", 1, MODRM },
	{ "\x0f\x79", 1, MODRM }, { "\x66\x0f\xc7", 1, MODRM },
	/* INVEPT, INVVPID, INVPCID */
	{ "\x66\x0f\x38\x80", 1, MODRM }, { "\x66\x0f\x38\x81", 1, MODRM },
	{ "\x66\x0f\x38\x82", 2, MODRM },
	/* XGETBV, XSETBV, XSAVE and kin, FSGSBASE, SWAPGS, CLAC, STAC */
	{ "\x0f\x01\xd0", 1 }, { "\x0f\x01\xd1", 3 }, { "\x0f\xae", 4, MODRM },
	{ "\xf3\x0f\xae", 2, MODRM }, { "\x0f\x01\xf8", 2 }, { "\x0f\x01\xca", 1 },
	{ "\x0f\x01\xcb", 1 },
	/* CLI, STI, PUSHF, POPF, LAHF, SAHF, CLD, STD */
	{ "\xfa", 1 }, { "\xfb", 3 }, { "\x9c", 2 }, { "\x9d", 3 }, { "\x9f", 1 },
	{ "\x9e", 1 }, { "\xfc", 1 }, { "\xfd", 1 },
	/* INT, INT3, INTO, INT1, IRET, UD2, BOUND */
	{ "\xcd", 3, IMM8 }, { "\xcc", 1 }, { "\xce", 1 }, { "\xf1", 1 }, { "\xcf", 3 },
	{ "\x0f\x0b", 1 }, { "\x62", 1, MODRM },
	/* SYSCALL, SYSRET, SYSENTER, SYSEXIT */
	{ "\x0f\x05", 1 }, { "\x0f\x07", 1 }, { "\x0f\x34", 1 }, { "\x0f\x35", 1 },
	/* far CALL and JMP, far RET, group 5 (far and near, memory) */
	{ "\x9a", 2, FAR }, { "\xea", 2, FAR }, { "\xcb", 1 }, { "\xff", 3, MODRM },
	/* segments: MOV, POP, LDS LES LSS LFS LGS, LAR LSL */
	{ "\x8e", 4, MODRM }, { "\x8c", 1, MODRM }, { "\x07", 1 }, { "\x17", 2 },
	{ "\x1f", 1 }, { "\x0f\xa1", 1 }, { "\x0f\xa9", 1 }, { "\xc5", 1, MODRM },
	{ "\x0f\xb2", 1, MODRM }, { "\x0f\x02", 1, MODRM }, { "\x0f\x03", 1, MODRM },
	/* memory: MOV, XCHG, ADD, MOVS, STOS, CMPS, PUSH and POP, ENTER */
	{ "\x89", 3, MODRM }, { "\x8b", 3, MODRM }, { "\x87", 2, MODRM },
	{ "\x01", 2, MODRM }, { "\xa4", 1 }, { "\xa5", 1 }, { "\xaa", 1 }, { "\xab", 1 },
	{ "\xa6", 1 }, { "\x50", 1 }, { "\x58", 2 }, { "\x8f", 1, MODRM }, { "\xc8", 1, IMM16 },
	/* x87, SSE, AVX: they fault by CR0, CR4 and XCR0 */
	{ "\xd9", 1, MODRM }, { "\xdd", 1, MODRM }, { "\x9b", 1 }, { "\x0f\x77", 1 },
	{ "\x0f\x28", 1, MODRM }, { "\x66\x0f\xef", 1, MODRM }, { "\xc5\xfc\x28", 1, MODRM },
	/* near jumps, LOOP, CALL; a backward one may be an endless loop */
	{ "\xeb", 2, IMM8 }, { "\x75", 2, IMM8 }, { "\xe2", 2, IMM8 }, { "\xe8", 1, IMM32 },
	/* DIV, for #DE */
	{ "\xf7", 1, MODRM },
};

/* MSRs that the module knows, and their neighbours */
static const u32 msrs[] = {
	0x0, 0x1, 0x10, 0x17, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x79, 0x8b, 0xc1, 0xce, 0xe1,
	0xfe, 0x10a, 0x10b, 0x122, 0x140, 0x174, 0x175, 0x176, 0x179, 0x17a, 0x17b, 0x186,
	0x198, 0x19a, 0x19c, 0x1a0, 0x1d9, 0x1db, 0x200, 0x20f, 0x210, 0x250, 0x258, 0x259,
	0x268, 0x26f, 0x277, 0x2ff, 0x345, 0x38f, 0x400, 0x47f, 0x480, 0x485, 0x491, 0x4ff,
	0x560, 0x600, 0x6a0, 0x6a4, 0x6e0, 0x7ff, 0x800, 0x80f, 0x83f, 0xbff, 0xda0, 0x1fff,
	0x2000, 0x4b564d00, 0x4b564d01, 0x40000000, 0x40000001, 0xbfffffff,
	0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc00000e7, 0xc0000100,
	0xc0000101, 0xc0000102, 0xc0000103, 0xc0000104, 0xc0001fff, 0xc0002000, 0xc0010015,
	0xc0010114, 0xffffffff,
};

static u8 *put(u8 *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static u8 *put_number(u8 *p, u64 value, size_t n)
{
	return put(p, &value, n);
}

static const struct opcode *some_opcode(void)
{
	static unsigned int total;
	unsigned int n;
	size_t i;

	if (!total) {
		for (i = 0; i < ARRAY_SIZE(opcodes); i++)
			total += opcodes[i].weight;
	}
	n = below(total);
	for (i = 0; n >= opcodes[i].weight; i++)
		n -= opcodes[i].weight;
	return &opcodes[i];
}

static u8 *prefixes(u8 *p, int bits)
{
	static const u8 all[] = {
		0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
	};

	while (one_in(5))
		*p++ = pick(all);
	if (bits == 64 && one_in(3))
		*p++ = 0x40 | below(16);
	return p;
}

/* Memory operands go into the guest's memory more often than not. */
static u8 *modrm(u8 *p, int bits)
{
	u8 byte = rnd();

	switch (below(4)) {
	case 0:
		*p++ = byte | 0xc0;
		return p;
	case 1:
		/* an absolute address */
		*p++ = (byte & 0x38) | (bits == 16 ? 6 : 5);
		return put_number(p, below(0x14000), bits == 16 ? 2 : 4);
	default:
		*p++ = byte;
		return put_number(p, one_in(4) ? edge() : below(0x14000), below(5));
	}
}

/* MOV register, number: the upper half stays, or is cleared in 64-bit mode. */
static u8 *load(u8 *p, int reg, u64 value, int bits)
{
	if (bits == 64 && one_in(4)) {
		*p++ = 0x48;
		*p++ = 0xb8 | reg;
		return put_number(p, value, 8);
	}
	if (bits == 16)
		*p++ = 0x66;
	*p++ = 0xb8 | reg;
	return put_number(p, value, 4);
}

static u8 *instruction(u8 *p, const struct opcode *o, int bits)
{
	enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
	u32 number = one_in(4) ? (u32)edge() : pick(msrs);

	/* What most of them take their operands from */
	if (one_in(2))
		p = load(p, RCX, one_in(3) ? below(20) : number, bits);
	if (one_in(4))
		p = load(p, RDX, one_in(2) ? 0 : edge(), bits);
	if (one_in(4))
		p = load(p, RAX, edge(), bits);
	if (one_in(8))
		p = load(p, one_in(2) ? RSI : RDI, below(0x14000), bits);
	p = prefixes(p, bits);
	p = put(p, o->bytes, strlen(o->bytes));
	/* "0f 00" ends at its zero for strlen(). */
	if (p[-1] == 0x0f)
		*p++ = 0;
	switch (o->operand) {
	case MODRM:
		return modrm(p, bits);
	case IMM8:
		return put_number(p, one_in(2) ? -below(64) : rnd(), 1);
	case IMM16:
		return put_number(p, rnd(), 3);
	case IMM32:
		return put_number(p, below(256) - 128, bits == 16 ? 2 : 4);
	case FAR:
		p = put_number(p, 0x1000 + below(0x1000), bits == 16 ? 2 : 4);
		return put_number(p, one_in(4) ? edge() : below(10) * 8, 2);
	default:
		return p;
	}
}

void stream_fill(u8 *code, size_t size, int bits)
{
	const struct opcode *o = some_opcode();
	u8 room[64], *end = code + size;
	bool storm = one_in(5);
	size_t n;

	if (one_in(4)) {
		while (code < end)
			*code++ = rnd();
		return;
	}
	while (code < end) {
		if (!storm || one_in(8))
			o = some_opcode();
		n = instruction(room, o, bits) - room;
		if (n > (size_t)(end - code))
			n = end - code;
		code = put(code, room, n);
	}
	/* Round and round: a storm of the same few exits */
	if (one_in(4) && size > 300) {
		end[-2] = 0xeb;
		end[-1] = 0x80;
	}
}
