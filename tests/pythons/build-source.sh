# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Sourced by build-clang.sh and build-musl.sh, after common.sh: builds a CPython in an unusual way
# from Debian's source package, without its patches, into the cache that fetch.sh uses.

# The newest that is in the cache.
cached()
{
	find "$PYTHONS" -maxdepth 2 -path "$PYTHONS/$1_*/run" 2>/dev/null | sort -V | tail -n 1
}

# build_source NAME VERSION SUITE FULL CONFIGURE-ARGUMENT...: into $PYTHONS/NAME_FULL, with a script
# `run` that starts it. It goes by a file of its own name, too, for list.sh.
build_source()
{
	local name=$1 version=$2 suite=$3 full=$4 dest tmp source log
	shift 4
	dest=$PYTHONS/${name}_$full
	log=$PYTHONS/build-$name.log
	tmp=$(mktemp -d "$PYTHONS/tmp.XXXXXX") || return 1
	chmod 755 "$tmp"
	(
		cd "$tmp" &&
			apt_of "$suite" apt-get source --download-only "python$version" &&
			source=$(find . -maxdepth 1 -name '*.orig.tar.*z' | head -n 1) &&
			mkdir source && tar -xf "$source" -C source --strip-components=1 &&
			cd source &&
			./configure --without-ensurepip --disable-test-modules --prefix="$dest/root" "$@" &&
			make -j2 && make install DESTDIR="$tmp/destdir"
	) >"$log" 2>&1 || {
		echo "$(basename "$0"): $name: failed, see $log" >&2
		rm -rf "$tmp"
		return 1
	}
	rm -rf "$dest"
	mkdir -p "$dest"
	mv "$tmp/destdir$dest/root" "$dest/root"
	rm -rf "$tmp" "$dest/root/lib/python$version/test"
	ln -sf "python$version" "$dest/root/bin/python$name"
	echo "$full" >"$dest/version"
	cat >"$dest/run.tmp" <<-END
		#!/bin/sh
		exec "\$(dirname "\$(readlink -f "\$0")")/root/bin/python$version" "\$@"
	END
	chmod +x "$dest/run.tmp"
	mv "$dest/run.tmp" "$dest/run"
	"$dest/run" -c 'import subprocess, sys; subprocess.run(["true"], check=True)' || {
		echo "$(basename "$0"): the $name that was built does not work" >&2
		rm -rf "$dest"
		return 1
	}
}

# build_all KIND CONFIGURE-ARGUMENT... -- VERSION...: prints a line for each that is there then.
build_all()
{
	local kind=$1 status=0 version suite name run full args=()
	shift
	while [ "$1" != -- ]; do
		args+=("$1")
		shift
	done
	shift
	mkdir -p "$PYTHONS" || die "no directory $PYTHONS"
	exec 9>"$PYTHONS/lock-$kind"
	flock 9
	renice -n 19 $$ >/dev/null 2>&1
	for version; do
		name=$version-$kind
		run=$(cached "$name")
		if [ -z "$run" ]; then
			suite=$(suite_of "$version") || exit 2
			(exec 8>"$PYTHONS/lock"; flock 8; apt_update "$suite") || { status=1; continue; }
			full=$(candidate "$suite" "python$version-minimal")
			build_source "$name" "$version" "$suite" "$full" "${args[@]}" || { status=1; continue; }
			run=$(cached "$name")
		fi
		echo "$name $(cat "$(dirname "$run")/version") $run"
	done
	rm -f "$PYTHONS"/apt/*/updated.$$
	return $status
}
