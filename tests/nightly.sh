#!/usr/bin/env bash
# The checks that take hours: the whole suite and the benchmarks as on older processors (tests/processors.sh), the style, the packages, fuzzing,
# thousands of hostile requests, and runs and enrollments that are killed. It continues after a failure, keeps each log, and ends with one line:
# N passed, N failed, N skipped. Each test of the suite counts as one, and so does every other check.
#   tests/nightly.sh [FUZZ_MINUTES=30] [KILLS=50]
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd); cd "$root"
export UNIFACE_HOME=${UNIFACE_HOME:-$root/.tools} DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
minutes=${1:-30} kills=${2:-50}
[[ $minutes$kills =~ ^[0-9]+$ ]] || { echo "usage: tests/nightly.sh [FUZZ_MINUTES] [KILLS]" >&2; exit 2; }
. tests/processors.sh
logs=$(mktemp -d); echo "logs: $logs"
passed=0 failed=0 skipped=0

# One check: check NAME COMMAND...
check() {
  local name=$1 log; shift
  log="$logs/${name//[^A-Za-z0-9]/-}.log"
  echo "== $name"
  if "$@" >"$log" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); tail -n 20 "$log"; echo "FAILED: $name"; fi
}

# The whole suite with some variables: suite NAME VARIABLE=VALUE...
suite() {
  local name="suite, $1" log; shift
  log="$logs/${name//[^A-Za-z0-9]/-}.log"
  echo "== $name"
  env "$@" ./test >"$log" 2>&1
  if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
    [ "${BASH_REMATCH[2]}" = 0 ] || sed -n '/^failed:$/,$p' "$log"
  else failed=$((failed + 1)); tail -n 20 "$log"; echo "FAILED: $name ended without a summary"; fi
}

suite "as the machine is, every backbone" UNIFACE_PROCESSOR= UNIFACE_EVERY_BACKBONE=1
for processor in "${processors[@]}"; do
  name=${processor%%:*}
  read -ra settings <<<"${processor#*: }"
  settings+=("UNIFACE_PROCESSOR=$name")
  suite "$name" "${settings[@]}"
  check "benchmarks, $name" env "${settings[@]}" dotnet run -c Release --project bench/UniFace.MicroBenchmarks -- --filter '*' --job Dry
  check "bench step, $name" env "${settings[@]}" ./uniface bench step --backbone mobilefacenet --width 0.25 --batch 8 --steps 3
  check "bench head, $name" env "${settings[@]}" ./uniface bench head --classes 100000 --loss uce,arcface
  check "bench search, $name" env "${settings[@]}" ./uniface bench search --size 100000
done
check "format and style" dotnet format UniFace.slnx --verify-no-changes
check "packages" tests/packages.sh
check "start on 50 million images" ./uniface bench start --size 50000000 --people 1000000 --most-seconds 60 --most-memory 3
check "fuzzing for $minutes minutes" tests/fuzz.sh "$minutes"
check "hostile requests" tests/hostile.sh 5000
check "trainings on 1, 2 and 4 ranks under random kills" tests/train-soak.sh "${UNIFACE_SOAK_MINUTES:-120}" "$logs/soak"
check "killed enrollments" tests/gallery-kill-test.sh "$kills"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
