#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a guest and its owner could do to the host: its registers, its memory,
# its module.

. "$(dirname "$0")/lib.sh"

# minivmm first: KVM leaves limits of descriptor tables changed.
! with_minivmm || devices="minivmm kvm"
compare --timeout 300 -- state owner32 life

# The same with the mitigations that users have, and what else enters guests.
devices=${DEVICES:-minivmm}
compare --append mitigations=auto --timeout 300 -- \
	state owner32 ioctl_run exits_io exits_event modes
done_testing
