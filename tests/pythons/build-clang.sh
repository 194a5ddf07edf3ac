#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Builds CPythons with clang, without USDT probes, from Debian's source packages:
#
#   tests/pythons/build-clang.sh [VERSION...]        (3.13)
#
# One line for each: name (3.13-clang), package version, the script that starts it. One that is in
# the cache is not built again. It takes about ten minutes on two cores. Needs clang and dpkg-dev.
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/build-source.sh"

[ $# -gt 0 ] || set -- 3.13
for tool in clang make dpkg-source; do
	command -v "$tool" >/dev/null || die "needs $tool"
done
build_all clang CC=clang -- "$@"
