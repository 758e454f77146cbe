#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# VM entries that fail, and what the launcher says of them: ten states that no
# processor can be in. KVM, too, must fail to enter them. And --dump-vmcs.
#
#	DOCUMENT=1 tests/lab/failures.t
#
# writes Documentation/entry-failures.rst from what was seen.

. "$(dirname "$0")/lib.sh"

# mode|setting|what must be said of it|what is wrong, for the page
failures() {
	cat <<-END
	protected|tr.type=9|guest TR access rights is 0x89: the type must be busy TSS|A TSS that is not marked busy. Nobody need use the TSS, but the processor wants one, in the state in which LTR leaves it.
	protected|tr.unusable=1|guest TR access rights is 0x1008b: TR must be usable|No TSS at all.
	protected|cs.type=1|guest CS access rights is 0xc091: the type must be accessed code|CS is a data segment. In real mode that is how a processor starts (type 3); no other type of data will do.
	protected|cs.g=0|guest CS access rights is 0x409b: G .bit 15. must be 1 for a limit of 1 MiB or more|The limit is 4 GiB, but without G it counts bytes, of which a descriptor can hold 1 MiB at most.
	long|cs.db=1|guest CS access rights is 0xe09b: D/B .bit 14. must be 0 in 64-bit code|CS is of 64 bits and of 32 at once.
	protected|ds.type=8|guest DS access rights is 0xc099: code must be readable|DS is code that may only be executed.
	protected|es.base=0x100000000|guest ES base is 0x100000000: bits 63:32 must be 0|A base beyond 4 GiB. Only FS and GS may have one.
	long|gdt.base=0x8000000000000000|guest GDTR base is 0x8000000000000000: it must be canonical|The GDT is at an address that is none: bits 63 to 47 are not all the same.
	protected|rip=0x123456789|guest RIP is 0x123456789: outside 64-bit code, bits 63:32 must be 0|RIP has more than 32 bits in a guest that knows no more.
	protected|cr3=0x8000000000000000|guest CR3 is 0x8000000000000000: it must not exceed the physical-address width|CR3 beyond physical memory; that paging is off makes no difference.
	END
}

prepare=$work/prepare
{
	echo "modprobe kvm_intel ${KVM_OPTIONS-}"
	i=0
	while IFS='|' read -r mode setting _; do
		i=$((i + 1))
		for device in $devices; do
			echo "echo '=== $i $device'"
			echo "minivmm-run --device /dev/$device --mode $mode --set $setting guest.bin"
			echo "echo \"=== status \$?\""
		done
	done < <(failures)
	cat <<-'END'
		show() {
			echo "=== $*"
			minivmm-run "$@" guest.bin 2>&1
			echo "=== status $?"
		}
		show --dump-vmcs=1,cpuid,hlt --diff
		show --dump-vmcs=start,end --json
		show --dump-vmcs=99,cr_access
		show --dump-vmcs=failure --mode protected --set tr.type=9
		show --mode protected --set cr4=0x2000
		show --dump-vmcs --device /dev/kvm
		echo "=== log"
		dmesg
		echo "=== status 0"
	END
} >"$prepare"

# CPUID, then HLT with interrupts off, which ends it well.
printf '\x0f\xa2\xf4' >"$work/guest.bin"
lab "$work/out" --timeout 300 --append minivmm.writers=1 --file "$prepare" \
	--file "$work/guest.bin" -- sh -c 'sh prepare 2>&1'
ok $? 'the lab came to its end'

i=0
while IFS='|' read -r mode setting said _; do
	i=$((i + 1))
	for device in $devices; do
		part "$i $device" >"$work/part"
		is "$(status_of "$i $device")" 81 "$device: $setting, $mode mode: status 81"
		like "$work/part" "VM entry failed: the guest's state is not one that a processor can be in" \
			"$device: $setting: what happened"
	done
	with_minivmm || continue
	like "$work/part" "^  - $said" "$setting: the rule"
	is "$(grep -c '^  - ' "$work/part")" 1 "$setting: no other rule"
	like "$work/part" '^        SDM Vol. 3, "Checks on Guest [A-Z]' "$setting: the section"
	line=$(sed -n 's/^        last written by //p' "$work/part")
	file=${line%:*}
	[ -n "$file" ] && [ -e "$root/$file" ] &&
		sed -n "${line##*:}p" "$root/$file" | grep -q 'vmcs_write'
	ok $? "$setting: $line writes to the VMCS"
done < <(failures)

part '--dump-vmcs=1,cpuid,hlt --diff' >"$work/part"
is "$(status_of '--dump-vmcs=1,cpuid,hlt --diff')" 0 'dump at three VM exits: the guest ends well'
is "$(grep -c '^minivmm-run: VMCS of vCPU 0' "$work/part")" 3 'three dumps'
like "$work/part" '^minivmm-run: VMCS of vCPU 0, VM exit 1 \(1 VM exits\)$' 'the first is whole'
like "$work/part" '^minivmm-run: VMCS of vCPU 0, hlt \([0-9]+ VM exits\): what changed$' \
	'the third is what changed'
sed '1,/, hlt /d' "$work/part" >"$work/third"
like "$work/third" 'guest RIP +0x0*7c00 -> 0x0*7c02$' 'from CPUID to HLT: RIP'
like "$work/third" 'exit reason +0x0000000a -> 0x0000000c$' 'and the exit reason'
is "$(grep -c 'guest CS\|TSC offset\|guest CR0' "$work/third")" 0 'and nothing that stayed'

part '--dump-vmcs=start,end --json' >"$work/part"
is "$(grep -c '^{' "$work/part")" 2 'JSON: two lines'
perl -MJSON::PP -ne '
	next unless /^\{/;
	my $v = decode_json($_);
	my ($rip) = grep { $_->{name} eq "GUEST_RIP" } @{$v->{fields}};
	print "$v->{when} $v->{vcpu} $rip->{value}\n";
' "$work/part" >"$work/json"
is "$(tr '\n' ' ' <"$work/json")" 'start 0 0x7c00 end 0 0x7c03 ' 'JSON: when, vCPU, RIP'

part '--dump-vmcs=99,cr_access' >"$work/part"
like "$work/part" 'vCPU 0 had no VM exit 99 after that' 'a VM exit that never came'
like "$work/part" 'vCPU 0 had no cr_access after that' 'a reason that never came'
is "$(status_of '--dump-vmcs=99,cr_access')" 0 'the guest ends well all the same'

part '--dump-vmcs=failure --mode protected --set tr.type=9' >"$work/part"
like "$work/part" 'VMCS of vCPU 0, failure' 'a dump of the VMCS that failed'
like "$work/part" '^        invalid_guest_state, VM entry failed$' 'its exit reason, in words'
like "$work/part" '^        TSS, available; DPL 0$' 'the access rights of TR, in words'

part '--mode protected --set cr4=0x2000' >"$work/part"
is "$(status_of '--mode protected --set cr4=0x2000')" 64 'what the device refuses at once: status 64'
like "$work/part" 'the device refuses that state before any VM entry' 'and words'

part '--dump-vmcs --device /dev/kvm' >"$work/part"
is "$(status_of '--dump-vmcs --device /dev/kvm')" 64 '--dump-vmcs on KVM: status 64'
like "$work/part" '/dev/kvm does not show its VMCSs' 'and words'

part log >"$work/part"
like "$work/part" 'minivmm: VM entry of vCPU 0 failed: invalid guest state' 'the log has it, too'
like "$work/part" 'minivmm:     last written by module/vmx/state.c:[0-9]+' 'with the line'

document() {
	cat <<-'END'
	.. SPDX-License-Identifier: GPL-2.0

	====================
	VM entries that fail
	====================

	The processor says of a VM entry that fails no more than that it did: the guest's state,
	or the controls, or the host's state. Here are ten guests that no processor can enter,
	made with ``--set``, and what ``minivmm-run`` says after the registers. The module holds
	the VMCS against all rules of the SDM, chapter "VM Entries" (``module/vmx/check.c``).
	Try them; the guest is three bytes, ``printf '\x0f\xa2\xf4' > guest.bin``, and the module
	is loaded with ``writers=1``. The exit status is 81. Written by ``tests/lab/failures.t``.
	END
	i=0
	while IFS='|' read -r mode setting _ words; do
		i=$((i + 1))
		part "$i minivmm" >"$work/part"
		printf '\n%s\n%s\n\n%s ::\n\n' "$setting" "${setting//?/=}" "$words"
		printf '\t$ minivmm-run --mode %s --set %s guest.bin\n' "$mode" "$setting"
		grep '^minivmm-run:' "$work/part" | sed 's/^/\t/'
		sed -n '/^Broken rules:/,$p' "$work/part" | sed 's/^/\t/'
	done < <(failures)
	cat <<-'END'

	From user space only the guest's state can be made wrong. For the other rules, all of them
	held against the processor's own verdict, see entry-checks.rst.
	END
}
[ -z "${DOCUMENT-}" ] || document >"$root/Documentation/entry-failures.rst"
done_testing
