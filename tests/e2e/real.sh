# The same as `make demo` with the models that people use, the smallest generator for
# speed. What is asserted holds on any machine; the wording of an answer does not.
. "$(dirname "$0")/lib.sh"
use_real_models

cd "$PITH_SOURCE"
"$pith" add examples/docs > "$work/out" 2> "$work/err" || { cat "$work/err" >&2; die 'add'; }
cd "$work"

run 0 "$pith" search "how much is a resident's parking permit" -k 3 --json
json out "j['results'][0]['document'].endswith('parking/permits.md')"
run 0 "$pith" search 'two database connections, one writes while the other reads' -k 5 --json
json out "any('/sqlite/' in r['document'] for r in j['results'])"
run 0 "$pith" ask "How much is a resident's parking permit for a year?" --json
json out "any(p['document'].endswith('parking/permits.md') for p in j['passages'])"
json out "j['tokens']['prompt'] > 0"
run 1 "$pith" ask 'Who won the chess olympiad of 1972?' --strict --json
json out "j['abstained']"
