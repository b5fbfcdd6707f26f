# Documents that no parser should be given: sound ones of each format, cut short, changed at
# random, and bombs. Each ends in text or in one clear line, and no other is lost.
# A longer run: PITH_HOSTILE_STEP=1 PITH_HOSTILE_MUTATIONS=1000 (some 16,000 documents).
. "$(dirname "$0")/lib.sh"

python3 "$PITH_SOURCE/tests/support/hostile_corpus.py" docs "${PITH_HOSTILE_STEP:-20}" \
    "${PITH_HOSTILE_MUTATIONS:-8}"
printf 'The sentinel stands last.\n' > docs/zzz.txt
status=0
timeout 9000 "$pith" --json add docs > out 2> err || status=$?
[ "$status" = 3 ] || { cat err >&2; die "exit status $status, wanted 3"; }
for crash in crashed 'may not (SIGSYS)' 'was killed' 'without a word' 'gave is no text'; do
    lacks err "$crash"
done
files=$(find docs -type f | wc -l)
json out "j['added'] + j['skipped'] + j['failed'] == $files"
failed=$(python3 -c 'import json; print(json.load(open("out"))["failed"])')
[ "$(grep -c ': /\|^pith: ' err)" -ge "$failed" ] || die 'a failure was not told'
echo "$files documents, $failed refused: $(cat out)"
cp err told
skipped=$(python3 -c 'import json; print(json.load(open("out"))["skipped"])')
run 0 "$pith" --json ls
python3 - out told "$skipped" <<'EOF' || die 'a document is neither in the store nor told of'
import collections, json, os, re, sys
def format_of(path):
    name = os.path.basename(path)
    return "bombs" if name.startswith("bomb-") else name.split(".", 1)[1]
held = {d["document"].split("!")[0] for d in json.load(open(sys.argv[1]))}
lines = open(sys.argv[2], errors="replace").read()
told = {m for m in re.findall(r"^(?:pith: )?(/.*?): ", lines, re.M)}
count, silent = collections.defaultdict(lambda: [0, 0, 0, 0]), []
for name in sorted(os.listdir("docs")):
    path = os.path.realpath(os.path.join("docs", name))
    row = count[format_of(path)]
    row[0] += 1
    row[1 if path in held else 2 if path in told else 3] += 1
    if path not in held and path not in told: silent.append(name)
for format, row in sorted(count.items()):
    print("%-8s %6d documents: %6d text, %6d refused, %4d skipped" % (format, *row))
print(*silent[:40])
sys.exit(len(silent) != int(sys.argv[3]))
EOF
for format in txt html md csv jsonl docx pptx xlsx odt epub eml mbox zip tar.gz; do
    json out "[d['chunks'] > 0 for d in j if d['document'].endswith('/sound.$format')] == [True]"
done
run 0 "$pith" --json search sentinel --mode words
json out "len(j['results']) == 1"
[ -z "${PITH_HOSTILE_MUTATIONS:-}" ] || exit 0      # a thousand look alike
run 0 "$pith" --json search 'Ingrid Halvorsen lighthouse' --mode words -k 100
json out "len([r for r in j['results'] if '/sound.' in r['document']]) >= 10"
