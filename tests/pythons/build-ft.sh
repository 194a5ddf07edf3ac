#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Builds free-threaded CPythons with the audit probe from Debian's source packages, into the cache
# that fetch.sh uses:
#
#   tests/pythons/build-ft.sh [VERSION...]        (3.13 3.14 3.15; by default 3.13)
#
# One line for each: name (3.13t), package version, the script that starts it. One that is in the
# cache is not built again. It takes about ten minutes on two cores; the log is kept beside it.
# Needs a compiler, dpkg-dev, systemtap-sdt-dev and libffi-dev.
set -u
. "$(dirname "$0")/common.sh"

# Where there is more than one, the newest: a name of the form VERSIONt_PACKAGEVERSION.
cached()
{
	find "$PYTHONS" -maxdepth 2 -path "$PYTHONS/$1t_*/run" 2>/dev/null | sort -V | tail -n 1
}

build()
{
	local version=$1 suite=$2 full=$3 tmp dest source
	dest="$PYTHONS/${version}t_$full"
	tmp=$(mktemp -d "$PYTHONS/tmp.XXXXXX") || return 1
	chmod 755 "$tmp"
	(
		cd "$tmp" &&
			apt_of "$suite" apt-get source --download-only "python$version" &&
			source=$(find . -maxdepth 1 -name '*.orig.tar.*z' | head -n 1) &&
			mkdir source && tar -xf "$source" -C source --strip-components=1 &&
			cd source &&
			./configure --disable-gil --with-dtrace --without-ensurepip \
				--disable-test-modules --prefix="$dest/root" &&
			make -j2 && make install DESTDIR="$tmp/destdir"
	) >"$PYTHONS/build-${version}t.log" 2>&1 || {
		echo "build-ft.sh: $version: failed, see $PYTHONS/build-${version}t.log" >&2
		rm -rf "$tmp"
		return 1
	}
	rm -rf "$dest"
	mkdir -p "$dest"
	mv "$tmp/destdir$dest/root" "$dest/root"
	rm -rf "$tmp" "$dest/root/lib/python${version}t/test"
	echo "$full" >"$dest/version"
	cat >"$dest/run.tmp" <<-END
		#!/bin/sh
		exec "\$(dirname "\$(readlink -f "\$0")")/root/bin/python${version}t" "\$@"
	END
	chmod +x "$dest/run.tmp"
	mv "$dest/run.tmp" "$dest/run"
	"$dest/run" -c 'import ctypes, sys, sysconfig; assert sysconfig.get_config_var("Py_GIL_DISABLED")' || {
		echo "build-ft.sh: the $version that was built does not work" >&2
		rm -rf "$dest"
		return 1
	}
}

main()
{
	local status=0 version suite run full
	[ $# -gt 0 ] || set -- 3.13
	for tool in "${CC:-cc}" make dtrace dpkg-source; do
		command -v "$tool" >/dev/null || die "needs $tool"
	done
	mkdir -p "$PYTHONS" || die "no directory $PYTHONS"
	exec 9>"$PYTHONS/lock-ft"
	flock 9
	renice -n 19 $$ >/dev/null 2>&1
	for version; do
		run=$(cached "$version")
		if [ -z "$run" ]; then
			suite=$(suite_of "$version") || exit 2
			(exec 8>"$PYTHONS/lock"; flock 8; apt_update "$suite") || { status=1; continue; }
			full=$(candidate "$suite" "python$version-minimal")
			build "$version" "$suite" "$full" || { status=1; continue; }
			run=$(cached "$version")
		fi
		echo "${version}t $(cat "$(dirname "$run")/version") $run"
	done
	rm -f "$PYTHONS"/apt/*/updated.$$
	return $status
}

main "$@"
