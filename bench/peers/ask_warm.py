"""ask_warm.py peer ENCODER_FOLDER INDEX GGUF: answers questions from standard input, a JSON
object a line.
ask_warm.py compare QUESTIONS WORK PITH ENCODER_FOLDER GGUF: the comparison.

Both programs are running with their models loaded; each question is new to them. First text
and whole answer are timed from outside: the peer's at its pipe, pith's at its socket."""
import http.client
import json
import re
import statistics
import subprocess
import sys
import time

from ask_langchain import ANSWER, CONTEXT, Peer


def peer(encoder, folder, gguf):
    ready = Peer(encoder, folder, gguf)
    print("{}", flush=True)
    for line in sys.stdin:
        question, tokens = json.loads(line), 0
        for piece in ready.write(ready.context(question)[0], question):
            tokens += 1
            print(json.dumps({"text": piece}), flush=True)
        print(json.dumps({"tokens": tokens}), flush=True)


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
    print(f"{name:22} p50 of {len(got)}: first text {statistics.median(first):5.2f} s, whole "
          f"answer {statistics.median(whole):5.2f} s; {sum(tokens) / len(got):.0f} tokens written "
          f"on average")
    return statistics.median(first), statistics.median(whole)


def compare(questions, work, pith, encoder, gguf):
    asked = [json.loads(line)["question"] for line in open(questions, encoding="utf-8")]
    theirs = subprocess.Popen([sys.executable, __file__, "peer", encoder, f"{work}/index", gguf],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ours = subprocess.Popen([pith, "--store", f"{work}/store.db", "serve", "--port", "0",
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
    p, w = show("LangChain + llama.cpp", [r[0] for r in rows]), show("pith", [r[1] for r in rows])
    print(f"{'ratio':22} {p[0] / w[0]:.2f} to the first text, {p[1] / w[1]:.2f} in all")


if __name__ == "__main__":
    {"peer": peer, "compare": compare}[sys.argv[1]](*sys.argv[2:])
