#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Makes the root directory of a Debian 12 of another architecture: what is built for it is built against that, and
# its guests run in it.
#
#   tests/vm/sysroot.sh [--update] [ARCH]        (arm64)
#
# Its packages are only unpacked, into the cache outside the clone ($PYTRAIL_VM, by default ~/.cache/pytrail/vm); the
# machine's own are not touched, and nothing of it is run. Prints its path. It is fetched anew when scripts/deps.sh
# names other libraries than before, and with --update.
set -u
. "$(dirname "$0")/../debian.sh"

VM=${PYTRAIL_VM:-$(pytrail_cache)/vm}
DEBIAN_CACHE=$VM
SUITE=bookworm

# The libraries that building needs, and what the tests run in a guest.
packages()
{
	sed -nE 's/^\tbuild +[^ ]+ +([^ ]*-dev) .*/\1/p' "$(dirname "$0")/../../scripts/deps.sh" | sort -u
	echo "python3.11 python3-minimal libpython3.11 python3-pytest busybox-static bash dash coreutils procps util-linux base-files base-passwd"
}

unpack()
{
	local debs=$1 root=$2 dir deb
	mkdir -p "$root/usr"
	for dir in bin sbin lib; do
		mkdir -p "$root/usr/$dir"
		ln -s "usr/$dir" "$root/$dir"
	done
	for deb in "$debs"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner || return 1
	done
	# what the packages' scripts would have done
	cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
	cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
	[ -e "$root/bin/sh" ] || ln -s dash "$root/bin/sh"
	mkdir -p "$root"/{dev,proc,sys,run,tmp,root}
}

fetch()
{
	local suite=$1 wanted=$2 root=$3 tmp
	tmp=$(mktemp -d "$VM/tmp.XXXXXX") || return 1
	mkdir -p "$tmp/debs/partial"
	(apt_update "$suite") &&
		apt_of "$suite" apt-get install -y --no-install-recommends --download-only \
			-o Dir::Cache::archives="$tmp/debs" $wanted >&2 &&
		unpack "$tmp/debs" "$tmp/root" || { rm -rf "$tmp"; return 1; }
	echo "$wanted" >"$tmp/root/.packages"
	chmod 755 "$tmp/root"
	rm -rf "$root"
	mv "$tmp/root" "$root"
	rm -rf "$tmp" "$(apt_dir "$suite")"/updated.$$
}

main()
{
	local update= arch wanted root
	if [ "${1-}" = --update ]; then
		update=1
		shift
	fi
	arch=${1:-arm64}
	root=$VM/root-$arch
	wanted=$(packages | xargs)
	mkdir -p "$VM" || die "no directory $VM"
	exec 9>"$VM/lock"
	flock 9
	if [ -n "$update" ] || [ "$(cat "$root/.packages" 2>/dev/null)" != "$wanted" ]; then
		fetch "$SUITE:$arch" "$wanted" "$root" || die "no root directory of $SUITE for $arch could be made"
	fi
	echo "$root"
}

main "$@"
