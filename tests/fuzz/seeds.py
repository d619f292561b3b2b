#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds for the fuzz targets: the programs of the language cases, tracefs formats of this kernel, small programs."""
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "lang"))
from cases import load  # noqa: E402


def main():
    out = Path(sys.argv[1])
    scripts = out / "fuzz_script"
    scripts.mkdir(parents=True, exist_ok=True)
    for i, case in enumerate(load(ROOT / "lang" / "cases")):
        (scripts / f"case-{i}").write_text(case.keys["program"])
    formats = out / "fuzz_tp_format"
    formats.mkdir(parents=True, exist_ok=True)
    for i, path in enumerate(sorted(Path("/sys/kernel/tracing/events").glob("sched/*/format"))):
        (formats / f"format-{i}").write_text(path.read_text())
    programs = out / "fuzz_elf"
    programs.mkdir(parents=True, exist_ok=True)
    for path in (Path("/bin/true"), Path("/bin/sleep"), *Path("/usr/lib/debug/.build-id").glob("0[0-3]/*.debug")):
        if path.exists() and path.stat().st_size < 100_000:
            shutil.copyfile(path, programs / path.name)


if __name__ == "__main__":
    main()
