#!/usr/bin/env bash
# search_faiss.sh -- exact search over vectors by pith's store and by faiss, and the ratio.
#
#   PITH=build/pith bench/peers/search_faiss.sh [CHUNKS]
#
# CHUNKS (100000) vectors of 384 components, the 50
# nearest of one query at a time, all cores (or those that taskset leaves). pith scans
# codes of a byte and scores the best again from the float vectors; faiss scans the floats
# (IndexFlatIP) or, inexact, codes of a byte (IndexScalarQuantizer). Turn by turn, twice.
# On one core of a busy Zen 5, 20,000 vectors: .99 ms, 1.46 exact, .48 inexact.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
. "$here/common.sh"

[ $# -le 1 ] || die "usage: $0 [CHUNKS]"
begin
bench=$(bench_program search) chunks=${1:-100000}
venv=$(peer_venv faiss faiss-cpu==1.15.1 numpy==2.4.6)
ours='' theirs=''
for _ in 1 2; do
    ours+=$("$bench" "$chunks" | grep '^vectors  *p50')$'\n'
    theirs+=$("$venv/bin/python" "$here/search_faiss.py" "$chunks")$'\n'
done
printf 'pith\n%sfaiss\n%s' "$ours" "$theirs"

# The best median, in milliseconds, of the lines that begin with $1.
best() { awk -v name="$1" '$1 == name { print $3 }' | sort -n | head -1; }
awk -v a="$(best vectors <<< "$ours")" -v b="$(best flat <<< "$theirs")" \
    -v c="$(best bytes <<< "$theirs")" 'BEGIN {
        printf "search, median of a query: %.2f ms; faiss exact %.2f ms, ratio %.2f; ", a, b, b / a
        printf "faiss bytes %.2f ms, ratio %.2f\n", c, c / a
        printf "= %.2f ms | faiss %.2f ms; inexact, bytes, %.2f ms | %.1f; %.1f\n", a, b, c, b / a, c / a }'
