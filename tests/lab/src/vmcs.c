// SPDX-License-Identifier: GPL-2.0
/*
 * minivmm's own calls of a vCPU: the fields of its VMCS, stopping at a VM exit, and
 * why a VM entry failed. KVM has none of them, and says so.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../../module/vmx/field.h"
#include "../../../uapi/linux/minivmm.h"
#include "tap.h"
#include "vm.h"

#define ROOM		400
#define REASON_EXTERNAL	1
#define REASON_CPUID	10
#define REASON_HLT	12
#define REASON_IO	30
#define LOOKS		50

static struct vm vm;
static struct vcpu c;

static struct {
	struct minivmm_vmcs head;
	struct minivmm_vmcs_field fields[ROOM];
} got;

static struct {
	struct minivmm_explanation head;
	struct minivmm_finding findings[8];
} why;

GUEST16(halt, "hlt");
GUEST16(exits, "cpuid; cpuid; cpuid; mov $0x41, %al; out %al, $0x10; hlt");
LABEL(loop_top);
LABEL(loop_bottom);
GUEST16(loop, "sti; loop_top: incl 0xb000; jmp loop_top; loop_bottom:");

static const char *get_of(int fd, u32 flags)
{
	memset(&got, 0, sizeof(got));
	got.head.nr = ROOM;
	got.head.flags = flags;
	return errno_text(ioctl(fd, MINIVMM_GET_VMCS, &got));
}

static const char *get(u32 flags)
{
	return get_of(c.fd, flags);
}

static struct minivmm_vmcs_field *field(u32 encoding)
{
	static struct minivmm_vmcs_field none;
	u32 i;

	for (i = 0; i < got.head.nr && i < ROOM; i++)
		if (got.fields[i].encoding == encoding)
			return &got.fields[i];
	return &none;
}

static const char *stop_at(u64 exit, u32 reason, u32 flags)
{
	struct minivmm_stop stop = { .exit = exit, .reason = reason, .flags = flags };

	return errno_text(ioctl(c.fd, MINIVMM_STOP_AT, &stop));
}

static const char *explain(u32 nr, u32 flags)
{
	memset(&why, 0, sizeof(why));
	why.head.nr = nr;
	why.head.flags = flags;
	return errno_text(ioctl(c.fd, MINIVMM_EXPLAIN, &why));
}

static void test_refusals(void)
{
	got.head.nr = 0;
	got.head.flags = 0;
	is(errno_text(ioctl(c.fd, MINIVMM_GET_VMCS, &got)), "E2BIG", "room for no field");
	ok(got.head.nr > 150 && got.head.nr < ROOM, "the number of fields is told");
	is(get(2), "EINVAL", "unknown flag");
	is(get(MINIVMM_VMCS_AT_STOP), "ENODATA", "no VM exit stopped it");
	is(errno_text(ioctl(c.fd, MINIVMM_GET_VMCS, 8)), "EFAULT", "bad pointer");
	is(errno_text(ioctl(c.fd, MINIVMM_GET_VMCS, short_pointer(sizeof(got.head)))), "E2BIG",
	   "a head alone, at the end of memory");
	is(stop_at(1, MINIVMM_ANY_REASON, 1), "EINVAL", "stop with a flag");
	is(stop_at(1, 76, 0), "EINVAL", "stop at a reason that is none");
	is(errno_text(ioctl(c.fd, MINIVMM_STOP_AT, 8)), "EFAULT", "stop: bad pointer");
	is(explain(8, 0), "ENODATA", "nothing to explain");
	is(explain(8, 1), "EINVAL", "explain with a flag");
	is(errno_text(ioctl(c.fd, MINIVMM_EXPLAIN, 8)), "EFAULT", "explain: bad pointer");
	is(errno_text(ioctl(c.fd, _IO(MINIVMMIO, 0x7f), 0)), "EINVAL", "a call that is none");
}

/* What KVM's own calls say is in the VMCS, too. */
static void test_values(void)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	u32 number;
	int i;

	guest16(&c, halt);
	is(vcpu_run(&c), "HLT", "a guest halts");
	regs = get_regs(&c);
	sregs = get_sregs(&c);
	is(get(0), "0", "its fields");
	number = got.head.nr;
	ok(got.head.exits, "VM exits so far are told");
	diag("%llu", got.head.exits);
	is_hex(field(VMCS_EXIT_REASON)->value, REASON_HLT, "exit reason");
	is_hex(field(VMCS_EXIT_INSTRUCTION_LENGTH)->value, 1, "length of HLT");
	is_hex(field(VMCS_GUEST_RIP)->value, regs.rip, "guest RIP");
	is_hex(field(VMCS_GUEST_RFLAGS)->value, regs.rflags, "guest RFLAGS");
	is_hex(field(VMCS_GUEST_CS_SELECTOR)->value, sregs.cs.selector, "guest CS selector");
	is_hex(field(VMCS_GUEST_CS_BASE)->value, sregs.cs.base, "guest CS base");
	is_hex(field(VMCS_GUEST_TR_LIMIT)->value, sregs.tr.limit, "guest TR limit");
	is_hex(field(VMCS_GUEST_IDTR_BASE)->value, sregs.idt.base, "guest IDTR base");
	ok(field(VMCS_GUEST_RIP)->flags == MINIVMM_FIELD_EXISTS, "guest RIP exists");
	ok(!field(VMCS_HLAT_POINTER)->flags && !field(VMCS_HLAT_POINTER)->value,
	   "this processor has no HLAT");
	ok(field(VMCS_HOST_RIP)->value >> 63 && !(field(VMCS_HOST_RIP)->flags &
	   MINIVMM_FIELD_HIDDEN), "root sees the host's RIP, in the kernel");
	/* Reading what does not exist would leave an error there. */
	for (i = 0; i < 3; i++)
		get(0);
	is_hex(field(VMCS_INSTRUCTION_ERROR)->value, 0, "looking leaves no trace");
	got.head.nr = number;
	got.head.flags = 0;
	is(errno_text(ioctl(c.fd, MINIVMM_GET_VMCS, &got)), "0", "just enough room");
}

static volatile bool running;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bail("sched_setaffinity: %s", strerror(errno));
}

static void *run_loop(void *unused)
{
	pin(0);
	while (running)
		ioctl(c.fd, KVM_RUN, 0);
	return unused;
}

static void poke(int signal)
{
	(void)signal;
}

static volatile u32 *counter;

/* The guest counts, in a thread on CPU 0. */
static void start_loop(pthread_t *thread)
{
	struct sigaction action = { .sa_handler = poke };

	sigaction(SIGUSR1, &action, NULL);
	guest16(&c, loop);
	counter = (u32 *)(vm.mem + GUEST_DATA);
	*counter = 0;
	running = true;
	pthread_create(thread, NULL, run_loop, NULL);
	while (!*counter)
		usleep(1000);
}

static void stop_loop(pthread_t thread)
{
	running = false;
	while (pthread_kill(thread, SIGUSR1) || pthread_tryjoin_np(thread, NULL))
		usleep(1000);
}

/* An interrupt makes the guest exit, again and again, and it does not notice. */
static void test_running(void)
{
	u64 bottom = GUEST_CODE + (loop_bottom - loop);
	u64 top = GUEST_CODE + (loop_top - loop);
	int i, failed = 0, outside = 0, other = 0, stuck = 0;
	pthread_t thread;
	u32 before;

	start_loop(&thread);
	for (i = 0; i < LOOKS; i++) {
		before = *counter;
		failed += strcmp(get(0), "0") != 0;
		outside += field(VMCS_GUEST_RIP)->value < top ||
			   field(VMCS_GUEST_RIP)->value >= bottom;
		other += field(VMCS_EXIT_REASON)->value != REASON_EXTERNAL;
		usleep(1000);
		stuck += *counter == before;
	}
	stop_loop(thread);
	ok(!failed, "%d looks at a vCPU that runs", LOOKS);
	ok(!outside, "its RIP is in the loop each time");
	ok(!other, "the look itself is the last VM exit: an external interrupt");
	ok(!stuck, "the loop goes on after each");
	diag("failed %d, outside %d, other %d, stuck %d", failed, outside, other, stuck);
}

/*
 * A look at a vCPU that rests on a CPU where another one runs: the other's VMCS is
 * current there, and has to be again.
 */
static void test_beside_another(void)
{
	int i, failed = 0, wrong = 0, stuck = 0;
	u64 top = GUEST_CODE + (loop_top - loop);
	struct vcpu resting;
	pthread_t thread;
	u32 before;

	pin(0);
	vcpu_open(&resting, &vm, 1);
	guest16(&resting, halt);
	is(vcpu_run(&resting), "HLT", "a vCPU rests on CPU 0");
	pin(1);
	start_loop(&thread);
	for (i = 0; i < LOOKS; i++) {
		before = *counter;
		failed += strcmp(get_of(resting.fd, 0), "0") != 0;
		wrong += field(VMCS_GUEST_RIP)->value != GUEST_CODE + 1 ||
			 field(VMCS_EXIT_REASON)->value != REASON_HLT;
		usleep(1000);
		stuck += *counter == before;
	}
	stop_loop(thread);
	ok(!failed, "%d looks at it while another runs there", LOOKS);
	ok(!wrong, "it is where it halted each time");
	ok(!stuck, "the other goes on");
	ok(get_regs(&c).rip >= top, "in its own code");
	is_hex(get_regs(&resting).rip, GUEST_CODE + 1, "and the first is not touched");
	vcpu_close(&resting);
}

/* Another process may look, if it got the descriptor; nothing else. */
static void test_others(void)
{
	struct kvm_regs regs;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int bad = 0;

		bad |= strcmp(errno_text(ioctl(c.fd, KVM_GET_REGS, &regs)), "EIO") ? 1 : 0;
		bad |= strcmp(stop_at(1, MINIVMM_ANY_REASON, 0), "EIO") ? 2 : 0;
		bad |= strcmp(explain(8, 0), "EIO") ? 4 : 0;
		bad |= setuid(65534) ? 8 : 0;
		bad |= strcmp(get(0), "0") ? 16 : 0;
		bad |= field(VMCS_HOST_RIP)->value || field(VMCS_EPTP)->value ||
		       field(VMCS_HOST_GDTR_BASE)->value || field(VMCS_HOST_CR3)->value ? 32 : 0;
		bad |= field(VMCS_HOST_RIP)->flags !=
		       (MINIVMM_FIELD_EXISTS | MINIVMM_FIELD_HIDDEN) ? 64 : 0;
		bad |= !field(VMCS_GUEST_CR0)->value || field(VMCS_GUEST_CR0)->flags !=
		       MINIVMM_FIELD_EXISTS ? 128 : 0;
		_exit(bad);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status),
	   "another process, not root, sees the guest's fields and not the host's addresses");
	diag("status 0x%x", status);
}

static void test_stop(void)
{
	guest16(&c, exits);
	is(get(0), "0", "before a run");
	is(stop_at(got.head.exits + 1, REASON_CPUID, 0), "0", "stop at a CPUID");
	is(get(MINIVMM_VMCS_AT_STOP), "ENODATA", "not yet");
	is(vcpu_run(&c), "EINTR INTR", "KVM_RUN stops");
	is(get(MINIVMM_VMCS_AT_STOP), "0", "its fields");
	is_hex(field(VMCS_EXIT_REASON)->value, REASON_CPUID, "it was CPUID");
	is_hex(field(VMCS_GUEST_RIP)->value, GUEST_CODE, "RIP at the first");
	is_hex(get_regs(&c).rip, GUEST_CODE + 2, "which is done");
	is(stop_at(got.head.exits + 2, REASON_CPUID, 0), "0", "stop two VM exits later");
	is(vcpu_run(&c), "EINTR INTR", "KVM_RUN stops again");
	is(get(MINIVMM_VMCS_AT_STOP), "0", "its fields");
	ok(field(VMCS_GUEST_RIP)->value > GUEST_CODE + 1, "RIP behind the first");
	is(vcpu_run(&c), "OUT port=10 size=1 count=1 data=41", "it stops once");

	guest16(&c, exits);
	is(stop_at(1, REASON_IO, 0), "0", "stop at an I/O instruction");
	is(vcpu_run(&c), "OUT port=10 size=1 count=1 data=41", "which is user space's");
	is(get(MINIVMM_VMCS_AT_STOP), "0", "its fields");
	is_hex(field(VMCS_EXIT_QUALIFICATION)->value, 0x10 << 16 | 1 << 6,
	       "OUT of a byte to port 0x10, immediate");
	is(vcpu_run(&c), "EINTR INTR", "the next VM entry does not take place");
	is(vcpu_run(&c), "HLT", "but then");

	guest16(&c, exits);
	stop_at(1, REASON_CPUID, 0);
	is(stop_at(0, MINIVMM_ANY_REASON, 0), "0", "do not stop after all");
	is(vcpu_run(&c), "OUT port=10 size=1 count=1 data=41", "it does not");
}

static void test_explain(void)
{
	struct kvm_sregs sregs;

	guest32(&c, halt);
	sregs = get_sregs(&c);
	sregs.tr.type = 9;
	set_sregs(&c, &sregs);
	is(vcpu_run(&c), "FAIL_ENTRY 0x80000021", "a TSS that is not busy");
	is(explain(0, 0), "E2BIG", "room for no reason");
	is_hex(why.head.nr, 1, "one rule is broken");
	is(explain(8, 0), "0", "the reason");
	is_hex(why.head.reason, 0x80000021, "as kvm_run has it");
	is_hex(why.findings[0].field, VMCS_GUEST_TR_ACCESS_RIGHTS, "the field");
	is_hex(why.findings[0].value & 15, 9, "its value");
	is(why.findings[0].name, "guest TR access rights", "its name");
	ok(strstr(why.findings[0].rule, "busy TSS"), "the rule names the type that must be");
	is(why.findings[0].section, "Checks on Guest Segment Registers", "the section");
	ok(strstr(why.findings[0].writer, "module/vmx/state.c:"), "who wrote it");
	diag("%s; %s", why.findings[0].rule, why.findings[0].writer);

	sregs.tr.type = 11;
	sregs.cs.l = 0;
	sregs.es.type = 8;
	sregs.fs.base = 1ULL << 63;
	set_sregs(&c, &sregs);
	is(vcpu_run(&c), "FAIL_ENTRY 0x80000021", "two other mistakes");
	is(explain(8, 0), "0", "the reasons are new");
	is_hex(why.head.nr, 2, "both");
}

int main(int argc, char *argv[])
{
	const char *device = argc > 1 ? argv[1] : "/dev/minivmm";

	vm_open(&vm, device, 2 << 20);
	vcpu_open(&c, &vm, 0);
	if (!strcmp(device, "/dev/kvm")) {
		is(get(0), "EINVAL", "KVM has none of the calls");
		is(stop_at(0, 0, 0), "EINVAL", "nor this");
		is(explain(0, 0), "EINVAL", "nor this");
	} else {
		test_refusals();
		test_values();
		test_running();
		test_beside_another();
		test_others();
		test_stop();
		test_explain();
	}
	vcpu_close(&c);
	vm_close(&vm);
	return done_testing();
}
