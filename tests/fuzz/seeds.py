#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds for the fuzz targets: the programs of the language cases, tracefs formats of this kernel, small programs, rules."""
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lang"))
from cases import load  # noqa: E402


SMALL_C = """
struct node { struct node *next; unsigned low : 3; enum { A, B } e; char text[4]; union { int i; short s; }; };
static inline __attribute__((always_inline)) int inlined(int x)
{
	return x * 3;
}
typedef struct { long a, b; } wide;

__attribute__((noinline, used)) int function(struct node *n, wide w, double d, char c)
{
	return inlined(n->e) + (int)w.b + c;
}

int main(void)
{
	struct node n = { 0 };
	return function(&n, (wide){ 1, 2 }, 2.5, 'c');
}
"""


# int, and a struct with two of them.
SMALL_STRINGS = b"\0int\0pair\0a\0b\0"
SMALL_TYPES = struct.pack("<IIII", 1, 1 << 24, 4, 32 | 1 << 24) + struct.pack("<IIIIIIIII", 5, 4 << 24 | 2, 8, 10, 1, 0, 12, 1, 32)
SMALL_BTF = struct.pack("<HBBIIIII", 0xeb9f, 1, 0, 24, 0, len(SMALL_TYPES), len(SMALL_TYPES), len(SMALL_STRINGS)) + \
    SMALL_TYPES + SMALL_STRINGS


def elf_seeds(out):
    """Small programs with debugging information of several versions."""
    out.mkdir(parents=True, exist_ok=True)
    (out.parent / "small.c").write_text(SMALL_C)
    for version in "2", "4", "5":
        for level in "-O0", "-O2":
            subprocess.run(["gcc", f"-gdwarf-{version}", level, "-c" if version == "2" else "-nostdlib", "-Wl,-e,main",
                            "small.c", "-o", out / f"small-{version}{level}"], cwd=out.parent, check=True)


def bytes_seeds(out):
    """A ring with two records, a map of code made at run time, the types of a small module."""
    record = struct.pack("<II", 16, 0) + b"sixteen bytes..!" + struct.pack("<II", 8 | 1 << 30, 0) + b"discard!"
    for name, seeds in {
        "fuzz_ring": [struct.pack("<QQ", 0, len(record)) + record, struct.pack("<QQ", 8, 8) + struct.pack("<II", 1 << 31, 0)],
        # Whatever each of the first sites takes, and one that is too short.
        "fuzz_event": [struct.pack("<II", site, n) + bytes(range(64, 64 + n)) for site in range(40) for n in (0, 5, 120)],
        "fuzz_perf_map": [b"1000 20 function one\n1020 8 two\nffff zz\n", b"\n\n0 0 \n"],
        "fuzz_btf": [p.read_bytes() for p in sorted(Path("/sys/kernel/btf").glob("*")) if p.stat().st_size < 60000][:5] + [SMALL_BTF],
    }.items():
        (out / name).mkdir(parents=True, exist_ok=True)
        for i, seed in enumerate(seeds):
            (out / name / f"seed-{i}").write_bytes(seed)


# A bit of everything that rules have.
RULES = r'''
ACTION!="add|change", GOTO="end"
SUBSYSTEM!="usb|tty", GOTO="end"
ATTRS{idVendor}=="12*|[0-9a-f]", ATTRS{idProduct}!="5678", TAG+="uaccess", MODE="0660", GROUP="plugdev"
ENV{ID_X}=="?*", PROGRAM="/bin/x %k $attr{dev}", RESULT=="a*", SYMLINK+="x/%c{2+} y$number", RUN{builtin}+="kmod load x"
IMPORT{builtin}="usb_id", IMPORT{db}="ID_X", ENV{ID_Y}="$env{ID_X} $$ %%", ENV{.Z}+="e", TAG-="t"
KERNEL==ei"a\x41|b", TEST{0444}=="/proc/x", CONST{arch}=="x86-64", OPTIONS+="link_priority=5", NAME="eth%n"
ACTION=="remove", ATTR{x}=="1", RUN="/bin/a > b"
ATTRS{idVendor}=="1", ATTRS{bInterfaceNumber}=="00", \
  SYMLINK="z", GOTO="h"
LABEL="h", ATTR{idVendor}="1", SECLABEL{x}="y", SYSCTL{a/b}="1", OWNER:="root"
LABEL="end"
'''


def rules_seeds(out):
    """All of it, and each line."""
    out.mkdir(parents=True, exist_ok=True)
    for i, text in enumerate([RULES, *RULES.splitlines(keepends=True)]):
        (out / f"rules-{i}").write_text(text)


def main():
    out = Path(sys.argv[1]).resolve()
    for target in "fuzz_script", "fuzz_fmt":
        (out / target).mkdir(parents=True, exist_ok=True)
        for i, case in enumerate(load(ROOT / "lang" / "cases")):
            (out / target / f"case-{i}").write_text(case.keys["program"])
    bytes_seeds(out)
    elf_seeds(out / "fuzz_elf")
    rules_seeds(out / "fuzz_rules")
    formats = out / "fuzz_tp_format"
    formats.mkdir(parents=True, exist_ok=True)
    for i, path in enumerate(sorted(Path("/sys/kernel/tracing/events").glob("sched/*/format"))):
        (formats / f"format-{i}").write_text(path.read_text())


if __name__ == "__main__":
    main()
