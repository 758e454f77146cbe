// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_CAP_X86_USER_SPACE_MSR and KVM_X86_SET_MSR_FILTER: which RDMSR and WRMSR
 * are user space's, and how they go on. KVM_X86_SETUP_MCE and its MSRs. Single MSRs.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include "tap.h"
#include "vm.h"

static struct vm vm;
static struct vcpu cpu;

static const char *on_vm(unsigned long cmd, const void *arg)
{
	return errno_text(ioctl(vm.fd, cmd, arg));
}

static void enable(u64 reasons)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR, .args = { reasons },
	};

	is(on_vm(KVM_ENABLE_CAP, &cap), "0", "KVM_CAP_X86_USER_SPACE_MSR of %#llx",
	   (unsigned long long)reasons);
}

/* One KVM_RUN, MSR exits told too. */
static const char *run(void)
{
	static char text[160];
	struct kvm_run *r = cpu.run;
	const char *other = vcpu_run(&cpu);

	if (r->exit_reason != KVM_EXIT_X86_RDMSR && r->exit_reason != KVM_EXIT_X86_WRMSR)
		return other;
	snprintf(text, sizeof(text), "%sMSR %x reason %x data %llx error %d",
		 r->exit_reason == KVM_EXIT_X86_RDMSR ? "RD" : "WR", r->msr.index,
		 (u32)r->msr.reason, (unsigned long long)r->msr.data, r->msr.error);
	return text;
}

GUEST64(unknown_msr,
	"mov $0x12345678, %ecx\n"
	"rdmsr\n"
	"out %eax, $0x10\n"
	"mov %edx, %eax; out %eax, $0x10\n"
	"mov $0x11223344, %eax; mov $0x55667788, %edx\n"
	"wrmsr\n"
	"hlt");

GUEST64(invalid_value,
	"mov $0x277, %ecx; mov $2, %eax; xor %edx, %edx\n"
	"wrmsr\n"
	"hlt");

static void enabling(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR };

	is(on_vm(KVM_ENABLE_CAP, NULL), "EFAULT", "KVM_ENABLE_CAP of NULL");
	cap.flags = 1;
	is(on_vm(KVM_ENABLE_CAP, &cap), "EINVAL", "KVM_ENABLE_CAP with a flag");
	cap.flags = 0;
	cap.args[0] = 8;
	is(on_vm(KVM_ENABLE_CAP, &cap), "EINVAL", "an unknown reason");
	cap.cap = 0x7fffffff;
	is(on_vm(KVM_ENABLE_CAP, &cap), "EINVAL", "an unknown capability");
}

static void exits(void)
{
	guest64(&cpu, unknown_msr);
	is(run(), "trap 13 error=0 at +5", "RDMSR of an unknown MSR");
	enable(KVM_MSR_EXIT_REASON_UNKNOWN);
	guest64(&cpu, unknown_msr);
	is(run(), "RDMSR 12345678 reason 2 data 0 error 0", "  asked for");
	cpu.run->msr.data = 0xaabbccdd99887766;
	is(run(), "OUT port=10 size=4 count=1 data=66778899", "  the answer's low half");
	is(run(), "OUT port=10 size=4 count=1 data=ddccbbaa", "  and its high half");
	is(run(), "WRMSR 12345678 reason 2 data 5566778811223344 error 0", "WRMSR");
	is(run(), "HLT", "  done");
	guest64(&cpu, unknown_msr);
	run();
	cpu.run->msr.error = 1;
	is(run(), "trap 13 error=0 at +5", "RDMSR that user space refuses");
	guest64(&cpu, unknown_msr);
	run();
	run();
	run();
	run();
	cpu.run->msr.error = 1;
	is(run(), "trap 13 error=0 at +23", "WRMSR that user space refuses");

	guest64(&cpu, invalid_value);
	is(run(), "trap 13 error=0 at +12", "a value that is invalid is not unknown");
	enable(KVM_MSR_EXIT_REASON_INVAL);
	guest64(&cpu, invalid_value);
	is(run(), "WRMSR 277 reason 1 data 2 error 0", "an invalid value, asked for");
	is(run(), "HLT", "  done");
	guest64(&cpu, unknown_msr);
	is(run(), "trap 13 error=0 at +5", "an unknown MSR is not invalid");
	enable(0);
}

GUEST64(passed_msrs,
	"mov $0xc0000100, %ecx; xor %edx, %edx; mov $0x1234, %eax\n"
	"wrmsr\n"
	"rdmsr\n"
	"out %eax, $0x10\n"
	"mov $0xc0000102, %ecx; mov $0x5678, %eax\n"
	"wrmsr\n"
	"rdmsr\n"
	"out %eax, $0x10\n"
	"hlt");

GUEST64(lstar64,
	"jmp 1f; hlt\n"
	"1: mov $0xc0000082, %ecx; mov $0x1000 + 2f - lstar64, %eax; xor %edx, %edx\n"
	"wrmsr; syscall; hlt\n"
	"2: mov $7, %al; out %al, $0x20; hlt");

/* An MSR that is in the processor while the guest runs, written from outside of it */
static void syscall_target(void)
{
	struct kvm_sregs s;

	guest64(&cpu, lstar64);
	s = get_sregs(&cpu);
	s.efer |= EFER_SCE;
	set_sregs(&cpu, &s);
	set_msr(&cpu, 0xc0000081, (u64)SEL_CODE64 << 32);
	/* The HLT behind the first jump */
	set_msr(&cpu, 0xc0000082, GUEST_CODE + 2);
	is(run(), "OUT port=20 size=1 count=1 data=07", "SYSCALL goes to a new LSTAR");
}

static void filter(void)
{
	static u8 bits[0x600];
	struct kvm_msr_filter f = { };

	is(on_vm(KVM_X86_SET_MSR_FILTER, NULL), "EFAULT", "KVM_X86_SET_MSR_FILTER of NULL");
	f.flags = 2;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "EINVAL", "  unknown flag");
	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "EINVAL", "  all denied without a range");
	f.flags = 0;
	f.ranges[3].nmsrs = 1;
	f.ranges[3].bitmap = bits;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "EINVAL", "  a range without flags");
	f.ranges[3].flags = 4;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "EINVAL", "  a range with unknown flags");
	f.ranges[3].flags = KVM_MSR_FILTER_READ;
	f.ranges[3].bitmap = (u8 *)8;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "EFAULT", "  a bad bitmap");
	f.ranges[3].nmsrs = 0x600 * 8 + 1;
	f.ranges[3].bitmap = bits;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "EINVAL", "  a bitmap that is too large");
	f.ranges[3].nmsrs = 0xffffffff;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "EINVAL", "  as large as can be");

	guest64(&cpu, passed_msrs);
	is(run(), "OUT port=10 size=4 count=1 data=34120000", "FS_BASE without a filter");
	is(run(), "OUT port=10 size=4 count=1 data=78560000", "KERNEL_GS_BASE");
	is(run(), "HLT", "  done");

	/* Writes to KERNEL_GS_BASE are denied, those to FS_BASE are not. */
	f.ranges[3].flags = KVM_MSR_FILTER_WRITE;
	f.ranges[3].base = 0xc0000100;
	f.ranges[3].nmsrs = 4;
	bits[0] = 0xb;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "0", "a filter for KERNEL_GS_BASE");
	guest64(&cpu, passed_msrs);
	is(run(), "OUT port=10 size=4 count=1 data=34120000", "FS_BASE under the filter");
	is(run(), "trap 13 error=0 at +28", "KERNEL_GS_BASE under the filter");
	enable(KVM_MSR_EXIT_REASON_FILTER);
	guest64(&cpu, passed_msrs);
	run();
	is(run(), "WRMSR c0000102 reason 4 data 5678 error 0", "  asked for");
	is(run(), "OUT port=10 size=4 count=1 data=78560000", "  which keeps the old value");
	is(run(), "HLT", "  done");

	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	bits[0] = 0xf;
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "0", "all others denied");
	guest64(&cpu, passed_msrs);
	is(run(), "RDMSR c0000100 reason 4 data 0 error 0", "  reading FS_BASE is");
	cpu.run->msr.data = 0x77;
	is(run(), "OUT port=10 size=4 count=1 data=77000000", "  the guest gets the answer");

	memset(&f, 0, sizeof(f));
	is(on_vm(KVM_X86_SET_MSR_FILTER, &f), "0", "no filter any more");
	guest64(&cpu, passed_msrs);
	is(run(), "OUT port=10 size=4 count=1 data=34120000", "  FS_BASE");
	is(run(), "OUT port=10 size=4 count=1 data=78560000", "  KERNEL_GS_BASE");
	/* Every WRMSR comes to the kernel as long as one could be asked for. */
	syscall_target();
	enable(0);
}

static long msr(unsigned long cmd, u32 index, u64 *value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e;
	} m = { .head.nmsrs = 1, .e.index = index, .e.data = *value };
	long ret = ioctl(cpu.fd, cmd, &m);

	*value = m.e.data;
	return ret;
}

static void mce(void)
{
	u64 cap = 0, value = 0;

	is_hex(ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_MCE), 32, "KVM_CAP_MCE");
	msr(KVM_GET_MSRS, 0x179, &value);
	is_hex(value, 32, "fresh IA32_MCG_CAP");
	is(errno_text(ioctl(cpu.fd, KVM_X86_SETUP_MCE, &cap)), "EINVAL", "no bank");
	cap = 33;
	is(errno_text(ioctl(cpu.fd, KVM_X86_SETUP_MCE, &cap)), "EINVAL", "33 banks");
	cap = 10 | 1 << 12;
	is(errno_text(ioctl(cpu.fd, KVM_X86_SETUP_MCE, &cap)), "EINVAL", "an unknown feature");
	cap = 10 | 1 << 8 | 1 << 24;
	is(errno_text(ioctl(cpu.fd, KVM_X86_SETUP_MCE, &cap)), "0", "KVM_X86_SETUP_MCE");
	msr(KVM_GET_MSRS, 0x179, &value);
	is_hex(value, cap, "  IA32_MCG_CAP says so");
	msr(KVM_GET_MSRS, 0x17b, &value);
	is_hex(value, ~0ull, "  IA32_MCG_CTL is all ones");
	msr(KVM_GET_MSRS, 0x424, &value);
	is_hex(value, ~0ull, "  IA32_MC9_CTL is all ones");
	is_hex(msr(KVM_GET_MSRS, 0x428, &value), 0, "  there is no IA32_MC10_CTL");
	value = 5;
	is_hex(msr(KVM_SET_MSRS, 0x404, &value), 0, "IA32_MC1_CTL takes no 5");
	is_hex(msr(KVM_SET_MSRS, 0x405, &value), 1, "IA32_MC1_STATUS does");
	value = 0;
	msr(KVM_GET_MSRS, 0x405, &value);
	is_hex(value, 5, "  and keeps it");
}

/* SDM Vol. 3, "IA32_TSC_ADJUST Register" */
GUEST64(adjust64,
	"mov $0x3b, %ecx; xor %edx, %edx; mov $0x40000000, %eax; wrmsr; hlt;"
	/* TSC = TSC + 2^44, give or take what that takes */
	"mov $0x10, %ecx; rdtsc; add $0x1000, %edx; wrmsr;"
	"mov $0x3b, %ecx; rdmsr; hlt");
GUEST64(rdmsr_adjust64, "mov $0x3b, %ecx; rdmsr; hlt");

static u64 tsc_offset(void)
{
	u64 offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (unsigned long)&offset,
	};

	if (ioctl(cpu.fd, KVM_GET_DEVICE_ATTR, &attr))
		bail("KVM_VCPU_TSC_OFFSET: %s", errno_text(-1));
	return offset;
}

static void tsc_adjust(void)
{
	u64 before = tsc_offset(), value = 5;
	struct kvm_regs r;
	struct vcpu least;

	is_hex(msr(KVM_SET_MSRS, 0x3b, &value), 1, "IA32_TSC_ADJUST");
	is_hex(get_msr(&cpu, 0x3b), 5, "  is kept");
	is_hex(tsc_offset() - before, 0, "  user space's does not move the TSC");
	value = 0;
	msr(KVM_SET_MSRS, 0x3b, &value);
	guest64(&cpu, adjust64);
	is(vcpu_run(&cpu), "HLT", "  written by the guest");
	is_hex(tsc_offset() - before, 0x40000000, "  it does");
	is(vcpu_run(&cpu), "HLT", "WRMSR of the TSC");
	r = get_regs(&cpu);
	is_hex((u32)r.rdx, 0x1000, "  is told there, too");
	is_hex(((r.rdx << 32 | (u32)r.rax) - (tsc_offset() - before)), 0,
	       "  and both moved by the same");
	vcpu_open_bare(&least, &vm, 7);
	cpuid_least(&least);
	guest64(&least, rdmsr_adjust64);
	value = 5;
	is(vcpu_run(&least), "HLT", "  without it in CPUID");
	is_hex(get_regs(&least).rax, 0, "    it is 0");
	vcpu_close(&least);
}

/* MSR_POWER_CTL: Linux's drivers read and write it. */
static void power_ctl(void)
{
	u64 value = 0x1234;

	is_hex(get_msr(&cpu, 0x1fc), 0, "fresh MSR_POWER_CTL");
	is_hex(msr(KVM_SET_MSRS, 0x1fc, &value), 1, "  takes a value");
	is_hex(get_msr(&cpu, 0x1fc), 0x1234, "  and keeps it");
}

/* MSR_KVM_WALL_CLOCK and SYSTEM_TIME: QEMU writes 0 for a guest without either. */
static void clocks(void)
{
	u64 value = 0;

	is_hex(msr(KVM_SET_MSRS, 0x11, &value), 1, "no wall clock");
	is_hex(msr(KVM_SET_MSRS, 0x12, &value), 1, "no system time");
	is_hex(get_msr(&cpu, 0x12), 0, "  there is none");
}

static void perf_capabilities(void)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e;
	} m = { .head.nmsrs = 1, .e = { .index = 0x345, .data = ~0ull } };

	is_hex(ioctl(vm.sys, KVM_GET_MSRS, &m), 1, "IA32_PERF_CAPABILITIES is a feature MSR");
	is_hex(m.e.data, 0, "  without any: there are no counters");
}

GUEST64(ins64, "rep insb; out %al, $0x10; hlt");

/* What user space does to RCX while it has the data must not run away. */
static void shorter_ins(void)
{
	struct kvm_regs r;

	guest64(&cpu, ins64);
	r = get_regs(&cpu);
	r.rcx = 3;
	r.rdx = 0x20;
	r.rdi = GUEST_DATA;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), "IN port=20 size=1 count=3", "REP INSB of 3");
	r = get_regs(&cpu);
	r.rcx = 1;
	set_regs(&cpu, &r);
	is(vcpu_run(&cpu), "OUT port=10 size=1 count=1 data=00", "  RCX set to 1 meanwhile");
	r = get_regs(&cpu);
	is_hex(r.rcx, 0, "  ends it");
	is_hex(r.rdi, GUEST_DATA + 1, "  after 1");
}

static void max_vcpu_id(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MAX_VCPU_ID, .args = { 1 } };
	struct vm small;

	vm_open(&small, vm.device, 1 << 20);
	cap.args[0] = ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID) + 1;
	is(errno_text(ioctl(small.fd, KVM_ENABLE_CAP, &cap)), "EINVAL",
	   "KVM_CAP_MAX_VCPU_ID above the most");
	cap.args[0] = 2;
	is(errno_text(ioctl(small.fd, KVM_ENABLE_CAP, &cap)), "0", "  of 2");
	cap.args[0] = 3;
	is(errno_text(ioctl(small.fd, KVM_ENABLE_CAP, &cap)), "EINVAL", "  not twice");
	cap.args[0] = 2;
	is(errno_text(ioctl(small.fd, KVM_ENABLE_CAP, &cap)), "0", "  but for the same");
	is(errno_text(ioctl(small.fd, KVM_CREATE_VCPU, 2)), "EINVAL", "  vCPU 2 cannot be");
	ok(ioctl(small.fd, KVM_CREATE_VCPU, 1) >= 0, "  vCPU 1 can");
	vm_close(&small);
}

int main(int argc, char **argv)
{
	vm_open(&vm, argc > 1 ? argv[1] : "/dev/kvm", 2 << 20);
	vcpu_open(&cpu, &vm, 0);
	tsc_adjust();
	power_ctl();
	clocks();
	perf_capabilities();
	shorter_ins();
	max_vcpu_id();
	enabling();
	exits();
	filter();
	mce();
	return done_testing();
}
