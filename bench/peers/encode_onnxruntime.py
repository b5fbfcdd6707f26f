"""Texts or pairs a second of an ONNX encoder in onnxruntime: the peer of bench_encode.

    encode_onnxruntime.py embed|rerank FOLDER COUNT

The same texts as bench/encode.c, the same tokens; CLS pooling, or the logit of a pair.
Tries several batch sizes and prints the best, so that the peer is not judged by a bad
setting."""
import os
import sys
import time

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

WORDS = ("the contract of battery years and water engine reports revenue growth supply "
         "not from two because damage was").split()
QUESTION = "how long is the warranty of the battery"
TOKENS = {"embed": 140, "rerank": 150}


def texts(n, tokens):
    seed, out = 1, []
    for _ in range(n):
        words = []
        for _ in range(tokens - 2):
            seed = (seed * 1664525 + 1013904223) % 2**32
            words.append(WORDS[(seed >> 16) % len(WORDS)])
        out.append(" ".join(words))
    return out


def pool(kind, out):
    if kind == "rerank":
        return out[:, 0]
    v = out[:, 0]
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def run(kind, session, tokenizer, all_texts, batch):
    wanted = {i.name for i in session.get_inputs()}
    for at in range(0, len(all_texts), batch):
        part = all_texts[at:at + batch]
        enc = tokenizer.encode_batch([(QUESTION, t) for t in part] if kind == "rerank"
                                     else part)
        feed = {
            "input_ids": np.array([e.ids for e in enc], dtype=np.int64),
            "attention_mask": np.array([e.attention_mask for e in enc], dtype=np.int64),
            "token_type_ids": np.array([e.type_ids for e in enc], dtype=np.int64),
        }
        out = session.run(None, {k: v for k, v in feed.items() if k in wanted})[0]
        pool(kind, out)


def main():
    kind, folder, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    options = ort.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(f"{folder}/model.onnx", options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.enable_truncation(512)
    tokenizer.no_padding()
    all_texts, best = texts(n, TOKENS[kind]), (0, 0)
    cpu_best = 0
    for batch in (1, 4, 16, 32):
        run(kind, session, tokenizer, all_texts[:batch], batch)
        begin, cpu = time.monotonic(), time.process_time()
        run(kind, session, tokenizer, all_texts, batch)
        cpu_best = max(cpu_best, n / (time.process_time() - cpu))
        best = max(best, (n / (time.monotonic() - begin), batch))
    print(f"onnxruntime {ort.__version__}, {options.intra_op_num_threads} threads, "
          f"batch {best[1]}: {best[0]:.1f}/s, {cpu_best:.1f} a CPU second")


if __name__ == "__main__":
    main()
