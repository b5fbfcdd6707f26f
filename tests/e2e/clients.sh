# Other people's clients, unchanged; skipped where `make test-peers` did not install them.
. "$(dirname "$0")/serve_lib.sh"
python=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers/venv/bin/python
if ! "$python" -c 'import openai, langchain_openai, mcp' 2> /dev/null; then
    echo 'skipped: the clients are absent (make test-peers)'
    exit 77
fi
run 0 "$pith" add "$PITH_SOURCE/examples/docs/alderbrook"
serve
"$python" "$PITH_SOURCE/tests/peers/clients.py" "$url" "$pith"
schemathesis=${python%python}schemathesis
if [ -x "$schemathesis" ]; then
    # What fits the schema may yet be refused: a NUL, a name that leads out of a folder, a
    # file that is no text. Everything else is checked.
    "$schemathesis" run "$url/openapi.json" --url "$url" --max-examples 25 --no-color \
        --checks all --exclude-checks positive_data_acceptance --request-timeout 20 \
        --exclude-path /v1/events > report 2>&1 || { tail -n 150 report; die 'schemathesis'; }
    tail -n 12 report
fi
stop_server
