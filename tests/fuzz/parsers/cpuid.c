// SPDX-License-Identifier: GPL-2.0
/* KVM_SET_CPUID2: whatever table a program sets, the guest can ask it anything. */
// sources: module/x86/cpuid.c
#include <linux/bits.h>
#include <linux/kernel.h>
#include "input.h"
#include "x86/cpuid.h"

#define ENTRIES	256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mvm_cpuid_limits limits = {
		.xcr0_mask = MVM_XCR0_KNOWN, .phys_bits = 40, .rdtscp = true,
		.invpcid = true, .pcid = true,
		.xstate = { [2] = { 256, 576 }, [5] = { 64, 1088 }, [6] = { 512, 1152 },
			    [7] = { 1024, 1664, true } },
	};
	struct input in = { data, size };
	struct mvm_cpuid_state state = {
		.cr4 = TAKE(&in, u64), .xcr0 = TAKE(&in, u64), .apic_base = TAKE(&in, u64),
	};
	u32 ask[4] = { TAKE(&in, u32), 0, TAKE(&in, u32), 0 }, nent, i;
	struct kvm_cpuid_entry2 *entries;
	struct mvm_cpuid cpuid;
	u8 bits;

	nent = in.size / sizeof(*entries);
	if (nent > ENTRIES)
		nent = ENTRIES;
	/* A block of its own, so that every byte too much is noticed. */
	entries = malloc(nent * sizeof(*entries) + !nent);
	take(&in, entries, nent * sizeof(*entries));
	if (mvm_cpuid_check(entries, nent))
		goto out;
	mvm_cpuid_install(&cpuid, entries, nent);
	mvm_cpuid_update(entries, nent, &limits, &state);
	must(mvm_cpuid_equal(entries, nent, entries, nent));
	mvm_cpuid_cr4_reserved(entries, nent);
	must(!(mvm_cpuid_xcr0(entries, nent, &limits) & ~limits.xcr0_mask));
	bits = mvm_cpuid_maxphyaddr(entries, nent);
	/* What shifts by it, shifts a u64. */
	must(bits < 64);
	for (i = 0; i < MVM_FEATURE_COUNT; i++)
		mvm_cpuid_has(entries, nent, i);
	mvm_cpuid_emulate(&cpuid, &ask[0], &ask[1], &ask[2], &ask[3]);
	for (i = 0; i < nent; i++) {
		u32 a = entries[i].function, b, c = entries[i].index, d;

		mvm_cpuid_emulate(&cpuid, &a, &b, &c, &d);
	}
out:
	free(entries);
	return 0;
}
