#!/usr/bin/env bash
# Installs the linker for the test of ahead-of-time compilation. Works only as root on Debian and Ubuntu; otherwise it says so and the test is skipped.
set -euo pipefail
[ "$(uname -s)" = Linux ] || exit 0
command -v clang >/dev/null || command -v gcc >/dev/null && exit 0

skip_test() { echo "setup: no clang or gcc: $1 The test of ahead-of-time compilation is skipped." >&2; exit 0; }
command -v apt-get >/dev/null || skip_test "it is only installed automatically on Debian and Ubuntu."
[ "$(id -u)" = 0 ] || skip_test "'sudo setup/aot.sh' installs it once."

echo "setup: getting clang (once)" >&2
[ -n "$(apt-cache search --names-only '^clang$')" ] || apt-get update -qq || skip_test "apt-get update failed."
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold clang libc6-dev >/dev/null || skip_test "apt-get could not install it."
