#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory runs out in the middle of every call, of loading the module, and of a
# CPU's entry into VMX operation. That nothing leaks is the debug kernel's to
# say, at the end of each run.

. "$(dirname "$0")/lib.sh"

devices=minivmm
compare --timeout 600 -- failnth

script() {
	printf '%s\n' "echo '=== failload minivmm'" 'failload /dev/minivmm' \
		'echo "=== status $?"'
}
compare --no-module --cpus 2 --timeout 1200 -- failload
done_testing
