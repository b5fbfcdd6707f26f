# Documents that no parser should be given: sound ones of each format, cut short, changed at
# random, and bombs. Each ends in text or in one clear line, and no other is lost.
# A longer run: PITH_HOSTILE_STEP=1 PITH_HOSTILE_MUTATIONS=1000 (some 16,000 documents).
. "$(dirname "$0")/lib.sh"

python3 "$PITH_SOURCE/tests/support/hostile_corpus.py" docs "${PITH_HOSTILE_STEP:-20}" \
    "${PITH_HOSTILE_MUTATIONS:-8}"
printf 'The sentinel stands last.\n' > docs/zzz.txt
status=0
timeout 3000 "$pith" --json add docs > out 2> err || status=$?
[ "$status" = 3 ] || { cat err >&2; die "exit status $status, wanted 3"; }
for crash in crashed 'may not (SIGSYS)' 'was killed' 'without a word' 'gave is no text'; do
    lacks err "$crash"
done
files=$(find docs -type f | wc -l)
json out "j['added'] + j['skipped'] + j['failed'] == $files"
failed=$(python3 -c 'import json; print(json.load(open("out"))["failed"])')
[ "$(grep -c ': /\|^pith: ' err)" -ge "$failed" ] || die 'a failure was not told'
echo "$files documents, $failed refused: $(cat out)"
run 0 "$pith" --json ls
for format in txt html md csv jsonl docx pptx xlsx odt epub eml mbox zip tar.gz; do
    json out "[d['chunks'] > 0 for d in j if d['document'].endswith('/sound.$format')] == [True]"
done
run 0 "$pith" --json search sentinel --mode words
json out "len(j['results']) == 1"
run 0 "$pith" --json search 'Ingrid Halvorsen lighthouse' --mode words -k 100
json out "len([r for r in j['results'] if '/sound.' in r['document']]) >= 10"
