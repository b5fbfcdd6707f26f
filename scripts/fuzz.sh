#!/usr/bin/env bash
# fuzz.sh FOLDER -- run every libFuzzer program in turn, PITH_FUZZ_SECONDS each (60).
#
# What is found goes to FOLDER/found; new inputs to FOLDER/corpus, where the next run
# goes on from them. The corpus in the repository is read and never written.
set -euo pipefail

folder=$1 seconds=${PITH_FUZZ_SECONDS:-60}
mapfile -t programs < <(find "$folder/tests/fuzz" -maxdepth 1 -name 'fuzz_*' -type f | sort)
n=0
for program in "${programs[@]}"; do
    name=${program##*/fuzz_}
    n=$((n + 1))
    echo "fuzz: $name, $seconds s ($n of ${#programs[@]})" >&2
    mkdir -p "$folder/corpus/$name" "$folder/found/$name"
    seeds=()
    [ ! -d "tests/fuzz/corpus/$name" ] || seeds=("tests/fuzz/corpus/$name")
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$folder/found/$name/" \
        "$folder/corpus/$name" "${seeds[@]}"
done
