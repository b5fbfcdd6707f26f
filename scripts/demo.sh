#!/usr/bin/env bash
# demo.sh FOLDER -- what pith does, on the documents under examples/: it fetches the
# default models, indexes 44 files and asks three questions. The documents do not answer
# the last one, and pith has to say so.
set -euo pipefail

pith=$1/pith
export PITH_STORE=$1/demo/store.db

step() { printf '\n== %s\n' "$*"; }
# Shows a command as one would type it, then runs it.
run() {
    local word line='$ pith'
    for word; do case $word in *[!A-Za-z0-9/_.-]*) line+=" \"$word\"" ;; *) line+=" $word" ;; esac; done
    printf '%s\n' "$line"
    "$pith" "$@"
}

step 'The models, once: a generator, an embedder and a reranker'
run model pull
step 'The documents'
run add examples/docs
run status
step 'A question whose answer is in a table'
run ask "How much is a resident's parking permit for a year?"
step 'One about another subject'
run ask 'Does WAL mode work over a network filesystem?'
step 'One that the documents do not answer'
run ask 'What does it cost to renew a passport?'

printf '\nAsk more: PITH_STORE=%s %s ask "..."\n' "$PITH_STORE" "$pith"
