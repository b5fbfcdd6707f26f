#!/usr/bin/env bash
# train_exact.sh -- one row through our forward and backward pass and through PyTorch +
# PEFT: same base, same adapters, same tokens; same loss and same derivatives, or it fails.
#
#   bench/peers/train_exact.sh BENCH_TRAIN MODEL.gguf DATA.jsonl
#
# MODEL is of the llama or qwen2 family. The peer is installed in a virtual environment
# under the cache folder ($PITH_PEER_PYTHON: a Python that has torch, transformers, peft and
# gguf).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
. "$here/common.sh"

[ $# -eq 3 ] || die "usage: $0 BENCH_TRAIN MODEL.gguf DATA.jsonl"
python=${PITH_PEER_PYTHON:-$(peer_torch)/bin/python}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" "$2" "$3" 256 1 8 "$out"
"$python" -W ignore "$here/train_exact.py" "$2" "$out" 2> "$out/log" || {
    tail -n 5 "$out/log" >&2
    exit 1
}
