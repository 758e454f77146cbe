#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In the lab: QEMU boots the guest on the device that /dev/kvm is, and types
# COMMANDS once the guest's shell is there: boot.sh COMMANDS QEMU-ARGUMENT... Of two
# values for one of QEMU's arguments the last counts.

commands=$1
shift

rm -f in out
mkfifo in
{ echo 'The disk says hello.'; dd if=/dev/zero bs=1k count=256 2>/dev/null; } >disk
read -r began _ </proc/uptime
qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -m 64 \
	-cpu qemu64,kvm=off,-mce,-mca,-svm,-x2apic \
	-kernel bzImage -initrd initramfs -append 'console=ttyS0 reboot=t' -serial stdio \
	-drive id=disk,file=disk,format=raw,if=none "$@" <in >out 2>&1 &
qemu=$!
exec 3>in
while ! grep -q '^guest# ' out && kill -0 $qemu 2>/dev/null; do
	sleep 0.1
done
echo "$commands" >&3
wait $qemu
status=$?
read -r ended _ </proc/uptime
cat out
echo
echo "qemu: status $status after $began to $ended s"
exit $status
