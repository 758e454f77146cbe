/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small VM for tests: memory at guest-physical 0, guests in assembly, and
 * every outcome of KVM_RUN as one line of text.
 *
 * The same calls go to /dev/kvm and to /dev/minivmm. Setting a VM up must not
 * fail: if it does, the program bails out and says which call it was.
 */
#ifndef VM_H
#define VM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <sys/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define PAGE_SIZE	4096
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Where the pieces of a guest lie in its memory. */
#define GUEST_CODE	0x1000
#define GUEST_IDT	0x2000
#define GUEST_GDT	0x3000
#define GUEST_PML4	0x4000
#define GUEST_PDPT	0x5000
#define GUEST_PD	0x6000
#define GUEST_TRAPS	0x7000	/* one handler of 16 bytes for each vector */
#define GUEST_STACK	0xa000	/* first byte above the stack */
#define GUEST_DATA	0xb000	/* five pages for the test's own use */
#define GUEST_TSS	0x10000	/* with an I/O bitmap for all ports */
#define GUEST_END	0x13000

#define SEL_CODE32	0x08
#define SEL_DATA	0x10
#define SEL_CODE64	0x18
#define SEL_TSS		0x20	/* 16 bytes in long mode */
#define SEL_USER_DATA	0x33
#define SEL_USER_CODE32	0x3b
#define SEL_USER_CODE64	0x43

/* The handler of vector v does OUT to this port, then returns. */
#define TRAP_PORT(v)	(0x80 + (v))
#define TRAPS		32

#define CR0_PE		0x1
#define CR0_MP		0x2
#define CR0_EM		0x4
#define CR0_TS		0x8
#define CR0_ET		0x10
#define CR0_NE		0x20
#define CR0_WP		0x10000
#define CR0_AM		0x40000
#define CR0_NW		0x20000000
#define CR0_CD		0x40000000
#define CR0_PG		0x80000000
#define CR4_TSD		0x4
#define CR4_DE		0x8
#define CR4_PAE		0x20
#define CR4_OSFXSR	0x200
#define CR4_OSXMMEXCPT	0x400
#define CR4_VMXE	0x2000
#define CR4_OSXSAVE	0x40000
#define EFER_SCE	0x1
#define EFER_LME	0x100
#define EFER_LMA	0x400
#define EFER_NX		0x800
#define FLAG_TF		0x100
#define FLAG_IF		0x200
#define FLAG_DF		0x400
#define FLAG_RF		0x10000
#define FLAG_AC		0x40000

/*
 * GUEST16(name, text), GUEST32, GUEST64: a guest in assembly. It runs at
 * GUEST_CODE: an absolute address of a label in it is "label - name + 0x1000".
 */
#ifdef __x86_64__
#define HOST_CODE ".code64\n"
#else
#define HOST_CODE ".code32\n"
#endif
#define GUEST(name, bits, text)						\
	extern const char name[], name##_end[];				\
	asm(".pushsection .rodata\n"					\
	    #name ":\n.code" #bits "\n" text "\n" #name "_end:\n"	\
	    HOST_CODE ".popsection\n")
#define GUEST16(name, text) GUEST(name, 16, text)
#define GUEST32(name, text) GUEST(name, 32, text)
#define GUEST64(name, text) GUEST(name, 64, text)

/* A place in a guest that the program names */
#define LABEL(name)	extern const char name[]

struct vm {
	const char *device;
	int sys;
	int fd;
	u8 *mem;
	size_t size;
};

struct vcpu {
	struct vm *vm;
	int fd;
	size_t run_size;
	struct kvm_run *run;
	/* The state after KVM_CREATE_VCPU: vcpu_reset() goes back to it. */
	struct kvm_regs regs0;
	struct kvm_sregs sregs0;
};

/**
 * vm_open() - open @device, make a VM with @size bytes of memory at 0.
 */
void vm_open(struct vm *vm, const char *device, size_t size);
void vm_close(struct vm *vm);

/**
 * vcpu_open() - make a vCPU that can do all that the device supports.
 *
 * KVM since Linux 6.12 takes a bit of CR4 only when CPUID has shown it: a vCPU
 * without a table, vcpu_open_bare(), runs nothing but real mode there.
 */
void vcpu_open(struct vcpu *c, struct vm *vm, int id);
void vcpu_open_bare(struct vcpu *c, struct vm *vm, int id);
void vcpu_close(struct vcpu *c);

/** vcpu_reset() - registers as after creation, guest memory up to @vm->size zero. */
void vcpu_reset(struct vcpu *c);

/*
 * Reset, put code at GUEST_CODE, set up tables and trap handlers, and point
 * the vCPU at the code. Segments are flat; interrupts are off. Long mode has
 * 1 GiB of identity mapping in 2 MiB pages, user-accessible.
 */
void guest_real(struct vcpu *c, const void *code, const void *end);
void guest_protected(struct vcpu *c, const void *code, const void *end);
void guest_long(struct vcpu *c, const void *code, const void *end);
#define guest16(c, name) guest_real(c, name, name##_end)
#define guest32(c, name) guest_protected(c, name, name##_end)
#define guest64(c, name) guest_long(c, name, name##_end)

/** guest_gate() - point vector @v of a 32-bit or 64-bit guest's IDT to @address. */
void guest_gate(struct vcpu *c, int v, u64 address, int dpl);

/** guest_user() - make the next instruction run in ring 3. */
void guest_user(struct vcpu *c);

/**
 * vcpu_run() - one KVM_RUN.
 *
 * Return: what came of it, in a static buffer: "HLT",
 * "OUT port=10 size=1 count=1 data=41", "IN port=10 size=2 count=1",
 * "SHUTDOWN", "FAIL_ENTRY 0x80000021", "INTERNAL_ERROR 1", "EINTR INTR",
 * "trap 13 error=0x18 at +5": the handler of vector 13 was called, with that
 * error code, for the instruction 5 bytes into the guest's code …
 */
const char *vcpu_run(struct vcpu *c);
int vcpu_run_raw(struct vcpu *c);	/* 0 or -errno */

/** trap_frame() - the stack of the running trap handler, error code skipped. */
void *trap_frame(struct vcpu *c);

/* Shorthands; they bail out when the call fails. */
struct kvm_regs get_regs(struct vcpu *c);
void set_regs(struct vcpu *c, const struct kvm_regs *regs);
struct kvm_sregs get_sregs(struct vcpu *c);
void set_sregs(struct vcpu *c, const struct kvm_sregs *sregs);
u64 get_msr(struct vcpu *c, u32 index);
int try_msr(struct vcpu *c, u32 index, u64 value);
void set_msr(struct vcpu *c, u32 index, u64 value);

/** cpuid_host() - give the vCPU everything that the device supports. */
struct kvm_cpuid2 *supported_cpuid(struct vm *vm);
void cpuid_host(struct vcpu *c);

/** cpuid_least() - no more than guests in long mode need. */
void cpuid_least(struct vcpu *c);

void *io_data(struct vcpu *c);

/** short_pointer() - a pointer with @valid zero bytes and nothing behind. */
void *short_pointer(size_t valid);

/** errno_text() - "0", "EINVAL", ... for the result of a call that sets errno. */
const char *errno_text(long ret);
const char *errno_name(int err);

/** watchdog() - bail out with @what when the program still runs in @seconds. */
void watchdog(unsigned int seconds);

/** now_ms() - the monotonic clock. */
u64 now_ms(void);

#endif /* VM_H */
