#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guest memory: given and taken back under a running guest, and the slots that
# say where it is. On /dev/kvm and on /dev/minivmm in the same boot, compared
# line by line.

. "$(dirname "$0")/lib.sh"

compare --cpus 2 --timeout 500 -- memory
done_testing
