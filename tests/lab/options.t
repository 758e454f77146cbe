#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each optional feature of the CPU switched off by its parameter, in turn: the
# way without it works, too. (Without EPT or unrestricted guest the module does
# not load: refuse.t. What pml, ple_gap and flexpriority change: conformance.t.)

. "$(dirname "$0")/lib.sh"

devices=minivmm
for option in vpid eptad; do
	echo "# without $option"
	prepare="echo \"option \$(cat /sys/module/minivmm/parameters/$option)\""
	compare --cpus 2 --append "minivmm.$option=0" --timeout 300 -- \
		modes memory slots
	like "$work/out" '^option N$' "the module says that $option is off"
done
done_testing
