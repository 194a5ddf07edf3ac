# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Sourced by the scripts of this directory: where fetched interpreters are kept, and which Debian suite
# has which.

. "$(dirname "${BASH_SOURCE[0]}")/../debian.sh"

PYTHONS=${PYTRAIL_PYTHONS:-$(pytrail_cache)/pythons}
DEBIAN_CACHE=$PYTHONS

# The suite that has a version of Python.
suite_of()
{
	case $1 in
	3.9) echo bullseye ;;
	3.13) echo trixie ;;
	3.14 | 3.15) echo sid ;;
	*) die "no Debian suite is known to have Python $1" ;;
	esac
}
