# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The tests of this folder run on the debug kernel, whoever starts them.

. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib.sh"

variables=$("$root/scripts/debug-kernel" --print) || {
	echo 'Bail out! the debug kernel is not built: make debug-kernel'
	exit 1
}
# shellcheck disable=SC2034 # detect.t has a use for the second
DEBUG_KERNEL='' DEBUG_KDIR=''
eval "$variables"
# It needs more memory than the lab has otherwise, and is several times slower.
export LAB_KERNEL=$DEBUG_KERNEL LAB_MEMORY=${LAB_MEMORY:-768} LAB_PATIENCE=${LAB_PATIENCE:-5}
