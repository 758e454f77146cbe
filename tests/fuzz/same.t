#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The same calls on /dev/kvm and on /dev/minivmm: the same errnos, but for what
# differs on purpose (Documentation/fuzzing.rst).

. "$(dirname "$0")/../lab/lib.sh"

seed=${SEED:-1}
calls=${CALLS:-250}

lab "$work/out" --timeout 300 -- sh -c "
	modprobe kvm_intel || exit 1
	for device in kvm minivmm; do
		echo == \$device
		fuzz_ioctl /dev/\$device seed=$seed calls=$calls threads=0 common=1 log=1
	done"
ok $? "seed $seed: the lab ran, and its kernel had no complaint"

# answers DEVICE: the calls with their errnos. What a guest does between two
# exits, and how long a list is, is compared elsewhere.
answers() {
	sed -n "/^== $1/,/^1\.\./p" "$work/out" | grep -E '^[0-9]+ ' |
		grep -vE ' (KVM_RUN|exit reason of KVM_RUN|KVM_GET_MSR_INDEX_LIST)'
}
answers kvm >"$work/kvm"
answers minivmm >"$work/minivmm"
diff -U0 "$work/kvm" "$work/minivmm" >"$work/diff"
ok $? "$(wc -l <"$work/kvm") answers of /dev/kvm (-) and /dev/minivmm (+) are the same"
diag <"$work/diff"
is "$(grep -c '^ok 1 ' "$work/out")" 2 'and each is one that the call has'
[ "$(wc -l <"$work/kvm")" -ge $((calls / 2)) ]
ok $? 'those are as many as were asked for'
done_testing
