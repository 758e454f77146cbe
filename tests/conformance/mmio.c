// SPDX-License-Identifier: GPL-2.0
/*
 * Memory-mapped I/O in every mode.
 *
 * The processor is the oracle: each guest runs twice, once with its operand in
 * memory and once with it in a device that holds the same bytes. Registers,
 * flags and bytes must come out the same. Which accesses the device must see
 * stands beside each guest.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "mmio_forms.h"
#include "tap.h"
#include "vm.h"

#define MEMORY		0x80000		/* then nothing: a device's */
#define DEVICE		0x20000000
#define DEVICE16	0xa0000		/* within reach of real mode */
#define ROM		0x100000
#define ROM_SIZE	0x2000

static struct vm vm;
static struct vcpu cpu;
static u8 *rom;

/* The device's bytes, by the low bits of the address */
static u8 device[0x4000];
static char accesses[1024];

struct form {
	const char *name;
	const char *start, *end;
	int bits;
	u64 undefined;	/* flags */
	const char *seen;	/* what the device sees: at_address() */
};

static void pattern(u8 *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = 0x81 + i * 37;
}

/* One MMIO exit: note it and answer it. */
static void serve(void)
{
	struct kvm_run *run = cpu.run;
	u8 *at = device + (run->mmio.phys_addr & (sizeof(device) - 1));
	size_t used = strlen(accesses);

	if (run->mmio.is_write)
		memcpy(at, run->mmio.data, run->mmio.len);
	else
		memcpy(run->mmio.data, at, run->mmio.len);
	snprintf(accesses + used, sizeof(accesses) - used, " %c%llx/%d",
		 run->mmio.is_write ? 'W' : 'R',
		 (unsigned long long)run->mmio.phys_addr, run->mmio.len);
}

/* Run to the next exit that is not MMIO. */
static const char *drive(void)
{
	const char *text;

	accesses[0] = 0;
	for (;;) {
		text = vcpu_run(&cpu);
		if (cpu.run->exit_reason != KVM_EXIT_MMIO || strncmp(text, "MMIO", 4))
			return text;
		serve();
	}
}

static void load(const struct form *f)
{
	struct kvm_sregs s;

	if (f->bits == 16)
		guest_real(&cpu, f->start, f->end);
	else if (f->bits == 32)
		guest_protected(&cpu, f->start, f->end);
	else
		guest_long(&cpu, f->start, f->end);
	s = get_sregs(&cpu);
	s.cr4 |= CR4_OSFXSR;
	set_sregs(&cpu, &s);
}

/* The registers every guest starts with: the operand is at RBX. */
static void registers(const struct form *f, u64 at, u64 di)
{
	struct kvm_regs r = get_regs(&cpu);
	struct kvm_sregs s;
	struct kvm_fpu fpu;

	r.rax = 0x1122334455667788;
	r.rcx = 3;
	r.rdx = 0x99aabbccddeeff01;
	r.rbp = 0x8040201008040201;
	r.r9 = 0xfedcba9876543210;
	r.rbx = at;
	r.rsi = at;
	r.rdi = di;
	if (f->bits == 16) {
		s = get_sregs(&cpu);
		s.ds.base = at & ~0xffffULL;
		s.ds.selector = s.ds.base >> 4;
		s.es = s.ds;
		s.es.base = di & ~0xffffULL;
		s.es.selector = s.es.base >> 4;
		set_sregs(&cpu, &s);
		r.rbx &= 0xffff;
		r.rsi &= 0xffff;
		r.rdi &= 0xffff;
	}
	set_regs(&cpu, &r);
	memset(&fpu, 0, sizeof(fpu));
	fpu.fcw = 0x37f;
	pattern((u8 *)fpu.xmm, sizeof(fpu.xmm));
	ioctl(cpu.fd, KVM_SET_FPU, &fpu);
}

static bool same_regs(const struct form *f, const struct kvm_regs *a, const struct kvm_regs *b)
{
	if (a->rax == b->rax && a->rcx == b->rcx && a->rdx == b->rdx && a->rbp == b->rbp &&
	    a->r9 == b->r9 && a->rip == b->rip && a->rsp == b->rsp &&
	    !((a->rflags ^ b->rflags) & 0xfff & ~f->undefined))
		return true;
	diag("  rax %llx %llx rcx %llx %llx rdx %llx %llx rbp %llx %llx r9 %llx %llx",
	     a->rax, b->rax, a->rcx, b->rcx, a->rdx, b->rdx, a->rbp, b->rbp, a->r9, b->r9);
	diag("  rip %llx %llx rsp %llx %llx rflags %llx %llx",
	     a->rip, b->rip, a->rsp, b->rsp, a->rflags, b->rflags);
	return false;
}

/* An entry of the tables, in the form in which serve() notes it */
static const char *at_address(const char *seen, u64 address)
{
	static char text[sizeof(accesses)];
	unsigned long distance;
	size_t used = 0;
	int len, n;
	char kind;

	text[0] = 0;
	while (sscanf(seen, " %c%lx/%d%n", &kind, &distance, &len, &n) == 3) {
		used += snprintf(text + used, sizeof(text) - used, " %c%llx/%d", kind,
				 (unsigned long long)address + (long)distance, len);
		seen += n;
	}
	return text;
}

/* At @offset of a page; source and destination of strings are 64 bytes apart. */
static void both(const struct form *f, u32 offset, const char *seen)
{
	u64 base = f->bits == 16 ? DEVICE16 : DEVICE;
	u8 *shadow = device + (base & (sizeof(device) - 1));
	struct kvm_regs in_memory, in_device;
	struct kvm_fpu fpu[2];
	bool pass;

	load(f);
	registers(f, GUEST_DATA + offset, GUEST_DATA + offset + 64);
	pattern(vm.mem + GUEST_DATA, 0x2000);
	is(vcpu_run(&cpu), "HLT", "%s: in memory", f->name);
	in_memory = get_regs(&cpu);
	ioctl(cpu.fd, KVM_GET_FPU, &fpu[0]);
	memcpy(device + 0x2000, vm.mem + GUEST_DATA, 0x2000);

	load(f);
	registers(f, base + offset, base + offset + 64);
	pattern(shadow, 0x2000);
	is(drive(), "HLT", "%s at %x", f->name, offset);
	is(accesses, at_address(seen, base + offset), "  the device saw");
	in_device = get_regs(&cpu);
	ioctl(cpu.fd, KVM_GET_FPU, &fpu[1]);
	pass = same_regs(f, &in_memory, &in_device);
	pass &= !memcmp(fpu[0].xmm, fpu[1].xmm, sizeof(fpu[0].xmm));
	pass &= !memcmp(shadow, device + 0x2000, 0x2000);
	ok(pass, "  the same as in memory");
}

#define CODE64(name, text, u, seen)	GUEST64(f64_##name, text "; hlt");
#define CODE32(name, text, u, seen)	GUEST32(f32_##name, text "; hlt");
#define CODE16(name, text, u, seen)	GUEST16(f16_##name, text "; hlt");
FORMS64(CODE64)
FORMS32(CODE32)
FORMS16(CODE16)

#define ROW64(name, text, u, seen) \
	{ "64: " text, f64_##name, f64_##name##_end, 64, u, seen },
#define ROW32(name, text, u, seen) \
	{ "32: " text, f32_##name, f32_##name##_end, 32, u, seen },
#define ROW16(name, text, u, seen) \
	{ "16: " text, f16_##name, f16_##name##_end, 16, u, seen },
static const struct form forms[] = {
	FORMS64(ROW64) FORMS32(ROW32) FORMS16(ROW16)
};

static const struct form *form(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	bail("no guest '%s'", name);
}

static void all_forms(void)
{
	const struct form *sse = form("64: movups 1(%rbx), %xmm1");
	size_t i;

	/* In KVM, KVM_SET_FPU has no effect on XMM registers that are all zero. */
	load(sse);
	registers(sse, GUEST_DATA, GUEST_DATA);
	pattern(vm.mem + GUEST_DATA, 64);
	is(vcpu_run(&cpu), "HLT", "a first use of XMM registers");

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		both(&forms[i], 0x10, forms[i].seen);
}

/* Two pages, both the device's */
static void page_crossing(void)
{
	both(form("64: mov %rdx, 8(%rbx)"), 0xff5, "W8/3 Wb/5");
	both(form("64: mov -4(%rbx), %eax"), 0x1001, "R-4/3 R-1/1");
	both(form("64: lock add %rdx, (%rbx)"), 0xffb, "R0/5 R5/3 W0/5 W5/3");
	both(form("64: xchg %rdx, (%rbx)"), 0xfff, "R0/1 R1/7 W0/1 W1/7");
	both(form("64: movups 1(%rbx), %xmm1"), 0xffa, "R1/5 R6/8 Re/3");
	both(form("64: movups %xmm1, 1(%rbx)"), 0xff2, "W1/8 W9/5 We/3");
	both(form("32: rep movsw"), 0xfbd,
	     "R0/2 W40/2 R2/2 W42/1 W43/1 R4/2 W44/2");
	both(form("16: mov (%bx), %eax"), 0xffe, "R0/2 R2/2");
}

GUEST32(edge_load, "mov (%ebx), %eax; hlt");
GUEST32(edge_store, "mov %edx, (%ebx); hlt");
GUEST32(edge_add, "add %edx, (%ebx); hlt");
GUEST32(edge_cmp, "cmp %edx, (%ebx); hlt");

static void at(const char *code, const char *end, u64 where)
{
	const struct form f = { "", code, end, 32, 0, "" };

	load(&f);
	registers(&f, where, GUEST_DATA);
	pattern(device, sizeof(device));
}

/* The first three bytes are memory, the fourth is not. */
static void slot_edge(void)
{
	at(edge_load, edge_load_end, MEMORY - 3);
	memcpy(vm.mem + MEMORY - 3, "\x11\x22\x33", 3);
	device[0] = 0x44;
	is(drive(), "HLT", "load across the end of memory");
	is(accesses, " R80000/1", "  the device saw");
	is_hex(get_regs(&cpu).rax, 0x44332211, "  RAX");

	at(edge_store, edge_store_end, MEMORY - 1);
	is(drive(), "HLT", "store across the end of memory");
	is(accesses, " W80000/3", "  the device saw");
	ok(vm.mem[MEMORY - 1] == 0x01 && !memcmp(device, "\xff\xee\xdd", 3), "  its bytes");

	at(edge_add, edge_add_end, MEMORY - 2);
	memcpy(vm.mem + MEMORY - 2, "\xff\x10", 2);
	memset(device, 0, 4);
	is(drive(), "HLT", "ADD across the end of memory");
	is(accesses, " R80000/2 W80000/2", "  the device saw");
	/* 0x10ff + 0xddeeff01 = 0xddef1000 */
	ok(!memcmp(vm.mem + MEMORY - 2, "\x00\x10", 2) &&
	   !memcmp(device, "\xef\xdd", 2), "  its bytes");
}

static void read_only(void)
{
	at(edge_load, edge_load_end, ROM + 4);
	pattern(rom, ROM_SIZE);
	is(drive(), "HLT", "load from read-only memory");
	is(accesses, "", "  the device saw");
	ok(!memcmp(&(u32){ get_regs(&cpu).rax }, rom + 4, 4), "  what is there");
	at(edge_cmp, edge_cmp_end, ROM + 4);
	is(drive(), "HLT", "CMP with read-only memory");
	is(accesses, "", "  the device saw");
	/* 0x845f3a15 - 0xddeeff01 = 0xa6703b14: CF, PF and SF */
	is_hex(get_regs(&cpu).rflags & 0x8d5, 0x85, "  the flags");

	at(edge_store, edge_store_end, ROM + 8);
	is(drive(), "HLT", "store to read-only memory");
	is(accesses, " W100008/4", "  the device saw");
	ok(!memcmp(device + 8, "\x01\xff\xee\xdd", 4), "  the device's");
	is_hex(rom[8], 0x81 + 8 * 37 - 256, "  memory is as it was");

	memset(rom + 12, 0, 4);
	at(edge_add, edge_add_end, ROM + 12);
	is(drive(), "HLT", "ADD to read-only memory");
	is(accesses, " W10000c/4", "  the device saw");
	ok(!memcmp(device + 12, "\x01\xff\xee\xdd", 4) && !rom[12],
	   "  the sum with what is in memory is the device's");

	at(edge_store, edge_store_end, ROM + ROM_SIZE - 2);
	is(drive(), "HLT", "store across the end of read-only memory");
	is(accesses, " W101ffe/2 W102000/2", "  the device saw");
	ok(!memcmp(device + 0x1ffe, "\x01\xff\xee\xdd", 4), "  its bytes");
	at(edge_load, edge_load_end, ROM + ROM_SIZE - 2);
	memcpy(device + 0x2000, "\x33\x44", 2);
	memcpy(rom + ROM_SIZE - 2, "\x11\x22", 2);
	is(drive(), "HLT", "load across the end of read-only memory");
	is(accesses, " R102000/2", "  the device saw");
	is_hex(get_regs(&cpu).rax, 0x44332211, "  RAX");
}

static void string_between(void)
{
	const struct form *f = form("32: rep movsw");

	load(f);
	registers(f, DEVICE, GUEST_DATA);
	pattern(device, 16);
	is(drive(), "HLT", "REP MOVSW from a device to memory");
	is(accesses, " R20000000/2 R20000002/2 R20000004/2", "  the device saw");
	ok(!memcmp(vm.mem + GUEST_DATA, device, 6) && !vm.mem[GUEST_DATA + 6], "  its bytes");
	load(f);
	registers(f, GUEST_DATA, DEVICE);
	memcpy(vm.mem + GUEST_DATA, "abcdef", 6);
	is(drive(), "HLT", "REP MOVSW from memory to a device");
	is(accesses, " W20000000/2 W20000002/2 W20000004/2", "  the device saw");
	ok(!memcmp(device, "abcdef", 6), "  its bytes");
	is_hex(get_regs(&cpu).rcx, 0, "  ECX");
	is_hex(get_regs(&cpu).rsi, GUEST_DATA + 6, "  ESI");
	is_hex(get_regs(&cpu).rdi, DEVICE + 6, "  EDI");
}

GUEST32(then_two, "mov (%ebx), %eax; mov %edx, 4(%ebx); hlt");

/* What user space sees between the exit and the next KVM_RUN */
static void in_between(void)
{
	struct kvm_regs r;
	u32 was_read, eax;

	at(then_two, then_two_end, DEVICE);
	is(vcpu_run(&cpu), "MMIO read 0x20000000 size=4", "a read");
	is_hex(get_regs(&cpu).rip, GUEST_CODE, "  RIP at the exit");
	serve();
	cpu.run->immediate_exit = 1;
	is(vcpu_run(&cpu), "EINTR", "  completed by immediate_exit");
	cpu.run->immediate_exit = 0;
	is_hex(get_regs(&cpu).rip, GUEST_CODE + 2, "  RIP");
	ok((u32)get_regs(&cpu).rax == *(u32 *)device, "  EAX");
	is(vcpu_run(&cpu), "MMIO write 0x20000004 size=4", "a write");
	is_hex(get_regs(&cpu).rflags & FLAG_RF, 0, "  RFLAGS.RF: the instruction is done");
	is_hex(get_regs(&cpu).rip, GUEST_CODE + 5, "  RIP at the exit");
	ok(!memcmp(cpu.run->mmio.data, "\x01\xff\xee\xdd", 4), "  its data");
	is(vcpu_run(&cpu), "HLT", "  and on");

	/* Registers that user space sets hold, but for what the access changes. */
	at(then_two, then_two_end, DEVICE);
	vcpu_run(&cpu);
	serve();
	r = get_regs(&cpu);
	r.rdx = 0x12345678;
	r.rax = 0;
	set_regs(&cpu, &r);
	was_read = *(u32 *)device;
	is(vcpu_run(&cpu), "MMIO write 0x20000004 size=4", "registers set during a read");
	ok(!memcmp(cpu.run->mmio.data, "\x78\x56\x34\x12", 4), "  EDX is as set");
	/* KVM forgets what was read. */
	eax = get_regs(&cpu).rax;
	ok(eax == was_read || eax == 0, "EAX, set during a read: %s",
	   eax ? "as read" : "as set");
	vcpu_run(&cpu);
}

GUEST64(fs_store, "mov %eax, %fs:0x10; mov %fs:4(%rdx), %ecx; hlt");

/* The segments that have a base in 64-bit mode, too */
static void segment_base(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest64(&cpu, fs_store);
	s = get_sregs(&cpu);
	s.fs.base = DEVICE - 0x100;
	set_sregs(&cpu, &s);
	r = get_regs(&cpu);
	r.rdx = 0x200;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), "MMIO write 0x1fffff10 size=4", "64: a store to FS");
	is(vcpu_run(&cpu), "MMIO read 0x20000104 size=4", "64: a load from FS");
	is(vcpu_run(&cpu), "HLT", "  and on");
}

GUEST32(stos3, "rep stosb; hlt");

/* An interrupt comes between two elements. */
static void interrupted(void)
{
	struct kvm_interrupt irq = { .irq = 30 };
	struct kvm_regs r;

	at(stos3, stos3_end, DEVICE);
	r = get_regs(&cpu);
	r.rdi = DEVICE;
	r.rflags |= FLAG_IF;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), "MMIO write 0x20000000 size=1", "REP STOSB");
	is_hex(get_regs(&cpu).rcx, 2, "  ECX at the exit");
	is_hex(get_regs(&cpu).rip, GUEST_CODE, "  RIP at the exit");
	ok(!ioctl(cpu.fd, KVM_INTERRUPT, &irq), "  KVM_INTERRUPT");
	is(vcpu_run(&cpu), "trap 30 at +0", "  the interrupt");
	is(drive(), "HLT", "  the rest");
	is(accesses, " W20000001/1 W20000002/1", "  the device saw");
}

GUEST32(unknown, "addps (%ebx), %xmm0; hlt");
GUEST64(unknown64, "fldl (%rbx); hlt");

static void not_known(void)
{
	const struct form f64 = { "", unknown64, unknown64_end, 64, 0, "" };
	struct kvm_run *run = cpu.run;

	at(unknown, unknown_end, DEVICE);
	is(vcpu_run(&cpu), "INTERNAL_ERROR 1", "ADDPS");
	is_hex(run->emulation_failure.flags, 1, "  flags: there are bytes");
	is_hex(run->emulation_failure.insn_size, 15, "  how many");
	ok(!memcmp(run->emulation_failure.insn_bytes, unknown, unknown_end - unknown),
	   "  and which");
	is_hex(run->emulation_failure.ndata, 8, "  ndata");
	is(vcpu_run(&cpu), "trap 6 at +0", "  then #UD");

	load(&f64);
	registers(&f64, DEVICE, GUEST_DATA);
	is(vcpu_run(&cpu), "INTERNAL_ERROR 1", "FLD");
	is_hex(run->emulation_failure.insn_bytes[0], 0xdd, "  its first byte");

	at(unknown, unknown_end, DEVICE);
	guest_user(&cpu);
	is(vcpu_run(&cpu), "trap 6 at +0", "ADDPS in ring 3");
}

GUEST64(pf_second, "mov (%rbx), %rax; hlt");
GUEST32(code_end, "mov (%ebx), %eax; hlt");
GUEST32(string_end, "movsl; hlt");

static void faults_of_operands(void)
{
	const struct form pf = { "", pf_second, pf_second_end, 64, 0, "" };
	struct kvm_sregs s;
	struct kvm_regs r;

	/* The device's last bytes that are mapped, and then a page that is not */
	load(&pf);
	registers(&pf, 0x3ffffffd, GUEST_DATA);
	is(vcpu_run(&cpu), "trap 14 error=0 at +0", "load into a page that is not mapped");
	is_hex(get_sregs(&cpu).cr2, 0x40000000, "  CR2");

	/* The instruction itself goes across a page. */
	at(code_end, code_end_end, DEVICE);
	memcpy(vm.mem + GUEST_DATA + 0xfff, code_end, code_end_end - code_end);
	r = get_regs(&cpu);
	r.rip = GUEST_DATA + 0xfff;
	set_regs(&cpu, &r);
	is(drive(), "HLT", "an instruction across a page");
	is(accesses, " R20000000/4", "  the device saw");
	is_hex(get_regs(&cpu).rip, GUEST_DATA + 0x1002, "  RIP");

	at(code_end, code_end_end, DEVICE);
	s = get_sregs(&cpu);
	s.ds.g = 0;
	s.ds.limit = 0xfff;
	set_sregs(&cpu, &s);
	is(vcpu_run(&cpu), "trap 13 error=0 at +0", "load outside of the segment");

	/* What a string instruction reads is a device's; where it writes is checked then. */
	at(string_end, string_end_end, DEVICE);
	s = get_sregs(&cpu);
	s.es.g = 0;
	s.es.limit = 0xfff;
	set_sregs(&cpu, &s);
	is(drive(), "trap 13 error=0 at +0", "MOVS to outside of the segment");
	is(accesses, " R20000000/4", "  the device saw");
	is_hex(get_regs(&cpu).rsi, DEVICE, "  ESI");

	at(code_end, code_end_end, 0);
	s = get_sregs(&cpu);
	s.ds.base = DEVICE + 0x20;
	set_sregs(&cpu, &s);
	is(drive(), "HLT", "load with a segment's base");
	is(accesses, " R20000020/4", "  the device saw");
}

int main(int argc, char **argv)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1, .flags = KVM_MEM_READONLY, .guest_phys_addr = ROM,
		.memory_size = ROM_SIZE,
	};

	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(120);
	vm_open(&vm, argv[1], MEMORY);
	rom = mmap(NULL, ROM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (rom == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	region.userspace_addr = (uintptr_t)rom;
	if (ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region))
		bail("a read-only slot: %s", strerror(errno));
	vcpu_open(&cpu, &vm, 0);

	all_forms();
	page_crossing();
	slot_edge();
	read_only();
	string_between();
	in_between();
	segment_base();
	interrupted();
	not_known();
	faults_of_operands();
	return done_testing();
}
