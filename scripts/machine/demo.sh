#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Three guests, one after the other: what each printed, its exit status, its VM
# exits by reason. Runs in the lab, where scripts/lab loaded the module, and ends
# there with Linux as a guest; or on a machine with VT-x:
#
#	demo.sh [--host MODULE BUILD]

dir=/root/guests
loaded=
fail=0

if [ "$1" = --host ]; then
	module=$2
	dir=$3/guests
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
	minivmm-run --stats "$dir/$name" 2>&1
	status=$?
	echo "==== exit status $status"
	[ $status = 0 ] || fail=1
done
guests="three guests"

if [ -f vmlinuz ]; then
	# What costs time here, and has nothing to do with a guest, is off.
	append="console=ttyS0 quiet nokaslr mitigations=off lsm= audit=0 cryptomgr.notests"
	echo
	echo "==== minivmm-run --kernel vmlinuz --initrd initrd --append \"$append\" --cpus 2 --memory 256M"
	{
		# shellcheck disable=SC2016 # the guest's shell is to expand it
		printf 'uname -sr\nnproc\necho $((6 * 7))\npoweroff -f\n' |
			minivmm-run --kernel vmlinuz --initrd initrd --append "$append" \
				--cpus 2 --memory 256M --stats 2>&1
		echo "==== exit status $?"
	} | tr -d '\r' | tee linux.out
	# It did what was typed, and did not only end.
	for line in '^Linux 6' '^42$' '^==== exit status 0$'; do
		grep -q "$line" linux.out || fail=1
	done
	guests="three guests and Linux"
fi

if [ "$loaded" ]; then
	rmmod minivmm || fail=1
fi
echo
if [ $fail = 0 ]; then
	echo "demo: $guests ran."
else
	echo "demo: NOT all guests ran." >&2
fi
exit $fail
