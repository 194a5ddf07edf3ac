# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Sourced by the scripts that fetch from other Debian suites than the machine's, or for another
# architecture: an apt with a state of its own below $DEBIAN_CACHE, so that the machine's is not touched.

die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# Where what is fetched is kept, outside the clone.
pytrail_cache() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/pytrail"; }

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

# A suite is named as apt names it, "trixie", "bookworm-security"; "bullseye:arm64" is one of another
# architecture.
apt_dir() { echo "$DEBIAN_CACHE/apt/${1/:/_}"; }

# apt_of SUITE COMMAND...: runs an apt command that sees this suite and nothing else.
apt_of()
{
	local dir arch=()
	dir=$(apt_dir "$1")
	case $1 in *:*) arch=(-o "APT::Architecture=${1#*:}" -o "APT::Architectures=${1#*:}") ;; esac
	local command=$2
	shift 2
	"$command" -q -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$dir/state" -o Dir::State::status="$dir/status" \
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root "${arch[@]}" \
		-o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
		"$@"
}

# Makes the state of a suite and reads its package lists, once a run.
apt_update()
{
	local dir mirror suite=${1%:*}
	dir=$(apt_dir "$1")
	[ ! -e "$dir/updated.$$" ] || return 0
	mirror=$(debian_mirror)
	mirror=${mirror%/}
	case $suite in *-security) mirror=$mirror-security ;; esac
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	rm -f "$dir"/updated.*
	printf 'deb %s %s main\ndeb-src %s %s main\n' "$mirror" "$suite" "$mirror" "$suite" \
		>"$dir/sources.list"
	apt_of "$1" apt-get update >&2 || die "the package lists of $suite cannot be read from $mirror"
	: >"$dir/updated.$$"
}

# What the suite offers of a package: its version.
candidate()
{
	apt_of "$1" apt-cache show --no-all-versions "$2" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1
}
