#!/usr/bin/env bash
# Trains for a time while the process is killed (kill -9) at random moments and resumed, again and again. Each run must end with the SHA-256 of the weights
# of an uninterrupted run, and no resume may fail. The state is kept in FOLDER: started again, it continues where it was stopped or killed itself.
#   tests/train-soak.sh [MINUTES=120] [FOLDER=.soak] [COMMAND=./uniface]
# In the background: nohup tests/train-soak.sh 120 >soak.log 2>&1 &
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
minutes=${1:-120} work=${2:-$root/.soak} uniface=${3:-$root/uniface}
[[ $minutes =~ ^[0-9]+$ ]] || { echo "usage: tests/train-soak.sh [MINUTES] [FOLDER] [COMMAND]" >&2; exit 2; }
mkdir -p "$work"; work=$(cd "$work" && pwd); cd "$work"
exec 9>lock; flock -n 9 || { echo "$work: another soak is running" >&2; exit 2; }
trap 'kill -9 "${process:-}" 2>/dev/null || true' EXIT

# The recipes differ in what a checkpoint holds: averages, optimizers, samplers, accumulation, several sets with weights, sub-centers, bfloat16.
recipes=(
  "faces --ema 0.99 --val-people 0.2 --augment flip,color"
  "faces others:0.5 --val-people 0 --augment flip"
  "faces --optimizer adamw --accumulate 2 --val-people 0 --augment none"
  "faces --sampler pk --images-per-person 2 --val-people 0 --center-dtype bfloat16 --augment flip,shift"
  "set.tar --sampler class-balanced --sample-rate 0.5 --val-people 0.2 --augment flip"
)
common=(--backbone mobilefacenet --width 0.25 --embedding-size 32 --batch 8 --epochs 8 --checkpoint-every 3 --threads 1)

# state: seconds done, rounds done, kills; written after each kill and each round.
seconds=0 rounds=0 kills=0
[ ! -f state ] || read -r seconds rounds kills <state
save() { echo "$seconds $rounds $kills" >state.new && mv state.new state; }
number() { sed -nE "s/^ *\"$1\": \"?([0-9a-f]+)\"?,?/\1/p" "$2"; }

if [ ! -f set.tar ]; then
  rm -rf faces others
  "$uniface" data make faces --people 12 --images 5 >/dev/null
  "$uniface" data make others --people 6 --images 6 --first 100 >/dev/null
  tar -C faces -cf set.new . && "$uniface" data info set.new >/dev/null && mv set.new set.tar
  "$uniface" data index set.tar >/dev/null
fi

echo "soak: $((seconds / 60)) of $minutes minutes, $rounds runs, $kills kills so far"
while ((seconds < 60 * minutes)); do
  recipe=$((rounds % ${#recipes[@]})) seed=$((rounds / ${#recipes[@]} + 1))
  read -ra args <<<"${recipes[recipe]}"
  start=$SECONDS
  if [ ! -f whole.json ]; then
    rm -rf whole killed
    "$uniface" train "${args[@]}" "${common[@]}" --seed "$seed" --out whole --json >whole.new 2>whole.err 9>&- || { cat whole.err; exit 1; }
    sed -i "1s/^{/{ \"milliseconds\": $(((SECONDS - start) * 1000 + 500)),\n/" whole.new && mv whole.new whole.json
  fi
  length=$(sed -nE 's/^\{ "milliseconds": ([0-9]+),/\1/p' whole.json)
  while :; do
    if [ -f killed/run.json ]; then resume=(--resume killed); else resume=("${args[@]}" "${common[@]}" --seed "$seed" --out killed); fi
    "$uniface" train "${resume[@]}" --json >killed.json 2>killed.err 9>&- &
    process=$!
    # From the first moment of the process to somewhat after the end of the run.
    sleep "$(awk -v l="$length" -v r="$RANDOM" 'BEGIN { printf "%.3f", 1.1 * r / 32768 * l / 1000 }')"
    if kill -9 "$process" 2>/dev/null; then
      wait "$process" 2>/dev/null || true
      kills=$((kills + 1))
    elif wait "$process"; then
      break
    else
      echo "run $rounds (${recipes[recipe]}, seed $seed) cannot be resumed:"; cat killed.err; exit 1
    fi
    seconds=$((seconds + SECONDS - start)) start=$SECONDS; save
  done
  process=
  if [ "$(number sha256 whole.json)" != "$(number sha256 killed.json)" ] || [ -z "$(number sha256 whole.json)" ]; then
    echo "run $rounds (${recipes[recipe]}, seed $seed): other weights: $(number sha256 whole.json) $(number sha256 killed.json)"; exit 1
  fi
  hash() { sed -nE 's/^ *"dataHash": "([^"]*)".*/\1/p' "$1/run.json"; }
  [ "$(hash whole)" = "$(hash killed)" ] || { echo "run $rounds: other hash of the data: $(hash whole) $(hash killed)"; exit 1; }
  rounds=$((rounds + 1)) seconds=$((seconds + SECONDS - start))
  rm -f whole.json; save
  echo "$((seconds / 60)) min: $rounds runs equal, $kills kills"
done
echo "$rounds runs with $kills kills ended with the same weights as uninterrupted ones"
