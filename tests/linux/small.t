#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A small kernel out of Debian's source, the one that QEMU boots in tests/qemu, as a
# guest of the launcher.

. "$(dirname "$0")/../lab/lib.sh"
"$root/scripts/qemu-guest" || {
	echo 'Bail out! the guest does not build'
	exit 1
}
. "$root/tests/lab/linux/lib.sh"

kernel=$root/build/qemu/bzImage
{
	echo "modprobe kvm_intel ${KVM_OPTIONS-} || exit 1"
	for device in $devices; do
		linux_boot "$device" 1 reboot
		linux_boot "$device" 2 poweroff
	done
} >"$work/script"
# shellcheck disable=SC2046
linux_lab $(module_option)
for device in $devices; do
	linux_check "$device" 1 reboot
	linux_check "$device" 2 poweroff
done
done_testing
