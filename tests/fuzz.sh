#!/usr/bin/env bash
# Fuzzes every reader of untrusted files for a total number of minutes: tests/fuzz.sh 10
# Damaged images, tars, RecordIO, .bin, packages and models must be read, or refused with one clear error, in bounded memory.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd); cd "$root"
minutes=${1:-10}
[[ $minutes =~ ^[0-9]+$ ]] || { echo "usage: tests/fuzz.sh MINUTES" >&2; exit 2; }
targets=23 # calls of Fuzzer.Run, each case of a theory counted
export UNIFACE_FUZZ_SECONDS=$((minutes * 60 / targets + 1))
for project in UniFace.Tests UniFace.Vision.Tests; do
  dotnet build "tests/$project" -c Release -v quiet -nologo
  # One class at a time: concurrent classes would measure each other's memory.
  "tests/$project/bin/Release/net10.0/$project" -noColor -noLogo -parallelMode none -class '*FuzzTests' -class '*BlockedPReluTests'
done
