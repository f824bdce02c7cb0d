#!/usr/bin/env bash
# Installs unzip, with which tests/packages.sh looks into packages. Works only as root on Debian and Ubuntu; otherwise it says so and fails.
set -euo pipefail
command -v unzip >/dev/null && exit 0

fail() { echo "setup: no unzip: $1" >&2; exit 2; }
command -v apt-get >/dev/null || fail "it is only installed automatically on Debian and Ubuntu."
[ "$(id -u)" = 0 ] || fail "'sudo setup/unzip.sh' installs it once."

echo "setup: getting unzip (once)" >&2
[ -n "$(apt-cache search --names-only '^unzip$')" ] || apt-get update -qq || fail "apt-get update failed."
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends unzip >/dev/null || fail "apt-get could not install it."
