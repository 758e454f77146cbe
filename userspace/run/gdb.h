/* SPDX-License-Identifier: GPL-2.0 */
/*
 * --gdb: the guest under gdb.
 */
#ifndef RUN_GDB_H
#define RUN_GDB_H

#include "guest.h"

int gdb_open(const struct options *options, struct debugger **debugger,
	     struct failure *failure);
int gdb_start(struct debugger *debugger, struct guest *guest);
void gdb_end(struct debugger *debugger, int status);
void gdb_close(struct debugger *debugger);

void gdb_before_first(struct debugger *debugger, struct vcpu *vcpu);
void gdb_interrupted(struct debugger *debugger, struct vcpu *vcpu);
void gdb_debug_exit(struct debugger *debugger, struct vcpu *vcpu);
void gdb_failed(struct debugger *debugger, struct vcpu *vcpu, int status);

#endif /* RUN_GDB_H */
