#!/usr/bin/env bash
# peers.sh -- other people's clients that the service is tested with, in a folder of their
# own: OpenAI's, LangChain's and MCP's for Python, schemathesis, and for the web page
# playwright-core and axe-core. Tests that find them run; without them those are skipped.
set -euo pipefail

home=${XDG_CACHE_HOME:-$HOME/.cache}/pith/peers
mkdir -p "$home/node"
[ -x "$home/venv/bin/python" ] || python3 -m venv "$home/venv"
"$home/venv/bin/python" -c 'import openai, langchain_openai, mcp, schemathesis' 2> /dev/null \
    || "$home/venv/bin/pip" install --quiet 'openai>=3' 'langchain-openai>=1' 'mcp>=2' \
        'schemathesis>=4'
if command -v npm > /dev/null; then
    [ -d "$home/node/node_modules/playwright-core" ] \
        || npm install --prefix "$home/node" --no-audit --no-fund --silent \
            playwright-core axe-core
else
    echo 'peers: npm is absent, so the test of the web page is skipped' >&2
fi
