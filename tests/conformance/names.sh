#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The names of all capabilities and calls of the installed <linux/kvm.h>, but for
# those of other architectures: a header for capability.c, which defines NAME().

names() {
	echo '#include <linux/kvm.h>' | ${CC:-cc} -E -dM - |
		sed -nE "s/^#define (KVM_[A-Z0-9_]+) +$1.*/NAME(\\1)/p" |
		grep -vE '_(ARM|MIPS|PPC|S390|SPAPR)_|^NAME\(KVM_ALLOCATE_RMA' | sort
}

caps=$(names '[0-9]+$' | grep 'KVM_CAP_')
calls=$(names '_IO')
if [ -z "$caps" ] || [ -z "$calls" ]; then
	echo "names.sh: <linux/kvm.h> shows no names: apt install linux-libc-dev" >&2
	exit 1
fi
cat <<END
#ifdef NAMES_CAPS
$caps
#endif
#ifdef NAMES_CALLS
$calls
#endif
END
