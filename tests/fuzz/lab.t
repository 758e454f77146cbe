#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The fuzzers of the interface and of the guest, for CALLS calls and STREAMS
# streams from seed SEED on; with FUZZ_SECONDS in one boot of the lab after the
# other, until so many seconds are over. Documentation/fuzzing.rst.

. "$(dirname "$0")/../lab/lib.sh"

seed=${SEED:-1}
seconds=${FUZZ_SECONDS:-0}
[ "$seconds" -eq 0 ] && calls=${CALLS:-500} || calls=${CALLS:-2000}
[ "$seconds" -eq 0 ] && streams=${STREAMS:-100} || streams=${STREAMS:-500}
threads=${THREADS:-2}
device=/dev/${DEVICE:-minivmm}
# Not in make check, as long as what it finds by chance is not understood.
[ "$seconds" -eq 0 ] && interrupts=${INTERRUPTS:-0} || interrupts=${INTERRUPTS:-1}

cat >"$work/fuzz.sh" <<'EOS'
seed=$1 calls=$2 streams=$3 threads=$4 device=$5 interrupts=$6
modprobe msr || exit 1
[ "$device" != /dev/kvm ] || modprobe kvm_intel || exit 1
fuzz_guest "$device" seed=$seed streams=$streams interrupts=$interrupts
fuzz_ioctl "$device" seed=$seed calls=$calls threads=$threads
fuzz_ioctl "$device" seed=$((seed + 1)) calls=$calls threads=0
EOS

while :; do
	lab "$work/out" --cpus 2 --timeout 1200 --file "$work/fuzz.sh" -- \
		sh fuzz.sh "$seed" "$calls" "$streams" "$threads" "$device" "$interrupts"
	ok $? "seed $seed: the lab ran, its kernel had no complaint, the module unloaded"
	while IFS= read -r line; do
		case $line in
		"ok "*) ok 0 "${line#ok [0-9]* - }" ;;
		"not ok "*) ok 1 "${line#not ok [0-9]* - }" ;;
		"Bail out!"*) ok 1 "${line#Bail out! }" ;;
		"#"*) echo "$line" ;;
		esac
	done <"$work/out"
	is "$(grep -c '^1\.\.' "$work/out")" 3 'all three came to their end'
	seed=$((seed + streams))
	[ "$SECONDS" -lt "$seconds" ] || break
done
done_testing
