#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The counters: VMs that do known things show the same numbers through the
# descriptors of KVM_GET_STATS_FD, in debugfs, in minivmm-top and with --stats.

. "$(dirname "$0")/lib.sh"

top=$root/build/bin/minivmm-top

# --- minivmm-top without VMs ------------------------------------------------------------

# says STATUS REGEXP NAME ARGUMENT...: what minivmm-top answers here.
says() {
	local status=$1 regexp=$2 name=$3
	shift 3
	"$top" "$@" >"$work/native" 2>&1 </dev/null
	is $? "$status" "minivmm-top $name: status $status"
	like "$work/native" "$regexp" "minivmm-top $name: words"
}

says 0 '^Usage: minivmm-top' --help --help
says 0 '^minivmm-top [0-9]+\.[0-9]+$' --version --version
says 64 'Try: minivmm-top --help' 'with an unknown option' --nonsense
says 64 'it takes only options' 'with a word' all
says 64 'not both' '--json --csv' --json --csv
says 64 '--interval 0: not a number of seconds' '--interval 0' --interval 0
says 64 '--interval 1x: not a number of seconds' '--interval 1x' --interval 1x
[ -e /sys/module/minivmm ] ||
	says 69 'module is not loaded: sudo modprobe minivmm' 'without the module' --once
mkdir -p "$work/debug/minivmm"
touch "$work/debug/minivmm/timing"
fake=(--debugfs "$work/debug" --interval 0.1)
says 66 'no VM of minivmm runs: start one' 'without a VM' --once "${fake[@]}"
if [ -e /dev/full ]; then
	"$top" --json "${fake[@]}" >/dev/full 2>"$work/full"
	is $? 74 'minivmm-top with a full output: status 74'
	like "$work/full" 'standard output: No space left' 'minivmm-top with a full output: words'
fi

# --- On a terminal ----------------------------------------------------------------------

# A VM whose numbers are known: 1000 CPUID and 100 HLT in each second.
vm=$work/debug/minivmm/$$-4
mkdir -p "$vm/vcpu0"
cat >"$work/count.sh" <<'END'
begin=$(date +%s%N)
while :; do
	ns=$(($(date +%s%N) - begin))
	{
		echo "exits $((ns * 11 / 10000000))"
		echo "guest_ns $((ns / 2))"
		echo "root_ns $((ns / 4))"
		echo "user_ns $((ns / 4))"
		echo "exit_cpuid $((ns / 1000000))"
		echo "exit_hlt $((ns / 10000000))"
		echo "root_cpuid_ns $((ns / 5))"
	} >new
	mv new stats || exit
	sleep 0.05
done
END
(cd "$vm/vcpu0" && exec sh "$work/count.sh") 2>/dev/null &
counting=$!
cat >"$work/tty.sh" <<END
export TERM=vt100
trap : INT
stty rows 24 cols 100
stty -g >before
"$top" ${fake[*]} --interval 0.5
echo "status \$?" >status
stty -g >after
TERM=unheard-of "$top" ${fake[*]} 2>&1
echo "unknown terminal \$?"
END
mkfifo "$work/keys"
# until_line FILE REGEXP: for ten seconds
until_line() {
	for ((i = 0; i < 100; i++)); do
		! grep -Eaqs -- "$2" "$1" || return 0
		sleep 0.1
	done
	return 1
}
(cd "$work" && command script -qfec 'sh tty.sh' typescript <keys >/dev/null 2>&1) &
exec 5>"$work/keys"
until_line "$work/typescript" 'cpuid'
ok $? 'live: the VM exits are there'
like "$work/typescript" '([89]|1[0-3])[0-9]{2} exits/s' 'live: how many'
like "$work/typescript" ' 50\.0 +25\.0 +25\.0' 'live: where the time goes'
printf h >&5
until_line "$work/typescript" 'any key to go on'
ok $? 'live: h tells of the keys'
printf ' s' >&5
until_line "$work/typescript" 'VM exits  \(h: help\)'
ok $? 'live: s sorts'
# The VM goes.
kill $counting
mv "$vm" "$work/gone"
until_line "$work/typescript" 'No VM of minivmm runs'
ok $? 'live: a VM that ends is gone'
printf '\003' >&5
until_line "$work/typescript" 'unknown terminal'
ok $? 'live: Ctrl-C ends it'
exec 5>&-
wait
like "$work/status" '^status 130$' 'live: with status 130'
cmp "$work/before" "$work/after"
ok $? 'live: the terminal is as it was'
like "$work/typescript" 'TERM=unheard-of: no such terminal is known' 'live: an unknown terminal'
like "$work/typescript" 'unknown terminal 69' 'live: an unknown terminal: status 69'

# --- In the lab ---------------------------------------------------------------------------

# 1000 CPUID, 1000 OUT to a port that nobody has, HLT with interrupts off
printf '\xfa\xbe\xe8\x03\x0f\xa2\x4e\x75\xfb\xbe\xe8\x03\xe6\x80\x4e\x75\xfb\xf4' \
	>"$work/known.bin"
cat >"$work/lab.sh" <<'END'
cd /root
# The clock goes from the start on; and further down it begins when all wait.
exec 3</sys/kernel/debug/minivmm/timing
mkfifo hold
counts /dev/minivmm <hold >busy.out &
busy=$!
exec 4>hold
counts /dev/minivmm halt >halt.out &
halt=$!
while ! grep -q ready busy.out || ! grep -q ready halt.out; do
	sleep 0.1
done
echo "=== busy $busy"; cat busy.out
echo "=== halt $halt"; cat halt.out
cd /sys/kernel/debug/minivmm
echo "=== busy-debugfs"; cat $busy-*/vcpu0/stats
echo "=== halt-debugfs"; cat $halt-*/vcpu0/stats
echo "=== busy-vm"; cat $busy-*/stats
echo "=== halt-vm"; cat $halt-*/stats
cd /root
echo "=== json"; minivmm-top --once --json -i 1
echo "=== csv"; minivmm-top --once --csv -i 0.5
exec 3<&-
echo "=== text"; minivmm-top --once
echo "=== killed"
minivmm-top --json -i 0.2 >killed.out &
top=$!
while [ ! -s killed.out ]; do sleep 0.1; done
# A file of a VM that goes away meanwhile
exec 5</sys/kernel/debug/minivmm/$(cd /sys/kernel/debug/minivmm; echo $halt-*)/stats
kill -9 $halt
wait $halt
cat <&5 2>&1
exec 5<&-
sleep 1
kill -INT $top
wait $top
echo "status $?"
head -n 1 killed.out; tail -n 1 killed.out
exec 4>&-
wait $busy
echo "=== left"; ls /sys/kernel/debug/minivmm
echo "=== none"; minivmm-top --once -i 0.1 2>&1; echo "status $?"
echo "=== run"
minivmm-run --stats known.bin 2>&1
chmod 0755 /sys/kernel/debug 2>/dev/null
echo "=== user"
echo 'user:x:1000:1000::/:/bin/sh' >>/etc/passwd
chmod 0700 /sys/kernel/debug
su user -c "$(command -v minivmm-top) --once" 2>&1; echo "status $?"
umount /sys/kernel/debug
echo "=== unmounted"; minivmm-top --once 2>&1; echo "status $?"
mount -t debugfs none /sys/kernel/debug
modprobe -r minivmm || rmmod minivmm
echo "=== unloaded"; minivmm-top --once 2>&1; echo "status $?"
ls -d /sys/kernel/debug/minivmm 2>&1
echo "=== end"
END
LAB_PROGRAMS="counts minivmm-run minivmm-top" lab "$work/out" --timeout 200 --file "$work/lab.sh" --file "$work/known.bin" \
	-- sh lab.sh
ok $? 'the lab came to its end'

pid() {
	sed -n "s/^=== $1 \([0-9]*\)\$/\1/p" "$work/out"
}
for name in busy halt busy-debugfs halt-debugfs busy-vm halt-vm json csv text killed left none run \
	user unmounted unloaded; do
	part $name >"$work/$name"
done
busy=$(pid busy) halt=$(pid halt)

for whose in vcpu vm; do
	like "$work/busy" "^$whose exit_cpuid 1000\$" "descriptor of the $whose: CPUID"
	like "$work/busy" "^$whose exit_io_instruction 1001\$" "descriptor of the $whose: OUT"
	like "$work/busy" "^$whose io_user_exits 1001\$" "descriptor of the $whose: OUT to user space"
	like "$work/busy" "^$whose exit_hlt 10\$" "descriptor of the $whose: HLT"
	like "$work/busy" "^$whose halt_exits 10\$" "descriptor of the $whose: HLT, by KVM's name"
	like "$work/busy" "^$whose root_cpuid_ns [1-9]" "descriptor of the $whose: time of CPUID"
	like "$work/halt" "^$whose exit_hlt 10\$" "descriptor of the sleeper's $whose: HLT"
	like "$work/halt" "^$whose halt_wakeup 10\$" "descriptor of the sleeper's $whose: woken"
done
like "$work/busy" '^vm vcpus 1$' 'descriptor of the VM: how many vCPUs'
like "$work/busy" '^times add up$' 'the times add up to that of the run'
like "$work/halt" '^times add up$' 'so they do with HLT'
# Ten sleeps of 50 ms, less what a timer may be early
awk '/^vcpu halt_wait_ns/ { ns = $3 } /^wall/ { wall = $2 }
	END { exit !(ns > 450000000 && ns < wall) }' "$work/halt"
ok $? 'the sleeper slept for 10 times 50 ms'
# Without CPUID's and OUT's way back to user space
awk '/^vcpu root_/ && !/root_ns/ { sum += $3 } /^vcpu root_ns/ { all = $3 }
	END { exit !(sum > 0 && sum <= all && sum > all * 0.9) }' "$work/busy"
ok $? 'time in root mode is that of the reasons'

for one in io_exits:1001 halt_exits:10 mmio_exits:0 vcpus:1 nmi_injections:0; do
	like "$work/busy-vm" "^${one%:*} ${one#*:}\$" "debugfs: ${one%:*}"
done
like "$work/halt-vm" '^halt_wakeup 10$' 'debugfs: of the other VM'
for one in exit_cpuid:1000 exit_io_instruction:1001 exit_hlt:10; do
	like "$work/busy-debugfs" "^${one%:*} ${one#*:}\$" "debugfs, vCPU: ${one%:*}"
	like "$work/busy-vm" "^${one%:*} ${one#*:}\$" "debugfs, VM: ${one%:*}"
done
like "$work/halt-debugfs" '^exit_hlt 11$' 'debugfs: the sleeper sleeps for good'

is "$(wc -l <"$work/json")" 1 'top --json: one line'
IDS="$busy $halt" perl -MJSON::PP -0777 -ne '
	my ($busy, $halt) = split / /, $ENV{IDS};
	my $v = decode_json($_);
	my %of = map { $_->{pid} => $_ } @{$v->{vcpus}};
	my ($b, $h) = ($of{$busy}, $of{$halt});
	exit !($v->{vms} == 2 && @{$v->{vcpus}} == 2 && $v->{interval} > 0.9 && $v->{interval} < 2 &&
		$b->{command} eq "counts" && $b->{reasons}{cpuid}{exits} == 1000 &&
		$b->{reasons}{io_instruction}{exits} == 1001 && $b->{reasons}{hlt}{exits} == 10 &&
		$b->{reasons}{cpuid}{root_ns} > 0 && $b->{exits_per_second} == 0 &&
		$h->{reasons}{hlt}{exits} == 11 && $h->{ns}{halted} > 450000000);
' "$work/json"
ok $? 'top --json: the same numbers, of both VMs' || diag <"$work/json"
is "$(head -n 1 "$work/csv")" "seconds,pid,vm,vcpu,reason,exits,exits_per_second,root_ns,\
guest_percent,root_percent,user_percent,halted_percent,waiting_percent" 'top --csv: its columns'
like "$work/csv" "^[0-9.]+,$busy,[0-9]+,0,all,0,0\.0,0,0\.0,0\.0,100\.0,0\.0,0\.0\$" \
	'top --csv: one waits in user space'
like "$work/csv" "^[0-9.]+,$halt,[0-9]+,0,all,0,0\.0,0,0\.0,0\.0,0\.0,100\.0,0\.0\$" \
	'top --csv: the other in HLT'
like "$work/text" "^ +$busy +[0-9]+ +0  counts +0 +0\.0 +0\.0 +100\.0 +0\.0\$" 'top --once: user space'
like "$work/text" "^ +$halt +[0-9]+ +0  counts +0 +0\.0 +0\.0 +0\.0 +100\.0\$" 'top --once: HLT'
like "$work/killed" '^\{.*"vms":2,' 'a VM is killed: first there are two'
is "$(tail -n 1 "$work/killed" | grep -c '"vms":1,')" 1 'a VM is killed: then there is one'
like "$work/killed" '^status 130$' 'top --json ends on Ctrl-C'
like "$work/killed" 'Input/output error|No such device' 'a file of a VM that is gone'
is "$(cat "$work/left")" timing 'all folders went with their VMs'
like "$work/none" 'no VM of minivmm runs' 'top without a VM: words'
like "$work/none" '^status 66$' 'top without a VM: status 66'
like "$work/run" '^ +1000  cpuid +[0-9.]+ [um]s +[0-9.]+ % +[0-9.]+ us$' '--stats: CPUID'
like "$work/run" '^ +1000  io_instruction +[0-9.]+ ms +[0-9.]+ % +[0-9.]+ us$' '--stats: OUT'
like "$work/run" '^ +1  hlt ' '--stats: HLT'
like "$work/run" '^ +[0-9]+  in all +[0-9.]+ ms  100\.0 % ' '--stats: in all'
awk '/%  in (the guest|root mode|user space)|%  halted/ { sum += $1 }
	END { exit !(sum > 99.7 && sum < 100.3) }' "$work/run"
ok $? '--stats: the shares of time add up'
like "$work/user" "debugfs, which is root's: sudo minivmm-top" 'top for other users: words'
like "$work/user" '^status 77$' 'top for other users: status 77'
like "$work/unmounted" 'Is debugfs mounted\? sudo mount' 'top without debugfs: words'
like "$work/unmounted" '^status 69$' 'top without debugfs: status 69'
like "$work/unloaded" 'module is not loaded: sudo modprobe' 'top without the module: words'
like "$work/unloaded" '^status 69$' 'top without the module: status 69'
like "$work/unloaded" 'minivmm: No such file' 'nothing is left in debugfs'

# --- Without debugfs ------------------------------------------------------------------------

cp "$root/build/guests/hello16.bin" "$work/hello16.bin"
LAB_PROGRAMS="minivmm-run minivmm-top" lab "$work/off" --append debugfs=off \
	--file "$work/hello16.bin" -- sh -c 'minivmm-run --stats hello16.bin 2>&1
	minivmm-top --once 2>&1; echo "status $?"
	modprobe -r minivmm; echo "unloaded $?"'
ok $? 'debugfs=off: the lab came to its end'
like "$work/off" '^ +59  io_instruction ' 'debugfs=off: --stats'
like "$work/off" 'booted with debugfs=off' 'debugfs=off: top'
like "$work/off" '^status 69$' 'debugfs=off: status 69'
like "$work/off" '^unloaded 0$' 'debugfs=off: the module can go'
done_testing
