#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Three guests, one after the other: what each printed, its exit status, its VM
# exits by reason. Runs in the lab, where scripts/lab loaded the module, or on a
# machine with VT-x:
#
#	demo.sh [--host MODULE BUILD]

guests=/root/guests
loaded=
fail=0

if [ "$1" = --host ]; then
	module=$2
	guests=$3/guests
	PATH=$3/bin:$PATH
	if [ "$(id -u)" != 0 ]; then
		echo "demo: loading a module needs root: sudo make demo HOST=1" >&2
		exit 1
	fi
	if [ ! -d /sys/module/minivmm ]; then
		echo "demo: insmod $module"
		insmod "$module" || {
			echo "demo: the module did not load; its reason is the last line here:" >&2
			dmesg | grep minivmm | tail -n 3 >&2
			exit 1
		}
		loaded=1
	fi
fi

echo "Linux $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
for name in hello16.bin hello32.elf hello64.elf; do
	echo
	echo "==== minivmm-run --stats $name"
	minivmm-run --stats "$guests/$name" 2>&1
	status=$?
	echo "==== exit status $status"
	[ $status = 0 ] || fail=1
done

if [ "$loaded" ]; then
	rmmod minivmm || fail=1
fi
echo
if [ $fail = 0 ]; then
	echo "demo: three guests ran."
else
	echo "demo: NOT all guests ran." >&2
fi
exit $fail
