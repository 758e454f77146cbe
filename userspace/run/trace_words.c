// SPDX-License-Identifier: GPL-2.0
/*
 * What both kinds of --trace's files say in words.
 */
#include <capstone/capstone.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "trace.h"

/* Most exits are at an instruction that was there before. */
#define CACHE	4096

/**
 * struct known - an instruction that was disassembled
 * @rip: where it was
 * @mode: of its code
 * @bytes: its bytes and those behind it
 * @count: how many there are
 * @size: how many are its own
 * @number: of its text
 */
struct known {
	__u64 rip;
	unsigned int mode;
	__u8 bytes[15];
	__u8 count;
	__u8 size;
	unsigned int number;
};

/**
 * struct trace_code - instructions as text, each text once
 * @handles: of capstone, by mode; 0 if there is none
 * @texts: by number
 * @count: of @texts
 * @room: in @texts
 * @tree: the same by text, for tsearch(3)
 * @cache: by RIP
 */
struct trace_code {
	csh handles[3];
	struct text **texts;
	unsigned int count;
	unsigned int room;
	void *tree;
	struct known cache[CACHE];
};

struct text {
	unsigned int number;
	char text[];
};

static int compare(const void *a, const void *b)
{
	const struct text *left = a, *right = b;

	return strcmp(left->text, right->text);
}

/**
 * trace_code_new() - before the first instruction
 *
 * Return: NULL if there is no memory. Number 0 is for what is no instruction.
 */
struct trace_code *trace_code_new(void)
{
	static const cs_mode modes[] = { CS_MODE_16, CS_MODE_32, CS_MODE_64 };
	struct trace_code *code = calloc(1, sizeof(*code));
	unsigned int i;

	if (!code)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (cs_open(CS_ARCH_X86, modes[i], &code->handles[i]) != CS_ERR_OK)
			code->handles[i] = 0;
	return code;
}

/**
 * trace_code_free() - after the last
 * @code: what trace_code_new() made, or NULL
 */
void trace_code_free(struct trace_code *code)
{
	unsigned int i;

	if (!code)
		return;
	for (i = 0; i < ARRAY_SIZE(code->handles); i++)
		if (code->handles[i])
			cs_close(&code->handles[i]);
	tdestroy(code->tree, free);
	free(code->texts);
	free(code);
}

static unsigned int add(struct trace_code *code, struct text *text)
{
	struct text **found = tsearch(text, &code->tree, compare), **texts;

	if (!found) {
		free(text);
		return 0;
	}
	if (*found != text) {
		free(text);
		return (*found)->number;
	}
	if (code->count == code->room) {
		texts = realloc(code->texts, (2 * code->room + 64) * sizeof(*texts));
		if (!texts) {
			tdelete(text, &code->tree, compare);
			free(text);
			return 0;
		}
		code->texts = texts;
		code->room = 2 * code->room + 64;
	}
	code->texts[code->count++] = text;
	text->number = code->count;
	return text->number;
}

static unsigned int disassemble(struct trace_code *code, struct known *known)
{
	struct text *text;
	cs_insn *insn;
	size_t room;

	if (!code->handles[known->mode] ||
	    !cs_disasm(code->handles[known->mode], known->bytes, known->count, known->rip, 1,
		       &insn))
		return 0;
	known->size = insn->size;
	room = strlen(insn->mnemonic) + strlen(insn->op_str) + 2;
	text = malloc(sizeof(*text) + room);
	if (text)
		snprintf(text->text, room, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "",
			 insn->op_str);
	cs_free(insn, 1);
	return text ? add(code, text) : 0;
}

/**
 * trace_code_number() - the instruction at which an exit was
 * @code: the instructions so far; it may become one more
 * @e: the exit
 * @size: its bytes; NULL if nobody asks
 *
 * Return: its number; 0 if it is not known.
 */
unsigned int trace_code_number(struct trace_code *code, const struct minivmm_exit *e,
			       __u32 *size)
{
	struct known *slot = &code->cache[(e->rip ^ e->rip >> 12) % CACHE];
	struct known known = { .rip = e->rip, .count = e->insn_bytes };

	if (e->flags & MINIVMM_EXIT_CODE64)
		known.mode = 2;
	else if (e->flags & MINIVMM_EXIT_CODE32)
		known.mode = 1;
	memcpy(known.bytes, e->insn, e->insn_bytes);
	if (slot->rip != known.rip || slot->mode != known.mode || slot->count != known.count ||
	    memcmp(slot->bytes, known.bytes, sizeof(known.bytes))) {
		known.number = disassemble(code, &known);
		*slot = known;
	}
	if (size)
		*size = slot->size;
	return slot->number;
}

/**
 * trace_code_text() - an instruction
 * @code: the instructions
 * @number: from 1 to their count
 *
 * Return: its text.
 */
const char *trace_code_text(const struct trace_code *code, unsigned int number)
{
	return number ? code->texts[number - 1]->text : "";
}

/**
 * trace_code_count() - how many instructions there are
 * @code: the instructions
 *
 * Return: the greatest number.
 */
unsigned int trace_code_count(const struct trace_code *code)
{
	return code->count;
}

/**
 * trace_user_name() - why an exit went to user space
 * @user: as the record has it
 *
 * Return: the name of a KVM_EXIT_* without its beginning, or of an errno; NULL for
 * what the launcher does not expect of the module.
 */
const char *trace_user_name(__s32 user)
{
	static const char *const names[] = {
		[KVM_EXIT_UNKNOWN] = "UNKNOWN",
		[KVM_EXIT_IO] = "IO",
		[KVM_EXIT_DEBUG] = "DEBUG",
		[KVM_EXIT_HLT] = "HLT",
		[KVM_EXIT_MMIO] = "MMIO",
		[KVM_EXIT_IRQ_WINDOW_OPEN] = "IRQ_WINDOW_OPEN",
		[KVM_EXIT_SHUTDOWN] = "SHUTDOWN",
		[KVM_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
		[KVM_EXIT_INTR] = "INTR",
		[KVM_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
		[KVM_EXIT_SYSTEM_EVENT] = "SYSTEM_EVENT",
		[KVM_EXIT_IOAPIC_EOI] = "IOAPIC_EOI",
		[KVM_EXIT_X86_RDMSR] = "X86_RDMSR",
		[KVM_EXIT_X86_WRMSR] = "X86_WRMSR",
	};

	if (user < 0)
		return strerrorname_np(-user);
	return (size_t)user < ARRAY_SIZE(names) ? names[user] : NULL;
}
