# A promise about errors from end to end: made, used by the next question, refused with
# another reranker, forgotten.
. "$(dirname "$0")/lib.sh"

mkdir docs
for i in $(seq 1 90); do
    echo "The zebra$i lives in river$i and eats leaf$i." > "docs/d$i.txt"
    echo "{\"question\":\"Where lives zebra$i?\",\"answers\":[\"river$i\"]}"
    [ "$i" -gt 60 ] || echo "{\"question\":\"Where lives lion$i?\",\"answers\":[]}"
done > questions.jsonl
run 0 "$pith" add docs

head -n 20 questions.jsonl > few.jsonl
run 3 "$pith" calibrate few.jsonl
has err '20 questions are too few' '42 must pass'
run 0 "$pith" calibrate --show
has err 'no calibration'

run 0 "$pith" calibrate questions.jsonl --risk 0.2 --json
has out '"threshold"' '"questions":150' '"unanswerable":60'
[ -f "$PITH_STORE.calibration.json" ] || die 'no file beside the store'
run 0 "$pith" calibrate --show
has out 'fingerprint' 'risk'

run 0 "$pith" ask 'Where lives zebra7?' --strict
has out 'river7'
run 1 "$pith" ask 'Where lives lion7?' --strict
run 0 "$pith" ask 'Where lives zebra7?' --reranker fake:dim=32
has err 'another reranker' 'pith calibrate'
lacks out 'another reranker'

run 0 "$pith" calibrate --reset
has err 'is removed'
[ ! -e "$PITH_STORE.calibration.json" ] || die 'the file is still there'
run 2 "$pith" calibrate --risk 2
run 2 "$pith" calibrate one two
