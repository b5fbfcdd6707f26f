# lib.sh -- sourced by every end-to-end test: the program under test, a folder of its own,
# test models that need no file, and words to say what must hold.
set -euo pipefail

pith=$PITH_BUILD/pith
[ -x "$pith" ] || { echo "skipped: $pith was not built"; exit 77; }
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
export XDG_DATA_HOME=${XDG_DATA_HOME:-$HOME/.local/share}   # where pulled models lie
export PITH_STORE=$work/store.db
export PITH_GENERATOR=fake: PITH_EMBEDDER=fake: PITH_RERANKER=fake:

die() { echo "FAILED: $*" >&2; exit 1; }

# run STATUS COMMAND...: runs it with output in ./out and ./err and checks its exit status.
run() {
    local want=$1 got=0
    shift
    "$@" > out 2> err || got=$?
    [ "$got" = "$want" ] && return
    cat out err >&2
    die "exit status $got, wanted $want: $*"
}

# has FILE TEXT..., lacks FILE TEXT: fixed strings in a file.
has() {
    local file=$1 text
    shift
    for text; do
        grep -qF -- "$text" "$file" || { cat "$file" >&2; die "$file lacks: $text"; }
    done
}
lacks() { ! grep -qF -- "$2" "$1" || { cat "$1" >&2; die "$1 has: $2"; }; }

# json FILE EXPRESSION: a Python expression over the parsed document j must be true.
json() {
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$1" "$2" || { cat "$1" >&2; die "not so: $2"; }
}

# Real models: the defaults, and the smallest generator for speed. Skips where one is absent.
use_real_models() {
    unset PITH_GENERATOR PITH_EMBEDDER PITH_RERANKER
    PITH_GENERATOR=$("$pith" model ls --json | python3 -c '
import json, sys
models = json.load(sys.stdin)
tiny = min((m for m in models if m["role"] == "generator"), key=lambda m: m["bytes"])
needed = [tiny] + [m for m in models if m["default"] and m["role"] != "generator"]
print(tiny["name"] if all(m["present"] for m in needed) else "")')
    export PITH_GENERATOR
    [ -n "$PITH_GENERATOR" ] || { echo "skipped: models are absent, pith model pull"; exit 77; }
}
