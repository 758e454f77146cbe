/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, for ftrace and perf: the trace system "minivmm". Names, fields and
 * text are those of the system "kvm", so that who reads the one reads the other;
 * Documentation/observe.rst, "Tracepoints", has what differs.
 *
 * One that is off costs a jump that is a NOP. The arguments are evaluated before it:
 * what takes instructions to get, a VMREAD above all, belongs into TP_fast_assign().
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM minivmm

#if !defined(MVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MVM_TRACE_H

#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "irqchip/lapic.h"
#include "mvm.h"
#include "vmx/vmcs.h"

#ifndef MVM_TRACE_HELPERS
#define MVM_TRACE_HELPERS

/* What minivmm_mmio tells of an access, with KVM's numbers */
enum { MVM_TRACE_MMIO_WAITS, MVM_TRACE_MMIO_READ, MVM_TRACE_MMIO_WRITE };

/*
 * Had the last VM exit cut the delivery of this very event short? The VMCS says so
 * until the next VM entry.
 */
static inline bool mvm_trace_again(u32 type, u8 vector)
{
	u32 event = vmcs_read32(VMCS_VECTORING_EVENT);

	return event & VMX_EVENT_VALID && (event & VMX_EVENT_TYPE) == type &&
	       (event & VMX_EVENT_VECTOR) == vector;
}

#endif

/* User space parses these: numbers, no enumerators. */
#define MVM_TRACE_REASON(name, number, words)	{ number, #name },
#define MVM_TRACE_REASONS	VMX_REASONS(MVM_TRACE_REASON) { 0xffff, "UNKNOWN" }

#define MVM_TRACE_EXCEPTION(name)	{ VMX_VECTOR_##name, "#" #name }
#define MVM_TRACE_EXCEPTIONS						\
	MVM_TRACE_EXCEPTION(DE), MVM_TRACE_EXCEPTION(DB),		\
	MVM_TRACE_EXCEPTION(BP), MVM_TRACE_EXCEPTION(OF),		\
	MVM_TRACE_EXCEPTION(BR), MVM_TRACE_EXCEPTION(UD),		\
	MVM_TRACE_EXCEPTION(NM), MVM_TRACE_EXCEPTION(DF),		\
	MVM_TRACE_EXCEPTION(TS), MVM_TRACE_EXCEPTION(NP),		\
	MVM_TRACE_EXCEPTION(SS), MVM_TRACE_EXCEPTION(GP),		\
	MVM_TRACE_EXCEPTION(PF), MVM_TRACE_EXCEPTION(MF),		\
	MVM_TRACE_EXCEPTION(AC), MVM_TRACE_EXCEPTION(MC)

#define MVM_TRACE_TO_USER(name)		{ KVM_EXIT_##name, "KVM_EXIT_" #name }
#define MVM_TRACE_TO_USERS						\
	MVM_TRACE_TO_USER(UNKNOWN), MVM_TRACE_TO_USER(EXCEPTION),	\
	MVM_TRACE_TO_USER(IO), MVM_TRACE_TO_USER(DEBUG),		\
	MVM_TRACE_TO_USER(HLT), MVM_TRACE_TO_USER(MMIO),		\
	MVM_TRACE_TO_USER(IRQ_WINDOW_OPEN), MVM_TRACE_TO_USER(SHUTDOWN), \
	MVM_TRACE_TO_USER(FAIL_ENTRY), MVM_TRACE_TO_USER(INTR),		\
	MVM_TRACE_TO_USER(SET_TPR), MVM_TRACE_TO_USER(INTERNAL_ERROR),	\
	MVM_TRACE_TO_USER(IOAPIC_EOI), MVM_TRACE_TO_USER(X86_RDMSR),	\
	MVM_TRACE_TO_USER(X86_WRMSR)

/* KVM's names of the registers */
#define MVM_TRACE_REGISTERS						\
	{ MVM_APIC_ID, "APIC_ID" }, { MVM_APIC_VERSION, "APIC_LVR" },	\
	{ MVM_APIC_TPR, "APIC_TASKPRI" }, { MVM_APIC_APR, "APIC_ARBPRI" }, \
	{ MVM_APIC_PPR, "APIC_PROCPRI" }, { MVM_APIC_EOI, "APIC_EOI" },	\
	{ MVM_APIC_LDR, "APIC_LDR" }, { MVM_APIC_DFR, "APIC_DFR" },	\
	{ MVM_APIC_SVR, "APIC_SPIV" }, { MVM_APIC_ISR, "APIC_ISR" },	\
	{ MVM_APIC_TMR, "APIC_TMR" }, { MVM_APIC_IRR, "APIC_IRR" },	\
	{ MVM_APIC_ESR, "APIC_ESR" }, { MVM_APIC_ICR, "APIC_ICR" },	\
	{ MVM_APIC_ICR2, "APIC_ICR2" }, { MVM_APIC_LVT_TIMER, "APIC_LVTT" }, \
	{ MVM_APIC_LVT_THERMAL, "APIC_LVTTHMR" },			\
	{ MVM_APIC_LVT_PERF, "APIC_LVTPC" },				\
	{ MVM_APIC_LVT_LINT0, "APIC_LVT0" },				\
	{ MVM_APIC_LVT_LINT1, "APIC_LVT1" },				\
	{ MVM_APIC_LVT_ERROR, "APIC_LVTERR" },				\
	{ MVM_APIC_TIMER_INITIAL, "APIC_TMICT" },			\
	{ MVM_APIC_TIMER_CURRENT, "APIC_TMCCT" },			\
	{ MVM_APIC_TIMER_DIVIDE, "APIC_TDCR" },				\
	{ MVM_APIC_SELF_IPI, "APIC_SELF_IPI" }

/* The VM entry comes next. The vCPU is loaded. */
TRACE_EVENT(minivmm_entry,
	TP_PROTO(const struct mvm_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(unsigned long, rip)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->id;
		__entry->rip = vmcs_readl(VMCS_GUEST_RIP);
	),
	TP_printk("vcpu %u, rip 0x%lx", __entry->vcpu_id, __entry->rip)
);

/*
 * A VM exit, before anything is done about it: the qualification, the event whose
 * delivery it cut short, and the event that it is about. After a VM entry that
 * failed there is only the first (SDM Vol. 3, "VM-Entry Failures During or After
 * Loading Guest State").
 */
TRACE_EVENT(minivmm_exit,
	TP_PROTO(const struct mvm_vcpu *vcpu, u32 reason),
	TP_ARGS(vcpu, reason),
	TP_STRUCT__entry(
		__field(unsigned int, exit_reason)
		__field(unsigned long, guest_rip)
		__field(u64, info1)
		__field(u64, info2)
		__field(u32, intr_info)
		__field(u32, error_code)
		__field(unsigned int, vcpu_id)
	),
	TP_fast_assign(
		bool failed = reason & VMX_REASON_ENTRY_FAILURE;
		u32 event = failed ? 0 : vmcs_read32(VMCS_EXIT_EVENT);
		u32 has_error = VMX_EVENT_VALID | VMX_EVENT_ERROR_CODE;

		__entry->exit_reason = reason;
		__entry->guest_rip = vmcs_readl(VMCS_GUEST_RIP);
		__entry->info1 = vmcs_readl(VMCS_EXIT_QUALIFICATION);
		__entry->info2 = failed ? 0 : vmcs_read32(VMCS_VECTORING_EVENT);
		__entry->intr_info = event;
		__entry->error_code = (event & has_error) == has_error ?
				      vmcs_read32(VMCS_EXIT_ERROR_CODE) : 0;
		__entry->vcpu_id = vcpu->id;
	),
	TP_printk("vcpu %u reason %s%s%s rip 0x%lx info1 0x%016llx info2 0x%016llx intr_info 0x%08x error_code 0x%08x",
		  __entry->vcpu_id,
		  __print_symbolic(__entry->exit_reason & 0xffff, MVM_TRACE_REASONS),
		  __entry->exit_reason & 0xffff0000 ? " " : "",
		  __print_flags(__entry->exit_reason & 0xffff0000, " ",
				{ 0x80000000, "FAILED_VMENTRY" }),
		  __entry->guest_rip, __entry->info1, __entry->info2,
		  __entry->intr_info, __entry->error_code)
);

/* An interrupt goes in with the next VM entry; soft: INT n, once more. */
TRACE_EVENT(minivmm_inj_virq,
	TP_PROTO(unsigned int vector, bool soft),
	TP_ARGS(vector, soft),
	TP_STRUCT__entry(
		__field(unsigned int, vector)
		__field(bool, soft)
		__field(bool, reinjected)
	),
	TP_fast_assign(
		__entry->vector = vector;
		__entry->soft = soft;
		__entry->reinjected = soft || mvm_trace_again(VMX_EVENT_EXTERNAL, vector);
	),
	TP_printk("%s 0x%x%s", __entry->soft ? "Soft/INTn" : "IRQ", __entry->vector,
		  __entry->reinjected ? " [reinjected]" : "")
);

/* An exception does. */
TRACE_EVENT(minivmm_inj_exception,
	TP_PROTO(unsigned int exception, bool has_error, u32 error_code, bool reinjected),
	TP_ARGS(exception, has_error, error_code, reinjected),
	TP_STRUCT__entry(
		__field(u8, exception)
		__field(u8, has_error)
		__field(u32, error_code)
		__field(bool, reinjected)
	),
	TP_fast_assign(
		__entry->exception = exception;
		__entry->has_error = has_error;
		__entry->error_code = error_code;
		__entry->reinjected = reinjected;
	),
	TP_printk("%s%s%s%s%s",
		  __print_symbolic(__entry->exception, MVM_TRACE_EXCEPTIONS),
		  __entry->has_error ? " (" : "",
		  __entry->has_error ?
		  __print_symbolic(__entry->error_code, { 0, "0x0" }) : "",
		  __entry->has_error ? ")" : "",
		  __entry->reinjected ? " [reinjected]" : "")
);

/* An NMI does: KVM does not tell. */
TRACE_EVENT(minivmm_inj_nmi,
	TP_PROTO(const struct mvm_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(bool, reinjected)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->id;
		__entry->reinjected = mvm_trace_again(VMX_EVENT_NMI, VMX_VECTOR_NMI);
	),
	TP_printk("vcpu %u%s", __entry->vcpu_id,
		  __entry->reinjected ? " [reinjected]" : "")
);

/* IN and INS when the data is there, OUT and OUTS before anybody gets it */
TRACE_EVENT(minivmm_pio,
	TP_PROTO(unsigned int rw, unsigned int port, unsigned int size,
		 unsigned int count, const void *data),
	TP_ARGS(rw, port, size, count, data),
	TP_STRUCT__entry(
		__field(unsigned int, rw)
		__field(unsigned int, port)
		__field(unsigned int, size)
		__field(unsigned int, count)
		__field(unsigned int, val)
	),
	TP_fast_assign(
		__entry->rw = rw;
		__entry->port = port;
		__entry->size = size;
		__entry->count = count;
		__entry->val = 0;
		memcpy(&__entry->val, data, min_t(u32, size, sizeof(__entry->val)));
	),
	TP_printk("pio_%s at 0x%x size %d count %d val 0x%x %s",
		  __entry->rw ? "write" : "read", __entry->port, __entry->size,
		  __entry->count, __entry->val, __entry->count > 1 ? "(...)" : "")
);

/* An access to where there is no memory; a read that user space is to answer is told twice. */
TRACE_EVENT(minivmm_mmio,
	TP_PROTO(int type, int len, u64 gpa, const void *val),
	TP_ARGS(type, len, gpa, val),
	TP_STRUCT__entry(
		__field(u32, type)
		__field(u32, len)
		__field(u64, gpa)
		__field(u64, val)
	),
	TP_fast_assign(
		__entry->type = type;
		__entry->len = len;
		__entry->gpa = gpa;
		__entry->val = 0;
		if (val)
			memcpy(&__entry->val, val, min_t(u32, len, sizeof(__entry->val)));
	),
	TP_printk("mmio %s len %u gpa 0x%llx val 0x%llx",
		  __print_symbolic(__entry->type, { 0, "unsatisfied-read" }, { 1, "read" },
				   { 2, "write" }),
		  __entry->len, __entry->gpa, __entry->val)
);

TRACE_EVENT(minivmm_cpuid,
	TP_PROTO(u32 function, u32 index, u32 eax, u32 ebx, u32 ecx, u32 edx,
		 bool found, bool used_max_basic),
	TP_ARGS(function, index, eax, ebx, ecx, edx, found, used_max_basic),
	TP_STRUCT__entry(
		__field(unsigned int, function)
		__field(unsigned int, index)
		__field(unsigned long, rax)
		__field(unsigned long, rbx)
		__field(unsigned long, rcx)
		__field(unsigned long, rdx)
		__field(bool, found)
		__field(bool, used_max_basic)
	),
	TP_fast_assign(
		__entry->function = function;
		__entry->index = index;
		__entry->rax = eax;
		__entry->rbx = ebx;
		__entry->rcx = ecx;
		__entry->rdx = edx;
		__entry->found = found;
		__entry->used_max_basic = used_max_basic;
	),
	TP_printk("func %x idx %x rax %lx rbx %lx rcx %lx rdx %lx, cpuid entry %s%s",
		  __entry->function, __entry->index, __entry->rax, __entry->rbx,
		  __entry->rcx, __entry->rdx, __entry->found ? "found" : "not found",
		  __entry->used_max_basic ? ", used max basic" : "")
);

/* RDMSR or WRMSR that is done, or raises #GP; not those that user space answers */
TRACE_EVENT(minivmm_msr,
	TP_PROTO(bool write, u32 ecx, u64 data, bool exception),
	TP_ARGS(write, ecx, data, exception),
	TP_STRUCT__entry(
		__field(unsigned int, write)
		__field(u32, ecx)
		__field(u64, data)
		__field(u8, exception)
	),
	TP_fast_assign(
		__entry->write = write;
		__entry->ecx = ecx;
		__entry->data = data;
		__entry->exception = exception;
	),
	TP_printk("msr_%s %x = 0x%llx%s", __entry->write ? "write" : "read",
		  __entry->ecx, __entry->data, __entry->exception ? " (#GP)" : "")
);

/* A MOV to or from a control register that exits; the value may still be refused. */
TRACE_EVENT(minivmm_cr,
	TP_PROTO(unsigned int rw, unsigned int cr, unsigned long val),
	TP_ARGS(rw, cr, val),
	TP_STRUCT__entry(
		__field(unsigned int, rw)
		__field(unsigned int, cr)
		__field(unsigned long, val)
	),
	TP_fast_assign(
		__entry->rw = rw;
		__entry->cr = cr;
		__entry->val = val;
	),
	TP_printk("cr_%s %x = 0x%lx", __entry->rw ? "write" : "read",
		  __entry->cr, __entry->val)
);

/* An EPT violation: the guest-physical address and the exit qualification */
TRACE_EVENT(minivmm_page_fault,
	TP_PROTO(const struct mvm_vcpu *vcpu, u64 fault_address, u64 error_code),
	TP_ARGS(vcpu, fault_address, error_code),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(unsigned long, guest_rip)
		__field(u64, fault_address)
		__field(u64, error_code)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->id;
		__entry->guest_rip = vmcs_readl(VMCS_GUEST_RIP);
		__entry->fault_address = fault_address;
		__entry->error_code = error_code;
	),
	TP_printk("vcpu %u rip 0x%lx address 0x%016llx error_code 0x%llx",
		  __entry->vcpu_id, __entry->guest_rip, __entry->fault_address,
		  __entry->error_code)
);

/* A dirty log of the processor is full. */
TRACE_EVENT(minivmm_pml_full,
	TP_PROTO(const struct mvm_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->id;
	),
	TP_printk("vcpu %u: PML full", __entry->vcpu_id)
);

/* An access to a register of the local APIC, in its page or as an MSR, that exits */
TRACE_EVENT(minivmm_apic,
	TP_PROTO(unsigned int rw, unsigned int reg, u64 val),
	TP_ARGS(rw, reg, val),
	TP_STRUCT__entry(
		__field(unsigned int, rw)
		__field(unsigned int, reg)
		__field(u64, val)
	),
	TP_fast_assign(
		__entry->rw = rw;
		__entry->reg = reg;
		__entry->val = val;
	),
	TP_printk("apic_%s %s = 0x%llx", __entry->rw ? "write" : "read",
		  __print_symbolic(__entry->reg, MVM_TRACE_REGISTERS), __entry->val)
);

/* A local APIC has heard that an interrupt has been served. */
TRACE_EVENT(minivmm_eoi,
	TP_PROTO(const struct mvm_vcpu *vcpu, int vector),
	TP_ARGS(vcpu, vector),
	TP_STRUCT__entry(
		__field(u32, apicid)
		__field(int, vector)
	),
	TP_fast_assign(
		__entry->apicid = vcpu->id;
		__entry->vector = vector;
	),
	TP_printk("apicid %x vector %d", __entry->apicid, __entry->vector)
);

/* A vCPU that halted has slept, and looks whether it has something to run for. */
TRACE_EVENT(minivmm_vcpu_wakeup,
	TP_PROTO(u64 ns),
	TP_ARGS(ns),
	TP_STRUCT__entry(
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->ns = ns;
	),
	TP_printk("wait time %lld ns", __entry->ns)
);

/* KVM_RUN ends. What user space reads events with knows no negative numbers: EINTR is 4. */
TRACE_EVENT(minivmm_userspace_exit,
	TP_PROTO(u32 reason, int errno),
	TP_ARGS(reason, errno),
	TP_STRUCT__entry(
		__field(u32, reason)
		__field(int, errno)
	),
	TP_fast_assign(
		__entry->reason = reason;
		__entry->errno = errno;
	),
	TP_printk("reason %s (%d)",
		  __entry->errno & 0x80000000 ?
		  ((__entry->errno & 0xffffffff) == 0xfffffffc ? "restart" : "error") :
		  __print_symbolic(__entry->reason, MVM_TRACE_TO_USERS),
		  __entry->errno & 0x80000000 ? -__entry->errno : __entry->reason)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
