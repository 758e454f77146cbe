#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Without the lab: each capability that capability.c wants to be there has a
# program that uses it and a test that runs that program; and the documentation
# has each capability and each call of <linux/kvm.h> where it belongs.

. "$(dirname "$0")/../lab/lib.sh"

source=$here/../conformance/capability.c
document=$root/Documentation/interface.rst

# The rows CAP(name, value, "program", "word"), one a line.
rows=$(tr '\n\t' '  ' <"$source" | grep -oE 'CAP\(KVM_CAP_[^)]*\)' |
	sed -E 's/CAP\((\w+), *[^,]+, *"([^"]*)", *"([^"]*)"\)/\1 \2 \3/')
# The calls that are here, those of the rows PLAIN and POINTER.
calls=$(sed -nE 's/^\t(PLAIN|POINTER)\(\w+, (\w+)\),$/\2/p' "$source" | sort -u)
names=$(sh "$here/../conformance/names.sh" | sed -nE 's/^NAME\((\w+)\)$/\1/p')
[ "$(wc -l <<<"$rows")" -gt 30 ] && [ "$(wc -l <<<"$calls")" -gt 40 ] &&
	[ "$(wc -l <<<"$names")" -gt 200 ]
ok $? "tables and names were found"

# How the tests call the program that is made of a source.
program_of() {
	case $1 in
	conformance/*) basename "$1" .c | sed 's/^/conf_/' ;;
	*) basename "$1" .c ;;
	esac
}

while read -r cap file word; do
	wrong=
	if [ ! -e "$here/../$file" ]; then
		wrong="tests/$file does not exist"
	elif ! grep -qw -- "$word" "$here/../$file"; then
		wrong="tests/$file has no $word"
	elif ! grep -qw -- "$(program_of "$file")" "$here"/*.t "$here"/../conformance/*.t; then
		wrong="no test runs tests/$file"
	fi
	[ -z "$wrong" ]
	ok $? "$cap has a test: ${wrong:-tests/$file, $word}"
done <<<"$rows"

# The pieces of the document: what is between two lines, names in `` ``.
# shellcheck disable=SC2016
quoted() {
	grep -oE '``[A-Z0-9_/]+``' | tr -d '`' | sort -u
}
capabilities=$(sed -n '/^Capabilities$/,/^VM calls$/p' "$document")
zero=$(sed -n '/^0, not here$/,$p' <<<"$capabilities" | quoted)
nonzero=$(sed '/^0, not here$/,$d' <<<"$capabilities" | quoted)
absent=$(sed -n '/^Calls that are not here$/,/^KVM_RUN$/p' "$document" | quoted)
# shellcheck disable=SC2016
present=$(sed '/^Calls that are not here$/,/^KVM_RUN$/d' "$document" |
	grep -E '^``[^ ].*``$' | quoted)

# one_of NAME HERE LIST-IF-HERE OTHER-LIST
one_of() {
	local right=$3 wrong=$4

	[ "$2" = here ] || { right=$4 wrong=$3; }
	grep -qx -- "$1" <<<"$right" && ! grep -qx -- "$1" <<<"$wrong"
}

while read -r name; do
	where=absent
	case $name in
	KVM_CAP_*)
		! grep -q "^$name " <<<"$rows" || where=here
		one_of "${name#KVM_CAP_}" $where "$nonzero" "$zero"
		;;
	*)
		! grep -qx "$name" <<<"$calls" || where=here
		one_of "$name" $where "$present" "$absent"
		;;
	esac
	ok $? "interface.rst names $name as $where"
done <<<"$names"
done_testing
