#!/usr/bin/env bash
# Installs Chromium for the tests of the web pages. Works only as root on Debian and Ubuntu; otherwise it says so and the tests skip.
set -euo pipefail
[ "$(uname -s)" = Linux ] || exit 0
for program in /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do [ -x "$program" ] && exit 0; done

skip_tests() { echo "setup: no Chromium: $1 The tests of the web pages are skipped." >&2; exit 0; }
command -v apt-get >/dev/null || skip_tests "it is only installed automatically on Debian and Ubuntu."
[ "$(id -u)" = 0 ] || skip_tests "'sudo setup/browser.sh' installs it once."

echo "setup: getting chromium (once)" >&2
[ -n "$(apt-cache search --names-only '^chromium$')" ] || apt-get update -qq || skip_tests "apt-get update failed."
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold chromium fonts-dejavu-core >/dev/null || skip_tests "apt-get could not install it."
