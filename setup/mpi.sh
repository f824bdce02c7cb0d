#!/usr/bin/env bash
# Installs MPICH for the tests of training over MPI. Works only as root on Debian and Ubuntu; otherwise it says so and the tests skip.
set -euo pipefail
[ "$(uname -s)" = Linux ] || exit 0
command -v mpiexec >/dev/null && exit 0

skip_tests() { echo "setup: no mpiexec: $1 The tests of training over MPI are skipped." >&2; exit 0; }
command -v apt-get >/dev/null || skip_tests "it is only installed automatically on Debian and Ubuntu."
[ "$(id -u)" = 0 ] || skip_tests "'sudo setup/mpi.sh' installs it once."

echo "setup: getting mpich (once)" >&2
[ -n "$(apt-cache search --names-only '^mpich$')" ] || apt-get update -qq || skip_tests "apt-get update failed."
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold mpich >/dev/null || skip_tests "apt-get could not install it."
