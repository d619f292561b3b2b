# SPDX-License-Identifier: GPL-2.0-or-later
"""Both compilers and arm64 build everything without a warning, and the program stays small."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, SANITIZED, SONDE


def build(tmp_path, cc):
    env = dict(os.environ, CC=cc)
    subprocess.run(["meson", "setup", tmp_path / "b", ROOT, "-Dwerror=true", "-Doptimization=1"], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    return subprocess.run(["ninja", "-C", tmp_path / "b"], capture_output=True, text=True)


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_compiler_has_nothing_to_say(tmp_path, cc):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not installed")
    r = build(tmp_path, cc)
    assert r.returncode == 0, r.stdout[-4000:]


def test_arm64_compiles():
    r = subprocess.run([ROOT / "scripts" / "build-arm64"], capture_output=True, text=True)
    if r.returncode == 77:
        pytest.skip(r.stderr.strip())
    assert r.returncode == 0 and "warning:" not in r.stdout + r.stderr, (r.stdout + r.stderr)[-4000:]
    binary = (ROOT / "build-arm64" / "build" / "sonde").read_bytes()[:20]
    assert int.from_bytes(binary[18:20], "little") == 183  # EM_AARCH64


@pytest.mark.skipif(SANITIZED, reason="the sanitizers link their own libraries")
def test_the_core_links_little():
    out = subprocess.run(["ldd", SONDE], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].split(".so")[0].rsplit("/", 1)[-1] for line in out.splitlines() if line.strip()}
    assert names <= {"linux-vdso", "libbpf", "libelf", "libz", "libc", "ld-linux-x86-64", "libm", "libpthread"}, out


@pytest.mark.skipif(SANITIZED, reason="instrumented code is larger")
def test_the_core_is_small(tmp_path):
    subprocess.run(["strip", "-o", tmp_path / "sonde", SONDE], check=True)
    assert (tmp_path / "sonde").stat().st_size < 1_500_000
