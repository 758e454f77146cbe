/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REBUILD_H
#define REBUILD_H

/**
 * rebuild_vm() - take the program's VM apart and put it together again
 *
 * For the VM that was made last, with its one vCPU and no access of an exit left to
 * be completed. Memory, descriptors and the mapping of struct kvm_run stay where they
 * are. Ends the program if a call fails, or if the new vCPU's state is not the old
 * one's.
 */
void rebuild_vm(void);

#endif
