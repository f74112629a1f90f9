#!/bin/sh
# Counts a corpus in parts, by processes of this machine or by tasks of Slurm, in four steps that
# wait for each other: words in parts, their sum; pairs in parts, their sum.
#
#   sh count-shards.sh local|slurm SHARDS FOLDER FILES...
#
# FOLDER takes all results: vocabulary.tsv, counts, and the parts. With Slurm it and FILES are
# visible on all nodes. Run again after an interruption, it skips the parts that are there: a part
# has its name only once it is whole. A part that its time limit cuts off begins anew: take more
# shards.
#
#   JOBS=2               parts at a time on this machine
#   SLURM=time=01:00:00  options of sbatch without their dashes, parted by blanks
#   OPTIONS=...          options of vocab and count about the text [--normalise letters]
#   MIN_COUNT=50         words that come less often are dropped
#   MEMORY=6G            of one part
set -eu
step=$1 shards=$2 folder=$3
shift 3
options=${OPTIONS-"--normalise letters"} memory=${MEMORY:-6G}
index=${SLURM_ARRAY_TASK_ID:-0}
number=$(printf %05d "$index")

# Does a step unless its result is there.
make() {
  result=$1
  shift
  [ -e "$result" ] || "${SIXFOLD_SGNS:-sixfold-sgns}" "$@" -o "$result"
}

# The parts that are still to be counted.
missing() {
  for index in $(seq 0 $((shards - 1))); do
    [ -e "$folder/$1-$(printf %05d "$index")" ] || echo "$index"
  done
}

# `--option` for each word of $SLURM.
slurm_options() {
  for option in ${SLURM:-}; do echo "--$option"; done
}

# submit STEP AFTER SBATCH-OPTIONS... -- FILES...: prints the job's number.
submit() {
  step=$1 after=$2
  shift 2
  given=
  while [ "$1" != -- ]; do
    given="$given $1"
    shift
  done
  shift
  # shellcheck disable=SC2046,SC2086 # Several words each.
  sbatch --parsable --requeue --open-mode=append ${after:+--dependency=afterok:$after} \
    --output="$folder/$step.log" $given $(slurm_options) "$0" "$step" "$shards" "$folder" "$@"
}

# shellcheck disable=SC2086 # $options are several words.
case $step in
  words)
    make "$folder/words-$number" vocab --memory "$memory" --shard "$index/$shards" $options "$@"
    ;;
  vocabulary)
    make "$folder/vocabulary.tsv" vocab --merge --min-count "${MIN_COUNT:-50}" "$folder"/words-*
    ;;
  pairs)
    # glibc would hold back memory for each thread, beside --memory.
    MALLOC_ARENA_MAX=1 make "$folder/pairs-$number" count --vocab "$folder/vocabulary.tsv" \
      --memory "$memory" --shard "$index/$shards" $options "$@"
    ;;
  counts)
    make "$folder/counts" merge "$folder"/pairs-*
    ;;
  local)
    mkdir -p "$folder"
    for step in words pairs; do
      missing "$step" | xargs -P "${JOBS:-2}" -I '{}' \
        env SLURM_ARRAY_TASK_ID='{}' sh "$0" "$step" "$shards" "$folder" "$@"
      [ "$step" = words ] && sum=vocabulary || sum=counts
      sh "$0" "$sum" "$shards" "$folder" "$@"
    done
    ;;
  slurm)
    mkdir -p "$folder"
    after=
    for step in words pairs; do
      tasks=$(missing "$step" | paste -sd, -)
      [ -z "$tasks" ] || after=$(submit "$step" "$after" "--array=$tasks" -- "$@")
      [ "$step" = words ] && sum=vocabulary || sum=counts
      after=$(submit "$sum" "$after" -- "$@")
    done
    echo "$after"
    ;;
  *)
    echo "count-shards: $step is neither local nor slurm" >&2
    exit 2
    ;;
esac
