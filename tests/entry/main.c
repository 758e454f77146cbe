// SPDX-License-Identifier: GPL-2.0
/*
 * Holds the rules of VM entry (module/vmx/check*.c) against the processor: a
 * good VMCS with fields that are wrong, a VM entry, and what came of it beside
 * what the rules say. For tests alone: no normal build has this module.
 *
 * Loading it runs the mutations; /sys/kernel/debug/vmentry/report tells. A
 * seed and the number of a mutation make the same mutation again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "entry.h"
#include "../../module/vmx/vmcs.h"

#define BATCH		32
#define MAX_REPORTS	40
#define MAX_RULES	512
#define NR_OUTCOMES	6

static unsigned long seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "of the random numbers");
static unsigned long first;
module_param(first, ulong, 0444);
MODULE_PARM_DESC(first, "number of the first mutation");
static unsigned long mutations = 20000;
module_param(mutations, ulong, 0444);
MODULE_PARM_DESC(mutations, "how many");
static int bochs;
module_param(bochs, int, 0444);
MODULE_PARM_DESC(bochs, "27: the processor is Bochs 2.7, of which some bugs are known; 0: it is real");
static char *forget = "";
module_param(forget, charp, 0444);
MODULE_PARM_DESC(forget, "do without the rules whose words begin like this: the test must notice");
static bool show;
module_param(show, bool, 0444);
MODULE_PARM_DESC(show, "log each mutation before its VM entry");

enum outcome { OUT_ENTERED, OUT_CONTROL, OUT_HOST, OUT_GUEST, OUT_MSR, OUT_OTHER };

static const char * const outcome_words[] = {
	"entered", "error-7", "error-8", "reason-33", "reason-34", "other",
};

static_assert(ARRAY_SIZE(outcome_words) == NR_OUTCOMES);

struct group_count {
	u64 outcome[NR_OUTCOMES];
	u64 all, agreed, either, known, unknown;
};

static struct group_count *counts;
static u64 exit_reasons[128];

struct rule_count {
	u32 field;
	const char *rule;
	const char *section;
	u64 broken, noticed;
};

static struct rule_count *rules;
static unsigned int nr_rules;

struct report {
	u64 number;
	unsigned int group;
	const char *base;
	struct entry_result result;
	struct entry_findings findings;
	struct {
		enum vmcs_index index;
		u64 value;
	} changed[VMCS_NR_FIELDS];
	unsigned int nr_changed;
};

static struct report *reports;
static unsigned int nr_reports;
static struct entry_case *the_case;
static struct dentry *dir;

static const u32 encodings[] = {
#define ENCODING(name, encoding, width, section, words)	encoding,
	VMCS_FIELDS(ENCODING)
};

static void collect(void *ctx, const struct mvm_check_finding *finding)
{
	struct entry_findings *f = ctx;

	if (*forget && !strncmp(finding->rule, forget, strlen(forget)))
		return;
	if (f->n < MAX_FINDINGS)
		f->list[f->n++] = *finding;
}

/**
 * entry_check() - what the rules say of a case
 * @e: the case
 * @f: filled
 */
void entry_check(const struct entry_case *e, struct entry_findings *f)
{
	f->n = 0;
	mvm_check_vmcs(&e->vmcs, &entry_cpu, collect, f);
}

static enum outcome outcome_of(const struct entry_result *r)
{
	if (r->failed)
		return r->reason == 7 ? OUT_CONTROL : r->reason == 8 ? OUT_HOST : OUT_OTHER;
	if (r->reason & VMX_REASON_ENTRY_FAILURE)
		return (u16)r->reason == VMX_REASON_INVALID_GUEST_STATE ? OUT_GUEST :
		       (u16)r->reason == VMX_REASON_MSR_LOADING ? OUT_MSR : OUT_OTHER;
	return OUT_ENTERED;
}

/*
 * May the processor answer like this, with these findings? Any rule about
 * controls or host state comes before any about the guest's state, and that
 * before the OUT_MSRs; within these the processor takes them in any order. @sure:
 * only rules that every processor has.
 */
static bool fits(const struct entry_findings *f, const struct entry_result *r, bool sure)
{
	static const enum outcome outcomes[] = {
		[MVM_CHECK_CONTROL] = OUT_CONTROL, [MVM_CHECK_HOST] = OUT_HOST,
		[MVM_CHECK_GUEST] = OUT_GUEST, [MVM_CHECK_MSR] = OUT_MSR,
	};
	enum outcome got = outcome_of(r);
	int i, stage, min = 3;

	for (i = 0; i < f->n; i++) {
		stage = f->list[i].kind <= MVM_CHECK_HOST ? 0 : f->list[i].kind - 1;
		if (!(sure && f->list[i].may))
			min = min(min, stage);
	}
	if (min == 3)
		return got == OUT_ENTERED;
	for (i = 0; i < f->n; i++) {
		stage = f->list[i].kind <= MVM_CHECK_HOST ? 0 : f->list[i].kind - 1;
		if (stage != min || (sure && f->list[i].may))
			continue;
		if (got == outcomes[f->list[i].kind] &&
		    (stage == 0 || r->qualification == f->list[i].qualification))
			return true;
	}
	return false;
}

static struct rule_count *rule_of(const struct mvm_check_finding *f)
{
	struct rule_count *r;

	for (r = rules; r < rules + nr_rules; r++)
		if (r->field == f->field && !strcmp(r->rule, f->rule))
			return r;
	if (nr_rules == MAX_RULES)
		return NULL;
	nr_rules++;
	r->field = f->field;
	r->rule = f->rule;
	r->section = f->section;
	return r;
}

/*
 * Which rules were broken, and which of them was it that made the verdict: such
 * as would be missed, were they not there.
 */
static void count_rules(const struct entry_findings *f, const struct entry_result *result)
{
	static struct entry_findings others;
	bool agreed = fits(f, result, true);
	struct rule_count *r;
	unsigned int i;

	for (i = 0; i < f->n; i++) {
		r = rule_of(&f->list[i]);
		if (!r)
			continue;
		r->broken++;
		if (!agreed)
			continue;
		others = *f;
		others.list[i] = others.list[--others.n];
		r->noticed += !fits(&others, result, true);
	}
}

static void remember(u64 number, unsigned int group, const char *base,
		     const struct entry_result *result, const struct entry_findings *f)
{
	struct report *r;
	unsigned int i;

	if (nr_reports == MAX_REPORTS)
		return;
	r = &reports[nr_reports++];
	r->number = number;
	r->group = group;
	r->base = base;
	r->result = *result;
	r->findings = *f;
	for (i = 0; i < VMCS_NR_FIELDS; i++) {
		if (the_case->vmcs.value[i] == entry_good.vmcs.value[i] || entry_read_only(i))
			continue;
		r->changed[r->nr_changed].index = i;
		r->changed[r->nr_changed++].value = the_case->vmcs.value[i];
	}
}

static void one(u64 number)
{
	static struct entry_findings f, left;
	struct entry_result result;
	struct group_count *c;
	unsigned int group, q;
	const char *base;
	u64 used;

	group = entry_mutate(the_case, seed, number, &base);
	entry_tame(the_case, bochs);
	entry_prepare(the_case);
	entry_check(the_case, &f);
	if (show)
		pr_info("%llu: %s of %s, %u findings, first %s\n", number,
			entry_group_name(group), base, f.n, f.n ? f.list[0].rule : "");
	entry_run(the_case, &result);

	c = &counts[group];
	c->all++;
	c->outcome[outcome_of(&result)]++;
	if (outcome_of(&result) == OUT_ENTERED)
		exit_reasons[result.reason & 127]++;
	count_rules(&f, &result);
	if (fits(&f, &result, true)) {
		c->agreed++;
		return;
	}
	if (fits(&f, &result, false)) {
		c->either++;
		return;
	}
	if (bochs) {
		left = f;
		entry_as_bochs(the_case, bochs, &left, &used);
		if (fits(&left, &result, true) || fits(&left, &result, false)) {
			c->known++;
			for (q = 0; q < entry_nr_quirks(); q++)
				entry_quirk_hits[q] += used >> q & 1;
			return;
		}
	}
	c->unknown++;
	remember(number, group, base, &result, &f);
}

static int run(void)
{
	u64 number = first, end = (u64)first + mutations;
	int ret;

	while (number < end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = entry_batch_begin();
		if (ret)
			return ret;
		do {
			one(number++);
		} while (number % (show ? 1 : BATCH) && number < end);
		entry_batch_end();
		cond_resched();
	}
	return 0;
}

static void show_result(struct seq_file *m, const struct entry_result *r)
{
	if (r->failed)
		seq_printf(m, "VMfail, error %u", r->reason);
	else if (r->reason & VMX_REASON_ENTRY_FAILURE)
		seq_printf(m, "failed, reason %u, qualification %llu",
			   (u16)r->reason, r->qualification);
	else
		seq_printf(m, "entered, exit reason %u", r->reason);
}

static void show_reports(struct seq_file *m)
{
	unsigned int i, n;

	for (i = 0; i < nr_reports; i++) {
		const struct report *r = &reports[i];

		seq_printf(m, "disagree number=%llu tsc=%llu group=\"%s\" base=\"%s\" cpu=\"",
			   r->number, r->result.tsc, entry_group_name(r->group), r->base);
		show_result(m, &r->result);
		seq_puts(m, "\"\n");
		for (n = 0; n < r->findings.n; n++)
			seq_printf(m, "  rule %s: %s (kind %d, qualification %u)\n",
				   mvm_vmcs_field_name(r->findings.list[n].field),
				   r->findings.list[n].rule, r->findings.list[n].kind,
				   r->findings.list[n].qualification);
		if (!r->findings.n)
			seq_puts(m, "  no rule is broken\n");
		for (n = 0; n < r->nr_changed; n++)
			seq_printf(m, "  %s = 0x%llx\n",
				   mvm_vmcs_field_name(encodings[r->changed[n].index]),
				   r->changed[n].value);
	}
}

static int report_show(struct seq_file *m, void *unused)
{
	u64 all = 0, agreed = 0, either = 0, known = 0, unknown = 0, noticed = 0;
	unsigned int i, n;

	for (i = 0; i < entry_nr_groups(); i++) {
		const struct group_count *c = &counts[i];

		seq_printf(m, "group \"%s\" all=%llu", entry_group_name(i), c->all);
		for (n = 0; n < NR_OUTCOMES; n++)
			seq_printf(m, " %s=%llu", outcome_words[n], c->outcome[n]);
		seq_printf(m, " agreed=%llu either=%llu known=%llu unknown=%llu\n",
			   c->agreed, c->either, c->known, c->unknown);
		all += c->all;
		agreed += c->agreed;
		either += c->either;
		known += c->known;
		unknown += c->unknown;
	}
	for (i = 0; i < (unsigned int)ARRAY_SIZE(exit_reasons); i++)
		if (exit_reasons[i])
			seq_printf(m, "exit reason=%u times=%llu\n", i, exit_reasons[i]);
	for (i = 0; i < nr_rules; i++) {
		seq_printf(m, "rule broken=%llu noticed=%llu %s: %s (%s)\n", rules[i].broken,
			   rules[i].noticed, mvm_vmcs_field_name(rules[i].field), rules[i].rule,
			   rules[i].section);
		noticed += rules[i].noticed > 0;
	}
	for (i = 0; bochs && i < entry_nr_quirks(); i++)
		if (entry_quirk_in(i, bochs))
			seq_printf(m, "known times=%llu %s\n", entry_quirk_hits[i],
				   entry_quirk_words(i));
	for (i = 0; i < entry_nr_left_out(); i++)
		seq_printf(m, "left-out times=%llu %s\n", entry_left_out[i],
			   entry_left_out_words[i]);
	show_reports(m);
	seq_printf(m, "cpu pin=%llx primary=%llx secondary=%llx exit=%llx entry=%llx misc=%llx ept=%llx vmfunc=%llx\n",
		   entry_msrs.pin, entry_msrs.cpu, entry_msrs.cpu2, entry_msrs.exit,
		   entry_msrs.entry, entry_msrs.misc, entry_msrs.ept_vpid, entry_cpu.vmfunc);
	seq_printf(m, "total seed=%lu mutations=%llu agreed=%llu either=%llu known=%llu unknown=%llu rules=%u noticed=%llu\n",
		   seed, all, agreed, either, known, unknown, nr_rules, noticed);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(report);

static void free_all(void)
{
	kvfree(the_case);
	kvfree(counts);
	kvfree(rules);
	kvfree(reports);
}

static int __init vmentry_init(void)
{
	int ret = -ENOMEM;

	the_case = kvzalloc(sizeof(*the_case), GFP_KERNEL);
	counts = kvcalloc(entry_nr_groups(), sizeof(*counts), GFP_KERNEL);
	rules = kvcalloc(MAX_RULES, sizeof(*rules), GFP_KERNEL);
	reports = kvcalloc(MAX_REPORTS, sizeof(*reports), GFP_KERNEL);
	if (!the_case || !counts || !rules || !reports)
		goto free;
	ret = entry_machine_init();
	if (ret)
		goto free;
	ret = run();
	if (ret)
		goto machine;
	dir = debugfs_create_dir("vmentry", NULL);
	debugfs_create_file("report", 0444, dir, NULL, &report_fops);
	return 0;

machine:
	entry_machine_exit();
free:
	free_all();
	return ret;
}

static void __exit vmentry_exit(void)
{
	debugfs_remove_recursive(dir);
	entry_machine_exit();
	free_all();
}

module_init(vmentry_init);
module_exit(vmentry_exit);
MODULE_DESCRIPTION("VM entries with fields that are wrong: a test of minivmm's rules");
MODULE_LICENSE("GPL");
