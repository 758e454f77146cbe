#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Linux as a guest, again and again in one boot of the lab, with 1, 2 and 4 CPUs in
# turn: each comes to its shell, does what is typed, and powers off. BOOTS=50 sets
# how many.

. "$(dirname "$0")/../lab/lib.sh"
. "$root/tests/lab/linux/lib.sh"

boots=${BOOTS:-50}
linux_initrd "$root/scripts/guest/init"
# shellcheck disable=SC2016 # the guest's shell is to expand it
echo 'echo "$(uname -s) counts $((6 * 7)) on $(nproc) CPUs"; poweroff -f' >"$work/typed"
cat >"$work/script" <<END
i=0
while [ \$i -lt $boots ]; do
	cpus=\$((1 << i % 3))
	i=\$((i + 1))
	echo "=== boot \$i"
	minivmm-run --timeout $((100 * ${LAB_PATIENCE:-1})) --kernel vmlinuz --initrd initrd \\
		--append "$linux_append" --cpus \$cpus --memory 256M <typed 2>&1
	echo "=== status \$? of boot \$i, \$cpus CPUs"
done
END
linux_lab --timeout $((60 * boots))
good=0
for i in $(seq "$boots"); do
	cpus=$((1 << (i - 1) % 3))
	sed -n "/^=== boot $i\$/,/^=== status .* of boot $i,/p" "$work/plain" >"$work/section"
	if grep -q "^Linux counts 42 on $cpus CPUs\$" "$work/section" &&
		grep -q "^=== status 0 of boot $i, $cpus CPUs\$" "$work/section"; then
		good=$((good + 1))
	else
		echo "# boot $i, $cpus CPUs:"
		diag <"$work/section"
	fi
done
is "$good" "$boots" "$boots boots: each comes to its shell and powers off"
done_testing
