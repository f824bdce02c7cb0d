#!/usr/bin/env bash
# Sends thousands of requests of every kind to its own service, whose memory must stay within 300 MB of its initial value.
# tests/soak.sh [COUNT]   (10000 by default)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export UNIFACE_HOME=${UNIFACE_HOME:-$root/.tools} UNIFACE_SOAK_REQUESTS=${1:-10000}
dotnet build "$root/tests/UniFace.Studio.Tests" -c Release -v quiet -nologo
exec "$root/tests/UniFace.Studio.Tests/bin/Release/net10.0/UniFace.Studio.Tests" -noLogo -diagnostics -class '*SoakTests'
