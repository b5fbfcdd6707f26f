#!/usr/bin/env python3
"""check_layers.py -- proves the layers of ARCHITECTURE.md from the #include lines.

    base <- model, store, parse <- extract <- index, ask <- tune <- api <- pith.h <- eval, serve <- app

A file sees its own folder and those below it; siblings never see each other; what is above
pith.h sees nothing else of the library but base. A header named *impl.h stays
in its folder, and a foreign library is included by one layer only."""
import glob, os, re, sys

SEES = {
    "base": set(),
    "model": {"base"},
    "store": {"base"},
    "parse": {"base"},
    "extract": {"base", "parse"},
    "index": {"base", "model", "store", "parse", "extract"},
    "ask": {"base", "model", "store"},
    "tune": {"base", "model", "store", "index", "ask"},
    "api": {"base", "model", "store", "parse", "extract", "index", "ask",
            "tune", "pith.h"},
    "eval": {"base", "pith.h"},
    "serve": {"base", "pith.h"},
    "app": {"base", "eval/eval.h", "serve/serve.h", "pith.h"},
}
# Foreign headers and who may see them; the C library and POSIX are for all.
OWNERS = {
    "llama.h": {"model"}, "ggml": {"model", "tune"}, "gguf.h": {"model", "tune"}, "dnnl.h": {"model"},
    "curl/": {"base"}, "archive": {"base", "parse"}, "sqlite3.h": {"store"},
    "libxml/": {"parse"}, "md4c": {"parse"}, "libstemmer.h": {"base"},
    "unicode/": {"base", "parse", "store", "eval"},
    "jansson.h": {"api", "tune", "eval", "serve", "app", "model"},
    "sodium.h": {"base", "model", "index", "serve"}, "microhttpd.h": {"serve"},
    "seccomp.h": {"extract"},
}


def finding(layer, name, quoted):
    if name == "pith.h":
        return None if "pith.h" in SEES[layer] else "only api, eval, serve and app see pith.h"
    for prefix, owners in OWNERS.items():
        if not quoted and name.startswith(prefix):
            return None if layer in owners else f"{name} belongs to {', '.join(sorted(owners))}"
    if not quoted:
        return None
    folder = name.split("/")[0]
    if folder == layer:
        return None
    if os.path.basename(name).endswith("impl.h"):
        return f"{name} stays in src/{folder}"
    if folder in SEES[layer] or name in SEES[layer]:
        return None
    return f"{layer} does not see {name}"


def main():
    findings = 0
    files = sorted(glob.glob("src/*/*.[ch]"))
    for path in files:
        layer = path.split("/")[1]
        if layer not in SEES:
            findings += 1
            print(f"{path}:1: src/{layer} is no layer: ARCHITECTURE.md and SEES name them")
            continue
        for n, line in enumerate(open(path, encoding="utf-8"), 1):
            include = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
            why = include and finding(layer, include[2], include[1] == '"')
            if why:
                findings += 1
                print(f"{path}:{n}: {why}")
    print(f"layers: {len(files)} files, {findings} findings", file=sys.stderr)
    return findings > 0


if __name__ == "__main__":
    sys.exit(main())
