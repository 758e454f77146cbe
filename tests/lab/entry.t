#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The rules of VM entry against the processor: tests/entry, and
# Documentation/entry-checks.rst. MUTATIONS=, SEED= and MODELS= are for longer
# runs; FIRST= begins at another number, which a report names.

. "$(dirname "$0")/lib.sh"

if [ -n "${LAB_KERNEL:-}" ] && [ -z "${KDIR:-}" ]; then
	skip 'the rules of VM entry' 'for another kernel than the stock one KDIR= must name its headers'
	done_testing
	exit
fi

mutations=${MUTATIONS:-20000} seed=${SEED:-1} first=${FIRST:-0}
models=${MODELS:-corei7_skylake_x}

version=$("${BOCHS:-bochs}" --help 2>&1 </dev/null | sed -n 's/.*Bochs x86 Emulator \([0-9.]*\).*/\1/p')
echo "# Bochs $version; SEED=$seed MUTATIONS=$mutations FIRST=$first"
bochs=$(cut -d. -f1,2 <<<"$version" | tr -d .)

make -s -C "$root" entry >"$work/make.log" 2>&1
ok $? 'the test module is built' || diag <"$work/make.log"
module=$(make -s -C "$root" entry-path)

cat >"$work/entry.sh" <<'END'
mount -t debugfs none /sys/kernel/debug 2>/dev/null
while read -r name arguments; do
	echo "=== $name"
	# shellcheck disable=SC2086
	insmod vmentry.ko $arguments || continue
	cat /sys/kernel/debug/vmentry/report
	rmmod vmentry
done <runs
END
# The first is the test. Then the same twice, and with a rule forgotten.
cat >"$work/runs" <<END
all bochs=$bochs seed=$seed first=$first mutations=$mutations
one bochs=$bochs seed=$seed mutations=1000
two bochs=$bochs seed=$seed mutations=1000
forget bochs=$bochs seed=$seed mutations=1000 forget=bits
END

# part FILE NAME: the report of one run.
part() {
	awk -v mark="=== $2" '$0 == mark { on = 1; next } /^=== / { on = 0 } on' "$1"
}

# value NAME FILE: of the line with the totals.
value() {
	sed -n "s/^total .*$1=\([0-9]*\).*/\1/p" "$2"
}

# What Bochs said in its log at the time of each disagreement.
explain() {
	local line tsc
	while IFS= read -r line; do
		echo "$line"
		tsc=$(sed -n 's/^disagree .*tsc=\([0-9]*\).*/\1/p' <<<"$line")
		[ -z "$tsc" ] || awk -v from="$tsc" '
			/^[0-9]+[a-z]\[CPU0/ {
				at = $0 + 0
				if (at >= from && at < from + 400)
					print "  Bochs: " $0
			}' "$work/log"
	done
}

for model in $models; do
	lab "$work/out" --no-module --model "$model" --timeout 3000 --log "$work/log" \
		--file "$module" --file "$work/entry.sh" --file "$work/runs" -- sh entry.sh
	ok $? "$model: the lab ran, and its kernel had no complaint"
	part "$work/out" all >"$work/all"
	grep -E '^(group|exit|known|left-out|total) ' "$work/all" | diag
	echo "# Bochs named $(grep -oE '(VMFAIL|VMENTER FAIL|LoadMSRs).*' "$work/log" |
		sed -E 's/0x[0-9a-f]+|[0-9]+/N/g' | sort -u | wc -l) rules as broken"
	is "$(value mutations "$work/all")" "$mutations" "$model: all mutations were run"
	is "$(value unknown "$work/all")" 0 "$model: each outcome is the rules', or a known bug of Bochs"
	sed -n '/^disagree/,/^cpu /{/^cpu /!p}' "$work/all" | explain | diag
	grep '^group' "$work/all" | grep -E ' entered=0 | agreed=0 ' >"$work/idle"
	[ ! -s "$work/idle" ] && grep -q '^group' "$work/all"
	ok $? "$model: every group had VM entries that succeeded" || diag <"$work/idle"
	if [ "$mutations" -ge 200000 ] && [ "$model" = corei7_skylake_x ]; then
		grep '^known times=0 ' "$work/all" >"$work/stale"
		[ ! -s "$work/stale" ]
		ok $? "$model: every known bug of Bochs was met" || diag <"$work/stale"
	fi
	# Two things are not the seed's alone: how a guest that was entered left again, for
	# an interrupt of the host can come first; and which addresses were left out, for
	# each load of the module has its pool elsewhere in memory.
	for name in one two; do
		part "$work/out" $name | sed 's/ tsc=[0-9]*//; /^exit /d; /^left-out /d' \
			>"$work/$name"
	done
	[ -s "$work/one" ] && diff "$work/one" "$work/two" >"$work/difference"
	ok $? "$model: the same seed makes the same run" || diag <"$work/difference"
	part "$work/out" forget >"$work/forget"
	[ "$(value unknown "$work/forget")" -gt 0 ] 2>/dev/null
	ok $? "$model: a rule that is missing is noticed"
done
done_testing
