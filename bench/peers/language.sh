#!/usr/bin/env bash
# language.sh -- the language of paragraphs and of sentences, by bench_language and by CLD2,
# langid and langdetect, on Debian's translated manual pages (fetched, not installed).
#
#   bench/peers/language.sh BENCH_LANGUAGE [TEXTS_A_LANGUAGE [FILE]]
#
# What pith takes for another language goes to FILE.paragraphs and FILE.sentences.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/peers/common.sh
. "$here/common.sh"

[ $# -ge 1 ] || die "usage: $0 BENCH_LANGUAGE [TEXTS_A_LANGUAGE]"
bench=$(realpath "$1")
venv=$(peer_venv language pycld2==0.42 langdetect==1.0.9 langid==1.1.6)
pages=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers/pages
mkdir -p "$pages"
for code in en da de el es fi fr hu id it ja nb nl pt-br ro ru sv tr zh; do
    [ -d "$pages/$code" ] && continue
    package=manpages-$code
    [ $code = en ] && package=manpages
    (cd "$pages" && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb -x "$package"_*.deb "$code" \
        && rm "$package"_*.deb) || die "$package could not be fetched"
done
"$venv/bin/python" "$here/language.py" "$bench" "$pages" "${2:-200}" "${@:3}"
