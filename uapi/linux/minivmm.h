/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What minivmm has beyond <linux/kvm.h>.
 *
 * /dev/minivmm answers KVM's calls. The calls here are those that KVM has none
 * for; their type is not KVM's, so the two never meet.
 */
#ifndef _UAPI_LINUX_MINIVMM_H
#define _UAPI_LINUX_MINIVMM_H

#include <linux/ioctl.h>

#define MINIVMM_DEVICE	"/dev/minivmm"
#define MINIVMMIO	0xBB

/*
 * On the system descriptor, without argument: the version of this header that
 * the module implements. KVM answers EINVAL, so a program that was given a
 * path can find out who is behind it.
 */
#define MINIVMM_GET_VERSION	_IO(MINIVMMIO, 0x00)
#define MINIVMM_VERSION		1

#endif /* _UAPI_LINUX_MINIVMM_H */
