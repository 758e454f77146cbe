// SPDX-License-Identifier: GPL-2.0
/* What the calls are given; given.h */
#include <errno.h>
#include <linux/minivmm.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "calls.h"
#include "given.h"
#include "tap.h"

/* --- Pointers ------------------------------------------------------------------ */

__thread struct buffer buffer;
/* Somebody listens to it, or nobody */
static int event = -1;

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

	if (event < 0)
		event = eventfd(0, EFD_NONBLOCK);

	if (fd < 0 || ftruncate(fd, BUFFER))
		bail("memfd: %s", strerror(errno));
	buffer.rw = map(fd, BUFFER, PROT_READ | PROT_WRITE, MAP_SHARED);
	buffer.ro = map(fd, BUFFER, PROT_READ, MAP_SHARED);
	close(fd);
}

unsigned long place(enum pointer kind, size_t size)
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

enum pointer some_pointer(void)
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

size_t fill_regs(int fd)
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

size_t fill_sregs(int fd)
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

size_t fill_fpu(int fd)
{
	struct kvm_fpu *fpu = (void *)buffer.rw;
	unsigned int i;

	(void)fd;
	for (i = 0; i < sizeof(*fpu); i++)
		buffer.rw[i] = rnd();
	return sizeof(*fpu);
}

size_t fill_msrs(int fd)
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

size_t fill_cpuid(int fd)
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

size_t fill_sigmask(int fd)
{
	struct kvm_signal_mask *mask = (void *)buffer.rw;
	u64 set = one_in(2) ? 0 : rnd();

	(void)fd;
	mask->len = one_in(4) ? edge() : 8;
	memcpy(mask->sigset, &set, 8);
	return sizeof(*mask) + 8;
}

size_t fill_events(int fd)
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

size_t fill_irq(int fd)
{
	u32 irq = one_in(4) ? edge() : below(256);

	(void)fd;
	memcpy(buffer.rw, &irq, sizeof(irq));
	return sizeof(irq);
}

size_t fill_region(int fd)
{
	struct kvm_userspace_memory_region *r = (void *)buffer.rw;
	unsigned int i;

	for (i = 0; i < VMS - 1 && fuzz.vms[i].fd != fd; i++)
		;
	*r = (struct kvm_userspace_memory_region){
		.slot = below(4),
		.flags = one_in(4) ? KVM_MEM_READONLY :
			 one_in(3) && !fuzz.common ? KVM_MEM_LOG_DIRTY_PAGES : 0,
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
		/* There is one address space here; the dirty log has no limit of slots. */
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

size_t fill_debugregs(int fd)
{
	return fill_changed(fd, KVM_GET_DEBUGREGS, sizeof(struct kvm_debugregs));
}

size_t fill_xsave(int fd)
{
	return fill_changed(fd, KVM_GET_XSAVE, sizeof(struct kvm_xsave));
}

size_t fill_xcrs(int fd)
{
	return fill_changed(fd, KVM_GET_XCRS, sizeof(struct kvm_xcrs));
}

size_t fill_vmcs(int fd)
{
	static const u32 rooms[] = { 0, 1, 172, 173, 174, 400, 0xffffffff };
	struct minivmm_vmcs *vmcs = (void *)buffer.rw;

	(void)fd;
	vmcs->nr = pick(rooms);
	vmcs->flags = one_in(8) ? edge() : below(2);
	return sizeof(*vmcs) + 200 * sizeof(vmcs->fields[0]);
}

size_t fill_stop(int fd)
{
	struct minivmm_stop stop = {
		.exit = one_in(4) ? edge() : below(3),
		.reason = one_in(4) ? edge() : one_in(2) ? below(80) : MINIVMM_ANY_REASON,
		.flags = one_in(8) ? edge() : 0,
	};

	(void)fd;
	memcpy(buffer.rw, &stop, sizeof(stop));
	return sizeof(stop);
}

size_t fill_explanation(int fd)
{
	struct minivmm_explanation *why = (void *)buffer.rw;

	(void)fd;
	why->nr = one_in(4) ? edge() : below(3);
	why->flags = one_in(8) ? edge() : 0;
	return sizeof(*why) + 2 * sizeof(why->findings[0]);
}

size_t fill_mp_state(int fd)
{
	u32 state = one_in(4) ? edge() : below(10);

	(void)fd;
	memcpy(buffer.rw, &state, sizeof(state));
	return sizeof(state);
}

size_t fill_sregs2(int fd)
{
	return fill_changed(fd, KVM_GET_SREGS2, sizeof(struct kvm_sregs2));
}

size_t fill_translation(int fd)
{
	struct kvm_translation *tr = (void *)buffer.rw;

	(void)fd;
	*tr = (struct kvm_translation){ .linear_address = edge() };
	return sizeof(*tr);
}

size_t fill_guest_debug(int fd)
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

size_t fill_cap(int fd)
{
	struct kvm_enable_cap *cap = (void *)buffer.rw;

	(void)fd;
	memset(cap, 0, sizeof(*cap));
	cap->cap = one_in(4) ? edge() : KVM_CAP_X86_USER_SPACE_MSR;
	cap->args[0] = one_in(2) ? 0 : below(8);
	if (one_in(4))
		mutate(cap, sizeof(*cap));
	/* Whether a number can be a vCPU's is not to depend on chance. */
	if (cap->cap == KVM_CAP_MAX_VCPU_ID)
		cap->cap = 0;
	return sizeof(*cap);
}

/* Somewhere that is not the structure itself */
static u64 other_pointer(void)
{
	return one_in(2) ? (uintptr_t)buffer.rw + BUFFER / 2 : place(UNMAPPED, 8);
}

size_t fill_attr(int fd)
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

size_t fill_filter(int fd)
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

size_t fill_address(int fd)
{
	u64 address = edge();

	(void)fd;
	memcpy(buffer.rw, &address, 8);
	return 8;
}

size_t fill_list(int fd)
{
	u32 n = one_in(2) ? 64 : edge();

	(void)fd;
	memcpy(buffer.rw, &n, 4);
	return 4 + 4 * (n < 64 ? n : 64);
}

/* Ports and addresses that the guests of do_guest() come to, and few */
size_t fill_ioeventfd(int fd)
{
	struct kvm_ioeventfd *e = (void *)buffer.rw;

	(void)fd;
	*e = (struct kvm_ioeventfd) {
		.datamatch = one_in(2) ? 0 : edge(),
		.addr = below(4) * 0x10,
		.len = below(9),
		.fd = one_in(8) ? (int)edge() : event,
		.flags = below(8),
	};
	mutate(e, sizeof(*e));
	return sizeof(*e);
}

size_t fill_clock(int fd)
{
	struct kvm_clock_data *data = (void *)buffer.rw;

	(void)fd;
	*data = (struct kvm_clock_data) {
		.clock = edge(), .flags = below(16) & ~1u, .realtime = edge(),
	};
	mutate(data, sizeof(*data));
	return sizeof(*data);
}

size_t fill_zone(int fd)
{
	struct kvm_coalesced_mmio_zone *z = (void *)buffer.rw;

	(void)fd;
	*z = (struct kvm_coalesced_mmio_zone) {
		.addr = below(4) << (one_in(2) ? 4 : 28),
		.size = below(0x2000),
		.pio = below(2),
	};
	mutate(z, sizeof(*z));
	return sizeof(*z);
}

size_t fill_dirty_log(int fd)
{
	struct kvm_dirty_log *log = (void *)buffer.rw;

	(void)fd;
	*log = (struct kvm_dirty_log) {
		.slot = below(6), .dirty_bitmap = (void *)other_pointer(),
	};
	mutate(log, sizeof(*log));
	return sizeof(*log);
}

size_t fill_clear_log(int fd)
{
	struct kvm_clear_dirty_log *log = (void *)buffer.rw;

	(void)fd;
	*log = (struct kvm_clear_dirty_log) {
		.slot = below(6), .num_pages = below(3) * 64, .first_page = below(3) * 64,
		.dirty_bitmap = (void *)other_pointer(),
	};
	mutate(log, sizeof(*log));
	return sizeof(*log);
}

size_t fill_msi(int fd)
{
	struct kvm_msi *msi = (void *)buffer.rw;

	(void)fd;
	*msi = (struct kvm_msi) {
		.address_lo = 0xfee00000 | (u32)rnd(), .data = (u32)rnd(),
	};
	mutate(msi, sizeof(*msi));
	return sizeof(*msi);
}

size_t fill_line(int fd)
{
	struct kvm_irq_level *line = (void *)buffer.rw;

	(void)fd;
	*line = (struct kvm_irq_level) { .irq = below(24), .level = below(2) };
	mutate(line, sizeof(*line));
	return sizeof(*line);
}

size_t fill_chip(int fd)
{
	struct kvm_irqchip *chip = (void *)buffer.rw;

	(void)fd;
	memset(chip, (u8)rnd(), sizeof(*chip));
	chip->chip_id = below(3);
	mutate(chip, sizeof(*chip));
	return sizeof(*chip);
}

size_t fill_irqfd(int fd)
{
	struct kvm_irqfd *e = (void *)buffer.rw;

	(void)fd;
	*e = (struct kvm_irqfd) {
		.fd = one_in(8) ? (int)edge() : event, .gsi = below(24), .flags = below(4),
		.resamplefd = event,
	};
	mutate(e, sizeof(*e));
	return sizeof(*e);
}
