#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's QEMU, unchanged, with its own interrupt controllers: it boots a Linux
# guest to its shell, which reads its virtio disk. First on KVM, which shows that
# the guest and its command line are right, then on minivmm, with no KVM loaded
# and /dev/kvm a link.

. "$(dirname "$0")/../lab/lib.sh"

"$root/scripts/qemu-guest" || {
	echo 'Bail out! the guest does not build'
	exit 1
}
qemu=$(type -P qemu-system-x86_64) || {
	echo 'Bail out! there is no qemu-system-x86_64: scripts/setup qemu'
	exit 1
}

machine='-M microvm,accel=kvm,kernel-irqchip=off,pic=on,pit=on,rtc=on,isa-serial=on,acpi=off,x-option-roms=off
	-device virtio-blk-device,drive=disk'
commands='head -c 20 /dev/vda; echo; uname -sr; echo $((6 * 7)); echo written >/dev/vda; reboot -f'

boot() {
	local name=$1 prepare=$2

	LAB_PROGRAMS=none lab "$work/$name" --memory 1024 --no-module \
		--file "$qemu:/usr/bin/qemu-system-x86_64" \
		--file /usr/share/qemu:/usr/share/qemu --file /usr/share/seabios:/usr/share/seabios \
		--file "$root/build/qemu/bzImage" --file "$root/build/qemu/initramfs" \
		--file "$root/tests/qemu/boot.sh" -- \
		sh -c "$prepare && sh boot.sh '$commands' $(tr '\n' ' ' <<<"$machine"); s=\$?
			echo; echo disk: \$(head -n 1 disk | tr -d '\\0'); exit \$s"
	ok $? "$name: QEMU ends well, and the host's kernel had no complaint"
	like "$work/$name" '^guest: the shell is there' "$name: the guest comes to its shell"
	like "$work/$name" '^The disk says hello' "$name:   reads its disk"
	like "$work/$name" '^Linux 6\.1\.' "$name:   is a Linux"
	like "$work/$name" '^42' "$name:   counts"
	like "$work/$name" '^disk: written' "$name:   and writes its disk"
	sed -n 's/^qemu: /# /p' "$work/$name"
}

boot kvm "modprobe kvm_intel ${KVM_OPTIONS-}"
boot minivmm 'modprobe minivmm && ln -s minivmm /dev/kvm'
done_testing
