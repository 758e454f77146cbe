#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The timeline of a run: the ring of VM exits, and minivmm-run --trace.

. "$(dirname "$0")/lib.sh"

# mov eax, 0x40000000; cpuid; mov dx, 0x3f8; mov al, 'A'; out; mov al, 'B'; out; hlt
printf '\x66\xb8\x00\x00\x00\x40\x0f\xa2\xba\xf8\x03\xb0\x41\xee\xb0\x42\xee\xf4' >"$work/few.bin"
# mov cx, 5000; 1: xor eax, eax; push cx; cpuid; pop cx; loop 1b; hlt
printf '\xb9\x88\x13\x66\x31\xc0\x51\x0f\xa2\x59\xe2\xf7\xf4' >"$work/many.bin"

# mov esi, 190000; 1: xor eax, eax; xor ecx, ecx; cpuid; mov dx, 0x80; test esi, 7;
# jnz 2f; out dx, al; 2: dec esi; jnz 1b; hlt: BIG=1 takes a minute more
huge=()
if [ -n "${BIG-}" ]; then
	printf '\x66\xbe\x30\xe6\x02\x00\x66\x31\xc0\x66\x31\xc9\x0f\xa2\xba\x80\x00\x66\xf7\xc6\x07\x00\x00\x00\x75\x01\xee\x66\x4e\x75\xe7\xf4' >"$work/huge.bin"
	huge=(--file "$work/huge.bin")
fi

cat >"$work/trace.sh" <<'END'
# tell NAME COMMAND...: what it said on standard error, and its status.
tell() {
	echo "=== $1"
	shift
	"$@" 2>&1 >/dev/null
	echo "=== status $?"
}

tell few minivmm-run --stats --trace few.json few.bin
echo "=== file"
cat few.json
echo "=== end"
tell many minivmm-run --stats --trace many.html many.bin
echo "=== page"
cat many.html
echo "=== end"
minivmm-run --trace few.html few.bin >/dev/null
echo "=== small"
cat few.html
echo "=== end"
if [ -e huge.bin ]; then
	tell huge minivmm-run --stats --trace huge.html huge.bin
	echo "=== large"
	cat huge.html
	echo "=== end"
fi
tell nowhere minivmm-run --trace /nonsense/a.json few.bin
tell kvm minivmm-run --device /dev/kvm --trace kvm.json few.bin
[ ! -e kvm.json ] && echo 'kvm.json: none'
END

{
	script record
	cat "$work/trace.sh"
} >"$work/all.sh"
lab "$work/out" --timeout 300 --cpus 2 --file "$work/all.sh" --file "$work/few.bin" \
	--file "$work/many.bin" "${huge[@]}" -- sh all.sh
ok $? 'the lab came to its end'
for device in $devices; do
	relay "$work/out" record "$device"
done

# exits_of PART: what --stats counted.
exits_of() {
	part "$1" | sed -nE 's/^ +([0-9]+)  in all.*/\1/p'
}

part file >"$work/few.json"
# What a guest does is told, what the host's interrupts do in between is not known.
exits=$(exits_of few) perl -MJSON::PP -0777 -ne '
	my $file = decode_json($_);
	my @exits = grep { ($_->{cat} // "") eq "root" } @{$file->{traceEvents}};
	my @guest = grep { ($_->{cat} // "") eq "non-root" } @{$file->{traceEvents}};
	my @user = grep { ($_->{cat} // "") eq "user" } @{$file->{traceEvents}};
	my @known = grep { $_->{name} !~ /^(external_interrupt|ept_violation)$/ } @exits;
	my $time = -1;
	for (sort { $a->{ts} <=> $b->{ts} } @exits, @guest) {
		$_->{dur} >= 0 && $_->{ts} >= $time - 0.002 or die "events overlap at $_->{ts}\n";
		$time = $_->{ts} + $_->{dur};
	}
	print "exits ", scalar @exits == $ENV{exits} ? "as counted" : scalar @exits, "\n";
	print "guest ", scalar @guest == @exits ? "before each" : scalar @guest, "\n";
	print "$_->{name}: $_->{args}{insn} at $_->{args}{rip}, ",
		$_->{args}{"rip after"} // "", "\n" for @known;
	print "$_->{name}\n" for @user;
' "$work/few.json" >"$work/few" 2>&1
is "$(cat "$work/few")" 'exits as counted
guest before each
cpuid: cpuid at 0x7c06, 0x7c08
io_instruction: out dx, al at 0x7c0d, 0x7c0e
io_instruction: out dx, al at 0x7c10, 0x7c11
hlt: hlt at 0x7c11, 0x7c12
user space: KVM_EXIT_IO
user space: KVM_EXIT_IO
user space: KVM_EXIT_HLT' 'json: the exits of a known guest'

part page >"$work/many.html"
exits=$(exits_of many) perl -MJSON::PP -0777 -ne '
	my ($text) = /<script id="head" type="application\/json">(.*?)<\/script>/s;
	my $head = decode_json($text);
	my $line = $head->{vcpus}[0];
	my ($data) = /<script id="vcpu0" type="text\/plain">([^<]*)<\/script>/;
	print "exits ", $line->{exits} == $ENV{exits} ? "as counted" : $line->{exits}, "\n";
	print "rows ", $line->{rows} == $line->{exits} ? "all" : $line->{rows}, "\n";
	print "dropped $line->{dropped}\n";
	print "image $head->{image}, instructions ",
		join(" ", grep { /^(cpuid|hlt)$/ } sort @{$head->{code}}), "\n";
	open(my $gzip, "|-", "base64 -d | gzip -d | wc -c") or die;
	$| = 1;
	print "size ";
	print $gzip $data;
	close $gzip;
	print "is ", $line->{rows} * $head->{row}, "\n";
' "$work/many.html" >"$work/many" 2>&1
rows=$(sed -n 's/^is //p' "$work/many")
is "$(cat "$work/many")" "exits as counted
rows all
dropped 0
image many.bin, instructions cpuid hlt
size $rows
is $rows" 'html: the exits of a guest that has many'
ok $((${rows:-0} < 5000 * 256)) 'html: not fewer than it does'
is "$(grep -c 'https\?://' "$work/many.html")" 0 'html: no address of anything else'

# browse NAME: the page of that part, in Chromium; PICTURES= is where screenshots go.
browse() {
	local name=$1 line

	part "$1" >"$work/$1.html"
	if [ -z "$(type -P chromedriver)" ]; then
		skip "$name page in a browser" 'there is no chromedriver (scripts/setup all)'
		return
	fi
	mkdir -p "${PICTURES:-$work}/$name"
	timeout 200 "$here/../timeline/drive.pl" "$work/$1.html" "${PICTURES:-$work}/$name" \
		>"$work/browser" 2>&1
	while IFS= read -r line; do
		case $line in
		"ok "*) ok 0 "$name page: ${line#* - }" ;;
		"not ok "*) ok 1 "$name page: ${line#* - }" ;;
		1..*) ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$work/browser"
	is "$(tail -1 "$work/browser")" 1..16 "$name page: all was tried"
}
browse small
browse page
[ -z "${BIG-}" ] || browse large

part nowhere >"$work/nowhere"
like "$work/nowhere" '^minivmm-run: --trace /nonsense/a.json: No such file' 'a file that cannot be'
part kvm >"$work/kvm"
like "$work/kvm" '/dev/kvm does not tell of its VM exits; /dev/minivmm does' 'not with KVM'
is "$(sed -n '/^=== few$/,$ s/^=== status //p' "$work/out" | xargs)" "0 0 ${BIG:+0 }74 64" 'statuses'
like "$work/out" '^kvm.json: none$' 'not with KVM: no file is left'
done_testing
