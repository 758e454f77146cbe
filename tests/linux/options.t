#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Linux as a guest with each optional feature of the CPU switched off by its
# parameter, in turn, and with none of them: in one boot of the lab.

. "$(dirname "$0")/../lab/lib.sh"
. "$root/tests/lab/linux/lib.sh"

# What is off already is no case: enable_apicv (Documentation/lab.rst says why).
# pml needs eptad, and is off without it.
cases=(vpid=0 eptad=0 pml=0 flexpriority=0 ple_gap=0
	"vpid=0 eptad=0 pml=0 flexpriority=0 ple_gap=0")

# Bochs does not let an interrupt of the host end a guest that spins with IF = 0: two
# vCPUs on one CPU would wait for each other for ever without PAUSE-loop exiting.
cpus_of() {
	[[ $1 = *ple_gap=0* ]] && echo 1 || echo 2
}

name_of() {
	echo "${*// /,}"
}
for parameters in "${cases[@]}"; do
	cat <<-END
		modprobe minivmm $parameters || exit 1
		for name in ${parameters//=0/}; do
			echo "$(name_of "$parameters"): \$name \$(cat /sys/module/minivmm/parameters/\$name)"
		done
	END
	linux_boot minivmm "$(cpus_of "$parameters")" poweroff "$(name_of "$parameters")"
	echo 'modprobe -r minivmm || exit 1'
done >"$work/script"
linux_lab --no-module --timeout 1200
for parameters in "${cases[@]}"; do
	for name in ${parameters//=0/}; do
		like "$work/plain" "^$(name_of "$parameters"): $name (N|0)\$" \
			"$(name_of "$parameters"): the module says that $name is off"
	done
	linux_check minivmm "$(cpus_of "$parameters")" poweroff "$(name_of "$parameters")"
done
done_testing
