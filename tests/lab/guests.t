#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guests: on /dev/kvm and on /dev/minivmm in the same boot, with the same
# output and the same exit status. Then all of them once more, with their VMs taken
# apart and rebuilt in the middle (rebuild/rebuild.c): SEED= says where.

. "$(dirname "$0")/lib.sh"

# Those that check themselves and print TAP, and the options that they need.
checking='modes.bin cpuid.elf msr.elf exceptions.elf pio.elf smc.elf fpu.elf highmem.elf'

# guest NAME ARGUMENT...: the lab runs it on each device; standard input is that
# of guest. What it prints and its status are marked for section().
lab_functions='
guest() {
	local name=$1 device status
	shift
	cat >stdin
	for device in $devices; do
		echo "=== $name $device"
		LD_PRELOAD=$preload minivmm-run --device /dev/$device "$@" <stdin 2>stderr
		status=$?
		# The mark begins a line, wherever the guest left off.
		printf "\n=== status $status\n"
		echo "=== $name.stderr $device"
		cat stderr
		echo "=== status 0"
	done
}
preload=${REBUILD:+$PWD/rebuild.so}
cd guests
export REBUILD_LOG=$PWD/log
'

# status NAME DEVICE
status() {
	awk -v mark="=== $1 $2" '
		$0 == mark { on = 1 }
		/^=== status / && on { print $3; exit }' "$work/out"
}

# equal NAME: the devices do not differ in output, status and report.
equal() {
	[ "$devices" = "kvm minivmm" ] || return 0
	is "$(section "$work/out" "$1" minivmm)" "$(section "$work/out" "$1" kvm)" \
		"$1: the same output"
	is "$(status "$1" minivmm)" "$(status "$1" kvm)" "$1: the same status"
	is "$(section "$work/out" "$1.stderr" minivmm)" \
		"$(section "$work/out" "$1.stderr" kvm)" "$1: the same report"
}

# expect NAME STATUS OUTPUT: on each device.
expect() {
	local device

	for device in $devices; do
		is "$(section "$work/out" "$1" "$device")" "$3" "$device $1: output"
		is "$(status "$1" "$device")" "$2" "$device $1: status $2"
	done
	equal "$1"
}

# A guest that checks itself: its checks, and 0 as its status.
relay_guest() {
	local device

	for device in $devices; do
		relay "$work/out" "$1" "$device"
		is "$(status "$1" "$device")" 0 "$device $1: status 0"
	done
	equal "$1"
}

# The VMs were taken apart, also where nothing but a timer stops the guest.
was_rebuilt() {
	local vms times timer

	read -r vms times timer < <(awk '/ rebuilt, / { n++; t += $1; i += $3 }
		END { print n + 0, t + 0, i + 0 }' "$work/out")
	echo "# $vms guests rebuilt $times times, $timer of them where a timer stopped them"
	[ "$times" -gt "$vms" ] && [ "$timer" -gt 0 ] && ! grep -q 'left alone' "$work/out"
	ok $? "VMs were taken apart and rebuilt"
}

# boot OPTION... -- SCRIPT
boot() {
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	# shellcheck disable=SC2046
	lab "$work/out" $(module_option) ${options[@]+"${options[@]}"} --timeout 300 \
		--file "$root/build/tests/rebuild.so" -- \
		sh -c "modprobe kvm_intel ${KVM_OPTIONS-} || exit 1
			devices='$devices'
			${rebuild:+export REBUILD=$rebuild}
			$lab_functions
			$2
			[ ! -e log ] || cat log"
	ok $? "the lab ran, and its kernel had no complaint (${options[*]:-default model}${rebuild:+, rebuilt: seed $rebuild})"
	[ -z "$rebuild" ] || was_rebuilt
}

pair='
# Two guests whose registers have different values: each output is the other
# one'"'"'s input, so that they take turns, on one processor.
pair() {
	local device status
	for device in $devices; do
		mkfifo a b
		exec 3<>a 4<>b
		LD_PRELOAD=$preload minivmm-run --timeout 60 --device /dev/$device fpu1.elf <a >b &
		LD_PRELOAD=$preload minivmm-run --timeout 60 --device /dev/$device fpu2.elf <b >a
		status=$?
		wait $! && [ $status = 0 ]
		status=$?
		exec 3>&- 4>&-
		rm a b
		echo "=== pair $device"
		echo "=== status $status"
		echo "=== pair.stderr $device"
		echo "=== status 0"
	done
}
'

script='
for name in hello16.bin hello32.elf hello64.elf triple.elf hltif.bin; do
	guest $name $name </dev/null
done
guest hello32.bin --mode protected hello32.bin </dev/null
for name in '"$checking"'; do
	case $name in
	highmem.elf) guest $name --memory 4G $name </dev/null ;;
	*) guest $name $name </dev/null ;;
	esac
done
for value in 000 001 077 100 377; do
	printf "\\$value" | guest exitcode-$value exitcode.bin
done
printf "Hello, 16550!\n" | guest echo.elf echo.elf
printf "until \004not this" | guest echo-ctrl-d echo.elf
'

all_guests() {
	boot -- "$script $pair pair"
	expect hello16.bin 0 'Hello from 16-bit real mode.'
	expect hello32.elf 0 'Hello from 32-bit protected mode, paging off.'
	expect hello32.bin 0 'Hello from 32-bit protected mode, paging off.'
	expect hello64.elf 0 'Hello from 64-bit long mode, through page tables of my own.
The same address shows another page now.'
	for name in $checking; do
		relay_guest "$name"
	done
	expect triple.elf 80 'I read an address that is not mapped, without an IDT.'
	expect hltif.bin 84 ''
	expect exitcode-000 0 ''
	expect exitcode-001 1 ''
	expect exitcode-077 63 ''
	expect exitcode-100 63 ''
	expect exitcode-377 63 ''
	expect echo.elf 0 'HELLO, 16550!'
	expect echo-ctrl-d 0 'UNTIL '
	expect pair 0 ''

	# The default model's XSAVE is not one that Linux would use; this one's is.
	boot --model corei7_haswell_4770 -- "guest fpu.elf fpu.elf </dev/null; $pair pair"
	relay_guest fpu.elf
	for device in $devices; do
		[ "$(section "$work/out" fpu.elf "$device" | grep -c XCR0)" -gt 0 ]
		ok $? "$device fpu.elf: with XSAVE"
	done
	expect pair 0 ''
}

for rebuild in '' "${SEED:-1}"; do
	all_guests
done
done_testing
