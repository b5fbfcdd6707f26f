#!/usr/bin/env bash
# train_peft.sh -- `pith tune train` and PyTorch + PEFT on steps of the same size, in turn,
# and the ratios of their speed and memory.
#
#   bench/peers/train_peft.sh PITH MODEL.gguf DATA.jsonl [STEPS]
#
# MODEL is SmolLM2-135M in any quantization, whose shape the peer has. DATA needs some
# 2,000 tokens for each step. The peer is installed in a virtual environment under the
# cache folder ($PITH_PEER_PYTHON: a Python that has torch, transformers and peft).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
. "$here/common.sh"

[ $# -ge 3 ] || die "usage: $0 PITH MODEL.gguf DATA.jsonl [STEPS]"
pith=$1 model=$2 data=$3 steps=${4:-6}
seq=256 batch=4 rank=8
python=${PITH_PEER_PYTHON:-$(peer_peft)/bin/python}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
ours=$("$pith" tune train --data "$data" --model "$model" --out "$out/run" --seq $seq \
    --batch $batch --rank $rank --steps "$steps" --json | tail -n 1)
peer=$("$python" "$here/train_peft.py" "$steps" $seq $batch $rank)
printf 'pith: %s\npeft: %s\n' "$ours" "$peer"
"$python" - "$ours" "$peer" <<'PY'
import json, sys
a, b = map(json.loads, sys.argv[1:3])
print(f"ratio: {a['tok_per_s'] / b['tok_per_s']:.2f} x tokens/s, "
      f"{a['peak_mb'] / b['peak_mb']:.2f} x memory")
PY
