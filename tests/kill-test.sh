#!/usr/bin/env bash
# Kills a training run (kill -9) at random moments and resumes it each time, then compares the SHA-256 of the final weights with that of an
# uninterrupted run.
#   tests/kill-test.sh [KILLS=20] [COMMAND=./uniface] [RANKS=1]
# With several ranks, each kill hits one of them, and the job must end by itself.
set -euo pipefail
kills=${1:-20}
uniface=${2:-"$(cd "$(dirname "$0")/.." && pwd)/uniface"}
ranks=${3:-1}
launch=(); [ "$ranks" = 1 ] || launch=(mpiexec -n "$ranks")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
recipe=(--backbone mobilefacenet --width 0.25 --embedding-size 32 --batch $((8 / ranks)) --epochs 12 --checkpoint-every 3 --ema 0.99
  --val-people 0.2 --augment flip,color --seed 3)
"$uniface" data make faces --people 12 --images 5 >/dev/null 2>&1

start=$(date +%s%N)
"${launch[@]}" "$uniface" train faces "${recipe[@]}" --out whole --json >whole.json 2>/dev/null
length=$((($(date +%s%N) - start) / 1000000))
echo "a whole run takes $length ms"

# The process to kill: that of the run, or of a random rank, which is a child of mpiexec's child.
target() {
  [ "$ranks" = 1 ] && echo "$process" && return
  local proxy; proxy=$(pgrep -P "$process" | head -n 1) || return 0
  pgrep -P "$proxy" | shuf -n 1
}

done_kills=0
while ((done_kills < kills)); do
  if [[ -f killed/run.json ]]; then args=(--resume killed); else args=(faces "${recipe[@]}" --out killed); fi
  "${launch[@]}" "$uniface" train "${args[@]}" --json >killed.json 2>killed.err &
  process=$!
  # From the first moment of the process to a fifth of the run after its usual start.
  sleep "$(awk -v l="$length" -v r="$RANDOM" -v k="$kills" 'BEGIN { printf "%.3f", (0.2 + 4 * r / 32768 / k + 0.8 * r / 32768 * 0.3) * l / 1000 }')"
  if kill -9 "$(target)" 2>/dev/null; then
    wait "$process" 2>/dev/null || true
    done_kills=$((done_kills + 1))
    echo "kill $done_kills: $(tail -n 1 killed/metrics.jsonl 2>/dev/null | cut -c1-50)"
  else
    wait "$process" || { cat killed.err; exit 1; }
    echo "the run ended before kill $((done_kills + 1)); starting another"
    diff <(grep sha256 whole.json) <(grep sha256 killed.json) || exit 1
    rm -rf killed
  fi
done

if [[ -f killed/run.json ]]; then args=(--resume killed); else args=(faces "${recipe[@]}" --out killed); fi
"${launch[@]}" "$uniface" train "${args[@]}" --json >killed.json 2>/dev/null
echo "never stopped: $(grep sha256 whole.json)"
echo "$done_kills kills:      $(grep sha256 killed.json)"
diff <(grep sha256 whole.json) <(grep sha256 killed.json) && echo "the same bytes"
