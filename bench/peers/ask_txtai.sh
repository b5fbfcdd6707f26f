#!/usr/bin/env bash
# ask_txtai.sh -- questions to programs that are running: pith serve and txtai's RAG
# pipeline over its hybrid index, by turns.
#
#   PITH=build/pith bench/peers/ask_txtai.sh [QUESTIONS [FOLDER]]
#
# As ask_warm.sh: the same chunks, context, answer, weights and threads.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
source "$here/common.sh"

[ $# -le 2 ] || die "usage: $0 [QUESTIONS [FOLDER]]"
ask_warm 'txtai + llama.cpp' "$(peer_torch)/bin/python" ask_txtai.py "$@"
