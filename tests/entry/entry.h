/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VM entries with fields that are wrong, on the processor and in check.c: what
 * the files of this folder share.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <linux/types.h>

#include "../../module/vmx/check.h"

/* A page each for what the address fields may point to */
enum entry_page {
	PAGE_IO_A, PAGE_IO_B, PAGE_MSR_BITMAP, PAGE_EXIT_STORE, PAGE_EXIT_LOAD,
	PAGE_ENTRY_LOAD, PAGE_PML, PAGE_VIRTUAL_APIC, PAGE_APIC_ACCESS,
	PAGE_POSTED, PAGE_EPT, PAGE_EPTP_LIST, PAGE_VMREAD, PAGE_VMWRITE,
	PAGE_VE, PAGE_SUB_PAGE, PAGE_LINK, PAGE_CR3,
	NR_PAGES
};

#define ENTRY_MSRS	4

/**
 * struct entry_case - one VM entry: the VMCS and the memory it points to
 * @vmcs: the fields
 * @virtual_tpr: in the virtual-APIC page
 * @link_word: first word of the page for the VMCS link pointer
 * @pdpte: at the start of the page for CR3
 * @msr: the list of MSRs to load
 */
struct entry_case {
	struct mvm_vmcs_image vmcs;
	u32 virtual_tpr;
	u32 link_word;
	u64 pdpte[4];
	struct {
		u64 index, value;
	} msr[ENTRY_MSRS];
};

#define FIELD(e, name)	((e)->vmcs.value[VMCS_INDEX_##name])

/**
 * struct entry_result - what became of it
 * @failed: VMfail; then @reason is the error number, or 0 for VMfailInvalid
 * @reason: the exit reason, all 32 bits
 * @qualification: the exit qualification
 * @tsc: just before; in the lab the time in Bochs's log
 */
struct entry_result {
	bool failed;
	u32 reason;
	u64 qualification;
	u64 tsc;
};

/* Where random numbers come from: the seed and the number of the mutation. */
struct entry_random {
	u64 state;
};

static inline u64 entry_random(struct entry_random *r)
{
	/* splitmix64 */
	u64 z = (r->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline u32 entry_below(struct entry_random *r, u32 limit)
{
	return (u32)entry_random(r) % limit;
}

#define MAX_FINDINGS	32

/**
 * struct entry_findings - what check.c says of a VMCS
 * @n: how many are in @list
 * @list: the findings
 */
struct entry_findings {
	unsigned int n;
	struct mvm_check_finding list[MAX_FINDINGS];
};

/* machine.c */
extern struct mvm_vmx_msrs entry_msrs;
extern struct mvm_check_cpu entry_cpu;
extern struct mvm_vmcs_image entry_host;
int entry_machine_init(void);
void entry_machine_exit(void);
u64 entry_page(enum entry_page page);
bool entry_in_page(enum entry_page page, u64 address);
int entry_batch_begin(void);
void entry_batch_end(void);
bool entry_read_only(enum vmcs_index index);
void entry_prepare(struct entry_case *e);
void entry_run(const struct entry_case *e, struct entry_result *result);

/* switch.S */
int entry_launch(void);
void entry_exit_label(void);

/* mutate.c, mutate_guest.c, good.c, edge.c; the last good case, before its mutation */
extern struct entry_case entry_good;
const char *entry_group_name(unsigned int n);
unsigned int entry_nr_groups(void);
unsigned int entry_mutate(struct entry_case *e, u64 seed, u64 number, const char **base);

/* tame.c */
extern u64 entry_left_out[];
extern const char * const entry_left_out_words[];
unsigned int entry_nr_left_out(void);
void entry_tame(struct entry_case *e, bool bochs);

/* bochs.c */
unsigned int entry_nr_quirks(void);
const char *entry_quirk_words(unsigned int n);
extern u64 entry_quirk_hits[];
bool entry_quirk_in(unsigned int n, int version);
void entry_as_bochs(const struct entry_case *e, int version, struct entry_findings *f,
		    u64 *used);

/* main.c */
void entry_check(const struct entry_case *e, struct entry_findings *f);

#endif
