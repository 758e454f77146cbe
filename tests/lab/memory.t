#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guest memory: given and taken back under a running guest, in pages of all
# sizes, and the slots that say where it is. On /dev/kvm and on /dev/minivmm in
# the same boot, compared line by line.

. "$(dirname "$0")/lib.sh"

echo "# two CPUs"
compare --cpus 2 --timeout 500 -- memory slots

echo "# pages up to 1 GiB, executable"
compare --memory 2560 --append 'hugepagesz=1G hugepages=1' --timeout 300 -- huge

echo "# no accessed bits in EPT; large pages not executable (iTLB multihit)"
compare --model corei7_sandy_bridge_2600k --append mitigations=auto \
	--timeout 500 -- memory huge
done_testing
