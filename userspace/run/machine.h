/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_MACHINE_H
#define RUN_MACHINE_H

#include <linux/kvm.h>
#include "image.h"
#include "layout.h"
#include "options.h"
#include "status.h"

struct machine;
struct minivmm_trace;

/**
 * struct vcpu - a virtual processor
 * @machine: the machine that it is in
 * @index: its number, and its APIC's
 * @fd: its descriptor
 * @run: what we share with it
 * @run_size: bytes of that
 * @ring: of its VM exits, or NULL
 */
struct vcpu {
	struct machine *machine;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	struct minivmm_trace *ring;
};

/**
 * struct machine - the virtual machine: memory and processors
 * @device: descriptor of /dev/minivmm or /dev/kvm
 * @vm: descriptor of the VM
 * @cpus: how many processors
 * @vcpus: they
 * @is_pc: there are interrupt controllers and timers, and what else a kernel
 *	expects of a PC
 * @layout: where memory is
 * @memory: all of it, without the hole
 * @memory_size: bytes of it
 */
struct machine {
	int device;
	int vm;
	unsigned int cpus;
	struct vcpu vcpus[CPUS_MAX];
	bool is_pc;
	struct layout layout;
	__u8 *memory;
	size_t memory_size;
};

int device_open(const char *path, int *device, struct failure *failure);
int device_create_vm(const char *path, int device, int *vm, struct failure *failure);

int machine_create(struct machine *machine, const struct options *options,
		   const struct image *image, struct failure *failure);
void machine_destroy(struct machine *machine);
__u8 *machine_memory(const struct machine *machine, __u64 address, __u64 size);
bool machine_read(void *machine, __u64 address, void *to, unsigned int size);

int cpu_setup(struct machine *machine, const struct options *options,
	      const struct image *image, struct failure *failure);

/*
 * Real mode's interrupt vectors lead to a HLT each, where a PC has its BIOS:
 * the address at which a guest halts is then the vector that it used.
 */
#define VECTOR_STUBS	0xf0000
#define VECTORS		256

#endif /* RUN_MACHINE_H */
