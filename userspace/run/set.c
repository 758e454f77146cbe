// SPDX-License-Identifier: GPL-2.0
/*
 * --set NAME=VALUE: a register of the first vCPU, after all that the mode sets.
 *
 * Nothing is checked but that the value fits: states that no processor can be in
 * are what it is good for, too.
 */
#include <stddef.h>
#include <string.h>
#include "options.h"
#include "set.h"

#define IN_REGS(name, member)	\
	{ name, offsetof(struct kvm_regs, member), sizeof(((struct kvm_regs *)0)->member), false }
#define IN_SREGS(name, member)	\
	{ name, offsetof(struct kvm_sregs, member), sizeof(((struct kvm_sregs *)0)->member), true }
#define PART(name, part)	IN_SREGS(#name "." #part, name.part)
#define SEGMENT(name)	\
	PART(name, selector), PART(name, base), PART(name, limit), PART(name, type),	\
	PART(name, present), PART(name, dpl), PART(name, db), PART(name, s),		\
	PART(name, l), PART(name, g), PART(name, avl), PART(name, unusable)

static const struct place {
	const char *name;
	__u16 offset;
	__u8 size;
	bool in_sregs;
} places[] = {
	IN_REGS("rax", rax), IN_REGS("rbx", rbx), IN_REGS("rcx", rcx), IN_REGS("rdx", rdx),
	IN_REGS("rsi", rsi), IN_REGS("rdi", rdi), IN_REGS("rsp", rsp), IN_REGS("rbp", rbp),
	IN_REGS("r8", r8), IN_REGS("r9", r9), IN_REGS("r10", r10), IN_REGS("r11", r11),
	IN_REGS("r12", r12), IN_REGS("r13", r13), IN_REGS("r14", r14), IN_REGS("r15", r15),
	IN_REGS("rip", rip), IN_REGS("rflags", rflags),
	IN_SREGS("cr0", cr0), IN_SREGS("cr2", cr2), IN_SREGS("cr3", cr3), IN_SREGS("cr4", cr4),
	IN_SREGS("cr8", cr8), IN_SREGS("efer", efer),
	SEGMENT(cs), SEGMENT(ds), SEGMENT(es), SEGMENT(fs), SEGMENT(gs), SEGMENT(ss),
	SEGMENT(tr), SEGMENT(ldt),
	PART(gdt, base), PART(gdt, limit), PART(idt, base), PART(idt, limit),
};

/**
 * parse_setting() - NAME=VALUE
 * @text: what the user wrote
 * @setting: the answer
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *parse_setting(const char *text, struct setting *setting)
{
	const char *equals = strchr(text, '='), *wrong;
	unsigned int i;

	if (!equals)
		return "not NAME=VALUE";
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (strlen(places[i].name) != (size_t)(equals - text) ||
		    strncmp(places[i].name, text, equals - text))
			continue;
		wrong = parse_address(equals + 1, &setting->value);
		if (wrong)
			return wrong;
		setting->place = i;
		return places[i].size < 8 && setting->value >> 8 * places[i].size ?
			"too large for that register" : NULL;
	}
	return "no such register (rip, cr0, cs.type: minivmm-run(1) has them all)";
}

/**
 * setting_apply() - change a register
 * @setting: which, and to what
 * @regs: the registers
 * @sregs: the others
 */
void setting_apply(const struct setting *setting, struct kvm_regs *regs,
		   struct kvm_sregs *sregs)
{
	const struct place *place = &places[setting->place];
	char *base = place->in_sregs ? (char *)sregs : (char *)regs;

	/* Little endian, as all of x86. */
	memcpy(base + place->offset, &setting->value, place->size);
}
