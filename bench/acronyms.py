#!/usr/bin/env python3
"""acronyms.py -- questions by abbreviation for passages that have only the long form.

    bench/acronyms.py COLLECTION OUT

Pairs "long form (LF)" are found in COLLECTION/corpus.jsonl where the letters are the words'
first ones (the strict half of Schwartz and Hearst, 2003). A document counts as relevant
that has the long form and nowhere the short one; abbreviations with 1 to 10 such documents
become questions. Writes OUT/queries.jsonl, OUT/qrels.tsv and OUT/glossary:

    pith eval retrieve COLLECTION --queries OUT/queries.jsonl --qrels OUT/qrels.tsv
    mkdir -p $XDG_CONFIG_HOME/pith && cp OUT/glossary $XDG_CONFIG_HOME/pith/ && ... again
"""
import collections, json, os, re, sys

PAIR = re.compile(r"((?:[A-Za-z][\w-]*\s+){1,6})\(([A-Z][A-Z0-9]{1,6})\)")


def pairs_of(texts):
    """The most frequent long form of each abbreviation."""
    seen = collections.Counter()
    for text in texts:
        for m in PAIR.finditer(text):
            words = m[1].split()[-len(m[2]):]
            if len(words) == len(m[2]) and all(
                    w[0].lower() == c.lower() for w, c in zip(words, m[2])):
                seen[m[2], " ".join(words).lower()] += 1
    best = {}
    for (short, long), _ in seen.most_common():
        best.setdefault(short, long)
    return best


def main(collection, out):
    with open(os.path.join(collection, "corpus.jsonl"), encoding="utf-8") as f:
        docs = [json.loads(line) for line in f]
    texts = [f"{d.get('title', '')} {d['text']}" for d in docs]
    os.makedirs(out, exist_ok=True)
    queries, qrels, glossary = [], [], []
    for short, long in sorted(pairs_of(texts).items()):
        alone = re.compile(rf"\b{short}s?\b")
        only = [d["id"] for d, t in zip(docs, texts)
                if long in t.lower() and not alone.search(t)]
        if not 1 <= len(only) <= 10:
            continue
        name = f"a{len(queries)}"
        queries.append(json.dumps({"id": name, "text": f"What is known about {short}?"}))
        qrels += [f"{name}\t{d}\t1" for d in only]
        glossary.append(f"{short} = {long}")
    for name, lines in (("queries.jsonl", queries), ("qrels.tsv", qrels), ("glossary", glossary)):
        with open(os.path.join(out, name), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
    print(f"{len(queries)} questions, {len(qrels)} judgements")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
