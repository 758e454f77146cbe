// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_CHECK_EXTENSION is true.
 *
 * Every KVM_CAP_ and every call of <linux/kvm.h> (names.h is generated from it)
 * is either in one of the two tables below, or not in minivmm: then the answer is
 * 0, and the error is that of an unknown call. capability.t looks whether the
 * program that a row names uses the capability, and whether the documentation
 * has a word on each. Lines with "not in minivmm" are for minivmm alone.
 */
#include <cpuid.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tap.h"
#include "vm.h"

#define BAD_POINTER 8ul
#define ALL_DEBUG (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |		\
		   KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP |		\
		   KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP |		\
		   KVM_GUESTDBG_BLOCKIRQ)

/* Not a constant of the interface: what it should be is asked elsewhere. */
#define CPUS -1		/* CPUs that are online */
#define XSAVE_USED -2	/* 1 if Linux uses XSAVE */
#define SLOTS -3	/* 512; KVM has more */
#define SHADOWS -4	/* both; KVM says 0, and takes both */

/* CAP(name, value, the program below tests/ that uses it, and a word of that) */
#define CAP(name, value, program, word) { #name, name, value }
static const struct {
	const char *name;
	int cap;
	int value;
} caps[] = {
	CAP(KVM_CAP_USER_MEMORY, 1, "lab/src/slots.c", "KVM_SET_USER_MEMORY_REGION"),
	CAP(KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1, "lab/src/slots.c",
	    "KVM_SET_USER_MEMORY_REGION"),
	CAP(KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1, "lab/src/slots.c",
	    "KVM_SET_USER_MEMORY_REGION"),
	CAP(KVM_CAP_READONLY_MEM, 1, "lab/src/slots.c", "KVM_MEM_READONLY"),
	CAP(KVM_CAP_NR_MEMSLOTS, SLOTS, "lab/src/ioctl_system.c", "KVM_CAP_NR_MEMSLOTS"),
	CAP(KVM_CAP_SYNC_MMU, 1, "lab/src/memory.c", "madvise"),
	CAP(KVM_CAP_SET_TSS_ADDR, 1, "lab/src/ioctl_system.c", "KVM_SET_TSS_ADDR"),
	CAP(KVM_CAP_SET_IDENTITY_MAP_ADDR, 1, "lab/src/ioctl_system.c",
	    "KVM_SET_IDENTITY_MAP_ADDR"),
	CAP(KVM_CAP_EXT_CPUID, 1, "lab/src/ioctl_vcpu.c", "KVM_SET_CPUID2"),
	CAP(KVM_CAP_EXT_EMUL_CPUID, 1, "conformance/state.c", "KVM_GET_EMULATED_CPUID"),
	CAP(KVM_CAP_NR_VCPUS, CPUS, "conformance/capability.c", "KVM_CAP_NR_VCPUS"),
	CAP(KVM_CAP_MAX_VCPUS, 1024, "lab/src/ioctl_system.c", "KVM_CAP_MAX_VCPUS"),
	CAP(KVM_CAP_MAX_VCPU_ID, 4096, "lab/src/ioctl_system.c", "KVM_CAP_MAX_VCPU_ID"),
	CAP(KVM_CAP_IRQCHIP, 1, "conformance/pic.c", "KVM_CREATE_IRQCHIP"),
	CAP(KVM_CAP_IRQ_ROUTING, 4096, "conformance/pic.c", "KVM_SET_GSI_ROUTING"),
	CAP(KVM_CAP_IRQ_INJECT_STATUS, 1, "conformance/pic.c", "KVM_IRQ_LINE_STATUS"),
	CAP(KVM_CAP_SET_BOOT_CPU_ID, 1, "conformance/pic.c", "KVM_SET_BOOT_CPU_ID"),
	CAP(KVM_CAP_IOAPIC_POLARITY_IGNORED, 1, "conformance/pic.c", "polarity"),
	CAP(KVM_CAP_PIT, 1, "conformance/pit.c", "KVM_CREATE_PIT"),
	CAP(KVM_CAP_PIT2, 1, "conformance/pit.c", "KVM_CREATE_PIT2"),
	CAP(KVM_CAP_PIT_STATE2, 1, "conformance/pit.c", "KVM_SET_PIT2"),
	CAP(KVM_CAP_REINJECT_CONTROL, 1, "conformance/pit.c", "KVM_REINJECT_CONTROL"),
	CAP(KVM_CAP_HLT, 1, "conformance/irqchip.c", "hlt"),
	CAP(KVM_CAP_IRQFD, 1, "conformance/irqfd.c", "KVM_IRQFD"),
	CAP(KVM_CAP_IRQFD_RESAMPLE, 1, "conformance/irqfd.c", "KVM_IRQFD_FLAG_RESAMPLE"),
	CAP(KVM_CAP_SPLIT_IRQCHIP, 1, "conformance/irqfd.c", "KVM_CAP_SPLIT_IRQCHIP"),
	CAP(KVM_CAP_IMMEDIATE_EXIT, 1, "lab/src/ioctl_run.c", "immediate_exit"),
	CAP(KVM_CAP_INTERNAL_ERROR_DATA, 1, "conformance/mmio.c", "INTERNAL_ERROR"),
	CAP(KVM_CAP_BINARY_STATS_FD, 1, "lab/src/ioctl_system.c", "KVM_GET_STATS_FD"),
	CAP(KVM_CAP_CHECK_EXTENSION_VM, 1, "conformance/capability.c", "KVM_CHECK_EXTENSION"),
	CAP(KVM_CAP_USER_NMI, 1, "conformance/interrupt.c", "KVM_NMI"),
	CAP(KVM_CAP_VCPU_EVENTS, 1, "conformance/interrupt.c", "KVM_SET_VCPU_EVENTS"),
	CAP(KVM_CAP_INTR_SHADOW, SHADOWS, "conformance/interrupt.c", "KVM_VCPUEVENT_VALID_SHADOW"),
	CAP(KVM_CAP_SET_GUEST_DEBUG, 1, "conformance/guest_debug.c", "KVM_SET_GUEST_DEBUG"),
	CAP(KVM_CAP_SET_GUEST_DEBUG2, ALL_DEBUG, "conformance/guest_debug.c",
	    "KVM_GUESTDBG_USE_HW_BP"),
	CAP(KVM_CAP_DEBUGREGS, 1, "conformance/state.c", "KVM_SET_DEBUGREGS"),
	CAP(KVM_CAP_XSAVE, 1, "conformance/state.c", "KVM_SET_XSAVE"),
	CAP(KVM_CAP_XSAVE2, 4096, "conformance/state.c", "KVM_GET_XSAVE2"),
	CAP(KVM_CAP_XCRS, XSAVE_USED, "conformance/state.c", "KVM_SET_XCRS"),
	CAP(KVM_CAP_MP_STATE, 1, "conformance/state.c", "KVM_SET_MP_STATE"),
	CAP(KVM_CAP_SREGS2, 1, "conformance/state.c", "KVM_SET_SREGS2"),
	CAP(KVM_CAP_GET_TSC_KHZ, 1, "conformance/state.c", "KVM_GET_TSC_KHZ"),
	CAP(KVM_CAP_GET_MSR_FEATURES, 1, "conformance/state.c",
	    "KVM_GET_MSR_FEATURE_INDEX_LIST"),
	CAP(KVM_CAP_SYS_ATTRIBUTES, 1, "conformance/state.c", "KVM_X86_XCOMP_GUEST_SUPP"),
	CAP(KVM_CAP_VCPU_ATTRIBUTES, 1, "conformance/state.c", "KVM_VCPU_TSC_OFFSET"),
	CAP(KVM_CAP_ENABLE_CAP, 1, "conformance/state.c", "KVM_ENABLE_CAP"),
	CAP(KVM_CAP_ENABLE_CAP_VM, 1, "conformance/msr.c", "KVM_ENABLE_CAP"),
	CAP(KVM_CAP_X86_USER_SPACE_MSR, 1, "conformance/msr.c", "KVM_CAP_X86_USER_SPACE_MSR"),
	CAP(KVM_CAP_X86_MSR_FILTER, 1, "conformance/msr.c", "KVM_X86_SET_MSR_FILTER"),
	CAP(KVM_CAP_SYNC_REGS, 7, "conformance/sync_regs.c", "KVM_CAP_SYNC_REGS"),
	CAP(KVM_CAP_MCE, 32, "conformance/msr.c", "KVM_X86_SETUP_MCE"),
	CAP(KVM_CAP_IOEVENTFD, 1, "conformance/ioeventfd.c", "KVM_IOEVENTFD"),
	CAP(KVM_CAP_IOEVENTFD_NO_LENGTH, 1, "conformance/ioeventfd.c", "KVM_IOEVENTFD"),
	CAP(KVM_CAP_IOEVENTFD_ANY_LENGTH, 1, "conformance/ioeventfd.c", "KVM_IOEVENTFD"),
	CAP(KVM_CAP_COALESCED_MMIO, 2, "conformance/coalesced.c",
	    "KVM_REGISTER_COALESCED_MMIO"),
	CAP(KVM_CAP_COALESCED_PIO, 1, "conformance/coalesced.c",
	    "KVM_REGISTER_COALESCED_MMIO"),
	CAP(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 3, "conformance/dirty_log.c",
	    "KVM_CLEAR_DIRTY_LOG"),
	CAP(KVM_CAP_MMU_SHADOW_CACHE_CONTROL, 1, "conformance/coalesced.c",
	    "KVM_SET_NR_MMU_PAGES"),
	CAP(KVM_CAP_CLOCKSOURCE, 1, "conformance/clock.c", "CPUID"),
	CAP(KVM_CAP_NOP_IO_DELAY, 1, "conformance/clock.c", "CPUID"),
	CAP(KVM_CAP_ADJUST_CLOCK, 14, "conformance/clock.c", "KVM_SET_CLOCK"),
	CAP(KVM_CAP_TSC_DEADLINE_TIMER, 1, "conformance/deadline.c",
	    "KVM_CAP_TSC_DEADLINE_TIMER"),
	CAP(KVM_CAP_KVMCLOCK_CTRL, 1, "conformance/clock.c", "KVM_KVMCLOCK_CTRL"),
	CAP(KVM_CAP_SIGNAL_MSI, 1, "conformance/ipi.c", "KVM_SIGNAL_MSI"),
};

enum { SYSTEM, VM, VCPU, KINDS };

static const char * const kinds[] = { "the system", "a VM", "a vCPU" };

/*
 * The calls that are here. With POINTER the argument is one, and what is behind
 * it is read or written before anything else is looked at: EFAULT.
 */
#define PLAIN(kind, call) { #call, call, kind, false }
#define POINTER(kind, call) { #call, call, kind, true }
static const struct {
	const char *name;
	unsigned long call;
	int kind;
	bool pointer;
} calls[] = {
	PLAIN(SYSTEM, KVM_GET_API_VERSION),
	PLAIN(SYSTEM, KVM_CREATE_VM),
	PLAIN(SYSTEM, KVM_CHECK_EXTENSION),
	PLAIN(SYSTEM, KVM_GET_VCPU_MMAP_SIZE),
	POINTER(SYSTEM, KVM_GET_SUPPORTED_CPUID),
	POINTER(SYSTEM, KVM_GET_EMULATED_CPUID),
	POINTER(SYSTEM, KVM_GET_MSR_INDEX_LIST),
	POINTER(SYSTEM, KVM_GET_MSR_FEATURE_INDEX_LIST),
	POINTER(SYSTEM, KVM_GET_MSRS),
	POINTER(SYSTEM, KVM_GET_DEVICE_ATTR),
	POINTER(SYSTEM, KVM_HAS_DEVICE_ATTR),
	POINTER(SYSTEM, KVM_X86_GET_MCE_CAP_SUPPORTED),

	PLAIN(VM, KVM_CREATE_VCPU),
	PLAIN(VM, KVM_CREATE_IRQCHIP),
	PLAIN(VM, KVM_SET_BOOT_CPU_ID),
	POINTER(VM, KVM_GET_CLOCK),
	POINTER(VM, KVM_SET_CLOCK),
	POINTER(VM, KVM_GET_IRQCHIP),
	POINTER(VM, KVM_SET_IRQCHIP),
	POINTER(VM, KVM_IRQ_LINE),
	POINTER(VM, KVM_IRQ_LINE_STATUS),
	POINTER(VM, KVM_IRQFD),
	PLAIN(VM, KVM_CREATE_PIT),
	POINTER(VM, KVM_CREATE_PIT2),
	POINTER(VM, KVM_GET_PIT),
	POINTER(VM, KVM_SET_PIT),
	PLAIN(VM, KVM_GET_PIT2),
	POINTER(VM, KVM_SET_PIT2),
	POINTER(VM, KVM_REINJECT_CONTROL),
	POINTER(VM, KVM_SET_GSI_ROUTING),
	PLAIN(VM, KVM_CHECK_EXTENSION),
	PLAIN(VM, KVM_SET_TSS_ADDR),
	PLAIN(VM, KVM_GET_STATS_FD),
	PLAIN(VM, KVM_GET_TSC_KHZ),
	PLAIN(VM, KVM_SET_TSC_KHZ),
	POINTER(VM, KVM_SET_USER_MEMORY_REGION),
	PLAIN(VM, KVM_SET_IDENTITY_MAP_ADDR),
	POINTER(VM, KVM_ENABLE_CAP),
	POINTER(VM, KVM_X86_SET_MSR_FILTER),
	POINTER(VM, KVM_SIGNAL_MSI),
	POINTER(VM, KVM_GET_DIRTY_LOG),
	POINTER(VM, KVM_CLEAR_DIRTY_LOG),
	POINTER(VM, KVM_IOEVENTFD),
	POINTER(VM, KVM_REGISTER_COALESCED_MMIO),
	POINTER(VM, KVM_UNREGISTER_COALESCED_MMIO),
	PLAIN(VM, KVM_SET_NR_MMU_PAGES),
	PLAIN(VM, KVM_GET_NR_MMU_PAGES),

	PLAIN(VCPU, KVM_KVMCLOCK_CTRL),
	PLAIN(VCPU, KVM_RUN),
	PLAIN(VCPU, KVM_NMI),
	PLAIN(VCPU, KVM_GET_STATS_FD),
	PLAIN(VCPU, KVM_GET_TSC_KHZ),
	PLAIN(VCPU, KVM_SET_TSC_KHZ),
	PLAIN(VCPU, KVM_GET_LAPIC),
	PLAIN(VCPU, KVM_SET_LAPIC),
	PLAIN(VCPU, KVM_SET_VAPIC_ADDR),
	POINTER(VCPU, KVM_GET_REGS),
	POINTER(VCPU, KVM_SET_REGS),
	POINTER(VCPU, KVM_GET_SREGS),
	POINTER(VCPU, KVM_SET_SREGS),
	POINTER(VCPU, KVM_GET_SREGS2),
	POINTER(VCPU, KVM_SET_SREGS2),
	POINTER(VCPU, KVM_GET_FPU),
	POINTER(VCPU, KVM_SET_FPU),
	POINTER(VCPU, KVM_GET_XSAVE),
	POINTER(VCPU, KVM_GET_XSAVE2),
	POINTER(VCPU, KVM_SET_XSAVE),
	POINTER(VCPU, KVM_GET_XCRS),
	POINTER(VCPU, KVM_SET_XCRS),
	POINTER(VCPU, KVM_GET_MSRS),
	POINTER(VCPU, KVM_SET_MSRS),
	POINTER(VCPU, KVM_SET_CPUID2),
	POINTER(VCPU, KVM_GET_CPUID2),
	POINTER(VCPU, KVM_GET_DEBUGREGS),
	POINTER(VCPU, KVM_SET_DEBUGREGS),
	POINTER(VCPU, KVM_GET_VCPU_EVENTS),
	POINTER(VCPU, KVM_SET_VCPU_EVENTS),
	POINTER(VCPU, KVM_GET_MP_STATE),
	POINTER(VCPU, KVM_SET_MP_STATE),
	POINTER(VCPU, KVM_SET_GUEST_DEBUG),
	POINTER(VCPU, KVM_SET_SIGNAL_MASK),
	POINTER(VCPU, KVM_INTERRUPT),
	POINTER(VCPU, KVM_TRANSLATE),
	POINTER(VCPU, KVM_HAS_DEVICE_ATTR),
	POINTER(VCPU, KVM_GET_DEVICE_ATTR),
	POINTER(VCPU, KVM_SET_DEVICE_ATTR),
	POINTER(VCPU, KVM_ENABLE_CAP),
	POINTER(VCPU, KVM_X86_SETUP_MCE),
};

#define NAME(name) { #name, name },
static const struct {
	const char *name;
	int cap;
} all_caps[] = {
#define NAMES_CAPS
#include "names.h"
#undef NAMES_CAPS
};

static const struct {
	const char *name;
	unsigned long call;
} all_calls[] = {
#define NAMES_CALLS
#include "names.h"
#undef NAMES_CALLS
};

static struct vm vm;
static struct vcpu cpu;
static bool minivmm;

static int want_value(int value)
{
	u32 a, b, c, d;

	switch (value) {
	case CPUS:
		return sysconf(_SC_NPROCESSORS_ONLN);
	case XSAVE_USED:
		__cpuid(1, a, b, c, d);
		return !!(c & bit_OSXSAVE);
	case SLOTS:
		return minivmm ? 512 : 32764;
	case SHADOWS:
		return minivmm ? KVM_X86_SHADOW_INT_MOV_SS | KVM_X86_SHADOW_INT_STI : 0;
	}
	return value;
}

static void each_capability(void)
{
	bool known[1024] = { false };
	unsigned int i;
	int others = 0;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		known[caps[i].cap] = true;
		is_hex(ioctl(vm.sys, KVM_CHECK_EXTENSION, caps[i].cap),
		       want_value(caps[i].value), "%s", caps[i].name);
		is_hex(ioctl(vm.fd, KVM_CHECK_EXTENSION, caps[i].cap),
		       want_value(caps[i].value), "%s on a VM", caps[i].name);
	}
	for (i = 0; i < ARRAY_SIZE(all_caps); i++) {
		int cap = all_caps[i].cap;
		int value = ioctl(vm.fd, KVM_CHECK_EXTENSION, cap);

		if (known[cap])
			continue;
		known[cap] = true;
		if (minivmm)
			is_hex(ioctl(vm.sys, KVM_CHECK_EXTENSION, cap) | value, 0,
			       "%s, not in minivmm", all_caps[i].name);
		else if (value)
			diag("%s: %#x here, not in minivmm", all_caps[i].name, value);
	}
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!known[i])
			others |= ioctl(vm.sys, KVM_CHECK_EXTENSION, i) |
				ioctl(vm.fd, KVM_CHECK_EXTENSION, i);
	is_hex(others, 0, "numbers without a name");
}

static bool is_here(int kind, unsigned long call)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].kind == kind && calls[i].call == call)
			return true;
	return false;
}

/* An unknown call never looks at its argument; a known one would say EFAULT. */
static void each_call(void)
{
	const int fds[KINDS] = { vm.sys, vm.fd, cpu.fd };
	unsigned int i, kind;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].pointer)
			is(errno_text(ioctl(fds[calls[i].kind], calls[i].call, BAD_POINTER)),
			   "EFAULT", "%s on %s, a bad pointer", calls[i].name,
			   kinds[calls[i].kind]);
	/* KVM has these; what it answers to nonsense is not asked here. */
	if (!minivmm)
		return;
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < ARRAY_SIZE(all_calls); i++)
			if (!is_here(kind, all_calls[i].call))
				is(errno_text(ioctl(fds[kind], all_calls[i].call, BAD_POINTER)),
				   kind == VM ? "ENOTTY" : "EINVAL",
				   "%s on %s, not in minivmm", all_calls[i].name, kinds[kind]);
}

int main(int argc, char **argv)
{
	const char *device = argc > 1 ? argv[1] : "/dev/kvm";

	minivmm = strstr(device, "minivmm");
	vm_open(&vm, device, 2 << 20);
	vcpu_open(&cpu, &vm, 0);
	each_capability();
	each_call();
	return done_testing();
}
