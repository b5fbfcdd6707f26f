#!/usr/bin/env bash
# cross.sh -- the layers base, store and parse for arm64, and their unit tests under
# qemu-user: what another CPU would find first, such as an assumption about char or NEON.
#
# Wants Debian's gcc-aarch64-linux-gnu and qemu-user. The libraries for arm64 are unpacked
# into a folder of their own; the system's packages stay as they are.
#
#   scripts/cross.sh [TEST...]
set -euo pipefail
cd "$(dirname "$0")/.."

tests=("$@")
[ "${#tests[@]}" -gt 0 ] || tests=(words store matrix hash file parts edition)
folder=${PITH_CROSS:-${XDG_CACHE_HOME:-$HOME/.cache}/pith/arm64}
root=$folder/root lists=$folder/apt objects=$folder/objects
compiler=aarch64-linux-gnu-gcc
for program in "$compiler" qemu-aarch64 apt-get dpkg; do
    command -v "$program" > /dev/null && continue
    echo "cross.sh: $program is not here: apt-get install gcc-aarch64-linux-gnu qemu-user" >&2
    exit 77
done

# An apt that knows one architecture and has nothing installed.
private_apt() {
    apt-get -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
        -o Dir::State="$lists" -o Dir::State::status="$lists/status" \
        -o Dir::Cache="$lists/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@"
}

libraries() {
    mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$root"
    : > "$lists/status"
    private_apt update
    private_apt install -y --download-only --no-install-recommends libc6-dev libcmocka-dev \
        libsqlite3-dev libicu-dev libstemmer-dev libsodium-dev libxml2-dev libmd4c-dev \
        libarchive-dev libjansson-dev libcurl4-openssl-dev
    for package in "$lists"/cache/archives/*.deb; do dpkg -x "$package" "$root"; done
    touch "$folder/complete"
}

[ -f "$folder/complete" ] || libraries > "$folder.log" 2>&1 \
    || { tail -5 "$folder.log" >&2; exit 77; }

at=usr/lib/aarch64-linux-gnu
flags=(-std=c11 -O2 -D_GNU_SOURCE -Wall -Wextra -UNDEBUG -Isrc -Iinclude -Itests
       -DTESTS_DIR="\"$PWD/tests\"" -isystem "$root/usr/include"
       -isystem "$root/usr/include/aarch64-linux-gnu"
       -isystem "$root/usr/include/libxml2")
# shellcheck disable=SC2054  # the commas are the linker's
needs=(--sysroot="$root" -L"$root/$at" -L"$root/lib/aarch64-linux-gnu"
       "-Wl,-rpath-link,$root/$at"
       "-Wl,-rpath-link,$root/lib/aarch64-linux-gnu" -Wl,--gc-sections
       -lcmocka -lsqlite3 -licui18n -licuuc -licudata -lstemmer -lsodium -lxml2 -lmd4c -larchive
       -ljansson -lcurl -lm -lpthread)

mkdir -p "$objects"
compile() { "$compiler" "${flags[@]}" -c "$1" -o "$objects/$(tr / _ <<< "$1").o"; }
parts=()
for source in src/base/*.c src/store/*.c src/parse/*.c; do
    object=$objects/$(tr / _ <<< "$source").o
    parts+=("$object")
    [ "$object" -nt "$source" ] || compile "$source"
done

failed=0
for name in "${tests[@]}"; do
    "$compiler" "${flags[@]}" "tests/unit/$name.c" "${parts[@]}" "${needs[@]}" \
        -o "$folder/test_$name"
    if QEMU_LD_PREFIX=$root LD_LIBRARY_PATH="" qemu-aarch64 -E \
            LD_LIBRARY_PATH="$root/$at:$root/lib/aarch64-linux-gnu" \
            "$folder/test_$name" > "$folder/$name.log" 2>&1; then
        echo "arm64: $name passed"
    else
        echo "arm64: $name FAILED, $folder/$name.log" >&2
        failed=1
    fi
done
exit "$failed"
