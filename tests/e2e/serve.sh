# The service from outside: answers, documents, refusals, keys, stops; with test models.
. "$(dirname "$0")/serve_lib.sh"
command -v curl > /dev/null || { echo 'skipped: curl is absent'; exit 77; }

job_ends() {
    for _ in $(seq 100); do
        http 200 GET "/v1/jobs/$1"
        grep -qE '"status": ?"(done|failed)"' out && return
        sleep 0.1
    done
    die "job $1 does not end"
}
job_of() { python3 -c 'import json; print(json.load(open("out"))["id"])'; }

# ---- an empty store, then documents -------------------------------------------------
serve
http 200 GET /healthz
json out "j['status'] == 'ok'"
http 200 GET /v1/documents
json out "j['data'] == []"
post 404 /v1/search '{"query":"snow"}'
post 202 /v1/documents '{"document":"notes/zeppelin.md","text":"# Zeppelin\n\nThe zeppelin moors at the customs house at noon."}'
job_ends "$(job_of)"
json out "j['status'] == 'done' and j['report']['added'] == 1"
printf 'The kite flies on Sundays from the hill.\n' > kite.txt
http 202 POST /v1/documents -F file=@kite.txt
job_ends "$(job_of)"
http 200 GET /v1/documents/kite.txt
has out chunks
printf '\x7fELF\2\1\1\0%.0s' $(seq 60) > noise.bin
http 202 POST /v1/documents -F file=@noise.bin
job_ends "$(job_of)"
has out 'noise.bin: this is no text'

# ---- files that are no text -----------------------------------------------------------
python3 - <<'PYTHON'
import base64, json, zipfile
def docx(path, text):
    w = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('word/document.xml', f'<w:document xmlns:w="{w}"><w:body><w:p><w:r>'
                   f'<w:t>{text}</w:t></w:r></w:p></w:body></w:document>')
docx('balloon.docx', 'The balloon lands on Mondays behind the mill.')
docx('glider.docx', 'The glider starts on Fridays from the dike.')
json.dump({'document': 'glider.docx', 'base64': base64.b64encode(
    open('glider.docx', 'rb').read()).decode()}, open('glider.json', 'w'))
PYTHON
http 202 POST /v1/documents -F file=@balloon.docx
job_ends "$(job_of)"
http 202 POST /v1/documents -H 'Content-Type: application/json' -d @glider.json
job_ends "$(job_of)"
post 200 /v1/search '{"query":"balloon glider","mode":"words"}'
has out 'lands on Mondays' 'starts on Fridays'
post 400 /v1/documents '{"document":"a.pdf","base64":"no base64!"}'
json out "j['error']['param'] == 'base64'"
post 400 /v1/documents '{"document":"a","text":"b","format":"word"}'
json out "j['error']['param'] == 'format'"
for name in ../etc/passwd /etc/passwd a/../b '' 'a//b' 'a\\b'; do
    post 400 /v1/documents "{\"document\":\"$name\",\"text\":\"x\"}"
done

# ---- answers ------------------------------------------------------------------------
question='{"role":"user","content":"When does the zeppelin moor at the customs house?"}'
post 200 /v1/search '{"query":"zeppelin customs","k":2}'
json out "j['results'][0]['document'] == 'notes/zeppelin.md'"
post 200 /v1/chat/completions "{\"messages\":[$question]}"
json out "'noon' in j['choices'][0]['message']['content'] and '[1]' in j['choices'][0]['message']['content']"
json out "j['citations'][0]['document'] == 'notes/zeppelin.md' and j['usage']['total_tokens'] > 0"
json out "j['choices'][0]['finish_reason'] == 'stop' and j['pith']['stages']"
cp out whole
post 200 /v1/chat/completions "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"messages\":[$question]}" -N
has head 'text/event-stream'
python3 - out whole <<'PYTHON' || die 'the stream does not add up to the answer'
import json, sys
lines = [l[6:] for l in open(sys.argv[1]) if l.startswith("data: ")]
assert lines[-1].strip() == "[DONE]"
chunks = [json.loads(l) for l in lines[:-1]]
whole = json.load(open(sys.argv[2]))
text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
assert text == whole["choices"][0]["message"]["content"], text
assert chunks[-1]["usage"] == whole["usage"] and chunks[-1]["choices"] == []
assert chunks[-2]["citations"] == whole["citations"]
assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
PYTHON
post 200 /v1/chat/completions "{\"messages\":[$question],\"pith\":{\"ground\":false}}"
json out "not j['citations'] and not j['pith']['passages']"
json out "'caution' not in j['pith']"

# ---- a calibration that does not fit is said with the answer --------------------------
printf '{}' > "$PITH_STORE.calibration.json"
post 200 /v1/chat/completions "{\"messages\":[$question]}"
json out "'the calibration is not used' in j['pith']['caution']"
rm "$PITH_STORE.calibration.json"
post 200 /v1/chat/completions "{\"messages\":[$question]}"
json out "'caution' not in j['pith']"
post 200 /v1/chat/completions "{\"messages\":[$question],\"stop\":\" customs\",\"max_tokens\":20}"
json out "'customs' not in j['choices'][0]['message']['content']"
post 200 /v1/chat/completions "{\"messages\":[$question],\"max_tokens\":2}"
json out "j['choices'][0]['finish_reason'] == 'length'"
post 200 /v1/completions '{"prompt":"The kite flies. When does the kite fly?"}'
json out "j['object'] == 'text_completion' and j['choices'][0]['text']"
post 200 /v1/embeddings '{"input":["a kite","a hill"]}'
json out "len(j['data']) == 2 and abs(sum(x * x for x in j['data'][0]['embedding']) - 1) < 1e-4"
post 200 /v1/rerank '{"query":"kite hill","documents":["rain",{"text":"the kite on the hill"}],"top_n":1}'
json out "[r['index'] for r in j['results']] == [1]"
http 200 GET /v1/models
json out "[m['role'] for m in j['data']] == ['generator', 'embedder', 'reranker']"
http 200 GET /metrics
has out 'pith_stage_seconds_bucket{stage="retrieve",le="+Inf"}' 'pith_tokens_total{kind="generated"}' \
    'pith_queue_length{kind="answer"} 0'
http 200 GET /openapi.json
json out "j['openapi'].startswith('3.1')"
http 200 GET /
has head "default-src 'none'; script-src 'self'"

# ---- what is refused ----------------------------------------------------------------
post 400 /v1/chat/completions '{"messages":'
json out "j['error']['type'] == 'invalid_request_error' and j['error']['message']"
post 400 /v1/chat/completions '{}'
post 400 /v1/chat/completions "{\"messages\":[$question],\"temperature\":9}"
json out "j['error']['param'] == 'temperature'"
post 400 /v1/chat/completions "{\"messages\":[$question],\"tools\":[{\"type\":\"function\"}]}"
post 400 /v1/embeddings '{"input":[[1,2,3]]}'
post 400 /v1/chat/completions "{\"messages\":[$question],\"pith\":{\"groud\":false}}"
json out "j['error']['param'] == 'pith.groud'"
post 400 /v1/chat/completions '{"messages":[{"role":"user","content":"x","tool_calls":[{"id":"1"}]}]}'
json out "j['error']['param'] == 'messages[0].tool_calls'"
post 200 /v1/chat/completions "{\"messages\":[$question],\"new\":1,\"stream_options\":{\"new\":1}}"
post 400 /v1/search '{"query":"kite","top":3}'
post 400 /v1/documents '{"documents":[{"document":"a","text":"b","titel":"c"}]}'
json out "j['error']['param'] == 'documents[0].titel'"
post 400 /v1/search '{"query":"a\u0000b"}'
http 415 POST /v1/search -H 'Content-Type: text/plain' -d '{"query":"x"}'
http 405 PUT /v1/documents
http 404 GET /v1/nothing
http 404 GET /../../etc/passwd --path-as-is
http 404 DELETE /v1/documents/notes
post 403 /v1/search '{"query":"x"}' -H 'Host: rebound.example'
post 403 /v1/search '{"query":"x"}' -H 'Origin: http://evil.example'
post 200 /v1/search '{"query":"kite"}' -H "Origin: $url"
head -c $((70 << 20)) /dev/zero > big
http 413 POST /v1/search -H "$json_header" --data-binary @big
rm big

# ---- MCP ----------------------------------------------------------------------------
post 200 /mcp '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}'
json out "j['result']['protocolVersion'] == '2025-11-25' and 'tools' in j['result']['capabilities']"
post 202 /mcp '{"jsonrpc":"2.0","method":"notifications/initialized"}'
post 200 /mcp '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"ask","arguments":{"question":"When does the zeppelin moor at the customs house?"}}}'
json out "'noon' in j['result']['content'][0]['text'] and not j['result']['isError']"
post 200 /mcp '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"none"}}'
json out "j['error']['code'] == -32602"
post 400 /mcp '{"jsonrpc":"2.0","id":4,"method":"ping"}' -H 'MCP-Protocol-Version: 1999-01-01'
http 405 GET /mcp
modern='"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'
post 200 /mcp "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{$modern}}" \
    -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/list'
json out "j['result']['resultType'] == 'complete' and len(j['result']['tools']) == 4"
post 400 /mcp "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/list\",\"params\":{$modern}}" \
    -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call'
json out "j['error']['code'] == -32020"
post 404 /mcp "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"params\":{$modern}}" \
    -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: ping'
http 200 DELETE /v1/documents/notes%2Fzeppelin.md
http 404 DELETE /v1/documents/notes%2Fzeppelin.md
lacks serve.log 'customs'
stop_server

# ---- an adapter that comes and goes while it runs ------------------------------------
serve
ask='{"messages":[{"role":"user","content":"The kite is red today.\nWhat is red?"}],"pith":{"ground":false}}'
post 200 /v1/chat/completions "$ask"
has out 'What is red?'
echo adapter > a.gguf
printf '{"adapter":"%s/a.gguf","generator":"fake:","made":"now","figures":{}}' "$PWD" \
    > "$PITH_STORE.adapter.json"
post 200 /v1/chat/completions "$ask"
has out 'The kite is red today.'
post 200 /v1/search '{"query":"kite"}'
rm "$PITH_STORE.adapter.json"
post 200 /v1/chat/completions "$ask"
has out 'What is red?'
has serve.log 'adapter done=true'
stop_server

# ---- a reranker left out, by the option or by the environment ------------------------
PITH_RERANKER=none serve
post 200 /v1/search '{"query":"kite"}'
stop_server

# ---- keys ---------------------------------------------------------------------------
run 0 "$pith" serve key add alice
alice=$(cat out)
run 0 "$pith" serve key add bob --read-only
bob=$(cat out)
run 2 "$pith" serve key add alice
run 2 "$pith" serve key add 'no name'
lacks config/pith/keys.json "$alice"
[ "$(stat -c %a config/pith/keys.json)" = 600 ] || die 'the keys can be read by others'
serve
http 200 GET /healthz
http 401 GET /v1/documents
http 401 GET /v1/documents -H 'Authorization: Bearer pith-nonsense'
http 200 GET /v1/documents -H "Authorization: Bearer $bob"
post 403 /v1/documents '{"document":"b.txt","text":"b"}' -H "Authorization: Bearer $bob"
post 202 /v1/documents '{"document":"b.txt","text":"bees"}' -H "Authorization: Bearer $alice"
run 0 "$pith" serve key rm bob
kill -HUP "$server"
for _ in $(seq 50); do grep -q 'reload done=true' serve.log && break; sleep 0.1; done
http 401 GET /v1/documents -H "Authorization: Bearer $bob"
http 200 GET /v1/documents -H "Authorization: Bearer $alice"
stop_server
run 0 "$pith" serve key rm alice
run 2 "$pith" serve --host 0.0.0.0 -p 0
has err 'key'

# ---- TLS ----------------------------------------------------------------------------
if command -v openssl > /dev/null; then
    openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 \
        -subj /CN=localhost 2> /dev/null
    serve --cert c.pem --key k.pem
    http 200 GET /healthz
    post 200 /v1/search '{"query":"bees"}' -H "Origin: $url"
    stop_server
fi
