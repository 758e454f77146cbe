#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The lab itself: it must pass on what COMMAND says and how it ends, and it must
# not call good what was not.

. "$(dirname "$0")/lib.sh"

lab=$root/scripts/lab
cd "$work" || exit 1
# What --verbose and --raw change is tested, so nothing else may.
unset LAB_SLOTS

# What COMMAND needs, made here.
# The magic of the lab's own packets, every byte value, no newline at the end.
perl -e 'print "\x1eLo\xff\xff", map { chr } 0..255; print "\x1eL" x 20000' >bytes
cat >dynamic.c <<'END'
#include <math.h>
#include <stdio.h>
int main(int argc, char **argv) { printf("%.1f\n", sqrt(argc * 4.0)); return argv == 0; }
END
gcc -o dynamic dynamic.c -lm
mkdir folder && echo inside >folder/file
headers=$(find /usr/src -maxdepth 1 -name 'linux-headers-*-cloud-amd64' | sort -V | tail -1)
cp "$here"/complain/* .
make -s -C "$headers" M="$work" modules >complain.log 2>&1 || diag <complain.log

# run NAME ARGUMENT...: the lab; NAME.out, NAME.err and NAME.status are left.
run() {
	local name=$1
	shift
	"$lab" "$@" >"$name.out" 2>"$name.err" </dev/null
	echo $? >"$name.status"
}

# ended NAME STATUS TEXT
ended() {
	is "$(cat "$1.status")" "$2" "$3"
	[ "$(cat "$1.status")" = "$2" ] || diag <"$1.err"
}

# The processes below process $1, itself included.
below() {
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do
		below "$child"
	done
}

# alive PID...
alive() {
	local pid
	for pid; do
		kill -0 "$pid" 2>/dev/null && return 0
	done
	return 1
}

# gone PID...: none of them is left, some time after.
gone() {
	local i
	for ((i = 0; i < 50; i++)); do
		alive "$@" || return 0
		sleep 0.1
	done
	return 1
}

# until_file FILE: FILE is not empty. A machine may have to wait for a place, as long as
# another test's takes.
until_file() {
	local i
	for ((i = 0; i < 6000; i++)); do
		[ ! -s "$1" ] || return 0
		sleep 0.1
	done
	return 1
}

# --- One boot for what goes well -------------------------------------------------

cat >inside.sh <<'END'
cat bytes
echo to stderr >&2
{
	pwd
	cat /tmp/there/renamed folder/file
	./dynamic
	modprobe kvm_intel && ls /dev/kvm
	modprobe loop && ls /dev/loop-control
	timeout 5 modprobe -r kvm_intel && ls -d /sys/module/kvm_intel
	type minivmm-run >/dev/null && echo found
	grep -o 'one=[^ ]*' /proc/cmdline
	sed -n 's/^MemTotal: *//p' /proc/meminfo
	cat
} >report 2>&1
cat report >&2
exit 3
END
echo here >file
echo typed | "$lab" --raw --no-module --stdin --memory 384 --append one=1 --append one=2 \
	--file file:/tmp/there/renamed --file folder --file dynamic --file bytes \
	--file inside.sh -- sh inside.sh >good.out 2>good.err
echo $? >good.status

ended good 3 "COMMAND's status is the lab's"
cmp bytes good.out >cmp.log 2>&1
ok $? "standard output, byte for byte"
diag <cmp.log
sed -n 1p good.err >first
is "$(cat first)" "to stderr" "standard error apart from it, not a word of the lab"
sed 1d good.err >report
is "$(sed -n 1p report)" /root "COMMAND runs in /root"
is "$(sed -n 2p report)" here "--file SRC:DEST"
is "$(sed -n 3p report)" inside "--file with a folder"
is "$(sed -n 4p report)" 2.0 "a dynamically linked program"
is "$(sed -n 5p report)" /dev/kvm "modprobe kvm_intel"
is "$(sed -n 6p report)" /dev/loop-control "modprobe of another module"
like report "/sys/module/kvm_intel: No such file" "modprobe -r, from another program"
like report '^found$' "minivmm-run is on the PATH"
is "$(grep -c '^one=' report)" 2 "--append adds up"
awk '/ kB$/ { exit !($1 > 300000 && $1 < 384 * 1024) }' report
ok $? "--memory"
is "$(tail -1 report)" typed "--stdin"

# --- Two CPUs, the default mitigations, the module -------------------------------

run two --verbose --cpus 2 --append mitigations=auto --timeout 300 -- sh -c \
	'nproc; cat /sys/devices/system/cpu/vulnerabilities/meltdown; ls /dev/minivmm; kill -9 $$'
ended two 137 "a signal ends COMMAND: 128 and its number"
is "$(sed -n 1p two.out)" 2 "--cpus 2"
like two.out 'PTI' "--append mitigations=auto is stronger than the lab's own words"
like two.out '^/dev/minivmm$' "the module is loaded"
like two.err 'module minivmm is loaded' "--verbose says what happens"
grep -q 'packing\|unpacking\|fetching' two.err
is $? 1 "what was built once is used again"

# --- The kernel complains ---------------------------------------------------------

run warn --no-module --file complain.ko -- sh -c 'insmod complain.ko what=warn; echo fine'
ended warn 123 "a warning of the kernel is a failure"
is "$(cat warn.out)" fine "... although COMMAND went on"
like warn.err 'WARNING: CPU.*complain_init.*COMMAND ended with status 0' "... and is shown"
log=$(sed -n 's/^lab: the log is in //p' warn.err)
like "${log:-/dev/null}" 'complain: loaded' "... and the log is kept"
rm -f "$log"

run oops --no-module --file complain.ko -- sh -c 'insmod complain.ko what=oops; true'
ended oops 123 "an oops is a failure"
like oops.err 'BUG: kernel NULL pointer dereference' "... and is shown"

run panic --no-module -- sh -c 'echo before; echo c >/proc/sysrq-trigger; echo after'
ended panic 123 "a panic is a failure"
is "$(cat panic.out)" before "... and what COMMAND said before is not lost"

run backtrace --no-module -- sh -c 'echo l >/proc/sysrq-trigger'
ended backtrace 0 "a backtrace that was asked for is none"

run leak --module irqbypass -- modprobe kvm
ended leak 123 "a module that cannot be unloaded afterwards is a failure"
like leak.err 'cannot be unloaded' "... and is named"

# --- What is not COMMAND's fault ----------------------------------------------------

run model --model p4_prescott_celeron_336 -- echo not reached
ended model 122 "the module does not load"
is "$(cat model.out)" "" "... and COMMAND does not run"
like model.err 'the module did not load' "... and is told"

run noinit --no-module --append rdinit=/nothing -- true
ended noinit 121 "the machine does not boot: a panic"
like noinit.err 'did not boot: .*panic' "... and the kernel's words are shown"
run late --no-module --boot-timeout 1 -- true
ended late 121 "the machine does not boot in time"
run nomodel --no-module --model no_such_model -- true
ended nomodel 121 "Bochs does not start"
like nomodel.err 'cpu directive malformed' "... and its words are shown"
run off --no-module -- sh -c 'poweroff -f; sleep 9'
ended off 125 "the machine is turned off under COMMAND"

# --- Time, and two at once ----------------------------------------------------------

run long --no-module --timeout 2 -- sh -c 'echo begun; while :; do :; done' &
long=$!
run killed --no-module -- sh -c 'echo begun; while :; do :; done' &
killed=$!
both=
if until_file killed.out && until_file long.out; then
	both=begun
fi
is "$both" begun "two labs run side by side"
for pid in $(below $killed); do
	! grep -q '^bochs' "/proc/$pid/comm" || kill -9 "$pid"
done
wait $long $killed
ended long 124 "COMMAND runs past its time"
like long.err 'COMMAND ran past its 2 s' "... and is told"
ended killed 125 "Bochs dies"

run own --no-module -- sh -c 'exit 124'
ended own 124 "COMMAND's own 124"
like own.err "status 124 is COMMAND's own" "... is told apart"

# --- Nothing is left behind ---------------------------------------------------------

folders() {
	find "$root/build/lab" -maxdepth 1 -name 'run.*' -newer before | sort
}

touch before
"$lab" --no-module -- sh -c 'echo begun; while :; do :; done' >term.out 2>/dev/null </dev/null &
pid=$!
until_file term.out
family=$(below $pid)
mine=$(for p in $family; do tr '\0' '\n' <"/proc/$p/cmdline"; done |
	sed -n 's|^\(.*/run\.[^/]*\)/bochsrc$|\1|p' | head -1)
kill -TERM $pid
wait $pid
is $? 143 "SIGTERM ends the lab"
# shellcheck disable=SC2086 # numbers
gone $family
ok $? "... and Bochs"
[ -n "$mine" ] && [ ! -e "$mine" ]
ok $? "... and the folder of its run"

"$lab" --no-module -- sh -c 'echo begun; while :; do :; done' >kill.out 2>/dev/null </dev/null &
pid=$!
until_file kill.out
family=$(below $pid)
kill -KILL $pid
wait $pid 2>/dev/null
# shellcheck disable=SC2086 # numbers
gone $family
ok $? "SIGKILL, too, leaves no Bochs"

# --- A person -------------------------------------------------------------------------

printf 'echo $((6 * 7)); tty\nexit 4\n' | "$lab" --shell --no-module >shell.out 2>shell.err
echo $? >shell.status
ended shell 4 "--shell ends with the shell's status"
like shell.out '^42' "... runs what is typed"
like shell.out '^/dev/ttyS0' "... on the serial console"

cat >tty.sh <<END
stty -g >before.tty
"$lab" --shell --no-module
stty -g >after.tty
END
mkfifo keys
# lib.sh has a script of its own.
command script -qec 'sh tty.sh' /dev/null <keys >tty.out 2>&1 &
exec 5>keys
for ((i = 0; i < 600; i++)); do
	grep -q 'ends the shell' tty.out && break
	sleep 0.1
done
sleep 1
printf '\035' >&5
for ((i = 0; i < 100; i++)); do
	[ ! -s after.tty ] || break
	sleep 0.1
done
exec 5>&-
wait
like tty.out "Ctrl-\] turns it off" "on a terminal the way out is printed"
cmp before.tty after.tty
ok $? "... and the terminal is restored after it"

# --- Wrong use --------------------------------------------------------------------------

run usage
ended usage 120 "no COMMAND"
run unknown --frobnicate -- true
ended unknown 120 "an unknown option"
like unknown.err "unknown option '--frobnicate'" "... is named"
run nofile --no-module --file no-such-file -- true
ended nofile 120 "--file of a file that is not there"
BOCHS=/nowhere/bochs run nobochs --no-module -- true
ended nobochs 120 "BOCHS= of a program that is not there"
run cpus --cpus 0 -- true
ended cpus 120 "a number out of range"
run kernel --kernel "$work/folder" --no-module -- true
ended kernel 120 "--kernel of a folder without a kernel"

done_testing
