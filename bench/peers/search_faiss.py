"""Milliseconds of a search by faiss: the peer of the vectors' line of bench_search.

    search_faiss.py CHUNKS

Random unit vectors of 384 components, the 50 nearest of one query at a time: exact over
floats, and over codes of a byte."""
import os
import sys
import time

import faiss
import numpy as np

DIM, QUERIES, NEAREST, WARM_UP = 384, 200, 50, 5


def unit(rng, n):
    v = rng.standard_normal((n, DIM), dtype=np.float32)
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def report(name, index, queries):
    ms = []
    for q in queries:
        begun = time.perf_counter()
        index.search(q[None], NEAREST)
        ms.append(1e3 * (time.perf_counter() - begun))
    ms = np.array(ms[WARM_UP:])
    print(f"{name:<10} p50 {np.median(ms):7.2f} ms  p99 {np.quantile(ms, .99):7.2f} ms")


def main():
    rng = np.random.default_rng(1)
    faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
    vectors, queries = unit(rng, int(sys.argv[1])), unit(rng, QUERIES)
    flat = faiss.IndexFlatIP(DIM)
    flat.add(vectors)
    report("flat", flat, queries)
    codes = faiss.IndexScalarQuantizer(DIM, faiss.ScalarQuantizer.QT_8bit,
                                       faiss.METRIC_INNER_PRODUCT)
    codes.train(vectors[:10000])
    codes.add(vectors)
    report("bytes", codes, queries)


main()
