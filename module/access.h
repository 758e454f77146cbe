/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_ACCESS_H
#define MVM_ACCESS_H

#include <linux/bits.h>

/* What a guest does to memory; may be or-ed. */
#define MVM_ACCESS_READ		BIT(0)
#define MVM_ACCESS_WRITE	BIT(1)
#define MVM_ACCESS_EXEC		BIT(2)

#endif
