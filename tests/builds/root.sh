#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# The roots of tests/builds/matrix.py: a Debian of each suite, made once, in the cache outside the clone
# ($PYTRAIL_BUILDS, by default ~/.cache/pytrail/builds). Needs root.
#
#   tests/builds/root.sh make SUITE             makes it when it is not there; prints its path
#   tests/builds/root.sh run SUITE COMMAND...   runs a command in it, in the source tree, which is mounted at /src
#                                               with /src/build a directory of the root's own; `-l` in front of
#                                               COMMAND: with this kernel's tracing and all processes in sight
set -u
. "$(dirname "$0")/../debian.sh"

BUILDS=${PYTRAIL_BUILDS:-$(pytrail_cache)/builds}
SOURCE=$(cd "$(dirname "$0")/../.." && pwd)

make_root()
{
	local suite=$1 root=$BUILDS/$1 tmp
	mkdir -p "$BUILDS" || die "no directory $BUILDS"
	if [ ! -e "$root/etc/debian_version" ]; then
		[ "$(id -u)" = 0 ] || die "making a root directory needs root"
		command -v debootstrap >/dev/null || die "debootstrap is missing (scripts/deps.sh installs it)"
		tmp=$(mktemp -d "$BUILDS/tmp.XXXXXX") || exit 1
		trap 'rm -rf "$tmp"' EXIT
		debootstrap --variant=minbase "$suite" "$tmp" "$(debian_mirror)" >&2 ||
			die "no root directory of $suite could be made"
		chmod 755 "$tmp"
		# a mirror may be one of a day that has passed
		echo 'Acquire::Check-Valid-Until "false";' >"$tmp/etc/apt/apt.conf.d/50pytrail"
		mv "$tmp" "$root"
	fi
	mkdir -p "$root/src" "$root/build"
	echo "$root"
}

# In namespaces of its own, so that what is mounted goes with the command.
run_in()
{
	local root=$BUILDS/$1 live=
	shift
	if [ "${1:-}" = -l ]; then
		live=yes
		shift
	fi
	export root live SOURCE
	# Of the build directory, only the root's own is seen; /etc/resolv.conf is the machine's, as it is now.
	unshare --mount $([ -n "$live" ] || echo --pid --fork) bash -euc '
		mount --bind "$root" "$root" # so that / is a mount there, as everywhere
		mount --bind "$SOURCE" "$root/src"
		mkdir -p "$root/src/build" && mount --bind "$root/build" "$root/src/build"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount --rbind /sys "$root/sys"
		cp -L /etc/resolv.conf "$root/etc/resolv.conf"
		exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
			${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
			DEBIAN_FRONTEND=noninteractive sh -c "cd /src && exec \"\$@\"" sh "$@"
	' bash "$@"
}

case ${1:-} in
make) make_root "$2" ;;
run) shift && run_in "$@" ;;
*)
	echo "usage: root.sh make SUITE | run SUITE [-l] COMMAND..." >&2
	exit 2
	;;
esac
