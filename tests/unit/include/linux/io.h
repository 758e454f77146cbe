/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_IO_H
#define MVM_SHIM_IO_H

#include <linux/types.h>

/* Not the identity, so that taking one for the other is seen. */
#define MVM_SHIM_PHYS_OFFSET	(1ULL << 50)

static inline phys_addr_t virt_to_phys(volatile void *address)
{
	return (uintptr_t)address + MVM_SHIM_PHYS_OFFSET;
}

static inline void *phys_to_virt(phys_addr_t address)
{
	return (void *)(uintptr_t)(address - MVM_SHIM_PHYS_OFFSET);
}

#endif
