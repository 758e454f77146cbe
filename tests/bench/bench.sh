#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a VM exit costs under minivmm and under the kernel's own KVM, in one
# boot of the lab, without and with the host's mitigations. Figures are
# emulated instructions, the same on every run. The lab charges 1 for a VMREAD,
# a WRMSR or an INVEPT: a processor takes more.

set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)

for mitigations in off auto; do
	echo "mitigations=$mitigations"
	"$root/scripts/lab" --append "mitigations=$mitigations" -- sh -c '
		modprobe kvm_intel
		for device in kvm minivmm; do
			bench_exits /dev/$device | sed "s/^/$device\t/"
		done' |
	awk -F '\t' '
		$1 == "kvm" { order[++n] = $2; kvm[$2] = $3 }
		$1 == "minivmm" { ours[$2] = $3 }
		/Bail out!/ { print; bad = 1 }
		END {
			printf "%-36s %12s %12s %7s\n", "", "KVM",
				"minivmm", "ratio"
			for (i = 1; i <= n; i++)
				printf "%-36s %12d %12d %7.2f\n", order[i],
					kvm[order[i]], ours[order[i]],
					ours[order[i]] / kvm[order[i]]
			exit bad
		}'
	echo
done
