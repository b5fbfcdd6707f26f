# pith tune train with a real model: what it refuses before it trains, a run that is killed
# at any moment and goes on bit for bit, a loss that is not finite, an adapter of another
# base, and what a terminal shows.
. "$(dirname "$0")/lib.sh"
use_real_models
train=("$pith" tune train --model "$PITH_GENERATOR" --seq 32 --batch 2)

for word in zebra lion tiger otter heron eagle falcon badger; do
    printf '{"messages":[{"role":"user","content":"Who?"},'
    printf '{"role":"assistant","content":"A %s."}]}\n' "$word"
done > data.jsonl

# Refused, with a reason and nothing written but the folder.
: > empty.jsonl
run 3 "${train[@]}" --data empty.jsonl --out refused
has err 'empty.jsonl: no example in it'
run 3 "${train[@]}" --data absent.jsonl --out refused
has err 'absent.jsonl: No such file'
{ cat data.jsonl; printf '\n{"question":"a","ans'; } > broken.jsonl
run 3 "${train[@]}" --data broken.jsonl --out refused
has err 'broken.jsonl, line 10'
run 3 "${train[@]}" --data data.jsonl --out refused --max-mb 100
has err 'training needs' 'and 100 are allowed'
echo text > text.gguf
run 3 "${train[@]}" --data data.jsonl --out refused --model text.gguf
has err 'text.gguf: not a whole GGUF file'
[ -z "$(ls refused 2> /dev/null)" ] || die 'something was written'

# Killed at once, between steps and while it saves: the same bits as of a run left alone.
run=("${train[@]}" --data data.jsonl --steps 6 --save-every 2 --json)
run 0 "${run[@]}" --out whole
for lines in 1 4; do
    "${run[@]}" --out killed > killed.log 2>&1 &
    pid=$!
    until [ "$(grep -c '"step"' killed.log)" -ge "$lines" ] || ! kill -0 $pid; do :; done
    kill -9 $pid || true
    wait $pid || true
done 2> /dev/null
run 0 "${run[@]}" --out killed
for file in adapter.gguf state curve.jsonl peft/adapter_model.safetensors; do
    cmp "whole/$file" "killed/$file" || die "$file is another"
done
[ "$(wc -l < whole/curve.jsonl)" = 6 ] || die 'not a line a step'
run 3 "${run[@]}" --out whole --seed 1
has err 'of a run with other options'

# A loss that is not finite ends the run; what was good is kept.
run 3 "${train[@]}" --data data.jsonl --steps 60 --save-every 2 --lr 0.9 --alpha 10000 \
    --out wild
has err 'is not finite' 'is kept'
if [ ! -s wild/adapter.gguf ] || grep -q nan wild/curve.jsonl; then die 'nothing is kept'; fi

# Without its base an adapter is refused.
printf '# Zebras\n\nThe zebra eats grass.\n' > page.md
run 0 "$pith" add page.md
run 0 "$pith" ask 'What does the zebra eat?' --adapter whole/adapter.gguf
cp whole/adapter.gguf other.gguf
python3 - <<'P'
data = open("other.gguf", "rb").read()
key = b"pith.base_lineage"
at = data.index(key) + len(key) + 4 + 8
flipped = bytes([data[at] ^ 1])
open("other.gguf", "wb").write(data[:at] + flipped + data[at + 1:])
P
run 3 "$pith" ask 'What does the zebra eat?' --adapter other.gguf
has err 'was trained on'

# A terminal shows the curve, the loss, the speed and the time left.
LANG=C.UTF-8 LC_ALL=C.UTF-8 python3 - "${train[@]}" --data data.jsonl --steps 8 \
    --out shown > shown.log <<'P'
import os, pty, sys
pty.spawn(sys.argv[1:])
P
has shown.log 'training needs' '█' 'step 1/8, loss' 'tok/s' ' left' '8 steps, loss'
