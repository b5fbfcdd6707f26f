#!/usr/bin/env bash
# table.sh -- the comparisons of bench/peers, one after the other, as a table in Markdown:
# what is compared, the line that the comparison ends with, its command.
#
#   BUILD=build bench/table.sh [NAME...]     serve ask ingest embed rerank search train
#
# Each installs its peer by itself, into the cache. One that cannot run says so in its row
# and the rest goes on; what it said stands in LOG (table.log). Half an hour on two cores
# that have nothing else to do.
set -u
here=$(cd "$(dirname "$0")" && pwd)
peers=bench/peers build=${BUILD:-build} log=${LOG:-table.log}
cd "$here/.." || exit 1
export PITH=$build/pith
[ -x "$PITH" ] || { echo "table: $PITH: no such program; build it or set BUILD" >&2; exit 1; }
: > "$log"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

model() { "$PITH" model show "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["path"])'; }

# row WHAT COMMAND...
row() {
    local what=$1 line='did not run, see the log'
    shift
    printf '\n== %s\n' "$*" >> "$log"
    if "$@" > "$out" 2>> "$log"; then line=$(tail -n 1 "$out"); fi
    cat "$out" >> "$log"
    printf '| %s | %s | `%s` |\n' "$what" "${line//|/;}" "$*"
}

compare() {
    case $1 in
        serve)  row '4 clients, 1,200 tokens each, against llama-server' $peers/serve_llama.sh 4 ;;
        ask)    row 'cold start to the answer, against LangChain' $peers/ask_langchain.sh ;;
        ingest) row 'folders into an index, against LangChain' $peers/ingest_langchain.sh examples/docs ;;
        embed)  row 'embedding, against onnxruntime' \
                    $peers/encode_onnxruntime.sh "$build/bench/bench_encode" "$(model bge-small-en-v1.5)" ;;
        rerank) row 'reranking, against onnxruntime' \
                    $peers/encode_onnxruntime.sh "$build/bench/bench_encode" "$(model ms-marco-minilm-l12)" ;;
        search) row 'search over 100,000 vectors, against faiss' \
                    $peers/search_faiss.sh "$build/bench/bench_search" ;;
        train)  row 'LoRA, against PyTorch and PEFT' \
                    $peers/train_peft.sh "$PITH" "$(model smollm2-135m)" "${DATA:-train.jsonl}" ;;
        *)      echo "table: $1 is none of serve ask ingest embed rerank search train" >&2; exit 2 ;;
    esac
}

[ $# -gt 0 ] || set -- serve ask ingest embed rerank search train
printf '| what | measured | command |\n|---|---|---|\n'
for name; do compare "$name"; done
