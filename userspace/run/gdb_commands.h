/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What gdb asks for, and what it is told. A vCPU is a thread; gdb counts from 1.
 */
#ifndef RUN_GDB_COMMANDS_H
#define RUN_GDB_COMMANDS_H

#include "gdb_packet.h"
#include "gdb_registers.h"
#include "options.h"

/* Signals, by gdb's numbers. */
#define GDB_SIGNONE	0
#define GDB_SIGINT	2
#define GDB_SIGILL	4
#define GDB_SIGTRAP	5
#define GDB_SIGBUS	10
#define GDB_SIGSEGV	11

/* The numbers are those of gdb's Z packets. */
enum gdb_point { GDB_SOFTWARE, GDB_HARDWARE, GDB_WRITE, GDB_READ, GDB_ACCESS };

/**
 * struct gdb_stop - why a vCPU stopped
 * @signal: gdb's number
 * @by_point: it is at a point of gdb's
 * @point: of which kind
 * @address: for a watchpoint: what was accessed
 */
struct gdb_stop {
	unsigned int signal;
	bool by_point;
	enum gdb_point point;
	__u64 address;
};

enum gdb_action { GDB_STAY, GDB_STEP, GDB_CONTINUE };

/**
 * struct gdb_target - the machine, all of whose vCPUs stand still
 * @load: a vCPU's state; 0 or a negative errno
 * @store: sets it
 * @read: linear memory; how many bytes could be read, or a negative errno for none
 * @write: the same for writing
 * @insert: a breakpoint or watchpoint; 0 or a negative errno
 * @remove: takes it away
 * @describe: what a vCPU does, in a few words
 * @monitor: a command in the user's own words, whose answer goes to a file
 */
struct gdb_target {
	int (*load)(void *context, unsigned int vcpu, struct gdb_cpu *cpu);
	int (*store)(void *context, unsigned int vcpu, const struct gdb_cpu *cpu);
	int (*read)(void *context, unsigned int vcpu, __u64 address, void *to, size_t size);
	int (*write)(void *context, unsigned int vcpu, __u64 address, const void *from,
		     size_t size);
	int (*insert)(void *context, unsigned int vcpu, enum gdb_point point, __u64 address,
		      unsigned int size);
	int (*remove)(void *context, enum gdb_point point, __u64 address, unsigned int size);
	void (*describe)(void *context, unsigned int vcpu, FILE *out);
	void (*monitor)(void *context, unsigned int vcpu, const char *command, FILE *out);
};

/**
 * struct gdb - a connection with gdb
 * @target: the machine
 * @context: for @target
 * @send: sends a packet
 * @cpus: how many vCPUs
 * @arch: what gdb was told they are
 * @no_acks: packets are not acknowledged
 * @current: the vCPU whose registers and memory are meant
 * @cpu: its state
 * @loaded: @cpu is filled
 * @stopped: the vCPU that stopped, of which gdb is told
 * @stop: why
 * @actions: what gdb wants of each vCPU when it lets them go on
 */
struct gdb {
	const struct gdb_target *target;
	void *context;
	void (*send)(void *context, const struct gdb_text *text);
	unsigned int cpus;
	enum gdb_arch arch;
	bool no_acks;
	unsigned int current;
	struct gdb_cpu cpu;
	bool loaded;
	unsigned int stopped;
	struct gdb_stop stop;
	enum gdb_action actions[CPUS_MAX];
};

enum gdb_wish {
	GDB_MORE,	/* the next command */
	GDB_GO,		/* the vCPUs are to do what @actions say; then tell why they stopped */
	GDB_DETACH,
	GDB_KILL,
};

enum gdb_wish gdb_command(struct gdb *gdb, const char *data, size_t length);
void gdb_tell_stop(struct gdb *gdb);

#endif /* RUN_GDB_COMMANDS_H */
