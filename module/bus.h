/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who takes a guest's accesses to devices, so that they need no exit to user
 * space: devices in the kernel, and for writes eventfds and coalesced zones.
 */
#ifndef MVM_BUS_H
#define MVM_BUS_H

#include <linux/kvm.h>
#include <linux/types.h>

struct mvm_vm;

/* What is written to. Nobody ever writes to the last one, which is s390's. */
enum mvm_bus_kind {
	MVM_BUS_MMIO,
	MVM_BUS_PIO,
	MVM_BUS_CCW,
	MVM_NR_BUSES,
};

/**
 * struct mvm_bus_device - a device in the kernel
 * @addr: its first address, or port
 * @len: how many there are; an access is its own if all of it is in there
 * @read: the guest reads @len bytes, 1 to 8; false: user space is to answer
 * @write: the guest writes them; false: user space shall see it
 * @owner: the device's own
 * @next: on the same bus
 *
 * Any vCPU calls these, several at the same time, perhaps with preemption off:
 * they do not sleep. Interrupts are on.
 */
struct mvm_bus_device {
	u64 addr;
	u32 len;
	bool (*read)(struct mvm_bus_device *device, u64 addr, u32 len, void *data);
	bool (*write)(struct mvm_bus_device *device, u64 addr, u32 len, const void *data);
	void *owner;
	struct mvm_bus_device *next;
};

void mvm_bus_add_device(struct mvm_vm *vm, enum mvm_bus_kind kind,
			struct mvm_bus_device *device);
bool mvm_bus_read(struct mvm_vm *vm, enum mvm_bus_kind kind, u64 addr, u32 len, void *data);
bool mvm_bus_write(struct mvm_vm *vm, enum mvm_bus_kind kind, u64 addr, u32 len,
		   const void *data);
int mvm_vm_ioeventfd(struct mvm_vm *vm, const struct kvm_ioeventfd *args);
int mvm_vm_coalesced_zone(struct mvm_vm *vm, const struct kvm_coalesced_mmio_zone *zone,
			  bool add);
int mvm_bus_init(struct mvm_vm *vm);
void mvm_bus_destroy(struct mvm_vm *vm);

#endif
