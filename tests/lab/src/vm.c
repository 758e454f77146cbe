// SPDX-License-Identifier: GPL-2.0
/* A small VM for tests; vm.h says what each call does. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include "tap.h"
#include "vm.h"

/* Vectors whose delivery pushes an error code (SDM Vol. 3, "Error Code"). */
#define WITH_ERROR_CODE	((1u << 8) | (1u << 10) | (1u << 11) | (1u << 12) | \
			 (1u << 13) | (1u << 14) | (1u << 17) | (1u << 21))

static int need(int ret, const char *what)
{
	if (ret < 0)
		bail("%s: %s", what, strerror(errno));
	return ret;
}

void vm_open(struct vm *vm, const char *device, size_t size)
{
	struct kvm_userspace_memory_region region = { .memory_size = size };

	vm->device = device;
	vm->size = size;
	vm->sys = need(open(device, O_RDWR | O_CLOEXEC), device);
	vm->fd = need(ioctl(vm->sys, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	vm->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->mem == MAP_FAILED)
		bail("mmap of %zu bytes: %s", size, strerror(errno));
	region.userspace_addr = (uintptr_t)vm->mem;
	need(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region),
	     "KVM_SET_USER_MEMORY_REGION");
}

void vm_close(struct vm *vm)
{
	close(vm->fd);
	close(vm->sys);
	munmap(vm->mem, vm->size);
}

void vcpu_open_bare(struct vcpu *c, struct vm *vm, int id)
{
	c->vm = vm;
	c->fd = need(ioctl(vm->fd, KVM_CREATE_VCPU, id), "KVM_CREATE_VCPU");
	c->run_size = need(ioctl(vm->sys, KVM_GET_VCPU_MMAP_SIZE, 0),
			   "KVM_GET_VCPU_MMAP_SIZE");
	c->run = mmap(NULL, c->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      c->fd, 0);
	if (c->run == MAP_FAILED)
		bail("mmap of the vCPU: %s", strerror(errno));
	c->regs0 = get_regs(c);
	c->sregs0 = get_sregs(c);
}

void vcpu_open(struct vcpu *c, struct vm *vm, int id)
{
	vcpu_open_bare(c, vm, id);
	cpuid_host(c);
}

void vcpu_close(struct vcpu *c)
{
	munmap(c->run, c->run_size);
	close(c->fd);
}

void vcpu_reset(struct vcpu *c)
{
	size_t low = c->vm->size < GUEST_END ? c->vm->size : GUEST_END;

	/* An I/O exit that nobody completed must not act on the next guest. */
	c->run->immediate_exit = 1;
	ioctl(c->fd, KVM_RUN, 0);
	c->run->immediate_exit = 0;

	memset(c->vm->mem, 0, low);
	set_sregs(c, &c->sregs0);
	set_regs(c, &c->regs0);
}

static void load(struct vcpu *c, const void *code, const void *end)
{
	size_t size = (const char *)end - (const char *)code;

	vcpu_reset(c);
	if (size > GUEST_IDT - GUEST_CODE)
		bail("a guest of %zu bytes is too big", size);
	memcpy(c->vm->mem + GUEST_CODE, code, size);
}

static void start(struct vcpu *c)
{
	struct kvm_regs regs = {
		.rip = GUEST_CODE,
		.rsp = GUEST_STACK,
		.rflags = 2,
	};

	set_regs(c, &regs);
}

/* OUT to the vector's port, drop the error code, return. */
static void trap_stub(struct vm *vm, int v, const void *drop, size_t drop_size,
		      const void *iret, size_t iret_size)
{
	u8 *p = vm->mem + GUEST_TRAPS + 16 * v;

	*p++ = 0xe6;
	*p++ = TRAP_PORT(v);
	if (WITH_ERROR_CODE & (1u << v)) {
		memcpy(p, drop, drop_size);
		p += drop_size;
	}
	memcpy(p, iret, iret_size);
}

void guest_real(struct vcpu *c, const void *code, const void *end)
{
	struct kvm_segment seg = {
		.limit = 0xffff, .type = 3, .present = 1, .s = 1,
	};
	struct kvm_sregs sregs;
	int v;

	load(c, code, end);
	for (v = 0; v < TRAPS; v++) {
		u16 vector[2] = { GUEST_TRAPS + 16 * v, 0 };

		memcpy(c->vm->mem + 4 * v, vector, sizeof(vector));
		trap_stub(c->vm, v, NULL, 0, "\xcf", 1);
	}

	sregs = get_sregs(c);
	sregs.ds = seg;
	sregs.es = seg;
	sregs.fs = seg;
	sregs.gs = seg;
	sregs.ss = seg;
	seg.type = 11;
	sregs.cs = seg;
	set_sregs(c, &sregs);
	start(c);
}

static void put64(struct vm *vm, u32 gpa, u64 value)
{
	memcpy(vm->mem + gpa, &value, 8);
}

static void tables(struct vcpu *c, bool lm)
{
	u64 tss = GUEST_TSS, limit = 0x68 + 8192;
	u32 sp = GUEST_STACK, ss = SEL_DATA;
	struct vm *vm = c->vm;
	u16 bitmap = 0x68;

	put64(vm, GUEST_GDT + SEL_CODE32, 0x00cf9b000000ffff);
	put64(vm, GUEST_GDT + SEL_DATA, 0x00cf93000000ffff);
	put64(vm, GUEST_GDT + SEL_CODE64, 0x00af9b000000ffff);
	put64(vm, GUEST_GDT + SEL_TSS, 0x00008b0000000000 |
	      (limit & 0xffff) | (tss & 0xffffff) << 16);
	put64(vm, GUEST_GDT + (SEL_USER_DATA & ~7), 0x00cff3000000ffff);
	put64(vm, GUEST_GDT + (SEL_USER_CODE32 & ~7), 0x00cffb000000ffff);
	put64(vm, GUEST_GDT + (SEL_USER_CODE64 & ~7), 0x00affb000000ffff);

	memcpy(vm->mem + GUEST_TSS + 4, &sp, 4);
	if (!lm)
		memcpy(vm->mem + GUEST_TSS + 8, &ss, 4);
	memcpy(vm->mem + GUEST_TSS + 0x66, &bitmap, 2);
	vm->mem[GUEST_TSS + 0x68 + 8192] = 0xff;
}

static void flat_segments(struct kvm_sregs *sregs, bool lm)
{
	struct kvm_segment seg = {
		.limit = 0xffffffff, .selector = SEL_DATA, .type = 3,
		.present = 1, .s = 1, .db = 1, .g = 1,
	};

	sregs->ds = seg;
	sregs->es = seg;
	sregs->fs = seg;
	sregs->gs = seg;
	sregs->ss = seg;
	seg.type = 11;
	seg.selector = lm ? SEL_CODE64 : SEL_CODE32;
	seg.l = lm;
	seg.db = !lm;
	sregs->cs = seg;

	sregs->tr.base = GUEST_TSS;
	sregs->tr.limit = 0x68 + 8192;
	sregs->tr.selector = SEL_TSS;
	sregs->tr.type = 11;
	sregs->tr.present = 1;
	sregs->tr.s = 0;
	sregs->tr.g = 0;
	sregs->gdt.base = GUEST_GDT;
	sregs->gdt.limit = 0x47;
	sregs->idt.base = GUEST_IDT;
	sregs->idt.limit = TRAPS * (lm ? 16 : 8) - 1;
}

void guest_gate(struct vcpu *c, int v, u64 address, int dpl)
{
	struct kvm_sregs sregs = get_sregs(c);
	bool lm = sregs.cs.l;
	u64 gate;

	gate = (address & 0xffff) | (u64)sregs.cs.selector << 16 |
	       (u64)(0x8e | dpl << 5) << 40 |
	       (address & 0xffff0000) << 32;
	put64(c->vm, GUEST_IDT + v * (lm ? 16 : 8), gate);
	if (lm)
		put64(c->vm, GUEST_IDT + v * 16 + 8, address >> 32);
}

void guest_protected(struct vcpu *c, const void *code, const void *end)
{
	struct kvm_sregs sregs;
	int v;

	load(c, code, end);
	tables(c, false);
	sregs = get_sregs(c);
	flat_segments(&sregs, false);
	sregs.cr0 = CR0_PE | CR0_ET | CR0_NE;
	set_sregs(c, &sregs);
	for (v = 0; v < TRAPS; v++) {
		guest_gate(c, v, GUEST_TRAPS + 16 * v, 0);
		trap_stub(c->vm, v, "\x83\xc4\x04", 3, "\xcf", 1);
	}
	start(c);
}

void guest_long(struct vcpu *c, const void *code, const void *end)
{
	struct kvm_sregs sregs;
	int i, v;

	load(c, code, end);
	tables(c, true);
	put64(c->vm, GUEST_PML4, GUEST_PDPT | 7);
	put64(c->vm, GUEST_PDPT, GUEST_PD | 7);
	for (i = 0; i < 512; i++)
		put64(c->vm, GUEST_PD + 8 * i, (u64)i << 21 | 0x87);

	sregs = get_sregs(c);
	flat_segments(&sregs, true);
	sregs.cr3 = GUEST_PML4;
	sregs.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	sregs.efer = EFER_LME | EFER_LMA;
	sregs.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	set_sregs(c, &sregs);
	for (v = 0; v < TRAPS; v++) {
		guest_gate(c, v, GUEST_TRAPS + 16 * v, 0);
		trap_stub(c->vm, v, "\x48\x83\xc4\x08", 4, "\x48\xcf", 2);
	}
	start(c);
}

void guest_user(struct vcpu *c)
{
	struct kvm_sregs sregs = get_sregs(c);
	struct kvm_regs regs = get_regs(c);
	struct kvm_segment data = sregs.ds;

	data.selector = SEL_USER_DATA;
	data.dpl = 3;
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.cs.selector = sregs.cs.l ? SEL_USER_CODE64 : SEL_USER_CODE32;
	sregs.cs.dpl = 3;
	set_sregs(c, &sregs);
	/* The handlers of traps get the upper half of the stack. */
	regs.rsp -= 0x800;
	set_regs(c, &regs);
}

int vcpu_run_raw(struct vcpu *c)
{
	return ioctl(c->fd, KVM_RUN, 0) ? -errno : 0;
}

void *io_data(struct vcpu *c)
{
	return (char *)c->run + c->run->io.data_offset;
}

static int frame_width(struct kvm_sregs *sregs)
{
	if (!(sregs->cr0 & CR0_PE))
		return 2;
	return sregs->cs.l ? 8 : 4;
}

static void *frame(struct vcpu *c, int *width, u32 *error)
{
	struct kvm_sregs sregs = get_sregs(c);
	struct kvm_regs regs = get_regs(c);
	int v = c->run->io.port - TRAP_PORT(0);
	u64 sp = sregs.ss.base + regs.rsp;

	*width = frame_width(&sregs);
	*error = 0;
	if (sp > c->vm->size - 64)
		return NULL;
	if (*width > 2 && (WITH_ERROR_CODE & (1u << v))) {
		memcpy(error, c->vm->mem + sp, 4);
		sp += *width;
	} else {
		*error = ~0u;
	}
	return c->vm->mem + sp;
}

void *trap_frame(struct vcpu *c)
{
	u32 error;
	int width;

	return frame(c, &width, &error);
}

static void trap_text(struct vcpu *c, char *text, size_t size)
{
	int width, n;
	u64 ip = 0;
	u32 error;
	void *sp = frame(c, &width, &error);

	n = snprintf(text, size, "trap %d", c->run->io.port - TRAP_PORT(0));
	if (error != ~0u)
		n += snprintf(text + n, size - n, " error=%#x", error);
	if (!sp) {
		snprintf(text + n, size - n, " and no stack");
		return;
	}
	memcpy(&ip, sp, width);
	if (ip >= GUEST_CODE && ip < GUEST_IDT)
		snprintf(text + n, size - n, " at +%d",
			 (int)(ip - GUEST_CODE));
	else
		snprintf(text + n, size - n, " at %#llx",
			 (unsigned long long)ip);
}

static void io_text(struct vcpu *c, char *text, size_t size)
{
	struct kvm_run *run = c->run;
	bool out = run->io.direction == KVM_EXIT_IO_OUT;
	unsigned int i, bytes = run->io.size * run->io.count;
	u8 *data = io_data(c);
	int n;

	if (out && run->io.size == 1 && run->io.port >= TRAP_PORT(0) &&
	    run->io.port < TRAP_PORT(TRAPS)) {
		trap_text(c, text, size);
		return;
	}
	n = snprintf(text, size, "%s port=%x size=%d count=%d",
		     out ? "OUT" : "IN", run->io.port, run->io.size,
		     run->io.count);
	if (!out)
		return;
	n += snprintf(text + n, size - n, " data=");
	for (i = 0; i < bytes && i < 32; i++)
		n += snprintf(text + n, size - n, "%02x", data[i]);
}

static void debug_text(struct vcpu *c, char *text, size_t size)
{
	struct kvm_debug_exit_arch *d = &c->run->debug.arch;
	int n;

	n = snprintf(text, size, "DEBUG %u at ", d->exception);
	if (d->pc >= GUEST_CODE && d->pc < GUEST_IDT)
		n += snprintf(text + n, size - n, "+%d", (int)(d->pc - GUEST_CODE));
	else
		n += snprintf(text + n, size - n, "%#llx", d->pc);
	if (d->exception == 1)
		n += snprintf(text + n, size - n, " dr6=%#llx", d->dr6);
	/* A single step over what the processor did not execute leaves it. */
	if (d->exception == 1 && !(d->dr6 & 0x4000))
		snprintf(text + n, size - n, " dr7=%#llx", d->dr7);
}

const char *vcpu_run(struct vcpu *c)
{
	static char text[160];
	struct kvm_run *run = c->run;
	int ret;

	run->exit_reason = 0xdead;
	ret = vcpu_run_raw(c);
	if (ret) {
		snprintf(text, sizeof(text), "%s", errno_name(-ret));
		if (run->exit_reason == KVM_EXIT_INTR)
			strcat(text, " INTR");
		return text;
	}

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		io_text(c, text, sizeof(text));
		break;
	case KVM_EXIT_HLT:
		strcpy(text, "HLT");
		break;
	case KVM_EXIT_DEBUG:
		debug_text(c, text, sizeof(text));
		break;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		strcpy(text, "IRQ_WINDOW_OPEN");
		break;
	case KVM_EXIT_SHUTDOWN:
		strcpy(text, "SHUTDOWN");
		break;
	case KVM_EXIT_MMIO:
		snprintf(text, sizeof(text), "MMIO %s %#llx size=%d",
			 run->mmio.is_write ? "write" : "read",
			 (unsigned long long)run->mmio.phys_addr,
			 run->mmio.len);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		snprintf(text, sizeof(text), "FAIL_ENTRY %#llx",
			 (unsigned long long)
			 run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		snprintf(text, sizeof(text), "INTERNAL_ERROR %d",
			 run->internal.suberror);
		break;
	case KVM_EXIT_UNKNOWN:
		snprintf(text, sizeof(text), "UNKNOWN %llu",
			 (unsigned long long)run->hw.hardware_exit_reason);
		break;
	default:
		snprintf(text, sizeof(text), "exit reason %u",
			 run->exit_reason);
	}
	return text;
}

struct kvm_regs get_regs(struct vcpu *c)
{
	struct kvm_regs regs;

	need(ioctl(c->fd, KVM_GET_REGS, &regs), "KVM_GET_REGS");
	return regs;
}

void set_regs(struct vcpu *c, const struct kvm_regs *regs)
{
	need(ioctl(c->fd, KVM_SET_REGS, regs), "KVM_SET_REGS");
}

struct kvm_sregs get_sregs(struct vcpu *c)
{
	struct kvm_sregs sregs;

	need(ioctl(c->fd, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	return sregs;
}

void set_sregs(struct vcpu *c, const struct kvm_sregs *sregs)
{
	need(ioctl(c->fd, KVM_SET_SREGS, sregs), "KVM_SET_SREGS");
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

u64 get_msr(struct vcpu *c, u32 index)
{
	struct one_msr msr = { .head.nmsrs = 1, .entry.index = index };
	int ret = need(ioctl(c->fd, KVM_GET_MSRS, &msr), "KVM_GET_MSRS");

	if (ret != 1)
		bail("KVM_GET_MSRS: no MSR %#x", index);
	return msr.entry.data;
}

int try_msr(struct vcpu *c, u32 index, u64 value)
{
	struct one_msr msr = {
		.head.nmsrs = 1,
		.entry = { .index = index, .data = value },
	};

	return need(ioctl(c->fd, KVM_SET_MSRS, &msr), "KVM_SET_MSRS");
}

void set_msr(struct vcpu *c, u32 index, u64 value)
{
	if (try_msr(c, index, value) != 1)
		bail("KVM_SET_MSRS: MSR %#x does not take %#llx", index,
		     (unsigned long long)value);
}

struct kvm_cpuid2 *supported_cpuid(struct vm *vm)
{
	int max = 256;
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + max * sizeof(cpuid->entries[0]));
	if (!cpuid)
		bail("no memory");
	cpuid->nent = max;
	need(ioctl(vm->sys, KVM_GET_SUPPORTED_CPUID, cpuid),
	     "KVM_GET_SUPPORTED_CPUID");
	return cpuid;
}

void cpuid_least(struct vcpu *c)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[4];
	} table = { .head.nent = 4, .entries = {
		{ .function = 0, .eax = 1 },
		/* FPU, DE, PSE, TSC, MSR, PAE, APIC, FXSR, SSE and SSE2 */
		{ .function = 1, .edx = 0x0700027d },
		{ .function = 0x80000000, .eax = 0x80000001 },
		/* SYSCALL, NX, long mode */
		{ .function = 0x80000001, .edx = 0x20100800 },
	} };

	need(ioctl(c->fd, KVM_SET_CPUID2, &table), "KVM_SET_CPUID2");
}

void cpuid_host(struct vcpu *c)
{
	struct kvm_cpuid2 *cpuid = supported_cpuid(c->vm);

	need(ioctl(c->fd, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
	free(cpuid);
}

void *short_pointer(size_t valid)
{
	static char *page;

	if (!page) {
		page = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			bail("mmap: %s", strerror(errno));
		munmap(page + PAGE_SIZE, PAGE_SIZE);
	}
	memset(page, 0, PAGE_SIZE);
	return page + PAGE_SIZE - valid;
}

const char *errno_name(int err)
{
	const char *name = err ? strerrorname_np(err) : "0";

	return name ? name : "unknown errno";
}

const char *errno_text(long ret)
{
	return ret == -1 ? errno_name(errno) : "0";
}

static void watchdog_handler(int sig)
{
	static const char text[] = "Bail out! the watchdog expired\n";

	(void)sig;
	if (write(1, text, sizeof(text) - 1))
		_exit(98);
	_exit(98);
}

void watchdog(unsigned int seconds)
{
	signal(SIGALRM, watchdog_handler);
	alarm(seconds);
}

u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}
