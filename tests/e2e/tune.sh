# Tuning from end to end with the test model, which with an adapter has learned that a
# question is no answer: examples are written, checked and split; an adapter that wins is
# the store's from then on, one that does not is put aside.
. "$(dirname "$0")/lib.sh"

# The title asks, in words that the instruction to the test model has too, so that it
# writes a question; the text answers.
page() {   # NAME WORD
    echo "<html><head><title>Facts. Write the thing by name: where can the $2 be seen?"
    echo "Read</title></head><body>"
    echo "<p>On most days of the year the $2 can be seen near harbour $1, where it rests"
    echo "on the warm stones beside the water. People come from all over the country with"
    echo "boats, bicycles and buses to take pictures, to paint and to write about colours"
    echo "and shapes that nobody finds in any other corner of this long and windy coast."
    echo "</p></body></html>"
}
mkdir docs
i=0
for word in zebra lion tiger otter heron eagle falcon badger weasel beaver marten lynx \
            wolf bear moose bison camel llama panda koala walrus seal whale dolphin \
            shark turtle lizard gecko newt toad; do
    i=$((i + 1))
    page "$i" "$word" > "docs/$word.html"
done
run 3 "$pith" tune data --out qa.jsonl
has err 'makes a store'
run 0 "$pith" add docs

# Examples: in three files, in the form that training takes, and not twice.
run 0 "$pith" tune data --out qa.jsonl --count 10 --json
json out 'j["examples"] == 10 and j["train"] + j["dev"] == 10 and j["tried_now"] >= 10'
run 0 "$pith" tune data --out qa.jsonl --count 30 --unanswerable 0.3 --json
json out 'j["examples"] >= 15 and j["dev"] >= 3 and j["unanswerable"] >= 1'
before=$(cat qa*.jsonl | md5sum)
run 0 "$pith" tune data --out qa.jsonl --count 30 --json
json out 'j["tried_now"] == 0'
[ "$before" = "$(cat qa*.jsonl | md5sum)" ] || die 'a second run changed the files'
python3 - <<'P' || die 'the lines are not as they should be'
import json
train, dev = ([json.loads(l) for l in open(f)] for f in ("qa.jsonl", "qa.dev.jsonl"))
assert not {l["document"] for l in train} & {l["document"] for l in dev}
for l in train + dev:
    system, user, said = l["messages"]
    assert (system["role"], user["role"], said["role"]) == ("system", "user", "assistant")
    assert user["content"].startswith("Passage 1 (Facts.")
    assert user["content"].endswith("\n\nQuestion: " + l["question"])
    name = l["document"].rsplit("/", 1)[1][:-5]
    held = any(f"the {name} can be seen near" in p for p in user["content"].split("\n\n"))
    assert held == (l["kind"] == "answerable"), l
    assert (said["content"] == "The documents do not say.") == (l["kind"] != "answerable")
P
# Where it was cut off, a line is written anew and nothing else.
head -c -20 qa.dev.jsonl > torn.jsonl && mv torn.jsonl qa.dev.jsonl
run 0 "$pith" tune data --out qa.jsonl --count 30 --json
json out 'j["tried_now"] == 1'

# The gate: with the adapter the test model answers; without it asks back.
cat qa.jsonl >> qa.dev.jsonl
mkdir run
echo adapter > run/adapter.gguf
printf '{"step":1,"loss":2.5,"lr":1e-4}\n{"step":2,"loss":1.25,"lr":1e-4}\n' > run/curve.jsonl
run 0 "$pith" tune gate --adapter run/adapter.gguf --data qa.dev.jsonl --json
json out 'j["verdict"] == "win" and j["figures"]["f1"]["p"] < .05 and j["scale"] == 1'
has err 'the adapter won'
has run/report.html 'the adapter won' '2.500 at first, 1.250 at last' 'became better'
run 0 "$pith" tune gate --show
has out 'run/adapter.gguf' 'fake:' 'general'
if [ ! -f run/report.json ] || [ ! -f "$PITH_STORE.adapter.json" ]; then die 'nothing was recorded'; fi
run 0 "$pith" ask 'Where can the zebra be seen?' --json
json out '"harbour 1" in j["answer"]'
run 0 "$pith" ask 'Where can the zebra be seen?' --adapter none --json
json out '"harbour 1" not in j["answer"]'
echo '{' > "$PITH_STORE.adapter.json"
run 3 "$pith" ask 'Where can the zebra be seen?'
has err 'adapter.json'
run 3 "$pith" tune gate --show
run 0 "$pith" tune gate --reset
run 0 "$pith" tune gate --show
has err 'no adapter'

# One that changes nothing loses: the same questions, of which the test model knows none.
echo '{"question":"What is a kumquat?","answer":"A small fruit."}' > dev.jsonl
run 0 "$pith" tune gate --adapter run/adapter.gguf --data dev.jsonl --json
json out 'j["verdict"] == "lose" and j["better"] == "no"'
has err 'did not win' 'rejected'
[ -f run/rejected/adapter.gguf ] || die 'it was not put aside'
[ ! -e run/adapter.gguf ] || die 'it is still there'
has run/rejected/report.html 'did not win' 'None.'
json run/rejected/report.json 'len(j["examples"]) > 30 and "rule" in j'
[ ! -e "$PITH_STORE.adapter.json" ] || die 'a loser was recorded'

# One that answers where it should refuse is tried at smaller scales before it is put
# aside; what was tried does not stay.
cp "$PITH_SOURCE/tests/fuzz/corpus/adapter/sound" run/adapter.gguf
for _ in 1 2 3; do
    echo '{"question":"What do the documents say?","answer":"The documents do not say.",' \
        '"context":"The documents do not say? What documents say is little."}'
done > hasty.jsonl
run 0 "$pith" tune gate --adapter run/adapter.gguf --data hasty.jsonl --json
json out 'j["verdict"] == "lose" and j["refuses"] == "no" and j["scale"] == .25'
json out '[s["scale"] for s in j["scales"]] == [1, .7, .5, .35, .25]'
json out 'j["figures"]["refused"]["questions"] == 2 and j["scales"][0]["unanswerable"] == 1'
[ "$(echo run/*.gguf)" = 'run/*.gguf' ] || die 'a scaled adapter stayed'
cmp "$PITH_SOURCE/tests/fuzz/corpus/adapter/sound" run/rejected/adapter.gguf

# Stopped by Ctrl-C, what was written is there, and the next run goes on.
"$pith" tune data --out slow.jsonl --generator fake:slow_ms=9 > out 2> err &
until [ -s slow.jsonl ]; do sleep 0.05; done
kill -TERM $!
wait $! && die 'stopped, and yet done'
has err 'are kept; the same command goes on'
run 0 "$pith" tune data --out slow.jsonl --count 30 --json
cat slow*.jsonl | python3 -c '
import json, sys
keys = [json.loads(l)["key"] for l in sys.stdin]
sys.exit(len(keys) != len(set(keys)))' || die 'a passage was tried twice'

# A map of queries: chosen by the questions of some documents, judged by those of others.
run 0 "$pith" tune retrieval --out r.jsonl --count 200 --json
json out 'j["verdict"] in ("win", "lose") and j["questions"] >= 20'
run 0 "$pith" tune retrieval --out r.jsonl --count 200 --json
run 0 "$pith" tune retrieval --reset
run 0 "$pith" tune retrieval --show
has err 'no map'
run 3 "$pith" tune retrieval --out few.jsonl --count 5
has err 'at least'

# All in one: the test model cannot be trained, but its examples are kept; a run that was
# judged is not trained further.
run 3 "$pith" tune --count 10 --minutes 1 --out whole
has err '1 of 3' '2 of 3'
if [ ! -s whole/examples.jsonl ] || [ ! -s whole/examples.dev.jsonl ]; then die 'no examples'; fi
mkdir whole/run
echo '{}' > whole/run/report.json
run 3 "$pith" tune --out whole
has err 'judged already'

# Bad input.
echo adapter > a.gguf
run 2 "$pith" tune gate --data dev.jsonl
run 3 "$pith" tune gate --adapter absent.gguf --data dev.jsonl
has err 'no such adapter'
printf '{"question":"a","answer":"b"}\n{"question":"a"}\n' > bad.jsonl
run 3 "$pith" tune gate --adapter a.gguf --data bad.jsonl
has err 'bad.jsonl, line 2'
: > empty.jsonl
run 3 "$pith" tune gate --adapter a.gguf --data empty.jsonl
has err 'no example'
run 2 "$pith" tune data --unanswerable 2
run 2 "$pith" tune nonsense
has err 'none of data, train, gate and retrieval'
echo 'Short.' > short.txt
run 0 "$pith" --store tiny.db add short.txt
run 3 "$pith" --store tiny.db tune data --out tiny.jsonl
has err 'prose'
