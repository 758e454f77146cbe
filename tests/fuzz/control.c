// SPDX-License-Identifier: GPL-2.0
#include "control.h"
#include "random.h"
#include "tap.h"

GUEST64(control,
	"	mov $0xb000, %rdi\n"
	"	mov $1, %rax\n"
	"	mov $512, %rcx\n"
	"1:	mov %rax, (%rdi)\n"
	"	imul $3, %rax, %rax\n"
	"	add $8, %rdi\n"
	"	loop 1b\n"
	"	mov $0xb000, %rsi\n"
	"	mov $512, %rcx\n"
	"	xor %rbx, %rbx\n"
	"2:	add (%rsi), %rbx\n"
	"	add $8, %rsi\n"
	"	loop 2b\n"
	"	mov %ebx, %eax\n"
	"	out %eax, $0x10\n"
	"	hlt\n");

__thread u64 random_state;
struct vm control_vm;
static struct vcpu control_vcpu;

void control_open(const char *device)
{
	vm_open(&control_vm, device, 2 << 20);
	vcpu_open(&control_vcpu, &control_vm, 0);
}

const char *control_run(void)
{
	/* 1 + 3 + 9 + ... + 3^511, its lowest 32 bits, as bytes */
	static char expected[64], text[256];
	const char *got;
	u64 sum = 0, power = 1;
	int i;

	for (i = 0; i < 512; i++, power *= 3)
		sum += power;
	snprintf(expected, sizeof(expected), "OUT port=10 size=4 count=1 data=%08x",
		 __builtin_bswap32(sum));
	guest64(&control_vcpu, control);
	/* Signals go to whoever is running. */
	do {
		got = vcpu_run(&control_vcpu);
	} while (!strncmp(got, "EINTR", 5));
	if (!strcmp(got, expected))
		return NULL;
	snprintf(text, sizeof(text), "the undisturbed guest said '%s', expected '%s'",
		 got, expected);
	return text;
}
