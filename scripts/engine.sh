#!/usr/bin/env bash
# engine.sh -- build llama.cpp once and print the prefix it was installed to.
#
# The source is the vendored tree of a pinned PyPI source distribution, refused
# unless its hash matches. The prefix lives outside the checkout, keyed by version,
# hash, flags and this script, so a clean clone finds it again. An interrupted
# build resumes; an interrupted download starts over (it is 30 MB).
#
#   scripts/engine.sh            build for this machine (GGML_NATIVE=ON)
#   PITH_PORTABLE=1 scripts/engine.sh   every CPU variant, chosen at run time
#   PITH_GGML_FLAGS="-DGGML_CUDA=ON"    passed through to ggml
set -euo pipefail

VERSION=0.3.36
SHA256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e

say() { printf '%s\n' "engine: $*" >&2; }
die() { say "$*"; exit 1; }

flags=(
    -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON -DCMAKE_INSTALL_LIBDIR=lib
    -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF
    -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF
    -DLLAMA_OPENSSL=OFF "-DCMAKE_INSTALL_RPATH=\$ORIGIN"
)
# A native build is tied to the CPU it was made on: the CPU's features are in the key.
cpu=portable
if [ -n "${PITH_PORTABLE:-}" ]; then
    flags+=(-DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON)
else
    flags+=(-DGGML_NATIVE=ON)
    cpu=$(uname -m)-$(grep -m1 -E '^(flags|Features)' /proc/cpuinfo | sha256sum | cut -c1-8)
fi
read -r -a extra <<< "${PITH_GGML_FLAGS:-}"
flags+=("${extra[@]}")

cache=${XDG_CACHE_HOME:-$HOME/.cache}/pith
key=$(printf '%s\n' "$VERSION" "$SHA256" "$cpu" "${flags[@]}" "$(cat "$0")" | sha256sum | cut -c1-12)
prefix=$cache/engine/$VERSION-$key
[ -f "$prefix/.complete" ] && { echo "$prefix"; exit 0; }

work=$cache/build/engine-$VERSION-$key
mkdir -p "$work" "$(dirname "$prefix")"
exec 9> "$work.lock"
flock 9                                   # two builds at once: the second waits, then finds it done
[ -f "$prefix/.complete" ] && { echo "$prefix"; exit 0; }

tarball=$work/llama_cpp_python-$VERSION.tar.gz
if [ ! -f "$tarball" ]; then
    say "fetching llama-cpp-python $VERSION (llama.cpp's source is inside)"
    rm -rf "$work/dl" && mkdir -p "$work/dl"
    printf 'llama-cpp-python==%s --hash=sha256:%s\n' "$VERSION" "$SHA256" > "$work/req.txt"
    # No metadata is built for a pinned download: pip need not run the package's build.
    python3 -m pip download --quiet --no-deps --no-binary llama-cpp-python \
        --require-hashes -r "$work/req.txt" -d "$work/dl" >&2 \
        || die "the download was refused or did not finish; run this again"
    mv "$work/dl"/llama_cpp_python-*.tar.gz "$tarball"
fi

if [ ! -f "$work/src/.unpacked" ]; then
    say "unpacking"
    rm -rf "$work/src" && mkdir -p "$work/src"
    top=llama_cpp_python-$VERSION/vendor/llama.cpp
    tar -xzf "$tarball" -C "$work/src" --strip-components=3 \
        "$top"/{CMakeLists.txt,LICENSE,licenses,cmake,ggml,include,src,vendor}
    # gcc before 12.4 drops the stores that fill the AMX tile configuration, since
    # _tile_loadconfig names 8 of its 64 input bytes. A barrier keeps them.
    mmq=$work/src/ggml/src/ggml-cpu/amx/mmq.cpp
    sed -i '/^ *_tile_loadconfig(&tc);/i\    __asm__ volatile("" : : "r"(\&tc) : "memory");' "$mmq"
    [ "$(grep -c -A1 '__asm__ volatile("" : : "r"(&tc)' "$mmq")" = 1 ] \
        || die "ggml_tile_config_init is not where it was: the AMX cure needs a look"
    touch "$work/src/.unpacked"
fi

launcher=()
command -v ccache > /dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
say "building llama.cpp on $(nproc) cores (about 2 minutes on 2 cores)"
cmake -S "$work/src" -B "$work/build" -G Ninja "${flags[@]}" "${launcher[@]}" \
    "-DCMAKE_INSTALL_PREFIX=$prefix" > "$work/configure.log" 2>&1 \
    || { tail -n 20 "$work/configure.log" >&2; die "configure failed, log: $work/configure.log"; }
if [ -t 2 ]; then cmake --build "$work/build" >&2
else cmake --build "$work/build" > "$work/build.log" 2>&1 \
    || { tail -n 40 "$work/build.log" >&2; die "build failed, log: $work/build.log"; }
fi
cmake --install "$work/build" > "$work/install.log"
mkdir -p "$prefix/share/licenses/llama.cpp"
cp -r "$work/src/LICENSE" "$work/src/licenses" "$prefix/share/licenses/llama.cpp/"
touch "$prefix/.complete"
rm -rf "$work/build" "$work/src"
say "installed to $prefix"
echo "$prefix"
