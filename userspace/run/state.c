// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPU's state in words: registers, and the code at RIP disassembled by
 * capstone.
 */
#include <capstone/capstone.h>
#include <string.h>
#include "report.h"
#include "walk.h"

#define CODE_BYTES	32
#define CODE_LINES	4
#define X86_INSN_MAX	15

struct bit {
	__u64 mask;
	const char *name;
};

static const struct bit rflags_bits[] = {
	{ BIT(0), "CF" }, { BIT(2), "PF" }, { BIT(4), "AF" }, { BIT(6), "ZF" },
	{ BIT(7), "SF" }, { BIT(8), "TF" }, { BIT(9), "IF" }, { BIT(10), "DF" },
	{ BIT(11), "OF" }, { BIT(14), "NT" }, { BIT(16), "RF" }, { BIT(17), "VM" },
	{ BIT(18), "AC" }, { BIT(19), "VIF" }, { BIT(20), "VIP" }, { BIT(21), "ID" },
	{ 0, NULL },
};

static const struct bit cr0_bits[] = {
	{ BIT(0), "PE" }, { BIT(1), "MP" }, { BIT(2), "EM" }, { BIT(3), "TS" },
	{ BIT(4), "ET" }, { BIT(5), "NE" }, { BIT(16), "WP" }, { BIT(18), "AM" },
	{ BIT(29), "NW" }, { BIT(30), "CD" }, { BIT(31), "PG" },
	{ 0, NULL },
};

static const struct bit cr4_bits[] = {
	{ BIT(0), "VME" }, { BIT(1), "PVI" }, { BIT(2), "TSD" }, { BIT(3), "DE" },
	{ BIT(4), "PSE" }, { BIT(5), "PAE" }, { BIT(6), "MCE" }, { BIT(7), "PGE" },
	{ BIT(8), "PCE" }, { BIT(9), "OSFXSR" }, { BIT(10), "OSXMMEXCPT" },
	{ BIT(11), "UMIP" }, { BIT(12), "LA57" }, { BIT(13), "VMXE" },
	{ BIT(16), "FSGSBASE" }, { BIT(17), "PCIDE" }, { BIT(18), "OSXSAVE" },
	{ BIT(20), "SMEP" }, { BIT(21), "SMAP" }, { BIT(22), "PKE" },
	{ 0, NULL },
};

static const struct bit efer_bits[] = {
	{ BIT(0), "SCE" }, { BIT(8), "LME" }, { BIT(10), "LMA" }, { BIT(11), "NXE" },
	{ 0, NULL },
};

static void print_bits(FILE *out, __u64 value, const struct bit *bits)
{
	const char *gap = "";

	fputs(" [", out);
	for (; bits->name; bits++) {
		if (!(value & bits->mask))
			continue;
		fprintf(out, "%s%s", gap, bits->name);
		gap = " ";
	}
	fputs("]\n", out);
}

static const char *mode_name(const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
	if (!(sregs->cr0 & CR0_PE))
		return "real mode";
	if (regs->rflags & BIT(17))
		return "virtual-8086 mode";
	if (sregs->efer & EFER_LMA) {
		if (sregs->cs.l)
			return "64-bit mode";
		return sregs->cs.db ? "compatibility mode, 32-bit" :
				      "compatibility mode, 16-bit";
	}
	return sregs->cs.db ? "protected mode, 32-bit" : "protected mode, 16-bit";
}

static void print_segment(FILE *out, const char *name, const struct kvm_segment *segment)
{
	fprintf(out, "  %-4s %04x  base %016llx  limit %08x", name,
		segment->selector, segment->base, segment->limit);
	if (segment->unusable)
		fputs("  unusable\n", out);
	else
		fprintf(out, "  type %x s %u dpl %u p %u db %u l %u g %u\n",
			segment->type, segment->s, segment->dpl, segment->present,
			segment->db, segment->l, segment->g);
}

static void print_registers(FILE *out, const struct kvm_regs *regs,
			    const struct kvm_sregs *sregs)
{
	fprintf(out, "  RIP    %04x:%016llx  %s, paging %s\n", sregs->cs.selector,
		regs->rip, mode_name(regs, sregs), sregs->cr0 & CR0_PG ? "on" : "off");
	fprintf(out, "  RAX    %016llx  RBX %016llx  RCX %016llx  RDX %016llx\n",
		regs->rax, regs->rbx, regs->rcx, regs->rdx);
	fprintf(out, "  RSI    %016llx  RDI %016llx  RBP %016llx  RSP %016llx\n",
		regs->rsi, regs->rdi, regs->rbp, regs->rsp);
	fprintf(out, "  R8     %016llx  R9  %016llx  R10 %016llx  R11 %016llx\n",
		regs->r8, regs->r9, regs->r10, regs->r11);
	fprintf(out, "  R12    %016llx  R13 %016llx  R14 %016llx  R15 %016llx\n",
		regs->r12, regs->r13, regs->r14, regs->r15);

	fprintf(out, "  RFLAGS %016llx", regs->rflags);
	print_bits(out, regs->rflags, rflags_bits);
	fprintf(out, "  CR0    %016llx", sregs->cr0);
	print_bits(out, sregs->cr0, cr0_bits);
	fprintf(out, "  CR4    %016llx", sregs->cr4);
	print_bits(out, sregs->cr4, cr4_bits);
	fprintf(out, "  EFER   %016llx", sregs->efer);
	print_bits(out, sregs->efer, efer_bits);
	fprintf(out, "  CR2    %016llx  CR3 %016llx\n", sregs->cr2, sregs->cr3);

	print_segment(out, "CS", &sregs->cs);
	print_segment(out, "DS", &sregs->ds);
	print_segment(out, "ES", &sregs->es);
	print_segment(out, "FS", &sregs->fs);
	print_segment(out, "GS", &sregs->gs);
	print_segment(out, "SS", &sregs->ss);
	print_segment(out, "TR", &sregs->tr);
	print_segment(out, "LDTR", &sregs->ldt);
	fprintf(out, "  GDT        base %016llx  limit %08x\n", sregs->gdt.base,
		sregs->gdt.limit);
	fprintf(out, "  IDT        base %016llx  limit %08x\n", sregs->idt.base,
		sregs->idt.limit);
}

/* Byte by byte: the next page may be elsewhere, or nowhere. */
static unsigned int fetch(struct vcpu *vcpu, const struct kvm_sregs *sregs,
			  __u64 linear, __u8 *code, unsigned int size)
{
	struct walk walk = {
		.cr0 = sregs->cr0, .cr3 = sregs->cr3, .cr4 = sregs->cr4,
		.efer = sregs->efer, .read = machine_read, .context = vcpu->machine,
	};
	unsigned int i;

	for (i = 0; i < size; i++) {
		struct walk_result at = walk_address(&walk, linear + i);

		if (at.why || !machine_read(vcpu->machine, at.physical, &code[i], 1))
			break;
	}
	return i;
}

static void print_bytes(FILE *out, const __u8 *bytes, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		fprintf(out, "%02x ", bytes[i]);
	/* Room for 8; longer instructions push their text to the right. */
	for (; i < 8; i++)
		fputs("   ", out);
}

static void print_code(FILE *out, struct vcpu *vcpu, const struct kvm_regs *regs,
		       const struct kvm_sregs *sregs)
{
	cs_mode mode = sregs->cs.db ? CS_MODE_32 : CS_MODE_16;
	__u8 code[CODE_BYTES + X86_INSN_MAX];
	unsigned int size, i, at = 0;
	const char *mark = "=>";
	csh handle;

	if (sregs->efer & EFER_LMA && sregs->cs.l)
		mode = CS_MODE_64;
	size = fetch(vcpu, sregs, sregs->cs.base + regs->rip, code, sizeof(code));
	if (!size) {
		fputs("  code   cannot be read: nothing is mapped at RIP\n", out);
		return;
	}
	if (cs_open(CS_ARCH_X86, mode, &handle) != CS_ERR_OK) {
		fputs("  code   ", out);
		print_bytes(out, code, size);
		fputc('\n', out);
		return;
	}

	for (i = 0; i < CODE_LINES && at < size; i++) {
		cs_insn *insn;

		if (!cs_disasm(handle, code + at, size - at, regs->rip + at, 1, &insn)) {
			fprintf(out, "  %s %16llx  ", mark, regs->rip + at);
			print_bytes(out, code + at, 1);
			fputs(" (no instruction)\n", out);
			break;
		}
		fprintf(out, "  %s %16llx  ", mark, regs->rip + at);
		print_bytes(out, insn->bytes, insn->size);
		fprintf(out, " %s %s\n", insn->mnemonic, insn->op_str);
		at += insn->size;
		cs_free(insn, 1);
		mark = "  ";
	}
	cs_close(&handle);
}

/**
 * state_print() - registers and code, for a report
 * @out: where to
 * @vcpu: for its memory
 * @regs: the registers
 * @sregs: the others
 */
void state_print(FILE *out, struct vcpu *vcpu, const struct kvm_regs *regs,
		 const struct kvm_sregs *sregs)
{
	print_code(out, vcpu, regs, sregs);
	print_registers(out, regs, sregs);
}
