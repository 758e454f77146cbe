/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_GUEST_H
#define RUN_GUEST_H

#include <pthread.h>
#include "machine.h"
#include "platform.h"
#include "serial.h"

/* Not a status: the guest goes on. */
#define GO_ON		(-1)

struct debugger;

/**
 * struct guest - a machine that runs, with its devices
 * @machine: the machine
 * @verbose: tell of accesses to ports where nothing is
 * @lock: held while anything but KVM_RUN happens to the guest
 * @serial: its serial port; @lock guards it
 * @platform: its other ports; @lock guards them
 * @debugger: with --gdb
 * @wake: an eventfd: the serial port has room for input again
 * @status: how it ended, GO_ON while it has not; who sets it first is right
 */
struct guest {
	struct machine *machine;
	bool verbose;
	pthread_mutex_t lock;
	struct serial serial;
	struct platform platform;
	struct debugger *debugger;
	int wake;
	int status;
};

void guest_end(struct guest *guest, int status);
int guest_exit(struct vcpu *vcpu, struct guest *guest);
void *input_run(void *guest);

#endif /* RUN_GUEST_H */
