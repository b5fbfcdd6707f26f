#!/usr/bin/env bash
# ask_langchain.sh -- a question from a cold start: pith ask and LangChain, one by one.
#
#   PITH=build/pith bench/peers/ask_langchain.sh [FOLDER]
#
# Both sides search the same chunks of FOLDER (examples/docs), read 1,200 tokens of passages
# at most, and write 64 tokens at most with the same model and threads. pith runs twice: with
# the peer's work alone, and as it comes, where its reranker and filter leave the model less
# to read. Five rounds; medians.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
source "$here/common.sh"

[ $# -le 1 ] || die "usage: $0 [FOLDER]"
question=${QUESTION:-How long does the town have to answer a request for records?}
peer=("$(langchain_venv)/bin/python" "$here/ask_langchain.py")
ask_setup "${1:-$here/../../examples/docs}"
"${peer[@]}" index "$encoder" "$work/store.db" "$work/index"
"${peer[@]}" compare "${RUNS:-5}" "$question" "$work" "$pith" "$encoder" "$gguf"
