#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints: a guest whose VM exits are known (src/events.c), under trace-cmd
# and under perf, as Debian has them. What is traced of KVM while it runs the same guest
# is the same text, but for what alike() says.

. "$(dirname "$0")/lib.sh"

# events SYSTEM: the guest's part of trace-cmd's report as "event: text", without what
# has other causes: the host's interrupts and, before the guest runs, calls.
events() {
	section "$work/out" trace "$1" | sed -nE "s/^.*: +${1}_([a-z_]+): +/\1: /p" | awk '
		{ sub(/ +$/, "") }
		/^entry: / { started = 1 }
		!started { next }
		# An interrupt of the host, and the VM entry after it
		/^exit: .* reason EXTERNAL_INTERRUPT / { skip = 1; next }
		skip && /^entry: / { skip = 0; next }
		{ print }'
}

# What the guest does, without VM entries and without EPT violations of its memory,
# which is below 4 MiB: these depend on the host.
expected="\
exit: CPUID
cpuid: func 0 idx 0 rax 1 rbx 0 rcx 0 rdx 0, cpuid entry found
exit: CPUID
cpuid: func 12345 idx 3 rax 0 rbx 0 rcx 0 rdx 700027d, cpuid entry not found, used max basic
exit: RDMSR
msr: msr_read 1a0 = 0x1800
exit: WRMSR
msr: msr_write 1a0 = 0x1800
exit: RDMSR
msr: msr_read 1b = 0xfee00900
exit: RDMSR
msr: msr_read 12345678 = 0x0 (#GP)
inj_exception: #GP (0x0)
exit: IO_INSTRUCTION
pio: pio_write at 0x8d size 1 count 1 val 0x0
userspace_exit: reason KVM_EXIT_IO (2)
exit: WRMSR
msr: msr_write 12345678 = 0x7 (#GP)
inj_exception: #GP (0x0)
exit: IO_INSTRUCTION
pio: pio_write at 0x8d size 1 count 1 val 0x7
userspace_exit: reason KVM_EXIT_IO (2)
exit: CR_ACCESS
cr: cr_write 0 = 0xc0000031
exit: CR_ACCESS
cr: cr_write 8 = 0x5
exit: CR_ACCESS
cr: cr_read 8 = 0x5
exit: IO_INSTRUCTION
pio: pio_write at 0x10 size 1 count 1 val 0x44
userspace_exit: reason KVM_EXIT_IO (2)
exit: IO_INSTRUCTION
pio: pio_write at 0x12 size 4 count 1 val 0x41424344
userspace_exit: reason KVM_EXIT_IO (2)
exit: IO_INSTRUCTION
userspace_exit: reason KVM_EXIT_IO (2)
pio: pio_read at 0x1234 size 2 count 1 val 0xabcd
exit: EPT_VIOLATION
page_fault: address 0x0000000000800000
mmio: mmio write len 4 gpa 0x800000 val 0x11223344
userspace_exit: reason KVM_EXIT_MMIO (6)
exit: EPT_VIOLATION
page_fault: address 0x0000000000800004
mmio: mmio unsatisfied-read len 2 gpa 0x800004 val 0x0
userspace_exit: reason KVM_EXIT_MMIO (6)
mmio: mmio read len 2 gpa 0x800004 val 0x5678
exit: HLT
userspace_exit: reason KVM_EXIT_HLT (5)
inj_virq: IRQ 0x1e
exit: IO_INSTRUCTION
pio: pio_write at 0x9e size 1 count 1 val 0x0
userspace_exit: reason KVM_EXIT_IO (2)
exit: HLT
userspace_exit: reason KVM_EXIT_HLT (5)
inj_nmi: vcpu 0
exit: IO_INSTRUCTION
pio: pio_write at 0x82 size 1 count 1 val 0x0
userspace_exit: reason KVM_EXIT_IO (2)
exit: HLT
userspace_exit: reason KVM_EXIT_HLT (5)"

# The form of $expected. An EPT violation is known by the page_fault behind it.
told() {
	awk '
		/^entry: / || /\[reinjected\]$/ { next }
		/^exit: / { sub(/vcpu 0 reason /, ""); sub(/ rip 0x.*/, "") }
		$0 == "exit: EPT_VIOLATION" { next }
		/^page_fault: / {
			sub(/vcpu 0 rip 0x[0-9a-f]+ /, ""); sub(/ error_code .*/, "")
			if ($3 < "0x0000000000400000")
				next
			print "exit: EPT_VIOLATION"
		}
		{ print }'
}

# alike SYSTEM: what both systems tell in the same words. These differ:
#   - KVM calls RDMSR and WRMSR MSR_READ and MSR_WRITE.
#   - KVM knows the second access to a page without memory by an EPT misconfiguration
#     of its own making, which is no page fault; here it is an EPT violation again.
#   - For KVM an interrupt of KVM_INTERRUPT is one that was injected before. It enters
#     the guest for no instruction then ("immediate exit"), by the preemption timer.
#   - KVM does not tell of NMIs. It tells of much that is not here.
alike() {
	events "$1" | sed -E 's/ reason MSR_READ / reason RDMSR /; s/ reason MSR_WRITE / reason WRMSR /' | awk '
		/^inj_nmi: / { next }
		/^inj_virq: / { sub(/ \[reinjected\]$/, "") }
		/^entry: .*\[immediate exit\]$/ { sub(/\[immediate exit\]/, "") }
		/^exit: .* reason PREEMPTION_TIMER / { skip = 1; next }
		skip && /^entry: / { skip = 0; next }
		/^exit: .* reason EPT_(MISCONFIG|VIOLATION) rip 0x1065 / { print "exit: MMIO"; next }
		/^page_fault: .* address 0x0000000000800004 / { next }
		/^(entry|exit|page_fault|inj_[a-z]+|pio|mmio|cpuid|msr|cr|userspace_exit): /'
}

# shellcheck disable=SC2016 # for the machine's shell
LAB_PROGRAMS=events lab "$work/out" --file "$(type -P trace-cmd):/usr/bin/trace-cmd" \
	--file "$(type -P perf):/usr/bin/perf" -- sh -c '
	modprobe kvm_intel '"${KVM_OPTIONS-}"'
	# The kernel writes KVM events out by itself: that is quicker.
	cd /sys/kernel/tracing
	echo 1 >events/kvm/enable
	echo "=== guest kvm"
	events /dev/kvm 2>&1
	echo "=== status $?"
	echo 0 >events/kvm/enable
	echo "=== trace kvm"
	cat trace
	echo "=== status $?"
	cd /root
	echo "=== guest minivmm"
	trace-cmd record -e minivmm events /dev/minivmm 2>&1
	echo "=== status $?"
	echo "=== trace minivmm"
	trace-cmd report
	echo "=== status $?"
	echo "=== guest perf"
	perf record -B -N --no-bpf-event -o perf.data -e "minivmm:*" events /dev/minivmm 2>&1
	echo "=== status $?"
	echo "=== trace perf"
	perf script -i perf.data -F event,trace
	echo "=== status $?"
	echo "=== on perf"
	cat /sys/kernel/tracing/events/minivmm/enable
	echo "=== status 0"
	# Those that somebody forgot end with the module, which the lab unloads.
	echo 1 >/sys/kernel/tracing/events/minivmm/enable'
ok $? "the lab ran, and its kernel had no complaint"

# outcome DEVICE: what the guest did, in the words of the program
outcome() {
	section "$work/out" guest "$1" | grep -E '^(trap|OUT|IN|MMIO|HLT|Bail)'
}

is "$(grep -c '^=== status 0$' "$work/out")" 7 "all of them end well"
is "$(outcome minivmm)" "$(outcome kvm)" "the guest does the same on both"
is "$(events minivmm | told)" "$expected" "trace-cmd -e minivmm: the events, in their order"
diff -U0 <(alike kvm) <(alike minivmm) >"$work/diff"
ok $? "minivmm's events (+) have the text of KVM's (-)"
diag <"$work/diff"
is "$(section "$work/out" trace perf | sed -nE 's/^ *minivmm:minivmm_([a-z_]+): /\1: /p' |
	sed -nE '/^entry/,$ { s/ +$//; /EXTERNAL_INTERRUPT/!p }' | told)" \
	"$expected" "perf record -e minivmm:*: the same events"
is "$(section "$work/out" on perf)" 0 "afterwards none is on"
done_testing
