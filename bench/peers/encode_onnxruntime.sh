#!/usr/bin/env bash
# encode_onnxruntime.sh -- bench_encode and onnxruntime on the same work, and the ratio.
#
#   bench/peers/encode_onnxruntime.sh BENCH_ENCODE EMBEDDER.gguf MODEL.onnx TOKENIZER.json
#
# BENCH_ENCODE is the built program. MODEL.onnx is the int8 file that the GGUF was made
# from. The peer is installed, pinned, in a virtual environment under the cache folder.
set -euo pipefail

die() { printf '%s\n' "encode_onnxruntime: $*" >&2; exit 1; }

[ $# = 4 ] || die "usage: $0 BENCH_ENCODE EMBEDDER.gguf MODEL.onnx TOKENIZER.json"
bench=$1 gguf=$2 onnx=$3 tokenizer=$4
texts=200 tokens=140
here=$(cd "$(dirname "$0")" && pwd)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers/onnxruntime

if [ ! -f "$venv/.complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet onnxruntime==1.32.0 tokenizers==0.23.3 \
        numpy==2.4.6 || die "the peer could not be installed"
    touch "$venv/.complete"
fi

peer=$("$venv/bin/python" "$here/encode_onnxruntime.py" "$onnx" "$tokenizer" "$texts" "$tokens")
ours=$("$bench" "$gguf" | tee /dev/stderr | awk '/^(int8|oneDNN)/ && !n++')
printf '%s\n' "$peer"
rate() { sed -E 's/.*: ([0-9.]+)\/s.*/\1/' <<< "$1"; }
awk -v a="$(rate "$(cut -d, -f1 <<< "$ours")")" -v b="$(rate "$peer")" \
    'BEGIN { printf "ratio: %.2f (%.1f/s to %.1f/s)\n", a / b, a, b }'
