#!/usr/bin/env bash
# encode_onnxruntime.sh -- bench_encode and onnxruntime on the same work, and the ratio.
#
#   PITH=build/pith bench/peers/encode_onnxruntime.sh MODEL [ONNX_FOLDER]
#
# MODEL is the embedder or the reranker, a name or a GGUF file. ONNX_FOLDER holds the int8
# model.onnx that the GGUF was made from and its tokenizer.json; without it they are those
# of the default embedder or reranker. Both take all cores (or those that
# taskset leaves), turn by turn.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
. "$here/common.sh"

[ $# = 1 ] || [ $# = 2 ] || die "usage: $0 MODEL [ONNX_FOLDER]"
begin
bench=$(bench_program encode) gguf=$(model_file "$1") texts=64 turns=2
ours=$("$bench" "$gguf" "$texts" 1)
printf '%s\n' "$ours"
case $ours in *pairs*) kind=rerank onnx=reranker_en ;; *) kind=embed onnx=bge_small_en ;; esac
folder=${2:-$(onnx_folder "$onnx")}
venv=$(peer_venv onnxruntime onnxruntime==1.32.0 tokenizers==0.23.3 numpy==2.4.6)

# The best figure in lines like "NAME: 1.0/s, 2.0 a CPU second": wall or cpu.
wall() { sed -nE 's/^(int8|oneDNN|onnxruntime)[^:]*: ([0-9.]+)\/s.*/\2/p' | sort -n | tail -1; }
cpu() { sed -nE 's/.*\/s, ([0-9.]+) a CPU second.*/\1/p' | sort -n | tail -1; }
peer=
for ((turn = 1; turn <= turns; turn++)); do
    peer+=$("$venv/bin/python" "$here/encode_onnxruntime.py" "$kind" "$folder" "$texts")$'\n'
    [ $turn = $turns ] || ours+=$'\n'$("$bench" "$gguf" "$texts" 1)
done
printf '%s' "$peer"
# Of the line with the best figure, the share of what the CPU could do.
share=$(sed -nE 's/^(int8|oneDNN)[^:]*: ([0-9.]+)\/s.* ([0-9]+) % of the CPU.*/\2 \3/p' <<< "$ours" |
    sort -n | tail -1)
awk -v a="$(wall <<< "$ours")" -v b="$(wall <<< "$peer")" -v c="$(cpu <<< "$ours")" \
    -v d="$(cpu <<< "$peer")" -v kind="$kind" -v share="${share#* }" 'BEGIN {
        printf "%s, best of each: %.1f/s to %.1f/s, ratio %.2f\n", kind, a, b, a / b
        printf "by processor time: %.1f to %.1f, ratio %.2f\n", c, d, c / d
        of = share ? ", " share " % of what the CPU can compute" : ""
        printf "= %.0f/s%s | onnxruntime int8 %.0f/s | %.1f\n", a, of, b, a / b }'
