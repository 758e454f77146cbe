#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The debug kernel itself: it must find the mistakes that it is there for, and
# the lab must not call good what it reports.

. "$(dirname "$0")/lib.sh"

cp "$here"/../debug/wrong/* "$work"
make -s -C "$DEBUG_KDIR" M="$work" modules >"$work/make.log" 2>&1
status=$?
ok $status 'a module of mistakes is built'
if [ $status != 0 ]; then
	diag <"$work/make.log"
	done_testing
	exit
fi

# Lockdep stops after its first report, and after one of KASAN's; a corrupted
# list ends the program that loads the module.
mistakes=(lock-order sleep-in-atomic preemptible array-index shift free-timer
	use-after-free vmalloc-overrun stack-overrun leak list-corruption)

cat >"$work/all.sh" <<'END'
grep -q 'debug_locks: *1' /proc/lockdep_stats && echo lockdep works
for what; do
	insmod wrong.ko what=$what
	rmmod wrong
done
END
lab "$work/out" --no-module --log "$work/log" --append kasan_multi_shot \
	--file "$work/wrong.ko" --file "$work/all.sh" -- sh all.sh "${mistakes[@]}" >"$work/lab"
is $? 123 'reports of the kernel fail the run'
like "$work/out" 'lockdep works' 'lockdep still works after the boot'

# found WHAT REGEXP: what the kernel said after that mistake and before the next.
found() {
	awk -v mark="wrong: $1\$" '
		/ wrong: [-a-z]+$/ { on = $0 ~ mark }
		on' "$work/log" >"$work/part"
	like "$work/part" "$2" "found: $1"
}

found lock-order 'possible circular locking dependency detected'
found sleep-in-atomic 'sleeping function called from invalid context'
found preemptible 'using smp_processor_id\(\) in preemptible'
found array-index 'UBSAN: array-index-out-of-bounds'
found shift 'UBSAN: shift-out-of-bounds'
found free-timer 'ODEBUG: free active .*timer_list'
found use-after-free 'KASAN: (slab-)?use-after-free'
found vmalloc-overrun 'KASAN: vmalloc-out-of-bounds'
found stack-overrun 'KASAN: stack-out-of-bounds'
found list-corruption 'list_del corruption'
like "$work/log" 'unreferenced object .*size 512' 'found: leak'
done_testing
