"""search_qmd.py QUESTIONS FOLDER STORE PITH QMD...: indexing and searching by both, for
search_qmd.sh. QMD is its command. Times are those of whole processes."""
import json
import statistics
import subprocess
import sys
import time

COUNT = 5


def run(command):
    """Seconds, and what it printed."""
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:3])}: {done.stderr[-400:]}")
    return time.monotonic() - begun, done.stdout


def find_ours(pith, question):
    took, out = run(pith + ["search", question, "-k", str(COUNT), "--json", "--quiet"])
    return took, [p["document"] for p in json.loads(out)["results"]]


def find_theirs(qmd, question):
    plain = question.replace("\n", " ")
    took, out = run(qmd + ["query", f"lex: {plain}\nvec: {plain}", "-n", str(COUNT), "--json",
                           "--no-rerank"])
    return took, [p["file"] for p in json.loads(out)]


def show(name, index, rows):
    """Medians; whether the document that answers is among those found."""
    ms = 1e3 * statistics.median(took for took, _ in rows)
    right = sum(hit for _, hit in rows)
    print(f"{name:6} index {index:6.2f} s; search p50 of {len(rows)}: {ms:6.0f} ms; the document "
          f"is among the first {COUNT} for {right}")
    return ms, right


def main():
    questions, folder, store, pith, *qmd = sys.argv[1:]
    ours = [pith, "--store", store]
    indexed = [run(ours + ["add", folder, "--quiet"])[0],
               run(qmd + ["collection", "add", folder, "--name", "docs", "--mask",
                          "**/*.{md,txt,html}"])[0] + run(qmd + ["embed"])[0]]
    rows = [], []
    with open(questions, encoding="utf-8") as f:
        for line in map(json.loads, f):
            for side, (took, found) in zip(rows, (find_ours(ours, line["question"]),
                                                  find_theirs(qmd, line["question"]))):
                side.append((took, any(u.endswith(line["document"]) for u in found)))
    n = len(rows[0])
    a, b = show("pith", indexed[0], rows[0]), show("qmd", indexed[1], rows[1])
    print(f"ratio  {indexed[1] / indexed[0]:.1f} to the index, {b[0] / a[0]:.1f} to what is found")
    print(f"= {a[0]:.0f} ms, right {a[1]} of {n}, index {indexed[0]:.1f} s | qmd {b[0]:.0f} ms, {b[1]}, "
          f"{indexed[1]:.1f} s | {b[0] / a[0]:.1f}; index {indexed[1] / indexed[0]:.1f}")


main()
