#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's stock kernel as a guest of the launcher: it comes to its init, which
# tries processes, signals, FPU, time, CPUs and the serial port, and ends in one
# of the ways that a kernel ends. And kernels that are broken.

. "$(dirname "$0")/lib.sh"

. "$here/linux/lib.sh"

# --- What is refused needs no virtual machine ----------------------------------------

# byte FILE OFFSET OCTAL: a copy of the kernel with one byte changed.
byte() {
	cp "$kernel" "$work/$1"
	# shellcheck disable=SC2059 # it is a format
	printf "\\$3" | dd of="$work/$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

sects=$(od -A n -t u1 -j 497 -N 1 "$kernel")
head -c 8000000 "$kernel" >"$work/cut"
head -c 530 "$kernel" >"$work/head"
byte old 518 013
byte fewer 497 "$(printf %03o $((sects - 1)))"
byte more 497 377
byte narrow 566 0
byte magic 514 0
truncate -s 300M "$work/big"
native 64 'no IMAGE given, and no --kernel' 'nothing to run'
native 64 'with --kernel there is no IMAGE' 'a kernel and an image' --kernel "$kernel" "$kernel"
native 64 'are for a kernel' 'an initrd without kernel' --initrd "$kernel" "$kernel"
native 64 '1 to 16 are possible' '17 CPUs' --kernel "$kernel" --cpus 17
native 64 'this kernel takes 2047 at most' 'a command line too long' \
	--kernel "$kernel" --append "$(head -c 2048 /dev/zero | tr '\0' x)"
native 66 '/nonexistent: No such file' 'no such kernel' --kernel /nonexistent
native 66 '/nonexistent: No such file' 'no such initrd' --kernel "$kernel" --initrd /nonexistent
native 65 "cut: the bzImage is cut off: 8000000 bytes, and its header speaks of [0-9]+" \
	'a kernel cut off' --kernel "$work/cut"
native 65 "the bzImage's header is cut off" 'a header cut off' --kernel "$work/head"
native 65 'boot protocol 2.11; 2.12' 'a kernel too old' --kernel "$work/old"
native 65 "setup_sects \($((sects - 1))\)" 'setup_sects too small' --kernel "$work/fewer"
native 65 'cut off' 'setup_sects too large' --kernel "$work/more"
native 65 'a 32-bit kernel' 'no 64-bit entry' --kernel "$work/narrow"
native 65 'neither a bzImage, nor' 'another magic number' --kernel "$work/magic"
native 65 'neither a PVH note nor a multiboot header' "a program of Linux's" --kernel /bin/true
native 65 'big: 307200 KiB of initial RAM disk do not fit .*--memory gives more' \
	'an initrd too big' --kernel "$kernel" --initrd "$work/big"
native 65 '--memory ends at 0x2000000: --memory [0-9]+M is the least' 'memory too small' \
	--kernel "$kernel" --memory 32M
native 69 '/nonexistent is not there' 'no such device' --kernel "$kernel" --device /nonexistent

# What takes long to read is told of on a terminal, and only there.
mkfifo "$work/slow"
slowly() {
	{
		head -c 2M "$kernel"
		sleep 0.5
		tail -c +2097153 "$kernel"
	} >"$work/slow" &
}
slowly
native 69 '/nonexistent is not there' 'a slow kernel' --kernel "$work/slow" --device /nonexistent
is "$(grep -c 'MiB read' "$work/native")" 0 'a slow kernel: no progress is told to a file'
slowly
command script -qec "'$root/build/bin/minivmm-run' --kernel '$work/slow' --device /nonexistent" \
	/dev/null >"$work/native" 2>&1 </dev/null
like "$work/native" 'slow: [0-9]+ MiB read' 'a slow kernel: a terminal is told'

# --- In the lab ---------------------------------------------------------------------

# A second guest beside one of minivmm's, which is killed in the middle of its boot.
linux_victim() {
	cat <<-END
		minivmm-run --kernel vmlinuz --initrd initrd --memory 256M \\
			--append "${linux_append/quiet/} test.cpus=1" </dev/null >victim 2>&1 &
		victim=\$!
		{
			until grep -q 'Memory: ' victim; do sleep 0.1; done
			kill -KILL \$victim
			read -r killed rest </proc/uptime
			echo "launcher: killed at \$killed s" >>victim
		} &
	END
}
linux_victim_end() {
	cat <<-END
		wait \$victim
		status=\$?
		echo "=== victim minivmm"
		cat victim
		echo
		modprobe -r minivmm
		[ -e /dev/minivmm ] || echo unloaded
		echo "=== status \$status"
	END
}

# The oracle shows that guest and launcher are right; one boot is enough.
boots=()
for device in $devices; do
	if [ "$device" = kvm ] && [ "$devices" != kvm ]; then
		boots+=("$device 1 reboot")
	else
		boots+=("$device 4 panic" "$device 2 poweroff")
	fi
done
{
	echo "modprobe kvm_intel ${KVM_OPTIONS-} || exit 1"
	for one in "${boots[@]}"; do
		read -r device cpus how <<<"$one"
		[ "$device $how" != 'minivmm poweroff' ] || linux_victim
		linux_boot "$device" "$cpus" "$how"
	done
	! with_minivmm || linux_victim_end
} >"$work/script"
# shellcheck disable=SC2046
linux_lab $(module_option)
for one in "${boots[@]}"; do
	read -r device cpus how <<<"$one"
	linux_check "$device" "$cpus" "$how"
done
if with_minivmm; then
	section "$work/plain" victim minivmm >"$work/section"
	like "$work/section" 'Memory: ' 'minivmm, killed beside another: it was booting'
	is "$(grep -c '^guest: ' "$work/section")" 0 'minivmm, killed beside another: it was not up'
	is "$(sed -n '/^=== victim/,$ s/^=== status //p' "$work/plain")" 137 \
		'minivmm, killed beside another: by SIGKILL'
	like "$work/section" '^unloaded' 'minivmm, killed beside another: the module unloads then'
	sed -n 's/^launcher: /# victim: /p' "$work/section"
fi

# --- Kernels of a few bytes: the other boot protocols, ends, the terminal ------------

# Each end by a key: what the guest writes, and how the launcher ends then.
cat >"$work/small" <<'END'
echo hello-from-a-file >module
for device in $devices; do
	for guest in kernel kernel-pvh; do
		for key in q r p t; do
			echo "=== $guest-$key $device"
			printf $key | minivmm-run --device /dev/$device --kernel guests/$guest.elf \
				--initrd module --append "some words" --timeout 20 2>&1
			echo "=== status $?"
		done
	done
	echo "=== no-input $device"
	minivmm-run --device /dev/$device --kernel guests/kernel.elf --timeout 1 --cpus 2 \
		</dev/null 2>&1
	echo "=== status $?"
	echo "=== slow-reader $device"
	{
		yes | tr -d '\n' | head -c 3000 | cat - quit
		sleep 5
	} | minivmm-run --device /dev/$device --kernel guests/kernel.elf --timeout 60 2>/dev/null |
		{ sleep 1; grep -c 'key 121'; }
	echo "=== status 0"
	echo "=== sigterm $device"
	timeout 1 minivmm-run --device /dev/$device --kernel guests/kernel.elf --cpus 4 \
		</dev/zero 2>&1 | { sleep 2; wc -l >/dev/null; }
	echo "=== status 0"
done
END
printf q >"$work/quit"
# shellcheck disable=SC2046
lab "$work/small.out" $(module_option) --file "$work/small" --file "$work/quit" -- sh -c \
	"modprobe kvm_intel ${KVM_OPTIONS-}; devices='$devices'; . ./small; $(script 'pty --kernel')"
ok $? "the lab ran, and its kernel had no complaint (small kernels)"
small_status() {
	awk -v mark="=== $1 $2" '$0 == mark { on = 1 } /^=== status / && on { print $3; exit }' \
		"$work/small.out"
}
for device in $devices; do
	for guest in kernel kernel-pvh; do
		protocol=multiboot
		[ $guest = kernel ] || protocol=PVH
		section "$work/small.out" $guest-q "$device" >"$work/section"
		like "$work/section" "^$protocol: some words" "$device, $guest: the command line"
		like "$work/section" '^module: hello-from-a-file' "$device, $guest: its module"
		like "$work/section" '^map: 72 bytes' "$device, $guest: its memory map"
		like "$work/section" '^D$' "$device, $guest: the debug port"
		is "$(small_status $guest-q "$device")" 7 "$device, $guest: its own status"
		is "$(small_status $guest-r "$device")" 86 "$device, $guest: reset"
		is "$(small_status $guest-p "$device")" 0 "$device, $guest: power off"
		is "$(small_status $guest-t "$device")" 80 "$device, $guest: triple fault"
	done
	is "$(small_status no-input "$device")" 124 "$device: the end of its input is not a guest's end"
	is "$(section "$work/small.out" slow-reader "$device")" 3000 \
		"$device: not a byte is lost, in either direction"
	relay "$work/small.out" 'pty --kernel' "$device"
done
done_testing
