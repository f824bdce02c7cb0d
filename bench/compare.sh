#!/usr/bin/env bash
# Runs UniFace and its peers alternately and writes docs/benchmarks.md: medians, ratios, machine, versions. Use a quiet machine; five rounds with the
# million-class heads take about an hour.  bench/compare.sh [head] [step] [data] [search]   (default: all)
#   PEERS=/opt/peers   root of the peers' system (created by ../shared/peers/setup.sh; needs root)
#   RESULTS=...        file of measurements; later runs add their rounds, and the report covers all of them
#   ROUNDS=5           number of rounds
#   THREADS=...        threads of both
#   FACES=...          aligned faces of 112x112, one folder per person (default: synthetic ones)
#   OUT=...            the report
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/.." && pwd)
peers=${PEERS:-/opt/peers}; rounds=${ROUNDS:-5}; threads=${THREADS:-$(nproc)}; out=${OUT:-$top/docs/benchmarks.md}
if [ ! -x "$peers/usr/bin/python3" ]; then
  echo "compare.sh: no peers in $peers: run ../shared/peers/setup.sh as root (Debian, about 3 GB, a few minutes), or set PEERS" >&2; exit 2
fi
for d in proc sys dev; do mountpoint -q "$peers/$d" || mount --bind "/$d" "$peers/$d"; done
mkdir -p "$peers/bench/uniface"; cp "$here"/peers/*.py "$peers/bench/uniface/"
run_peer() { chroot "$peers" python3 "$@" 2>/dev/null | tail -n 1; }
run_uniface() { "$top/uniface" bench "$@" --threads "$threads" --json 2>/dev/null | tr -d '\n'; }
selected() { [ ${#parts[@]} = 0 ] && return 0; for part in "${parts[@]}"; do [ "$part" = "$1" ] && return 0; done; return 1; }
parts=("$@"); work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; results=${RESULTS:-$work/results}
record() { printf '%s\t%s\n' "$1" "$2" >>"$results"; echo "$1: $2" >&2; }
"$top/uniface" --version >/dev/null  # Builds, if necessary, before anything is timed.

processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1); memory=$(awk '/MemTotal/ {printf "%.0f GB", $2 / 1048576}' /proc/meminfo)
record "fact machine" "$processor, $threads threads, $memory, $(uname -sr)"
record "fact UniFace" "$(git -C "$top" describe --always --dirty 2>/dev/null || "$top/uniface" --version), .NET $(dotnet --version)"
record "fact date" "$(date -u +%Y-%m-%d)"
if selected data && [ -z "${FACES:-}" ]; then FACES=$work/faces; "$top/uniface" data make "$FACES" --people 100 --images 20 >/dev/null; fi

for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  if selected step; then
    for setting in "mobilefacenet 1 32 12" "mobilefacenet 0.5 32 16" "iresnet18 1 16 8"; do
      read -r backbone width batch steps <<<"$setting"
      name=$backbone; [ "$width" = 1 ] || name=$backbone-x$width
      record "ours-step $name" "$(run_uniface step --backbone "$backbone" --width "$width" --batch "$batch" --steps "$steps")"
      record "peer-step $name" "$(run_peer /bench/uniface/step.py "$name" "$batch" "$steps" "$threads")"
    done
  fi
  if selected data; then
    record "ours-data" "$(run_uniface data "$FACES")"
    mkdir -p "$peers/data/uniface-faces"; mount --bind "$FACES" "$peers/data/uniface-faces"
    record "peer-data" "$(run_peer /bench/uniface/data.py /data/uniface-faces 1)"
    umount "$peers/data/uniface-faces"
  fi
  if selected search; then
    record "ours-search" "$(run_uniface search --size 1000000 --dim 512 --queries 1,16,256)"
    record "peer-search" "$(run_peer /bench/uniface/search.py 1000000 512 1,16,256 "$threads")"
  fi
  if selected head; then
    record "ours-head" "$(run_uniface head --classes 100000,1000000 --loss uce,cosface --batch 128)"
    for loss in uce cosface; do record "peer-head $loss" "$(run_peer /bench/head.py "$loss" 1000000)"; done
  fi
done
chroot "$peers" python3 /bench/uniface/report.py <"$results" >"$out.new"; mv "$out.new" "$out"
echo "written: $out" >&2
