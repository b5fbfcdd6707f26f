#!/usr/bin/env python3
"""check_sizes.py -- the budgets of STYLE.md: a function has at most 60 lines, a file 900, a
header declares at most 12 functions (pith.h may have more: it is the whole library).

A function that is longer for a reason says it in the comment above it, in a line that
begins `long:`. Prints FILE:LINE: FINDING and, at the end, the median and the longest."""
import glob, re, sys

FUNCTION, FILE, HEADER = 60, 900, 12


def functions(lines):
    """(first line, lines inside the braces, name) of each function; braces in column 0."""
    begin = None
    for n, line in enumerate(lines):
        if line.rstrip() == "{":
            begin = n
        elif line.startswith("}") and begin is not None:
            head = next((s for s in reversed(lines[:begin]) if re.match(r"\w", s)), "")
            name = re.search(r"(\w+)\s*\(", head)
            yield begin, n - begin - 1, name[1] if name else "?"
            begin = None


def excused(lines, begin):
    return any("long:" in s for s in lines[max(0, begin - 8):begin])


def prototypes(text):
    """How many functions a header declares: at file level, parenthesis before a semicolon."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*|^\s*#(?:.*\\\n)*.*$", "", text, flags=re.S | re.M)
    text = text.replace('extern "C" {', "")
    depth, flat = 0, []
    for c in text:
        depth -= c == "}"
        if depth == 0:
            flat.append(c)
        depth += c == "{"
    return sum("(" in s and "typedef" not in s and "_Static_assert" not in s
               for s in "".join(flat).split(";"))


def main():
    findings, sizes, files = [], [], sorted(glob.glob("src/*/*.[ch]") + glob.glob("include/*.h"))
    for path in files:
        text = open(path, encoding="utf-8").read()
        lines = text.split("\n")
        if len(lines) > FILE:
            findings.append(f"{path}:1: {len(lines)} lines, at most {FILE}")
        for begin, length, name in functions(lines):
            sizes.append((length, f"{name} in {path}"))
            if length > FUNCTION and not excused(lines, begin):
                findings.append(f"{path}:{begin + 1}: {name} has {length} lines, "
                                f"at most {FUNCTION}")
        count = prototypes(text) if path.endswith(".h") else 0
        if count > HEADER and path != "include/pith.h":
            findings.append(f"{path}:1: {count} functions declared, at most {HEADER}")
    print("\n".join(findings), end="\n" if findings else "")
    sizes.sort()
    if sizes:
        print(f"sizes: {len(files)} files, {len(sizes)} functions, median "
              f"{sizes[len(sizes) // 2][0]} lines, longest {sizes[-1][0]} ({sizes[-1][1]}), "
              f"{len(findings)} findings", file=sys.stderr)
    return len(findings) > 0


if __name__ == "__main__":
    sys.exit(main())
