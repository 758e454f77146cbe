// SPDX-License-Identifier: GPL-2.0
/*
 * VMX operation: into it and out of it, on every CPU.
 *
 * The CPUs are in VMX operation only while a VM exists, so that kvm_intel can
 * have them at other times. The kernel's CPU hotplug machinery does the rest:
 * a callback enters VMX operation on each CPU that is or comes online, and
 * another leaves it before one goes offline. By then no user thread runs on
 * that CPU any more, and since a vCPU is loaded only with preemption disabled,
 * none is loaded there. Suspend takes the last CPU through syscore callbacks.
 *
 * A reboot or kexec must find all CPUs out of VMX operation, with user threads
 * still running: mvm_vmx_going_down is set, and an interrupt makes every guest
 * exit. Whoever attaches a vCPU, or is about to enter a guest, after that
 * interrupt sees the flag; whoever is between the two has mvm_cpu.attached set,
 * and is waited for. Hence no VMREAD can ever meet a CPU that has left VMX
 * operation.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/module.h>
#include <linux/perf_event.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/cpu_device_id.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/msr.h>

#include "../../uapi/linux/minivmm.h"
#include "../compat.h"
#include "../mvm.h"
#include "operation.h"
#include "vmcs.h"
#include "vmx.h"

DEFINE_PER_CPU(struct mvm_cpu, mvm_cpu);
struct mvm_vmx_capability mvm_vmx;
struct mvm_cpuid_limits mvm_cpuid_limits;
bool mvm_vmx_going_down;

struct mvm_vmx_msrs mvm_vmx_msrs;

/* Protects users and the hotplug state that goes with it. */
static DEFINE_MUTEX(users_lock);
static int users;
static int hotplug_state;

/*
 * The kernel has one place for who ends VMX operation in a crash, and KVM takes
 * it while kvm_intel is loaded. Its callback looks at CR4.VMXE, so it serves us
 * as well; without kvm_intel the place is ours while a VM exists.
 */
static bool kvm_intel_there;
static bool emergency_registered;

static u64 read_msr(u32 msr)
{
	u64 value = 0;

	/* A capability MSR that does not exist offers nothing. */
	rdmsrl_safe(msr, &value);
	return value;
}

/* SDM Vol. 3, "VMX Instructions": the descriptor that INVEPT and INVVPID take */
static void invalidate(bool ept, unsigned long type, u64 low, u64 high)
{
	struct { u64 low, high; } descriptor = { low, high };
	bool failed;

	if (ept)
		asm volatile("invept %[d], %[type]"
			     : "=@ccbe" (failed)
			     : [d] "m" (descriptor), [type] "r" (type) : "memory");
	else
		asm volatile("invvpid %[d], %[type]"
			     : "=@ccbe" (failed)
			     : [d] "m" (descriptor), [type] "r" (type) : "memory");
	/* A stale translation is the end of isolation: never go on quietly. */
	WARN_ONCE(failed, "%s type %lu of 0x%llx failed\n",
		  ept ? "INVEPT" : "INVVPID", type, low);
}

/**
 * mvm_vmx_invept() - drop this CPU's translations made with an EPTP
 * @eptp: the EPTP
 *
 * SDM Vol. 3, "INVEPT". In VMX operation, not preemptible.
 */
void mvm_vmx_invept(u64 eptp)
{
	if (mvm_vmx.invept_single)
		invalidate(true, VMX_INVEPT_SINGLE, eptp, 0);
	else
		invalidate(true, VMX_INVEPT_ALL, 0, 0);
}

/**
 * mvm_vmx_invvpid() - drop this CPU's translations of a vCPU
 * @vpid: its VPID; 0 if it has none, and then every VM entry drops them
 *
 * SDM Vol. 3, "INVVPID". In VMX operation, not preemptible.
 */
void mvm_vmx_invvpid(u16 vpid)
{
	if (!vpid)
		return;
	if (mvm_vmx.invvpid_single)
		invalidate(false, VMX_INVVPID_SINGLE, vpid, 0);
	else
		invalidate(false, VMX_INVVPID_ALL, 0, 0);
}

static void flush_ept_here(void *eptp)
{
	if (this_cpu_read(mvm_cpu.on))
		mvm_vmx_invept(*(u64 *)eptp);
}

/**
 * mvm_vmx_flush_ept() - drop all translations of a VM's memory, everywhere
 * @memory: the VM's memory
 *
 * When this returns no CPU uses a translation that was taken back before: the
 * interrupt makes a guest that runs there exit. Interrupts are on; a spinlock
 * may be held that nobody waits for with interrupts off.
 */
void mvm_vmx_flush_ept(struct mvm_memory *memory)
{
	struct mvm_vm *vm = container_of(memory, struct mvm_vm, memory);

	/*
	 * Pairs with the barrier in mvm_vmx_attach(): either we see the CPU in
	 * the mask, or it sees the EPT as it is now.
	 */
	smp_mb();
	on_each_cpu_mask(vm->ept_cpus, flush_ept_here, &memory->eptp, 1);
}

/*
 * SDM Vol. 3, "VMXON". If it faults, which it should not, CF is still set from
 * the STC before it.
 */
static int enter_root(struct mvm_vmcs *region)
{
	u64 address = __pa(region);
	bool failed;

	asm volatile("stc\n"
		     "1: vmxon %[address]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "=@ccbe" (failed) : [address] "m" (address) : "memory");
	return failed ? -EIO : 0;
}

/* SDM Vol. 3, "VMXOFF". In a crash the CPU may be out of VMX operation already. */
static void leave_root(void)
{
	asm volatile("1: vmxoff\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : : "cc", "memory");
}

/*
 * The base of the host's TSS is in no register that software can read: it
 * comes from the descriptor. SDM Vol. 3, "TSS Descriptor in 64-bit Mode".
 */
static unsigned long tss_base(const struct desc_ptr *gdt)
{
	const struct ldttss_desc *tss;
	u16 selector;

	asm("str %0" : "=r" (selector));
	tss = (void *)(gdt->address + selector);
	return tss->base0 | (unsigned long)tss->base1 << 16 |
	       (unsigned long)tss->base2 << 24 | (unsigned long)tss->base3 << 32;
}

/* This CPU's values, for the host-state area and for the way back */
static void remember_host(struct mvm_cpu *c)
{
	native_store_gdt(&c->gdt);
	store_idt(&c->idt);
	c->tr_base = tss_base(&c->gdt);
	rdmsrl(MSR_GS_BASE, c->gs_base);
	rdmsrl(MSR_IA32_SYSENTER_ESP, c->sysenter_esp);
	rdmsrl(MSR_STAR, c->star);
	rdmsrl(MSR_LSTAR, c->lstar);
	rdmsrl(MSR_SYSCALL_MASK, c->fmask);
	if (mvm_vmx.cpu2 & VMX_CPU2_RDTSCP)
		rdmsrl(MSR_TSC_AUX, c->tsc_aux);
}

/* Interrupts are off. */
static int enter_operation(void)
{
	struct mvm_cpu *c = this_cpu_ptr(&mvm_cpu);
	int cpu = smp_processor_id();
	struct mvm_vmx_msrs msrs;
	u64 feat_ctl;

	if (__read_cr4() & X86_CR4_VMXE)
		return -EBUSY;

	/* Firmware or Linux may have set up each CPU differently. */
	feat_ctl = read_msr(VMX_MSR_FEAT_CTL);
	if (!(feat_ctl & VMX_FEAT_CTL_LOCKED)) {
		feat_ctl |= VMX_FEAT_CTL_LOCKED | VMX_FEAT_CTL_OUTSIDE_SMX;
		wrmsrl_safe(VMX_MSR_FEAT_CTL, feat_ctl);
		feat_ctl = read_msr(VMX_MSR_FEAT_CTL);
	}
	if (!(feat_ctl & VMX_FEAT_CTL_OUTSIDE_SMX)) {
		pr_err("CPU %d: VT-x is disabled by the firmware on this CPU alone\n", cpu);
		return -EACCES;
	}
	mvm_vmx_read_msrs(&msrs, read_msr);
	if (memcmp(&msrs, &mvm_vmx_msrs, sizeof(msrs))) {
		pr_err("CPU %d: its VMX capabilities differ from those of the others: minivmm needs CPUs that agree\n",
		       cpu);
		return -EIO;
	}
	if ((read_cr0() & msrs.cr0_fixed0) != msrs.cr0_fixed0 ||
	    read_cr0() & ~msrs.cr0_fixed1) {
		pr_err("CPU %d: CR0 0x%lx is not allowed in VMX operation\n",
		       cpu, read_cr0());
		return -EIO;
	}

	remember_host(c);
	/* From here on Intel PT may trace only if the CPU can do both. */
	mvm_compat_intel_pt(1);
	mvm_compat_set_vmxe();
	if ((__read_cr4() & msrs.cr4_fixed0) != msrs.cr4_fixed0 ||
	    enter_root(c->vmxon)) {
		mvm_compat_clear_vmxe();
		mvm_compat_intel_pt(0);
		pr_err("CPU %d: VMXON failed\n", cpu);
		return -EIO;
	}
	c->current_vmcs = NULL;
	WRITE_ONCE(c->on, true);

	/*
	 * SDM Vol. 3, "Operations that Invalidate Cached Mappings": VMXON and
	 * VMXOFF are not among them, and whoever was here before us may have
	 * used the same EPTPs and VPIDs.
	 */
	invalidate(true, VMX_INVEPT_ALL, 0, 0);
	if (mvm_vmx.cpu2 & VMX_CPU2_VPID)
		invalidate(false, VMX_INVVPID_ALL, 0, 0);
	return 0;
}

/* Interrupts are off and no vCPU is loaded here. */
static void leave_operation(void *unused)
{
	struct mvm_cpu *c = this_cpu_ptr(&mvm_cpu);
	struct mvm_vcpu *vcpu, *next;

	if (!c->on)
		return;
	list_for_each_entry_safe(vcpu, next, &c->active, vmx.link)
		mvm_vmx_forget(vcpu);
	WRITE_ONCE(c->on, false);
	leave_root();
	mvm_compat_clear_vmxe();
	mvm_compat_intel_pt(0);
}

static int enter_on(unsigned int cpu)
{
	struct mvm_cpu *c = this_cpu_ptr(&mvm_cpu);
	int ret;

	if (!c->vmxon) {
		c->vmxon = mvm_vmcs_alloc();
		if (!c->vmxon)
			return -ENOMEM;
		INIT_LIST_HEAD(&c->active);
	}
	local_irq_disable();
	ret = READ_ONCE(mvm_vmx_going_down) ? -ESHUTDOWN : enter_operation();
	local_irq_enable();
	return ret;
}

static int leave_on(unsigned int cpu)
{
	local_irq_disable();
	leave_operation(NULL);
	local_irq_enable();
	return 0;
}

/* A crash: this CPU never comes back, so nothing is worth saving. */
static void emergency(void)
{
	if (this_cpu_read(mvm_cpu.on)) {
		leave_root();
		this_cpu_write(mvm_cpu.on, false);
	}
}

/*
 * Modules cannot ask for other modules by name; sysfs knows those that are
 * built in, too.
 */
static bool kvm_intel_is_there(void)
{
	struct path path;

	if (kern_path("/sys/module/kvm_intel", 0, &path))
		return false;
	path_put(&path);
	return true;
}

/* users_lock is held. */
static void update_emergency(void)
{
	bool want = users && !kvm_intel_there;

	if (want == emergency_registered)
		return;
	if (want)
		mvm_compat_register_emergency(emergency);
	else
		mvm_compat_unregister_emergency(emergency);
	emergency_registered = want;
}

/* kvm_intel comes: make room before its own code runs. */
static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct module *m = data;

	if (strcmp(m->name, "kvm_intel"))
		return NOTIFY_DONE;
	mutex_lock(&users_lock);
	if (event == MODULE_STATE_COMING)
		kvm_intel_there = true;
	else if (event == MODULE_STATE_GOING)
		kvm_intel_there = false;
	update_emergency();
	mutex_unlock(&users_lock);
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = {
	.notifier_call = module_event,
};

static void say_who_has_vtx(void)
{
	if (kvm_intel_there)
		pr_err("VT-x is in use by kvm_intel: end its virtual machines, or unload it with `modprobe -r kvm_intel' (from Linux 6.12 on it holds VT-x while loaded, unless booted with kvm.enable_virt_at_load=0)\n");
	else
		pr_err("VT-x is in use by somebody else (CR4.VMXE is set, kvm_intel is not there): unload the other hypervisor, or boot a kernel without it\n");
}

/**
 * mvm_vmx_enable() - one more VM: enter VMX operation if it is the first
 *
 * May sleep.
 *
 * Return: 0; -EBUSY if somebody else has VT-x; -EACCES or -EIO, with the reason
 * in the log, if one CPU refuses; -ENOMEM.
 */
int mvm_vmx_enable(void)
{
	int ret = 0;

	mutex_lock(&users_lock);
	if (!users) {
		ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "x86/minivmm:online",
					enter_on, leave_on);
		if (ret >= 0) {
			hotplug_state = ret;
			ret = 0;
		} else if (ret == -EBUSY) {
			say_who_has_vtx();
		}
	}
	if (!ret) {
		users++;
		update_emergency();
	}
	mutex_unlock(&users_lock);
	return ret;
}

/**
 * mvm_vmx_disable() - one VM less: leave VMX operation if it was the last
 *
 * May sleep. The VM's vCPUs are active nowhere.
 */
void mvm_vmx_disable(void)
{
	mutex_lock(&users_lock);
	if (!--users) {
		cpuhp_remove_state(hotplug_state);
		update_emergency();
	}
	mutex_unlock(&users_lock);
}

/* Suspend: one CPU is left, interrupts are off. */
static int suspend(MVM_SYSCORE_ARG)
{
	leave_operation(NULL);
	return 0;
}

static void resume(MVM_SYSCORE_ARG)
{
	/* Not "on": there was no VM, or users_lock's holder will see to it. */
	if (users && hotplug_state && !this_cpu_read(mvm_cpu.on))
		WARN_ON(enter_operation());
	atomic_inc(&mvm_clock_resumes);
}

MVM_SYSCORE(syscore, suspend, resume);

static void kick(void *unused)
{
}

static int reboot(struct notifier_block *nb, unsigned long event, void *unused)
{
	int cpu;

	WRITE_ONCE(mvm_vmx_going_down, true);
	on_each_cpu(kick, NULL, 1);
	for_each_possible_cpu(cpu) {
		/* Pairs with smp_store_release() in detached(). */
		while (smp_load_acquire(&per_cpu(mvm_cpu, cpu).attached))
			schedule_timeout_uninterruptible(1);
	}
	on_each_cpu(leave_operation, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = reboot,
	/* Before others that might reset the machine. */
	.priority = INT_MAX,
};

static void check_cpu(void *differing)
{
	struct mvm_vmx_msrs msrs;

	mvm_vmx_read_msrs(&msrs, read_msr);
	if (memcmp(&msrs, &mvm_vmx_msrs, sizeof(msrs)))
		atomic_set(differing, smp_processor_id() + 1);
}

static int check_platform(void)
{
	u32 vendor = boot_cpu_data.x86_vendor;
	bool cpuid_vmx = cpuid_ecx(1) & BIT(5);
	struct mvm_vmx_platform p = {
		.intel = vendor == X86_VENDOR_INTEL ||
			 vendor == X86_VENDOR_CENTAUR ||
			 vendor == X86_VENDOR_ZHAOXIN,
		.vmx = cpuid_vmx,
		.vmx_cleared = cpuid_vmx && !boot_cpu_has(X86_FEATURE_VMX),
		.kernel_has_kvm_intel = IS_ENABLED(CONFIG_KVM_INTEL),
		.kernel_lends_vtx = MVM_KERNEL_LENDS_VTX,
		.fred = mvm_compat_fred(),
		.hypervisor = boot_cpu_has(X86_FEATURE_HYPERVISOR),
	};
	const char *why;
	int ret;

	if (p.intel && p.vmx)
		p.feat_ctl = read_msr(VMX_MSR_FEAT_CTL);
	ret = mvm_vmx_check_platform(&p, &why);
	if (ret)
		pr_err("cannot use VT-x: %s\n", why);
	return ret;
}

/**
 * mvm_vmx_show_capability() - MINIVMM_GET_CAPABILITY
 * @capability: filled
 */
void mvm_vmx_show_capability(struct minivmm_capability *capability)
{
	unsigned int i;

	memset(capability, 0, sizeof(*capability));
	for (i = 0; i < MVM_NR_CONTROL_WORDS; i++)
		capability->used[i] = mvm_vmx_used(&mvm_vmx, i);
	for (i = 0; i < MINIVMM_NR_VMX_MSRS; i++)
		if (!rdmsrl_safe(MINIVMM_MSR_VMX_BASIC + i, &capability->msr[i]))
			capability->exists |= BIT(i);
}

/**
 * mvm_vmx_init() - decide whether and how VT-x is used; does not enter it
 * @options: what the administrator switched off; set to what is really used
 *
 * Context: module load.
 *
 * Return: 0, or an errno with its reason in the log.
 */
int mvm_vmx_init(struct mvm_vmx_options *options)
{
	const char *missing, *reason;
	atomic_t differing = ATOMIC_INIT(0);
	int ret;

	ret = check_platform();
	if (ret)
		return ret;
	mvm_vmx_read_msrs(&mvm_vmx_msrs, read_msr);
	ret = mvm_vmx_negotiate(&mvm_vmx_msrs, options, &mvm_vmx, &missing, &reason);
	if (ret) {
		pr_err("this CPU's VT-x lacks \"%s\" (%s): use a newer CPU, or the lab (make lab)\n",
		       missing, reason);
		return ret;
	}
	options->vpid = mvm_vmx.cpu2 & VMX_CPU2_VPID;
	options->eptad = mvm_vmx.ept_ad;
	options->pml = mvm_vmx.cpu2 & VMX_CPU2_PML;
	options->flexpriority = mvm_vmx.cpu & VMX_CPU_TPR_SHADOW;
	options->apicv = mvm_vmx.cpu2 & VMX_CPU2_INTERRUPT_DELIVERY;
	if (!(mvm_vmx.cpu2 & VMX_CPU2_PAUSE_LOOP))
		options->ple_gap = 0;
	on_each_cpu(check_cpu, &differing, 1);
	if (atomic_read(&differing)) {
		pr_err("CPU %d: its VMX capabilities differ from those of CPU %d: minivmm needs CPUs that agree\n",
		       atomic_read(&differing) - 1, raw_smp_processor_id());
		return -EIO;
	}

	mvm_cpuid_limits_init(&mvm_cpuid_limits, mvm_host_cpuid, mvm_fpu_supported_xcr0());
	mvm_cpuid_limits.rdtscp = mvm_vmx.cpu2 & VMX_CPU2_RDTSCP;
	mvm_cpuid_limits.invpcid = mvm_vmx.cpu2 & VMX_CPU2_INVPCID;
	/* MOV to CR4 and MOV to CR3 with PCIDs do not exit, the CPU does it all. */
	mvm_cpuid_limits.pcid = true;

	ret = mvm_vmx_mitigation_init();
	if (ret)
		return ret;
	ret = register_reboot_notifier(&reboot_notifier);
	if (ret) {
		mvm_vmx_mitigation_exit();
		return ret;
	}
	mvm_compat_register_syscore(&syscore);
	register_module_notifier(&module_notifier);
	kvm_intel_there = kvm_intel_is_there();
	return 0;
}

/**
 * mvm_vmx_exit() - undo mvm_vmx_init()
 *
 * Context: module unload; there is no VM any more.
 */
void mvm_vmx_exit(void)
{
	int cpu;

	unregister_module_notifier(&module_notifier);
	mvm_compat_unregister_syscore(&syscore);
	unregister_reboot_notifier(&reboot_notifier);
	mvm_vmx_mitigation_exit();
	for_each_possible_cpu(cpu)
		mvm_vmcs_free(per_cpu(mvm_cpu, cpu).vmxon);
}

/**
 * mvm_vmx_ept_features() - what memory/ may use in its EPT entries
 * @features: filled in
 */
void mvm_vmx_ept_features(struct mvm_ept_features *features)
{
	*features = (struct mvm_ept_features) {
		.ad = mvm_vmx.ept_ad,
		.pml = mvm_vmx.cpu2 & VMX_CPU2_PML,
		.page_2m = mvm_vmx.ept_2m,
		.page_1g = mvm_vmx.ept_1g,
		.exec_huge = !mvm_vmx_itlb_multihit(),
	};
}
