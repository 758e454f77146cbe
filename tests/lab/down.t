#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The machine goes down with guests running on both CPUs: off, restart, kexec.

. "$(dirname "$0")/lib.sh"

if ! with_minivmm; then
	skip "the ways down" "minivmm is not tested"
	done_testing
	exit
fi

cat >"$work/guests" <<'EOS'
for cpu in 1 2; do
	taskset $cpu one /dev/minivmm forever >said$cpu &
	while ! grep -q running said$cpu; do usleep 10000; done
done
EOS

# Power off: the lab turns the machine off when its command has ended.
lab "$work/out" --cpus 2 --file "$work/guests" -- sh -c '. ./guests; echo ran'
ok $? "power off: the machine goes off, its kernel had no complaint"
like "$work/out" '^ran$' "power off: guests ran"

# Restart. The emulated machine does not get through its firmware twice, but
# it gets there, and Bochs complains of what that does first on each CPU.
"$root/scripts/lab" --raw --cpus 2 --timeout 60 --log "$work/log" \
	--file "$work/guests" -- sh -c '. ./guests; reboot -f; sleep 60' \
	>"$work/out" 2>&1 </dev/null
for cpu in 0 1; do
	like "$work/log" "CPU$cpu .*WRMSR: IA32_FEATURE_CONTROL.* lock" \
		"restart: the firmware runs on CPU $cpu"
done

# kexec, into the same kernel, which wants both CPUs and VT-x.
folder=${LAB_KERNEL:-$(echo "$root"/build/kernel/*)}
kernel=$(echo "$folder"/boot/vmlinuz-*)
release=${kernel##*/vmlinuz-}
mkdir "$work/initrd"
cp "$root/build/tests/kexec" "$work/initrd/init"
cp "$root/build/tests/one" "$root/build/module-$release/minivmm.ko" "$work/initrd/"
mkdir "$work/initrd/dev"
(cd "$work/initrd" && find . | cpio -o -H newc --quiet) >"$work/initrd.cpio"
"$root/scripts/lab" --raw --cpus 2 --timeout 300 --log "$work/log" \
	--file "$kernel:kernel" \
	--file "$work/initrd.cpio:initrd" -- kexec kernel initrd \
	>"$work/out" 2>&1 </dev/null
like "$work/log" 'after kexec: 2 CPUs' "kexec: the new kernel has both CPUs"
like "$work/log" 'after kexec: the module: Success' "kexec: the module loads"
like "$work/log" 'after kexec: a guest: status 0' "kexec: a guest runs"
done_testing
