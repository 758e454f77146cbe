#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Programs of the interface's tests, with their VMs taken apart and rebuilt in the
# middle (rebuild/rebuild.c): SEED= says where. Their guests must not notice; what
# the devices answer differently is interface.t's business. exits_event is not one of
# them: a new VM's EPT is empty, and Bochs 2.7 ends a single step before an instruction
# that has an EPT violation, under KVM as well.

. "$(dirname "$0")/lib.sh"

seed=${SEED:-1}
programs='rebuilt_exits_io rebuilt_mmio rebuilt_modes'
prepare="export REBUILD=$seed REBUILD_LOG=\$PWD/log"
# shellcheck disable=SC2046,SC2086
LAB_PROGRAMS=$programs lab "$work/out" $(module_option) --timeout 300 -- \
	sh -c "$(script $programs); cat log"
ok $? "seed $seed: the lab ran, and its kernel had no complaint"
for program in $programs; do
	for device in $devices; do
		relay "$work/out" "$program" "$device"
	done
done
sed -n 's/.* rebuilt, /# &/p' "$work/out"
is "$(grep -c '^[1-9][0-9]* rebuilt, ' "$work/out")" \
	$(($(wc -w <<<"$programs") * $(wc -w <<<"$devices"))) "each was taken apart and rebuilt"
done_testing
