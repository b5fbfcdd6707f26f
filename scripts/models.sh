#!/usr/bin/env bash
# models.sh FOLDER -- fetch the models that the end-to-end tests use: the default embedder
# and reranker and the smallest generator. Out of reach, those tests are skipped.
set -euo pipefail

pith=$1/pith
[ -x "$pith" ] || exit 0
# name, role, bytes, default, present of each entry; the smallest generator comes first.
wanted=$("$pith" model ls --json | python3 -c '
import json, sys
models = json.load(sys.stdin)
tiny = min((m for m in models if m["role"] == "generator"), key=lambda m: m["bytes"])
print(*(m["name"] for m in models if not m["present"]
        and (m is tiny or m["default"] and m["role"] != "generator")))')
[ -n "$wanted" ] || exit 0
read -r -a names <<< "$wanted"
"$pith" model pull "${names[@]}" \
    || echo "models: not all could be fetched; the tests that need them are skipped" >&2
