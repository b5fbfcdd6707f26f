#!/usr/bin/env bash
# serve.sh FOLDER [ROUNDS] -- bench/serve.py against a service of FOLDER/pith over
# examples/docs, with the models that PITH_GENERATOR, PITH_EMBEDDER and PITH_RERANKER name.
set -euo pipefail
cd "$(dirname "$0")/.."
pith=$1/pith work=$(mktemp -d)
export PITH_STORE=$work/store.db XDG_DATA_HOME=${XDG_DATA_HOME:-$HOME/.local/share}
export XDG_CONFIG_HOME=$work/config
ulimit -n 8192
"$pith" add -q examples/docs
: > "$work/log"
"$pith" serve -q -p 0 2> "$work/log" &
server=$!
trap 'kill "$server" 2> /dev/null; wait "$server"; rm -rf "$work"' EXIT
until url=$(sed -n 's|.*listening url="\(.*\)/".*|\1|p' "$work/log") && [ -n "$url" ]; do sleep 0.1; done
until curl -sf -o /dev/null "$url/readyz"; do sleep 0.2; done
python3 bench/serve.py "$url" "$server" "${@:2}"
