#!/usr/bin/env bash
# All that a fresh machine is missing, given the .NET 10 SDK. Run by ./uniface and ./test; takes a moment where nothing is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

sdks=$(dotnet --list-sdks 2>/dev/null || true)
if ! grep -q '^1[0-9]\.' <<<"$sdks"; then
  echo "setup: the .NET 10 SDK is not on the PATH. Install it (package dotnet-sdk-10.0) and try again." >&2
  exit 2
fi
"$here/system.sh"
# Models and fonts come by npm; what needs one says so itself if it is not there.
"$here/models.sh" || echo "setup: went on without the default detector; 'uniface doctor' says what is missing." >&2
