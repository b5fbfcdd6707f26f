# The command line: help, versions, exit statuses, and what it says to a mistake.
. "$(dirname "$0")/lib.sh"

run 0 "$pith" --version
has out 'pith 0.'
run 0 "$pith" --help
commands='add sync watch ls rm status vocab reembed warm search ask chat model doctor bench eval calibrate serve mcp'
for command in $commands; do has out "  $command "; done
for command in $commands; do
    run 0 "$pith" "$command" --help
    has out "pith $command" 'Examples:'
done

run 2 "$pith"
run 2 "$pith" frobnicate
has err 'frobnicate' '--help'
run 2 "$pith" ask
run 2 "$pith" ask one two
run 2 "$pith" search x -k 0
has err '1'
run 2 "$pith" search x --mode sideways
has err 'hybrid' 'words' 'vectors'
run 2 "$pith" add
run 2 "$pith" ls --colour
has err '--colour'
run 2 "$pith" --threads zero status

# A store that is not there, and one that is none.
run 3 "$pith" search word
has err "$PITH_STORE"
printf 'this is no store, it is a note that someone left here\n' > note.db
run 3 "$pith" --store note.db add note.db
cmp -s note.db <(printf 'this is no store, it is a note that someone left here\n') \
    || die 'a foreign file was overwritten'

# No model: the command that fetches it is named.
unset PITH_GENERATOR PITH_EMBEDDER PITH_RERANKER
mkdir none docs
echo 'The gate opens at nine.' > docs/a.txt
PITH_MODELS=$work/none run 3 "$pith" add docs
has err 'pith model pull'
run 3 "$pith" --generator "$work/absent.gguf" --embedder fake: add docs/../absent
has err 'absent'

# Nobody reads any more; nothing to read.
export PITH_GENERATOR=fake: PITH_EMBEDDER=fake: PITH_RERANKER=fake:
run 0 "$pith" add docs
run 0 bash -c '"$0" ls | true' "$pith"
run 0 "$pith" chat < /dev/null
run 0 bash -c 'exec "$0" ls <&-' "$pith"
if [ -w /dev/full ]; then
    run 3 bash -c 'exec "$0" ls > /dev/full' "$pith"
fi

# Where a generator runs is told, and what the kernels are held to.
run 0 "$pith" doctor --json
json out "j['generator'] and j['devices'] and j['encoder']"
PITH_ISA=avx2 run 0 "$pith" doctor --json
json out "any('PITH_ISA' in p['what'] for p in j['problems'])"
