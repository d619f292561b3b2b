# SPDX-License-Identifier: GPL-2.0-or-later
"""Installed size: the program, stripped, and the shared libraries that it needs, or the files of a package."""
import os
import re
import shutil
import subprocess

from common import Absent, Table

MIB = 1 << 20


def libraries(exe):
    out = subprocess.run(["ldd", exe], capture_output=True, text=True, check=True).stdout
    return {os.path.realpath(p) for p in re.findall(r"(/\S+) \(0x", out)}


def stripped(tools, exe):
    copy = tools.file("stripped")
    subprocess.run(["strip", "-o", copy, exe], check=True)
    return os.stat(copy).st_size


def total(files):
    return sum(os.stat(f).st_size for f in files)


def program(tools, exe, more=()):
    own = stripped(tools, exe)
    libs = libraries(exe)
    for extra in more:
        libs |= {os.path.realpath(extra)} | libraries(extra)
    return own / MIB, (own + total(libs)) / MIB, len(libs)


def package(name):
    """The files of a package, and the packages without which it does not run."""
    names, todo = set(), [name]
    while todo:
        one = todo.pop()
        if one in names:
            continue
        names.add(one)
        out = subprocess.run(["dpkg-query", "-W", "-f", "${Pre-Depends}, ${Depends}", one], capture_output=True, text=True)
        if out.returncode and one == name:
            raise Absent("it is not installed")
        for alternatives in out.stdout.split(","):
            for word in alternatives.split("|"):
                word = word.strip().split(" ")[0].split(":")[0]
                if word and not subprocess.run(["dpkg-query", "-W", word], capture_output=True).returncode:
                    todo.append(word)
                    break
    kib = 0
    for one in names:
        out = subprocess.run(["dpkg-query", "-W", "-f", "${Installed-Size} ", one], capture_output=True, text=True).stdout
        kib += sum(int(n) for n in out.split()[:1])
    own = subprocess.run(["dpkg-query", "-W", "-f", "${Installed-Size}", name], capture_output=True, text=True).stdout
    return int(own) / 1024, kib / 1024, len(names) - 1


def find_library(soname):
    out = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    found = re.search(rf"^\s*{re.escape(soname)} .*=> (\S+)$", out, re.M)
    return [found[1]] if found else []


def part(tools):
    t = Table("Installed size", "Programs: stripped, then with every shared library that they load, the C library's "
              "own included. Packages: as Debian installs them, then with all that they depend on.",
              [("itself MiB", 2), ("with what it needs MiB", 1), ("libraries, packages", 0)])
    t.attempt("program", "sonde", [], lambda: program(tools, tools.sonde))
    t.attempt("program with libdw, which it loads when it needs it", "sonde", [],
              lambda: program(tools, tools.sonde, find_library("libdw.so.1")))
    t.attempt("program", "bpftrace", tools.bpftrace, lambda: program(tools, tools.bpftrace))
    exe = shutil.which("syscount")
    t.attempt("program (syscount)", "libbpf-tools", exe, lambda: program(tools, exe))
    for name in ("bpftrace", "libbpf-tools", "bpfcc-tools"):
        t.attempt("package", name, [], lambda n=name: package(n))
    own = t.median("program", "sonde", 0)
    t.limit("program", "at most 1.5 MB, stripped", own and own * MIB / 1e6, 1.5)
    both = t.median("program with libdw, which it loads when it needs it", "sonde", 1)
    t.limit("program", "at most 12 MB with all shared libraries", both and both * MIB / 1e6, 12)
    return t
