# Many at once: a full queue, fair turns, clients that leave, kill -9 while documents come.
. "$(dirname "$0")/serve_lib.sh"
command -v curl > /dev/null || { echo 'skipped: curl is absent'; exit 77; }
echo 'Herons nest in the tall trees by the slow river all through the long wet spring.' > heron.txt
run 0 "$pith" add heron.txt
question='{"messages":[{"role":"user","content":"Where do herons nest in spring?"}]}'

# ---- a full queue refuses with 429 and says when to come again ------------------------
PITH_GENERATOR=fake:slow_ms=40 serve --queue 4 --answers 1
clients=()
for i in $(seq 12); do
    curl -s -m 60 -o "reply$i" -D "head$i" -w '%{http_code}\n' "$url/v1/chat/completions" \
        -H "$json_header" -d "$question" > "code$i" &
    clients+=($!)
done
wait "${clients[@]}"
[ "$(cat code* | sort | uniq -c | awk '$2 == 429 { print $1 }')" -ge 1 ] \
    || die 'nobody was refused'
[ "$(cat code* | grep -c 200)" -ge 3 ] || die 'too few were answered'
grep -qi '^retry-after: [1-9]' head* || die 'no Retry-After'

# ---- who leaves is not answered: the next one need not wait --------------------------
http 200 GET /metrics
before=$(sed -n 's/^pith_dropped_total{why="left"} //p' out)
curl -s -m 60 "$url/v1/chat/completions" -H "$json_header" -d "$question" -o /dev/null &
running=$!
for _ in 1 2 3; do
    curl -s -m 0.2 "$url/v1/chat/completions" -H "$json_header" -d "$question" > /dev/null || true
done
wait "$running"
for _ in $(seq 50); do
    http 200 GET /metrics
    grep -q '^pith_queue_length{kind="answer"} 0' out && break
    sleep 0.1
done
has out 'pith_queue_length{kind="answer"} 0'
after=$(sed -n 's/^pith_dropped_total{why="left"} //p' out)
[ "${after:-0}" -gt "${before:-0}" ] || die 'nobody was noticed to have left'

# ---- a stop lets an answer in work come to its end -----------------------------------
curl -s -m 60 -N "$url/v1/chat/completions" -H "$json_header" \
    -d "${question%\}},\"stream\":true}" > stream &
client=$!
for _ in $(seq 100); do grep -qs content stream && break; sleep 0.05; done
stop_server
wait "$client"
has stream '[DONE]'

# ---- several answers are written at a time ---------------------------------------------
PITH_GENERATOR=fake:slow_ms=150 serve --answers 2
long="${question%\}},\"stream\":true}"
curl -s -m 60 -N "$url/v1/chat/completions" -H "$json_header" -d "$long" > stream &
client=$!
for _ in $(seq 200); do
    http 200 GET /metrics
    grep -q '^pith_requests_open 2' out && break      # this one, and the question
    sleep 0.02
done
post 200 /v1/chat/completions "${question%\}},\"max_tokens\":1}"
! grep -q DONE stream || die 'the short answer waited for the long one'
wait "$client"
has stream '[DONE]'
stop_server

# ---- kill -9 loses no document that was accepted -------------------------------------
serve
(
    for i in $(seq 60); do
        curl -s -m 5 -o "job$i" -w '%{http_code}' "$url/v1/documents" -H "$json_header" \
            -d "{\"document\":\"d$i.txt\",\"text\":\"Note number $i about otters and rivers.\"}" \
            > "accepted$i" || break
    done
) &
sender=$!
sleep 0.7
kill -9 "$server"
wait "$server" 2> /dev/null || true
wait "$sender" || true
accepted=$(grep -lx 202 accepted* | wc -l)
[ "$accepted" -ge 1 ] || die 'none was accepted before the kill'
echo '[{"docu' > "$PITH_STORE.inbox/0123456789abcdef.json.a1B2c3"     # cut short by the kill
echo 'mine' > "$PITH_STORE.inbox/notes.txt"
serve
for _ in $(seq 200); do
    http 200 GET /v1/documents
    [ "$(grep -o '"document":"d[0-9]*.txt"' out | wc -l)" -ge "$accepted" ] && break
    sleep 0.1
done
for i in $(seq 60); do
    ! grep -qx 202 "accepted$i" 2> /dev/null || has out "\"document\":\"d$i.txt\""
done
for _ in $(seq 50); do [ "$(ls "$PITH_STORE.inbox")" = notes.txt ] && break; sleep 0.1; done
[ "$(ls "$PITH_STORE.inbox")" = notes.txt ] || die 'the inbox holds more or less than it should'
stop_server
