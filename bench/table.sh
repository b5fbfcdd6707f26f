#!/usr/bin/env bash
# table.sh -- the README's table of speeds: the comparisons, one after the other.
#
#   BUILD=build bench/table.sh [--readme] [NAME...]       all of them where none is named
#
# The last line of each is "= pith's | what is beside it | ratio", which becomes a row between
# what is compared and the command. The rows are printed; with --readme they take the place
# of those between the README's two marks, where what was not run keeps its row. Each peer
# is installed by its comparison, into the cache. One that cannot run says so and the rest
# goes on; what they all said stands in BUILD/table.log. Half an hour on two cores that
# have nothing else to do, behind the installations and the build of llama-server.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build} peers=bench/peers docs=examples/docs
log=$build/table.log rows=$build/table.rows out=$build/table.out readme=''
export PITH=$build/pith
die() { printf 'table: %s\n' "$*" >&2; exit 2; }
[ -x "$PITH" ] || die "$PITH: no such program; build it or set BUILD"
[ "${1:-}" != --readme ] || { readme=README.md; shift; }

# NAME; what is compared; the command, where @MODEL is the file of a model that pith knows
table="
ask;      first token from a cold start, 1,200 tokens of passages, Qwen2.5-0.5B; $peers/ask_langchain.sh
ask_warm; whole answers of a running program, p50;                          $peers/ask_warm.sh
txtai;    the same beside txtai;                                            $peers/ask_txtai.sh
serve4;   4 clients at once, 1,200 tokens each, 64 written;                 $peers/serve_llama.sh 4
serve8;   8 clients at once;                                                $peers/serve_llama.sh 8
ingest;   folders into an index;                                            $peers/ingest_langchain.sh $docs
qmd;      a search, words and vectors, a process each, p50;                 $peers/search_qmd.sh
prefill;  reading a prompt, Q4_K_M;                                         $build/bench/bench_prefill @qwen2.5-coder-0.5b ARCHITECTURE.md 1024 2
draft;    writing what the documents say, Q4_K_M, one thread;               $build/bench/bench_draft @qwen2.5-coder-0.5b 1 96 $docs/alderbrook/about.md $docs/alderbrook/council/meetings.md $docs/alderbrook/parking/permits.md
decode;   writing token by token, one thread, 0.5B as it comes;             $build/bench/bench_decode @qwen2.5-coder-0.5b
decode_1; the same, 1.5B;                                                   $build/bench/bench_decode @qwen2.5-coder-1.5b
embed;    embedding, 140 tokens;                                            $peers/encode_onnxruntime.sh bge-small-en-v1.5
rerank;   reranking, 150 tokens a passage;                                  $peers/encode_onnxruntime.sh ms-marco-minilm-l12
search;   hybrid search of 100,000 chunks, embedding included;              $build/bench/bench_search 100000 $docs/sqlite @bge-small-en-v1.5
faiss;    exact search of 100,000 vectors, p50;                             $peers/search_faiss.sh
train;    LoRA training, SmolLM2-135M;                                      $peers/train_peft.sh
"

# entries: the table, a comparison a line, its three parts between tabs.
entries() { sed -nE 's/^([^;]+); *([^;]+); *(.*)$/\1\t\2\t\3/p' <<< "$table"; }

model() {
    "$PITH" model show "$1" --json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["path"])'
}

# compare WHAT COMMAND...: its row, or 1.
compare() {
    local what=$1 word command=() shown='' line
    shift
    for word; do
        shown+=" ${word#@}"
        case $word in @*) word=$(model "${word#@}") ;; esac
        command+=("$word")
    done
    shown=${shown#" "} shown=${shown#"$build/bench/"}
    printf '\n== %s\n' "$shown" | tee -a "$log" >&2
    "${command[@]}" > "$out" 2>> "$log"
    cat "$out" >> "$log"
    line=$(tail -n 1 "$out")
    case $line in '= '*) ;; *) echo "table: it did not run, see $log" >&2; return 1 ;; esac
    printf '| %s | %s | `%s` |\n' "$what" "${line#= }" "$shown"
}

for name; do
    entries | cut -f 1 | grep -qxF -- "$name" || die "$name: no such comparison"
done
: > "$log"
: > "$rows"
status=0
while IFS=$'\t' read -r name what command; do
    case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
    # shellcheck disable=SC2086  # words, not a path
    compare "$what" $command < /dev/null >> "$rows" || status=1
done < <(entries)
cat "$rows"
[ -z "$readme" ] || entries | cut -f 2 | python3 -c '
import sys
path, rows = sys.argv[1:]
begin, end = "<!-- made by bench/table.sh -->\n", "<!-- until here -->\n"
text = open(path, encoding="utf-8").read()
before, _, rest = text.partition(begin)
old, _, after = rest.partition(end)
new = open(rows, encoding="utf-8").read()
lines = {l.split(" | ")[0][2:]: l for l in (old + new).splitlines()}
head = "| what | pith | beside it | ratio | command |\n|---|---|---|---|---|\n"
table = "".join(lines[w] + "\n" for w in sys.stdin.read().splitlines() if w in lines)
if after:
    open(path, "w", encoding="utf-8").write(before + begin + head + table + end + after)
else:
    sys.exit(f"table: {path}: the two marks are not there")
' "$readme" "$rows" || status=1
exit $status
