#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The interface: every ioctl's good and bad arguments, every exit, on /dev/kvm
# and on /dev/minivmm in the same boot, and the two compared line by line.

. "$(dirname "$0")/lib.sh"

compare --timeout 300 -- \
	ioctl_system ioctl_vcpu ioctl_run exits_io exits_cpu exits_event modes
done_testing
