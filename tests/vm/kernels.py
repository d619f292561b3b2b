# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels for the virtual machines: looked up, downloaded and unpacked, never installed.

A kernel is named by its series and flavour: `6.1-cloud`, `6.12-cloud`, `6.12-rt`, `6.12` (generic). The
newest package that apt knows is taken; without apt or a network, the newest that was unpacked before.
They live in .cache/kernels, or where SONDE_KERNELS says; older ones of the same name are removed.
"""
import functools
import lzma
import os
import re
import shutil
import struct
import subprocess
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("SONDE_KERNELS") or ROOT / ".cache" / "kernels").resolve()


def asked_for(usual):
    """The names of the kernels that tests run on."""
    return os.environ.get("SONDE_VM_KERNELS", usual).split()


class Unavailable(Exception):
    """A kernel or the emulator cannot be had; the text says why."""


@dataclass
class Kernel:
    name: str
    directory: Path

    @property
    def release(self):
        return next((self.directory / "lib/modules").iterdir()).name

    @property
    def module_directory(self):
        return self.directory / "lib/modules" / self.release

    @property
    def image(self):
        return self.directory / "vmlinux"

    def module_files(self, names):
        """Files of these modules and all they depend on, in the order of loading; built-in ones have none."""
        depends = {}
        for line in (self.module_directory / "modules.dep").read_text().splitlines():
            path, _, rest = line.partition(":")
            depends[Path(path).name.split(".ko")[0].replace("-", "_")] = [*reversed(rest.split()), path]
        files = [f for name in names for f in depends.get(name, [])]
        return [self.module_directory / f for f in dict.fromkeys(files)]


def pattern(name):
    """A regular expression for the names of all packages of a kernel."""
    series, _, flavour = name.partition("-")
    return rf"linux-image-{re.escape(series)}[.-][.0-9-]*(\+deb\d+)?-{flavour + '-' if flavour else ''}amd64"


def version_key(package):
    return [int(n) for n in re.findall(r"\d+", package)]


def run(*command, **options):
    r = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if r.returncode:
        raise Unavailable(f"{' '.join(map(str, command[:3]))}: {r.stderr.strip()[-500:]}")
    return r.stdout


def newest_in_apt(name):
    """None where apt knows none, has no lists, or does not exist."""
    try:
        names = run("apt-cache", "pkgnames", "linux-image-").split()
    except (OSError, Unavailable):
        return None
    found = [n for n in names if re.fullmatch(pattern(name), n)]
    return max(found, key=version_key, default=None)


def newest_unpacked(name):
    found = [d for d in CACHE.glob("linux-image-*") if re.fullmatch(pattern(name), d.name)]
    return max(found, key=lambda d: version_key(d.name), default=None)


def decompressed(payload):
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)
    for magic, tool in ((b"\x28\xb5\x2f\xfd", "zstd"), (b"\x02\x21\x4c\x18", "lz4"), (b"\x1f\x8b", "gzip")):
        if payload.startswith(magic):
            # What follows the stream (its length) makes some of them complain after all is written.
            return subprocess.run([tool, "-dc"], input=payload, capture_output=True).stdout
    return payload


def extract_image(bzimage, target):
    """The ELF image within a bzImage: it boots without unpacking itself under emulation.

    Offsets are those of the boot protocol: setup_sects, payload_offset and payload_length."""
    data = bzimage.read_bytes()
    start = ((data[0x1F1] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", data, 0x248)
    image = decompressed(data[start + offset:start + offset + length])
    if not image.startswith(b"\x7fELF"):
        raise Unavailable(f"cannot unpack {bzimage.name}")
    target.write_bytes(image)


def unpack(deb, directory):
    run("dpkg", "-x", deb, directory)
    release = next((directory / "lib/modules").iterdir()).name
    run("depmod", "-b", directory, release)
    extract_image(directory / "boot" / f"vmlinuz-{release}", directory / "vmlinux")


def fetch(package, name):
    """Downloads and unpacks beside the place and renames at the end: an interrupted one leaves no half."""
    target = CACHE / package
    work = CACHE / f"part-{os.getpid()}-{package}"
    work.mkdir(parents=True, exist_ok=True)
    try:
        run("apt-get", "download", package, cwd=work, timeout=600)
        deb = next(work.glob("*.deb"))
        unpack(deb, work)
        deb.unlink()
        if not target.exists():
            work.rename(target)
    except subprocess.TimeoutExpired as e:
        raise Unavailable(f"downloading {package} took over {e.timeout} s") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for old in CACHE.glob("linux-image-*"):
        if old != target and re.fullmatch(pattern(name), old.name):
            shutil.rmtree(old)
    return target


LOCKS = defaultdict(threading.Lock)


def get(name):
    """The newest kernel of this name; raises Unavailable. Whoever comes second waits for the first's download."""
    with LOCKS[name]:
        return find(name)


@functools.cache
def find(name):
    package = newest_in_apt(name)
    have = newest_unpacked(name)
    if package and not (have and have.name == package):
        try:
            have = fetch(package, name)
        except (OSError, Unavailable) as e:
            if not have:
                raise Unavailable(f"kernel {name} cannot be had: {e}") from None
    if not have:
        raise Unavailable(f"kernel {name} cannot be had: apt knows no such package (try apt-get update)")
    return Kernel(name, have)
