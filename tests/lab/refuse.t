#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where minivmm cannot be: each refusal has its own errno and one line in the
# log that says what to do. And machines where it can be, besides the lab's
# usual one.

. "$(dirname "$0")/lib.sh"

if ! with_minivmm; then
	skip "refusals" "minivmm is not tested"
	done_testing
	exit
fi

# refuses MODEL ERROR REGEXP NAME
refuses() {
	lab "$work/out" --no-module --model "$1" -- sh -c '
		insmod /lib/modules/*/extra/minivmm.ko 2>&1
		echo "status $?"
		[ ! -e /dev/minivmm ] && echo no device
		# insmod tries twice, in two ways.
		dmesg | grep "minivmm: " | grep -v taint |
			sed "s/^\[[^]]*\] //" | sort -u
		modprobe msr
		minivmm-check
		echo "check: status $?"'
	ok $? "$1: the lab ran, and its kernel had no complaint"
	like "$work/out" "insmod: can't insert .*: $2\$" "$4: insmod says '$2'"
	like "$work/out" '^no device$' "$4: no device"
	is "$(grep -c 'minivmm: ' "$work/out")" 1 "$4: one line in the log"
	like "$work/out" "$3" "$4: it says why and what to do"
	like "$work/out" '^check: status 1$' "$4: minivmm-check says no"
	like "$work/out" "^FAIL .*$5" "$4: and why"
}

refuses p4_prescott_celeron_336 'Operation not supported' \
	'minivmm: .*this CPU has no VT-x: use another machine, or the lab' "no VMX" \
	'this CPU has no VT-x: use another machine, or the lab'
refuses core2_penryn_t9600 'No such device or address' \
	'lacks "enable EPT".*: use a newer CPU, or the lab' "no EPT" \
	'the CPU lacks "enable EPT"'
refuses corei5_lynnfield_750 'No such device' \
	'lacks "unrestricted guest".*: use a newer CPU, or the lab' \
	"no unrestricted guest" 'the CPU lacks "unrestricted guest"'

# VT-x has one owner.
cat >"$work/held" <<'EOS'
uname -r
wait_for() {
	while ! grep -q running "$1"; do usleep 10000; done
}
modprobe kvm_intel
one /dev/kvm forever >kvm &
wait_for kvm
echo "minivmm beside KVM:"
one /dev/minivmm
dmesg | grep "minivmm: .*in use"
kill -9 $!
wait $! 2>/dev/null
echo "minivmm after KVM:"
one /dev/minivmm
one /dev/minivmm forever >minivmm &
wait_for minivmm
echo "KVM beside minivmm:"
one /dev/kvm
echo "another VM of minivmm:"
one /dev/minivmm
kill -9 $!
wait $! 2>/dev/null
echo "KVM after minivmm:"
one /dev/kvm
EOS
lab "$work/out" --file "$work/held" -- sh held
ok $? "the lab ran, and its kernel had no complaint"

# answers QUESTION REGEXP NAME: the line behind QUESTION
answers() {
	grep -A1 -F "$1" "$work/out" | tail -n 1 >"$work/answer"
	like "$work/answer" "$2" "$3"
}

good='^OUT port=10 size=1 count=1 data=42$'
busy='^Bail out! KVM_CREATE_VM: Device or resource busy$'
# KVM's own answer is EIO from Linux 6.12 on, whatever the reason.
kvm_busy=$busy
case $(head -n 1 "$work/out") in
6.[1-9].* | 6.1[01].*) ;;
*) kvm_busy='^Bail out! KVM_CREATE_VM: Input/output error$' ;;
esac
answers 'minivmm beside KVM:' "$busy" "KVM has VT-x: KVM_CREATE_VM is EBUSY"
like "$work/out" "in use by kvm_intel: .*modprobe -r kvm_intel" \
	"the log names kvm_intel and the remedy"
answers 'minivmm after KVM:' "$good" "KVM's VM is gone: a guest runs"
answers 'KVM beside minivmm:' "$kvm_busy" "minivmm has VT-x: KVM's is refused"
answers 'another VM of minivmm:' "$good" "a second VM of our own runs"
answers 'KVM after minivmm:' "$good" "minivmm's VM is gone: KVM's guest runs"

# Processors from 2010 to 2013. The last one has XSAVE and AVX, which the
# lab's usual model does not show to this kernel.
devices=minivmm
for model in corei5_arrandale_m520 corei7_sandy_bridge_2600k \
	corei7_haswell_4770; do
	echo "# $model"
	compare --model "$model" -- state exits_cpu exits_event modes
done
done_testing
