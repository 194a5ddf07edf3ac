#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Fetches Debian's kernels to test on, into a cache outside the clone ($PYTRAIL_VM, by default
# ~/.cache/pytrail/vm), and unpacks of each the image and the modules that a guest needs:
#
#   tests/vm/fetch.sh [--update] [NAME...]        (5.10 6.1 6.12 6.18 newest; 6.1:arm64 is one of another architecture)
#
# One line for each: name, version of the package, directory. What is in the cache is not fetched
# again; --update looks whether its suite has a newer one. Ends with 1 when one of them could not be
# had; the others are there all the same.
set -u
. "$(dirname "$0")/../debian.sh"

VM=${PYTRAIL_VM:-$(pytrail_cache)/vm}
DEBIAN_CACHE=$VM

# Where a guest's file system is on, in the order of loading; built in where there is no such module.
MODULES="virtio_pci virtio_console virtiofs overlay"

# 6.1:arm64 → arm64
arch_of() { case $1 in *:*) echo "${1#*:}" ;; *) echo amd64 ;; esac; }

# The suite that has a kernel, and the pattern of its image's name.
suite_of()
{
	local arch=
	case $1 in *:*) arch=:${1#*:} ;; esac
	case ${1%:*} in
	# what bullseye-security lists of arm64 is not all there to fetch
	5.10) if [ "$arch" ]; then echo "bullseye$arch"; else echo bullseye-security; fi ;;
	6.1) echo "bookworm-security$arch" ;;
	6.12) echo "trixie-security$arch" ;;
	6.18 | newest) echo "trixie-backports$arch" ;;
	*) die "no Debian suite is known to have Linux $1" ;;
	esac
}

# The newest image of that version: a suite keeps older ones, and the ABI is part of the name.
image_of()
{
	local version=${2%:*} arch
	arch=$(arch_of "$2")
	version=${version//./\\.}
	[ "$version" != newest ] || version='[0-9]+[.][0-9]+'
	apt_of "$1" apt-cache search --names-only '^linux-image-.*-cloud-'"$arch\$" |
		sed -nE "s/^(linux-image-${version}[.][^ ]*[0-9]-cloud-$arch) .*/\1/p" |
		sort -V | tail -n 1
}

# The image's package, and those that newer releases have split off it.
packages_of()
{
	apt_of "$1" apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances "$2" 2>/dev/null |
		sed -nE 's/^(linux-(image|modules|binary|base)-[0-9][^ ]*)$/\1/p' | sort -u
}

# Writes DIR/insmod: the modules by their files, each after those that it needs.
list_modules()
{
	local dir=$1 version=$2 module
	for module in $MODULES; do
		# what is built in is said so, and what does not exist is built in as well as can be told
		modprobe -d "$dir" -S "$version" --show-depends "$module" 2>/dev/null
	done | sed -n "s|^insmod $dir/\([^ ]*\).*|\1|p" | awk '!seen[$0]++' >"$dir/insmod"
}

fetch()
{
	local name=$1 suite=$2 image=$3 full=$4 tmp deb packages version
	packages=$(packages_of "$suite" "$image")
	tmp=$(mktemp -d "$VM/tmp.XXXXXX") || return 1
	mkdir "$tmp/debs" "$tmp/root"
	# shellcheck disable=SC2086 # words
	(cd "$tmp/debs" && apt_of "$suite" apt-get download $packages >&2) || { rm -rf "$tmp"; return 1; }
	for deb in "$tmp"/debs/*.deb; do
		dpkg-deb -x "$deb" "$tmp/root" || { rm -rf "$tmp"; return 1; }
	done
	# merged or not: modprobe looks below lib/
	if [ ! -e "$tmp/root/lib" ]; then ln -s usr/lib "$tmp/root/lib"; fi
	version=$(cd "$tmp/root/lib/modules" && echo *)
	depmod -b "$tmp/root" "$version" || { rm -rf "$tmp"; return 1; }
	list_modules "$tmp/root" "$version"
	find "$tmp/root" \( -name 'vmlinuz*' -o -name 'bzImage' \) -type f -exec cp {} "$tmp/vmlinuz" \;
	(cd "$tmp/root" && xargs -r -a insmod cp --parents -t ..) || { rm -rf "$tmp"; return 1; }
	mv "$tmp/root/insmod" "$tmp/insmod"
	rm -rf "$tmp/root" "$tmp/debs"
	[ -s "$tmp/vmlinuz" ] || { echo "fetch.sh: no kernel image in $packages" >&2; return 1; }
	echo "$full" >"$tmp/version"
	chmod 755 "$tmp"
	rm -rf "$VM/${name/:/-}_$full"
	mv "$tmp" "$VM/${name/:/-}_$full"
}

cached()
{
	find "$VM" -maxdepth 2 -path "$VM/${1/:/-}_*/vmlinuz" 2>/dev/null | sort -V | tail -n 1
}

main()
{
	local update= status=0 name suite image package full
	if [ "${1-}" = --update ]; then
		update=1
		shift
	fi
	[ $# -gt 0 ] || set -- 5.10 6.1 6.12 6.18 newest
	mkdir -p "$VM" || die "no directory $VM"
	exec 9>"$VM/lock"
	flock 9
	for name; do
		suite=$(suite_of "$name") || exit 2
		image=$(cached "$name")
		if [ -z "$image" ] || [ -n "$update" ]; then
			(apt_update "$suite") || { status=1; continue; }
			package=$(image_of "$suite" "$name")
			full=$(candidate "$suite" "${package:-none}")
			if [ -z "$full" ]; then
				echo "fetch.sh: $suite has no Linux $name" >&2
				status=1
			elif [ ! -e "$VM/${name/:/-}_$full/vmlinuz" ]; then
				fetch "$name" "$suite" "$package" "$full" || status=1
			fi
			image=$(cached "$name")
		fi
		[ -z "$image" ] || echo "$name $(cat "$(dirname "$image")/version") $(dirname "$image")"
	done
	rm -f "$VM"/apt/*/updated.$$
	return $status
}

main "$@"
