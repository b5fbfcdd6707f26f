# Questions, with test models: the contract of the JSON, exit statuses, citations.
. "$(dirname "$0")/lib.sh"

run 0 "$pith" add "$PITH_SOURCE/examples/docs/alderbrook"
question='How many metres of pavement must owners clear of snow?'

run 0 "$pith" ask "$question" --json
json out "set(j) >= {'answer', 'abstained', 'citations', 'passages', 'model', 'route', 'tokens', 'timings_ms'}"
json out "set(j['tokens']) >= {'prompt', 'generated'}"
json out "all(set(c) >= {'n', 'document', 'section', 'start', 'end', 'text'} for c in j['citations'])"
json out "all(c['start'] < c['end'] for c in j['citations'])"
cp out first
run 0 "$pith" ask "$question" --json
json out "j['answer'] == json.load(open('first'))['answer']"

run 0 "$pith" ask "$question" --explain
has out 'retrieve' 'generate' 'total'

# Quotations stand in the source at the bytes that are told.
run 0 "$pith" ask "$question" --quote --json
json out "len(j['quotes']) == 1 and j['misquoted'] == 0"
json out "all(open(q['document'], 'rb').read()[q['start']:q['end']].decode() == q['text'] for q in j['quotes'])"
json out "all('\"' + q['text'] + '\"' in j['answer'] for q in j['quotes'])"
run 0 "$pith" ask "$question" --quote
has out 'Quoted:'

# So does what an answer repeats that was not to quote.
run 0 "$pith" ask "$question" --json
json out "len(j['quotes']) >= 1 and j['misquoted'] == 0"
json out "all(open(q['document'], 'rb').read()[q['start']:q['end']].decode() == q['text'] for q in j['quotes'])"
json out "all(q['text'] in j['answer'] for q in j['quotes'])"

# Whole passages; the test model's keys and values cannot be kept, which changes nothing.
run 0 "$pith" ask "$question" --whole --json
json out "all(p['read'] == p['text'] for p in j['passages'] if 'read' in p)"
cp out whole
run 0 "$pith" ask "$question" --kv 10 --json
json out "j['answer'] == json.load(open('whole'))['answer']"
run 3 "$pith" warm --kv 10
has err 'read ahead'
run 2 "$pith" warm now
run 2 "$pith" warm --kv 0

# What cannot be a question is told, not crashed on.
run 0 "$pith" --json search "$(printf 'snow\001\002\033[31m')"
run 0 "$pith" --json search 'Schnee räumen 雪 снег'
got=0
"$pith" ask '' > out 2> err || got=$?
[ "$got" = 2 ] || [ "$got" = 3 ] || die "an empty question gave $got"
got=0
head -c 100000 /dev/zero | tr '\0' 'x' > long
"$pith" ask "$(cat long)" > out 2> err || got=$?
[ "$got" -le 3 ] || die "a huge question gave $got"

# Nothing fits: the documents do not say; with --strict that is status 1.
run 1 "$pith" ask 'xylophone quokka zugzwang' --strict --json
json out "j['abstained'] and not j['citations']"
run 0 "$pith" ask 'xylophone quokka zugzwang' --json
json out "j['abstained']"

# A conversation: one answer for each line.
printf 'When must snow be cleared?\nAnd on Sundays?\n' > talk.txt
run 0 "$pith" chat --json < talk.txt
[ "$(wc -l < out)" = 2 ] || { cat out >&2; die 'two questions, two answers were wanted'; }

# A budget is planned for and told; nonsense is a wrong command line.
run 0 "$pith" ask "$question" --budget 30s --json
json out "'passages for the reranker' in j['budget'] and j['answer']"
run 0 "$pith" ask "$question" --budget 1ms --json
json out "'may be too long' in j['budget']"
# Nothing can be written in a millisecond: what was found is said, and marked as cut.
run 0 "$pith" ask "$question" --budget 1ms --no-abstain --json
json out "j['tokens']['cut'] and j['tokens']['generated'] == 0"
json out "j['answer'] and j['citations']"
# A passage that is longer than what the plan reads is read by itself, not refused.
mkdir long-words
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
    printf 'the harbourmaster of northcliffe counts the boats of the fleet at dusk '
done > long-words/fleet.txt
run 0 "$pith" --store long.db add long-words
run 0 "$pith" --store long.db ask 'harbourmaster northcliffe boats fleet dusk' \
    --budget 1ms --no-abstain --no-filter --json
json out "j['passages'][0]['document'].endswith('fleet.txt') and j['answer']"
run 2 "$pith" ask "$question" --budget soon
run 2 "$pith" ask "$question" --budget 0s
