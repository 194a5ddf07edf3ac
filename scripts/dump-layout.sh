#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Prints the row of events/layouts.tsv for the CPython whose headers are in a directory:
#
#   scripts/dump-layout.sh [--free-threaded | --header] PYTHON_INCLUDE_DIR
#
# for example /usr/include/python3.11. --free-threaded gives the row of the flavour without GIL
# (3.13 and later) from the same headers; --header prints the row of column names instead.
# CC chooses the compiler.
set -eu

define=
argument=
case "${1-}" in
--free-threaded) define=-DPy_GIL_DISABLED=1; shift ;;
--header) argument=--header; shift ;;
esac
if [ $# -ne 1 ] || [ ! -f "$1/Python.h" ]; then
	echo "usage: $0 [--free-threaded | --header] PYTHON_INCLUDE_DIR" >&2
	exit 2
fi

here=$(dirname "$0")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# Debian keeps pyconfig.h in the multiarch directory beside this one. -w: the internal
# headers of old versions do not compile without warnings, and it is only offsets that are wanted.
${CC:-cc} -w -std=gnu11 $define -I"$1" -I"$1/internal" -idirafter "$1/.." \
	-o "$tmp/dump" "$here/dump-layout.c"
"$tmp/dump" $argument
