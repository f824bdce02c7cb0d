#!/usr/bin/env bash
# Sends thousands of malformed, huge, slow and hostile requests to its own service: none may make it fail, leak, or write outside its folder.
# tests/hostile.sh [COUNT]   (5000 by default)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export UNIFACE_HOME=${UNIFACE_HOME:-$root/.tools} UNIFACE_HOSTILE_REQUESTS=${1:-5000}
dotnet build "$root/tests/UniFace.AspNetCore.Tests" -c Release -v quiet -nologo
exec "$root/tests/UniFace.AspNetCore.Tests/bin/Release/net10.0/UniFace.AspNetCore.Tests" -noLogo -diagnostics -class '*HostileRequestTests'
