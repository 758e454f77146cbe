// SPDX-License-Identifier: GPL-2.0
/*
 * What the rules of VM entry depend on besides the VMCS, on this machine.
 */
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/perf_event.h>
#include <asm/processor.h>

#include "../compat.h"
#include "check.h"

#define MSR_VMFUNC		0x491
#define MSR_PROCBASED3		0x492
#define MSR_EXIT2		0x493
#define MSR_RTIT_CTL		0x570
#define RTIT_TRACE		BIT_ULL(0)
#define PERFORMANCE_LEAF	0xa

/* SDM Vol. 4, IA32_PERF_GLOBAL_CTRL: a bit for each counter that exists */
static u64 perf_counters(void)
{
	union cpuid10_eax eax;
	union cpuid10_edx edx;
	unsigned int b, c;

	if (boot_cpu_data.cpuid_level < PERFORMANCE_LEAF)
		return 0;
	cpuid(PERFORMANCE_LEAF, &eax.full, &b, &c, &edx.full);
	if (eax.split.version_id < 2)
		return 0;
	return (BIT_ULL(eax.split.num_counters) - 1) |
	       (BIT_ULL(edx.split.num_counters_fixed) - 1) << 32;
}

/**
 * mvm_check_this_cpu() - the facts about this machine
 * @cpu: filled, but for @current_vmcs and @peek, which stay empty
 * @msrs: its capability MSRs, which @cpu points to from then on
 */
void mvm_check_this_cpu(struct mvm_check_cpu *cpu, const struct mvm_vmx_msrs *msrs)
{
	u64 rtit = 0;

	*cpu = (struct mvm_check_cpu) {
		.msrs = msrs,
		.perf_global = perf_counters(),
		.phys_bits = boot_cpu_data.x86_phys_bits,
		.linear_bits = boot_cpu_data.x86_virt_bits,
		.sgx = boot_cpu_has(X86_FEATURE_SGX),
		.rtm = boot_cpu_has(X86_FEATURE_RTM),
	};
	if ((msrs->cpu2 >> 32) & CPU2_VM_FUNCTIONS)
		rdmsrl_safe(MSR_VMFUNC, &cpu->vmfunc);
	if ((msrs->cpu >> 32) & CPU_TERTIARY)
		rdmsrl_safe(MSR_PROCBASED3, &cpu->cpu3);
	if ((msrs->exit >> 32) & EXIT_SECONDARY)
		rdmsrl_safe(MSR_EXIT2, &cpu->exit2);
	if (boot_cpu_has(X86_FEATURE_INTEL_PT) && !rdmsrl_safe(MSR_RTIT_CTL, &rtit))
		cpu->tracing = rtit & RTIT_TRACE;
}
