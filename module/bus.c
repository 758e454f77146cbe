// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses to devices that do not wait for user space. A device in the kernel
 * answers reads and writes; KVM_IOEVENTFD makes a write signal an eventfd,
 * KVM_REGISTER_COALESCED_MMIO puts it into a ring that user space reads when it
 * comes by.
 *
 * Devices are few, and there until the VM ends: a chain that only grows.
 *
 * A list of listeners never changes: a new one takes its place, and the old one
 * goes when no vCPU looks at it any more (RCU). A VM without listeners has no
 * list, which is all that a write to a device then looks at.
 */
#include <linux/eventfd.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "mvm.h"

/* KVM's NR_IOBUS_DEVS: coalesced zones on one bus */
#define MAX_ZONES	1000

/**
 * struct listener - an eventfd or a coalesced zone
 * @addr: its address
 * @size: bytes; for an eventfd the length of a write, or 0 for any
 * @eventfd: with a reference; NULL for a zone
 * @match: only a write of @data signals
 * @data: see there
 */
struct listener {
	u64 addr;
	u32 size;
	bool match;
	u64 data;
	struct eventfd_ctx *eventfd;
};

/**
 * struct mvm_listeners - all listeners of one kind
 * @rcu: frees it
 * @nr: how many
 * @nr_events: how many of them are eventfds
 * @listener: the eventfds, by address; then the zones
 */
struct mvm_listeners {
	struct rcu_head rcu;
	u32 nr;
	u32 nr_events;
	struct listener listener[];
};

/* The first eventfd that is not below @addr */
static u32 first_event(const struct mvm_listeners *bus, u64 addr)
{
	u32 low = 0, high = bus->nr_events;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (bus->listener[middle].addr < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool event_hears(const struct listener *l, u32 len, const void *data)
{
	u64 value = 0;

	if (!l->size)
		return true;
	if (l->size != len)
		return false;
	if (!l->match)
		return true;
	/* x86 is little-endian; sizes are 1, 2, 4 and 8. */
	memcpy(&value, data, len);
	return value == l->data;
}

/* The whole range is in the zone, and neither wraps. */
static bool zone_has(const struct listener *l, u64 addr, u32 len)
{
	return addr >= l->addr && addr + len >= addr && addr + len <= l->addr + l->size;
}

/*
 * The ring is shared with user space: what it says may be wrong. Return: false
 * if it is full.
 */
static bool put_into_ring(struct mvm_vm *vm, u64 addr, u32 len, const void *data, bool pio)
{
	struct kvm_coalesced_mmio_ring *ring = page_address(vm->ring);
	struct kvm_coalesced_mmio *entry;
	u32 last, next;
	bool room;

	spin_lock(&vm->ring_lock);
	last = READ_ONCE(ring->last);
	next = (last + 1) % KVM_COALESCED_MMIO_MAX;
	room = last < KVM_COALESCED_MMIO_MAX && next != READ_ONCE(ring->first);
	if (room) {
		entry = &ring->coalesced_mmio[last];
		entry->phys_addr = addr;
		entry->len = len;
		memcpy(entry->data, data, len);
		entry->pio = pio;
		/* Who sees the new end sees the entry. */
		smp_store_release(&ring->last, next);
	}
	spin_unlock(&vm->ring_lock);
	return room;
}

static struct mvm_bus_device *find_device(struct mvm_vm *vm, enum mvm_bus_kind kind,
					  u64 addr, u32 len)
{
	struct mvm_bus_device *d;

	/* Pairs with the release in mvm_bus_add_device(). */
	for (d = smp_load_acquire(&vm->devices[kind]); d; d = d->next)
		if (addr >= d->addr && addr - d->addr < d->len &&
		    len <= d->len - (addr - d->addr))
			return d;
	return NULL;
}

/**
 * mvm_bus_add_device() - a device in the kernel answers from now on
 * @vm: the VM, its lock held
 * @kind: where it is
 * @device: filled in; stays until nobody uses the VM any more
 *
 * Where two overlap the last one answers.
 */
void mvm_bus_add_device(struct mvm_vm *vm, enum mvm_bus_kind kind,
			struct mvm_bus_device *device)
{
	lockdep_assert_held(&vm->lock);
	device->next = vm->devices[kind];
	/* Who finds it finds it filled in. */
	smp_store_release(&vm->devices[kind], device);
}

/**
 * mvm_bus_read() - a guest reads from a device
 * @vm: the VM
 * @kind: where
 * @addr: the address, or the port
 * @len: 1 to 8 bytes
 * @data: where they go
 *
 * As mvm_bus_write().
 *
 * Return: a device in the kernel has answered.
 */
bool mvm_bus_read(struct mvm_vm *vm, enum mvm_bus_kind kind, u64 addr, u32 len, void *data)
{
	struct mvm_bus_device *device = find_device(vm, kind, addr, len);

	return device && device->read(device, addr, len, data);
}

/**
 * mvm_bus_write() - a guest writes to a device
 * @vm: the VM
 * @kind: where
 * @addr: the address, or the port
 * @len: 1 to 8 bytes
 * @data: what is written
 *
 * Ask mvm_vm_listens() first. Any context but interrupts; does not sleep.
 *
 * Return: somebody took it, and user space need not see it.
 */
bool mvm_bus_write(struct mvm_vm *vm, enum mvm_bus_kind kind, u64 addr, u32 len,
		   const void *data)
{
	struct mvm_bus_device *device = find_device(vm, kind, addr, len);
	const struct mvm_listeners *bus;
	bool done = false;
	u32 i;

	if (device && device->write(device, addr, len, data))
		return true;
	rcu_read_lock();
	bus = rcu_dereference(vm->bus[kind]);
	if (!bus)
		goto unlock;
	for (i = first_event(bus, addr);
	     i < bus->nr_events && bus->listener[i].addr == addr; i++) {
		done = event_hears(&bus->listener[i], len, data);
		if (done) {
			mvm_compat_eventfd_signal(bus->listener[i].eventfd);
			goto unlock;
		}
	}
	for (i = bus->nr_events; i < bus->nr && !done; i++)
		done = zone_has(&bus->listener[i], addr, len) &&
		       put_into_ring(vm, addr, len, data, kind == MVM_BUS_PIO);
unlock:
	rcu_read_unlock();
	return done;
}

static struct mvm_listeners *bus_of(struct mvm_vm *vm, enum mvm_bus_kind kind)
{
	return rcu_dereference_protected(vm->bus[kind], lockdep_is_held(&vm->lock));
}

/* Add @new as number @at. Return: 0 or -ENOMEM. */
static int add(struct mvm_vm *vm, enum mvm_bus_kind kind, u32 at, const struct listener *new)
{
	struct mvm_listeners *old = bus_of(vm, kind), *bus;
	u32 nr = old ? old->nr : 0;

	bus = kvmalloc(struct_size(bus, listener, nr + 1), GFP_KERNEL_ACCOUNT);
	if (!bus)
		return -ENOMEM;
	bus->nr = nr + 1;
	bus->nr_events = (old ? old->nr_events : 0) + !!new->eventfd;
	if (old) {
		memcpy(bus->listener, old->listener, at * sizeof(*new));
		memcpy(bus->listener + at + 1, old->listener + at,
		       (nr - at) * sizeof(*new));
	}
	bus->listener[at] = *new;
	rcu_assign_pointer(vm->bus[kind], bus);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/* Take @count from number @at on out; nobody uses them any more. */
static int take_out(struct mvm_vm *vm, enum mvm_bus_kind kind, u32 at, u32 count)
{
	struct mvm_listeners *old = bus_of(vm, kind), *bus = NULL;
	u32 nr = old->nr - count;

	if (nr) {
		bus = kvmalloc(struct_size(bus, listener, nr), GFP_KERNEL_ACCOUNT);
		if (!bus)
			return -ENOMEM;
		bus->nr = nr;
		bus->nr_events = old->nr_events - (at < old->nr_events ? count : 0);
		memcpy(bus->listener, old->listener, at * sizeof(*old->listener));
		memcpy(bus->listener + at, old->listener + at + count,
		       (nr - at) * sizeof(*old->listener));
	}
	rcu_assign_pointer(vm->bus[kind], bus);
	synchronize_rcu_expedited();
	kvfree(old);
	return 0;
}

/* --- Eventfds ------------------------------------------------------------------ */

/* Would a write make both signal? */
static bool collide(const struct listener *a, const struct listener *b)
{
	return a->addr == b->addr &&
	       (!a->size || !b->size ||
		(a->size == b->size && (!a->match || !b->match || a->data == b->data)));
}

static int assign(struct mvm_vm *vm, enum mvm_bus_kind kind, const struct listener *new)
{
	const struct mvm_listeners *bus = bus_of(vm, kind);
	u32 at = 0;

	if (bus) {
		for (at = first_event(bus, new->addr);
		     at < bus->nr_events && bus->listener[at].addr == new->addr; at++)
			if (collide(&bus->listener[at], new))
				return -EEXIST;
	}
	return add(vm, kind, at, new);
}

static int deassign(struct mvm_vm *vm, enum mvm_bus_kind kind, const struct listener *which)
{
	const struct mvm_listeners *bus = bus_of(vm, kind);
	const struct listener *l;
	u32 at;
	int ret;

	if (!bus)
		return -ENOENT;
	for (at = first_event(bus, which->addr); at < bus->nr_events; at++) {
		l = &bus->listener[at];
		if (l->addr != which->addr)
			break;
		if (l->eventfd != which->eventfd || l->size != which->size ||
		    l->match != which->match || (l->match && l->data != which->data))
			continue;
		ret = take_out(vm, kind, at, 1);
		/* The list's reference; the caller has another. */
		if (!ret)
			eventfd_ctx_put(which->eventfd);
		return ret;
	}
	return -ENOENT;
}

static bool assign_valid(const struct kvm_ioeventfd *args)
{
	switch (args->len) {
	case 0:
		if (args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)
			return false;
		break;
	case 1:
	case 2:
	case 4:
	case 8:
		break;
	default:
		return false;
	}
	return args->addr + args->len >= args->addr &&
	       !(args->flags & ~KVM_IOEVENTFD_VALID_FLAG_MASK);
}

/**
 * mvm_vm_ioeventfd() - KVM_IOEVENTFD
 * @vm: the VM
 * @args: the argument, unchecked
 *
 * When an eventfd was taken out no write signals it any more. May sleep.
 *
 * Return: 0; -EINVAL; -EBADF, or -EINVAL for what is no eventfd; -EEXIST where
 * one listens already to such a write; -ENOENT for one that is to be taken out
 * and is not there; -ENOMEM.
 */
int mvm_vm_ioeventfd(struct mvm_vm *vm, const struct kvm_ioeventfd *args)
{
	bool out = args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN;
	enum mvm_bus_kind kind = MVM_BUS_MMIO;
	struct listener l = {
		.addr = args->addr,
		.size = args->len,
		.match = args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH,
		.data = args->datamatch,
	};
	int ret;

	if (args->flags & KVM_IOEVENTFD_FLAG_PIO)
		kind = MVM_BUS_PIO;
	else if (args->flags & KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY)
		kind = MVM_BUS_CCW;
	if (!out && !assign_valid(args))
		return -EINVAL;
	l.eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(l.eventfd))
		return PTR_ERR(l.eventfd);
	mutex_lock(&vm->lock);
	ret = out ? deassign(vm, kind, &l) : assign(vm, kind, &l);
	mutex_unlock(&vm->lock);
	/* An eventfd that listens keeps its reference. */
	if (out || ret)
		eventfd_ctx_put(l.eventfd);
	return ret;
}

/* --- Coalesced zones ----------------------------------------------------------- */

static int add_zone(struct mvm_vm *vm, enum mvm_bus_kind kind, const struct listener *zone)
{
	const struct mvm_listeners *bus = bus_of(vm, kind);

	if (bus && bus->nr - bus->nr_events >= MAX_ZONES)
		return -ENOSPC;
	return add(vm, kind, bus ? bus->nr : 0, zone);
}

/* As in KVM: all zones that have the whole range, if any. */
static int remove_zones(struct mvm_vm *vm, enum mvm_bus_kind kind, const struct listener *range)
{
	const struct mvm_listeners *bus = bus_of(vm, kind);
	u32 at = bus ? bus->nr : 0;
	int ret = 0;

	while (!ret && bus && at-- > bus->nr_events) {
		if (!zone_has(&bus->listener[at], range->addr, range->size))
			continue;
		ret = take_out(vm, kind, at, 1);
		bus = bus_of(vm, kind);
	}
	return ret;
}

/**
 * mvm_vm_coalesced_zone() - KVM_REGISTER_COALESCED_MMIO and KVM_UNREGISTER_...
 * @vm: the VM
 * @zone: the argument, unchecked
 * @add: register
 *
 * May sleep.
 *
 * Return: 0, also where there is nothing to unregister; -EINVAL, -ENOSPC, -ENOMEM.
 */
int mvm_vm_coalesced_zone(struct mvm_vm *vm, const struct kvm_coalesced_mmio_zone *zone,
			  bool add)
{
	enum mvm_bus_kind kind = zone->pio ? MVM_BUS_PIO : MVM_BUS_MMIO;
	const struct listener l = { .addr = zone->addr, .size = zone->size };
	int ret;

	if (zone->pio > 1)
		return -EINVAL;
	mutex_lock(&vm->lock);
	ret = add ? add_zone(vm, kind, &l) : remove_zones(vm, kind, &l);
	mutex_unlock(&vm->lock);
	return ret;
}

/* --- Life ---------------------------------------------------------------------- */

/**
 * mvm_bus_init() - a new VM: nobody listens
 * @vm: the VM
 *
 * Return: 0 or -ENOMEM.
 */
int mvm_bus_init(struct mvm_vm *vm)
{
	spin_lock_init(&vm->ring_lock);
	vm->ring = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return vm->ring ? 0 : -ENOMEM;
}

/**
 * mvm_bus_destroy() - the end of a VM
 * @vm: used by nobody any more
 *
 * A ring that a program still has mapped stays until it unmaps it.
 */
void mvm_bus_destroy(struct mvm_vm *vm)
{
	struct mvm_listeners *bus;
	int kind;
	u32 i;

	for (kind = 0; kind < MVM_NR_BUSES; kind++) {
		bus = rcu_dereference_protected(vm->bus[kind], true);
		for (i = 0; bus && i < bus->nr_events; i++)
			eventfd_ctx_put(bus->listener[i].eventfd);
		kvfree(bus);
	}
	put_page(vm->ring);
}
