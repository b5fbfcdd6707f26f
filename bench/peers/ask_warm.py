"""ask_warm.py NAME QUESTIONS STORE PITH GGUF PEER...: questions to programs that are running.

PEER is the command of the other program, NAME what it is called; how it is talked with is
in ask_parts.py. Both have their models loaded; each question is new to them. First text and
whole answer are timed from outside: the peer's at its pipe, pith's at its socket."""
import http.client
import json
import re
import statistics
import subprocess
import sys
import time

from ask_parts import ANSWER, CONTEXT


def ask_peer(child, question):
    begun, first = time.monotonic(), None
    child.stdin.write(json.dumps(question) + "\n")
    child.stdin.flush()
    for line in child.stdout:
        first = first or time.monotonic() - begun
        got = json.loads(line)
        if "tokens" in got:
            return first, time.monotonic() - begun, got["tokens"]
    sys.exit("the peer stopped")


def ask_pith(port, question):
    body = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": ANSWER,
            "messages": [{"role": "user", "content": question}],
            "pith": {"context_tokens": CONTEXT, "abstain": False}}
    begun, first, tokens = time.monotonic(), None, 0
    to = http.client.HTTPConnection("127.0.0.1", port)
    to.request("POST", "/v1/chat/completions", json.dumps(body),
               {"Content-Type": "application/json"})
    for line in to.getresponse():
        if not line.startswith(b"data: {"):
            continue
        got = json.loads(line[6:])
        if "error" in got:
            sys.exit(f"pith: {got['error']['message']}")
        if got["choices"] and got["choices"][0]["delta"].get("content"):
            first = first or time.monotonic() - begun
        tokens = (got.get("usage") or {}).get("completion_tokens", tokens)
    to.close()
    return first or time.monotonic() - begun, time.monotonic() - begun, tokens


def show(name, got):
    first, whole, tokens = zip(*got)
    m = statistics.median(first), statistics.median(whole), sum(tokens) / len(got)
    print(f"{name:22} p50 of {len(got)}: first text {m[0]:5.2f} s, whole answer {m[1]:5.2f} s; "
          f"{m[2]:.0f} tokens written on average")
    return m


def main():
    name, questions, store, pith, gguf, *peer = sys.argv[1:]
    with open(questions, encoding="utf-8") as f:
        asked = [json.loads(line)["question"] for line in f]
    theirs = subprocess.Popen(peer, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ours = subprocess.Popen([pith, "--store", store, "serve", "--port", "0",
                             "--generator", gguf, "--read-only"],
                            stderr=subprocess.PIPE, text=True)
    try:
        theirs.stdout.readline()
        port = next(int(m[1]) for line in ours.stderr
                    if (m := re.search(r"http://[^/ ]*:(\d+)", line)))
        rows = [(ask_peer(theirs, q), ask_pith(port, q)) for q in asked]
    finally:
        ours.terminate()
        theirs.terminate()
    rows = rows[1:]                # the first brings the files into memory
    p, w = show(name, [r[0] for r in rows]), show("pith", [r[1] for r in rows])
    print(f"{'ratio':22} {p[0] / w[0]:.2f} to the first text, {p[1] / w[1]:.2f} in all")
    print(f"= {w[1]:.2f} s, first text {w[0]:.2f} s, {w[2]:.0f} tokens | {name} {p[1]:.2f} s, "
          f"{p[0]:.2f} s, {p[2]:.0f} tokens | {p[1] / w[1]:.1f}")


main()
