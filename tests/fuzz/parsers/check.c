// SPDX-License-Identifier: GPL-2.0
/* The rules of VM entry: a verdict on any VMCS and any CPU, and none undefined. */
// sources: module/vmx/check.c module/vmx/check_control.c module/vmx/check_guest.c
#include <linux/bits.h>
#include <linux/kernel.h>
#include "input.h"
#include "vmx/check.h"

static unsigned int reports;

static void report(void *ctx, const struct mvm_check_finding *f)
{
	must(f->rule && f->section && f->kind <= MVM_CHECK_MSR);
	reports++;
}

/* All memory holds the same; there is so much of it that a list of MSRs ends. */
static u64 contents;
static unsigned int peeks;

static bool peek(u64 address, u64 *value)
{
	must(address % 8 == 0);
	*value = contents ^ address;
	return ++peeks < 100;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct mvm_vmcs_image image = { };
	struct mvm_vmx_msrs msrs;
	struct mvm_check_cpu cpu = { .msrs = &msrs, .peek = peek };

	take(&in, &msrs, sizeof(msrs));
	/* The host's own: no processor has more. */
	cpu.phys_bits = 32 + TAKE(&in, u8) % 21;
	cpu.linear_bits = TAKE(&in, u8) & 1 ? 57 : 48;
	cpu.sgx = TAKE(&in, u8) & 1;
	cpu.rtm = TAKE(&in, u8) & 1;
	cpu.vmfunc = TAKE(&in, u64);
	cpu.perf_global = TAKE(&in, u64);
	cpu.current_vmcs = TAKE(&in, u64);
	contents = TAKE(&in, u64);
	while (in.size) {
		u8 field = TAKE(&in, u8) % VMCS_NR_FIELDS;

		image.value[field] = TAKE(&in, u64);
	}
	reports = 0;
	peeks = 0;
	must(mvm_check_vmcs(&image, &cpu, report, NULL) == reports);
	return 0;
}
