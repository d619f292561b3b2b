# SPDX-License-Identifier: GPL-2.0-or-later
"""The profile.proto that the pprof view writes, read by a decoder of its own and, where there is one, by pprof."""
import gzip
import shutil
import subprocess

import pytest

QUERY = """BEGIN { @bytes[comm, kstack] = sum(500); @bytes["other;name", kstack] = sum(7); @n[comm, kstack] = count(); }"""


def varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return n, at


def message(data):
    """{field: [number or bytes, ...]}"""
    fields, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        assert tag & 7 in (0, 2), "only varints and lengths are used"
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
            assert at <= len(data)
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def profile(path):
    p = message(gzip.decompress(path.read_bytes()))
    strings = [s.decode() for s in p[6]]
    assert strings[0] == "" and len(strings) == len(set(strings))
    text = lambda m, field: strings[m.get(field, [0])[0]]
    functions = {f[1][0]: text(f, 2) for f in map(message, p.get(5, []))}
    mappings = {m[1][0]: text(m, 5) for m in map(message, p.get(3, []))}
    locations = {}
    for loc in map(message, p.get(4, [])):
        locations[loc[1][0]] = (functions[message(loc[4][0])[1][0]], loc.get(3, [0])[0], mappings.get(loc.get(2, [0])[0]))
    types = [(text(t, 1), text(t, 2)) for t in map(message, p[1])]
    samples = []
    for s in map(message, p.get(2, [])):
        labels = {text(x, 1): text(x, 2) for x in map(message, s.get(3, []))}
        samples.append(([locations[n] for n in s[1]], s[2], labels))
    return types, samples


def test_pprof_has_a_type_for_each_map_and_labels_for_what_is_no_stack(run, tmp_path):
    r = run("-q", "-o", tmp_path / "x.pb.gz", "-e", QUERY)
    assert r.status == 0, r
    types, samples = profile(tmp_path / "x.pb.gz")
    assert sorted(types) == [("bytes", "bytes"), ("n", "count")]
    bytes_at, n_at = types.index(("bytes", "bytes")), types.index(("n", "count"))
    assert sorted((s[2]["comm"], s[1][bytes_at], s[1][n_at]) for s in samples) == [
        ("other:name", 7, 0), ("sonde", 0, 1), ("sonde", 500, 0)]
    for frames, _, _ in samples:
        assert all(addr > 1 << 63 and name for name, addr, _ in frames)
        # Innermost first: a system call ends the stack.
        assert frames[-1][0].startswith("entry_SYSCALL"), frames
        assert frames[-1][2] == "[kernel.kallsyms]"


def test_user_frames_have_their_file(run, tmp_path):
    r = run("-q", "-o", tmp_path / "x.pb.gz", "-c", "cat /dev/null", "-e",
            "tracepoint:syscalls:sys_enter_openat /pid == cpid/ { @[ustack] = count(); }")
    _, samples = profile(tmp_path / "x.pb.gz")
    assert any("libc" in (m or "") or "ld-" in (m or "") for s in samples for _, _, m in s[0]), r


@pytest.mark.skipif(not shutil.which("go"), reason="go (which brings pprof) is not installed")
def test_pprof_itself_reads_it(run, tmp_path):
    run("-q", "-o", tmp_path / "x.pb.gz", "-e", QUERY)
    r = subprocess.run(["go", "tool", "pprof", "-raw", "-sample_index=bytes", tmp_path / "x.pb.gz"], capture_output=True, text=True,
                       timeout=60, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert r.returncode == 0 and "comm:[sonde]" in r.stdout and "500" in r.stdout, r.stderr
