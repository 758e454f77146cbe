#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's QEMU, unchanged. With its own interrupt controllers it boots a Linux
# guest to its shell, which reads its virtio disk; the same as a PC with SeaBIOS;
# and stops it by gdb's protocol and moves it to another QEMU. With those of the
# kernel it boots Debian's kernel, also on two CPUs, and moves the guest. First on
# KVM, which shows that the guest and its command line are right, then on minivmm,
# with no KVM loaded and /dev/kvm a link.

. "$(dirname "$0")/../lab/lib.sh"

"$root/scripts/qemu-guest" || {
	echo 'Bail out! the guest does not build'
	exit 1
}
qemu=$(type -P qemu-system-x86_64) || {
	echo 'Bail out! there is no qemu-system-x86_64: scripts/setup qemu'
	exit 1
}

vmlinuz=$(find "$root/build/kernel" -maxdepth 3 -name 'vmlinuz-*-cloud-amd64' 2>/dev/null |
	sort -V | tail -1)
if [ -z "$vmlinuz" ]; then
	# The lab fetches it.
	lab "$work/out" --no-module -- true
	vmlinuz=$(find "$root/build/kernel" -maxdepth 3 -name 'vmlinuz-*-cloud-amd64')
fi

cat >"$work/run.sh" <<'END'
microvm='-M microvm,accel=kvm,kernel-irqchip=off,pic=on,pit=on,rtc=on,isa-serial=on,acpi=off,x-option-roms=off'
echo '=== microvm'
sh boot.sh 'head -c 20 /dev/vda; echo; uname -sr; echo $((6 * 7)); echo written >/dev/vda; reboot -f' \
	$microvm -device virtio-blk-device,drive=disk
status=$?
echo "disk: $(head -n 1 disk | tr -d '\0')"
echo '=== pc'
# No disk: with one it did not come to its shell in 60 s, on KVM either.
sh boot.sh 'uname -sr; ls /sys/bus/pci/devices; echo $((6 * 7)); reboot -f' \
	-M pc,accel=kvm,kernel-irqchip=off || status=$?
echo '=== move'
timeout 200 sh move.sh $microvm || status=$?

# The controllers are the kernel's from here on: QEMU's default.
microvm=microvm,x-option-roms=off,rtc=off
debian='-accel kvm -cpu host -m 128 -kernel vmlinuz -append'
quick='console=ttyS0 reboot=t quiet lsm= cryptomgr.notests mitigations=off'
echo '=== irqchip'
sh boot.sh 'uname -sr; echo $((6 * 7)); reboot -f' \
	-M $microvm,acpi=off $debian "$quick" || status=$?
echo '=== smp'
sh boot.sh 'nproc; echo $((6 * 7)); reboot -f' \
	-M $microvm $debian "$quick" -smp 2 || status=$?
echo '=== split'
sh boot.sh 'nproc; echo $((6 * 7)); reboot -f' \
	-M $microvm,kernel-irqchip=split $debian "$quick" -smp 2 || status=$?
echo '=== moveirqchip'
timeout 200 sh move.sh -M microvm,accel=kvm,rtc=on,acpi=off,x-option-roms=off || status=$?
echo '=== end'
exit $status
END

boot() {
	local name=$1 prepare=$2 part

	LAB_PROGRAMS=none lab "$work/$name" --memory 1024 --no-module \
		--file "$qemu:/usr/bin/qemu-system-x86_64" \
		--file /usr/share/qemu:/usr/share/qemu --file /usr/share/seabios:/usr/share/seabios \
		--file "$vmlinuz:/root/vmlinuz" --file "$root/build/qemu/bzImage" --file "$root/build/qemu/initramfs" \
		--file "$root/tests/qemu/boot.sh" --file "$root/tests/qemu/move.sh" \
		--file "$work/run.sh" -- sh -c "$prepare && sh run.sh 2>&1"
	ok $? "$name: each QEMU ends well, and the host's kernel had no complaint"
	for part in microvm pc move irqchip smp split moveirqchip; do
		sed -n "/^=== $part\$/,/^=== /p" "$work/$name" >"$work/$name-$part"
	done

	part=$work/$name-microvm
	like "$part" '^guest: the shell is there' "$name, microvm: the guest comes to its shell"
	like "$part" '^The disk says hello' "$name, microvm:   reads its disk"
	like "$part" '^Linux 6\.1\.' "$name, microvm:   is a Linux"
	like "$part" '^42' "$name, microvm:   counts"
	like "$part" '^disk: written' "$name, microvm:   and writes its disk"

	part=$work/$name-pc
	like "$part" '^guest: the shell is there' "$name, pc: the guest comes to its shell, through SeaBIOS"
	like "$part" '0000:00:01\.3' "$name, pc:   and finds PIIX4 on its PCI bus"

	part=$work/$name-move
	is "$(sed -n 's/^gdb: //p' "$part" | tr '\n' ';')" "$stops" "$name, gdb: it stops and steps where it should"
	like "$part" '^move: the first QEMU ended with status 0' "$name, move: the guest is saved"
	like "$part" '^answer 42' "$name, move:   and goes on with what it knew, in another QEMU"

	for part in irqchip smp split; do
		like "$work/$name-$part" '^guest: the shell is there' \
			"$name, $part: Debian's kernel comes to its shell"
		like "$work/$name-$part" '^42' "$name, $part:   counts"
	done
	like "$work/$name-irqchip" '^Linux 6\.1\.' "$name, irqchip:   is a Linux"
	like "$work/$name-smp" '^2[^0-9]*$' "$name, smp:   has two CPUs"
	like "$work/$name-split" '^2[^0-9]*$' "$name, split:   has two CPUs"
	part=$work/$name-moveirqchip
	like "$part" '^move: the first QEMU ended with status 0' \
		"$name, move: the guest is saved, with the kernel's controllers"
	like "$part" '^answer 42' "$name, move:   and goes on with what it knew, in another QEMU"
	sed -n 's/^qemu: /# /p' "$work/$name"
}

# The addresses are those of move.sh; the code is what the kernel begins with.
stops='hardware breakpoint at 0x0000000000100000;code fcfa8da6e8010000e8000000005d;'
stops+='step at 0x0000000000100001;step at 0x0000000000100002;'
stops+='software breakpoint at 0x000000000010000d;'

# Bochs 2.7 logs addresses within pages where the log of pages is to have their
# first: KVM warns.
boot kvm "modprobe kvm_intel pml=0 ${KVM_OPTIONS-}"
boot minivmm 'modprobe minivmm && ln -s minivmm /dev/kvm'
done_testing
