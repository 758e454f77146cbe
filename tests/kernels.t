#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernels of other Debian suites (SUITES="trixie"): the module builds there
# without a warning, and runs, or refuses with its reason. The whole lab suite
# on them is `make check-kernels`.

. "$(dirname "$0")/lab/lib.sh"

# What is expected of which kernel: answers, that the module runs there; keeps,
# that the kernel keeps VT-x for KVM.
expected() {
	case $1 in
	6.1.* | 6.12.*) echo answers ;;
	7.2.*) echo keeps ;;
	*) echo unknown ;;
	esac
}

# A guest, and programs of the interface's tests on both devices in one boot.
answers() {
	lab "$work/hello" --kernel "$KERNEL" -- sh -c \
		'uname -r; minivmm-run --stats guests/hello64.elf 2>&1'
	ok $? "$suite: a guest runs, and the kernel has no complaint"
	like "$work/hello" "^$pattern\$" "$suite: on that kernel"
	like "$work/hello" 'Hello from 64-bit' "$suite: the guest says so"
	like "$work/hello" '^ +[1-9][0-9]*  in all' "$suite: its exits are counted"
	export LAB_KERNEL=$KERNEL
	compare -- ioctl_system ioctl_run exits_cpu exits_event modes
	unset LAB_KERNEL
}

# The module refuses with its reason, twice, and the machine goes on: KVM then
# runs a guest. Bochs 2.7's usual model has XSAVE leaves that 7.2 panics of.
keeps() {
	lab "$work/refuse" --kernel "$KERNEL" --no-module --model corei7_haswell_4770 -- sh -c '
		uname -r
		for n in 1 2; do
			insmod /lib/modules/*/extra/minivmm.ko 2>&1
			echo "status $?"
		done
		[ -e /dev/minivmm ] || echo no device
		dmesg | grep "minivmm: " | sed "s/^\[[^]]*\] //" | sort -u
		modprobe kvm_intel && minivmm-run --device /dev/kvm guests/hello64.elf
		echo "machine lives"'
	ok $? "$suite: the lab ran, and its kernel had no complaint"
	like "$work/refuse" "^$pattern\$" "$suite: on that kernel"
	is "$(grep -c '^status [1-9]' "$work/refuse")" 2 "$suite: insmod fails, each time"
	like "$work/refuse" "can't insert .*: .*(unknown symbol|No such file)" "$suite: with ENOENT"
	like "$work/refuse" \
		'cannot use VT-x: this kernel lets only KVM.s modules use VT-x .*: boot Linux 6.1 or 6.12' \
		"$suite: the log says why and what to do"
	like "$work/refuse" '^no device$' "$suite: no device"
	like "$work/refuse" 'Hello from 64-bit' "$suite: KVM runs a guest afterwards"
	like "$work/refuse" '^machine lives$' "$suite: the machine lives"
}

for suite in ${SUITES-trixie}; do
	"$root/scripts/kernel" --warn "$suite" >"$work/variables" 2>"$work/said"
	status=$?
	if [ $status = 77 ]; then
		skip "$suite" "$(tail -1 "$work/said")"
		continue
	fi
	ok $status "$suite: the module builds, and W=1 and sparse find nothing"
	if [ $status != 0 ]; then
		diag <"$work/said"
		continue
	fi
	KERNEL='' RELEASE='' VERSION='' COMPILER=''
	. "$work/variables"
	echo "# $suite: Linux $VERSION, $COMPILER"
	# A regular expression: the + of +deb13 is none.
	pattern=${RELEASE//+/[+]}
	case $(expected "$RELEASE") in
	answers) answers ;;
	keeps) keeps ;;
	*) ok 1 "$suite: Linux $RELEASE is new here: see Documentation/kernels.rst, and say in this test what it does" ;;
	esac
done
done_testing
