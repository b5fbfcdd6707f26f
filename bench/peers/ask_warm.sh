#!/usr/bin/env bash
# ask_warm.sh -- questions to programs that are running: pith serve and LangChain, by turns.
#
#   PITH=build/pith bench/peers/ask_warm.sh [QUESTIONS [FOLDER]]
#
# Both sides search the same chunks of FOLDER (examples/docs), read 1,200 tokens of passages
# at most and write 64 tokens at most with the same model and threads; pith with its
# reranker and filter, as it comes. QUESTIONS (examples/questions.jsonl) has one a line.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
source "$here/common.sh"

[ $# -le 2 ] || die "usage: $0 [QUESTIONS [FOLDER]]"
ask_warm 'LangChain + llama.cpp' "$(langchain_venv)/bin/python" ask_langchain.py "$@"
