#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# deb-root.sh DEB: installs, upgrades, removes and purges the package in a root of its own (debootstrap, Debian 12,
# kept in the cache), and says what was left behind. Needs root. `ok` at the end, or exit 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/debian.sh
. "$here/../debian.sh"
deb=$(realpath "$1")
cache=$(pytrail_cache)/deb-root
depends=$(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/ //g')
tar=$cache/bookworm-$(echo "$depends" | cksum | cut -d' ' -f1).tar.zst
root=$(mktemp -d "${TMPDIR:-/tmp}/pytrail-deb.XXXXXX")
trap 'rm -rf "$root"' EXIT
mkdir -p "$cache"
if [ ! -e "$tar" ]; then
	# The package's own dependencies are in it, so that a test needs no network.
	debootstrap --variant=minbase --include="$depends" bookworm "$root" "$(debian_mirror)" >"$cache/log" 2>&1 ||
		die "debootstrap failed, see $cache/log"
	tar -C "$root" -c . | zstd -q -o "$tar.tmp" && mv "$tar.tmp" "$tar"
else
	zstd -qdc "$tar" | tar -x -C "$root"
fi
# With a /proc of its own, which goes with the command.
in_root()
{
	unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" \
		env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
must() { "$@" || die "failed: $*"; }
before=$(cd "$root" && find etc var usr/lib usr/share -path '*dpkg*' -prune -o -print | sort)

cp "$deb" "$root/p.deb"
must in_root dpkg -i /p.deb
must in_root pytrail --version
must in_root getent passwd pytrail
must in_root pytrail daemon --check-config
must in_root pytrail events os.listdir >/dev/null
[ "$(stat -c %a "$root/etc/pytrail/pytrail.yaml")" = 600 ] || die "pytrail.yaml can be read by others"

# An upgrade keeps what an administrator has changed.
echo '# mine' >>"$root/etc/pytrail/pytrail.yaml"
dpkg-deb -R "$deb" "$root/new"
sed -i 's/^Version: .*/&+1/' "$root/new/DEBIAN/control"
dpkg-deb --root-owner-group -b "$root/new" "$root/new.deb" >/dev/null
must in_root dpkg -i /new.deb
grep -q '^# mine$' "$root/etc/pytrail/pytrail.yaml" || die "the upgrade lost a changed configuration"

must in_root dpkg -r pytrail
[ -e "$root/etc/pytrail/pytrail.yaml" ] || die "remove took the configuration"
mkdir -p "$root/var/lib/pytrail/spool"
must in_root dpkg -P pytrail
after=$(cd "$root" && find etc var usr/lib usr/share -path '*dpkg*' -prune -o -print | sort)
left=$(comm -13 <(echo "$before") <(echo "$after"))
[ -z "$left" ] || die "purge leaves behind: $left"
echo ok
