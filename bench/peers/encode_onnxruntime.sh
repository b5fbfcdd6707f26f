#!/usr/bin/env bash
# encode_onnxruntime.sh -- bench_encode and onnxruntime on the same work, and the ratio.
#
#   bench/peers/encode_onnxruntime.sh BENCH_ENCODE MODEL.gguf [ONNX_FOLDER]
#
# BENCH_ENCODE is the built program, MODEL.gguf the embedder or the reranker. ONNX_FOLDER
# holds the int8 model.onnx that the GGUF was made from and its tokenizer.json; without it
# they are those of the default embedder or reranker. Both take all cores, turn by turn.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
. "$here/common.sh"

[ $# = 2 ] || [ $# = 3 ] || die "usage: $0 BENCH_ENCODE MODEL.gguf [ONNX_FOLDER]"
bench=$1 gguf=$2 texts=100 turns=3
ours=$("$bench" "$gguf" "$texts" 1 | tee /dev/stderr)
case $ours in *pairs*) kind=rerank onnx=reranker_en ;; *) kind=embed onnx=bge_small_en ;; esac
folder=${3:-$(onnx_folder "$onnx")}
venv=$(peer_venv onnxruntime onnxruntime==1.32.0 tokenizers==0.23.3 numpy==2.4.6)

rate() { sed -nE 's/^(int8|oneDNN|onnxruntime)[^:]*: ([0-9.]+)\/s.*/\2/p' | head -1; }
best=$(rate <<< "$ours") peer_best=0
for ((turn = 1; turn <= turns; turn++)); do
    peer=$("$venv/bin/python" "$here/encode_onnxruntime.py" "$kind" "$folder" "$texts")
    printf '%s\n' "$peer"
    peer_best=$(printf '%s\n%s\n' "$peer_best" "$(rate <<< "$peer")" | sort -n | tail -1)
    if [ $turn -lt $turns ]; then
        ours=$("$bench" "$gguf" "$texts" 1)
        grep -m1 -E '^(int8|oneDNN)' <<< "$ours"
        best=$(printf '%s\n%s\n' "$best" "$(rate <<< "$ours")" | sort -n | tail -1)
    fi
done
awk -v a="$best" -v b="$peer_best" -v kind="$kind" \
    'BEGIN { printf "%s, best of each: %.1f/s to %.1f/s, ratio %.2f\n", kind, a, b, a / b }'
