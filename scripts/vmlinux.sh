#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Writes vmlinux/ARCH/vmlinux.h from a kernel's type information (BTF).
#
#   scripts/vmlinux.sh                          x86_64 or arm64, from the running kernel
#   scripts/vmlinux.sh ARCH FILE VERSION        from FILE: raw BTF, vmlinux, or a vmlinuz of a
#                                               distribution's package
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
arch=${1:-$(uname -m | sed s/aarch64/arm64/)}
file=${2:-/sys/kernel/btf/vmlinux}
version=${3:-$(uname -r | sed 's/-.*//')}
bpftool=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v bpftool) || {
	echo "vmlinux.sh: bpftool is missing (scripts/deps.sh installs it)" >&2
	exit 1
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 "$root/scripts/extract-btf.py" "$file" "$tmp/btf"
"$bpftool" btf dump file "$tmp/btf" format c >"$tmp/full.h"
"$root/scripts/prune-vmlinux.py" "$arch" "Linux $version" <"$tmp/full.h" >"$tmp/vmlinux.h"
mkdir -p "$root/vmlinux/$arch"
mv "$tmp/vmlinux.h" "$root/vmlinux/$arch/vmlinux.h"
wc -c "$root/vmlinux/$arch/vmlinux.h"
