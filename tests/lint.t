#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What tools find without running anything: warnings at W=1, sparse, checkpatch
# and shellcheck.

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
root=$PWD
build=$root/build/lint
mkdir -p "$build"
count=0

# ok STATUS NAME FILE: FILE holds what was found.
ok() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' "$3" | head -100
	fi
}

headers=$(find /usr/src -maxdepth 1 -name 'linux-headers-*-cloud-amd64' | sort -V | tail -1)

# A tree of its own, always built from nothing: what was compiled before would
# not warn again.
rm -rf "$build/module"
mkdir -p "$build/module"
cp -rs "$root"/{Kbuild,module,uapi} "$build/module/"

# build NAME ARGUMENT...: no line of the compiler but "CC ..." and the like.
build() {
	local name=$1 log=$build/$1.log status=0
	shift
	make -C "$headers" M="$build/module" clean >/dev/null 2>&1
	make -C "$headers" M="$build/module" "$@" modules >"$log" 2>&1 || status=1
	# BTF needs the kernel's vmlinux, which no Debian package of headers has.
	grep -Ev '^ +[A-Z]+ |^make|^Skipping BTF generation' "$log" >"$log.left" && status=1
	ok $status "$name" "$log.left"
}

build "the module at W=1" W=1
# __CHECK_ENDIAN__ is on by default; sparse's own contexts are on, too.
build "sparse" C=2 CHECK="sparse -Wcontext"

# checkpatch from the kernel's source, of which nothing else is needed.
archive=$(find /usr/src -maxdepth 1 -name 'linux-source-*.tar.xz' | sort -V | tail -1)
if [ ! -e "$build/scripts/checkpatch.pl" ] || [ "$archive" -nt "$build/scripts/checkpatch.pl" ]; then
	tar -xJmf "$archive" -C "$build" --strip-components=1 --wildcards --occurrence=1 \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'
fi

# checkpatch is for the kernel's tree. Not for this one:
#   LINUX_VERSION_CODE, CONSTANT_COMPARISON  compat.h is for several kernels
#   COMPLEX_MACRO, MULTISTATEMENT_MACRO_USE_DO_WHILE, MACRO_WITH_FLOW_CONTROL,
#   TRAILING_SEMICOLON, MACRO_ARG_REUSE, MACRO_ARG_PRECEDENCE
#                        the table of VMCS fields is an X macro: what it is
#                        given makes declarations and cases, not expressions
kernel=LINUX_VERSION_CODE,CONSTANT_COMPARISON,COMPLEX_MACRO
kernel+=,MULTISTATEMENT_MACRO_USE_DO_WHILE,MACRO_WITH_FLOW_CONTROL,TRAILING_SEMICOLON
kernel+=,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE
# Nor for what runs in user space or without a system:
#   PREFER_KERNEL_TYPES  stdint.h has no u8
#   PREFER_DEFINED_ATTRIBUTE_MACRO  nor has the C library __packed
#   CAMELCASE            Elf64_Ehdr, _Static_assert
#   VOLATILE             sig_atomic_t and shared memory without READ_ONCE()
#   STATIC_CONST_CHAR_ARRAY  argv of exec() is char *[]
#   EMBEDDED_FUNCTION_NAME   wants __func__ in a message that has the same word
user=$kernel,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,CAMELCASE,VOLATILE
user+=,STATIC_CONST_CHAR_ARRAY,EMBEDDED_FUNCTION_NAME

# checkpatch NAME IGNORED PATTERN...: in a folder of its own, for it leaves files.
checkpatch() {
	local name=$1 ignored=$2 log=$build/$1.log
	shift 2
	# The unit tests' shims have the kernel's names, not its rules.
	git ls-files -co --exclude-standard -- "$@" ':!tests/unit/include' |
		sed "s|^|$root/|" >"$build/files"
	(cd "$build" && xargs scripts/checkpatch.pl --no-tree --strict --file --terse \
		--no-summary --quiet --max-line-length=100 --ignore "$ignored" <files) \
		>"$log" 2>"$log.stderr"	# it looks for the kernel's include/ there is not
	ok $? "$name" "$log"
}
checkpatch "checkpatch --strict: the module" "$kernel" 'module/*.[chS]' 'uapi/*.h' \
	':!module/trace.h'
# TRACE_EVENT() is written as in the kernel's own headers of trace events.
checkpatch "checkpatch --strict: the trace events" \
	"$kernel,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE" module/trace.h
checkpatch "checkpatch --strict: user space, guests, tests" "$user" \
	'userspace/*.[ch]' 'scripts/*.[chS]' 'tests/*.[chS]'

# The scripts: bash and sh by their first line.
git ls-files -co --exclude-standard -- .ci scripts tests | while read -r file; do
	[ -f "$file" ] || continue
	case $file in
	*.sh|*.t) echo "$file" ;;
	*) ! head -c 64 "$file" | grep -aq '^#!.*sh$' || echo "$file" ;;
	esac
done >"$build/scripts.list"
# SC2015: A && B || C is meant as it is read, C also when B fails.
# SC2016: what is in single quotes is expanded inside the lab.
# SC1091: a sourced file is checked on its own.
# SC2013, SC2086: words are wanted (numbers, options); both are only "info".
xargs shellcheck -x -P SCRIPTDIR -e SC1091,SC2015,SC2016,SC2013,SC2086 <"$build/scripts.list" \
	>"$build/shellcheck.log" 2>&1
ok $? "shellcheck" "$build/shellcheck.log"

echo "1..$count"
