"""language.py BENCH_LANGUAGE PAGES N: which share of N paragraphs and N sentences of each
language is taken for it. PAGES/CODE holds the unpacked manual pages of a language.

What two peers call English in a translated page is a paragraph left untranslated, and is
left out."""
import gzip
import random
import re
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import langid
import pycld2
from langdetect import DetectorFactory, detect

DetectorFactory.seed = 1
CODE = {"nb": "no", "pt-br": "pt"}
UNSPACED = {"ja", "zh"}


def plain(roff):
    roff = re.sub(r"\\f(\(..|\[[^]]*\]|.)|\\s[-+]?\d|\\[&|^/,:%]|\\c", "", roff)
    roff = roff.replace("\\-", "-").replace("\\(co", "(c)").replace("\\ ", " ")
    roff = re.sub(r"\\\(..|\\\[[^]]*\]|\\\*.|\\.", " ", roff)
    return re.sub(r"\s+", " ", roff).strip()


def paragraphs(path):
    lines = gzip.decompress(path.read_bytes()).decode("utf-8", "ignore").split("\n")
    run = []
    for line in lines + [".PP"]:
        macro = re.match(r"[.'](\w*)", line)
        if macro is None and line.strip():
            run.append(line)
        elif macro is None or macro[1] not in ("B", "I", "BR", "IR", "RB", "RI", "BI", "IB"):
            if run:
                yield plain(" ".join(run))
            run = []
        else:
            run.append(line[1 + len(macro[1]):].replace('"', ""))


def texts(folder, code, n):
    """At most n paragraphs and n sentences, none twice."""
    least = 30 if code in UNSPACED else 100
    seen = dict.fromkeys(p for f in sorted(folder.glob("**/man*/*.gz"))
                         for p in paragraphs(f) if least <= len(p) <= 1500)
    long = list(seen)
    random.Random(7).shuffle(long)
    parted = (s for p in long[:4 * n]
              for s in re.split(r"(?<=[.?!])\s+|(?<=[。？！])", p))
    short = [s for s in dict.fromkeys(parted) if least * 2 // 5 <= len(s) <= 120]
    random.Random(8).shuffle(short)
    return [list(islice((t for t in some if is_of(code, t)), n)) for some in (long, short)]


def is_of(code, text):
    return letters(text) and (code == "en" or not untranslated(text))


def letters(text):
    return sum(c.isalpha() for c in text) > .65 * len(text)


def cld2(text):
    try:
        code = pycld2.detect(text, bestEffort=True)[2][0][1]
    except pycld2.error:
        return "--"
    return {"nb": "no", "nn": "no", "zh-Hant": "zh"}.get(code, code)


def by_langid(text):
    code = langid.classify(text)[0]
    return {"nb": "no", "nn": "no"}.get(code, code)


def by_langdetect(text):
    try:
        return detect(text)[:2]
    except Exception:       # it finds no letters
        return "--"


def untranslated(text):
    return cld2(text) == "en" and by_langid(text) == "en"


def pith(bench, lines):
    out = subprocess.run([bench], input="\n".join(lines) + "\n", text=True, check=True,
                         capture_output=True)
    print(out.stderr.strip())
    return ["ja" if code == "zh" and re.search("[ぁ-ヿ]", text) else code
            for code, text in zip(out.stdout.split(), lines)]


def timed(name, find, lines):
    begun = time.process_time()
    out = [find(text) for text in lines]
    spent = time.process_time() - begun
    print(f"{name}: {sum(len(x.encode()) for x in lines) / spent / 1e6:.2f} MB/s")
    return out


def table(title, want, found):
    codes = list(dict.fromkeys(want))
    print(f"{title}, share found | " + " | ".join(codes) + " | all")
    for name, got in found.items():
        share = {c: [g == w for g, w in zip(got, want) if w == c] for c in codes}
        cells = [f"{sum(s) / len(s):.3f}" for s in share.values()]
        print(name, *cells, f"{sum(map(sum, share.values())) / len(want):.4f}", sep=" | ")
        missed = sorted({(w, g) for w, g in zip(want, got) if w != g},
                        key=lambda p: -sum((w, g) == p for w, g in zip(want, got)))[:8]
        print("   most often mistaken:", ", ".join(
            f"{w} for {g} {sum((a, b) == (w, g) for a, b in zip(want, got))}"
            for w, g in missed))


def main():
    bench, pages, n = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    kinds = {"paragraphs": [], "sentences": []}
    for folder in sorted(pages.iterdir()):
        code = CODE.get(folder.name, folder.name)
        for kind, some in zip(kinds, texts(folder, code, n)):
            kinds[kind] += [(code, text) for text in some]
    for kind, labelled in kinds.items():
        want, lines = [w for w, _ in labelled], [text for _, text in labelled]
        table(f"{len(lines)} {kind}", want, {
            "pith": pith(bench, lines), "CLD2": timed("CLD2", cld2, lines),
            "langid": timed("langid", by_langid, lines),
            "langdetect": timed("langdetect", by_langdetect, lines)})
        if len(sys.argv) > 4:       # a file for what pith gets wrong
            with open(f"{sys.argv[4]}.{kind}", "w") as out:
                got = pith(bench, lines)
                out.writelines(f"{w}\t{g}\t{x}\n" for w, g, x in zip(want, got, lines) if w != g)


main()
