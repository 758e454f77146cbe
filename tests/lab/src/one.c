// SPDX-License-Identifier: GPL-2.0
/*
 * One guest: runs it and says what came of it, or, with "forever", says that
 * it runs and lets it. For tests that are made of shell.
 */
#include "tap.h"
#include "vm.h"

GUEST64(once, "mov $0x42, %al; out %al, $0x10; hlt");
GUEST64(forever, "sti; out %al, $0x10; 1: incl 0xb000; jmp 1b");

int main(int argc, char **argv)
{
	struct vcpu c;
	struct vm vm;

	if (argc != 2 && argc != 3)
		bail("usage: %s DEVICE [forever]", argv[0]);
	vm_open(&vm, argv[1], 1 << 20);
	vcpu_open(&c, &vm, 0);
	if (argc == 2) {
		guest64(&c, once);
		puts(vcpu_run(&c));
		return 0;
	}
	guest64(&c, forever);
	puts(vcpu_run(&c));
	puts("running");
	fflush(stdout);
	for (;;)
		puts(vcpu_run(&c));
}
