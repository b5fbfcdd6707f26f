#!/usr/bin/env python3
"""Makes the golden files of this folder from the programs that our measures must equal.

    python3 -m venv v && v/bin/pip install pytrec_eval-terrier==0.5.11 numpy==2.4.6 scipy==1.17.1
    v/bin/python make.py

pytrec_eval-terrier carries trec_eval 9.0.8; the SQuAD functions below are those of the
official evaluate-v1.1.py. The files that lie here were made with these versions.
"""
import collections
import re
import string

import numpy as np
import pytrec_eval
from scipy.stats import beta

MEASURES = ["ndcg_cut_10", "recall_100", "recip_rank_10", "map", "recall_10", "ndcg_exp_10"]


def collection(rng):
    """Queries of many shapes: ties, scores that differ only as double, unjudged
    documents, negative grades, no relevant document, more than 100 results, none."""
    qrels, run = {}, {}
    for q in range(60):
        name = f"q{q}"
        docs = [f"d{i}" for i in rng.permutation(400)]
        grades = rng.choice([-1, 0, 1, 2, 3, 4], p=[.1, .4, .2, .15, .1, .05], size=80)
        qrels[name] = {d: int(g) for d, g in zip(docs[:80], grades)}
        if q % 10 == 3:
            qrels[name] = {d: min(g, 0) for d, g in qrels[name].items()}
        if q % 10 == 7:
            continue
        n = int(rng.choice([1, 5, 10, 30, 100, 180]))
        found = rng.choice(docs[:160], size=min(n, 160), replace=False)
        kind = q % 3
        if kind == 0:
            scores = rng.integers(0, 6, size=len(found)).astype(float)
        elif kind == 1:
            scores = 20 + rng.integers(0, 4, size=len(found)) * 1e-7
        else:
            scores = rng.normal(size=len(found))
        run[name] = {str(d): float(s) for d, s in zip(found, scores)}
    return qrels, run


def first(ranking, k):
    """trec_eval's order: score as float, then the name, both downwards."""
    order = sorted(ranking, key=lambda d: (np.float32(ranking[d]), d), reverse=True)
    return {d: ranking[d] for d in order[:k]}


def measured(qrels, run):
    plain = pytrec_eval.RelevanceEvaluator(
        qrels, {"ndcg_cut.10", "recall.10,100", "map"}).evaluate(run)
    cut = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(
        {q: first(r, 10) for q, r in run.items()})
    gains = {q: {d: 2 ** max(g, 0) - 1 for d, g in js.items()} for q, js in qrels.items()}
    steep = pytrec_eval.RelevanceEvaluator(gains, {"ndcg_cut.10"}).evaluate(run)
    for q in plain:
        plain[q]["recip_rank_10"] = cut[q]["recip_rank"]
        plain[q]["ndcg_exp_10"] = steep[q]["ndcg_cut_10"]
    return plain


def normalize_answer(s):
    def remove_articles(text):
        return re.sub(r"\b(a|an|the)\b", " ", text)

    def white_space_fix(text):
        return " ".join(text.split())

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    return white_space_fix(remove_articles(remove_punc(s.lower())))


def f1_score(prediction, ground_truth):
    a, b = normalize_answer(prediction).split(), normalize_answer(ground_truth).split()
    num_same = sum((collections.Counter(a) & collections.Counter(b)).values())
    if not a or not b:
        return float(a == b)
    if num_same == 0:
        return 0.0
    precision, recall = num_same / len(a), num_same / len(b)
    return 2 * precision * recall / (precision + recall)


PAIRS = [
    ("The Eiffel Tower, in Paris.", "Eiffel Tower"), ("1,234", "1234"), ("", ""), ("", "a"),
    ("the", "The"), ("an apple a day", "apple day"), ("It was in 1912", "1912"),
    ("Wilhelm Conrad RÖNTGEN", "wilhelm conrad röntgen"), ("ÉMILE Zola", "Émile Zola"),
    ("“The Who”", "who"), ("the-best", "best"), ("A\u00a0B\u2003c", "a b c"),
    ("ΟΔΟΣ", "οδος"), ("İstanbul", "istanbul"), ("Straße", "STRASSE"), ("13", "3"),
    ("yes yes no", "yes no no"), ("東京 タワー", "東京"), ("a_the an", "athe an"),
    ("x² the y", "x² y"), ("naïve\u0301 the", "naïve"), ("the the the", "a an"),
    ("U.S.A.", "usa"), ("what's up", "whats up"), ("  spaced \t out\n", "spaced out"),
    ("Beyoncé Giselle Knowles-Carter", "Beyonce Knowles"), ("a\u0301 b", "b"),
    ("Ⅷ the ½", "ⅷ ½"), ("one two three", "two three four"), ("ανθρωπος the", "ΑΝΘΡΩΠΟΣ"),
]


def main():
    qrels, run = collection(np.random.default_rng(5))
    with open("random.qrels", "w") as f:
        for q, js in qrels.items():
            f.writelines(f"{q} 0 {d} {g}\n" for d, g in js.items())
    with open("random.run", "w") as f:
        for q, r in run.items():
            f.writelines(f"{q} Q0 {d} {i + 1} {s!r} golden\n" for i, (d, s) in enumerate(r.items()))
    with open("random.expected", "w") as f:
        for q, m in measured(qrels, run).items():
            f.write("\t".join([q] + [repr(float(m[x])) for x in MEASURES]) + "\n")
    with open("squad.tsv", "w") as f:
        for a, b in PAIRS:
            cells = [a, b, normalize_answer(a)]
            cells = [c.replace("\t", "\\t").replace("\n", "\\n") for c in cells]
            em = float(normalize_answer(a) == normalize_answer(b))
            f.write("\t".join(cells + [repr(em), repr(f1_score(a, b))]) + "\n")
    with open("bounds.tsv", "w") as f:
        for k, n in [(0, 1), (0, 10), (1, 10), (5, 10), (9, 10), (3, 100), (50, 1000),
                     (0, 5000), (4999, 5000), (1234, 100000)]:
            for confidence in (.9, .95, .99):
                f.write(f"{k}\t{n}\t{confidence}\t{float(beta.ppf(confidence, k + 1, n - k))!r}\n")


if __name__ == "__main__":
    main()
