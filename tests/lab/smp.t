#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two CPUs; sleep; the ways a machine goes down.

. "$(dirname "$0")/lib.sh"

# The backtraces that smp asks for take more than a millisecond here.
prepare='mount -t debugfs none /sys/kernel/debug
echo 1000000000 >/sys/kernel/debug/x86/nmi_longest_ns'
compare --cpus 2 --timeout 400 -- state life smp suspend

# One CPU; there is nothing that could be moved while the machine sleeps.
compare --timeout 100 -- suspend
done_testing
