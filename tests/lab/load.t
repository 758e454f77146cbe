#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module comes and goes.

. "$(dirname "$0")/lib.sh"

if ! with_minivmm; then
	skip "two hundred loads and unloads" "minivmm is not tested"
	done_testing
	exit
fi

# Every other time a guest runs. What is left of 100 pages, or of 100 of
# anything else, shows in the number of pages in use (see life.c).
cat >"$work/loads" <<'EOS'
in_use() {
	awk '/^pgalloc_/ { n += $2 } /^pgfree / { n -= $2 } END { printf "%d\n", n }' \
		/proc/vmstat
}
i=0
while [ $i -lt 200 ]; do
	rmmod minivmm || { echo "rmmod failed"; exit 1; }
	modprobe minivmm || { echo "modprobe failed"; exit 1; }
	if [ $((i % 2)) = 0 ]; then
		one /dev/minivmm
	fi
	if [ $i = 20 ]; then
		before=$(in_use)
	fi
	i=$((i + 1))
done
after=$(in_use)
echo "$i loads"
echo "lost $((after - before))"
rmmod minivmm
[ ! -e /dev/minivmm ] && echo "device gone"

# While a guest runs.
modprobe minivmm
one /dev/minivmm forever >said &
while ! grep -q running said; do usleep 10000; done
rmmod minivmm && echo "unloaded under a guest"
kill -9 $!
wait $! 2>/dev/null
rmmod minivmm && echo "unloaded after it"
EOS
lab "$work/out" --timeout 300 --file "$work/loads" -- sh loads
ok $? "the lab ran, and its kernel had no complaint"
is "$(grep -c '^OUT port=10 size=1 count=1 data=42$' "$work/out")" 100 \
	"guests that ran"
like "$work/out" '^200 loads$' "two hundred loads and unloads"
lost=$(sed -n 's/^lost //p' "$work/out")
[ "${lost:-999999}" -lt 45 ]
ok $? "less than a page lost with each"
echo "# ${lost:-?} pages"
like "$work/out" '^device gone$' "the device goes with the module"
! grep -q '^unloaded under' "$work/out"
ok $? "unloading is refused while a guest runs"
like "$work/out" '^unloaded after it$' "and works when it is gone"
done_testing
