/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who listens to what a guest writes to devices, so that the write needs no
 * exit to user space: eventfds and coalesced zones.
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

bool mvm_bus_write(struct mvm_vm *vm, enum mvm_bus_kind kind, u64 addr, u32 len,
		   const void *data);
int mvm_vm_ioeventfd(struct mvm_vm *vm, const struct kvm_ioeventfd *args);
int mvm_vm_coalesced_zone(struct mvm_vm *vm, const struct kvm_coalesced_mmio_zone *zone,
			  bool add);
int mvm_bus_init(struct mvm_vm *vm);
void mvm_bus_destroy(struct mvm_vm *vm);

#endif
