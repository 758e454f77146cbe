#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The timeline of a run: the ring of VM exits.

. "$(dirname "$0")/lib.sh"

{
	script record
} >"$work/all.sh"
lab "$work/out" --timeout 300 --cpus 2 --file "$work/all.sh" -- sh all.sh
ok $? 'the lab came to its end'
for device in $devices; do
	relay "$work/out" record "$device"
done
done_testing
