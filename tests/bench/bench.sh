#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What VM exits, calls and a VM's life cost under minivmm and under the kernel's
# own KVM, in one boot of the lab. Figures are emulated instructions, the same
# on every run. The lab charges 1 for a VMREAD, a WRMSR or an INVEPT where a
# processor takes many more, so these are counted, too: from a trace of all
# instructions, in a second boot.

set -euo pipefail

usage() {
	cat <<-END
	usage: tests/bench/bench.sh [--where NAME] [--document FILE]

	  --document FILE  puts the tables into FILE, between its two marks
	  --where NAME     tells instead in which functions of kernel and module the
	                   instructions of the work NAME are, on both devices
	END
}

die() {
	echo "bench: $*" >&2
	exit 120
}

root=$(cd "$(dirname "$0")/../.." && pwd)
document='' where=''
while [ $# -gt 0 ]; do
	case $1 in
	--document) document=${2?--document needs a file}; shift ;;
	--where) where=${2?--where needs a name}; shift ;;
	-h|--help) usage; exit 0 ;;
	*) usage >&2; exit 120 ;;
	esac
	shift
done
[ -z "$document" ] || grep -q '^.. bench ends' "$document" ||
	die "$document has no marks '.. bench begins' and '.. bench ends'"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The model has XSAVE in a way that Linux takes; large pages need 512 MiB free.
# MITIGATIONS [lab's options and -- the program's]
run() {
	local mitigations=$1
	shift

	# shellcheck disable=SC2016 # for the machine's shell
	"$root/scripts/lab" --model corei7_haswell_4770 --memory 1024 \
		--append "mitigations=$mitigations" "$@" -- sh -c "
		modprobe kvm_intel
		for device in kvm minivmm; do
			bench_exits /dev/\$device $trace | sed \"s/^/\$device\t/\"
		done
		[ -z '$trace' ] || sed 's/^/symbol /' /proc/kallsyms"
}

trace=trace
run off --trace --log "$work/trace" >"$work/traced"
trace=
for mitigations in off auto; do
	[ -n "$where" ] || run "$mitigations" >"$work/$mitigations"
done
if grep -h 'Bail out!' "$work"/traced "$work"/{off,auto} 2>/dev/null; then
	die "a measurement failed"
fi

if [ -n "$where" ] && ! cut -f 2 "$work/traced" | grep -qxF "$where"; then
	echo "bench: '$where' is not measured; there are:" >&2
	grep "^kvm$(printf '\t')" "$work/traced" | cut -f 2 | sed 's/^/  /' >&2
	exit 120
fi

# The trace: two parts for each line of the program, of 1 turn and of 1 + n.
# The difference of the two is what n turns take, told for one.
# shellcheck disable=SC2016 # awk's
count='
function find(address,	low, high, middle) {
	low = 1
	high = nr_symbols
	while (low < high) {
		middle = int((low + high + 1) / 2)
		if (symbol_at[middle] <= address)
			low = middle
		else
			high = middle - 1
	}
	return symbol_name[low]
}
# Which columns an instruction counts in
function class(mnemonic, name) {
	if (mnemonic ~ /^(vmread|vmwrite|rdmsr|wrmsr)$/)
		return mnemonic
	if (mnemonic ~ /^(invept|invvpid)$/)
		return "invept"
	if (mnemonic ~ /^(vmptrld|vmclear)$/)
		return "vmptrld"
	if (mnemonic ~ /^(fx|x)(save|rstor)/)
		return "xsave"
	if (name ~ /send_IPI/ && name != last_name)
		return "ipi"
	return ""
}
FNR == NR && sub(/^symbol /, "") {
	if ($2 ~ /^[tTwW]$/) {
		symbol_at[++nr_symbols] = $1
		symbol_name[nr_symbols] = $3 ($4 ? " " $4 : "")
	}
	next
}
FNR == NR {
	split($0, f, "\t")
	if (f[3] != "")
		line[++nr_lines] = $0
	next
}
/^\([0-9]+\)\.\[/ && match($0, /[0-9a-f][0-9a-f][0-9a-f][0-9a-f]:[0-9a-f]+ /) {
	address = substr($0, RSTART + 5, RLENGTH - 6)
	if (!match($0, /\): [a-z0-9]+/))
		next
	mnemonic = substr($0, RSTART + 3, RLENGTH - 3)
	if (mnemonic == "xchg" && /xchg bx, bx/) {
		part++
		if (part % 2 == 1)
			next
		split(line[part / 2], f, "\t")
		printf "%s\t%s\t%.0f", f[1], f[2], total / f[4]
		for (i = 1; i <= nr_columns; i++)
			printf "\t%s", sprintf("%.1f", counts[column[i]] / f[4]) + 0
		print ""
		if (f[2] == where)
			for (name in here)
				if (here[name] / f[4] >= 1)
					printf "%s\t\t%8.1f  %s\n", f[1], here[name] / f[4], name | "sort -t \"\t\" -k 1,1 -k 3,3nr >&2"
		total = 0
		delete counts
		delete here
		next
	}
	sign = part % 2 ? 1 : -1
	total += sign
	if (address ~ /^ffff/)
		name = (address in known) ? known[address] : (known[address] = find(address))
	else
		name = "the program, the guest"
	if (where != "")
		here[name] += sign
	counts[class(mnemonic, name)] += sign
	last_name = name
}
BEGIN { nr_columns = split("vmread vmwrite rdmsr wrmsr invept vmptrld xsave ipi", column, " ") }
'
# mawk has no better way to compare hexadecimal numbers than as strings: all
# addresses have 16 digits.
sort -s -k 1,1 -k 2,2 <(grep '^symbol ' "$work/traced") |
	cat - <(grep -v '^symbol ' "$work/traced") >"$work/sorted"
awk -v where="$where" "$count" "$work/sorted" "$work/trace" >"$work/counts"
[ -z "$where" ] || exit 0

# shellcheck disable=SC2016 # awk's
table='
function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-" }
function both(i, d,	a, b) {
	a = counts["minivmm", d, i]
	b = counts["kvm", d, i]
	return a == "" && b == "" ? "-" : (a == "" ? "-" : a) "/" (b == "" ? "-" : b)
}
BEGIN {
	FS = "\t"
	aim["cpuid"] = 0.35; aim["kernel"] = 0.40; aim["user"] = 0.50
	aim["mmio"] = 0.40; aim["fault"] = 0.50; aim["new"] = 0.75
	aim["state"] = 0.60; aim["life"] = 0.10
}
FILENAME ~ /counts$/ {
	for (i = 4; i <= NF; i++)
		counts[$1, $2, i - 3] = $i
	next
}
{ boot = FILENAME ~ /off$/ ? "off" : "auto" }
$1 == "kvm" && boot == "off" { order[++n] = $2; kind[$2] = $3 }
{ cost[$1, $2, boot] = $4 }
END {
	line = "=================================== ======= ======= ===== ===== ======= ======= ====="
	print "Instructions: ``mitigations=off``, the aim, and the default mitigations.\n"
	print line
	printf "%-35s %7s %7s %5s %5s %7s %7s %5s\n", "", "minivmm", "KVM", "ratio", "aim", "minivmm", "KVM", "ratio"
	print line
	for (i = 1; i <= n; i++) {
		d = order[i]
		printf "%-35s %7s %7s %5s %5s %7s %7s %5s\n", d,
			cost["minivmm", d, "off"], cost["kvm", d, "off"],
			ratio(cost["minivmm", d, "off"], cost["kvm", d, "off"]), sprintf("%.2f", aim[kind[d]]),
			cost["minivmm", d, "auto"], cost["kvm", d, "auto"],
			ratio(cost["minivmm", d, "auto"], cost["kvm", d, "auto"])
	}
	print line
	print "\nHow many of them cost a processor much more than one instruction, minivmm/KVM,"
	print "``mitigations=off``. The last columns: INVEPT and INVVPID, VMPTRLD and VMCLEAR,"
	print "XSAVE and XRSTOR in all their forms, and interrupts to other CPUs.\n"
	line = "=================================== ========= ========= ======= ======= ======= ======= ======= ======="
	print line
	printf "%-35s %9s %9s %7s %7s %7s %7s %7s %7s\n", "", "VMREAD", "VMWRITE", "RDMSR", "WRMSR", "INVEPT", "VMPTRLD", "XSAVE", "IPI"
	print line
	for (i = 1; i <= n; i++) {
		d = order[i]
		printf "%-35s %9s %9s %7s %7s %7s %7s %7s %7s\n", d, both(1, d), both(2, d), both(3, d),
			both(4, d), both(5, d), both(6, d), both(7, d), both(8, d)
	}
	print line
}'
awk "$table" "$work/counts" "$work/off" "$work/auto" >"$work/table"

# Linux as a guest, of which the first program ends it; KVM's VM exits are counted by
# the host's tracing, in a run of their own, since that takes time.
kernel=$(find "$root/build/kernel" -maxdepth 3 -name 'vmlinuz-*' | sort -V | tail -1)
mkdir "$work/tree"
cp "$root/build/tests/bench_linux" "$work/tree/init"
(cd "$work/tree" && echo init | cpio -o -H newc -R 0:0 --quiet) >"$work/initrd"
# shellcheck disable=SC2016 # for the machine's shell
"$root/scripts/lab" --model corei7_haswell_4770 --memory 1024 --file "$kernel:/root/vmlinuz" \
	--file "$work/initrd" -- sh -c "modprobe kvm_intel ${KVM_OPTIONS-}"'
		# The first finds nothing in caches, and counts for nobody.
		bench_linux /dev/kvm >/dev/null 2>&1
		for device in kvm minivmm; do
			bench_linux /dev/$device 2>said | sed "s/^/$device\t/"
		done
		sed -n "/^VM exits by reason/,/  in all /{
			/  in all /!s/^ *\([0-9]*\)  \([a-z_]*\) .*/minivmm\t\2\t\1/p
		}" said
		cd /sys/kernel/tracing/events/kvm/kvm_exit
		echo hist:keys=exit_reason >trigger
		cd /root
		bench_linux /dev/kvm >/dev/null 2>&1
		sed -n "s/.*exit_reason: *\([0-9]*\) .*hitcount: *\([0-9]*\)/kvm\t\1\t\2/p" \
			/sys/kernel/tracing/events/kvm/kvm_exit/hist' >"$work/linux"
if grep 'Bail out!' "$work/linux"; then
	die "the Linux guest failed"
fi
# shellcheck disable=SC2016 # awk's
linux='
BEGIN { FS = "\t" }
FNR == NR {
	# VMX_REASONS(): X(PAUSE, 40, "pause")
	if (match($0, /^\tX\([A-Z_]+,[ \t]*[0-9]+, "/)) {
		split($0, f, /,[ \t]*|"/)
		name[f[2]] = f[4]
	}
	next
}
{
	what = $1 == "kvm" && $2 in name ? name[$2] : $2
	if (!(what in seen)) {
		seen[what] = 1
		order[++n] = what
	}
	number[$1, what] = $3
	if (what !~ / /)
		all[$1] += $3
}
function line(what, here, there) {
	printf "%-35s %11s %11s %5s\n", what, here == "" ? 0 : here, there == "" ? 0 : there,
		what ~ / / && there ? sprintf("%.3f", here / there) : "-"
}
END {
	mark = "=================================== =========== =========== ====="
	print "\nDebian" apostrophe "s kernel as a guest with one CPU, ``mitigations=off``, and its VM exits:\n"
	print mark
	printf "%-35s %11s %11s %5s\n", "", "minivmm", "KVM", "ratio"
	print mark
	for (i = 1; i <= n; i++)
		line(order[i], number["minivmm", order[i]], number["kvm", order[i]])
	line("VM exits in all", all["minivmm"], all["kvm"])
	print mark
}'
awk -v apostrophe="'" "$linux" "$root/module/vmx/arch.h" "$work/linux" >>"$work/table"
cat "$work/table"
[ -z "$document" ] || sed -i -e '/^.. bench begins/,/^.. bench ends/ {
		/^.. bench begins/ { p; s/.*//; p; r '"$work/table"'
		}
		/^.. bench ends/ { s/^/\n/; p }
		d
	}' "$document"
