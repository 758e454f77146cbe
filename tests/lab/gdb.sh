# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian's gdb for the lab: gdb-minimal, which has neither Python nor 100 MB of
# libraries. Its package is unpacked and not installed, since gdb's own is in its way.

: "${root:?tests/lab/lib.sh comes first}" "${work:?}"

gdb=$root/build/gdb/usr/bin/gdb
if [ ! -x "$gdb" ]; then
	mkdir -p "$root/build/gdb"
	(cd "$root/build/gdb" && apt-get -q download gdb-minimal && dpkg-deb -x gdb-minimal_*.deb .) \
		>"$work/apt" 2>&1 || {
		diag <"$work/apt"
		echo 'Bail out! no gdb-minimal'
		exit 1
	}
fi

# told NAME REGEXP: a line of $work/session, of $device
# shellcheck disable=SC2154
told() {
	like "$work/session" "$2" "$device, $1"
}
