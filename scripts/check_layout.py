#!/usr/bin/env python3
"""check_layout.py [FILE...] -- what clang-format would change, alignment aside.

clang-format undoes tables, margin comments and hand-broken lines, which carry meaning
here. So each file is compared with clang-format's version of it twice: its text with all
white space made one space (spacing inside statements), and the indentation of each line
that begins a statement. Widths, tabs and braces are checked directly. Prints
FILE:LINE: FINDING and exits 1 where there is any."""
import difflib, glob, re, subprocess, sys

WIDTH = 90
DIRECT = [
    (re.compile(r"\t"), "a tab"),
    (re.compile(r"\s$"), "white space at the end"),
    (re.compile(r"^(?!static const|typedef|struct|union|enum|extern|#)\w[^=]*\)\s*\{$"),
     "a function's brace stands on its own line"),
    (re.compile(r"\b(void|char|int|float|double|bool|\w+_t|[A-Z][a-z]\w*)\* \w"),
     "the star stands with the name: char *p"),
    (re.compile(r"^\s{0,15}//(?!\s*clang-format|\s*NOLINT| SPDX)"),
     "sentences stand in /* */; // is for margins"),
]


def squeeze(text):
    """One space for all white space; what clang-format cannot leave alone is levelled."""
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"; (?=[;)])", ";", re.sub(r" ?:(?: ?:)+ ?", ":::", text))
    text = re.sub(r"\b(?!if|for|while|switch|return|case)(\w+) \(", r"\1(", text)
    text = re.sub(r"([({]) | ([)}])", r"\1\2", text)
    return re.sub(r"\s*([*&-])\s*", r"\1", text)


def begins_statement(lines, i):
    """Whether line i is no continuation of the line of code above it."""
    for above in reversed(lines[:i]):
        code = re.sub(r"/\*.*?\*/|//.*", "", above).strip()
        if code and not code.startswith("*"):
            return code[-1] in ";{}" and not lines[i].strip().startswith(("*", ".", "//", "{"))
    return True


def spacing(name, text, wanted):
    """Findings where the two texts differ in more than line breaks and alignment."""
    a, b = squeeze(text), squeeze(wanted)
    if a == b:
        return
    for op, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if op == "equal":
            continue
        start = max(0, i - 20)
        line = next((n for n in range(1, text.count("\n") + 2)
                     if len(squeeze("\n".join(text.split("\n")[:n]))) > i), 0)
        yield f"{name}:{line}: `{a[start:j + 20]}` wants `{b[max(0, k - 20):m + 20]}`"


def indentation(name, text, wanted):
    lines, other = text.split("\n"), wanted.split("\n")
    plain = [re.sub(r"\s+", " ", s.strip()) for s in lines]
    match = difflib.SequenceMatcher(None, plain, [re.sub(r"\s+", " ", s.strip())
                                                  for s in other], autojunk=False)
    for a, b, size in match.get_matching_blocks():
        for n in range(size):
            have, want = lines[a + n], other[b + n]
            depth = [len(s) - len(s.lstrip()) for s in (have, want)]
            if have.strip() and depth[0] != depth[1] and begins_statement(lines, a + n):
                yield f"{name}:{a + n + 1}: indented by {depth[0]}, wanted {depth[1]}"


def direct(name, text):
    for n, line in enumerate(text.split("\n"), 1):
        if len(line) > WIDTH:
            yield f"{name}:{n}: {len(line)} columns, at most {WIDTH}"
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        yield from (f"{name}:{n}: {what}" for pattern, what in DIRECT if pattern.search(code))
    for broken in re.finditer(r"\}\n\s*else\b", text):
        yield f"{name}:{text.count(chr(10), 0, broken.end()) + 1}: else stands behind the brace"
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield f"{name}: must end in one line end"


def main():
    names = sys.argv[1:] or sorted(f for p in ("include/*.h", "src/*/*.[ch]", "bench/*.c",
        "tests/*/*.[ch]", "examples/c/*.c") for f in glob.glob(p))
    findings = 0
    for name in names:
        text = open(name, encoding="utf-8").read()
        wanted = subprocess.run(["clang-format", "--style=file", name], check=True,
                                capture_output=True, text=True).stdout
        for check in (direct(name, text), spacing(name, text, wanted),
                      indentation(name, text, wanted)):
            for finding in check:
                findings += 1
                print(finding)
    print(f"layout: {len(names)} files, {findings} findings", file=sys.stderr)
    return findings > 0


if __name__ == "__main__":
    sys.exit(main())
