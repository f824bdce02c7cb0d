#!/usr/bin/env bash
# Kills an enrollment of 10,000 templates (kill -9) at random moments. After each kill, every acknowledged template must be in the gallery, and the
# gallery must be intact.
#   tests/gallery-kill-test.sh [KILLS=50] [COMMAND=./uniface]
set -euo pipefail
kills=${1:-50}
uniface=${2:-"$(cd "$(dirname "$0")/.." && pwd)/uniface"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

number() { sed -nE "s/^ *\"$1\": ([0-9]+).*/\1/p" "$2"; }
lost=0
acknowledged=0
for ((round = 1; round <= kills; round++)); do
  "$uniface" bench enroll --size 10000 --batch 10 --to killed.gallery --acks --json >out.json 2>acks.log &
  process=$!
  # Wait until it has begun, then kill it within about a second.
  for _ in $(seq 600); do grep -q '^ack' acks.log 2>/dev/null && break; sleep 0.05; done
  sleep "$(awk -v r="$RANDOM" 'BEGIN { printf "%.3f", 1.2 * r / 32768 }')"
  kill -9 "$process" 2>/dev/null || { echo "kill $round: the enrollment was already done"; continue; }
  wait "$process" 2>/dev/null || true
  last=$(sed -nE 's/^ack ([0-9]+)$/\1/p' acks.log | tail -n 1)
  acknowledged=${last:-$acknowledged}
  "$uniface" gallery verify-integrity killed.gallery --json >verify.json || { cat verify.json; exit 1; }
  templates=$(number templates verify.json)
  echo "kill $round: $acknowledged acknowledged, $templates found"
  # Ids count from 1 without gaps, so there must be as many templates as the last acknowledged id.
  if ((templates < acknowledged)); then lost=$((lost + acknowledged - templates)); fi
done
echo "$lost acknowledged enrollments lost in $kills kills"
[[ $lost == 0 ]]
