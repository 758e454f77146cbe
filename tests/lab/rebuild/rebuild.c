// SPDX-License-Identifier: GPL-2.0
/*
 * Takes a program's VM apart in the middle of its run, and puts it together
 * again, without the program's knowledge: what KVM_GET_* says of the vCPU goes to
 * a new vCPU of a new VM, in QEMU's order, and the descriptors and the mapping of
 * struct kvm_run become the new ones'. The guest must go on as if nothing had
 * happened.
 *
 * That is done before some calls of KVM_RUN, and at random moments in between,
 * when a timer interrupts the guest. REBUILD=SEED says which and when; how often is
 * added to the file REBUILD_LOG. As a library it is for LD_PRELOAD; linked into a
 * program it wants --wrap=ioctl,--wrap=mmap, and the program may call rebuild_vm()
 * itself.
 *
 * A program with more than one vCPU, or with state of the VM that is not repeated
 * here (stateful()), is left alone.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rebuild.h"

#ifdef __PIC__
#define PRELOADED	true
#define OURS(name)	name
#else
#define PRELOADED	false
#define OURS(name)	__wrap_##name
#endif

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_MSRS	256
#define MAX_CALLS	64
#define MAX_XSAVE	(3 * 4096)
#define SIGNAL		(SIGRTMIN + 5)

/* KVM_GET_MSR_INDEX_LIST leaves the MTRRs out; QEMU saves them all the same. */
static const uint32_t mtrrs[] = { 0x200, 0x201, 0x250, 0x2ff };

/* A call that the new VM or vCPU gets as well */
struct call {
	unsigned long request;
	unsigned long plain;	/* its argument, if it has no size */
	char data[64];
};

static struct {
	int device, vm, vcpu, id;
	void *run;
	size_t run_size;
	struct call calls[MAX_CALLS];
	unsigned int nr_calls;
	const char *left_alone;	/* why, if it is */
	bool ran;		/* there may be an exit to be completed */
} our = { .device = -1, .vm = -1, .vcpu = -1 };

static struct state {
	struct kvm_regs regs;
	struct kvm_sregs2 sregs;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	union {
		struct kvm_xsave xsave;
		char bytes[MAX_XSAVE];
	};
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[MAX_MSRS];
	} msrs;
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid;
	long tsc_khz;
} state, again;

static uint64_t random_state;
static unsigned int runs, rebuilt, interrupted;
static volatile sig_atomic_t kicked;
static timer_t timer;
static bool armed;

static long raw(int fd, unsigned long request, void *arg)
{
	return syscall(SYS_ioctl, fd, request, arg);
}

/* Standard output may be the guest's; in a program of tests it is TAP. */
static void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *format, ...)
{
	FILE *out = PRELOADED ? stderr : stdout;
	va_list args;

	va_start(args, format);
	fputs(PRELOADED ? "rebuild: " : "Bail out! rebuild: ", out);
	vfprintf(out, format, args);
	fputc('\n', out);
	fflush(out);
	_exit(70);
}

static void die(const char *what)
{
	give_up("%s: %s", what, strerror(errno));
}

static long need(int fd, unsigned long request, void *arg, const char *what)
{
	long ret = raw(fd, request, arg);

	if (ret < 0)
		die(what);
	return ret;
}

#define NEED(fd, request, arg)	need(fd, request, (void *)(uintptr_t)(arg), #request)

/* xorshift64* */
static uint64_t below(uint64_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull >> 32) % n;
}

/* The caller's own flag may be set meanwhile; whoever sets it asks again later. */
static void on_signal(int signal)
{
	(void)signal;
	kicked = 1;
	if (our.run)
		((struct kvm_run *)our.run)->immediate_exit = 1;
}

static void finish(void)
{
	const char *name = getenv("REBUILD_LOG");
	FILE *log = name ? fopen(name, "a") : NULL;

	if (!log)
		return;
	fprintf(log, "%u rebuilt, %u of them where a timer stopped the guest; %u runs%s\n",
		rebuilt, interrupted, runs, our.left_alone ?: "");
	fclose(log);
}

static bool wanted(void)
{
	static int seeded;
	const char *seed;

	if (!seeded) {
		seed = getenv("REBUILD");
		seeded = seed ? 1 : -1;
		random_state = seed ? strtoull(seed, NULL, 0) * 2 + 1 : 0;
		if (seed)
			atexit(finish);
	}
	return seeded > 0;
}

static void arm(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL,
	};
	struct itimerspec when = { .it_value.tv_nsec = 1000 * (20 + below(20000)) };

	if (!armed) {
		event._sigev_un._tid = syscall(SYS_gettid);
		sigaction(SIGNAL, &action, NULL);
		if (timer_create(CLOCK_MONOTONIC, &event, &timer))
			die("timer_create");
		armed = true;
	}
	kicked = 0;
	timer_settime(timer, 0, &when, NULL);
}

static void disarm(void)
{
	timer_settime(timer, 0, &(struct itimerspec){ }, NULL);
}

static void repeat(int fd, struct call *call)
{
	void *arg = _IOC_SIZE(call->request) ? call->data : (void *)call->plain;

	if (raw(fd, call->request, arg) < 0)
		die("a call that went well before");
}

static bool of_vcpu(unsigned long request)
{
	return request == KVM_SET_GUEST_DEBUG;
}

/* What has no KVM_GET_*, and is therefore noted. */
static bool noted(unsigned long request)
{
	return request == KVM_SET_USER_MEMORY_REGION || request == KVM_SET_TSS_ADDR ||
	       request == KVM_SET_IDENTITY_MAP_ADDR || of_vcpu(request);
}

/* What has none either, and is not. */
static bool stateful(unsigned long request)
{
	static const unsigned long requests[] = {
		KVM_ENABLE_CAP, KVM_CREATE_IRQCHIP, KVM_X86_SET_MSR_FILTER, KVM_IOEVENTFD,
		KVM_REGISTER_COALESCED_MMIO, KVM_SET_SIGNAL_MASK, KVM_GET_STATS_FD,
		KVM_X86_SETUP_MCE, KVM_GET_DIRTY_LOG,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		if (requests[i] == request)
			return true;
	return false;
}

static void note(unsigned long request, unsigned long arg)
{
	struct call *call = &our.calls[our.nr_calls];

	if (our.nr_calls == MAX_CALLS || _IOC_SIZE(request) > sizeof(call->data)) {
		our.left_alone = "; then left alone: too many calls to be repeated";
		return;
	}
	call->request = request;
	call->plain = arg;
	memcpy(call->data, (void *)arg, _IOC_SIZE(request));
	our.nr_calls++;
}

static void get_state(struct state *s)
{
	struct { struct kvm_msr_list head; uint32_t indices[MAX_MSRS]; } list;
	struct kvm_msr_entry *msr = s->msrs.entries;
	uint32_t i, n;

	memset(s, 0, sizeof(*s));
	/* First of all, as QEMU does: it may settle what others then show. */
	NEED(our.vcpu, KVM_GET_MP_STATE, &s->mp_state);
	NEED(our.vcpu, KVM_GET_REGS, &s->regs);
	NEED(our.vcpu, raw(our.vm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_XSAVE2) > 0 ?
	     KVM_GET_XSAVE2 : KVM_GET_XSAVE, &s->xsave);
	NEED(our.vcpu, KVM_GET_XCRS, &s->xcrs);
	NEED(our.vcpu, KVM_GET_SREGS2, &s->sregs);
	NEED(our.vcpu, KVM_GET_VCPU_EVENTS, &s->events);
	NEED(our.vcpu, KVM_GET_DEBUGREGS, &s->debugregs);
	s->tsc_khz = NEED(our.vcpu, KVM_GET_TSC_KHZ, 0);
	s->cpuid.head.nent = ARRAY_SIZE(s->cpuid.entries);
	NEED(our.vcpu, KVM_GET_CPUID2, &s->cpuid);

	list.head.nmsrs = MAX_MSRS - ARRAY_SIZE(mtrrs);
	NEED(our.device, KVM_GET_MSR_INDEX_LIST, &list);
	memcpy(list.indices + list.head.nmsrs, mtrrs, sizeof(mtrrs));
	list.head.nmsrs += ARRAY_SIZE(mtrrs);
	for (i = n = 0; i < list.head.nmsrs; i++) {
		s->msrs.head.nmsrs = 1;
		msr->index = list.indices[i];
		/* The list is of the system: this vCPU may lack the feature. */
		if (raw(our.vcpu, KVM_GET_MSRS, &s->msrs) < 1)
			continue;
		/* KVM's own, which it does not take back without a controller */
		if (msr->index >> 8 == 0x4b564d && !msr->data)
			continue;
		list.indices[n++] = list.indices[i];
	}
	for (i = 0; i < n; i++)
		msr[i].index = list.indices[i];
	s->msrs.head.nmsrs = n;
	if (NEED(our.vcpu, KVM_GET_MSRS, &s->msrs) != n)
		die("KVM_GET_MSRS");
}

static void same(const void *got, const void *want, size_t size, const char *what)
{
	const unsigned char *a = got, *b = want;
	size_t i = 0;

	while (i < size && a[i] == b[i])
		i++;
	if (i == size)
		return;
	give_up("%s is not what was set: byte %zu is %#x, not %#x", what, i, a[i], b[i]);
}

#define SAME(member)	same(&again.member, &state.member, sizeof(state.member), #member)

/* SET makes every segment an accessed one, also those that cannot be used. */
static void accessed(struct kvm_sregs2 *s)
{
	struct kvm_segment *segments[] = { &s->cs, &s->ds, &s->es, &s->fs, &s->gs, &s->ss };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(segments); i++)
		segments[i]->type |= segments[i]->unusable;
}

/* The new vCPU says the same as the old one did. */
static void hold_against(void)
{
	struct kvm_msr_entry *got = again.msrs.entries, *want = state.msrs.entries;
	unsigned int i;

	get_state(&again);
	/* KVM counts one that waits as injected, too, and takes it back as that. */
	again.events.exception.pending = state.events.exception.pending;
	/* The number of one that was taken long ago */
	if (!state.events.interrupt.injected)
		state.events.interrupt.nr = again.events.interrupt.nr;
	accessed(&state.sregs);
	accessed(&again.sregs);
	SAME(regs);
	SAME(sregs);
	SAME(xcrs);
	SAME(debugregs);
	SAME(events);
	SAME(mp_state);
	SAME(bytes);
	SAME(cpuid);
	SAME(tsc_khz);
	for (i = 0; i < state.msrs.head.nmsrs; i++) {
		/* The time goes on: the TSC, and Hyper-V's counters. */
		if (want[i].index == 0x10 || want[i].index >> 8 == 0x400000)
			continue;
		if (got[i].index == want[i].index && got[i].data == want[i].data)
			continue;
		give_up("MSR 0x%x is 0x%llx, not 0x%llx", want[i].index, got[i].data,
			want[i].data);
	}
}

static void set_state(void)
{
	unsigned long n;

	if (state.cpuid.head.nent)
		NEED(our.vcpu, KVM_SET_CPUID2, &state.cpuid);
	NEED(our.vcpu, KVM_SET_TSC_KHZ, state.tsc_khz);
	NEED(our.vcpu, KVM_SET_SREGS2, &state.sregs);
	NEED(our.vcpu, KVM_SET_REGS, &state.regs);
	NEED(our.vcpu, KVM_SET_XSAVE, &state.xsave);
	if (state.xcrs.nr_xcrs)
		NEED(our.vcpu, KVM_SET_XCRS, &state.xcrs);
	n = NEED(our.vcpu, KVM_SET_MSRS, &state.msrs);
	if (n != state.msrs.head.nmsrs)
		give_up("MSR 0x%x does not take back 0x%llx",
			state.msrs.entries[n].index, state.msrs.entries[n].data);
	NEED(our.vcpu, KVM_SET_VCPU_EVENTS, &state.events);
	NEED(our.vcpu, KVM_SET_MP_STATE, &state.mp_state);
	NEED(our.vcpu, KVM_SET_DEBUGREGS, &state.debugregs);
}

/* The old descriptors' numbers are the program's. */
static void replace(int old, int new)
{
	if (dup2(new, old) < 0)
		die("dup2");
	close(new);
}

void rebuild_vm(void)
{
	char run[3 * 4096];
	unsigned int i;
	int vm, vcpu;

	if (our.left_alone)
		give_up("this VM cannot be taken apart%s", our.left_alone);
	if (our.run_size > sizeof(run))
		die("struct kvm_run is larger than known");
	get_state(&state);
	memcpy(run, our.run, our.run_size);
	munmap(our.run, our.run_size);
	/* The old one ends here, with its last descriptor. */
	vm = NEED(our.device, KVM_CREATE_VM, 0);
	replace(our.vm, vm);
	for (i = 0; i < our.nr_calls; i++)
		if (!of_vcpu(our.calls[i].request))
			repeat(our.vm, &our.calls[i]);
	vcpu = NEED(our.vm, KVM_CREATE_VCPU, our.id);
	replace(our.vcpu, vcpu);
	if ((void *)syscall(SYS_mmap, our.run, our.run_size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED, our.vcpu, 0L) != our.run)
		die("mmap");
	memcpy(our.run, run, our.run_size);
	set_state();
	hold_against();
	for (i = 0; i < our.nr_calls; i++)
		if (of_vcpu(our.calls[i].request))
			repeat(our.vcpu, &our.calls[i]);
	rebuilt++;
}

/*
 * An exit's access is completed first, as the API document demands ("KVM_RUN",
 * immediate_exit). Return: whether that brought another exit, or an error.
 */
static bool complete(long *ret)
{
	struct kvm_run *run = our.run;
	uint8_t flag = run->immediate_exit;

	run->immediate_exit = 1;
	*ret = raw(our.vcpu, KVM_RUN, NULL);
	run->immediate_exit = flag;
	return *ret == 0 || errno != EINTR;
}

static long run_vcpu(void)
{
	struct kvm_run *run = our.run;
	uint8_t flag;
	long ret;

	runs++;
	/* The first exits are the start of a guest, which is most of some. */
	if (our.ran && !below(runs < 16 ? 2 : 100)) {
		if (complete(&ret))
			return ret;
		rebuild_vm();
	}
	for (;;) {
		flag = run->immediate_exit;
		arm();
		ret = raw(our.vcpu, KVM_RUN, NULL);
		disarm();
		our.ran = true;
		if (!kicked)
			return ret;
		run->immediate_exit = flag;
		if (ret == 0 || errno != EINTR || flag)
			return ret;
		rebuild_vm();
		interrupted++;
	}
}

int OURS(ioctl)(int fd, unsigned long request, ...);
void *OURS(mmap)(void *at, size_t size, int prot, int flags, int fd, off_t offset);

int OURS(ioctl)(int fd, unsigned long request, ...)
{
	unsigned long arg;
	va_list args;
	long ret;

	va_start(args, request);
	arg = va_arg(args, unsigned long);
	va_end(args);
	request = (uint32_t)request;
	if (fd == our.vcpu && request == KVM_RUN && our.run && !our.left_alone && wanted())
		return run_vcpu();
	ret = raw(fd, request, (void *)arg);
	if (ret < 0)
		return ret;
	if (request == KVM_CREATE_VM) {
		if (our.device >= 0)
			close(our.device);
		memset(&our, 0, sizeof(our));
		our.device = dup(fd);
		our.vm = ret;
		our.vcpu = -1;
	} else if (fd == our.vm && request == KVM_CREATE_VCPU) {
		if (our.vcpu >= 0)
			our.left_alone = "; then left alone: two vCPUs";
		our.vcpu = ret;
		our.id = arg;
	} else if (fd == our.vm || fd == our.vcpu) {
		if (stateful(request))
			our.left_alone = "; then left alone: it has state that is not repeated";
		else if (noted(request))
			note(request, arg);
	}
	return ret;
}

void *OURS(mmap)(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	void *ret = (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset);

	if (ret != MAP_FAILED && fd >= 0 && fd == our.vcpu && !offset) {
		our.run = ret;
		our.run_size = size;
	}
	return ret;
}
