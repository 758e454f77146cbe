// SPDX-License-Identifier: GPL-2.0
/*
 * What guards the host's secrets from a guest, beyond what enter.S does at
 * every entry and exit. Linux's own decision, taken from its command line and
 * the CPU's bugs, is followed.
 *
 * L1 terminal fault (CVE-2018-3646): a guest can read what is in the L1D cache
 * by physical address, because its not-present page-table entries are not
 * translated by EPT. Hence the cache is emptied before an entry if anything
 * ran since the last that may have touched secrets: everything that runs
 * between mvm_vmx_put() and mvm_vmx_load(), and interrupt handlers, whether
 * they made the guest exit or came while an exit was handled. The exit handlers
 * of this module touch the vCPU's own data alone.
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "../compat.h"
#include "operation.h"

/* The L1D of every CPU with this bug is 32 KiB; the kernel's advice is twice that. */
#define FILL_ORDER	4
#define FILL_SIZE	(PAGE_SIZE << FILL_ORDER)

bool mvm_vmx_l1d_on_load;
bool mvm_vmx_l1d_always;
static void *fill;

/**
 * mvm_vmx_mitigation_init() - decide on the L1D flush
 *
 * Return: 0 or -ENOMEM.
 */
int mvm_vmx_mitigation_init(void)
{
	u64 arch_cap = 0;
	unsigned int i;

	if (!boot_cpu_has_bug(X86_BUG_L1TF) || mvm_compat_l1tf() == L1TF_MITIGATION_OFF)
		return 0;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl_safe(MSR_IA32_ARCH_CAPABILITIES, &arch_cap);
	if (arch_cap & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH)
		return 0;

	if (!boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		fill = (void *)__get_free_pages(GFP_KERNEL, FILL_ORDER);
		if (!fill)
			return -ENOMEM;
		/* Different pages, lest a hypervisor below merges them. */
		for (i = 0; i < 1 << FILL_ORDER; i++)
			memset(fill + i * PAGE_SIZE, i + 1, PAGE_SIZE);
	}
	mvm_vmx_l1d_on_load = true;
	mvm_vmx_l1d_always = mvm_compat_l1tf() >= L1TF_MITIGATION_FULL;
	return 0;
}

/**
 * mvm_vmx_mitigation_exit() - undo mvm_vmx_mitigation_init()
 */
void mvm_vmx_mitigation_exit(void)
{
	free_pages((unsigned long)fill, FILL_ORDER);
	fill = NULL;
}

/**
 * mvm_vmx_flush_l1d() - empty the L1D cache of what the host had in it
 *
 * Interrupts are off, and the VM entry follows.
 */
void mvm_vmx_flush_l1d(void)
{
	unsigned long offset, scratch;

	if (!fill) {
		wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		return;
	}
	/* First the TLB: a page walk between the reads would need cache lines. */
	for (offset = 0; offset < FILL_SIZE; offset += PAGE_SIZE)
		asm volatile("mov (%1), %0" : "=r" (scratch) : "r" (fill + offset));
	asm volatile("lfence" : : : "memory");
	for (offset = 0; offset < FILL_SIZE; offset += 8 * 64)
		asm volatile("mov 0*64(%1), %0\n\t"
			     "mov 1*64(%1), %0\n\t"
			     "mov 2*64(%1), %0\n\t"
			     "mov 3*64(%1), %0\n\t"
			     "mov 4*64(%1), %0\n\t"
			     "mov 5*64(%1), %0\n\t"
			     "mov 6*64(%1), %0\n\t"
			     "mov 7*64(%1), %0"
			     : "=&r" (scratch) : "r" (fill + offset));
	asm volatile("lfence" : : : "memory");
}

/**
 * mvm_vmx_itlb_multihit() - must executable huge pages be split?
 *
 * Return: true if a guest could hang this CPU by changing the size of an
 * executable page (CVE-2018-12207) and the host wants to be guarded.
 */
bool mvm_vmx_itlb_multihit(void)
{
	return boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off();
}
