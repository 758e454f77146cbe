// SPDX-License-Identifier: GPL-2.0
/*
 * The interval timer: KVM_CREATE_PIT2, KVM_GET_PIT2 and KVM_SET_PIT2, their older
 * forms, KVM_REINJECT_CONTROL, its ports, and that no tick is lost, or too much.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include "apic.h"
#include "tap.h"

static const char *device;

#define HALTED	"EINTR INTR"
#define soon()	run_for(&cpu, 150)
/* A tick every 10 ms */
#define COUNT	11932

static struct kvm_pit_state2 pit(void)
{
	struct kvm_pit_state2 state;

	memset(&state, 0xff, sizeof(state));
	if (ioctl(vm.fd, KVM_GET_PIT2, &state))
		bail("KVM_GET_PIT2: %s", errno_name(errno));
	return state;
}

static void set_pit(const struct kvm_pit_state2 *state)
{
	if (ioctl(vm.fd, KVM_SET_PIT2, state))
		bail("KVM_SET_PIT2: %s", errno_name(errno));
}

static void reinject(bool on)
{
	struct kvm_reinject_control control = { .pit_reinject = on };

	if (ioctl(vm.fd, KVM_REINJECT_CONTROL, &control))
		bail("KVM_REINJECT_CONTROL: %s", errno_name(errno));
}

static void refusals(void)
{
	struct kvm_pit_config config = { };
	struct kvm_reinject_control control = { };
	struct kvm_pit_state2 state = { };
	struct vm other;
	const char *answer;

	vm_open(&other, device, 2 << 20);
#define on_other(call, arg)	errno_text(ioctl(other.fd, call, arg))
	is(on_other(KVM_GET_PIT, &state), "ENXIO", "without timer: KVM_GET_PIT");
	is(on_other(KVM_SET_PIT, &state), "ENXIO", "  KVM_SET_PIT");
	is(on_other(KVM_GET_PIT2, &state), "ENXIO", "  KVM_GET_PIT2");
	is(on_other(KVM_GET_PIT2, NULL), "ENXIO", "  of NULL");
	is(on_other(KVM_SET_PIT2, &state), "ENXIO", "  KVM_SET_PIT2");
	is(on_other(KVM_REINJECT_CONTROL, &control), "ENXIO", "  KVM_REINJECT_CONTROL");
	is(on_other(KVM_GET_PIT, NULL), "EFAULT", "  KVM_GET_PIT of NULL");
	is(on_other(KVM_SET_PIT, NULL), "EFAULT", "  KVM_SET_PIT of NULL");
	is(on_other(KVM_SET_PIT2, NULL), "EFAULT", "  KVM_SET_PIT2 of NULL");
	is(on_other(KVM_REINJECT_CONTROL, NULL), "EFAULT", "  KVM_REINJECT_CONTROL of NULL");
	is(on_other(KVM_CREATE_PIT2, NULL), "EFAULT", "  KVM_CREATE_PIT2 of NULL");
	/* KVM of Linux 6.1 makes one that does not tick. */
	answer = on_other(KVM_CREATE_PIT2, &config);
	ok(!strcmp(answer, "ENOENT") || (!strstr(device, "minivmm") && !strcmp(answer, "0")),
	   "KVM_CREATE_PIT2 without interrupt controllers");
	diag("%s", answer);
	vm_close(&other);

	vm_open(&other, device, 2 << 20);
	ioctl(other.fd, KVM_CREATE_IRQCHIP, 0);
	is(on_other(KVM_CREATE_PIT, 0), "0", "KVM_CREATE_PIT");
	is(on_other(KVM_CREATE_PIT, 0), "EEXIST", "  again");
	is(on_other(KVM_CREATE_PIT2, &config), "EEXIST", "  KVM_CREATE_PIT2");
	/* The state's size is that of the call. */
	is(on_other(KVM_GET_PIT, short_pointer(72)), "0", "  KVM_GET_PIT: 72 bytes");
	is(on_other(KVM_GET_PIT, short_pointer(71)), "EFAULT", "  71");
	is(on_other(KVM_GET_PIT2, short_pointer(112)), "0", "  KVM_GET_PIT2: 112 bytes");
	is(on_other(KVM_GET_PIT2, short_pointer(111)), "EFAULT", "  111");
	vm_close(&other);
}

static void fresh(void)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_pit_state2 state;
	int i;

	vm_open(&vm, device, 2 << 20);
	is(on_vm(KVM_CREATE_IRQCHIP, 0), "0", "KVM_CREATE_IRQCHIP");
	apic_vcpus();
	config.flags |= 0xfffffff0;
	is(on_vm(KVM_CREATE_PIT2, (long)&config), "0", "KVM_CREATE_PIT2, with vCPUs");
	state = pit();
	for (i = 0; i < 3; i++) {
		struct kvm_pit_channel_state *c = &state.channels[i];

		is_hex(c->count, 0x10000, "  counter %d: count", i);
		is_hex(c->mode, 0xff, "  mode");
		is_hex(c->gate, i < 2, "  gate");
		is_hex(!!c->count_load_time, !!i, "  loaded");
		is_hex(c->latched_count | c->count_latched | c->status_latched | c->status |
		       c->read_state | c->write_state | c->write_latch | c->rw_mode | c->bcd,
		       0, "  all else");
	}
	is_hex(state.flags, 0, "  flags");
	for (i = 0; i < 9; i++)
		is_hex(state.reserved[i], 0, "  reserved");
}

GUEST32(ports,
	"mov $0xb0, %al; out %al, $0x43; mov $0x34, %al; out %al, $0x42\n"
	"mov $0x12, %al; out %al, $0x42; mov $0xe8, %al; out %al, $0x43\n"
	"xor %eax, %eax; in $0x42, %al; out %eax, $0x10\n"
	/* Mode 7 is 3; BCD is kept. */
	"mov $0xbf, %al; out %al, $0x43; mov $0, %al; out %al, $0x42; out %al, $0x42\n"
	"mov $0xe8, %al; out %al, $0x43; in $0x42, %al; out %al, $0x10\n"
	/* Low byte, high byte, half of both */
	"mov $0x90, %al; out %al, $0x43; mov $5, %al; out %al, $0x42; out %al, $0x10\n"
	"mov $0xa0, %al; out %al, $0x43; mov $5, %al; out %al, $0x42; out %al, $0x10\n"
	"mov $0xb4, %al; out %al, $0x43; mov $0x77, %al; out %al, $0x42; out %al, $0x10\n"
	/* Wider than a byte */
	"mov $-1, %eax; in $0x43, %al; out %eax, $0x10\n"
	"mov $-1, %eax; in $0x40, %eax; out %eax, $0x10\n"
	"mov $0x9966, %ax; out %ax, $0x42; out %al, $0x10\n"
	"in $0x42, %eax\n"
	/* Two latched counts, with something between them; the second is less. */
	"mov $0xb4, %al; out %al, $0x43; mov $0, %al; out %al, $0x42; out %al, $0x42\n"
	"mov $0xb000, %edi; mov $2, %edx\n"
	"1: mov $0x80, %al; out %al, $0x43; in $0x42, %al; mov %al, %bl\n"
	"mov $5000, %ecx; 2: loop 2b; in $0x42, %al; mov %al, %bh; mov %bx, (%edi)\n"
	"add $2, %edi; dec %edx; jnz 1b; out %al, $0x10\n"
	/* The speaker's port */
	"mov $0xb6, %al; out %al, $0x43; mov $0, %al; out %al, $0x42; out %al, $0x42\n"
	"mov $1, %al; out %al, $0x61; in $0x61, %al; and $0xf, %al; out %al, $0x10\n"
	"mov $3, %al; out %al, $0x61; in $0x61, %al; and $0xf, %al; out %al, $0x10\n"
	"mov $0, %al; out %al, $0x61; in $0x61, %al; and $0xf, %al; out %al, $0x10\n"
	"xor %eax, %eax; in $0x61, %ax; shr $8, %eax; out %al, $0x10\n"
	"mov $0xb0, %al; out %al, $0x43; mov $0xa9, %al; out %al, $0x42; mov $4, %al\n"
	"out %al, $0x42; in $0x61, %al; and $0x20, %al; mov %al, %ah\n"
	"3: in $0x61, %al; test $0x20, %al; jz 3b; and $0x20, %al; out %ax, $0x10\n"
	/* The refresh bit changes. */
	"in $0x61, %al; mov %al, %ah; 4: in $0x61, %al; xor %ah, %al; test $0x10, %al; jz 4b\n"
	"out %al, $0x11; in $0x62, %al\n");

static void guest_ports(void)
{
	struct kvm_pit_channel_state *c;
	struct kvm_pit_state2 state;
	u16 *counts = (void *)(vm.mem + 0xb000);

	guest32(&cpu, ports);
	is(soon(), "OUT port=10 size=4 count=1 data=30000000", "mode 0: status");
	is(soon(), "OUT port=10 size=1 count=1 data=b7", "mode 7, BCD: status");
	is(soon(), "OUT port=10 size=1 count=1 data=05", "low byte");
	state = pit();
	c = &state.channels[2];
	is_hex(c->count, 5, "  count");
	is_hex(c->rw_mode << 8 | c->read_state << 4 | c->write_state, 0x111, "  access");
	is(soon(), "OUT port=10 size=1 count=1 data=05", "high byte");
	state = pit();
	is_hex(c->count, 0x500, "  count");
	is_hex(c->rw_mode << 8 | c->read_state << 4 | c->write_state, 0x222, "  access");
	is(soon(), "OUT port=10 size=1 count=1 data=77", "one byte of two");
	state = pit();
	is_hex(c->count, 0x500, "  count");
	is_hex(c->rw_mode << 8 | c->read_state << 4 | c->write_state, 0x334, "  access");
	is_hex(c->write_latch, 0x77, "  the byte");
	is_hex(c->mode, 2, "  mode");
	/* KVM leaves AL as it is. */
	is(soon(), "OUT port=10 size=4 count=1 data=ffffffff", "the control word cannot be read");
	is(soon(), "OUT port=10 size=4 count=1 data=00000000", "four bytes from port 40h");
	is(soon(), "OUT port=10 size=1 count=1 data=66", "two bytes to port 42h");
	state = pit();
	is_hex(c->count, 0x6677, "  one is taken");
	is(soon(), "IN port=42 size=4 count=1", "over the end: user space's");
	ok(!strncmp(soon(), "OUT port=10", 11) && counts[0] > counts[1] && counts[1] > 0x8000,
	   "a counter counts down");
	diag("%04x, then %04x", counts[0], counts[1]);
	is(soon(), "OUT port=10 size=1 count=1 data=01", "the speaker's port: gate");
	is_hex(pit().channels[2].gate, 1, "  gate");
	is(soon(), "OUT port=10 size=1 count=1 data=03", "  and data");
	is_hex(pit().flags, KVM_PIT_FLAGS_SPEAKER_DATA_ON, "  flags");
	is(soon(), "OUT port=10 size=1 count=1 data=00", "  and nothing");
	is_hex(pit().flags, 0, "  flags");
	is_hex(pit().channels[2].gate, 0, "  gate");
	is(soon(), "OUT port=10 size=1 count=1 data=00", "  the second of two bytes");
	is(soon(), "OUT port=10 size=2 count=1 data=2000", "  the output, in mode 0");
	ok(!strncmp(soon(), "OUT port=11", 11), "  refresh");
	is(soon(), "IN port=62 size=1 count=1", "  the port behind it is user space's");
}

/* Counts ticks in memory. On port 10h it asks for the line to be masked, then not. */
GUEST32(count_ticks, APIC
	"mov $0x11, %al; out %al, $0x20; mov $0x30, %al; out %al, $0x21\n"
	"mov $4, %al; out %al, $0x21; mov $1, %al; out %al, $0x21\n"
	"mov $0xff, %al; out %al, $0x21; out %al, $0x10\n"
	"mov $0xfe, %al; out %al, $0x21; out %al, $0x10\n"
	"sti; 1: hlt; jmp 1b\n"
	"tick: incl 0xb000; push %eax; mov $0x20, %al; out %al, $0x20; pop %eax; iret\n");
LABEL(tick);

/* The same through the I/O APIC */
GUEST32(count_ioapic, APIC
	"mov $0x11, %al; out %al, $0x20; mov $0x30, %al; out %al, $0x21\n"
	"mov $4, %al; out %al, $0x21; mov $1, %al; out %al, $0x21\n"
	"mov $0xff, %al; out %al, $0x21; mov $0xfec00000, %edi\n"
	"movl $0x10, (%edi); movl $0x10030, 0x10(%edi); out %al, $0x10\n"
	"movl $0x30, 0x10(%edi); sti; 1: hlt; jmp 1b\n"
	"tick_ioapic: incl 0xb000; movl $0, 0xb0(%esi); iret\n");
LABEL(tick_ioapic);

static u32 ticks(void)
{
	u32 *count = (void *)(vm.mem + 0xb000), n = *count;

	*count = 0;
	return n;
}

static void set_counter_0(int mode, u32 count)
{
	struct kvm_pit_state2 state = pit();

	state.channels[0].mode = mode;
	state.channels[0].count = count;
	set_pit(&state);
}

static void start(void)
{
	set_counter_0(0xff, 0);
	guest_apic(&cpu, count_ticks);
	guest_gate(&cpu, 0x30, GUEST_CODE + (tick - count_ticks), 0);
	is(soon(), "OUT port=10 size=1 count=1 data=ff", "a guest masks the line");
	is(soon(), "OUT port=10 size=1 count=1 data=fe", "  unmasks it");
	is(run_for(&cpu, 30), HALTED, "  waits");
	is_hex(ticks(), 0, "  no ticks yet");
}

/* Runs the guest for @ms; how many ticks came, and that there were so many. */
static void want_ticks(u32 ms, u32 from, u32 to, const char *what)
{
	u64 begin = now_ms();
	const char *result = run_for(&cpu, ms);
	u32 n = ticks(), took = now_ms() - begin;

	/* Those that came because the run took longer */
	from += (took - ms) / 10;
	to += (took - ms) / 10 + 1;
	ok(!strcmp(result, HALTED) && n >= from && n <= to, "%s", what);
	diag("%u ticks in %u ms", n, took);
}

static void all_ticks(void)
{
	u64 begin;
	u32 n, took;
	int i;

	start();
	for (i = 2; i <= 3; i++) {
		begin = now_ms();
		set_counter_0(i, COUNT);
		run_for(&cpu, 300);
		took = now_ms() - begin;
		n = ticks();
		ok(n >= took / 10 - 3 && n <= took / 10 + 1, "mode %d: a tick each 10 ms", i);
		diag("%u in %u ms", n, took);
	}
	/* One may be on its way. */
	set_counter_0(0xff, 0);
	run_for(&cpu, 30);
	ticks();
	for (i = 0; i <= 5; i++) {
		char what[40];

		if (i == 2 || i == 3)
			continue;
		snprintf(what, sizeof(what), "mode %d: %s", i, i == 5 ? "none" : "one");
		set_counter_0(i, COUNT);
		run_for(&cpu, 200);
		is_hex(ticks(), i != 5, "%s", what);
		run_for(&cpu, 100);
		is_hex(ticks(), 0, "  no more");
	}
	/* No more than one each 200 microseconds */
	begin = now_ms();
	set_counter_0(2, 1);
	run_for(&cpu, 50);
	set_counter_0(0xff, 1);
	took = now_ms() - begin;
	n = ticks();
	ok(n && n <= took * 5 + 6, "a count of 1: not too many");
	diag("%u in %u ms", n, took);
	run_for(&cpu, 30);
	ticks();
	run_for(&cpu, 50);
	is_hex(ticks(), 0, "a mode that is none: no ticks");
}

static void catching_up(void)
{
	start();
	set_counter_0(2, COUNT);
	usleep(300000);
	want_ticks(50, 28, 40, "ticks while the guest did not run are injected again");
	reinject(false);
	run_for(&cpu, 30);
	ticks();
	usleep(300000);
	want_ticks(50, 3, 6, "  and are not without reinjection");
	reinject(true);
	usleep(300000);
	want_ticks(50, 28, 40, "  and are with it");
	usleep(300000);
	set_counter_0(2, COUNT);
	want_ticks(50, 3, 6, "  but not when the counter is loaded anew");
	set_counter_0(0xff, 0);
}

static void masks(void)
{
	set_counter_0(2, COUNT);
	guest_apic(&cpu, count_ticks);
	guest_gate(&cpu, 0x30, GUEST_CODE + (tick - count_ticks), 0);
	is(soon(), "OUT port=10 size=1 count=1 data=ff", "a guest masks the line");
	usleep(300000);
	is(soon(), "OUT port=10 size=1 count=1 data=fe", "  and unmasks it after a while");
	ticks();
	want_ticks(100, 8, 12, "  ticks come, but not those of meanwhile");
	set_counter_0(0xff, 0);
}

static void through_ioapic(void)
{
	set_counter_0(0xff, 0);
	guest_apic(&cpu, count_ioapic);
	guest_gate(&cpu, 0x30, GUEST_CODE + (tick_ioapic - count_ioapic), 0);
	is(soon(), "OUT port=10 size=1 count=1 data=ff", "through the I/O APIC, masked");
	set_counter_0(2, COUNT);
	usleep(300000);
	want_ticks(200, 18, 22, "  unmasked: a tick each 10 ms");
	usleep(300000);
	want_ticks(50, 28, 40, "  again those of meanwhile");
	set_counter_0(0xff, 0);
}

static void state(void)
{
	struct kvm_pit_state2 s, t;
	struct kvm_pit_state old;
	int i;

	start();
	set_counter_0(2, COUNT);
	s = pit();
	s.flags = KVM_PIT_FLAGS_HPET_LEGACY | 0xf0;
	set_pit(&s);
	is_hex(pit().flags, 0xf1, "flags are kept");
	run_for(&cpu, 100);
	is_hex(ticks(), 0, "  with the HPET's: no ticks");
	s.flags = 0;
	set_pit(&s);
	want_ticks(100, 8, 11, "  without it: ticks");
	memset(&s, 0, sizeof(s));
	set_pit(&s);
	is_hex(pit().channels[0].count, 0x10000, "a count of 0 is 10000h");
	is_hex(pit().channels[2].count, 0x10000, "  of counter 2, too");

	/* Whatever is in there comes back, but the time. */
	memset(&s, 0xa5, sizeof(s));
	s.flags = 2;
	set_pit(&s);
	t = pit();
	for (i = 0; i < 3; i++)
		t.channels[i].count_load_time = s.channels[i].count_load_time;
	ok(!memcmp(s.channels, t.channels, sizeof(s.channels)), "KVM_GET_PIT2 has what was set");
	is(on_vm(KVM_GET_PIT, (long)&old), "0", "KVM_GET_PIT");
	for (i = 0; i < 3; i++)
		old.channels[i].count_load_time = s.channels[i].count_load_time;
	ok(!memcmp(old.channels, t.channels, sizeof(old)), "  has the same");
	old.channels[2].mode = 0;
	is(on_vm(KVM_SET_PIT, (long)&old), "0", "KVM_SET_PIT");
	is_hex(pit().channels[2].mode, 0, "  a mode");
	is_hex(pit().flags, 2, "  leaves the flags alone");
	guest32(&cpu, ports);
	set_mp_state(&cpu, KVM_MP_STATE_RUNNABLE);
	is(soon(), "OUT port=10 size=4 count=1 data=a5000000",
	   "a guest reads a status that was set");
	set_counter_0(0xff, 0);
}

int main(int argc, char **argv)
{
	device = argc > 1 ? argv[1] : "/dev/kvm";
	apic_init();
	refusals();
	fresh();
	guest_ports();
	all_ticks();
	catching_up();
	masks();
	through_ioapic();
	state();
	return done_testing();
}
