/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registers of a vCPU, as gdb numbers and names them.
 */
#ifndef RUN_GDB_REGISTERS_H
#define RUN_GDB_REGISTERS_H

#include <linux/kvm.h>
#include <stdio.h>
#include "base.h"

/* The widest, of SSE */
#define GDB_REGISTER_MAX	16

/**
 * enum gdb_arch - what gdb takes the vCPU for, from when it connects on
 * @GDB_I8086: 16-bit code; registers as @GDB_I386
 * @GDB_I386: 32-bit code
 * @GDB_X86_64: 64-bit code
 */
enum gdb_arch { GDB_I8086, GDB_I386, GDB_X86_64 };

/**
 * struct gdb_cpu - the state of a vCPU
 * @regs: of KVM_GET_REGS
 * @sregs: of KVM_GET_SREGS
 * @fpu: of KVM_GET_FPU
 */
struct gdb_cpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
};

enum gdb_arch gdb_arch_of(const struct gdb_cpu *cpu);
void gdb_print_description(FILE *out, enum gdb_arch arch);

unsigned int gdb_register_count(enum gdb_arch arch);
unsigned int gdb_register_read(enum gdb_arch arch, const struct gdb_cpu *cpu,
			       unsigned int number, __u8 value[static GDB_REGISTER_MAX]);
bool gdb_register_write(enum gdb_arch arch, struct gdb_cpu *cpu, unsigned int number,
			const __u8 value[static GDB_REGISTER_MAX]);

#endif /* RUN_GDB_REGISTERS_H */
