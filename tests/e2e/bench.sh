# This machine's figures: their shape, what is left out without a model, and that nothing
# stays behind.
. "$(dirname "$0")/lib.sh"

mkdir room
export TMPDIR=$work/room
empty() { [ -z "$(ls -A "$TMPDIR")" ] || die "left behind: $(ls -A "$TMPDIR")"; }

run 0 "$pith" bench --chunks 1000 --json
json out 'set(j) >= {"machine", "read_gb_s", "models", "embed_chunks_s", "rerank_pairs_s",
                     "search_ms", "ask_ms"}'
json out 'set(j["machine"]) >= {"cpu", "features", "cores", "memory_bytes", "threads"}'
json out 'j["read_gb_s"] > 0 and j["embed_chunks_s"] > 0 and j["rerank_pairs_s"] > 0'
json out 'list(j["search_ms"]) == ["1k"] and j["search_ms"]["1k"] <= j["search_p99_ms"]["1k"]'
json out 'j["ask_ms"]["cold"] > 0 and j["ask_ms"]["warm"] > 0'
json out '[m["name"] for m in j["models"]] == ["fake"]'
json out 'j["models"][0]["quant"] is None and j["models"][0]["bandwidth_share"] is None'
json out 'j["spread"]["read_gb_s"][0] <= j["read_gb_s"] <= j["spread"]["read_gb_s"][1]'
empty
[ ! -e "$PITH_STORE" ] || die 'the own store was touched'

run 0 "$pith" bench --chunks 500 --threads 1 --quiet
has out 'GB/s' 'chunks/s' 'search, 500 chunks' 'answer, another question' '1 threads'
[ ! -s err ] || die "a remark with --quiet: $(cat err)"

run 0 "$pith" bench --chunks 500 --generator none --reranker none --json
json out 'j["models"] == [] and j["rerank_pairs_s"] is None and j["embed_chunks_s"] > 0'
json out 'j["ask_ms"] == {"cold": None, "warm": None}'
empty

run 2 "$pith" bench --quick --full
run 2 "$pith" bench --chunks 7
run 2 "$pith" bench everything
run 3 "$pith" bench --chunks 500 --embedder fake:fail=embed
has err 'told to fail'
run 3 "$pith" bench --chunks 500 --generator "$work/absent.gguf"
has err 'absent.gguf'
TMPDIR=$work/nowhere run 3 "$pith" bench --chunks 500
has err 'nowhere' 'TMPDIR'
empty

# Ctrl-C in the middle, of a model and of a store that is filled: no files.
stopped_at() {
    local pattern=$1 child
    shift
    "$pith" bench "$@" > out 2> err &
    child=$!
    for _ in $(seq 600); do
        compgen -G "$pattern" > seen && break
        sleep 0.05
    done
    [ -s seen ] || die "it never made $pattern"
    kill -INT "$child"
    wait "$child" && die 'a run that was stopped has status 0'
    has err 'pith:'
    empty
}
stopped_at "$TMPDIR/pith-bench-*" --generator fake:slow_ms=20
stopped_at "$TMPDIR/pith-bench-*/1000000.db" --chunks 1000000
