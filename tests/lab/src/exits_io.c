// SPDX-License-Identifier: GPL-2.0
/*
 * Port I/O: IN, OUT, INS and OUTS in every mode, size and direction, and the
 * faults that come before an access.
 *
 * How many elements of a string one exit carries is the hypervisor's choice:
 * the checks here look at what was transferred in all.
 */
#include <cpuid.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

#define PORT	0x10
#define CPUID_PAGE1GB	0x4000000

static struct vm vm;
static struct vcpu cpu;

/* What the last exits transferred, and how many exits there were. */
static u8 transferred[16384];
static size_t transferred_size;
static int exits;

static void put(u32 gpa, const void *data, size_t size)
{
	memcpy(vm.mem + gpa, data, size);
}

static bool is_io(int direction)
{
	return cpu.run->exit_reason == KVM_EXIT_IO &&
	       cpu.run->io.direction == direction &&
	       cpu.run->io.port < TRAP_PORT(0);
}

/* Runs the guest until it does something else than OUT. */
static const char *collect(void)
{
	const char *text;
	size_t size;

	transferred_size = 0;
	for (exits = 0;; exits++) {
		text = vcpu_run(&cpu);
		if (!is_io(KVM_EXIT_IO_OUT))
			return text;
		size = cpu.run->io.size * cpu.run->io.count;
		if (transferred_size + size > sizeof(transferred))
			return "too much output";
		memcpy(transferred + transferred_size, io_data(&cpu), size);
		transferred_size += size;
	}
}

/* Runs the guest, answering IN with 01 02 03 ..., until it does otherwise. */
static const char *feed(void)
{
	const char *text;
	u8 *data;
	size_t i, size;

	transferred_size = 0;
	for (exits = 0;; exits++) {
		text = vcpu_run(&cpu);
		if (!is_io(KVM_EXIT_IO_IN))
			return text;
		size = cpu.run->io.size * cpu.run->io.count;
		if (transferred_size + size > sizeof(transferred))
			return "too much input";
		data = io_data(&cpu);
		for (i = 0; i < size; i++) {
			data[i] = transferred_size + 1;
			transferred[transferred_size++] = data[i];
		}
	}
}

static void is_transferred(const void *want, size_t size, const char *name)
{
	bool pass = transferred_size == size &&
		    !memcmp(transferred, want, size);

	ok(pass, "%s: %zu bytes", name, transferred_size);
	if (!pass && transferred_size == size)
		diag("  other bytes than expected; the first are %02x %02x",
		     transferred[0], transferred[1]);
	else if (!pass)
		diag("  expected %zu bytes", size);
	diag("  %d exits", exits);
}

GUEST32(out_sizes,
	"mov $0x44332211, %eax; mov $0x3f8, %edx\n"
	"out %al, $0x10; out %ax, $0x10; out %eax, $0x10\n"
	"out %al, %dx; out %ax, %dx; out %eax, %dx\n"
	"mov $0xffff, %edx; out %al, %dx; hlt");

static void out_sizes_test(void)
{
	guest32(&cpu, out_sizes);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=11", "OUT AL");
	is_hex(cpu.run->io.data_offset, PAGE_SIZE, "  its data's offset");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=1122", "OUT AX");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=11223344",
	   "OUT EAX");
	is(vcpu_run(&cpu), "OUT port=3f8 size=1 count=1 data=11",
	   "OUT AL to DX");
	is(vcpu_run(&cpu), "OUT port=3f8 size=2 count=1 data=1122",
	   "OUT AX to DX");
	is(vcpu_run(&cpu), "OUT port=3f8 size=4 count=1 data=11223344",
	   "OUT EAX to DX");
	is(vcpu_run(&cpu), "OUT port=ffff size=1 count=1 data=11",
	   "OUT to the last port");
	is(vcpu_run(&cpu), "HLT", "  and to the end");
}

GUEST64(in_byte, "in $0x10, %al; hlt");
GUEST64(in_word, "in $0x10, %ax; hlt");
GUEST64(in_long, "in $0x10, %eax; hlt");

static void in_one(const char *code, const char *end, const char *exit,
		   u64 want, const char *name)
{
	struct kvm_regs r;

	guest_long(&cpu, code, end);
	r = get_regs(&cpu);
	r.rax = 0xffffffffffffffff;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), exit, "%s", name);
	memcpy(io_data(&cpu), "\x11\x22\x33\x44", 4);
	is(vcpu_run(&cpu), "HLT", "  then");
	is_hex(get_regs(&cpu).rax, want, "  RAX");
}

static void in_sizes_test(void)
{
	in_one(in_byte, in_byte_end, "IN port=10 size=1 count=1",
	       0xffffffffffffff11, "IN AL");
	in_one(in_word, in_word_end, "IN port=10 size=2 count=1",
	       0xffffffffffff2211, "IN AX");
	/* A 32-bit result clears the upper half, as every 32-bit write. */
	in_one(in_long, in_long_end, "IN port=10 size=4 count=1",
	       0x44332211, "IN EAX");
}

/* The access ends with the next KVM_RUN, whatever that one is for. */
static void completion(void)
{
	struct kvm_regs r;

	guest64(&cpu, in_byte);
	is(vcpu_run(&cpu), "IN port=10 size=1 count=1", "IN");
	*(u8 *)io_data(&cpu) = 0x77;
	cpu.run->immediate_exit = 1;
	is(vcpu_run(&cpu), "EINTR", "  completed by immediate_exit");
	cpu.run->immediate_exit = 0;
	r = get_regs(&cpu);
	is_hex(r.rax, 0x77, "  RAX");
	is_hex(r.rip, GUEST_CODE + 2, "  RIP");
	is(vcpu_run(&cpu), "HLT", "  then");

	guest32(&cpu, out_sizes);
	vcpu_run(&cpu);
	cpu.run->immediate_exit = 1;
	is(vcpu_run(&cpu), "EINTR", "OUT completed by immediate_exit");
	cpu.run->immediate_exit = 0;
	is_hex(get_regs(&cpu).rip, GUEST_CODE + 12, "  RIP");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=1122",
	   "  the next OUT");

	/* A program that moves RIP (a reset) gets what it asked for. */
	guest64(&cpu, in_byte);
	vcpu_run(&cpu);
	*(u8 *)io_data(&cpu) = 0x77;
	r = get_regs(&cpu);
	r.rip = GUEST_CODE + 2;
	r.rax = 0x55;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), "HLT", "IN, then RIP moved to HLT");
	r = get_regs(&cpu);
	is_hex(r.rip, GUEST_CODE + 3, "  RIP");
	is_hex(r.rax, 0x55, "  RAX");
	guest32(&cpu, out_sizes);
	vcpu_run(&cpu);
	r = get_regs(&cpu);
	r.rip = GUEST_CODE + out_sizes_end - out_sizes - 1;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), "HLT", "OUT, then RIP moved to HLT");
}

GUEST32(rep_outsb32, "rep outsb; hlt");
GUEST32(rep_outsw32, "rep outsw; hlt");
GUEST32(rep_outsl32, "rep outsl; hlt");
GUEST64(rep_outsb64, "rep outsb; hlt");
GUEST64(rep_outsb64_fs, "fs rep outsb; hlt");
GUEST64(rep_outsb64_a32, "addr32 rep outsb; hlt");
GUEST16(rep_outsb16, "rep outsb; hlt");
GUEST16(rep_outsb16_es, "es rep outsb; hlt");
GUEST16(rep_outsb16_a32, "addr32 rep outsb; hlt");
GUEST32(outsb32, "outsb; outsb; hlt");

/* REP prefix, perhaps others, and the instruction, before HLT. */
static void string_regs(u64 cx, u64 address, bool backwards)
{
	struct kvm_regs r = get_regs(&cpu);

	r.rcx = cx;
	r.rsi = address;
	r.rdi = address;
	r.rdx = PORT;
	if (backwards)
		r.rflags |= FLAG_DF;
	set_regs(&cpu, &r);
}

static void after_string(u64 cx, u64 si, u64 di)
{
	struct kvm_regs r = get_regs(&cpu);

	is_hex(r.rcx, cx, "  RCX");
	is_hex(r.rsi, si, "  RSI");
	is_hex(r.rdi, di, "  RDI");
}

static void outs(void)
{
	const u32 at = GUEST_DATA;
	u32 a, b, c, d;
	u8 big[5000];
	size_t i;

	for (i = 0; i < sizeof(big); i++)
		big[i] = i * 7 + (i >> 8);

	guest32(&cpu, rep_outsb32);
	put(at, "hello", 5);
	string_regs(5, at, false);
	is(collect(), "HLT", "REP OUTSB");
	is_transferred("hello", 5, "  bytes");
	after_string(0, at + 5, at);

	guest32(&cpu, rep_outsb32);
	string_regs(0, at, false);
	is(collect(), "HLT", "REP OUTSB with a count of 0");
	is_transferred("", 0, "  nothing");
	after_string(0, at, at);

	guest32(&cpu, outsb32);
	put(at, "ab", 2);
	string_regs(7, at, false);
	is(collect(), "HLT", "OUTSB twice, without REP");
	is_transferred("ab", 2, "  bytes");
	after_string(7, at + 2, at);

	guest32(&cpu, rep_outsw32);
	put(at, "abcdef", 6);
	string_regs(3, at, false);
	is(collect(), "HLT", "REP OUTSW");
	is_hex(transferred_size, 6, "  bytes");
	is_transferred("abcdef", 6, "  words in order");
	after_string(0, at + 6, at);

	guest32(&cpu, rep_outsl32);
	put(at + 1, "abcdefghijkl", 12);
	string_regs(3, at + 1, false);
	is(collect(), "HLT", "REP OUTSD, not aligned");
	is_transferred("abcdefghijkl", 12, "  double words in order");

	guest32(&cpu, rep_outsw32);
	put(at, "abcdef", 6);
	string_regs(3, at + 4, true);
	is(collect(), "HLT", "REP OUTSW backwards");
	is_transferred("efcdab", 6, "  words");
	after_string(0, at - 2, at + 4);

	guest32(&cpu, rep_outsb32);
	put(at, big, sizeof(big));
	string_regs(sizeof(big), at, false);
	is(collect(), "HLT", "REP OUTSB over page boundaries");
	is_transferred(big, sizeof(big), "  bytes");

	guest32(&cpu, rep_outsl32);
	put(at + PAGE_SIZE - 2, "wxyz", 4);
	string_regs(1, at + PAGE_SIZE - 2, false);
	is(collect(), "HLT", "OUTSD half in one page, half in the next");
	is_transferred("wxyz", 4, "  bytes");

	guest64(&cpu, rep_outsb64);
	put(at, "long", 4);
	string_regs(4, at, false);
	is(collect(), "HLT", "REP OUTSB in long mode");
	is_transferred("long", 4, "  bytes");
	after_string(0, at + 4, at);

	guest64(&cpu, rep_outsb64);
	put(at, "huge", 4);
	*(u64 *)(vm.mem + GUEST_PDPT + 8) = 0x83;
	string_regs(4, 0x40000000 + at, false);
	__cpuid(0x80000001, a, b, c, d);
	if (d & CPUID_PAGE1GB) {
		is(collect(), "HLT", "REP OUTSB from a page of 1 GiB");
		is_transferred("huge", 4, "  bytes");
	} else {
		skip("this machine has none", "REP OUTSB from a page of 1 GiB");
	}
}

static void outs_addresses(void)
{
	const u32 at = GUEST_DATA;
	struct kvm_sregs s;

	guest64(&cpu, rep_outsb64_fs);
	s = get_sregs(&cpu);
	s.fs.base = at;
	set_sregs(&cpu, &s);
	put(at + 0x100, "fs", 2);
	string_regs(2, 0x100, false);
	is(collect(), "HLT", "FS: REP OUTSB in long mode");
	is_transferred("fs", 2, "  bytes");

	guest64(&cpu, rep_outsb64_a32);
	put(at, "a32", 3);
	string_regs(0xffffffff00000003, 0xffffffff00000000 | at, false);
	is(collect(), "HLT", "REP OUTSB with 32-bit addresses in long mode");
	is_transferred("a32", 3, "  bytes");
	/* Registers of the address size are used and written. */
	after_string(0, at + 3, 0xffffffff00000000 | at);

	guest16(&cpu, rep_outsb16);
	put(at, "real", 4);
	string_regs(4, at, false);
	is(collect(), "HLT", "REP OUTSB in real mode");
	is_transferred("real", 4, "  bytes");
	after_string(0, at + 4, at);

	guest16(&cpu, rep_outsb16);
	put(0xfffe, "wr", 2);
	put(0, "ap", 2);
	string_regs(0xabcd0004, 0x1234fffe, false);
	is(collect(), "HLT", "REP OUTSB, SI wraps at 64 KiB");
	is_transferred("wrap", 4, "  bytes");
	after_string(0xabcd0000, 0x12340002, 0x1234fffe);

	guest16(&cpu, rep_outsb16_es);
	s = get_sregs(&cpu);
	s.es.base = 0xb000;
	s.es.selector = 0xb00;
	set_sregs(&cpu, &s);
	put(0xb010, "es", 2);
	string_regs(2, 0x10, false);
	is(collect(), "HLT", "ES: REP OUTSB in real mode");
	is_transferred("es", 2, "  bytes");

	guest16(&cpu, rep_outsb16_a32);
	put(at, "esi", 3);
	string_regs(3, at, false);
	is(collect(), "HLT", "REP OUTSB with 32-bit addresses in real mode");
	is_transferred("esi", 3, "  bytes");
}

GUEST32(rep_insb32, "rep insb; hlt");
GUEST32(rep_insw32, "rep insw; hlt");
GUEST32(rep_insl32, "rep insl; hlt");
GUEST64(rep_insb64, "rep insb; hlt");
GUEST16(rep_insb16, "rep insb; hlt");
GUEST16(rep_insw16, "rep insw; hlt");
GUEST32(insb32, "insb; insb; hlt");

static void is_input(u32 gpa, size_t size)
{
	bool pass = transferred_size == size &&
		    !memcmp(vm.mem + gpa, transferred, size);

	ok(pass, "  what was read is in memory: %zu bytes", transferred_size);
	diag("  %d exits", exits);
}

/* The offset wraps in the middle of a page: the next word is 64 KiB away. */
static void ins_wraps_in_page(void)
{
	const bool kvm = !strcmp(vm.device, "/dev/kvm");
	const u32 base = 0x10800;
	struct kvm_sregs s;

	guest16(&cpu, rep_insw16);
	s = get_sregs(&cpu);
	s.es.base = base;
	s.es.selector = base >> 4;
	set_sregs(&cpu, &s);
	string_regs(2, 0, true);
	is(feed(), "HLT", "REP INSW backwards, DI wraps below 0");
	is_hex(vm.mem[base] << 8 | vm.mem[base + 1], 0x0102, "  the first word");
	is_hex(vm.mem[base + 0xfffe] << 8 | vm.mem[base + 0xffff], 0x0304, "  the second");
	is_hex(vm.mem[base - 2], 0, "  nothing below the segment");
	after_string(0, 0, 0xfffc);

	guest16(&cpu, rep_insw16);
	memset(vm.mem + base, 0, 0x11000);
	s = get_sregs(&cpu);
	s.es.base = base;
	s.es.selector = base >> 4;
	s.es.limit = 0xffffffff;
	s.es.g = 1;
	set_sregs(&cpu, &s);
	string_regs(2, 0xfffe, false);
	is(feed(), "HLT", "REP INSW, DI wraps in a segment of 4 GiB");
	is_hex(vm.mem[base + 0xfffe] << 8 | vm.mem[base + 0xffff], 0x0102, "  the first word");
	/* KVM does not let it wrap. */
	is_hex(vm.mem[base] << 8 | vm.mem[base + 1], kvm ? 0 : 0x0304,
	       "  the second, after the wrap");
	is_hex(vm.mem[base + 0x10000], kvm ? 3 : 0, "  nothing above 64 KiB");
	after_string(0, 0xfffe, 2);

	guest32(&cpu, rep_insw32);
	memset(vm.mem + GUEST_DATA, 0, PAGE_SIZE);
	string_regs(300, GUEST_DATA + 700, true);
	is(feed(), "HLT", "REP INSW backwards, 300 words");
	is_hex(vm.mem[GUEST_DATA + 700] << 8 | vm.mem[GUEST_DATA + 701], 0x0102, "  the first");
	is_hex(vm.mem[GUEST_DATA + 102] << 8 | vm.mem[GUEST_DATA + 103], 0x5758, "  the last");
	is_hex(vm.mem[GUEST_DATA + 101] | vm.mem[GUEST_DATA + 702], 0, "  and nothing else");
	after_string(0, GUEST_DATA + 700, GUEST_DATA + 100);
}

static void ins(void)
{
	const u32 at = GUEST_DATA;

	guest32(&cpu, rep_insb32);
	string_regs(5, at, false);
	is(feed(), "HLT", "REP INSB");
	is_input(at, 5);
	is_hex(vm.mem[at + 5], 0, "  and nothing behind");
	after_string(0, at, at + 5);

	guest32(&cpu, rep_insb32);
	string_regs(0, at, false);
	is(feed(), "HLT", "REP INSB with a count of 0");
	is_input(at, 0);

	guest32(&cpu, insb32);
	string_regs(7, at, false);
	is(feed(), "HLT", "INSB twice, without REP");
	is_input(at, 2);
	after_string(7, at, at + 2);

	guest32(&cpu, rep_insw32);
	string_regs(3000, at + 1, false);
	is(feed(), "HLT", "REP INSW over page boundaries");
	is_input(at + 1, 6000);
	after_string(0, at + 1, at + 6001);

	guest32(&cpu, rep_insl32);
	string_regs(2, at + PAGE_SIZE - 6, false);
	is(feed(), "HLT", "REP INSD, half in one page, half in the next");
	is_input(at + PAGE_SIZE - 6, 8);

	guest32(&cpu, rep_insb32);
	string_regs(3, at + 2, true);
	is(feed(), "HLT", "REP INSB backwards");
	is_hex(vm.mem[at] << 16 | vm.mem[at + 1] << 8 | vm.mem[at + 2],
	       0x030201, "  bytes");
	after_string(0, at + 2, at - 1);

	guest64(&cpu, rep_insb64);
	string_regs(4, at, false);
	is(feed(), "HLT", "REP INSB in long mode");
	is_input(at, 4);

	guest16(&cpu, rep_insb16);
	string_regs(0xabcd0004, 0x1234fffe, false);
	is(feed(), "HLT", "REP INSB, DI wraps at 64 KiB");
	is_hex(vm.mem[0xfffe] << 24 | vm.mem[0xffff] << 16 |
	       vm.mem[0] << 8 | vm.mem[1], 0x01020304, "  bytes");
	after_string(0xabcd0000, 0x1234fffe, 0x12340002);
	ins_wraps_in_page();
}

/* Takes the page that holds @gpa out of the guest's page tables. */
static void unmap_page(u32 gpa)
{
	const u32 table = 0xf000;
	u64 entry;
	int i;

	for (i = 0; i < 512; i++) {
		entry = i == (int)(gpa >> 12) ? 0 : (u64)i << 12 | 7;
		memcpy(vm.mem + table + 8 * i, &entry, 8);
	}
	entry = table | 7;
	memcpy(vm.mem + GUEST_PD, &entry, 8);
}

static void faults(void)
{
	const u32 at = GUEST_DATA;
	struct kvm_sregs s;

	guest32(&cpu, rep_outsb32);
	s = get_sregs(&cpu);
	s.ds.limit = 0xfff;
	s.ds.g = 0;
	set_sregs(&cpu, &s);
	string_regs(1, 0x1000, false);
	is(collect(), "trap 13 error=0 at +0", "OUTSB past DS's limit");

	guest32(&cpu, rep_outsb32);
	s = get_sregs(&cpu);
	s.ds.unusable = 1;
	s.ds.selector = 0;
	set_sregs(&cpu, &s);
	string_regs(1, at, false);
	is(collect(), "trap 13 error=0 at +0", "OUTSB with a null DS");

	guest64(&cpu, rep_outsb64);
	string_regs(1, 1ull << 63, false);
	is(collect(), "trap 13 error=0 at +0",
	   "OUTSB from an address that is not canonical");

	guest64(&cpu, rep_outsb64);
	unmap_page(at + PAGE_SIZE);
	put(at + PAGE_SIZE - 4, "edge", 4);
	string_regs(8, at + PAGE_SIZE - 4, false);
	is(collect(), "trap 14 error=0 at +0",
	   "REP OUTSB into a page that is not present");
	is_transferred("edge", 4, "  what came before it");
	after_string(4, at + PAGE_SIZE, at + PAGE_SIZE - 4);
	is_hex(get_sregs(&cpu).cr2, at + PAGE_SIZE, "  CR2");

	guest64(&cpu, rep_insb64);
	unmap_page(at);
	string_regs(1, at, false);
	is(feed(), "trap 14 error=0x2 at +0",
	   "INSB into a page that is not present");
	is_hex(get_sregs(&cpu).cr2, at, "  CR2");
	after_string(1, at, at);
}

GUEST32(user_out, "out %al, $0x10; hlt");
GUEST32(user_out_word, "out %ax, $0x10; hlt");

static void permission(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest32(&cpu, user_out);
	guest_user(&cpu);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00",
	   "ring 3: OUT to a port that the TSS allows");
	is(vcpu_run(&cpu), "trap 13 error=0 at +2", "ring 3: HLT");

	guest32(&cpu, user_out);
	guest_user(&cpu);
	vm.mem[GUEST_TSS + 0x68 + PORT / 8] = 1 << PORT % 8;
	is(vcpu_run(&cpu), "trap 13 error=0 at +0",
	   "ring 3: OUT to a port that the TSS denies");

	guest32(&cpu, user_out_word);
	guest_user(&cpu);
	vm.mem[GUEST_TSS + 0x68 + PORT / 8] = 2 << PORT % 8;
	is(vcpu_run(&cpu), "trap 13 error=0 at +0",
	   "ring 3: OUT of a word whose second port is denied");

	guest32(&cpu, user_out);
	guest_user(&cpu);
	s = get_sregs(&cpu);
	s.tr.limit = 0x67;
	set_sregs(&cpu, &s);
	is(vcpu_run(&cpu), "trap 13 error=0 at +0",
	   "ring 3: OUT with a TSS that has no bitmap");

	guest32(&cpu, user_out);
	guest_user(&cpu);
	vm.mem[GUEST_TSS + 0x68 + PORT / 8] = 0xff;
	r = get_regs(&cpu);
	r.rflags |= 3 << 12;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00",
	   "ring 3: OUT to a denied port with IOPL 3");

	guest32(&cpu, rep_outsb32);
	guest_user(&cpu);
	vm.mem[GUEST_TSS + 0x68 + PORT / 8] = 0xff;
	string_regs(1, GUEST_DATA, false);
	is(collect(), "trap 13 error=0 at +0",
	   "ring 3: OUTSB to a denied port");

	guest32(&cpu, rep_outsb32);
	guest_user(&cpu);
	put(GUEST_DATA, "usr", 3);
	string_regs(3, GUEST_DATA, false);
	is(collect(), "trap 13 error=0 at +2",
	   "ring 3: REP OUTSB to an allowed port, then HLT");
	is_transferred("usr", 3, "  bytes");
}

GUEST16(real_io,
	"mov $0x1234, %ax; out %al, $0x10; out %ax, $0x10\n"
	"out %eax, $0x10; in $0x11, %al; out %al, $0x12; hlt");

static void real_mode(void)
{
	guest16(&cpu, real_io);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=34",
	   "real mode: OUT AL");
	is(vcpu_run(&cpu), "OUT port=10 size=2 count=1 data=3412",
	   "real mode: OUT AX");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=34120000",
	   "real mode: OUT EAX");
	is(vcpu_run(&cpu), "IN port=11 size=1 count=1", "real mode: IN AL");
	*(u8 *)io_data(&cpu) = 0x99;
	is(vcpu_run(&cpu), "OUT port=12 size=1 count=1 data=99",
	   "real mode: what was read");
	is(vcpu_run(&cpu), "HLT", "real mode: HLT");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		bail("usage: %s DEVICE", argv[0]);
	watchdog(60);
	vm_open(&vm, argv[1], 1 << 20);
	vcpu_open(&cpu, &vm, 0);

	out_sizes_test();
	in_sizes_test();
	completion();
	outs();
	outs_addresses();
	ins();
	faults();
	permission();
	real_mode();
	return done_testing();
}
