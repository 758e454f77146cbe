/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_SET_H
#define RUN_SET_H

#include <linux/kvm.h>
#include <linux/types.h>

/**
 * struct setting - a register and what it is set to
 * @place: which
 * @value: to what; it fits
 */
struct setting {
	unsigned int place;
	__u64 value;
};

const char *parse_setting(const char *text, struct setting *setting);
void setting_apply(const struct setting *setting, struct kvm_regs *regs,
		   struct kvm_sregs *sregs);

#endif /* RUN_SET_H */
