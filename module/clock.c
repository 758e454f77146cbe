// SPDX-License-Identifier: GPL-2.0
/*
 * kvmclock. A guest names a page for each of its vCPUs; the module writes there what
 * the time was at some value of the vCPU's TSC, and how fast that counts. The guest
 * does the rest: Linux's Documentation/virt/kvm/x86/msr.rst.
 *
 * As long as the host's TSCs are in step, all pages of a VM tell of the same moment,
 * and need to be written again only when somebody sets a clock or a TSC. If they are
 * not, a page is written for the CPU that its vCPU runs on, each time it comes to one.
 *
 * Pages are written before a VM entry, by the vCPU whose page it is
 * (MVM_PENDING_CLOCK); others ask it to (MVM_EVENT_CLOCK). The host's time is the one
 * that nobody adjusts, with the time that the machine slept: KVM's.
 */
#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <asm/barrier.h>
#include <asm/msr.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>

#include "mvm.h"
#include "vmx/vmx.h"

#define ENABLED		BIT_ULL(0)

atomic_t mvm_clock_resumes = ATOMIC_INIT(0);

static u64 host_ns(void)
{
	return ktime_to_ns(ktime_mono_to_any(ktime_get_raw(), TK_OFFS_BOOT));
}

/* Note what the time is now. The clock's lock is held. */
static void sample(struct mvm_clock *clock)
{
	unsigned long flags;

	/* Nothing may come between the two. */
	local_irq_save(flags);
	clock->tsc = rdtsc_ordered();
	clock->ns = host_ns();
	local_irq_restore(flags);
	clock->resumes = atomic_read(&mvm_clock_resumes);
}

/* The moment to count from. Return: a copy; without what a TSC can tell if @anew. */
static struct mvm_clock moment(struct mvm_clock *clock, bool anew)
{
	struct mvm_clock copy;

	spin_lock(&clock->lock);
	if (anew || clock->resumes != atomic_read(&mvm_clock_resumes))
		sample(clock);
	copy = *clock;
	spin_unlock(&clock->lock);
	return copy;
}

/* The VM's time at a value of the host's TSC; from @ns on, if TSCs tell nothing */
static u64 time_at(const struct mvm_clock *clock, u64 tsc)
{
	return clock->ns + clock->offset +
	       mvm_clock_ns(clock->rate, tsc - clock->tsc);
}

/* Are the vCPUs' TSCs in step, so that any page is as good as any other? */
static bool in_step(struct mvm_vm *vm)
{
	struct mvm_vcpu *vcpu, *first = NULL;
	unsigned long id;

	if (check_tsc_unstable() || READ_ONCE(vm->clock.old_msr))
		return false;
	xa_for_each(&vm->vcpus, id, vcpu) {
		if (!first)
			first = vcpu;
		if (READ_ONCE(vcpu->clock.tsc_offset) != READ_ONCE(first->clock.tsc_offset))
			return false;
	}
	return first;
}

/**
 * mvm_clock_init() - a new VM's clock begins at 0
 * @vm: the VM
 */
void mvm_clock_init(struct mvm_vm *vm)
{
	spin_lock_init(&vm->clock.lock);
	vm->clock.rate = mvm_clock_rate(tsc_khz);
	spin_lock(&vm->clock.lock);
	sample(&vm->clock);
	vm->clock.offset = -vm->clock.ns;
	spin_unlock(&vm->clock.lock);
}

/**
 * mvm_clock_changed() - all vCPUs' pages are to be written again
 * @vm: the VM
 *
 * Context: any but hard interrupts.
 */
void mvm_clock_changed(struct mvm_vm *vm)
{
	struct mvm_vcpu *vcpu;
	unsigned long id;

	xa_for_each(&vm->vcpus, id, vcpu)
		if (READ_ONCE(vcpu->clock.system_time) & ENABLED)
			mvm_apic_post(vcpu, MVM_EVENT_CLOCK);
}

/**
 * mvm_clock_loaded() - the vCPU comes to a CPU
 * @vcpu: attached
 * @moved: it was on another one
 */
void mvm_clock_loaded(struct mvm_vcpu *vcpu, bool moved)
{
	int resumes = atomic_read(&mvm_clock_resumes);

	if (likely(vcpu->clock.resumes == resumes && !(moved && check_tsc_unstable())))
		return;
	vcpu->clock.resumes = resumes;
	vcpu->pending |= MVM_PENDING_CLOCK;
}

/*
 * The version is odd while the rest is not complete. Where the guest has no memory
 * nothing is written.
 */
static void write_page(struct mvm_vcpu *vcpu, u64 gpa, const struct mvm_clock *clock,
		       bool stable)
{
	struct mvm_memory *memory = &vcpu->vm->memory;
	struct pvclock_vcpu_time_info info;

	if (mvm_memory_read(memory, gpa, &info, sizeof(info)))
		return;
	/* What the guest has not seen of it yet stays. */
	info.flags &= PVCLOCK_GUEST_STOPPED;
	if (vcpu->clock.stopped)
		info.flags |= PVCLOCK_GUEST_STOPPED;
	if (stable)
		info.flags |= PVCLOCK_TSC_STABLE_BIT;
	info.version = (info.version + 1) | 1;
	info.tsc_timestamp = clock->tsc + vcpu->clock.tsc_offset;
	info.system_time = clock->ns + clock->offset;
	info.tsc_to_system_mul = clock->rate.multiplier;
	info.tsc_shift = clock->rate.shift;
	if (mvm_memory_write(memory, gpa, &info.version, sizeof(info.version)))
		return;
	/* The guest's other vCPUs may read it: first the odd version, ... */
	smp_wmb();
	if (mvm_memory_write(memory, gpa + sizeof(info.version), &info.pad0,
			     sizeof(info) - sizeof(info.version)))
		return;
	/* ... then what it is about, then the even one. */
	smp_wmb();
	info.version++;
	if (!mvm_memory_write(memory, gpa, &info.version, sizeof(info.version)))
		vcpu->clock.stopped = false;
}

/* What the time of day was when the clock was at 0; the version as above */
static void write_wall_clock(struct mvm_vcpu *vcpu, u64 gpa, const struct mvm_clock *clock)
{
	struct mvm_memory *memory = &vcpu->vm->memory;
	struct pvclock_wall_clock wall;
	u64 ns = ktime_get_real_ns() - time_at(clock, rdtsc_ordered());
	u32 rest;

	if (mvm_memory_read(memory, gpa, &wall.version, sizeof(wall.version)))
		return;
	wall.version = (wall.version + 1) | 1;
	if (mvm_memory_write(memory, gpa, &wall.version, sizeof(wall.version)))
		return;
	wall.sec = div_u64_rem(ns, NSEC_PER_SEC, &rest);
	wall.nsec = rest;
	/* As in write_page() */
	smp_wmb();
	if (mvm_memory_write(memory, gpa, &wall, sizeof(wall)))
		return;
	/* As in write_page() */
	smp_wmb();
	wall.version++;
	(void)mvm_memory_write(memory, gpa, &wall.version, sizeof(wall.version));
}

/**
 * mvm_clock_update() - write what the guest is to find: MVM_PENDING_CLOCK
 * @vcpu: loaded; it is put
 *
 * Context: the owner's address space. May sleep.
 *
 * Return: MVM_RESUME.
 */
int mvm_clock_update(struct mvm_vcpu *vcpu)
{
	u64 gpa = vcpu->clock.system_time & ~ENABLED;
	struct mvm_clock now;

	vcpu->pending &= ~MVM_PENDING_CLOCK;
	now = moment(&vcpu->vm->clock, check_tsc_unstable());
	mvm_vmx_put(vcpu);
	if (vcpu->clock.wall_clock)
		write_wall_clock(vcpu, vcpu->clock.wall_clock, &now);
	vcpu->clock.wall_clock = 0;
	/* As KVM: it must not cross a page. */
	if (vcpu->clock.system_time & ENABLED &&
	    offset_in_page(gpa) + sizeof(struct pvclock_vcpu_time_info) <= PAGE_SIZE)
		write_page(vcpu, gpa, &now, in_step(vcpu->vm));
	return MVM_RESUME;
}

/**
 * mvm_clock_get() - KVM_GET_CLOCK
 * @vm: the VM
 * @user: struct kvm_clock_data
 *
 * Return: 0 or -EFAULT.
 */
int mvm_clock_get(struct mvm_vm *vm, struct kvm_clock_data __user *user)
{
	bool stable = in_step(vm);
	struct mvm_clock clock = moment(&vm->clock, check_tsc_unstable());
	struct kvm_clock_data data = { };
	unsigned long flags;

	local_irq_save(flags);
	data.host_tsc = rdtsc_ordered();
	data.realtime = ktime_get_real_ns();
	local_irq_restore(flags);
	data.clock = time_at(&clock, data.host_tsc);
	if (stable) {
		data.flags = KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	} else {
		data.host_tsc = 0;
		data.realtime = 0;
	}
	return copy_to_user(user, &data, sizeof(data)) ? -EFAULT : 0;
}

/**
 * mvm_clock_set() - KVM_SET_CLOCK
 * @vm: the VM
 * @user: struct kvm_clock_data
 *
 * With KVM_CLOCK_REALTIME the clock goes on as if it had run since it was read.
 *
 * Return: 0; -EINVAL for an unknown flag, -EFAULT.
 */
int mvm_clock_set(struct mvm_vm *vm, const struct kvm_clock_data __user *user)
{
	struct kvm_clock_data data;
	u64 realtime;

	if (copy_from_user(&data, user, sizeof(data)))
		return -EFAULT;
	if (data.flags & ~MVM_CLOCK_FLAGS)
		return -EINVAL;
	if (data.flags & KVM_CLOCK_REALTIME) {
		realtime = ktime_get_real_ns();
		if (realtime > data.realtime)
			data.clock += realtime - data.realtime;
	}
	spin_lock(&vm->clock.lock);
	sample(&vm->clock);
	vm->clock.offset = data.clock - vm->clock.ns;
	spin_unlock(&vm->clock.lock);
	mvm_clock_changed(vm);
	return 0;
}

/**
 * mvm_clock_stopped() - KVM_KVMCLOCK_CTRL: the guest must not think that it hangs
 * @vcpu: the vCPU, its mutex held
 *
 * Return: 0, or -EINVAL if it has no page.
 */
int mvm_clock_stopped(struct mvm_vcpu *vcpu)
{
	if (!(vcpu->clock.system_time & ENABLED))
		return -EINVAL;
	vcpu->clock.stopped = true;
	vcpu->pending |= MVM_PENDING_CLOCK;
	return 0;
}

/**
 * mvm_clock_set_system_time() - WRMSR of MSR_KVM_SYSTEM_TIME
 * @vcpu: the vCPU, its mutex held
 * @value: where its page is, and bit 0
 * @old_msr: through the older of the two MSRs
 * @host: user space does it
 */
void mvm_clock_set_system_time(struct mvm_vcpu *vcpu, u64 value, bool old_msr, bool host)
{
	struct mvm_clock *clock = &vcpu->vm->clock;

	/* Guests that know only that one do not know of TSCs in step either. */
	if (!vcpu->id && !host && READ_ONCE(clock->old_msr) != old_msr) {
		WRITE_ONCE(clock->old_msr, old_msr);
		mvm_clock_changed(vcpu->vm);
	}
	WRITE_ONCE(vcpu->clock.system_time, value);
	vcpu->pending |= MVM_PENDING_CLOCK;
}

/**
 * mvm_clock_set_wall_clock() - WRMSR of MSR_KVM_WALL_CLOCK
 * @vcpu: the vCPU, its mutex held
 * @value: where the time of day is to be written before it goes on
 */
void mvm_clock_set_wall_clock(struct mvm_vcpu *vcpu, u64 value)
{
	WRITE_ONCE(vcpu->vm->clock.wall_clock, value);
	vcpu->clock.wall_clock = value;
	vcpu->pending |= MVM_PENDING_CLOCK;
}
