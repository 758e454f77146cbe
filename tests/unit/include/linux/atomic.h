/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_ATOMIC_H
#define MVM_SHIM_ATOMIC_H

#define xchg(pointer, value)	__atomic_exchange_n(pointer, value, __ATOMIC_SEQ_CST)

#endif
