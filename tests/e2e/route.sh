# A small model and a large one, both services of ours: what is sent, fallen back, counted.
. "$(dirname "$0")/serve_lib.sh"
command -v curl > /dev/null || { echo 'skipped: curl is absent'; exit 77; }
export XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache
large=''
trap '[ -z "$server$large" ] || kill -9 $server $large 2> /dev/null; chmod -R u+w "$work"; rm -rf "$work"' EXIT

printf 'The zeppelin moors at the customs house at noon.\n' > zeppelin.md
run 0 "$pith" add zeppelin.md
serve --store "$work/none.db"
large=$server at=$url/v1
question='When does the zeppelin moor at the customs house?'

# ---- the command line ---------------------------------------------------------------
run 0 "$pith" ask "$question" --json --remote "$at"
json out "j['route'] == 'slm' and j['remote']['tokens'] == 0"
run 0 "$pith" ask "$question" --json --remote "$at" --remote-policy auto --route llm
json out "j['route'] == 'llm' and j['remote']['tokens'] > 0 and 'noon' in j['answer']"
run 0 "$pith" ask "$question" --explain --remote "$at" --remote-policy auto --route slm
has out 'draft_doubt' 'score' 'because'
run 0 "$pith" ask "$question" --json --remote "$at" --remote-policy auto --route llm \
    --remote-day-tokens 1
json out "j['route'] == 'slm' and 'budget' in j['route_reasons'][0]"
run 3 "$pith" ask "$question" --remote "$at" --remote-day-cost 5
run 0 "$pith" ask "$question" --json --remote "$at" --remote-policy auto --route llm \
    --remote-day-seconds 60
json out "j['route'] == 'llm' and 0 < j['remote']['ms'] < 60000"

# ---- an embedder and a reranker there ------------------------------------------------
stop_server
serve --store "$work/none.db" --embedder fake: --reranker fake:
at=$url/v1 large=$server
dim=$(curl -s "$at/embeddings" -H "$json_header" -d '{"input":"x"}' \
    | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["data"][0]["embedding"]))')
far() { run "$1" "$pith" --store far.db --embedder "$at#e,dim=$dim" --reranker "$at#r" "${@:2}"; }
mkdir -p config/pith secret
printf 'The merger is planned under the word xylophone.\n' > secret/plan.md
echo "$work/secret/" > config/pith/private
far 3 add zeppelin.md secret
has err 'private, and the embedder is elsewhere'
far 0 search 'zeppelin at noon' --rerank 5 --json
json out "len(j['results']) == 1 and j['results'][0]['rerank'] is not None"
rm config/pith/private

# ---- TLS: a certificate that nobody vouches for is none ------------------------------
if command -v openssl > /dev/null; then
    openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 \
        -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2> /dev/null
    plain=$at
    server=''
    serve --store "$work/none.db" --cert c.pem --key k.pem
    run 0 "$pith" ask "$question" --json --remote "$url/v1" --remote-policy auto --route llm
    json out "j['route'] == 'slm' and 'certificate' in j['fallback'] and 'noon' in j['answer']"
    SSL_CERT_FILE=c.pem run 0 "$pith" ask "$question" --json --remote "$url/v1" \
        --remote-policy auto --route llm
    json out "j['route'] == 'llm' and 'fallback' not in j"
    stop_server
    at=$plain
fi

# ---- weights, and the service -------------------------------------------------------
mkdir -p config/pith
rm "$XDG_STATE_HOME/pith/route.jsonl"
echo '{"bias":9,"threshold":0.5,"features":{}}' > config/pith/route.json
serve --remote "$at" --remote-policy auto --remote-price-in 1000 --remote-price-out 1000
message='{"messages":[{"role":"user","content":"When does the zeppelin moor at the customs house?"}]}'
post 200 /v1/chat/completions "$message"
json out "j['pith']['route'] == 'llm'"
http 200 GET /metrics
has out 'pith_routes_total{route="llm"} 1' 'pith_remote_tokens_total ' 'pith_remote_cost_total ' \
    'pith_remote_seconds_total '
kill "$large"
wait "$large" || true
large=''
post 200 /v1/chat/completions "$message"
json out "j['pith']['route'] == 'slm' and j['pith']['fallback']"
http 200 GET /metrics
has out 'pith_routes_total{route="slm_fallback"} 1'
stop_server

# ---- the accounts -------------------------------------------------------------------
run 0 "$pith" route report --json
json out "j['routes']['llm']['questions'] == 1 and j['routes']['slm_fallback']['questions'] == 1"
json out "j['routes']['slm']['questions'] == 0 and j['tokens'] > 0"
run 2 "$pith" route
run 0 "$pith" route --help
run 0 "$pith" route fit --help
has out '--keep Q'
run 3 "$pith" route fit "$work/state/pith/route.jsonl"
has err 'no question was answered by both models'
