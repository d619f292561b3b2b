# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds the programs that probe cases look into: tests/probes/programs/*.c and *.cc.

A source begins with one comment line for each program that is made of it:
    /* build: -O1 -fno-omit-frame-pointer */       the program is named as the source
    /* build nofp: -O2 -fomit-frame-pointer */     source-nofp
With -shared it is a library, libNAME.so; a program is linked with one by -l and -L., libraries being built
first and found beside the program. With -c it is an object file, NAME.o. They are built once, before
machines boot (which see the same files), and again when their source or flags change.
"""
import functools
import os
import re
import shlex
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent / "programs"
BUILD = Path(os.environ.get("SONDE_BUILD") or HERE.parent.parent.parent / "build").resolve()
DIRECTORY = BUILD / "tests" / "probes"
COMPILERS = {".c": ["gcc"], ".cc": ["g++"]}


@dataclass
class Program:
    source: Path
    suffix: str
    flags: list

    @property
    def is_library(self):
        return "-shared" in self.flags

    @property
    def path(self):
        name = f"{self.source.stem}-{self.suffix}" if self.suffix else self.source.stem
        if self.is_library:
            name = f"lib{name}.so"
        return DIRECTORY / (f"{name}.o" if "-c" in self.flags else name)


def builds(source):
    found = []
    for line in source.read_text().splitlines():
        m = re.fullmatch(r"/\* build(?: (\w+))?:(.*)\*/", line)
        if not m:
            break
        found.append(Program(source, m[1] or "", shlex.split(m[2])))
    if not found:
        raise ValueError(f"{source}: the first line must be /* build: FLAGS */")
    return found


def make(program):
    """The flags are in the name of a stamp beside the program: other flags build it again."""
    command = [*COMPILERS[program.source.suffix], "-o", str(program.path), str(program.source),
               *program.flags, f"-Wl,-rpath,{DIRECTORY}"]
    if "-c" in program.flags:
        command.pop()
    stamp = program.path.with_name(f".{program.path.name}.command")
    written = stamp.read_text() if stamp.exists() and program.path.exists() else None
    if written == repr(command) and stamp.stat().st_mtime > program.source.stat().st_mtime:
        return
    r = subprocess.run(command, capture_output=True, text=True, cwd=DIRECTORY, stdin=subprocess.DEVNULL)
    if r.returncode:
        raise RuntimeError(f"{program.source.name}: {r.stderr}")
    stamp.write_text(repr(command))


@functools.cache
def build_all():
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    everything = [p for s in sorted(HERE.iterdir()) if s.suffix in COMPILERS for p in builds(s)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for libraries in (True, False):
            list(pool.map(make, [p for p in everything if p.is_library is libraries]))


LOCK = threading.Lock()


def build():
    """Makes what is missing or old, once in a run; kernels' threads ask for it side by side."""
    with LOCK:
        build_all()
