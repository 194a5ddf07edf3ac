#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Lists the interpreters there are to test with, 3.8 and later, one a line, tab-separated:
#
#   NAME   VERSION   gil|free-threaded   usdt|no-usdt   COMMAND   FILE
#
# COMMAND starts it; FILE is the ELF file that holds the interpreter. NAME says where it is from:
# debian-3.11 (/usr/bin), pyenv-3.8, cached-3.13 and cached-3.13t (fetch.sh, build-ft.sh).
set -u
. "$(dirname "$0")/common.sh"

# entry NAME COMMAND FILE
entry()
{
	local facts probe=no-usdt
	facts=$("$2" -I -c 'import sys, sysconfig
if sys.version_info < (3, 8): sys.exit(1)
print("%d.%d.%d\t%s" % (sys.version_info[:3] + (
    "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "gil",)))' 2>/dev/null) || return 0
	# The probe's provider and name, as they stand in the note.
	if LC_ALL=C grep -aqP 'python\x00audit\x00' "$3"; then
		probe=usdt
	fi
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$facts" "$probe" "$2" "$3"
}

for python in /usr/bin/python3.[0-9] /usr/bin/python3.[0-9][0-9]; do
	[ ! -x "$python" ] || entry "debian-${python#/usr/bin/python}" "$python" "$python"
done

pyenv_root=$(pyenv root 2>/dev/null) || pyenv_root=${PYENV_ROOT:-$HOME/.pyenv}
for dir in "$pyenv_root"/versions/3.*; do
	version=${dir##*/}
	minor=$(echo "$version" | cut -d. -f1,2)
	for python in "$dir/bin/python$minor" "$dir/bin/python${minor}t"; do
		[ ! -x "$python" ] || entry "pyenv-$version" "$python" "$(readlink -f "$python")"
	done
done

for dir in "$PYTHONS"/3.*_*; do
	[ -x "$dir/run" ] || continue
	name=${dir##*/}
	name=${name%%_*}
	file=$dir/root/usr/bin/python$name
	[ -e "$file" ] || file=$dir/root/bin/python$name
	entry "cached-$name" "$dir/run" "$file"
done
