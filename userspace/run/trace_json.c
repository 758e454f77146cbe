// SPDX-License-Identifier: GPL-2.0
/*
 * --trace FILE.json: the Trace Event Format, which Perfetto and chrome://tracing
 * open. Events are written as they come; a file of a run that was killed lacks its
 * end, and both programs read it nevertheless.
 */
#include <jansson.h>
#include <stdlib.h>
#include "../common/vmcs.h"
#include "trace.h"

#define REASON_BASIC	0xffff
#define EVENT_VALID	BIT(31)
#define REASON_EPT	48
#define REASON_EPT_MISCONFIGURATION	49

static const char *const gprs[16] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

/* Microseconds since the first VM entry */
static double time_of(const struct trace_file *file, __u64 tsc)
{
	return (double)(__s64)(tsc - file->base) * 1000 / (file->tsc_khz ?: 1);
}

/* An event that its caller has to end; @first: no other before it */
static void begin_event(const struct trace_file *file, char phase, const char *name,
			unsigned int vcpu, bool first)
{
	fprintf(file->out, "%s\n{\"ph\":\"%c\",\"name\":\"%s\",\"pid\":1,\"tid\":%u",
		first ? "" : ",", phase, name, vcpu);
}

static void put_name(const struct trace_file *file, const char *what, unsigned int vcpu,
		     const char *name, bool first)
{
	json_t *text = json_pack("{s:s}", "name", name);
	char *args = text ? json_dumps(text, JSON_COMPACT) : NULL;

	begin_event(file, 'M', what, vcpu, first);
	/* A file's name need not be UTF-8, and JSON has to be. */
	fprintf(file->out, ",\"args\":%s}", args ?: "{\"name\":\"?\"}");
	free(args);
	json_decref(text);
}

static int begin(struct trace_file *file)
{
	unsigned int i;
	char name[32];

	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", file->out);
	put_name(file, "process_name", 0, file->image, true);
	for (i = 0; i < file->cpus; i++) {
		snprintf(name, sizeof(name), "vCPU %u", i);
		put_name(file, "thread_name", i, name, false);
	}
	return 0;
}

static void put_slice(const struct trace_file *file, unsigned int vcpu, const char *name,
		      const char *category, __u64 from, __u64 to)
{
	begin_event(file, 'X', name, vcpu, false);
	fprintf(file->out, ",\"cat\":\"%s\",\"ts\":%.3f,\"dur\":%.3f", category,
		time_of(file, from), (double)(__s64)(to - from) * 1000 / (file->tsc_khz ?: 1));
}

static void put_hex(const struct trace_file *file, const char *name, __u64 value)
{
	fprintf(file->out, ",\"%s\":\"0x%llx\"", name, value);
}

static void put_change(const struct trace_file *file, const char *name, __u64 before,
		       __u64 after)
{
	if (before != after)
		put_hex(file, name, after);
}

static void put_changes(const struct trace_file *file, const struct minivmm_exit *e)
{
	unsigned int i, n = 0;

	put_change(file, "rip after", e->rip, e->next_rip);
	put_change(file, "rflags after", e->rflags, e->next_rflags);
	put_change(file, "cr0 after", e->cr0, e->next_cr0);
	put_change(file, "cr3 after", e->cr3, e->next_cr3);
	put_change(file, "cr4 after", e->cr4, e->next_cr4);
	put_change(file, "efer after", e->efer, e->next_efer);
	for (i = 0; i < ARRAY_SIZE(gprs); i++) {
		if (!(e->changed >> i & 1))
			continue;
		if (n < ARRAY_SIZE(e->value))
			fprintf(file->out, ",\"%s after\":\"0x%llx\"", gprs[i], e->value[n]);
		else
			fprintf(file->out, ",\"%s after\":\"changed\"", gprs[i]);
		n++;
	}
}

static void put_args(struct trace_file *file, const struct minivmm_exit *e)
{
	unsigned int insn = trace_code_number(file->code, e, NULL);
	unsigned int reason = e->reason & REASON_BASIC;

	fprintf(file->out, ",\"args\":{\"exit\":%llu,\"reason\":%u", e->number, reason);
	if (e->reason != reason)
		fputs(",\"entry\":\"failed\"", file->out);
	put_hex(file, "qualification", e->qualification);
	put_hex(file, "rip", e->rip);
	if (insn)
		fprintf(file->out, ",\"insn\":\"%s\"", trace_code_text(file->code, insn));
	fprintf(file->out, ",\"cpl\":%u,\"length\":%u", e->cpl, e->length);
	put_hex(file, "rax", e->regs[0]);
	put_hex(file, "rcx", e->regs[1]);
	put_hex(file, "rdx", e->regs[2]);
	put_hex(file, "rbx", e->regs[3]);
	if (reason == REASON_EPT || reason == REASON_EPT_MISCONFIGURATION) {
		put_hex(file, "linear", e->linear);
		put_hex(file, "physical", e->physical);
	}
	if (e->event & EVENT_VALID)
		put_hex(file, "event", e->event);
	if (e->vectoring & EVENT_VALID)
		put_hex(file, "vectoring", e->vectoring);
	if (e->inject & EVENT_VALID)
		put_hex(file, "inject", e->inject);
	put_changes(file, e);
	fputs("}}", file->out);
}

static void put_user(struct trace_file *file, unsigned int vcpu, const struct minivmm_exit *e,
		     __u64 end)
{
	const char *name = trace_user_name(e->user);
	char text[48];

	if (name)
		snprintf(text, sizeof(text), "user space: %s%s", e->user < 0 ? "" : "KVM_EXIT_",
			 name);
	else
		snprintf(text, sizeof(text), "user space: %d", e->user);
	put_slice(file, vcpu, text, "user", e->user_tsc, end);
	fputc('}', file->out);
}

static void put_exit(struct trace_file *file, unsigned int vcpu, const struct minivmm_exit *e)
{
	const struct trace_line *line = &file->lines[vcpu];
	__u64 from = line->exits ? line->last.entry_tsc : line->start;
	const char *name = vmcs_reason_name(e->reason & REASON_BASIC);
	char text[64];
	__u64 end;

	if (line->exits && e->number != line->last.number + 1) {
		snprintf(text, sizeof(text), "%llu VM exits dropped",
			 e->number - line->last.number - 1);
		begin_event(file, 'i', text, vcpu, false);
		fprintf(file->out, ",\"s\":\"t\",\"ts\":%.3f}", time_of(file, e->exit_tsc));
	} else if (from) {
		put_slice(file, vcpu, "non-root", "non-root", from, e->exit_tsc);
		fputc('}', file->out);
	}

	/* After the last exit there is no VM entry. */
	end = e->entry_tsc;
	if (!end)
		end = e->flags & MINIVMM_EXIT_TO_USER ? e->user_tsc : e->exit_tsc;
	snprintf(text, sizeof(text), "reason %u", e->reason & REASON_BASIC);
	put_slice(file, vcpu, name ?: text, "root", e->exit_tsc, end);
	put_args(file, e);
	if (e->flags & MINIVMM_EXIT_TO_USER)
		put_user(file, vcpu, e, end);
}

static void end(struct trace_file *file)
{
	unsigned int i;

	fputs("\n],\"otherData\":{", file->out);
	fprintf(file->out, "\"tsc_khz\":%u", file->tsc_khz);
	for (i = 0; i < file->cpus; i++)
		fprintf(file->out, ",\"vCPU %u\":{\"exits\":%llu,\"dropped\":%llu}", i,
			file->lines[i].exits, file->lines[i].dropped);
	fputs("}}\n", file->out);
}

const struct trace_format trace_json = {
	.begin = begin, .exit = put_exit, .end = end,
};
