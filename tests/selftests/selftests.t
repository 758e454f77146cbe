#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# KVM's own selftests, on kvm_intel and then, with no KVM loaded and /dev/kvm a
# link, on minivmm, in one boot of the lab. What is expected of each is the table
# of Documentation/selftests.rst.
#
# SELFTESTS_DOCUMENT=1 (`make check-selftests DOCUMENT=1`) writes the results of
# the lines that are there; the reasons stay.

. "$(dirname "$0")/../lab/lib.sh"

table=$root/Documentation/selftests.rst
SELFTESTS=''
eval "$("$root/scripts/selftests")"
[ -d "$SELFTESTS" ] || {
	echo 'Bail out! the selftests do not build'
	exit 1
}

# lines_of BEGIN END: "program kvm minivmm" of each line of that table
lines_of() {
	sed -n "/^.. $1/,/^.. $2/s/^\([a-z0-9_\/]*[a-z0-9]\)  *\(pass\|skip\|FAIL\)  *\(pass\|skip\|FAIL\).*/\1 \2 \3/p" "$table"
}

expected=$(lines_of 'table begins' 'table ends')
# What is not run, with the reason, is in the same document.
left_out=$(sed -n '/^.. left out begins/,/^.. left out ends/s/^\([a-z0-9_\/]*[a-z0-9]\)  .*/\1/p' "$table")

cat >"$work/run.sh" <<'END'
cd /root/programs
echo "=== xsave $(grep -c -w xsave /proc/cpuinfo)"
# The library reserves much more than it uses.
echo 1 >/proc/sys/vm/overcommit_memory
all() {
	echo "=== device $1"
	while read -r program; do
		timeout 60 ./$program >/tmp/said 2>&1
		echo "=== $program $?"
		echo "=== clock $(cut -d ' ' -f 1 /proc/uptime)"
		tail -n 12 /tmp/said
	done </root/list
}
# Posted interrupts of some versions of Bochs are broken.
modprobe kvm_intel enable_apicv=0 || exit 1
all kvm
rmmod kvm_intel kvm || exit 1
modprobe minivmm && ln -s minivmm /dev/kvm || exit 1
all minivmm
rm /dev/kvm
END

(cd "$SELFTESTS" && find . -type f -perm -u+x -printf '%P\n') | sort >"$work/programs"
while read -r program; do
	if grep -qxF "$program" <<<"$left_out"; then
		skip "$program" "left out: see Documentation/selftests.rst"
	else
		echo "$program" >>"$work/list"
	fi
done <"$work/programs"

lab "$work/out" --cpus 2 --memory 1024 --timeout 1800 --no-module --file "$SELFTESTS:/root/programs" \
	--file "$work/run.sh" --file "$work/list" -- sh run.sh
ok $? "the lab ran, and its kernel had no complaint"

# A Bochs whose CPU has XSAVE: its lines go before those of the table.
if ! grep -q '^=== xsave 0$' "$work/out"; then
	echo '# Bochs has XSAVE'
	expected=$(lines_of 'xsave begins' 'xsave ends'; echo "$expected")
fi

# What a program's exit status says
result() {
	case $1 in
	0) echo pass ;;
	4) echo skip ;;
	*) echo FAIL ;;
	esac
}

status_of() {
	sed -n "/^=== device $1\$/,/^=== device minivmm\$/s|^=== $2 \([0-9]*\)\$|\1|p" "$work/out" |
		if [ "$1" = kvm ]; then sed -n 1p; else sed -n '$p'; fi
}

: >"$work/new"
while read -r program _; do
	kvm=$(result "$(status_of kvm "$program")")
	minivmm=$(result "$(status_of minivmm "$program")")
	echo "$program $kvm $minivmm" >>"$work/new"
	want=$(sed -n "s|^$program ||p" <<<"$expected" | sed -n 1p)
	is "$kvm $minivmm" "${want:-not in the table}" "$program: KVM, minivmm" || {
		echo "# what it said on KVM, then on minivmm:"
		awk -v program="$program" '/^===/ { on = $2 == program } on' "$work/out" | diag
	}
done <"$work/list"
while read -r program _; do
	[ -z "$program" ] || grep -q "^$program " "$work/new" || ok 1 "$program is in the table and was not run"
done <<<"$expected"

# Both tables at once would be written: it takes the Bochs of the first.
if [ -n "${SELFTESTS_DOCUMENT-}" ] && ! grep -q '^=== xsave 0$' "$work/out"; then
	ok 1 "DOCUMENT=1 writes the table of Debian's Bochs; this is another: leave BOCHS= out"
	SELFTESTS_DOCUMENT=''
fi
[ -z "${SELFTESTS_DOCUMENT-}" ] || while read -r program kvm minivmm; do
	if grep -q "^$program " "$table"; then
		sed -i -E "/^.. table begins/,/^.. table ends/s~^($program +)(pass|skip|FAIL)( +)(pass|skip|FAIL)~\1$kvm\3$minivmm~" "$table"
	else
		echo "# $program has no line: $kvm $minivmm"
	fi
done <"$work/new"
done_testing
