#!/usr/bin/env bash
# configure.sh PRESET FOLDER -- get the engine and PDFium, and run CMake where it has not
# run yet.
#
# Ninja runs CMake again by itself when a CMake file changes; only the first run and a
# change of engine need us. PITH_ENGINE names a prefix of llama.cpp to use instead of
# ours; empty, it stands for the system's. PITH_PDFIUM names one of PDFium; empty, the
# build reads no PDF.
set -euo pipefail

preset=$1 folder=$2
[ "$preset" != release ] || export PITH_PORTABLE=1
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
