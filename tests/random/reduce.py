#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a script that goes wrong shorter: reduce.py SCRIPT TEXT [SONDE]. TEXT is a regular expression that the output (with
`status N` in front) must match for the script to be wrong in the same way. Lines and then words are left out as
long as it does."""
import re
import subprocess
import sys


def is_wrong(sonde, text, pattern):
    try:
        r = subprocess.run([*sonde, "-q", "/dev/stdin"], input=text, capture_output=True, text=True, timeout=20, errors="replace")
    except subprocess.TimeoutExpired:
        return False
    return bool(re.search(pattern, f"status {r.returncode}\n{r.stdout}{r.stderr}"))


def without(parts, wrong, join):
    """Leave out as many of the parts as possible: halves, quarters, ..."""
    size = len(parts) // 2 or 1
    while True:
        i, less = 0, False
        while i < len(parts):
            rest = parts[:i] + parts[i + size:]
            if rest and wrong(join(rest)):
                parts, less = rest, True
            else:
                i += size
        if size == 1 and not less:
            return parts
        size = max(size // 2, 1)


def blocks(text):
    """Loops and conditions: leave out their first and last line, and keep what is between."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if not line.endswith("{"):
            continue
        depth = 0
        for j in range(i, len(lines)):
            depth += lines[j].count("{") - lines[j].count("}")
            if depth <= 0:
                yield "\n".join(lines[:i] + lines[i + 1:j] + lines[j + 1:])
                yield "\n".join(lines[:i] + lines[j + 1:])
                break


def main():
    path, pattern = sys.argv[1:3]
    sonde = (sys.argv[3] if len(sys.argv) > 3 else "build/sonde").split()
    with open(path, encoding="utf-8") as f:
        text = f.read()

    def wrong(t):
        return is_wrong(sonde, t, pattern)

    if not wrong(text):
        sys.exit("it does not go wrong like that")
    before = None
    while text != before:
        before = text
        text = "\n".join(without(text.split("\n"), wrong, "\n".join))
        text = next((t for t in blocks(text) if wrong(t)), text)
        print(text, f"# {len(text)} bytes", sep="\n", file=sys.stderr)
        if text == before:
            words = re.findall(r"\w+|\s+|[^\w\s]", text)
            if len(words) < 400:
                text = "".join(without(words, wrong, "".join))
    print(text)


if __name__ == "__main__":
    main()
