#!/usr/bin/env bash
# check.sh -- the review that a machine can do. Every part runs, whatever the others find;
# the last line says which ones found something.
#
#   scripts/check.sh [PART...]    layout layers sizes scripts manuals gcc clang tidy cppcheck
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

parts=("$@")
[ "${#parts[@]}" -gt 0 ] \
    || parts=(layout layers sizes scripts manuals gcc clang tidy cppcheck)
[ -n "${PITH_ENGINE+set}" ] || PITH_ENGINE=$(scripts/engine.sh) || exit 1
[ -n "${PITH_PDFIUM+set}" ] || PITH_PDFIUM=$(scripts/pdfium.sh)
export PITH_ENGINE PITH_PDFIUM
folder=${PITH_CHECK_BUILD:-build-check}
bad=()

# A build of its own for each compiler, with every warning an error.
strict_build() {
    cmake -S . -B "$folder/$1" -G Ninja --log-level=WARNING -DCMAKE_C_COMPILER="$1" \
        -DCMAKE_CXX_COMPILER="$2" -DPITH_WERROR=ON -DPITH_ENGINE="$PITH_ENGINE" \
        -DPITH_PDFIUM="$PITH_PDFIUM" > /dev/null \
        && cmake --build "$folder/$1" -- -k 0 | grep -vE '^\[|^ninja: (Entering|no work)'
    [ "${PIPESTATUS[0]}" = 0 ]
}

check_layout()  { scripts/check_layout.py; }
check_layers()  { scripts/check_layers.py; }
check_sizes()   { scripts/check_sizes.py; }
check_scripts() { shellcheck -s bash -e SC1091,SC2016,SC2154,SC2164,SC2317 \
                      scripts/*.sh tests/e2e/*.sh .ci/run packaging/completion/pith.bash; }
check_manuals() { mandoc -T lint -W warning packaging/man/*.1; }
check_gcc()     { strict_build gcc g++; }
check_clang()   { strict_build clang clang++; }

# What is analysed is what clang compiled: its commands are in compile_commands.json.
check_tidy() {
    [ -f "$folder/clang/compile_commands.json" ] || strict_build clang clang++ || return 1
    find src -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 4 \
        clang-tidy --quiet -p "$folder/clang" --warnings-as-errors='*' 2> /dev/null
}

check_cppcheck() {
    cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr \
        --suppressions-list=scripts/cppcheck.txt --error-exitcode=1 -D_GNU_SOURCE \
        -DPITH_ONEDNN=1 -j "$(nproc)" -I src -I include src
}

for part in "${parts[@]}"; do
    printf '== %s\n' "$part" >&2
    "check_$part" || bad+=("$part")
done
[ "${#bad[@]}" -eq 0 ] && { echo "check: ${#parts[@]} parts, nothing found" >&2; exit 0; }
echo "check: findings in ${bad[*]}" >&2
exit 1
