// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a vCPU, as gdb numbers and names them: gdb's manual, "Standard
 * Target Features", "i386 Features". What a system has beyond programs is a feature
 * of our own, which gdb shows as it comes.
 *
 * gdb knows no segments. What it takes for the program counter is the linear address
 * of the next instruction: CS's base and RIP.
 */
#include <string.h>
#include "gdb_registers.h"
#include "walk.h"

#define RFLAGS_VM	BIT(17)

enum kind {
	COPY,		/* the register, or its lower half */
	COUNTER,	/* RIP */
	SELECTOR,	/* of a segment */
	TAGS,		/* of the x87 stack, two bits each */
};

/**
 * struct reg - a register
 * @name: gdb's name
 * @type: gdb's type
 * @size: bytes that gdb sees
 * @width: bytes that there are in struct gdb_cpu
 * @offset: there
 * @kind: what it needs beyond being copied
 */
struct reg {
	const char *name;
	const char *type;
	__u8 size;
	__u8 width;
	__u16 offset;
	enum kind kind;
};

#define WIDTH(member)	sizeof(((struct gdb_cpu *)0)->member)
#define REG(name, type, size, member, kind)	\
	{ name, type, size, WIDTH(member), offsetof(struct gdb_cpu, member), kind }
#define WIDE(name)	REG(#name, "int64", 8, regs.name, COPY)
#define NARROW(name, member)	REG(name, "int32", 4, regs.member, COPY)
#define SEGMENT(name)	REG(#name, "int32", 4, sregs.name.selector, SELECTOR)
#define X87(n)		{ "st" #n, "i387_ext", 10, 10, offsetof(struct gdb_cpu, fpu.fpr[n]), COPY }
#define CONTROL(name, member, width, past)	\
	{ name, "int", 4, width, offsetof(struct gdb_cpu, fpu.member) + (past), COPY }
#define XMM(n)		REG("xmm" #n, "vec128", 16, fpu.xmm[n], COPY)

#define SEGMENTS	SEGMENT(cs), SEGMENT(ss), SEGMENT(ds), SEGMENT(es), SEGMENT(fs), SEGMENT(gs)
#define FPU		\
	X87(0), X87(1), X87(2), X87(3), X87(4), X87(5), X87(6), X87(7),			\
	CONTROL("fctrl", fcw, 2, 0), CONTROL("fstat", fsw, 2, 0),			\
	REG("ftag", "int", 4, fpu.ftwx, TAGS),						\
	CONTROL("fiseg", last_ip, 2, 4), CONTROL("fioff", last_ip, 4, 0),		\
	CONTROL("foseg", last_dp, 2, 4), CONTROL("fooff", last_dp, 4, 0),		\
	CONTROL("fop", last_opcode, 2, 0)

static const struct reg core64[] = {
	WIDE(rax), WIDE(rbx), WIDE(rcx), WIDE(rdx), WIDE(rsi), WIDE(rdi),
	REG("rbp", "data_ptr", 8, regs.rbp, COPY), REG("rsp", "data_ptr", 8, regs.rsp, COPY),
	WIDE(r8), WIDE(r9), WIDE(r10), WIDE(r11), WIDE(r12), WIDE(r13), WIDE(r14), WIDE(r15),
	REG("rip", "code_ptr", 8, regs.rip, COUNTER),
	REG("eflags", "i386_eflags", 4, regs.rflags, COPY),
	SEGMENTS, FPU,
};

static const struct reg core32[] = {
	NARROW("eax", rax), NARROW("ecx", rcx), NARROW("edx", rdx), NARROW("ebx", rbx),
	REG("esp", "data_ptr", 4, regs.rsp, COPY), REG("ebp", "data_ptr", 4, regs.rbp, COPY),
	NARROW("esi", rsi), NARROW("edi", rdi),
	REG("eip", "code_ptr", 4, regs.rip, COUNTER),
	REG("eflags", "i386_eflags", 4, regs.rflags, COPY),
	SEGMENTS, FPU,
};

static const struct reg sse64[] = {
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
	XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
	REG("mxcsr", "i386_mxcsr", 4, fpu.mxcsr, COPY),
};

static const struct reg sse32[] = {
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
	REG("mxcsr", "i386_mxcsr", 4, fpu.mxcsr, COPY),
};

static const struct reg bases[] = {
	REG("fs_base", "int64", 8, sregs.fs.base, COPY),
	REG("gs_base", "int64", 8, sregs.gs.base, COPY),
};

#define SYSTEM(name, member)	REG(name, "int64", 8, sregs.member, COPY)
static const struct reg system_registers[] = {
	SYSTEM("cr0", cr0), SYSTEM("cr2", cr2), SYSTEM("cr3", cr3), SYSTEM("cr4", cr4),
	SYSTEM("cr8", cr8), SYSTEM("efer", efer),
	SYSTEM("cs_base", cs.base), SYSTEM("ss_base", ss.base),
	SYSTEM("ds_base", ds.base), SYSTEM("es_base", es.base),
	SYSTEM("gdt_base", gdt.base), SYSTEM("idt_base", idt.base),
};

struct feature {
	const char *name;
	const char *types;
	const struct reg *regs;
	unsigned int count;
};

#define FLAG(name, bit)	"<field name=\"" name "\" start=\"" #bit "\" end=\"" #bit "\"/>"
#define FLAGS_TYPE	\
	"<flags id=\"i386_eflags\" size=\"4\">"						\
	FLAG("CF", 0) FLAG("", 1) FLAG("PF", 2) FLAG("AF", 4) FLAG("ZF", 6) FLAG("SF", 7)	\
	FLAG("TF", 8) FLAG("IF", 9) FLAG("DF", 10) FLAG("OF", 11) FLAG("NT", 14)		\
	FLAG("RF", 16) FLAG("VM", 17) FLAG("AC", 18) FLAG("VIF", 19) FLAG("VIP", 20)	\
	FLAG("ID", 21) "</flags>"
#define VECTOR(id, type, count)	\
	"<vector id=\"" id "\" type=\"" type "\" count=\"" #count "\"/>"
#define LANES(name, type)	"<field name=\"" name "\" type=\"" type "\"/>"
#define SSE_TYPES	\
	VECTOR("v4f", "ieee_single", 4) VECTOR("v2d", "ieee_double", 2)			\
	VECTOR("v16i8", "int8", 16) VECTOR("v8i16", "int16", 8)				\
	VECTOR("v4i32", "int32", 4) VECTOR("v2i64", "int64", 2)				\
	"<union id=\"vec128\">"								\
	LANES("v4_float", "v4f") LANES("v2_double", "v2d") LANES("v16_int8", "v16i8")	\
	LANES("v8_int16", "v8i16") LANES("v4_int32", "v4i32") LANES("v2_int64", "v2i64")	\
	LANES("uint128", "uint128") "</union>"						\
	"<flags id=\"i386_mxcsr\" size=\"4\">"						\
	FLAG("IE", 0) FLAG("DE", 1) FLAG("ZE", 2) FLAG("OE", 3) FLAG("UE", 4) FLAG("PE", 5)	\
	FLAG("DAZ", 6) FLAG("IM", 7) FLAG("DM", 8) FLAG("ZM", 9) FLAG("OM", 10)		\
	FLAG("UM", 11) FLAG("PM", 12) FLAG("FZ", 15) "</flags>"

#define FEATURE(name, types, regs)	{ name, types, regs, ARRAY_SIZE(regs) }

static const struct feature features64[] = {
	FEATURE("org.gnu.gdb.i386.core", FLAGS_TYPE, core64),
	FEATURE("org.gnu.gdb.i386.sse", SSE_TYPES, sse64),
	FEATURE("org.gnu.gdb.i386.segments", "", bases),
	FEATURE("org.minivmm.system", "", system_registers),
};

static const struct feature features32[] = {
	FEATURE("org.gnu.gdb.i386.core", FLAGS_TYPE, core32),
	FEATURE("org.gnu.gdb.i386.sse", SSE_TYPES, sse32),
	FEATURE("org.minivmm.bases", "", bases),
	FEATURE("org.minivmm.system", "", system_registers),
};

_Static_assert(ARRAY_SIZE(features64) == ARRAY_SIZE(features32), "one count for both");
#define FEATURES	ARRAY_SIZE(features64)

static const struct feature *features_of(enum gdb_arch arch)
{
	return arch == GDB_X86_64 ? features64 : features32;
}

static const struct reg *find(enum gdb_arch arch, unsigned int number)
{
	const struct feature *features = features_of(arch);
	unsigned int i;

	for (i = 0; i < FEATURES; i++) {
		if (number < features[i].count)
			return &features[i].regs[number];
		number -= features[i].count;
	}
	return NULL;
}

/**
 * gdb_arch_of() - which code runs
 * @cpu: the vCPU
 *
 * Return: by CS and the control registers.
 */
enum gdb_arch gdb_arch_of(const struct gdb_cpu *cpu)
{
	if (cpu->sregs.efer & EFER_LMA)
		return GDB_X86_64;
	return cpu->sregs.cr0 & CR0_PE && cpu->sregs.cs.db ? GDB_I386 : GDB_I8086;
}

/**
 * gdb_print_description() - the registers, for gdb to read
 * @out: where to
 * @arch: the architecture
 */
void gdb_print_description(FILE *out, enum gdb_arch arch)
{
	static const char * const names[] = {
		[GDB_I8086] = "i8086", [GDB_I386] = "i386", [GDB_X86_64] = "i386:x86-64",
	};
	const struct feature *features = features_of(arch);
	unsigned int i, n;

	fputs("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n", out);
	fprintf(out, "<target version=\"1.0\"><architecture>%s</architecture>\n", names[arch]);
	for (i = 0; i < FEATURES; i++) {
		fprintf(out, "<feature name=\"%s\">%s\n", features[i].name, features[i].types);
		for (n = 0; n < features[i].count; n++)
			fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>\n",
				features[i].regs[n].name, features[i].regs[n].size * 8,
				features[i].regs[n].type);
		fputs("</feature>\n", out);
	}
	fputs("</target>\n", out);
}

/**
 * gdb_register_count() - how many registers there are
 * @arch: the architecture
 *
 * Return: their number; the first is 0.
 */
unsigned int gdb_register_count(enum gdb_arch arch)
{
	const struct feature *features = features_of(arch);
	unsigned int i, count = 0;

	for (i = 0; i < FEATURES; i++)
		count += features[i].count;
	return count;
}

/* FXSAVE has a bit for each register, FSAVE had two: valid, zero, special, empty. */
static __u32 full_tags(const struct kvm_fpu *fpu)
{
	unsigned int top = fpu->fsw >> 11 & 7, i, tag;
	__u64 significand;
	__u16 exponent;
	__u32 tags = 0;

	for (i = 0; i < 8; i++) {
		/* Registers are numbered, but kept as the stack has them. */
		const __u8 *st = fpu->fpr[(i - top) & 7];

		memcpy(&significand, st, 8);
		memcpy(&exponent, st + 8, 2);
		exponent &= 0x7fff;
		if (!(fpu->ftwx & BIT(i)))
			tag = 3;
		else if (exponent == 0x7fff)
			tag = 2;
		else if (!exponent && !significand)
			tag = 1;
		else
			tag = significand >> 63 && exponent ? 0 : 2;
		tags |= tag << 2 * i;
	}
	return tags;
}

static __u8 short_tags(__u32 tags)
{
	unsigned int i;
	__u8 bits = 0;

	for (i = 0; i < 8; i++)
		if ((tags >> 2 * i & 3) != 3)
			bits |= BIT(i);
	return bits;
}

/**
 * gdb_register_read() - a register
 * @arch: the architecture
 * @cpu: the vCPU
 * @number: of the register
 * @value: it, little endian
 *
 * Return: its size, 0 if there is no such register.
 */
unsigned int gdb_register_read(enum gdb_arch arch, const struct gdb_cpu *cpu,
			       unsigned int number, __u8 value[static GDB_REGISTER_MAX])
{
	const struct reg *reg = find(arch, number);
	__u64 counter;
	__u32 tags;

	if (!reg)
		return 0;
	memset(value, 0, GDB_REGISTER_MAX);
	switch (reg->kind) {
	case COUNTER:
		counter = cpu->sregs.cs.base + cpu->regs.rip;
		memcpy(value, &counter, reg->size);
		break;
	case TAGS:
		tags = full_tags(&cpu->fpu);
		memcpy(value, &tags, reg->size);
		break;
	default:
		memcpy(value, (const char *)cpu + reg->offset,
		       reg->size < reg->width ? reg->size : reg->width);
	}
	return reg->size;
}

/* Only real mode's segments have nothing but a selector. */
static bool load_segment(struct gdb_cpu *cpu, const struct reg *reg, __u32 selector)
{
	struct kvm_segment *segment = (void *)((char *)cpu + reg->offset -
					       offsetof(struct kvm_segment, selector));

	if (selector == segment->selector)
		return true;
	if (selector > 0xffff ||
	    (cpu->sregs.cr0 & CR0_PE && !(cpu->regs.rflags & RFLAGS_VM)))
		return false;
	segment->selector = selector;
	segment->base = selector << 4;
	return true;
}

/**
 * gdb_register_write() - change a register
 * @arch: the architecture
 * @cpu: the vCPU
 * @number: of the register
 * @value: of the register's size, little endian
 *
 * Return: false if there is no such register, or if it cannot have that value.
 */
bool gdb_register_write(enum gdb_arch arch, struct gdb_cpu *cpu, unsigned int number,
			const __u8 value[static GDB_REGISTER_MAX])
{
	const struct reg *reg = find(arch, number);
	__u64 wide = 0;

	if (!reg)
		return false;
	memcpy(&wide, value, reg->size < sizeof(wide) ? reg->size : sizeof(wide));
	switch (reg->kind) {
	case COUNTER:
		cpu->regs.rip = wide - cpu->sregs.cs.base;
		if (arch != GDB_X86_64)
			cpu->regs.rip &= 0xffffffff;
		return true;
	case SELECTOR:
		return load_segment(cpu, reg, wide);
	case TAGS:
		cpu->fpu.ftwx = short_tags(wide);
		return true;
	default:
		memcpy((char *)cpu + reg->offset, value,
		       reg->size < reg->width ? reg->size : reg->width);
		return true;
	}
}
