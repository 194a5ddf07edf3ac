#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Makes the root directory of a Debian of another suite, with its Python and little else, in the cache outside
# the clone (see fetch.sh): what containers are made of in tests/live/test_roots.py. Prints its path.
#
#   tests/pythons/root.sh [SUITE]       (trixie)
#
# What is there already is not fetched again. Needs root, and debootstrap.
set -u
. "$(dirname "$0")/common.sh"

suite=${1:-trixie}
root=$PYTHONS/root-$suite

mkdir -p "$PYTHONS" || die "no directory $PYTHONS"
exec 9>"$PYTHONS/lock"
flock 9
if [ ! -e "$root/usr/bin/python3" ]; then
	[ "$(id -u)" = 0 ] || die "making a root directory needs root"
	command -v debootstrap >/dev/null || die "debootstrap is missing (scripts/deps.sh installs it)"
	tmp=$(mktemp -d "$PYTHONS/tmp.XXXXXX") || exit 1
	trap 'rm -rf "$tmp"' EXIT
	debootstrap --variant=minbase --include=python3-minimal "$suite" "$tmp" "$(debian_mirror)" >&2 ||
		die "no root directory of $suite could be made"
	rm -rf "$tmp"/var/cache/apt/archives/*.deb "$tmp"/var/lib/apt/lists/*
	chmod 755 "$tmp"
	mv "$tmp" "$root"
fi
echo "$root"
