#!/usr/bin/env bash
# ingest_langchain.sh -- folders into an index: pith add and LangChain, one after the other.
#
#   PITH=build/pith bench/peers/ingest_langchain.sh FOLDER...
#
# The peer embeds with the int8 ONNX file that the embedder's GGUF is made from. It loads with
# BSHTMLLoader and TextLoader, cuts with RecursiveCharacterTextSplitter and keeps its vectors
# in FAISS. It runs twice: with fastembed's batches of 256, which takes gigabytes, and text by
# text, which wastes nothing on padding; BATCHES="16 1" makes it others.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
source "$here/common.sh"

[ $# -ge 1 ] || die "usage: $0 FOLDER..."
read -r -a batches <<< "${BATCHES:-256 1}"
begin
encoder=$(encoder_folder)
python=$(langchain_venv)/bin/python
measure() { "$python" "$here/measure.py" "$@"; }

measure "$work/pith.json" "$pith" --store "$work/store.db" add "$@" --quiet > /dev/null
for batch in "${batches[@]}"; do
    measure "$work/peer$batch.json" "$python" "$here/ingest_langchain.py" index \
        "$encoder" "$batch" "$work/chunks$batch.json" "$@" 2> "$work/log" \
        || { tail -5 "$work/log" >&2; die "the peer stopped"; }
done
"$python" "$here/ingest_langchain.py" report "$encoder" "$work" "${batches[@]}"
