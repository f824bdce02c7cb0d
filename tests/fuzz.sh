#!/usr/bin/env bash
# Fuzzes every reader of untrusted files for a total number of minutes, shared among all calls of Fuzzer.Run. Damaged images, archives, data sets, indexes,
# packages, models, weights, runs, galleries and configurations must be read, or refused with one clear error, in bounded memory.
#   tests/fuzz.sh MINUTES [--no-build]
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd); cd "$root"
export UNIFACE_HOME=${UNIFACE_HOME:-$root/.tools}
minutes=${1:-10}
[[ $minutes =~ ^[0-9]+$ && ${2:-} =~ ^(--no-build)?$ ]] || { echo "usage: tests/fuzz.sh MINUTES [--no-build]" >&2; exit 2; }
lists=$(mktemp -d); trap 'rm -rf "$lists"' EXIT
mapfile -t projects < <(grep -rl --include='*.cs' "Fuzzer\.Run(" tests | cut -d/ -f2 | sort -u)

# One class at a time: concurrent classes would take each other's time. The summary and the failures are printed: run PROJECT FILTER...
run() {
  local project=$1; shift
  "tests/$project/bin/Release/net10.0/$project" -noColor -noLogo -noAutoReporters -parallelMode none "$@" >"$lists/log" 2>&1
  local code=$?
  [ "$code" = 0 ] || { grep -A 12 "\[FAIL\]" "$lists/log" || tail -n 20 "$lists/log"; }
  return "$code"
}

# What there is to fuzz: in these classes, each call of Fuzzer.Run adds its method to the list of the project.
targets=0
for project in "${projects[@]}"; do
  [ -n "${2:-}" ] || dotnet build "tests/$project" -c Release -v quiet -nologo || exit 1
  classes=()
  for file in $(grep -rl --include='*.cs' "Fuzzer\.Run(" "tests/$project"); do classes+=(-class "*.$(basename "$file" .cs)"); done
  UNIFACE_FUZZ_COUNT=$lists/$project run "$project" "${classes[@]}" || exit 1
  targets=$((targets + $(wc -l <"$lists/$project")))
done

UNIFACE_FUZZ_SECONDS=$(awk -v m="$minutes" -v t="$targets" 'BEGIN { printf "%.2f", m * 60 / t }')
export UNIFACE_FUZZ_SECONDS
failed=0
for project in "${projects[@]}"; do
  methods=()
  for method in $(sort -u "$lists/$project"); do methods+=(-method "$method"); done
  run "$project" "${methods[@]}" || failed=$((failed + 1))
done
echo "$targets targets, $UNIFACE_FUZZ_SECONDS s each; $failed test projects failed"
[ "$failed" = 0 ]
