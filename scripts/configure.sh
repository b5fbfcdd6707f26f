#!/usr/bin/env bash
# configure.sh PRESET FOLDER -- get the engine, and run CMake where it has not run yet.
#
# Ninja runs CMake again by itself when a CMake file changes; only the first run and a
# change of engine need us. PITH_ENGINE names a prefix of llama.cpp to use instead of
# ours; empty, it stands for the system's.
set -euo pipefail

preset=$1 folder=$2
[ "$preset" != release ] || export PITH_PORTABLE=1
[ -n "${PITH_ENGINE+set}" ] || PITH_ENGINE=$("$(dirname "$0")/engine.sh")
export PITH_ENGINE
cache=$folder/CMakeCache.txt
if [ -f "$folder/build.ninja" ] && grep -qxF "PITH_ENGINE:PATH=$PITH_ENGINE" "$cache"; then
    exit 0
fi
echo "configure: preset $preset into $folder/" >&2
rm -f "$cache"
cmake --preset "$preset" -B "$folder" --log-level=WARNING > /dev/null
