/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_ALIGN_H
#define MVM_SHIM_ALIGN_H

#define ALIGN_DOWN(x, a)	((x) & ~((typeof(x))(a) - 1))
#define ALIGN(x, a)		ALIGN_DOWN((x) + (a) - 1, a)
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)

#endif
