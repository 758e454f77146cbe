# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of this folder share. A test is a bash script that boots the
# lab once or a few times, and says in TAP what came of it.
#
# DEVICES names the devices that the programs run on, "kvm minivmm" when it is
# not set; DEVICES=kvm tries the tests themselves on the oracle alone.
# KVM_OPTIONS are parameters of kvm_intel: KVM_OPTIONS=enable_apicv=0 for Bochs
# 3.0, whose posted interrupts fail KVM's VM entries.

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
devices=${DEVICES:-kvm minivmm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

# ok STATUS NAME: one TAP line; 0 is good. Returns it.
ok() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		return 1
	fi
}

# is GOT WANT NAME
is() {
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		echo "#   got      $1"
		echo "#   expected $2"
	fi
}

# like FILE REGEXP NAME: a line of FILE matches.
like() {
	if grep -Eq -- "$2" "$1"; then
		ok 0 "$3"
	else
		ok 1 "$3"
		echo "#   no line matches: $2"
		sed 's/^/#   /' "$1" | tail -20
	fi
}

# native STATUS REGEXP NAME ARGUMENT...: what minivmm-run answers here, in $work/native.
native() {
	local status=$1 regexp=$2 name=$3 got
	shift 3
	"$root/build/bin/minivmm-run" "$@" >"$work/native" 2>&1 </dev/null
	got=$?
	is "$got" "$status" "$name: status $status"
	like "$work/native" "$regexp" "$name: words"
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

diag() {
	sed 's/^/# /'
}

done_testing() {
	echo "1..$count"
}

# lab FILE ARGUMENT...: scripts/lab, its output in FILE, what it says of itself
# in FILE.err. Returns its status.
lab() {
	local out=$1 status
	shift

	"$root/scripts/lab" --raw "$@" >"$out" 2>"$out.err" </dev/null
	status=$?
	[ "$status" -eq 0 ] || diag <"$out.err"
	return $status
}

# Whether minivmm is among the devices.
with_minivmm() {
	[[ " $devices " = *" minivmm "* ]]
}

# The option that keeps the lab from loading the module when it is not tested.
module_option() {
	with_minivmm || echo --no-module
}

# A shell script for the lab: each program on each device, with marks between;
# $prepare goes first.
script() {
	local program device

	echo "modprobe kvm_intel ${KVM_OPTIONS-} && modprobe msr || exit 1"
	echo "export LAB_PATIENCE=${LAB_PATIENCE:-1}"
	echo "${prepare-}"
	for program; do
		for device in $devices; do
			echo "echo '=== $program $device'"
			echo "$program /dev/$device"
			echo "echo \"=== status \$?\""
		done
	done
}

# section FILE PROGRAM DEVICE: what that program said.
section() {
	awk -v mark="=== $2 $3" '
		$0 == mark { on = 1; next }
		/^=== status / && on { exit }
		on' "$1"
}

# part NAME: what is in $work/out below the mark "=== NAME", which may say more, up to
# the next one.
part() {
	awk -v mark="=== $1" '
		on && /^=== / { exit }
		$0 == mark || index($0, mark " ") == 1 { on = 1; next }
		on' "$work/out"
}

# status_of NAME: the first "=== status N" there.
status_of() {
	awk -v mark="=== $1" '
		$0 == mark { on = 1 }
		on && /^=== status / { print $3; exit }' "$work/out"
}

# differences_of PROGRAM [newer]: the patterns of differences.txt; what a kernel
# has that is not Linux 6.1 is in a file of its own.
differences_of() {
	local kernel files=()

	[ "${2-}" = newer ] || files=("$here/differences.txt")
	kernel=$(echo "${LAB_KERNEL:-none}"/boot/vmlinuz-*)
	kernel=$(sed -nE 's/.*vmlinuz-([0-9]+\.[0-9]+).*/\1/p' <<<"$kernel")
	[ ! -e "$here/differences-$kernel.txt" ] || files+=("$here/differences-$kernel.txt")
	[ ${#files[@]} = 0 ] || sed -n "s/^$1: //p" "${files[@]}"
}

# relay FILE PROGRAM DEVICE: its TAP, with our numbers and its device's name.
# A newer KVM fails where it is known to differ: for TAP that is a TODO, no failure.
relay() {
	local file=$1 program=$2 device=$3 text=$work/relay line status planned known

	section "$file" "$program" "$device" >"$text"
	[ "$device" != kvm ] || while IFS= read -r known; do
		sed -i -E "s~^not ok [0-9]+ - $known.*~& # TODO known of this kernel's KVM~" "$text"
	done < <(differences_of "$program" newer)
	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			count=$((count + 1))
			sed -E "s|^(not )?ok [0-9]+ - |\1ok $count - $device $program: |" \
				<<<"$line"
			;;
		"Bail out!"*) echo "# $line" ;;
		"#"*) echo "$line" ;;
		esac
	done <"$text"
	planned=$(sed -n 's/^1\.\.//p' "$text")
	is "${planned:-no plan}" "$(grep -Ec '^(not )?ok ' "$text")" \
		"$device $program: came to its end"
	status=$(awk -v mark="=== $program $device" '
		$0 == mark { on = 1 }
		/^=== status / && on { print $3; exit }' "$file")
	if [ "${status:-none}" != 0 ] && [ "${status:-none}" != 1 ]; then
		ok 1 "$device $program: exit status ${status:-none}"
	fi
}

# What a program saw: its checks without numbers and results.
seen() {
	section "$1" "$2" "$3" | sed -nE 's/^(not )?ok [0-9]+ - //p'
}

# same FILE PROGRAM: both devices let the program see the same, but for what
# the files of differences name.
same() {
	local file=$1 program=$2 pattern stale=0
	local diff=$work/diff patterns=$work/patterns

	[ "$(wc -w <<<"$devices")" = 2 ] || return 0
	differences_of "$program" >"$patterns"
	diff -U0 <(seen "$file" "$program" kvm) \
		<(seen "$file" "$program" minivmm) |
		sed '1,2d; /^@@/d' >"$diff"
	while IFS= read -r pattern; do
		grep -Eq -- "^[-+]$pattern" "$diff" && continue
		echo "# differences: '$program: $pattern' is none"
		stale=1
	done <"$patterns"
	ok $stale "$program: every known difference is one"
	while IFS= read -r pattern; do
		grep -Ev -- "^[-+]$pattern" "$diff" >"$diff.new"
		mv "$diff.new" "$diff"
	done <"$patterns"
	[ ! -s "$diff" ]
	ok $? "$program: /dev/kvm (-) and /dev/minivmm (+) answer the same"
	diag <"$diff"
}

# Every program on every device in one boot: its own checks, and that both
# devices answer the same.
compare() {
	local options=() program device

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2046
	LAB_PROGRAMS=$* lab "$work/out" $(module_option) \
		${options[@]+"${options[@]}"} -- sh -c "$(script "$@")"
	ok $? "the lab ran, and its kernel had no complaint"
	for program; do
		for device in $devices; do
			relay "$work/out" "$program" "$device"
		done
		same "$work/out" "$program"
	done
}
