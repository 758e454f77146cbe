#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# minivmm-check, where minivmm can be: without the module and with it, as root and
# not, beside KVM. What it says where minivmm cannot be is in refuse.t.

. "$(dirname "$0")/lib.sh"

check=$root/build/bin/minivmm-check

# says STATUS REGEXP NAME ARGUMENT...: what it answers here.
says() {
	local status=$1 regexp=$2 name=$3
	shift 3
	"$check" "$@" >"$work/native" 2>&1 </dev/null
	is $? "$status" "$name: status $status"
	like "$work/native" "$regexp" "$name: words"
}

says 0 '^Usage: minivmm-check' '--help' --help
says 0 '^minivmm-check [0-9]+\.[0-9]+$' '--version' --version
says 64 'Try: minivmm-check --help' 'an unknown option' --nonsense
says 64 'now: no arguments, only options' 'an argument' now
"$check" >/dev/full 2>"$work/native"
is $? 74 'output that cannot be written: status 74'

if ! with_minivmm; then
	skip 'what it says in the lab' 'minivmm is not tested'
	done_testing
	exit
fi

cat >"$work/all.sh" <<'END'
try() {
	echo "=== $1"
	shift
	"$@"
	echo "=== status $?"
}
echo nobody:x:65534:65534::/:/bin/sh >>/etc/passwd
echo nogroup:x:65534: >>/etc/group
as_nobody() {
	su nobody -s /bin/sh -c "$*"
}
mkdir -p /dev/cpu/0
try unprivileged as_nobody minivmm-check
try without-msr minivmm-check
modprobe msr
mdev -s 2>/dev/null
[ -e /dev/cpu/0/msr ] || mknod /dev/cpu/0/msr c 202 0
try before minivmm-check --verbose
try before-json minivmm-check --json
modprobe kvm_intel
try kvm minivmm-check
one /dev/kvm forever >kvm &
while ! grep -q running kvm; do usleep 10000; done
try kvm-runs minivmm-check
kill -9 $!
wait $! 2>/dev/null
insmod /lib/modules/*/extra/minivmm.ko
chgrp kvm /dev/minivmm 2>/dev/null || chgrp 100 /dev/minivmm
chmod 660 /dev/minivmm
echo users:x:100: >>/etc/group
try after minivmm-check --verbose
try not-allowed as_nobody minivmm-check
chmod 666 /dev/minivmm
rmmod msr
rm /dev/cpu/0/msr
try allowed as_nobody minivmm-check --json
END
lab "$work/out" --no-module --timeout 200 --file "$work/all.sh" -- sh all.sh
ok $? 'the lab came to its end'

# seen NAME STATUS REGEXP...
seen() {
	local name=$1 status=$2 regexp
	shift 2
	part "$name" >"$work/part"
	is "$(status_of "$name")" "$status" "$name: status $status"
	for regexp; do
		like "$work/part" "$regexp" "$name: $regexp"
	done
}

seen unprivileged 0 '^ok    .*VT-x is there, and Linux shows it' \
	'^\?     what VT-x can do here .*as root, with the module msr' \
	'^ok    no other hypervisor is loaded' 'Nothing that is known stands in the way'
seen without-msr 0 '^\?     what VT-x can do here .*: modprobe msr, or load minivmm'
seen before 0 '^ok    .*VT-x is there, and not locked off' \
	'^ok    EPT, unrestricted guest and all else that is needed are there; VPID, too' \
	'^ok    minivmm is installed for Linux' \
	'^0x480  IA32_VMX_BASIC +0x[0-9a-f]{16}$' \
	'^    7  0  1  yes   HLT exiting \(need: an idle guest gives the CPU back\)$' \
	'^   12  0  1  no    RDTSC exiting \(avoid: ' \
	'^    5  0  1  yes   enable VPID \(want: ' \
	'^    0  0  1  no    virtualize APIC accesses$'
sed -n '/^0x480/,$p' "$work/part" >"$work/tables"
part before-json >"$work/part"
perl -MJSON::PP -0777 -ne '
	my $v = decode_json($_);
	my %c = map { ("$_->{field}/$_->{bit}" => $_) } @{$v->{controls}};
	my $hlt = $c{"primary processor-based VM-execution controls/7"};
	my ($basic) = grep { $_->{name} eq "IA32_VMX_BASIC" } @{$v->{msrs}};
	exit !($v->{can_run} && !$v->{loaded} && $hlt->{name} eq "HLT exiting" && $hlt->{used} &&
		$hlt->{can_be_0} && $hlt->{can_be_1} && $hlt->{wish} eq "need" &&
		$basic->{index} == 0x480 && $basic->{value} =~ /^0x/ && @{$v->{checks}} > 3);
' "$work/part"
ok $? '--json: the verdict, the MSRs and the controls'
seen kvm 0 '^ok    kvm_intel is loaded, and runs nothing'
seen kvm-runs 1 "^FAIL  KVM's virtual machines have VT-x \(kvm_intel is in use\)" \
	'minivmm cannot run here as it is'
seen after 0 '^ok    minivmm is loaded' '^ok    /dev/minivmm can be opened \(group .*, mode 0660\)'
sed -n '/^0x480/,$p' "$work/part" | diff "$work/tables" - >"$work/diff"
ok $? 'the module uses just what was foretold'
diag <"$work/diff"
seen not-allowed 1 '^FAIL  /dev/minivmm is for group .*: sudo usermod -aG'
seen allowed 0 '"can_run": true' '"name": "IA32_VMX_EPT_VPID_CAP"' '"used": true'
done_testing
