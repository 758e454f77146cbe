#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Looking into a VMCS: minivmm's own calls of a vCPU, and minivmm-ctl.

. "$(dirname "$0")/lib.sh"

ctl=$root/build/bin/minivmm-ctl

# says STATUS REGEXP NAME ARGUMENT...: what minivmm-ctl answers here.
says() {
	local status=$1 regexp=$2 name=$3
	shift 3
	"$ctl" "$@" >"$work/native" 2>&1 </dev/null
	is $? "$status" "minivmm-ctl $name: status $status"
	like "$work/native" "$regexp" "minivmm-ctl $name: words"
}

says 0 '^Usage: minivmm-ctl' '--help' --help
says 0 '^minivmm-ctl [0-9]+\.[0-9]+$' '--version' --version
says 64 'list or vmcs' 'without a word'
says 64 'only "list", and "vmcs"' 'with an unknown word' look
says 64 'only "list", and "vmcs"' 'list with --json' list --json
says 64 'only "list", and "vmcs"' 'vmcs with two processes' vmcs 1 2
says 64 'Try: minivmm-ctl --help' 'with an unknown option' vmcs --nonsense
says 64 '--diff=0: not a number of seconds' '--diff=0' vmcs --diff=0
says 64 '12x: not PID or PID:VCPU' 'with a process that is none' vmcs 12x
says 64 '1:: not PID or PID:VCPU' 'without the vCPU after its colon' vmcs 1:
says 66 'no such vCPU' 'where no VM runs' vmcs
says 66 'no vCPUs of minivmm' 'list where no VM runs' list

cat >"$work/look.sh" <<'END'
minivmm-run --mode long --load 0x100000 --timeout 60 spin.bin &
run=$!
minivmm-run --timeout 60 spin.bin &
other=$!
while [ "$(minivmm-ctl list | grep -c minivmm-run)" != 2 ]; do
	sleep 0.1
done
minivmm-ctl list
echo "=== several"
minivmm-ctl vmcs 2>&1
echo "=== status $?"
kill -9 $other
wait $other
echo "=== ctl"
minivmm-ctl vmcs
echo "=== json"
minivmm-ctl vmcs $run:0 --json
echo "=== diff"
minivmm-ctl vmcs --diff=0.3 $run
echo "=== wrong"
minivmm-ctl vmcs $run:1 2>&1
echo "=== status $?"

echo "=== end"
kill $run
wait $run
echo "=== status $?"
END

# A loop that an interrupt ends at once.
printf '\xfb\xeb\xfe' >"$work/spin.bin"

{
	script vmcs
	cat "$work/look.sh"
} >"$work/all.sh"
lab "$work/out" --timeout 300 --cpus 2 --append minivmm.writers=1 --file "$work/all.sh" \
	--file "$work/spin.bin" -- sh all.sh
ok $? 'the lab came to its end'
for device in $devices; do
	relay "$work/out" vmcs "$device"
done

part several >"$work/several"
like "$work/several" 'more than one process has VMs' 'two VMs: which one?'
like "$work/out" '^=== status 64$' 'two VMs: status 64'
part ctl >"$work/vmcs"
like "$work/vmcs" '^vCPU 0 of process [0-9]+, after [0-9]+ VM exits$' 'vmcs: whose it is'
like "$work/vmcs" '^  681e guest RIP +0x0000000000100001$' 'vmcs: RIP is that of the loop'
like "$work/vmcs" '^  4402 exit reason +0x00000001$' 'vmcs: the last VM exit'
like "$work/vmcs" '^        external_interrupt$' 'vmcs: its name'
like "$work/vmcs" '^        code, accessed; DPL 0, 64-bit, limit in pages$' 'vmcs: access rights in words'
like "$work/vmcs" '^        1  bit 7  HLT exiting$' 'vmcs: a control that is on'
like "$work/vmcs" '^        0  bit 12 RDTSC exiting$' 'vmcs: a control that is off'
like "$work/vmcs" '^        PE, (MP, )?ET, NE, PG$' 'vmcs: CR0 in words'
like "$work/vmcs" '^        WB, page walk of 4 levels, accessed and dirty flags on$' 'vmcs: EPTP in words'
like "$work/vmcs" '^  not on this processor: .*HLAT pointer' 'vmcs: what is not there'
for group in 'Guest Register State' 'Guest Non-Register State' 'Host-State Area' \
	'VM-Execution Control Fields' 'VM-Exit Control Fields' 'VM-Entry Control Fields' \
	'VM-Exit Information Fields'; do
	is "$(grep -c "^$group\$" "$work/vmcs")" 1 "vmcs: group $group"
done
part json >"$work/json"
is "$(wc -l <"$work/json")" 1 'json: one line'
perl -MJSON::PP -0777 -ne '
	my $v = decode_json($_);
	my %f = map { $_->{name} => $_ } @{$v->{fields}};
	my $cpu = $f{CPU_CONTROLS};
	exit !($v->{vcpu} == 0 && $v->{pid} > 1 && $v->{exits} > 0 && @{$v->{fields}} > 150 &&
		$f{GUEST_RIP}{value} eq "0x100001" && $f{GUEST_RIP}{encoding} == 0x681e &&
		$f{GUEST_RIP}{width} == 64 && $f{GUEST_RIP}{exists} && !$f{HLAT_POINTER}{exists} &&
		!exists $f{HLAT_POINTER}{value} && $f{GUEST_CS_SELECTOR}{width} == 16 &&
		grep { $_ eq "1  bit 7  HLT exiting" } @{$cpu->{meaning}});
' "$work/json"
ok $? 'json: an object with the fields and what they say'
part diff >"$work/diff"
like "$work/diff" '^vCPU 0 of process [0-9]+, from VM exit [0-9]+ to [0-9]+$' 'diff: from where to where'
is "$(grep -c 'guest RIP\|HLT exiting' "$work/diff")" 0 'diff: nothing that did not change'
part wrong >"$work/wrong"
like "$work/wrong" 'no such vCPU' 'a vCPU that is not there'
is "$(grep -c '=== status 66' "$work/out")" 1 'a vCPU that is not there: status 66'
is "$(tail -1 "$work/out")" '=== status 143' 'the guest ran until it was killed'
done_testing
