"""Texts a second of an ONNX sentence encoder in onnxruntime: the peer of bench_encode.

The same texts as bench/encode.c, the same tokens, CLS pooling. Tries several batch sizes
and prints the best, so that the peer is not judged by a bad setting."""
import os
import sys
import time

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

WORDS = ("the contract of battery years and water engine reports revenue growth supply "
         "not from two because damage was").split()


def texts(n, tokens):
    seed, out = 1, []
    for _ in range(n):
        words = []
        for _ in range(tokens - 2):
            seed = (seed * 1664525 + 1013904223) % 2**32
            words.append(WORDS[(seed >> 16) % len(WORDS)])
        out.append(" ".join(words))
    return out


def run(session, tokenizer, all_texts, batch):
    wanted = {i.name for i in session.get_inputs()}
    for at in range(0, len(all_texts), batch):
        enc = tokenizer.encode_batch(all_texts[at:at + batch])
        feed = {
            "input_ids": np.array([e.ids for e in enc], dtype=np.int64),
            "attention_mask": np.array([e.attention_mask for e in enc], dtype=np.int64),
            "token_type_ids": np.array([e.type_ids for e in enc], dtype=np.int64),
        }
        out = session.run(None, {k: v for k, v in feed.items() if k in wanted})[0]
        v = out[:, 0]
        v / np.linalg.norm(v, axis=1, keepdims=True)


def main():
    model, tokenizer_file, n, tokens = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    options = ort.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(tokenizer_file)
    tokenizer.enable_truncation(512)
    tokenizer.no_padding()
    all_texts, best = texts(n, tokens), (0, 0)
    for batch in (1, 4, 16, 32):
        run(session, tokenizer, all_texts[:batch], batch)
        begin = time.monotonic()
        run(session, tokenizer, all_texts, batch)
        best = max(best, (n / (time.monotonic() - begin), batch))
    print(f"onnxruntime {ort.__version__}, {options.intra_op_num_threads} threads, "
          f"batch {best[1]}: {best[0]:.1f}/s")


if __name__ == "__main__":
    main()
