/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MVM_SHIM_MINMAX_H
#define MVM_SHIM_MINMAX_H

/* As the kernel's: comparing pointers makes unlike types a warning. */
#define MVM_SHIM_CMP(a, b, op) ({		\
	typeof(a) a_ = (a);			\
	typeof(b) b_ = (b);			\
	(void)(&a_ == &b_);			\
	a_ op b_ ? a_ : b_; })

#define min(a, b)		MVM_SHIM_CMP(a, b, <)
#define max(a, b)		MVM_SHIM_CMP(a, b, >)
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define clamp(val, lo, hi)	min((typeof(val))max(val, lo), hi)
#define swap(a, b) \
	do { typeof(a) t_ = (a); (a) = (b); (b) = t_; } while (0)

#endif
