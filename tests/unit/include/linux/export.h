/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_EXPORT_H
#define MVM_SHIM_EXPORT_H

#define EXPORT_SYMBOL(sym)	_Static_assert(1, "")
#define EXPORT_SYMBOL_GPL(sym)	_Static_assert(1, "")

#endif
