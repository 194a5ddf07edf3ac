#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Builds CPythons against musl instead of the GNU C library, from Debian's source packages:
#
#   tests/pythons/build-musl.sh [VERSION...]        (3.13)
#
# One line for each: name (3.13-musl), package version, the script that starts it. One that is in
# the cache is not built again. It takes about ten minutes on two cores. Needs musl-tools, dpkg-dev
# and the kernel's headers. Extension modules that need a library (ssl, ctypes ...) are left out.
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/build-source.sh"

[ $# -gt 0 ] || set -- 3.13
for tool in musl-gcc make dpkg-source; do
	command -v "$tool" >/dev/null || die "needs $tool"
done

# musl-gcc sees musl's headers only; those of the kernel are the same for every C library. It answers
# --print-multiarch with the name of the GNU C library's directory, which configure takes amiss.
musl=$PYTHONS/musl
mkdir -p "$musl"
for name in linux asm-generic; do
	ln -sfn "/usr/include/$name" "$musl/$name"
done
ln -sfn "$(dirname "$(echo '#include <asm/types.h>' | gcc -E - |
	sed -n 's/^# 1 "\([^"]*asm\/types\.h\)".*/\1/p' | head -n 1)")" "$musl/asm"
cat >"$musl/cc" <<-END
	#!/bin/sh
	case " \$* " in
	*" --print-multiarch "*) exec echo "$(uname -m)-linux-musl" ;;
	esac
	exec musl-gcc -idirafter "$musl" "\$@"
END
chmod +x "$musl/cc"
build_all musl CC="$musl/cc" PKG_CONFIG=false -- "$@"
