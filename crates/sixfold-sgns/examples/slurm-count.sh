#!/bin/sh
# Counts a corpus on a Slurm cluster that one machine cannot count, in three steps that wait for
# each other: words in parts, their sum; pairs in parts, their sum.
#
#   sh slurm-count.sh SHARDS FOLDER FILES...
#
# FOLDER, where all results go, and FILES are visible on all nodes. A task that failed is run again
# by itself: sbatch --array=I ..., since its shard does not depend on the others.
set -eu
shards=$1 folder=$2
shift 2
text="--normalise letters $*"
mkdir -p "$folder"
# glibc would hold back memory for each thread, beside --memory.
export MALLOC_ARENA_MAX=1
part='$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT'
file='$(printf %05d $SLURM_ARRAY_TASK_ID)'
last=$((shards - 1))

words=$(sbatch --parsable --array=0-$last --cpus-per-task=4 --mem=8G --wrap \
    "sixfold-sgns vocab --memory 6G --shard $part -o $folder/words-$file $text")
vocabulary=$(sbatch --parsable --dependency=afterok:"$words" --mem=16G --wrap \
    "sixfold-sgns vocab --merge --min-count 50 -o $folder/vocabulary.tsv $folder/words-*")
pairs=$(sbatch --parsable --dependency=afterok:"$vocabulary" --array=0-$last --cpus-per-task=4 \
    --mem=8G --wrap "sixfold-sgns count --vocab $folder/vocabulary.tsv --memory 6G --shard $part \
    -o $folder/pairs-$file $text")
sbatch --dependency=afterok:"$pairs" --mem=8G --wrap \
    "sixfold-sgns merge -o $folder/counts $folder/pairs-*"
