#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The launcher: its exit statuses and what it says, signals and time limits,
# standard input and output, and the terminal.

. "$(dirname "$0")/lib.sh"

run=$root/build/bin/minivmm-run
guests=$root/build/guests

# --- What needs no virtual machine, here and now -----------------------------------

native 0 '^Usage: minivmm-run' '--help' --help
native 0 '^minivmm-run [0-9]+\.[0-9]+$' '--version' --version
native 64 'no IMAGE given' 'no image'
native 64 'Try: minivmm-run --help' 'unknown option' --nonsense
native 64 '64X: unknown unit' 'bad size' --memory 64X "$guests/hello16.bin"
native 64 '--mode and --load are for flat' 'ELF with --load' --load 0x1000 "$guests/hello32.elf"
native 66 '/nonexistent: No such file' 'no such image' /nonexistent
native 66 'is a directory' 'a folder as image' /
native 65 'the file is empty' 'an empty image' /dev/null
native 65 'link with -static -no-pie' 'a program of Linux' /bin/true
head -c 100 "$guests/hello32.elf" >"$work/cut.elf"
native 65 'broken program headers' 'an ELF cut off' "$work/cut.elf"
native 65 "outside the guest's memory" 'image too large' --memory 1M "$guests/hello64.elf"
native 69 '/nonexistent is not there' 'no such device' --device /nonexistent "$guests/hello16.bin"
native 69 'not a device that makes virtual machines' 'a device of another kind' \
	--device /dev/null "$guests/hello16.bin"
"$run" --help >/dev/full 2>"$work/native"
is $? 74 'output that cannot be written: status 74'
like "$work/native" 'No space left' 'output that cannot be written: words'

# --- In the lab, on each device ------------------------------------------------------

# A signal at the worst moment: after the last look, before the call that blocks.
cat >"$work/early.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int fd, unsigned long request, void *argument);
	void *argument;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (request == KVM_RUN && getenv("EARLY_RUN"))
		raise(SIGTERM);
	real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, argument);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	ssize_t (*real)(int fd, const void *bytes, size_t size);

	if (fd == STDOUT_FILENO && getenv("EARLY_WRITE"))
		raise(SIGTERM);
	real = dlsym(RTLD_NEXT, "write");
	return real(fd, bytes, size);
}
END
gcc -shared -fPIC -o "$work/early.so" "$work/early.c" -ldl || exit 1

# Guests in bytes, each of one to four instructions:
#	hole	mov $0xd0000000, %eax; mov (%eax), %al	(protected mode)
#	write	mov $0xd0000000, %eax; mov %al, (%eax)
#	jump	mov $0xd0000000, %eax; jmp *%eax
#	int10	int $0x10				(real mode)
#	divide	xor %cx, %cx; div %cx
#	yes	mov $0x3f8, %dx; mov $'y', %al; 1: out %al, %dx; jmp 1b
#	many	mov $0x3f8, %dx; xor %si, %si; mov $0xffff, %cx; rep outsb; hlt
#	port	out %al, $0x80; in $0x81, %al; hlt
script='
printf "\270\000\000\000\320\212\000" >hole
printf "\270\000\000\000\320\210\000" >write
printf "\270\000\000\000\320\377\340" >jump
printf "\315\020" >int10
printf "\061\311\367\361" >divide
printf "\272\370\003\260y\356\353\375" >yes
printf "\272\370\003\061\366\271\377\377\363\156\364" >many
printf "\346\200\344\201\364" >port
cp guests/* .

# try NAME ARGUMENT...: what the launcher says and the guest prints, and its status.
try() {
	local name=$1
	shift
	echo "=== $name $device"
	minivmm-run --device /dev/$device "$@" 2>&1
	printf "\n=== status $?\n"
}

# result NAME STATUS WORD...: something else to be looked at.
result() {
	echo "=== $1 $device"
	local status=$2
	shift 2
	echo "$@"
	echo "=== status $status"
}

# looping DEVICE: starts a guest that never ends; it is $! when it runs.
looping() {
	minivmm-run --device /dev/$1 --timeout 60 loop.bin >out &
	while ! grep -q looping out; do :; done
}

# killed NAME SIGNAL
killed() {
	looping $device
	kill -$2 $!
	wait $!
	result $1 $?
}

echo nobody:x:65534:65534::/:/bin/sh >>/etc/passwd
chmod 755 /root
modprobe kvm_intel || exit 1
for device in $devices; do
	chmod 600 /dev/$device
	try triple triple.elf
	try hole --mode protected hole
	try write --mode protected write
	try jump --mode protected jump
	try int10 int10
	try divide divide
	try port --verbose port
	try quiet port
	try stats --stats hello32.elf
	try entry --set tr.present=0 hello16.bin
	try timeout --timeout 300ms loop.bin
	try no-timeout --timeout 60 hello16.bin
	try most-memory --memory 256G hello64.elf

	killed sigterm TERM
	killed sigalrm ALRM
	killed sigkill KILL
	timeout -s INT $LAB_PATIENCE minivmm-run --device /dev/$device loop.bin
	result sigint $?
	timeout -s INT $LAB_PATIENCE minivmm-run --device /dev/$device --stats loop.bin 2>err
	result sigint-stats $? "$(cat err)"
	# A shell without job control has "&" ignore SIGINT: it stays ignored.
	minivmm-run --device /dev/$device --timeout 2 loop.bin >out &
	while ! grep -q looping out; do :; done
	kill -INT $!
	wait $! 2>/dev/null
	result ignored-sigint $?

	{ minivmm-run --device /dev/$device yes; echo $? >status; } | head -c 10 >out
	result sigpipe $(cat status) $(cat out)
	# Nobody reads, and the pipe is full: both must still end it.
	{ minivmm-run --device /dev/$device --timeout 1 yes 2>err; echo $? >status; } | sleep 4
	result full-pipe $(cat status) $(head -n 1 err)
	{ timeout 1 minivmm-run --device /dev/$device yes; echo $? >status; } | sleep 4
	result full-pipe-sigterm $(cat status)
	EARLY_RUN=1 LD_PRELOAD=./early.so minivmm-run --device /dev/$device \
		--timeout 20 loop.bin
	result early-run $?
	# A pipe holds 64 KiB; the guest finds no room for its first byte.
	{
		head -c 65536 /dev/zero
		EARLY_WRITE=1 LD_PRELOAD=./early.so timeout -s KILL 3 \
			minivmm-run --device /dev/$device yes
		echo $? >status
	} | sleep 6
	result early-write $(cat status)
	minivmm-run --device /dev/$device many | (sleep 1; wc -c) >out
	result slow-reader 0 $(cat out)
	minivmm-run --device /dev/$device many >bytes
	tail -c +31745 bytes | head -c 11 | cmp - many && size=$(wc -c <bytes)
	result many 0 $size
	size=
	minivmm-run --device /dev/$device hello16.bin 2>err >/dev/full
	result full $? $(cat err)

	minivmm-run --device /dev/$device hello16.bin >&- 2>err
	result closed-output $? $(cat err)
	minivmm-run --device /dev/$device hello16.bin <&- >out
	result closed-input $? $(cat out)
	minivmm-run --device /dev/$device echo.elf <&-
	result closed-input-read $?
	printf "one\ntwo\n" | { minivmm-run --device /dev/$device hello16.bin >out; cat; } >left
	result input-left 0 $(cat left)
	mkfifo image
	cat hello16.bin >image &
	try image-from-pipe image
	rm image
	printf "\272\370\003\260H\356\260\012\356\372\364" >h.bin
	try manual h.bin
	echo "=== permission $device"
	su nobody -c "minivmm-run --device /dev/$device hello16.bin" 2>&1
	echo "=== status $?"
done

[ "$devices" = "kvm minivmm" ] || exit 0

looping kvm
device=minivmm
try busy hello16.bin
kill $!
wait $!
looping minivmm
device=kvm
try busy hello16.bin
kill $!
wait $!

device=minivmm
modprobe -r minivmm
[ ! -e /dev/minivmm ] || exit 1
echo "=== not-root $device"
su nobody -c "minivmm-run hello16.bin" 2>&1
echo "=== status $?"
mkdir -p /etc/modprobe.d
echo "blacklist minivmm" >/etc/modprobe.d/lab.conf
try blacklisted hello16.bin
rm /etc/modprobe.d/lab.conf
try loads hello16.bin
modprobe -r minivmm
cd /lib/modules/*/
mkdir aside
mv modules.*.bin aside/
cd /root
try not-installed hello16.bin
mv /lib/modules/*/aside/* /lib/modules/*/
case $(uname -r) in
*-debug) ;;
*)
	modprobe -r kvm_intel
	device=kvm
	try missing-kvm hello16.bin
	;;
esac
exit 0
'

# shellcheck disable=SC2046
lab "$work/out" $(module_option) --timeout 400 \
	--file "$work/early.so" -- \
	sh -c "LAB_PATIENCE=${LAB_PATIENCE:-1} devices='$devices'; $script"
ok $? "the lab ran, and its kernel had no complaint"

# expect NAME DEVICE STATUS REGEXP...: status, and lines that are there.
expect() {
	local name=$1 device=$2 status=$3 regexp got

	shift 3
	got=$(awk -v mark="=== $name $device" '
		$0 == mark { on = 1 }
		/^=== status / && on { print $3; exit }' "$work/out")
	is "$got" "$status" "$device $name: status $status"
	section "$work/out" "$name" "$device" >"$work/section"
	for regexp; do
		like "$work/section" "$regexp" "$device $name: $regexp"
	done
}

for device in $devices; do
	expect triple $device 80 \
		'^minivmm-run: triple fault' \
		'^  =>  .* 8a 02  .* mov al, byte ptr \[rdx\]$' \
		'^  RIP    0018:0000000000[0-9a-f]{6}  64-bit mode, paging on$' \
		'^  CR2    0000123456789000' \
		'There is no IDT \(limit 0\)' \
		'page fault was at CR2 0x123456789000, which is not mapped: level 4 '
	expect hole $device 82 \
		'read physical address 0xd0000000, where it has no memory' \
		'^  =>  .* 8a 00  .* mov al, byte ptr \[eax\]$' \
		'RAM is 0 to 0x3ffffff'
	expect write $device 82 'wrote physical address 0xd0000000'
	expect jump $device 82 'jumped to physical address 0xd0000000' \
		'nothing is mapped at RIP'
	expect int10 $device 85 'INT 0x10 at 0000:7c00 has no handler' \
		'0x10 is at 0x40'
	expect divide $device 85 'exception 0, #DE divide error, at 0000:7c02 has no handler' \
		'^  =>  .* f7 f1  .* div cx$'
	expect port $device 0 'port 0x80: 1 byte\(s\) written, nobody there' \
		'port 0x81: 1 byte\(s\) read, nobody there'
	expect quiet $device 0
	is "$(section "$work/out" quiet $device)" "" "$device quiet: not a word"
	expect entry $device 81 \
		"^minivmm-run: VM entry failed: the guest's state .* \(exit reason 0x80000021\)" \
		"$([ $device = kvm ] && echo 'On /dev/minivmm this says which rules' ||
			echo 'guest TR access rights is 0x1000b: TR must be usable')"
	expect timeout $device 124 '^minivmm-run: timeout: after 0.300 s' \
		'^  =>  .* eb fe  .* jmp 0x7c07$'
	expect no-timeout $device 0 '^Hello'
	expect most-memory $device 0 '^Hello'

	expect sigint $device 130
	expect sigint-stats $device 130 'exits$|^  +[0-9]+  in all'
	expect ignored-sigint $device 124
	expect sigterm $device 143
	expect sigalrm $device 142
	expect sigkill $device 137
	expect sigpipe $device 141 '^yyyyyyyyyy$'
	expect full-pipe $device 124 'timeout: after 1.000 s'
	expect full-pipe-sigterm $device 143
	expect early-run $device 143
	expect early-write $device 143
	expect slow-reader $device 0 '^65535$'
	expect many $device 0 '^65535$'
	expect full $device 74 'standard output: No space left on device'
	expect closed-output $device 0
	expect closed-input $device 0 '^Hello'
	expect closed-input-read $device 0
	expect input-left $device 0 '^one two$'
	expect image-from-pipe $device 0 '^Hello'
	expect manual $device 0 '^H$'
	expect permission $device 77 "^minivmm-run: /dev/$device: no permission" 'usermod -aG kvm'
done
expect stats kvm 0 '^Counters of the vCPU:$' '^ +[0-9]+  exits$' '^ +[0-9]+  io_exits$'

if [ "$devices" = "kvm minivmm" ]; then
	expect stats minivmm 0 '^VM exits by reason: +in root mode +share +each$' \
		'^ +[0-9]+  io_instruction +[0-9.]+ [um]s +[0-9.]+ % +[0-9.]+ us$' \
		'^ +[0-9]+  ept_violation ' '^ +[0-9]+  in all ' '^ +[0-9.]+ %  in the guest$'
	expect busy minivmm 75 'VT-x is in use' 'sudo modprobe -r kvm_intel'
	expect busy kvm 75 'VT-x is in use' 'sudo modprobe -r minivmm'
	expect not-root minivmm 69 'only root may load its module' 'sudo modprobe minivmm'
	expect blacklisted minivmm 69 'blacklisted'
	expect loads minivmm 0 '^Hello'
	expect not-installed minivmm 69 'module minivmm is not installed for 6\.'
	if section "$work/out" missing-kvm kvm | grep -q .; then
		expect missing-kvm kvm 69 '/dev/kvm is not there \(sudo modprobe kvm_intel\)'
	else
		skip 'missing-kvm' 'KVM of 6.1 leaves slab caches behind when it is unloaded, says kmemleak'
	fi
	# The sum is the sum.
	section "$work/out" stats minivmm | awk '
		/VM exits by reason:/ { on = 1; next }
		/  in all/ { total = $1; on = 0 }
		on { sum += $1 }
		END { exit !(total > 0 && total == sum) }'
	ok $? 'minivmm stats: the reasons add up'
	# Most frequent first.
	section "$work/out" stats minivmm | sed -n '/by reason/,/in all/p' |
		sed '1d;$d' | awk '{ print $1 }' | sort -c -n -r
	ok $? 'minivmm stats: sorted'
else
	skip 'minivmm: busy, loading, missing' "DEVICES=$devices"
fi

# --- On a terminal ------------------------------------------------------------------

# shellcheck disable=SC2046
lab "$work/out" $(module_option) --timeout 300 -- sh -c "$(script pty)"
ok $? "the lab ran, and its kernel had no complaint (terminal)"
for device in $devices; do
	relay "$work/out" pty "$device"
done

done_testing
