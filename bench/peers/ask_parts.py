"""What the peers that answer questions share: how much they read and write, what of, and how
a comparison talks with one that is running."""
import json
import os
import sqlite3
import sys

CONTEXT, ANSWER = 1200, 64      # tokens of passages at most, and written
SYSTEM = "Answer from the passages alone."
USER = "{context}\n\nQuestion: {question}"


def threads():
    return len(os.sched_getaffinity(0))


def store_texts(path):
    """The chunks of a pith store, so that both sides search the same."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return [t for (t,) in db.execute("SELECT text FROM chunk")]


def fitting(texts, count):
    """Of the best passages those that fit, and how many tokens they have."""
    kept, left = [], CONTEXT
    for t in texts:
        n = count(t)
        if n <= left:
            kept.append(t)
            left -= n
    return kept, CONTEXT - left


def serve(answer):
    """Questions from standard input, a JSON object a line; answer(question) yields an answer's
    pieces, a token each, and they are printed as they come, a JSON object a line."""
    print("{}", flush=True)
    for line in sys.stdin:
        tokens = 0
        for piece in answer(json.loads(line)):
            tokens += 1
            print(json.dumps({"text": piece}), flush=True)
        print(json.dumps({"tokens": tokens}), flush=True)
