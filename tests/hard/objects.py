# SPDX-License-Identifier: GPL-2.0-or-later
"""What a session may leave behind in the kernel and in the file system.

Others may use BPF on this machine at the same time, so what is ours is told by its name: all maps of a script are
named after those of the script, and a program holds the maps it uses.
"""
import ctypes
import os
import struct
import time
from pathlib import Path

SYS_BPF = 321 if os.uname().machine == "x86_64" else 280
PROG_GET_NEXT_ID, MAP_GET_NEXT_ID, PROG_GET_FD_BY_ID, MAP_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD = 11, 12, 13, 14, 15
LINK_GET_FD_BY_ID, LINK_GET_NEXT_ID = 30, 31
libc = ctypes.CDLL(None, use_errno=True)


def bpf(cmd, attr):
    buf = ctypes.create_string_buffer(attr.ljust(128, b"\0"))
    r = libc.syscall(SYS_BPF, cmd, buf, 128)
    return r, buf.raw


def ids(cmd):
    found, last = [], 0
    while True:
        r, raw = bpf(cmd, struct.pack("=II", last, 0))
        if r < 0:
            return found
        last = struct.unpack_from("=II", raw)[1]
        found.append(last)


def info(cmd, number):
    fd, _ = bpf(cmd, struct.pack("=I", number))
    if fd < 0:
        return b""
    out = ctypes.create_string_buffer(256)
    bpf(OBJ_GET_INFO_BY_FD, struct.pack("=IIQ", fd, 256, ctypes.addressof(out)))
    os.close(fd)
    return out.raw


def map_names():
    """{id: name}"""
    return {n: info(MAP_GET_FD_BY_ID, n)[24:40].split(b"\0")[0].decode() for n in ids(MAP_GET_NEXT_ID)}


def maps_named(part, patience=5.0):
    """Names of maps with `part` in them. The kernel frees what nobody holds a moment later, so it is given some."""
    end = time.monotonic() + patience
    while True:
        found = [name for name in map_names().values() if part in name]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.02)


def programs():
    return set(ids(PROG_GET_NEXT_ID))


def links():
    return set(ids(LINK_GET_NEXT_ID))


def probe_events():
    """What was written to tracefs' files of probes."""
    found = []
    for root in "/sys/kernel/tracing", "/sys/kernel/debug/tracing":
        for name in "uprobe_events", "kprobe_events":
            try:
                found += (Path(root) / name).read_text().splitlines()
            except OSError:
                pass
    return found


def pinned():
    root = Path("/sys/fs/bpf")
    return sorted(str(p) for p in root.rglob("*")) if root.is_dir() else []


def temp_files():
    """Of which one can tell by the name that they are ours."""
    return sorted(str(p) for d in ("/tmp", "/dev/shm", "/var/tmp") for p in Path(d).glob("*sonde-*"))
