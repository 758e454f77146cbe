#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The short part of check-debug, in one boot: the calls, the lives
# of descriptors and owners, calls without memory, and one round of the storm.

. "$(dirname "$0")/lib.sh"

devices=minivmm
compare --cpus 2 --timeout 900 -- \
	ioctl_system ioctl_vcpu ioctl_run exits_event life failnth storm
done_testing
