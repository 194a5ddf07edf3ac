#!/bin/bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Unpacks Debian's syslog-ng, which cannot be installed beside rsyslog, into a cache outside the clone
# ($PYTRAIL_SYSLOG_NG, by default ~/.cache/pytrail/syslog-ng), without touching the machine's packages.
set -eu
cache=${PYTRAIL_SYSLOG_NG:-$HOME/.cache/pytrail/syslog-ng}
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
[ ! -e "$cache/root" ] || exit 0
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
mkdir "$tmp/debs" "$tmp/root"
# Those of its libraries that a machine may lack.
(cd "$tmp/debs" && apt-get download -qq syslog-ng-core libivykis0 libnet1 libwrap0 libpcre3 libjson-c5 \
	libglib2.0-0)
for package in "$tmp"/debs/*.deb; do
	dpkg-deb -x "$package" "$tmp/root"
done
mv "$tmp/root" "$cache/root"
