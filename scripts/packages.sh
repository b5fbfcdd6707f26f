#!/usr/bin/env bash
# packages.sh PHASE -- install the Debian packages of a phase that are missing.
#
# PHASE is build, or check or peers, which include it. Nothing is asked of apt when all are
# there, so that a second run takes an instant. Other systems are told what to install and
# left alone.
set -euo pipefail

phase=${1:?usage: packages.sh build|check|peers}
list=$(dirname "$0")/packages.txt
case $phase in
    build) phases='build' ;;
    check) phases='build|check' ;;
    peers) phases='build|peers' ;;
    *) echo "packages: no phase '$phase'; wanted build, check or peers" >&2; exit 2 ;;
esac

say() { printf 'packages: %s\n' "$*" >&2; }

mapfile -t wanted < <(awk -v p="^($phases)\$" '$1 ~ p { print $2 }' "$list")
if ! command -v dpkg-query > /dev/null; then
    say "this is no Debian; these packages, under your system's names, are needed:"
    say "${wanted[*]}"
    exit 0
fi

installed=$(dpkg-query -W -f='${binary:Package} ${db:Status-Status}\n' "${wanted[@]}" \
            2> /dev/null | awk '$2 == "installed" { sub(/:.*/, "", $1); print $1 }' || true)
mapfile -t missing < <(printf '%s\n' "${wanted[@]}" | grep -vxF "$installed" || true)
[ "${#missing[@]}" -gt 0 ] || exit 0

say "${#missing[@]} of ${#wanted[@]} are missing:"
for package in "${missing[@]}"; do
    awk -v p="$package" '$2 == p { sub(/^[^#]*# */, ""); printf "  %-22s %s\n", p, $0 }' \
        "$list" >&2
done

root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || { say "run this as root, or install sudo"; exit 1; }
    root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
# An apt that was interrupted leaves packages half done; finish them first.
[ -z "$(dpkg --audit)" ] || "${root[@]}" dpkg --configure -a
say "fetching the lists of packages"
"${root[@]}" apt-get -qq update
say "installing"
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" >&2
