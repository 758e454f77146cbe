#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything at once, on two CPUs: tests/lab/src/storm.c. ROUNDS= sets how long,
# SEED= what happens.

. "$(dirname "$0")/lib.sh"

rounds=${ROUNDS:-2} seed=${SEED:-1}
echo "# ROUNDS=$rounds SEED=$seed"

devices=minivmm
script() {
	printf '%s\n' "echo '=== storm minivmm'" "storm /dev/minivmm $rounds $seed" \
		'echo "=== status $?"'
}
compare --cpus 2 --timeout $((300 + 60 * rounds)) -- storm
done_testing
