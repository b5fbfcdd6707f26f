# The web page in Chromium, by playwright-core; skipped where `make test-peers` did not run.
. "$(dirname "$0")/serve_lib.sh"
modules=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers/node
chromium=$(command -v chromium || true)
if [ -z "$chromium" ] || ! command -v node > /dev/null \
    || [ ! -d "$modules/node_modules/playwright-core" ]; then
    echo 'skipped: chromium, node or playwright-core is absent (make test-peers)'
    exit 77
fi
cat > lamp.md <<'TEXT'
# The lighthouse lamp

The lamp was made in 1911 by hand. The warranty of the lighthouse lamp is seven years from
the day of the purchase. Oil is filled in once a month.
TEXT
run 0 "$pith" add lamp.md
PITH_GENERATOR=fake:slow_ms=15 serve
shots=${PITH_SHOTS:-$work/shots}
mkdir -p "$shots"
node "$PITH_SOURCE/tests/peers/page.mjs" "$url" "$chromium" "$modules" "$shots"
stop_server
