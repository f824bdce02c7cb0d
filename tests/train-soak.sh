#!/usr/bin/env bash
# Trains for a time, with 1, 2 and 4 ranks, while the job is killed (kill -9) at random moments and resumed, again and again. Each run must end as an
# uninterrupted run does, and no resume may fail. The state is kept in FOLDER: started again, it continues where it was stopped or killed itself.
#   tests/train-soak.sh [MINUTES=120] [FOLDER=.soak] [COMMAND=./uniface]
# In the background: setsid nohup tests/train-soak.sh 120 >soak.log 2>&1 &
# Runs on the same number of ranks throughout must end with the same SHA-256 of the weights. Every seventh run changes the number with each resume: its loss
# must be that of the uninterrupted run up to the rounding of sums, and its last checkpoint must have the same weights on any number of ranks. A kill hits one
# rank, mpiexec, or all processes of the job; the others must end by themselves within a minute, and the job must name the rank that was killed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
minutes=${1:-120} work=${2:-$root/.soak} uniface=${3:-$root/uniface}
[[ $minutes =~ ^[0-9]+$ ]] || { echo "usage: tests/train-soak.sh [MINUTES] [FOLDER] [COMMAND]" >&2; exit 2; }
mkdir -p "$work"; work=$(cd "$work" && pwd); cd "$work"
exec 9>lock; flock -n 9 || { echo "$work: another soak is running" >&2; exit 2; }

# The recipes differ in what a checkpoint holds: averages, optimizers, samplers, accumulation, several sets with weights, sub-centers, bfloat16.
recipes=(
  "faces --ema 0.99 --val-people 0.2 --augment flip,color"
  "faces others:0.5 --val-people 0 --augment flip"
  "faces --optimizer adamw --accumulate 2 --val-people 0 --augment none --keep 3"
  "faces --sampler pk --images-per-person 2 --val-people 0 --center-dtype bfloat16 --augment flip,shift"
  "set.tar --sampler class-balanced --sample-rate 0.5 --val-people 0.2 --augment flip"
)
# Rounding grows from step to step at the default learning rate (docs/distributed.md), and synchronized batch norms take their time on a few processors:
# runs that change ranks are short and learn slowly.
changing=(--sync-batch-norm --lr 0.00001 --epochs 2)
tolerance=0.0001
common=(--backbone mobilefacenet --width 0.25 --embedding-size 32 --checkpoint-every 3 --threads 1)
plans=(1 2 4 1 2 4 change); command -v mpiexec >/dev/null || plans=(1)
read -ra counts <<<"$(tr ' ' '\n' <<<"${plans[*]}" | grep -v change | sort -u | tr '\n' ' ')"

# state: seconds done, rounds done, kills for each number of ranks; written after each kill and each round.
seconds=0 rounds=0
declare -A kills=([1]=0 [2]=0 [4]=0)
[ ! -f state ] || { read -r seconds rounds kills[1] kills[2] kills[4] <state; kills[2]=${kills[2]:-0} kills[4]=${kills[4]:-0}; }
save() { echo "$seconds $rounds ${kills[1]} ${kills[2]} ${kills[4]}" >state.new && mv state.new state; }
summary() { echo "$rounds runs equal, kills: 1 rank ${kills[1]}, 2 ranks ${kills[2]}, 4 ranks ${kills[4]}"; }
number() { sed -nE "s/^ *\"$1\": \"?([0-9a-f.]+)\"?,?/\1/p" "$2"; }

# The processes below one, at any depth.
below() { local child; for child in $(pgrep -P "$1"); do echo "$child"; below "$child"; done; }
alive() { local state; read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" && [ "$state" != Z ]; }
gone() { # SECONDS PROCESS...
  local end=$((SECONDS + $1)) process; shift
  for process in "$@"; do while alive "$process"; do ((SECONDS < end)) || return 1; sleep 0.05; done; done
}
job=
end_job() { [ -z "$job" ] || kill -9 "$job" $(below "$job") 2>/dev/null || true; }
trap end_job EXIT
trap 'exit 143' TERM INT

# Trains in the background: start RANKS OUTPUT ERRORS ARGUMENTS...
start() {
  local launch=() ranks=$1 out=$2 err=$3; shift 3
  [ "$ranks" = 1 ] || launch=(mpiexec -n "$ranks")
  "${launch[@]}" "$uniface" train "$@" --json >"$out" 2>"$err" 9>&- &
  job=$!
}
fresh() { echo "${args[@]}" "${common[@]}" --seed "$seed" --batch $((8 / $1)); }
fail() { echo "run $rounds (${args[*]}, seed $seed, $ranks ranks): $*"; cat killed.err 2>/dev/null || true; exit 1; }

# Kills one rank, mpiexec or all, if the job still runs; the job must end by itself.
strike() {
  local ranks=$1 all victim=$job rank= late=
  all=$(below "$job")
  if [ "$ranks" != 1 ]; then
    local candidates; candidates=$(for proxy in $(pgrep -P "$job"); do pgrep -P "$proxy"; done)
    case $((RANDOM % 4)) in
      0 | 1) [ -z "$candidates" ] || victim=$(shuf -n 1 <<<"$candidates") ;;
      2) victim="$job $all" ;;
    esac
    # A rank that has begun to watch has a shell beside it that reports its end.
    if [ "$victim" != "$job" ] && [[ $victim != *' '* ]] && [ "$(ps -o comm= --ppid "$victim" | grep -cx sh)" = 1 ]; then
      rank=$(tr '\0' '\n' <"/proc/$victim/environ" 2>/dev/null | sed -n 's/^PMI_RANK=//p') || true
    fi
  fi
  kill -9 $victim 2>/dev/null || [[ $victim == *' '* ]] || return 1
  exec 3>&2 2>/dev/null # The shell reports what was killed.
  gone 60 "$job" $all || late=1
  wait "$job" || true
  exec 2>&3 3>&-
  [ -z "$late" ] || fail "the job has not ended a minute after the kill of $victim: $(ps -o pid,ppid,stat,args -p "$job" $all | cut -c1-150)"
  [ -z "$rank" ] || grep -Eq "^error: rank $rank \(process $victim on .*\) was killed" killed.err ||
    fail "the kill of rank $rank, process $victim, was not reported"
  job=
  kills[$ranks]=$((kills[$ranks] + 1))
}

if [ ! -f set.tar ]; then
  rm -rf faces others
  "$uniface" data make faces --people 12 --images 5 >/dev/null
  "$uniface" data make others --people 6 --images 6 --first 100 >/dev/null
  tar -C faces -cf set.new . && "$uniface" data info set.new >/dev/null && mv set.new set.tar
  "$uniface" data index set.tar >/dev/null
fi

echo "soak: $((seconds / 60)) of $minutes minutes, $(summary)"
while ((seconds < 60 * minutes)); do
  # Five recipes and seven plans: each meets each.
  recipe=$((rounds % ${#recipes[@]})) seed=$((rounds / ${#recipes[@]} + 1)) ranks=${plans[rounds % ${#plans[@]}]}
  read -ra args <<<"${recipes[recipe]}"
  if [ "$ranks" = change ]; then args+=("${changing[@]}"); else args+=(--epochs 8); fi
  start=$SECONDS
  pick() { if [ "$ranks" = change ]; then echo "${counts[RANDOM % ${#counts[@]}]}"; else echo "$ranks"; fi; }
  if [ ! -f whole.json ]; then
    rm -rf whole killed
    count=$(pick)
    # shellcheck disable=SC2046
    start "$count" whole.new whole.err $(fresh "$count") --out whole
    wait "$job" || { cat whole.err; exit 1; }
    sed -i "1s/^{/{ \"milliseconds\": $(((SECONDS - start) * 1000 + 500)),\n/" whole.new && mv whole.new whole.json
  fi
  length=$(sed -nE 's/^\{ "milliseconds": ([0-9]+),/\1/p' whole.json)
  while :; do
    count=$(pick)
    # shellcheck disable=SC2046
    if [ -f killed/run.json ]; then start "$count" killed.json killed.err --resume killed
    else start "$count" killed.json killed.err $(fresh "$count") --out killed; fi
    # From the first moment of the process to somewhat after the end of the run.
    sleep "$(awk -v l="$length" -v r="$RANDOM" 'BEGIN { printf "%.3f", 1.1 * r / 32768 * l / 1000 }')" & wait $!
    if ! alive "$job" || ! strike "$count"; then
      wait "$job" || fail "cannot be resumed on $count"
      break
    fi
    seconds=$((seconds + SECONDS - start)) start=$SECONDS; save
  done
  if [ "$ranks" != change ]; then
    [ -n "$(number sha256 whole.json)" ] && [ "$(number sha256 whole.json)" = "$(number sha256 killed.json)" ] ||
      fail "other weights: $(number sha256 whole.json) $(number sha256 killed.json)"
  else
    awk -v a="$(number loss whole.json)" -v b="$(number loss killed.json)" -v t="$tolerance" \
      'BEGIN { d = a > b ? a - b : b - a; exit !(a > 0 && b > 0 && d <= t * a) }' || fail "other loss: $(number loss whole.json) $(number loss killed.json)"
    for count in "${counts[@]}"; do
      start "$count" again.json killed.err --resume killed
      wait "$job" || fail "cannot be resumed on $count"
      [ "$(number sha256 again.json)" = "$(number sha256 killed.json)" ] || fail "$count ranks read other weights"
    done
  fi
  job=
  hash() { sed -nE 's/^ *"dataHash": "([^"]*)".*/\1/p' "$1/run.json"; }
  [ "$(hash whole)" = "$(hash killed)" ] || fail "other hash of the data: $(hash whole) $(hash killed)"
  rounds=$((rounds + 1)) seconds=$((seconds + SECONDS - start))
  rm -f whole.json; save
  echo "$((seconds / 60)) min: $(summary)"
done
summary
