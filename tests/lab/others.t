#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernels other than Linux: one of our own, which has up to 16 CPUs interrupt each
# other, and memtest86+.

. "$(dirname "$0")/lib.sh"

# Not installed: that would put it into this machine's boot menu.
memtest=$root/build/memtest/boot/memtest86+x64.bin
[ -e "$memtest" ] || (
	mkdir -p "$root/build/memtest" && cd "$root/build/memtest" &&
		apt-get -qq -o APT::Sandbox::User="$(id -un)" download memtest86+ &&
		dpkg-deb -x memtest86+_*.deb . && rm memtest86+_*.deb
) || {
	echo 'Bail out! memtest86+ cannot be downloaded: apt-get update'
	exit 1
}

# Its header counts paragraphs of 16 bytes, and the last one is not full.
native 69 '/nonexistent is not there' 'memtest86+ is read' --kernel "$memtest" --device /nonexistent
head -c -16 "$memtest" >"$work/cut"
native 65 'the bzImage is cut off' 'memtest86+ cut off' --kernel "$work/cut"

# cpus.elf is to fail when it tells nobody of a changed page: else its check is none.
cat >"$work/script" <<'END'
# begin NAME and end STATUS: the marks around what a guest prints.
begin() {
	echo "=== $1 $device"
	read -r began rest </proc/uptime
}
end() {
	read -r ended rest </proc/uptime
	printf "\n# from $began to $ended s\n=== status $1\n"
}

# cpus NAME CPUS WORDS
cpus() {
	begin $1
	minivmm-run --device /dev/$device --kernel guests/cpus.elf --cpus $2 \
		--append "$3" --timeout $((60 * LAB_PATIENCE)) </dev/null 2>&1
	end $?
}

# memtest CPUS TEST: until that test runs; it draws with escape sequences.
memtest() {
	begin memtest-$1
	minivmm-run --device /dev/$device --kernel memtest --cpus $1 --memory 8M \
		--timeout $((30 * LAB_PATIENCE)) \
		--append 'console=ttyS0,115200 nobench nosm nopause' </dev/null 2>&1 |
		tr '\033' '\n' | sed "/ #$2 /q"
	end 0
}

for device in $devices; do
	for cpus in 2 4 16; do
		cpus cpus-$cpus $cpus $cpus
	done
	cpus lazy 2 '2 lazy'
	memtest 1 0
	# The lab's KVM does not start the second CPU of memtest86+.
	[ $device = kvm ] || memtest 2 '[1-9]'
done
END

# shellcheck disable=SC2046
LAB_PROGRAMS=minivmm-run lab "$work/out" $(module_option) --cpus 2 --file "$work/script" \
	--file "$memtest:memtest" -- sh -c "modprobe kvm_intel ${KVM_OPTIONS-} || exit 1
	devices='$devices' LAB_PATIENCE=${LAB_PATIENCE:-1}; . ./script"
ok $? "the lab ran, and its kernel had no complaint"

for device in $devices; do
	for cpus in 2 4 16; do
		relay "$work/out" "cpus-$cpus" "$device"
	done
	section "$work/out" lazy "$device" >"$work/section"
	is "$(grep '^not ok' "$work/section")" \
		'not ok 26 - TLB shootdown: all see the page of now' \
		"$device: without the IPI, a CPU sees the old page"
	for cpus in 1 2; do
		[ "$device-$cpus" != kvm-2 ] || continue
		name="$device: memtest86+, $cpus CPUs"
		section "$work/out" memtest-$cpus "$device" >"$work/section"
		like "$work/section" 'Memtest86\+ v6' "$name: shows its screen"
		like "$work/section" ' #0 ' "$name: tests memory"
		like "$work/section" 'Errors: 0' "$name: finds no errors"
		[ $cpus = 1 ] || like "$work/section" '2 Threads +SMP: 2T \(PAR\)' \
			"$name: uses both"
		[ "$device-$cpus" != minivmm-2 ] ||
			like "$work/section" ' #[1-9] ' "$name: goes on to the next tests"
		sed -n "s/^# from/# $name: from/p" "$work/section"
	done
done
done_testing
