#!/usr/bin/env bash
# configure.sh PRESET FOLDER -- get the engine and PDFium, and run CMake where it has not
# run yet.
#
# Ninja runs CMake again by itself when a CMake file changes; only the first run and a
# change of engine need us. PITH_GPU (cuda, vulkan, metal) wants an engine for that, too.
# PITH_ENGINE names a prefix of llama.cpp to use instead of
# ours; empty, it stands for the system's. PITH_PDFIUM names one of PDFium; empty, the
# build reads no PDF.
set -euo pipefail

preset=$1 folder=$2
[ "$preset" != release ] || export PITH_PORTABLE=1
if [ -n "${PITH_GPU:-}" ]; then
    flags=$("$(dirname "$0")/gpu.sh" "$PITH_GPU")
    export PITH_GGML_FLAGS="${PITH_GGML_FLAGS:-} $flags"
fi
[ -n "${PITH_ENGINE+set}" ] || PITH_ENGINE=$("$(dirname "$0")/engine.sh")
[ -n "${PITH_PDFIUM+set}" ] || PITH_PDFIUM=$("$(dirname "$0")/pdfium.sh")
export PITH_ENGINE PITH_PDFIUM
cache=$folder/CMakeCache.txt
if [ -f "$folder/build.ninja" ] && grep -qxF "PITH_ENGINE:PATH=$PITH_ENGINE" "$cache" \
        && grep -qxF "PITH_PDFIUM:PATH=$PITH_PDFIUM" "$cache"; then
    exit 0
fi
echo "configure: preset $preset into $folder/" >&2
rm -f "$cache"
cmake --preset "$preset" -B "$folder" --log-level=WARNING > /dev/null
