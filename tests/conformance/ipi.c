// SPDX-License-Identifier: GPL-2.0
/*
 * What vCPUs with local APICs in the kernel do to each other: how one is started,
 * IPIs and whom they reach, and KVM_SIGNAL_MSI.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include "apic.h"
#include "tap.h"

GUEST16(started, "out %al, $0x11; mov %edx, %eax; out %al, $0x12; hlt");

static void starting(void)
{
	struct kvm_sregs s;

	is_hex(mp_state(&second), KVM_MP_STATE_UNINITIALIZED, "vCPU 1 is UNINITIALIZED");
	is(run_for(&second, 30), "EINTR INTR", "  KVM_RUN waits");
	second.run->immediate_exit = 1;
	is_hex(-vcpu_run_raw(&second), EINTR, "  immediate_exit");
	second.run->immediate_exit = 0;
	is(set_mp_state(&second, KVM_MP_STATE_INIT_RECEIVED), "0", "INIT_RECEIVED");
	is(run_for(&second, 30), "EINTR INTR", "  KVM_RUN waits");
	is(set_mp_state(&second, KVM_MP_STATE_SIPI_RECEIVED), "0", "SIPI_RECEIVED");
	is_hex(mp_state(&second), KVM_MP_STATE_RUNNABLE, "  which is at once runnable");
	s = get_sregs(&second);
	is_hex(s.cs.selector, 0, "  CS is the vector's");
	is_hex(s.cs.base, 0, "  so is its base");
	is_hex(get_regs(&second).rip, 0, "  RIP is 0");
	guest16(&second, started);
	is(vcpu_run(&second), "OUT port=11 size=1 count=1 data=00", "  it runs");
	is(set_mp_state(&second, KVM_MP_STATE_UNINITIALIZED), "0", "UNINITIALIZED again");
	is(run_for(&second, 30), "EINTR INTR", "  KVM_RUN waits");
	is(set_mp_state(&second, KVM_MP_STATE_RUNNABLE), "0", "RUNNABLE again");
	is(vcpu_run(&second), "OUT port=12 size=1 count=1 data=00", "  it goes on");
}

/* A vCPU in a thread, until it does OUT to port 7Fh */
struct runner {
	struct vcpu *c;
	pthread_t thread;
	int again;		/* EAGAIN */
	int exits;
	int error;
	u8 ports[16];
	u8 data[16];
};

static void *runs(void *arg)
{
	struct runner *r = arg;

	for (;;) {
		struct kvm_run *run = r->c->run;

		if (ioctl(r->c->fd, KVM_RUN, 0)) {
			if (errno != EAGAIN) {
				r->error = errno;
				return NULL;
			}
			r->again++;
			continue;
		}
		if (run->exit_reason != KVM_EXIT_IO) {
			r->error = 1000 + run->exit_reason;
			return NULL;
		}
		if (r->exits < 16) {
			r->ports[r->exits] = run->io.port;
			r->data[r->exits++] = ((u8 *)run)[run->io.data_offset];
		}
		if (run->io.port == 0x7f)
			return NULL;
	}
}

static void run_start(struct runner *r, struct vcpu *c)
{
	memset(r, 0, sizeof(*r));
	r->c = c;
	if (pthread_create(&r->thread, NULL, runs, r))
		bail("pthread_create");
}

static void run_end(struct runner *r, const char *name)
{
	pthread_join(r->thread, NULL);
	is_hex(r->error, 0, "%s ends", name);
}

/* Ping-pong: each sends an IPI to the other and sleeps, EBX times. */
#define PING(dest)							\
	APIC "mov $500, %ebx\n"					\
	"1: inc %edi\n"							\
	"movl $" dest ", 0x310(%esi); movl $0x31, 0x300(%esi)\n"		\
	"2: sti; hlt; cli\n"						\
	"cmp %edi, %ebp; jne 2b\n"					\
	"cmp %ebx, %edi; jne 1b\n"
GUEST32(ping, PING("0x01000000")
	"out %al, $0x7f\n"
	"ping_31: inc %ebp; movl $0, 0xb0(%esi); iret\n");
LABEL(ping_31);
GUEST32(pong, APIC
	"1: sti; hlt; cli; jmp 1b\n"
	"pong_31: movl $0, 0xb0(%esi)\n"
	"movl $0, 0x310(%esi); movl $0x31, 0x300(%esi)\n"
	"inc %edi; cmp $500, %edi; jne 2f; out %al, $0x7f\n"
	"2: iret\n");
LABEL(pong_31);

/* The second spins with interrupts on and no VM exit of its own. */
GUEST32(spin, APIC
	"sti\n"
	"1: pause; jmp 1b\n"
	"spin_31: movl $0, 0xb0(%esi)\n"
	"movl $0, 0x310(%esi); movl $0x31, 0x300(%esi)\n"
	"inc %edi; cmp $500, %edi; jne 2f; out %al, $0x7f\n"
	"2: iret\n");
LABEL(spin_31);

/* Both lie in the same memory: the second's code and tables at other places. */
static void place(struct vcpu *c, const char *code, const char *end, u32 at, u32 idt,
		  u32 handler)
{
	struct kvm_sregs s = get_sregs(c);
	struct kvm_regs r = get_regs(c);
	u64 gate = ((at + handler) & 0xffff) | (u64)SEL_CODE32 << 16 | 0x8eull << 40;

	memcpy(vm.mem + at, code, end - code);
	memcpy(vm.mem + idt + 0x31 * 8, &gate, 8);
	s.idt.base = idt;
	s.idt.limit = 0x7ff;
	set_sregs(c, &s);
	r.rip = at;
	r.rsp = at + 0x800;
	set_regs(c, &r);
}

#define PLACE(c, name, label, at, idt) \
	place(c, name, name##_end, at, idt, (label) - (name))

static void both(const char *name, const char *other, const char *other_end,
		 const char *other_label)
{
	struct runner a, b;
	u64 ms;

	guest_apic(&second, ping);
	guest_apic(&cpu, ping);
	PLACE(&cpu, ping, ping_31, 0xb000, 0xc000);
	place(&second, other, other_end, 0xd000, 0xe000, other_label - other);
	ms = now_ms();
	run_start(&b, &second);
	run_start(&a, &cpu);
	run_end(&a, name);
	run_end(&b, "  the other");
	ms = now_ms() - ms;
	diag("%llu ms", (unsigned long long)ms);
	ok(ms < 1000u * patience, "  not one at each tick of the scheduler");
	is_hex(get_regs(&cpu).rbp, 500, "  none was lost");
	is_hex(get_regs(&second).rdi, 500, "  nor there");
}

static u32 signature(void)
{
	struct kvm_cpuid2 *table = supported_cpuid(&vm);
	u32 i, eax = 0;

	for (i = 0; i < table->nent; i++)
		if (table->entries[i].function == 1)
			eax = table->entries[i].eax;
	free(table);
	return eax;
}

/* INIT, SIPI, SIPI; then an NMI to whoever sleeps with interrupts off */
GUEST32(boot, APIC "sti\n"
	"movl $0x01000000, 0x310(%esi)\n"
	"movl $0x4500, 0x300(%esi)\n"
	"movl $0x460b, 0x300(%esi)\n"
	"1: pause; cmpl $0x1234, 0xbf00; jne 1b\n"
	"movl $0x460c, 0x300(%esi)\n"
	"movl $0x4400, 0x300(%esi)\n"
	"2: pause; cmpl $0x5678, 0xbf00; jne 2b\n"
	"out %al, $0x7f\n");
GUEST16(booted,
	"mov %cs, %ax; mov %ax, %ds; mov %ax, %ss; mov $0xe00, %sp\n"
	"xor %ax, %ax; mov %ax, %es\n"
	"mov %dl, %al; out %al, $0x30\n"
	"movw $0xb080, %es:8; movw $0, %es:10\n"	/* vector 2: 0000:b080 */
	"movl $0x1234, 0xf00\n"
	"cli; hlt\n"
	"hlt\n"
	".fill 0x80 - (. - booted), 1, 0x90\n"
	"movl $0x5678, %cs:0xbf00\n"
	"mov $0x77, %al; out %al, $0x7f\n");

static void startup(void)
{
	struct runner a, b;

	guest_apic(&second, boot);
	guest_apic(&cpu, boot);
	memcpy(vm.mem + 0xb000, booted, booted_end - booted);
	set_mp_state(&second, KVM_MP_STATE_UNINITIALIZED);
	run_start(&b, &second);
	run_start(&a, &cpu);
	run_end(&a, "INIT and SIPI by IPI: the sender");
	run_end(&b, "  the one started");
	ok(b.again > 0, "  KVM_RUN of an UNINITIALIZED vCPU ends with EAGAIN");
	is_hex(b.exits, 2, "  two exits");
	is_hex(b.ports[0], 0x30, "  the first");
	ok(b.data[0] == (u8)signature(), "  with the signature in EDX");
	is_hex(b.data[1], 0x77, "  the second is the NMI's");
	is_hex(get_sregs(&second).cs.base, 0, "  whose handler is at 0000:b080");
	is_hex(mp_state(&second), KVM_MP_STATE_RUNNABLE, "  it is runnable");
}

/* The state after INIT is that after reset, but for what INIT leaves. */
static void init_state(void)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	guest_apic(&second, boot);
	s = get_sregs(&second);
	s.cr2 = 0x1234;
	s.cr0 |= CR0_CD;
	set_sregs(&second, &s);
	set_msr(&second, 0x174, 8);
	set_msr(&second, 0x277, 0x0606060606060606);
	guest_apic(&cpu, boot);
	/* The first INIT goes out; the sender then waits for what does not come. */
	run_for(&cpu, 30);
	is_hex(mp_state(&second), KVM_MP_STATE_RUNNABLE, "INIT and SIPI to one that does not run");
	s = get_sregs(&second);
	r = get_regs(&second);
	is_hex(r.rip, 0, "  RIP");
	is_hex(r.rflags, 2, "  RFLAGS");
	ok(r.rdx == signature(), "  RDX has the processor's signature");
	is_hex(r.rax | r.rsi | r.rsp, 0, "  others");
	is_hex(s.cs.selector, 0xb00, "  CS");
	is_hex(s.cs.base, 0xb000, "  its base");
	is_hex(s.cr0, 0x40000010, "  CR0 keeps CD");
	is_hex(s.cr2, 0, "  CR2");
	is_hex(s.efer, 0, "  EFER");
	is_hex(s.apic_base, 0xfee00800, "  IA32_APIC_BASE");
	is_hex(lapic(&second, 0xf0), 0xff, "  the APIC is reset");
	is_hex(lapic(&second, 0x20), 1 << 24, "  but for its ID");
	is_hex(get_msr(&second, 0x174), 8, "  SYSENTER_CS stays");
	is_hex(get_msr(&second, 0x277), 0x0606060606060606, "  PAT stays");
}

GUEST32(logical, APIC
	"movl $0x02000000, 0x310(%esi); movl $0x831, 0x300(%esi)\n"	/* flat */
	"movl $0x04000000, 0x310(%esi); movl $0x832, 0x300(%esi)\n"	/* nobody */
	"movl $0xff000000, 0x310(%esi); movl $0x33, 0x300(%esi)\n"	/* all */
	"movl $0xc0034, 0x300(%esi)\n"					/* others */
	"movl $0x80035, 0x300(%esi)\n"					/* all */
	"movl $0x01000000, 0x310(%esi); movl $0x136, 0x300(%esi)\n"	/* lowest */
	"out %al, $0x10\n");

static void destinations(void)
{
	guest_apic(&second, logical);
	guest_apic(&cpu, logical);
	set_lapic(&cpu, 0xd0, 0x01000000);
	set_lapic(&second, 0xd0, 0x02000000);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00", "IPIs to several");
	is_hex(lapic(&cpu, 0x210), 0x280000, "  the sender has 33, 35");
	is_hex(lapic(&second, 0x210), 0x7a0000, "  the other 31, 33, 34, 35, 36");
	/* An APIC that software has switched off takes none. */
	guest_apic(&second, logical);
	set_lapic(&second, 0xf0, 0xff);
	guest_apic(&cpu, logical);
	vcpu_run(&cpu);
	is_hex(lapic(&second, 0x210), 0, "  none if it is switched off");
}

GUEST32(wait_msi, "sti; hlt; out %al, $0x7e; hlt; wait_31: out %al, $0x7f");
LABEL(wait_31);

static void msi(void)
{
	struct kvm_msi m = { .address_lo = 0xfee00000, .data = 0x31 };
	struct runner r;
	int ret;

	guest_apic(&second, pong);
	guest_apic(&cpu, pong);
	is(on_vm(KVM_SIGNAL_MSI, 0), "EFAULT", "KVM_SIGNAL_MSI of NULL");
	m.flags = 2;
	is(on_vm(KVM_SIGNAL_MSI, (long)&m), "EINVAL", "  unknown flag");
	m.flags = 0;
	ret = ioctl(vm.fd, KVM_SIGNAL_MSI, &m);
	is_hex(ret, 1, "  to vCPU 0");
	is_hex(lapic(&cpu, 0x210), 0x20000, "  which has it");
	m.address_lo = 0xfeeff000;
	ret = ioctl(vm.fd, KVM_SIGNAL_MSI, &m);
	is_hex(ret, 2, "  to all");
	m.address_lo = 0xfee77000;
	is(on_vm(KVM_SIGNAL_MSI, (long)&m), "0", "  to none");
	m.address_lo = 0xfee00000;
	set_lapic(&cpu, 0xf0, 0xff);
	ret = ioctl(vm.fd, KVM_SIGNAL_MSI, &m);
	is_hex(ret, 0, "  to one that is switched off");

	/* It wakes one that sleeps. */
	guest_apic(&cpu, wait_msi);
	PLACE(&cpu, wait_msi, wait_31, 0xb000, 0xc000);
	run_start(&r, &cpu);
	usleep(20000);
	ioctl(vm.fd, KVM_SIGNAL_MSI, &m);
	run_end(&r, "KVM_SIGNAL_MSI wakes HLT: it");
}

int main(int argc, char **argv)
{
	apic_init();
	vm_open(&vm, argc > 1 ? argv[1] : "/dev/kvm", 2 << 20);
	if (ioctl(vm.fd, KVM_CREATE_IRQCHIP, 0))
		bail("KVM_CREATE_IRQCHIP: %s", errno_name(errno));
	apic_vcpus();
	starting();
	destinations();
	msi();
	init_state();
	startup();
	both("ping-pong, both sleep: one", pong, pong_end, pong_31);
	both("ping-pong, one spins: the other", spin, spin_end, spin_31);
	return done_testing();
}
