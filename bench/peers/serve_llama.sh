#!/usr/bin/env bash
# serve_llama.sh -- pith serve and llama-server under the same load, one after the other.
#
#   PITH=build/pith bench/peers/serve_llama.sh [CLIENTS...]
#
# CLIENTS (4 and 8) ask at once, each a question of its own of 1,200 tokens that shares no
# prefix, for 64 tokens: serve_llama.py. Both have the same file of weights, THREADS (2),
# and the same requests; llama-server has a slot for each client. It is built once, of the
# source that pith's own engine is built of, with the same flags for the processor.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
source "$here/common.sh"
threads=${THREADS:-2}
[ $# -gt 0 ] || set -- 4 8
begin
server=''
stop() { [ -z "$server" ] || { kill "$server"; wait "$server" || true; server=''; }; }
trap 'stop 2> /dev/null; rm -rf "$work"' EXIT

# llama_server: builds it where it is not there yet; prints its path.
llama_server()
{
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers/llama-server version sha256
    version=$(sed -n 's/^VERSION=//p' "$here/../../scripts/engine.sh")
    sha256=$(sed -n 's/^SHA256=//p' "$here/../../scripts/engine.sh")
    if [ ! -x "$cache/llama-server-$version" ]; then
        mkdir -p "$work/src" "$cache"
        printf 'llama-cpp-python==%s --hash=sha256:%s\n' "$version" "$sha256" > "$work/req"
        python3 -m pip download --quiet --no-deps --no-binary llama-cpp-python \
            --require-hashes -r "$work/req" -d "$work" >&2 || die "no source of llama-server"
        tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work/src" --strip-components=3 \
            "llama_cpp_python-$version/vendor/llama.cpp"
        cmake -S "$work/src" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
            -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON -DLLAMA_BUILD_TESTS=OFF \
            -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF \
            -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF > "$work/log" 2>&1 \
            && ninja -C "$work/build" llama-server >> "$work/log" 2>&1 \
            || { tail -n 20 "$work/log" >&2; die "llama-server could not be built"; }
        mv "$work/build/bin/llama-server" "$cache/llama-server-$version"
    fi
    printf '%s\n' "$cache/llama-server-$version"
}

# load CLIENTS URL PATH: waits until PATH is there, then prints the figures.
load()
{
    for _ in $(seq 300); do curl -sf -o /dev/null "$2$3" && break; sleep 0.2; done
    python3 "$here/serve_llama.py" "$2" "$1" "$server"
}

pith_load()
{
    local url=''
    PITH_STORE=$work/store.db XDG_CONFIG_HOME=$work "$pith" serve -q -p 0 \
        --threads "$threads" --reranker none --generator "$gguf" 2> "$work/pith.log" &
    server=$!
    until [ -n "$url" ]; do
        url=$(sed -n 's|.*listening url="\(.*\)/".*|\1|p' "$work/pith.log")
        sleep 0.1
    done
    load "$1" "$url" /readyz
    stop
}

llama_load()
{
    local port=$((20000 + RANDOM % 20000))
    "$llama" -m "$gguf" -t "$threads" -tb "$threads" -np "$1" -c $((2048 * $1)) \
        --host 127.0.0.1 --port "$port" > "$work/llama.log" 2>&1 &
    server=$!
    load "$1" "http://127.0.0.1:$port" /health
    stop
}

gguf=$(model_file "${GENERATOR:-qwen2.5-coder-0.5b}")
llama=$(llama_server)
echo 'The town of Alderbrook.' > "$work/a.txt"
"$pith" --store "$work/store.db" add -q "$work/a.txt" > /dev/null
for clients in "$@"; do
    pith_load "$clients" > "$work/ours"
    llama_load "$clients" > "$work/theirs"
    python3 - "$work/ours" "$work/theirs" <<'PYTHON'
import json, sys
ours, theirs = (json.load(open(f)) for f in sys.argv[1:])
print("pith        ", json.dumps(ours))
print("llama-server", json.dumps(theirs))
faster, cheaper = (ours[k] / theirs[k] for k in ("tokens_per_s", "tokens_per_cpu_s"))
sooner = theirs["first_p50_s"] / ours["first_p50_s"]
print(f"{ours['clients']} clients: {faster:.2f} times the tokens a second, {cheaper:.2f} by processor time, "
      f"{sooner:.2f} times sooner the first text (median)")
cells = [f"{a['tokens_per_s']:.1f} tokens/s, first text p50 {a['first_p50_s']:.1f} s, p99 "
         f"{a['first_p99_s']:.1f} s" for a in (ours, theirs)]
print(f"= {cells[0]} | llama-server {cells[1]} | {faster:.1f}")
PYTHON
done
