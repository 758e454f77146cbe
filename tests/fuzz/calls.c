// SPDX-License-Identifier: GPL-2.0
/*
 * The interface fuzzer's calls: structures that are right but for a field, at
 * pointers of every kind; and the table of errnos that each call has.
 */
#include <errno.h>
#include <linux/minivmm.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "calls.h"
#include "tap.h"

#define BUFFER		(16 * PAGE_SIZE)

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

/* --- Pointers ------------------------------------------------------------------ */

enum pointer { GOOD, END, READ_ONLY, SHORT, UNMAPPED, NIL, KERNEL, NONCANONICAL, POINTERS };

/* The same pages twice, the second time read-only; nothing is behind either. */
struct buffer {
	u8 *rw, *ro;
};

static __thread struct buffer buffer;

static u8 *map(int fd, size_t size, int prot, int flags)
{
	u8 *p = mmap(NULL, size + PAGE_SIZE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED ||
	    mmap(p, size, prot, flags | MAP_FIXED, fd, 0) == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return p;
}

void calls_init(void)
{
	int fd = memfd_create("buffer", 0);

	if (fd < 0 || ftruncate(fd, BUFFER))
		bail("memfd: %s", strerror(errno));
	buffer.rw = map(fd, BUFFER, PROT_READ | PROT_WRITE, MAP_SHARED);
	buffer.ro = map(fd, BUFFER, PROT_READ, MAP_SHARED);
	close(fd);
}

/* Where the kernel is told that the @size bytes are, which begin at buffer.rw. */
static unsigned long place(enum pointer kind, size_t size)
{
	size_t last = BUFFER - size;

	switch (kind) {
	case GOOD:
		return (unsigned long)buffer.rw;
	case END:
		memmove(buffer.rw + last, buffer.rw, size);
		return (unsigned long)buffer.rw + last;
	case READ_ONLY:
		return (unsigned long)buffer.ro;
	case SHORT:
		last += 1 + below(size);
		memmove(buffer.rw + last, buffer.rw, BUFFER - last);
		return (unsigned long)buffer.rw + last;
	case UNMAPPED:
		return (unsigned long)buffer.rw + BUFFER;
	case NIL:
		return 0;
	case KERNEL:
		return 0xffff888000000000 + (rnd() & 0xffffff);
	default:
		return 1ull << 62 | (rnd() & 0xffffff);
	}
}

static enum pointer some_pointer(void)
{
	return one_in(4) ? below(POINTERS) : one_in(3) ? END : GOOD;
}

/* Touch memory that may not be there: pread() and pwrite() say EFAULT. */
void poke(void *address, u8 value)
{
	if (pread(fuzz.bytes, address, 1, value) < 0)
		return;
}

void peek(void *address)
{
	if (pwrite(fuzz.bytes, address, 1, 256) < 0)
		return;
}

/* --- What the calls are given ---------------------------------------------------- */

static void mutate(void *p, size_t size)
{
	u64 value = edge();
	size_t at = below(size / 8) * 8;

	if (one_in(2))
		memcpy((u8 *)p + at, &value, 8);
	else
		((u8 *)p)[below(size)] ^= 1 << below(8);
}

static size_t fill_regs(int fd)
{
	struct kvm_regs *regs = (void *)buffer.rw;

	if (!one_in(4) || ioctl(fd, KVM_GET_REGS, regs))
		*regs = (struct kvm_regs){
			.rip = below(16) * PAGE_SIZE, .rsp = 0x8000, .rflags = 2,
			.rcx = edge(), .rdx = edge(), .rsi = edge(), .rdi = edge(),
		};
	if (one_in(3))
		mutate(regs, sizeof(*regs));
	return sizeof(*regs);
}

static void long_mode(struct kvm_sregs *s)
{
	s->cr4 |= CR4_PAE;
	s->cr0 |= CR0_PE | CR0_PG;
	s->efer |= EFER_LME | EFER_LMA;
	s->cs.l = 1;
	s->cs.db = 0;
}

static size_t fill_sregs(int fd)
{
	struct kvm_sregs *s = (void *)buffer.rw;

	if (ioctl(fd, KVM_GET_SREGS, s))
		memset(s, 0, sizeof(*s));
	switch (below(8)) {
	case 0:
		long_mode(s);
		break;
	case 1:
		s->cr0 |= CR0_PE;
		break;
	case 2:
		break;
	default:
		s->cr0 = CR0_ET;
		s->cr4 = 0;
		s->efer = 0;
		s->cs.l = 0;
		s->cs.base = 0;
		s->cs.selector = 0;
		if (!one_in(4))
			return sizeof(*s);
	}
	/* Control registers and the rest are behind the segments. */
	if (one_in(2))
		mutate(&s->cr0, (u8 *)(s + 1) - (u8 *)&s->cr0);
	else if (!one_in(3))
		mutate(s, sizeof(*s));
	return sizeof(*s);
}

static size_t fill_fpu(int fd)
{
	struct kvm_fpu *fpu = (void *)buffer.rw;
	unsigned int i;

	(void)fd;
	for (i = 0; i < sizeof(*fpu); i++)
		buffer.rw[i] = rnd();
	return sizeof(*fpu);
}

static size_t fill_msrs(int fd)
{
	/* TSC, APIC_BASE, SYSENTER, MTRRs, PAT, DEBUGCTL, MCG, EFER, STAR ... */
	static const u32 known[] = {
		0x10, 0x1b, 0x8b, 0xfe, 0x174, 0x175, 0x176, 0x179, 0x17a,
		0x1a0, 0x1d9, 0x200, 0x20f, 0x250, 0x258, 0x26f, 0x277, 0x2ff,
		0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
		0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103,
	};
	static const u32 counts[] = { 255, 256, 257, 1000, 0x7fffffff, 0xffffffff };
	struct kvm_msrs *msrs = (void *)buffer.rw;
	u32 i, n = below(12);

	(void)fd;
	for (i = 0; i < 256; i++) {
		msrs->entries[i].index = pick(known);
		msrs->entries[i].data = one_in(3) ? 0 : edge();
		if (one_in(8) && !fuzz.common)
			msrs->entries[i].index = edge();
	}
	msrs->nmsrs = one_in(8) ? pick(counts) : n;
	msrs->pad = edge();
	if (msrs->nmsrs < 256)
		n = msrs->nmsrs;
	return sizeof(*msrs) + n * sizeof(msrs->entries[0]);
}

static size_t fill_cpuid(int fd)
{
	static const u32 counts[] = { 0, 1, 255, 256, 257, 0x7fffffff, 0xffffffff };
	struct kvm_cpuid2 *cpuid = (void *)buffer.rw;
	u32 n = fuzz.supported->nent;

	(void)fd;
	memcpy(cpuid, fuzz.supported, sizeof(*cpuid) + n * sizeof(cpuid->entries[0]));
	if (one_in(2))
		mutate(cpuid->entries, n * sizeof(cpuid->entries[0]));
	if (one_in(3))
		cpuid->nent = pick(counts);
	if (cpuid->nent <= 256)
		n = cpuid->nent;
	return sizeof(*cpuid) + n * sizeof(cpuid->entries[0]);
}

static size_t fill_sigmask(int fd)
{
	struct kvm_signal_mask *mask = (void *)buffer.rw;
	u64 set = one_in(2) ? 0 : rnd();

	(void)fd;
	mask->len = one_in(4) ? edge() : 8;
	memcpy(mask->sigset, &set, 8);
	return sizeof(*mask) + 8;
}

static size_t fill_events(int fd)
{
	struct kvm_vcpu_events *events = (void *)buffer.rw;

	if (one_in(2) || ioctl(fd, KVM_GET_VCPU_EVENTS, events))
		memset(events, 0, sizeof(*events));
	if (one_in(4)) {
		events->exception.injected = 1;
		events->exception.nr = below(34);
		events->exception.has_error_code = below(2);
	} else if (one_in(3)) {
		events->interrupt.injected = 1;
		events->interrupt.nr = rnd();
	} else if (one_in(3)) {
		events->nmi.injected = below(2);
		events->nmi.pending = below(2);
		events->nmi.masked = below(2);
	}
	if (one_in(2))
		mutate(events, sizeof(*events));
	return sizeof(*events);
}

static size_t fill_irq(int fd)
{
	u32 irq = one_in(4) ? edge() : below(256);

	(void)fd;
	memcpy(buffer.rw, &irq, sizeof(irq));
	return sizeof(irq);
}

static size_t fill_region(int fd)
{
	struct kvm_userspace_memory_region *r = (void *)buffer.rw;
	unsigned int i;

	for (i = 0; i < VMS - 1 && fuzz.vms[i].fd != fd; i++)
		;
	*r = (struct kvm_userspace_memory_region){
		.slot = below(4),
		.flags = one_in(4) ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = below(16) * 0x10000,
		.memory_size = one_in(4) ? 0 : (1 + below(32)) * 0x8000,
		.userspace_addr = (uintptr_t)fuzz.vms[i].mem,
	};
	if (one_in(3))
		return sizeof(*r);
	switch (below(5)) {
	case 0:
		r->slot = one_in(2) ? 507 + below(8) : edge();
		break;
	case 1:
		r->flags = one_in(2) ? below(8) : edge();
		break;
	case 2:
		r->guest_phys_addr = edge();
		break;
	case 3:
		r->memory_size = edge();
		break;
	default:
		r->userspace_addr = one_in(2) ? edge() :
			r->userspace_addr + below(MEMORY);
	}
	if (fuzz.common) {
		/* There is one address space here, and no dirty log yet. */
		r->slot %= 500;
		r->flags &= ~KVM_MEM_LOG_DIRTY_PAGES;
	}
	return sizeof(*r);
}

/* What a call for reading says, with a field off */
static size_t fill_changed(int fd, unsigned int get, size_t size)
{
	if (ioctl(fd, get, buffer.rw))
		memset(buffer.rw, 0, size);
	if (one_in(2))
		mutate(buffer.rw, size);
	return size;
}

static size_t fill_debugregs(int fd)
{
	return fill_changed(fd, KVM_GET_DEBUGREGS, sizeof(struct kvm_debugregs));
}

static size_t fill_xsave(int fd)
{
	return fill_changed(fd, KVM_GET_XSAVE, sizeof(struct kvm_xsave));
}

static size_t fill_xcrs(int fd)
{
	return fill_changed(fd, KVM_GET_XCRS, sizeof(struct kvm_xcrs));
}

static size_t fill_mp_state(int fd)
{
	u32 state = one_in(4) ? edge() : below(10);

	(void)fd;
	memcpy(buffer.rw, &state, sizeof(state));
	return sizeof(state);
}

static size_t fill_sregs2(int fd)
{
	return fill_changed(fd, KVM_GET_SREGS2, sizeof(struct kvm_sregs2));
}

static size_t fill_translation(int fd)
{
	struct kvm_translation *tr = (void *)buffer.rw;

	(void)fd;
	*tr = (struct kvm_translation){ .linear_address = edge() };
	return sizeof(*tr);
}

static size_t fill_guest_debug(int fd)
{
	struct kvm_guest_debug *dbg = (void *)buffer.rw;
	unsigned int i;

	(void)fd;
	memset(dbg, 0, sizeof(*dbg));
	dbg->control = one_in(2) ? 0 : below(4) | below(64) << 16;
	for (i = 0; i < ARRAY_SIZE(dbg->arch.debugreg); i++)
		dbg->arch.debugreg[i] = one_in(2) ? 0 : edge();
	if (one_in(4))
		mutate(dbg, sizeof(*dbg));
	return sizeof(*dbg);
}

static size_t fill_cap(int fd)
{
	struct kvm_enable_cap *cap = (void *)buffer.rw;

	(void)fd;
	memset(cap, 0, sizeof(*cap));
	cap->cap = one_in(4) ? edge() : KVM_CAP_X86_USER_SPACE_MSR;
	cap->args[0] = one_in(2) ? 0 : below(8);
	if (one_in(4))
		mutate(cap, sizeof(*cap));
	return sizeof(*cap);
}

/* Somewhere that is not the structure itself */
static u64 other_pointer(void)
{
	return one_in(2) ? (uintptr_t)buffer.rw + BUFFER / 2 : place(UNMAPPED, 8);
}

static size_t fill_attr(int fd)
{
	struct kvm_device_attr *attr = (void *)buffer.rw;

	(void)fd;
	*attr = (struct kvm_device_attr){
		.group = one_in(4) ? edge() : 0,
		.attr = one_in(4) ? edge() : 0,
		.addr = other_pointer(),
	};
	return sizeof(*attr);
}

static size_t fill_filter(int fd)
{
	struct kvm_msr_filter *filter = (void *)buffer.rw;
	unsigned int i;

	(void)fd;
	memset(filter, 0, sizeof(*filter));
	filter->flags = one_in(4) ? edge() : below(2);
	for (i = below(4); i--;)
		filter->ranges[i] = (struct kvm_msr_filter_range){
			.flags = one_in(8) ? edge() : 1 + below(3),
			.nmsrs = one_in(4) ? edge() : 1 + below(64),
			.base = one_in(2) ? 0x174 : edge(),
			.bitmap = (void *)other_pointer(),
		};
	return sizeof(*filter);
}

static size_t fill_address(int fd)
{
	u64 address = edge();

	(void)fd;
	memcpy(buffer.rw, &address, 8);
	return 8;
}

static size_t fill_list(int fd)
{
	u32 n = one_in(2) ? 64 : edge();

	(void)fd;
	memcpy(buffer.rw, &n, 4);
	return 4 + 4 * (n < 64 ? n : 64);
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
	{ CALL(KVM_X86_GET_MCE_CAP_SUPPORTED), .size = 8, .exact = true, .writes = true,
	  .here = true },
	{ CALL(KVM_HAS_DEVICE_ATTR), fill_attr, .errnos = E(NXIO), .exact = true,
	  .here = true },
	{ CALL(KVM_GET_DEVICE_ATTR), fill_attr, .errnos = E(NXIO) | E(FAULT),
	  .exact = true, .here = true },
};

static const struct call vm_calls[] = {
	{ CALL(KVM_SET_USER_MEMORY_REGION), fill_region, .errnos = E(INVAL) | E(EXIST),
	  .exact = true },
	{ CALL(KVM_SET_USER_MEMORY_REGION), fill_region, .errnos = E(INVAL) | E(EXIST),
	  .exact = true },
	{ CALL(KVM_SET_TSS_ADDR), .errnos = E(INVAL) },
	{ CALL(KVM_SET_IDENTITY_MAP_ADDR), fill_address, .errnos = E(INVAL) },
	{ CALL(KVM_CHECK_EXTENSION) },
	{ CALL(KVM_ENABLE_CAP), fill_cap, .errnos = E(INVAL), .exact = true, .here = true },
	{ CALL(KVM_X86_SET_MSR_FILTER), fill_filter, .errnos = E(INVAL) | E(FAULT),
	  .exact = true, .here = true },
	{ CALL(KVM_GET_TSC_KHZ), .here = true },
	{ CALL(KVM_SET_TSC_KHZ), .errnos = E(INVAL), .here = true },
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
	{ CALL(KVM_SET_SIGNAL_MASK), fill_sigmask, .errnos = E(INVAL), .null_ok = true },
};

/* Known to KVM, not here: EINVAL on a vCPU, ENOTTY on a VM, whatever the argument */
static const struct call refused[] = {
	{ CALL(KVM_IRQ_LINE) }, { CALL(KVM_IRQFD) },
	{ CALL(KVM_IOEVENTFD) }, { CALL(KVM_CREATE_PIT2) }, { CALL(KVM_GET_DIRTY_LOG) },
	{ CALL(KVM_CLEAR_DIRTY_LOG) }, { CALL(KVM_SET_GSI_ROUTING) },
	{ CALL(KVM_CREATE_DEVICE) }, { CALL(KVM_SET_CLOCK) },
	{ CALL(KVM_GET_CLOCK) }, { CALL(KVM_SMI) }, { CALL(KVM_GET_LAPIC) },
	{ CALL(KVM_SET_LAPIC) }, { CALL(KVM_TPR_ACCESS_REPORTING) },
	{ CALL(KVM_SET_CPUID) }, { CALL(KVM_GET_NESTED_STATE) },
	{ CALL(KVM_SET_NESTED_STATE) }, { CALL(KVM_X86_SET_MCE) },
	{ CALL(KVM_KVMCLOCK_CTRL) }, { CALL(KVM_REGISTER_COALESCED_MMIO) },
	{ CALL(KVM_MEMORY_ENCRYPT_OP) }, { CALL(KVM_SET_BOOT_CPU_ID) },
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
		KVM_CREATE_IRQCHIP, KVM_SIGNAL_MSI,
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
	static char text[64];

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
