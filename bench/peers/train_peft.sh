#!/usr/bin/env bash
# train_peft.sh -- `pith tune train` and PyTorch + PEFT on steps of the same size, in turn,
# and the ratios of their speed and memory.
#
#   PITH=build/pith bench/peers/train_peft.sh [DATA.jsonl [STEPS]]
#
# The base is SmolLM2-135M, whose shape the peer has. DATA needs some 2,000 tokens for each
# of the STEPS (6); where none is named it is made of the demo's documents. The peer is
# installed in a virtual environment under the cache folder ($PITH_PEER_PYTHON: a Python
# that has torch, transformers and peft).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
. "$here/common.sh"

[ $# -le 2 ] || die "usage: $0 [DATA.jsonl [STEPS]]"
begin
data=${1:-$work/data.jsonl} steps=${2:-6}
seq=256 batch=4 rank=8
model=$(model_file smollm2-135m)
python=${PITH_PEER_PYTHON:-$(peer_torch)/bin/python}

# Paragraphs and where they stand; what is learnt is of no matter here.
[ $# -ge 1 ] || python3 - "$here/../../examples/docs" > "$data" <<'PY'
import json, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.*")):
    for i, text in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n\n")):
        if text.strip():
            print(json.dumps({"question": f"Paragraph {i} of {path.stem}?", "answer": text}))
PY
ours=$("$pith" tune train --data "$data" --model "$model" --out "$work/run" --seq $seq \
    --batch $batch --rank $rank --steps "$steps" --json | tail -n 1)
peer=$("$python" "$here/train_peft.py" "$steps" $seq $batch $rank)
printf 'pith: %s\npeft: %s\n' "$ours" "$peer"
"$python" - "$ours" "$peer" <<'PY'
import json, sys
a, b = map(json.loads, sys.argv[1:3])
print(f"ratio: {a['tok_per_s'] / b['tok_per_s']:.2f} x tokens/s, "
      f"{a['peak_mb'] / b['peak_mb']:.2f} x memory")
print(f"= {a['tok_per_s']:.0f} tokens/s, {a['peak_mb']:.0f} MB | PyTorch + PEFT "
      f"{b['tok_per_s']:.0f}, {b['peak_mb']:.0f} MB | {a['tok_per_s'] / b['tok_per_s']:.1f}")
PY
