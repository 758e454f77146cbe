// SPDX-License-Identifier: GPL-2.0
/* Every call when memory runs out: each of its allocations fails once. inject.h */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "tap.h"
#include "vm.h"
#include "inject.h"

/* Guest-physical addresses from 1 GiB on, a fresh GiB each time */
#define FAR(n)		((u64)(n) << 30)
#define FAR_MAX		100
#define FAR_SIZE	(4ull << 20)

GUEST64(guest_read, "mov (%rdi), %rax; hlt");
GUEST64(guest_write, "movq $1, (%rdi); hlt");
GUEST64(guest_exec, "call *%rdi; hlt");
GUEST64(guest_outs, "mov %rdi, %rsi; mov $16, %ecx; mov $0x10, %dx; rep outsb; hlt");

static const char *device;
static struct vm vm;
static struct vcpu c;
static u64 far;			/* where FAR_SIZE of fresh memory is now */
static void *far_mem;
static int far_used;

static void close_it(long fd)
{
	close(fd);
}

/* --- The system's calls ----------------------------------------------------------- */

static long open_device(void)
{
	return open(device, O_RDWR | O_CLOEXEC);
}

static long create_vm(void)
{
	return ioctl(vm.sys, KVM_CREATE_VM, 0);
}

static long get_supported_cpuid(void)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid;

	cpuid.head.nent = ARRAY_SIZE(cpuid.entries);
	return ioctl(vm.sys, KVM_GET_SUPPORTED_CPUID, &cpuid);
}

static long get_msr_index_list(void)
{
	static struct {
		struct kvm_msr_list head;
		u32 indices[256];
	} list;

	list.head.nmsrs = ARRAY_SIZE(list.indices);
	return ioctl(vm.sys, KVM_GET_MSR_INDEX_LIST, &list);
}

static long check_extension(void)
{
	return ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);
}

/* --- A VM's calls ----------------------------------------------------------------- */

static int next_id;

/* The number of a vCPU stays taken while its VM lives. */
static long create_vcpu(void)
{
	long ret = ioctl(vm.fd, KVM_CREATE_VCPU, next_id);

	next_id += ret >= 0;
	return ret;
}

static void fresh_irqchip_vm(void)
{
	vm_open(&vm, device, 1 << 20);
	if (ioctl(vm.fd, KVM_CREATE_IRQCHIP, 0))
		bail("KVM_CREATE_IRQCHIP: %s", strerror(errno));
	next_id = 0;
}

static void fresh_vm(void)
{
	vm_open(&vm, device, 1 << 20);
	next_id = 0;
}

static void close_vm_and(long fd)
{
	close(fd);
	vm_close(&vm);
}

static int set_region(u64 gpa, u64 size, void *mem)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};

	return ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static long create_slot(void)
{
	return set_region(1 << 20, 1 << 16, vm.mem);
}

static long move_slot(void)
{
	return set_region(2 << 20, 1 << 16, vm.mem);
}

static long delete_slot(void)
{
	return set_region(0, 0, NULL);
}

static int logging_slot(u64 flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1,
		.flags = flags,
		.guest_phys_addr = 1 << 20,
		.memory_size = 1 << 16,
		.userspace_addr = (uintptr_t)vm.mem,
	};

	return ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static long begin_logging(void)
{
	return logging_slot(KVM_MEM_LOG_DIRTY_PAGES);
}

static void end_logging(long ret)
{
	(void)ret;
	logging_slot(0);
}

static void have_log(void)
{
	logging_slot(KVM_MEM_LOG_DIRTY_PAGES);
}

static long get_dirty_log(void)
{
	u64 bits = 0;
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = &bits };

	return ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log);
}

static long clear_dirty_log(void)
{
	u64 bits = ~0ull;
	struct kvm_clear_dirty_log log = {
		.slot = 1, .num_pages = 16, .dirty_bitmap = &bits,
	};

	return ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, &log);
}

static int event = -1;

static long ioeventfd(u64 addr, u32 flags)
{
	struct kvm_ioeventfd args = {
		.fd = event, .addr = addr, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO | flags,
	};

	return ioctl(vm.fd, KVM_IOEVENTFD, &args);
}

/* One that stays: taking the other out makes a new list. */
static void have_event(void)
{
	if (event < 0)
		event = eventfd(0, EFD_CLOEXEC);
	ioeventfd(0x500, 0);
}

static void have_events(void)
{
	have_event();
	ioeventfd(0x501, 0);
}

static long assign_event(void)
{
	return ioeventfd(0x501, 0);
}

static long deassign_event(void)
{
	return ioeventfd(0x501, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static void no_event(long ret)
{
	(void)ret;
	deassign_event();
}

static long zone(unsigned long cmd)
{
	struct kvm_coalesced_mmio_zone z = { .addr = 0x600, .size = 8, .pio = 1 };

	return ioctl(vm.fd, cmd, &z);
}

static long register_zone(void)
{
	return zone(KVM_REGISTER_COALESCED_MMIO);
}

static long unregister_zone(void)
{
	return zone(KVM_UNREGISTER_COALESCED_MMIO);
}

static void have_zone(void)
{
	have_event();
	register_zone();
}

static void no_zone(long ret)
{
	(void)ret;
	unregister_zone();
}

static void have_slot(void)
{
	create_slot();
}

static void no_slot(long ret)
{
	(void)ret;
	delete_slot();
}

static long set_tss_address(void)
{
	return ioctl(vm.fd, KVM_SET_TSS_ADDR, 0xfffbd000);
}

static long set_identity_map(void)
{
	u64 address = 0xfffbc000;

	return ioctl(vm.fd, KVM_SET_IDENTITY_MAP_ADDR, &address);
}

/* A filter, and none again */
static long set_msr_filter(void)
{
	u8 bits[8] = { 0xff };
	struct kvm_msr_filter filter = {
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.nmsrs = 64,
			.base = 0x140,
			.bitmap = bits,
		},
		.ranges[1] = {
			.flags = KVM_MSR_FILTER_READ,
			.nmsrs = 8,
			.base = 0x200,
			.bitmap = bits,
		},
	};
	struct kvm_msr_filter none = {};

	return ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, &filter) ?:
	       ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, &none);
}

static long set_user_msr(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR };

	return ioctl(vm.fd, KVM_ENABLE_CAP, &cap);
}

/* --- A vCPU's calls --------------------------------------------------------------- */

static long get_set_regs(void)
{
	struct kvm_regs regs;

	return ioctl(c.fd, KVM_GET_REGS, &regs) ?: ioctl(c.fd, KVM_SET_REGS, &regs);
}

static long get_set_sregs(void)
{
	struct kvm_sregs sregs;

	return ioctl(c.fd, KVM_GET_SREGS, &sregs) ?: ioctl(c.fd, KVM_SET_SREGS, &sregs);
}

static long get_set_fpu(void)
{
	struct kvm_fpu fpu;

	return ioctl(c.fd, KVM_GET_FPU, &fpu) ?: ioctl(c.fd, KVM_SET_FPU, &fpu);
}

static long get_set_xsave(void)
{
	struct kvm_xsave state;

	return ioctl(c.fd, KVM_GET_XSAVE, &state) ?: ioctl(c.fd, KVM_SET_XSAVE, &state);
}

static long get_set_xcrs(void)
{
	struct kvm_xcrs state;

	if (ioctl(c.fd, KVM_GET_XCRS, &state))
		return -1;
	/* Where Linux uses no XSAVE there is none to be set: EINVAL. */
	return state.nr_xcrs ? ioctl(c.fd, KVM_SET_XCRS, &state) : 0;
}

static long get_set_debugregs(void)
{
	struct kvm_debugregs state;

	return ioctl(c.fd, KVM_GET_DEBUGREGS, &state) ?: ioctl(c.fd, KVM_SET_DEBUGREGS, &state);
}

static long get_set_events(void)
{
	struct kvm_vcpu_events state;

	return ioctl(c.fd, KVM_GET_VCPU_EVENTS, &state) ?: ioctl(c.fd, KVM_SET_VCPU_EVENTS, &state);
}

static long get_set_mp_state(void)
{
	struct kvm_mp_state state;

	return ioctl(c.fd, KVM_GET_MP_STATE, &state) ?: ioctl(c.fd, KVM_SET_MP_STATE, &state);
}

static long get_set_sregs2(void)
{
	struct kvm_sregs2 state;

	return ioctl(c.fd, KVM_GET_SREGS2, &state) ?: ioctl(c.fd, KVM_SET_SREGS2, &state);
}

static long set_guest_debug(void)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE };
	struct kvm_guest_debug off = {};

	return ioctl(c.fd, KVM_SET_GUEST_DEBUG, &debug) ?:
	       ioctl(c.fd, KVM_SET_GUEST_DEBUG, &off);
}

static long translate(void)
{
	struct kvm_translation tr = { .linear_address = GUEST_CODE };

	return ioctl(c.fd, KVM_TRANSLATE, &tr);
}

static long setup_mce(void)
{
	u64 cap = 1;

	return ioctl(c.fd, KVM_X86_SETUP_MCE, &cap);
}

static long get_set_msrs(void)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[2];
	} msrs = {
		.head.nmsrs = 2,
		.entries = { { .index = 0x10 }, { .index = 0xc0000081 } },
	};

	if (ioctl(c.fd, KVM_GET_MSRS, &msrs) < 0)
		return -1;
	return ioctl(c.fd, KVM_SET_MSRS, &msrs);
}

static struct kvm_cpuid2 *cpuid;

static long get_set_cpuid(void)
{
	cpuid->nent = 256;
	if (get_supported_cpuid() < 0 || ioctl(vm.sys, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	    ioctl(c.fd, KVM_SET_CPUID2, cpuid))
		return -1;
	return ioctl(c.fd, KVM_GET_CPUID2, cpuid);
}

static long set_signal_mask(void)
{
	struct {
		struct kvm_signal_mask head;
		u8 set[8];
	} mask = { .head.len = sizeof(mask.set) };

	return ioctl(c.fd, KVM_SET_SIGNAL_MASK, &mask) ?:
	       ioctl(c.fd, KVM_SET_SIGNAL_MASK, NULL);
}

static long get_stats_of(int owner)
{
	char buf[512];
	long n = -1;
	int fd, err;

	fd = ioctl(owner, KVM_GET_STATS_FD, 0);
	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf));
	err = errno;
	close(fd);
	errno = err;
	return n;
}

static long get_vcpu_stats(void)
{
	return get_stats_of(c.fd);
}

static long get_vm_stats(void)
{
	return get_stats_of(vm.fd);
}

static void *mapping;

static long map_vcpu(void)
{
	mapping = mmap(NULL, c.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, c.fd, 0);
	if (mapping == MAP_FAILED)
		return -1;
	/* A fault that finds no memory for a page table is tried again. */
	asm volatile("" : : "r" (*(char *)mapping));
	return 0;
}

static void unmap_vcpu(long ret)
{
	(void)ret;
	munmap(mapping, c.run_size);
}

/* --- KVM_RUN ---------------------------------------------------------------------- */

/* It came to its HLT; I/O and devices on the way there are not our business. */
static long run(void)
{
	do {
		if (ioctl(c.fd, KVM_RUN, 0))
			return -1;
	} while (c.run->exit_reason == KVM_EXIT_IO || c.run->exit_reason == KVM_EXIT_MMIO);
	if (c.run->exit_reason == KVM_EXIT_HLT)
		return 0;
	diag("exit reason %u", c.run->exit_reason);
	errno = EBADMSG;
	return -1;
}

/*
 * Memory that neither the host nor the EPT has tables for. The guest's own
 * tables map the first 100 GiB one to one.
 */
static void far_memory(const char *code, const char *end)
{
	struct kvm_regs regs;
	int i;

	far = FAR(1 + far_used++ % FAR_MAX);
	far_mem = mmap(NULL, FAR_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (far_mem == MAP_FAILED || set_region(far, FAR_SIZE, far_mem))
		bail("fresh memory: %s", strerror(errno));
	guest_long(&c, code, end);
	for (i = 1; i <= FAR_MAX; i++)
		((u64 *)(vm.mem + GUEST_PDPT))[i] = FAR(i) | 0x87;
	regs = get_regs(&c);
	regs.rdi = far;
	set_regs(&c, &regs);
}

static void no_far_memory(long ret)
{
	(void)ret;
	set_region(0, 0, NULL);
	munmap(far_mem, FAR_SIZE);
}

static void far_read(void)
{
	far_memory(guest_read, guest_read_end);
}

static void far_hole(void)
{
	far_read();
	set_region(0, 0, NULL);
}

static void far_write(void)
{
	far_memory(guest_write, guest_write_end);
}

/* What is called there is a RET. */
static void far_exec(void)
{
	far_memory(guest_exec, guest_exec_end);
	memset(far_mem, 0xc3, PAGE_SIZE);
}

static void far_outs(void)
{
	far_memory(guest_outs, guest_outs_end);
}

/* Pages are the host's to take, whatever the guest does with them. */
static void written(void)
{
	far_write();
	if (run())
		bail("a write: %s", strerror(errno));
}

static long take_pages(void)
{
	return madvise(far_mem, FAR_SIZE, MADV_DONTNEED);
}

static long protect_pages(void)
{
	return mprotect(far_mem, PAGE_SIZE, PROT_READ);
}

static void fresh_vcpu(void)
{
	fresh_vm();
	vcpu_open(&c, &vm, 0);
}

static void fresh_guest(void)
{
	fresh_vcpu();
	guest64(&c, guest_write);
}

/* With a local APIC, and what only such a vCPU has */
static void fresh_apic(void)
{
	fresh_irqchip_vm();
	vcpu_open(&c, &vm, 0);
}

static long get_set_lapic(void)
{
	struct kvm_lapic_state state;

	return ioctl(c.fd, KVM_GET_LAPIC, &state) ?: ioctl(c.fd, KVM_SET_LAPIC, &state);
}

static long signal_msi(void)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x30 };

	return ioctl(vm.fd, KVM_SIGNAL_MSI, &msi);
}

static long create_irqchip(void)
{
	return ioctl(vm.fd, KVM_CREATE_IRQCHIP, 0);
}

static long split_irqchip(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };

	return ioctl(vm.fd, KVM_ENABLE_CAP, &cap);
}

static long set_routes(void)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e;
	} table = {
		.head.nr = 1,
		.e = { .type = KVM_IRQ_ROUTING_MSI, .u.msi.address_lo = 0xfee00000 },
	};

	return ioctl(vm.fd, KVM_SET_GSI_ROUTING, &table);
}

static long get_set_irqchip(void)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	return ioctl(vm.fd, KVM_GET_IRQCHIP, &chip) ?: ioctl(vm.fd, KVM_SET_IRQCHIP, &chip);
}

static long irqfd(void)
{
	struct kvm_irqfd args = { .fd = event, .gsi = 4, .resamplefd = event };

	args.flags = KVM_IRQFD_FLAG_RESAMPLE;
	return ioctl(vm.fd, KVM_IRQFD, &args);
}

static void fresh_irqfd(void)
{
	if (event < 0)
		event = eventfd(0, EFD_CLOEXEC);
	fresh_irqchip_vm();
}

static void close_vm(long ret)
{
	(void)ret;
	vm_close(&vm);
}

static void close_all(long ret)
{
	(void)ret;
	vcpu_close(&c);
	vm_close(&vm);
}

static long close_vcpu_and_vm(void)
{
	vcpu_close(&c);
	vm_close(&vm);
	return 0;
}

static const struct call system_calls[] = {
	{ "open", .call = open_device, .undo = close_it },
	{ "KVM_CREATE_VM", .call = create_vm, .undo = close_it },
	{ "KVM_GET_SUPPORTED_CPUID", .call = get_supported_cpuid },
	{ "KVM_GET_MSR_INDEX_LIST", .call = get_msr_index_list },
	{ "KVM_CHECK_EXTENSION", .call = check_extension },
};

/* Each in a VM of its own */
static const struct call life_calls[] = {
	{ "KVM_CREATE_VCPU",
	  .prepare = fresh_vm, .call = create_vcpu, .undo = close_vm_and },
	{ "KVM_CREATE_VCPU with a local APIC",
	  .prepare = fresh_irqchip_vm, .call = create_vcpu, .undo = close_vm_and },
	{ "KVM_GET_LAPIC and KVM_SET_LAPIC",
	  .prepare = fresh_apic, .call = get_set_lapic, .undo = close_all },
	{ "KVM_CREATE_IRQCHIP",
	  .prepare = fresh_vm, .call = create_irqchip, .undo = close_vm },
	{ "KVM_CAP_SPLIT_IRQCHIP",
	  .prepare = fresh_vm, .call = split_irqchip, .undo = close_vm },
	{ "KVM_SET_GSI_ROUTING",
	  .prepare = fresh_irqchip_vm, .call = set_routes, .undo = close_vm },
	{ "KVM_GET_IRQCHIP and KVM_SET_IRQCHIP",
	  .prepare = fresh_irqchip_vm, .call = get_set_irqchip, .undo = close_vm },
	{ "KVM_IRQFD", .prepare = fresh_irqfd, .call = irqfd, .undo = close_vm },
	{ "KVM_SIGNAL_MSI", .prepare = fresh_apic, .call = signal_msi, .undo = close_all },
	{ "the first KVM_RUN", .prepare = fresh_guest, .call = run, .undo = close_all },
	{ "close", .prepare = fresh_guest, .call = close_vcpu_and_vm },
};

/* All in one VM */
static const struct call vm_calls[] = {
	{ "a second KVM_CREATE_VCPU", .call = create_vcpu, .undo = close_it },
	{ "KVM_SET_USER_MEMORY_REGION, create", .call = create_slot, .undo = no_slot },
	{ "KVM_SET_USER_MEMORY_REGION, move",
	  .prepare = have_slot, .call = move_slot, .undo = no_slot },
	{ "KVM_SET_USER_MEMORY_REGION, delete", .prepare = have_slot, .call = delete_slot },
	{ "KVM_SET_USER_MEMORY_REGION, a log",
	  .prepare = have_slot, .call = begin_logging, .undo = end_logging },
	{ "KVM_GET_DIRTY_LOG", .prepare = have_log, .call = get_dirty_log },
	{ "KVM_CLEAR_DIRTY_LOG", .prepare = have_log, .call = clear_dirty_log, .undo = no_slot },
	{ "KVM_IOEVENTFD", .prepare = have_event, .call = assign_event, .undo = no_event },
	{ "KVM_IOEVENTFD, out", .prepare = have_events, .call = deassign_event },
	{ "KVM_REGISTER_COALESCED_MMIO",
	  .prepare = have_event, .call = register_zone, .undo = no_zone },
	{ "KVM_UNREGISTER_COALESCED_MMIO", .prepare = have_zone, .call = unregister_zone },
	{ "KVM_SET_TSS_ADDR", .call = set_tss_address },
	{ "KVM_X86_SET_MSR_FILTER", .call = set_msr_filter },
	{ "KVM_ENABLE_CAP", .call = set_user_msr },
	{ "KVM_GET_REGS and KVM_SET_REGS", .call = get_set_regs },
	{ "KVM_GET_SREGS and KVM_SET_SREGS", .call = get_set_sregs },
	{ "KVM_GET_FPU and KVM_SET_FPU", .call = get_set_fpu },
	{ "KVM_GET_XSAVE and KVM_SET_XSAVE", .call = get_set_xsave },
	{ "KVM_GET_XCRS and KVM_SET_XCRS", .call = get_set_xcrs },
	{ "KVM_GET_DEBUGREGS and KVM_SET_DEBUGREGS", .call = get_set_debugregs },
	{ "KVM_GET_SREGS2 and KVM_SET_SREGS2", .call = get_set_sregs2 },
	{ "KVM_GET_VCPU_EVENTS and KVM_SET_VCPU_EVENTS", .call = get_set_events },
	{ "KVM_GET_MP_STATE and KVM_SET_MP_STATE", .call = get_set_mp_state },
	{ "KVM_SET_GUEST_DEBUG", .call = set_guest_debug },
	{ "KVM_TRANSLATE", .call = translate },
	{ "KVM_X86_SETUP_MCE", .call = setup_mce },
	{ "KVM_GET_MSRS and KVM_SET_MSRS", .call = get_set_msrs },
	{ "KVM_GET_CPUID2 and KVM_SET_CPUID2", .call = get_set_cpuid },
	{ "KVM_SET_SIGNAL_MASK", .call = set_signal_mask },
	{ "KVM_GET_STATS_FD and read", .call = get_vcpu_stats },
	{ "a VM's KVM_GET_STATS_FD and read", .call = get_vm_stats },
	{ "mmap of the vCPU", .call = map_vcpu, .undo = unmap_vcpu },
	{ "KVM_RUN, a read", .prepare = far_read, .call = run, .undo = no_far_memory },
	{ "KVM_RUN, a write", .prepare = far_write, .call = run, .undo = no_far_memory },
	{ "KVM_RUN, code", .prepare = far_exec, .call = run, .undo = no_far_memory },
	{ "KVM_RUN, a device", .prepare = far_hole, .call = run, .undo = no_far_memory },
	/* What the kernel copies for a program that faults is EFAULT then. */
	{ "KVM_RUN, REP OUTS",
	  .prepare = far_outs, .call = run, .undo = no_far_memory, .also = EFAULT },
	{ "madvise of guest memory",
	  .prepare = written, .call = take_pages, .undo = no_far_memory },
	{ "mprotect of guest memory",
	  .prepare = written, .call = protect_pages, .undo = no_far_memory },
};

static void try_calls(void)
{
	size_t i;
	int n;

	vm.sys = open_device();
	if (vm.sys < 0)
		bail("%s: %s", device, strerror(errno));
	for (i = 0; i < ARRAY_SIZE(system_calls); i++)
		inject(&system_calls[i]);
	close(vm.sys);
	for (i = 0; i < ARRAY_SIZE(life_calls); i++)
		inject(&life_calls[i]);

	fresh_vm();
	inject(&(struct call){ "KVM_SET_IDENTITY_MAP_ADDR", .call = set_identity_map });
	vcpu_open(&c, &vm, next_id++);
	cpuid = supported_cpuid(&vm);
	for (i = 0; i < ARRAY_SIZE(vm_calls); i++)
		inject(&vm_calls[i]);
	/* After all that, a guest runs as if nothing had been. */
	for (n = 0; n < 3; n++) {
		far_write();
		ok(!run() && *(u64 *)far_mem == 1, "a guest writes, run %d", n + 1);
		no_far_memory(0);
	}
	close_all(0);
}

int main(int argc, char **argv)
{
	device = argc > 1 ? argv[1] : "/dev/kvm";
	if (inject_init())
		try_calls();
	return done_testing();
}
