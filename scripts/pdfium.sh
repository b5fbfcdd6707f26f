#!/usr/bin/env bash
# pdfium.sh -- fetch PDFium once and print the prefix that it lies in.
#
# Nobody but Chromium's own tools builds PDFium in reasonable time, so we take the shared
# library out of a pinned wheel of pypdfium2, refused unless its hash matches. Where there
# is no wheel for this machine nothing is printed, and pith is built without PDF.
set -euo pipefail

VERSION=5.15.2
declare -A SHA256=(
    [x86_64]=dc31aea5b0fb9fefc9b537a65f4113980b2c40798445736a7e6565bc85161e37
    [aarch64]=dd46e93c0c3a73f6cea8489baff6d77a5d0759dd53fbbce0aeb49c91830176fc
)

say() { printf '%s\n' "pdfium: $*" >&2; }

sha256=${SHA256[$(uname -m)]:-}
[ -n "$sha256" ] || { say "there is none for $(uname -m): this build will read no PDF"; exit 0; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/pith
prefix=$cache/pdfium/$VERSION-${sha256:0:12}
[ -f "$prefix/.complete" ] && { echo "$prefix"; exit 0; }

mkdir -p "$cache/pdfium"
exec 9> "$prefix.lock"
flock 9                                   # two builds at once: the second finds it done
[ -f "$prefix/.complete" ] && { echo "$prefix"; exit 0; }

say "fetching pypdfium2 $VERSION (4 MB, PDFium's library is inside)"
work=$prefix.work
rm -rf "$work" "$prefix" && mkdir -p "$work" "$prefix/lib" "$prefix/share/licenses/pdfium"
printf 'pypdfium2==%s --hash=sha256:%s\n' "$VERSION" "$sha256" > "$work/req.txt"
if ! python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes \
        -r "$work/req.txt" -d "$work" >&2; then
    say "the download was refused or did not finish: this build will read no PDF"
    exit 0
fi
python3 -m zipfile -e "$work"/pypdfium2-*.whl "$work/wheel"
cp "$work/wheel/pypdfium2_raw/libpdfium.so" "$prefix/lib/"
# Those of what is in this library: not of other platforms, nor of V8 and XFA.
licences=$work/wheel/pypdfium2-$VERSION.dist-info/licenses
rm -rf "$licences"/BUILD_LICENSES/{android,cibw_musl,pbin_musl,v8_xfa}
cp -r "$licences/." "$prefix/share/licenses/pdfium/"
touch "$prefix/.complete"
rm -rf "$work"
say "installed to $prefix"
echo "$prefix"
