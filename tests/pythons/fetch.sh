#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Fetches interpreters from other Debian suites and unpacks them into a cache outside the clone
# ($PYTRAIL_PYTHONS, by default ~/.cache/pytrail/pythons), without touching the machine's packages:
#
#   tests/pythons/fetch.sh [--update] [VERSION...]        (3.9 3.13 3.14 3.15)
#
# One line for each: name, package version, the script that starts it. What is in the cache already
# is not fetched again; --update looks whether its suite has a newer one. Ends with 1 when one of
# them could not be had; the others are there all the same.
#
# An interpreter runs with the C library of its own suite: `run` starts it through its own dynamic
# loader, so /proc/PID/exe is the loader and the interpreter is a file among the process's maps.
set -u
. "$(dirname "$0")/common.sh"

# What an interpreter with ctypes needs; of each group (a|b) the first that the suite has.
packages_of()
{
	echo "python$1-minimal libpython$1-minimal libpython$1-stdlib libc6 libgcc-s1" \
		"libexpat1 libffi8|libffi7 zlib1g libbz2-1.0 liblzma5 libcrypt1"
}

# Writes DIR/run. The loader and the library directories are looked for: suites differ in whether
# /lib is a link to /usr/lib.
write_run()
{
	local dir=$1 version=$2 loader libs
	loader=$(cd "$dir" && find root \( -name 'ld-linux-*.so.[12]' -o -name 'ld64.so.[12]' \) |
		sort | head -n 1)
	[ -n "$loader" ] || return 1
	libs=$(cd "$dir" && find root/lib root/usr/lib -maxdepth 1 -type d -name '*-linux-gnu*' \
		2>/dev/null | sort -u | sed 's|^|$here/|' | paste -sd: -)
	cat >"$dir/run" <<-END
		#!/bin/sh
		here=\$(dirname "\$(readlink -f "\$0")")
		exec "\$here/$loader" --library-path "$libs" "\$here/root/usr/bin/python$version" "\$@"
	END
	chmod +x "$dir/run"
}

# Downloads and unpacks VERSION from SUITE into $PYTHONS/VERSION_PACKAGEVERSION.
fetch()
{
	local version=$1 suite=$2 full=$3 tmp debs group package chosen
	tmp=$(mktemp -d "$PYTHONS/tmp.XXXXXX") || return 1
	debs=
	for group in $(packages_of "$version"); do
		chosen=
		for package in ${group//|/ }; do
			[ -n "$chosen" ] || [ -z "$(candidate "$suite" "$package")" ] || chosen=$package
		done
		debs="$debs $chosen"
	done
	mkdir -p "$tmp/debs" "$tmp/root"
	# shellcheck disable=SC2086
	(cd "$tmp/debs" && apt_of "$suite" apt-get download $debs >&2) || { rm -rf "$tmp"; return 1; }
	for package in "$tmp"/debs/*.deb; do
		dpkg-deb -x "$package" "$tmp/root" || { rm -rf "$tmp"; return 1; }
	done
	rm -rf "$tmp/debs"
	chmod 755 "$tmp"
	echo "$full" >"$tmp/version"
	if ! write_run "$tmp" "$version" || ! "$tmp/run" -c 'import ctypes, json, subprocess' >&2; then
		echo "fetch.sh: Python $full of $suite does not run" >&2
		rm -rf "$tmp"
		return 1
	fi
	rm -rf "$PYTHONS/${version}_$full"
	mv "$tmp" "$PYTHONS/${version}_$full"
}

# The newest complete copy of VERSION in the cache.
cached()
{
	find "$PYTHONS" -maxdepth 2 -path "$PYTHONS/$1_*/run" 2>/dev/null | sort -V | tail -n 1
}

main()
{
	local update= status=0 version suite run full
	if [ "${1-}" = --update ]; then
		update=1
		shift
	fi
	[ $# -gt 0 ] || set -- 3.9 3.13 3.14 3.15
	mkdir -p "$PYTHONS" || die "no directory $PYTHONS"
	exec 9>"$PYTHONS/lock"
	flock 9
	for version; do
		suite=$(suite_of "$version") || exit 2
		run=$(cached "$version")
		if [ -z "$run" ] || [ -n "$update" ]; then
			(apt_update "$suite") || { status=1; continue; }
			full=$(candidate "$suite" "python$version-minimal")
			if [ -z "$full" ]; then
				echo "fetch.sh: $suite has no Python $version" >&2
				status=1
			elif [ ! -e "$PYTHONS/${version}_$full/run" ]; then
				fetch "$version" "$suite" "$full" || status=1
			fi
			run=$(cached "$version")
		fi
		[ -z "$run" ] || echo "$version $(cat "$(dirname "$run")/version") $run"
	done
	rm -f "$PYTHONS"/apt/*/updated.$$
	return $status
}

main "$@"
