/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_GDB_POINTS_H
#define RUN_GDB_POINTS_H

#include "gdb_commands.h"
#include "machine.h"

#define GDB_SOFTWARE_MAX	256
#define GDB_HARDWARE_MAX	4	/* DR0 to DR3 */

/**
 * struct gdb_int3 - a software breakpoint: an INT3 in the guest's memory
 * @linear: where gdb wants it
 * @physical: where it is
 * @byte: what was there
 */
struct gdb_int3 {
	__u64 linear;
	__u64 physical;
	__u8 byte;
};

/**
 * struct gdb_points - what gdb has inserted, and what the vCPUs were told of it
 * @machine: the machine
 * @software_count: of @software
 * @software: INT3s
 * @hardware_used: a bit for each of @hardware
 * @hardware: DR0 to DR3
 * @debug: what KVM_SET_GUEST_DEBUG was told, of each vCPU
 */
struct gdb_points {
	struct machine *machine;
	unsigned int software_count;
	struct gdb_int3 software[GDB_SOFTWARE_MAX];
	__u8 hardware_used;
	struct {
		enum gdb_point point;
		__u64 address;
		unsigned int size;
	} hardware[GDB_HARDWARE_MAX];
	struct kvm_guest_debug debug[CPUS_MAX];
};

int gdb_memory(struct gdb_points *points, unsigned int vcpu, __u64 address, void *bytes,
	       size_t size, bool write);
int gdb_insert(struct gdb_points *points, unsigned int vcpu, enum gdb_point point,
	       __u64 address, unsigned int size);
int gdb_remove(struct gdb_points *points, enum gdb_point point, __u64 address,
	       unsigned int size);
void gdb_remove_all(struct gdb_points *points);

int gdb_apply(struct gdb_points *points, unsigned int vcpu, bool step);
bool gdb_is_stop(struct gdb_points *points, struct vcpu *vcpu, struct gdb_stop *stop);

#endif /* RUN_GDB_POINTS_H */
