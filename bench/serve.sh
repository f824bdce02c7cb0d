#!/usr/bin/env bash
# Loads the service with wrk: requests/s and times of verify and identify at 1, 8 and 32 clients, with PEOPLE people enrolled, next to the speed of the
# embedder alone. The faces are aligned crops; with ALIGNED=0 they are photos, in which the service must find the face first.
# [ALIGNED=0] bench/serve.sh PACKAGE FACES [PEOPLE] [SECONDS]     FACES: a folder of aligned faces, or of photos with one face each
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
package=$1 faces=$2 people=${3:-100000} seconds=${4:-15}
command -v wrk >/dev/null || { echo "bench/serve.sh: needs wrk (Debian, Ubuntu: apt-get install wrk)" >&2; exit 2; }
work=$(mktemp -d); service=
trap '[ -z "$service" ] || kill "$service"; rm -rf "$work"' EXIT
export UNIFACE_HOME=${UNIFACE_HOME:-$root/.tools} # where ./uniface puts detectors
program=$root/src/UniFace.Cli/bin/Release/net10.0/UniFace.Cli.dll
uniface() { dotnet "$program" "$@"; }

find "$faces" -name '*.jpg' -o -name '*.png' | sort | awk 'NR % 7 == 0 && n++ < 500' | while read -r face; do base64 -w0 "$face"; echo; done >"$work/faces"
uniface gallery create "$work/people.gallery" "$package" >/dev/null
uniface bench enroll --to "$work/people.gallery" --size "$people" --json >/dev/null 2>"$work/err" || { tail -n 1 "$work/err" >&2; exit 1; }
uniface bench embed "$package"
dotnet "$program" serve --package "$package" --gallery "$work/people.gallery" --data "$work/data" --urls http://127.0.0.1:0 \
  >"$work/out" 2>"$work/err" & service=$!
until grep -q '^serving ' "$work/out"; do kill -0 "$service" 2>/dev/null || { tail -n 1 "$work/err" >&2; service=; exit 1; }; sleep 0.2; done
url=$(awk '/^serving /{print $2}' "$work/out")
export FACES=$work/faces WHAT ALIGNED=${ALIGNED:-1}
for WHAT in verify identify; do
  wrk -t1 -c8 -d5s -s "$root/bench/serve.lua" "$url" >/dev/null # warm
  for clients in 1 8 32; do
    echo "$WHAT, $clients clients: $(wrk -t1 -c$clients -d"${seconds}s" --timeout 10s -s "$root/bench/serve.lua" "$url" | tail -n 1)"
  done
done
echo "overload, 256 clients: $(wrk -t1 -c256 -d"${seconds}s" --timeout 10s -s "$root/bench/serve.lua" "$url" | tail -n 1)"
echo "after it, 8 clients: $(wrk -t1 -c8 -d"${seconds}s" --timeout 10s -s "$root/bench/serve.lua" "$url" | tail -n 1)"
grep VmRSS "/proc/$service/status"
