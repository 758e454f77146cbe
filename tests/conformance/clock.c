// SPDX-License-Identifier: GPL-2.0
/*
 * kvmclock: its MSRs and pages, KVM_GET_CLOCK and KVM_SET_CLOCK, KVM_KVMCLOCK_CTRL,
 * and that guests are told of it by CPUID.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"
#include "vm.h"

#define WALL_OLD	0x11
#define TIME_OLD	0x12
#define WALL		0x4b564d00
#define TIME		0x4b564d01

#define STABLE		1
#define STOPPED		2
#define TSC_STABLE	2
#define REALTIME	4

#define PAGE_A		0x100000u
#define PAGE_B		0x101000u
#define WALL_AT		0x102000u

/* Linux's Documentation/virt/kvm/x86/msr.rst */
struct page {
	u32 version;
	u32 pad;
	u64 tsc;
	u64 ns;
	u32 multiplier;
	signed char shift;
	unsigned char flags;
	unsigned char pad2[2];
};

struct wall {
	u32 version;
	u32 seconds;
	u32 ns;
};

static struct vm vm;
static struct vcpu cpu, second;

/* Its time, as its TSC has it: what a guest would compute from its page */
GUEST64(ticks, "1: rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, 0x103000\n"
	"out %al, $0x10; jmp 1b\n");

static volatile struct page *page(u32 at)
{
	return (volatile struct page *)((char *)vm.mem + at);
}

static u64 guest_ns(volatile struct page *p)
{
	u64 delta = *(volatile u64 *)((char *)vm.mem + 0x103000) - p->tsc;

	delta = p->shift < 0 ? delta >> -p->shift : delta << p->shift;
	return p->ns + (delta >> 32) * p->multiplier +
	       ((u32)delta * (u64)p->multiplier >> 32);
}

static u64 clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static struct kvm_clock_data get_clock(void)
{
	struct kvm_clock_data data;

	memset(&data, 0xff, sizeof(data));
	if (ioctl(vm.fd, KVM_GET_CLOCK, &data))
		bail("KVM_GET_CLOCK: %s", errno_name(errno));
	return data;
}

static const char *set_clock(u64 ns, u32 flags, u64 realtime)
{
	struct kvm_clock_data data = { .clock = ns, .flags = flags, .realtime = realtime };

	return errno_text(ioctl(vm.fd, KVM_SET_CLOCK, &data));
}

/* One KVM_RUN, with which the page is written if it has to be */
static void run(struct vcpu *c)
{
	if (strncmp(vcpu_run(c), "OUT port=10 size=1 count=1", 26))
		bail("the guest has stopped");
}

/* Is @ns what it should be, when both were read within @slack ms? */
static bool near(u64 ns, u64 want, u64 slack)
{
	u64 off = ns > want ? ns - want : want - ns;

	if (off > slack * 1000000)
		diag("%llu ns off", (unsigned long long)off);
	return off <= slack * 1000000;
}

static void cpuid(void)
{
	struct kvm_cpuid2 *table = supported_cpuid(&vm);
	u32 i, features = 0;
	char name[13] = "";

	for (i = 0; i < table->nent; i++) {
		if (table->entries[i].function == 0x40000000)
			memcpy(name, &table->entries[i].ebx, 12);
		if (table->entries[i].function == 0x40000001)
			features = table->entries[i].eax;
	}
	is(name, "KVMKVMKVM", "CPUID names the hypervisor");
	is_hex(features & 0x0100000b, 0x0100000b, "  its clock");
}

static void the_clock(void)
{
	struct kvm_clock_data a, b;
	u64 before, after;

	a = get_clock();
	before = clock_ns(CLOCK_MONOTONIC_RAW);
	ok(a.clock < 20000000000ull, "a VM's clock begins at 0");
	usleep(50000);
	b = get_clock();
	after = clock_ns(CLOCK_MONOTONIC_RAW);
	ok(near(b.clock - a.clock, after - before, 10), "  runs");
	is_hex(b.pad0, 0, "  the rest is 0");

	is(set_clock(1ull << 50, 0, 0), "0", "KVM_SET_CLOCK");
	ok(near(get_clock().clock, 1ull << 50, 10), "  sets it");
	is(set_clock(5000000000ull, 14, clock_ns(CLOCK_REALTIME) - 3000000000ull), "0",
	   "  with the time of day 3 s ago");
	ok(near(get_clock().clock, 8000000000ull, 10), "  it has gone on");
	is(set_clock(5000000000ull, REALTIME, clock_ns(CLOCK_REALTIME) + 3000000000ull), "0",
	   "  with one yet to come");
	ok(near(get_clock().clock, 5000000000ull, 10), "  it does not go back");
	is(set_clock(0, 1, 0), "EINVAL", "  an unknown flag");
	is(set_clock(0, 16, 0), "EINVAL", "  another");
	ok(near(get_clock().clock, 5000000000ull, 20), "  change nothing");
	is(errno_text(ioctl(vm.fd, KVM_SET_CLOCK, short_pointer(47))), "EFAULT",
	   "  less than the argument");
	is(errno_text(ioctl(vm.fd, KVM_GET_CLOCK, short_pointer(47))), "EFAULT",
	   "  no room for the answer");
}

static void pages(void)
{
	volatile struct page *a = page(PAGE_A), *b = page(PAGE_B);
	struct kvm_clock_data data;
	u64 t, khz = ioctl(cpu.fd, KVM_GET_TSC_KHZ);
	u32 version;

	is(errno_text(ioctl(cpu.fd, KVM_KVMCLOCK_CTRL)), "EINVAL", "no page, nothing to tell");
	is_hex(get_msr(&cpu, TIME), 0, "MSR_KVM_SYSTEM_TIME");
	set_msr(&cpu, TIME, PAGE_A | 1);
	is_hex(get_msr(&cpu, TIME), PAGE_A | 1, "  is kept");
	is_hex(get_msr(&cpu, TIME_OLD), PAGE_A | 1, "  is the old one, too");
	a->version = 7;
	guest64(&cpu, ticks);
	run(&cpu);
	data = get_clock();
	version = a->version;
	ok(version > 7 && !(version & 1), "the page has an even version");
	ok(near(guest_ns(a), data.clock, 10), "  and the time");
	t = (1000000ull << 32) / khz;
	t = a->shift < 0 ? t << -a->shift : t >> a->shift;
	ok(a->multiplier >= t - t / 1000 && a->multiplier <= t + t / 1000, "  the TSC's rate");
	is_hex(a->pad | a->pad2[0] | a->pad2[1], 0, "  what means nothing is 0");
	is_hex(a->flags, data.flags & TSC_STABLE ? STABLE : 0, "  TSCs are in step");

	/* The other vCPU's page is as good. */
	set_msr(&second, TIME, PAGE_B | 1);
	guest64(&second, ticks);
	run(&second);
	ok(near(guest_ns(b), get_clock().clock, 10), "the other vCPU's page");
	is_hex(b->flags, a->flags, "  TSCs are in step");
	ok(near(guest_ns(a), guest_ns(b), 1), "  and both tell the same");

	version = a->version;
	is(set_clock(77000000000ull, 0, 0), "0", "KVM_SET_CLOCK");
	run(&cpu);
	ok(a->version != version, "  changes it");
	ok(near(guest_ns(a), 77000000000ull, 20), "  to that time");
	run(&second);
	ok(near(guest_ns(b), guest_ns(a), 20), "  the other, too");

	/* A guest that was stopped */
	is(errno_text(ioctl(cpu.fd, KVM_KVMCLOCK_CTRL)), "0", "KVM_KVMCLOCK_CTRL");
	run(&cpu);
	is_hex(a->flags & STOPPED, STOPPED, "  tells the guest");
	is(set_clock(99000000000ull, 0, 0), "0", "  another change");
	run(&cpu);
	is_hex(a->flags & STOPPED, STOPPED, "  leaves that");
	a->flags &= ~STOPPED;
	is(set_clock(99000000000ull, 0, 0), "0", "  it has seen it");
	run(&cpu);
	is_hex(a->flags & STOPPED, 0, "  it is not told again");

	/* Another TSC, but the same time */
	set_msr(&cpu, 0x10, 1ull << 40);
	run(&cpu);
	ok(near(guest_ns(a), get_clock().clock, 20), "another TSC: the time stays");

	set_msr(&cpu, TIME, PAGE_A);
	version = a->version;
	is(set_clock(1000000000ull, 0, 0), "0", "switched off");
	run(&cpu);
	ok(a->version == version, "  the page stays as it is");
	is(errno_text(ioctl(cpu.fd, KVM_KVMCLOCK_CTRL)), "EINVAL", "  nothing to tell");
	set_msr(&second, TIME, 0);
}

static void wall_clock(void)
{
	volatile struct wall *w = (volatile struct wall *)((char *)vm.mem + WALL_AT);
	u64 day, clock;

	memset((char *)vm.mem + WALL_AT, 0, 64);
	w->version = 5;
	set_msr(&cpu, WALL, WALL_AT);
	is_hex(get_msr(&cpu, WALL), WALL_AT, "MSR_KVM_WALL_CLOCK is kept");
	is_hex(get_msr(&cpu, WALL_OLD), WALL_AT, "  is the old one, too");
	run(&cpu);
	clock = get_clock().clock;
	day = clock_ns(CLOCK_REALTIME);
	ok(w->version > 5 && !(w->version & 1), "  an even version");
	ok(w->ns < 1000000000, "  ns below a second");
	ok(near(w->seconds * 1000000000ull + w->ns + clock, day, 20), "  the time of day");
	is_hex(((volatile u32 *)w)[3], 0, "  nothing behind it is written");
	w->version = 0;
	set_msr(&cpu, WALL_OLD, WALL_AT);
	run(&cpu);
	is_hex(w->version, 2, "  the old one writes it again");
}

/* Addresses where there is nothing, or not all of it */
static void nowhere(void)
{
	static const u64 bad[] = { 1ull << 40, ~0ull, 0xfffffffffffff001, (2 << 20) | 1 };
	char *across = (char *)vm.mem + PAGE_B - 8;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		is_hex(try_msr(&cpu, TIME, bad[i]), 1, "a page at %llx",
		       (unsigned long long)bad[i]);
		is_hex(try_msr(&cpu, WALL, bad[i]), 1, "  and a wall clock");
		run(&cpu);
	}
	memset(across, 0x55, 64);
	set_msr(&cpu, TIME, (PAGE_B - 8) | 1);
	run(&cpu);
	ok(across[0] == 0x55 && across[31] == 0x55, "across two pages: nothing is written");
	set_msr(&cpu, TIME, (PAGE_B + 4) | 1);
	run(&cpu);
	ok(near(guest_ns(page(PAGE_B + 4)), get_clock().clock, 20), "a multiple of 4 will do");
	set_msr(&cpu, TIME, 0);
}

GUEST64(msrs,
	"mov $0x4b564d01, %ecx; xor %edx, %edx; mov $0x100001, %eax; wrmsr\n"
	"mov $0x4b564d00, %ecx; mov $0x102000, %eax; wrmsr\n"
	"mov $0x12, %ecx; rdmsr; out %eax, $0x11; mov $0x11, %ecx; rdmsr; out %eax, $0x12\n"
	"mov 0x100000, %eax; and $1, %eax; out %al, $0x13\n"
	"mov $0x12, %ecx; mov $0x100001, %eax; wrmsr\n"
	"1: rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, 0x103000\n"
	"out %al, $0x10; jmp 1b\n");

static void guest(void)
{
	volatile struct page *a = page(PAGE_A);

	memset((char *)vm.mem + PAGE_A, 0xff, 32);
	set_msr(&second, 0x10, get_msr(&cpu, 0x10));
	guest64(&cpu, msrs);
	is(vcpu_run(&cpu), "OUT port=11 size=4 count=1 data=01001000", "a guest's WRMSR");
	is(vcpu_run(&cpu), "OUT port=12 size=4 count=1 data=00201000", "  and RDMSR");
	is(vcpu_run(&cpu), "OUT port=13 size=1 count=1 data=00", "  its page is complete");
	run(&cpu);
	ok(near(guest_ns(a), get_clock().clock, 20), "  it has the time");
	is_hex(a->flags & STABLE, 0, "  by the old MSR its TSCs are not in step");
}

int main(int argc, char **argv)
{
	watchdog(60);
	vm_open(&vm, argc > 1 ? argv[1] : "/dev/kvm", 2 << 20);
	vcpu_open(&cpu, &vm, 0);
	vcpu_open(&second, &vm, 1);
	cpuid();
	the_clock();
	pages();
	wall_clock();
	nowhere();
	guest();
	return done_testing();
}
