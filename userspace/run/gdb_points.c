// SPDX-License-Identifier: GPL-2.0
/*
 * Breakpoints, watchpoints and steps by KVM_SET_GUEST_DEBUG, and the guest's memory
 * as gdb sees it: with linear addresses, and without our INT3s.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "gdb_points.h"

#define INT3		0xcc

#define VECTOR_DB	1
#define VECTOR_BP	3

/* DR6 and DR7: SDM Vol. 3, "Debug Registers" (2024: 18.2). */
#define DR6_BS		BIT(14)
#define DR7_ENABLE(n)	(BIT(1) << 2 * (n))
#define DR7_EXACT	(BIT(9) | BIT(10))
#define DR7_SHIFT(n)	(16 + 4 * (n))

/* Where a linear address leads; false if nowhere. */
static bool translate(struct gdb_points *points, unsigned int vcpu, __u64 linear,
		      __u64 *physical)
{
	struct kvm_translation translation = { .linear_address = linear };

	if (ioctl(points->machine->vcpus[vcpu].fd, KVM_TRANSLATE, &translation) ||
	    !translation.valid)
		return false;
	*physical = translation.physical_address;
	return true;
}

/* The guest's byte is what is behind an INT3 of ours. */
static void hide(struct gdb_points *points, __u64 physical, __u8 *bytes, size_t size,
		 bool write)
{
	struct gdb_int3 *at;
	unsigned int i;

	for (i = 0; i < points->software_count; i++) {
		at = &points->software[i];
		if (at->physical < physical || at->physical - physical >= size)
			continue;
		if (write) {
			at->byte = bytes[at->physical - physical];
			*machine_memory(points->machine, at->physical, 1) = INT3;
		} else {
			bytes[at->physical - physical] = at->byte;
		}
	}
}

/**
 * gdb_memory() - read or write the guest's memory
 * @points: breakpoints that are in it
 * @vcpu: whose page tables are meant
 * @address: linear
 * @bytes: to or from where
 * @size: how many
 * @write: to the guest
 *
 * Return: how many could be, or -EFAULT for none.
 */
int gdb_memory(struct gdb_points *points, unsigned int vcpu, __u64 address, void *bytes,
	       size_t size, bool write)
{
	__u64 physical;
	size_t done, part;
	__u8 *memory;

	for (done = 0; done < size; done += part) {
		part = PAGE_SIZE - (address + done) % PAGE_SIZE;
		if (part > size - done)
			part = size - done;
		if (!translate(points, vcpu, address + done, &physical))
			break;
		memory = machine_memory(points->machine, physical, part);
		if (!memory)
			break;
		if (write)
			memcpy(memory, bytes + done, part);
		else
			memcpy(bytes + done, memory, part);
		hide(points, physical, bytes + done, part, write);
	}
	return done || !size ? (int)done : -EFAULT;
}

static int insert_int3(struct gdb_points *points, unsigned int vcpu, __u64 address)
{
	struct gdb_int3 *at = &points->software[points->software_count];
	unsigned int i;
	__u8 *memory;

	for (i = 0; i < points->software_count; i++)
		if (points->software[i].linear == address)
			return 0;
	if (points->software_count == GDB_SOFTWARE_MAX)
		return -ENOSPC;
	if (!translate(points, vcpu, address, &at->physical))
		return -EFAULT;
	memory = machine_memory(points->machine, at->physical, 1);
	if (!memory)
		return -EFAULT;
	/* A second one there, by another address, would take ours for the guest's. */
	gdb_memory(points, vcpu, address, &at->byte, 1, false);
	at->linear = address;
	*memory = INT3;
	points->software_count++;
	return 0;
}

static int remove_int3(struct gdb_points *points, __u64 address)
{
	struct gdb_int3 *at = points->software;
	unsigned int i, others = 0;
	__u8 *memory;

	while (at < points->software + points->software_count && at->linear != address)
		at++;
	if (at == points->software + points->software_count)
		return 0;
	for (i = 0; i < points->software_count; i++)
		others += points->software[i].physical == at->physical;
	memory = machine_memory(points->machine, at->physical, 1);
	/* The guest may have written something else there since. */
	if (others == 1 && *memory == INT3)
		*memory = at->byte;
	*at = points->software[--points->software_count];
	return 0;
}

static int find_hardware(struct gdb_points *points, enum gdb_point point, __u64 address,
			 unsigned int size)
{
	unsigned int i;

	for (i = 0; i < GDB_HARDWARE_MAX; i++)
		if (points->hardware_used & BIT(i) && points->hardware[i].point == point &&
		    points->hardware[i].address == address && points->hardware[i].size == size)
			return i;
	return -1;
}

static int insert_hardware(struct gdb_points *points, enum gdb_point point, __u64 address,
			   unsigned int size)
{
	unsigned int i;

	if (point == GDB_HARDWARE)
		size = 1;
	if ((size != 1 && size != 2 && size != 4 && size != 8) || address % size)
		return -EINVAL;
	if (find_hardware(points, point, address, size) >= 0)
		return 0;
	for (i = 0; i < GDB_HARDWARE_MAX; i++)
		if (!(points->hardware_used & BIT(i)))
			break;
	if (i == GDB_HARDWARE_MAX)
		return -ENOSPC;
	points->hardware[i].point = point;
	points->hardware[i].address = address;
	points->hardware[i].size = size;
	points->hardware_used |= BIT(i);
	return 0;
}

/**
 * gdb_insert() - a breakpoint or watchpoint more
 * @points: those that there are; one that is there already is no error
 * @vcpu: whose page tables are meant
 * @point: its kind
 * @address: linear
 * @size: of what is watched
 *
 * Return: 0, -EFAULT for no memory, -ENOSPC for too many, -EINVAL for a size or an
 * alignment that the processor does not have.
 */
int gdb_insert(struct gdb_points *points, unsigned int vcpu, enum gdb_point point,
	       __u64 address, unsigned int size)
{
	if (point == GDB_SOFTWARE)
		return insert_int3(points, vcpu, address);
	return insert_hardware(points, point, address, size);
}

/**
 * gdb_remove() - one less
 * @points: those that there are; one that is not there is no error
 * @point: its kind
 * @address: linear
 * @size: of what is watched
 *
 * Return: 0.
 */
int gdb_remove(struct gdb_points *points, enum gdb_point point, __u64 address,
	       unsigned int size)
{
	int found;

	if (point == GDB_SOFTWARE)
		return remove_int3(points, address);
	found = find_hardware(points, point, address, point == GDB_HARDWARE ? 1 : size);
	if (found >= 0)
		points->hardware_used &= ~BIT(found);
	return 0;
}

/**
 * gdb_remove_all() - gdb is gone
 * @points: those that there are
 */
void gdb_remove_all(struct gdb_points *points)
{
	while (points->software_count)
		remove_int3(points, points->software[0].linear);
	points->hardware_used = 0;
}

static __u64 dr7_of(const struct gdb_points *points)
{
	static const __u8 lengths[] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };
	static const __u8 types[] = { [GDB_HARDWARE] = 0, [GDB_WRITE] = 1, [GDB_ACCESS] = 3 };
	__u64 dr7 = DR7_EXACT;
	unsigned int i;

	for (i = 0; i < GDB_HARDWARE_MAX; i++)
		if (points->hardware_used & BIT(i))
			dr7 |= DR7_ENABLE(i) |
			       (__u64)(types[points->hardware[i].point] |
				       lengths[points->hardware[i].size] << 2) << DR7_SHIFT(i);
	return dr7;
}

/**
 * gdb_apply() - tell a vCPU what it is to stop at, before it goes on
 * @points: what there is
 * @vcpu: not in KVM_RUN
 * @step: stop also after one instruction, and take no interrupt before
 *
 * Return: 0 or a negative errno.
 */
int gdb_apply(struct gdb_points *points, unsigned int vcpu, bool step)
{
	struct kvm_guest_debug *debug = &points->debug[vcpu];
	__u32 old = debug->control;
	unsigned int i;

	*debug = (struct kvm_guest_debug) { 0 };
	if (points->software_count)
		debug->control |= KVM_GUESTDBG_USE_SW_BP;
	if (points->hardware_used) {
		debug->control |= KVM_GUESTDBG_USE_HW_BP;
		for (i = 0; i < GDB_HARDWARE_MAX; i++)
			debug->arch.debugreg[i] = points->hardware[i].address;
		debug->arch.debugreg[7] = dr7_of(points);
	}
	if (step)
		debug->control |= KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_BLOCKIRQ;
	if (debug->control)
		debug->control |= KVM_GUESTDBG_ENABLE;
	if (!debug->control && !old)
		return 0;
	return ioctl(points->machine->vcpus[vcpu].fd, KVM_SET_GUEST_DEBUG, debug) ? -errno : 0;
}

/* The guest's own breakpoint or step: it gets the exception. */
static void inject(struct gdb_points *points, struct vcpu *vcpu, __u32 flag)
{
	struct kvm_guest_debug debug = points->debug[vcpu->index];

	debug.control |= KVM_GUESTDBG_ENABLE | flag;
	ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
}

static bool is_ours(struct gdb_points *points, struct vcpu *vcpu, __u64 linear)
{
	__u64 physical;
	unsigned int i;

	if (!translate(points, vcpu->index, linear, &physical))
		return false;
	for (i = 0; i < points->software_count; i++)
		if (points->software[i].physical == physical)
			return true;
	return false;
}

static bool at_hardware(struct gdb_points *points, __u64 dr6, struct gdb_stop *stop)
{
	unsigned int i;

	for (i = 0; i < GDB_HARDWARE_MAX; i++) {
		if (!(dr6 & points->hardware_used & BIT(i)))
			continue;
		stop->by_point = true;
		stop->point = points->hardware[i].point;
		stop->address = points->hardware[i].address;
		return true;
	}
	return false;
}

/**
 * gdb_is_stop() - a vCPU left KVM_RUN with KVM_EXIT_DEBUG
 * @points: what there is
 * @vcpu: the vCPU, whose own thread calls
 * @stop: to be filled
 *
 * Return: false if it was nothing of gdb's. The guest is told then, and goes on.
 */
bool gdb_is_stop(struct gdb_points *points, struct vcpu *vcpu, struct gdb_stop *stop)
{
	const struct kvm_debug_exit_arch *exit = &vcpu->run->debug.arch;

	*stop = (struct gdb_stop) { .signal = GDB_SIGTRAP };
	if (exit->exception == VECTOR_BP) {
		stop->by_point = true;
		stop->point = GDB_SOFTWARE;
		if (is_ours(points, vcpu, exit->pc))
			return true;
		inject(points, vcpu, KVM_GUESTDBG_INJECT_BP);
		return false;
	}
	if (at_hardware(points, exit->dr6, stop))
		return true;
	if (points->debug[vcpu->index].control & KVM_GUESTDBG_SINGLESTEP)
		return true;
	inject(points, vcpu, KVM_GUESTDBG_INJECT_DB);
	return false;
}
