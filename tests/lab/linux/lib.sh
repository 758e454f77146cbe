# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Linux as a guest of the launcher, for the tests here and in tests/linux: init is
# the guest's first program.

: "${root:?tests/lab/lib.sh comes first}" "${work:?}"

newest_kernel() {
	find "$root/build/kernel" -maxdepth 3 -name 'vmlinuz-*' 2>/dev/null | sort -V | tail -1
}
kernel=$(newest_kernel)
if [ -z "$kernel" ]; then
	# The lab fetches it.
	lab "$work/out" --no-module -- true
	kernel=$(newest_kernel)
fi
[ -n "$kernel" ] || {
	echo 'Bail out! no build/kernel/*/boot/vmlinuz-*'
	exit 1
}

# linux_initrd INIT: $work/initrd, with busybox and this first program.
linux_initrd() {
	rm -rf "$work/tree"
	mkdir -p "$work/tree/bin"
	cp "$(type -P busybox)" "$work/tree/bin/busybox"
	install -m 755 "$1" "$work/tree/init"
	(cd "$work/tree" && find . -mindepth 1 | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --quiet) >"$work/initrd"
}
linux_initrd "$root/tests/lab/linux/init"

# What the guest reads; what it is to print in between must be all there.
seq -f 'input %g, which is of the length of a line that somebody typed' 20 >"$work/typed"
typed_sum=$(md5sum <"$work/typed")

# What costs a boot seconds here, and has nothing to do with a hypervisor.
linux_append='console=ttyS0 quiet nokaslr panic=-1 mitigations=off lsm= audit=0 cryptomgr.notests'
# 4 vCPUs on one CPU of a slow host: the guest's RCU is to be as patient as we are.
linux_append+=" rcupdate.rcu_cpu_stall_timeout=$((21 * ${LAB_PATIENCE:-1}))"
linux_append+=" watchdog_thresh=$((10 * ${LAB_PATIENCE:-1}))"

# linux_boot DEVICE CPUS HOW [NAME]: one boot, of a script for the lab. The name is
# for linux_check; without, there is one boot of so many CPUs.
linux_boot() {
	cat <<-END
		echo "=== ${4-$2} $1"
		read -r began rest </proc/uptime
		{ cat typed; echo end; echo $3; } | minivmm-run --device /dev/$1 \\
			--timeout $((100 * ${LAB_PATIENCE:-1})) --kernel vmlinuz --initrd initrd \\
			--append "$linux_append test.cpus=$2 test.patience=${LAB_PATIENCE:-1}" --cpus $2 --memory 256M 2>&1
		status=\$?
		read -r ended rest </proc/uptime
		echo
		echo "launcher: from \$began to \$ended s"
		echo "=== status \$status"
	END
}

# linux_lab OPTION...: runs $work/script in the lab; what came of it is in $work/plain.
linux_lab() {
	LAB_PROGRAMS=minivmm-run lab "$work/out" "$@" --cpus "${LAB_CPUS:-2}" --memory 1024 \
		--file "$kernel:/root/vmlinuz" --file "$work/initrd" --file "$work/typed" \
		--file "$work/script" -- sh script
	ok $? "the lab ran, and its kernel had no complaint"
	tr -d '\r' <"$work/out" >"$work/plain"
}

# linux_check DEVICE CPUS HOW [NAME]: what linux_boot was to show.
linux_check() {
	local device=$1 cpus=$2 how=$3 mark=${4-$2} name line want words
	name="$device, ${4+$4, }$cpus CPUs"

	section "$work/plain" "$mark" "$device" >"$work/section"
	like "$work/section" "^guest: Linux 6\.1.* with $cpus CPUs is up" "$name: it boots" ||
		diag <"$work/section"
	while read -r line; do
		case $line in
		"ok "*) ok 0 "$name: ${line#ok }" ;;
		"not ok "*) ok 1 "$name: ${line#not ok }" ;;
		esac
	done <"$work/section"
	is "$(grep -Ec '^(not )?ok ' "$work/section")" $((cpus > 1 ? 17 : 16)) "$name: all was tried"
	is "$(sed -n 's/^input: //p' "$work/section")" "$typed_sum" "$name: reads what was typed"
	is "$(sed -n '/^line 1:/,/^line 150:/p' "$work/section" | diff - <(
		seq -f 'line %g: the quick brown fox jumps over the lazy dog' 150) 2>&1)" "" \
		"$name: prints all that it prints"
	case $how in
	poweroff) want=0 words='^guest: poweroff' ;;
	reboot) want=86 words='^minivmm-run: the guest reset the machine' ;;
	panic) want=86 words='Kernel panic - not syncing: sysrq triggered crash' ;;
	esac
	is "$(awk -v mark="=== $mark $device" '$0 == mark { on = 1 }
		/^=== status / && on { print $3; exit }' "$work/plain")" "$want" "$name: $how: status $want"
	like "$work/section" "$words" "$name: $how: words"
	sed -n "s/^launcher: /# $name: /p; s/^guest: Linux/# &/p" "$work/section"
}
