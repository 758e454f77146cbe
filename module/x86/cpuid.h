/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_X86_CPUID_H
#define MVM_X86_CPUID_H

#include <linux/bits.h>
#include <linux/kvm.h>
#include <linux/types.h>

/**
 * DOC: what CPUID tells a guest
 *
 * The rule is an allow list: a bit that is not in cpuid_feature.h is 0, so a
 * processor that is newer than this file shows a guest nothing that nobody
 * here has thought about. Three things keep a feature off the list:
 *
 * - it needs an MSR, a VM-execution control or a piece of state that the module
 *   does not virtualise (yet): VMX, SMX, MONITOR, PDCM, DS, TSC
 *   deadline, PKU, LA57, SGX, WAITPKG, the SPEC_CTRL family,
 *   ARCH_CAPABILITIES, CET, AMX, MPX, Intel PT, XSAVES (supervisor state);
 * - it describes the host's power or clock management (EST, TM, TM2, HWP,
 *   leaves 15H and 16H), or its performance counters (leaf 0AH);
 * - it describes the host's topology: the counts in leaves 1, 4 and 0BH are
 *   those of a machine with one processor, and whoever builds a bigger one
 *   fills them in before KVM_SET_CPUID2.
 *
 * The hypervisor leaves (40000000H and up) are left out too: they would
 * promise KVM's paravirtual services, its clock first of all. A program may
 * set them, and the hypervisor bit (CPUID.01H:ECX[31]), as it sets any other.
 *
 * Nothing in here touches the processor: all is plain C over plain structs.
 */

/* Bits of XCR0 (SDM Vol. 1, "Managing State Using the XSAVE Feature Set"). */
#define MVM_XCR0_X87		BIT_ULL(0)
#define MVM_XCR0_SSE		BIT_ULL(1)
#define MVM_XCR0_AVX		BIT_ULL(2)
#define MVM_XCR0_AVX512		GENMASK_ULL(7, 5) /* opmask, ZMM_Hi256, Hi16_ZMM */

/* The components that the module can keep apart for guest and host. */
#define MVM_XCR0_KNOWN \
	(MVM_XCR0_X87 | MVM_XCR0_SSE | MVM_XCR0_AVX | MVM_XCR0_AVX512)

/* Components with a number below this one fit into MVM_XCR0_KNOWN. */
#define MVM_XSTATE_COUNT	8

/* Bytes of the legacy region and the header, which every XSAVE area has. */
#define MVM_XSAVE_MIN_SIZE	576

/* What a feature needs of the host beside its own CPUID bit. */
enum mvm_cpuid_need {
	MVM_NEEDS_NOTHING,
	MVM_NEEDS_XSAVE,	/* the host's kernel uses XSAVE */
	MVM_NEEDS_AVX,		/* XCR0.AVX is set in the host */
	MVM_NEEDS_AVX512,	/* XCR0's three AVX-512 bits are set in the host */
	MVM_NEEDS_RDTSCP,	/* control "enable RDTSCP", guest TSC_AUX loaded */
	MVM_NEEDS_INVPCID,	/* control "enable INVPCID" */
	MVM_NEEDS_PCID,		/* CR4.PCIDE handled */
};

enum mvm_cpuid_reg { MVM_EAX, MVM_EBX, MVM_ECX, MVM_EDX };

enum mvm_feature {
#define MVM_FEATURE(name, leaf, index, reg, bit, needs)	MVM_FEATURE_##name,
#include "cpuid_feature.h"
#undef MVM_FEATURE
	MVM_FEATURE_COUNT
};

/* One line of cpuid_feature.h. */
struct mvm_cpuid_feature {
	u32 function;
	u8 index;
	u8 reg;
	u8 bit;
	u8 needs;
};

extern const struct mvm_cpuid_feature mvm_cpuid_features[MVM_FEATURE_COUNT];

/**
 * typedef mvm_cpuid_host_fn - execute CPUID
 * @function: EAX
 * @index: ECX
 * @out: EAX, EBX, ECX and EDX afterwards
 *
 * The module passes a wrapper of cpuid_count(), a unit test a table.
 */
typedef void (*mvm_cpuid_host_fn)(u32 function, u32 index, u32 out[4]);

/**
 * struct mvm_cpuid_limits - what the module virtualises on this host
 * @xcr0_mask: bits of XCR0 that a guest may set; 0 when there is no XSAVE
 * @phys_bits: the guest's MAXPHYADDR
 * @rdtscp: RDTSCP and RDPID do not cause #UD and read the guest's TSC_AUX
 * @invpcid: INVPCID does not cause #UD
 * @pcid: CR4.PCIDE is virtualised
 * @xstate: where each component is in the XSAVE area (CPUID leaf 0DH)
 *
 * Filled once when the module loads: mvm_cpuid_limits_init(), then the caller
 * sets the flags.
 */
struct mvm_cpuid_limits {
	u64 xcr0_mask;
	u8 phys_bits;
	bool rdtscp;
	bool invpcid;
	bool pcid;
	struct {
		u32 size;
		u32 offset;
		bool align64;
	} xstate[MVM_XSTATE_COUNT];
};

/**
 * struct mvm_cpuid_state - the vCPU state that CPUID reports
 * @cr4: as the guest reads it
 * @xcr0: the guest's
 * @apic_base: IA32_APIC_BASE
 */
struct mvm_cpuid_state {
	u64 cr4;
	u64 xcr0;
	u64 apic_base;
};

/* Leaves 0 to 1FH and 80000000H to 8000001FH are found without a search. */
#define MVM_CPUID_DIRECT	64

/**
 * struct mvm_cpuid - the CPUID table of one vCPU
 * @entries: as user space set them, in its order; owned by the vCPU
 * @nent: how many
 * @first: the first entry of each of the leaves that guests ask for, or NULL
 */
struct mvm_cpuid {
	struct kvm_cpuid_entry2 *entries;
	u32 nent;
	const struct kvm_cpuid_entry2 *first[MVM_CPUID_DIRECT];
};

/* What mvm_cpuid_emulate() answers with: the leaf, the last basic leaf, or zeros */
enum mvm_cpuid_source { MVM_CPUID_FOUND, MVM_CPUID_MAX_BASIC, MVM_CPUID_NONE };

void mvm_cpuid_limits_init(struct mvm_cpuid_limits *lim, mvm_cpuid_host_fn host,
			   u64 host_xcr0);
int mvm_cpuid_supported(mvm_cpuid_host_fn host,
			const struct mvm_cpuid_limits *lim,
			struct kvm_cpuid_entry2 *entries, u32 max);
u32 mvm_cpuid_xsave_size(const struct mvm_cpuid_limits *lim, u64 xcr0,
			 bool compacted);

struct kvm_cpuid_entry2 *mvm_cpuid_find(struct kvm_cpuid_entry2 *entries,
					u32 nent, u32 function, u32 index);
bool mvm_cpuid_has(const struct kvm_cpuid_entry2 *entries, u32 nent,
		   enum mvm_feature feature);
int mvm_cpuid_check(const struct kvm_cpuid_entry2 *entries, u32 nent);
bool mvm_cpuid_equal(const struct kvm_cpuid_entry2 *a, u32 na,
		     const struct kvm_cpuid_entry2 *b, u32 nb);
u64 mvm_cpuid_cr4_reserved(const struct kvm_cpuid_entry2 *entries, u32 nent);
u64 mvm_cpuid_xcr0(const struct kvm_cpuid_entry2 *entries, u32 nent,
		   const struct mvm_cpuid_limits *lim);
u8 mvm_cpuid_maxphyaddr(const struct kvm_cpuid_entry2 *entries, u32 nent);

void mvm_cpuid_install(struct mvm_cpuid *cpuid,
		       struct kvm_cpuid_entry2 *entries, u32 nent);
void mvm_cpuid_update(struct kvm_cpuid_entry2 *entries, u32 nent,
		      const struct mvm_cpuid_limits *lim,
		      const struct mvm_cpuid_state *state);
enum mvm_cpuid_source mvm_cpuid_source(const struct mvm_cpuid *cpuid, u32 function,
				       u32 index);
void mvm_cpuid_emulate(const struct mvm_cpuid *cpuid, u32 *eax, u32 *ebx,
		       u32 *ecx, u32 *edx);

bool mvm_fpu_xcr0_valid(u64 xcr0, u64 supported);

/* CPUID.1:ECX[24]: user space shows it where it wants the timer to have that mode. */
static inline bool mvm_cpuid_tsc_deadline(const struct mvm_cpuid *cpuid)
{
	return cpuid->first[1] && cpuid->first[1]->ecx & (1U << 24);
}

#endif
