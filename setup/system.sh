#!/usr/bin/env bash
# Installs system libraries that NuGet packages cannot. Silent if nothing is missing.
# TorchSharp 0.107 wants a libstdc++ with GLIBCXX_3.4.32 (GCC 13.2): Debian 13, Ubuntu 24.04 and Fedora 39 have one, Debian 12 does not.
set -euo pipefail
[ "$(uname -s)" = Linux ] || exit 0

# awk reads to the end: an early exit would end ldconfig by SIGPIPE, and with pipefail this script.
lib=$(ldconfig -p 2>/dev/null | awk '/libstdc\+\+\.so\.6 .*x86-64/ && !lib {lib = $NF} END {print lib}')
if [ -n "$lib" ] && grep -qa GLIBCXX_3.4.32 "$lib"; then exit 0; fi

. /etc/os-release
say() { echo "setup: training needs libstdc++ with GLIBCXX_3.4.32 (GCC 13.2 or newer); this is $PRETTY_NAME. $1" >&2; exit 2; }
[ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ] ||
  say "Install a newer libstdc++6 (Ubuntu 22.04: from the toolchain PPA ubuntu-toolchain-r/test), or use Debian 13, Ubuntu 24.04 or newer."
[ "$(id -u)" = 0 ] || say "Run 'sudo setup/system.sh' once: it takes libstdc++6 and the libc6 it needs from Debian 13, pinned low so that nothing else moves."

echo "setup: taking libstdc++6 from Debian 13 (once)" >&2
sources=/etc/apt/sources.list.d/debian.sources
if [ -e "$sources" ]; then
  uri=$(awk '/^URIs:/{print $2; exit}' "$sources"); key=$(awk '/^Signed-By:/{print $2; exit}' "$sources")
else
  uri=$(awk '$1 == "deb"{for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) {print $i; exit}}' /etc/apt/sources.list)
  key=/usr/share/keyrings/debian-archive-keyring.gpg
fi
printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' "$uri" "$key" >/etc/apt/sources.list.d/uniface-trixie.sources
printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' >/etc/apt/preferences.d/uniface-trixie
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -t trixie libstdc++6 >/dev/null
