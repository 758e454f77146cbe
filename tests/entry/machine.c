// SPDX-License-Identifier: GPL-2.0
/*
 * The processor's side: VMX operation, the pool of pages, one VM entry.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "entry.h"
#include "../../module/vmx/operation.h"
#include "../../module/vmx/vmcs.h"
#include "../../module/vmx/capability.h"

#define POOL_ORDER	5
#define MSR_ENTRIES	(PAGE_SIZE / 16)

struct mvm_vmx_msrs entry_msrs;
struct mvm_check_cpu entry_cpu;
/* The host's fields as they must be for us to come back */
struct mvm_vmcs_image entry_host;
/* Of vmcs.c: what it takes the revision from, and where it would note writers */
struct mvm_vmx_capability mvm_vmx;
DEFINE_PER_CPU(struct mvm_cpu, mvm_cpu);

/* Of switch.S */
u64 entry_gs_base, entry_fs_base;
static u8 *pool;
static struct mvm_vmcs *vmxon, *vmcs;
static unsigned long batch_flags;
static struct desc_ptr gdt, idt;
static u16 ds, es, fs, gs;
static u64 kernel_gs, star, lstar, cstar, pat, sysenter[3], host_cr0, host_cr4;
static u32 host_debug;
static bool missing[VMCS_NR_FIELDS];

static_assert(NR_PAGES <= 1 << POOL_ORDER);

static const struct {
	u32 encoding;
	bool read_only;
} fields[] = {
#define FIELD_ROW(name, encoding, width, section, words)	\
	{ encoding, ((encoding) >> 10 & 3) == 1 },
	VMCS_FIELDS(FIELD_ROW)
};

u64 entry_page(enum entry_page page)
{
	return __pa(pool) + page * PAGE_SIZE;
}

bool entry_in_page(enum entry_page page, u64 address)
{
	return (address & PAGE_MASK) == entry_page(page);
}

/* Exit information, and what this CPU does not have */
bool entry_read_only(enum vmcs_index index)
{
	return fields[index].read_only || missing[index];
}

static bool peek(u64 address, u64 *value)
{
	if (address & 7 || address < __pa(pool) ||
	    address >= __pa(pool) + NR_PAGES * PAGE_SIZE)
		return false;
	*value = *(u64 *)(pool + (address - __pa(pool)));
	return true;
}

static u64 read_msr(u32 msr)
{
	u64 value = 0;

	rdmsrl_safe(msr, &value);
	return value;
}

static bool vmread(u32 field, u64 *value)
{
	unsigned long v;
	bool failed;

	asm volatile("vmread %[field], %[value]"
		     : [value] "=r" (v), "=@ccbe" (failed)
		     : [field] "r" ((unsigned long)field));
	*value = failed ? 0 : v;
	return !failed;
}

static bool vmwrite(u32 field, unsigned long value)
{
	bool failed;

	asm volatile("vmwrite %[value], %[field]"
		     : "=@ccbe" (failed)
		     : [value] "r" (value), [field] "r" ((unsigned long)field));
	return !failed;
}

#define HOST(name)	(entry_host.value[VMCS_INDEX_HOST_##name])

/* Interrupts are off: CR3 and the GDT are this CPU's and this process's. */
static void read_host(void)
{
	struct desc_struct *table;
	struct ldttss_desc *tss;

	native_store_gdt(&gdt);
	store_idt(&idt);
	table = (void *)gdt.address;
	tss = (void *)&table[GDT_ENTRY_TSS];
	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	rdmsrl(MSR_GS_BASE, entry_gs_base);
	rdmsrl(MSR_FS_BASE, entry_fs_base);
	rdmsrl(MSR_KERNEL_GS_BASE, kernel_gs);
	rdmsrl(MSR_STAR, star);
	rdmsrl(MSR_LSTAR, lstar);
	rdmsrl(MSR_CSTAR, cstar);
	rdmsrl(MSR_IA32_CR_PAT, pat);
	rdmsrl(MSR_IA32_SYSENTER_CS, sysenter[0]);
	rdmsrl(MSR_IA32_SYSENTER_ESP, sysenter[1]);
	rdmsrl(MSR_IA32_SYSENTER_EIP, sysenter[2]);
	get_debugreg(host_debug, 7);
	host_cr0 = read_cr0();
	host_cr4 = __read_cr4();

	HOST(CS_SELECTOR) = __KERNEL_CS;
	HOST(SS_SELECTOR) = __KERNEL_DS;
	HOST(TR_SELECTOR) = GDT_ENTRY_TSS * 8;
	HOST(CR0) = host_cr0;
	HOST(CR3) = __read_cr3();
	HOST(CR4) = host_cr4;
	HOST(FS_BASE) = entry_fs_base;
	HOST(GS_BASE) = entry_gs_base;
	HOST(TR_BASE) = (u64)tss->base0 | (u64)tss->base1 << 16 | (u64)tss->base2 << 24 |
			(u64)tss->base3 << 32;
	HOST(GDTR_BASE) = gdt.address;
	HOST(IDTR_BASE) = idt.address;
	HOST(SYSENTER_CS) = sysenter[0];
	HOST(SYSENTER_ESP) = sysenter[1];
	HOST(SYSENTER_EIP) = sysenter[2];
	HOST(PAT) = pat;
	HOST(EFER) = read_msr(MSR_EFER);
	HOST(RIP) = (unsigned long)entry_exit_label;
}

/* Whatever a VM exit with odd host fields, or a list of MSRs, has left */
static void mend_host(void)
{
	native_write_cr0(host_cr0);
	asm volatile("mov %0, %%cr4" : : "r" (host_cr4) : "memory");
	wrmsrl(MSR_IA32_CR_PAT, pat);
	wrmsrl(MSR_KERNEL_GS_BASE, kernel_gs);
	wrmsrl(MSR_STAR, star);
	wrmsrl(MSR_LSTAR, lstar);
	wrmsrl(MSR_CSTAR, cstar);
	wrmsrl(MSR_IA32_SYSENTER_CS, sysenter[0]);
	wrmsrl(MSR_IA32_SYSENTER_ESP, sysenter[1]);
	wrmsrl(MSR_IA32_SYSENTER_EIP, sysenter[2]);
	set_debugreg((unsigned long)host_debug, 7);
}

/**
 * entry_batch_begin() - into VMX operation, with interrupts off
 *
 * Return: 0 or a negative errno, with interrupts on.
 */
int entry_batch_begin(void)
{
	u64 address = __pa(vmxon);
	bool failed;

	local_irq_save(batch_flags);
	if (__read_cr4() & X86_CR4_VMXE) {
		local_irq_restore(batch_flags);
		pr_err("this CPU is in VMX operation already: unload kvm_intel and minivmm\n");
		return -EBUSY;
	}
	cr4_set_bits(X86_CR4_VMXE);
	asm volatile("vmxon %[address]"
		     : "=@ccbe" (failed) : [address] "m" (address) : "memory");
	if (failed) {
		cr4_clear_bits(X86_CR4_VMXE);
		local_irq_restore(batch_flags);
		pr_err("VMXON failed\n");
		return -EIO;
	}
	read_host();
	return 0;
}

/**
 * entry_batch_end() - out of VMX operation, interrupts on
 */
void entry_batch_end(void)
{
	mvm_vmcs_clear(vmcs);
	asm volatile("vmxoff" : : : "cc", "memory");
	/* VM exits leave limits of 0x67 for the TSS, 0xffff for GDT and IDT. */
	invalidate_tss_limit();
	native_load_gdt(&gdt);
	load_idt(&idt);
	loadsegment(ds, ds);
	loadsegment(es, es);
	if (fs) {
		loadsegment(fs, fs);
		wrmsrl(MSR_FS_BASE, entry_fs_base);
	}
	if (gs) {
		load_gs_index(gs);
		wrmsrl(MSR_KERNEL_GS_BASE, kernel_gs);
	}
	cr4_clear_bits(X86_CR4_VMXE);
	local_irq_restore(batch_flags);
}

static void fill_msr_list(enum entry_page page)
{
	u64 *entry = (u64 *)(pool + page * PAGE_SIZE);
	unsigned int i;

	for (i = 0; i < MSR_ENTRIES; i++, entry += 2) {
		entry[0] = MSR_IA32_SYSENTER_CS;
		entry[1] = sysenter[0];
	}
}

/**
 * entry_prepare() - give the processor the VMCS and the memory of a case
 * @e: the case; updated to what the fields really hold, since a processor may
 *	not have all bits of a field, nor all fields
 */
void entry_prepare(struct entry_case *e)
{
	u64 *list = (u64 *)(pool + PAGE_ENTRY_LOAD * PAGE_SIZE);
	unsigned int i;

	memset(pool, 0, NR_PAGES * PAGE_SIZE);
	fill_msr_list(PAGE_EXIT_STORE);
	fill_msr_list(PAGE_EXIT_LOAD);
	for (i = 0; i < ENTRY_MSRS; i++) {
		list[2 * i] = e->msr[i].index;
		list[2 * i + 1] = e->msr[i].value;
	}
	*(u32 *)(pool + PAGE_VIRTUAL_APIC * PAGE_SIZE + 0x80) = e->virtual_tpr;
	*(u32 *)(pool + PAGE_LINK * PAGE_SIZE) = e->link_word;
	memcpy(pool + PAGE_CR3 * PAGE_SIZE, e->pdpte, sizeof(e->pdpte));

	mvm_vmcs_clear(vmcs);
	mvm_vmcs_make_current(vmcs);
	for (i = 0; i < VMCS_NR_FIELDS; i++) {
		if (fields[i].read_only || missing[i]) {
			e->vmcs.value[i] = 0;
			continue;
		}
		if (!vmwrite(fields[i].encoding, e->vmcs.value[i]) ||
		    !vmread(fields[i].encoding, &e->vmcs.value[i])) {
			missing[i] = true;
			e->vmcs.value[i] = 0;
		}
	}
}

/**
 * entry_run() - the VM entry, and what came of it
 * @e: the case, prepared
 * @result: filled
 */
void entry_run(const struct entry_case *e, struct entry_result *result)
{
	u64 value;
	int status;

	result->tsc = rdtsc();
	status = entry_launch();
	if (!status)
		mend_host();
	result->failed = status;
	result->qualification = 0;
	if (status == 1) {
		result->reason = 0;
		return;
	}
	vmread(status ? VMCS_INSTRUCTION_ERROR : VMCS_EXIT_REASON, &value);
	result->reason = value;
	if (!status)
		vmread(VMCS_EXIT_QUALIFICATION, &result->qualification);
}

/**
 * entry_machine_init() - get ready
 *
 * Return: 0 or a negative errno.
 */
int entry_machine_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_VMX)) {
		pr_err("this CPU has no VT-x\n");
		return -EOPNOTSUPP;
	}
	mvm_vmx_read_msrs(&entry_msrs, read_msr);
	if (!((entry_msrs.pin >> 32) & BIT(6))) {
		pr_err("this CPU has no VMX-preemption timer, which ends what the VM entries begin\n");
		return -EOPNOTSUPP;
	}
	mvm_vmx.revision = entry_msrs.basic & VMX_BASIC_REVISION;
	mvm_check_this_cpu(&entry_cpu, &entry_msrs);
	pool = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, POOL_ORDER);
	vmxon = mvm_vmcs_alloc();
	vmcs = mvm_vmcs_alloc();
	if (!pool || !vmxon || !vmcs) {
		entry_machine_exit();
		return -ENOMEM;
	}
	entry_cpu.peek = peek;
	entry_cpu.current_vmcs = __pa(vmcs);
	return 0;
}

void entry_machine_exit(void)
{
	mvm_vmcs_free(vmcs);
	mvm_vmcs_free(vmxon);
	free_pages((unsigned long)pool, POOL_ORDER);
}
