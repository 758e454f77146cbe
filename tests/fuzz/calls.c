// SPDX-License-Identifier: GPL-2.0
/* The interface fuzzer's calls, and the table of errnos that each has. */
#include <errno.h>
#include <linux/minivmm.h>
#include <poll.h>
#include <sys/ioctl.h>
#include "calls.h"
#include "given.h"
#include "tap.h"

struct fuzz fuzz;
__thread bool noise;
/* Words that follow the call's name */
static __thread const char *detail = "";

/* --- Verdicts ------------------------------------------------------------------ */

void judge(const char *what, long ret, long least, u64 allowed)
{
	int err = ret < 0 ? errno : 0;
	bool good = err ? err < 64 && (allowed & (1ull << err)) : ret >= least;

	__atomic_add_fetch(&fuzz.all_calls, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&fuzz.seen[err & 63], 1, __ATOMIC_RELAXED);
	if (fuzz.logging && !noise)
		printf("%lu %s%s = %s\n", fuzz.calls, what, detail, errno_name(err));
	if (good)
		return;
	if (__atomic_add_fetch(&fuzz.failures, 1, __ATOMIC_RELAXED) <= 20)
		diag("call %lu%s: %s%s returned %ld, %s", fuzz.calls,
		     noise ? " (another thread)" : "", what, detail, ret,
		     errno_name(err));
}

/* --- The calls ------------------------------------------------------------------- */

/**
 * struct call - an ioctl
 * @name: its name
 * @cmd: its number
 * @fill: puts a structure, well or not, at buffer.rw; returns its size. NULL if
 *	the argument is a number
 * @size: of the structure, if the kernel only writes it
 * @errnos: what it may fail with, but for EFAULT, which follows from the pointer
 * @exact: the whole structure is read, or written, whatever is in it: with a bad
 *	pointer nothing but EFAULT will do
 * @writes: the kernel writes to the structure
 * @more: the size depends on a count in it: a good pointer may be too short
 * @null_ok: NULL means something
 * @here: not held against KVM's answers
 */
struct call {
	const char *name;
	unsigned int cmd;
	size_t (*fill)(int fd);
	size_t size;
	u64 errnos;
	bool exact, writes, more, null_ok, here;
};

#define CALL(name)	#name, name

static const struct call sys_calls[] = {
	{ CALL(KVM_GET_API_VERSION), .errnos = E(INVAL) },
	{ CALL(KVM_CHECK_EXTENSION) },
	{ CALL(KVM_GET_VCPU_MMAP_SIZE), .errnos = E(INVAL) },
	{ CALL(KVM_GET_SUPPORTED_CPUID), fill_cpuid, .errnos = E(2BIG), .writes = true,
	  .more = true },
	{ CALL(KVM_GET_MSR_INDEX_LIST), fill_list, .errnos = E(2BIG), .writes = true,
	  .more = true },
	{ CALL(KVM_GET_MSR_FEATURE_INDEX_LIST), fill_list, .errnos = E(2BIG),
	  .writes = true, .more = true, .here = true },
	{ CALL(KVM_GET_EMULATED_CPUID), fill_cpuid, .errnos = E(2BIG) | E(INVAL), .writes = true,
	  .more = true, .here = true },
	{ CALL(KVM_GET_MSRS), fill_msrs, .errnos = E(2BIG), .writes = true, .more = true,
	  .here = true },
	{ CALL(MINIVMM_GET_CAPABILITY), .size = sizeof(struct minivmm_capability), .exact = true,
	  .writes = true, .errnos = E(INVAL), .here = true },
	{ CALL(KVM_X86_GET_MCE_CAP_SUPPORTED), .size = 8, .exact = true, .writes = true,
	  .here = true },
	{ CALL(KVM_HAS_DEVICE_ATTR), fill_attr, .errnos = E(NXIO), .exact = true,
	  .here = true },
	{ CALL(KVM_GET_DEVICE_ATTR), fill_attr, .errnos = E(NXIO) | E(FAULT),
	  .exact = true, .here = true },
};

static const struct call vm_calls[] = {
	{ CALL(KVM_SET_USER_MEMORY_REGION), fill_region,
	  .errnos = E(INVAL) | E(EXIST) | E(NOMEM), .exact = true },
	{ CALL(KVM_SET_USER_MEMORY_REGION), fill_region,
	  .errnos = E(INVAL) | E(EXIST) | E(NOMEM),
	  .exact = true },
	{ CALL(KVM_SET_TSS_ADDR), .errnos = E(INVAL) },
	{ CALL(KVM_SET_IDENTITY_MAP_ADDR), fill_address, .errnos = E(INVAL) },
	{ CALL(KVM_CHECK_EXTENSION) },
	{ CALL(KVM_ENABLE_CAP), fill_cap, .errnos = E(INVAL), .exact = true, .here = true },
	{ CALL(KVM_X86_SET_MSR_FILTER), fill_filter, .errnos = E(INVAL) | E(FAULT),
	  .exact = true, .here = true },
	{ CALL(KVM_GET_CLOCK), .size = sizeof(struct kvm_clock_data), .exact = true,
	  .writes = true, .here = true },
	{ CALL(KVM_SET_CLOCK), fill_clock, .errnos = E(INVAL), .exact = true, .here = true },
	{ CALL(KVM_GET_TSC_KHZ), .here = true },
	{ CALL(KVM_SET_TSC_KHZ), .errnos = E(INVAL), .here = true },
	{ CALL(KVM_IOEVENTFD), fill_ioeventfd, .exact = true, .here = true,
	  .errnos = E(INVAL) | E(EXIST) | E(NOENT) | E(BADF) | E(NOSPC) | E(NOMEM) },
	{ CALL(KVM_REGISTER_COALESCED_MMIO), fill_zone, .exact = true, .here = true,
	  .errnos = E(INVAL) | E(NOSPC) | E(NOMEM) },
	{ CALL(KVM_UNREGISTER_COALESCED_MMIO), fill_zone, .errnos = E(INVAL),
	  .exact = true, .here = true },
	{ CALL(KVM_GET_DIRTY_LOG), fill_dirty_log, .exact = true, .here = true,
	  .errnos = E(INVAL) | E(NOENT) | E(FAULT) | E(NOMEM) | E(NXIO) },
	{ CALL(KVM_CLEAR_DIRTY_LOG), fill_clear_log, .exact = true, .here = true,
	  .errnos = E(INVAL) | E(NOENT) | E(FAULT) | E(NOMEM) | E(NXIO) },
	{ CALL(KVM_SIGNAL_MSI), fill_msi, .errnos = E(INVAL) | E(NXIO), .exact = true,
	  .here = true },
	{ CALL(KVM_SET_GSI_ROUTING), fill_address, .errnos = E(INVAL), .exact = true,
	  .here = true },
	{ CALL(KVM_IRQ_LINE), fill_line, .errnos = E(NXIO), .exact = true, .here = true },
	{ CALL(KVM_IRQ_LINE_STATUS), fill_line, .errnos = E(NXIO), .exact = true, .here = true },
	{ CALL(KVM_GET_IRQCHIP), fill_chip, .errnos = E(NXIO), .exact = true, .here = true },
	{ CALL(KVM_SET_IRQCHIP), fill_chip, .errnos = E(NXIO), .exact = true, .here = true },
	{ CALL(KVM_IRQFD), fill_irqfd, .exact = true, .here = true,
	  .errnos = E(INVAL) | E(BADF) },
	{ CALL(KVM_GET_PIT), .size = sizeof(struct kvm_pit_state), .errnos = E(NXIO),
	  .exact = true, .here = true },
	{ CALL(KVM_SET_PIT), .size = sizeof(struct kvm_pit_state), .errnos = E(NXIO),
	  .exact = true, .here = true },
	{ CALL(KVM_SET_PIT2), .size = sizeof(struct kvm_pit_state2), .errnos = E(NXIO),
	  .exact = true, .here = true },
	{ CALL(KVM_REINJECT_CONTROL), .size = sizeof(struct kvm_reinject_control),
	  .errnos = E(NXIO), .exact = true, .here = true },
	{ CALL(KVM_SET_BOOT_CPU_ID), .errnos = E(BUSY), .here = true },
	{ CALL(KVM_SET_NR_MMU_PAGES), .errnos = E(INVAL), .here = true },
};

static const struct call vcpu_calls[] = {
	{ CALL(KVM_GET_REGS), .size = sizeof(struct kvm_regs), .exact = true,
	  .writes = true },
	{ CALL(KVM_SET_REGS), fill_regs, .exact = true },
	{ CALL(KVM_GET_SREGS), .size = sizeof(struct kvm_sregs), .exact = true,
	  .writes = true },
	{ CALL(KVM_SET_SREGS), fill_sregs, .errnos = E(INVAL), .exact = true },
	{ CALL(KVM_SET_SREGS), fill_sregs, .errnos = E(INVAL), .exact = true },
	{ CALL(KVM_GET_FPU), .size = sizeof(struct kvm_fpu), .exact = true,
	  .writes = true },
	{ CALL(KVM_SET_FPU), fill_fpu, .exact = true },
	{ CALL(KVM_GET_MSRS), fill_msrs, .errnos = E(2BIG), .writes = true, .more = true },
	{ CALL(KVM_SET_MSRS), fill_msrs, .errnos = E(2BIG), .more = true },
	{ CALL(KVM_SET_CPUID2), fill_cpuid, .errnos = E(2BIG) | E(INVAL), .more = true },
	{ CALL(KVM_GET_CPUID2), fill_cpuid, .errnos = E(2BIG), .writes = true,
	  .more = true },
	{ CALL(KVM_INTERRUPT), fill_irq, .errnos = E(INVAL), .exact = true },
	{ CALL(KVM_NMI) },
	{ CALL(KVM_GET_VCPU_EVENTS), .size = sizeof(struct kvm_vcpu_events),
	  .exact = true, .writes = true },
	{ CALL(KVM_SET_VCPU_EVENTS), fill_events, .errnos = E(INVAL), .exact = true },
	{ CALL(KVM_SET_GUEST_DEBUG), fill_guest_debug, .errnos = E(BUSY), .exact = true,
	  .here = true },
	{ CALL(KVM_GET_DEBUGREGS), .size = sizeof(struct kvm_debugregs), .exact = true,
	  .writes = true, .here = true },
	{ CALL(KVM_SET_DEBUGREGS), fill_debugregs, .errnos = E(INVAL), .exact = true,
	  .here = true },
	{ CALL(KVM_GET_XSAVE), .size = sizeof(struct kvm_xsave), .exact = true,
	  .writes = true, .here = true },
	{ CALL(KVM_GET_XSAVE2), .size = sizeof(struct kvm_xsave), .exact = true,
	  .writes = true, .here = true },
	{ CALL(KVM_SET_XSAVE), fill_xsave, .errnos = E(INVAL), .exact = true, .here = true },
	{ CALL(KVM_GET_XCRS), .size = sizeof(struct kvm_xcrs), .exact = true,
	  .writes = true, .here = true },
	{ CALL(KVM_SET_XCRS), fill_xcrs, .errnos = E(INVAL), .exact = true, .here = true },
	{ CALL(KVM_GET_MP_STATE), .size = sizeof(struct kvm_mp_state), .exact = true,
	  .writes = true, .here = true },
	{ CALL(KVM_SET_MP_STATE), fill_mp_state, .errnos = E(INVAL), .exact = true,
	  .here = true },
	{ CALL(KVM_GET_SREGS2), .size = sizeof(struct kvm_sregs2), .exact = true,
	  .writes = true, .here = true },
	{ CALL(KVM_SET_SREGS2), fill_sregs2, .errnos = E(INVAL), .exact = true,
	  .here = true },
	{ CALL(KVM_GET_TSC_KHZ), .here = true },
	{ CALL(KVM_SET_TSC_KHZ), .errnos = E(INVAL), .here = true },
	{ CALL(KVM_KVMCLOCK_CTRL), .errnos = E(INVAL), .here = true },
	{ CALL(KVM_TRANSLATE), fill_translation, .exact = true, .writes = true,
	  .here = true },
	{ CALL(KVM_HAS_DEVICE_ATTR), fill_attr, .errnos = E(NXIO), .exact = true,
	  .here = true },
	{ CALL(KVM_GET_DEVICE_ATTR), fill_attr, .errnos = E(NXIO) | E(FAULT),
	  .exact = true, .here = true },
	{ CALL(KVM_SET_DEVICE_ATTR), fill_attr, .errnos = E(NXIO) | E(FAULT),
	  .exact = true, .here = true },
	{ CALL(KVM_ENABLE_CAP), fill_cap, .errnos = E(INVAL), .exact = true, .here = true },
	{ CALL(KVM_X86_SETUP_MCE), fill_address, .errnos = E(INVAL), .exact = true,
	  .here = true },
	{ CALL(MINIVMM_GET_VMCS), fill_vmcs, .errnos = E(INVAL) | E(2BIG) | E(NODATA),
	  .writes = true, .more = true, .here = true },
	{ CALL(MINIVMM_STOP_AT), fill_stop, .errnos = E(INVAL), .exact = true, .here = true },
	{ CALL(MINIVMM_EXPLAIN), fill_explanation, .errnos = E(INVAL) | E(2BIG) | E(NODATA),
	  .writes = true, .more = true, .here = true },
	{ CALL(MINIVMM_TRACE), .errnos = E(INVAL) | E(BUSY), .here = true },
	{ CALL(KVM_SET_SIGNAL_MASK), fill_sigmask, .errnos = E(INVAL), .null_ok = true },
};

/* Known to KVM, not here: EINVAL on a vCPU, ENOTTY on a VM, whatever the argument */
static const struct call refused[] = {
	{ CALL(KVM_CREATE_DEVICE) }, { CALL(KVM_SMI) }, { CALL(KVM_GET_LAPIC) },
	{ CALL(KVM_SET_LAPIC) }, { CALL(KVM_TPR_ACCESS_REPORTING) },
	{ CALL(KVM_SET_CPUID) }, { CALL(KVM_GET_NESTED_STATE) },
	{ CALL(KVM_SET_NESTED_STATE) }, { CALL(KVM_X86_SET_MCE) },
	{ CALL(KVM_MEMORY_ENCRYPT_OP) },
};

/* The number right but for its size, its direction, its magic or its own number */
static unsigned int wrong_number(unsigned int cmd)
{
	switch (below(4)) {
	case 0:
		return cmd ^ 1u << (_IOC_SIZESHIFT + below(_IOC_SIZEBITS));
	case 1:
		return cmd ^ (1 + below(3)) << _IOC_DIRSHIFT;
	case 2:
		return (cmd & ~0xff00u) | (u8)rnd() << 8;
	default:
		return (cmd & ~0xffu) | (u8)rnd();
	}
}

static bool is_known(const struct call *table, size_t n, unsigned int cmd)
{
	while (n--) {
		if (table[n].cmd == cmd)
			return true;
	}
	return false;
}

/* Does anything on any descriptor have this number? Then it is no unknown one. */
static bool is_any(unsigned int cmd)
{
	static const unsigned int others[] = {
		KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_RUN, KVM_GET_STATS_FD,
		KVM_CREATE_IRQCHIP, KVM_GET_NR_MMU_PAGES,
		MINIVMM_GET_VERSION, FIOCLEX, FIONCLEX, FIONBIO, FIOASYNC,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		if (others[i] == cmd)
			return true;
	}
	return is_known(sys_calls, ARRAY_SIZE(sys_calls), cmd) ||
	       is_known(vm_calls, ARRAY_SIZE(vm_calls), cmd) ||
	       is_known(vcpu_calls, ARRAY_SIZE(vcpu_calls), cmd) ||
	       /* The VFS's own: FIBMAP, FIONREAD, FS_IOC_* ... */
	       _IOC_TYPE(cmd) == 0 || _IOC_TYPE(cmd) == 'X' || _IOC_TYPE(cmd) == 'T' ||
	       _IOC_TYPE(cmd) == 'f';
}

static void do_unknown(int fd, const struct call *table, size_t n, u64 expected)
{
	const struct call *c = one_in(2) ? &pick(refused) : &table[below(n)];
	unsigned int cmd = c->cmd;
	char text[64];

	if (is_known(table, n, cmd) || one_in(3))
		cmd = wrong_number(cmd);
	if (is_any(cmd) ||
	    ((!fuzz.is_minivmm || fuzz.common) && _IOC_TYPE(cmd) == KVMIO))
		return;
	snprintf(text, sizeof(text), "unknown call %#x", cmd);
	if (noise)
		expected |= E_RACE;
	judge(text, ioctl(fd, cmd, one_in(2) ? edge() : place(some_pointer(), 8)),
	      1L << 32, expected);
}

static void do_call(int fd, const struct call *c)
{
	static const char *const kinds[] = {
		"", " (end of page)", " (read-only)", " (short)", " (unmapped)",
		" (NULL)", " (kernel)", " (not canonical)",
	};
	enum pointer kind = some_pointer();
	u64 errnos = c->errnos;
	long least = 0, ret;
	size_t size;
	bool bad;

	if (fuzz.common && c->here)
		return;
	if (!c->fill && !c->size) {
		ret = ioctl(fd, c->cmd, one_in(3) ? 0 : edge());
		goto judge;
	}
	size = c->fill ? c->fill(fd) : c->size;
	bad = kind >= SHORT || (kind == READ_ONLY && c->writes);
	if (kind == NIL && c->null_ok)
		bad = false;
	if (bad) {
		errnos |= E(FAULT);
		if (c->exact) {
			errnos = E(FAULT);
			least = 1;
		}
	} else if (c->more && kind == END) {
		errnos |= E(FAULT);
	}
	detail = kinds[kind];
	ret = ioctl(fd, c->cmd, place(kind, size));
judge:
	if (noise)
		errnos |= E_RACE;
	judge(c->name, ret, least, errnos);
	detail = "";
}

/* --- Runs ------------------------------------------------------------------------ */

static void poke_run(struct vcpu_slot *v)
{
	static const unsigned int fields[] = {
		offsetof(struct kvm_run, request_interrupt_window),
		offsetof(struct kvm_run, immediate_exit),
		offsetof(struct kvm_run, cr8),
		offsetof(struct kvm_run, kvm_valid_regs),
		offsetof(struct kvm_run, kvm_dirty_regs),
		offsetof(struct kvm_run, io.data_offset),
		offsetof(struct kvm_run, io.count),
		offsetof(struct kvm_run, io.size),
	};
	u8 *run = v->run;

	if (!run)
		return;
	if (one_in(4))
		poke(run + below(v->run_size), rnd());
	if (one_in(4))
		poke(run + pick(fields) + below(2), one_in(2) ? 0 : rnd());
	if (one_in(2)) {
		poke(run + offsetof(struct kvm_run, immediate_exit), one_in(4));
		poke(run + offsetof(struct kvm_run, kvm_valid_regs), 0);
		poke(run + offsetof(struct kvm_run, kvm_dirty_regs), 0);
	}
}

/* The exit reason; EFAULT leaves what no run has. */
static u32 exit_reason(struct vcpu_slot *v)
{
	u32 reason = 0xdead;

	if (!v->run || v->odd ||
	    pwrite(fuzz.bytes, v->run + offsetof(struct kvm_run, exit_reason), 4, 256) != 4 ||
	    pread(fuzz.bytes, &reason, 4, 256) != 4)
		return 0xdead;
	return reason;
}

static void do_run(struct vcpu_slot *v)
{
	static const u64 reasons = 1 << KVM_EXIT_UNKNOWN | 1 << KVM_EXIT_IO |
		1 << KVM_EXIT_HLT | 1 << KVM_EXIT_MMIO | 1 << KVM_EXIT_SHUTDOWN |
		1 << KVM_EXIT_FAIL_ENTRY | 1 << KVM_EXIT_SET_TPR |
		1 << KVM_EXIT_INTERNAL_ERROR | 1 << KVM_EXIT_IRQ_WINDOW_OPEN |
		1 << KVM_EXIT_DEBUG | 1ull << KVM_EXIT_X86_RDMSR |
		1ull << KVM_EXIT_X86_WRMSR;
	u64 errnos = E(INTR) | E(FAULT) | E(INVAL) | (noise ? E_RACE : 0);
	u32 reason;
	long ret;

	if (!noise)
		poke_run(v);
	/* KVM without memory slots has no pages for its tables. */
	if (!fuzz.is_minivmm)
		errnos |= E(NOSPC);
	ret = ioctl(v->fd, KVM_RUN, one_in(20) ? edge() : 0);
	judge("KVM_RUN", ret, 0, errnos);
	/* Beside other threads it is not known whose exit it was. */
	if (ret || noise)
		return;
	reason = exit_reason(v);
	if (reason >= ARRAY_SIZE(fuzz.exits))
		return;
	fuzz.exits[reason]++;
	judge("exit reason of KVM_RUN", reasons >> reason & 1, 1, 0);
}

/* All that a guest needs to come to its code, and some runs of it */
static void do_guest(struct vcpu_slot *v)
{
	struct kvm_sregs s;
	struct kvm_regs r = {
		.rip = below(16) * PAGE_SIZE + below(2), .rsp = 0x8000, .rflags = 2,
		.rcx = below(0x100), .rsi = edge(), .rdi = edge(),
	};
	unsigned int n;

	if (ioctl(v->fd, KVM_GET_SREGS, &s))
		return;
	s.cr0 = CR0_ET | (one_in(4) ? CR0_PE : 0);
	s.cr4 = 0;
	s.efer = 0;
	s.cs = s.ds;
	s.cs.l = 0;
	s.cs.type = 11;
	s.cs.base = 0;
	s.cs.selector = 0;
	if (ioctl(v->fd, KVM_SET_SREGS, &s) || ioctl(v->fd, KVM_SET_REGS, &r))
		return;
	for (n = below(6); n; n--)
		do_run(v);
}

static void do_stats(int owner)
{
	int fd = ioctl(owner, KVM_GET_STATS_FD, one_in(4) ? edge() : 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	judge("KVM_GET_STATS_FD", fd, 0, E(MFILE) | (noise ? E_RACE : 0));
	if (fd < 0)
		return;
	judge("pread of statistics",
	      pread(fd, (void *)place(some_pointer(), 4096), below(4096), edge() >> 1),
	      0, E(FAULT) | E(INVAL));
	judge("read of statistics", read(fd, (void *)place(some_pointer(), 4096),
					 below(4096)), 0, E(FAULT));
	poll(&pfd, 1, 0);
	close(fd);
}

void do_vcpu(struct vcpu_slot *v)
{
	unsigned int n = below(20);

	if (n < 4)
		do_run(v);
	else if (n < 5 && !fuzz.common)
		do_stats(v->fd);
	else if (n < 6)
		do_guest(v);
	else if (n < 8)
		do_unknown(v->fd, vcpu_calls, ARRAY_SIZE(vcpu_calls), E(INVAL));
	else
		do_call(v->fd, &pick(vcpu_calls));
}

void do_vm(struct vm_slot *vm)
{
	if (one_in(10) && !fuzz.common)
		do_stats(vm->fd);
	else if (one_in(5))
		do_unknown(vm->fd, vm_calls, ARRAY_SIZE(vm_calls), E(NOTTY));
	else
		do_call(vm->fd, &pick(vm_calls));
}

void do_sys(void)
{
	if (one_in(3))
		do_unknown(fuzz.sys, sys_calls, ARRAY_SIZE(sys_calls), E(INVAL));
	else
		do_call(fuzz.sys, &pick(sys_calls));
}
