#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The native fuzzers of tests/fuzz/parsers, each for RUNS inputs from seed SEED
# on, or for FUZZ_SECONDS together: Documentation/fuzzing.rst. What they find that is new
# is in build/fuzz/corpus; an input that fails is in build/fuzz/.

. "$(dirname "$0")/../lab/lib.sh"

runs=${RUNS:-20000}
seed=${SEED:-1}
limit=(-runs="$runs")
# They share the time.
parsers=$(find "$root/tests/fuzz/parsers" -name '*.c' ! -name '*_run.c' | wc -l)
[ -z "${FUZZ_SECONDS-}" ] || limit=(-max_total_time=$((FUZZ_SECONDS / parsers + 1)))

make -s -C "$root/tests/fuzz/parsers" >"$work/make.log" 2>&1
ok $? 'the fuzzers are built' || diag <"$work/make.log"

for source in "$root"/tests/fuzz/parsers/*.c; do
	name=$(basename "$source" .c)
	[[ $name != *_run ]] || continue
	mkdir -p "$root/build/fuzz/corpus/$name"
	"$root/build/fuzz/parsers/$name" "${limit[@]}" -seed="$seed" -timeout=10 \
		-artifact_prefix="$root/build/fuzz/$name-" "$root/build/fuzz/corpus/$name" \
		"$root/tests/fuzz/corpus/$name" >"$work/log" 2>&1
	status=$?
	ok $status "$name"
	[ $status -eq 0 ] || tail -30 "$work/log" | diag
	sed -n 's/^Done/# &/p' "$work/log"
done
done_testing
