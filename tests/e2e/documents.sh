# Documents come, change and go: add, ls, sync, rm, status, reembed; interrupted or not.
. "$(dirname "$0")/lib.sh"

cp -r "$PITH_SOURCE/examples/docs/alderbrook" docs
files=$(find docs -type f | wc -l)

run 0 "$pith" add docs --json
json out "j['added'] == $files and j['failed'] == 0 and j['chunks'] > j['added']"
run 0 "$pith" add docs --json
json out "j['unchanged'] == $files and j['added'] == 0 and j['chunks'] == 0"
run 0 "$pith" ls --json
json out "len(j) == $files and all(d['chunks'] > 0 for d in j)"
run 0 "$pith" status --json
json out "j['documents'] == $files and j['chunks'] > 0"

# The test model's tokens are words, and it knows them all.
run 0 "$pith" vocab --json
json out "j['words'] >= j['distinct'] > 100 and j['left_out'] == 0"
json out "[m['role'] for m in j['models']] == ['generator', 'embedder']"
json out "all(.9 < m['tokens_per_word'] < 1.5 for m in j['models'])"
run 0 "$pith" vocab
has out 'tokens a word'

# One changed, one new, one deleted.
echo 'The zeppelin moors at the customs house on Sundays.' >> docs/glossary.txt
echo '# Kites' > docs/kites.md
echo 'Kites are flown from the Quarry Hill meadow.' >> docs/kites.md
rm docs/waste/bulky.txt
run 0 "$pith" sync --json
json out "(j['added'], j['changed'], j['removed']) == (1, 1, 1)"
run 0 "$pith" search zeppelin --mode words --json
json out "j['results'][0]['document'].endswith('glossary.txt')"
run 0 "$pith" search 'carpets prams skis' --mode words --json
json out "not any(r['document'].endswith('bulky.txt') for r in j['results'])"

# Offsets are of the bytes of the source.
run 0 "$pith" search 'kites meadow' -k 1 --json
python3 - out <<'PYTHON' || die 'the offsets do not hold the text'
import json, sys
r = json.load(open(sys.argv[1]))["results"][0]
source = open(r["document"], "rb").read()[r["start"]:r["end"]]
assert b"flown from the Quarry Hill meadow" in source, source
PYTHON

# Ignored files stay out; what cannot be read is told and the rest goes on.
mkdir mixed mixed/private
echo 'private/' > mixed/.gitignore
echo 'secret' > mixed/private/key.txt
echo 'A plain note about herons.' > mixed/heron.txt
head -c 5000 /dev/urandom > mixed/noise.bin
: > mixed/empty.txt
printf '\xff\xfeh\x00e\x00r\x00o\x00n\x00s\x00' > mixed/utf16.txt
ln -s ../mixed mixed/loop
"$pith" add mixed --json > out 2> err || true
json out "j['added'] >= 2"
run 0 "$pith" ls
lacks out 'key.txt'
has out 'heron.txt'

# Removal; the files stay.
run 0 "$pith" rm docs/kites.md
run 0 "$pith" ls
lacks out 'kites.md'
[ -f docs/kites.md ] || die 'rm took the file'
run 3 "$pith" rm docs/never-was.md

# Another embedder is refused with the cure, and the cure works.
run 3 "$pith" --embedder fake:dim=32 add docs
has err 'reembed'
run 0 "$pith" --embedder fake:dim=32 reembed
run 0 "$pith" --embedder fake:dim=32 search heron

# Killed in the middle, the next run goes on: nothing is lost or doubled.
rm -f "$PITH_STORE"*
"$pith" --embedder fake:slow_ms=2 add docs > /dev/null 2>&1 &
victim=$!
sleep 0.3
kill -9 "$victim" 2> /dev/null || true
wait "$victim" 2> /dev/null || true
run 0 "$pith" --embedder fake:slow_ms=2 add docs
files=$(find docs -type f | wc -l)
run 0 "$pith" ls --json
json out "len(j) == $files and len({d['document'] for d in j}) == $files"

# ---- a glossary: what a term means is searched for too -------------------------------
rm -f "$PITH_STORE"*
mkdir terms
echo 'The service level agreement promises two hours.' > terms/promise.txt
run 0 "$pith" add terms
run 0 "$pith" search 'SLA' --mode words --json
lacks out 'two hours'
printf '# ours\nSLA = service level agreement\n' > "$PITH_STORE.glossary"
run 0 "$pith" search 'SLA' --mode words --json
has out 'two hours'
echo 'no meaning' >> "$PITH_STORE.glossary"
run 3 "$pith" search 'SLA' --mode words
has err 'line 3' 'term = meaning'
rm "$PITH_STORE.glossary"

# The documents' own abbreviations, proposed where a meaning stands alone, and then written
# behind what the owner has.
echo 'The mean time between failures (MTBF) is long. MTBFs of an SLA are told apart.' > terms/time.txt
echo 'The Uniform Resource Locator (URL) needs no glossary here.' > terms/url.txt
echo 'A long mean-time between failures is worth its price.' > terms/long.txt
echo 'The Service-level  Agreement (SLA) is signed.' > terms/sla.txt
run 0 "$pith" sync
run 0 "$pith" vocab --glossary
printf 'MTBF = mean time between failures\nSLA = Service-level Agreement\n' | cmp - out || die 'other proposals'
[ ! -e "$PITH_STORE.glossary" ] || die 'written without leave'
printf 'SLA = service level agreement' > "$PITH_STORE.glossary"
run 0 "$pith" vocab --glossary --write --json
json out 'j["written"] == 1 and j["known"] == 1 and j["entries"][0]["times"] == 1'
run 0 "$pith" vocab --glossary --write
has out '0 terms added'
printf 'SLA = service level agreement\nMTBF = mean time between failures\n' | cmp - "$PITH_STORE.glossary" \
    || die 'another glossary'
run 0 "$pith" search 'MTBFs' --mode words --json
has out 'worth its price'
run 2 "$pith" vocab --write
