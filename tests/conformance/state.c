// SPDX-License-Identifier: GPL-2.0
/*
 * The calls for a vCPU's state beside registers, FPU and MSRs: good and bad
 * arguments, the state after reset, and that what SET takes GET gives back and
 * the guest finds. Also the system's lists that go with them.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "tap.h"
#include "vm.h"

#ifndef KVM_X86_XCOMP_GUEST_SUPP
#define KVM_X86_XCOMP_GUEST_SUPP 0
#endif

static struct vm vm;
static struct vcpu cpu;

static const char *call(unsigned long cmd, const void *arg)
{
	return errno_text(ioctl(cpu.fd, cmd, arg));
}

static const char *on_system(unsigned long cmd, const void *arg)
{
	return errno_text(ioctl(vm.sys, cmd, arg));
}

static long extension(int cap)
{
	return ioctl(vm.sys, KVM_CHECK_EXTENSION, cap);
}

static void pointers(void)
{
	static const struct {
		const char *name;
		unsigned long cmd;
		size_t size;
		int system;
	} calls[] = {
		{ "KVM_GET_DEBUGREGS", KVM_GET_DEBUGREGS, sizeof(struct kvm_debugregs), 0 },
		{ "KVM_SET_DEBUGREGS", KVM_SET_DEBUGREGS, sizeof(struct kvm_debugregs), 0 },
		{ "KVM_GET_XSAVE", KVM_GET_XSAVE, 4096, 0 },
		{ "KVM_GET_XSAVE2", KVM_GET_XSAVE2, 4096, 0 },
		{ "KVM_SET_XSAVE", KVM_SET_XSAVE, 4096, 0 },
		{ "KVM_GET_XCRS", KVM_GET_XCRS, sizeof(struct kvm_xcrs), 0 },
		{ "KVM_SET_XCRS", KVM_SET_XCRS, sizeof(struct kvm_xcrs), 0 },
		{ "KVM_GET_MP_STATE", KVM_GET_MP_STATE, 4, 0 },
		{ "KVM_SET_MP_STATE", KVM_SET_MP_STATE, 4, 0 },
		{ "KVM_GET_SREGS2", KVM_GET_SREGS2, sizeof(struct kvm_sregs2), 0 },
		{ "KVM_SET_SREGS2", KVM_SET_SREGS2, sizeof(struct kvm_sregs2), 0 },
		{ "KVM_TRANSLATE", KVM_TRANSLATE, sizeof(struct kvm_translation), 0 },
		{ "KVM_ENABLE_CAP on a vCPU", KVM_ENABLE_CAP, sizeof(struct kvm_enable_cap), 0 },
		{ "KVM_X86_SETUP_MCE", KVM_X86_SETUP_MCE, 8, 0 },
		{ "KVM_GET_DEVICE_ATTR on a vCPU", KVM_GET_DEVICE_ATTR,
			sizeof(struct kvm_device_attr), 0 },
		{ "KVM_HAS_DEVICE_ATTR", KVM_HAS_DEVICE_ATTR, sizeof(struct kvm_device_attr), 1 },
		{ "KVM_GET_DEVICE_ATTR", KVM_GET_DEVICE_ATTR, sizeof(struct kvm_device_attr), 1 },
		{ "KVM_GET_MSR_FEATURE_INDEX_LIST", KVM_GET_MSR_FEATURE_INDEX_LIST, 4, 1 },
		{ "KVM_GET_MSRS on the system", KVM_GET_MSRS, 8, 1 },
		{ "KVM_GET_EMULATED_CPUID", KVM_GET_EMULATED_CPUID, 8, 1 },
		{ "KVM_X86_GET_MCE_CAP_SUPPORTED", KVM_X86_GET_MCE_CAP_SUPPORTED, 8, 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		int fd = calls[i].system ? vm.sys : cpu.fd;

		is(errno_text(ioctl(fd, calls[i].cmd, NULL)), "EFAULT", "%s of NULL",
		   calls[i].name);
		is(errno_text(ioctl(fd, calls[i].cmd, short_pointer(calls[i].size - 2))),
		   "EFAULT", "%s of a structure cut off", calls[i].name);
		is(errno_text(ioctl(fd, calls[i].cmd, (void *)-8l)), "EFAULT",
		   "%s of a kernel address", calls[i].name);
	}
}

/* The guest reads DR0, DR3, DR6 and DR7, and says them on a port. */
GUEST64(read_dr,
	"mov %dr0, %rax; out %eax, $0x10\n"
	"mov %dr3, %rax; out %eax, $0x10\n"
	"mov %dr6, %rax; out %eax, $0x10\n"
	"mov %dr7, %rax; out %eax, $0x10\n"
	"hlt");

static void debugregs(void)
{
	struct kvm_debugregs d, e;
	u32 want[4] = { 0x1111, 0x4444, 0xffff0ff5, 0x700 };
	int i;

	is(call(KVM_GET_DEBUGREGS, &d), "0", "KVM_GET_DEBUGREGS");
	is_hex(d.db[0] | d.db[1] | d.db[2] | d.db[3], 0, "  fresh DR0 to DR3");
	is_hex(d.dr6, 0xffff0ff0, "  fresh DR6");
	is_hex(d.dr7, 0x400, "  fresh DR7");
	is_hex(d.flags, 0, "  flags");
	guest64(&cpu, read_dr);
	d.db[0] = 0x1111;
	d.db[1] = 0x2222;
	d.db[2] = 0x3333;
	d.db[3] = 0x4444;
	d.dr6 = 0xffff0ff5;
	d.dr7 = 0x700;
	is(call(KVM_SET_DEBUGREGS, &d), "0", "KVM_SET_DEBUGREGS");
	call(KVM_GET_DEBUGREGS, &e);
	is_hex(memcmp(&d, &e, sizeof(d)), 0, "  GET gives what SET took");
	for (i = 0; i < 4; i++) {
		vcpu_run(&cpu);
		is_hex(*(u32 *)io_data(&cpu), want[i], "  the guest reads it, %d", i);
	}
	d.flags = 1;
	is(call(KVM_SET_DEBUGREGS, &d), "EINVAL", "KVM_SET_DEBUGREGS with a flag");
	d.flags = 0;
	d.dr6 |= 1ull << 32;
	is(call(KVM_SET_DEBUGREGS, &d), "EINVAL", "KVM_SET_DEBUGREGS, DR6 above 32 bits");
	d.dr6 = 0xffff0ff0;
	d.dr7 |= 1ull << 63;
	is(call(KVM_SET_DEBUGREGS, &d), "EINVAL", "KVM_SET_DEBUGREGS, DR7 above 32 bits");
	d.dr7 = 0x400;
	memset(d.db, 0, sizeof(d.db));
	call(KVM_SET_DEBUGREGS, &d);
}

GUEST64(use_xmm,
	"movd %xmm5, %eax; out %eax, $0x10\n"
	"mov $0x600df00d, %eax; movd %eax, %xmm5\n"
	"fninit; fld1\n"
	"out %eax, $0x11\n"
	"hlt");

#define XSTATE_BV	(512 / 4)

static void xsave(void)
{
	static u32 area[1024], back[1024];
	long size = extension(KVM_CAP_XSAVE2);
	bool has_xsave = extension(KVM_CAP_XCRS) > 0;

	is_hex(size, 4096, "KVM_CAP_XSAVE2");
	guest64(&cpu, use_xmm);
	memset(area, 0xaa, sizeof(area));
	is(call(KVM_GET_XSAVE, area), "0", "KVM_GET_XSAVE");
	is_hex(area[0] & 0xffff, 0x37f, "  fresh FCW");
	is_hex(area[6], 0x1f80, "  fresh MXCSR");
	is_hex(area[XSTATE_BV + 1] | area[XSTATE_BV + 2] | area[XSTATE_BV + 3], 0,
	       "  the header's other words");

	area[XSTATE_BV] = 3;
	area[160 / 4 + 5 * 4] = 0xcafe1234;
	is(call(KVM_SET_XSAVE, area), "0", "KVM_SET_XSAVE");
	memset(back, 0xaa, sizeof(back));
	is(call(KVM_GET_XSAVE2, back), "0", "KVM_GET_XSAVE2");
	is_hex(back[160 / 4 + 5 * 4], 0xcafe1234, "  gives XMM5 back");
	vcpu_run(&cpu);
	is_hex(*(u32 *)io_data(&cpu), 0xcafe1234, "  the guest has it in XMM5");
	is(vcpu_run(&cpu), "OUT port=11 size=4 count=1 data=0df00d60", "  and sets it");
	call(KVM_GET_XSAVE, back);
	is_hex(back[160 / 4 + 5 * 4], 0x600df00d, "  which GET finds");
	is_hex(back[32 / 4 + 2] << 16 | back[32 / 4 + 1] >> 16, 0x3fff8000,
	       "  with 1.0 on top of the x87 stack");
	is_hex(back[XSTATE_BV] & 3, 3, "  XSTATE_BV has x87 and SSE");

	area[6] |= 1u << 31;
	is(call(KVM_SET_XSAVE, area), "EINVAL", "KVM_SET_XSAVE, a reserved bit of MXCSR");
	area[6] = 0x1f80;
	area[XSTATE_BV + 1] = 1u << 31;
	is(call(KVM_SET_XSAVE, area), "EINVAL", "KVM_SET_XSAVE, bit 63 of XSTATE_BV");
	area[XSTATE_BV + 1] = 0;
	area[XSTATE_BV] = 3 | 1 << 19;
	is(call(KVM_SET_XSAVE, area), "EINVAL", "KVM_SET_XSAVE, an unknown component");
	area[XSTATE_BV] = 3;
	area[XSTATE_BV + 3] = 1u << 31;
	is(call(KVM_SET_XSAVE, area), has_xsave ? "EINVAL" : "0",
	   "KVM_SET_XSAVE in compacted format");
	area[XSTATE_BV + 3] = 0;
	area[XSTATE_BV + 5] = 1;
	is(call(KVM_SET_XSAVE, area), has_xsave ? "EINVAL" : "0",
	   "KVM_SET_XSAVE, a reserved byte of the header");
	area[XSTATE_BV + 5] = 0;
	if (has_xsave) {
		area[XSTATE_BV] = 0;
		is(call(KVM_SET_XSAVE, area), "0", "KVM_SET_XSAVE of nothing");
		call(KVM_GET_XSAVE, back);
		is_hex(back[160 / 4 + 5 * 4], 0, "  initialises XMM5");
		is_hex(back[0] & 0xffff, 0x37f, "  and FCW");
	}
}

static void xcrs(void)
{
	struct kvm_xcrs x = { }, y;
	bool has_xsave = extension(KVM_CAP_XCRS) > 0;
	struct kvm_cpuid2 *cpuid = supported_cpuid(&vm);
	u64 supp = 0;

	is(call(KVM_GET_XCRS, &x), "0", "KVM_GET_XCRS");
	is_hex(x.nr_xcrs, has_xsave, "  how many");
	if (!has_xsave) {
		is(call(KVM_SET_XCRS, &x), "EINVAL", "KVM_SET_XCRS without XSAVE");
		free(cpuid);
		return;
	}
	is_hex(x.xcrs[0].xcr, 0, "  XCR0");
	is_hex(x.xcrs[0].value, 1, "  fresh XCR0");
	x.xcrs[0].value = 3;
	is(call(KVM_SET_XCRS, &x), "EINVAL", "KVM_SET_XCRS, SSE that CPUID does not show");
	is(call(KVM_SET_CPUID2, cpuid), "0", "KVM_SET_CPUID2");
	free(cpuid);
	is(call(KVM_SET_XCRS, &x), "0", "KVM_SET_XCRS, SSE");
	call(KVM_GET_XCRS, &y);
	is_hex(y.xcrs[0].value, 3, "  GET gives it back");
	x.xcrs[0].value = 5;
	is(call(KVM_SET_XCRS, &x), "EINVAL", "KVM_SET_XCRS, AVX without SSE");
	x.xcrs[0].value = 2;
	is(call(KVM_SET_XCRS, &x), "EINVAL", "KVM_SET_XCRS without x87");
	x.xcrs[0].value = 3 | 1ull << 62;
	is(call(KVM_SET_XCRS, &x), "EINVAL", "KVM_SET_XCRS, an unknown component");
	x.xcrs[0].value = 3;
	x.xcrs[0].xcr = 1;
	is(call(KVM_SET_XCRS, &x), "0", "KVM_SET_XCRS of another register");
	x.flags = 1;
	is(call(KVM_SET_XCRS, &x), "EINVAL", "KVM_SET_XCRS with a flag");
	x.flags = 0;
	x.nr_xcrs = 17;
	is(call(KVM_SET_XCRS, &x), "EINVAL", "KVM_SET_XCRS of 17 registers");
	x.nr_xcrs = 1;
	x.xcrs[0].xcr = 0;
	x.xcrs[0].value = 1;
	call(KVM_SET_XCRS, &x);

	is(on_system(KVM_GET_DEVICE_ATTR, &(struct kvm_device_attr){
		.attr = KVM_X86_XCOMP_GUEST_SUPP, .addr = (uintptr_t)&supp }), "0",
	   "KVM_X86_XCOMP_GUEST_SUPP");
	is_hex(supp & 7, 7, "  has x87, SSE and AVX");
}

static void mp_state(void)
{
	struct kvm_mp_state m = { .mp_state = 77 };
	u32 i;

	is(call(KVM_GET_MP_STATE, &m), "0", "KVM_GET_MP_STATE");
	is_hex(m.mp_state, KVM_MP_STATE_RUNNABLE, "  runnable");
	for (i = 0; i < 12; i++) {
		m.mp_state = i;
		is(call(KVM_SET_MP_STATE, &m), i ? "EINVAL" : "0",
		   "KVM_SET_MP_STATE %u without interrupt controller", i);
	}
}

GUEST32(say, "1: out %eax, $0x10; jmp 1b");

static void sregs2(void)
{
	struct kvm_sregs2 s, t;
	struct kvm_sregs old;
	u64 pdpt = 0xc000 | 1;

	guest32(&cpu, say);
	old = get_sregs(&cpu);
	memset(&s, 0xaa, sizeof(s));
	is(call(KVM_GET_SREGS2, &s), "0", "KVM_GET_SREGS2");
	is_hex(memcmp(&s, &old, offsetof(struct kvm_sregs, interrupt_bitmap)), 0,
	       "  is what KVM_GET_SREGS says");
	is_hex(s.flags, 0, "  without PDPTEs");
	is_hex(s.pdptrs[0] | s.pdptrs[1] | s.pdptrs[2] | s.pdptrs[3], 0, "  all 0");
	s.flags = 2;
	is(call(KVM_SET_SREGS2, &s), "EINVAL", "KVM_SET_SREGS2, an unknown flag");
	s.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	is(call(KVM_SET_SREGS2, &s), "EINVAL", "KVM_SET_SREGS2, PDPTEs without PAE");

	/*
	 * PAE paging: one page directory at 0xc000 with one 2 MiB page. The
	 * table in memory is empty: the guest runs with what SET gave.
	 */
	*(u64 *)(vm.mem + 0xc000) = 0x83;
	s.cr3 = 0xb000;
	s.cr4 |= CR4_PAE;
	s.cr0 |= CR0_PG;
	s.pdptrs[0] = pdpt;
	memset(s.pdptrs + 1, 0, 3 * sizeof(s.pdptrs[0]));
	is(call(KVM_SET_SREGS2, &s), "0", "KVM_SET_SREGS2 with PDPTEs");
	memset(&t, 0xaa, sizeof(t));
	call(KVM_GET_SREGS2, &t);
	is_hex(t.flags, KVM_SREGS2_FLAGS_PDPTRS_VALID, "  GET has them too");
	is_hex(t.pdptrs[0], pdpt, "  the first");
	is_hex(t.pdptrs[1] | t.pdptrs[2] | t.pdptrs[3], 0, "  and the others");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=00000000", "  the guest runs");

	/* Without the flag they come from memory. */
	*(u64 *)(vm.mem + 0xb000) = 0xd001;
	*(u64 *)(vm.mem + 0xd000) = 0x83;
	s.flags = 0;
	is(call(KVM_SET_SREGS2, &s), "0", "KVM_SET_SREGS2 without PDPTEs");
	call(KVM_GET_SREGS2, &t);
	is_hex(t.pdptrs[0], 0xd001, "  reads them from memory");
	is(vcpu_run(&cpu), "OUT port=10 size=4 count=1 data=00000000", "  the guest runs");
	s.cr4 |= 1ull << 40;
	is(call(KVM_SET_SREGS2, &s), "EINVAL", "KVM_SET_SREGS2, a reserved bit of CR4");
	s.cr4 &= ~(1ull << 40);

	s.cr8 = 5;
	is(call(KVM_SET_SREGS2, &s), "0", "KVM_SET_SREGS2 with CR8");
	s.cr8 = 0x13;
	is(call(KVM_SET_SREGS2, &s), "0", "KVM_SET_SREGS2, reserved bits of CR8");
	is_hex(get_sregs(&cpu).cr8, 5, "  are not taken: CR8 is as before");
	s.cr8 = 0;
	call(KVM_SET_SREGS2, &s);
}

static void tsc_khz(void)
{
	int khz = ioctl(cpu.fd, KVM_GET_TSC_KHZ, 0);
	int of_vm = ioctl(vm.fd, KVM_GET_TSC_KHZ, 0);
	bool control = extension(KVM_CAP_TSC_CONTROL) > 0;

	ok(khz > 1000, "KVM_GET_TSC_KHZ");
	is_hex(of_vm == khz, 1, "  the VM's is the same");
	is(call(KVM_SET_TSC_KHZ, (void *)(long)khz), "0", "KVM_SET_TSC_KHZ of the same");
	is(call(KVM_SET_TSC_KHZ, (void *)(long)(khz + khz / 10000)), "0",
	   "KVM_SET_TSC_KHZ, 100 ppm more");
	is_hex(ioctl(cpu.fd, KVM_GET_TSC_KHZ, 0) == khz + khz / 10000, 1, "  is told");
	is(call(KVM_SET_TSC_KHZ, 0), "0", "KVM_SET_TSC_KHZ of 0");
	is_hex(ioctl(cpu.fd, KVM_GET_TSC_KHZ, 0) == khz, 1, "  is the host's");
	ok(!strcmp(call(KVM_SET_TSC_KHZ, (void *)(long)(khz / 2)),
		   control ? "0" : "EINVAL"),
	   "KVM_SET_TSC_KHZ of the half agrees with KVM_CAP_TSC_CONTROL");
	call(KVM_SET_TSC_KHZ, 0);
	is(errno_text(ioctl(vm.fd, KVM_SET_TSC_KHZ, 0)), "0", "KVM_SET_TSC_KHZ on the VM");
}

static void offset(void)
{
	u64 value = 0, back = 0;
	struct kvm_device_attr a = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&value,
	};

	is(call(KVM_HAS_DEVICE_ATTR, &a), "0", "the vCPU has a TSC offset");
	is(call(KVM_GET_DEVICE_ATTR, &a), "0", "  which can be read");
	value -= 1ull << 40;
	is(call(KVM_SET_DEVICE_ATTR, &a), "0", "  and set");
	a.addr = (uintptr_t)&back;
	call(KVM_GET_DEVICE_ATTR, &a);
	is_hex(back == value, 1, "  it is what was set");
	a.addr = 8;
	is(call(KVM_GET_DEVICE_ATTR, &a), "EFAULT", "  GET to a bad address");
	is(call(KVM_SET_DEVICE_ATTR, &a), "EFAULT", "  SET from a bad address");
	a.attr = 1;
	a.addr = (uintptr_t)&back;
	is(call(KVM_HAS_DEVICE_ATTR, &a), "ENXIO", "another attribute");
	is(call(KVM_GET_DEVICE_ATTR, &a), "ENXIO", "  to read");
	a.attr = 0;
	a.group = 9;
	is(call(KVM_HAS_DEVICE_ATTR, &a), "ENXIO", "another group");
}

static void translation(const char *name, u64 linear, u64 want)
{
	struct kvm_translation t = { .linear_address = linear, .usermode = 7 };

	is(call(KVM_TRANSLATE, &t), "0", "KVM_TRANSLATE, %s", name);
	is_hex(t.physical_address, want, "  physical address");
	is_hex(t.valid, want != ~0ull, "  valid");
	is_hex(t.writeable, 1, "  writeable, always");
	is_hex(t.usermode, 0, "  usermode, never");
	is_hex(t.linear_address, linear, "  linear address untouched");
}

GUEST64(nothing, "hlt");

static void translate(void)
{
	guest32(&cpu, say);
	translation("paging off", 0x12345, 0x12345);
	guest64(&cpu, nothing);
	*(u64 *)(vm.mem + GUEST_PD + 8 * 5) = 0x200000 | 0x83;
	*(u64 *)(vm.mem + GUEST_PD + 8 * 6) = 0;
	*(u64 *)(vm.mem + GUEST_PD + 8 * 7) = 0x100000000 | 0x7;
	translation("a 2 MiB page", 0xa12345, 0x212345);
	translation("a page that is not there", 0xc00000, ~0ull);
	translation("a table outside of memory", 0xe00000, ~0ull);
	translation("no entry in the first table", 1ull << 40, ~0ull);
}

static void lists(void)
{
	struct {
		struct kvm_msr_list head;
		u32 indices[200];
	} list = { };
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e[3];
	} m = { };
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 e[256];
	} *c = calloc(1, sizeof(*c));
	struct kvm_device_attr a = { };
	u32 n, i, revision = 0;
	u64 cap = 0;

	is(on_system(KVM_GET_MSR_FEATURE_INDEX_LIST, &list), "E2BIG",
	   "KVM_GET_MSR_FEATURE_INDEX_LIST with room for 0");
	n = list.head.nmsrs;
	ok(n > 0 && n < 200, "  writes the count back");
	is(on_system(KVM_GET_MSR_FEATURE_INDEX_LIST, &list), "0", "  with room for all");
	for (i = 0; i < n; i++)
		revision |= list.indices[i] == 0x8b;
	is_hex(revision, 1, "  IA32_BIOS_SIGN_ID is there");
	m.head.nmsrs = 2;
	m.e[0].index = 0x8b;
	m.e[1].index = 0x12345678;
	is_hex(ioctl(vm.sys, KVM_GET_MSRS, &m), 1, "KVM_GET_MSRS stops at the unknown one");
	m.head.nmsrs = 256;
	is(on_system(KVM_GET_MSRS, &m), "E2BIG", "KVM_GET_MSRS of 256");
	for (i = 0; i < n; i++) {
		m.head.nmsrs = 1;
		m.e[0].index = list.indices[i];
		if (ioctl(vm.sys, KVM_GET_MSRS, &m) != 1)
			break;
	}
	is_hex(i == n, 1, "each of the list can be read");

	is(on_system(KVM_GET_EMULATED_CPUID, c), "E2BIG", "KVM_GET_EMULATED_CPUID, no room");
	c->head.nent = 2;
	is(on_system(KVM_GET_EMULATED_CPUID, c), "E2BIG", "KVM_GET_EMULATED_CPUID, room for 2");
	c->head.nent = 256;
	c->e[255].padding[2] = 1;
	is(on_system(KVM_GET_EMULATED_CPUID, c), "EINVAL", "KVM_GET_EMULATED_CPUID, padding");
	c->e[255].padding[2] = 0;
	is(on_system(KVM_GET_EMULATED_CPUID, c), "0", "KVM_GET_EMULATED_CPUID");
	is_hex(c->head.nent, 3, "  has so many leaves");
	for (i = 0; i < c->head.nent; i++)
		is_hex(c->e[i].function, i == 2 ? 7 : i, "  leaf");
	free(c);

	is(on_system(KVM_HAS_DEVICE_ATTR, &a), "0", "the system's attribute 0");
	a.addr = 8;
	is(on_system(KVM_GET_DEVICE_ATTR, &a), "EFAULT", "  to a bad address");
	a.attr = 5;
	is(on_system(KVM_HAS_DEVICE_ATTR, &a), "ENXIO", "attribute 5");
	is(on_system(KVM_GET_DEVICE_ATTR, &a), "ENXIO", "  to read");
	a.attr = 0;
	a.group = 1;
	is(on_system(KVM_HAS_DEVICE_ATTR, &a), "ENXIO", "group 1");
	is(on_system(KVM_GET_DEVICE_ATTR, &a), "ENXIO", "  to read");

	is(on_system(KVM_X86_GET_MCE_CAP_SUPPORTED, &cap), "0", "KVM_X86_GET_MCE_CAP_SUPPORTED");
	is_hex(cap & 0x1000100, 0x1000100, "  has MCG_CTL and software recovery");
}

int main(int argc, char **argv)
{
	vm_open(&vm, argc > 1 ? argv[1] : "/dev/kvm", 2 << 20);
	vcpu_open(&cpu, &vm, 0);
	pointers();
	mp_state();
	debugregs();
	xsave();
	tsc_khz();
	offset();
	sregs2();
	translate();
	lists();
	vcpu_close(&cpu);
	vcpu_open_bare(&cpu, &vm, 1);
	xcrs();
	return done_testing();
}
