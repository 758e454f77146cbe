#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Linux under gdb, with the symbols of its vmlinux: the small kernel of tests/qemu.

. "$(dirname "$0")/../lab/lib.sh"
"$root/scripts/qemu-guest" || {
	echo 'Bail out! the guest does not build'
	exit 1
}
. "$root/tests/lab/gdb.sh"
. "$root/tests/lab/linux/lib.sh"

cat >"$work/init" <<'END'
#!/bin/busybox sh
/bin/busybox echo "guest: up"
/bin/busybox poweroff -f
END
linux_initrd "$work/init"

cat >"$work/linux.gdb" <<'END'
file vmlinux
target remote gdb/sock
hbreak start_kernel
continue
printf "at start_kernel: %d\n", $pc == &start_kernel
x/s &linux_banner
delete
watch *(unsigned long *)&jiffies_64
continue
delete
break __x64_sys_reboot
continue
printf "at reboot: %d\n", $pc == &__x64_sys_reboot
backtrace 3
info threads
stepi
stepi
stepi
printf "in reboot: %d\n", $pc > &__x64_sys_reboot && $pc < (char *)&__x64_sys_reboot + 32
delete
continue
END

cat >"$work/script" <<'END'
mkdir gdb
modprobe kvm_intel $KVM_OPTIONS || exit 1
for device in $DEVICES; do
	echo "=== linux $device"
	minivmm-run --device /dev/$device --timeout $((200 * LAB_PATIENCE)) --gdb gdb/sock --kernel bzImage \
		--initrd initrd --append 'console=ttyS0 quiet nokaslr panic=-1' --cpus 2 --memory 256M \
		>guest.out 2>guest.err </dev/null &
	until grep -q 'waiting for gdb' guest.err; do sleep 0.1; done
	gdb -nx -q -batch -iex 'set pagination off' -iex 'set confirm off' -x linux.gdb 2>&1
	wait $!
	echo "=== status $?"
	echo "=== guest $device"
	cat guest.out guest.err
	echo "=== end"
done
END
# shellcheck disable=SC2046
LAB_PROGRAMS=minivmm-run lab "$work/out" $(module_option) --cpus "${LAB_CPUS:-2}" --memory 1024 \
	--file "$gdb:/usr/bin/gdb" --file "$work/script" --file "$work/linux.gdb" --file "$work/initrd" \
	--file "$root/build/qemu/bzImage" --file "$root/build/qemu/vmlinux" -- sh -c \
	"LAB_PATIENCE=${LAB_PATIENCE:-1} DEVICES='$devices' KVM_OPTIONS='${KVM_OPTIONS-}' sh script"
ok $? 'the lab ran, and its kernel had no complaint'
for device in $devices; do
	section "$work/out" linux "$device" >"$work/session"
	told 'a hardware breakpoint before there are page tables' '^at start_kernel: 1$'
	told 'data by its name' '"Linux version 6\.1'
	told 'a watchpoint in an interrupt handler' '^Old value = '
	told 'a software breakpoint' '^at reboot: 1$'
	told 'who called' '^#[12] .* in do_syscall_64 '
	is "$(grep -Ec '^[ *] [12] +Thread [12] \(vCPU [01]' "$work/session")" 2 "$device, both vCPUs"
	told 'steps, without an interrupt in between' '^in reboot: 1$'
	told 'the end' '^\[Inferior 1 .* exited normally\]'
	section "$work/out" guest "$device" >"$work/session"
	told 'the guest came up' '^guest: up'
done
is "$(grep -c '^=== status 0$' "$work/out")" "$(wc -w <<<"$devices")" 'statuses'
done_testing
