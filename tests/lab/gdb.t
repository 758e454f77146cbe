#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# minivmm-run --gdb, with Debian's gdb in the lab. Addresses are those of the linker.

. "$(dirname "$0")/lib.sh"

. "$here/gdb.sh"

guests=$root/build/guests
# symbols GUEST: of a flat binary, linked as that was.
symbols() {
	ld -m elf_x86_64 -z noexecstack -Ttext=0x7c00 -e start -o "$work/$1.sym" \
		"$guests/obj/64/$1.o"
}
symbols modes

# at FILE SYMBOL: its address, without zeroes before it.
at() {
	nm "$1" | sed -n "s/^0*\([0-9a-f]*\) . $2$/\1/p"
}

# From mode to mode; gdb learns a new one when it connects anew. The first step is not
# at the first instruction: Bochs 2.7 tells of a step, with KVM as well, when fetching
# the instruction was an EPT violation.
cat >"$work/modes.gdb" <<'END'
add-symbol-file modes.sym
target remote gdb/sock
show architecture
printf "pc %x\n", $pc
printf "cr0.pe %d\n", $cr0 & 1
hbreak *start+3
continue
printf "break %x\n", $pc
stepi
printf "next %x\n", $pc
delete
hbreak protected32
continue
disconnect
target remote gdb/sock
show architecture
printf "pc %x cs %x cr0.pe %d\n", $pc, $cs, $cr0 & 1
stepi
stepi
printf "ds %x\n", $ds
delete
break long64
continue
disconnect
target remote gdb/sock
show architecture
printf "pc %lx cs %x efer %lx\n", $pc, $cs, $efer
stepi
printf "rax %lx\n", $rax
set $rax = 0x1234567800000000
delete
continue
END

# Through the guest's page tables: the text is at the top of the address space.
cat >"$work/long.gdb" <<'END'
file hello64.elf
target remote 127.0.0.1:1234
break print
continue
printf "at print: %d, %lx\n", $pc == &print, $rdi
x/5c $rdi
set {char[5]}$rdi = {'J', 'e', 'l', 'l', 'o'}
p/x *(unsigned char *)&print == 0xcc
delete
watch *(unsigned long *)((char *)&high_pt + 4088)
continue
printf "entry: %d\n", *(unsigned long *)((char *)&high_pt + 4088) != 0
delete
hbreak print
continue
x/3c $rdi
monitor registers
monitor help
delete
continue
END

cat >"$work/loop.gdb" <<'END'
target remote 127.0.0.1:1234
shell (sleep 2; kill -INT $PPID) &
continue
printf "if %d\n", $eflags >> 9 & 1
p $pc == $pc
kill
END

cat >"$work/triple.gdb" <<'END'
file triple.elf
target remote 127.0.0.1:1234
continue
printf "in main: %d, cr2 %lx\n", $pc > &main && $pc < &print, $cr2
continue
END

cat >"$work/cpus.gdb" <<'END'
file cpus.elf
target remote 127.0.0.1:1234
info threads
break ap_main
continue
printf "at ap_main: %d\n", $pc == &ap_main
info threads
stepi
printf "stepped: %d\n", $pc != &ap_main
thread 1
printf "first: %d\n", $pc > &main && $pc < &done
delete
continue
END

cat >"$work/nobody.gdb" <<'END'
target remote 127.0.0.1:1234
x/xb 0x123456789000
END

cat >"$work/again.gdb" <<'END'
target remote 127.0.0.1:1234
printf "if %d\n", $eflags >> 9 & 1
kill
END

cat >"$work/script" <<'END'
ifconfig lo up
mkdir gdb
modprobe kvm_intel $KVM_OPTIONS || exit 1
# session NAME PLACE ARGUMENT...: a guest, and gdb with its script.
session() {
	name=$1 place=$2
	shift 2
	echo "=== $name $device"
	minivmm-run --device /dev/$device --timeout $((100 * LAB_PATIENCE)) --gdb $place "$@" \
		>guest.out 2>guest.err &
	until grep -q 'waiting for gdb' guest.err; do sleep 0.1; done
	gdb -nx -q -batch -iex 'set pagination off' -iex 'set confirm off' -x $name.gdb 2>&1
	echo "gdb $?"
	wait $!
	echo "=== status $?"
	echo "=== guest-$name $device"
	cat guest.out
	echo "=== notes-$name $device"
	cat guest.err
	echo "=== end"
}
for device in $DEVICES; do
	session modes gdb/sock modes.bin
	[ ! -e gdb/sock ] && echo "socket: removed"
	session long 1234 hello64.elf
	session loop 127.0.0.1:1234 loop.bin
	session triple 1234 triple.elf
	session cpus 1234 --kernel cpus.elf --cpus 2 --append 2
	session nobody 1234 hello64.elf
	echo "=== lost $device"
	minivmm-run --device /dev/$device --timeout $((100 * LAB_PATIENCE)) --gdb 1234 loop.bin >guest.out 2>guest.err &
	until grep -q 'waiting for gdb' guest.err; do sleep 0.1; done
	minivmm-run --device /dev/$device --gdb 1234 loop.bin 2>&1
	echo "port: $?"
	gdb -nx -q -batch -ex 'target remote 127.0.0.1:1234' -ex continue >lost.out 2>&1 &
	until grep -q looping guest.out; do sleep 0.1; done
	kill -9 $!
	until grep -q 'gdb is gone' guest.err; do sleep 0.1; done
	gdb -nx -q -batch -iex 'set confirm off' -x again.gdb 2>&1
	wait
	cat guest.err
	echo "=== end"
done
echo "=== refused"
minivmm-run --gdb /nonsense/sock hello64.elf 2>&1
echo "=== status $?"
END
files=()
for file in "$work"/{modes,long,loop,triple,cpus,nobody,again}.gdb "$work/script" "$work/modes.sym" \
	"$guests"/{modes.bin,hello64.elf,loop.bin,triple.elf,cpus.elf}; do
	files+=(--file "$file")
done
# shellcheck disable=SC2046
LAB_PROGRAMS=minivmm-run lab "$work/out" $(module_option) --cpus "${LAB_CPUS:-2}" --memory 1024 \
	--file "$gdb:/usr/bin/gdb" "${files[@]}" -- sh -c \
	"LAB_PATIENCE=${LAB_PATIENCE:-1} DEVICES='$devices' KVM_OPTIONS='${KVM_OPTIONS-}' sh script"
ok $? 'the lab ran, and its kernel had no complaint'

start=$(at "$work/modes.sym" start)
p32=$(at "$work/modes.sym" protected32)
l64=$(at "$work/modes.sym" long64)
for device in $devices; do
	section "$work/out" modes "$device" >"$work/session"
	told 'real mode: architecture' '"i8086"'
	told 'real mode: the first instruction' "^pc $start\$"
	told 'real mode: system registers' '^cr0.pe 0$'
	# mov %cr0, %eax; and $0x80000001, %eax
	told 'real mode: a hardware breakpoint' "^break $(printf %x $((0x$start + 3)))\$"
	told 'real mode: a step' "^next $(printf %x $((0x$start + 9)))\$"
	told 'protected mode: architecture' '"i386"'
	told 'protected mode: a hardware breakpoint' "^pc $p32 cs 18 cr0.pe 1\$"
	told 'protected mode: steps' '^ds 20$'
	told 'long mode: architecture' '"i386:x86-64"'
	told 'long mode: a software breakpoint' "^pc $l64 cs 28 efer 500\$"
	told 'long mode: a step' '^rax 123456789abcdef0$'
	# R15 is to be what RAX was, and is not now: the guest's tenth check.
	section "$work/out" guest-modes "$device" >"$work/session"
	told 'what gdb wrote is what the guest has' '^not ok 10 - R15'
	section "$work/out" long "$device" >"$work/session"
	told 'long mode: a linear address' '^at print: 1, fffffffffffff000$'
	told 'long mode: memory' "72 'H'.*101 'e'.*111 'o'"
	told 'our INT3 is not seen' '^.1 = 0x0$'
	told 'a watchpoint' '^Hardware watchpoint 2: '
	told 'a watchpoint: it is hit' '^Old value = '
	told 'a hardware breakpoint' "84 'T'.*104 'h'"
	told 'monitor registers' '^ *RIP .*64-bit mode'
	told 'monitor help' '^registers  all registers'
	told 'the end' '^\[Inferior 1 .* exited normally\]'
	section "$work/out" guest-long "$device" >"$work/session"
	told 'what gdb wrote is what the guest prints' '^Jello from 64-bit long mode'
	section "$work/out" loop "$device" >"$work/session"
	told 'Ctrl-C' '^Program received signal SIGINT'
	told 'Ctrl-C: where it loops' '^if 1$'
	section "$work/out" notes-loop "$device" >"$work/session"
	told 'kill' '^minivmm-run: ended by gdb$'
	section "$work/out" triple "$device" >"$work/session"
	told 'a triple fault' '^Program received signal SIGSEGV'
	told 'a triple fault: where' '^in main: 1, cr2 123456789000$'
	told 'a triple fault: the end' 'exited with code 0120\]'
	section "$work/out" cpus "$device" >"$work/session"
	is "$(grep -c 'vCPU 1, waits for INIT' "$work/session")" 1 "$device, a vCPU that has not begun"
	told 'two vCPUs: a breakpoint on the second' '^Thread 2 hit Breakpoint 1'
	told 'two vCPUs: where' '^at ap_main: 1$'
	told 'two vCPUs: a step' '^stepped: 1$'
	told 'two vCPUs: the first' '^first: 1$'
	told 'two vCPUs: the end' '^\[Inferior 1 .* exited normally\]'
	section "$work/out" nobody "$device" >"$work/session"
	told 'memory that is not there' 'Cannot access memory at address 0x123456789000'
	section "$work/out" guest-nobody "$device" >"$work/session"
	told 'detached, the guest goes on' '^Hello from 64-bit long mode'
	section "$work/out" lost "$device" >"$work/session"
	told 'a port that is taken' '^minivmm-run: --gdb 1234: Address already in use$'
	told 'a port that is taken: status' '^port: 71$'
	told 'a gdb that was killed' '^minivmm-run: gdb is gone; the guest stands still'
	told 'another gdb goes on' '^if 1$'
	told 'another gdb ends it' '^minivmm-run: ended by gdb$'
	is "$(for name in modes long loop triple cpus nobody; do
		awk -v mark="=== $name $device" '$0 == mark { on = 1 }
			/^=== status / && on { print $3; exit }' "$work/out"
	done | xargs)" '1 0 88 80 0 0' "$device, statuses"
done
is "$(grep -c '^socket: removed$' "$work/out")" "$(wc -w <<<"$devices")" 'the socket is removed'
part refused >"$work/session"
device=refused
told 'a path that cannot be' 'minivmm-run: --gdb /nonsense/sock: No such file or directory'
done_testing
