# SPDX-License-Identifier: GPL-2.0-or-later
"""The example of docs/ that embeds libsonde: short, builds with the public header alone, and works."""
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_example_builds_and_answers(tmp_path):
    source = ROOT / "docs" / "embed.c"
    assert len(source.read_text().splitlines()) < 60
    build = Path(os.environ.get("SONDE_BUILD", ROOT / "build"))
    exe = tmp_path / "embed"
    flags = ["-fsanitize=address,undefined"] if build.name.endswith("-san") else []
    libs = subprocess.run(["pkg-config", "--libs", "libbpf", "libelf", "zlib"], capture_output=True, text=True,
                          check=True).stdout.split()
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", *flags, f"-I{ROOT / 'include'}", "-o", exe, source,
                    build / "libsonde.a", *libs, "-lpthread", "-lm"], check=True)
    r = subprocess.run([exe], capture_output=True, text=True, timeout=30)
    assert r.returncode == 0, r
    assert "made" in r.stdout and "system calls" in r.stdout, r
