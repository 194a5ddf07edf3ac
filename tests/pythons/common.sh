# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Sourced by the scripts of this directory: where fetched interpreters are kept, and an apt that
# knows another Debian suite, with a state of its own, so that the machine's is not touched.

PYTHONS=${PYTRAIL_PYTHONS:-${XDG_CACHE_HOME:-$HOME/.cache}/pytrail/pythons}

die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

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

# The mirror that this machine gets Debian itself from.
debian_mirror()
{
	local mirror
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Component: main' 2>/dev/null | grep -v -- -security | head -n 1)
	if [ -z "$mirror" ]; then # no lists yet: read the configuration
		mirror=$(sed -n 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p;
			s/^deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]\{1,\}\)\{0,1\}\([^[:space:]]*\).*/\2/p' \
			/etc/apt/sources.list /etc/apt/sources.list.d/*.sources \
			/etc/apt/sources.list.d/*.list 2>/dev/null |
			grep '/debian/\{0,1\}$' | head -n 1)
	fi
	[ -n "$mirror" ] || die "no Debian mirror in this machine's apt configuration"
	echo "$mirror"
}

# apt_of SUITE COMMAND...: runs an apt command that sees this suite and nothing else.
apt_of()
{
	local dir="$PYTHONS/apt/$1" command=$2
	shift 2
	"$command" -q -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$dir/state" -o Dir::State::status="$dir/status" \
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root \
		-o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
		"$@"
}

# Makes the state of a suite and reads its package lists, once a run.
apt_update()
{
	local dir="$PYTHONS/apt/$1" mirror
	[ ! -e "$dir/updated.$$" ] || return 0
	mirror=$(debian_mirror)
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	rm -f "$dir"/updated.*
	printf 'deb %s %s main\ndeb-src %s %s main\n' "$mirror" "$1" "$mirror" "$1" >"$dir/sources.list"
	apt_of "$1" apt-get update >&2 || die "the package lists of $1 cannot be read from $mirror"
	: >"$dir/updated.$$"
}

# What the suite offers of a package: its version.
candidate()
{
	apt_of "$1" apt-cache show --no-all-versions "$2" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1
}
