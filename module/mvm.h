/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One VM and one vCPU, as all of the module sees them.
 *
 * Lock order: vm->lock, then vcpu->mutex; what memory/ takes comes after both
 * (see the top of memory/fault.c).
 */
#ifndef MVM_H
#define MVM_H

#include <linux/cpumask.h>
#include <linux/kref.h>
#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/signal_types.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "bus.h"
#include "clock.h"
#include "irqchip/irqchip.h"
#include "memory/memory.h"
#include "stat.h"
#include "vmx/arch.h"
#include "vmx/enter.h"
#include "x86/cpuid.h"
#include "x86/decode.h"
#include "x86/fpu.h"
#include "x86/msr.h"

/* As KVM has them on x86: vCPUs of a VM, and the range of their numbers */
#define MVM_MAX_VCPUS		1024
#define MVM_MAX_VCPU_ID		4096

/* KVM_MAX_CPUID_ENTRIES */
#define MVM_MAX_CPUID_ENTRIES	256

/* KVM_GET_MSRS and KVM_SET_MSRS take fewer at once, as in KVM. */
#define MVM_MAX_IO_MSRS		256

/* Pages of a vCPU's mapping, as KVM has them */
#define MVM_RUN_PAGE		0
#define MVM_PIO_PAGE		KVM_PIO_PAGE_OFFSET
#define MVM_RING_PAGE		KVM_COALESCED_MMIO_PAGE_OFFSET	/* the VM's */
#define MVM_VCPU_PAGES		3

/*
 * What an exit handler, and whatever continues its work, returns. A negative
 * errno is the third answer: KVM_RUN fails with it.
 */
#define MVM_TO_USER		0	/* kvm_run is filled in: return from KVM_RUN */
#define MVM_RESUME		1	/* back into the guest */

struct minivmm_vmcs;
struct minivmm_stop;
struct minivmm_explanation;

/**
 * struct mvm_vm - one virtual machine
 * @refs: one for the VM's descriptor, one for each vCPU's, and one for each
 *	descriptor of statistics
 * @lock: serialises the creation of vCPUs and the VM's own calls
 * @memory: guest-physical memory; @memory.mm is the process that owns the VM
 * @vcpus: by number
 * @max_vcpu_id: vCPUs' numbers are below it; 0: MVM_MAX_VCPU_ID
 * @nr_vcpus: how many there are or are being created
 * @irqchip: vCPUs have a local APIC in the kernel; constant once there is one
 * @irqchip_pins: how many pins user space's I/O APIC has, where it keeps it
 * @bsp_id: number of the vCPU that is the boot processor
 * @chips: PIC and I/O APIC, or NULL if user space keeps them; set before @irqchip
 * @pit: the interval timer, or NULL; written with @lock held
 * @routes: where GSIs lead to, or NULL; written with @lock held, read under RCU
 * @irqfds: see there
 * @irq_acks: who wants to know of EOIs; written with @lock held, read under RCU
 * @tsc_offset: what a new vCPU's TSC is ahead of the host's
 * @tsc_khz: what a new vCPU's KVM_GET_TSC_KHZ says
 * @clock: kvmclock
 * @ept_cpus: CPUs whose TLB may hold translations of @memory
 * @bus: who listens to writes to devices, or NULL for nobody; written with
 *	@lock held, read under RCU
 * @devices: those in the kernel; written with @lock held
 * @ring: of coalesced writes; a page of each vCPU's mapping
 * @ring_lock: held by whoever adds to it
 * @mmu_pages: what KVM_SET_NR_MMU_PAGES said
 * @msr_exits: KVM_MSR_EXIT_REASON_* for which user space emulates an MSR
 * @msr_filter: which MSRs the guests may access, or NULL for all; written with
 *	@lock held, read under RCU
 * @debugfs: its folder there, or what stands for none
 */
struct mvm_vm {
	struct kref refs;
	struct mutex lock;	/* see above */
	struct mvm_memory memory;
	struct xarray vcpus;
	u32 max_vcpu_id;
	int nr_vcpus;
	bool irqchip;
	u32 irqchip_pins;
	u32 bsp_id;
	struct mvm_irqchip *chips;
	struct mvm_pit_device *pit;
	struct mvm_routes __rcu *routes;
	struct mvm_irqfds irqfds;
	struct hlist_head irq_acks;
	u64 tsc_offset;
	u32 tsc_khz;
	struct mvm_clock clock;
	cpumask_var_t ept_cpus;
	struct mvm_listeners __rcu *bus[MVM_NR_BUSES];
	struct mvm_bus_device *devices[MVM_NR_BUSES];
	struct page *ring;
	spinlock_t ring_lock; /* see above */
	unsigned long mmu_pages;
	u32 msr_exits;
	struct mvm_msr_filter __rcu *msr_filter;
	struct dentry *debugfs;
};

/* Bits of mvm_vcpu::pending: work before the next VM entry */
#define MVM_PENDING_EXCEPTION	BIT(0)
#define MVM_PENDING_REINJECT	BIT(1)
#define MVM_PENDING_FLUSH	BIT(2)
#define MVM_PENDING_DEBUG_REGS	BIT(3)	/* stays set while DR7 enables any */
#define MVM_PENDING_SHUTDOWN	BIT(4)	/* a fault while a double fault was delivered */
#define MVM_PENDING_INTERRUPT	BIT(5)	/* waits until the guest can take it */
#define MVM_PENDING_NMI_AGAIN	BIT(6)	/* a VM exit cut its delivery short */
#define MVM_PENDING_NMI		BIT(7)	/* waits until the guest can take it */
#define MVM_PENDING_NMI_2	BIT(8)	/* one more behind it */
#define MVM_PENDING_WINDOW	BIT(9)	/* this KVM_RUN is to end when an interrupt can go in */
#define MVM_PENDING_STEP	BIT(10)	/* stays set while user space single-steps */
#define MVM_PENDING_STEPPED	BIT(11)	/* a step is complete: tell user space */
#define MVM_PENDING_WAIT	BIT(12)	/* mvm_vcpu::mp_state is not RUNNABLE */
#define MVM_PENDING_APIC	BIT(13)	/* the local APIC, or the PIC, may have an interrupt */
#define MVM_PENDING_EOI		BIT(14)	/* user space's I/O APIC is to see an EOI */
#define MVM_PENDING_CLOCK	BIT(15)	/* kvmclock's page is to be written */
#define MVM_PENDING_STOP	BIT(16)	/* MINIVMM_STOP_AT: this KVM_RUN is to end */

/* Bits of mvm_vcpu::observe: somebody wants to know of VM exits */
#define MVM_OBSERVE_STOP	BIT(0)	/* MINIVMM_STOP_AT waits for one */
#define MVM_OBSERVE_TRACE	BIT(1)	/* MINIVMM_TRACE records each */

/**
 * struct mvm_exception - an exception that waits for the next VM entry
 * @vector: 0 to 31
 * @has_error: an error code goes with it
 * @error: the error code
 * @cr2: #PF: the linear address
 * @dr6: #DB: the bits that DR6 gets
 * @settled: CR2 or DR6 has got it
 */
struct mvm_exception {
	u8 vector;
	bool has_error;
	u32 error;
	u64 cr2;
	u64 dr6;
	bool settled;
};

/**
 * struct mvm_guest_debug - what a debugger in user space wants
 * @control: KVM_GUESTDBG_*, 0 when there is none
 * @dr: DR0 to DR3, with KVM_GUESTDBG_USE_HW_BP
 * @dr7: the same
 */
struct mvm_guest_debug {
	u32 control;
	unsigned long dr[4];
	unsigned long dr7;
};

/**
 * struct mvm_vmx_vcpu - the part of a vCPU that is VT-x
 * @vmcs: its VMCS
 * @msr_bitmap: which MSRs the guest uses without VM exit
 * @writers: who wrote its fields, by enum vmcs_index; NULL if nobody asks
 * @stop: of MINIVMM_STOP_AT, or NULL
 * @explanation: of the last VM entry that failed, or NULL
 * @record: of MINIVMM_TRACE, or NULL; once there it stays
 * @log: the pages that it has dirtied, where the CPU logs them, or NULL
 * @link: in the list of the CPU where the VMCS is active
 * @cpu: that CPU, or -1
 * @launched: VMLAUNCH succeeded since the last VMCLEAR
 * @loaded: between mvm_vmx_load() and mvm_vmx_put()
 * @all_msrs_exit: no MSR is the guest's without VM exit
 * @flush_l1d: host code ran that may have left secrets in the L1D cache
 * @vpid: tag of its TLB entries, 0 without VPID
 * @delivering: the last VM exit of those that can cut an event's delivery
 *	short did so
 * @reason: of the last VM exit
 * @tpr_threshold: what TPR_THRESHOLD holds, with a TPR shadow
 * @eoi_exits: what the EOI-exit bitmaps hold, with virtual-interrupt delivery
 * @efer: the guest's EFER but for LMA, which the CPU changes by itself
 * @host_cr3: what HOST_CR3 holds
 * @host_cr4: what HOST_CR4 holds
 * @host_fs_base: what HOST_FS_BASE holds
 * @host_global_ctrl: what HOST_PERF_GLOBAL_CTRL holds
 * @host_debugctl: the host's IA32_DEBUGCTL during a VM entry
 * @host_pebs: the host's IA32_PEBS_ENABLE during a VM entry, 0 if not changed
 * @host_kernel_gs: the host's IA32_KERNEL_GS_BASE while loaded
 * @host_ds: the owner's selectors while loaded
 * @host_es: the same
 * @host_fs: the same
 * @host_gs: the same
 * @host_ldt: the same
 */
struct mvm_vmx_vcpu {
	struct mvm_vmcs *vmcs;
	unsigned long *msr_bitmap;
	struct mvm_writer *writers;
	struct mvm_vmx_stop *stop;
	struct mvm_vmx_explanation *explanation;
	struct mvm_vmx_record *record;
	u64 *log;
	struct list_head link;
	int cpu;
	bool launched;
	bool loaded;
	bool all_msrs_exit;
	bool flush_l1d;
	bool delivering;
	u16 vpid;
	u32 reason;
	u32 tpr_threshold;
	u64 eoi_exits[4];
	u64 efer;
	unsigned long host_cr3;
	unsigned long host_cr4;
	unsigned long host_fs_base;
	u64 host_global_ctrl;
	unsigned long host_debugctl;
	u64 host_pebs;
	unsigned long host_kernel_gs;
	u16 host_ds, host_es, host_fs, host_gs, host_ldt;
};

/**
 * struct mvm_io - a port access that user space completes
 * @rip: of the instruction
 * @gva: INS and OUTS: linear address of the first element
 * @count: elements in the PIO page
 * @length: bytes of the instruction
 * @size: bytes of an element
 * @address_mask: the bits of RCX and RDI that the instruction uses
 * @rep: the instruction has a REP prefix
 * @down: RFLAGS.DF: addresses go down
 */
struct mvm_io {
	unsigned long rip;
	unsigned long gva;
	unsigned long address_mask;
	u32 count;
	u32 length;
	u8 size;
	bool rep;
	bool down;
};

/**
 * struct mvm_mmio_part - the part of an access that is in one page
 * @gpa: where it is
 * @offset: of its bytes in the operand
 * @len: how many there are
 */
struct mvm_mmio_part {
	u64 gpa;
	u8 offset;
	u8 len;
};

/**
 * struct mvm_mmio - an access to a device's memory that user space completes
 * @insn: the instruction
 * @rip: where it is
 * @data: the operand
 * @part: where the operand is
 * @nr_parts: 1, or 2 if it crosses a page
 * @device: the parts that are for user space, less what it has done
 * @nr_device: how many these are
 * @current_device: the one that user space is at
 * @write: the device is written to
 * @read_done: @data has what the instruction reads
 */
struct mvm_mmio {
	struct mvm_insn insn;
	u64 rip;
	u8 data[16];
	struct mvm_mmio_part part[2];
	struct mvm_mmio_part device[2];
	u8 nr_parts;
	u8 nr_device;
	u8 current_device;
	bool write;
	bool read_done;
};

/**
 * struct mvm_vcpu - one virtual CPU
 * @enter: the registers that the world switch handles; first, see enter.h
 * @vm: its VM
 * @id: its number, also its initial local APIC ID
 * @mutex: held by whoever runs or changes it
 * @runner: the thread that is in KVM_RUN, or NULL
 * @run: the page shared with user space
 * @pages: all pages of the mapping, @run's first
 * @pending: MVM_PENDING_* bits, changed by the vCPU alone
 * @events: MVM_EVENT_* bits, set by anybody
 * @work: both, to be looked at in one go
 * @mp_state: KVM_MP_STATE_*
 * @apic: with interrupt controllers in the kernel, or NULL
 * @exception: valid with MVM_PENDING_EXCEPTION
 * @reinject: VM-entry interruption information of an exception or software
 *	interrupt whose delivery a VM exit cut short; valid with
 *	MVM_PENDING_REINJECT
 * @reinject_error: its error code
 * @reinject_length: its instruction length
 * @interrupt: vector; valid with MVM_PENDING_INTERRUPT
 * @complete: continues an instruction after user space did its part; returns
 *	as an exit handler does
 * @io: what @complete needs for port I/O
 * @mmio: what it needs for memory-mapped I/O
 * @cr2: the guest's
 * @cr8: the task priority where user space keeps the APIC, or else the APIC's:
 *	mvm_apic_get_cr8() knows
 * @dr: DR0 to DR3
 * @dr6: the guest's
 * @dr7: the guest's; the one in force may be a debugger's
 * @debug: of a debugger in user space
 * @msrs: see there
 * @cpuid: the table that the guest sees
 * @cpuid_state: the state that its entries tell of
 * @cr4_reserved: CR4 bits that its CPUID table does not allow
 * @xcr0_allowed: XCR0 bits that it allows
 * @maxphyaddr: its physical-address width
 * @page_1g: it has 1 GiB pages
 * @tsc_khz: what user space was told, or told, of its TSC
 * @clock: kvmclock and the TSC
 * @fpu: FPU, SSE and AVX state and XCR0
 * @sigset: the signals blocked during KVM_RUN
 * @sigset_active: @sigset is set
 * @observe: MVM_OBSERVE_* bits, changed with @mutex held
 * @nr_exits: all VM exits
 * @exits: VM exits by basic reason
 * @stat: other events
 * @times: where its time went
 * @vmx: what is VT-x
 */
struct mvm_vcpu {
	struct mvm_enter enter;
	struct mvm_vm *vm;
	int id;
	struct mutex mutex;	/* see above */
	struct task_struct *runner;
	struct kvm_run *run;
	struct page *pages[MVM_VCPU_PAGES];

	union {
		u64 work;
		struct {
			u32 pending;
			atomic_t events;
		};
	};
	u32 mp_state;
	struct mvm_apic *apic;
	struct mvm_exception exception;
	u32 reinject;
	u32 reinject_error;
	u32 reinject_length;
	u8 interrupt;
	int (*complete)(struct mvm_vcpu *vcpu);
	struct mvm_io io;
	struct mvm_mmio mmio;

	unsigned long cr2;
	u64 cr8;
	unsigned long dr[4];
	unsigned long dr6;
	unsigned long dr7;
	struct mvm_guest_debug debug;
	struct mvm_msrs msrs;
	struct mvm_cpuid cpuid;
	struct mvm_cpuid_state cpuid_state;
	u64 cr4_reserved;
	u64 xcr0_allowed;
	u8 maxphyaddr;
	bool page_1g;
	u32 tsc_khz;
	struct mvm_vcpu_clock clock;
	struct mvm_fpu fpu;

	sigset_t sigset;
	bool sigset_active;

	u8 observe;
	u64 nr_exits;
	u64 exits[VMX_NR_REASONS];
	struct mvm_stat stat;
	struct mvm_times times;
	struct mvm_vmx_vcpu vmx;
};

static inline void *mvm_vcpu_page(struct mvm_vcpu *vcpu, int page)
{
	return page_address(vcpu->pages[page]);
}

/* Does anybody but user space want to know of accesses to devices? */
static inline bool mvm_vm_listens(struct mvm_vm *vm, enum mvm_bus_kind kind)
{
	return rcu_access_pointer(vm->bus[kind]) || READ_ONCE(vm->devices[kind]);
}

/* vm.c */
int mvm_vm_create(unsigned long type);
void mvm_vm_get(struct mvm_vm *vm);
void mvm_vm_put(struct mvm_vm *vm);

/* vcpu.c */
int mvm_vcpu_create(struct mvm_vm *vm, unsigned long id);
void mvm_vcpu_destroy(struct mvm_vcpu *vcpu);
bool mvm_vcpu_apic_base_valid(struct mvm_vcpu *vcpu, u64 value, bool host);
int mvm_vcpu_set_sregs(struct mvm_vcpu *vcpu, const struct kvm_sregs *sregs,
		       const u64 pdpte[4]);

/* PDPTE registers are in use: SDM Vol. 3, "PAE Paging" */
static inline bool mvm_pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return cr0 & X86_CR0_PG && cr4 & X86_CR4_PAE && !(efer & EFER_LMA);
}

/* vcpu_state.c */
long mvm_vcpu_state_call(struct mvm_vcpu *vcpu, unsigned int cmd, void __user *user);
int mvm_vcpu_take_regs(struct mvm_vcpu *vcpu);
void mvm_vcpu_show_regs(struct mvm_vcpu *vcpu);
int mvm_check_tsc_khz(unsigned long arg, u32 *khz);

/* msr_filter.c */
int mvm_vm_set_msr_filter(struct mvm_vm *vm, const struct kvm_msr_filter *filter);
void mvm_vm_free_msr_filter(struct mvm_vm *vm);
bool mvm_msr_allowed(struct mvm_vm *vm, u32 index, u32 access);

/* run.c */
int mvm_vcpu_run(struct mvm_vcpu *vcpu);
void mvm_vcpu_yield(struct mvm_vcpu *vcpu);

/* device.c */
int mvm_check_extension(long extension);
int mvm_device_register(void);
void mvm_device_unregister(void);

/* cpuid.c */
int mvm_cpuid_init(void);
void mvm_host_cpuid(u32 function, u32 index, u32 out[4]);
void mvm_vcpu_reset_cpuid(struct mvm_vcpu *vcpu);
int mvm_get_supported_cpuid(struct kvm_cpuid2 __user *user);
int mvm_get_emulated_cpuid(struct kvm_cpuid2 __user *user);
int mvm_vcpu_set_cpuid2(struct mvm_vcpu *vcpu, struct kvm_cpuid2 __user *user);
int mvm_vcpu_get_cpuid2(struct mvm_vcpu *vcpu, struct kvm_cpuid2 __user *user);
void mvm_vcpu_update_cpuid(struct mvm_vcpu *vcpu, unsigned long cr4);

/* observe.c */
int mvm_vcpu_get_vmcs(struct mvm_vcpu *vcpu, struct minivmm_vmcs __user *user);
int mvm_vcpu_stop_at(struct mvm_vcpu *vcpu, const struct minivmm_stop __user *user);
int mvm_vcpu_explain(struct mvm_vcpu *vcpu, struct minivmm_explanation __user *user);

#endif
