#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Installs what is missing to build and test pytrail: scripts/deps.sh [build|test|bench|vm|arm64|all]
#
# Debian and Ubuntu by apt-get, Fedora by dnf; elsewhere it prints what to install. When nothing is
# missing it changes nothing and touches no network.
set -eu

# Tier, proof that it is there (a function; "-": ask the package manager), Debian's package (a|b: the
# first one that exists; ?a: only if the release has it; @clang-rt: by clang's version), Fedora's
# (-: none needed).
table() {
	cat <<-'END'
	build  has_cmd:gcc                 gcc                          gcc
	build  has_cmd:make                make                         make
	build  has_cmd:clang               clang                        clang
	build  has_llvm_strip              llvm                         llvm
	build  has_bpftool                 bpftool|linux-tools-generic  bpftool
	build  -                           libbpf-dev                   libbpf-devel
	build  -                           libelf-dev                   elfutils-libelf-devel
	build  -                           zlib1g-dev                   zlib-devel
	build  -                           liblzma-dev                  xz-devel
	build  -                           libzydis-dev                 zydis-devel
	build  -                           libncurses-dev               ncurses-devel
	build  -                           libyaml-dev                  libyaml-devel
	build  -                           libjansson-dev               jansson-devel
	build  -                           nettle-dev                   nettle-devel
	build  -                           libseccomp-dev               libseccomp-devel
	build  -                           libcap-ng-dev                libcap-ng-devel
	build  -                           libcurl4-openssl-dev         libcurl-devel
	build  -                           librdkafka-dev               librdkafka-devel
	build  -                           libssl-dev                   openssl-devel
	build  -                           libsystemd-dev               systemd-devel
	build  -                           libnats-dev                  libnats-devel
	build  -                           libmicrohttpd-dev            libmicrohttpd-devel
	build  -                           libzstd-dev                  libzstd-devel
	build  -                           libjansson-dev               jansson-devel
	build  -                           libc6-dev                    glibc-devel
	build  -                           linux-libc-dev               kernel-headers
	build  has_cmd:pkg-config          pkgconf|pkg-config           pkgconf-pkg-config
	build  has_file:/usr/bin/python3   python3                      python3
	test   has_cmd:clang-format        clang-format                 clang-tools-extra
	test   has_cmd:clang-tidy          clang-tidy                   clang-tools-extra
	test   has_cmd:cppcheck            cppcheck                     cppcheck
	test   has_fuzzer                  @clang-rt                    compiler-rt
	test   -                           libcmocka-dev                libcmocka-devel
	test   -                           python3-pytest               python3-pytest
	test   -                           ?python3.11                  -
	test   -                           ?libpython3.11               -
	test   -                           ?libpython3.11-testsuite     python3-test
	test   -                           ?libpython3.11-dev           python3-devel
	test   -                           python3-django               python3-django
	test   has_cmd:hg                  mercurial                    mercurial
	test   has_cmd:gdb                 gdb                          gdb
	test   -                           ?postgresql-plpython3-15     postgresql-plpython3
	test   -                           ?uwsgi-plugin-python3        uwsgi-plugin-python3
	test   has_cmd:debootstrap         debootstrap                  debootstrap
	test   has_cmd:readelf             binutils                     binutils
	test   has_cmd:ps                  procps                       procps-ng
	test   has_cmd:setpriv             util-linux                   util-linux
	test   has_cmd:xz                  xz-utils                     xz
	test   has_cmd:man                 man-db                       man-db
	test   has_cmd:logrotate           logrotate                    logrotate
	test   -                           python3-yaml                 python3-pyyaml
	test   has_cmd:zsh                 zsh                          zsh
	test   has_cmd:fish                fish                         fish
	test   has_cmd:tmux                tmux                         tmux
	test   -                           ca-certificates              ca-certificates
	test   has_cmd:protoc              protobuf-compiler            protobuf-compiler
	test   has_cmd:zstd                zstd                         zstd
	test   has_cmd:openssl             openssl                      openssl
	test   has_rsyslog                 rsyslog                      rsyslog
	test   -                           rsyslog-openssl              rsyslog-openssl
	test   -                           rsyslog-relp                 rsyslog-relp
	test   has_cmd:kcat                kcat                         kcat
	test   has_cmd:promtool            prometheus                   golang-github-prometheus
	test   -                           libmicrohttpd12              libmicrohttpd
	test   has_nats                    nats-server                  nats-server
	test   -                           ?systemd-journal-remote      systemd-journal-remote
	test   -                           libglib2.0-0                 -
	test   -                           -                            libasan
	test   -                           -                            libubsan
	vm     has_cmd:qemu-system-x86_64  qemu-system-x86              qemu-system-x86-core
	vm     has_virtiofsd               qemu-system-common|virtiofsd virtiofsd
	vm     has_cmd:busybox             busybox-static|busybox       busybox
	vm     has_cmd:cpio                cpio                         cpio
	vm     has_sbin:modprobe           kmod                         kmod
	vm     has_cmd:logrotate           logrotate                    logrotate
	vm     has_cmd:systemctl           systemd                      systemd
	arm64  has_cmd:qemu-system-aarch64 qemu-system-arm              qemu-system-aarch64-core
	arm64  has_cmd:aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu      gcc-aarch64-linux-gnu
	arm64  -                           ?libc6-dev-arm64-cross       -
	all    has_cmd:dh                  debhelper                    -
	all    has_cmd:lintian             lintian                      -
	bench  has_cmd:bpftrace            bpftrace                     bpftrace
	bench  -                           ?python3-bpfcc               python3-bcc
	bench  has_cmd:ansible             ansible-core                 ansible-core
	all    has_cmd:curl                curl                         curl
	all    has_cmd:dpkg-source         dpkg-dev                     dpkg-dev
	all    has_cmd:musl-gcc            musl-tools                   musl-gcc
	all    -                           libffi-dev                   libffi-devel
	END
}

say() { echo "deps.sh: $*" >&2; }
has_cmd() { command -v "$1" >/dev/null 2>&1; }
has_file() { [ -e "$1" ]; }
has_sbin() { PATH=$PATH:/usr/sbin:/sbin has_cmd "$1"; }
has_virtiofsd() { [ -x /usr/lib/qemu/virtiofsd ] || [ -x /usr/libexec/virtiofsd ]; }
has_llvm_strip() { has_cmd llvm-strip || has_cmd llvm-strip-14; }
# Ubuntu's /usr/sbin/bpftool is a script that looks for the one of the running kernel.
has_bpftool() { PATH=$PATH:/usr/sbin:/usr/local/sbin bpftool version >/dev/null 2>&1; }
# Servers are in directories that not every PATH has.
has_rsyslog() { PATH=$PATH:/usr/sbin has_cmd rsyslogd; }
has_nats() { PATH=$PATH:/usr/sbin has_cmd nats-server; }
# Where the compiler looks for libFuzzer's and the sanitizers' run-time parts.
has_fuzzer() {
	has_cmd clang || return 1
	local dir
	dir=$(clang -print-runtime-dir 2>/dev/null)
	compgen -G "$dir/libclang_rt.fuzzer*.a" >/dev/null ||
		[ -e "$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a")" ] ||
		compgen -G "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer*.a" >/dev/null
}

installed_deb() {
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c1-2)" = ii ]
}
installed_rpm() { rpm -q --quiet --whatprovides "$1" 2>/dev/null; }
exists_deb() { apt-cache show --no-all-versions "$1" 2>/dev/null | grep -q ^Package:; }
lists_deb() { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }

# The package with clang's run-time libraries: of the clang that is there, or will be.
clang_rt() {
	local major
	major=$( (clang --version || apt-cache depends clang) 2>/dev/null |
		sed -nE 's/.*(version |Depends: clang-)([0-9]+).*/\2/p' | head -1)
	echo "libclang-rt-${major:-14}-dev|libclang-common-${major:-14}-dev"
}

# Prints $1 ("a|b", "?a") as it is when it is not installed.
missing_deb() {
	local name=${1#\?} alternative
	for alternative in ${name//|/ }; do
		installed_deb "$alternative" && return
	done
	# A release that does not have it will not have it next time either.
	case $1 in '?'*) if lists_deb && ! exists_deb "$name"; then return; fi ;; esac
	echo "$1"
}

# Prints what has to be installed for the tiers $*, by the names of the distribution $family.
missing() {
	local tier proof deb rpm name
	while read -r tier proof deb rpm; do
		case " $* " in *" $tier "*) ;; *) continue ;; esac
		[ "$proof" = - ] || ! "${proof%%:*}" "${proof#*:}" || continue
		if [ "$family" = debian ]; then
			[ "$deb" = - ] || missing_deb "$deb"
		elif [ "$rpm" != - ]; then
			has_cmd rpm && installed_rpm "$rpm" || echo "$rpm"
		fi
	done < <(table)
}

# The first of "a|b" that the release has; nothing for "?a" that it does not have.
choose_deb() {
	local name=${1#\?} alternative
	for alternative in ${name//|/ }; do
		if exists_deb "$alternative"; then
			echo "$alternative"
			return
		fi
	done
	[ "$name" != "$1" ] || echo "${name%%|*}"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif has_cmd sudo; then
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
	else
		say "not root and no sudo here: as root, run: $*"
		exit 1
	fi
}

# What the tests start they start themselves: no service of it is to run on this machine (invoke-rc.d(8)).
no_services() {
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
	as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d'
}

install_debian() {
	local name chosen packages=()
	export DEBIAN_FRONTEND=noninteractive
	as_root apt-get update -qq || say "apt-get update failed; going on with the package lists there are"
	for name in "$@"; do
		[ "$name" != @clang-rt ] || name=$(clang_rt)
		chosen=$(choose_deb "$name")
		[ -z "$chosen" ] || packages+=("$chosen")
	done
	[ ${#packages[@]} -gt 0 ] || return 0
	say "installing ${packages[*]}"
	no_services
	as_root apt-get install -y -qq --no-install-recommends \
		-o DPkg::Lock::Timeout=300 "${packages[@]}" >&2
}

main() {
	local tiers names
	case ${1:-test} in
	build) tiers=build ;;
	test) tiers="build test vm" ;;
	bench) tiers="build test bench" ;;
	vm) tiers="build test vm" ;;
	arm64) tiers="build test vm arm64" ;;
	all) tiers="build test vm all" ;;
	*)
		echo "usage: scripts/deps.sh [build|test|bench|vm|arm64|all]" >&2
		exit 2
		;;
	esac
	if has_cmd apt-get && has_cmd dpkg-query; then
		family=debian
	else
		family=fedora
	fi
	# shellcheck disable=SC2086 # tiers are words
	mapfile -t names < <(missing $tiers)
	[ ${#names[@]} -gt 0 ] || exit 0
	if [ "$family" = debian ]; then
		install_debian "${names[@]}"
	elif has_cmd dnf; then
		say "installing ${names[*]}"
		as_root dnf install -y "${names[@]}"
	else
		say "neither apt-get nor dnf here; install these (Fedora's names): ${names[*]}"
		exit 1
	fi
}

main "$@"
