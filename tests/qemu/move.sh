#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# In the lab: a guest of QEMU is stopped by gdb's protocol, steps, runs to its
# shell, is saved into a file and goes on in another QEMU: move.sh QEMU-ARGUMENT...

qemu() {
	qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -m 64 \
		-cpu qemu64,kvm=off,-mce,-mca,-svm,-x2apic \
		-kernel bzImage -initrd initramfs -append 'console=ttyS0 reboot=t' \
		-serial pipe:serial -monitor pipe:monitor "$@"
}

# Of each pair of pipes one end is held open, lest QEMU waits to open it.
pipes() {
	for pipe; do
		rm -f "$pipe.in" "$pipe.out" "$pipe.said"
		mkfifo "$pipe.in" "$pipe.out"
		sleep 100000 >"$pipe.in" &
		holders="$holders $!"
		cat "$pipe.out" >"$pipe.said" &
		holders="$holders $!"
	done
}

# wait_for PATTERN FILE: at most 30 seconds.
wait_for() {
	local n=0

	until grep -q -e "$1" "$2"; do
		n=$((n + 1))
		[ $n -lt 300 ] || { echo "$2 does not say $1:"; cat "$2"; exit 1; }
		sleep 0.1
	done
}

# remote PACKET: sends it and prints the answer. The "+" that acknowledges an answer
# is left out: QEMU's stub takes the "$" of the next packet for it.
remote() {
	local sum=0 byte answers

	for byte in $(printf %s "$1" | od -A n -v -t u1); do
		sum=$((sum + byte))
	done
	answers=$(tr -c -d '$' <gdb.said | wc -c)
	printf '$%s#%02x' "$1" $((sum & 255)) >gdb.in
	until [ "$(tr -c -d '$' <gdb.said | wc -c)" -gt "$answers" ]; do
		sleep 0.1
	done
	until tail -c 3 gdb.said | grep -q '^#'; do
		sleep 0.1
	done
	sed 's/.*\$//; s/#.*//' gdb.said
}

# RIP follows 16 registers of 8 bytes, the least byte first.
stopped_at() {
	remote "$1" >/dev/null
	echo "gdb: $2 at 0x$(remote g | cut -c 257-272 | fold -w 2 | tac | tr -d '\n')"
}

holders=''
# The guest's kernel starts at 100000H with CLD, CLI, LEA, CALL: 1, 1, 6 and 5
# bytes, the call's target being the next instruction.
pipes serial monitor gdb
qemu "$@" -S -gdb pipe:gdb &
first=$!
remote '?' >/dev/null
remote Z1,100000,1 >/dev/null
stopped_at c 'hardware breakpoint'
echo "gdb: code $(remote m100000,e)"
# A breakpoint comes before its instruction: with it no step would go on.
remote z1,100000,1 >/dev/null
stopped_at s step
stopped_at s step
remote Z0,10000d,1 >/dev/null
stopped_at c 'software breakpoint'
remote z0,10000d,1 >/dev/null
remote D >/dev/null
wait_for '^guest# ' serial.said
echo 'answer=42; echo before' >serial.in
wait_for '^before' serial.said
echo stop >monitor.in
echo 'info status' >monitor.in
wait_for 'paused' monitor.said
echo cont >monitor.in
echo 'echo again' >serial.in
wait_for '^again' serial.said
echo 'migrate "exec:cat >state"' >monitor.in
sleep 1
echo 'info migrate' >monitor.in
wait_for 'Migration status: completed' monitor.said
echo quit >monitor.in
wait $first
echo "move: the first QEMU ended with status $?, its guest is $(wc -c <state) bytes"
# shellcheck disable=SC2086 # a list
kill $holders 2>/dev/null

holders=''
pipes serial monitor
qemu "$@" -incoming 'exec:cat state' &
second=$!
while ! grep -q 'VM status: running' monitor.said; do
	kill -0 $second || exit 1
	echo 'info status' >monitor.in
	sleep 0.5
done
# shellcheck disable=SC2016 # the guest's shell is to expand it
echo 'echo answer $answer; uname -sr; reboot -f' >serial.in
wait $second
status=$?
cat serial.said
echo "move: the second QEMU ended with status $status"
# shellcheck disable=SC2086 # a list
kill $holders 2>/dev/null
exit $status
